/* ruleset_wants.c - what correlations take of the rules' matches.
 *
 * What a correlation means is said by correlate.h alone: for every node that has
 * correlations a state machine is made of the rules that hold there, asked who takes what,
 * and thrown away.  Rules to which no correlation refers are in none: they are many. */
#include <stdlib.h>

#include "detect/correlate_internal.h"
#include "detect/ruleset_build_internal.h"

struct wants {
	struct yg_ruleset_builder *b;
	uint32_t scope;              /* the node at hand */
	struct yg_sigma_rule *stubs; /* owned: ids and names of rows, then of others, in order */
	uint32_t *referred;          /* owned: of the stubs those that a correlation names */
	size_t referred_n;
	/* owned: of this node: some rows, some others, then correlations */
	const struct yg_sigma_rule **list;
	uint32_t *number;   /* owned: of the list: row or correlation */
	size_t count, rows; /* of the list; how many of them are rows */
};

static void wants_free(struct wants *w)
{
	free(w->stubs);
	free(w->referred);
	free(w->list);
	free(w->number);
}

static const struct yg_rs_correlation *correlation_at(const struct wants *w, size_t i)
{
	return YG_RS(w->b, correlations, struct yg_rs_correlation, w->number[i]);
}

static void on_refused(void *ctx, uint32_t rule, const char *reason)
{
	struct wants *w = ctx;
	const struct yg_rs_correlation *c = correlation_at(w, rule);
	if (c->is.scope != w->scope) /* told at its own node */
		return;
	w->b->stats.correlations--;
	yg_rs_refuse(w->b, c->uid, c->rule->line, reason);
}

static int by_text(const void *a, const void *b)
{
	return yg_sv_cmp(*(const struct yg_sv *)a, *(const struct yg_sv *)b);
}

/* What the correlations name, in order; NULL: there is no memory. */
static struct yg_sv *names_of(const struct yg_ruleset_builder *b, size_t *out_n)
{
	const struct yg_rs_correlation *all = b->correlations.p;
	size_t most = 1, n = 0;
	for (size_t i = 0; i < b->correlations.n; i++)
		most += all[i].rule->correlation.rule_count;
	struct yg_sv *list = calloc(most, sizeof *list);
	for (size_t i = 0; list != NULL && i < b->correlations.n; i++)
		for (size_t k = 0; k < all[i].rule->correlation.rule_count; k++)
			list[n++] = all[i].rule->correlation.rules[k];
	if (n > 1)
		qsort(list, n, sizeof *list, by_text);
	*out_n = n;
	return list;
}

static bool find_referred(struct wants *w, size_t stubs)
{
	size_t n = 0;
	struct yg_sv *names = names_of(w->b, &n);
	w->referred = calloc(stubs + 1, sizeof *w->referred);
	bool ok = names != NULL && w->referred != NULL;
	for (size_t i = 0; ok && n > 0 && i < stubs; i++) {
		const struct yg_sigma_rule *s = &w->stubs[i];
		if ((s->id.n > 0 && bsearch(&s->id, names, n, sizeof *names, by_text) != NULL) ||
		    (s->name.n > 0 && bsearch(&s->name, names, n, sizeof *names, by_text) != NULL))
			w->referred[w->referred_n++] = (uint32_t)i;
	}
	free(names);
	return ok;
}

/* The rules and correlations that hold at the node. */
static void make_list(struct wants *w)
{
	struct yg_ruleset_builder *b = w->b;
	size_t i = 0;
	w->count = 0;
	for (; i < w->referred_n && w->referred[i] < b->rows.n; i++) {
		uint32_t at = w->referred[i];
		const struct yg_ruleset_row *row = YG_RS(b, rows, struct yg_ruleset_row, at);
		if (row->kind != YG_ROW_RULE || !yg_rs_above(b, row->is.scope, w->scope))
			continue;
		w->list[w->count] = &w->stubs[at];
		w->number[w->count++] = at;
	}
	w->rows = w->count;
	for (; i < w->referred_n; i++) {
		size_t at = w->referred[i] - b->rows.n;
		if (yg_rs_above(b, YG_RS(b, others, struct yg_rs_other, at)->scope, w->scope))
			w->list[w->count++] = &w->stubs[w->referred[i]];
	}
	for (uint32_t k = 0; k < b->correlations.n; k++) {
		const struct yg_rs_correlation *c =
			YG_RS(b, correlations, struct yg_rs_correlation, k);
		if (!yg_rs_above(b, c->is.scope, w->scope))
			continue;
		w->list[w->count] = c->rule;
		w->number[w->count++] = k;
	}
}

