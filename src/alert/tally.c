#include "alert/tally.h"

#include "alert/query.h"

/* Hours are read per organisation, out of the index that has all of a row, and added up
 * here: joined or grouped otherwise the database reads or sorts the hours of all times
 * (CROSS JOIN keeps the order as it is written). */

static yg_status add_rows(struct yg_stmt *s, int64_t sign, int64_t out[static 7],
			  struct yg_err *err)
{
	yg_status st;
	bool row = true;
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		int64_t severity = yg_col_i64(s, 0);
		if (severity >= 0 && severity < 7)
			out[severity] += sign * yg_col_i64(s, 1);
	}
	return st;
}

yg_status yg_tally_open(struct yg_state *db, const struct yg_org_set *set, int64_t hour,
			int64_t out_now[static 7], int64_t out_then[static 7], struct yg_err *err)
{
#define OPEN(where)                                                                                \
	"SELECT severity_id, sum(n) FROM alert_count WHERE state <> 'closed'" where                \
	" GROUP BY severity_id"
#define CHANGED(of, key)                                                                           \
	"SELECT h.severity_id, h.delta FROM " of " o CROSS JOIN alert_hour h WHERE h.org = o." key \
	" AND h.hour >= $1"
	YG_AUTO(yg_stmt_donep) struct yg_stmt *now = NULL;
	YG_AUTO(yg_stmt_donep) struct yg_stmt *since = NULL;
	memset(out_now, 0, 7 * sizeof out_now[0]);
	yg_status st = yg_state_prepare(
		db, set->all ? YG_SQL(OPEN("")) : YG_SQL(OPEN(" AND org IN yg_set($1)")), &now,
		err);
	if (st != YG_OK)
		return st;
	yg_org_set_bind(now, 1, set);
	st = add_rows(now, 1, out_now, err);
	memcpy(out_then, out_now, 7 * sizeof out_then[0]);
	if (st == YG_OK)
		st = yg_state_prepare(db,
				      set->all ? YG_SQL(CHANGED("organisation", "slug"))
					       : YG_SQL(CHANGED("yg_set($2)", "item")),
				      &since, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(since, 1, hour);
	yg_org_set_bind(since, 2, set);
	return add_rows(since, -1, out_then, err);
}

yg_status yg_tally_trend(struct yg_state *db, const struct yg_org_set *set, int64_t from,
			 int64_t step, struct yg_tally_step *out, size_t n, struct yg_err *err)
{
#define TREND(of, key)                                                                             \
	"SELECT h.hour, h.severity_id, h.created, h.closed, h.delta FROM " of                      \
	" o CROSS JOIN alert_hour h WHERE h.org = o." key " AND h.hour >= $1 AND h.hour < $2"
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	memset(out, 0, n * sizeof out[0]);
	yg_status st = yg_state_prepare(db,
					set->all ? YG_SQL(TREND("organisation", "slug"))
						 : YG_SQL(TREND("yg_set($3)", "item")),
					&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, from);
	yg_stmt_i64(s, 2, from + step * (int64_t)n);
	yg_org_set_bind(s, 3, set);
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		struct yg_tally_step *at = &out[(yg_col_i64(s, 0) - from) / step];
		int64_t severity = yg_col_i64(s, 1);
		at->created += yg_col_i64(s, 2);
		at->closed += yg_col_i64(s, 3);
		if (severity >= 0 && severity < 7)
			at->change[severity] += yg_col_i64(s, 4);
	}
	return st;
}

yg_status yg_tally_since(struct yg_state *db, const struct yg_org_set *set, yg_wall since,
			 int64_t *out_new, int64_t *out_closed, struct yg_err *err)
{
#define SINCE(where)                                                                               \
	"SELECT (SELECT count(*) FROM alert WHERE created > $1" where "), (SELECT"                 \
	" count(*) FROM alert WHERE closed > 0 AND closed > $1" where ")"
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db, set->all ? YG_SQL(SINCE("")) : YG_SQL(SINCE(" AND org IN yg_set($2)")), &s,
		err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, since.us);
	yg_org_set_bind(s, 2, set);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && row) {
		*out_new = yg_col_i64(s, 0);
		*out_closed = yg_col_i64(s, 1);
	}
	return st;
}

