/* Events as rules see them: parts of URLs, hexadecimal text of auditd, event log files'
 * source, and keywords that stand in a record with and without escapes. */
#include "detect/view.h"

#include "detect/engine.h"
#include "detect/read.h"
#include "event/mapping.h"
#include "tap.h"

static struct yg_env_sim sim = {.seed = 5};

static const char *examples; /* folder of mappings */

struct seen {
	struct yg_norm *norm;
	struct yg_detect_view *view;
	struct yg_event ev;
	struct yg_detect_record r;
};

static void see_only(struct seen *s, enum yg_source source, const struct yg_detect *only,
		     const char *text)
{
	struct yg_env env = yg_env_sim(&sim);
	bool ok = yg_norm_new(source, NULL, &s->norm, NULL) == YG_OK &&
		  yg_detect_view_new(source, NULL, &env, &s->view, NULL) == YG_OK;
	if (!ok)
		abort();
	yg_detect_view_follow(s->view, s->norm);
	yg_detect_view_only(s->view, only);
	memset(&s->ev, 0, sizeof s->ev);
	yg_norm_begin(s->norm, yg_sv_of(text), (yg_wall){1}, false);
	T_OK(yg_norm_next(s->norm, &s->ev) && s->ev.parse_error.n == 0);
	T_OK(yg_detect_view_make(s->view, &s->ev, &s->r, NULL) == YG_OK);
}

