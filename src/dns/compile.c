/* compile.c - what is added to a builder: zones, their records, names, prefixes. */
#include "dns/compile.h"

#include <stdlib.h>

#include "base/breath.h"
#include "dns/compile_internal.h"
#include "dns/rpz.h"

#define BYTES_MAX ((uint64_t)4 << 30)

static yg_status no_memory(struct yg_err *err)
{
	return YG_FAIL(err, YG_NOMEM, "no memory for the policy");
}

yg_status yg_dns_builder_new(const struct yg_dns_build_opts *opts, struct yg_dns_builder **out,
			     struct yg_err *err)
{
	struct yg_dns_builder *b = calloc(1, sizeof *b);
	if (b == NULL)
		return no_memory(err);
	b->opts = *opts;
	if (opts->base != NULL)
		b->key = opts->base->key; /* a name is hashed once for both */
	else
		opts->env->random(opts->env->ctx, b->key.k, sizeof b->key.k);
	uint64_t limit = opts->bytes_max > 0 ? YG_MIN(opts->bytes_max, BYTES_MAX) : BYTES_MAX;
	yg_buf_init(&b->keys, limit - 1); /* offsets are 32 bits, the last one says "none" */
	yg_buf_init(&b->bytes, limit - 1);
	yg_buf_init(&b->strings, limit - 1);
	memset(b->counts.least, UINT8_MAX, sizeof b->counts.least);
	yg_buf_put(&b->strings, (struct yg_sv){"\0", 2}); /* the empty one, at 0 */
	struct yg_db_org *everyone = yg_vec_add(&b->orgs, sizeof *everyone);
	if (b->strings.bad || everyone == NULL) {
		yg_dns_builder_free(b);
		return no_memory(err);
	}
	*everyone = (struct yg_db_org){.name = 0};
	*out = b;
	return YG_OK;
}

void yg_dns_builder_free(struct yg_dns_builder *b)
{
	if (b == NULL)
		return;
	free(b->entries.p);
	free(b->links.p);
	free(b->nodes.p);
	free(b->rrs.p);
	free(b->zones.p);
	free(b->orgs.p);
	free(b->answers.p);
	free(b->by_key.slots);
	free(b->by_node.slots);
	free(b->by_rr.slots);
	free(b->by_string.slots);
	free(b->by_org.slots);
	yg_buf_free(&b->keys);
	yg_buf_free(&b->bytes);
	yg_buf_free(&b->strings);
	free(b);
}

/* ---- zones ---- */

static bool find_org(const struct yg_dns_builder *b, uint64_t hash, uint32_t name, size_t *at,
		     uint32_t *out)
{
	while (yg_index_next(&b->by_org, hash, at, out))
		if (((const struct yg_db_org *)b->orgs.p)[*out].name == name)
			return true;
	return false;
}

/* The scope of an organisation, made when it is new; 0 for "". */
static yg_status scope_of(struct yg_dns_builder *b, struct yg_sv org, uint16_t *out,
			  struct yg_err *err)
{
	uint32_t name, i;
	size_t at = SIZE_MAX;
	*out = 0;
	yg_status st = yg_db_string(b, org, &name, err);
	if (st != YG_OK || org.n == 0)
		return st;
	uint64_t hash = yg_hash_mix(name ^ b->key.k[0], b->key.k[1]);
	if (!yg_index_room(&b->by_org))
		return no_memory(err);
	if (!find_org(b, hash, name, &at, &i)) {
		if (b->orgs.n >= YG_DNS_ORGS_MAX)
			return YG_FAIL(err, YG_LIMIT, "more than %u organisations",
				       YG_DNS_ORGS_MAX);
		struct yg_db_org *o = yg_vec_add(&b->orgs, sizeof *o);
		if (o == NULL)
			return no_memory(err);
		*o = (struct yg_db_org){.name = name};
		i = (uint32_t)(b->orgs.n - 1);
		yg_index_put(&b->by_org, at, hash, i);
	}
	*out = (uint16_t)i;
	return YG_OK;
}

