/* finish.c - automata, the table of exact values, and which bits trigger which rules. */
#include "detect/build_internal.h"

static yg_status nomem(struct yg_err *err)
{
	return YG_FAIL(err, YG_NOMEM, "no memory to compile the rules");
}

static yg_status link_exacts(struct yg_detect_builder *b, struct yg_err *err)
{
	struct yg_detect *d = b->d;
	size_t slots = 64;
	while (slots < b->exact_count * 2)
		slots *= 2;
	d->exact_slots = YG_NEW_N(&d->arena, uint32_t, slots);
	if (d->exact_slots == NULL)
		return nomem(err);
	memset(d->exact_slots, 0xff, slots * sizeof *d->exact_slots);
	d->exact_mask = (uint32_t)(slots - 1);
	for (size_t i = 0; i < b->exact_count; i++) {
		struct yg_detect_exact *x = &d->exacts[i];
		uint64_t seed = (uint64_t)x->field * 2 + x->cased + 16;
		uint32_t *slot = &d->exact_slots[yg_detect_hash(d, seed, x->value) & d->exact_mask];
		x->next = *slot;
		*slot = (uint32_t)i;
	}
	return YG_OK;
}

/* ---- automata ---- */

struct parts { /* expressions of one field */
	const char **texts;
	unsigned *flags, *ids;
};

static yg_status compile_field(struct yg_detect_builder *b, uint32_t field, const struct parts *p,
			       struct yg_err *err)
{
	hs_compile_error_t *why = NULL;
	unsigned n = 0;
	for (size_t i = 0; i < b->expression_count; i++)
		if (b->expressions[i].field == field) {
			p->texts[n] = b->expressions[i].text;
			p->flags[n] = b->expressions[i].flags;
			p->ids[n++] = b->expressions[i].bit;
		}
	if (n == 0)
		return YG_OK;
	hs_error_t rc = hs_compile_multi(p->texts, p->flags, p->ids, n, HS_MODE_BLOCK, NULL,
					 &b->d->fields[field].automaton, &why);
	yg_status st = YG_OK;
	if (rc == HS_COMPILER_ERROR && why != NULL)
		st = YG_FAIL(err, YG_INTERNAL, "the expressions of a field: %s", why->message);
	else if (rc != HS_SUCCESS)
		st = nomem(err);
	(void)hs_free_compile_error(why);
	return st;
}

static yg_status compile_fields(struct yg_detect_builder *b, struct yg_err *err)
{
	size_t n = b->expression_count + 1;
	struct parts p = {YG_NEW_N(&b->scratch, const char *, n),
			  YG_NEW_N(&b->scratch, unsigned, n), YG_NEW_N(&b->scratch, unsigned, n)};
	bool *used = YG_NEW_N(&b->scratch, bool, b->d->field_count);
	yg_status st = YG_OK;
	if (p.texts == NULL || p.flags == NULL || p.ids == NULL || used == NULL)
		return nomem(err);
	for (size_t i = 0; i < b->expression_count; i++)
		used[b->expressions[i].field] = true;
	for (size_t f = 0; st == YG_OK && f < b->d->field_count; f++)
		if (used[f])
			st = compile_field(b, (uint32_t)f, &p, err);
	return st;
}

/* ---- triggers: bits of which one must be set for the rule to match ---- */

struct set { /* of bits, in the common list; `any`: nothing is known */
	size_t at, n;
	uint8_t weight; /* the most frequent of them */
	bool any;
};
struct triggers {
	struct yg_detect_builder *b;
	uint32_t *bits;
	struct set *stack;
	size_t n, depth;
};

static void and_sets(struct triggers *t)
{
	struct set *x = &t->stack[t->depth - 2], y = t->stack[t->depth - 1];
	bool second =
		!y.any && (x->any || y.weight < x->weight || (y.weight == x->weight && y.n < x->n));
	if (second) {
		memmove(t->bits + x->at, t->bits + y.at, y.n * sizeof *t->bits);
		y.at = x->at;
		*x = y;
	}
	t->n = x->at + x->n;
	t->depth--;
}

static void or_sets(struct triggers *t)
{
	struct set *x = &t->stack[t->depth - 2], *y = &t->stack[t->depth - 1];
	x->any = x->any || y->any;
	x->weight = YG_MAX(x->weight, y->weight);
	x->n = x->any ? 0 : x->n + y->n; /* they stand side by side */
	t->n = x->at + x->n;
	t->depth--;
}

static void step(struct triggers *t, const struct yg_detect_step *s)
{
	switch ((enum yg_detect_op)s->op) {
	case YG_OP_BIT:
		t->stack[t->depth++] =
			(struct set){.at = t->n, .n = 1, .weight = t->b->weights[s->bit]};
		t->bits[t->n++] = s->bit;
		break;
	case YG_OP_AND: and_sets(t); break;
	case YG_OP_OR: or_sets(t); break;
	case YG_OP_NOT: {
		struct set *x = &t->stack[t->depth - 1];
		*x = (struct set){.at = x->at, .any = true};
		t->n = x->at;
		break;
	}
	}
}

static bool post(struct yg_detect_builder *b, uint32_t bit, uint32_t rule, size_t *n, size_t *cap)
{
	struct yg_detect *d = b->d;
	uint32_t last = d->posting_of[bit];
	if (last != YG_DETECT_NONE && d->postings[last].rule == rule)
		return true;
	if (!YG_DETECT_ROOM(b, &d->arena, d->postings, *cap, *n))
		return false;
	d->postings[*n] = (struct yg_detect_posting){rule, last};
	d->posting_of[bit] = (uint32_t)(*n)++;
	return true;
}

static yg_status find_triggers(struct yg_detect_builder *b, struct yg_err *err)
{
	struct yg_detect *d = b->d;
	size_t n = 0, cap = 0, most = 1;
	for (size_t r = 0; r < d->rule_count; r++)
		most = YG_MAX(most, d->programs[r].count);
	struct triggers t = {b, YG_NEW_N(&b->scratch, uint32_t, most),
			     YG_NEW_N(&b->scratch, struct set, d->stack_max + 1), 0, 0};
	d->posting_of = YG_NEW_N(&d->arena, uint32_t, d->bit_count + 1);
	if (t.bits == NULL || t.stack == NULL || d->posting_of == NULL)
		return nomem(err);
	memset(d->posting_of, 0xff, (d->bit_count + 1) * sizeof *d->posting_of);
	for (size_t r = 0; r < d->rule_count; r++) {
		const struct yg_detect_program *p = &d->programs[r];
		t.n = t.depth = 0;
		for (size_t i = 0; i < p->count; i++)
			step(&t, &d->steps[p->first + i]);
		const struct set *whole = &t.stack[0];
		bool ok = !whole->any || post(b, (uint32_t)d->bit_count, (uint32_t)r, &n, &cap);
		for (size_t i = 0; ok && i < whole->n; i++)
			ok = post(b, t.bits[whole->at + i], (uint32_t)r, &n, &cap);
		if (!ok)
			return nomem(err);
	}
	return YG_OK;
}

yg_status yg_detect_finish(struct yg_detect_builder *b, struct yg_err *err)
{
	yg_status st = link_exacts(b, err);
	if (st == YG_OK)
		st = compile_fields(b, err);
	return st == YG_OK ? find_triggers(b, err) : st;
}
