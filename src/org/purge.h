/* purge.h - an organisation goes with all that is its own: alerts, lists, allow
 * entries, tokens, sources, jobs, events.  Entries of the audit log stay.
 *
 * Long work, for a job: the state goes in chunks, the events by one mutation of
 * the event store.  Stopped half way, it is called again and goes on.
 */
#pragma once
#include "org/act.h"
#include "store/clickhouse.h"

/* Called between steps; false stops (YG_AGAIN comes back). */
typedef bool yg_purge_progress_fn(void *ctx, uint64_t done, const char *what);

struct yg_purge_opts {
	struct yg_ch *ch;               /* borrowed; NULL: there is no event store */
	const char *event_table;        /* "event" */
	yg_purge_progress_fn *progress; /* may be NULL */
	void *progress_ctx;
};
struct yg_purge_counts {
	uint64_t alerts, lists, indicators, allow_entries, block_entries, tokens, sources, events,
		organisations;
};
/* Adds to *out.  YG_NOTFOUND: no such organisation. */
yg_status yg_org_purge(struct yg_act *act, struct yg_sv slug, const struct yg_purge_opts *o,
		       struct yg_purge_counts *out, struct yg_err *err) YG_MUST_USE;
/* Every organisation with the demo flag. */
yg_status yg_demo_purge(struct yg_act *act, const struct yg_purge_opts *o,
			struct yg_purge_counts *out, struct yg_err *err) YG_MUST_USE;
