#include "org/rows.h"

yg_status yg_rows_take(struct yg_stmt *s, yg_take_row *take, struct yg_arena *arena, void *list,
		       size_t bytes, size_t limit, size_t *out_n, struct yg_err *err)
{
	yg_status st = YG_OK;
	size_t n = 0;
	bool row = true;
	for (; n < limit; n++) {
		st = yg_stmt_step(s, &row, err);
		if (st != YG_OK || !row)
			break;
		st = take(s, arena, (char *)list + n * bytes, err);
		if (st != YG_OK)
			break;
	}
	if (st == YG_OK)
		*out_n = n;
	return st;
}
