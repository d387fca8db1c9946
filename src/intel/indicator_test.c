/* Every spelling has one normal form, and the normal form stays as it is. */
#include "intel/indicator.h"

#include "tap.h"

static void same(enum yg_indicator_type t, const char *in, const char *want)
{
	static char once[YG_KEY_MAX], twice[YG_KEY_MAX];
	struct yg_sb a = yg_sb_init(once, sizeof once), b = yg_sb_init(twice, sizeof twice);
	struct yg_err err = {.msg = ""};
	yg_status st = yg_indicator_normalize(t, yg_sv_of(in), &a, &err);
	bool ok = st == YG_OK && yg_sv_eq(yg_sb_sv(&a), yg_sv_of(want));
	ok = ok && yg_indicator_normalize(t, yg_sb_sv(&a), &b, &err) == YG_OK &&
	     yg_sv_eq(yg_sb_sv(&a), yg_sb_sv(&b));
	if (!ok)
		(void)printf("# '%s' gave '" YG_SV_FMT "' (%s), wanted '%s'\n", in,
			     YG_SV_ARG(yg_sb_sv(&a)), st == YG_OK ? "" : err.msg, want);
	T_NAMED(ok, want);
}

static void refused(enum yg_indicator_type t, const char *in)
{
	char buf[YG_KEY_MAX];
	struct yg_sb b = yg_sb_init(buf, sizeof buf);
	struct yg_err err = {.msg = ""};
	yg_status st = yg_indicator_normalize(t, yg_sv_of(in), &b, &err);
	if (st != YG_PARSE && st != YG_TOOBIG)
		(void)printf("# '%s' gave '" YG_SV_FMT "'\n", in, YG_SV_ARG(yg_sb_sv(&b)));
	T_NAMED((st == YG_PARSE || st == YG_TOOBIG) && err.msg[0] != '\0', in);
}

