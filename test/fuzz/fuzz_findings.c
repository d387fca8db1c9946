#include "alert/finding.h"
#include "fuzz/replay.h"
#include "fuzz/state.h"

/* The body of a FINDINGS message from a process that may have been taken over:
 * it is refused or applied, and what is applied keeps the books: as many
 * findings in the parts of alerts as were taken, none twice. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	struct yg_finding_result r = {0};
	if (exact == NULL)
		return 0;
	fuzz_state();
	struct yg_act act = yg_act_make(db, &env, YG_SV("system"));
	/* an outer transaction takes all of it back, so that every input stands alone */
	struct yg_tx tx;
	if (yg_tx_begin(&tx, db, NULL) != YG_OK)
		abort();
	struct yg_sv body = {(const char *)exact, size};
	if (yg_findings_apply(&act, body, &r, NULL) == YG_OK) {
		if (fuzz_one("SELECT coalesce(sum(count), 0) FROM alert_part") != r.applied ||
		    fuzz_one("SELECT coalesce(sum(count), 0) FROM alert") != r.applied)
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
