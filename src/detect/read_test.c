/* Rule files: what is made of them, what is refused and where, the published rules as a
 * whole, bounds, and no memory at any point. */
#include "detect/read.h"

#include <stdio.h>

#include "detect/published_test.h"
#include "oom.h"
#include "tap.h"

#define HEAD "title: t\nlogsource: {product: windows}\n"
#define RULE HEAD "detection:\n"

static struct yg_arena arena;
static struct yg_sigma_file file;
static struct yg_err err;
static char reported[400];
static size_t reported_line;

static void on_refused(void *ctx, const char *name, size_t line, const char *reason)
{
	(void)ctx;
	(void)name;
	(void)snprintf(reported, sizeof reported, "%s", reason);
	reported_line = line;
}

static yg_status read_text(const char *text)
{
	yg_arena_reset(&arena);
	reported[0] = '\0';
	reported_line = 0;
	file = (struct yg_sigma_file){NULL, 0, 0};
	err = (struct yg_err){.code = YG_OK};
	return yg_sigma_read(yg_sv_of(text), "f.yml", on_refused, NULL, &arena, &file, &err);
}

/* ---- shapes ---- */

static void put_pattern(struct yg_sb *b, const struct yg_sigma_pattern *p)
{
	for (size_t i = 0; i < p->count; i++) {
		switch (p->parts[i].kind) {
		case YG_SIGMA_LITERAL: {
			char text[600];
			struct yg_sb t = yg_sb_init(text, sizeof text);
			yg_sb_put_untrusted(&t, p->parts[i].text);
			yg_sb_printf(b, "'%s'", yg_sb_cstr(&t));
			break;
		}
		case YG_SIGMA_ANY: yg_sb_putc(b, '*'); break;
		case YG_SIGMA_ONE: yg_sb_putc(b, '?'); break;
		case YG_SIGMA_DASH: yg_sb_putc(b, '-'); break;
		case YG_SIGMA_PLACEHOLDER:
			yg_sb_putc(b, '%');
			yg_sb_put(b, p->parts[i].text);
			yg_sb_putc(b, '%');
			break;
		}
	}
}

/* The patterns of the first value of the first item. */
static void shape(const char *line, const char *want)
{
	char text[4096], got[4096] = "";
	struct yg_sb b = yg_sb_init(got, sizeof got - 1);
	(void)snprintf(text, sizeof text, RULE "  s:\n    %s\n  condition: s\n", line);
	yg_status st = read_text(text);
	if (st == YG_OK && file.count == 1) {
		const struct yg_sigma_value *v =
			&file.rules[0].detection.searches[0].maps[0].items[0].values[0];
		for (size_t i = 0; i < v->pattern_count; i++) {
			if (i > 0)
				yg_sb_putc(&b, '|');
			put_pattern(&b, &v->patterns[i]);
		}
	} else {
		yg_sb_printf(&b, "refused: %s", reported);
	}
	if (!T_NAMED(strcmp(yg_sb_cstr(&b), want) == 0, line))
		(void)printf("# got %s\n", got);
}

