/* dns_extra.h - what our resolver says beyond dnstap: field `extra` of its frames.
 *
 * Pure; nothing allocates.  doc/dns-log.md has the layout.  Words are kept as words, so
 * that a reader needs no table of the writer's; what begins otherwise is another's. */
#pragma once
#include "base/codec.h"

#define YG_DNS_EXTRA_HITS 9    /* the record that decided, and eight that noted */
#define YG_DNS_EXTRA_RULE 1100 /* longest text of a record: a name with every octet escaped */
#define YG_DNS_EXTRA_MAX  (20 + YG_DNS_EXTRA_HITS * (1 + 5 * 256 + 2 + YG_DNS_EXTRA_RULE))

/* Where an answer came from; the numbers are those of enum yg_dns_source. */
/* clang-format off */
#define YG_DNS_ORIGINS(X)                                                            \
	X(0, "none") X(1, "cache") X(2, "stale") X(3, "upstream") X(4, "local")      \
	X(5, "policy") X(6, "guard") X(7, "failure")
/* clang-format on */
#define YG_DNS_ORIGIN_COUNT 8
const char *yg_dns_origin_name(unsigned origin); /* static; "none" for unknown ones */

enum {                             /* flags */
       YG_DNS_EXTRA_PSEUDONYM = 1, /* the client's address is a keyed hash of it */
       YG_DNS_EXTRA_NO_ADDRESS = 2,
};

struct yg_dns_extra_hit { /* a record of a policy zone; "" where it is not known */
	bool decided;     /* else it only noted: what would have been done */
	struct yg_sv layer, zone, category, trigger, action;
	struct yg_sv rule; /* owner name without the zone's: "*.example.com" */
};
struct yg_dns_extra {
	uint8_t origin, flags;
	uint16_t rcode; /* with its upper bits */
	uint16_t ede;   /* 0xffff: none */
	uint32_t set;   /* of upstreams; 0: none */
	uint32_t took_us;
	uint8_t hit_count;
	struct yg_dns_extra_hit hits[YG_DNS_EXTRA_HITS];
};

/* Bytes written, at most YG_DNS_EXTRA_MAX; 0: more than cap.  Words are cut to 255
 * octets, the rule to YG_DNS_EXTRA_RULE. */
size_t yg_dns_extra_put(const struct yg_dns_extra *x, uint8_t *out, size_t cap);
/* Views are borrowed from `bytes`.  YG_OK | YG_NOTFOUND (not ours) | YG_PARSE (cut short,
 * or a version that this program does not know). */
yg_status yg_dns_extra_read(struct yg_sv bytes, struct yg_dns_extra *out,
			    struct yg_err *err) YG_MUST_USE;
