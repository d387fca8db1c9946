/* correlate_heap.c - events that wait for their time, and the ends of windows. */
#include <stdlib.h>

#include "detect/correlate_internal.h"

#define ORDER(a, b)                                                                                \
	if ((a) != (b))                                                                            \
	return (a) < (b) ? -1 : 1

int yg_corr_entry_cmp(const struct yg_corr_entry *a, const struct yg_corr_entry *b)
{
	ORDER(a->time, b->time);
	ORDER(a->depth, b->depth);
	ORDER(a->corr, b->corr);
	ORDER(a->pos == YG_CORR_TIMER, b->pos == YG_CORR_TIMER);
	int text = yg_sv_cmp((struct yg_sv){a->text, a->key_n}, (struct yg_sv){b->text, b->key_n});
	if (text != 0)
		return text;
	ORDER(a->pos, b->pos);
	ORDER(a->id[0], b->id[0]);
	ORDER(a->id[1], b->id[1]);
	ORDER(a->value, b->value);
	return yg_sv_cmp((struct yg_sv){a->text + a->key_n, a->carry_n},
			 (struct yg_sv){b->text + b->key_n, b->carry_n});
}

struct yg_corr_entry *yg_corr_entry_new(int64_t time, struct yg_sv key, struct yg_sv carry)
{
	struct yg_corr_entry *e = calloc(1, sizeof *e + key.n + carry.n);
	if (e == NULL)
		return NULL;
	e->time = time;
	e->key_n = (uint32_t)key.n;
	e->carry_n = (uint32_t)carry.n;
	if (key.n > 0)
		memcpy(e->text, key.p, key.n);
	if (carry.n > 0)
		memcpy(e->text + key.n, carry.p, carry.n);
	return e;
}

static size_t size_of(const struct yg_corr_entry *e)
{
	return sizeof *e + e->key_n + e->carry_n;
}

bool yg_corr_push(struct yg_correlate *c, struct yg_corr_entry *e)
{
	if (c->heap_n == c->heap_cap) {
		size_t cap = c->heap_cap == 0 ? 64 : c->heap_cap * 2;
		struct yg_corr_entry **heap = realloc(c->heap, cap * sizeof(void *));
		if (heap == NULL) {
			free(e);
			return false;
		}
		c->heap = heap;
		c->heap_cap = cap;
	}
	size_t at = c->heap_n++;
	while (at > 0 && yg_corr_entry_cmp(e, c->heap[(at - 1) / 2]) < 0) {
		c->heap[at] = c->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	c->heap[at] = e;
	if (e->pos != YG_CORR_TIMER) {
		c->pending++;
		c->pending_bytes += size_of(e);
	}
	return true;
}

struct yg_corr_entry *yg_corr_pop(struct yg_correlate *c)
{
	struct yg_corr_entry *top = c->heap[0], *e = c->heap[--c->heap_n];
	size_t at = 0;
	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= c->heap_n)
			break;
		if (child + 1 < c->heap_n &&
		    yg_corr_entry_cmp(c->heap[child + 1], c->heap[child]) < 0)
			child++;
		if (yg_corr_entry_cmp(c->heap[child], e) >= 0)
			break;
		c->heap[at] = c->heap[child];
		at = child;
	}
	c->heap[at] = e;
	if (top->pos != YG_CORR_TIMER) {
		c->pending--;
		c->pending_bytes -= size_of(top);
	}
	return top;
}

/* One timer per correlation: of the window that ends first. */
void yg_corr_arm(struct yg_correlate *c, struct yg_corr *k)
{
	if (!k->settled || k->armed != YG_CORR_NEVER || k->first == NULL)
		return;
	/* behind `now` it can only be when there was no memory for it in time */
	int64_t time = YG_MAX(k->first->start + k->span, c->now);
	struct yg_corr_entry *e = yg_corr_entry_new(time, YG_SV(""), YG_SV(""));
	if (e == NULL) {
		c->nomem = true; /* tried again at the next event of the correlation */
		return;
	}
	e->corr = (uint32_t)(k - c->corrs);
	e->depth = k->depth;
	e->pos = YG_CORR_TIMER;
	if (yg_corr_push(c, e))
		k->armed = time;
	else
		c->nomem = true;
}
