/* ingest.c - role ingest: takes logs in, keeps them safe, turns them into events,
 * looks for indicators, delivers exactly once.  doc/delivery.md says how. */
#include <dirent.h>
#include <malloc.h>
#include <stdlib.h>

#include "event/mapping.h"
#include "role/ingest_internal.h"

#define POOL_BASE           6 /* threads: commits never wait behind slow stores */
#define POOL_PIPE           4
#define SNAPSHOT_INDICATORS 1

struct prepared { /* before the sandbox */
	struct ingest in;
	char follow_dirs[256][1024];
	size_t follow_n;
};

/* ---- snapshots ---- */
struct snap_ref *ingest_snap_hold(struct snap_ref *r)
{
	if (r != NULL)
		r->refs++;
	return r;
}

void ingest_snap_drop(struct snap_ref *r)
{
	if (r == NULL || --r->refs > 0)
		return;
	yg_intel_close(r->intel);
	yg_ruleset_free(r->rules);
	free(r);
}

static void indicators_take(struct ingest *in, struct snap_ref *r)
{
	ingest_snap_drop(in->intel);
	in->intel = r;
	yg_role_log(in->ctx, YG_EV_INGEST_SNAPSHOT,
		    YG_KN("generation", yg_intel_generation(r->intel)),
		    YG_KN("indicators", yg_intel_count(r->intel)));
}

static void rules_take(struct ingest *in, struct snap_ref *r)
{
	ingest_snap_drop(in->rules);
	in->rules = r;
	yg_role_log(in->ctx, YG_EV_INGEST_RULES,
		    YG_KN("generation", yg_ruleset_generation(r->rules)),
		    YG_KN("rules", yg_ruleset_count(r->rules)));
}

static yg_status snap_open(int fd, bool rules, uint64_t generation, uint64_t have,
			   struct snap_ref *r, struct yg_err *err)
{
	yg_status st = rules ? yg_ruleset_open_fd(fd, have, &r->rules, err)
			     : yg_intel_open_fd(fd, have, &r->intel, err);
	if (st != YG_OK)
		return st;
	uint64_t is = rules ? yg_ruleset_generation(r->rules) : yg_intel_generation(r->intel);
	return is == generation ? YG_OK
				: YG_FAIL(err, YG_CORRUPT,
					  "the snapshot is not the generation that was announced");
}

/* Swaps between batches: the next run of a pipe takes the new one. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the hook's type */
static void on_snapshot(struct yg_role_ctx *ctx, uint32_t kind, uint64_t generation, int *fd)
{
	struct ingest *in = ctx->user;
	bool rules = kind == YG_ROLE_KIND_DETECT;
	struct yg_err err = {0};
	uint64_t have = rules ? (in->rules != NULL ? yg_ruleset_generation(in->rules->rules) : 0)
			      : (in->intel != NULL ? yg_intel_generation(in->intel->intel) : 0);
	if (!rules && kind != SNAPSHOT_INDICATORS)
		return;
	struct snap_ref *r = calloc(1, sizeof *r);
	yg_status st = r != NULL ? snap_open(*fd, rules, generation, have, r, &err)
				 : YG_FAIL(&err, YG_NOMEM, "a snapshot");
	if (r != NULL)
		r->refs = 1;
	if (st == YG_OK) {
		if (rules)
			rules_take(in, r);
		else
			indicators_take(in, r);
		return;
	}
	ingest_snap_drop(r);
	in->snapshots_refused += !rules;
	in->rules_refused += rules;
	yg_role_log(ctx, YG_EV_INGEST_SNAPSHOT_BAD, YG_KS("of", rules ? "rules" : "indicators"),
		    YG_KN("generation", generation), YG_KN("in_force", have), YG_KERR(&err));
}

/* ---- doors ---- */
void doors_resume(struct ingest *in)
{
	stream_resume(in);
}

static yg_status listeners_open(struct ingest *in, struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; i < in->conf->listener_count && st == YG_OK; i++) {
		const struct yg_conf_listener *l = &in->conf->listeners[i];
		char name[128];
		struct yg_sb b = yg_sb_init(name, sizeof name);
		yg_sb_printf(&b, "listener." YG_SV_FMT, YG_SV_ARG(l->name));
		int fd = yg_role_fd(in->ctx, yg_sb_cstr(&b));
		if (fd < 0 && in->ctx->index > 0 && YG_SV_IS(l->protocol, "unix"))
			continue; /* the first worker has it */
		if (fd < 0)
			return YG_FAIL(err, YG_NOTFOUND, "no socket was handed over for %s", name);
		st = YG_SV_IS(l->protocol, "udp") ? udp_open(in, l, fd, err)
						  : stream_open(in, l, fd, err);
	}
	return st;
}

