/* policy.c - the look-up: hashes, filter, records; then which record decides. */
#include "dns/policy.h"

#include "dns/policy_internal.h"

/* ---- names ---- */

/* Hashes of the name from label i on, for the label counts the table has. */
static void hash_name(const struct yg_dns_policy *p, const struct yg_dns_name *name,
		      enum yg_dns_kind kind, struct yg_dns_probe *out)
{
	unsigned labels = name->labels, least = p->counts.least[kind], most = p->counts.most[kind];
	uint64_t h = yg_hash_begin(&p->key, kind);
	out->maybe = out->touched = false;
	if (least > most || labels < least) {
		out->from = out->to = 0;
		return;
	}
	out->from = (uint8_t)(labels > most ? labels - most : 0);
	out->to = (uint8_t)(labels - least + 1);
	if (least == 0)
		out->hash[labels] = yg_hash_end(&p->key, h);
	for (unsigned i = labels; i > out->from;) {
		i--;
		h = yg_dns_hash_label(&p->key, h, name->b + name->at[i]);
		if (i < out->to)
			out->hash[i] = yg_hash_end(&p->key, h);
	}
}

void yg_dns_policy_hash(const struct yg_dns_policy *p, const struct yg_dns_name *name,
			struct yg_dns_probe *out)
{
	const struct yg_hashset *large = p->base != NULL ? &p->base->set : &p->set;
	hash_name(p, name, YG_DK_QNAME, out);
	for (unsigned i = out->from; i < out->to; i++) { /* the slot does not wait for the filter */
		yg_hashset_prefetch(large, out->hash[i]);
		yg_hashset_prefetch_slot(large, out->hash[i]);
	}
}

/* May it be in the base?  Ours is small and stays in the caches. */
static bool base_maybe(const struct yg_dns_policy *p, uint64_t hash)
{
	if (p->base == NULL || !yg_hashset_maybe(&p->base->set, hash))
		return false;
	yg_hashset_prefetch_slot(&p->base->set, hash);
	return true;
}

bool yg_dns_policy_touch(const struct yg_dns_policy *p, struct yg_dns_probe *probe)
{
	probe->may[0] = probe->may[1] = 0;
	for (unsigned i = probe->from; i < probe->to; i++) {
		bool below = base_maybe(p, probe->hash[i]);
		if (!yg_hashset_maybe(&p->set, probe->hash[i]) && !below)
			continue;
		yg_hashset_prefetch_slot(&p->set, probe->hash[i]);
		probe->may[i / 64] |= 1ull << (i & 63);
	}
	probe->touched = true;
	probe->maybe = (probe->may[0] | probe->may[1]) != 0;
	return probe->maybe;
}

void yg_dns_policy_fetch(const struct yg_dns_policy *p, const struct yg_dns_probe *probe)
{
	for (unsigned half = 0; probe->maybe && half < 2; half++)
		for (uint64_t may = probe->may[half]; may != 0; may &= may - 1) {
			unsigned i = half * 64 + (unsigned)__builtin_ctzll(may);
			yg_hashset_prefetch_record(&p->set, probe->hash[i]);
			if (p->base != NULL)
				yg_hashset_prefetch_record(&p->base->set, probe->hash[i]);
		}
}

bool yg_dns_policy_any_ip(const struct yg_dns_policy *p, struct yg_ip ip)
{
	uint32_t off[YG_PREFIX_HITS_MAX] __attribute__((uninitialized));
	return (p->tree.value_count > 0 && yg_prefix_find(&p->tree, ip, off) > 0) ||
	       (p->base != NULL && yg_dns_policy_any_ip(p->base, ip));
}

/* ---- which of two is better ---- */

/* IPv4 stands at the low end of the 128 bits (draft, section 5.7). */
static int compare_ip(struct yg_ip a, struct yg_ip b)
{
	if (yg_ip_is_v4(a))
		a.b[10] = a.b[11] = 0;
	if (yg_ip_is_v4(b))
		b.b[10] = b.b[11] = 0;
	return memcmp(a.b, b.b, 16);
}

