#include "org/coverage.h"

#include "org/audit_log.h"
#include "org/organisation.h"

#define EVERY_MIN_S 60
#define EVERY_MAX_S 31536000

/* Every source that was heard or is expected.  `w` restricts s, `v` restricts e. */
#define COVERED(w, v)                                                                              \
	"(SELECT s.org, s.source, s.sensor, s.first_received, s.last_received, s.last_event,"      \
	" s.events, s.bytes, s.unparsed, s.dropped, coalesce(e.every_s, 0) AS every_s,"            \
	" coalesce(e.every_s, 86400) * 1000000 AS span FROM source s LEFT JOIN source_expectation" \
	" e ON e.org = s.org AND e.source = s.source AND e.sensor = s.sensor" w " UNION ALL"       \
	" SELECT e.org, e.source, e.sensor, 0, 0, 0, 0, 0, 0, 0, e.every_s, e.every_s * 1000000"   \
	" FROM source_expectation e WHERE NOT EXISTS (SELECT 1 FROM source s WHERE s.org = e.org"  \
	" AND s.source = e.source AND s.sensor = e.sensor)" v ") AS c"
#define COLUMNS                                                                                    \
	" org, source, sensor, first_received, last_received, last_event, events, bytes,"          \
	" unparsed, dropped, every_s "

static const char *const state_names[] = {
#define X(id, name) name,
	YG_SOURCE_STATES(X)
#undef X
};

const char *yg_source_state_name(enum yg_source_state s)
{
	return (size_t)s < YG_LEN(state_names) ? state_names[s] : "";
}

static void judge(struct yg_coverage *c, yg_wall now)
{
	int64_t span = (c->every_s > 0 ? c->every_s : YG_EXPECT_DEFAULT_S) * YG_US_PER_S;
	c->lag_us = -1;
	c->state = YG_SOURCE_NEVER_;
	if (c->row.last_received.us == 0)
		return;
	c->lag_us = YG_MAX(now.us - c->row.last_received.us, 0);
	c->state = c->lag_us <= span       ? YG_SOURCE_OK_
		   : c->lag_us <= 2 * span ? YG_SOURCE_LATE_
					   : YG_SOURCE_SILENT_;
}

static yg_status take(struct yg_stmt *s, struct yg_arena *arena, yg_wall now, struct yg_coverage *c,
		      struct yg_err *err)
{
	struct yg_source_row *r = &c->row;
	struct yg_sv *text[] = {&r->org, &r->source, &r->sensor};
	for (size_t i = 0; i < YG_LEN(text); i++) {
		*text[i] = yg_arena_dup(arena, yg_col_text(s, (int)i));
		if (text[i]->p == NULL)
			return YG_FAIL(err, YG_NOMEM, "sources");
	}
	int64_t *number[] = {&r->first_received.us,
			     &r->last_received.us,
			     &r->last_event.us,
			     &r->events,
			     &r->bytes,
			     &r->unparsed,
			     &r->dropped,
			     &c->every_s};
	for (size_t i = 0; i < YG_LEN(number); i++)
		*number[i] = yg_col_i64(s, (int)i + 3);
	judge(c, now);
	return YG_OK;
}

static yg_status read_rows(struct yg_stmt *s, struct yg_arena *arena, yg_wall now, uint32_t limit,
			   struct yg_coverage **out, size_t *out_n, struct yg_err *err)
{
	struct yg_coverage *list = YG_NEW_N(arena, struct yg_coverage, limit + 1);
	yg_status st = YG_OK;
	size_t n = 0;
	bool row = true;
	if (list == NULL)
		return YG_FAIL(err, YG_NOMEM, "sources");
	while (st == YG_OK && n < limit && (st = yg_stmt_step(s, &row, err)) == YG_OK && row)
		st = take(s, arena, now, &list[n++], err);
	*out = list;
	*out_n = n;
	return st;
}

