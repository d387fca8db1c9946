/* Connections of clients.  One costs its own struct, its TLS session and what is
 * begun in it; who sends slowly, or does not take its answers, is closed after
 * resolve.tcp-idle; what all together keep is bounded. */
#include "role/resolve_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/memfd.h"

#define ACCEPTS    64                   /* connections taken before the loop turns */
#define READ_BYTES 16384                /* at a time; also the largest TLS record */
#define CORK_BYTES (64u << 10)          /* answers to one read that go out together */
#define UNSENT_MAX 65536                /* answers not taken; then it is not read */
#define HELD_MAX   ((int64_t)192 << 20) /* begun queries and unsent answers of all */
#define PER_CLIENT 65536                /* counters, by hash of the address */
#define PEM_MAX    (1u << 20)

struct door {
	uv_poll_t poll;
	struct streams *all;
	const struct stream_kind *kind;
	struct yg_tls_context *tls; /* owned; NULL: plain */
	size_t index;
	int fd; /* the role's */
};
struct streams {
	struct resolve *r;
	struct door *doors; /* owned */
	size_t count;
	struct stream **slots; /* owned */
	uint32_t slot_count, slot_hint, serial, conns;
	struct stream *newest, *oldest;
	uint16_t *per_client; /* owned; PER_CLIENT */
	uint64_t key;
	uv_timer_t timer;
	int64_t held;
	struct stream *corked; /* its answers are gathered in `cork` */
	size_t cork_n;
	uint8_t cork[CORK_BYTES], raw[READ_BYTES], plain[READ_BYTES];
	uint8_t out[YG_DNS_MSG_MAX];
};
struct stream_peer {
	uint32_t slot, serial, id;
};
struct unsent {
	uv_write_t write;
	size_t n;
	uint8_t bytes[];
};
static_assert(sizeof(struct stream_peer) <= YG_DNS_PEER_BYTES, "it fits into what the core keeps");

struct resolve *resolve_of(const struct stream *s)
{
	return s->all->r;
}

static uint16_t *client_count(struct streams *t, struct yg_ip ip)
{
	uint64_t a, b;
	memcpy(&a, ip.b, 8);
	memcpy(&b, ip.b + 8, 8);
	uint64_t h = (a ^ t->key) * 0x9e3779b97f4a7c15ull;
	h = (h ^ h >> 29 ^ b) * 0xbf58476d1ce4e5b9ull;
	return &t->per_client[(h >> 40) % PER_CLIENT];
}

/* ---- the list by last use ---- */

static void unlink_stream(struct stream *s)
{
	struct streams *t = s->all;
	*(s->newer != NULL ? &s->newer->older : &t->newest) = s->older;
	*(s->older != NULL ? &s->older->newer : &t->oldest) = s->newer;
	s->newer = s->older = NULL;
}

static void link_newest(struct stream *s)
{
	struct streams *t = s->all;
	s->older = t->newest;
	s->newer = NULL;
	*(t->newest != NULL ? &t->newest->newer : &t->oldest) = s;
	t->newest = s;
}

void stream_used(struct stream *s)
{
	if (s->closing)
		return;
	s->used = resolve_now(s->all->r).us;
	if (s->all->newest != s) {
		unlink_stream(s);
		link_newest(s);
	}
}

/* ---- the end ---- */

static void uncork(struct streams *t);

static void on_closed(uv_handle_t *h)
{
	struct stream *s = h->data;
	if (s->kind->gone != NULL && s->begun)
		s->kind->gone(s);
	s->all->held -= s->in_cap;
	yg_tls_free(s->tls);
	free(s->in);
	free(s);
}

void stream_close(struct stream *s)
{
	struct streams *t = s->all;
	if (s->closing)
		return;
	if (t->corked == s) { /* what was answered goes out before */
		uncork(t);
		t->corked = NULL;
		if (s->closing)
			return;
	}
	if (s->tls != NULL && yg_tls_ready(s->tls) &&
	    uv_stream_get_write_queue_size((const uv_stream_t *)&s->tcp) == 0) {
		yg_tls_bye(s->tls);
		struct yg_sv out = yg_tls_output(s->tls);
		uv_buf_t b = uv_buf_init((char *)(uintptr_t)out.p, (unsigned)out.n);
		if (out.n > 0)
			(void)uv_try_write((uv_stream_t *)&s->tcp, &b, 1);
	}
	s->closing = true;
	unlink_stream(s);
	t->slots[s->slot] = NULL;
	t->slot_hint = s->slot;
	t->r->doors.open = --t->conns;
	(*client_count(t, s->ip))--;
	uv_close((uv_handle_t *)&s->tcp, on_closed);
}

