/* ruleset_write.c - lists put in order behind their rows, and the whole written. */
#include <stdlib.h>

#include "detect/ruleset_build_internal.h"

static int by_number(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

static int by_over(const void *a, const void *b)
{
	const struct yg_rs_over *x = a, *y = b;
	int c = by_number(x->row, y->row);
	return c != 0 ? c : by_number(x->over.org, y->over.org);
}

/* Those of all rules first: NONE is the greatest number. */
static int by_except(const void *a, const void *b)
{
	const struct yg_rs_except *x = a, *y = b;
	int c = by_number(x->row + 1, y->row + 1);
	if (c == 0)
		c = by_number(x->except.org, y->except.org);
	return c != 0 ? c : by_number(x->except.row, y->except.row);
}

static int by_ref(const void *a, const void *b)
{
	const struct yg_rs_ref *x = a, *y = b;
	int c = by_number(x->row, y->row);
	return c != 0 ? c : by_number(x->correlation, y->correlation);
}

static int by_field(const void *a, const void *b)
{
	const struct yg_rs_field *x = a, *y = b;
	int c = by_number(x->row, y->row);
	return c != 0 ? c : by_number(x->order, y->order);
}

static void sort(struct yg_vec *v, size_t elem, int (*cmp)(const void *, const void *))
{
	if (v->n > 1)
		qsort(v->p, v->n, elem, cmp);
}

struct tables { /* owned: as they are written */
	struct yg_vec orgs, overs, excepts, refs, fields;
	struct yg_ruleset_info info;
};

static void tables_free(struct tables *t)
{
	free(t->orgs.p);
	free(t->overs.p);
	free(t->excepts.p);
	free(t->refs.p);
	free(t->fields.p);
}

static uint32_t node_of(const struct yg_ruleset_builder *b, struct yg_sv slug)
{
	for (size_t low = 0, high = b->orgs.n; slug.n > 0 && low < high;) {
		size_t mid = low + (high - low) / 2;
		int c = yg_sv_cmp(YG_RS(b, orgs, struct yg_rs_org, mid)->slug, slug);
		if (c == 0)
			return (uint32_t)mid;
		low = c < 0 ? mid + 1 : low;
		high = c < 0 ? high : mid;
	}
	return YG_RULESET_NONE;
}

static bool put_orgs(struct yg_ruleset_builder *b, struct tables *t)
{
	for (size_t i = 0; i < b->orgs.n; i++) {
		const struct yg_rs_org *from = YG_RS(b, orgs, struct yg_rs_org, i);
		struct yg_ruleset_org *to = yg_vec_add(&t->orgs, sizeof *to);
		if (to == NULL)
			return false;
		*to = (struct yg_ruleset_org){yg_rs_keep(b, from->slug), node_of(b, from->parent)};
	}
	return true;
}

static struct yg_ruleset_row *row_of(struct yg_ruleset_builder *b, uint32_t row)
{
	return YG_RS(b, rows, struct yg_ruleset_row, row);
}

static struct yg_rs_correlation *correlation_of(struct yg_ruleset_builder *b, uint32_t number)
{
	return YG_RS(b, correlations, struct yg_rs_correlation, number);
}

static struct yg_ruleset_staged *staged_of(struct yg_ruleset_builder *b, uint32_t row)
{
	return (row & YG_RS_CORRELATION) != 0 ? &correlation_of(b, row & ~YG_RS_CORRELATION)->is
					      : &row_of(b, row)->is;
}

static bool put_overs(struct yg_ruleset_builder *b, struct tables *t)
{
	sort(&b->overs, sizeof(struct yg_rs_over), by_over);
	for (size_t i = 0; i < b->overs.n; i++) {
		const struct yg_rs_over *from = YG_RS(b, overs, struct yg_rs_over, i);
		struct yg_ruleset_over *to = yg_vec_add(&t->overs, sizeof *to);
		struct yg_ruleset_staged *of = staged_of(b, from->row);
		if (to == NULL)
			return false;
		*to = from->over;
		if (of->override_count++ == 0)
			of->overrides = (uint32_t)t->overs.n - 1;
	}
	return true;
}

static bool put_excepts(struct yg_ruleset_builder *b, struct tables *t)
{
	sort(&b->excepts, sizeof(struct yg_rs_except), by_except);
	for (size_t i = 0; i < b->excepts.n; i++) {
		const struct yg_rs_except *from = YG_RS(b, excepts, struct yg_rs_except, i);
		struct yg_ruleset_except *to = yg_vec_add(&t->excepts, sizeof *to);
		if (to == NULL)
			return false;
		*to = from->except;
		if (from->row == YG_RULESET_NONE) {
			t->info.common++;
			continue;
		}
		struct yg_ruleset_row *row = row_of(b, from->row);
		if (row->exception_count++ == 0)
			row->exceptions = (uint32_t)t->excepts.n - 1;
	}
	return true;
}

static bool put_refs(struct yg_ruleset_builder *b, struct tables *t)
{
	sort(&b->refs, sizeof(struct yg_rs_ref), by_ref);
	for (size_t i = 0; i < b->refs.n; i++) {
		const struct yg_rs_ref *from = YG_RS(b, refs, struct yg_rs_ref, i);
		if (i > 0 && by_ref(from, from - 1) == 0)
			continue;
		struct yg_ruleset_ref *to = yg_vec_add(&t->refs, sizeof *to);
		struct yg_ruleset_row *row = row_of(b, from->row);
		if (to == NULL)
			return false;
		const struct yg_rs_correlation *c = correlation_of(b, from->correlation);
		*to = (struct yg_ruleset_ref){c->is, c->rule->correlation.generate};
		if (row->ref_count++ == 0)
			row->refs = (uint32_t)t->refs.n - 1;
	}
	return true;
}

static bool has_field(const struct yg_ruleset_builder *b, const struct tables *t,
		      const struct yg_ruleset_row *row, struct yg_sv name)
{
	const struct yg_detect_text *all = t->fields.p;
	for (uint32_t i = 0; all != NULL && i < row->field_count; i++)
		if (yg_sv_eq(yg_rs_kept(b, all[row->fields + i]), name))
			return true;
	return false;
}

static bool put_fields(struct yg_ruleset_builder *b, struct tables *t)
{
	sort(&b->fields, sizeof(struct yg_rs_field), by_field);
	for (size_t i = 0; i < b->fields.n; i++) {
		const struct yg_rs_field *from = YG_RS(b, fields, struct yg_rs_field, i);
		struct yg_ruleset_row *row = row_of(b, from->row);
		if (has_field(b, t, row, yg_rs_kept(b, from->text)))
			continue;
		struct yg_detect_text *to = yg_vec_add(&t->fields, sizeof *to);
		if (to == NULL)
			return false;
		*to = from->text;
		if (row->field_count++ == 0)
			row->fields = (uint32_t)t->fields.n - 1;
	}
	return true;
}

static bool put_all(struct yg_ruleset_builder *b, struct tables *t)
{
	bool ok = !b->texts.bad && put_orgs(b, t) && put_overs(b, t) && put_excepts(b, t) &&
		  put_refs(b, t) && put_fields(b, t);
	t->info.rules = (uint32_t)b->stats.rules;
	return ok && !b->texts.bad;
}

static yg_status write_all(struct yg_ruleset_builder *b, const struct yg_detect *engine,
			   const struct tables *t, int fd, uint64_t generation, yg_wall created,
			   struct yg_err *err)
{
	char text[1000];
	const struct {
		const void *p;
		uint64_t n;
	} infos = {&t->info, 1}, rows = {b->rows.p, b->rows.n}, orgs = {t->orgs.p, t->orgs.n},
	  overs = {t->overs.p, t->overs.n}, excepts = {t->excepts.p, t->excepts.n},
	  refs = {t->refs.p, t->refs.n}, fields = {t->fields.p, t->fields.n},
	  texts = {b->texts.p, b->texts.n};
	const struct yg_snap_part parts[] = {
#define X(id, name, type) {id, sizeof(type), name.n, name.p},
		YG_RULESET_TABLES(X)
#undef X
	};
	const struct yg_detect_more more = {yg_ruleset_schema(text, sizeof text), parts,
					    YG_LEN(parts)};
	return yg_detect_write_more(engine, &more, fd, generation, created, &b->stats.bytes, err);
}

yg_status yg_ruleset_builder_write(struct yg_ruleset_builder *b, int fd, uint64_t generation,
				   yg_wall created, struct yg_ruleset_stats *out,
				   struct yg_err *err)
{
	YG_AUTO(tables_free) struct tables t = {.info = {0, 0}};
	struct yg_detect *engine = NULL;
	yg_status st = yg_rs_wants(b, err);
	if (st == YG_OK && !put_all(b, &t))
		st = yg_rs_nomem(err);
	if (st == YG_OK)
		st = yg_detect_builder_build(b->engine, &engine, err);
	if (st == YG_OK)
		st = write_all(b, engine, &t, fd, generation, created, err);
	yg_detect_free(engine);
	if (st == YG_OK && out != NULL)
		*out = b->stats;
	return st;
}
