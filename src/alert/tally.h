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
	int64_t change[7]; /* of the open alerts, by severity: 1 to 6 */
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
	int64_t previous;             /* open then; yg_tally_orgs() leaves it 0 */
	struct yg_sv worst;           /* its most severe open alert, the newest of them; or empty */
	int worst_severity;           /* 0: none is open */
	int64_t worst_seq;            /* this, and what follows: of yg_tally_rows() alone */
	char worst_id[32];
};
/* Worst first: by critical, high, open. */
yg_status yg_tally_orgs(struct yg_state *db, const struct yg_org_set *set, uint32_t limit,
			struct yg_arena *arena, struct yg_tally_org **out, size_t *out_n,
			struct yg_err *err);
/* Fills `previous` of them: open at the beginning of `hour`. */
yg_status yg_tally_orgs_then(struct yg_state *db, const struct yg_org_set *set, int64_t hour,
			     struct yg_tally_org *orgs, size_t n, struct yg_err *err);

/* The same numbers of what the counters do not know: a system, an asset, the period of
 * an auditor.  Every alert of it is read. */
struct yg_tally_few {
	const struct yg_alert_filter *of; /* its states do not count */
	int64_t from, step;               /* hours */
	size_t steps;
	yg_wall since;               /* us == 0: not asked */
	struct yg_tally_step *trend; /* `steps` of them, the caller's; and what was before: */
	struct yg_tally_step before; /* as many hours as the steps have */
	int64_t now[7], then[7];
	int64_t fresh, closed;     /* since */
	struct yg_tally_org *orgs; /* the caller's, `orgs_max` of them; worst first */
	size_t orgs_max, org_count;
};
yg_status yg_tally_rows(struct yg_state *db, struct yg_arena *arena, struct yg_tally_few *t,
			struct yg_err *err);
