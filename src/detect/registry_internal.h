/* registry_internal.h - shared by the files of the registry; nothing else includes it. */
#pragma once
#include "detect/registry.h"
#include "org/audit_log.h"
#include "org/organisation.h"
#include "store/rows.h"

#define YG_DRULE_COLUMNS                                                                            \
	"r.uid, r.org, r.collection, r.kind, r.sigma_id, r.name, r.title, r.level, r.status,"       \
	" r.category, r.product, r.service, r.tags, r.file, r.stage, r.refused, r.author, r.actor," \
	" r.created, r.updated, r.version, r.text_version"
/* Of row r: its own stage before the moment `until`, and the one in force for the node `org`
 * (empty: its own) at `now`, by what was said before `until`; each a parameter. */
#define YG_DRULE_STAGE(until)                                                                      \
	"CASE WHEN r.updated < " until                                                             \
	" THEN r.stage ELSE coalesce((SELECT h.stage FROM detect_rule_past h WHERE h.rule = r.uid" \
	" AND h.created < " until " ORDER BY h.version DESC LIMIT 1), r.stage) END"
#define YG_DRULE_IN_FORCE(org, now, until)                                                         \
	"coalesce((SELECT o.stage FROM detect_override o JOIN organisation_path p"                 \
	" ON p.ancestor = o.org AND p.slug = " org                                                 \
	" WHERE o.rule = r.uid AND (o.expires = 0 OR o.expires > " now ") AND o.updated < " until  \
	" ORDER BY p.depth LIMIT 1), " YG_DRULE_STAGE(until) ")"
/* Days are those of Japan, which has no summer time. */
#define YG_STAT_ZONE (9 * INT64_C(3600) * YG_US_PER_S)
static inline int64_t yg_stat_day(int64_t us)
{
	return us - (us + YG_STAT_ZONE) % YG_US_PER_DAY;
}
/* Days that end by then are kept as days, or will be (yg_detect_stat_fold()). */
static inline int64_t yg_stat_edge(yg_wall now)
{
	return yg_stat_day(now.us - 7 * YG_US_PER_DAY);
}
#define YG_STAT_MONTH (30 * YG_US_PER_DAY)
/* Hours of detect_stat that lie within the period of `reach`, as far back as `span_us` before
 * `now` or its end: from <= hour < to.  One that ends within an hour has that hour not; of
 * what is kept by day it has whole days. */
struct yg_stat_window {
	int64_t from_us, to_us;
};
struct yg_stat_window yg_stat_window(const struct yg_reach *reach, yg_wall now, int64_t span_us);
/* The row of these columns, from column 0.  YG_OK | YG_NOMEM. */
yg_status yg_drule_take(struct yg_stmt *s, struct yg_arena *arena, void *to, struct yg_err *err);
/* One more change that no snapshot has yet; in the caller's transaction. */
yg_status yg_detect_touch(struct yg_state *db, struct yg_err *err);
/* A new rule; `id` is its uid.  In the caller's transaction, without an audit entry. */
yg_status yg_drule_insert(struct yg_act *act, const struct yg_drule_place *at,
			  const struct yg_detect_document *doc, struct yg_sv uid,
			  struct yg_err *err);
/* What the rule is now, written over `was`; a new version.  As above. */
yg_status yg_drule_update(struct yg_act *act, const struct yg_drule *was,
			  const struct yg_drule_set *set, struct yg_err *err);
/* What makes a document the same one again; in the arena. */
yg_status yg_drule_key(const struct yg_detect_document *doc, struct yg_arena *arena,
		       struct yg_sv *out, struct yg_err *err);
/* Removes what hangs on the rule, and it.  As above. */
yg_status yg_drule_delete(struct yg_act *act, struct yg_sv uid, struct yg_err *err);
/* From now on it may match what it did not before (detect_rule.widened); uid empty: any rule. */
yg_status yg_drule_widen(struct yg_act *act, struct yg_sv uid, struct yg_err *err);
/* Looks at what correlations refer to, and notes which cannot be.  In the caller's
 * transaction. */
yg_status yg_drule_check_references(struct yg_act *act, struct yg_err *err);
/* Runs a statement with texts bound to $1 ... */
yg_status yg_drule_run(struct yg_state *db, const char *sql, const struct yg_sv *texts, size_t n,
		       struct yg_err *err);
/* Exceptions from a correlation name what it groups by alone: do those from the rule fit what it
 * is to be?  YG_CONFLICT: one that has not ended does not. */
yg_status yg_drule_check_exceptions(struct yg_act *act, struct yg_sv uid,
				    const struct yg_detect_document *doc, struct yg_err *err);
yg_status yg_drule_check_reason(struct yg_sv reason, struct yg_err *err);
/* "2026-.." of an end that has not passed, or never.  YG_INVAL. */
yg_status yg_drule_check_end(struct yg_act *act, yg_wall expires, struct yg_err *err);
