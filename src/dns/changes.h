/* changes.h - a zone that continues one of the base: which of its keys have changed.
 *
 * Runs in:   role zones.  One thread.
 * The set holds keys only; what is there now is read from the zone's records.  Their owners
 * are looked at once, the records themselves where they may have changed; all of them are
 * only read when a name has changed that has others below it, or may have had.
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
/* May a record with this owner (wire form before the origin) have changed? */
bool yg_dns_changes_may(const struct yg_dns_changes *c, struct yg_sv front);

/* Names of which a change below or above is told anew, at most, for one zone. */
#define YG_DNS_CHANGES_MAX 262144u

/* The zone's records as it is now: two walks over them, each from the first on. */
struct yg_dns_changes_source {
	void *ctx;
	/* The next one; false at the end. */
	bool (*next)(void *ctx, struct yg_dns_name *owner, struct yg_zone_rr *rr);
	/* The same, but those may be left out that yg_dns_changes_may() says no to. */
	bool (*next_changed)(void *ctx, struct yg_dns_name *owner, struct yg_zone_rr *rr);
};
/* Learns once which names of the zone have others below them, from `next`, so that fewer
 * changes have all of it read; 16 to 32 bytes for each of those names.  The zone as it was
 * when the set was new, or later: what has come or gone since is in the set.  YG_OK |
 * YG_NOMEM: not learnt, which costs time only. */
yg_status yg_dns_changes_learn(struct yg_dns_changes *c, const struct yg_dns_name *origin,
			       const struct yg_dns_changes_source *from, struct yg_err *err);
bool yg_dns_changes_learnt(const struct yg_dns_changes *c);
/* What another set of the same base and zone has learnt. */
void yg_dns_changes_take_learnt(struct yg_dns_changes *c, struct yg_dns_changes *from);
/* Adds what has changed to `zone`, of which yg_dns_builder_continue() was said, and which
 * has had its SOA.  YG_OK | YG_LIMIT (more hangs on it than is worth while: compile all) |
 * as yg_dns_builder_rr(). */
yg_status yg_dns_changes_apply(const struct yg_dns_changes *c, struct yg_dns_builder *b,
			       uint32_t zone, const struct yg_dns_name *origin,
			       const struct yg_dns_changes_source *from, struct yg_err *err);
