#include "store/state.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "store/migration.h"
#include "store/state_near.h"

/* The SQLite back end.  What is SQLite's own (PRAGMA, triggers, the words that
 * are translated below) stays in this file and in *.sqlite.sql. */

#define STATEMENTS_MAX 256        /* kept prepared per handle; the program has fewer texts */
#define SQL_MAX        65536      /* bytes of one statement */
#define BUSY_MS        10000      /* a writer holds the lock for about a second at most */
#define APPLICATION_ID 0x59475241 /* "YGRA": another program's file is refused */

struct yg_stmt {
	sqlite3_stmt *s;
	struct yg_state *db;
	char *sql; /* owned; the key */
	bool busy; /* handed out */
	int bind_rc;
	bool keep; /* in the cache; others end with yg_stmt_done() */
};

struct yg_state {
	sqlite3 *db;
	sqlite3_stmt *rollback; /* prepared: it must not need memory when there is none */
	uint64_t changes;
	bool near; /* has the index of texts */
	size_t count;
	struct yg_stmt *cache[STATEMENTS_MAX];
};

static yg_status status_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE: return YG_OK;
	case SQLITE_NOMEM: return YG_NOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_INTERRUPT: return YG_AGAIN;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB: return YG_CORRUPT;
	case SQLITE_TOOBIG: return YG_TOOBIG;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH: return YG_DENIED;
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
	case SQLITE_NOLFS: return YG_IO;
	case SQLITE_CONSTRAINT:
		if (rc == SQLITE_CONSTRAINT_TRIGGER)
			return YG_DENIED;
		return rc == SQLITE_CONSTRAINT_CHECK || rc == SQLITE_CONSTRAINT_NOTNULL
			       ? YG_INVAL
			       : YG_CONFLICT;
	default: return YG_INTERNAL;
	}
}

static yg_status fail(struct yg_state *db, int rc, const char *doing, struct yg_err *err)
{
	yg_status st = status_of(rc);
	if ((rc & 0xff) == SQLITE_FULL)
		return yg_err_set(err, YG_IO, ENOSPC, __FILE__, "state database: %s", doing);
	return YG_FAIL(err, st == YG_OK ? YG_INTERNAL : st, "state database: %s: %s", doing,
		       db->db != NULL ? sqlite3_errmsg(db->db) : sqlite3_errstr(rc));
}

