#include "api/body.h"
#include "api/page.h"
#include "api/problem.h"
#include "api/routes.h"
#include "fuzz/replay.h"

/* First line: method and target; then headers by number; behind an empty line the
 * body.  Whatever comes in: parameters are UTF-8 without control characters, a
 * forged cursor is never taken, and the problem document is JSON. */
static const uint8_t key[16] = "fuzz";

static void check_text(struct yg_sv s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			abort();
	}
	if (yg_utf8_valid(s) != s.n)
		abort();
}

static void check_problem(struct yg_request *q)
{
	struct yg_response r = {0};
	struct yg_err err = {0};
	struct yg_json json;
	yg_buf_init(&r.body, 1u << 20);
	(void)yg_err_set(&err, YG_PARSE, 0, "x", "no");
	yg_problem(q, &r, YG_PARSE, &err);
	yg_json_init(&json, 4096);
	if (r.body.bad || yg_json_parse(&json, yg_buf_sv(&r.body), NULL) != YG_OK ||
	    r.status != 400)
		abort();
	yg_json_free(&json);
	yg_buf_free(&r.body);
}

static void check_body(struct yg_request *q)
{
	static const struct yg_field fields[] = {
		{"name", YG_F_TEXT, YG_F_NEEDED, 1, 63, "a bb ccc"},
		{"n", YG_F_INT, YG_F_NULL, 0, 100, NULL},
		{"t", YG_F_TIME, YG_F_NULL, 0, 0, NULL},
		{"list", YG_F_TEXTS, 0, 1, 8, NULL},
		{"set", YG_F_OBJECT, 0, 0, 0, NULL},
		{"b", YG_F_BOOL, 0, 0, 0, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_body b = {0};
	if (yg_body_read(&b, q, fields, YG_LEN(fields), v, NULL) == YG_OK) {
		if (!v[0].given || v[0].text.n == 0 || v[0].text.n > 63 || v[1].number < 0 ||
		    v[1].number > 100 || v[3].text_count > 8)
			abort();
		if (v[4].given && !v[4].null)
			(void)yg_body_read_at(&b, q, v[4].node, "/set", fields, YG_LEN(fields), v,
					      NULL);
	}
	yg_body_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL)
		return 0;
	struct yg_arena arena;
	struct yg_request q = {.arena = &arena};
	struct yg_page page;
	yg_arena_init(&arena, 1u << 20);
	struct yg_sv rest = {(const char *)exact, size}, line = YG_SV(""), method = YG_SV("");
	(void)yg_sv_cut(&rest, '\n', &line);
	(void)yg_sv_cut(&line, ' ', &method);
	q.method = yg_http_method_parse(method);
	q.japanese = yg_http_japanese(rest);
	(void)yg_http_accepts(rest, YG_SV("application/json"));
	q.body = rest.p != NULL ? rest : YG_SV("");
	if (line.p != NULL && yg_request_target(&q, line, NULL) == YG_OK) {
		for (size_t i = 0; i < q.query_count; i++) {
			check_text(q.query[i].name);
			check_text(q.query[i].value);
		}
		if (yg_route_find(yg_routes, &q, NULL) == YG_OK) {
			for (size_t i = 0; i < q.param_count; i++)
				check_text(q.params[i].value);
			if (yg_page_read(&q, key, &page, NULL) == YG_OK && page.after.n > 0)
				abort(); /* nobody here knows the key */
			struct yg_sv c = yg_page_cursor(&q, key, YG_SV("17"));
			if (c.p == NULL && arena.used + 8192 < arena.limit)
				abort();
			(void)yg_route_check_query(&q, NULL);
			check_body(&q);
		}
	}
	check_problem(&q);
	yg_arena_free(&arena);
	free(exact);
	return 0;
}
