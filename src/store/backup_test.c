#include "store/backup.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/file.h"
#include "store/backup_internal.h"
#include "store/state.h"
#include "tap.h"

static struct yg_env_sim sim = {.wall = {1700000000000000}, .seed = 5};
static struct yg_env env;
static struct yg_err err;
static char root[] = "/tmp/yg-backup-XXXXXX";

static const char *at(const char *name, char *buf)
{
	(void)snprintf(buf, 600, "%s/%s", root, name);
	return buf;
}

static void put(const char *name, const char *text)
{
	char path[600];
	if (yg_file_write(at(name, path), yg_sv_of(text), 0600, &err) != YG_OK)
		(void)printf("# %s\n", err.msg);
}

static bool run(struct yg_state *db, const char *sql)
{
	struct yg_stmt *s = NULL;
	return yg_state_prepare(db, sql, &s, &err) == YG_OK && yg_stmt_run(s, &err) == YG_OK;
}

static int64_t one(const char *path, const char *sql)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = NULL;
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	if (yg_state_open(path, &db, &err) != YG_OK ||
	    yg_state_prepare(db, sql, &s, &err) != YG_OK || yg_stmt_step(s, &row, &err) != YG_OK ||
	    !row)
		return -1;
	return yg_col_i64(s, 0);
}

static struct yg_backup_opts options(char buf[4][600])
{
	return (struct yg_backup_opts){
		.env = &env,
		.dir = at("data/state/backups", buf[0]),
		.state_path = at("data/state/yagura.db", buf[1]),
		.snapshot_dir = at("data/snapshot", buf[2]),
		.keys_dir = at("data/keys", buf[3]),
	};
}

static void make_data(void)
{
	static const char *const dirs[] = {"data", "data/state", "data/snapshot", "data/keys"};
	char path[600];
	struct yg_state *db = NULL;
	for (size_t i = 0; i < YG_LEN(dirs); i++)
		(void)mkdir(at(dirs[i], path), 0700);
	put("data/snapshot/indicators-7.ygs", "a compiled snapshot");
	put("data/snapshot/indicators-6.ygs", "an older one");
	put("data/snapshot/current", "indicators-7.ygs\n");
	put("data/keys/tls.key", "a key");
	T_OK(yg_state_open(at("data/state/yagura.db", path), &db, &err) == YG_OK &&
	     yg_state_migrate(db, &err) == YG_OK);
	T_OK(run(db, "CREATE TABLE t (a BIGINT PRIMARY KEY, b TEXT)"));
	T_OK(run(
		db,
		"INSERT INTO t (a, b) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
		" SELECT i, 'row ' || i FROM n"));
	yg_state_close(db);
}

/* A writer that goes on while the backup is made: rows come in pairs. */
static pid_t writer(void)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	char path[600], sql[2][96];
	struct yg_state *db = NULL;
	if (yg_state_open(at("data/state/yagura.db", path), &db, NULL) != YG_OK)
		_exit(1);
	for (int i = 100000; i < 10000000; i += 2) {
		for (int k = 0; k < 2; k++)
			(void)snprintf(sql[k], sizeof sql[k],
				       "INSERT INTO t (a, b) VALUES (%d, 'x')", i + k);
		if (yg_state_begin(db, NULL) != YG_OK || !run(db, sql[0]) || !run(db, sql[1]) ||
		    yg_state_commit(db, NULL) != YG_OK)
			_exit(1);
	}
	_exit(0);
}

static size_t entries(const char *path)
{
	DIR *d = opendir(path);
	size_t n = 0;
	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		(void)closedir(d);
	return n;
}

static void test_round_trip(char backup[600])
{
	char buf[4][600], path[600], name[700];
	struct yg_backup b, got;
	struct yg_backup_opts o = options(buf);
	YG_AUTO(yg_buf_free) struct yg_buf text = {0};
	yg_buf_init(&text, 1 << 20);
	pid_t pid = writer();
	(void)usleep(30000);
	if (!T_NAMED(yg_backup_create(&o, &b, &err) == YG_OK, "a backup while somebody writes"))
		(void)printf("# %s\n", err.msg);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	T_OK(b.files == 4 && b.with_keys && !b.with_events &&
	     yg_sv_starts(yg_sv_of(b.audit_head), YG_SV("0:")));
	(void)snprintf(name, sizeof name, "data/state/backups/%s", b.name);
	(void)at(name, backup);
	T_OK(yg_backup_verify(backup, &got, &err) == YG_OK && got.bytes == b.bytes &&
	     got.files == 4 && strcmp(got.name, b.name) == 0 && got.created.us == b.created.us);
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_backup *list;
	size_t n;
	yg_arena_init(&arena, 1 << 22);
	T_OK(yg_backup_list(o.dir, &arena, &list, &n, &err) == YG_OK && n == 1 &&
	     strcmp(list[0].name, b.name) == 0);
	T_OK(yg_backup_list("/nonexistent/x", &arena, &list, &n, &err) == YG_OK && n == 0);
	T_NAMED(yg_backup_restore(backup, at("second", path), &got, &err) == YG_OK,
		"restored into a second folder");
	T_OK(one(at("second/state/yagura.db", path), "SELECT count(*) FROM t WHERE a <= 20000") ==
	     20000);
	T_NAMED(one(path, "SELECT count(*) % 2 FROM t") == 0, "transactions are whole in the copy");
	T_OK(yg_file_read(at("second/snapshot/current", path), 100, &text, &err) == YG_OK &&
	     yg_sv_eq(yg_buf_sv(&text), YG_SV("indicators-7.ygs\n")));
	T_OK(access(at("second/snapshot/indicators-7.ygs", path), F_OK) == 0 &&
	     access(at("second/snapshot/indicators-6.ygs", path), F_OK) != 0);
	T_OK(access(at("second/keys/tls.key", path), F_OK) == 0);
	T_OK(!yg_backup_pending(at("second/state", path)) &&
	     access(at("second/state/restore", path), F_OK) != 0);
	T_NAMED(yg_backup_restore(backup, at("second", path), &got, &err) == YG_CONFLICT,
		"a folder that is not empty is refused");
	T_OK(mkdir(at("empty", path), 0700) == 0 &&
	     yg_backup_restore(backup, path, &got, &err) == YG_OK);
}

