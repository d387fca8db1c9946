#include "store/state.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/migration.h"
#include "tap.h"

static char dir[] = "/tmp/yg-state-XXXXXX";

static const char *in_dir(const char *name, char *buf, size_t n)
{
	(void)snprintf(buf, n, "%s/%s", dir, name);
	return buf;
}

static struct yg_state *fresh(const char *name)
{
	char path[256];
	struct yg_state *db = NULL;
	struct yg_err err = {0};
	if (yg_state_open(name[0] == ':' ? name : in_dir(name, path, sizeof path), &db, &err) !=
		    YG_OK ||
	    yg_state_migrate(db, &err) != YG_OK)
		(void)printf("# %s\n", err.msg);
	return db;
}

/* Runs one statement; for the test's own tables. */
static yg_status run(struct yg_state *db, const char *sql)
{
	struct yg_stmt *s = NULL;
	struct yg_err err = {0};
	yg_status st = yg_state_prepare(db, sql, &s, &err);
	return st == YG_OK ? yg_stmt_run(s, &err) : st;
}

static int64_t one(struct yg_state *db, const char *sql)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	if (yg_state_prepare(db, sql, &s, NULL) != YG_OK || yg_stmt_step(s, &row, NULL) != YG_OK ||
	    !row)
		return -1;
	return yg_col_i64(s, 0);
}

static void test_values(void)
{
	struct yg_state *db = fresh(":memory:");
	struct yg_stmt *s = NULL, *other = NULL;
	bool row = false;
	T_OK(run(db, "CREATE TABLE t (a BIGINT, b TEXT, c TEXT)") == YG_OK);
	/* parameters are numbers, in whatever order they are first used */
	T_OK(yg_state_prepare(db, "INSERT INTO t (a, b, c) VALUES ($3, $1, '$2' || $2)", &s,
			      NULL) == YG_OK);
	yg_stmt_text(s, 1, YG_SV("one"));
	yg_stmt_text(s, 2, YG_SV("two"));
	yg_stmt_i64(s, 3, INT64_MIN);
	T_OK(yg_stmt_run(s, NULL) == YG_OK && yg_state_changes(db) == 1);
	T_OK(yg_state_prepare(db, "SELECT a, b, c, NULL FROM t", &s, NULL) == YG_OK);
	T_OK(yg_stmt_step(s, &row, NULL) == YG_OK && row);
	T_OK(yg_col_i64(s, 0) == INT64_MIN && YG_SV_IS(yg_col_text(s, 1), "one") &&
	     YG_SV_IS(yg_col_text(s, 2), "$2two") && yg_col_null(s, 3) && yg_col_text(s, 3).n == 0);
	/* the same text again while the first is in use: another statement */
	T_OK(yg_state_prepare(db, "SELECT a, b, c, NULL FROM t", &other, NULL) == YG_OK &&
	     other != s);
	yg_stmt_done(other);
	T_OK(yg_stmt_step(s, &row, NULL) == YG_OK && !row);
	yg_stmt_done(s);
	/* empty text is not NULL; NUL bytes survive */
	T_OK(yg_state_prepare(db, "SELECT $1 = '', $2", &s, NULL) == YG_OK);
	yg_stmt_text(s, 1, (struct yg_sv){NULL, 0});
	yg_stmt_blob(s, 2, YG_SV("a\0b"));
	T_OK(yg_stmt_step(s, &row, NULL) == YG_OK && yg_col_i64(s, 0) == 1 &&
	     YG_SV_IS(yg_col_text(s, 1), "a\0b"));
	yg_stmt_done(s);
	T_OK(yg_state_prepare(db, "SELECT $1", &s, NULL) == YG_OK);
	yg_stmt_i64(s, 2, 1); /* there is no second one */
	T_OK(yg_stmt_step(s, &row, NULL) == YG_INTERNAL);
	yg_stmt_done(s);
	T_OK(yg_state_prepare(db, "SELECT 1; SELECT 2", &s, NULL) == YG_INTERNAL);
	T_OK(yg_state_prepare(db, "SELECT \"no such column\"", &s, NULL) == YG_INTERNAL);
	T_OK(yg_state_prepare(db, "SELEC", &s, NULL) == YG_INTERNAL);
	yg_state_close(db);
}

