/* notify.h - sd_notify(3) without its library: one datagram to $NOTIFY_SOCKET. */
#pragma once
#include "base/sv.h"

struct yg_notify {
	int fd;              /* -1: nobody listens */
	int64_t watchdog_us; /* how often WATCHDOG=1 is expected; 0: never */
};
/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. */
void yg_notify_open(struct yg_notify *n);
/* "READY=1\nSTATUS=..."; a lost one is no error. */
void yg_notify_send(const struct yg_notify *n, const char *state);
void yg_notify_close(struct yg_notify *n);
