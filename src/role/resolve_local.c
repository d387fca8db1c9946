/* resolve_local.c - who answers for which name: upstreams, local zones and local data
 * of organisations, discovery.  Built whole and swapped between two batches: a query
 * that waits is run again over the new one. */
#include "dns/local.h"
#include "os/memfd.h"
#include "role/resolve_internal.h"

static yg_status allow_private(struct resolve *r, struct yg_dns_zones *zones, struct yg_err *err)
{
	struct yg_sv rest = r->conf->resolve_rebinding_allow, one;
	yg_status st = YG_OK;
	while (st == YG_OK && rest.n > 0 && yg_sv_cut(&rest, ' ', &one)) {
		struct yg_dns_name name;
		st = yg_dns_name_parse(one, NULL, &name, err);
		if (st == YG_OK)
			st = yg_dns_zones_allow_private(zones, 0, &name);
	}
	return st;
}

/* What role zones gave is there only as far as the configuration still names it. */
static bool is_configured(const struct resolve *r, const struct yg_dns_local_zone *z)
{
	struct yg_dns_name name;
	for (size_t i = 0; i < r->conf->dns_local_count; i++) {
		const struct yg_conf_dns_local *l = &r->conf->dns_locals[i];
		if (yg_sv_eq(l->org, z->org) &&
		    yg_dns_name_parse(l->zone, NULL, &name, NULL) == YG_OK &&
		    yg_dns_name_eq(&name, &z->name))
			return true;
	}
	return false;
}

static yg_status take_zones(struct resolve *r, struct yg_dns_zones *zones, struct yg_sv file,
			    uint64_t *out_generation, struct yg_err *err)
{
	struct yg_dns_local_file f;
	struct yg_dns_local_zone z;
	yg_status st = yg_dns_local_open(file, &f, err);
	if (st != YG_OK)
		return st;
	*out_generation = f.generation;
	while ((st = yg_dns_local_next(&f, &z, err)) == YG_OK) {
		if (!is_configured(r, &z))
			continue;
		st = yg_dns_local_put(zones, resolve_org(&r->clients, z.org), &z, err);
		if (st != YG_OK)
			return st;
	}
	return st == YG_NOTFOUND ? YG_OK : st;
}

/* Those that were not given: their names are nobody's. */
static yg_status hold_rest(struct resolve *r, struct yg_dns_zones *zones, struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; i < r->conf->dns_local_count && st == YG_OK; i++) {
		const struct yg_conf_dns_local *l = &r->conf->dns_locals[i];
		struct yg_dns_name name;
		st = yg_dns_name_parse(l->zone, NULL, &name, err);
		if (st == YG_OK)
			st = yg_dns_zones_add(zones, resolve_org(&r->clients, l->org), &name,
					      YG_DNS_ZONE_SET, resolve_up_nobody(r), true, NULL);
		if (st == YG_CONFLICT) /* it is there */
			st = YG_OK;
	}
	return st;
}

/* A record that cannot stand beside a zone's own is told of; the others are there. */
static void take_records(struct resolve *r, struct yg_dns_zones *zones)
{
	for (size_t i = 0; i < r->conf->dns_record_count; i++) {
		const struct yg_conf_dns_record *d = &r->conf->dns_records[i];
		struct yg_err err = {0};
		if (yg_dns_local_text(zones, resolve_org(&r->clients, d->org), d->record, &err) !=
		    YG_OK)
			yg_role_log(r->ctx, YG_EV_RESOLVE_LOCAL_REFUSED, YG_KU("record", d->record),
				    YG_KERR(&err));
	}
}

static yg_status build(struct resolve *r, struct yg_sv file, struct yg_dns_zones *zones,
		       uint64_t *out_generation, struct yg_err *err)
{
	yg_status st = file.n > 0 ? take_zones(r, zones, file, out_generation, err) : YG_OK;
	if (st == YG_OK)
		st = hold_rest(r, zones, err);
	if (st == YG_OK)
		take_records(r, zones);
	if (st == YG_OK)
		st = resolve_up_zones(r, zones, err);
	if (st == YG_OK)
		st = allow_private(r, zones, err);
	if (st == YG_OK)
		st = resolve_ddr_zones(r, zones, err);
	return st == YG_OK ? yg_dns_zones_defaults(zones, err) : st;
}

static yg_status swap(struct resolve *r, struct yg_sv file, struct yg_err *err)
{
	struct yg_dns_zones *zones = yg_dns_zones_new();
	uint64_t generation = 0;
	if (zones == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the zones");
	yg_status st = build(r, file, zones, &generation, err);
	if (st != YG_OK) {
		yg_dns_zones_free(zones);
		return st;
	}
	yg_dns_core_zones(r->core, zones);
	yg_dns_zones_free(r->zones);
	r->zones = zones;
	r->local_generation = generation;
	return YG_OK;
}

yg_status resolve_local_open(struct resolve *r, struct yg_err *err)
{
	return swap(r, (struct yg_sv){"", 0}, err);
}

void resolve_local_take(struct resolve *r, int fd)
{
	struct yg_err err = {0};
	struct yg_sv file;
	yg_status st = yg_memfd_map(fd, YG_DNS_LOCAL_BYTES, &file, &err);
	if (st == YG_OK) {
		st = swap(r, file, &err);
		yg_memfd_unmap(&file);
	}
	if (st != YG_OK)
		yg_role_log(r->ctx, YG_EV_RESOLVE_LOCAL_REFUSED, YG_KERR(&err));
	else
		yg_role_log(r->ctx, YG_EV_RESOLVE_LOCAL, YG_KN("generation", r->local_generation));
}
