/* alert.h - alerts: findings of ingest joined into what an analyst works on.
 *
 * An alert is about one indicator seen at one asset of one organisation.  Its
 * `parts` say so: one row per (indicator, asset) with count, times and evidence;
 * a merged alert has several.  New findings go to the part that collects, at
 * most one per (organisation, indicator, asset): while its alert is open.  A
 * closed alert never changes by itself: a finding after it opens a new alert
 * whose `previous` names it.  doc/alerts.md has the rules.
 *
 * Every change by a person is guarded by the alert's version (ETag) and is in
 * the audit log, in the same transaction.
 */
#pragma once
#include "base/arena.h"
#include "base/limits.h"
#include "org/act.h"
#include "org/reach.h"

#define YG_EVIDENCE_FIRST  50    /* links kept per part: the first ... */
#define YG_EVIDENCE_NEWEST 50    /* ... and the newest; the count tells the rest */
#define YG_PARTS_MAX       1000  /* parts of one alert; more is no longer one story: YG_LIMIT */
#define YG_COMMENT_MAX     40000 /* bytes; 10,000 characters */
#define YG_REASON_MAX      8000  /* bytes; 2,000 characters */

/* clang-format off */
#define YG_ALERT_STATES(X)               \
	X(NEW,         1, "new")         \
	X(IN_PROGRESS, 2, "in_progress") \
	X(ON_HOLD,     3, "on_hold")     \
	X(CLOSED,      4, "closed")
#define YG_VERDICTS(X)                   \
	X(TRUE,      1, "true")          \
	X(FALSE,     2, "false")         \
	X(BENIGN,    3, "benign")        \
	X(DUPLICATE, 4, "duplicate")
/* clang-format on */
enum yg_alert_state {
	YG_ALERT_NONE,
#define X(id, num, name) YG_ALERT_##id = num,
	YG_ALERT_STATES(X)
#undef X
};
enum yg_verdict {
	YG_VERDICT_NONE,
#define X(id, num, name) YG_VERDICT_##id = num,
	YG_VERDICTS(X)
#undef X
};
const char *yg_alert_state_name(enum yg_alert_state s); /* static; "" for NONE */
const char *yg_verdict_name(enum yg_verdict v);
yg_status yg_alert_state_parse(struct yg_sv s, enum yg_alert_state *out);
/* Also "true_positive" and "false_positive". */
yg_status yg_verdict_parse(struct yg_sv s, enum yg_verdict *out);

struct yg_alert {        /* views in the caller's arena */
	int64_t seq;     /* rises with creation: the keyset */
	struct yg_sv id; /* "a-..." */
	struct yg_sv org, title;
	enum yg_alert_state state;
	enum yg_verdict verdict; /* NONE until closed */
	struct yg_sv reason;     /* why it was closed */
	struct yg_sv assignee;   /* empty: nobody */
	int severity_id;         /* the highest of its findings, or as set by hand */
	int confidence;
	struct yg_sv tlp;
	struct yg_sv indicator, indicator_type, asset, list, category,
		family; /* of the first part */
	int64_t count;  /* findings in all parts */
	yg_wall first_seen, last_seen, created, updated, closed;
	struct yg_sv previous;    /* the closed alert of the same indicator and asset before it */
	struct yg_sv merged_into; /* closed as a duplicate of that one */
	struct yg_sv system;      /* information system of the asset; empty: none */
	yg_wall due;              /* YG_NO_DUE (alert/due.h): never */
	struct yg_sv due_reason;  /* of who set it by hand; empty: by the policy */
	yg_wall snoozed_until;    /* it is put off while this lies ahead */
	struct yg_sv snooze_reason, snoozed_by;
	int64_t version; /* for ETags */
};

