#include "format/json.h"

#include <stdlib.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

void yg_json_init(struct yg_json *j, uint32_t node_limit)
{
	*j = (struct yg_json){.limit = node_limit, .depth = YG_JSON_DEPTH_MAX};
}

void yg_json_free(struct yg_json *j)
{
	free(j->nodes);
	*j = (struct yg_json){.limit = j->limit, .depth = j->depth};
}

/* First byte at or behind p that is not plain ASCII text of a JSON string: a
 * quote, a backslash, a control character, or part of a longer UTF-8 sequence. */
static inline const char *plain_end(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
	const __m128i space = _mm_set1_epi8(0x20);
	while (end - p >= 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		/* bytes from 0x80 are negative here, so one comparison finds both kinds */
		__m128i stop = _mm_or_si128(
			_mm_cmplt_epi8(v, space),
			_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)));
		unsigned mask = (unsigned)_mm_movemask_epi8(stop);
		if (mask != 0)
			return p + __builtin_ctz(mask);
		p += 16;
	}
#endif
	while (p < end && (signed char)*p >= 0x20 && *p != '"' && *p != '\\')
		p++;
	return p;
}

static int hex4(const char *p)
{
	int v = 0;
	for (int i = 0; i < 4; i++) {
		int c = (unsigned char)p[i];
		int d = c >= '0' && c <= '9'                     ? c - '0'
			: (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
								 : -1;
		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* The code point of the \u escape at p (its backslash) and the escape's length;
 * a surrogate pair is one of 12 bytes.  0 when it is not valid: RFC 8259
 * section 8.2 leaves lone surrogates open, jansson refuses them, so do we. */
static size_t escape_u(const char *p, const char *end, uint32_t *out)
{
	int high, low;
	if (end - p < 6 || (high = hex4(p + 2)) < 0 || (high >= 0xdc00 && high <= 0xdfff))
		return 0;
	*out = (uint32_t)high;
	if (high < 0xd800 || high > 0xdbff)
		return 6;
	if (end - p < 12 || p[6] != '\\' || p[7] != 'u' || (low = hex4(p + 8)) < 0xdc00 ||
	    low > 0xdfff)
		return 0;
	*out = 0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
	return 12;
}

static size_t escape_size(const char *p, const char *end)
{
	uint32_t cp;
	if (end - p < 2)
		return 0;
	switch (p[1]) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't': return 2;
	case 'u': return escape_u(p, end, &cp);
	default: return 0;
	}
}

struct ps { /* the parse under way */
	const char *p, *end, *text;
	struct yg_json *j;
	struct yg_err *err;
	uint32_t depth;
	uint32_t
		open; /* node of the innermost open object or array; its `next` is the one around it */
};

YG_COLD static yg_status fail(const struct ps *s, const char *what)
{
	return YG_FAIL(s->err, YG_PARSE, "JSON: %s at byte %zu", what, (size_t)(s->p - s->text));
}

YG_COLD static yg_status grow(struct ps *s)
{
	struct yg_json *j = s->j;
	if (j->cap >= j->limit)
		return YG_FAIL(s->err, YG_LIMIT, "JSON: more than %u values", j->limit);
	uint64_t cap = j->cap < 64 ? 64 : (uint64_t)j->cap * 2;
	cap = YG_MIN(cap, (uint64_t)j->limit);
	struct yg_json_node *nodes = realloc(j->nodes, (size_t)cap * sizeof *nodes);
	if (nodes == NULL)
		return YG_FAIL(s->err, YG_NOMEM, "JSON: no memory for %u values", (unsigned)cap);
	j->nodes = nodes;
	j->cap = (uint32_t)cap;
	return YG_OK;
}

static inline yg_status add(struct ps *s, uint8_t type, const char *at, uint8_t escaped)
{
	struct yg_json *j = s->j;
	if (YG_UNLIKELY(j->count == j->cap)) {
		yg_status st = grow(s);
		if (st != YG_OK)
			return st;
	}
	j->nodes[j->count] = (struct yg_json_node){.type = type,
						   .escaped = escaped,
						   .at = (uint32_t)(at - s->text),
						   .n = (uint32_t)(s->p - at),
						   .next = j->count + 1};
	j->count++;
	return YG_OK;
}

static inline void blanks(struct ps *s)
{
	while (s->p < s->end && YG_UNLIKELY((unsigned char)*s->p <= ' ') &&
	       (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
		s->p++;
}

/* s->p is at the opening quote. */
static inline yg_status string(struct ps *s)
{
	const char *at = ++s->p;
	uint8_t escaped = 0;
	for (;;) {
		s->p = plain_end(s->p, s->end);
		if (s->p == s->end)
			return fail(s, "a string without an end");
		if (*s->p == '"')
			break;
		size_t n;
		if (*s->p == '\\') {
			n = escape_size(s->p, s->end);
			escaped = 1;
			s->j->has_codes = s->j->has_codes || n > 2;
			if (n == 0)
				return fail(s, "a bad escape");
		} else if ((unsigned char)*s->p < 0x20) {
			return fail(s, "a control character in a string");
		} else {
			n = yg_utf8_long(s->p, s->end);
			if (n == 0)
				return fail(s, "invalid UTF-8");
		}
		s->p += n;
	}
	yg_status st = add(s, YG_JSON_STRING, at, escaped);
	s->p++;
	return st;
}

static inline bool digits(struct ps *s)
{
	const char *at = s->p;
	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return s->p > at;
}

static inline yg_status number(struct ps *s)
{
	const char *at = s->p;
	if (*s->p == '-')
		s->p++;
	if (s->p < s->end && *s->p == '0')
		s->p++;
	else if (!digits(s))
		return fail(s, "expected a digit");
	if (s->p < s->end && *s->p == '.') {
		s->p++;
		if (!digits(s))
			return fail(s, "expected a digit");
	}
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
			s->p++;
		if (!digits(s))
			return fail(s, "expected a digit");
	}
	return add(s, YG_JSON_NUMBER, at, 0);
}

static inline yg_status literal(struct ps *s, struct yg_sv word, uint8_t type)
{
	const char *at = s->p;
	if ((size_t)(s->end - s->p) < word.n || memcmp(s->p, word.p, word.n) != 0)
		return fail(s, "expected a value");
	s->p += word.n;
	return add(s, type, at, 0);
}

/* Adds the object or array at s->p and enters it. */
static inline yg_status enter(struct ps *s, uint8_t type)
{
	if (YG_UNLIKELY(s->depth >= s->j->depth))
		return YG_FAIL(s->err, YG_LIMIT, "JSON: nested deeper than %u levels at byte %zu",
			       s->j->depth, (size_t)(s->p - s->text));
	yg_status st = add(s, type, s->p, 0);
	if (st != YG_OK)
		return st;
	s->j->nodes[s->j->count - 1].next = s->open;
	s->open = s->j->count - 1;
	s->depth++;
	s->p++;
	return YG_OK;
}

static inline yg_status value(struct ps *s)
{
	blanks(s);
	if (s->p == s->end)
		return fail(s, "expected a value, found the end");
	switch (*s->p) {
	case '"': return string(s);
	case '{': return enter(s, YG_JSON_OBJECT);
	case '[': return enter(s, YG_JSON_ARRAY);
	case 't': return literal(s, YG_SV("true"), YG_JSON_TRUE);
	case 'f': return literal(s, YG_SV("false"), YG_JSON_FALSE);
	case 'n': return literal(s, YG_SV("null"), YG_JSON_NULL);
	case '-':
	case '0' ... '9': return number(s);
	default: return fail(s, "expected a value");
	}
}

static inline yg_status key(struct ps *s)
{
	blanks(s);
	if (s->p == s->end || *s->p != '"')
		return fail(s, "expected a key");
	yg_status st = string(s);
	if (st != YG_OK)
		return st;
	blanks(s);
	if (s->p == s->end || *s->p != ':')
		return fail(s, "expected ':'");
	s->p++;
	return YG_OK;
}

/* Behind a value: closes what ends here, up to the next value or the end of
 * all (depth 0).  `fresh`: an object or array was just entered. */
static inline yg_status behind(struct ps *s, bool fresh)
{
	while (s->depth > 0) {
		struct yg_json_node *parent = &s->j->nodes[s->open];
		bool object = parent->type == YG_JSON_OBJECT;
		blanks(s);
		if (s->p == s->end)
			return fail(s, "ends inside an object or array");
		if (!fresh)
			parent->n++;
		if (*s->p == (object ? '}' : ']')) {
			s->p++;
			s->depth--;
			s->open = parent->next;
			parent->next = s->j->count;
			fresh = false;
			continue;
		}
		if (!fresh && *s->p++ != ',') {
			s->p--;
			return fail(s, object ? "expected ',' or '}'" : "expected ',' or ']'");
		}
		return object ? key(s) : YG_OK;
	}
	return YG_OK;
}

yg_status yg_json_parse_prefix(struct yg_json *j, struct yg_sv text, size_t *out_used,
			       struct yg_err *err)
{
	struct ps s;
	s.p = s.text = text.p != NULL ? text.p : "";
	s.end = s.p + text.n;
	s.j = j;
	s.err = err;
	s.depth = s.open = 0;
	j->text = s.text;
	j->count = 0;
	j->has_codes = false;
	if (text.n > UINT32_MAX)
		return YG_FAIL(err, YG_LIMIT, "JSON: longer than 4 GiB");
	do {
		uint32_t depth = s.depth;
		yg_status st = value(&s);
		if (st != YG_OK)
			return st;
		bool fresh = s.depth > depth;
		st = behind(&s, fresh);
		if (st != YG_OK)
			return st;
	} while (s.depth > 0);
	*out_used = (size_t)(s.p - s.text);
	return YG_OK;
}

yg_status yg_json_parse(struct yg_json *j, struct yg_sv text, struct yg_err *err)
{
	size_t used = 0;
	yg_status st = yg_json_parse_prefix(j, text, &used, err);
	if (st != YG_OK)
		return st;
	for (; used < text.n; used++) {
		char c = text.p[used];
		if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
			return YG_FAIL(err, YG_PARSE,
				       "JSON: more text behind the value at byte %zu", used);
	}
	return YG_OK;
}

struct yg_sv yg_json_text(const struct yg_json *j, uint32_t i)
{
	const struct yg_json_node *nodes = j->nodes, *node = &nodes[i];
	if (node->type == YG_JSON_STRING)
		return (struct yg_sv){j->text + node->at - 1, (size_t)node->n + 2};
	if (node->type != YG_JSON_OBJECT && node->type != YG_JSON_ARRAY)
		return yg_json_raw(j, i);
	/* the end is not on the tape: behind the last leaf close what ends with it */
	size_t closers = 0;
	for (uint32_t k = i; k < node->next; k++)
		closers += nodes[k].next == node->next &&
			   (nodes[k].type == YG_JSON_OBJECT || nodes[k].type == YG_JSON_ARRAY);
	const struct yg_json_node *leaf = &nodes[node->next - 1];
	size_t end = leaf->at;
	if (leaf->type == YG_JSON_OBJECT || leaf->type == YG_JSON_ARRAY)
		end++;
	else
		end += leaf->n + (leaf->type == YG_JSON_STRING);
	for (; closers > 0; end++)
		closers -= j->text[end] == '}' || j->text[end] == ']';
	return (struct yg_sv){j->text + node->at, end - node->at};
}

static size_t put_utf8(char *to, uint32_t cp)
{
	if (cp < 0x80) {
		to[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		to[0] = (char)(0xc0 | cp >> 6);
		to[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		to[0] = (char)(0xe0 | cp >> 12);
		to[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		to[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | cp >> 18);
	to[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	to[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	to[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

/* What the (already checked) escape at *p stands for, at most 4 bytes. */
static size_t unescape_one(const char **p, const char *end, char to[static 4])
{
	uint32_t cp = 0;
	size_t n = 2;
	switch ((*p)[1]) {
	case 'b': to[0] = '\b'; break;
	case 'f': to[0] = '\f'; break;
	case 'n': to[0] = '\n'; break;
	case 'r': to[0] = '\r'; break;
	case 't': to[0] = '\t'; break;
	case 'u':
		n = escape_u(*p, end, &cp);
		*p += n > 0 ? n : 2;
		return put_utf8(to, cp);
	default: to[0] = (*p)[1]; break;
	}
	*p += n;
	return 1;
}

struct yg_sv yg_json_str(const struct yg_json *j, uint32_t i, struct yg_arena *arena)
{
	const struct yg_json_node *node = &j->nodes[i];
	struct yg_sv raw = yg_json_raw(j, i);
	if (node->type == YG_JSON_OBJECT || node->type == YG_JSON_ARRAY ||
	    node->type == YG_JSON_NULL)
		return (struct yg_sv){"", 0};
	return node->escaped ? yg_json_unescape(raw, arena) : raw;
}

struct yg_sv yg_json_unescape(struct yg_sv raw, struct yg_arena *arena)
{
	/* no escape is shorter than what it stands for */
	char *to = yg_arena_alloc(arena, raw.n, 1);
	if (to == NULL)
		return (struct yg_sv){NULL, 0};
	size_t n = 0;
	for (const char *p = raw.p, *end = raw.p + raw.n; p < end;) {
		if (*p == '\\') {
			n += unescape_one(&p, end, to + n);
			continue;
		}
		const char *slash = memchr(p, '\\', (size_t)(end - p));
		size_t run = (size_t)((slash != NULL ? slash : end) - p);
		memcpy(to + n, p, run);
		n += run;
		p += run;
	}
	return (struct yg_sv){to, n};
}

static bool escaped_eq(struct yg_sv raw, struct yg_sv key)
{
	size_t at = 0;
	for (const char *p = raw.p, *end = raw.p + raw.n; p < end;) {
		char c[4];
		size_t n = 1;
		if (*p == '\\')
			n = unescape_one(&p, end, c);
		else
			c[0] = *p++;
		if (key.n - at < n || memcmp(key.p + at, c, n) != 0)
			return false;
		at += n;
	}
	return at == key.n;
}

bool yg_json_is(const struct yg_json *j, uint32_t i, struct yg_sv text)
{
	struct yg_sv raw = yg_json_raw(j, i);
	if (j->nodes[i].type != YG_JSON_STRING)
		return false;
	return j->nodes[i].escaped ? escaped_eq(raw, text) : yg_sv_eq(raw, text);
}

uint32_t yg_json_get(const struct yg_json *j, uint32_t obj, struct yg_sv key)
{
	const struct yg_json_node *nodes = j->nodes;
	uint32_t found = 0;
	if (nodes[obj].type != YG_JSON_OBJECT)
		return 0;
	for (uint32_t k = obj + 1; k < nodes[obj].next; k = nodes[k + 1].next) {
		if (yg_json_is(j, k, key))
			found = k + 1;
	}
	return found;
}

uint32_t yg_json_path(const struct yg_json *j, uint32_t obj, struct yg_sv path)
{
	for (;;) {
		uint32_t found = yg_json_get(j, obj, path);
		size_t cut = path.n;
		while (found == 0 && cut > 0) { /* the longest key that is there */
			cut--;
			if (path.p[cut] == '.')
				found = yg_json_get(j, obj, yg_sv_sub(path, 0, cut));
		}
		if (found == 0 || cut == path.n)
			return found;
		obj = found;
		path = yg_sv_sub(path, cut + 1, path.n);
	}
}

static bool is_text_number(const struct yg_json_node *node)
{
	return node->type == YG_JSON_NUMBER ||
	       (node->type == YG_JSON_STRING && !node->escaped && node->n > 0);
}

int64_t yg_json_i64(const struct yg_json *j, uint32_t i, int64_t dflt)
{
	int64_t v;
	if (!is_text_number(&j->nodes[i]))
		return dflt;
	if (yg_parse_i64(yg_json_raw(j, i), &v, NULL) == YG_OK)
		return v;
	double d = j->nodes[i].type == YG_JSON_NUMBER ? yg_json_f64(j, i, 0.5) : 0.5; /* 1e3, 2.0 */
	if (d < -9007199254740992.0 || d > 9007199254740992.0 || d != (double)(int64_t)d)
		return dflt;
	return (int64_t)d;
}

/* "123.456" with at most 15 digits: mantissa and power of ten are exact in a
 * double, so one division rounds right (Clinger 1990). */
static bool simple_f64(struct yg_sv s, double *out)
{
	static const double power[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
				       1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
	uint64_t v = 0;
	size_t i = 0, point = 0, count = 0;
	bool minus = s.n > 0 && s.p[0] == '-', dot = false;
	for (i = minus; i < s.n; i++) {
		if (s.p[i] == '.' && !dot) {
			dot = true;
			continue;
		}
		if (s.p[i] < '0' || s.p[i] > '9' || count == 15)
			return false;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
		count++;
		point += dot;
	}
	if (count == 0)
		return false;
	*out = (double)v / power[point];
	if (minus)
		*out = -*out;
	return true;
}

double yg_json_f64(const struct yg_json *j, uint32_t i, double dflt)
{
	char text[512];
	double v;
	struct yg_sv s = yg_json_raw(j, i);
	if (!is_text_number(&j->nodes[i]) || s.n >= sizeof text)
		return dflt;
	if (simple_f64(s, &v))
		return v;
	for (size_t k = 0; k < s.n; k++) /* strtod knows words and hex that JSON does not */
		if (strchr("+-.eE0123456789", s.p[k]) == NULL || s.p[k] == '\0')
			return dflt;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	char *end;
	v = strtod(text, &end);
	return end == text + s.n && !__builtin_isinf(v) ? v : dflt;
}

static void put_escape(struct yg_buf *b, unsigned char c)
{
	static const char digit[] = "0123456789abcdef";
	static const char shorter[32] = {
		['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
	char e[6] = {'\\', 'u', '0', '0', digit[c >> 4], digit[c & 15]};
	if (c >= 0x20 || shorter[c] != 0) {
		e[1] = c >= 0x20 ? (char)c : shorter[c];
		yg_buf_put(b, (struct yg_sv){e, 2});
	} else {
		yg_buf_put(b, (struct yg_sv){e, 6});
	}
}

void yg_json_put_str(struct yg_buf *b, struct yg_sv s)
{
	const char *p = s.p, *end = s.n > 0 ? s.p + s.n : s.p;
	char *to = yg_buf_room(b, s.n + 2); /* escapes only make it longer */
	if (to != NULL && plain_end(p, end) == end) {
		to[0] = '"';
		if (s.n > 0)
			memcpy(to + 1, p, s.n);
		to[s.n + 1] = '"';
		b->n += s.n + 2;
		return;
	}
	yg_buf_putc(b, '"');
	while (p < end && !b->bad) {
		const char *stop = plain_end(p, end);
		while (stop < end &&
		       (signed char)*stop < 0) { /* runs of other scripts in one piece */
			size_t n = yg_utf8_long(stop, end);
			if (n == 0)
				break;
			stop = plain_end(stop + n, end);
		}
		yg_buf_put(b, (struct yg_sv){p, (size_t)(stop - p)});
		p = stop;
		if (p == end)
			break;
		if ((signed char)*p < 0)
			yg_buf_put(b, YG_SV("\xef\xbf\xbd"));
		else
			put_escape(b, (unsigned char)*p);
		p++;
	}
	yg_buf_putc(b, '"');
}
