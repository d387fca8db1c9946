/* version_distro.c - Debian's, RPM's and Alpine's packages. */
#include "risk/version_internal.h"

#define EPOCH_MAX "2147483647" /* dpkg keeps it in an int */

/* ---- deb: Debian Policy 5.6.12, deb-version(7) ---- */

struct deb {
	struct yg_sv epoch, upstream, revision;
};

static size_t last_of(struct yg_sv s, char c)
{
	for (size_t i = s.n; i > 0; i--)
		if (s.p[i - 1] == c)
			return i - 1;
	return s.n;
}

static struct deb split_deb(struct yg_sv s)
{
	struct deb v = {.epoch = YG_SV(""), .revision = YG_SV("")};
	size_t colon = yg_sv_find(s, ':', 0);
	if (colon < s.n) {
		v.epoch = yg_sv_sub(s, 0, colon);
		s = yg_sv_sub(s, colon + 1, s.n);
	}
	size_t hyphen = last_of(s, '-');
	v.upstream = yg_sv_sub(s, 0, hyphen);
	v.revision = yg_sv_sub(s, hyphen + 1, s.n);
	return v;
}

static yg_status check_chars(struct yg_sv text, struct yg_sv part, const char *also, size_t *out_at,
			     struct yg_err *err)
{
	for (size_t i = 0; i < part.n; i++) {
		char c = part.p[i];
		if (yg_version_is_alnum(c) || (c != '\0' && strchr(also, c) != NULL))
			continue;
		*out_at = (size_t)(part.p - text.p) + i;
		return YG_FAIL(err, YG_PARSE, "a character that may not be there");
	}
	return YG_OK;
}

static yg_status check_deb(struct yg_sv text, size_t *out_at, struct yg_err *err)
{
	struct deb v = split_deb(text);
	struct yg_sv rest = v.epoch;
	*out_at = 0;
	if (yg_sv_find(text, ':', 0) < text.n &&
	    (yg_version_digits(&rest).n == 0 || rest.n > 0 ||
	     yg_version_cmp_number(v.epoch, YG_SV(EPOCH_MAX)) > 0))
		return YG_FAIL(err, YG_PARSE, "the epoch is not a number that dpkg knows");
	*out_at = (size_t)(v.upstream.p - text.p);
	if (v.upstream.n == 0)
		return YG_FAIL(err, YG_PARSE, "no upstream version");
	yg_status st = check_chars(text, v.upstream, ".+-~:", out_at, err);
	if (st == YG_OK)
		st = check_chars(text, v.revision, ".+~", out_at, err);
	if (st != YG_OK || v.revision.n > 0 || v.upstream.p + v.upstream.n == text.p + text.n)
		return st;
	*out_at = text.n;
	return YG_FAIL(err, YG_PARSE, "the revision behind '-' is empty");
}

/* '~' before the end, the end before letters, letters before the rest. */
static int weight(struct yg_sv s)
{
	if (s.n == 0 || yg_version_is_digit(s.p[0]))
		return 0;
	if (s.p[0] == '~')
		return -1;
	return yg_version_is_letter(s.p[0]) ? s.p[0] : s.p[0] + 256;
}

static int cmp_deb_part(struct yg_sv a, struct yg_sv b)
{
	while (a.n > 0 || b.n > 0) {
		while ((a.n > 0 && !yg_version_is_digit(a.p[0])) ||
		       (b.n > 0 && !yg_version_is_digit(b.p[0]))) {
			int r = weight(a) - weight(b);
			if (r != 0)
				return yg_version_sign(r);
			a = yg_sv_sub(a, 1, a.n);
			b = yg_sv_sub(b, 1, b.n);
		}
		struct yg_sv x = yg_version_digits(&a), y = yg_version_digits(&b);
		int r = yg_version_cmp_number(x, y);
		if (r != 0)
			return r;
	}
	return 0;
}

static int cmp_deb(struct yg_sv a, struct yg_sv b)
{
	struct deb x = split_deb(a), y = split_deb(b);
	int r = yg_version_cmp_number(x.epoch, y.epoch);
	if (r == 0)
		r = cmp_deb_part(x.upstream, y.upstream);
	return r != 0 ? r : cmp_deb_part(x.revision, y.revision);
}
const struct yg_version_order yg_version_order_deb = {check_deb, cmp_deb};

/* ---- rpm: [epoch:]version[-release] as rpmverParse() and rpmvercmp() have it ---- */

struct rpm {
	struct yg_sv epoch, version, release;
	bool released;
};

static struct rpm split_rpm(struct yg_sv s)
{
	struct rpm v = {.release = YG_SV("")};
	struct yg_sv rest = s;
	v.epoch = yg_version_digits(&rest);
	if (rest.n == 0 || rest.p[0] != ':') {
		v.epoch = YG_SV("");
		rest = s;
	} else {
		rest = yg_sv_sub(rest, 1, rest.n);
	}
	size_t hyphen = last_of(rest, '-');
	v.released = hyphen < rest.n;
	v.version = yg_sv_sub(rest, 0, hyphen);
	v.release = yg_sv_sub(rest, hyphen + 1, rest.n);
	return v;
}

