/* access_file.h - files of policies and schemas, for the commands that read them. */
#pragma once
#include "cedar/policy.h"
#include "cedar/schema.h"
#include "cmd/option.h"

#define YG_ACCESS_FILE_BYTES    ((size_t)2 << 30) /* of one file */
#define YG_ACCESS_ARENA_BYTES   ((size_t)8 << 30) /* of what is read from one */
/* Entities with their ancestors: a million of usual size take a tenth; a chain of n takes n*n
 * * 2 bytes.  Beyond it the command ends, and says at which entity. */
#define YG_ACCESS_ENTITY_BYTES  ((size_t)2 << 30)
/* What one request may take; beyond it the command ends. */
#define YG_ACCESS_REQUEST_BYTES ((size_t)1 << 30)
#define YG_ACCESS_FOUND_FAULTS  3 /* exit status */

/* An option that says text or json; absent, it is text.  YG_OK | YG_INVAL. */
yg_status yg_access_form(const struct yg_cli *cli, const char *option, bool *out_json,
			 struct yg_err *err);
/* What cannot be used says which file: "FILE: ..."; whatever it was, YG_PARSE. */
yg_status yg_access_told(yg_status st, const char *path, struct yg_err *err);
/* The file's bytes stay in *file. */
yg_status yg_access_policies(const char *path, bool json, struct yg_buf *file,
			     struct yg_cedar_policies *out, struct yg_err *err);
yg_status yg_access_schema(const char *path, struct yg_buf *file, struct yg_cedar_schema *out,
			   struct yg_err *err);
