#include "detect/watch_rows.h"

static yg_status run(struct yg_state *db, const char *sql, int64_t number, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(db, sql, &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, number);
	return yg_stmt_run(s, err);
}

static yg_status waiting(struct yg_state *db, uint64_t *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT coalesce(sum(bytes), 0) FROM detect_finding"), &s, err);
	if (st == YG_OK)
		st = yg_stmt_step(s, &row, err);
	*out = st == YG_OK && row ? (uint64_t)yg_col_i64(s, 0) : 0;
	return st;
}

static yg_status drop_oldest(struct yg_state *db, uint64_t *bytes, struct yg_err *err)
{
	int64_t seq = 0;
	{
		YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
		bool row = false;
		yg_status st = yg_state_prepare(
			db, YG_SQL("SELECT seq, bytes FROM detect_finding ORDER BY seq LIMIT 1"),
			&s, err);
		if (st == YG_OK)
			st = yg_stmt_step(s, &row, err);
		if (st != YG_OK)
			return st;
		seq = row ? yg_col_i64(s, 0) : 0;
		*bytes = row ? (uint64_t)yg_col_i64(s, 1) : 0;
	}
	return run(db, YG_SQL("DELETE FROM detect_finding WHERE seq = $1"), seq, err);
}

yg_status yg_watch_rows_keep(struct yg_state *db, int64_t seq, struct yg_sv rows, uint64_t *dropped,
			     struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	uint64_t there = 0, gone = 0;
	*dropped = 0;
	yg_status st = waiting(db, &there, err);
	while (st == YG_OK && there > 0 && there + rows.n > YG_WATCH_ROWS_MAX) {
		st = drop_oldest(db, &gone, err);
		there -= YG_MIN(gone, there);
		++*dropped;
	}
	if (st == YG_OK)
		st = yg_state_prepare(
			db,
			YG_SQL("INSERT INTO detect_finding (seq, bytes, data) VALUES ($1, $2, $3)"),
			&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, seq);
	yg_stmt_i64(s, 2, (int64_t)rows.n);
	yg_stmt_blob(s, 3, rows);
	return yg_stmt_run(s, err);
}

yg_status yg_watch_rows_next(struct yg_state *db, int64_t after, struct yg_buf *out, int64_t *seq,
			     struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT seq, data FROM detect_finding WHERE seq > $1 ORDER BY seq LIMIT 1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, after);
	st = yg_stmt_step(s, &row, err);
	if (st != YG_OK || !row)
		return st == YG_OK ? YG_NOTFOUND : st;
	*seq = yg_col_i64(s, 0);
	yg_buf_put(out, yg_col_text(s, 1));
	return out->bad ? YG_FAIL(err, YG_NOMEM, "findings that wait") : YG_OK;
}

yg_status yg_watch_rows_forget(struct yg_state *db, int64_t seq, struct yg_err *err)
{
	return run(db, YG_SQL("DELETE FROM detect_finding WHERE seq <= $1"), seq, err);
}
