/* metrics.h - what the files share that write /metrics (OpenMetrics 1.0). */
#pragma once
#include "api/overview.h"
#include "format/json.h"

/* The head of a family; unit: NULL: it has none. */
void yg_metric_family(struct yg_buf *b, const char *name, const char *type, const char *unit,
		      const char *help);
/* The kind of a process: "ingest" of "ingest-0". */
struct yg_sv yg_metric_kind(const struct yg_part *p);

/* What workers of role resolve tell besides plain numbers: by door, by rcode, time taken, by
 * server upstream. */
void yg_metrics_resolve(struct yg_buf *b, const struct yg_overview *o);
/* Zones of the policy that are configured, by name: role zones gives them as a list of objects. */
void yg_metrics_zones(struct yg_buf *b, const struct yg_json *json, uint32_t list);
