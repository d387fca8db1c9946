#include "risk/vers.h"

#include "risk/version_internal.h"

enum comparator { EQUAL, UNEQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL };

struct constraint {
	enum comparator comparator;
	struct yg_sv version; /* in `text`, decoded */
	char text[YG_VERSION_TEXT_MAX];
};

static bool is_lower(enum comparator c)
{
	return c == GREATER || c == GREATER_EQUAL;
}

static bool is_upper(enum comparator c)
{
	return c == LESS || c == LESS_EQUAL;
}

static enum comparator take_comparator(struct yg_sv *field)
{
	static const struct {
		struct yg_sv text;
		enum comparator comparator;
	} known[] = {{YG_SV_INIT(">="), GREATER_EQUAL},
		     {YG_SV_INIT("<="), LESS_EQUAL},
		     {YG_SV_INIT("!="), UNEQUAL},
		     {YG_SV_INIT("<"), LESS},
		     {YG_SV_INIT(">"), GREATER}};
	for (size_t i = 0; i < YG_LEN(known); i++)
		if (yg_sv_starts(*field, known[i].text)) {
			*field = yg_sv_sub(*field, known[i].text.n, field->n);
			return known[i].comparator;
		}
	return EQUAL;
}

/* Percent-encoding undone, once.  *out_at: in the field. */
static yg_status decode(struct yg_sv field, struct constraint *out, size_t *out_at,
			struct yg_err *err)
{
	size_t n = 0;
	for (size_t i = 0; i < field.n; i++) {
		char c = field.p[i];
		*out_at = i;
		if (!yg_version_is_shown(c))
			return YG_FAIL(err, YG_PARSE,
				       "a blank or a byte that is no ASCII character");
		if (strchr("<>=!*", c) != NULL)
			return YG_FAIL(err, YG_PARSE, "'%c' in a version must be percent-encoded",
				       c);
		if (c == '%') {
			uint8_t code = 0;
			if (yg_parse_hex(yg_sv_sub(field, i + 1, 2), &code, 1, NULL) != YG_OK ||
			    code == 0)
				return YG_FAIL(err, YG_PARSE, "not a percent-encoded byte");
			c = (char)code;
			i += 2;
		}
		if (n == sizeof out->text)
			return YG_FAIL(err, YG_PARSE, "longer than %d bytes", YG_VERSION_TEXT_MAX);
		out->text[n++] = c;
	}
	out->version = (struct yg_sv){out->text, n};
	return YG_OK;
}

static yg_status read_constraint(enum yg_version_scheme scheme, struct yg_sv field,
				 struct constraint *out, size_t *out_at, struct yg_err *err)
{
	struct yg_sv version = field;
	size_t at = 0;
	*out_at = 0;
	if (field.n == 0)
		return YG_FAIL(err, YG_PARSE, "an empty constraint");
	if (field.p[0] == '=')
		return YG_FAIL(err, YG_PARSE, "equality is a version without '='");
	out->comparator = take_comparator(&version);
	size_t lead = field.n - version.n;
	yg_status st = decode(version, out, &at, err);
	*out_at = lead + at;
	if (st == YG_OK) {
		*out_at = lead; /* what was decoded may have other places */
		if (yg_sv_trim(out->version).n != out->version.n) /* they would not count */
			return YG_FAIL(err, YG_PARSE, "a blank at an end of the version");
		st = yg_version_check(scheme, out->version, &at, err);
	}
	return st;
}

/* The sequences of 5.4; '!=' may stand anywhere. */
struct sequence {
	bool any, unequal, ranged;
	enum comparator last;        /* but for '!=' */
	enum comparator last_ranged; /* but for '!=' and equality */
};

