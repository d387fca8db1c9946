/* validate_op.c - what type an operation gives, from the types of its operands. */
#include <stdlib.h>

#include "cedar/ext.h"
#include "cedar/validate_internal.h"

static uint32_t place(const struct yg_cy *c, const struct yg_cy_value *v)
{
	return yg_cedar_op(c->code, v->code.end - 1)->at;
}

static const struct yg_cedar_op *top(const struct yg_cy *c, const struct yg_cy_value *v)
{
	return yg_cedar_op(c->code, v->code.end - 1);
}

static bool single(const struct yg_cy_value *v)
{
	return v->code.end - v->code.first == 1;
}

void yg_cy_tell_kind(struct yg_cy *c, const struct yg_cy_value *v, const char *want)
{
	char text[160];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_cy_put_type(&b, v->type);
	yg_cy_fault(c, place(c, v), false, "expected %s, but this is %s", want, yg_sb_cstr(&b));
}

bool yg_cy_need(struct yg_cy *c, const struct yg_cy_value *v, uint8_t kind)
{
	char text[32];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	if (v->type == NULL || v->type->kind == kind)
		return v->type != NULL;
	if (kind == YG_CEDAR_ENTITY || kind == YG_CEDAR_SET) {
		yg_cy_tell_kind(c, v, kind == YG_CEDAR_SET ? "a set" : "an entity");
		return false;
	}
	yg_cy_put_type(&b, yg_cy_of_kind(kind));
	yg_cy_tell_kind(c, v, yg_sb_cstr(&b));
	return false;
}

bool yg_cy_need_both(struct yg_cy *c, const struct yg_cy_value *a, uint8_t first, uint8_t second)
{
	bool one = yg_cy_need(c, &a[0], first), two = yg_cy_need(c, &a[1], second);
	return one && two;
}

static void tell_differ(struct yg_cy *c, uint32_t at, const char *what,
			const struct yg_cedar_type *x, const struct yg_cedar_type *y)
{
	char text[2][160];
	struct yg_sb a = yg_sb_init(text[0], sizeof text[0]),
		     b = yg_sb_init(text[1], sizeof text[1]);
	yg_cy_put_type(&a, x);
	yg_cy_put_type(&b, y);
	yg_cy_fault(c, at, false, "%s must be of one type, but are %s and %s", what, yg_sb_cstr(&a),
		    yg_sb_cstr(&b));
}

/* ---- == and in ---- */

/* The entity that an operand is, where that is known: a literal, or the action. */
static bool known_uid(const struct yg_cy *c, const struct yg_cy_value *v, struct yg_cedar_uid *out)
{
	const struct yg_cedar_op *op = top(c, v);
	if (!single(v) || (op->op != YG_CO_UID && op->op != YG_CO_ACTION))
		return false;
	if (op->op == YG_CO_ACTION)
		*out = c->action->uid;
	else
		*out = (struct yg_cedar_uid){yg_cedar_code_str(c->code, op->a),
					     yg_cedar_code_str(c->code, op->b)};
	return true;
}

static bool is_literal(const struct yg_cedar_op *op)
{
	return op->op == YG_CO_TRUE || op->op == YG_CO_FALSE || op->op == YG_CO_LONG ||
	       op->op == YG_CO_STRING;
}

/* Of literals it is known whether they are equal, and of entities of different types. */
static const struct yg_cedar_type *equal(struct yg_cy *c, const struct yg_cy_value *a, uint32_t at)
{
	struct yg_cedar_uid x = {0}, y = {0};
	bool uids[2] = {known_uid(c, &a[0], &x), known_uid(c, &a[1], &y)};
	bool literals[2] = {uids[0] || (single(&a[0]) && is_literal(top(c, &a[0]))),
			    uids[1] || (single(&a[1]) && is_literal(top(c, &a[1])))};
	if (literals[0] && literals[1]) {
		bool same = uids[0] && uids[1] ? yg_cedar_uid_eq(&x, &y)
					       : yg_cedar_code_same(c->code, a[0].code, a[1].code);
		return yg_cy_of_kind(same ? YG_CY_TRUE : YG_CY_FALSE);
	}
	if (a[0].type->kind == YG_CEDAR_ENTITY && a[1].type->kind == YG_CEDAR_ENTITY &&
	    !yg_sv_eq(a[0].type->name, a[1].type->name))
		return yg_cy_of_kind(YG_CY_FALSE);
	if (yg_cy_join(c, a[0].type, a[1].type) != NULL)
		return yg_cy_of_kind(YG_CEDAR_BOOL);
	if (c->bad == YG_OK)
		tell_differ(c, at, "both sides of ==", a[0].type, a[1].type);
	return NULL;
}

