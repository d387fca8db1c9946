#include "os/ipc.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/channel.h"
#include "os/file.h"
#include "os/memfd.h"
#include "tap.h"

static struct yg_sv frame(struct yg_buf *b, uint32_t type, struct yg_sv body)
{
	b->n = 0;
	size_t at = yg_ipc_begin(b, type);
	yg_buf_put(b, body);
	yg_ipc_end(b, at);
	return yg_buf_sv(b);
}

static void test_blocking(void)
{
	struct yg_err err = {0};
	struct yg_buf b, in;
	struct yg_ipc_head h = {0, 0};
	int s[2], got = -1, mem = -1;
	yg_buf_init(&b, 1 << 20);
	yg_buf_init(&in, 1 << 20);
	T_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) == 0);
	T_OK(yg_ipc_send(s[0], frame(&b, 7, YG_SV("hello")), -1, 1000, &err) == YG_OK);
	T_OK(yg_memfd_from_bytes("m", YG_SV("mem"), &mem, &err) == YG_OK);
	T_OK(yg_ipc_send(s[0], frame(&b, 8, YG_SV("")), mem, 1000, &err) == YG_OK);
	T_OK(yg_ipc_recv(s[1], &in, &h, 5, &got, 1000, &err) == YG_OK);
	T_OK(h.type == 7 && h.n == 5 && got == -1 && YG_SV_IS(yg_buf_sv(&in), "hello"));
	in.n = 0;
	T_OK(yg_ipc_recv(s[1], &in, &h, 5, &got, 1000, &err) == YG_OK && h.type == 8 && h.n == 0);
	struct yg_sv map;
	T_OK(got >= 0 && yg_memfd_map(got, 10, &map, &err) == YG_OK && YG_SV_IS(map, "mem"));
	yg_memfd_unmap(&map);
	yg_fd_close(&got);
	T_OK(yg_ipc_recv(s[1], &in, &h, 5, NULL, 20, &err) == YG_AGAIN); /* nothing comes */
	T_OK(yg_ipc_send(s[0], frame(&b, 7, YG_SV("too long")), -1, 1000, &err) == YG_OK);
	T_OK(yg_ipc_recv(s[1], &in, &h, 5, NULL, 1000, &err) == YG_TOOBIG);
	yg_fd_close(&s[0]);
	yg_fd_close(&s[1]);
	T_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) == 0);
	yg_fd_close(&s[0]);
	T_OK(yg_ipc_recv(s[1], &in, &h, 5, NULL, 1000, &err) == YG_NOTFOUND);
	T_OK(yg_ipc_send(s[1], frame(&b, 7, YG_SV("x")), -1, 1000, &err) == YG_NOTFOUND);
	yg_fd_close(&s[1]);
	yg_fd_close(&mem);
	yg_buf_free(&b);
	yg_buf_free(&in);
}

struct end {
	struct yg_channel *c;
	int frames, with_fd, ended;
	size_t bytes;
	yg_status why;
};
static bool allowed(void *ctx, uint32_t type, size_t n)
{
	(void)ctx;
	return type >= 1 && type <= 3 && n <= 300000;
}
static void on_frame(void *ctx, uint32_t type, struct yg_sv body, int *fd)
{
	struct end *e = ctx;
	e->frames++;
	e->bytes += body.n;
	if (type == 3 && *fd >= 0)
		e->with_fd++;
	else if (*fd >= 0)
		e->with_fd -= 100; /* came with the wrong frame */
}
static void on_ended(void *ctx, const struct yg_err *err)
{
	struct end *e = ctx;
	e->ended++;
	e->why = err->code;
	yg_channel_close(e->c);
}
static const struct yg_channel_ops ops = {allowed, on_frame, on_ended};

static void spin(uv_loop_t *loop)
{
	for (int i = 0; i < 200; i++)
		(void)uv_run(loop, UV_RUN_NOWAIT);
}

static void test_channel(void)
{
	struct yg_err err = {0};
	static char big[300000];
	uv_loop_t loop;
	struct end a = {0}, b = {0};
	struct yg_buf buf;
	int s[2], mem = -1;
	yg_buf_init(&buf, 1 << 20);
	T_OK(uv_loop_init(&loop) == 0);
	T_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) == 0);
	T_OK(yg_channel_open(&loop, s[0], 1 << 20, &ops, &a, &a.c, &err) == YG_OK);
	T_OK(yg_channel_open(&loop, s[1], 1 << 20, &ops, &b, &b.c, &err) == YG_OK);
	T_OK(yg_memfd_from_bytes("m", YG_SV("mem"), &mem, &err) == YG_OK);
	struct yg_sv large = {big, sizeof big};
	T_OK(yg_channel_send(a.c, frame(&buf, 1, YG_SV("one")), -1) == YG_OK);
	T_OK(yg_channel_send(a.c, frame(&buf, 3, YG_SV("with")), mem) == YG_OK);
	T_OK(yg_channel_send(a.c, frame(&buf, 2, large), -1) == YG_OK);
	T_OK(yg_channel_send(a.c, frame(&buf, 3, YG_SV("with")), mem) == YG_OK);
	T_OK(yg_channel_send_type(a.c, 1) == YG_OK);
	spin(&loop);
	T_OK(b.frames == 5 && b.with_fd == 2 && b.bytes == 3 + 4 + 300000 + 4);
	T_OK(yg_channel_idle(a.c));
	/* the queue is bounded: nobody reads while we fill it */
	int n = 0;
	while (n < 100 && yg_channel_send(a.c, frame(&buf, 2, large), -1) == YG_OK)
		n++;
	T_OK(n == 3);
	spin(&loop);
	T_OK(b.frames == 8);
	/* a frame against the rules ends the sender's channel */
	T_OK(yg_channel_send_type(a.c, 9) == YG_OK);
	spin(&loop);
	T_OK(b.ended == 1 && b.why == YG_DENIED);
	T_OK(a.ended == 1 && a.why == YG_NOTFOUND);
	yg_fd_close(&mem);
	spin(&loop);
	T_OK(uv_loop_close(&loop) == 0);
	yg_buf_free(&buf);
}

int main(void)
{
	test_blocking();
	test_channel();
	return tap_done();
}
