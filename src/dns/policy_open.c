/* policy_open.c - opening a compiled policy: everything in it is checked once. */
#include <stdlib.h>

#include "dns/policy_internal.h"
#include "snapshot/intern.h"

/* Length-prefixed pieces: false when `at` is none of this section. */
static bool string_fits(const struct yg_dns_policy *p, uint32_t at)
{
	uint16_t n;
	if (p->string_bytes < 2 || at > p->string_bytes - 2)
		return false;
	memcpy(&n, p->strings + at, sizeof n);
	return n <= p->string_bytes - 2 - at;
}

struct yg_sv yg_dns_policy_string(const struct yg_dns_policy *p, uint32_t at)
{
	uint16_t n;
	if (!string_fits(p, at))
		return (struct yg_sv){"", 0};
	memcpy(&n, p->strings + at, sizeof n);
	return (struct yg_sv){p->strings + at + 2, n};
}

static bool data_fits(const struct yg_dns_policy *p, uint32_t at)
{
	uint32_t n;
	if (p->data_bytes < 4 || at > p->data_bytes - 4)
		return false;
	memcpy(&n, p->data + at, sizeof n);
	return n <= p->data_bytes - 4 - at;
}

struct yg_sv yg_dns_policy_data(const struct yg_dns_policy *p, uint32_t at)
{
	uint32_t n;
	if (!data_fits(p, at))
		return (struct yg_sv){"", 0};
	memcpy(&n, p->data + at, sizeof n);
	return (struct yg_sv){(const char *)p->data + at + 4, n};
}

/* *out_base: what it stands on; generation 0: nothing. */
static yg_status find_sections(struct yg_dns_policy *p, struct yg_dns_base_rec *out_base,
			       struct yg_err *err)
{
	const void *filter, *slots, *pool, *nodes, *values, *front, *rules, *data, *zones;
	const void *views, *view_zones, *answers, *strings, *info, *base;
	uint64_t fronts = 0, infos = 0, bases = 0;
	const struct {
		uint32_t id, elem;
		const void **p;
		uint64_t *count;
	} want[] = {
		{YG_DS_FILTER, 8, &filter, &p->set.filter_count},
		{YG_DS_SLOTS, 4, &slots, &p->set.slot_count},
		{YG_DS_POOL, 1, &pool, &p->set.pool_bytes},
		{YG_DS_NODES, sizeof(struct yg_prefix_node), &nodes, &p->tree.node_count},
		{YG_DS_PREFIXES, 4, &values, &p->tree.value_count},
		{YG_DS_FRONT, 8, &front, &fronts},
		{YG_DS_RULES, sizeof(struct yg_dns_rule_rec), &rules, &p->rule_count},
		{YG_DS_DATA, 1, &data, &p->data_bytes},
		{YG_DS_ZONES, sizeof(struct yg_dns_zone_rec), &zones, &p->zone_count},
		{YG_DS_VIEWS, sizeof(struct yg_dns_view_rec), &views, &p->view_count},
		{YG_DS_VIEW_ZONES, sizeof(struct yg_dns_view_zone), &view_zones,
		 &p->view_zone_count},
		{YG_DS_ANSWERS, sizeof(struct yg_dns_answer_rec), &answers, &p->answer_count},
		{YG_DS_STRINGS, 1, &strings, &p->string_bytes},
		{YG_DS_INFO, sizeof p->counts, &info, &infos},
		{YG_DS_BASE, sizeof *out_base, &base, &bases},
	};
	for (size_t i = 0; i < YG_LEN(want); i++) {
		yg_status st = yg_snap_find(&p->snap, want[i].id, want[i].elem, want[i].p,
					    want[i].count, err);
		if (st != YG_OK)
			return st;
	}
	if (infos != 1 || bases > 1 || fronts != YG_PREFIX_FRONT ||
	    p->zone_count > YG_DNS_ZONES_MAX || p->view_count == 0 ||
	    p->view_count > YG_DNS_ORGS_MAX)
		return YG_FAIL(err, YG_CORRUPT, "policy info is damaged");
	memcpy(&p->counts, info, sizeof p->counts);
	*out_base = (struct yg_dns_base_rec){.generation = 0};
	if (bases == 1)
		memcpy(out_base, base, sizeof *out_base);
	p->set.filter = filter;
	p->set.slots = slots;
	p->set.pool = pool;
	p->tree.nodes = nodes;
	p->tree.values = values;
	p->tree.front = front;
	p->rules = rules;
	p->data = data;
	p->zones = zones;
	p->views = views;
	p->view_zones = view_zones;
	p->answers = answers;
	p->strings = strings;
	return YG_OK;
}

