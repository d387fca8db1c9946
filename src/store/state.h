/* state.h - the state database behind one small interface; SQLite today, libpq
 * later.  SQL is portable: $1 parameters, ON CONFLICT, RETURNING, no dialect.
 *
 * One yg_state per thread; several may be open on one file (WAL).  Statements
 * are cached per handle by their text.  Text results are borrowed until the
 * next step or finish of that statement.
 */
#pragma once
#include "base/env.h"

struct yg_state; /* owned: yg_state_close() */
struct yg_stmt;

/* Opens (and creates) `path`, or ":memory:".  Applies no migration. */
yg_status yg_state_open(const char *path, struct yg_state **out, struct yg_err *err);
/* An existing file, for reading only (audit-log verify, doctor); nothing is created. */
yg_status yg_state_open_read(const char *path, struct yg_state **out, struct yg_err *err);
void yg_state_close(struct yg_state *db);
void yg_state_closep(struct yg_state **db); /* for YG_AUTO */
/* Brings the schema to this program's version, in one transaction per step;
 * a database from a newer program is YG_CONFLICT. */
yg_status yg_state_migrate(struct yg_state *db, struct yg_err *err);

yg_status yg_state_begin(struct yg_state *db, struct yg_err *err); /* write transaction, at once */
yg_status yg_state_commit(struct yg_state *db, struct yg_err *err);
void yg_state_rollback(struct yg_state *db); /* fine when none is open */
bool yg_state_in_transaction(const struct yg_state *db);

/* A transaction that joins the one already open, if any: functions that change
 * something can be called alone or as a part of more.  End it with the outcome:
 * OK commits (when it is the outer one), anything else rolls all of it back. */
struct yg_tx {
	struct yg_state *db; /* borrowed */
	bool outer;
};
yg_status yg_tx_begin(struct yg_tx *tx, struct yg_state *db, struct yg_err *err);
yg_status yg_tx_end(struct yg_tx *tx, yg_status outcome, struct yg_err *err);

/* Every statement of the program is written as YG_SQL("..."), which also puts
 * it into a list that store/sql_test.c prepares and lints, all of them. */
#define YG_SQL(text)                                                                               \
	({                                                                                         \
		static const char *const yg_sql_ __attribute__((section("yg_sql"), used)) = text;  \
		yg_sql_;                                                                           \
	})

/* A copy of the database as it is at one moment, into a new file (YG_CONFLICT
 * when there is one), synced.  Readers and writers go on meanwhile. */
yg_status yg_state_copy(struct yg_state *db, const char *path, struct yg_err *err);
/* Reads every page and checks structure, indexes and foreign keys.  YG_OK when
 * whole; YG_CORRUPT with the first complaint. */
yg_status yg_state_check(struct yg_state *db, struct yg_err *err);
/* Number of the newest migration applied; 0 for none. */
uint32_t yg_state_schema(struct yg_state *db);

/* A cached statement, reset and with no values bound. */
yg_status yg_state_prepare(struct yg_state *db, const char *sql, struct yg_stmt **out,
			   struct yg_err *err);
/* Parameters count from 1.  Bound text is borrowed until the step is done. */
void yg_stmt_i64(struct yg_stmt *s, int at, int64_t v);
void yg_stmt_text(struct yg_stmt *s, int at, struct yg_sv v);
void yg_stmt_blob(struct yg_stmt *s, int at, struct yg_sv v);
void yg_stmt_null(struct yg_stmt *s, int at);
void yg_stmt_text_or_null(struct yg_stmt *s, int at, struct yg_sv v); /* empty is NULL */
/* A set of words (slugs, ids, states: no quotes, backslashes or control
 * characters; such a one is left out).  In SQL it is yg_set($n), a table with the
 * one column `item`: "org IN yg_set($1)", "FROM yg_set($1) o JOIN ..". */
void yg_stmt_set(struct yg_stmt *s, int at, const struct yg_sv *items, size_t n);
/* Alerts that may hold a text: in SQL `a.seq IN yg_near($n)`, with $n bound to the key
 * that yg_state_near() wrote (768 bytes hold any).  It leaves none out that holds it or
 * ever did; LIKE beside it says which do.  YG_NEAR_FEW: at most YG_NEAR_FEW_MAX, go by
 * them; YG_NEAR_MANY: go by the order asked for and look each up (`a.seq + 0 IN ...`);
 * YG_NEAR_NOT: no key, the text is too short or the database finds it by itself. */
#define YG_NEAR_FEW_MAX 20000
enum yg_near { YG_NEAR_NOT, YG_NEAR_FEW, YG_NEAR_MANY };
enum yg_near yg_state_near(struct yg_state *db, struct yg_sv text, struct yg_sb *key);
/* *out_row: a row is there.  A unique or foreign key violation is YG_CONFLICT,
 * a CHECK or NOT NULL is YG_INVAL, a trigger's refusal YG_DENIED, a lock that
 * another writer keeps YG_AGAIN; a full disk is YG_IO with os_errno ENOSPC: roll
 * back, the database stays as it was. */
yg_status yg_stmt_step(struct yg_stmt *s, bool *out_row, struct yg_err *err);
/* Steps to the end and finishes; for statements without rows. */
yg_status yg_stmt_run(struct yg_stmt *s, struct yg_err *err);
void yg_stmt_reset(struct yg_stmt *s);  /* to step again; what is bound stays bound */
void yg_stmt_done(struct yg_stmt *s);   /* gives it back to the cache; NULL is fine */
void yg_stmt_donep(struct yg_stmt **s); /* for YG_AUTO */
/* Columns count from 0. */
int64_t yg_col_i64(struct yg_stmt *s, int at);
struct yg_sv yg_col_text(struct yg_stmt *s, int at); /* empty for NULL */
bool yg_col_null(struct yg_stmt *s, int at);
uint64_t yg_state_changes(struct yg_state *db); /* rows of the last statement */
