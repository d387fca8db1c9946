#include "detect/hunt.h"

#include "base/limits.h"

#define QUERY_SECONDS 30u
#define QUERY_BYTES   (8u << 20) /* the condition, and organisations */
#define CHUNK_BYTES   (64u << 20)
#define ROW_ARENA     (16u << 20) /* the lists of one event */
#define ROWS_MOST     5000u
#define ROWS_LEAST    50u
#define WIDTH_FIRST   (8 * YG_US_PER_DAY)
#define WIDTH_LEAST   YG_US_PER_S
#define WIDER_MOST    8

static int64_t minus(int64_t a, int64_t b)
{
	int64_t out;
	return __builtin_sub_overflow(a, b, &out) ? (b > 0 ? INT64_MIN : INT64_MAX) : out;
}

static int64_t plus(int64_t a, int64_t b)
{
	int64_t out;
	return __builtin_add_overflow(a, b, &out) ? (b > 0 ? INT64_MAX : INT64_MIN) : out;
}

static void begin(struct yg_hunt_scan *s)
{
	s->done = s->done || s->from >= s->to || (s->orgs != NULL && s->org_count == 0);
	if (!s->begun)
		s->edge = s->oldest_first ? s->from : s->to;
	s->begun = true;
	if (s->width <= 0)
		s->width = WIDTH_FIRST;
	if (s->most == 0)
		s->most = ROWS_MOST;
}

/* Organisations are named by slugs; one that is not cannot own events. */
static bool slug(struct yg_sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
		      s.p[i] == '-'))
			return false;
	return s.n > 0 && s.n <= YG_ORG_NAME_MAX;
}

static void put_after(struct yg_buf *sql, struct yg_search_key k, bool oldest_first)
{
	char than = oldest_first ? '>' : '<';
	yg_buf_printf(
		sql,
		" AND (time %c %lld OR (time = %lld AND (spool %c %u OR (spool = %u AND (batch %c %llu OR"
		" (batch = %llu AND row %c %u))))))",
		than, (long long)k.time, (long long)k.time, than, k.spool, k.spool, than,
		(unsigned long long)k.batch, (unsigned long long)k.batch, than, k.row);
}

/* Findings of ours rest on an event each; they are not looked at when they are made either. */
static const char no_findings[] =
	" AND NOT (class_uid = 2004 AND startsWith(finding_uid, 'f-') AND notEmpty(related))";

static void put_columns(struct yg_buf *sql, bool lean)
{
	for (int f = 0; f < YG_EVENT_FIELD_COUNT; f++) {
		yg_buf_put(sql, f > 0 ? YG_SV(", ") : YG_SV("SELECT "));
		yg_buf_put(sql, lean && f == YG_EF_raw ? YG_SV("''")
						       : yg_sv_of(yg_event_fields[f].name));
	}
}

static void put_orgs(struct yg_buf *sql, const struct yg_hunt_scan *s)
{
	bool some = false;
	if (s->orgs == NULL)
		return;
	yg_buf_put(sql, YG_SV(" AND org IN ("));
	for (size_t i = 0; i < s->org_count; i++) {
		if (!slug(s->orgs[i]))
			continue;
		yg_buf_put(sql, some ? YG_SV(", '") : YG_SV("'"));
		yg_buf_put(sql, s->orgs[i]);
		yg_buf_putc(sql, '\'');
		some = true;
	}
	yg_buf_put(sql, some ? YG_SV(")") : YG_SV("'')"));
}

struct span { /* of time */
	int64_t from, to;
};

static void put_sql(struct yg_buf *sql, struct yg_sv where, const struct yg_hunt_scan *s,
		    struct span span)
{
	const char *order = s->oldest_first ? "" : " DESC";
	put_columns(sql, s->lean);
	yg_buf_put(sql, YG_SV(" FROM " YG_EVENT_TABLE));
	if (!YG_SV_IS(where, "1")) {
		yg_buf_put(sql, YG_SV(" PREWHERE ("));
		yg_buf_put(sql, where);
		yg_buf_putc(sql, ')');
	}
	yg_buf_printf(sql, " WHERE time >= %lld AND time < %lld", (long long)span.from,
		      (long long)span.to);
	put_orgs(sql, s);
	if (s->received_before != 0)
		yg_buf_printf(sql, " AND received < %lld", (long long)s->received_before);
	yg_buf_put(sql, yg_sv_of(no_findings));
	if (s->within)
		put_after(sql, s->last, s->oldest_first);
	yg_buf_printf(sql, " ORDER BY time%s, spool%s, batch%s, row%s LIMIT %u", order, order,
		      order, order, s->most);
}

struct slice {
	yg_hunt_row_fn *row;
	void *ctx;
	struct yg_search_key last;
	size_t n;
	bool full; /* it ends before a row for which there was no room */
};

static yg_status read_rows(struct yg_sv rows, struct slice *c, struct yg_err *err)
{
	struct yg_arena arena;
	struct yg_event ev;
	struct yg_rd rd = yg_rd_init(rows.p, rows.n);
	yg_status st = YG_OK;
	yg_arena_init(&arena, ROW_ARENA);
	while (st == YG_OK && yg_rd_left(&rd) > 0) {
		yg_arena_reset(&arena);
		st = yg_event_row_read(&rd, &arena, &ev, err);
		if (st != YG_OK)
			break;
		st = c->row(c->ctx, &ev, err);
		if (st == YG_LIMIT && c->n > 0) {
			c->full = true;
			st = YG_OK;
			break;
		}
		c->n++;
		c->last = (struct yg_search_key){
			.time = ev.time, .spool = ev.spool, .row = ev.row, .batch = ev.batch};
	}
	yg_arena_free(&arena);
	return st;
}

