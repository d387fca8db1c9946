/* policy_internal.h - what compile writes and policy reads; the room's own.
 * A change here changes YG_DNS_POLICY_SCHEMA, and with it every snapshot is
 * refused until it is compiled again. */
#pragma once
#include "dns/policy.h"
#include "snapshot/hashset.h"
#include "snapshot/prefix.h"
#include "snapshot/snapshot.h"

#define YG_DNS_POLICY_SCHEMA                                                                                                     \
	YG_SV("dns-policy 4; filter:u64 plain hashes; slots:u32 tag|off/4+1 scoped hashes; "                                     \
	      "pool:at 4n u8 head=kind|more<<7 key=wire name without root or 16+1 "                                              \
	      "values=rule<<2|bits; nodes:tree-bitmap-6; prefixes:u32 pool, one record of it; front; "                           \
	      "rules:data,zone,action,flags 1 gone; data:u32 length+bytes; "                                                     \
	      "zones:19 words, list, cancels, continues; views:org,zones,scopes,first; answers; strings:u16+bytes; info; base; " \
	      "names hashed by wire label from the right")

enum yg_dns_policy_section {
	YG_DS_FILTER = 1,
	YG_DS_SLOTS,
	YG_DS_POOL,
	YG_DS_NODES,
	YG_DS_PREFIXES,
	YG_DS_FRONT,
	YG_DS_RULES,
	YG_DS_DATA,
	YG_DS_ZONES,
	YG_DS_VIEWS,
	YG_DS_VIEW_ZONES,
	YG_DS_ANSWERS,
	YG_DS_STRINGS,
	YG_DS_INFO,
	YG_DS_BASE,
};

/* Head of a record: what kind of key; more values are in the record behind it. */
enum yg_dns_kind { YG_DK_QNAME = 1, YG_DK_NSDNAME = 2, YG_DK_PREFIX = 3 };
#define YG_DK_MORE 0x80u

/* Two bits beside the rule in each value.  A name with none of them only exists in the
 * zone: it keeps a wildcard above it from matching below. */
#define YG_DV_EXACT     1u
#define YG_DV_WILD      2u
#define YG_DV_CLIENT    0u /* of a prefix */
#define YG_DV_RESPONSE  1u
#define YG_DV_NSIP      2u
#define YG_DNS_RULE_MAX ((1u << 30) - 1)

#define YG_DR_GONE 1u /* the zone has nothing there any more, whatever the base says */
struct yg_dns_rule_rec {
	uint32_t data; /* in DATA; 0: none */
	uint16_t zone;
	uint8_t action; /* yg_dns_action */
	uint8_t flags;  /* YG_DR_GONE */
};
struct yg_dns_zone_rec {
	uint32_t name, origin, org, category, ede_text; /* strings */
	uint32_t soa, override_data;                    /* DATA */
	uint32_t serial, negative_ttl, scope;
	uint32_t rules[YG_DNS_TRIGGER_COUNT];
	uint16_t ede_code;
	uint8_t layer, override, mode, is_list;
	uint8_t cancels;   /* its prefixes only take later zones' rules of an address away */
	uint8_t continues; /* its records are in the base, but for the keys that are here */
};
#define YG_DNS_NO_ZONE 0xffffu
struct yg_dns_view_rec { /* by organisation, in order of the name; the first is everyone's */
	uint32_t org;    /* string */
	uint32_t zones_at, answers_at;
	uint16_t zone_count, answer_count;
	uint8_t scope_count, has, cancels,
		reserved; /* has: bit 1 << trigger; cancels: some zone does */
	uint32_t scopes[YG_DNS_VIEW_SCOPES];
	uint16_t first[YG_DNS_TRIGGER_COUNT]; /* the first zone that decides by this trigger */
};
struct yg_dns_view_zone { /* in order of precedence */
	uint16_t zone;
	uint8_t mode, reserved;
};
struct yg_dns_answer_rec { /* what a block by category becomes for an organisation */
	uint32_t category; /* string; 0: of any */
	uint32_t data;
	uint8_t action, reserved[3];
};
struct yg_dns_policy_counts {      /* what look-ups need not try: labels of names in the table */
	uint8_t least[3], most[3]; /* by kind */
	uint8_t has, reserved;     /* bit 1 << trigger */
};
struct yg_dns_base_rec { /* at most one: what the policy stands on */
	uint64_t generation;
	uint8_t digest[16]; /* of the whole file */
};
static_assert(sizeof(struct yg_dns_rule_rec) == 8, "stored as it is");
static_assert(sizeof(struct yg_dns_zone_rec) == 72, "stored as it is");
static_assert(sizeof(struct yg_dns_view_rec) == 72, "stored as it is");
static_assert(sizeof(struct yg_dns_view_zone) == 4, "stored as it is");
static_assert(sizeof(struct yg_dns_answer_rec) == 12, "stored as it is");
static_assert(sizeof(struct yg_dns_policy_counts) == 8, "stored as it is");

