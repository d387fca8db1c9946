/* zones_notify.c - NOTIFY (RFC 1996): a server says that a zone has changed.  Taken from
 * the address that the zone is transferred from, or signed with its key; all it brings
 * about is that the zone's serial is asked for. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "role/zones_internal.h"

#define MSG_BYTES 4096
#define ROUNDS    64
#define OP_NOTIFY 4u

struct zones_notify {
	struct zones_notify *next;
	struct zones *all;
	uv_poll_t poll;
	int fd;
};

static bool from_master(const struct zone *z, const struct yg_addr *from)
{
	struct yg_ip a = yg_addr_ip(&z->master), b = yg_addr_ip(from);
	return memcmp(&a, &b, sizeof a) == 0;
}

/* False: not to be believed.  A signature that is there must hold. */
static bool believed(const struct zone *z, const struct yg_addr *from, uint8_t *p, size_t *n,
		     struct yg_tsig *t)
{
	bool is_signed = yg_tsig_is_signed(p, *n);
	if (!is_signed || !z->has_tsig)
		return !is_signed && from_master(z, from);
	uint64_t now = (uint64_t)(yg_env_wall(&z->all->ctx->env).us / YG_US_PER_S);
	return yg_tsig_verify(t, p, n, now, &is_signed, NULL) == YG_OK;
}

static size_t reply(const struct yg_dns_msg *m, unsigned rcode, uint8_t *out, size_t cap)
{
	struct yg_dns_wr w;
	yg_dns_wr_begin(&w, out, cap, m->id,
			(uint16_t)(YG_DNS_QR | YG_DNS_AA | OP_NOTIFY << 11 | rcode));
	yg_dns_wr_question(&w, &m->name, m->type, m->cls);
	return w.n;
}

static void on_packet(struct zones_notify *d, const struct yg_addr *from, uint8_t *p, size_t n)
{
	struct zones *all = d->all;
	struct yg_dns_msg m;
	struct yg_tsig t = {.key = NULL};
	uint8_t out[MSG_BYTES];
	bool good = false;
	if (yg_dns_msg_read(p, n, &m) != YG_OK || (m.flags & YG_DNS_QR) != 0 ||
	    (m.flags & YG_DNS_OPCODE) >> 11 != OP_NOTIFY || m.questions != 1 ||
	    m.type != YG_DNS_SOA || m.cls != YG_DNS_IN)
		return;
	for (size_t i = 0; i < all->count && !good; i++) {
		struct zone *z = &all->zones[i];
		if (z->conf->axfr.n == 0 || !yg_dns_name_eq(&z->origin, &m.name))
			continue;
		yg_tsig_end(&t);
		yg_tsig_begin(&t, z->tsig);
		good = believed(z, from, p, &n, &t);
		if (good)
			zones_xfr_notified(z);
	}
	size_t out_n =
		reply(&m, good ? YG_DNS_RCODE_NOERROR : YG_DNS_RCODE_REFUSED, out, sizeof out);
	if (!good) {
		char text[YG_ADDR_TEXT_MAX];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		yg_addr_format(&b, from);
		yg_role_log(all->ctx, YG_EV_ZONES_NOTIFY_REFUSED, YG_KS("from", yg_sb_cstr(&b)));
	}
	if (t.rounds > 0)
		(void)yg_tsig_sign(&t, out, &out_n, sizeof out,
				   (uint64_t)(yg_env_wall(&all->ctx->env).us / YG_US_PER_S), NULL);
	yg_tsig_end(&t);
	(void)sendto(d->fd, out, out_n, MSG_NOSIGNAL, (const struct sockaddr *)&from->sa, from->n);
}

static void on_readable(uv_poll_t *h, int status, int events)
{
	struct zones_notify *d = h->data;
	(void)status;
	(void)events;
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint8_t p[MSG_BYTES];
		struct yg_addr from = {.n = sizeof from.sa};
		ssize_t n = recvfrom(d->fd, p, sizeof p, MSG_DONTWAIT, (struct sockaddr *)&from.sa,
				     &from.n);
		if (n < 0)
			return;
		on_packet(d, &from, p, (size_t)n);
	}
}

yg_status zones_notify_open(struct zones *z, struct yg_err *err)
{
	char name[32];
	for (size_t i = 0; i < z->conf->dns_notify_count; i++) {
		struct yg_sb b = yg_sb_init(name, sizeof name);
		struct zones_notify *d = calloc(1, sizeof *d);
		if (d == NULL)
			return YG_FAIL(err, YG_NOMEM, "no memory for resolve.notify");
		d->next = z->notify;
		z->notify = d;
		d->all = z;
		yg_sb_printf(&b, "notify.%zu.udp", i);
		d->fd = yg_role_fd(z->ctx, yg_sb_cstr(&b));
		d->poll.data = d;
		if (d->fd < 0 || uv_poll_init(z->ctx->loop, &d->poll, d->fd) != 0 ||
		    uv_poll_start(&d->poll, UV_READABLE, on_readable) != 0)
			return YG_FAIL(err, YG_INTERNAL, "a socket of resolve.notify");
	}
	return YG_OK;
}
