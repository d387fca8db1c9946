/* saved_search.h - what somebody looks for again and again: a page of the console
 * and its filter.  Shared, it is read by everybody whose rights reach its
 * organisation; it is changed by its owner alone.
 */
#pragma once
#include "base/arena.h"
#include "base/limits.h"
#include "org/act.h"
#include "org/org_set.h"

struct yg_saved_search {
	struct yg_sv id;    /* "q-..." */
	struct yg_sv owner; /* the person, or who asked as the audit log has it */
	struct yg_sv org;   /* whose readers see it when shared; empty: all */
	struct yg_sv name, page, query;
	bool shared;
	yg_wall created, updated;
	int64_t version;
};
#define YG_SAVED_MAX 500 /* of one owner; more: YG_LIMIT */

/* id, owner, times and version of `s` do not count; the owner is `owner`. */
yg_status yg_saved_add(struct yg_act *act, struct yg_sv owner, const struct yg_saved_search *s,
		       struct yg_id *out_id, struct yg_err *err) YG_MUST_USE;
/* One that `owner` may see; YG_NOTFOUND. */
yg_status yg_saved_get(struct yg_state *db, struct yg_sv id, struct yg_sv owner,
		       const struct yg_org_set *set, struct yg_arena *arena,
		       struct yg_saved_search *out, struct yg_err *err);
struct yg_saved_filter {
	struct yg_sv owner, page; /* page empty: any */
	const struct yg_org_set *set;
	struct yg_sv before; /* keyset; empty: from the newest */
	uint32_t limit;
};
/* One's own and the shared ones, newest first. */
yg_status yg_saved_list(struct yg_state *db, const struct yg_saved_filter *f,
			struct yg_arena *arena, struct yg_saved_search **out, size_t *out_n,
			struct yg_err *err);
/* name, page, query, shared and org of `s` are put in its place. */
yg_status yg_saved_change(struct yg_act *act, const struct yg_saved_search *s, int64_t version,
			  struct yg_err *err) YG_MUST_USE;
yg_status yg_saved_remove(struct yg_act *act, const struct yg_saved_search *s,
			  struct yg_err *err) YG_MUST_USE;
