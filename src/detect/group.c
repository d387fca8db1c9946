/* group.c - fields, and what one bit stands for, each made once. */
#include "detect/build_internal.h"

bool yg_detect_room(struct yg_detect_builder *b, struct yg_arena *arena, void *list, size_t *cap,
		    size_t count, size_t size)
{
	if (count < *cap)
		return true;
	size_t more = *cap > 0 ? *cap * 2 : 64;
	void *to = yg_arena_zalloc(arena, more, size, 16);
	if (to == NULL) {
		b->broken = true;
		return false;
	}
	void *old;
	memcpy(&old, list, sizeof old);
	if (count > 0)
		memcpy(to, old, count * size);
	memcpy(list, &to, sizeof to);
	*cap = more;
	return true;
}

/* A bit that is likely to be set as often as `weight` says; NONE: no memory. */
static uint32_t new_bit(struct yg_detect_builder *b, uint8_t weight)
{
	struct yg_detect *d = b->d;
	if (d->bit_count == YG_DETECT_GROUPS_MAX ||
	    !YG_DETECT_ROOM(b, &b->scratch, b->weights, b->weight_cap, d->bit_count)) {
		b->broken = true;
		return YG_DETECT_NONE;
	}
	b->weights[d->bit_count] = weight;
	return (uint32_t)d->bit_count++;
}

uint32_t yg_detect_field_of(struct yg_detect_builder *b, struct yg_sv name)
{
	struct yg_detect *d = b->d;
	uint32_t *slot = &d->field_slots[yg_detect_hash(d, 1, name) & d->field_mask];
	for (uint32_t i = *slot; i != YG_DETECT_NONE; i = d->fields[i].next)
		if (yg_sv_eq(d->fields[i].name, name))
			return i;
	struct yg_sv own = yg_arena_dup(&d->arena, name);
	uint32_t present = new_bit(b, 200), filled = new_bit(b, 200);
	if (own.p == NULL || filled == YG_DETECT_NONE ||
	    !YG_DETECT_ROOM(b, &d->arena, d->fields, b->field_cap, d->field_count)) {
		b->broken = true;
		return YG_DETECT_NONE;
	}
	d->fields[d->field_count] = (struct yg_detect_field){.name = own,
							     .next = *slot,
							     .present = present,
							     .nets = YG_DETECT_NONE,
							     .numbers = YG_DETECT_NONE};
	*slot = (uint32_t)d->field_count;
	return (uint32_t)d->field_count++;
}

/* ---- the tests of a group ---- */

static bool add_expression(struct yg_detect_builder *b, uint32_t field, uint32_t bit,
			   struct yg_sv text, unsigned flags)
{
	struct yg_sv own = yg_arena_dup(&b->scratch, text);
	if (own.p == NULL ||
	    !YG_DETECT_ROOM(b, &b->scratch, b->expressions, b->expression_cap, b->expression_count))
		return false;
	b->expressions[b->expression_count++] =
		(struct yg_detect_expression){(char *)(uintptr_t)own.p, flags, field, bit};
	return true;
}

static bool add_exact(struct yg_detect_builder *b, uint32_t field, uint32_t bit, struct yg_sv value,
		      bool cased)
{
	struct yg_detect *d = b->d;
	char *own = yg_arena_alloc(&d->arena, value.n + 1, 1);
	if (own == NULL || !YG_DETECT_ROOM(b, &d->arena, d->exacts, b->exact_cap, b->exact_count))
		return false;
	for (size_t i = 0; i < value.n; i++)
		own[i] = cased ? value.p[i] : (char)yg_detect_low((unsigned char)value.p[i]);
	d->exacts[b->exact_count++] =
		(struct yg_detect_exact){{own, value.n}, field, bit, cased, YG_DETECT_NONE};
	d->exact_longest = YG_MAX(d->exact_longest, value.n);
	d->fields[field].exact = d->fields[field].exact || !cased;
	d->fields[field].exact_cased = d->fields[field].exact_cased || cased;
	return true;
}

static bool add_text(struct yg_detect_builder *b, const struct yg_sigma_item *item,
		     const struct yg_sigma_value *v, uint32_t field, uint32_t bit)
{
	for (size_t i = 0; i < v->pattern_count; i++) {
		const struct yg_sigma_pattern *p = &v->patterns[i];
		bool literal = p->count == 1 && p->parts[0].kind == YG_SIGMA_LITERAL;
		if (p->count == 0 || (literal && item->field.n > 0)) {
			if (!add_exact(b, field, bit,
				       literal ? p->parts[0].text : (struct yg_sv){"", 0},
				       item->cased))
				return false;
			continue;
		}
		yg_detect_expression_put(&b->text, p);
		if (yg_buf_done(&b->text) != YG_OK ||
		    !add_expression(b, field, bit, (struct yg_sv){b->text.p, b->text.n - 1},
				    yg_detect_expression_flags(item, v->test)))
			return false;
	}
	return true;
}