static void test_names(void)
{
	same(YG_IND_DOMAIN, "Evil.Example.COM.", "evil.example.com");
	same(YG_IND_DOMAIN, " *.evil.example ", "evil.example");
	same(YG_IND_DOMAIN, ".ac.cn", "ac.cn");
	same(YG_IND_DOMAIN, "evil[.]example[dot]com", "evil.example.com");
	same(YG_IND_DOMAIN, "evil(.)example(dot)com", "evil.example.com");
	same(YG_IND_DOMAIN, "66properties_.leorius.ru", "66properties_.leorius.ru");
	same(YG_IND_DOMAIN, "_dmarc.-x-.example", "_dmarc.-x-.example");
	same(YG_IND_DOMAIN,
	     "B\xc3\xbc"
	     "cher.example",
	     "xn--bcher-kva.example");
	same(YG_IND_DOMAIN, "\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88",
	     "xn--r8jz45g.xn--zckzah");
	same(YG_IND_FQDN, "a.b", "a.b");
	refused(YG_IND_DOMAIN, "");
	refused(YG_IND_DOMAIN, ".");
	refused(YG_IND_DOMAIN, "a..b");
	refused(YG_IND_DOMAIN, "a b.example");
	refused(YG_IND_DOMAIN, "1.2.3.4");
	refused(YG_IND_DOMAIN, "http://x.example");
	refused(YG_IND_DOMAIN, "\xff\xfe.example");
	refused(YG_IND_DOMAIN,
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example");
	same(YG_IND_DOMAIN,
	     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example",
	     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example");
}

static void test_addresses(void)
{
	same(YG_IND_IP, "192.0.2.1", "192.0.2.1");
	same(YG_IND_IP, "192[.]0[.]2[.]1", "192.0.2.1");
	same(YG_IND_IP, "192.0.2.0/24", "192.0.2.0/24");
	same(YG_IND_IP, "192.0.2.1/32", "192.0.2.1");
	same(YG_IND_IP, "::ffff:192.0.2.1", "192.0.2.1");
	same(YG_IND_IP, "::ffff:192.0.2.0/120", "192.0.2.0/24");
	same(YG_IND_IP, "2001:DB8:0:0::1", "2001:db8::1");
	same(YG_IND_IP, "[2001:db8::1]", "2001:db8::1");
	same(YG_IND_IP, "2001:db8::/32", "2001:db8::/32");
	same(YG_IND_IP, "0.0.0.0/0", "0.0.0.0/0");
	refused(YG_IND_IP, "192.0.2.1/24");
	refused(YG_IND_IP, "192.0.2.0/33");
	refused(YG_IND_IP, "192.0.2");
	refused(YG_IND_IP, "192.0.2.01");
	same(YG_IND_IPPORT, "192.0.2.1:080", "192.0.2.1:80");
	same(YG_IND_IPPORT, "192.0.2[.]1[:]8080", "192.0.2.1:8080");
	same(YG_IND_IPPORT, "[2001:DB8::1]:443", "[2001:db8::1]:443");
	refused(YG_IND_IPPORT, "2001:db8::1:443");
	refused(YG_IND_IPPORT, "192.0.2.1");
	refused(YG_IND_IPPORT, "192.0.2.1:");
	refused(YG_IND_IPPORT, "192.0.2.1:0");
	refused(YG_IND_IPPORT, "192.0.2.1:65536");
}

static void test_urls(void)
{
	/* RFC 3986 section 6.2.2's own example, but for the scheme */
	same(YG_IND_URL, "HTTP://a/./b/../b/%63/%7bfoo%7d", "http://a/b/c/%7Bfoo%7D");
	same(YG_IND_URL, "http://EXAMPLE.com:80", "http://example.com/");
	same(YG_IND_URL, "https://example.com:443/", "https://example.com/");
	same(YG_IND_URL, "https://example.com:80/", "https://example.com:80/");
	same(YG_IND_URL, "http://example.com:/x", "http://example.com/x");
	same(YG_IND_URL, "hxxp://evil[.]example/a?b#c", "http://evil.example/a?b");
	same(YG_IND_URL, "hXXps[://]evil(.)example/a[.]exe", "https://evil.example/a.exe");
	same(YG_IND_URL, "http://user:pass@evil.example/", "http://evil.example/");
	same(YG_IND_URL, "http://[2001:DB8::1]:8080/x", "http://[2001:db8::1]:8080/x");
	same(YG_IND_URL, "ftp://Evil.example/x", "ftp://evil.example/x");
	same(YG_IND_URL, "evil.example/x", "evil.example/x");
	same(YG_IND_URL, "evil.example", "evil.example/");
	same(YG_IND_URL, "evil.example?x=1", "evil.example/?x=1");
	same(YG_IND_URL, "103.53.176.145:8080/ServiceDeskPlus/products.do",
	     "103.53.176.145:8080/ServiceDeskPlus/products.do");
	same(YG_IND_URL, "/!HELP_SOS.hta", "/!HELP_SOS.hta");
	same(YG_IND_URL, "/!NB12538z/", "/!NB12538z/");
	same(YG_IND_URL, "/posod16?", "/posod16?");
	same(YG_IND_URL, "/%7Ekudi/", "/~kudi/");
	same(YG_IND_URL, "/\xd0\x9b\"x\"", "/%D0%9B%22x%22");
	same(YG_IND_URL, "/a(%2E)b", "/a(.)b");
	same(YG_IND_URL, "/a[%2E]b", "/a%5B.%5Db");
	same(YG_IND_URL, "/100%", "/100%25");
	same(YG_IND_URL, "/%2%35", "/%2525");
	same(YG_IND_URL, "/../../x", "/x");
	same(YG_IND_URL, "/a/b/..", "/a/");
	same(YG_IND_URL, "/a/%2e%2E/b/.", "/b/");
	same(YG_IND_URL, "/a?x=/../y", "/a?x=/../y");
	same(YG_IND_URL, "/-..-/", "/-..-/");
	refused(YG_IND_URL, "http://");
	refused(YG_IND_URL, "http:///x");
	refused(YG_IND_URL, "http://a b/");
	refused(YG_IND_URL, "http://x.example:99999/");
	refused(YG_IND_URL, "http://x.example:8x/");
	static char huge[YG_URL_MAX + 2];
	memset(huge, 'a', sizeof huge - 1);
	huge[0] = '/';
	refused(YG_IND_URL, huge);
	memset(huge, ' ', sizeof huge - 10); /* fits, but not encoded */
	huge[0] = '/';
	huge[sizeof huge - 12] = 'x';
	huge[sizeof huge - 11] = '\0';
	refused(YG_IND_URL, huge);
}

static void test_others(void)
{
	same(YG_IND_HASH, "D41D8CD98F00B204E9800998ECF8427E", "d41d8cd98f00b204e9800998ecf8427e");
	same(YG_IND_HASH, "da39a3ee5e6b4b0d3255bfef95601890afd80709",
	     "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	refused(YG_IND_HASH, "d41d8cd98f00b204e9800998ecf8427");
	refused(YG_IND_HASH, "g41d8cd98f00b204e9800998ecf8427e");
	same(YG_IND_EMAIL, "Some.One+x@Evil.Example", "some.one+x@evil.example");
	same(YG_IND_EMAIL, "someone[at]evil[.]example", "someone@evil.example");
	same(YG_IND_EMAIL,
	     "x@b\xc3\xbc"
	     "cher.example",
	     "x@xn--bcher-kva.example");
	refused(YG_IND_EMAIL, "@evil.example");
	refused(YG_IND_EMAIL, "a b@evil.example");
	refused(YG_IND_EMAIL, "a@b@evil.example");
	refused(YG_IND_EMAIL, "evil.example");
}

static void test_guess(void)
{
	static const struct {
		const char *value;
		enum yg_indicator_type want;
	} cases[] = {
		{"192.0.2.1", YG_IND_IP},
		{"2001:db8::/32", YG_IND_IP},
		{"192.0.2.1:80", YG_IND_IPPORT},
		{"[2001:db8::1]:80", YG_IND_IPPORT},
		{"evil.example", YG_IND_DOMAIN},
		{"evil[.]example", YG_IND_DOMAIN},
		{"hxxp://evil[.]example/x", YG_IND_URL},
		{"/x.hta", YG_IND_URL},
		{"evil.example/x", YG_IND_URL},
		{"d41d8cd98f00b204e9800998ecf8427e", YG_IND_HASH},
		{"x@evil.example", YG_IND_EMAIL},
		{"no such thing", YG_IND_NONE},
		{"", YG_IND_NONE},
	};
	for (size_t i = 0; i < YG_LEN(cases); i++)
		T_NAMED(yg_indicator_guess(yg_sv_of(cases[i].value)) == cases[i].want,
			cases[i].value);
	for (unsigned t = 1; t < YG_IND_TYPE_COUNT; t++) {
		enum yg_indicator_type back;
		const char *name = yg_indicator_type_name((enum yg_indicator_type)t);
		T_NAMED(yg_indicator_type_parse(yg_sv_of(name), &back) == YG_OK && back == t, name);
	}
	for (unsigned t = 1; t < YG_TLP_COUNT; t++) {
		enum yg_tlp back;
		T_NAMED(yg_tlp_parse(yg_sv_of(yg_tlp_name((enum yg_tlp)t)), &back) == YG_OK &&
				back == t,
			yg_tlp_name((enum yg_tlp)t));
	}
	enum yg_tlp tlp;
	T_OK(yg_tlp_parse(YG_SV("TLP:AMBER+STRICT"), &tlp) == YG_OK && tlp == YG_TLP_AMBER_STRICT);
	T_OK(yg_tlp_parse(YG_SV("white"), &tlp) == YG_OK && tlp == YG_TLP_CLEAR);
	T_OK(yg_tlp_parse(YG_SV("purple"), &tlp) == YG_PARSE);
	T_OK(yg_category_severity(YG_SV("Malware")) == 4 && yg_category_severity(YG_SV("?")) == 3);
}

int main(void)
{
	test_names();
	test_addresses();
	test_urls();
	test_others();
	test_guess();
	return tap_done();
}
