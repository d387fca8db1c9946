#include "api/html.h"
#include "api/text.h"
#include "fuzz/replay.h"

/* First line: the target; second: the Cookie header; the rest: the body of a form.
 * Fields are UTF-8 without control characters; a cookie lies inside the header; a page
 * that is made of it has no markup and no link but our own. */
static void check_text(struct yg_sv s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			abort();
	}
	if (yg_utf8_valid(s) != s.n)
		abort();
}

static void check_form(struct yg_request *q)
{
	struct yg_form f;
	if (yg_form_read(q, &f, NULL) != YG_OK)
		return;
	for (size_t i = 0; i < f.count; i++) {
		check_text(f.fields[i].name);
		check_text(f.fields[i].value);
	}
	struct yg_sv next = yg_form_get(&f, "next");
	if (yg_html_local_path(next) && (next.p[0] != '/' || (next.n > 1 && next.p[1] == '/')))
		abort();
	yg_html_keep(q, "next", next);
	(void)yg_text(q, next);
}

static void check_cookie(struct yg_sv header)
{
	static const char *const names[] = {"__Host-yagura", YG_LANG_COOKIE, "a"};
	for (size_t i = 0; i < YG_LEN(names); i++) {
		struct yg_sv c = yg_http_cookie(header, yg_sv_of(names[i]));
		if (c.p != NULL && (c.p < header.p || c.p + c.n > header.p + header.n ||
				    memchr(c.p, ';', c.n) != NULL))
			abort();
	}
}

static size_t count(struct yg_sv in, char c)
{
	size_t n = 0;
	for (size_t i = 0; i < in.n; i++)
		n += in.p[i] == c;
	return n;
}

/* Angle brackets and quotes of the page of this request. */
static void marks(const struct yg_request *q, size_t out[static 2])
{
	static const struct yg_html_page page = {"Title", "題", "narrow", false};
	struct yg_response r = {0};
	yg_buf_init(&r.body, 1u << 20);
	yg_html_begin(q, &r, 200, &page);
	yg_html_text(&r.body, q->body);
	yg_html_end(&r.body);
	out[0] = count(yg_buf_sv(&r.body), '<') + count(yg_buf_sv(&r.body), '>');
	out[1] = count(yg_buf_sv(&r.body), '"');
	yg_buf_free(&r.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL)
		return 0;
	struct yg_arena arena;
	yg_arena_init(&arena, 1u << 20);
	struct yg_request q = {.arena = &arena}, none = {.arena = &arena, .path = YG_SV_INIT("/")};
	struct yg_sv rest = {(const char *)exact, size}, target = YG_SV(""), cookie = YG_SV("");
	size_t got[2], want[2];
	(void)yg_sv_cut(&rest, '\n', &target);
	(void)yg_sv_cut(&rest, '\n', &cookie);
	q.body = rest.p != NULL ? rest : YG_SV("");
	q.header[YG_HH_COOKIE] = cookie;
	check_cookie(cookie);
	if (target.p != NULL && yg_request_target(&q, target, NULL) == YG_OK) {
		yg_request_language(&q);
		check_form(&q);
		none.japanese = q.japanese;
		none.body = YG_SV("");
		marks(&q, got);
		marks(&none, want);
		if (got[0] != want[0] || got[1] != want[1])
			abort();
	}
	yg_arena_free(&arena);
	free(exact);
	return 0;
}
