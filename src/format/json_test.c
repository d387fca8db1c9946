#include "format/json.h"

#include "tap.h"

struct row {
	const char *text;
	size_t n;
	yg_status want;
};
#define ROW(lit, want)                                                                             \
	{                                                                                          \
		lit, sizeof(lit) - 1, want                                                         \
	}

/* RFC 8259, section by section. */
static const struct row rows[] = {
	/* 2: one value, four kinds of white space, nothing else around it */
	ROW("", YG_PARSE),
	ROW(" ", YG_PARSE),
	ROW("null", YG_OK),
	ROW(" \t\r\n1 \t\r\n", YG_OK),
	ROW("\f1", YG_PARSE),
	ROW("\v1", YG_PARSE),
	ROW("\xa0"
	    "1",
	    YG_PARSE),
	ROW("\xef\xbb\xbf[]", YG_PARSE), /* 8.1: no byte order mark */
	ROW("1 2", YG_PARSE),
	ROW("[]x", YG_PARSE),
	ROW("[] //c", YG_PARSE),
	ROW("/* */1", YG_PARSE),
	ROW("1\0", YG_PARSE),
	ROW("\0", YG_PARSE),
	/* 3: literals in lower case, whole */
	ROW("true", YG_OK),
	ROW("false", YG_OK),
	ROW("True", YG_PARSE),
	ROW("tru", YG_PARSE),
	ROW("truex", YG_PARSE),
	ROW("nul", YG_PARSE),
	ROW("NaN", YG_PARSE),
	ROW("Infinity", YG_PARSE),
	ROW("undefined", YG_PARSE),
	/* 4: objects */
	ROW("{}", YG_OK),
	ROW("{ }", YG_OK),
	ROW("{\"a\":1}", YG_OK),
	ROW("{\"a\":1,\"a\":2}", YG_OK),
	ROW("{\"\":0}", YG_OK),
	ROW("{\"a\" : 1 , \"b\" : 2}", YG_OK),
	ROW("{", YG_PARSE),
	ROW("{\"a\"", YG_PARSE),
	ROW("{\"a\":", YG_PARSE),
	ROW("{\"a\":1", YG_PARSE),
	ROW("{\"a\":1,", YG_PARSE),
	ROW("{\"a\":1,}", YG_PARSE),
	ROW("{,}", YG_PARSE),
	ROW("{,\"a\":1}", YG_PARSE),
	ROW("{\"a\" 1}", YG_PARSE),
	ROW("{\"a\"::1}", YG_PARSE),
	ROW("{\"a\":}", YG_PARSE),
	ROW("{a:1}", YG_PARSE),
	ROW("{'a':1}", YG_PARSE),
	ROW("{1:1}", YG_PARSE),
	ROW("{\"a\":1 \"b\":2}", YG_PARSE),
	ROW("{\"a\":1]", YG_PARSE),
	ROW("{\"a\"}", YG_PARSE),
	ROW("}", YG_PARSE),
	/* 5: arrays */
	ROW("[]", YG_OK),
	ROW("[ ]", YG_OK),
	ROW("[1,2,[3,{\"a\":[]}]]", YG_OK),
	ROW("[", YG_PARSE),
	ROW("[1", YG_PARSE),
	ROW("[1,", YG_PARSE),
	ROW("[1,]", YG_PARSE),
	ROW("[,1]", YG_PARSE),
	ROW("[,]", YG_PARSE),
	ROW("[1,,2]", YG_PARSE),
	ROW("[1 2]", YG_PARSE),
	ROW("[1}", YG_PARSE),
	ROW("[\"a\":1]", YG_PARSE),
	ROW("]", YG_PARSE),
	ROW("[]]", YG_PARSE),
	ROW("[[]", YG_PARSE),
	/* 6: numbers */
	ROW("0", YG_OK),
	ROW("-0", YG_OK),
	ROW("-1", YG_OK),
	ROW("10", YG_OK),
	ROW("0.5", YG_OK),
	ROW("-0.0e-0", YG_OK),
	ROW("1e5", YG_OK),
	ROW("1E+05", YG_OK),
	ROW("1.25e-3", YG_OK),
	ROW("123456789012345678901234567890", YG_OK),
	ROW("1e999", YG_OK), /* grammar only; the range is the reader's matter */
	ROW("01", YG_PARSE),
	ROW("-01", YG_PARSE),
	ROW("00", YG_PARSE),
	ROW("-", YG_PARSE),
	ROW("+1", YG_PARSE),
	ROW(".5", YG_PARSE),
	ROW("1.", YG_PARSE),
	ROW("1.e1", YG_PARSE),
	ROW("1e", YG_PARSE),
	ROW("1e+", YG_PARSE),
	ROW("1e1.5", YG_PARSE),
	ROW("0x10", YG_PARSE),
	ROW("1_000", YG_PARSE),
	ROW("--1", YG_PARSE),
	ROW("\xef\xbc\x91", YG_PARSE), /* full-width digit */
	/* 7: strings */
	ROW("\"\"", YG_OK),
	ROW("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", YG_OK),
	ROW("\"\\u0000\\u00e9\\uD83D\\uDE00\"", YG_OK),
	ROW("\"\x7f\"", YG_OK),
	ROW("\"0123456789abcdef0123456789abcdef0\"", YG_OK),
	ROW("\"", YG_PARSE),
	ROW("\"abc", YG_PARSE),
	ROW("\"0123456789abcdef0123456789abcdef", YG_PARSE),
	ROW("\"\\", YG_PARSE),
	ROW("\"\\\"", YG_PARSE),
	ROW("\"\\x41\"", YG_PARSE),
	ROW("\"\\a\"", YG_PARSE),
	ROW("\"\\'\"", YG_PARSE),
	ROW("\"\\U0041\"", YG_PARSE),
	ROW("\"\\u\"", YG_PARSE),
	ROW("\"\\u12\"", YG_PARSE),
	ROW("\"\\u12g4\"", YG_PARSE),
	ROW("\"\\u123", YG_PARSE),
	ROW("\"a\nb\"", YG_PARSE),
	ROW("\"a\tb\"", YG_PARSE),
	ROW("\"a\0b\"", YG_PARSE),
	ROW("\"\x1f\"", YG_PARSE),
	ROW("'a'", YG_PARSE),
	/* 8.2: surrogates only in pairs */
	ROW("\"\\ud800\"", YG_PARSE),
	ROW("\"\\udc00\"", YG_PARSE),
	ROW("\"\\ud800\\ud800\"", YG_PARSE),
	ROW("\"\\udc00\\ud800\"", YG_PARSE),
	ROW("\"\\ud800\\n\"", YG_PARSE),
	ROW("\"\\ud800x\"", YG_PARSE),
	ROW("\"\\ud83d\\ude0\"", YG_PARSE),
	ROW("\"\\uDBFF\\uDFFF\"", YG_OK),
	/* 8.1 and RFC 3629: UTF-8 */
	ROW("\"\xc3\xa9\xe6\xab\x93\xf0\x9f\x98\x80\"", YG_OK),
	ROW("\"\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf\"", YG_OK),
	ROW("\"\x80\"", YG_PARSE),
	ROW("\"\xff\"", YG_PARSE),
	ROW("\"\xc3\"", YG_PARSE),
	ROW("\"\xc3", YG_PARSE),
	ROW("\"\xc0\xaf\"", YG_PARSE),
	ROW("\"\xe0\x80\xaf\"", YG_PARSE),
	ROW("\"\xf0\x80\x80\xaf\"", YG_PARSE),
	ROW("\"\xed\xa0\x80\"", YG_PARSE),
	ROW("\"\xf4\x90\x80\x80\"", YG_PARSE),
	ROW("\"\xf5\x80\x80\x80\"", YG_PARSE),
	ROW("\"\xe3\x81\"", YG_PARSE),
	ROW("\"0123456789abcdef\xe3\x81\"", YG_PARSE),
	ROW("{\"\xff\":1}", YG_PARSE),
};

