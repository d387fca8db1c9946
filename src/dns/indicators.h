/* indicators.h - Yagura's own indicators as the last layer of the policy: names as QNAME
 * triggers, addresses and prefixes as RESPONSE-IP.  Pure. */
#pragma once
#include "dns/compile.h"
#include "intel/each.h"

struct yg_dns_indicators_opts {
	yg_wall now;        /* what is not in force is left out */
	uint8_t confidence; /* what is less sure is left out */
};
struct yg_dns_indicators_stats {
	uint64_t names, addresses;
	uint64_t unsure; /* sources below the confidence */
	yg_wall next;    /* when one begins or ends next; INT64_MAX: none does */
};
/* Zones of the layer `indicators`, by list, category and organisation, those of names
 * before those of addresses. */
yg_status yg_dns_indicators_apply(const struct yg_intel *in, struct yg_dns_builder *b,
				  const struct yg_dns_indicators_opts *opts,
				  struct yg_dns_indicators_stats *out, struct yg_err *err);
/* The zones that the base has of them, unchanged. */
yg_status yg_dns_indicators_continue(const struct yg_dns_policy *base, struct yg_dns_builder *b,
				     struct yg_err *err);
/* The same for two snapshots from which the same policy comes, at any time. */
uint64_t yg_dns_indicators_digest(const struct yg_intel *in);
