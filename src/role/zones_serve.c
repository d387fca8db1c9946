/* zones_serve.c - who may have our zones (resolve.publish), and has them: SOA by UDP and
 * TCP, AXFR and IXFR by TCP.  Who asks must come from an allowed network, and with the key
 * when there is one. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "dns/xfr_out.h"
#include "os/file.h"
#include "os/memfd.h"
#include "role/zones_served.h"

#define CONNS_MAX  64
#define ACCEPTS    16
#define ASK_BYTES  4096
#define UDP_BYTES  1232
#define OUT_BYTES  32768 /* of one message */
#define IDLE_US    (30 * YG_US_PER_S)
#define SECRET_MAX 4096

struct conn {
	struct conn *next;
	struct served *s;
	uv_tcp_t tcp;
	uv_write_t write;
	struct yg_addr from;
	int64_t used;
	bool closing, busy;
	struct edition *edition; /* held while busy */
	struct yg_buf delta;     /* owned */
	struct yg_dns_xfr_out out;
	struct yg_tsig tsig;
	bool sign;
	uint16_t id, type;
	size_t in_n;
	uint8_t in[ASK_BYTES + 2];
	uint8_t msg[2 + OUT_BYTES + SERVED_SIGN_BYTES];
};
static uint64_t wall(const struct zones *z)
{
	return (uint64_t)(yg_env_wall(&z->ctx->env).us / YG_US_PER_S);
}

/* ---- who may ---- */

static bool is_allowed(const struct served *s, const struct yg_addr *from, bool is_signed)
{
	struct yg_ip ip = yg_addr_ip(from);
	if (s->has_tsig && !is_signed)
		return false;
	if (s->allow_count == 0)
		return s->has_tsig;
	for (size_t i = 0; i < s->allow_count; i++) {
		unsigned bits = s->allow[i].bits, whole = bits / 8, rest = bits % 8;
		const uint8_t *a = s->allow[i].ip.b, *b = ip.b;
		if (memcmp(a, b, whole) == 0 &&
		    (rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0))
			return true;
	}
	return false;
}

/* ---- a question ---- */

struct asked {
	struct yg_dns_msg m;
	uint16_t rcode; /* not 0: the answer */
	bool sign;
	uint32_t serial; /* of IXFR */
	bool has_serial;
};

static void take_serial(struct asked *a)
{
	struct yg_dns_iter it = yg_dns_records(&a->m);
	struct yg_dns_rr rr;
	while (yg_dns_rr_next(&it, &rr))
		if (rr.section == YG_DNS_AUTHORITY && rr.type == YG_DNS_SOA && rr.rdata_n >= 22) {
			a->serial = yg_dns_get32(a->m.p + rr.rdata + rr.rdata_n - 20);
			a->has_serial = true;
		}
}

/* False: no answer at all. */
static bool read_ask(const struct served *s, const struct yg_addr *from, uint8_t *p, size_t *n,
		     struct yg_tsig *t, struct asked *a)
{
	bool is_signed = yg_tsig_is_signed(p, *n);
	*a = (struct asked){.rcode = 0};
	if (is_signed && s->has_tsig) {
		is_signed = yg_tsig_verify(t, p, n, wall(s->all), &is_signed, NULL) == YG_OK;
		a->sign = is_signed;
	} else {
		is_signed = false;
	}
	if (yg_dns_msg_read(p, *n, &a->m) != YG_OK || (a->m.flags & YG_DNS_QR) != 0 ||
	    a->m.questions != 1)
		return false;
	bool ours =
		yg_dns_name_eq(&a->m.name, &s->origin) && a->m.cls == YG_DNS_IN &&
		(a->m.type == YG_DNS_SOA || a->m.type == YG_DNS_IXFR || a->m.type == YG_DNS_AXFR);
	if ((a->m.flags & YG_DNS_OPCODE) != 0)
		a->rcode = YG_DNS_RCODE_NOTIMP;
	else if (!ours || !is_allowed(s, from, is_signed))
		a->rcode = YG_DNS_RCODE_REFUSED;
	else if (s->now == NULL)
		a->rcode = YG_DNS_RCODE_SERVFAIL;
	if (a->rcode == YG_DNS_RCODE_REFUSED) {
		char text[YG_ADDR_TEXT_MAX];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		yg_addr_format(&b, from);
		yg_role_log(s->all->ctx, YG_EV_ZONES_SERVE_REFUSED, YG_KU("zone", s->conf->zone),
			    YG_KS("from", yg_sb_cstr(&b)), YG_KB("signed", is_signed));
	}
	take_serial(a);
	return true;
}

