/* version_plain.c - RubyGems' versions, and an order for versions of no known scheme: both are
 * runs of digits and runs of letters with anything between. */
#include "risk/version_internal.h"

struct segment {
	struct yg_sv text;
	bool number;
};

/* The next run of digits or letters; false: there is none. */
static bool next_run(struct yg_sv *rest, struct segment *out)
{
	while (rest->n > 0 && !yg_version_is_alnum(rest->p[0]))
		*rest = yg_sv_sub(*rest, 1, rest->n);
	if (rest->n == 0)
		return false;
	out->number = yg_version_is_digit(rest->p[0]);
	out->text = out->number ? yg_version_digits(rest) : yg_version_letters(rest);
	return true;
}

static bool is_zero(const struct segment *s)
{
	return s->number && yg_version_cmp_number(s->text, YG_SV("")) == 0;
}

/* ---- gem: Gem::Version of RubyGems 3.3 ---- */

#define GEM_PRE UINT16_MAX /* a hyphen */
struct gem {
	const char *text;
	struct {
		uint16_t at, n;
		bool number;
	} segment[YG_VERSION_TEXT_MAX];
	unsigned n;
};

static struct segment gem_at(const struct gem *g, unsigned i)
{
	if (i >= g->n)
		return (struct segment){YG_SV("0"), true};
	if (g->segment[i].at == GEM_PRE)
		return (struct segment){YG_SV("pre"), false};
	return (struct segment){{g->text + g->segment[i].at, g->segment[i].n},
				g->segment[i].number};
}

/* Zeros before the first word, and at the end, do not count. */
static void drop_zeros(struct gem *g)
{
	while (g->n > 0) {
		struct segment last = gem_at(g, g->n - 1);
		if (!is_zero(&last))
			return;
		g->n--;
	}
}

static void add_segment(struct gem *g, size_t at, size_t n, bool number, bool *words)
{
	if (!number && !*words)
		drop_zeros(g);
	*words = *words || !number;
	g->segment[g->n].at = (uint16_t)at;
	g->segment[g->n].n = (uint16_t)n;
	g->segment[g->n++].number = number;
}

/* A hyphen reads ".pre.". */
static void read_gem(struct yg_sv text, struct gem *g)
{
	struct yg_sv rest = text, part;
	struct segment s;
	bool words = false;
	g->text = text.p;
	g->n = 0;
	for (bool first = true; yg_sv_cut(&rest, '-', &part); first = false) {
		if (!first)
			add_segment(g, GEM_PRE, 0, false, &words);
		while (next_run(&part, &s))
			add_segment(g, (size_t)(s.text.p - text.p), s.text.n, s.number, &words);
	}
	drop_zeros(g);
}

/* Digits, then parts of letters and digits behind dots; behind the first hyphen more hyphens
 * may stand. */
static yg_status check_gem(struct yg_sv text, size_t *out_at, struct yg_err *err)
{
	struct yg_sv rest = text;
	bool hyphen = false, part = yg_version_digits(&rest).n > 0;
	*out_at = 0;
	if (!part || (rest.n > 0 && rest.p[0] != '.' && rest.p[0] != '-'))
		return YG_FAIL(err, YG_PARSE, "a number is wanted in front");
	for (size_t i = text.n - rest.n; i < text.n; i++) {
		char c = text.p[i];
		*out_at = i;
		if (yg_version_is_alnum(c) || (c == '-' && hyphen)) {
			part = true;
			continue;
		}
		if (!part || (c != '.' && c != '-'))
			return YG_FAIL(err, YG_PARSE, "a letter or digit is wanted here");
		hyphen = hyphen || c == '-';
		part = false;
	}
	*out_at = text.n;
	if (!part)
		return YG_FAIL(err, YG_PARSE, "a letter or digit is wanted here");
	return YG_OK;
}

static int cmp_segment(const struct segment *a, const struct segment *b)
{
	if (a->number != b->number)
		return a->number - b->number;
	return a->number ? yg_version_cmp_number(a->text, b->text)
			 : yg_version_sign(yg_sv_cmp(a->text, b->text));
}

