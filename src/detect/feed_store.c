#include "detect/feed_store.h"

#define ORGS_MAX 100000

/* ---- in ---- */

static yg_status queue(struct yg_state *db, struct yg_feed_queue *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT last, consumed, bytes, dropped FROM detect_feed_state"), &s,
		err);
	if (st == YG_OK)
		st = yg_stmt_step(s, &row, err);
	if (st != YG_OK)
		return st;
	if (!row)
		return YG_FAIL(err, YG_CORRUPT, "the state of the feed is not there");
	*out = (struct yg_feed_queue){yg_col_i64(s, 0), yg_col_i64(s, 1),
				      (uint64_t)yg_col_i64(s, 2), (uint64_t)yg_col_i64(s, 3)};
	return YG_OK;
}

yg_status yg_feed_queue(struct yg_state *db, struct yg_feed_queue *out, struct yg_err *err)
{
	return queue(db, out, err);
}

static yg_status queue_set(struct yg_state *db, const struct yg_feed_queue *q, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("UPDATE detect_feed_state SET last = $1, consumed = $2, bytes = $3, dropped = $4"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, q->last);
	yg_stmt_i64(s, 2, q->consumed);
	yg_stmt_i64(s, 3, (int64_t)q->bytes);
	yg_stmt_i64(s, 4, (int64_t)q->dropped);
	return yg_stmt_run(s, err);
}

