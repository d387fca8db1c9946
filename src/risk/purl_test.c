#include "risk/purl.h"

#include "tap.h"

static struct yg_purl p;

static void reads(const char *text, const char *want)
{
	char put[3 * YG_PURL_TEXT_MAX];
	struct yg_sb b = yg_sb_init(put, sizeof put);
	struct yg_err err = {.msg = ""};
	size_t at;
	bool ok = yg_purl_parse(yg_sv_of(text), &p, &at, &err) == YG_OK;
	if (ok)
		yg_purl_put(&b, &p);
	ok = ok && yg_sv_eq(yg_sb_sv(&b), yg_sv_of(want));
	if (!ok)
		(void)printf("# %s %s\n", err.msg, yg_sb_cstr(&b));
	T_NAMED(ok, text);
}

static void refused(const char *text, size_t at, const char *why)
{
	size_t got = SIZE_MAX;
	struct yg_err err = {.msg = ""};
	bool ok = yg_purl_parse(yg_sv_of(text), &p, &got, &err) == YG_PARSE && got == at &&
		  strstr(err.msg, why) != NULL;
	if (!ok)
		(void)printf("# at %zu: %s\n", got, err.msg);
	T_NAMED(ok, text);
}

static bool is(struct yg_purl_part part, const char *want)
{
	return yg_sv_eq(yg_purl_text(&p, part), yg_sv_of(want));
}

static void test_reading(void)
{
	reads("pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie",
	      "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie");
	T_OK(is(p.type, "deb") && is(p.namespace, "debian") && is(p.name, "curl") &&
	     is(p.version, "7.50.3-1") && p.qualifiers == 2 && is(p.qualifier[1].key, "distro") &&
	     is(p.qualifier[1].value, "jessie") && p.subpath.n == 0);
	reads("PKG:GOLANG/Google.golang.org/genproto#/googleapis/./../api//annotations/",
	      "pkg:golang/google.golang.org/genproto#googleapis/api/annotations");
	T_OK(is(p.subpath, "googleapis/api/annotations") && p.version.n == 0);
	reads("pkg:npm/%40Angular/animation@12.3.1", "pkg:npm/%40angular/animation@12.3.1");
	reads("pkg:npm/@angular/animation@12.3.1", "pkg:npm/%40angular/animation@12.3.1");
	reads("pkg://maven//org.apache.commons//io///@1.3.4",
	      "pkg:maven/org.apache.commons/io@1.3.4");
	reads("pkg:Maven/a/b@1.0.0%20Final?type=pom&repositorY_url=https://x.y/r&empty=&Key=a%26b",
	      "pkg:maven/a/b@1.0.0%20Final?key=a%26b&repository_url=https://x.y/r&type=pom");
	reads("pkg:generic/openssl@1.1.10g?checksum=sha1:ad95,sha256:41bf",
	      "pkg:generic/openssl@1.1.10g?checksum=sha1:ad95%2Csha256:41bf");
	reads("pkg:PYPI/Django__.package@1.11.1.DEV1", "pkg:pypi/django-package@1.11.1.dev1");
	reads("pkg:pub/My-package@1", "pkg:pub/my_package@1");
	reads("pkg:nuget/EnterpriseLibrary.Common@6.0.1304",
	      "pkg:nuget/EnterpriseLibrary.Common@6.0.1304");
	reads("pkg:cpan/gdt/URI-PackageURL@2.20", "pkg:cpan/GDT/URI-PackageURL@2.20");
	reads("pkg:docker/customer/dockerimage@sha256%3A244fd",
	      "pkg:docker/customer/dockerimage@sha256:244fd");
	reads("pkg:generic/a%2fb@v1/2?x=%e6%ab%93", "pkg:generic/a%2Fb@v1%2F2?x=%E6%AB%93");
}

static void test_refused(void)
{
	char many[YG_PURL_TEXT_MAX + 2];
	refused("", 0, "pkg:");
	refused("EnterpriseLibrary.Common@6.0.1304", 0, "pkg:");
	refused("pkg%3Amaven/org.apache.commons/io", 0, "pkg:");
	refused("pkg:EnterpriseLibrary.Common", 28, "a type, '/' and a name");
	refused("pkg:n&g/nginx@0.8.9", 5, "a type has");
	refused("pkg:3nginx/nginx@0.8.9", 4, "a type has");
	refused("pkg:/", 5, "a type, '/'");
	refused("pkg:maven/@1.3.4", 10, "no name");
	refused("pkg:npm/a@1?in%20production=true", 14, "a key has");
	refused("pkg:npm/a@1?=b", 12, "without a key");
	refused("pkg:npm/a@1?b=1&B=2", 16, "twice");
	refused("pkg:npm/a%2", 9, "percent-encoded");
	refused("pkg:npm/a@%zz", 10, "percent-encoded");
	refused("pkg:npm/a%00b", 9, "NUL");
	refused("pkg:npm/a%ff", 8, "UTF-8");
	refused("pkg:npm/x%2fy/a", 9, "inside a segment");
	refused("pkg:pypi/x/y", 0, "no namespace");
	refused("pkg:swift/Alamofire@5.4.3", 0, "needs a namespace");
	refused("pkg:cpan/GDT/URI::PackageURL", 0, "module");
	memset(many, 'a', sizeof many - 1);
	many[sizeof many - 1] = '\0';
	refused(many, 0, "longer");
	struct yg_sb b = yg_sb_init(many, sizeof many);
	yg_sb_put(&b, YG_SV("pkg:npm/a?"));
	for (unsigned i = 0; i <= YG_PURL_QUALIFIERS_MAX; i++)
		yg_sb_printf(&b, "k%u=1&", i);
	T_OK(strstr(yg_sb_cstr(&b), "k32=") != NULL);
	refused(many, (size_t)(strstr(many, "k32=") - many), "too many");
}

int main(void)
{
	test_reading();
	test_refused();
	return tap_done();
}
