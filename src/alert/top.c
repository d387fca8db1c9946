#include "alert/top.h"

#include <stdlib.h>

#define FIRST 64u

static yg_status no_memory(struct yg_err *err)
{
	return YG_FAIL(err, YG_NOMEM, "groups of alerts");
}

void yg_top_init(struct yg_top *t, size_t most)
{
	*t = (struct yg_top){.most = most};
}

static void free_entry(struct yg_top_entry *e)
{
	free(e->key.p);
	free(e->type.p);
}

void yg_top_free(struct yg_top *t)
{
	for (size_t i = 0; i < t->n; i++)
		free_entry(&t->heap[i]);
	free(t->heap);
	free_entry(&t->now);
	free(t->org.p);
	*t = (struct yg_top){.most = t->most};
}

static struct yg_sv text_of(const struct yg_top_text *t)
{
	return (struct yg_sv){t->n > 0 ? t->p : "", t->n};
}

static yg_status set_text(struct yg_top_text *t, struct yg_sv s, struct yg_err *err)
{
	if (s.n > t->cap) {
		char *more = realloc(t->p, s.n * 2);
		if (more == NULL)
			return no_memory(err);
		t->p = more;
		t->cap = s.n * 2;
	}
	if (s.n > 0)
		memcpy(t->p, s.p, s.n);
	t->n = s.n;
	return YG_OK;
}

/* Is x behind y on the page? */
static bool smaller(const struct yg_top_entry *x, const struct yg_top_entry *y)
{
	if (x->b.severity_id != y->b.severity_id)
		return x->b.severity_id < y->b.severity_id;
	if (x->b.count != y->b.count)
		return x->b.count < y->b.count;
	return yg_sv_cmp(text_of(&x->key), text_of(&y->key)) > 0;
}

static void swap(struct yg_top_entry *x, struct yg_top_entry *y)
{
	struct yg_top_entry was = *x;
	*x = *y;
	*y = was;
}

static void rise(struct yg_top *t, size_t i)
{
	for (; i > 0 && smaller(&t->heap[i], &t->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&t->heap[i], &t->heap[(i - 1) / 2]);
}

static void sink(struct yg_top *t, size_t n)
{
	for (size_t i = 0;;) {
		size_t least = i, left = 2 * i + 1;
		for (size_t k = left; k < n && k < left + 2; k++)
			if (smaller(&t->heap[k], &t->heap[least]))
				least = k;
		if (least == i)
			return;
		swap(&t->heap[i], &t->heap[least]);
		i = least;
	}
}

static yg_status make_room(struct yg_top *t, struct yg_err *err)
{
	if (t->n < t->cap)
		return YG_OK;
	size_t cap = YG_MIN(t->cap > 0 ? t->cap * 2 : FIRST, t->most);
	struct yg_top_entry *more = reallocarray(t->heap, cap, sizeof *more);
	if (more == NULL)
		return no_memory(err);
	t->heap = more;
	t->cap = cap;
	return YG_OK;
}

/* The group whose rows have come is one of the largest, or it is forgotten; what is not
 * used of it is used again. */
static yg_status finish(struct yg_top *t, struct yg_err *err)
{
	if (!t->begun)
		return YG_OK;
	t->begun = false;
	t->groups++;
	if (t->n < t->most) {
		yg_status st = make_room(t, err);
		if (st != YG_OK)
			return st;
		t->heap[t->n++] = t->now;
		t->now = (struct yg_top_entry){.b = {.count = 0}};
		rise(t, t->n - 1);
	} else if (smaller(&t->heap[0], &t->now)) {
		swap(&t->heap[0], &t->now);
		sink(t, t->n);
	}
	return YG_OK;
}

static yg_status begin(struct yg_top *t, const struct yg_group_row *r, struct yg_err *err)
{
	yg_status st = finish(t, err);
	if (st == YG_OK)
		st = set_text(&t->now.key, r->key, err);
	if (st != YG_OK)
		return st;
	t->now.b = (struct yg_alert_bundle){.severity_id = r->severity_id,
					    .first_seen = {r->first_seen},
					    .last_seen = {r->last_seen}};
	t->now.type.n = 0;
	t->begun = true;
	return YG_OK;
}

yg_status yg_top_add(struct yg_top *t, const struct yg_group_row *r, struct yg_err *err)
{
	yg_status st = YG_OK;
	bool first = !t->begun || !yg_sv_eq(r->key, text_of(&t->now.key));
	if (first)
		st = begin(t, r, err);
	if (st == YG_OK && (first || !yg_sv_eq(r->org, text_of(&t->org)))) {
		t->now.b.orgs++;
		st = set_text(&t->org, r->org, err);
	}
	if (st == YG_OK && yg_sv_cmp(r->type, text_of(&t->now.type)) > 0)
		st = set_text(&t->now.type, r->type, err);
	if (st != YG_OK)
		return st;
	struct yg_alert_bundle *b = &t->now.b;
	b->count++;
	b->findings += r->findings;
	b->severity_id = YG_MAX(b->severity_id, r->severity_id);
	b->first_seen.us = YG_MIN(b->first_seen.us, r->first_seen);
	b->last_seen.us = YG_MAX(b->last_seen.us, r->last_seen);
	return YG_OK;
}

yg_status yg_top_page(struct yg_top *t, uint32_t from, struct yg_arena *arena,
		      struct yg_alert_bundles *out, struct yg_err *err)
{
	yg_status st = finish(t, err);
	/* the smallest to the end, again and again */
	for (size_t n = t->n; st == YG_OK && n > 1; n--) {
		swap(&t->heap[0], &t->heap[n - 1]);
		sink(t, n - 1);
	}
	for (size_t i = from; st == YG_OK && i < t->n; i++) {
		struct yg_alert_bundle *b = &out->list[out->n++];
		*b = t->heap[i].b;
		b->key = yg_arena_dup(arena, text_of(&t->heap[i].key));
		b->type = yg_arena_dup(arena, text_of(&t->heap[i].type));
		b->title = YG_SV("");
		out->groups = t->groups;
		if (b->key.p == NULL || b->type.p == NULL)
			st = no_memory(err);
	}
	return st;
}
