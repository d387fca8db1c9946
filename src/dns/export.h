/* export.h - a compiled policy as one response policy zone, for resolvers of others. */
#pragma once
#include "dns/compile.h"
#include "dns/records.h"

#define YG_DNS_EXPORT_TTL 60 /* s */

struct yg_dns_export_stats {
	uint64_t records, left_out; /* left_out: what a zone of that name cannot say (too long) */
};
/* Adds to `to` (whose origin is the zone's) what the policy of `org` ("": of all) says
 * before yg_dns_builder_finish(): of each trigger the record that decides, with its
 * zone's override.  Zones that are disabled or not enforced are left out.
 * YG_OK | YG_NOMEM | YG_LIMIT. */
yg_status yg_dns_export(const struct yg_dns_builder *b, struct yg_sv org, struct yg_dns_records *to,
			struct yg_dns_export_stats *out, struct yg_err *err);
/* The top of it: SOA and NS. */
yg_status yg_dns_export_top(struct yg_dns_records *to, uint32_t serial, struct yg_err *err);
/* What leads from `from` to `to`, both with their SOA: packed records as of an answer to
 * IXFR, the old SOA first; mark 1 goes.  *out is the caller's; what
 * does not fit sets bad.  Returns how many records but the SOA go and come. */
uint64_t yg_dns_export_diff(struct yg_dns_records *from, struct yg_dns_records *to,
			    struct yg_buf *out);
