/* One spool's way: group commits, processing, delivery, findings, release.
 * Each is a job in the pool; the loop starts what is due and never waits. */
#include <signal.h>

#include "role/ingest_internal.h"

#define BLOCK_KEEP (4u << 20) /* of row memory that an idle worker keeps per block */

static void retry_failed(struct pipe *p, struct retry *r)
{
	r->failures++;
	r->wait_us = r->wait_us == 0 ? INGEST_RETRY_MIN_US
				     : YG_MIN(r->wait_us * 2, (int64_t)INGEST_RETRY_MAX_US);
	r->at = yg_mono_add(ingest_now(p->in), (yg_span){r->wait_us});
}
/* The first failure and the end of the trouble are told, not every attempt. */
static void retry_report(struct pipe *p, struct retry *r, const char *what, yg_status st,
			 const struct yg_err *err)
{
	if (st != YG_OK && (!r->told || r->failures % 64 == 0)) {
		yg_role_log(p->in->ctx, YG_EV_INGEST_RETRY, YG_KS("what", what),
			    YG_KN("spool", p->number), YG_KN("failures", r->failures),
			    YG_KERR(err));
		r->told = true;
	} else if (st == YG_OK && r->told) {
		yg_role_log(p->in->ctx, YG_EV_INGEST_RECOVERED, YG_KS("what", what),
			    YG_KN("spool", p->number), YG_KN("failures", r->failures));
		r->told = false;
	}
}
static void retry_well(struct pipe *p, struct retry *r, const char *what)
{
	retry_report(p, r, what, YG_OK, NULL);
	r->wait_us = 0;
	r->at = (yg_mono){0};
}
static bool retry_due(const struct pipe *p, const struct retry *r)
{
	return r->wait_us == 0 || yg_mono_due(r->at, ingest_now(p->in));
}

static void job_start(struct job *j, uv_work_cb work, uv_after_work_cb after)
{
	j->work.data = j->pipe;
	j->running = uv_queue_work(j->pipe->in->ctx->loop, &j->work, work, after) == 0;
}

/* ---- requests and commits ---- */
static void req_done(struct pipe *p, struct ingest_req *r, yg_status st, const struct yg_err *err)
{
	p->in->waiting_bytes -= r->mem_n;
	r->done(r, st, err);
	ingest_req_free(r);
}

bool pipe_has_room(const struct pipe *p, size_t bytes)
{
	return p->in->waiting_bytes + bytes <= INGEST_WAITING_MAX && p->retry_commit.wait_us == 0 &&
	       yg_spool_has_room(p->spool, bytes + YG_SPOOL_HEAD_MAX);
}

yg_status pipe_append(struct pipe *p, struct ingest_req *r, struct yg_err *err)
{
	if (p->in->waiting_bytes + r->mem_n > INGEST_WAITING_MAX)
		return YG_FAIL(err, YG_LIMIT, "too many batches wait for the disk");
	yg_status st = yg_spool_append(p->spool, &r->b, &r->taken, err);
	if (st != YG_OK)
		return st;
	p->in->waiting_bytes += r->mem_n;
	r->next = NULL;
	if (r->taken.group == 0) {
		req_done(p, r, YG_OK, NULL);
		return YG_OK;
	}
	if (p->wait_last != NULL)
		p->wait_last->next = r;
	else
		p->wait_first = r;
	p->wait_last = r;
	pipe_kick(p);
	return YG_OK;
}

static void work_commit(uv_work_t *w)
{
	struct pipe *p = w->data;
	yg_spool_commit_run(p->spool);
}