/* What is allocated is exactly as long as the text: ASan sees one byte over. */
static yg_status parse(struct yg_json *j, const char *text, size_t n, char **out_copy)
{
	char *copy = malloc(n > 0 ? n : 1);
	if (copy == NULL)
		return YG_NOMEM;
	memcpy(copy, text, n);
	*out_copy = copy;
	return yg_json_parse(j, (struct yg_sv){copy, n}, NULL);
}

static void test_rows(void)
{
	struct yg_json j;
	yg_json_init(&j, 1000);
	for (size_t i = 0; i < YG_LEN(rows); i++) {
		char name[128], *copy = NULL;
		struct yg_sb b = yg_sb_init(name, sizeof name);
		yg_sb_put_untrusted(&b,
				    (struct yg_sv){rows[i].text, YG_MIN(rows[i].n, (size_t)20)});
		(void)T_NAMED(parse(&j, rows[i].text, rows[i].n, &copy) == rows[i].want,
			      yg_sb_cstr(&b));
		free(copy);
	}
	yg_json_free(&j);
}

static void test_tape(void)
{
	struct yg_json j;
	struct yg_arena a;
	yg_json_init(&j, 1000);
	yg_arena_init(&a, 10000);
	struct yg_sv t = YG_SV(
		"{\"a\":{\"b.c\":5,\"d\":[1,\"x\"]},\"a.b\":{\"c\":7},\"n\":null,"
		"\"\\u0061\\n\":\"\\ud83d\\ude00\\u00e9\\/\\t\",\"dup\":1,\"dup\":2,\"q\":\"443\","
		"\"f\":-12.625,\"big\":1e3,\"huge\":1e999,\"neg\":-9223372036854775808,"
		"\"over\":9223372036854775808,\"half\":1.5,\"t\":true,\"e\":{}}");
	T_OK(yg_json_parse(&j, t, NULL) == YG_OK);
	T_OK(j.nodes[0].type == YG_JSON_OBJECT && j.nodes[0].n == 15 && j.nodes[0].next == j.count);
	T_OK(yg_json_i64(&j, yg_json_path(&j, 0, YG_SV("a.b.c")), 0) == 7);
	T_OK(yg_json_i64(&j, yg_json_path(&j, yg_json_get(&j, 0, YG_SV("a")), YG_SV("b.c")), 0) ==
	     5);
	T_OK(yg_json_path(&j, 0, YG_SV("a.x")) == 0 && yg_json_path(&j, 0, YG_SV("")) == 0 &&
	     yg_json_path(&j, 0, YG_SV("n.x")) == 0);
	uint32_t d = yg_json_path(&j, 0, YG_SV("a.d"));
	T_OK(j.nodes[d].type == YG_JSON_ARRAY && j.nodes[d].n == 2 &&
	     YG_SV_IS(yg_json_raw(&j, d + 2), "x"));
	uint32_t e = yg_json_get(&j, 0, YG_SV("a\n"));
	T_OK(e != 0 && YG_SV_IS(yg_json_str(&j, e, &a), "\xf0\x9f\x98\x80\xc3\xa9/\t"));
	T_OK(YG_SV_IS(yg_json_str(&j, e - 1, &a), "a\n"));
	T_OK(yg_json_i64(&j, yg_json_get(&j, 0, YG_SV("dup")), 0) == 2);
	T_OK(yg_json_i64(&j, yg_json_get(&j, 0, YG_SV("q")), 0) == 443);
	T_OK(yg_json_f64(&j, yg_json_get(&j, 0, YG_SV("f")), 0) == -12.625);
	T_OK(yg_json_i64(&j, yg_json_get(&j, 0, YG_SV("f")), 77) == 77);
	T_OK(yg_json_i64(&j, yg_json_get(&j, 0, YG_SV("big")), 0) == 1000);
	T_OK(yg_json_f64(&j, yg_json_get(&j, 0, YG_SV("huge")), -1) == -1);
	T_OK(yg_json_i64(&j, yg_json_get(&j, 0, YG_SV("neg")), 0) == INT64_MIN);
	T_OK(yg_json_i64(&j, yg_json_get(&j, 0, YG_SV("over")), 5) == 5);
	T_OK(yg_json_i64(&j, yg_json_get(&j, 0, YG_SV("half")), 5) == 5);
	T_OK(yg_json_i64(&j, yg_json_get(&j, 0, YG_SV("n")), 5) == 5);
	T_OK(YG_SV_IS(yg_json_str(&j, yg_json_get(&j, 0, YG_SV("t")), &a), "true"));
	T_OK(yg_json_str(&j, yg_json_get(&j, 0, YG_SV("n")), &a).n == 0);
	T_OK(yg_json_str(&j, 0, &a).n == 0);
	uint32_t empty = yg_json_get(&j, 0, YG_SV("e"));
	T_OK(j.nodes[empty].n == 0 && j.nodes[empty].next == empty + 1);
	T_OK(yg_sv_eq(yg_json_text(&j, 0), t));
	T_OK(YG_SV_IS(yg_json_text(&j, yg_json_get(&j, 0, YG_SV("a"))),
		      "{\"b.c\":5,\"d\":[1,\"x\"]}"));
	T_OK(YG_SV_IS(yg_json_text(&j, d), "[1,\"x\"]") &&
	     YG_SV_IS(yg_json_text(&j, d + 2), "\"x\""));
	T_OK(YG_SV_IS(yg_json_text(&j, empty), "{}"));
	struct yg_json k;
	yg_json_init(&k, 100);
	T_OK(yg_json_parse(&k, YG_SV(" [ [ { \"]\" : [ \"}\" , [ ] ] } ] , [ { } , 12 ] ] "),
			   NULL) == YG_OK);
	T_OK(YG_SV_IS(yg_json_text(&k, 0), "[ [ { \"]\" : [ \"}\" , [ ] ] } ] , [ { } , 12 ] ]"));
	T_OK(YG_SV_IS(yg_json_text(&k, 1), "[ { \"]\" : [ \"}\" , [ ] ] } ]"));
	T_OK(YG_SV_IS(yg_json_text(&k, 4), "[ \"}\" , [ ] ]") &&
	     YG_SV_IS(yg_json_text(&k, 6), "[ ]"));
	yg_json_free(&k);
	struct yg_arena none;
	yg_arena_init(&none, 1);
	T_OK(yg_json_str(&j, e, &none).p == NULL);
	size_t used = 0;
	T_OK(yg_json_parse_prefix(&j, YG_SV(" {\"a\":1} {\"a\":2}"), &used, NULL) == YG_OK &&
	     used == 8);
	T_OK(yg_json_parse_prefix(&j, YG_SV("12 x"), &used, NULL) == YG_OK && used == 2);
	yg_arena_free(&a);
	yg_arena_free(&none);
	yg_json_free(&j);
}

