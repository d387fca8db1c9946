#include "event/histogram.h"

#include "event/search_internal.h"

#define SECONDS     15u
#define PART_FIRST  YG_US_PER_DAY /* counted at once, then by how long it takes */
#define PARTS_MAX   360
#define PART_GROWTH 8.0

static const int64_t widths_s[] = {1,      2,      5,       10,      15,      30,
				   60,     120,    300,     600,     900,     1800,
				   3600,   7200,   10800,   21600,   43200,   86400,
				   172800, 604800, 1209600, 2592000, 7776000, 31536000};

static bool nobody(const struct yg_search_scope *scope)
{
	return !scope->all_orgs && scope->org_count == 0 && scope->system_count == 0;
}

static void round_off(const struct yg_search_scope *scope, uint32_t buckets, struct yg_histogram *h)
{
	int64_t span = scope->to.us - scope->from.us, want = span / YG_MAX(buckets, 1u);
	size_t i = 0;
	while (i + 1 < YG_LEN(widths_s) && widths_s[i] * YG_US_PER_S < want)
		i++;
	h->width_us = widths_s[i] * YG_US_PER_S;
	while (span / h->width_us > YG_HISTOGRAM_MAX - 2)
		h->width_us *= 2;
	int64_t off = scope->from.us % h->width_us;
	h->from_us = scope->from.us - (off < 0 ? off + h->width_us : off);
	h->n = (size_t)((scope->to.us - h->from_us + h->width_us - 1) / h->width_us);
}

static yg_status ask(struct yg_ch *ch, const struct yg_search *s, struct yg_buf *sql,
		     struct yg_buf *out, struct yg_err *err)
{
	struct yg_ch_query q = {.sql = yg_buf_sv(sql),
				.format = "RowBinary",
				.params = s->params,
				.param_count = s->param_count,
				.max_seconds = SECONDS};
	return sql->bad ? YG_FAIL(err, YG_LIMIT, "the search is too long")
			: yg_ch_query(ch, &q, out, err);
}

/* "SELECT at, n ... GROUP BY at" of the events themselves. */
static yg_status put_events(struct yg_buf *sql, const struct yg_search *s,
			    const struct yg_search_scope *scope, const struct yg_histogram *h,
			    int64_t from, int64_t to, struct yg_err *err)
{
	yg_buf_printf(
		sql,
		"SELECT toUInt32(intDiv(time - %lld, %lld)) AS at, toUInt64(count()) AS n FROM " YG_EVENT_TABLE,
		(long long)h->from_us, (long long)h->width_us);
	yg_search_put_where(sql, s);
	yg_buf_printf(sql, " WHERE time >= %lld AND time < %lld", (long long)from, (long long)to);
	yg_status st = yg_search_put_scope(sql, scope, err);
	yg_buf_put(sql, YG_SV(" GROUP BY at"));
	return st;
}

/* The same of whole hours, said as the table's counters know them (table.h); a server
 * that has none reads the events. */
static yg_status put_hours(struct yg_buf *sql, const struct yg_search *s,
			   const struct yg_search_scope *scope, const struct yg_histogram *h,
			   int64_t from, int64_t to, struct yg_err *err)
{
	yg_buf_printf(sql,
		      "SELECT toUInt32(intDiv(" YG_EVENT_HOUR
		      " - %lld, %lld)) AS at, toUInt64(count()) AS n FROM " YG_EVENT_TABLE,
		      (long long)(h->from_us / YG_EVENT_HOUR_US),
		      (long long)(h->width_us / YG_EVENT_HOUR_US));
	yg_search_put_where(sql, s);
	yg_buf_printf(sql, " WHERE " YG_EVENT_HOUR " >= %lld AND " YG_EVENT_HOUR " < %lld",
		      (long long)from, (long long)to);
	yg_status st = yg_search_put_scope(sql, scope, err);
	yg_buf_put(sql, YG_SV(" GROUP BY at"));
	return st;
}