static yg_status check_rpm(struct yg_sv text, size_t *out_at, struct yg_err *err)
{
	struct rpm v = split_rpm(text);
	yg_status st = check_chars(text, v.version, "._+~^-", out_at, err);
	if (st == YG_OK)
		st = check_chars(text, v.release, "._+~^", out_at, err);
	if (st != YG_OK)
		return st;
	*out_at = v.version.n == 0 ? (size_t)(v.version.p - text.p) : text.n;
	if (v.version.n == 0)
		return YG_FAIL(err, YG_PARSE, "no version");
	if (v.released && v.release.n == 0)
		return YG_FAIL(err, YG_PARSE, "the release behind '-' is empty");
	return YG_OK;
}

static void skip_separators(struct yg_sv *s)
{
	while (s->n > 0 && !yg_version_is_alnum(s->p[0]) && s->p[0] != '~' && s->p[0] != '^')
		*s = yg_sv_sub(*s, 1, s->n);
}

/* '~' is before anything, also the end; '^' is behind the end and before anything else.
 * 2: both had one, which is taken; or neither. */
static int cmp_mark(struct yg_sv *a, struct yg_sv *b, char mark, bool *found)
{
	bool has_a = a->n > 0 && a->p[0] == mark, has_b = b->n > 0 && b->p[0] == mark;
	*found = has_a || has_b;
	if (has_a != has_b) {
		bool at_end = mark == '^' && (has_a ? b->n : a->n) == 0;
		return has_a == at_end ? 1 : -1;
	}
	if (has_a) {
		*a = yg_sv_sub(*a, 1, a->n);
		*b = yg_sv_sub(*b, 1, b->n);
	}
	return 0;
}

static int cmp_segment(struct yg_sv *a, struct yg_sv *b)
{
	if (yg_version_is_digit(a->p[0])) {
		struct yg_sv x = yg_version_digits(a), y = yg_version_digits(b);
		return y.n == 0 ? 1 : yg_version_cmp_number(x, y);
	}
	struct yg_sv x = yg_version_letters(a), y = yg_version_letters(b);
	return y.n == 0 ? -1 : yg_version_sign(yg_sv_cmp(x, y));
}

static int cmp_rpm_part(struct yg_sv a, struct yg_sv b)
{
	while (a.n > 0 || b.n > 0) {
		bool tilde, caret;
		skip_separators(&a);
		skip_separators(&b);
		int r = cmp_mark(&a, &b, '~', &tilde);
		if (r == 0 && !tilde)
			r = cmp_mark(&a, &b, '^', &caret);
		if (r != 0)
			return r;
		if (tilde || caret)
			continue;
		if (a.n == 0 || b.n == 0)
			break;
		r = cmp_segment(&a, &b);
		if (r != 0)
			return r;
	}
	return (a.n > 0) - (b.n > 0);
}

static int cmp_rpm(struct yg_sv a, struct yg_sv b)
{
	struct rpm x = split_rpm(a), y = split_rpm(b);
	int r = yg_version_cmp_number(x.epoch, y.epoch);
	if (r == 0)
		r = cmp_rpm_part(x.version, y.version);
	if (r == 0)
		r = x.released - y.released;
	return r != 0 ? r : cmp_rpm_part(x.release, y.release);
}
const struct yg_version_order yg_version_order_rpm = {check_rpm, cmp_rpm};

/* ---- alpine: digits{.digits}{letter}{_suffix{digits}}{~hash}{-r digits}, as apk-tools 2.14
 * and 3 read it.  The order of the tokens decides when one version ends before the other. ---- */

enum apk_token {
	APK_FIRST,
	APK_DIGITS,
	APK_LETTER,
	APK_SUFFIX,
	APK_SUFFIX_NUMBER,
	APK_HASH,
	APK_REVISION,
	APK_END,
	APK_WRONG,
};
#define APK_RELEASE 4 /* suffixes before this place are before the release */
static const char apk_suffixes[][6] = {"alpha", "beta", "pre", "rc", "",
				       "cvs",   "svn",  "git", "hg", "p"};

struct apk {
	struct yg_sv rest, value;
	enum apk_token token;
	unsigned suffix;
};

static unsigned apk_suffix_of(struct yg_sv s)
{
	unsigned i = 0;
	while (i < YG_LEN(apk_suffixes) && !yg_sv_eq(s, yg_sv_of(apk_suffixes[i])))
		i++;
	return i;
}

static bool is_hex(char c)
{
	char small = yg_version_small(c);
	return yg_version_is_digit(c) || (small >= 'a' && small <= 'f');
}

static enum apk_token apk_digits(struct apk *t, enum apk_token token)
{
	t->value = yg_version_digits(&t->rest);
	return t->value.n > 0 ? token : APK_WRONG;
}

