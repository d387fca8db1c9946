/* compile_internal.h - the builder's memory; the room's own. */
#pragma once
#include "dns/compile.h"
#include "dns/policy_internal.h"
#include "snapshot/intern.h"

#define YG_DB_NONE UINT32_MAX

/* A record's type, TTL and data, once. */
struct yg_db_rr {
	uint32_t data_at; /* in bytes */
	uint32_t ttl;
	uint16_t type, n;
};
/* A rule, once; DATA is the chain of its records, the last one first. */
struct yg_db_node {
	uint16_t zone;
	uint8_t action, wild; /* wild: of a CNAME's target; of NONE: the key is gone */
	uint32_t parent, rr;  /* YG_DB_NONE: none */
	uint32_t length;      /* of the chain */
	uint32_t final;       /* in the snapshot; YG_DB_NONE until it is used */
};
/* One key in one scope.  value: node << 2 | bits; more: link of further ones. */
struct yg_db_entry {
	uint64_t hash; /* without the scope */
	uint32_t key_at, value, more;
	uint16_t scope;
	uint8_t key_n, kind;
};
struct yg_db_link {
	uint32_t value, next;
};
struct yg_db_zone {
	uint32_t name, origin_text, category, ede_text; /* strings */
	struct yg_dns_name origin;
	bool has_origin, is_list, cancels, continues;
	uint16_t base_zone; /* of one that continues: its number in the base */
	uint16_t scope, ede_code;
	uint8_t layer, override, mode;
	struct yg_dns_answer_spec answer;
	uint32_t soa;                        /* yg_db_rr; YG_DB_NONE */
	uint32_t plain[YG_DNS_ACTION_COUNT]; /* node of each action without data */
	struct yg_dns_zone_stats stats;
	uint16_t final; /* its place in the snapshot */
};
struct yg_db_org {
	uint32_t name;  /* string */
	uint16_t above; /* scope; 0: none but everyone */
	bool has_zones;
	bool has_mode[YG_DNS_LAYER_COUNT];
	uint8_t mode[YG_DNS_LAYER_COUNT];
};
struct yg_db_answer {
	uint32_t category; /* string */
	uint16_t scope;
	uint8_t action;
	struct yg_dns_answer_spec spec;
};

struct yg_dns_builder {
	struct yg_dns_build_opts opts;
	struct yg_hash_key key;
	struct yg_vec entries, links, nodes, rrs; /* as above */
	struct yg_vec zones, orgs, answers;       /* orgs: by scope; the first is everyone */
	struct yg_buf keys, bytes, strings;       /* of entries; of rrs; of names */
	struct yg_index by_key, by_node, by_rr, by_string, by_org;
	uint64_t marks;
	struct yg_dns_policy_counts counts;
};

static inline struct yg_db_zone *yg_db_zone_at(const struct yg_dns_builder *b, uint32_t i)
{
	return (struct yg_db_zone *)b->zones.p + i;
}
static inline struct yg_db_entry *yg_db_entry_at(const struct yg_dns_builder *b, uint32_t i)
{
	return (struct yg_db_entry *)b->entries.p + i;
}
static inline struct yg_db_node *yg_db_node_at(const struct yg_dns_builder *b, uint32_t i)
{
	return (struct yg_db_node *)b->nodes.p + i;
}

static inline struct yg_sv yg_db_string_at(const struct yg_dns_builder *b, uint32_t at)
{
	uint16_t n;
	memcpy(&n, b->strings.p + at, sizeof n);
	return (struct yg_sv){b->strings.p + at + 2, n};
}
/* Whose word counts for an organisation, nearest first: itself, what is above it, last
 * everyone (0).  Returns how many. */
