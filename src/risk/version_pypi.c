/* version_pypi.c - Python's versions: PEP 440, as the packaging specification has it now
 * ("Version specifiers", packaging.python.org). */
#include "risk/version_internal.h"

struct pypi {
	struct yg_sv epoch, release; /* "1.2.3" */
	char pre;                    /* 'a', 'b' or 'c'; '\0': none */
	bool has_post, has_dev;
	struct yg_sv pre_number, post_number, dev_number;
	struct yg_sv local; /* "": none */
};

static bool is_separator(char c)
{
	return c == '.' || c == '-' || c == '_';
}

static struct yg_sv skip_separator(struct yg_sv s)
{
	return s.n > 0 && is_separator(s.p[0]) ? yg_sv_sub(s, 1, s.n) : s;
}

/* The word, with a separator in front or none; behind it a number, with a separator or
 * none, or only the separator. */
static bool takes_word(struct yg_sv *rest, const char *word, struct yg_sv *number)
{
	struct yg_sv s = skip_separator(*rest), w = yg_sv_of(word);
	if (!yg_sv_ieq(yg_sv_sub(s, 0, w.n), w))
		return false;
	s = skip_separator(yg_sv_sub(s, w.n, s.n));
	*number = yg_version_digits(&s);
	*rest = s;
	return true;
}

static bool takes_pre(struct yg_sv *rest, struct pypi *out)
{
	static const struct {
		const char *word;
		char letter;
	} words[] = {{"alpha", 'a'},   {"a", 'a'},   {"beta", 'b'}, {"b", 'b'},
		     {"preview", 'c'}, {"pre", 'c'}, {"rc", 'c'},   {"c", 'c'}};
	for (size_t i = 0; i < YG_LEN(words); i++)
		if (takes_word(rest, words[i].word, &out->pre_number)) {
			out->pre = words[i].letter;
			return true;
		}
	return false;
}

/* "-1" is ".post1". */
static bool takes_post(struct yg_sv *rest, struct pypi *out)
{
	if (rest->n > 1 && rest->p[0] == '-' && yg_version_is_digit(rest->p[1])) {
		*rest = yg_sv_sub(*rest, 1, rest->n);
		out->post_number = yg_version_digits(rest);
		return true;
	}
	return takes_word(rest, "post", &out->post_number) ||
	       takes_word(rest, "rev", &out->post_number) ||
	       takes_word(rest, "r", &out->post_number);
}

static yg_status read_release(struct yg_sv *rest, struct pypi *out, struct yg_err *err)
{
	struct yg_sv s = *rest;
	if (s.n > 0 && yg_version_small(s.p[0]) == 'v')
		s = yg_sv_sub(s, 1, s.n);
	struct yg_sv after = s, digits = yg_version_digits(&after);
	if (digits.n > 0 && after.n > 0 && after.p[0] == '!') {
		out->epoch = digits;
		s = yg_sv_sub(after, 1, after.n);
	}
	*rest = s;
	if (s.n == 0 || !yg_version_is_digit(s.p[0]))
		return YG_FAIL(err, YG_PARSE, "a number is wanted here");
	(void)yg_version_digits(rest);
	while (rest->n > 1 && rest->p[0] == '.' && yg_version_is_digit(rest->p[1])) {
		*rest = yg_sv_sub(*rest, 1, rest->n);
		(void)yg_version_digits(rest);
	}
	out->release = yg_sv_sub(s, 0, s.n - rest->n);
	return YG_OK;
}

static yg_status read_local(struct yg_sv *rest, struct pypi *out, struct yg_err *err)
{
	struct yg_sv from = *rest;
	bool separator = true; /* before a part */
	while (rest->n > 0) {
		bool next = is_separator(rest->p[0]);
		if ((next && separator) || (!next && !yg_version_is_alnum(rest->p[0])))
			break;
		separator = next;
		*rest = yg_sv_sub(*rest, 1, rest->n);
	}
	out->local = from;
	if (rest->n > 0 || separator)
		return YG_FAIL(err, YG_PARSE, "a letter or digit is wanted in the local version");
	return YG_OK;
}

