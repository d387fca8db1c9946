/* Questions to the servers of an upstream set: by UDP from a random port, by TCP
 * when an answer is cut or its letter case is not ours, without EDNS where that is not
 * understood, to the next server when one is silent, lame or broken. */
#include "role/resolve_up.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/codec.h"

#define TRIES_MAX    6
#define STRANGE_MAX  16 /* then somebody guesses: the question goes by TCP */
#define PORT_TRIES   8
#define TCP_WAIT_MS  3000
#define PLAIN_FOR_US 900000000 /* a server that does not know EDNS is asked without for so long */

static void send_udp(struct up_job *j);

static uint64_t random64(struct resolve *r)
{
	uint64_t v;
	r->ctx->env.random(r->ctx->env.ctx, &v, sizeof v);
	return v;
}

/* ---- the end of a question ---- */

static void on_closed(uv_handle_t *h)
{
	struct up_job *j = h->data;
	h->data = NULL; /* free to be used again */
	j->handles--;
	if (!j->ended && j->pending && j->handles == 1) {
		j->pending = false;
		send_udp(j);
	}
	if (j->handles > 0 || !j->ended)
		return;
	j->r->up->jobs--;
	free(j->in);
	free(j);
}

static void socket_end(struct up_job *j)
{
	if (j->fd < 0)
		return;
	(void)uv_poll_stop(&j->poll);
	/* the loop must have let go of it before it is closed */
	uv_close((uv_handle_t *)&j->poll, on_closed);
	(void)close(j->fd);
	j->fd = -1;
}

static void tcp_end(struct up_job *j)
{
	if (j->by_tcp && !uv_is_closing((uv_handle_t *)&j->tcp))
		uv_close((uv_handle_t *)&j->tcp, on_closed);
	j->by_tcp = false;
}

static void job_end(struct up_job *j)
{
	j->ended = true;
	up_tls_leave(j);
	socket_end(j);
	tcp_end(j);
	uv_close((uv_handle_t *)&j->timer, on_closed);
}

static void give_up(struct up_job *j)
{
	struct resolve *r = j->r;
	uint16_t ede = j->why != 0 ? j->why : YG_DNS_EDE_NO_AUTHORITY;
	uint64_t token = j->token;
	job_end(j);
	(void)yg_dns_core_failed(r->core, token, ede, resolve_now(r));
	resolve_wait(r);
}

static void answered(struct up_job *j, const uint8_t *msg, size_t n)
{
	struct resolve *r = j->r;
	uint64_t token = j->token;
	int64_t now = resolve_now(r).us;
	up_server_answered(r, j->server, now - j->sent_us);
	if (yg_dns_ask_has_edns(msg, n)) {
		j->server->speaks_edns = true;
		j->server->plain_until = 0;
	} else if (j->plain) {
		j->server->plain_until = now + PLAIN_FOR_US;
	}
	bool secure = j->set->trust_ad && (yg_dns_get16(msg + 2) & YG_DNS_AD) != 0;
	(void)yg_dns_core_answer(r->core, token, msg, n, secure ? YG_DNS_SECURE : YG_DNS_INSECURE,
				 YG_DNS_EDE_NONE, resolve_now(r));
	job_end(j); /* after: msg may be its own */
	resolve_wait(r);
}

/* The kernel, or somebody on the way, says that it is not there; false: it is we who cannot. */
static bool is_away(int error)
{
	return error == ECONNREFUSED || error == ECONNRESET || error == EHOSTUNREACH ||
	       error == ENETUNREACH || error == EHOSTDOWN || error == ENETDOWN ||
	       error == ETIMEDOUT || error == EPIPE;
}

/* Nobody is there: the next one. */
static void away(struct up_job *j, int error)
{
	if (is_away(error))
		up_server_failed(j->r, j->server, uv_strerror(-error));
	up_job_next(j);
}