/* Every file of the backup changed at one place, cut, or gone: found and named,
 * nothing restored, nothing left. */
static void test_damage(const char *backup)
{
	static const char *const files[] = {"state.db",         "snapshot/indicators-7.ygs",
					    "snapshot/current", "keys/tls.key",
					    "manifest.json",    "manifest.json.b2sum"};
	char path[900], target[600];
	struct yg_backup got;
	size_t before = entries(root);
	for (size_t i = 0; i < YG_LEN(files); i++) {
		YG_AUTO(yg_buf_free) struct yg_buf good = {0};
		yg_buf_init(&good, 65 << 20);
		(void)snprintf(path, sizeof path, "%s/%s", backup, files[i]);
		T_OK(yg_file_read(path, 64 << 20, &good, &err) == YG_OK);
		if (good.p == NULL) {
			(void)printf("# %s\n", err.msg);
			return;
		}
		for (int how = 0; how < 3; how++) {
			if (how == 0) {
				good.p[good.n / 2] ^= 1;
				T_OK(yg_file_write(path, yg_buf_sv(&good), 0600, &err) == YG_OK);
				good.p[good.n / 2] ^= 1;
			} else if (how == 1) {
				T_OK(truncate(path, (off_t)good.n - 1) == 0);
			} else {
				T_OK(unlink(path) == 0);
			}
			yg_status st = yg_backup_verify(backup, &got, &err);
			bool last_newline =
				how == 1 && i == 5; /* the sum's own line end says nothing */
			T_NAMED(last_newline ? st == YG_OK
					     : st == YG_CORRUPT ||
						       (how == 2 && i >= 4 && st == YG_NOTFOUND),
				files[i]);
			if (!last_newline)
				T_OK(yg_backup_restore(backup, at("third", target), &got, &err) !=
					     YG_OK &&
				     access(target, F_OK) != 0);
			T_OK(yg_file_write(path, yg_buf_sv(&good), 0600, &err) == YG_OK);
		}
	}
	T_OK(yg_backup_verify(backup, &got, &err) == YG_OK);
	T_NAMED(entries(root) == before, "nothing is left of restores that failed");
}

/* A manifest that leads out of the folder, though its checksum fits. */
static void test_escape(const char *backup)
{
	static const char *const paths[] = {"../escape",   "/etc/passwd", "snapshot/../../x",
					    "snapshot/.x", "events/",     "other/file",
					    "keys/a/b"};
	char path[900], text[1200], sum[200], hex[65];
	struct yg_backup got;
	for (size_t i = 0; i < YG_LEN(paths); i++) {
		uint8_t hash[32];
		int n = snprintf(
			text, sizeof text,
			"{\"yagura_backup\":1,\"created\":\"2026-01-01T00:00:00Z\",\"event_columns\":\"\",\"files\":["
			"{\"path\":\"%s\",\"bytes\":1,\"blake2b\":\"%064d\"}]}",
			paths[i], 0);
		yg_backup_hash((struct yg_sv){text, (size_t)n}, hash);
		struct yg_sb h = yg_sb_init(hex, sizeof hex);
		yg_sb_hex(&h, hash, sizeof hash);
		(void)snprintf(sum, sizeof sum, "%s  manifest.json\n", yg_sb_cstr(&h));
		(void)snprintf(path, sizeof path, "%s/manifest.json", backup);
		T_OK(yg_file_write(path, (struct yg_sv){text, (size_t)n}, 0600, &err) == YG_OK);
		(void)snprintf(path, sizeof path, "%s/manifest.json.b2sum", backup);
		T_OK(yg_file_write(path, yg_sv_of(sum), 0600, &err) == YG_OK);
		T_OK(yg_backup_verify(backup, &got, &err) == YG_CORRUPT &&
		     strstr(err.msg, "no backup has") != NULL);
	}
}

static bool stop_at_once(void *ctx, uint64_t done, uint64_t total, const char *what)
{
	(void)ctx;
	(void)done;
	(void)total;
	(void)what;
	return false;
}

static void test_failures(void)
{
	char buf[4][600], path[600];
	struct yg_backup b;
	struct yg_backup_opts o = options(buf);
	size_t before = entries(o.dir);
	o.progress = stop_at_once;
	T_OK(yg_backup_create(&o, &b, &err) == YG_AGAIN && entries(o.dir) == before);
	o.progress = NULL;
	o.state_path = at("data/keys/tls.key", path);
	T_OK(yg_backup_create(&o, &b, &err) == YG_CORRUPT && entries(o.dir) == before);
	T_OK(yg_backup_verify("/nonexistent", &b, &err) == YG_NOTFOUND);
}

static int remove_one(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
	(void)sb;
	(void)type;
	(void)ftw;
	return remove(path);
}

int main(void)
{
	char backup[600];
	env = yg_env_sim(&sim);
	if (mkdtemp(root) == NULL)
		return 1;
	make_data();
	test_round_trip(backup);
	test_damage(backup);
	test_failures();
	test_escape(backup);
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 ? 1 : tap_done();
}
