/* NSDNAME and NSIP: the name servers on the way to a name, asked for as any other
 * data and taken from the same cache.  Only a policy that has such rules, and a view
 * in which they could still decide, gets here. */
#include "dns/core_internal.h"

#define SERVERS_MAX 16 /* of one zone */

/* An entry for name and type.  False with *out: the query waits.  *out_entry may be
 * NULL: it is not to be had, which says nothing about the policy. */
static bool entry_for(struct yg_dns_core *c, struct run *r, const struct yg_dns_name *name,
		      uint16_t type, struct yg_dns_entry **out_entry, enum yg_dns_result *out)
{
	const struct yg_dns_route *route = yg_dns_zones_find(c->zones, r->client->org, name);
	bool stale;
	*out_entry = NULL;
	if (route == NULL || route->kind != YG_DNS_ZONE_SET)
		return true;
	uint8_t source = r->source;
	uint32_t set = r->set;
	const struct yg_dns_key key = yg_dns_cache_key(&c->cache, route->set, name, type, 0);
	*out_entry = yg_dns_run_entry(c, r, route, &key, &stale, out);
	r->source = source;
	r->set = set;
	return *out_entry != NULL || *out != YG_DNS_WAITING;
}

static bool tell_addresses(struct yg_dns_core *c, struct run *r, const struct yg_dns_name *server,
			   enum yg_dns_result *out)
{
	static const uint16_t types[] = {YG_DNS_A, YG_DNS_AAAA};
	struct yg_dns_entry *e;
	struct yg_dns_msg m;
	struct yg_dns_rr rr;
	struct yg_ip ip;
	for (size_t i = 0; i < YG_LEN(types); i++) {
		if (!entry_for(c, r, server, types[i], &e, out))
			return false;
		if (e == NULL || yg_dns_msg_read(e->msg, e->msg_n, &m) != YG_OK)
			continue;
		struct yg_dns_iter it = yg_dns_records(&m);
		while (yg_dns_rr_next(&it, &rr) && rr.section == YG_DNS_ANSWER)
			if (yg_dns_rr_ip(&m, &rr, ip.b))
				yg_dns_eval_server_address(&c->eval, ip);
	}
	return true;
}

/* The servers of one zone, from its NS entry.  The entry may move while their
 * addresses are asked for, so the names come out first. */
static bool tell_zone(struct yg_dns_core *c, struct run *r, const struct yg_dns_entry *e,
		      unsigned needs, enum yg_dns_result *out)
{
	struct yg_dns_name names[SERVERS_MAX] __attribute__((uninitialized));
	struct yg_dns_msg m;
	struct yg_dns_rr rr;
	unsigned n = 0;
	if (yg_dns_msg_read(e->msg, e->msg_n, &m) != YG_OK)
		return true;
	struct yg_dns_iter it = yg_dns_records(&m);
	while (n < SERVERS_MAX && yg_dns_rr_next(&it, &rr) && rr.section == YG_DNS_ANSWER)
		if (rr.type == YG_DNS_NS && yg_dns_rr_name(&m, &rr, 0, &names[n]) == YG_OK)
			n++;
	for (unsigned i = 0; i < n; i++) {
		if ((needs & YG_DNS_NEEDS_SERVERS) != 0)
			yg_dns_eval_server(&c->eval, &names[i]);
		if ((needs & YG_DNS_NEEDS_SERVER_ADDRESSES) != 0 &&
		    !tell_addresses(c, r, &names[i], out))
			return false;
	}
	return true;
}

bool yg_dns_zone_above(const struct yg_dns_entry *e, const struct yg_dns_name *name,
		       unsigned *out_up)
{
	struct yg_dns_name owner;
	struct yg_dns_msg m;
	struct yg_dns_rr rr;
	if (yg_dns_msg_read(e->msg, e->msg_n, &m) != YG_OK)
		return false;
	struct yg_dns_iter it = yg_dns_records(&m);
	while (yg_dns_rr_next(&it, &rr))
		if (rr.type == YG_DNS_SOA && yg_dns_rr_owner(&m, &rr, &owner) == YG_OK &&
		    yg_dns_name_is_in(name, &owner)) {
			*out_up = (unsigned)name->labels - owner.labels;
			return true;
		}
	return false;
}

bool yg_dns_run_servers(struct yg_dns_core *c, struct run *r, unsigned needs,
			enum yg_dns_result *out)
{
	struct yg_dns_name at;
	struct yg_dns_entry *e;
	/* top-level zones and the root are nobody's in particular */
	for (unsigned up = 0; up + 1 < r->name.labels;) {
		yg_dns_name_above(&r->name, up, &at);
		if (!entry_for(c, r, &at, YG_DNS_NS, &e, out))
			return false;
		unsigned next = up + 1, zone;
		if (e != NULL && (e->flags & YG_DNS_ENTRY_NEGATIVE) != 0) {
			/* not a zone's top: straight to where that is */
			if (yg_dns_zone_above(e, &r->name, &zone) && zone > up)
				next = zone;
		} else if (e != NULL && (e->flags & YG_DNS_ENTRY_FAILURE) == 0 && e->chain == 0) {
			if (!tell_zone(c, r, e, needs, out))
				return false;
		}
		up = next;
	}
	return true;
}
