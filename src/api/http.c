#include "api/http.h"

#include <stdio.h>

#include "base/check.h"

enum yg_http_method yg_http_method_parse(struct yg_sv s)
{
#define X(name)                                                                                    \
	if (YG_SV_IS(s, #name))                                                                    \
		return YG_HTTP_##name;
	YG_HTTP_METHODS(X)
#undef X
	return YG_HTTP_NONE;
}

const char *yg_http_method_name(enum yg_http_method m)
{
	static const char *const names[] = {[YG_HTTP_NONE] = "-",
#define X(name) [YG_HTTP_##name] = #name,
					    YG_HTTP_METHODS(X)
#undef X
	};
	return (size_t)m < YG_LEN(names) ? names[m] : "-";
}

const char *yg_http_header_name(enum yg_http_header h)
{
	static const char *const names[] = {
#define X(id, name) [YG_HH_##id] = name,
		YG_HTTP_HEADERS(X)
#undef X
	};
	return (size_t)h < YG_LEN(names) ? names[h] : "";
}

bool yg_who_may(const struct yg_who *w, const char *scope)
{
	struct yg_sv rest = w->scopes, one;
	if (w->kind == YG_WHO_LOCAL)
		return true;
	while (w->kind != YG_WHO_NOBODY && yg_sv_cut(&rest, ' ', &one)) {
		if (one.n > 0 && yg_sv_eq(one, yg_sv_of(scope)))
			return true;
	}
	return false;
}

void yg_response_header(struct yg_response *r, const char *name, struct yg_sv value)
{
	if (YG_CHECK(r->header_count < YG_HTTP_OUT_HEADERS))
		r->headers[r->header_count++] = (struct yg_http_pair){yg_sv_of(name), value};
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

yg_status yg_percent_decode(struct yg_arena *a, struct yg_sv s, bool plus, struct yg_sv *out,
			    struct yg_err *err)
{
	char *p = yg_arena_alloc(a, s.n + 1, 1);
	if (p == NULL)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '%') {
			int hi = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
			int lo = i + 2 < s.n ? hex_digit(s.p[i + 2]) : -1;
			if (hi < 0 || lo < 0)
				return YG_FAIL(err, YG_PARSE,
					       "a '%%' is not followed by two hex digits");
			c = (unsigned char)(hi * 16 + lo);
			i += 2;
		} else if (plus && c == '+') {
			c = ' ';
		}
		if (c < 0x20 || c == 0x7f)
			return YG_FAIL(err, YG_PARSE, "control characters are not allowed here");
		p[n++] = (char)c;
	}
	p[n] = '\0';
	*out = (struct yg_sv){p, n};
	if (yg_utf8_valid(*out) != n)
		return YG_FAIL(err, YG_PARSE, "not valid UTF-8");
	return YG_OK;
}

static yg_status add_query(struct yg_request *q, struct yg_sv part, struct yg_err *err)
{
	struct yg_http_pair pair = {0};
	size_t eq = yg_sv_find(part, '=', 0);
	yg_status st = yg_percent_decode(q->arena, yg_sv_sub(part, 0, eq), true, &pair.name, err);
	if (st == YG_OK)
		st = yg_percent_decode(q->arena, yg_sv_sub(part, eq + 1, part.n), true, &pair.value,
				       err);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; i < q->query_count; i++) {
		if (yg_sv_eq(q->query[i].name, pair.name))
			return YG_FAIL(err, YG_PARSE, "a query parameter stands twice");
	}
	if (q->query_count == YG_HTTP_QUERY_MAX)
		return YG_FAIL(err, YG_LIMIT, "more than %d query parameters", YG_HTTP_QUERY_MAX);
	q->query[q->query_count++] = pair;
	return YG_OK;
}

yg_status yg_request_target(struct yg_request *q, struct yg_sv target, struct yg_err *err)
{
	q->target = target;
	q->query_count = 0;
	size_t mark = yg_sv_find(target, '?', 0);
	q->path = yg_sv_sub(target, 0, mark);
	if (target.n == 0 || target.p[0] != '/')
		return YG_FAIL(err, YG_PARSE, "a request target begins with '/'");
	if (mark == target.n)
		return YG_OK;
	struct yg_sv rest = yg_sv_sub(target, mark + 1, target.n), part;
	while (yg_sv_cut(&rest, '&', &part)) {
		if (part.n == 0)
			continue;
		yg_status st = add_query(q, part, err);
		if (st != YG_OK)
			return st;
	}
	return YG_OK;
}

static struct yg_sv find_pair(const struct yg_http_pair *pairs, size_t n, struct yg_sv name)
{
	for (size_t i = 0; i < n; i++) {
		if (yg_sv_eq(pairs[i].name, name))
			return pairs[i].value;
	}
	return (struct yg_sv){NULL, 0};
}

struct yg_sv yg_query(const struct yg_request *q, const char *name)
{
	return find_pair(q->query, q->query_count, yg_sv_of(name));
}

struct yg_sv yg_param(const struct yg_request *q, const char *name)
{
	struct yg_sv v = find_pair(q->params, q->param_count, yg_sv_of(name));
	return v.p != NULL ? v : YG_SV("");
}