static void after_commit(uv_work_t *w, int status)
{
	struct pipe *p = w->data;
	struct yg_err err = {0};
	uint64_t group;
	(void)status;
	p->commit.running = false;
	yg_status st = yg_spool_commit_end(p->spool, &group, &err);
	if (st != YG_OK) {
		p->commit_failures++;
		retry_failed(p, &p->retry_commit);
		retry_report(p, &p->retry_commit, "spool", st, &err);
	} else {
		retry_well(p, &p->retry_commit, "spool");
	}
	struct ingest_req *r = p->wait_first, *rest = NULL, *rest_last = NULL;
	p->wait_first = p->wait_last = NULL;
	while (r != NULL) { /* groups end in order, but duplicates may wait for a later one */
		struct ingest_req *next = r->next;
		r->next = NULL;
		if (r->taken.group <= group) {
			req_done(p, r, st, &err);
		} else {
			if (rest_last != NULL)
				rest_last->next = r;
			else
				rest = r;
			rest_last = r;
		}
		r = next;
	}
	if (rest_last != NULL) { /* requests made by `done` stand behind the older ones */
		rest_last->next = p->wait_first;
		if (p->wait_last == NULL)
			p->wait_last = rest_last;
		p->wait_first = rest;
	}
	if (st == YG_CORRUPT)
		ingest_fatal(p->in, "spool", &err);
	pipe_kick(p);
}

static void kick_commit(struct pipe *p)
{
	if (p->commit.running || !yg_spool_commit_take(p->spool))
		return;
	job_start(&p->commit, work_commit, after_commit);
	if (!p->commit.running) { /* no pool: do it here, late is better than never */
		yg_spool_commit_run(p->spool);
		after_commit(&p->commit.work, 0);
	}
}

/* ---- release ---- */
static void work_release(uv_work_t *w)
{
	struct pipe *p = w->data;
	yg_spool_release_run(p->spool);
}
static void after_release(uv_work_t *w, int status)
{
	struct pipe *p = w->data;
	struct yg_err err = {0};
	(void)status;
	p->release.running = false;
	if (yg_spool_release_end(p->spool, &err) != YG_OK)
		yg_role_log(p->in->ctx, YG_EV_INGEST_RETRY, YG_KS("what", "release"),
			    YG_KN("spool", p->number), YG_KERR(&err));
	doors_resume(p->in);
	follow_resume(p->in);
	pipe_kick(p);
}

static bool nothing_under_way(const struct pipe *p)
{
	return !p->run.running && !p->deliver.running && p->queue_n == 0 && p->msg_first == NULL &&
	       !p->send.running && (p->fill == NULL || yg_block_empty(p->fill)) &&
	       !yg_process_in_batch(p->process);
}

static void kick_release(struct pipe *p)
{
	uint64_t upto = p->stored;
	if (p->msg_first != NULL && p->msg_first->batch <= upto)
		upto = p->msg_first->batch - 1;
	if (nothing_under_way(p) && p->idle_at > upto)
		upto = p->idle_at; /* damaged batches at the end are passed over too */
	p->released = YG_MAX(p->released, upto);
	yg_spool_release(p->spool, p->released);
	if (!p->release.running && yg_spool_release_take(p->spool))
		job_start(&p->release, work_release, after_release);
}

/* ---- processing ---- */
static void work_run(uv_work_t *w)
{
	struct pipe *p = w->data;
	const struct yg_process_by by = {p->intel.now != NULL ? p->intel.now->intel : NULL,
					 p->rules.now != NULL ? p->rules.now->rules : NULL};
	p->run_st = yg_process_run(p->process, p->run_limit, by, p->fill, INGEST_RUN_US,
				   &p->run_idle, &p->run_err);
}

/* The job ended; `now` or what is used from before stays when it is still in use. */
static void held_settle(struct snap_held *h, bool uses_now, bool uses_used)
{
	if (uses_now) {
		ingest_snap_drop(h->used);
		h->used = h->now;
	} else {
		ingest_snap_drop(h->now);
		if (!uses_used) {
			ingest_snap_drop(h->used);
			h->used = NULL;
		}
	}
	h->now = NULL;
}

static void snaps_settle(struct pipe *p)
{
	const struct yg_intel *intel = yg_process_intel(p->process);
	const struct yg_ruleset *rules = yg_process_rules(p->process);
	held_settle(&p->intel, p->intel.now != NULL && intel == p->intel.now->intel,
		    p->intel.used != NULL && intel == p->intel.used->intel);
	held_settle(&p->rules, p->rules.now != NULL && rules == p->rules.now->rules,
		    p->rules.used != NULL && rules == p->rules.used->rules);
}

