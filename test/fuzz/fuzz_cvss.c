#include "fuzz/replay.h"
#include "risk/cvss.h"

/* Any bytes: refused with a place inside them, or scored within bounds; what is scored is
 * the same without what never scores, and of version 3 in any order of its metrics. */
static struct yg_cvss_score score(const struct yg_cvss *v)
{
	struct yg_cvss_score s;
	yg_cvss_score(v, &s);
	if (s.base > 100 || s.temporal > 100 || s.environmental > 100 || s.overall > 100 ||
	    s.severity > YG_CVSS_CRITICAL)
		abort();
	return s;
}

/* The metrics from the last to the first. */
static void check_reversed(struct yg_sv text, const struct yg_cvss *v)
{
	char turned[YG_CVSS_TEXT_MAX + 1];
	struct yg_sb b = yg_sb_init(turned, sizeof turned);
	size_t end = text.n, at;
	struct yg_cvss w;
	size_t first = v->version == YG_CVSS_2_0 ? 0 : 9;
	yg_sb_put(&b, yg_sv_sub(text, 0, first));
	while (end > first) {
		size_t from = end;
		while (from > first && text.p[from - 1] != '/')
			from--;
		yg_sb_put(&b, yg_sv_sub(text, from, end - from));
		if (from > first)
			yg_sb_putc(&b, '/');
		end = from > first ? from - 1 : first;
	}
	if (yg_sb_done(&b) != YG_OK || yg_cvss_parse(yg_sb_sv(&b), &w, &at, NULL) != YG_OK ||
	    memcmp(&w, v, sizeof w) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	struct yg_sv text = {(const char *)exact, size};
	struct yg_cvss v;
	struct yg_err err;
	size_t at = SIZE_MAX;
	if (exact == NULL)
		return 0;
	memset(&v, 0, sizeof v);
	yg_status st = yg_cvss_parse(text, &v, &at, &err);
	if ((st != YG_OK && st != YG_PARSE) || at > size)
		abort();
	if (st == YG_OK) {
		struct yg_cvss_score s = score(&v);
		if (s.base != s.overall &&
		    (v.groups & (YG_CVSS_TEMPORAL | YG_CVSS_ENVIRONMENTAL)) == 0)
			abort();
		if (v.version != YG_CVSS_4_0)
			check_reversed(text, &v);
	}
	free(exact);
	return 0;
}
