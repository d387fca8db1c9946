/* due.h - by when alerts are to be done with: a policy of spans by severity, said on
 * the nodes of the organisation tree and inherited down.
 *
 * An alert is due its severity's span after it was made; the time is kept with the
 * alert, so a change of the policy holds for alerts made after it and for those whose
 * severity changes.  doc/alerts.md has the rules. */
#pragma once
#include "alert/alert.h"

#define YG_NO_DUE       INT64_MAX
#define YG_DUE_SPAN_MAX (366 * INT64_C(86400)) /* seconds */

struct yg_due_policy {     /* by severity; 0 is not used */
	int64_t span_s[7]; /* 0: none */
	bool own[7];       /* said by the node itself, not by what is above it */
};
/* What holds at `org` (empty: for all). */
yg_status yg_due_policy_get(struct yg_state *db, struct yg_sv org, struct yg_due_policy *out,
			    struct yg_err *err);
/* span_s NULL: as what is above says.  YG_NOTFOUND: no such organisation; YG_INVAL. */
yg_status yg_due_policy_set(struct yg_act *act, struct yg_sv org, int severity,
			    const int64_t *span_s, struct yg_err *err) YG_MUST_USE;
/* When what begins at `from_us` is due at `org`; YG_NO_DUE: never. */
yg_status yg_due_at(struct yg_state *db, struct yg_sv org, int severity, int64_t from_us,
		    int64_t *out_us, struct yg_err *err);
