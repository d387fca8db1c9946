#include "fuzz/replay.h"
#include "risk/vers.h"

/* Any bytes, cut at the first newline into a range and a version: refused with a place inside
 * them, or judged; "*" has every version. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	struct yg_sv rest = {(const char *)exact, size}, text = rest, version = {"1", 1};
	struct yg_vers v;
	struct yg_err err;
	size_t at = SIZE_MAX;
	if (exact == NULL)
		return 0;
	(void)yg_sv_cut(&rest, '\n', &text);
	(void)yg_sv_cut(&rest, '\n', &version);
	yg_status st = yg_vers_parse(text, &v, &at, &err);
	if ((st != YG_OK && st != YG_PARSE) || at > text.n)
		abort();
	if (st == YG_OK && yg_version_check(v.scheme, version, &at, &err) == YG_OK &&
	    !yg_vers_contains(&v, version) && v.all)
		abort();
	free(exact);
	return 0;
}
