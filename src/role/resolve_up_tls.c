/* Questions by TLS (RFC 7858): one connection to a server, kept while it is used, on
 * which questions follow one another without waiting.  A server that cannot prove who
 * it is, is not asked; there is no way from here to plain DNS. */
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "os/memfd.h"
#include "os/tls_server.h"
#include "role/resolve_up.h"

#define IDLE_MS     10000
#define CONNECT_MS  3000
#define AGAIN_US    1000000 /* after a connection that failed */
#define PEM_MAX     1048576u
#define MESSAGE_MAX 65537u
#define ID_TRIES    16

struct conn { /* freed when the loop has closed it */
	uv_tcp_t tcp;
	uv_connect_t connect;
	struct up_tls *of; /* NULL: it has ended */
	struct yg_tls *tls;
	struct yg_buf in;
	bool ready;
	char raw[16384];
};
struct up_tls { /* of one server */
	struct resolve *r;
	struct up_server *server;
	struct yg_tls_context *context; /* of the set */
	struct yg_tls_peer peer;
	char name[256];
	struct conn *conn;   /* NULL: none */
	struct up_job *jobs; /* on it, or waiting for it */
	uv_timer_t timer;    /* hands are not shaken in time; nobody asks any more */
	int64_t again_at;    /* us: before that no connection is tried */
};
struct out {
	uv_write_t w;
	char bytes[];
};

static void read_on(struct conn *c);

/* ---- the end of a connection ---- */

static void on_closed(uv_handle_t *h)
{
	struct conn *c = h->data;
	yg_tls_free(c->tls);
	yg_buf_free(&c->in);
	free(c);
}

/* Its questions go on elsewhere, or here by a new one.  why: NULL: in good order. */
static void conn_end(struct up_tls *u, const struct yg_err *why)
{
	struct conn *c = u->conn;
	struct up_job *list = u->jobs;
	if (c == NULL)
		return;
	u->conn = NULL;
	u->jobs = NULL;
	c->of = NULL;
	(void)uv_timer_stop(&u->timer);
	uv_close((uv_handle_t *)&c->tcp, on_closed);
	if (why != NULL) {
		int64_t now = resolve_now(u->r).us;
		u->again_at = now + AGAIN_US;
		up_server_unsafe(u->r, u->server);
		yg_role_log(u->r->ctx, YG_EV_RESOLVE_UPSTREAM_TLS,
			    YG_KU("server", yg_sv_of(u->server->text)), YG_KERR(why));
	}
	while (list != NULL) {
		struct up_job *j = list;
		list = j->tls_next;
		j->tls = NULL;
		j->tls_next = NULL;
		up_job_next(j);
	}
}

static void fail(struct up_tls *u, yg_status st, const char *what)
{
	struct yg_err err = {0};
	(void)yg_err_set(&err, st, 0, "", "%s", what);
	conn_end(u, &err);
}

/* ---- out ---- */

static void on_written(uv_write_t *w, int status)
{
	(void)status; /* the other direction tells */
	free(w);
}

static void flush(struct conn *c)
{
	struct yg_sv bytes = yg_tls_output(c->tls);
	if (bytes.n == 0)
		return;
	struct out *o = malloc(sizeof *o + bytes.n);
	if (o == NULL)
		return; /* the questions' time runs out */
	memcpy(o->bytes, bytes.p, bytes.n);
	uv_buf_t b = uv_buf_init(o->bytes, (unsigned)bytes.n);
	if (uv_write(&o->w, (uv_stream_t *)&c->tcp, &b, 1, on_written) != 0)
		free(o);
	yg_tls_output_taken(c->tls);
}

static void write_job(struct conn *c, struct up_job *j)
{
	char out[2 + YG_DNS_ASK_MAX];
	out[0] = (char)(j->ask.n >> 8);
	out[1] = (char)(j->ask.n & 0xff);
	memcpy(out + 2, j->ask.msg, j->ask.n);
	j->sent_us = resolve_now(j->r).us;
	(void)yg_tls_write(c->tls, (struct yg_sv){out, 2u + j->ask.n});
}

/* ---- in ---- */

static struct up_job *job_of(const struct up_tls *u, const uint8_t *msg, size_t n)
{
	for (struct up_job *j = u->jobs; n >= YG_DNS_HEADER && j != NULL; j = j->tls_next)
		if (j->ask.id == yg_dns_get16(msg))
			return j;
	return NULL;
}

