/* job.h - long work with progress.  A job is a row: what runs it (a thread of
 * center's pool) reports into it, clients poll it or ask it to stop.  One that
 * was running when the program ended is `interrupted` at the next start.
 */
#pragma once
#include "base/arena.h"
#include "base/limits.h"
#include "org/act.h"
#include "org/reach.h"

/* clang-format off */
#define YG_JOB_STATES(X)                                 \
	X(QUEUED,      1, "queued")                      \
	X(RUNNING,     2, "running")                     \
	X(DONE,        3, "done")                        \
	X(FAILED,      4, "failed")                      \
	X(CANCELLED,   5, "cancelled")                   \
	X(INTERRUPTED, 6, "interrupted")
/* clang-format on */
enum yg_job_state {
	YG_JOB_NONE,
#define X(id, num, name) YG_JOB_##id = num,
	YG_JOB_STATES(X)
#undef X
};
const char *yg_job_state_name(enum yg_job_state s);   /* static; never NULL */
enum yg_job_state yg_job_state_parse(struct yg_sv s); /* NONE: no such state */

struct yg_job {
	struct yg_sv id, kind, org, actor, message;
	struct yg_sv params, result; /* JSON objects */
	enum yg_job_state state;
	int64_t done, total, errors; /* total 0: unknown */
	int64_t undo_left;           /* changes that can be taken back (alert/undo.c) */
	bool cancel;                 /* asked to stop */
	yg_wall created, started, finished, updated;
};

/* A queued job; writes the audit entry "job.add".  params: a JSON object or empty. */
yg_status yg_job_add(struct yg_act *act, struct yg_sv kind, struct yg_sv org, struct yg_sv params,
		     struct yg_id *out_id, struct yg_err *err) YG_MUST_USE;
/* queued -> running; YG_CONFLICT when it is not queued (cancelled meanwhile). */
yg_status yg_job_start(struct yg_act *act, struct yg_sv id, struct yg_err *err) YG_MUST_USE;
/* Progress, in a transaction of its own; *out_cancel: somebody asked to stop. */
yg_status yg_job_progress(struct yg_act *act, struct yg_sv id, int64_t done, int64_t total,
			  int64_t errors, struct yg_sv message, bool *out_cancel,
			  struct yg_err *err) YG_MUST_USE;
/* To done, failed or cancelled; result: a JSON object or empty. */
yg_status yg_job_end(struct yg_act *act, struct yg_sv id, enum yg_job_state state,
		     struct yg_sv message, struct yg_sv result, struct yg_err *err) YG_MUST_USE;
/* Adds to how many changes of the job can be taken back, inside the caller's transaction. */
yg_status yg_job_undo_left(struct yg_state *db, struct yg_sv id, int64_t more, struct yg_err *err);
/* A queued job is cancelled at once, a running one is asked; ended: YG_CONFLICT. */
yg_status yg_job_cancel(struct yg_act *act, struct yg_sv id, struct yg_err *err) YG_MUST_USE;
/* At the start of center: whatever was queued or running is interrupted. */
yg_status yg_job_recover(struct yg_act *act, uint64_t *out_n, struct yg_err *err) YG_MUST_USE;

yg_status yg_job_get(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
		     struct yg_job *out, struct yg_err *err);
/* The oldest that is queued and, with `others`, of none of these kinds, else of one of them.
 * Its id is empty when none waits. */
yg_status yg_job_next(struct yg_state *db, const struct yg_sv *kinds, size_t n, bool others,
		      struct yg_arena *arena, struct yg_job *out, struct yg_err *err);
struct yg_job_filter {
	struct yg_reach reach;
	struct yg_sv actor;  /* whose own jobs are in it, too; empty: nobody's */
	struct yg_sv kind;   /* empty: any */
	struct yg_sv state;  /* empty: any */
	struct yg_sv before; /* keyset: ids below; empty: from the newest */
	uint32_t limit;      /* 1..YG_PAGE_MAX */
};
/* Newest first. */
yg_status yg_job_list(struct yg_state *db, const struct yg_job_filter *f, struct yg_arena *arena,
		      struct yg_job **out, size_t *out_n, struct yg_err *err);
