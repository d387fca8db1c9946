#include "intel/compile.h"

#include <stdlib.h>

#include "base/codec.h"
#include "intel/layout.h"
#include "snapshot/intern.h"

#define NONE      UINT32_MAX
#define BYTES_MAX ((uint64_t)2 << 30)

struct entry {
	uint64_t hash;
	uint32_t key_at; /* in keys */
	uint32_t meta;
	uint32_t more; /* first link of further metas, NONE */
	uint16_t key_n;
	uint8_t head;
	uint8_t sources;
};
struct link {
	uint32_t meta, next;
};

struct yg_intel_builder {
	struct yg_intel_build_opts opts;
	struct yg_hash_key key;
	struct yg_suffixes *suffixes;
	struct yg_vec entries, links, metas; /* of entry, link, yg_intel_meta */
	struct yg_buf keys, strings;
	struct yg_index by_key, by_meta, by_string;
	uint32_t last_at[4]; /* the strings of the entry before: lists repeat them */
	struct yg_intel_info info;
	struct yg_intel_build_stats stats;
	char scratch[YG_KEY_MAX];
};

/* ---- interning ---- */

static struct yg_sv string_at(const struct yg_intel_builder *b, uint32_t at)
{
	uint16_t n;
	memcpy(&n, b->strings.p + at, sizeof n);
	return (struct yg_sv){b->strings.p + at + 2, n};
}

static yg_status intern_string(struct yg_intel_builder *b, struct yg_sv s, uint32_t *out,
			       struct yg_err *err)
{
	*out = 0;
	if (s.n == 0)
		return YG_OK;
	if (s.n > 1024)
		return YG_FAIL(err, YG_PARSE, "a name of %zu bytes is too long", s.n);
	if (!yg_index_room(&b->by_string))
		return YG_FAIL(err, YG_NOMEM, "indicator sources");
	uint64_t hash = yg_hash_of(&b->key, 0, s);
	size_t at = SIZE_MAX;
	while (yg_index_next(&b->by_string, hash, &at, out))
		if (yg_sv_eq(string_at(b, *out), s))
			return YG_OK;
	char *to = yg_buf_room(&b->strings, s.n + 2);
	if (to == NULL) {
		b->strings.bad = false; /* this entry fails, the builder goes on */
		return YG_FAIL(err, YG_NOMEM, "indicator sources");
	}
	uint16_t n = (uint16_t)s.n;
	memcpy(to, &n, sizeof n);
	if (s.n > 0)
		memcpy(to + 2, s.p, s.n);
	*out = (uint32_t)b->strings.n;
	b->strings.n += s.n + 2;
	yg_index_put(&b->by_string, at, hash, *out);
	return YG_OK;
}

/* Looks at the string of the entry before first. */
static yg_status intern_column(struct yg_intel_builder *b, unsigned column, struct yg_sv s,
			       uint32_t *out, struct yg_err *err)
{
	if (yg_sv_eq(string_at(b, b->last_at[column]), s)) {
		*out = b->last_at[column];
		return YG_OK;
	}
	yg_status st = intern_string(b, s, out, err);
	if (st == YG_OK)
		b->last_at[column] = *out;
	return st;
}

static yg_status intern_meta(struct yg_intel_builder *b, const struct yg_indicator *ind,
			     uint32_t *out, struct yg_err *err)
{
	struct yg_intel_meta m = {.from_us = ind->valid_from.us,
				  .until_us = ind->valid_until.us,
				  .confidence = ind->confidence,
				  .severity_id = ind->severity_id,
				  .tlp = ind->tlp,
				  .flags = ind->allow ? YG_META_ALLOW : 0};
	yg_status st = intern_column(b, 0, ind->list, &m.list, err);
	if (st == YG_OK)
		st = intern_column(b, 1, ind->category, &m.category, err);
	if (st == YG_OK)
		st = intern_column(b, 2, ind->family, &m.family, err);
	if (st == YG_OK)
		st = intern_column(b, 3, ind->org, &m.org, err);
	if (st != YG_OK)
		return st;
	if (!yg_index_room(&b->by_meta))
		return YG_FAIL(err, YG_NOMEM, "indicator sources");
	uint64_t hash = yg_hash_of(&b->key, 0, (struct yg_sv){(const char *)&m, sizeof m});
	size_t at = SIZE_MAX;
	while (yg_index_next(&b->by_meta, hash, &at, out))
		if (memcmp((const struct yg_intel_meta *)b->metas.p + *out, &m, sizeof m) == 0)
			return YG_OK;
	struct yg_intel_meta *to = yg_vec_add(&b->metas, sizeof m);
	if (to == NULL)
		return YG_FAIL(err, YG_NOMEM, "indicator sources");
	*to = m;
	*out = (uint32_t)(b->metas.n - 1);
	yg_index_put(&b->by_meta, at, hash, *out);
	return YG_OK;
}

