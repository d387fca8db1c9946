/* hashset.h - a set of typed keys with values, inside a snapshot.
 *
 * Three sections:
 *   filter  a register-blocked Bloom filter (Putze, Sanders, Singler 2007): one
 *           64-bit word per key says "certainly not" for all but about 0.4 % of
 *           the keys that are not in the set.  At 16 bits a key it is small enough
 *           to live in a core's caches with millions of keys, which is what makes
 *           a look-up cost the same whatever the number of keys.
 *   slots   open addressing, linear probing, 3/4 full; each a tag of the hash
 *           and the offset of a record in the pool
 *   pool    the records: a head byte, the key's bytes, its values
 * A look-up ends in a comparison of the key's real bytes: a collision of hashes
 * costs time, never a false match.
 *
 * Hashes are keyed by 128 random bits of the snapshot, so that who writes log
 * records cannot aim at one slot.
 */
#pragma once
#include "base/sb.h"

/* ---- hashing ---- */

struct yg_hash_key {
	uint64_t k[2];
};
static inline uint64_t yg_hash_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;
	return (uint64_t)m ^ (uint64_t)(m >> 64);
}
static inline uint64_t yg_hash_load64(const char *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return v;
}
static inline uint64_t yg_hash_load32(const char *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return v;
}
/* Goes on from state h with n more bytes; the length counts, so the parts "ab",
 * "c" and "a", "bc" differ.  A multiply-fold construction after wyhash (Wang
 * Yi, public domain), 16 bytes a step. */
static inline uint64_t yg_hash_more(const struct yg_hash_key *key, uint64_t h, const char *p,
				    size_t n)
{
	uint64_t a, b;
	size_t left = n;
	for (; left > 16; left -= 16, p += 16)
		h = yg_hash_mix(yg_hash_load64(p) ^ key->k[0], yg_hash_load64(p + 8) ^ h);
	if (left >= 8) {
		a = yg_hash_load64(p);
		b = yg_hash_load64(p + left - 8);
	} else if (left >= 4) {
		a = yg_hash_load32(p);
		b = yg_hash_load32(p + left - 4);
	} else if (left > 0) {
		a = (uint64_t)(uint8_t)p[0] << 16 | (uint64_t)(uint8_t)p[left >> 1] << 8 |
		    (uint8_t)p[left - 1];
		b = 0;
	} else {
		a = 0;
		b = 0;
	}
	return yg_hash_mix(a ^ key->k[1], b ^ h ^ ((uint64_t)n * 0xa0761d6478bd642full));
}
static inline uint64_t yg_hash_begin(const struct yg_hash_key *key, uint32_t domain)
{
	return key->k[0] ^ ((uint64_t)domain * 0xe7037ed1a0b428dbull);
}
static inline uint64_t yg_hash_end(const struct yg_hash_key *key, uint64_t h)
{
	return yg_hash_mix(h ^ key->k[1], h ^ 0x8ebc6af09c88c6e3ull);
}
/* The same key in another scope (1...): as far away as another key.  The filter does
 * not know scopes: it is asked once, by the plain hash, for all of them. */
static inline uint64_t yg_hash_scoped(const struct yg_hash_key *key, uint64_t hash, uint32_t scope)
{
	return scope == 0 ? hash
			  : yg_hash_mix(hash ^ key->k[0],
					((uint64_t)scope * 0xd6e8feb86659fd93ull) ^ key->k[1]);
}
static inline uint64_t yg_hash_of(const struct yg_hash_key *key, uint32_t domain, struct yg_sv s)
{
	return yg_hash_end(key, yg_hash_more(key, yg_hash_begin(key, domain), s.p, s.n));
}

/* The hashes of a domain name and of every name above it, from the shortest
 * ("com") on, in one pass from the right: out[i].at is where it begins in
 * `name`.  At most `most` of them.  Name: lower case, no final dot. */
struct yg_name_hash {
	uint64_t hash;
	uint32_t at;
};
size_t yg_name_hashes(const struct yg_hash_key *key, uint32_t domain, struct yg_sv name,
		      struct yg_name_hash *out, size_t most);
/* The hash of the whole name alone; what yg_name_hashes() gives last. */
uint64_t yg_name_hash(const struct yg_hash_key *key, uint32_t domain, struct yg_sv name);

/* ---- reading ---- */