static bool is_better(const struct yg_dns_hit *a, const struct yg_dns_name *a_name,
		      const struct yg_dns_hit *b, const struct yg_dns_name *b_name)
{
	if (a->zone != b->zone)
		return a->zone < b->zone;
	if (a->trigger != b->trigger)
		return a->trigger < b->trigger;
	if (a->trigger == YG_DNS_TRIGGER_NSDNAME) {
		if (a->wild != b->wild)
			return b->wild != 0;
		if (a->labels != b->labels)
			return a->labels > b->labels;
		return yg_dns_name_cmp(a_name, b_name) > 0;
	}
	if (a->bits != b->bits)
		return a->bits > b->bits;
	return a->trigger != YG_DNS_TRIGGER_QNAME && compare_ip(a->ip, b->ip) < 0;
}

/* ---- taking hits ---- */

static const struct yg_dns_view_zone *zone_in_view(const struct yg_dns_eval *e, uint16_t zone)
{
	const struct yg_dns_view_zone *list = e->policy->view_zones + e->view->zones_at;
	uint32_t from = 0, to = e->view->zone_count;
	while (from < to) {
		uint32_t mid = (from + to) / 2;
		if (list[mid].zone == zone)
			return &list[mid];
		if (list[mid].zone < zone)
			from = mid + 1;
		else
			to = mid;
	}
	return NULL;
}

/* Only what there is of it: a name is 390 bytes, most of them never used. */
static void copy_name(struct yg_dns_name *to, const struct yg_dns_name *from)
{
	to->n = from->n;
	to->labels = from->labels;
	memcpy(to->at, from->at, YG_MIN((size_t)from->labels + 1, sizeof to->at));
	memcpy(to->b, from->b, from->n);
}

static void keep_note(struct yg_dns_eval *e, const struct yg_dns_hit *hit,
		      const struct yg_dns_name *name)
{
	size_t i = 0;
	while (i < e->note_count && e->notes[i].zone != hit->zone)
		i++;
	if (i < e->note_count && (e->notes[i].stage != hit->stage ||
				  !is_better(hit, name, &e->notes[i], &e->note_name[i])))
		return;
	if (i == YG_DNS_NOTES_MAX) {
		e->notes_more++;
		return;
	}
	e->note_count = (uint8_t)YG_MAX(e->note_count, i + 1);
	e->notes[i] = *hit;
	if (name != NULL)
		copy_name(&e->note_name[i], name);
}

static void take_hit(struct yg_dns_eval *e, const struct yg_dns_hit *hit,
		     const struct yg_dns_view_zone *in_view, const struct yg_dns_name *name)
{
	if (in_view->mode != YG_DNS_MODE_ENFORCE ||
	    e->policy->zones[hit->zone].override == YG_DNS_OVERRIDE_DISABLED) {
		keep_note(e, hit, name);
		return;
	}
	if (e->has_best && !is_better(hit, name, &e->best, &e->name))
		return;
	e->best = *hit;
	e->has_best = true;
	if (name != NULL)
		copy_name(&e->name, name);
}

/* ---- names ---- */

struct zone_set { /* zones of the view, by their place in it */
	uint64_t bits[YG_DNS_VIEW_ZONES_MAX / 64];
};
static bool has_zone(const struct zone_set *s, size_t i)
{
	return (s->bits[i / 64] >> (i & 63) & 1) != 0;
}
static void add_zone(struct zone_set *s, size_t i)
{
	s->bits[i / 64] |= 1ull << (i & 63);
}

/* What was found under one key: of this policy or its base, and who the scope is. */
struct found {
	struct yg_dns_eval *e;
	const struct yg_dns_policy *part;
	uint32_t scope;        /* ours */
	struct zone_set known; /* zones that say here what there is: the base does not count */
};

/* The next value of a record and those behind it that is of a zone of the view and not
 * said otherwise; *rule: its number in our counting; *gone: only that. */
static const struct yg_dns_view_zone *next_value(struct found *f, struct yg_hashset_rec *rec,
						 uint32_t *value, uint32_t *rule, bool *gone)
{
	const struct yg_dns_policy *p = f->e->policy, *part = f->part;
	for (;;) {
		while (yg_hashset_value(rec, value)) {
			*rule = *value >> 2;
			if (*rule >= part->rule_count)
				continue;
			uint16_t zone = part->rules[*rule].zone;
			if (part != p)
				zone = p->zone_of[zone];
			const struct yg_dns_view_zone *z = zone_in_view(f->e, zone);
			if (z == NULL || p->zones[zone].scope != f->scope)
				continue;
			size_t i = (size_t)(z - (p->view_zones + f->e->view->zones_at));
			*gone = (part->rules[*rule].flags & YG_DR_GONE) != 0;
			if (part != p && has_zone(&f->known, i))
				continue;
			if (part != p)
				*rule += (uint32_t)p->rule_count;
			else if (p->base != NULL)
				add_zone(&f->known, i);
			return z;
		}
		if ((rec->head & YG_DK_MORE) == 0 ||
		    !yg_hashset_rec(&part->set, yg_hashset_behind(&part->set, rec), rec))
			return NULL;
	}
}

