/* main.h - the supervisor: `yagura serve`.
 *
 * Owns every listening socket and all key material, starts the roles, watches
 * them, starts them again, hands snapshots and system events on, drains and
 * reloads.  It parses nothing but its own configuration and the fixed, short
 * messages of its roles; what they say is checked against role/message.h and a
 * role that breaks a rule is killed.
 */
#pragma once
#include "base/err.h"

struct yg_serve {
	const char *config; /* borrowed; NULL: every key has its default */
	const char *data;   /* borrowed; the data folder, made when it is not there */
	unsigned
		only; /* enum yg_role_bit: these roles alone; 0: all that the configuration needs */
};
/* Runs until it is told to stop.  Returns the exit status: 0 after a drain. */
int yg_serve(const struct yg_serve *what);
/* `yagura config print --roles`: what each role may do, as text. */
struct yg_conf;
struct yg_buf;
void yg_roles_print(const struct yg_conf *conf, struct yg_buf *out);
