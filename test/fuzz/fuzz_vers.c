#include "fuzz/replay.h"
#include "risk/vers.h"

/* A constraint of a range that was read: its comparator, "" for none, and the version decoded. */
static struct yg_sv take(struct yg_sv field, char *to, struct yg_sv *version)
{
	size_t lead = 0, n = 0;
	while (lead < field.n && strchr("<>=!", field.p[lead]) != NULL)
		lead++;
	for (size_t i = lead; i < field.n; i++) {
		char hex[3] = {0};
		to[n++] = field.p[i];
		if (field.p[i] == '%' && field.n - i > 2) {
			memcpy(hex, field.p + i + 1, 2);
			to[n - 1] = (char)strtoul(hex, NULL, 16);
			i += 2;
		}
	}
	*version = (struct yg_sv){to, n};
	return yg_sv_sub(field, 0, lead);
}

/* Whether one of the intervals that the constraints make has the version, by all of them. */
static bool naive(const struct yg_vers *v, struct yg_sv version)
{
	char text[YG_VERSION_TEXT_MAX];
	bool in = false, any = false, open = false, above = false;
	struct yg_sv rest = v->constraints, field, bound;
	while (yg_sv_cut(&rest, '|', &field)) {
		struct yg_sv op = take(field, text, &bound);
		int r = yg_version_cmp(v->scheme, version, bound);
		if (r == 0)
			return op.n == 0 || YG_SV_IS(op, "<=") || YG_SV_IS(op, ">=");
		any = any || !YG_SV_IS(op, "!=");
		if (op.n == 0 || op.p[0] == '!')
			continue;
		if (op.p[0] == '<')
			in = in || (r < 0 && (!open || above));
		open = op.p[0] == '>';
		above = open && r > 0;
	}
	return in || (open && above) || !any;
}

/* The orders of these are not transitive everywhere: then there is no one answer (doc/vuln.md). */
static bool ordered(enum yg_version_scheme s)
{
	return s != YG_VERSION_MAVEN && s != YG_VERSION_ALPINE;
}

/* Any bytes, cut at the first newline into a range and a version: refused with a place inside
 * them, or judged as all its constraints say. */
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
	if (st == YG_OK && yg_version_check(v.scheme, version, &at, &err) == YG_OK) {
		bool in = yg_vers_contains(&v, version);
		if (v.all ? !in : ordered(v.scheme) && in != naive(&v, version))
			abort();
	}
	free(exact);
	return 0;
}
