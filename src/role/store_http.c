#include "role/store_http.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "role/store_sql.h"

#define BODY_MAX       (256u << 20) /* of one request; more: 413 */
#define BODY_TOTAL_MAX (512u << 20) /* of all requests together; more: 503, come back */
#define HEAD_MEMORY    (256u << 10) /* request line, headers and arguments of one connection */
#define SETTINGS_MAX   24u          /* settings of one URL; more: 400 */
#define PARAMS_MAX     96u
#define ID_MAX         128u
#define FORMAT_MAX     63u  /* bytes of a format's name that an answer repeats */
#define QUEUE_MAX      256u /* queries waiting per class; more: ClickHouse's code 202 */
#define IDLE_SECONDS   60u  /* a connection that sends or takes nothing */
#define KILL_EVERY_MS  100u /* a kill can come before the engine knows the query */
#define SETTLE_MS_MAX  300000u

/* Engine calls that may run at a time: the sum fits the pool. */
enum work_class { WORK_READ, WORK_WRITE, WORK_CONTROL, WORK_CLASSES };
static const unsigned work_max[WORK_CLASSES] = {6, 2, 2};
static_assert(YG_STORE_POOL >= 10, "the classes' bounds add up to the pool");

enum job_state {
	JOB_BODY,    /* the body comes in */
	JOB_WAITING, /* in its class's queue */
	JOB_RUNNING, /* in the pool */
	JOB_HELD,    /* KILL ... SYNC: until its target is gone */
	JOB_ANSWER,  /* the answer is known */
	JOB_STREAM,  /* sending; fetches run in the pool */
	JOB_OVER,
};
enum job_step { STEP_RUN, STEP_FETCH, STEP_END, STEP_KILL };

struct job {
	TAILQ_ENTRY(job) all;    /* of http->jobs */
	TAILQ_ENTRY(job) queued; /* of http->queue[class] */
	struct yg_store_http *http;
	struct MHD_Connection *conn;
	int fd;
	bool tcp, get, suspended, told, close_after;
	enum job_state state;
	enum job_step step;
	enum work_class class;
	unsigned refs; /* libmicrohttpd's request, work in the pool, the poll handle */
	uv_work_t work;
	uv_poll_t *watch; /* the client's going away, while the engine works */

	/* what was asked */
	struct yg_sv query_arg, database, format; /* libmicrohttpd's, as long as the request */
	bool wait_end;
	struct yg_chdb_arg settings[SETTINGS_MAX], params[PARAMS_MAX];
	size_t setting_count, param_count;
	uint64_t limit_seconds_ms, limit_rows, limit_memory, limit_result, limit_threads;
	char id[ID_MAX + 1];
	char tag[24]; /* the engine knows the query by it */
	struct yg_buf body;
	bool body_over;
	/* Views into `body` too: body_free() empties them.  What an answer or another
	 * job needs of the statement is copied below when it has been read. */
	struct yg_store_sql sql;
	struct yg_sv text;          /* the whole statement */
	char named[FORMAT_MAX + 1]; /* the result's format; too long a name: empty */
	char kill_id[ID_MAX + 1];   /* KILL: whose end it waits for */

	/* running; `cancel` is read in the pool */
	bool cancel;       /* relaxed atomics */
	bool begun_insert; /* cannot be cancelled any more */
	uint64_t begun_ms;
	struct yg_chdb_conn *engine;
	struct yg_chdb_stream *stream;
	struct yg_chdb_result result;
	uint32_t failed; /* an exception of ours instead of a result; 0: none */
	const char *failed_text;
	size_t sent; /* of result.body */
	uint64_t result_bytes;
	bool stream_end;

	/* the answer, when it is not result.body */
	unsigned status;
	uint32_t code;
	struct yg_buf text_out;
};
TAILQ_HEAD(job_list, job);

struct yg_store_http {
	struct yg_store_http_conf conf;
	struct MHD_Daemon *daemons[2]; /* Unix, TCP */
	uv_poll_t polls[2];
	uv_timer_t timer; /* libmicrohttpd's time-outs */
	uv_timer_t kill_timer;
	struct job_list jobs, queue[WORK_CLASSES];
	unsigned queued[WORK_CLASSES], running[WORK_CLASSES];
	uint64_t body_bytes, counter;
	bool draining;
	void (*drained)(void *ctx);
	void *drained_ctx;
};

static void http_turn(struct yg_store_http *h);
static void job_resume(struct job *j);

static uint64_t now_ms(struct yg_store_http *h)
{
	return (uint64_t)(yg_env_mono(h->conf.env).us / 1000);
}

/* --- life of a job ------------------------------------------------------ */

static void job_unref(struct job *j)
{
	if (--j->refs > 0)
		return;
	TAILQ_REMOVE(&j->http->jobs, j, all);
	yg_buf_free(&j->body);
	yg_buf_free(&j->text_out);
	free(j);
}

/* Nothing may point into the body behind this. */
static void body_free(struct job *j)
{
	j->sql = (struct yg_store_sql){.verb = YG_STORE_EMPTY};
	j->text = YG_SV("");
	j->http->body_bytes -= j->body.cap;
	yg_buf_free(&j->body);
	yg_buf_init(&j->body, BODY_MAX);
}

