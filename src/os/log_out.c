#include "os/log_out.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

#define AGAIN_MS  100
#define END_MS    20
#define END_TIMES 10

void yg_log_out_own(void)
{
	struct stat st;
	if (fstat(STDERR_FILENO, &st) != 0 || (!S_ISFIFO(st.st_mode) && isatty(STDERR_FILENO) == 0))
		return;
	int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)dup2(fd, STDERR_FILENO);
	(void)close(fd);
}

void yg_log_out_begin(struct yg_log_out *o, int fd)
{
	struct stat st = {.st_mode = 0};
	int flags = fcntl(fd, F_GETFL);
	o->fd = fd;
	(void)fstat(fd, &st);
	if (S_ISSOCK(st.st_mode))
		o->kind = YG_LOG_FD_SOCKET;
	else if ((S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) && (flags & O_NONBLOCK) == 0)
		o->kind = YG_LOG_FD_ASK;
	YG_REQUIRE(uv_mutex_init(&o->lock) == 0);
}

/* As write(): as much as it takes at once. */
static ssize_t give(const struct yg_log_out *o, const char *p, size_t n)
{
	if (o->kind == YG_LOG_FD_SOCKET)
		return send(o->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (o->kind == YG_LOG_FD_ASK) {
		struct pollfd f = {.fd = o->fd, .events = POLLOUT};
		if (poll(&f, 1, 0) <= 0) {
			errno = EAGAIN;
			return -1;
		}
		n = YG_MIN(n, PIPE_BUF); /* for so much a pipe that takes anything has room */
	}
	return write(o->fd, p, n);
}

/* What is left of the line is in *line.  False: it cannot be written. */
static bool give_line(const struct yg_log_out *o, struct yg_sv *line)
{
	while (line->n > 0) {
		ssize_t n = give(o, line->p, line->n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		*line = yg_sv_sub(*line, (size_t)n, line->n);
	}
	return true;
}

/* Line by line, since a pipe takes a short one whole or not at all: those of other processes
 * do not get into it. */
static void give_waiting(struct yg_log_out *o)
{
	while (o->n > 0) {
		const char *p = o->buf + o->at, *end = memchr(p, '\n', o->n);
		size_t n = end != NULL ? (size_t)(end - p) + 1 : o->n;
		struct yg_sv line = {p, n};
		if (!give_line(o, &line)) {
			o->lost++;
			line.n = 0;
		}
		o->at += n - line.n;
		o->n -= n - line.n;
		if (line.n > 0)
			return;
	}
	o->at = 0;
}

static bool keep(struct yg_log_out *o, struct yg_sv line)
{
	if (line.n > sizeof o->buf - o->n)
		return false;
	if (line.n > sizeof o->buf - o->at - o->n) {
		memmove(o->buf, o->buf + o->at, o->n);
		o->at = 0;
	}
	memcpy(o->buf + o->at + o->n, line.p, line.n);
	o->n += line.n;
	return true;
}

enum yg_log_fate yg_log_out_put(struct yg_log_out *o, struct yg_sv line)
{
	enum yg_log_fate fate = YG_LOG_WRITTEN;
	uv_mutex_lock(&o->lock);
	bool waited = o->n > 0;
	give_waiting(o);
	bool good = o->n > 0 || give_line(o, &line);
	if (good && line.n > 0) {
		good = keep(o, line);
		fate = YG_LOG_WAITS;
	}
	if (!good) {
		o->lost++;
		fate = YG_LOG_LOST;
	}
	bool wake = !waited && o->n > 0 && o->watched;
	uv_mutex_unlock(&o->lock);
	if (wake)
		yg_wake_send(&o->wake);
	return fate;
}

uint64_t yg_log_out_lost(struct yg_log_out *o)
{
	uv_mutex_lock(&o->lock);
	uint64_t n = o->lost;
	o->lost = 0;
	uv_mutex_unlock(&o->lock);
	return n;
}

void yg_log_out_lost_back(struct yg_log_out *o, uint64_t back)
{
	uv_mutex_lock(&o->lock);
	o->lost += back;
	uv_mutex_unlock(&o->lock);
}

static bool try_again(struct yg_log_out *o)
{
	uv_mutex_lock(&o->lock);
	give_waiting(o);
	bool empty = o->n == 0;
	uv_mutex_unlock(&o->lock);
	return empty;
}

static void on_timer(uv_timer_t *t)
{
	struct yg_log_out *o = t->data;
	if (!try_again(o))
		return;
	(void)uv_timer_stop(t);
	o->drained(o->ctx);
}

static void on_wake(void *arg)
{
	struct yg_log_out *o = arg;
	(void)uv_timer_start(&o->timer, on_timer, AGAIN_MS, AGAIN_MS);
}

yg_status yg_log_out_watch(struct yg_log_out *o, uv_loop_t *loop, void (*drained)(void *ctx),
			   void *ctx, struct yg_err *err)
{
	o->drained = drained;
	o->ctx = ctx;
	if (uv_timer_init(loop, &o->timer) != 0)
		return YG_FAIL(err, YG_INTERNAL, "a timer of the loop");
	o->timer.data = o;
	yg_status st = yg_wake_open(&o->wake, loop, on_wake, o, err);
	if (st != YG_OK)
		return st;
	uv_mutex_lock(&o->lock);
	o->watched = true;
	bool waits = o->n > 0;
	uv_mutex_unlock(&o->lock);
	if (waits)
		yg_wake_send(&o->wake);
	return YG_OK;
}

void yg_log_out_end(struct yg_log_out *o)
{
	struct pollfd f = {.fd = o->fd, .events = POLLOUT};
	for (int i = 0; i < END_TIMES && !try_again(o); i++)
		(void)poll(&f, 1, END_MS);
}
