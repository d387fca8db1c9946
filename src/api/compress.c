#include "api/compress.h"

#include "format/compress.h"

#define LEVEL 5 /* below zlib's 6: somebody waits for the answer */

static bool is_refused(struct yg_sv element)
{
	struct yg_sv name;
	(void)yg_sv_cut(&element, ';', &name);
	while (yg_sv_cut(&element, ';', &name)) {
		name = yg_sv_trim(name);
		if (!yg_sv_starts(name, YG_SV("q=0")) && !yg_sv_starts(name, YG_SV("Q=0")))
			continue;
		for (size_t i = 3; i < name.n; i++)
			if (name.p[i] != '0' && name.p[i] != '.')
				return false;
		return true;
	}
	return false;
}

bool yg_http_takes_gzip(struct yg_sv s)
{
	bool any = false, named = false, taken = false;
	struct yg_sv element;
	while (s.p != NULL && yg_sv_cut(&s, ',', &element)) {
		struct yg_sv name = yg_http_media_type(element);
		if (yg_sv_ieq(name, YG_SV("gzip")) || yg_sv_ieq(name, YG_SV("x-gzip"))) {
			named = true;
			taken = taken || !is_refused(element);
		} else if (YG_SV_IS(name, "*")) {
			any = !is_refused(element);
		}
	}
	return named ? taken : any;
}

static bool is_text(const char *type)
{
	static const char *const words =
		"application/json application/problem+json application/x-ndjson application/yaml "
		"application/javascript application/openmetrics-text";
	struct yg_sv t = yg_http_media_type(yg_sv_of(type));
	struct yg_sv rest = yg_sv_of(words), one;
	while (yg_sv_cut(&rest, ' ', &one)) {
		if (yg_sv_ieq(t, one))
			return true;
	}
	return yg_sv_starts(t, YG_SV("text/"));
}

/* "5" -> "5-gzip": other bytes, so another strong tag. */
static bool retag(struct yg_request *q, struct yg_response *r)
{
	for (size_t i = 0; i < r->header_count; i++) {
		struct yg_sv *v = &r->headers[i].value;
		char text[96];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		if (!YG_SV_IS(r->headers[i].name, "ETag") || v->n < 2)
			continue;
		yg_sb_put(&b, yg_sv_sub(*v, 0, v->n - 1));
		yg_sb_put(&b, YG_SV("-gzip\""));
		struct yg_sv tag = yg_arena_dup(q->arena, yg_sb_sv(&b));
		if (b.cut || tag.p == NULL)
			return false;
		*v = tag;
	}
	return true;
}

void yg_response_compress(struct yg_request *q, struct yg_response *r)
{
	struct yg_buf out;
	if (q->method != YG_HTTP_GET || r->stream || r->type == NULL || !is_text(r->type))
		return;
	for (size_t i = 0; i < r->header_count; i++) {
		if (YG_SV_IS(r->headers[i].value, "Accept-Encoding") ||
		    YG_SV_IS(r->headers[i].name, "Content-Encoding"))
			return; /* the handler has chosen among ready variants */
	}
	yg_response_header(r, "Vary", YG_SV("Accept-Encoding"));
	if (r->body.n < YG_COMPRESS_MIN || r->body.bad || r->header_count >= YG_HTTP_OUT_HEADERS ||
	    !yg_http_takes_gzip(q->header[YG_HH_ACCEPT_ENCODING]))
		return;
	yg_buf_init(&out, r->body.n + 4096);
	if (yg_gzip_compress(yg_buf_sv(&r->body), LEVEL, &out, NULL) != YG_OK || out.bad ||
	    out.n >= r->body.n || !retag(q, r)) {
		yg_buf_free(&out);
		return;
	}
	yg_buf_free(&r->body);
	r->body = out;
	yg_response_header(r, "Content-Encoding", YG_SV("gzip"));
}
