/* sigma_naive.h - rules evaluated straight from the words of the specification, on the
 * YAML tree: no structure of the reader, no table of the engine, no care for speed.
 * Where the specification is open, doc/detect.md says what is meant. */
#pragma once
#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/ip.h"
#include "conf/tree.h"
#include "detect/record.h"

/* ---- text with wildcards: bytes, and two that are none ---- */

#define N_ANY      (-1)
#define N_ONE      (-2)
#define N_TEXT     2048
#define N_TEXTS    2000
#define N_MODS     9
#define N_IS(s, w) yg_sv_eq((s), yg_sv_of(w))
struct n_text {
	short t[N_TEXT];
	size_t n;
};
struct n_texts {
	struct n_text *v;
	size_t n;
};

static inline void n_put(struct n_text *x, int c)
{
	if (x->n < N_TEXT)
		x->t[x->n++] = (short)c;
}

static inline void n_puts(struct n_text *x, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		n_put(x, (unsigned char)p[i]);
}

static inline struct n_text n_parse(struct yg_sv s)
{
	struct n_text x;
	x.n = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i], d = i + 1 < s.n ? s.p[i + 1] : '\0';
		if (c == '\\' && (d == '\\' || d == '*' || d == '?')) {
			n_put(&x, d);
			i++;
		} else {
			n_put(&x, c == '*' ? N_ANY : c == '?' ? N_ONE : (unsigned char)c);
		}
	}
	return x;
}

static inline int n_low(int c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/* Which prefixes of the pattern fit which prefixes of the value, row by row. */
static inline bool n_match(const struct n_text *x, struct yg_sv s, bool cased)
{
	bool *row = calloc(2 * (s.n + 2), sizeof *row), *next = row + s.n + 2;
	row[0] = true;
	for (size_t i = 0; i < x->n; i++) {
		memset(next, 0, (s.n + 1) * sizeof *next);
		for (size_t j = 0; j <= s.n; j++) {
			int c = j < s.n ? (unsigned char)s.p[j] : -9, p = x->t[i];
			size_t end = j + 1;
			if (p == N_ANY)
				next[j] = row[j] || (j > 0 && next[j - 1]);
			if (!row[j] || c == -9 || p == N_ANY)
				continue;
			if (p != N_ONE && (cased ? c == p : n_low(c) == n_low(p)))
				next[j + 1] = true;
			if (p != N_ONE || (c & 0xc0) == 0x80)
				continue;
			while (end < s.n && ((unsigned char)s.p[end] & 0xc0) == 0x80)
				end++;
			next[end] = true;
		}
		memcpy(row, next, (s.n + 1) * sizeof *row);
	}
	bool yes = row[s.n];
	free(row);
	return yes;
}

/* ---- modifiers of text ---- */

static inline void n_surround(struct n_text *x, bool before, bool behind)
{
	struct n_text y;
	y.n = 0;
	if (before)
		n_put(&y, N_ANY);
	for (size_t i = 0; i < x->n; i++)
		n_put(&y, x->t[i]);
	if (behind)
		n_put(&y, N_ANY);
	*x = y;
}

static const char *const n_dashes[] = {"-", "/", "\xe2\x80\x93", "\xe2\x80\x94", "\xe2\x80\x95"};

/* Bytes of a dash at i, 0 when there is none. */
static inline size_t n_dash(const struct n_text *x, size_t i)
{
	for (size_t d = 0; d < YG_LEN(n_dashes); d++) {
		size_t n = strlen(n_dashes[d]), same = 0;
		while (same < n && i + same < x->n &&
		       x->t[i + same] == (unsigned char)n_dashes[d][same])
			same++;
		if (same == n)
			return n;
	}
	return 0;
}

static inline bool n_letter(const struct n_text *x, size_t i)
{
	int c = i < x->n ? x->t[i] : ' ';
	return c >= 0 && (c >= 0x80 || isalnum(c) || c == '_') && n_dash(x, i) == 0;
}

/* Every dash at the beginning of an option in every spelling. */
static inline void n_windash(const struct n_text *x, size_t from, struct n_text *sofar,
			     struct n_texts *out)
{
	for (size_t i = from; i < x->n; i++) {
		size_t n = n_dash(x, i);
		bool after_dash = i >= 3 && n_dash(x, i - 3) == 3;
		bool starts = i == 0 || after_dash || !n_letter(x, i - 1);
		if (n == 0 || !starts || !n_letter(x, i + n)) {
			n_put(sofar, x->t[i]);
			continue;
		}
		for (size_t d = 0; d < YG_LEN(n_dashes); d++) {
			struct n_text copy = *sofar;
			n_puts(&copy, n_dashes[d], strlen(n_dashes[d]));
			n_windash(x, i + n, &copy, out);
		}
		return;
	}
	if (out->n < N_TEXTS)
		out->v[out->n++] = *sofar;
}

static inline void n_unit(struct n_text *x, unsigned v, bool big)
{
	n_put(x, (int)(big ? v >> 8 : v & 255));
	n_put(x, (int)(big ? v & 255 : v >> 8));
}

static inline void n_utf16(struct n_text *x, bool big, bool mark)
{
	struct n_text y;
	y.n = 0;
	for (size_t i = 0; i < x->n; i++) {
		unsigned c = (unsigned)x->t[i], more = 0;
		if (x->t[i] < 0) {
			n_put(&y, x->t[i]);
			continue;
		}
		if (mark)
			n_unit(&y, 0xfeff, big);
		mark = false;
		if (c >= 0xf0) {
			c &= 7;
			more = 3;
		} else if (c >= 0xe0) {
			c &= 15;
			more = 2;
		} else if (c >= 0xc0) {
			c &= 31;
			more = 1;
		}
		for (; more > 0; more--)
			c = c * 64 + ((unsigned)x->t[++i] & 63);
		if (c > 0xffff) {
			n_unit(&y, 0xd800 + ((c - 0x10000) >> 10), big);
			c = 0xdc00 + ((c - 0x10000) & 1023);
		}
		n_unit(&y, c, big);
	}
	*x = y;
}

static inline struct n_text n_base64(const struct n_text *x)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct n_text y;
	unsigned bits = 0, have = 0;
	y.n = 0;
	for (size_t i = 0; i < x->n; i++) {
		bits = (bits << 8 | (unsigned)x->t[i]) & 0xffffff;
		for (have += 8; have >= 6; have -= 6)
			n_put(&y, digits[bits >> (have - 6) & 63]);
	}
	if (have > 0)
		n_put(&y, digits[bits << (6 - have) & 63]);
	while (y.n % 4 != 0)
		n_put(&y, '=');
	return y;
}