uint16_t yg_db_scope(const struct yg_dns_builder *b, struct yg_sv org)
{
	const struct yg_db_org *orgs = b->orgs.p;
	for (size_t i = 1; i < b->orgs.n; i++)
		if (yg_sv_eq(org, yg_db_string_at(b, orgs[i].name)))
			return (uint16_t)i;
	return UINT16_MAX;
}

yg_status yg_dns_builder_org(struct yg_dns_builder *b, struct yg_sv org, struct yg_sv above,
			     struct yg_err *err)
{
	uint16_t scope, up;
	yg_status st = scope_of(b, org, &scope, err);
	if (st == YG_OK)
		st = scope_of(b, above, &up, err);
	if (st != YG_OK)
		return st;
	struct yg_db_org *orgs = b->orgs.p;
	if (scope == 0)
		return YG_FAIL(err, YG_INVAL, "an organisation has no name");
	uint16_t at = up;
	for (unsigned depth = 1; at != 0; at = orgs[at].above, depth++)
		if (at == scope || depth == YG_DNS_VIEW_SCOPES - 1)
			return YG_FAIL(err, YG_INVAL, "the tree of organisations is too deep");
	orgs[scope].above = up;
	return YG_OK;
}

static yg_status check_spec(const struct yg_dns_zone_spec *s, struct yg_err *err)
{
	bool of_org = s->layer == YG_DNS_LAYER_ORG_ALLOW || s->layer == YG_DNS_LAYER_ORG_BLOCK;
	if (s->name.n == 0)
		return YG_FAIL(err, YG_INVAL, "a zone has no name");
	if (of_org && s->org.n == 0)
		return YG_FAIL(err, YG_INVAL, "the layer %s is an organisation's: it names none",
			       yg_dns_layer_name(s->layer));
	if (s->override == YG_DNS_OVERRIDE_CNAME && s->answer.target.labels == 0)
		return YG_FAIL(err, YG_INVAL, "the override cname has no target");
	if (s->override == YG_DNS_OVERRIDE_SINKHOLE && s->answer.sinkhole_count == 0)
		return YG_FAIL(err, YG_INVAL, "the override sinkhole has no address");
	return YG_OK;
}

yg_status yg_dns_builder_zone(struct yg_dns_builder *b, const struct yg_dns_zone_spec *spec,
			      uint32_t *out, struct yg_err *err)
{
	struct yg_db_zone z = {.layer = (uint8_t)spec->layer,
			       .override = (uint8_t)spec->override,
			       .mode = (uint8_t)spec->mode,
			       .ede_code = spec->ede_code,
			       .answer = spec->answer,
			       .has_origin = spec->origin != NULL,
			       .is_list = spec->is_list,
			       .cancels = spec->cancels,
			       .soa = YG_DB_NONE};
	memset(z.plain, 0xff, sizeof z.plain);
	if (spec->origin != NULL)
		z.origin = *spec->origin;
	yg_status st = check_spec(spec, err);
	if (st == YG_OK)
		st = yg_db_string(b, spec->name, &z.name, err);
	for (uint32_t i = 0; st == YG_OK && i < b->zones.n; i++)
		if (yg_db_zone_at(b, i)->name == z.name)
			return YG_FAIL(err, YG_CONFLICT, "the name stands twice");
	if (st == YG_OK)
		st = scope_of(b, spec->org, &z.scope, err);
	if (st == YG_OK)
		st = yg_db_string(b, spec->category, &z.category, err);
	if (st == YG_OK)
		st = yg_db_string(b, spec->ede_text, &z.ede_text, err);
	if (st != YG_OK)
		return st;
	if (b->zones.n >= YG_DNS_ZONES_MAX)
		return YG_FAIL(err, YG_LIMIT, "more than %u zones", YG_DNS_ZONES_MAX);
	struct yg_db_zone *to = yg_vec_add(&b->zones, sizeof *to);
	if (to == NULL)
		return no_memory(err);
	*to = z;
	((struct yg_db_org *)b->orgs.p)[z.scope].has_zones = true;
	*out = (uint32_t)(b->zones.n - 1);
	return YG_OK;
}

