#include <stdlib.h>

#include "event/search.h"
#include "event/search_internal.h"

/* Paging.  A page is found in two steps: the places of its events by a query
 * that reads only what the conditions need, in slices of time from new to old;
 * then the events themselves, by place.  Both restrict `org` in the same
 * statement that reads: a total or a row of another organisation never leaves
 * the server. */

#define SLICE_FIRST  3600000000LL /* one hour */
#define SLICE_GROWTH 24 /* a further slice is at most so much wider: forty years in five */
#define SECONDS_MAX  20u
#define ROWS_BYTES_MAX                                                                             \
	(64u << 20) /* a page of rows as large as the largest record would not fit: see fetch() */

void yg_search_cursor_format(struct yg_sb *b, struct yg_search_key k)
{
	yg_sb_i64(b, k.time);
	yg_sb_putc(b, '.');
	yg_sb_u64(b, k.spool);
	yg_sb_putc(b, '.');
	yg_sb_u64(b, k.batch);
	yg_sb_putc(b, '.');
	yg_sb_u64(b, k.row);
}

yg_status yg_search_cursor_parse(struct yg_sv s, struct yg_search_key *out, struct yg_err *err)
{
	struct yg_sv time, spool, batch, row;
	uint64_t spool_n, row_n;
	struct yg_search_key k = {0};
	bool ok = yg_sv_cut(&s, '.', &time) && yg_sv_cut(&s, '.', &spool) &&
		  yg_sv_cut(&s, '.', &batch) && yg_sv_cut(&s, '.', &row) && !yg_sv_cut(&s, '.', &s);
	ok = ok && yg_parse_i64(time, &k.time, NULL) == YG_OK &&
	     yg_parse_u64(spool, &spool_n, NULL) == YG_OK &&
	     yg_parse_u64(batch, &k.batch, NULL) == YG_OK &&
	     yg_parse_u64(row, &row_n, NULL) == YG_OK && spool_n <= UINT32_MAX &&
	     row_n <= UINT32_MAX;
	if (!ok)
		return YG_FAIL(err, YG_INVAL, "not a cursor of an event search");
	k.spool = (uint32_t)spool_n;
	k.row = (uint32_t)row_n;
	*out = k;
	return YG_OK;
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

/* "src_ip >= x AND src_ip <= y": only bytes in hex stand in the text. */
static void put_net(struct yg_buf *sql, const char *column, const struct yg_search_net *net)
{
	struct yg_ip bound[2] = {net->ip, net->ip};
	for (unsigned i = net->bits; i < 128; i++) {
		bound[0].b[i / 8] &= (uint8_t) ~(0x80 >> (i % 8));
		bound[1].b[i / 8] |= (uint8_t)(0x80 >> (i % 8));
	}
	for (size_t k = 0; k < 2; k++) {
		char hex[33];
		struct yg_sb b = yg_sb_init(hex, sizeof hex);
		yg_sb_hex(&b, bound[k].b, sizeof bound[k].b);
		yg_buf_printf(sql, "%s%s %s toFixedString(unhex('%s'), 16)", k > 0 ? " AND " : "(",
			      column, k > 0 ? "<=" : ">=", yg_sb_cstr(&b));
	}
	yg_buf_putc(sql, ')');
}

/* A word in hex: whatever it holds, it cannot end the quotes. */
static void put_word(struct yg_buf *sql, struct yg_sv word)
{
	char hex[1024];
	struct yg_sb b = yg_sb_init(hex, sizeof hex);
	yg_sb_hex(&b, (const uint8_t *)word.p, word.n);
	yg_buf_printf(sql, "unhex('%s')", yg_sb_cstr(&b));
}

/* One system: its organisation, and an address or host of its own. */
static yg_status put_system(struct yg_buf *sql, const struct yg_search_system *y,
			    struct yg_err *err)
{
	static const char *const addresses[] = {"src_ip", "dst_ip"};
	static const char *const names[] = {"host", "src_host", "dst_host"};
	if (!slug(y->org))
		return YG_FAIL(err, YG_INVAL, "not the name of an organisation");
	yg_buf_put(sql, YG_SV(" OR (org = '"));
	yg_buf_put(sql, y->org);
	yg_buf_put(sql, YG_SV("' AND (0"));
	for (size_t i = 0; i < y->net_count; i++)
		for (size_t k = 0; k < YG_LEN(addresses); k++) {
			yg_buf_put(sql, YG_SV(" OR "));
			put_net(sql, addresses[k], &y->nets[i]);
		}
	for (size_t k = 0; y->host_count > 0 && k < YG_LEN(names); k++) {
		yg_buf_printf(sql, " OR lower(%s) IN (", names[k]);
		for (size_t i = 0; i < y->host_count; i++) {
			yg_buf_put(sql, i > 0 ? YG_SV(", ") : YG_SV(""));
			put_word(sql, y->hosts[i]);
		}
		yg_buf_putc(sql, ')');
	}
	yg_buf_put(sql, YG_SV("))"));
	return YG_OK;
}

static yg_status put_orgs(struct yg_buf *sql, const struct yg_search_scope *scope,
			  struct yg_err *err);

/* What the asker may see: period, organisations, systems.  Every statement that
 * reads events has it. */
static yg_status put_scope(struct yg_buf *sql, const struct yg_search_scope *scope,
			   struct yg_err *err)
{
	yg_status st = YG_OK;
	if (scope->period_from.us != 0)
		yg_buf_printf(sql, " AND time >= %lld", (long long)scope->period_from.us);
	if (scope->period_to.us != 0)
		yg_buf_printf(sql, " AND time < %lld", (long long)scope->period_to.us);
	if (scope->all_orgs || scope->system_count == 0)
		return put_orgs(sql, scope, err);
	yg_buf_put(sql, YG_SV(" AND ((1"));
	if (scope->org_count == 0)
		yg_buf_put(sql, YG_SV(" AND 0"));
	else
		st = put_orgs(sql, scope, err);
	yg_buf_putc(sql, ')');
	for (size_t i = 0; st == YG_OK && i < scope->system_count; i++)
		st = put_system(sql, &scope->systems[i], err);
	yg_buf_putc(sql, ')');
	return st;
}

/* " AND org IN ('a', 'b')"; a slug holds nothing that could end the quotes.  One
 * alone is compared by "=": then rows come in the table's own order, which is
 * that of a page, and reading ends when the page is full. */
static yg_status put_orgs(struct yg_buf *sql, const struct yg_search_scope *scope,
			  struct yg_err *err)
{
	if (scope->all_orgs)
		return YG_OK;
	bool one = scope->org_count == 1;
	yg_buf_put(sql, one ? YG_SV(" AND org = ") : YG_SV(" AND org IN ("));
	for (size_t i = 0; i < scope->org_count; i++) {
		if (!slug(scope->orgs[i]))
			return YG_FAIL(err, YG_INVAL, "not the name of an organisation");
		yg_buf_put(sql, i > 0 ? YG_SV(", '") : YG_SV("'"));
		yg_buf_put(sql, scope->orgs[i]);
		yg_buf_putc(sql, '\'');
	}
	if (!one)
		yg_buf_putc(sql, ')');
	return YG_OK;
}

/* What is asked for goes into PREWHERE: of the granules that the indexes leave, the
 * other columns are read only where it holds.  Left to itself the server first reads
 * the place to keep the newest, of every row. */
void yg_search_put_where(struct yg_buf *sql, const struct yg_search *s)
{
	if (YG_SV_IS(s->where, "1"))
		return;
	yg_buf_put(sql, YG_SV(" PREWHERE ("));
	yg_buf_put(sql, s->where);
	yg_buf_putc(sql, ')');
}

void yg_search_put_after(struct yg_buf *sql, struct yg_search_key k)
{
	yg_buf_printf(
		sql,
		" AND (time < %lld OR (time = %lld AND (spool < %u OR (spool = %u AND (batch < %llu OR"
		" (batch = %llu AND row < %u))))))",
		(long long)k.time, (long long)k.time, k.spool, k.spool, (unsigned long long)k.batch,
		(unsigned long long)k.batch, k.row);
}

void yg_search_put_columns(struct yg_buf *sql, bool whole)
{
	for (int f = 0; f < YG_EVENT_FIELD_COUNT; f++) {
		yg_buf_put(sql, f > 0 ? YG_SV(", ") : YG_SV("SELECT "));
		yg_buf_put(sql, whole || (f != YG_EF_raw && f != YG_EF_names)
					? yg_sv_of(yg_event_fields[f].name)
				: f == YG_EF_raw ? YG_SV("''")
						 : YG_SV("emptyArrayString()"));
	}
}

struct run {
	struct yg_ch *ch;
	const struct yg_search *search;
	const struct yg_search_scope *scope;
	struct yg_arena *arena;
	struct yg_err *err;
	struct yg_search_key keys[YG_PAGE_MAX + 1];
	size_t n, want; /* want: one more than the page, to know whether it goes on */
	uint32_t seconds_left;
	bool by_hours; /* the next slice is to be found by the table's counters */
};

yg_status yg_search_read_place(struct yg_rd *rd, struct yg_arena *arena, struct yg_search_key *out,
			       struct yg_err *err)
{
	struct yg_sv org;
	out->time = (int64_t)yg_rd_le64(rd);
	out->spool = yg_rd_le32(rd);
	out->batch = yg_rd_le64(rd);
	out->row = yg_rd_le32(rd);
	if (!yg_event_value_read(rd, &org))
		return YG_FAIL(err, YG_CORRUPT, "event store: the answer is cut short");
	out->org = yg_arena_dup(arena, org);
	return out->org.p != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "a page of events");
}

