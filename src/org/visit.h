/* visit.h - when somebody looked at the overview before.  `owner`: a person, or who
 * asked as the audit log has it. */
#pragma once
#include "org/org_set.h"

/* When the visit before this one ended: the one that goes on at `now`, or begins with it.
 * It stays the same while the visit goes on.  us == 0: there was none. */
yg_status yg_visit_before(struct yg_state *db, struct yg_sv owner, yg_wall now, yg_wall *out,
			  struct yg_err *err) YG_MUST_USE;
/* Somebody looks.  Not in the audit log: it changes nothing that anybody else sees. */
yg_status yg_visit_set(struct yg_state *db, struct yg_sv owner, yg_wall at,
		       struct yg_err *err) YG_MUST_USE;
/* Organisations added since. */
yg_status yg_visit_new_orgs(struct yg_state *db, const struct yg_org_set *set, yg_wall since,
			    int64_t *out, struct yg_err *err);
