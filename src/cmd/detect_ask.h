/* detect_ask.h - log files asked of an engine, record by record. */
#pragma once
#include "cmd/option.h"
#include "detect/engine.h"
#include "detect/view.h"

struct yg_ask; /* owned: yg_ask_free() */
struct yg_ask_hit {
	uint32_t rule;
	const char *file;
	uint64_t record; /* of the file, from 1 */
	const struct yg_detect_record *event;
	const struct yg_detect_eval *eval; /* for yg_detect_fields() */
};
typedef void (*yg_ask_hit_fn)(void *ctx, const struct yg_ask_hit *hit);
/* After every record: how many rules matched it; NULL: not told. */
typedef void (*yg_ask_record_fn)(void *ctx, uint64_t record, uint64_t hits);

struct yg_ask_opts {
	const struct yg_detect *engine; /* borrowed */
	enum yg_source source;
	const struct yg_mapping *mapping;      /* borrowed; NULL: none, also for NDJSON */
	const struct yg_detect_logsource *own; /* borrowed; NULL: by the tables */
	yg_ask_hit_fn hit;
	yg_ask_record_fn record;
	void *ctx;
};
yg_status yg_ask_new(const struct yg_cli *cli, const struct yg_ask_opts *opts, struct yg_ask **out,
		     struct yg_err *err);
void yg_ask_free(struct yg_ask *a); /* NULL is fine */
/* YG_OK | YG_IO | YG_PARSE (a damaged packed file; what came before it was asked) | YG_NOMEM. */
yg_status yg_ask_file(struct yg_ask *a, const char *file, struct yg_err *err);
struct yg_ask_counts {
	uint64_t records, unparsed, hits;
};
struct yg_ask_counts yg_ask_counts(const struct yg_ask *a);