/* Whole hours from the counters, what is left at both ends from the events. */
static yg_status put_counted(struct yg_buf *sql, const struct yg_search *s,
			     const struct yg_search_scope *scope, const struct yg_histogram *h,
			     struct yg_err *err)
{
	struct yg_search_scope all = *scope; /* the period is within the times asked for */
	int64_t from = YG_MAX(scope->from.us, scope->period_from.us), to = scope->to.us;
	if (scope->period_to.us != 0)
		to = YG_MIN(to, scope->period_to.us);
	int64_t first = (from + YG_EVENT_HOUR_US - 1) / YG_EVENT_HOUR_US,
		end = to / YG_EVENT_HOUR_US;
	if (first >= end)
		return put_events(sql, s, scope, h, scope->from.us, scope->to.us, err);
	all.period_from.us = all.period_to.us = 0;
	yg_buf_put(sql, YG_SV("SELECT at, toUInt64(sum(n)) FROM ("));
	yg_status st = put_hours(sql, s, &all, h, first, end, err);
	if (st == YG_OK && from < first * YG_EVENT_HOUR_US) {
		yg_buf_put(sql, YG_SV(" UNION ALL "));
		st = put_events(sql, s, &all, h, from, first * YG_EVENT_HOUR_US, err);
	}
	if (st == YG_OK && to > end * YG_EVENT_HOUR_US) {
		yg_buf_put(sql, YG_SV(" UNION ALL "));
		st = put_events(sql, s, &all, h, end * YG_EVENT_HOUR_US, to, err);
	}
	yg_buf_put(sql, YG_SV(") GROUP BY at"));
	return st;
}

/* Adds what is from scope->from to scope->to to the buckets. */
static yg_status count(struct yg_ch *ch, const struct yg_search *s,
		       const struct yg_search_scope *scope, bool counted, struct yg_histogram *h,
		       struct yg_err *err)
{
	struct yg_buf sql, answer;
	yg_buf_init(&sql, 1u << 20);
	yg_buf_init(&answer, 65536);
	yg_status st = counted ? put_counted(&sql, s, scope, h, err)
			       : put_events(&sql, s, scope, h, scope->from.us, scope->to.us, err);
	yg_buf_put(&sql, YG_SV(" ORDER BY at"));
	if (st == YG_OK)
		st = ask(ch, s, &sql, &answer, err);
	struct yg_rd rd = yg_rd_init(answer.p, st == YG_OK ? answer.n : 0);
	while (st == YG_OK && yg_rd_left(&rd) > 0) {
		uint32_t at = yg_rd_le32(&rd);
		uint64_t n = yg_rd_le64(&rd);
		if (rd.bad || at >= h->n) {
			st = YG_FAIL(err, YG_CORRUPT, "event store: the answer is not a histogram");
			break;
		}
		h->count[at] += n;
		h->total += n;
	}
	yg_buf_free(&sql);
	yg_buf_free(&answer);
	return st;
}

/* Part by part from new to old, each as wide as the time that is left should count. */
static yg_status count_parts(struct yg_ch *ch, const struct yg_search *s,
			     struct yg_search_scope part, int64_t most_us, const struct yg_env *env,
			     struct yg_histogram *h, struct yg_err *err)
{
	int64_t floor = part.from.us, begun = yg_env_mono(env).us;
	int64_t width = YG_MAX(PART_FIRST, (int64_t)h->n * (h->width_us / PARTS_MAX));
	h->counted_from = part.to.us;
	while (h->counted_from > floor) {
		int64_t began = yg_env_mono(env).us;
		part.to.us = h->counted_from;
		part.from.us = part.to.us - floor <= width ? floor : part.to.us - width;
		uint64_t before = h->total;
		yg_status st = count(ch, s, &part, false, h, err);
		if (st == YG_LIMIT && before > 0)
			return YG_OK; /* what was counted is worth showing */
		if (st != YG_OK)
			return st;
		h->counted_from = part.from.us;
		int64_t now = yg_env_mono(env).us;
		double more = 0.7 * (double)(most_us - (now - begun)) /
			      (double)YG_MAX(now - began, (int64_t)1);
		if (more < 0.25)
			break;
		more = YG_MIN(more, PART_GROWTH) * (double)width;
		width = more < (double)(INT64_MAX / 2) ? (int64_t)more : INT64_MAX / 2;
	}
	return YG_OK;
}

