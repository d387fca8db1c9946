/* Who asks: by prefix, the longest one; everybody else is refused. */
#include <stdlib.h>

#include "role/resolve_internal.h"

uint32_t resolve_org(const struct resolve_clients *c, struct yg_sv name)
{
	for (size_t i = 0; i < c->org_count && name.n > 0; i++)
		if (yg_sv_eq(c->orgs[i], name))
			return (uint32_t)i + 1;
	return 0;
}

static yg_status tree_build(struct resolve_clients *c, struct yg_err *err)
{
	struct yg_prefix_item *items = calloc(c->count + 1, sizeof *items);
	size_t n = 0;
	if (items == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the clients");
	yg_status st = YG_OK;
	for (size_t i = 0; i < c->count && st == YG_OK; i++) {
		unsigned bits;
		if (c->conf[i].prefix.n == 0)
			continue;
		st = yg_ip_prefix_parse(c->conf[i].prefix, &items[n].ip, &bits, err);
		items[n].bits = (uint8_t)bits;
		items[n++].value = (uint32_t)i;
	}
	if (st == YG_OK)
		st = yg_prefix_build(items, n, &c->tree, err);
	free(items);
	return st;
}

yg_status resolve_clients_open(struct resolve_clients *c, const struct yg_conf *conf,
			       struct yg_err *err)
{
	c->count = conf->dns_client_count;
	c->conf = conf->dns_clients;
	c->rows = calloc(c->count + 1, sizeof *c->rows);
	c->orgs = calloc(c->count + conf->dns_upstream_count + conf->dns_local_count + 1,
			 sizeof *c->orgs);
	if (c->rows == NULL || c->orgs == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the clients");
	for (size_t i = 0; i < c->count; i++) {
		struct yg_sv org = c->conf[i].org;
		if (org.n > 0 && resolve_org(c, org) == 0)
			c->orgs[c->org_count++] = org;
		c->rows[i].org = resolve_org(c, org);
		c->rows[i].network = (uint32_t)i;
	}
	c->rows[c->count] = (struct yg_dns_client){.refused = true, .network = (uint32_t)c->count};
	return tree_build(c, err);
}

void resolve_clients_close(struct resolve_clients *c)
{
	free(c->rows);
	free(c->orgs);
	free((void *)(uintptr_t)c->tree.nodes);
	free((void *)(uintptr_t)c->tree.values);
	free((void *)(uintptr_t)c->tree.front);
	*c = (struct resolve_clients){0};
}

void resolve_clients_views(struct resolve_clients *c, const struct yg_dns_policy *p)
{
	for (size_t i = 0; i < c->count; i++)
		c->rows[i].view = p != NULL ? yg_dns_policy_view(p, c->conf[i].org) : 0;
}

const struct yg_dns_client *resolve_client_of(const struct resolve_clients *c, struct yg_ip ip,
					      struct yg_dns_client *out)
{
	uint32_t rows[YG_PREFIX_HITS_MAX];
	size_t n = yg_prefix_maybe(&c->tree, ip) ? yg_prefix_find(&c->tree, ip, rows) : 0;
	*out = c->rows[n > 0 ? rows[0] : c->count];
	out->ip = ip;
	return out;
}
