/* resolve_tap.h - dnstap out of role resolve: what it answered, to whoever takes dnstap,
 * by Unix socket, TCP, TLS and into files.  One thread: the loop's.
 *
 * Putting costs one encode and a copy into a bounded queue; a queue that is full drops
 * what is new and counts it.  Nothing here waits. */
#pragma once
#include <uv.h>

#include "base/env.h"
#include "conf/conf.h"
#include "format/dnstap.h"
#include "role/role.h"

struct yg_taps; /* owned: resolve_taps_close() */

struct yg_tap_counts {                /* frames, but the last three */
	uint64_t sent, dropped, lost; /* lost: on their way when a connection or write failed */
	uint64_t waiting;
	uint64_t connects, failures;
	bool up;
};
/* The outputs of ctx->conf; *out is NULL when there are none. */
yg_status resolve_taps_open(struct yg_role_ctx *ctx, struct yg_taps **out, struct yg_err *err);
/* d with everything in it; each output leaves out what it is not to have. */
void resolve_taps_put(struct yg_taps *t, const struct yg_dnstap *d);
/* Sends what waits and STOP, within a second, then calls `done`. */
void resolve_taps_end(struct yg_taps *t, void (*done)(struct yg_role_ctx *ctx));
size_t resolve_taps_count(const struct yg_taps *t); /* NULL: 0 */
struct yg_tap_counts resolve_taps_counts(const struct yg_taps *t, size_t i);
