/* dns.h - DNS messages: types, reading, building.
 *
 * Pure; nothing allocates.  A reader borrows the message's bytes and copies
 * nothing but the names that are asked for; every step is bounded.  A builder
 * fills a buffer of the caller's, compresses names (RFC 1035 4.1.4, and in
 * rdata only where RFC 3597 4 allows it) and cannot overflow.
 */
#pragma once
#include "format/dns_name.h"

/* Name, number, layout of its rdata.  Layout, one character a field:
 *   1 2 4   an integer of so many octets     a A  an IPv4, IPv6 address
 *   c       a name that may be compressed    n    a name that is never written compressed
 *   s       a string with a length octet     S    one string or more
 *   x       what is left, any bytes          t    a time of a signature, 4 octets
 *   y       a type number                    empty: no rdata of its own (meta)
 */
/* clang-format off */
#define YG_DNS_TYPE_MAP(X)                                                       \
	X(A, 1, "a") X(NS, 2, "c") X(MD, 3, "c") X(MF, 4, "c") X(CNAME, 5, "c")    \
	X(SOA, 6, "cc44444") X(MB, 7, "c") X(MG, 8, "c") X(MR, 9, "c")             \
	X(NULL, 10, "x") X(WKS, 11, "a1x") X(PTR, 12, "c") X(HINFO, 13, "ss")      \
	X(MINFO, 14, "cc") X(MX, 15, "2c") X(TXT, 16, "S") X(RP, 17, "nn")         \
	X(AFSDB, 18, "2n") X(X25, 19, "s") X(ISDN, 20, "S") X(RT, 21, "2n")        \
	X(SIG, 24, "y114tt2nx") X(KEY, 25, "211x") X(PX, 26, "2nn")                \
	X(AAAA, 28, "A") X(LOC, 29, "x") X(NXT, 30, "nx") X(SRV, 33, "222n")       \
	X(NAPTR, 35, "22sssn") X(KX, 36, "2n") X(CERT, 37, "221x") X(DNAME, 39, "n") \
	X(OPT, 41, "x") X(APL, 42, "x") X(DS, 43, "211x") X(SSHFP, 44, "11x")      \
	X(IPSECKEY, 45, "x") X(RRSIG, 46, "y114tt2nx") X(NSEC, 47, "nx")           \
	X(DNSKEY, 48, "211x") X(DHCID, 49, "x") X(NSEC3, 50, "x")                  \
	X(NSEC3PARAM, 51, "x") X(TLSA, 52, "111x") X(SMIMEA, 53, "111x")           \
	X(HIP, 55, "x") X(CDS, 59, "211x") X(CDNSKEY, 60, "211x")                  \
	X(OPENPGPKEY, 61, "x") X(CSYNC, 62, "x") X(ZONEMD, 63, "411x")             \
	X(SVCB, 64, "2nx") X(HTTPS, 65, "2nx") X(SPF, 99, "S") X(EUI48, 108, "x")  \
	X(EUI64, 109, "x") X(NXNAME, 128, "") X(TKEY, 249, "") X(TSIG, 250, "")    \
	X(IXFR, 251, "") X(AXFR, 252, "") X(MAILB, 253, "") X(MAILA, 254, "")      \
	X(ANY, 255, "") X(URI, 256, "22x") X(CAA, 257, "1sx")
#define YG_DNS_RCODE_MAP(X)                                                      \
	X(NOERROR, 0) X(FORMERR, 1) X(SERVFAIL, 2) X(NXDOMAIN, 3) X(NOTIMP, 4)     \
	X(REFUSED, 5) X(YXDOMAIN, 6) X(YXRRSET, 7) X(NXRRSET, 8) X(NOTAUTH, 9)     \
	X(NOTZONE, 10) X(BADVERS, 16) X(BADCOOKIE, 23)
