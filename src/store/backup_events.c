#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/codec.h"
#include "format/compress.h"
#include "format/inflate.h"
#include "format/json.h"
#include "os/file.h"
#include "store/backup.h"
#include "store/backup_internal.h"

/* Rows go through the ClickHouse interface, so that the embedded store and a
 * cluster are saved and restored alike.  A batch is never changed once it is in,
 * and (spool, batch, row) is never given twice, so windows of batches are
 * consistent by themselves, whatever arrives meanwhile. */

#define RESULT_MAX (1u << 30)
#define QUERY_S    600
#define ZSTD_LEVEL 3

struct window {
	uint32_t day, spool;
	uint64_t first, last, rows;
};

static yg_status ask(struct yg_ch *ch, const char *sql, const struct window *w, const char *format,
		     struct yg_buf *out, struct yg_err *err)
{
	char text[4][24];
	struct yg_ch_param p[4] = {
		{.name = "day"}, {.name = "spool"}, {.name = "first"}, {.name = "last"}};
	const uint64_t v[4] = {w->day, w->spool, w->first, w->last};
	for (size_t i = 0; i < YG_LEN(p); i++) {
		struct yg_sb b = yg_sb_init(text[i], sizeof text[i]);
		yg_sb_u64(&b, v[i]);
		p[i].value = yg_sb_sv(&b);
	}
	struct yg_ch_query q = {.sql = yg_sv_of(sql),
				.format = format,
				.params = p,
				.param_count = YG_LEN(p),
				.max_seconds = QUERY_S};
	return yg_ch_query(ch, &q, out, err);
}

static yg_status save_window(struct yg_backup_out *b, const struct window *w, struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf sql = {0};
	YG_AUTO(yg_buf_free) struct yg_buf rows = {0};
	YG_AUTO(yg_buf_free) struct yg_buf packed = {0};
	char name[YG_BACKUP_FILE];
	yg_buf_init(&sql, 65536);
	yg_buf_init(&rows, RESULT_MAX);
	yg_buf_init(&packed, RESULT_MAX + 131072u);
	yg_buf_printf(&sql,
		      "SELECT %.*s FROM %s WHERE day = {day:UInt32} AND spool = {spool:UInt32}"
		      " AND batch >= {first:UInt64} AND batch <= {last:UInt64}",
		      (int)b->o->event_columns.n, b->o->event_columns.p, b->o->event_table);
	yg_buf_putc(&sql, '\0');
	yg_status st = sql.bad ? YG_FAIL(err, YG_NOMEM, "backup")
			       : ask(b->o->ch, sql.p, w, "RowBinary", &rows, err);
	if (st == YG_OK)
		st = yg_zstd_compress(yg_buf_sv(&rows), ZSTD_LEVEL, &packed, err);
	if (st != YG_OK)
		return st;
	(void)snprintf(name, sizeof name,
		       "events/%" PRIu32 "-%" PRIu32 "-%" PRIu64 "-%" PRIu64 "-%" PRIu64 ".rb.zst",
		       w->day, w->spool, w->first, w->last, w->rows);
	b->info.event_rows += w->rows;
	return yg_backup_put(b, name, yg_buf_sv(&packed), err);
}

/* Batches of one day in order; windows close when they are full or the spool changes. */
static yg_status save_day(struct yg_backup_out *b, uint32_t day, uint64_t total, struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf sql = {0};
	YG_AUTO(yg_buf_free) struct yg_buf batches = {0};
	struct window w = {.day = day};
	yg_buf_init(&sql, 4096);
	yg_buf_init(&batches, RESULT_MAX);
	yg_buf_printf(
		&sql,
		"SELECT spool, batch, count() AS n FROM %s WHERE day = {day:UInt32} GROUP BY spool, batch ORDER BY spool, batch",
		b->o->event_table);
	yg_buf_putc(&sql, '\0');
	yg_status st = ask(b->o->ch, sql.p, &w, "RowBinary", &batches, err);
	struct yg_rd r = yg_rd_init(batches.p, batches.n);
	while (st == YG_OK && yg_rd_left(&r) > 0) {
		uint32_t spool = yg_rd_le32(&r);
		uint64_t batch = yg_rd_le64(&r), n = yg_rd_le64(&r);
		if (r.bad)
			return YG_FAIL(err, YG_CORRUPT, "the event store's answer is cut short");
		if (w.rows > 0 && (spool != w.spool || w.rows + n > YG_BACKUP_WINDOW)) {
			st = save_window(b, &w, err);
			w.rows = 0;
			if (st == YG_OK)
				st = yg_backup_go_on(b->o, b->info.event_rows, total, "events",
						     err);
		}
		if (w.rows == 0)
			w = (struct window){.day = day, .spool = spool, .first = batch};
		w.last = batch;
		w.rows += n;
	}
	return st == YG_OK && w.rows > 0 ? save_window(b, &w, err) : st;
}

