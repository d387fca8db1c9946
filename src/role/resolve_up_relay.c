/* Validation through servers that are asked by TLS.  libunbound validates, but as Debian
 * builds it has no TLS towards servers.  So it is sent, by TCP, to a listener of ours on the
 * loopback, one for each such server, which the supervisor has opened; each connection that
 * comes there is carried on to the server by our own TLS, byte by byte: DNS over TLS is DNS
 * over TCP within TLS (RFC 7858 3.3).  A server that cannot prove who it is gets nothing: the
 * connection just ends, and libunbound tries the next one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/tls_server.h"
#include "role/resolve_up.h"

#define CONNECT_MS  3000
#define IDLE_MS     60000
#define CONNS_MAX   128        /* of one server: two contexts of 32, and those that are closing */
#define WAITING_MAX (1u << 20) /* octets one side has not taken */
#define QUIET_US    YG_US_PER_S

struct up_relay { /* lives as long as the role */
	struct resolve *r;
	struct yg_tls_context *context; /* borrowed: of the set */
	struct yg_tls_peer peer;
	char name[256], text[YG_ADDR_TEXT_MAX];
	struct yg_addr server;
	uv_poll_t poll;
	int fd; /* borrowed: the role's */
	unsigned conns;
	int64_t told_us;
};
struct carried { /* one connection, both ends of it */
	struct up_relay *of;
	uv_tcp_t in, out; /* from libunbound; to the server */
	uv_timer_t timer;
	uv_connect_t connect;
	struct yg_tls *tls;
	unsigned handles; /* that the loop still has */
	bool ready, ended;
	char raw[16384];
};
struct piece {
	uv_write_t w;
	char bytes[];
};

/* ---- the end ---- */

static void on_closed(uv_handle_t *h)
{
	struct carried *c = h->data;
	if (--c->handles > 0)
		return;
	c->of->conns--;
	yg_tls_free(c->tls);
	free(c);
}

static void end(struct carried *c)
{
	if (c->ended)
		return;
	c->ended = true;
	uv_close((uv_handle_t *)&c->in, on_closed);
	uv_close((uv_handle_t *)&c->out, on_closed);
	uv_close((uv_handle_t *)&c->timer, on_closed);
}

static void fail(struct carried *c, const struct yg_err *why)
{
	struct up_relay *u = c->of;
	int64_t now = resolve_now(u->r).us;
	if (!c->ended && now - u->told_us > QUIET_US) {
		u->told_us = now;
		yg_role_log(u->r->ctx, YG_EV_RESOLVE_UPSTREAM_TLS,
			    YG_KU("server", yg_sv_of(u->text)), YG_KERR(why));
	}
	end(c);
}

static void fail_text(struct carried *c, const char *what)
{
	struct yg_err err = {0};
	(void)yg_err_set(&err, YG_IO, 0, "", "%s", what);
	fail(c, &err);
}

static void on_time(uv_timer_t *t)
{
	struct carried *c = t->data;
	if (c->ready)
		end(c);
	else
		fail_text(c, "hands were not shaken in time");
}

/* ---- bytes ---- */

static void on_written(uv_write_t *w, int status)
{
	(void)status; /* the other direction tells */
	free(w);
}

static void put(struct carried *c, uv_tcp_t *to, struct yg_sv bytes)
{
	uv_stream_t *s = (uv_stream_t *)to;
	if (bytes.n == 0 || c->ended)
		return;
	struct piece *p = uv_stream_get_write_queue_size(s) <= WAITING_MAX
				  ? malloc(sizeof *p + bytes.n)
				  : NULL;
	if (p == NULL) {
		end(c);
		return;
	}
	memcpy(p->bytes, bytes.p, bytes.n);
	uv_buf_t b = uv_buf_init(p->bytes, (unsigned)bytes.n);
	if (uv_write(&p->w, s, &b, 1, on_written) != 0) {
		free(p);
		end(c);
	}
}

static void flush(struct carried *c)
{
	put(c, &c->out, yg_tls_output(c->tls));
	yg_tls_output_taken(c->tls);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *out)
{
	struct carried *c = h->data;
	(void)hint;
	*out = uv_buf_init(c->raw, sizeof c->raw);
}

static void on_question(uv_stream_t *h, ssize_t n, const uv_buf_t *b)
{
	struct carried *c = h->data;
	if (c->ended || n == 0)
		return;
	if (n < 0 || yg_tls_write(c->tls, (struct yg_sv){b->base, (size_t)n}) != YG_OK) {
		yg_tls_bye(c->tls);
		flush(c);
		end(c);
		return;
	}
	(void)uv_timer_start(&c->timer, on_time, IDLE_MS, 0);
	flush(c);
}

