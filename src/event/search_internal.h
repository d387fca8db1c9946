/* search_internal.h - shared by what reads the event table for people. */
#pragma once
#include "event/search.h"

/* " AND ..." for what the asker may see; every statement has it. */
yg_status yg_search_put_scope(struct yg_buf *sql, const struct yg_search_scope *scope,
			      struct yg_err *err);
/* " PREWHERE (...)", what was asked for; nothing when it was all. */
void yg_search_put_where(struct yg_buf *sql, const struct yg_search *s);
/* "SELECT org, ...": what yg_event_row_read() reads.  Not `whole`: with nothing for the
 * record and its names, which are most of the bytes and which no list shows. */
void yg_search_put_columns(struct yg_buf *sql, bool whole);
/* " AND (...)": what comes behind that place, newest first. */
void yg_search_put_after(struct yg_buf *sql, struct yg_search_key k);
/* What a statement that finds places selects, the most bytes of one in its answer, and
 * one read from it: the organisation is kept in the arena (YG_CORRUPT, YG_NOMEM). */
#define YG_SEARCH_PLACE       "time, spool, batch, row, org"
#define YG_SEARCH_PLACE_BYTES (24u + 2u + YG_ORG_NAME_MAX)
yg_status yg_search_read_place(struct yg_rd *rd, struct yg_arena *arena, struct yg_search_key *out,
			       struct yg_err *err);
/* The events at those places (sorted in place), newest first. */
yg_status yg_search_places(struct yg_ch *ch, const struct yg_search_scope *scope,
			   struct yg_search_key *keys, size_t n, struct yg_arena *arena,
			   struct yg_search_page *out, struct yg_err *err);
