#include "fuzz/replay.h"
#include "risk/version.h"

/* Any bytes: the scheme, then two versions and a third cut at newlines.  Refused with a place
 * inside them, or compared: to itself equal, from both sides the same, equal ones alike to any
 * third. */
static int sides(enum yg_version_scheme s, struct yg_sv a, struct yg_sv b)
{
	int r = yg_version_cmp(s, a, b);
	if (r < -1 || r > 1 || yg_version_cmp(s, b, a) != -r)
		abort();
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	struct yg_sv v[3] = {{NULL, 0}}, rest = {(const char *)exact, size};
	bool valid = true;
	if (exact == NULL || size < 2) {
		free(exact);
		return 0;
	}
	enum yg_version_scheme s =
		(enum yg_version_scheme)(exact[0] % (YG_VERSION_SCHEMES - 1) + YG_VERSION_GENERIC);
	rest = yg_sv_sub(rest, 1, rest.n);
	for (unsigned i = 0; i < 3; i++) {
		size_t at = SIZE_MAX;
		struct yg_err err;
		v[i] = (struct yg_sv){"1", 0};
		(void)yg_sv_cut(&rest, '\n', &v[i]);
		yg_status st = yg_version_check(s, v[i], &at, &err);
		if ((st != YG_OK && st != YG_PARSE) || at > v[i].n)
			abort();
		valid = valid && st == YG_OK;
		if (st == YG_OK && yg_version_cmp(s, v[i], v[i]) != 0)
			abort();
	}
	/* Maven's and Alpine's orders are not transitive everywhere, as their programs' are not */
	bool strict = s != YG_VERSION_MAVEN && s != YG_VERSION_ALPINE;
	if (valid) {
		int ab = sides(s, v[0], v[1]), bc = sides(s, v[1], v[2]), ac = sides(s, v[0], v[2]);
		if (strict && ((ab == 0 && ac != bc) || (ab <= 0 && bc <= 0 && ac > 0) ||
			       (ab >= 0 && bc >= 0 && ac < 0)))
			abort();
	}
	free(exact);
	return 0;
}