yg_status yg_dns_builder_continue(struct yg_dns_builder *b, uint32_t zone,
				  const struct yg_dns_zone_stats *stats, struct yg_err *err)
{
	const struct yg_dns_policy *base = b->opts.base;
	struct yg_db_zone *z = yg_db_zone_at(b, zone);
	struct yg_sv name = yg_db_string_at(b, z->name);
	struct yg_sv org = yg_db_string_at(b, ((struct yg_db_org *)b->orgs.p)[z->scope].name);
	for (uint32_t i = 0; base != NULL && i < base->zone_count; i++) {
		const struct yg_dns_zone_rec *r = &base->zones[i];
		if (!yg_sv_eq(name, yg_dns_policy_string(base, r->name)) ||
		    !yg_sv_eq(org, yg_dns_policy_string(base, r->org)))
			continue;
		z->continues = true;
		z->base_zone = (uint16_t)i;
		z->stats = *stats;
		z->stats.has_soa = false; /* the one of now is still to come */
		z->stats.other -= stats->has_soa && stats->other > 0;
		z->stats.records -= stats->has_soa && stats->records > 0;
		for (unsigned t = 0; t < YG_DNS_TRIGGER_COUNT; t++)
			z->stats.rules[t] = r->rules[t];
		return YG_OK;
	}
	return YG_FAIL(err, YG_NOTFOUND, "the policy in force does not have this zone");
}

uint32_t yg_dns_builder_zones(const struct yg_dns_builder *b)
{
	return (uint32_t)b->zones.n;
}

struct yg_dns_zone_about yg_dns_builder_about(const struct yg_dns_builder *b, uint32_t zone)
{
	const struct yg_db_zone *z = yg_db_zone_at(b, zone);
	const struct yg_db_org *orgs = b->orgs.p;
	return (struct yg_dns_zone_about){.name = yg_db_string_at(b, z->name),
					  .org = yg_db_string_at(b, orgs[z->scope].name),
					  .category = yg_db_string_at(b, z->category),
					  .layer = (enum yg_dns_layer)z->layer,
					  .mode = (enum yg_dns_mode)z->mode};
}

struct yg_dns_zone_stats yg_dns_builder_stats(const struct yg_dns_builder *b, uint32_t zone)
{
	return yg_db_zone_at(b, zone)->stats;
}

void yg_dns_builder_refuse(struct yg_dns_builder *b, uint32_t zone, uint64_t line,
			   const char *reason, struct yg_sv text)
{
	struct yg_db_zone *z = yg_db_zone_at(b, zone);
	yg_breathe(YG_BREATH_RECORD);
	z->stats.records++;
	z->stats.refused++;
	if (b->opts.refused != NULL)
		b->opts.refused(b->opts.ctx, zone, line, reason, text);
}

/* ---- records ---- */

static void refuse_rr(struct yg_dns_builder *b, uint32_t zone, const struct yg_zone_rr *rr,
		      const char *reason)
{
	char text[YG_DNS_NAME_TEXT_MAX];
	struct yg_sb sb = yg_sb_init(text, sizeof text);
	yg_dns_name_format(&sb, rr->owner);
	yg_db_zone_at(b, zone)->stats.records--; /* counted once already */
	yg_dns_builder_refuse(b, zone, rr->line, reason, yg_sb_sv(&sb));
}

/* SOA, NS and what else stands at the top. */
static yg_status take_top(struct yg_dns_builder *b, uint32_t zone, const struct yg_zone_rr *rr,
			  struct yg_err *err)
{
	struct yg_db_zone *z = yg_db_zone_at(b, zone);
	if (rr->type != YG_DNS_SOA || rr->rdata.n < 22) {
		z->stats.other++;
		return YG_OK;
	}
	if (z->stats.has_soa) { /* a transfer ends with its SOA */
		z->stats.other++;
		return YG_OK;
	}
	z->stats.has_soa = true;
	z->stats.other++;
	z->stats.serial = yg_dns_get32((const uint8_t *)rr->rdata.p + rr->rdata.n - 20);
	return yg_db_rr_intern(b, rr->type, rr->ttl, rr->rdata, &z->soa, err);
}

