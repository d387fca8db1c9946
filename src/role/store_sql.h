/* store_sql.h - as much of a statement as role store must know before the
 * engine gets it: is it an INSERT whose data follows, is it KILL QUERY (which
 * is ours to do), what format does it name.  Pure; no recursion.
 *
 * What this reader takes for one thing and the engine for another can only
 * lead to an error of the engine: every right is checked by the engine itself.
 */
#pragma once
#include "base/sv.h"

enum yg_store_verb {
	YG_STORE_EMPTY,
	YG_STORE_OTHER,
	YG_STORE_INSERT, /* INSERT ... FORMAT x, data behind it or in the body */
	YG_STORE_KILL,   /* KILL QUERY WHERE query_id = '...' */
};
struct yg_store_sql {
	enum yg_store_verb verb;
	struct yg_sv head;    /* INSERT: the statement without FORMAT and data */
	struct yg_sv format;  /* named by FORMAT; empty: none */
	struct yg_sv data;    /* INSERT: what follows in the same text */
	struct yg_sv kill_id; /* KILL: the id */
	bool kill_sync;       /* KILL: SYNC */
	bool select;          /* begins with SELECT or WITH: its result can come piece by piece */
	bool reads_file;      /* FROM INFILE or INTO OUTFILE: refused */
};
/* Views point into `text`. */
void yg_store_sql_read(struct yg_sv text, struct yg_store_sql *out);
/* True when rows of this format stand on their own, so that a result can be
 * sent piece by piece. */
bool yg_store_format_streams(struct yg_sv format);
const char *yg_store_format_mime(struct yg_sv format); /* static */
/* The HTTP status that ClickHouse gives an exception of that number. */
unsigned yg_store_http_status(uint32_t code);
