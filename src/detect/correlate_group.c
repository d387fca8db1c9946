/* correlate_group.c - the groups of a correlation: a table, and a list by time. */
#include <stdlib.h>

#include "detect/correlate_internal.h"

size_t yg_corr_group_bytes(const struct yg_corr *k, const struct yg_corr_group *g)
{
	return sizeof *g + g->key_n + g->carry_n + yg_corr_ring_bytes(&g->ring) +
	       yg_corr_set_bytes(&g->set) + (g->total != NULL ? sizeof *g->total : 0) +
	       (g->marks != NULL ? k->rule_count * sizeof *g->marks : 0);
}

void yg_corr_grown(struct yg_correlate *c, struct yg_corr *k, struct yg_corr_group *g,
		   size_t before)
{
	size_t now = yg_corr_group_bytes(k, g);
	c->bytes = c->bytes - before + now;
	k->bytes = k->bytes - before + now;
}

static uint64_t hash_of(const struct yg_correlate *c, struct yg_sv key)
{
	return yg_siphash(c->key, key.p, key.n);
}

struct yg_corr_group *yg_corr_find(struct yg_correlate *c, struct yg_corr *k, struct yg_sv key)
{
	if (k->bucket_count == 0)
		return NULL;
	uint64_t hash = hash_of(c, key);
	struct yg_corr_group *g = k->buckets[hash & (k->bucket_count - 1)];
	while (g != NULL && (g->hash != hash || !yg_sv_eq((struct yg_sv){g->key, g->key_n}, key)))
		g = g->in_bucket;
	return g;
}

static void link_end(struct yg_corr *k, struct yg_corr_group *g)
{
	g->prev = k->last;
	g->next = NULL;
	if (k->last != NULL)
		k->last->next = g;
	else
		k->first = g;
	k->last = g;
}

static void unlink_group(struct yg_corr *k, struct yg_corr_group *g)
{
	if (g->prev != NULL)
		g->prev->next = g->next;
	else
		k->first = g->next;
	if (g->next != NULL)
		g->next->prev = g->prev;
	else
		k->last = g->prev;
}

void yg_corr_to_end(struct yg_corr *k, struct yg_corr_group *g)
{
	unlink_group(k, g);
	link_end(k, g);
}

static void free_group(struct yg_corr_group *g)
{
	free(g->ring.v);
	free(g->set.items);
	free(g->set.buckets);
	free(g->total);
	free(g->marks);
	free(g->carry);
	free(g);
}

void yg_corr_remove(struct yg_correlate *c, struct yg_corr *k, struct yg_corr_group *g)
{
	struct yg_corr_group **at = &k->buckets[g->hash & (k->bucket_count - 1)];
	size_t bytes = yg_corr_group_bytes(k, g);
	while (*at != g)
		at = &(*at)->in_bucket;
	*at = g->in_bucket;
	unlink_group(k, g);
	k->group_count--;
	k->bytes -= bytes;
	c->bytes -= bytes;
	free_group(g);
}

/* Groups that no window reaches back to any more. */
static void drop_old(struct yg_correlate *c, struct yg_corr *k, int64_t now)
{
	while (!k->settled && k->first != NULL && k->first->last < now - k->span)
		yg_corr_remove(c, k, k->first);
}

static struct yg_corr *largest(struct yg_correlate *c)
{
	struct yg_corr *most = NULL;
	for (uint32_t i = 0; i < c->corr_count; i++)
		if (c->corrs[i].first != NULL && (most == NULL || c->corrs[i].bytes > most->bytes))
			most = &c->corrs[i];
	return most;
}

void yg_corr_fit(struct yg_correlate *c, size_t bytes, int64_t now)
{
	if (c->bytes + bytes > c->opts.memory)
		for (uint32_t i = 0; i < c->corr_count; i++)
			drop_old(c, &c->corrs[i], now);
	while (c->bytes > 0 && c->bytes + bytes > c->opts.memory) {
		struct yg_corr *from = largest(c);
		yg_corr_remove(c, from, from->first);
		from->counts.evicted++;
	}
}

static bool more_buckets(struct yg_corr *k)
{
	uint32_t count = k->bucket_count == 0 ? 16 : k->bucket_count * 2;
	struct yg_corr_group **b = calloc(count, sizeof(void *));
	if (b == NULL)
		return k->bucket_count > 0; /* it goes on with longer chains */
	for (struct yg_corr_group *g = k->first; g != NULL; g = g->next) {
		g->in_bucket = b[g->hash & (count - 1)];
		b[g->hash & (count - 1)] = g;
	}
	free(k->buckets);
	k->buckets = b;
	k->bucket_count = count;
	return true;
}

