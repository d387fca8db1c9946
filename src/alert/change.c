#include <stdio.h>

#include "alert/alert.h"
#include "alert/alert_internal.h"
#include "alert/due.h"
#include "alert/query.h"
#include "format/json.h"
#include "intel/registry.h"
#include "org/audit_log.h"
#include "org/job.h"

#define BULK_CHUNK                                                                                 \
	100 /* alerts per transaction: a chunk holds the write lock for some milliseconds */

#define DUE_MAX     (3660 * YG_US_PER_DAY)
#define BULK_FAULTS 50 /* refused ones that are named; the others are counted */

static yg_status check_text(struct yg_sv s, size_t max, const char *what, struct yg_err *err)
{
	return s.n <= max && yg_utf8_valid(s) == s.n
		       ? YG_OK
		       : YG_FAIL(err, YG_INVAL, "the %s is too long or not text", what);
}

static yg_status judge_state(const struct yg_alert *a, const struct yg_alert_set *set,
			     struct yg_alert_next *n, struct yg_err *err)
{
	bool was_closed = a->state == YG_ALERT_CLOSED, closes = n->state == YG_ALERT_CLOSED;
	if (n->state == YG_ALERT_NEW && a->state != YG_ALERT_NEW)
		return YG_FAIL(err, YG_INVAL,
			       "an alert that was worked on does not become new again");
	if (a->merged_into.n > 0)
		return YG_FAIL(err, YG_CONFLICT, "the alert was merged into another one");
	if (!closes && set->verdict != YG_VERDICT_NONE)
		return YG_FAIL(err, YG_INVAL, "a verdict belongs to a closed alert");
	if (closes && n->verdict == YG_VERDICT_NONE)
		return YG_FAIL(err, YG_INVAL,
			       "closing needs a verdict: true, false, benign or duplicate");
	bool judged = closes && (!was_closed || n->verdict != a->verdict);
	if (judged && (set->reason == NULL || yg_sv_trim(*set->reason).n == 0))
		return YG_FAIL(err, YG_INVAL, "a verdict needs a reason");
	return YG_OK;
}

struct yg_alert_next yg_alert_same(const struct yg_alert *a)
{
	return (struct yg_alert_next){.state = a->state,
				      .verdict = a->verdict,
				      .reason = a->reason,
				      .assignee = a->assignee,
				      .severity_id = a->severity_id,
				      .closed = a->closed.us,
				      .due = a->due.us,
				      .due_reason = a->due_reason,
				      .snoozed_until = a->snoozed_until.us,
				      .snooze_reason = a->snooze_reason,
				      .snoozed_by = a->snoozed_by};
}

static yg_status why_of(const struct yg_sv *given, struct yg_sv *out, struct yg_err *err)
{
	*out = given != NULL ? yg_sv_trim(*given) : YG_SV("");
	return out->n > 0 ? check_text(*out, YG_REASON_MAX, "reason", err)
			  : YG_FAIL(err, YG_INVAL,
				    "a due time by hand, or putting an alert off, needs a reason");
}

/* By hand; else, when the severity is another, by the policy: more severe is never due
 * later than it was, less severe never earlier. */
static yg_status plan_due(struct yg_act *act, const struct yg_alert *a,
			  const struct yg_alert_set *set, struct yg_alert_next *n,
			  struct yg_err *err)
{
	int64_t now = yg_env_wall(act->env).us, at = YG_NO_DUE;
	bool rises = n->severity_id > a->severity_id;
	if (set->due != NULL && n->state == YG_ALERT_CLOSED)
		return YG_FAIL(err, YG_INVAL, "a closed alert is not due any more");
	if (set->due != NULL && set->due->us != 0) {
		n->due = set->due->us;
		if (n->due < a->created.us || n->due > now + DUE_MAX)
			return YG_FAIL(err, YG_INVAL,
				       "an alert is due after it was made and within ten years");
		return why_of(set->due_reason, &n->due_reason, err);
	}
	if (set->due == NULL && (n->severity_id == a->severity_id || a->due_reason.n > 0))
		return YG_OK;
	yg_status st = yg_due_at(act->db, a->org, n->severity_id,
				 set->due == NULL && rises ? now : a->created.us, &at, err);
	if (set->due != NULL) {
		n->due = at;
		n->due_reason = YG_SV("");
	} else {
		n->due = rises ? YG_MIN(a->due.us, at) : YG_MAX(a->due.us, at);
	}
	return st;
}

