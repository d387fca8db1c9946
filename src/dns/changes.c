#include "dns/changes.h"

#include <stdlib.h>

#include "dns/compile_internal.h"
#include "dns/rpz.h"

enum { /* of an item */
       CHANGED = 1,
       BELOW = 2, /* the zone has a rule somewhere below this name */
};
struct item {
	uint64_t hash;
	uint32_t at; /* its key in `keys` */
	uint8_t n, kind, flags;
};
#define OWNERS_BITS 19   /* of the filter: 64 KiB */
struct names {           /* hashes of names, open addressing; 0: free */
	uint64_t *slots; /* owned */
	size_t cap, n;   /* cap: power of two */
};
struct yg_dns_changes {
	struct yg_hash_key key; /* of the base */
	uint64_t *owners;       /* owned: 1 << OWNERS_BITS bits, by hash; NULL: of none */
	struct names above;     /* names with others below them, and some more */
	bool learnt;
	struct yg_vec items;
	struct yg_buf keys;
	struct yg_index by_key;
	bool root[YG_DK_PREFIX + 1]; /* the root itself has changed, by kind */
};

static yg_status no_memory(struct yg_err *err)
{
	return YG_FAIL(err, YG_NOMEM, "no memory for the changes of a zone");
}

static void set_end(struct yg_dns_changes *c)
{
	free(c->items.p);
	free(c->by_key.slots);
	yg_buf_free(&c->keys);
}

yg_status yg_dns_changes_new(const struct yg_dns_policy *base, struct yg_dns_changes **out,
			     struct yg_err *err)
{
	struct yg_dns_changes *c = calloc(1, sizeof *c);
	if (c == NULL)
		return no_memory(err);
	c->key = base->key;
	yg_buf_init(&c->keys, UINT32_MAX);
	*out = c;
	return YG_OK;
}

void yg_dns_changes_free(struct yg_dns_changes *c)
{
	if (c == NULL)
		return;
	set_end(c);
	free(c->owners);
	free(c->above.slots);
	free(c);
}

size_t yg_dns_changes_count(const struct yg_dns_changes *c)
{
	return c->items.n;
}

/* ---- names with others below them ---- */

static bool names_put(struct names *s, uint64_t hash)
{
	if ((s->n + 1) * 3 > s->cap * 2) {
		struct names to = {.cap = s->cap < 1024 ? 1024 : s->cap * 2};
		to.slots = calloc(to.cap, sizeof *to.slots);
		if (to.slots == NULL)
			return false;
		for (size_t i = 0; i < s->cap; i++)
			if (s->slots[i] != 0)
				(void)names_put(&to, s->slots[i]);
		free(s->slots);
		*s = to;
	}
	size_t i = hash & (s->cap - 1);
	while (s->slots[i] != 0 && s->slots[i] != hash)
		i = (i + 1) & (s->cap - 1);
	s->n += s->slots[i] == 0;
	s->slots[i] = hash;
	return true;
}

static bool names_has(const struct names *s, uint64_t hash)
{
	if (hash == 0 || s->cap == 0)
		return hash == 0; /* that one is not kept: who knows */
	size_t i = hash & (s->cap - 1);
	while (s->slots[i] != 0) {
		if (s->slots[i] == hash)
			return true;
		i = (i + 1) & (s->cap - 1);
	}
	return false;
}

/* ---- owners ---- */

/* Without the "*": it stands for the same key. */
static size_t owner_bit(const struct yg_hash_key *key, struct yg_sv front)
{
	if (front.n >= 2 && front.p[0] == 1 && front.p[1] == '*')
		front = yg_sv_sub(front, 2, front.n);
	return (size_t)(yg_hash_of(key, UINT32_MAX, front) >> (64 - OWNERS_BITS));
}

/* Of addresses, which can be written in more than one way. */
static bool is_prefix(struct yg_sv front)
{
	return yg_sv_ends(front, YG_SV("ip")) &&
	       (yg_sv_ends(front, YG_SV("\6rpz-ip")) || yg_sv_ends(front, YG_SV("\10rpz-nsip")) ||
		yg_sv_ends(front, YG_SV("\15rpz-client-ip")));
}