static bool add_net(struct yg_detect_builder *b, const struct yg_sigma_value *v, uint32_t field,
		    uint32_t bit)
{
	struct yg_detect *d = b->d;
	if (!YG_DETECT_ROOM(b, &d->arena, d->nets, b->net_cap, b->net_count))
		return false;
	d->nets[b->net_count] = (struct yg_detect_net){v->net, v->bits, bit, d->fields[field].nets};
	d->fields[field].nets = (uint32_t)b->net_count++;
	return true;
}

static bool add_number(struct yg_detect_builder *b, const struct yg_sigma_item *item,
		       const struct yg_sigma_value *v, uint32_t field, uint32_t bit)
{
	struct yg_detect *d = b->d;
	if (!YG_DETECT_ROOM(b, &d->arena, d->numbers, b->number_cap, b->number_count))
		return false;
	d->numbers[b->number_count] = (struct yg_detect_number){
		v->number, item->compare, item->time, bit, d->fields[field].numbers};
	d->fields[field].numbers = (uint32_t)b->number_count++;
	return true;
}

static bool add_ref(struct yg_detect_builder *b, const struct yg_sigma_item *item,
		    const struct yg_sigma_value *v, uint32_t field, uint32_t bit)
{
	struct yg_detect *d = b->d;
	uint32_t other = yg_detect_field_of(b, v->text);
	if (other == YG_DETECT_NONE ||
	    !YG_DETECT_ROOM(b, &d->arena, d->refs, b->ref_cap, d->ref_count))
		return false;
	d->refs[d->ref_count++] =
		(struct yg_detect_ref){field, other, bit, item->affix, item->cased};
	return true;
}

static bool add_test(struct yg_detect_builder *b, const struct yg_sigma_item *item,
		     const struct yg_sigma_value *v, uint32_t field, uint32_t bit)
{
	switch (v->test) {
	case YG_SIGMA_TEXT: return add_text(b, item, v, field, bit);
	case YG_SIGMA_REGEX:
		return add_expression(b, field, bit, v->text,
				      yg_detect_expression_flags(item, v->test));
	case YG_SIGMA_CIDR: return add_net(b, v, field, bit);
	case YG_SIGMA_NUMBER: return add_number(b, item, v, field, bit);
	default: return add_ref(b, item, v, field, bit);
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
	return yg_buf_sv(k);
}

uint32_t yg_detect_group_of(struct yg_detect_builder *b, const struct yg_sigma_item *item,
			    const struct yg_sigma_value *values, size_t count)
{
	uint32_t field = yg_detect_field_of(b, item->field);
	if (field == YG_DETECT_NONE)
		return field;
	struct yg_sv key = key_of(b, item, values, count, field);
	uint32_t *slot = &b->group_slots[yg_detect_hash(b->d, 2, key) % YG_DETECT_GROUP_SLOTS];
	for (uint32_t i = *slot; i != YG_DETECT_NONE; i = b->groups[i].next)
		if (yg_sv_eq(b->groups[i].key, key))
			return b->groups[i].bit;
	uint8_t weight =
		values[0].test == YG_SIGMA_REGEX || values[0].test == YG_SIGMA_TEXT ? 1 : 3;
	for (size_t v = 0; v < count; v++) /* short values (numbers of events) are frequent */
		if (values[v].test == YG_SIGMA_TEXT && values[v].text.n < 6)
			weight = 2;
	struct yg_sv own = yg_arena_dup(&b->scratch, key);
	uint32_t bit = new_bit(b, weight);
	if (b->text.bad || own.p == NULL || bit == YG_DETECT_NONE ||
	    !YG_DETECT_ROOM(b, &b->scratch, b->groups, b->group_cap, b->group_count)) {
		b->broken = true;
		return YG_DETECT_NONE;
	}
	b->groups[b->group_count] = (struct yg_detect_group){own, bit, *slot};
	*slot = (uint32_t)b->group_count++;
	for (size_t v = 0; v < count; v++)
		if (!add_test(b, item, &values[v], field, bit)) {
			b->broken = true;
			return YG_DETECT_NONE;
		}
	return bit;
}