/* ---- adding ---- */

static yg_status check_breadth(struct yg_intel_builder *b, const struct yg_indicator_key *k,
			       struct yg_err *err)
{
	if (b->opts.force_suffix)
		return YG_OK;
	if (k->type == YG_IND_DOMAIN) {
		char name[YG_DOMAIN_MAX + 1];
		struct yg_sb sb = yg_sb_init(name, sizeof name);
		yg_sb_put(&sb, k->key);
		if (yg_suffixes_covers(b->suffixes, yg_sb_cstr(&sb)))
			return YG_FAIL(err, YG_DENIED,
				       "covers the whole public suffix '" YG_SV_FMT "'",
				       YG_SV_ARG(k->key));
	}
	if (k->type == YG_IND_IP && (k->key.n == 5 || k->key.n == 17)) {
		unsigned bits = (uint8_t)k->key.p[k->key.n - 1], least = k->key.n == 5 ? 8 : 16;
		if (bits < least)
			return YG_FAIL(err, YG_DENIED, "a prefix shorter than /%u covers too much",
				       least);
	}
	return YG_OK;
}

/* One more source of a value that is there already. */
static yg_status add_source(struct yg_intel_builder *b, struct entry *e, uint32_t meta,
			    struct yg_err *err)
{
	const struct link *links = b->links.p;
	bool known = e->meta == meta;
	for (uint32_t i = e->more; i != NONE && !known; i = links[i].next)
		known = links[i].meta == meta;
	if (known) {
		b->stats.merged++;
		return YG_OK;
	}
	if (e->sources == YG_HASHSET_VALUES_MAX) {
		b->stats.sources_dropped++;
		return YG_OK;
	}
	struct link *l = b->links.n < NONE ? yg_vec_add(&b->links, sizeof *l) : NULL;
	if (l == NULL)
		return YG_FAIL(err, YG_NOMEM, "indicator sources");
	*l = (struct link){meta, e->more};
	e->more = (uint32_t)(b->links.n - 1);
	e->sources++;
	return YG_OK;
}

static yg_status add_entry(struct yg_intel_builder *b, const struct yg_indicator_key *k,
			   uint64_t hash, uint32_t meta, struct yg_err *err)
{
	if (!yg_index_room(&b->by_key))
		return YG_FAIL(err, YG_NOMEM, "indicators");
	struct entry *entries = b->entries.p;
	size_t at = SIZE_MAX;
	uint32_t i;
	while (yg_index_next(&b->by_key, hash, &at, &i)) {
		struct entry *e = &entries[i];
		if (e->hash == hash && e->key_n == k->key.n && (e->head & 15) == k->type &&
		    memcmp(b->keys.p + e->key_at, k->key.p, k->key.n) == 0)
			return add_source(b, e, meta, err);
	}
	char *to = yg_buf_room(&b->keys, k->key.n);
	if (to == NULL) {
		b->keys.bad = false;
		return YG_FAIL(err, YG_LIMIT, "indicators take more memory than allowed");
	}
	struct entry *e = b->entries.n < NONE - 1 ? yg_vec_add(&b->entries, sizeof *e) : NULL;
	if (e == NULL)
		return YG_FAIL(err, YG_NOMEM, "indicators");
	memcpy(to, k->key.p, k->key.n);
	*e = (struct entry){.hash = hash,
			    .key_at = (uint32_t)b->keys.n,
			    .meta = meta,
			    .more = NONE,
			    .key_n = (uint16_t)k->key.n,
			    .head = yg_intel_head(k->type, k->scheme),
			    .sources = 1};
	b->keys.n += k->key.n;
	yg_index_put(&b->by_key, at, hash, (uint32_t)(b->entries.n - 1));
	b->stats.by_type[k->type]++;
	return YG_OK;
}

