#include "alert/query.h"

#include "alert/alert_internal.h"

#define VALUES_MAX  32
#define OPEN_STATES (1u << YG_ALERT_NEW | 1u << YG_ALERT_IN_PROGRESS | 1u << YG_ALERT_ON_HOLD)
#define TABLE       " FROM alert a" /* of every statement but those of counters, once */
#define EVERY_STATE (OPEN_STATES | 1u << YG_ALERT_CLOSED)
#define BY_TIME     (YG_ALERT_ACTIVE | YG_ALERT_SNOOZED)

/* A statement that is put together from the conditions asked for: what is not
 * asked for is not in it, so that the planner can use an index for what is. */
struct built {
	struct yg_buf sql;
	struct {
		enum { IS_I64, IS_TEXT, IS_SET } kind;
		int64_t number;
		struct yg_sv text;
		const struct yg_sv *set;
		size_t set_n;
	} value[VALUES_MAX];
	int n;
	struct yg_state *db;
	char pattern[1024], near[768];
};

static void put(struct built *b, const char *text)
{
	yg_buf_put(&b->sql, yg_sv_of(text));
}

/* Appends `before`, the parameter, `behind`. */
static void put_value(struct built *b, const char *before, const char *behind)
{
	put(b, before);
	yg_buf_printf(&b->sql, "$%d", ++b->n);
	put(b, behind);
}

static void with_number(struct built *b, const char *before, int64_t v)
{
	b->value[b->n].kind = IS_I64;
	b->value[b->n].number = v;
	put_value(b, before, "");
}

static void with_text(struct built *b, const char *before, struct yg_sv v, const char *behind)
{
	b->value[b->n].kind = IS_TEXT;
	b->value[b->n].text = v;
	put_value(b, before, behind);
}

static void with_set(struct built *b, const char *before, const struct yg_sv *set, size_t n,
		     const char *behind)
{
	b->value[b->n].kind = IS_SET;
	b->value[b->n].set = set;
	b->value[b->n].set_n = n;
	put_value(b, before, behind);
}

/* Of a period, made within it.  Newest first it goes by the number, from the last one of the
 * period on: by the index of times all of the period would be sorted. */
static void with_period(struct built *b, const struct yg_reach *r, bool newest)
{
	const char *by = newest ? " AND a.created + 0" : " AND a.created";
	if (newest && r->to.us != 0) {
		with_number(b, " AND a.seq <= (SELECT max(m.seq) FROM alert m WHERE m.created < ",
			    r->to.us);
		if (r->from.us != 0)
			with_number(b, " AND m.created >= ", r->from.us);
		put(b, ")");
	}
	if (r->from.us != 0) {
		put(b, by);
		with_number(b, " >= ", r->from.us);
	}
	if (r->to.us != 0) {
		put(b, by);
		with_number(b, " < ", r->to.us);
	}
}

/* One organisation or system by its index.  Of several, rows are looked at in the
 * order asked for and left out by the organisation in the same index: joined by
 * the organisation they would have to be sorted, all of them. */
static void with_reach(struct built *b, const struct yg_reach *r, bool sorted)
{
	if (r->all)
		return;
	if (r->org_count == 1 && r->system_count == 0) {
		with_text(b, " AND a.org = ", r->orgs[0], "");
	} else if (r->org_count == 0 && r->system_count == 1) {
		with_text(b, " AND a.system = ", r->systems[0], "");
	} else if (r->system_count == 0) {
		with_set(b, sorted ? " AND (a.org || '') IN yg_set(" : " AND a.org IN yg_set(",
			 r->orgs, r->org_count, ")");
	} else {
		with_set(b, " AND (a.org IN yg_set(", r->orgs, r->org_count, ")");
		with_set(b, " OR a.system IN yg_set(", r->systems, r->system_count, "))");
	}
}

/* As the index of what is put off has it. */
static void with_snooze(struct built *b, const struct yg_alert_filter *f)
{
	if ((f->states & YG_ALERT_ACTIVE) != 0)
		with_number(b, " AND a.state <> 'closed' AND a.snoozed_until <= ", f->now.us);
	else
		with_number(b,
			    " AND a.state <> 'closed' AND a.snoozed_until > 0"
			    " AND a.snoozed_until > ",
			    f->now.us);
}

