#include "api/body.h"
#include "api/compress.h"
#include "api/console.h"
#include "api/json_out.h"
#include "api/page.h"
#include "api/problem.h"
#include "api/routes.h"
#include "api/text.h"
#include "tap.h"

static struct yg_arena arena;

static struct yg_request request(enum yg_http_method m, const char *target)
{
	struct yg_request q = {.arena = &arena, .method = m};
	struct yg_err err;
	if (yg_request_target(&q, yg_sv_of(target), &err) == YG_OK)
		(void)yg_route_find(yg_routes, &q, &err);
	return q;
}

static bool leads_to(enum yg_http_method m, const char *target, const char *operation)
{
	struct yg_request q = request(m, target);
	const char *found = q.route != NULL ? q.route->operation : "";
	return strcmp(found, operation) == 0;
}

static void check_router(void)
{
	T_OK(leads_to(YG_HTTP_GET, "/", "getConsole"));
	T_OK(leads_to(YG_HTTP_GET, "/status", "getStatusPage"));
	T_OK(leads_to(YG_HTTP_GET, "/alerts/a-1?state=open&x=y", "getConsole"));
	T_OK(leads_to(YG_HTTP_POST, "/alerts", "")); /* a page is only read */
	T_OK(leads_to(YG_HTTP_GET, "/no-such-page", ""));
	struct yg_request page = request(YG_HTTP_GET, "/o/shiokaze?any=1");
	T_OK(yg_route_check_query(&page, NULL) == YG_OK);
	T_OK(leads_to(YG_HTTP_GET, "/api/v1/alerts", "listAlerts"));
	T_OK(leads_to(YG_HTTP_GET, "/api/v1/alerts/a-1", "getAlert"));
	T_OK(leads_to(YG_HTTP_POST, "/api/v1/alerts/bulk", "bulkAlerts"));
	T_OK(leads_to(YG_HTTP_GET, "/api/v1/alerts/bulk",
		      "")); /* the fixed path wins, and has no GET */
	T_OK(leads_to(YG_HTTP_GET, "/api/v1/alerts/", ""));
	T_OK(leads_to(YG_HTTP_GET, "/api/v1/alerts/a/b/c", ""));
	T_OK(leads_to(YG_HTTP_GET, "/api/v1/alerts//comments", ""));
	T_OK(leads_to(YG_HTTP_GET, "//api/v1/alerts", ""));
	T_OK(leads_to(YG_HTTP_GET, "/api/v1/%61lerts", "")); /* fixed parts are not unescaped */
	struct yg_request q =
		request(YG_HTTP_GET, "/api/v1/alerts/a%2Fb/events?limit=3&cursor=%41");
	T_OK(YG_SV_IS(yg_param(&q, "id"), "a/b"));
	T_OK(YG_SV_IS(yg_query(&q, "cursor"), "A") && yg_query(&q, "org").p == NULL);
	/* every row by its own template leads to itself */
	size_t bad = 0, rows = 0;
	for (const struct yg_route *r = yg_routes; r->handler != NULL; r++, rows++)
		bad += !leads_to(r->method, r->path, r->operation);
	T_NAMED(bad == 0 && rows > 60, "each route is reached by its own path");
}

static void check_console(void)
{
	static const char *const pages[] = {"/",
					    "/overview",
					    "/o/b/a/c/alerts",
					    "/alerts",
					    "/alerts/a-1",
					    "/o/a",
					    "/o/a/alerts",
					    "/o/a/s/b",
					    "/o/a/s/b/alerts",
					    "/o/a/s/b/a/c",
					    "/o/a/s/b/a/c/alerts/a-1"};
	static const char *const others[] = {
		"",    "alerts",     "//alerts",    "/api",     "/api/v1/alerts", "/o",
		"/o/", "/o//alerts", "/s/b/alerts", "/alertss", "/o/a/x",         "/%61lerts"};
	for (size_t i = 0; i < YG_LEN(pages); i++)
		T_NAMED(yg_console_is_page(yg_sv_of(pages[i])), pages[i]);
	for (size_t i = 0; i < YG_LEN(others); i++)
		T_NAMED(!yg_console_is_page(yg_sv_of(others[i])), others[i]);
	T_OK(yg_coding_for((struct yg_sv){NULL, 0}) == YG_CODING_NONE);
	T_OK(yg_coding_for(YG_SV("gzip, deflate, br, zstd")) == YG_CODING_BR);
	T_OK(yg_coding_for(YG_SV("br;q=0, GZIP;q=0.5")) == YG_CODING_GZIP);
	T_OK(yg_coding_for(YG_SV("gzip;q=0.000,identity,,;")) == YG_CODING_NONE);
	const struct yg_asset *main_script = yg_asset_named("main.js");
	T_OK(main_script != NULL && main_script->immutable &&
	     yg_asset_served(yg_sv_of(main_script->file)) == main_script);
	T_OK(yg_asset_named("none.js") == NULL && yg_asset_served(YG_SV("main.js")) == NULL);
	struct yg_request q = request(YG_HTTP_GET, "/assets/index.html");
	struct yg_response r = {0};
	T_OK(yg_r_asset(NULL, &q, &r, NULL) == YG_NOTFOUND); /* it has its own addresses */
}

