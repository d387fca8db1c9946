/* watch_finding.h - what a correlation or a finding beside rules says, as the JSON that
 * becomes an alert (alert/finding.h); pure. */
#pragma once
#include "detect/watch.h"

struct yg_watch_at { /* which row of the feed told it */
	struct yg_sv org;
	int64_t seq;
	uint32_t nth;
};
/* Appended as sv32. */
void yg_watch_put_hit(struct yg_buf *out, const struct yg_watch_at *at,
		      const struct yg_watch_doc *doc, struct yg_sv collection,
		      const struct yg_correlate_hit *hit);
/* event: NULL: none. */
void yg_watch_put_notice(struct yg_buf *out, const struct yg_watch_at *at,
			 const struct yg_notice *n, const uint64_t *event);
/* 1 informational ... 5 critical. */
unsigned yg_watch_severity(const struct yg_notice *n);