static void stop_doors(struct ingest *in)
{
	if (in->doors_stopped)
		return;
	submit_stop(in);
	udp_stop(in);
	stream_stop(in);
	follow_stop(in);
	dnslog_stop(in);
	in->doors_stopped = true;
}

/* ---- ending ---- */
static void stop_when_still(struct ingest *in)
{
	bool jobs = false;
	for (size_t i = 0; i < in->pipe_n; i++)
		jobs = jobs || pipe_jobs(in->pipes[i]);
	if (!jobs)
		yg_role_stop(in->ctx);
}

void ingest_fatal(struct ingest *in, const char *what, const struct yg_err *err)
{
	/* What is on disk is whole; the next process begins from there. */
	yg_role_log(in->ctx, YG_EV_INGEST_FATAL, YG_KS("what", what), YG_KERR(err));
	for (int i = 0; i < 20; i++) /* let the record reach main */
		(void)uv_run(in->ctx->loop, UV_RUN_NOWAIT);
	yg_role_exit(in->ctx, 1);
}

/* All that can be done is done: everything delivered, or the store does not
 * answer (what is in the spool stays there), or the time is over. */
static void drain_look(struct ingest *in)
{
	doors_resume(in); /* what a listener could not hand on before */
	bool idle = udp_idle(in) && stream_idle(in) && follow_idle(in) && dnslog_idle(in),
	     stuck = false;
	for (size_t i = 0; i < in->pipe_n; i++) {
		struct pipe *p = in->pipes[i];
		pipe_kick(p);
		bool waits = p->retry_deliver.wait_us != 0 || p->retry_send.wait_us != 0;
		idle = idle && p->wait_first == NULL && !p->commit.running &&
		       (pipe_idle(p) || waits);
		stuck = stuck || waits;
	}
	if (idle || yg_mono_due(in->drain_until, ingest_now(in))) {
		in->stopping = true;
		stop_when_still(in);
	}
}

static void on_tick(uv_timer_t *t);

static void on_drain(struct yg_role_ctx *ctx)
{
	struct ingest *in = ctx->user;
	in->draining = true;
	in->drain_until = yg_mono_add(ingest_now(in), (yg_span){INGEST_DRAIN_US});
	stop_doors(in);
	(void)uv_timer_start(&in->tick, on_tick, 50, 50);
	drain_look(in);
}

static void on_tick(uv_timer_t *t)
{
	struct ingest *in = t->data;
	if (in->draining) {
		drain_look(in);
		return;
	}
	stream_tick(in);
}

/* A parser that never ends holds a thread of the pool, not the loop.  A run takes
 * some INGEST_RUN_US: the answer waits for the end of those under way. */
static bool on_alive(struct yg_role_ctx *ctx)
{
	struct ingest *in = ctx->user;
	bool all = true;
	for (size_t i = 0; i < in->pipe_n; i++) {
		in->pipes[i]->run_asked = in->pipes[i]->run.running;
		all = all && !in->pipes[i]->run_asked;
	}
	return all;
}

void ingest_run_ended(struct ingest *in, struct pipe *p)
{
	bool was_asked = p->run_asked, all = true;
	p->run_asked = false;
	for (size_t i = 0; i < in->pipe_n; i++)
		all = all && !in->pipes[i]->run_asked;
	if (was_asked && all)
		yg_role_alive(in->ctx);
}

static void on_reload(struct yg_role_ctx *ctx, const struct yg_conf *old)
{
	struct ingest *in = ctx->user;
	(void)old;
	in->conf = ctx->conf; /* the keys that may differ are read where they are used */
	for (size_t i = 0; i < in->pipe_n; i++)
		pipe_kick(in->pipes[i]);
}

/* ---- start ---- */
static void text_copy(char *to, size_t cap, struct yg_sv s)
{
	struct yg_sb b = yg_sb_init(to, cap);
	yg_sb_put(&b, s);
	(void)yg_sb_cstr(&b);
}