static struct yg_db_key prefix_key(const struct yg_dns_builder *b, struct yg_ip ip, uint8_t bits,
				   uint16_t scope, uint8_t bytes[static 17])
{
	memcpy(bytes, ip.b, 16);
	bytes[16] = bits;
	struct yg_db_key k = {0, {(const char *)bytes, 17}, scope, YG_DK_PREFIX};
	k.hash = yg_hash_of(&b->key, YG_DK_PREFIX, k.key);
	return k;
}

static unsigned prefix_bits(enum yg_dns_trigger t)
{
	return t == YG_DNS_TRIGGER_CLIENT_IP     ? YG_DV_CLIENT
	       : t == YG_DNS_TRIGGER_RESPONSE_IP ? YG_DV_RESPONSE
						 : YG_DV_NSIP;
}

/* The entry and the bits of a trigger. */
static yg_status entry_of(struct yg_dns_builder *b, uint32_t zone, const struct yg_rpz_trigger *t,
			  uint32_t *entry, unsigned *bits, struct yg_err *err)
{
	const struct yg_db_zone *z = yg_db_zone_at(b, zone);
	uint8_t bytes[17];
	struct yg_db_key k;
	if (t->trigger == YG_DNS_TRIGGER_QNAME || t->trigger == YG_DNS_TRIGGER_NSDNAME) {
		k.kind = t->trigger == YG_DNS_TRIGGER_QNAME ? YG_DK_QNAME : YG_DK_NSDNAME;
		k.key = t->key;
		k.scope = z->scope;
		k.hash = yg_db_name_hash(b, k.kind, k.key);
		*bits = t->wild ? YG_DV_WILD : YG_DV_EXACT;
	} else {
		k = prefix_key(b, t->ip, t->bits, z->scope, bytes);
		*bits = prefix_bits(t->trigger);
	}
	return yg_db_entry(b, &k, YG_DB_NONE, entry, err);
}

static bool is_data(const struct yg_dns_builder *b, uint32_t node)
{
	return yg_db_node_at(b, node)->action == YG_DNS_ACTION_DATA;
}

/* The rule for this record beside what the owner has; why not: in *why. */
static yg_status rule_for(struct yg_dns_builder *b, uint32_t zone, const struct yg_zone_rr *rr,
			  const struct yg_rpz_action *a, uint32_t had, uint32_t *out,
			  const char **why, struct yg_err *err)
{
	uint32_t id = YG_DB_NONE;
	yg_status st;
	*why = NULL;
	if (a->action != YG_DNS_ACTION_DATA) {
		if (a->action == YG_DNS_ACTION_CNAME) {
			st = yg_db_rr_intern(b, YG_DNS_CNAME, rr->ttl, a->target, &id, err);
			if (st != YG_OK)
				return st;
		}
		st = yg_db_plain(b, (uint16_t)zone, a->action, a->wild, id, out, err);
		if (st == YG_OK && had != YG_DB_NONE && had != *out)
			*why = "the owner has a CNAME or other data already";
		return st;
	}
	if (had != YG_DB_NONE && !is_data(b, had)) {
		*why = "the owner has a CNAME already";
		return YG_OK;
	}
	st = yg_db_rr_intern(b, rr->type, rr->ttl, rr->rdata, &id, err);
	if (st == YG_OK)
		st = yg_db_extend(b, (uint16_t)zone, had, id, out, err);
	if (st == YG_CONFLICT) {
		*out = had; /* the very record again */
		return YG_OK;
	}
	if (st == YG_LIMIT && had != YG_DB_NONE &&
	    yg_db_node_at(b, had)->length >= YG_DNS_OWNER_RRS_MAX) {
		*why = "the owner has too many records";
		return YG_OK;
	}
	return st;
}

