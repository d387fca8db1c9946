/* socket.h - addresses and listening sockets.  All sockets made here are
 * close-on-exec and non-blocking. */
#pragma once
#include <sys/socket.h>

#include "base/ip.h"

struct yg_addr {
	struct sockaddr_storage sa;
	socklen_t n;
};
#define YG_ADDR_TEXT_MAX 64 /* "[ipv6]:65535" */

/* "192.0.2.1:514", "[2001:db8::1]:514", "*:514" (every address, both
 * families); numbers only, no names are looked up.  Port 0 asks for any. */
yg_status yg_addr_parse(struct yg_sv text, struct yg_addr *out, struct yg_err *err);
void yg_addr_format(struct yg_sb *b, const struct yg_addr *a);
struct yg_ip yg_addr_ip(const struct yg_addr *a);
uint16_t yg_addr_port(const struct yg_addr *a);
bool yg_addr_is_loopback(const struct yg_addr *a);
yg_status yg_addr_of(int fd, struct yg_addr *out, struct yg_err *err); /* getsockname */

/* *out_fd is owned.  `shared`: SO_REUSEPORT, for one socket per worker on one
 * address.  Address in use is YG_CONFLICT, a low port without the right to it
 * YG_DENIED. */
yg_status yg_listen_tcp(const struct yg_addr *a, bool shared, int *out_fd, struct yg_err *err);
/* `buffer` bytes are asked for as the receive buffer; the kernel may give less. */
yg_status yg_listen_udp(const struct yg_addr *a, bool shared, int buffer, int *out_fd,
			struct yg_err *err);
/* A stale socket file is replaced; any other kind of file is YG_CONFLICT. */
yg_status yg_listen_unix(const char *path, unsigned mode, int *out_fd, struct yg_err *err);

struct yg_peer {
	int pid;
	uint32_t uid, gid;
};
yg_status yg_peer_cred(int unix_fd, struct yg_peer *out, struct yg_err *err);
