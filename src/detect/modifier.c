/* modifier.c - "field|mod|mod": which modifiers there are and which go together. */
#include "detect/read_internal.h"

/* Of one group at most one may stand at a field. */
enum group { G_NONE, G_TEST, G_AFFIX, G_UTF16, G_BASE64 };

static const struct modifier {
	const char *name;
	enum group group;
	enum yg_sigma_test test; /* what the field is asked; 0: nothing of its own */
	unsigned with;           /* tests it may stand at, a bit each */
} modifiers[YG_SIGMA_M_COUNT] = {
#define T (1u << YG_SIGMA_TEXT)
#define R (1u << YG_SIGMA_REGEX)
#define C (1u << YG_SIGMA_CIDR)
#define N (1u << YG_SIGMA_NUMBER)
#define F (1u << YG_SIGMA_FIELD)
#define E (1u << YG_SIGMA_EXISTS)
	[YG_SIGMA_M_ALL] = {"all", G_NONE, 0, T | R | C | F},
	[YG_SIGMA_M_STARTSWITH] = {"startswith", G_AFFIX, 0, T | F},
	[YG_SIGMA_M_ENDSWITH] = {"endswith", G_AFFIX, 0, T | F},
	[YG_SIGMA_M_CONTAINS] = {"contains", G_AFFIX, 0, T | F},
	[YG_SIGMA_M_EXISTS] = {"exists", G_TEST, YG_SIGMA_EXISTS, E},
	[YG_SIGMA_M_CASED] = {"cased", G_NONE, 0, T | F},
	[YG_SIGMA_M_NEQ] = {"neq", G_NONE, 0, T | R | C | N | F},
	[YG_SIGMA_M_WINDASH] = {"windash", G_NONE, 0, T},
	[YG_SIGMA_M_RE] = {"re", G_TEST, YG_SIGMA_REGEX, R},
	[YG_SIGMA_M_I] = {"i", G_NONE, 0, R},
	[YG_SIGMA_M_M] = {"m", G_NONE, 0, R},
	[YG_SIGMA_M_S] = {"s", G_NONE, 0, R},
	[YG_SIGMA_M_BASE64] = {"base64", G_BASE64, 0, T},
	[YG_SIGMA_M_BASE64OFFSET] = {"base64offset", G_BASE64, 0, T},
	[YG_SIGMA_M_UTF16LE] = {"utf16le", G_UTF16, 0, T},
	[YG_SIGMA_M_UTF16BE] = {"utf16be", G_UTF16, 0, T},
	[YG_SIGMA_M_UTF16] = {"utf16", G_UTF16, 0, T},
	[YG_SIGMA_M_WIDE] = {"wide", G_UTF16, 0, T},
	[YG_SIGMA_M_LT] = {"lt", G_TEST, YG_SIGMA_NUMBER, N},
	[YG_SIGMA_M_LTE] = {"lte", G_TEST, YG_SIGMA_NUMBER, N},
	[YG_SIGMA_M_GT] = {"gt", G_TEST, YG_SIGMA_NUMBER, N},
	[YG_SIGMA_M_GTE] = {"gte", G_TEST, YG_SIGMA_NUMBER, N},
	[YG_SIGMA_M_MINUTE] = {"minute", G_NONE, YG_SIGMA_NUMBER, N},
	[YG_SIGMA_M_HOUR] = {"hour", G_NONE, YG_SIGMA_NUMBER, N},
	[YG_SIGMA_M_DAY] = {"day", G_NONE, YG_SIGMA_NUMBER, N},
	[YG_SIGMA_M_WEEK] = {"week", G_NONE, YG_SIGMA_NUMBER, N},
	[YG_SIGMA_M_MONTH] = {"month", G_NONE, YG_SIGMA_NUMBER, N},
	[YG_SIGMA_M_YEAR] = {"year", G_NONE, YG_SIGMA_NUMBER, N},
	[YG_SIGMA_M_CIDR] = {"cidr", G_TEST, YG_SIGMA_CIDR, C},
	[YG_SIGMA_M_EXPAND] = {"expand", G_NONE, 0, T},
	[YG_SIGMA_M_FIELDREF] = {"fieldref", G_TEST, YG_SIGMA_FIELD, F},
#undef T
#undef R
#undef C
#undef N
#undef F
#undef E
};

static bool is_time(enum yg_sigma_modifier m)
{
	return m >= YG_SIGMA_M_MINUTE && m <= YG_SIGMA_M_YEAR;
}

static bool is_regex_flag(enum yg_sigma_modifier m)
{
	return m >= YG_SIGMA_M_I && m <= YG_SIGMA_M_S;
}

static yg_status find(struct yg_sigma_reader *r, const struct yg_yaml *n, struct yg_sv word,
		      enum yg_sigma_modifier *out)
{
	struct yg_sigma_quote q;
	for (unsigned i = 0; i < YG_SIGMA_M_COUNT; i++)
		if (yg_sv_eq(word, yg_sv_of(modifiers[i].name))) {
			*out = (enum yg_sigma_modifier)i;
			return YG_OK;
		}
	return yg_sigma_fail(r, n, "there is no modifier '%s'", yg_sigma_quoted(&q, word));
}

