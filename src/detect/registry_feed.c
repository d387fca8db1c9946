/* registry_feed.c - what the registry has, into the builder of a set: all of it, or some rules
 * with everything that bears on them. */
#include <stdlib.h>

#include "detect/registry_internal.h"

#define ONE_RULE ((size_t)64 << 20)

struct feeding {
	struct yg_state *db;
	const struct yg_detect_feed *of;
	yg_wall now;
	struct yg_ruleset_builder *b;
};

static yg_status feed_orgs(struct feeding *f, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	yg_status st = yg_state_prepare(
		f->db, YG_SQL("SELECT slug, parent FROM organisation ORDER BY slug"), &s, err);
	while (st == YG_OK && (st = yg_stmt_step(s, &row, err)) == YG_OK && row)
		st = yg_ruleset_builder_org(f->b, yg_col_text(s, 0), yg_col_text(s, 1), err);
	return st;
}

/* ---- documents ---- */

static yg_status give(const struct feeding *f, const struct yg_drule *r, enum yg_detect_stage stage,
		      struct yg_err *err)
{
	const struct yg_ruleset_doc doc = {.uid = r->uid,
					   .org = r->org,
					   .collection = r->collection,
					   .text = r->text,
					   .stage = stage};
	yg_status st = f->of->each != NULL ? f->of->each(f->of->ctx, r, err) : YG_OK;
	return st == YG_OK ? yg_ruleset_builder_rule(f->b, &doc, err) : st;
}

static int by_text(const void *a, const void *b)
{
	return yg_sv_cmp(*(const struct yg_sv *)a, *(const struct yg_sv *)b);
}

static bool wanted(const struct yg_detect_feed *of, struct yg_sv uid)
{
	return of->only_count > 0 &&
	       bsearch(&uid, of->only, of->only_count, sizeof uid, by_text) != NULL;
}

/* Of some rules the others are told, but not compiled: what a correlation refers to is there. */
static yg_status feed_document(void *ctx, const struct yg_drule *r, struct yg_err *err)
{
	const struct feeding *f = ctx;
	if (f->of->only == NULL || r->kind == YG_SIGMA_FILTER)
		return give(f, r, r->stage, err);
	if (wanted(f->of, r->uid) || (f->of->tried != NULL && yg_sv_eq(f->of->tried->uid, r->uid)))
		return YG_OK;
	if (r->kind == YG_SIGMA_CORRELATION)
		return give(f, r, r->stage, err);
	if (r->refused.n > 0)
		return YG_OK;
	return yg_ruleset_builder_other(f->b, r->org, r->sigma_id, r->name, err);
}

static yg_status feed_only(const struct feeding *f, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	yg_status st = YG_OK;
	yg_arena_init(&arena, ONE_RULE);
	for (size_t i = 0; st == YG_OK && i < f->of->only_count; i++) {
		struct yg_drule r = {.version = 0};
		yg_arena_reset(&arena);
		st = yg_drule_get(f->db, f->of->only[i], &arena, &r, err);
		if (st == YG_NOTFOUND) /* gone meanwhile */
			st = YG_OK;
		else if (st == YG_OK && r.kind != YG_SIGMA_FILTER)
			st = give(f, &r,
				  f->of->own_stage && r.kind == YG_SIGMA_RULE ? r.stage
									      : YG_STAGE_LIVE,
				  err);
	}
	return st;
}

yg_status yg_drule_of_id(struct yg_state *db, struct yg_sv sigma_id, const struct yg_reach *reach,
			 struct yg_arena *arena, struct yg_sv *out_uid, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	size_t n = 0;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT uid, org FROM detect_rule WHERE sigma_id = $1 AND $1 <> '' ORDER BY uid"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, sigma_id);
	while (n < 2 && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		struct yg_sv org = yg_col_text(s, 1);
		bool holds = org.n == 0;
		st = holds ? YG_OK : yg_reach_below(db, reach, org, &holds, err);
		if (st != YG_OK)
			return st;
		if (!holds)
			continue;
		*out_uid = yg_arena_dup(arena, yg_col_text(s, 0));
		if (out_uid->p == NULL)
			return YG_FAIL(err, YG_NOMEM, "no memory for the rules");
		n++;
	}
	if (st != YG_OK)
		return st;
	return n == 1 ? YG_OK : YG_FAIL(err, YG_NOTFOUND, "no such rule");
}

/* ---- what organisations say ---- */

static yg_status feed_overrides(struct feeding *f, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	yg_status st =
		yg_state_prepare(f->db,
				 YG_SQL("SELECT rule, org, stage, expires FROM detect_override"
					" WHERE expires = 0 OR expires > $1 ORDER BY rule, org"),
				 &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, f->now.us);
	while (st == YG_OK && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		enum yg_detect_stage stage = YG_STAGE_OFF;
		if (yg_detect_stage_parse(yg_col_text(s, 2), &stage) == YG_OK)
			st = yg_ruleset_builder_override(f->b, yg_col_text(s, 0), yg_col_text(s, 1),
							 stage, (yg_wall){yg_col_i64(s, 3)}, err);
	}
	return st;
}

static yg_status feed_exceptions(struct feeding *f, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	yg_status st =
		yg_state_prepare(f->db,
				 YG_SQL("SELECT id, rule, org, text, expires FROM detect_exception"
					" WHERE expires = 0 OR expires > $1 ORDER BY id"),
				 &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, f->now.us);
	while (st == YG_OK && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		const struct yg_ruleset_exception x = {.uid = yg_col_text(s, 0),
						       .rule = yg_col_text(s, 1),
						       .org = yg_col_text(s, 2),
						       .text = yg_col_text(s, 3),
						       .expires = {yg_col_i64(s, 4)}};
		st = yg_ruleset_builder_exception(f->b, &x, err);
	}
	return st;
}

yg_status yg_detect_feed(struct yg_state *db, const struct yg_detect_feed *of, yg_wall now,
			 struct yg_ruleset_builder *b, struct yg_err *err)
{
	struct feeding f = {db, of, now, b};
	yg_status st = feed_orgs(&f, err);
	if (st == YG_OK)
		st = yg_detect_rules_each(db, feed_document, &f, err);
	if (st == YG_OK)
		st = feed_only(&f, err);
	if (st == YG_OK && of->tried != NULL)
		st = yg_ruleset_builder_rule(b, of->tried, err);
	if (st == YG_OK)
		st = feed_overrides(&f, err);
	return st == YG_OK ? feed_exceptions(&f, err) : st;
}