/* ---- data ---- */

static bool name_fits(struct yg_sv wire)
{
	struct yg_dns_name name;
	size_t at = 0;
	return yg_dns_name_read_plain((const uint8_t *)wire.p, wire.n, &at, &name) == YG_OK &&
	       at == wire.n;
}

static bool rrsets_fit(struct yg_sv data)
{
	struct yg_dns_rrset set;
	while (data.n > 0) {
		if (!yg_dns_rrset_next(&data, &set))
			return false;
		size_t at = 0;
		for (unsigned i = 0; i < set.count; i++) {
			if (set.rrs.n - at < 10)
				return false;
			const uint8_t *p = (const uint8_t *)set.rrs.p + at;
			size_t n = 10u + ((size_t)p[8] << 8 | p[9]);
			if (n > set.rrs.n - at || (unsigned)(p[0] << 8 | p[1]) != set.type)
				return false;
			at += n;
		}
		if (at != set.rrs.n)
			return false;
	}
	return true;
}

/* The data an action needs, in its form. */
static bool action_fits(const struct yg_dns_policy *p, uint8_t action, uint32_t at)
{
	if (action >= YG_DNS_ACTION_COUNT || !data_fits(p, at))
		return false;
	struct yg_sv data = yg_dns_policy_data(p, at);
	if (action == YG_DNS_ACTION_CNAME)
		return data.n > YG_DNS_CNAME_HEAD &&
		       name_fits(yg_sv_sub(data, YG_DNS_CNAME_HEAD, data.n));
	return action != YG_DNS_ACTION_DATA || rrsets_fit(data);
}

static bool zone_fits(const struct yg_dns_policy *p, const struct yg_dns_zone_rec *z)
{
	uint8_t action = z->override == YG_DNS_OVERRIDE_CNAME      ? YG_DNS_ACTION_CNAME
			 : z->override == YG_DNS_OVERRIDE_SINKHOLE ? YG_DNS_ACTION_DATA
								   : YG_DNS_ACTION_NONE;
	struct yg_sv soa = yg_dns_policy_data(p, z->soa),
		     origin = yg_dns_policy_string(p, z->origin);
	return string_fits(p, z->name) && string_fits(p, z->origin) && string_fits(p, z->org) &&
	       string_fits(p, z->category) && string_fits(p, z->ede_text) && data_fits(p, z->soa) &&
	       (soa.n == 0 || soa.n >= 10) && (origin.n == 0 || name_fits(origin)) &&
	       z->layer < YG_DNS_LAYER_COUNT && z->override < YG_DNS_OVERRIDE_COUNT &&
	       z->mode < YG_DNS_MODE_COUNT && action_fits(p, action, z->override_data);
}

static bool view_fits(const struct yg_dns_policy *p, const struct yg_dns_view_rec *v)
{
	if (!string_fits(p, v->org) || v->zone_count > YG_DNS_VIEW_ZONES_MAX ||
	    v->zones_at > p->view_zone_count || v->zone_count > p->view_zone_count - v->zones_at ||
	    v->scope_count == 0 || v->scope_count > YG_DNS_VIEW_SCOPES ||
	    v->answers_at > p->answer_count || v->answer_count > p->answer_count - v->answers_at)
		return false;
	for (uint32_t i = 0; i < v->zone_count; i++) {
		const struct yg_dns_view_zone *z = &p->view_zones[v->zones_at + i];
		if (z->zone >= p->zone_count || z->mode >= YG_DNS_MODE_OFF ||
		    (i > 0 && z->zone <= z[-1].zone))
			return false;
	}
	return true;
}

