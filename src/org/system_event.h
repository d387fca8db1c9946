/* system_event.h - what happened to Yagura itself: crashes, restarts, reloads,
 * refused snapshots.  Main sends them, center keeps the newest.
 */
#pragma once
#include "base/arena.h"
#include "base/limits.h"
#include "org/act.h"

#define YG_SYSTEM_EVENTS_MAX                                                                       \
	100000 /* rows kept; older ones go: they are in the log of the system too */

struct yg_system_event {
	int64_t id;
	yg_wall time;
	struct yg_sv level, name, role;
	struct yg_sv fields; /* a JSON object */
};
/* Appends one; e->id is ignored, fields may be empty.  *out_id may be NULL. */
yg_status yg_system_event_add(struct yg_state *db, const struct yg_system_event *e, int64_t *out_id,
			      struct yg_err *err) YG_MUST_USE;
struct yg_system_event_filter {
	struct yg_sv level, role, name; /* empty: any */
	int64_t before;                 /* keyset: numbers below; 0: from the newest */
	uint32_t limit;                 /* 1..YG_PAGE_MAX */
};
/* Newest first. */
yg_status yg_system_event_list(struct yg_state *db, const struct yg_system_event_filter *f,
			       struct yg_arena *arena, struct yg_system_event **out, size_t *out_n,
			       struct yg_err *err);
