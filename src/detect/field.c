/* field.c - fields, their bits, and the tables of texts: each text of a field once. */
#include "detect/build_internal.h"

uint32_t yg_detect_bit(struct yg_detect_builder *b, uint32_t field, uint8_t weight)
{
	if (b->weights.n >= YG_DETECT_BITS_MAX)
		b->broken = true;
	uint8_t *w = YG_MORE(b, weights, uint8_t);
	uint32_t *owner = YG_MORE(b, owners, uint32_t);
	if (w == NULL || owner == NULL)
		return YG_DETECT_NONE;
	*w = weight;
	*owner = field;
	return (uint32_t)b->weights.n - 1;
}

/* The number of a field's name. */
static uint32_t name_of(struct yg_detect_builder *b, struct yg_sv name)
{
	uint64_t hash = yg_detect_name_hash(&b->key, name);
	size_t at = SIZE_MAX;
	uint32_t i;
	if (!yg_index_room(&b->name_index)) {
		b->broken = true;
		return YG_DETECT_NONE;
	}
	while (yg_index_next(&b->name_index, hash, &at, &i))
		if (yg_sv_eq(yg_detect_kept(&b->pool,
					    YG_AT(b, names, struct yg_detect_name, i)->text),
			     name))
			return i;
	struct yg_detect_text text = yg_detect_keep(b, name, true);
	struct yg_detect_name *n = YG_MORE(b, names, struct yg_detect_name);
	if (n == NULL)
		return YG_DETECT_NONE;
	*n = (struct yg_detect_name){text, YG_DETECT_NONE};
	yg_index_put(&b->name_index, at, hash, (uint32_t)b->names.n - 1);
	return (uint32_t)b->names.n - 1;
}

void yg_detect_builder_reads(struct yg_detect_builder *b, const struct yg_sigma_correlation *c)
{
	for (size_t i = 0; i < c->group_count; i++)
		(void)name_of(b, c->group_by[i]);
	for (size_t i = 0; i < c->alias_count; i++)
		(void)name_of(b, c->aliases[i].field);
	for (size_t i = 0; i < c->field_count; i++)
		(void)name_of(b, c->fields[i]);
}

static uint32_t new_field(struct yg_detect_builder *b, uint32_t name)
{
	uint32_t number = (uint32_t)b->fields.n;
	struct yg_detect_text text = {0, 0};
	if (name != YG_DETECT_NONE)
		text = YG_AT(b, names, struct yg_detect_name, name)->text;
	uint32_t present = yg_detect_bit(b, number, 250), filled = yg_detect_bit(b, number, 250);
	struct yg_detect_field *f = YG_MORE(b, fields, struct yg_detect_field);
	if (f == NULL || filled != present + 1) {
		b->broken = true;
		return YG_DETECT_NONE;
	}
	*f = (struct yg_detect_field){.name = text,
				      .number = name,
				      .source = b->source,
				      .present = present,
				      .always = YG_DETECT_NONE,
				      .numbers = YG_DETECT_NONE};
	return number;
}

uint32_t yg_detect_field_of(struct yg_detect_builder *b, struct yg_sv name)
{
	size_t at = SIZE_MAX;
	uint32_t i;
	if (b->broken || !yg_index_room(&b->field_index)) {
		b->broken = true;
		return YG_DETECT_NONE;
	}
	if (name.n == 0) {
		uint32_t *own = YG_AT(b, keyword_fields, uint32_t, b->source);
		if (*own == YG_DETECT_NONE)
			*own = new_field(b, YG_DETECT_NONE);
		return *own;
	}
	uint32_t which = name_of(b, name);
	if (which == YG_DETECT_NONE)
		return YG_DETECT_NONE;
	uint64_t hash = yg_hash_mix(((uint64_t)which << 32 | b->source) ^ b->key.k[0], b->key.k[1]);
	while (yg_index_next(&b->field_index, hash, &at, &i)) {
		const struct yg_detect_field *f = YG_AT(b, fields, struct yg_detect_field, i);
		if (f->number == which && f->source == b->source)
			return i;
	}
	uint32_t number = new_field(b, which);
	if (number != YG_DETECT_NONE)
		yg_index_put(&b->field_index, at, hash, number);
	return number;
}