/* The next modifier beside those before it. */
static yg_status add(struct yg_sigma_reader *r, const struct yg_yaml *n, struct yg_sigma_key *k,
		     enum yg_sigma_modifier m)
{
	const struct modifier *new = &modifiers[m];
	if (k->count == YG_SIGMA_MODIFIERS_MAX)
		return yg_sigma_fail(r, n, "more than %d modifiers", YG_SIGMA_MODIFIERS_MAX);
	if (yg_sigma_key_has(k, m))
		return yg_sigma_fail(r, n, "the modifier '%s' stands twice", new->name);
	for (size_t i = 0; i < k->count; i++) {
		const struct modifier *old = &modifiers[k->order[i]];
		if ((new->group != G_NONE &&new->group == old->group) ||
		    (is_time(m) && is_time(k->order[i])))
			return yg_sigma_fail(r, n, "'%s' and '%s' exclude each other", old->name,
					     new->name);
	}
	if (is_regex_flag(m) && (k->count == 0 || (k->order[k->count - 1] != YG_SIGMA_M_RE &&
						   !is_regex_flag(k->order[k->count - 1]))))
		return yg_sigma_fail(r, n, "'%s' stands behind 're' only", new->name);
	k->order[k->count++] = m;
	k->set |= UINT64_C(1) << m;
	return YG_OK;
}

static yg_status check(struct yg_sigma_reader *r, const struct yg_yaml *n, struct yg_sigma_key *k)
{
	const char *who = "a text";
	k->test = YG_SIGMA_TEXT;
	for (size_t i = 0; i < k->count; i++)
		if (modifiers[k->order[i]].test != 0 && k->test == YG_SIGMA_TEXT) {
			k->test = modifiers[k->order[i]].test;
			who = modifiers[k->order[i]].name;
		}
	for (size_t i = 0; i < k->count; i++)
		if ((modifiers[k->order[i]].with >> k->test & 1) == 0)
			return yg_sigma_fail(r, n, "'%s' and '%s' do not go together",
					     modifiers[k->order[i]].name, who);
	if (k->field.n > 0)
		return YG_OK;
	if (k->test != YG_SIGMA_TEXT && k->test != YG_SIGMA_REGEX)
		return yg_sigma_fail(r, n, "'%s' needs a field", who);
	if (yg_sigma_key_has(k, YG_SIGMA_M_NEQ) || yg_sigma_key_has(k, YG_SIGMA_M_STARTSWITH) ||
	    yg_sigma_key_has(k, YG_SIGMA_M_ENDSWITH))
		return yg_sigma_fail(r, n, "'neq', 'startswith' and 'endswith' need a field");
	return YG_OK;
}

static void fill(const struct yg_sigma_key *k, struct yg_sigma_item *item)
{
	static const enum yg_sigma_compare compares[] = {YG_SIGMA_LT, YG_SIGMA_LTE, YG_SIGMA_GT,
							 YG_SIGMA_GTE};
	item->field = k->field;
	item->all = yg_sigma_key_has(k, YG_SIGMA_M_ALL);
	item->neq = yg_sigma_key_has(k, YG_SIGMA_M_NEQ);
	item->cased = yg_sigma_key_has(k, YG_SIGMA_M_CASED);
	item->compare = YG_SIGMA_EQ;
	item->regex_flags = (yg_sigma_key_has(k, YG_SIGMA_M_I) ? YG_SIGMA_RE_I : 0) |
			    (yg_sigma_key_has(k, YG_SIGMA_M_M) ? YG_SIGMA_RE_M : 0) |
			    (yg_sigma_key_has(k, YG_SIGMA_M_S) ? YG_SIGMA_RE_S : 0);
	item->affix = yg_sigma_key_has(k, YG_SIGMA_M_CONTAINS)     ? YG_SIGMA_CONTAINS
		      : yg_sigma_key_has(k, YG_SIGMA_M_STARTSWITH) ? YG_SIGMA_STARTS
		      : yg_sigma_key_has(k, YG_SIGMA_M_ENDSWITH)   ? YG_SIGMA_ENDS
								   : YG_SIGMA_WHOLE;
	for (size_t i = 0; i < k->count; i++) {
		enum yg_sigma_modifier m = k->order[i];
		if (m >= YG_SIGMA_M_LT && m <= YG_SIGMA_M_GTE)
			item->compare = compares[m - YG_SIGMA_M_LT];
		else if (is_time(m))
			item->time = (enum yg_sigma_time)(m - YG_SIGMA_M_MINUTE + YG_SIGMA_MINUTE);
	}
}

yg_status yg_sigma_key_read(struct yg_sigma_reader *r, const struct yg_yaml *n,
			    struct yg_sigma_key *out, struct yg_sigma_item *item)
{
	struct yg_sv rest = n->key, word;
	yg_status st = YG_OK;
	*out = (struct yg_sigma_key){.test = YG_SIGMA_TEXT};
	(void)yg_sv_cut(&rest, '|', &out->field);
	if (out->field.n > 256)
		return yg_sigma_fail(r, n, "the name of the field is longer than 256 bytes");
	if (out->field.n == n->key.n) /* no bar at all */
		rest.n = 0;
	while (st == YG_OK && out->field.n < n->key.n && yg_sv_cut(&rest, '|', &word)) {
		enum yg_sigma_modifier m;
		st = find(r, n, word, &m);
		if (st == YG_OK)
			st = add(r, n, out, m);
	}
	if (st == YG_OK)
		st = check(r, n, out);
	if (st == YG_OK) {
		item->line = n->line;
		fill(out, item);
	}
	return st;
}
