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

void yg_html_begin(struct yg_buf *b, bool japanese, const char *title)
{
	yg_buf_printf(
		b,
		"<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width\">"
		"<link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"/style.css\"><title>%s - %s</title></head>"
		"<body class=\"plain\"><header class=\"brand\"><svg viewBox=\"0 0 24 24\" aria-hidden=\"true\">"
		"<path d=\"M12 2l8 4v3H4V6zM6 9v13M18 9v13M6 15l12 7M18 15L6 22M6 13h12\"/></svg>%s</header>\n"
		"<main class=\"narrow\">\n<h1>%s</h1>\n",
		japanese ? "ja" : "en", title, japanese ? "櫓 Yagura" : "Yagura",
		japanese ? "櫓 Yagura" : "Yagura", title);
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
