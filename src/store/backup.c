#include "store/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/json.h"
#include "os/file.h"
#include "store/backup_internal.h"
#include "store/state.h"

#define PIECE        (1u << 20)
#define SNAPSHOT_MAX (2u << 30)

yg_status yg_backup_path(const char *root, const char *name, char out[static YG_BACKUP_PATH],
			 struct yg_err *err)
{
	int n = snprintf(out, YG_BACKUP_PATH, "%s/%s", root, name);
	return n > 0 && n < YG_BACKUP_PATH
		       ? YG_OK
		       : YG_FAIL(err, YG_TOOBIG, "the path of the backup is too long");
}

yg_status yg_backup_go_on(const struct yg_backup_opts *o, uint64_t done, uint64_t total,
			  const char *what, struct yg_err *err)
{
	if (o->progress != NULL && !o->progress(o->progress_ctx, done, total, what))
		return YG_FAIL(err, YG_AGAIN, "stopped while copying %s", what);
	return YG_OK;
}

void yg_backup_hash(struct yg_sv bytes, uint8_t out[static YG_BACKUP_HASH])
{
	(void)crypto_generichash(out, YG_BACKUP_HASH, (const unsigned char *)bytes.p, bytes.n, NULL,
				 0);
}

yg_status yg_backup_hash_file(const char *path, int to, uint8_t out[static YG_BACKUP_HASH],
			      uint64_t *out_bytes, struct yg_err *err)
{
	crypto_generichash_state h;
	YG_AUTO(yg_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return YG_FAIL_OS(err, errno, "'%s'", path);
	char *piece = malloc(PIECE);
	if (piece == NULL)
		return YG_FAIL(err, YG_NOMEM, "backup");
	yg_status st = YG_OK;
	uint64_t bytes = 0;
	(void)crypto_generichash_init(&h, NULL, 0, YG_BACKUP_HASH);
	for (;;) {
		ssize_t n = read(fd, piece, PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			st = YG_FAIL_OS(err, errno, "'%s'", path);
		if (n <= 0)
			break;
		(void)crypto_generichash_update(&h, (unsigned char *)piece, (size_t)n);
		bytes += (uint64_t)n;
		if (to >= 0)
			st = yg_fd_write(to, (struct yg_sv){piece, (size_t)n}, err);
		if (st != YG_OK)
			break;
	}
	free(piece);
	(void)crypto_generichash_final(&h, out, YG_BACKUP_HASH);
	*out_bytes = bytes;
	return st;
}

static void list(struct yg_backup_out *b, const char *name, uint64_t bytes, const uint8_t *hash)
{
	char hex[YG_BACKUP_HASH * 2];
	struct yg_sb h = yg_sb_init(hex, sizeof hex);
	yg_sb_hex(&h, hash, YG_BACKUP_HASH);
	if (b->files.n > 0)
		yg_buf_put(&b->files, YG_SV(",\n"));
	yg_buf_put(&b->files, YG_SV("  {\"path\":"));
	yg_json_put_str(&b->files, yg_sv_of(name));
	yg_buf_printf(&b->files, ",\"bytes\":%" PRIu64 ",\"blake2b\":\"" YG_SV_FMT "\"}", bytes,
		      YG_SV_ARG(yg_sb_sv(&h)));
	b->info.files++;
	b->info.bytes += bytes;
}

yg_status yg_backup_list_file(struct yg_backup_out *b, const char *name, struct yg_err *err)
{
	char path[YG_BACKUP_PATH];
	uint8_t hash[YG_BACKUP_HASH];
	uint64_t bytes = 0;
	yg_status st = yg_backup_path(b->root, name, path, err);
	if (st == YG_OK)
		st = yg_backup_hash_file(path, -1, hash, &bytes, err);
	if (st == YG_OK)
		list(b, name, bytes, hash);
	return st;
}

yg_status yg_backup_put(struct yg_backup_out *b, const char *name, struct yg_sv bytes,
			struct yg_err *err)
{
	char path[YG_BACKUP_PATH];
	uint8_t hash[YG_BACKUP_HASH];
	yg_status st = yg_backup_path(b->root, name, path, err);
	if (st == YG_OK)
		st = yg_file_write(path, bytes, 0600, err);
	if (st != YG_OK)
		return st;
	yg_backup_hash(bytes, hash);
	list(b, name, bytes.n, hash);
	return YG_OK;
}

static yg_status make_dir(struct yg_backup_out *b, const char *name, struct yg_err *err)
{
	char path[YG_BACKUP_PATH];
	yg_status st = yg_backup_path(b->root, name, path, err);
	return st == YG_OK ? yg_dir_make(path, 0700, err) : st;
}

static yg_status read_head(struct yg_state *db, struct yg_backup *info, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(db, YG_SQL("SELECT seq, hash FROM audit_head WHERE id = 1"),
					&s, err);
	if (st == YG_OK)
		st = yg_stmt_step(s, &row, err);
	if (st != YG_OK || !row)
		return st;
	struct yg_sb b = yg_sb_init(info->audit_head, sizeof info->audit_head);
	yg_sb_i64(&b, yg_col_i64(s, 0));
	yg_sb_putc(&b, ':');
	yg_sb_hex(&b, yg_col_text(s, 1).p, yg_col_text(s, 1).n);
	(void)yg_sb_cstr(&b);
	return YG_OK;
}

static yg_status copy_state(struct yg_backup_out *b, struct yg_err *err)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = NULL;
	YG_AUTO(yg_state_closep) struct yg_state *copy = NULL;
	char path[YG_BACKUP_PATH];
	yg_status st = yg_backup_path(b->root, "state.db", path, err);
	if (st == YG_OK)
		st = yg_state_open(b->o->state_path, &db, err);
	if (st == YG_OK)
		st = yg_state_copy(db, path, err);
	/* the copy is what will be restored: it is the one to be checked */
	if (st == YG_OK)
		st = yg_state_open(path, &copy, err);
	if (st == YG_OK)
		st = yg_state_check(copy, err);
	if (st == YG_OK)
		st = read_head(copy, &b->info, err);
	if (st != YG_OK)
		return st;
	yg_state_close(copy); /* folds its log back into the file */
	copy = NULL;
	return yg_backup_list_file(b, "state.db", err);
}

static yg_status copy_file(struct yg_backup_out *b, const char *from_dir, const char *to_dir,
			   struct yg_sv file, struct yg_err *err)
{
	char from[YG_BACKUP_PATH], name[YG_BACKUP_FILE], leaf[YG_BACKUP_FILE - 16];
	YG_AUTO(yg_buf_free) struct yg_buf bytes = {0};
	if (file.n >= sizeof leaf)
		return YG_FAIL(err, YG_TOOBIG, "a file name is too long for a backup");
	(void)snprintf(leaf, sizeof leaf, YG_SV_FMT, YG_SV_ARG(file));
	struct yg_sb full = yg_sb_init(name, sizeof name);
	yg_sb_put(&full, yg_sv_of(to_dir));
	yg_sb_putc(&full, '/');
	yg_sb_put(&full, file);
	(void)yg_sb_cstr(&full);
	yg_buf_init(&bytes, SNAPSHOT_MAX + 131072u);
	yg_status st = yg_backup_path(from_dir, leaf, from, err);
	if (st == YG_OK)
		st = yg_file_read(from, SNAPSHOT_MAX, &bytes, err);
	return st == YG_OK ? yg_backup_put(b, name, yg_buf_sv(&bytes), err) : st;
}

/* The snapshot in force: what `current` names, then `current` itself. */
static yg_status copy_snapshot(struct yg_backup_out *b, struct yg_err *err)
{
	char path[YG_BACKUP_PATH];
	YG_AUTO(yg_buf_free) struct yg_buf name = {0};
	yg_buf_init(&name, 131072);
	yg_status st = yg_backup_path(b->o->snapshot_dir, "current", path, err);
	if (st == YG_OK)
		st = yg_file_read(path, 4096, &name, err);
	if (st == YG_NOTFOUND)
		return YG_OK; /* nothing was compiled yet */
	struct yg_sv file = yg_sv_trim(yg_buf_sv(&name));
	if (st == YG_OK && (file.n == 0 || yg_sv_find(file, '/', 0) < file.n))
		st = YG_FAIL(err, YG_CORRUPT, "'%s' names no file", path);
	if (st == YG_OK)
		st = make_dir(b, "snapshot", err);
	if (st == YG_OK)
		st = copy_file(b, b->o->snapshot_dir, "snapshot", file, err);
	return st == YG_OK ? yg_backup_put(b, "snapshot/current", yg_buf_sv(&name), err) : st;
}

static yg_status copy_keys(struct yg_backup_out *b, struct yg_err *err)
{
	yg_status st = make_dir(b, "keys", err);
	DIR *d = st == YG_OK ? opendir(b->o->keys_dir) : NULL;
	if (st == YG_OK && d == NULL)
		return YG_FAIL_OS(err, errno, "'%s'", b->o->keys_dir);
	for (struct dirent *e; st == YG_OK && (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.')
			st = copy_file(b, b->o->keys_dir, "keys", yg_sv_of(e->d_name), err);
	if (d != NULL)
		(void)closedir(d);
	b->info.with_keys = true;
	return st;
}

static void put_text(struct yg_buf *m, const char *name, struct yg_sv value)
{
	yg_buf_putc(m, ' ');
	yg_json_put_str(m, yg_sv_of(name));
	yg_buf_putc(m, ':');
	yg_json_put_str(m, value);
	yg_buf_put(m, YG_SV(",\n"));
}

static yg_status write_manifest(struct yg_backup_out *b, struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf m = {0};
	char path[YG_BACKUP_PATH], time[40], sum[160];
	uint8_t hash[YG_BACKUP_HASH];
	struct yg_sb t = yg_sb_init(time, sizeof time), s = yg_sb_init(sum, sizeof sum);
	yg_buf_init(&m, 512u << 20);
	yg_time_format(&t, b->info.created);
	yg_buf_printf(&m, "{\n \"yagura_backup\":%d,\n", YG_BACKUP_FORMAT);
	put_text(&m, "name", yg_sv_of(b->info.name));
	put_text(&m, "version", yg_sv_of(b->info.version));
	put_text(&m, "created", yg_sb_sv(&t));
	put_text(&m, "audit_head", yg_sv_of(b->info.audit_head));
	yg_buf_printf(&m,
		      " \"with_events\":%s,\n \"with_keys\":%s,\n \"event_rows\":%" PRIu64 ",\n",
		      b->info.with_events ? "true" : "false", b->info.with_keys ? "true" : "false",
		      b->info.event_rows);
	put_text(&m, "event_columns", b->info.with_events ? b->o->event_columns : YG_SV(""));
	yg_buf_printf(&m, " \"bytes\":%" PRIu64 ",\n \"files\":[\n", b->info.bytes);
	yg_buf_put(&m, yg_buf_sv(&b->files));
	yg_buf_put(&m, YG_SV("\n ]\n}\n"));
	if (m.bad || b->files.bad)
		return YG_FAIL(err, YG_NOMEM, "the manifest of the backup");
	yg_status st = yg_backup_path(b->root, "manifest.json", path, err);
	if (st == YG_OK)
		st = yg_file_write(path, yg_buf_sv(&m), 0600, err);
	if (st == YG_OK)
		st = yg_backup_path(b->root, "manifest.json.b2sum", path, err);
	if (st != YG_OK)
		return st;
	yg_backup_hash(yg_buf_sv(&m), hash);
	yg_sb_hex(&s, hash, sizeof hash);
	yg_sb_put(&s, YG_SV("  manifest.json\n"));
	return yg_file_write(path, yg_sb_sv(&s), 0600, err);
}

static yg_status fill(struct yg_backup_out *b, struct yg_err *err)
{
	const struct yg_backup_opts *o = b->o;
	/* state before events: a link of an alert then never misses its event */
	yg_status st = yg_backup_go_on(o, 0, 0, "state", err);
	if (st == YG_OK)
		st = copy_state(b, err);
	if (st == YG_OK && o->snapshot_dir != NULL)
		st = copy_snapshot(b, err);
	if (st == YG_OK && o->keys_dir != NULL)
		st = copy_keys(b, err);
	if (st == YG_OK && o->ch != NULL)
		st = make_dir(b, "events", err);
	if (st == YG_OK && o->ch != NULL)
		st = yg_backup_events(b, err);
	return st == YG_OK ? write_manifest(b, err) : st;
}

/* 20261122T015046Z-4F7K: sorts by time; the tail keeps two of one second apart. */
static void make_name(struct yg_backup_out *b)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	char time[40];
	uint8_t random[4];
	struct yg_sb t = yg_sb_init(time, sizeof time),
		     n = yg_sb_init(b->info.name, sizeof b->info.name);
	yg_time_format(&t, b->info.created);
	for (size_t i = 0; i < 19 && i < t.n; i++)
		if (time[i] != '-' && time[i] != ':')
			yg_sb_putc(&n, time[i]);
	yg_sb_put(&n, YG_SV("Z-"));
	b->o->env->random(b->o->env->ctx, random, sizeof random);
	for (size_t i = 0; i < sizeof random; i++)
		yg_sb_putc(&n, alphabet[random[i] & 31]);
	(void)yg_sb_cstr(&n);
}

static yg_status create(struct yg_backup_out *b, struct yg_err *err)
{
	char path[YG_BACKUP_PATH], tmp[YG_BACKUP_NAME_MAX + 8];
	(void)snprintf(tmp, sizeof tmp, ".%s.tmp", b->info.name);
	yg_status st = yg_dir_make(b->o->dir, 0700, err);
	if (st == YG_OK)
		st = yg_backup_path(b->o->dir, tmp, b->root, err);
	if (st == YG_OK)
		st = yg_backup_path(b->o->dir, b->info.name, path, err);
	if (st == YG_OK)
		st = yg_dir_make(b->root, 0700, err);
	if (st != YG_OK)
		return st;
	st = fill(b, err);
	if (st == YG_OK)
		st = yg_dir_sync(b->root, err);
	if (st == YG_OK && rename(b->root, path) != 0)
		st = YG_FAIL_OS(err, errno, "backup '%s'", path);
	if (st != YG_OK)
		yg_backup_remove_tree(b->root);
	else
		st = yg_dir_sync(b->o->dir, err);
	return st;
}

yg_status yg_backup_create(const struct yg_backup_opts *o, struct yg_backup *out,
			   struct yg_err *err)
{
	struct yg_backup_out *b = calloc(1, sizeof *b);
	if (b == NULL)
		return YG_FAIL(err, YG_NOMEM, "backup");
	b->o = o;
	b->info.created = yg_env_wall(o->env);
	(void)snprintf(b->info.version, sizeof b->info.version, "%s", YG_VERSION);
	yg_buf_init(&b->files, 256u << 20);
	make_name(b);
	yg_status st = create(b, err);
	yg_buf_free(&b->files);
	if (st == YG_OK)
		*out = b->info;
	free(b);
	return st;
}

static void remove_files(const char *path, bool deeper)
{
	char child[YG_BACKUP_PATH];
	DIR *d = opendir(path);
	if (d == NULL)
		return;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    yg_backup_path(path, e->d_name, child, NULL) != YG_OK)
			continue;
		if (unlink(child) != 0 && errno == EISDIR && deeper) {
			remove_files(child, false);
			(void)rmdir(child);
		}
	}
	(void)closedir(d);
}

