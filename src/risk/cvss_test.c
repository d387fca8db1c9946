#include "risk/cvss.h"

#include "tap.h"

static struct yg_cvss parsed;

static bool reads(const char *text)
{
	size_t at;
	struct yg_err err;
	return yg_cvss_parse(yg_sv_of(text), &parsed, &at, &err) == YG_OK;
}

/* base, temporal, environmental, overall */
static void scores(const char *text, unsigned b, unsigned t, unsigned e, unsigned o)
{
	struct yg_cvss_score s = {0};
	bool ok = reads(text);
	if (ok)
		yg_cvss_score(&parsed, &s);
	ok = ok && s.base == b && s.temporal == t && s.environmental == e && s.overall == o;
	if (!ok)
		(void)printf("# %u %u %u %u\n", s.base, s.temporal, s.environmental, s.overall);
	T_NAMED(ok, text);
}

static void refused(const char *text, size_t at, const char *why)
{
	size_t got = SIZE_MAX;
	struct yg_err err = {.msg = ""};
	struct yg_cvss v = {.version = 77};
	bool ok = yg_cvss_parse(yg_sv_of(text), &v, &got, &err) == YG_PARSE && got == at &&
		  strstr(err.msg, why) != NULL && v.version == 77;
	if (!ok)
		(void)printf("# at %zu: %s\n", got, err.msg);
	T_NAMED(ok, text);
}

/* The guide's own examples, 3.3.1 to 3.3.3. */
static void test_two(void)
{
	scores("AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:H", 78, 64, 92,
	       92);
	scores("AV:N/AC:L/Au:N/C:C/I:C/A:C/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:L", 100, 83, 90,
	       90);
	scores("AV:L/AC:H/Au:N/C:C/I:C/A:C/E:POC/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:M", 62, 49, 75,
	       75);
	scores("AV:L/AC:H/Au:N/C:C/I:C/A:C", 62, 62, 62, 62);
	scores("AV:N/AC:L/Au:N/C:N/I:N/A:N", 0, 0, 0, 0);
	/* 9.0 * 0.85 is 7.65: half up */
	scores("AV:N/AC:L/Au:S/C:C/I:C/A:C/E:U/RL:U/RC:C", 90, 77, 77, 77);
	scores("AV:N/AC:L/Au:S/C:C/I:C/A:C/E:ND/RL:ND/RC:ND/CDP:ND", 90, 90, 90, 90);
	/* an adjusted base below zero counts on; the score does not go below it */
	scores("AV:L/AC:H/Au:M/C:P/I:N/A:N/CR:L/TD:H", 8, 8, 0, 0);
	scores("AV:N/AC:L/Au:N/C:C/I:C/A:C/TD:N", 100, 100, 0, 0);
}

