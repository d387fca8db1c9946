#include "event/scan.h"

#include <stdlib.h>

#include "event/search_internal.h"

#define COUNT_SECONDS 20u
#define CHUNK_SECONDS 60u
#define CHUNK_BYTES   (64u << 20)
#define ORGS_BYTES    (16u << 20)
#define ROW_ARENA     (16u << 20) /* the lists of one event */
#define CHUNK_LEAST   200u
#define WIDTH_FIRST   (3600 * YG_US_PER_S) /* when nobody knows how many there are */
#define WIDTH_LEAST   YG_US_PER_S

static int64_t minus(int64_t a, int64_t b)
{
	int64_t out;
	return __builtin_sub_overflow(a, b, &out) ? (b > 0 ? INT64_MIN : INT64_MAX) : out;
}

static bool nobody(const struct yg_search_scope *scope)
{
	return !scope->all_orgs && scope->org_count == 0 && scope->system_count == 0;
}

/* " FROM event PREWHERE (...) WHERE time >= ... AND time < ... AND org ..." */
static yg_status put_from(struct yg_buf *sql, const struct yg_search *s,
			  const struct yg_search_scope *scope, int64_t from, int64_t to,
			  struct yg_err *err)
{
	yg_buf_put(sql, YG_SV(" FROM " YG_EVENT_TABLE));
	yg_search_put_where(sql, s);
	yg_buf_printf(sql, " WHERE time >= %lld AND time < %lld", (long long)from, (long long)to);
	return yg_search_put_scope(sql, scope, err);
}

static yg_status ask(struct yg_ch *ch, const struct yg_search *s, struct yg_buf *sql,
		     uint32_t seconds, struct yg_buf *out, struct yg_err *err)
{
	struct yg_ch_query q = {.sql = yg_buf_sv(sql),
				.format = "RowBinary",
				.params = s->params,
				.param_count = s->param_count,
				.max_seconds = seconds};
	out->n = 0;
	return sql->bad ? YG_FAIL(err, YG_TOOBIG, "the search is too long")
			: yg_ch_query(ch, &q, out, err);
}

/* Rows of a name, and a number when `counted`. */
static yg_status read_orgs(struct yg_sv rows, bool counted, struct yg_arena *arena,
			   struct yg_scan *out, struct yg_err *err)
{
	struct yg_sv bytes = yg_arena_dup(arena, rows);
	size_t cap = 16;
	out->orgs = YG_NEW_N(arena, struct yg_scan_org, cap);
	struct yg_rd rd = yg_rd_init(bytes.p, bytes.n);
	while (bytes.p != NULL && out->orgs != NULL && yg_rd_left(&rd) > 0) {
		struct yg_scan_org o = {0};
		if (!yg_event_value_read(&rd, &o.name))
			return YG_FAIL(err, YG_CORRUPT, "event store: the answer is cut short");
		o.count = counted ? yg_rd_le64(&rd) : 0;
		if (out->org_count == cap) {
			struct yg_scan_org *more = YG_NEW_N(arena, struct yg_scan_org, cap * 2);
			if (more != NULL)
				memcpy(more, out->orgs, cap * sizeof *more);
			out->orgs = more;
			cap *= 2;
		}
		if (out->orgs != NULL)
			out->orgs[out->org_count++] = o;
		out->total += o.count;
	}
	return bytes.p != NULL && out->orgs != NULL
		       ? YG_OK
		       : YG_FAIL(err, YG_NOMEM, "the organisations of a search");
}

/* The first slice of an organisation: about as wide as a chunk of it is. */
static void begin_org(struct yg_scan *scan)
{
	int64_t span = minus(scan->to, scan->from);
	uint64_t n = scan->together ? scan->total : scan->orgs[scan->at].count;
	scan->slice_to = scan->to;
	scan->within = false;
	scan->width = !scan->counted ? WIDTH_FIRST
		      : n <= scan->most
			      ? span
			      : (int64_t)((double)span / (double)n * (double)scan->most * 0.9);
	scan->width = YG_MAX(YG_MIN(scan->width, span), WIDTH_LEAST);
}

yg_status yg_scan_begin(struct yg_ch *ch, const struct yg_search *s,
			const struct yg_search_scope *scope, struct yg_arena *arena,
			struct yg_scan *out, struct yg_err *err)
{
	struct yg_buf sql, answer;
	yg_status st = YG_LIMIT;
	*out = (struct yg_scan){.from = scope->from.us,
				.to = scope->to.us != 0 ? scope->to.us : INT64_MAX,
				.most = YG_MIN(scope->limit, YG_SCAN_CHUNK),
				.counted = true};
	if (out->most == 0)
		out->most = YG_SCAN_CHUNK;
	out->done = nobody(scope) || out->from >= out->to;
	if (out->done)
		return YG_OK;
	yg_buf_init(&sql, 1u << 20);
	yg_buf_init(&answer, ORGS_BYTES);
	for (int i = 0; i < 2 && st == YG_LIMIT; i++) {
		static const struct yg_search any = {.where = YG_SV_INIT("1")};
		out->counted = i == 0;
		sql.n = 0;
		yg_buf_put(&sql, out->counted ? YG_SV("SELECT org, toUInt64(count())")
					      : YG_SV("SELECT org"));
		st = put_from(&sql, out->counted ? s : &any, scope, out->from, out->to, err);
		yg_buf_put(&sql, YG_SV(" GROUP BY org ORDER BY org"));
		if (st == YG_OK)
			st = ask(ch, out->counted ? s : &any, &sql, COUNT_SECONDS, &answer, err);
	}
	if (st == YG_OK)
		st = read_orgs(yg_buf_sv(&answer), out->counted, arena, out, err);
	yg_buf_free(&sql);
	yg_buf_free(&answer);
	if (st != YG_OK)
		return st;
	out->together = out->counted && out->total < out->most;
	out->done = out->org_count == 0;
	if (!out->done)
		begin_org(out);
	return YG_OK;
}