/* RFC 8914 and the IANA registry behind it. */
#define YG_DNS_EDE_MAP(X)                                                        \
	X(OTHER, 0, "other") X(DNSKEY_ALGORITHM, 1, "unsupported DNSKEY algorithm") \
	X(DS_DIGEST, 2, "unsupported DS digest type") X(STALE, 3, "stale answer")  \
	X(FORGED, 4, "forged answer") X(INDETERMINATE, 5, "DNSSEC indeterminate")  \
	X(BOGUS, 6, "DNSSEC bogus") X(SIG_EXPIRED, 7, "signature expired")         \
	X(SIG_FUTURE, 8, "signature not yet valid") X(NO_DNSKEY, 9, "DNSKEY missing") \
	X(NO_RRSIG, 10, "RRSIGs missing") X(NO_ZONE_KEY, 11, "no zone key bit set") \
	X(NO_NSEC, 12, "NSEC missing") X(CACHED_ERROR, 13, "cached error")         \
	X(NOT_READY, 14, "not ready") X(BLOCKED, 15, "blocked")                    \
	X(CENSORED, 16, "censored") X(FILTERED, 17, "filtered")                    \
	X(PROHIBITED, 18, "prohibited") X(STALE_NXDOMAIN, 19, "stale NXDOMAIN answer") \
	X(NOT_AUTH, 20, "not authoritative") X(NOT_SUPPORTED, 21, "not supported") \
	X(NO_AUTHORITY, 22, "no reachable authority") X(NETWORK, 23, "network error") \
	X(INVALID_DATA, 24, "invalid data") X(SIG_SOON, 25, "signature expired before valid") \
	X(TOO_EARLY, 26, "too early") X(NSEC3_ITERATIONS, 27, "unsupported NSEC3 iterations") \
	X(TRANSPORT, 28, "transport policy") X(SYNTHESIZED, 29, "synthesized")
/* clang-format on */

enum yg_dns_type {
#define X(name, num, layout) YG_DNS_##name = num,
	YG_DNS_TYPE_MAP(X)
#undef X
};
enum yg_dns_rcode {
#define X(name, num) YG_DNS_RCODE_##name = num,
	YG_DNS_RCODE_MAP(X)
#undef X
};
enum yg_dns_ede {
#define X(name, num, text) YG_DNS_EDE_##name = num,
	YG_DNS_EDE_MAP(X)
#undef X
		YG_DNS_EDE_NONE = 0xffff
};
enum {
	YG_DNS_IN = 1,
	YG_DNS_CH = 3,
	YG_DNS_HS = 4,
	YG_DNS_CLASS_NONE = 254,
	YG_DNS_CLASS_ANY = 255
};
enum { /* the second 16 bits of a header */
       YG_DNS_QR = 0x8000,
       YG_DNS_OPCODE = 0x7800,
       YG_DNS_AA = 0x0400,
       YG_DNS_TC = 0x0200,
       YG_DNS_RD = 0x0100,
       YG_DNS_RA = 0x0080,
       YG_DNS_AD = 0x0020,
       YG_DNS_CD = 0x0010,
       YG_DNS_RCODE = 0x000f,
};
enum {
	YG_DNS_OPT_NSID = 3,
	YG_DNS_OPT_ECS = 8,
	YG_DNS_OPT_COOKIE = 10,
	YG_DNS_OPT_KEEPALIVE = 11,
	YG_DNS_OPT_PADDING = 12,
	YG_DNS_OPT_EDE = 15
};

#define YG_DNS_HEADER     12
#define YG_DNS_MSG_MAX    65535
#define YG_DNS_UDP_PLAIN  512  /* without EDNS (RFC 1035 4.2.1) */
#define YG_DNS_UDP_BEST   1232 /* fits IPv6's least MTU: DNS flag day 2020, RFC 9715 */
#define YG_DNS_COOKIE_MAX 40   /* 8 of the client, 8 to 32 of the server (RFC 7873 4) */