static void test_three(void)
{
	scores("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 98, 98, 98, 98);
	scores("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 100, 100, 100, 100);
	scores("CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0, 0, 0, 0);
	/* CVE-2013-1937 and CVE-2013-0375 in FIRST's examples */
	scores("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 61, 61, 61, 61);
	scores("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 64, 64, 64, 64);
	/* any order */
	scores("CVSS:3.1/A:H/I:H/C:H/S:U/UI:N/PR:N/AC:L/AV:N", 98, 98, 98, 98);
	scores("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O/RC:R", 98, 85, 85, 85);
	scores("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/MC:N/MI:N/MA:N", 98, 98, 0, 0);
	/* the modified impact of a changed scope is another polynomial in 3.1 */
	scores("CVSS:3.0/AV:P/AC:H/PR:L/UI:R/S:C/C:H/I:H/A:H", 69, 69, 69, 69);
	scores("CVSS:3.0/AV:N/AC:H/PR:L/UI:N/S:C/C:H/I:H/A:L/CR:H/IR:H/AR:H", 84, 84, 85, 85);
	/* privileges are worth more once the scope is changed */
	scores("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H/MS:C", 88, 88, 100, 100);
	scores("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/MAV:X/CR:X/E:X", 98, 98, 98, 98);
	T_OK(parsed.groups == YG_CVSS_BASE);
}

static void test_four(void)
{
	scores("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 100, 100, 100,
	       100);
	scores("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", 0, 0, 0, 0);
	/* ties that binary fractions put on the wrong side: 8.55, 8.95, 0.35 */
	scores("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:H/VI:L/VA:N/SC:H/SI:H/SA:H", 86, 86, 86, 86);
	scores("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:H/VA:N/SC:H/SI:H/SA:H/E:P", 95, 90, 95,
	       90);
	scores("CVSS:4.0/AV:N/AC:L/AT:P/PR:L/UI:A/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N/E:U", 20, 4, 20, 4);
	/* safety comes in by the modified metrics alone */
	scores("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/MSI:S", 93, 93, 100,
	       100);
	scores("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U/MVC:N/MVI:N/"
	       "MVA:N",
	       93, 81, 0, 0);
	/* supplemental metrics never score */
	scores("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/S:P/AU:Y/R:I/V:C/"
	       "RE:H/U:Red",
	       93, 93, 93, 93);
	T_OK(parsed.groups == (YG_CVSS_BASE | YG_CVSS_SUPPLEMENTAL));
}

static void test_refused(void)
{
	const char *base3 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
	char text[400];
	refused("", 0, "empty");
	refused("CVSS:3.1", 5, "version '3.1'");
	refused("CVSS:5.0/AV:N", 5, "version '5.0'");
	refused("CVSS:3.1/", 9, "an empty metric");
	refused("cvss:3.1/AV:N", 0, "no prefix 'CVSS:'");
	refused("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", 40, "base metric 'A' is missing");
	refused("CVSS:3.1/AV:N/AC:L/AV:N", 19, "metric 'AV' stands twice");
	refused("CVSS:3.1/AV:N/AC:M", 17, "metric 'AC' has no value 'M'");
	refused("CVSS:3.1/AV:N/AC:X", 17, "metric 'AC' has no value 'X'");
	refused("CVSS:3.1/AV:N/Au:N", 14, "CVSS 3.1 has no metric 'Au'");
	refused("CVSS:3.1/AV:N/AC", 16, "metric 'AC' has no value ''");
	refused("CVSS:3.1/AV:N/AC:L:L", 17, "no value 'L:L'");
	refused("CVSS:3.1/AV:N /AC:L", 12, "no value 'N '");
	refused("AV:N/AC:L/Au:N/C:N/I:N/A:C/E:X", 29, "no value 'X'");
	refused("(AV:N/AC:L/Au:N/C:N/I:N/A:C)", 0, "no metric '(AV'");
	/* CVSS 4.0 has an order */
	refused("CVSS:4.0/AC:L/AV:N", 14, "behind its place");
	refused("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:S/SA:H", 57,
		"metric 'SI' has no value 'S'");
	(void)snprintf(text, sizeof text, "%s/", base3);
	refused(text, strlen(base3) + 1, "an empty metric");
	memset(text, 'A', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	refused(text, 0, "longer than any vector");
	T_OK(!reads("CVSS:3.1/AV:N\n/AC:L"));
}

static void test_names(void)
{
	char text[8];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_cvss_put_tenths(&b, 100);
	yg_cvss_put_tenths(&b, 4);
	T_OK(yg_sv_eq(yg_sb_sv(&b), YG_SV("10.00.4")));
	T_OK(strcmp(yg_cvss_version_name(YG_CVSS_3_1), "3.1") == 0);
	struct yg_cvss_score s;
	static const struct {
		const char *vector;
		enum yg_cvss_severity severity;
	} rows[] = {
		{"AV:N/AC:L/Au:N/C:N/I:N/A:N", YG_CVSS_LOW},
		{"AV:N/AC:L/Au:N/C:C/I:C/A:C", YG_CVSS_HIGH},
		{"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", YG_CVSS_NONE},
		{"CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", YG_CVSS_LOW},
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", YG_CVSS_MEDIUM},
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", YG_CVSS_HIGH},
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", YG_CVSS_CRITICAL},
	};
	for (size_t i = 0; i < YG_LEN(rows); i++) {
		T_OK(reads(rows[i].vector));
		yg_cvss_score(&parsed, &s);
		T_NAMED(s.severity == rows[i].severity, rows[i].vector);
	}
	T_OK(strcmp(yg_cvss_severity_name(YG_CVSS_CRITICAL), "CRITICAL") == 0);
}

/* Every base vector of version 3: more impact or an easier attack is never less severe. */
static void test_monotone(void)
{
	static const uint8_t counts[] = {4, 2, 3, 2, 2, 3, 3, 3};
	unsigned worse = 0, all = 0;
	for (unsigned n = 0; n < 2592; n++) {
		struct yg_cvss v = {.version = YG_CVSS_3_1, .groups = YG_CVSS_BASE};
		struct yg_cvss_score s, up;
		unsigned rest = n;
		for (size_t i = 0; i < YG_LEN(counts); i++, rest /= counts[i - 1])
			v.metric[i] = (uint8_t)(rest % counts[i] + 1);
		yg_cvss_score(&v, &s);
		for (size_t i = 0; i < YG_LEN(counts); i++) {
			struct yg_cvss w = v;
			if (w.metric[i] == counts[i])
				continue;
			w.metric[i]++;
			yg_cvss_score(&w, &up);
			worse += up.base < s.base;
			all++;
		}
	}
	(void)printf("# %u of %u steps\n", worse, all);
	T_OK(all > 10000 && worse == 0);
}

int main(void)
{
	test_two();
	test_three();
	test_four();
	test_refused();
	test_names();
	test_monotone();
	return tap_done();
}
