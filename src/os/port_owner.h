/* port_owner.h - who has taken a port: for the message when a bind fails. */
#pragma once
#include "os/socket.h"

/* "process 123 (nginx)"; "a process of user 0" when this process may not see
 * which; false when it cannot be told.  Reads /proc. */
bool yg_port_owner(const struct yg_addr *a, bool udp, struct yg_sb *out);
