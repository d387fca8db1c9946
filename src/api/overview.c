#include "api/overview.h"

#include "intel/registry.h"
#include "org/job.h"
#include "org/source.h"

#define SOURCES_MAX 20000 /* looked at for the totals; more are not counted */

enum yg_health yg_parts_health(const struct yg_part *parts, size_t n)
{
	size_t down = 0, degraded = 0;
	for (size_t i = 0; i < n; i++) {
		down += parts[i].health == YG_HEALTH_DOWN;
		degraded += parts[i].health == YG_HEALTH_DEGRADED;
	}
	if (n > 0 && down == n)
		return YG_HEALTH_DOWN;
	return down + degraded > 0 ? YG_HEALTH_DEGRADED : YG_HEALTH_OK;
}

static void add_source(struct yg_overview *o, const struct yg_source_row *s, yg_wall now)
{
	o->sources++;
	o->reporting += now.us - s->last_received.us < YG_US_PER_DAY;
	o->records += s->events;
	o->unparsed += s->unparsed;
	o->bytes += s->bytes;
	o->dropped += s->dropped;
	o->last_event.us = YG_MAX(o->last_event.us, s->last_event.us);
}

static yg_status read_sources(struct yg_request *q, struct yg_state *db,
			      const struct yg_reach *reach, struct yg_overview *o,
			      struct yg_err *err)
{
	struct yg_source_row *rows = NULL, last;
	size_t n = YG_PAGE_MAX;
	while (n == YG_PAGE_MAX && o->sources < SOURCES_MAX) {
		yg_status st = yg_source_list(db, reach, o->sources > 0 ? &last : NULL, YG_PAGE_MAX,
					      q->arena, &rows, &n, err);
		if (st != YG_OK)
			return st;
		if (o->rows == NULL) {
			o->rows = rows;
			o->row_count = n;
		}
		for (size_t i = 0; i < n; i++)
			add_source(o, &rows[i], q->now);
		if (n > 0)
			last = rows[n - 1];
	}
	return YG_OK;
}

static yg_status read_snapshot(struct yg_request *q, struct yg_state *db, struct yg_overview *o,
			       struct yg_err *err)
{
	struct yg_snapshot_row *rows = NULL;
	size_t n = 0;
	yg_status st = yg_snapshot_list(db, 0, 10, q->arena, &rows, &n, err);
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		if (!YG_SV_IS(rows[i].state, "ready"))
			continue;
		o->generation = rows[i].generation;
		o->indicators = rows[i].entries;
		o->snapshot_at = rows[i].finished;
		break;
	}
	return st;
}

static yg_status read_jobs(struct yg_request *q, struct yg_state *db, const struct yg_reach *reach,
			   struct yg_overview *o, struct yg_err *err)
{
	struct yg_job *jobs = NULL;
	size_t n = 0;
	yg_status st =
		yg_job_list(db, &(struct yg_job_filter){.reach = *reach, .limit = YG_PAGE_MAX},
			    q->arena, &jobs, &n, err);
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		o->jobs_open += jobs[i].state == YG_JOB_QUEUED || jobs[i].state == YG_JOB_RUNNING;
		o->jobs_failed += jobs[i].state == YG_JOB_FAILED &&
				  q->now.us - jobs[i].created.us < YG_US_PER_DAY;
	}
	return st;
}

yg_status yg_overview_read(struct yg_api *api, struct yg_request *q, struct yg_state *db,
			   const struct yg_reach *reach, struct yg_overview *out,
			   struct yg_err *err)
{
	*out = (struct yg_overview){0};
	yg_status st = yg_api_parts(api, q->arena, &out->parts, &out->part_count, err);
	if (st == YG_OK)
		st = yg_alert_counts(db, reach, out->alerts, err);
	if (st == YG_OK)
		st = read_sources(q, db, reach, out, err);
	if (st == YG_OK)
		st = read_snapshot(q, db, out, err);
	if (st == YG_OK)
		st = read_jobs(q, db, reach, out, err);
	out->health = yg_parts_health(out->parts, out->part_count);
	if (api->server != NULL)
		yg_server_counts(api->server, &out->http);
	return st;
}
