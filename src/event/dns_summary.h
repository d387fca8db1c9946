/* dns_summary.h - what a protective resolver did, counted out of its events (class 4003
 * with a verdict): by verdict, origin, zone, organisation, network and over time. */
#pragma once
#include "event/search.h"

#define YG_DNS_SUM_ROWS  500 /* of one group; of these the most frequent */
#define YG_DNS_SUM_NAMES 25

enum yg_dns_group {
	YG_DNS_BY_VERDICT = 1, /* a */
	YG_DNS_BY_ORIGIN,      /* a */
	YG_DNS_BY_ZONE,        /* a zone, b layer, c category, d trigger */
	YG_DNS_BY_ORG,         /* a */
	YG_DNS_BY_NETWORK,     /* a organisation, b network */
	YG_DNS_BY_TIME,        /* at: bucket */
	YG_DNS_BY_NAME,        /* a name, b zone, c category, d layer; of what was blocked */
};
struct yg_dns_sum {
	enum yg_dns_group group;
	struct yg_sv a, b, c, d;
	uint32_t at;
	uint64_t n, blocked, noted, failed; /* blocked: dropped ones too; failed: refused too */
	uint64_t clients, orgs;             /* BY_NAME alone: about how many different ones */
	int64_t last_us;
};
struct yg_dns_summary {
	int64_t from_us, width_us;
	size_t buckets;
	struct yg_dns_sum *rows; /* arena; by group, in each the most frequent first */
	size_t n;
};
/* scope->from and ->to must both be there.  YG_LIMIT when the time is over. */
yg_status yg_dns_summary_run(struct yg_ch *ch, const struct yg_search_scope *scope,
			     uint32_t buckets, struct yg_arena *arena, struct yg_dns_summary *out,
			     struct yg_err *err);
/* Names blocked or dropped by organisation: rows of group YG_DNS_BY_ORG whose `blocked` is
 * of from..to and whose `noted` is of the time from `before_us` to from.  Those of the most
 * organisations that YG_DNS_SUM_ROWS allows. */
yg_status yg_dns_blocks_run(struct yg_ch *ch, const struct yg_search_scope *scope,
			    int64_t before_us, struct yg_arena *arena, struct yg_dns_summary *out,
			    struct yg_err *err);
