#include "api/problem.h"

#include "api/html.h"
#include "api/json_out.h"
#include "api/text.h"

static const struct problem {
	const char *slug;
	int status;
	const char *title, *title_ja, *hint, *hint_ja;
} problems[] = {
#define X(slug, status, title, title_ja, hint, hint_ja)                                            \
	{slug, status, title, title_ja, hint, hint_ja},
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
		yg_jo_str(j, "message", yg_text(q, q->errors[i].message));
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
}

/* What may be said of it; empty: nothing. */
static struct yg_sv detail_of(const struct yg_request *q, const struct problem *p,
			      const struct yg_err *err)
{
	struct yg_sv detail = yg_sv_of(err != NULL ? err->msg : "");
	bool local = q->who.kind == YG_WHO_LOCAL;
	if (p->status == 404 &&
	    !q->who.reach.all) /* the same whether it is another's or not there */
		detail = YG_SV("no such object");
	/* the text of a fault of ours may name files or queries: not for strangers */
	if (detail.n == 0 || (p->status >= 500 && !local))
		return YG_SV("");
	struct yg_sv said = yg_text(q, detail);
	/* better what it is in general than in a language that was not asked for */
	return q->japanese && !local && yg_sv_eq(said, detail) ? yg_sv_of(p->hint_ja) : said;
}

static void put_document(const struct yg_request *q, struct yg_response *r, const struct problem *p,
			 struct yg_sv detail)
{
	struct yg_jo j = yg_jo_init(&r->body);
	char type[64];
	struct yg_sb b = yg_sb_init(type, sizeof type);
	r->status = p->status;
	r->type = "application/problem+json";
	yg_response_header(r, "Content-Language", q->japanese ? YG_SV("ja") : YG_SV("en"));
	yg_response_header(r, "Vary",
			   yg_request_is_page(q) ? YG_SV("Accept, Accept-Language, Cookie")
						 : YG_SV("Accept-Language"));
	yg_jo_begin(&j, '{');
	yg_jo_key(&j, "type");
	yg_sb_printf(&b, "/doc/problems#%s", p->slug);
	yg_jo_text(&j, yg_sb_sv(&b));
	yg_jo_str(&j, "title", yg_sv_of(q->japanese ? p->title_ja : p->title));
	yg_jo_int(&j, "status", p->status);
	if (detail.n > 0)
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

/* --- for people --- */

static const struct people_words {
	int status; /* 0: any other */
	struct yg_html_page page;
	const char *advice, *advice_ja, *to, *go, *go_ja;
} for_people[] = {
	{401,
	 {"You are not signed in", "サインインできませんでした", "narrow", false},
	 "Sign in again. If it goes on like this, ask your administrator.",
	 "もう一度サインインしてください。続くときは管理者に問い合わせてください。",
	 "/signin",
	 "To the sign-in page",
	 "サインインの画面へ"},
	{403,
	 {"This is not permitted", "許可されていません", "narrow", false},
	 "Go back and do it from there, or ask your administrator for the right to do it.",
	 "前の画面からやり直すか、必要な権限を管理者に確認してください。",
	 "/",
	 "To the start",
	 "最初の画面へ"},
	{404,
	 {"There is no such page", "ページが見つかりません", "narrow", false},
	 "Check the address. What was removed, or is not for you to see, is not found either.",
	 "アドレスを確認してください。削除されたものや閲覧の権限がないものも表示されません。",
	 "/",
	 "To the start",
	 "最初の画面へ"},
	{0,
	 {"This did not work", "処理できませんでした", "narrow", false},
	 "Go back and try again. If it goes on like this, give your administrator the number below.",
	 "戻ってやり直してください。続くときは、下の番号を管理者に伝えてください。",
	 "/",
	 "To the start",
	 "最初の画面へ"},
};

static void put_page(const struct yg_request *q, struct yg_response *r, const struct problem *p,
		     struct yg_sv detail)
{
	const struct people_words *w = for_people;
	struct yg_buf *b = &r->body;
	while (w->status != 0 && w->status != p->status)
		w++;
	yg_html_begin(q, r, p->status, &w->page);
	if (p->status != 404 && detail.n > 0) {
		yg_buf_put(b, YG_SV("<p class=\"state critical\" role=\"alert\">▲ "));
		yg_html_text(b, detail);
		yg_buf_put(b, YG_SV("</p>\n"));
	}
	yg_buf_printf(b, "<p>%s</p>\n<p><a href=\"%s\">%s</a></p>\n",
		      q->japanese ? w->advice_ja : w->advice, w->to,
		      q->japanese ? w->go_ja : w->go);
	yg_buf_printf(b, "<p class=\"soft\">%d %s · <code>%s</code></p>\n", p->status,
		      q->japanese ? p->title_ja : p->title, q->trace_id);
	yg_html_end(b);
}

void yg_problem(const struct yg_request *q, struct yg_response *r, yg_status st,
		const struct yg_err *err)
{
	const struct problem *p = by_slug(r->problem);
	if (p == NULL)
		p = by_status(yg_status_http(st));
	r->stream = false;
	if (p->status == 429 || p->status == 503)
		r->retry_after_s = YG_MAX(r->retry_after_s, 1u);
	if (p->status == 401)
		yg_response_header(r, "WWW-Authenticate", YG_SV("Bearer realm=\"yagura\""));
	r->body.n = 0;
	r->body.bad = false;
	if (yg_request_is_page(q) && yg_http_prefers(q->header[YG_HH_ACCEPT], YG_SV("text/html"),
						     YG_SV("application/problem+json")))
		put_page(q, r, p, detail_of(q, p, err));
	else
		put_document(q, r, p, detail_of(q, p, err));
}

void yg_problem_page(const struct yg_request *q, struct yg_response *r)
{
	static const struct yg_html_page page = {"Kinds of errors", "エラーの種類", "wide", false};
	yg_html_begin(q, r, 200, &page);
	for (size_t i = 0; i < YG_LEN(problems); i++)
		yg_buf_printf(&r->body,
			      "<section id=\"%s\"><h2>%d %s</h2><p>%s</p><p>%s</p></section>\n",
			      problems[i].slug, problems[i].status, problems[i].slug,
			      q->japanese ? problems[i].title_ja : problems[i].title,
			      q->japanese ? problems[i].hint_ja : problems[i].hint);
	yg_html_end(&r->body);
}
