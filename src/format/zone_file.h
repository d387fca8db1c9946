/* zone_file.h - reads master files (RFC 1035 5) as a stream of records.
 *
 * Pure.  Bytes are pushed in as they come; memory is constant (the longest entry).
 * $ORIGIN, $TTL (RFC 2308 4), parentheses, quotes, \X and \DDD, "@", TTLs with units
 * ("1h30m") and the generic form of RFC 3597 are understood.  $INCLUDE and $GENERATE
 * are refused: a policy comes from one file and means what stands in it.
 * The first error ends the reading and names its line and column: half a zone is none.
 */
#pragma once
#include "format/dns.h"

#define YG_ZONE_ENTRY_MAX  524288      /* text of one record: 64 KiB of data, all of it escaped */
#define YG_ZONE_FIELDS_MAX 4096        /* fields of one record */
#define YG_ZONE_TTL_MAX    0x7fffffffu /* RFC 2181 8 */

struct yg_zone_rr {
	const struct yg_dns_name *owner; /* borrowed, as all here, until the call returns */
	uint16_t type, cls;
	uint32_t ttl;
	struct yg_sv rdata; /* wire form, names in it lower case and whole */
	bool unread;        /* a type whose text form is not read here: rdata is empty */
	uint64_t line;
};
struct yg_zone_opts {
	const struct yg_dns_name *origin; /* copied; NULL: the root */
	uint32_t ttl; /* of records that say none, until one or $TTL does; 0: that is an error */
	void *ctx;    /* borrowed */
	/* Any status but YG_OK ends the reading. */
	yg_status (*record)(void *ctx, const struct yg_zone_rr *rr, struct yg_err *err);
};
struct yg_zone_reader; /* owned: yg_zone_reader_free() */
yg_status yg_zone_reader_new(const struct yg_zone_opts *opts, struct yg_zone_reader **out,
			     struct yg_err *err);
void yg_zone_reader_free(struct yg_zone_reader *z);
/* YG_OK | YG_PARSE ("line 3, column 9: ...") | YG_NOMEM | what `record` said. */
yg_status yg_zone_reader_feed(struct yg_zone_reader *z, struct yg_sv bytes, struct yg_err *err);
/* The last entry, which may lack its newline. */
yg_status yg_zone_reader_end(struct yg_zone_reader *z, struct yg_err *err);

/* "3600", "1h30m": YG_OK | YG_PARSE. */
yg_status yg_zone_ttl_parse(struct yg_sv s, uint32_t *out);