bool yg_dns_changes_may(const struct yg_dns_changes *c, struct yg_sv front)
{
	if (is_prefix(front))
		return true;
	size_t bit = owner_bit(&c->key, front);
	return c->owners != NULL && (c->owners[bit / 64] >> (bit & 63) & 1) != 0;
}

bool yg_dns_changes_learnt(const struct yg_dns_changes *c)
{
	return c->learnt;
}

/* ---- the set ---- */

static struct item *item_at(const struct yg_dns_changes *c, size_t i)
{
	return (struct item *)c->items.p + i;
}

static struct yg_sv key_of(const struct yg_dns_changes *c, const struct item *it)
{
	return (struct yg_sv){c->keys.p + it->at, it->n};
}

static struct item *find(const struct yg_dns_changes *c, uint8_t kind, uint64_t hash,
			 struct yg_sv key)
{
	size_t at = SIZE_MAX;
	uint32_t i;
	if (c->by_key.cap == 0)
		return NULL;
	while (yg_index_next(&c->by_key, hash, &at, &i)) {
		struct item *it = item_at(c, i);
		if (it->hash == hash && it->kind == kind && yg_sv_eq(key_of(c, it), key))
			return it;
	}
	return NULL;
}

static yg_status put(struct yg_dns_changes *c, uint8_t kind, uint64_t hash, struct yg_sv key,
		     uint8_t flags, struct yg_err *err)
{
	struct item *it = find(c, kind, hash, key);
	size_t at = SIZE_MAX;
	uint32_t other;
	if (it != NULL) {
		it->flags |= flags;
		return YG_OK;
	}
	if (c->items.n >= YG_DNS_CHANGES_MAX)
		return YG_FAIL(err, YG_LIMIT, "more of the zone has changed than is added to it");
	if (!yg_index_room(&c->by_key))
		return no_memory(err);
	while (yg_index_next(&c->by_key, hash, &at, &other))
		;
	uint32_t key_at = (uint32_t)c->keys.n;
	yg_buf_put(&c->keys, key);
	it = c->keys.bad ? NULL : yg_vec_add(&c->items, sizeof *it);
	if (it == NULL)
		return no_memory(err);
	*it = (struct item){
		.hash = hash, .at = key_at, .n = (uint8_t)key.n, .kind = kind, .flags = flags};
	yg_index_put(&c->by_key, at, hash, (uint32_t)(c->items.n - 1));
	return YG_OK;
}

/* ---- keys ---- */

/* A key, and of a name every name above it, the root last: suffix(k, i) has hash[i]. */
struct key {
	struct yg_sv all;
	uint8_t kind;
	unsigned labels; /* 0 for prefixes */
	uint8_t at[YG_DNS_LABELS_MAX + 1];
	uint64_t hash[YG_DNS_LABELS_MAX + 1];
	uint8_t prefix[17];
};

static struct yg_sv suffix(const struct key *k, unsigned i)
{
	return yg_sv_sub(k->all, k->at[i], k->all.n);
}

static void split_name(const struct yg_hash_key *key, uint8_t kind, struct yg_sv name,
		       struct key *out)
{
	const uint8_t *p = (const uint8_t *)name.p;
	uint64_t h = yg_hash_begin(key, kind);
	out->all = name;
	out->kind = kind;
	out->labels = 0;
	for (size_t i = 0; i < name.n; i += (size_t)p[i] + 1)
		out->at[out->labels++] = (uint8_t)i;
	out->at[out->labels] = (uint8_t)name.n;
	out->hash[out->labels] = yg_hash_end(key, h);
	for (unsigned i = out->labels; i-- > 0;) {
		h = yg_dns_hash_label(key, h, p + out->at[i]);
		out->hash[i] = yg_hash_end(key, h);
	}
}