yg_status yg_backup_events(struct yg_backup_out *b, struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf sql = {0};
	YG_AUTO(yg_buf_free) struct yg_buf days = {0};
	struct window w = {0};
	uint64_t total = 0;
	yg_buf_init(&sql, 4096);
	yg_buf_init(&days, RESULT_MAX);
	yg_buf_printf(&sql, "SELECT day, count() AS n FROM %s GROUP BY day ORDER BY day",
		      b->o->event_table);
	yg_buf_putc(&sql, '\0');
	yg_status st = ask(b->o->ch, sql.p, &w, "RowBinary", &days, err);
	if (st == YG_NOTFOUND)
		st = YG_OK; /* the table was not made yet */
	struct yg_rd r = yg_rd_init(days.p, days.n);
	while (st == YG_OK && !r.bad && yg_rd_left(&r) > 0) {
		(void)yg_rd_le32(&r);
		total += yg_rd_le64(&r);
	}
	r = yg_rd_init(days.p, days.n);
	while (st == YG_OK && yg_rd_left(&r) > 0) {
		uint32_t day = yg_rd_le32(&r);
		(void)yg_rd_le64(&r);
		st = r.bad ? YG_FAIL(err, YG_CORRUPT, "the event store's answer is cut short")
			   : save_day(b, day, total, err);
	}
	b->info.with_events = true;
	return st;
}

/* "DAY-SPOOL-FIRST-LAST-ROWS.rb.zst" */
static bool parse_name(const char *name, struct window *w)
{
	struct yg_sv rest = yg_sv_of(name), part;
	uint64_t v[5];
	if (!yg_sv_ends(rest, YG_SV(".rb.zst")))
		return false;
	rest.n -= sizeof ".rb.zst" - 1;
	for (size_t i = 0; i < YG_LEN(v); i++)
		if (!yg_sv_cut(&rest, '-', &part) || yg_parse_u64(part, &v[i], NULL) != YG_OK)
			return false;
	if (v[0] > UINT32_MAX || v[1] > UINT32_MAX)
		return false;
	*w = (struct window){(uint32_t)v[0], (uint32_t)v[1], v[2], v[3], v[4]};
	return true;
}

static yg_status count_rows(struct yg_ch *ch, const char *table, const struct window *w,
			    uint64_t *out, struct yg_err *err)
{
	char sql[512];
	YG_AUTO(yg_buf_free) struct yg_buf answer = {0};
	(void)snprintf(
		sql, sizeof sql,
		"SELECT count() FROM %.200s WHERE day = {day:UInt32} AND spool = {spool:UInt32}"
		" AND batch >= {first:UInt64} AND batch <= {last:UInt64}",
		table);
	yg_buf_init(&answer, 4096);
	yg_status st = ask(ch, sql, w, "TabSeparated", &answer, err);
	return st == YG_OK ? yg_parse_u64(yg_sv_trim(yg_buf_sv(&answer)), out, err) : st;
}

struct load {
	struct yg_ch *ch;
	const char *table;
	char root[YG_BACKUP_PATH]; /* state/restore */
	struct yg_sv columns;
	uint64_t rows;
};

