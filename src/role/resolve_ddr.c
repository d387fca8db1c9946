/* Discovery of designated resolvers (RFC 9462): who asks by plain DNS is told of DoT
 * and DoH, by the host that their certificate is for.  Without such a host there is
 * nothing to tell, and resolver.arpa is empty, as section 4 wants it. */
#include <string.h>

#include "os/memfd.h"
#include "os/tls_cert.h"
#include "role/resolve_internal.h"

#define TTL     300
#define PEM_MAX (1u << 20)

enum { /* RFC 9460 14.3, RFC 9461 */
       KEY_ALPN = 1,
       KEY_PORT = 3,
       KEY_IPV4 = 4,
       KEY_IPV6 = 6,
       KEY_DOHPATH = 7,
};

static void param(struct yg_sb *b, unsigned key, struct yg_sv value)
{
	uint8_t head[4];
	yg_dns_put16(head, key);
	yg_dns_put16(head + 2, (unsigned)value.n);
	yg_sb_put(b, (struct yg_sv){(const char *)head, sizeof head});
	yg_sb_put(b, value);
}

/* The host of door `kind`.`i`; false: its certificate names none. */
static bool host_of(struct resolve *r, const char *kind, size_t i, struct yg_dns_name *out)
{
	char name[48], host[256];
	struct yg_sb n = yg_sb_init(name, sizeof name), h = yg_sb_init(host, sizeof host);
	struct yg_sv pem;
	yg_sb_printf(&n, "%s.%zu.crt", kind, i);
	int fd = yg_role_fd(r->ctx, yg_sb_cstr(&n));
	if (fd < 0 || yg_memfd_map(fd, PEM_MAX, &pem, NULL) != YG_OK)
		return false;
	yg_status st = yg_tls_cert_host(pem, &h);
	yg_memfd_unmap(&pem);
	return st == YG_OK && yg_dns_name_parse(yg_sb_sv(&h), NULL, out, NULL) == YG_OK;
}

static void address(struct resolve *r, const char *kind, size_t i, struct yg_sb *b,
		    struct yg_sv *dohpath)
{
	static const struct yg_ip v4_any = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}};
	char name[48];
	struct yg_sb n = yg_sb_init(name, sizeof name);
	struct yg_addr a;
	uint8_t port[2];
	yg_sb_printf(&n, "%s.%zu.tcp", kind, i);
	if (yg_addr_of(yg_role_fd(r->ctx, yg_sb_cstr(&n)), &a, NULL) != YG_OK)
		return;
	struct yg_ip ip = yg_addr_ip(&a);
	yg_dns_put16(port, yg_addr_port(&a));
	param(b, KEY_PORT, (struct yg_sv){(const char *)port, sizeof port});
	bool any = yg_ip_is_zero(ip) || yg_ip_eq(ip, v4_any);
	if (!any && yg_ip_is_v4(ip))
		param(b, KEY_IPV4, (struct yg_sv){(const char *)ip.b + 12, 4});
	else if (!any)
		param(b, KEY_IPV6, (struct yg_sv){(const char *)ip.b, 16});
	if (dohpath->n > 0)
		param(b, KEY_DOHPATH, *dohpath);
}

/* Also under the host's own name: who knows the resolver by it asks there (RFC 9461 5). */
static yg_status tell(struct yg_dns_zones *zones, const struct yg_dns_name *host,
		      struct yg_sv rdata, struct yg_err *err)
{
	struct yg_dns_name owner, own, dns;
	yg_status st = yg_dns_name_parse(YG_SV("_dns.resolver.arpa"), NULL, &owner, err);
	if (st == YG_OK)
		st = yg_dns_zones_record(zones, 0, &owner, YG_DNS_SVCB, TTL, rdata, err);
	if (st != YG_OK)
		return st;
	if (yg_dns_name_parse(YG_SV("_dns"), NULL, &dns, NULL) != YG_OK ||
	    yg_dns_name_join(&dns, 0, host, &own) != YG_OK)
		return YG_OK; /* too long a name has no such record */
	st = yg_dns_zones_add(zones, 0, &own, YG_DNS_ZONE_OVERLAY, 0, false, NULL);
	if (st != YG_OK && st != YG_CONFLICT)
		return YG_FAIL(err, st, "a zone for the resolver's own name");
	st = yg_dns_zones_record(zones, 0, &own, YG_DNS_SVCB, TTL, rdata, NULL);
	return st == YG_NOMEM ? YG_FAIL(err, st, "a record of the resolver's own name") : YG_OK;
}

static yg_status designate(struct resolve *r, struct yg_dns_zones *zones, const char *kind,
			   size_t i, struct yg_sv alpn, struct yg_sv path, unsigned priority,
			   struct yg_err *err)
{
	char rdata[1024], template[512];
	struct yg_sb b = yg_sb_init(rdata, sizeof rdata), t = yg_sb_init(template, sizeof template);
	struct yg_dns_name host;
	uint8_t first[2];
	if (!host_of(r, kind, i, &host))
		return YG_OK;
	if (path.n > 0) {
		yg_sb_put(&t, path);
		yg_sb_put(&t, YG_SV("{?dns}"));
	}
	struct yg_sv dohpath = yg_sb_sv(&t);
	yg_dns_put16(first, priority);
	yg_sb_put(&b, (struct yg_sv){(const char *)first, sizeof first});
	yg_sb_put(&b, (struct yg_sv){(const char *)host.b, host.n});
	param(&b, KEY_ALPN, alpn);
	address(r, kind, i, &b, &dohpath);
	return b.cut || t.cut ? YG_OK : tell(zones, &host, yg_sb_sv(&b), err);
}

yg_status resolve_ddr_zones(struct resolve *r, struct yg_dns_zones *zones, struct yg_err *err)
{
	const struct yg_conf *c = r->conf;
	struct yg_dns_name zone;
	yg_status st = yg_dns_name_parse(YG_SV("resolver.arpa"), NULL, &zone, err);
	if (st == YG_OK)
		st = yg_dns_zones_add(zones, 0, &zone, YG_DNS_ZONE_LOCAL, 0, false, err);
	for (size_t i = 0; i < c->dns_doh_count && st == YG_OK; i++)
		st = designate(r, zones, "doh", i, YG_SV("\x02h2"), c->dns_dohs[i].path, 1, err);
	for (size_t i = 0; i < c->dns_dot_count && st == YG_OK; i++)
		st = designate(r, zones, "dot", i,
			       YG_SV("\x03"
				     "dot"),
			       (struct yg_sv){"", 0}, 2, err);
	return st;
}