/* The key of a trigger.  False: it is none. */
static bool key_from(const struct yg_hash_key *key, const struct yg_rpz_trigger *t, struct key *out)
{
	if (t->trigger == YG_DNS_TRIGGER_NONE)
		return false;
	if (t->trigger == YG_DNS_TRIGGER_QNAME || t->trigger == YG_DNS_TRIGGER_NSDNAME) {
		split_name(key, t->trigger == YG_DNS_TRIGGER_QNAME ? YG_DK_QNAME : YG_DK_NSDNAME,
			   t->key, out);
		return true;
	}
	memcpy(out->prefix, t->ip.b, 16);
	out->prefix[16] = t->bits;
	out->all = (struct yg_sv){(const char *)out->prefix, 17};
	out->kind = YG_DK_PREFIX;
	out->labels = 0;
	out->at[0] = 0;
	out->hash[0] = yg_hash_of(key, YG_DK_PREFIX, out->all);
	return true;
}

yg_status yg_dns_changes_add(struct yg_dns_changes *c, const struct yg_dns_name *owner,
			     const struct yg_dns_name *origin, struct yg_err *err)
{
	struct key k __attribute__((uninitialized));
	struct yg_rpz_trigger t;
	if (yg_rpz_trigger(owner, origin, &t, NULL) != YG_OK || !key_from(&c->key, &t, &k))
		return YG_OK;
	if (c->owners == NULL)
		c->owners = calloc((size_t)1 << (OWNERS_BITS - 6), sizeof *c->owners);
	if (c->owners == NULL)
		return no_memory(err);
	size_t bit = owner_bit(&c->key, (struct yg_sv){(const char *)owner->b,
						       owner->at[owner->labels - origin->labels]});
	c->owners[bit / 64] |= 1ull << (bit & 63);
	c->root[k.kind] = c->root[k.kind] || k.all.n == 0;
	return put(c, k.kind, k.hash[0], k.all, CHANGED, err);
}

/* ---- what the base says ---- */

struct cell {
	bool any;       /* something is there, if only that the name exists */
	unsigned bits;  /* names: EXACT, WILD */
	uint64_t taken; /* records of its rules */
	uint64_t rules[YG_DNS_TRIGGER_COUNT];
};

static uint64_t records_of(const struct yg_dns_policy *base, const struct yg_dns_rule_rec *r)
{
	struct yg_dns_rrset set;
	struct yg_sv data = yg_dns_policy_data(base, r->data);
	uint64_t n = 0;
	while (r->action == YG_DNS_ACTION_DATA && yg_dns_rrset_next(&data, &set))
		n += set.count;
	if (r->action == YG_DNS_ACTION_DATA)
		return n;
	return r->action != YG_DNS_ACTION_NONE ? 1 : 0;
}

static void count_value(const struct yg_dns_policy *base, uint8_t kind, uint32_t value,
			struct cell *out)
{
	static const enum yg_dns_trigger triggers[] = {[YG_DV_CLIENT] = YG_DNS_TRIGGER_CLIENT_IP,
						       [YG_DV_RESPONSE] =
							       YG_DNS_TRIGGER_RESPONSE_IP,
						       [YG_DV_NSIP] = YG_DNS_TRIGGER_NSIP,
						       [3] = YG_DNS_TRIGGER_NONE};
	uint64_t taken = records_of(base, &base->rules[value >> 2]), n;
	out->any = true;
	if (kind == YG_DK_PREFIX) {
		out->rules[triggers[value & 3]]++;
		out->taken += taken;
		return;
	}
	out->bits |= value & 3;
	n = (value & YG_DV_EXACT) + (value >> 1 & 1);
	out->rules[kind == YG_DK_QNAME ? YG_DNS_TRIGGER_QNAME : YG_DNS_TRIGGER_NSDNAME] += n;
	out->taken += taken * n;
}