/* Open and to be looked at, open and put off, each by itself; alert/query.h only. */
#define YG_ALERT_ACTIVE  (1u << 5)
#define YG_ALERT_SNOOZED (1u << 6)
struct yg_alert_filter { /* empty, 0: any */
	/* all zero: none.  Its period is of `created`; alert/query.h shows what is within it
	 * as it was at its end */
	struct yg_reach reach;
	unsigned states;                /* bits 1 << enum yg_alert_state, or one of the two below */
	bool overdue;                   /* open and due at `now` or before; alert/query.h only */
	yg_wall now;                    /* for what depends on the time */
	int severity_min, severity_max; /* max: alert/query.h only */
	struct yg_sv assignee;          /* "-": nobody */
	struct yg_sv indicator;         /* exactly, or of an asset: see `asset` */
	struct yg_sv asset;
	struct yg_sv watcher;        /* those that they watch (alert/watch.h); alert/query.h only */
	struct yg_sv list, category; /* exactly; alert/query.h only */
	struct yg_sv hunt;      /* job of a hunt whose findings are in it; alert/query.h only */
	struct yg_sv q;         /* part of title, indicator, asset, list, category, family or id */
	int64_t before;         /* keyset: seq below; 0: from the newest */
	int64_t from_us, to_us; /* last_seen in [from, to) */
	uint32_t limit;         /* 1..YG_PAGE_MAX */
};
/* Newest first. */
yg_status yg_alert_list(struct yg_state *db, const struct yg_alert_filter *f,
			struct yg_arena *arena, struct yg_alert **out, size_t *out_n,
			struct yg_err *err);
yg_status yg_alert_get(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
		       struct yg_alert *out, struct yg_err *err);
/* The same as it stood just before `at`; us == 0: as it is.  One that was made later is
 * there as it was made: the caller looks at `created`. */
yg_status yg_alert_get_at(struct yg_state *db, struct yg_sv id, yg_wall at, struct yg_arena *arena,
			  struct yg_alert *out, struct yg_err *err);
/* Why it is an alert, one line each: "domain evil.example of list 'x' (c2, family)
 * in query, 12 times".  Of findings beside rules in the language asked for. */
yg_status yg_alert_reasons(struct yg_state *db, struct yg_sv id, bool japanese,
			   struct yg_arena *arena, struct yg_sv **out, size_t *out_n,
			   struct yg_err *err);
/* The one reason that the alert itself tells, as it stands in `a`: for a past one, whose
 * parts are of today. */
yg_status yg_alert_reason(const struct yg_alert *a, bool japanese, struct yg_arena *arena,
			  struct yg_sv *out, struct yg_err *err);
/* Open alerts within reach by severity id 0..6; with a period: as of its end. */
yg_status yg_alert_counts(struct yg_state *db, const struct yg_reach *reach, int64_t out[static 7],
			  struct yg_err *err);

struct yg_evidence {
	struct yg_sv event_id, finding_uid, field, value, title, asset, indicator;
	struct yg_sv fields; /* JSON, [["name","value"],...]; empty: field and value are all */
	bool historical;
	yg_wall time;
};
struct yg_alert_of { /* what is asked of one alert; from, to: of its period, 0 no bound */
	struct yg_sv id;
	int64_t from_us, to_us;
};
/* Newest first, by position: `skip` 0 begins with the newest.  At most
 * YG_EVIDENCE_FIRST + YG_EVIDENCE_NEWEST per part exist. */
yg_status yg_alert_evidence(struct yg_state *db, const struct yg_alert_of *of, uint32_t skip,
			    uint32_t limit, struct yg_arena *arena, struct yg_evidence **out,
			    size_t *out_n, struct yg_err *err);

struct yg_comment {
	struct yg_sv id, actor, body;
	yg_wall time;
};
yg_status yg_alert_comment(struct yg_act *act, struct yg_sv id, struct yg_sv body,
			   struct yg_id *out_id, struct yg_err *err) YG_MUST_USE;
/* Oldest first, from behind comment `after` (empty: from the first). */
yg_status yg_alert_comments(struct yg_state *db, const struct yg_alert_of *of, struct yg_sv after,
			    uint32_t limit, struct yg_arena *arena, struct yg_comment **out,
			    size_t *out_n, struct yg_err *err);

/* What a person sets; NULL or NONE leaves a thing as it is.
 *   any open state -> any other open state; not back to `new`
 *   open -> closed: verdict and reason are required
 *   closed -> in_progress (reopened): verdict goes; YG_CONFLICT when a newer
 *   alert collects the same indicator and asset, or when it was merged
 *   a verdict other than with `closed`: YG_INVAL; of a closed alert it may be
 *   changed with a new reason
 *   due, snooze: of an open alert; closing ends a snooze */
