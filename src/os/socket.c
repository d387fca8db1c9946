#include "os/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/file.h"

#define BACKLOG 4096 /* the kernel cuts it to net.core.somaxconn */

static yg_status split(struct yg_sv text, struct yg_sv *host, struct yg_sv *port,
		       struct yg_err *err)
{
	size_t colon = text.n;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == ':')
			colon = i;
	if (colon == text.n)
		return YG_FAIL(err, YG_PARSE, "expected address:port");
	*host = yg_sv_sub(text, 0, colon);
	*port = yg_sv_sub(text, colon + 1, text.n);
	if (host->n >= 2 && host->p[0] == '[' && host->p[host->n - 1] == ']') {
		*host = yg_sv_sub(*host, 1, host->n - 2);
		if (yg_sv_find(*host, ':', 0) == host->n)
			return YG_FAIL(err, YG_PARSE, "expected an IPv6 address in brackets");
		return YG_OK;
	}
	if (yg_sv_find(*host, ':', 0) != host->n)
		return YG_FAIL(err, YG_PARSE, "an IPv6 address must stand in brackets");
	return YG_OK;
}

static void addr_set(struct yg_addr *out, const struct yg_ip *ip, bool any, uint16_t port)
{
	*out = (struct yg_addr){0};
	if (!any && yg_ip_is_v4(*ip)) {
		struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
		memcpy(&in.sin_addr, ip->b + 12, 4);
		memcpy(&out->sa, &in, sizeof in);
		out->n = sizeof in;
		return;
	}
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	if (!any)
		memcpy(&in6.sin6_addr, ip->b, 16);
	memcpy(&out->sa, &in6, sizeof in6);
	out->n = sizeof in6;
	out->sa.ss_family = AF_INET6;
}

yg_status yg_addr_parse(struct yg_sv text, struct yg_addr *out, struct yg_err *err)
{
	struct yg_sv host = YG_SV(""), port_text = YG_SV("");
	yg_status st = split(text, &host, &port_text, err);
	if (st != YG_OK)
		return st;
	uint64_t port = 0;
	if (yg_parse_u64(port_text, &port, NULL) != YG_OK || port > 65535)
		return YG_FAIL(err, YG_PARSE, "expected a port from 0 to 65535");
	struct yg_ip ip = {{0}};
	bool any = YG_SV_IS(host, "*");
	if (!any && yg_ip_parse(host, &ip) != YG_OK)
		return YG_FAIL(err, YG_PARSE, "expected an IP address before the port");
	addr_set(out, &ip, any, (uint16_t)port);
	return YG_OK;
}

struct yg_ip yg_addr_ip(const struct yg_addr *a)
{
	struct yg_ip ip = {{0}};
	if (a->sa.ss_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, &a->sa, sizeof in);
		ip.b[10] = ip.b[11] = 0xff;
		memcpy(ip.b + 12, &in.sin_addr, 4);
	} else if (a->sa.ss_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, &a->sa, sizeof in6);
		memcpy(ip.b, &in6.sin6_addr, 16);
	}
	return ip;
}

uint16_t yg_addr_port(const struct yg_addr *a)
{
	struct sockaddr_in in; /* the port sits at the same place in both families */
	memcpy(&in, &a->sa, sizeof in);
	return a->sa.ss_family == AF_INET || a->sa.ss_family == AF_INET6 ? ntohs(in.sin_port) : 0;
}
static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
	      "yg_addr_port reads both families");

bool yg_addr_is_loopback(const struct yg_addr *a)
{
	struct yg_ip ip = yg_addr_ip(a);
	if (yg_ip_is_v4(ip))
		return ip.b[12] == 127;
	static const struct yg_ip one = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
	return yg_ip_eq(ip, one);
}

void yg_addr_format(struct yg_sb *b, const struct yg_addr *a)
{
	struct yg_ip ip = yg_addr_ip(a);
	bool v6 = a->sa.ss_family == AF_INET6;
	if (v6)
		yg_sb_putc(b, '[');
	if (v6 && yg_ip_is_zero(ip))
		yg_sb_put(b, YG_SV("::"));
	else
		yg_ip_format(b, ip);
	if (v6)
		yg_sb_putc(b, ']');
	yg_sb_putc(b, ':');
	yg_sb_u64(b, yg_addr_port(a));
}

