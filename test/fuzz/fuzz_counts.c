#include "base/env.h"
#include "fuzz/replay.h"
#include "org/organisation.h"
#include "org/source.h"

/* The body of a COUNTS message from a process that may have been taken over: it is
 * refused or applied, and told again it changes nothing. */
static struct yg_state *db;
static struct yg_env_sim sim = {.wall = {1700000000000000}, .seed = 1};
static struct yg_env env;

static int64_t one(const char *sql)
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

static void open_once(void)
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char sum[] = "SELECT coalesce(sum(events + bytes + unparsed), 0) FROM source";
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL)
		return 0;
	open_once();
	/* an outer transaction takes all of it back, so that every input stands alone */
	struct yg_tx tx;
	if (yg_tx_begin(&tx, db, NULL) != YG_OK)
		abort();
	struct yg_sv body = {(const char *)exact, size};
	if (yg_source_counts_apply(db, sim.wall, body, NULL) == YG_OK) {
		int64_t first = one(sum);
		if (first < 0 || yg_source_counts_apply(db, sim.wall, body, NULL) != YG_OK ||
		    one(sum) != first)
			abort();
	}
	(void)yg_tx_end(&tx, YG_AGAIN, NULL);
	free(exact);
	return 0;
}
