#include "dns/indicators.h"

#include <stdlib.h>

#include "dns/answer.h"
#include "snapshot/hashset.h"
#include "snapshot/intern.h"

#define NOT             UINT32_MAX
#define EDE_OURS        15
#define NAMES           YG_SV("indicators@") /* of zones begin so; no configured one can */
/* Zones that one organisation's indicators make: by list and category, then by category,
 * then one for the rest.  Everyone's may be more. */
#define BY_LIST         24
#define BY_CATEGORY     40
#define BY_LIST_ORG     4
#define BY_CATEGORY_ORG 6

struct group { /* one zone */
	struct yg_sv org;
	char list[80], category[YG_DNS_CATEGORY_MAX + 1];
	uint32_t zone;
	bool addresses;
};
struct layer {
	const struct yg_intel *in;
	struct yg_dns_builder *b;
	struct yg_dns_indicators_opts opts;
	struct yg_dns_indicators_stats stats;
	struct yg_intel_source *sources; /* owned */
	bool *in_force;                  /* owned */
	uint32_t *zone_of;               /* owned; of this pass; NOT: none yet */
	struct yg_vec groups;            /* owned; struct group */
	bool addresses;                  /* which pass it is */
};

static yg_status no_memory(struct yg_err *err)
{
	return YG_FAIL(err, YG_NOMEM, "no memory for the indicators of DNS");
}

static void layer_end(struct layer *l)
{
	free(l->sources);
	free(l->in_force);
	free(l->zone_of);
	free(l->groups.p);
}

static void soonest(struct layer *l, yg_wall at)
{
	if (at.us > l->opts.now.us && at.us < l->stats.next.us)
		l->stats.next = at;
}

static yg_status read_sources(struct layer *l, struct yg_err *err)
{
	size_t n = (size_t)yg_intel_source_count(l->in);
	l->sources = calloc(n + 1, sizeof *l->sources);
	l->in_force = calloc(n + 1, sizeof *l->in_force);
	l->zone_of = malloc((n + 1) * sizeof *l->zone_of);
	if (l->sources == NULL || l->in_force == NULL || l->zone_of == NULL)
		return no_memory(err);
	for (size_t i = 0; i < n; i++) {
		struct yg_intel_source *s = &l->sources[i];
		*s = yg_intel_source(l->in, i);
		if (s->allow)
			continue;
		if (s->confidence < l->opts.confidence) {
			l->stats.unsure++;
			continue;
		}
		soonest(l, s->from);
		soonest(l, s->until);
		l->in_force[i] = s->from.us <= l->opts.now.us &&
				 (s->until.us == 0 || s->until.us > l->opts.now.us);
	}
	return YG_OK;
}

/* ---- zones ---- */

static void copy_lower(char *to, size_t n, struct yg_sv from)
{
	size_t i = 0;
	for (; i < from.n && i + 1 < n; i++)
		to[i] = (char)(from.p[i] >= 'A' && from.p[i] <= 'Z' ? from.p[i] | 0x20 : from.p[i]);
	to[i] = '\0';
}

static yg_status make_zone(struct layer *l, struct group *g, struct yg_err *err)
{
	char name[256], text[160];
	struct yg_sb n = yg_sb_init(name, sizeof name), t = yg_sb_init(text, sizeof text);
	bool list = g->list[0] != '\0', category = g->category[0] != '\0';
	yg_sb_put(&n, NAMES);
	yg_sb_put(&n, g->org.n > 0 ? g->org : YG_SV("all"));
	yg_sb_printf(&n, "%s%s%s%s%s", list ? "/" : "", g->list, category ? "/" : "", g->category,
		     g->addresses ? ":addresses" : "");
	yg_sb_printf(&t, "%s: %s", category ? g->category : "indicator",
		     list ? g->list : "several lists");
	struct yg_dns_zone_spec spec = {.name = yg_sb_sv(&n),
					.org = g->org,
					.category = yg_sv_of(g->category),
					.ede_text = yg_sb_sv(&t),
					.ede_code = EDE_OURS,
					.layer = YG_DNS_LAYER_INDICATORS,
					.is_list = true};
	spec.answer.ttl = YG_DNS_ANSWER_TTL;
	yg_dns_name_root(&spec.answer.target);
	return yg_dns_builder_zone(l->b, &spec, &g->zone, err);
}

static bool same_group(const struct group *a, const struct group *b)
{
	return a->addresses == b->addresses && yg_sv_eq(a->org, b->org) &&
	       strcmp(a->list, b->list) == 0 && strcmp(a->category, b->category) == 0;
}