/* One piece of DATA.  CNAME: u32 TTL, u8 wild, then the target in wire form.  DATA:
 * per RRset u16 type, u16 count, u32 bytes, then the records.  SOA: one record. */
#define YG_DNS_CNAME_HEAD 5u
#define YG_DNS_RRSET_HEAD 8u

struct yg_dns_policy {
	struct yg_snap snap;
	struct yg_hash_key key;
	struct yg_hashset set;
	struct yg_prefix_tree tree;
	const struct yg_dns_rule_rec *rules;
	const uint8_t *data;
	const struct yg_dns_zone_rec *zones;
	const struct yg_dns_view_rec *views;
	const struct yg_dns_view_zone *view_zones;
	const struct yg_dns_answer_rec *answers;
	const char *strings;
	uint64_t rule_count, data_bytes, zone_count, view_count, view_zone_count, answer_count;
	uint64_t string_bytes;
	struct yg_dns_policy_counts counts;
	size_t refs;
	bool of_file; /* what it stands in can be read again */
	/* a policy over another */
	struct yg_dns_policy *base; /* owned reference; NULL: it is whole */
	uint16_t *zone_of;          /* owned: by zone of the base; YG_DNS_NO_ZONE: none of ours */
	uint32_t *scope_of;         /* owned: the base's number of our scopes */
	uint32_t scope_count;
};
#define YG_DNS_NO_SCOPE UINT32_MAX
/* What the base calls our scope; YG_DNS_NO_SCOPE: it has nothing of it. */
static inline uint32_t yg_dns_base_scope(const struct yg_dns_policy *p, uint32_t scope)
{
	return scope < p->scope_count ? p->scope_of[scope] : YG_DNS_NO_SCOPE;
}

struct yg_sv yg_dns_policy_string(const struct yg_dns_policy *p, uint32_t at);
struct yg_sv yg_dns_policy_data(const struct yg_dns_policy *p, uint32_t at);

/* The hash of a name goes label by label from the right; each label with its length
 * octet.  h: of what is to the right; the root's is yg_hash_begin(). */
static inline uint64_t yg_dns_hash_label(const struct yg_hash_key *key, uint64_t h,
					 const uint8_t *label)
{
	return yg_hash_more(key, h, (const char *)label, (size_t)label[0] + 1);
}
/* The hash of a whole key of names: wire form without the root. */
static inline uint64_t yg_dns_hash_key(const struct yg_hash_key *key, uint32_t kind,
				       struct yg_sv name)
{
	uint8_t at[YG_DNS_LABELS_MAX + 1];
	size_t n = 0;
	for (size_t i = 0; i < name.n && n < sizeof at; i += (size_t)(uint8_t)name.p[i] + 1)
		at[n++] = (uint8_t)i;
	uint64_t h = yg_hash_begin(key, kind);
	while (n > 0)
		h = yg_dns_hash_label(key, h, (const uint8_t *)name.p + at[--n]);
	return yg_hash_end(key, h);
}

struct yg_dns_meaning {            /* of a record, for a view */
	enum yg_dns_action given;  /* as it stands in its zone */
	enum yg_dns_action action; /* with the zone's override and the organisation's answer */
	struct yg_sv data;         /* of action CNAME and DATA; borrowed */
};
/* rule: those of the base are counted behind ours; zone: in our counting. */
void yg_dns_policy_meaning(const struct yg_dns_policy *p, const struct yg_dns_view_rec *view,
			   uint32_t rule, uint16_t zone, struct yg_dns_meaning *out);
/* What a refusal by a zone becomes in a view; NULL: it stays one. */
const struct yg_dns_answer_rec *yg_dns_policy_answer(const struct yg_dns_policy *p,
						     const struct yg_dns_view_rec *view,
						     const struct yg_dns_zone_rec *z);

/* Which rule decides for a view at one key, by itself: of the first zone that is enforced.
 * hash: without scope; bits: EXACT or WILD, of a prefix its trigger.  *rule: those of the
 * base are counted behind ours; *zone: in our counting.  False: none. */
bool yg_dns_policy_decides(const struct yg_dns_policy *p, uint32_t view, enum yg_dns_kind kind,
			   uint64_t hash, struct yg_sv key, unsigned bits, uint32_t *rule,
			   uint16_t *zone);
