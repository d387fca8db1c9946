/* zones_job.c - what takes long, beside, in a thread that gives way to everybody.  All of the
 * policy is compiled, and large zones are indexed and written down, from a copy of the role's
 * state with views of the records: meanwhile the loop takes transfers and entries, and compiles
 * small changes over the base there is; what has changed since the view is then told over the
 * new one.  Files are read, and what is published is compared with what is to be.
 *
 * One thing at a time, and a policy that is wanted waits for no other: between two of those
 * there is one of the rest, in turns. */
#include <stdlib.h>
#include <unistd.h>

#include "os/file.h"
#include "os/thread.h"
#include "os/wake.h"
#include "role/zones_internal.h"

struct zones_job {
	struct zones *all;
	struct yg_wake done;
	uv_thread_t thread;
	uv_sem_t begin;
	bool has_thread, busy, polite;
	enum zones_work what;
	size_t turn; /* of the rest */
	/* the thread's while busy */
	struct zones_reading *reading; /* owned; of READ */
	struct zones *seen;            /* owned; of COMPILE, PREPARE and SAVE */
	struct zones_compiled c;
	yg_status st;
	struct yg_err err;
	struct {
		bool tried;
		yg_status st;
		struct yg_err err;
	} * saved; /* owned; by zone */
};

bool zones_job_busy(const struct zones *z)
{
	return z->job != NULL && z->job->busy;
}

bool zones_job_sees(const struct zones *z)
{
	return zones_job_busy(z) && z->job->seen != NULL;
}

bool zones_job_reads(const struct zone *z)
{
	const struct zones_job *j = z->all->job;
	return zones_job_busy(z->all) && j->reading != NULL && zones_reading_zone(j->reading) == z;
}

bool zones_job_saves(const struct zones *z)
{
	return zones_job_busy(z) && z->job->what == ZONES_SAVE;
}

uint64_t zones_job_generation(const struct zones *z)
{
	return zones_job_busy(z) && z->job->what == ZONES_COMPILE ? z->job->c.generation : 0;
}

/* ---- the view ---- */

static void seen_free(struct zones_job *j)
{
	struct zones *s = j->seen;
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->count; i++) {
		zones_content_end(&s->zones[i].now);
		yg_dns_changes_free(s->zones[i].changes);
	}
	if (s->inputs != j->all->inputs)
		yg_dns_inputs_close(s->inputs);
	if (s->intel != j->all->intel)
		yg_intel_close(s->intel);
	free(s->zones);
	free(s);
	free(j->saved);
	j->seen = NULL;
	j->saved = NULL;
}

void zones_job_inputs_end(struct zones *z, struct yg_dns_inputs *old)
{
	if (!zones_job_sees(z) || z->job->seen->inputs != old)
		yg_dns_inputs_close(old);
}

void zones_job_intel_end(struct zones *z, struct yg_intel *old)
{
	if (!zones_job_sees(z) || z->job->seen->intel != old)
		yg_intel_close(old);
}

static bool see_zone(struct zone *z, struct zone *out)
{
	*out = *z;
	out->changes = NULL;
	out->since = (struct yg_buf){0};
	out->job = NULL;
	zones_content_init(&out->now);
	zones_content_init(&out->before);
	if (z->now.records != NULL) {
		out->now.records = yg_dns_records_view(z->now.records);
		return out->now.records != NULL;
	}
	if (z->now.list.n == 0 &&
	    z->now.list_map.n > 0) /* the file may be replaced: this stays the old one */
		return zones_kept_map(z, &out->now.list_map);
	yg_buf_put(&out->now.list, zones_list(z));
	return !out->now.list.bad;
}

static bool see(struct zones_job *j)
{
	struct zones *z = j->all, *s = calloc(1, sizeof *s);
	j->seen = s;
	if (s == NULL)
		return false;
	*s = *z;
	s->beside = true;
	s->count = 0;
	s->base = (struct zones_base){.policy = NULL};
	s->zones = calloc(z->count + 1, sizeof *s->zones);
	j->saved = calloc(z->count + 1, sizeof *j->saved);
	bool good = s->zones != NULL && j->saved != NULL;
	for (size_t i = 0; good && i < z->count; i++) {
		good = see_zone(&z->zones[i], &s->zones[i]);
		s->zones[i].all = s;
		s->count++;
	}
	if (!good)
		seen_free(j);
	return good;
}

