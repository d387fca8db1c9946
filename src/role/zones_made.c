/* zones_made.c - the zones that nobody configured: allow lists, blocks, indicators; and the
 * order in which all of the policy stand. */
#include <stdio.h>
#include <stdlib.h>

#include "role/zones_internal.h"

static void keep(char *to, size_t n, struct yg_sv s)
{
	(void)snprintf(to, n, YG_SV_FMT, YG_SV_ARG(s));
}

/* Its like in the list of before, which is in the same order, mostly; NULL: there is none. */
static const struct zone_made *before(const struct zones *z, const struct zone_made *m,
				      size_t *near)
{
	for (size_t i = 0; i < z->made_count; i++) {
		const struct zone_made *old = &z->made[(*near + i) % z->made_count];
		if (strcmp(old->name, m->name) == 0 && strcmp(old->org, m->org) == 0) {
			*near = (*near + i + 1) % z->made_count;
			return old;
		}
	}
	return NULL;
}

/* Since when it has as many as now.  One that goes on as it was, in a policy over another,
 * has its rules from there and was not counted again. */
static void since(const struct zones *z, struct zone_made *m, size_t *near)
{
	const struct zone_made *old = before(z, m, near);
	uint64_t rules = 0;
	for (size_t t = 0; t < YG_DNS_TRIGGER_COUNT; t++)
		rules += m->stats.rules[t];
	m->changed_at = yg_env_wall(&z->ctx->env).us;
	if (old != NULL && memcmp(old->stats.rules, m->stats.rules, sizeof m->stats.rules) == 0) {
		m->changed_at = old->changed_at;
		m->stats = m->stats.taken == 0 ? old->stats : m->stats;
	}
	if (m->stats.taken == 0)
		m->stats.taken = m->stats.records = rules;
}

static const struct zone *configured_at(const struct zones *z, const uint32_t *configured,
					uint32_t number)
{
	for (size_t i = 0; i < z->count; i++)
		if (configured[i] == number)
			return &z->zones[i];
	return NULL;
}

struct looking {
	struct zone_made *made;
	struct zone_place *places;
	size_t made_count, place_count, near;
	uint64_t left_out;
};

static void add(const struct zones *z, const struct yg_dns_builder *b, uint32_t number,
		const struct zone *conf, struct looking *l)
{
	struct yg_dns_zone_about about = yg_dns_builder_about(b, number);
	struct zone_place *place = &l->places[l->place_count];
	*place = (struct zone_place){.zone = conf, .made = l->made_count};
	if (conf == NULL && l->made_count == ZONES_MADE_MAX) {
		l->left_out++;
		return;
	}
	l->place_count++;
	if (conf != NULL)
		return;
	struct zone_made *m = &l->made[l->made_count++];
	*m = (struct zone_made){
		.layer = about.layer, .mode = about.mode, .stats = yg_dns_builder_stats(b, number)};
	keep(m->name, sizeof m->name, about.name);
	keep(m->org, sizeof m->org, about.org);
	keep(m->category, sizeof m->category, about.category);
	since(z, m, &l->near);
}

void zones_made_look(struct zones *z, const struct yg_dns_builder *b, const uint32_t *configured)
{
	uint32_t n = yg_dns_builder_zones(b);
	size_t most = YG_MIN((size_t)n, (size_t)ZONES_MADE_MAX);
	struct looking l = {.made = calloc(most + 1, sizeof *l.made),
			    .places = calloc(n + (size_t)1, sizeof *l.places)};
	if (l.made == NULL || l.places == NULL) { /* what was told before is told on */
		free(l.made);
		free(l.places);
		return;
	}
	for (unsigned layer = 0; layer < YG_DNS_LAYER_COUNT; layer++)
		for (uint32_t i = 0; i < n; i++)
			if (yg_dns_builder_about(b, i).layer == layer)
				add(z, b, i, configured_at(z, configured, i), &l);
	free(z->made);
	free(z->places);
	z->made = l.made;
	z->places = l.places;
	z->made_count = l.made_count;
	z->place_count = l.place_count;
	z->made_left_out = l.left_out;
}