static yg_status exec(struct yg_state *db, const char *sql, struct yg_err *err)
{
	int rc = sqlite3_exec(db->db, sql, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		return YG_OK;
	char doing[64];
	struct yg_sb b = yg_sb_init(doing, sizeof doing);
	yg_sb_put(&b, yg_sv_sub(yg_sv_of(sql), 0, 40));
	return fail(db, sqlite3_extended_errcode(db->db), yg_sb_cstr(&b), err);
}

/* One integer of a PRAGMA; -1 when it gives none. */
static int64_t pragma(struct yg_state *db, const char *sql)
{
	sqlite3_stmt *s = NULL;
	int64_t v = -1;
	if (sqlite3_prepare_v2(db->db, sql, -1, &s, NULL) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW)
		v = sqlite3_column_int64(s, 0);
	(void)sqlite3_finalize(s);
	return v;
}

static void look_for_near(struct yg_state *db)
{
	db->near = pragma(db, "SELECT count(*) FROM sqlite_master"
			      " WHERE name = 'alert_search_todo'") == 1;
}

static yg_status set_up(struct yg_state *db, bool read_only, struct yg_err *err)
{
	static const struct {
		int option, value;
	} config[] = {
		{SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
		{SQLITE_DBCONFIG_DQS_DDL, 0},        {SQLITE_DBCONFIG_DQS_DML, 0},
		{SQLITE_DBCONFIG_ENABLE_FKEY, 1},    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
		{SQLITE_DBCONFIG_ENABLE_TRIGGER, 1},
	};
	for (size_t i = 0; i < YG_LEN(config); i++) {
		int now = -1;
		int rc = sqlite3_db_config(db->db, config[i].option, config[i].value, &now);
		if (rc != SQLITE_OK || now != config[i].value)
			return fail(db, rc, "safe settings", err);
	}
	(void)sqlite3_extended_result_codes(db->db, 1);
	(void)sqlite3_busy_timeout(db->db, BUSY_MS);
	(void)sqlite3_limit(db->db, SQLITE_LIMIT_ATTACHED, 0);
	(void)sqlite3_limit(db->db, SQLITE_LIMIT_LENGTH, 64 << 20);
	(void)sqlite3_limit(db->db, SQLITE_LIMIT_SQL_LENGTH, 1 << 20);
	int64_t id = pragma(db, "PRAGMA application_id");
	if (id < 0)
		return fail(db, sqlite3_extended_errcode(db->db), "reading the header", err);
	if (id != APPLICATION_ID &&
	    (id != 0 || pragma(db, "SELECT count(*) FROM sqlite_master") != 0))
		return YG_FAIL(err, YG_CONFLICT, "the file is a database of another program");
	if (read_only)
		return YG_OK;
	yg_status st = exec(db,
			    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			    "PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384;"
			    "PRAGMA temp_store = MEMORY",
			    err);
	if (st == YG_OK && id == 0)
		st = exec(db, "PRAGMA application_id = " YG_STR(APPLICATION_ID), err);
	return st;
}

static yg_status open_flags(const char *path, int flags, struct yg_state **out, struct yg_err *err)
{
	struct yg_state *db = calloc(1, sizeof *db);
	if (db == NULL)
		return YG_FAIL(err, YG_NOMEM, "state database");
	/* a new file is the owner's alone; one that is there is not touched, for
	 * closing a second descriptor of it would drop SQLite's locks */
	int fd = (flags & SQLITE_OPEN_CREATE) != 0 && path[0] != ':'
			 ? open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)
			 : -1;
	if (fd >= 0)
		(void)close(fd);
	int rc = sqlite3_open_v2(path, &db->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
				 NULL);
	yg_status st = rc == SQLITE_OK ? set_up(db, (flags & SQLITE_OPEN_READONLY) != 0, err)
				       : fail(db, rc, path, err);
	if (st == YG_OK) {
		rc = sqlite3_prepare_v3(db->db, "ROLLBACK", -1, SQLITE_PREPARE_PERSISTENT,
					&db->rollback, NULL);
		st = rc == SQLITE_OK ? YG_OK : fail(db, rc, "prepare", err);
	}
	if (st != YG_OK) {
		yg_state_close(db);
		return st;
	}
	look_for_near(db);
	*out = db;
	return YG_OK;
}

yg_status yg_state_open(const char *path, struct yg_state **out, struct yg_err *err)
{
	return open_flags(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, out, err);
}

yg_status yg_state_open_read(const char *path, struct yg_state **out, struct yg_err *err)
{
	return open_flags(path, SQLITE_OPEN_READONLY, out, err);
}

static void end_stmt(struct yg_stmt *s)
{
	(void)sqlite3_finalize(s->s);
	free(s->sql);
	free(s);
}

void yg_state_close(struct yg_state *db)
{
	if (db == NULL)
		return;
	for (size_t i = 0; i < db->count; i++)
		end_stmt(db->cache[i]);
	(void)sqlite3_finalize(db->rollback);
	(void)sqlite3_close_v2(db->db);
	free(db);
}

void yg_state_closep(struct yg_state **db)
{
	yg_state_close(*db);
}

yg_status yg_state_begin(struct yg_state *db, struct yg_err *err)
{
	if (!YG_CHECK(sqlite3_get_autocommit(db->db) != 0))
		return YG_FAIL(err, YG_INTERNAL, "state database: a transaction is open already");
	return exec(db, "BEGIN IMMEDIATE", err);
}

yg_status yg_state_commit(struct yg_state *db, struct yg_err *err)
{
	/* after a disk error SQLite may have rolled back by itself */
	if (sqlite3_get_autocommit(db->db) != 0)
		return YG_FAIL(err, YG_IO, "state database: the transaction was rolled back");
	yg_status st = db->near ? yg_state_near_apply(db, err) : YG_OK;
	if (st == YG_OK)
		st = exec(db, "COMMIT", err);
	if (st != YG_OK)
		yg_state_rollback(db);
	return st;
}

bool yg_state_has_near(const struct yg_state *db)
{
	return db->near;
}

void yg_state_rollback(struct yg_state *db)
{
	if (sqlite3_get_autocommit(db->db) != 0)
		return;
	(void)sqlite3_step(db->rollback);
	(void)sqlite3_reset(db->rollback);
}

bool yg_state_in_transaction(const struct yg_state *db)
{
	return sqlite3_get_autocommit(db->db) == 0;
}

yg_status yg_tx_begin(struct yg_tx *tx, struct yg_state *db, struct yg_err *err)
{
	*tx = (struct yg_tx){.db = db, .outer = !yg_state_in_transaction(db)};
	return tx->outer ? yg_state_begin(db, err) : YG_OK;
}

yg_status yg_tx_end(struct yg_tx *tx, yg_status outcome, struct yg_err *err)
{
	if (outcome != YG_OK)
		yg_state_rollback(tx->db);
	else if (tx->outer)
		outcome = yg_state_commit(tx->db, err);
	return outcome;
}

/* "$1" of our SQL is a name to SQLite, numbered by first use; "?1" is the number. */
static void translate_params(char *sql)
{
	char quote = 0;
	for (char *p = sql; *p != '\0'; p++) {
		if (quote != 0) {
			if (*p == quote)
				quote = 0;
		} else if (*p == '\'' || *p == '"') {
			quote = *p;
		} else if (*p == '$') {
			*p = '?';
		}
	}
}

/* yg_set(?1) is a table of one column; here the parameter holds a JSON list.  yg_near(?1)
 * is the rows of an index, and those that are not in it yet. */
static const struct word {
	const char *from, *to, *end;
} words[] = {{"yg_set(", "(SELECT value AS item FROM json_each(", ")"},
	     {"yg_near(", "(SELECT rowid FROM alert_search(",
	      " UNION ALL SELECT item FROM alert_search_todo)"}};

static const struct word *word_at(const char *p)
{
	for (size_t i = 0; i < YG_LEN(words); i++)
		if (strncmp(p, words[i].from, strlen(words[i].from)) == 0)
			return &words[i];
	return NULL;
}

/* `out` has SQL_MAX bytes; false: it does not fit. */
static bool translate_words(const char *sql, char *out)
{
	struct yg_sb b = yg_sb_init(out, SQL_MAX);
	const struct word *inside = NULL, *w;
	for (const char *p = sql; *p != '\0';) {
		w = word_at(p);
		if (w != NULL) {
			yg_sb_put(&b, yg_sv_of(w->to));
			p += strlen(w->from);
			inside = w;
			continue;
		}
		yg_sb_putc(&b, *p);
		if (inside != NULL && *p == ')') {
			yg_sb_put(&b, yg_sv_of(inside->end));
			inside = NULL;
		}
		p++;
	}
	(void)yg_sb_cstr(&b);
	return !b.cut;
}

static yg_status new_stmt(struct yg_state *db, const char *sql, struct yg_stmt **out,
			  struct yg_err *err)
{
	struct yg_stmt *s = calloc(1, sizeof *s);
	size_t n = strlen(sql);
	char *own = n < SQL_MAX ? malloc(n + 1) : NULL, *text = malloc(SQL_MAX);
	if (s == NULL || own == NULL || text == NULL) {
		free(s);
		free(own);
		free(text);
		return YG_FAIL(err, YG_NOMEM, "state database: statement");
	}
	*s = (struct yg_stmt){.db = db, .sql = own};
	memcpy(own, sql, n + 1); /* the key is the text as written */
	const char *rest = "";
	int rc = SQLITE_TOOBIG;
	if (translate_words(sql, text)) {
		translate_params(text);
		rc = sqlite3_prepare_v3(db->db, text, -1, SQLITE_PREPARE_PERSISTENT, &s->s, &rest);
	}
	bool more = rc == SQLITE_OK && rest[0] != '\0';
	free(text);
	if (rc != SQLITE_OK || s->s == NULL || more) {
		yg_status st = rc != SQLITE_OK ? fail(db, rc, "prepare", err)
					       : YG_FAIL(err, YG_INTERNAL,
							 "state database: not one statement");
		end_stmt(s);
		return st;
	}
	*out = s;
	return YG_OK;
}

yg_status yg_state_prepare(struct yg_state *db, const char *sql, struct yg_stmt **out,
			   struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	size_t at = 0;
	while (at < db->count && (db->cache[at]->busy || strcmp(db->cache[at]->sql, sql) != 0))
		at++;
	if (at < db->count) {
		s = db->cache[at];
		/* often used ones move to the front */
		if (at > 0) {
			db->cache[at] = db->cache[at / 2];
			db->cache[at / 2] = s;
		}
	} else {
		yg_status st = new_stmt(db, sql, &s, err);
		if (st != YG_OK || s == NULL)
			return st != YG_OK ? st : YG_INTERNAL;
		if (db->count < STATEMENTS_MAX) {
			db->cache[db->count++] = s;
			s->keep = true;
		}
	}
	s->busy = true;
	*out = s;
	return YG_OK;
}

/* A bind that fails (memory, a number that the statement lacks) is remembered:
 * the next step reports it. */
static void bound(struct yg_stmt *s, int rc)
{
	if (rc != SQLITE_OK && s->bind_rc == SQLITE_OK)
		s->bind_rc = rc;
}

void yg_stmt_i64(struct yg_stmt *s, int at, int64_t v)
{
	bound(s, sqlite3_bind_int64(s->s, at, v));
}

void yg_stmt_text(struct yg_stmt *s, int at, struct yg_sv v)
{
	bound(s,
	      sqlite3_bind_text64(s->s, at, v.n > 0 ? v.p : "", v.n, SQLITE_STATIC, SQLITE_UTF8));
}

void yg_stmt_blob(struct yg_stmt *s, int at, struct yg_sv v)
{
	bound(s, sqlite3_bind_blob64(s->s, at, v.n > 0 ? v.p : "", v.n, SQLITE_STATIC));
}

void yg_stmt_null(struct yg_stmt *s, int at)
{
	bound(s, sqlite3_bind_null(s->s, at));
}

void yg_stmt_text_or_null(struct yg_stmt *s, int at, struct yg_sv v)
{
	if (v.n == 0)
		yg_stmt_null(s, at);
	else
		yg_stmt_text(s, at, v);
}

void yg_stmt_set(struct yg_stmt *s, int at, const struct yg_sv *items, size_t n)
{
	struct yg_buf b;
	bool first = true;
	yg_buf_init(&b, 16u << 20);
	yg_buf_putc(&b, '[');
	for (size_t i = 0; i < n; i++) {
		bool plain = items[i].n > 0;
		for (size_t k = 0; plain && k < items[i].n; k++)
			plain = (unsigned char)items[i].p[k] >= 0x20 && items[i].p[k] != '"' &&
				items[i].p[k] != '\\';
		if (!plain)
			continue;
		yg_buf_put(&b, first ? YG_SV("\"") : YG_SV(",\""));
		yg_buf_put(&b, items[i]);
		yg_buf_putc(&b, '"');
		first = false;
	}
	yg_buf_putc(&b, ']');
	bound(s, b.bad ? SQLITE_NOMEM
		       : sqlite3_bind_text64(s->s, at, b.p, b.n, SQLITE_TRANSIENT, SQLITE_UTF8));
	yg_buf_free(&b);
}

yg_status yg_stmt_step(struct yg_stmt *s, bool *out_row, struct yg_err *err)
{
	if (s == NULL)
		return YG_FAIL(err, YG_INTERNAL, "state database: no statement");
	if (s->bind_rc != SQLITE_OK)
		return YG_FAIL(err, status_of(s->bind_rc) == YG_NOMEM ? YG_NOMEM : YG_INTERNAL,
			       "state database: binding a value: %s", sqlite3_errstr(s->bind_rc));
	int rc = sqlite3_step(s->s);
	if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
		*out_row = rc == SQLITE_ROW;
		if (rc == SQLITE_DONE && !sqlite3_stmt_readonly(s->s))
			s->db->changes = (uint64_t)sqlite3_changes64(s->db->db);
		return YG_OK;
	}
	return fail(s->db, sqlite3_extended_errcode(s->db->db), "statement", err);
}

