/* The engine against the naive evaluator: cases whose answer is known, generated rules and
 * events, and the published rules as a whole. */
#include "detect/engine.h"

#include <sys/mman.h>
#include <unistd.h>

#include "detect/published_test.h"
#include "detect/read.h"
#include "sigma_naive.h"
#include "tap.h"

#define PAIRS_MAX 16
static struct yg_env_sim sim = {.seed = 5};
static struct yg_arena arena;
static const struct yg_yaml_limits limits = {YG_SIGMA_NODES_MAX, 16, 1};

/* "F=abc;G=;H;#raw": H is null.  Cut in place. */
static void record_of(char *text, struct yg_detect_pair *pairs, struct yg_detect_record *out)
{
	struct yg_sv rest = yg_sv_of(text), part;
	static const struct yg_detect_logsource windows = {YG_SV_INIT(""), YG_SV_INIT("windows"),
							   YG_SV_INIT("")};
	*out = (struct yg_detect_record){.pairs = pairs, .sources = &windows, .source_count = 1};
	out->raw = (struct yg_sv){"", 0};
	while (rest.n > 0 && yg_sv_cut(&rest, ';', &part) && out->count < PAIRS_MAX) {
		struct yg_sv value = part, field;
		if (part.n > 0 && part.p[0] == '#') {
			out->raw = yg_sv_sub(part, 1, part.n);
			continue;
		}
		(void)yg_sv_cut(&value, '=', &field);
		bool null = field.n == part.n;
		pairs[out->count++] = (struct yg_detect_pair){
			field, null ? (struct yg_sv){"", 0} : value, null, 0};
	}
}

static void on_match(void *ctx, uint32_t rule)
{
	((uint32_t *)ctx)[rule]++;
}

/* ---- cases ---- */

/* The same engine, written and opened again. */
static yg_status reopen(struct yg_detect **io, struct yg_err *err)
{
	struct yg_detect *again = NULL;
	uint64_t bytes = 0;
	int fd = memfd_create("detect", MFD_CLOEXEC);
	yg_status st = yg_detect_write(*io, fd, 7, (yg_wall){1}, &bytes, err);
	if (st == YG_OK)
		st = yg_detect_open_fd(fd, 7, &again, err);
	(void)close(fd);
	yg_detect_free(*io);
	*io = again;
	return st;
}

/* One rule and one event: 1 or 0 as both evaluators say; 2 when they differ, 3 when the
 * rule is refused. */
static int ask_rule(const char *yaml, const char *event, char *why, size_t why_n)
{
	char copy[1000];
	const struct yg_yaml *doc = NULL;
	struct yg_env env = yg_env_sim(&sim);
	struct yg_sigma_file f;
	struct yg_detect_builder *b = NULL;
	struct yg_detect *d = NULL;
	struct yg_detect_eval *e = NULL;
	struct yg_detect_pair pairs[PAIRS_MAX];
	struct yg_detect_record record;
	struct yg_err err = {.msg = ""};
	uint32_t hits = 0;
	int answer = 3;
	(void)snprintf(copy, sizeof copy, "%s", event);
	record_of(copy, pairs, &record);
	yg_arena_reset(&arena);
	yg_status st = yg_sigma_read(yg_sv_of(yaml), "f", NULL, NULL, &arena, &f, &err);
	if (st == YG_OK && f.count == 1)
		st = yg_yaml_read_documents(yg_sv_of(yaml), "f", &limits, &arena, &doc, &err);
	if (st == YG_OK && doc != NULL)
		st = yg_detect_builder_new(&env, (size_t)64 << 20, &b, &err);
	if (st == YG_OK && b != NULL)
		st = yg_detect_builder_add(b, &f.rules[0], YG_SV("f"), NULL, 0, &err);
	if (st == YG_OK && b != NULL)
		st = yg_detect_builder_build(b, &d, &err);
	if (st == YG_OK && d != NULL)
		st = reopen(&d, &err);
	if (st == YG_OK && d != NULL)
		st = yg_detect_eval_new(d, &e, &err);
	if (st == YG_OK && e != NULL) {
		bool naive = naive_detection(yg_yaml_get(doc, "detection"), &record);
		yg_detect_run(e, &record, on_match, &hits);
		answer = hits == (naive ? 1U : 0U) ? (int)hits : 2;
	}
	(void)snprintf(why, why_n, "%s", err.msg);
	yg_detect_eval_free(e);
	yg_detect_free(d);
	yg_detect_builder_free(b);
	return answer;
}

