#include "cedar/lex.h"

#include <stdio.h>
#include <stdlib.h>

#include "cedar/code.h"

bool yg_cedar_reserved(struct yg_sv word)
{
	static const char *const words[] = {"true", "false", "if",   "then", "else",
					    "in",   "is",    "like", "has",  "__cedar"};
	for (size_t i = 0; i < YG_LEN(words); i++)
		if (yg_sv_eq(word, yg_sv_of(words[i])))
			return true;
	return false;
}

void yg_cedar_place_on(struct yg_sv text, size_t from, size_t at, size_t *line, size_t *column)
{
	for (size_t i = from; i < at && i < text.n; i++) {
		if (text.p[i] == '\n') {
			(*line)++;
			*column = 1;
		} else if (((unsigned char)text.p[i] & 0xc0) != 0x80) {
			(*column)++;
		}
	}
}

void yg_cedar_place(struct yg_sv text, size_t at, size_t *line, size_t *column)
{
	*line = *column = 1;
	yg_cedar_place_on(text, 0, at, line, column);
}

static int by_name(const void *a, const void *b)
{
	const struct yg_cedar_placed *x = a, *y = b;
	int c = yg_sv_cmp(x->name, y->name);
	return c != 0 ? c : x->at < y->at ? -1 : x->at > y->at;
}

const struct yg_cedar_placed *yg_cedar_again(struct yg_cedar_placed *list, size_t n)
{
	const struct yg_cedar_placed *first = NULL;
	if (n > 1)
		qsort(list, n, sizeof *list, by_name);
	for (size_t i = 1; i < n; i++)
		if (yg_sv_eq(list[i - 1].name, list[i].name) &&
		    (first == NULL || list[i].at < first->at))
			first = &list[i];
	return first;
}

static yg_status fail_v(struct yg_cedar_lex *l, size_t at, const char *fmt, va_list ap)
	YG_PRINTF(3, 0);
static yg_status fail_v(struct yg_cedar_lex *l, size_t at, const char *fmt, va_list ap)
{
	char what[192];
	size_t line, column;
	if (l->bad != YG_OK)
		return l->bad;
	(void)vsnprintf(what, sizeof what, fmt, ap);
	yg_cedar_place(l->text, at, &line, &column);
	return l->bad = YG_FAIL(l->err, YG_PARSE, "line %zu, column %zu: %s", line, column, what);
}

yg_status yg_cedar_lex_fail(struct yg_cedar_lex *l, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	yg_status st = fail_v(l, yg_cedar_lex_at(l), fmt, ap);
	va_end(ap);
	return st;
}

yg_status yg_cedar_lex_fail_at(struct yg_cedar_lex *l, size_t at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	yg_status st = fail_v(l, at, fmt, ap);
	va_end(ap);
	return st;
}

yg_status yg_cedar_lex_unexpected(struct yg_cedar_lex *l, const char *expected)
{
	char text[80];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	if (l->now.kind == YG_CT_END)
		return yg_cedar_lex_fail(l, "the text ends here; expected %s", expected);
	yg_sb_put_untrusted(&b, yg_sv_sub(l->now.text, 0, 16));
	return yg_cedar_lex_fail(l, "unexpected '%s'; expected %s", yg_sb_cstr(&b), expected);
}

/* Length of the white space at p: ASCII, and what Unicode counts as such. */
static size_t blank(const char *p, const char *end)
{
	static const char *const wide[] = {"\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80",
					   "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
					   "\xe2\x81\x9f", "\xe3\x80\x80"};
	struct yg_sv rest = {p, (size_t)(end - p)};
	if (rest.n == 0)
		return 0;
	if (*p == ' ' || (*p >= '\t' && *p <= '\r'))
		return 1;
	if (((unsigned char)*p & 0x80) == 0)
		return 0;
	for (size_t i = 0; i < YG_LEN(wide); i++)
		if (yg_sv_starts(rest, yg_sv_of(wide[i])))
			return strlen(wide[i]);
	/* U+2000 to U+200A */
	return rest.n >= 3 && memcmp(p, "\xe2\x80", 2) == 0 && (unsigned char)p[2] >= 0x80 &&
			       (unsigned char)p[2] <= 0x8a
		       ? 3
		       : 0;
}

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t name_size(const char *p, const char *end)
{
	const char *at = p;
	while (p < end && (letter(*p) || digit(*p)))
		p++;
	return (size_t)(p - at);
}