/* Takes what is under the key: first ours, then the base's. */
typedef void take_fn(void *ctx, struct found *f, struct yg_hashset_rec *rec);
static void each_record(struct yg_dns_eval *e, uint64_t plain_hash, struct yg_sv key,
			enum yg_dns_kind kind, uint32_t scope, take_fn *take, void *ctx)
{
	const struct yg_dns_policy *p = e->policy;
	struct yg_hashset_rec rec[4] __attribute__((uninitialized));
	struct found f __attribute__((uninitialized));
	f.e = e;
	f.part = p;
	f.scope = scope;
	if (p->base != NULL)
		memset(&f.known, 0, sizeof f.known);
	while (f.part != NULL) {
		uint64_t hash = yg_hash_scoped(&p->key, plain_hash, scope);
		size_t n = yg_hashset_find(&f.part->set, hash, key, rec, YG_LEN(rec));
		for (size_t k = 0; k < n; k++)
			if ((rec[k].head & 0x7f) == (unsigned)kind)
				take(ctx, &f, &rec[k]);
		scope = f.part == p ? yg_dns_base_scope(p, scope) : YG_DNS_NO_SCOPE;
		f.part = scope != YG_DNS_NO_SCOPE ? p->base : NULL;
	}
}

/* What one record says of a name: per zone of the view, a rule, or that it exists. */
struct level {
	const struct yg_dns_name *name;
	struct yg_dns_hit hit;
	struct zone_set *settled; /* that have a name on the way already */
};
static void take_values(void *ctx, struct found *f, struct yg_hashset_rec *rec)
{
	struct level *l = ctx;
	const struct yg_dns_view_zone *z, *list = f->e->policy->view_zones + f->e->view->zones_at;
	struct zone_set now = {{0}};
	uint32_t value, rule;
	bool gone;
	while ((z = next_value(f, rec, &value, &rule, &gone)) != NULL) {
		size_t i = (size_t)(z - list);
		if (gone || has_zone(l->settled, i))
			continue;
		add_zone(&now, i);
		if ((value & (l->hit.level == 0 ? YG_DV_EXACT : YG_DV_WILD)) == 0)
			continue;
		l->hit.rule = rule;
		l->hit.zone = z->zone;
		take_hit(f->e, &l->hit, z, l->name);
	}
	for (size_t i = 0; i < YG_LEN(now.bits); i++)
		l->settled->bits[i] |= now.bits[i];
}

/* The zones' records of one name, of every scope the view has. */
static void judge_level(struct yg_dns_eval *e, const struct yg_dns_name *name, unsigned level,
			uint64_t plain_hash, enum yg_dns_kind kind, struct zone_set *settled)
{
	struct yg_sv key = yg_dns_name_from(name, level);
	struct level l = {.name = name,
			  .settled = settled,
			  .hit = {.trigger = kind == YG_DK_QNAME ? YG_DNS_TRIGGER_QNAME
								 : YG_DNS_TRIGGER_NSDNAME,
				  .wild = level > 0,
				  .level = (uint8_t)level,
				  .labels = (uint8_t)(name->labels - level),
				  .stage = e->stage}};
	key.n--; /* the root is not kept */
	for (unsigned s = 0; s < e->view->scope_count; s++)
		each_record(e, plain_hash, key, kind, e->view->scopes[s], take_values, &l);
}

/* From the whole name upwards: the first thing a zone has on the way settles it. */
static void judge_name(struct yg_dns_eval *e, const struct yg_dns_name *name,
		       struct yg_dns_probe *probe, enum yg_dns_kind kind)
{
	struct zone_set settled = {{0}};
	if (!probe->touched)
		(void)yg_dns_policy_touch(e->policy, probe);
	for (unsigned half = 0; probe->maybe && half < 2; half++)
		for (uint64_t may = probe->may[half]; may != 0; may &= may - 1) {
			unsigned i = half * 64 + (unsigned)__builtin_ctzll(may);
			judge_level(e, name, i, probe->hash[i], kind, &settled);
		}
}