yg_status yg_coverage_list(struct yg_state *db, const struct yg_coverage_filter *f,
			   struct yg_arena *arena, struct yg_coverage **out, size_t *out_n,
			   struct yg_err *err)
{
#define LIST(w, v)                                                                                 \
	"SELECT" COLUMNS "FROM " COVERED(w, v) " WHERE (org, source, sensor) > ($1, $2, $3)"       \
					       " ORDER BY org, source, sensor LIMIT $4"
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(db,
					f->set->all ? YG_SQL(LIST("", ""))
						    : YG_SQL(LIST(" WHERE s.org IN yg_set($5)",
								  " AND e.org IN yg_set($5)")),
					&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, f->after != NULL ? f->after->org : YG_SV(""));
	yg_stmt_text(s, 2, f->after != NULL ? f->after->source : YG_SV(""));
	yg_stmt_text(s, 3, f->after != NULL ? f->after->sensor : YG_SV(""));
	yg_stmt_i64(s, 4, f->limit);
	yg_org_set_bind(s, 5, f->set);
	return read_rows(s, arena, f->now, f->limit, out, out_n, err);
}

yg_status yg_coverage_silent(struct yg_state *db, const struct yg_coverage_filter *f,
			     struct yg_arena *arena, struct yg_coverage **out, size_t *out_n,
			     struct yg_err *err)
{
#define SILENT(w, v)                                                                               \
	"SELECT" COLUMNS                                                                           \
	"FROM " COVERED(w, v) " WHERE last_received + 2 * span < $1"                               \
			      " ORDER BY last_received, org, source, sensor LIMIT $2"
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(db,
					f->set->all ? YG_SQL(SILENT("", ""))
						    : YG_SQL(SILENT(" WHERE s.org IN yg_set($3)",
								    " AND e.org IN yg_set($3)")),
					&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, f->now.us);
	yg_stmt_i64(s, 2, f->limit);
	yg_org_set_bind(s, 3, f->set);
	return read_rows(s, arena, f->now, f->limit, out, out_n, err);
}

yg_status yg_coverage_by_org(struct yg_state *db, const struct yg_org_set *set, yg_wall now,
			     yg_wall since, struct yg_arena *arena, struct yg_coverage_sum **out,
			     size_t *out_n, struct yg_err *err)
{
#define SUMS(w, v)                                                                                 \
	"SELECT org, count(*), sum(CASE WHEN last_received + span >= $1 THEN 1 ELSE 0 END),"       \
	" sum(CASE WHEN last_received + 2 * span < $1 THEN 1 ELSE 0 END),"                         \
	" sum(CASE WHEN last_received + 2 * span < $1 AND last_received + 2 * span >= $2"          \
	" THEN 1 ELSE 0 END), max(last_received) FROM " COVERED(w, v) " GROUP BY org ORDER BY org"
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	size_t n = 0, cap = 0;
	struct yg_coverage_sum *list = NULL;
	bool row = true;
	yg_status st = yg_state_prepare(
		db,
		set->all ? YG_SQL(SUMS("", ""))
			 : YG_SQL(SUMS(" WHERE s.org IN yg_set($3)", " AND e.org IN yg_set($3)")),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, now.us);
	yg_stmt_i64(s, 2, since.us);
	yg_org_set_bind(s, 3, set);
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		if (n == cap) {
			cap = cap > 0 ? cap * 2 : 128;
			struct yg_coverage_sum *more = YG_NEW_N(arena, struct yg_coverage_sum, cap);
			if (more == NULL)
				return YG_FAIL(err, YG_NOMEM, "sources");
			if (n > 0)
				memcpy(more, list, n * sizeof list[0]);
			list = more;
		}
		list[n] = (struct yg_coverage_sum){.org = yg_arena_dup(arena, yg_col_text(s, 0)),
						   .expected = yg_col_i64(s, 1),
						   .reporting = yg_col_i64(s, 2),
						   .silent = yg_col_i64(s, 3),
						   .silent_since = yg_col_i64(s, 4),
						   .last_received = {yg_col_i64(s, 5)}};
		if (list[n++].org.p == NULL)
			return YG_FAIL(err, YG_NOMEM, "sources");
	}
	*out = list;
	*out_n = n;
	return st;
}

/* --- expectations --- */

static struct yg_sv place(struct yg_sb *b, struct yg_sv source, struct yg_sv sensor)
{
	yg_sb_put(b, source);
	yg_sb_putc(b, '~');
	yg_sb_put(b, sensor);
	return yg_sb_sv(b);
}

