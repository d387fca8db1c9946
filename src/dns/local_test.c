#include "dns/local.h"

#include "tap.h"

static struct yg_dns_name name_of(const char *text)
{
	struct yg_dns_name n;
	T_OK(yg_dns_name_parse(yg_sv_of(text), NULL, &n, NULL) == YG_OK);
	return n;
}

static yg_status pack(struct yg_buf *b, const struct yg_dns_name *zone, const char *owner,
		      uint16_t type, struct yg_sv rdata)
{
	struct yg_dns_name o = name_of(owner);
	const struct yg_zone_rr rr = {
		.owner = &o, .type = type, .cls = YG_DNS_IN, .ttl = 60, .rdata = rdata};
	return yg_dns_local_pack(b, zone, &rr, NULL);
}

static enum yg_dns_local look(const struct yg_dns_zones *z, uint32_t org, const char *name)
{
	struct yg_dns_name n = name_of(name);
	struct yg_dns_local_rr rr;
	const struct yg_dns_route *r = yg_dns_zones_find(z, org, &n);
	return r == NULL ? YG_DNS_LOCAL_NONE : yg_dns_zones_local(z, r, &n, YG_DNS_A, &rr);
}

static void test_round(void)
{
	struct yg_buf records, file;
	struct yg_dns_local_file f;
	struct yg_dns_local_zone z;
	yg_buf_init(&records, 65536);
	yg_buf_init(&file, 65536);
	struct yg_dns_name corp = name_of("corp.example");
	T_OK(pack(&records, &corp, "www.corp.example", YG_DNS_A, YG_SV("\12\0\0\1")) == YG_OK);
	T_OK(pack(&records, &corp, "*.wild.corp.example", YG_DNS_A, YG_SV("\12\0\0\2")) == YG_OK);
	T_OK(pack(&records, &corp, "www.else.example", YG_DNS_A, YG_SV("\12\0\0\3")) == YG_INVAL);
	T_OK(pack(&records, &corp, "www.corp.example", YG_DNS_OPT, YG_SV("")) == YG_INVAL);
	const struct yg_dns_local_zone in[] = {
		{.org = YG_SV("a"), .name = corp, .records = yg_buf_sv(&records)},
		{.org = YG_SV(""), .name = name_of("over.example"), .overlay = true},
	};
	T_OK(yg_dns_local_write(in, 2, 7, &file, NULL) == YG_OK);
	T_OK(yg_dns_local_open(yg_buf_sv(&file), &f, NULL) == YG_OK && f.generation == 7);
	struct yg_dns_zones *zones = yg_dns_zones_new();
	T_OK(yg_dns_local_next(&f, &z, NULL) == YG_OK && YG_SV_IS(z.org, "a") && !z.overlay);
	T_OK(yg_dns_local_put(zones, 1, &z, NULL) == YG_OK);
	T_OK(yg_dns_local_next(&f, &z, NULL) == YG_OK && z.org.n == 0 && z.overlay);
	T_OK(yg_dns_local_put(zones, 0, &z, NULL) == YG_OK);
	T_OK(yg_dns_local_next(&f, &z, NULL) == YG_NOTFOUND);
	T_OK(look(zones, 1, "www.corp.example") == YG_DNS_LOCAL_DATA);
	T_OK(look(zones, 1, "x.wild.corp.example") == YG_DNS_LOCAL_DATA);
	T_OK(look(zones, 1, "no.corp.example") == YG_DNS_LOCAL_NXDOMAIN);
	T_OK(look(zones, 2, "www.corp.example") == YG_DNS_LOCAL_NONE);
	T_OK(look(zones, 0, "www.corp.example") == YG_DNS_LOCAL_NONE);
	T_OK(look(zones, 0, "no.over.example") == YG_DNS_LOCAL_NONE);
	yg_dns_zones_free(zones);
	/* a bit anywhere, or an octet less, is noticed */
	for (size_t i = 0; i < file.n; i++) {
		file.p[i] ^= 4;
		T_OK(yg_dns_local_open(yg_buf_sv(&file), &f, NULL) == YG_CORRUPT);
		file.p[i] ^= 4;
		T_OK(yg_dns_local_open(yg_sv_sub(yg_buf_sv(&file), 0, i), &f, NULL) == YG_CORRUPT);
	}
	yg_buf_free(&records);
	yg_buf_free(&file);
}

static void test_text(void)
{
	struct yg_dns_zones *z = yg_dns_zones_new();
	struct yg_err err = {0};
	struct yg_dns_name corp = name_of("corp.example");
	T_OK(yg_dns_zones_add(z, 1, &corp, YG_DNS_ZONE_LOCAL, 0, true, NULL) == YG_OK);
	T_OK(yg_dns_local_text(z, 1, YG_SV("a.corp.example. 300 A 10.0.0.1"), &err) == YG_OK);
	T_OK(yg_dns_local_text(z, 1, YG_SV("b.else.example. 300 IN A 10.0.0.2"), &err) == YG_OK);
	T_OK(yg_dns_local_text(z, 1, YG_SV("b.else.example. 300 IN AAAA fd00::2"), &err) == YG_OK);
	T_OK(look(z, 1, "a.corp.example") == YG_DNS_LOCAL_DATA);
	T_OK(look(z, 1, "b.else.example") == YG_DNS_LOCAL_DATA);
	T_OK(look(z, 1, "c.b.else.example") == YG_DNS_LOCAL_NONE);
	T_OK(look(z, 0, "b.else.example") == YG_DNS_LOCAL_NONE);
	T_OK(yg_dns_local_text(z, 1, YG_SV("b.else.example. 300 CNAME c."), &err) == YG_CONFLICT);
	T_OK(yg_dns_local_text(z, 1, YG_SV(""), &err) == YG_PARSE);
	T_OK(yg_dns_local_text(z, 1, YG_SV("x. 300 A 10.0.0.300"), &err) != YG_OK);
	T_OK(yg_dns_local_text(z, 1, YG_SV("x. 300 A 10.0.0.3\ny. 300 A 10.0.0.3"), &err) != YG_OK);
	T_OK(yg_dns_local_text(z, 1, YG_SV("x. 300 CH A 10.0.0.3"), &err) != YG_OK);
	yg_dns_zones_free(z);
}

int main(void)
{
	test_round();
	test_text();
	return tap_done();
}
