/* Alerts in groups. */
#include "alert/built.h"
#include "alert/top.h"

#define GROUPS_MAX 100000u  /* held in memory; of more, the rows are read in their order */
#define PAGE_MAX   1000000u /* groups up to the end of a page */

static const char *const group_names[] = {
#define X(id, name) name,
	YG_ALERT_GROUPS(X)
#undef X
};

yg_status yg_alert_group_parse(struct yg_sv s, enum yg_alert_group *out)
{
	for (unsigned i = 0; i < YG_LEN(group_names); i++) {
		if (yg_sv_eq(s, yg_sv_of(group_names[i]))) {
			*out = (enum yg_alert_group)i;
			return YG_OK;
		}
	}
	return YG_PARSE;
}

static yg_status take_bundle(struct yg_stmt *s, struct yg_arena *arena, struct yg_alert_bundle *g,
			     struct yg_err *err)
{
	struct yg_sv *text[] = {&g->key, &g->type, &g->title};
	for (size_t i = 0; i < YG_LEN(text); i++) {
		*text[i] = yg_arena_dup(arena, yg_col_text(s, (int)i));
		if (text[i]->p == NULL)
			return YG_FAIL(err, YG_NOMEM, "groups of alerts");
	}
	g->count = yg_col_i64(s, 3);
	g->orgs = yg_col_i64(s, 4);
	g->findings = yg_col_i64(s, 5);
	g->severity_id = (int)yg_col_i64(s, 6);
	g->first_seen.us = yg_col_i64(s, 7);
	g->last_seen.us = yg_col_i64(s, 8);
	return YG_OK;
}

/* All, all open ones, or those of them that are not put off, of whole organisations: their
 * counters know the worst. */
static bool grouped(const struct yg_alert_filter *f)
{
	unsigned states = f->states & EVERY_STATE;
	bool whole = states == 0 || states == EVERY_STATE || states == OPEN_STATES;
	if ((f->states & BY_TIME) != 0)
		whole = (f->states & YG_ALERT_ACTIVE) != 0;
	return whole && built_counted(f) && f->severity_min == 0 && f->severity_max == 0;
}

static void put_page_end(struct built *b, const struct yg_alert_query *q, uint32_t from)
{
	built_number(b, " LIMIT ", q->limit);
	built_number(b, " OFFSET ", from);
}

static void of_orgs(struct built *b, const char *column, const struct yg_reach *r)
{
	static const struct yg_sv whole = YG_SV_INIT("");
	yg_buf_printf(&b->sql, " AND %s", column);
	if (r->all || r->org_count == 1)
		built_text(b, " = ", r->all ? whole : r->orgs[0], "");
	else
		built_set(b, " IN yg_set(", r->orgs, r->org_count, ")");
}

/* What is open of each, less what is put off, of which there is little; so the severity, where
 * something of the indicator is put off. */
static void put_active(struct built *b, const struct yg_alert_query *q)
{
	const struct yg_reach *r = &q->f.reach;
	built_number(b,
		     "WITH away AS (SELECT z.indicator, z.severity_id, count(*) AS n FROM alert z"
		     " WHERE z.snoozed_until > 0 AND z.state <> 'closed' AND z.snoozed_until > ",
		     q->f.now.us);
	if (!r->all)
		of_orgs(b, "z.org", r);
	built_put(b,
		  " GROUP BY z.indicator, z.severity_id), rest AS (SELECT c.indicator, sum(c.open)"
		  " - coalesce((SELECT sum(w.n) FROM away w WHERE w.indicator = c.indicator), 0)"
		  " AS n, CASE WHEN c.indicator IN (SELECT w.indicator FROM away w) THEN"
		  " (SELECT max(t.severity_id) FROM (SELECT s.severity_id, sum(s.open) AS n"
		  " FROM alert_indicator_severity s WHERE s.indicator = c.indicator");
	of_orgs(b, "s.org", r);
	built_put(
		b,
		" GROUP BY s.severity_id) t WHERE t.n > coalesce((SELECT w.n FROM away w WHERE"
		" w.indicator = c.indicator AND w.severity_id = t.severity_id), 0))"
		" ELSE max(c.worst_open) END AS worst FROM alert_indicator_count c WHERE c.open > 0");
	of_orgs(b, "c.org", r);
	built_put(b, " GROUP BY c.indicator), page AS (SELECT c.indicator, c.n, c.worst,"
		     " count(*) OVER () AS groups FROM rest c WHERE c.n > 0");
}

