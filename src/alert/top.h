/* top.h - the worst groups of alerts that come in the order of their keys: what is held
 * is as many as are wanted, however many there are. */
#pragma once
#include "alert/group.h"

struct yg_top_text { /* owned; it grows */
	char *p;
	size_t n, cap;
};
struct yg_top_entry {
	struct yg_alert_bundle b; /* its texts: */
	struct yg_top_text key, type;
};
struct yg_top {
	struct yg_top_entry *heap; /* the last of the worst first */
	size_t n, cap, most;
	struct yg_top_entry now; /* the group whose rows come */
	struct yg_top_text org;  /* of the row before */
	int64_t groups;
	bool begun;
};

void yg_top_init(struct yg_top *t, size_t most); /* most: 1 or more */
void yg_top_free(struct yg_top *t);
/* Rows by key, then by organisation.  YG_NOMEM. */
yg_status yg_top_add(struct yg_top *t, const struct yg_group_row *r, struct yg_err *err);
/* After the last row: the worst first, then the largest, by key where they are alike, from position `from`
 * on, copied to `arena`; out->list has room for `most` - from. */
yg_status yg_top_page(struct yg_top *t, uint32_t from, struct yg_arena *arena,
		      struct yg_alert_bundles *out, struct yg_err *err);
