/* compile_views.c - the zones in their order, and what each organisation sees of them. */
#include <stdlib.h>

#include "dns/compile_data.h"
#include "dns/rpz.h"

static yg_status no_memory(struct yg_err *err)
{
	return YG_FAIL(err, YG_NOMEM, "no memory for the policy");
}

static yg_status zone_out(struct yg_dns_builder *b, struct yg_db_out *o, struct yg_db_zone *z,
			  struct yg_err *err)
{
	struct yg_dns_zone_rec *r = &o->zones[z->final];
	*r = (struct yg_dns_zone_rec){.name = z->name,
				      .org = ((const struct yg_db_org *)b->orgs.p)[z->scope].name,
				      .category = z->category,
				      .ede_text = z->ede_text,
				      .serial = z->stats.serial,
				      .scope = z->scope,
				      .ede_code = z->ede_code,
				      .layer = z->layer,
				      .override = z->override,
				      .mode = z->mode,
				      .is_list = z->is_list,
				      .cancels = z->cancels,
				      .continues = z->continues};
	for (unsigned t = 0; t < YG_DNS_TRIGGER_COUNT; t++)
		r->rules[t] = (uint32_t)YG_MIN(z->stats.rules[t], UINT32_MAX);
	enum yg_dns_action a = z->override == YG_DNS_OVERRIDE_CNAME      ? YG_DNS_ACTION_CNAME
			       : z->override == YG_DNS_OVERRIDE_SINKHOLE ? YG_DNS_ACTION_DATA
									 : YG_DNS_ACTION_NONE;
	yg_status st = yg_db_answer_out(o, a, &z->answer, &r->override_data, err);
	if (st == YG_OK && z->has_origin)
		st = yg_db_string(b, (struct yg_sv){(const char *)z->origin.b, z->origin.n},
				  &r->origin, err);
	if (st == YG_OK && z->soa != YG_DB_NONE) {
		const struct yg_db_rr *soa = (const struct yg_db_rr *)b->rrs.p + z->soa;
		uint32_t least =
			yg_dns_get32((const uint8_t *)b->bytes.p + soa->data_at + soa->n - 4);
		r->negative_ttl = YG_MIN(soa->ttl, least);
		st = yg_db_soa_out(b, o, z->soa, &r->soa, err);
	}
	return st;
}

/* ---- views ---- */

static int by_name(const void *x, const void *y, void *ctx)
{
	const struct yg_dns_builder *b = ctx;
	const struct yg_db_org *orgs = b->orgs.p;
	uint32_t at[2] = {orgs[*(const uint16_t *)x].name, orgs[*(const uint16_t *)y].name};
	struct yg_sv s[2];
	for (int i = 0; i < 2; i++) {
		uint16_t n;
		memcpy(&n, b->strings.p + at[i], sizeof n);
		s[i] = (struct yg_sv){b->strings.p + at[i] + 2, n};
	}
	return yg_sv_cmp(s[0], s[1]);
}

static bool decides(const struct yg_dns_zone_rec *z, uint8_t mode)
{
	return mode == YG_DNS_MODE_ENFORCE && z->override != YG_DNS_OVERRIDE_DISABLED;
}

static yg_status view_zone(struct yg_db_out *o, struct yg_dns_view_rec *v, uint16_t zone,
			   uint8_t mode, struct yg_err *err)
{
	const struct yg_dns_zone_rec *z = &o->zones[zone];
	if (v->zone_count == YG_DNS_VIEW_ZONES_MAX)
		return YG_FAIL(err, YG_LIMIT, "an organisation sees more than %u zones",
			       YG_DNS_VIEW_ZONES_MAX);
	struct yg_dns_view_zone *to = yg_vec_add(&o->view_zones, sizeof *to);
	if (to == NULL)
		return no_memory(err);
	*to = (struct yg_dns_view_zone){.zone = zone, .mode = mode};
	v->zone_count++;
	v->cancels |= z->cancels;
	for (unsigned t = 1; t < YG_DNS_TRIGGER_COUNT; t++) {
		if (z->rules[t] == 0)
			continue;
		v->has |= (uint8_t)(1u << t);
		if (decides(z, mode) && !z->cancels && v->first[t] == YG_DNS_NO_ZONE)
			v->first[t] = zone;
	}
	return YG_OK;
}