static void after_run(uv_work_t *w, int status)
{
	struct pipe *p = w->data;
	const struct yg_tally *t;
	(void)status;
	p->run.running = false;
	ingest_run_ended(p->in, p);
	snaps_settle(p);
	size_t n = yg_process_tallies(p->process, &t);
	yg_process_counts(p->process, &p->shown.process);
	stats_merge(p->in, t, n);
	uint64_t aside = yg_process_aside(p->process);
	if (aside != 0)
		yg_role_log(p->in->ctx, YG_EV_INGEST_ASIDE, YG_KN("spool", p->number),
			    YG_KN("batch", aside));
	if (p->run_st != YG_OK) {
		retry_failed(p, &p->retry_run);
		retry_report(p, &p->retry_run, "processing", p->run_st, &p->run_err);
		if (p->run_st == YG_CORRUPT)
			ingest_fatal(p->in, "processing", &p->run_err);
	} else {
		retry_well(p, &p->retry_run, "processing");
		if (p->run_idle)
			p->idle_at = YG_MAX(p->idle_at, p->run_limit.seq);
	}
	pipe_kick(p);
}

static bool fill_full(const struct pipe *p)
{
	return p->fill->row_n >= p->in->conf->ingest_deliver_rows ||
	       p->fill->rows.n >= YG_BLOCK_BYTES || p->fill->part_n >= YG_BLOCK_BATCHES;
}

static void kick_run(struct pipe *p)
{
	struct yg_spool_limit limit = yg_spool_limit(p->spool);
	if (p->run.running || p->fill == NULL || fill_full(p) || !retry_due(p, &p->retry_run) ||
	    p->in->stopping)
		return;
	if (!yg_process_in_batch(p->process) && limit.seq <= p->idle_at)
		return;
	p->worked = true;
	p->run_limit = limit;
	p->intel.now = ingest_snap_hold(p->in->intel);
	p->rules.now = ingest_snap_hold(p->in->rules);
	job_start(&p->run, work_run, after_run);
	if (!p->run.running)
		snaps_settle(p);
}

/* ---- delivery ---- */
/* How long the rows at hand wait for others.  Large blocks are for load: when all
 * that came is processed and the store is free, rows go soon, but not so often
 * that the store has more to do with small blocks than a fifth of its time. */
static yg_span patience(const struct pipe *p)
{
	int64_t most = p->in->conf->ingest_deliver_us;
	bool caught_up = !p->deliver.running && p->queue_n == 0 &&
			 !yg_process_in_batch(p->process) &&
			 yg_spool_limit(p->spool).seq <= p->idle_at;
	int64_t early = YG_MAX((int64_t)INGEST_EARLY_US, p->deliver_took_us * INGEST_EARLY_SHARE);
	return (yg_span){caught_up ? YG_MIN(most, early) : most};
}

static void seal(struct pipe *p)
{
	if (p->run.running || p->fill == NULL || yg_block_empty(p->fill) ||
	    p->queue_n == YG_LEN(p->queue))
		return;
	yg_mono due = yg_mono_add(p->fill->begun, patience(p));
	if (!fill_full(p) && !p->in->draining && !yg_mono_due(due, ingest_now(p->in)))
		return;
	p->queue[p->queue_n++] = p->fill;
	p->fill = NULL;
	for (size_t i = 0; i < YG_LEN(p->blocks); i++) {
		bool used = false;
		for (size_t k = 0; k < p->queue_n; k++)
			used = used || p->queue[k] == &p->blocks[i];
		if (!used)
			p->fill = &p->blocks[i];
	}
}

static void work_deliver(uv_work_t *w)
{
	work_store(w->data);
}