static yg_status slice_sql(const struct run *r, int64_t from, int64_t to, struct yg_buf *sql)
{
	yg_buf_put(sql, YG_SV("SELECT " YG_SEARCH_PLACE " FROM " YG_EVENT_TABLE));
	yg_search_put_where(sql, r->search);
	yg_buf_printf(sql, " WHERE time >= %lld AND time < %lld", (long long)from, (long long)to);
	yg_status st = put_scope(sql, r->scope, r->err);
	if (r->scope->has_after)
		yg_search_put_after(sql, r->scope->after);
	yg_buf_printf(sql, " ORDER BY time DESC, spool DESC, batch DESC, row DESC LIMIT %zu",
		      r->want - r->n);
	return st;
}

/* The places in [from, to), newest first, appended to r->keys. */
static yg_status slice(struct run *r, int64_t from, int64_t to)
{
	struct yg_buf sql, out;
	yg_buf_init(&sql, 1u << 20);
	yg_buf_init(&out, YG_SEARCH_PLACE_BYTES * (YG_PAGE_MAX + 1));
	yg_status st = slice_sql(r, from, to, &sql);
	struct yg_ch_query q = {.sql = yg_buf_sv(&sql),
				.format = "RowBinary",
				.params = r->search->params,
				.param_count = r->search->param_count,
				.max_seconds = r->seconds_left};
	if (st == YG_OK)
		st = sql.bad ? YG_FAIL(r->err, YG_LIMIT, "the search is too long")
			     : yg_ch_query(r->ch, &q, &out, r->err);
	struct yg_rd rd = yg_rd_init(out.p, st == YG_OK ? out.n : 0);
	while (st == YG_OK && yg_rd_left(&rd) > 0 && r->n < r->want) {
		st = yg_search_read_place(&rd, r->arena, &r->keys[r->n], r->err);
		r->n += st == YG_OK;
	}
	yg_buf_free(&sql);
	yg_buf_free(&out);
	return st;
}

