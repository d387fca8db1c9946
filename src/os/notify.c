#include "os/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/file.h"

void yg_notify_open(struct yg_notify *n)
{
	*n = (struct yg_notify){.fd = -1};
	struct yg_sv path = yg_sv_of(getenv("NOTIFY_SOCKET"));
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	uint64_t us = 0, pid = 0;
	if (path.n < 2 || path.n >= sizeof a.sun_path || (path.p[0] != '/' && path.p[0] != '@'))
		return;
	memcpy(a.sun_path, path.p, path.n);
	if (path.p[0] == '@') /* an abstract name */
		a.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (connect(fd, (struct sockaddr *)&a,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n)) != 0) {
		(void)close(fd);
		return;
	}
	n->fd = fd;
	bool mine = getenv("WATCHDOG_PID") == NULL ||
		    (yg_parse_u64(yg_sv_of(getenv("WATCHDOG_PID")), &pid, NULL) == YG_OK &&
		     pid == (uint64_t)getpid());
	if (mine && yg_parse_u64(yg_sv_of(getenv("WATCHDOG_USEC")), &us, NULL) == YG_OK &&
	    us < INT64_MAX)
		n->watchdog_us = (int64_t)us;
}

void yg_notify_send(const struct yg_notify *n, const char *state)
{
	if (n->fd >= 0)
		(void)send(n->fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void yg_notify_close(struct yg_notify *n)
{
	yg_fd_close(&n->fd);
}