/* Of actions all is known: is this one below one of those? */
static const struct yg_cedar_type *action_in(struct yg_cy *c, const struct yg_cedar_uid *uid,
					     const struct yg_cy_value *b)
{
	const struct yg_cedar_action_type *a = yg_cedar_schema_action(c->schema, uid);
	const struct yg_cedar_op *op = top(c, b);
	struct yg_cy_value item = *b;
	struct yg_cedar_uid above = {0};
	uint32_t n = op->op == YG_CO_SET ? op->a : 1, k = b->code.end - 1;
	bool found = false;
	if (a == NULL)
		return NULL;
	if (op->op == YG_CO_SET && n > 0)
		k--;
	for (uint32_t i = 0; i < n; i++) {
		if (i > 0)
			k = yg_cedar_operand_before(c->code, k);
		item.code = (struct yg_cedar_range){yg_cedar_op(c->code, k)->first, k + 1};
		if (!known_uid(c, &item, &above))
			return NULL;
		found = found || yg_cedar_action_in(c->schema, a, &above);
	}
	return yg_cy_of_kind(found ? YG_CY_TRUE : YG_CY_FALSE);
}

static const struct yg_cedar_type *in(struct yg_cy *c, const struct yg_cy_value *a,
				      const struct yg_cy_value *b)
{
	const struct yg_cedar_type *above = b->type, *known = NULL;
	struct yg_cedar_uid uid = {0};
	if (above != NULL && above->kind == YG_CEDAR_SET)
		above = yg_cedar_type_of(above->element);
	if (above != NULL && above->kind != YG_CEDAR_ENTITY) {
		yg_cy_tell_kind(c, b, "an entity or a set of entities");
		above = NULL;
	}
	if (!yg_cy_need(c, a, YG_CEDAR_ENTITY) || above == NULL)
		return NULL;
	if (known_uid(c, a, &uid) && yg_cedar_is_action(uid.type))
		known = action_in(c, &uid, b);
	if (known != NULL)
		return known;
	return yg_cy_of_kind(yg_cy_may_be_in(c->schema, a->type->name, above->name) ? YG_CEDAR_BOOL
										    : YG_CY_FALSE);
}

/* ---- sets and records ---- */

static const struct yg_cedar_type *set_of(struct yg_cy *c, const struct yg_cedar_op *op,
					  const struct yg_cy_value *a, uint32_t n)
{
	const struct yg_cedar_type *inside = n > 0 ? a[0].type : NULL;
	if (n == 0)
		yg_cy_fault(c, op->at, false, "the type of an empty set cannot be known");
	for (uint32_t i = 1; i < n && inside != NULL; i++) {
		const struct yg_cedar_type *joined =
			a[i].type != NULL ? yg_cy_join(c, inside, a[i].type) : NULL;
		if (joined == NULL && a[i].type != NULL && c->bad == YG_OK)
			tell_differ(c, place(c, &a[i]), "elements of a set", inside, a[i].type);
		inside = joined;
	}
	struct yg_cedar_type *t = inside != NULL ? YG_NEW(c->arena, struct yg_cedar_type) : NULL,
			     *element = t != NULL ? YG_NEW(c->arena, struct yg_cedar_type) : NULL;
	if (inside != NULL && element == NULL)
		yg_cy_nomem(c);
	if (element == NULL)
		return NULL;
	element->same = inside;
	t->kind = YG_CEDAR_SET;
	t->element = element;
	return t;
}

static int by_key(const void *a, const void *b)
{
	const struct yg_cedar_type_field *x = a, *y = b;
	return yg_sv_cmp(x->key, y->key);
}

static const struct yg_cedar_type *record_of(struct yg_cy *c, const struct yg_cedar_op *op,
					     const struct yg_cy_value *a, uint32_t n)
{
	struct yg_cedar_type *t = YG_NEW(c->arena, struct yg_cedar_type),
			     *inside = YG_NEW_N(c->arena, struct yg_cedar_type, (size_t)n + 1);
	struct yg_cedar_type_field *fields =
		YG_NEW_N(c->arena, struct yg_cedar_type_field, (size_t)n + 1);
	if (t == NULL || inside == NULL || fields == NULL) {
		yg_cy_nomem(c);
		return NULL;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (a[i].type == NULL)
			return NULL;
		inside[i].same = a[i].type;
		fields[i] = (struct yg_cedar_type_field){
			.key = yg_cedar_code_str(c->code, yg_cedar_code_list(c->code, op->b + i)),
			.type = &inside[i],
			.required = true};
	}
	if (n > 1)
		qsort(fields, n, sizeof *fields, by_key);
	*t = (struct yg_cedar_type){.kind = YG_CEDAR_RECORD, .n = n, .fields = fields};
	return t;
}