static void with_states(struct built *b, unsigned states)
{
	bool first = true;
	states &= EVERY_STATE;
	if (states == 0 || states == EVERY_STATE)
		return;
	if ((states & ~OPEN_STATES) == 0)
		put(b, " AND a.state <> 'closed'"); /* as the partial indexes have it */
	if (states == OPEN_STATES)
		return;
	for (unsigned i = YG_ALERT_NEW; i <= YG_ALERT_CLOSED; i++) {
		if ((states & 1u << i) == 0)
			continue;
		put(b, first ? " AND a.state IN ('" : ", '");
		put(b, yg_alert_state_name((enum yg_alert_state)i));
		put(b, "'");
		first = false;
	}
	put(b, ")");
}

/* A part of the text: by an index which alerts may hold it, then by their texts. */
static void with_words(struct built *b, struct yg_sv q, struct yg_sb *pattern)
{
	struct yg_sb key = yg_sb_init(b->near, sizeof b->near);
	enum yg_near near = yg_state_near(b->db, yg_sv_trim(q), &key);
	if (near != YG_NEAR_NOT)
		with_text(b,
			  near == YG_NEAR_FEW ? " AND a.seq IN yg_near("
					      : " AND a.seq + 0 IN yg_near(",
			  yg_sb_sv(&key), ")");
	with_text(b,
		  " AND lower(a.title || ' ' || a.indicator || ' ' || a.asset || ' ' || a.list"
		  " || ' ' || a.category || ' ' || a.family || ' ' || a.id) LIKE ",
		  yg_alert_pattern(q, pattern), " ESCAPE '!'");
}

static yg_status with_filter(struct built *b, const struct yg_alert_filter *f, struct yg_err *err)
{
	struct yg_sb pattern = yg_sb_init(b->pattern, sizeof b->pattern);
	if ((f->states & BY_TIME) != 0)
		with_snooze(b, f);
	else
		with_states(b, f->states);
	if (f->overdue)
		with_number(b, " AND a.state <> 'closed' AND a.due <= ", f->now.us);
	if (f->severity_min > 0)
		with_number(b, " AND a.severity_id >= ", f->severity_min);
	if (f->severity_max > 0)
		with_number(b, " AND a.severity_id <= ", f->severity_max);
	if (YG_SV_IS(f->assignee, "-"))
		put(b, " AND a.assignee = ''");
	else if (f->assignee.n > 0)
		with_text(b, " AND a.assignee <> '' AND a.assignee = ", f->assignee, "");
	if (f->watcher.n > 0)
		with_text(b, " AND a.seq IN (SELECT w.alert FROM alert_watch w WHERE w.owner = ",
			  f->watcher, ")");
	if (f->indicator.n > 0)
		with_text(b, " AND a.indicator = ", f->indicator, "");
	if (f->asset.n > 0)
		with_text(b, " AND a.asset = ", f->asset, "");
	if (f->list.n > 0)
		with_text(b, " AND a.list = ", f->list, "");
	if (f->category.n > 0)
		with_text(b, " AND a.category = ", f->category, "");
	if (yg_sv_trim(f->q).n > 0)
		with_words(b, f->q, &pattern);
	if (f->from_us != 0)
		with_number(b, " AND a.last_seen >= ", f->from_us);
	if (f->to_us != 0)
		with_number(b, " AND a.last_seen < ", f->to_us);
	return pattern.cut ? YG_FAIL(err, YG_INVAL, "the words to look for are too long") : YG_OK;
}

static yg_status begin(struct built *b, const char *select, const struct yg_alert_query *q,
		       bool sorted, struct yg_err *err)
{
	/* all that is asked of a period is asked of what was there at its end */
	const char *table = q->f.reach.to.us != 0 ? strstr(select, TABLE) : NULL;
	b->n = 0;
	yg_buf_init(&b->sql, 16384);
	if (table != NULL) {
		b->value[b->n].kind = IS_I64;
		b->value[b->n++].number = q->f.reach.to.us;
		yg_buf_put(&b->sql, (struct yg_sv){select, (size_t)(table - select)});
		put(b, " FROM " YG_ALERT_AS_OF("$1"));
		put(b, table + sizeof TABLE - 1);
	} else {
		put(b, select);
	}
	put(b, " WHERE 1 = 1");
	with_period(b, &q->f.reach, sorted && q->sort == YG_SORT_NEWEST);
	with_reach(b, &q->f.reach, sorted);
	return with_filter(b, &q->f, err);
}

