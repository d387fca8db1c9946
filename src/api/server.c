#include "api/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/server_internal.h"
#include "base/check.h"
#include "base/log.h"

#define DOOR_TURNS      64 /* bounded, so that one busy door cannot hold the loop */
#define DOOR_IDLE_TURNS 8

static void on_readable(uv_poll_t *h, int status, int events)
{
	(void)status;
	(void)events;
	yg_door_run(h->data);
}

static void on_timer(uv_timer_t *h)
{
	yg_door_run(h->data);
}

/* libmicrohttpd 0.9.75 says "again at once" not only when there is work, but
 * also for as long as any client dawdles in its TLS handshake.  So turns that
 * bring nothing are few, and what they cost decides how long the next ones wait:
 * dawdlers get a fifth of the loop at most.  (A timer of 0 ms would starve the
 * loop: libuv runs timers until none is due.) */
void yg_door_run(struct door *d)
{
	MHD_UNSIGNED_LONG_LONG ms = 0;
	const struct yg_env *env = d->s->conf.env;
	if (d->mhd == NULL)
		return;
	yg_mono began = yg_env_mono(env);
	uint64_t progress = d->s->progress;
	for (int turns = 0, idle = 0; turns < DOOR_TURNS && idle < DOOR_IDLE_TURNS; turns++) {
		(void)MHD_run(d->mhd);
		if (MHD_get_timeout(d->mhd, &ms) != MHD_YES) {
			(void)uv_timer_stop(&d->timer);
			return;
		}
		if (ms > 0)
			break;
		idle = progress == d->s->progress ? idle + 1 : 0;
		progress = d->s->progress;
	}
	int64_t cost_us = yg_env_mono(env).us - began.us;
	if (ms == 0)
		ms = (MHD_UNSIGNED_LONG_LONG)YG_MIN(YG_MAX(cost_us * 4 / 1000, 1), 250);
	(void)uv_timer_start(&d->timer, on_timer, YG_MIN(ms, 1000u), 0);
}

/* Ends a connection from below: libmicrohttpd sees the end of the stream. */
static void cut(struct conn *c)
{
	link_remove(&c->link);
	(void)shutdown(c->fd, SHUT_RDWR);
}

static void make_room(struct door *d)
{
	uint32_t most = d->s->conf.connections / 4 * 3;
	if (d->open <= most || d->waiting.next == &d->waiting)
		return;
	COUNT(d->s, evicted, 1);
	cut((struct conn *)d->waiting.next); /* link is its first member */
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **ctx,
			  enum MHD_ConnectionNotificationCode code)
{
	struct door *d = cls;
	struct conn *c = *ctx;
	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (c == NULL)
			return;
		link_remove(&c->link);
		d->open--;
		COUNT(d->s, open, (uint32_t)-1);
		free(c);
		*ctx = NULL;
		return;
	}
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	c = calloc(1, sizeof *c);
	if (c == NULL || info == NULL) {
		free(c);
		return; /* its requests are refused: they find no conn */
	}
	*c = (struct conn){.door = d, .fd = info->connect_fd, .since = yg_env_mono(d->s->conf.env)};
	make_room(d);
	link_append(&d->waiting, &c->link);
	d->open++;
	COUNT(d->s, open, 1);
	COUNT(d->s, connections, 1);
	*ctx = c;
}

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	return yg_exchange_begin(cls, uri, mhd);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_n, void **ctx)
{
	(void)cls;
	(void)mhd;
	(void)url; /* the exchange has the target as it was sent */
	(void)version;
	return *ctx != NULL ? yg_exchange_step(*ctx, method, upload, upload_n) : MHD_NO;
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **ctx,
			 enum MHD_RequestTerminationCode why)
{
	(void)cls;
	(void)mhd;
	(void)why;
	if (*ctx != NULL)
		yg_exchange_end(*ctx);
	*ctx = NULL;
}

/* Names and values come as they were sent; api/http.c decodes. */
static size_t leave_escaped(void *cls, struct MHD_Connection *mhd, char *s)
{
	(void)cls;
	(void)mhd;
	return strlen(s);
}

static void sweep_door(struct door *d, yg_mono now)
{
	while (d->waiting.next != &d->waiting) {
		struct conn *c = (struct conn *)d->waiting.next;
		if (!yg_mono_due(yg_mono_add(c->since, YG_SECONDS(YG_SERVER_HEADER_S)), now))
			break; /* ordered by `since` */
		COUNT(d->s, slow_closed, 1);
		cut(c);
	}
}

static struct exchange *of_link(struct link *l)
{
	return (struct exchange *)((char *)l - offsetof(struct exchange, link));
}

static void sweep_bodies(struct yg_server *s, yg_mono now)
{
	for (struct link *l = s->bodies.next, *next; l != &s->bodies; l = next) {
		next = l->next;
		struct exchange *x = of_link(l);
		int64_t may_take = YG_SERVER_PACE_S + (int64_t)(x->body.n / YG_SERVER_PACE_BYTES);
		if (!yg_mono_due(yg_mono_add(x->began, YG_SECONDS(may_take)), now))
			continue;
		COUNT(s, slow_closed, 1);
		link_remove(&x->link);
		(void)shutdown(x->conn->fd, SHUT_RDWR);
	}
}