/* ---- addresses ---- */

/* What one record says of a prefix.  most: zones from it on say nothing of this address;
 * take: hits count, else only `most` is learnt. */
struct address {
	struct yg_dns_hit hit;
	unsigned bits;
	bool take;
	uint16_t most;
};
static void take_prefix(void *ctx, struct found *f, struct yg_hashset_rec *rec)
{
	struct address *a = ctx;
	const struct yg_dns_policy *p = f->e->policy;
	const struct yg_dns_view_zone *z;
	uint32_t value, rule;
	bool gone;
	while ((z = next_value(f, rec, &value, &rule, &gone)) != NULL) {
		if (gone || (value & 3) != a->bits)
			continue;
		if (p->zones[z->zone].cancels != 0) {
			if (z->mode == YG_DNS_MODE_ENFORCE)
				a->most = YG_MIN(a->most, z->zone);
			continue;
		}
		a->hit.rule = rule;
		a->hit.zone = z->zone;
		if (a->take && z->zone < a->most)
			take_hit(f->e, &a->hit, z, NULL);
	}
}

/* Prefixes that hold an address: their keys, each once. */
struct prefixes {
	struct yg_sv key[2 * YG_PREFIX_HITS_MAX];
	size_t n;
	uint64_t seen[3]; /* by length: an address has one prefix of each */
};
static void find_prefixes(const struct yg_dns_policy *p, struct yg_ip ip, struct prefixes *out)
{
	uint32_t off[YG_PREFIX_HITS_MAX] __attribute__((uninitialized));
	size_t n = p->tree.value_count > 0 ? yg_prefix_find(&p->tree, ip, off) : 0;
	for (size_t i = 0; i < n; i++) {
		struct yg_hashset_rec any;
		if (!yg_hashset_rec(&p->set, off[i], &any) || any.key.n != 17)
			continue;
		uint8_t bits = (uint8_t)any.key.p[16];
		if ((out->seen[bits / 64 % 3] >> (bits & 63) & 1) != 0)
			continue;
		out->seen[bits / 64 % 3] |= 1ull << (bits & 63);
		out->key[out->n++] = any.key;
	}
}

/* Whose rules the prefixes have is in the set. */
static void judge_prefixes(struct yg_dns_eval *e, const struct prefixes *all, struct address *a)
{
	for (size_t i = 0; i < all->n; i++) {
		uint64_t plain = yg_hash_of(&e->policy->key, YG_DK_PREFIX, all->key[i]);
		a->hit.bits = (uint8_t)all->key[i].p[16];
		for (unsigned s = 0; s < e->view->scope_count; s++)
			each_record(e, plain, all->key[i], YG_DK_PREFIX, e->view->scopes[s],
				    take_prefix, a);
	}
}

/* First what is allowed, of all prefixes, then what is left. */
static void judge_ip(struct yg_dns_eval *e, struct yg_ip ip, enum yg_dns_trigger trigger,
		     unsigned bits)
{
	struct prefixes all __attribute__((uninitialized));
	struct address a = {.bits = bits, .most = UINT16_MAX};
	if ((e->view->has >> trigger & 1) == 0)
		return;
	all.n = 0;
	memset(all.seen, 0, sizeof all.seen);
	a.hit = (struct yg_dns_hit){.trigger = (uint8_t)trigger, .stage = e->stage, .ip = ip};
	find_prefixes(e->policy, ip, &all);
	if (e->policy->base != NULL)
		find_prefixes(e->policy->base, ip, &all);
	if (e->view->cancels != 0)
		judge_prefixes(e, &all, &a);
	a.take = true;
	judge_prefixes(e, &all, &a);
}

/* ---- one key ---- */

struct deciding {
	bool prefix, any;
	unsigned bits;
	uint32_t rule;
	uint16_t zone;
};
static void take_deciding(void *ctx, struct found *f, struct yg_hashset_rec *rec)
{
	struct deciding *d = ctx;
	const struct yg_dns_view_zone *z;
	uint32_t value, rule;
	bool gone;
	while ((z = next_value(f, rec, &value, &rule, &gone)) != NULL) {
		bool fits = d->prefix ? (value & 3) == d->bits : (value & d->bits) != 0;
		if (gone || !fits || z->mode != YG_DNS_MODE_ENFORCE ||
		    f->e->policy->zones[z->zone].override == YG_DNS_OVERRIDE_DISABLED ||
		    (d->any && d->zone <= z->zone))
			continue;
		d->any = true;
		d->rule = rule;
		d->zone = z->zone;
	}
}

