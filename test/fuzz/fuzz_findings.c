#include "alert/finding.h"
#include "base/env.h"
#include "fuzz/replay.h"
#include "org/organisation.h"

/* The body of a FINDINGS message from a process that may have been taken over:
 * it is refused or applied, and what is applied keeps the books: as many
 * findings in the parts of alerts as were taken, none twice. */
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
	uint8_t *exact = fuzz_exact(data, size);
	struct yg_finding_result r = {0};
	if (exact == NULL)
		return 0;
	open_once();
	struct yg_act act = yg_act_make(db, &env, YG_SV("system"));
	/* an outer transaction takes all of it back, so that every input stands alone */
	struct yg_tx tx;
	if (yg_tx_begin(&tx, db, NULL) != YG_OK)
		abort();
	struct yg_sv body = {(const char *)exact, size};
	if (yg_findings_apply(&act, body, &r, NULL) == YG_OK) {
		if (one("SELECT coalesce(sum(count), 0) FROM alert_part") != r.applied ||
		    one("SELECT coalesce(sum(count), 0) FROM alert") != r.applied)
			abort();
		if (yg_findings_apply(&act, body, &r, NULL) != YG_OK || !r.duplicate)
			abort();
	}
	(void)yg_tx_end(&tx, YG_AGAIN, NULL);
	struct yg_arena arena;
	struct yg_finding f;
	yg_arena_init(&arena, 1 << 20);
	(void)yg_finding_parse(body, &arena, &f, NULL);
	yg_arena_free(&arena);
	free(exact);
	return 0;
}
