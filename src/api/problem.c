#include "api/problem.h"

#include "api/json_out.h"

static const struct problem {
	const char *slug;
	int status;
	const char *title, *title_ja, *hint;
} problems[] = {
#define X(slug, status, title, title_ja, hint) {slug, status, title, title_ja, hint},
	YG_PROBLEMS(X)
#undef X
};

static const struct problem *by_slug(const char *slug)
{
	for (size_t i = 0; slug != NULL && i < YG_LEN(problems); i++) {
		if (strcmp(problems[i].slug, slug) == 0)
			return &problems[i];
	}
	return NULL;
}

static const struct problem *by_status(int status)
{
	for (size_t i = 0; i < YG_LEN(problems); i++) {
		if (problems[i].status == status)
			return &problems[i];
	}
	return by_slug("internal");
}

int yg_problem_status(const char *slug)
{
	const struct problem *p = by_slug(slug);
	return p != NULL ? p->status : 0;
}

static void put_errors(struct yg_jo *j, const struct yg_request *q)
{
	yg_jo_key(j, "errors");
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < q->error_count; i++) {
		yg_jo_begin(j, '{');
		if (q->errors[i].pointer.n > 0)
			yg_jo_str(j, "pointer", q->errors[i].pointer);
		yg_jo_str(j, "code", yg_sv_of(q->errors[i].code));
		yg_jo_str(j, "message", q->errors[i].message);
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
}

void yg_problem(const struct yg_request *q, struct yg_response *r, yg_status st,
		const struct yg_err *err)
{
	const struct problem *p = by_slug(r->problem);
	if (p == NULL)
		p = by_status(yg_status_http(st));
	r->status = p->status;
	r->type = "application/problem+json";
	r->stream = false;
	if (p->status == 429 || p->status == 503)
		r->retry_after_s = YG_MAX(r->retry_after_s, 1u);
	if (p->status == 401)
		yg_response_header(r, "WWW-Authenticate", YG_SV("Bearer realm=\"yagura\""));
	r->body.n = 0;
	r->body.bad = false;
	struct yg_jo j = yg_jo_init(&r->body);
	yg_jo_begin(&j, '{');
	yg_jo_key(&j, "type");
	char type[64];
	struct yg_sb b = yg_sb_init(type, sizeof type);
	yg_sb_printf(&b, "/doc/problems#%s", p->slug);
	yg_jo_text(&j, yg_sb_sv(&b));
	yg_jo_str(&j, "title", yg_sv_of(q->japanese ? p->title_ja : p->title));
	yg_jo_int(&j, "status", p->status);
	struct yg_sv detail = yg_sv_of(err != NULL ? err->msg : "");
	if (p->status == 404 && !q->who.reach.all)
		detail =
			YG_SV("no such object"); /* the same whether it is not there or another's */
	/* the text of a fault of ours may name files or queries: not for strangers */
	if (detail.n > 0 && (p->status < 500 || q->who.kind == YG_WHO_LOCAL))
		yg_jo_str(&j, "detail", detail);
	if (q->path.n > 0)
		yg_jo_str(&j, "instance", q->path);
	if (q->error_count > 0)
		put_errors(&j, q);
	yg_jo_str(&j, "trace_id", yg_sv_of(q->trace_id));
	if (r->retry_after_s > 0)
		yg_jo_int(&j, "retry_after", r->retry_after_s);
	yg_jo_end(&j, '}');
	yg_buf_putc(&r->body, '\n');
}

void yg_problem_page(bool japanese, struct yg_buf *out)
{
	yg_buf_printf(
		out,
		"<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width\">"
		"<link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"/style.css\"><title>Yagura: %s</title></head><body><main>\n"
		"<h1>%s</h1>\n",
		japanese ? "ja" : "en", japanese ? "エラーの種類" : "kinds of errors",
		japanese ? "エラーの種類" : "Kinds of errors");
	for (size_t i = 0; i < YG_LEN(problems); i++)
		yg_buf_printf(
			out,
			"<section id=\"%s\"><h2>%d %s</h2><p>%s</p><p lang=\"en\">%s</p></section>\n",
			problems[i].slug, problems[i].status, problems[i].slug,
			japanese ? problems[i].title_ja : problems[i].title, problems[i].hint);
	yg_buf_put(out, YG_SV("</main></body></html>\n"));
}