static const struct yg_cedar_type *contains(struct yg_cy *c, const struct yg_cedar_op *op,
					    const struct yg_cy_value *a)
{
	bool element = op->op == YG_CO_CONTAINS, ok = yg_cy_need(c, &a[0], YG_CEDAR_SET);
	if (!element)
		ok = yg_cy_need(c, &a[1], YG_CEDAR_SET) && ok;
	if (!ok || a[1].type == NULL)
		return NULL;
	const struct yg_cedar_type *left =
		element ? yg_cedar_type_of(a[0].type->element) : a[0].type;
	if (yg_cy_join(c, left, a[1].type) != NULL)
		return yg_cy_of_kind(YG_CEDAR_BOOL);
	if (c->bad == YG_OK)
		tell_differ(c, op->at,
			    element ? "the elements and what is looked for" : "both sets", left,
			    a[1].type);
	return NULL;
}

/* ---- numbers, and the functions of extensions ---- */

static const struct yg_cedar_type *less(struct yg_cy *c, const struct yg_cy_value *a)
{
	for (int i = 0; i < 2; i++) {
		uint8_t kind = a[i].type != NULL ? a[i].type->kind : 0;
		if (kind != 0 && kind != YG_CEDAR_LONG && kind != YG_CEDAR_DATETIME &&
		    kind != YG_CEDAR_DURATION) {
			yg_cy_tell_kind(c, &a[i], "Long, datetime or duration");
			return NULL;
		}
	}
	return a[0].type != NULL && yg_cy_need(c, &a[1], a[0].type->kind)
		       ? yg_cy_of_kind(YG_CEDAR_BOOL)
		       : NULL;
}

/* A constructor takes a text that stands there, so that it is known to be one. */
static bool constructs(struct yg_cy *c, const struct yg_cedar_op *op, const struct yg_cy_value *a)
{
	const struct yg_cedar_fn_about *about = yg_cedar_fn_about((enum yg_cedar_fn)op->fn);
	const struct yg_cedar_op *text = top(c, a);
	struct yg_cedar_value v;
	struct yg_err why = {0};
	if (!single(a) || text->op != YG_CO_STRING) {
		yg_cy_fault(c, op->at, false, "%s takes a text in quotes, nothing else",
			    about->name.p);
		return false;
	}
	v = yg_cedar_string(yg_cedar_code_str(c->code, text->a));
	yg_status st = yg_cedar_call((enum yg_cedar_fn)op->fn, &v, 1, c->arena, &v, &why);
	if (st == YG_NOMEM)
		yg_cy_nomem(c);
	else if (st != YG_OK)
		yg_cy_fault(c, text->at, false, "%s", why.msg);
	return st == YG_OK;
}

static const struct yg_cedar_type *call(struct yg_cy *c, const struct yg_cedar_op *op,
					const struct yg_cy_value *a, uint32_t n)
{
	const struct yg_cedar_fn_about *about = yg_cedar_fn_about((enum yg_cedar_fn)op->fn);
	bool ok = n == about->args;
	if (!ok)
		yg_cy_fault(c, op->at, false, "%s takes %u arguments, not %u", about->name.p,
			    about->args - about->method, n - (about->method && n > 0));
	for (uint32_t i = 0; i < n && i < about->args; i++)
		ok = yg_cy_need(c, &a[i], about->arg[i]) && ok;
	if (ok && about->arg[0] == YG_CEDAR_STRING)
		ok = constructs(c, op, a);
	return ok ? yg_cy_of_kind(about->result) : NULL;
}

/* ---- all of it ---- */

static const struct yg_cedar_type *negated(struct yg_cy *c, const struct yg_cy_value *a)
{
	if (!yg_cy_need_bool(c, a) || a->type == NULL)
		return NULL;
	return yg_cy_of_kind(a->type->kind == YG_CY_TRUE    ? YG_CY_FALSE
			     : a->type->kind == YG_CY_FALSE ? YG_CY_TRUE
							    : YG_CEDAR_BOOL);
}

static const struct yg_cedar_type *is_type(struct yg_cy *c, const struct yg_cedar_op *op,
					   const struct yg_cy_value *a)
{
	if (!yg_cy_need(c, a, YG_CEDAR_ENTITY))
		return NULL;
	return yg_cy_of_kind(yg_sv_eq(a->type->name, yg_cedar_code_str(c->code, op->a))
				     ? YG_CY_TRUE
				     : YG_CY_FALSE);
}