/* What of the scope is in that organisation; false: nothing. */
static bool narrow(const struct yg_search_scope *scope, const struct yg_sv *org,
		   struct yg_search_system *systems, struct yg_search_scope *out)
{
	bool whole = scope->all_orgs;
	*out = *scope;
	for (size_t i = 0; !whole && i < scope->org_count; i++)
		whole = yg_sv_eq(scope->orgs[i], *org);
	out->all_orgs = false;
	out->orgs = org;
	out->org_count = whole;
	out->systems = systems;
	out->system_count = 0;
	for (size_t i = 0; !whole && i < scope->system_count; i++) {
		if (yg_sv_eq(scope->systems[i].org, *org))
			systems[out->system_count++] = scope->systems[i];
	}
	return !nobody(out);
}

struct chunk {
	yg_scan_row *row;
	void *ctx;
	size_t n;
};

static yg_status read_rows(struct yg_sv rows, struct yg_scan *scan, struct chunk *c,
			   struct yg_err *err)
{
	struct yg_arena arena;
	struct yg_event ev;
	struct yg_rd rd = yg_rd_init(rows.p, rows.n);
	yg_status st = YG_OK;
	yg_arena_init(&arena, ROW_ARENA);
	for (; st == YG_OK && yg_rd_left(&rd) > 0; c->n++) {
		yg_arena_reset(&arena);
		st = yg_event_row_read(&rd, &arena, &ev, err);
		if (st == YG_OK)
			st = c->row(c->ctx, &ev, err);
		if (st == YG_OK)
			scan->last = (struct yg_search_key){.time = ev.time,
							    .spool = ev.spool,
							    .row = ev.row,
							    .batch = ev.batch};
	}
	yg_arena_free(&arena);
	return st;
}

/* On to what lies before the chunk that was read. */
static void go_on(struct yg_scan *scan, int64_t from, size_t n)
{
	scan->within = n >= scan->most;
	if (scan->within) { /* the slice has more: it is narrower than one thought */
		scan->width = YG_MAX(minus(scan->slice_to, scan->last.time), WIDTH_LEAST);
		scan->slice_to = scan->last.time < INT64_MAX ? scan->last.time + 1 : INT64_MAX;
		return;
	}
	scan->slice_to = from;
	double wider = n == 0 ? 16 : YG_MIN((double)scan->most * 0.8 / (double)n, 16.0);
	double width = (double)scan->width * wider;
	int64_t span = minus(scan->to, scan->from);
	scan->width = width < (double)span ? YG_MAX((int64_t)width, WIDTH_LEAST) : span;
	if (scan->slice_to > scan->from)
		return;
	scan->done = scan->together || ++scan->at == scan->org_count;
	if (!scan->done)
		begin_org(scan);
}

static yg_status read_slice(struct yg_ch *ch, const struct yg_search *s,
			    const struct yg_search_scope *scope, struct yg_scan *scan, int64_t from,
			    struct chunk *c, struct yg_err *err)
{
	struct yg_buf sql, answer;
	yg_buf_init(&sql, 1u << 20);
	yg_buf_init(&answer, CHUNK_BYTES);
	yg_search_put_columns(&sql, false);
	yg_status st = put_from(&sql, s, scope, from, scan->slice_to, err);
	if (scan->within)
		yg_search_put_after(&sql, scan->last);
	yg_buf_printf(&sql, " ORDER BY time DESC, spool DESC, batch DESC, row DESC LIMIT %u",
		      scan->most);
	if (st == YG_OK)
		st = ask(ch, s, &sql, CHUNK_SECONDS, &answer, err);
	if (st == YG_OK)
		st = read_rows(yg_buf_sv(&answer), scan, c, err);
	yg_buf_free(&sql);
	yg_buf_free(&answer);
	return st;
}

yg_status yg_scan_next(struct yg_ch *ch, const struct yg_search *s,
		       const struct yg_search_scope *scope, struct yg_scan *scan, yg_scan_row *row,
		       void *ctx, struct yg_err *err)
{
	struct chunk c = {.row = row, .ctx = ctx};
	struct yg_search_scope narrowed = *scope;
	struct yg_search_system *systems = NULL;
	if (scan->done)
		return YG_OK;
	if (!scan->together) {
		systems = calloc(scope->system_count + 1, sizeof *systems);
		if (systems == NULL)
			return YG_FAIL(err, YG_NOMEM, "a part of a search");
	}
	if (nobody(scope) ||
	    (!scan->together && !narrow(scope, &scan->orgs[scan->at].name, systems, &narrowed))) {
		scan->slice_to = scan->from; /* it is not theirs any more */
		free(systems);
		go_on(scan, scan->from, 0);
		return YG_OK;
	}
	int64_t from = YG_MAX(minus(scan->slice_to, scan->width), scan->from);
	yg_status st = read_slice(ch, s, &narrowed, scan, from, &c, err);
	free(systems);
	if (st == YG_OK) {
		go_on(scan, from, c.n);
	} else if (st == YG_LIMIT && c.n == 0 && scan->most > CHUNK_LEAST) {
		scan->most = YG_MAX(scan->most / 4, CHUNK_LEAST); /* once more, with less */
		scan->width = YG_MAX(scan->width / 4, WIDTH_LEAST);
		st = YG_OK;
	}
	return st;
}