static yg_status plan_snooze(struct yg_act *act, const struct yg_alert_set *set,
			     struct yg_alert_next *n, struct yg_err *err)
{
	int64_t now = yg_env_wall(act->env).us;
	bool on = set->snooze != NULL && set->snooze->us != 0;
	if (on && n->state == YG_ALERT_CLOSED)
		return YG_FAIL(err, YG_INVAL, "a closed alert is not put off");
	if (set->snooze == NULL && n->state != YG_ALERT_CLOSED)
		return YG_OK;
	n->snoozed_until = on ? set->snooze->us : 0;
	n->snooze_reason = YG_SV("");
	n->snoozed_by = on ? act->who : YG_SV("");
	if (!on)
		return YG_OK;
	if (n->snoozed_until <= now || n->snoozed_until > now + YG_SNOOZE_MAX)
		return YG_FAIL(err, YG_INVAL,
			       "an alert is put off to a time to come, within 366 days");
	return why_of(set->snooze_reason, &n->snooze_reason, err);
}

static yg_status plan(struct yg_act *act, const struct yg_alert *a, const struct yg_alert_set *set,
		      struct yg_alert_next *n, struct yg_err *err)
{
	*n = yg_alert_same(a);
	n->state = set->state != YG_ALERT_NONE ? set->state : a->state;
	n->verdict = set->verdict != YG_VERDICT_NONE ? set->verdict : a->verdict;
	n->reason = set->reason != NULL ? yg_sv_trim(*set->reason) : a->reason;
	n->assignee = set->assignee != NULL ? yg_sv_trim(*set->assignee) : a->assignee;
	n->severity_id = set->severity_id != 0 ? set->severity_id : a->severity_id;
	yg_status st = check_text(n->reason, YG_REASON_MAX, "reason", err);
	if (st == YG_OK)
		st = check_text(n->assignee, 512, "assignee", err);
	if (st == YG_OK && (n->severity_id < 1 || n->severity_id > 6))
		st = YG_FAIL(err, YG_INVAL, "a severity is 1 to 6");
	if (st == YG_OK)
		st = judge_state(a, set, n, err);
	if (st == YG_OK)
		st = plan_due(act, a, set, n, err);
	if (st == YG_OK)
		st = plan_snooze(act, set, n, err);
	if (n->state != YG_ALERT_CLOSED) {
		n->verdict = YG_VERDICT_NONE;
		n->closed = 0;
	} else if (a->state != YG_ALERT_CLOSED) {
		int64_t now = yg_env_wall(act->env).us;
		n->closed = now != 0 ? now : 1;
	}
	return st;
}

static yg_status write_alert(struct yg_act *act, const struct yg_alert *a,
			     const struct yg_alert_next *n, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE alert SET state = $2, verdict = $3, reason = $4, assignee = $5, severity_id = $6,"
		       " closed = $7, updated = $8, due = $9, due_reason = $10, snoozed_until = $11, snooze_reason = $12,"
		       " snoozed_by = $13, triaged = CASE WHEN triaged > 0 OR ($2 = 'new' AND $5 = '')"
		       " THEN triaged ELSE $8 END, version = version + 1 WHERE seq = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, a->seq);
	yg_stmt_text(s, 2, yg_sv_of(yg_alert_state_name(n->state)));
	yg_stmt_text(s, 3, yg_sv_of(yg_verdict_name(n->verdict)));
	yg_stmt_text(s, 4, n->reason);
	yg_stmt_text(s, 5, n->assignee);
	yg_stmt_i64(s, 6, n->severity_id);
	yg_stmt_i64(s, 7, n->closed);
	yg_stmt_i64(s, 8, yg_env_wall(act->env).us);
	yg_stmt_i64(s, 9, n->due);
	yg_stmt_text(s, 10, n->due_reason);
	yg_stmt_i64(s, 11, n->snoozed_until);
	yg_stmt_text(s, 12, n->snooze_reason);
	yg_stmt_text(s, 13, n->snoozed_by);
	return yg_stmt_run(s, err);
}