static yg_status take_rule(struct yg_dns_builder *b, uint32_t zone, const struct yg_zone_rr *rr,
			   const struct yg_rpz_trigger *t, const struct yg_rpz_action *a,
			   struct yg_err *err)
{
	uint32_t entry, node;
	unsigned bits;
	const char *why;
	yg_status st = entry_of(b, zone, t, &entry, &bits, err);
	if (st != YG_OK)
		return st;
	uint32_t had = yg_db_rule(b, entry, (uint16_t)zone, bits);
	st = rule_for(b, zone, rr, a, had, &node, &why, err);
	if (st != YG_OK)
		return st;
	struct yg_db_zone *z = yg_db_zone_at(b, zone);
	if (why != NULL) {
		refuse_rr(b, zone, rr, why);
		return YG_OK;
	}
	if (had == node) {
		z->stats.duplicates++;
		return YG_OK;
	}
	st = yg_db_set_rule(b, entry, bits, node, err);
	if (st == YG_OK) {
		z->stats.taken++;
		z->stats.rules[t->trigger] += had == YG_DB_NONE;
	}
	return st;
}

yg_status yg_dns_builder_rr(struct yg_dns_builder *b, uint32_t zone, const struct yg_zone_rr *rr,
			    struct yg_err *err)
{
	struct yg_db_zone *z = yg_db_zone_at(b, zone);
	struct yg_rpz_trigger t;
	struct yg_rpz_action a;
	struct yg_err why = {.msg = "refused"};
	yg_breathe(YG_BREATH_RECORD);
	if (!z->has_origin) {
		if (rr->type != YG_DNS_SOA || rr->cls != YG_DNS_IN)
			return YG_FAIL(err, YG_PARSE,
				       "line %llu: the first record is no SOA, and the zone's name "
				       "is not given",
				       (unsigned long long)rr->line);
		z->origin = *rr->owner;
		z->has_origin = true;
	}
	z->stats.records++;
	if (rr->cls != YG_DNS_IN) {
		refuse_rr(b, zone, rr, "not of class IN");
		return YG_OK;
	}
	yg_status st = yg_rpz_trigger(rr->owner, &z->origin, &t, &why);
	if (st == YG_NOTFOUND) {
		z->stats.out_of_zone++;
		return YG_OK;
	}
	if (st == YG_OK && t.trigger == YG_DNS_TRIGGER_NONE)
		return take_top(b, zone, rr, err);
	if (st == YG_OK)
		st = yg_rpz_action(rr->type, rr->rdata, &t, &a, &why);
	if (st == YG_OK && rr->unread)
		st = YG_FAIL(&why, YG_PARSE, "data of this type is read in the form \\# only");
	if (st != YG_OK) {
		refuse_rr(b, zone, rr, why.msg);
		return YG_OK;
	}
	return take_rule(b, zone, rr, &t, &a, err);
}

/* ---- lists ---- */

/* An allow entry wins over a block of the same name in the same list. */
static bool keeps(const struct yg_dns_builder *b, uint32_t had, enum yg_dns_action action)
{
	return had != YG_DB_NONE && (yg_db_node_at(b, had)->action == action ||
				     yg_db_node_at(b, had)->action == YG_DNS_ACTION_PASSTHRU);
}

static yg_status set_plain(struct yg_dns_builder *b, uint32_t zone, uint32_t entry, unsigned bits,
			   enum yg_dns_trigger t, enum yg_dns_action action, bool *new_one,
			   struct yg_err *err)
{
	uint32_t node, had = yg_db_rule(b, entry, (uint16_t)zone, bits);
	if (keeps(b, had, action))
		return YG_OK;
	yg_status st = yg_db_plain(b, (uint16_t)zone, action, false, YG_DB_NONE, &node, err);
	if (st == YG_OK)
		st = yg_db_set_rule(b, entry, bits, node, err);
	if (st == YG_OK) {
		yg_db_zone_at(b, zone)->stats.rules[t] += had == YG_DB_NONE;
		*new_one = true;
	}
	return st;
}