/* The part of the encoding that stays whatever stands around: two surroundings that
 * differ in every bit are tried. */
static inline struct n_text n_offset(const struct n_text *x, int shift)
{
	static struct n_text a, b, y;
	size_t from = 0;
	a.n = b.n = y.n = 0;
	for (int i = 0; i < shift; i++) {
		n_put(&a, 0);
		n_put(&b, 255);
	}
	for (size_t i = 0; i < x->n; i++) {
		n_put(&a, x->t[i]);
		n_put(&b, x->t[i]);
	}
	for (int i = 0; i < 3; i++) {
		n_put(&a, 0);
		n_put(&b, 255);
	}
	a = n_base64(&a);
	b = n_base64(&b);
	while (a.t[from] != b.t[from] || (shift > 0 && from == 0))
		from++;
	for (; from < a.n && a.t[from] == b.t[from]; from++)
		n_put(&y, a.t[from]);
	return y;
}

static inline void n_apply(struct yg_sv mod, struct n_texts *io)
{
	static struct n_text old[N_TEXTS];
	size_t n = io->n;
	memcpy(old, io->v, n * sizeof *old);
	if (N_IS(mod, "windash") || N_IS(mod, "base64offset"))
		io->n = 0;
	for (size_t i = 0; i < n; i++) {
		static struct n_text empty;
		empty.n = 0;
		if (N_IS(mod, "contains"))
			n_surround(&io->v[i], true, true);
		else if (N_IS(mod, "startswith"))
			n_surround(&io->v[i], false, true);
		else if (N_IS(mod, "endswith"))
			n_surround(&io->v[i], true, false);
		else if (N_IS(mod, "wide") || N_IS(mod, "utf16le"))
			n_utf16(&io->v[i], false, false);
		else if (N_IS(mod, "utf16be"))
			n_utf16(&io->v[i], true, false);
		else if (N_IS(mod, "utf16"))
			n_utf16(&io->v[i], false, true);
		else if (N_IS(mod, "base64"))
			io->v[i] = n_base64(&old[i]);
		else if (N_IS(mod, "windash"))
			n_windash(&old[i], 0, &empty, io);
		else if (N_IS(mod, "base64offset"))
			for (int shift = 0; shift < 3; shift++)
				io->v[io->n++] = n_offset(&old[i], shift);
	}
}

/* ---- items ---- */

struct n_item {
	struct yg_sv field, mods[N_MODS];
	size_t mod_count;
	const struct yg_detect_record *record;
};