static int64_t minus(int64_t a, int64_t b)
{
	int64_t out;
	return __builtin_sub_overflow(a, b, &out) ? INT64_MIN : out;
}

/* How wide to look next, `looked` having given r->n: as far as the rest should reach, and
 * half as much again; where nothing was, much further. */
static int64_t next_width(const struct run *r, int64_t looked, int64_t width)
{
	int64_t most;
	if (__builtin_mul_overflow(width, SLICE_GROWTH, &most))
		most = INT64_MAX;
	if (r->n == 0)
		return most;
	double rest = (double)looked / (double)r->n * (double)(r->want - r->n) * 1.5;
	return rest < (double)most ? YG_MAX((int64_t)rest, YG_MAX(looked / 2, SLICE_FIRST)) : most;
}

/* The beginning of the newest hours in [floor, to) that hold what is missing, by the
 * table's counters; `floor` when all of them do not. */
static yg_status hours_back(const struct run *r, int64_t floor, int64_t to, int64_t *out_from)
{
	struct yg_search_scope scope = *r->scope;
	struct yg_buf sql, out;
	int64_t first = YG_MAX(floor, scope.period_from.us) / YG_EVENT_HOUR_US;
	int64_t last = scope.period_to.us != 0 ? YG_MIN(to, scope.period_to.us) : to;
	size_t n = r->n;
	yg_buf_init(&sql, 1u << 20);
	yg_buf_init(&out, 1u << 20);
	yg_buf_put(&sql, YG_SV("SELECT toInt64(" YG_EVENT_HOUR
			       ") AS hour, toUInt64(count()) FROM " YG_EVENT_TABLE));
	yg_search_put_where(&sql, r->search);
	yg_buf_printf(&sql, " WHERE " YG_EVENT_HOUR " >= %lld AND " YG_EVENT_HOUR " <= %lld",
		      (long long)first, (long long)(last / YG_EVENT_HOUR_US));
	scope.period_from.us = scope.period_to.us = 0; /* within those hours already */
	yg_status st = put_scope(&sql, &scope, r->err);
	yg_buf_printf(&sql, " GROUP BY hour ORDER BY hour DESC LIMIT %zu", r->want);
	struct yg_ch_query q = {.sql = yg_buf_sv(&sql),
				.format = "RowBinary",
				.params = r->search->params,
				.param_count = r->search->param_count,
				.max_seconds = r->seconds_left};
	if (st == YG_OK)
		st = sql.bad ? YG_FAIL(r->err, YG_LIMIT, "the search is too long")
			     : yg_ch_query(r->ch, &q, &out, r->err);
	struct yg_rd rd = yg_rd_init(out.p, st == YG_OK ? out.n : 0);
	*out_from = floor;
	while (st == YG_OK && yg_rd_left(&rd) > 0 && n < r->want) {
		int64_t hour = (int64_t)yg_rd_le64(&rd);
		n += (size_t)yg_rd_le64(&rd);
		if (n >= r->want)
			*out_from = YG_MAX(floor, hour * YG_EVENT_HOUR_US);
	}
	if (rd.bad)
		st = YG_FAIL(r->err, YG_CORRUPT, "event store: the answer is cut short");
	yg_buf_free(&sql);
	yg_buf_free(&out);
	return st;
}