static struct cell base_cell(const struct yg_dns_builder *b, const struct yg_db_zone *z,
			     uint8_t kind, uint64_t plain, struct yg_sv key)
{
	const struct yg_dns_policy *base = b->opts.base;
	struct yg_hashset_rec rec[4];
	struct cell out = {.any = false};
	uint64_t hash = yg_hash_scoped(&base->key, plain, base->zones[z->base_zone].scope);
	size_t n = yg_hashset_maybe(&base->set, plain)
			   ? yg_hashset_find(&base->set, hash, key, rec, YG_LEN(rec))
			   : 0;
	for (size_t i = 0; i < n; i++) {
		uint32_t value;
		bool more = (rec[i].head & 0x7f) == kind;
		while (more) {
			while (yg_hashset_value(&rec[i], &value))
				if (value >> 2 < base->rule_count &&
				    base->rules[value >> 2].zone == z->base_zone)
					count_value(base, kind, value, &out);
			more = (rec[i].head & YG_DK_MORE) != 0 &&
			       yg_hashset_rec(&base->set, yg_hashset_behind(&base->set, &rec[i]),
					      &rec[i]);
		}
	}
	return out;
}

/* ---- the walk over the zone ---- */

struct applying {
	struct yg_dns_changes set; /* what could have changed: the changes, and what is above */
	struct yg_dns_builder *b;
	const struct yg_dns_name *origin;
	uint32_t zone;
};

/* The names above a change, the root too, so that it is known whether they exist. */
static yg_status add_above(struct applying *x, const struct yg_dns_changes *c, struct yg_err *err)
{
	struct key k __attribute__((uninitialized));
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < c->items.n; i++) {
		const struct item *it = item_at(c, i);
		st = put(&x->set, it->kind, it->hash, key_of(c, it), CHANGED, err);
		if (it->kind == YG_DK_PREFIX)
			continue;
		split_name(&c->key, it->kind, key_of(c, it), &k);
		for (unsigned l = 1; st == YG_OK && l <= k.labels; l++)
			st = put(&x->set, k.kind, k.hash[l], suffix(&k, l), 0, err);
	}
	return st;
}

/* Would the compiler make a rule of it? */
static bool is_rule(const struct yg_zone_rr *rr, const struct yg_rpz_trigger *t)
{
	struct yg_rpz_action a;
	return rr->cls == YG_DNS_IN && !rr->unread &&
	       yg_rpz_action(rr->type, rr->rdata, t, &a, NULL) == YG_OK;
}

/* The names above a rule exist.  What lies between it and a change above it may have to
 * be said now, or no more. */
static yg_status walk_above(struct applying *x, const struct key *k, const struct yg_zone_rr *rr,
			    const struct yg_rpz_trigger *t, struct yg_err *err)
{
	unsigned top = x->set.root[k->kind] ? k->labels : 0;
	int rule = -1; /* not asked yet */
	for (unsigned i = 1; i < k->labels; i++) {
		struct item *it = find(&x->set, k->kind, k->hash[i], suffix(k, i));
		if (it == NULL)
			continue;
		if ((it->flags & CHANGED) != 0)
			top = YG_MAX(top, i);
		if ((it->flags & BELOW) != 0)
			continue;
		if (rule < 0)
			rule = is_rule(rr, t);
		if (rule == 0)
			return YG_OK;
		it->flags |= BELOW;
	}
	if (top > 1 && rule < 0)
		rule = is_rule(rr, t);
	yg_status st = YG_OK;
	for (unsigned i = 1; st == YG_OK && i < top && rule > 0; i++)
		st = put(&x->set, k->kind, k->hash[i], suffix(k, i), BELOW, err);
	return st;
}

