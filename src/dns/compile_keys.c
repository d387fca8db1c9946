/* compile_keys.c - which names and prefixes have which rules. */
#include "base/breath.h"
#include "dns/compile_internal.h"

uint64_t yg_db_name_hash(const struct yg_dns_builder *b, uint8_t kind, struct yg_sv key)
{
	return yg_dns_hash_key(&b->key, kind, key);
}

static bool same_key(const struct yg_dns_builder *b, const struct yg_db_entry *e,
		     const struct yg_db_key *k)
{
	return e->hash == k->hash && e->scope == k->scope && e->kind == k->kind &&
	       e->key_n == k->key.n && memcmp(b->keys.p + e->key_at, k->key.p, k->key.n) == 0;
}

uint32_t yg_db_find(const struct yg_dns_builder *b, const struct yg_db_key *k)
{
	uint32_t i;
	size_t at = SIZE_MAX;
	if (b->by_key.cap == 0)
		return YG_DB_NONE;
	while (yg_index_next(&b->by_key, yg_hash_scoped(&b->key, k->hash, k->scope), &at, &i))
		if (same_key(b, yg_db_entry_at(b, i), k))
			return i;
	return YG_DB_NONE;
}

static void note_labels(struct yg_dns_policy_counts *c, const struct yg_db_key *k)
{
	uint8_t labels = 0;
	if (k->kind == YG_DK_PREFIX)
		return;
	for (size_t i = 0; i < k->key.n; i += (size_t)(uint8_t)k->key.p[i] + 1)
		labels++;
	c->least[k->kind] = YG_MIN(c->least[k->kind], labels);
	c->most[k->kind] = YG_MAX(c->most[k->kind], labels);
}