static void put_counted(struct built *b, const struct yg_reach *r, const char *n)
{
	if (r->all || r->org_count == 1) {
		yg_buf_printf(&b->sql,
			      "WITH page AS (SELECT c.indicator, c.%s AS n, c.worst_%s AS worst,"
			      " (SELECT count(*) FROM alert_indicator_count t WHERE t.%s > 0",
			      n, n, n);
		of_orgs(b, "t.org", r);
		yg_buf_printf(&b->sql, ") AS groups FROM alert_indicator_count c WHERE c.%s > 0",
			      n);
		of_orgs(b, "c.org", r);
	} else {
		yg_buf_printf(&b->sql,
			      "WITH page AS (SELECT c.indicator, sum(c.%s) AS n, max(c.worst_%s) AS"
			      " worst, count(*) OVER () AS groups FROM alert_indicator_count c"
			      " WHERE c.%s > 0",
			      n, n, n);
		of_orgs(b, "c.org", r);
		built_put(b, " GROUP BY c.indicator");
	}
}

/* The page of the worst indicators from the counters, then what is to be said of
 * each from its alerts alone. */
static yg_status begin_indicators(struct built *b, const struct yg_alert_query *q, uint32_t from,
				  struct yg_err *err)
{
	const struct yg_reach *r = &q->f.reach;
	bool active = (q->f.states & YG_ALERT_ACTIVE) != 0;
	bool open = active || (q->f.states & EVERY_STATE) == OPEN_STATES;
	b->n = 0;
	yg_buf_init(&b->sql, 16384);
	if (active)
		put_active(b, q);
	else
		put_counted(b, r, open ? "open" : "total");
	built_put(b, " ORDER BY worst DESC, n DESC, c.indicator");
	put_page_end(b, q, from);
	built_put(b, ") SELECT p.indicator, max(a.indicator_type), '', p.n, ");
	if (active) {
		built_put(b, "count(DISTINCT a.org)");
	} else {
		built_put(b, "(SELECT count(*) FROM alert_indicator_count o WHERE"
			     " o.indicator = p.indicator AND o.org <> ''");
		if (open)
			built_put(b, " AND o.open > 0");
		if (!r->all)
			built_set(b, " AND o.org IN yg_set(", r->orgs, r->org_count, ")");
		built_put(b, ")");
	}
	built_put(
		b,
		", sum(a.count), max(a.severity_id), min(a.first_seen), max(a.last_seen), p.groups"
		" FROM page p CROSS JOIN alert a WHERE a.indicator = p.indicator");
	built_reach(b, r, false);
	yg_status st = built_filter(b, &q->f, err);
	built_put(b, " GROUP BY p.indicator, p.n, p.worst, p.groups"
		     " ORDER BY p.worst DESC, p.n DESC, p.indicator");
	return st;
}

/* The page of the worst indicators, as the counters know them. */
static yg_status counted_bundles(struct yg_state *db, const struct yg_alert_query *q, uint32_t from,
				 struct yg_arena *arena, struct yg_alert_bundles *out,
				 struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct built b = {.db = db};
	bool row = true;
	yg_status st = begin_indicators(&b, q, from, err);
	if (st == YG_OK)
		st = built_prepare(&b, db, &s, err);
	yg_buf_free(&b.sql);
	while (st == YG_OK && out->n < q->limit && (st = yg_stmt_step(s, &row, err)) == YG_OK &&
	       row) {
		out->groups = yg_col_i64(s, 9);
		st = take_bundle(s, arena, &out->list[out->n++], err);
	}
	return st;
}