static yg_status check_small(const struct yg_dns_policy *p, struct yg_err *err)
{
	for (uint64_t i = 0; i < p->zone_count; i++)
		if (!zone_fits(p, &p->zones[i]))
			return YG_FAIL(err, YG_CORRUPT, "policy zone %llu is damaged",
				       (unsigned long long)i);
	for (uint64_t i = 0; i < p->answer_count; i++)
		if (!string_fits(p, p->answers[i].category) ||
		    !action_fits(p, p->answers[i].action, p->answers[i].data))
			return YG_FAIL(err, YG_CORRUPT, "policy answer %llu is damaged",
				       (unsigned long long)i);
	for (uint64_t i = 0; i < p->view_count; i++) {
		if (!view_fits(p, &p->views[i]) ||
		    (i > 0 && yg_sv_cmp(yg_dns_policy_string(p, p->views[i - 1].org),
					yg_dns_policy_string(p, p->views[i].org)) >= 0))
			return YG_FAIL(err, YG_CORRUPT, "policy view %llu is damaged",
				       (unsigned long long)i);
	}
	return YG_OK;
}

static yg_status check_all(struct yg_dns_policy *p, struct yg_err *err)
{
	uint64_t count = 0;
	if (p->rule_count > YG_DNS_RULE_MAX)
		return YG_FAIL(err, YG_CORRUPT, "policy has too many rules");
	yg_status st = yg_hashset_check(&p->set, p->rule_count << 2, &count, err);
	if (st == YG_OK)
		st = yg_prefix_check(&p->tree, err);
	if (st != YG_OK)
		return st;
	for (uint64_t i = 0; i < p->tree.value_count; i++)
		if (p->tree.values[i] >= p->set.pool_bytes)
			return YG_FAIL(err, YG_CORRUPT, "policy prefix is out of range");
	for (uint64_t i = 0; i < p->rule_count; i++)
		if (p->rules[i].zone >= p->zone_count ||
		    !action_fits(p, p->rules[i].action, p->rules[i].data))
			return YG_FAIL(err, YG_CORRUPT, "policy rule %llu is damaged",
				       (unsigned long long)i);
	return check_small(p, err);
}

/* ---- the base ---- */

static bool same_string(const struct yg_dns_policy *p, uint32_t at, const struct yg_dns_policy *q,
			uint32_t other)
{
	return yg_sv_eq(yg_dns_policy_string(p, at), yg_dns_policy_string(q, other));
}

/* The base's zone of that name and organisation; YG_DNS_NO_ZONE: none. */
static uint16_t zone_in_base(const struct yg_dns_policy *base, const struct yg_index *by_name,
			     const struct yg_dns_policy *p, const struct yg_dns_zone_rec *z)
{
	uint64_t hash = yg_hash_of(&p->key, 0, yg_dns_policy_string(p, z->name));
	size_t at = SIZE_MAX;
	uint32_t i;
	while (base->zone_count > 0 && yg_index_next(by_name, hash, &at, &i))
		if (same_string(p, z->name, base, base->zones[i].name))
			return same_string(p, z->org, base, base->zones[i].org) ? (uint16_t)i
										: YG_DNS_NO_ZONE;
	return YG_DNS_NO_ZONE;
}

static yg_status index_zones(const struct yg_dns_policy *base, struct yg_index *out,
			     struct yg_err *err)
{
	for (uint32_t i = 0; i < base->zone_count; i++) {
		uint64_t hash =
			yg_hash_of(&base->key, 0, yg_dns_policy_string(base, base->zones[i].name));
		size_t at = SIZE_MAX;
		uint32_t other;
		if (!yg_index_room(out))
			return YG_FAIL(err, YG_NOMEM, "no memory for the policy");
		while (yg_index_next(out, hash, &at, &other))
			;
		yg_index_put(out, at, hash, i);
	}
	return YG_OK;
}