static void see(struct seen *s, enum yg_source source, const char *text)
{
	see_only(s, source, NULL, text);
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

static struct yg_mapping *mapping(const char *name)
{
	YG_AUTO(yg_buf_free) struct yg_buf b = {0};
	struct yg_mapping *m = NULL;
	struct yg_err err = {0};
	char path[512];
	(void)snprintf(path, sizeof path, "%s/mapping-%s.json", examples, name);
	FILE *f = fopen(path, "rb");
	yg_buf_init(&b, 1u << 20);
	for (int c; f != NULL && (c = getc(f)) != EOF;)
		yg_buf_putc(&b, (char)c);
	if (f != NULL)
		(void)fclose(f);
	if (!T_NAMED(f != NULL && yg_mapping_read(yg_buf_sv(&b), path, &m, &err) == YG_OK, name))
		(void)printf("# %s\n", err.msg);
	return m;
}

/* Records of clouds, by the mappings that come along: which log source, and the names that
 * published rules use. */
static void test_cloud(void)
{
	static const struct {
		const char *mapping, *record, *product, *service, *field, *value;
	} cases[] = {
		{"azure",
		 "{\"time\":\"2026-01-01T00:00:00Z\",\"operationName\":\"Sign-in activity\","
		 "\"category\":\"SignInLogs\",\"resultType\":\"50126\",\"callerIpAddress\":"
		 "\"203.0.113.9\",\"properties\":{\"userPrincipalName\":\"a@b.example\"}}\n",
		 "azure", "signinlogs", "ResultType", "50126"},
		{"azure",
		 "{\"time\":\"2026-01-01T00:00:00Z\",\"operationName\":\"Add user\",\"category\":"
		 "\"AuditLogs\",\"properties\":{\"activityDisplayName\":\"Add user\"}}\n",
		 "azure", "auditlogs", "properties.message", "Add user"},
		{"azure",
		 "{\"time\":\"2026-01-01T00:00:00Z\",\"operationName\":"
		 "\"MICROSOFT.NETWORK/DNSZONES/DELETE\",\"category\":\"Administrative\"}\n",
		 "azure", "activitylogs", "operationName", "MICROSOFT.NETWORK/DNSZONES/DELETE"},
		{"gcp",
		 "{\"logName\":\"projects/p/logs/cloudaudit.googleapis.com%2Factivity\",\"timestamp\":"
		 "\"2026-01-01T00:00:00Z\",\"protoPayload\":{\"methodName\":\"v1.iam.keys.create\"}}\n",
		 "gcp", "gcp.audit", "gcp.audit.method_name", "v1.iam.keys.create"},
		{"okta",
		 "{\"published\":\"2026-01-01T00:00:00Z\",\"eventType\":\"user.lock\",\"actor\":"
		 "{\"alternateId\":\"a@b.example\"}}\n",
		 "okta", "okta", "eventType", "user.lock"},
		{"github",
		 "{\"@timestamp\":1767225600000,\"action\":\"repo.destroy\",\"actor\":\"a\"}\n",
		 "github", "audit", "action", "repo.destroy"},
		{"m365",
		 "{\"CreationTime\":\"2026-01-01T00:00:00\",\"Operation\":\"New-InboxRule\","
		 "\"Workload\":\"Exchange\",\"UserId\":\"a@b.example\"}\n",
		 "m365", "audit", "Operation", "New-InboxRule"},
	};
	struct yg_env env = yg_env_sim(&sim);
	for (size_t i = 0; i < YG_LEN(cases); i++) {
		struct yg_mapping *m = mapping(cases[i].mapping);
		struct seen s = {.norm = NULL};
		T_OK(yg_norm_new(YG_SOURCE_NDJSON, m, &s.norm, NULL) == YG_OK &&
		     yg_detect_view_new(YG_SOURCE_NDJSON, NULL, &env, &s.view, NULL) == YG_OK);
		yg_norm_begin(s.norm, yg_sv_of(cases[i].record), (yg_wall){1}, false);
		T_OK(yg_norm_next(s.norm, &s.ev) && s.ev.parse_error.n == 0 &&
		     s.ev.time / YG_US_PER_S == 1767225600);
		T_OK(yg_detect_view_make(s.view, &s.ev, &s.r, NULL) == YG_OK);
		T_NAMED(s.r.source_count == 1 &&
				yg_sv_eq(s.r.sources[0].product, yg_sv_of(cases[i].product)) &&
				yg_sv_eq(s.r.sources[0].service, yg_sv_of(cases[i].service)) &&
				has(&s, cases[i].field, cases[i].value),
			cases[i].service);
		seen_free(&s);
		yg_mapping_free(m);
	}
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

/* Zeek's TSV: the fields that no column of ours has are there, as of the same row in JSON. */
static void test_zeek_rows(void)
{
#define ROW                                                                                          \
	"#path\tdns\n#fields\tts\tid.resp_p\tquery\tAA\tRD\tZ\tanswers\tTTLs\tnote\tempty\n"         \
	"#types\ttime\tport\tstring\tbool\tbool\tcount\tvector[string]\tset[bool]\tstring\tstring\n" \
	"1\t53\tA.example\tT\tF\t0\ta\\x2cb,-,(empty),c\tT,F\t-\t(empty)"
	struct seen s, kept;
	see(&s, YG_SOURCE_ZEEK, ROW "\n");
	T_OK(has(&s, "Z", "0") && has(&s, "AA", "true") && has(&s, "RD", "false") &&
	     has(&s, "id.resp_p", "53") && count(&s, "id.resp_p") == 1);
	T_OK(has(&s, "answers", "a,b") && has(&s, "answers", "") && has(&s, "answers", "c"));
	T_OK(has(&s, "TTLs", "true") && has(&s, "TTLs", "false"));
	T_NAMED(count(&s, "note") == 0 && has(&s, "empty", "") && has(&s, "query", "A.example"),
		"what is unset is absent, what is empty is there; text as it stands");
	/* as it is asked of the store: nothing but the event */
	struct yg_env env = yg_env_sim(&sim);
	T_OK(yg_detect_view_new(YG_SOURCE_ZEEK, NULL, &env, &kept.view, NULL) == YG_OK &&
	     yg_detect_view_make(kept.view, &s.ev, &kept.r, NULL) == YG_OK);
	T_NAMED(kept.r.count == s.r.count && has(&kept, "Z", "0"),
		"and a stored row has the same fields");
	yg_detect_view_free(kept.view);
	seen_free(&s);
#undef ROW
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

static unsigned ask_seen(const struct yg_detect *d, const struct seen *s)
{
	struct yg_detect_eval *e = NULL;
	unsigned hits = 0;
	T_OK(yg_detect_eval_new(d, &e, NULL) == YG_OK);
	if (e != NULL)
		yg_detect_run(e, &s->r, on_match, &hits);
	yg_detect_eval_free(e);
	return hits;
}

/* Which of the rules match the record: a bit for each.  They are the same when only what they
 * ask for is made of it. */
static unsigned ask(const struct yg_detect *d, enum yg_source source, const char *record)
{
	struct seen all, some;
	see(&all, source, record);
	see_only(&some, source, d, record);
	unsigned hits = ask_seen(d, &all);
	T_OK(ask_seen(d, &some) == hits && some.r.count <= all.r.count);
	seen_free(&all);
	seen_free(&some);
	return hits;
}

static struct yg_detect *compile(const char *text, size_t rules)
{
	struct yg_env env = yg_env_sim(&sim);
	struct yg_arena arena;
	struct yg_sigma_file f = {NULL, 0, 0};
	struct yg_detect_builder *b = NULL;
	struct yg_detect *d = NULL;
	yg_arena_init(&arena, (size_t)16 << 20);
	T_OK(yg_sigma_read(yg_sv_of(text), "f", NULL, NULL, &arena, &f, NULL) == YG_OK &&
	     f.count == rules);
	T_OK(yg_detect_builder_new(&env, (size_t)64 << 20, &b, NULL) == YG_OK);
	for (size_t i = 0; i < f.count; i++) {
		if (f.rules[i].kind == YG_SIGMA_CORRELATION)
			yg_detect_builder_reads(b, &f.rules[i].correlation);
		else
			T_OK(yg_detect_builder_add(b, &f.rules[i], YG_SV("f"), NULL, 0, NULL) ==
			     YG_OK);
	}
	if (yg_detect_builder_build(b, &d, NULL) != YG_OK)
		abort();
	yg_detect_builder_free(b);
	yg_arena_free(&arena);
	return d;
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
	struct yg_detect *d = compile(text, 3);
	T_OK(ask(d, YG_SOURCE_WINDOWS, EVENT("\"A\":\"nothing\"")) == 0);
	T_OK(ask(d, YG_SOURCE_WINDOWS, EVENT("\"A\":\"x KIWI::One y\"")) == 1);
	T_OK(ask(d, YG_SOURCE_WINDOWS, EVENT("\"A\":\"x kiwi:\\u003aone y\"")) == 1);
	T_OK(ask(d, YG_SOURCE_WINDOWS, EVENT("\"A\":\"x\\n\\u006biwi::one\"")) == 1);
	T_OK(ask(d, YG_SOURCE_WINDOWS, EVENT("\"A\":\"c:\\\\TWO.dll\"")) == 1);
	T_OK(ask(d, YG_SOURCE_WINDOWS, EVENT("\"A\":\"\\two.dll\"")) ==
	     1); /* the record as it came has it */
	T_OK(ask(d, YG_SOURCE_WINDOWS, EVENT("\"A\":\"two.dll\"")) == 0);
	T_OK(ask(d, YG_SOURCE_WINDOWS, EVENT("\"A\":\"q\\\\a\\\\b\\\\c\"")) == 2);
	T_OK(ask(d, YG_SOURCE_WINDOWS, EVENT("\"A\":[{\"B\":\"q\\/x\\/\"}]")) == 2);
	T_OK(ask(d, YG_SOURCE_WINDOWS, EVENT("\"kiwi::one\":1")) == 1);
	yg_detect_free(d);
}

#define START                                                                                      \
	"{\"Channel\":\"Security\",\"EventID\":4688,\"Computer\":\"pc1\","                         \
	"\"TimeCreated\":\"2026-01-01T00:00:00Z\",\"SubjectUserName\":\"bob\","                    \
	"\"NewProcessName\":\"C:\\\\e.exe\",\"CommandLine\":\"e.exe -x\",\"Other\":\"o\"}\n"
#define REQUEST                                                                                      \
	"{\"_path\":\"http\",\"ts\":1.0,\"uid\":\"C1\",\"id.orig_h\":\"192.0.2.1\",\"id.orig_p\":1," \
	"\"id.resp_h\":\"192.0.2.2\",\"id.resp_p\":80,\"method\":\"GET\",\"host\":\"a.example\","    \
	"\"uri\":\"/x/y.PHP?a=1?b\",\"nested\":{\"a\":[1,{\"b\":null}]}}\n"

/* Of an event there is what rules and correlations ask for, by whatever name, and nothing else;
 * where keywords are looked for, everything. */
static void test_only(void)
{
	static const char text[] =
		"title: a\nname: a\nlogsource: {product: windows, category: process_creation}\n"
		"detection:\n  s: {Image|endswith: '\\e.exe', Gone: null}\n  condition: s\n"
		"---\ntitle: b\nlogsource: {product: zeek}\n"
		"detection:\n  s: {cs-uri-query|contains: 'a=1', c-uri-extension: php, dst_port: 80,"
		" nested.a.b: null}\n  condition: s\n"
		"---\ntitle: c\nlogsource: {product: windows, service: sysmon}\n"
		"detection:\n  k: ['pc1']\n  condition: k\n"
		"---\ntitle: d\ncorrelation:\n  type: value_count\n  rules: [a]\n  group-by: [who]\n"
		"  aliases: {who: {a: SubjectUserName}}\n  timespan: 5m\n"
		"  condition: {gte: 2, field: CommandLine}\n";
	struct yg_detect *d = compile(text, 4);
	struct seen s;
	T_OK(ask(d, YG_SOURCE_WINDOWS, START) == 1 && ask(d, YG_SOURCE_ZEEK, REQUEST) == 2);
	T_NAMED(ask(d, YG_SOURCE_WINDOWS,
		    "{\"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"EventID\":5,"
		    "\"Computer\":\"dc\",\"TimeCreated\":\"2026-01-01T00:00:00Z\","
		    "\"Other\":\"\\u0070c1\"}\n") == 4,
		"keywords are looked for in every value");
	see_only(&s, YG_SOURCE_WINDOWS, d, START);
	T_OK(has(&s, "Image", "C:\\e.exe") && has(&s, "SubjectUserName", "bob") &&
	     has(&s, "CommandLine", "e.exe -x"));
	T_NAMED(s.r.count == 4 && has(&s, "NewProcessName", "C:\\e.exe"),
		"beside the three and what one is another name of, nothing is made");
	yg_detect_view_only(s.view, NULL);
	T_OK(yg_detect_view_make(s.view, &s.ev, &s.r, NULL) == YG_OK && has(&s, "Other", "o"));
	seen_free(&s);
	see_only(&s, YG_SOURCE_ZEEK, d, REQUEST);
	T_OK(has(&s, "dst_port", "80") && count(&s, "src_port") == 0 && count(&s, "method") == 0);
	seen_free(&s);
	yg_detect_free(d);
}

int main(int argc, char **argv)
{
	examples = argc > 1 ? argv[1] : "doc/examples";
	test_cloud();
	test_url();
	test_zeek_rows();
	test_audit();
	test_keywords();
	test_only();
	return tap_done();
}
