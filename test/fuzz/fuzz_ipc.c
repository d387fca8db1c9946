#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz/replay.h"
#include "os/channel.h"
#include "role/message.h"

/* Any bytes on a control channel: every frame handed on was allowed by the map,
 * whole and in order; anything else ends the channel, never the receiver. */
struct seen {
	struct yg_channel *c;
	const uint8_t *data;
	size_t size, at; /* where the next frame must begin */
	bool ended;
};

static bool allowed(void *ctx, uint32_t type, size_t n)
{
	(void)ctx;
	return yg_ipc_allowed(type, n, YG_R_CENTER, YG_R_MAIN);
}

static void on_frame(void *ctx, uint32_t type, struct yg_sv body, int *fd)
{
	struct seen *s = ctx;
	struct yg_rd r = yg_rd_init(s->data + s->at, s->size - s->at);
	if (*fd != -1 || yg_rd_le32(&r) != type || yg_rd_le32(&r) != body.n || r.bad)
		abort();
	const uint8_t *same = yg_rd_take(&r, body.n);
	if (same == NULL || (body.n > 0 && memcmp(same, body.p, body.n) != 0))
		abort();
	s->at += YG_IPC_HEAD + body.n;
}

static void on_ended(void *ctx, const struct yg_err *err)
{
	struct seen *s = ctx;
	if (s->ended || err->msg[0] == '\0')
		abort();
	s->ended = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct yg_channel_ops ops = {allowed, on_frame, on_ended};
	int pair[2];
	uv_loop_t loop;
	if (size > 65536 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return 0;
	struct seen s = {.data = data, .size = size};
	if (uv_loop_init(&loop) != 0 ||
	    yg_channel_open(&loop, pair[0], 65536, &ops, &s, &s.c, NULL) != YG_OK)
		abort();
	for (size_t at = 0; at < size;) { /* in pieces: frames come cut anywhere */
		size_t n = YG_MIN(size - at, 1 + (data[at] % 61u));
		ssize_t put = send(pair[1], data + at, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (put <= 0)
			break;
		at += (size_t)put;
		(void)uv_run(&loop, UV_RUN_NOWAIT);
	}
	(void)close(pair[1]);
	for (int i = 0; i < 4; i++)
		(void)uv_run(&loop, UV_RUN_NOWAIT);
	if (!s.ended)
		abort(); /* the other end is gone: it must have been said */
	yg_channel_close(s.c);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&loop) != 0)
		abort();
	return 0;
}
