/* clean.h - what an upstream said, reduced to the answer to the question asked.
 *
 * Pure.  Only the CNAME chain that begins at the name asked for and the records at
 * its end are taken, within the zone that the upstream answers for; then what a
 * negative answer or a proof needs.  All else is dropped: it is nobody's answer.
 */
#pragma once
#include "dns/cache.h"

#define YG_DNS_CLEAN_CHAIN 16 /* CNAMEs in one answer; more: YG_PARSE */

struct yg_dns_clean {             /* some 80 KiB: keep one */
	struct yg_dns_entry like; /* out: TTLs, flags, rcode, chain, answer_end */
	size_t n;                 /* out */
	size_t ttl_count;         /* out */
	unsigned dropped;         /* out: records that were not taken */
	bool lame;                /* out, with YG_PARSE: a referral, or a rcode that is no answer */
	uint16_t ttl_at[8192];    /* out */
	uint8_t msg[YG_DNS_MSG_MAX]; /* out */
	struct yg_dns_wr w;          /* private, as what follows */
	struct yg_dns_name at, owner, target;
	uint32_t least;
};
/* key: the question; zone_labels: labels of the name, from the right, that the
 * upstream answers for; now: seconds.
 * YG_OK | YG_PARSE (no answer to this question, broken, chain too long) | YG_LIMIT (too large). */
yg_status yg_dns_clean(struct yg_dns_clean *c, const uint8_t *msg, size_t n,
		       const struct yg_dns_key *key, unsigned zone_labels,
		       const struct yg_dns_cache_opts *opts, uint32_t now);
/* An entry for "nobody answered": SERVFAIL with ede, for opts->failure seconds. */
void yg_dns_clean_failure(struct yg_dns_clean *c, const struct yg_dns_key *key, uint16_t ede,
			  const struct yg_dns_cache_opts *opts, uint32_t now);
