/* overview.h - one look at the whole: what /api/v1/status, the status page, the
 * doctor and the metrics tell. */
#pragma once
#include "api/routes.h"

struct yg_overview {
	struct yg_part *parts; /* arena */
	size_t part_count;
	enum yg_health health;       /* the worst that matters */
	int64_t alerts[7];           /* open, by severity */
	uint64_t sources, reporting; /* with an event in the last 24 hours */
	int64_t records, unparsed, bytes, dropped;
	yg_wall last_event;         /* us == 0: never */
	struct yg_source_row *rows; /* arena: the first of them */
	size_t row_count;
	uint64_t generation, indicators;
	yg_wall snapshot_at;
	int64_t jobs_open, jobs_failed; /* of the newest 200 */
	struct yg_server_counts http;
};
#define YG_OVERVIEW_ROWS 200
/* Of what is within `reach`. */
yg_status yg_overview_read(struct yg_api *api, struct yg_request *q, struct yg_state *db,
			   const struct yg_reach *reach, struct yg_overview *out,
			   struct yg_err *err);
/* "sandboxes": what each process of this run found out behind its sandbox. */
yg_status yg_put_sandboxes(struct yg_jo *o, struct yg_state *db, struct yg_arena *arena,
			   struct yg_err *err);
/* The worst of the processes: down only when nothing works; a missing one is degraded. */
enum yg_health yg_parts_health(const struct yg_part *parts, size_t n);
