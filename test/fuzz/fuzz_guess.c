#include "event/guess.h"
#include "fuzz/replay.h"

/* Each source at most once, best first, none with more unparsed than records; the
 * same sample gives the same answer, and a last line that is cut changes nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL)
		return 0;
	const yg_wall now = {1767225600LL * YG_US_PER_S};
	struct yg_guess g[YG_SOURCE_COUNT], again[YG_SOURCE_COUNT];
	struct yg_sv in = {(const char *)exact, size};
	struct yg_sv whole = yg_guess_whole(in);
	size_t n = 0, m = 0;
	unsigned seen = 0;
	if (whole.n > in.n || whole.n > YG_GUESS_SAMPLE)
		abort();
	if (yg_source_guess(in, now, g, &n, NULL) == YG_OK) {
		if (n > YG_SOURCE_COUNT)
			abort();
		for (size_t i = 0; i < n; i++) {
			unsigned bit = 1u << (unsigned)g[i].source;
			if ((seen & bit) != 0 || g[i].score == 0 || g[i].score > 100 ||
			    g[i].unparsed > g[i].records || (i > 0 && g[i].score > g[i - 1].score))
				abort();
			seen |= bit;
		}
		if (yg_source_guess(whole, now, again, &m, NULL) != YG_OK || m != n)
			abort();
		for (size_t i = 0; i < n; i++)
			if (g[i].source != again[i].source || g[i].score != again[i].score)
				abort();
	}
	free(exact);
	return 0;
}
