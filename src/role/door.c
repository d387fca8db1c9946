#include "role/door.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/socket.h"

#define CLIENTS_MAX 64
#define QUEUE_MAX   ((size_t)4 << 20)
#define REPLY_MAX   ((size_t)16 << 20)

struct client {
	struct client *next;
	struct yg_door *door;
	struct yg_channel *channel;
};
struct yg_door {
	struct yg_role_ctx *ctx;
	unsigned from;
	yg_door_answer *answer;
	void *user;
	uv_poll_t poll;
	int fd;
	struct client *clients;
	size_t count;
};

static void forget(struct client *c)
{
	struct yg_door *d = c->door;
	for (struct client **at = &d->clients; *at != NULL; at = &(*at)->next)
		if (*at == c) {
			*at = c->next;
			d->count--;
			break;
		}
	yg_channel_close(c->channel);
	free(c);
}

static bool on_allowed(void *arg, uint32_t type, size_t n)
{
	const struct client *c = arg;
	return yg_ipc_allowed(type, n, c->door->from, c->door->ctx->role->bit);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the channel's type */
static void on_frame(void *arg, uint32_t type, struct yg_sv body, int *fd)
{
	struct client *c = arg;
	struct yg_buf reply;
	(void)fd;
	yg_buf_init(&reply, REPLY_MAX);
	c->door->answer(c->door->user, type, body, &reply);
	yg_status st = reply.bad || reply.n == 0
			       ? YG_LIMIT
			       : yg_channel_send(c->channel, yg_buf_sv(&reply), -1);
	yg_buf_free(&reply);
	if (st != YG_OK)
		forget(c);
}

static void on_ended(void *arg, const struct yg_err *err)
{
	(void)err;
	forget(arg);
}

static const struct yg_channel_ops ops = {on_allowed, on_frame, on_ended};

static void take(struct yg_door *d, int fd)
{
	struct yg_peer peer;
	struct client *c = NULL;
	if (yg_peer_cred(fd, &peer, NULL) == YG_OK && (peer.uid == geteuid() || peer.uid == 0) &&
	    d->count < CLIENTS_MAX)
		c = calloc(1, sizeof *c);
	if (c == NULL) {
		(void)close(fd);
		return;
	}
	c->door = d;
	if (yg_channel_open(d->ctx->loop, fd, QUEUE_MAX, &ops, c, &c->channel, NULL) != YG_OK) {
		(void)close(fd);
		free(c);
		return;
	}
	c->next = d->clients;
	d->clients = c;
	d->count++;
}

static void on_poll(uv_poll_t *h, int status, int events)
{
	struct yg_door *d = h->data;
	(void)status;
	(void)events;
	for (int i = 0; i < 16; i++) {
		int fd = accept4(d->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		take(d, fd);
	}
}

yg_status yg_door_open(struct yg_role_ctx *ctx, const char *listener, unsigned from,
		       yg_door_answer *answer, void *user, struct yg_door **out, struct yg_err *err)
{
	int fd = yg_role_fd(ctx, listener);
	if (fd < 0)
		return YG_FAIL(err, YG_INTERNAL, "no socket %s", listener);
	struct yg_door *d = calloc(1, sizeof *d);
	if (d == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for %s", listener);
	*d = (struct yg_door){.ctx = ctx, .from = from, .answer = answer, .user = user, .fd = fd};
	if (uv_poll_init(ctx->loop, &d->poll, fd) != 0) {
		free(d);
		return YG_FAIL(err, YG_INTERNAL, "the loop does not take %s", listener);
	}
	d->poll.data = d;
	(void)uv_poll_start(&d->poll, UV_READABLE, on_poll);
	*out = d;
	return YG_OK;
}

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

void yg_door_close(struct yg_door *d)
{
	if (d == NULL)
		return;
	while (d->clients != NULL)
		forget(d->clients);
	(void)uv_poll_stop(&d->poll);
	uv_close((uv_handle_t *)&d->poll, on_closed);
}
