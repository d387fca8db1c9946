/* group.c - what one bit stands for: the values of an item, each kind in its own table. */
#include "detect/build_internal.h"

struct group { /* that is being made */
	struct yg_detect_builder *b;
	const struct yg_sigma_item *item;
	uint32_t field, bit;
	uint32_t tests; /* lazy ones */
	bool guarded;   /* every lazy test has something that must be found first */
	uint32_t guard;
};

static void add_lazy(struct group *g, struct yg_detect_test test)
{
	struct yg_detect_test *t = YG_MORE(g->b, tests, struct yg_detect_test);
	if (t == NULL)
		return;
	*t = test;
	t->next = g->tests;
	g->tests = (uint32_t)g->b->tests.n - 1;
}

/* ---- text ---- */

static uint32_t put_pattern(struct group *g, const struct yg_sigma_pattern *p)
{
	struct yg_detect_builder *b = g->b;
	uint32_t first = (uint32_t)b->parts.n;
	for (size_t i = 0; i < p->count; i++) {
		char low[YG_DETECT_WILD_MAX];
		struct yg_sv t = p->parts[i].text;
		bool literal = p->parts[i].kind == YG_SIGMA_LITERAL;
		struct yg_detect_text kept = {0, 0};
		for (size_t j = 0; literal && j < YG_MIN(t.n, sizeof low); j++)
			low[j] = g->item->cased ? t.p[j]
						: (char)yg_detect_low((unsigned char)t.p[j]);
		if (literal)
			kept = yg_detect_keep(b, (struct yg_sv){low, YG_MIN(t.n, sizeof low)},
					      true);
		struct yg_detect_part *part = YG_MORE(b, parts, struct yg_detect_part);
		if (part == NULL)
			return YG_DETECT_NONE;
		*part = (struct yg_detect_part){p->parts[i].kind, kept};
	}
	struct yg_detect_pattern *slot = YG_MORE(b, patterns, struct yg_detect_pattern);
	if (slot == NULL)
		return YG_DETECT_NONE;
	*slot = (struct yg_detect_pattern){first, (uint32_t)p->count, g->item->cased, g->bit};
	return (uint32_t)b->patterns.n - 1;
}

static void add_pattern(struct group *g, const struct yg_sigma_pattern *p)
{
	size_t longest = SIZE_MAX, literals = 0, others = 0;
	for (size_t i = 0; i < p->count; i++) {
		bool literal = p->parts[i].kind == YG_SIGMA_LITERAL;
		literals += literal;
		others += !literal && p->parts[i].kind != YG_SIGMA_ANY;
		if (literal &&
		    (longest == SIZE_MAX || p->parts[i].text.n > p->parts[longest].text.n))
			longest = i;
	}
	if (p->count == 1 && literals == 0 && others == 0) { /* '*' */
		yg_detect_link(g->b, &YG_AT(g->b, fields, struct yg_detect_field, g->field)->always,
			       g->bit);
		return;
	}
	if (longest == SIZE_MAX) {
		g->guarded = false;
		add_lazy(g, (struct yg_detect_test){.kind = YG_TEST_PATTERN,
						    .which = put_pattern(g, p)});
		return;
	}
	uint32_t flags = (longest == 0 ? (unsigned)YG_LITERAL_START : 0u) |
			 (longest + 1 == p->count ? (unsigned)YG_LITERAL_END : 0u) |
			 (g->item->cased ? (unsigned)YG_LITERAL_CASED : 0u);
	bool alone = literals == 1 && others == 0;
	yg_detect_add_literal(g->b, g->field, p->parts[longest].text, flags, g->bit,
			      alone ? YG_DETECT_NONE : put_pattern(g, p));
}

static void add_text(struct group *g, const struct yg_sigma_value *v)
{
	for (size_t i = 0; i < v->pattern_count; i++) {
		const struct yg_sigma_pattern *p = &v->patterns[i];
		bool literal = p->count == 1 && p->parts[0].kind == YG_SIGMA_LITERAL;
		if (p->count == 0 || literal)
			yg_detect_add_exact(
				g->b, g->field, g->item->cased ? YG_EXACT_CASED : YG_EXACT_FOLDED,
				literal ? p->parts[0].text : (struct yg_sv){"", 0}, g->bit);
		else
			add_pattern(g, p);
	}
}