/* "A", "TYPE65280" (RFC 3597 5) into b. */
void yg_dns_type_format(struct yg_sb *b, uint16_t type);
/* Any case, "TYPE1234" too: YG_OK | YG_PARSE. */
yg_status yg_dns_type_parse(struct yg_sv s, uint16_t *out);
/* "IN", "CH", "CLASS32"; parsed likewise. */
void yg_dns_class_format(struct yg_sb *b, uint16_t cls);
yg_status yg_dns_class_parse(struct yg_sv s, uint16_t *out);
void yg_dns_rcode_format(struct yg_sb *b, unsigned rcode); /* "NXDOMAIN", "RCODE14" */
yg_status yg_dns_rcode_parse(struct yg_sv s, unsigned *out);
const char *yg_dns_ede_text(unsigned code); /* static; "" for unknown ones */
/* The layout above; "x" for types without one of their own. */
const char *yg_dns_type_layout(uint16_t type);
/* Types that are questions or of one message, never stored data: OPT, TSIG, ANY ... */
bool yg_dns_type_is_meta(uint16_t type);

static inline uint16_t yg_dns_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}
static inline uint32_t yg_dns_get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static inline void yg_dns_put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}
static inline void yg_dns_put32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
}

/* ---- reading a query: the hot path ---- */

struct yg_dns_query {
	uint16_t id, flags, type, cls;
	uint16_t question_n; /* octets of the question: name, type, class; it begins at 12 */
	uint16_t udp;        /* what the client can take; YG_DNS_UDP_PLAIN without EDNS */
	bool edns, dnssec_ok, wants_padding;
	uint8_t version;     /* of EDNS */
	uint8_t rcode;       /* not 0: answer with this at once (FORMERR, NOTIMP, BADVERS) */
	bool has_question;   /* the fields of the question hold */
	struct yg_sv cookie; /* borrowed; empty when there is none */
	struct yg_dns_name name;
};
/* Reads a query as a server gets it.  YG_OK: answer it, with q->rcode at once
 * when that is not 0.  YG_PARSE: not even to be answered (shorter than a
 * header, or itself an answer). */
yg_status yg_dns_query_read(const uint8_t *p, size_t n, struct yg_dns_query *q);

/* ---- reading any message ---- */

enum yg_dns_section { YG_DNS_ANSWER, YG_DNS_AUTHORITY, YG_DNS_ADDITIONAL };
struct yg_dns_msg {
	const uint8_t *p; /* borrowed */
	size_t n;
	uint16_t id, flags;
	uint16_t count[3];  /* records per section, as the header says */
	uint16_t questions; /* 0 or 1: others are refused */
	uint16_t type, cls; /* of the question */
	size_t body;        /* where the answer section begins */
	struct yg_dns_name name;
};
struct yg_dns_rr {
	size_t owner; /* offset of its name in the message */
	uint16_t type, cls;
	uint32_t ttl; /* above 2^31 - 1 is 0 (RFC 2181 8) */
	size_t rdata; /* offset */
	uint16_t rdata_n;
	uint8_t section; /* enum yg_dns_section */
};
struct yg_dns_iter {
	const struct yg_dns_msg *m;
	size_t at;
	unsigned section, left;
	bool bad; /* the message ended early or a record lies about its length */
};
/* Header and question; records are read by iterating.
 * YG_OK | YG_PARSE (short, more than one question, bad name). */
yg_status yg_dns_msg_read(const uint8_t *p, size_t n, struct yg_dns_msg *m);
struct yg_dns_iter yg_dns_records(const struct yg_dns_msg *m);
/* The next record of all sections; false at the end and, with it->bad, where
 * the message is broken. */
bool yg_dns_rr_next(struct yg_dns_iter *it, struct yg_dns_rr *rr);
/* Goes over all records: YG_OK | YG_PARSE; also when an owner cannot be read (pointers
 * that loop, go forward or lead out), or bytes are left behind them. */
yg_status yg_dns_msg_check(const struct yg_dns_msg *m);
static inline yg_status yg_dns_rr_owner(const struct yg_dns_msg *m, const struct yg_dns_rr *rr,
					struct yg_dns_name *out)
{
	size_t at = rr->owner;
	return yg_dns_name_read(m->p, m->n, &at, out);
}
/* Name number `which` (0 is the first) of the rdata: YG_OK | YG_NOTFOUND (the
 * type has no such name) | YG_PARSE. */
yg_status yg_dns_rr_name(const struct yg_dns_msg *m, const struct yg_dns_rr *rr, unsigned which,
			 struct yg_dns_name *out);