static inline bool n_has(const struct n_item *it, const char *mod)
{
	for (size_t i = 0; i < it->mod_count; i++)
		if (N_IS(it->mods[i], mod))
			return true;
	return false;
}

static inline bool n_number(struct yg_sv s, double *out)
{
	char text[64], *end;
	if (s.n == 0 || s.n >= sizeof text)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (strspn(text, "-.0123456789") != s.n || !isdigit(text[s.n - 1]) ||
	    (text[0] == '-' ? !isdigit(text[1]) : !isdigit(text[0])))
		return false;
	*out = strtod(text, &end);
	return end == text + s.n;
}

static inline bool n_compare(const struct n_item *it, double a, double b)
{
	return n_has(it, "lt")    ? a < b
	       : n_has(it, "lte") ? a <= b
	       : n_has(it, "gt")  ? a > b
	       : n_has(it, "gte") ? a >= b
				  : a == b;
}

/* Digits at the beginning. */
static inline int n_int(const char *s)
{
	return (int)strtol(s, NULL, 10);
}

/* The part of "2026-11-22T16:03..." that the modifier names. */
static inline bool n_time(const struct n_item *it, struct yg_sv s, double *out)
{
	static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	int y, m, d, h = -1, min = -1;
	char text[17] = "";
	if (s.n < 10 || s.p[4] != '-' || s.p[7] != '-')
		return false;
	memcpy(text, s.p, YG_MIN(s.n, 16));
	for (int i = 0; i < (int)strlen(text); i++)
		if (i != 4 && i != 7 && i != 10 && i != 13 && !isdigit(text[i]))
			return false;
	y = n_int(text);
	m = n_int(text + 5);
	d = n_int(text + 8);
	if (m < 1 || m > 12 || d < 1 || d > 31 || (s.n > 10 && s.n < 16))
		return false;
	if (s.n >= 16) {
		if ((text[10] != 'T' && text[10] != ' ') || text[13] != ':')
			return false;
		h = n_int(text + 11);
		min = n_int(text + 14);
	}
	if (h > 23 || min > 59)
		return false;
	/* ISO 8601: the week of the Thursday of these seven days */
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
	int day = before[m - 1] + d + (leap && m > 2);
	int monday = (y + y / 4 - y / 100 + y / 400 - leap + day + 5) % 7; /* 0: Monday */
	int thursday = day - monday + 3;
	int last = y - 1;
	bool last_leap = (last % 4 == 0 && last % 100 != 0) || last % 400 == 0;
	if (thursday < 1)
		thursday += 365 + last_leap;
	else if (thursday > 365 + leap)
		thursday -= 365 + leap;
	int v = n_has(it, "minute")  ? min
		: n_has(it, "hour")  ? h
		: n_has(it, "day")   ? d
		: n_has(it, "week")  ? (thursday - 1) / 7 + 1
		: n_has(it, "month") ? m
				     : y;
	*out = v;
	return v >= 0;
}

#ifdef N_PCRE2
/* Of the published rules, whose expressions are more than POSIX knows, by another engine than
 * the one that is tested: each compiled when it is first met, known by where its text stands. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
static struct {
	const char *p;
	unsigned flags;
	pcre2_code *code;
} n_compiled[1024];
static pcre2_match_data *n_match_data;

static inline bool n_regex(const struct n_item *it, struct yg_sv pattern, struct yg_sv s)
{
	const unsigned flags = (n_has(it, "i") ? PCRE2_CASELESS : 0) |
			       (n_has(it, "m") ? PCRE2_MULTILINE : 0) |
			       (n_has(it, "s") ? PCRE2_DOTALL : 0);
	int why = 0;
	size_t at = 0, i = 0;
	while (i < YG_LEN(n_compiled) && n_compiled[i].p != NULL &&
	       (n_compiled[i].p != pattern.p || n_compiled[i].flags != flags))
		i++;
	if (i == YG_LEN(n_compiled))
		abort();
	if (n_compiled[i].p == NULL) {
		n_compiled[i].code =
			pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n, flags, &why, &at, NULL);
		if (n_match_data == NULL)
			n_match_data = pcre2_match_data_create(1, NULL);
		if (n_compiled[i].code == NULL || n_match_data == NULL)
			abort();
		n_compiled[i].p = pattern.p;
		n_compiled[i].flags = flags;
	}
	int rc = pcre2_match(n_compiled[i].code, (PCRE2_SPTR)(s.n > 0 ? s.p : ""), s.n, 0, 0,
			     n_match_data, NULL);
	if (rc < PCRE2_ERROR_NOMATCH) { /* it could not be answered: neither is true */
		(void)fprintf(stderr, "an expression and a text that PCRE2 gives up: %d\n", rc);
		abort();
	}
	return rc != PCRE2_ERROR_NOMATCH;
}

