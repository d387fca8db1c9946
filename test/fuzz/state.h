/* state.h - for targets that write into the state database: one in memory, with
 * the organisation "a", made by the first input and kept. */
#pragma once
#include <stdlib.h>

#include "base/env.h"
#include "org/organisation.h"

static struct yg_state *db;
static struct yg_env_sim sim = {.wall = {1700000000000000}, .seed = 1};
static struct yg_env env;

static inline int64_t fuzz_one(const char *sql)
{
	struct yg_stmt *s = NULL;
	bool row = false;
	if (yg_state_prepare(db, sql, &s, NULL) != YG_OK || yg_stmt_step(s, &row, NULL) != YG_OK ||
	    !row)
		abort();
	int64_t v = yg_col_i64(s, 0);
	yg_stmt_done(s);
	return v;
}

static inline void fuzz_state(void)
{
	if (db != NULL)
		return;
	env = yg_env_sim(&sim);
	if (yg_state_open(":memory:", &db, NULL) != YG_OK || yg_state_migrate(db, NULL) != YG_OK)
		abort();
	struct yg_act act = yg_act_make(db, &env, YG_SV("system"));
	struct yg_org o = {.slug = YG_SV("a")};
	if (yg_org_add(&act, &o, NULL) != YG_OK)
		abort();
}
