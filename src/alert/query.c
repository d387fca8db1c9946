#include "alert/query.h"

#include "alert/built.h"

static const char *const sort_names[] = {
#define X(id, name) name,
	YG_ALERT_SORTS(X)
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
		built_number(b, " AND a.seq < ", q->after_seq);
	} else if (q->has_after) {
		yg_buf_printf(&b->sql, " AND (%s, a.seq) %s", column, rises ? ">" : "<");
		built_number(b, " (", q->after);
		built_number(b, ", ", q->after_seq);
		built_put(b, ")");
	}
	if (rises)
		built_put(b, " ORDER BY a.due, a.seq");
	else if (column != NULL)
		yg_buf_printf(&b->sql, " ORDER BY %s DESC, a.seq DESC", column);
	else
		built_put(b, " ORDER BY a.seq DESC");
	built_number(b, " LIMIT ", q->limit);
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
	yg_status st = built_begin(&b, yg_alert_select, q, true, err);
	put_order(&b, q);
	if (st == YG_OK)
		st = built_prepare(&b, db, &s, err);
	yg_buf_free(&b.sql);
	while (st == YG_OK && n < q->limit && (st = yg_stmt_step(s, &row, err)) == YG_OK && row)
		st = yg_alert_take(s, arena, &list[n++], err);
	*out = list;
	*out_n = n;
	return st;
}

static yg_status total_of(struct yg_state *db, const struct yg_alert_query *q, int64_t *out,
			  bool *out_exact, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct built b = {.db = db};
	bool row = false, quick = built_counted(&q->f) && (q->f.states & BY_TIME) == 0;
	*out = -1;
	*out_exact = true;
	if (yg_sv_trim(q->f.q).n > 0)
		return YG_OK;
	yg_status st = built_begin(&b,
				   quick ? "SELECT coalesce(sum(a.n), 0) FROM alert_count a"
					 : "SELECT count(*) FROM (SELECT 1 FROM alert a",
				   q, false, err);
	if (!quick) {
		built_number(&b, " LIMIT ", YG_ALERT_TOTAL_MAX + 1);
		built_put(&b, ") AS some");
	}
	if (st == YG_OK)
		st = built_prepare(&b, db, &s, err);
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
	if ((q->f.states & YG_ALERT_ACTIVE) == 0 || !built_counted(&q->f))
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
	yg_status st = built_begin(&b, "SELECT count(*) FROM alert a", q, false, err);
	if (st == YG_OK)
		st = built_prepare(&b, db, &s, err);
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
		built_begin(&b,
			    "SELECT a.seq, a.id, a.org, a.severity_id, CASE WHEN a.state = 'closed'"
			    " THEN 0 ELSE 1 END, a.created, a.closed FROM alert a",
			    q, false, err);
	if (st == YG_OK)
		st = built_prepare(&b, db, &s, err);
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