/* Lower case into b->text. */
static struct yg_sv fold(struct yg_detect_builder *b, struct yg_sv s)
{
	b->text.n = 0;
	for (size_t i = 0; i < s.n; i++)
		yg_buf_putc(&b->text, (char)yg_detect_low((unsigned char)s.p[i]));
	b->broken = b->broken || yg_buf_done(&b->text) != YG_OK;
	return yg_buf_sv(&b->text);
}

void yg_detect_add_exact(struct yg_detect_builder *b, uint32_t field,
			 enum yg_detect_exact_kind kind, struct yg_sv value, uint32_t bit)
{
	struct yg_sv own = kind == YG_EXACT_FOLDED ? fold(b, value) : value;
	uint64_t hash = yg_detect_hash(&b->key, yg_detect_exact_seed(field, kind), own);
	size_t at = SIZE_MAX;
	uint32_t i;
	if (b->broken || !yg_index_room(&b->exact_index)) {
		b->broken = true;
		return;
	}
	while (yg_index_next(&b->exact_index, hash, &at, &i)) {
		struct yg_detect_exact *x = YG_AT(b, exacts, struct yg_detect_exact, i);
		if (x->field == field && x->kind == (uint32_t)kind &&
		    yg_sv_eq(yg_detect_kept(&b->pool, x->text), own)) {
			yg_detect_link(b, &x->bits, bit);
			return;
		}
	}
	struct yg_detect_text text = yg_detect_keep(b, own, true);
	struct yg_detect_exact *x = YG_MORE(b, exacts, struct yg_detect_exact);
	if (x == NULL)
		return;
	*x = (struct yg_detect_exact){text, field, (uint32_t)kind, YG_DETECT_NONE, YG_DETECT_NONE};
	yg_detect_link(b, &x->bits, bit);
	yg_index_put(&b->exact_index, at, hash, (uint32_t)b->exacts.n - 1);
	struct yg_detect_field *f = YG_AT(b, fields, struct yg_detect_field, field);
	f->exact |= 1u << kind;
	if (kind == YG_EXACT_NET)
		f->nets[(unsigned char)own.p[16] / 32] |= 1u << (unsigned char)own.p[16] % 32;
	else
		b->info.exact_longest = YG_MAX(b->info.exact_longest, (uint32_t)own.n);
}

void yg_detect_add_literal(struct yg_detect_builder *b, uint32_t field, struct yg_sv text,
			   uint32_t flags, uint32_t bit, uint32_t pattern)
{
	struct yg_sv own = (flags & YG_LITERAL_CASED) != 0 ? text : fold(b, text);
	uint64_t hash = yg_detect_hash(&b->key, (uint64_t)field * 8 + flags, own);
	size_t at = SIZE_MAX;
	uint32_t i;
	struct yg_detect_literal *l = NULL;
	if (b->broken || !yg_index_room(&b->literal_index)) {
		b->broken = true;
		return;
	}
	while (l == NULL && yg_index_next(&b->literal_index, hash, &at, &i)) {
		struct yg_detect_literal *x = YG_AT(b, literals, struct yg_detect_literal, i);
		if (x->field == field && x->flags == flags &&
		    yg_sv_eq(yg_detect_kept(&b->pool, x->text), own))
			l = x;
	}
	if (l == NULL) {
		struct yg_detect_text kept = yg_detect_keep(b, own, true);
		l = YG_MORE(b, literals, struct yg_detect_literal);
		if (l == NULL)
			return;
		*l = (struct yg_detect_literal){.text = kept,
						.field = field,
						.flags = flags,
						.bits = YG_DETECT_NONE,
						.patterns = YG_DETECT_NONE};
		yg_index_put(&b->literal_index, at, hash, (uint32_t)b->literals.n - 1);
	}
	if (pattern == YG_DETECT_NONE)
		yg_detect_link(b, &l->bits, bit);
	else
		yg_detect_link(b, &l->patterns, pattern);
}