static yg_status send_file(struct load *l, const char *path, const struct window *w,
			   struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf packed = {0};
	YG_AUTO(yg_buf_free) struct yg_buf rows = {0};
	YG_AUTO(yg_buf_free) struct yg_buf into = {0};
	char query_id[96];
	yg_buf_init(&packed, RESULT_MAX + 131072u);
	yg_buf_init(&rows, RESULT_MAX);
	yg_buf_init(&into, 65536);
	yg_buf_printf(&into, "%s (%.*s)", l->table, (int)l->columns.n, l->columns.p);
	yg_buf_putc(&into, '\0');
	(void)snprintf(query_id, sizeof query_id, "yg-restore-%" PRIu32 "-%" PRIu64 "-%" PRIu64,
		       w->spool, w->first, w->last);
	yg_status st = into.bad ? YG_FAIL(err, YG_NOMEM, "restore")
				: yg_file_read(path, RESULT_MAX, &packed, err);
	if (st == YG_OK)
		st = yg_inflate_all(YG_ZSTD, yg_buf_sv(&packed), &rows, err);
	/* an earlier try may still be at it: only then is the count the truth */
	if (st == YG_OK)
		st = yg_ch_settle(l->ch, query_id, err);
	uint64_t have = 0;
	if (st == YG_OK)
		st = count_rows(l->ch, l->table, w, &have, err);
	if (st != YG_OK || have == w->rows)
		return st;
	if (have != 0)
		return YG_FAIL(err, YG_CORRUPT,
			       "'%s': %" PRIu64 " of %" PRIu64 " rows are in the event store", path,
			       have, w->rows);
	return yg_ch_insert(l->ch, into.p, query_id, yg_buf_sv(&rows), err);
}

static yg_status load_dir(struct load *l, yg_backup_progress_fn *progress, void *ctx,
			  struct yg_err *err)
{
	char dir[YG_BACKUP_PATH], path[YG_BACKUP_PATH];
	yg_status st = yg_backup_path(l->root, "events", dir, err);
	DIR *d = st == YG_OK ? opendir(dir) : NULL;
	if (st == YG_OK && d == NULL && errno != ENOENT)
		return YG_FAIL_OS(err, errno, "'%s'", dir);
	for (struct dirent *e; st == YG_OK && d != NULL && (e = readdir(d)) != NULL;) {
		struct window w;
		if (!parse_name(e->d_name, &w))
			continue;
		st = yg_backup_path(dir, e->d_name, path, err);
		if (st == YG_OK)
			st = send_file(l, path, &w, err);
		if (st == YG_OK && unlink(path) != 0)
			st = YG_FAIL_OS(err, errno, "'%s'", path);
		if (st == YG_OK)
			l->rows += w.rows;
		if (st == YG_OK && progress != NULL && !progress(ctx, l->rows, 0, "events"))
			st = YG_FAIL(err, YG_AGAIN, "stopped while loading events");
	}
	if (d != NULL)
		(void)closedir(d);
	return st;
}

bool yg_backup_pending(const char *state_dir)
{
	char path[YG_BACKUP_PATH];
	return yg_backup_path(state_dir, "restore/columns", path, NULL) == YG_OK &&
	       access(path, F_OK) == 0;
}

yg_status yg_backup_load_events(const char *state_dir, struct yg_ch *ch, const char *event_table,
				yg_backup_progress_fn *progress, void *ctx, uint64_t *out_rows,
				struct yg_err *err)
{
	struct load l = {.ch = ch, .table = event_table};
	char path[YG_BACKUP_PATH];
	YG_AUTO(yg_buf_free) struct yg_buf columns = {0};
	yg_buf_init(&columns, 262144);
	yg_status st = yg_backup_path(state_dir, "restore", l.root, err);
	if (st == YG_OK)
		st = yg_backup_path(l.root, "columns", path, err);
	if (st == YG_OK)
		st = yg_file_read(path, 65536, &columns, err);
	l.columns = yg_sv_trim(yg_buf_sv(&columns));
	if (st == YG_OK)
		st = load_dir(&l, progress, ctx, err);
	*out_rows = l.rows;
	if (st != YG_OK)
		return st;
	/* all are in: `columns` is what says that something waits */
	if (unlink(path) != 0)
		return YG_FAIL_OS(err, errno, "'%s'", path);
	if (yg_backup_path(l.root, "events", path, NULL) == YG_OK)
		(void)rmdir(path);
	(void)rmdir(l.root);
	return YG_OK;
}