void yg_server_forget(struct yg_server *s, struct yg_sv id)
{
	if (id.n == 0 || id.n >= YG_SERVER_ID_MAX)
		return;
	uv_mutex_lock(&s->gone_lock);
	size_t at = s->gone_next++ % YG_LEN(s->gone);
	memset(s->gone[at].id, 0, sizeof s->gone[at].id);
	memcpy(s->gone[at].id, id.p, id.n);
	s->gone[at].at = yg_env_mono(s->conf.env);
	uv_mutex_unlock(&s->gone_lock);
	(void)uv_async_send(&s->wake);
}

/* What was ended long ago need not be looked for: new streams are asked for their
 * session or token anyway. */
bool yg_server_is_gone(struct yg_server *s, const struct yg_who *who)
{
	bool found = who->expires.us != 0 && yg_env_wall(s->conf.env).us >= who->expires.us;
	yg_mono now = yg_env_mono(s->conf.env);
	if (who->id.n == 0)
		return found;
	uv_mutex_lock(&s->gone_lock);
	for (size_t i = 0; i < YG_LEN(s->gone) && !found; i++) {
		struct yg_sv id = yg_sv_of(s->gone[i].id);
		if (id.n > 0 && !yg_mono_due(yg_mono_add(s->gone[i].at, YG_SECONDS(60)), now))
			found = yg_sv_eq(id, who->id) || yg_sv_eq(id, who->person);
	}
	uv_mutex_unlock(&s->gone_lock);
	return found;
}

static void sweep_readers(struct yg_server *s, yg_mono now)
{
	for (struct link *l = s->readers.next; l != &s->readers; l = l->next) {
		struct exchange *x = of_link(l);
		x->gone = x->gone || yg_server_is_gone(s, &x->q.who);
		if (yg_mono_due(yg_mono_add(x->spoke, YG_SECONDS(YG_STREAM_BEAT_S)), now)) {
			x->reader.beat = true;
			x->spoke = now;
		}
		if (x->asleep &&
		    (s->draining || x->gone || yg_stream_pending(s->conf.stream, &x->reader)))
			yg_exchange_wake(x);
	}
}

static void on_sweep(uv_timer_t *h)
{
	struct yg_server *s = h->data;
	yg_mono now = yg_env_mono(s->conf.env);
	for (uint32_t i = 0; i < s->door_count; i++)
		sweep_door(&s->doors[i], now);
	sweep_bodies(s, now);
	sweep_readers(s, now);
	for (uint32_t i = 0; i < s->door_count; i++)
		yg_door_run(&s->doors[i]);
	yg_server_check_done(s);
}

static void on_wake(uv_async_t *h)
{
	struct yg_server *s = h->data;
	sweep_readers(s, yg_env_mono(s->conf.env));
	for (uint32_t i = 0; i < s->door_count; i++)
		yg_door_run(&s->doors[i]);
}

static void wake(void *ctx)
{
	struct yg_server *s = ctx;
	(void)uv_async_send(&s->wake);
}

yg_status yg_server_new(uv_loop_t *loop, const struct yg_server_app *app,
			const struct yg_server_conf *conf, struct yg_server **out,
			struct yg_err *err)
{
	struct yg_server *s = calloc(1, sizeof *s);
	if (s == NULL)
		return YG_FAIL(err, YG_NOMEM, "the HTTP server");
	s->loop = loop;
	s->app = *app;
	s->conf = *conf;
	link_init(&s->bodies);
	link_init(&s->readers);
	if (uv_mutex_init(&s->gone_lock) != 0 || uv_mutex_init(&s->flight_lock) != 0 ||
	    uv_timer_init(loop, &s->sweep) != 0 || uv_async_init(loop, &s->wake, on_wake) != 0) {
		free(s);
		return YG_FAIL(err, YG_NOMEM, "the HTTP server's timer");
	}
	s->sweep.data = s;
	s->wake.data = s;
	(void)uv_timer_start(&s->sweep, on_sweep, 1000, 1000);
	uv_unref((uv_handle_t *)&s->sweep);
	uv_unref((uv_handle_t *)&s->wake);
	yg_stream_on_publish(conf->stream, wake, s);
	*out = s;
	return YG_OK;
}

