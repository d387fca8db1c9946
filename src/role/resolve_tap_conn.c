/* dnstap out by Unix socket, TCP and TLS: READY, ACCEPT, START, frames, STOP, FINISH. */
#include <stdlib.h>

#include "os/memfd.h"
#include "os/socket.h"
#include "role/resolve_tap_internal.h"

#define SHAKE_MS 10000 /* connection, TLS and ACCEPT come within this */

struct sending { /* a copy, for the kernel takes its time */
	uv_write_t write;
	struct tap_conn *conn;
	bool is_chunk;
	char bytes[];
};

static void on_closed(uv_handle_t *h)
{
	struct tap_conn *c = h->data;
	yg_tls_free(c->tls);
	yg_fstrm_free(&c->fstrm);
	free(c);
}

void tap_conn_close(struct tap *t)
{
	struct tap_conn *c = t->conn;
	if (c == NULL)
		return;
	t->conn = NULL;
	c->tap = NULL;
	uv_close(&c->uv.handle, on_closed);
}

static void failed(struct tap_conn *c, const char *what, int rc)
{
	struct yg_err err = {0};
	if (c->tap == NULL)
		return;
	(void)YG_FAIL(&err, YG_IO, "%s: %s", what, rc < 0 ? uv_strerror(rc) : "refused");
	tap_down(c->tap, &err);
}

static void on_written(uv_write_t *w, int status)
{
	struct sending *s = w->data;
	struct tap_conn *c = s->conn;
	if (c->tap != NULL && status != 0)
		failed(c, "write", status);
	else if (c->tap != NULL && s->is_chunk)
		tap_sent(c->tap, true);
	free(s);
}

static void write_copy(struct tap_conn *c, struct yg_sv bytes, bool is_chunk)
{
	struct sending *s = malloc(sizeof *s + bytes.n);
	if (s == NULL) {
		failed(c, "write", UV_ENOMEM);
		return;
	}
	s->conn = c;
	s->is_chunk = is_chunk;
	s->write.data = s;
	memcpy(s->bytes, bytes.p, bytes.n);
	uv_buf_t b = uv_buf_init(s->bytes, (unsigned)bytes.n);
	int rc = uv_write(&s->write, &c->uv.stream, &b, 1, on_written);
	if (rc != 0) {
		free(s);
		failed(c, "write", rc);
	}
}

/* What TLS has to say, behind what was said. */
static void tls_flush(struct tap_conn *c, bool is_chunk)
{
	struct yg_sv out = yg_tls_output(c->tls);
	if (out.n == 0 || c->tap == NULL)
		return;
	write_copy(c, out, is_chunk);
	if (c->tap != NULL)
		yg_tls_output_taken(c->tls);
}

static void say(struct tap_conn *c, struct yg_sv bytes, bool is_chunk)
{
	if (c->tls == NULL) {
		write_copy(c, bytes, is_chunk);
		return;
	}
	/* TLS takes 256 KiB at a time; a chunk is less */
	if (yg_tls_write(c->tls, bytes) != YG_OK)
		failed(c, "TLS", 0);
	else
		tls_flush(c, is_chunk);
}

static void say_control(struct tap_conn *c, enum yg_fstrm_control type)
{
	uint8_t out[YG_FSTRM_CONTROL_ROOM];
	size_t n = yg_fstrm_control(out, sizeof out, type,
				    type == YG_FSTRM_STOP ? YG_SV("") : YG_SV(YG_FSTRM_DNSTAP));
	say(c, (struct yg_sv){(const char *)out, n}, false);
}

void tap_conn_send(struct tap *t)
{
	say(t->conn, (struct yg_sv){(const char *)t->sending->p, t->sending->n}, true);
}

void tap_conn_stop(struct tap *t)
{
	t->is_up = false;
	if (t->conn != NULL)
		say_control(t->conn, YG_FSTRM_STOP);
}

static void greet(struct tap_conn *c)
{
	if (c->greeted)
		return;
	c->greeted = true;
	say_control(c, YG_FSTRM_READY);
}

static void hear(struct tap_conn *c, struct yg_sv bytes)
{
	enum yg_fstrm_event what;
	struct yg_sv frame;
	struct yg_err err = {0};
	while (bytes.n > 0 && c->tap != NULL) {
		struct tap *t = c->tap;
		if (yg_fstrm_next(&c->fstrm, &bytes, &what, &frame, &err) != YG_OK) {
			tap_down(t, &err);
		} else if (what == YG_FSTRM_IS_ACCEPT) {
			say_control(c, YG_FSTRM_START);
			if (c->tap != NULL)
				tap_up(t);
		} else if (what == YG_FSTRM_IS_FINISH && t->all->done != NULL) {
			tap_ended(t);
		} else if (what == YG_FSTRM_IS_FINISH) {
			failed(c, "FINISH", UV_ECONNRESET);
		}
	}
}

