/* hunt.h - what the jobs of looking back are made of: their kinds and params. */
#pragma once
#include "api/routes.h"

#define YG_TRY_KIND     "rule-try"
#define YG_TRY_TEXT_MAX 262144 /* bytes of a rule that is tried */

struct yg_try { /* views in the arena */
	struct yg_sv text, org;
	yg_wall from, to; /* of `time` */
};
/* The body of POST /api/v1/detection-rules/try from q->body, rights of the moment applied;
 * what is wrong is noted. */
yg_status yg_try_read(struct yg_request *q, struct yg_state *db, struct yg_try *out,
		      struct yg_err *err);
#define YG_HUNT_DAYS 90 /* that are looked at when nobody says otherwise */

/* Whole organisations of `reach` that are `org` or below it.  YG_NOTFOUND: there is none. */
yg_status yg_hunt_orgs(struct yg_state *db, const struct yg_reach *reach, struct yg_sv org,
		       struct yg_arena *arena, struct yg_reach *out, struct yg_err *err);