bool stream_hold(struct stream *s, int64_t bytes)
{
	struct streams *t = s->all;
	t->held += bytes;
	/* what a closed one keeps is given back when the loop turns: close no more than
	 * it takes, but never go on as if there were room */
	int64_t over = t->held - HELD_MAX;
	while (bytes > 0 && over > 0 && t->oldest != NULL && !s->closing) {
		struct stream *old = t->oldest;
		over -= (int64_t)old->in_cap +
			(int64_t)uv_stream_get_write_queue_size((const uv_stream_t *)&old->tcp);
		t->r->doors.evicted++;
		stream_close(old);
	}
	return !s->closing;
}

/* The client sends no more: when it has all its answers, that was it. */
static void end_if_done(struct stream *s)
{
	if (s->ended && !s->closing && s->waiting == 0 &&
	    uv_stream_get_write_queue_size((const uv_stream_t *)&s->tcp) == 0)
		stream_close(s);
}

/* ---- out ---- */

static void read_more(struct stream *s);

static void on_written(uv_write_t *w, int status)
{
	struct stream *s = w->data;
	struct unsent *u = (struct unsent *)w; /* its first member */
	s->all->held -= (int64_t)u->n;
	free(u);
	if (s->closing)
		return;
	if (status != 0) {
		stream_close(s);
		return;
	}
	if (!stream_choked(s) && s->begun)
		s->kind->room(s);
	read_more(s);
	end_if_done(s);
}

/* To the socket; what it does not take is copied and waits. */
static void write_raw(struct stream *s, struct yg_sv bytes)
{
	if (bytes.n == 0 || s->closing)
		return;
	uv_buf_t b = uv_buf_init((char *)(uintptr_t)bytes.p, (unsigned)bytes.n);
	int done = uv_try_write((uv_stream_t *)&s->tcp, &b, 1);
	if (done < 0 && done != UV_EAGAIN) {
		stream_close(s);
		return;
	}
	bytes = yg_sv_sub(bytes, (size_t)YG_MAX(done, 0), bytes.n);
	if (bytes.n == 0 || !stream_hold(s, (int64_t)bytes.n))
		return;
	struct unsent *u = malloc(sizeof *u + bytes.n);
	if (u != NULL) {
		u->n = bytes.n;
		u->write.data = s;
		memcpy(u->bytes, bytes.p, bytes.n);
		b = uv_buf_init((char *)u->bytes, (unsigned)bytes.n);
		if (uv_write(&u->write, (uv_stream_t *)&s->tcp, &b, 1, on_written) == 0)
			return;
	}
	free(u);
	s->all->held -= (int64_t)bytes.n;
	stream_close(s);
}

static void write_tls(struct stream *s)
{
	write_raw(s, yg_tls_output(s->tls));
	yg_tls_output_taken(s->tls);
}

static void write_plain(struct stream *s, struct yg_sv bytes)
{
	if (bytes.n == 0 || s->closing)
		return;
	if (s->tls == NULL) {
		write_raw(s, bytes);
		return;
	}
	if (yg_tls_write(s->tls, bytes) != YG_OK)
		stream_close(s);
	else
		write_tls(s);
}

static void uncork(struct streams *t)
{
	struct stream *s = t->corked;
	size_t n = t->cork_n;
	t->cork_n = 0;
	if (s != NULL)
		write_plain(s, (struct yg_sv){(const char *)t->cork, n});
}

void stream_send(struct stream *s, struct yg_sv a, struct yg_sv b)
{
	struct streams *t = s->all;
	if (t->corked != s) {
		/* to another one while this one's answers are gathered */
		uncork(t);
		t->corked = NULL;
	}
	if (t->cork_n + a.n + b.n > CORK_BYTES)
		uncork(t);
	if (s->closing)
		return;
	if (a.n + b.n > CORK_BYTES) {
		write_plain(s, a);
		write_plain(s, b);
		return;
	}
	if (a.n > 0)
		memcpy(t->cork + t->cork_n, a.p, a.n);
	if (b.n > 0)
		memcpy(t->cork + t->cork_n + a.n, b.p, b.n);
	t->cork_n += a.n + b.n;
	if (t->corked != s) {
		t->corked = s;
		uncork(t);
		t->corked = NULL;
	}
}