void pipe_shrink(struct pipe *p)
{
	if (!p->deliver.running)
		yg_buf_free(&p->native);
	for (size_t i = 0; i < YG_LEN(p->blocks); i++) {
		bool busy = p->run.running && p->fill == &p->blocks[i];
		if (!busy && yg_block_empty(&p->blocks[i]) && p->blocks[i].rows.cap > BLOCK_KEEP)
			yg_block_free(&p->blocks[i]);
	}
}

static void after_deliver(uv_work_t *w, int status)
{
	struct pipe *p = w->data;
	(void)status;
	p->deliver.running = false;
	if (!p->note_only)
		p->deliver_took_us = ingest_now(p->in).us - p->deliver_begun.us;
	p->shown.rows = p->d.rows;
	p->shown.blocks = p->d.blocks;
	p->shown.again = p->d.retries;
	p->shown.journal_bytes = yg_spool_journal_bytes(p->journal);
	p->shown.refused = p->d.refused;
	if (p->d.refused > p->refused_told)
		yg_role_log(p->in->ctx, YG_EV_INGEST_REFUSED, YG_KN("spool", p->number),
			    YG_KN("batch", p->d.refused_batch),
			    YG_KN("count", p->d.refused - p->refused_told),
			    YG_KU("reason", yg_sv_of(p->d.refused_reason)));
	p->refused_told = p->d.refused;
	if (p->deliver_st != YG_OK) {
		retry_failed(p, &p->retry_deliver);
		retry_report(p, &p->retry_deliver, "store", p->deliver_st, &p->deliver_err);
		if (p->deliver_st == YG_CORRUPT)
			ingest_fatal(p->in, "journal", &p->deliver_err);
		pipe_kick(p);
		return;
	}
	if (!p->note_only) {
		struct yg_block *b = p->queue[0];
		retry_well(p, &p->retry_deliver, "store");
		p->stored = YG_MAX(p->stored, b->complete);
		pipe_messages(p, b);
		p->queue[0] = p->queue[1];
		p->queue_n--;
		yg_block_reset(b);
		if (p->fill == NULL)
			p->fill = b;
	}
	pipe_kick(p);
}

static void kick_deliver(struct pipe *p)
{
	if (p->deliver.running || p->in->stopping)
		return;
	bool due = p->queue_n > 0 && p->msg_bytes < INGEST_FINDINGS_MAX &&
		   retry_due(p, &p->retry_deliver);
	p->note_only = !due && nothing_under_way(p) && p->released > p->d.noted &&
		       retry_due(p, &p->retry_deliver);
	if (!due && !p->note_only)
		return;
	p->d.released = p->released;
	p->deliver_begun = ingest_now(p->in);
	job_start(&p->deliver, work_deliver, after_deliver);
}

/* ---- findings ---- */
static void work_send(uv_work_t *w)
{
	work_center(w->data);
}
static void after_send(uv_work_t *w, int status)
{
	struct pipe *p = w->data;
	(void)status;
	p->send.running = false;
	p->shown.findings_refused = p->send_refused;
	if (p->send_st == YG_OK) {
		struct message *m = p->msg_first;
		retry_well(p, &p->retry_send, "center");
		p->findings_sent++;
		p->msg_first = m->next;
		if (p->msg_first == NULL)
			p->msg_last = NULL;
		p->msg_bytes -= m->n;
		free(m);
	} else {
		retry_failed(p, &p->retry_send);
		retry_report(p, &p->retry_send, "center", p->send_st, &p->send_err);
	}
	pipe_kick(p);
}
static void kick_send(struct pipe *p)
{
	if (!p->send.running && p->msg_first != NULL && retry_due(p, &p->retry_send) &&
	    !p->in->stopping)
		job_start(&p->send, work_send, after_send);
}

/* ---- driving ---- */
static void on_wake(uv_timer_t *t)
{
	struct pipe *p = t->data;
	if (p->retry_commit.wait_us != 0 && retry_due(p, &p->retry_commit)) {
		p->retry_commit.wait_us = 0; /* doors may try again */
		doors_resume(p->in);
		follow_resume(p->in);
	}
	pipe_kick(p);
}