static void test_limits(void)
{
	struct yg_json j;
	struct yg_err err = {0};
	enum { LEVELS = 10000 };
	static char deep[2 * LEVELS];
	yg_json_init(&j, 100);
	memset(deep, '[', LEVELS);
	memset(deep + LEVELS, ']', LEVELS);
	T_OK(yg_json_parse(&j, (struct yg_sv){deep, sizeof deep}, &err) == YG_LIMIT);
	T_OK(strstr(err.msg, "deeper than 64") != NULL);
	T_OK(yg_json_parse(&j,
			   (struct yg_sv){deep + LEVELS - YG_JSON_DEPTH_MAX, 2 * YG_JSON_DEPTH_MAX},
			   NULL) == YG_OK);
	T_OK(j.count == YG_JSON_DEPTH_MAX && j.nodes[0].next == j.count);
	T_OK(yg_json_parse(&j,
			   (struct yg_sv){deep + LEVELS - YG_JSON_DEPTH_MAX - 1,
					  2 * YG_JSON_DEPTH_MAX + 2},
			   NULL) == YG_LIMIT);
	for (size_t i = 0; i + 6 <= sizeof deep; i += 6)
		memcpy(deep + i, "{\"a\":1", 6);
	memset(deep, ' ', 2);
	T_OK(yg_json_parse(&j, (struct yg_sv){deep, sizeof deep}, &err) != YG_OK);
	static char many[400] = "[1";
	for (size_t i = 2; i < 398; i += 2)
		memcpy(many + i, ",1", 2);
	many[398] = ']';
	T_OK(yg_json_parse(&j, (struct yg_sv){many, 399}, &err) == YG_LIMIT);
	T_OK(strstr(err.msg, "more than 100 values") != NULL);
	T_OK(yg_json_parse(&j, (struct yg_sv){NULL, 0}, &err) == YG_PARSE);
	T_OK(yg_json_parse(&j, YG_SV("[1,x]"), &err) == YG_PARSE &&
	     strstr(err.msg, "at byte 3") != NULL);
	yg_json_free(&j);
}