/* Calls `add` for every alert of the filter, once; in no order, or by key and organisation. */
static yg_status each_row(struct yg_state *db, const struct yg_alert_query *q,
			  enum yg_alert_group by, bool ordered,
			  yg_status (*add)(void *to, const struct yg_group_row *r,
					   struct yg_err *err),
			  void *to, struct yg_err *err)
{
#define OF(key, type)                                                                              \
	"SELECT " key ", " type ", a.org, a.count, a.severity_id, a.first_seen, a.last_seen"       \
	" FROM alert a"
	static const char *const selects[] = {
		[YG_GROUP_INDICATOR] = OF("a.indicator", "a.indicator_type"),
		[YG_GROUP_ORG] = OF("a.org", "''"),
		[YG_GROUP_ASSET] = OF("a.asset", "''"),
		[YG_GROUP_CATEGORY] = OF("a.category", "''"),
		[YG_GROUP_LIST] = OF("a.list", "''"),
	};
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct built b = {.db = db};
	bool row = true;
	yg_status st = built_begin(&b, selects[by], q, false, err);
	if (ordered)
		yg_buf_printf(&b.sql, " ORDER BY a.%s, a.org", group_names[by]);
	if (st == YG_OK)
		st = built_prepare(&b, db, &s, err);
	yg_buf_free(&b.sql);
	while (st == YG_OK && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		struct yg_group_row r = {.key = yg_col_text(s, 0),
					 .type = yg_col_text(s, 1),
					 .org = yg_col_text(s, 2),
					 .findings = yg_col_i64(s, 3),
					 .severity_id = (int)yg_col_i64(s, 4),
					 .first_seen = yg_col_i64(s, 5),
					 .last_seen = yg_col_i64(s, 6)};
		st = add(to, &r, err);
	}
	return st;
}

static yg_status add_to_groups(void *to, const struct yg_group_row *r, struct yg_err *err)
{
	return yg_groups_add(to, r, err);
}

static yg_status add_to_top(void *to, const struct yg_group_row *r, struct yg_err *err)
{
	return yg_top_add(to, r, err);
}

/* However many groups there are. */
static yg_status ordered_bundles(struct yg_state *db, const struct yg_alert_query *q,
				 enum yg_alert_group by, uint32_t from, struct yg_arena *arena,
				 struct yg_alert_bundles *out, struct yg_err *err)
{
	YG_AUTO(yg_top_free) struct yg_top top;
	yg_top_init(&top, (size_t)from + q->limit);
	if (from > PAGE_MAX)
		return YG_FAIL(err, YG_TOOBIG, "too many groups of alerts: filter them");
	yg_status st = each_row(db, q, by, true, add_to_top, &top, err);
	return st == YG_OK ? yg_top_page(&top, from, arena, out, err) : st;
}

static yg_status put_titles(struct yg_state *db, struct yg_arena *arena,
			    struct yg_alert_bundles *out, struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < out->n; i++) {
		YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
		bool row = false;
		st = yg_state_prepare(db,
				      YG_SQL("SELECT title_ja || '\t' || title_en FROM organisation"
					     " WHERE slug = $1"),
				      &s, err);
		if (st != YG_OK)
			return st;
		yg_stmt_text(s, 1, out->list[i].key);
		st = yg_stmt_step(s, &row, err);
		out->list[i].title = yg_arena_dup(arena, row ? yg_col_text(s, 0) : YG_SV(""));
		if (out->list[i].title.p == NULL)
			return YG_FAIL(err, YG_NOMEM, "groups of alerts");
	}
	return st;
}

/* Of a rule or a notice, what the newest of its alerts within reach is called: so who may not
 * read rules sees it, too, and of one that was removed there still is one. */
