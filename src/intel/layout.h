/* layout.h - what compile writes and match reads; private to intel/.
 * A change here changes YG_INTEL_SCHEMA, and with it every snapshot is refused
 * until it is compiled again. */
#pragma once
#include "intel/indicator.h"
#include "snapshot/hashset.h"
#include "snapshot/prefix.h"
#include "snapshot/snapshot.h"

#define YG_INTEL_SCHEMA                                                                                 \
	YG_SV("filter:u64 blocked-bloom k=5; slots:u32 tag|off/4+1; pool:at 4n u8 head=type|scheme<<4 " \
	      "varint-key varint-values=meta; nodes:tree-bitmap-6; prefixes:u32 pool; "                 \
	      "metas:list,category,family,org,from,until,confidence,severity,tlp,flags; "               \
	      "strings:u16+bytes; info:labels least,most; front:u64 whole-/16 part-/16 hashed-/24; names hashed by label from the right")

enum yg_intel_section {
	YG_IS_FILTER = 1,
	YG_IS_SLOTS,
	YG_IS_POOL,
	YG_IS_NODES,
	YG_IS_PREFIXES,
	YG_IS_METAS,
	YG_IS_STRINGS,
	YG_IS_INFO,
	YG_IS_FRONT,
};

struct yg_intel_info {                      /* what look-ups need not try */
	uint32_t labels_least, labels_most; /* labels of the shortest and the deepest name */
};

struct yg_intel_meta {                        /* one combination of all that is not the value */
	uint32_t list, category, family, org; /* offsets of strings; 0: the empty one */
	int64_t from_us, until_us;            /* 0: unbounded */
	uint8_t confidence, severity_id, tlp, flags;
	uint32_t reserved;
};
static_assert(sizeof(struct yg_intel_meta) == 40, "metas are stored as they are");
#define YG_META_ALLOW 1u

/* Which keys may be compared with each other: hashes of different ones differ. */
enum yg_hash_domain {
	YG_HD_NONE,
	YG_HD_NAME,
	YG_HD_IP,
	YG_HD_IPPORT,
	YG_HD_URL,
	YG_HD_HASH,
	YG_HD_EMAIL
};

static inline enum yg_hash_domain yg_hash_domain_of(enum yg_indicator_type t)
{
	switch (t) {
	case YG_IND_IP: return YG_HD_IP;
	case YG_IND_IPPORT: return YG_HD_IPPORT;
	case YG_IND_DOMAIN:
	case YG_IND_FQDN: return YG_HD_NAME;
	case YG_IND_URL: return YG_HD_URL;
	case YG_IND_HASH: return YG_HD_HASH;
	case YG_IND_EMAIL: return YG_HD_EMAIL;
	case YG_IND_NONE:
	case YG_IND_TYPE_COUNT: break;
	}
	return YG_HD_NONE;
}
static inline uint8_t yg_intel_head(enum yg_indicator_type t, uint8_t scheme)
{
	return (uint8_t)((unsigned)t | (unsigned)scheme << 4);
}