struct yg_hashset {
	const uint64_t *filter;
	uint64_t filter_count;
	const uint32_t *slots;
	uint64_t slot_count;
	const uint8_t *pool;
	uint64_t pool_bytes;
	unsigned off_bits; /* low bits of a slot: where the record is, in units, + 1 */
};
#define YG_HASHSET_VALUES_MAX 64 /* values kept per key; more are counted by the builder */
#define YG_HASHSET_KEY_MAX    16384
#define YG_HASHSET_PROBES_MAX 4096 /* slots looked at per look-up: no table of ours needs 200 */

/* A record: u8 head, varint key length, key, varint value count, that many varints.  It
 * begins at a multiple of the unit: a slot then has that many more bits of the hash, and
 * fewer records are read in vain. */
#define YG_HASHSET_UNIT 4u
struct yg_hashset_rec {
	uint8_t head;
	struct yg_sv key;
	uint32_t value_count;
	const uint8_t *values, *values_end; /* for yg_hashset_value() */
};

/* YG_CORRUPT unless every slot is in bounds, every record is well formed and
 * every value below value_limit; *out_count: records.  The fields of *s are set
 * by the caller, off_bits by this. */
yg_status yg_hashset_check(struct yg_hashset *s, uint64_t value_limit, uint64_t *out_count,
			   struct yg_err *err);
/* The record at `off`; false when there is none that is well formed. */
bool yg_hashset_rec(const struct yg_hashset *s, uint64_t off, struct yg_hashset_rec *out);
/* The next value of a record; false behind the last one. */
bool yg_hashset_value(struct yg_hashset_rec *rec, uint32_t *out);
/* Where the record behind this one begins, whose values have all been read. */
static inline uint64_t yg_hashset_behind(const struct yg_hashset *s,
					 const struct yg_hashset_rec *rec)
{
	uint64_t end = (uint64_t)(rec->values - s->pool);
	return (end + YG_HASHSET_UNIT - 1) / YG_HASHSET_UNIT * YG_HASHSET_UNIT;
}

static inline uint64_t yg_hashset_word(const struct yg_hashset *s, uint64_t hash)
{
	return (uint64_t)(((unsigned __int128)hash * s->filter_count) >> 64);
}
static inline uint64_t yg_hashset_mask(uint64_t hash)
{
	uint64_t m = hash * 0x9e3779b97f4a7c15ull;
	return 1ull << (m >> 58) | 1ull << (m >> 52 & 63) | 1ull << (m >> 46 & 63) |
	       1ull << (m >> 40 & 63) | 1ull << (m >> 34 & 63);
}
static inline void yg_hashset_prefetch(const struct yg_hashset *s, uint64_t hash)
{
	__builtin_prefetch(&s->filter[yg_hashset_word(s, hash)], 0, 3);
}
/* False: the key is certainly not in the set. */
static inline bool yg_hashset_maybe(const struct yg_hashset *s, uint64_t hash)
{
	uint64_t m = yg_hashset_mask(hash);
	return (s->filter[yg_hashset_word(s, hash)] & m) == m;
}
/* Where yg_hashset_find() will look first, and which records may be meant there. */
void yg_hashset_prefetch_slot(const struct yg_hashset *s, uint64_t hash);
void yg_hashset_prefetch_record(const struct yg_hashset *s, uint64_t hash);
/* Records with this key, at most `most`, into out: how many.  Two records may
 * have one key when their heads differ. */
size_t yg_hashset_find(const struct yg_hashset *s, uint64_t hash, struct yg_sv key,
		       struct yg_hashset_rec *out, size_t most);

/* ---- building ---- */

/* Appends a record at the next multiple of the unit.  YG_LIMIT: the pool's limit is reached. */
yg_status yg_hashset_put(struct yg_buf *pool, uint8_t head, struct yg_sv key,
			 const uint32_t *values, size_t value_count, uint64_t *out_off);
struct yg_hashset_item {
	uint64_t hash;
	uint32_t off;
	uint32_t scope; /* 0; else the slot is that of yg_hash_scoped() */
};
/* Filter and slots for `count` records of a pool of pool_bytes; both are owned
 * by the caller (free()), the fields of *out point to them.
 * YG_OK | YG_NOMEM | YG_LIMIT. */
yg_status yg_hashset_build(const struct yg_hash_key *key, const struct yg_hashset_item *items,
			   uint64_t count, uint64_t pool_bytes, struct yg_hashset *out,
			   struct yg_err *err);
