/* visit.h - when somebody last left the overview.  `owner`: a person, or who
 * asked as the audit log has it. */
#pragma once
#include "org/org_set.h"

/* us == 0: never. */
yg_status yg_visit_get(struct yg_state *db, struct yg_sv owner, yg_wall *out, struct yg_err *err);
/* Not in the audit log: it changes nothing that anybody else sees. */
yg_status yg_visit_set(struct yg_state *db, struct yg_sv owner, yg_wall at,
		       struct yg_err *err) YG_MUST_USE;
/* Organisations added since. */
yg_status yg_visit_new_orgs(struct yg_state *db, const struct yg_org_set *set, yg_wall since,
			    int64_t *out, struct yg_err *err);
