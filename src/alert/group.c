#include "alert/group.h"

#include <stdlib.h>

#include "base/codec.h"

#define ARENA_BYTES (64u << 20)
#define SLOTS_FIRST 1024u
#define PROBES_MAX  64u

/* Keys come from outside, so they may be made to collide: after PROBES_MAX slots that are
 * taken it is left to the database, which compares. */
static const uint8_t hash_key[16] = "yagura groups";

void yg_groups_init(struct yg_groups *g, size_t most)
{
	*g = (struct yg_groups){.most = most};
	yg_arena_init(&g->arena, ARENA_BYTES);
}

void yg_groups_free(struct yg_groups *g)
{
	yg_arena_free(&g->arena);
}

static yg_status no_memory(struct yg_err *err)
{
	return YG_FAIL(err, YG_LIMIT, "too many groups of alerts to be held in memory");
}

/* The slot of a name, or the free one where it belongs; NULL: too many are taken. */
static uint32_t *name_slot(const struct yg_group_names *t, struct yg_sv name)
{
	uint64_t at = yg_siphash(hash_key, name.p, name.n);
	for (unsigned i = 0; i < PROBES_MAX; i++) {
		uint32_t *slot = &t->slots[(at + i) & (t->slot_count - 1)];
		if (*slot == 0 || yg_sv_eq(t->list[*slot - 1], name))
			return slot;
	}
	return NULL;
}

/* Twice the slots, and as many names as half of them. */
static yg_status names_grow(struct yg_group_names *t, struct yg_arena *arena, struct yg_err *err)
{
	struct yg_group_names more = {
		.n = t->n, .slot_count = t->slot_count > 0 ? t->slot_count * 2 : SLOTS_FIRST};
	more.cap = more.slot_count / 2;
	more.list = YG_NEW_N(arena, struct yg_sv, more.cap);
	more.slots = YG_NEW_N(arena, uint32_t, more.slot_count);
	if (more.list == NULL || more.slots == NULL)
		return no_memory(err);
	for (size_t i = 0; i < t->n; i++) {
		more.list[i] = t->list[i];
		uint32_t *slot = name_slot(&more, more.list[i]);
		if (slot == NULL)
			return no_memory(err);
		*slot = (uint32_t)i + 1;
	}
	*t = more;
	return YG_OK;
}

static yg_status name_number(struct yg_group_names *t, struct yg_arena *arena, struct yg_sv name,
			     uint32_t *out, struct yg_err *err)
{
	yg_status st = t->n == t->cap ? names_grow(t, arena, err) : YG_OK;
	if (st != YG_OK)
		return st;
	uint32_t *slot = name_slot(t, name);
	if (slot == NULL)
		return no_memory(err);
	if (*slot == 0) {
		t->list[t->n] = yg_arena_dup(arena, name);
		if (t->list[t->n].p == NULL)
			return no_memory(err);
		*slot = (uint32_t)++t->n;
	}
	*out = *slot - 1;
	return YG_OK;
}

/* The slot of a pair, or the free one where it belongs. */
static uint64_t *pair_slot(uint64_t *slots, size_t n, uint64_t pair)
{
	uint64_t at = (pair ^ pair >> 29) * 0x9e3779b97f4a7c15u;
	for (at ^= at >> 32;; at++) {
		uint64_t *slot = &slots[at & (n - 1)];
		if (*slot == 0 || *slot == pair)
			return slot;
	}
}

static yg_status pairs_grow(struct yg_groups *g, struct yg_err *err)
{
	size_t n = g->pair_slots > 0 ? g->pair_slots * 2 : SLOTS_FIRST;
	uint64_t *more = YG_NEW_N(&g->arena, uint64_t, n);
	if (more == NULL)
		return no_memory(err);
	for (size_t i = 0; i < g->pair_slots; i++) {
		if (g->pairs[i] != 0)
			*pair_slot(more, n, g->pairs[i]) = g->pairs[i];
	}
	g->pairs = more;
	g->pair_slots = n;
	return YG_OK;
}

