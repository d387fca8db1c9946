#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/json.h"
#include "os/file.h"
#include "store/backup.h"
#include "store/backup_internal.h"
#include "store/state.h"

#define MANIFEST_MAX (512u << 20)
#define NODES_MAX    8000000u
#define ARENA_MAX    ((size_t)1 << 30)

/* Only names that a backup of ours can have: no way out of the folder. */
static bool path_ok(struct yg_sv p)
{
	static const struct yg_sv rooms[] = {YG_SV_INIT("snapshot/"), YG_SV_INIT("events/"),
					     YG_SV_INIT("keys/")};
	struct yg_sv leaf = {NULL, 0};
	if (YG_SV_IS(p, "state.db"))
		return true;
	for (size_t i = 0; i < YG_LEN(rooms); i++)
		if (yg_sv_starts(p, rooms[i]))
			leaf = yg_sv_sub(p, rooms[i].n, p.n);
	if (leaf.n == 0 || p.n >= YG_BACKUP_FILE || leaf.p[0] == '.')
		return false;
	for (size_t i = 0; i < leaf.n; i++) {
		char c = leaf.p[i];
		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') &&
		    c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

static yg_status take_file(const struct yg_json *j, uint32_t at, struct yg_arena *arena,
			   struct yg_backup_file *f, struct yg_err *err)
{
	int64_t bytes = yg_json_i64(j, yg_json_get(j, at, YG_SV("bytes")), -1);
	uint32_t path = yg_json_get(j, at, YG_SV("path")),
		 hash = yg_json_get(j, at, YG_SV("blake2b"));
	if (path == 0 || hash == 0 || bytes < 0 ||
	    yg_parse_hex(yg_json_raw(j, hash), f->hash, sizeof f->hash, NULL) != YG_OK)
		return YG_FAIL(err, YG_CORRUPT,
			       "the manifest lists a file without path, size or checksum");
	f->path = yg_arena_dup(arena, yg_json_str(j, path, arena));
	f->bytes = (uint64_t)bytes;
	if (f->path.p == NULL)
		return YG_FAIL(err, YG_NOMEM, "manifest");
	return path_ok(f->path)
		       ? YG_OK
		       : YG_FAIL(err, YG_CORRUPT, "the manifest lists a file that no backup has");
}

static void take_text(const struct yg_json *j, const char *name, char *to, size_t n,
		      struct yg_arena *arena)
{
	struct yg_sv v = yg_json_str(j, yg_json_get(j, 0, yg_sv_of(name)), arena);
	(void)snprintf(to, n, "%.*s", (int)YG_MIN(v.n, n - 1), v.p != NULL ? v.p : "");
}

static bool truth(const struct yg_json *j, const char *name)
{
	uint32_t at = yg_json_get(j, 0, yg_sv_of(name));
	return at != 0 && yg_json_at(j, at)->type == YG_JSON_TRUE;
}

static yg_status take_manifest(const struct yg_json *j, struct yg_arena *arena,
			       struct yg_backup_in *in, struct yg_err *err)
{
	if (yg_json_at(j, 0)->type != YG_JSON_OBJECT ||
	    yg_json_get(j, 0, YG_SV("yagura_backup")) == 0)
		return YG_FAIL(err, YG_CORRUPT, "not the manifest of a backup");
	int64_t format = yg_json_i64(j, yg_json_get(j, 0, YG_SV("yagura_backup")), -1);
	if (format != YG_BACKUP_FORMAT)
		return YG_FAIL(err, YG_CONFLICT,
			       "the backup is of format %lld, this program reads %d",
			       (long long)format, YG_BACKUP_FORMAT);
	take_text(j, "name", in->info.name, sizeof in->info.name, arena);
	take_text(j, "version", in->info.version, sizeof in->info.version, arena);
	take_text(j, "audit_head", in->info.audit_head, sizeof in->info.audit_head, arena);
	in->event_columns = yg_arena_dup(
		arena, yg_json_str(j, yg_json_get(j, 0, YG_SV("event_columns")), arena));
	in->info.with_events = truth(j, "with_events");
	in->info.with_keys = truth(j, "with_keys");
	in->info.event_rows = (uint64_t)yg_json_i64(j, yg_json_get(j, 0, YG_SV("event_rows")), 0);
	uint32_t created = yg_json_get(j, 0, YG_SV("created")),
		 files = yg_json_get(j, 0, YG_SV("files"));
	if (created == 0 ||
	    yg_time_parse(yg_json_raw(j, created), &in->info.created, NULL) != YG_OK ||
	    files == 0 || yg_json_at(j, files)->type != YG_JSON_ARRAY)
		return YG_FAIL(err, YG_CORRUPT,
			       "the manifest of the backup lacks what it must have");
	uint32_t n = yg_json_at(j, files)->n;
	in->files = YG_NEW_N(arena, struct yg_backup_file, n > 0 ? n : 1);
	if (in->files == NULL || in->event_columns.p == NULL)
		return YG_FAIL(err, YG_NOMEM, "manifest");
	yg_status st = YG_OK;
	for (uint32_t i = 0, at = files + 1; st == YG_OK && i < n;
	     i++, at = yg_json_at(j, at)->next) {
		st = take_file(j, at, arena, &in->files[i], err);
		in->info.bytes += in->files[i].bytes;
		in->file_count++;
	}
	in->info.files = in->file_count;
	return st;
}

/* "<hex>  manifest.json\n" */
static yg_status check_sum(const char *path, struct yg_sv manifest, struct yg_err *err)
{
	char name[YG_BACKUP_PATH];
	uint8_t want[YG_BACKUP_HASH], have[YG_BACKUP_HASH];
	YG_AUTO(yg_buf_free) struct yg_buf sum = {0};
	yg_buf_init(&sum, 131072);
	yg_status st = yg_backup_path(path, "manifest.json.b2sum", name, err);
	if (st == YG_OK)
		st = yg_file_read(name, 4096, &sum, err);
	if (st != YG_OK)
		return st;
	yg_backup_hash(manifest, have);
	if (yg_parse_hex(yg_sv_sub(yg_buf_sv(&sum), 0, sizeof want * 2), want, sizeof want, NULL) !=
		    YG_OK ||
	    memcmp(want, have, sizeof want) != 0)
		return YG_FAIL(err, YG_CORRUPT,
			       "the manifest of the backup was changed: its checksum does not fit");
	return YG_OK;
}

yg_status yg_backup_read_manifest(const char *path, struct yg_arena *arena,
				  struct yg_backup_in *out, struct yg_err *err)
{
	char name[YG_BACKUP_PATH];
	YG_AUTO(yg_buf_free) struct yg_buf text = {0};
	struct yg_json j;
	yg_buf_init(&text, MANIFEST_MAX + 131072u);
	*out = (struct yg_backup_in){0};
	yg_status st = yg_backup_path(path, "manifest.json", name, err);
	if (st == YG_OK)
		st = yg_file_read(name, MANIFEST_MAX, &text, err);
	if (st == YG_OK)
		st = check_sum(path, yg_buf_sv(&text), err);
	if (st != YG_OK)
		return st;
	yg_json_init(&j, NODES_MAX);
	st = yg_json_parse(&j, yg_buf_sv(&text), err);
	if (st == YG_PARSE || st == YG_LIMIT)
		st = YG_FAIL(err, YG_CORRUPT, "the manifest of the backup is no JSON of ours");
	if (st == YG_OK)
		st = take_manifest(&j, arena, out, err);
	yg_json_free(&j);
	return st;
}

static yg_status judge(const struct yg_backup_file *f, const uint8_t *hash, uint64_t bytes,
		       struct yg_err *err)
{
	if (bytes != f->bytes)
		return YG_FAIL(err, YG_CORRUPT, "%s has %llu bytes, the manifest says %llu",
			       f->path.p, (unsigned long long)bytes, (unsigned long long)f->bytes);
	if (memcmp(hash, f->hash, YG_BACKUP_HASH) != 0)
		return YG_FAIL(err, YG_CORRUPT, "%s was changed: its checksum does not fit",
			       f->path.p);
	return YG_OK;
}

static yg_status verify_file(const char *root, const struct yg_backup_file *f, struct yg_err *err)
{
	char path[YG_BACKUP_PATH];
	uint8_t hash[YG_BACKUP_HASH];
	uint64_t bytes = 0;
	yg_status st = yg_backup_path(root, f->path.p, path, err);
	if (st == YG_OK)
		st = yg_backup_hash_file(path, -1, hash, &bytes, err);
	if (st == YG_IO)
		return YG_FAIL(err, YG_CORRUPT, "%s is missing or cannot be read", f->path.p);
	return st == YG_OK ? judge(f, hash, bytes, err) : st;
}

static yg_status verify(const char *path, struct yg_arena *arena, struct yg_backup_in *in,
			struct yg_err *err)
{
	bool state = false;
	yg_status st = yg_backup_read_manifest(path, arena, in, err);
	for (size_t i = 0; st == YG_OK && i < in->file_count; i++) {
		st = verify_file(path, &in->files[i], err);
		state |= YG_SV_IS(in->files[i].path, "state.db");
	}
	return st == YG_OK && !state ? YG_FAIL(err, YG_CORRUPT, "the backup has no state database")
				     : st;
}

yg_status yg_backup_verify(const char *path, struct yg_backup *out, struct yg_err *err)
{
	struct yg_arena arena;
	struct yg_backup_in in;
	yg_arena_init(&arena, ARENA_MAX);
	yg_status st = verify(path, &arena, &in, err);
	if (st == YG_OK)
		*out = in.info;
	yg_arena_free(&arena);
	return st;
}

/* Where a file of the backup goes in a data folder. */
static void place(struct yg_sv path, char out[static YG_BACKUP_FILE + 32])
{
	const char *before = YG_SV_IS(path, "state.db")             ? "state/yagura.db"
			     : yg_sv_starts(path, YG_SV("events/")) ? "state/restore/"
								    : "";
	(void)snprintf(out, YG_BACKUP_FILE + 32, "%s%s", before,
		       YG_SV_IS(path, "state.db") ? "" : path.p);
}

static yg_status copy_one(const char *from_root, const char *to_root,
			  const struct yg_backup_file *f, struct yg_err *err)
{
	char from[YG_BACKUP_PATH], to[YG_BACKUP_PATH], name[YG_BACKUP_FILE + 32];
	uint8_t hash[YG_BACKUP_HASH];
	uint64_t bytes = 0;
	place(f->path, name);
	yg_status st = yg_backup_path(from_root, f->path.p, from, err);
	if (st == YG_OK)
		st = yg_backup_path(to_root, name, to, err);
	if (st != YG_OK)
		return st;
	YG_AUTO(yg_fd_close)
	int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return YG_FAIL_OS(err, errno, "'%s'", to);
	st = yg_backup_hash_file(from, fd, hash, &bytes, err);
	/* judged again: what was verified before is what was copied now */
	if (st == YG_OK)
		st = judge(f, hash, bytes, err);
	if (st == YG_OK && fsync(fd) != 0)
		st = YG_FAIL_OS(err, errno, "'%s'", to);
	return st;
}

static yg_status make_dirs(const char *root, struct yg_err *err)
{
	/* state and spool are what the supervisor knows a data folder by */
	static const char *const dirs[] = {
		"", "state", "state/restore", "state/restore/events", "snapshot", "keys", "spool"};
	char path[YG_BACKUP_PATH];
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < YG_LEN(dirs); i++) {
		st = yg_backup_path(root, dirs[i], path, err);
		if (st == YG_OK)
			st = yg_dir_make(path, 0700, err);
	}
	return st;
}

/* What waits is said by `columns`; without events there is nothing to wait for. */
static yg_status finish_events(const char *root, const struct yg_backup_in *in, struct yg_err *err)
{
	char path[YG_BACKUP_PATH];
	yg_status st = yg_backup_path(root, "state/restore/columns", path, err);
	if (st == YG_OK && in->info.with_events && in->info.event_rows > 0)
		return yg_file_write(path, in->event_columns, 0600, err);
	static const char *const empty[] = {"state/restore/events", "state/restore"};
	for (size_t i = 0; st == YG_OK && i < YG_LEN(empty); i++) {
		st = yg_backup_path(root, empty[i], path, err);
		if (st == YG_OK)
			(void)rmdir(path);
	}
	return st;
}

/* The database must open here: one of a newer program is refused now, not at the start. */
static yg_status try_state(const char *root, struct yg_err *err)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = NULL;
	char path[YG_BACKUP_PATH];
	yg_status st = yg_backup_path(root, "state/yagura.db", path, err);
	if (st == YG_OK)
		st = yg_state_open(path, &db, err);
	if (st == YG_OK)
		st = yg_state_migrate(db, err);
	return st == YG_OK ? yg_state_check(db, err) : st;
}