static inline void n_regex_end(void)
{
	for (size_t i = 0; i < YG_LEN(n_compiled); i++)
		pcre2_code_free(n_compiled[i].code);
	pcre2_match_data_free(n_match_data);
}
#else
static inline bool n_regex(const struct n_item *it, struct yg_sv pattern, struct yg_sv s)
{
	regex_t re;
	char p[2000], t[4096];
	if (pattern.n >= sizeof p || s.n >= sizeof t)
		return false;
	memcpy(p, pattern.p, pattern.n);
	p[pattern.n] = '\0';
	memcpy(t, s.p, s.n);
	t[s.n] = '\0';
	int flags = REG_EXTENDED | REG_NOSUB | (n_has(it, "i") ? REG_ICASE : 0);
	if (regcomp(&re, p, flags) != 0)
		return false;
	bool yes = regexec(&re, t, 0, NULL, 0) == 0;
	regfree(&re);
	return yes;
}
#endif

static inline bool n_in_network(struct yg_sv network, struct yg_sv s)
{
	struct yg_ip net, ip;
	unsigned bits;
	if (yg_ip_prefix_parse(network, &net, &bits, NULL) != YG_OK || yg_ip_parse(s, &ip) != YG_OK)
		return false;
	for (unsigned i = 0; i < bits; i++)
		if (((net.b[i / 8] ^ ip.b[i / 8]) >> (7 - i % 8) & 1) != 0)
			return false;
	return true;
}

static inline bool n_same_field(const struct n_item *it, struct yg_sv other, struct yg_sv s)
{
	bool cased = n_has(it, "cased");
	for (size_t i = 0; i < it->record->count; i++) {
		const struct yg_detect_pair *p = &it->record->pairs[i];
		struct n_text x;
		if (p->null || !yg_sv_eq(p->field, other))
			continue;
		x.n = 0;
		n_puts(&x, p->value.p, p->value.n);
		n_surround(&x, n_has(it, "contains") || n_has(it, "endswith"),
			   n_has(it, "contains") || n_has(it, "startswith"));
		if (n_match(&x, s, cased))
			return true;
	}
	return false;
}

static inline bool n_texts_match(const struct n_item *it, struct yg_sv value, struct yg_sv s)
{
	static struct n_text pool[N_TEXTS];
	struct n_texts all = {pool, 1};
	pool[0] = n_parse(value);
	for (size_t i = 0; i < it->mod_count; i++)
		n_apply(it->mods[i], &all);
	for (size_t i = 0; i < all.n; i++) {
		if (it->field.n == 0)
			n_surround(&all.v[i], true, true);
		if (n_match(&all.v[i], s, n_has(it, "cased")))
			return true;
	}
	return false;
}

/* Does the rule's value fit the event's? */
static inline bool n_value(const struct n_item *it, const struct yg_yaml *v, struct yg_sv s)
{
	double a, b;
	bool time = n_has(it, "minute") || n_has(it, "hour") || n_has(it, "day") ||
		    n_has(it, "week") || n_has(it, "month") || n_has(it, "year");
	if (time)
		return n_number(v->text, &b) && n_time(it, s, &a) && n_compare(it, a, b);
	if (n_has(it, "lt") || n_has(it, "lte") || n_has(it, "gt") || n_has(it, "gte"))
		return n_number(v->text, &b) && n_number(s, &a) && n_compare(it, a, b);
	if (n_has(it, "re"))
		return n_regex(it, v->text, s);
	if (n_has(it, "cidr"))
		return n_in_network(v->text, s);
	if (n_has(it, "fieldref"))
		return n_same_field(it, v->text, s);
	return n_texts_match(it, v->text, s);
}

static inline bool n_one(const struct n_item *it, const struct yg_yaml *v)
{
	bool there = false, filled = false, hit = false;
	for (size_t i = 0; i < it->record->count; i++) {
		const struct yg_detect_pair *p = &it->record->pairs[i];
		if (it->field.n > 0 && !yg_sv_eq(p->field, it->field))
			continue;
		there = true;
		filled = filled || !p->null;
		if (v->kind == YG_YAML_TEXT && !n_has(it, "exists"))
			hit = hit || (!p->null && n_value(it, v, p->value));
	}
	if (v->kind == YG_YAML_NONE)
		return !filled;
	if (n_has(it, "exists"))
		return there == yg_sv_ieq(v->text, YG_SV("true"));
	return hit || (it->field.n == 0 && n_value(it, v, it->record->raw));
}

