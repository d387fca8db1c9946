#include "org/role_proof.h"

#include "org/rows.h"

static yg_status put(struct yg_state *db, const struct yg_role_proof *p, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("INSERT INTO role_proof (process, at, fields) VALUES ($1, $2, $3)"
		       " ON CONFLICT (process) DO UPDATE SET at = excluded.at, fields = excluded.fields"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, p->process);
	yg_stmt_i64(s, 2, p->at.us);
	yg_stmt_text(s, 3, p->fields);
	return yg_stmt_run(s, err);
}

yg_status yg_role_proof_keep(struct yg_state *db, const struct yg_role_proof *p, struct yg_err *err)
{
	struct yg_tx tx;
	struct yg_stmt *s = NULL;
	yg_status st = yg_tx_begin(&tx, db, err);
	if (st != YG_OK)
		return st;
	if (YG_SV_IS(p->process, "main")) {
		st = yg_state_prepare(db, YG_SQL("DELETE FROM role_proof"), &s, err);
		if (st == YG_OK)
			st = yg_stmt_run(s, err);
	}
	if (st == YG_OK)
		st = put(db, p, err);
	return yg_tx_end(&tx, st, err);
}

static yg_status take(struct yg_stmt *s, struct yg_arena *arena, void *to, struct yg_err *err)
{
	struct yg_role_proof *p = to;
	p->process = yg_arena_dup(arena, yg_col_text(s, 0));
	p->at.us = yg_col_i64(s, 1);
	p->fields = yg_arena_dup(arena, yg_col_text(s, 2));
	return p->process.p != NULL && p->fields.p != NULL ? YG_OK
							   : YG_FAIL(err, YG_NOMEM, "processes");
}

yg_status yg_role_proof_list(struct yg_state *db, struct yg_arena *arena,
			     struct yg_role_proof **out, size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_role_proof *list = YG_NEW_N(arena, struct yg_role_proof, YG_PROCESSES_MAX);
	if (list == NULL)
		return YG_FAIL(err, YG_NOMEM, "processes");
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT process, at, fields FROM role_proof ORDER BY process LIMIT 128"),
		&s, err);
	*out = list;
	return st == YG_OK ? yg_rows_take(s, take, arena, list, sizeof *list, YG_PROCESSES_MAX,
					  out_n, err)
			   : st;
}
