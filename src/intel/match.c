#include "intel/match.h"

#include <stdlib.h>

#include "intel/probe.h"

/* ---- opening ---- */

static bool string_fits(const struct yg_intel *in, uint32_t at)
{
	uint16_t n;
	if (in->strings_n < 2 || at > in->strings_n - 2)
		return false;
	memcpy(&n, in->strings + at, sizeof n);
	return n <= in->strings_n - 2 - at;
}

static struct yg_sv string_at(const struct yg_intel *in, uint32_t at)
{
	uint16_t n;
	if (!string_fits(in, at))
		return (struct yg_sv){"", 0};
	memcpy(&n, in->strings + at, sizeof n);
	return (struct yg_sv){in->strings + at + 2, n};
}

static yg_status find_sections(struct yg_intel *in, struct yg_err *err)
{
	const void *filter = NULL, *slots = NULL, *pool = NULL, *nodes = NULL, *values = NULL;
	const void *metas = NULL, *strings = NULL, *info = NULL, *front = NULL;
	uint64_t infos, fronts;
	const struct {
		uint32_t id, elem;
		const void **p;
		uint64_t *count;
	} want[] = {
		{YG_IS_FILTER, 8, &filter, &in->set.filter_count},
		{YG_IS_SLOTS, 4, &slots, &in->set.slot_count},
		{YG_IS_POOL, 1, &pool, &in->set.pool_bytes},
		{YG_IS_NODES, sizeof(struct yg_prefix_node), &nodes, &in->tree.node_count},
		{YG_IS_PREFIXES, 4, &values, &in->tree.value_count},
		{YG_IS_METAS, sizeof(struct yg_intel_meta), &metas, &in->meta_count},
		{YG_IS_STRINGS, 1, &strings, &in->strings_n},
		{YG_IS_INFO, sizeof(struct yg_intel_info), &info, &infos},
		{YG_IS_FRONT, 8, &front, &fronts},
	};
	for (size_t i = 0; i < YG_LEN(want); i++) {
		yg_status st = yg_snap_find(&in->snap, want[i].id, want[i].elem, want[i].p,
					    want[i].count, err);
		if (st != YG_OK)
			return st;
	}
	if (infos != 1 || fronts != YG_PREFIX_FRONT)
		return YG_FAIL(err, YG_CORRUPT, "snapshot info is damaged");
	memcpy(&in->info, info, sizeof in->info);
	in->set.filter = filter;
	in->set.slots = slots;
	in->set.pool = pool;
	in->tree.nodes = nodes;
	in->tree.values = values;
	in->tree.front = front;
	in->metas = metas;
	in->strings = strings;
	return YG_OK;
}

static yg_status check_all(struct yg_intel *in, struct yg_err *err)
{
	uint64_t count = 0;
	yg_status st = yg_hashset_check(&in->set, in->meta_count, &count, err);
	if (st == YG_OK)
		st = yg_prefix_check(&in->tree, err);
	if (st != YG_OK)
		return st;
	if (count != in->snap.head.count)
		return YG_FAIL(err, YG_CORRUPT, "snapshot holds %llu indicators instead of %llu",
			       (unsigned long long)count, (unsigned long long)in->snap.head.count);
	for (uint64_t i = 0; i < in->tree.value_count; i++)
		if (in->tree.values[i] >= in->set.pool_bytes)
			return YG_FAIL(err, YG_CORRUPT, "snapshot prefix is out of range");
	for (uint64_t i = 0; i < in->meta_count; i++) {
		const struct yg_intel_meta *m = &in->metas[i];
		if (!string_fits(in, m->list) || !string_fits(in, m->category) ||
		    !string_fits(in, m->family) || !string_fits(in, m->org))
			return YG_FAIL(err, YG_CORRUPT, "snapshot source %llu is out of range",
				       (unsigned long long)i);
	}
	return YG_OK;
}

static yg_status open_checked(struct yg_intel *in, struct yg_intel **out, struct yg_err *err)
{
	in->key = (struct yg_hash_key){{in->snap.head.key[0], in->snap.head.key[1]}};
	yg_status st = find_sections(in, err);
	if (st == YG_OK)
		st = check_all(in, err);
	if (st != YG_OK) {
		yg_intel_close(in);
		return st;
	}
	*out = in;
	return YG_OK;
}

