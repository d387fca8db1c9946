#include "os/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "os/file.h"

struct out {
	struct out *next;
	size_t n, sent;
	int fd; /* owned; -1 */
	char bytes[];
};

struct yg_channel {
	uv_poll_t poll;
	uv_async_t wake; /* another thread queued something */
	uv_mutex_t lock; /* guards the queue */
	struct out *first, *last;
	size_t queued, queue_max;
	int fd, fd_in; /* fd_in: came in, its frame is not complete yet */
	struct yg_buf in;
	const struct yg_channel_ops *ops;
	void *ctx;
	int handles; /* to be closed before the memory goes */
	bool ended, closing;
};

static void out_free(struct out *o)
{
	yg_fd_close(&o->fd);
	free(o);
}

static void end(struct yg_channel *c, const struct yg_err *err)
{
	if (c->ended || c->closing)
		return;
	uv_mutex_lock(&c->lock);
	c->ended = true;
	uv_mutex_unlock(&c->lock);
	(void)uv_poll_stop(&c->poll);
	c->ops->ended(c->ctx, err);
}

/* Sends what it can; true when something still waits. */
static bool flush(struct yg_channel *c, int *out_errno)
{
	*out_errno = 0;
	uv_mutex_lock(&c->lock);
	while (c->first != NULL) {
		struct out *o = c->first;
		ssize_t n = yg_ipc_sendmsg(
			c->fd, (struct yg_sv){o->bytes + o->sent, o->n - o->sent}, o->fd);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			*out_errno = errno == EAGAIN ? 0 : errno;
			break;
		}
		yg_fd_close(&o->fd);
		o->sent += (size_t)n;
		c->queued -= (size_t)n;
		if (o->sent < o->n)
			continue;
		c->first = o->next;
		if (c->first == NULL)
			c->last = NULL;
		out_free(o);
	}
	bool waits = c->first != NULL;
	uv_mutex_unlock(&c->lock);
	return waits;
}

static void on_poll(uv_poll_t *p, int status, int events);

static void watch(struct yg_channel *c)
{
	int eno = 0;
	if (c->ended || c->closing)
		return;
	bool waits = flush(c, &eno);
	if (eno != 0) {
		struct yg_err err = {0};
		(void)YG_FAIL_OS(&err, eno, "send");
		err.code = eno == EPIPE || eno == ECONNRESET ? YG_NOTFOUND : YG_IO;
		end(c, &err);
		return;
	}
	(void)uv_poll_start(&c->poll, UV_READABLE | (waits ? UV_WRITABLE : 0), on_poll);
}

static void on_wake(uv_async_t *a)
{
	watch(a->data);
}

/* Hands on every whole frame; false when the channel ended. */
static bool take_frames(struct yg_channel *c)
{
	size_t at = 0;
	while (c->in.n - at >= YG_IPC_HEAD) {
		struct yg_rd r = yg_rd_init(c->in.p + at, YG_IPC_HEAD);
		uint32_t type = yg_rd_le32(&r), n = yg_rd_le32(&r);
		if (!c->ops->allowed(c->ctx, type, n)) {
			struct yg_err err = {0};
			(void)YG_FAIL(&err, YG_DENIED, "message %u of %u bytes is not allowed",
				      type, n);
			end(c, &err);
			return false;
		}
		if (c->in.n - at - YG_IPC_HEAD < n)
			break;
		int fd = -1;
		struct yg_sv body = {c->in.p + at + YG_IPC_HEAD, n};
		at += YG_IPC_HEAD + n;
		/* a descriptor ends the read it came with (unix(7)), so it belongs
		 * to the last frame that began in what is here */
		if (at == c->in.n) {
			fd = c->fd_in;
			c->fd_in = -1;
		}
		c->ops->frame(c->ctx, type, body, &fd);
		yg_fd_close(&fd);
		if (c->ended || c->closing)
			return false;
	}
	if (at > 0) {
		memmove(c->in.p, c->in.p + at, c->in.n - at);
		c->in.n -= at;
	}
	return true;
}