static void tls_bytes(struct tap_conn *c, struct yg_sv bytes)
{
	struct yg_err err = {0};
	char plain[4096];
	size_t n;
	yg_status st = yg_tls_feed(c->tls, bytes);
	while (st == YG_OK && c->tap != NULL) {
		st = yg_tls_read(c->tls, plain, sizeof plain, &n, &err);
		if (st == YG_OK)
			hear(c, (struct yg_sv){plain, n});
	}
	if (c->tap == NULL)
		return;
	tls_flush(c, false);
	if (c->tap != NULL && yg_tls_ready(c->tls))
		greet(c);
	if (c->tap == NULL || st == YG_AGAIN)
		return;
	if (err.msg[0] == '\0')
		(void)YG_FAIL(&err, YG_IO, "the other side has closed");
	tap_down(c->tap, &err);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *out)
{
	struct tap_conn *c = h->data;
	(void)suggested;
	*out = uv_buf_init(c->in, sizeof c->in);
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
	struct tap_conn *c = h->data;
	struct yg_sv bytes = {buf->base, n > 0 ? (size_t)n : 0};
	if (c->tap == NULL || n == 0)
		return;
	if (n < 0)
		failed(c, "read", (int)n);
	else if (c->tls != NULL)
		tls_bytes(c, bytes);
	else
		hear(c, bytes);
}

static void on_connected(uv_connect_t *req, int status)
{
	struct tap_conn *c = req->data;
	if (c->tap == NULL)
		return;
	int rc = status == 0 ? uv_read_start(&c->uv.stream, on_alloc, on_read) : status;
	if (rc != 0)
		failed(c, "connect", rc);
	else if (c->tls != NULL)
		tls_bytes(c, YG_SV("")); /* the first word is ours */
	else
		greet(c);
}

static void on_late(uv_timer_t *timer)
{
	struct tap *t = timer->data;
	if (t->conn != NULL && !t->is_up)
		failed(t->conn, "handshake", UV_ETIMEDOUT);
}

static int begin(struct tap *t, struct tap_conn *c)
{
	struct yg_addr a;
	c->connect.data = c;
	if (YG_SV_IS(t->conf->protocol, "unix")) {
		uv_pipe_connect(&c->connect, &c->uv.local, t->to, on_connected);
		return 0;
	}
	if (yg_addr_parse(t->conf->to, &a, NULL) != YG_OK)
		return UV_EINVAL;
	return uv_tcp_connect(&c->connect, &c->uv.tcp, (const struct sockaddr *)&a.sa,
			      on_connected);
}

static yg_status tls_begin(struct tap *t, struct tap_conn *c, struct yg_err *err)
{
	char name[256];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	yg_sb_put(&b, t->conf->tls_name);
	struct yg_tls_peer peer = {.name = yg_sb_cstr(&b)};
	return yg_tls_client_new(t->tls, &peer, &c->tls, err);
}

void tap_connect(struct tap *t)
{
	struct yg_err err = {0};
	struct tap_conn *c = calloc(1, sizeof *c);
	bool local = YG_SV_IS(t->conf->protocol, "unix");
	if (c == NULL || (local ? uv_pipe_init(t->ctx->loop, &c->uv.local, 0)
				: uv_tcp_init(t->ctx->loop, &c->uv.tcp)) != 0) {
		free(c);
		(void)YG_FAIL(&err, YG_NOMEM, "no memory to connect");
		tap_down(t, &err);
		return;
	}
	c->tap = t;
	c->uv.handle.data = c;
	t->conn = c;
	yg_fstrm_init(&c->fstrm, YG_FSTRM_SENDER, YG_SV(YG_FSTRM_DNSTAP), YG_FSTRM_FRAME_MAX);
	if (t->tls != NULL && tls_begin(t, c, &err) != YG_OK) {
		tap_down(t, &err);
		return;
	}
	(void)uv_timer_start(&t->retry, on_late, SHAKE_MS, 0);
	int rc = begin(t, c);
	if (rc != 0)
		failed(c, "connect", rc);
}

yg_status tap_tls_open(struct tap *t, size_t i, struct yg_err *err)
{
	char name[32];
	struct yg_sv ca;
	struct yg_sb b = yg_sb_init(name, sizeof name);
	yg_sb_printf(&b, "dnstap.%zu.ca", i);
	yg_status st = yg_memfd_map(yg_role_fd(t->ctx, yg_sb_cstr(&b)), 1u << 20, &ca, err);
	if (st != YG_OK)
		return st;
	st = yg_tls_client_context_new(ca, &t->tls, err);
	yg_memfd_unmap(&ca);
	return st;
}