yg_status yg_intel_open_fd(int fd, uint64_t min_generation, struct yg_intel **out,
			   struct yg_err *err)
{
	struct yg_intel *in = calloc(1, sizeof *in);
	if (in == NULL)
		return YG_FAIL(err, YG_NOMEM, "indicator snapshot");
	yg_status st = yg_snap_open_fd(fd, YG_SNAP_INDICATORS, YG_INTEL_SCHEMA, min_generation,
				       &in->snap, err);
	if (st != YG_OK) {
		free(in);
		return st;
	}
	return open_checked(in, out, err);
}

yg_status yg_intel_open_bytes(const void *p, size_t n, uint64_t min_generation,
			      struct yg_intel **out, struct yg_err *err)
{
	struct yg_intel *in = calloc(1, sizeof *in);
	if (in == NULL)
		return YG_FAIL(err, YG_NOMEM, "indicator snapshot");
	yg_status st = yg_snap_open_bytes(p, n, YG_SNAP_INDICATORS, YG_INTEL_SCHEMA, min_generation,
					  &in->snap, err);
	if (st != YG_OK) {
		free(in);
		return st;
	}
	return open_checked(in, out, err);
}

void yg_intel_close(struct yg_intel *in)
{
	if (in == NULL)
		return;
	yg_snap_close(&in->snap);
	free(in);
}

uint64_t yg_intel_generation(const struct yg_intel *in)
{
	return in->snap.head.generation;
}

uint64_t yg_intel_count(const struct yg_intel *in)
{
	return in->snap.head.count;
}

yg_wall yg_intel_created(const struct yg_intel *in)
{
	return (yg_wall){(int64_t)in->snap.head.created};
}

uint64_t yg_intel_bytes(const struct yg_intel *in)
{
	return in->snap.bytes;
}

/* ---- judging what was found ---- */

#define HITS_MAX 160
struct hit {
	struct yg_hashset_rec rec;
	uint8_t kind; /* enum yg_probe_kind */
};
struct judge {
	const struct yg_intel *in;
	const struct yg_event *ev;
	yg_wall now;
	struct yg_match_set *out;
	size_t hit_count;
	struct hit hits[HITS_MAX];
};

static bool applies(const struct judge *j, const struct yg_intel_meta *m)
{
	if ((m->from_us != 0 && j->now.us < m->from_us) ||
	    (m->until_us != 0 && j->now.us >= m->until_us))
		return false;
	return m->org == 0 || yg_sv_eq(string_at(j->in, m->org), j->ev->org);
}

/* The next source of a record that is in force here and now. */
static const struct yg_intel_meta *next_source(const struct judge *j, struct yg_hashset_rec *rec)
{
	uint32_t i;
	while (yg_hashset_value(rec, &i))
		if (i < j->in->meta_count && applies(j, &j->in->metas[i]))
			return &j->in->metas[i];
	return NULL;
}

static bool is_type(uint8_t head, enum yg_probe_kind kind)
{
	enum yg_indicator_type t = (enum yg_indicator_type)(head & 15);
	switch (kind) {
	case YG_PK_IP: return t == YG_IND_IP;
	case YG_PK_IPPORT: return t == YG_IND_IPPORT;
	case YG_PK_FQDN: return t == YG_IND_FQDN || t == YG_IND_DOMAIN;
	case YG_PK_PARENT: return t == YG_IND_DOMAIN;
	case YG_PK_URL: return t == YG_IND_URL;
	case YG_PK_HASH: return t == YG_IND_HASH;
	case YG_PK_EMAIL: return t == YG_IND_EMAIL;
	}
	return false;
}

/* Kinds of which only the most particular hit is reported. */
static unsigned class_of(uint8_t kind)
{
	return kind == YG_PK_PARENT ? YG_PK_FQDN : kind;
}

