/* ipc.h - framed messages over Unix stream sockets between our own processes.
 *
 * Frame: u32 type, u32 body length, body; little endian, explicitly encoded, no
 * struct crosses a process as memory.  Both ends check type, size, sender and
 * receiver against the map in role/message.h; a bad message ends the sender's
 * connection (and, for a role, the role), never the receiver.
 */
#pragma once
#include <sys/types.h>

#include "base/codec.h"

struct yg_ipc_head {
	uint32_t type, n;
};
#define YG_IPC_HEAD 8u

/* Appends a frame's head; the body follows by yg_wr_*; then yg_ipc_end() fills in the length. */
size_t yg_ipc_begin(struct yg_buf *b, uint32_t type);
void yg_ipc_end(struct yg_buf *b, size_t begun_at);

/* Blocking; a deadline of 0 waits for ever.  fd_out / fd_in: one descriptor
 * that travels with the frame (SCM_RIGHTS), -1 for none.  Receiving a closed
 * connection is YG_NOTFOUND. */
yg_status yg_ipc_send(int sock, struct yg_sv frame, int fd_out, uint32_t timeout_ms,
		      struct yg_err *err);
yg_status yg_ipc_recv(int sock, struct yg_buf *body, struct yg_ipc_head *head, uint32_t body_max,
		      int *fd_in, uint32_t timeout_ms, struct yg_err *err);
/* One non-blocking sendmsg/recvmsg with at most one descriptor; for event loops
 * (os/channel.h).  Result and errno as sendmsg(2).  *fd_in must be -1 or hold a
 * descriptor not taken yet; further ones are closed. */
ssize_t yg_ipc_sendmsg(int sock, struct yg_sv bytes, int fd_out);
ssize_t yg_ipc_recvmsg(int sock, void *to, size_t n, int *fd_in);
/* Connects to a Unix stream socket; *out_fd is owned. */
yg_status yg_ipc_connect(const char *path, int *out_fd, struct yg_err *err);