static int ask(const char *detection, const char *event, char *why, size_t why_n)
{
	char yaml[4096];
	(void)snprintf(yaml, sizeof yaml,
		       "title: t\nlogsource: {product: windows}\ndetection: %s\n", detection);
	return ask_rule(yaml, event, why, why_n);
}

static void is(int want, const char *detection, const char *event)
{
	char why[300], name[600];
	int got = ask(detection, event, why, sizeof why);
	(void)snprintf(name, sizeof name, "%s: %s", detection, event);
	if (!T_NAMED(got == want, name))
		(void)printf("# got %d (2: the two differ, 3: refused) %s\n", got, why);
}

/* One item. */
static void item(int want, const char *line, const char *event)
{
	char detection[1000];
	(void)snprintf(detection, sizeof detection, "{s: {%s}, condition: s}", line);
	is(want, detection, event);
}

static void test_text(void)
{
	item(1, "F: abc", "F=ABC");
	item(0, "F: abc", "F=abcd");
	item(0, "F: abc", "f=abc");
	item(1, "F: abc", "F=x;F=abc");
	item(1, "F: 4624", "F=4624");
	item(0, "F: 4624", "F=04624");
	item(1, "F: ''", "F=");
	item(0, "F: ''", "F");
	item(0, "F: ''", "G=1");
	item(1, "F: null", "G=1");
	item(1, "F: null", "F");
	item(0, "F: null", "F=");
	item(0, "F|neq: null", "G=1");
	item(1, "F|exists: true", "F");
	item(0, "F|exists: true", "G=1");
	item(1, "F|exists: false", "G=1");
	item(1, "F: '*'", "F=");
	item(0, "F: '*'", "F");
	item(1, "F: 'a*c'", "F=ABBC");
	item(1, "F: 'a?c'",
	     "F=a\xc3\xa9"
	     "c");
	item(0, "F: 'a?c'", "F=ac");
	item(0, "F: 'a??c'",
	     "F=a\xc3\xa9"
	     "c");
	item(1, "F|contains: '\\*'", "F=a*b");
	item(0, "F|contains: '\\*'", "F=ab");
	item(1, "F|startswith: ab", "F=ABc");
	item(0, "F|startswith: ab", "F=xabc");
	item(1, "F|endswith: '\\cmd.exe'", "F=C:\\Windows\\CMD.EXE");
	item(0, "F|contains|cased: ab", "F=xABx");
	item(1, "F|cased: Ab", "F=Ab");
	item(0, "F|cased: Ab", "F=ab");
	item(1, "F|contains|all: [a, b]", "F=xbxa");
	item(0, "F|contains|all: [a, b]", "F=xaxa");
	item(1, "F|contains|all: [a, b]", "F=a;F=b");
	item(0, "F|neq: [a, b]", "F=b");
	item(1, "F|neq: [a, b]", "F=c");
	item(1, "F|neq: a", "G=1");
	item(1, "F|contains|windash: ' -enc'",
	     "F=x \xe2\x80\x95"
	     "ENC y");
	item(1, "F|contains|windash: ' /c'", "F=x -c");
	item(0, "F|contains|windash: 'a-b'", "F=a/b");
	item(1, "F|base64offset|contains: whoami", "F=xxd2hvYW1pxx");
	item(1, "F|wide|base64offset|contains: ab", "F=AAYQBiAA");
}

