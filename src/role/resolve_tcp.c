/* Queries by TCP (RFC 7766): many on a connection, answered as they are known.
 * A connection costs its own struct and what it has begun to send; who sends
 * slowly, or does not take its answers, is closed after resolve.tcp-idle. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "role/resolve_internal.h"

#define ACCEPTS    64    /* connections taken before the loop turns */
#define IN_FIRST   514   /* of a query and its length; grows when one is longer */
#define OPEN_MAX   128   /* queries of one connection that wait; then it is not read */
#define UNSENT_MAX 65536 /* answers that the client does not take; then it is not read */
#define PER_CLIENT 65536 /* counters, by hash of the address */

struct conn {
	uv_tcp_t tcp;
	struct tcp_doors *doors;
	struct conn *newer, *older; /* by last use */
	struct yg_dns_client client;
	uint32_t slot, serial;
	uint16_t open; /* queries that wait */
	bool closing, reading;
	int64_t used; /* us of the monotonic clock */
	uint8_t *in;  /* owned; what came and is not a whole query yet */
	uint32_t in_n, in_cap;
};
struct tcp_door {
	uv_poll_t poll;
	struct tcp_doors *doors;
	int fd; /* the role's */
};
struct tcp_doors {
	struct resolve *r;
	struct tcp_door *doors; /* owned */
	size_t count;
	struct conn **slots; /* owned */
	uint32_t slot_count, slot_hint, serial, conns;
	struct conn *newest, *oldest;
	uint16_t *per_client; /* owned; PER_CLIENT */
	uint64_t key;
	uv_timer_t timer;
	uint64_t accepted, refused, timed_out;
	uint8_t out[65535];
};
struct tcp_peer {
	uint32_t slot, serial;
};
struct answer {
	uv_write_t write;
	uint8_t bytes[]; /* length, message */
};

static uint16_t *client_count(struct tcp_doors *t, struct yg_ip ip)
{
	uint64_t a, b;
	memcpy(&a, ip.b, 8);
	memcpy(&b, ip.b + 8, 8);
	uint64_t h = (a ^ t->key) * 0x9e3779b97f4a7c15ull;
	h = (h ^ h >> 29 ^ b) * 0xbf58476d1ce4e5b9ull;
	return &t->per_client[(h >> 40) % PER_CLIENT];
}

/* ---- the list by last use ---- */

static void unlink_conn(struct conn *c)
{
	struct tcp_doors *t = c->doors;
	*(c->newer != NULL ? &c->newer->older : &t->newest) = c->older;
	*(c->older != NULL ? &c->older->newer : &t->oldest) = c->newer;
	c->newer = c->older = NULL;
}

static void link_newest(struct conn *c)
{
	struct tcp_doors *t = c->doors;
	c->older = t->newest;
	c->newer = NULL;
	*(t->newest != NULL ? &t->newest->newer : &t->oldest) = c;
	t->newest = c;
}

static void used_now(struct conn *c)
{
	c->used = resolve_now(c->doors->r).us;
	if (c->doors->newest != c) {
		unlink_conn(c);
		link_newest(c);
	}
}

static void on_closed(uv_handle_t *h)
{
	struct conn *c = h->data;
	free(c->in);
	free(c);
}

static void conn_close(struct conn *c)
{
	struct tcp_doors *t = c->doors;
	if (c->closing)
		return;
	c->closing = true;
	unlink_conn(c);
	t->slots[c->slot] = NULL;
	t->slot_hint = c->slot;
	t->conns--;
	(*client_count(t, c->client.ip))--;
	uv_close((uv_handle_t *)&c->tcp, on_closed);
}

/* ---- queries and answers ---- */

static void read_more(struct conn *c);

static void on_written(uv_write_t *w, int status)
{
	struct conn *c = w->data;
	free(w); /* the first member of its answer */
	if (c->closing)
		return;
	if (status != 0)
		conn_close(c);
	else
		read_more(c);
}

static void send_answer(struct conn *c, const uint8_t *msg, size_t n)
{
	struct answer *a = malloc(sizeof *a + 2 + n);
	if (a == NULL) {
		conn_close(c);
		return;
	}
	a->bytes[0] = (uint8_t)(n >> 8);
	a->bytes[1] = (uint8_t)n;
	memcpy(a->bytes + 2, msg, n);
	a->write.data = c;
	uv_buf_t buf = uv_buf_init((char *)a->bytes, (unsigned)n + 2);
	if (uv_write(&a->write, (uv_stream_t *)&c->tcp, &buf, 1, on_written) != 0) {
		free(a);
		conn_close(c);
	}
}

