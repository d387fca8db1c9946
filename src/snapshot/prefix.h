/* prefix.h - longest-prefix tree for addresses, inside a snapshot.
 *
 * A tree bitmap (Eatherton, Varghese, Dittia 2004) of six bits a level: a node
 * keeps which prefixes end in it and which children it has as two bitmaps, and
 * one base offset for each.  At most 22 nodes are visited for an IPv6 address
 * and 6 for an IPv4 one, whatever the number of prefixes.
 * Hardly any IPv4 address gets that far: bitmaps that stay in a core's caches say
 * first that no prefix is near (yg_prefix_maybe()).
 * Node 0 is the root of IPv6, node 1 of IPv4.
 */
#pragma once
#include "base/ip.h"

struct yg_prefix_node {
	uint64_t inner; /* bit (1 << length | bits): a prefix of 0..5 more bits ends here */
	uint64_t child; /* bit v: there is a node for the next six bits v */
	uint32_t child_base, value_base;
};
static_assert(sizeof(struct yg_prefix_node) == 24, "nodes are stored as they are");

struct yg_prefix_tree {
	const struct yg_prefix_node *nodes;
	uint64_t node_count;
	const uint32_t *values; /* one per prefix */
	uint64_t value_count;
	/* IPv4 only: one bit per /16 that a prefix holds whole, one bit per /16 that has
	 * longer ones in it, and of these one bit for the hash of every /24 they touch. */
	const uint64_t *front;
};
#define YG_PREFIX_16       1024u /* words of one bit per /16 */
#define YG_PREFIX_24       8192u /* words of the hashed /24s: 64 KiB */
#define YG_PREFIX_FRONT    (2 * YG_PREFIX_16 + YG_PREFIX_24)
#define YG_PREFIX_HITS_MAX 129

static inline uint32_t yg_prefix_24(uint32_t first24) /* its bit among the hashed */
{
	return first24 * 0x9e3779b1u >> 13; /* 19 bits: 64 KiB */
}
static_assert(YG_PREFIX_24 * 64 == 1u << 19, "as many as the hash has values");

/* Where yg_prefix_maybe() will look for this IPv4 address. */
static inline void yg_prefix_prefetch(const struct yg_prefix_tree *t, struct yg_ip ip)
{
	uint32_t first24 = (uint32_t)ip.b[12] << 16 | (uint32_t)ip.b[13] << 8 | (uint32_t)ip.b[14];
	__builtin_prefetch(&t->front[2 * YG_PREFIX_16 + (yg_prefix_24(first24) >> 6)], 0, 3);
}
/* False: no prefix holds `ip`. */
static inline bool yg_prefix_maybe(const struct yg_prefix_tree *t, struct yg_ip ip)
{
	if (!yg_ip_is_v4(ip))
		return true;
	uint32_t first16 = (uint32_t)ip.b[12] << 8 | (uint32_t)ip.b[13];
	if ((t->front[first16 >> 6] >> (first16 & 63) & 1) != 0)
		return true;
	uint32_t fine = yg_prefix_24(first16 << 8 | (uint32_t)ip.b[14]);
	return (t->front[YG_PREFIX_16 + (first16 >> 6)] >> (first16 & 63) & 1) != 0 &&
	       (t->front[2 * YG_PREFIX_16 + (fine >> 6)] >> (fine & 63) & 1) != 0;
}

/* YG_CORRUPT when a base or a bitmap leads out of bounds or backwards. */
yg_status yg_prefix_check(const struct yg_prefix_tree *t, struct yg_err *err);
/* Values of all prefixes that hold `ip`, the longest first: how many. */
size_t yg_prefix_find(const struct yg_prefix_tree *t, struct yg_ip ip,
		      uint32_t out[static YG_PREFIX_HITS_MAX]);

struct yg_prefix_item {
	struct yg_ip ip;
	uint8_t bits; /* 0..128, counted in the 16-byte form */
	uint32_t value;
};
/* Sorts `items` in place and builds; of two equal prefixes the first is kept.
 * nodes, values and front are owned by the caller (free()).  YG_OK | YG_NOMEM | YG_LIMIT. */
yg_status yg_prefix_build(struct yg_prefix_item *items, size_t count, struct yg_prefix_tree *out,
			  struct yg_err *err);