yg_status yg_stmt_run(struct yg_stmt *s, struct yg_err *err)
{
	bool row = true;
	yg_status st = YG_OK;
	while (st == YG_OK && row)
		st = yg_stmt_step(s, &row, err);
	yg_stmt_done(s);
	return st;
}

void yg_stmt_reset(struct yg_stmt *s)
{
	(void)sqlite3_reset(s->s);
}

void yg_stmt_done(struct yg_stmt *s)
{
	if (s == NULL)
		return;
	(void)sqlite3_reset(s->s);
	(void)sqlite3_clear_bindings(s->s);
	s->bind_rc = SQLITE_OK;
	s->busy = false;
	if (!s->keep)
		end_stmt(s);
}

void yg_stmt_donep(struct yg_stmt **s)
{
	yg_stmt_done(*s);
}

int64_t yg_col_i64(struct yg_stmt *s, int at)
{
	return sqlite3_column_int64(s->s, at);
}

struct yg_sv yg_col_text(struct yg_stmt *s, int at)
{
	/* the blob form gives the bytes as stored, for text and blob alike */
	const char *p = sqlite3_column_blob(s->s, at);
	int n = sqlite3_column_bytes(s->s, at);
	return p != NULL && n > 0 ? (struct yg_sv){p, (size_t)n} : (struct yg_sv){"", 0};
}