/* Bits of the kinds that an applicable allow entry covers. */
static unsigned allowed_kinds(const struct judge *j)
{
	unsigned allowed = 0;
	for (size_t i = 0; i < j->hit_count; i++) {
		struct yg_hashset_rec rec = j->hits[i].rec;
		const struct yg_intel_meta *m;
		while ((m = next_source(j, &rec)) != NULL) {
			if ((m->flags & YG_META_ALLOW) == 0)
				continue;
			unsigned kind = class_of(j->hits[i].kind);
			/* a name or an address covers all that is at it */
			allowed |= kind == YG_PK_FQDN || kind == YG_PK_IP ? ~0u : 1u << kind;
		}
	}
	return allowed;
}

static struct yg_sv indicator_text(struct yg_match_set *out, const struct yg_hashset_rec *rec)
{
	enum yg_indicator_type t = (enum yg_indicator_type)(rec->head & 15);
	uint8_t scheme = rec->head >> 4;
	if (t == YG_IND_DOMAIN || t == YG_IND_FQDN || t == YG_IND_EMAIL ||
	    (t == YG_IND_URL && scheme == YG_URL_BARE))
		return rec->key;
	struct yg_sb b = yg_sb_init(out->text + out->text_n, sizeof out->text - out->text_n);
	yg_indicator_text(t, scheme, rec->key, &b);
	if (b.cut) /* a long URL among many: without its scheme rather than cut */
		return t == YG_IND_URL ? rec->key : (struct yg_sv){"", 0};
	out->text_n += (uint32_t)b.n;
	return yg_sb_sv(&b);
}

static void add_list(struct yg_match *m, struct yg_sv list)
{
	for (uint32_t i = 0; i < m->list_count; i++)
		if (yg_sv_eq(m->lists[i], list))
			return;
	if (m->list_count < YG_MATCH_LISTS_MAX)
		m->lists[m->list_count++] = list;
	else
		m->lists_more++;
}

static bool is_reported(const struct yg_match_set *out, enum yg_indicator_type type,
			struct yg_sv indicator)
{
	for (uint32_t i = 0; i < out->n; i++)
		if (out->m[i].type == type && yg_sv_eq(out->m[i].indicator, indicator))
			return true;
	return false;
}

/* False when no source of it is in force. */
static bool report(struct judge *j, const struct hit *hit, const struct yg_probe_group *group)
{
	struct yg_match_set *out = j->out;
	struct yg_hashset_rec rec = hit->rec;
	const struct yg_intel_meta *m = next_source(j, &rec), *best = NULL;
	if (m == NULL)
		return false;
	struct yg_sv text = indicator_text(out, &hit->rec);
	enum yg_indicator_type type = (enum yg_indicator_type)(hit->rec.head & 15);
	if (is_reported(out, type, text))
		return true;
	if (out->n == YG_MATCHES_MAX) {
		out->more++;
		return true;
	}
	struct yg_match *to = &out->m[out->n++];
	to->list_count = 0;
	to->lists_more = 0;
	for (; m != NULL; m = next_source(j, &rec)) {
		add_list(to, string_at(j->in, m->list));
		if (best == NULL || m->confidence > best->confidence ||
		    (m->confidence == best->confidence && m->severity_id > best->severity_id))
			best = m;
	}
	to->indicator = text;
	to->type = type;
	to->list = string_at(j->in, best->list);
	to->category = string_at(j->in, best->category);
	to->family = string_at(j->in, best->family);
	to->confidence = best->confidence;
	to->severity_id = best->severity_id;
	to->tlp = best->tlp;
	to->field = (enum yg_event_field)group->field;
	to->value = group->value;
	return true;
}

static void judge_group(struct judge *j, const struct yg_probe_group *group)
{
	unsigned done = allowed_kinds(j);
	for (size_t i = 0; i < j->hit_count; i++) {
		unsigned bit = 1u << class_of(j->hits[i].kind);
		if ((done & bit) == 0 && report(j, &j->hits[i], group))
			done |= bit;
	}
}

static void add_hits(struct judge *j, const struct yg_probe *p)
{
	struct yg_hashset_rec found[4];
	size_t n = yg_hashset_find(&j->in->set, p->hash, (struct yg_sv){p->p, p->n}, found,
				   YG_LEN(found));
	size_t from = j->hit_count;
	for (size_t i = 0; i < n && j->hit_count < HITS_MAX; i++)
		if (is_type(found[i].head, (enum yg_probe_kind)p->kind))
			j->hits[j->hit_count++] = (struct hit){found[i], p->kind};
	/* Of two entries for one name, that for the name alone is the more particular. */
	if (j->hit_count == from + 2 && (j->hits[from + 1].rec.head & 15) == YG_IND_FQDN) {
		struct hit first = j->hits[from];
		j->hits[from] = j->hits[from + 1];
		j->hits[from + 1] = first;
	}
}

