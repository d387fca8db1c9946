/* source.h - what has been heard from where: one row per organisation, source
 * kind and sensor.  Silence shows: a source that once spoke stays listed.
 */
#pragma once
#include "base/arena.h"
#include "base/limits.h"
#include "org/act.h"
#include "org/reach.h"

struct yg_source_row {
	struct yg_sv org, source, sensor;
	yg_wall first_received, last_received, last_event; /* us == 0: never */
	int64_t events, bytes, unparsed, dropped;
};
/* Adds the counts of `delta` to the rows of their sources and moves the times
 * forward; all in one transaction.  Rows of unknown organisations are skipped. */
yg_status yg_source_add(struct yg_state *db, const struct yg_source_row *delta, size_t n,
			struct yg_err *err) YG_MUST_USE;
/* Applies the body of a COUNTS message (role/message.h): the counts of every batch
 * that is above the spool's mark, and the mark, in one transaction; so that a batch
 * told of again counts once.  YG_OK; YG_PARSE: not such a message. */
yg_status yg_source_counts_apply(struct yg_state *db, yg_wall now, struct yg_sv body,
				 struct yg_err *err) YG_MUST_USE;
/* Within reach, ordered by org, source, sensor, from behind `after` (NULL: from the first). */
yg_status yg_source_list(struct yg_state *db, const struct yg_reach *reach,
			 const struct yg_source_row *after, uint32_t limit, struct yg_arena *arena,
			 struct yg_source_row **out, size_t *out_n, struct yg_err *err);
