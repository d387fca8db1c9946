/* rows.h - what a statement finds, as a list in an arena. */
#pragma once
#include "base/arena.h"
#include "store/state.h"

/* Fills one element from the row that s stands on; texts go to the arena. */
typedef yg_status yg_take_row(struct yg_stmt *s, struct yg_arena *arena, void *to,
			      struct yg_err *err);
/* Fills `list`, which has room for `limit` elements of `bytes` each; *out_n: of how many. */
yg_status yg_rows_take(struct yg_stmt *s, yg_take_row *take, struct yg_arena *arena, void *list,
		       size_t bytes, size_t limit, size_t *out_n, struct yg_err *err);