static void check_target(void)
{
	struct yg_request q = {.arena = &arena};
	T_OK(yg_request_target(&q, YG_SV("/a?x=1&y&=z&"), NULL) == YG_OK && q.query_count == 3);
	T_OK(yg_request_target(&q, YG_SV("/a?x=1&x=2"), NULL) == YG_PARSE);
	T_OK(yg_request_target(&q, YG_SV("/a?x=%"), NULL) == YG_PARSE);
	T_OK(yg_request_target(&q, YG_SV("/a?x=%0a"), NULL) == YG_PARSE);
	T_OK(yg_request_target(&q, YG_SV("a"), NULL) == YG_PARSE);
	T_OK(yg_request_target(&q, YG_SV(""), NULL) == YG_PARSE);
	T_OK(yg_request_target(&q, YG_SV("/a?x=a+b%2B"), NULL) == YG_OK &&
	     YG_SV_IS(yg_query(&q, "x"), "a b+"));
}

static void check_cursor(void)
{
	static const uint8_t key[16] = "0123456789abcde", other[16] = "another key";
	struct yg_page page;
	struct yg_request q = request(YG_HTTP_GET, "/api/v1/alerts?state=new");
	struct yg_sv c = yg_page_cursor(&q, key, YG_SV("17"));
	struct yg_sv raw = YG_SV("");
	T_OK(c.n > 0 && yg_base64url_decode(&arena, c, &raw, NULL) == YG_OK);
	T_NAMED(raw.n == 10 && !yg_sv_ends(raw, YG_SV("17")), "the position cannot be read");
	char target[256];
	struct yg_sb b = yg_sb_init(target, sizeof target);
	yg_sb_printf(&b, "/api/v1/alerts?state=new&limit=7&cursor=" YG_SV_FMT, YG_SV_ARG(c));
	q = request(YG_HTTP_GET, yg_sb_cstr(&b));
	T_OK(yg_page_read(&q, key, &page, NULL) == YG_OK && page.limit == 7 &&
	     YG_SV_IS(page.after, "17"));
	q = request(YG_HTTP_GET, target);
	T_NAMED(yg_page_read(&q, other, &page, NULL) == YG_PARSE, "another key refuses it");
	q = request(YG_HTTP_GET, target);
	q.who.root = YG_SV("one");
	T_NAMED(yg_page_read(&q, key, &page, NULL) == YG_PARSE,
		"another organisation cannot use it");
	b = yg_sb_init(target, sizeof target);
	yg_sb_printf(&b, "/api/v1/alerts?state=closed&cursor=" YG_SV_FMT, YG_SV_ARG(c));
	q = request(YG_HTTP_GET, yg_sb_cstr(&b));
	T_NAMED(yg_page_read(&q, key, &page, NULL) == YG_PARSE, "nor another filter");
	size_t taken = 0;
	for (size_t i = 0; i < c.n; i++) {
		char changed[256];
		struct yg_sb w = yg_sb_init(changed, sizeof changed);
		yg_sb_printf(&w, "/api/v1/alerts?state=new&cursor=" YG_SV_FMT, YG_SV_ARG(c));
		changed[w.n - c.n + i] = changed[w.n - c.n + i] == 'A' ? 'B' : 'A';
		q = request(YG_HTTP_GET, yg_sb_cstr(&w));
		taken += yg_page_read(&q, key, &page, NULL) == YG_OK;
	}
	T_NAMED(taken == 0, "no changed character is taken");
	static const char *const bad[] = {"limit=0", "limit=201",  "limit=x", "limit=-1",
					  "cursor=", "cursor=%20", "cursor=A"};
	for (size_t i = 0; i < YG_LEN(bad); i++) {
		b = yg_sb_init(target, sizeof target);
		yg_sb_printf(&b, "/api/v1/alerts?%s", bad[i]);
		q = request(YG_HTTP_GET, yg_sb_cstr(&b));
		T_NAMED(yg_page_read(&q, key, &page, NULL) == YG_PARSE, bad[i]);
	}
	struct yg_sv plain;
	T_OK(yg_base64url_decode(&arena, YG_SV("-_8"), &plain, NULL) == YG_OK && plain.n == 2);
	T_NAMED(yg_base64url_decode(&arena, YG_SV("-_9"), &plain, NULL) == YG_PARSE,
		"one text for one value");
}

