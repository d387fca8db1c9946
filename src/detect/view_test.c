/* Events as rules see them: parts of URLs, hexadecimal text of auditd, event log files'
 * source, and keywords that stand in a record with and without escapes. */
#include "detect/view.h"

#include "detect/engine.h"
#include "detect/read.h"
#include "tap.h"

static struct yg_env_sim sim = {.seed = 5};

struct seen {
	struct yg_norm *norm;
	struct yg_detect_view *view;
	struct yg_event ev;
	struct yg_detect_record r;
};

static void see(struct seen *s, enum yg_source source, const char *text)
{
	struct yg_env env = yg_env_sim(&sim);
	bool ok = yg_norm_new(source, NULL, &s->norm, NULL) == YG_OK &&
		  yg_detect_view_new(source, NULL, &env, &s->view, NULL) == YG_OK;
	if (!ok)
		abort();
	yg_detect_view_follow(s->view, s->norm);
	memset(&s->ev, 0, sizeof s->ev);
	yg_norm_begin(s->norm, yg_sv_of(text), (yg_wall){1}, false);
	T_OK(yg_norm_next(s->norm, &s->ev) && s->ev.parse_error.n == 0);
	T_OK(yg_detect_view_make(s->view, &s->ev, &s->r, NULL) == YG_OK);
}

static void seen_free(struct seen *s)
{
	yg_detect_view_free(s->view);
	yg_norm_free(s->norm);
}

static bool has(const struct seen *s, const char *field, const char *value)
{
	for (size_t i = 0; i < s->r.count; i++)
		if (yg_sv_eq(s->r.pairs[i].field, yg_sv_of(field)) &&
		    yg_sv_eq(s->r.pairs[i].value, yg_sv_of(value)))
			return true;
	return false;
}

static size_t count(const struct seen *s, const char *field)
{
	size_t n = 0;
	for (size_t i = 0; i < s->r.count; i++)
		n += yg_sv_eq(s->r.pairs[i].field, yg_sv_of(field));
	return n;
}

static void test_url(void)
{
	struct seen s;
	see(&s, YG_SOURCE_ZEEK,
	    "{\"_path\":\"http\",\"ts\":1.0,\"uid\":\"C1\",\"id.orig_h\":\"192.0.2.1\",\"id.orig_p\":1,"
	    "\"id.resp_h\":\"192.0.2.2\",\"id.resp_p\":80,\"method\":\"GET\",\"host\":\"a.example\","
	    "\"uri\":\"/x/y.PHP?a=1?b\"}\n");
	T_OK(has(&s, "cs-uri-stem", "/x/y.PHP") && count(&s, "cs-uri-stem") == 1);
	T_OK(has(&s, "cs-uri-query", "a=1?b") && has(&s, "cs-uri-query", "/x/y.PHP?a=1?b"));
	T_OK(has(&s, "c-uri-extension", "PHP"));
	T_OK(has(&s, "c-uri", "/x/y.PHP?a=1?b") &&
	     has(&s, "c-uri", "http://a.example/x/y.PHP?a=1?b"));
	seen_free(&s);
}

static void test_audit(void)
{
	struct seen s;
	see(&s, YG_SOURCE_SYSLOG,
	    "<30>1 2026-11-22T10:00:00Z h audispd - - - type=EXECVE msg=audit(1.2:3): argc=2 a0=\"cat\" "
	    "a1=2F6120622F63 key=\"k\"\n");
	T_OK(has(&s, "a0", "cat") && has(&s, "a1", "/a b/c") && has(&s, "argc", "2"));
	seen_free(&s);
	see(&s, YG_SOURCE_SYSLOG,
	    "<30>1 2026-11-22T10:00:00Z h audispd - - - type=SYSCALL msg=audit(1.2:3): a0=10 comm=6C7300 "
	    "exe=\"2F62\" name=abc\n");
	T_OK(has(&s, "a0", "10") && has(&s, "comm", "ls ") && has(&s, "exe", "2F62") &&
	     has(&s, "name", "abc"));
	seen_free(&s);
}

static void on_match(void *ctx, uint32_t rule)
{
	*(unsigned *)ctx |= 1u << rule;
}

/* Which of the rules match the record: a bit for each. */
static unsigned ask(const struct yg_detect *d, const char *record)
{
	struct seen s;
	struct yg_detect_eval *e = NULL;
	unsigned hits = 0;
	see(&s, YG_SOURCE_WINDOWS, record);
	T_OK(yg_detect_eval_new(d, &e, NULL) == YG_OK);
	if (e != NULL)
		yg_detect_run(e, &s.r, on_match, &hits);
	yg_detect_eval_free(e);
	seen_free(&s);
	return hits;
}

#define EVENT(more)                                                                                                 \
	"{\"Channel\":\"Security\",\"EventID\":1102,\"Hostname\":\"h\",\"EventTime\":\"2026-11-22 10:00:00\"," more \
	"}\n"

/* In the record as it came, or in a value without its escapes. */
static void test_keywords(void)
{
	static const char text[] =
		"title: a\nlogsource: {product: windows}\ndetection:\n  k: ['kiwi::one', '\\two.dll']\n  condition: k\n"
		"---\ntitle: b\nlogsource: {product: windows, service: security}\ndetection:\n  k: ['\\a\\b\\c', '/x/']\n"
		"  condition: k\n"
		"---\ntitle: c\nlogsource: {product: windows, service: sysmon}\ndetection:\n  k: ['kiwi']\n  condition: k\n";
	struct yg_env env = yg_env_sim(&sim);
	struct yg_arena arena;
	struct yg_sigma_file f;
	struct yg_detect_builder *b = NULL;
	struct yg_detect *d = NULL;
	yg_arena_init(&arena, (size_t)16 << 20);
	T_OK(yg_sigma_read(yg_sv_of(text), "f", NULL, NULL, &arena, &f, NULL) == YG_OK &&
	     f.count == 3);
	T_OK(yg_detect_builder_new(&env, (size_t)64 << 20, &b, NULL) == YG_OK);
	for (size_t i = 0; i < f.count; i++)
		T_OK(yg_detect_builder_add(b, &f.rules[i], YG_SV("f"), NULL, 0, NULL) == YG_OK);
	if (yg_detect_builder_build(b, &d, NULL) != YG_OK)
		abort();
	T_OK(ask(d, EVENT("\"A\":\"nothing\"")) == 0);
	T_OK(ask(d, EVENT("\"A\":\"x KIWI::One y\"")) == 1);
	T_OK(ask(d, EVENT("\"A\":\"x kiwi:\\u003aone y\"")) == 1);
	T_OK(ask(d, EVENT("\"A\":\"x\\n\\u006biwi::one\"")) == 1);
	T_OK(ask(d, EVENT("\"A\":\"c:\\\\TWO.dll\"")) == 1);
	T_OK(ask(d, EVENT("\"A\":\"\\two.dll\"")) == 1); /* the record as it came has it */
	T_OK(ask(d, EVENT("\"A\":\"two.dll\"")) == 0);
	T_OK(ask(d, EVENT("\"A\":\"q\\\\a\\\\b\\\\c\"")) == 2);
	T_OK(ask(d, EVENT("\"A\":[{\"B\":\"q\\/x\\/\"}]")) == 2);
	T_OK(ask(d, EVENT("\"kiwi::one\":1")) == 1);
	yg_detect_free(d);
	yg_detect_builder_free(b);
	yg_arena_free(&arena);
}

int main(void)
{
	test_url();
	test_audit();
	test_keywords();
	return tap_done();
}