bool stream_choked(const struct stream *s)
{
	return uv_stream_get_write_queue_size((const uv_stream_t *)&s->tcp) > UNSENT_MAX;
}

bool stream_full(const struct stream *s)
{
	return s->waiting >= STREAM_WAITING_MAX || stream_choked(s);
}

/* ---- queries ---- */

enum yg_dns_result stream_ask(struct stream *s, uint32_t row, uint32_t id, struct yg_sv msg,
			      struct yg_sv *out)
{
	struct streams *t = s->all;
	struct yg_dns_client client = t->r->clients.rows[row];
	struct stream_peer p = {s->slot, s->serial, id};
	struct yg_dns_peer peer = {{0}};
	memcpy(peer.b, &p, sizeof p);
	client.ip = s->ip;
	struct yg_dns_in in = {.msg = (const uint8_t *)msg.p,
			       .n = msg.n,
			       .client = &client,
			       .peer = &peer,
			       .transport = s->kind->transport,
			       .out = t->out,
			       .out_cap = sizeof t->out};
	s->waiting++;
	yg_dns_core_batch(t->r->core, &in, 1, resolve_now(t->r));
	if (in.result != YG_DNS_WAITING)
		s->waiting--;
	*out = (struct yg_sv){(const char *)in.out, in.out_n};
	return (enum yg_dns_result)in.result;
}

void resolve_stream_reply(struct resolve *r, const struct yg_dns_peer *peer, const uint8_t *msg,
			  size_t n)
{
	struct streams *t = r->streams;
	struct stream_peer p;
	memcpy(&p, peer->b, sizeof p);
	struct stream *s = p.slot < t->slot_count ? t->slots[p.slot] : NULL;
	if (s == NULL || s->serial != p.serial)
		return; /* it has gone away meanwhile */
	s->waiting--;
	s->kind->reply(s, p.id, msg, n);
	if (s->closing)
		return;
	stream_used(s);
	read_more(s);
	end_if_done(s);
}

/* ---- in ---- */

/* Hands are shaken: who is it? */
static bool begin(struct stream *s)
{
	char name[256];
	uint8_t print[32];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	if (s->begun)
		return true;
	if (s->tls != NULL) {
		bool named = yg_tls_server_name(s->tls, &b);
		bool shown = yg_tls_peer_sha256(s->tls, print);
		(void)resolve_client_tls(&s->all->r->clients,
					 named ? yg_sb_sv(&b) : (struct yg_sv){"", 0},
					 shown ? print : NULL, &s->row);
	}
	s->begun = true;
	return s->kind->begin == NULL || s->kind->begin(s);
}

static yg_status take_tls(struct stream *s, struct yg_sv bytes)
{
	struct streams *t = s->all;
	size_t n;
	yg_status st = yg_tls_feed(s->tls, bytes);
	while (st == YG_OK && !s->closing) {
		st = yg_tls_read(s->tls, (char *)t->plain, sizeof t->plain, &n, NULL);
		if (!s->begun && yg_tls_ready(s->tls) && !begin(s))
			return YG_NOMEM;
		if (st == YG_OK)
			s->kind->bytes(s, t->plain, n);
	}
	return st;
}

static void end_of_input(struct stream *s)
{
	(void)uv_read_stop((uv_stream_t *)&s->tcp);
	s->reading = false;
	s->ended = true;
	end_if_done(s);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *out)
{
	struct stream *s = h->data;
	(void)hint;
	*out = uv_buf_init((char *)s->all->raw, sizeof s->all->raw);
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
	struct stream *s = h->data;
	struct streams *t = s->all;
	yg_status st = YG_AGAIN;
	if (s->closing || n == 0)
		return;
	if (n < 0) { /* a client that only shut its side down still gets its answers */
		if (n == UV_EOF)
			end_of_input(s);
		else
			stream_close(s);
		return;
	}
	t->corked = s;
	if (s->tls != NULL)
		st = take_tls(s, (struct yg_sv){buf->base, (size_t)n});
	else
		s->kind->bytes(s, (const uint8_t *)buf->base, (size_t)n);
	if (t->corked == s)
		uncork(t);
	t->corked = NULL;
	if (s->tls != NULL && !s->closing)
		write_tls(s); /* handshake, alerts */
	resolve_wait(t->r);
	if (s->closing)
		return;
	if (st == YG_NOTFOUND) {
		end_of_input(s);
	} else if (st != YG_AGAIN) {
		t->r->doors.tls_failed += !s->begun;
		stream_close(s);
	} else {
		read_more(s);
	}
}

