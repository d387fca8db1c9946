#include "cedar/entity.h"

#include <stdlib.h>

void yg_cedar_entities_init(struct yg_cedar_entities *e, const struct yg_hash_key *key,
			    size_t limit)
{
	*e = (struct yg_cedar_entities){.key = *key};
	yg_arena_init(&e->arena, limit);
}

void yg_cedar_entities_free(struct yg_cedar_entities *e)
{
	free(e->list.p);
	free(e->index.slots);
	e->list = (struct yg_vec){NULL, 0, 0};
	e->index = (struct yg_index){NULL, 0, 0};
	yg_arena_free(&e->arena);
}

static uint64_t hash_of(const struct yg_cedar_entities *e, const struct yg_cedar_uid *uid)
{
	return yg_hash_more(&e->key, yg_hash_more(&e->key, 0, uid->type.p, uid->type.n), uid->id.p,
			    uid->id.n);
}

/* *at: where a new one would be put. */
static struct yg_cedar_entity *find(const struct yg_cedar_entities *e,
				    const struct yg_cedar_uid *uid, uint64_t hash, size_t *at,
				    uint32_t *out)
{
	*at = SIZE_MAX;
	while (e->index.cap > 0 && yg_index_next(&e->index, hash, at, out)) {
		struct yg_cedar_entity *x = yg_cedar_entity_at(e, *out);
		if (yg_cedar_uid_eq(&x->uid, uid))
			return x;
	}
	return NULL;
}

const struct yg_cedar_entity *yg_cedar_entity_find(const struct yg_cedar_entities *e,
						   const struct yg_cedar_uid *uid,
						   uint32_t *out_number)
{
	size_t at;
	return find(e, uid, hash_of(e, uid), &at, out_number);
}

struct yg_cedar_entity *yg_cedar_entity_make(struct yg_cedar_entities *e,
					     const struct yg_cedar_uid *uid, uint32_t *out_number)
{
	uint64_t hash = hash_of(e, uid);
	size_t at;
	if (!yg_index_room(&e->index) || e->list.n == UINT32_MAX)
		return NULL;
	struct yg_cedar_entity *x = find(e, uid, hash, &at, out_number), **to;
	if (x != NULL)
		return x;
	x = YG_NEW(&e->arena, struct yg_cedar_entity);
	if (x == NULL)
		return NULL;
	x->uid = (struct yg_cedar_uid){yg_arena_dup(&e->arena, uid->type),
				       yg_arena_dup(&e->arena, uid->id)};
	if (x->uid.type.p == NULL || x->uid.id.p == NULL)
		return NULL;
	(void)yg_cedar_record(NULL, 0, &x->attrs);
	(void)yg_cedar_record(NULL, 0, &x->tags);
	to = yg_vec_add(&e->list, sizeof(void *));
	if (to == NULL)
		return NULL;
	*to = x;
	*out_number = (uint32_t)(e->list.n - 1);
	yg_index_put(&e->index, at, hash, *out_number);
	return x;
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* Sorted, each once; how many there are. */
static uint32_t sort_numbers(uint32_t *list, size_t n)
{
	uint32_t kept = 0;
	if (n > 1)
		qsort(list, n, sizeof *list, by_number);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || list[kept - 1] != list[i])
			list[kept++] = list[i];
	return kept;
}

yg_status yg_cedar_entity_set(struct yg_cedar_entities *e, const struct yg_cedar_uid *uid,
			      const struct yg_cedar_value *attrs, const struct yg_cedar_value *tags,
			      const struct yg_cedar_uid *parents, uint32_t parent_n,
			      struct yg_err *err)
{
	uint32_t number, *list = YG_NEW_N(&e->arena, uint32_t, (size_t)parent_n + 1);
	struct yg_cedar_entity *x = yg_cedar_entity_make(e, uid, &number);
	for (uint32_t i = 0; i < parent_n && x != NULL && list != NULL; i++)
		if (yg_cedar_entity_make(e, &parents[i], &list[i]) == NULL)
			list = NULL;
	if (x == NULL || list == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for entities");
	uint32_t n = sort_numbers(list, parent_n);
	if (x->known) {
		if (yg_cedar_eq(&x->attrs, attrs, NULL) && yg_cedar_eq(&x->tags, tags, NULL) &&
		    x->parent_n == n && (n == 0 || memcmp(x->parents, list, n * sizeof *list) == 0))
			return YG_OK;
		char text[160];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		yg_cedar_uid_print(&b, uid);
		return YG_FAIL(err, YG_CONFLICT, "%s is there twice, and differs", yg_sb_cstr(&b));
	}
	x->known = true;
	x->attrs = *attrs;
	x->tags = *tags;
	x->parents = list;
	x->parent_n = n;
	return YG_OK;
}

/* ---- ancestors ---- */

struct closing {
	struct yg_cedar_entities *e;
	uint32_t *waiting;         /* per entity: parents that are not done */
	uint32_t *child, *sibling; /* edges from parents to children, 1-based lists */
	uint32_t *edge_to;
	uint32_t *queue;
	uint32_t *seen;  /* per entity: the last one that it was found above, from 1 */
	uint32_t *above; /* of the one at hand */
	uint32_t above_n;
};

/* Those of the list that were not found yet above the entity at hand. */
static void gather(struct closing *c, uint32_t of, const uint32_t *list, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (c->seen[list[i]] == of + 1)
			continue;
		c->seen[list[i]] = of + 1;
		c->above[c->above_n++] = list[i];
	}
}