/* ---- the thread ---- */

static void compile(struct zones_job *j)
{
	j->st = zones_policy_whole(j->seen, &j->c, &j->err);
	if (j->st == YG_OK && fsync(j->c.fd) == 0)
		(void)zones_policy_map(&j->c, NULL); /* if not, there is no base */
	if (j->st == YG_OK) /* else the first change over it would wait for that */
		zones_prepare_work(j->seen, j->c.policy);
}

static void save(struct zones_job *j)
{
	for (size_t i = 0; i < j->seen->count; i++) {
		struct zone *one = &j->seen->zones[i];
		if (!one->unsaved)
			continue;
		j->saved[i].tried = true;
		j->saved[i].st = zones_kept_save(one, &j->saved[i].err);
	}
}

static void work(struct zones_job *j)
{
	switch (j->what) {
	case ZONES_COMPILE: compile(j); break;
	case ZONES_PREPARE: zones_prepare_work(j->seen, j->all->base.policy); break;
	case ZONES_SAVE: save(j); break;
	case ZONES_READ: zones_reading_work(j->reading); break;
	case ZONES_COMPARE: zones_compare_work(j->all); break;
	}
}

static void in_thread(void *arg)
{
	struct zones_job *j = arg;
	bool gives_way = false;
	for (;;) {
		uv_sem_wait(&j->begin);
		if (j->polite && !gives_way) /* if it cannot, it is only less polite */
			gives_way = yg_thread_give_way(YG_NICE_LEAST, NULL) == YG_OK;
		work(j);
		yg_wake_send(&j->done);
	}
}

/* ---- its end ---- */

static void take_saved(struct zones_job *j)
{
	for (size_t i = 0; i < j->seen->count; i++) {
		struct zone *one = &j->all->zones[i];
		if (!j->saved[i].tried || j->saved[i].st == YG_OK)
			continue;
		one->unsaved = true;
		one->save_at = zones_now(j->all) + 60 * YG_US_PER_S;
		yg_role_log(j->all->ctx, YG_EV_ZONES_NOT_KEPT, YG_KU("zone", one->conf->name),
			    YG_KERR(&j->saved[i].err));
	}
}

/* What was counted and refused; the first few of these are told. */
static void take_news(struct zone *z, const struct zone *seen)
{
	z->stats = seen->stats;
	z->news.refused_n = seen->news.refused_n;
	memcpy(z->news.refused, seen->news.refused, sizeof z->news.refused);
	for (size_t i = 0; i < YG_MIN(z->news.refused_n, (size_t)ZONES_REFUSED_MAX); i++)
		yg_role_log(z->all->ctx, YG_EV_ZONES_RECORD, YG_KU("zone", z->conf->name),
			    YG_KN("line", z->news.refused[i].line),
			    YG_KS("reason", z->news.refused[i].reason),
			    YG_KU("record", yg_sv_of(z->news.refused[i].text)));
}

static void take_compiled(struct zones_job *j)
{
	struct zones *z = j->all;
	for (size_t i = 0; i < z->count; i++)
		take_news(&z->zones[i], &j->seen->zones[i]);
	zones_base_set(z, &j->c);
	zones_prepare_end(z, j->seen);
	for (size_t i = 0; i < z->count; i++)
		zones_base_since_end(&z->zones[i]);
	z->intel_changed = z->intel_given;
	if (!z->intel_given) {
		z->intel_next = j->seen->intel_next;
		z->indicator_count = j->seen->indicator_count;
	}
}

/* It is the base now; as soon as the job is free it comes into force. */
static void compiled(struct zones_job *j)
{
	struct zones *z = j->all;
	bool again = j->st != YG_OK && zones_tried_bad(z, j->seen, j->c.bad, &j->err);
	if (j->st == YG_OK) {
		zones_tried_good(z, j->seen);
		take_compiled(j);
	}
	YG_AUTO(zones_compiled_end) struct zones_compiled c = j->c; /* another may begin at once */
	j->c = (struct zones_compiled){.fd = -1};
	seen_free(j);
	j->busy = false;
	if (j->st == YG_OK)
		zones_policy_take(z, &c);
	else if (again)
		zones_changed(z);
	else
		yg_role_log(z->ctx, YG_EV_ZONES_FAILED, YG_KERR(&j->err));
}