static void note_labels(struct yg_intel_info *info, struct yg_sv name)
{
	uint32_t labels = 1;
	for (size_t i = 0; i < name.n; i++)
		labels += name.p[i] == '.';
	info->labels_most = YG_MAX(info->labels_most, labels);
	info->labels_least = YG_MIN(info->labels_least, labels);
}

yg_status yg_intel_builder_add(struct yg_intel_builder *b, const struct yg_indicator *ind,
			       struct yg_err *err)
{
	struct yg_indicator_key k;
	uint32_t meta = 0;
	yg_status st =
		yg_indicator_key(ind->type, ind->value, b->scratch, sizeof b->scratch, &k, err);
	if (st == YG_OK)
		st = check_breadth(b, &k, err);
	if (st == YG_OK)
		st = intern_meta(b, ind, &meta, err);
	if (st != YG_OK)
		return st;
	enum yg_hash_domain hd = yg_hash_domain_of(k.type);
	uint64_t hash = hd == YG_HD_NAME ? yg_name_hash(&b->key, hd, k.key)
					 : yg_hash_of(&b->key, hd, k.key);
	st = add_entry(b, &k, hash, meta, err);
	if (st == YG_OK) {
		if (hd == YG_HD_NAME)
			note_labels(&b->info, k.key);
		b->stats.added++;
		b->stats.allow += ind->allow;
	}
	return st;
}

yg_status yg_intel_builder_new(const struct yg_intel_build_opts *opts,
			       struct yg_intel_builder **out, struct yg_err *err)
{
	struct yg_intel_builder *b = calloc(1, sizeof *b);
	if (b == NULL)
		return YG_FAIL(err, YG_NOMEM, "indicator builder");
	b->opts = *opts;
	b->info.labels_least = YG_LABELS_MAX + 1;
	opts->env->random(opts->env->ctx, b->key.k, sizeof b->key.k);
	uint64_t limit = opts->bytes_max != 0 ? YG_MIN(opts->bytes_max, BYTES_MAX) : BYTES_MAX;
	yg_buf_init(&b->keys, limit);
	yg_buf_init(&b->strings, limit);
	yg_status st = yg_suffixes_new(&b->suffixes, err);
	yg_wr_le16(&b->strings, 0); /* offset 0 is the empty string, known without a look-up */
	if (st == YG_OK && b->strings.bad)
		st = YG_FAIL(err, YG_NOMEM, "indicator builder");
	if (st != YG_OK) {
		yg_intel_builder_free(b);
		return st;
	}
	*out = b;
	return YG_OK;
}

void yg_intel_builder_free(struct yg_intel_builder *b)
{
	if (b == NULL)
		return;
	yg_suffixes_free(b->suffixes);
	free(b->entries.p);
	free(b->links.p);
	free(b->metas.p);
	free(b->by_key.slots);
	free(b->by_meta.slots);
	free(b->by_string.slots);
	yg_buf_free(&b->keys);
	yg_buf_free(&b->strings);
	free(b);
}

/* ---- finishing ---- */

struct finish { /* what is made for one file; all owned */
	struct yg_buf pool;
	struct yg_hashset_item *items;
	struct yg_prefix_item *prefixes;
	size_t item_count, prefix_count;
	struct yg_hashset set;
	struct yg_prefix_tree tree;
};

static void finish_free(struct finish *f)
{
	yg_buf_free(&f->pool);
	free(f->items);
	free(f->prefixes);
	free((void *)(uintptr_t)f->set.filter);
	free((void *)(uintptr_t)f->set.slots);
	free((void *)(uintptr_t)f->tree.nodes);
	free((void *)(uintptr_t)f->tree.values);
	free((void *)(uintptr_t)f->tree.front);
}

/* The sources of an entry in the order they were added. */
static size_t sources_of(const struct yg_intel_builder *b, const struct entry *e,
			 uint32_t out[static YG_HASHSET_VALUES_MAX])
{
	const struct link *links = b->links.p;
	size_t n = e->sources;
	out[0] = e->meta;
	uint32_t i = e->more;
	for (size_t k = n; k > 1 && i != NONE; i = links[i].next)
		out[--k] = links[i].meta;
	return n;
}

static bool is_prefix(const struct entry *e)
{
	return (e->head & 15) == YG_IND_IP && (e->key_n == 5 || e->key_n == 17);
}