void yg_request_error(struct yg_request *q, const char *code, struct yg_sv pointer, const char *fmt,
		      ...)
{
	if (q->error_count == YG_HTTP_ERRORS_MAX)
		return;
	char text[256];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	size_t len = n < 0 ? 0 : YG_MIN((size_t)n, sizeof text - 1);
	struct yg_sv whole = {text, len};
	struct yg_sv message = yg_arena_dup(q->arena, yg_sv_sub(whole, 0, yg_utf8_valid(whole)));
	struct yg_sv at = yg_arena_dup(q->arena, pointer);
	q->errors[q->error_count++] = (struct yg_http_error){
		code,
		at.p != NULL ? at : YG_SV(""),
		message.p != NULL ? message : YG_SV(""),
	};
}

struct yg_sv yg_http_media_type(struct yg_sv s)
{
	return yg_sv_trim(yg_sv_sub(s, 0, yg_sv_find(s, ';', 0)));
}

/* The quality of one element of an Accept or Accept-Language list, in
 * thousandths; what cannot be read counts as 1. */
static unsigned quality(struct yg_sv element)
{
	struct yg_sv part;
	(void)yg_sv_cut(&element, ';', &part);
	while (yg_sv_cut(&element, ';', &part)) {
		part = yg_sv_trim(part);
		if (part.n < 3 || (part.p[0] != 'q' && part.p[0] != 'Q') || part.p[1] != '=')
			continue;
		unsigned q = part.p[2] == '0' ? 0 : 1000, unit = 100;
		for (size_t i = 4; i < part.n && i < 7 && q < 1000; i++, unit /= 10) {
			if (part.p[i] >= '0' && part.p[i] <= '9')
				q += unit * (unsigned)(part.p[i] - '0');
		}
		return q;
	}
	return 1000;
}

/* What an Accept header gives `type`, by its most specific element, in thousandths. */
static unsigned accepted(struct yg_sv accept, struct yg_sv type)
{
	struct yg_sv element, main_type = yg_sv_sub(type, 0, yg_sv_find(type, '/', 0) + 1);
	int best = -1;
	unsigned q = 0;
	while (yg_sv_cut(&accept, ',', &element)) {
		struct yg_sv name = yg_http_media_type(element);
		int how = -1;
		if (yg_sv_ieq(name, type))
			how = 2;
		else if (name.n == main_type.n + 1 && name.p[name.n - 1] == '*' &&
			 yg_sv_ieq(yg_sv_sub(name, 0, main_type.n), main_type))
			how = 1;
		else if (YG_SV_IS(name, "*/*"))
			how = 0;
		if (how > best) {
			best = how;
			q = quality(element);
		}
	}
	return q;
}

bool yg_http_accepts(struct yg_sv accept, struct yg_sv type)
{
	return accept.p == NULL || yg_sv_trim(accept).n == 0 || accepted(accept, type) > 0;
}

bool yg_http_prefers(struct yg_sv accept, struct yg_sv type, struct yg_sv other)
{
	return accept.p != NULL && accepted(accept, type) > accepted(accept, other);
}

bool yg_http_japanese(struct yg_sv s)
{
	unsigned ja = 0, en = 0;
	struct yg_sv element;
	while (s.p != NULL && yg_sv_cut(&s, ',', &element)) {
		struct yg_sv tag = yg_http_media_type(element);
		struct yg_sv first = yg_sv_sub(tag, 0, yg_sv_find(tag, '-', 0));
		if (yg_sv_ieq(first, YG_SV("ja")))
			ja = YG_MAX(ja, quality(element));
		else if (yg_sv_ieq(first, YG_SV("en")))
			en = YG_MAX(en, quality(element));
	}
	return ja > en;
}

struct yg_sv yg_http_cookie(struct yg_sv header, struct yg_sv name)
{
	struct yg_sv one;
	while (header.p != NULL && yg_sv_cut(&header, ';', &one)) {
		one = yg_sv_trim(one);
		if (yg_sv_starts(one, name) && one.n > name.n && one.p[name.n] == '=')
			return yg_sv_sub(one, name.n + 1, one.n);
	}
	return (struct yg_sv){NULL, 0};
}

void yg_percent_put(struct yg_buf *b, struct yg_sv s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
		if (plain)
			yg_buf_putc(b, (char)c);
		else
			yg_buf_printf(b, "%%%02X", c);
	}
}

bool yg_request_is_page(const struct yg_request *q)
{
	return !yg_sv_starts(q->path, YG_SV("/api/"));
}

static bool is_language(struct yg_sv s)
{
	return s.p != NULL && (YG_SV_IS(s, "ja") || YG_SV_IS(s, "en"));
}

struct yg_sv yg_request_chosen_language(const struct yg_request *q)
{
	struct yg_sv s = yg_query(q, "lang");
	return is_language(s) ? s : YG_SV("");
}

void yg_request_language(struct yg_request *q)
{
	struct yg_sv chosen = {NULL, 0};
	q->japanese = yg_http_japanese(q->header[YG_HH_ACCEPT_LANGUAGE]);
	if (!yg_request_is_page(q))
		return;
	chosen = yg_query(q, "lang");
	if (!is_language(chosen))
		chosen = yg_http_cookie(q->header[YG_HH_COOKIE], YG_SV(YG_LANG_COOKIE));
	if (is_language(chosen))
		q->japanese = YG_SV_IS(chosen, "ja");
}
