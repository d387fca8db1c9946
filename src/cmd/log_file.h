/* log_file.h - a log file (plain, gzip or zstd by its magic; "-" is standard
 * input) in batches that a normaliser can take, in memory that does not depend
 * on the file. */
#pragma once
#include "event/split.h"

/* One batch of whole records; false stops the reading. */
typedef bool (*yg_log_batch_fn)(void *ctx, struct yg_sv batch);

/* YG_OK | YG_IO | YG_PARSE (a damaged or cut-off compressed file: what came
 * before it was given) | YG_NOMEM. */
yg_status yg_log_file_read(const char *file, enum yg_source source, yg_log_batch_fn fn, void *ctx,
			   struct yg_err *err);
