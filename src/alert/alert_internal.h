/* alert_internal.h - shared by the files of this room. */
#pragma once
#include "alert/alert.h"

/* The change of one alert inside the caller's transaction.  YG_INVAL, YG_CONFLICT
 * and YG_NOTFOUND come before anything is written, so the caller can go on. */
yg_status yg_alert_change_one(struct yg_act *act, struct yg_sv id, int64_t version,
			      const struct yg_alert_set *set, int64_t *out_version,
			      struct yg_err *err);
/* "SELECT columns FROM alert a", and one row of it. */
extern const char yg_alert_select[];
yg_status yg_alert_take(struct yg_stmt *s, struct yg_arena *arena, struct yg_alert *a,
			struct yg_err *err);
/* What to read in the place of "alert", as `a`: alerts as they stood just before
 * the moment `t` (a parameter).  Those that were made later are in it as they were made. */
#define YG_ALERT_AS_OF(t)                                                                           \
	"(SELECT n.seq, n.id, n.org, coalesce(p.title, n.title) AS title,"                          \
	" coalesce(p.state, n.state) AS state, coalesce(p.verdict, n.verdict) AS verdict,"          \
	" coalesce(p.reason, n.reason) AS reason, coalesce(p.assignee, n.assignee) AS assignee,"    \
	" coalesce(p.severity_id, n.severity_id) AS severity_id,"                                   \
	" coalesce(c.confidence, n.confidence) AS confidence, coalesce(p.tlp, n.tlp) AS tlp,"       \
	" coalesce(p.indicator, n.indicator) AS indicator,"                                         \
	" coalesce(p.indicator_type, n.indicator_type) AS indicator_type,"                          \
	" coalesce(p.asset, n.asset) AS asset, coalesce(p.list, n.list) AS list,"                   \
	" coalesce(p.category, n.category) AS category, coalesce(p.family, n.family) AS family,"    \
	" coalesce(c.count, n.count) AS count, coalesce(c.first_seen, n.first_seen) AS first_seen," \
	" coalesce(c.last_seen, n.last_seen) AS last_seen, n.created,"                              \
	" coalesce(c.updated, n.updated) AS updated, coalesce(p.closed, n.closed) AS closed,"       \
	" n.previous, coalesce(p.merged_into, n.merged_into) AS merged_into,"                       \
	" coalesce(c.version, n.version) AS version, n.system FROM alert n"                         \
	" LEFT JOIN alert_past p ON p.alert = n.seq"                                                \
	" AND p.until = " YG_ALERT_UNTIL(                                                           \
		t, "alert_past") " LEFT JOIN alert_past_count c ON c.alert = n.seq"                 \
				 " AND c.until = " YG_ALERT_UNTIL(t, "alert_past_count") ") a"
/* Nothing is looked for of an alert that has not changed since. */
#define YG_ALERT_UNTIL(t, table)                                                                   \
	"CASE WHEN n.updated < " t " THEN NULL ELSE (SELECT min(x.until) FROM " table              \
	" x WHERE x.alert = n.seq AND x.until >= " t ") END"
/* The pattern of LIKE ... ESCAPE '!' for words to look for. */
struct yg_sv yg_alert_pattern(struct yg_sv q, struct yg_sb *b);
