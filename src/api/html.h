/* html.h - pages without script: escaping, the frame, the fields of forms. */
#pragma once
#include "api/http.h"

/* Text with < > & " escaped; cut at the first byte that is no UTF-8. */
void yg_html_text(struct yg_buf *b, struct yg_sv s);
struct yg_html_page {
	const char *en, *ja; /* title */
	const char *kind;    /* "narrow" for a form, "wide" for tables */
	bool once;           /* it cannot be asked for again: no link to the other language */
};
/* Begins a page in q's language: status, headers, everything before what stands in
 * <main>, the title as its heading.  When `lang` was asked for it is remembered. */
void yg_html_begin(const struct yg_request *q, struct yg_response *r, int status,
		   const struct yg_html_page *page);
void yg_html_end(struct yg_buf *b);
/* The link to the other language keeps this too: what a form came with. */
void yg_html_keep(struct yg_request *q, const char *name, struct yg_sv value);

/* A path of this site: begins with one slash, no blanks or backslashes. */
bool yg_html_local_path(struct yg_sv s);

#define YG_FORM_MAX 16
struct yg_form { /* application/x-www-form-urlencoded */
	struct yg_http_pair fields[YG_FORM_MAX];
	size_t count;
};
/* Reads q->body; values live in q's arena.  YG_PARSE, YG_LIMIT. */
yg_status yg_form_read(struct yg_request *q, struct yg_form *out, struct yg_err *err);
struct yg_sv yg_form_get(const struct yg_form *f, const char *name); /* "" when absent */
