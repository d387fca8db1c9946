#include "event/histogram.h"
#include "tap.h"

static struct yg_arena arena;
static struct yg_search s;
static struct yg_err err;

static yg_status compile(const char *q)
{
	yg_arena_reset(&arena);
	err = (struct yg_err){0};
	return yg_search_compile(yg_sv_of(q), &arena, &s, &err);
}

/* The condition with its parameters put in, as 18.16 gets it. */
static bool gives(const char *q, const char *want)
{
	struct yg_buf b;
	yg_buf_init(&b, 1u << 20);
	bool ok = compile(q) == YG_OK &&
		  yg_ch_substitute(s.where, s.params, s.param_count, &b, &err) == YG_OK &&
		  yg_sv_eq(yg_buf_sv(&b), yg_sv_of(want));
	if (!ok)
		(void)printf("# %s\n# got  %.*s\n# want %s\n# %s\n", q, (int)b.n,
			     b.p != NULL ? b.p : "", want, err.msg);
	yg_buf_free(&b);
	return ok;
}

static bool refused(const char *q, const char *message)
{
	bool ok = compile(q) != YG_OK && strcmp(err.msg, message) == 0;
	if (!ok)
		(void)printf("# %s\n# got  %s\n# want %s\n", q, err.msg, message);
	return ok;
}

#define IP4(hex) "toFixedString(unhex('00000000000000000000ffff" hex "'), 16)"

static void words(void)
{
	T_OK(gives("", "1") && gives("  \t", "1"));
	T_OK(gives("Evil.Example", "has(names, 'evil.example')"));
	T_OK(gives("taro@acme.example", "has(names, 'taro@acme.example')"));
	T_OK(gives("192.0.2.7", "has(names, '192.0.2.7')"));
	T_OK(gives("2001:DB8::0001", "has(names, '2001:db8::1')"));
	T_OK(gives(
		"192.0.2.0/24",
		"((src_ip >= " IP4("c0000200") " AND src_ip <= " IP4("c00002ff") ") OR (dst_ip >= " IP4(
			"c0000200") " AND dst_ip <= " IP4("c00002ff") "))"));
	T_OK(gives("D41D8CD98F00B204E9800998ECF8427E",
		   "has(names, 'd41d8cd98f00b204e9800998ecf8427e')"));
	T_OK(gives("*.example", "arrayExists(x -> x LIKE '%.example', names)"));
	T_OK(gives("taro", "(positionCaseInsensitive(raw, 'taro') > 0)"));
	T_OK(gives("http://evil.example/x",
		   "(positionCaseInsensitive(raw, 'http://evil.example/x') > 0)"));
	T_OK(gives(
		"c:\\x",
		"(positionCaseInsensitive(raw, 'c:\\\\x') > 0 OR positionCaseInsensitive(raw, 'c:\\\\\\\\x') > 0)"));
	T_OK(gives(
		"\"GET /a\\\"b\"",
		"(positionCaseInsensitive(raw, 'GET /a\"b') > 0 OR positionCaseInsensitive(raw, 'GET /a\\\\\"b') > 0)"));
	T_OK(gives("it's", "(positionCaseInsensitive(raw, 'it\\'s') > 0)"));
}

