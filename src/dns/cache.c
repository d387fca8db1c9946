#include "dns/cache.h"

#include "snapshot/hashset.h"

#define BLOCK      64u
#define WAYS       8u
#define PER_BUCKET 1536u /* bytes of the ring for each bucket: half full with entries of 384 */
#define KEEP_MAX   32    /* entries put back per put: bounds the work of one */

struct slot {
	uint32_t tag;
	uint32_t ref; /* block + 1; 0: empty */
};
struct yg_dns_bucket {
	struct slot slot[WAYS];
};
static_assert(sizeof(struct yg_dns_bucket) == 64, "one cache line");

static uint32_t or_default(uint32_t v, uint32_t dflt)
{
	return v != 0 ? v : dflt;
}

yg_status yg_dns_cache_init(struct yg_dns_cache *c, void *memory, size_t bytes,
			    const uint64_t random[2], const struct yg_dns_cache_opts *opts)
{
	uintptr_t at = (uintptr_t)memory;
	if (memory == NULL || at % BLOCK != 0 || bytes < YG_DNS_CACHE_LEAST)
		return YG_INVAL;
	bytes = YG_MIN(bytes, (size_t)BLOCK << 31);
	size_t buckets = 1;
	while (buckets * 2 * PER_BUCKET <= bytes)
		buckets *= 2;
	memset(c, 0, sizeof *c);
	c->key[0] = random[0];
	c->key[1] = random[1];
	c->buckets = memory;
	c->bucket_mask = buckets - 1;
	c->ring = (uint8_t *)memory + buckets * sizeof *c->buckets;
	c->blocks = (uint32_t)((bytes - buckets * sizeof *c->buckets) / BLOCK);
	c->opts.most = or_default(opts->most, 86400);
	c->opts.least = opts->least;
	c->opts.negative_most = or_default(opts->negative_most, 3600);
	c->opts.failure = or_default(opts->failure, 5);
	c->opts.stale = or_default(opts->stale, 86400);
	c->opts.stale_ttl = or_default(opts->stale_ttl, 30);
	c->opts.stale_hold = or_default(opts->stale_hold, 30);
	return YG_OK;
}

struct yg_dns_key yg_dns_cache_key(const struct yg_dns_cache *c, uint32_t set,
				   const struct yg_dns_name *name, uint16_t type, uint8_t flags)
{
	const struct yg_hash_key key = {{c->key[0], c->key[1]}};
	uint64_t h = yg_hash_begin(&key, set) ^ ((uint64_t)type << 40 | (uint64_t)flags << 56);
	h = yg_hash_more(&key, h, (const char *)name->b, name->n);
	return (struct yg_dns_key){yg_hash_end(&key, h), set, type, flags, name};
}

static struct yg_dns_bucket *bucket_of(const struct yg_dns_cache *c, uint64_t hash)
{
	return &c->buckets[hash >> 32 & c->bucket_mask];
}

static struct yg_dns_entry *entry_at(const struct yg_dns_cache *c, uint32_t block)
{
	return (struct yg_dns_entry *)(void *)(c->ring + (size_t)block * BLOCK);
}

void yg_dns_cache_prefetch(const struct yg_dns_cache *c, uint64_t hash)
{
	__builtin_prefetch(bucket_of(c, hash), 0, 3);
}

void yg_dns_cache_prefetch_entry(const struct yg_dns_cache *c, uint64_t hash)
{
	const struct yg_dns_bucket *b = bucket_of(c, hash);
	for (unsigned i = 0; i < WAYS; i++)
		if (b->slot[i].ref != 0 && b->slot[i].tag == (uint32_t)hash) {
			const uint8_t *e = (const uint8_t *)entry_at(c, b->slot[i].ref - 1);
			__builtin_prefetch(e, 1, 3);
			__builtin_prefetch(e + 64, 0, 3);
			__builtin_prefetch(e + 128, 0, 3);
			return;
		}
}

static bool is_it(const struct yg_dns_entry *e, const struct yg_dns_key *k)
{
	const uint8_t *question = e->msg + YG_DNS_HEADER;
	return e->hash == k->hash && e->set == k->set && e->key == k->flags && e->dead == 0 &&
	       memcmp(question, k->name->b, k->name->n) == 0 &&
	       yg_dns_get16(question + k->name->n) == k->type;
}

