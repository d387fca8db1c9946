/* watch_place.c - an organisation in the tree: itself and what is above it. */
#include "detect/watch_set.h"

yg_status yg_watch_place(struct yg_state *db, struct yg_sv org, struct yg_watch_place *out,
			 struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT ancestor FROM organisation_path WHERE slug = $1 ORDER BY depth"),
		&s, err);
	if (st != YG_OK)
		return st;
	out->n = 0;
	yg_stmt_text(s, 1, org);
	while (out->n < YG_WATCH_ABOVE_MAX && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		struct yg_sb b = yg_sb_init(out->above[out->n++], YG_ORG_NAME_MAX + 1);
		yg_sb_put(&b, yg_col_text(s, 0));
		(void)yg_sb_cstr(&b);
	}
	return st;
}