/* The differences in `d`; is there one? */
static bool note(struct yg_detail *d, const struct yg_alert *a, const struct yg_alert_next *n)
{
	bool differs = yg_detail_text(d, "state", yg_sv_of(yg_alert_state_name(a->state)),
				      yg_sv_of(yg_alert_state_name(n->state)));
	differs |= yg_detail_text(d, "verdict", yg_sv_of(yg_verdict_name(a->verdict)),
				  yg_sv_of(yg_verdict_name(n->verdict)));
	differs |= yg_detail_text(d, "reason", a->reason, n->reason);
	differs |= yg_detail_text(d, "assignee", a->assignee, n->assignee);
	differs |= yg_detail_i64(d, "severity_id", a->severity_id, n->severity_id);
	differs |= yg_detail_time(d, "due_at", a->due.us == YG_NO_DUE ? 0 : a->due.us,
				  n->due == YG_NO_DUE ? 0 : n->due);
	differs |= yg_detail_text(d, "due_reason", a->due_reason, n->due_reason);
	differs |= yg_detail_time(d, "snoozed_until", a->snoozed_until.us, n->snoozed_until);
	differs |= yg_detail_text(d, "snooze_reason", a->snooze_reason, n->snooze_reason);
	return differs;
}

/* Another open alert that collects what this one would collect again. */
static yg_status reopen_conflict(struct yg_state *db, int64_t seq, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT a.id FROM alert_part p JOIN alert_part q ON q.org = p.org"
		       " AND q.indicator_type = p.indicator_type AND q.indicator = p.indicator"
		       " AND q.asset = p.asset AND q.collects = 1 JOIN alert a ON a.seq = q.alert"
		       " WHERE p.alert = $1 AND p.collects = 0 LIMIT 1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, seq);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && row)
		return YG_FAIL(err, YG_CONFLICT,
			       "a newer alert of the same indicator and asset is open: %.40s",
			       yg_col_text(s, 0).p);
	return st;
}

/* Parts of a closed alert stop collecting; of a reopened one they go on. */
static yg_status set_collects(struct yg_state *db, int64_t seq, int from, int to,
			      struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("UPDATE alert_part SET collects = $3 WHERE alert = $1 AND collects = $2"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, seq);
	yg_stmt_i64(s, 2, from);
	yg_stmt_i64(s, 3, to);
	return yg_stmt_run(s, err);
}

/* Writes what differs, with its record: one entry `action`. */
yg_status yg_alert_put(struct yg_act *act, const struct yg_alert *a, const struct yg_alert_next *n,
		       const char *action, struct yg_detail *d, bool *out_changed,
		       struct yg_err *err)
{
	*out_changed = false;
	bool reopens = a->state == YG_ALERT_CLOSED && n->state != YG_ALERT_CLOSED;
	if (reopens) {
		yg_status st = reopen_conflict(act->db, a->seq, err);
		if (st != YG_OK)
			return st;
	}
	if (!note(d, a, n))
		return YG_OK;
	yg_status st = write_alert(act, a, n, err);
	if (st == YG_OK && reopens)
		st = set_collects(act->db, a->seq, 0, 1, err);
	else if (st == YG_OK && n->state == YG_ALERT_CLOSED && a->state != YG_ALERT_CLOSED)
		st = set_collects(act->db, a->seq, 1, 0, err);
	*out_changed = true;
	return st == YG_OK ? yg_audit_add(act, action, a->id, a->org, d, err) : st;
}

static yg_status change(struct yg_act *act, const struct yg_alert *a,
			const struct yg_alert_set *set, bool *out_changed, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_alert_next n;
	yg_detail_init(&d);
	*out_changed = false;
	yg_status st = plan(act, a, set, &n, err);
	return st == YG_OK ? yg_alert_put(act, a, &n, "alert.update", &d, out_changed, err) : st;
}

static yg_status change_one(struct yg_act *act, struct yg_sv id, int64_t version,
			    const struct yg_alert_set *set, int64_t *out_version,
			    struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_alert a = {0};
	bool changed = false;
	yg_arena_init(&arena, 1 << 20);
	yg_status st = yg_alert_get(act->db, id, &arena, &a, err);
	if (st != YG_OK)
		return st;
	if (version != YG_ANY_VERSION && version != a.version)
		return YG_FAIL(err, YG_CONFLICT, "the alert was changed meanwhile");
	st = change(act, &a, set, &changed, err);
	if (st == YG_OK && out_version != NULL)
		*out_version = a.version + changed;
	return st;
}

yg_status yg_alert_change(struct yg_act *act, struct yg_sv id, int64_t version,
			  const struct yg_alert_set *set, int64_t *out_version, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK
		       ? yg_tx_end(&tx, change_one(act, id, version, set, out_version, err), err)
		       : st;
}