static bool problem_has(yg_status st, const char *slug, enum yg_who_kind who, const char *text)
{
	struct yg_request q = request(YG_HTTP_GET, "/api/v1/alerts/x");
	struct yg_response r = {.problem = slug};
	struct yg_err err = {0};
	q.who.kind = who;
	q.who.reach.all = who == YG_WHO_LOCAL;
	q.japanese = true;
	memcpy(q.trace_id, "00112233445566778899aabbccddeeff", 33);
	yg_buf_init(&r.body, 65536);
	yg_request_error(&q, "bad_type", YG_SV("/a\"b"), "say \"%s\"", "\xe6\xab\x93");
	(void)yg_err_set(&err, st, 0, "x.c:1", "file secret.db");
	yg_problem(&q, &r, st, &err);
	yg_buf_putc(&r.body, '\0');
	bool found = !r.body.bad && strstr(r.body.p, text) != NULL;
	yg_buf_free(&r.body);
	return found;
}

static void check_problem(void)
{
	T_OK(problem_has(YG_NOTFOUND, NULL, YG_WHO_LOCAL, "\"status\":404"));
	T_OK(problem_has(YG_NOTFOUND, NULL, YG_WHO_LOCAL, "対象が見つかりません"));
	T_OK(problem_has(YG_CONFLICT, "precondition-failed", YG_WHO_TOKEN, "\"status\":412"));
	T_OK(problem_has(YG_LIMIT, NULL, YG_WHO_TOKEN, "\"retry_after\":1"));
	T_OK(problem_has(YG_IO, NULL, YG_WHO_LOCAL, "secret.db"));
	T_NAMED(!problem_has(YG_IO, NULL, YG_WHO_TOKEN, "secret.db"),
		"faults of ours are not told to tokens");
	T_NAMED(!problem_has(YG_NOTFOUND, NULL, YG_WHO_TOKEN, "secret.db"),
		"nor why something is not there");
	T_OK(problem_has(YG_PARSE, NULL, YG_WHO_TOKEN, "\"pointer\":\"/a\\\"b\""));
	T_OK(problem_has(YG_PARSE, NULL, YG_WHO_TOKEN, "say \\\"櫓\\\""));
	/* every status has a problem of its own HTTP status */
	for (int st = 1; st < YG_STATUS_COUNT; st++) {
		char text[32];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		yg_sb_printf(&b, "\"status\":%d", yg_status_http((yg_status)st));
		T_NAMED(problem_has((yg_status)st, NULL, YG_WHO_LOCAL, yg_sb_cstr(&b)),
			yg_status_name((yg_status)st));
	}
}

static size_t body_faults(const char *json, struct yg_value v[static 4])
{
	static const struct yg_field fields[] = {
		{"name", YG_F_TEXT, YG_F_NEEDED, 1, 5, NULL},
		{"n", YG_F_INT, YG_F_NULL, -1, 9, NULL},
		{"at", YG_F_TIME, 0, 0, 0, NULL},
		{"list", YG_F_TEXTS, 0, 1, 2, NULL},
	};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	struct yg_request q = {.arena = &arena, .body = yg_sv_of(json)};
	struct yg_err err = {0};
	yg_status st = yg_body_read(&b, &q, fields, 4, v, &err);
	return st == YG_OK ? 0 : YG_MAX(q.error_count, (size_t)1);
}

