/* center_job.h - one job that runs, for the files center_*.c that have kinds of them. */
#pragma once
#include "format/json.h"
#include "org/job.h"
#include "role/center.h"

struct run {
	struct center *c;
	struct yg_act act;
	struct yg_job job;
	struct yg_arena *arena;
	struct yg_json params;
	struct yg_buf result;  /* a JSON object */
	bool cancelled, ended; /* ended: who ran it has written its end */
	int64_t done, total, errors;
};

/* A text of its params; empty when there is none. */
struct yg_sv center_job_param(struct run *r, const char *name);
int64_t center_job_number(struct run *r, const char *name); /* 0: none */
/* Keeps how far it is; false: it is to stop.  ctx: the run. */
bool center_job_progress(void *ctx, uint64_t done, uint64_t total);

/* center_try.c: a rule over one day, without findings */
yg_status center_job_try(struct run *r, struct yg_err *err);
/* center_hunt.c: rules or indicators over the past */
yg_status center_job_hunt(struct run *r, struct yg_err *err);