static yg_status fail_room(const struct yg_cedar_entities *e, const struct yg_cedar_uid *uid,
			   struct yg_err *err)
{
	char text[100];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_cedar_uid_print(&b, uid);
	return YG_FAIL(err, YG_NOMEM,
		       "no memory for the ancestors of %s (all entities may take %zu MiB)",
		       yg_sb_cstr(&b), e->arena.limit >> 20);
}

/* All parents of the entity are done. */
static yg_status ancestors_of(struct closing *c, uint32_t number, struct yg_err *err)
{
	struct yg_cedar_entity *x = yg_cedar_entity_at(c->e, number);
	c->above_n = 0;
	gather(c, number, x->parents, x->parent_n);
	for (uint32_t i = 0; i < x->parent_n; i++) {
		const struct yg_cedar_entity *p = yg_cedar_entity_at(c->e, x->parents[i]);
		gather(c, number, p->ancestors, p->ancestor_n);
	}
	x->ancestor_n = sort_numbers(c->above, c->above_n);
	x->ancestors = yg_arena_alloc(&c->e->arena, x->ancestor_n * sizeof(uint32_t), 4);
	if (x->ancestors == NULL)
		return fail_room(c->e, &x->uid, err);
	if (x->ancestor_n > 0)
		memcpy(x->ancestors, c->above, x->ancestor_n * sizeof(uint32_t));
	return YG_OK;
}

static yg_status tell_cycle(const struct closing *c, struct yg_err *err)
{
	char text[160];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	uint32_t i = 0;
	while (c->waiting[i] == 0)
		i++;
	yg_cedar_uid_print(&b, &yg_cedar_entity_at(c->e, i)->uid);
	return YG_FAIL(err, YG_CONFLICT, "%s is its own ancestor, or below one that is",
		       yg_sb_cstr(&b));
}

/* Parents before children; whoever is left over is in a cycle or below one. */
static yg_status close_all(struct closing *c, uint32_t n, struct yg_err *err)
{
	uint32_t edges = 0, done = 0, queued = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct yg_cedar_entity *x = yg_cedar_entity_at(c->e, i);
		c->waiting[i] = x->parent_n;
		for (uint32_t k = 0; k < x->parent_n; k++) {
			c->edge_to[++edges] = i;
			c->sibling[edges] = c->child[x->parents[k]];
			c->child[x->parents[k]] = edges;
		}
		if (x->parent_n == 0)
			c->queue[queued++] = i;
	}
	for (; done < queued; done++) {
		uint32_t i = c->queue[done];
		yg_status st = ancestors_of(c, i, err);
		if (st != YG_OK)
			return st;
		for (uint32_t k = c->child[i]; k != 0; k = c->sibling[k])
			if (--c->waiting[c->edge_to[k]] == 0)
				c->queue[queued++] = c->edge_to[k];
	}
	return done == n ? YG_OK : tell_cycle(c, err);
}

yg_status yg_cedar_entities_close(struct yg_cedar_entities *e, struct yg_err *err)
{
	size_t n = e->list.n, edges = 1;
	for (uint32_t i = 0; i < n; i++)
		edges += yg_cedar_entity_at(e, i)->parent_n;
	struct closing c = {.e = e};
	yg_status st = YG_NOMEM;
	c.waiting = calloc(n + 1, sizeof(uint32_t));
	c.child = calloc(n + 1, sizeof(uint32_t));
	c.queue = calloc(n + 1, sizeof(uint32_t));
	c.seen = calloc(n + 1, sizeof(uint32_t));
	c.above = calloc(n + 1, sizeof(uint32_t));
	c.sibling = calloc(edges, sizeof(uint32_t));
	c.edge_to = calloc(edges, sizeof(uint32_t));
	if (edges > UINT32_MAX || c.waiting == NULL || c.child == NULL || c.queue == NULL ||
	    c.sibling == NULL || c.edge_to == NULL || c.seen == NULL || c.above == NULL)
		st = YG_FAIL(err, YG_NOMEM, "no memory for the ancestors of entities");
	else
		st = close_all(&c, (uint32_t)n, err);
	free(c.waiting);
	free(c.child);
	free(c.queue);
	free(c.sibling);
	free(c.edge_to);
	free(c.seen);
	free(c.above);
	return st;
}

bool yg_cedar_entity_in(const struct yg_cedar_entities *e, const struct yg_cedar_uid *a,
			const struct yg_cedar_entity *x, const struct yg_cedar_uid *b)
{
	uint32_t above;
	if (yg_cedar_uid_eq(a, b))
		return true;
	return x != NULL && x->ancestor_n > 0 && yg_cedar_entity_find(e, b, &above) != NULL &&
	       bsearch(&above, x->ancestors, x->ancestor_n, sizeof above, by_number) != NULL;
}
