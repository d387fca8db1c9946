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
#define PIECE_MAX  (128u << 20) /* of rows in one file; the store's own bound may be lower */
#define PIECES     128u /* waiting to be saved: a window is halved as often as its numbers have bits */
#define RECOUNTS   8u

struct window {
	uint32_t day, spool;
	uint64_t first, last, rows;
	uint32_t row_first, row_last; /* of every batch; all: 0 to UINT32_MAX */
};
#define WINDOW_SQL                                                                                 \
	" WHERE day = {day:UInt32} AND spool = {spool:UInt32} AND batch >= {first:UInt64}"         \
	" AND batch <= {last:UInt64} AND row >= {row_first:UInt32} AND row <= {row_last:UInt32}"

static yg_status ask(struct yg_ch *ch, const char *sql, const struct window *w, const char *format,
		     struct yg_buf *out, struct yg_err *err)
{
	char text[6][24];
	struct yg_ch_param p[6] = {{.name = "day"},  {.name = "spool"},     {.name = "first"},
				   {.name = "last"}, {.name = "row_first"}, {.name = "row_last"}};
	const uint64_t v[6] = {w->day, w->spool, w->first, w->last, w->row_first, w->row_last};
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

static yg_status count_rows(struct yg_ch *ch, const char *table, const struct window *w,
			    uint64_t *out, struct yg_err *err)
{
	char sql[512];
	YG_AUTO(yg_buf_free) struct yg_buf answer = {0};
	(void)snprintf(sql, sizeof sql, "SELECT count() FROM %.200s" WINDOW_SQL, table);
	yg_buf_init(&answer, 4096);
	yg_status st = ask(ch, sql, w, "TabSeparated", &answer, err);
	return st == YG_OK ? yg_parse_u64(yg_sv_trim(yg_buf_sv(&answer)), out, err) : st;
}

/* The rows of a window and how many they are: counted again behind the reading,
 * for a batch that comes in several inserts may have grown meanwhile. */
static yg_status read_window(struct yg_backup_out *b, struct window *w, struct yg_buf *rows,
			     struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf sql = {0};
	uint64_t now = w->rows + 1;
	yg_status st = YG_OK;
	yg_buf_init(&sql, 65536);
	yg_buf_printf(&sql, "SELECT %.*s FROM %s" WINDOW_SQL, (int)b->o->event_columns.n,
		      b->o->event_columns.p, b->o->event_table);
	yg_buf_putc(&sql, '\0');
	if (sql.bad)
		return YG_FAIL(err, YG_NOMEM, "backup");
	for (unsigned i = 0; st == YG_OK && now != w->rows; i++) {
		if (i == RECOUNTS)
			return YG_FAIL(err, YG_AGAIN, "a batch of events grew all the time");
		if (i > 0)
			w->rows = now;
		rows->n = 0;
		rows->bad = false;
		st = ask(b->o->ch, sql.p, w, "RowBinary", rows, err);
		if (st == YG_OK)
			st = count_rows(b->o->ch, b->o->event_table, w, &now, err);
	}
	return st;
}

static yg_status save_piece(struct yg_backup_out *b, struct window *w, struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf rows = {0};
	YG_AUTO(yg_buf_free) struct yg_buf packed = {0};
	char name[YG_BACKUP_FILE], part[32] = "";
	yg_buf_init(&rows, PIECE_MAX);
	yg_buf_init(&packed, PIECE_MAX + 131072u);
	yg_status st = read_window(b, w, &rows, err);
	if (st == YG_OK && w->rows == 0)
		return YG_OK; /* gone meanwhile */
	if (st == YG_OK)
		st = yg_zstd_compress(yg_buf_sv(&rows), ZSTD_LEVEL, &packed, err);
	if (st != YG_OK)
		return st;
	if (w->row_first > 0 || w->row_last < UINT32_MAX)
		(void)snprintf(part, sizeof part, "-%" PRIu32 "-%" PRIu32, w->row_first,
			       w->row_last);
	(void)snprintf(name, sizeof name,
		       "events/%" PRIu32 "-%" PRIu32 "-%" PRIu64 "-%" PRIu64 "-%" PRIu64
		       "%s.rb.zst",
		       w->day, w->spool, w->first, w->last, w->rows, part);
	b->info.event_rows += w->rows;
	return yg_backup_put(b, name, yg_buf_sv(&packed), err);
}

/* Halves: of the batches, of one batch's rows when there is no other. */
static bool halve(const struct window *w, struct window half[static 2])
{
	uint32_t most = (uint32_t)YG_MIN(w->rows, (uint64_t)UINT32_MAX);
	half[0] = half[1] = *w;
	if (w->first < w->last) {
		half[0].last = w->first + (w->last - w->first) / 2;
		half[1].first = half[0].last + 1;
		return true;
	}
	if (w->rows < 2 || w->row_first >= w->row_last)
		return false;
	uint32_t span = YG_MIN(w->row_last - w->row_first, most);
	half[0].row_last = w->row_first + (span - 1) / 2;
	half[1].row_first = half[0].row_last + 1;
	return true;
}

/* What is more than fits one answer goes into several files. */
static yg_status save_window(struct yg_backup_out *b, const struct window *whole,
			     struct yg_err *err)
{
	struct window stack[PIECES], half[2];
	size_t n = 0;
	yg_status st = YG_OK;
	stack[n++] = *whole;
	while (n > 0 && st == YG_OK) {
		struct window *w = &stack[n - 1];
		st = save_piece(b, w, err);
		if (st != YG_LIMIT) {
			n--;
			continue;
		}
		if (n == PIECES || !halve(w, half))
			return st;
		for (size_t i = 0; i < 2; i++) {
			st = count_rows(b->o->ch, b->o->event_table, &half[i], &half[i].rows, err);
			if (st != YG_OK)
				return st;
		}
		stack[n - 1] = half[1]; /* the first half is saved first */
		stack[n++] = half[0];
	}
	return st;
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
			w = (struct window){
				.day = day, .spool = spool, .first = batch, .row_last = UINT32_MAX};
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

/* "DAY-SPOOL-FIRST-LAST-ROWS.rb.zst"; "...-ROWS-ROW_FIRST-ROW_LAST.rb.zst" when
 * the file holds these rows only. */
static bool parse_name(const char *name, struct window *w)
{
	struct yg_sv rest = yg_sv_of(name), part;
	uint64_t v[7] = {[6] = UINT32_MAX};
	size_t n = 0;
	if (!yg_sv_ends(rest, YG_SV(".rb.zst")))
		return false;
	rest.n -= sizeof ".rb.zst" - 1;
	for (; n < YG_LEN(v) && yg_sv_cut(&rest, '-', &part); n++)
		if (yg_parse_u64(part, &v[n], NULL) != YG_OK)
			return false;
	if ((n != 5 && n != 7) || rest.n > 0 || v[0] > UINT32_MAX || v[1] > UINT32_MAX ||
	    v[5] > UINT32_MAX || v[6] > UINT32_MAX)
		return false;
	*w = (struct window){(uint32_t)v[0], (uint32_t)v[1], v[2],          v[3],
			     v[4],           (uint32_t)v[5], (uint32_t)v[6]};
	return true;
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
	char query_id[128];
	yg_buf_init(&packed, RESULT_MAX + 131072u);
	yg_buf_init(&rows, RESULT_MAX);
	yg_buf_init(&into, 65536);
	yg_buf_printf(&into, "%s (%.*s)", l->table, (int)l->columns.n, l->columns.p);
	yg_buf_putc(&into, '\0');
	(void)snprintf(query_id, sizeof query_id,
		       "yg-restore-%" PRIu32 "-%" PRIu64 "-%" PRIu64 "-%" PRIu32, w->spool,
		       w->first, w->last, w->row_first);
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
