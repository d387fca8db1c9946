/* xfr.h - a zone transfer as its client sees it: AXFR (RFC 5936) and IXFR (RFC 1995),
 * message after message.  Pure.  Nothing changes in the zone before yg_dns_xfr_take(). */
#pragma once
#include "dns/records.h"

#define YG_DNS_XFR_DELTA_MAX ((uint64_t)256 << 20) /* bytes of changes; more: AXFR is better */
#define YG_DNS_XFR_ASK_MAX   2048u                 /* octets of a question, signed */

struct yg_dns_xfr_opts {
	const struct yg_dns_name *zone; /* borrowed */
	bool has_serial;                /* ours: asked for by IXFR */
	uint32_t serial;
	uint64_t bytes_max; /* of the zone; 0: 4 GiB */
	uint8_t key[16];    /* random */
	const char *folder; /* borrowed: where a large zone lies; NULL: in memory */
};
enum yg_dns_xfr_result {
	YG_DNS_XFR_NONE, /* not at its end */
	YG_DNS_XFR_SAME, /* the server has what we have */
	YG_DNS_XFR_FULL, /* a whole zone */
	YG_DNS_XFR_DELTA,
};
struct yg_dns_xfr_stats {
	uint64_t messages, bytes, added, removed, out_of_zone;
	uint32_t serial;
};
struct yg_dns_xfr; /* owned: yg_dns_xfr_free() */
yg_status yg_dns_xfr_new(const struct yg_dns_xfr_opts *opts, struct yg_dns_xfr **out,
			 struct yg_err *err);
void yg_dns_xfr_free(struct yg_dns_xfr *x);
/* The question into p (cap octets, YG_DNS_XFR_ASK_MAX): IXFR with `soa`, the data of our
 * SOA, AXFR when it is NULL.  Returns its length. */
size_t yg_dns_xfr_ask(const struct yg_dns_name *zone, const struct yg_sv *soa, uint16_t id,
		      uint8_t *p, size_t cap);
/* A message of the answer.  YG_OK (see *out) | YG_PARSE (not an answer to it, broken) |
 * YG_DENIED (an rcode; says which) | YG_LIMIT | YG_NOMEM. */
yg_status yg_dns_xfr_feed(struct yg_dns_xfr *x, uint16_t id, const uint8_t *p, size_t n,
			  enum yg_dns_xfr_result *out, struct yg_err *err);
/* At its end: *zone becomes the new one, or is changed in place; all or nothing.
 * YG_OK | YG_CONFLICT (the changes are not those of this zone: ask for all) | YG_NOMEM |
 * YG_LIMIT. */
yg_status yg_dns_xfr_take(struct yg_dns_xfr *x, struct yg_dns_records **zone, struct yg_err *err);
/* Every record of a DELTA that came or went, also after it was taken. */
yg_status yg_dns_xfr_each(const struct yg_dns_xfr *x,
			  yg_status (*one)(void *ctx, const struct yg_zone_rr *rr,
					   struct yg_err *err),
			  void *ctx, struct yg_err *err);
struct yg_dns_xfr_stats yg_dns_xfr_stats(const struct yg_dns_xfr *x);