bool yg_col_null(struct yg_stmt *s, int at)
{
	return sqlite3_column_type(s->s, at) == SQLITE_NULL;
}

uint64_t yg_state_changes(struct yg_state *db)
{
	return db->changes;
}

/* Replaces every `from` (longer than `to`) in place. */
static void reword(char *sql, const char *from, const char *to)
{
	size_t f = strlen(from), t = strlen(to);
	char *out = sql;
	for (const char *p = sql; *p != '\0';) {
		if (strncmp(p, from, f) == 0) {
			memmove(out, to, t);
			out += t;
			p += f;
		} else {
			*out++ = *p++;
		}
	}
	*out = '\0';
}

static yg_status exec_ddl(struct yg_state *db, const char *sql, struct yg_err *err)
{
	size_t n = strlen(sql);
	char *own = malloc(n + 1);
	if (own == NULL)
		return YG_FAIL(err, YG_NOMEM, "migration");
	memcpy(own, sql, n + 1);
	/* only this spelling makes the key the row's own number */
	reword(own, "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", "INTEGER PRIMARY KEY");
	reword(own, "BYTEA", "BLOB");
	yg_status st = exec(db, own, err);
	free(own);
	return st;
}

static yg_status apply(struct yg_state *db, const struct yg_migration *m, struct yg_err *err)
{
	yg_status st = exec_ddl(db, m->sql, err);
	if (st == YG_OK)
		st = exec(db, m->sqlite, err);
	struct yg_stmt *s = NULL;
	if (st == YG_OK)
		st = yg_state_prepare(
			db,
			"INSERT INTO migration (number, name, checksum, program, applied)"
			" VALUES ($1, $2, $3, $4, strftime('%s', 'now'))",
			&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, m->number);
	yg_stmt_text(s, 2, yg_sv_of(m->name));
	yg_stmt_text(s, 3, yg_sv_of(m->checksum));
	yg_stmt_text(s, 4, yg_sv_of(YG_VERSION));
	return yg_stmt_run(s, err);
}

