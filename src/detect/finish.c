/* finish.c - the tables made ready to be asked: hash slots, and the anchors of literals.
 *
 * A literal is found by grams, up to four of its bytes: of those it has, the ones that the
 * fewest literals of the field have.  A value is gone through once, long literals at every
 * fourth byte; one bit of a filter says that no literal's gram is here, nearly always. */
#include <stdlib.h>

#include "detect/build_internal.h"

#define FILTER_BITS     64 /* of an anchor: one byte of 64 is looked at for nothing */
#define GRAMS_LOOKED_AT 64 /* of one literal, to choose from */

/* `count` words with one value; where they begin. */
static uint32_t words(struct yg_detect_builder *b, size_t count, uint32_t value)
{
	size_t at = b->words.n;
	for (size_t i = 0; i < count && !b->broken; i++) {
		uint32_t *w = YG_MORE(b, words, uint32_t);
		if (w != NULL)
			*w = value;
	}
	return (uint32_t)at;
}

static size_t power_above(size_t n, size_t least)
{
	size_t p = least;
	while (p < n)
		p *= 2;
	return p;
}

static uint32_t shift_of(size_t power)
{
	return 64 - (uint32_t)__builtin_ctzll(power);
}

/* ---- exact values and names ---- */

static void link_slots(struct yg_detect_builder *b)
{
	size_t exacts = power_above(b->exacts.n * 2, 64), names = power_above(b->names.n * 2, 64);
	b->info.exact_slots = words(b, exacts, YG_DETECT_NONE);
	b->info.exact_mask = (uint32_t)exacts - 1;
	b->info.name_slots = words(b, names, YG_DETECT_NONE);
	b->info.name_mask = (uint32_t)names - 1;
	for (size_t i = 0; !b->broken && i < b->exacts.n; i++) {
		struct yg_detect_exact *x = YG_AT(b, exacts, struct yg_detect_exact, i);
		uint64_t hash = yg_detect_hash(&b->key, yg_detect_exact_seed(x->field, x->kind),
					       yg_detect_kept(&b->pool, x->text));
		uint32_t *slot = YG_AT(b, words, uint32_t,
				       b->info.exact_slots + (hash & b->info.exact_mask));
		x->next = *slot;
		*slot = (uint32_t)i;
	}
	for (size_t i = 0; !b->broken && i < b->names.n; i++) {
		struct yg_detect_name *x = YG_AT(b, names, struct yg_detect_name, i);
		uint64_t hash = yg_detect_name_hash(&b->key, yg_detect_kept(&b->pool, x->text));
		uint32_t *slot =
			YG_AT(b, words, uint32_t, b->info.name_slots + (hash & b->info.name_mask));
		x->next = *slot;
		*slot = (uint32_t)i;
	}
}

/* ---- grams ---- */

struct uses { /* how many literals of a field have a gram */
	struct yg_vec list;
	struct yg_index index;
};

static uint32_t gram_at(struct yg_sv text, size_t at, uint32_t n)
{
	uint32_t gram = 0;
	for (uint32_t i = 0; i < n; i++)
		gram |= (uint32_t)yg_detect_low((unsigned char)text.p[at + i]) << 8 * i;
	return gram;
}

/* The use of a gram, a new one when there is none; NULL: no memory. */
static struct yg_detect_gram_use *use_of(struct yg_detect_builder *b, struct uses *u,
					 uint32_t field, uint32_t gram, uint32_t n)
{
	uint64_t hash = yg_hash_mix(yg_detect_gram_hash(gram, n), field + 1);
	size_t at = SIZE_MAX;
	uint32_t i;
	if (!yg_index_room(&u->index))
		return NULL;
	while (yg_index_next(&u->index, hash, &at, &i)) {
		struct yg_detect_gram_use *x = &((struct yg_detect_gram_use *)u->list.p)[i];
		if (x->field == field && x->gram == gram && x->n == n)
			return x;
	}
	struct yg_detect_gram_use *x = yg_detect_more(b, &u->list, sizeof *x);
	if (x == NULL)
		return NULL;
	*x = (struct yg_detect_gram_use){field, gram, n, 0};
	yg_index_put(&u->index, at, hash, (uint32_t)u->list.n - 1);
	return x;
}

/* How many places of a literal there are to choose from; *n: bytes of a gram. */
static size_t choices(const struct yg_detect_literal *l, uint32_t *n)
{
	*n = YG_MIN(l->text.n, (uint32_t)YG_DETECT_GRAM);
	return YG_MIN((size_t)(l->text.n - *n) + 1, (size_t)GRAMS_LOOKED_AT);
}

static void count_grams(struct yg_detect_builder *b, struct uses *u)
{
	uint32_t n;
	for (size_t i = 0; !b->broken && i < b->literals.n; i++) {
		struct yg_detect_literal *l = YG_AT(b, literals, struct yg_detect_literal, i);
		struct yg_sv text = yg_detect_kept(&b->pool, l->text);
		for (size_t at = 0, most = choices(l, &n); at < most; at++) {
			struct yg_detect_gram_use *x =
				use_of(b, u, l->field, gram_at(text, at, n), n);
			b->broken = b->broken || x == NULL;
			if (x != NULL)
				x->count++;
		}
	}
}

