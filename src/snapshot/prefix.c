#include "snapshot/prefix.h"

#include <stdlib.h>

#define STRIDE 6u
#define LEVELS 22u /* ceil(129 / 6) */

/* The six bits of `b` that begin at bit `at` of 128; bits behind the end are 0. */
static unsigned six_bits(const uint8_t b[static 16], unsigned at)
{
	unsigned byte = at / 8, shift = at % 8;
	unsigned two = (byte < 16 ? (unsigned)b[byte] << 8 : 0) | (byte + 1 < 16 ? b[byte + 1] : 0);
	return two >> (10 - shift) & 63;
}

/* Bits of `inner` that may be set for the next six bits v: one per length 0..5. */
static uint64_t inner_mask(unsigned v)
{
	return 1ull << 1 | 1ull << (2 | v >> 5) | 1ull << (4 | v >> 4) | 1ull << (8 | v >> 3) |
	       1ull << (16 | v >> 2) | 1ull << (32 | v >> 1);
}

static uint64_t below(unsigned bit)
{
	return (1ull << bit) - 1;
}

yg_status yg_prefix_check(const struct yg_prefix_tree *t, struct yg_err *err)
{
	if (t->node_count < 2 || t->node_count > UINT32_MAX || t->value_count > UINT32_MAX)
		return YG_FAIL(err, YG_CORRUPT, "snapshot prefix tree has impossible sizes");
	for (uint64_t i = 0; i < t->node_count; i++) {
		const struct yg_prefix_node *n = &t->nodes[i];
		uint64_t children = (uint64_t)__builtin_popcountll(n->child);
		uint64_t values = (uint64_t)__builtin_popcountll(n->inner);
		if ((n->inner & 1) != 0 || n->value_base + values > t->value_count ||
		    n->child_base + children > t->node_count ||
		    (children > 0 && n->child_base <= i))
			return YG_FAIL(err, YG_CORRUPT, "snapshot prefix node %llu is damaged",
				       (unsigned long long)i);
	}
	return YG_OK;
}

size_t yg_prefix_find(const struct yg_prefix_tree *t, struct yg_ip ip,
		      uint32_t out[static YG_PREFIX_HITS_MAX])
{
	uint32_t found[YG_PREFIX_HITS_MAX] __attribute__((uninitialized)); /* shortest first */
	size_t n = 0;
	bool v4 = yg_ip_is_v4(ip);
	if (!yg_prefix_maybe(t, ip))
		return 0;
	uint64_t at = v4 ? 1 : 0;
	unsigned bit = v4 ? 96 : 0;
	for (unsigned level = 0; level < LEVELS && at < t->node_count; level++, bit += STRIDE) {
		const struct yg_prefix_node *node = &t->nodes[at];
		unsigned v = six_bits(ip.b, bit);
		uint64_t hit = node->inner & inner_mask(v);
		for (; hit != 0 && n < YG_PREFIX_HITS_MAX; hit &= hit - 1) {
			unsigned i = (unsigned)__builtin_ctzll(hit);
			uint64_t value = node->value_base +
					 (uint64_t)__builtin_popcountll(node->inner & below(i));
			/* in the last node, bits behind the end are zeros, not a longer prefix */
			if (value < t->value_count)
				found[n++] = t->values[value];
		}
		if ((node->child >> v & 1) == 0)
			break;
		at = node->child_base + (uint64_t)__builtin_popcountll(node->child & below(v));
	}
	for (size_t i = 0; i < n; i++)
		out[i] = found[n - 1 - i];
	return n;
}

static int by_prefix(const void *a, const void *b)
{
	const struct yg_prefix_item *x = a, *y = b;
	bool x4 = x->bits >= 96 && yg_ip_is_v4(x->ip), y4 = y->bits >= 96 && yg_ip_is_v4(y->ip);
	if (x4 != y4)
		return x4 ? 1 : -1;
	int c = memcmp(x->ip.b, y->ip.b, 16);
	return c != 0 ? c : (int)x->bits - (int)y->bits;
}

struct span { /* a node to be made: items [from, to) that share `depth` bits */
	uint32_t from, to, depth;
};
struct builder {
	struct yg_prefix_node *nodes;
	struct span *spans; /* one per node */
	uint32_t *values;
	size_t node_count, node_cap, value_count;
};