static yg_wall at_that_time(void *ctx)
{
	return *(yg_wall *)ctx;
}

static yg_status change_past(struct yg_act *act, struct yg_sv id, yg_wall at,
			     const struct yg_alert_set *set, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_env then = {.ctx = &at, .wall = at_that_time};
	struct yg_act past = {.db = act->db, .env = &then, .who = act->who};
	struct yg_alert a = {0};
	struct yg_alert_next n;
	yg_arena_init(&arena, 1 << 20);
	yg_detail_init(&d);
	yg_status st = yg_alert_get(act->db, id, &arena, &a, err);
	if (st == YG_OK && a.state == YG_ALERT_CLOSED)
		st = YG_FAIL(err, YG_CONFLICT, "the alert is closed");
	if (st == YG_OK)
		st = plan(&past, &a, set, &n, err);
	if (st != YG_OK || !note(&d, &a, &n))
		return st;
	st = write_alert(&past, &a, &n, err);
	if (st == YG_OK && n.state == YG_ALERT_CLOSED)
		st = set_collects(act->db, a.seq, 1, 0, err);
	return st == YG_OK ? yg_audit_add(act, "alert.update", a.id, a.org, &d, err) : st;
}

yg_status yg_alert_change_past(struct yg_act *act, struct yg_sv id, yg_wall at,
			       const struct yg_alert_set *set, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, change_past(act, id, at, set, err), err) : st;
}

static yg_status allow(struct yg_act *act, const struct yg_alert *a, struct yg_sv reason,
		       yg_wall expires, bool for_all, struct yg_id *out_entry, struct yg_err *err)
{
	struct yg_allow_new entry = {
		.value = a->indicator,
		.org = for_all ? YG_SV("") : a->org,
		.reason = reason,
		.alert = a->id,
		.expires = expires,
	};
	struct yg_alert_set set = {
		.state = YG_ALERT_CLOSED, .verdict = YG_VERDICT_FALSE, .reason = &reason};
	bool changed;
	if (yg_indicator_type_parse(a->indicator_type, &entry.type) != YG_OK)
		return YG_FAIL(err, YG_INVAL,
			       "the alert is not about an indicator that could be allowed");
	yg_status st = yg_allow_add(act, &entry, out_entry, err);
	if (st == YG_OK && a->state != YG_ALERT_CLOSED)
		st = change(act, a, &set, &changed, err);
	return st;
}

yg_status yg_alert_allow(struct yg_act *act, struct yg_sv id, int64_t version, struct yg_sv reason,
			 yg_wall expires, bool for_all, struct yg_id *out_entry, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_alert a = {0};
	struct yg_tx tx;
	yg_arena_init(&arena, 1 << 20);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_alert_get(act->db, id, &arena, &a, err);
	if (st == YG_OK && version != YG_ANY_VERSION && version != a.version)
		st = YG_FAIL(err, YG_CONFLICT, "the alert was changed meanwhile");
	if (st == YG_OK)
		st = allow(act, &a, reason, expires, for_all, out_entry, err);
	return yg_tx_end(&tx, st, err);
}

struct bulk {
	struct yg_act *act;
	struct yg_sv job;
	const struct yg_alert_set *set;
	int64_t done, total, errors;
	struct yg_buf faults; /* JSON rows: the first of what was refused */
	char first_error[200];
	bool cancel;
};

void yg_alert_fault(struct yg_buf *faults, int64_t nth, struct yg_sv id, const char *reason)
{
	if (nth >= BULK_FAULTS)
		return;
	yg_buf_put(faults, nth > 0 ? YG_SV(",{\"alert\":") : YG_SV("{\"alert\":"));
	yg_json_put_str(faults, id);
	yg_buf_put(faults, YG_SV(",\"reason\":"));
	yg_json_put_str(faults, yg_sv_of(reason));
	yg_buf_putc(faults, '}');
}

/* One of a job's alerts; what it was before is kept for the job's undo. */
static yg_status bulk_one(struct bulk *b, struct yg_sv id, int64_t *kept, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_alert a = {0};
	bool changed = false;
	yg_arena_init(&arena, 1 << 20);
	yg_status st = yg_alert_get(b->act->db, id, &arena, &a, err);
	if (st == YG_OK)
		st = change(b->act, &a, b->set, &changed, err);
	if (st != YG_OK || !changed)
		return st;
	++*kept;
	return yg_alert_keep(b->act->db, b->job, &a, b->set->severity_id, err);
}