static void test_patterns(void)
{
	shape("F: abc", "'abc'");
	shape("F: ''", "");
	shape("F: 4624", "'4624'");
	shape("F: true", "'true'");
	shape("F: a*b?c", "'a'*'b'?'c'");
	shape("F: '**'", "*");
	shape("F: 'a\\b'", "'a\\x5cb'");
	shape("F: 'a\\\\b'", "'a\\x5cb'");
	shape("F: 'a\\*b'", "'a*b'");
	shape("F: 'a\\\\*'", "'a\\x5c'*");
	shape("F: 'a\\\\\\*'", "'a\\x5c*'");
	shape("F: 'a\\\\\\'", "'a\\x5c\\x5c'");
	shape("F: 'a\\\\\\\\'", "'a\\x5c\\x5c'");
	shape("F: 'a\\?'", "'a?'");
	shape("F: '\\'", "'\\x5c'");
	shape("F|contains: abc", "*'abc'*");
	shape("F|contains: '*abc'", "*'abc'*");
	shape("F|startswith: abc", "'abc'*");
	shape("F|endswith: '\\cmd.exe'", "*'\\x5ccmd.exe'");
	shape("F: '%a%'", "'%a%'");
	shape("F|expand: 'x%a_1%y%z'", "'x'%a_1%'y%z'");
	shape("F|expand: '\\%plain%name%'", "'%plain'%name%");
	shape("F|contains|expand: '%a%'", "*%a%*");
	shape("F|contains|windash: ' -x /y a-b -'", "*' '-'x '-'y a-b -'*");
	shape("F|windash: \"\\u2013foo\"", "-'foo'");
	shape("F|base64: foo", "'Zm9v'");
	shape("F|base64: foob", "'Zm9vYg=='");
	shape("F|base64offset|contains: foobar", "*'Zm9vYmFy'*|*'Zvb2Jhc'*|*'mb29iYX'*");
	shape("F|base64offset: ab", "'YW'|'Fi'|'hY'");
	shape("F|wide: ab", "'a\\x00b\\x00'");
	shape("F|utf16le: \"a\\U0001F600\"", "'a\\x00=\\xd8\\x00\\xde'");
	shape("F|utf16be: ab", "'\\x00a\\x00b'");
	shape("F|utf16: a", "'\\xff\\xfea\\x00'");
	shape("F|wide|base64offset|contains: ab", "*'YQBiA'*|*'EAYg'*|*'hAGIA'*");
	shape("F|windash|base64: '-a'", "'LWE='|'L2E='|'4oCTYQ=='|'4oCUYQ=='|'4oCVYQ=='");
	shape("F|re: 'a\\.b*'", "");
	shape("'|all': [abc, 5]", "*'abc'*");
	shape("- abc", "*'abc'*");
	shape("- 'a*'", "*'a'*");
}

/* The condition as postfix, searches by their names. */
static void postfix(const char *condition, const char *want)
{
	char text[4096], got[4096] = "";
	struct yg_sb b = yg_sb_init(got, sizeof got - 1);
	(void)snprintf(text, sizeof text,
		       RULE "  a: {F: 1}\n  b: {F: 2}\n  c: {F: 3}\n  sel_1: {F: 4}\n"
			    "  sel_2: {F: 5}\n  _h: {F: 6}\n  _h2: {F: 7}\n  condition: %s\n",
		       condition);
	if (read_text(text) == YG_OK && file.count == 1) {
		const struct yg_sigma_detection *d = &file.rules[0].detection;
		for (size_t i = 0; i < d->step_count; i++) {
			if (d->steps[i].kind == YG_SIGMA_SEARCH) {
				yg_sb_put(&b, d->searches[d->steps[i].search].name);
				yg_sb_putc(&b, ' ');
			} else {
				yg_sb_putc(&b, d->steps[i].kind == YG_SIGMA_AND  ? '&'
					       : d->steps[i].kind == YG_SIGMA_OR ? '|'
										 : '!');
			}
		}
		yg_sb_printf(&b, " %zu", d->stack_max);
	} else {
		yg_sb_printf(&b, "refused: %s", reported);
	}
	if (!T_NAMED(strcmp(yg_sb_cstr(&b), want) == 0, condition))
		(void)printf("# got %s\n", got);
}

static void test_conditions(void)
{
	postfix("a", "a  1");
	postfix("a or b and c", "a b c &| 3");
	postfix("a and b or c", "a b &c | 2");
	postfix("(a or b) and c", "a b |c & 2");
	postfix("not a and b", "a !b & 2");
	postfix("not (a and b)", "a b &! 2");
	postfix("not not a", "a !! 1");
	postfix("a AND NOT b", "a b !& 2");
	postfix("not 1 of sel_*", "sel_1 sel_2 |! 2");
	postfix("all of sel_* and a", "sel_1 sel_2 &a & 2");
	postfix("1 of them", "a b |c |sel_1 |sel_2 | 2");
	postfix("any of s*l_2", "sel_2  1");
	postfix("1 of _h*", "_h _h2 | 2");
	postfix("1 of *2", "sel_2  1");
	postfix("[a and b, c]", "a b &c | 2");
	postfix("(((a)))", "a  1");
	postfix("a and(b)", "a b & 2");
	postfix("''", "refused: condition: expected a text");
	postfix("a and", "refused: condition: ends where a search is expected");
	postfix("and a", "refused: condition: 'and' where a search is expected");
	postfix("a b", "refused: condition: expected 'and', 'or' or the end, found 'b'");
	postfix("(a", "refused: condition: '(' without ')'");
	postfix("a)", "refused: condition: ')' without '('");
	postfix("x", "refused: condition: there is no search 'x'");
	postfix("1 of x*", "refused: condition: no search fits 'x*'");
	postfix("2 of them", "refused: condition: '2 of': only '1 of' and 'all of' are known");
	postfix("1 of", "refused: condition: expected 'them' or a pattern behind 'of'");
	postfix("'a | count() > 5'",
		"refused: condition: aggregations behind '|' are not part of Sigma 2; a "
		"correlation says it");
}

