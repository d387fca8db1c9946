/* Compiles small sets into a memfd and asks what events hold. */
#include "intel/match.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "intel/compile.h"
#include "tap.h"

static struct yg_env_sim sim = {.wall = {1700000000000000}, .seed = 7};
static struct yg_match_set *set;

static struct yg_indicator ind(enum yg_indicator_type type, const char *value)
{
	return (struct yg_indicator){.type = type,
				     .value = yg_sv_of(value),
				     .list = YG_SV("list"),
				     .category = YG_SV("malware"),
				     .family = YG_SV("family"),
				     .confidence = 75,
				     .severity_id = 4};
}

static struct yg_intel *compiled(const struct yg_indicator *in, size_t n)
{
	struct yg_env env = yg_env_sim(&sim);
	struct yg_intel_builder *b = NULL;
	struct yg_intel *out = NULL;
	struct yg_err err = {.msg = ""};
	int fd = memfd_create("test", MFD_CLOEXEC);
	struct yg_intel_build_opts opts = {.env = &env};
	yg_status st = yg_intel_builder_new(&opts, &b, &err);
	for (size_t i = 0; st == YG_OK && i < n; i++)
		st = yg_intel_builder_add(b, &in[i], &err);
	if (st == YG_OK)
		st = yg_intel_builder_finish(b, fd, 5, NULL, &err);
	if (st == YG_OK)
		st = yg_intel_open_fd(fd, 0, &out, &err);
	if (st != YG_OK)
		(void)printf("# %s\n", err.msg);
	yg_intel_builder_free(b);
	(void)close(fd);
	return out;
}

/* Matches of an event as "type:indicator@field ..." */
static const char *found(const struct yg_intel *in, const struct yg_event *ev)
{
	static char text[4096];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_intel_match(in, ev, sim.wall, set);
	for (uint32_t i = 0; i < set->n; i++) {
		const struct yg_match *m = &set->m[i];
		yg_sb_printf(&b, "%s%s:" YG_SV_FMT "@%s", i > 0 ? " " : "",
			     yg_indicator_type_name(m->type), YG_SV_ARG(m->indicator),
			     yg_event_fields[m->field].name);
	}
	return yg_sb_cstr(&b);
}

static bool is(const struct yg_intel *in, const struct yg_event *ev, const char *want)
{
	const char *got = found(in, ev);
	bool same = strcmp(got, want) == 0;
	if (!same)
		(void)printf("# got '%s', wanted '%s'\n", got, want);
	return same;
}

/* One at a time: the event these give lasts until the next of them. */
static struct yg_event scratch;
static const struct yg_event *query(const char *name)
{
	scratch = (struct yg_event){.query = yg_sv_of(name), .org = YG_SV("a")};
	return &scratch;
}
static const struct yg_event *url(const char *text)
{
	scratch = (struct yg_event){.url = yg_sv_of(text), .org = YG_SV("a")};
	return &scratch;
}
static const struct yg_event *dst(const char *ip, uint16_t port)
{
	scratch = (struct yg_event){.dst_port = port, .org = YG_SV("a")};
	(void)yg_ip_parse(yg_sv_of(ip), &scratch.dst_ip);
	return &scratch;
}

static void test_names(void)
{
	const struct yg_indicator in[] = {
		ind(YG_IND_DOMAIN, "evil.example"), ind(YG_IND_DOMAIN, "deep.evil.example"),
		ind(YG_IND_FQDN, "only.example.org"), ind(YG_IND_DOMAIN, "xn--bcher-kva.example")};
	struct yg_intel *i = compiled(in, YG_LEN(in));
	T_OK(i != NULL && yg_intel_count(i) == 4 && yg_intel_generation(i) == 5);
	T_OK(is(i, query("evil.example"), "domain:evil.example@query"));
	T_OK(is(i, query("a.b.evil.example"), "domain:evil.example@query"));
	T_OK(is(i, query("x.deep.evil.example"), "domain:deep.evil.example@query"));
	T_OK(is(i, query("notevil.example"), ""));
	T_OK(is(i, query("evil.example.com"), ""));
	T_OK(is(i, query("example"), ""));
	T_OK(is(i, query("only.example.org"), "fqdn:only.example.org@query"));
	T_OK(is(i, query("x.only.example.org"), ""));
	T_OK(is(i, query("WWW.Evil.Example."), "domain:evil.example@query"));
	T_OK(is(i,
		query("b\xc3\xbc"
		      "cher.example"),
		"domain:xn--bcher-kva.example@query"));
	struct yg_event host = {.dst_host = YG_SV("evil.example:8080")};
	T_OK(is(i, &host, "domain:evil.example@dst_host"));
	struct yg_sv answers[] = {YG_SV_INIT("fine.example"), YG_SV_INIT("cdn.evil.example")};
	struct yg_event ans = {.query = YG_SV("x.test"), .answers = {answers, 2}};
	T_OK(is(i, &ans, "domain:evil.example@answers"));
	struct yg_event twice = {.query = YG_SV("evil.example"), .dst_host = YG_SV("evil.example")};
	T_OK(is(i, &twice, "domain:evil.example@query"));
	struct yg_event mail = {.mail_from = YG_SV("someone@mail.evil.example")};
	T_OK(is(i, &mail, "domain:evil.example@mail_from"));
	yg_intel_close(i);
}