yg_status yg_tally_orgs(struct yg_state *db, const struct yg_org_set *set, uint32_t limit,
			struct yg_arena *arena, struct yg_tally_org **out, size_t *out_n,
			struct yg_err *err)
{
#define ORGS(where)                                                                                   \
	"SELECT o.slug, o.title_ja, o.title_en, coalesce(c.open, 0) AS open,"                         \
	" coalesce(c.critical, 0) AS critical, coalesce(c.high, 0) AS high,"                          \
	" (SELECT w.severity_id FROM alert w WHERE w.org = o.slug AND w.state <> 'closed'"            \
	" ORDER BY w.severity_id DESC LIMIT 1),"                                                      \
	" (SELECT a.id FROM alert a WHERE a.org = o.slug AND a.state <> 'closed'"                     \
	" ORDER BY a.severity_id DESC, a.seq DESC LIMIT 1) FROM organisation o LEFT JOIN"             \
	" (SELECT org, sum(n) AS open, sum(CASE WHEN severity_id > 4 THEN n ELSE 0 END) AS critical," \
	" sum(CASE WHEN severity_id = 4 THEN n ELSE 0 END) AS high FROM alert_count"                  \
	" WHERE state <> 'closed' GROUP BY org) AS c ON c.org = o.slug" where                         \
	" ORDER BY critical DESC, high DESC, open DESC, o.slug LIMIT $1"
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_tally_org *list = YG_NEW_N(arena, struct yg_tally_org, limit + 1);
	size_t n = 0;
	bool row = true;
	if (list == NULL)
		return YG_FAIL(err, YG_NOMEM, "organisations");
	yg_status st = yg_state_prepare(
		db, set->all ? YG_SQL(ORGS("")) : YG_SQL(ORGS(" WHERE o.slug IN yg_set($2)")), &s,
		err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, limit);
	yg_org_set_bind(s, 2, set);
	while (n < limit && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		struct yg_tally_org *o = &list[n++];
		const struct {
			struct yg_sv *to;
			int column;
		} text[] = {{&o->org, 0}, {&o->title_ja, 1}, {&o->title_en, 2}, {&o->worst, 7}};
		for (size_t i = 0; i < YG_LEN(text); i++) {
			*text[i].to = yg_arena_dup(arena, yg_col_text(s, text[i].column));
			if (text[i].to->p == NULL)
				return YG_FAIL(err, YG_NOMEM, "organisations");
		}
		o->open = yg_col_i64(s, 3);
		o->critical = yg_col_i64(s, 4);
		o->high = yg_col_i64(s, 5);
		o->worst_severity = (int)yg_col_i64(s, 6);
	}
	*out = list;
	*out_n = n;
	return st;
}

yg_status yg_tally_orgs_then(struct yg_state *db, const struct yg_org_set *set, int64_t hour,
			     struct yg_tally_org *orgs, size_t n, struct yg_err *err)
{
#define SINCE_THEN(of, key)                                                                        \
	"SELECT o." key ", (SELECT coalesce(sum(h.delta), 0) FROM alert_hour h WHERE h.org = "     \
	"o." key " AND h.hour >= $1) FROM " of " o"
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	yg_status st = yg_state_prepare(db,
					set->all ? YG_SQL(SINCE_THEN("organisation", "slug"))
						 : YG_SQL(SINCE_THEN("yg_set($2)", "item")),
					&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, hour);
	yg_org_set_bind(s, 2, set);
	for (size_t i = 0; i < n; i++)
		orgs[i].previous = orgs[i].open;
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		struct yg_sv org = yg_col_text(s, 0);
		for (size_t i = 0; i < n; i++) {
			if (yg_sv_eq(orgs[i].org, org))
				orgs[i].previous -= yg_col_i64(s, 1);
		}
	}
	return st;
}

struct few {
	struct yg_tally_few *t;
	struct yg_arena *arena;
	size_t *order; /* of t->orgs, by name: t->org_count of them */
};

/* Where in f->order the organisation is, or belongs. */
static size_t few_place(const struct few *f, struct yg_sv org)
{
	size_t low = 0, high = f->t->org_count;
	while (low < high) {
		size_t at = low + (high - low) / 2;
		if (yg_sv_cmp(f->t->orgs[f->order[at]].org, org) < 0)
			low = at + 1;
		else
			high = at;
	}
	return low;
}

/* NULL: more organisations than are shown. */
static yg_status few_org(struct few *f, struct yg_sv org, struct yg_tally_org **out,
			 struct yg_err *err)
{
	struct yg_tally_few *t = f->t;
	size_t at = few_place(f, org);
	*out = NULL;
	if (at < t->org_count && yg_sv_eq(t->orgs[f->order[at]].org, org)) {
		*out = &t->orgs[f->order[at]];
		return YG_OK;
	}
	if (t->org_count == t->orgs_max)
		return YG_OK;
	struct yg_tally_org *o = &t->orgs[t->org_count];
	*o = (struct yg_tally_org){.org = yg_arena_dup(f->arena, org)};
	if (o->org.p == NULL)
		return YG_FAIL(err, YG_NOMEM, "organisations");
	memmove(&f->order[at + 1], &f->order[at], (t->org_count - at) * sizeof f->order[0]);
	f->order[at] = t->org_count++;
	*out = o;
	return YG_OK;
}