static void answer(struct job *j, unsigned status, uint32_t code, const char *text)
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

static void answer_code(struct job *j, uint32_t code, const char *text)
{
	answer(j, yg_store_http_status(code), code, text);
}

static bool cancelled(const struct job *j)
{
	return __atomic_load_n(&j->cancel, __ATOMIC_RELAXED);
}

/* --- the engine's side: these run in the pool --------------------------- */

/* The other end closed its socket: nobody waits for this any more.  What is
 * asked by a client that went away before it began is not done, so that whoever
 * settles an insert and finds it absent can rely on it (see doc/event-store.md). */
static bool client_gone(const struct job *j)
{
	struct pollfd p = {.fd = j->fd, .events = POLLRDHUP};
	return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static void fail_result(struct job *j, uint32_t code, const char *text)
{
	j->failed = code;
	j->failed_text = text;
}

static size_t limits(const struct job *j, bool insert, struct yg_chdb_arg *out, char (*text)[32])
{
	static const struct {
		struct yg_sv name;
	} names[] = {{YG_SV_INIT("max_execution_time")},
		     {YG_SV_INIT("max_rows_to_read")},
		     {YG_SV_INIT("max_memory_usage")},
		     {YG_SV_INIT("max_result_bytes")},
		     {YG_SV_INIT("max_threads")}};
	const uint64_t values[] = {insert ? 0 : j->limit_seconds_ms, insert ? 0 : j->limit_rows,
				   insert ? 0 : j->limit_memory, j->limit_result, j->limit_threads};
	for (size_t i = 0; i < YG_LEN(names); i++) {
		struct yg_sb b = yg_sb_init(text[i], sizeof text[i]);
		if (i == 0)
			yg_sb_printf(&b, "%" PRIu64 ".%03u", values[i] / 1000,
				     (unsigned)(values[i] % 1000));
		else
			yg_sb_u64(&b, values[i]);
		out[i] = (struct yg_chdb_arg){names[i].name, yg_sb_sv(&b)};
	}
	return YG_LEN(names);
}

/* One block, so one part per partition: all rows of an insert or none. */
static const struct yg_chdb_arg insert_settings[] = {
	{YG_SV_INIT("max_insert_block_size"), YG_SV_INIT("100000000")},
	{YG_SV_INIT("max_insert_block_size_bytes"), YG_SV_INIT("0")},
	{YG_SV_INIT("min_insert_block_size_rows"), YG_SV_INIT("100000000")},
	{YG_SV_INIT("min_insert_block_size_bytes"), YG_SV_INIT("4000000000")},
	{YG_SV_INIT("input_format_parallel_parsing"), YG_SV_INIT("0")},
	{YG_SV_INIT("async_insert"), YG_SV_INIT("0")},
};

static bool open_engine(struct job *j)
{
	struct yg_chdb_arg args[16];
	char text[8][32];
	bool insert = j->sql.verb == YG_STORE_INSERT;
	size_t n = limits(j, insert, args, text);
	for (size_t i = 0; insert && i < YG_LEN(insert_settings); i++)
		args[n++] = insert_settings[i];
	if (yg_chdb_open(j->http->conf.db, j->tag, args, n, &j->engine, NULL) == YG_OK)
		return true;
	fail_result(j, 241, "the engine has no memory for a connection");
	return false;
}

/* Runs a statement of our own on the job's connection; an error is its answer. */
static bool statement(struct job *j, struct yg_buf *sql)
{
	if (sql->bad) {
		fail_result(j, 36, "a name or a setting is too long");
		return false;
	}
	yg_chdb_query(j->engine, yg_buf_sv(sql), YG_SV("Null"), NULL, 0, &j->result);
	if (j->result.error.n > 0)
		return false;
	yg_chdb_result_free(&j->result);
	return true;
}

static void put_escaped(struct yg_buf *b, struct yg_sv s, char quote)
{
	yg_buf_putc(b, quote);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == quote || s.p[i] == '\\')
			yg_buf_putc(b, '\\');
		yg_buf_putc(b, s.p[i]);
	}
	yg_buf_putc(b, quote);
}

/* USE, then SET: what the client asked for, within what the users file allows. */
static bool prepare(struct job *j)
{
	struct yg_buf sql;
	yg_buf_init(&sql, 32768);
	bool ok = true;
	if (j->database.n > 0 && !YG_SV_IS(j->database, "default")) {
		yg_buf_put(&sql, YG_SV("USE "));
		put_escaped(&sql, j->database, '`');
		ok = statement(j, &sql);
	}
	if (ok && j->setting_count > 0) {
		sql.n = 0;
		yg_buf_put(&sql, YG_SV("SET "));
		for (size_t i = 0; i < j->setting_count; i++) {
			if (i > 0)
				yg_buf_putc(&sql, ',');
			yg_buf_put(&sql, j->settings[i].name);
			yg_buf_putc(&sql, '=');
			put_escaped(&sql, j->settings[i].value, '\'');
		}
		ok = statement(j, &sql);
	}
	yg_buf_free(&sql);
	return ok;
}

