/* code.h - expressions in the one form that everything works on: operations in
 * postfix order, in one array, with numbers instead of pointers.
 *
 * The evaluator runs over the array with a stack of values; whoever wants a tree
 * (a printer, a validator) goes backwards from an operation: `first` says where
 * what belongs to it begins, so its last operand ends right before it, the one
 * before ends where that one begins, and so on.  Between the operands of && || if
 * and `is .. in` stand operations that jump, which have no operand of their own.
 */
#pragma once
#include "cedar/value.h"
#include "snapshot/intern.h"

#define YG_CEDAR_STACK_MAX 65536 /* values that one expression holds at a time: a large set */
#define YG_CEDAR_NEST_MAX  1024  /* && || if and `is .. in` that are open at a time */

/* name, operands, text */
/* clang-format off */
#define YG_CEDAR_OP_MAP(X)                                                      \
	X(FALSE, 0, "false")                                                    \
	X(TRUE, 0, "true")                                                      \
	X(LONG, 0, "")            /* a, b: low and high half */                 \
	X(STRING, 0, "")          /* a: string */                               \
	X(UID, 0, "")             /* a: type, b: id */                          \
	X(PRINCIPAL, 0, "principal")                                            \
	X(ACTION, 0, "action")                                                  \
	X(RESOURCE, 0, "resource")                                              \
	X(CONTEXT, 0, "context")                                                \
	X(SET, 0, "")             /* a: that many operands */                   \
	X(RECORD, 0, "")          /* a: that many operands, b: list of keys */  \
	X(NOT, 1, "!")                                                          \
	X(NEG, 1, "-")                                                          \
	X(EQ, 2, "==")                                                          \
	X(NE, 2, "!=")                                                          \
	X(LT, 2, "<")                                                           \
	X(LE, 2, "<=")                                                          \
	X(GT, 2, ">")                                                           \
	X(GE, 2, ">=")                                                          \
	X(IN, 2, "in")                                                          \
	X(ADD, 2, "+")                                                          \
	X(SUB, 2, "-")                                                          \
	X(MUL, 2, "*")                                                          \
	X(AND, 2, "&&")                                                         \
	X(OR, 2, "||")                                                          \
	X(IF, 3, "if")                                                          \
	X(ATTR, 1, ".")           /* a: string */                               \
	X(HAS, 1, "has")          /* a: length of the path, b: list */          \
	X(LIKE, 1, "like")        /* a: string; YG_CEDAR_WILDCARD is * */       \
	X(IS, 1, "is")            /* a: type */                                 \
	X(IS_IN, 2, "is")         /* a: type */                                 \
	X(CONTAINS, 2, "contains")                                              \
	X(CONTAINS_ALL, 2, "containsAll")                                       \
	X(CONTAINS_ANY, 2, "containsAny")                                       \
	X(IS_EMPTY, 1, "isEmpty")                                               \
	X(GET_TAG, 2, "getTag")                                                 \
	X(HAS_TAG, 2, "hasTag")                                                 \
	X(CALL, 0, "")            /* a: that many operands, fn: which */        \
	/* jumps: a is the operation to go on at */                             \
	X(J_FALSE, 0, "")         /* of &&: over it with false */               \
	X(J_TRUE, 0, "")          /* of ||: over it with true */                \
	X(J_ELSE, 0, "")          /* of if: to the third operand */             \
	X(J_END, 0, "")           /* of if: over it with the second */          \
	X(J_NOT_IS, 0, "")        /* of is .. in: over it with false; b: type */
/* clang-format on */
enum yg_cedar_opcode {
#define X(name, n, text) YG_CO_##name,
	YG_CEDAR_OP_MAP(X)
#undef X
		YG_CO_COUNT
};

struct yg_cedar_op {
	uint8_t op; /* enum yg_cedar_opcode */
	uint8_t fn; /* enum yg_cedar_fn (ext.h) */
	uint16_t reserved;
	uint32_t a, b;
	uint32_t first; /* where its operands begin; itself when it has none */
	uint32_t at;    /* offset in the text it was read from */
};

/* Stands for * in the text of a pattern: no byte of UTF-8. */
#define YG_CEDAR_WILDCARD '\xff'

/* What many expressions share. */
struct yg_cedar_code {
	struct yg_vec ops;     /* struct yg_cedar_op */
	struct yg_vec strings; /* struct yg_sv, in `arena` */
	struct yg_vec lists;   /* uint32_t: strings, one list behind the other */
	struct yg_arena arena; /* owned */
};
struct yg_cedar_range {
	uint32_t first, end; /* operations of one expression */
};

void yg_cedar_code_init(struct yg_cedar_code *code, size_t limit);
void yg_cedar_code_free(struct yg_cedar_code *code);
static inline const struct yg_cedar_op *yg_cedar_op(const struct yg_cedar_code *code, uint32_t i)
{
	return (const struct yg_cedar_op *)code->ops.p + i;
}
static inline struct yg_sv yg_cedar_code_str(const struct yg_cedar_code *code, uint32_t i)
{
	return ((const struct yg_sv *)code->strings.p)[i];
}
static inline uint32_t yg_cedar_code_list(const struct yg_cedar_code *code, uint32_t i)
{
	return ((const uint32_t *)code->lists.p)[i];
}
/* Adds; the text must be in the code's arena already.  YG_OK | YG_NOMEM. */
yg_status yg_cedar_code_string(struct yg_cedar_code *code, struct yg_sv s, uint32_t *out,
			       struct yg_err *err);
yg_status yg_cedar_code_op(struct yg_cedar_code *code, struct yg_cedar_op op, struct yg_err *err);
yg_status yg_cedar_code_item(struct yg_cedar_code *code, uint32_t string, struct yg_err *err);
const char *yg_cedar_op_text(enum yg_cedar_opcode op); /* "&&"; static */
/* Operands that the operation takes; jumps take none.  The last one's operation stands
 * right before it. */
uint32_t yg_cedar_op_operands(const struct yg_cedar_op *op);
/* The operand before the one whose operation this is. */
static inline uint32_t yg_cedar_operand_before(const struct yg_cedar_code *code, uint32_t i)
{
	uint32_t k = yg_cedar_op(code, i)->first - 1;
	return yg_cedar_op(code, k)->op >= YG_CO_J_FALSE ? k - 1 : k;
}
static inline int64_t yg_cedar_op_long(const struct yg_cedar_op *op)
{
	return (int64_t)((uint64_t)op->b << 32 | op->a);
}

/* Do both expressions say the same, wherever they stand? */
bool yg_cedar_code_same(const struct yg_cedar_code *code, struct yg_cedar_range a,
			struct yg_cedar_range b);

/* The same for those. */
uint64_t yg_cedar_code_hash(const struct yg_cedar_code *code, struct yg_cedar_range range);

/* Checks what the evaluator relies on: every operation finds its operands, every
 * jump goes forward to the end of what it belongs to, every number is inside its
 * table, one value is left, and no more than YG_CEDAR_STACK_MAX are held.
 * *out_stack: how many are.  YG_OK | YG_CORRUPT | YG_NOMEM. */
yg_status yg_cedar_code_check(const struct yg_cedar_code *code, struct yg_cedar_range range,
			      uint32_t *out_stack, struct yg_err *err);
