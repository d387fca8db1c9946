/* spawn.c - fork + exec of this program as a role: control channel on fd 3,
 * named descriptors from 4 on, a clean environment, nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/file.h"
#include "os/memfd.h"
#include "role/sup.h"

#define ENV_MAX 24

struct gift {
	int fds[YG_ROLE_FDS_MAX]; /* fds[i] becomes 3 + i; [0] is the control channel */
	size_t count;
	struct yg_buf names; /* "conf=4,..." */
	struct yg_buf texts; /* the environment, NUL-separated */
	char *env[ENV_MAX + 1];
	char *argv[6];
	char index[16];
};

static void gift_end(struct gift *g)
{
	yg_buf_free(&g->names);
	yg_buf_free(&g->texts);
}

static void give(struct gift *g, const char *name, int fd)
{
	if (fd < 0)
		return;
	if (g->count == YG_ROLE_FDS_MAX) { /* start() refuses: half of its files would be worse */
		g->names.bad = true;
		return;
	}
	yg_buf_printf(&g->names, "%s%s=%zu", g->names.n > 0 ? "," : "", name, g->count + 3);
	g->fds[g->count++] = fd;
}

static void give_all(struct sup *s, struct yg_child *c, struct gift *g)
{
	for (const struct yg_sock *k = s->socks; k != NULL; k = k->next)
		if ((k->roles & c->role->bit) != 0 &&
		    ((c->role->bit & (YG_R_INGEST | YG_R_RESOLVE)) == 0 || k->worker == c->index))
			give(g, k->name, k->fd);
	for (const struct yg_secret *k = s->secrets; k != NULL; k = k->next)
		if ((k->roles & c->role->bit) != 0)
			give(g, k->name, k->fd);
}

/* Sanitizers have a say through the environment; in a role a leak check would
 * fork and trace, which the sandbox kills. */
static void put_sanitizers(struct yg_buf *b)
{
	static const char *const names[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS"};
	for (size_t i = 0; i < YG_LEN(names); i++) {
		const char *v = getenv(names[i]);
		yg_buf_printf(b, "%s=%s%sdetect_leaks=0:symbolize=0", names[i], v != NULL ? v : "",
			      v != NULL && v[0] != '\0' ? ":" : "");
		yg_buf_putc(b, '\0');
	}
}

static bool put_env(struct sup *s, struct yg_child *c, struct gift *g)
{
	struct yg_buf *b = &g->texts;
	yg_buf_printf(b, "YG_ROLE_FDS=");
	yg_buf_put(b, yg_buf_sv(&g->names));
	yg_buf_putc(b, '\0');
	yg_buf_printf(b, "YG_ROLE_PARENT=%d", (int)getpid());
	yg_buf_putc(b, '\0');
	yg_buf_printf(b, "YG_ROLE_UID=%u", s->uid);
	yg_buf_putc(b, '\0');
	yg_buf_printf(b, "YG_ROLE_GID=%u", s->gid);
	yg_buf_putc(b, '\0');
	/* a crash speaks against the input at hand, a kill from outside does not */
	yg_buf_printf(b, "YG_LAST_SIGNAL=%d", c->last_signal);
	yg_buf_putc(b, '\0');
	/* io_uring would do file work behind the back of seccomp */
	yg_buf_put(b, YG_SV("LC_ALL=C.UTF-8\0TZ=UTC\0PATH=/usr/bin:/bin\0UV_USE_IO_URING=0\0"));
	put_sanitizers(b);
	if (b->bad)
		return false;
	size_t at = 0, n = 0;
	while (at < b->n && n < ENV_MAX) {
		g->env[n++] = b->p + at;
		at += strlen(b->p + at) + 1;
	}
	g->env[n] = NULL;
	return at == b->n;
}

/* Only calls that are safe after fork(); ends in exec or _exit. */
static YG_NORETURN void become(struct sup *s, struct gift *g)
{
	int parked[YG_ROLE_FDS_MAX];
	sigset_t none;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* first out of the way of the numbers they shall get, then onto them */
	for (size_t i = 0; i < g->count; i++) {
		parked[i] = fcntl(g->fds[i], F_DUPFD_CLOEXEC, (int)g->count + 8);
		if (parked[i] < 0)
			_exit(127);
	}
	int exe = fcntl(s->exe_fd, F_DUPFD_CLOEXEC, (int)g->count + 8);
	for (size_t i = 0; i < g->count; i++)
		if (dup2(parked[i], (int)i + 3) < 0)
			_exit(127);
	if (close_range((unsigned)g->count + 3, ~0u, CLOSE_RANGE_CLOEXEC) != 0)
		_exit(127);
	/* libuv blocks and catches signals in the parent; both pass through fork */
	for (int sig = 1; sig < 32; sig++)
		(void)signal(sig, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)fexecve(exe, g->argv, g->env);
	_exit(127);
}

static yg_status start(struct sup *s, struct yg_child *c, struct gift *g, struct yg_err *err)
{
	YG_AUTO(yg_fd_close) int conf = -1;
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return YG_FAIL_OS(err, errno, "control channel");
	YG_AUTO(yg_fd_close) int mine = pair[0];
	YG_AUTO(yg_fd_close) int theirs = pair[1];
	g->fds[g->count++] = theirs;
	yg_status st = yg_memfd_from_bytes("conf", yg_buf_sv(&s->yaml), &conf, err);
	if (st != YG_OK)
		return st;
	give(g, "conf", conf);
	give_all(s, c, g);
	if (!put_env(s, c, g) || g->names.bad)
		return YG_FAIL(err, YG_NOMEM, "no memory to start a role");
	pid_t pid = fork();
	if (pid < 0)
		return YG_FAIL_OS(err, errno, "fork");
	if (pid == 0)
		become(s, g);
	c->pid = pid;
	st = yg_channel_open(&s->loop, mine, (size_t)8 << 20, &sup_channel_ops, c, &c->channel,
			     err);
	if (st == YG_OK)
		mine = -1; /* the channel's now */
	else
		(void)kill(pid, SIGKILL); /* reaped like any other death */
	return st;
}

yg_status sup_spawn(struct sup *s, struct yg_child *c, struct yg_err *err)
{
	YG_AUTO(gift_end) struct gift g = {.count = 0};
	struct yg_sb b = yg_sb_init(g.index, sizeof g.index);
	yg_buf_init(&g.names, 65536);
	yg_buf_init(&g.texts, 131072);
	yg_sb_u64(&b, c->index);
	(void)yg_sb_cstr(&b);
	g.argv[0] = (char *)(uintptr_t) "yagura";
	g.argv[1] = (char *)(uintptr_t) "--role";
	g.argv[2] = (char *)(uintptr_t)c->role->name;
	g.argv[3] = (char *)(uintptr_t) "--index";
	g.argv[4] = g.index;
	return start(s, c, &g, err);
}
