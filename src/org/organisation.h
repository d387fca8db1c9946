/* organisation.h - the organisations that are watched over.  One is known by an
 * immutable slug, which is also the `org` column of events; titles may change.
 */
#pragma once
#include "base/arena.h"
#include "base/limits.h"
#include "org/act.h"

struct yg_reach;

/* The kinds of nodes; one stands below a node of its own kind or of one further up. */
/* clang-format off */
#define YG_ORG_KINDS(X)                          \
	X(CENTRE,       1, "centre")             \
	X(SECTOR,       2, "sector")             \
	X(ORGANISATION, 3, "organisation")       \
	X(UNIT,         4, "unit")
/* clang-format on */
enum yg_org_kind {
	YG_ORG_KIND_NONE,
#define X(id, num, name) YG_ORG_##id = num,
	YG_ORG_KINDS(X)
#undef X
};
const char *yg_org_kind_name(enum yg_org_kind k);                   /* static; never NULL */
yg_status yg_org_kind_parse(struct yg_sv s, enum yg_org_kind *out); /* YG_PARSE */

#define YG_ORG_DEPTH_MAX  8  /* nodes above one; deeper: YG_LIMIT */
#define YG_PREFECTURE_MAX 47 /* JIS X 0401: 1 Hokkaido ... 47 Okinawa */

#define YG_TITLE_MAX 200 /* bytes * 4: characters of a title at most; longer: YG_INVAL */

struct yg_org {
	struct yg_sv slug, title_ja, title_en;
	struct yg_sv parent;   /* slug of the node above; empty: none */
	enum yg_org_kind kind; /* NONE when adding: an organisation */
	int prefecture;        /* 0: none */
	bool demo;             /* made up: goes with `yagura demo remove` */
	yg_wall created, updated;
	int64_t version; /* for ETags */
};

/* [a-z0-9]([a-z0-9-]{0,61}[a-z0-9])? */
bool yg_org_slug_ok(struct yg_sv s);

/* Adds o->slug with its titles (an empty one: the other, or the slug), place in
 * the tree and demo flag.  YG_INVAL a bad slug, title, kind or prefecture,
 * YG_CONFLICT it exists, YG_NOTFOUND the parent does not, YG_LIMIT too deep. */
yg_status yg_org_add(struct yg_act *act, const struct yg_org *o, struct yg_err *err) YG_MUST_USE;
yg_status yg_org_get(struct yg_state *db, struct yg_sv slug, struct yg_arena *arena,
		     struct yg_org *out, struct yg_err *err);
/* YG_OK: it is there; YG_NOTFOUND; or why that could not be found out. */
yg_status yg_org_known(struct yg_state *db, struct yg_sv slug, struct yg_err *err) YG_MUST_USE;
/* Those within reach by slug, from behind `after` (empty: from the first); limit 1..YG_PAGE_MAX. */
yg_status yg_org_list(struct yg_state *db, const struct yg_reach *reach, struct yg_sv after,
		      uint32_t limit, struct yg_arena *arena, struct yg_org **out, size_t *out_n,
		      struct yg_err *err);
struct yg_org_edit {                                      /* NULL, NONE, negative: as it is */
	const struct yg_sv *title_ja, *title_en, *parent; /* parent empty: a root */
	enum yg_org_kind kind;
	int prefecture; /* -1: as it is */
};
/* YG_CONFLICT when `version` is no longer it, or when the parent stands below it. */
yg_status yg_org_change(struct yg_act *act, struct yg_sv slug, int64_t version,
			const struct yg_org_edit *set, struct yg_err *err) YG_MUST_USE;
/* Removes one that owns nothing: YG_CONFLICT (saying what) while it has alerts,
 * lists, allow or block entries, sources, systems or valid tokens.  Grants on it and
 * its settings of protective DNS go with it.
 * org/purge.h removes all of it. */
yg_status yg_org_remove(struct yg_act *act, struct yg_sv slug, struct yg_err *err) YG_MUST_USE;
/* Slugs of the organisations with the demo flag, the lowest in the tree first. */
yg_status yg_org_demo(struct yg_state *db, struct yg_arena *arena, struct yg_sv **out,
		      size_t *out_n, struct yg_err *err);