static yg_status prepare(struct built *b, struct yg_state *db, struct yg_stmt **out,
			 struct yg_err *err)
{
	yg_buf_putc(&b->sql, '\0');
	if (b->sql.bad)
		return YG_FAIL(err, YG_NOMEM, "alerts");
	yg_status st = yg_state_prepare(db, b->sql.p, out, err);
	for (int i = 0; st == YG_OK && i < b->n; i++) {
		if (b->value[i].kind == IS_I64)
			yg_stmt_i64(*out, i + 1, b->value[i].number);
		else if (b->value[i].kind == IS_TEXT)
			yg_stmt_text(*out, i + 1, b->value[i].text);
		else
			yg_stmt_set(*out, i + 1, b->value[i].set, b->value[i].set_n);
	}
	return st;
}

static const char *const sort_names[] = {
#define X(id, name) name,
	YG_ALERT_SORTS(X)
#undef X
};
static const char *const group_names[] = {
#define X(id, name) name,
	YG_ALERT_GROUPS(X)
#undef X
};

yg_status yg_alert_sort_parse(struct yg_sv s, enum yg_alert_sort *out)
{
	for (unsigned i = 0; i < YG_LEN(sort_names); i++) {
		if (yg_sv_eq(s, yg_sv_of(sort_names[i]))) {
			*out = (enum yg_alert_sort)i;
			return YG_OK;
		}
	}
	return YG_PARSE;
}

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

int64_t yg_alert_sort_key(enum yg_alert_sort sort, const struct yg_alert *a)
{
	switch (sort) {
	case YG_SORT_SEVERITY: return a->severity_id;
	case YG_SORT_LAST_SEEN: return a->last_seen.us;
	case YG_SORT_DUE: return a->due.us;
	case YG_SORT_NEWEST: break;
	}
	return a->seq;
}

static void put_order(struct built *b, const struct yg_alert_query *q)
{
	const char *column = q->sort == YG_SORT_SEVERITY    ? "a.severity_id"
			     : q->sort == YG_SORT_LAST_SEEN ? "a.last_seen"
			     : q->sort == YG_SORT_DUE       ? "a.due"
							    : NULL;
	bool rises = q->sort == YG_SORT_DUE;
	if (q->has_after && column == NULL) {
		with_number(b, " AND a.seq < ", q->after_seq);
	} else if (q->has_after) {
		yg_buf_printf(&b->sql, " AND (%s, a.seq) %s", column, rises ? ">" : "<");
		with_number(b, " (", q->after);
		with_number(b, ", ", q->after_seq);
		put(b, ")");
	}
	if (rises)
		put(b, " ORDER BY a.due, a.seq");
	else if (column != NULL)
		yg_buf_printf(&b->sql, " ORDER BY %s DESC, a.seq DESC", column);
	else
		put(b, " ORDER BY a.seq DESC");
	with_number(b, " LIMIT ", q->limit);
}

yg_status yg_alert_find(struct yg_state *db, const struct yg_alert_query *q, struct yg_arena *arena,
			struct yg_alert **out, size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct built b = {.db = db};
	struct yg_alert *list = YG_NEW_N(arena, struct yg_alert, q->limit + 1);
	size_t n = 0;
	bool row = true;
	if (list == NULL)
		return YG_FAIL(err, YG_NOMEM, "alerts");
	yg_status st = begin(&b, yg_alert_select, q, true, err);
	put_order(&b, q);
	if (st == YG_OK)
		st = prepare(&b, db, &s, err);
	yg_buf_free(&b.sql);
	while (st == YG_OK && n < q->limit && (st = yg_stmt_step(s, &row, err)) == YG_OK && row)
		st = yg_alert_take(s, arena, &list[n++], err);
	*out = list;
	*out_n = n;
	return st;
}

/* Organisation, state and severity alone: the counters know. */
static bool counted(const struct yg_alert_filter *f)
{
	const struct yg_reach *r = &f->reach;
	if (r->system_count > 0 || r->from.us != 0 || r->to.us != 0 || f->overdue)
		return false;
	return f->assignee.n == 0 && f->watcher.n == 0 && f->indicator.n == 0 && f->asset.n == 0 &&
	       f->list.n == 0 && f->category.n == 0 && f->q.n == 0 && f->from_us == 0 &&
	       f->to_us == 0;
}