/* The group's place; out_org: how many this organisation has in this pass. */
static struct group *find_group(const struct layer *l, const struct group *g, size_t *out_org)
{
	struct group *all = l->groups.p;
	*out_org = 0;
	for (size_t i = 0; i < l->groups.n; i++) {
		if (same_group(&all[i], g))
			return &all[i];
		*out_org += all[i].addresses == g->addresses && yg_sv_eq(all[i].org, g->org);
	}
	return NULL;
}

static yg_status zone_for(struct layer *l, uint32_t source, uint32_t *out, struct yg_err *err)
{
	const struct yg_intel_source *s = &l->sources[source];
	struct group g = {.org = s->org, .addresses = l->addresses}, *had;
	size_t n;
	if (l->zone_of[source] != NOT) {
		*out = l->zone_of[source];
		return YG_OK;
	}
	copy_lower(g.category, sizeof g.category, s->category);
	if (s->category.n > YG_DNS_CATEGORY_MAX || !yg_dns_category_ok(yg_sv_of(g.category)))
		g.category[0] = '\0';
	struct yg_sb list = yg_sb_init(g.list, sizeof g.list);
	yg_sb_put(&list, s->list);
	(void)yg_sb_cstr(&list);
	had = find_group(l, &g, &n);
	if (had == NULL && n >= (s->org.n > 0 ? BY_LIST_ORG : BY_LIST)) {
		g.list[0] = '\0';
		had = find_group(l, &g, &n);
	}
	if (had == NULL && n >= (s->org.n > 0 ? BY_CATEGORY_ORG : BY_CATEGORY)) {
		g.category[0] = '\0';
		had = find_group(l, &g, &n);
	}
	if (had == NULL) {
		yg_status st = make_zone(l, &g, err);
		had = st == YG_OK ? yg_vec_add(&l->groups, sizeof *had) : NULL;
		if (had == NULL)
			return st == YG_OK ? no_memory(err) : st;
		*had = g;
	}
	*out = l->zone_of[source] = had->zone;
	return YG_OK;
}

/* ---- records ---- */

/* Of several sources of one organisation the surest speaks. */
static bool speaks(const struct layer *l, const struct yg_intel_item *item, size_t i)
{
	const struct yg_intel_source *s = &l->sources[item->sources[i]];
	if (!l->in_force[item->sources[i]])
		return false;
	for (size_t k = 0; k < item->source_count; k++) {
		const struct yg_intel_source *o = &l->sources[item->sources[k]];
		if (k == i || !l->in_force[item->sources[k]] || !yg_sv_eq(o->org, s->org))
			continue;
		if (o->confidence > s->confidence || (o->confidence == s->confidence && k < i))
			return false;
	}
	return true;
}

static yg_status add_address(struct layer *l, struct yg_sv key, uint32_t zone, struct yg_err *err)
{
	struct yg_ip ip = {{0}};
	size_t n = key.n <= 5 ? 4 : 16;
	bool prefix = key.n == n + 1;
	unsigned bits = prefix ? (uint8_t)key.p[n] + (n == 4 ? 96u : 0u) : 128u;
	if ((key.n != n && !prefix) || bits > 128)
		return YG_OK;
	memcpy(ip.b + 16 - n, key.p, n);
	if (n == 4)
		ip.b[10] = ip.b[11] = 0xff;
	l->stats.addresses++;
	return yg_dns_builder_prefix(l->b, zone, YG_DNS_TRIGGER_RESPONSE_IP, ip, (uint8_t)bits,
				     YG_DNS_ACTION_NXDOMAIN, err);
}

static yg_status add_one(struct layer *l, const struct yg_intel_item *item, uint32_t zone,
			 struct yg_err *err)
{
	struct yg_dns_name name __attribute__((uninitialized));
	if (l->addresses)
		return add_address(l, item->key, zone, err);
	if (yg_dns_name_parse(item->key, NULL, &name, NULL) != YG_OK || name.labels == 0)
		return YG_OK;
	l->stats.names++;
	return yg_dns_builder_name(l->b, zone, &name, true, item->type == YG_IND_DOMAIN,
				   YG_DNS_ACTION_NXDOMAIN, err);
}

