#include "fuzz/replay.h"
#include "fuzz/state.h"
#include "org/source.h"

/* The body of a COUNTS message from a process that may have been taken over: it is
 * refused or applied, and told again it changes nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char sum[] = "SELECT coalesce(sum(events + bytes + unparsed), 0) FROM source";
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL)
		return 0;
	fuzz_state();
	/* an outer transaction takes all of it back, so that every input stands alone */
	struct yg_tx tx;
	if (yg_tx_begin(&tx, db, NULL) != YG_OK)
		abort();
	struct yg_sv body = {(const char *)exact, size};
	if (yg_source_counts_apply(db, sim.wall, body, NULL) == YG_OK) {
		int64_t first = fuzz_one(sum);
		if (first < 0 || yg_source_counts_apply(db, sim.wall, body, NULL) != YG_OK ||
		    fuzz_one(sum) != first)
			abort();
	}
	(void)yg_tx_end(&tx, YG_AGAIN, NULL);
	free(exact);
	return 0;
}