/* The address of an A or AAAA record: false for others. */
static inline bool yg_dns_rr_ip(const struct yg_dns_msg *m, const struct yg_dns_rr *rr,
				uint8_t out[static 16])
{
	if (rr->cls != YG_DNS_IN)
		return false;
	if (rr->type == YG_DNS_A && rr->rdata_n == 4) {
		memset(out, 0, 10);
		out[10] = out[11] = 0xff;
		memcpy(out + 12, m->p + rr->rdata, 4);
		return true;
	}
	if (rr->type != YG_DNS_AAAA || rr->rdata_n != 16)
		return false;
	memcpy(out, m->p + rr->rdata, 16);
	return true;
}
/* Rdata as in a zone file (names with a final dot); RFC 3597 for unknown types
 * and for what does not fit its type's layout. */
void yg_dns_rdata_format(struct yg_sb *b, const struct yg_dns_msg *m, const struct yg_dns_rr *rr);

struct yg_dns_edns {
	bool found, bad; /* bad: not exactly one OPT at the root, or options that lie */
	uint16_t udp, flags;
	uint8_t rcode_high, version;
	struct yg_sv options; /* borrowed, for yg_dns_option_next() */
};
void yg_dns_edns_read(const struct yg_dns_msg *m, struct yg_dns_edns *out);
/* Takes an option off *rest; false at the end and at an option that is cut. */
bool yg_dns_option_next(struct yg_sv *rest, uint16_t *code, struct yg_sv *value);

/* ---- building ---- */

#define YG_DNS_WR_NAMES 256 /* suffixes remembered for compression; behind that less is saved */
struct yg_dns_wr {
	uint8_t *p; /* borrowed */
	size_t n, cap;
	bool full;       /* something did not fit: it was left out whole */
	uint8_t section; /* records go here; only forwards */
	size_t opt_at;   /* where an open OPT's rdata length is; 0: none open */
	uint16_t seen_count;
	uint16_t seen[YG_DNS_WR_NAMES * 2]; /* offsets of names, hashed; 0 is empty */
};
/* Begins a message: header and question (type 0: none).  cap at most 65535;
 * below what header and question need sets full. */
void yg_dns_wr_begin(struct yg_dns_wr *w, uint8_t *p, size_t cap, uint16_t id, uint16_t flags);
void yg_dns_wr_question(struct yg_dns_wr *w, const struct yg_dns_name *name, uint16_t type,
			uint16_t cls);
/* A record with rdata in plain wire form (names in it uncompressed).  False:
 * it did not fit or its rdata does not fit its type's layout; nothing was written.
 * section: not before that of the record before. */
bool yg_dns_wr_rr(struct yg_dns_wr *w, unsigned section, const struct yg_dns_name *owner,
		  uint16_t type, uint16_t cls, uint32_t ttl, struct yg_sv rdata);
/* A record out of another message, its names expanded and compressed anew. */
bool yg_dns_wr_copy(struct yg_dns_wr *w, unsigned section, const struct yg_dns_name *owner,
		    const struct yg_dns_msg *from, const struct yg_dns_rr *rr, uint32_t ttl);
/* The OPT record (RFC 6891): begin, options, end.  Behind it no more records. */
bool yg_dns_wr_opt_begin(struct yg_dns_wr *w, uint16_t udp, unsigned rcode, bool dnssec_ok);
bool yg_dns_wr_option(struct yg_dns_wr *w, uint16_t code, struct yg_sv value);
/* RFC 8914: the text is cut (at a whole UTF-8 character) to what fits. */
bool yg_dns_wr_ede(struct yg_dns_wr *w, uint16_t code, struct yg_sv text);
/* RFC 8467: fills the message up to a multiple of `block`, at most to cap. */
void yg_dns_wr_padding(struct yg_dns_wr *w, size_t block);
void yg_dns_wr_opt_end(struct yg_dns_wr *w);
static inline void yg_dns_wr_flags(struct yg_dns_wr *w, uint16_t flags)
{
	yg_dns_put16(w->p + 2, flags);
}