/* Which zones and scopes of the base are which of ours. */
static yg_status map_zones(struct yg_dns_policy *p, const struct yg_dns_policy *base,
			   const struct yg_index *by_name, struct yg_err *err)
{
	for (uint32_t i = 0; i < p->zone_count; i++) {
		const struct yg_dns_zone_rec *z = &p->zones[i];
		uint16_t in_base;
		if (z->continues == 0)
			continue;
		in_base = zone_in_base(base, by_name, p, z);
		if (in_base == YG_DNS_NO_ZONE || p->zone_of[in_base] != YG_DNS_NO_ZONE ||
		    z->scope >= p->scope_count)
			return YG_FAIL(err, YG_CORRUPT,
				       "policy zone %u does not continue one of its base", i);
		p->zone_of[in_base] = (uint16_t)i;
		p->scope_of[z->scope] = base->zones[in_base].scope;
	}
	return YG_OK;
}

static yg_status stand_on(struct yg_dns_policy *p, struct yg_dns_policy *base,
			  const struct yg_dns_base_rec *want, struct yg_err *err)
{
	struct yg_index by_name = {.slots = NULL};
	if (base == NULL || base->base != NULL || base->snap.head.generation != want->generation ||
	    memcmp(base->snap.head.digest, want->digest, sizeof want->digest) != 0)
		return YG_FAIL(err, YG_CONFLICT,
			       "the policy stands over generation %llu, which is not at hand",
			       (unsigned long long)want->generation);
	if (memcmp(&p->key, &base->key, sizeof p->key) != 0)
		return YG_FAIL(err, YG_CORRUPT, "policy and base do not hash alike");
	p->scope_count = YG_DNS_ORGS_MAX;
	p->zone_of = malloc((base->zone_count + 1) * sizeof *p->zone_of);
	p->scope_of = malloc(p->scope_count * sizeof *p->scope_of);
	if (p->zone_of == NULL || p->scope_of == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the policy");
	memset(p->zone_of, 0xff, (base->zone_count + 1) * sizeof *p->zone_of);
	memset(p->scope_of, 0xff, p->scope_count * sizeof *p->scope_of);
	yg_status st = index_zones(base, &by_name, err);
	if (st == YG_OK)
		st = map_zones(p, base, &by_name, err);
	free(by_name.slots);
	if (st == YG_OK)
		p->base = yg_dns_policy_ref(base);
	return st;
}

static yg_status open_checked(struct yg_dns_policy *p, struct yg_dns_policy *base,
			      struct yg_dns_policy **out, struct yg_err *err)
{
	struct yg_dns_base_rec want;
	p->refs = 1;
	p->key = (struct yg_hash_key){{p->snap.head.key[0], p->snap.head.key[1]}};
	yg_status st = find_sections(p, &want, err);
	if (st == YG_OK)
		st = check_all(p, err);
	if (st == YG_OK && want.generation != 0)
		st = stand_on(p, base, &want, err);
	if (st != YG_OK) {
		yg_dns_policy_close(p);
		return st;
	}
	*out = p;
	return YG_OK;
}

yg_status yg_dns_policy_open_fd(int fd, uint64_t min_generation, struct yg_dns_policy **out,
				struct yg_err *err)
{
	return yg_dns_policy_open_over(fd, min_generation, NULL, out, err);
}

yg_status yg_dns_policy_open_over(int fd, uint64_t min_generation, struct yg_dns_policy *base,
				  struct yg_dns_policy **out, struct yg_err *err)
{
	struct yg_dns_policy *p = calloc(1, sizeof *p);
	if (p == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the policy");
	yg_status st = yg_snap_open_fd(fd, YG_SNAP_DNS_POLICY, YG_DNS_POLICY_SCHEMA, min_generation,
				       &p->snap, err);
	if (st != YG_OK) {
		free(p);
		return st;
	}
	return open_checked(p, base, out, err);
}

yg_status yg_dns_policy_open_bytes(const void *p, size_t n, uint64_t min_generation,
				   struct yg_dns_policy *base, struct yg_dns_policy **out,
				   struct yg_err *err)
{
	struct yg_dns_policy *policy = calloc(1, sizeof *policy);
	if (policy == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the policy");
	yg_status st = yg_snap_open_bytes(p, n, YG_SNAP_DNS_POLICY, YG_DNS_POLICY_SCHEMA,
					  min_generation, &policy->snap, err);
	if (st != YG_OK) {
		free(policy);
		return st;
	}
	return open_checked(policy, base, out, err);
}

yg_status yg_dns_policy_open_map(struct yg_sv *map, uint64_t min_generation,
				 struct yg_dns_policy **out, struct yg_err *err)
{
	struct yg_sv all = *map;
	*map = (struct yg_sv){"", 0};
	yg_status st = yg_dns_policy_open_bytes(all.p, all.n, min_generation, NULL, out, err);
	if (st == YG_OK)
		(*out)->snap.mapped = (*out)->of_file = true;
	else
		yg_snap_unmap(all.p, all.n);
	return st;
}

void yg_dns_policy_rest(const struct yg_dns_policy *p)
{
	if (p != NULL && p->of_file)
		yg_snap_rest(&p->snap);
}

void yg_dns_policy_close(struct yg_dns_policy *p)
{
	if (p == NULL || --p->refs > 0)
		return;
	yg_dns_policy_close(p->base);
	free(p->zone_of);
	free(p->scope_of);
	yg_snap_close(&p->snap);
	free(p);
}

struct yg_dns_policy *yg_dns_policy_ref(struct yg_dns_policy *p)
{
	p->refs++;
	return p;
}

struct yg_dns_policy *yg_dns_policy_whole(struct yg_dns_policy *p)
{
	return p->base != NULL ? p->base : p;
}

uint64_t yg_dns_policy_base(const struct yg_dns_policy *p)
{
	return p->base != NULL ? p->base->snap.head.generation : 0;
}

/* ---- what it is ---- */

struct yg_dns_policy_info yg_dns_policy_info(const struct yg_dns_policy *p)
{
	const struct yg_snap_head *h = &p->snap.head;
	struct yg_dns_policy_info base = {.names = 0};
	if (p->base != NULL)
		base = yg_dns_policy_info(p->base);
	return (struct yg_dns_policy_info){.generation = h->generation,
					   .created_us = h->created,
					   .names = base.names + h->count -
						    YG_MIN(h->count, p->tree.value_count),
					   .prefixes = base.prefixes + p->tree.value_count,
					   .rules = base.rules + p->rule_count,
					   .bytes = base.bytes + p->snap.bytes,
					   .zones = (uint32_t)p->zone_count,
					   .views = (uint32_t)p->view_count};
}

bool yg_dns_policy_zone(const struct yg_dns_policy *p, uint32_t i, struct yg_dns_zone_view *out)
{
	if (i >= p->zone_count)
		return false;
	const struct yg_dns_zone_rec *z = &p->zones[i];
	*out = (struct yg_dns_zone_view){.name = yg_dns_policy_string(p, z->name),
					 .origin = yg_dns_policy_string(p, z->origin),
					 .org = yg_dns_policy_string(p, z->org),
					 .category = yg_dns_policy_string(p, z->category),
					 .ede_text = yg_dns_policy_string(p, z->ede_text),
					 .ede_code = z->ede_code,
					 .layer = (enum yg_dns_layer)z->layer,
					 .override = (enum yg_dns_override)z->override,
					 .mode = (enum yg_dns_mode)z->mode,
					 .serial = z->serial,
					 .negative_ttl = z->negative_ttl,
					 .soa = yg_dns_policy_data(p, z->soa)};
	memcpy(out->rules, z->rules, sizeof out->rules);
	return true;
}

uint32_t yg_dns_policy_view(const struct yg_dns_policy *p, struct yg_sv org)
{
	uint32_t from = 1, to = (uint32_t)p->view_count;
	while (from < to) {
		uint32_t mid = from + (to - from) / 2;
		int c = yg_sv_cmp(yg_dns_policy_string(p, p->views[mid].org), org);
		if (c == 0)
			return mid;
		if (c < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return 0;
}

bool yg_dns_policy_has(const struct yg_dns_policy *p, enum yg_dns_trigger t)
{
	return (p->counts.has >> t & 1) != 0;
}

bool yg_dns_policy_view_has(const struct yg_dns_policy *p, uint32_t view, enum yg_dns_trigger t)
{
	return view < p->view_count && (p->views[view].has >> t & 1) != 0;
}