static void check_body(void)
{
	struct yg_value v[4];
	T_OK(body_faults(
		     "{\"name\":\"abc\",\"n\":null,\"at\":\"2026-01-02T03:04:05Z\",\"list\":[\"x\",\"y\"]}",
		     v) == 0);
	T_OK(YG_SV_IS(v[0].text, "abc") && v[1].null && v[2].number == 1767323045000000 &&
	     v[3].text_count == 2);
	T_OK(body_faults("{\"name\":\"\",\"n\":10,\"at\":\"x\",\"list\":[],\"z\":1}", v) == 5);
	T_OK(body_faults("{\"name\":\"a\",\"name\":\"b\"}", v) == 1);
	T_OK(body_faults("{\"name\":\"a\\u0000\"}", v) == 1);
	T_OK(body_faults("{\"name\":null}", v) == 1);
	T_OK(body_faults("{\"name\":\"a\",\"n\":1.5}", v) == 1);
	T_OK(body_faults("{\"name\":\"a\",\"n\":99999999999999999999}", v) == 1);
	T_OK(body_faults("", v) == 1);
	T_OK(body_faults("[]", v) == 1);
	T_OK(body_faults("{", v) == 1);
	T_OK(body_faults("{\"name\":\"a\",\"list\":[\"x\",1]}", v) == 1);
}

static void check_negotiation(void)
{
	T_OK(!yg_http_japanese((struct yg_sv){NULL, 0}));
	T_OK(yg_http_takes_gzip(YG_SV("deflate, GZIP;q=0.5")));
	T_OK(yg_http_takes_gzip(YG_SV("*")));
	T_OK(!yg_http_takes_gzip(YG_SV("gzip;q=0, *")));
	T_OK(!yg_http_takes_gzip(YG_SV("gzip; q=0.00")));
	T_OK(yg_http_takes_gzip(YG_SV("gzip;q=0.001")));
	T_OK(!yg_http_takes_gzip(YG_SV("br, identity")));
	T_OK(!yg_http_takes_gzip((struct yg_sv){NULL, 0}));
	T_OK(yg_http_japanese(YG_SV("ja")));
	T_OK(yg_http_japanese(YG_SV("ja-JP,en;q=0.8")));
	T_OK(!yg_http_japanese(YG_SV("en,ja;q=0.9")));
	T_OK(!yg_http_japanese(YG_SV("fr")));
	T_OK(!yg_http_japanese(YG_SV("ja;q=0,en;q=0.1")));
	T_OK(yg_http_accepts(YG_SV("text/*;q=0.5, application/json"), YG_SV("application/json")));
	T_OK(!yg_http_accepts(YG_SV("application/json;q=0, */*"), YG_SV("application/json")));
	T_OK(!yg_http_accepts(YG_SV("text/html"), YG_SV("application/json")));
	struct yg_who w = {.kind = YG_WHO_TOKEN, .scopes = YG_SV_INIT("events:write alerts:read")};
	T_OK(yg_who_may(&w, "alerts:read") && !yg_who_may(&w, "alerts:write") &&
	     !yg_who_may(&w, "alerts"));
	w = (struct yg_who){.kind = YG_WHO_LOCAL};
	T_OK(yg_who_may(&w, "org:write"));
	w.kind = YG_WHO_NOBODY;
	T_OK(!yg_who_may(&w, "org:write"));
}