/* Behind the address itself: the prefixes that hold it, the longest first. */
static void add_prefixes(struct judge *j, struct yg_ip ip)
{
	uint32_t offs[YG_PREFIX_HITS_MAX] __attribute__((uninitialized));
	size_t n = yg_prefix_find(&j->in->tree, ip, offs);
	for (size_t i = 0; i < n && j->hit_count < HITS_MAX; i++) {
		struct hit *h = &j->hits[j->hit_count];
		h->kind = YG_PK_IP;
		if (yg_hashset_rec(&j->in->set, offs[i], &h->rec) && is_type(h->rec.head, YG_PK_IP))
			j->hit_count++;
	}
}

/* What the filter lets through; apart, because hardly any event gets here. */
static __attribute__((noinline)) void judge_all(const struct yg_intel *in,
						const struct yg_event *ev, yg_wall now,
						struct yg_match_set *out)
{
	struct judge j __attribute__((uninitialized));
	const struct yg_match_prep *prep = &out->prep;
	j.in = in;
	j.ev = ev;
	j.now = now;
	j.out = out;
	for (uint32_t g = 0; g < prep->group_count; g++) {
		const struct yg_probe_group *group = &prep->groups[g];
		j.hit_count = 0;
		for (unsigned i = 0; i < group->count; i++) {
			const struct yg_probe *p = &prep->probes[group->first + i];
			if (yg_hashset_maybe(&in->set, p->hash))
				add_hits(&j, p);
		}
		if (group->has_ip && in->tree.value_count > 0)
			add_prefixes(&j, group->ip);
		if (j.hit_count > 0)
			judge_group(&j, group);
	}
}

static bool in_a_prefix(const struct yg_intel *in, const struct yg_match_prep *prep)
{
	uint32_t offs[YG_PREFIX_HITS_MAX] __attribute__((uninitialized));
	for (uint32_t g = 0; g < prep->group_count; g++)
		if (prep->groups[g].has_ip && yg_prefix_maybe(&in->tree, prep->groups[g].ip) &&
		    yg_prefix_find(&in->tree, prep->groups[g].ip, offs) > 0)
			return true;
	return false;
}

static void begin_round(struct yg_match_prep *prep)
{
	prep->probe_count = 0;
	prep->group_count = 0;
	prep->text_n = 0;
}

void yg_intel_prepare(const struct yg_intel *in, const struct yg_event *ev,
		      struct yg_match_set *set)
{
	memcpy(set->prep.key, in->key.k, sizeof set->prep.key);
	set->prep.row = 0;
	set->prep.at = 0;
	set->n = 0;
	set->more = 0;
	set->skipped = 0;
	set->text_n = 0;
	begin_round(&set->prep);
	yg_probe_fill(in, ev, set);
}

void yg_intel_finish(const struct yg_intel *in, const struct yg_event *ev, yg_wall now,
		     struct yg_match_set *set)
{
	if (memcmp(set->prep.key, in->key.k, sizeof set->prep.key) != 0)
		yg_intel_prepare(in, ev, set);
	for (;;) {
		const struct yg_match_prep *prep = &set->prep;
		bool maybe = false;
		for (uint32_t i = 0; i < prep->probe_count; i++)
			maybe |= yg_hashset_maybe(&in->set, prep->probes[i].hash);
		if (maybe || (in->tree.value_count > 0 && in_a_prefix(in, prep)))
			judge_all(in, ev, now, set);
		if (yg_probe_done(prep))
			return;
		begin_round(&set->prep);
		yg_probe_fill(in, ev, set);
	}
}

void yg_intel_match(const struct yg_intel *in, const struct yg_event *ev, yg_wall now,
		    struct yg_match_set *out)
{
	yg_intel_prepare(in, ev, out);
	yg_intel_finish(in, ev, now, out);
}