static inline size_t yg_db_chain(const struct yg_dns_builder *b, uint16_t scope,
				 uint16_t out[static YG_DNS_VIEW_SCOPES])
{
	const struct yg_db_org *orgs = b->orgs.p;
	size_t n = 0;
	for (; scope != 0 && n < YG_DNS_VIEW_SCOPES - 1; scope = orgs[scope].above)
		out[n++] = scope;
	out[n++] = 0;
	return n;
}
/* The mode a zone has for the organisation of that chain. */
static inline uint8_t yg_db_mode(const struct yg_dns_builder *b, const uint16_t *chain, size_t n,
				 uint8_t layer, uint8_t own)
{
	const struct yg_db_org *orgs = b->orgs.p;
	for (size_t i = 0; i < n; i++)
		if (orgs[chain[i]].has_mode[layer]) /* the weaker one holds: off is off */
			return YG_MAX(own, orgs[chain[i]].mode[layer]);
	return own;
}
static inline bool yg_db_in_chain(const uint16_t *chain, size_t n, uint16_t scope)
{
	for (size_t i = 0; i < n; i++)
		if (chain[i] == scope)
			return true;
	return false;
}
/* The scope of an organisation; UINT16_MAX: it has none. */
uint16_t yg_db_scope(const struct yg_dns_builder *b, struct yg_sv org);

/* ---- compile_rules.c ---- */

/* u16 length and bytes in `strings`, once.  0 is the empty one. */
yg_status yg_db_string(struct yg_dns_builder *b, struct yg_sv s, uint32_t *out, struct yg_err *err);
yg_status yg_db_rr_intern(struct yg_dns_builder *b, uint16_t type, uint32_t ttl, struct yg_sv data,
			  uint32_t *out, struct yg_err *err);
/* The rule of an action without data, or of a CNAME (rr: its target), or a name that
 * only exists (NONE). */
yg_status yg_db_plain(struct yg_dns_builder *b, uint16_t zone, enum yg_dns_action action, bool wild,
		      uint32_t rr, uint32_t *out, struct yg_err *err);
/* The zone has nothing at a key, whatever the base says. */
yg_status yg_db_gone(struct yg_dns_builder *b, uint16_t zone, uint32_t *out, struct yg_err *err);
/* The rule `node` (YG_DB_NONE: none yet) with one record more.  YG_CONFLICT: it has the
 * very record; YG_LIMIT: too many. */
yg_status yg_db_extend(struct yg_dns_builder *b, uint16_t zone, uint32_t node, uint32_t rr,
		       uint32_t *out, struct yg_err *err);

/* ---- compile_keys.c ---- */

struct yg_db_key {
	uint64_t hash;
	struct yg_sv
		key; /* names: wire form without the root; prefixes: 16 octets and the length */
	uint16_t scope;
	uint8_t kind;
};
/* key.hash of a name. */
uint64_t yg_db_name_hash(const struct yg_dns_builder *b, uint8_t kind, struct yg_sv key);
/* Entry of the key; YG_DB_NONE when there is none. */
uint32_t yg_db_find(const struct yg_dns_builder *b, const struct yg_db_key *k);
/* The same, made when there is none.  key_at: where its bytes are in `keys` already;
 * YG_DB_NONE: they are copied. */
yg_status yg_db_entry(struct yg_dns_builder *b, const struct yg_db_key *k, uint32_t key_at,
		      uint32_t *out, struct yg_err *err);
/* The rule of `zone` with these bits at the entry; YG_DB_NONE: none.  For a prefix, bits
 * are its trigger; for names one of EXACT and WILD. */
uint32_t yg_db_rule(const struct yg_dns_builder *b, uint32_t entry, uint16_t zone, unsigned bits);
/* Puts it there in place of that one. */
yg_status yg_db_set_rule(struct yg_dns_builder *b, uint32_t entry, unsigned bits, uint32_t node,
			 struct yg_err *err);
/* One value more. */
yg_status yg_db_add_value(struct yg_dns_builder *b, uint32_t entry, uint32_t value,
			  struct yg_err *err);
/* Adds the names that must exist so that RFC 4592's wildcards stop where they should. */
yg_status yg_db_mark(struct yg_dns_builder *b, struct yg_err *err);

/* ---- walking the values of an entry ---- */
struct yg_db_walk {
	uint32_t next;
	bool first;
};
static inline bool yg_db_value(const struct yg_dns_builder *b, const struct yg_db_entry *e,
			       struct yg_db_walk *w, uint32_t *out)
{
	if (!w->first) {
		w->first = true;
		w->next = e->more;
		*out = e->value;
		if (e->value != YG_DB_NONE)
			return true;
	}
	if (w->next == YG_DB_NONE)
		return false;
	const struct yg_db_link *l = (const struct yg_db_link *)b->links.p + w->next;
	*out = l->value;
	w->next = l->next;
	return true;
}
