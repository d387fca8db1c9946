/* file_import.h - a file that comes in parts: which of them a worker has.  Its
 * job runs from the first request to the last, also across a restart; the parts
 * are known by their number, so that sending one again changes nothing. */
#pragma once
#include "base/arena.h"
#include "org/act.h"

#define YG_IMPORT_KIND     "events.import"
#define YG_IMPORT_PART_MAX 8388608u /* bytes */
#define YG_IMPORT_PARTS    100000
#define YG_IMPORT_IDLE_S   86400 /* without a part for so long it is over */
#define YG_IMPORT_HEADER   65536u

/* Is part n there?  *out_header (arena): what a Zeek file began with; "" when it did not. */
yg_status yg_part_known(struct yg_state *db, struct yg_sv job, int64_t n, struct yg_arena *arena,
			bool *out_known, struct yg_sv *out_header, struct yg_err *err);
/* Notes part n; again is fine. */
yg_status yg_part_add(struct yg_state *db, struct yg_sv job, int64_t n, int64_t bytes,
		      struct yg_sv header, struct yg_err *err) YG_MUST_USE;
yg_status yg_part_sum(struct yg_state *db, struct yg_sv job, int64_t *out_parts, int64_t *out_bytes,
		      struct yg_err *err);
/* The parts need not be known any more. */
yg_status yg_part_forget(struct yg_state *db, struct yg_sv job, struct yg_err *err) YG_MUST_USE;
/* Imports that nobody went on with become interrupted. */
yg_status yg_import_stale(struct yg_state *db, yg_wall now, struct yg_err *err) YG_MUST_USE;