yg_status yg_histogram_newest(struct yg_ch *ch, const struct yg_search *s,
			      const struct yg_search_scope *scope,
			      const struct yg_histogram_ask *ask, const struct yg_env *env,
			      struct yg_histogram *out, struct yg_err *err)
{
	struct yg_search_scope part = *scope;
	*out = (struct yg_histogram){.counted_from = scope->from.us};
	round_off(scope, ask->buckets, out);
	if (ask->before_us != 0)
		part.to.us = YG_MIN(part.to.us, ask->before_us);
	if (nobody(scope) || part.to.us <= part.from.us)
		return YG_OK;
	bool counted = s->counted && scope->system_count == 0 && yg_event_table_counted(ch) &&
		       out->from_us > 0 && out->from_us % YG_EVENT_HOUR_US == 0 &&
		       out->width_us % YG_EVENT_HOUR_US == 0;
	return counted || ask->most_us == 0 ? count(ch, s, &part, counted, out, err)
					    : count_parts(ch, s, part, ask->most_us, env, out, err);
}

yg_status yg_histogram_run(struct yg_ch *ch, const struct yg_search *s,
			   const struct yg_search_scope *scope, uint32_t buckets,
			   struct yg_histogram *out, struct yg_err *err)
{
	return yg_histogram_newest(ch, s, scope, &(struct yg_histogram_ask){.buckets = buckets},
				   NULL, out, err);
}

/* --- tail --- */

void yg_tail_format(struct yg_sb *b, const struct yg_tail *t)
{
	yg_sb_i64(b, t->since);
	for (size_t i = 0; i < t->n; i++) {
		yg_sb_putc(b, '.');
		yg_sb_u64(b, t->mark[i].spool);
		yg_sb_putc(b, '-');
		yg_sb_u64(b, t->mark[i].batch);
		yg_sb_putc(b, '-');
		yg_sb_u64(b, t->mark[i].row);
	}
}

static bool parse_mark(struct yg_sv s, struct yg_tail_mark *out)
{
	struct yg_sv spool, batch;
	uint64_t spool_n, row_n;
	bool ok = yg_sv_cut(&s, '-', &spool) && yg_sv_cut(&s, '-', &batch) &&
		  yg_parse_u64(spool, &spool_n, NULL) == YG_OK &&
		  yg_parse_u64(batch, &out->batch, NULL) == YG_OK &&
		  yg_parse_u64(s, &row_n, NULL) == YG_OK && spool_n <= UINT32_MAX &&
		  row_n <= UINT32_MAX;
	if (ok) {
		out->spool = (uint32_t)spool_n;
		out->row = (uint32_t)row_n;
	}
	return ok;
}

yg_status yg_tail_parse(struct yg_sv s, struct yg_tail *out, struct yg_err *err)
{
	struct yg_sv since, one;
	*out = (struct yg_tail){0};
	bool ok = yg_sv_cut(&s, '.', &since) && yg_parse_i64(since, &out->since, NULL) == YG_OK &&
		  out->since > 0;
	while (ok && s.p != NULL && yg_sv_cut(&s, '.', &one)) {
		ok = out->n < YG_TAIL_SPOOLS && parse_mark(one, &out->mark[out->n]);
		for (size_t i = 0; ok && i < out->n; i++)
			ok = out->mark[i].spool != out->mark[out->n].spool;
		out->n += ok;
	}
	return ok ? YG_OK : YG_FAIL(err, YG_INVAL, "not a place in a live tail");
}

