/* ruleset_build.c - documents, overrides and exceptions into rows beside the engine's rules. */
#include <stdio.h>
#include <stdlib.h>

#include "detect/exception.h"
#include "detect/read.h"
#include "detect/ruleset_build_internal.h"

#define KEPT_MAX  ((size_t)512 << 20)
#define ONE_MAX   ((size_t)256 << 20)
#define TEXTS_MAX ((size_t)256 << 20)

yg_status yg_rs_nomem(struct yg_err *err)
{
	return YG_FAIL(err, YG_NOMEM, "no memory to compile the rules");
}

yg_status yg_ruleset_builder_new(const struct yg_env *env, yg_ruleset_report_fn *report, void *ctx,
				 struct yg_ruleset_builder **out, struct yg_err *err)
{
	struct yg_ruleset_builder *b = calloc(1, sizeof *b);
	if (b == NULL)
		return yg_rs_nomem(err);
	b->env = *env;
	b->report = report;
	b->ctx = ctx;
	env->random(env->ctx, &b->key, sizeof b->key);
	yg_arena_init(&b->kept, KEPT_MAX);
	yg_arena_init(&b->one, ONE_MAX);
	yg_buf_init(&b->texts, TEXTS_MAX);
	yg_status st = yg_detect_builder_new(env, YG_DETECT_MEMORY, &b->engine, err);
	if (st != YG_OK) {
		yg_ruleset_builder_free(b);
		return st;
	}
	*out = b;
	return YG_OK;
}

void yg_ruleset_builder_free(struct yg_ruleset_builder *b)
{
	if (b == NULL)
		return;
	struct yg_vec *const all[] = {&b->orgs,         &b->rows,   &b->more_rows, &b->overs,
				      &b->excepts,      &b->refs,   &b->fields,    &b->filters,
				      &b->correlations, &b->others, &b->narrowing};
	for (size_t i = 0; i < YG_LEN(all); i++)
		free(all[i]->p);
	free(b->by_uid.slots);
	yg_detect_builder_free(b->engine);
	yg_arena_free(&b->kept);
	yg_arena_free(&b->one);
	yg_buf_free(&b->texts);
	free(b);
}

void yg_ruleset_builder_watch(struct yg_ruleset_builder *b, yg_ruleset_taken_fn *taken, void *ctx)
{
	b->taken = taken;
	b->taken_ctx = ctx;
}

struct yg_detect_text yg_rs_keep(struct yg_ruleset_builder *b, struct yg_sv s)
{
	struct yg_detect_text t = {(uint32_t)b->texts.n, (uint32_t)s.n};
	yg_buf_put(&b->texts, s);
	return t;
}

void yg_rs_refuse(struct yg_ruleset_builder *b, struct yg_sv uid, size_t line, const char *reason)
{
	b->stats.refused++;
	if (b->report != NULL)
		b->report(b->ctx, uid, line, reason);
}

/* ---- organisations ---- */

yg_status yg_ruleset_builder_org(struct yg_ruleset_builder *b, struct yg_sv slug,
				 struct yg_sv parent, struct yg_err *err)
{
	if (b->orgs_done)
		return YG_FAIL(err, YG_INVAL, "organisations come before documents");
	struct yg_rs_org *o = yg_vec_add(&b->orgs, sizeof *o);
	if (o == NULL)
		return yg_rs_nomem(err);
	o->slug = yg_arena_dup(&b->kept, slug);
	o->parent = yg_arena_dup(&b->kept, parent);
	return o->slug.p != NULL && o->parent.p != NULL ? YG_OK : yg_rs_nomem(err);
}

static int by_slug(const void *a, const void *b)
{
	return yg_sv_cmp(((const struct yg_rs_org *)a)->slug, ((const struct yg_rs_org *)b)->slug);
}

static void orgs_finish(struct yg_ruleset_builder *b)
{
	if (!b->orgs_done && b->orgs.n > 0)
		qsort(b->orgs.p, b->orgs.n, sizeof(struct yg_rs_org), by_slug);
	b->orgs_done = true;
}

/* NONE: all, or (*known false) none that is there. */
static uint32_t org_of(struct yg_ruleset_builder *b, struct yg_sv slug, bool *known)
{
	const struct yg_rs_org key = {.slug = slug};
	*known = true;
	orgs_finish(b);
	if (slug.n == 0)
		return YG_RULESET_NONE;
	const struct yg_rs_org *o =
		b->orgs.n > 0 ? bsearch(&key, b->orgs.p, b->orgs.n, sizeof key, by_slug) : NULL;
	*known = o != NULL;
	return o != NULL ? (uint32_t)(o - (const struct yg_rs_org *)b->orgs.p) : YG_RULESET_NONE;
}