static struct slot *slot_of(const struct yg_dns_cache *c, const struct yg_dns_key *key)
{
	struct yg_dns_bucket *b = bucket_of(c, key->hash);
	for (unsigned i = 0; i < WAYS; i++)
		if (b->slot[i].ref != 0 && b->slot[i].tag == (uint32_t)key->hash &&
		    is_it(entry_at(c, b->slot[i].ref - 1), key))
			return &b->slot[i];
	return NULL;
}

struct yg_dns_entry *yg_dns_cache_find(struct yg_dns_cache *c, const struct yg_dns_key *key)
{
	const struct slot *s = slot_of(c, key);
	if (s == NULL)
		return NULL;
	struct yg_dns_entry *e = entry_at(c, s->ref - 1);
	if (e->used == 0)
		e->used = 1;
	return e;
}

struct yg_dns_entry *yg_dns_cache_peek(const struct yg_dns_cache *c, const struct yg_dns_key *key)
{
	const struct slot *s = slot_of(c, key);
	return s != NULL ? entry_at(c, s->ref - 1) : NULL;
}

struct yg_dns_key yg_dns_cache_whole(const struct yg_dns_cache *c, const struct yg_dns_key *key)
{
	return yg_dns_cache_key(c, key->set, key->name, 0, key->flags);
}

struct yg_dns_entry *yg_dns_cache_best(const struct yg_dns_cache *c, const struct yg_dns_key *key,
				       struct yg_dns_entry *own, uint32_t now)
{
	if (own != NULL && now < own->expires)
		return own;
	const struct yg_dns_key all = yg_dns_cache_whole(c, key);
	const struct slot *s = slot_of(c, &all);
	if (s == NULL)
		return own;
	struct yg_dns_entry *whole = entry_at(c, s->ref - 1);
	bool newer = own != NULL && own->stored >= whole->stored;
	return newer && now >= whole->expires ? own : whole;
}

struct yg_dns_entry *yg_dns_cache_above(const struct yg_dns_cache *c, const struct yg_dns_key *key,
					unsigned labels, bool secure, uint32_t now)
{
	struct yg_dns_name at;
	for (unsigned up = 1; key->name->labels > labels + up; up++) {
		yg_dns_name_above(key->name, up, &at);
		const struct yg_dns_key k = yg_dns_cache_key(c, key->set, &at, 0, key->flags);
		const struct slot *s = slot_of(c, &k);
		struct yg_dns_entry *e = s != NULL ? entry_at(c, s->ref - 1) : NULL;
		if (e != NULL && now < e->expires &&
		    (!secure || (e->flags & YG_DNS_ENTRY_SECURE) != 0))
			return e;
	}
	return NULL;
}

/* The slot that points to this entry; NULL when it is in no table any more. */
static struct slot *slot_at(const struct yg_dns_cache *c, const struct yg_dns_entry *e,
			    uint32_t block)
{
	struct yg_dns_bucket *b = bucket_of(c, e->hash);
	for (unsigned i = 0; e->dead == 0 && i < WAYS; i++)
		if (b->slot[i].ref == block + 1)
			return &b->slot[i];
	return NULL;
}

static void kill(struct yg_dns_cache *c, struct slot *s)
{
	entry_at(c, s->ref - 1)->dead = 1;
	*s = (struct slot){0, 0};
	c->entries--;
}

void yg_dns_cache_drop(struct yg_dns_cache *c, const struct yg_dns_key *key)
{
	struct slot *s = slot_of(c, key);
	if (s != NULL)
		kill(c, s);
}

/* ---- the ring ---- */

static uint32_t room_ahead(const struct yg_dns_cache *c)
{
	if (c->used == c->blocks)
		return 0;
	return c->head >= c->tail ? c->blocks - c->head : c->tail - c->head;
}

/* Fills what is left at the ring's end, where no entry fits any more. */
static void wrap(struct yg_dns_cache *c)
{
	uint32_t left = c->blocks - c->head;
	if (left > 0) {
		struct yg_dns_entry *e = entry_at(c, c->head);
		memset(e, 0, sizeof *e);
		e->blocks = left;
		e->dead = 1;
		c->used += left;
	}
	c->head = 0;
}

static void advance(struct yg_dns_cache *c, uint32_t blocks)
{
	c->head += blocks;
	c->used += blocks;
	if (c->head == c->blocks)
		c->head = 0;
}

