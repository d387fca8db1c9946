/* list_body.h - what a list import brings waits in a file, so that its job
 * survives the request and bodies do not fill the memory.  The file is there from
 * before the job is added until after its end is written; what a kill leaves
 * behind goes at the next start, when no such job waits or runs.  Any thread.
 */
#pragma once
#include "base/arena.h"

#define YG_LIST_JOB       "indicators.import"
#define YG_LIST_BODY_PATH 192

/* Writes the file durably: "<dir>/<name>".  What fails leaves none. */
yg_status yg_list_body_keep(const char *dir, struct yg_sv name, struct yg_sv bytes,
			    char out_path[static YG_LIST_BODY_PATH], struct yg_err *err);
/* Where the file is that a job's params name; arena: for a while.  YG_INVAL: they name none. */
yg_status yg_list_body_path(const char *dir, struct yg_sv params, struct yg_arena *arena,
			    char out_path[static YG_LIST_BODY_PATH], struct yg_err *err);
/* Removes that file, if there is one. */
void yg_list_body_drop(const char *dir, struct yg_sv params, struct yg_arena *arena);
/* Removes all of them: for the start of center. */
void yg_list_body_clean(const char *dir);
