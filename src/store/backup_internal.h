/* backup_internal.h - shared by the files that make and read backups. */
#pragma once
#include "store/backup.h"

#define YG_BACKUP_FORMAT 1
#define YG_BACKUP_HASH   32
#define YG_BACKUP_PATH   1024
#define YG_BACKUP_FILE   128   /* longest name inside a backup */
#define YG_BACKUP_WINDOW 32768 /* rows per file of events, unless one batch has more */

/* A backup being written: its folder, and the manifest so far. */
struct yg_backup_out {
	const struct yg_backup_opts *o;
	char root[YG_BACKUP_PATH];
	struct yg_buf files; /* JSON objects with commas between them */
	struct yg_backup info;
};
/* root + "/" + name; YG_TOOBIG when it does not fit. */
yg_status yg_backup_path(const char *root, const char *name, char out[static YG_BACKUP_PATH],
			 struct yg_err *err);
/* Writes one file of the backup and lists it. */
yg_status yg_backup_put(struct yg_backup_out *b, const char *name, struct yg_sv bytes,
			struct yg_err *err);
/* Lists a file that stands there already. */
yg_status yg_backup_list_file(struct yg_backup_out *b, const char *name, struct yg_err *err);
yg_status yg_backup_events(struct yg_backup_out *b, struct yg_err *err);
yg_status yg_backup_go_on(const struct yg_backup_opts *o, uint64_t done, uint64_t total,
			  const char *what, struct yg_err *err);

struct yg_backup_file { /* of a manifest that was read; path is NUL-terminated, in the arena */
	struct yg_sv path;
	uint64_t bytes;
	uint8_t hash[YG_BACKUP_HASH];
};
struct yg_backup_in {
	struct yg_backup info;
	struct yg_backup_file *files;
	size_t file_count;
	struct yg_sv event_columns;
};
/* Reads and checks the manifest of the backup at `path`; everything in `arena`. */
yg_status yg_backup_read_manifest(const char *path, struct yg_arena *arena,
				  struct yg_backup_in *out, struct yg_err *err);
/* BLAKE2b-256 of a file's bytes, read in pieces; when `to` is not -1 they are
 * also written there. */
yg_status yg_backup_hash_file(const char *path, int to, uint8_t out[static YG_BACKUP_HASH],
			      uint64_t *out_bytes, struct yg_err *err);
void yg_backup_hash(struct yg_sv bytes, uint8_t out[static YG_BACKUP_HASH]);
/* Removes a folder of ours with what is in it: two levels, no links followed. */
void yg_backup_remove_tree(const char *path);