/* ---- other kinds ---- */

static void add_regex(struct group *g, const struct yg_sigma_value *v)
{
	char buf[256];
	uint32_t number = 0;
	if (yg_detect_regex(g->b, g->item, v, &number, NULL) != YG_OK) { /* it was had before */
		g->b->broken = true;
		return;
	}
	struct yg_sv must = yg_detect_required(v->text, buf, sizeof buf);
	if (must.n < 3)
		g->guarded = false;
	else
		yg_detect_add_literal(g->b, g->field, must, 0, g->guard, YG_DETECT_NONE);
	add_lazy(g, (struct yg_detect_test){.kind = YG_TEST_REGEX, .which = number});
}

static void add_net(struct group *g, const struct yg_sigma_value *v)
{
	char key[17];
	memcpy(key, v->net.b, 16);
	key[16] = (char)v->bits;
	for (unsigned i = v->bits; i < 128; i++) /* what is behind the network's bits is nothing */
		key[i / 8] = (char)((unsigned char)key[i / 8] & ~(0x80u >> i % 8));
	yg_detect_add_exact(g->b, g->field, YG_EXACT_NET, (struct yg_sv){key, sizeof key}, g->bit);
}

/* Of several bounds only the widest is asked. */
static bool widens(struct yg_detect_number *have, enum yg_sigma_compare c, double number)
{
	switch (c) {
	case YG_SIGMA_LT:
	case YG_SIGMA_LTE: have->number = YG_MAX(have->number, number); return true;
	case YG_SIGMA_GT:
	case YG_SIGMA_GTE: have->number = YG_MIN(have->number, number); return true;
	default: return false;
	}
}

static void add_number(struct group *g, const struct yg_sigma_value *v)
{
	struct yg_detect_field *f = YG_AT(g->b, fields, struct yg_detect_field, g->field);
	if (f->numbers != YG_DETECT_NONE) {
		struct yg_detect_number *last =
			YG_AT(g->b, numbers, struct yg_detect_number, f->numbers);
		if (last->bit == g->bit && widens(last, g->item->compare, v->number))
			return;
	}
	struct yg_detect_number *n = YG_MORE(g->b, numbers, struct yg_detect_number);
	if (n == NULL)
		return;
	*n = (struct yg_detect_number){v->number, g->item->compare, g->item->time, g->bit,
				       f->numbers};
	f->numbers = (uint32_t)g->b->numbers.n - 1;
}

static void add_ref(struct group *g, const struct yg_sigma_value *v)
{
	uint32_t other = yg_detect_field_of(g->b, v->text);
	g->guarded = false;
	add_lazy(g, (struct yg_detect_test){.kind = YG_TEST_FIELD,
					    .which = other,
					    .affix = g->item->affix,
					    .cased = g->item->cased});
}

static void add_test(struct group *g, const struct yg_sigma_value *v)
{
	switch (v->test) {
	case YG_SIGMA_TEXT: add_text(g, v); break;
	case YG_SIGMA_REGEX: add_regex(g, v); break;
	case YG_SIGMA_CIDR: add_net(g, v); break;
	case YG_SIGMA_NUMBER: add_number(g, v); break;
	default: add_ref(g, v);
	}
}

/* ---- groups ---- */

static void key_bytes(struct yg_buf *k, const void *p, size_t n)
{
	yg_buf_put(k, (struct yg_sv){p, n});
}

static void key_text(struct yg_buf *k, struct yg_sv s)
{
	key_bytes(k, &s.n, sizeof s.n);
	yg_buf_put(k, s);
}

