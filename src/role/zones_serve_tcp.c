/* zones_serve_tcp.c - connections of those who have our zones from us: SOA, AXFR and IXFR,
 * one question of a connection at a time. */
#include <stdlib.h>
#include <sys/socket.h>

#include "dns/xfr_out.h"
#include "os/file.h"
#include "role/zones_served.h"

#define ACCEPTS   16
#define OUT_BYTES 32768 /* of one message */

struct conn {
	struct conn *next;
	struct served *s;
	uv_tcp_t tcp;
	uv_write_t write;
	struct yg_addr from;
	int64_t used,
		asked; /* us, monotonic: last got on; when the question came that is answered */
	bool closing, busy, known; /* known: of a network that may ask */
	struct edition *edition;   /* held while busy */
	struct yg_buf delta;       /* owned */
	struct yg_dns_xfr_out out;
	struct yg_tsig tsig;
	bool sign;
	uint16_t id, type;
	size_t in_n;
	uint8_t in[SERVED_ASK_BYTES + 2];
	uint8_t msg[2 + OUT_BYTES + SERVED_SIGN_BYTES];
};
static void on_closed(uv_handle_t *h)
{
	struct conn *c = h->data;
	yg_dns_xfr_out_end(&c->out);
	served_release(c->edition);
	yg_buf_free(&c->delta);
	yg_tsig_end(&c->tsig);
	free(c);
}

