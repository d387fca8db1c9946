/* pattern.c - text with wildcards as parts, and the modifiers that change it. */
#include "detect/read_internal.h"

struct maker {
	struct yg_arena *arena;
	struct yg_sigma_part *parts;
	size_t count, cap;
	char *run; /* of the literal that is being read */
	size_t run_n;
	bool nomem;
};

static void put(struct maker *m, enum yg_sigma_part_kind kind, struct yg_sv text)
{
	bool again = kind == YG_SIGMA_ANY && m->count > 0 &&
		     m->parts[m->count - 1].kind == YG_SIGMA_ANY; /* '**' is '*' */
	if (m->nomem || again)
		return;
	if (m->count == m->cap) {
		size_t cap = m->cap > 0 ? m->cap * 2 : 4;
		struct yg_sigma_part *more = YG_NEW_N(m->arena, struct yg_sigma_part, cap);
		if (more == NULL) {
			m->nomem = true;
			return;
		}
		if (m->count > 0)
			memcpy(more, m->parts, m->count * sizeof *more);
		m->parts = more;
		m->cap = cap;
	}
	m->parts[m->count++] = (struct yg_sigma_part){kind, text};
}

/* Ends the literal; what follows is written behind it. */
static void end_run(struct maker *m)
{
	if (m->run_n > 0)
		put(m, YG_SIGMA_LITERAL, (struct yg_sv){m->run, m->run_n});
	m->run += m->run_n;
	m->run_n = 0;
}

static void put_part(struct maker *m, enum yg_sigma_part_kind kind, struct yg_sv text)
{
	end_run(m);
	put(m, kind, text);
}

