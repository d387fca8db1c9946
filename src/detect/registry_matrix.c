/* registry_matrix.c - every rule with what the matrix of techniques asks of it.  The sign before
 * `created` keeps SQLite from reading every alert of the month: the index alert_rule has those of
 * rules. */
#include "base/limits.h"
#include "detect/registry_internal.h"

struct sources {                          /* that there are events of */
	struct yg_detect_logsource *list; /* arena */
	size_t n, cap;
};

/* An array of the arena with room for one more; NULL: there is no memory. */
static void *room(struct yg_arena *arena, void *old, size_t size, size_t n, size_t *cap)
{
	if (n < *cap)
		return old;
	size_t more = *cap > 0 ? *cap * 2 : 256;
	void *to = yg_arena_alloc(arena, more * size, 8);
	if (to != NULL && n > 0)
		memcpy(to, old, n * size);
	*cap = to != NULL ? more : *cap;
	return to;
}

static yg_status nomem(struct yg_err *err)
{
	return YG_FAIL(err, YG_NOMEM, "no memory for the rules");
}

static yg_status read_sources(struct yg_state *db, const struct yg_reach *reach, yg_wall now,
			      struct yg_arena *arena, struct sources *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT DISTINCT category, product, service FROM detect_source WHERE last >= $1"
		       " AND last < $4 AND ($2 = 1 OR org IN yg_set($3))"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, yg_stat_window(reach, now, YG_STAT_MONTH).from_us);
	yg_stmt_i64(s, 2, yg_reach_all_flag(reach));
	yg_stmt_set(s, 3, reach->orgs, reach->org_count);
	yg_stmt_i64(s, 4, yg_reach_until(reach));
	while (st == YG_OK && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		out->list = room(arena, out->list, sizeof *out->list, out->n, &out->cap);
		if (out->list == NULL)
			return nomem(err);
		struct yg_detect_logsource *to = &out->list[out->n++];
		const struct yg_row_text texts[] = {
			{&to->category, 0}, {&to->product, 1}, {&to->service, 2}};
		st = yg_row_texts(s, arena, texts, YG_LEN(texts), err);
	}
	return st;
}

/* As the engine asks it: a word that a rule does not name may be any. */
static bool has_data(const struct sources *have, const struct yg_detect_cover *c)
{
	for (size_t i = 0; i < have->n; i++) {
		const struct yg_detect_logsource *s = &have->list[i];
		if ((c->category.n == 0 || yg_sv_eq(c->category, s->category)) &&
		    (c->product.n == 0 || yg_sv_eq(c->product, s->product)) &&
		    (c->service.n == 0 || yg_sv_eq(c->service, s->service)))
			return true;
	}
	return false;
}

static yg_status take(struct yg_stmt *s, const struct sources *have, struct yg_arena *arena,
		      struct yg_detect_cover *to, struct yg_err *err)
{
	const struct yg_row_text texts[] = {
		{&to->tags, 0}, {&to->category, 1}, {&to->product, 2}, {&to->service, 3}};
	to->stage = YG_STAGE_OFF;
	(void)yg_detect_stage_parse(yg_col_text(s, 4), &to->stage);
	to->hits_30d = yg_col_i64(s, 6);
	to->alerts_30d = yg_col_i64(s, 7);
	yg_status st = yg_row_texts(s, arena, texts, YG_LEN(texts), err);
	/* correlations have no log source */
	to->data = st == YG_OK && (to->hits_30d > 0 ||
				   (YG_SV_IS(yg_col_text(s, 5), "rule") && has_data(have, to)));
	return st;
}

yg_status yg_detect_covers(struct yg_state *db, const struct yg_reach *reach, struct yg_sv org,
			   yg_wall now, struct yg_arena *arena, struct yg_detect_cover **out,
			   size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_detect_cover *list = NULL;
	struct sources have = {NULL, 0, 0};
	size_t n = 0, cap = 0;
	bool row = true;
	yg_status st = read_sources(db, reach, now, arena, &have, err);
	if (st == YG_OK)
		st = yg_state_prepare(
			db,
			YG_SQL("SELECT r.tags, r.category, r.product, r.service, " YG_DRULE_IN_FORCE(
				"$3", "$6",
				"$7") ", r.kind, coalesce(h.n, 0), coalesce(a.n, 0)"
				      " FROM detect_rule r LEFT JOIN (SELECT rule, sum(hits) AS n FROM detect_stat WHERE rule > ''"
				      " AND hour >= $4 AND hour < $5 AND (hits > 0 OR excepted > 0) AND ($1 = 1 OR org IN yg_set($2)) GROUP BY rule) h ON h.rule = r.uid"
				      " LEFT JOIN (SELECT indicator, count(*) AS n FROM alert WHERE indicator_type = 'rule'"
				      " AND +created >= $4 AND +created < $7 AND ($1 = 1 OR org IN yg_set($2)) GROUP BY indicator) a"
				      " ON a.indicator = r.uid WHERE r.kind <> 'filter' AND (r.refused = '' OR $8 = 1)"
				      " AND r.created < $7 AND ($1 = 1 OR r.org IS NULL OR r.org IN yg_set($2)"
				      " OR r.org IN (SELECT ancestor FROM organisation_path WHERE slug = $3))"),
			&s, err);
	if (st != YG_OK)
		return st;
	struct yg_stat_window w = yg_stat_window(reach, now, YG_STAT_MONTH);
	yg_stmt_i64(s, 1, yg_reach_all_flag(reach));
	yg_stmt_set(s, 2, reach->orgs, reach->org_count);
	yg_stmt_text(s, 3, org);
	yg_stmt_i64(s, 4, w.from_us);
	yg_stmt_i64(s, 5, w.to_us);
	yg_stmt_i64(s, 6, yg_reach_now(reach, now).us);
	yg_stmt_i64(s, 7, yg_reach_until(reach));
	yg_stmt_i64(s, 8, reach->to.us != 0);
	while (st == YG_OK && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		list = room(arena, list, sizeof *list, n, &cap);
		if (list == NULL)
			return nomem(err);
		st = take(s, &have, arena, &list[n++], err);
	}
	*out = list;
	*out_n = n;
	return st;
}