/* Shakes hands, then carries answers back. */
static void read_on(struct carried *c)
{
	struct yg_err err = {0};
	yg_status st;
	do {
		char plain[8192];
		size_t n = 0;
		st = yg_tls_read(c->tls, plain, sizeof plain, &n, &err);
		if (!c->ready && yg_tls_ready(c->tls)) {
			c->ready = true;
			(void)uv_timer_start(&c->timer, on_time, IDLE_MS, 0);
			if (uv_read_start((uv_stream_t *)&c->in, on_alloc, on_question) != 0)
				end(c);
		}
		put(c, &c->in, (struct yg_sv){plain, n});
	} while (st == YG_OK && !c->ended);
	flush(c);
	if (st == YG_NOTFOUND)
		end(c);
	else if (st != YG_AGAIN && st != YG_OK)
		fail(c, &err);
}

static void on_answer(uv_stream_t *h, ssize_t n, const uv_buf_t *b)
{
	struct carried *c = h->data;
	if (c->ended || n == 0)
		return;
	if (n < 0 && !c->ready)
		fail_text(c, "the connection ended before hands were shaken");
	else if (n < 0 || yg_tls_feed(c->tls, (struct yg_sv){b->base, (size_t)n}) != YG_OK)
		end(c);
	else
		read_on(c);
}

/* ---- a connection ---- */

static void on_connected(uv_connect_t *k, int status)
{
	struct carried *c = k->data;
	if (c->ended)
		return;
	if (status != 0 || uv_read_start((uv_stream_t *)&c->out, on_alloc, on_answer) != 0)
		fail_text(c, status != 0 ? uv_strerror(status) : "it cannot be read");
	else
		read_on(c); /* begins to shake hands */
}

/* fd is the connection's from here on. */
static void carry(struct up_relay *u, int fd)
{
	uv_loop_t *loop = u->r->ctx->loop;
	struct carried *c = calloc(1, sizeof *c);
	if (c == NULL || yg_tls_client_new(u->context, &u->peer, &c->tls, NULL) != YG_OK) {
		(void)close(fd);
		free(c);
		return;
	}
	c->of = u;
	u->conns++;
	(void)uv_tcp_init(loop, &c->in); /* without a socket it cannot fail */
	(void)uv_tcp_init(loop, &c->out);
	(void)uv_timer_init(loop, &c->timer);
	c->in.data = c->out.data = c->timer.data = c->connect.data = c;
	c->handles = 3;
	(void)uv_timer_start(&c->timer, on_time, CONNECT_MS, 0);
	if (uv_tcp_open(&c->in, fd) != 0) {
		(void)close(fd);
		end(c);
		return;
	}
	(void)uv_tcp_nodelay(&c->in, 1);
	if (uv_tcp_connect(&c->connect, &c->out, (const struct sockaddr *)&u->server.sa,
			   on_connected) != 0)
		fail_text(c, "no connection");
	else
		(void)uv_tcp_nodelay(&c->out, 1);
}

static void on_readable(uv_poll_t *p, int status, int events)
{
	struct up_relay *u = p->data;
	(void)status;
	(void)events;
	int fd = accept4(u->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0 && u->conns >= CONNS_MAX)
		(void)close(fd);
	else if (fd >= 0)
		carry(u, fd);
}

yg_status up_relay_open(struct resolve *r, size_t set, size_t k, const struct up_relay_server *s,
			struct yg_addr *out, struct yg_err *err)
{
	char name[48];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	yg_sb_printf(&b, "relay.%zu.%zu", set, k);
	struct up_relay *u = calloc(1, sizeof *u);
	int fd = yg_role_fd(r->ctx, yg_sb_cstr(&b));
	if (u == NULL || fd < 0) {
		free(u);
		return YG_FAIL(err, fd < 0 ? YG_INTERNAL : YG_NOMEM, "no listener for %s", name);
	}
	u->r = r;
	u->fd = fd;
	u->context = s->context;
	u->peer = *s->peer;
	u->server = s->addr;
	struct yg_sb own = yg_sb_init(u->name, sizeof u->name),
		     shown = yg_sb_init(u->text, sizeof u->text);
	yg_sb_put(&own, s->name);
	u->peer.name = yg_sb_cstr(&own);
	yg_addr_format(&shown, &s->addr);
	(void)yg_sb_cstr(&shown);
	if (uv_poll_init(r->ctx->loop, &u->poll, fd) != 0) {
		free(u);
		return YG_FAIL(err, YG_INTERNAL, "a socket of the loop");
	}
	u->poll.data = u;
	(void)uv_poll_start(&u->poll, UV_READABLE, on_readable);
	return yg_addr_of(fd, out, err);
}