/* Where the slice that ends at `to` begins. */
static yg_status slice_from(struct run *r, int64_t floor, int64_t to, int64_t now, int64_t width,
			    int64_t *out)
{
	*out = YG_MAX(minus(YG_MIN(to, now), width), floor);
	if (!r->by_hours || *out == floor)
		return YG_OK;
	r->by_hours = false; /* once: what it names is enough, or all there is */
	return hours_back(r, floor, to, out);
}

/* Fills r->keys; *out_from is how far back was looked. */
static yg_status find(struct run *r, const struct yg_env *env, int64_t *out_from, bool *out_early)
{
	int64_t floor = r->scope->from.us, now = yg_env_wall(env).us, width = SLICE_FIRST;
	int64_t to = r->scope->to.us != 0 ? r->scope->to.us : INT64_MAX;
	if (r->scope->has_after && r->scope->after.time < INT64_MAX)
		to = YG_MIN(to, r->scope->after.time + 1);
	int64_t begun = yg_env_mono(env).us, budget = (int64_t)r->seconds_left * YG_US_PER_S;
	int64_t top = YG_MIN(to, now);
	bool countable = r->search->counted && r->scope->system_count == 0 && floor > 0 &&
			 to < INT64_MAX && yg_event_table_counted(r->ch);
	yg_status st = YG_OK;
	*out_early = false;
	while (st == YG_OK && r->n < r->want && to > floor && !*out_early) {
		int64_t from;
		st = slice_from(r, floor, to, now, width, &from);
		if (st == YG_OK)
			st = slice(r, YG_MIN(from, to), to);
		to = YG_MIN(from, to);
		width = next_width(r, YG_MAX(minus(top, to), 1), width);
		r->by_hours = countable;
		countable = false;
		int64_t spent = yg_env_mono(env).us - begun;
		*out_early = spent >= budget;
		r->seconds_left = (uint32_t)YG_MAX((budget - spent) / YG_US_PER_S, 1);
	}
	*out_from = to;
	if (st == YG_LIMIT && r->n > 0) { /* what was found is worth showing */
		*out_early = true;
		st = YG_OK;
	}
	return st;
}

/* " PREWHERE (org, time) IN (...)", the key's own columns: only the granules of the events
 * are read.  By the time alone they would be those of all organisations at that time. */
