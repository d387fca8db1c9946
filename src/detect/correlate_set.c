/* correlate_set.c - the two growing parts of a group: values by time, different values. */
#include <stdlib.h>

#include "detect/correlate_internal.h"

bool yg_corr_ring_put(struct yg_corr_ring *r, int64_t time, int64_t value)
{
	if (r->n > 0) { /* events of one instant are one cell */
		struct yg_corr_cell *last = &r->v[(r->head + r->n - 1) % r->cap];
		int64_t sum;
		if (last->time == time && !__builtin_add_overflow(last->value, value, &sum)) {
			last->value = sum;
			return true;
		}
	}
	if (r->n == r->cap) {
		uint32_t cap = r->cap == 0 ? 4 : r->cap * 2;
		struct yg_corr_cell *v = malloc(cap * sizeof *v);
		if (v == NULL)
			return false;
		for (uint32_t i = 0; i < r->n; i++)
			v[i] = r->v[(r->head + i) % r->cap];
		free(r->v);
		r->v = v;
		r->cap = cap;
		r->head = 0;
	}
	r->v[(r->head + r->n++) % r->cap] = (struct yg_corr_cell){time, value};
	return true;
}

struct yg_corr_cell yg_corr_ring_first(const struct yg_corr_ring *r)
{
	return r->n > 0 ? r->v[r->head] : (struct yg_corr_cell){0, 0};
}

void yg_corr_ring_drop(struct yg_corr_ring *r)
{
	if (r->n == 0)
		return;
	r->head = (r->head + 1) % r->cap;
	r->n--;
}

size_t yg_corr_ring_bytes(const struct yg_corr_ring *r)
{
	return r->cap * sizeof *r->v;
}

size_t yg_corr_set_bytes(const struct yg_corr_set *s)
{
	return s->cap * (sizeof *s->items + sizeof *s->buckets);
}

static uint32_t *bucket_of(const struct yg_corr_set *s, uint64_t value)
{
	return &s->buckets[value & (s->cap - 1)];
}

static void unlink_item(struct yg_corr_set *s, uint32_t at)
{
	struct yg_corr_item *it = &s->items[at - 1];
	if (it->prev != 0)
		s->items[it->prev - 1].next = it->next;
	else
		s->first = it->next;
	if (it->next != 0)
		s->items[it->next - 1].prev = it->prev;
	else
		s->last = it->prev;
}

static void link_last(struct yg_corr_set *s, uint32_t at)
{
	struct yg_corr_item *it = &s->items[at - 1];
	it->prev = s->last;
	it->next = 0;
	if (s->last != 0)
		s->items[s->last - 1].next = at;
	else
		s->first = at;
	s->last = at;
}

static bool grow(struct yg_corr_set *s)
{
	uint32_t cap = s->cap == 0 ? 4 : s->cap * 2;
	struct yg_corr_item *items = malloc(cap * sizeof *items);
	uint32_t *buckets = calloc(cap, sizeof *buckets);
	if (items == NULL || buckets == NULL) {
		free(items);
		free(buckets);
		return false;
	}
	/* every item is in use: it grows when there is none free */
	if (s->n > 0)
		memcpy(items, s->items, s->n * sizeof *items);
	free(s->items);
	free(s->buckets);
	s->items = items;
	s->buckets = buckets;
	s->cap = cap;
	for (uint32_t i = 0; i < s->n; i++) {
		uint32_t *b = bucket_of(s, items[i].value);
		items[i].in_bucket = *b;
		*b = i + 1;
	}
	for (uint32_t i = s->n; i < cap; i++)
		items[i] = (struct yg_corr_item){.next = i + 1 < cap ? i + 2 : 0};
	s->free = s->n + 1;
	return true;
}

static void forget(struct yg_corr_set *s, uint32_t at)
{
	struct yg_corr_item *it = &s->items[at - 1];
	uint32_t *b = bucket_of(s, it->value);
	while (*b != at)
		b = &s->items[*b - 1].in_bucket;
	*b = it->in_bucket;
	unlink_item(s, at);
	it->next = s->free;
	s->free = at;
	s->n--;
}

bool yg_corr_set_put(struct yg_corr_set *s, uint64_t value, int64_t time, uint32_t most)
{
	for (uint32_t at = s->cap > 0 ? *bucket_of(s, value) : 0; at != 0;
	     at = s->items[at - 1].in_bucket) {
		if (s->items[at - 1].value != value)
			continue;
		s->items[at - 1].time = time;
		unlink_item(s, at);
		link_last(s, at);
		return true;
	}
	if (s->n >= most || (s->free == 0 && !grow(s)))
		return false;
	uint32_t at = s->free, *b = bucket_of(s, value);
	s->free = s->items[at - 1].next;
	s->items[at - 1].time = time;
	s->items[at - 1].value = value;
	s->items[at - 1].in_bucket = *b;
	*b = at;
	link_last(s, at);
	s->n++;
	return true;
}

void yg_corr_set_expire(struct yg_corr_set *s, int64_t before)
{
	while (s->first != 0 && s->items[s->first - 1].time < before)
		forget(s, s->first);
}
