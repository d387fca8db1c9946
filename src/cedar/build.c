#include "cedar/build.h"

#include <stdlib.h>

void yg_cedar_build_init(struct yg_cedar_build *b, struct yg_cedar_code *code, struct yg_err *err)
{
	*b = (struct yg_cedar_build){.code = code, .err = err};
	yg_cedar_build_begin(b);
}

void yg_cedar_build_free(struct yg_cedar_build *b)
{
	free(b->starts.p);
	b->starts = (struct yg_vec){NULL, 0, 0};
}

void yg_cedar_build_begin(struct yg_cedar_build *b)
{
	b->starts.n = 0;
	b->from = (uint32_t)b->code->ops.n;
}

yg_status yg_cedar_build_end(struct yg_cedar_build *b, struct yg_cedar_range *out,
			     uint32_t *out_stack)
{
	*out = (struct yg_cedar_range){b->from, (uint32_t)b->code->ops.n};
	if (b->bad != YG_OK)
		return b->bad;
	yg_status st = yg_cedar_code_check(b->code, *out, out_stack, b->err);
	if (st == YG_CORRUPT) /* put together here, so that only a bound can be the reason */
		st = YG_FAIL(b->err, YG_LIMIT,
			     "an expression with more than %d values or %d nested operators",
			     YG_CEDAR_STACK_MAX, YG_CEDAR_NEST_MAX);
	return st;
}

void yg_cedar_put(struct yg_cedar_build *b, struct yg_cedar_op op)
{
	uint32_t n = yg_cedar_op_operands(&op), *starts;
	if (b->bad != YG_OK)
		return;
	op.first = (uint32_t)b->code->ops.n;
	op.at = b->at;
	if (n > 0) {
		b->starts.n -= n;
		op.first = ((uint32_t *)b->starts.p)[b->starts.n];
	}
	b->bad = yg_cedar_code_op(b->code, op, b->err);
	starts = b->bad == YG_OK ? yg_vec_add(&b->starts, sizeof *starts) : NULL;
	if (starts != NULL)
		*starts = op.first;
	else if (b->bad == YG_OK)
		b->bad = YG_FAIL(b->err, YG_NOMEM, "no memory for an expression");
}

void yg_cedar_put_long(struct yg_cedar_build *b, int64_t v)
{
	yg_cedar_put(b, (struct yg_cedar_op){.op = YG_CO_LONG,
					     .a = (uint32_t)(uint64_t)v,
					     .b = (uint32_t)((uint64_t)v >> 32)});
}

uint32_t yg_cedar_put_string(struct yg_cedar_build *b, struct yg_sv s)
{
	uint32_t i = 0;
	struct yg_sv kept = yg_arena_dup(&b->code->arena, s);
	if (b->bad == YG_OK && kept.p == NULL)
		b->bad = YG_FAIL(b->err, YG_NOMEM, "no memory for policies");
	if (b->bad == YG_OK)
		b->bad = yg_cedar_code_string(b->code, kept, &i, b->err);
	return i;
}

uint32_t yg_cedar_jump(struct yg_cedar_build *b, enum yg_cedar_opcode op, uint32_t type)
{
	uint32_t i = (uint32_t)b->code->ops.n;
	if (b->bad == YG_OK)
		b->bad = yg_cedar_code_op(
			b->code,
			(struct yg_cedar_op){.op = (uint8_t)op, .b = type, .first = i, .at = b->at},
			b->err);
	return i;
}

void yg_cedar_land(struct yg_cedar_build *b, uint32_t jump)
{
	if (b->bad == YG_OK)
		((struct yg_cedar_op *)b->code->ops.p)[jump].a = (uint32_t)b->code->ops.n;
}
