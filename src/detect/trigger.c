/* trigger.c - for every rule bits of which one must be set for it to match. */
#include <stdlib.h>

#include "detect/build_internal.h"

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

static void push(struct triggers *t, uint32_t bit)
{
	t->stack[t->depth++] =
		(struct set){.at = t->n, .n = 1, .weight = *YG_AT(t->b, weights, uint8_t, bit)};
	t->bits[t->n++] = bit;
}

static void step(struct triggers *t, uint32_t s)
{
	switch (YG_STEP_OP(s)) {
	case YG_OP_BIT: push(t, YG_STEP_N(s)); break;
	case YG_OP_LAZY: {
		const struct yg_detect_lazy *l =
			YG_AT(t->b, lazies, struct yg_detect_lazy, YG_STEP_N(s));
		push(t, l->bit);
		push(t, l->guard);
		or_sets(t);
		break;
	}
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

static void post(struct yg_detect_builder *b, uint32_t bit, uint32_t rule)
{
	uint32_t *head = YG_AT(b, words, uint32_t, b->info.triggers + bit);
	if (*head == YG_DETECT_NONE || YG_AT(b, links, struct yg_detect_link, *head)->value != rule)
		yg_detect_link(b, head, rule);
}

void yg_detect_find_triggers(struct yg_detect_builder *b)
{
	size_t most = 1;
	for (size_t r = 0; r < b->rules.n; r++)
		most = YG_MAX(most, (size_t)YG_AT(b, rules, struct yg_detect_rule, r)->count);
	struct triggers t = {b, calloc(2 * most, sizeof(uint32_t)),
			     calloc((size_t)b->info.stack + 2, sizeof(struct set)), 0, 0};
	b->broken = b->broken || t.bits == NULL || t.stack == NULL;
	for (size_t r = 0; !b->broken && r < b->rules.n; r++) {
		const struct yg_detect_rule *rule = YG_AT(b, rules, struct yg_detect_rule, r);
		t.n = t.depth = 0;
		for (uint32_t i = 0; i < rule->count; i++)
			step(&t, *YG_AT(b, words, uint32_t, rule->first + i));
		if (t.stack[0].any)
			post(b, b->info.bits + rule->source, (uint32_t)r);
		for (size_t i = 0; !t.stack[0].any && i < t.stack[0].n; i++)
			post(b, t.bits[t.stack[0].at + i], (uint32_t)r);
	}
	free(t.bits);
	free(t.stack);
}