static void fields(void)
{
	T_OK(gives("query:Evil.Example", "query = 'evil.example'"));
	T_OK(gives("user:\"Taro Yamada\"", "lower(user) = 'taro yamada'"));
	T_OK(gives("url:*Log_in%*", "lower(url) LIKE '%log\\\\_in\\\\%%'"));
	T_OK(gives("user:\"*\"", "lower(user) = '*'"));
	T_OK(gives("host:*", "(host != '')") && gives("answers:*", "(notEmpty(answers))"));
	T_OK(gives("ip:*", "(src_ip != toFixedString('', 16) OR dst_ip != toFixedString('', 16))"));
	T_OK(gives("src_ip:10.0.0.1", "(src_ip = " IP4("0a000001") ")"));
	T_OK(gives("dst_port:443", "((dst_port = 443))"));
	T_OK(gives("dst_port:>=1024", "((dst_port >= 1024))") &&
	     gives("dst_port>1024", "((dst_port > 1024))"));
	T_OK(gives("bytes_in:1..5000", "((bytes_in >= 1 AND bytes_in <= 5000))"));
	T_OK(gives("port:53", "((src_port = 53) OR (dst_port = 53))"));
	T_OK(gives("class:dns_activity", "((class_uid = 4003))"));
	T_OK(gives("severity:>=high", "((severity_id >= 4))"));
	T_OK(gives("time:>1970-01-01T00:00:01Z", "((time > 1000000))"));
	T_OK(gives("duration:<10s", "((duration < 10000000))"));
	T_OK(gives("hash:AA", "has(hashes, 'aa')"));
	T_OK(gives("answers:A.example", "arrayExists(x -> lower(x) = 'a.example', answers)"));
	T_OK(gives("answers:*.EX", "arrayExists(x -> lower(x) LIKE '%.ex', answers)"));
}

static void operators(void)
{
#define A "((row = 1))"
#define B "((row = 2))"
#define C "((row = 3))"
	T_OK(gives("row:1 row:2", A " AND " B) && gives("row:1 AND row:2", A " AND " B));
	T_OK(gives("row:1 OR row:2 row:3", A " OR " B " AND " C));
	T_OK(gives("(row:1 OR row:2) row:3", "(" A " OR " B ") AND " C));
	T_OK(gives("-row:1 NOT row:2", "NOT " A " AND NOT " B));
	T_OK(gives("row:1 -(row:2 row:3)", A " AND NOT (" B " AND " C ")"));
	T_OK(gives("row:1(row:2)", A " AND (" B ")"));
	T_OK(gives("NOT -row:1", "NOT NOT " A));
	T_OK(gives("or", "(positionCaseInsensitive(raw, 'or') > 0)"));
}

static void errors(void)
{
	T_OK(refused("x qury:a", "search: unknown field 'qury' at 3"));
	T_OK(refused("dst_port:http", "search: not a number: 'http' at 10"));
	T_OK(refused("dst_port:-1", "search: not a number: '-1' at 10"));
	T_OK(refused("src_ip:999.1.1.1", "search: not an address or prefix: '999.1.1.1' at 8"));
	T_OK(refused("user:>a", "search: only numbers and times compare at 7"));
	T_OK(refused("user:", "search: a value is missing at 6"));
	T_OK(refused("time:yesterday",
		     "search: not a time (2026-01-02T03:04:05Z): 'yesterday' at 6"));
	T_OK(refused("\"abc", "search: no closing quote at 1"));
	T_OK(refused("a\"b\"", "search: a quote inside a word at 2"));
	T_OK(refused("\"a\"b", "search: a blank is missing behind the quote at 4"));
	T_OK(refused("(a", "search: a bracket is still open at 3"));
	T_OK(refused("a)", "search: a bracket that was not opened at 2"));
	T_OK(refused("()", "search: a condition is missing before the bracket at 2"));
	T_OK(refused("a OR", "search: a condition is missing at 5"));
	T_OK(refused("OR a", "search: a condition is missing before 'OR' at 1"));
	T_OK(refused("a OR OR b", "search: a condition is missing before 'OR' at 6"));
	T_OK(refused("- a", "search: nothing to look for at 1"));
	T_OK(refused("\xff", "search: not UTF-8 at 1"));
	char deep[64];
	memset(deep, '(', sizeof deep);
	deep[63] = '\0';
	T_OK(compile(deep) == YG_LIMIT);
	char many[200];
	for (size_t i = 0; i < sizeof many; i++)
		many[i] = i % 2 ? ' ' : 'a';
	many[sizeof many - 1] = '\0';
	T_OK(compile(many) == YG_LIMIT);
	static char longer[YG_SEARCH_MAX + 2];
	memset(longer, 'a', sizeof longer - 1);
	T_OK(compile(longer) == YG_TOOBIG);
}

