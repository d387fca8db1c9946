/* check_dns.c - what of the resolver's configuration only its own readers can judge:
 * local records, root hints, trust anchors.  Looked at before anything starts or changes,
 * so that a worker does not find out. */
#include "dns/local.h"
#include "os/memfd.h"
#include "role/sup.h"

#define FILE_MAX 1048576u

static yg_status on_hint(void *ctx, const struct yg_zone_rr *rr, struct yg_err *err)
{
	size_t *count = ctx;
	(void)err;
	*count += (rr->type == YG_DNS_A && rr->rdata.n == 4) ||
		  (rr->type == YG_DNS_AAAA && rr->rdata.n == 16);
	return YG_OK;
}

static yg_status on_anchor(void *ctx, const struct yg_zone_rr *rr, struct yg_err *err)
{
	size_t *count = ctx;
	/* their text is libunbound's to read */
	if ((rr->type != YG_DNS_DS && rr->type != YG_DNS_DNSKEY) || rr->cls != YG_DNS_IN)
		return YG_FAIL(err, YG_PARSE, "line %llu: expected a DS or DNSKEY record",
			       (unsigned long long)rr->line);
	++*count;
	return YG_OK;
}

static yg_status check_file(const struct yg_secret *list, const char *name, const char *key,
			    yg_status (*record)(void *, const struct yg_zone_rr *, struct yg_err *),
			    struct yg_err *err)
{
	struct yg_zone_reader *z = NULL;
	struct yg_sv file;
	size_t count = 0;
	const struct yg_zone_opts o = {.ctx = &count, .record = record, .ttl = 3600};
	while (list != NULL && strcmp(list->name, name) != 0)
		list = list->next;
	if (list == NULL)
		return YG_OK;
	yg_status st = yg_memfd_map(list->fd, FILE_MAX, &file, err);
	if (st != YG_OK)
		return st;
	st = yg_zone_reader_new(&o, &z, err);
	if (st == YG_OK)
		st = yg_zone_reader_feed(z, file, err);
	if (st == YG_OK)
		st = yg_zone_reader_end(z, err);
	yg_zone_reader_free(z);
	yg_memfd_unmap(&file);
	if (st == YG_OK && count == 0)
		st = YG_FAIL(err, YG_PARSE, "there is no such record in it");
	return st == YG_OK ? st : yg_err_wrap(err, "%s: ", key);
}

/* Numbers of organisations only keep them apart here. */
static uint32_t org_of(const struct yg_conf *c, struct yg_sv org)
{
	for (size_t i = 0; i < c->dns_record_count && org.n > 0; i++)
		if (yg_sv_eq(c->dns_records[i].org, org))
			return (uint32_t)i + 1;
	return 0;
}

static yg_status check_records(const struct yg_conf *c, struct yg_err *err)
{
	struct yg_dns_zones *zones = yg_dns_zones_new();
	yg_status st = YG_OK;
	if (zones == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for local records");
	for (size_t i = 0; i < c->dns_record_count && st == YG_OK; i++) {
		const struct yg_conf_dns_record *r = &c->dns_records[i];
		st = yg_dns_local_text(zones, org_of(c, r->org), r->record, err);
		if (st != YG_OK)
			(void)yg_err_wrap(err, "resolve.local-data, entry %zu: ", i + 1);
	}
	yg_dns_zones_free(zones);
	return st;
}

static bool validates(const struct yg_conf *c)
{
	for (size_t i = 0; i < c->dns_upstream_count; i++) {
		const struct yg_conf_dns_upstream *u = &c->dns_upstreams[i];
		if (YG_SV_IS(u->dnssec, "validate") ||
		    (u->recursion != 0 && YG_SV_IS(u->dnssec, "auto")))
			return true;
	}
	return false;
}

yg_status sup_dns_check(const struct yg_conf *c, const struct yg_secret *secrets,
			struct yg_err *err)
{
	yg_status st = check_records(c, err);
	if (st == YG_OK)
		st = check_file(secrets, "dns.hints", "resolve.root-hints", on_hint, err);
	if (st == YG_OK)
		st = check_file(secrets, "dns.anchor", "resolve.trust-anchor", on_anchor, err);
	while (st == YG_OK && validates(c) && secrets != NULL &&
	       strcmp(secrets->name, "dns.anchor") != 0)
		secrets = secrets->next;
	if (st == YG_OK && validates(c) && secrets == NULL)
		st = YG_FAIL(err, YG_NOTFOUND,
			     "resolve.trust-anchor: validation needs one; name a file, or install "
			     "dns-root-data");
	return st;
}
