#include "risk/purl.h"

/* What types say of their components (packageurl.org/purl-types, 2026-05). */
enum rule {
	NAMESPACE_SMALL = 1,
	NAME_SMALL = 2,
	VERSION_SMALL = 4,
	NAMESPACE_CAPITAL = 8,
	NO_NAMESPACE = 16,
	NEEDS_NAMESPACE = 32,
	PYPI_NAME = 64, /* runs of '-', '_' and '.' are one '-' */
	PUB_NAME = 128, /* '-' is '_' */
	CPAN_NAME = 256 /* a distribution, not a module */
};
static const struct {
	const char *type;
	unsigned rules;
} types[] = {
	{"alpm", NAMESPACE_SMALL | NAME_SMALL},
	{"apk", NAMESPACE_SMALL | NAME_SMALL},
	{"bitbucket", NAMESPACE_SMALL | NAME_SMALL},
	{"bitnami", NAME_SMALL},
	{"composer", NAMESPACE_SMALL | NAME_SMALL},
	{"cpan", NAMESPACE_CAPITAL | NEEDS_NAMESPACE | CPAN_NAME},
	{"cran", NO_NAMESPACE},
	{"deb", NAMESPACE_SMALL | NAME_SMALL},
	{"github", NAMESPACE_SMALL | NAME_SMALL},
	{"golang", NAMESPACE_SMALL | NAME_SMALL},
	{"hex", NAMESPACE_SMALL | NAME_SMALL},
	{"huggingface", VERSION_SMALL},
	{"luarocks", NAMESPACE_SMALL | NAME_SMALL},
	{"npm", NAMESPACE_SMALL | NAME_SMALL},
	{"oci", NO_NAMESPACE | NAME_SMALL},
	{"pub", NAME_SMALL | PUB_NAME},
	{"pypi", NO_NAMESPACE | NAME_SMALL | VERSION_SMALL | PYPI_NAME},
	{"qpkg", NAMESPACE_SMALL},
	{"rpm", NAMESPACE_SMALL},
	{"swift", NEEDS_NAMESPACE},
};

