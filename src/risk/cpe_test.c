#include "risk/cpe.h"

#include "tap.h"

static struct yg_cpe a, b;

/* Reads, and is written as that. */
static void reads(const char *text, const char *want)
{
	char put[2 * YG_CPE_TEXT_MAX];
	size_t at;
	struct yg_err err = {.msg = ""};
	struct yg_sb s = yg_sb_init(put, sizeof put);
	bool ok = yg_cpe_parse(yg_sv_of(text), &a, &at, &err) == YG_OK;
	if (ok)
		yg_cpe_put(&s, &a);
	ok = ok && yg_sv_eq(yg_sb_sv(&s), yg_sv_of(want));
	if (!ok)
		(void)printf("# %s: %s\n", err.msg, yg_sb_cstr(&s));
	T_NAMED(ok, text);
}

static void refused(const char *text, size_t at, const char *why)
{
	size_t got = SIZE_MAX;
	struct yg_err err = {.msg = ""};
	bool ok = yg_cpe_parse(yg_sv_of(text), &a, &got, &err) == YG_PARSE && got == at &&
		  strstr(err.msg, why) != NULL;
	if (!ok)
		(void)printf("# at %zu: %s\n", got, err.msg);
	T_NAMED(ok, text);
}

static void compares(const char *source, const char *target, enum yg_cpe_relation want)
{
	size_t at;
	bool ok = yg_cpe_parse(yg_sv_of(source), &a, &at, NULL) == YG_OK &&
		  yg_cpe_parse(yg_sv_of(target), &b, &at, NULL) == YG_OK &&
		  yg_cpe_compare(&a, &b) == want;
	T_NAMED(ok, target);
}

/* The examples of 7695, 6.2.3 and 6.1.3. */
static void test_reading(void)
{
	reads("cpe:2.3:a:microsoft:internet_explorer:8.0.6001:beta:*:*:*:*:*:*",
	      "cpe:2.3:a:microsoft:internet_explorer:8.0.6001:beta:*:*:*:*:*:*");
	reads("cpe:2.3:a:hp:insight_diagnostics:7.4.0.1570:-:*:*:online:win2003:x64:*",
	      "cpe:2.3:a:hp:insight_diagnostics:7.4.0.1570:-:*:*:online:win2003:x64:*");
	reads("cpe:2.3:a:foo\\\\bar:big\\$money:2010:*:*:*:special:ipod_touch:80gb:*",
	      "cpe:2.3:a:foo\\\\bar:big\\$money:2010:*:*:*:special:ipod_touch:80gb:*");
	reads("CPE:2.3:O:Cisco:IOS:12.0\\(24\\)S?:*:*:ZH-tw:*:*:*:*",
	      "cpe:2.3:o:cisco:ios:12.0\\(24\\)s?:*:*:zh-tw:*:*:*:*");
	reads("cpe:2.3:a:x\\:y:\\*\\?:??1\\.0\\-2*:*:*:es-419:*:*:*:*",
	      "cpe:2.3:a:x\\:y:\\*\\?:??1.0-2*:*:*:es-419:*:*:*:*");
	reads("cpe:/a:microsoft:internet_explorer:8.0.6001:beta",
	      "cpe:2.3:a:microsoft:internet_explorer:8.0.6001:beta:*:*:*:*:*:*");
	reads("cpe:/a:microsoft:internet_explorer:8.%02:sp%01",
	      "cpe:2.3:a:microsoft:internet_explorer:8.*:sp?:*:*:*:*:*:*");
	reads("cpe:/a:hp:insight_diagnostics:7.4.0.1570::~~online~win2003~x64~",
	      "cpe:2.3:a:hp:insight_diagnostics:7.4.0.1570:*:*:*:online:win2003:x64:*");
	reads("cpe:/a:hp:openview_network_manager:7.51:-:~~~linux~~",
	      "cpe:2.3:a:hp:openview_network_manager:7.51:-:*:*:*:linux:*:*");
	reads("cpe:/a:foo~bar:big%7emoney_2010",
	      "cpe:2.3:a:foo\\~bar:big\\~money_2010:*:*:*:*:*:*:*:*");
	reads("cpe:/", "cpe:2.3:*:*:*:*:*:*:*:*:*:*:*");
	reads("cpe:/o::::::", "cpe:2.3:o:*:*:*:*:*:*:*:*:*:*");
}