/* What may run, by the engine's own reading of it. */
static bool allowed(struct job *j)
{
	struct yg_chdb_kind k =
		yg_chdb_classify(j->engine, j->sql.verb == YG_STORE_INSERT ? j->sql.head : j->text);
	if (j->sql.reads_file) {
		fail_result(j, 497, "INFILE and OUTFILE are not available here");
		return false;
	}
	if (k.statements == 0 || (k.statements == 1 && k.class == YG_CHDB_READ))
		return true; /* what does not parse gets the engine's own message */
	if (k.statements > 1) {
		fail_result(j, 62, "Syntax error: one statement per request");
		return false;
	}
	if (k.class != YG_CHDB_WRITE) {
		fail_result(j, 497, "Not enough privileges: this statement is not available here");
		return false;
	}
	if (j->get) {
		fail_result(j, 164,
			    "Cannot execute query in readonly mode: GET changes nothing, use POST");
		return false;
	}
	return true;
}

static void run_insert(struct job *j)
{
	if (client_gone(j) || cancelled(j)) {
		fail_result(j, 394, "Query was cancelled before it began");
		return;
	}
	struct yg_sv format = j->sql.format.n > 0 ? j->sql.format : j->format;
	yg_chdb_insert(j->engine, j->sql.head, format, j->sql.data, j->params, j->param_count,
		       &j->result);
}

/* max_result_bytes counts columns in memory; what they are as text counts here. */
static void bound_result(struct job *j)
{
	j->result_bytes += j->result.body.n;
	if (j->limit_result == 0 || j->result_bytes <= j->limit_result)
		return;
	yg_chdb_result_free(&j->result);
	j->result.error = YG_SV(
		"Code: 396. DB::Exception: Limit for result exceeded. (TOO_MANY_ROWS_OR_BYTES)");
	j->result.code = 396;
}

static void fetch(struct job *j)
{
	yg_chdb_stream_fetch(j->stream, &j->result);
	bound_result(j);
	j->stream_end = j->result.error.n > 0 || j->result.body.n == 0;
}

static void run_query(struct job *j)
{
	struct yg_sv named = j->sql.format.n > 0 ? j->sql.format : j->format;
	if (j->wait_end || !j->sql.select || !yg_store_format_streams(named)) {
		yg_chdb_query(j->engine, j->text, j->format, j->params, j->param_count, &j->result);
		bound_result(j);
		return;
	}
	yg_chdb_stream_begin(j->engine, j->text, j->format, j->params, j->param_count, &j->stream,
			     &j->result);
	if (j->stream == NULL)
		return;
	fetch(j);
}

static void step_run(struct job *j)
{
	if (cancelled(j) || client_gone(j)) {
		fail_result(j, 394, "Query was cancelled before it began");
		return;
	}
	if (!open_engine(j) || !prepare(j) || !allowed(j))
		return;
	if (j->sql.verb == YG_STORE_INSERT)
		run_insert(j);
	else
		run_query(j);
}

static void step_end(struct job *j)
{
	yg_chdb_stream_end(j->stream);
	j->stream = NULL;
	yg_chdb_result_free(&j->result);
	yg_chdb_close(j->engine);
	j->engine = NULL;
}

static void on_work(uv_work_t *work)
{
	struct job *j = work->data;
	switch (j->step) {
	case STEP_RUN: step_run(j); break;
	case STEP_FETCH:
		yg_chdb_result_free(&j->result);
		if (!cancelled(j))
			fetch(j);
		break;
	case STEP_END: step_end(j); break;
	case STEP_KILL: yg_chdb_kill(j->http->conf.db, j->tag); break;
	}
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
			j->begun_ms = now_ms(h);
			j->begun_insert = j->sql.verb == YG_STORE_INSERT;
		}
		(void)uv_queue_work(h->conf.loop, &j->work, on_work,
				    on_work_done); /* fails without a callback only */
	}
}

static void pool_add(struct job *j, enum work_class class, enum job_step step)
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
	job_unref(j);
}

static void watch_stop(struct job *j)
{
	if (j->watch == NULL)
		return;
	uv_close((uv_handle_t *)j->watch, on_watch_closed);
	j->watch = NULL;
}

static void job_cancel(struct job *j);

static void on_disconnect(uv_poll_t *handle, int status, int events)
{
	struct job *j = handle->data;
	struct yg_store_http *http = j->http; /* j may end below */
	(void)status;
	(void)events;
	(void)uv_poll_stop(handle);
	job_cancel(j);
	http_turn(http);
}

static void watch_start(struct job *j)
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

/* Something ended: whoever waits for it with KILL ... SYNC may go on. */
static void release_held(struct yg_store_http *h, const char *id)
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
		answer(j, 200, 0, "");
		j->text_out.n = 0;
		job_resume(j);
	}
}

static void drain_check(struct yg_store_http *h)
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
	watch_stop(j);
	body_free(j);
	if (j->failed != 0) {
		answer_code(j, j->failed, j->failed_text);
	} else if (j->stream != NULL && j->result.error.n == 0) {
		j->state = JOB_STREAM;
	} else {
		j->state = JOB_ANSWER;
		j->code = j->result.error.n > 0 ? j->result.code : 0;
		j->status = j->code != 0 ? yg_store_http_status(j->code) : 200;
	}
	if (j->state == JOB_ANSWER)
		release_held(h, j->id);
	job_resume(j);
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
		watch_stop(j);
		j->sent = 0;
		job_resume(j);
		break;
	default: break;
	}
	pool_fill(h, j->class);
	job_unref(j);
	http_turn(h);
	drain_check(h);
}

