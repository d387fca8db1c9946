/* event_import.h - a file into batches into a server, once. */
#pragma once
#include "cmd/client.h"

struct yg_import {
	const char *org, *source, *sensor; /* sensor NULL: "import" */
	size_t batch_bytes;                /* 0: the default */
};

/* One whole file; prints what it did (--json: one line).  Batches are named by
 * organisation, source, place and content, so that what the server has already
 * is not added again; a server that is away or full is waited for. */
yg_status yg_import_file(const struct yg_cli *c, struct yg_client *client,
			 const struct yg_import *import, const char *file, struct yg_err *err);

struct yg_import_count {
	uint64_t records, bytes, batches, duplicates, cut;
};
/* One batch under that name; waits and tries again while the server is away or full. */
yg_status yg_import_batch(const struct yg_cli *c, struct yg_client *client,
			  const struct yg_import *import, struct yg_sv bytes, const char *name,
			  struct yg_import_count *count, struct yg_err *err);
