/* Queries by UDP: up to 64 at a time in, judged as one batch, up to 64 out. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dns/cookie.h"
#include "role/resolve_fair.h"
#include "role/resolve_internal.h"

#define ROUNDS     16 /* then the loop turns: TCP, upstreams and the supervisor have their say */
#define OUT_BYTES  4096
#define SEND_TRIES 3 /* when the socket's buffer is full */

struct udp_door {
	struct udp_door *next;
	struct resolve *r;
	uv_poll_t poll;
	int fd;
	bool any; /* bound to every address: answers must come from the one asked */
	uint64_t unsent, unanswered;
	struct fair fair;
	struct mmsghdr in[YG_DNS_BATCH], out[YG_DNS_BATCH];
	struct iovec in_iov[YG_DNS_BATCH], out_iov[YG_DNS_BATCH];
	struct sockaddr_in6 from[YG_DNS_BATCH]; /* also holds a sockaddr_in */
	union {
		/* both kinds of address, and before them the count of drops (SO_RXQ_OVFL) */
		char b[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
		       CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(uint32_t))];
		struct cmsghdr align;
	} control[YG_DNS_BATCH];
	struct yg_dns_in query[YG_DNS_BATCH]; /* first those that are judged, then slips */
	uint8_t from_of[YG_DNS_BATCH];        /* of query[k]: its place in in[] and from[] */
	struct yg_dns_client client[YG_DNS_BATCH];
	struct yg_dns_peer peer[YG_DNS_BATCH];
	uint8_t (*in_bytes)[RESOLVE_QUERY_MAX]; /* owned */
	uint8_t (*out_bytes)[OUT_BYTES];        /* owned */
};

/* What a query that waits keeps of where it came from. */
struct udp_peer {
	struct udp_door *door;
	struct sockaddr_in6 from;
	struct in6_addr to; /* door->any: the address that was asked, IPv4 as ::ffff: */
	uint16_t from_n;
};
static_assert(sizeof(struct udp_peer) <= YG_DNS_PEER_BYTES, "it fits into what the core keeps");

static struct yg_ip ip_of(const struct sockaddr_in6 *a)
{
	struct yg_ip ip = {{0}};
	if (a->sin6_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)a;
		ip.b[10] = ip.b[11] = 0xff;
		memcpy(&ip.b[12], &v4->sin_addr, 4);
	} else {
		memcpy(ip.b, &a->sin6_addr, 16);
	}
	return ip;
}

/* The address that a datagram was sent to, from its control data. */
static void local_of(struct msghdr *h, struct in6_addr *out)
{
	memset(out, 0, sizeof *out);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO &&
		    c->cmsg_len >= CMSG_LEN(sizeof(struct in6_pktinfo))) {
			memcpy(out, CMSG_DATA(c), sizeof *out);
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO &&
			   c->cmsg_len >= CMSG_LEN(sizeof(struct in_pktinfo))) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof info);
			out->s6_addr[10] = out->s6_addr[11] = 0xff;
			memcpy(&out->s6_addr[12], &info.ipi_addr, 4);
		}
	}
}

/* Control data that makes the kernel send from `to`. */
static size_t local_into(void *control, size_t cap, int family, const struct in6_addr *to)
{
	struct msghdr h = {.msg_control = control, .msg_controllen = cap};
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);
	memset(control, 0, cap);
	if (family == AF_INET) {
		struct in_pktinfo info = {0};
		memcpy(&info.ipi_spec_dst, &to->s6_addr[12], 4);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof info);
		memcpy(CMSG_DATA(c), &info, sizeof info);
		return CMSG_SPACE(sizeof info);
	}
	struct in6_pktinfo info = {.ipi6_addr = *to};
	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof info);
	memcpy(CMSG_DATA(c), &info, sizeof info);
	return CMSG_SPACE(sizeof info);
}

uint64_t resolve_udp_unsent(const struct resolve *r)
{
	uint64_t n = 0;
	for (const struct udp_door *d = r->udp; d != NULL; d = d->next)
		n += d->unsent;
	return n;
}

