#include "detect/notice_found.h"

#include "detect/notice_setting.h"
#include "store/rows.h"

static yg_status put(struct yg_state *db, const struct yg_notice_found *f, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("INSERT INTO notice_finding (org, kind, who, place, stage, asset, score, severity_id,"
		       " count, first_seen, last_seen, event, fields)"
		       " SELECT $1, $2, $3, (SELECT coalesce(max(place), 0) + 1 FROM notice_finding), $4, $5,"
		       " $6, $7, 1, $8, $8, $9, $10 FROM organisation WHERE slug = $1"
		       " ON CONFLICT (org, kind, who) DO UPDATE SET place = excluded.place,"
		       " stage = excluded.stage, asset = excluded.asset, score = excluded.score,"
		       " severity_id = excluded.severity_id, count = notice_finding.count + 1,"
		       " first_seen = CASE WHEN excluded.first_seen < notice_finding.first_seen"
		       " THEN excluded.first_seen ELSE notice_finding.first_seen END,"
		       " last_seen = CASE WHEN excluded.last_seen > notice_finding.last_seen"
		       " THEN excluded.last_seen ELSE notice_finding.last_seen END,"
		       " event = excluded.event, fields = excluded.fields"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, f->org);
	yg_stmt_text(s, 2, yg_sv_of(yg_notice_name(f->kind)));
	yg_stmt_text(s, 3, f->who);
	yg_stmt_text(s, 4, yg_sv_of(yg_detect_stage_name(f->stage)));
	yg_stmt_text(s, 5, f->asset);
	yg_stmt_i64(s, 6, f->score);
	yg_stmt_i64(s, 7, f->severity_id);
	yg_stmt_i64(s, 8, f->last.us);
	yg_stmt_text(s, 9, f->event);
	yg_stmt_text(s, 10, f->fields);
	return yg_stmt_run(s, err);
}

/* What is beyond the bound goes. */
static yg_status cut(struct yg_state *db, const struct yg_notice_found *f, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("DELETE FROM notice_finding WHERE org = $1 AND kind = $2 AND place <= (SELECT place"
		       " FROM notice_finding WHERE org = $1 AND kind = $2 ORDER BY place DESC"
		       " LIMIT 1 OFFSET $3)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, f->org);
	yg_stmt_text(s, 2, yg_sv_of(yg_notice_name(f->kind)));
	yg_stmt_i64(s, 3, YG_NOTICE_FOUND_MAX);
	return yg_stmt_run(s, err);
}

yg_status yg_notice_found_add(struct yg_state *db, const struct yg_notice_found *f,
			      struct yg_err *err)
{
	yg_status st = put(db, f, err);
	return st == YG_OK ? cut(db, f, err) : st;
}

static yg_status take(struct yg_stmt *s, struct yg_arena *arena, void *to, struct yg_err *err)
{
	struct yg_notice_found *f = to;
	struct yg_sv kind, stage;
	const struct yg_row_text texts[] = {{&f->org, 0},    {&kind, 1},     {&f->who, 2},
					    {&stage, 4},     {&f->asset, 5}, {&f->event, 11},
					    {&f->fields, 10}};
	*f = (struct yg_notice_found){.place = yg_col_i64(s, 3),
				      .score = (unsigned)yg_col_i64(s, 6),
				      .severity_id = (unsigned)yg_col_i64(s, 7),
				      .count = yg_col_i64(s, 8),
				      .first = {yg_col_i64(s, 9)},
				      .last = {yg_col_i64(s, 12)}};
	yg_status st = yg_row_texts(s, arena, texts, YG_LEN(texts), err);
	if (st == YG_OK && (yg_notice_parse(kind, &f->kind) != YG_OK ||
			    yg_detect_stage_parse(stage, &f->stage) != YG_OK))
		return YG_FAIL(err, YG_CORRUPT, "a finding of another version");
	return st;
}

yg_status yg_notice_found_list(struct yg_state *db, const struct yg_notice_found_filter *f,
			       struct yg_arena *arena, struct yg_notice_found **out, size_t *out_n,
			       struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_sv part = yg_row_part(arena, f->part);
	int64_t end = yg_reach_until(&f->reach);
	if (arena->refused)
		return YG_FAIL(err, YG_NOMEM, "findings");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT org, kind, who, place, stage, asset, score, severity_id, count, first_seen,"
		       " fields, event, last_seen FROM notice_finding"
		       " WHERE ($1 = 1 OR org IN yg_set($2)) AND ($3 = 0 OR CASE WHEN $10 = 0 OR score = $9"
		       " THEN place < $3 ELSE score < $9 END)"
		       " AND ($4 = '' OR kind = $4) AND ($5 = '' OR stage = $5)"
		       " AND first_seen >= $6 AND last_seen < $7 AND last_seen >= $11 AND severity_id >= $12"
		       " AND ($13 = '' OR lower(who || ' ' || asset) LIKE $13 ESCAPE '\\')"
		       " ORDER BY CASE WHEN $10 = 0 THEN 0 ELSE score END DESC, place DESC LIMIT $8"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, yg_reach_all_flag(&f->reach));
	yg_stmt_set(s, 2, f->reach.orgs, f->reach.org_count);
	yg_stmt_i64(s, 3, f->before);
	yg_stmt_text(s, 4, f->kind);
	yg_stmt_text(s, 5, f->stage);
	yg_stmt_i64(s, 6, f->reach.from.us);
	yg_stmt_i64(s, 7, f->to_us == 0 ? end : YG_MIN(f->to_us, end));
	yg_stmt_i64(s, 8, f->limit);
	yg_stmt_i64(s, 9, f->before_score);
	yg_stmt_i64(s, 10, f->by_score);
	yg_stmt_i64(s, 11, f->from_us);
	yg_stmt_i64(s, 12, f->severity_min);
	yg_stmt_text(s, 13, part);
	const struct yg_row_list how = {sizeof(struct yg_notice_found), f->limit, take};
	return yg_row_list(s, &how, arena, out, out_n, err);
}

yg_status yg_notice_found_stale(struct yg_state *db, yg_wall now, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db, YG_SQL("DELETE FROM notice_finding WHERE last_seen < $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, now.us - YG_NOTICE_FOUND_DAYS * 86400 * YG_US_PER_S);
	return yg_stmt_run(s, err);
}
