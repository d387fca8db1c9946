/* backup.h - copies of an installation, made while it runs, and back.
 *
 * A backup is one folder:
 *   manifest.json        what it is, every file with size and BLAKE2b-256
 *   manifest.json.b2sum  checksum of the manifest (b2sum -l 256 -c)
 *   state.db             the state database, of one moment
 *   snapshot/            the compiled indicators in force
 *   events/              rows of the event table, a zstd RowBinary file per
 *                        window of batches: DAY-SPOOL-FIRST-LAST-ROWS.rb.zst;
 *                        of one too large: ...-ROWS-ROW_FIRST-ROW_LAST.rb.zst
 *   keys/                only when asked for
 * It is built under another name and renamed, so a backup that is there is
 * whole.  What still waits in a spool is not in it: it is not delivered yet.
 * doc/state.md has the order of things and why.
 */
#pragma once
#include "base/arena.h"
#include "base/env.h"
#include "store/clickhouse.h"

#define YG_BACKUP_NAME_MAX 64

/* Called now and then; false stops the work (YG_AGAIN comes back). */
typedef bool yg_backup_progress_fn(void *ctx, uint64_t done, uint64_t total, const char *what);

struct yg_backup_opts {
	const struct yg_env *env;   /* borrowed, as all below */
	const char *dir;            /* where backups are kept ("state/backups"); made when absent */
	const char *state_path;     /* "state/yagura.db" */
	const char *snapshot_dir;   /* "snapshot"; NULL: none */
	const char *keys_dir;       /* NULL: keys are left out */
	struct yg_ch *ch;           /* NULL: events are left out */
	const char *event_table;    /* "event" */
	struct yg_sv event_columns; /* yg_event_table_columns() */
	yg_backup_progress_fn *progress; /* may be NULL */
	void *progress_ctx;
};
struct yg_backup {
	char name[YG_BACKUP_NAME_MAX]; /* "20261122T015046Z-4F7K" */
	yg_wall created;
	uint64_t bytes, files, event_rows;
	bool with_events, with_keys;
	char version[32];     /* of the program that made it */
	char audit_head[128]; /* NUMBER:HASH: an anchor for audit-log verify */
};
yg_status yg_backup_create(const struct yg_backup_opts *o, struct yg_backup *out,
			   struct yg_err *err) YG_MUST_USE;
/* The whole backups in `dir`, newest first, as their manifests say. */
yg_status yg_backup_list(const char *dir, struct yg_arena *arena, struct yg_backup **out,
			 size_t *out_n, struct yg_err *err);
/* Reads every file of the backup at `path` against its manifest.  YG_CORRUPT
 * names the first file that does not fit. */
yg_status yg_backup_verify(const char *path, struct yg_backup *out, struct yg_err *err);
/* Verifies, then makes the data folder `data`, which must be absent or empty
 * (else YG_CONFLICT).  Events wait in data/state/restore/ for the first start
 * (yg_backup_load_events).  Nothing is left of a restore that fails. */
yg_status yg_backup_restore(const char *path, const char *data, struct yg_backup *out,
			    struct yg_err *err) YG_MUST_USE;

/* True when restored events wait to be loaded. */
bool yg_backup_pending(const char *state_dir);
/* Loads them into the event table and removes each file when its rows are in.
 * Safe to be stopped anywhere and called again: rows are counted before they
 * are sent.  The table must be there. */
yg_status yg_backup_load_events(const char *state_dir, struct yg_ch *ch, const char *event_table,
				yg_backup_progress_fn *progress, void *ctx, uint64_t *out_rows,
				struct yg_err *err) YG_MUST_USE;
