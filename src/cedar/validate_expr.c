/* validate_expr.c - goes through an expression as evaluating it would, with types instead
 * of values: what can never be reached is not looked at. */
#include "cedar/validate_internal.h"

struct yg_cy_frame {
	struct yg_cy_value first;      /* left side, or condition */
	struct yg_cy_value then;       /* of an if */
	const struct yg_cy_gain *gave; /* known inside of it, for what stands before */
	bool no_then;                  /* the condition is never true */
};

static struct yg_cy_value *push(struct yg_cy *c, struct yg_cy_value v)
{
	struct yg_cy_value *to = yg_vec_add(&c->values, sizeof *to);
	if (to == NULL)
		yg_cy_nomem(c);
	else
		*to = v;
	return to;
}

static struct yg_cy_value pop(struct yg_cy *c)
{
	return ((struct yg_cy_value *)c->values.p)[--c->values.n];
}

static struct yg_cy_frame *open_frame(struct yg_cy *c, struct yg_cy_value first)
{
	struct yg_cy_frame *f = yg_vec_add(&c->frames, sizeof *f);
	if (f == NULL)
		yg_cy_nomem(c);
	else
		*f = (struct yg_cy_frame){.first = first};
	return f;
}

static struct yg_cy_frame close_frame(struct yg_cy *c)
{
	struct yg_cy_frame f = ((struct yg_cy_frame *)c->frames.p)[--c->frames.n];
	yg_cy_unlearn(c, f.gave);
	return f;
}

static void teach(struct yg_cy *c, struct yg_cy_frame *f, const struct yg_cy_gain *gains)
{
	f->gave = gains;
	yg_cy_learn(c, gains);
}

bool yg_cy_need_bool(struct yg_cy *c, const struct yg_cy_value *v)
{
	char text[160];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	if (v->type == NULL || yg_cy_is_bool(v->type))
		return v->type != NULL;
	yg_cy_put_type(&b, v->type);
	yg_cy_fault(c, yg_cedar_op(c->code, v->code.end - 1)->at, false,
		    "expected Bool, but this is %s", yg_sb_cstr(&b));
	return false;
}

static bool is(const struct yg_cy_value *v, uint8_t kind)
{
	return v->type != NULL && v->type->kind == kind;
}

/* ---- jumps: the operation to go on at ---- */

/* Of && and ||: with a left side that decides alone the right one is not looked at. */
static uint32_t jump_row(struct yg_cy *c, const struct yg_cedar_op *op, uint32_t at)
{
	bool conj = op->op == YG_CO_J_FALSE;
	struct yg_cy_value left = pop(c);
	if (!yg_cy_need_bool(c, &left))
		left.type = NULL;
	if (is(&left, conj ? YG_CY_FALSE : YG_CY_TRUE)) {
		left.gains = conj ? NULL : left.gains;
		left.code.end = op->a;
		(void)push(c, left);
		return op->a;
	}
	struct yg_cy_frame *f = open_frame(c, left);
	if (f != NULL && conj)
		teach(c, f, left.gains);
	return at + 1;
}

static uint32_t jump_else(struct yg_cy *c, const struct yg_cedar_op *op, uint32_t at)
{
	struct yg_cy_value condition = pop(c);
	if (!yg_cy_need_bool(c, &condition))
		condition.type = NULL;
	struct yg_cy_frame *f = open_frame(c, condition);
	if (f == NULL)
		return at + 1;
	f->no_then = is(&condition, YG_CY_FALSE);
	if (!f->no_then)
		teach(c, f, condition.gains);
	return f->no_then ? op->a : at + 1;
}

static uint32_t jump_end(struct yg_cy *c, const struct yg_cedar_op *op, uint32_t at)
{
	struct yg_cy_frame *f = (struct yg_cy_frame *)c->frames.p + c->frames.n - 1;
	struct yg_cy_value then = pop(c);
	then.gains = yg_cy_either(c, f->first.gains, then.gains);
	then.code = (struct yg_cedar_range){f->first.code.first, op->a};
	yg_cy_unlearn(c, f->gave);
	f->gave = NULL;
	if (is(&f->first, YG_CY_TRUE)) {
		(void)close_frame(c);
		(void)push(c, then);
		return op->a;
	}
	f->then = then;
	return at + 1;
}