/* --- killing ------------------------------------------------------------ */

static void on_kill_timer(uv_timer_t *timer)
{
	struct yg_store_http *h = timer->data;
	struct job *j;
	bool left = false;
	TAILQ_FOREACH(j, &h->jobs, all)
	{
		if (!cancelled(j) || j->state == JOB_OVER || j->begun_insert)
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
		pool_add(k, WORK_CONTROL, STEP_KILL);
	}
	if (left)
		(void)uv_timer_start(&h->kill_timer, on_kill_timer, KILL_EVERY_MS, 0);
}

/* A query that waits is answered at once; one that runs is killed in the
 * engine, again and again until it ends; an insert that has begun goes on. */
static void job_cancel(struct job *j)
{
	__atomic_store_n(&j->cancel, true, __ATOMIC_RELAXED);
	if (j->state == JOB_WAITING && j->step == STEP_RUN) {
		TAILQ_REMOVE(&j->http->queue[j->class], j, queued);
		j->http->queued[j->class]--;
		watch_stop(j);
		body_free(j);
		answer_code(j, 394, "Query was cancelled");
		release_held(j->http, j->id);
		job_resume(j);
		job_unref(j);
		return;
	}
	if (!uv_is_active((uv_handle_t *)&j->http->kill_timer))
		(void)uv_timer_start(&j->http->kill_timer, on_kill_timer, 0, 0);
}

static void kill_query(struct job *k)
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
			job_cancel(j);
			found |= j->state != JOB_ANSWER;
		}
	}
	if (found && k->sql.kill_sync) {
		k->state = JOB_HELD;
		k->suspended = true;
		MHD_suspend_connection(k->conn);
		return;
	}
	answer(k, 200, 0, "");
	k->text_out.n = 0;
}

/* --- answers ------------------------------------------------------------ */

static void job_resume(struct job *j)
{
	if (!j->suspended)
		return;
	j->suspended = false;
	MHD_resume_connection(j->conn);
}

/* The body of a streamed result, on the loop. */
static ssize_t on_read(void *ctx, uint64_t pos, char *to, size_t max)
{
	struct job *j = ctx;
	(void)pos;
	struct yg_sv from = j->result.error.n > 0 ? j->result.error : j->result.body;
	if (j->sent < from.n) {
		size_t n = YG_MIN(max, from.n - j->sent);
		memcpy(to, from.p + j->sent, n);
		j->sent += n;
		return (ssize_t)n;
	}
	if (j->result.error.n > 0) /* as ClickHouse does: its text, then the connection breaks */
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (j->stream_end)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (cancelled(j))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	j->suspended = true;
	MHD_suspend_connection(j->conn);
	watch_start(j);
	pool_add(j, WORK_READ, STEP_FETCH);
	return 0;
}

static void header(struct MHD_Response *r, const char *name, const char *value)
{
	(void)MHD_add_response_header(r, name,
				      value); /* NO only when memory is out: a header less */
}

static void add_headers(struct job *j, struct MHD_Response *r)
{
	char text[400];
	header(r, "X-ClickHouse-Server-Display-Name", "yagura");
	header(r, "X-ClickHouse-Timezone", "UTC");
	if (j->id[0] != '\0')
		header(r, "X-ClickHouse-Query-Id", j->id);
	if (j->code != 0) {
		(void)snprintf(text, sizeof text, "%" PRIu32, j->code);
		header(r, "X-ClickHouse-Exception-Code", text);
		header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=UTF-8");
		return;
	}
	header(r, MHD_HTTP_HEADER_CONTENT_TYPE, yg_store_format_mime(yg_sv_of(j->named)));
	if (j->named[0] != '\0')
		header(r, "X-ClickHouse-Format", j->named);
	const struct yg_chdb_result *s = &j->result;
	(void)snprintf(text, sizeof text,
		       "{\"read_rows\":\"%" PRIu64 "\",\"read_bytes\":\"%" PRIu64
		       "\",\"written_rows\":\"%" PRIu64 "\",\"written_bytes\":\"%" PRIu64
		       "\",\"total_rows_to_read\":\"0\",\"result_rows\":\"%" PRIu64
		       "\",\"result_bytes\":\"%zu\",\"elapsed_ns\":\"%" PRIu64 "\"}",
		       s->rows_read, s->bytes_read, s->rows_written, s->bytes_written, s->rows,
		       s->body.n, j->begun_ms > 0 ? (now_ms(j->http) - j->begun_ms) * 1000000 : 0);
	header(r, "X-ClickHouse-Summary", text);
}

static enum MHD_Result send_answer(struct job *j)
{
	struct MHD_Response *r;
	if (j->state == JOB_STREAM) {
		r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 128u << 10, on_read, j,
						      NULL);
		j->status = 200;
	} else {
		struct yg_sv body = j->text_out.n > 0       ? yg_buf_sv(&j->text_out)
				    : j->result.error.n > 0 ? j->result.error
							    : j->result.body;
		r = MHD_create_response_from_buffer(
			body.n, body.n > 0 ? (void *)(uintptr_t)body.p : (void *)(uintptr_t) "",
			MHD_RESPMEM_PERSISTENT);
	}
	if (r == NULL)
		return MHD_NO;
	add_headers(j, r);
	if (j->close_after)
		header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	enum MHD_Result ok = MHD_queue_response(j->conn, j->status, r);
	MHD_destroy_response(r);
	j->told = true;
	return ok;
}

