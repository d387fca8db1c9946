#include "org/source.h"

#include "base/codec.h"

#define COUNT_BYTES 48u
#define COUNT_MOST  (1ull << 40) /* of one batch; sums of a message stay below 2^63 */
#define SPOOL_MOST  0xffffu
#define MARK_COUNTS 0xffff0000u /* in finding_mark beside the spool's own and its parts' */

#include "org/coverage.h"
#include "org/rows.h"

static yg_status add_one(struct yg_state *db, const struct yg_source_row *r, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("INSERT INTO source (org, source, sensor, first_received, last_received, last_event,"
		       " events, bytes, unparsed, dropped)"
		       " SELECT slug, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM organisation WHERE slug = $1"
		       " ON CONFLICT (org, source, sensor) DO UPDATE SET"
		       " last_received = CASE WHEN excluded.last_received > source.last_received"
		       " THEN excluded.last_received ELSE source.last_received END,"
		       " last_event = CASE WHEN excluded.last_event > source.last_event"
		       " THEN excluded.last_event ELSE source.last_event END,"
		       " events = source.events + excluded.events, bytes = source.bytes + excluded.bytes,"
		       " unparsed = source.unparsed + excluded.unparsed, dropped = source.dropped + excluded.dropped"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, r->org);
	yg_stmt_text(s, 2, r->source);
	yg_stmt_text(s, 3, r->sensor);
	yg_stmt_i64(s, 4, r->first_received.us != 0 ? r->first_received.us : r->last_received.us);
	yg_stmt_i64(s, 5, r->last_received.us);
	yg_stmt_i64(s, 6, r->last_event.us);
	yg_stmt_i64(s, 7, r->events);
	yg_stmt_i64(s, 8, r->bytes);
	yg_stmt_i64(s, 9, r->unparsed);
	yg_stmt_i64(s, 10, r->dropped);
	st = yg_stmt_run(s, err);
	if (st != YG_OK || yg_state_changes(db) == 0 || r->events == 0)
		return st;
	return yg_event_hour_add(db, r->org, r->last_received.us / (3600 * YG_US_PER_S), r->events,
				 err);
}

yg_status yg_source_add(struct yg_state *db, const struct yg_source_row *delta, size_t n,
			struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, db, err);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; st == YG_OK && i < n; i++)
		st = add_one(db, &delta[i], err);
	return yg_tx_end(&tx, st, err);
}

struct counts {                     /* a message, read */
	struct yg_source_row *keys; /* arena */
	uint32_t key_n, spool;
	struct yg_rd entries;
	uint64_t last;
};

static yg_status counts_head(struct yg_rd *r, struct yg_arena *arena, struct counts *out,
			     uint32_t *out_entries, struct yg_err *err)
{
	out->spool = yg_rd_le32(r);
	out->key_n = yg_rd_le32(r);
	*out_entries = yg_rd_le32(r);
	(void)yg_rd_le32(r);
	if (r->bad || out->spool > SPOOL_MOST || out->key_n > yg_rd_left(r) / 12)
		return YG_FAIL(err, YG_PARSE, "counts: the message is cut short");
	out->keys = YG_NEW_N(arena, struct yg_source_row, out->key_n + 1);
	if (out->keys == NULL)
		return YG_FAIL(err, YG_NOMEM, "counts");
	for (uint32_t k = 0; k < out->key_n; k++) {
		out->keys[k].org = yg_rd_sv32(r);
		out->keys[k].source = yg_rd_sv32(r);
		out->keys[k].sensor = yg_rd_sv32(r);
	}
	if (r->bad || (uint64_t)*out_entries * COUNT_BYTES != yg_rd_left(r))
		return YG_FAIL(err, YG_PARSE, "counts: the message is cut short or has too much");
	return YG_OK;
}

/* One entry; false: it is not one. */
static bool entry(struct yg_rd *r, const struct counts *c, uint64_t *batch, uint32_t *key,
		  struct yg_source_row *out)
{
	*batch = yg_rd_le64(r);
	*key = yg_rd_le32(r);
	(void)yg_rd_le32(r);
	out->last_received.us = (int64_t)yg_rd_le64(r);
	uint64_t events = yg_rd_le64(r), bytes = yg_rd_le64(r), unparsed = yg_rd_le64(r);
	if (r->bad || *key >= c->key_n || *batch > INT64_MAX || out->last_received.us < 0 ||
	    events > COUNT_MOST || bytes > COUNT_MOST || unparsed > COUNT_MOST)
		return false;
	out->events = (int64_t)events;
	out->bytes = (int64_t)bytes;
	out->unparsed = (int64_t)unparsed;
	return true;
}

static yg_status counts_read(struct yg_sv body, struct yg_arena *arena, struct counts *out,
			     struct yg_err *err)
{
	struct yg_rd r = yg_rd_init(body.p, body.n);
	uint32_t n = 0, key;
	yg_status st = counts_head(&r, arena, out, &n, err);
	if (st != YG_OK)
		return st;
	out->entries = r;
	for (uint32_t i = 0; i < n; i++) {
		struct yg_source_row row = {0};
		uint64_t batch;
		if (!entry(&r, out, &batch, &key, &row) || (i > 0 && batch <= out->last))
			return YG_FAIL(err, YG_PARSE, "counts: entry %u is none, or out of order",
				       i);
		out->last = batch;
	}
	return n > 0 ? YG_OK : YG_FAIL(err, YG_PARSE, "counts: the message is empty");
}

