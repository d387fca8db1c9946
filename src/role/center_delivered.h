/* center_delivered.h - up to when everything that was taken in is in the event store; pure.
 *
 * Workers say of each spool which batch is the last on disk and which the last in the store.
 * One look is the answers of all of them:
 *   center_delivered_begin(d, now); center_delivered_spool(d, ...) ...; center_delivered_end(d, all);
 */
#pragma once
#include "base/base.h"
#include "base/units.h"

#define CENTER_SPOOLS_MAX 256 /* of more it is not known, and the time stands still */

struct center_delivered {
	struct center_delivered_spool {
		uint32_t spool;
		bool seen;     /* in the look at hand */
		uint64_t mark; /* what was on its disk ... */
		yg_wall at;    /* ... then; when it is in the store, the next mark is made */
		yg_wall done;  /* all that was on its disk then is in the store */
	} spools[CENTER_SPOOLS_MAX];
	size_t n;
	bool more;
	yg_wall now, until; /* until: of all spools; us == 0: not known yet */
};
void center_delivered_begin(struct center_delivered *d, yg_wall now);
void center_delivered_spool(struct center_delivered *d, uint32_t spool, uint64_t durable,
			    uint64_t stored);
/* all: every worker answered; else what is not seen may be behind, and the time stands still. */
yg_wall center_delivered_end(struct center_delivered *d, bool all);
