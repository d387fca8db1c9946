#include "fuzz/replay.h"
#include "risk/purl.h"

/* Any bytes: refused with a place inside them, or read; the canonical form is printable ASCII
 * and is read and written as itself. */
static struct yg_sv write(const struct yg_purl *p, char *put, size_t cap)
{
	struct yg_sb b = yg_sb_init(put, cap);
	yg_purl_put(&b, p);
	if (yg_sb_done(&b) != YG_OK)
		abort();
	for (size_t i = 0; i < b.n; i++)
		if (put[i] <= ' ' || put[i] > '~')
			abort();
	return yg_sb_sv(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char first[3 * YG_PURL_TEXT_MAX], second[3 * YG_PURL_TEXT_MAX];
	static struct yg_purl p, again;
	uint8_t *exact = fuzz_exact(data, size);
	struct yg_err err;
	size_t at = SIZE_MAX;
	if (exact == NULL)
		return 0;
	yg_status st = yg_purl_parse((struct yg_sv){(const char *)exact, size}, &p, &at, &err);
	if ((st != YG_OK && st != YG_PARSE) || at > size)
		abort();
	if (st == YG_OK) {
		struct yg_sv canonical = write(&p, first, sizeof first);
		if (canonical.n <= YG_PURL_TEXT_MAX &&
		    (yg_purl_parse(canonical, &again, &at, &err) != YG_OK ||
		     !yg_sv_eq(write(&again, second, sizeof second), canonical)))
			abort();
	}
	free(exact);
	return 0;
}