static yg_status view_answer(struct yg_db_out *o, struct yg_dns_view_rec *v,
			     const struct yg_db_answer *a, struct yg_err *err)
{
	uint32_t data;
	yg_status st = yg_db_answer_out(o, (enum yg_dns_action)a->action, &a->spec, &data, err);
	if (st != YG_OK)
		return st;
	struct yg_dns_answer_rec *to = yg_vec_add(&o->answers, sizeof *to);
	if (to == NULL)
		return no_memory(err);
	*to = (struct yg_dns_answer_rec){
		.category = a->category, .data = data, .action = a->action};
	if (++v->answer_count == UINT16_MAX)
		return YG_FAIL(err, YG_LIMIT, "too many answers");
	return YG_OK;
}

/* The nearest first, and of each those with a category first. */
static yg_status view_answers(struct yg_dns_builder *b, struct yg_db_out *o,
			      struct yg_dns_view_rec *v, const uint16_t *chain, size_t n,
			      struct yg_err *err)
{
	const struct yg_db_answer *answers = b->answers.p;
	yg_status st = YG_OK;
	v->answers_at = (uint32_t)o->answers.n;
	for (size_t turn = 0; turn < 2 * n; turn++)
		for (size_t i = 0; st == YG_OK && i < b->answers.n; i++)
			if (answers[i].scope == chain[turn / 2] &&
			    (answers[i].category == 0) == ((turn & 1) != 0))
				st = view_answer(o, v, &answers[i], err);
	return st;
}

static yg_status view_out(struct yg_dns_builder *b, struct yg_db_out *o, uint16_t scope,
			  struct yg_err *err)
{
	const struct yg_db_org *orgs = b->orgs.p;
	struct yg_dns_view_rec *v = &o->views[o->view_count++];
	uint16_t chain[YG_DNS_VIEW_SCOPES];
	size_t n = yg_db_chain(b, scope, chain);
	*v = (struct yg_dns_view_rec){
		.org = orgs[scope].name, .zones_at = (uint32_t)o->view_zones.n, .scope_count = 1};
	for (size_t i = 0; i < n; i++) /* who has no zones need not be looked for */
		if (chain[i] != 0 && orgs[chain[i]].has_zones)
			v->scopes[v->scope_count++] = chain[i];
	memset(v->first, 0xff, sizeof v->first);
	yg_status st = YG_OK;
	for (uint32_t i = 0; st == YG_OK && i < b->zones.n; i++) {
		const struct yg_dns_zone_rec *z = &o->zones[i];
		if (!yg_db_in_chain(chain, n, (uint16_t)z->scope))
			continue;
		uint8_t mode = yg_db_mode(b, chain, n, z->layer, z->mode);
		if (mode != YG_DNS_MODE_OFF)
			st = view_zone(o, v, (uint16_t)i, mode, err);
	}
	return st == YG_OK ? view_answers(b, o, v, chain, n, err) : st;
}

/* Zones stay in the order they were added, within their layer. */
static void order_zones(struct yg_dns_builder *b, struct yg_db_out *o)
{
	uint16_t n = 0;
	for (unsigned layer = 0; layer < YG_DNS_LAYER_COUNT; layer++)
		for (uint32_t i = 0; i < b->zones.n; i++) {
			struct yg_db_zone *z = yg_db_zone_at(b, i);
			if (z->layer != layer)
				continue;
			z->final = n;
			o->order[n++] = (uint16_t)i;
		}
}

yg_status yg_db_views_out(struct yg_dns_builder *b, struct yg_db_out *o, struct yg_err *err)
{
	o->zones = calloc(b->zones.n + 1, sizeof *o->zones);
	o->order = calloc(b->zones.n + 1, sizeof *o->order);
	o->views = calloc(b->orgs.n + 1, sizeof *o->views);
	uint16_t *scopes = calloc(b->orgs.n + 1, sizeof *scopes);
	if (o->zones == NULL || o->order == NULL || o->views == NULL || scopes == NULL) {
		free(scopes);
		return no_memory(err);
	}
	yg_status st = YG_OK;
	order_zones(b, o);
	for (uint32_t i = 0; st == YG_OK && i < b->zones.n; i++)
		st = zone_out(b, o, yg_db_zone_at(b, i), err);
	if (st == YG_OK) {
		for (size_t i = 0; i < b->orgs.n; i++)
			scopes[i] = (uint16_t)i;
		qsort_r(scopes, b->orgs.n, sizeof *scopes, by_name, b); /* "" is the first */
		for (size_t i = 0; st == YG_OK && i < b->orgs.n; i++)
			st = view_out(b, o, scopes[i], err);
	}
	free(scopes);
	return st;
}