static size_t put_error(const struct asked *a, uint8_t *p, size_t cap)
{
	struct yg_dns_wr w;
	yg_dns_wr_begin(&w, p, cap, a->m.id, (uint16_t)(YG_DNS_QR | a->rcode));
	yg_dns_wr_question(&w, &a->m.name, a->m.type, a->m.cls);
	return w.n;
}

/* ---- UDP ---- */

static void on_udp(uv_poll_t *h, int status, int events)
{
	struct served *s = h->data;
	uint8_t p[ASK_BYTES], out[UDP_BYTES + SERVED_SIGN_BYTES];
	(void)status;
	(void)events;
	for (unsigned i = 0; i < ACCEPTS; i++) {
		struct yg_addr from = {.n = sizeof from.sa};
		struct asked a;
		struct yg_tsig t;
		ssize_t got = recvfrom(s->udp_fd, p, sizeof p, MSG_DONTWAIT,
				       (struct sockaddr *)&from.sa, &from.n);
		if (got < 0)
			return;
		size_t n = (size_t)got;
		yg_tsig_begin(&t, &s->tsig);
		if (read_ask(s, &from, p, &n, &t, &a)) {
			struct yg_dns_xfr_out x = {.phase = 0};
			if (a.rcode == 0 && a.m.type == YG_DNS_AXFR)
				a.rcode = YG_DNS_RCODE_NOTIMP; /* RFC 5936 4.2: TCP alone */
			if (a.rcode == 0)
				yg_dns_xfr_out_begin(&x, &s->now->zone, YG_DNS_XFR_OUT_SOA,
						     (struct yg_sv){"", 0});
			n = a.rcode != 0
				    ? put_error(&a, out, UDP_BYTES)
				    : yg_dns_xfr_out_next(&x, a.m.id, a.m.type, out, UDP_BYTES);
			yg_dns_xfr_out_end(&x);
			if (a.sign)
				(void)yg_tsig_sign(&t, out, &n, sizeof out, wall(s->all), NULL);
			(void)sendto(s->udp_fd, out, n, MSG_NOSIGNAL,
				     (const struct sockaddr *)&from.sa, from.n);
		}
		yg_tsig_end(&t);
	}
}