/* Whole messages off the front; false: the connection has ended meanwhile. */
static bool take_messages(struct conn *c)
{
	struct up_tls *u = c->of;
	size_t at = 0;
	while (c->in.n - at >= 2) {
		const uint8_t *p = (const uint8_t *)c->in.p + at;
		size_t n = yg_dns_get16(p);
		if (c->in.n - at - 2 < n)
			break;
		struct up_job *j = job_of(u, p + 2, n);
		at += 2 + n;
		if (j == NULL)
			u->r->up->mismatched++; /* late, or nobody's */
		else
			up_job_answer(j, p + 2, n);
		if (u->conn != c)
			return false;
	}
	if (at > 0) {
		memmove(c->in.p, c->in.p + at, c->in.n - at);
		c->in.n -= at;
	}
	return true;
}

static void on_idle(uv_timer_t *t)
{
	struct up_tls *u = t->data;
	if (u->conn == NULL)
		return;
	if (!u->conn->ready) {
		fail(u, YG_IO, "hands were not shaken in time");
		return;
	}
	if (u->jobs != NULL) { /* each has its own time; a new connection is another chance */
		(void)uv_timer_start(&u->timer, on_idle, IDLE_MS, 0);
		return;
	}
	yg_tls_bye(u->conn->tls);
	flush(u->conn);
	conn_end(u, NULL);
}

static void now_ready(struct conn *c)
{
	struct up_tls *u = c->of;
	c->ready = true;
	(void)uv_timer_start(&u->timer, on_idle, IDLE_MS, 0);
	for (struct up_job *j = u->jobs; j != NULL; j = j->tls_next)
		write_job(c, j);
}

static void read_on(struct conn *c)
{
	struct up_tls *u = c->of;
	struct yg_err err = {0};
	yg_status st;
	do {
		size_t n = 0;
		char plain[4096];
		st = yg_tls_read(c->tls, plain, sizeof plain, &n, &err);
		if (!c->ready && yg_tls_ready(c->tls))
			now_ready(c);
		yg_buf_put(&c->in, (struct yg_sv){plain, n});
		if (c->in.bad) {
			fail(u, YG_NOMEM, "no memory for an answer");
			return;
		}
		if (n > 0 && !take_messages(c))
			return;
	} while (st == YG_OK);
	flush(c);
	if (st == YG_NOTFOUND)
		conn_end(u, NULL); /* it is the server's right; the questions are asked again */
	else if (st != YG_AGAIN)
		conn_end(u, &err);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *out)
{
	struct conn *c = h->data;
	(void)hint;
	*out = uv_buf_init(c->raw, sizeof c->raw);
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *b)
{
	struct conn *c = h->data;
	if (c->of == NULL || n == 0)
		return;
	if (n < 0) {
		if (c->ready)
			conn_end(c->of, NULL);
		else
			fail(c->of, YG_IO, "the connection ended before hands were shaken");
		return;
	}
	if (yg_tls_feed(c->tls, (struct yg_sv){b->base, (size_t)n}) != YG_OK)
		fail(c->of, YG_NOMEM, "no memory for an answer");
	else
		read_on(c);
}

/* ---- a connection ---- */

static void on_connected(uv_connect_t *k, int status)
{
	struct conn *c = k->data;
	if (c->of == NULL)
		return;
	if (status != 0 || uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) != 0)
		fail(c->of, YG_IO, status != 0 ? uv_strerror(status) : "it cannot be read");
	else
		read_on(c); /* begins to shake hands */
}

static bool connect_begin(struct up_tls *u)
{
	struct conn *c = calloc(1, sizeof *c);
	if (c == NULL || yg_tls_client_new(u->context, &u->peer, &c->tls, NULL) != YG_OK ||
	    uv_tcp_init(u->r->ctx->loop, &c->tcp) != 0) {
		if (c != NULL)
			yg_tls_free(c->tls);
		free(c);
		return false;
	}
	c->of = u;
	c->tcp.data = c->connect.data = c;
	yg_buf_init(&c->in, 2u * MESSAGE_MAX);
	u->conn = c;
	(void)uv_tcp_nodelay(&c->tcp, 1);
	(void)uv_timer_start(&u->timer, on_idle, CONNECT_MS, 0);
	return uv_tcp_connect(&c->connect, &c->tcp, (const struct sockaddr *)&u->server->addr.sa,
			      on_connected) == 0;
}

