#include "cedar/code.h"

#include <stdlib.h>

#include "cedar/ext.h"
#include "snapshot/hashset.h"

void yg_cedar_code_init(struct yg_cedar_code *code, size_t limit)
{
	*code = (struct yg_cedar_code){.ops = {NULL, 0, 0}};
	yg_arena_init(&code->arena, limit);
}

void yg_cedar_code_free(struct yg_cedar_code *code)
{
	free(code->ops.p);
	free(code->strings.p);
	free(code->lists.p);
	yg_arena_free(&code->arena);
	code->ops = code->strings = code->lists = (struct yg_vec){NULL, 0, 0};
}

yg_status yg_cedar_code_string(struct yg_cedar_code *code, struct yg_sv s, uint32_t *out,
			       struct yg_err *err)
{
	struct yg_sv *to =
		code->strings.n < UINT32_MAX ? yg_vec_add(&code->strings, sizeof *to) : NULL;
	if (to == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for policies");
	*to = s;
	*out = (uint32_t)(code->strings.n - 1);
	return YG_OK;
}

yg_status yg_cedar_code_op(struct yg_cedar_code *code, struct yg_cedar_op op, struct yg_err *err)
{
	struct yg_cedar_op *to =
		code->ops.n < UINT32_MAX ? yg_vec_add(&code->ops, sizeof *to) : NULL;
	if (to == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for policies");
	*to = op;
	return YG_OK;
}

yg_status yg_cedar_code_item(struct yg_cedar_code *code, uint32_t string, struct yg_err *err)
{
	uint32_t *to = code->lists.n < UINT32_MAX ? yg_vec_add(&code->lists, sizeof *to) : NULL;
	if (to == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for policies");
	*to = string;
	return YG_OK;
}

static const struct {
	const char *text;
	uint8_t operands;
} table[] = {
#define X(name, n, text) {text, n},
	YG_CEDAR_OP_MAP(X)
#undef X
};

const char *yg_cedar_op_text(enum yg_cedar_opcode op)
{
	return (size_t)op < YG_LEN(table) ? table[op].text : "";
}

uint32_t yg_cedar_op_operands(const struct yg_cedar_op *op)
{
	return op->op == YG_CO_SET || op->op == YG_CO_RECORD || op->op == YG_CO_CALL
		       ? op->a
		       : table[op->op].operands;
}

static bool same_string(const struct yg_cedar_code *code, uint32_t a, uint32_t b)
{
	return yg_sv_eq(yg_cedar_code_str(code, a), yg_cedar_code_str(code, b));
}

/* Texts by what they say, targets of jumps by how far they are. */
static bool same_op(const struct yg_cedar_code *code, uint32_t i, uint32_t k)
{
	const struct yg_cedar_op *x = yg_cedar_op(code, i), *y = yg_cedar_op(code, k);
	if (x->op != y->op || x->fn != y->fn)
		return false;
	switch ((enum yg_cedar_opcode)x->op) {
	case YG_CO_STRING:
	case YG_CO_ATTR:
	case YG_CO_LIKE:
	case YG_CO_IS:
	case YG_CO_IS_IN: return same_string(code, x->a, y->a);
	case YG_CO_UID: return same_string(code, x->a, y->a) && same_string(code, x->b, y->b);
	case YG_CO_LONG: return x->a == y->a && x->b == y->b;
	case YG_CO_J_FALSE:
	case YG_CO_J_TRUE:
	case YG_CO_J_ELSE:
	case YG_CO_J_END: return x->a - i == y->a - k;
	case YG_CO_J_NOT_IS: return x->a - i == y->a - k && same_string(code, x->b, y->b);
	case YG_CO_HAS:
	case YG_CO_RECORD:
		for (uint32_t n = 0; x->a == y->a && n < x->a; n++)
			if (!same_string(code, yg_cedar_code_list(code, x->b + n),
					 yg_cedar_code_list(code, y->b + n)))
				return false;
		return x->a == y->a;
	default: return x->a == y->a;
	}
}

bool yg_cedar_code_same(const struct yg_cedar_code *code, struct yg_cedar_range a,
			struct yg_cedar_range b)
{
	bool same = a.end - a.first == b.end - b.first;
	for (uint32_t i = 0; same && i < a.end - a.first; i++)
		same = same_op(code, a.first + i, b.first + i);
	return same;
}

uint64_t yg_cedar_code_hash(const struct yg_cedar_code *code, struct yg_cedar_range range)
{
	static const struct yg_hash_key key = {{3, 4}};
	uint64_t hash = range.end - range.first;
	for (uint32_t i = range.first; i < range.end; i++) {
		const struct yg_cedar_op *op = yg_cedar_op(code, i);
		struct yg_sv text = {NULL, 0};
		if (op->op == YG_CO_STRING || op->op == YG_CO_ATTR || op->op == YG_CO_UID)
			text = yg_cedar_code_str(code, op->op == YG_CO_UID ? op->b : op->a);
		hash = yg_hash_more(&key, hash ^ op->op, text.p, text.n);
	}
	return hash;
}

/* ---- the check ---- */

/* A jump that was met and whose end was not: of &&, || and is .. in the operation
 * itself, of if first where its third operand begins. */
struct open_jump {
	uint32_t target;
	uint32_t first;  /* where the first operand begins */
	uint32_t height; /* of the stack behind the first operand */
	uint8_t op;
	bool is_else; /* J_ELSE whose J_END was met */
	uint32_t end; /* of it */
};
struct checking {
	const struct yg_cedar_code *code;
	struct yg_cedar_range range;
	uint32_t height, opened, most; /* most: height that was reached */
	struct open_jump open[YG_CEDAR_NEST_MAX];
	uint32_t starts[YG_CEDAR_STACK_MAX]; /* where each value's operations begin */
};

static bool numbers_ok(const struct yg_cedar_code *code, const struct yg_cedar_op *op)
{
	size_t strings = code->strings.n, lists = code->lists.n;
	switch ((enum yg_cedar_opcode)op->op) {
	case YG_CO_STRING:
	case YG_CO_ATTR:
	case YG_CO_LIKE:
	case YG_CO_IS:
	case YG_CO_IS_IN: return op->a < strings;
	case YG_CO_J_NOT_IS: return op->b < strings;
	case YG_CO_UID: return op->a < strings && op->b < strings;
	case YG_CO_CALL: return op->fn < YG_CF_COUNT;
	case YG_CO_HAS:
	case YG_CO_RECORD:
		if (op->b > lists || op->a > lists - op->b || (op->op == YG_CO_HAS && op->a == 0))
			return false;
		for (uint32_t i = 0; i < op->a; i++)
			if (yg_cedar_code_list(code, op->b + i) >= strings)
				return false;
		return true;
	default: return op->op < YG_CO_COUNT;
	}
}

/* Values below this belong to what is outside of the operand at hand. */
static uint32_t floor_of(const struct checking *c)
{
	if (c->opened == 0)
		return 0;
	const struct open_jump *j = &c->open[c->opened - 1];
	return j->height - (j->op != YG_CO_J_NOT_IS);
}

static bool open_one(struct checking *c, uint32_t at, const struct yg_cedar_op *op)
{
	if (c->height == 0 || c->height <= floor_of(c) || c->opened == YG_CEDAR_NEST_MAX ||
	    op->a <= at || op->a > c->range.end)
		return false;
	c->open[c->opened++] = (struct open_jump){.target = op->a,
						  .first = c->starts[c->height - 1],
						  .height = c->height,
						  .op = op->op};
	/* && and || decide by it, if takes it away; is .. in keeps it for its `in` */
	c->height -= op->op != YG_CO_J_NOT_IS;
	return true;
}

static bool turn_else(struct checking *c, uint32_t at, const struct yg_cedar_op *op)
{
	struct open_jump *j = c->opened > 0 ? &c->open[c->opened - 1] : NULL;
	if (j == NULL || j->op != YG_CO_J_ELSE || j->is_else || j->target != at + 1 ||
	    c->height != j->height || op->a <= at || op->a > c->range.end)
		return false;
	j->is_else = true;
	j->end = op->a;
	c->height--;
	return true;
}

/* An operation with a jump among its operands: it must be the one that this was for. */
static bool close_one(struct checking *c, uint32_t at, uint8_t jump, uint32_t *first)
{
	struct open_jump *j = c->opened > 0 ? &c->open[--c->opened] : NULL;
	bool both = jump == YG_CO_J_NOT_IS;
	if (j == NULL || j->op != jump || c->height != j->height + both)
		return false;
	if ((jump == YG_CO_J_ELSE ? j->end : j->target) != at + 1 ||
	    (jump == YG_CO_J_ELSE) != j->is_else)
		return false;
	c->height = j->height - 1;
	*first = j->first;
	return true;
}

static bool check_one(struct checking *c, uint32_t at)
{
	const struct yg_cedar_op *op = yg_cedar_op(c->code, at);
	uint32_t first = at;
	if (!numbers_ok(c->code, op))
		return false;
	switch ((enum yg_cedar_opcode)op->op) {
	case YG_CO_J_FALSE:
	case YG_CO_J_TRUE:
	case YG_CO_J_ELSE:
	case YG_CO_J_NOT_IS: return open_one(c, at, op);
	case YG_CO_J_END: return turn_else(c, at, op);
	case YG_CO_AND:
		if (!close_one(c, at, YG_CO_J_FALSE, &first))
			return false;
		break;
	case YG_CO_OR:
		if (!close_one(c, at, YG_CO_J_TRUE, &first))
			return false;
		break;
	case YG_CO_IF:
		if (!close_one(c, at, YG_CO_J_ELSE, &first))
			return false;
		break;
	case YG_CO_IS_IN:
		if (!close_one(c, at, YG_CO_J_NOT_IS, &first))
			return false;
		break;
	default: {
		uint32_t n = yg_cedar_op_operands(op);
		if (n > c->height - floor_of(c) || (n == 0 && c->height == YG_CEDAR_STACK_MAX))
			return false;
		c->height -= n;
		if (n > 0)
			first = c->starts[c->height];
	}
	}
	c->starts[c->height++] = first;
	c->most = YG_MAX(c->most, c->height);
	return op->first == first;
}

yg_status yg_cedar_code_check(const struct yg_cedar_code *code, struct yg_cedar_range range,
			      uint32_t *out_stack, struct yg_err *err)
{
	struct checking *c = malloc(sizeof *c); /* large, and only its beginning is used */
	bool ok = range.first < range.end && range.end <= code->ops.n;
	if (c == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory to check an expression");
	c->code = code;
	c->range = range;
	c->height = c->opened = c->most = 0;
	for (uint32_t i = range.first; ok && i < range.end; i++)
		ok = check_one(c, i);
	ok = ok && c->height == 1 && c->opened == 0;
	*out_stack = c->most;
	free(c);
	return ok ? YG_OK : YG_FAIL(err, YG_CORRUPT, "an expression that is not whole");
}
