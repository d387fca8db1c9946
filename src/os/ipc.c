#include "os/ipc.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "os/env.h"
#include "os/file.h"

/* A deadline that never comes: timeout_ms 0 waits for ever. */
static int64_t deadline_of(const struct yg_env *env, uint32_t timeout_ms)
{
	return timeout_ms == 0 ? INT64_MAX : yg_env_mono(env).us + (int64_t)timeout_ms * 1000;
}

static yg_status wait_for(int sock, short events, const struct yg_env *env, int64_t deadline,
			  struct yg_err *err)
{
	for (;;) {
		int ms = -1;
		if (deadline != INT64_MAX) {
			int64_t left = deadline - yg_env_mono(env).us;
			if (left <= 0)
				return YG_FAIL(err, YG_AGAIN, "no answer in time");
			ms = (int)YG_MIN(left / 1000 + 1, 1000000);
		}
		struct pollfd p = {.fd = sock, .events = events};
		int n = poll(&p, 1, ms);
		if (n > 0)
			return YG_OK;
		if (n < 0 && errno != EINTR)
			return YG_FAIL_OS(err, errno, "poll");
	}
}

size_t yg_ipc_begin(struct yg_buf *b, uint32_t type)
{
	size_t at = b->n;
	yg_wr_le32(b, type);
	yg_wr_le32(b, 0);
	return at;
}

void yg_ipc_end(struct yg_buf *b, size_t begun_at)
{
	if (b->bad || b->n - begun_at < YG_IPC_HEAD)
		return;
	uint32_t n = (uint32_t)(b->n - begun_at - YG_IPC_HEAD);
	memcpy(b->p + begun_at + 4, &n, sizeof n);
}

ssize_t yg_ipc_sendmsg(int sock, struct yg_sv bytes, int fd_out)
{
	struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes.p, .iov_len = bytes.n};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	if (fd_out >= 0) {
		m.msg_control = control;
		m.msg_controllen = sizeof control;
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof fd_out);
		memcpy(CMSG_DATA(c), &fd_out, sizeof fd_out);
	}
	return sendmsg(sock, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

ssize_t yg_ipc_recvmsg(int sock, void *to, size_t n, int *fd_in)
{
	struct iovec iov = {.iov_base = to, .iov_len = n};
	alignas(struct cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))];
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof control};
	ssize_t got = recvmsg(sock, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (got < 0)
		return got;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (*fd_in < 0)
				*fd_in = fd;
			else
				(void)close(fd); /* nobody asked for a second one */
		}
	}
	return got;
}

yg_status yg_ipc_send(int sock, struct yg_sv frame, int fd_out, uint32_t timeout_ms,
		      struct yg_err *err)
{
	struct yg_env_real real;
	struct yg_env env = yg_env_real(&real, "ipc", 0);
	int64_t deadline = deadline_of(&env, timeout_ms);
	while (frame.n > 0) {
		ssize_t n = yg_ipc_sendmsg(sock, frame, fd_out);
		if (n > 0) {
			frame.p += n;
			frame.n -= (size_t)n;
			fd_out = -1; /* it went with the first byte */
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return YG_FAIL(err, YG_NOTFOUND, "the other end is gone");
		if (n < 0 && errno != EAGAIN)
			return YG_FAIL_OS(err, errno, "send");
		yg_status st = wait_for(sock, POLLOUT, &env, deadline, err);
		if (st != YG_OK)
			return st;
	}
	return YG_OK;
}

static yg_status read_all(int sock, char *to, size_t n, int *fd_in, const struct yg_env *env,
			  int64_t deadline, struct yg_err *err)
{
	while (n > 0) {
		ssize_t got = yg_ipc_recvmsg(sock, to, n, fd_in);
		if (got > 0) {
			to += got;
			n -= (size_t)got;
			continue;
		}
		if (got == 0 || errno == ECONNRESET)
			return YG_FAIL(err, YG_NOTFOUND, "the other end is gone");
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return YG_FAIL_OS(err, errno, "receive");
		yg_status st = wait_for(sock, POLLIN, env, deadline, err);
		if (st != YG_OK)
			return st;
	}
	return YG_OK;
}

yg_status yg_ipc_recv(int sock, struct yg_buf *body, struct yg_ipc_head *head, uint32_t body_max,
		      int *fd_in, uint32_t timeout_ms, struct yg_err *err)
{
	struct yg_env_real real;
	struct yg_env env = yg_env_real(&real, "ipc", 0);
	int64_t deadline = deadline_of(&env, timeout_ms);
	YG_AUTO(yg_fd_close) int fd = -1;
	char raw[YG_IPC_HEAD];
	yg_status st = read_all(sock, raw, sizeof raw, &fd, &env, deadline, err);
	if (st != YG_OK)
		return st;
	struct yg_rd r = yg_rd_init(raw, sizeof raw);
	struct yg_ipc_head h = {.type = yg_rd_le32(&r)};
	h.n = yg_rd_le32(&r);
	if (h.n > body_max)
		return YG_FAIL(err, YG_TOOBIG, "message %u of %u bytes; at most %u are allowed",
			       h.type, h.n, body_max);
	char *to = yg_buf_room(body, h.n);
	if (to == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for a message of %u bytes", h.n);
	st = read_all(sock, to, h.n, &fd, &env, deadline, err);
	if (st != YG_OK)
		return st;
	body->n += h.n;
	*head = h;
	if (fd_in != NULL) {
		*fd_in = fd;
		fd = -1;
	}
	return YG_OK;
}

yg_status yg_ipc_connect(const char *path, int *out_fd, struct yg_err *err)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct yg_sb b = yg_sb_init(sa.sun_path, sizeof sa.sun_path - 1);
	yg_sb_put(&b, yg_sv_of(path));
	if (b.cut)
		return YG_FAIL(err, YG_INVAL, "socket path longer than %zu bytes: %s",
			       sizeof sa.sun_path - 1, path);
	YG_AUTO(yg_fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return YG_FAIL_OS(err, errno, "socket");
	int rc;
	do
		rc = connect(fd, (struct sockaddr *)&sa, sizeof sa);
	while (rc != 0 && errno == EINTR);
	if (rc != 0) {
		int eno = errno;
		yg_status st = YG_FAIL_OS(err, eno, "cannot connect to %s", path);
		if (eno == ENOENT || eno == ECONNREFUSED)
			st = YG_NOTFOUND;
		else if (eno == EACCES || eno == EPERM)
			st = YG_DENIED;
		if (err != NULL)
			err->code = st;
		return st;
	}
	*out_fd = fd;
	fd = -1;
	return YG_OK;
}
