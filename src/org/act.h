/* act.h - who changes what: every function that changes the state takes one of
 * these, and writes its entry of the audit log in the same transaction.
 */
#pragma once
#include "org/id.h"
#include "store/state.h"

struct yg_act {
	struct yg_state *db;      /* borrowed; this thread's */
	const struct yg_env *env; /* borrowed */
	struct yg_sv who;         /* borrowed: "local:1000", "token:t-...", "system" */
	struct yg_id_source ids;  /* zero to begin with */
};
static inline struct yg_act yg_act_make(struct yg_state *db, const struct yg_env *env,
					struct yg_sv who)
{
	return (struct yg_act){.db = db, .env = env, .who = who};
}

/* Given as `version` to change an object whatever its version is; else the
 * change is YG_CONFLICT unless the object still has that version (its ETag). */
#define YG_ANY_VERSION (-1)
