/* eval_op.c - what operations do with values. */
#include "cedar/eval_internal.h"

yg_status yg_cv_need(const struct yg_cedar_value *v, enum yg_cedar_kind kind, struct yg_err *err)
{
	return v->kind == kind
		       ? YG_OK
		       : YG_FAIL(err, YG_PARSE, "expected %s, got %s", yg_cedar_kind_name(kind),
				 yg_cedar_kind_name((enum yg_cedar_kind)v->kind));
}

yg_status yg_cv_arith(const struct yg_cedar_op *op, const struct yg_cedar_value *a,
		      struct yg_cedar_value *out, struct yg_err *err)
{
	int64_t i = 0;
	bool over = false;
	yg_status st = yg_cv_need(&a[0], YG_CEDAR_LONG, err);
	if (st == YG_OK && op->op != YG_CO_NEG)
		st = yg_cv_need(&a[1], YG_CEDAR_LONG, err);
	if (st != YG_OK)
		return st;
	switch (op->op) {
	case YG_CO_ADD: over = __builtin_add_overflow(a[0].i, a[1].i, &i); break;
	case YG_CO_SUB: over = __builtin_sub_overflow(a[0].i, a[1].i, &i); break;
	case YG_CO_MUL: over = __builtin_mul_overflow(a[0].i, a[1].i, &i); break;
	default: over = __builtin_sub_overflow((int64_t)0, a[0].i, &i); break;
	}
	if (over)
		return YG_FAIL(err, YG_PARSE, "integer overflow of '%s'",
			       yg_cedar_op_text((enum yg_cedar_opcode)op->op));
	*out = yg_cedar_number(YG_CEDAR_LONG, i);
	return YG_OK;
}

yg_status yg_cv_less(const struct yg_cedar_op *op, const struct yg_cedar_value *a,
		     struct yg_cedar_value *out, struct yg_err *err)
{
	enum yg_cedar_kind kind = (enum yg_cedar_kind)a[0].kind;
	if (kind != YG_CEDAR_LONG && kind != YG_CEDAR_DATETIME && kind != YG_CEDAR_DURATION)
		return YG_FAIL(err, YG_PARSE, "expected long, datetime or duration, got %s",
			       yg_cedar_kind_name(kind));
	yg_status st = yg_cv_need(&a[1], kind, err);
	if (st != YG_OK)
		return st;
	int64_t x = a[0].i, y = a[1].i;
	*out = yg_cedar_bool(op->op == YG_CO_LT   ? x < y
			     : op->op == YG_CO_LE ? x <= y
			     : op->op == YG_CO_GT ? x > y
						  : x >= y);
	return YG_OK;
}

/* ---- sets ---- */

/* Both are sorted: one walk over them.  *all: each of b is in a; *any: one is. */
static void meet(const struct yg_cedar_value *a, const struct yg_cedar_value *b,
		 struct yg_cedar_steps *steps, bool *all, bool *any)
{
	uint32_t i = 0, k = 0;
	*all = true;
	*any = false;
	while (k < b->n && !yg_cedar_steps_out(steps)) {
		if (i == a->n) {
			*all = false;
			break;
		}
		int c = yg_cedar_cmp(&a->items[i], &b->items[k], steps);
		if (c < 0) {
			i++;
			continue;
		}
		*any = *any || c == 0;
		*all = *all && c == 0;
		k++;
	}
}

yg_status yg_cv_sets(struct yg_cedar_eval *e, const struct yg_cedar_op *op,
		     const struct yg_cedar_value *a, struct yg_cedar_value *out, struct yg_err *err)
{
	bool all, any;
	yg_status st = yg_cv_need(&a[0], YG_CEDAR_SET, err);
	if (st == YG_OK && (op->op == YG_CO_CONTAINS_ALL || op->op == YG_CO_CONTAINS_ANY))
		st = yg_cv_need(&a[1], YG_CEDAR_SET, err);
	if (st != YG_OK)
		return st;
	switch (op->op) {
	case YG_CO_IS_EMPTY: *out = yg_cedar_bool(a[0].n == 0); break;
	case YG_CO_CONTAINS: *out = yg_cedar_bool(yg_cedar_set_has(&a[0], &a[1], &e->steps)); break;
	default:
		meet(&a[0], &a[1], &e->steps, &all, &any);
		*out = yg_cedar_bool(op->op == YG_CO_CONTAINS_ALL ? all : any);
		break;
	}
	return YG_OK;
}

/* ---- entities ---- */

/* NULL: nobody has named it. */
static const struct yg_cedar_entity *entity_of(struct yg_cedar_eval *e,
					       const struct yg_cedar_uid *uid)
{
	uint32_t number;
	if (uid == &e->request->principal)
		return e->principal;
	if (uid == &e->request->action)
		return e->action;
	if (uid == &e->request->resource)
		return e->resource;
	yg_cedar_step(&e->steps, uid->type.n + uid->id.n);
	return yg_cedar_entity_find(e->entities, uid, &number);
}

