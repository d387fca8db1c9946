#include "dns/ask.h"

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void yg_dns_ask_build(struct yg_dns_ask *a, const struct yg_dns_name *name, uint16_t type,
		      const struct yg_dns_ask_opts *o, uint64_t random)
{
	uint8_t *p = a->msg;
	a->id = (uint16_t)random;
	a->same_case = o->same_case;
	a->authoritative = o->authoritative;
	memset(p, 0, YG_DNS_HEADER);
	yg_dns_put16(p, a->id);
	/* AD asks for the AD bit without the signatures (RFC 6840 5.7) */
	yg_dns_put16(p + 2, (o->authoritative ? 0u : YG_DNS_RD) | YG_DNS_AD |
				    (o->checking_disabled ? YG_DNS_CD : 0u));
	p[5] = 1;
	p[11] = o->no_edns ? 0 : 1;
	p += YG_DNS_HEADER;
	memcpy(p, name->b, name->n);
	uint64_t bits = random >> 16 ^ random << 29;
	for (size_t i = 0; o->same_case && i < name->n; i++)
		if (is_letter(p[i])) {
			p[i] ^= (uint8_t)((bits & 1) << 5);
			bits = bits >> 1 | bits << 63;
		}
	p += name->n;
	yg_dns_put16(p, type);
	yg_dns_put16(p + 2, YG_DNS_IN);
	a->question_n = (uint16_t)(name->n + 4);
	p += 4;
	a->n = (uint16_t)(p - a->msg);
	if (o->no_edns)
		return;
	memset(p, 0, 11);
	yg_dns_put16(p + 1, YG_DNS_OPT);
	yg_dns_put16(p + 3, YG_DNS_UDP_BEST);
	p[7] = o->dnssec_ok ? 0x80 : 0;
	a->n = (uint16_t)(p + 11 - a->msg);
}
static_assert(YG_DNS_HEADER + YG_DNS_NAME_MAX + 4 + 11 <= YG_DNS_ASK_MAX, "the longest name fits");

static enum yg_dns_match judge(const struct yg_dns_ask *a, const uint8_t *msg, size_t n,
			       unsigned flags)
{
	struct yg_dns_msg m;
	struct yg_dns_rr rr;
	bool soa = false, ns = false;
	switch (flags & YG_DNS_RCODE) {
	case YG_DNS_RCODE_NOERROR:
	case YG_DNS_RCODE_NXDOMAIN: break;
	case YG_DNS_RCODE_FORMERR:
	case YG_DNS_RCODE_NOTIMP: return YG_DNS_NO_EDNS;
	default: return YG_DNS_LAME;
	}
	if (a->authoritative && (flags & YG_DNS_AA) == 0)
		return YG_DNS_LAME;
	if (yg_dns_msg_read(msg, n, &m) != YG_OK || yg_dns_msg_check(&m) != YG_OK)
		return YG_DNS_BROKEN;
	struct yg_dns_iter it = yg_dns_records(&m);
	while (yg_dns_rr_next(&it, &rr)) {
		soa |= rr.section == YG_DNS_AUTHORITY && rr.type == YG_DNS_SOA;
		ns |= rr.section == YG_DNS_AUTHORITY && rr.type == YG_DNS_NS;
	}
	/* a referral: NOERROR, nothing in the answer, servers to go on with */
	if ((flags & YG_DNS_RCODE) == 0 && m.count[0] == 0 && ns && !soa)
		return YG_DNS_LAME;
	return YG_DNS_MATCH;
}

enum yg_dns_match yg_dns_ask_match(const struct yg_dns_ask *a, const uint8_t *msg, size_t n)
{
	uint8_t lower[2][YG_DNS_NAME_MAX + 4];
	if (n < YG_DNS_HEADER || yg_dns_get16(msg) != a->id)
		return YG_DNS_MISMATCH;
	unsigned flags = yg_dns_get16(msg + 2);
	if ((flags & YG_DNS_QR) == 0 || (flags & YG_DNS_OPCODE) != 0)
		return YG_DNS_MISMATCH;
	/* servers that did not understand may leave the question out */
	if (yg_dns_get16(msg + 4) == 0 && n == YG_DNS_HEADER && (flags & YG_DNS_RCODE) != 0)
		return (flags & YG_DNS_RCODE) == YG_DNS_RCODE_FORMERR ||
				       (flags & YG_DNS_RCODE) == YG_DNS_RCODE_NOTIMP
			       ? YG_DNS_NO_EDNS
			       : YG_DNS_LAME;
	size_t q = a->question_n;
	if (yg_dns_get16(msg + 4) != 1 || n < YG_DNS_HEADER + q)
		return YG_DNS_MISMATCH;
	const uint8_t *ours = a->msg + YG_DNS_HEADER, *theirs = msg + YG_DNS_HEADER;
	/* type and class are compared as they are: 'A' to 'Z' are types too */
	yg_dns_lower(lower[0], ours, q - 4);
	yg_dns_lower(lower[1], theirs, q - 4);
	if (memcmp(lower[0], lower[1], q - 4) != 0 || memcmp(ours + q - 4, theirs + q - 4, 4) != 0)
		return YG_DNS_MISMATCH;
	if (a->same_case && memcmp(ours, theirs, q) != 0)
		return YG_DNS_MATCH_CASE;
	return (flags & YG_DNS_TC) != 0 ? YG_DNS_TRUNCATED : judge(a, msg, n, flags);
}

bool yg_dns_ask_has_edns(const uint8_t *msg, size_t n)
{
	struct yg_dns_msg m;
	struct yg_dns_rr rr;
	if (yg_dns_msg_read(msg, n, &m) != YG_OK)
		return false;
	struct yg_dns_iter it = yg_dns_records(&m);
	while (yg_dns_rr_next(&it, &rr))
		if (rr.section == YG_DNS_ADDITIONAL && rr.type == YG_DNS_OPT)
			return true;
	return false;
}