static void test_others(void)
{
	item(1, "F|re: '^a.c$'", "F=abc");
	item(0, "F|re: '^a.c$'", "F=ABC");
	item(1, "F|re|i: '^a.c$'", "F=ABC");
	item(1, "F|re: b", "F=abc");
	item(1, "F|re: 'x*'", "F=");
	item(3, "F|re: '(a)\\1'", "F=aa");
	item(3, "F|re: 'a(?=b)'", "F=ab");
	item(3, "F|re: '('", "F=ab");
	item(1, "F|cidr: 10.0.0.0/9", "F=10.127.1.1");
	item(0, "F|cidr: 10.0.0.0/9", "F=10.128.1.1");
	item(1, "F|cidr: '2001:db8::/33'", "F=2001:db8:7fff::1");
	item(0, "F|cidr: '2001:db8::/33'", "F=2001:db8:8000::1");
	item(0, "F|cidr: 0.0.0.0/0", "F=host");
	item(1, "F|lt: 5", "F=4.5");
	item(0, "F|lt: 5", "F=5");
	item(1, "F|lte: 5", "F=5.0");
	item(1, "F|gt: -1", "F=0");
	item(1, "F|gte: 10", "F=10");
	item(0, "F|gte: 10", "F=9");
	item(0, "F|gte: 10", "F=0x10");
	item(1, "F|fieldref: G", "F=a;G=A");
	item(0, "F|fieldref: G", "F=a;G=b");
	item(0, "F|fieldref: G", "F=a");
	item(1, "F|fieldref|neq: G", "F=a;G=b");
	item(1, "F|fieldref|endswith: G", "F=cba;G=BA");
	item(0, "F|fieldref|cased: G", "F=a;G=A");
	item(1, "F|hour: 16", "F=2026-11-22T16:03:11Z");
	item(1, "F|hour|gte: 16", "F=2026-11-22 16:03");
	item(0, "F|hour: 16", "F=2026-11-22");
	item(1, "F|minute: 3", "F=2026-11-22T16:03");
	item(1, "F|day: 22", "F=2026-11-22");
	item(1, "F|week: 47", "F=2026-11-22");
	item(1, "F|week: 53", "F=2027-01-03");
	item(1, "F|week: 1", "F=2024-12-30");
	item(1, "F|month: 11", "F=2026-11-22");
	item(1, "F|year: 2026", "F=2026-11-22");
	item(0, "F|month: 11", "F=11");
	item(3, "F|expand: '%a%'", "F=a");
	item(1, "'|all': [ab, cd]", "F=xabx;G=xcdx");
	item(0, "'|all': [ab, ef]", "F=xabx;G=xcdx");
	item(1, "'|re': 'a.c'", "F=1;#xabcx");
}

static void test_whole(void)
{
	is(1, "{k: [abc, def], condition: k}", "F=xDEFx");
	is(1, "{k: [abc, def], condition: k}", "F=1;#raw abc raw");
	is(0, "{k: [abc, def], condition: k}", "abc=1;#raw");
	is(1, "{s: [{F: 1}, {G: 2}], condition: s}", "G=2");
	is(0, "{s: {F: 1, G: 2}, condition: s}", "G=2");
	is(1, "{s: [{F: 1}, kw], condition: s}", "G=kw");
	is(1, "{a: {F: 1}, b: {G: 1}, condition: a and not b}", "F=1");
	is(0, "{a: {F: 1}, b: {G: 1}, condition: a and not b}", "F=1;G=1");
	is(1, "{a: {F: 1}, b: {G: 1}, c: {H: 1}, condition: a or b and c}", "F=1");
	is(0, "{a: {F: 1}, b: {G: 1}, c: {H: 1}, condition: (a or b) and c}", "F=1");
	is(1, "{a: {F: 1}, condition: not a}", "G=1");
	is(1, "{s_1: {F: 1}, s_2: {G: 1}, condition: all of s_*}", "F=1;G=1");
	is(0, "{s_1: {F: 1}, s_2: {G: 1}, condition: all of s_*}", "F=1");
	is(1, "{s_1: {F: 1}, s_2: {G: 1}, condition: 1 of them}", "G=1");
	is(0, "{s_1: {F: 1}, _s: {G: 1}, condition: 1 of them}", "G=1");
	is(1, "{a: {F: 1}, b: {G: 1}, condition: [a, b]}", "G=1");
}

/* ---- generated ---- */

static uint64_t state = 88172645463325252ULL;
static unsigned below(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 33) % n;
}
#define PICK(list) (list[below((unsigned)YG_LEN(list))])

static void put_word(struct yg_sb *b, bool wild)
{
	static const char *const bits[] = {"a", "B",        "ab",           "-",  "/c", " -x", "1",
					   "7", "\xc3\xa9", "\xe2\x80\x93", "YW", "\\", "b",   ""};
	static const char *const wilds[] = {"*", "?", "\\*", "\\\\*", "\\?", "**"};
	for (unsigned n = 1 + below(3); n > 0; n--)
		yg_sb_put(b, yg_sv_of(wild && below(4) == 0 ? PICK(wilds) : PICK(bits)));
}