static void count_entry(struct yg_dns_builder *b, uint32_t zone, bool new_one)
{
	struct yg_dns_zone_stats *s = &yg_db_zone_at(b, zone)->stats;
	s->records++;
	if (new_one)
		s->taken++;
	else
		s->duplicates++;
}

yg_status yg_dns_builder_name(struct yg_dns_builder *b, uint32_t zone,
			      const struct yg_dns_name *name, bool exact, bool below,
			      enum yg_dns_action action, struct yg_err *err)
{
	struct yg_db_key k = {.key = {(const char *)name->b, (size_t)name->n - 1},
			      .scope = yg_db_zone_at(b, zone)->scope,
			      .kind = YG_DK_QNAME};
	uint32_t entry;
	bool new_one = false;
	yg_breathe(YG_BREATH_RECORD);
	k.hash = yg_db_name_hash(b, k.kind, k.key);
	yg_status st = yg_db_entry(b, &k, YG_DB_NONE, &entry, err);
	if (st == YG_OK && exact)
		st = set_plain(b, zone, entry, YG_DV_EXACT, YG_DNS_TRIGGER_QNAME, action, &new_one,
			       err);
	if (st == YG_OK && below)
		st = set_plain(b, zone, entry, YG_DV_WILD, YG_DNS_TRIGGER_QNAME, action, &new_one,
			       err);
	if (st == YG_OK)
		count_entry(b, zone, new_one);
	return st;
}

yg_status yg_dns_builder_prefix(struct yg_dns_builder *b, uint32_t zone, enum yg_dns_trigger t,
				struct yg_ip ip, uint8_t bits, enum yg_dns_action action,
				struct yg_err *err)
{
	uint8_t bytes[17];
	uint32_t entry;
	bool new_one = false;
	struct yg_db_key k = prefix_key(b, ip, bits, yg_db_zone_at(b, zone)->scope, bytes);
	yg_breathe(YG_BREATH_RECORD);
	yg_status st = yg_db_entry(b, &k, YG_DB_NONE, &entry, err);
	if (st == YG_OK)
		st = set_plain(b, zone, entry, prefix_bits(t), t, action, &new_one, err);
	if (st == YG_OK)
		count_entry(b, zone, new_one);
	return st;
}

/* ---- organisations ---- */

yg_status yg_dns_builder_mode(struct yg_dns_builder *b, struct yg_sv org, enum yg_dns_layer layer,
			      enum yg_dns_mode mode, struct yg_err *err)
{
	uint16_t scope;
	yg_status st = scope_of(b, org, &scope, err);
	if (st != YG_OK)
		return st;
	struct yg_db_org *o = (struct yg_db_org *)b->orgs.p + scope;
	o->has_mode[layer] = true;
	o->mode[layer] = (uint8_t)mode;
	return YG_OK;
}

yg_status yg_dns_builder_answer(struct yg_dns_builder *b, struct yg_sv org, struct yg_sv category,
				enum yg_dns_action action, const struct yg_dns_answer_spec *spec,
				struct yg_err *err)
{
	struct yg_db_answer a = {.action = (uint8_t)action};
	if (spec != NULL)
		a.spec = *spec;
	if ((action == YG_DNS_ACTION_CNAME && a.spec.target.labels == 0) ||
	    (action == YG_DNS_ACTION_DATA && a.spec.sinkhole_count == 0))
		return YG_FAIL(err, YG_INVAL, "the answer has no target or address");
	yg_status st = scope_of(b, org, &a.scope, err);
	if (st == YG_OK)
		st = yg_db_string(b, category, &a.category, err);
	if (st != YG_OK)
		return st;
	if (b->answers.n >= YG_DNS_ZONES_MAX)
		return YG_FAIL(err, YG_LIMIT, "more than %u answers", YG_DNS_ZONES_MAX);
	struct yg_db_answer *to = yg_vec_add(&b->answers, sizeof *to);
	if (to == NULL)
		return no_memory(err);
	*to = a;
	return YG_OK;
}
