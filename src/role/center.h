/* center.h - the parts of role center, for the files center*.c alone.
 *
 *   center.c           start, sandbox, schedule, end
 *   center_findings.c  run/center.sock: findings of the workers into alerts
 *   center_workers.c   what is asked of the workers and the store: batches, counters
 *   center_dns.c       what is asked of the resolver and of zones
 *   center_demo.c      the demonstration, for those who begin in a browser
 *   center_warm.c     the first look at the event store
 *   center_policy.c    what organisations say of protective DNS, for role zones
 *   center_jobs.c      long work: imports, compiling, bulk changes, removals
 *
 * The loop's thread decides what runs; everything that blocks runs in libuv's
 * pool, each kind at most once at a time (struct task), findings per worker.
 */
#pragma once
#include "api/api.h"
#include "intel/registry.h"
#include "role/role.h"

#define YG_CENTER_POOL     12 /* threads: requests, findings, one job, one look around */
#define YG_CENTER_POLL_S   2  /* how often workers and store are asked */
#define YG_CENTER_EXPIRY_S 300
#define YG_CENTER_RETAIN_S 3600
#define YG_CENTER_NEWS_MAX 1024 /* system events that wait to be kept; more are counted */
#define YG_CENTER_WORKERS  16   /* findings connections at a time, per worker count of 64 a few */

struct center;
/* Blocking work that runs at most once at a time, again when it was asked for meanwhile. */
struct task {
	struct center *c;
	uv_work_t work;
	void (*run)(struct center *c); /* work pool */
	bool busy, wanted;
};
struct news { /* a system event that waits */
	struct news *next;
	int64_t time;
	size_t n;
	char json[];
};
struct findings_conn;
struct baseline;

struct center {
	struct yg_role_ctx *ctx;
	struct yg_api api;
	struct yg_stream *stream;
	struct yg_server *server, *metrics;
	struct yg_sv cert, key, password; /* mapped for the life of the process */
	struct yg_sv oidc_secrets[8];     /* mapped for the life of the process */
	char store_url[256], store_user[128], store_database[128], store_password[512];
	uint32_t connections; /* as many as descriptors allow */

	uv_poll_t findings_door;
	int findings_fd;
	struct findings_conn *findings; /* list */
	uint32_t findings_open;

	uv_timer_t tick;
	uv_async_t wake;
	uint64_t ticks;
	struct task jobs, exports, compile, dns, look, retain, expiry, news_task, warm;
	bool jobs_asked, compile_asked, dns_asked, warm_asked; /* atomic: set in any thread */
	bool draining, server_done;

	uv_mutex_t news_lock;
	uint64_t dns_mark;       /* dns: only its thread; what the last inputs were made of */
	uv_mutex_t compile_lock; /* one compile at a time: a job and the schedule both want it */
	struct news *news_first, *news_last;
	size_t news_count, news_lost;

	/* look: only its thread touches these */
	struct baseline *baselines;
	size_t baseline_count, baseline_cap;
	int64_t worker_started[YG_INGEST_WORKERS];
	bool table_ensured, store_seen;
	int64_t expiry_seen_us;
};

/* center.c */
void center_want(struct task *t); /* loop thread */
struct yg_act center_act(struct center *c, struct yg_state *db);
void center_indicators_changed(void *ctx); /* any thread: compile now */

/* center_findings.c */
yg_status center_findings_open(struct center *c, int listen_fd, struct yg_err *err);
void center_findings_close(struct center *c);

/* center_workers.c */
yg_status center_submit(void *ctx, const struct yg_submit *s, struct yg_arena *arena,
			struct yg_submitted *out, struct yg_err *err);
void center_look(struct center *c);
void center_look_resolvers(struct center *c); /* center_dns.c */
void center_baselines_free(struct center *c);

/* center_dns.c */
yg_status center_dns_explain(void *ctx, const struct yg_dns_asked *asked, struct yg_arena *arena,
			     struct yg_sv *out, struct yg_err *err);
yg_status center_dns_zones(void *ctx, struct yg_arena *arena, struct yg_sv *out,
			   struct yg_err *err);

/* center_demo.c: the demonstration, as a job; known batches are not added twice */
yg_status center_demo_load(struct center *c, struct yg_act *act, uint64_t records,
			   yg_progress_fn *progress, void *ctx, uint64_t *out_records,
			   struct yg_err *err) YG_MUST_USE;

/* center_warm.c */
void center_warm_run(struct center *c);

/* center_policy.c */
void center_policy_run(struct center *c);

/* center_jobs.c */
void center_jobs_run(struct center *c);
void center_exports_run(struct center *c);
void center_compile_run(struct center *c);