static yg_status prepare(struct yg_role_ctx *ctx, struct yg_err *err)
{
	struct prepared *p = calloc(1, sizeof *p);
	if (p == NULL)
		return YG_FAIL(err, YG_NOMEM, "role ingest");
	ctx->user = &p->in;
	p->in.ctx = ctx;
	p->in.conf = ctx->conf;
	/* Spools of workers that are no more are adopted; each pipe has its jobs. */
	char text[16];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_u64(&b, POOL_BASE + POOL_PIPE);
	(void)setenv("UV_THREADPOOL_SIZE", yg_sb_cstr(&b), 1);
	(void)mallopt(M_MMAP_THRESHOLD, 4 << 20);
	(void)mallopt(M_ARENA_MAX, 2);
	for (size_t i = 0; i < ctx->conf->follow_count && i < YG_LEN(p->follow_dirs); i++) {
		struct yg_sv path = ctx->conf->follows[i].path;
		while (path.n > 0 && path.p[path.n - 1] != '/')
			path.n--;
		text_copy(p->follow_dirs[p->follow_n++], sizeof p->follow_dirs[0],
			  path.n > 1    ? yg_sv_sub(path, 0, path.n - 1)
			  : path.n == 1 ? YG_SV("/")
					: YG_SV("."));
	}
	yg_status st = yg_dir_make("spool", 0700, err);
	return st == YG_OK ? yg_dir_make("quarantine", 0700, err) : st;
}

static bool embedded(const struct yg_conf *c)
{
	return c->store_url.n == 0 || YG_SV_IS(c->store_url, "embedded");
}

static void profile(struct yg_role_ctx *ctx, struct yg_role_profile *p)
{
	struct prepared *pre = (struct prepared *)ctx->user;
	yg_role_path(p, "spool", YG_ACCESS_READ | YG_ACCESS_WRITE, false);
	yg_role_path(p, "quarantine", YG_ACCESS_READ | YG_ACCESS_WRITE, false);
	yg_role_path(p, "run", YG_ACCESS_READ, true);
	yg_role_path(p, "dnslog", YG_ACCESS_READ | YG_ACCESS_WRITE, true);
	if (ctx->index == 0 && pre != NULL) { /* NULL: only shown, by config print --roles */
		for (size_t i = 0; i < pre->follow_n; i++)
			yg_role_path(p, pre->follow_dirs[i], YG_ACCESS_READ, true);
	}
	if (!embedded(ctx->conf))
		p->box.calls |= YG_CALLS_INET_OUT;
}

static yg_status store_conf(struct ingest *in, struct yg_err *err)
{
	const struct yg_conf *c = in->conf;
	int secret = yg_role_fd(in->ctx, "store.password");
	text_copy(in->store_url, sizeof in->store_url,
		  embedded(c) ? YG_SV("unix:run/store.sock") : c->store_url);
	text_copy(in->store_user, sizeof in->store_user, c->store_user);
	text_copy(in->store_database, sizeof in->store_database,
		  c->store_database.n > 0 ? c->store_database : YG_SV("yagura"));
	if (secret < 0)
		return YG_OK;
	struct yg_sv map;
	yg_status st = yg_memfd_map(secret, 4096, &map, err);
	if (st != YG_OK)
		return st;
	text_copy(in->store_pass, sizeof in->store_pass, yg_sv_trim(map));
	yg_memfd_unmap(&map);
	return YG_OK;
}

static yg_status mappings_open(struct ingest *in, struct yg_err *err)
{
	yg_status st = YG_OK;
	in->mappings = calloc(in->conf->mapping_count + 1, sizeof *in->mappings);
	if (in->mappings == NULL)
		return YG_FAIL(err, YG_NOMEM, "mappings");
	for (size_t i = 0; i < in->conf->mapping_count && st == YG_OK; i++) {
		const struct yg_conf_mapping *m = &in->conf->mappings[i];
		char name[128];
		struct yg_sv text;
		struct yg_sb b = yg_sb_init(name, sizeof name);
		yg_sb_printf(&b, "mapping." YG_SV_FMT, YG_SV_ARG(m->name));
		st = yg_memfd_map(yg_role_fd(in->ctx, yg_sb_cstr(&b)), YG_MAPPING_BYTES_MAX, &text,
				  err);
		if (st != YG_OK)
			break;
		in->mappings[in->mapping_n].name = m->name;
		st = yg_mapping_read(text, name, &in->mappings[in->mapping_n].mapping, err);
		in->mapping_n += st == YG_OK;
		yg_memfd_unmap(&text);
	}
	return st;
}