static void put_value(struct yg_sb *b, const char *mods)
{
	static const char *const regexes[] = {"^a",     "b$",     "a.*b",   "[ab]+1",
					      "(a|B)b", "^a?b?$", "x{0,2}", "-[a-c]"};
	static const char *const nets[] = {"10.0.0.0/8", "10.1.0.0/16", "::/0", "2001:db8::/32"};
	if (strstr(mods, "|re") != NULL)
		yg_sb_printf(b, "'%s'", PICK(regexes));
	else if (strstr(mods, "cidr") != NULL)
		yg_sb_printf(b, "'%s'", PICK(nets));
	else if (strstr(mods, "fieldref") != NULL)
		yg_sb_printf(b, "F%u", below(4));
	else if (strstr(mods, "lt") != NULL || strstr(mods, "gt") != NULL ||
		 strstr(mods, "month") != NULL)
		yg_sb_printf(b, "%u", below(12));
	else {
		yg_sb_putc(b, '\'');
		put_word(b, strstr(mods, "base64") == NULL && strstr(mods, "utf16") == NULL);
		yg_sb_putc(b, '\'');
	}
}

static void put_item(struct yg_sb *b)
{
	static const char *const mods[] = {"",
					   "",
					   "",
					   "|contains",
					   "|startswith",
					   "|endswith",
					   "|contains",
					   "|contains|cased",
					   "|cased",
					   "|neq",
					   "|re",
					   "|re|i",
					   "|cidr",
					   "|fieldref",
					   "|lt",
					   "|gte",
					   "|month",
					   "|month|gt",
					   "|base64",
					   "|base64offset|contains",
					   "|contains|windash",
					   "|windash|base64",
					   "|utf16be|contains",
					   "|fieldref|contains|neq"};
	const char *m = PICK(mods);
	unsigned n = 1 + below(3);
	if (below(12) == 0) {
		yg_sb_printf(b, "F%u%s", below(4), below(2) ? "|exists: true" : ": null");
		return;
	}
	bool all = n > 1 && below(4) == 0 && strstr(m, "lt") == NULL && strstr(m, "gt") == NULL &&
		   strstr(m, "month") == NULL;
	yg_sb_printf(b, "'F%u%s%s': [", below(4), m, all ? "|all" : "");
	for (unsigned i = 0; i < n; i++) {
		if (i > 0)
			yg_sb_put(b, YG_SV(", "));
		put_value(b, m);
	}
	yg_sb_putc(b, ']');
}

static void put_map(struct yg_sb *b)
{
	yg_sb_putc(b, '{');
	put_item(b);
	if (below(3) == 0) { /* a key twice is refused, and left out */
		yg_sb_put(b, YG_SV(", "));
		put_item(b);
	}
	yg_sb_putc(b, '}');
}

static void put_rule(struct yg_sb *b)
{
	static const char *const conditions[] = {"a",
						 "not a",
						 "a and b",
						 "a or b",
						 "a and not b",
						 "a or b and c",
						 "(a or b) and not c",
						 "1 of s_*",
						 "all of s_* or a",
						 "not 1 of s_* and a",
						 "1 of them",
						 "all of them",
						 "not (a and not (b or c))",
						 "[a and b, not c]"};
	static const char *const names[] = {"a", "b", "c", "s_1", "s_2", "_h"};
	yg_sb_put(b, YG_SV("title: t\nlogsource: {product: windows}\ndetection:\n"));
	for (size_t i = 0; i < YG_LEN(names); i++) {
		yg_sb_printf(b, "  %s: ", names[i]);
		if (below(6) == 0) {
			yg_sb_put(b, YG_SV("['a"));
			put_word(b, true);
			yg_sb_put(b, YG_SV("', '1']\n"));
		} else if (below(4) == 0) {
			yg_sb_putc(b, '[');
			put_map(b);
			yg_sb_put(b, YG_SV(", "));
			put_map(b);
			yg_sb_put(b, YG_SV("]\n"));
		} else {
			put_map(b);
			yg_sb_putc(b, '\n');
		}
	}
	yg_sb_printf(b, "  condition: %s\n", PICK(conditions));
}

