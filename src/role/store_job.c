#include <stdlib.h>

#include "role/store_internal.h"

#define KILL_EVERY_MS 100u /* a kill can come before the engine knows the query */

/* Engine calls that may run at a time: the sum fits the pool. */
static const unsigned work_max[WORK_CLASSES] = {6, 2, 2};
static_assert(YG_STORE_POOL >= 10, "the classes' bounds add up to the pool");

uint64_t store_now_ms(struct yg_store_http *h)
{
	return (uint64_t)(yg_env_mono(h->conf.env).us / 1000);
}

void store_job_unref(struct job *j)
{
	if (--j->refs > 0)
		return;
	TAILQ_REMOVE(&j->http->jobs, j, all);
	yg_buf_free(&j->body);
	yg_buf_free(&j->text_out);
	free(j);
}

void store_job_body_free(struct job *j)
{
	j->sql = (struct yg_store_sql){.verb = YG_STORE_EMPTY};
	j->text = YG_SV("");
	j->http->body_bytes -= j->body.cap;
	yg_buf_free(&j->body);
	yg_buf_init(&j->body, BODY_MAX);
}

void store_job_answer(struct job *j, unsigned status, uint32_t code, const char *text)
{
	j->state = JOB_ANSWER;
	j->status = status;
	j->code = code;
	j->text_out.n = 0;
	if (code != 0)
		yg_buf_printf(&j->text_out, "Code: %" PRIu32 ". DB::Exception: ", code);
	yg_buf_put(&j->text_out, yg_sv_of(text));
	yg_buf_putc(&j->text_out, '\n');
}

void store_job_answer_code(struct job *j, uint32_t code, const char *text)
{
	store_job_answer(j, yg_store_http_status(code), code, text);
}

void store_job_resume(struct job *j)
{
	if (!j->suspended)
		return;
	j->suspended = false;
	MHD_resume_connection(j->conn);
}

/* --- the pool ----------------------------------------------------------- */

static void on_work_done(uv_work_t *work, int status);

static void pool_fill(struct yg_store_http *h, enum work_class class)
{
	while (h->running[class] < work_max[class] && !TAILQ_EMPTY(&h->queue[class])) {
		struct job *j = TAILQ_FIRST(&h->queue[class]);
		TAILQ_REMOVE(&h->queue[class], j, queued);
		h->queued[class]--;
		h->running[class]++;
		j->work.data = j;
		if (j->step == STEP_RUN) {
			j->state = JOB_RUNNING;
			j->begun_ms = store_now_ms(h);
			j->begun_insert = j->sql.verb == YG_STORE_INSERT;
		}
		(void)uv_queue_work(h->conf.loop, &j->work, store_work,
				    on_work_done); /* fails without a callback only */
	}
}

void store_pool_add(struct job *j, enum work_class class, enum job_step step)
{
	j->class = class;
	j->step = step;
	j->refs++;
	TAILQ_INSERT_TAIL(&j->http->queue[class], j, queued);
	j->http->queued[class]++;
	pool_fill(j->http, class);
}

static void on_watch_closed(uv_handle_t *handle)
{
	struct job *j = handle->data;
	free(handle);
	store_job_unref(j);
}

void store_watch_stop(struct job *j)
{
	if (j->watch == NULL)
		return;
	uv_close((uv_handle_t *)j->watch, on_watch_closed);
	j->watch = NULL;
}

static void on_disconnect(uv_poll_t *handle, int status, int events)
{
	struct job *j = handle->data;
	struct yg_store_http *http = j->http; /* j may end below */
	(void)status;
	(void)events;
	(void)uv_poll_stop(handle);
	store_job_cancel(j);
	store_http_turn(http);
}

void store_watch_start(struct job *j)
{
	uv_poll_t *w = j->watch == NULL ? malloc(sizeof *w) : NULL;
	if (w == NULL || uv_poll_init(j->http->conf.loop, w, j->fd) != 0) {
		free(w); /* without it a query runs to its limit of time */
		return;
	}
	w->data = j;
	j->refs++;
	j->watch = w;
	(void)uv_poll_start(w, UV_DISCONNECT, on_disconnect);
}

void store_held_release(struct yg_store_http *h, const char *id)
{
	struct job *j, *other;
	TAILQ_FOREACH(j, &h->jobs, all)
	{
		if (j->state != JOB_HELD || strcmp(j->kill_id, id) != 0)
			continue;
		bool still = false;
		TAILQ_FOREACH(other, &h->jobs, all)
		still |= other != j &&
			 (other->state == JOB_WAITING || other->state == JOB_RUNNING ||
			  other->state == JOB_STREAM) &&
			 strcmp(other->id, id) == 0;
		if (still)
			continue;
		store_job_answer(j, 200, 0, "");
		j->text_out.n = 0;
		store_job_resume(j);
	}
}

