/* prefix.h - longest-prefix tree for addresses, inside a snapshot.
 *
 * A tree bitmap (Eatherton, Varghese, Dittia 2004) of six bits a level: a node
 * keeps which prefixes end in it and which children it has as two bitmaps, and
 * one base offset for each.  At most 22 nodes are visited for an IPv6 address
 * and 6 for an IPv4 one, whatever the number of prefixes.
 * Most IPv4 addresses do not get that far: a bitmap says that no prefix is near.
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
	/* One bit per /16 of IPv4: a prefix begins or ends in it.  8 KiB, so that most
	 * addresses are answered from the innermost cache. */
	const uint64_t *front;
};
#define YG_PREFIX_FRONT    1024u /* words */
#define YG_PREFIX_HITS_MAX 129

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
