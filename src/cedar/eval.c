#include "cedar/eval.h"

#include "cedar/eval_internal.h"
#include "cedar/ext.h"

yg_status yg_cedar_eval_init(struct yg_cedar_eval *e, const struct yg_cedar_code *code,
			     const struct yg_cedar_entities *entities,
			     const struct yg_cedar_request *request, uint32_t stack,
			     struct yg_arena *arena, struct yg_err *err)
{
	*e = (struct yg_cedar_eval){.code = code,
				    .entities = entities,
				    .request = request,
				    .arena = arena,
				    .steps = {.most = YG_CEDAR_STEPS_MAX}};
	uint32_t number;
	e->principal = yg_cedar_entity_find(entities, &request->principal, &number);
	e->action = yg_cedar_entity_find(entities, &request->action, &number);
	e->resource = yg_cedar_entity_find(entities, &request->resource, &number);
	e->stack = yg_arena_alloc(arena, (stack + (size_t)1) * sizeof *e->stack,
				  alignof(struct yg_cedar_value));
	return e->stack != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "no memory to evaluate a request");
}

static yg_status nomem(struct yg_err *err)
{
	return YG_FAIL(err, YG_NOMEM, "the request needs more memory than it may have");
}

/* ---- operands ---- */

static yg_status load(struct yg_cedar_eval *e, const struct yg_cedar_op *op,
		      struct yg_cedar_value *out, struct yg_err *err)
{
	switch (op->op) {
	case YG_CO_FALSE:
	case YG_CO_TRUE: *out = yg_cedar_bool(op->op == YG_CO_TRUE); break;
	case YG_CO_LONG: *out = yg_cedar_number(YG_CEDAR_LONG, yg_cedar_op_long(op)); break;
	case YG_CO_STRING: *out = yg_cedar_string(yg_cedar_code_str(e->code, op->a)); break;
	case YG_CO_UID: {
		struct yg_cedar_uid *uid = YG_NEW(e->arena, struct yg_cedar_uid);
		if (uid == NULL)
			return nomem(err);
		uid->type = yg_cedar_code_str(e->code, op->a);
		uid->id = yg_cedar_code_str(e->code, op->b);
		*out = yg_cedar_entity_value(uid);
		break;
	}
	case YG_CO_PRINCIPAL: *out = yg_cedar_entity_value(&e->request->principal); break;
	case YG_CO_ACTION: *out = yg_cedar_entity_value(&e->request->action); break;
	case YG_CO_RESOURCE: *out = yg_cedar_entity_value(&e->request->resource); break;
	default: *out = e->request->context; break;
	}
	return YG_OK;
}

/* n values of the stack as one; they stay in the arena. */
static yg_status load_set(struct yg_cedar_eval *e, uint32_t n, struct yg_cedar_value *out,
			  struct yg_err *err)
{
	struct yg_cedar_value *items = yg_arena_alloc(e->arena, n * sizeof *items, 8);
	if (items == NULL)
		return nomem(err);
	if (n > 0)
		memcpy(items, out, n * sizeof *items);
	return yg_cedar_set(items, n, &e->steps, out) == YG_OK
		       ? YG_OK
		       : YG_FAIL(err, YG_PARSE, "sets and records nested too deep");
}

static yg_status load_record(struct yg_cedar_eval *e, const struct yg_cedar_op *op,
			     struct yg_cedar_value *out, struct yg_err *err)
{
	struct yg_cedar_field *fields = yg_arena_alloc(e->arena, op->a * sizeof *fields, 8);
	if (fields == NULL)
		return nomem(err);
	for (uint32_t i = 0; i < op->a; i++)
		fields[i] = (struct yg_cedar_field){
			yg_cedar_code_str(e->code, yg_cedar_code_list(e->code, op->b + i)), out[i]};
	e->steps.made += op->a;
	return yg_cedar_record(fields, op->a, out) == YG_OK
		       ? YG_OK
		       : YG_FAIL(err, YG_PARSE, "sets and records nested too deep");
}

/* ---- operations ---- */

/* Texts of two lengths differ: what they say need not be looked at. */
static bool equal(struct yg_cedar_eval *e, const struct yg_cedar_value *a,
		  const struct yg_cedar_value *b)
{
	if (a->kind == YG_CEDAR_STRING && a->kind == b->kind && a->n != b->n)
		return false;
	return yg_cedar_eq(a, b, &e->steps);
}

