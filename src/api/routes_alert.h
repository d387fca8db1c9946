/* routes_alert.h - shared by the handlers of alerts; nothing else includes it. */
#pragma once
#include "api/routes.h"

/* The alert of that id, when the caller may see it. */
yg_status yg_alert_seen(struct yg_request *q, struct yg_state *db, struct yg_sv id,
			struct yg_alert *out, struct yg_err *err);
yg_status yg_answer_alert(struct yg_request *q, struct yg_response *r, struct yg_state *db,
			  int status, struct yg_sv id, struct yg_err *err);
/* The moment that "overdue" and "snoozed" are of: now, or the end of the caller's period. */
yg_wall yg_alert_now(const struct yg_request *q);

#define YG_ALERT_SET_FIELDS 9
extern const struct yg_field yg_alert_set_fields[YG_ALERT_SET_FIELDS];
/* Texts of *out point into v, its times into `times`. */
void yg_alert_read_set(const struct yg_value v[static YG_ALERT_SET_FIELDS], yg_wall times[static 2],
		       struct yg_alert_set *out);