void yg_backup_remove_tree(const char *path)
{
	static const char *const deep[] = {"state/restore/events", "state/restore", "state"};
	char child[YG_BACKUP_PATH];
	for (size_t i = 0; i < YG_LEN(deep); i++) {
		if (yg_backup_path(path, deep[i], child, NULL) == YG_OK) {
			remove_files(child, true);
			(void)rmdir(child);
		}
	}
	remove_files(path, true);
	(void)rmdir(path);
}

static int newest_first(const void *a, const void *b)
{
	const struct yg_backup *x = a, *y = b;
	return strcmp(y->name, x->name);
}

yg_status yg_backup_list(const char *dir, struct yg_arena *arena, struct yg_backup **out,
			 size_t *out_n, struct yg_err *err)
{
	const size_t cap = 1000; /* more are there, but nobody reads on */
	struct yg_backup *found = YG_NEW_N(arena, struct yg_backup, cap);
	size_t n = 0;
	if (found == NULL)
		return YG_FAIL(err, YG_NOMEM, "backups");
	DIR *d = opendir(dir);
	if (d == NULL && errno != ENOENT)
		return YG_FAIL_OS(err, errno, "'%s'", dir);
	for (struct dirent *e; d != NULL && n < cap && (e = readdir(d)) != NULL;) {
		YG_AUTO(yg_arena_free) struct yg_arena scratch = {0};
		struct yg_backup_in in;
		char path[YG_BACKUP_PATH];
		yg_arena_init(&scratch, 1u << 30);
		/* folders being written begin with a dot; others without a manifest are not ours */
		if (e->d_name[0] != '.' && yg_backup_path(dir, e->d_name, path, NULL) == YG_OK &&
		    yg_backup_read_manifest(path, &scratch, &in, NULL) == YG_OK)
			found[n++] = in.info;
	}
	if (d != NULL)
		(void)closedir(d);
	qsort(found, n, sizeof found[0], newest_first);
	*out = found;
	*out_n = n;
	return YG_OK;
}