void resolve_udp_overload(const struct resolve *r, struct resolve_overload *out)
{
	*out = (struct resolve_overload){0};
	for (const struct udp_door *d = r->udp; d != NULL; d = d->next) {
		out->shed += d->fair.shed;
		out->overflowed += d->fair.overflowed;
		out->networks += d->fair.heavy_count;
	}
}

uint16_t resolve_udp_port(const struct yg_dns_peer *peer)
{
	struct udp_peer p;
	memcpy(&p, peer->b, sizeof p);
	return ntohs(p.from.sin6_port); /* a sockaddr_in has it at the same place */
}

static int receive(struct udp_door *d)
{
	for (size_t i = 0; i < YG_DNS_BATCH; i++) {
		d->in[i].msg_hdr.msg_namelen = sizeof d->from[i];
		if (d->any)
			d->in[i].msg_hdr.msg_controllen = sizeof d->control[i];
	}
	return recvmmsg(d->fd, d->in, YG_DNS_BATCH, MSG_DONTWAIT, NULL);
}

/* A truncated answer to query i, so that a real client comes by TCP. */
static bool slip(struct udp_door *d, size_t i, const struct yg_dns_query *q, struct yg_dns_in *out)
{
	uint8_t *p = d->out_bytes[i];
	size_t n = YG_DNS_HEADER + (size_t)q->question_n;
	if (!q->has_question || q->rcode != 0 || n > d->in[i].msg_len)
		return false;
	memcpy(p, d->in_bytes[i], n);
	yg_dns_put16(p + 2,
		     YG_DNS_QR | YG_DNS_TC | YG_DNS_RA | (q->flags & (YG_DNS_RD | YG_DNS_CD)));
	memset(p + 4, 0, 8);
	p[5] = 1;
	*out = (struct yg_dns_in){.out = p, .out_n = n, .result = YG_DNS_ANSWERED};
	d->r->doors.slipped++;
	return true;
}

/* May query i be answered?  Who shows a cookie of ours has its address: no limit. */
static enum resolve_limit limit(struct udp_door *d, size_t i, struct yg_dns_query *q)
{
	struct resolve *r = d->r;
	struct yg_ip ip = ip_of(&d->from[i]);
	enum resolve_limit l = resolve_limiter_take(r->limiter, ip, resolve_now(r));
	if (l == RESOLVE_PASS)
		return l;
	uint32_t wall = (uint32_t)(yg_env_wall(&r->ctx->env).us / YG_US_PER_S);
	if (yg_dns_query_read(d->in_bytes[i], d->in[i].msg_len, q) != YG_OK)
		return RESOLVE_DROP;
	if (yg_dns_cookie_check(q->cookie, r->cookie_key, ip, wall))
		return RESOLVE_PASS;
	r->doors.limited++;
	return l;
}

static void judge_one(struct udp_door *d, size_t i, struct yg_dns_in *out)
{
	struct udp_peer p = {.door = d, .from_n = (uint16_t)d->in[i].msg_hdr.msg_namelen};
	p.from = d->from[i];
	if (d->any)
		local_of(&d->in[i].msg_hdr, &p.to);
	memcpy(d->peer[i].b, &p, sizeof p);
	*out = (struct yg_dns_in){
		.msg = d->in_bytes[i],
		.n = (d->in[i].msg_hdr.msg_flags & MSG_TRUNC) != 0 ? 0 : d->in[i].msg_len,
		.client = resolve_client_of(&d->r->clients, ip_of(&d->from[i]), &d->client[i]),
		.peer = &d->peer[i],
		.transport = YG_DNS_UDP,
		.out = d->out_bytes[i],
		.out_cap = OUT_BYTES};
}

