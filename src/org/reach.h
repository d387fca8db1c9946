/* reach.h - how far somebody's rights go: the set of organisations and systems,
 * and the period, that a query is restricted to.
 *
 * A reach goes into the query itself ("org IN (...)", before anything is counted
 * or grouped), never over its result.  All zero reaches nothing, so a filter that
 * nobody filled in finds nothing.
 */
#pragma once
#include "base/arena.h"
#include "org/grant.h"
#include "org/org_set.h"
#include "org/right.h"

struct yg_reach {
	bool all;                 /* everything, also what belongs to no organisation */
	const struct yg_sv *orgs; /* arena: slugs, ascending; what is below a node is in it too */
	size_t org_count;
	const struct yg_sv
		*systems; /* arena: ids, ascending: those whose organisation is not in orgs */
	size_t system_count;
	/* us == 0: no bound.  from <= row < to; what is outside is not there. */
	yg_wall from, to;
};
/* For work of our own. */
#define YG_REACH_ALL ((struct yg_reach){.all = true})

/* Is a row of `org` (empty: of none) and `system` (empty: of none) within it? */
bool yg_reach_has(const struct yg_reach *r, struct yg_sv org, struct yg_sv system);
/* Is that moment within the period? */
bool yg_reach_at(const struct yg_reach *r, yg_wall t);
/* Nothing at all is within it. */
bool yg_reach_none(const struct yg_reach *r);
/* 1 when orgs do not matter: for "($1 = 1 OR org IN yg_set($2))". */
static inline int64_t yg_reach_all_flag(const struct yg_reach *r)
{
	return r->all ? 1 : 0;
}

/* What a period shows was made before this moment; without an end: INT64_MAX. */
static inline int64_t yg_reach_until(const struct yg_reach *r)
{
	return r->to.us != 0 ? r->to.us : INT64_MAX;
}
/* As of when it is answered: `now`, or the end of a period that has ended. */
static inline yg_wall yg_reach_now(const struct yg_reach *r, yg_wall now)
{
	return (yg_wall){YG_MIN(now.us, yg_reach_until(r))};
}

/* The slugs as org/org_set.h has them. */
static inline struct yg_org_set yg_reach_set(const struct yg_reach *r)
{
	return (struct yg_org_set){.all = r->all, .slugs = r->orgs, .n = r->org_count};
}
/* One organisation alone, `*org` kept by the caller. */
static inline struct yg_reach yg_reach_one(const struct yg_sv *org)
{
	return (struct yg_reach){.orgs = org, .org_count = 1};
}

/* What an active person holds at a moment: grants that have not ended, and the
 * role of who made the set-up (a grant with an empty id). */
struct yg_rights {
	struct yg_grant *grants; /* arena */
	size_t count;
	yg_wall until; /* the first of them ends then; us == 0: none ends */
};
yg_status yg_rights_of(struct yg_state *db, struct yg_sv person, yg_wall now,
		       struct yg_arena *arena, struct yg_rights *out, struct yg_err *err);
/* All scopes that some grant gives somewhere. */
uint64_t yg_rights_scopes(const struct yg_rights *r);
/* The same as words: "alerts:read events:read". */
yg_status yg_rights_words(const struct yg_rights *r, struct yg_arena *arena, struct yg_sv *out,
			  struct yg_err *err);
/* True when one of them is an auditor's. */
bool yg_rights_audits(const struct yg_rights *r);
/* Where the scopes `bits` (all of them by one grant) hold. */
yg_status yg_rights_reach(struct yg_state *db, const struct yg_rights *r, uint64_t bits,
			  struct yg_arena *arena, struct yg_reach *out, struct yg_err *err);
/* The one node that all grants stand on, when it is an organisation's; else empty. */
struct yg_sv yg_rights_root(const struct yg_rights *r);

/* Is something within reach at or below `node`, so that what holds for the node holds there? */
yg_status yg_reach_below(struct yg_state *db, const struct yg_reach *r, struct yg_sv node,
			 bool *out, struct yg_err *err);
/* `node` and everything below it, ascending; YG_NOTFOUND: no such organisation. */
yg_status yg_reach_node(struct yg_state *db, struct yg_sv node, struct yg_arena *arena,
			struct yg_reach *out, struct yg_err *err);
/* r narrowed to `node` and below.  YG_NOTFOUND: it is not there, or nothing of it
 * is within r. */
yg_status yg_reach_narrow(struct yg_state *db, const struct yg_reach *r, struct yg_sv node,
			  struct yg_arena *arena, struct yg_reach *out, struct yg_err *err);
