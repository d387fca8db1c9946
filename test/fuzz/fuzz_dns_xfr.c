/* The answer to a zone transfer: messages with their lengths in front, as TCP brings
 * them.  The first octet: 1 ask by difference, 2 verify signatures, 4 read the rest as a
 * zone that was kept.  A zone whose transfer fails is what it was. */
#include <stdio.h>

#include "dns/tsig.h"
#include "dns/xfr.h"
#include "fuzz/replay.h"

static struct yg_dns_name zone, other;

static struct yg_dns_records *small_zone(void)
{
	static const uint8_t soa[27] = {2, 'n', 's', 0, 1, 'r', 0, 0, 0, 0, 1};
	struct yg_dns_records *r = NULL;
	const struct yg_dns_records_opts o = {.origin = &zone};
	const struct yg_zone_rr top = {.owner = &zone,
				       .type = YG_DNS_SOA,
				       .cls = YG_DNS_IN,
				       .rdata = {(const char *)soa, sizeof soa}};
	const struct yg_zone_rr one = {
		.owner = &other, .type = YG_DNS_A, .cls = YG_DNS_IN, .rdata = {"\1\2\3\4", 4}};
	if (yg_dns_records_new(&o, &r, NULL) != YG_OK ||
	    yg_dns_records_add(r, &top, NULL) != YG_OK ||
	    yg_dns_records_add(r, &one, NULL) != YG_OK)
		abort();
	return r;
}

static uint64_t sum_of(const struct yg_dns_records *r)
{
	struct yg_dns_name owner;
	struct yg_zone_rr rr;
	size_t at = 0;
	uint64_t sum = 0, count = 0;
	while (yg_dns_records_next(r, &at, &owner, &rr)) {
		uint64_t one = rr.type + rr.rdata.n;
		for (size_t i = 0; i < owner.n; i++)
			one = one * 31 + owner.b[i];
		sum += one;
		count++;
	}
	if (count != yg_dns_records_count(r))
		abort();
	return sum;
}

static void transfer(struct yg_dns_xfr *x, const struct yg_tsig_key *key, const uint8_t *p,
		     size_t n, struct yg_dns_records **r)
{
	enum yg_dns_xfr_result result = YG_DNS_XFR_NONE;
	struct yg_tsig t;
	yg_status st = YG_OK;
	bool is_signed;
	uint8_t ask[2048];
	size_t ask_n = yg_dns_xfr_ask(&zone, NULL, 0x1234, ask, sizeof ask);
	yg_tsig_begin(&t, key);
	if (key != NULL)
		st = yg_tsig_sign(&t, ask, &ask_n, sizeof ask, 1000, NULL);
	while (st == YG_OK && result == YG_DNS_XFR_NONE && n >= 2) {
		size_t len = YG_MIN((size_t)p[0] << 8 | p[1], n - 2), left = len;
		uint8_t *exact = fuzz_exact(p + 2, len);
		if (key != NULL &&
		    yg_tsig_verify(&t, exact, &left, 1000, &is_signed, NULL) == YG_OK && left > len)
			abort();
		st = yg_dns_xfr_feed(x, 0x1234, exact, left, &result, NULL);
		free(exact);
		p += 2 + len;
		n -= 2 + len;
	}
	yg_tsig_end(&t);
	uint64_t before = sum_of(*r);
	if (st == YG_OK)
		st = yg_dns_xfr_take(x, r, NULL);
	uint64_t after = sum_of(*r);
	if ((st != YG_OK || result == YG_DNS_XFR_SAME) && before != after)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct yg_tsig_key key;
	uint8_t how = size > 0 ? data[0] : 0;
	struct yg_dns_xfr_opts o = {.zone = &zone, .has_serial = (how & 1) != 0, .serial = 1};
	struct yg_dns_xfr *x = NULL;
	(void)yg_dns_name_parse(YG_SV("z.example"), NULL, &zone, NULL);
	(void)yg_dns_name_parse(YG_SV("a.z.example"), NULL, &other, NULL);
	(void)yg_tsig_key_init(&key, YG_SV("key1"), YG_SV("hmac-sha256"), YG_SV("YWJj"), NULL);
	struct yg_dns_records *r = small_zone();
	if (size > 0 && (how & 4) != 0) {
		uint8_t *exact = fuzz_exact(data + 1, size - 1);
		(void)yg_dns_records_load(r, (struct yg_sv){(const char *)exact, size - 1}, NULL);
		(void)sum_of(r);
		free(exact);
	} else if (yg_dns_xfr_new(&o, &x, NULL) == YG_OK && size > 0) {
		transfer(x, (how & 2) != 0 ? &key : NULL, data + 1, size - 1, &r);
	}
	yg_dns_xfr_free(x);
	yg_dns_records_free(r);
	return 0;
}