static yg_status read_slice(struct yg_ch *ch, struct yg_sv where, const struct yg_hunt_scan *s,
			    struct span span, struct slice *c, struct yg_err *err)
{
	struct yg_buf sql, answer;
	yg_buf_init(&sql, QUERY_BYTES);
	yg_buf_init(&answer, CHUNK_BYTES);
	put_sql(&sql, where, s, span);
	struct yg_ch_query q = {
		.sql = yg_buf_sv(&sql), .format = "RowBinary", .max_seconds = QUERY_SECONDS};
	yg_status st = sql.bad ? YG_FAIL(err, YG_TOOBIG, "the condition of a hunt is too long")
			       : yg_ch_query(ch, &q, &answer, err);
	yg_buf_free(&sql);
	if (st == YG_OK)
		st = read_rows(yg_buf_sv(&answer), c, err);
	yg_buf_free(&answer);
	return st;
}

/* As wide as a slice takes the time that it should. */
static void widen(struct yg_hunt_scan *s, int64_t took)
{
	int64_t times = YG_HUNT_SLICE_US / YG_MAX(took, (int64_t)1);
	if (times >= 2) {
		int64_t span = minus(s->to, s->from), most = YG_MIN(times, (int64_t)WIDER_MOST);
		s->width = s->width > span / most ? span : s->width * most;
	} else if (took > 4 * (int64_t)YG_HUNT_SLICE_US) { /* a narrow one is no cheaper at first */
		s->width /= YG_MIN(took / YG_HUNT_SLICE_US, (int64_t)WIDER_MOST);
	}
	s->width = YG_MAX(s->width, WIDTH_LEAST);
}

static bool at_end(const struct yg_hunt_scan *s)
{
	return s->oldest_first ? s->edge >= s->to : s->edge <= s->from;
}

/* Behind the event that was read last; others may have its time. */
static void go_behind(struct yg_hunt_scan *s)
{
	s->begun = true;
	s->edge = s->oldest_first ? s->last.time : plus(s->last.time, 1);
}

static void go_on(struct yg_hunt_scan *s, struct span span, const struct slice *c)
{
	s->rows += c->n;
	s->within = c->full || c->n >= s->most;
	s->most = YG_MIN(s->most * 2, ROWS_MOST);
	if (s->within) { /* the slice has more */
		s->last = c->last;
		go_behind(s);
		return;
	}
	s->edge = s->oldest_first ? span.to : span.from;
	s->done = at_end(s);
}

static struct span next_span(const struct yg_hunt_scan *s)
{
	if (s->oldest_first)
		return (struct span){s->edge, YG_MIN(plus(s->edge, s->width), s->to)};
	return (struct span){YG_MAX(minus(s->edge, s->width), s->from), s->edge};
}

yg_status yg_hunt_next(struct yg_ch *ch, struct yg_sv where, struct yg_hunt_scan *s,
		       const struct yg_env *env, yg_hunt_row_fn *row, void *ctx, struct yg_err *err)
{
	struct slice c = {.row = row, .ctx = ctx};
	begin(s);
	if (s->done)
		return YG_OK;
	if (YG_SV_IS(where, "0")) { /* nothing is there */
		go_on(s, (struct span){s->from, s->to}, &c);
		return YG_OK;
	}
	struct span span = next_span(s);
	int64_t began = yg_env_mono(env).us;
	yg_status st = read_slice(ch, where, s, span, &c, err);
	if (st == YG_OK) {
		go_on(s, span, &c);
		widen(s, yg_env_mono(env).us - began);
	} else if (st == YG_LIMIT && c.n == 0 && (s->most > ROWS_LEAST || s->width > WIDTH_LEAST)) {
		s->most = YG_MAX(s->most / 4, ROWS_LEAST);
		s->width = YG_MAX(s->width / 4, WIDTH_LEAST);
		st = YG_OK;
	}
	return st;
}

unsigned yg_hunt_share(const struct yg_hunt_scan *s)
{
	double span = (double)s->to - (double)s->from;
	if (s->done || span <= 0)
		return 1000;
	double left = span;
	if (s->begun)
		left = s->oldest_first ? (double)s->to - (double)s->edge
				       : (double)s->edge - (double)s->from;
	return (unsigned)((1 - YG_MAX(YG_MIN(left / span, 1.0), 0.0)) * 999);
}

void yg_hunt_place_put(const struct yg_hunt_scan *s, struct yg_sb *b)
{
	if (s->within)
		yg_search_cursor_format(b, s->last);
	else
		yg_sb_i64(b, s->edge);
	yg_sb_printf(b, " %lld %u", (long long)s->width, s->most);
}

yg_status yg_hunt_place_get(struct yg_sv text, struct yg_hunt_scan *s, struct yg_err *err)
{
	struct yg_sv time, width;
	uint64_t most = 0;
	if (text.n == 0)
		return YG_OK;
	bool ok = yg_sv_cut(&text, ' ', &time) && yg_sv_cut(&text, ' ', &width) &&
		  yg_parse_i64(width, &s->width, NULL) == YG_OK &&
		  yg_parse_u64(text, &most, NULL) == YG_OK && most <= ROWS_MOST;
	s->most = (uint32_t)most;
	s->within = ok && yg_sv_find(time, '.', 0) < time.n;
	if (s->within) {
		ok = yg_search_cursor_parse(time, &s->last, NULL) == YG_OK;
		go_behind(s);
	} else {
		ok = ok && yg_parse_i64(time, &s->edge, NULL) == YG_OK;
		s->begun = true;
		s->done = ok && at_end(s);
	}
	return ok ? YG_OK : YG_FAIL(err, YG_CORRUPT, "not the place of a hunt");
}