static void put_event(struct yg_sb *b)
{
	static const char *const others[] = {"10.1.2.3",   "2001:db8::1", "5",      "11",
					     "2026-07-01", "YWI=",        "4oCTYQ", ""};
	for (unsigned i = below(5); i > 0; i--) {
		yg_sb_printf(b, "F%u", below(4));
		if (below(10) > 0) {
			yg_sb_putc(b, '=');
			if (below(3) == 0)
				yg_sb_put(b, yg_sv_of(PICK(others)));
			else
				put_word(b, false);
		}
		yg_sb_putc(b, ';');
	}
	yg_sb_putc(b, '#');
	put_word(b, false);
}

#define BATCH  60
#define EVENTS 40
static char yamls[BATCH][4096], events[EVENTS][400];
static const struct yg_yaml *docs[BATCH];

/* Rules of one engine; how many are in it. */
static uint32_t make_rules(struct yg_detect_builder *b)
{
	uint32_t n = 0;
	for (unsigned tries = 0; n < BATCH && tries < 10 * BATCH; tries++) {
		struct yg_sb text = yg_sb_init(yamls[n], sizeof yamls[n]);
		struct yg_sigma_file f;
		put_rule(&text);
		if (yg_sigma_read(yg_sb_sv(&text), "g", NULL, NULL, &arena, &f, NULL) != YG_OK ||
		    f.count != 1 ||
		    yg_detect_builder_add(b, &f.rules[0], YG_SV("g"), NULL, 0, NULL) != YG_OK ||
		    yg_yaml_read_documents(yg_sb_sv(&text), "g", &limits, &arena, &docs[n], NULL) !=
			    YG_OK)
			continue;
		(void)yg_sb_cstr(&text);
		n++;
	}
	return n;
}

/* Without `len` bytes of `text`, one of the two, when that makes no difference to the difference. */
static bool shorter(char *text, size_t at, size_t len, const char *rule, const char *event)
{
	char was[4096], why[300];
	(void)snprintf(was, sizeof was, "%s", text);
	memmove(text + at, text + at + len, strlen(text + at + len) + 1);
	if (ask_rule(rule, event, why, sizeof why) == 2)
		return true;
	(void)snprintf(text, strlen(was) + 1, "%s", was);
	return false;
}

/* Whole lines, then ever smaller pieces. */
static void shrink_text(char *text, const char *rule, const char *event)
{
	for (size_t at = 0; text[at] != '\0';) {
		size_t len = strcspn(text + at, "\n") + 1;
		if (at + len > strlen(text) || !shorter(text, at, len, rule, event))
			at += YG_MIN(len, strlen(text + at));
	}
	for (size_t len = strlen(text) / 2; len > 0; len /= 2)
		for (size_t at = 0; at + len <= strlen(text);)
			if (!shorter(text, at, len, rule, event))
				at += len;
}

/* What is printed is what test_whole() should have as a case of its own. */
static void shrink(const char *yaml, const char *record)
{
	char rule[4096], event[400], why[300];
	(void)snprintf(rule, sizeof rule, "%s", yaml);
	(void)snprintf(event, sizeof event, "%s", record);
	if (ask_rule(rule, event, why, sizeof why) == 2) {
		shrink_text(rule, rule, event);
		shrink_text(event, rule, event);
	}
	struct yg_sv rest = yg_sv_of(rule), line;
	while (yg_sv_cut(&rest, '\n', &line))
		(void)printf("# " YG_SV_FMT "\n", YG_SV_ARG(line));
	(void)printf("# of: %s\n", event);
}

static const char *differs[2]; /* the first rule and event of which they say different things */

static unsigned compare(struct yg_detect_eval *e, uint32_t n, const char *event, unsigned *hits)
{
	char copy[400];
	uint32_t got[BATCH] = {0};
	unsigned bad = 0;
	struct yg_detect_pair pairs[PAIRS_MAX];
	struct yg_detect_record record;
	(void)snprintf(copy, sizeof copy, "%s", event);
	record_of(copy, pairs, &record);
	yg_detect_run(e, &record, on_match, got);
	for (uint32_t r = 0; r < n; r++) {
		bool want = naive_detection(yg_yaml_get(docs[r], "detection"), &record);
		*hits += want;
		if (got[r] == (want ? 1U : 0U))
			continue;
		if (bad++ == 0 && differs[0] == NULL) {
			(void)printf("# naive %d, engine %u\n", want, got[r]);
			differs[0] = yamls[r];
			differs[1] = event;
		}
	}
	return bad;
}