static void test_refusals(void)
{
	struct yg_state *db = fresh(":memory:");
	T_OK(run(db,
		 "INSERT INTO organisation (slug, title_ja, title_en, created, updated) VALUES ('a', '', '', 1, 1)") ==
	     YG_OK);
	T_NAMED(run(db,
		    "INSERT INTO organisation (slug, title_ja, title_en, created, updated) VALUES ('a', '', '', 1, 1)") ==
			YG_CONFLICT,
		"unique");
	T_NAMED(run(db, "INSERT INTO token (id, kind, name, org, scopes, hash, created, created_by)"
			" VALUES ('t', 'c', 'n', 'nobody', '', '', 1, 'x')") == YG_CONFLICT,
		"foreign key");
	T_NAMED(run(db, "UPDATE organisation SET title_ja = NULL") == YG_INVAL, "not null");
	T_NAMED(run(db, "UPDATE organisation SET demo = 2") == YG_INVAL, "check");
	T_OK(run(db, "INSERT INTO audit_log (time, actor, action, object, org, detail, prev, hash)"
		     " VALUES (1, '', '', '', '', '', '', '')") == YG_OK);
	T_NAMED(run(db, "UPDATE audit_log SET time = 2") == YG_DENIED, "trigger: update");
	T_NAMED(run(db, "DELETE FROM audit_log") == YG_DENIED, "trigger: delete");
	T_NAMED(run(db, "UPDATE sqlite_master SET sql = ''") != YG_OK, "schema tables are shut");
	T_NAMED(run(db, "ATTACH ':memory:' AS other") != YG_OK, "no attach");
	yg_state_close(db);
}

static void test_transactions(void)
{
	char path[256];
	struct yg_err err = {0};
	struct yg_state *a = fresh("tx.db"), *b = NULL, *r = NULL;
	(void)in_dir("tx.db", path, sizeof path);
	T_OK(yg_state_open(path, &b, &err) == YG_OK && yg_state_open_read(path, &r, &err) == YG_OK);
	T_OK(run(a, "CREATE TABLE t (a BIGINT PRIMARY KEY)") == YG_OK);
	T_OK(yg_state_begin(a, &err) == YG_OK && yg_state_in_transaction(a));
	T_OK(run(a, "INSERT INTO t (a) VALUES (1)") == YG_OK);
	T_NAMED(one(b, "SELECT count(*) FROM t") == 0, "others do not see it yet");
	yg_state_rollback(a);
	yg_state_rollback(a); /* harmless */
	T_OK(!yg_state_in_transaction(a) && one(a, "SELECT count(*) FROM t") == 0);
	T_OK(yg_state_begin(a, &err) == YG_OK && run(a, "INSERT INTO t (a) VALUES (1)") == YG_OK &&
	     yg_state_commit(a, &err) == YG_OK && one(b, "SELECT count(*) FROM t") == 1);
	T_NAMED(one(r, "SELECT count(*) FROM t") == 1, "the reader sees it");
	T_NAMED(run(r, "INSERT INTO t (a) VALUES (2)") == YG_DENIED, "the reader writes nothing");
	T_OK(yg_state_commit(a, &err) == YG_IO); /* none is open */
	yg_state_close(r);
	yg_state_close(b);
	yg_state_close(a);
	T_OK(yg_state_open_read("/nonexistent/x.db", &r, &err) == YG_IO);
}

static void test_foreign_files(void)
{
	char path[256];
	struct yg_err err = {0};
	struct yg_state *db = NULL;
	FILE *f = fopen(in_dir("text.db", path, sizeof path), "wb");
	for (int i = 0; f != NULL && i < 1000; i++)
		(void)fputs("this is no database\n", f);
	if (f != NULL)
		(void)fclose(f);
	T_OK(yg_state_open(path, &db, &err) == YG_CORRUPT);
	db = fresh("newer.db");
	T_OK(run(db,
		 "INSERT INTO migration (number, name, checksum, program, applied) VALUES (99999, 'x', 'y', '9', 0)") ==
	     YG_OK);
	T_NAMED(yg_state_migrate(db, &err) == YG_CONFLICT && strstr(err.msg, "newer") != NULL,
		"newer program's database");
	T_OK(!yg_state_in_transaction(db));
	yg_state_close(db);
	db = fresh("other.db");
	T_OK(run(db, "UPDATE migration SET checksum = 'x' WHERE number = 1") == YG_OK);
	T_NAMED(yg_state_migrate(db, &err) == YG_CONFLICT, "a changed migration");
	yg_state_close(db);
}