static void put_marks(struct yg_buf *sql, const struct yg_tail *t)
{
	yg_buf_printf(sql, " WHERE day >= %u AND received >= %lld",
		      yg_day_number((yg_wall){t->since}), (long long)t->since);
	if (t->n == 0)
		return;
	yg_buf_put(sql, YG_SV(" AND ("));
	for (size_t i = 0; i < t->n; i++)
		yg_buf_printf(
			sql, "%s(spool = %u AND batch >= %llu AND (batch > %llu OR row > %u))",
			i > 0 ? " OR " : "", t->mark[i].spool, (unsigned long long)t->mark[i].batch,
			(unsigned long long)t->mark[i].batch, t->mark[i].row);
	yg_buf_put(sql, YG_SV(" OR spool NOT IN ("));
	for (size_t i = 0; i < t->n; i++)
		yg_buf_printf(sql, "%s%u", i > 0 ? ", " : "", t->mark[i].spool);
	yg_buf_put(sql, YG_SV("))"));
}

static void move_on(struct yg_tail *t, const struct yg_search_key *k)
{
	size_t i = 0;
	while (i < t->n && t->mark[i].spool != k->spool)
		i++;
	if (i == YG_TAIL_SPOOLS)
		return;
	if (i == t->n)
		t->mark[t->n++] = (struct yg_tail_mark){.spool = k->spool};
	struct yg_tail_mark *m = &t->mark[i];
	if (k->batch > m->batch || (k->batch == m->batch && k->row > m->row)) {
		m->batch = k->batch;
		m->row = k->row;
	}
}

static yg_status read_keys(struct yg_buf *answer, struct yg_arena *arena,
			   struct yg_search_key *keys, size_t max, size_t *out_n,
			   struct yg_err *err)
{
	struct yg_rd rd = yg_rd_init(answer->p, answer->n);
	yg_status st = YG_OK;
	size_t n = 0;
	for (; st == YG_OK && yg_rd_left(&rd) > 0 && n < max; n++)
		st = yg_search_read_place(&rd, arena, &keys[n], err);
	*out_n = n;
	return st;
}

yg_status yg_tail_run(struct yg_ch *ch, const struct yg_search *s,
		      const struct yg_search_scope *scope, struct yg_tail *t,
		      struct yg_arena *arena, struct yg_search_page *out, struct yg_err *err)
{
	struct yg_search_key keys[YG_PAGE_MAX];
	struct yg_buf sql, answer;
	size_t n = 0;
	*out = (struct yg_search_page){0};
	if (nobody(scope))
		return YG_OK;
	yg_buf_init(&sql, 1u << 20);
	yg_buf_init(&answer, YG_SEARCH_PLACE_BYTES * YG_PAGE_MAX);
	yg_buf_put(&sql, YG_SV("SELECT " YG_SEARCH_PLACE " FROM " YG_EVENT_TABLE));
	yg_search_put_where(&sql, s);
	put_marks(&sql, t);
	yg_status st = yg_search_put_scope(&sql, scope, err);
	/* by spool and batch: what is behind the last row of a spool was not shown */
	yg_buf_printf(&sql, " ORDER BY batch, row, spool LIMIT %u",
		      YG_MIN(scope->limit, (uint32_t)YG_PAGE_MAX));
	if (st == YG_OK)
		st = ask(ch, s, &sql, &answer, err);
	if (st == YG_OK)
		st = read_keys(&answer, arena, keys, YG_LEN(keys), &n, err);
	yg_buf_free(&sql);
	yg_buf_free(&answer);
	for (size_t i = 0; st == YG_OK && i < n; i++)
		move_on(t, &keys[i]);
	if (st == YG_OK)
		st = yg_search_places(ch, scope, keys, n, arena, out, err);
	for (size_t i = 0; st == YG_OK && i < out->n / 2; i++) { /* oldest first */
		struct yg_event swap = out->events[i];
		out->events[i] = out->events[out->n - 1 - i];
		out->events[out->n - 1 - i] = swap;
	}
	out->more = n == scope->limit;
	return st;
}
