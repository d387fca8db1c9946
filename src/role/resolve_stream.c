/* Connections of clients.  One costs its own struct, its TLS session and what is
 * begun in it; who sends slowly, or does not take its answers, is closed after
 * resolve.tcp-idle; what all together keep is bounded. */
#include <stdlib.h>
#include <string.h>

#include "role/resolve_stream_internal.h"

#define UNSENT_MAX 65536                /* answers not taken; then it is not read */
#define HELD_MAX   ((int64_t)192 << 20) /* begun queries and unsent answers of all */

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

uint16_t *stream_client_count(struct streams *t, struct yg_ip ip)
{
	uint64_t a, b;
	memcpy(&a, ip.b, 8);
	memcpy(&b, ip.b + 8, 8);
	if (!yg_ip_is_v4(ip))
		b = 0; /* a /64 is one client */
	uint64_t h = (a ^ t->key) * 0x9e3779b97f4a7c15ull;
	h = (h ^ h >> 29 ^ b) * 0xbf58476d1ce4e5b9ull;
	return &t->per_client[(h >> 40) % STREAM_PER_CLIENT];
}

/* ---- the list by last use ---- */

static void unlink_stream(struct stream *s)
{
	struct streams *t = s->all;
	*(s->newer != NULL ? &s->newer->older : &t->newest) = s->older;
	*(s->older != NULL ? &s->older->newer : &t->oldest) = s->newer;
	s->newer = s->older = NULL;
}

void stream_link_newest(struct stream *s)
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
		stream_link_newest(s);
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
	stream_not_later(s);
	t->slots[s->slot] = NULL;
	t->slot_hint = s->slot;
	t->r->doors.open = --t->conns;
	(*stream_client_count(t, s->ip))--;
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
	if (s->ended && !s->closing && s->waiting == 0 && s->later_at == NULL &&
	    uv_stream_get_write_queue_size((const uv_stream_t *)&s->tcp) == 0)
		stream_close(s);
}

/* ---- out ---- */

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
	stream_read_more(s);
	end_if_done(s);
}

/* To the socket; what it does not take is copied and waits. */
static void write_raw(struct stream *s, struct yg_sv bytes)
{
	if (bytes.n == 0 || s->closing)
		return;
	resolve_log_flush(s->all->r);
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
	if (t->cork_n + a.n + b.n > STREAM_CORK_BYTES)
		uncork(t);
	if (s->closing)
		return;
	if (a.n + b.n > STREAM_CORK_BYTES) {
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

/* Until its answers have come, or gone. */
static bool stuck(const struct stream *s)
{
	return s->waiting >= STREAM_WAITING_MAX || stream_choked(s);
}

bool stream_full(struct stream *s)
{
	return stuck(s) || stream_tired(s);
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
	stream_spend(s, 1);
	s->stranger = s->stranger || client.refused;
	s->waiting++;
	yg_dns_core_batch(t->r->core, &in, 1, resolve_now(t->r));
	if (in.result != YG_DNS_WAITING)
		s->waiting--;
	*out = (struct yg_sv){(const char *)in.out, in.out_n};
	return (enum yg_dns_result)in.result;
}

uint16_t resolve_stream_port(const struct resolve *r, const struct yg_dns_peer *peer)
{
	struct stream_peer p;
	memcpy(&p, peer->b, sizeof p);
	const struct stream *s = p.slot < r->streams->slot_count ? r->streams->slots[p.slot] : NULL;
	return s != NULL && s->serial == p.serial ? s->port : 0;
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
	stream_read_more(s);
	end_if_done(s);
}

/* ---- in ---- */

bool stream_begin(struct stream *s)
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
		if (!s->begun && yg_tls_ready(s->tls) && !stream_begin(s))
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
	stream_read_more(s); /* whole queries may be left of another turn */
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *out)
{
	struct stream *s = h->data;
	(void)hint; /* nothing: it is not read, and stays with the system until its turn comes */
	*out = uv_buf_init((char *)s->all->raw, stream_tired(s) ? 0 : sizeof s->all->raw);
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
	struct stream *s = h->data;
	struct streams *t = s->all;
	yg_status st = YG_AGAIN;
	if (s->closing || n == 0)
		return;
	if (n == UV_ENOBUFS) { /* not its turn */
		stream_read_more(s);
		return;
	}
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
		stream_read_more(s);
	}
}

/* What was kept; its answers go out together. */
static void take_kept(struct stream *s)
{
	struct streams *t = s->all;
	uncork(t);
	t->corked = s;
	s->kind->room(s);
	if (t->corked == s)
		uncork(t);
	t->corked = NULL;
	resolve_wait(t->r);
}

void stream_read_more(struct stream *s)
{
	if (s->closing || s->later_at != NULL)
		return;
	if (!stream_full(s) && s->begun && s->in_n > 0 && !s->reading) {
		take_kept(s);
		if (s->closing)
			return;
	}
	bool want = !stuck(s);
	if (want && stream_tired(s)) {
		stream_later(s);
		want = false;
	}
	if (s->ended)
		end_if_done(s);
	if (want == s->reading || s->ended)
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