yg_status yg_addr_of(int fd, struct yg_addr *out, struct yg_err *err)
{
	*out = (struct yg_addr){.n = sizeof out->sa};
	if (getsockname(fd, (struct sockaddr *)&out->sa, &out->n) != 0)
		return YG_FAIL_OS(err, errno, "getsockname");
	return YG_OK;
}

static yg_status refused(struct yg_err *err, int eno, const char *what)
{
	yg_status st = YG_FAIL_OS(err, eno, "cannot listen on %s", what);
	if (eno == EADDRINUSE)
		st = YG_CONFLICT;
	else if (eno == EACCES || eno == EPERM)
		st = YG_DENIED;
	if (err != NULL)
		err->code = st;
	return st;
}

static yg_status bound(const struct yg_addr *a, int type, bool shared, int *out_fd,
		       struct yg_err *err)
{
	char name[YG_ADDR_TEXT_MAX];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	yg_addr_format(&b, a);
	(void)yg_sb_cstr(&b);
	int on = 1, off = 0;
	YG_AUTO(yg_fd_close)
	int fd = socket(a->sa.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return refused(err, errno, name);
	bool ok = true;
	if (type == SOCK_STREAM) /* else a restart waits for TIME_WAIT */
		ok = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
	if (ok && shared)
		ok = setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0;
	if (ok && a->sa.ss_family == AF_INET6) {
		int *only = yg_ip_is_zero(yg_addr_ip(a)) ? &off : &on;
		ok = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, only, sizeof *only) == 0;
	}
	if (ok)
		ok = bind(fd, (const struct sockaddr *)&a->sa, a->n) == 0;
	if (ok && type == SOCK_STREAM)
		ok = listen(fd, BACKLOG) == 0;
	if (!ok)
		return refused(err, errno, name);
	*out_fd = fd;
	fd = -1;
	return YG_OK;
}

yg_status yg_listen_tcp(const struct yg_addr *a, bool shared, int *out_fd, struct yg_err *err)
{
	return bound(a, SOCK_STREAM, shared, out_fd, err);
}

yg_status yg_listen_udp(const struct yg_addr *a, bool shared, int buffer, int *out_fd,
			struct yg_err *err)
{
	yg_status st = bound(a, SOCK_DGRAM, shared, out_fd, err);
	if (st == YG_OK && buffer > 0) {
		/* best effort: RCVBUFFORCE passes rmem_max when root; SO_RXQ_OVFL
		 * makes the kernel tell how many datagrams it dropped */
		int on = 1;
		if (setsockopt(*out_fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0)
			(void)setsockopt(*out_fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
		(void)setsockopt(*out_fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
	}
	return st;
}

yg_status yg_listen_unix(const char *path, unsigned mode, int *out_fd, struct yg_err *err)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct yg_sb b = yg_sb_init(sa.sun_path, sizeof sa.sun_path - 1);
	yg_sb_put(&b, yg_sv_of(path));
	if (b.cut)
		return YG_FAIL(err, YG_INVAL, "socket path longer than %zu bytes: %s",
			       sizeof sa.sun_path - 1, path);
	struct stat s;
	if (lstat(path, &s) == 0) {
		if (!S_ISSOCK(s.st_mode))
			return YG_FAIL(err, YG_CONFLICT, "%s is there and is not a socket", path);
		(void)unlink(path);
	}
	YG_AUTO(yg_fd_close)
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return refused(err, errno, path);
	/* fchmod before bind sets the mode of the file that bind makes: no
	 * moment in which it is open to others */
	if (fchmod(fd, (mode_t)mode) != 0 || bind(fd, (struct sockaddr *)&sa, sizeof sa) != 0 ||
	    chmod(path, (mode_t)mode) != 0 || listen(fd, BACKLOG) != 0)
		return refused(err, errno, path);
	*out_fd = fd;
	fd = -1;
	return YG_OK;
}

yg_status yg_peer_cred(int unix_fd, struct yg_peer *out, struct yg_err *err)
{
	struct ucred c;
	socklen_t n = sizeof c;
	if (getsockopt(unix_fd, SOL_SOCKET, SO_PEERCRED, &c, &n) != 0)
		return YG_FAIL_OS(err, errno, "who is at the other end");
	*out = (struct yg_peer){.pid = c.pid, .uid = c.uid, .gid = c.gid};
	return YG_OK;
}