/* Was this organisation in this group before? */
static yg_status is_new_pair(struct yg_groups *g, uint32_t group, uint32_t org, bool *out,
			     struct yg_err *err)
{
	uint64_t pair = ((uint64_t)group + 1) << 32 | ((uint64_t)org + 1);
	yg_status st = g->pair_count * 2 >= g->pair_slots ? pairs_grow(g, err) : YG_OK;
	if (st != YG_OK)
		return st;
	uint64_t *slot = pair_slot(g->pairs, g->pair_slots, pair);
	*out = *slot == 0;
	if (*out) {
		*slot = pair;
		g->pair_count++;
	}
	return YG_OK;
}

static yg_status groups_grow(struct yg_groups *g, struct yg_err *err)
{
	size_t cap = g->cap > 0 ? g->cap * 2 : SLOTS_FIRST / 2;
	struct yg_alert_bundle *more = YG_NEW_N(&g->arena, struct yg_alert_bundle, cap);
	if (more == NULL)
		return no_memory(err);
	if (g->cap > 0)
		memcpy(more, g->list, g->cap * sizeof more[0]);
	g->list = more;
	g->cap = cap;
	return YG_OK;
}

static void add_to(struct yg_alert_bundle *b, const struct yg_group_row *r)
{
	bool first = b->count++ == 0;
	b->findings += r->findings;
	b->severity_id = first ? r->severity_id : YG_MAX(b->severity_id, r->severity_id);
	b->first_seen.us = first ? r->first_seen : YG_MIN(b->first_seen.us, r->first_seen);
	b->last_seen.us = first ? r->last_seen : YG_MAX(b->last_seen.us, r->last_seen);
}

yg_status yg_groups_add(struct yg_groups *g, const struct yg_group_row *r, struct yg_err *err)
{
	uint32_t key = 0, org = 0;
	bool fresh = false;
	yg_status st = name_number(&g->keys, &g->arena, r->key, &key, err);
	if (st == YG_OK && key >= g->most)
		st = no_memory(err);
	if (st == YG_OK)
		st = name_number(&g->orgs, &g->arena, r->org, &org, err);
	if (st == YG_OK)
		st = is_new_pair(g, key, org, &fresh, err);
	if (st == YG_OK && key >= g->cap)
		st = groups_grow(g, err);
	if (st != YG_OK)
		return st;
	struct yg_alert_bundle *b = &g->list[key];
	b->key = g->keys.list[key];
	b->orgs += fresh;
	if (b->type.p == NULL || yg_sv_cmp(r->type, b->type) > 0)
		b->type = yg_arena_dup(&g->arena, r->type);
	if (b->type.p == NULL)
		return no_memory(err);
	add_to(b, r);
	return YG_OK;
}

static int worse(const void *a, const void *b)
{
	const struct yg_alert_bundle *x = a, *y = b;
	if (x->severity_id != y->severity_id)
		return x->severity_id > y->severity_id ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return yg_sv_cmp(x->key, y->key);
}

yg_status yg_groups_page(struct yg_groups *g, uint32_t from, uint32_t limit, struct yg_arena *arena,
			 struct yg_alert_bundles *out, struct yg_err *err)
{
	if (g->keys.n > 1)
		qsort(g->list, g->keys.n, sizeof g->list[0], worse);
	for (size_t i = from; i < g->keys.n && out->n < limit; i++) {
		struct yg_alert_bundle *b = &out->list[out->n++];
		*b = g->list[i];
		b->key = yg_arena_dup(arena, b->key);
		b->type = yg_arena_dup(arena, b->type);
		b->title = YG_SV("");
		if (b->key.p == NULL || b->type.p == NULL)
			return YG_FAIL(err, YG_NOMEM, "groups of alerts");
		out->groups = (int64_t)g->keys.n;
	}
	return YG_OK;
}