static enum apk_token apk_mark(struct apk *t, char mark)
{
	size_t n = 0;
	if (mark == '_') {
		while (n < t->rest.n && t->rest.p[n] >= 'a' && t->rest.p[n] <= 'z')
			n++;
		t->value = yg_sv_sub(t->rest, 0, n);
		t->suffix = apk_suffix_of(t->value);
	} else {
		while (n < t->rest.n && is_hex(t->rest.p[n]))
			n++;
		t->value = yg_sv_sub(t->rest, 0, n);
	}
	t->rest = yg_sv_sub(t->rest, n, t->rest.n);
	if (n == 0 || (mark == '_' && t->suffix == YG_LEN(apk_suffixes)))
		return APK_WRONG;
	return mark == '_' ? APK_SUFFIX : APK_HASH;
}

static enum apk_token apk_next(struct apk *t)
{
	char c = t->rest.n > 0 ? t->rest.p[0] : '\0';
	if (t->rest.n == 0)
		return APK_END;
	if (yg_version_is_digit(c))
		return t->token == APK_SUFFIX ? apk_digits(t, APK_SUFFIX_NUMBER) : APK_WRONG;
	t->value = yg_sv_sub(t->rest, 0, 1);
	t->rest = yg_sv_sub(t->rest, 1, t->rest.n);
	if (c >= 'a' && c <= 'z')
		return t->token <= APK_DIGITS ? APK_LETTER : APK_WRONG;
	if (c == '.')
		return t->token <= APK_DIGITS ? apk_digits(t, APK_DIGITS) : APK_WRONG;
	if (c == '_')
		return t->token <= APK_SUFFIX_NUMBER ? apk_mark(t, c) : APK_WRONG;
	if (c == '~')
		return t->token < APK_HASH ? apk_mark(t, c) : APK_WRONG;
	if (c != '-' || t->token >= APK_REVISION || t->rest.n == 0 || t->rest.p[0] != 'r')
		return APK_WRONG;
	t->rest = yg_sv_sub(t->rest, 1, t->rest.n);
	return apk_digits(t, APK_REVISION);
}

static void apk_start(struct apk *t, struct yg_sv text)
{
	*t = (struct apk){.rest = text};
	t->token = apk_digits(t, APK_FIRST);
}

static yg_status check_alpine(struct yg_sv text, size_t *out_at, struct yg_err *err)
{
	static const char *const after[] = {
		"'.', a letter, '_', '~' or '-r' is wanted behind the number",
		"'.', a letter, '_', '~' or '-r' is wanted behind the number",
		"'_', '~' or '-r' is wanted behind the letter",
		"not a suffix that apk knows, or '_', '~' or '-r' is wanted behind it",
		"'_', '~' or '-r' is wanted behind the suffix",
		"'-r' is wanted behind the hash",
		"nothing is wanted behind the revision",
	};
	struct apk t;
	apk_start(&t, text);
	*out_at = 0;
	if (t.token == APK_WRONG)
		return YG_FAIL(err, YG_PARSE, "a number is wanted in front");
	while (t.token < APK_END) {
		enum apk_token before = t.token;
		*out_at = yg_version_at(text, t.rest);
		t.token = apk_next(&t);
		if (t.token == APK_WRONG)
			return YG_FAIL(err, YG_PARSE, "%s", after[before]);
	}
	return YG_OK;
}

static int cmp_apk_token(const struct apk *a, const struct apk *b)
{
	bool zero = a->token == APK_DIGITS && (a->value.p[0] == '0' || b->value.p[0] == '0');
	switch (a->token) {
	case APK_SUFFIX: return (a->suffix > b->suffix) - (a->suffix < b->suffix);
	case APK_FIRST:
	case APK_DIGITS:
	case APK_SUFFIX_NUMBER:
	case APK_REVISION:
		if (!zero)
			return yg_version_cmp_number(a->value, b->value);
		break;
	case APK_LETTER:
	case APK_HASH:
	case APK_END:
	case APK_WRONG: break;
	}
	return yg_version_sign(yg_sv_cmp(a->value, b->value));
}

static int cmp_alpine(struct yg_sv a, struct yg_sv b)
{
	struct apk x, y;
	apk_start(&x, a);
	apk_start(&y, b);
	while (x.token == y.token && x.token < APK_END) {
		int r = cmp_apk_token(&x, &y);
		if (r != 0)
			return r;
		x.token = apk_next(&x);
		y.token = apk_next(&y);
	}
	if (x.token == y.token)
		return 0;
	if (x.token == APK_SUFFIX && x.suffix < APK_RELEASE)
		return -1;
	if (y.token == APK_SUFFIX && y.suffix < APK_RELEASE)
		return 1;
	return x.token < y.token ? 1 : -1;
}
const struct yg_version_order yg_version_order_alpine = {check_alpine, cmp_alpine};