static void ended(struct zones_job *j)
{
	struct zones *z = j->all;
	struct zones_reading *reading = j->reading;
	switch (j->what) {
	case ZONES_COMPILE: compiled(j); return;
	case ZONES_PREPARE: zones_prepare_end(z, j->seen); break;
	case ZONES_SAVE: take_saved(j); break;
	case ZONES_READ: j->reading = NULL; break;
	case ZONES_COMPARE: break;
	}
	seen_free(j);
	j->busy = false;
	if (j->what == ZONES_READ)
		zones_reading_take(reading);
	else if (j->what == ZONES_COMPARE)
		zones_compare_end(z);
}

/* What is next.  A policy that is wanted, unless the last one was only now. */
static void go_on(struct zones_job *j)
{
	static const enum zones_work rest[] = {ZONES_PREPARE, ZONES_COMPARE, ZONES_READ,
					       ZONES_SAVE};
	struct zones *z = j->all;
	if (z->given) { /* wanted meanwhile, and not done */
		z->given = false;
		zones_changed(z);
	}
	if (j->what != ZONES_COMPILE) {
		zones_compile_due(z);
		zones_base_tick(z);
	}
	for (size_t i = 0; i < YG_LEN(rest) && !j->busy; i++)
		if (zones_job_begin(z, rest[(j->turn + i) % YG_LEN(rest)]))
			j->turn = (j->turn + i + 1) % YG_LEN(rest);
}

static void on_done(void *ctx)
{
	struct zones_job *j = ctx;
	if (!j->busy)
		return;
	ended(j);
	if (!j->busy)
		go_on(j);
	zones_rest(j->all);
}

static bool begin_view(struct zones_job *j, enum zones_work what)
{
	struct zones *z = j->all;
	if (!see(j))
		return false;
	j->c = (struct zones_compiled){.generation = zones_policy_next(z), .fd = -1};
	j->st = YG_OK;
	j->err = (struct yg_err){0};
	if (what == ZONES_COMPILE)
		z->given = z->intel_given = false;
	if (what != ZONES_SAVE)
		zones_prepare_begin(z, j->seen, what == ZONES_COMPILE);
	for (size_t i = 0; i < z->count; i++) {
		if (what == ZONES_COMPILE)
			zones_base_since_begin(&z->zones[i]);
		if (what == ZONES_SAVE)
			z->zones[i].unsaved = false;
	}
	return true;
}

bool zones_job_begin(struct zones *z, enum zones_work what)
{
	struct zones_job *j = z->job;
	bool good = false;
	if (j == NULL || j->busy || (what == ZONES_PREPARE && !zones_prepare_due(z)) ||
	    (what == ZONES_SAVE && !zones_save_due(z)))
		return false;
	if (!j->has_thread)
		j->has_thread = uv_thread_create(&j->thread, in_thread, j) == 0;
	if (!j->has_thread)
		return false;
	if (what == ZONES_READ)
		good = (j->reading = zones_reading_new(z)) != NULL;
	else
		good = what == ZONES_COMPARE ? zones_compare_begin(z) : begin_view(j, what);
	if (!good)
		return false;
	j->what = what;
	j->busy = true;
	j->polite = z->generation > 0; /* the first policy is as urgent as anything */
	uv_sem_post(&j->begin);
	return true;
}

yg_status zones_job_open(struct zones *z, struct yg_err *err)
{
	struct zones_job *j = calloc(1, sizeof *j);
	if (j == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for what takes long");
	j->all = z;
	j->c.fd = -1;
	if (uv_sem_init(&j->begin, 0) != 0)
		return YG_FAIL(err, YG_INTERNAL, "a semaphore for what takes long");
	z->job = j;
	return yg_wake_open(&j->done, z->ctx->loop, on_done, j, err);
}