static void to_prefix(const struct yg_intel_builder *b, const struct entry *e,
		      struct yg_prefix_item *out)
{
	const uint8_t *key = (const uint8_t *)b->keys.p + e->key_at;
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	if (e->key_n == 5) {
		memcpy(out->ip.b, mapped, 12);
		memcpy(out->ip.b + 12, key, 4);
		out->bits = (uint8_t)(96 + key[4]);
	} else {
		memcpy(out->ip.b, key, 16);
		out->bits = key[16];
	}
}

/* Entries to records. */
static yg_status fill_pool(struct yg_intel_builder *b, struct finish *f, struct yg_err *err)
{
	const struct entry *entries = b->entries.p;
	size_t prefixes = 0;
	for (size_t i = 0; i < b->entries.n; i++)
		prefixes += is_prefix(&entries[i]);
	f->items = malloc((b->entries.n + 1) * sizeof *f->items);
	f->prefixes = malloc((prefixes + 1) * sizeof *f->prefixes);
	yg_buf_init(&f->pool, (uint64_t)1 << 31);
	/* In one piece: a buffer that grows by doubling would copy it all again. */
	if (f->items == NULL || f->prefixes == NULL ||
	    yg_buf_room(&f->pool, b->keys.n + b->entries.n * 7 + b->links.n * 3 + 64) == NULL)
		return YG_FAIL(err, YG_NOMEM, "snapshot of %zu indicators", b->entries.n);
	for (size_t i = 0; i < b->entries.n; i++) {
		const struct entry *e = &entries[i];
		uint32_t metas[YG_HASHSET_VALUES_MAX];
		uint64_t off;
		struct yg_sv key = {b->keys.p + e->key_at, e->key_n};
		yg_status st = yg_hashset_put(&f->pool, e->head, key, metas,
					      sources_of(b, e, metas), &off);
		if (st != YG_OK)
			return YG_FAIL(err, st, "snapshot of %zu indicators", b->entries.n);
		if (is_prefix(e)) {
			struct yg_prefix_item *p = &f->prefixes[f->prefix_count++];
			to_prefix(b, e, p);
			p->value = (uint32_t)off;
		} else {
			f->items[f->item_count++] =
				(struct yg_hashset_item){e->hash, (uint32_t)off, 0};
		}
	}
	return YG_OK;
}

yg_status yg_intel_builder_finish(struct yg_intel_builder *b, int fd, uint64_t generation,
				  struct yg_intel_build_stats *out, struct yg_err *err)
{
	YG_AUTO(finish_free) struct finish f = {.item_count = 0};
	yg_status st = fill_pool(b, &f, err);
	if (st == YG_OK)
		st = yg_hashset_build(&b->key, f.items, f.item_count, f.pool.n, &f.set, err);
	if (st == YG_OK)
		st = yg_prefix_build(f.prefixes, f.prefix_count, &f.tree, err);
	if (st != YG_OK)
		return st;
	const struct yg_snap_part parts[] = {
		{YG_IS_FILTER, 8, f.set.filter_count, f.set.filter},
		{YG_IS_SLOTS, 4, f.set.slot_count, f.set.slots},
		{YG_IS_POOL, 1, f.pool.n, f.pool.p},
		{YG_IS_NODES, sizeof(struct yg_prefix_node), f.tree.node_count, f.tree.nodes},
		{YG_IS_PREFIXES, 4, f.tree.value_count, f.tree.values},
		{YG_IS_METAS, sizeof(struct yg_intel_meta), b->metas.n, b->metas.p},
		{YG_IS_STRINGS, 1, b->strings.n, b->strings.p},
		{YG_IS_INFO, sizeof b->info, 1, &b->info},
		{YG_IS_FRONT, 8, YG_PREFIX_FRONT, f.tree.front},
	};
	const struct yg_snap_spec spec = {.kind = YG_SNAP_INDICATORS,
					  .schema = YG_INTEL_SCHEMA,
					  .generation = generation,
					  .created = yg_env_wall(b->opts.env),
					  .count = b->entries.n,
					  .key = {b->key.k[0], b->key.k[1]}};
	b->stats.indicators = b->entries.n;
	b->stats.sources = b->metas.n;
	st = yg_snap_write(fd, &spec, parts, YG_LEN(parts), &b->stats.bytes, err);
	if (st == YG_OK && out != NULL)
		*out = b->stats;
	return st;
}
