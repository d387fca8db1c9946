/* version_maven.c - Maven's "Version Order Specification", as ComparableVersion of Maven 3.8.7
 * has it.
 *
 * A version is a list of numbers and words; a hyphen, or a change between digits and letters,
 * opens a list inside it, which is its last element.  So the lists are a chain, and what
 * Maven does by recursion goes along it. */
#include "risk/version_internal.h"

#define ITEMS_MAX (YG_VERSION_TEXT_MAX + 1) /* a separator and the end make one each at most */

struct item {
	uint16_t at, n; /* in the version */
	int8_t rank;    /* of a word; NUMBER */
};
struct list {
	uint16_t from, n; /* its own items; the list inside it is behind them */
};
struct maven {
	const char *text;
	struct item item[ITEMS_MAX];
	struct list list[2 * ITEMS_MAX]; /* a word between digits opens two */
	unsigned items, lists;
};

enum { NUMBER = -1, RELEASE = 5, OTHER = 7 };

/* Aliases have the place of what they stand for. */
static int rank_of(struct yg_sv word, bool before_digit)
{
	static const struct {
		const char *word;
		int rank;
	} known[] = {{"alpha", 0},    {"beta", 1},        {"milestone", 2},
		     {"rc", 3},       {"cr", 3},          {"snapshot", 4},
		     {"ga", RELEASE}, {"final", RELEASE}, {"release", RELEASE},
		     {"sp", 6}};
	if (word.n == 1 && before_digit) {
		char c = yg_version_small(word.p[0]);
		if (c == 'a' || c == 'b')
			return c - 'a';
		if (c == 'm')
			return 2;
	}
	for (size_t i = 0; i < YG_LEN(known); i++)
		if (yg_sv_ieq(word, yg_sv_of(known[i].word)))
			return known[i].rank;
	return OTHER;
}

static struct yg_sv text_of(const struct maven *m, const struct item *i)
{
	return (struct yg_sv){m->text + i->at, i->n};
}

static void add_item(struct maven *m, size_t from, size_t to, bool digits, bool before_digit)
{
	struct item *i = &m->item[m->items++];
	*i = (struct item){(uint16_t)from, (uint16_t)(to - from), NUMBER};
	if (!digits && to > from)
		i->rank = (int8_t)rank_of(text_of(m, i), before_digit);
	m->list[m->lists - 1].n++;
}

static void open_list(struct maven *m)
{
	m->list[m->lists++] = (struct list){.from = (uint16_t)m->items};
}

/* A word that no dot or hyphen ends is in a list of its own: 1.x1 is 1-x1. */
static void open_word(struct maven *m)
{
	if (m->list[m->lists - 1].n > 0)
		open_list(m);
}

static bool is_zero(const struct maven *m, const struct item *i)
{
	return i->rank == NUMBER && yg_version_cmp_number(text_of(m, i), YG_SV("")) == 0;
}

/* What is zero or empty at the end of a list goes, the innermost list first. */
static void normalize(struct maven *m)
{
	for (unsigned i = m->lists; i > 0; i--) {
		struct list *l = &m->list[i - 1];
		for (; l->n > 0; l->n--) {
			const struct item *last = &m->item[l->from + l->n - 1];
			if (last->rank != RELEASE && !is_zero(m, last))
				break;
		}
		if (l->n == 0 && i == m->lists && i > 1)
			m->lists--;
	}
}

static void read_maven(struct yg_sv text, struct maven *m)
{
	size_t start = 0;
	bool digits = false;
	m->text = text.p;
	m->items = m->lists = 0;
	open_list(m);
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool digit = yg_version_is_digit(c);
		if (c == '.' || c == '-') {
			add_item(m, start, i, digits, false);
			start = i + 1;
			if (c == '-')
				open_list(m);
			continue;
		}
		if (digit != digits && i > start) {
			if (digit)
				open_word(m);
			add_item(m, start, i, digits, digit);
			start = i;
			open_list(m);
		}
		digits = digit;
	}
	if (start < text.n) {
		if (!digits)
			open_word(m);
		add_item(m, start, text.n, digits, false);
	}
	normalize(m);
}

static yg_status check_maven(struct yg_sv text, size_t *out_at, struct yg_err *err)
{
	for (size_t i = 0; i < text.n; i++)
		if (!yg_version_is_shown(text.p[i])) {
			*out_at = i;
			return YG_FAIL(err, YG_PARSE,
				       "a blank or a byte that is no ASCII character");
		}
	return YG_OK;
}

/* An element of a list: an item, the list behind the items, or nothing. */
enum kind { NOTHING, WORD, LIST, DIGITS };
static enum kind kind_at(const struct maven *m, unsigned list, unsigned at)
{
	const struct list *l = &m->list[list];
	if (at < l->n)
		return m->item[l->from + at].rank == NUMBER ? DIGITS : WORD;
	return at == l->n && list + 1 < m->lists ? LIST : NOTHING;
}

static int cmp_item_nothing(const struct maven *m, const struct item *i)
{
	return i->rank == NUMBER ? !is_zero(m, i) : (i->rank > RELEASE) - (i->rank < RELEASE);
}

/* A list is to nothing what the first of its elements is that is not equal to it. */
static int cmp_nothing(const struct maven *m, unsigned list, unsigned at)
{
	if (at < m->list[list].n)
		return cmp_item_nothing(m, &m->item[m->list[list].from + at]);
	for (unsigned l = list + 1; l < m->lists; l++)
		for (unsigned i = 0; i < m->list[l].n; i++) {
			int r = cmp_item_nothing(m, &m->item[m->list[l].from + i]);
			if (r != 0)
				return r;
		}
	return 0;
}

static int cmp_items(const struct maven *a, const struct item *i, const struct maven *b,
		     const struct item *k)
{
	if (i->rank == NUMBER)
		return yg_version_cmp_number(text_of(a, i), text_of(b, k));
	if (i->rank != k->rank || i->rank != OTHER)
		return (i->rank > k->rank) - (i->rank < k->rank);
	return yg_version_cmp_letters(text_of(a, i), text_of(b, k));
}

static int cmp_maven(struct yg_sv a, struct yg_sv b)
{
	struct maven x, y;
	unsigned list = 0, at = 0;
	read_maven(a, &x);
	read_maven(b, &y);
	for (;;) {
		enum kind ka = kind_at(&x, list, at), kb = kind_at(&y, list, at);
		if (ka == NOTHING && kb == NOTHING)
			return 0;
		if (ka == LIST && kb == LIST) {
			list++;
			at = 0;
			continue;
		}
		int r;
		if (ka == NOTHING)
			r = -cmp_nothing(&y, list, at);
		else if (kb == NOTHING)
			r = cmp_nothing(&x, list, at);
		else if (ka != kb)
			r = ka > kb ? 1 : -1;
		else
			r = cmp_items(&x, &x.item[x.list[list].from + at], &y,
				      &y.item[y.list[list].from + at]);
		if (r != 0)
			return r;
		at++;
	}
}
const struct yg_version_order yg_version_order_maven = {check_maven, cmp_maven};
