/* center.h - the parts of role center, for the files center*.c alone.
 *
 *   center.c           start, sandbox, schedule, end
 *   center_findings.c  run/center.sock: findings of the workers into alerts
 *   center_workers.c   what is asked of the workers and the store: batches, counters
 *   center_dns.c       what is asked of the resolver and of zones
 *   center_rules.c     detection rules into a snapshot
 *   center_detect.c    correlations and findings beside rules
 *   center_demo.c      the demonstration, for those who begin in a browser
 *   center_warm.c     the first look at the event store
 *   center_policy.c    what organisations say of protective DNS, for role zones
 *   center_jobs.c      long work: imports, compiling, bulk changes, removals
 *   center_try.c       a rule tried against a day
 *   center_hunt*.c     rules and indicators over the past
 *
 * The loop's thread decides what runs; everything that blocks runs in libuv's
 * pool, each kind at most once at a time (struct task), findings per worker.
 */
#pragma once
#include "api/api.h"
#include "detect/watch.h"
#include "intel/registry.h"
#include "role/center_delivered.h"
#include "role/role.h"

#define YG_CENTER_POOL     12 /* threads: requests, findings, one job, one look around */
#define YG_CENTER_POLL_S   2  /* how often workers and store are asked */
#define YG_CENTER_EXPIRY_S 300
#define YG_CENTER_PAUSE_US                                                                         \
	(30 * YG_US_PER_S) /* after a compile that failed: it would fail again at once */
#define YG_CENTER_RETAIN_S 3600
#define YG_CENTER_NEWS_S   3    /* how often it is looked for what hunts are to be made for */
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
struct detecting;
struct yg_places;

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
	struct task jobs, exports, tries, hunts, compile, dns, look, retain, expiry, news_task,
		warm, detect, detect_rows, rules, hunt_news;
	bool jobs_asked, compile_asked, dns_asked, warm_asked, detect_asked, rules_asked,
		detect_rows_wait; /* atomic: set in any thread */
	bool detect_rows_sure;    /* detect_rows: its block is not in the store; only its thread */
	bool draining, server_done;

	struct detecting *detecting; /* owned, center_detect.c */
	struct yg_places *places;    /* owned; NULL: none */
	struct yg_err places_err;
	uv_mutex_t news_lock;
	uint64_t dns_mark;       /* dns: only its thread; what the last inputs were made of */
	bool rules_looked;       /* at the snapshot of before the start; under its lock */
	int64_t rules_failed_us; /* monotonic: when they could not be compiled; under its lock */
	uv_mutex_t rules_lock;   /* the same of detection rules: the demonstration wants it, too */
	uv_mutex_t compile_lock; /* one compile at a time: a job and the schedule both want it */
	int64_t compile_failed_us; /* as rules_failed_us; atomic */
	struct news *news_first, *news_last;
	size_t news_count, news_lost;

	/* look: only its thread touches these */
	struct baseline *baselines;
	size_t baseline_count, baseline_cap;
	int64_t worker_started[YG_INGEST_WORKERS];
	bool table_ensured, store_seen;
	int64_t expiry_seen_us;
	struct center_delivered delivered;
	int64_t delivered_us; /* atomic: what was taken in until then is in the event store */
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

/* center_detect.c.  X(name): what it counts, shown at /metrics as yagura_center_detect_NAME. */
/* clang-format off */
#define CENTER_DETECT_COUNTS(X)                                                                    \
	X(rows) X(entries) X(hits) X(excepted) X(notices) X(cut) X(lost) X(refused) X(nomem) X(saves)          \
	X(findings_dropped) X(waiting_rows) X(waiting_bytes) X(dropped) X(organisations) X(correlations) X(pending)    \
	X(state_bytes) X(late) X(evicted) X(unknown) X(places)
/* clang-format on */
struct center_detect_counts {
#define X(name) uint64_t name;
	CENTER_DETECT_COUNTS(X)
#undef X
};
/* Before the sandbox is closed: the file of places.  One that cannot be read is told, and
 * impossible travel is not looked for. */
void center_detect_places(struct center *c);
yg_status center_detect_open(struct center *c, struct yg_err *err);
void center_detect_run(struct center *c);      /* work pool */
void center_detect_rows_run(struct center *c); /* work pool; center_detect_rows.c */
/* A FEED message; any thread. */
yg_status center_feed(struct center *c, struct yg_state *db, struct yg_sv body, struct yg_err *err);
void center_detect_counts(struct center *c, struct center_detect_counts *out); /* any thread */
/* What a correlation counted since the state was new; false: none of that uid.  Any thread. */
bool center_detect_correlation(void *ctx, struct yg_sv uid, struct yg_watch_state *out);

/* center_demo.c: the demonstration, as a job; known batches are not added twice */
yg_status center_demo_load(struct center *c, struct yg_act *act, uint64_t records,
			   yg_progress_fn *progress, void *ctx, uint64_t *out_records,
			   struct yg_err *err) YG_MUST_USE;

/* center_warm.c */
void center_warm_run(struct center *c);

/* center_rules.c */
void center_rules_run(struct center *c); /* compiles when something changed; any thread */

/* center_policy.c */
void center_policy_run(struct center *c);

/* center_jobs.c */
void center_jobs_run(struct center *c);
void center_exports_run(struct center *c);
void center_tries_run(struct center *c);
void center_hunts_run(struct center *c);

/* center_hunt_news.c */
void center_hunt_news_run(struct center *c);
void center_compile_run(struct center *c);
