/* watch.h - alerts that somebody keeps an eye on: their own list, that nobody else sees. */
#pragma once
#include "alert/alert.h"

#define YG_WATCH_MAX 1000 /* of one owner; more: YG_LIMIT */

/* `owner`: a person, or who asked as the audit log has it. */
yg_status yg_watch_get(struct yg_state *db, struct yg_sv owner, int64_t alert_seq, bool *out,
		       struct yg_err *err);
/* Both are in the audit log when something changes; nothing does when it is so already. */
yg_status yg_watch_set(struct yg_act *act, struct yg_sv owner, const struct yg_alert *a, bool on,
		       struct yg_err *err) YG_MUST_USE;
