/* scan.h - every event that a search finds, in large chunks: what exports read.
 *
 * The table is sorted by organisation, then time.  So few events (one chunk) come
 * newest first; more come organisation by organisation, each newest first, and every
 * row is read once.  Each chunk is restricted by the scope that it is called with: a
 * right that was revoked between two chunks ends the rest.
 *
 * Blocking, one thread at a time.  Events come without `raw` and `names`.
 */
#pragma once
#include "event/search.h"

#define YG_SCAN_CHUNK 20000u /* events of a chunk, at most */

struct yg_scan {
	uint64_t total; /* events that there were at the beginning; when `counted` */
	bool counted, done;
	int64_t from, to; /* of `time`, as the first scope had them */
	struct yg_scan_org {
		struct yg_sv name;
		uint64_t count;
	} * orgs; /* arena; those with events */
	size_t org_count, at;
	bool together;             /* all of them in one chunk */
	int64_t slice_to, width;   /* what is read next: [slice_to - width, slice_to) */
	struct yg_search_key last; /* what was read last, when `within` a slice */
	bool within;
	uint32_t most; /* events of the next chunk: fewer where they are large */
};
/* Counts what there is; where that takes too long, only whose it is, and `counted` is
 * false.  scope->limit: events of a chunk; 0: YG_SCAN_CHUNK.  What *out holds is in
 * `arena`. */
yg_status yg_scan_begin(struct yg_ch *ch, const struct yg_search *s,
			const struct yg_search_scope *scope, struct yg_arena *arena,
			struct yg_scan *out, struct yg_err *err);
/* `ev` and what it points to end with the call. */
typedef yg_status yg_scan_row(void *ctx, const struct yg_event *ev, struct yg_err *err);
/* The next chunk; it may be empty.  scan->done: there are no more.  Of `scope` the
 * times and the limit are not looked at. */
yg_status yg_scan_next(struct yg_ch *ch, const struct yg_search *s,
		       const struct yg_search_scope *scope, struct yg_scan *scan, yg_scan_row *row,
		       void *ctx, struct yg_err *err);
