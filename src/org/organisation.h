/* organisation.h - the organisations that are watched over.  One is known by an
 * immutable slug, which is also the `org` column of events; titles may change.
 */
#pragma once
#include "base/arena.h"
#include "base/limits.h"
#include "org/act.h"

#define YG_TITLE_MAX 200 /* bytes * 4: characters of a title at most; longer: YG_INVAL */

struct yg_org {
	struct yg_sv slug, title_ja, title_en;
	struct yg_sv parent; /* slug of the node above; empty (reserved for the tree) */
	bool demo;           /* made up: goes with `yagura demo remove` */
	yg_wall created, updated;
	int64_t version; /* for ETags */
};

/* [a-z0-9]([a-z0-9-]{0,61}[a-z0-9])? */
bool yg_org_slug_ok(struct yg_sv s);

/* Adds o->slug with its titles (an empty one: the other, or the slug), parent
 * and demo flag.  YG_INVAL a bad slug or title, YG_CONFLICT it exists. */
yg_status yg_org_add(struct yg_act *act, const struct yg_org *o, struct yg_err *err) YG_MUST_USE;
yg_status yg_org_get(struct yg_state *db, struct yg_sv slug, struct yg_arena *arena,
		     struct yg_org *out, struct yg_err *err);
/* YG_OK: it is there; YG_NOTFOUND; or why that could not be found out. */
yg_status yg_org_known(struct yg_state *db, struct yg_sv slug, struct yg_err *err) YG_MUST_USE;
/* By slug, from behind `after` (empty: from the first); limit 1..YG_PAGE_MAX. */
yg_status yg_org_list(struct yg_state *db, struct yg_sv after, uint32_t limit,
		      struct yg_arena *arena, struct yg_org **out, size_t *out_n,
		      struct yg_err *err);
/* Sets the titles that are not NULL; YG_CONFLICT when `version` is no longer it. */
yg_status yg_org_retitle(struct yg_act *act, struct yg_sv slug, int64_t version,
			 const struct yg_sv *title_ja, const struct yg_sv *title_en,
			 struct yg_err *err) YG_MUST_USE;
/* Removes one that owns nothing: YG_CONFLICT (saying what) while it has alerts,
 * lists, allow entries, sources or valid tokens.  org/purge.h removes all of it. */
yg_status yg_org_remove(struct yg_act *act, struct yg_sv slug, struct yg_err *err) YG_MUST_USE;
/* Slugs of the organisations with the demo flag. */
yg_status yg_org_demo(struct yg_state *db, struct yg_arena *arena, struct yg_sv **out,
		      size_t *out_n, struct yg_err *err);