/* ---- what is refused ---- */

static void refused(const char *text, size_t line, const char *want)
{
	yg_status st = read_text(text);
	bool ok = st == YG_OK && file.count == 0 && file.refused == 1 && reported_line == line &&
		  strcmp(reported, want) == 0;
	if (!T_NAMED(ok, want))
		(void)printf("# got %s, %zu rules, line %zu: %s %s\n", yg_status_name(st),
			     file.count, reported_line, reported, err.msg);
}

static void item_refused(const char *line, const char *want)
{
	char text[1000];
	(void)snprintf(text, sizeof text, RULE "  s:\n    %s\n  condition: s\n", line);
	refused(text, 5, want);
}

static void test_items_refused(void)
{
	item_refused("F|nope: a", "F|nope: there is no modifier 'nope'");
	item_refused("F|: a", "F|: there is no modifier ''");
	item_refused("F|contains|contains: a",
		     "F|contains|contains: the modifier 'contains' stands twice");
	item_refused("F|contains|endswith: a",
		     "F|contains|endswith: 'contains' and 'endswith' exclude each other");
	item_refused("F|re|contains: a", "F|re|contains: 'contains' and 're' do not go together");
	item_refused("F|re|cased: a", "F|re|cased: 'cased' and 're' do not go together");
	item_refused("F|i: a", "F|i: 'i' stands behind 're' only");
	item_refused("F|re|neq|i: a", "F|re|neq|i: 'i' stands behind 're' only");
	item_refused("F|re|cidr: a", "F|re|cidr: 're' and 'cidr' exclude each other");
	item_refused("F|lt|gt: 1", "F|lt|gt: 'lt' and 'gt' exclude each other");
	item_refused("F|hour|day: 1", "F|hour|day: 'hour' and 'day' exclude each other");
	item_refused("F|lt: x", "F|lt: expected a number");
	item_refused("F|hour: ''", "F|hour: expected a number");
	item_refused("F|exists: 1", "F|exists: expected true or false");
	item_refused("F|exists|neq: true", "F|exists|neq: 'neq' and 'exists' do not go together");
	item_refused("F|cidr: 10.0.0.1/8", "F|cidr: expected a network such as 192.0.2.0/24");
	item_refused("F|all: a", "F|all: 'all' needs a list of at least two values");
	item_refused("F: []", "F: the list is empty");
	item_refused("F: [a, null]", "null cannot stand in a list");
	item_refused("F: {a: b}", "F: expected a value, found a map or a list");
	item_refused("F|contains: null", "F|contains: null and modifiers do not go together");
	item_refused("F|base64: 'a*'",
		     "F|base64: wildcards, placeholders and nothing have no base64");
	item_refused("F|base64offset: a", "F|base64offset: too short for this encoding");
	item_refused("F|wide: 'a?'", "F|wide: '?' and placeholders have no UTF-16");
	item_refused("F|windash|wide: '-a -b -c -d -e'",
		     "F|windash|wide: more than 4 dashes before an encoding");
	item_refused("'|cidr': 10.0.0.0/8", "|cidr: 'cidr' needs a field");
	item_refused("'|neq': a", "|neq: 'neq', 'startswith' and 'endswith' need a field");
	item_refused("- ''", "an empty keyword is in every record");
	item_refused("- '*'", "this keyword is in every record");
	item_refused("- [a]", "expected a keyword or a map");
}

