/* alert_internal.h - shared by the files of this room. */
#pragma once
#include "alert/alert.h"

/* The change of one alert inside the caller's transaction.  YG_INVAL, YG_CONFLICT
 * and YG_NOTFOUND come before anything is written, so the caller can go on. */
yg_status yg_alert_change_one(struct yg_act *act, struct yg_sv id, int64_t version,
			      const struct yg_alert_set *set, int64_t *out_version,
			      struct yg_err *err);
/* "SELECT columns FROM alert a", and one row of it. */
extern const char yg_alert_select[];
yg_status yg_alert_take(struct yg_stmt *s, struct yg_arena *arena, struct yg_alert *a,
			struct yg_err *err);
/* The pattern of LIKE ... ESCAPE '!' for words to look for. */
struct yg_sv yg_alert_pattern(struct yg_sv q, struct yg_sb *b);