static void ask(struct conn *c, const uint8_t *msg, size_t n)
{
	struct tcp_doors *t = c->doors;
	struct tcp_peer p = {c->slot, c->serial};
	struct yg_dns_peer peer = {{0}};
	memcpy(peer.b, &p, sizeof p);
	struct yg_dns_in in = {.msg = msg,
			       .n = n,
			       .client = &c->client,
			       .peer = &peer,
			       .transport = YG_DNS_TCP,
			       .out = t->out,
			       .out_cap = sizeof t->out};
	c->open++;
	yg_dns_core_batch(t->r->core, &in, 1, resolve_now(t->r));
	if (in.result == YG_DNS_WAITING)
		return;
	c->open--;
	if (in.result == YG_DNS_ANSWERED)
		send_answer(c, in.out, in.out_n);
}

static bool full(const struct conn *c)
{
	return c->open >= OPEN_MAX ||
	       uv_stream_get_write_queue_size((const uv_stream_t *)&c->tcp) > UNSENT_MAX;
}

/* Whole queries out of what came. */
static void take_queries(struct conn *c)
{
	uint32_t at = 0;
	while (!c->closing && c->in_n - at >= 2 && !full(c)) {
		uint32_t n = (uint32_t)c->in[at] << 8 | c->in[at + 1];
		if (n < 12) { /* not even a header */
			conn_close(c);
			return;
		}
		if (c->in_n - at - 2 < n)
			break;
		ask(c, c->in + at + 2, n);
		at += 2 + n;
	}
	if (c->closing)
		return;
	c->in_n -= at;
	memmove(c->in, c->in + at, c->in_n);
	resolve_wait(c->doors->r);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *out)
{
	struct conn *c = h->data;
	(void)hint;
	uint32_t want = IN_FIRST;
	if (c->in_n >= 2)
		want = YG_MAX(want, 2 + ((uint32_t)c->in[0] << 8 | c->in[1]));
	if (c->in_n == c->in_cap && c->in_cap >= want) /* full of whole queries that wait */
		want = c->in_cap;
	if (c->in_cap < want) {
		uint8_t *p = realloc(c->in, want);
		if (p == NULL) {
			*out = uv_buf_init(NULL, 0);
			return;
		}
		c->in = p;
		c->in_cap = want;
	}
	*out = uv_buf_init((char *)c->in + c->in_n, c->in_cap - c->in_n);
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
	struct conn *c = h->data;
	(void)buf;
	if (c->closing || n == 0)
		return;
	if (n < 0) { /* closed; a client that only shut its side down still gets its answers */
		if (n == UV_EOF && c->open > 0) {
			(void)uv_read_stop(h);
			c->reading = false;
			return;
		}
		conn_close(c);
		return;
	}
	bool whole = c->in_n < 2;
	c->in_n += (uint32_t)n;
	/* a byte now and then is no use: only a whole query counts */
	uint32_t before = c->in_n;
	take_queries(c);
	if (c->closing)
		return;
	if (whole || c->in_n < before)
		used_now(c);
	read_more(c);
}

/* Reads, or does not while the client has enough to wait for. */
static void read_more(struct conn *c)
{
	if (full(c)) {
		if (c->reading)
			(void)uv_read_stop((uv_stream_t *)&c->tcp);
		c->reading = false;
		return;
	}
	if (c->in_n >= 2 && !c->reading)
		take_queries(c);
	if (!c->closing && !c->reading && !full(c)) {
		c->reading = uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) == 0;
		if (!c->reading)
			conn_close(c);
	}
}

void resolve_tcp_reply(struct resolve *r, const struct yg_dns_peer *peer, const uint8_t *msg,
		       size_t n)
{
	struct tcp_doors *t = r->tcp;
	struct tcp_peer p;
	memcpy(&p, peer->b, sizeof p);
	struct conn *c = p.slot < t->slot_count ? t->slots[p.slot] : NULL;
	if (c == NULL || c->serial != p.serial)
		return; /* it has gone away meanwhile */
	c->open--;
	if (n > 0)
		send_answer(c, msg, n);
	if (!c->closing)
		used_now(c);
}

/* ---- connections ---- */

static bool slot_find(struct tcp_doors *t, struct conn *c)
{
	for (uint32_t i = 0; i < t->slot_count; i++) {
		uint32_t k = (t->slot_hint + i) % t->slot_count;
		if (t->slots[k] == NULL) {
			t->slots[k] = c;
			c->slot = k;
			t->slot_hint = k + 1;
			return true;
		}
	}
	return false;
}

static struct yg_ip peer_ip(const uv_tcp_t *h)
{
	struct yg_addr a = {.n = sizeof a.sa};
	int n = sizeof a.sa;
	if (uv_tcp_getpeername(h, (struct sockaddr *)&a.sa, &n) != 0)
		return (struct yg_ip){{0}};
	a.n = (socklen_t)n;
	return yg_addr_ip(&a);
}