static int cmp_gem(struct yg_sv a, struct yg_sv b)
{
	struct gem x, y;
	read_gem(a, &x);
	read_gem(b, &y);
	for (unsigned i = 0; i < x.n || i < y.n; i++) {
		struct segment s = gem_at(&x, i), t = gem_at(&y, i);
		int r = cmp_segment(&s, &t);
		if (r != 0)
			return r;
	}
	return 0;
}
const struct yg_version_order yg_version_order_gem = {check_gem, cmp_gem};

/* ---- generic: the ranks of libversion (Repology), with a wider list of words ---- */

enum rank { BEFORE, ZERO, AFTER, NONZERO, LETTERS };
struct component {
	enum rank rank;
	struct yg_sv text; /* what is compared inside a rank */
	bool number;
};

/* What stands for the word, "": it is none of them. */
static struct yg_sv known_word(struct yg_sv word, enum rank *rank)
{
	static const struct {
		const char *word, *stands_for;
		enum rank rank;
	} known[] = {
		{"alpha", "a", BEFORE},     {"beta", "b", BEFORE},
		{"milestone", "m", BEFORE}, {"pre", "pre", BEFORE},
		{"preview", "pre", BEFORE}, {"rc", "rc", BEFORE},
		{"cr", "rc", BEFORE},       {"snapshot", "snapshot", BEFORE},
		{"dev", "dev", BEFORE},     {"p", "p", AFTER},
		{"pl", "p", AFTER},         {"patch", "p", AFTER},
		{"post", "post", AFTER},    {"sp", "sp", AFTER},
		{"sr", "sr", AFTER},        {"u", "u", AFTER},
		{"update", "u", AFTER},     {"hf", "hf", AFTER},
		{"hotfix", "hf", AFTER},    {"cu", "cu", AFTER},
	};
	for (size_t i = 0; i < YG_LEN(known); i++)
		if (yg_sv_ieq(word, yg_sv_of(known[i].word))) {
			*rank = known[i].rank;
			return yg_sv_of(known[i].stands_for);
		}
	return YG_SV("");
}

/* Letters right behind digits and not before more of them are a suffix: 1.0a. */
static bool next_component(struct yg_sv *rest, bool *after_digits, struct component *out)
{
	struct segment s;
	bool touching = *after_digits && rest->n > 0 && yg_version_is_letter(rest->p[0]);
	if (!next_run(rest, &s))
		return false;
	*after_digits = s.number;
	out->text = s.text;
	out->number = s.number;
	if (s.number) {
		out->rank = is_zero(&s) ? ZERO : NONZERO;
		return true;
	}
	struct yg_sv stands_for = known_word(s.text, &out->rank);
	bool before_digits = rest->n > 0 && yg_version_is_digit(rest->p[0]);
	if (stands_for.n > 0 && !(touching && s.text.n == 1 && !before_digits)) {
		out->text = stands_for;
		return true;
	}
	out->rank = touching && !before_digits ? LETTERS : BEFORE;
	return true;
}

static yg_status check_generic(struct yg_sv text, size_t *out_at, struct yg_err *err)
{
	bool any = false;
	for (size_t i = 0; i < text.n; i++) {
		any = any || yg_version_is_alnum(text.p[i]);
		*out_at = i;
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
			return YG_FAIL(err, YG_PARSE, "a control character");
	}
	*out_at = 0;
	return any ? YG_OK : YG_FAIL(err, YG_PARSE, "neither a digit nor a letter");
}

static int cmp_generic(struct yg_sv a, struct yg_sv b)
{
	bool digits_a = false, digits_b = false;
	for (;;) {
		struct component x = {.rank = ZERO, .text = YG_SV("0"), .number = true}, y = x;
		bool more_a = next_component(&a, &digits_a, &x);
		bool more_b = next_component(&b, &digits_b, &y);
		if (!more_a && !more_b)
			return 0;
		if (x.rank != y.rank)
			return x.rank < y.rank ? -1 : 1;
		int r = x.number ? yg_version_cmp_number(x.text, y.text)
				 : yg_version_cmp_letters(x.text, y.text);
		if (r != 0)
			return r;
	}
}
const struct yg_version_order yg_version_order_generic = {check_generic, cmp_generic};
