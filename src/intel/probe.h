/* probe.h - from the fields of an event to keys that are looked up; private to intel/. */
#pragma once
#include "intel/layout.h"
#include "intel/match.h"

struct yg_intel {
	struct yg_snap snap;
	struct yg_hashset set;
	struct yg_prefix_tree tree;
	struct yg_hash_key key;
	const struct yg_intel_meta *metas;
	uint64_t meta_count;
	const char *strings;
	uint64_t strings_n;
	struct yg_intel_info info;
};

/* What a key stands for in its group. */
enum yg_probe_kind {
	YG_PK_IP, /* the address of the value: covers the whole group */
	YG_PK_IPPORT,
	YG_PK_FQDN,   /* the whole name: `fqdn` and `domain` entries */
	YG_PK_PARENT, /* a name above it: `domain` entries */
	YG_PK_URL,
	YG_PK_HASH,
	YG_PK_EMAIL,
};

/* Adds the groups that fit to set->prep, from its row and at on; set->skipped counts
 * values too long. */
void yg_probe_fill(const struct yg_intel *in, const struct yg_event *ev, struct yg_match_set *set);
bool yg_probe_done(const struct yg_match_prep *prep);