static void test_addresses(void)
{
	const struct yg_indicator in[] = {
		ind(YG_IND_IP, "192.0.2.7"),          ind(YG_IND_IP, "192.0.2.0/24"),
		ind(YG_IND_IP, "198.51.0.0/16"),      ind(YG_IND_IP, "198.51.100.0/25"),
		ind(YG_IND_IPPORT, "203.0.113.9:53"), ind(YG_IND_IPPORT, "[2001:db8::9]:443"),
		ind(YG_IND_IP, "2001:db8:1::/48"),    ind(YG_IND_IP, "2001:db8::1"),
		ind(YG_IND_IP, "2001:db8:2::2/127")};
	struct yg_intel *i = compiled(in, YG_LEN(in));
	T_OK(i != NULL);
	T_OK(is(i, dst("192.0.2.7", 80), "ip:192.0.2.7@dst_ip"));
	T_OK(is(i, dst("192.0.2.8", 80), "ip:192.0.2.0/24@dst_ip"));
	T_OK(is(i, dst("198.51.100.1", 80), "ip:198.51.100.0/25@dst_ip"));
	T_OK(is(i, dst("198.51.100.200", 80), "ip:198.51.0.0/16@dst_ip"));
	T_OK(is(i, dst("198.52.100.200", 80), ""));
	T_OK(is(i, dst("203.0.113.9", 53), "ip-port:203.0.113.9:53@dst_ip"));
	T_OK(is(i, dst("203.0.113.9", 54), ""));
	T_OK(is(i, dst("2001:db8::9", 443), "ip-port:[2001:db8::9]:443@dst_ip"));
	T_OK(is(i, dst("2001:db8:1:2::3", 1), "ip:2001:db8:1::/48@dst_ip"));
	T_OK(is(i, dst("2001:db8::1", 1), "ip:2001:db8::1@dst_ip"));
	T_OK(is(i, dst("2001:db8:2::3", 1), "ip:2001:db8:2::2/127@dst_ip"));
	T_OK(is(i, dst("2001:db8:2::4", 1), ""));
	struct yg_sv answers[] = {YG_SV_INIT("192.0.2.7")};
	struct yg_event ans = {.answers = {answers, 1}};
	T_OK(is(i, &ans, "ip:192.0.2.7@answers"));
	struct yg_event host = {.dst_host = YG_SV("203.0.113.9:53")};
	T_OK(is(i, &host, "ip-port:203.0.113.9:53@dst_host"));
	yg_intel_close(i);
}

