/* group.h - alerts taken one by one into groups by a key, in memory: what the database
 * would sort all of them for.  Bounded: who is refused reads them in order (alert/top.h).
 * One thread at a time per yg_groups. */
#pragma once
#include "alert/query.h"

struct yg_group_row {
	struct yg_sv key, type, org; /* views that live until the call returns */
	int64_t findings, first_seen, last_seen;
	int severity_id;
};

struct yg_group_names { /* each name once, numbered */
	struct yg_sv *list;
	uint32_t *slots; /* number + 1; 0: free */
	size_t n, cap, slot_count;
};
struct yg_groups {
	struct yg_arena arena;
	struct yg_group_names keys, orgs;
	struct yg_alert_bundle *list; /* by number of key */
	size_t cap;
	uint64_t *pairs; /* which organisation is in which group; 0: free */
	size_t pair_count, pair_slots;
	size_t most;
};

/* yg_alert_bundle() with other bounds than its own: `most` groups in memory, then read in
 * their order. */
yg_status yg_alert_bundle_within(struct yg_state *db, const struct yg_alert_query *ask,
				 enum yg_alert_group by, uint32_t from, size_t most,
				 struct yg_arena *arena, struct yg_alert_bundles *out,
				 struct yg_err *err);

/* At most `most` groups; 0: all are refused. */
void yg_groups_init(struct yg_groups *g, size_t most);
void yg_groups_free(struct yg_groups *g);
/* YG_LIMIT: more groups than may be, or keys made so that they collide. */
yg_status yg_groups_add(struct yg_groups *g, const struct yg_group_row *r, struct yg_err *err);
/* The worst first, then the largest, by key where they are alike: `limit` of them from position `from`
 * on, copied to `arena`; out->list has room for limit + 1. */
yg_status yg_groups_page(struct yg_groups *g, uint32_t from, uint32_t limit, struct yg_arena *arena,
			 struct yg_alert_bundles *out, struct yg_err *err);