static yg_status build(const char *path, const char *root, const struct yg_backup_in *in,
		       struct yg_err *err)
{
	yg_status st = make_dirs(root, err);
	for (size_t i = 0; st == YG_OK && i < in->file_count; i++)
		st = copy_one(path, root, &in->files[i], err);
	if (st == YG_OK)
		st = finish_events(root, in, err);
	if (st == YG_OK)
		st = try_state(root, err);
	return st == YG_OK ? yg_dir_sync(root, err) : st;
}

static yg_status check_target(const char *data, struct yg_err *err)
{
	DIR *d = opendir(data);
	bool used = false;
	if (d == NULL)
		return errno == ENOENT ? YG_OK : YG_FAIL_OS(err, errno, "'%s'", data);
	for (struct dirent *e; !used && (e = readdir(d)) != NULL;)
		used = strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	(void)closedir(d);
	return used ? YG_FAIL(err, YG_CONFLICT,
			      "'%s' is not empty: a backup is restored into a new folder", data)
		    : YG_OK;
}

static yg_status restore(const char *path, const char *data, struct yg_arena *arena,
			 struct yg_backup_in *in, struct yg_err *err)
{
	char root[YG_BACKUP_PATH];
	struct yg_sv d = yg_sv_of(data);
	while (d.n > 1 && d.p[d.n - 1] == '/')
		d.n--;
	int n = snprintf(root, sizeof root, "%.*s.restore-%ld", (int)YG_MIN(d.n, sizeof root), d.p,
			 (long)getpid());
	if (n < 0 || (size_t)n >= sizeof root)
		return YG_FAIL(err, YG_TOOBIG, "the path of the data folder is too long");
	yg_status st = check_target(data, err);
	if (st == YG_OK)
		st = verify(path, arena, in, err);
	if (st != YG_OK)
		return st;
	st = build(path, root, in, err);
	/* rename() takes the place of an empty folder, and of nothing else */
	if (st == YG_OK && rename(root, data) != 0)
		st = errno == ENOTEMPTY || errno == EEXIST
			     ? YG_FAIL(err, YG_CONFLICT, "'%s' is not empty", data)
			     : YG_FAIL_OS(err, errno, "'%s'", data);
	if (st != YG_OK)
		yg_backup_remove_tree(root);
	return st;
}

yg_status yg_backup_restore(const char *path, const char *data, struct yg_backup *out,
			    struct yg_err *err)
{
	struct yg_arena arena;
	struct yg_backup_in in = {0};
	yg_arena_init(&arena, ARENA_MAX);
	yg_status st = restore(path, data, &arena, &in, err);
	if (st == YG_OK)
		*out = in.info;
	yg_arena_free(&arena);
	return st;
}
