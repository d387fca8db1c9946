/* grant.h - grants: a person holds a role on a node of the organisation tree, on
 * the whole, or on one information system.  What is granted on a node holds for
 * everything below it.
 *
 * An auditor is apart from what is audited: whoever has an auditor's grant holds
 * no other role, and all of them have the same period
 * (doc/decisions/0090-rights-in-the-query.md).
 */
#pragma once
#include "base/arena.h"
#include "base/limits.h"
#include "org/act.h"
#include "org/right.h"

#define YG_GRANTS_MAX 1000 /* of one person; more: YG_LIMIT */

struct yg_grant {
	struct yg_sv id, person;
	enum yg_role_kind role;
	struct yg_sv node;   /* slug; empty: the whole, or see system */
	struct yg_sv system; /* "y-..." or empty */
	yg_wall from, to;    /* the period an auditor sees; us == 0: no bound */
	yg_wall expires, created;
	struct yg_sv created_by, reason;
};
struct yg_reach;

/* Adds one; id and created are made.  With a system, node becomes the
 * organisation it belongs to.  YG_NOTFOUND: node or system is not there;
 * YG_INVAL: a collector's or auditor's rule is broken; YG_CONFLICT: the person has
 * it already. */
yg_status yg_grant_add(struct yg_act *act, const struct yg_grant *g, struct yg_id *out_id,
		       struct yg_err *err) YG_MUST_USE;
yg_status yg_grant_remove(struct yg_act *act, struct yg_sv id, struct yg_err *err) YG_MUST_USE;
yg_status yg_grant_get(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
		       struct yg_grant *out, struct yg_err *err);

struct yg_grant_reach { /* as much of a yg_reach as grants have */
	bool all;       /* also those on the whole */
	const struct yg_sv *orgs;
	size_t org_count;
	yg_wall to; /* only what was given before; us == 0: all */
};
struct yg_grant_filter {
	struct yg_grant_reach reach; /* grants on these nodes, and on systems of theirs */
	struct yg_sv person;         /* empty: any */
	yg_wall at;                  /* only what has not ended by then; us == 0: all */
	struct yg_sv before;         /* keyset: ids below; empty: from the newest */
	uint32_t limit;              /* 1..YG_GRANTS_MAX */
};
/* Newest first. */
yg_status yg_grant_list(struct yg_state *db, const struct yg_grant_filter *f,
			struct yg_arena *arena, struct yg_grant **out, size_t *out_n,
			struct yg_err *err);
/* Grants that reach `org`: on it, above it, on the whole, and on systems of it. */
yg_status yg_grant_reaching(struct yg_state *db, struct yg_sv org, yg_wall at,
			    struct yg_arena *arena, struct yg_grant **out, size_t *out_n,
			    struct yg_err *err);
