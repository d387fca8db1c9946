/* registry_refs.c - rules for those who compile: what correlations refer to, and all of
 * them in order. */
#include "detect/correlate.h"
#include "detect/read.h"
#include "detect/registry_internal.h"
#include "store/compiled.h"

#define ARENA ((size_t)512 << 20)

yg_status yg_drule_refuse(struct yg_state *db, struct yg_sv uid, struct yg_sv reason,
			  struct yg_err *err)
{
	const struct yg_sv texts[] = {uid, reason};
	return yg_drule_run(db, YG_SQL("UPDATE detect_rule SET refused = $2 WHERE uid = $1"), texts,
			    2, err);
}

yg_status yg_detect_dirty(struct yg_state *db, bool *out, struct yg_err *err)
{
	return yg_compiled_dirty(YG_COMPILED_RULES, db, out, err);
}

yg_status yg_detect_rules_each(struct yg_state *db, yg_drule_fn *fn, void *ctx, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	bool row = true;
	yg_arena_init(&arena, 64 << 20);
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT " YG_DRULE_COLUMNS
		       ", t.text FROM detect_rule r JOIN detect_rule_text t ON t.rule = r.uid"
		       " AND t.version = r.text_version WHERE r.stage <> 'off' OR EXISTS"
		       " (SELECT 1 FROM detect_override o WHERE o.rule = r.uid AND o.stage <> 'off')"
		       " ORDER BY CASE r.kind WHEN 'filter' THEN 0 WHEN 'correlation' THEN 1 ELSE 2 END, r.uid"),
		&s, err);
	while (st == YG_OK && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		struct yg_drule r = {.version = 0};
		yg_arena_reset(&arena);
		st = yg_drule_take(s, &arena, &r, err);
		r.text = yg_col_text(s, 22);
		if (st == YG_OK)
			st = fn(ctx, &r, err);
	}
	return st;
}

/* ---- references ---- */

struct references {
	struct yg_act *act;
	struct yg_arena arena;
	const struct yg_sigma_rule **rules; /* of all kinds; correlations alone are whole */
	struct yg_sv *uids, *was;           /* of each; was: why it was refused */
	const char **now;                   /* NULL: it stands */
	size_t count;
};

static void on_refused(void *ctx, uint32_t rule, const char *reason)
{
	struct references *f = ctx;
	struct yg_sv kept = yg_arena_dup(&f->arena, yg_sv_of(reason));
	if (rule < f->count && kept.p != NULL)
		f->now[rule] = kept.p;
}

static yg_status count_rules(struct yg_state *db, int64_t *out, int64_t *correlations,
			     struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT count(*), coalesce(sum(CASE WHEN kind = 'correlation' THEN 1 ELSE 0 END), 0)"
		       " FROM detect_rule"),
		&s, err);
	if (st == YG_OK)
		st = yg_stmt_step(s, &row, err);
	*out = st == YG_OK && row ? yg_col_i64(s, 0) : 0;
	*correlations = st == YG_OK && row ? yg_col_i64(s, 1) : 0;
	return st;
}

/* A correlation from its text; of the others id, name and kind are enough. */
static yg_status take(struct references *f, struct yg_stmt *s, struct yg_err *err)
{
	struct yg_sigma_rule *r = YG_NEW(&f->arena, struct yg_sigma_rule);
	struct yg_sigma_file file = {.count = 0};
	size_t at = f->count;
	if (r == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the rules");
	const struct yg_row_text texts[] = {
		{&f->uids[at], 0}, {&r->id, 2}, {&r->name, 3}, {&f->was[at], 4}};
	yg_status st = yg_row_texts(s, &f->arena, texts, YG_LEN(texts), err);
	if (st != YG_OK)
		return st;
	r->kind = YG_SIGMA_RULE;
	(void)yg_sigma_kind_parse(yg_col_text(s, 1), &r->kind);
	f->rules[at] = r;
	if (r->kind == YG_SIGMA_CORRELATION) {
		struct yg_sv text = yg_arena_dup(&f->arena, yg_col_text(s, 5));
		st = text.p != NULL ? yg_sigma_read(text, "x", NULL, NULL, &f->arena, &file, err)
				    : YG_NOMEM;
		if (st == YG_NOMEM)
			return YG_FAIL(err, YG_NOMEM, "no memory for the rules");
		/* of a newer program's making: nothing that refers to it can be */
		if (st == YG_OK && file.count == 1)
			f->rules[at] = &file.rules[0];
		else
			r->kind = YG_SIGMA_FILTER;
	}
	f->count++;
	return YG_OK;
}

static yg_status read_rules(struct references *f, size_t most, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	f->rules = YG_NEW_N(&f->arena, const struct yg_sigma_rule *, most + 1);
	f->uids = YG_NEW_N(&f->arena, struct yg_sv, most + 1);
	f->was = YG_NEW_N(&f->arena, struct yg_sv, most + 1);
	f->now = YG_NEW_N(&f->arena, const char *, most + 1);
	if (f->rules == NULL || f->uids == NULL || f->was == NULL || f->now == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the rules");
	yg_status st = yg_state_prepare(
		f->act->db,
		YG_SQL("SELECT r.uid, r.kind, r.sigma_id, r.name, r.refused, t.text FROM detect_rule r"
		       " LEFT JOIN detect_rule_text t ON r.kind = 'correlation' AND t.rule = r.uid"
		       " AND t.version = r.text_version ORDER BY r.uid"),
		&s, err);
	while (st == YG_OK && f->count < most && (st = yg_stmt_step(s, &row, err)) == YG_OK && row)
		st = take(f, s, err);
	return st;
}

static yg_status judge(struct references *f, struct yg_err *err)
{
	const struct yg_correlate_opts opts = yg_correlate_defaults();
	struct yg_correlate *c = NULL;
	yg_status st =
		yg_correlate_new(f->rules, f->count, &opts, f->act->env, on_refused, f, &c, err);
	yg_correlate_free(c);
	for (size_t i = 0; st == YG_OK && i < f->count; i++) {
		struct yg_sv now = yg_sv_of(f->now[i]);
		if (f->rules[i]->kind == YG_SIGMA_CORRELATION && !yg_sv_eq(now, f->was[i]))
			st = yg_drule_refuse(f->act->db, f->uids[i], now, err);
	}
	return st;
}

yg_status yg_drule_check_references(struct yg_act *act, struct yg_err *err)
{
	struct references f = {.act = act};
	int64_t all = 0, correlations = 0;
	yg_status st = count_rules(act->db, &all, &correlations, err);
	if (st != YG_OK || correlations == 0)
		return st;
	yg_arena_init(&f.arena, ARENA);
	st = read_rules(&f, (size_t)all, err);
	if (st == YG_OK)
		st = judge(&f, err);
	yg_arena_free(&f.arena);
	return st;
}
