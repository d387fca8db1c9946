/* compile_finish.c - from the builder's memory to the snapshot. */
#include <stdlib.h>

#include "base/breath.h"
#include "dns/compile_data.h"

static yg_status no_memory(struct yg_err *err)
{
	return YG_FAIL(err, YG_NOMEM, "no memory for the policy");
}

static void free_buf(struct yg_buf *b)
{
	yg_breathe_free(b->p, b->cap);
	*b = (struct yg_buf){.limit = b->limit};
}

static void out_free(struct yg_db_out *o)
{
	free_buf(&o->pool);
	yg_buf_free(&o->data);
	yg_breathe_free(o->items, o->item_count * sizeof *o->items);
	free(o->prefixes);
	yg_breathe_free((void *)(uintptr_t)o->set.filter, o->set.filter_count * sizeof(uint64_t));
	yg_breathe_free((void *)(uintptr_t)o->set.slots, o->set.slot_count * sizeof(uint32_t));
	free((void *)(uintptr_t)o->tree.nodes);
	free((void *)(uintptr_t)o->tree.values);
	free((void *)(uintptr_t)o->tree.front);
	free(o->by_prefix.slots);
	free(o->rules.p);
	free(o->zones);
	free(o->views);
	free(o->view_zones.p);
	free(o->answers.p);
	free(o->order);
}

/* ---- records ---- */

struct values { /* of one record; more go into records behind it */
	uint32_t v[YG_HASHSET_VALUES_MAX];
	size_t n;
};

static yg_status put_record(struct yg_db_out *o, uint8_t head, struct yg_sv key,
			    const struct values *v, uint64_t *off, struct yg_err *err)
{
	yg_status st = yg_hashset_put(&o->pool, head, key, v->v, v->n, off);
	if (st == YG_OK)
		return YG_OK;
	return st == YG_LIMIT && o->pool.nomem
		       ? no_memory(err)
		       : YG_FAIL(err, YG_LIMIT, "too many names for one policy");
}

/* All values of an entry; *out: where its first record is. */
static yg_status entry_out(struct yg_dns_builder *b, struct yg_db_out *o,
			   const struct yg_db_entry *e, uint64_t *out, struct yg_err *err)
{
	struct yg_db_walk w = {0, false};
	struct values v __attribute__((uninitialized));
	struct yg_sv key = {b->keys.p + e->key_at, e->key_n};
	uint32_t value, rule;
	uint64_t off;
	bool first = true;
	v.n = 0;
	while (yg_db_value(b, e, &w, &value)) {
		if (v.n == YG_LEN(v.v)) {
			yg_status st =
				put_record(o, (uint8_t)(e->kind | YG_DK_MORE),
					   first ? key : (struct yg_sv){"", 0}, &v, &off, err);
			if (st != YG_OK)
				return st;
			*out = first ? off : *out;
			first = false;
			v.n = 0;
		}
		yg_status st = yg_db_rule_out(b, o, value >> 2, &rule, err);
		if (st != YG_OK)
			return st;
		v.v[v.n++] = rule << 2 | (value & 3);
	}
	yg_status st = put_record(o, e->kind, first ? key : (struct yg_sv){"", 0}, &v, &off, err);
	if (st == YG_OK && first)
		*out = off;
	return st;
}

/* The tree says which prefixes hold an address, once for all who have rules there; the
 * rules themselves are found by prefix and scope, as those of names are. */
static yg_status note_prefix(const struct yg_dns_builder *b, struct yg_db_out *o, uint32_t entry,
			     uint64_t off, struct yg_err *err)
{
	const struct yg_db_entry *e = yg_db_entry_at(b, entry);
	const char *key = b->keys.p + e->key_at;
	size_t at = SIZE_MAX;
	uint32_t other;
	if (!yg_index_room(&o->by_prefix))
		return no_memory(err);
	while (yg_index_next(&o->by_prefix, e->hash, &at, &other))
		if (memcmp(b->keys.p + yg_db_entry_at(b, other)->key_at, key, 17) == 0)
			return YG_OK;
	yg_index_put(&o->by_prefix, at, e->hash, entry);
	struct yg_prefix_item *p = &o->prefixes[o->prefix_count++];
	memcpy(p->ip.b, key, 16);
	p->bits = (uint8_t)key[16];
	p->value = (uint32_t)off;
	return YG_OK;
}

static yg_status fill_pool(struct yg_dns_builder *b, struct yg_db_out *o, struct yg_err *err)
{
	size_t prefixes = 0;
	for (size_t i = 0; i < b->entries.n; i++)
		prefixes += yg_db_entry_at(b, (uint32_t)i)->kind == YG_DK_PREFIX;
	o->items = malloc((b->entries.n + 1) * sizeof *o->items);
	o->prefixes = malloc((prefixes + 1) * sizeof *o->prefixes);
	yg_buf_init(&o->pool, (uint64_t)1 << 31);
	if (o->items == NULL || o->prefixes == NULL)
		return no_memory(err);
	/* In one piece: a buffer that grows by doubling would copy it all again. */
	(void)yg_buf_room(&o->pool,
			  YG_MIN(b->keys.n + b->entries.n * 8 + 4096, ((size_t)1 << 31) - 1));
	for (size_t i = 0; i < b->entries.n; i++) {
		const struct yg_db_entry *e = yg_db_entry_at(b, (uint32_t)i);
		uint64_t off = 0;
		yg_breathe(YG_BREATH_STEP);
		yg_status st = entry_out(b, o, e, &off, err);
		if (st != YG_OK)
			return st;
		o->items[o->item_count++] =
			(struct yg_hashset_item){e->hash, (uint32_t)off, e->scope};
		if (e->kind == YG_DK_PREFIX)
			st = note_prefix(b, o, (uint32_t)i, off, err);
		if (st != YG_OK)
			return st;
	}
	o->name_count = o->item_count - prefixes;
	return YG_OK;
}

