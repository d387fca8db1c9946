#include "store/compiled.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define KEEP_FILES 2 /* older ones that stay beside the current one */
#define PATH_MAX_  512

static const struct {
	const char *name, *current;
} files[] = {[YG_COMPILED_INDICATORS] = {"indicators", "current"},
	     [YG_COMPILED_RULES] = {"detect", "detect-current"}};

struct statements {
	const char *touch, *begun, *dirty, *reserve, *older;
};
#define OF(table, change)                                                                          \
	((struct statements){                                                                      \
		.touch = YG_SQL("UPDATE " change " SET changes = changes + 1 WHERE id = 1"),       \
		.begun = YG_SQL("UPDATE " change " SET compiled = changes WHERE id = 1"),          \
		.dirty =                                                                           \
			YG_SQL("SELECT changes - compiled, (SELECT state FROM " table              \
			       " ORDER BY generation DESC LIMIT 1) FROM " change " WHERE id = 1"), \
		.reserve = YG_SQL(                                                                 \
			"INSERT INTO " table " (generation, state, file, created, actor)"          \
			" SELECT CASE WHEN coalesce(max(generation), 0) < $1 THEN $1"              \
			" ELSE coalesce(max(generation), 0) END + 1, 'building', '', $2, $3"       \
			" FROM " table " RETURNING generation"),                                   \
		.older = YG_SQL("SELECT generation FROM " table                                    \
				" WHERE generation < $1 AND state = 'ready'"                       \
				" ORDER BY generation DESC LIMIT 50 OFFSET $2"),                   \
	})

static struct statements statements_of(enum yg_compiled what)
{
	return what == YG_COMPILED_INDICATORS ? OF("snapshot", "indicator_change")
					      : OF("detect_snapshot", "detect_change");
}

static yg_status run(struct yg_state *db, const char *sql, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(db, sql, &s, err);
	return st == YG_OK ? yg_stmt_run(s, err) : st;
}

yg_status yg_compiled_touch(enum yg_compiled what, struct yg_state *db, struct yg_err *err)
{
	return run(db, statements_of(what).touch, err);
}

yg_status yg_compiled_dirty(enum yg_compiled what, struct yg_state *db, bool *out,
			    struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(db, statements_of(what).dirty, &s, err);
	if (st == YG_OK)
		st = yg_stmt_step(s, &row, err);
	if (st == YG_OK)
		*out = row && (yg_col_i64(s, 0) != 0 || YG_SV_IS(yg_col_text(s, 1), "building"));
	return st;
}

/* ---- generations ---- */

/* Of "indicators-12.ygs\n" 12; 0 when there is none, or no such name. */
static uint64_t current_generation(enum yg_compiled what, const char *dir)
{
	YG_AUTO(yg_buf_free) struct yg_buf text = {0};
	char path[PATH_MAX_];
	uint64_t g = 0;
	yg_buf_init(&text, 131072);
	(void)snprintf(path, sizeof path, "%s/%s", dir, files[what].current);
	/* none yet, or one that cannot be read: the database's count is enough */
	if (yg_file_read(path, 4096, &text, NULL) != YG_OK)
		return 0;
	struct yg_sv s = yg_sv_trim(yg_buf_sv(&text)), name = yg_sv_of(files[what].name);
	if (!yg_sv_starts(s, name) || !yg_sv_ends(s, YG_SV(".ygs")) || s.n < name.n + 5 ||
	    yg_parse_u64(yg_sv_sub(s, name.n + 1, s.n - name.n - 5), &g, NULL) != YG_OK)
		return 0;
	return g;
}

static yg_status reserve(enum yg_compiled what, struct yg_state *db, uint64_t floor, yg_wall now,
			 struct yg_sv who, uint64_t *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(db, statements_of(what).reserve, &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, (int64_t)YG_MIN(floor, (uint64_t)INT64_MAX / 2));
	yg_stmt_i64(s, 2, now.us);
	yg_stmt_text(s, 3, who);
	st = yg_stmt_step(s, &row, err);
	if (st != YG_OK)
		return st;
	*out = (uint64_t)yg_col_i64(s, 0);
	return yg_stmt_step(s, &row, err);
}

yg_status yg_compiled_begin(enum yg_compiled what, struct yg_state *db, const char *dir,
			    yg_wall now, struct yg_sv who, uint64_t *out, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, db, err);
	if (st != YG_OK)
		return st;
	st = reserve(what, db, current_generation(what, dir), now, who, out, err);
	/* what is changed from here on belongs to the next one */
	if (st == YG_OK)
		st = run(db, statements_of(what).begun, err);
	return yg_tx_end(&tx, st, err);
}

/* ---- files ---- */

yg_status yg_compiled_write(enum yg_compiled what, const char *dir, uint64_t generation,
			    char out_file[static YG_COMPILED_FILE_MAX], yg_file_fill_fn fill,
			    void *ctx, struct yg_err *err)
{
	char path[PATH_MAX_], current[PATH_MAX_], name[YG_COMPILED_FILE_MAX + 1];
	int n = snprintf(name, sizeof name, "%s-%" PRIu64 ".ygs\n", files[what].name, generation);
	(void)snprintf(out_file, YG_COMPILED_FILE_MAX, "%.*s", n - 1, name);
	(void)snprintf(path, sizeof path, "%s/%s", dir, out_file);
	(void)snprintf(current, sizeof current, "%s/%s", dir, files[what].current);
	yg_status st = yg_file_make(path, 0640, fill, ctx, err);
	if (st == YG_OK)
		st = yg_file_write(current, (struct yg_sv){name, (size_t)n}, 0640, err);
	if (st != YG_OK && current_generation(what, dir) != generation)
		(void)unlink(path); /* nobody points at it */
	return st;
}

void yg_compiled_prune(enum yg_compiled what, struct yg_state *db, const char *dir,
		       uint64_t generation)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	char path[PATH_MAX_];
	bool row = true;
	if (yg_state_prepare(db, statements_of(what).older, &s, NULL) != YG_OK)
		return;
	yg_stmt_i64(s, 1, (int64_t)generation);
	yg_stmt_i64(s, 2, KEEP_FILES);
	while (yg_stmt_step(s, &row, NULL) == YG_OK && row) {
		(void)snprintf(path, sizeof path, "%s/%s-%" PRId64 ".ygs", dir, files[what].name,
			       yg_col_i64(s, 0));
		(void)unlink(path); /* most are gone already */
	}
}
