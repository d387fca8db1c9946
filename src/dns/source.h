/* source.h - one policy zone from the bytes of its file: a master file or a list, plain
 * or packed by gzip or zstd.  Pure: who reads the file pushes its bytes in. */
#pragma once
#include "dns/list.h"
#include "dns/records.h"

#define YG_DNS_SOURCE_BYTES_MAX (8ull << 30) /* unpacked; beyond it is a bomb */

struct yg_dns_source_opts {
	/* Borrowed.  NULL: with records; a list is then only unpacked, since no line of it can
	 * end the rest. */
	struct yg_dns_builder *builder;
	uint32_t zone;
	struct yg_dns_records *records;   /* borrowed; a master file is kept here instead */
	bool is_list;                     /* else a master file */
	bool allow, force;                /* of lists */
	const struct yg_dns_name *origin; /* of relative names in a master file; NULL: the root */
};
struct yg_dns_source; /* owned: yg_dns_source_free() */
yg_status yg_dns_source_new(const struct yg_dns_source_opts *opts, struct yg_dns_source **out,
			    struct yg_err *err);
void yg_dns_source_free(struct yg_dns_source *s);
/* YG_OK | YG_PARSE (with line and column, of master files) | YG_TOOBIG | YG_NOMEM | YG_LIMIT. */
yg_status yg_dns_source_feed(struct yg_dns_source *s, struct yg_sv bytes, struct yg_err *err);
yg_status yg_dns_source_end(struct yg_dns_source *s, struct yg_err *err);
uint64_t yg_dns_source_bytes(const struct yg_dns_source *s); /* so far, unpacked */