bool up_tls_send(struct up_job *j)
{
	struct up_tls *u = j->server->tls;
	int64_t now = resolve_now(j->r).us;
	for (unsigned i = 0; i < ID_TRIES && job_of(u, j->ask.msg, j->ask.n) != NULL; i++) {
		uint16_t id;
		j->r->ctx->env.random(j->r->ctx->env.ctx, &id, sizeof id);
		j->ask.id = id;
		yg_dns_put16(j->ask.msg, id);
	}
	if (job_of(u, j->ask.msg, j->ask.n) != NULL || (u->conn == NULL && now < u->again_at))
		return false;
	j->sent_us = now;
	if (u->conn == NULL && !connect_begin(u)) {
		fail(u, YG_IO, "no connection"); /* j is not on it yet */
		return false;
	}
	j->tls = u;
	j->tls_next = u->jobs;
	u->jobs = j;
	if (u->conn->ready) {
		(void)uv_timer_start(&u->timer, on_idle, IDLE_MS, 0);
		write_job(u->conn, j);
		flush(u->conn);
	}
	return true;
}

void up_tls_leave(struct up_job *j)
{
	if (j->tls == NULL)
		return;
	struct up_job **link = &j->tls->jobs;
	while (*link != j)
		link = &(*link)->tls_next;
	*link = j->tls_next;
	j->tls = NULL;
	j->tls_next = NULL;
}

/* ---- the servers of a set ---- */

yg_status up_tls_authorities(struct resolve *r, size_t set, struct yg_tls_context **out,
			     struct yg_err *err)
{
	char name[48];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	struct yg_sv pem = {"", 0};
	yg_sb_printf(&b, "up.%zu.ca", set);
	int fd = yg_role_fd(r->ctx, yg_sb_cstr(&b));
	yg_status st = fd >= 0 ? yg_memfd_map(fd, PEM_MAX, &pem, err) : YG_OK;
	if (st != YG_OK)
		return st;
	st = yg_tls_client_context_new(pem, out, err);
	if (fd >= 0)
		yg_memfd_unmap(&pem);
	return st;
}

yg_status up_tls_pins(struct yg_tls_peer *p, struct yg_sv pins, struct yg_err *err)
{
	struct yg_sv one;
	while (pins.n > 0 && yg_sv_cut(&pins, ' ', &one)) {
		if (p->pin_count == YG_TLS_PINS_MAX ||
		    yg_parse_hex(one, p->pins[p->pin_count], 32, NULL) != YG_OK)
			return YG_FAIL(err, YG_PARSE,
				       "resolve.upstream.pins: expected at most %d of 64 "
				       "hexadecimal digits",
				       YG_TLS_PINS_MAX);
		p->pin_count++;
	}
	return YG_OK;
}

yg_status up_tls_open(struct resolve *r, size_t i, struct up_set *set, struct yg_err *err)
{
	const struct yg_conf_dns_upstream *conf = &r->conf->dns_upstreams[i];
	struct yg_tls_context *context = NULL;
	struct yg_tls_peer peer = {.name = ""};
	yg_status st = up_tls_pins(&peer, conf->pins, err);
	for (size_t k = 0; k < set->count && st == YG_OK; k++) {
		struct up_server *s = &set->servers[k];
		if (s->name.n == 0 && peer.pin_count == 0)
			continue;
		if (context == NULL)
			st = up_tls_authorities(r, i, &context, err);
		struct up_tls *u = st == YG_OK ? calloc(1, sizeof *u) : NULL;
		if (u == NULL || uv_timer_init(r->ctx->loop, &u->timer) != 0)
			return st != YG_OK ? st : YG_FAIL(err, YG_NOMEM, "no memory for TLS");
		struct yg_sb b = yg_sb_init(u->name, sizeof u->name);
		yg_sb_put(&b, s->name);
		u->peer = peer;
		u->peer.name = yg_sb_cstr(&b);
		u->r = r;
		u->server = s;
		u->context = context;
		u->timer.data = u;
		s->tls = u;
	}
	return st;
}