/* Everything that makes a difference, so that equal keys mean equal tests. */
static struct yg_sv key_of(struct yg_detect_builder *b, const struct yg_sigma_item *item,
			   const struct yg_sigma_value *values, size_t count, uint32_t field)
{
	struct yg_buf *k = &b->text;
	unsigned head[] = {field,
			   item->cased,
			   item->regex_flags,
			   (unsigned)item->compare,
			   (unsigned)item->time,
			   (unsigned)item->affix};
	k->n = 0;
	key_bytes(k, head, sizeof head);
	for (size_t v = 0; v < count; v++) {
		key_bytes(k, &values[v].test, sizeof values[v].test);
		key_bytes(k, &values[v].pattern_count, sizeof values[v].pattern_count);
		if (values[v].test != YG_SIGMA_TEXT)
			key_text(k, values[v].text);
		for (size_t p = 0; p < values[v].pattern_count; p++) {
			const struct yg_sigma_pattern *pattern = &values[v].patterns[p];
			key_bytes(k, &pattern->count, sizeof pattern->count);
			for (size_t i = 0; i < pattern->count; i++) {
				key_bytes(k, &pattern->parts[i].kind,
					  sizeof pattern->parts[i].kind);
				key_text(k, pattern->parts[i].text);
			}
		}
	}
	b->broken = b->broken || yg_buf_done(k) != YG_OK;
	return yg_buf_sv(k);
}

/* How often it is likely to be set: the fewer characters, the more often. */
static uint8_t weight_of(const struct yg_sigma_value *values, size_t count)
{
	size_t shortest = SIZE_MAX;
	for (size_t v = 0; v < count; v++)
		for (size_t p = 0; p < values[v].pattern_count; p++) {
			size_t longest = 0;
			for (size_t i = 0; i < values[v].patterns[p].count; i++)
				longest = YG_MAX(longest, values[v].patterns[p].parts[i].text.n);
			shortest = YG_MIN(shortest, longest);
		}
	if (shortest == SIZE_MAX)
		return values[0].test == YG_SIGMA_REGEX ? 100 : 200;
	return (uint8_t)(200 - 4 * YG_MIN(shortest, (size_t)40));
}

static uint32_t make(struct group *g, const struct yg_sigma_value *values, size_t count)
{
	struct yg_detect_builder *b = g->b;
	uint8_t weight = weight_of(values, count);
	bool regex = values[0].test == YG_SIGMA_REGEX;
	g->bit = yg_detect_bit(b, g->field, weight);
	g->guard = regex ? yg_detect_bit(b, g->field, weight) : YG_DETECT_NONE;
	for (size_t v = 0; !b->broken && v < count; v++)
		add_test(g, &values[v]);
	if (b->broken)
		return YG_STEP(YG_OP_BIT, 0);
	if (g->tests == YG_DETECT_NONE)
		return YG_STEP(YG_OP_BIT, g->bit);
	struct yg_detect_lazy *lazy = YG_MORE(b, lazies, struct yg_detect_lazy);
	if (lazy == NULL)
		return YG_STEP(YG_OP_BIT, 0);
	uint32_t filled = YG_AT(b, fields, struct yg_detect_field, g->field)->present + 1;
	*lazy = (struct yg_detect_lazy){g->field, g->bit, g->guarded ? g->guard : filled, g->tests};
	return YG_STEP(YG_OP_LAZY, (uint32_t)b->lazies.n - 1);
}

uint32_t yg_detect_group_of(struct yg_detect_builder *b, const struct yg_sigma_item *item,
			    const struct yg_sigma_value *values, size_t count)
{
	struct group g = {b, item, yg_detect_field_of(b, item->field), 0, YG_DETECT_NONE, true, 0};
	size_t at = SIZE_MAX;
	uint32_t i;
	if (b->broken || !yg_index_room(&b->group_index)) {
		b->broken = true;
		return YG_STEP(YG_OP_BIT, 0);
	}
	struct yg_sv key = key_of(b, item, values, count, g.field);
	uint64_t hash = yg_detect_hash(&b->key, 2, key);
	while (yg_index_next(&b->group_index, hash, &at, &i)) {
		const struct yg_detect_group *have = YG_AT(b, groups, struct yg_detect_group, i);
		if (yg_sv_eq(yg_detect_kept(&b->keys, have->key), key))
			return have->step;
	}
	struct yg_detect_text kept = yg_detect_keep_key(b, key);
	struct yg_detect_group *slot = YG_MORE(b, groups, struct yg_detect_group);
	if (slot == NULL)
		return YG_STEP(YG_OP_BIT, 0);
	size_t number = b->groups.n - 1;
	slot->key = kept;
	yg_index_put(&b->group_index, at, hash, (uint32_t)number);
	uint32_t step = make(&g, values, count);
	YG_AT(b, groups, struct yg_detect_group, number)->step = step;
	return step;
}