/* Counts what is applied; every step must be one of ours, unchanged. */
static yg_status applied(struct yg_state *db, const struct yg_migration *steps, uint32_t count,
			 uint32_t *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	uint32_t n = 0;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT number, checksum FROM migration ORDER BY number"), &s, err);
	for (; st == YG_OK; n++) {
		st = yg_stmt_step(s, &row, err);
		if (st != YG_OK || !row)
			break;
		int64_t number = yg_col_i64(s, 0);
		if (n >= count)
			return YG_FAIL(
				err, YG_CONFLICT,
				"the state database is of a newer program (schema %lld, this program knows %u)",
				(long long)number, count);
		if (number != steps[n].number ||
		    !yg_sv_eq(yg_col_text(s, 1), yg_sv_of(steps[n].checksum)))
			return YG_FAIL(
				err, YG_CONFLICT,
				"the state database was made by another build: migration %lld differs",
				(long long)number);
	}
	*out = n;
	return st;
}

yg_status yg_state_migrate_by(struct yg_state *db, const struct yg_migration *steps, uint32_t count,
			      struct yg_err *err)
{
	yg_status st = exec(db,
			    "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY,"
			    " name TEXT NOT NULL, checksum TEXT NOT NULL, program TEXT NOT NULL,"
			    " applied INTEGER NOT NULL)",
			    err);
	for (bool more = true; st == YG_OK && more;) {
		uint32_t have = 0;
		/* looked up inside the transaction: two programs may start at once */
		st = yg_state_begin(db, err);
		if (st == YG_OK)
			st = applied(db, steps, count, &have, err);
		more = have < count;
		if (st == YG_OK && more) {
			st = apply(db, &steps[have], err);
			if (st != YG_OK)
				(void)yg_err_wrap(err, "migration %04u-%s: ", steps[have].number,
						  steps[have].name);
		}
		if (st == YG_OK)
			st = yg_state_commit(db, err);
		else
			yg_state_rollback(db);
	}
	look_for_near(db);
	return st;
}

