/* local.h - local zones as bytes: role zones reads their files and writes these, the
 * workers of role resolve read them.  One file holds the zones of all organisations.
 *
 * Pure.  Little endian: "YGLOCAL1", u32 CRC-32C of what follows, u32 0, u64 generation,
 * u32 zones; a zone: u8 flags, sv32 organisation, sv32 name (wire form), sv32 records; a
 * record: u16 type, u32 TTL, sv32 owner (wire form), sv32 data.
 */
#pragma once
#include "dns/zones.h"
#include "format/zone_file.h"

#define YG_DNS_LOCAL_BYTES (256u << 20) /* largest file */

struct yg_dns_local_zone {
	struct yg_sv org; /* borrowed; "": everyone */
	struct yg_dns_name name;
	bool overlay;         /* names that it does not have are asked for upstream */
	struct yg_sv records; /* borrowed; as packed by yg_dns_local_pack() */
};

/* ---- writing ---- */

/* Appends a record of a zone file to the zone's records.  YG_OK | YG_INVAL (class, type
 * or name that is not for this zone) | YG_NOMEM. */
yg_status yg_dns_local_pack(struct yg_buf *records, const struct yg_dns_name *zone,
			    const struct yg_zone_rr *rr, struct yg_err *err);
/* All of them into one file.  YG_OK | YG_NOMEM. */
yg_status yg_dns_local_write(const struct yg_dns_local_zone *zones, size_t n, uint64_t generation,
			     struct yg_buf *out, struct yg_err *err);

/* ---- reading ---- */

struct yg_dns_local_file {
	struct yg_sv rest; /* borrowed; what follows the last zone given */
	uint64_t generation;
	uint32_t left; /* zones */
};
/* YG_OK | YG_CORRUPT. */
yg_status yg_dns_local_open(struct yg_sv bytes, struct yg_dns_local_file *out, struct yg_err *err);
/* YG_OK | YG_NOTFOUND (behind the last) | YG_CORRUPT. */
yg_status yg_dns_local_next(struct yg_dns_local_file *f, struct yg_dns_local_zone *out,
			    struct yg_err *err);
/* The zone and its records under this number of the organisation; a record that cannot
 * stand beside the others is an error and leaves `zones` half filled.
 * YG_OK | YG_CORRUPT | what yg_dns_zones_add() and _record() say. */
yg_status yg_dns_local_put(struct yg_dns_zones *zones, uint32_t org,
			   const struct yg_dns_local_zone *z, struct yg_err *err);
/* One record in the form of a zone file, "printer.example. 300 A 10.0.0.9", names whole.
 * A name in no local zone of the organisation is an overlay of its own.
 * YG_OK | YG_PARSE | as above. */
yg_status yg_dns_local_text(struct yg_dns_zones *zones, uint32_t org, struct yg_sv text,
			    struct yg_err *err);