yg_status yg_db_entry(struct yg_dns_builder *b, const struct yg_db_key *k, uint32_t key_at,
		      uint32_t *out, struct yg_err *err)
{
	if (!yg_index_room(&b->by_key))
		return YG_FAIL(err, YG_NOMEM, "no memory for the policy");
	uint64_t slot = yg_hash_scoped(&b->key, k->hash, k->scope);
	size_t at = SIZE_MAX;
	while (yg_index_next(&b->by_key, slot, &at, out))
		if (same_key(b, yg_db_entry_at(b, *out), k))
			return YG_OK;
	char *to = NULL;
	if (key_at == YG_DB_NONE) {
		to = yg_buf_room(&b->keys, k->key.n + 1);
		if (to == NULL)
			return b->keys.nomem ? YG_FAIL(err, YG_NOMEM, "no memory for the policy")
					     : YG_FAIL(err, YG_LIMIT,
						       "the policy takes more memory than allowed");
	}
	struct yg_db_entry *e =
		b->entries.n < YG_DB_NONE - 1 ? yg_vec_add(&b->entries, sizeof *e) : NULL;
	if (e == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the policy");
	*e = (struct yg_db_entry){.hash = k->hash,
				  .key_at = key_at,
				  .value = YG_DB_NONE,
				  .more = YG_DB_NONE,
				  .scope = k->scope,
				  .key_n = (uint8_t)k->key.n,
				  .kind = k->kind};
	if (to != NULL) {
		memcpy(to, k->key.p, k->key.n);
		e->key_at = (uint32_t)b->keys.n;
		b->keys.n += k->key.n;
	}
	*out = (uint32_t)(b->entries.n - 1);
	yg_index_put(&b->by_key, at, slot, *out);
	note_labels(&b->counts, k);
	return YG_OK;
}

/* ---- values ---- */

static bool is_of(const struct yg_dns_builder *b, uint32_t value, uint16_t zone)
{
	return yg_db_node_at(b, value >> 2)->zone == zone;
}

/* Names: a value stands for both EXACT and WILD when both bits are set. */
static bool has_bits(const struct yg_db_entry *e, uint32_t value, unsigned bits)
{
	return e->kind == YG_DK_PREFIX ? (value & 3) == bits : (value & bits) != 0;
}

uint32_t yg_db_rule(const struct yg_dns_builder *b, uint32_t entry, uint16_t zone, unsigned bits)
{
	const struct yg_db_entry *e = yg_db_entry_at(b, entry);
	struct yg_db_walk w = {0, false};
	uint32_t value;
	while (yg_db_value(b, e, &w, &value))
		if (is_of(b, value, zone) && has_bits(e, value, bits))
			return value >> 2;
	return YG_DB_NONE;
}

/* The place of the value for which `fits`: the same rule, or an empty one. */
static uint32_t *place_of(struct yg_dns_builder *b, struct yg_db_entry *e, uint32_t value,
			  uint32_t mask)
{
	struct yg_db_link *links = b->links.p;
	if (e->value != YG_DB_NONE && (e->value & mask) == (value & mask))
		return &e->value;
	for (uint32_t i = e->more; i != YG_DB_NONE; i = links[i].next)
		if ((links[i].value & mask) == (value & mask))
			return &links[i].value;
	return NULL;
}

yg_status yg_db_add_value(struct yg_dns_builder *b, uint32_t entry, uint32_t value,
			  struct yg_err *err)
{
	struct yg_db_entry *e = yg_db_entry_at(b, entry);
	if (e->value == YG_DB_NONE) {
		e->value = value;
		return YG_OK;
	}
	struct yg_db_link *l =
		b->links.n < YG_DB_NONE - 1 ? yg_vec_add(&b->links, sizeof *l) : NULL;
	if (l == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the policy");
	*l = (struct yg_db_link){value, e->more};
	e->more = (uint32_t)(b->links.n - 1);
	return YG_OK;
}

/* Takes the bits off the zone's old rule there.  One that has none left is the place
 * for the new one. */
static uint32_t *clear_bits(struct yg_dns_builder *b, struct yg_db_entry *e, uint16_t zone,
			    unsigned bits)
{
	uint32_t old = YG_DB_NONE;
	struct yg_db_walk w = {0, false};
	uint32_t value;
	while (old == YG_DB_NONE && yg_db_value(b, e, &w, &value))
		if (is_of(b, value, zone) && has_bits(e, value, bits))
			old = value;
	if (old == YG_DB_NONE)
		return NULL;
	uint32_t *at = place_of(b, e, old, UINT32_MAX);
	if (e->kind == YG_DK_PREFIX)
		return at;
	*at &= ~(uint32_t)bits;
	return (*at & 3) == 0 ? at : NULL;
}

yg_status yg_db_set_rule(struct yg_dns_builder *b, uint32_t entry, unsigned bits, uint32_t node,
			 struct yg_err *err)
{
	struct yg_db_entry *e = yg_db_entry_at(b, entry);
	uint32_t value = node << 2 | bits;
	uint32_t *empty = clear_bits(b, e, yg_db_node_at(b, node)->zone, bits);
	uint32_t *same = e->kind == YG_DK_PREFIX ? NULL : place_of(b, e, value, ~3u);
	if (same != NULL) { /* an emptied value beside it stays behind as "exists": harmless */
		*same |= bits;
		return YG_OK;
	}
	if (empty != NULL) {
		*empty = value;
		return YG_OK;
	}
	return yg_db_add_value(b, entry, value, err);
}

/* ---- RFC 4592: what exists ---- */

/* What zone `zone` has at a name: 0 nothing, 1 it exists, 2 a wildcard. */
static int zone_at(const struct yg_dns_builder *b, uint32_t entry, uint16_t zone)
{
	const struct yg_db_entry *e = yg_db_entry_at(b, entry);
	struct yg_db_walk w = {0, false};
	uint32_t value;
	int has = 0;
	while (yg_db_value(b, e, &w, &value))
		if (is_of(b, value, zone))
			has = YG_MAX(has, (value & YG_DV_WILD) != 0 ? 2 : 1);
	return has;
}

struct above { /* a name's labels and the hashes of the names above it */
	uint8_t at[YG_DNS_LABELS_MAX + 1];
	uint64_t hash[YG_DNS_LABELS_MAX + 1]; /* hash[i]: from label i on */
	uint32_t entry[YG_DNS_LABELS_MAX + 1];
	size_t n;
};

static void look_above(const struct yg_dns_builder *b, const struct yg_db_entry *e, struct above *a)
{
	const uint8_t *key = (const uint8_t *)b->keys.p + e->key_at;
	a->n = 0;
	for (size_t i = 0; i < e->key_n; i += (size_t)key[i] + 1)
		a->at[a->n++] = (uint8_t)i;
	a->at[a->n] = e->key_n;
	uint64_t h = yg_hash_begin(&b->key, e->kind);
	for (size_t i = a->n;; i--) {
		a->hash[i] = yg_hash_end(&b->key, h);
		if (i <= 1)
			break;
		h = yg_dns_hash_label(&b->key, h, key + a->at[i - 1]);
	}
	for (size_t i = 1; i <= a->n; i++) {
		struct yg_db_key k = {a->hash[i],
				      {(const char *)key + a->at[i], (size_t)(e->key_n - a->at[i])},
				      e->scope,
				      e->kind};
		a->entry[i] = yg_db_find(b, &k);
	}
}

/* The names between an entry and the wildcard above it exist, too. */
static yg_status mark_between(struct yg_dns_builder *b, uint32_t entry, struct above *a,
			      size_t wild, uint16_t zone, struct yg_err *err)
{
	uint32_t node;
	yg_status st = yg_db_plain(b, zone, YG_DNS_ACTION_NONE, false, YG_DB_NONE, &node, err);
	for (size_t i = 1; st == YG_OK && i < wild; i++) {
		const struct yg_db_entry *e = yg_db_entry_at(b, entry);
		uint32_t key_at = e->key_at + a->at[i];
		struct yg_db_key k = {a->hash[i],
				      {b->keys.p + key_at, (size_t)(e->key_n - a->at[i])},
				      e->scope,
				      e->kind};
		st = yg_db_entry(b, &k, key_at, &a->entry[i], err);
		if (st == YG_OK) {
			st = yg_db_add_value(b, a->entry[i], node << 2, err);
			b->marks++;
		}
	}
	return st;
}

static yg_status mark_one(struct yg_dns_builder *b, uint32_t entry, struct above *a,
			  struct yg_err *err)
{
	struct yg_db_walk w = {0, false};
	uint32_t value;
	bool any = false;
	look_above(b, yg_db_entry_at(b, entry), a);
	for (size_t i = 1; i <= a->n; i++)
		any = any || a->entry[i] != YG_DB_NONE;
	yg_status st = YG_OK;
	while (any && st == YG_OK && yg_db_value(b, yg_db_entry_at(b, entry), &w, &value)) {
		uint16_t zone = yg_db_node_at(b, value >> 2)->zone;
		size_t i = 1;
		int has = 0;
		if (yg_db_zone_at(b, zone)->continues) /* what it needs is there already */
			continue;
		for (; has == 0 && i <= a->n; i++)
			if (a->entry[i] != YG_DB_NONE)
				has = zone_at(b, a->entry[i], zone);
		if (has == 2 && i > 2)
			st = mark_between(b, entry, a, i - 1, zone, err);
	}
	return st;
}

yg_status yg_db_mark(struct yg_dns_builder *b, struct yg_err *err)
{
	struct above a __attribute__((uninitialized));
	size_t count = b->entries.n; /* marks are behind it */
	for (size_t i = 0; i < count; i++) {
		const struct yg_db_entry *e = yg_db_entry_at(b, (uint32_t)i);
		yg_breathe(YG_BREATH_STEP);
		if (e->kind == YG_DK_PREFIX || e->key_n == 0)
			continue;
		yg_status st = mark_one(b, (uint32_t)i, &a, err);
		if (st != YG_OK)
			return st;
	}
	return YG_OK;
}
