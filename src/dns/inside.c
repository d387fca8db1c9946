#include "dns/inside.h"

#define KEY_IPV4HINT 4
#define KEY_IPV6HINT 6

static struct yg_ip of_v4(const uint8_t *b, uint8_t mask)
{
	struct yg_ip ip = {.b = {[10] = 0xff, [11] = 0xff}};
	for (unsigned i = 0; i < 4; i++)
		ip.b[12 + i] = b[i] ^ mask;
	return ip;
}

static bool v4_inside(struct yg_ip ip)
{
	const uint8_t *v4 = ip.b + 12;
	return yg_ip_is_private(ip) || v4[0] == 0 || yg_dns_get32(v4) == UINT32_MAX;
}

bool yg_dns_ip_inside(struct yg_ip ip)
{
	static const struct {
		uint8_t bytes[12], n; /* the first n are these: */
		uint8_t at, mask;     /* of the IPv4 address; Teredo has it inverted */
	} within[] = {
		{{0}, 12, 12, 0},                   /* ::a.b.c.d, and with it :: and ::1 */
		{{0, 0x64, 0xff, 0x9b}, 12, 12, 0}, /* 64:ff9b::/96 */
		{{0x20, 0x02}, 2, 2, 0},            /* 2002::/16 */
		{{0x20, 0x01, 0, 0}, 4, 12, 0xff},  /* 2001::/32 */
	};
	static const uint8_t local_nat64[] = {0, 0x64, 0xff, 0x9b, 0, 1}; /* RFC 8215 */
	if (yg_ip_is_v4(ip))
		return v4_inside(ip);
	if (yg_ip_is_private(ip) || (ip.b[0] == 0xfe && (ip.b[1] & 0xc0) == 0xc0) ||
	    memcmp(ip.b, local_nat64, sizeof local_nat64) == 0)
		return true;
	for (size_t i = 0; i < YG_LEN(within); i++)
		if (memcmp(ip.b, within[i].bytes, within[i].n) == 0 &&
		    v4_inside(of_v4(ip.b + within[i].at, within[i].mask)))
			return true;
	/* ISATAP (RFC 5214 6.1): 0[02]00:5efe:a.b.c.d */
	return (ip.b[8] & 0xfd) == 0 && ip.b[9] == 0 && ip.b[10] == 0x5e && ip.b[11] == 0xfe &&
	       v4_inside(of_v4(ip.b + 12, 0));
}

static bool hint_inside(const uint8_t *p, size_t n, bool v6)
{
	size_t each = v6 ? 16 : 4;
	for (size_t i = 0; i + each <= n; i += each) {
		struct yg_ip ip = of_v4(p + i, 0);
		if (v6)
			memcpy(ip.b, p + i, 16);
		if (yg_dns_ip_inside(ip))
			return true;
	}
	return false;
}

/* Priority, target, then parameters: key, length, value. */
static bool svcb_inside(const struct yg_dns_msg *m, const struct yg_dns_rr *rr)
{
	struct yg_dns_name target;
	size_t at = rr->rdata + 2u, end = (size_t)rr->rdata + rr->rdata_n;
	if (rr->rdata_n < 3 || yg_dns_name_read(m->p, m->n, &at, &target) != YG_OK)
		return false;
	while (at + 4 <= end) {
		unsigned key = yg_dns_get16(m->p + at);
		size_t n = yg_dns_get16(m->p + at + 2);
		at += 4;
		if (n > end - at)
			return false;
		if ((key == KEY_IPV4HINT || key == KEY_IPV6HINT) &&
		    hint_inside(m->p + at, n, key == KEY_IPV6HINT))
			return true;
		at += n;
	}
	return false;
}

bool yg_dns_rr_inside(const struct yg_dns_msg *m, const struct yg_dns_rr *rr)
{
	struct yg_ip ip;
	if (yg_dns_rr_ip(m, rr, ip.b))
		return yg_dns_ip_inside(ip);
	return (rr->type == YG_DNS_HTTPS || rr->type == YG_DNS_SVCB) && svcb_inside(m, rr);
}
