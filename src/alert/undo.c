/* Undo of a bulk change.  Each changed alert is kept as it was under the version that
 * the change gave it: while that is the alert's version, no person changed it since
 * (findings leave the version alone). */
#include <stdio.h>

#include "alert/alert.h"
#include "alert/alert_internal.h"
#include "org/audit_log.h"
#include "org/job.h"

#define CHUNK 100  /* alerts per transaction, as the change itself */
#define STALE 1000 /* rows forgotten per transaction */

yg_status yg_alert_keep(struct yg_state *db, struct yg_sv job, const struct yg_alert *was,
			int severity, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("INSERT INTO alert_undo (alert, version, job, state, verdict, reason, assignee, severity_id,"
		       " severity_set, closed, due, due_reason, snoozed_until, snooze_reason, snoozed_by)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, was->seq);
	yg_stmt_i64(s, 2, was->version + 1);
	yg_stmt_text(s, 3, job);
	yg_stmt_text(s, 4, yg_sv_of(yg_alert_state_name(was->state)));
	yg_stmt_text(s, 5, yg_sv_of(yg_verdict_name(was->verdict)));
	yg_stmt_text(s, 6, was->reason);
	yg_stmt_text(s, 7, was->assignee);
	yg_stmt_i64(s, 8, was->severity_id);
	yg_stmt_i64(s, 9, severity);
	yg_stmt_i64(s, 10, was->closed.us);
	yg_stmt_i64(s, 11, was->due.us);
	yg_stmt_text(s, 12, was->due_reason);
	yg_stmt_i64(s, 13, was->snoozed_until.us);
	yg_stmt_text(s, 14, was->snooze_reason);
	yg_stmt_text(s, 15, was->snoozed_by);
	return yg_stmt_run(s, err);
}

struct row { /* what is kept of one alert */
	int64_t alert, version;
	struct yg_alert_next was;
	int severity_set;
};

struct undo {
	struct yg_act *act;
	struct yg_sv job, of;
	const struct yg_reach *reach;
	int64_t after; /* keyset: rows of alerts above it */
	int64_t done, total, restored, since, refused;
	struct yg_buf faults;
	char first_error[200];
	bool cancel;
};

/* One row: its columns stand in the order of read_rows(). */
static yg_status take_row(struct yg_stmt *s, struct yg_arena *arena, struct row *r,
			  struct yg_err *err)
{
	*r = (struct row){.alert = yg_col_i64(s, 0),
			  .version = yg_col_i64(s, 1),
			  .severity_set = (int)yg_col_i64(s, 3)};
	struct yg_sv *text[] = {&r->was.reason, &r->was.assignee, &r->was.due_reason,
				&r->was.snooze_reason, &r->was.snoozed_by};
	r->was.severity_id = (int)yg_col_i64(s, 2);
	r->was.closed = yg_col_i64(s, 4);
	r->was.due = yg_col_i64(s, 5);
	r->was.snoozed_until = yg_col_i64(s, 6);
	(void)yg_alert_state_parse(yg_col_text(s, 7), &r->was.state);
	(void)yg_verdict_parse(yg_col_text(s, 8), &r->was.verdict);
	for (size_t i = 0; i < YG_LEN(text); i++) {
		*text[i] = yg_arena_dup(arena, yg_col_text(s, 9 + (int)i));
		if (text[i]->p == NULL)
			return YG_FAIL(err, YG_NOMEM, "what is undone");
	}
	return YG_OK;
}

/* The next rows, at most CHUNK. */
static yg_status read_rows(struct undo *u, struct yg_arena *arena, struct row *rows, size_t *out_n,
			   struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool more = true;
	size_t n = 0;
	yg_status st = yg_state_prepare(
		u->act->db,
		YG_SQL("SELECT alert, version, severity_id, severity_set, closed, due, snoozed_until, state, verdict,"
		       " reason, assignee, due_reason, snooze_reason, snoozed_by"
		       " FROM alert_undo WHERE job = $1 AND alert > $2 ORDER BY alert LIMIT $3"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, u->of);
	yg_stmt_i64(s, 2, u->after);
	yg_stmt_i64(s, 3, CHUNK);
	while ((st = yg_stmt_step(s, &more, err)) == YG_OK && more && n < CHUNK) {
		st = take_row(s, arena, &rows[n++], err);
		if (st != YG_OK)
			return st;
	}
	*out_n = n;
	return st;
}

static yg_status run_i64(struct yg_state *db, const char *sql, const int64_t *v, size_t n,
			 struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(db, sql, &s, err);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; i < n; i++)
		yg_stmt_i64(s, (int)i + 1, v[i]);
	return yg_stmt_run(s, err);
}

static yg_status get_by_seq(struct yg_state *db, int64_t seq, struct yg_arena *arena,
			    struct yg_alert *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	char id[64];
	bool row = false;
	yg_status st = yg_state_prepare(db, YG_SQL("SELECT id FROM alert WHERE seq = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, seq);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such alert");
	if (st != YG_OK)
		return st;
	(void)snprintf(id, sizeof id, "%.*s", (int)yg_col_text(s, 0).n, yg_col_text(s, 0).p);
	return yg_alert_get(db, yg_sv_of(id), arena, out, err);
}

/* One alert.  YG_CONFLICT and YG_NOTFOUND come before anything is written. */
static yg_status put_back(struct undo *u, const struct row *r, struct yg_alert *a, bool *since,
			  struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_alert_next n = r->was;
	bool changed = false;
	if (!yg_reach_has(u->reach, a->org, a->system))
		return YG_FAIL(err, YG_DENIED, "your rights do not reach the alert");
	*since = a->version != r->version;
	if (*since)
		return YG_FAIL(err, YG_CONFLICT, "the alert was changed meanwhile");
	/* a finding may have raised it since: that is no change to take back */
	if (r->severity_set == 0 || a->severity_id != r->severity_set)
		n.severity_id = a->severity_id;
	if (n.severity_id == a->severity_id && n.due_reason.n == 0 && a->due_reason.n == 0)
		n.due = a->due.us; /* as the severity that stays has it */
	yg_detail_init(&d);
	yg_detail_note(&d, "job", u->of);
	yg_status st = yg_alert_put(u->act, a, &n, "alert.undo", &d, &changed, err);
	/* a bulk change before this one can be undone next: its alert is what it left */
	const int64_t v[] = {r->alert, r->version - 1, r->version + 1};
	return st == YG_OK && changed
		       ? run_i64(u->act->db,
				 YG_SQL("UPDATE alert_undo SET version = $3 WHERE alert = $1 AND version = $2"),
				 v, YG_LEN(v), err)
		       : st;
}

static yg_status undo_one(struct undo *u, const struct row *r, struct yg_arena *arena,
			  int64_t *forgotten, struct yg_err *err)
{
	struct yg_err why = {0};
	struct yg_alert a = {0};
	bool since = false;
	yg_status st = get_by_seq(u->act->db, r->alert, arena, &a, &why);
	if (st == YG_OK)
		st = put_back(u, r, &a, &since, &why);
	bool refused = st == YG_NOTFOUND || st == YG_CONFLICT || st == YG_DENIED;
	if (st != YG_OK && !refused) {
		if (err != NULL)
			*err = why;
		return st;
	}
	if (refused) {
		if (u->since + u->refused == 0)
			(void)snprintf(u->first_error, sizeof u->first_error, "%.190s", why.msg);
		yg_alert_fault(&u->faults, u->since + u->refused, a.id, why.msg);
	}
	u->restored += !refused;
	u->since += since;
	u->refused += refused && !since;
	if (st == YG_DENIED)
		return YG_OK; /* who may can still undo it */
	++*forgotten;
	const int64_t v[] = {r->alert, r->version};
	return run_i64(u->act->db,
		       YG_SQL("DELETE FROM alert_undo WHERE alert = $1 AND version = $2"), v,
		       YG_LEN(v), err);
}

static yg_status undo_chunk(struct undo *u, bool *out_more, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct row rows[CHUNK];
	struct yg_tx tx;
	const struct undo begun = *u;
	size_t n = 0;
	int64_t forgotten = 0;
	yg_arena_init(&arena, 32 << 20);
	yg_status st = yg_tx_begin(&tx, u->act->db, err);
	if (st != YG_OK)
		return st;
	st = read_rows(u, &arena, rows, &n, err);
	for (size_t i = 0; st == YG_OK && i < n; i++)
		st = undo_one(u, &rows[i], &arena, &forgotten, err);
	if (st == YG_OK && forgotten > 0)
		st = yg_job_undo_left(u->act->db, u->of, -forgotten, err);
	st = yg_tx_end(&tx, st, err);
	*out_more = n == CHUNK;
	if (st != YG_OK) { /* nothing of it was done */
		u->restored = begun.restored;
		u->since = begun.since;
		u->refused = begun.refused;
	}
	if (st != YG_OK || n == 0)
		return st;
	u->after = rows[n - 1].alert;
	u->done += (int64_t)n;
	return yg_job_progress(u->act, u->job, u->done, u->total, u->since + u->refused, YG_SV(""),
			       &u->cancel, err);
}

yg_status yg_alert_undo(struct yg_act *act, struct yg_sv job, struct yg_sv of,
			const struct yg_reach *reach, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	YG_AUTO(yg_buf_free) struct yg_buf text = {0};
	struct undo u = {.act = act, .job = job, .of = of, .reach = reach};
	struct yg_err why = {0};
	struct yg_job was = {0};
	bool more = true;
	yg_arena_init(&arena, 4 << 20);
	yg_buf_init(&text, 65536);
	yg_buf_init(&u.faults, 32768);
	yg_status st = yg_job_get(act->db, of, &arena, &was, &why);
	u.total = was.undo_left;
	while (st == YG_OK && more && !u.cancel)
		st = undo_chunk(&u, &more, &why);
	yg_buf_printf(
		&text,
		"{\"job\":\"%.*s\",\"restored\":%lld,\"changed_since\":%lld,\"refused\":%lld,\"faults\":[",
		(int)of.n, of.p, (long long)u.restored, (long long)u.since, (long long)u.refused);
	yg_buf_put(&text, u.faults.bad ? YG_SV("") : yg_buf_sv(&u.faults));
	yg_buf_put(&text, YG_SV("]}"));
	yg_buf_free(&u.faults);
	yg_status end =
		yg_job_end(act, job,
			   st != YG_OK ? YG_JOB_FAILED
			   : u.cancel  ? YG_JOB_CANCELLED
				       : YG_JOB_DONE,
			   yg_sv_of(st != YG_OK ? why.msg : u.first_error), yg_buf_sv(&text), err);
	if (st != YG_OK && err != NULL)
		*err = why;
	return st != YG_OK ? st : end;
}

yg_status yg_alert_undo_stale(struct yg_state *db, yg_wall now, struct yg_err *err)
{
	const int64_t v[] = {now.us - YG_ALERT_UNDO_S * YG_US_PER_S, STALE};
	yg_status st;
	do
		st = run_i64(
			db,
			YG_SQL("DELETE FROM alert_undo WHERE (alert, version) IN (SELECT u.alert, u.version FROM job j"
			       " JOIN alert_undo u ON u.job = j.id WHERE j.undo_left > 0 AND j.finished > 0"
			       " AND j.finished < $1 LIMIT $2)"),
			v, 2, err);
	while (st == YG_OK && yg_state_changes(db) > 0);
	return st == YG_OK
		       ? run_i64(db,
				 YG_SQL("UPDATE job SET undo_left = 0 WHERE undo_left > 0 AND finished > 0 AND finished < $1"),
				 v, 1, err)
		       : st;
}
