/* clickhouse.h - a client of the ClickHouse HTTP interface, over TCP or a Unix
 * socket, by libcurl.  Whether the embedded store or a cluster answers makes no
 * difference to the caller.  Blocking; one thread at a time per client (open
 * several).
 *
 * Query parameters are written {name:Type} in the SQL.  Servers from 19.14 on
 * substitute them themselves; for older ones (18.16 has none) the client does,
 * by literals that it builds and checks for the named type.
 */
#pragma once
#include "base/arena.h"
#include "base/sb.h"

struct yg_ch; /* owned: yg_ch_close() */

struct yg_ch_conf {
	const char *url;      /* "unix:/path/store.sock" or "http://127.0.0.1:8123" */
	const char *database; /* "yagura" */
	const char *user;     /* NULL: none */
	const char *password; /* NULL: none; never logged */
};
yg_status yg_ch_open(const struct yg_ch_conf *conf, struct yg_ch **out, struct yg_err *err);
void yg_ch_close(struct yg_ch *ch);
const char *yg_ch_database(const struct yg_ch *ch); /* borrowed from ch */

struct yg_ch_param { /* {name:Type} in the query */
	const char *name;
	struct yg_sv value; /* borrowed; String: the bytes themselves; numbers: digits */
	bool array;         /* Array(String): value is what yg_ch_array() wrote */
};
/* Appends ['a','b'] with every element escaped: the value of an Array(String). */
/* 'text' as a literal; whatever it holds, it cannot end the quotes.  For statements that take
 * more than parameters can carry. */
void yg_ch_quote(struct yg_buf *b, struct yg_sv s);
void yg_ch_array(struct yg_buf *b, const struct yg_sv *items, size_t n);
struct yg_ch_query {
	struct yg_sv sql;   /* without FORMAT */
	const char *format; /* "TabSeparated", "JSONEachRow", "RowBinary"; NULL for none */
	const struct yg_ch_param *params;
	size_t param_count;
	const char *query_id;   /* NULL: the server makes one */
	uint32_t max_seconds;   /* 0: the client's default of 30 */
	uint64_t max_rows_read; /* 0: no limit */
	bool no_database;       /* do not name the database: it may not exist yet */
	bool no_wait;           /* an ALTER that rewrites parts comes back before it has */
};
/* The whole result in `out` (its limit bounds the size).  A server's error is
 * YG_INVAL with its text, but: no such table or database YG_NOTFOUND, a limit of
 * time, memory, rows or size YG_LIMIT, credentials refused YG_DENIED, too busy,
 * cancelled or no room on its disk YG_AGAIN.  No connection is YG_AGAIN; time
 * over is YG_LIMIT. */
yg_status yg_ch_query(struct yg_ch *ch, const struct yg_ch_query *q, struct yg_buf *out,
		      struct yg_err *err);
/* INSERT INTO <into> FORMAT RowBinary, body as given, under that query id.
 * Sent once, on a connection of its own: never again behind the caller's back.
 * Anything but YG_OK leaves it open whether the rows are in: ask (settle, then
 * count) before sending them again.  YG_PARSE: refused for what the rows or the
 * table's columns are; the same again would be refused again. */
yg_status yg_ch_insert(struct yg_ch *ch, const char *into, const char *query_id, struct yg_sv rows,
		       struct yg_err *err);
/* The same in another input format ("Native"). */
yg_status yg_ch_insert_as(struct yg_ch *ch, const char *into, const char *format,
			  const char *query_id, struct yg_sv rows, struct yg_err *err);
/* Returns when no query of that id runs any more (KILL QUERY ... SYNC; an
 * insert that has begun is finished, not undone). */
yg_status yg_ch_settle(struct yg_ch *ch, const char *query_id, struct yg_err *err);
/* True when the server answers /ping. */
bool yg_ch_ping(struct yg_ch *ch);
/* The server's version as 100 * year + month (1816, 2607); 0 when unknown. */
uint32_t yg_ch_version(struct yg_ch *ch);

/* For old servers and for tests: `sql` with every {name:Type} replaced by a
 * literal, appended to out.  Pure.  YG_INVAL: a placeholder without parameter,
 * a type that is not known here, or a value that is not of its type. */
yg_status yg_ch_substitute(struct yg_sv sql, const struct yg_ch_param *params, size_t n,
			   struct yg_buf *out, struct yg_err *err);