/* --- requests ----------------------------------------------------------- */

static bool arg_u64(struct yg_sv v, uint64_t *out)
{
	return yg_parse_u64(v, out, NULL) == YG_OK;
}

/* Limits can be lowered by the client, not raised; 0 asks for the most. */
static void lower(uint64_t *limit, uint64_t asked)
{
	if (asked > 0 && (*limit == 0 || asked < *limit))
		*limit = asked;
}

static bool plain_setting(struct yg_sv name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return name.n > 0 && name.n <= 96;
}

/* What clients send that means nothing here, or is always so. */
static bool ignored_setting(struct yg_sv name)
{
	static const struct yg_sv names[] = {
		YG_SV_INIT("user"),
		YG_SV_INIT("password"),
		YG_SV_INIT("quota_key"),
		YG_SV_INIT("role"),
		YG_SV_INIT("session_id"),
		YG_SV_INIT("session_timeout"),
		YG_SV_INIT("session_check"),
		YG_SV_INIT("session_timezone"),
		YG_SV_INIT("buffer_size"),
		YG_SV_INIT("stacktrace"),
		YG_SV_INIT("decompress"),
		YG_SV_INIT("client_protocol_version"),
		YG_SV_INIT("http_make_head_request"),
		YG_SV_INIT("enable_http_compression"),
		YG_SV_INIT("http_zlib_compression_level"),
		YG_SV_INIT("async_insert"),
		YG_SV_INIT("wait_for_async_insert"),
		YG_SV_INIT("cancel_http_readonly_queries_on_client_close"),
		YG_SV_INIT("send_progress_in_http_headers"),
		YG_SV_INIT("http_headers_progress_interval_ms"),
		YG_SV_INIT("http_write_exception_in_output_format"),
		YG_SV_INIT("log_queries"),
		YG_SV_INIT("log_comment"),
		YG_SV_INIT("readonly")};
	for (size_t i = 0; i < YG_LEN(names); i++)
		if (yg_sv_eq(name, names[i]))
			return true;
	return false;
}

static bool limit_setting(struct job *j, struct yg_sv name, struct yg_sv value)
{
	uint64_t v;
	if (YG_SV_IS(name, "max_execution_time")) {
		struct yg_sv whole = yg_sv_sub(value, 0, yg_sv_find(value, '.', 0));
		if (arg_u64(whole, &v) && v < UINT64_MAX / 1000)
			lower(&j->limit_seconds_ms, v * 1000 + (whole.n < value.n));
		return true;
	}
	static const struct {
		struct yg_sv name;
		size_t at;
	} map[] = {{YG_SV_INIT("max_rows_to_read"), offsetof(struct job, limit_rows)},
		   {YG_SV_INIT("max_memory_usage"), offsetof(struct job, limit_memory)},
		   {YG_SV_INIT("max_result_bytes"), offsetof(struct job, limit_result)},
		   {YG_SV_INIT("max_threads"), offsetof(struct job, limit_threads)}};
	for (size_t i = 0; i < YG_LEN(map); i++) {
		if (!yg_sv_eq(name, map[i].name))
			continue;
		if (arg_u64(value, &v))
			lower((uint64_t *)(void *)((char *)j + map[i].at), v);
		return true;
	}
	return false;
}

static void take_setting(struct job *j, struct yg_sv name, struct yg_sv value)
{
	if (ignored_setting(name) || limit_setting(j, name, value))
		return;
	if (!plain_setting(name)) {
		answer_code(j, 115, "Unknown setting");
		return;
	}
	if (j->setting_count == SETTINGS_MAX) {
		answer_code(j, 36, "Too many settings in the URL");
		return;
	}
	j->settings[j->setting_count++] = (struct yg_chdb_arg){name, value};
}

static void take_id(struct job *j, struct yg_sv id)
{
	if (id.n == 0)
		return;
	for (size_t i = 0; i < id.n; i++)
		if (id.n > ID_MAX || id.p[i] <= ' ' || id.p[i] >= 0x7f) {
			answer_code(j, 36, "A query_id is up to 128 printable ASCII characters");
			return;
		}
	memcpy(j->id, id.p, id.n);
	j->id[id.n] = '\0';
}

static enum MHD_Result on_arg(void *ctx, enum MHD_ValueKind kind, const char *key, size_t key_n,
			      const char *value, size_t value_n)
{
	struct job *j = ctx;
	(void)kind;
	struct yg_sv name = {key, key_n},
		     v = {value != NULL ? value : "", value != NULL ? value_n : 0};
	if (YG_SV_IS(name, "query")) {
		j->query_arg = v;
	} else if (YG_SV_IS(name, "database")) {
		j->database = v;
	} else if (YG_SV_IS(name, "default_format")) {
		j->format = v;
	} else if (YG_SV_IS(name, "query_id")) {
		take_id(j, v);
	} else if (YG_SV_IS(name, "wait_end_of_query")) {
		j->wait_end = YG_SV_IS(v, "1");
	} else if (YG_SV_IS(name, "compress")) {
		if (!YG_SV_IS(v, "0"))
			answer_code(j, 48, "compress=1 is not available here");
	} else if (yg_sv_starts(name, YG_SV("param_"))) {
		if (j->param_count == PARAMS_MAX)
			answer_code(j, 36, "Too many parameters in the URL");
		else
			j->params[j->param_count++] =
				(struct yg_chdb_arg){yg_sv_sub(name, 6, name.n), v};
	} else {
		take_setting(j, name, v);
	}
	return MHD_YES;
}