static void test_urls(void)
{
	const struct yg_indicator in[] = {ind(YG_IND_URL, "/!HELP_SOS.hta"),
					  ind(YG_IND_URL, "http://192.0.2.1"),
					  ind(YG_IND_URL, "bad.example/gate.php"),
					  ind(YG_IND_URL, "bad.example/kit/"),
					  ind(YG_IND_URL, "/panel/five/fre.php"),
					  ind(YG_IND_URL, "/9SFD/"),
					  ind(YG_IND_URL, "/track.php?id="),
					  ind(YG_IND_URL, "https://q.example/a?b=c")};
	struct yg_intel *i = compiled(in, YG_LEN(in));
	T_OK(i != NULL);
	T_OK(is(i, url("http://x.example/!HELP_SOS.hta"), "url:/!HELP_SOS.hta@url"));
	T_OK(is(i, url("http://x.example/a/b/!HELP_SOS.hta?x=1"), "url:/!HELP_SOS.hta@url"));
	T_OK(is(i, url("/!HELP_SOS.hta"), "url:/!HELP_SOS.hta@url"));
	T_OK(is(i, url("http://192.0.2.1/any/thing"), "url:http://192.0.2.1/@url"));
	T_OK(is(i, url("http://192.0.2.1:8080/any/thing"), ""));
	T_OK(is(i, url("HTTP://BAD.example:80/x/../gate.php?a=1#f"),
		"url:bad.example/gate.php@url"));
	T_OK(is(i, url("https://bad.example/%67ate.php"), "url:bad.example/gate.php@url"));
	T_OK(is(i, url("http://bad.example/kit/one/two"), "url:bad.example/kit/@url"));
	T_OK(is(i, url("http://bad.example/other"), ""));
	T_OK(is(i, url("http://y.example/panel/five/fre.php"), "url:/panel/five/fre.php@url"));
	T_OK(is(i, url("http://y.example/z/panel/five/fre.php"), ""));
	T_OK(is(i, url("http://y.example/9SFD/x.bin"), "url:/9SFD/@url"));
	T_OK(is(i, url("http://y.example/track.php?id=77&x=2"), "url:/track.php?id=@url"));
	T_OK(is(i, url("http://q.example/a?b=c"), "url:https://q.example/a?b=c@url"));
	T_OK(is(i, url("http://q.example/a"), ""));
	yg_intel_close(i);
}

static void test_others(void)
{
	const struct yg_indicator in[] = {
		ind(YG_IND_HASH, "D41D8CD98F00B204E9800998ECF8427E"),
		ind(YG_IND_EMAIL, "Someone@Evil.example"),
	};
	struct yg_intel *i = compiled(in, YG_LEN(in));
	struct yg_sv hashes[] = {YG_SV_INIT("0000"),
				 YG_SV_INIT("d41d8cd98f00b204e9800998ecf8427e")};
	struct yg_event file = {.hashes = {hashes, 2}};
	T_OK(is(i, &file, "hash:d41d8cd98f00b204e9800998ecf8427e@hashes"));
	struct yg_event mail = {.mail_from = YG_SV("SOMEONE@evil.example")};
	T_OK(is(i, &mail, "email:someone@evil.example@mail_from"));
	struct yg_sv to[] = {YG_SV_INIT("other@evil.example"), YG_SV_INIT("someone@evil.example")};
	struct yg_event sent = {.mail_to = {to, 2}};
	T_OK(is(i, &sent, "email:someone@evil.example@mail_to"));
	yg_intel_close(i);
}

static void test_scope(void)
{
	struct yg_indicator in[] = {
		ind(YG_IND_DOMAIN, "only-b.example.org"), ind(YG_IND_DOMAIN, "ended.example.org"),
		ind(YG_IND_DOMAIN, "later.example.org"), ind(YG_IND_DOMAIN, "nearly.example.org"),
		ind(YG_IND_DOMAIN, "example.org")};
	in[0].org = YG_SV("b");
	in[1].valid_until = sim.wall;
	in[2].valid_from.us = sim.wall.us + 1;
	in[3].valid_until.us = sim.wall.us + 1;
	in[3].valid_from = sim.wall;
	struct yg_intel *i = compiled(in, 4);
	struct yg_event b = {.query = YG_SV("only-b.example.org"), .org = YG_SV("b")};
	T_OK(is(i, &b, "domain:only-b.example.org@query"));
	T_OK(is(i, query("only-b.example.org"), ""));
	T_OK(is(i, query("ended.example.org"), ""));
	T_OK(is(i, query("later.example.org"), ""));
	T_OK(is(i, query("nearly.example.org"), "domain:nearly.example.org@query"));
	yg_intel_close(i);
	i = compiled(in, 5); /* out of scope or time: the name above it still counts */
	T_OK(is(i, query("ended.example.org"), "domain:example.org@query"));
	T_OK(is(i, query("only-b.example.org"), "domain:example.org@query"));
	yg_intel_close(i);
}