/* Of `x is T in y`: y is not looked at when x is of another type. */
static uint32_t jump_is(struct yg_cy *c, const struct yg_cedar_op *op, uint32_t at)
{
	struct yg_cy_value v = pop(c);
	const struct yg_cedar_op is_op = {.op = YG_CO_IS, .a = op->b, .at = op->at};
	struct yg_cy_value tested = yg_cy_op(c, &is_op, at, &v, 1);
	if (is(&tested, YG_CY_FALSE)) {
		tested.code = (struct yg_cedar_range){v.code.first, op->a};
		(void)push(c, tested);
		return op->a;
	}
	if (tested.type == NULL)
		v.type = NULL;
	(void)push(c, v);
	return at + 1;
}

/* ---- what ends a frame ---- */

static struct yg_cy_value row(struct yg_cy *c, const struct yg_cedar_op *op)
{
	bool conj = op->op == YG_CO_AND;
	uint8_t decides = conj ? YG_CY_FALSE : YG_CY_TRUE, passes = conj ? YG_CY_TRUE : YG_CY_FALSE;
	struct yg_cy_value right = pop(c), out = right;
	struct yg_cy_frame f = close_frame(c);
	const struct yg_cy_value *left = &f.first;
	if (!yg_cy_need_bool(c, &right) || left->type == NULL) {
		out.type = NULL;
		out.gains = NULL;
		return out;
	}
	if (is(&right, decides)) {
		out.type = right.type;
		out.gains = conj ? NULL : right.gains;
		return out;
	}
	if (conj)
		out.gains = yg_cy_either(c, left->gains, right.gains);
	else if (is(left, passes))
		out.gains = right.gains;
	else if (is(&right, passes))
		out.gains = left->gains;
	else
		out.gains = yg_cy_both(c, left->gains, right.gains);
	out.type = is(left, passes)     ? right.type
		   : is(&right, passes) ? left->type
					: yg_cy_of_kind(YG_CEDAR_BOOL);
	return out;
}

static struct yg_cy_value choice(struct yg_cy *c, const struct yg_cedar_op *op)
{
	struct yg_cy_value no = pop(c), out = no;
	struct yg_cy_frame f = close_frame(c);
	if (f.no_then)
		return out;
	out.gains = yg_cy_both(c, f.then.gains, no.gains);
	out.type = f.then.type != NULL && no.type != NULL && f.first.type != NULL
			   ? yg_cy_join(c, f.then.type, no.type)
			   : NULL;
	if (out.type == NULL && f.then.type != NULL && no.type != NULL && c->bad == YG_OK) {
		char text[2][160];
		struct yg_sb a = yg_sb_init(text[0], sizeof text[0]),
			     b = yg_sb_init(text[1], sizeof text[1]);
		yg_cy_put_type(&a, f.then.type);
		yg_cy_put_type(&b, no.type);
		if (f.first.type != NULL)
			yg_cy_fault(c, op->at, false,
				    "`then` is %s and `else` is %s: both must be the same type",
				    yg_sb_cstr(&a), yg_sb_cstr(&b));
	}
	return out;
}

static uint32_t step(struct yg_cy *c, uint32_t at)
{
	const struct yg_cedar_op *op = yg_cedar_op(c->code, at);
	struct yg_cy_value v;
	yg_cy_work(c, 1);
	switch ((enum yg_cedar_opcode)op->op) {
	case YG_CO_J_FALSE:
	case YG_CO_J_TRUE: return jump_row(c, op, at);
	case YG_CO_J_ELSE: return jump_else(c, op, at);
	case YG_CO_J_END: return jump_end(c, op, at);
	case YG_CO_J_NOT_IS: return jump_is(c, op, at);
	case YG_CO_AND:
	case YG_CO_OR: v = row(c, op); break;
	case YG_CO_IF: v = choice(c, op); break;
	default: {
		uint32_t n = yg_cedar_op_operands(op);
		c->values.n -= n;
		v = yg_cy_op(c, op, at, (struct yg_cy_value *)c->values.p + c->values.n, n);
	}
	}
	v.code = (struct yg_cedar_range){op->first, at + 1};
	(void)push(c, v);
	return at + 1;
}

struct yg_cy_value yg_cy_expression(struct yg_cy *c, struct yg_cedar_range code)
{
	c->values.n = c->frames.n = 0;
	for (uint32_t at = code.first; at < code.end && c->bad == YG_OK;)
		at = step(c, at);
	return c->bad == YG_OK ? pop(c) : (struct yg_cy_value){.type = NULL};
}