static yg_status check_sequence(struct sequence *s, enum comparator c, struct yg_err *err)
{
	if (c == UNEQUAL) {
		s->unequal = true;
		return YG_OK;
	}
	if (s->any && s->last == EQUAL && is_upper(c))
		return YG_FAIL(err, YG_PARSE, "a version in front is in this range already");
	if (s->ranged && c != EQUAL && is_lower(c) == is_lower(s->last_ranged))
		return YG_FAIL(err, YG_PARSE, "'<' and '>' must take turns");
	s->any = true;
	s->last = c;
	s->ranged = s->ranged || c != EQUAL;
	if (c != EQUAL)
		s->last_ranged = c;
	return YG_OK;
}

static yg_status check_constraints(struct yg_vers *v, struct yg_sv text, size_t *out_at,
				   struct yg_err *err)
{
	struct yg_sv rest = v->constraints, field;
	struct constraint c[2]; /* this one and the one in front, in turns */
	struct sequence s = {.any = false};
	for (unsigned i = 0; yg_sv_cut(&rest, '|', &field); i++) {
		struct constraint *this = &c[i % 2];
		size_t at, from = (size_t)(field.p - text.p);
		yg_status st = read_constraint(v->scheme, field, this, &at, err);
		*out_at = from + at;
		if (st != YG_OK)
			return st;
		*out_at = from;
		int r = i == 0 ? 1 : yg_version_cmp(v->scheme, this->version, c[1 - i % 2].version);
		if (r <= 0)
			return YG_FAIL(err, YG_PARSE, "%s",
				       r == 0 ? "the version stands twice"
					      : "not in the order of versions");
		st = check_sequence(&s, this->comparator, err);
		if (st != YG_OK)
			return st;
	}
	v->only_unequal = s.unequal && !s.any;
	return YG_OK;
}

static yg_status read_type(struct yg_sv text, struct yg_vers *out, size_t *out_at,
			   struct yg_err *err)
{
	*out_at = 0;
	if (!yg_sv_starts(text, YG_SV("vers:")))
		return YG_FAIL(err, YG_PARSE, "no 'vers:' in front");
	size_t slash = yg_sv_find(text, '/', 5);
	*out_at = 5;
	if (slash == text.n)
		return YG_FAIL(err, YG_PARSE, "no '/' behind the type");
	if (!yg_version_scheme_of(yg_sv_sub(text, 5, slash - 5), &out->scheme))
		return YG_FAIL(err, YG_PARSE, "versions of this type are not known");
	out->constraints = yg_sv_sub(text, slash + 1, text.n);
	*out_at = slash + 1;
	if (out->constraints.n == 0)
		return YG_FAIL(err, YG_PARSE, "no constraints");
	return YG_OK;
}

yg_status yg_vers_parse(struct yg_sv text, struct yg_vers *out, size_t *out_at, struct yg_err *err)
{
	struct yg_vers v = {.all = false};
	yg_status st = read_type(text, &v, out_at, err);
	if (st == YG_OK) {
		v.all = YG_SV_IS(v.constraints, "*");
		st = v.all ? YG_OK : check_constraints(&v, text, out_at, err);
	}
	if (st == YG_OK)
		*out = v;
	return st;
}

/* The nearest '<' or '>' on either side decides; they take turns, so the one below is enough
 * when there is one. */
bool yg_vers_contains(const struct yg_vers *range, struct yg_sv version)
{
	struct yg_sv rest = range->constraints, field;
	bool in = range->all || range->only_unequal;
	while (!range->all && yg_sv_cut(&rest, '|', &field)) {
		struct constraint c = {.comparator = EQUAL};
		size_t at;
		(void)read_constraint(range->scheme, field, &c, &at, NULL);
		int r = yg_version_cmp(range->scheme, version, c.version);
		if (r == 0)
			return c.comparator == EQUAL || c.comparator == LESS_EQUAL ||
			       c.comparator == GREATER_EQUAL;
		if (c.comparator == EQUAL || c.comparator == UNEQUAL)
			continue;
		if (r < 0)
			return is_upper(c.comparator);
		in = is_lower(c.comparator);
	}
	return in;
}