static struct yg_sv request_header(struct job *j, const char *name)
{
	return yg_sv_of(MHD_lookup_connection_value(j->conn, MHD_HEADER_KIND, name));
}

static bool same_secret(struct yg_sv a, struct yg_sv b)
{
	unsigned char diff = (unsigned char)(a.n != b.n);
	for (size_t i = 0; i < a.n && b.n > 0; i++)
		diff |= (unsigned char)(a.p[i] ^ b.p[i % b.n]);
	return diff == 0;
}

/* TCP only.  A page in a browser on this machine could send here too: it says
 * so by Origin, and a name that was bound to 127.0.0.1 by Host. */
static bool door(struct job *j)
{
	struct yg_sv host = request_header(j, "Host"), want = j->http->conf.password;
	static const struct yg_sv loopback[] = {YG_SV_INIT("127.0.0.1"), YG_SV_INIT("localhost"),
						YG_SV_INIT("[::1]")};
	bool local = host.n == 0;
	for (size_t i = 0; i < YG_LEN(loopback); i++) {
		struct yg_sv rest = yg_sv_sub(host, loopback[i].n, host.n);
		local |= yg_sv_starts(host, loopback[i]) && (rest.n == 0 || rest.p[0] == ':');
	}
	if (!local || request_header(j, "Origin").n > 0) {
		answer(j, 403, 497, "Not enough privileges: not for browsers");
		return false;
	}
	if (want.n == 0)
		return true;
	struct yg_sv key = request_header(j, "X-ClickHouse-Key");
	char *basic = NULL, *user = NULL;
	if (key.n == 0) {
		user = MHD_basic_auth_get_username_password(j->conn, &basic);
		key = yg_sv_of(basic);
	}
	if (key.n == 0)
		key = yg_sv_of(
			MHD_lookup_connection_value(j->conn, MHD_GET_ARGUMENT_KIND, "password"));
	bool ok = same_secret(key, want);
	MHD_free(user);
	MHD_free(basic);
	if (!ok)
		answer_code(j, 516, "Authentication failed: password is incorrect");
	return ok;
}

static void make_id(struct job *j)
{
	uint8_t r[16];
	j->http->conf.env->random(j->http->conf.env->ctx, r, sizeof r);
	struct yg_sb b = yg_sb_init(j->id, sizeof j->id);
	for (size_t i = 0; i < sizeof r; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			yg_sb_putc(&b, '-');
		yg_sb_hex(&b, &r[i], 1);
	}
	(void)yg_sb_cstr(&b);
}

static void read_head(struct job *j, const char *method)
{
	const struct yg_store_http_conf *c = &j->http->conf;
	j->limit_seconds_ms = (uint64_t)c->query_seconds * 1000;
	j->limit_rows = c->query_rows;
	j->limit_memory = c->query_memory_bytes;
	j->limit_result = c->result_bytes;
	j->limit_threads = c->threads;
	j->database = request_header(j, "X-ClickHouse-Database");
	j->format = request_header(j, "X-ClickHouse-Format");
	if (!j->get && strcmp(method, "POST") != 0)
		answer(j, 405, 0, "GET and POST only");
	else if (!j->tcp || door(j))
		(void)MHD_get_connection_values_n(j->conn, MHD_GET_ARGUMENT_KIND, on_arg, j);
	if (j->format.n == 0)
		j->format = YG_SV("TabSeparated");
	if (j->id[0] == '\0')
		make_id(j);
	uint64_t length;
	if (arg_u64(request_header(j, "Content-Length"), &length) && length > BODY_MAX)
		answer(j, 413, 223, "Request is too large: more than 256 MiB");
	if (j->state != JOB_ANSWER && request_header(j, "Content-Encoding").n > 0 &&
	    !YG_SV_IS(request_header(j, "Content-Encoding"), "identity"))
		answer_code(j, 48, "Compressed requests are not available here");
}

static void take_body(struct job *j, const char *bytes, size_t n)
{
	struct yg_store_http *h = j->http;
	size_t cap = j->body.cap;
	if (j->state != JOB_BODY || j->body_over)
		return; /* the answer is known: what still comes is dropped */
	if (h->body_bytes + n > BODY_TOTAL_MAX || j->body.n + n > BODY_MAX) {
		j->body_over = true;
		bool mine = j->body.n + n > BODY_MAX;
		body_free(j);
		answer(j, mine ? 413 : 503, mine ? 223 : 202,
		       mine ? "Request is too large: more than 256 MiB"
			    : "Too many requests at a time; come back later");
		return;
	}
	yg_buf_put(&j->body, (struct yg_sv){bytes, n});
	h->body_bytes += j->body.cap - cap;
	if (j->body.bad) {
		body_free(j);
		answer_code(j, 241, "Memory limit exceeded");
	}
}