static void conn_close(struct conn *c)
{
	struct zones_serve *v = c->s->all->serve;
	if (c->closing)
		return;
	c->closing = true;
	for (struct conn **at = &v->conns; *at != NULL; at = &(*at)->next)
		if (*at == c) {
			*at = c->next;
			break;
		}
	v->conn_count--;
	uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void take_question(struct conn *c);
static void send_next(struct conn *c);

static void on_written(uv_write_t *w, int status)
{
	struct conn *c = w->data;
	if (c->closing)
		return;
	c->used = zones_now(c->s->all);
	if (status != 0)
		conn_close(c);
	else
		send_next(c);
}

static void send_msg(struct conn *c, size_t n)
{
	if (c->sign && yg_tsig_sign(&c->tsig, c->msg + 2, &n, OUT_BYTES + SERVED_SIGN_BYTES,
				    served_wall(c->s->all), NULL) != YG_OK) {
		conn_close(c);
		return;
	}
	yg_dns_put16(c->msg, (unsigned)n);
	uv_buf_t out = uv_buf_init((char *)c->msg, (unsigned)n + 2);
	c->write.data = c;
	if (uv_write(&c->write, (uv_stream_t *)&c->tcp, &out, 1, on_written) != 0)
		conn_close(c);
}

static void send_next(struct conn *c)
{
	size_t n = c->edition != NULL
			   ? yg_dns_xfr_out_next(&c->out, c->id, c->type, c->msg + 2, OUT_BYTES)
			   : 0;
	if (n > 0) {
		send_msg(c, n);
		return;
	}
	if (c->edition != NULL && c->out.some.bad) { /* no end of half a zone */
		conn_close(c);
		return;
	}
	if (c->edition != NULL && c->out.way != YG_DNS_XFR_OUT_SOA)
		yg_role_log(c->s->all->ctx, YG_EV_ZONES_SERVED, YG_KU("zone", c->s->conf->zone),
			    YG_KS("kind", c->out.way == YG_DNS_XFR_OUT_FULL ? "AXFR" : "IXFR"),
			    YG_KN("serial", c->edition->zone.serial));
	yg_dns_xfr_out_end(&c->out);
	served_release(c->edition);
	c->edition = NULL;
	c->busy = false;
	yg_buf_free(&c->delta);
	take_question(c);
}

static void answer(struct conn *c, const struct asked *a)
{
	struct served *s = c->s;
	enum yg_dns_xfr_way way = YG_DNS_XFR_OUT_FULL;
	c->busy = true;
	c->asked = c->used = zones_now(s->all);
	c->id = a->m.id;
	c->type = a->m.type;
	c->sign = a->sign;
	if (a->rcode != 0) {
		send_msg(c, served_put_error(a, c->msg + 2, OUT_BYTES));
		return;
	}
	c->edition = s->now;
	c->edition->refs++;
	bool by_difference = a->m.type == YG_DNS_IXFR && a->has_serial;
	if (a->m.type == YG_DNS_SOA ||
	    (by_difference && (int32_t)(s->now->zone.serial - a->serial) <= 0))
		way = YG_DNS_XFR_OUT_SOA;
	else if (by_difference && served_differences(s, a->serial, &c->delta))
		way = YG_DNS_XFR_OUT_DELTA;
	yg_dns_xfr_out_begin(&c->out, &c->edition->zone, way, yg_buf_sv(&c->delta));
	send_next(c);
}

/* The next whole question of what has come; one at a time. */
static void take_question(struct conn *c)
{
	struct asked a;
	if (c->busy || c->closing || c->in_n < 2)
		return;
	size_t n = yg_dns_get16(c->in), all = n + 2;
	if (n > SERVED_ASK_BYTES) {
		conn_close(c);
		return;
	}
	if (c->in_n < all)
		return;
	yg_tsig_end(&c->tsig);
	yg_tsig_begin(&c->tsig, &c->s->tsig);
	bool good = served_read_ask(c->s, &c->from, c->in + 2, &n, &c->tsig, &a);
	if (good) {
		answer(c, &a); /* reads the question before it is moved away */
		if (c->closing)
			return;
	}
	memmove(c->in, c->in + all, c->in_n - all);
	c->in_n -= all;
	if (!good)
		conn_close(c);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *out)
{
	struct conn *c = h->data;
	(void)hint;
	*out = uv_buf_init((char *)c->in + c->in_n, (unsigned)(sizeof c->in - c->in_n));
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
	struct conn *c = h->data;
	(void)buf;
	if (c->closing)
		return;
	if (n < 0) { /* also: more questions than it waits for answers to */
		conn_close(c);
		return;
	}
	c->in_n += (size_t)n; /* a part of a question gets nobody on */
	take_question(c);
}

/* ---- room ---- */

/* An IPv6 client has a network of 64 bits. */
static bool same_peer(const struct conn *c, const struct yg_addr *from)
{
	struct yg_ip a = yg_addr_ip(&c->from), b = yg_addr_ip(from);
	return memcmp(a.b, b.b, yg_ip_is_v4(b) ? 16 : 8) == 0;
}

/* How little a connection may claim a place: who is of no network that may ask, then who has
 * many, then who waits for nothing. */
static unsigned burden(const struct zones_serve *v, const struct yg_addr *from, bool known,
		       bool busy)
{
	unsigned mine = 0;
	for (const struct conn *c = v->conns; c != NULL; c = c->next)
		mine += same_peer(c, from);
	return (known ? 0 : 4 * SERVED_CONNS_MAX) + 2 * YG_MAX(mine, 1u) + (busy ? 0 : 1);
}

/* Every place is taken: the one that has least claim to its own makes room, if it has none
 * more than who comes; of several the one that got on longest ago. */
static bool make_room(struct served *s, const struct yg_addr *from, bool known)
{
	struct zones_serve *v = s->all->serve;
	struct conn *out = NULL;
	unsigned most = burden(v, from, known, false);
	for (struct conn *c = v->conns; c != NULL; c = c->next) {
		unsigned b = burden(v, &c->from, c->known, c->busy);
		if (b > most || (b == most && (out == NULL || c->used <= out->used))) {
			most = b;
			out = c;
		}
	}
	char text[YG_ADDR_TEXT_MAX];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_addr_format(&b, out != NULL ? &out->from : from);
	yg_role_log(s->all->ctx, YG_EV_ZONES_SERVE_FULL, YG_KU("zone", s->conf->zone),
		    YG_KS("from", yg_sb_cstr(&b)), YG_KB("taken", out != NULL));
	if (out != NULL)
		conn_close(out);
	return out != NULL;
}

static void take_connection(struct served *s, int fd, const struct yg_addr *from)
{
	struct zones_serve *v = s->all->serve;
	bool known = served_knows(s, from);
	bool room = v->conn_count < SERVED_CONNS_MAX || make_room(s, from, known);
	struct conn *c = room ? calloc(1, sizeof *c) : NULL;
	if (c == NULL || uv_tcp_init(s->all->ctx->loop, &c->tcp) != 0) {
		free(c);
		yg_fd_close(&fd);
		return;
	}
	c->s = s;
	c->from = *from;
	c->known = known;
	c->used = zones_now(s->all);
	c->tcp.data = c;
	c->next = v->conns;
	v->conns = c;
	v->conn_count++;
	if (uv_tcp_open(&c->tcp, fd) != 0) {
		yg_fd_close(&fd);
		conn_close(c);
	} else if (uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) != 0) {
		conn_close(c);
	}
}

void served_on_tcp(uv_poll_t *h, int status, int events)
{
	struct served *s = h->data;
	(void)status;
	(void)events;
	for (unsigned i = 0; i < ACCEPTS; i++) {
		struct yg_addr from = {.n = sizeof from.sa};
		int fd = accept4(s->tcp_fd, (struct sockaddr *)&from.sa, &from.n,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		take_connection(s, fd, &from);
	}
}

void zones_serve_tick(struct zones *z)
{
	int64_t now = zones_now(z);
	for (struct conn *c = z->serve != NULL ? z->serve->conns : NULL, *next; c != NULL;
	     c = next) {
		next = c->next;
		if (now - c->used > SERVED_IDLE_US || (c->busy && now - c->asked > SERVED_WHOLE_US))
			conn_close(c);
	}
}
