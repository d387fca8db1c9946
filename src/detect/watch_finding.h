/* watch_finding.h - what a correlation or a finding beside rules says: as the JSON that becomes
 * an alert (alert/finding.h), and as a detection finding among the events; pure. */
#pragma once
#include "detect/watch.h"

#define YG_WATCH_SPOOL 0xfffe0000u /* of these findings: no spool of a worker has that number */

struct yg_watch_at { /* which row of the feed told it */
	struct yg_sv org;
	int64_t seq;
	uint32_t nth;
	yg_wall received; /* when that row was kept */
};
struct yg_watch_to {         /* where a finding is appended */
	struct yg_buf *json; /* as sv32; NULL: it is no alert */
	struct yg_buf *rows; /* as a row of the event store; NULL: not among the events */
};
void yg_watch_put_hit(const struct yg_watch_to *to, const struct yg_watch_at *at,
		      const struct yg_watch_doc *doc, struct yg_sv collection,
		      const struct yg_correlate_hit *hit);
/* event: NULL: none. */
void yg_watch_put_notice(const struct yg_watch_to *to, const struct yg_watch_at *at,
			 const struct yg_notice *n, const uint64_t *event);
/* 1 informational ... 5 critical. */
unsigned yg_watch_severity(const struct yg_notice *n);
