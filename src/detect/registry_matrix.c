/* registry_matrix.c - every rule with what the matrix of techniques asks of it. */
#include "base/limits.h"
#include "detect/registry_internal.h"

#define DAY (INT64_C(86400) * YG_US_PER_S)

static yg_status take(struct yg_stmt *s, struct yg_arena *arena, struct yg_detect_cover *to,
		      struct yg_err *err)
{
	const struct yg_row_text texts[] = {
		{&to->tags, 0}, {&to->category, 1}, {&to->product, 2}, {&to->service, 3}};
	to->stage = YG_STAGE_OFF;
	(void)yg_detect_stage_parse(yg_col_text(s, yg_col_null(s, 5) ? 4 : 5), &to->stage);
	to->looked = yg_col_i64(s, 6) != 0;
	to->hits_30d = yg_col_i64(s, 7);
	to->alerts_30d = yg_col_i64(s, 8);
	return yg_row_texts(s, arena, texts, YG_LEN(texts), err);
}

yg_status yg_detect_covers(struct yg_state *db, const struct yg_reach *reach, struct yg_sv org,
			   yg_wall now, struct yg_arena *arena, struct yg_detect_cover **out,
			   size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_detect_cover *list = NULL;
	size_t n = 0, cap = 0;
	bool row = true;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT r.tags, r.category, r.product, r.service, r.stage,"
		       " (SELECT o.stage FROM detect_override o JOIN organisation_path p ON p.ancestor = o.org"
		       " AND p.slug = $3 WHERE o.rule = r.uid AND (o.expires = 0 OR o.expires > $5)"
		       " ORDER BY p.depth LIMIT 1),"
		       " EXISTS (SELECT 1 FROM detect_stat s WHERE s.rule = r.uid AND s.hour >= $4 AND s.looked_at > 0"
		       " AND ($1 = 1 OR s.org IN yg_set($2))), coalesce(h.n, 0), coalesce(a.n, 0)"
		       " FROM detect_rule r LEFT JOIN (SELECT rule, sum(hits) AS n FROM detect_stat WHERE hour >= $4"
		       " AND hits > 0 AND ($1 = 1 OR org IN yg_set($2)) GROUP BY rule) h ON h.rule = r.uid"
		       " LEFT JOIN (SELECT indicator, count(*) AS n FROM alert WHERE indicator_type = 'rule'"
		       " AND created >= $4 AND ($1 = 1 OR org IN yg_set($2)) GROUP BY indicator) a ON a.indicator = r.uid"
		       " WHERE r.kind <> 'filter' AND r.refused = '' AND ($1 = 1 OR r.org IS NULL"
		       " OR r.org IN yg_set($2) OR r.org IN (SELECT ancestor FROM organisation_path WHERE slug = $3))"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, yg_reach_all_flag(reach));
	yg_stmt_set(s, 2, reach->orgs, reach->org_count);
	yg_stmt_text(s, 3, org);
	yg_stmt_i64(s, 4, now.us - 30 * DAY);
	yg_stmt_i64(s, 5, now.us);
	while (st == YG_OK && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		if (n == cap) {
			size_t more = cap > 0 ? cap * 2 : 256;
			struct yg_detect_cover *grown =
				YG_NEW_N(arena, struct yg_detect_cover, more);
			if (grown == NULL)
				return YG_FAIL(err, YG_NOMEM, "no memory for the rules");
			if (n > 0)
				memcpy(grown, list, n * sizeof *list);
			list = grown;
			cap = more;
		}
		st = take(s, arena, &list[n++], err);
	}
	*out = list;
	*out_n = n;
	return st;
}