/* How many of query[] are then to be looked at by send_all(). */
static size_t judge(struct udp_door *d, size_t n)
{
	uint8_t slips[YG_DNS_BATCH];
	size_t judged = 0, slip_n = 0;
	struct yg_dns_query q;
	for (size_t i = 0; i < n; i++) {
		if (fair_purges(&d->fair, ip_of(&d->from[i])))
			continue;
		enum resolve_limit l = d->r->limiter != NULL ? limit(d, i, &q) : RESOLVE_PASS;
		if (l == RESOLVE_SLIP)
			slips[slip_n++] = (uint8_t)i;
		if (l != RESOLVE_PASS)
			continue;
		d->from_of[judged] = (uint8_t)i;
		judge_one(d, i, &d->query[judged++]);
	}
	if (judged > 0)
		yg_dns_core_batch(d->r->core, d->query, judged, resolve_now(d->r));
	size_t all = judged;
	for (size_t k = 0; k < slip_n; k++) {
		size_t i = slips[k];
		if (yg_dns_query_read(d->in_bytes[i], d->in[i].msg_len, &q) != YG_OK ||
		    !slip(d, i, &q, &d->query[all]))
			continue;
		if (d->any) {
			struct udp_peer p = {.door = d};
			local_of(&d->in[i].msg_hdr, &p.to);
			memcpy(d->peer[i].b, &p, sizeof p);
		}
		d->from_of[all++] = (uint8_t)i;
	}
	return all;
}

static void send_all(struct udp_door *d, size_t n)
{
	size_t ready = 0, sent = 0;
	for (size_t k = 0; k < n; k++) {
		size_t i = d->from_of[k];
		if (d->query[k].result != YG_DNS_ANSWERED)
			continue;
		struct msghdr *h = &d->out[ready].msg_hdr;
		d->out_iov[ready] = (struct iovec){d->query[k].out, d->query[k].out_n};
		*h = (struct msghdr){.msg_name = &d->from[i],
				     .msg_namelen = d->in[i].msg_hdr.msg_namelen,
				     .msg_iov = &d->out_iov[ready],
				     .msg_iovlen = 1};
		if (d->any) {
			struct udp_peer p;
			memcpy(&p, d->peer[i].b, sizeof p);
			h->msg_control = d->control[i].b;
			h->msg_controllen = local_into(d->control[i].b, sizeof d->control[i].b,
						       d->from[i].sin6_family, &p.to);
		}
		ready++;
	}
	resolve_log_flush(d->r);
	for (unsigned tries = 0; sent < ready && tries < SEND_TRIES;) {
		int k = sendmmsg(d->fd, d->out + sent, (unsigned)(ready - sent), MSG_DONTWAIT);
		if (k > 0) {
			sent += (size_t)k;
		} else if (errno == EAGAIN || errno == EINTR) {
			tries++;
		} else { /* that one cannot be sent (port 0, no way there): the others can */
			sent++;
			d->unsent++;
		}
	}
	d->unsent += ready - sent;
}

static void tell_overload(struct udp_door *d)
{
	char text[64];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	if (d->fair.heavy_count == 0) {
		yg_role_log(d->r->ctx, YG_EV_RESOLVE_OVERLOAD_OVER, YG_KN("shed", d->fair.shed));
		return;
	}
	fair_network_text(d->fair.heavy[0].key, &b);
	yg_role_log(d->r->ctx, YG_EV_RESOLVE_OVERLOAD, YG_KV("network", yg_sb_sv(&b)),
		    YG_KN("rate", (uint64_t)d->fair.heavy[0].rate),
		    YG_KN("networks", d->fair.heavy_count),
		    YG_KN("answered", (uint64_t)d->fair.capacity));
}

static void on_readable(uv_poll_t *w, int status, int events)
{
	struct udp_door *d = w->data;
	(void)events;
	if (status < 0) /* libuv watches no more; recvmmsg() takes the error off the socket */
		(void)uv_poll_start(w, UV_READABLE, on_readable);
	unsigned round = 0;
	for (; round < ROUNDS; round++) {
		int n = receive(d);
		if (n <= 0)
			break;
		if (fair_wants(&d->fair, (size_t)n, YG_DNS_BATCH))
			fair_sample(&d->fair, ip_of(&d->from[fair_dice(&d->fair, (size_t)n)]),
				    (size_t)n);
		send_all(d, judge(d, (size_t)n));
		if (n < YG_DNS_BATCH)
			break;
	}
	if (fair_turn(&d->fair, round == ROUNDS, resolve_now(d->r)))
		tell_overload(d);
	resolve_wait(d->r);
}