static void add_anchors(struct yg_detect_builder *b, struct uses *u, uint32_t literal)
{
	const struct yg_detect_literal *l = YG_AT(b, literals, struct yg_detect_literal, literal);
	struct yg_sv text = yg_detect_kept(&b->pool, l->text);
	uint32_t n, least = UINT32_MAX, best = 0;
	size_t most = choices(l, &n), row = l->text.n >= YG_ANCHOR_FAR_LEAST ? 4 : 1;
	for (uint32_t at = 0; at + row <= most; at++) {
		uint32_t sum = 0;
		for (size_t i = 0; i < row; i++) {
			const struct yg_detect_gram_use *x =
				use_of(b, u, l->field, gram_at(text, at + i, n), n);
			sum += x != NULL ? x->count : 0;
		}
		if (sum < least) {
			least = sum;
			best = at;
		}
	}
	for (uint32_t i = 0; i < row; i++) {
		struct yg_detect_anchor *a = YG_MORE(b, anchors, struct yg_detect_anchor);
		if (a == NULL)
			return;
		*a = (struct yg_detect_anchor){gram_at(text, best + i, n),
					       row > 1 ? (uint32_t)YG_ANCHOR_FAR : n, best + i,
					       literal, YG_DETECT_NONE};
	}
}

static uint32_t field_of(struct yg_detect_builder *b, const struct yg_detect_anchor *a)
{
	return YG_AT(b, literals, struct yg_detect_literal, a->literal)->field;
}

/* Filters and slots of every field; then the anchors into them. */
static void link_anchors(struct yg_detect_builder *b, uint32_t *per_field)
{
	for (size_t i = 0; i < b->anchors.n; i++)
		per_field[field_of(b, YG_AT(b, anchors, struct yg_detect_anchor, i))]++;
	for (size_t f = 0; !b->broken && f < b->fields.n; f++) {
		struct yg_detect_field *field = YG_AT(b, fields, struct yg_detect_field, f);
		if (per_field[f] == 0)
			continue;
		size_t bits = power_above((size_t)per_field[f] * FILTER_BITS, 512);
		size_t slots = power_above((size_t)per_field[f] * 2, 16);
		field->filter = (uint32_t)b->filter.n;
		field->filter_shift = shift_of(bits);
		field->slots = words(b, slots, YG_DETECT_NONE);
		field->slot_shift = shift_of(slots);
		for (size_t i = 0; i < bits / 64; i++)
			(void)YG_MORE(b, filter, uint64_t);
	}
	for (size_t i = 0; !b->broken && i < b->anchors.n; i++) {
		struct yg_detect_anchor *a = YG_AT(b, anchors, struct yg_detect_anchor, i);
		struct yg_detect_field *f =
			YG_AT(b, fields, struct yg_detect_field, field_of(b, a));
		uint64_t hash = yg_detect_gram_hash(a->gram, a->kind);
		uint64_t bit = hash >> f->filter_shift;
		*YG_AT(b, filter, uint64_t, f->filter + bit / 64) |= UINT64_C(1) << bit % 64;
		uint32_t *slot = YG_AT(b, words, uint32_t, f->slots + (hash >> f->slot_shift));
		a->next = *slot;
		*slot = (uint32_t)i;
		f->anchors |= 1u << a->kind;
	}
}

static void finish_literals(struct yg_detect_builder *b)
{
	struct uses u = {{NULL, 0, 0}, {NULL, 0, 0}};
	uint32_t *per_field = calloc(b->fields.n + 1, sizeof *per_field);
	b->broken = b->broken || per_field == NULL;
	count_grams(b, &u);
	for (size_t i = 0; !b->broken && i < b->literals.n; i++)
		add_anchors(b, &u, (uint32_t)i);
	if (!b->broken)
		link_anchors(b, per_field);
	b->info.anchor_count = (uint32_t)b->anchors.n;
	b->info.anchors =
		words(b, b->anchors.n * sizeof(struct yg_detect_anchor) / sizeof(uint32_t), 0);
	if (!b->broken && b->anchors.n > 0)
		memcpy(YG_AT(b, words, uint32_t, b->info.anchors), b->anchors.p,
		       b->anchors.n * sizeof(struct yg_detect_anchor));
	free(per_field);
	free(u.list.p);
	free(u.index.slots);
}

/* ---- the rest ---- */

static void move_steps(struct yg_detect_builder *b)
{
	uint32_t base = words(b, b->steps.n, 0);
	if (b->broken)
		return;
	if (b->steps.n > 0)
		memcpy(YG_AT(b, words, uint32_t, base), b->steps.p, b->steps.n * sizeof(uint32_t));
	for (size_t r = 0; r < b->rules.n; r++)
		YG_AT(b, rules, struct yg_detect_rule, r)->first += base;
	b->info.owners = words(b, b->owners.n, 0);
	if (!b->broken && b->owners.n > 0)
		memcpy(YG_AT(b, words, uint32_t, b->info.owners), b->owners.p,
		       b->owners.n * sizeof(uint32_t));
}

static void move_keywords(struct yg_detect_builder *b)
{
	b->info.keywords = words(b, b->sources.n, YG_DETECT_NONE);
	if (!b->broken && b->sources.n > 0)
		memcpy(YG_AT(b, words, uint32_t, b->info.keywords), b->keyword_fields.p,
		       b->sources.n * sizeof(uint32_t));
}

yg_status yg_detect_finish(struct yg_detect_builder *b, struct yg_err *err)
{
	b->info.bits = (uint32_t)b->weights.n;
	link_slots(b);
	finish_literals(b);
	move_steps(b);
	move_keywords(b);
	b->info.triggers = words(b, (size_t)b->info.bits + b->sources.n, YG_DETECT_NONE);
	if (!b->broken)
		yg_detect_find_triggers(b);
	struct yg_detect_info *info = YG_MORE(b, infos, struct yg_detect_info);
	if (info == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory to compile the rules");
	*info = b->info;
	return YG_OK;
}
