/* What one keeps an eye on: one's own, whatever else one may do with the alert. */
#include "alert/watch.h"
#include "api/routes.h"

yg_status yg_r_alert_watch(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_alert a;
	bool reads = q->method == YG_HTTP_GET, on = q->method == YG_HTTP_PUT;
	yg_status st = reads ? yg_lease_state(api, &l, err) : yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_alert_get_at(l.db, yg_param(q, "id"), q->who.reach.to, q->arena, &a, err);
	if (st == YG_OK)
		st = yg_scope_row(q, a.org, a.system, a.created, err);
	if (st == YG_OK && reads)
		st = yg_watch_get(l.db, yg_request_owner(q), a.seq, &on, err);
	struct yg_act act = yg_request_act(q, api, l.db);
	if (st == YG_OK && !reads)
		st = yg_watch_set(&act, yg_request_owner(q), &a, on, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	yg_jo_str(&j, "id", a.id);
	yg_jo_bool(&j, "watched", on);
	yg_jo_end(&j, '}');
	return reads ? YG_OK : yg_lease_commit(&l, q, r, YG_OK, err);
}