/* An entity that nothing declares has no type; that it is not declared is told of all
 * names of a policy. */
static const struct yg_cedar_type *literal_uid(struct yg_cy *c, const struct yg_cedar_op *op)
{
	const struct yg_cedar_uid uid = {yg_cedar_code_str(c->code, op->a),
					 yg_cedar_code_str(c->code, op->b)};
	bool known = yg_cedar_is_action(uid.type)
			     ? yg_cedar_schema_action(c->schema, &uid) != NULL
			     : yg_cedar_schema_type(c->schema, uid.type) != NULL;
	return known ? yg_cy_entity(c, uid.type) : NULL;
}

static const struct yg_cedar_type *leaf(struct yg_cy *c, const struct yg_cedar_op *op)
{
	switch ((enum yg_cedar_opcode)op->op) {
	case YG_CO_FALSE: return yg_cy_of_kind(YG_CY_FALSE);
	case YG_CO_TRUE: return yg_cy_of_kind(YG_CY_TRUE);
	case YG_CO_LONG: return yg_cy_of_kind(YG_CEDAR_LONG);
	case YG_CO_STRING: return yg_cy_of_kind(YG_CEDAR_STRING);
	case YG_CO_UID: return literal_uid(c, op);
	case YG_CO_PRINCIPAL: return yg_cy_entity(c, c->principal);
	case YG_CO_RESOURCE: return yg_cy_entity(c, c->resource);
	case YG_CO_ACTION: return yg_cy_entity(c, c->action->uid.type);
	default: return yg_cedar_type_of(&c->action->context);
	}
}

static const struct yg_cedar_type *plain(struct yg_cy *c, const struct yg_cedar_op *op, uint32_t at,
					 const struct yg_cy_value *a, uint32_t n)
{
	switch ((enum yg_cedar_opcode)op->op) {
	case YG_CO_SET: return set_of(c, op, a, n);
	case YG_CO_RECORD: return record_of(c, op, a, n);
	case YG_CO_NOT: return negated(c, a);
	case YG_CO_NEG: return yg_cy_need(c, a, YG_CEDAR_LONG) ? a->type : NULL;
	case YG_CO_EQ: return a[0].type != NULL && a[1].type != NULL ? equal(c, a, op->at) : NULL;
	case YG_CO_NE: {
		struct yg_cy_value same = {.type = NULL, .code = {at, at + 1}};
		same.type = a[0].type != NULL && a[1].type != NULL ? equal(c, a, op->at) : NULL;
		return negated(c, &same);
	}
	case YG_CO_LT:
	case YG_CO_LE:
	case YG_CO_GT:
	case YG_CO_GE: return less(c, a);
	case YG_CO_IN:
	case YG_CO_IS_IN: return in(c, &a[0], &a[1]);
	case YG_CO_ADD:
	case YG_CO_SUB:
	case YG_CO_MUL:
		return yg_cy_need_both(c, a, YG_CEDAR_LONG, YG_CEDAR_LONG)
			       ? yg_cy_of_kind(YG_CEDAR_LONG)
			       : NULL;
	case YG_CO_ATTR: return yg_cy_member(c, op, a);
	case YG_CO_LIKE:
		return yg_cy_need(c, a, YG_CEDAR_STRING) ? yg_cy_of_kind(YG_CEDAR_BOOL) : NULL;
	case YG_CO_IS: return is_type(c, op, a);
	case YG_CO_CONTAINS:
	case YG_CO_CONTAINS_ALL:
	case YG_CO_CONTAINS_ANY: return contains(c, op, a);
	case YG_CO_IS_EMPTY:
		return yg_cy_need(c, a, YG_CEDAR_SET) ? yg_cy_of_kind(YG_CEDAR_BOOL) : NULL;
	case YG_CO_GET_TAG: return yg_cy_get_tag(c, op, a);
	case YG_CO_CALL: return call(c, op, a, n);
	default: return leaf(c, op);
	}
}

struct yg_cy_value yg_cy_op(struct yg_cy *c, const struct yg_cedar_op *op, uint32_t at,
			    const struct yg_cy_value *a, uint32_t n)
{
	if (op->op == YG_CO_HAS)
		return yg_cy_has(c, op, a);
	if (op->op == YG_CO_HAS_TAG)
		return yg_cy_has_tag(c, a);
	return (struct yg_cy_value){.type = plain(c, op, at, a, n)};
}
