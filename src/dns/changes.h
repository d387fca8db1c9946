/* changes.h - a zone that continues one of the base: which of its keys have changed.
 *
 * Runs in:   role zones.  One thread.
 * The set holds keys only; what is there now is read from the zone's records, all of
 * which are walked once: that is what a change costs beside the changed keys themselves.
 * RFC 4592: a wildcard stops at names that exist because there is something below them.
 * Which those are is told anew for every name that a change could have touched. */
#pragma once
#include "dns/compile.h"

struct yg_dns_changes; /* owned: yg_dns_changes_free() */
yg_status yg_dns_changes_new(const struct yg_dns_policy *base, struct yg_dns_changes **out,
			     struct yg_err *err);
void yg_dns_changes_free(struct yg_dns_changes *c); /* NULL is fine */
/* A record of this owner was added or taken away; what is no trigger is passed over. */
yg_status yg_dns_changes_add(struct yg_dns_changes *c, const struct yg_dns_name *owner,
			     const struct yg_dns_name *origin, struct yg_err *err);
size_t yg_dns_changes_count(const struct yg_dns_changes *c);

/* Names of which a change below or above is told anew, at most, for one zone. */
#define YG_DNS_CHANGES_MAX 262144u

/* The next record of the zone as it is now; false at the end. */
typedef bool yg_dns_changes_next(void *ctx, struct yg_dns_name *owner, struct yg_zone_rr *rr);
/* Adds what has changed to `zone`, of which yg_dns_builder_continue() was said, and which
 * has had its SOA.  YG_OK | YG_LIMIT (more hangs on it than is worth while: compile all) |
 * as yg_dns_builder_rr(). */
yg_status yg_dns_changes_apply(const struct yg_dns_changes *c, struct yg_dns_builder *b,
			       uint32_t zone, const struct yg_dns_name *origin,
			       yg_dns_changes_next *next, void *ctx, struct yg_err *err);