static bool add_fields(struct wants *w, uint32_t row, const struct yg_corr_names *names)
{
	for (uint32_t i = 0; i < names->n; i++) {
		struct yg_rs_field *f = yg_vec_add(&w->b->fields, sizeof *f);
		if (f == NULL)
			return false;
		*f = (struct yg_rs_field){row, yg_rs_keep(w->b, names->v[i]),
					  (uint32_t)w->b->fields.n};
	}
	return true;
}

static bool take_uses(struct wants *w, const struct yg_correlate *c, size_t at)
{
	const struct yg_corr_uses *u = &c->uses[at];
	uint32_t row = w->number[at];
	for (uint32_t i = 0; i < u->n; i++) {
		const struct yg_rs_correlation *k = correlation_at(w, c->corrs[u->v[i].corr].rule);
		if (k->is.scope != w->scope)
			continue;
		struct yg_rs_ref *ref = yg_vec_add(&w->b->refs, sizeof *ref);
		if (ref == NULL || !add_fields(w, row, &u->v[i].group) ||
		    !add_fields(w, row, &u->v[i].fields) || !add_fields(w, row, &u->v[i].carry))
			return false;
		*ref = (struct yg_rs_ref){row, w->number[c->corrs[u->v[i].corr].rule]};
	}
	return true;
}

static yg_status one_node(struct wants *w, struct yg_err *err)
{
	const struct yg_correlate_opts opts = yg_correlate_defaults();
	struct yg_correlate *c = NULL;
	bool ok = true;
	make_list(w);
	yg_status st =
		yg_correlate_new(w->list, w->count, &opts, &w->b->env, on_refused, w, &c, err);
	for (size_t i = 0; st == YG_OK && ok && i < w->rows; i++)
		ok = take_uses(w, c, i);
	yg_correlate_free(c);
	return ok ? st : yg_rs_nomem(err);
}

static bool seen_before(const struct yg_ruleset_builder *b, size_t n)
{
	const struct yg_rs_correlation *all = b->correlations.p;
	for (size_t i = 0; i < n; i++)
		if (all[i].is.scope == all[n].is.scope)
			return true;
	return false;
}

yg_status yg_rs_wants(struct yg_ruleset_builder *b, struct yg_err *err)
{
	YG_AUTO(wants_free) struct wants w = {.b = b};
	size_t stubs = b->rows.n + b->others.n, n = stubs + b->correlations.n + 1;
	yg_status st = YG_OK;
	if (b->correlations.n == 0)
		return YG_OK;
	w.stubs = calloc(stubs + 1, sizeof *w.stubs);
	w.list = calloc(n, sizeof(void *));
	w.number = calloc(n, sizeof *w.number);
	if (w.stubs == NULL || w.list == NULL || w.number == NULL)
		return yg_rs_nomem(err);
	for (size_t i = 0; i < b->rows.n; i++) {
		w.stubs[i].id = YG_RS(b, more_rows, struct yg_rs_row, i)->id;
		w.stubs[i].name = YG_RS(b, more_rows, struct yg_rs_row, i)->name;
	}
	for (size_t i = 0; i < b->others.n; i++) {
		w.stubs[b->rows.n + i].id = YG_RS(b, others, struct yg_rs_other, i)->id;
		w.stubs[b->rows.n + i].name = YG_RS(b, others, struct yg_rs_other, i)->name;
	}
	for (size_t i = 0; i < stubs; i++)
		w.stubs[i].kind = YG_SIGMA_RULE;
	if (!find_referred(&w, stubs))
		return yg_rs_nomem(err);
	for (size_t i = 0; st == YG_OK && i < b->correlations.n; i++) {
		if (seen_before(b, i))
			continue;
		w.scope = YG_RS(b, correlations, struct yg_rs_correlation, i)->is.scope;
		st = one_node(&w, err);
	}
	return st;
}
