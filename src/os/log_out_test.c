#include "os/log_out.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap.h"

#define LONG_EVERY 7 /* each seventh line is longer than a pipe takes whole */
#define LONG_BYTES 6000
#define ALL_MAX    (4u << 20)

static struct {
	struct yg_log_out out;
	uv_loop_t loop;
	char all[ALL_MAX]; /* what was read */
	size_t n;
	unsigned drained;
} t;

static struct yg_sv line_of(unsigned i)
{
	static char line[LONG_BYTES + 64];
	size_t n = (size_t)snprintf(line, sizeof line, "%u ", i);
	if (i % LONG_EVERY == 0) {
		memset(line + n, 'x', LONG_BYTES);
		n += LONG_BYTES;
	}
	line[n++] = '\n';
	return (struct yg_sv){line, n};
}

static void read_all(int fd)
{
	ssize_t n;
	while (t.n < sizeof t.all && (n = read(fd, t.all + t.n, sizeof t.all - t.n)) > 0)
		t.n += (size_t)n;
}

/* Whole lines with rising numbers below `count`: how many; 0: not so. */
static unsigned lines(unsigned count)
{
	struct yg_sv rest = {t.all, t.n}, line = {"", 0};
	unsigned seen = 0, next = 0;
	if (t.n == 0 || t.all[t.n - 1] != '\n')
		return 0;
	rest.n--;
	while (yg_sv_cut(&rest, '\n', &line)) {
		unsigned i = (unsigned)strtoul(line.p, NULL, 10);
		struct yg_sv want = line_of(i);
		if (i < next || i >= count || want.n != line.n + 1 ||
		    memcmp(want.p, line.p, line.n) != 0)
			return 0;
		next = i + 1;
		seen++;
	}
	return seen;
}

static void on_drained(void *ctx)
{
	t.drained += ctx == &t;
}

static void begin(int fd)
{
	memset(&t, 0, sizeof t);
	(void)uv_loop_init(&t.loop);
	yg_log_out_begin(&t.out, fd);
}

static void end(void)
{
	if (t.out.watched) {
		yg_wake_close(&t.out.wake);
		uv_close((uv_handle_t *)&t.out.timer, NULL);
	}
	(void)uv_run(&t.loop, UV_RUN_DEFAULT);
	T_OK(uv_loop_close(&t.loop) == 0);
	uv_mutex_destroy(&t.out.lock);
}

/* Nobody reads: lines wait, then are lost; somebody reads: those that waited come, and all are
 * either read or counted. */
static void test_slow(int writes, int reads, const char *what)
{
	struct yg_err err = {0};
	unsigned fates[3] = {0}, i = 0;
	begin(writes);
	(void)fcntl(reads, F_SETFL, O_NONBLOCK);
	T_OK(yg_log_out_watch(&t.out, &t.loop, on_drained, &t, &err) == YG_OK);
	for (; fates[YG_LOG_LOST] < 100; i++)
		fates[yg_log_out_put(&t.out, line_of(i))]++;
	T_NAMED(fates[YG_LOG_WRITTEN] > 0 && fates[YG_LOG_WAITS] > 0, what);
	(void)uv_run(&t.loop, UV_RUN_NOWAIT);
	T_NAMED(t.drained == 0, "while nobody reads it is not done");
	for (unsigned turn = 0; t.drained == 0 && turn < 1000; turn++) {
		read_all(reads);
		(void)uv_run(&t.loop, UV_RUN_ONCE);
	}
	T_NAMED(t.drained == 1 && !uv_is_active((uv_handle_t *)&t.out.timer), "all went out");
	T_NAMED(yg_log_out_put(&t.out, line_of(i)) == YG_LOG_WRITTEN, "and the next at once");
	i++;
	read_all(reads);
	uint64_t lost = yg_log_out_lost(&t.out);
	unsigned seen = lines(i);
	T_NAMED(lost == fates[YG_LOG_LOST] && seen + lost == i,
		"each line is read, whole and in its order, or counted");
	T_OK(yg_log_out_lost(&t.out) == 0);
	yg_log_out_lost_back(&t.out, 3);
	T_OK(yg_log_out_lost(&t.out) == 3);
	end();
}

/* Before there is a loop the next line takes along what waits. */
static void test_no_loop(void)
{
	int fds[2];
	unsigned i = 0;
	T_OK(pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0);
	(void)fcntl(fds[1], F_SETPIPE_SZ, 4096);
	begin(fds[1]);
	while (yg_log_out_put(&t.out, line_of(i)) == YG_LOG_WRITTEN)
		i++;
	while (t.out.n > 0) {
		read_all(fds[0]);
		(void)yg_log_out_put(&t.out, line_of(++i));
	}
	read_all(fds[0]);
	T_NAMED(lines(i + 1) == i + 1 && yg_log_out_lost(&t.out) == 0,
		"without a loop none is lost");
	yg_log_out_end(&t.out);
	(void)close(fds[0]);
	T_NAMED(yg_log_out_put(&t.out, line_of(1)) == YG_LOG_LOST && t.out.n == 0,
		"nobody is there any more: nothing is kept for them");
	(void)close(fds[1]);
	end();
}

/* Standard error is opened anew; who else has the pipe keeps it as it was. */
static void test_own(void)
{
	int fds[2], old = dup(STDERR_FILENO);
	T_OK(old >= 0 && pipe2(fds, O_CLOEXEC) == 0 && dup2(fds[1], STDERR_FILENO) >= 0);
	yg_log_out_own();
	int mine = fcntl(STDERR_FILENO, F_GETFL), other = fcntl(fds[1], F_GETFL);
	int kept = fcntl(STDERR_FILENO, F_GETFD);
	(void)dup2(old, STDERR_FILENO);
	T_OK((mine & O_NONBLOCK) != 0 && (other & O_NONBLOCK) == 0 && (kept & FD_CLOEXEC) == 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
	(void)close(old);
}

int main(void)
{
	int fds[2];
	(void)signal(SIGPIPE, SIG_IGN);
	(void)alarm(60); /* a write that waits */
	T_OK(pipe2(fds, O_CLOEXEC) == 0);
	(void)fcntl(fds[1], F_SETFL, O_NONBLOCK);
	test_slow(fds[1], fds[0], "a pipe");
	T_OK(pipe2(fds, O_CLOEXEC) == 0);
	test_slow(fds[1], fds[0], "a pipe that is another's: asked before each write");
	T_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	test_slow(fds[1], fds[0], "a socket, as the journal's");
	test_no_loop();
	test_own();
	return tap_done();
}