struct yg_alert_set {
	enum yg_alert_state state;
	enum yg_verdict verdict;
	const struct yg_sv *reason;
	const struct yg_sv *assignee; /* empty: nobody */
	int severity_id;              /* 0: as it is */
	const yg_wall *due;           /* us 0: by the policy again; else with a reason */
	const struct yg_sv *due_reason;
	const yg_wall *snooze; /* us 0: no longer; else a time to come, with a reason */
	const struct yg_sv *snooze_reason;
};
#define YG_SNOOZE_MAX (366 * YG_US_PER_DAY) /* from now */
/* YG_CONFLICT when `version` is no longer the alert's.  Nothing changes when
 * nothing differs.  *out_version may be NULL. */
yg_status yg_alert_change(struct yg_act *act, struct yg_sv id, int64_t version,
			  const struct yg_alert_set *set, int64_t *out_version,
			  struct yg_err *err) YG_MUST_USE;
/* The same to an open alert of the demonstration as if it had been done at `at`; the record in
 * the audit log is of now, when it is done. */
yg_status yg_alert_change_past(struct yg_act *act, struct yg_sv id, yg_wall at,
			       const struct yg_alert_set *set, struct yg_err *err) YG_MUST_USE;
/* The parts of `others` go to `into`; the others are closed as duplicates that
 * name it.  All open, all of one organisation. */
yg_status yg_alert_merge(struct yg_act *act, struct yg_sv into, int64_t version,
			 const struct yg_sv *others, size_t other_count, struct yg_sv reason,
			 struct yg_err *err) YG_MUST_USE;
/* Takes back that `id` was merged: the parts that came from it, with what was found for
 * them since, are its own again, and it is open (in progress).  YG_CONFLICT when it was
 * not merged, the other is closed, or the parts have gone elsewhere.  Severity and
 * confidence of the other stay. */
yg_status yg_alert_unmerge(struct yg_act *act, struct yg_sv id, int64_t version,
			   struct yg_err *err) YG_MUST_USE;
/* The evidence of these events goes to a new alert.  A part all of whose links
 * are named moves whole (count, later findings); of others the named links
 * move, and the new part does not collect.  Not all of the alert: YG_INVAL. */
yg_status yg_alert_split(struct yg_act *act, struct yg_sv id, int64_t version,
			 const struct yg_sv *events, size_t event_count, struct yg_sv reason,
			 struct yg_id *out_id, struct yg_err *err) YG_MUST_USE;

/* The alert's indicator becomes an allow entry (of its organisation, or of all)
 * with an expiry (us == 0: never); an open alert is closed as false with the
 * same reason.  All in one transaction. */
yg_status yg_alert_allow(struct yg_act *act, struct yg_sv id, int64_t version, struct yg_sv reason,
			 yg_wall expires, bool for_all, struct yg_id *out_entry,
			 struct yg_err *err) YG_MUST_USE;

/* One change to many, as a running job with progress: those of `ids`, or of
 * `filter` when ids is NULL.  Alerts that cannot take the change are counted as
 * errors.  Ends the job (done, cancelled or failed).  What each was before is kept with
 * the job, in the transaction of the change, until YG_ALERT_UNDO_S after its end. */
yg_status yg_alert_bulk(struct yg_act *act, struct yg_sv job, const struct yg_sv *ids,
			size_t id_count, const struct yg_alert_filter *filter,
			const struct yg_alert_set *set, struct yg_err *err) YG_MUST_USE;

#define YG_ALERT_UNDO_S 604800 /* 7 days: how long a job can be undone */
/* Puts back what job `of` changed, as the running job `job` with progress, within
 * `reach`: alerts that nobody changed since are what they were before; others stay as
 * they are and are counted as errors.  What is done is forgotten chunk by chunk, so that
 * an interrupted undo can be ordered again.  Ends `job`. */
yg_status yg_alert_undo(struct yg_act *act, struct yg_sv job, struct yg_sv of,
			const struct yg_reach *reach, struct yg_err *err) YG_MUST_USE;
/* Forgets what was kept for jobs that can no longer be undone. */
yg_status yg_alert_undo_stale(struct yg_state *db, yg_wall now, struct yg_err *err);