bool yg_cedar_name_ok(struct yg_sv text)
{
	return text.n > 0 && letter(*text.p) && name_size(text.p, text.p + text.n) == text.n;
}

/* With both quotes; 0: it does not end. */
static size_t string_size(const char *p, const char *end)
{
	const char *at = p++;
	for (; p < end && *p != '"'; p++) {
		if (*p == '\\' && (++p == end || *p == '\n'))
			return 0;
	}
	return p < end ? (size_t)(p - at) + 1 : 0;
}

static size_t mark_size(const char *p, const char *end)
{
	static const char *const two[] = {"::", "==", "!=", "<=", ">=", "&&", "||"};
	struct yg_sv rest = {p, (size_t)(end - p)};
	for (size_t i = 0; i < YG_LEN(two); i++)
		if (yg_sv_starts(rest, yg_sv_of(two[i])))
			return 2;
	return strchr("@.,;:(){}[]<>+-*/%!=?", *p) != NULL && *p != '\0' ? 1 : 0;
}

static void skip(struct yg_cedar_lex *l)
{
	const char *p = l->text.p + l->at, *end = l->text.p + l->text.n;
	while (p < end) {
		size_t n = blank(p, end);
		if (n > 0) {
			p += n;
		} else if (end - p >= 2 && p[0] == '/' && p[1] == '/') {
			while (p < end && *p != '\n' && *p != '\r')
				p++;
		} else {
			break;
		}
	}
	l->at = (size_t)(p - l->text.p);
}

static void scan(struct yg_cedar_lex *l)
{
	skip(l);
	const char *p = l->text.p + l->at, *end = l->text.p + l->text.n;
	size_t n;
	enum yg_cedar_tok kind = YG_CT_MARK;
	l->next = (struct yg_cedar_token){YG_CT_END, {p, 0}};
	if (p == end)
		return;
	if (letter(*p)) {
		kind = YG_CT_NAME;
		n = name_size(p, end);
	} else if (digit(*p)) {
		kind = YG_CT_NUMBER;
		for (n = 1; p + n < end && digit(p[n]); n++)
			;
	} else if (*p == '"') {
		kind = YG_CT_STRING;
		n = string_size(p, end);
	} else if (*p == '?' && p + 1 < end && letter(p[1])) {
		kind = YG_CT_SLOT;
		n = 1 + name_size(p + 1, end);
	} else {
		n = mark_size(p, end);
	}
	if (n == 0) {
		(void)yg_cedar_lex_fail_at(
			l, l->at, *p == '"' ? "a string without an end" : "no token begins here");
		return;
	}
	l->next = (struct yg_cedar_token){kind, {p, n}};
	l->at += n;
}

bool yg_cedar_lex_go(struct yg_cedar_lex *l)
{
	if (l->bad != YG_OK)
		return false;
	l->now = l->next;
	if (l->now.kind != YG_CT_END)
		scan(l);
	return l->bad == YG_OK;
}

yg_status yg_cedar_lex_init(struct yg_cedar_lex *l, struct yg_sv text, struct yg_err *err)
{
	*l = (struct yg_cedar_lex){.text = text, .err = err};
	if (text.p == NULL)
		l->text.p = "";
	l->now = l->next = (struct yg_cedar_token){YG_CT_END, {l->text.p, 0}};
	if (text.n > UINT32_MAX)
		return l->bad = YG_FAIL(err, YG_LIMIT, "a text of more than 4 GiB");
	size_t valid = yg_utf8_valid(l->text);
	if (valid < text.n)
		return yg_cedar_lex_fail_at(l, valid, "no valid UTF-8");
	scan(l);
	(void)yg_cedar_lex_go(l);
	return l->bad;
}

bool yg_cedar_lex_take(struct yg_cedar_lex *l, const char *mark)
{
	return yg_cedar_lex_is(l, mark) && yg_cedar_lex_go(l);
}

yg_status yg_cedar_lex_need(struct yg_cedar_lex *l, const char *mark)
{
	char what[16];
	struct yg_sb b = yg_sb_init(what, sizeof what);
	if (yg_cedar_lex_take(l, mark))
		return YG_OK;
	yg_sb_printf(&b, "'%s'", mark);
	return yg_cedar_lex_unexpected(l, yg_sb_cstr(&b));
}