yg_status yg_state_migrate(struct yg_state *db, struct yg_err *err)
{
	return yg_state_migrate_by(db, yg_migrations, yg_migration_count, err);
}

static yg_status copy_pages(struct yg_state *db, sqlite3 *to, struct yg_err *err)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", db->db, "main");
	if (b == NULL)
		return YG_FAIL(err, status_of(sqlite3_extended_errcode(to)), "state copy: %s",
			       sqlite3_errmsg(to));
	/* all at once: a copy in steps begins again with every write of others */
	int rc = sqlite3_backup_step(b, -1);
	int end = sqlite3_backup_finish(b);
	if (rc == SQLITE_DONE && end == SQLITE_OK)
		return YG_OK;
	rc = end != SQLITE_OK ? end : rc;
	if ((rc & 0xff) == SQLITE_FULL)
		return yg_err_set(err, YG_IO, ENOSPC, __FILE__, "state copy");
	return YG_FAIL(err, status_of(rc) == YG_OK ? YG_AGAIN : status_of(rc), "state copy: %s",
		       sqlite3_errstr(rc));
}

yg_status yg_state_copy(struct yg_state *db, const char *path, struct yg_err *err)
{
	sqlite3 *to = NULL;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno == EEXIST ? YG_FAIL(err, YG_CONFLICT,
						 "state copy: '%s' is there already", path)
				       : YG_FAIL_OS(err, errno, "state copy '%s'", path);
	int rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	yg_status st = rc == SQLITE_OK ? copy_pages(db, to, err)
				       : YG_FAIL(err, YG_IO, "state copy: %s", sqlite3_errstr(rc));
	(void)sqlite3_close_v2(to);
	if (st == YG_OK && fsync(fd) != 0)
		st = YG_FAIL_OS(err, errno, "state copy '%s'", path);
	(void)close(fd);
	if (st != YG_OK)
		(void)unlink(path);
	return st;
}

static yg_status first_complaint(struct yg_state *db, const char *sql, const char *fine,
				 struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(db, sql, &s, err);
	if (st == YG_OK)
		st = yg_stmt_step(s, &row, err);
	if (st != YG_OK || !row || (fine != NULL && yg_sv_eq(yg_col_text(s, 0), yg_sv_of(fine))))
		return st;
	struct yg_sv text = yg_col_text(s, 0);
	return YG_FAIL(err, YG_CORRUPT, "state database: " YG_SV_FMT, YG_SV_ARG(text));
}

yg_status yg_state_check(struct yg_state *db, struct yg_err *err)
{
	yg_status st = first_complaint(db, "PRAGMA integrity_check(1)", "ok", err);
	return st == YG_OK ? first_complaint(db, "PRAGMA foreign_key_check", NULL, err) : st;
}

uint32_t yg_state_schema(struct yg_state *db)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	if (yg_state_prepare(db, YG_SQL("SELECT coalesce(max(number), 0) FROM migration"), &s,
			     NULL) != YG_OK ||
	    yg_stmt_step(s, &row, NULL) != YG_OK || !row)
		return 0;
	return (uint32_t)yg_col_i64(s, 0);
}