static struct MHD_Daemon *start_daemon(struct door *d, int listen_fd, struct yg_sv cert,
				       struct yg_sv key)
{
	const struct yg_server_conf *conf = &d->s->conf;
	unsigned most = YG_MAX(conf->connections, 16u);
	unsigned flags =
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (d->tls ? (unsigned)MHD_USE_TLS : 0u);
	struct MHD_OptionItem more[8] = {
		{MHD_OPTION_PER_IP_CONNECTION_LIMIT, (intptr_t)(d->local ? 0 : most / 6 * 5), NULL},
	};
	size_t n = 1;
	if (d->tls) {
		more[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0,
						    (void *)(uintptr_t)cert.p};
		more[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0,
						    (void *)(uintptr_t)key.p};
		more[n++] = (struct MHD_OptionItem){
			MHD_OPTION_HTTPS_PRIORITIES, 0,
			(void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"};
	}
	more[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
	return MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, d, MHD_OPTION_LISTEN_SOCKET,
		(MHD_socket)listen_fd, MHD_OPTION_CONNECTION_LIMIT, most,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)YG_MAX(conf->timeout_us / YG_US_PER_S, 1),
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)YG_SERVER_HEAD_BYTES,
		MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)4096, MHD_OPTION_STRICT_FOR_CLIENT,
		1, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_URI_LOG_CALLBACK,
		on_uri, d, MHD_OPTION_NOTIFY_CONNECTION, on_connection, d,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_ARRAY, more,
		MHD_OPTION_END);
}

yg_status yg_server_door(struct yg_server *s, int listen_fd, bool local, struct yg_sv cert,
			 struct yg_sv key, struct yg_err *err)
{
	if (s->door_count == YG_DOORS_MAX)
		return YG_FAIL(err, YG_LIMIT, "more than %d doors", YG_DOORS_MAX);
	struct door *d = &s->doors[s->door_count];
	*d = (struct door){.s = s, .local = local, .tls = cert.n > 0};
	link_init(&d->waiting);
	/* libmicrohttpd closes its listener when it ends; ours stays */
	int fd = fcntl(listen_fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return YG_FAIL_OS(err, errno, "a door of the API");
	d->mhd = start_daemon(d, fd, cert, key);
	if (d->mhd == NULL) {
		(void)close(fd);
		return YG_FAIL(err, YG_IO,
			       "the HTTP server refused its listener, certificate or key");
	}
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(d->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL || uv_poll_init(s->loop, &d->poll, info->epoll_fd) != 0 ||
	    uv_timer_init(s->loop, &d->timer) != 0) {
		MHD_stop_daemon(d->mhd);
		return YG_FAIL(err, YG_IO, "the HTTP server cannot be watched");
	}
	d->poll.data = d;
	d->timer.data = d;
	(void)uv_poll_start(&d->poll, UV_READABLE, on_readable);
	s->door_count++;
	yg_door_run(d);
	return YG_OK;
}

void yg_server_counts(const struct yg_server *s, struct yg_server_counts *out)
{
	*out = (struct yg_server_counts){0};
#define LOAD(member) out->member = __atomic_load_n(&s->counts.member, __ATOMIC_RELAXED)
	LOAD(connections);
	LOAD(requests);
	LOAD(evicted);
	LOAD(slow_closed);
	LOAD(bodies_refused);
	LOAD(readers_dropped);
	LOAD(request_us);
	LOAD(shared);
	LOAD(open);
	LOAD(open_bodies);
	LOAD(readers);
	LOAD(in_work);
	LOAD(body_bytes);
	for (size_t i = 0; i < YG_LEN(out->answers); i++)
		LOAD(answers[i]);
#undef LOAD
}

void yg_server_check_done(struct yg_server *s)
{
	if (!s->draining || s->done == NULL || s->exchanges > 0)
		return;
	void (*done)(void *) = s->done;
	s->done = NULL;
	done(s->done_ctx);
}

void yg_server_drain(struct yg_server *s, void (*done)(void *ctx), void *ctx)
{
	s->draining = true;
	s->done = done;
	s->done_ctx = ctx;
	for (uint32_t i = 0; i < s->door_count; i++) {
		int fd = MHD_quiesce_daemon(s->doors[i].mhd);
		if (fd >= 0)
			(void)close(fd);
	}
	(void)uv_async_send(&s->wake);
	yg_server_check_done(s);
}

static void handle_closed(struct yg_server *s)
{
	if (--s->handles > 0)
		return;
	uv_mutex_destroy(&s->gone_lock);
	uv_mutex_destroy(&s->flight_lock);
	free(s);
}

static void on_server_closed(uv_handle_t *h)
{
	handle_closed(h->data);
}

static void on_door_closed(uv_handle_t *h)
{
	handle_closed(((struct door *)h->data)->s);
}

void yg_server_free(struct yg_server *s)
{
	if (s == NULL)
		return;
	yg_stream_on_publish(s->conf.stream, NULL, NULL);
	s->handles = 2 + 2 * (int)s->door_count;
	for (uint32_t i = 0; i < s->door_count; i++) {
		struct door *d = &s->doors[i];
		uv_close((uv_handle_t *)&d->poll, on_door_closed);
		uv_close((uv_handle_t *)&d->timer, on_door_closed);
		/* libmicrohttpd must not be stopped under a suspended connection; then the
		 * process is ending anyway */
		if (s->exchanges == 0)
			MHD_stop_daemon(d->mhd);
		d->mhd = NULL;
	}
	uv_close((uv_handle_t *)&s->sweep, on_server_closed);
	uv_close((uv_handle_t *)&s->wake, on_server_closed);
}