/* What the hours of the table are counted by, and nothing else. */
static void counted(void)
{
	static const char *const yes[] = {"", "class:dns_activity", "class:4003 -org:acme",
					  "NOT (class:>4001 OR org:a*)", "class_uid:* org:\"a b\""};
	static const char *const no[] = {
		"evil.example",          "\"org\"",  "class:4003 x", "org:a OR severity:>3",
		"-(class:4003 time:>1)", "10.0.0.1", "source:zeek"};
	for (size_t i = 0; i < YG_LEN(yes); i++)
		T_NAMED(compile(yes[i]) == YG_OK && s.counted, yes[i]);
	for (size_t i = 0; i < YG_LEN(no); i++)
		T_NAMED(compile(no[i]) == YG_OK && !s.counted, no[i]);
}

static void cursors(void)
{
	struct yg_search_key k = {.time = -5, .spool = UINT32_MAX, .row = 7, .batch = UINT64_MAX},
			     got;
	char text[YG_SEARCH_CURSOR_MAX];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_search_cursor_format(&b, k);
	T_OK(yg_search_cursor_parse(yg_sb_sv(&b), &got, NULL) == YG_OK && got.time == -5 &&
	     got.spool == UINT32_MAX && got.row == 7 && got.batch == UINT64_MAX);
	static const char *const bad[] = {"",        "1",        "1.2.3",           "1.2.3.4.5",
					  "a.2.3.4", "1.-2.3.4", "1.4294967296.3.4"};
	for (size_t i = 0; i < YG_LEN(bad); i++)
		T_NAMED(yg_search_cursor_parse(yg_sv_of(bad[i]), &got, NULL) == YG_INVAL,
			"a broken cursor is refused");
}

static void test_tail(void)
{
	static const char *const refused[] = {"",
					      "0",
					      "x",
					      "-1",
					      "5.",
					      "5.1-2",
					      "5.1-2-3-4",
					      "5.1-2-3.1-9-9",
					      "5.4294967296-1-1",
					      "5.1-2-3.",
					      "5..1-2-3",
					      "5.1--3"};
	struct yg_tail t, again;
	char text[YG_TAIL_TEXT_MAX];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	T_OK(yg_tail_parse(YG_SV("1767225600000000.0-17-3.4294967295-18446744073709551615-0"), &t,
			   NULL) == YG_OK &&
	     t.n == 2 && t.mark[1].batch == UINT64_MAX && t.mark[0].row == 3);
	yg_tail_format(&b, &t);
	T_OK(yg_tail_parse(yg_sb_sv(&b), &again, NULL) == YG_OK &&
	     memcmp(&t, &again, sizeof t) == 0);
	T_OK(yg_tail_parse(YG_SV("5"), &t, NULL) == YG_OK && t.n == 0);
	for (size_t i = 0; i < YG_LEN(refused); i++)
		T_NAMED(yg_tail_parse(yg_sv_of(refused[i]), &t, NULL) == YG_INVAL, refused[i]);
	for (uint32_t i = 0; i < YG_TAIL_SPOOLS; i++)
		t.mark[i] = (struct yg_tail_mark){UINT32_MAX - i, UINT32_MAX, UINT64_MAX};
	t.n = YG_TAIL_SPOOLS;
	t.since = INT64_MAX;
	b = yg_sb_init(text, sizeof text);
	yg_tail_format(&b, &t);
	T_NAMED(!b.cut && yg_tail_parse(yg_sb_sv(&b), &again, NULL) == YG_OK, "the longest fits");
}

int main(void)
{
	test_tail();
	yg_arena_init(&arena, 1u << 20);
	words();
	fields();
	operators();
	errors();
	counted();
	cursors();
	yg_arena_free(&arena);
	return tap_done();
}