/* One operation that does not jump, with its operands at *a, where the result goes. */
static yg_status run_one(struct yg_cedar_eval *e, const struct yg_cedar_op *op,
			 struct yg_cedar_value *a, struct yg_err *err)
{
	yg_status st;
	switch ((enum yg_cedar_opcode)op->op) {
	case YG_CO_SET: return load_set(e, op->a, a, err);
	case YG_CO_RECORD: return load_record(e, op, a, err);
	case YG_CO_NOT:
		st = yg_cv_need(a, YG_CEDAR_BOOL, err);
		*a = yg_cedar_bool(a->i == 0);
		return st;
	case YG_CO_EQ:
	case YG_CO_NE:
		*a = yg_cedar_bool(equal(e, &a[0], &a[1]) == (op->op == YG_CO_EQ));
		return YG_OK;
	case YG_CO_LT:
	case YG_CO_LE:
	case YG_CO_GT:
	case YG_CO_GE: return yg_cv_less(op, a, a, err);
	case YG_CO_NEG:
	case YG_CO_ADD:
	case YG_CO_SUB:
	case YG_CO_MUL: return yg_cv_arith(op, a, a, err);
	case YG_CO_IN:
	case YG_CO_IS_IN: return yg_cv_in(e, a, a, err);
	case YG_CO_ATTR: return yg_cv_attr(e, op, a, a, err);
	case YG_CO_HAS: return yg_cv_has(e, op, a, a, err);
	case YG_CO_LIKE:
		st = yg_cv_need(a, YG_CEDAR_STRING, err);
		if (st == YG_OK)
			*a = yg_cedar_bool(yg_cedar_like(
				yg_cedar_str(a), yg_cedar_code_str(e->code, op->a), &e->steps));
		return st;
	case YG_CO_IS:
		st = yg_cv_need(a, YG_CEDAR_ENTITY, err);
		if (st == YG_OK)
			*a = yg_cedar_bool(
				yg_sv_eq(a->uid->type, yg_cedar_code_str(e->code, op->a)));
		return st;
	case YG_CO_CONTAINS:
	case YG_CO_CONTAINS_ALL:
	case YG_CO_CONTAINS_ANY:
	case YG_CO_IS_EMPTY: return yg_cv_sets(e, op, a, a, err);
	case YG_CO_GET_TAG:
	case YG_CO_HAS_TAG: return yg_cv_tag(e, op, a, a, err);
	case YG_CO_CALL:
		if (a->kind == YG_CEDAR_STRING) /* a constructor goes through it */
			yg_cedar_step(&e->steps, a->n);
		return yg_cedar_call((enum yg_cedar_fn)op->fn, a, op->a, e->arena, a, err);
	default: return load(e, op, a, err);
	}
}

/* A jump, with the value that it looks at on top: where to go on, and whether that
 * value goes. */
static yg_status decide(struct yg_cedar_eval *e, const struct yg_cedar_op *op,
			struct yg_cedar_value *v, bool *out_jump, bool *out_pop, struct yg_err *err)
{
	yg_status st;
	*out_pop = false;
	if (op->op == YG_CO_J_END) { /* the second operand is the answer */
		*out_jump = true;
		return YG_OK;
	}
	if (op->op == YG_CO_J_NOT_IS) {
		st = yg_cv_need(v, YG_CEDAR_ENTITY, err);
		*out_jump =
			st == YG_OK && !yg_sv_eq(v->uid->type, yg_cedar_code_str(e->code, op->b));
		if (*out_jump)
			*v = yg_cedar_bool(false);
		return st;
	}
	st = yg_cv_need(v, YG_CEDAR_BOOL, err);
	*out_jump = (v->i != 0) == (op->op == YG_CO_J_TRUE);
	/* && and || keep the value when it decides; if never does */
	*out_pop = op->op == YG_CO_J_ELSE || !*out_jump;
	return st;
}

yg_status yg_cedar_eval(struct yg_cedar_eval *e, struct yg_cedar_range code,
			struct yg_cedar_value *out, struct yg_err *err)
{
	struct yg_cedar_value *top = e->stack; /* behind the last value */
	for (uint32_t i = code.first; i < code.end;) {
		const struct yg_cedar_op *op = yg_cedar_op(e->code, i++);
		yg_status st;
		if (op->op >= YG_CO_J_FALSE) {
			bool jump, pop;
			st = decide(e, op, top - 1, &jump, &pop, err);
			top -= pop;
			i = jump ? op->a : i;
		} else if (op->op == YG_CO_IF) {
			continue; /* one of its operands is the answer, and on top */
		} else if (op->op == YG_CO_AND || op->op == YG_CO_OR) {
			st = yg_cv_need(top - 1, YG_CEDAR_BOOL, err); /* so is the right one */
		} else {
			uint32_t n = yg_cedar_op_operands(op);
			struct yg_cedar_value *a = top - n;
			st = run_one(e, op, a, err);
			top = a + 1;
		}
		yg_cedar_step(&e->steps, 0);
		if (yg_cedar_steps_out(&e->steps)) /* then *a is no answer, and no error is one */
			return YG_FAIL(err, YG_LIMIT, "the request needs more than %llu steps",
				       (unsigned long long)e->steps.most);
		if (st != YG_OK)
			return st;
	}
	*out = e->stack[0];
	return YG_OK;
}

yg_status yg_cedar_eval_bool(struct yg_cedar_eval *e, struct yg_cedar_range code, bool *out,
			     struct yg_err *err)
{
	struct yg_cedar_value v;
	yg_status st = yg_cedar_eval(e, code, &v, err);
	if (st == YG_OK)
		st = yg_cv_need(&v, YG_CEDAR_BOOL, err);
	*out = st == YG_OK && v.i != 0;
	return st;
}
