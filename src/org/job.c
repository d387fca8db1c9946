#include "org/job.h"

#include "org/audit_log.h"
#include "org/rows.h"

#define COLUMNS                                                                                                          \
	"id, kind, org, actor, message, params, result, state, done, total, errors, cancel, created, started, finished," \
	" updated, undo_left"

static const char *const state_names[] = {[YG_JOB_NONE] = "",
#define X(id, num, name) [num] = name,
					  YG_JOB_STATES(X)
#undef X
};

const char *yg_job_state_name(enum yg_job_state s)
{
	return (size_t)s < YG_LEN(state_names) ? state_names[s] : "";
}

enum yg_job_state yg_job_state_parse(struct yg_sv s)
{
	for (size_t i = 1; i < YG_LEN(state_names); i++)
		if (yg_sv_eq(s, yg_sv_of(state_names[i])))
			return (enum yg_job_state)i;
	return YG_JOB_NONE;
}

static yg_status insert(struct yg_act *act, struct yg_sv id, struct yg_sv kind, struct yg_sv org,
			struct yg_sv params, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO job (id, kind, state, org, actor, params, created, updated)"
		       " VALUES ($1, $2, 'queued', $3, $4, $5, $6, $6)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	yg_stmt_text(s, 2, kind);
	yg_stmt_text(s, 3, org);
	yg_stmt_text(s, 4, act->who);
	yg_stmt_text(s, 5, params.n > 0 ? params : YG_SV("{}"));
	yg_stmt_i64(s, 6, yg_env_wall(act->env).us);
	return yg_stmt_run(s, err);
}

yg_status yg_job_add(struct yg_act *act, struct yg_sv kind, struct yg_sv org, struct yg_sv params,
		     struct yg_id *out_id, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_tx tx;
	struct yg_id id = yg_id_new(&act->ids, act->env, "j");
	yg_detail_init(&d);
	yg_detail_note(&d, "kind", kind);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = insert(act, yg_id_sv(&id), kind, org, params, err);
	if (st == YG_OK)
		st = yg_audit_add(act, "job.add", yg_id_sv(&id), org, &d, err);
	st = yg_tx_end(&tx, st, err);
	if (st == YG_OK)
		*out_id = id;
	return st;
}

yg_status yg_job_start(struct yg_act *act, struct yg_sv id, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE job SET state = 'running', started = $2, updated = $2"
		       " WHERE id = $1 AND state = 'queued'"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	yg_stmt_i64(s, 2, yg_env_wall(act->env).us);
	st = yg_stmt_run(s, err);
	if (st == YG_OK && yg_state_changes(act->db) == 0)
		return YG_FAIL(err, YG_CONFLICT, "the job is not waiting to be run");
	return st;
}

yg_status yg_job_progress(struct yg_act *act, struct yg_sv id, int64_t done, int64_t total,
			  int64_t errors, struct yg_sv message, bool *out_cancel,
			  struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE job SET done = $2, total = $3, errors = $4, message = $5, updated = $6"
		       " WHERE id = $1 AND state = 'running' RETURNING cancel"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	yg_stmt_i64(s, 2, done);
	yg_stmt_i64(s, 3, total);
	yg_stmt_i64(s, 4, errors);
	yg_stmt_text(s, 5, message);
	yg_stmt_i64(s, 6, yg_env_wall(act->env).us);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_CONFLICT, "the job is not running");
	if (st != YG_OK)
		return st;
	*out_cancel = yg_col_i64(s, 0) != 0;
	return yg_stmt_step(s, &row, err);
}

yg_status yg_job_end(struct yg_act *act, struct yg_sv id, enum yg_job_state state,
		     struct yg_sv message, struct yg_sv result, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	if (state != YG_JOB_DONE && state != YG_JOB_FAILED && state != YG_JOB_CANCELLED)
		return YG_FAIL(err, YG_INVAL, "a job ends as done, failed or cancelled");
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE job SET state = $2, message = $3, result = $4, finished = $5, updated = $5"
		       " WHERE id = $1 AND state IN ('queued', 'running')"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	yg_stmt_text(s, 2, yg_sv_of(yg_job_state_name(state)));
	yg_stmt_text(s, 3, message);
	yg_stmt_text(s, 4, result.n > 0 ? result : YG_SV("{}"));
	yg_stmt_i64(s, 5, yg_env_wall(act->env).us);
	st = yg_stmt_run(s, err);
	if (st == YG_OK && yg_state_changes(act->db) == 0)
		return YG_FAIL(err, YG_CONFLICT, "the job has ended already");
	return st;
}

