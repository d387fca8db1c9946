/* hunt_indicator.h - where in the event store indicators may be found, as a condition; pure.
 *
 * Never too narrow, but for events with more names than are kept (YG_ARRAY_MAX) and mail
 * addresses that a log writes as "a[at]b": who reads the events asks the matcher
 * (intel/match.h).
 */
#pragma once
#include "intel/indicator.h"

#define YG_HUNT_LITERALS_MAX 20000u /* indicators that a condition names; of more it says nothing */
/* Bytes of the condition: so many names, each as long as a name may be. */
#define YG_HUNT_NEAR_MAX     (YG_HUNT_LITERALS_MAX * 272u)

struct yg_hunt_near; /* owned: yg_hunt_near_free() */
yg_status yg_hunt_near_new(struct yg_hunt_near **out, struct yg_err *err);
void yg_hunt_near_free(struct yg_hunt_near *n); /* NULL is fine */
/* One more that is looked for.  value: as yg_indicator_normalize() writes it.  YG_NOMEM. */
yg_status yg_hunt_near_add(struct yg_hunt_near *n, enum yg_indicator_type type, struct yg_sv value,
			   struct yg_err *err);
/* Appends the condition: "1" when nothing can be said, "0" when nothing is looked for.
 * version: of the server (yg_ch_version()); 0: any.  YG_NOMEM. */
yg_status yg_hunt_near_where(const struct yg_hunt_near *n, uint32_t version, struct yg_buf *sql,
			     struct yg_err *err);