static void check_stream(void)
{
	static const struct yg_sv two = YG_SV_INIT("two");
	const struct yg_reach all = YG_REACH_ALL, in_two = yg_reach_one(&two);
	struct yg_stream *s = NULL;
	struct yg_stream_reader r, slow;
	char buf[8192];
	size_t n = 0;
	T_OK(yg_stream_new((yg_wall){5}, &s, NULL) == YG_OK);
	yg_stream_reader_init(s, &slow, YG_TOPIC_ALERTS, &all, YG_SV(""));
	for (int i = 0; i < YG_STREAM_RING_MAX + 10; i++)
		yg_stream_publish(s, YG_TOPIC_ALERTS, YG_SV("one"), YG_SV(""), YG_SV("{}"));
	T_NAMED(yg_stream_read(s, &slow, buf, sizeof buf, &n) == YG_LIMIT,
		"a reader that is overtaken is dropped");
	yg_stream_reader_init(s, &r, YG_TOPIC_ALERTS, &all, YG_SV("5-1"));
	T_NAMED(r.gap, "an id that is no longer kept is a gap");
	yg_stream_reader_init(s, &r, YG_TOPIC_ALERTS, &all, YG_SV("5-4100"));
	T_OK(!r.gap && yg_stream_pending(s, &r));
	size_t messages = 0;
	while (yg_stream_read(s, &r, buf, 300, &n) == YG_OK && n > 0) {
		buf[n] = '\0';
		for (const char *p = buf; (p = strstr(p, "data: ")) != NULL; p++)
			messages++;
	}
	T_NAMED(messages == 6, "resumed behind the last id, whole messages only");
	yg_stream_reader_init(s, &r, YG_TOPIC_ALERTS, &in_two, YG_SV("5-4000"));
	r.greeted = true;
	T_NAMED(!yg_stream_pending(s, &r), "nothing there for another organisation");
	yg_stream_publish(s, YG_TOPIC_ALERTS, YG_SV("one"), YG_SV("y-1"), YG_SV("{}"));
	T_NAMED(!yg_stream_pending(s, &r), "nor of a system of another");
	struct yg_stream_reader whole;
	yg_stream_reader_init(s, &whole, YG_TOPIC_ALERTS, &all, YG_SV(""));
	uint64_t before = yg_stream_rights(s);
	yg_stream_rights_changed(s);
	T_NAMED(yg_stream_read(s, &whole, buf, sizeof buf, &n) == YG_DENIED && n == 0,
		"also who sees the whole");
	yg_stream_reader_init(s, &whole, YG_TOPIC_ALERTS, &all, YG_SV(""));
	whole.rights = before;
	T_NAMED(yg_stream_pending(s, &whole) &&
			yg_stream_read(s, &whole, buf, sizeof buf, &n) == YG_DENIED,
		"and who was looked at before they changed, and began behind");
	T_NAMED(yg_stream_pending(s, &r) && yg_stream_read(s, &r, buf, sizeof buf, &n) == YG_DENIED,
		"changed rights end it");
	yg_stream_reader_end(&r);
	struct yg_sv system = YG_SV("y-1");
	yg_stream_reader_init(s, &r, YG_TOPIC_ALERTS,
			      &(struct yg_reach){.systems = &system, .system_count = 1},
			      YG_SV("5-4100"));
	T_NAMED(yg_stream_read(s, &r, buf, sizeof buf, &n) == YG_OK && n > 0 &&
			yg_sv_has((struct yg_sv){buf, n}, YG_SV("5-4107")) &&
			!yg_sv_has((struct yg_sv){buf, n}, YG_SV("5-4106")),
		"of its system one gets what is there, and no more");
	yg_stream_reader_end(&r);
	yg_stream_reader_init(s, &r, YG_TOPIC_ALERTS, &(struct yg_reach){0}, YG_SV("5-4100"));
	r.greeted = true;
	T_NAMED(!yg_stream_pending(s, &r), "a reach that nobody filled in gets nothing");
	static const char *const bad[] = {
		"5", "x-1", "5-x", "6-4100", "5-99999", "-", "5-18446744073709551615"};
	for (size_t i = 0; i < YG_LEN(bad); i++) {
		yg_stream_reader_init(s, &r, YG_TOPIC_ALERTS, &all, yg_sv_of(bad[i]));
		T_NAMED(r.gap, bad[i]);
	}
	yg_stream_free(s);
}

static bool in_japanese(const char *english, const char *japanese)
{
	struct yg_request q = request(YG_HTTP_GET, "/api/v1/alerts");
	bool same = yg_sv_eq(yg_text(&q, yg_sv_of(english)), yg_sv_of(english));
	q.japanese = true;
	return same && yg_sv_eq(yg_text(&q, yg_sv_of(english)), yg_sv_of(japanese));
}