/* What is not needed any more, before the tables are made. */
static void let_go(struct yg_dns_builder *b)
{
	yg_breathe_free(b->by_key.slots, b->by_key.cap * sizeof *b->by_key.slots);
	yg_breathe_free(b->entries.p, b->entries.n * sizeof(struct yg_db_entry));
	yg_breathe_free(b->links.p, b->links.n * sizeof(struct yg_db_link));
	b->by_key = (struct yg_index){.slots = NULL};
	b->entries = (struct yg_vec){.p = NULL};
	b->links = (struct yg_vec){.p = NULL};
	free_buf(&b->keys);
}

static void note_triggers(struct yg_dns_builder *b)
{
	for (uint32_t i = 0; i < b->zones.n; i++)
		for (unsigned t = 1; t < YG_DNS_TRIGGER_COUNT; t++)
			if (yg_db_zone_at(b, i)->stats.rules[t] > 0)
				b->counts.has |= (uint8_t)(1u << t);
}

/* A look-up tries what this policy and its base have. */
static void note_base(struct yg_dns_builder *b, struct yg_dns_base_rec *out)
{
	const struct yg_dns_policy *base = b->opts.base;
	struct yg_dns_policy_counts *c = &b->counts;
	for (size_t i = 0; i < YG_LEN(c->least); i++) {
		c->least[i] = YG_MIN(c->least[i], base->counts.least[i]);
		c->most[i] = YG_MAX(c->most[i], base->counts.most[i]);
	}
	out->generation = base->snap.head.generation;
	memcpy(out->digest, base->snap.head.digest, sizeof out->digest);
}

static yg_status write_out(struct yg_dns_builder *b, struct yg_db_out *o, int fd,
			   uint64_t generation, struct yg_dns_build_stats *stats,
			   struct yg_err *err)
{
	struct yg_dns_base_rec base = {.generation = 0};
	if (b->opts.base != NULL)
		note_base(b, &base);
	const struct yg_snap_part parts[] = {
		{YG_DS_FILTER, 8, o->set.filter_count, o->set.filter},
		{YG_DS_SLOTS, 4, o->set.slot_count, o->set.slots},
		{YG_DS_POOL, 1, o->pool.n, o->pool.p},
		{YG_DS_NODES, sizeof(struct yg_prefix_node), o->tree.node_count, o->tree.nodes},
		{YG_DS_PREFIXES, 4, o->tree.value_count, o->tree.values},
		{YG_DS_FRONT, 8, YG_PREFIX_FRONT, o->tree.front},
		{YG_DS_RULES, sizeof(struct yg_dns_rule_rec), o->rules.n, o->rules.p},
		{YG_DS_DATA, 1, o->data.n, o->data.p},
		{YG_DS_ZONES, sizeof *o->zones, b->zones.n, o->zones},
		{YG_DS_VIEWS, sizeof *o->views, o->view_count, o->views},
		{YG_DS_VIEW_ZONES, sizeof(struct yg_dns_view_zone), o->view_zones.n,
		 o->view_zones.p},
		{YG_DS_ANSWERS, sizeof(struct yg_dns_answer_rec), o->answers.n, o->answers.p},
		{YG_DS_STRINGS, 1, b->strings.n, b->strings.p},
		{YG_DS_INFO, sizeof b->counts, 1, &b->counts},
		{YG_DS_BASE, sizeof base, b->opts.base != NULL, &base},
	};
	const struct yg_snap_spec spec = {.kind = YG_SNAP_DNS_POLICY,
					  .schema = YG_DNS_POLICY_SCHEMA,
					  .generation = generation,
					  .created = yg_env_wall(b->opts.env),
					  .count = o->name_count + o->prefix_count,
					  .key = {b->key.k[0], b->key.k[1]}};
	stats->names = o->name_count;
	stats->marks = b->marks;
	stats->prefixes = o->prefix_count;
	stats->rules = o->rules.n;
	stats->data_bytes = o->data.n;
	stats->zones = b->zones.n;
	stats->views = o->view_count;
	return yg_snap_write(fd, &spec, parts, YG_LEN(parts), &stats->bytes, err);
}

yg_status yg_dns_builder_finish(struct yg_dns_builder *b, int fd, uint64_t generation,
				struct yg_dns_build_stats *out, struct yg_err *err)
{
	YG_AUTO(out_free) struct yg_db_out o = {.item_count = 0};
	struct yg_dns_build_stats stats = {.names = 0};
	yg_buf_init(&o.data, UINT32_MAX);
	yg_buf_put(&o.data, (struct yg_sv){"\0\0\0", 4}); /* 0: none */
	note_triggers(b);
	yg_status st = o.data.bad ? no_memory(err) : yg_db_views_out(b, &o, err);
	if (st == YG_OK)
		st = yg_db_mark(b, err);
	if (st == YG_OK)
		st = fill_pool(b, &o, err);
	if (st == YG_OK) {
		let_go(b);
		st = yg_hashset_build(&b->key, o.items, o.item_count, o.pool.n, &o.set, err);
	}
	if (st == YG_OK)
		st = yg_prefix_build(o.prefixes, o.prefix_count, &o.tree, err);
	if (st == YG_OK)
		st = write_out(b, &o, fd, generation, &stats, err);
	if (st == YG_OK && out != NULL)
		*out = stats;
	return st;
}