static void test_refused(void)
{
	char many[YG_CPE_TEXT_MAX] = "cpe:2.3:a:";
	refused("", 0, "neither");
	refused("cpe:2.3", 0, "neither");
	refused("cpe:2.2:a:b:c:*:*:*:*:*:*:*:*", 0, "neither");
	refused("cpe:2.3:a:b:c", 13, "3 components of 11");
	refused("cpe:2.3:a:b:c:1:*:*:*:*:*:*:*:*", 29, "more than 11");
	refused("cpe:2.3:x:b:c:1:*:*:*:*:*:*:*", 8, "none of a, o and h");
	refused("cpe:2.3:a?:b:c:1:*:*:*:*:*:*:*", 8, "none of a, o and h");
	refused("cpe:2.3:a:b b:c:1:*:*:*:*:*:*:*", 11, "must be quoted");
	refused("cpe:2.3:a:b\xc3\xa9:c:1:*:*:*:*:*:*:*", 11, "must be quoted");
	refused("cpe:2.3:a:b\\b:c:1:*:*:*:*:*:*:*", 11, "quotes punctuation");
	refused("cpe:2.3:a:b:c:1:*:*:*:*:*:*:\\", 28, "quotes punctuation");
	refused("cpe:2.3:a::c:1:*:*:*:*:*:*:*", 10, "empty component");
	refused("cpe:2.3:a:b:c:1.*.2:*:*:*:*:*:*:*", 17, "at the ends only");
	refused("cpe:2.3:a:b:c:?*1:*:*:*:*:*:*:*", 15, "beside another");
	refused("cpe:2.3:a:b:c:**1:*:*:*:*:*:*:*", 15, "beside another");
	refused("cpe:2.3:a:b:c:?:*:*:*:*:*:*:*", 14, "without text");
	refused("cpe:2.3:a:b:\\-:1:*:*:*:*:*:*:*", 12, "may not stand alone");
	refused("cpe:2.3:a:b:c:1:*:*:english:*:*:*:*", 20, "not a language");
	refused("cpe:2.3:a:b:c:1:*:*:en-419x:*:*:*:*", 20, "not a language");
	refused("cpe:/a:b:c:1:u:e:en:more", 19, "more than 7");
	refused("cpe:/a:b:c:1:u:~e~s", 19, "2 of 5");
	refused("cpe:/a:b:c:1:u:~1~2~3~4~5~6", 25, "more than 5");
	refused("cpe:/a:b+c", 8, "percent-encoded");
	refused("cpe:/a:b%2", 8, "not one of 7695");
	refused("cpe:/a:b%00", 8, "not one of 7695");
	refused("cpe:/a:b%41", 8, "not one of 7695");
	refused("cpe:/a:b%80", 8, "not one of 7695");
	for (size_t i = 10; i < 10 + YG_CPE_MANY; i++)
		many[i] = '?';
	refused(many, 10 + YG_CPE_MANY - 1, "too many");
}

static void test_comparing(void)
{
	const char *any = "cpe:2.3:a:v:p:*:*:*:*:*:*:*:*", *na = "cpe:2.3:a:v:p:-:*:*:*:*:*:*:*";
	const char *one = "cpe:2.3:a:v:p:1.10:*:*:*:*:*:*:*";
	compares(any, any, YG_CPE_EQUAL);
	compares(any, na, YG_CPE_SUPERSET);
	compares(na, one, YG_CPE_DISJOINT);
	compares(one, "cpe:/a:V:P:1.10", YG_CPE_EQUAL);
	compares("cpe:2.3:a:v:p:1.?:*:*:*:*:*:*:*", one, YG_CPE_DISJOINT);
	compares("cpe:2.3:a:v:p:1.??:*:*:*:*:*:*:*", one, YG_CPE_SUPERSET);
	compares("cpe:2.3:a:v:p:1.???:*:*:*:*:*:*:*", one, YG_CPE_SUPERSET);
	compares("cpe:2.3:a:v:p:?.10:*:*:*:*:*:*:*", one, YG_CPE_SUPERSET);
	compares("cpe:2.3:a:v:p:?10:*:*:*:*:*:*:*", one, YG_CPE_DISJOINT);
	compares("cpe:2.3:a:v:p:*1*:*:*:*:*:*:*:*", one, YG_CPE_SUPERSET);
	compares("cpe:2.3:a:v:p:*2*:*:*:*:*:*:*:*", one, YG_CPE_DISJOINT);
	compares("cpe:2.3:a:v:p:?1*:*:*:*:*:*:*:*", na, YG_CPE_DISJOINT);
	compares(one, "cpe:2.3:a:v:p:1.1*:*:*:*:*:*:*:*", YG_CPE_UNDEFINED);
	/* the target's wild card leaves it open, another attribute decides */
	compares(one, "cpe:2.3:o:v:p:1.1*:*:*:*:*:*:*:*", YG_CPE_DISJOINT);
	/* wider in one attribute, narrower in another */
	compares("cpe:2.3:a:v:p:*:u:*:*:*:*:*:*", one, YG_CPE_UNDEFINED);
	compares("cpe:2.3:a:v:p:1.10:u:*:*:*:*:*:*", any, YG_CPE_SUBSET);
	/* a long name in both, so that texts are looked for where they are */
	compares("cpe:2.3:a:v:*rdf4*:1:*:*:*:*:*:*:x", "cpe:2.3:a:v:eclipse_rdf4j:1:*:*:*:*:*:*:x",
		 YG_CPE_SUPERSET);
}

int main(void)
{
	test_reading();
	test_refused();
	test_comparing();
	return tap_done();
}