static yg_status few_titles(const struct few *f, struct yg_state *db, struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < f->t->org_count; i++) {
		YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
		struct yg_tally_org *o = &f->t->orgs[i];
		bool row = false;
		st = yg_state_prepare(
			db, YG_SQL("SELECT title_ja, title_en FROM organisation WHERE slug = $1"),
			&s, err);
		if (st != YG_OK)
			return st;
		yg_stmt_text(s, 1, o->org);
		st = yg_stmt_step(s, &row, err);
		o->title_ja = yg_arena_dup(f->arena, row ? yg_col_text(s, 0) : YG_SV(""));
		o->title_en = yg_arena_dup(f->arena, row ? yg_col_text(s, 1) : YG_SV(""));
		if (o->title_ja.p == NULL || o->title_en.p == NULL)
			return YG_FAIL(err, YG_NOMEM, "organisations");
	}
	return st;
}

static void few_open(const struct yg_alert_mark *m, struct yg_tally_org *o)
{
	o->open++;
	o->critical += m->severity_id > 4;
	o->high += m->severity_id == 4;
	if (o->worst.n > 0 && (m->severity_id < o->worst_severity ||
			       (m->severity_id == o->worst_severity && m->seq < o->worst_seq)))
		return;
	o->worst_severity = m->severity_id;
	o->worst_seq = m->seq;
	o->worst.n = YG_MIN(m->id.n, sizeof o->worst_id); /* its place follows when all are read */
	memcpy(o->worst_id, m->id.p, o->worst.n);
}

/* Adds a moment to its step of the trend, or to what was before: one made or one closed. */
static void few_step(struct yg_tally_few *t, int64_t us, int severity, bool made)
{
	int64_t all = t->step * (int64_t)t->steps;
	int64_t hour = us / YG_HOUR_US - t->from;
	struct yg_tally_step *at = hour >= 0 && hour < all ? &t->trend[hour / t->step] : &t->before;
	if (hour >= all || hour < -all)
		return;
	at->created += made;
	at->closed += !made;
	at->change[severity] += made ? 1 : -1;
}

static yg_status few_take(void *ctx, const struct yg_alert_mark *m, struct yg_err *err)
{
	struct few *f = ctx;
	struct yg_tally_few *t = f->t;
	struct yg_tally_org *o;
	int severity = YG_MIN(YG_MAX(m->severity_id, 0), 6);
	int64_t from = t->from * YG_HOUR_US;
	bool was = m->created_us < from && (m->open || m->closed_us >= from);
	yg_status st = few_org(f, m->org, &o, err);
	if (st != YG_OK)
		return st;
	t->now[severity] += m->open;
	t->then[severity] += was;
	few_step(t, m->created_us, severity, true);
	if (!m->open)
		few_step(t, m->closed_us, severity, false);
	if (t->since.us != 0) {
		t->fresh += m->created_us > t->since.us;
		t->closed += !m->open && m->closed_us > t->since.us;
	}
	if (o != NULL)
		o->previous += was;
	if (o != NULL && m->open)
		few_open(m, o);
	return YG_OK;
}

static int worse(const void *a, const void *b)
{
	const struct yg_tally_org *x = a, *y = b;
	const int64_t by[] = {y->critical - x->critical, y->high - x->high, y->open - x->open};
	for (size_t i = 0; i < YG_LEN(by); i++) {
		if (by[i] != 0)
			return by[i] < 0 ? -1 : 1;
	}
	return yg_sv_cmp(x->org, y->org);
}

yg_status yg_tally_rows(struct yg_state *db, struct yg_arena *arena, struct yg_tally_few *t,
			struct yg_err *err)
{
	struct few f = {.t = t, .arena = arena, .order = YG_NEW_N(arena, size_t, t->orgs_max + 1)};
	struct yg_alert_query q = {.f = *t->of};
	q.f.states = 0;
	if (f.order == NULL)
		return YG_FAIL(err, YG_NOMEM, "organisations");
	if (t->steps > 0)
		memset(t->trend, 0, t->steps * sizeof t->trend[0]);
	t->org_count = 0;
	yg_status st = yg_alert_each(db, &q, few_take, &f, err);
	if (st == YG_OK)
		st = few_titles(&f, db, err);
	if (st == YG_OK && t->org_count > 1)
		qsort(t->orgs, t->org_count, sizeof t->orgs[0], worse);
	for (size_t i = 0; i < t->org_count; i++)
		t->orgs[i].worst.p = t->orgs[i].worst_id;
	return st;
}
