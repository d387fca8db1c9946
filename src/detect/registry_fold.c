/* registry_fold.c - what is kept of the past of rules: hours for a week, then days, then nothing.
 * A rule has a row for every hour and organisation whose events it looked at; by day they are a
 * twentieth of that. */
#include "detect/registry_internal.h"

#define KEEP      (92 * YG_US_PER_DAY)
#define STALE_MAX 20000 /* rows that go at once */

yg_status yg_detect_stat_stale(struct yg_state *db, yg_wall now, struct yg_err *err)
{
	const struct {
		const char *text;
		int64_t before;
	} of[] = {
		{YG_SQL("DELETE FROM detect_stat WHERE (rule, hour, org) IN"
			" (SELECT rule, hour, org FROM detect_stat WHERE hour < $1 LIMIT $2)"),
		 yg_stat_day(now.us - KEEP)},
		{YG_SQL("DELETE FROM detect_source WHERE (org, category, product, service) IN"
			" (SELECT org, category, product, service FROM detect_source WHERE last < $1 LIMIT $2)"),
		 now.us - KEEP}};
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < YG_LEN(of); i++) {
		struct yg_stmt *s = NULL;
		st = yg_state_prepare(db, of[i].text, &s, err);
		if (st != YG_OK)
			return st;
		yg_stmt_i64(s, 1, of[i].before);
		yg_stmt_i64(s, 2, STALE_MAX);
		st = yg_stmt_run(s, err);
	}
	return st;
}

/* A rule with hours within the day but its first, where the day's own row stands. */
static yg_status find_hours(struct yg_state *db, int64_t day, char out[static 64], bool *found,
			    struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_sb b = yg_sb_init(out, 64);
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT rule FROM detect_stat WHERE hour > $1 AND hour < $2 ORDER BY hour LIMIT 1"),
		&s, err);
	*found = false;
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, day);
	yg_stmt_i64(s, 2, day + YG_US_PER_DAY);
	st = yg_stmt_step(s, found, err);
	if (st == YG_OK && *found)
		yg_sb_put(&b, yg_col_text(s, 0));
	(void)yg_sb_cstr(&b);
	return st == YG_OK && b.cut ? YG_FAIL(err, YG_CORRUPT, "the id of a rule") : st;
}

static yg_status fold_rule(struct yg_state *db, struct yg_sv rule, int64_t day, uint64_t *rows,
			   struct yg_err *err)
{
	const char *const texts[] = {
		YG_SQL("INSERT INTO detect_stat (rule, hour, org, looked_at, hits, excepted, cost_ns, last)"
		       " SELECT rule, $2, org, sum(looked_at), sum(hits), sum(excepted), sum(cost_ns), max(last)"
		       " FROM detect_stat WHERE rule = $1 AND hour > $2 AND hour < $3 GROUP BY rule, org"
		       " ON CONFLICT (rule, hour, org) DO UPDATE SET"
		       " looked_at = detect_stat.looked_at + excluded.looked_at,"
		       " hits = detect_stat.hits + excluded.hits,"
		       " excepted = detect_stat.excepted + excluded.excepted,"
		       " cost_ns = detect_stat.cost_ns + excluded.cost_ns,"
		       " last = CASE WHEN excluded.last > detect_stat.last THEN excluded.last ELSE detect_stat.last END"),
		YG_SQL("DELETE FROM detect_stat WHERE rule = $1 AND hour > $2 AND hour < $3")};
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < YG_LEN(texts); i++) {
		struct yg_stmt *s = NULL;
		st = yg_state_prepare(db, texts[i], &s, err);
		if (st != YG_OK)
			return st;
		yg_stmt_text(s, 1, rule);
		yg_stmt_i64(s, 2, day);
		yg_stmt_i64(s, 3, day + YG_US_PER_DAY);
		st = yg_stmt_run(s, err);
	}
	*rows += st == YG_OK ? yg_state_changes(db) : 0;
	return st;
}

yg_status yg_detect_stat_fold(struct yg_state *db, yg_wall now, uint64_t rows, uint64_t *out_rows,
			      struct yg_err *err)
{
	yg_status st = YG_OK;
	int64_t edge = yg_stat_edge(now), day = yg_stat_day(now.us - KEEP);
	*out_rows = 0;
	while (st == YG_OK && day < edge && *out_rows < rows) {
		char rule[64];
		bool found = false;
		struct yg_tx tx;
		st = find_hours(db, day, rule, &found, err);
		if (st == YG_OK && !found) {
			day += YG_US_PER_DAY;
			continue;
		}
		if (st == YG_OK)
			st = yg_tx_begin(&tx, db, err);
		if (st == YG_OK)
			st = yg_tx_end(&tx, fold_rule(db, yg_sv_of(rule), day, out_rows, err), err);
	}
	return st;
}