static yg_status add_row(struct yg_state *db, struct yg_feed_queue *q, struct yg_sv org,
			 yg_wall now, struct yg_sv body, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("INSERT INTO detect_feed (seq, org, taken, bytes, body) VALUES ($1, $2, $3, $4, $5)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, ++q->last);
	yg_stmt_text(s, 2, org);
	yg_stmt_i64(s, 3, now.us);
	yg_stmt_i64(s, 4, (int64_t)body.n);
	yg_stmt_blob(s, 5, body);
	q->bytes += body.n;
	return yg_stmt_run(s, err);
}

static yg_status delete_row(struct yg_state *db, int64_t seq, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st =
		yg_state_prepare(db, YG_SQL("DELETE FROM detect_feed WHERE seq = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, seq);
	return yg_stmt_run(s, err);
}

static yg_status oldest(struct yg_state *db, int64_t *out_seq, uint64_t *out_bytes, bool *out_any,
			struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT seq, bytes FROM detect_feed ORDER BY seq LIMIT 1"), &s, err);
	if (st == YG_OK)
		st = yg_stmt_step(s, out_any, err);
	if (st != YG_OK || !*out_any)
		return st;
	*out_seq = yg_col_i64(s, 0);
	*out_bytes = (uint64_t)yg_col_i64(s, 1);
	return YG_OK;
}

/* Room for n more bytes: the oldest go. */
static yg_status make_room(struct yg_state *db, struct yg_feed_queue *q, size_t n,
			   uint64_t *out_dropped, struct yg_err *err)
{
	yg_status st = YG_OK;
	bool any = true;
	while (st == YG_OK && any && q->bytes + n > YG_FEED_WAITING_MAX) {
		int64_t seq = 0;
		uint64_t bytes = 0;
		st = oldest(db, &seq, &bytes, &any, err);
		if (st != YG_OK || !any)
			break;
		st = delete_row(db, seq, err);
		q->bytes -= YG_MIN(bytes, q->bytes);
		q->dropped++;
		(*out_dropped)++;
	}
	return st;
}

static yg_status mark_of(struct yg_state *db, uint32_t spool, bool *out_any, uint64_t *out,
			 struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT batch FROM detect_feed_mark WHERE spool = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, spool);
	st = yg_stmt_step(s, out_any, err);
	*out = st == YG_OK && *out_any ? (uint64_t)yg_col_i64(s, 0) : 0;
	return st;
}

static yg_status mark_set(struct yg_state *db, const struct yg_feed_head *h, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("INSERT INTO detect_feed_mark (spool, batch) VALUES ($1, $2)"
		       " ON CONFLICT (spool) DO UPDATE SET batch = excluded.batch"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, h->spool);
	yg_stmt_i64(s, 2, (int64_t)h->batch);
	return yg_stmt_run(s, err);
}

static yg_status give_counts(struct yg_state *db, struct yg_sv body, yg_feed_count_fn *count,
			     void *ctx, bool *out_others, struct yg_err *err)
{
	struct yg_feed_reader r;
	struct yg_feed_entry e;
	yg_status st = yg_feed_open(&r, body, err);
	*out_others = false;
	while (st == YG_OK && yg_feed_next(&r, &e)) {
		if (e.kind != YG_FEED_STAT && e.kind != YG_FEED_SOURCE)
			*out_others = true;
		else if (count != NULL)
			st = count(ctx, db, &r.head, &e, err);
	}
	return st == YG_OK && count != NULL ? count(ctx, db, &r.head, NULL, err) : st;
}

static yg_status take(struct yg_state *db, const struct yg_feed_head *h, struct yg_sv body,
		      yg_wall now, yg_feed_count_fn *count, void *ctx, struct yg_feed_taken *out,
		      struct yg_err *err)
{
	struct yg_feed_queue q;
	uint64_t mark = 0;
	bool any = false, others = false;
	yg_status st = mark_of(db, h->spool, &any, &mark, err);
	if (st == YG_OK && any && h->batch <= mark) {
		out->duplicate = true;
		return YG_OK;
	}
	if (st == YG_OK)
		st = give_counts(db, body, count, ctx, &others, err);
	if (st == YG_OK && others) {
		st = queue(db, &q, err);
		if (st == YG_OK)
			st = make_room(db, &q, body.n, &out->dropped, err);
		if (st == YG_OK)
			st = add_row(db, &q, h->org, now, body, err);
		if (st == YG_OK)
			st = queue_set(db, &q, err);
	}
	return st == YG_OK ? mark_set(db, h, err) : st;
}

yg_status yg_feed_take(struct yg_state *db, struct yg_sv body, yg_wall now, yg_feed_count_fn *count,
		       void *ctx, struct yg_feed_taken *out, struct yg_err *err)
{
	struct yg_feed_head h;
	struct yg_tx tx;
	struct yg_feed_taken taken = {0};
	yg_status st = yg_feed_check(body, &h, err); /* before the write lock is taken */
	if (st == YG_OK)
		st = yg_tx_begin(&tx, db, err);
	if (st != YG_OK)
		return st;
	st = take(db, &h, body, now, count, ctx, &taken, err);
	st = yg_tx_end(&tx, st, err);
	if (st == YG_OK)
		*out = taken;
	return st;
}

yg_status yg_feed_tick(struct yg_state *db, yg_wall now, struct yg_err *err)
{
	struct yg_feed_queue q;
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, db, err);
	if (st != YG_OK)
		return st;
	st = queue(db, &q, err);
	if (st == YG_OK)
		st = add_row(db, &q, YG_SV(""), now, YG_SV(""), err);
	if (st == YG_OK)
		st = queue_set(db, &q, err);
	return yg_tx_end(&tx, st, err);
}

/* ---- out ---- */

yg_status yg_feed_row(struct yg_state *db, int64_t after, struct yg_buf *buf,
		      struct yg_feed_row *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT seq, taken, body FROM detect_feed WHERE seq > $1 ORDER BY seq LIMIT 1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, after);
	st = yg_stmt_step(s, &row, err);
	if (st != YG_OK || !row)
		return st != YG_OK ? st : YG_NOTFOUND;
	buf->n = 0;
	buf->bad = buf->nomem = false;
	yg_buf_put(buf, yg_col_text(s, 2));
	if (buf->bad)
		return YG_FAIL(err, YG_NOMEM, "a row of the feed");
	*out = (struct yg_feed_row){yg_col_i64(s, 0), {yg_col_i64(s, 1)}, yg_buf_sv(buf)};
	return YG_OK;
}