static bool add_node(struct builder *b, struct span s)
{
	if (b->node_count == b->node_cap) {
		size_t cap = b->node_cap < 64 ? 64 : b->node_cap * 2;
		struct yg_prefix_node *nodes = realloc(b->nodes, cap * sizeof *nodes);
		if (nodes == NULL)
			return false;
		b->nodes = nodes;
		struct span *spans = realloc(b->spans, cap * sizeof *spans);
		if (spans == NULL)
			return false;
		b->spans = spans;
		b->node_cap = cap;
	}
	b->nodes[b->node_count] = (struct yg_prefix_node){.inner = 0};
	b->spans[b->node_count++] = s;
	return true;
}

/* Fills node i: the prefixes that end in it, and a new node per next six bits. */
static bool fill_node(struct builder *b, size_t i, const struct yg_prefix_item *items)
{
	struct span s = b->spans[i];
	uint32_t ends[64];
	uint64_t inner = 0;
	b->nodes[i].child_base = (uint32_t)b->node_count;
	for (uint32_t k = s.from; k < s.to;) {
		unsigned v = six_bits(items[k].ip.b, s.depth), length = items[k].bits - s.depth;
		if (length < STRIDE) {
			unsigned bit = 1u << length | v >> (STRIDE - length);
			if ((inner >> bit & 1) == 0)
				ends[bit] = items[k].value;
			inner |= 1ull << bit;
			k++;
			continue;
		}
		uint32_t from =
			k; /* sorted: the longer ones with these six bits follow each other */
		while (k < s.to && items[k].bits - s.depth >= STRIDE &&
		       six_bits(items[k].ip.b, s.depth) == v)
			k++;
		b->nodes[i].child |= 1ull << v;
		if (!add_node(b, (struct span){from, k, s.depth + STRIDE}))
			return false;
	}
	b->nodes[i].inner = inner;
	b->nodes[i].value_base = (uint32_t)b->value_count;
	for (; inner != 0; inner &= inner - 1)
		b->values[b->value_count++] = ends[__builtin_ctzll(inner)];
	return true;
}

static void note_front(uint64_t *front, const struct yg_prefix_item *p)
{
	unsigned first = (unsigned)p->ip.b[12] << 8 | p->ip.b[13], bits = p->bits - 96u;
	if (bits <= 16) {
		for (unsigned i = first; i < first + (1u << (16 - bits)); i++)
			front[i >> 6] |= 1ull << (i & 63);
		return;
	}
	front[YG_PREFIX_16 + (first >> 6)] |= 1ull << (first & 63);
	unsigned first24 = first << 8 | p->ip.b[14], n = bits < 24 ? 1u << (24 - bits) : 1;
	for (unsigned i = first24; i < first24 + n; i++) {
		uint32_t fine = yg_prefix_24(i);
		front[2 * YG_PREFIX_16 + (fine >> 6)] |= 1ull << (fine & 63);
	}
}

yg_status yg_prefix_build(struct yg_prefix_item *items, size_t count, struct yg_prefix_tree *out,
			  struct yg_err *err)
{
	if (count > UINT32_MAX / 32)
		return YG_FAIL(err, YG_LIMIT, "too many prefixes for one snapshot");
	uint32_t v6 = 0;
	if (count > 0)
		qsort(items, count, sizeof items[0], by_prefix);
	while (v6 < count && !(items[v6].bits >= 96 && yg_ip_is_v4(items[v6].ip)))
		v6++;
	struct builder b = {.values = malloc((count + 1) * sizeof(uint32_t))};
	uint64_t *front = calloc(YG_PREFIX_FRONT, sizeof *front);
	bool ok = b.values != NULL && front != NULL && add_node(&b, (struct span){0, v6, 0}) &&
		  add_node(&b, (struct span){v6, (uint32_t)count, 96});
	for (size_t i = 0; ok && i < b.node_count; i++)
		ok = fill_node(&b, i, items);
	for (size_t i = v6; ok && i < count; i++)
		note_front(front, &items[i]);
	free(b.spans);
	if (!ok) {
		free(b.nodes);
		free(b.values);
		free(front);
		return YG_FAIL(err, YG_NOMEM, "prefix tree of %zu prefixes", count);
	}
	*out = (struct yg_prefix_tree){b.nodes, b.node_count, b.values, b.value_count, front};
	return YG_OK;
}