static yg_status put_alert_titles(struct yg_state *db, const struct yg_alert_query *ask,
				  struct yg_arena *arena, struct yg_alert_bundles *out,
				  struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < out->n; i++) {
		YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
		struct built b = {.db = db};
		bool row = false;
		if (!YG_SV_IS(out->list[i].type, "rule") && !YG_SV_IS(out->list[i].type, "notice"))
			continue;
		const struct yg_alert_query of = {.f = {.reach = ask->f.reach,
							.now = ask->f.now,
							.indicator = out->list[i].key}};
		st = built_begin(&b, "SELECT a.title FROM alert a", &of, true, err);
		built_text(&b, " AND a.indicator_type = ", out->list[i].type,
			   " ORDER BY a.seq DESC LIMIT 1");
		if (st == YG_OK)
			st = built_prepare(&b, db, &s, err);
		yg_buf_free(&b.sql);
		if (st == YG_OK)
			st = yg_stmt_step(s, &row, err);
		if (st != YG_OK)
			return st;
		out->list[i].title = yg_arena_dup(arena, row ? yg_col_text(s, 0) : YG_SV(""));
		if (out->list[i].title.p == NULL)
			return YG_FAIL(err, YG_NOMEM, "groups of alerts");
	}
	return st;
}

/* What is to be looked at is all that is open while nothing is put off: the counters know. */
static yg_status plain(struct yg_state *db, struct yg_alert_query *q, struct yg_err *err)
{
	struct yg_alert_query away = *q;
	int64_t n = 0;
	if ((q->f.states & YG_ALERT_ACTIVE) == 0)
		return YG_OK;
	away.f.states = YG_ALERT_SNOOZED;
	yg_status st = yg_alert_matching(db, &away, &n, err);
	if (st == YG_OK && n == 0)
		q->f.states = OPEN_STATES;
	return st;
}

static yg_status find_bundles(struct yg_state *db, const struct yg_alert_query *q,
			      enum yg_alert_group by, uint32_t from, size_t most,
			      struct yg_arena *arena, struct yg_alert_bundles *out,
			      struct yg_err *err)
{
	YG_AUTO(yg_groups_free) struct yg_groups g;
	yg_groups_init(&g, most);
	if (by == YG_GROUP_INDICATOR && grouped(&q->f))
		return counted_bundles(db, q, from, arena, out, err);
	/* there are nearly as many assets as alerts: more than are held in memory */
	bool many = by == YG_GROUP_ASSET && q->f.reach.to.us == 0;
	yg_status st =
		most > 0 && !many ? each_row(db, q, by, false, add_to_groups, &g, err) : YG_LIMIT;
	if (st == YG_LIMIT)
		return ordered_bundles(db, q, by, from, arena, out, err);
	return st == YG_OK ? yg_groups_page(&g, from, q->limit, arena, out, err) : st;
}

yg_status yg_alert_bundle_within(struct yg_state *db, const struct yg_alert_query *ask,
				 enum yg_alert_group by, uint32_t from, size_t most,
				 struct yg_arena *arena, struct yg_alert_bundles *out,
				 struct yg_err *err)
{
	struct yg_alert_query q = *ask;
	*out = (struct yg_alert_bundles){
		.list = YG_NEW_N(arena, struct yg_alert_bundle, q.limit + 1)};
	if (out->list == NULL)
		return YG_FAIL(err, YG_NOMEM, "groups of alerts");
	yg_status st = plain(db, &q, err);
	if (st == YG_OK)
		st = find_bundles(db, &q, by, from, most, arena, out, err);
	if (st == YG_OK && by == YG_GROUP_ORG)
		return put_titles(db, arena, out, err);
	return st == YG_OK && by == YG_GROUP_INDICATOR ? put_alert_titles(db, &q, arena, out, err)
						       : st;
}

yg_status yg_alert_bundle(struct yg_state *db, const struct yg_alert_query *ask,
			  enum yg_alert_group by, uint32_t from, struct yg_arena *arena,
			  struct yg_alert_bundles *out, struct yg_err *err)
{
	return yg_alert_bundle_within(db, ask, by, from, GROUPS_MAX, arena, out, err);
}