static void test_allow(void)
{
	struct yg_indicator in[] = {
		ind(YG_IND_DOMAIN, "evil.example"),
		ind(YG_IND_DOMAIN, "fine.evil.example"),
		ind(YG_IND_IP, "198.51.100.0/24"),
		ind(YG_IND_IP, "198.51.100.7"),
		ind(YG_IND_URL, "shared.example/bad/"),
		ind(YG_IND_URL, "shared.example/bad/not"),
		ind(YG_IND_URL, "/bad.exe"),
		ind(YG_IND_DOMAIN, "trusted.example"),
		ind(YG_IND_DOMAIN, "for-a.example"),
		ind(YG_IND_DOMAIN, "for-a.example"),
		ind(YG_IND_IPPORT, "198.51.100.7:443"),
		ind(YG_IND_FQDN, "one.example"),
		ind(YG_IND_DOMAIN, "one.example"),
	};
	static const size_t allow[] = {1, 3, 5, 7, 9, 11};
	for (size_t k = 0; k < YG_LEN(allow); k++)
		in[allow[k]].allow = true;
	in[9].org = YG_SV("a");
	struct yg_intel *i = compiled(in, YG_LEN(in));
	T_OK(is(i, query("evil.example"), "domain:evil.example@query"));
	T_OK(is(i, query("fine.evil.example"), ""));
	T_OK(is(i, query("www.fine.evil.example"), ""));
	T_OK(is(i, query("xfine.evil.example"), "domain:evil.example@query"));
	T_OK(is(i, dst("198.51.100.8", 443), "ip:198.51.100.0/24@dst_ip"));
	T_OK(is(i, dst("198.51.100.7", 443), "")); /* also what is at the address */
	T_OK(is(i, url("http://shared.example/bad/one"), "url:shared.example/bad/@url"));
	T_OK(is(i, url("http://shared.example/bad/not"), ""));
	T_OK(is(i, url("http://x.example/bad.exe"), "url:/bad.exe@url"));
	T_OK(is(i, url("http://www.trusted.example/bad.exe"), ""));
	T_OK(is(i, query("for-a.example"), ""));
	struct yg_event b = {.query = YG_SV("for-a.example"), .org = YG_SV("b")};
	T_OK(is(i, &b, "domain:for-a.example@query"));
	T_OK(is(i, query("one.example"), ""));
	T_OK(is(i, query("x.one.example"), "domain:one.example@query"));
	yg_intel_close(i);
}

static void test_sources(void)
{
	struct yg_indicator in[20];
	char names[20][16];
	for (size_t k = 0; k < 20; k++) {
		(void)snprintf(names[k], sizeof names[k], "list-%zu", k);
		in[k] = ind(YG_IND_DOMAIN, k == 19 ? "EVIL.example." : "evil.example");
		in[k].list = yg_sv_of(names[k]);
		in[k].confidence = k == 3 ? 90 : 50;
	}
	in[4] = in[3];              /* the same again */
	in[5].org = YG_SV("other"); /* not for this organisation */
	struct yg_intel *i = compiled(in, YG_LEN(in));
	T_OK(yg_intel_count(i) == 1);
	T_OK(is(i, query("evil.example"), "domain:evil.example@query"));
	const struct yg_match *m = &set->m[0];
	T_OK(yg_sv_eq(m->list, YG_SV("list-3")) && m->confidence == 90);
	T_OK(m->list_count == YG_MATCH_LISTS_MAX && m->lists_more == 10);
	T_OK(yg_sv_eq(m->lists[0], YG_SV("list-0")) && yg_sv_eq(m->lists[4], YG_SV("list-6")));
	T_OK(yg_sv_eq(m->category, YG_SV("malware")) && m->severity_id == 4);
	T_OK(yg_sv_eq(m->value, YG_SV("evil.example")));
	yg_intel_close(i);
}