/* changed: only those records matter, and are added; else all, and none is added. */
static yg_status walk(struct applying *x, const struct yg_dns_changes_source *from, bool changed,
		      struct yg_err *err)
{
	struct key k __attribute__((uninitialized));
	struct yg_dns_name owner __attribute__((uninitialized));
	struct yg_zone_rr rr;
	yg_status st = YG_OK;
	while (st == YG_OK && (changed ? from->next_changed(from->ctx, &owner, &rr)
				       : from->next(from->ctx, &owner, &rr))) {
		struct yg_rpz_trigger t;
		if (yg_rpz_trigger(&owner, x->origin, &t, NULL) != YG_OK ||
		    !key_from(&x->set.key, &t, &k))
			continue;
		const struct item *it = find(&x->set, k.kind, k.hash[0], k.all);
		if (changed && it != NULL && (it->flags & CHANGED) != 0)
			st = yg_dns_builder_rr(x->b, x->zone, &rr, err);
		if (st == YG_OK && k.labels > 0)
			st = walk_above(x, &k, &rr, &t, err);
	}
	return st;
}

/* ---- what is to be said ---- */

static struct yg_db_key db_key(const struct applying *x, uint8_t kind, uint64_t hash,
			       struct yg_sv key)
{
	return (struct yg_db_key){hash, key, yg_db_zone_at(x->b, x->zone)->scope, kind};
}

/* Rules at a name as it is now: EXACT, WILD. */
static unsigned bits_now(const struct applying *x, const struct item *it, uint64_t hash,
			 struct yg_sv key)
{
	if (it == NULL || (it->flags & CHANGED) == 0)
		return base_cell(x->b, yg_db_zone_at(x->b, x->zone), it != NULL ? it->kind : 0,
				 hash, key)
			.bits;
	struct yg_db_key k = db_key(x, it->kind, hash, key);
	uint32_t entry = yg_db_find(x->b, &k);
	unsigned bits = 0;
	for (unsigned bit = YG_DV_EXACT; entry != YG_DB_NONE && bit <= YG_DV_WILD; bit++)
		if (yg_db_rule(x->b, entry, (uint16_t)x->zone, bit) != YG_DB_NONE)
			bits |= bit;
	return bits;
}

static bool wild_above(const struct applying *x, const struct item *it)
{
	struct key k __attribute__((uninitialized));
	split_name(&x->set.key, it->kind, key_of(&x->set, it), &k);
	for (unsigned i = 1; i <= k.labels; i++) {
		const struct item *above = find(&x->set, k.kind, k.hash[i], suffix(&k, i));
		if ((bits_now(x, above, k.hash[i], suffix(&k, i)) & YG_DV_WILD) != 0)
			return true;
	}
	return false;
}

static bool has_rules(const struct applying *x, const struct item *it, struct yg_sv key)
{
	if (it->kind != YG_DK_PREFIX)
		return bits_now(x, it, it->hash, key) != 0;
	struct yg_db_key k = db_key(x, it->kind, it->hash, key);
	uint32_t entry = yg_db_find(x->b, &k);
	for (unsigned bits = 0; entry != YG_DB_NONE && bits < 3; bits++)
		if (yg_db_rule(x->b, entry, (uint16_t)x->zone, bits) != YG_DB_NONE)
			return true;
	return false;
}

static yg_status say_value(struct applying *x, const struct item *it, struct yg_sv key, bool exists,
			   struct yg_err *err)
{
	struct yg_db_key k = db_key(x, it->kind, it->hash, key);
	uint32_t node, entry;
	yg_status st = exists ? yg_db_plain(x->b, (uint16_t)x->zone, YG_DNS_ACTION_NONE, false,
					    YG_DB_NONE, &node, err)
			      : yg_db_gone(x->b, (uint16_t)x->zone, &node, err);
	if (st == YG_OK)
		st = yg_db_entry(x->b, &k, YG_DB_NONE, &entry, err);
	return st == YG_OK ? yg_db_add_value(x->b, entry, node << 2, err) : st;
}

/* What the base says there is not counted any more. */
static void uncount(struct applying *x, const struct cell *had)
{
	struct yg_dns_zone_stats *s = &yg_db_zone_at(x->b, x->zone)->stats;
	s->taken -= YG_MIN(s->taken, had->taken);
	for (unsigned t = 0; t < YG_DNS_TRIGGER_COUNT; t++)
		s->rules[t] -= YG_MIN(s->rules[t], had->rules[t]);
}

