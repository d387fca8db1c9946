#include "risk/vers.h"

#include "tap.h"

static void contains(const char *range, const char *version, bool want)
{
	struct yg_vers v;
	struct yg_err err = {.msg = ""};
	size_t at;
	bool ok = yg_vers_parse(yg_sv_of(range), &v, &at, &err) == YG_OK &&
		  yg_version_check(v.scheme, yg_sv_of(version), &at, &err) == YG_OK &&
		  yg_vers_contains(&v, yg_sv_of(version)) == want;
	if (!ok)
		(void)printf("# %s: %s\n", version, err.msg);
	T_NAMED(ok, range);
}

static void refused(const char *range, size_t at, const char *why)
{
	struct yg_vers v;
	struct yg_err err = {.msg = ""};
	size_t got = SIZE_MAX;
	bool ok = yg_vers_parse(yg_sv_of(range), &v, &got, &err) == YG_PARSE && got == at &&
		  strstr(err.msg, why) != NULL;
	if (!ok)
		(void)printf("# at %zu: %s\n", got, err.msg);
	T_NAMED(ok, range);
}

static void test_containing(void)
{
	const char *two = "vers:npm/1.2.3|>=2.0.0|!=3.0.0|<5.0.0|>6.0.0";
	contains("vers:deb/*", "1.0-1", true);
	contains(two, "1.2.3", true);
	contains(two, "1.2.4", false);
	contains(two, "2.0.0-rc1", false);
	contains(two, "2.0.0", true);
	contains(two, "3.0.0", false);
	contains(two, "4.9.9", true);
	contains(two, "5.0.0", false);
	contains(two, "6.0.0", false);
	contains(two, "6.0.1", true);
	contains("vers:pypi/<=1.3.0|3.0.0", "1.0", true);
	contains("vers:pypi/<=1.3.0|3.0.0", "1.3", true);
	contains("vers:pypi/<=1.3.0|3.0.0", "2", false);
	contains("vers:pypi/<=1.3.0|3.0.0", "3", true);
	contains("vers:pypi/>0.0.2", "0.0.3", true);
	contains("vers:pypi/<0.0.2", "0.0.0.1", true);
	contains("vers:pypi/<=1.0.0|>=2.0.0", "1.5", false);
	contains("vers:gem/!=1.0", "1.1", true);
	contains("vers:gem/!=1.0", "1.0.0", false);
	contains("vers:gem/!=1.0|2.0", "1.1", false);
	contains("vers:deb/>=1%2b1", "1+2", true);
	contains("vers:generic/1%20%2521", "1 %21", true);
}

static void test_refused(void)
{
	refused("npm/1.0.0", 0, "vers:");
	refused("vers:npm", 5, "no '/'");
	refused("vers:cobol/1", 5, "not known");
	refused("vers:npm/", 9, "no constraints");
	refused("vers:npm/|1.0.0", 9, "empty constraint");
	refused("vers:npm/1.0.0|", 15, "empty constraint");
	refused("vers:npm/1.0.0||2.0.0", 15, "empty constraint");
	refused("vers:npm/>=1.0.0| <2.0.0", 17, "a blank");
	refused("vers:deb/1%09", 9, "a blank at an end");
	refused("vers:generic/>%201", 14, "a blank at an end");
	refused("vers:generic/1\xc3\xa4", 14, "no ASCII");
	refused("vers:npm/>=2.0.0|<1.0.0", 17, "order of versions");
	refused("vers:pypi/1.0|!=1.0.0", 14, "twice");
	refused("vers:npm/=1.0.0", 9, "without '='");
	refused("vers:npm/1.0.0|*", 15, "percent-encoded");
	refused("vers:npm/*1", 9, "percent-encoded");
	refused("vers:npm/1.0%2G0", 12, "percent-encoded byte");
	refused("vers:npm/1.0%2", 12, "percent-encoded byte");
	refused("vers:npm/>=1.0", 11, "2 numbers of 3");
	refused("vers:deb/>1|>2", 12, "take turns");
	refused("vers:deb/<1|<=2", 12, "take turns");
	refused("vers:deb/1|<2", 11, "already");
}

int main(void)
{
	test_containing();
	test_refused();
	return tap_done();
}
