/* alert_internal.h - shared by the files of this room. */
#pragma once
#include "alert/alert.h"

/* What an alert will be. */
struct yg_alert_next {
	enum yg_alert_state state;
	enum yg_verdict verdict;
	struct yg_sv reason, assignee;
	int severity_id;
	int64_t closed, due, snoozed_until;
	struct yg_sv due_reason, snooze_reason, snoozed_by;
};
/* What it is now. */
struct yg_alert_next yg_alert_same(const struct yg_alert *a);
/* Writes what differs, inside the caller's transaction, with its record `action`; `d`
 * was begun by the caller and may have notes.  YG_CONFLICT, before anything is written:
 * a newer alert collects what this one would collect again. */
struct yg_detail;
yg_status yg_alert_put(struct yg_act *act, const struct yg_alert *a, const struct yg_alert_next *n,
		       const char *action, struct yg_detail *d, bool *out_changed,
		       struct yg_err *err);
/* Keeps what `was` was before `job` changed it (its next version); severity: what the job
 * set, 0 when it left that alone. */
yg_status yg_alert_keep(struct yg_state *db, struct yg_sv job, const struct yg_alert *was,
			int severity, struct yg_err *err);
/* One of the first rows of a job's "faults"; the others are counted only. */
void yg_alert_fault(struct yg_buf *faults, int64_t nth, struct yg_sv id, const char *reason);

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
	" coalesce(c.version, n.version) AS version, n.system, coalesce(p.due, n.due) AS due,"      \
	" coalesce(p.due_reason, n.due_reason) AS due_reason,"                                      \
	" coalesce(p.snoozed_until, n.snoozed_until) AS snoozed_until,"                             \
	" coalesce(p.snooze_reason, n.snooze_reason) AS snooze_reason,"                             \
	" coalesce(p.snoozed_by, n.snoozed_by) AS snoozed_by FROM alert n"                          \
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