static void on_poll(uv_poll_t *p, int status, int events)
{
	struct yg_channel *c = p->data;
	struct yg_err err = {0};
	(void)status; /* an error shows at the read */
	if ((events & UV_READABLE) != 0 || status < 0) {
		char *to = yg_buf_room(&c->in, 65536);
		if (to == NULL) {
			(void)YG_FAIL(&err, YG_NOMEM, "no memory for a message");
			end(c, &err);
			return;
		}
		/* a second descriptor while one waits would be closed: our own
		 * processes send one per frame, and a frame is read whole first */
		ssize_t n = yg_ipc_recvmsg(c->fd, to, 65536, &c->fd_in);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			err.code = YG_NOTFOUND;
			(void)YG_FAIL(&err, YG_NOTFOUND, "the other end is gone");
			end(c, &err);
			return;
		}
		if (n > 0) {
			c->in.n += (size_t)n;
			if (!take_frames(c))
				return;
		}
	}
	watch(c);
}

yg_status yg_channel_open(uv_loop_t *loop, int fd, size_t queue_max,
			  const struct yg_channel_ops *ops, void *ctx, struct yg_channel **out,
			  struct yg_err *err)
{
	struct yg_channel *c = calloc(1, sizeof *c);
	if (c == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for a channel");
	c->fd = fd;
	c->fd_in = -1;
	c->queue_max = queue_max;
	c->ops = ops;
	c->ctx = ctx;
	yg_buf_init(&c->in, (size_t)64 << 20); /* a frame's own bound is in ops->allowed */
	if (uv_mutex_init(&c->lock) != 0) {
		free(c);
		return YG_FAIL(err, YG_NOMEM, "no memory for a lock");
	}
	if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || uv_poll_init(loop, &c->poll, fd) != 0) {
		uv_mutex_destroy(&c->lock);
		free(c);
		return YG_FAIL(err, YG_IO, "descriptor cannot be watched");
	}
	c->poll.data = c;
	c->wake.data = c;
	YG_REQUIRE(uv_async_init(loop, &c->wake, on_wake) == 0);
	c->handles = 2;
	watch(c);
	*out = c;
	return YG_OK;
}

yg_status yg_channel_send(struct yg_channel *c, struct yg_sv frame, int fd_out)
{
	struct out *o = malloc(sizeof *o + frame.n);
	if (o == NULL)
		return YG_NOMEM;
	*o = (struct out){.n = frame.n, .fd = -1};
	memcpy(o->bytes, frame.p, frame.n);
	if (fd_out >= 0) {
		o->fd = fcntl(fd_out, F_DUPFD_CLOEXEC, 3);
		if (o->fd < 0) {
			free(o);
			return YG_IO;
		}
	}
	yg_status st = YG_OK;
	uv_mutex_lock(&c->lock);
	if (c->ended || c->closing)
		st = YG_NOTFOUND;
	else if (c->queued + frame.n > c->queue_max)
		st = YG_LIMIT;
	if (st == YG_OK) {
		if (c->last != NULL)
			c->last->next = o;
		else
			c->first = o;
		c->last = o;
		c->queued += frame.n;
		(void)uv_async_send(&c->wake); /* under the lock: not after a close */
	}
	uv_mutex_unlock(&c->lock);
	if (st != YG_OK)
		out_free(o);
	return st;
}

yg_status yg_channel_send_type(struct yg_channel *c, uint32_t type)
{
	struct yg_buf b;
	yg_buf_init(&b, 64);
	yg_ipc_end(&b, yg_ipc_begin(&b, type));
	yg_status st = b.bad ? YG_NOMEM : yg_channel_send(c, yg_buf_sv(&b), -1);
	yg_buf_free(&b);
	return st;
}

bool yg_channel_idle(struct yg_channel *c)
{
	uv_mutex_lock(&c->lock);
	bool idle = c->first == NULL;
	uv_mutex_unlock(&c->lock);
	return idle;
}

static void on_closed(uv_handle_t *h)
{
	struct yg_channel *c = h->data;
	if (--c->handles > 0)
		return;
	for (struct out *o = c->first; o != NULL;) {
		struct out *next = o->next;
		out_free(o);
		o = next;
	}
	yg_fd_close(&c->fd);
	yg_fd_close(&c->fd_in);
	yg_buf_free(&c->in);
	uv_mutex_destroy(&c->lock);
	free(c);
}

void yg_channel_close(struct yg_channel *c)
{
	if (c == NULL || c->closing)
		return;
	uv_mutex_lock(&c->lock);
	c->closing = true;
	uv_mutex_unlock(&c->lock);
	(void)uv_poll_stop(&c->poll);
	uv_close((uv_handle_t *)&c->poll, on_closed);
	uv_close((uv_handle_t *)&c->wake, on_closed);
}
