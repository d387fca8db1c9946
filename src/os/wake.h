/* wake.h - a thread that gives way tells a loop that there is something for it.  Not by
 * uv_async_send(): between two instructions in it the thread may lose its core, and a loop
 * that wakes then spins until it has gone on (libuv 1.44), which on a busy core takes a
 * tenth of a second.
 *
 * Runs in the loop's thread, except yg_wake_send(), which any thread may call. */
#pragma once
#include <uv.h>

#include "base/err.h"

struct yg_wake { /* stays where it is while it is open */
	uv_poll_t poll;
	int fd; /* owned */
	void (*call)(void *ctx);
	void *ctx;
};
/* From now on `call` runs in the loop some time after each send, once for several. */
yg_status yg_wake_open(struct yg_wake *w, uv_loop_t *loop, void (*call)(void *ctx), void *ctx,
		       struct yg_err *err);
/* What this thread has written before is seen by the call. */
void yg_wake_send(const struct yg_wake *w);
/* The loop has run once more before the memory may go. */
void yg_wake_close(struct yg_wake *w);
