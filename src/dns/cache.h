/* cache.h - upstream answers, kept ready to send, in memory of a fixed size.
 *
 * One per worker; no lock, no allocation.  Entries lie one behind the other in a
 * ring: new ones at its head, room is made at its tail, where an entry that was
 * used since it was put there is put at the head once more (CLOCK).  So entries
 * of any size fit without waste, and a flood of names that are asked once passes
 * through without driving out what is in use.  A table of 64-byte buckets finds
 * them: one cache line for the look-up, then the entry's own.
 *
 * An entry is the message itself, checked and built anew (clean.h): header,
 * question in lower case, sections compressed, no OPT; then the places of its TTLs.
 */
#pragma once
#include "base/units.h"
#include "format/dns.h"

#define YG_DNS_CACHE_LEAST (1u << 20) /* bytes */

struct yg_dns_cache_opts {      /* seconds; 0: the default in brackets */
	uint32_t most;          /* TTL at most [86400] */
	uint32_t least;         /* TTL at least, but for 0 [0: as it came] */
	uint32_t negative_most; /* NXDOMAIN and NODATA at most [3600] (RFC 2308 5) */
	uint32_t failure;       /* SERVFAIL is remembered [5] (RFC 9520 3.2) */
	uint32_t stale;         /* kept so long past its time [86400] (RFC 8767 5) */
	uint32_t stale_ttl;     /* TTL of stale answers [30] (RFC 8767 5) */
	uint32_t stale_hold;    /* not asked again so long after a failure [30] */
};

enum { /* of an entry's key */
       YG_DNS_KEY_DO = 1,
       YG_DNS_KEY_CD = 2,
};
enum {                           /* of an entry */
       YG_DNS_ENTRY_SECURE = 1,  /* AD may be set */
       YG_DNS_ENTRY_SIGNED = 2,  /* has RRSIGs */
       YG_DNS_ENTRY_PRIVATE = 4, /* has addresses of private networks */
       YG_DNS_ENTRY_FAILURE = 8, /* SERVFAIL: nobody answered, or bogus */
       YG_DNS_ENTRY_CUT = 16,    /* ends in a CNAME whose target is to be looked up */
       YG_DNS_ENTRY_NEGATIVE = 32,
};
struct yg_dns_entry { /* 64 bytes, then msg; lies in the ring: gone at the next put */
	uint64_t hash;
	uint32_t blocks; /* of 64 bytes, of all of it */
	uint32_t stored; /* seconds of the monotonic clock */
	uint32_t expires;
	uint32_t stale_until;
	uint32_t hold;    /* do not ask again before */
	uint32_t clean;   /* generation of the policy that has nothing about it; 0: not known */
	uint32_t touched; /* generation of the policy that may have; 0: not known */
	uint32_t set;
	uint16_t msg_n;
	uint16_t answer_end; /* offset behind the answer section */
	uint16_t ttl_count;
	uint16_t ede;  /* YG_DNS_EDE_NONE */
	uint8_t key;   /* YG_DNS_KEY_ */
	uint8_t flags; /* YG_DNS_ENTRY_ */
	uint8_t rcode;
	uint8_t used;       /* since it was put at the head */
	uint8_t dead;       /* replaced; not in the table any more */
	uint8_t refreshing; /* is being asked for anew */
	uint8_t chain;      /* CNAMEs in the answer */
	uint8_t spare[9];
	uint8_t msg[]; /* msg_n; then, 2-aligned, ttl_count offsets */
};
static_assert(sizeof(struct yg_dns_entry) == 64, "one cache line before the message");

struct yg_dns_cache {
	uint64_t key[2];
	struct yg_dns_bucket *buckets;
	uint64_t bucket_mask;
	uint8_t *ring;
	uint32_t blocks;           /* of 64 bytes, of the ring */
	uint32_t head, tail, used; /* blocks */
	uint64_t entries, puts, evicted, kept_on, replaced;
	struct yg_dns_cache_opts opts;
};

struct yg_dns_key { /* what an answer is found by */
	uint64_t hash;
	uint32_t set;
	uint16_t type;
	uint8_t flags;                  /* YG_DNS_KEY_ */
	const struct yg_dns_name *name; /* borrowed */
};

/* memory: borrowed, 64-aligned, all zero, at least YG_DNS_CACHE_LEAST; none of it is touched
 * before something is put there.  YG_OK | YG_INVAL. */
yg_status yg_dns_cache_init(struct yg_dns_cache *c, void *memory, size_t bytes,
			    const uint64_t random[2], const struct yg_dns_cache_opts *opts);
/* The key of a question of class IN. */
struct yg_dns_key yg_dns_cache_key(const struct yg_dns_cache *c, uint32_t set,
				   const struct yg_dns_name *name, uint16_t type, uint8_t flags);
/* The two steps of a look-up that may have to wait for memory, ahead of it. */
void yg_dns_cache_prefetch(const struct yg_dns_cache *c, uint64_t hash);
void yg_dns_cache_prefetch_entry(const struct yg_dns_cache *c, uint64_t hash);
/* The key of the name as a whole, of no type: what does not exist does so for every type
 * (RFC 2308 5). */
struct yg_dns_key yg_dns_cache_whole(const struct yg_dns_cache *c, const struct yg_dns_key *key);
/* The entry, fresh or not; NULL.  Marks it as used. */
struct yg_dns_entry *yg_dns_cache_find(struct yg_dns_cache *c, const struct yg_dns_key *key);
/* The same without the mark. */
struct yg_dns_entry *yg_dns_cache_peek(const struct yg_dns_cache *c, const struct yg_dns_key *key);
/* What says most about the key at `now`: its own entry (own: what was found; may be NULL) or
 * that of the whole name; NULL: neither is there.  Without the mark. */
struct yg_dns_entry *yg_dns_cache_best(const struct yg_dns_cache *c, const struct yg_dns_key *key,
				       struct yg_dns_entry *own, uint32_t now);
/* The fresh entry of a whole name above this one, of more than `labels` labels, that does not
 * exist: so nothing is below it (RFC 8020).  secure: only one that is validated.  NULL: none. */
struct yg_dns_entry *yg_dns_cache_above(const struct yg_dns_cache *c, const struct yg_dns_key *key,
					unsigned labels, bool secure, uint32_t now);
/* Forgets the entry, if there is one. */
void yg_dns_cache_drop(struct yg_dns_cache *c, const struct yg_dns_key *key);
/* Puts an answer in place of what is there for this key.  msg: a message built by
 * yg_dns_clean(), msg_n bytes; the fields of `like` that are not about places and
 * sizes are taken over.  NULL: it is larger than a quarter of the ring. */
struct yg_dns_entry *yg_dns_cache_put(struct yg_dns_cache *c, const struct yg_dns_key *key,
				      const struct yg_dns_entry *like, const uint8_t *msg,
				      size_t msg_n, const uint16_t *ttl_at, size_t ttl_count);
/* Offsets of the TTLs behind the message. */
static inline const uint16_t *yg_dns_entry_ttls(const struct yg_dns_entry *e)
{
	return (const uint16_t *)(const void *)(e->msg + ((e->msg_n + 1u) & ~1u));
}
/* Forgets what is at or below a name (every set, type and flag), or everything (NULL):
 * how many entries. */
uint64_t yg_dns_cache_flush(struct yg_dns_cache *c, const struct yg_dns_name *top);