/* More values than one round of probes holds, and more matches than a set. */
static void test_many(void)
{
	enum { N = 300 };
	static struct yg_indicator in[N];
	static char names[N][64];
	static struct yg_sv values[N];
	for (size_t k = 0; k < N; k++) {
		(void)snprintf(names[k], sizeof names[k], "a.b.c.d.e.f.n%zu.example", k);
		in[k] = ind(YG_IND_DOMAIN, names[k] + 12);
		values[k] = yg_sv_of(names[k]);
	}
	struct yg_intel *i = compiled(in, N);
	struct yg_event ev = {.answers = {values, N}};
	yg_intel_match(i, &ev, sim.wall, set);
	T_OK(set->n == YG_MATCHES_MAX && set->n + set->more == N);
	struct yg_event long_name = {.query = {names[0], 0}};
	static char huge[70000];
	memset(huge, 'a', sizeof huge);
	long_name.query = (struct yg_sv){huge, sizeof huge};
	long_name.url = (struct yg_sv){huge, sizeof huge};
	yg_intel_match(i, &long_name, sim.wall, set);
	T_OK(set->n == 0 && set->skipped == 2);
	static char dots[253];
	for (size_t k = 0; k < sizeof dots; k++)
		dots[k] = (k & 1) != 0 ? '.' : 'a';
	struct yg_event deep = {.query = {dots, sizeof dots}};
	T_OK(is(i, &deep, ""));
	yg_intel_close(i);
}

/* A snapshot that replaces another between the two steps. */
static void test_swap(void)
{
	const struct yg_indicator a = ind(YG_IND_DOMAIN, "old.example"),
				  b = ind(YG_IND_DOMAIN, "new.example");
	struct yg_intel *one = compiled(&a, 1), *two = compiled(&b, 1);
	struct yg_event ev = *query("www.new.example");
	yg_intel_prepare(one, &ev, set);
	yg_intel_finish(two, &ev, sim.wall, set);
	T_OK(set->n == 1 && yg_sv_eq(set->m[0].indicator, YG_SV("new.example")));
	/* also when it stands where the old one stood */
	yg_intel_prepare(two, &ev, set);
	yg_intel_close(one);
	yg_intel_close(two);
	two = compiled(&b, 1);
	yg_intel_finish(two, &ev, sim.wall, set);
	T_OK(set->n == 1 && yg_sv_eq(set->m[0].indicator, YG_SV("new.example")));
	yg_intel_close(two);
}

static void test_refused(void)
{
	struct yg_env env = yg_env_sim(&sim);
	struct yg_intel_builder *b = NULL;
	struct yg_intel_build_opts opts = {.env = &env};
	struct yg_err err;
	if (!T_OK(yg_intel_builder_new(&opts, &b, &err) == YG_OK))
		return;
	static const struct {
		enum yg_indicator_type type;
		const char *value;
		yg_status want;
	} cases[] = {
		{YG_IND_DOMAIN, ".ac.cn", YG_DENIED},
		{YG_IND_DOMAIN, "com", YG_DENIED},
		{YG_IND_DOMAIN, "co.uk", YG_DENIED},
		{YG_IND_DOMAIN, "duckdns.org", YG_DENIED},
		{YG_IND_DOMAIN, "evil.duckdns.org", YG_OK},
		{YG_IND_FQDN, "duckdns.org", YG_OK},
		{YG_IND_DOMAIN, "ec2-3-81-34-172.compute-1.amazonaws.com", YG_OK},
		{YG_IND_IP, "11.0.0.0/7", YG_PARSE},
		{YG_IND_IP, "0.0.0.0/0", YG_DENIED},
		{YG_IND_IP, "8.0.0.0/7", YG_DENIED},
		{YG_IND_IP, "8.0.0.0/8", YG_OK},
		{YG_IND_IP, "2000::/3", YG_DENIED},
		{YG_IND_IPPORT, "1.2.3.4:0", YG_PARSE},
		{YG_IND_NONE, "x", YG_PARSE},
	};
	for (size_t i = 0; i < YG_LEN(cases); i++) {
		struct yg_indicator one = ind(cases[i].type, cases[i].value);
		T_NAMED(yg_intel_builder_add(b, &one, &err) == cases[i].want, cases[i].value);
	}
	yg_intel_builder_free(b);
	opts.force_suffix = true;
	if (!T_OK(yg_intel_builder_new(&opts, &b, &err) == YG_OK))
		return;
	struct yg_indicator forced = ind(YG_IND_DOMAIN, ".ac.cn");
	T_OK(yg_intel_builder_add(b, &forced, &err) == YG_OK);
	yg_intel_builder_free(b);
}

int main(void)
{
	set = malloc(sizeof *set);
	if (set == NULL)
		return 1;
	test_names();
	test_addresses();
	test_urls();
	test_others();
	test_scope();
	test_allow();
	test_sources();
	test_many();
	test_swap();
	test_refused();
	free(set);
	return tap_done();
}