/* ---- escapes ---- */

static int hex_digit(char c)
{
	if (digit(c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \u{...}: up to six hexadecimal digits, _ among them but not first.  p is behind \u. */
static size_t code_point(const char *p, const char *end, uint32_t *out)
{
	const char *at = p;
	uint32_t v = 0;
	int n = 0;
	if (p == end || *p++ != '{' || p == end || *p == '_')
		return 0;
	for (; p < end && *p != '}'; p++) {
		int d = hex_digit(*p);
		if (*p == '_')
			continue;
		if (d < 0 || ++n > 6)
			return 0;
		v = v << 4 | (uint32_t)d;
	}
	*out = v;
	return p < end && n > 0 && v <= 0x10ffff && (v < 0xd800 || v > 0xdfff)
		       ? (size_t)(p - at) + 1
		       : 0;
}

/* The escape at p (its backslash); 0: there is no such. */
static size_t escape(const char *p, const char *end, uint32_t *out)
{
	static const char from[] = "nrt\\0'\"", to[] = "\n\r\t\\\0'\"";
	if (end - p < 2)
		return 0;
	const char *simple = p[1] != '\0' ? strchr(from, p[1]) : NULL;
	if (simple != NULL) {
		*out = (unsigned char)to[simple - from];
		return 2;
	}
	if (p[1] == 'x') {
		int high = end - p >= 4 ? hex_digit(p[2]) : -1,
		    low = high >= 0 ? hex_digit(p[3]) : -1;
		if (low < 0 || high >= 8)
			return 0;
		*out = (uint32_t)high << 4 | (uint32_t)low;
		return 4;
	}
	size_t n = p[1] == 'u' ? code_point(p + 2, end, out) : 0;
	return n > 0 ? n + 2 : 0;
}

static size_t put_utf8(char *to, uint32_t cp)
{
	if (cp < 0x80) {
		to[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		to[0] = (char)(0xc0 | cp >> 6);
		to[1] = (char)(0x80 | (cp & 63));
		return 2;
	}
	if (cp < 0x10000) {
		to[0] = (char)(0xe0 | cp >> 12);
		to[1] = (char)(0x80 | (cp >> 6 & 63));
		to[2] = (char)(0x80 | (cp & 63));
		return 3;
	}
	to[0] = (char)(0xf0 | cp >> 18);
	to[1] = (char)(0x80 | (cp >> 12 & 63));
	to[2] = (char)(0x80 | (cp >> 6 & 63));
	to[3] = (char)(0x80 | (cp & 63));
	return 4;
}

yg_status yg_cedar_unescape(struct yg_cedar_lex *l, struct yg_sv quoted, bool pattern,
			    struct yg_arena *arena, struct yg_sv *out)
{
	const char *p = quoted.p + 1, *end = quoted.p + quoted.n - 1;
	char *to = yg_arena_alloc(arena, quoted.n,
				  1); /* an escape is longer than what it stands for */
	size_t n = 0, step;
	if (to == NULL)
		return l->bad = YG_FAIL(l->err, YG_NOMEM, "no memory for a text");
	for (uint32_t cp; p < end; p += step) {
		step = 1;
		if (pattern && *p == '*') {
			to[n++] = YG_CEDAR_WILDCARD;
		} else if (pattern && end - p >= 2 && p[0] == '\\' && p[1] == '*') {
			to[n++] = '*';
			step = 2;
		} else if (*p == '\\') {
			step = escape(p, end, &cp);
			if (step == 0)
				return yg_cedar_lex_fail_at(l, (size_t)(p - l->text.p),
							    "there is no such escape");
			/* Cedar reads a star of any spelling but \* as a wildcard */
			if (pattern && cp == '*')
				to[n++] = YG_CEDAR_WILDCARD;
			else
				n += put_utf8(to + n, cp);
		} else if (*p == '\r') {
			return yg_cedar_lex_fail_at(l, (size_t)(p - l->text.p),
						    "a carriage return in a string is written \\r");
		} else {
			to[n++] = *p;
		}
	}
	*out = (struct yg_sv){to, n};
	return YG_OK;
}