static void test_documents_refused(void)
{
	refused("a: b\n", 1, "expected the key detection, correlation or filter");
	refused("- a\n", 1, "expected a rule: keys and their values");
	refused("title: t\naction: global\n", 2,
		"action: 'global' is not part of Sigma 2: write each rule out, or a correlation "
		"or a filter");
	refused("title: t\ndetection: {s: {F: 1}, condition: s}\n", 1,
		"the key 'logsource' is missing");
	refused("logsource: {product: a}\ndetection: {s: {F: 1}, condition: s}\n", 1,
		"the key 'title' is missing");
	refused(RULE "  s: {F: 1}\n", 4, "detection: the key 'condition' is missing");
	refused(RULE "  condition: s\n", 4, "detection: no search stands here");
	refused(RULE "  s: {}\n  condition: s\n", 4, "s: the map is empty");
	refused(RULE "  s:\n  condition: s\n", 4, "s: the search is empty");
	refused(RULE "  s: {F: 1}\n  timeframe: 5m\n  condition: s\n", 5,
		"timeframe: is not part of Sigma 2; a correlation has 'timespan'");
	refused(HEAD "level: urgent\ndetection: {s: {F: 1}, condition: s}\n", 3,
		"level: there is no such word 'urgent'");
	refused(HEAD "filter: {rules: any}\ndetection: {s: {F: 1}, condition: s}\n", 3,
		"filter: a document is one of rule, correlation, filter");
}

#define COR "title: t\ncorrelation:\n  rules: [a, b]\n"
static void test_correlations_refused(void)
{
	refused(COR "  type: nope\n", 4, "type: there is no type 'nope'");
	refused(COR "  type: temporal\n", 3, "correlation: the key 'timespan' is missing");
	refused(COR "  type: temporal\n  timespan: 5x\n", 5,
		"timespan: expected a number and s, m, h or d");
	refused(COR "  type: temporal\n  timespan: 367d\n", 5, "timespan: longer than 366 days");
	refused(COR "  type: event_count\n  timespan: 5m\n", 3,
		"correlation: 'condition' needs a number to compare with");
	refused(COR "  type: value_sum\n  timespan: 5m\n  condition: {gte: 1}\n", 3,
		"correlation: 'condition' needs the key 'field'");
	refused(COR "  type: event_count\n  timespan: 5m\n  condition: {over: 1}\n", 6,
		"over: expected gt, gte, lt, lte, eq, neq, field or percentile");
	refused(COR "  type: temporal\n  timespan: 5m\n  aliases: {x: {c: F}}\n", 6,
		"c: the correlation has no such rule");
	refused(COR "  type: temporal\n  timespan: 5m\n  order: 5\n", 6,
		"order: there is no such key in a correlation");
	refused("title: t\ncorrelation: {type: temporal, rules: [a, a], timespan: 1s}\n", 2,
		"rules: one of them stands twice");
}

/* ---- whole documents ---- */

static void test_kinds(void)
{
	T_OK(read_text("title: one\nid: 1-2\nname: n\nstatus: test\nlevel: high\n"
		       "tags: [attack.t1059, car.1]\nlogsource: {category: c, product: p, "
		       "service: s, definition: d}\nown: {key: [1]}\n"
		       "detection: {s: {F|re|i|s: a, G|lte: 5.5, H|exists: false, I: null, "
		       "J|cidr: '2001:db8::/32', K|fieldref|endswith: L, M|neq: [1, 2], "
		       "N|hour|gt: 18}, condition: s}\n"
		       "---\n---\ntitle: two\naction: reset\n---\n" COR
		       "  type: value_percentile\n  group-by: [u, v]\n  timespan: 90m\n"
		       "  aliases: {u: {a: x, b: y}}\n"
		       "  condition: {field: F, percentile: 99, gt: 1, lte: 2}\ngenerate: true\n"
		       "---\n" HEAD
		       "filter: {rules: [a, b], s: {F: 1}, condition: not s}\n") == YG_OK);
	if (!T_OK(file.count == 3 && file.refused == 1 && reported_line == 13))
		return;
	const struct yg_sigma_rule *a = &file.rules[0], *b = &file.rules[1], *c = &file.rules[2];
	const struct yg_sigma_item *i = a->detection.searches[0].maps[0].items;
	T_OK(a->kind == YG_SIGMA_RULE && a->status == YG_SIGMA_TESTED &&
	     a->level == YG_SIGMA_HIGH && a->tags.count == 2 && YG_SV_IS(a->service, "s"));
	T_OK(i[0].regex_flags == (YG_SIGMA_RE_I | YG_SIGMA_RE_S) &&
	     i[0].values[0].test == YG_SIGMA_REGEX);
	T_OK(i[1].compare == YG_SIGMA_LTE && i[1].values[0].number == 5.5);
	T_OK(i[2].values[0].test == YG_SIGMA_EXISTS && !i[2].values[0].yes);
	T_OK(i[3].values[0].test == YG_SIGMA_NULL);
	T_OK(i[4].values[0].bits == 32 && i[4].values[0].net.b[0] == 0x20);
	T_OK(i[5].values[0].test == YG_SIGMA_FIELD && i[5].affix == YG_SIGMA_ENDS);
	T_OK(i[6].neq && i[6].value_count == 2);
	T_OK(i[7].time == YG_SIGMA_HOUR && i[7].compare == YG_SIGMA_GT);
	T_OK(b->kind == YG_SIGMA_CORRELATION && b->correlation.generate &&
	     b->correlation.span_us == INT64_C(5400000000) && b->correlation.alias_count == 2 &&
	     b->correlation.percentile == 99 && b->correlation.criterion_count == 2 &&
	     b->correlation.group_count == 2);
	T_OK(c->kind == YG_SIGMA_FILTER && c->filtered.count == 2 && c->detection.step_count == 2 &&
	     c->detection.search_count == 1);
	T_OK(read_text("") == YG_OK && file.count == 0 && file.refused == 0);
	T_OK(read_text("a: [") == YG_PARSE);
	T_OK(read_text("a: &x b") == YG_PARSE && strstr(err.msg, "f.yml:1") != NULL);
}

