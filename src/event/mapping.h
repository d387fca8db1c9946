/* mapping.h - a mapping file: how records of some NDJSON become events.
 *
 * The file is one JSON object; doc/sources/ndjson.md describes it with examples.
 * It is compiled once; a compiled mapping is read only, so any number of
 * yg_norm may share it.  Pure.
 */
#pragma once
#include "base/arena.h"
#include "event/normalize.h"

#define YG_MAPPING_BYTES_MAX  262144 /* of a mapping file; a person writes a few KiB */
#define YG_MAPPING_PATHS_MAX  16     /* alternatives of one field */
#define YG_MAPPING_VALUES_MAX 1024   /* of one value table */

struct yg_mapping; /* owned: yg_mapping_free() */

/* text       the file's contents; needed only during the call
 * file_name  for messages, which read "FILE:LINE:COLUMN: fields.src_ip: ..."
 *
 * YG_OK | YG_PARSE (what is wrong, where, and what was expected) | YG_TOOBIG |
 * YG_NOMEM. */
yg_status yg_mapping_read(struct yg_sv text, const char *file_name, struct yg_mapping **out,
			  struct yg_err *err);
void yg_mapping_free(struct yg_mapping *m);

/* A time by a pattern of strptime's signs: %Y %y %m %d %e %b %B %a %A %H %I %M
 * %S %p %f (fraction, 1 to 9 digits) %z (Z, +09:00, +0900) %s (seconds since
 * 1970) %j %T %F %n %t %%; a blank is any number of blanks.  English names,
 * whatever the locale.  `zone` is taken off when there is no %z.
 * YG_OK | YG_PARSE. */
yg_status yg_time_by_pattern(struct yg_sv pattern, struct yg_sv text, yg_span zone, yg_wall *out);