/* The statement is the URL's and the body's, one behind the other; an INSERT's
 * data is what follows its FORMAT in either. */
static void join(struct job *j)
{
	struct yg_sv body = yg_buf_sv(&j->body);
	if (j->query_arg.n == 0) {
		j->text = body;
		yg_store_sql_read(j->text, &j->sql);
		return;
	}
	yg_store_sql_read(j->query_arg, &j->sql);
	j->text = j->query_arg;
	if (j->sql.verb == YG_STORE_INSERT && yg_sv_trim(j->sql.data).n == 0) {
		j->sql.data = body;
		return;
	}
	if (body.n == 0)
		return;
	struct yg_buf both;
	yg_buf_init(&both, BODY_MAX);
	yg_buf_put(&both, j->query_arg);
	yg_buf_putc(&both, '\n');
	yg_buf_put(&both, body);
	if (both.bad) {
		yg_buf_free(&both);
		answer_code(j, 223, "Query is too large");
		return;
	}
	body_free(j);
	j->body = both;
	j->http->body_bytes += both.cap;
	j->text = yg_buf_sv(&j->body);
	yg_store_sql_read(j->text, &j->sql);
}

static bool id_in_use(const struct job *j)
{
	const struct job *other;
	TAILQ_FOREACH(other, &j->http->jobs, all)
	if (other != j && (other->state == JOB_WAITING || other->state == JOB_RUNNING) &&
	    strcmp(other->id, j->id) == 0)
		return true;
	return false;
}

/* What is longer than its place can be neither a format nor a query_id. */
static void keep(char *to, size_t max, struct yg_sv from)
{
	size_t n = from.n <= max && yg_sv_find(from, '\0', 0) == from.n ? from.n : 0;
	if (n > 0)
		memcpy(to, from.p, n);
	to[n] = '\0';
}

static void begin(struct job *j)
{
	struct yg_store_http *h = j->http;
	join(j);
	if (j->state == JOB_ANSWER)
		return;
	keep(j->named, FORMAT_MAX, j->sql.format.n > 0 ? j->sql.format : j->format);
	keep(j->kill_id, ID_MAX, j->sql.kill_id);
	if (j->sql.verb == YG_STORE_EMPTY) {
		answer(j, j->get ? 200 : 400, j->get ? 0 : 62,
		       j->get ? "Ok." : "Syntax error: Empty query");
		return;
	}
	if (j->sql.verb == YG_STORE_KILL) {
		kill_query(j);
		return;
	}
	bool write = j->sql.verb == YG_STORE_INSERT;
	enum work_class class = write ? WORK_WRITE : WORK_READ;
	if (h->draining || cancelled(j)) {
		answer_code(j, 394,
			    h->draining ? "Query was cancelled: the store is stopping"
					: "Query was cancelled");
	} else if (id_in_use(j)) {
		answer_code(j, 216, "Query with this query_id is already running");
	} else if (h->queued[class] >= QUEUE_MAX) {
		answer_code(j, 202, "Too many simultaneous queries");
	} else {
		(void)snprintf(j->tag, sizeof j->tag, "yg-%" PRIu64, ++h->counter);
		j->state = JOB_WAITING;
		j->suspended = true;
		MHD_suspend_connection(j->conn);
		watch_start(j);
		pool_add(j, class, STEP_RUN);
	}
}

static struct job *job_new(struct yg_store_http *h, struct MHD_Connection *conn, bool tcp)
{
	struct job *j = calloc(1, sizeof *j);
	if (j == NULL)
		return NULL;
	j->http = h;
	j->conn = conn;
	j->tcp = tcp;
	j->fd = MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	j->refs = 1;
	j->result.body = j->result.error = YG_SV("");
	j->query_arg = j->database = j->format = YG_SV("");
	yg_buf_init(&j->body, BODY_MAX);
	yg_buf_init(&j->text_out, 65536);
	TAILQ_INSERT_TAIL(&h->jobs, j, all);
	return j;
}

/* Paths that take no query. */
static bool simple_path(struct job *j, const char *url)
{
	if (strcmp(url, "/ping") == 0 || strcmp(url, "/replicas_status") == 0) {
		answer(j, 200, 0, "Ok.");
		return true;
	}
	if (strcmp(url, "/") != 0 && strcmp(url, "/query") != 0) {
		answer(j, 404, 0, "There is no handle here: POST a query to /, GET /ping");
		return true;
	}
	return false;
}

static enum MHD_Result on_request(struct yg_store_http *h, bool tcp, struct MHD_Connection *conn,
				  const char *url, const char *method, const char *upload,
				  size_t *upload_n, void **state)
{
	struct job *j = *state;
	if (j == NULL) {
		j = job_new(h, conn, tcp);
		if (j == NULL)
			return MHD_NO;
		*state = j;
		j->get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
		if (!simple_path(j, url))
			read_head(j, method);
		/* Refused by its head: answered before the body comes. */
		if (j->state == JOB_ANSWER && !j->get) {
			j->close_after = true;
			return send_answer(j);
		}
		return MHD_YES;
	}
	if (*upload_n > 0) {
		take_body(j, upload, *upload_n);
		*upload_n = 0;
		return MHD_YES;
	}
	if (j->told || j->suspended)
		return MHD_YES;
	if (j->state == JOB_BODY)
		begin(j);
	return j->state == JOB_ANSWER || j->state == JOB_STREAM ? send_answer(j) : MHD_YES;
}

