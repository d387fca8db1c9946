#include "os/wake.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "os/file.h"

static void on_readable(uv_poll_t *p, int status, int events)
{
	struct yg_wake *w = p->data;
	uint64_t sends;
	(void)events;
	if (status == 0 && read(w->fd, &sends, sizeof sends) == sizeof sends)
		w->call(w->ctx);
}

yg_status yg_wake_open(struct yg_wake *w, uv_loop_t *loop, void (*call)(void *ctx), void *ctx,
		       struct yg_err *err)
{
	w->call = call;
	w->ctx = ctx;
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->fd < 0)
		return YG_FAIL_OS(err, errno, "a descriptor to wake a loop");
	if (uv_poll_init(loop, &w->poll, w->fd) != 0) {
		yg_fd_close(&w->fd);
		return YG_FAIL(err, YG_INTERNAL, "a handle of the loop");
	}
	w->poll.data = w;
	(void)uv_poll_start(&w->poll, UV_READABLE, on_readable);
	return YG_OK;
}

void yg_wake_send(const struct yg_wake *w)
{
	const uint64_t one = 1;
	ssize_t n = write(w->fd, &one, sizeof one);
	/* full after 2^64 - 2 sends: then it is readable */
	YG_REQUIRE(n == sizeof one || errno == EAGAIN);
}

static void on_closed(uv_handle_t *h)
{
	struct yg_wake *w = h->data;
	yg_fd_close(&w->fd);
}

void yg_wake_close(struct yg_wake *w)
{
	(void)uv_poll_stop(&w->poll);
	uv_close((uv_handle_t *)&w->poll, on_closed);
}
