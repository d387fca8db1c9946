/* registry_stat.c - what rules did: by hour, and their newest hits. */
#include "base/limits.h"
#include "detect/registry_internal.h"

#define HOUR      (INT64_C(3600) * YG_US_PER_S)
#define HOURS_MAX 2400

/* Rule '' has the sums of all. */
static yg_status add_hour(struct yg_state *db, const struct yg_detect_stat *a, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("INSERT INTO detect_stat (rule, hour, org, looked_at, hits, excepted, cost_ns, last)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (rule, hour, org) DO UPDATE SET"
		       " looked_at = detect_stat.looked_at + excluded.looked_at,"
		       " hits = detect_stat.hits + excluded.hits,"
		       " excepted = detect_stat.excepted + excluded.excepted,"
		       " cost_ns = detect_stat.cost_ns + excluded.cost_ns,"
		       " last = CASE WHEN excluded.last > detect_stat.last THEN excluded.last ELSE detect_stat.last END"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, a->rule);
	yg_stmt_i64(s, 2, a->at.us - a->at.us % HOUR);
	yg_stmt_text(s, 3, a->org);
	yg_stmt_i64(s, 4, (int64_t)YG_MIN(a->looked_at, (uint64_t)INT32_MAX));
	yg_stmt_i64(s, 5, (int64_t)YG_MIN(a->hits, (uint64_t)INT32_MAX));
	yg_stmt_i64(s, 6, (int64_t)YG_MIN(a->excepted, (uint64_t)INT32_MAX));
	yg_stmt_i64(s, 7, (int64_t)YG_MIN(a->cost_ns, (uint64_t)INT64_MAX >> 20));
	yg_stmt_i64(s, 8, a->hits > 0 ? a->at.us : 0);
	return yg_stmt_run(s, err);
}

static yg_status add_sample(struct yg_state *db, const struct yg_detect_stat *a, struct yg_sv event,
			    struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("INSERT INTO detect_sample (rule, org, seq, event, time)"
		       " SELECT $1, $2, coalesce(max(seq), 0) + 1, $3, $4 FROM detect_sample"
		       " WHERE rule = $1 AND org = $2"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, a->rule);
	yg_stmt_text(s, 2, a->org);
	yg_stmt_text(s, 3, event);
	yg_stmt_i64(s, 4, a->at.us);
	return yg_stmt_run(s, err);
}

static yg_status cut_samples(struct yg_state *db, const struct yg_detect_stat *a,
			     struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("DELETE FROM detect_sample WHERE rule = $1 AND org = $2 AND seq <="
		       " (SELECT max(seq) - $3 FROM detect_sample WHERE rule = $1 AND org = $2)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, a->rule);
	yg_stmt_text(s, 2, a->org);
	yg_stmt_i64(s, 3, YG_DRULE_SAMPLES);
	return yg_stmt_run(s, err);
}

yg_status yg_detect_stat_add(struct yg_state *db, const struct yg_detect_stat *a,
			     struct yg_err *err)
{
	size_t from = a->sample_count > YG_DRULE_SAMPLES ? a->sample_count - YG_DRULE_SAMPLES : 0;
	yg_status st = add_hour(db, a, err);
	for (size_t i = from; st == YG_OK && i < a->sample_count; i++)
		st = add_sample(db, a, a->samples[i], err);
	return st == YG_OK && a->sample_count > 0 ? cut_samples(db, a, err) : st;
}

void yg_detect_stat_sum(struct yg_detect_stat *sum, const struct yg_detect_stat *a)
{
	sum->org = a->org;
	sum->at = a->at;
	sum->looked_at += a->looked_at;
	sum->hits += a->hits;
	sum->excepted += a->excepted;
	sum->cost_ns += a->cost_ns;
}

yg_status yg_detect_source_add(struct yg_state *db, struct yg_sv org,
			       const struct yg_detect_logsource *is, yg_wall at, struct yg_err *err)
{
	const struct yg_sv texts[] = {org, is->category, is->product, is->service};
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("INSERT INTO detect_source (org, category, product, service, last)"
		       " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (org, category, product, service)"
		       " DO UPDATE SET last = excluded.last"),
		&s, err);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; i < YG_LEN(texts); i++)
		yg_stmt_text(s, (int)i + 1, texts[i]);
	yg_stmt_i64(s, 5, at.us);
	return yg_stmt_run(s, err);
}

/* ---- asking ---- */

/* Of what is kept by day only whole days can be told.  A window that begins within one has
 * all of it; the end of a period, and its beginning, are never passed. */
struct yg_stat_window yg_stat_window(const struct yg_reach *reach, yg_wall now, int64_t span_us)
{
	int64_t edge = yg_stat_edge(now), end = yg_reach_until(reach), begin = reach->from.us;
	int64_t from = yg_reach_now(reach, now).us - span_us;
	from = from < edge ? yg_stat_day(from) : from;
	if (begin != 0 && begin < edge)
		begin = yg_stat_day(begin + YG_US_PER_DAY - 1);
	if (end != INT64_MAX)
		end = end < edge ? yg_stat_day(end) : end - end % HOUR;
	return (struct yg_stat_window){YG_MAX(from, begin), end};
}