bool yg_rs_above(const struct yg_ruleset_builder *b, uint32_t node, uint32_t org)
{
	if (node == YG_RULESET_NONE)
		return true;
	for (uint32_t i = 0; org < b->orgs.n && i < YG_RULESET_DEPTH_MAX; i++) {
		if (org == node)
			return true;
		const struct yg_rs_org key = {
			.slug = YG_RS(b, orgs, struct yg_rs_org, org)->parent};
		const struct yg_rs_org *up =
			bsearch(&key, b->orgs.p, b->orgs.n, sizeof key, by_slug);
		org = up != NULL ? (uint32_t)(up - (const struct yg_rs_org *)b->orgs.p)
				 : YG_RULESET_NONE;
	}
	return false;
}

/* ---- rows ---- */

/* The row of the engine's newest rule. */
static yg_status row_add(struct yg_ruleset_builder *b, const struct yg_sigma_rule *rule,
			 struct yg_ruleset_row row, struct yg_sv uid, struct yg_sv collection,
			 struct yg_err *err)
{
	uint64_t hash = yg_hash_of(&b->key, 0, uid);
	size_t at = SIZE_MAX;
	uint32_t same;
	row.uid = yg_rs_keep(b, uid);
	row.collection = yg_rs_keep(b, collection);
	struct yg_ruleset_row *r = yg_vec_add(&b->rows, sizeof *r);
	struct yg_rs_row *m = yg_vec_add(&b->more_rows, sizeof *m);
	if (r == NULL || m == NULL || b->texts.bad || !yg_index_room(&b->by_uid))
		return yg_rs_nomem(err);
	*r = row;
	const struct yg_sv from[] = {rule->id, rule->name, rule->category, rule->product,
				     rule->service};
	struct yg_sv *const to[] = {&m->id, &m->name, &m->category, &m->product, &m->service};
	for (size_t i = 0; i < YG_LEN(to); i++) {
		*to[i] = yg_arena_dup(&b->kept, from[i]);
		if (to[i]->p == NULL)
			return yg_rs_nomem(err);
	}
	if (row.kind != YG_ROW_RULE)
		return YG_OK;
	while (yg_index_next(&b->by_uid, hash, &at, &same))
		;
	yg_index_put(&b->by_uid, at, hash, (uint32_t)b->rows.n - 1);
	b->stats.rules++;
	return YG_OK;
}

static bool row_find(const struct yg_ruleset_builder *b, struct yg_sv uid, uint32_t *out)
{
	uint64_t hash = yg_hash_of(&b->key, 0, uid);
	size_t at = SIZE_MAX;
	if (b->by_uid.cap == 0)
		return false;
	while (yg_index_next(&b->by_uid, hash, &at, out))
		if (yg_sv_eq(yg_rs_kept(b, YG_RS(b, rows, struct yg_ruleset_row, *out)->uid), uid))
			return true;
	return false;
}

static bool correlation_find(const struct yg_ruleset_builder *b, struct yg_sv uid, uint32_t *out)
{
	for (uint32_t i = 0; i < b->correlations.n; i++)
		if (yg_sv_eq(YG_RS(b, correlations, struct yg_rs_correlation, i)->uid, uid)) {
			*out = YG_RS_CORRELATION | i;
			return true;
		}
	return false;
}

static yg_status except_add(struct yg_ruleset_builder *b, uint32_t row, struct yg_ruleset_except x,
			    struct yg_err *err)
{
	struct yg_rs_except *e = yg_vec_add(&b->excepts, sizeof *e);
	if (e == NULL)
		return yg_rs_nomem(err);
	*e = (struct yg_rs_except){row, x};
	return YG_OK;
}

/* ---- documents ---- */

/* Room for expressions of its own: one organisation's rules stop no other's. */
static void belongs(struct yg_ruleset_builder *b, uint32_t scope)
{
	yg_detect_builder_owner(b->engine, scope != YG_RULESET_NONE ? scope : YG_DETECT_NOBODY);
}

static yg_status take_rule(struct yg_ruleset_builder *b, const struct yg_ruleset_doc *doc,
			   uint32_t scope, const struct yg_sigma_rule *rule, struct yg_err *err)
{
	struct yg_err own = {.code = YG_OK};
	const struct yg_ruleset_row row = {.kind = YG_ROW_RULE,
					   .is = {.stage = (uint32_t)doc->stage, .scope = scope}};
	belongs(b, scope);
	yg_status st = yg_detect_builder_add(b->engine, rule, doc->uid, b->narrowing.p,
					     b->narrowing.n, &own);
	if (st == YG_NOMEM)
		return yg_rs_nomem(err);
	if (st != YG_OK) {
		yg_rs_refuse(b, doc->uid, rule->line, own.msg);
		return YG_OK;
	}
	st = row_add(b, rule, row, doc->uid, doc->collection, err);
	if (st == YG_OK && b->taken != NULL)
		b->taken(b->taken_ctx, rule);
	for (size_t i = 0; st == YG_OK && i < b->filters.n; i++) {
		const struct yg_rs_filter *f = YG_RS(b, filters, struct yg_rs_filter, i);
		if (yg_detect_narrows(f->rule, rule))
			st = except_add(b, (uint32_t)b->rows.n - 1,
					(struct yg_ruleset_except){f->scope, f->row, 0}, err);
	}
	return st;
}