static yg_status put_expectation(struct yg_act *act, struct yg_sv org, struct yg_sv source,
				 struct yg_sv sensor, int64_t every_s, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	char text[400];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	struct yg_stmt *s = NULL;
	yg_status st = yg_org_known(act->db, org, err);
	if (st != YG_OK)
		return st;
	st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO source_expectation (org, source, sensor, every_s, created, actor)"
		       " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (org, source, sensor) DO UPDATE"
		       " SET every_s = excluded.every_s, created = excluded.created, actor = excluded.actor"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, org);
	yg_stmt_text(s, 2, source);
	yg_stmt_text(s, 3, sensor);
	yg_stmt_i64(s, 4, every_s);
	yg_stmt_i64(s, 5, yg_env_wall(act->env).us);
	yg_stmt_text(s, 6, act->who);
	st = yg_stmt_run(s, err);
	if (st != YG_OK)
		return st;
	yg_detail_init(&d);
	yg_detail_count(&d, "every_s", every_s);
	return yg_audit_add(act, "source.expect", place(&b, source, sensor), org, &d, err);
}

static bool name_ok(struct yg_sv s)
{
	return s.n > 0 && s.n <= 128 && yg_utf8_valid(s) == s.n;
}

yg_status yg_expect_get(struct yg_state *db, struct yg_sv org, struct yg_sv source,
			struct yg_sv sensor, int64_t *out_every_s, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	*out_every_s = 0;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT every_s FROM source_expectation WHERE org = $1 AND source = $2 AND sensor = $3"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, org);
	yg_stmt_text(s, 2, source);
	yg_stmt_text(s, 3, sensor);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && row)
		*out_every_s = yg_col_i64(s, 0);
	return st;
}

yg_status yg_expect_set(struct yg_act *act, struct yg_sv org, struct yg_sv source,
			struct yg_sv sensor, int64_t every_s, struct yg_err *err)
{
	struct yg_tx tx;
	if (!name_ok(source) || !name_ok(sensor))
		return YG_FAIL(err, YG_INVAL, "a source and a sensor have 1 to 128 bytes");
	if (every_s < EVERY_MIN_S || every_s > EVERY_MAX_S)
		return YG_FAIL(err, YG_INVAL, "a source is expected every %d to %d seconds",
			       EVERY_MIN_S, EVERY_MAX_S);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, put_expectation(act, org, source, sensor, every_s, err),
				       err)
			   : st;
}

static yg_status drop_expectation(struct yg_act *act, struct yg_sv org, struct yg_sv source,
				  struct yg_sv sensor, struct yg_err *err)
{
	char text[400];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("DELETE FROM source_expectation WHERE org = $1 AND source = $2 AND sensor = $3"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, org);
	yg_stmt_text(s, 2, source);
	yg_stmt_text(s, 3, sensor);
	st = yg_stmt_run(s, err);
	if (st == YG_OK && yg_state_changes(act->db) == 0)
		return YG_FAIL(err, YG_NOTFOUND, "no such object");
	return st == YG_OK ? yg_audit_add(act, "source.unexpect", place(&b, source, sensor), org,
					  NULL, err)
			   : st;
}

yg_status yg_expect_remove(struct yg_act *act, struct yg_sv org, struct yg_sv source,
			   struct yg_sv sensor, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, drop_expectation(act, org, source, sensor, err), err)
			   : st;
}

/* --- events per hour --- */

yg_status yg_event_hour_add(struct yg_state *db, struct yg_sv org, int64_t hour, int64_t events,
			    struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("INSERT INTO event_hour (org, hour, events) VALUES ($1, $2, $3)"
		       " ON CONFLICT (org, hour) DO UPDATE SET events = event_hour.events + excluded.events"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, org);
	yg_stmt_i64(s, 2, hour);
	yg_stmt_i64(s, 3, events);
	return yg_stmt_run(s, err);
}

yg_status yg_event_hours(struct yg_state *db, const struct yg_org_set *set,
			 struct yg_event_range range, int64_t *out, size_t n, struct yg_err *err)
{
#define HOURS(of, key)                                                                             \
	"SELECT h.hour, h.events FROM " of " o CROSS JOIN event_hour h WHERE h.org = o." key       \
	" AND h.hour >= $1 AND h.hour < $2"
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	memset(out, 0, n * sizeof out[0]);
	yg_status st = yg_state_prepare(db,
					set->all ? YG_SQL(HOURS("organisation", "slug"))
						 : YG_SQL(HOURS("yg_set($3)", "item")),
					&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, range.from);
	yg_stmt_i64(s, 2, YG_MIN(range.to, range.from + range.step * (int64_t)n));
	yg_org_set_bind(s, 3, set);
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row)
		out[(yg_col_i64(s, 0) - range.from) / range.step] += yg_col_i64(s, 1);
	return st;
}