static void earliest(yg_mono *best, yg_mono at)
{
	if (at.us < best->us)
		*best = at;
}

static void wake_arm(struct pipe *p)
{
	yg_mono best = {INT64_MAX}, now = ingest_now(p->in);
	if (p->fill != NULL && !p->run.running && !yg_block_empty(p->fill) &&
	    p->queue_n < YG_LEN(p->queue))
		earliest(&best, yg_mono_add(p->fill->begun, patience(p)));
	if (p->retry_run.wait_us != 0 && !p->run.running)
		earliest(&best, p->retry_run.at);
	if (p->retry_deliver.wait_us != 0 && !p->deliver.running)
		earliest(&best, p->retry_deliver.at);
	if (p->retry_send.wait_us != 0 && !p->send.running)
		earliest(&best, p->retry_send.at);
	if (p->retry_commit.wait_us != 0)
		earliest(&best, p->retry_commit.at);
	if (best.us == INT64_MAX) {
		(void)uv_timer_stop(&p->wake);
		return;
	}
	int64_t ms = best.us > now.us ? (best.us - now.us) / 1000 + 1 : 1;
	(void)uv_timer_start(&p->wake, on_wake, (uint64_t)ms, 0);
}

void pipe_kick(struct pipe *p)
{
	if (!p->ready)
		return;
	kick_commit(p);
	seal(p);
	kick_run(p);
	kick_deliver(p);
	kick_send(p);
	kick_release(p);
	wake_arm(p);
	if (p->worked && pipe_idle(p)) {
		p->worked = false;
		(void)uv_timer_start(&p->in->rest, ingest_rest, INGEST_REST_MS, 0);
	}
}

bool pipe_jobs(const struct pipe *p)
{
	return p->commit.running || p->release.running || p->run.running || p->deliver.running ||
	       p->send.running;
}

bool pipe_idle(const struct pipe *p)
{
	return nothing_under_way(p) && !p->commit.running && p->wait_first == NULL &&
	       yg_spool_limit(p->spool).seq <= p->idle_at && p->d.noted >= p->released;
}

/* ---- opening ---- */
static void on_report(void *ctx, enum yg_spool_report what, uint64_t seq, uint64_t bytes,
		      const char *detail)
{
	struct pipe *p = ctx;
	yg_role_log(p->in->ctx, what == YG_SPOOL_DAMAGED ? YG_EV_INGEST_DAMAGED : YG_EV_INGEST_NOTE,
		    YG_KN("spool", p->number), YG_KN("batch", seq), YG_KN("bytes", bytes),
		    YG_KS("text", detail));
}

static const struct yg_mapping *mapping_of(void *ctx, struct yg_sv name)
{
	struct ingest *in = ctx;
	for (size_t i = 0; i < in->mapping_n; i++) {
		if (yg_sv_eq(in->mappings[i].name, name))
			return in->mappings[i].mapping;
	}
	return NULL;
}

/* How the process before this one ended, as main saw it: a signal of its own
 * making (a crash, a forbidden call) speaks against the batch it worked on more
 * than a kill from outside. */
static uint32_t deaths_most(void)
{
	const char *text = getenv("YG_LAST_SIGNAL");
	uint64_t sig = 0;
	if (text == NULL || yg_parse_u64(yg_sv_of(text), &sig, NULL) != YG_OK)
		return INGEST_DEATHS_OTHER;
	switch (sig) {
	case SIGSEGV:
	case SIGBUS:
	case SIGABRT:
	case SIGILL:
	case SIGFPE:
	case SIGSYS: return INGEST_DEATHS_CRASH;
	default: return INGEST_DEATHS_OTHER;
	}
}

