#include "base/sb.h"
#include "tap.h"

static void views(void)
{
	struct yg_sv rest = YG_SV("a,,b"), part;
	T_OK(yg_sv_cut(&rest, ',', &part) && YG_SV_IS(part, "a"));
	T_OK(yg_sv_cut(&rest, ',', &part) && part.n == 0);
	T_OK(yg_sv_cut(&rest, ',', &part) && YG_SV_IS(part, "b"));
	T_OK(!yg_sv_cut(&rest, ',', &part));
	T_OK(yg_sv_eq(yg_sv_trim(YG_SV(" \tx y\r\n")), YG_SV("x y")));
	T_OK(yg_sv_ieq(YG_SV("ExAmple"), YG_SV("eXaMPLE")) && !yg_sv_ieq(YG_SV("a["), YG_SV("a{")));
	T_OK(yg_sv_cmp(YG_SV("a"), YG_SV("ab")) < 0 && yg_sv_cmp(YG_SV(""), YG_SV("")) == 0);
	T_OK(yg_sv_has(YG_SV("abc"), YG_SV("bc")) && !yg_sv_has(YG_SV("ab"), YG_SV("abc")));
}

static void numbers(void)
{
	uint64_t u;
	int64_t i;
	struct yg_err err;
	T_OK(yg_parse_u64(YG_SV("18446744073709551615"), &u, &err) == YG_OK && u == UINT64_MAX);
	T_OK(yg_parse_u64(YG_SV("18446744073709551616"), &u, &err) == YG_PARSE);
	T_OK(yg_parse_u64(YG_SV(""), &u, &err) == YG_PARSE);
	T_OK(yg_parse_u64(YG_SV("1 "), &u, &err) == YG_PARSE);
	T_OK(yg_parse_i64(YG_SV("-9223372036854775808"), &i, &err) == YG_OK && i == INT64_MIN);
	T_OK(yg_parse_i64(YG_SV("9223372036854775808"), &i, &err) == YG_PARSE);
	T_OK(yg_parse_bytes(YG_SV("64KiB"), &u, &err) == YG_OK && u == 65536);
	T_OK(yg_parse_bytes(YG_SV("64kib"), &u, &err) == YG_PARSE);
	T_OK(yg_parse_bytes(YG_SV("99999999TiB"), &u, &err) == YG_PARSE);
	static const struct {
		struct yg_sv text;
		int64_t us;
	} spans[] = {{YG_SV_INIT("7us"), 7},         {YG_SV_INIT("250ms"), 250000},
		     {YG_SV_INIT("10s"), 10000000},  {YG_SV_INIT("5m"), 300000000},
		     {YG_SV_INIT("2h"), 7200000000}, {YG_SV_INIT("30d"), 2592000000000}};
	for (size_t k = 0; k < YG_LEN(spans); k++)
		T_NAMED(yg_parse_span(spans[k].text, &i, &err) == YG_OK && i == spans[k].us,
			spans[k].text.p);
	T_OK(yg_parse_span(YG_SV("10"), &i, &err) == YG_PARSE);
	uint8_t hex[2];
	T_OK(yg_parse_hex(YG_SV("0aFf"), hex, 2, &err) == YG_OK && hex[0] == 10 && hex[1] == 255);
	T_OK(yg_parse_hex(YG_SV("0g"), hex, 1, &err) == YG_PARSE);
}

static void builders(void)
{
	char buf[8];
	struct yg_sb b = yg_sb_init(buf, sizeof buf);
	yg_sb_put(&b, YG_SV("12345678"));
	T_OK(yg_sb_done(&b) == YG_OK);
	yg_sb_putc(&b, '9');
	T_OK(yg_sb_done(&b) == YG_LIMIT && b.n == 8);
	b = yg_sb_init(buf, sizeof buf);
	yg_sb_put_untrusted(&b, YG_SV("a\n\""));
	T_OK(b.cut && yg_sv_eq(yg_sb_sv(&b), YG_SV("a\\x0a")));
	b = yg_sb_init(buf, sizeof buf);
	yg_sb_i64(&b, -120);
	T_OK(yg_sv_eq(yg_sb_sv(&b), YG_SV("-120")));
	struct yg_buf grow;
	yg_buf_init(&grow, 1000);
	for (int i = 0; i < 250; i++)
		yg_buf_put(&grow, YG_SV("abcd"));
	T_OK(!grow.bad && grow.n == 1000);
	yg_buf_putc(&grow, 'x');
	T_OK(grow.bad && grow.n == 1000);
	yg_buf_free(&grow);
}

static void errors(void)
{
	struct yg_err err;
	T_OK(YG_FAIL_OS(&err, 2, "open '%s'", "x") == YG_IO &&
	     strstr(err.msg, "No such file") != NULL);
	T_OK(yg_err_wrap(&err, "reading: ") == YG_IO &&
	     strncmp(err.msg, "reading: open 'x'", 17) == 0);
	T_OK(YG_FAIL(NULL, YG_PARSE, "nobody listens") == YG_PARSE);
	T_OK(yg_status_http(YG_LIMIT) == 429 && yg_status_exit(YG_NOTFOUND) == 6);
	T_OK(yg_utf8_cut(YG_SV("abc"), 3).n == 3 && yg_utf8_cut(YG_SV("abcd"), 3).n == 3 &&
	     yg_utf8_cut(YG_SV("a\xe6\xab\x93"), 3).n == 1 &&
	     yg_utf8_cut(YG_SV("a\xe6\xab\x93"
			       "b"),
			 4)
			     .n == 4 &&
	     yg_utf8_cut(YG_SV("\xf0\x9f\x98\x80"), 3).n == 0 &&
	     yg_utf8_cut(YG_SV("\x80\x80\x80\x80\x80\x80"), 5).n == 5);
	T_OK(yg_utf8_valid(YG_SV("a\xe6\xab\x93")) == 4 && yg_utf8_valid(YG_SV("\xc0\x80")) == 0 &&
	     yg_utf8_valid(YG_SV("x\xed\xa0\x80")) == 1 &&
	     yg_utf8_valid(YG_SV("\xf4\x90\x80\x80")) == 0);
}

int main(void)
{
	views();
	numbers();
	builders();
	errors();
	return tap_done();
}
