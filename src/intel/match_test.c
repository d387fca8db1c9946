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

static struct yg_event query(const char *name)
{
	return (struct yg_event){.query = yg_sv_of(name), .org = YG_SV("a")};
}
static struct yg_event url(const char *text)
{
	return (struct yg_event){.url = yg_sv_of(text), .org = YG_SV("a")};
}
static struct yg_event dst(const char *ip, uint16_t port)
{
	struct yg_event ev = {.dst_port = port, .org = YG_SV("a")};
	(void)yg_ip_parse(yg_sv_of(ip), &ev.dst_ip);
	return ev;
}

#define EV(e) (&(struct yg_event[]){e}[0])

static void test_names(void)
{
	const struct yg_indicator in[] = {
		ind(YG_IND_DOMAIN, "evil.example"), ind(YG_IND_DOMAIN, "deep.evil.example"),
		ind(YG_IND_FQDN, "only.example.org"), ind(YG_IND_DOMAIN, "xn--bcher-kva.example")};
	struct yg_intel *i = compiled(in, YG_LEN(in));
	T_OK(i != NULL && yg_intel_count(i) == 4 && yg_intel_generation(i) == 5);
	T_OK(is(i, EV(query("evil.example")), "domain:evil.example@query"));
	T_OK(is(i, EV(query("a.b.evil.example")), "domain:evil.example@query"));
	T_OK(is(i, EV(query("x.deep.evil.example")), "domain:deep.evil.example@query"));
	T_OK(is(i, EV(query("notevil.example")), ""));
	T_OK(is(i, EV(query("evil.example.com")), ""));
	T_OK(is(i, EV(query("example")), ""));
	T_OK(is(i, EV(query("only.example.org")), "fqdn:only.example.org@query"));
	T_OK(is(i, EV(query("x.only.example.org")), ""));
	T_OK(is(i, EV(query("WWW.Evil.Example.")), "domain:evil.example@query"));
	T_OK(is(i,
		EV(query("b\xc3\xbc"
			 "cher.example")),
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
	T_OK(is(i, EV(dst("192.0.2.7", 80)), "ip:192.0.2.7@dst_ip"));
	T_OK(is(i, EV(dst("192.0.2.8", 80)), "ip:192.0.2.0/24@dst_ip"));
	T_OK(is(i, EV(dst("198.51.100.1", 80)), "ip:198.51.100.0/25@dst_ip"));
	T_OK(is(i, EV(dst("198.51.100.200", 80)), "ip:198.51.0.0/16@dst_ip"));
	T_OK(is(i, EV(dst("198.52.100.200", 80)), ""));
	T_OK(is(i, EV(dst("203.0.113.9", 53)), "ip-port:203.0.113.9:53@dst_ip"));
	T_OK(is(i, EV(dst("203.0.113.9", 54)), ""));
	T_OK(is(i, EV(dst("2001:db8::9", 443)), "ip-port:[2001:db8::9]:443@dst_ip"));
	T_OK(is(i, EV(dst("2001:db8:1:2::3", 1)), "ip:2001:db8:1::/48@dst_ip"));
	T_OK(is(i, EV(dst("2001:db8::1", 1)), "ip:2001:db8::1@dst_ip"));
	T_OK(is(i, EV(dst("2001:db8:2::3", 1)), "ip:2001:db8:2::2/127@dst_ip"));
	T_OK(is(i, EV(dst("2001:db8:2::4", 1)), ""));
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
	T_OK(is(i, EV(url("http://x.example/!HELP_SOS.hta")), "url:/!HELP_SOS.hta@url"));
	T_OK(is(i, EV(url("http://x.example/a/b/!HELP_SOS.hta?x=1")), "url:/!HELP_SOS.hta@url"));
	T_OK(is(i, EV(url("/!HELP_SOS.hta")), "url:/!HELP_SOS.hta@url"));
	T_OK(is(i, EV(url("http://192.0.2.1/any/thing")), "url:http://192.0.2.1/@url"));
	T_OK(is(i, EV(url("http://192.0.2.1:8080/any/thing")), ""));
	T_OK(is(i, EV(url("HTTP://BAD.example:80/x/../gate.php?a=1#f")),
		"url:bad.example/gate.php@url"));
	T_OK(is(i, EV(url("https://bad.example/%67ate.php")), "url:bad.example/gate.php@url"));
	T_OK(is(i, EV(url("http://bad.example/kit/one/two")), "url:bad.example/kit/@url"));
	T_OK(is(i, EV(url("http://bad.example/other")), ""));
	T_OK(is(i, EV(url("http://y.example/panel/five/fre.php")), "url:/panel/five/fre.php@url"));
	T_OK(is(i, EV(url("http://y.example/z/panel/five/fre.php")), ""));
	T_OK(is(i, EV(url("http://y.example/9SFD/x.bin")), "url:/9SFD/@url"));
	T_OK(is(i, EV(url("http://y.example/track.php?id=77&x=2")), "url:/track.php?id=@url"));
	T_OK(is(i, EV(url("http://q.example/a?b=c")), "url:https://q.example/a?b=c@url"));
	T_OK(is(i, EV(url("http://q.example/a")), ""));
	yg_intel_close(i);
}

int main(void)
{
	set = malloc(sizeof *set);
	if (set == NULL)
		return 1;
	test_names();
	test_addresses();
	test_urls();
	free(set);
	return tap_done();
}