static yg_status pipe_add(struct ingest *in, uint32_t number, struct yg_err *err)
{
	struct pipe *p = calloc(1, sizeof *p);
	if (p == NULL)
		return YG_FAIL(err, YG_NOMEM, "spool %u", number);
	yg_status st = pipe_open(p, in, number, err);
	if (st != YG_OK) {
		pipe_close(p); /* its memory stays: the loop may know its timer */
		return yg_err_wrap(err, "spool %u: ", number);
	}
	in->pipes[in->pipe_n++] = p;
	return YG_OK;
}

/* Spools of worker numbers that are not in use any more: number mod workers. */
static yg_status adopt(struct ingest *in, struct yg_err *err)
{
	uint64_t workers = YG_MAX(in->conf->ingest_workers, 1), n;
	yg_status st = YG_OK;
	DIR *d = opendir("spool");
	for (struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL && st == YG_OK;
	     e = readdir(d)) {
		if (yg_parse_u64(yg_sv_of(e->d_name), &n, NULL) != YG_OK || n >= YG_INGEST_WORKERS)
			continue;
		if (n >= workers && n % workers == in->ctx->index && in->pipe_n < INGEST_PIPES_MAX)
			st = pipe_add(in, (uint32_t)n, err);
	}
	if (d != NULL)
		(void)closedir(d);
	return st;
}

void ingest_rest(uv_timer_t *t)
{
	struct ingest *in = t->data;
	for (size_t i = 0; i < in->pipe_n; i++)
		if (!pipe_idle(in->pipes[i]))
			return; /* asked again when it is */
	for (size_t i = 0; i < in->pipe_n; i++)
		pipe_shrink(in->pipes[i]);
	(void)malloc_trim(0);
}

/* Batches and blocks are large and follow each other: memory that goes back to
 * the system after each of them comes again page by page, which was nearly half
 * of this role's time.  One arena that keeps up to 128 MiB serves all threads. */
static void keep_memory(void)
{
	(void)mallopt(M_ARENA_MAX, 1);
	(void)mallopt(M_MMAP_THRESHOLD, 32 << 20); /* glibc's most */
	(void)mallopt(M_TRIM_THRESHOLD, 128 << 20);
}

static yg_status run(struct yg_role_ctx *ctx, struct yg_err *err)
{
	struct ingest *in = ctx->user;
	in->started = yg_env_wall(&ctx->env);
	keep_memory();
	if (uv_timer_init(ctx->loop, &in->rest) != 0)
		return YG_FAIL(err, YG_INTERNAL, "a timer of the loop");
	in->rest.data = in;
	ctx->hooks.snapshot = on_snapshot;
	/* no batch is processed without what it is to be matched with */
	if (!yg_role_wait_given(ctx))
		return YG_OK;
	yg_status st = store_conf(in, err);
	if (st == YG_OK)
		st = mappings_open(in, err);
	if (st == YG_OK)
		st = pipe_add(in, ctx->index, err);
	if (st == YG_OK)
		st = adopt(in, err);
	if (st == YG_OK)
		st = submit_open(in, yg_role_fd(ctx, "ingest.sock"), err);
	if (st == YG_OK)
		st = listeners_open(in, err);
	if (st == YG_OK)
		st = follow_open(in, err);
	if (st == YG_OK)
		st = dnslog_open(in, err);
	if (st != YG_OK)
		return st;
	if (uv_timer_init(ctx->loop, &in->tick) != 0)
		return YG_FAIL(err, YG_INTERNAL, "a timer of the loop");
	in->tick.data = in;
	if (in->stream != NULL)
		(void)uv_timer_start(&in->tick, on_tick, 1000, 1000);
	ctx->hooks.drain = on_drain;
	ctx->hooks.reload = on_reload;
	ctx->hooks.alive = on_alive;
	for (size_t i = 0; i < in->pipe_n; i++)
		pipe_kick(in->pipes[i]);
	yg_role_ready(ctx, "");
	(void)uv_run(ctx->loop, UV_RUN_DEFAULT);
	return YG_OK;
}

const struct yg_role yg_role_ingest = {
	.name = "ingest",
	.bit = YG_R_INGEST,
	.doc = "Takes logs in, normalises, matches indicators, delivers to the store; sees raw logs of anybody.",
	.peers = YG_R_CENTER | YG_R_STORE,
	.calls = YG_CALLS_FILES | YG_CALLS_THREADS | YG_CALLS_UNIX | YG_CALLS_ACCEPT,
	.w_xor_x = true,
	.memory_max = (uint64_t)3 << 30,
	.files_max = INGEST_STREAMS_MAX + 2048,
	.prepare = prepare,
	.profile = profile,
	.run = run,
};