static void test_put(void)
{
	struct yg_buf b;
	yg_buf_init(&b, 1000);
	yg_json_put_str(&b, YG_SV("a\"\\/\b\f\n\r\t\x01\x1f\x7f\xc3\xa9\xff\xed\xa0\x80z\0e"));
	T_OK(yg_sv_eq(yg_buf_sv(&b),
		      YG_SV("\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa9\xef\xbf\xbd"
			    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\\u0000e\"")));
	b.n = 0;
	yg_json_put_str(&b, (struct yg_sv){NULL, 0});
	T_OK(YG_SV_IS(yg_buf_sv(&b), "\"\"") && !b.bad);
	b.n = 0;
	yg_json_put_str(
		&b,
		YG_SV("0123456789abcdef0123456789\xe6\xab\x93\xe6\xab\x93 and a long tail of plain text"));
	struct yg_json j;
	yg_json_init(&j, 10);
	T_OK(yg_json_parse(&j, yg_buf_sv(&b), NULL) == YG_OK && j.nodes[0].escaped == 0);
	yg_json_free(&j);
	yg_buf_free(&b);
	yg_buf_init(&b, 4);
	yg_json_put_str(&b, YG_SV("abcdef"));
	T_OK(b.bad);
	yg_buf_free(&b);
}

int main(void)
{
	test_rows();
	test_tape();
	test_limits();
	test_put();
	return tap_done();
}