/* $1 the rules, $2 <= hour < $3, $4 and $5 the reach. */
static void bind_within(struct yg_stmt *s, const struct yg_sv *uids, size_t n,
			const struct yg_reach *reach, struct yg_stat_window w)
{
	yg_stmt_set(s, 1, uids, n);
	yg_stmt_i64(s, 2, w.from_us);
	yg_stmt_i64(s, 3, w.to_us);
	yg_stmt_i64(s, 4, yg_reach_all_flag(reach));
	yg_stmt_set(s, 5, reach->orgs, reach->org_count);
}

/* The numbers of the rule that a row begins with. */
static struct yg_drule_numbers *of_row(struct yg_stmt *s, const struct yg_sv *uids, size_t n,
				       struct yg_drule_numbers *out)
{
	struct yg_sv uid = yg_col_text(s, 0);
	for (size_t i = 0; i < n; i++)
		if (yg_sv_eq(uids[i], uid))
			return &out[i];
	return NULL;
}

/* Hours in which a rule hit are few, and have an index of their own; a rule is looked at in
 * every hour of every organisation: only a day of that is read. */
static yg_status sum_hits(struct yg_state *db, const struct yg_sv *uids, size_t n,
			  const struct yg_reach *reach, yg_wall now, struct yg_drule_numbers *out,
			  struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT rule, sum(hits), sum(excepted), max(last),"
		       " sum(CASE WHEN hour >= $6 THEN hits ELSE 0 END) FROM detect_stat"
		       " WHERE rule IN yg_set($1) AND hour >= $2 AND hour < $3 AND (hits > 0 OR excepted > 0)"
		       " AND ($4 = 1 OR org IN yg_set($5)) GROUP BY rule"),
		&s, err);
	if (st != YG_OK)
		return st;
	bind_within(s, uids, n, reach, yg_stat_window(reach, now, YG_STAT_MONTH));
	yg_stmt_i64(s, 6, yg_stat_window(reach, now, YG_US_PER_DAY).from_us);
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		struct yg_drule_numbers *to = of_row(s, uids, n, out);
		if (to == NULL)
			continue;
		to->hits_30d = yg_col_i64(s, 1);
		to->excepted_30d = yg_col_i64(s, 2);
		to->last.us = yg_col_i64(s, 3);
		to->hits_24h = yg_col_i64(s, 4);
	}
	return st;
}

static yg_status sum_cost(struct yg_state *db, const struct yg_sv *uids, size_t n,
			  const struct yg_reach *reach, yg_wall now, struct yg_drule_numbers *out,
			  struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT rule, sum(cost_ns) FROM detect_stat WHERE rule IN yg_set($1)"
		       " AND hour >= $2 AND hour < $3 AND ($4 = 1 OR org IN yg_set($5)) GROUP BY rule"),
		&s, err);
	if (st != YG_OK)
		return st;
	bind_within(s, uids, n, reach, yg_stat_window(reach, now, YG_US_PER_DAY));
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		struct yg_drule_numbers *to = of_row(s, uids, n, out);
		if (to != NULL)
			to->cost_24h_ns = yg_col_i64(s, 1);
	}
	return st;
}

/* A verdict of after the end of a period is none. */
static yg_status count_alerts(struct yg_state *db, const struct yg_sv *uids, size_t n,
			      const struct yg_reach *reach, yg_wall now,
			      struct yg_drule_numbers *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT indicator, count(*), sum(CASE WHEN verdict = 'false' AND closed < $3 THEN 1 ELSE 0 END)"
		       " FROM alert WHERE indicator IN yg_set($1) AND indicator_type = 'rule'"
		       " AND created >= $2 AND created < $3 AND ($4 = 1 OR org IN yg_set($5)) GROUP BY indicator"),
		&s, err);
	if (st != YG_OK)
		return st;
	bind_within(s, uids, n, reach,
		    (struct yg_stat_window){yg_stat_window(reach, now, YG_STAT_MONTH).from_us,
					    yg_reach_until(reach)});
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		struct yg_drule_numbers *to = of_row(s, uids, n, out);
		if (to == NULL)
			continue;
		to->alerts_30d = yg_col_i64(s, 1);
		to->false_30d = yg_col_i64(s, 2);
	}
	return st;
}

yg_status yg_drule_numbers(struct yg_state *db, const struct yg_sv *uids, size_t n,
			   const struct yg_reach *reach, yg_wall now, struct yg_drule_numbers *out,
			   struct yg_err *err)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (struct yg_drule_numbers){.hits_24h = 0};
	yg_status st = sum_hits(db, uids, n, reach, now, out, err);
	if (st == YG_OK)
		st = sum_cost(db, uids, n, reach, now, out, err);
	return st == YG_OK ? count_alerts(db, uids, n, reach, now, out, err) : st;
}

