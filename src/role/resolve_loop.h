/* resolve_loop.h - the loop of a worker as the event base that libunbound wants: its
 * sockets and timers are the loop's, so that it needs no thread, no pipe and no wait. */
#pragma once
#include <sys/time.h>
#include <unbound.h>
/* after unbound.h, whose types it uses */
#include <unbound-event.h>
#include <uv.h>

struct resolve_loop {
	struct ub_event_base base; /* first: libunbound's view of it */
	uv_loop_t *loop;           /* borrowed */
};
void resolve_loop_init(struct resolve_loop *l, uv_loop_t *loop);