/* A name that exists without rules is said to where a wildcard is above it: there and
 * nowhere else it is asked for. */
static yg_status say(struct applying *x, const struct item *it, struct yg_err *err)
{
	struct yg_sv key = key_of(&x->set, it);
	struct cell had = base_cell(x->b, yg_db_zone_at(x->b, x->zone), it->kind, it->hash, key);
	bool changed = (it->flags & CHANGED) != 0;
	if (changed)
		uncount(x, &had);
	if (changed ? has_rules(x, it, key) : had.bits != 0)
		return YG_OK;
	bool below = it->kind != YG_DK_PREFIX && (it->flags & BELOW) != 0 && it->n > 0;
	if (below && !changed && had.any)
		return YG_OK; /* it exists, as before */
	if (below && wild_above(x, it))
		return say_value(x, it, key, true, err);
	return had.any ? say_value(x, it, key, false, err) : YG_OK;
}

/* Does it matter whether the zone has rules below this name that are not changed, and may
 * it have some? */
static bool is_open(const struct applying *x, const struct yg_dns_changes *c, const struct item *it)
{
	bool changed = (it->flags & CHANGED) != 0;
	if (it->kind == YG_DK_PREFIX || (it->n == 0 && !changed))
		return false;
	if (it->n > 0 && c->learnt && !names_has(&c->above, it->hash))
		return false;
	if (changed)
		return true;
	struct yg_sv key = key_of(&x->set, it);
	struct cell had = base_cell(x->b, yg_db_zone_at(x->b, x->zone), it->kind, it->hash, key);
	return (it->flags & BELOW) == 0 && had.bits == 0 && (had.any || wild_above(x, it));
}

yg_status yg_dns_changes_learn(struct yg_dns_changes *c, const struct yg_dns_name *origin,
			       const struct yg_dns_changes_source *from, struct yg_err *err)
{
	struct key k __attribute__((uninitialized));
	struct yg_dns_name owner __attribute__((uninitialized));
	struct yg_zone_rr rr;
	while (from->next(from->ctx, &owner, &rr)) {
		struct yg_rpz_trigger t;
		if (yg_rpz_trigger(&owner, origin, &t, NULL) != YG_OK || !key_from(&c->key, &t, &k))
			continue;
		for (unsigned i = 1; i < k.labels; i++)
			if (k.hash[i] != 0 && !names_put(&c->above, k.hash[i]))
				return no_memory(err);
	}
	c->learnt = true;
	return YG_OK;
}

void yg_dns_changes_take_learnt(struct yg_dns_changes *c, struct yg_dns_changes *from)
{
	if (c->learnt || !from->learnt)
		return;
	free(c->above.slots);
	c->above = from->above;
	c->learnt = true;
	from->above = (struct names){.slots = NULL};
	from->learnt = false;
}

yg_status yg_dns_changes_apply(const struct yg_dns_changes *c, struct yg_dns_builder *b,
			       uint32_t zone, const struct yg_dns_name *origin,
			       const struct yg_dns_changes_source *from, struct yg_err *err)
{
	bool all = false;
	struct applying x = {.b = b, .origin = origin, .zone = zone};
	if (c->items.n == 0)
		return YG_OK;
	x.set.key = c->key;
	memcpy(x.set.root, c->root, sizeof x.set.root);
	yg_buf_init(&x.set.keys, UINT32_MAX);
	yg_status st = add_above(&x, c, err);
	if (st == YG_OK)
		st = walk(&x, from, true, err);
	for (size_t i = 0; st == YG_OK && !all && i < x.set.items.n; i++)
		all = is_open(&x, c, item_at(&x.set, i));
	if (all)
		st = walk(&x, from, false, err);
	for (size_t i = 0; st == YG_OK && i < x.set.items.n; i++)
		st = say(&x, item_at(&x.set, i), err);
	set_end(&x.set);
	return st;
}
