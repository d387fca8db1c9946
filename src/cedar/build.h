/* build.h - puts expressions together, operand by operand; for whoever reads them
 * (text, JSON).  The builder knows where each operand begins and fills jumps in. */
#pragma once
#include "cedar/code.h"

struct yg_cedar_build {
	struct yg_cedar_code *code; /* borrowed */
	struct yg_vec starts;       /* uint32_t: where the operands that are not used yet begin */
	uint32_t from;              /* first operation of the expression at hand */
	uint32_t at;                /* offset in the text of what comes next */
	yg_status bad;              /* sticky */
	struct yg_err *err;         /* borrowed; why, when `bad` is set */
};

void yg_cedar_build_init(struct yg_cedar_build *b, struct yg_cedar_code *code, struct yg_err *err);
void yg_cedar_build_free(struct yg_cedar_build *b);
/* An expression begins; what an unfinished one left is dropped. */
void yg_cedar_build_begin(struct yg_cedar_build *b);
/* YG_OK when one whole value is there.  YG_LIMIT: it holds too many values. */
yg_status yg_cedar_build_end(struct yg_cedar_build *b, struct yg_cedar_range *out,
			     uint32_t *out_stack);

/* An operation with the last so many operands; its `first` and `at` are filled in. */
void yg_cedar_put(struct yg_cedar_build *b, struct yg_cedar_op op);
void yg_cedar_put_long(struct yg_cedar_build *b, int64_t v);
/* The text is copied. */
uint32_t yg_cedar_put_string(struct yg_cedar_build *b, struct yg_sv s);
/* A jump that yg_cedar_land() fills in: goes to what comes next. */
uint32_t yg_cedar_jump(struct yg_cedar_build *b, enum yg_cedar_opcode op, uint32_t type);
void yg_cedar_land(struct yg_cedar_build *b, uint32_t jump);