static yg_status total_of(struct yg_state *db, const struct yg_alert_query *q, int64_t *out,
			  bool *out_exact, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct built b = {.db = db};
	bool row = false, quick = counted(&q->f) && (q->f.states & BY_TIME) == 0;
	*out = -1;
	*out_exact = true;
	if (yg_sv_trim(q->f.q).n > 0)
		return YG_OK;
	yg_status st = begin(&b,
			     quick ? "SELECT coalesce(sum(a.n), 0) FROM alert_count a"
				   : "SELECT count(*) FROM (SELECT 1 FROM alert a",
			     q, false, err);
	if (!quick) {
		with_number(&b, " LIMIT ", YG_ALERT_TOTAL_MAX + 1);
		put(&b, ") AS some");
	}
	if (st == YG_OK)
		st = prepare(&b, db, &s, err);
	yg_buf_free(&b.sql);
	if (st == YG_OK)
		st = yg_stmt_step(s, &row, err);
	if (st != YG_OK || !row)
		return st;
	*out = yg_col_i64(s, 0);
	*out_exact = quick || *out <= YG_ALERT_TOTAL_MAX;
	if (!*out_exact)
		*out = YG_ALERT_TOTAL_MAX;
	return YG_OK;
}

/* All that are open, less the few that are put off. */
yg_status yg_alert_total(struct yg_state *db, const struct yg_alert_query *q, int64_t *out,
			 bool *out_exact, struct yg_err *err)
{
	struct yg_alert_query some = *q;
	int64_t away = 0;
	if ((q->f.states & YG_ALERT_ACTIVE) == 0 || !counted(&q->f))
		return total_of(db, q, out, out_exact, err);
	some.f.states = OPEN_STATES;
	yg_status st = total_of(db, &some, out, out_exact, err);
	some.f.states = YG_ALERT_SNOOZED;
	if (st == YG_OK)
		st = yg_alert_matching(db, &some, &away, err);
	*out -= away;
	return st;
}

yg_status yg_alert_matching(struct yg_state *db, const struct yg_alert_query *q, int64_t *out,
			    struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct built b = {.db = db};
	bool row = false;
	*out = 0;
	yg_status st = begin(&b, "SELECT count(*) FROM alert a", q, false, err);
	if (st == YG_OK)
		st = prepare(&b, db, &s, err);
	yg_buf_free(&b.sql);
	if (st == YG_OK)
		st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && row)
		*out = yg_col_i64(s, 0);
	return st;
}

