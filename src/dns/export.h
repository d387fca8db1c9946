/* export.h - a compiled policy as one response policy zone, for resolvers of others.
 * Nothing is kept of it: its records are made from the policy's own tables, key after key,
 * for who asks for all of them, and for what has changed from one policy to the next. */
#pragma once
#include "dns/policy.h"
#include "dns/records.h"

#define YG_DNS_EXPORT_TTL 60 /* s */

/* What the policy of `view` says before anything of the answer is known: of each trigger
 * the record that decides, with its zone's override and what the organisation answers
 * instead of a refusal.  Zones that are disabled or not
 * enforced are left out. */
struct yg_dns_export {                      /* plain: may be copied */
	const struct yg_dns_policy *policy; /* borrowed, as origin */
	const struct yg_dns_name *origin;
	uint32_t view;
	uint32_t serial;
};
struct yg_dns_export_at { /* zero: before the first key */
	unsigned part;
	uint64_t off;
};
/* Appends to `out`, packed (dns/records.h), the records of the next keys, a few at a time,
 * without the top.  False: there are no more, and nothing was appended.  left_out: grows by
 * what a zone of that name cannot say (too long); may be NULL. */
bool yg_dns_export_next(const struct yg_dns_export *x, struct yg_dns_export_at *at,
			struct yg_buf *out, uint64_t *left_out);
/* The top of it, packed: SOA, and NS when `ns`. */
void yg_dns_export_top(const struct yg_dns_export *x, bool ns, uint8_t mark, struct yg_buf *out);

struct yg_dns_export_stats {
	uint64_t records, left_out; /* records: but the SOA, with the NS */
};
/* All of it is gone through.  YG_OK | YG_NOMEM. */
yg_status yg_dns_export_count(const struct yg_dns_export *x, struct yg_dns_export_stats *out,
			      struct yg_err *err);

struct yg_dns_export_changes {
	uint64_t gone, come;                   /* records but the SOA */
	uint64_t left_out_gone, left_out_come; /* of those that could not be said */
};
/* What leads from `from` to `to`, of one origin: packed records as of an answer to IXFR,
 * the old SOA first; mark 1 goes.  Of policies over one base only what differs is looked
 * at.  *out is the caller's; what does not fit sets bad.  YG_OK | YG_NOMEM. */
yg_status yg_dns_export_diff(const struct yg_dns_export *from, const struct yg_dns_export *to,
			     struct yg_buf *out, struct yg_dns_export_changes *changes,
			     struct yg_err *err);
