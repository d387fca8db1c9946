/* records.h - the records of one zone, packed: read whole, changed by difference.
 * Large ones lie in a file, not in memory, when there is a folder for it.  About 16 octets and the bytes of owner and data for each record; the index by
 * which a record is found again is made when the first one is taken away. */
#pragma once
#include "base/codec.h"
#include "format/zone_file.h"

struct yg_dns_records; /* owned: yg_dns_records_free() */
struct yg_dns_records_opts {
	const struct yg_dns_name *origin; /* copied; NULL: the owner of the first record, a SOA */
	uint64_t bytes_max;               /* 0: 4 GiB */
	uint8_t key[16];                  /* random: of the index */
	const char *folder;               /* borrowed; NULL: all is memory */
};
yg_status yg_dns_records_new(const struct yg_dns_records_opts *opts, struct yg_dns_records **out,
			     struct yg_err *err);
void yg_dns_records_free(struct yg_dns_records *r);

/* The records as they are now, for another thread to read while this one changes them: what
 * is added later is not seen, what is taken away later may be seen or not.  Made and freed by
 * the thread that changes them; *r may be freed before.  NULL: no memory.  Owned:
 * yg_dns_records_free(). */
struct yg_dns_records *yg_dns_records_view(struct yg_dns_records *r);

/* A record; what is there already is not added twice once there is an index.
 * YG_OK | YG_PARSE (the first is no SOA, and the origin is not known) | YG_LIMIT | YG_NOMEM. */
yg_status yg_dns_records_add(struct yg_dns_records *r, const struct yg_zone_rr *rr,
			     struct yg_err *err);
/* Owner, type and data decide, not the TTL.  YG_OK | YG_NOTFOUND | YG_NOMEM. */
yg_status yg_dns_records_remove(struct yg_dns_records *r, const struct yg_zone_rr *rr,
				struct yg_err *err);
/* Is it there?  The index is made when there is none: false too when memory is out. */
bool yg_dns_records_has(struct yg_dns_records *r, const struct yg_zone_rr *rr);
/* They are not looked at for a while: what lies in a file leaves the memory. */
void yg_dns_records_rest(const struct yg_dns_records *r);
/* All or nothing: from begin to commit changes can be taken back. */
/* Now, so that the first change is quick; false: there was nothing to do. */
bool yg_dns_records_prepare(struct yg_dns_records *r);
/* The same by another thread: a view of it gets the index, and *r has it from there, unless
 * it has come to one of its own meanwhile.  Both are for large ones only. */
bool yg_dns_records_is_large(const struct yg_dns_records *r); /* it lies in a file */
bool yg_dns_records_is_indexed(const struct yg_dns_records *r);
yg_status yg_dns_records_view_index(struct yg_dns_records *view);
void yg_dns_records_take_index(struct yg_dns_records *r, struct yg_dns_records *view);
void yg_dns_records_begin(struct yg_dns_records *r);
void yg_dns_records_undo(struct yg_dns_records *r);
void yg_dns_records_commit(struct yg_dns_records *r);

/* The next record from *at (0: the first); false at the end.  rr->owner is `owner`. */
bool yg_dns_records_next(const struct yg_dns_records *r, size_t *at, struct yg_dns_name *owner,
			 struct yg_zone_rr *rr);
/* The same, without those inside the zone for which `may` says no.  front: the owner's wire
 * form before the origin. */
bool yg_dns_records_next_if(const struct yg_dns_records *r, size_t *at,
			    bool (*may)(const void *ctx, struct yg_sv front), const void *ctx,
			    struct yg_dns_name *owner, struct yg_zone_rr *rr);
const struct yg_dns_name *yg_dns_records_origin(
	const struct yg_dns_records *r); /* NULL: none yet */
/* The SOA at the top: false when there is none. */
bool yg_dns_records_soa(const struct yg_dns_records *r, struct yg_dns_name *owner,
			struct yg_zone_rr *rr);
uint64_t yg_dns_records_count(const struct yg_dns_records *r);
uint64_t yg_dns_records_bytes(const struct yg_dns_records *r);

/* One file: head, run after run of records (*at 0: the first; false at the end), and at
 * YG_DNS_RECORDS_CRC_AT of the head the CRC-32C of the runs as they were written; or all of it
 * at once.  Read back: YG_OK | YG_PARSE | as add. */
#define YG_DNS_RECORDS_CRC_AT 8
void yg_dns_records_head(const struct yg_dns_records *r, uint32_t crc, struct yg_buf *out);
bool yg_dns_records_run(const struct yg_dns_records *r, size_t *at, struct yg_sv *out);
void yg_dns_records_save(const struct yg_dns_records *r, struct yg_buf *out);
yg_status yg_dns_records_load(struct yg_dns_records *r, struct yg_sv bytes, struct yg_err *err);

/* The numbers of a SOA's data: false when it is none. */
struct yg_dns_soa {
	uint32_t serial, refresh, retry, expire, minimum;
};
bool yg_dns_soa_read(struct yg_sv rdata, struct yg_dns_soa *out);

/* One record packed behind others, and the next one off them; *rest is moved on.
 * False: the end, or bytes that are no record (then rest->n is not 0). */
void yg_dns_record_pack(struct yg_buf *b, const struct yg_zone_rr *rr,
			const struct yg_dns_name *origin, uint8_t mark);
bool yg_dns_record_unpack(struct yg_sv *rest, const struct yg_dns_name *origin, uint8_t *mark,
			  struct yg_dns_name *owner, struct yg_zone_rr *rr);
