#include "api/html.h"

void yg_html_text(struct yg_buf *b, struct yg_sv s)
{
	size_t good = yg_utf8_valid(s);
	for (size_t i = 0; i < good; i++) {
		switch (s.p[i]) {
		case '<': yg_buf_put(b, YG_SV("&lt;")); break;
		case '>': yg_buf_put(b, YG_SV("&gt;")); break;
		case '&': yg_buf_put(b, YG_SV("&amp;")); break;
		case '"': yg_buf_put(b, YG_SV("&quot;")); break;
		default: yg_buf_putc(b, s.p[i]);
		}
	}
}

/* The same page in the other language. */
static void put_language(const struct yg_request *q, struct yg_buf *b)
{
	yg_buf_put(b, YG_SV("<nav class=\"lang\" aria-label=\"言語 / Language\"><a href=\""));
	yg_html_text(b, yg_html_local_path(q->path) ? q->path : YG_SV("/"));
	yg_buf_putc(b, '?');
	for (size_t i = 0; i < q->query_count; i++) {
		if (YG_SV_IS(q->query[i].name, "lang"))
			continue;
		yg_percent_put(b, q->query[i].name);
		yg_buf_putc(b, '=');
		yg_percent_put(b, q->query[i].value);
		yg_buf_put(b, YG_SV("&amp;"));
	}
	yg_buf_put(b, q->japanese ? YG_SV("lang=en\" hreflang=\"en\" lang=\"en\">English")
				  : YG_SV("lang=ja\" hreflang=\"ja\" lang=\"ja\">日本語"));
	yg_buf_put(b, YG_SV("</a></nav>\n"));
}

static void put_headers(const struct yg_request *q, struct yg_response *r)
{
	struct yg_sv chosen = yg_request_chosen_language(q);
	yg_response_header(r, "Content-Language", q->japanese ? YG_SV("ja") : YG_SV("en"));
	yg_response_header(r, "Vary", YG_SV("Accept, Accept-Language, Authorization, Cookie"));
	if (chosen.n == 0 || !q->tls)
		return;
#define KEPT "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000"
	yg_response_header(r, "Set-Cookie",
			   YG_SV_IS(chosen, "ja") ? YG_SV(YG_LANG_COOKIE "=ja" KEPT)
						  : YG_SV(YG_LANG_COOKIE "=en" KEPT));
}

void yg_html_begin(const struct yg_request *q, struct yg_response *r, int status,
		   const struct yg_html_page *page)
{
	struct yg_buf *b = &r->body;
	const char *name = q->japanese ? "櫓 Yagura" : "Yagura";
	const char *title = q->japanese ? page->ja : page->en;
	r->status = status;
	r->type = "text/html; charset=utf-8";
	put_headers(q, r);
	yg_buf_printf(
		b,
		"<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width\">"
		"<link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"/style.css\"><title>%s - %s</title></head>"
		"<body class=\"plain\"><header class=\"brand\"><svg viewBox=\"0 0 24 24\" aria-hidden=\"true\">"
		"<path d=\"M12 2l8 4v3H4V6zM6 9v13M18 9v13M6 15l12 7M18 15L6 22M6 13h12\"/></svg>%s</header>\n",
		q->japanese ? "ja" : "en", title, name, name);
	if (!page->once)
		put_language(q, b);
	yg_buf_printf(b, "<main class=\"%s\">\n<h1>%s</h1>\n", page->kind, title);
}

void yg_html_keep(struct yg_request *q, const char *name, struct yg_sv value)
{
	if (value.n > 0 && yg_query(q, name).p == NULL && q->query_count < YG_HTTP_QUERY_MAX)
		q->query[q->query_count++] = (struct yg_http_pair){yg_sv_of(name), value};
}

void yg_html_end(struct yg_buf *b)
{
	yg_buf_put(b, YG_SV("</main></body></html>\n"));
}

bool yg_html_local_path(struct yg_sv s)
{
	bool good = s.n > 0 && s.n <= 2048 && s.p[0] == '/' &&
		    (s.n == 1 || (s.p[1] != '/' && s.p[1] != '\\'));
	for (size_t i = 0; i < s.n && good; i++)
		good = (unsigned char)s.p[i] > 0x20 && s.p[i] != '\\';
	return good;
}

yg_status yg_form_read(struct yg_request *q, struct yg_form *out, struct yg_err *err)
{
	struct yg_sv rest = q->body, part;
	out->count = 0;
	while (rest.n > 0 && yg_sv_cut(&rest, '&', &part)) {
		size_t eq = yg_sv_find(part, '=', 0);
		if (part.n == 0)
			continue;
		if (out->count == YG_FORM_MAX)
			return YG_FAIL(err, YG_LIMIT, "more than %d fields", YG_FORM_MAX);
		struct yg_http_pair *f = &out->fields[out->count];
		yg_status st =
			yg_percent_decode(q->arena, yg_sv_sub(part, 0, eq), true, &f->name, err);
		if (st == YG_OK)
			st = yg_percent_decode(q->arena, yg_sv_sub(part, eq + 1, part.n), true,
					       &f->value, err);
		if (st != YG_OK)
			return st;
		out->count++;
	}
	return YG_OK;
}

struct yg_sv yg_form_get(const struct yg_form *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++) {
		if (yg_sv_eq(f->fields[i].name, yg_sv_of(name)))
			return f->fields[i].value;
	}
	return YG_SV("");
}