static void check_texts(void)
{
	struct yg_sv held[2];
	T_OK(in_japanese("no such token", "トークンが見つかりません"));
	T_OK(in_japanese("at most 4096 bytes", "4096 バイト以内にしてください"));
	T_OK(in_japanese("12 of 40 bytes have come", "40 バイトのうち 12 バイトを受信しました"));
	T_OK(in_japanese("search: no closing quote at 7",
			 "検索条件の 7 文字目: 引用符が閉じられていません"));
	T_OK(in_japanese("search: unknown field 'too short' at 1",
			 "検索条件の 1 文字目「too short」: 不明な項目です"));
	T_OK(in_japanese("JSON: expected ',' or '}' at byte 12",
			 "JSON: 12 バイト目: 「,」または「}」がありません"));
	T_OK(in_japanese("fw:3:12: fields.\"time\": expected a path",
			 "fw:3:12: fields.\"time\": 次を指定してください: a path"));
	T_OK(in_japanese("the program ended meanwhile", "途中でプログラムが終了しました"));
	T_OK(in_japanese("nobody has ever said this", "nobody has ever said this"));
	T_OK(in_japanese("", ""));
	T_NAMED(in_japanese("line 3: condition: there is no search 'x: y'",
			    "3行目: condition: 検索条件「x: y」がありません"),
		"a reason within a place within a line");
	T_OK(in_japanese("s|all: 'all' needs a list of at least two values",
			 "s|all: all には2個以上の値のリストが必要です"));
	T_OK(in_japanese("nobody: said this", "nobody: said this"));
	T_OK(yg_text_match("a %% of %s", YG_SV("a % of b"), held, 2) == 1 &&
	     YG_SV_IS(held[0], "b"));
	T_OK(yg_text_match("%s and %.*s", YG_SV("x and y and z"), held, 2) == 2 &&
	     YG_SV_IS(held[0], "x") && YG_SV_IS(held[1], "y and z"));
	T_OK(yg_text_match("%zu at %u!", YG_SV("7 at 8"), held, 2) == -1);
	T_OK(yg_text_match("%s", YG_SV(""), held, 2) == 1 && held[0].n == 0);
	T_OK(yg_text_match("%s %s", YG_SV("a b"), held, 1) == -1);
}

/* What a page is in: chosen now, chosen before, what the browser prefers. */
static bool speaks(const char *target, const char *cookie, const char *accept, const char *want)
{
	struct yg_request q = request(YG_HTTP_GET, target);
	q.header[YG_HH_COOKIE] = cookie != NULL ? yg_sv_of(cookie) : (struct yg_sv){NULL, 0};
	q.header[YG_HH_ACCEPT_LANGUAGE] = yg_sv_of(accept);
	yg_request_language(&q);
	return q.japanese == (want[0] == 'j');
}

static void check_language(void)
{
	T_OK(speaks("/signin", NULL, "ja", "ja") && speaks("/signin", NULL, "fr", "en"));
	T_OK(speaks("/signin?lang=en", "__Host-yagura-lang=ja", "ja", "en"));
	T_OK(speaks("/signin?lang=fr", "a=b; __Host-yagura-lang=en;x", "ja", "en"));
	T_OK(speaks("/signin", "__Host-yagura-lang=", "ja", "ja"));
	T_OK(speaks("/api/v1/alerts?lang=en", "__Host-yagura-lang=en", "ja", "ja"));
	T_OK(YG_SV_IS(yg_http_cookie(YG_SV("ab=1; a=2; a=3"), YG_SV("a")), "2"));
	T_OK(yg_http_cookie(YG_SV("a; b; =c"), YG_SV("a")).p == NULL);
	T_OK(yg_http_prefers(YG_SV("text/html,application/xml;q=0.9,*/*;q=0.8"), YG_SV("text/html"),
			     YG_SV("application/problem+json")));
	T_OK(!yg_http_prefers(YG_SV("*/*"), YG_SV("text/html"), YG_SV("application/problem+json")));
	T_OK(!yg_http_prefers((struct yg_sv){NULL, 0}, YG_SV("text/html"), YG_SV("a/b")));
}

int main(void)
{
	yg_arena_init(&arena, 4u << 20);
	check_router();
	check_console();
	check_target();
	check_cursor();
	check_problem();
	check_texts();
	check_language();
	check_body();
	check_negotiation();
	check_stream();
	yg_arena_free(&arena);
	return tap_done();
}
