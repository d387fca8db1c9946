#include "org/file_import.h"

yg_status yg_part_known(struct yg_state *db, struct yg_sv job, int64_t n, struct yg_arena *arena,
			bool *out_known, struct yg_sv *out_header, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	*out_known = false;
	*out_header = YG_SV("");
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT n, header FROM import_part WHERE job = $1 AND n IN (0, $2)"), &s,
		err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, job);
	yg_stmt_i64(s, 2, n);
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		*out_known = *out_known || yg_col_i64(s, 0) == n;
		if (yg_col_i64(s, 0) == 0)
			*out_header = yg_arena_dup(arena, yg_col_text(s, 1));
	}
	return st == YG_OK && out_header->p == NULL ? YG_FAIL(err, YG_NOMEM, "a part") : st;
}

yg_status yg_part_add(struct yg_state *db, struct yg_sv job, int64_t n, int64_t bytes,
		      struct yg_sv header, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("INSERT INTO import_part (job, n, bytes, header) VALUES ($1, $2, $3, $4)"
		       " ON CONFLICT (job, n) DO NOTHING"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, job);
	yg_stmt_i64(s, 2, n);
	yg_stmt_i64(s, 3, bytes);
	yg_stmt_text(s, 4, header);
	return yg_stmt_run(s, err);
}

yg_status yg_part_sum(struct yg_state *db, struct yg_sv job, int64_t *out_parts, int64_t *out_bytes,
		      struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT count(*), coalesce(sum(bytes), 0) FROM import_part WHERE job = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, job);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && row) {
		*out_parts = yg_col_i64(s, 0);
		*out_bytes = yg_col_i64(s, 1);
	}
	return st;
}

yg_status yg_part_forget(struct yg_state *db, struct yg_sv job, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st =
		yg_state_prepare(db, YG_SQL("DELETE FROM import_part WHERE job = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, job);
	return yg_stmt_run(s, err);
}

yg_status yg_import_stale(struct yg_state *db, yg_wall now, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("UPDATE job SET state = 'interrupted', message = 'nobody went on with it',"
		       " finished = $1, updated = $1 WHERE kind = 'events.import'"
		       " AND state = 'running' AND updated < $2"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, now.us);
	yg_stmt_i64(s, 2, now.us - YG_IMPORT_IDLE_S * YG_US_PER_S);
	return yg_stmt_run(s, err);
}