struct reader {
	struct yg_sv text;
	struct yg_purl *out;
	size_t at;
	struct yg_err *err;
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_alnum(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9');
}

static char small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static yg_status fail_at(struct reader *r, struct yg_sv where, const char *why)
{
	r->at = (size_t)(where.p - r->text.p);
	return YG_FAIL(r->err, YG_PARSE, "%s", why);
}

/* To the end of what is kept: at most as long as the text it is from. */
static void keep(struct reader *r, char c)
{
	r->out->text[r->out->n++] = c;
}

static struct yg_purl_part part_from(const struct reader *r, size_t from)
{
	return (struct yg_purl_part){(uint16_t)from, (uint16_t)(r->out->n - from)};
}

/* Percent-encoding undone. */
static yg_status decode(struct reader *r, struct yg_sv s, bool segment)
{
	size_t from = r->out->n;
	for (size_t i = 0; i < s.n; i++) {
		struct yg_sv here = yg_sv_sub(s, i, s.n);
		uint8_t code = (uint8_t)s.p[i];
		if (s.p[i] == '%') {
			if (yg_parse_hex(yg_sv_sub(s, i + 1, 2), &code, 1, NULL) != YG_OK)
				return fail_at(r, here, "not a percent-encoded byte");
			i += 2;
			if (code == '/' && segment)
				return fail_at(r, here, "a '/' inside a segment");
		}
		if (code == 0)
			return fail_at(r, here, "a NUL");
		keep(r, (char)code);
	}
	struct yg_sv kept = {r->out->text + from, r->out->n - from};
	if (yg_utf8_valid(kept) != kept.n)
		return fail_at(r, s, "not UTF-8");
	return YG_OK;
}

/* Splits at the last `c`; false: there is none. */
static bool cut_last(struct yg_sv *rest, char c, struct yg_sv *out)
{
	for (size_t i = rest->n; i > 0; i--)
		if (rest->p[i - 1] == c) {
			*out = yg_sv_sub(*rest, i, rest->n);
			*rest = yg_sv_sub(*rest, 0, i - 1);
			return true;
		}
	return false;
}

static struct yg_sv strip_slashes(struct yg_sv s)
{
	while (s.n > 0 && s.p[0] == '/')
		s = yg_sv_sub(s, 1, s.n);
	while (s.n > 0 && s.p[s.n - 1] == '/')
		s = yg_sv_sub(s, 0, s.n - 1);
	return s;
}

/* Segments with one '/' between; empty ones are left out, of a subpath "." and "..", too. */
static yg_status read_segments(struct reader *r, struct yg_sv s, bool path,
			       struct yg_purl_part *out)
{
	struct yg_sv segment, rest = s;
	size_t from = r->out->n;
	while (yg_sv_cut(&rest, '/', &segment)) {
		size_t before = r->out->n;
		if (segment.n == 0)
			continue;
		if (before > from)
			keep(r, '/');
		size_t at = r->out->n;
		yg_status st = decode(r, segment, true);
		if (st != YG_OK)
			return st;
		struct yg_sv kept = {r->out->text + at, r->out->n - at};
		if (path && (YG_SV_IS(kept, ".") || YG_SV_IS(kept, "..")))
			r->out->n = (uint16_t)before;
	}
	*out = part_from(r, from);
	return YG_OK;
}

static yg_status read_key(struct reader *r, struct yg_sv key, struct yg_purl_part *out)
{
	size_t from = r->out->n;
	for (size_t i = 0; i < key.n; i++) {
		char c = key.p[i];
		if (i == 0 ? !is_letter(c) : !is_alnum(c) && c != '.' && c != '-' && c != '_')
			return fail_at(
				r, yg_sv_sub(key, i, key.n),
				"a key has letters, digits, '.', '-' and '_', a letter first");
		keep(r, small(c));
	}
	*out = part_from(r, from);
	return key.n > 0 ? YG_OK : fail_at(r, key, "a qualifier without a key");
}

/* Into its place among those that are there. */
static yg_status add_qualifier(struct reader *r, struct yg_sv where, struct yg_purl_part key,
			       struct yg_purl_part value)
{
	struct yg_purl *p = r->out;
	unsigned i = p->qualifiers;
	if (i == YG_PURL_QUALIFIERS_MAX)
		return fail_at(r, where, "too many qualifiers");
	for (; i > 0; i--) {
		int c = yg_sv_cmp(yg_purl_text(p, key), yg_purl_text(p, p->qualifier[i - 1].key));
		if (c == 0)
			return fail_at(r, where, "a key that stands twice");
		if (c > 0)
			break;
		p->qualifier[i] = p->qualifier[i - 1];
	}
	p->qualifier[i].key = key;
	p->qualifier[i].value = value;
	p->qualifiers++;
	return YG_OK;
}

/* One without a value is as if it were not there. */
static yg_status read_qualifiers(struct reader *r, struct yg_sv s)
{
	struct yg_sv pair, key;
	while (yg_sv_cut(&s, '&', &pair)) {
		struct yg_sv value = pair;
		struct yg_purl_part k = {0, 0};
		if (pair.n == 0)
			continue;
		(void)yg_sv_cut(&value, '=', &key);
		yg_status st = read_key(r, key, &k);
		if (st != YG_OK)
			return st;
		value = yg_sv_sub(pair, key.n + 1, pair.n);
		size_t from = r->out->n;
		st = decode(r, value, false);
		struct yg_purl_part v = part_from(r, from);
		if (st == YG_OK && v.n > 0)
			st = add_qualifier(r, pair, k, v);
		if (st != YG_OK)
			return st;
	}
	return YG_OK;
}

static yg_status read_type(struct reader *r, struct yg_sv *rest)
{
	struct yg_sv type;
	*rest = yg_sv_sub(*rest, 4, rest->n);
	while (rest->n > 0 && rest->p[0] == '/')
		*rest = yg_sv_sub(*rest, 1, rest->n);
	size_t slash = yg_sv_find(*rest, '/', 0), from = r->out->n;
	type = yg_sv_sub(*rest, 0, slash);
	for (size_t i = 0; i < type.n; i++) {
		char c = type.p[i];
		if (i == 0 ? !is_letter(c) : !is_alnum(c) && c != '.' && c != '-')
			return fail_at(r, yg_sv_sub(type, i, type.n),
				       "a type has letters, digits, '.' and '-', a letter first");
		keep(r, small(c));
	}
	r->out->type = part_from(r, from);
	if (type.n == 0 || slash == rest->n)
		return fail_at(r, yg_sv_sub(*rest, slash, 0), "a type, '/' and a name are wanted");
	*rest = yg_sv_sub(*rest, slash + 1, rest->n);
	return YG_OK;
}

static void fold(struct yg_purl *p, struct yg_purl_part part, bool capital)
{
	for (size_t i = part.at; i < (size_t)part.at + part.n; i++) {
		char c = p->text[i];
		p->text[i] = !capital ? small(c) : c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
	}
}

static void normalize_pypi(struct yg_purl *p)
{
	size_t n = 0;
	for (size_t i = 0; i < p->name.n; i++) {
		char c = p->text[p->name.at + i];
		bool dash = c == '-' || c == '_' || c == '.';
		if (dash && n > 0 && p->text[p->name.at + n - 1] == '-')
			continue;
		p->text[p->name.at + n++] = dash ? '-' : c;
	}
	p->name.n = (uint16_t)n;
}

static yg_status apply_rules(struct reader *r)
{
	struct yg_purl *p = r->out;
	unsigned rules = 0;
	for (size_t i = 0; i < YG_LEN(types); i++)
		if (yg_sv_eq(yg_purl_text(p, p->type), yg_sv_of(types[i].type)))
			rules = types[i].rules;
	if ((rules & NO_NAMESPACE) != 0 && p->namespace.n > 0)
		return fail_at(r, r->text, "this type has no namespace");
	if ((rules & NEEDS_NAMESPACE) != 0 && p->namespace.n == 0)
		return fail_at(r, r->text, "this type needs a namespace");
	if ((rules & CPAN_NAME) != 0 && yg_sv_has(yg_purl_text(p, p->name), YG_SV("::")))
		return fail_at(r, r->text, "the name is a module's, not a distribution's");
	if ((rules & (NAMESPACE_SMALL | NAMESPACE_CAPITAL)) != 0)
		fold(p, p->namespace, (rules & NAMESPACE_CAPITAL) != 0);
	if ((rules & NAME_SMALL) != 0)
		fold(p, p->name, false);
	if ((rules & VERSION_SMALL) != 0)
		fold(p, p->version, false);
	if ((rules & PYPI_NAME) != 0)
		normalize_pypi(p);
	for (size_t i = 0; (rules & PUB_NAME) != 0 && i < p->name.n; i++)
		if (p->text[p->name.at + i] == '-')
			p->text[p->name.at + i] = '_';
	return YG_OK;
}

/* From the right to the left, as the specification splits it. */
static yg_status read_purl(struct reader *r)
{
	struct yg_sv rest = r->text, subpath = {NULL, 0}, qualifiers = {NULL, 0}, version;
	struct yg_purl *p = r->out;
	yg_status st = YG_OK;
	if (rest.n > YG_PURL_TEXT_MAX)
		return YG_FAIL(r->err, YG_PARSE, "longer than %d bytes", YG_PURL_TEXT_MAX);
	if (!yg_sv_ieq(yg_sv_sub(rest, 0, 4), YG_SV("pkg:")))
		return YG_FAIL(r->err, YG_PARSE, "no 'pkg:' in front");
	if (cut_last(&rest, '#', &subpath))
		st = read_segments(r, subpath, true, &p->subpath);
	if (st == YG_OK && cut_last(&rest, '?', &qualifiers))
		st = read_qualifiers(r, qualifiers);
	if (st == YG_OK)
		st = read_type(r, &rest);
	if (st == YG_OK && cut_last(&rest, '@', &version)) {
		size_t from = p->n;
		st = decode(r, version, false);
		p->version = part_from(r, from);
	}
	if (st != YG_OK)
		return st;
	struct yg_sv name = strip_slashes(rest), prefix = name;
	if (!cut_last(&prefix, '/', &name))
		prefix.n = 0;
	if (name.n == 0)
		return fail_at(r, rest, "no name");
	size_t from = p->n;
	st = decode(r, name, false);
	p->name = part_from(r, from);
	if (st == YG_OK)
		st = read_segments(r, prefix, false, &p->namespace);
	return st == YG_OK ? apply_rules(r) : st;
}

yg_status yg_purl_parse(struct yg_sv text, struct yg_purl *out, size_t *out_at, struct yg_err *err)
{
	struct reader r = {text, out, 0, err};
	memset(out, 0, offsetof(struct yg_purl, text));
	yg_status st = read_purl(&r);
	*out_at = st == YG_OK ? 0 : YG_MIN(r.at, text.n);
	return st;
}

static void put_encoded(struct yg_sb *b, struct yg_sv s, bool slash)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (is_alnum(c) || strchr(".-_~:", c) != NULL || (c == '/' && slash))
			yg_sb_putc(b, c);
		else
			yg_sb_printf(b, "%%%02X", (unsigned char)c);
	}
}

void yg_purl_put(struct yg_sb *b, const struct yg_purl *p)
{
	yg_sb_put(b, YG_SV("pkg:"));
	yg_sb_put(b, yg_purl_text(p, p->type));
	yg_sb_putc(b, '/');
	if (p->namespace.n > 0) {
		put_encoded(b, yg_purl_text(p, p->namespace), true);
		yg_sb_putc(b, '/');
	}
	put_encoded(b, yg_purl_text(p, p->name), false);
	if (p->version.n > 0) {
		yg_sb_putc(b, '@');
		put_encoded(b, yg_purl_text(p, p->version), false);
	}
	for (unsigned i = 0; i < p->qualifiers; i++) {
		yg_sb_putc(b, i == 0 ? '?' : '&');
		yg_sb_put(b, yg_purl_text(p, p->qualifier[i].key));
		yg_sb_putc(b, '=');
		put_encoded(b, yg_purl_text(p, p->qualifier[i].value), true);
	}
	if (p->subpath.n > 0) {
		yg_sb_putc(b, '#');
		put_encoded(b, yg_purl_text(p, p->subpath), true);
	}
}
