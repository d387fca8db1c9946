/* vers.h - VERS, ranges of versions: "vers:npm/>=1.2.3|<2.0.0" (ECMA draft "Version Range
 * Specifier").
 *
 * Pure, no allocation; any thread.
 */
#pragma once
#include "risk/version.h"

/* A range that was valid; borrows its text. */
struct yg_vers {
	enum yg_version_scheme scheme;
	struct yg_sv constraints; /* "*", or with '|' between */
	bool all;                 /* "*" */
	bool only_unequal;        /* nothing but "!=": all other versions */
};

/* YG_OK | YG_PARSE, with the reason in err and in *out_at the byte it is at (0 to text.n).
 * Strict: in the order of versions, none twice, comparators in their sequence. */
yg_status yg_vers_parse(struct yg_sv text, struct yg_vers *out, size_t *out_at,
			struct yg_err *err) YG_MUST_USE;
/* Of a version that was checked by the range's scheme. */
bool yg_vers_contains(const struct yg_vers *range, struct yg_sv version);