static void on_refused(uv_handle_t *h)
{
	free(h->data);
}

/* fd is the connection's from here on. */
static void take_connection(struct tcp_doors *t, int fd)
{
	struct conn *c = calloc(1, sizeof *c);
	if (c == NULL || uv_tcp_init(t->r->ctx->loop, &c->tcp) != 0) {
		(void)close(fd);
		free(c);
		return;
	}
	c->tcp.data = c;
	c->doors = t;
	if (uv_tcp_open(&c->tcp, fd) != 0) {
		(void)close(fd);
		uv_close((uv_handle_t *)&c->tcp, on_refused);
		return;
	}
	struct yg_ip ip = peer_ip(&c->tcp);
	(void)resolve_client_of(&t->r->clients, ip, &c->client);
	uint16_t *count = client_count(t, ip);
	if (*count >= t->r->conf->resolve_tcp_per_client || *count == UINT16_MAX) {
		t->refused++;
		uv_close((uv_handle_t *)&c->tcp, on_refused);
		return;
	}
	if (t->conns == t->slot_count)
		conn_close(t->oldest); /* the one that was idle longest makes room */
	if (!slot_find(t, c)) {
		uv_close((uv_handle_t *)&c->tcp, on_refused);
		return;
	}
	(*count)++;
	t->conns++;
	t->accepted++;
	c->serial = ++t->serial;
	c->used = resolve_now(t->r).us;
	link_newest(c);
	(void)uv_tcp_nodelay(&c->tcp, 1);
	read_more(c);
}

static void on_connection(uv_poll_t *p, int status, int events)
{
	struct tcp_door *d = p->data;
	(void)status;
	(void)events;
	for (unsigned i = 0; i < ACCEPTS; i++) {
		int fd = accept4(d->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			/* out of descriptors: the idle ones go, or the loop would spin */
			if ((errno == EMFILE || errno == ENFILE) && d->doors->oldest != NULL)
				conn_close(d->doors->oldest);
			return;
		}
		take_connection(d->doors, fd);
	}
}

static void on_timer(uv_timer_t *h)
{
	struct tcp_doors *t = h->data;
	int64_t least = resolve_now(t->r).us - t->r->conf->resolve_tcp_idle_us;
	while (t->oldest != NULL && t->oldest->used <= least) {
		t->timed_out++;
		conn_close(t->oldest);
	}
}

static yg_status door_open(struct tcp_doors *t, size_t i, struct yg_err *err)
{
	struct tcp_door *d = &t->doors[i];
	char name[32];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	yg_sb_printf(&b, "dns.%zu.tcp", i);
	d->fd = yg_role_fd(t->r->ctx, yg_sb_cstr(&b));
	d->doors = t;
	if (d->fd < 0 || uv_poll_init(t->r->ctx->loop, &d->poll, d->fd) != 0)
		return YG_FAIL(err, YG_INTERNAL, "no socket for resolve.listen");
	d->poll.data = d;
	if (uv_poll_start(&d->poll, UV_READABLE, on_connection) != 0)
		return YG_FAIL(err, YG_IO, "resolve.listen: the socket cannot be watched");
	return YG_OK;
}

yg_status resolve_tcp_open(struct resolve *r, struct yg_err *err)
{
	struct tcp_doors *t = calloc(1, sizeof *t);
	if (t == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for TCP");
	r->tcp = t;
	t->r = r;
	t->count = r->conf->dns_listen_count;
	t->slot_count = (uint32_t)r->conf->resolve_tcp;
	t->doors = calloc(t->count + 1, sizeof *t->doors);
	t->slots = calloc(t->slot_count, sizeof(struct conn *));
	t->per_client = calloc(PER_CLIENT, sizeof *t->per_client);
	r->ctx->env.random(r->ctx->env.ctx, &t->key, sizeof t->key);
	if (t->doors == NULL || t->slots == NULL || t->per_client == NULL ||
	    uv_timer_init(r->ctx->loop, &t->timer) != 0)
		return YG_FAIL(err, YG_NOMEM, "no memory for TCP");
	t->timer.data = t;
	(void)uv_timer_start(&t->timer, on_timer, 250, 250);
	yg_status st = YG_OK;
	for (size_t i = 0; i < t->count && st == YG_OK; i++)
		st = door_open(t, i, err);
	return st;
}

void resolve_tcp_stop(struct resolve *r)
{
	for (size_t i = 0; i < r->tcp->count; i++)
		(void)uv_poll_stop(&r->tcp->doors[i].poll);
	while (r->tcp->oldest != NULL)
		conn_close(r->tcp->oldest);
}