static yg_status take(struct yg_stmt *s, struct yg_arena *arena, void *to, struct yg_err *err)
{
	struct yg_job *j = to;
	struct yg_sv *text[] = {&j->id,      &j->kind,   &j->org,   &j->actor,
				&j->message, &j->params, &j->result};
	for (size_t i = 0; i < YG_LEN(text); i++) {
		*text[i] = yg_arena_dup(arena, yg_col_text(s, (int)i));
		if (text[i]->p == NULL)
			return YG_FAIL(err, YG_NOMEM, "job");
	}
	j->state = yg_job_state_parse(yg_col_text(s, 7));
	j->done = yg_col_i64(s, 8);
	j->total = yg_col_i64(s, 9);
	j->errors = yg_col_i64(s, 10);
	j->cancel = yg_col_i64(s, 11) != 0;
	j->created.us = yg_col_i64(s, 12);
	j->started.us = yg_col_i64(s, 13);
	j->finished.us = yg_col_i64(s, 14);
	j->updated.us = yg_col_i64(s, 15);
	j->undo_left = yg_col_i64(s, 16);
	return YG_OK;
}

yg_status yg_job_get(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
		     struct yg_job *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_job j = {0};
	bool row = false;
	yg_status st =
		yg_state_prepare(db, YG_SQL("SELECT " COLUMNS " FROM job WHERE id = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such job");
	if (st == YG_OK)
		st = take(s, arena, &j, err);
	if (st == YG_OK)
		*out = j;
	return st;
}

yg_status yg_job_list(struct yg_state *db, const struct yg_job_filter *f, struct yg_arena *arena,
		      struct yg_job **out, size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	uint32_t limit = YG_MIN(f->limit, (uint32_t)YG_PAGE_MAX + 1);
	struct yg_job *list = YG_NEW_N(arena, struct yg_job, limit);
	if (list == NULL && limit > 0)
		return YG_FAIL(err, YG_NOMEM, "jobs");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT " COLUMNS
		       " FROM job WHERE ($1 = 1 OR org IN yg_set($5) OR actor = $6) AND ($2 = '' OR kind = $2)"
		       " AND ($3 = '' OR id < $3) AND ($7 = '' OR state = $7) ORDER BY id DESC LIMIT $4"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, yg_reach_all_flag(&f->reach));
	yg_stmt_set(s, 5, f->reach.orgs, f->reach.org_count);
	yg_stmt_text(s, 6, f->actor);
	yg_stmt_text(s, 2, f->kind);
	yg_stmt_text(s, 3, f->before);
	yg_stmt_i64(s, 4, limit);
	yg_stmt_text(s, 7, f->state);
	*out = list;
	return yg_rows_take(s, take, arena, list, sizeof *list, limit, out_n, err);
}

yg_status yg_job_next(struct yg_state *db, const struct yg_sv *kinds, size_t n, bool others,
		      struct yg_arena *arena, struct yg_job *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st =
		yg_state_prepare(db,
				 YG_SQL("SELECT " COLUMNS " FROM job WHERE state = 'queued'"
					" AND (kind IN yg_set($1)) = ($2 = 0) ORDER BY id LIMIT 1"),
				 &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_set(s, 1, kinds, n);
	yg_stmt_i64(s, 2, others);
	st = yg_stmt_step(s, &row, err);
	*out = (struct yg_job){.id = YG_SV_INIT("")};
	return st == YG_OK && row ? take(s, arena, out, err) : st;
}

yg_status yg_job_undo_left(struct yg_state *db, struct yg_sv id, int64_t more, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db, YG_SQL("UPDATE job SET undo_left = undo_left + $2 WHERE id = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	yg_stmt_i64(s, 2, more);
	return yg_stmt_run(s, err);
}

static yg_status cancel(struct yg_act *act, struct yg_sv id, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_stmt *s = NULL;
	struct yg_job j = {0};
	yg_arena_init(&arena, 4 << 20);
	yg_status st = yg_job_get(act->db, id, &arena, &j, err);
	if (st != YG_OK)
		return st;
	if (j.state != YG_JOB_QUEUED && j.state != YG_JOB_RUNNING)
		return YG_FAIL(err, YG_CONFLICT, "the job has ended already");
	st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE job SET cancel = 1, updated = $2, finished = CASE state WHEN 'queued' THEN $2 ELSE finished END,"
		       " state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END WHERE id = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	yg_stmt_i64(s, 2, yg_env_wall(act->env).us);
	st = yg_stmt_run(s, err);
	return st == YG_OK ? yg_audit_add(act, "job.cancel", id, j.org, NULL, err) : st;
}

yg_status yg_job_cancel(struct yg_act *act, struct yg_sv id, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, cancel(act, id, err), err) : st;
}

yg_status yg_job_recover(struct yg_act *act, uint64_t *out_n, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE job SET state = 'interrupted', message = 'the program ended meanwhile',"
		       " finished = $1, updated = $1 WHERE state IN ('queued', 'running')"
		       " AND kind NOT IN ('events.import', 'retro-hunt')"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, yg_env_wall(act->env).us);
	st = yg_stmt_run(s, err);
	if (st == YG_OK)
		*out_n = yg_state_changes(act->db);
	return st;
}