/* One for all narrows in the engine; one of an organisation is a rule beside it, without
 * whose match the narrowed ones do not count there. */
static yg_status take_filter(struct yg_ruleset_builder *b, const struct yg_ruleset_doc *doc,
			     uint32_t scope, const struct yg_sigma_rule *filter, struct yg_err *err)
{
	struct yg_err own = {.code = YG_OK};
	if (doc->stage != YG_STAGE_LIVE && doc->stage != YG_STAGE_AUDIT)
		return YG_OK;
	struct yg_sigma_rule rule = *filter;
	rule.kind = YG_SIGMA_RULE;
	if (scope == YG_RULESET_NONE) {
		const struct yg_sigma_rule **to = yg_vec_add(&b->narrowing, sizeof(void *));
		if (to == NULL)
			return yg_rs_nomem(err);
		*to = filter;
		b->stats.filters++;
		return YG_OK;
	}
	belongs(b, scope);
	yg_status st = yg_detect_builder_add(b->engine, &rule, doc->uid, NULL, 0, &own);
	if (st == YG_NOMEM)
		return yg_rs_nomem(err);
	if (st != YG_OK) {
		yg_rs_refuse(b, doc->uid, filter->line, own.msg);
		return YG_OK;
	}
	const struct yg_ruleset_row row = {.kind = YG_ROW_FILTER,
					   .is = {.stage = (uint32_t)doc->stage, .scope = scope}};
	st = row_add(b, &rule, row, doc->uid, doc->collection, err);
	struct yg_rs_filter *f = st == YG_OK ? yg_vec_add(&b->filters, sizeof *f) : NULL;
	if (f == NULL)
		return yg_rs_nomem(err);
	*f = (struct yg_rs_filter){filter, scope, (uint32_t)b->rows.n - 1};
	b->stats.filters++;
	return YG_OK;
}

static yg_status take_correlation(struct yg_ruleset_builder *b, const struct yg_ruleset_doc *doc,
				  uint32_t scope, struct yg_sigma_rule *rule, struct yg_err *err)
{
	struct yg_rs_correlation *c = yg_vec_add(&b->correlations, sizeof *c);
	if (c == NULL)
		return yg_rs_nomem(err);
	*c = (struct yg_rs_correlation){
		rule,
		yg_arena_dup(&b->kept, doc->uid),
		{.stage = (uint32_t)doc->stage, .scope = scope},
	};
	b->stats.correlations++;
	yg_detect_builder_reads(b->engine, &rule->correlation);
	return c->uid.p != NULL ? YG_OK : yg_rs_nomem(err);
}

static void on_refused(void *ctx, const char *file, size_t line, const char *reason)
{
	struct yg_ruleset_builder *b = ctx;
	(void)file;
	yg_rs_refuse(b, b->at, line, reason);
}

/* Its one document; NULL: it was refused. */
static yg_status read_one(struct yg_ruleset_builder *b, const struct yg_ruleset_doc *doc,
			  struct yg_arena *arena, struct yg_sigma_rule **out, struct yg_err *err)
{
	struct yg_err own = {.code = YG_OK};
	struct yg_sigma_file f = {NULL, 0, 0};
	*out = NULL;
	b->at = doc->uid;
	yg_status st = yg_sigma_read(doc->text, "rule", on_refused, b, arena, &f, &own);
	if (st == YG_NOMEM)
		return yg_rs_nomem(err);
	if (st != YG_OK)
		yg_rs_refuse(b, doc->uid, 0, own.msg);
	else if (f.refused == 0 && f.count != 1)
		yg_rs_refuse(b, doc->uid, 0, "expected one document");
	else if (f.count == 1 && f.refused == 0)
		*out = f.rules;
	return YG_OK;
}