/* From every older version, with rows in it, and a step that fails half way. */
static void test_migrations(void)
{
	struct yg_err err = {0};
	for (uint32_t from = 0; from <= yg_migration_count; from++) {
		struct yg_state *db = NULL;
		T_OK(yg_state_open(":memory:", &db, &err) == YG_OK &&
		     yg_state_migrate_by(db, yg_migrations, from, &err) == YG_OK);
		if (from > 0)
			T_OK(run(db,
				 "INSERT INTO organisation (slug, title_ja, title_en, created, updated)"
				 " VALUES ('a', 'x', 'y', 1, 1)") == YG_OK);
		T_NAMED(yg_state_migrate(db, &err) == YG_OK, "migrates from an older version");
		T_OK(one(db, "SELECT count(*) FROM migration") == (int64_t)yg_migration_count);
		T_OK(one(db, "SELECT count(*) FROM organisation") == (from > 0));
		T_OK(yg_state_migrate(db, &err) == YG_OK); /* again: nothing to do */
		yg_state_close(db);
	}
	static const struct yg_migration steps[] = {
		{1, "one", "CREATE TABLE one (a BIGINT)", "", "c1"},
		{2, "two", "CREATE TABLE two (a BIGINT); CREATE TABLE one (a BIGINT)", "", "c2"},
	};
	struct yg_state *db = NULL;
	T_OK(yg_state_open(":memory:", &db, &err) == YG_OK);
	T_NAMED(yg_state_migrate_by(db, steps, 2, &err) == YG_INTERNAL &&
			strstr(err.msg, "0002-two") != NULL,
		"a failing step is named");
	T_OK(one(db, "SELECT count(*) FROM migration") == 1 &&
	     one(db, "SELECT count(*) FROM one") == 0 && one(db, "SELECT count(*) FROM two") == -1);
	yg_state_close(db);
}

/* Four processes add 50 rows each, in transactions of two rows. */
static void test_writers(void)
{
	char path[256];
	struct yg_state *db = fresh("writers.db");
	(void)in_dir("writers.db", path, sizeof path);
	T_OK(run(db, "CREATE TABLE t (a BIGINT PRIMARY KEY)") == YG_OK);
	pid_t pid[4];
	for (int w = 0; w < 4; w++) {
		pid[w] = fork();
		if (pid[w] != 0)
			continue;
		struct yg_state *mine = NULL;
		bool ok = yg_state_open(path, &mine, NULL) == YG_OK;
		for (int i = 0; ok && i < 50; i += 2) {
			char sql[2][64];
			for (int k = 0; k < 2; k++)
				(void)snprintf(sql[k], sizeof sql[k],
					       "INSERT INTO t (a) VALUES (%d)", w * 1000 + i + k);
			ok = yg_state_begin(mine, NULL) == YG_OK && run(mine, sql[0]) == YG_OK &&
			     run(mine, sql[1]) == YG_OK && yg_state_commit(mine, NULL) == YG_OK;
		}
		_exit(ok ? 0 : 1);
	}
	int bad = 0;
	for (int w = 0; w < 4; w++) {
		int status = 1;
		(void)waitpid(pid[w], &status, 0);
		bad += status != 0;
	}
	T_OK(bad == 0);
	T_OK(one(db, "SELECT count(*) FROM t") == 200);
	yg_state_close(db);
}

/* A writer killed at some moment: whole transactions are there, or not at all,
 * and what was told to the outside (the pipe) is there. */