yg_status yg_alert_each(struct yg_state *db, const struct yg_alert_query *q,
			yg_status (*each)(void *ctx, const struct yg_alert_mark *m,
					  struct yg_err *err),
			void *ctx, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct built b = {.db = db};
	bool row = true;
	yg_status st =
		begin(&b,
		      "SELECT a.seq, a.id, a.org, a.severity_id, CASE WHEN a.state = 'closed'"
		      " THEN 0 ELSE 1 END, a.created, a.closed FROM alert a",
		      q, false, err);
	if (st == YG_OK)
		st = prepare(&b, db, &s, err);
	yg_buf_free(&b.sql);
	while (st == YG_OK && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		struct yg_alert_mark m = {.seq = yg_col_i64(s, 0),
					  .id = yg_col_text(s, 1),
					  .org = yg_col_text(s, 2),
					  .severity_id = (int)yg_col_i64(s, 3),
					  .open = yg_col_i64(s, 4) != 0,
					  .created_us = yg_col_i64(s, 5),
					  .closed_us = yg_col_i64(s, 6)};
		st = each(ctx, &m, err);
	}
	return st;
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

/* All or all open ones of whole organisations: their counters know the largest. */
static bool grouped(const struct yg_alert_filter *f)
{
	unsigned states = f->states & EVERY_STATE;
	return counted(f) && (f->states & BY_TIME) == 0 && f->severity_min == 0 &&
	       f->severity_max == 0 &&
	       (states == 0 || states == EVERY_STATE || states == OPEN_STATES);
}

static void put_page_end(struct built *b, const struct yg_alert_query *q, uint32_t from)
{
	with_number(b, " LIMIT ", q->limit);
	with_number(b, " OFFSET ", from);
}

/* The page of the largest indicators from the counters, then what is to be said of
 * each from its alerts alone. */
static yg_status begin_indicators(struct built *b, const struct yg_alert_query *q, uint32_t from,
				  struct yg_err *err)
{
	static const struct yg_sv whole = YG_SV_INIT("");
	const struct yg_reach *r = &q->f.reach;
	const char *n = (q->f.states & EVERY_STATE) == OPEN_STATES ? "open" : "total";
	b->n = 0;
	yg_buf_init(&b->sql, 16384);
	if (r->all || r->org_count == 1) {
		struct yg_sv org = r->all ? whole : r->orgs[0];
		yg_buf_printf(&b->sql,
			      "WITH page AS (SELECT c.indicator, c.%s AS n, (SELECT count(*) FROM"
			      " alert_indicator_count t WHERE t.%s > 0",
			      n, n);
		with_text(b, " AND t.org = ", org, "");
		yg_buf_printf(&b->sql, ") AS groups FROM alert_indicator_count c WHERE c.%s > 0",
			      n);
		with_text(b, " AND c.org = ", org, "");
	} else {
		yg_buf_printf(
			&b->sql,
			"WITH page AS (SELECT c.indicator, sum(c.%s) AS n, count(*) OVER () AS"
			" groups FROM alert_indicator_count c WHERE c.%s > 0",
			n, n);
		with_set(b, " AND c.org IN yg_set(", r->orgs, r->org_count,
			 ") GROUP BY c.indicator");
	}
	put(b, " ORDER BY n DESC, c.indicator");
	put_page_end(b, q, from);
	put(b, ") SELECT p.indicator, max(a.indicator_type), '', p.n, (SELECT count(*) FROM"
	       " alert_indicator_count o WHERE o.indicator = p.indicator AND o.org <> ''");
	if (n[0] == 'o')
		put(b, " AND o.open > 0");
	if (!r->all)
		with_set(b, " AND o.org IN yg_set(", r->orgs, r->org_count, ")");
	put(b, "), sum(a.count), max(a.severity_id), min(a.first_seen), max(a.last_seen), p.groups"
	       " FROM page p CROSS JOIN alert a WHERE a.indicator = p.indicator");
	with_reach(b, r, false);
	yg_status st = with_filter(b, &q->f, err);
	put(b, " GROUP BY p.indicator, p.n, p.groups ORDER BY p.n DESC, p.indicator");
	return st;
}

/* Any filter, by whatever key: every alert of it is read. */
static yg_status begin_bundles(struct built *b, const struct yg_alert_query *q,
			       enum yg_alert_group by, uint32_t from, struct yg_err *err)
{
#define BUNDLE(key, type, title)                                                                   \
	"SELECT " key ", " type ", " title ", count(*) AS n, count(DISTINCT a.org), sum(a.count)," \
	" max(a.severity_id), min(a.first_seen), max(a.last_seen), count(*) OVER () FROM alert a"
	static const char *const selects[] = {
		[YG_GROUP_INDICATOR] = BUNDLE("a.indicator", "max(a.indicator_type)", "''"),
		[YG_GROUP_ORG] =
			BUNDLE("a.org", "''",
			       "(SELECT o.title_ja || '\t' || o.title_en FROM organisation o"
			       " WHERE o.slug = a.org)"),
		[YG_GROUP_ASSET] = BUNDLE("a.asset", "''", "''"),
		[YG_GROUP_CATEGORY] = BUNDLE("a.category", "''", "''"),
		[YG_GROUP_LIST] = BUNDLE("a.list", "''", "''"),
	};
	yg_status st = begin(b, selects[by], q, false, err);
	yg_buf_printf(&b->sql, " GROUP BY a.%s ORDER BY n DESC, a.%s", group_names[by],
		      group_names[by]);
	put_page_end(b, q, from);
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

yg_status yg_alert_bundle(struct yg_state *db, const struct yg_alert_query *ask,
			  enum yg_alert_group by, uint32_t from, struct yg_arena *arena,
			  struct yg_alert_bundles *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct built b = {.db = db};
	struct yg_alert_query plainly = *ask;
	const struct yg_alert_query *q = &plainly;
	bool row = true;
	*out = (struct yg_alert_bundles){
		.list = YG_NEW_N(arena, struct yg_alert_bundle, q->limit + 1)};
	if (out->list == NULL)
		return YG_FAIL(err, YG_NOMEM, "groups of alerts");
	yg_status st = plain(db, &plainly, err);
	if (st == YG_OK)
		st = by == YG_GROUP_INDICATOR && grouped(&q->f)
			     ? begin_indicators(&b, q, from, err)
			     : begin_bundles(&b, q, by, from, err);
	if (st == YG_OK)
		st = prepare(&b, db, &s, err);
	yg_buf_free(&b.sql);
	while (st == YG_OK && out->n < q->limit && (st = yg_stmt_step(s, &row, err)) == YG_OK &&
	       row) {
		out->groups = yg_col_i64(s, 9);
		st = take_bundle(s, arena, &out->list[out->n++], err);
	}
	return st;
}