static bool is_word(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* Bytes of "%name%" at i; 0 when there is none. */
static size_t placeholder_at(struct yg_sv s, size_t i)
{
	size_t end = i + 1;
	while (end < s.n && is_word((unsigned char)s.p[end]))
		end++;
	return s.p[i] == '%' && end < s.n && s.p[end] == '%' && end > i + 1 ? end + 1 - i : 0;
}

/* The backslash at i: how many bytes it and what it escapes are; the byte that is meant
 * is the last of them.  1: a plain backslash. */
static size_t escape_at(struct yg_sv s, size_t i, bool expand)
{
	if (i + 1 == s.n)
		return 1;
	char c = s.p[i + 1];
	return c == '\\' || c == '*' || c == '?' || (expand && c == '%') ? 2 : 1;
}

static void parse(struct maker *m, struct yg_sv s, bool expand)
{
	for (size_t i = 0; i < s.n;) {
		size_t n = 1, p = expand ? placeholder_at(s, i) : 0;
		if (p > 0) {
			put_part(m, YG_SIGMA_PLACEHOLDER, yg_sv_sub(s, i + 1, p - 2));
			n = p;
		} else if (s.p[i] == '*') {
			put_part(m, YG_SIGMA_ANY, YG_SV("*"));
		} else if (s.p[i] == '?') {
			put_part(m, YG_SIGMA_ONE, YG_SV("?"));
		} else {
			if (s.p[i] == '\\')
				n = escape_at(s, i, expand);
			m->run[m->run_n++] = s.p[i + n - 1];
		}
		i += n;
	}
	end_run(m);
}

static bool maker_init(struct maker *m, struct yg_arena *arena, size_t bytes)
{
	*m = (struct maker){.arena = arena};
	m->run = yg_arena_alloc(arena, bytes + 1, 1);
	return m->run != NULL;
}

/* ---- windash ---- */

/* Bytes of the dash at i: one of - / and U+2013, U+2014, U+2015; 0: none. */
static size_t dash_at(struct yg_sv s, size_t i)
{
	if (s.p[i] == '-' || s.p[i] == '/')
		return 1;
	return s.n - i >= 3 && memcmp(s.p + i, "\xe2\x80", 2) == 0 &&
			       (unsigned char)s.p[i + 2] >= 0x93 &&
			       (unsigned char)s.p[i + 2] <= 0x95
		       ? 3
		       : 0;
}

/* The beginning of an option: behind no letter or digit, in front of one.  Bytes above
 * 0x7f that are no dash count as letters. */
static bool begins_option(struct yg_sv s, size_t i, size_t n)
{
	bool before = i > 0 && is_word((unsigned char)s.p[i - 1]);
	if (i > 0 && (unsigned char)s.p[i - 1] >= 0x80)
		before = i < 3 || dash_at(s, i - 3) != 3;
	if (before || i + n == s.n)
		return false;
	unsigned char c = (unsigned char)s.p[i + n];
	return is_word(c) || (c >= 0x80 && dash_at(s, i + n) == 0);
}

static void dash_literal(struct maker *m, struct yg_sv s)
{
	for (size_t i = 0; i < s.n;) {
		size_t n = dash_at(s, i);
		if (n > 0 && begins_option(s, i, n)) {
			put_part(m, YG_SIGMA_DASH, yg_sv_sub(s, i, n));
			i += n;
		} else {
			m->run[m->run_n++] = s.p[i++];
		}
	}
	end_run(m);
}

/* ---- all modifiers ---- */

static size_t literal_bytes(const struct yg_sigma_pattern *p)
{
	size_t n = 0;
	for (size_t i = 0; i < p->count; i++)
		n += p->parts[i].text.n;
	return n;
}

/* Rebuilds a pattern with wildcards around it, or with its dashes. */
static bool remake(struct yg_arena *arena, struct yg_sigma_pattern *p, bool before, bool behind,
		   bool windash)
{
	struct maker m;
	if (!maker_init(&m, arena, literal_bytes(p)))
		return false;
	if (before)
		put(&m, YG_SIGMA_ANY, YG_SV("*"));
	for (size_t i = 0; i < p->count; i++)
		if (windash && p->parts[i].kind == YG_SIGMA_LITERAL)
			dash_literal(&m, p->parts[i].text);
		else
			put(&m, p->parts[i].kind, p->parts[i].text);
	if (behind)
		put(&m, YG_SIGMA_ANY, YG_SV("*"));
	*p = (struct yg_sigma_pattern){m.parts, m.count};
	return !m.nomem;
}

static yg_status apply(struct yg_sigma_reader *r, const struct yg_yaml *n, enum yg_sigma_modifier m,
		       struct yg_sigma_patterns *io)
{
	bool contains = m == YG_SIGMA_M_CONTAINS, dash = m == YG_SIGMA_M_WINDASH;
	switch (m) {
	case YG_SIGMA_M_CONTAINS:
	case YG_SIGMA_M_STARTSWITH:
	case YG_SIGMA_M_ENDSWITH:
	case YG_SIGMA_M_WINDASH:
		for (size_t i = 0; i < io->count; i++)
			if (!remake(r->arena, &io->list[i], contains || m == YG_SIGMA_M_ENDSWITH,
				    contains || m == YG_SIGMA_M_STARTSWITH, dash))
				return yg_sigma_nomem(r);
		return YG_OK;
	case YG_SIGMA_M_BASE64:
	case YG_SIGMA_M_BASE64OFFSET:
	case YG_SIGMA_M_UTF16LE:
	case YG_SIGMA_M_UTF16BE:
	case YG_SIGMA_M_UTF16:
	case YG_SIGMA_M_WIDE: return yg_sigma_encode(r, n, m, io);
	default: return YG_OK; /* said of the item, or done when the text was read */
	}
}

yg_status yg_sigma_patterns(struct yg_sigma_reader *r, const struct yg_yaml *n,
			    const struct yg_sigma_key *key, struct yg_sigma_value *out)
{
	struct maker m;
	struct yg_sigma_patterns all = {YG_NEW(r->arena, struct yg_sigma_pattern), 1};
	yg_status st = YG_OK;
	if (all.list == NULL || !maker_init(&m, r->arena, n->text.n))
		return yg_sigma_nomem(r);
	parse(&m, n->text, yg_sigma_key_has(key, YG_SIGMA_M_EXPAND));
	if (m.nomem)
		return yg_sigma_nomem(r);
	all.list[0] = (struct yg_sigma_pattern){m.parts, m.count};
	for (size_t i = 0; st == YG_OK && i < key->count; i++)
		st = apply(r, n, key->order[i], &all);
	bool keyword = key->field.n == 0 && !yg_sigma_key_has(key, YG_SIGMA_M_CONTAINS);
	if (st == YG_OK && keyword)
		st = apply(r, n, YG_SIGMA_M_CONTAINS, &all);
	out->test = YG_SIGMA_TEXT;
	out->patterns = all.list;
	out->pattern_count = all.count;
	return st;
}