static yg_status pipe_open_parts(struct pipe *p, struct yg_err *err)
{
	struct ingest *in = p->in;
	struct yg_process_conf pc = {.spool = &p->conf,
				     .env = &in->ctx->env,
				     .rows_most = in->conf->ingest_deliver_rows,
				     .mapping = mapping_of,
				     .mapping_ctx = in,
				     .deaths_most = deaths_most()};
	yg_status st = yg_spool_journal_open(&p->conf, &p->journal, err);
	if (st != YG_OK)
		return st;
	uint64_t released = yg_spool_journal_released_seq(p->journal);
	uint64_t intent = yg_spool_journal_intent_last(p->journal);
	p->conf.floor = YG_MAX(released, intent);
	st = yg_spool_open(&p->conf, &p->spool, err);
	if (st == YG_OK)
		st = yg_spool_busy_open(&p->conf, &pc.busy, &p->busy_fd, err);
	pc.journal = p->journal;
	pc.after = released;
	pc.busy_fd = p->busy_fd;
	if (st == YG_OK)
		st = yg_process_new(&pc, &p->process, err);
	if (st == YG_OK)
		st = pipe_store_open(p, err);
	if (st != YG_OK)
		return st;
	p->stored = p->released = p->idle_at = released;
	p->d = (struct yg_deliver){.ops = &p->ops,
				   .journal = p->journal,
				   .spool = p->number,
				   .refusals_most = INGEST_REFUSALS,
				   .uncertain_upto = intent,
				   .released = released,
				   .noted = released};
	struct yg_sb q = yg_sb_init(p->d.settle_first, sizeof p->d.settle_first);
	yg_sb_put(&q, yg_spool_journal_intent_query(p->journal));
	(void)yg_sb_cstr(&q);
	return YG_OK;
}

yg_status pipe_open(struct pipe *p, struct ingest *in, uint32_t number, struct yg_err *err)
{
	*p = (struct pipe){.in = in, .number = number, .busy_fd = -1, .center_fd = -1};
	struct yg_sb d = yg_sb_init(p->dir, sizeof p->dir);
	yg_sb_printf(&d, "spool/%u", number);
	(void)yg_sb_cstr(&d);
	yg_status st = yg_dir_make(p->dir, 0700, err);
	if (st != YG_OK)
		return st;
	p->conf = (struct yg_spool_conf){.dir = p->dir,
					 .aside_dir = "quarantine",
					 .number = number,
					 .most_bytes = in->conf->ingest_spool_bytes,
					 .env = &in->ctx->env,
					 .report = on_report,
					 .report_ctx = p};
	for (size_t i = 0; i < YG_LEN(p->blocks); i++)
		yg_block_init(&p->blocks[i]);
	p->fill = &p->blocks[0];
	yg_buf_init(&p->native, YG_EVENT_BLOCK_MAX);
	struct job *jobs[] = {&p->commit, &p->release, &p->run, &p->deliver, &p->send};
	for (size_t i = 0; i < YG_LEN(jobs); i++)
		jobs[i]->pipe = p;
	if (uv_timer_init(in->ctx->loop, &p->wake) != 0)
		return YG_FAIL(err, YG_INTERNAL, "a timer of the loop");
	p->wake.data = p;
	st = pipe_open_parts(p, err);
	p->ready = st == YG_OK;
	return st;
}

void pipe_close(struct pipe *p)
{
	yg_process_free(p->process);
	yg_spool_journal_close(p->journal);
	yg_spool_close(p->spool);
	yg_ch_close(p->ch);
	yg_fd_close(&p->busy_fd);
	yg_fd_close(&p->center_fd);
	for (size_t i = 0; i < YG_LEN(p->blocks); i++)
		yg_block_free(&p->blocks[i]);
	yg_buf_free(&p->native);
	while (p->msg_first != NULL) {
		struct message *m = p->msg_first;
		p->msg_first = m->next;
		free(m);
	}
	while (p->wait_first != NULL) {
		struct ingest_req *r = p->wait_first;
		p->wait_first = r->next;
		ingest_req_free(r);
	}
	ingest_snap_drop(p->intel.now);
	ingest_snap_drop(p->intel.used);
	ingest_snap_drop(p->rules.now);
	ingest_snap_drop(p->rules.used);
	p->ready = false;
}
