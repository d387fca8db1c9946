/* rows.h - rows of the state database into structs, their texts into the caller's arena. */
#pragma once
#include "base/arena.h"
#include "store/state.h"

struct yg_row_text {
	struct yg_sv *to;
	int column;
};
/* Texts of the row at hand.  YG_OK | YG_NOMEM. */
yg_status yg_row_texts(struct yg_stmt *s, struct yg_arena *arena, const struct yg_row_text *texts,
		       size_t n, struct yg_err *err);

struct yg_row_list {
	size_t each;    /* bytes of one */
	uint32_t limit; /* at most; a page and one more are never exceeded */
	yg_status (*take)(struct yg_stmt *s, struct yg_arena *arena, void *to, struct yg_err *err);
};
/* The rows of a bound statement as an array in the arena.  YG_OK | YG_NOMEM | as a step. */
yg_status yg_row_list(struct yg_stmt *s, const struct yg_row_list *how, struct yg_arena *arena,
		      void *out_list, size_t *out_n, struct yg_err *err);

/* "%part%" in lower case, for `lower(x) LIKE $n ESCAPE '\\'`; what LIKE reads is escaped.
 * Empty for an empty part, and without memory (arena->refused). */
struct yg_sv yg_row_part(struct yg_arena *arena, struct yg_sv part);
