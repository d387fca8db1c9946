/* version_semver.c - Semantic Versioning 2.0.0, and npm's and Go's readings of it. */
#include "risk/version_internal.h"

#define SAFE_INTEGER "9007199254740991" /* npm's largest number, 2^53 - 1 */

enum flags {
	MAY_V = 1,     /* a 'v' may stand in front */
	MAY_SHORT = 2, /* "1" and "1.2" without anything behind are 1.0.0 and 1.2.0 */
	SAFE = 4,      /* numbers of at most SAFE_INTEGER */
};
struct semver {
	struct yg_sv number[3];
	struct yg_sv pre; /* "": a release */
};

static yg_status read_number(struct yg_sv *rest, unsigned flags, struct yg_sv *out,
			     struct yg_err *err)
{
	struct yg_sv from = *rest, digits = yg_version_digits(rest);
	if (digits.n > 0 && !(digits.n > 1 && digits.p[0] == '0') &&
	    ((flags & SAFE) == 0 || yg_version_cmp_number(digits, YG_SV(SAFE_INTEGER)) <= 0)) {
		*out = digits;
		return YG_OK;
	}
	*rest = from;
	if (digits.n == 0)
		return YG_FAIL(err, YG_PARSE, "a number is wanted here");
	return YG_FAIL(err, YG_PARSE, "a number %s",
		       digits.p[0] == '0' ? "with a zero in front" : "too large");
}

static bool is_identifier_char(char c)
{
	return yg_version_is_alnum(c) || c == '-';
}

/* "alpha.1"; numbers of a pre-release have no zeros in front. */
static yg_status read_identifiers(struct yg_sv *rest, bool pre, struct yg_sv *out,
				  struct yg_err *err)
{
	struct yg_sv from = *rest;
	size_t n = 0, first = 0;
	for (bool more = true; more; n++) {
		bool digits = true;
		first = n;
		while (n < from.n && is_identifier_char(from.p[n]))
			digits = yg_version_is_digit(from.p[n++]) && digits;
		*rest = yg_sv_sub(from, first, from.n);
		if (n == first)
			return YG_FAIL(err, YG_PARSE, "an identifier is wanted here");
		if (pre && digits && n - first > 1 && from.p[first] == '0')
			return YG_FAIL(err, YG_PARSE, "a number with a zero in front");
		more = n < from.n && from.p[n] == '.';
	}
	*out = yg_sv_sub(from, 0, n - 1);
	*rest = yg_sv_sub(from, n - 1, from.n);
	return YG_OK;
}

static bool takes(struct yg_sv *rest, char c)
{
	if (rest->n == 0 || rest->p[0] != c)
		return false;
	*rest = yg_sv_sub(*rest, 1, rest->n);
	return true;
}

static yg_status read_numbers(struct yg_sv *rest, unsigned flags, struct semver *out,
			      struct yg_err *err)
{
	for (unsigned i = 0; i < YG_LEN(out->number); i++) {
		if (i > 0 && rest->n == 0 && (flags & MAY_SHORT) != 0)
			return YG_OK;
		if (i > 0 && !takes(rest, '.'))
			return YG_FAIL(err, YG_PARSE, "%u numbers of 3", i);
		yg_status st = read_number(rest, flags, &out->number[i], err);
		if (st != YG_OK)
			return st;
	}
	return YG_OK;
}

static yg_status read_semver(struct yg_sv text, unsigned flags, struct semver *out, size_t *out_at,
			     struct yg_err *err)
{
	struct yg_sv rest = text, build;
	*out = (struct semver){.pre = YG_SV("")};
	if ((flags & MAY_V) != 0)
		(void)takes(&rest, 'v');
	yg_status st = read_numbers(&rest, flags, out, err);
	if (st == YG_OK && takes(&rest, '-'))
		st = read_identifiers(&rest, true, &out->pre, err);
	if (st == YG_OK && takes(&rest, '+'))
		st = read_identifiers(&rest, false, &build, err);
	if (st == YG_OK && rest.n > 0)
		st = YG_FAIL(err, YG_PARSE, "neither '-' nor '+' behind the numbers");
	*out_at = yg_version_at(text, rest);
	return st;
}

static bool is_number(struct yg_sv s)
{
	return yg_version_digits(&s).n > 0 && s.n == 0;
}

/* 2.0.0, item 11. */
static int cmp_pre(struct yg_sv a, struct yg_sv b)
{
	struct yg_sv x, y;
	if (a.n == 0 || b.n == 0)
		return (a.n == 0) - (b.n == 0);
	for (;;) {
		bool more_a = yg_sv_cut(&a, '.', &x), more_b = yg_sv_cut(&b, '.', &y);
		if (!more_a || !more_b)
			return more_a - more_b;
		bool number_a = is_number(x), number_b = is_number(y);
		int r = number_a != number_b ? number_b - number_a
			: number_a           ? yg_version_cmp_number(x, y)
					     : yg_version_sign(yg_sv_cmp(x, y));
		if (r != 0)
			return r;
	}
}

static int cmp_flags(struct yg_sv a, struct yg_sv b, unsigned flags)
{
	struct semver x, y;
	size_t at;
	(void)read_semver(a, flags, &x, &at, NULL);
	(void)read_semver(b, flags, &y, &at, NULL);
	for (unsigned i = 0; i < YG_LEN(x.number); i++) {
		int r = yg_version_cmp_number(x.number[i], y.number[i]);
		if (r != 0)
			return r;
	}
	return cmp_pre(x.pre, y.pre);
}

static yg_status check_semver(struct yg_sv text, size_t *out_at, struct yg_err *err)
{
	struct semver v;
	return read_semver(text, 0, &v, out_at, err);
}
static int cmp_semver(struct yg_sv a, struct yg_sv b)
{
	return cmp_flags(a, b, 0);
}
const struct yg_version_order yg_version_order_semver = {check_semver, cmp_semver};

/* As node-semver reads what is published; "loose" forms are not versions. */
static yg_status check_npm(struct yg_sv text, size_t *out_at, struct yg_err *err)
{
	struct semver v;
	return read_semver(text, MAY_V | SAFE, &v, out_at, err);
}
static int cmp_npm(struct yg_sv a, struct yg_sv b)
{
	return cmp_flags(a, b, MAY_V | SAFE);
}
const struct yg_version_order yg_version_order_npm = {check_npm, cmp_npm};

/* golang.org/x/mod/semver, with or without its 'v'. */
static yg_status check_go(struct yg_sv text, size_t *out_at, struct yg_err *err)
{
	struct semver v;
	return read_semver(text, MAY_V | MAY_SHORT, &v, out_at, err);
}
static int cmp_go(struct yg_sv a, struct yg_sv b)
{
	return cmp_flags(a, b, MAY_V | MAY_SHORT);
}
const struct yg_version_order yg_version_order_go = {check_go, cmp_go};