/* Reads, or does not while the client has enough to wait for. */
static void read_more(struct stream *s)
{
	if (s->closing || s->ended)
		return;
	if (!stream_full(s) && s->begun && s->in_n > 0 && !s->reading) {
		s->kind->room(s);
		if (s->closing)
			return;
	}
	bool want = !stream_full(s);
	if (want == s->reading)
		return;
	if (!want) {
		(void)uv_read_stop((uv_stream_t *)&s->tcp);
		s->reading = false;
		return;
	}
	s->reading = uv_read_start((uv_stream_t *)&s->tcp, on_alloc, on_read) == 0;
	if (!s->reading)
		stream_close(s);
}

/* ---- connections ---- */

static bool slot_find(struct streams *t, struct stream *s)
{
	for (uint32_t i = 0; i < t->slot_count; i++) {
		uint32_t k = (t->slot_hint + i) % t->slot_count;
		if (t->slots[k] == NULL) {
			t->slots[k] = s;
			s->slot = k;
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
	struct stream *s = h->data;
	yg_tls_free(s->tls);
	free(s);
}

/* It may stay: it has a place and its client has not too many. */
static bool admit(struct streams *t, struct stream *s)
{
	struct yg_dns_client client;
	s->ip = peer_ip(&s->tcp);
	s->row = resolve_client_of(&t->r->clients, s->ip, &client)->network;
	uint16_t *count = client_count(t, s->ip);
	if (*count >= t->r->conf->resolve_tcp_per_client || *count == UINT16_MAX)
		return false;
	if (t->conns == t->slot_count) { /* the one that was idle longest makes room */
		t->r->doors.evicted++;
		stream_close(t->oldest);
	}
	if (!slot_find(t, s))
		return false;
	(*count)++;
	t->r->doors.open = ++t->conns;
	t->r->doors.accepted++;
	s->serial = ++t->serial;
	s->used = resolve_now(t->r).us;
	link_newest(s);
	return true;
}

/* fd is the connection's from here on. */
static void take_connection(struct door *d, int fd)
{
	struct streams *t = d->all;
	struct stream *s = calloc(1, sizeof *s);
	if (s == NULL || uv_tcp_init(t->r->ctx->loop, &s->tcp) != 0) {
		(void)close(fd);
		free(s);
		return;
	}
	s->tcp.data = s;
	s->all = t;
	s->kind = d->kind;
	s->door = d->index;
	int rc = uv_tcp_open(&s->tcp, fd);
	if (rc != 0)
		(void)close(fd);
	if (rc != 0 || (d->tls != NULL && yg_tls_new(d->tls, &s->tls, NULL) != YG_OK) ||
	    !admit(t, s)) {
		t->r->doors.refused++;
		uv_close((uv_handle_t *)&s->tcp, on_refused);
		return;
	}
	(void)uv_tcp_nodelay(&s->tcp, 1);
	if (s->tls == NULL && !begin(s))
		stream_close(s);
	read_more(s);
}

static void on_connection(uv_poll_t *p, int status, int events)
{
	struct door *d = p->data;
	(void)status;
	(void)events;
	for (unsigned i = 0; i < ACCEPTS; i++) {
		int fd = accept4(d->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			/* out of descriptors: the idle ones go, or the loop would spin */
			if ((errno == EMFILE || errno == ENFILE) && d->all->oldest != NULL) {
				d->all->r->doors.evicted++;
				stream_close(d->all->oldest);
			}
			return;
		}
		take_connection(d, fd);
	}
}

static void on_timer(uv_timer_t *h)
{
	struct streams *t = h->data;
	int64_t least = resolve_now(t->r).us - t->r->conf->resolve_tcp_idle_us;
	while (t->oldest != NULL && t->oldest->used <= least) {
		if (t->oldest->waiting > 0) {
			stream_used(t->oldest); /* the core's time limit ends that */
			continue;
		}
		t->r->doors.idle++;
		stream_close(t->oldest);
	}
}

/* ---- doors ---- */

static yg_status tls_open(struct door *d, struct yg_err *err)
{
	static const char *const kinds[] = {"crt", "key", "ca"};
	struct yg_sv pem[3] = {{"", 0}, {"", 0}, {"", 0}};
	yg_status st = YG_OK;
	for (size_t i = 0; i < YG_LEN(kinds) && st == YG_OK; i++) {
		char name[48];
		struct yg_sb b = yg_sb_init(name, sizeof name);
		yg_sb_printf(&b, "%s.%zu.%s", d->kind->name, d->index, kinds[i]);
		int fd = yg_role_fd(d->all->r->ctx, yg_sb_cstr(&b));
		if (fd >= 0)
			st = yg_memfd_map(fd, PEM_MAX, &pem[i], err);
	}
	if (st == YG_OK)
		st = yg_tls_context_new(pem[0], pem[1], pem[2], &d->tls, err);
	if (st == YG_OK) {
		yg_tls_context_optional(d->tls);
		st = yg_tls_context_alpn(d->tls, yg_sv_of(d->kind->alpn));
		if (st == YG_OK)
			st = yg_tls_context_tickets(d->tls);
		if (st != YG_OK)
			(void)YG_FAIL(err, st, "TLS for resolve.%s", d->kind->name);
	}
	for (size_t i = 0; i < YG_LEN(pem); i++)
		if (pem[i].n > 0)
			yg_memfd_unmap(&pem[i]);
	return st;
}

static yg_status door_open(struct streams *t, const struct stream_kind *kind, size_t index,
			   struct yg_err *err)
{
	struct door *d = &t->doors[t->count++];
	char name[32];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	yg_sb_printf(&b, "%s.%zu.tcp", kind->name, index);
	*d = (struct door){.all = t, .kind = kind, .index = index};
	d->fd = yg_role_fd(t->r->ctx, yg_sb_cstr(&b));
	if (d->fd < 0 || uv_poll_init(t->r->ctx->loop, &d->poll, d->fd) != 0)
		return YG_FAIL(err, YG_INTERNAL, "no socket %s", yg_sb_cstr(&b));
	d->poll.data = d;
	if (kind->alpn != NULL && tls_open(d, err) != YG_OK)
		return yg_err_wrap(err, "%s.%zu: ", kind->name, index);
	if (uv_poll_start(&d->poll, UV_READABLE, on_connection) != 0)
		return YG_FAIL(err, YG_IO, "the socket %s cannot be watched", yg_sb_cstr(&b));
	return YG_OK;
}

yg_status resolve_stream_open(struct resolve *r, struct yg_err *err)
{
	const struct yg_conf *c = r->conf;
	const struct {
		const struct stream_kind *kind;
		size_t n;
	} doors[] = {{&resolve_kind_tcp, c->dns_listen_count},
		     {&resolve_kind_dot, c->dns_dot_count},
		     {&resolve_kind_doh, c->dns_doh_count}};
	struct streams *t = calloc(1, sizeof *t);
	if (t == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for TCP");
	r->streams = t;
	t->r = r;
	t->slot_count = (uint32_t)c->resolve_tcp;
	t->doors = calloc(c->dns_listen_count + c->dns_dot_count + c->dns_doh_count + 1,
			  sizeof *t->doors);
	t->slots = calloc(t->slot_count, sizeof(struct stream *));
	t->per_client = calloc(PER_CLIENT, sizeof *t->per_client);
	r->ctx->env.random(r->ctx->env.ctx, &t->key, sizeof t->key);
	if (t->doors == NULL || t->slots == NULL || t->per_client == NULL ||
	    uv_timer_init(r->ctx->loop, &t->timer) != 0)
		return YG_FAIL(err, YG_NOMEM, "no memory for TCP");
	t->timer.data = t;
	(void)uv_timer_start(&t->timer, on_timer, 250, 250);
	yg_status st = YG_OK;
	for (size_t k = 0; k < YG_LEN(doors); k++)
		for (size_t i = 0; i < doors[k].n && st == YG_OK; i++)
			st = door_open(t, doors[k].kind, i, err);
	return st;
}

void resolve_stream_stop(struct resolve *r)
{
	for (size_t i = 0; i < r->streams->count; i++)
		(void)uv_poll_stop(&r->streams->doors[i].poll);
	while (r->streams->oldest != NULL)
		stream_close(r->streams->oldest);
}
