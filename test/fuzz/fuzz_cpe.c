#include "fuzz/replay.h"
#include "risk/cpe.h"

/* Any bytes, cut at the first newline into two names: refused with a place inside them, or
 * read; what is read is read from its formatted string as the same, and relations hold from
 * both sides. */
static bool parse(struct yg_sv text, struct yg_cpe *out)
{
	char put[2 * YG_CPE_TEXT_MAX + 64];
	struct yg_sb b = yg_sb_init(put, sizeof put);
	struct yg_cpe again;
	struct yg_err err;
	size_t at = SIZE_MAX;
	yg_status st = yg_cpe_parse(text, out, &at, &err);
	if ((st != YG_OK && st != YG_PARSE) || at > text.n)
		abort();
	if (st != YG_OK)
		return false;
	yg_cpe_put(&b, out);
	if (yg_sb_done(&b) != YG_OK)
		abort();
	if (b.n <= YG_CPE_TEXT_MAX &&
	    (yg_cpe_parse(yg_sb_sv(&b), &again, &at, &err) != YG_OK || again.n != out->n ||
	     memcmp(again.text, out->text, out->n) != 0))
		abort();
	return true;
}

static enum yg_cpe_relation turned(enum yg_cpe_relation r)
{
	return r == YG_CPE_SUPERSET ? YG_CPE_SUBSET : r == YG_CPE_SUBSET ? YG_CPE_SUPERSET : r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	static struct yg_cpe a, b;
	struct yg_sv rest = {(const char *)exact, size}, first = rest, second = {NULL, 0};
	if (exact == NULL)
		return 0;
	(void)yg_sv_cut(&rest, '\n', &first);
	(void)yg_sv_cut(&rest, '\n', &second);
	bool both = parse(first, &a);
	both = parse(second, &b) && both;
	for (unsigned i = 0; both && i < YG_CPE_ATTRIBUTES; i++) {
		enum yg_cpe_attribute which = (enum yg_cpe_attribute)i;
		enum yg_cpe_relation ab = yg_cpe_compare_attribute(&a, &b, which);
		enum yg_cpe_relation ba = yg_cpe_compare_attribute(&b, &a, which);
		bool wild = a.value[i].before + a.value[i].after + b.value[i].before +
				    b.value[i].after >
			    0;
		if (!wild && ba != turned(ab))
			abort();
	}
	if (both && (unsigned)yg_cpe_compare(&a, &b) > YG_CPE_DISJOINT)
		abort();
	free(exact);
	return 0;
}
