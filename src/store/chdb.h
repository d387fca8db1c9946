/* chdb.h - the ClickHouse engine as a library (libchdb.so, its C ABI), inside
 * role store alone.
 *
 * Life: yg_chdb_load() (dlopen, while every file may still be read), then
 * yg_chdb_start() (behind the sandbox: starts the engine's threads).  There is
 * no stop: the engine does not always shut down cleanly, so the process ends by
 * _exit() once the last insert is acknowledged, and the next start recovers.
 *
 * Every request gets a connection of its own (about 0.4 ms): its settings, its
 * current database and its temporary tables end with it.  A connection is for
 * one thread at a time; different ones run side by side.
 *
 * The engine knows one user, "default", whose grants and bounds come from a
 * users file written here: no table function that reads files, opens sockets or
 * starts programs, and no setting above the limits below.
 */
#pragma once
#include "base/sb.h"

struct yg_chdb; /* lives as long as the process */

struct yg_chdb_conf {
	const char *folder;    /* "events": engine.xml, users.xml and db/ are put there */
	uint64_t memory_bytes; /* bound of the whole engine */
	uint64_t query_memory_bytes;
	uint64_t query_rows;   /* most rows one query reads; 0: no limit */
	uint64_t result_bytes; /* of one result */
	uint32_t query_seconds;
	uint32_t threads; /* per query */
};
/* The oldest of the places a library may be at that is there, or `configured`
 * when it is not empty; YG_NOTFOUND with a hint else.  `out` of PATH_MAX bytes. */
yg_status yg_chdb_find(const char *configured, char *out, size_t out_n, struct yg_err *err);
yg_status yg_chdb_load(const char *library, struct yg_chdb **out, struct yg_err *err);
yg_status yg_chdb_start(struct yg_chdb *db, const struct yg_chdb_conf *conf, struct yg_err *err);
const char *yg_chdb_version(struct yg_chdb *db);

struct yg_chdb_arg { /* a setting, or a query parameter as TSV text */
	struct yg_sv name, value;
};
/* What came of a query.  Owned: yg_chdb_result_free(). */
struct yg_chdb_result {
	struct yg_chdb *db;
	void *handle, *stream;
	struct yg_sv body;  /* borrowed from handle */
	struct yg_sv error; /* "Code: N. DB::Exception: ..."; empty: none; borrowed from handle */
	uint32_t code;      /* N; 0 without error */
	uint64_t rows, rows_read, bytes_read, rows_written, bytes_written;
};
void yg_chdb_result_free(struct yg_chdb_result *r);

struct yg_chdb_conn; /* owned: yg_chdb_close() */
/* `tag` marks what runs on it for yg_chdb_kill(); `settings` are trusted: they
 * are not checked against the users file.  YG_NOMEM or YG_INTERNAL. */
yg_status yg_chdb_open(struct yg_chdb *db, const char *tag, const struct yg_chdb_arg *settings,
		       size_t n, struct yg_chdb_conn **out, struct yg_err *err);
void yg_chdb_close(struct yg_chdb_conn *c);

/* What a statement does, by the engine's own parser. */
enum yg_chdb_class {
	YG_CHDB_READ,    /* leaves no trace */
	YG_CHDB_WRITE,   /* changes a database */
	YG_CHDB_GLOBAL,  /* functions, users, named collections */
	YG_CHDB_CONTROL, /* SET, USE, SYSTEM, BACKUP, ATTACH, KILL, INTO OUTFILE ... */
	YG_CHDB_UNKNOWN, /* did not parse, or nothing is known of it */
};
struct yg_chdb_kind {
	enum yg_chdb_class class;
	uint32_t statements; /* 0: did not parse */
};
struct yg_chdb_kind yg_chdb_classify(struct yg_chdb_conn *c, struct yg_sv sql);

/* Each fills *r, also when the answer is an error of the engine.  `format` is
 * for results of queries that name none. */
void yg_chdb_query(struct yg_chdb_conn *c, struct yg_sv sql, struct yg_sv format,
		   const struct yg_chdb_arg *params, size_t n, struct yg_chdb_result *r);
/* sql: INSERT without FORMAT; the data as one block (one part per partition). */
void yg_chdb_insert(struct yg_chdb_conn *c, struct yg_sv sql, struct yg_sv format,
		    struct yg_sv data, const struct yg_chdb_arg *params, size_t n,
		    struct yg_chdb_result *r);

/* A result piece by piece, for formats without frame around the rows.  After
 * begin (an error may be in *r) fetch until body.n == 0; then end. */
struct yg_chdb_stream; /* owned: yg_chdb_stream_end() */
void yg_chdb_stream_begin(struct yg_chdb_conn *c, struct yg_sv sql, struct yg_sv format,
			  const struct yg_chdb_arg *params, size_t n, struct yg_chdb_stream **out,
			  struct yg_chdb_result *r);
void yg_chdb_stream_fetch(struct yg_chdb_stream *s, struct yg_chdb_result *r);
void yg_chdb_stream_end(struct yg_chdb_stream *s); /* cancels what still runs; NULL is fine */

/* Asks the engine to end what runs under that tag; any thread; returns at once. */
void yg_chdb_kill(struct yg_chdb *db, const char *tag);
