/* compiled.h - what is compiled out of the state database into files for the workers: generations
 * that only rise, whole files, one that is pointed at, and a compile that did not come to an end
 * is wanted again.
 *
 *   yg_compiled_begin(what, db, dir, now, who, &generation, &err);     what changes from here on is the next one's
 *   yg_compiled_write(what, dir, generation, file, fill, ctx, &err);   DIR/indicators-12.ygs, and DIR/current names it
 *   ... the row of the generation is set to 'ready' or 'failed' by its owner;
 *       of a failed one also yg_compiled_touch(what, db, &err)
 *   yg_compiled_prune(what, db, dir, generation);
 *
 * Blocking; one thread at a time for each `what` and folder.
 */
#pragma once
#include "os/file.h"
#include "store/state.h"

enum yg_compiled { YG_COMPILED_INDICATORS, YG_COMPILED_RULES };
#define YG_COMPILED_FILE_MAX 64

/* Something changed that the newest generation does not have. */
yg_status yg_compiled_touch(enum yg_compiled what, struct yg_state *db, struct yg_err *err);
/* True when something changed since the last generation was begun, or that one did not come to an
 * end (it died, or could not even note that it failed): who asks compiles, and nobody beside him. */
yg_status yg_compiled_dirty(enum yg_compiled what, struct yg_state *db, bool *out,
			    struct yg_err *err);
/* Above every generation of the database and the one that the folder points at; in a transaction
 * of its own. */
yg_status yg_compiled_begin(enum yg_compiled what, struct yg_state *db, const char *dir,
			    yg_wall now, struct yg_sv who, uint64_t *out, struct yg_err *err);
/* out_file: the file's name in `dir`.  Not YG_OK: there is no part of it, and what was pointed at is. */
yg_status yg_compiled_write(enum yg_compiled what, const char *dir, uint64_t generation,
			    char out_file[static YG_COMPILED_FILE_MAX], yg_file_fill_fn fill,
			    void *ctx, struct yg_err *err);
/* Older files go, but two; one that is being read stays readable through its descriptor. */
void yg_compiled_prune(enum yg_compiled what, struct yg_state *db, const char *dir,
		       uint64_t generation);
