/* ip.h - one 16-byte form for IPv4 and IPv6.  IPv4 is kept as IPv4-mapped
 * (::ffff:a.b.c.d), so that one column, one table and one comparison serve both. */
#pragma once
#include "base/sb.h"

struct yg_ip {
	uint8_t b[16]; /* network order; all zero means "none" where a field is optional */
};
#define YG_IP_TEXT_MAX 46

yg_status yg_ip_parse(
	struct yg_sv s,
	struct yg_ip *out); /* YG_OK | YG_PARSE; no zone ids, no error text: hot path */
/* "192.0.2.0/24", "2001:db8::/32", or an address (full length).  `out_bits` is
 * counted in the 16-byte form: 96 more for IPv4.  Host bits set is YG_PARSE. */
yg_status yg_ip_prefix_parse(struct yg_sv s, struct yg_ip *out, unsigned *out_bits,
			     struct yg_err *err);
void yg_ip_format(struct yg_sb *b, struct yg_ip ip); /* RFC 5952; IPv4-mapped as dotted quad */
bool yg_ip_is_v4(struct yg_ip ip);
bool yg_ip_is_zero(struct yg_ip ip);
/* RFC 1918, 6598, 4193, loopback, link-local: an address of one's own network. */
bool yg_ip_is_private(struct yg_ip ip);
static inline bool yg_ip_eq(struct yg_ip a, struct yg_ip b)
{
	return memcmp(a.b, b.b, 16) == 0;
}
