#include "risk/version.h"

#include "tap.h"

static enum yg_version_scheme scheme;

/* Blanks between; each is before the next, '=' means equal to the one in front. */
static void ascends(const char *text)
{
	struct yg_sv rest = yg_sv_of(text), v, before = {NULL, 0};
	bool right = true, equal = false;
	while (yg_sv_cut(&rest, ' ', &v)) {
		size_t at;
		if (YG_SV_IS(v, "=")) {
			equal = true;
			continue;
		}
		int want = equal ? 0 : -1;
		right = right && yg_version_check(scheme, v, &at, NULL) == YG_OK;
		if (right && before.p != NULL)
			right = yg_version_cmp(scheme, before, v) == want &&
				yg_version_cmp(scheme, v, before) == -want;
		if (!right) {
			(void)printf("# at " YG_SV_FMT "\n", YG_SV_ARG(v));
			break;
		}
		before = v;
		equal = false;
	}
	T_NAMED(right, text);
}

static void refused(const char *text, size_t at, const char *why)
{
	size_t got = SIZE_MAX;
	struct yg_err err = {.msg = ""};
	bool ok = yg_version_check(scheme, yg_sv_of(text), &got, &err) == YG_PARSE && got == at &&
		  strstr(err.msg, why) != NULL;
	if (!ok)
		(void)printf("# at %zu: %s\n", got, err.msg);
	T_NAMED(ok, text);
}

static void test_distributions(void)
{
	scheme = YG_VERSION_DEB;
	ascends("1.0~~ 1.0~~a 1.0~ 1.0 = 1.00 = 0:1.0 = 1.0-0 1.0-1 1.0a 1.0+b 1.0.1 1:0.1");
	refused("a:1", 0, "epoch");
	refused("2147483648:1", 0, "epoch");
	refused("1:", 2, "no upstream");
	refused("1.0-", 4, "empty");
	refused("1_0", 1, "may not be there");
	refused("1-0:1-a:b", 0, "epoch");
	scheme = YG_VERSION_RPM;
	ascends("1.0~rc1 1.0~rc2 1.0 = 1..0 1.0-1 1.0-2.el8 1.0^git1 1.0a 1.0.1 1:0 2:0-1");
	ascends("5.0a 5.0b 5.0.1 5.00.2");
	refused("1.0-", 4, "empty");
	refused("1:-1", 2, "no version");
	refused("1/0", 1, "may not be there");
	scheme = YG_VERSION_ALPINE;
	ascends("1.0_alpha_pre2 1.0_alpha 1.0_alpha2 1.0_beta 1.0_pre1 1.0_rc 1.0 1.0-r0 1.0-r1 1.0~ab "
		"1.0_cvs 1.0_p 1.0_p2 1.0a 1.0b 1.0.1 1.06 1.1 006");
	refused("x", 0, "in front");
	refused("1.0bc", 4, "behind the letter");
	refused("1.0_foo", 3, "behind the number");
	refused("1.0_p1x", 6, "behind the suffix");
	refused("1.0-r", 3, "behind the number");
	refused("1.0-r1-r2", 6, "behind the revision");
	refused("1.0~xyz", 3, "behind the number");
}