yg_status yg_drule_cost(struct yg_state *db, const struct yg_reach *reach, yg_wall now,
			int64_t *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	struct yg_stat_window w = yg_stat_window(reach, now, YG_US_PER_DAY);
	*out = 0;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT coalesce(sum(cost_ns), 0) FROM detect_stat WHERE rule = ''"
		       " AND hour >= $1 AND hour < $2 AND ($3 = 1 OR org IN yg_set($4))"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, w.from_us);
	yg_stmt_i64(s, 2, w.to_us);
	yg_stmt_i64(s, 3, yg_reach_all_flag(reach));
	yg_stmt_set(s, 4, reach->orgs, reach->org_count);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && row)
		*out = yg_col_i64(s, 0);
	return st;
}

yg_status yg_drule_hours(struct yg_state *db, const struct yg_drule_hours_of *of,
			 struct yg_arena *arena, struct yg_detect_hour **out, size_t *out_n,
			 struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_detect_hour *list = YG_NEW_N(arena, struct yg_detect_hour, HOURS_MAX);
	size_t n = 0;
	bool row = true;
	yg_status st = list != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "no memory for the hours");
	if (st == YG_OK)
		st = yg_state_prepare(
			db,
			/* hours that are not yet folded are told as they will be */
			YG_SQL("SELECT CASE WHEN hour < $7 THEN hour - (hour + $8) % $9 ELSE hour END AS at,"
			       " sum(looked_at), sum(hits), sum(excepted), sum(cost_ns) FROM detect_stat"
			       " WHERE rule = $1 AND hour >= $2 AND hour < $3 AND ($4 = 1 OR org IN yg_set($5))"
			       " GROUP BY 1 ORDER BY 1 LIMIT $6"),
			&s, err);
	if (st != YG_OK)
		return st;
	int64_t edge = yg_stat_edge(of->now), from = of->from.us, to = of->to.us;
	struct yg_stat_window w = yg_stat_window(&of->reach, of->now, of->now.us);
	from = from < edge ? yg_stat_day(from) : from;
	to = to < edge ? yg_stat_day(to + YG_US_PER_DAY - 1) : to;
	yg_stmt_text(s, 1, of->rule);
	yg_stmt_i64(s, 2, YG_MAX(from, w.from_us));
	yg_stmt_i64(s, 3, YG_MIN(to, w.to_us));
	yg_stmt_i64(s, 4, yg_reach_all_flag(&of->reach));
	yg_stmt_set(s, 5, of->reach.orgs, of->reach.org_count);
	yg_stmt_i64(s, 6, HOURS_MAX);
	yg_stmt_i64(s, 7, edge);
	yg_stmt_i64(s, 8, YG_STAT_ZONE);
	yg_stmt_i64(s, 9, YG_US_PER_DAY);
	while (n < HOURS_MAX && (st = yg_stmt_step(s, &row, err)) == YG_OK && row)
		list[n++] = (struct yg_detect_hour){{yg_col_i64(s, 0)}, yg_col_i64(s, 0) < edge,
						    yg_col_i64(s, 1),   yg_col_i64(s, 2),
						    yg_col_i64(s, 3),   yg_col_i64(s, 4)};
	*out = list;
	*out_n = n;
	return st;
}

static yg_status take_sample(struct yg_stmt *s, struct yg_arena *arena, void *to,
			     struct yg_err *err)
{
	struct yg_detect_sample *p = to;
	const struct yg_row_text texts[] = {{&p->org, 0}, {&p->event, 1}};
	p->at.us = yg_col_i64(s, 2);
	return yg_row_texts(s, arena, texts, YG_LEN(texts), err);
}

yg_status yg_drule_samples(struct yg_state *db, struct yg_sv rule, const struct yg_reach *reach,
			   struct yg_arena *arena, struct yg_detect_sample **out, size_t *out_n,
			   struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT org, event, time FROM detect_sample WHERE rule = $1"
		       " AND ($2 = 1 OR org IN yg_set($3)) AND time >= $5 AND time < $6"
		       " ORDER BY time DESC, seq DESC LIMIT $4"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, rule);
	yg_stmt_i64(s, 2, yg_reach_all_flag(reach));
	yg_stmt_set(s, 3, reach->orgs, reach->org_count);
	yg_stmt_i64(s, 4, YG_PAGE_MAX);
	yg_stmt_i64(s, 5, reach->from.us);
	yg_stmt_i64(s, 6, yg_reach_until(reach));
	const struct yg_row_list how = {
		.each = sizeof(struct yg_detect_sample), .limit = YG_PAGE_MAX, .take = take_sample};
	return yg_row_list(s, &how, arena, out, out_n, err);
}