static void put_times(struct yg_buf *sql, const struct yg_search_key *keys, size_t n)
{
	bool named = true;
	for (size_t i = 0; named && i < n; i++)
		named = slug(keys[i].org);
	yg_buf_put(sql, named ? YG_SV(" PREWHERE (org, time) IN (") : YG_SV(" PREWHERE time IN ("));
	for (size_t i = 0; i < n; i++) {
		yg_buf_put(sql, i > 0 ? YG_SV(", ") : YG_SV(""));
		if (named) {
			yg_buf_put(sql, YG_SV("('"));
			yg_buf_put(sql, keys[i].org);
			yg_buf_put(sql, YG_SV("', "));
		}
		yg_buf_printf(sql, "%lld%s", (long long)keys[i].time, named ? ")" : "");
	}
	yg_buf_putc(sql, ')');
}

/* A set of tuples: as ORs they would be compared one by one with every row. */
static void put_places(struct yg_buf *sql, const struct yg_search_key *keys, size_t n)
{
	put_times(sql, keys, n);
	yg_buf_printf(sql, " WHERE time >= %lld AND time <= %lld", (long long)keys[n - 1].time,
		      (long long)keys[0].time);
	yg_buf_put(sql, YG_SV(" AND (time, spool, batch, row) IN ("));
	for (size_t i = 0; i < n; i++)
		yg_buf_printf(sql, "%s(%lld, %u, %llu, %u)", i > 0 ? ", " : "",
			      (long long)keys[i].time, keys[i].spool,
			      (unsigned long long)keys[i].batch, keys[i].row);
	yg_buf_putc(sql, ')');
}

struct fetch { /* whole events of known places */
	struct yg_ch *ch;
	const struct yg_search_scope *scope;
	struct yg_sv places; /* PREWHERE and WHERE */
	bool whole;
	uint32_t seconds;
	size_t most;
	struct yg_arena *arena;
};

/* Rows as they come to events in the arena. */
static yg_status fetch_read(const struct fetch *f, struct yg_sv rows, struct yg_event **out_events,
			    size_t *out_n, struct yg_err *err)
{
	struct yg_event *events = YG_NEW_N(f->arena, struct yg_event, f->most);
	struct yg_sv bytes =
		events != NULL ? yg_arena_dup(f->arena, rows) : (struct yg_sv){NULL, 0};
	if (bytes.p == NULL)
		return YG_FAIL(err, YG_NOMEM, "a page of events");
	struct yg_rd rd = yg_rd_init(bytes.p, bytes.n);
	yg_status st = YG_OK;
	size_t n = 0;
	while (st == YG_OK && n < f->most && yg_rd_left(&rd) > 0)
		st = yg_event_row_read(&rd, f->arena, &events[n++], err);
	*out_events = events;
	*out_n = n;
	return st;
}

/* The events at those places, in their order. */
static yg_status fetch(const struct fetch *f, struct yg_event **out_events, size_t *out_n,
		       struct yg_err *err)
{
	struct yg_buf sql, out;
	yg_buf_init(&sql, 1u << 20);
	yg_buf_init(&out, ROWS_BYTES_MAX);
	yg_search_put_columns(&sql, f->whole);
	yg_buf_put(&sql, YG_SV(" FROM " YG_EVENT_TABLE));
	yg_buf_put(&sql, f->places);
	yg_status st = put_scope(&sql, f->scope, err);
	yg_buf_printf(&sql, " ORDER BY time DESC, spool DESC, batch DESC, row DESC LIMIT %zu",
		      f->most);
	struct yg_ch_query q = {
		.sql = yg_buf_sv(&sql), .format = "RowBinary", .max_seconds = f->seconds};
	if (st == YG_OK)
		st = sql.bad ? YG_FAIL(err, YG_LIMIT, "the page is too long")
			     : yg_ch_query(f->ch, &q, &out, err);
	if (st == YG_OK)
		st = fetch_read(f, yg_buf_sv(&out), out_events, out_n, err);
	yg_buf_free(&sql);
	yg_buf_free(&out);
	return st;
}