/* Changes up to BULK_CHUNK alerts in one transaction. */
static yg_status bulk_chunk(struct bulk *b, const struct yg_sv *ids, size_t n, struct yg_err *err)
{
	struct yg_tx tx;
	int64_t errors = 0, kept = 0;
	yg_status st = yg_tx_begin(&tx, b->act->db, err);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		struct yg_err why = {0};
		yg_status one = bulk_one(b, ids[i], &kept, &why);
		if (one == YG_INVAL || one == YG_CONFLICT || one == YG_NOTFOUND) {
			if (b->errors + errors == 0)
				(void)snprintf(b->first_error, sizeof b->first_error, "%.190s",
					       why.msg);
			yg_alert_fault(&b->faults, b->errors + errors++, ids[i], why.msg);
		} else if (one != YG_OK) {
			if (err != NULL)
				*err = why;
			st = one;
		}
	}
	if (st == YG_OK && kept > 0)
		st = yg_job_undo_left(b->act->db, b->job, kept, err);
	st = yg_tx_end(&tx, st, err);
	if (st != YG_OK)
		return st;
	b->done += (int64_t)n;
	b->errors += errors;
	return yg_job_progress(b->act, b->job, b->done, b->total, b->errors, YG_SV(""), &b->cancel,
			       err);
}

static yg_status bulk_ids(struct bulk *b, const struct yg_sv *ids, size_t n, struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && !b->cancel && i < n; i += BULK_CHUNK)
		st = bulk_chunk(b, ids + i, YG_MIN(n - i, (size_t)BULK_CHUNK), err);
	return st;
}

/* Pages go from the newest down by number, so that what a change does to the
 * filter's conditions neither repeats nor skips an alert. */
static yg_status bulk_filter(struct bulk *b, const struct yg_alert_filter *filter,
			     struct yg_err *err)
{
	struct yg_alert_query q = {.f = *filter, .sort = YG_SORT_NEWEST, .limit = BULK_CHUNK};
	yg_status st = yg_alert_matching(b->act->db, &q, &b->total, err);
	for (bool more = true; st == YG_OK && more && !b->cancel;) {
		YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
		struct yg_alert *page = NULL;
		struct yg_sv ids[BULK_CHUNK];
		size_t n = 0;
		yg_arena_init(&arena, 32 << 20);
		st = yg_alert_find(b->act->db, &q, &arena, &page, &n, err);
		if (st != YG_OK || n == 0)
			break;
		for (size_t i = 0; i < n; i++)
			ids[i] = page[i].id;
		q.has_after = true;
		q.after_seq = page[n - 1].seq;
		more = n == BULK_CHUNK;
		st = bulk_chunk(b, ids, n, err);
	}
	return st;
}

yg_status yg_alert_bulk(struct yg_act *act, struct yg_sv job, const struct yg_sv *ids,
			size_t id_count, const struct yg_alert_filter *filter,
			const struct yg_alert_set *set, struct yg_err *err)
{
	struct bulk b = {.act = act, .job = job, .set = set, .total = (int64_t)id_count};
	struct yg_err why = {0};
	YG_AUTO(yg_buf_free) struct yg_buf text = {0};
	yg_buf_init(&text, 65536);
	yg_buf_init(&b.faults, 32768);
	yg_status st =
		ids != NULL ? bulk_ids(&b, ids, id_count, &why) : bulk_filter(&b, filter, &why);
	yg_buf_printf(&text, "{\"changed\":%lld,\"refused\":%lld,\"faults\":[",
		      (long long)(b.done - b.errors), (long long)b.errors);
	yg_buf_put(&text, b.faults.bad ? YG_SV("") : yg_buf_sv(&b.faults));
	yg_buf_put(&text, YG_SV("]}"));
	yg_buf_free(&b.faults);
	yg_status end =
		yg_job_end(act, job,
			   st != YG_OK ? YG_JOB_FAILED
			   : b.cancel  ? YG_JOB_CANCELLED
				       : YG_JOB_DONE,
			   yg_sv_of(st != YG_OK ? why.msg : b.first_error), yg_buf_sv(&text), err);
	if (st != YG_OK && err != NULL)
		*err = why;
	return st != YG_OK ? st : end;
}