/* ---- bounds ---- */

static void many(const char *before, const char *each, size_t n, const char *behind,
		 struct yg_buf *out)
{
	yg_buf_init(out, (size_t)16 << 20);
	yg_buf_put(out, yg_sv_of(before));
	for (size_t i = 0; i < n; i++)
		yg_buf_put(out, yg_sv_of(each));
	yg_buf_put(out, yg_sv_of(behind));
	yg_buf_putc(out, '\0');
}

static void bounds(const char *name, const char *before, const char *each, size_t n,
		   const char *behind, const char *want)
{
	struct yg_buf text;
	many(before, each, n, behind, &text);
	yg_status st = read_text(text.p);
	bool ok = want == NULL  ? st == YG_OK && file.count == 1
		  : st != YG_OK ? strstr(err.msg, want) != NULL
				: file.refused == 1 && strstr(reported, want) != NULL;
	if (!T_NAMED(ok, name))
		(void)printf("# %s: %s %s\n", yg_status_name(st), reported, err.msg);
	yg_buf_free(&text);
}

static void test_bounds(void)
{
	const char *one = RULE "  s: {F: 1}\n  condition: ";
	const char *list = RULE "  condition: s\n  s:\n    F:\n";
	bounds("100,000 values", list, "    - abcdef\n", 100000, "", NULL);
	bounds("100,001 values", list, "    - a\n", 100001, "", "more than 100000 values");
	bounds("250,000 values", list, "    - a\n", 250000, "", "too many values in one file");
	bounds("64 brackets", one, "(", 64,
	       "s))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))", NULL);
	bounds("65 brackets", one, "(", 65, "s", "brackets more than 64 deep");
	bounds("a thousand nots", one, "not ", 1000, "s", "too deep");
	bounds("10,000 steps", one, "s or ", 5000, "s", "more than 10000 steps");
	bounds("a long condition", one, "s or ", 20000, "s", "longer than 65536 bytes");
	bounds("a long value", RULE "  condition: s\n  s: {F: ", "aaaaaaaaaaaaaaaa", 4097, "}",
	       "longer than 65536 bytes");
	bounds("deep", "a: ", "[", 20, "", "too deep");
	bounds("a large file", "#", "aaaaaaaa", 600000, "", "larger than");
	bounds("documents", "", "---\na: b\n", 1001, "", "too many documents");
	bounds("keys", "", "", 0, "a: 1\na: 2\n", "the key stands twice");
	bounds("modifiers",
	       RULE "  condition: s\n  s: {F|contains|windash|wide|base64|cased|neq|"
		    "expand|utf16|all: a}",
	       "", 0, "", "'wide' and 'utf16' exclude each other");
}

/* ---- the published rules ---- */

static size_t refused_count;
static void on_published(void *ctx, const char *name, size_t line, const char *reason)
{
	(void)ctx;
	if (refused_count++ < 20)
		(void)printf("# %s:%zu: %s\n", name, line, reason);
}

static void read_published(void *ctx, const char *name, struct yg_sv yaml)
{
	yg_arena_reset(&arena);
	yg_status st = yg_sigma_read(yaml, name, on_published, NULL, &arena, &file, &err);
	refused_count += st != YG_OK;
	*(size_t *)ctx += st == YG_OK ? file.count : 0;
	if (st != YG_OK)
		(void)printf("# %s\n", err.msg);
}

