/* print_internal.h - writing expressions without recursion; private to cedar. */
#pragma once
#include "cedar/print.h"
#include "snapshot/intern.h"

enum yg_cp_kind {
	YG_CP_NODE, /* an operation with its operands */
	YG_CP_TAIL, /* what follows the operands of an operation, or the first of them */
	YG_CP_KEY,  /* of a record: a string's number */
	YG_CP_TEXT,
};
struct yg_cp_task {
	enum yg_cp_kind kind;
	uint32_t node;
	uint8_t least; /* how strongly it must bind */
	const char *text;
};
/* What is put down last is written first. */
struct yg_cp {
	struct yg_buf *out;
	const struct yg_cedar_code *code;
	struct yg_vec tasks; /* owned; struct yg_cp_task */
	yg_status bad;       /* sticky */
	struct yg_err *err;
};
void yg_cp_put(struct yg_cp *w, struct yg_cp_task task);
static inline void yg_cp_text(struct yg_cp *w, const char *text)
{
	yg_cp_put(w, (struct yg_cp_task){.kind = YG_CP_TEXT, .text = text});
}
static inline void yg_cp_node(struct yg_cp *w, uint32_t node, uint8_t least)
{
	yg_cp_put(w, (struct yg_cp_task){.kind = YG_CP_NODE, .node = node, .least = least});
}
static inline void yg_cp_tail(struct yg_cp *w, uint32_t node)
{
	yg_cp_put(w, (struct yg_cp_task){.kind = YG_CP_TAIL, .node = node});
}
/* Writes the expression: `write` does one task that is no text. */
yg_status yg_cp_run(struct yg_cp *w, struct yg_cedar_range code,
		    void (*write)(struct yg_cp *w, const struct yg_cp_task *task));
