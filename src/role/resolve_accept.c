/* Doors: taking connections, how many of whom, how long idle. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/memfd.h"
#include "role/resolve_stream_internal.h"

#define ACCEPTS 64 /* connections taken before the loop turns */
#define PEM_MAX (1u << 20)

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

static void peer_of(struct stream *s)
{
	struct yg_addr a = {.n = sizeof a.sa};
	int n = sizeof a.sa;
	if (uv_tcp_getpeername(&s->tcp, (struct sockaddr *)&a.sa, &n) != 0)
		return;
	a.n = (socklen_t)n;
	s->ip = yg_addr_ip(&a);
	s->port = yg_addr_port(&a);
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
	peer_of(s);
	s->row = resolve_client_of(&t->r->clients, s->ip, &client)->network;
	uint16_t *count = stream_client_count(t, s->ip);
	if (*count >= t->r->conf->resolve_tcp_per_client || *count == UINT16_MAX)
		return false;
	if (t->conns == t->slot_count && client.refused && s->tls == NULL)
		return false;            /* for nobody we know nobody has to leave */
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
	stream_link_newest(s);
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
	if (s->tls == NULL && !stream_begin(s))
		stream_close(s);
	stream_read_more(s);
	if (s->tls != NULL) /* hands will be shaken: in this turn, or in its own */
		stream_spend(s, STREAM_HANDSHAKE);
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
			if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
				return;
			if (d->all->oldest != NULL) {
				d->all->r->doors.evicted++;
				stream_close(d->all->oldest);
			} else {
				(void)uv_poll_stop(p); /* on_timer() tries again */
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
	for (size_t i = 0; i < t->count && !t->r->draining; i++)
		if (!uv_is_active((uv_handle_t *)&t->doors[i].poll))
			(void)uv_poll_start(&t->doors[i].poll, UV_READABLE, on_connection);
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
	t->per_client = calloc(STREAM_PER_CLIENT, sizeof *t->per_client);
	r->ctx->env.random(r->ctx->env.ctx, &t->key, sizeof t->key);
	if (t->doors == NULL || t->slots == NULL || t->per_client == NULL ||
	    uv_timer_init(r->ctx->loop, &t->timer) != 0)
		return YG_FAIL(err, YG_NOMEM, "no memory for TCP");
	if (stream_turns_open(t, err) != YG_OK)
		return YG_NOMEM;
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
