/* role_proof.h - what each process found out about itself behind its closed sandbox,
 * as its newest event sandbox.closed says.
 */
#pragma once
#include "base/arena.h"
#include "store/state.h"

#define YG_PROCESSES_MAX 128 /* of one run */

struct yg_role_proof {
	struct yg_sv process; /* "main", "ingest-0" */
	yg_wall at;
	struct yg_sv fields; /* the event, a JSON object */
};
/* Keeps it over what the process said before; with "main" all others go: they are of
 * an earlier run. */
yg_status yg_role_proof_keep(struct yg_state *db, const struct yg_role_proof *p,
			     struct yg_err *err);
/* By name. */
yg_status yg_role_proof_list(struct yg_state *db, struct yg_arena *arena,
			     struct yg_role_proof **out, size_t *out_n, struct yg_err *err);
