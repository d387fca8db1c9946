/* version.h - versions as their ecosystems order them: deb, rpm, semver, npm, pypi, maven, gem,
 * go, alpine, and one order for everything else.
 *
 * Numbers have any length.  What each order goes by: doc/vuln.md.  Pure, no allocation; any
 * thread.
 */
#pragma once
#include "base/sv.h"

enum yg_version_scheme {
	YG_VERSION_GENERIC = 1,
	YG_VERSION_DEB,
	YG_VERSION_RPM,
	YG_VERSION_SEMVER,
	YG_VERSION_NPM,
	YG_VERSION_PYPI,
	YG_VERSION_MAVEN,
	YG_VERSION_GEM,
	YG_VERSION_GO,
	YG_VERSION_ALPINE,
	YG_VERSION_SCHEMES
};

#define YG_VERSION_TEXT_MAX 256 /* bytes */

/* "deb", and the types of package URLs that have another name ("golang", "apk"). */
bool yg_version_scheme_of(struct yg_sv name, enum yg_version_scheme *out);
/* "deb" */
const char *yg_version_scheme_name(enum yg_version_scheme scheme);
/* YG_OK | YG_PARSE, with the reason in err and in *out_at the byte it is at (0 to text.n).
 * Blanks around it do not count. */
yg_status yg_version_check(enum yg_version_scheme scheme, struct yg_sv text, size_t *out_at,
			   struct yg_err *err) YG_MUST_USE;
/* -1, 0, 1.  Of two that were checked. */
int yg_version_cmp(enum yg_version_scheme scheme, struct yg_sv a, struct yg_sv b);
