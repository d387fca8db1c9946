#include "role/store_http.h"

#include <stdio.h>
#include <stdlib.h>

#include "role/store_internal.h"

#define HEAD_MEMORY  (256u << 10) /* request line, headers and arguments of one connection */
#define IDLE_SECONDS 60u          /* a connection that sends or takes nothing */

static bool id_in_use(const struct job *j)
{
	const struct job *other;
	TAILQ_FOREACH(other, &j->http->jobs, all)
	if (other != j && (other->state == JOB_WAITING || other->state == JOB_RUNNING) &&
	    strcmp(other->id, j->id) == 0)
		return true;
	return false;
}

static void begin(struct job *j)
{
	struct yg_store_http *h = j->http;
	if (!store_request_statement(j))
		return;
	if (j->sql.verb == YG_STORE_EMPTY) {
		store_job_answer(j, j->get ? 200 : 400, j->get ? 0 : 62,
				 j->get ? "Ok." : "Syntax error: Empty query");
		return;
	}
	if (j->sql.verb == YG_STORE_KILL) {
		store_job_kill(j);
		return;
	}
	bool write = j->sql.verb == YG_STORE_INSERT;
	enum work_class class = write ? WORK_WRITE : WORK_READ;
	if (h->draining || store_job_cancelled(j)) {
		store_job_answer_code(j, 394,
				      h->draining ? "Query was cancelled: the store is stopping"
						  : "Query was cancelled");
	} else if (id_in_use(j)) {
		store_job_answer_code(j, 216, "Query with this query_id is already running");
	} else if (h->queued[class] >= QUEUE_MAX) {
		store_job_answer_code(j, 202, "Too many simultaneous queries");
	} else {
		(void)snprintf(j->tag, sizeof j->tag, "yg-%" PRIu64, ++h->counter);
		j->state = JOB_WAITING;
		j->suspended = true;
		MHD_suspend_connection(j->conn);
		store_watch_start(j);
		store_pool_add(j, class, STEP_RUN);
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
		store_job_answer(j, 200, 0, "Ok.");
		return true;
	}
	if (strcmp(url, "/") != 0 && strcmp(url, "/query") != 0) {
		store_job_answer(j, 404, 0,
				 "There is no handle here: POST a query to /, GET /ping");
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
			store_request_head(j, method);
		/* Refused by its head: answered before the body comes. */
		if (j->state == JOB_ANSWER && !j->get) {
			j->close_after = true;
			return store_answer_send(j);
		}
		return MHD_YES;
	}
	if (*upload_n > 0) {
		store_request_body(j, upload, *upload_n);
		*upload_n = 0;
		return MHD_YES;
	}
	if (j->told || j->suspended)
		return MHD_YES;
	if (j->state == JOB_BODY)
		begin(j);
	return j->state == JOB_ANSWER || j->state == JOB_STREAM ? store_answer_send(j) : MHD_YES;
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
	store_watch_stop(j);
	store_job_body_free(j);
	if (streamed)
		store_held_release(j->http, j->id);
	if (j->engine != NULL || j->result.handle != NULL || j->result.stream != NULL)
		store_pool_add(j, WORK_CONTROL, STEP_END); /* may have to wait for the engine */
	struct yg_store_http *h = j->http;
	store_job_unref(j);
	store_drain_check(h);
}

/* --- libmicrohttpd on the loop ------------------------------------------ */

static void on_timer(uv_timer_t *timer)
{
	store_http_turn(timer->data);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	store_http_turn(poll->data);
}

void store_http_turn(struct yg_store_http *h)
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
	store_http_turn(h);
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
			store_job_cancel(j);
	}
	store_http_turn(h);
	store_drain_check(h);
}