static enum MHD_Result on_unix(void *ctx, struct MHD_Connection *conn, const char *url,
			       const char *method, const char *version, const char *upload,
			       size_t *upload_n, void **state)
{
	(void)version;
	return on_request(ctx, false, conn, url, method, upload, upload_n, state);
}

static enum MHD_Result on_tcp(void *ctx, struct MHD_Connection *conn, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_n, void **state)
{
	(void)version;
	return on_request(ctx, true, conn, url, method, upload, upload_n, state);
}

static void on_completed(void *ctx, struct MHD_Connection *conn, void **state,
			 enum MHD_RequestTerminationCode why)
{
	struct job *j = *state;
	(void)ctx;
	(void)conn;
	(void)why;
	if (j == NULL)
		return;
	*state = NULL;
	bool streamed = j->state == JOB_STREAM;
	j->state = JOB_OVER;
	watch_stop(j);
	body_free(j);
	if (streamed)
		release_held(j->http, j->id);
	if (j->engine != NULL || j->result.handle != NULL || j->result.stream != NULL)
		pool_add(j, WORK_CONTROL, STEP_END); /* may have to wait for the engine */
	struct yg_store_http *h = j->http;
	job_unref(j);
	drain_check(h);
}

/* --- libmicrohttpd on the loop ------------------------------------------ */

static void on_timer(uv_timer_t *timer)
{
	http_turn(timer->data);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	http_turn(poll->data);
}

static void http_turn(struct yg_store_http *h)
{
	MHD_UNSIGNED_LONG_LONG soonest = UINT64_MAX, ms;
	for (size_t i = 0; i < YG_LEN(h->daemons); i++) {
		if (h->daemons[i] == NULL)
			continue;
		(void)MHD_run(h->daemons[i]);
		if (MHD_get_timeout(h->daemons[i], &ms) == MHD_YES)
			soonest = YG_MIN(soonest, ms);
	}
	if (soonest != UINT64_MAX)
		(void)uv_timer_start(&h->timer, on_timer, soonest, 0);
	else
		(void)uv_timer_stop(&h->timer);
}

static void on_mhd_log(void *ctx, const char *fmt, va_list ap)
{
	(void)ctx;
	(void)fmt;
	(void)ap; /* clients that break off and the like: counted by nobody, told by their own errors */
}

static yg_status daemon_open(struct yg_store_http *h, size_t at, int fd, struct yg_err *err)
{
	if (fd < 0)
		return YG_OK;
	h->daemons[at] = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
		at == 0 ? on_unix : on_tcp, h, MHD_OPTION_EXTERNAL_LOGGER, on_mhd_log, NULL,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)h->conf.connections, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MEMORY,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_END);
	if (h->daemons[at] == NULL)
		return YG_FAIL(err, YG_INTERNAL, "the store's HTTP server does not start");
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(h->daemons[at], MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL || uv_poll_init(h->conf.loop, &h->polls[at], info->epoll_fd) != 0)
		return YG_FAIL(err, YG_INTERNAL, "the store's HTTP server cannot be watched");
	h->polls[at].data = h;
	(void)uv_poll_start(&h->polls[at], UV_READABLE, on_ready);
	return YG_OK;
}

yg_status yg_store_http_open(const struct yg_store_http_conf *conf, struct yg_store_http **out,
			     struct yg_err *err)
{
	struct yg_store_http *h = calloc(1, sizeof *h);
	if (h == NULL)
		return YG_FAIL(err, YG_NOMEM, "the store's HTTP server");
	h->conf = *conf;
	TAILQ_INIT(&h->jobs);
	for (size_t i = 0; i < WORK_CLASSES; i++)
		TAILQ_INIT(&h->queue[i]);
	(void)uv_timer_init(conf->loop, &h->timer);
	(void)uv_timer_init(conf->loop, &h->kill_timer);
	h->timer.data = h->kill_timer.data = h;
	yg_status st = daemon_open(h, 0, conf->unix_fd, err);
	if (st == YG_OK)
		st = daemon_open(h, 1, conf->tcp_fd, err);
	if (st != YG_OK)
		return st; /* the process ends: nothing is taken down */
	http_turn(h);
	*out = h;
	return YG_OK;
}

void yg_store_http_drain(struct yg_store_http *h, void (*done)(void *ctx), void *ctx)
{
	struct job *j, *following;
	h->draining = true;
	h->drained = done;
	h->drained_ctx = ctx;
	for (size_t i = 0; i < YG_LEN(h->daemons); i++)
		if (h->daemons[i] != NULL)
			(void)MHD_quiesce_daemon(h->daemons[i]);
	for (j = TAILQ_FIRST(&h->jobs); j != NULL; j = following) {
		following = TAILQ_NEXT(j, all);
		if ((j->state == JOB_WAITING || j->state == JOB_RUNNING ||
		     j->state == JOB_STREAM) &&
		    !j->begun_insert)
			job_cancel(j);
	}
	http_turn(h);
	drain_check(h);
}
