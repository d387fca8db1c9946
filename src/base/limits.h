/* limits.h - every bound in the system, with the reason and what happens at it.
 * Changing one is a reviewed change; the relations below must keep holding.
 * What an operator may set is a key of conf/ and has its default there. */
#pragma once
#include "base/base.h"

#define YG_ORG_NAME_MAX 63 /* a slug; also a DNS label and a directory name */
#define YG_RECORD_MAX                                                                              \
	1048576 /* one log record; longer: its head is kept raw, the rest dropped and counted */
#define YG_JSON_DEPTH_MAX                                                                          \
	64 /* nesting; real logs stay under 12; deeper: kept raw with the reason */
#define YG_JSON_NODES_MAX 65536    /* values in one record; more: kept raw with the reason */
#define YG_BATCH_MAX      16777216 /* bytes of one batch as sent; larger: 413 */
#define YG_BATCH_PLAIN_MAX                                                                         \
	268435456 /* bytes of one batch unpacked; beyond it is a bomb: the rest is refused and counted */
#define YG_BATCH_ID_MAX    128 /* client's idempotency key; longer: 400 */
#define YG_DOMAIN_MAX      253 /* RFC 1035 2.3.4 in text form; longer: no match possible */
#define YG_LABELS_MAX      127 /* labels in a name of that length */
#define YG_URL_MAX         8192 /* RFC 9110 4.1 recommends at least 8000; longer: not matched, counted */
#define YG_ARRAY_MAX       256 /* values kept in one list column of an event; the rest stays in raw */
#define YG_MATCHES_MAX     64 /* indicator matches kept per event; the rest is counted */
#define YG_INGEST_WORKERS  64 /* ingest processes */
#define YG_RESOLVE_WORKERS 64 /* resolve processes */
#define YG_SEEN_MAX                                                                                \
	1048576         /* batch ids remembered per spool: a retry older than that is taken again */
#define YG_PAGE_MAX 200 /* rows of one API page; more: 400 */

static_assert(YG_RECORD_MAX <= YG_BATCH_MAX, "a record must fit a batch");
static_assert(YG_BATCH_MAX <= YG_BATCH_PLAIN_MAX, "a plain batch is unpacked already");