/* Takes the entry at the tail away; with keep, one that was used moves to the head
 * if there is room: whether it did. */
static bool evict(struct yg_dns_cache *c, bool keep)
{
	uint32_t block = c->tail;
	struct yg_dns_entry *e = entry_at(c, block);
	uint32_t blocks = e->blocks;
	struct slot *s = slot_at(c, e, block);
	c->tail += blocks;
	c->used -= blocks;
	if (c->tail == c->blocks)
		c->tail = 0;
	if (s == NULL)
		return false;
	if (!keep || e->used == 0 || room_ahead(c) < blocks) {
		kill(c, s);
		c->evicted++;
		return false;
	}
	e->used = 0;
	memmove(entry_at(c, c->head), e, (size_t)blocks * BLOCK);
	s->ref = c->head + 1;
	advance(c, blocks);
	c->kept_on++;
	return true;
}

static void make_room(struct yg_dns_cache *c, uint32_t need)
{
	int kept = 0;
	for (;;) {
		if (c->used == 0)
			c->head = c->tail = 0;
		if (room_ahead(c) >= need)
			return;
		if (c->used < c->blocks && c->head >= c->tail)
			wrap(c);
		else
			kept += evict(c, kept < KEEP_MAX);
	}
}

/* A slot for a new entry: an empty one, else that of the entry of least use. */
static struct slot *free_slot(struct yg_dns_cache *c, uint64_t hash)
{
	struct yg_dns_bucket *b = bucket_of(c, hash);
	struct slot *worst = &b->slot[hash >> 29 & 7];
	for (unsigned i = 0; i < WAYS; i++) {
		if (b->slot[i].ref == 0)
			return &b->slot[i];
		if (entry_at(c, b->slot[i].ref - 1)->used == 0)
			worst = &b->slot[i];
	}
	kill(c, worst);
	c->evicted++;
	return worst;
}

struct yg_dns_entry *yg_dns_cache_put(struct yg_dns_cache *c, const struct yg_dns_key *key,
				      const struct yg_dns_entry *like, const uint8_t *msg,
				      size_t msg_n, const uint16_t *ttl_at, size_t ttl_count)
{
	size_t even = (msg_n + 1) & ~(size_t)1;
	size_t bytes = sizeof(struct yg_dns_entry) + even + ttl_count * sizeof *ttl_at;
	uint32_t blocks = (uint32_t)((bytes + BLOCK - 1) / BLOCK);
	if (blocks > c->blocks / 4 || ttl_count > UINT16_MAX || msg_n > UINT16_MAX)
		return NULL;
	struct slot *s = slot_of(c, key);
	if (s != NULL) {
		kill(c, s);
		c->replaced++;
	}
	make_room(c, blocks);
	s = free_slot(c, key->hash);
	struct yg_dns_entry *e = entry_at(c, c->head);
	*e = *like;
	e->hash = key->hash;
	e->blocks = blocks;
	e->set = key->set;
	e->key = key->flags;
	e->msg_n = (uint16_t)msg_n;
	e->ttl_count = (uint16_t)ttl_count;
	e->clean = e->touched = 0;
	e->used = e->dead = e->refreshing = 0;
	memcpy(e->msg, msg, msg_n);
	if (ttl_count > 0)
		memcpy(e->msg + even, ttl_at, ttl_count * sizeof *ttl_at);
	*s = (struct slot){(uint32_t)key->hash, c->head + 1};
	advance(c, blocks);
	c->puts++;
	c->entries++;
	return e;
}

uint64_t yg_dns_cache_flush(struct yg_dns_cache *c, const struct yg_dns_name *top)
{
	uint64_t gone = 0;
	struct yg_dns_name name;
	for (uint64_t b = 0; b <= c->bucket_mask; b++)
		for (unsigned i = 0; i < WAYS; i++) {
			struct slot *s = &c->buckets[b].slot[i];
			if (s->ref == 0)
				continue;
			const struct yg_dns_entry *e = entry_at(c, s->ref - 1);
			size_t at = YG_DNS_HEADER;
			if (top != NULL &&
			    (yg_dns_name_read_plain(e->msg, e->msg_n, &at, &name) != YG_OK ||
			     !yg_dns_name_is_in(&name, top)))
				continue;
			kill(c, s);
			gone++;
		}
	return gone;
}