static void counts_sum(struct counts *c, bool any, uint64_t mark)
{
	struct yg_rd r = c->entries;
	while (yg_rd_left(&r) > 0) {
		struct yg_source_row row = {0};
		uint64_t batch;
		uint32_t key;
		if (!entry(&r, c, &batch, &key, &row))
			return;
		if (any && batch <= mark)
			continue;
		struct yg_source_row *to = &c->keys[key];
		bool first =
			to->first_received.us == 0 || row.last_received.us < to->first_received.us;
		to->events += row.events;
		to->bytes += row.bytes;
		to->unparsed += row.unparsed;
		if (first)
			to->first_received = row.last_received;
		to->last_received.us = YG_MAX(to->last_received.us, row.last_received.us);
		to->last_event = to->last_received;
	}
}

static yg_status mark_read(struct yg_state *db, uint32_t spool, bool *out_any, uint64_t *out,
			   struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT batch FROM finding_mark WHERE spool = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, (int64_t)(MARK_COUNTS | spool));
	st = yg_stmt_step(s, out_any, err);
	*out = st == YG_OK && *out_any ? (uint64_t)yg_col_i64(s, 0) : 0;
	return st;
}

static yg_status mark_save(struct yg_state *db, uint32_t spool, uint64_t batch, yg_wall now,
			   struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("INSERT INTO finding_mark (spool, batch, time) VALUES ($1, $2, $3)"
		       " ON CONFLICT (spool) DO UPDATE SET batch = excluded.batch, time = excluded.time"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, (int64_t)(MARK_COUNTS | spool));
	yg_stmt_i64(s, 2, (int64_t)batch);
	yg_stmt_i64(s, 3, now.us);
	return yg_stmt_run(s, err);
}

static yg_status counts_apply(struct yg_state *db, yg_wall now, struct counts *c,
			      struct yg_err *err)
{
	struct yg_tx tx;
	bool any = false;
	uint64_t mark = 0;
	yg_status st = yg_tx_begin(&tx, db, err);
	if (st != YG_OK)
		return st;
	st = mark_read(db, c->spool, &any, &mark, err);
	if (st != YG_OK || (any && c->last <= mark))
		return yg_tx_end(&tx, st, err);
	counts_sum(c, any, mark);
	for (uint32_t k = 0; k < c->key_n && st == YG_OK; k++)
		if (c->keys[k].last_received.us != 0)
			st = add_one(db, &c->keys[k], err);
	if (st == YG_OK)
		st = mark_save(db, c->spool, c->last, now, err);
	return yg_tx_end(&tx, st, err);
}

yg_status yg_source_counts_apply(struct yg_state *db, yg_wall now, struct yg_sv body,
				 struct yg_err *err)
{
	struct yg_arena arena;
	struct counts c = {0};
	yg_arena_init(&arena, (size_t)256 << 20);
	yg_status st = counts_read(body, &arena, &c, err);
	if (st == YG_OK)
		st = counts_apply(db, now, &c, err);
	yg_arena_free(&arena);
	return st;
}

static yg_status take(struct yg_stmt *s, struct yg_arena *arena, void *to, struct yg_err *err)
{
	struct yg_source_row *r = to;
	struct yg_sv *text[] = {&r->org, &r->source, &r->sensor};
	for (size_t i = 0; i < YG_LEN(text); i++) {
		*text[i] = yg_arena_dup(arena, yg_col_text(s, (int)i));
		if (text[i]->p == NULL)
			return YG_FAIL(err, YG_NOMEM, "sources");
	}
	r->first_received.us = yg_col_i64(s, 3);
	r->last_received.us = yg_col_i64(s, 4);
	r->last_event.us = yg_col_i64(s, 5);
	r->events = yg_col_i64(s, 6);
	r->bytes = yg_col_i64(s, 7);
	r->unparsed = yg_col_i64(s, 8);
	r->dropped = yg_col_i64(s, 9);
	return YG_OK;
}

yg_status yg_source_list(struct yg_state *db, const struct yg_reach *reach,
			 const struct yg_source_row *after, uint32_t limit, struct yg_arena *arena,
			 struct yg_source_row **out, size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	limit = YG_MIN(limit, (uint32_t)YG_PAGE_MAX + 1);
	struct yg_source_row *list = YG_NEW_N(arena, struct yg_source_row, limit);
	if (list == NULL && limit > 0)
		return YG_FAIL(err, YG_NOMEM, "sources");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT org, source, sensor, first_received, last_received, last_event, events, bytes,"
		       " unparsed, dropped FROM source WHERE ($1 = 1 OR org IN yg_set($6))"
		       " AND (org, source, sensor) > ($2, $3, $4) ORDER BY org, source, sensor LIMIT $5"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, yg_reach_all_flag(reach));
	yg_stmt_set(s, 6, reach->orgs, reach->org_count);
	yg_stmt_text(s, 2, after != NULL ? after->org : YG_SV(""));
	yg_stmt_text(s, 3, after != NULL ? after->source : YG_SV(""));
	yg_stmt_text(s, 4, after != NULL ? after->sensor : YG_SV(""));
	yg_stmt_i64(s, 5, limit);
	*out = list;
	return yg_rows_take(s, take, arena, list, sizeof *list, limit, out_n, err);
}
