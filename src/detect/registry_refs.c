/* registry_refs.c - rules for those who compile: what correlations refer to, and all of
 * them in order.
 *
 * A correlation is judged at its own node, among the rules that hold there: those of the node, of
 * those above it, and those for all.  So it is compiled, too; and what others have is neither in
 * its way nor told of. */
#include <stdlib.h>

#include "detect/correlate.h"
#include "detect/read.h"
#include "detect/registry_internal.h"
#include "detect/watch_set.h"
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
	struct yg_sv *uids, *was, *orgs; /* of each; was: why it was refused; org empty: of all */
	const char **now;                /* NULL: it stands */
	size_t count;
	struct yg_sv *names; /* that correlations refer to; ascending */
	size_t name_n;
	/* at the node at hand */
	struct yg_sv node;                 /* empty: the whole */
	const struct yg_sigma_rule **list; /* what holds there */
	uint32_t *number;                  /* of the list: its number among all */
	size_t list_n;
};

static void on_refused(void *ctx, uint32_t rule, const char *reason)
{
	struct references *f = ctx;
	uint32_t at = f->number[rule];
	if (!yg_sv_eq(f->orgs[at], f->node)) /* judged at its own */
		return;
	struct yg_sv kept = yg_arena_dup(&f->arena, yg_sv_of(reason));
	if (kept.p != NULL)
		f->now[at] = kept.p;
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
		{&f->uids[at], 0}, {&r->id, 2}, {&r->name, 3}, {&f->was[at], 4}, {&f->orgs[at], 6}};
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
	f->orgs = YG_NEW_N(&f->arena, struct yg_sv, most + 1);
	f->now = YG_NEW_N(&f->arena, const char *, most + 1);
	f->list = YG_NEW_N(&f->arena, const struct yg_sigma_rule *, most + 1);
	f->number = YG_NEW_N(&f->arena, uint32_t, most + 1);
	if (f->rules == NULL || f->uids == NULL || f->was == NULL || f->orgs == NULL ||
	    f->now == NULL || f->list == NULL || f->number == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the rules");
	yg_status st = yg_state_prepare(
		f->act->db,
		YG_SQL("SELECT r.uid, r.kind, r.sigma_id, r.name, r.refused, t.text, r.org FROM detect_rule r"
		       " LEFT JOIN detect_rule_text t ON r.kind = 'correlation' AND t.rule = r.uid"
		       " AND t.version = r.text_version ORDER BY r.uid"),
		&s, err);
	while (st == YG_OK && f->count < most && (st = yg_stmt_step(s, &row, err)) == YG_OK && row)
		st = take(f, s, err);
	return st;
}

static int by_text(const void *a, const void *b)
{
	return yg_sv_cmp(*(const struct yg_sv *)a, *(const struct yg_sv *)b);
}

static yg_status read_names(struct references *f, struct yg_err *err)
{
	size_t n = 1;
	for (size_t i = 0; i < f->count; i++)
		if (f->rules[i]->kind == YG_SIGMA_CORRELATION)
			n += f->rules[i]->correlation.rule_count;
	f->names = YG_NEW_N(&f->arena, struct yg_sv, n);
	if (f->names == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the rules");
	for (size_t i = 0; i < f->count; i++) {
		const struct yg_sigma_correlation *c = &f->rules[i]->correlation;
		for (size_t k = 0; f->rules[i]->kind == YG_SIGMA_CORRELATION && k < c->rule_count;
		     k++)
			f->names[f->name_n++] = c->rules[k];
	}
	if (f->name_n > 1)
		qsort(f->names, f->name_n, sizeof *f->names, by_text);
	return YG_OK;
}

static bool is_named(const struct references *f, struct yg_sv name)
{
	return name.n > 0 && bsearch(&name, f->names, f->name_n, sizeof name, by_text) != NULL;
}

/* Correlations, and what some correlation names: most rules are neither. */
static bool matters(const struct references *f, size_t at)
{
	const struct yg_sigma_rule *r = f->rules[at];
	return r->kind == YG_SIGMA_CORRELATION || is_named(f, r->id) || is_named(f, r->name);
}

static bool holds(const struct yg_watch_place *at, struct yg_sv org)
{
	bool here = org.n == 0;
	for (size_t i = 0; !here && i < at->n; i++)
		here = yg_sv_eq(yg_sv_of(at->above[i]), org);
	return here;
}

static yg_status judge_at(struct references *f, struct yg_sv node, struct yg_err *err)
{
	const struct yg_correlate_opts opts = yg_correlate_defaults();
	struct yg_watch_place place = {.n = 0};
	struct yg_correlate *c = NULL;
	yg_status st = node.n > 0 ? yg_watch_place(f->act->db, node, &place, err) : YG_OK;
	f->node = node;
	f->list_n = 0;
	for (size_t i = 0; st == YG_OK && i < f->count; i++) {
		if (!holds(&place, f->orgs[i]) || !matters(f, i))
			continue;
		f->list[f->list_n] = f->rules[i];
		f->number[f->list_n++] = (uint32_t)i;
	}
	if (st == YG_OK)
		st = yg_correlate_new(f->list, f->list_n, &opts, f->act->env, on_refused, f, &c,
				      err);
	yg_correlate_free(c);
	return st;
}

/* The nodes that have correlations, each once; ascending. */
static yg_status nodes_of(struct references *f, struct yg_sv **out, size_t *out_n,
			  struct yg_err *err)
{
	struct yg_sv *list = YG_NEW_N(&f->arena, struct yg_sv, f->count + 1);
	size_t n = 0, kept = 0;
	if (list == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the rules");
	for (size_t i = 0; i < f->count; i++)
		if (f->rules[i]->kind == YG_SIGMA_CORRELATION)
			list[n++] = f->orgs[i];
	if (n > 1)
		qsort(list, n, sizeof *list, by_text);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || !yg_sv_eq(list[i], list[kept - 1]))
			list[kept++] = list[i];
	*out = list;
	*out_n = kept;
	return YG_OK;
}

static yg_status judge(struct references *f, struct yg_err *err)
{
	struct yg_sv *nodes = NULL;
	size_t n = 0;
	yg_status st = read_names(f, err);
	if (st == YG_OK)
		st = nodes_of(f, &nodes, &n, err);
	for (size_t i = 0; st == YG_OK && i < n; i++)
		st = judge_at(f, nodes[i], err);
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