void store_drain_check(struct yg_store_http *h)
{
	if (!h->draining || h->drained == NULL)
		return;
	struct job *j;
	TAILQ_FOREACH(j, &h->jobs, all)
	if (j->state == JOB_WAITING || j->state == JOB_RUNNING || j->state == JOB_ANSWER ||
	    j->state == JOB_STREAM)
		return;
	void (*done)(void *) = h->drained;
	h->drained = NULL;
	done(h->drained_ctx);
}

static void run_done(struct job *j)
{
	struct yg_store_http *h = j->http;
	store_watch_stop(j);
	store_job_body_free(j);
	if (j->failed != 0) {
		store_job_answer_code(j, j->failed, j->failed_text);
	} else if (j->stream != NULL && j->result.error.n == 0) {
		j->state = JOB_STREAM;
	} else {
		j->state = JOB_ANSWER;
		j->code = j->result.error.n > 0 ? j->result.code : 0;
		j->status = j->code != 0 ? yg_store_http_status(j->code) : 200;
	}
	if (j->state == JOB_ANSWER)
		store_held_release(h, j->id);
	store_job_resume(j);
}

static void on_work_done(uv_work_t *work, int status)
{
	struct job *j = work->data;
	struct yg_store_http *h = j->http;
	(void)status;
	h->running[j->class]--;
	switch (j->step) {
	case STEP_RUN: run_done(j); break;
	case STEP_FETCH:
		store_watch_stop(j);
		j->sent = 0;
		store_job_resume(j);
		break;
	default: break;
	}
	pool_fill(h, j->class);
	store_job_unref(j);
	store_http_turn(h);
	store_drain_check(h);
}

/* --- killing ------------------------------------------------------------ */

static void on_kill_timer(uv_timer_t *timer)
{
	struct yg_store_http *h = timer->data;
	struct job *j;
	bool left = false;
	TAILQ_FOREACH(j, &h->jobs, all)
	{
		if (!store_job_cancelled(j) || j->state == JOB_OVER || j->begun_insert)
			continue;
		bool busy = j->state == JOB_RUNNING || (j->state == JOB_STREAM && j->suspended);
		if (!busy)
			continue;
		left = true;
		struct job *k = h->running[WORK_CONTROL] < work_max[WORK_CONTROL]
					? calloc(1, sizeof *k)
					: NULL;
		if (k == NULL)
			continue;
		k->http = h;
		k->state = JOB_OVER;
		memcpy(k->tag, j->tag, sizeof k->tag);
		yg_buf_init(&k->body, 0);
		yg_buf_init(&k->text_out, 0);
		TAILQ_INSERT_TAIL(&h->jobs, k, all);
		store_pool_add(k, WORK_CONTROL, STEP_KILL);
	}
	if (left)
		(void)uv_timer_start(&h->kill_timer, on_kill_timer, KILL_EVERY_MS, 0);
}

void store_job_cancel(struct job *j)
{
	__atomic_store_n(&j->cancel, true, __ATOMIC_RELAXED);
	if (j->state == JOB_WAITING && j->step == STEP_RUN) {
		TAILQ_REMOVE(&j->http->queue[j->class], j, queued);
		j->http->queued[j->class]--;
		store_watch_stop(j);
		store_job_body_free(j);
		store_job_answer_code(j, 394, "Query was cancelled");
		store_held_release(j->http, j->id);
		store_job_resume(j);
		store_job_unref(j);
		return;
	}
	if (!uv_is_active((uv_handle_t *)&j->http->kill_timer))
		(void)uv_timer_start(&j->http->kill_timer, on_kill_timer, 0, 0);
}

void store_job_kill(struct job *k)
{
	struct yg_store_http *h = k->http;
	struct job *j, *following;
	bool found = false;
	for (j = TAILQ_FIRST(&h->jobs); j != NULL; j = following) {
		following = TAILQ_NEXT(j, all);
		if (j == k || strcmp(j->id, k->kill_id) != 0 || j->id[0] == '\0')
			continue;
		if (j->state == JOB_BODY) {
			__atomic_store_n(&j->cancel, true, __ATOMIC_RELAXED);
		} else if (j->state == JOB_WAITING || j->state == JOB_RUNNING ||
			   j->state == JOB_STREAM) {
			store_job_cancel(j);
			found |= j->state != JOB_ANSWER;
		}
	}
	if (found && k->sql.kill_sync) {
		k->state = JOB_HELD;
		k->suspended = true;
		MHD_suspend_connection(k->conn);
		return;
	}
	store_job_answer(k, 200, 0, "");
	k->text_out.n = 0;
}