static yg_status read_pypi(struct yg_sv text, struct pypi *out, size_t *out_at, struct yg_err *err)
{
	struct yg_sv rest = text;
	*out = (struct pypi){.epoch = YG_SV("")};
	yg_status st = read_release(&rest, out, err);
	if (st == YG_OK) {
		(void)takes_pre(&rest, out);
		out->has_post = takes_post(&rest, out);
		out->has_dev = takes_word(&rest, "dev", &out->dev_number);
	}
	if (st == YG_OK && rest.n > 0 && rest.p[0] == '+') {
		rest = yg_sv_sub(rest, 1, rest.n);
		st = read_local(&rest, out, err);
	}
	if (st == YG_OK && out->local.n == 0 && rest.n > 0)
		st = YG_FAIL(err, YG_PARSE, "not one of the suffixes of PEP 440 in their order");
	*out_at = yg_version_at(text, rest);
	return st;
}

static yg_status check_pypi(struct yg_sv text, size_t *out_at, struct yg_err *err)
{
	struct pypi v;
	return read_pypi(text, &v, out_at, err);
}

/* Parts that are not there are 0. */
static int cmp_release(struct yg_sv a, struct yg_sv b)
{
	bool more_a = true, more_b = true;
	while (more_a || more_b) {
		struct yg_sv x = YG_SV(""), y = YG_SV("");
		more_a = more_a && yg_sv_cut(&a, '.', &x);
		more_b = more_b && yg_sv_cut(&b, '.', &y);
		int r = yg_version_cmp_number(x, y);
		if (r != 0)
			return r;
	}
	return 0;
}

/* A development release of nothing more is before every pre-release, a release behind them. */
static int pre_rank(const struct pypi *v)
{
	if (v->pre != '\0')
		return v->pre;
	return v->has_dev && !v->has_post ? 0 : 0x7f;
}

static struct yg_sv cut_local(struct yg_sv *rest)
{
	size_t n = 0;
	while (n < rest->n && !is_separator(rest->p[n]))
		n++;
	struct yg_sv part = yg_sv_sub(*rest, 0, n);
	*rest = yg_sv_sub(*rest, n + 1, rest->n);
	return part;
}

static int cmp_local_part(struct yg_sv a, struct yg_sv b)
{
	struct yg_sv x = a, y = b;
	bool number_a = yg_version_digits(&x).n > 0 && x.n == 0;
	bool number_b = yg_version_digits(&y).n > 0 && y.n == 0;
	if (number_a != number_b)
		return number_a - number_b;
	if (number_a)
		return yg_version_cmp_number(a, b);
	return yg_version_cmp_letters(a, b);
}

static int cmp_local(struct yg_sv a, struct yg_sv b)
{
	while (a.n > 0 && b.n > 0) {
		struct yg_sv x = cut_local(&a), y = cut_local(&b);
		int r = cmp_local_part(x, y);
		if (r != 0)
			return r;
	}
	return (a.n > 0) - (b.n > 0);
}

static int cmp_pypi(struct yg_sv a, struct yg_sv b)
{
	struct pypi x, y;
	size_t at;
	(void)read_pypi(a, &x, &at, NULL);
	(void)read_pypi(b, &y, &at, NULL);
	int r = yg_version_cmp_number(x.epoch, y.epoch);
	if (r == 0)
		r = cmp_release(x.release, y.release);
	if (r == 0)
		r = yg_version_sign(pre_rank(&x) - pre_rank(&y));
	if (r == 0)
		r = yg_version_cmp_number(x.pre_number, y.pre_number);
	if (r == 0)
		r = x.has_post - y.has_post;
	if (r == 0)
		r = yg_version_cmp_number(x.post_number, y.post_number);
	if (r == 0)
		r = y.has_dev - x.has_dev;
	if (r == 0)
		r = yg_version_cmp_number(x.dev_number, y.dev_number);
	return r != 0 ? r : cmp_local(x.local, y.local);
}
const struct yg_version_order yg_version_order_pypi = {check_pypi, cmp_pypi};
