#include "org/source.h"

#include "org/coverage.h"

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

static yg_status take(struct yg_stmt *s, struct yg_arena *arena, struct yg_source_row *r,
		      struct yg_err *err)
{
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

yg_status yg_source_list(struct yg_state *db, struct yg_sv org, const struct yg_source_row *after,
			 uint32_t limit, struct yg_arena *arena, struct yg_source_row **out,
			 size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	limit = YG_MIN(limit, (uint32_t)YG_PAGE_MAX + 1);
	struct yg_source_row *list = YG_NEW_N(arena, struct yg_source_row, limit);
	if (list == NULL && limit > 0)
		return YG_FAIL(err, YG_NOMEM, "sources");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT org, source, sensor, first_received, last_received, last_event, events, bytes,"
		       " unparsed, dropped FROM source WHERE ($1 = '' OR org = $1)"
		       " AND (org, source, sensor) > ($2, $3, $4) ORDER BY org, source, sensor LIMIT $5"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, org);
	yg_stmt_text(s, 2, after != NULL ? after->org : YG_SV(""));
	yg_stmt_text(s, 3, after != NULL ? after->source : YG_SV(""));
	yg_stmt_text(s, 4, after != NULL ? after->sensor : YG_SV(""));
	yg_stmt_i64(s, 5, limit);
	size_t n = 0;
	bool row = true;
	while (n < limit && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		st = take(s, arena, &list[n++], err);
		if (st != YG_OK)
			return st;
	}
	*out = list;
	*out_n = n;
	return st;
}
