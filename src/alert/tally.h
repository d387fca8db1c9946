/* tally.h - numbers about alerts from the counters that triggers keep: what they
 * cost does not depend on how many alerts there are.
 */
#pragma once
#include "alert/alert.h"
#include "org/org_set.h"

#define YG_HOUR_US (3600 * YG_US_PER_S)

/* Open alerts by severity now, and how many of them there were at the beginning
 * of `hour` (its number since 1970). */
yg_status yg_tally_open(struct yg_state *db, const struct yg_org_set *set, int64_t hour,
			int64_t out_now[static 7], int64_t out_then[static 7], struct yg_err *err);
struct yg_tally_step {
	int64_t created, closed;
};
/* n steps of `step` hours from hour `from` on. */
yg_status yg_tally_trend(struct yg_state *db, const struct yg_org_set *set, int64_t from,
			 int64_t step, struct yg_tally_step *out, size_t n, struct yg_err *err);
/* Alerts made and closed since, to the microsecond. */
yg_status yg_tally_since(struct yg_state *db, const struct yg_org_set *set, yg_wall since,
			 int64_t *out_new, int64_t *out_closed, struct yg_err *err);

struct yg_tally_org {
	struct yg_sv org, title_ja, title_en;
	int64_t open, critical, high; /* critical: severity 5 and 6; high: 4 */
	struct yg_sv worst;           /* its most severe open alert, the newest of them; or empty */
};
/* Worst first: by critical, high, open. */
yg_status yg_tally_orgs(struct yg_state *db, const struct yg_org_set *set, uint32_t limit,
			struct yg_arena *arena, struct yg_tally_org **out, size_t *out_n,
			struct yg_err *err);