static void test_published(void)
{
	struct yg_buf tar;
	size_t rules = 0;
	if (!published_open(&tar)) {
		T_NAMED(true, "the published rules # SKIP they are not at hand");
		return;
	}
	size_t files = published_each(yg_buf_sv(&tar), read_published, &rules);
	(void)printf("# %zu files, %zu rules, %zu refused\n", files, rules, refused_count);
	T_OK(files > 3000 && rules >= files && refused_count == 0);
	yg_buf_free(&tar);
}

/* ---- no memory ---- */

static yg_status one_way(size_t limit)
{
	struct yg_sigma_file f;
	struct yg_arena own;
	yg_arena_init(&own, limit);
	yg_status st = yg_sigma_read(
		YG_SV(RULE "  a: {F|windash|base64offset|contains: [' -a', b*c], G: null}\n"
			   "  k: [x, {H|utf16: y}]\n  condition: 1 of a* or not (k and a)\n"
			   "tags: [a, b]\n---\n" COR "  type: temporal\n  timespan: 5m\n"
			   "  group-by: u\n  aliases: {u: {a: x}}\n"),
		"f.yml", NULL, NULL, &own, &f, NULL);
	if (st == YG_OK && (f.count != 1 || f.refused != 1))
		st = YG_INTERNAL; /* refused for want of memory: lost */
	yg_arena_free(&own);
	return st;
}

static void test_memory(void)
{
	for (int once = 0; once < 2; once++) {
		long i = 0;
		unsigned odd = 0;
		oom_once = once == 1;
		for (;; i++) {
			oom_hits = 0;
			oom_left = i;
			yg_status st = one_way((size_t)16 << 20);
			oom_left = -1;
			if (st != YG_NOMEM && (oom_hits > 0 || st != YG_OK) && odd++ == 0)
				(void)printf("# allocation %ld: %s\n", i, yg_status_name(st));
			if (oom_hits == 0)
				break;
		}
		(void)printf("# %ld allocations\n", i);
		T_NAMED(odd == 0 && i > 0, once ? "one allocation fails" : "none from there on");
	}
	/* the arena asks for much at once: the same by its limit, allocation by allocation */
	size_t limit = 64, odd = 0;
	yg_status st = YG_NOMEM;
	for (; st != YG_OK && limit < 65536; limit += 16) {
		st = one_way(limit);
		odd += st != YG_NOMEM && st != YG_OK;
	}
	(void)printf("# enough: %zu bytes\n", limit);
	T_OK(odd == 0 && st == YG_OK && limit > 4096);
}

static bool doubts(const char *text, const char *word)
{
	if (!T_OK(read_text(text) == YG_OK && file.count == 1))
		return false;
	const char *doubt = yg_sigma_doubt(&file.rules[0]);
	return word == NULL ? doubt == NULL : doubt != NULL && strstr(doubt, word) != NULL;
}

/* What the specification's own examples say, and is hardly meant so. */
static void test_doubts(void)
{
	T_OK(doubts(HEAD "filter: {rules: [a], s: {User|startswith: adm_}, condition: s}\n",
		    "by 'not'"));
	T_OK(doubts(HEAD "filter: {rules: [a], s: {User|startswith: adm_}, condition: not s}\n",
		    NULL));
	T_OK(doubts(HEAD "filter: {rules: [a], s: {User|neq: adm}, condition: s}\n", NULL));
#define PERCENTILE(more)                                                                           \
	"title: t\ncorrelation: {type: value_percentile, rules: [a], group-by: [h],"               \
	" timespan: 24h, condition: {field: image, lte: 1" more "}}\n"
	T_OK(doubts(PERCENTILE(""), "median"));
	T_OK(doubts(PERCENTILE(", percentile: 50"), NULL));
	T_OK(doubts(RULE "  s: {F: 1}\n  condition: s\n", NULL));
}

int main(void)
{
	yg_arena_init(&arena, (size_t)256 << 20);
	test_patterns();
	test_conditions();
	test_items_refused();
	test_documents_refused();
	test_correlations_refused();
	test_kinds();
	test_doubts();
	test_bounds();
	test_published();
	test_memory();
	yg_arena_free(&arena);
	return tap_done();
}