static void test_generated(unsigned rounds)
{
	unsigned bad = 0, hits = 0, pairs = 0;
	for (unsigned round = 0; round < rounds && bad == 0; round++) {
		struct yg_env env = yg_env_sim(&sim);
		struct yg_detect_builder *b = NULL;
		struct yg_detect *d = NULL;
		struct yg_detect_eval *e = NULL;
		yg_arena_reset(&arena);
		bool ok = yg_detect_builder_new(&env, (size_t)64 << 20, &b, NULL) == YG_OK;
		uint32_t n = ok ? make_rules(b) : 0;
		ok = ok && n == BATCH && yg_detect_builder_build(b, &d, NULL) == YG_OK &&
		     yg_detect_eval_new(d, &e, NULL) == YG_OK;
		for (unsigned i = 0; ok && i < EVENTS; i++) {
			struct yg_sb text = yg_sb_init(events[i], sizeof events[i]);
			put_event(&text);
			(void)yg_sb_cstr(&text);
			bad += compare(e, n, events[i], &hits);
			pairs += n;
		}
		bad += !ok;
		yg_detect_eval_free(e);
		yg_detect_free(d);
		yg_detect_builder_free(b);
	}
	if (differs[0] != NULL)
		shrink(differs[0], differs[1]);
	(void)printf("# %u rule x event pairs, %u match\n", pairs, hits);
	T_OK(bad == 0 && hits > pairs / 20 && hits < pairs / 20 * 19);
}

/* ---- the published rules ---- */

static struct yg_detect_builder *published;
static size_t taken, without_values, not_taken;

static void add_published(void *ctx, const char *name, struct yg_sv yaml)
{
	struct yg_sigma_file f = {NULL, 0, 0};
	struct yg_err err;
	(void)ctx;
	yg_arena_reset(&arena);
	if (yg_sigma_read(yaml, name, NULL, NULL, &arena, &f, NULL) != YG_OK)
		return;
	for (size_t i = 0; i < f.count; i++) {
		if (yg_detect_builder_add(published, &f.rules[i], yg_sv_of(name), NULL, 0, &err) ==
		    YG_OK) {
			taken++;
		} else if (f.rules[i].detection.placeholders) {
			without_values++;
		} else {
			not_taken++;
			(void)printf("# %s: %s\n", name, err.msg);
		}
	}
}

static void test_published(void)
{
	struct yg_buf tar;
	struct yg_env env = yg_env_sim(&sim);
	if (!published_open(&tar)) {
		T_NAMED(true, "the published rules # SKIP they are not at hand");
		return;
	}
	T_OK(yg_detect_builder_new(&env, (size_t)1 << 30, &published, NULL) == YG_OK);
	(void)published_each(yg_buf_sv(&tar), add_published, NULL);
	(void)printf("# %zu taken, %zu want values for placeholders, %zu refused\n", taken,
		     without_values, not_taken);
	T_OK(taken > 3000 && not_taken < taken / 100);
	struct yg_detect *d = NULL;
	T_OK(yg_detect_builder_build(published, &d, NULL) == YG_OK && reopen(&d, NULL) == YG_OK);
	yg_detect_free(d);
	yg_detect_builder_free(published);
	yg_buf_free(&tar);
}

/* ---- whose expressions there is room for ---- */

static yg_status add_expression(struct yg_detect_builder *b, unsigned number, char *why)
{
	char yaml[400];
	struct yg_sigma_file f;
	struct yg_err err = {.msg = ""};
	(void)snprintf(yaml, sizeof yaml,
		       "title: t\nlogsource: {product: windows}\ndetection:\n"
		       "  s: {Image|re: '%u[a-z]{3,30}(foo|bar)+[0-9]{2,9}x'}\n  condition: s\n",
		       number);
	yg_arena_reset(&arena);
	yg_status st = yg_sigma_read(yg_sv_of(yaml), "f", NULL, NULL, &arena, &f, &err);
	if (st == YG_OK)
		st = yg_detect_builder_add(b, &f.rules[0], YG_SV("f"), NULL, 0, &err);
	if (st != YG_OK)
		(void)snprintf(why, sizeof err.msg, "%s", err.msg);
	return st;
}