static yg_status page(struct run *r, struct yg_arena *arena, struct yg_search_page *out)
{
	struct yg_buf places;
	size_t n = YG_MIN(r->n, (size_t)r->scope->limit);
	yg_status st = YG_LIMIT;
	yg_buf_init(&places, 1u << 20);
	/* Rows can be large: a page that does not fit is halved. */
	for (; n > 0 && st == YG_LIMIT; n /= 2) {
		places.n = 0;
		put_places(&places, r->keys, n);
		const struct fetch f = {.ch = r->ch,
					.scope = r->scope,
					.places = yg_buf_sv(&places),
					.seconds = r->seconds_left + 5,
					.most = n,
					.arena = arena};
		st = fetch(&f, &out->events, &out->n, r->err);
		if (st == YG_OK)
			break;
	}
	yg_buf_free(&places);
	if (st != YG_OK)
		return st;
	out->more = n < r->n;
	out->next = r->keys[n - 1];
	return YG_OK;
}

yg_status yg_search_run(struct yg_ch *ch, const struct yg_search *s,
			const struct yg_search_scope *scope, const struct yg_env *env,
			struct yg_arena *arena, struct yg_search_page *out, struct yg_err *err)
{
	struct run r = {.ch = ch,
			.search = s,
			.scope = scope,
			.arena = arena,
			.err = err,
			.want = scope->limit + 1};
	int64_t looked_to;
	bool early;
	if (scope->limit == 0 || scope->limit > YG_PAGE_MAX)
		return YG_FAIL(err, YG_INVAL, "a page has 1 to %u rows", YG_PAGE_MAX);
	*out = (struct yg_search_page){0};
	if (!scope->all_orgs && scope->org_count == 0 && scope->system_count == 0)
		return YG_OK;
	r.seconds_left = scope->max_seconds > 0 ? scope->max_seconds : SECONDS_MAX;
	yg_status st = find(&r, env, &looked_to, &early);
	if (st == YG_OK && r.n > 0)
		st = page(&r, arena, out);
	if (st != YG_OK)
		return st;
	if (early && r.n < r.want) { /* go on behind what was looked at */
		out->incomplete = out->more = true;
		if (r.n <= out->n)
			out->next = (struct yg_search_key){.time = looked_to};
	}
	return YG_OK;
}

yg_status yg_search_get(struct yg_ch *ch, const struct yg_search_scope *scope, uint32_t spool,
			uint64_t batch, uint32_t row, struct yg_arena *arena, struct yg_event *out,
			struct yg_err *err)
{
	char places[128];
	struct yg_sb b = yg_sb_init(places, sizeof places);
	struct yg_event *events;
	size_t n;
	if (!scope->all_orgs && scope->org_count == 0 && scope->system_count == 0)
		return YG_FAIL(err, YG_NOTFOUND, "no such event");
	yg_sb_printf(&b, " WHERE spool = %u AND batch = %llu AND row = %u", spool,
		     (unsigned long long)batch, row);
	const struct fetch f = {.ch = ch,
				.scope = scope,
				.places = yg_sb_sv(&b),
				.whole = true,
				.seconds = SECONDS_MAX,
				.most = 1,
				.arena = arena};
	yg_status st = fetch(&f, &events, &n, err);
	if (st != YG_OK)
		return st;
	if (n == 0)
		return YG_FAIL(err, YG_NOTFOUND, "no such event");
	*out = events[0];
	return YG_OK;
}

yg_status yg_search_put_scope(struct yg_buf *sql, const struct yg_search_scope *scope,
			      struct yg_err *err)
{
	return put_scope(sql, scope, err);
}

static int newest_first(const void *a, const void *b)
{
	const struct yg_search_key *x = a, *y = b;
	if (x->time != y->time)
		return x->time < y->time ? 1 : -1;
	if (x->spool != y->spool)
		return x->spool < y->spool ? 1 : -1;
	if (x->batch != y->batch)
		return x->batch < y->batch ? 1 : -1;
	return (x->row < y->row) - (x->row > y->row);
}

yg_status yg_search_places(struct yg_ch *ch, const struct yg_search_scope *scope,
			   struct yg_search_key *keys, size_t n, struct yg_arena *arena,
			   struct yg_search_page *out, struct yg_err *err)
{
	struct yg_buf places;
	*out = (struct yg_search_page){0};
	if (n == 0)
		return YG_OK;
	qsort(keys, n, sizeof keys[0], newest_first);
	yg_buf_init(&places, 1u << 20);
	put_places(&places, keys, n);
	const struct fetch f = {.ch = ch,
				.scope = scope,
				.places = yg_buf_sv(&places),
				.seconds = SECONDS_MAX,
				.most = n,
				.arena = arena};
	yg_status st = fetch(&f, &out->events, &out->n, err);
	yg_buf_free(&places);
	return st;
}
