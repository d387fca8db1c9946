/* Syslog over UDP (RFC 5426).  What cannot be kept is counted: by us when the
 * spool is full, by the kernel (SO_RXQ_OVFL) when its buffer was. */
#include <errno.h>
#include <netinet/in.h>

#include "role/ingest_internal.h"

#define AT_ONCE  64
#define DATAGRAM 65536
#define ROUNDS   4 /* then the loop turns */

struct udp_door {
	struct udp_door *next;
	struct ingest *in;
	struct gather gather;
	uv_poll_t poll;
	int fd;
	uint32_t kernel_last; /* the socket's own counter, rising mod 2^32 */
	uint64_t kernel_drops, cut;
	/* one datagram each */
	char *bytes; /* owned */
	struct mmsghdr msg[AT_ONCE];
	struct iovec iov[AT_ONCE];
	char control[AT_ONCE][CMSG_SPACE(sizeof(uint32_t))];
};

static void kernel_drops(struct udp_door *d, struct msghdr *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		uint32_t now;
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
			continue;
		memcpy(&now, CMSG_DATA(c), sizeof now);
		d->kernel_drops += (uint32_t)(now - d->kernel_last);
		d->kernel_last = now;
	}
}

static void drops_tell(struct udp_door *d, uint64_t before)
{
	uint64_t now = d->gather.dropped + d->kernel_drops;
	if (now > before)
		yg_role_log(d->in->ctx, YG_EV_INGEST_DROPS, YG_KV("listener", d->gather.name),
			    YG_KN("dropped", d->gather.dropped), YG_KN("kernel", d->kernel_drops));
}

static void on_readable(uv_poll_t *w, int status, int events)
{
	struct udp_door *d = w->data;
	uint64_t before = d->gather.dropped + d->kernel_drops;
	(void)status;
	(void)events;
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < AT_ONCE; i++) {
			d->msg[i].msg_hdr.msg_controllen = sizeof d->control[i];
			d->msg[i].msg_hdr.msg_flags = 0;
		}
		int n = recvmmsg(d->fd, d->msg, AT_ONCE, MSG_DONTWAIT, NULL);
		if (n <= 0)
			break;
		for (int i = 0; i < n; i++) {
			struct yg_sv rec = {d->iov[i].iov_base, d->msg[i].msg_len};
			kernel_drops(d, &d->msg[i].msg_hdr);
			d->cut += (d->msg[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
			if (rec.n > 0 && !gather_add(&d->gather, rec))
				d->gather.dropped++;
		}
		if (n < AT_ONCE)
			break;
	}
	drops_tell(d, before);
}

yg_status udp_open(struct ingest *in, const struct yg_conf_listener *l, int fd, struct yg_err *err)
{
	int on = 1;
	struct udp_door *d = calloc(1, sizeof *d);
	if (d == NULL || (d->bytes = malloc((size_t)AT_ONCE * DATAGRAM)) == NULL) {
		free(d);
		return YG_FAIL(err, YG_NOMEM, "listener");
	}
	d->in = in;
	d->fd = fd;
	yg_status st = gather_open(&d->gather, in, l, err);
	if (st != YG_OK) {
		free(d->bytes);
		free(d);
		return st;
	}
	d->gather.lossy = true;
	for (size_t i = 0; i < AT_ONCE; i++) {
		d->iov[i] = (struct iovec){d->bytes + i * DATAGRAM, DATAGRAM};
		d->msg[i].msg_hdr.msg_iov = &d->iov[i];
		d->msg[i].msg_hdr.msg_iovlen = 1;
		d->msg[i].msg_hdr.msg_control = d->control[i];
	}
	d->next = in->udp;
	in->udp = d;
	/* Without it the kernel's drops are not seen; everything else works. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
	int rc = uv_poll_init(in->ctx->loop, &d->poll, fd);
	d->poll.data = d;
	if (rc == 0)
		rc = uv_poll_start(&d->poll, UV_READABLE, on_readable);
	return rc == 0 ? YG_OK : YG_FAIL(err, YG_INTERNAL, "listener: %s", uv_strerror(rc));
}

void udp_stop(struct ingest *in)
{
	for (struct udp_door *d = in->udp; d != NULL; d = d->next) {
		on_readable(&d->poll, 0, UV_READABLE); /* what the kernel holds already */
		(void)uv_poll_stop(&d->poll);
		gather_flush(&d->gather);
	}
}

bool udp_idle(const struct ingest *in)
{
	for (const struct udp_door *d = in->udp; d != NULL; d = d->next) {
		if (d->gather.records > 0)
			return false;
	}
	return true;
}

void udp_drops(struct ingest *in)
{
	for (const struct udp_door *d = in->udp; d != NULL; d = d->next)
		stats_dropped(in, &d->gather, d->kernel_drops);
}

void udp_stats(struct ingest *in, struct yg_buf *out)
{
	for (const struct udp_door *d = in->udp; d != NULL; d = d->next) {
		gather_stats(&d->gather, "udp", out);
		yg_buf_printf(out, ",\"kernel_dropped\":%llu,\"cut\":%llu}",
			      (unsigned long long)d->kernel_drops, (unsigned long long)d->cut);
	}
}