bool yg_dns_policy_decides(const struct yg_dns_policy *p, uint32_t view, enum yg_dns_kind kind,
			   uint64_t hash, struct yg_sv key, unsigned bits, uint32_t *rule,
			   uint16_t *zone)
{
	struct yg_dns_eval e __attribute__((uninitialized));
	struct deciding d = {.prefix = kind == YG_DK_PREFIX, .bits = bits};
	e.policy = p;
	e.view = &p->views[view < p->view_count ? view : 0];
	for (unsigned s = 0; s < e.view->scope_count; s++)
		each_record(&e, hash, key, kind, e.view->scopes[s], take_deciding, &d);
	*rule = d.rule;
	*zone = d.zone;
	return d.any;
}

/* ---- a query ---- */

void yg_dns_eval_begin(struct yg_dns_eval *e, const struct yg_dns_policy *p, uint32_t view,
		       struct yg_ip client)
{
	e->policy = p;
	e->view = &p->views[view < p->view_count ? view : 0];
	e->decided = e->has_best = false;
	e->stage = e->note_count = 0;
	e->notes_more = 0;
	e->begun = false;
	if (!yg_ip_is_zero(client))
		judge_ip(e, client, YG_DNS_TRIGGER_CLIENT_IP, YG_DV_CLIENT);
	e->has_client = e->has_best;
	if (e->has_best)
		e->client = e->best;
}

void yg_dns_eval_skip(struct yg_dns_eval *e)
{
	e->has_best = e->has_client;
	if (e->has_client)
		e->best = e->client;
}

void yg_dns_eval_name(struct yg_dns_eval *e, const struct yg_dns_name *name,
		      struct yg_dns_probe *probe)
{
	struct yg_dns_probe own __attribute__((uninitialized));
	if (e->decided)
		return;
	if (e->begun && e->stage < UINT8_MAX)
		e->stage++;
	e->begun = true;
	if ((e->view->has >> YG_DNS_TRIGGER_QNAME & 1) == 0)
		return;
	if (probe == NULL) {
		probe = &own;
		hash_name(e->policy, name, YG_DK_QNAME, probe);
	}
	judge_name(e, name, probe, YG_DK_QNAME);
}

void yg_dns_eval_address(struct yg_dns_eval *e, struct yg_ip ip)
{
	if (!e->decided)
		judge_ip(e, ip, YG_DNS_TRIGGER_RESPONSE_IP, YG_DV_RESPONSE);
}

void yg_dns_eval_server(struct yg_dns_eval *e, const struct yg_dns_name *name)
{
	struct yg_dns_probe probe __attribute__((uninitialized));
	if (e->decided || (e->view->has >> YG_DNS_TRIGGER_NSDNAME & 1) == 0)
		return;
	hash_name(e->policy, name, YG_DK_NSDNAME, &probe);
	judge_name(e, name, &probe, YG_DK_NSDNAME);
}

void yg_dns_eval_server_address(struct yg_dns_eval *e, struct yg_ip ip)
{
	if (!e->decided)
		judge_ip(e, ip, YG_DNS_TRIGGER_NSIP, YG_DV_NSIP);
}

/* Could a record of this trigger be better than the best so far? */
static bool could_win(const struct yg_dns_eval *e, enum yg_dns_trigger t)
{
	uint16_t first = e->view->first[t];
	if (first == YG_DNS_NO_ZONE)
		return false;
	return !e->has_best || first < e->best.zone ||
	       (first == e->best.zone && t <= (enum yg_dns_trigger)e->best.trigger);
}

unsigned yg_dns_eval_needs(const struct yg_dns_eval *e)
{
	if (e->decided)
		return 0;
	return (could_win(e, YG_DNS_TRIGGER_RESPONSE_IP) ? YG_DNS_NEEDS_ADDRESSES : 0u) |
	       (could_win(e, YG_DNS_TRIGGER_NSDNAME) ? YG_DNS_NEEDS_SERVERS : 0u) |
	       (could_win(e, YG_DNS_TRIGGER_NSIP) ? YG_DNS_NEEDS_SERVER_ADDRESSES : 0u);
}

bool yg_dns_eval_stage_end(struct yg_dns_eval *e)
{
	e->decided = e->has_best;
	return e->decided;
}
