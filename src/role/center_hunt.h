/* center_hunt.h - a retro-hunt that runs: what it looks for, and what it found of a slice. */
#pragma once
#include "detect/hunt.h"
#include "detect/hunt_state.h"
#include "detect/ruleset.h"
#include "intel/match.h"
#include "role/center_job.h"

struct hunt_item { /* one finding, in `found` */
	size_t json, json_n, row, row_n;
	uint32_t spool; /* of its event */
	uint64_t batch;
	int64_t time;
	struct yg_sv org, indicator, event; /* arena of the slice */
	bool known;
};
struct hunt {
	struct run *r;
	struct yg_hunt h;
	struct yg_hunt_scan scan;
	struct yg_sv where; /* borrowed of one of the following */
	struct yg_buf where_text;
	/* rules */
	struct yg_hunt_rules *rules; /* the condition, and events as rules see them */
	struct yg_ruleset *set;
	struct yg_ruleset_eval *eval;
	const struct yg_event *event; /* at hand, while it is asked */
	const struct yg_detect_record *record;
	/* indicators */
	struct yg_intel *intel;
	struct yg_match_set *matches;
	/* what a slice found */
	struct yg_arena slice;
	struct yg_buf found, scratch, fields;
	struct hunt_item *items; /* owned */
	size_t n, cap;
	int64_t beyond; /* matches that are not told */
	bool nomem;
	bool resumed; /* the next batch may be in the store already */
	yg_wall now;  /* of the slice: what has an end has ended by it */
};

/* center_hunt_rules.c, center_hunt_intel.c: made ready from the hunt's row; then every
 * event of a slice is given to them. */
yg_status hunt_rules_ready(struct hunt *t, struct yg_err *err);
yg_status hunt_rules_row(void *ctx, const struct yg_event *ev, struct yg_err *err);
yg_status hunt_intel_ready(struct hunt *t, struct yg_err *err);
yg_status hunt_intel_row(void *ctx, const struct yg_event *ev, struct yg_err *err);
void hunt_end(struct hunt *t);
/* Is there room for one more that is told?  Counts it either way. */
bool hunt_room(struct hunt *t);
/* A finding that was appended to t->found at `at`: sv32 json, sv32 row. */
void hunt_found(struct hunt *t, const struct yg_event *ev, struct yg_sv indicator, size_t at);

/* center_hunt_tell.c: what a slice found is in the store and in alerts, and `place` is kept,
 * once.  YG_AGAIN: the same slice again. */
yg_status hunt_tell(struct hunt *t, struct yg_ch *ch, struct yg_sv place, struct yg_err *err);