static yg_status save_part(struct yg_state *db, const struct yg_feed_state *of, const char *part,
			   int64_t seq, yg_wall now, struct yg_err *err)
{
	const struct yg_buf *data = strcmp(part, "notice") == 0 ? of->notice : of->correlate;
	struct yg_stmt *s = NULL;
	if (data == NULL)
		return YG_OK;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("INSERT INTO detect_state (org, part, saved, data, seq)"
		       " SELECT slug, $2, $3, $4, $5 FROM organisation WHERE slug = $1"
		       " ON CONFLICT (org, part) DO UPDATE SET saved = excluded.saved, data = excluded.data,"
		       " seq = excluded.seq"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, of->org);
	yg_stmt_text(s, 2, yg_sv_of(part));
	yg_stmt_i64(s, 3, now.us);
	yg_stmt_blob(s, 4, yg_buf_sv(data));
	yg_stmt_i64(s, 5, seq);
	return yg_stmt_run(s, err);
}

static yg_status bytes_until(struct yg_state *db, int64_t seq, uint64_t *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT coalesce(sum(bytes), 0) FROM detect_feed WHERE seq <= $1"), &s,
		err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, seq);
	st = yg_stmt_step(s, &row, err);
	*out = st == YG_OK && row ? (uint64_t)yg_col_i64(s, 0) : 0;
	return st;
}

static yg_status consumed(struct yg_state *db, int64_t seq, struct yg_err *err)
{
	struct yg_feed_queue q;
	struct yg_stmt *s = NULL;
	uint64_t bytes = 0;
	yg_status st = queue(db, &q, err);
	if (st == YG_OK)
		st = bytes_until(db, seq, &bytes, err);
	if (st == YG_OK)
		st = yg_state_prepare(db, YG_SQL("DELETE FROM detect_feed WHERE seq <= $1"), &s,
				      err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, seq);
	st = yg_stmt_run(s, err);
	q.bytes -= YG_MIN(bytes, q.bytes);
	q.consumed = seq;
	return st == YG_OK ? queue_set(db, &q, err) : st;
}

yg_status yg_feed_save(struct yg_state *db, const struct yg_feed_state *state, int64_t seq,
		       yg_wall now, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, db, err);
	if (st != YG_OK)
		return st;
	st = save_part(db, state, "correlate", seq, now, err);
	if (st == YG_OK)
		st = save_part(db, state, "notice", seq, now, err);
	return yg_tx_end(&tx, st, err);
}

yg_status yg_feed_consumed(struct yg_state *db, int64_t seq, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, db, err);
	return st == YG_OK ? yg_tx_end(&tx, consumed(db, seq, err), err) : st;
}

yg_status yg_feed_load(struct yg_state *db, struct yg_sv org, const char *part, struct yg_buf *out,
		       int64_t *out_seq, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT data, seq FROM detect_state WHERE org = $1 AND part = $2"), &s,
		err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, org);
	yg_stmt_text(s, 2, yg_sv_of(part));
	st = yg_stmt_step(s, &row, err);
	out->n = 0;
	*out_seq = st == YG_OK && row ? yg_col_i64(s, 1) : 0;
	if (st == YG_OK && row)
		yg_buf_put(out, yg_col_text(s, 0));
	return st == YG_OK && out->bad ? YG_FAIL(err, YG_NOMEM, "a saved state") : st;
}

yg_status yg_feed_orgs(struct yg_state *db, struct yg_arena *arena, struct yg_sv **out,
		       size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_sv *list = NULL;
	size_t n = 0, cap = 0;
	bool row = true;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT DISTINCT org FROM detect_state ORDER BY org"), &s, err);
	while (st == YG_OK && n < ORGS_MAX && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		if (n == cap) {
			struct yg_sv *more = YG_NEW_N(arena, struct yg_sv, cap = cap * 2 + 64);
			if (more != NULL && n > 0)
				memcpy(more, list, n * sizeof *list);
			list = more;
		}
		if (list != NULL)
			list[n] = yg_arena_dup(arena, yg_col_text(s, 0));
		if (list == NULL || list[n].p == NULL)
			return YG_FAIL(err, YG_NOMEM, "saved states");
		n++;
	}
	*out = list;
	*out_n = n;
	return st;
}