static void test_languages(void)
{
	scheme = YG_VERSION_SEMVER;
	/* the specification's own example, item 11 */
	ascends("1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 "
		"1.0.0-rc.1 1.0.0 = 1.0.0+build 18446744073709551617.0.0 18446744073709551618.0.0");
	refused("1.0", 3, "2 numbers of 3");
	refused("v1.0.0", 0, "a number is wanted");
	refused("1.02.0", 2, "zero in front");
	refused("1.0.0-01", 6, "zero in front");
	refused("1.0.0-a..b", 8, "identifier");
	refused("1.0.0_1", 5, "neither");
	scheme = YG_VERSION_NPM;
	ascends("v1.2.3-1 1.2.3 = v1.2.3+1 1.2.9007199254740991");
	refused("1.2.9007199254740992", 4, "too large");
	scheme = YG_VERSION_GO;
	ascends("v0.0.0-20240101000000-abcdef012345 v1.0.0-rc v1 = 1.0 = v1.0.0 v1.2 v1.2.1 v2.0.0+incompatible");
	refused("v1.2-rc1", 4, "2 numbers of 3");
	scheme = YG_VERSION_PYPI;
	ascends("1.0.dev0 1.0a1.dev1 1.0a1 = 1.0-alpha.1 = 1.0.0_ALPHA1 1.0b1 1.0rc1 = 1.0c1 = 1.0preview1 "
		"1.0 = v1 = 0!1.0.0 1.0+a 1.0+a.1 1.0+1 1.0.post1.dev1 1.0.post1 = 1.0-1 = 1.0r1 1.1 1!0");
	refused("1.0+", 4, "local");
	refused("1.0+a..b", 6, "local");
	refused("1.0.", 3, "PEP 440");
	refused("1.0.dev1a1", 8, "PEP 440");
	refused("french toast", 0, "a number is wanted");
	scheme = YG_VERSION_MAVEN;
	ascends("1-alpha-1 = 1a1 1-beta1 1-milestone1 = 1-m1 1-rc = 1-CR 1-SNAPSHOT 1 = 1.0.0 = 1-ga = "
		"1.final = 1.RELEASE 1-sp 1-abc 1-xyz 1-1 1.1");
	refused("1 0", 1, "a blank");
	refused("1\xc3\xa4", 1, "no ASCII");
	scheme = YG_VERSION_GEM;
	ascends("1.0.a 1.0.a.2 1.0.b1 1.0-1 1 = 1.0 = 1.0.0 1.0.1 1.9.3 1.10");
	refused("a.1", 0, "in front");
	refused("1..2", 2, "letter or digit");
	refused("1.2-", 4, "letter or digit");
}

static void test_generic(void)
{
	scheme = YG_VERSION_GENERIC;
	ascends("1.0-alpha1 = 1.0a1 1.0-beta 1.0.rc2 1.0 = 1_0_0 1.0p1 = 1.0-PATCH1 1.0.1 1.0.2 1.0.2a 1.0.2z "
		"1.0.2za 1.1 12.0(24) 12.0(24a) 12.0(25)");
	refused("", 0, "empty");
	refused("*", 0, "neither");
	refused("1\x01", 1, "control");
}

static void test_schemes(void)
{
	enum yg_version_scheme s = YG_VERSION_GENERIC;
	size_t at;
	char most[YG_VERSION_TEXT_MAX + 1];
	memset(most, '1', sizeof most);
	for (unsigned i = YG_VERSION_GENERIC; i < YG_VERSION_SCHEMES; i++) {
		const char *name = yg_version_scheme_name((enum yg_version_scheme)i);
		T_NAMED(yg_version_scheme_of(yg_sv_of(name), &s) && s == i, name);
	}
	T_OK(yg_version_scheme_of(YG_SV("golang"), &s) && s == YG_VERSION_GO);
	T_OK(yg_version_scheme_of(YG_SV("apk"), &s) && s == YG_VERSION_ALPINE);
	T_OK(!yg_version_scheme_of(YG_SV("cobol"), &s) && !yg_version_scheme_of(YG_SV(""), &s));
	T_OK(yg_version_check(YG_VERSION_DEB, (struct yg_sv){most, sizeof most - 1}, &at, NULL) ==
	     YG_OK);
	T_OK(yg_version_check(YG_VERSION_DEB, (struct yg_sv){most, sizeof most}, &at, NULL) ==
	     YG_PARSE);
	T_OK(yg_version_check(YG_VERSION_DEB, YG_SV(" 1.0- "), &at, NULL) == YG_PARSE && at == 5);
	T_OK(yg_version_cmp(YG_VERSION_DEB, YG_SV(" 1.0\t"), YG_SV("1.0")) == 0);
}

int main(void)
{
	test_distributions();
	test_languages();
	test_generic();
	test_schemes();
	return tap_done();
}
