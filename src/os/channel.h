/* channel.h - a framed connection (os/ipc.h) on a libuv loop: frames in by
 * callback, frames out through a bounded queue that never blocks.
 *
 * Runs in the loop's thread, except yg_channel_send(), which any thread may
 * call.  A channel owns its descriptor.
 */
#pragma once
#include <uv.h>

#include "os/ipc.h"

struct yg_channel; /* owned: yg_channel_close() */

struct yg_channel_ops {
	/* Says whether a frame of that type and size may come in; false ends the channel. */
	bool (*allowed)(void *ctx, uint32_t type, size_t n);
	/* One whole frame; body is borrowed.  *fd: a descriptor that came with it or -1;
	 * set it to -1 to take it, else it is closed.  May close the channel. */
	void (*frame)(void *ctx, uint32_t type, struct yg_sv body, int *fd);
	/* The other end is gone (YG_NOTFOUND) or broke the rules (err->code else).
	 * Called once; the channel must then be closed by its owner. */
	void (*ended)(void *ctx, const struct yg_err *err);
};

/* `ops` is borrowed; queue_max bounds the bytes that wait to be sent. */
yg_status yg_channel_open(uv_loop_t *loop, int fd, size_t queue_max,
			  const struct yg_channel_ops *ops, void *ctx, struct yg_channel **out,
			  struct yg_err *err);
/* Copies the frame; fd_out is duplicated (-1: none).  YG_LIMIT when the queue
 * is full, YG_NOTFOUND when the channel has ended. */
yg_status yg_channel_send(struct yg_channel *c, struct yg_sv frame, int fd_out);
/* A frame without a body. */
yg_status yg_channel_send_type(struct yg_channel *c, uint32_t type);
/* True when nothing waits to be sent. */
bool yg_channel_idle(struct yg_channel *c);
/* Ends it; the memory goes when the loop has run once more.  NULL is fine. */
void yg_channel_close(struct yg_channel *c);
