#include "format/json_records.h"

#include "base/sb.h"
#include "tap.h"

/* The records of `in`, each in brackets; one still open at the end in <>. */
static void check(const char *in, const char *want)
{
	char out[1024], rec[1024];
	struct yg_sb b = yg_sb_init(out, sizeof out);
	struct yg_json_scan s = {0};
	size_t n = 0;
	bool on = false;
	size_t quiet = 0; /* bytes that were promised to change nothing */
	for (const char *c = in; *c != '\0'; c++) {
		quiet = YG_MAX(quiet, yg_json_scan_quiet(&s, c, strlen(c)));
		unsigned ev = yg_json_scan(&s, *c);
		if (quiet > 0 && ev != 0)
			T_NAMED(false, "a quiet byte is quiet");
		quiet -= quiet > 0;
		if ((ev & YG_SCAN_BREAK) != 0)
			yg_sb_printf(&b, "(%.*s)", (int)n, rec);
		if ((ev & (YG_SCAN_BREAK | YG_SCAN_DROP)) != 0)
			on = false;
		if ((ev & YG_SCAN_BEGIN) != 0)
			on = true, n = 0;
		if (on)
			rec[n++] = *c;
		if ((ev & YG_SCAN_END) != 0) {
			yg_sb_printf(&b, "(%.*s)", (int)n, rec);
			on = false;
		}
	}
	if (yg_json_scan_open(&s))
		yg_sb_printf(&b, "<%.*s>", (int)n, rec);
	if (!T_NAMED(strcmp(yg_sb_cstr(&b), want) == 0, in))
		(void)printf("# got %s\n", out);
}

int main(void)
{
	check("{\"Records\":[{\"a\":1},{\"b\":{\"c\":[2]}}]}", "({\"a\":1})({\"b\":{\"c\":[2]}})");
	check("{ \"Records\" : [ {\"a\":1} ] } {\"b\":2}", "({\"a\":1})({\"b\":2})");
	check("{\"v\":\"Records\",\"Records\":[{\"a\":\"]}\"}],\"x\":{\"y\":[1]}}\n{\"b\":2}",
	      "({\"a\":\"]}\"})({\"b\":2})");
	check("{\"a\":1}\n{\"a\":2}\n", "({\"a\":1})({\"a\":2})");
	check("{\"a\":{\"Records\":[{}]}}", "({\"a\":{\"Records\":[{}]}})");
	check("{\"Records\":{}}", "({\"Records\":{}})");
	check("{\"Record\":[1]}{\"Recordss\":[1]}{\"\\\"Records\":[1]}",
	      "({\"Record\":[1]})({\"Recordss\":[1]})({\"\\\"Records\":[1]})");
	check("[{\"a\":1},{\"b\":2}]{\"c\":3}", "({\"a\":1})({\"b\":2})({\"c\":3})");
	check("{\"Records\":[]}", "");
	check("{\"Records\":[null,7,{\"a\":1}]}", "(null)(7)({\"a\":1})");
	check("not json\n{\"a\":1}", "(not json)({\"a\":1})");
	check("\xef\xbb\xbf{\"a\":1}", "({\"a\":1})");
	check("{\"a\":\"broken\n{\"b\":2}", "({\"a\":\"broken)({\"b\":2})");
	check("{\"a\":{\n{\"b\":2}\n", "({\"a\":{\n)({\"b\":2})");
	check("{\"Records\":[{\"a\":\"x\n\"},{\"b\":1}]}\n{\"c\":3}",
	      "({\"a\":\"x)(\"},{\"b\":1}]})({\"c\":3})");
	check("{\"a\":\"\\\"}\\\\\"}{\"b\":1}", "({\"a\":\"\\\"}\\\\\"})({\"b\":1})");
	check("{\n  \"Records\": [\n    {\n      \"a\": 1\n    }\n  ]\n}\n",
	      "({\n      \"a\": 1\n    })");
	check("{\"a\":", "<{\"a\":>");
	return tap_done();
}