/* ---- TCP ---- */

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
				    wall(c->s->all), NULL) != YG_OK) {
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
	c->id = a->m.id;
	c->type = a->m.type;
	c->sign = a->sign;
	if (a->rcode != 0) {
		send_msg(c, put_error(a, c->msg + 2, OUT_BYTES));
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
	if (n > ASK_BYTES) {
		conn_close(c);
		return;
	}
	if (c->in_n < all)
		return;
	yg_tsig_end(&c->tsig);
	yg_tsig_begin(&c->tsig, &c->s->tsig);
	bool good = read_ask(c->s, &c->from, c->in + 2, &n, &c->tsig, &a);
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
	c->in_n += (size_t)n;
	c->used = zones_now(c->s->all);
	take_question(c);
}

static void take_connection(struct served *s, int fd, const struct yg_addr *from)
{
	struct zones_serve *v = s->all->serve;
	struct conn *c = v->conn_count < CONNS_MAX ? calloc(1, sizeof *c) : NULL;
	if (c == NULL || uv_tcp_init(s->all->ctx->loop, &c->tcp) != 0) {
		free(c);
		(void)shutdown(fd, SHUT_RDWR);
		int gone = fd;
		yg_fd_close(&gone);
		return;
	}
	c->s = s;
	c->from = *from;
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

static void on_tcp(uv_poll_t *h, int status, int events)
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
	int64_t least = zones_now(z) - IDLE_US;
	for (struct conn *c = z->serve != NULL ? z->serve->conns : NULL, *next; c != NULL;
	     c = next) {
		next = c->next;
		if (c->used < least)
			conn_close(c);
	}
}

/* ---- at the start ---- */

static yg_status take_allow(struct served *s, struct yg_err *err)
{
	struct yg_sv rest = s->conf->allow, one;
	yg_status st = YG_OK;
	while (st == YG_OK && rest.n > 0) {
		(void)yg_sv_cut(&rest, ' ', &one);
		if (s->allow_count == SERVED_ALLOW_MAX)
			return YG_FAIL(err, YG_LIMIT, "more than %d networks", SERVED_ALLOW_MAX);
		st = yg_ip_prefix_parse(one, &s->allow[s->allow_count].ip,
					&s->allow[s->allow_count].bits, err);
		s->allow_count++;
	}
	return st;
}

static yg_status take_key(struct served *s, const char *name, struct yg_err *err)
{
	struct yg_sv map;
	if (s->conf->tsig_name.n == 0)
		return YG_OK;
	yg_status st = yg_memfd_map(yg_role_fd(s->all->ctx, name), SECRET_MAX, &map, err);
	if (st != YG_OK)
		return st;
	st = yg_tsig_key_init(&s->tsig, s->conf->tsig_name, s->conf->tsig_algorithm, map, err);
	yg_memfd_unmap(&map);
	s->has_tsig = st == YG_OK;
	return st;
}

static int named_fd(const struct zones *z, size_t i, const char *what, char *name, size_t n)
{
	struct yg_sb b = yg_sb_init(name, n);
	yg_sb_printf(&b, "publish.%zu.%s", i, what);
	return yg_role_fd(z->ctx, yg_sb_cstr(&b));
}

static yg_status serve_open(struct served *s, size_t i, struct yg_err *err)
{
	uv_loop_t *loop = s->all->ctx->loop;
	char name[48];
	yg_status st = yg_dns_name_parse(s->conf->zone, NULL, &s->origin, err);
	if (st == YG_OK)
		st = take_allow(s, err);
	(void)named_fd(s->all, i, "tsig", name, sizeof name);
	if (st == YG_OK)
		st = take_key(s, name, err);
	if (st != YG_OK)
		return st;
	s->udp_fd = named_fd(s->all, i, "udp", name, sizeof name);
	s->tcp_fd = named_fd(s->all, i, "tcp", name, sizeof name);
	s->udp.data = s->tcp.data = s;
	if (s->udp_fd < 0 || s->tcp_fd < 0 || uv_poll_init(loop, &s->udp, s->udp_fd) != 0 ||
	    uv_poll_init(loop, &s->tcp, s->tcp_fd) != 0 ||
	    uv_poll_start(&s->udp, UV_READABLE, on_udp) != 0 ||
	    uv_poll_start(&s->tcp, UV_READABLE, on_tcp) != 0)
		return YG_FAIL(err, YG_INTERNAL, "its sockets");
	return YG_OK;
}

yg_status zones_serve_open(struct zones *z, struct yg_err *err)
{
	if (z->conf->dns_publish_count == 0)
		return YG_OK;
	z->serve = calloc(1, sizeof *z->serve);
	if (z->serve == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for resolve.publish");
	for (size_t i = 0; i < z->conf->dns_publish_count; i++) {
		struct served *s = calloc(1, sizeof *s);
		if (s == NULL)
			return YG_FAIL(err, YG_NOMEM, "no memory for resolve.publish");
		s->next = z->serve->list;
		z->serve->list = s;
		s->all = z;
		s->conf = &z->conf->dns_publishes[i];
		yg_status st = serve_open(s, i, err);
		if (st != YG_OK) {
			(void)yg_err_wrap(err, "resolve.publish: " YG_SV_FMT ": ",
					  YG_SV_ARG(s->conf->zone));
			return st;
		}
	}
	return YG_OK;
}
