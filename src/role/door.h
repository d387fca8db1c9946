/* door.h - a Unix socket of a role at which it is asked: one frame in, one frame
 * out, over and over.  For roles that keep no state of who asks.  Loop thread.
 *
 * Who may connect: root and the user that the roles run as. */
#pragma once
#include "os/channel.h"
#include "role/role.h"

struct yg_door; /* owned: yg_door_close() */

/* Appends the whole answer frame; nothing: the connection ends. */
typedef void yg_door_answer(void *user, uint32_t type, struct yg_sv body, struct yg_buf *reply);

/* The listener of that name as main hands it over; `from`: who asks (role bits). */
yg_status yg_door_open(struct yg_role_ctx *ctx, const char *listener, unsigned from,
		       yg_door_answer *answer, void *user, struct yg_door **out,
		       struct yg_err *err);
void yg_door_close(struct yg_door *d); /* NULL is fine */