/* A server answered, but not this. */
static void no_answer(struct up_job *j, enum yg_dns_match m)
{
	if (m == YG_DNS_LAME || m == YG_DNS_NO_EDNS)
		j->why = YG_DNS_EDE_NETWORK;
	else if (m == YG_DNS_BROKEN)
		j->why = YG_DNS_EDE_INVALID_DATA;
	j->again_plain = m == YG_DNS_NO_EDNS && !j->plain;
	if (!j->again_plain)
		up_server_useless(j->r, j->server, &j->name);
	up_job_next(j);
}

void up_job_answer(struct up_job *j, const uint8_t *msg, size_t n)
{
	enum yg_dns_match m = yg_dns_ask_match(&j->ask, msg, n);
	if (m == YG_DNS_MATCH || m == YG_DNS_MATCH_CASE) {
		answered(j, msg, n);
		return;
	}
	no_answer(j, m);
}

/* ---- TCP ---- */

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *out)
{
	struct up_job *j = h->data;
	(void)hint;
	*out = uv_buf_init((char *)j->in + j->in_n, (unsigned)(65537 - j->in_n));
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
	struct up_job *j = h->data;
	(void)buf;
	if (j->ended || uv_is_closing((uv_handle_t *)h))
		return;
	if (n < 0) {
		away(j, n == UV_EOF ? ECONNRESET : (int)-n);
		return;
	}
	j->in_n += (size_t)n;
	if (j->in_n < 2)
		return;
	size_t want = (size_t)j->in[0] << 8 | j->in[1];
	if (j->in_n - 2 < want)
		return;
	up_job_answer(j, j->in + 2, want);
}

static void on_written(uv_write_t *w, int status)
{
	struct up_job *j = w->data;
	if (status != 0 && !j->ended && j->by_tcp)
		away(j, -status);
}

static void on_connected(uv_connect_t *c, int status)
{
	struct up_job *j = c->data;
	if (j->ended || !j->by_tcp)
		return;
	if (status != 0) {
		away(j, -status);
		return;
	}
	j->head[0] = (uint8_t)(j->ask.n >> 8);
	j->head[1] = (uint8_t)j->ask.n;
	uv_buf_t out[] = {uv_buf_init((char *)j->head, 2),
			  uv_buf_init((char *)j->ask.msg, j->ask.n)};
	j->write.data = j;
	if (uv_write(&j->write, (uv_stream_t *)&j->tcp, out, 2, on_written) != 0 ||
	    uv_read_start((uv_stream_t *)&j->tcp, on_alloc, on_read) != 0)
		up_job_next(j);
}

static void on_timeout(uv_timer_t *t)
{
	struct up_job *j = t->data;
	if (j->ended)
		return;
	j->r->up->timeouts++;
	up_server_failed(j->r, j->server, "it is silent");
	up_job_next(j);
}

/* The same server by TCP.  The handle of a try before may still be closing: then the
 * next server is asked instead. */
static void try_tcp(struct up_job *j)
{
	socket_end(j);
	if (j->in == NULL)
		j->in = malloc(65537);
	if (j->in == NULL || j->tcp.data != NULL || uv_tcp_init(j->r->ctx->loop, &j->tcp) != 0) {
		up_job_next(j);
		return;
	}
	j->handles++;
	j->by_tcp = true;
	j->tcp.data = j;
	j->connect.data = j;
	j->in_n = 0;
	j->r->up->by_tcp++;
	j->sent_us = resolve_now(j->r).us;
	if (uv_tcp_connect(&j->connect, &j->tcp, (const struct sockaddr *)&j->server->addr.sa,
			   on_connected) != 0) {
		up_job_next(j);
		return;
	}
	(void)uv_timer_start(&j->timer, on_timeout, TCP_WAIT_MS, 0);
}

/* ---- UDP ---- */

