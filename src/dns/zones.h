/* zones.h - who answers for which name: upstream sets, stub zones and local
 * data, of everyone and of single organisations.
 *
 * Built once, then read only.  `org` 0 is everyone; an organisation's own entry
 * comes before everyone's for the same name, and the longer name before the
 * shorter.  Set numbers are the caller's, from 1 on: what the core asks is handed
 * out with the number of the set.
 */
#pragma once
#include "format/dns.h"

struct yg_dns_zones; /* opaque; owned: yg_dns_zones_free() */

enum yg_dns_zone_kind {
	YG_DNS_ZONE_SET = 1, /* ask upstream set `set` */
	YG_DNS_ZONE_LOCAL,   /* its records, NXDOMAIN for other names in it */
	YG_DNS_ZONE_OVERLAY, /* its records; other names as if it were not there */
	YG_DNS_ZONE_REFUSE,  /* REFUSED */
};
struct yg_dns_route {
	uint8_t kind;     /* enum yg_dns_zone_kind */
	bool may_private; /* addresses of private networks are right here: no rebinding guard */
	uint32_t set;     /* of SET */
	uint32_t org;     /* whose entry it is */
	uint8_t labels;   /* of the zone's name: as many of the name from the right */
};

struct yg_dns_zones *yg_dns_zones_new(void); /* NULL: no memory */
void yg_dns_zones_free(struct yg_dns_zones *z);
/* A zone.  A second one of the same name and organisation is YG_CONFLICT.
 * set: of SET, not 0.  YG_OK | YG_NOMEM | YG_CONFLICT | YG_INVAL. */
yg_status yg_dns_zones_add(struct yg_dns_zones *z, uint32_t org, const struct yg_dns_name *name,
			   enum yg_dns_zone_kind kind, uint32_t set, bool may_private,
			   struct yg_err *err);
/* A record of local data.  rdata: wire form, names uncompressed.  It belongs to the
 * nearest LOCAL or OVERLAY zone of the same organisation, which must be there before.
 * A zone without SOA record gets one.  The owner may be a wildcard.
 * YG_OK | YG_NOMEM | YG_NOTFOUND (no zone) | YG_INVAL (type) | YG_CONFLICT (CNAME
 * beside others). */
yg_status yg_dns_zones_record(struct yg_dns_zones *z, uint32_t org, const struct yg_dns_name *owner,
			      uint16_t type, uint32_t ttl, struct yg_sv rdata, struct yg_err *err);
/* Names in `name` may have private addresses, whoever answers (rebinding guard). */
yg_status yg_dns_zones_allow_private(struct yg_dns_zones *z, uint32_t org,
				     const struct yg_dns_name *name);
/* Zones that should never leave a network: localhost, reverse zones of private and
 * special addresses, "invalid", "onion", "test", home.arpa (RFC 6303, 6761, 7686, 8375).
 * Those that were added before stay.  YG_OK | YG_NOMEM. */
yg_status yg_dns_zones_defaults(struct yg_dns_zones *z, struct yg_err *err);

/* ---- asking ---- */

/* The entry for a name; NULL: nobody answers for it. */
const struct yg_dns_route *yg_dns_zones_find(const struct yg_dns_zones *z, uint32_t org,
					     const struct yg_dns_name *name);
/* The nearest entry that is not an OVERLAY: where to go when an overlay has no such name. */
const struct yg_dns_route *yg_dns_zones_behind(const struct yg_dns_zones *z, uint32_t org,
					       const struct yg_dns_name *name);
bool yg_dns_zones_may_private(const struct yg_dns_zones *z, uint32_t org,
			      const struct yg_dns_name *name);

struct yg_dns_local_rr {
	uint16_t type;
	uint32_t ttl;
	struct yg_sv rdata; /* borrowed */
	uint32_t next;      /* private, as what follows */
	uint16_t want;
};
enum yg_dns_local {                     /* what local data says about name and type */
		    YG_DNS_LOCAL_NONE,  /* no local zone has it (OVERLAY without the name): go on */
		    YG_DNS_LOCAL_DATA,  /* records of the type, or all at ANY */
		    YG_DNS_LOCAL_CNAME, /* one CNAME */
		    YG_DNS_LOCAL_NODATA,
		    YG_DNS_LOCAL_NXDOMAIN,
};
/* *rr is set to before the first record: take them with yg_dns_zones_next(); for
 * NODATA and NXDOMAIN that is the SOA of the zone (route->labels of the name). */
enum yg_dns_local yg_dns_zones_local(const struct yg_dns_zones *z, const struct yg_dns_route *route,
				     const struct yg_dns_name *name, uint16_t type,
				     struct yg_dns_local_rr *rr);
/* The next record; false behind the last. */
bool yg_dns_zones_next(const struct yg_dns_zones *z, struct yg_dns_local_rr *rr);