static inline bool n_item(const struct yg_yaml *n, const struct yg_detect_record *record)
{
	struct n_item it = {.record = record};
	struct yg_sv rest = n->key, word;
	(void)yg_sv_cut(&rest, '|', &it.field);
	if (it.field.n < n->key.n)
		while (it.mod_count < N_MODS && yg_sv_cut(&rest, '|', &word))
			it.mods[it.mod_count++] = word;
	bool all = n_has(&it, "all"), yes = all;
	if (n->kind != YG_YAML_LIST)
		yes = n_one(&it, n);
	for (const struct yg_yaml *v = n->kind == YG_YAML_LIST ? n->first : NULL; v != NULL;
	     v = v->next)
		yes = all ? yes && n_one(&it, v) : yes || n_one(&it, v);
	return yes != n_has(&it, "neq");
}

/* ---- searches and conditions ---- */

static inline bool n_search(const struct yg_yaml *n, const struct yg_detect_record *record)
{
	struct n_item keyword = {.field = {"", 0}, .record = record};
	if (n->kind == YG_YAML_TEXT)
		return n_one(&keyword, n);
	for (const struct yg_yaml *v = n->first; v != NULL; v = v->next) {
		if (n->kind == YG_YAML_LIST && n_search(v, record))
			return true;
		if (n->kind == YG_YAML_MAP && !n_item(v, record))
			return false;
	}
	return n->kind == YG_YAML_MAP;
}

struct n_condition {
	const struct yg_yaml *detection;
	const struct yg_detect_record *record;
	struct yg_sv words[2000];
	size_t n, at;
};

static inline bool n_word(struct n_condition *c, const char *word)
{
	bool is = c->at < c->n && yg_sv_ieq(c->words[c->at], yg_sv_of(word));
	c->at += is;
	return is;
}

static inline bool n_or(struct n_condition *c);

static inline bool n_of(struct n_condition *c, bool all)
{
	struct yg_sv pattern = c->words[c->at++];
	struct n_text x = n_parse(N_IS(pattern, "them") ? YG_SV("*") : pattern);
	bool yes = all;
	for (const struct yg_yaml *s = c->detection->first; s != NULL; s = s->next) {
		if (YG_SV_IS(s->key, "condition") || YG_SV_IS(s->key, "rules") ||
		    (s->key.p[0] == '_' && pattern.p[0] != '_') || !n_match(&x, s->key, true))
			continue;
		bool one = n_search(s, c->record);
		yes = all ? yes && one : yes || one;
	}
	return yes;
}

static inline bool n_primary(struct n_condition *c)
{
	if (n_word(c, "(")) {
		bool yes = n_or(c);
		(void)n_word(c, ")");
		return yes;
	}
	struct yg_sv name = c->words[c->at++];
	if (n_word(c, "of"))
		return n_of(c, N_IS(name, "all"));
	for (const struct yg_yaml *s = c->detection->first; s != NULL; s = s->next)
		if (yg_sv_eq(s->key, name))
			return n_search(s, c->record);
	abort(); /* the reader took a condition whose search is not there */
}

static inline bool n_not(struct n_condition *c)
{
	return n_word(c, "not") ? !n_not(c) : n_primary(c);
}

static inline bool n_and(struct n_condition *c)
{
	bool yes = n_not(c);
	while (n_word(c, "and")) {
		bool other = n_not(c);
		yes = yes && other;
	}
	return yes;
}

static inline bool n_or(struct n_condition *c)
{
	bool yes = n_and(c);
	while (n_word(c, "or")) {
		bool other = n_and(c);
		yes = yes || other;
	}
	return yes;
}

/* `detection` is a map with searches and a condition. */
static inline bool naive_detection(const struct yg_yaml *detection,
				   const struct yg_detect_record *record)
{
	const struct yg_yaml *n = yg_yaml_get(detection, "condition");
	bool list = n->kind == YG_YAML_LIST, yes = false;
	for (const struct yg_yaml *v = list ? n->first : n; v != NULL; v = list ? v->next : NULL) {
		static struct n_condition c;
		c.detection = detection;
		c.record = record;
		c.n = c.at = 0;
		for (size_t i = 0; i < v->text.n && c.n < YG_LEN(c.words);) {
			size_t from = i;
			while (i < v->text.n && !isspace(v->text.p[i]) &&
			       strchr("()", v->text.p[i]) == NULL)
				i++;
			if (i == from && !isspace(v->text.p[i]))
				i++;
			if (i > from)
				c.words[c.n++] = yg_sv_sub(v->text, from, i - from);
			else
				i++;
		}
		yes = n_or(&c) || yes;
	}
	return yes;
}