static void test_kill(void)
{
	char path[256];
	struct yg_state *db = fresh("kill.db");
	(void)in_dir("kill.db", path, sizeof path);
	T_OK(run(db, "CREATE TABLE t (a BIGINT PRIMARY KEY, b BIGINT)") == YG_OK);
	yg_state_close(db);
	bool whole = true, kept = true;
	for (int round = 0; round < 12; round++) {
		int fds[2];
		if (pipe(fds) != 0)
			break;
		pid_t pid = fork();
		if (pid == 0) {
			struct yg_state *mine = NULL;
			if (yg_state_open(path, &mine, NULL) != YG_OK)
				_exit(1);
			for (int64_t i = one(mine, "SELECT coalesce(max(a), 0) FROM t") / 10 + 1;;
			     i++) {
				char sql[160];
				(void)snprintf(
					sql, sizeof sql,
					"INSERT INTO t (a, b) WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL"
					" SELECT i + 1 FROM n WHERE i < 9) SELECT %lld + i, %lld FROM n",
					(long long)i * 10, (long long)i);
				if (yg_state_begin(mine, NULL) != YG_OK ||
				    run(mine, sql) != YG_OK ||
				    yg_state_commit(mine, NULL) != YG_OK ||
				    write(fds[1], &i, sizeof i) != sizeof i)
					_exit(1);
			}
		}
		(void)close(fds[1]);
		(void)usleep((useconds_t)(3000 + round * 1700));
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		int64_t told = 0, last = 0;
		while (read(fds[0], &told, sizeof told) == sizeof told)
			last = told;
		(void)close(fds[0]);
		if (yg_state_open(path, &db, NULL) != YG_OK)
			break;
		whole &=
			one(db,
			    "SELECT count(*) FROM (SELECT b FROM t GROUP BY b HAVING count(*) <> 10)") ==
			0;
		kept &= one(db, "SELECT coalesce(max(b), 0) FROM t") >= last;
		yg_state_close(db);
	}
	T_NAMED(whole, "transactions are whole after SIGKILL");
	T_NAMED(kept, "what was committed is kept after SIGKILL");
}

static void test_full(void)
{
	char mnt[256], path[300];
	(void)in_dir("mnt", mnt, sizeof mnt);
	if (mkdir(mnt, 0700) != 0 || mount("tmpfs", mnt, "tmpfs", 0, "size=2m") != 0) {
		T_NAMED(true, "disk full # SKIP needs root to mount a small tmpfs");
		return;
	}
	(void)snprintf(path, sizeof path, "%s/full.db", mnt);
	struct yg_state *db = NULL;
	struct yg_err err = {0};
	T_OK(yg_state_open(path, &db, &err) == YG_OK && yg_state_migrate(db, &err) == YG_OK);
	T_OK(run(db, "CREATE TABLE t (a BIGINT, b TEXT)") == YG_OK &&
	     run(db, "INSERT INTO t VALUES (1, 'x')") == YG_OK);
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_begin(db, &err);
	for (int i = 0; st == YG_OK && i < 10000; i++) {
		static char big[4096];
		memset(big, 'x', sizeof big);
		st = yg_state_prepare(db, "INSERT INTO t (a, b) VALUES (2, $1)", &s, &err);
		if (st == YG_OK) {
			yg_stmt_text(s, 1, (struct yg_sv){big, sizeof big});
			st = yg_stmt_run(s, &err);
		}
	}
	if (st == YG_OK)
		st = yg_state_commit(db, &err);
	T_NAMED(st == YG_IO, "disk full is an error of that statement");
	yg_state_rollback(db);
	T_OK(!yg_state_in_transaction(db) && one(db, "SELECT count(*) FROM t") == 1);
	yg_state_close(db);
	T_OK(yg_state_open(path, &db, &err) == YG_OK && one(db, "SELECT count(*) FROM t") == 1);
	T_NAMED(run(db, "INSERT INTO t VALUES (3, 'y')") == YG_OK, "there is room again");
	yg_state_close(db);
	T_OK(umount(mnt) == 0);
}

int main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	test_values();
	test_refusals();
	test_transactions();
	test_foreign_files();
	test_migrations();
	test_writers();
	test_kill();
	test_full();
	char rm[64];
	static const char *const names[] = {"tx.db",    "text.db",    "newer.db",
					    "other.db", "writers.db", "kill.db"};
	for (size_t i = 0; i < YG_LEN(names); i++) {
		static const char *const ends[] = {"", "-wal", "-shm"};
		for (size_t k = 0; k < YG_LEN(ends); k++) {
			(void)snprintf(rm, sizeof rm, "%s/%s%s", dir, names[i], ends[k]);
			(void)unlink(rm);
		}
	}
	(void)snprintf(rm, sizeof rm, "%s/mnt", dir);
	(void)rmdir(rm);
	(void)rmdir(dir);
	return tap_done();
}
