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
void yg_state_close(struct yg_state *db);
/* Brings the schema to this program's version, in one transaction per step;
 * a database from a newer program is YG_CONFLICT. */
yg_status yg_state_migrate(struct yg_state *db, struct yg_err *err);

yg_status yg_state_begin(struct yg_state *db, struct yg_err *err); /* write transaction, at once */
yg_status yg_state_commit(struct yg_state *db, struct yg_err *err);
void yg_state_rollback(struct yg_state *db); /* fine when none is open */

/* A cached statement, reset and with no values bound. */
yg_status yg_state_prepare(struct yg_state *db, const char *sql, struct yg_stmt **out, struct yg_err *err);
/* Parameters count from 1.  Bound text is borrowed until the step is done. */
void yg_stmt_i64(struct yg_stmt *s, int at, int64_t v);
void yg_stmt_text(struct yg_stmt *s, int at, struct yg_sv v);
void yg_stmt_blob(struct yg_stmt *s, int at, struct yg_sv v);
void yg_stmt_null(struct yg_stmt *s, int at);
/* *out_row: a row is there.  A unique or foreign key violation is YG_CONFLICT. */
yg_status yg_stmt_step(struct yg_stmt *s, bool *out_row, struct yg_err *err);
/* Steps to the end and finishes; for statements without rows. */
yg_status yg_stmt_run(struct yg_stmt *s, struct yg_err *err);
void yg_stmt_done(struct yg_stmt *s); /* gives it back to the cache */
/* Columns count from 0. */
int64_t yg_col_i64(struct yg_stmt *s, int at);
struct yg_sv yg_col_text(struct yg_stmt *s, int at); /* empty for NULL */
bool yg_col_null(struct yg_stmt *s, int at);
uint64_t yg_state_changes(struct yg_state *db); /* rows of the last statement */