void resolve_udp_tick(struct resolve *r)
{
	for (struct udp_door *d = r->udp; d != NULL; d = d->next)
		if (d->fair.heavy_count > 0 && fair_turn(&d->fair, false, resolve_now(r)))
			tell_overload(d);
}

void resolve_udp_reply(struct resolve *r, const struct yg_dns_peer *peer, const uint8_t *msg,
		       size_t n)
{
	struct udp_peer p;
	union {
		char b[CMSG_SPACE(sizeof(struct in6_pktinfo))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {(void *)(uintptr_t)msg, n};
	memcpy(&p, peer->b, sizeof p);
	struct msghdr h = {
		.msg_name = &p.from, .msg_namelen = p.from_n, .msg_iov = &iov, .msg_iovlen = 1};
	if (n == 0)
		return;
	if (p.door->any) {
		h.msg_control = control.b;
		h.msg_controllen =
			local_into(control.b, sizeof control.b, p.from.sin6_family, &p.to);
	}
	resolve_log_flush(r);
	if (sendmsg(p.door->fd, &h, MSG_DONTWAIT) < 0)
		p.door->unsent++;
}

static yg_status door_open(struct resolve *r, int fd, struct yg_err *err)
{
	struct yg_addr a;
	struct udp_door *d = calloc(1, sizeof *d);
	if (d == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for a listener");
	d->next = r->udp;
	r->udp = d;
	d->r = r;
	d->fd = fd;
	d->in_bytes = calloc(YG_DNS_BATCH, sizeof *d->in_bytes);
	d->out_bytes = calloc(YG_DNS_BATCH, sizeof *d->out_bytes);
	if (d->in_bytes == NULL || d->out_bytes == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for a listener");
	if (yg_addr_of(fd, &a, err) != YG_OK)
		return YG_IO;
	static const struct yg_ip v4_any = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}};
	struct yg_ip ip = yg_addr_ip(&a);
	d->any = yg_ip_is_zero(ip) || yg_ip_eq(ip, v4_any);
	if (d->any) {
		int on = 1;
		(void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
	}
	for (size_t i = 0; i < YG_DNS_BATCH; i++) {
		d->in_iov[i] = (struct iovec){d->in_bytes[i], RESOLVE_QUERY_MAX};
		d->in[i].msg_hdr = (struct msghdr){.msg_name = &d->from[i],
						   .msg_iov = &d->in_iov[i],
						   .msg_iovlen = 1,
						   .msg_control = d->any ? d->control[i].b : NULL};
	}
	uint64_t seed = 0;
	r->ctx->env.random(r->ctx->env.ctx, &seed, sizeof seed);
	fair_open(&d->fair, fd, r->conf->resolve_fair != 0, seed, resolve_now(r));
	if (uv_poll_init(r->ctx->loop, &d->poll, fd) != 0)
		return YG_FAIL(err, YG_INTERNAL, "a socket of the loop");
	d->poll.data = d;
	(void)uv_poll_start(&d->poll, UV_READABLE, on_readable);
	return YG_OK;
}

yg_status resolve_udp_open(struct resolve *r, struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; i < r->conf->dns_listen_count && st == YG_OK; i++) {
		char name[32];
		struct yg_sb b = yg_sb_init(name, sizeof name);
		yg_sb_printf(&b, "dns.%zu.udp", i);
		int fd = yg_role_fd(r->ctx, yg_sb_cstr(&b));
		st = fd >= 0 ? door_open(r, fd, err)
			     : YG_FAIL(err, YG_INTERNAL, "no socket for resolve.listen");
	}
	return st;
}

void resolve_udp_stop(struct resolve *r)
{
	for (struct udp_door *d = r->udp; d != NULL; d = d->next)
		(void)uv_poll_stop(&d->poll);
}