yg_status yg_cv_in(struct yg_cedar_eval *e, const struct yg_cedar_value *a,
		   struct yg_cedar_value *out, struct yg_err *err)
{
	yg_status st = yg_cv_need(&a[0], YG_CEDAR_ENTITY, err);
	bool found = false, set = a[1].kind == YG_CEDAR_SET;
	uint32_t n = set ? a[1].n : 1;
	const struct yg_cedar_value *items = set ? a[1].items : &a[1];
	if (st == YG_OK && !set && a[1].kind != YG_CEDAR_ENTITY)
		return YG_FAIL(err, YG_PARSE, "expected set or entity, got %s",
			       yg_cedar_kind_name((enum yg_cedar_kind)a[1].kind));
	/* each must be an entity, also behind the one that is found */
	e->steps.made += n;
	for (uint32_t i = 0; i < n && st == YG_OK; i++)
		st = yg_cv_need(&items[i], YG_CEDAR_ENTITY, err);
	if (st != YG_OK)
		return st;
	const struct yg_cedar_entity *x = entity_of(e, a[0].uid);
	for (uint32_t i = 0; i < n && !found && !yg_cedar_steps_out(&e->steps); i++) {
		yg_cedar_step(&e->steps, items[i].uid->type.n + items[i].uid->id.n);
		found = yg_cedar_entity_in(e->entities, a[0].uid, x, items[i].uid);
	}
	*out = yg_cedar_bool(found);
	return YG_OK;
}

/* ---- attributes and tags ---- */

/* The record of what has attributes; NULL: the entity is not known. */
static yg_status fields_of(struct yg_cedar_eval *e, const struct yg_cedar_value *v,
			   const struct yg_cedar_value **out, struct yg_err *err)
{
	*out = NULL;
	if (v->kind == YG_CEDAR_RECORD) {
		*out = v;
		return YG_OK;
	}
	if (v->kind != YG_CEDAR_ENTITY)
		return YG_FAIL(err, YG_PARSE, "expected record or entity, got %s",
			       yg_cedar_kind_name((enum yg_cedar_kind)v->kind));
	const struct yg_cedar_entity *x = entity_of(e, v->uid);
	if (x != NULL && x->known)
		*out = &x->attrs;
	return YG_OK;
}

static yg_status fail_entity(const struct yg_cedar_value *v, struct yg_err *err)
{
	char text[160];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_cedar_uid_print(&b, v->uid);
	return YG_FAIL(err, YG_PARSE, "there is no entity %s", yg_sb_cstr(&b));
}
static yg_status fail_name(const char *what, struct yg_sv name, struct yg_err *err)
{
	char text[160];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_put_untrusted(&b, yg_sv_sub(name, 0, 36));
	return YG_FAIL(err, YG_PARSE, "there is no %s '%s'", what, yg_sb_cstr(&b));
}

yg_status yg_cv_attr(struct yg_cedar_eval *e, const struct yg_cedar_op *op,
		     const struct yg_cedar_value *a, struct yg_cedar_value *out, struct yg_err *err)
{
	const struct yg_cedar_value *record, *found;
	struct yg_sv name = yg_cedar_code_str(e->code, op->a);
	yg_status st = fields_of(e, a, &record, err);
	if (st != YG_OK)
		return st;
	if (record == NULL)
		return fail_entity(a, err);
	found = yg_cedar_get(record, name);
	if (found == NULL)
		return fail_name("attribute", name, err);
	*out = *found;
	return YG_OK;
}

/* `x has a.b.c` is `x has a && x.a has b && x.a.b has c`. */
yg_status yg_cv_has(struct yg_cedar_eval *e, const struct yg_cedar_op *op,
		    const struct yg_cedar_value *a, struct yg_cedar_value *out, struct yg_err *err)
{
	const struct yg_cedar_value *at = a, *record;
	for (uint32_t i = 0; i < op->a && at != NULL; i++) {
		yg_cedar_step(&e->steps, 0);
		yg_status st = fields_of(e, at, &record, err);
		if (st != YG_OK)
			return st;
		uint32_t key = yg_cedar_code_list(e->code, op->b + i);
		at = record != NULL ? yg_cedar_get(record, yg_cedar_code_str(e->code, key)) : NULL;
	}
	*out = yg_cedar_bool(at != NULL);
	return YG_OK;
}

yg_status yg_cv_tag(struct yg_cedar_eval *e, const struct yg_cedar_op *op,
		    const struct yg_cedar_value *a, struct yg_cedar_value *out, struct yg_err *err)
{
	yg_status st = yg_cv_need(&a[0], YG_CEDAR_ENTITY, err);
	if (st == YG_OK)
		st = yg_cv_need(&a[1], YG_CEDAR_STRING, err);
	if (st != YG_OK)
		return st;
	const struct yg_cedar_entity *x = entity_of(e, a[0].uid);
	const struct yg_cedar_value *found =
		x != NULL && x->known ? yg_cedar_get(&x->tags, yg_cedar_str(&a[1])) : NULL;
	if (op->op == YG_CO_HAS_TAG) {
		*out = yg_cedar_bool(found != NULL);
		return YG_OK;
	}
	if (found == NULL)
		return x != NULL && x->known ? fail_name("tag", yg_cedar_str(&a[1]), err)
					     : fail_entity(&a[0], err);
	*out = *found;
	return YG_OK;
}

/* ---- patterns ---- */

/* Greedy, back to the last wildcard: bytes are enough, for no sequence of UTF-8
 * begins inside of another. */
bool yg_cedar_like(struct yg_sv text, struct yg_sv pattern, struct yg_cedar_steps *steps)
{
	size_t i = 0, k = 0, star = SIZE_MAX, from = 0, made = 0;
	for (;; made++) {
		if (made == YG_CEDAR_STEP_BYTES) {
			made = 0;
			steps->made++;
			if (yg_cedar_steps_out(steps))
				return false;
		}
		if (k < pattern.n && pattern.p[k] == YG_CEDAR_WILDCARD) {
			star = k++;
			from = i;
			continue;
		}
		if (i == text.n)
			break;
		if (k < pattern.n && pattern.p[k] == text.p[i]) {
			i++;
			k++;
		} else if (star != SIZE_MAX) {
			k = star + 1;
			i = ++from;
		} else {
			return false;
		}
	}
	return i == text.n && k == pattern.n;
}
