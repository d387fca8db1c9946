/* New policies, opened and verified beside: a thread that gives way to the loop reads every
 * byte of the file, which brings all its pages in, while the loop goes on answering by the
 * policy there is; then the loop puts the new one in force between two batches, and the
 * thread gives the old one's memory back.  The thread is made once and stays: to make or
 * join one would have the loop wait for it.
 *
 * One such job at a time; of what comes meanwhile the newest counts.  Before the first
 * query there is nobody to wait: then it is done at once. */
#include <stdlib.h>

#include "os/file.h"
#include "os/thread.h"
#include "os/wake.h"
#include "role/resolve_internal.h"

struct resolve_opener {
	struct resolve *r;
	struct yg_wake done;
	uv_thread_t thread;
	uv_sem_t jobs;
	bool has_thread, busy;
	/* the job at hand, the thread's while busy */
	int fd, base_fd; /* owned; -1: none */
	uint64_t generation, least;
	int64_t took_us;
	struct yg_dns_policy *now; /* borrowed; its base may be the new one's */
	struct yg_dns_policy *opened, *old;
	yg_status st;
	struct yg_err err;
	/* what came meanwhile */
	int next_fd, next_base_fd; /* owned */
	uint64_t next_generation;
};

/* Over the base that is at hand, or the one that was given just before. */
static yg_status open_over(struct resolve_opener *o)
{
	struct yg_dns_policy *base = o->now != NULL ? yg_dns_policy_whole(o->now) : NULL;
	yg_status st = yg_dns_policy_open_over(o->fd, o->least, base, &o->opened, &o->err);
	if (st != YG_CONFLICT || o->base_fd < 0 ||
	    yg_dns_policy_open_fd(o->base_fd, 0, &base, NULL) != YG_OK)
		return st;
	st = yg_dns_policy_open_over(o->fd, o->least, base, &o->opened, &o->err);
	yg_dns_policy_close(base); /* the policy keeps it */
	return st;
}

static void work(struct resolve_opener *o)
{
	int64_t begun = resolve_now(o->r).us;
	yg_dns_policy_close(o->old);
	o->old = NULL;
	if (o->fd < 0)
		return;
	o->st = open_over(o);
	yg_fd_close(&o->fd); /* it was read in place */
	yg_fd_close(&o->base_fd);
	o->took_us = resolve_now(o->r).us - begun;
}

static void in_thread(void *arg)
{
	struct resolve_opener *o = arg;
	(void)yg_thread_give_way(YG_NICE_LEAST, NULL); /* if not, it is only less polite */
	for (;;) {
		uv_sem_wait(&o->jobs);
		work(o);
		yg_wake_send(&o->done);
	}
}

/* The thread, made when there is first something to do for it; false: there is none. */
static bool has_thread(struct resolve_opener *o)
{
	if (!o->has_thread)
		o->has_thread = uv_thread_create(&o->thread, in_thread, o) == 0;
	return o->has_thread;
}

/* Puts in force what the job has opened. */
static void take(struct resolve_opener *o)
{
	struct resolve *r = o->r;
	struct yg_dns_policy *p = o->opened;
	o->opened = NULL;
	if (p == NULL) {
		yg_role_log(r->ctx, YG_EV_RESOLVE_POLICY_REFUSED,
			    YG_KN("generation", o->generation), YG_KERR(&o->err));
		return;
	}
	o->old = r->policy;
	r->policy = p;
	resolve_clients_views(&r->clients, p);
	yg_dns_core_policy(r->core, p);
	struct yg_dns_policy_info info = yg_dns_policy_info(p);
	yg_role_log(r->ctx, YG_EV_RESOLVE_POLICY, YG_KN("generation", info.generation),
		    YG_KN("names", info.names), YG_KN("zones", info.zones),
		    YG_KN("open_us", (uint64_t)o->took_us));
}

static void begin(struct resolve_opener *o, bool beside)
{
	o->now = o->r->policy;
	o->least = o->now != NULL ? yg_dns_policy_info(o->now).generation : 0;
	o->st = YG_OK;
	o->err = (struct yg_err){0};
	o->busy = beside && has_thread(o);
	if (o->busy) {
		uv_sem_post(&o->jobs);
		return;
	}
	bool opens = o->fd >= 0; /* no thread: here, however long it takes */
	work(o);
	if (opens)
		take(o);
}

static void next(struct resolve_opener *o)
{
	o->fd = o->next_fd;
	o->base_fd = o->next_base_fd;
	o->generation = o->next_generation;
	o->next_fd = o->next_base_fd = -1;
	if (o->fd >= 0 || o->old != NULL)
		begin(o, true);
}

static void on_done(void *ctx)
{
	struct resolve_opener *o = ctx;
	if (!o->busy)
		return;
	o->busy = false;
	if (o->opened != NULL || o->st != YG_OK)
		take(o);
	next(o);
}

void resolve_policy_take(struct resolve *r, uint64_t generation, int *fd)
{
	struct resolve_opener *o = r->opener;
	if (o->next_fd >= 0)
		yg_fd_close(&o->next_fd);
	o->next_fd = *fd;
	o->next_generation = generation;
	*fd = -1;
	if (o->busy)
		return;
	if (r->serving && r->policy != NULL) {
		next(o);
		return;
	}
	/* the first one is opened here, whoever waits: until then nothing is refused */
	o->fd = o->next_fd;
	o->base_fd = o->next_base_fd;
	o->generation = generation;
	o->next_fd = o->next_base_fd = -1;
	begin(o, false);
	yg_dns_policy_close(o->old);
	o->old = NULL;
}

void resolve_policy_base(struct resolve *r, int *fd)
{
	yg_fd_close(&r->opener->next_base_fd);
	r->opener->next_base_fd = *fd;
	*fd = -1;
}

yg_status resolve_policy_open(struct resolve *r, struct yg_err *err)
{
	struct resolve_opener *o = calloc(1, sizeof *o);
	if (o == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for policies");
	r->opener = o;
	o->r = r;
	o->fd = o->base_fd = o->next_fd = o->next_base_fd = -1;
	if (uv_sem_init(&o->jobs, 0) != 0)
		return YG_FAIL(err, YG_INTERNAL, "a semaphore for policies");
	return yg_wake_open(&o->done, r->ctx->loop, on_done, o, err);
}
