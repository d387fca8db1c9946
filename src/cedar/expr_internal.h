/* expr_internal.h - the state of reading an expression; private to cedar. */
#pragma once
#include "cedar/expr.h"

enum yg_ce_kind {
	YG_CE_TOP,
	YG_CE_PAREN,
	YG_CE_LIST,
	YG_CE_RECORD,
	YG_CE_CALL,   /* of a function */
	YG_CE_METHOD, /* the receiver is an operand already */
	YG_CE_COND,
	YG_CE_THEN,
	YG_CE_ELSE,
};
/* Binding strength; operators of one expression wait in this order. */
enum yg_ce_prec {
	YG_CE_OR = 1,
	YG_CE_AND,
	YG_CE_RELATION,
	YG_CE_ADD,
	YG_CE_MUL,
	YG_CE_UNARY,
};
struct yg_ce_frame { /* what is open */
	enum yg_ce_kind kind;
	uint32_t count;   /* elements or arguments so far */
	uint32_t waiting; /* operators that wait outside of it */
	uint32_t keys;    /* of records outside of it */
	uint32_t jump;    /* of an if */
	uint8_t op, fn;   /* of a call */
	uint32_t at;
};
struct yg_ce_op {     /* an operator that waits for its right operand */
	uint8_t prec; /* enum yg_ce_prec */
	uint8_t op;   /* enum yg_cedar_opcode */
	uint32_t jump, type, at;
};

struct yg_cedar_expr {
	struct yg_cedar_lex *l;
	struct yg_cedar_build *b;
	uint32_t depth, waiting;
	bool want;          /* an operand comes next */
	bool sealed;        /* has, like, is: only && and || may follow */
	struct yg_vec keys; /* uint32_t: strings of records that are open */
	struct yg_ce_frame open[YG_CEDAR_OPEN_MAX];
	/* per open thing one of each strength, and the unary ones */
	struct yg_ce_op wait[YG_CEDAR_OPEN_MAX * 10];
};

static inline struct yg_ce_frame *yg_ce_top(struct yg_cedar_expr *e)
{
	return &e->open[e->depth - 1];
}
bool yg_ce_push(struct yg_cedar_expr *e, enum yg_ce_kind kind);
void yg_ce_reduce(struct yg_cedar_expr *e, enum yg_ce_prec least);
void yg_ce_wait(struct yg_cedar_expr *e, struct yg_ce_op op);
bool yg_ce_alone(const struct yg_cedar_expr *e); /* no operator waits in what is open */
/* Operands and what follows them; false: a fault was told. */
bool yg_ce_operand(struct yg_cedar_expr *e);
bool yg_ce_key(struct yg_cedar_expr *e); /* of a record, with its colon */
bool yg_ce_member(struct yg_cedar_expr *e);
/* Is it a method, or a function, with the arguments it must have. */
bool yg_ce_method(struct yg_cedar_expr *e, struct yg_sv name, size_t at);
void yg_ce_called(struct yg_cedar_expr *e, const struct yg_ce_frame *f);