/* What one owner cannot have any more, the others can: and the whole is built. */
static void test_owners(void)
{
	struct yg_env env = yg_env_sim(&sim);
	struct yg_detect_builder *b = NULL;
	struct yg_detect *d = NULL;
	struct yg_err err = {.msg = ""};
	char why[sizeof err.msg] = "";
	unsigned had = 0, owners = 1;
	yg_status st = YG_OK;
	T_OK(yg_detect_builder_new(&env, (size_t)4 << 20, &b, &err) == YG_OK);
	yg_detect_builder_owner(b, 0);
	for (; had < 3000 && (st = add_expression(b, had, why)) == YG_OK; had++)
		;
	T_NAMED(st == YG_LIMIT && had > 1 && strstr(why, "those of the organisation") != NULL,
		"an organisation has so much room");
	(void)printf("# %u expressions: %s\n", had, why);
	for (; owners < 50 && strstr(why, "all organisations") == NULL; owners++) {
		yg_detect_builder_owner(b, owners);
		st = add_expression(b, 100000 + owners * 5000, why);
		T_OK(st == YG_OK || strstr(why, "all organisations") != NULL);
		for (unsigned i = 1; i < 3000 && st == YG_OK; i++)
			st = add_expression(b, 100000 + owners * 5000 + i, why);
	}
	T_NAMED(owners > 3 && owners < 50, "and all together have");
	yg_detect_builder_owner(b, YG_DETECT_NOBODY);
	T_NAMED(add_expression(b, 99999, why) == YG_OK, "rules for all have more");
	T_NAMED(yg_detect_builder_build(b, &d, &err) == YG_OK, "nothing of it stops the others");
	yg_detect_free(d);
	yg_detect_builder_free(b);
}

static yg_mono slow_mono(void *ctx)
{
	static int64_t us;
	(void)ctx;
	return (yg_mono){us += YG_US_PER_S};
}

/* Of one rule: how many, and how long they take. */
static void test_expressions(void)
{
	static char yaml[200000];
	struct yg_sb text = yg_sb_init(yaml, sizeof yaml);
	struct yg_env env = yg_env_sim(&sim);
	struct yg_detect_builder *b = NULL;
	struct yg_sigma_file f;
	struct yg_err err = {.msg = ""};
	yg_sb_put(&text, YG_SV("title: t\nlogsource: {product: windows}\ndetection:\n"
			       "  s:\n    Image|re:\n"));
	for (unsigned i = 0; i <= YG_DETECT_RULE_REGEXES; i++)
		yg_sb_printf(&text, "      - 'x%u.y'\n", i);
	yg_sb_put(&text, YG_SV("  condition: s\n"));
	yg_arena_reset(&arena);
	T_OK(yg_sigma_read(yg_sb_sv(&text), "f", NULL, NULL, &arena, &f, &err) == YG_OK &&
	     yg_detect_builder_new(&env, (size_t)64 << 20, &b, &err) == YG_OK);
	T_NAMED(yg_detect_builder_add(b, &f.rules[0], YG_SV("f"), NULL, 0, &err) == YG_LIMIT &&
			strstr(err.msg, "more than 1000 expressions") != NULL,
		"a rule has so many expressions");
	yg_detect_builder_free(b);
	b = NULL;
	env.mono = slow_mono;
	T_OK(yg_detect_builder_new(&env, (size_t)64 << 20, &b, &err) == YG_OK);
	T_NAMED(yg_detect_builder_add(b, &f.rules[0], YG_SV("f"), NULL, 0, &err) == YG_LIMIT &&
			strstr(err.msg, "more than 10 s") != NULL,
		"and they may take so long");
	yg_detect_builder_free(b);
}

int main(void)
{
	yg_arena_init(&arena, (size_t)256 << 20);
	test_text();
	test_others();
	test_whole();
	test_generated(30);
	test_published();
	test_owners();
	test_expressions();
	yg_arena_free(&arena);
	return tap_done();
}