yg_status yg_ruleset_builder_rule(struct yg_ruleset_builder *b, const struct yg_ruleset_doc *doc,
				  struct yg_err *err)
{
	struct yg_sigma_rule *rule = NULL;
	bool known = false;
	uint32_t scope = org_of(b, doc->org, &known);
	if (!known) {
		yg_rs_refuse(b, doc->uid, 0, "its organisation is not there");
		return YG_OK;
	}
	yg_arena_reset(&b->one);
	yg_status st = read_one(b, doc, &b->one, &rule, err);
	if (st != YG_OK || rule == NULL)
		return st;
	if (rule->kind == YG_SIGMA_RULE)
		return take_rule(b, doc, scope, rule, err);
	st = read_one(b, doc, &b->kept, &rule, err); /* kept until the end */
	if (st != YG_OK || rule == NULL)
		return st;
	return rule->kind == YG_SIGMA_FILTER ? take_filter(b, doc, scope, rule, err)
					     : take_correlation(b, doc, scope, rule, err);
}

yg_status yg_ruleset_builder_other(struct yg_ruleset_builder *b, struct yg_sv org, struct yg_sv id,
				   struct yg_sv name, struct yg_err *err)
{
	bool known = false;
	uint32_t scope = org_of(b, org, &known);
	if (!known)
		return YG_OK;
	struct yg_rs_other *o = yg_vec_add(&b->others, sizeof *o);
	if (o == NULL)
		return yg_rs_nomem(err);
	*o = (struct yg_rs_other){yg_arena_dup(&b->kept, id), yg_arena_dup(&b->kept, name), scope};
	return o->id.p != NULL && o->name.p != NULL ? YG_OK : yg_rs_nomem(err);
}

yg_status yg_ruleset_builder_override(struct yg_ruleset_builder *b, struct yg_sv rule,
				      struct yg_sv org, enum yg_detect_stage stage, yg_wall expires,
				      struct yg_err *err)
{
	bool known = false;
	uint32_t row, node = org_of(b, org, &known);
	if (!known || (!row_find(b, rule, &row) && !correlation_find(b, rule, &row)))
		return YG_OK;
	struct yg_rs_over *o = yg_vec_add(&b->overs, sizeof *o);
	if (o == NULL)
		return yg_rs_nomem(err);
	*o = (struct yg_rs_over){row, {node, (uint32_t)stage, expires.us}};
	b->stats.overrides++;
	return YG_OK;
}

/* ---- exceptions ---- */

static bool has_keywords(const struct yg_sigma_detection *d)
{
	for (size_t s = 0; s < d->search_count; s++)
		for (size_t m = 0; m < d->searches[s].count; m++)
			for (size_t i = 0; i < d->searches[s].maps[m].count; i++)
				if (d->searches[s].maps[m].items[i].field.n == 0)
					return true;
	return false;
}

/* As a rule of the log source of the rule that it is an exception from. */
static yg_status except_rule(struct yg_ruleset_builder *b, const struct yg_ruleset_exception *x,
			     uint32_t row, struct yg_sigma_rule *rule, struct yg_err *err)
{
	yg_arena_reset(&b->one);
	yg_status st = yg_detect_exception_read(x->text, &b->one, rule, err);
	if (st != YG_OK)
		return st;
	rule->category = rule->product = rule->service = (struct yg_sv){"", 0};
	if (row == YG_RULESET_NONE && has_keywords(&rule->detection))
		return YG_FAIL(err, YG_PARSE, "an exception from all rules names its fields");
	if (row != YG_RULESET_NONE) {
		const struct yg_rs_row *of = YG_RS(b, more_rows, struct yg_rs_row, row);
		rule->category = of->category;
		rule->product = of->product;
		rule->service = of->service;
	}
	return yg_detect_builder_add(b->engine, rule, x->uid, NULL, 0, err);
}

yg_status yg_ruleset_builder_exception(struct yg_ruleset_builder *b,
				       const struct yg_ruleset_exception *x, struct yg_err *err)
{
	struct yg_err own = {.code = YG_OK};
	struct yg_sigma_rule rule;
	uint32_t row = YG_RULESET_NONE;
	bool known = false;
	uint32_t node = org_of(b, x->org, &known);
	if (!known || (x->rule.n > 0 && !row_find(b, x->rule, &row)))
		return YG_OK; /* what it is about is not in force */
	belongs(b, node);
	yg_status st = except_rule(b, x, row, &rule, &own);
	if (st == YG_NOMEM)
		return yg_rs_nomem(err);
	if (st != YG_OK) {
		yg_rs_refuse(b, x->uid, 0, own.msg);
		return YG_OK;
	}
	const struct yg_ruleset_row self = {.kind = YG_ROW_EXCEPTION,
					    .is = {.stage = YG_STAGE_LIVE, .scope = node}};
	st = row_add(b, &rule, self, x->uid, YG_SV(""), err);
	if (st == YG_OK)
		st = except_add(
			b, row,
			(struct yg_ruleset_except){node, (uint32_t)b->rows.n - 1, x->expires.us},
			err);
	b->stats.exceptions += st == YG_OK;
	return st;
}