static yg_status on_item(void *ctx, const struct yg_intel_item *item, struct yg_err *err)
{
	struct layer *l = ctx;
	bool name = item->type == YG_IND_DOMAIN || item->type == YG_IND_FQDN;
	yg_status st = YG_OK;
	if (l->addresses ? item->type != YG_IND_IP : !name)
		return YG_OK;
	for (size_t i = 0; st == YG_OK && i < item->source_count; i++) {
		uint32_t zone = 0;
		if (!speaks(l, item, i))
			continue;
		st = zone_for(l, item->sources[i], &zone, err);
		if (st == YG_OK)
			st = add_one(l, item, zone, err);
	}
	return st;
}

yg_status yg_dns_indicators_apply(const struct yg_intel *in, struct yg_dns_builder *b,
				  const struct yg_dns_indicators_opts *opts,
				  struct yg_dns_indicators_stats *out, struct yg_err *err)
{
	YG_AUTO(layer_end)
	struct layer l = {.in = in, .b = b, .opts = *opts, .stats = {.next = {INT64_MAX}}};
	yg_status st = read_sources(&l, err);
	for (int pass = 0; st == YG_OK && pass < 2; pass++) {
		l.addresses = pass == 1;
		memset(l.zone_of, 0xff,
		       (size_t)(yg_intel_source_count(in) + 1) * sizeof *l.zone_of);
		st = yg_intel_each(in, on_item, &l, err);
	}
	if (st == YG_OK)
		*out = l.stats;
	return st;
}

yg_status yg_dns_indicators_continue(const struct yg_dns_policy *base, struct yg_dns_builder *b,
				     struct yg_err *err)
{
	static const struct yg_dns_zone_stats none;
	struct yg_dns_zone_view v;
	yg_status st = YG_OK;
	for (uint32_t i = 0; st == YG_OK && yg_dns_policy_zone(base, i, &v); i++) {
		uint32_t zone = 0;
		struct yg_dns_zone_spec spec = {.name = v.name,
						.org = v.org,
						.category = v.category,
						.ede_text = v.ede_text,
						.ede_code = v.ede_code,
						.layer = v.layer,
						.is_list = true};
		if (v.layer != YG_DNS_LAYER_INDICATORS || !yg_sv_starts(v.name, NAMES))
			continue;
		spec.answer.ttl = YG_DNS_ANSWER_TTL;
		yg_dns_name_root(&spec.answer.target);
		st = yg_dns_builder_zone(b, &spec, &zone, err);
		if (st == YG_OK)
			st = yg_dns_builder_continue(b, zone, &none, err);
	}
	return st;
}

/* ---- is it the same? ---- */

struct digest {
	uint64_t h;
	uint64_t *sources; /* owned: of each source; 0: an allow entry's */
};
static const struct yg_hash_key digest_key = {{0x9ae16a3b2f90404full, 0xc3a5c85c97cb3127ull}};

static void more(uint64_t *h, struct yg_sv s)
{
	*h = yg_hash_more(&digest_key, *h, s.p, s.n);
}

static uint64_t source_digest(const struct yg_intel_source *s)
{
	const int64_t numbers[] = {s->from.us, s->until.us, s->confidence};
	uint64_t h = yg_hash_begin(&digest_key, 1);
	more(&h, s->list);
	more(&h, s->category);
	more(&h, s->org);
	more(&h, (struct yg_sv){(const char *)numbers, sizeof numbers});
	return yg_hash_end(&digest_key, h) | 1;
}

static yg_status digest_item(void *ctx, const struct yg_intel_item *item, struct yg_err *err)
{
	struct digest *d = ctx;
	(void)err;
	if (item->type != YG_IND_DOMAIN && item->type != YG_IND_FQDN && item->type != YG_IND_IP)
		return YG_OK;
	for (size_t i = 0; i < item->source_count; i++) {
		uint64_t words[2] = {d->sources[item->sources[i]], (uint64_t)item->type};
		uint64_t h = yg_hash_begin(&digest_key, 2);
		if (words[0] == 0)
			continue;
		more(&h, item->key);
		more(&h, (struct yg_sv){(const char *)words, sizeof words});
		d->h += yg_hash_end(&digest_key, h); /* in whatever order */
	}
	return YG_OK;
}

uint64_t yg_dns_indicators_digest(const struct yg_intel *in)
{
	uint64_t n = yg_intel_source_count(in);
	struct digest d = {.h = 1, .sources = calloc((size_t)n + 1, sizeof *d.sources)};
	if (d.sources == NULL)
		return 0;
	for (uint64_t i = 0; i < n; i++) {
		struct yg_intel_source s = yg_intel_source(in, i);
		d.sources[i] = s.allow ? 0 : source_digest(&s);
	}
	(void)yg_intel_each(in, digest_item, &d, NULL);
	free(d.sources);
	return d.h;
}