static void on_readable(uv_poll_t *p, int status, int events)
{
	struct up_job *j = p->data;
	uint8_t msg[YG_DNS_UDP_BEST + 4096];
	(void)status;
	(void)events;
	while (!j->ended && j->fd >= 0) {
		ssize_t n = recv(j->fd, msg, sizeof msg, MSG_DONTWAIT);
		if (n < 0) {
			if (errno != EAGAIN && errno != EINTR) /* refused: nobody is there */
				away(j, errno);
			return;
		}
		enum yg_dns_match m = yg_dns_ask_match(&j->ask, msg, (size_t)n);
		switch (m) {
		case YG_DNS_MATCH: answered(j, msg, (size_t)n); return;
		case YG_DNS_MISMATCH:
			j->r->up->mismatched++;
			if (++j->strange < STRANGE_MAX)
				continue;
			j->r->up->guessed++;
			try_tcp(j);
			return;
		case YG_DNS_TRUNCATED:
		case YG_DNS_MATCH_CASE: try_tcp(j); return;
		default: no_answer(j, m); return;
		}
	}
}

/* A socket that hears this server alone, on a port that nobody can guess. */
static int socket_for(struct resolve *r, const struct yg_addr *to)
{
	int fd = socket(to->sa.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	for (unsigned i = 0; i < PORT_TRIES; i++) {
		uint16_t port = (uint16_t)(1024 + random64(r) % (65536 - 1024));
		struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
		struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(port)};
		int bad = to->sa.ss_family == AF_INET6
				  ? bind(fd, (const struct sockaddr *)&a6, sizeof a6)
				  : bind(fd, (const struct sockaddr *)&a4, sizeof a4);
		if (bad == 0 || errno != EADDRINUSE)
			break; /* refused altogether: the kernel's own choice is random too */
	}
	if (connect(fd, (const struct sockaddr *)&to->sa, to->n) != 0) {
		int error = errno;
		(void)close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static void on_later(uv_timer_t *t)
{
	struct up_job *j = t->data;
	if (!j->ended)
		up_job_next(j);
}

/* By TLS alone, whatever becomes of it. */
static void send_tls(struct up_job *j)
{
	if (!up_tls_send(j))
		(void)uv_timer_start(&j->timer, on_later, 10, 0);
	else
		(void)uv_timer_start(&j->timer, on_timeout, TCP_WAIT_MS, 0);
}

static void send_udp(struct up_job *j)
{
	struct resolve *r = j->r;
	if (j->server->tls != NULL) {
		send_tls(j);
		return;
	}
	j->fd = socket_for(r, &j->server->addr);
	j->sent_us = resolve_now(r).us;
	if (j->fd < 0 && is_away(errno))
		up_server_failed(r, j->server, uv_strerror(-errno));
	if (j->fd < 0 || uv_poll_init(r->ctx->loop, &j->poll, j->fd) != 0) {
		if (j->fd >= 0)
			(void)close(j->fd);
		j->fd = -1;
		(void)uv_timer_start(&j->timer, on_later, 10, 0);
		return;
	}
	j->handles++;
	j->poll.data = j;
	(void)uv_poll_start(&j->poll, UV_READABLE, on_readable);
	if (send(j->fd, j->ask.msg, j->ask.n, MSG_DONTWAIT) < 0) {
		if (is_away(errno))
			up_server_failed(r, j->server, uv_strerror(-errno));
		(void)uv_timer_start(&j->timer, on_later, 10, 0);
		return;
	}
	(void)uv_timer_start(
		&j->timer, on_timeout,
		(uint64_t)(up_server_wait(j->server, j->tries > 0 ? j->tries - 1u : 0) / 1000), 0);
}

static void on_try(uv_timer_t *t)
{
	struct up_job *j = t->data;
	if (!j->ended)
		send_udp(j);
}

void up_job_next(struct up_job *j)
{
	up_tls_leave(j);
	socket_end(j);
	tcp_end(j);
	(void)uv_timer_stop(&j->timer);
	if (j->tries >= TRIES_MAX || j->tries >= 3 * j->set->count + 1) {
		give_up(j);
		return;
	}
	int64_t now = resolve_now(j->r).us;
	if (!j->again_plain)
		j->server = up_server_choose(j->set, &j->tried, j->tries == 0, now, random64(j->r));
	/* one that was never heard to speak EDNS and is silent now may be silent because of it */
	j->plain = j->again_plain || j->server->plain_until > now ||
		   (!j->server->speaks_edns && j->server->fails > 0 && j->server->fails % 2 == 1);
	j->again_plain = false;
	j->tries++;
	j->r->up->plain += j->plain;
	const struct yg_dns_ask_opts how = {.dnssec_ok = j->dnssec_ok,
					    .checking_disabled = j->checking_disabled,
					    .same_case = j->server->tls == NULL,
					    .no_edns = j->plain,
					    .authoritative = j->set->authoritative};
	yg_dns_ask_build(&j->ask, &j->name, j->type, &how, random64(j->r));
	/* the handles of the try before close in the loop's own time: then on_closed() goes on */
	if (j->handles == 1)
		(void)uv_timer_start(&j->timer, on_try, 0, 0);
	else
		j->pending = true;
}

static void on_failed(uv_timer_t *t)
{
	give_up(t->data);
}

void resolve_up_ask(struct resolve *r, const struct yg_dns_question *q)
{
	struct upstreams *u = r->up;
	if (q->set != 0 && q->set <= u->count && u->sets[q->set - 1].recurse != NULL) {
		u->asked++; /* no memory: the core gives up on the question by its clock */
		(void)up_recurse_ask(u->sets[q->set - 1].recurse, q);
		return;
	}
	struct up_job *j = calloc(1, sizeof *j);
	if (j == NULL || uv_timer_init(r->ctx->loop, &j->timer) != 0) {
		free(j); /* the core gives up on the question by its clock */
		return;
	}
	u->asked++;
	u->jobs++;
	j->r = r;
	j->fd = -1;
	j->handles = 1;
	j->timer.data = j;
	j->token = q->token;
	j->name = *q->name;
	j->type = q->type;
	j->dnssec_ok = q->dnssec_ok;
	j->checking_disabled = q->checking_disabled;
	if (q->set == 0 || q->set > u->count || u->sets[q->set - 1].count == 0) {
		(void)uv_timer_start(&j->timer, on_failed, 0, 0); /* never from inside ask() */
		return;
	}
	j->set = &u->sets[q->set - 1];
	up_job_next(j);
}

static yg_status set_open(struct resolve *r, size_t i, struct yg_err *err)
{
	const struct yg_conf_dns_upstream *u = &r->conf->dns_upstreams[i];
	struct up_set *set = &r->up->sets[i];
	set->authoritative = u->stub.n > 0;
	set->trust_ad = YG_SV_IS(u->dnssec, "trust-ad");
	bool validate = YG_SV_IS(u->dnssec, "validate") ||
			(u->recursion != 0 && YG_SV_IS(u->dnssec, "auto"));
	if (u->recursion != 0 || validate)
		return up_recurse_open(r, i, validate, &set->recurse, err);
	yg_status st = up_servers_read(set, set->authoritative ? u->stub : u->forward, err);
	return st == YG_OK ? up_tls_open(r, i, set, err) : st;
}

yg_status resolve_up_zones(struct resolve *r, struct yg_dns_zones *zones, struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; i < r->up->count && st == YG_OK; i++) {
		const struct yg_conf_dns_upstream *u = &r->conf->dns_upstreams[i];
		struct yg_dns_name zone;
		st = yg_dns_name_parse(u->zone, NULL, &zone, err);
		if (st == YG_OK)
			st = yg_dns_zones_add(zones, resolve_org(&r->clients, u->org), &zone,
					      YG_DNS_ZONE_SET, (uint32_t)i + 1,
					      u->private_addresses != 0, err);
	}
	return st;
}

uint32_t resolve_up_nobody(const struct resolve *r)
{
	return (uint32_t)r->up->count + 1;
}

yg_status resolve_up_open(struct resolve *r, struct yg_err *err)
{
	const struct yg_conf *c = r->conf;
	r->up = calloc(1, sizeof *r->up);
	if (r->up == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the upstreams");
	r->up->count = c->dns_upstream_count;
	r->up->sets = calloc(c->dns_upstream_count + 1, sizeof *r->up->sets);
	if (r->up->sets == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the upstreams");
	yg_status st = YG_OK;
	for (size_t i = 0; i < c->dns_upstream_count && st == YG_OK; i++)
		st = set_open(r, i, err);
	return st;
}