struct yg_corr_group *yg_corr_add(struct yg_correlate *c, struct yg_corr *k, struct yg_sv key,
				  int64_t start)
{
	struct yg_corr_group *g = calloc(1, sizeof *g + key.n);
	if (g == NULL)
		return NULL;
	if (k->state == YG_CORR_MARKS)
		g->marks = malloc(k->rule_count * sizeof *g->marks);
	if (k->state == YG_CORR_TOTAL)
		g->total = calloc(1, sizeof *g->total);
	if ((k->state == YG_CORR_MARKS && g->marks == NULL) ||
	    (k->state == YG_CORR_TOTAL && g->total == NULL)) {
		free_group(g);
		return NULL;
	}
	for (uint32_t i = 0; g->marks != NULL && i < k->rule_count; i++)
		g->marks[i] = YG_CORR_NEVER;
	g->start = start;
	g->last = start;
	g->key_n = (uint32_t)key.n;
	if (key.n > 0)
		memcpy(g->key, key.p, key.n);
	drop_old(c, k, start);
	while (k->group_count > 0 && k->group_count >= c->opts.groups) {
		yg_corr_remove(c, k, k->first);
		k->counts.evicted++;
	}
	yg_corr_fit(c, yg_corr_group_bytes(k, g), start);
	if (k->group_count >= k->bucket_count && !more_buckets(k)) {
		free_group(g);
		return NULL;
	}
	g->hash = hash_of(c, key);
	g->in_bucket = k->buckets[g->hash & (k->bucket_count - 1)];
	k->buckets[g->hash & (k->bucket_count - 1)] = g;
	link_end(k, g);
	k->group_count++;
	yg_corr_grown(c, k, g, 0);
	return g;
}

static void take_total(const struct yg_corr *k, struct yg_corr_group *g, int64_t value)
{
	g->total->sum += value;
	for (uint32_t i = 0; i < k->criterion_count; i++) {
		g->total->below[i] += value < k->marks[i];
		g->total->equal[i] += value == k->marks[i];
	}
}

static void take_mark(const struct yg_corr *k, struct yg_corr_group *g,
		      const struct yg_corr_entry *e)
{
	if (k->type == YG_SIGMA_TEMPORAL || e->pos == 0)
		g->marks[e->pos] = e->time;
	else if (k->settled) /* how far it came */
		g->marks[e->pos] = g->marks[e->pos - 1] != YG_CORR_NEVER ? e->time : YG_CORR_NEVER;
	else /* the latest beginning of a chain that ends here */
		g->marks[e->pos] = g->marks[e->pos - 1];
}

/* false: no memory. */
static bool take_value(struct yg_corr *k, struct yg_corr_group *g, const struct yg_corr_entry *e)
{
	int64_t value = (int64_t)e->value;
	switch (k->state) {
	case YG_CORR_RING:
		if (k->type == YG_SIGMA_EVENT_COUNT)
			value = 1;
		if (g->ring.n == YG_CORR_RING_MAX) {
			g->sum -= yg_corr_ring_first(&g->ring).value;
			yg_corr_ring_drop(&g->ring);
			k->counts.cut++;
		}
		if (!yg_corr_ring_put(&g->ring, e->time, value))
			return false;
		g->sum += value;
		return true;
	case YG_CORR_SET:
		/* beyond cap the condition holds, or does not, whatever else comes */
		return yg_corr_set_put(&g->set, e->value, e->time, k->cap) || g->set.n >= k->cap;
	case YG_CORR_MARKS: take_mark(k, g, e); return true;
	case YG_CORR_TOTAL: break;
	}
	take_total(k, g, k->type == YG_SIGMA_EVENT_COUNT ? 0 : value);
	return true;
}

bool yg_corr_take(struct yg_correlate *c, struct yg_corr *k, struct yg_corr_group *g,
		  const struct yg_corr_entry *e)
{
	size_t before = yg_corr_group_bytes(k, g);
	char *carry = NULL;
	if (e->carry_n > 0) {
		carry = malloc(e->carry_n);
		if (carry == NULL)
			return false;
		memcpy(carry, e->text + e->key_n, e->carry_n);
	}
	if (!take_value(k, g, e)) {
		free(carry);
		yg_corr_grown(c, k, g, before);
		return false;
	}
	if (carry != NULL) {
		free(g->carry);
		g->carry = carry;
		g->carry_n = e->carry_n;
	}
	yg_corr_grown(c, k, g, before);
	g->last = e->time;
	g->count++;
	g->seen[g->seen_at] = (struct yg_corr_seen){e->time, {e->id[0], e->id[1]}};
	g->seen_at = (g->seen_at + 1) % YG_CORRELATE_EVIDENCE;
	g->seen_n = YG_MIN(g->seen_n + 1, YG_CORRELATE_EVIDENCE);
	return true;
}
