/* Alerts that become one, or two, or are no danger: merge, split, allow. */
#include "api/body.h"
#include "api/routes_alert.h"
#include "api/sign_in.h"
#include "intel/registry.h"

yg_status yg_r_alert_merge(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"into", YG_F_TEXT, 0, 1, 64, NULL},
		{"others", YG_F_TEXTS, 0, 1, 200, NULL},
		{"reason", YG_F_TEXT, 0, 0, YG_REASON_MAX, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_alert a, other;
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK && v[0].given == v[1].given) {
		yg_request_error(q, "missing", YG_SV(""),
				 "exactly one of into and others is needed");
		st = YG_FAIL(err, YG_PARSE, "the body has errors");
	}
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_alert_seen(q, l.db, yg_param(q, "id"), &a, err);
	const struct yg_sv *others = v[0].given ? &a.id : v[1].texts;
	size_t n = v[0].given ? 1 : v[1].text_count;
	/* ids of another organisation must look like ids that are not there */
	struct yg_sv *systems = YG_NEW_N(q->arena, struct yg_sv, n + 1);
	if (systems == NULL)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		st = yg_alert_seen(q, l.db, others[i], &other, err);
		systems[i] = st == YG_OK ? other.system : YG_SV("");
	}
	struct yg_alert into = a;
	if (st == YG_OK && v[0].given)
		st = yg_alert_seen(q, l.db, v[0].text, &into, err);
	/* of the one in the path, whichever it is: what is closed by it may have been changed */
	if (st == YG_OK)
		st = yg_check_match(q, r, a.version, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_alert_merge(&act, into.id, into.version, others, n,
			    v[2].given ? v[2].text : YG_SV(""), err);
	if (st == YG_OK)
		st = yg_answer_alert(q, r, l.db, 200, into.id, err);
	st = yg_lease_commit(&l, q, r, st, err);
	if (st != YG_OK || q->dry_run)
		return st;
	for (size_t i = 0; i < n; i++)
		yg_announce(api, YG_TOPIC_ALERTS, into.org, systems[i], others[i], "merged");
	yg_announce(api, YG_TOPIC_ALERTS, into.org, into.system, into.id, "updated");
	return YG_OK;
}

yg_status yg_r_alert_unmerge(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_alert a, into;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_alert_seen(q, l.db, yg_param(q, "id"), &a, err);
	if (st == YG_OK)
		st = yg_check_match(q, r, a.version, err);
	/* it loses evidence, and of several assets it is of no system */
	if (st == YG_OK && a.merged_into.n > 0 &&
	    yg_alert_seen(q, l.db, a.merged_into, &into, NULL) != YG_OK)
		st = YG_FAIL(err, YG_CONFLICT,
			     "the alert that it was merged into is not yours to change");
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_alert_unmerge(&act, a.id, a.version, err);
	if (st == YG_OK)
		st = yg_answer_alert(q, r, l.db, 200, a.id, err);
	st = yg_lease_commit(&l, q, r, st, err);
	if (st != YG_OK || q->dry_run)
		return st;
	yg_announce(api, YG_TOPIC_ALERTS, a.org, a.system, a.id, "updated");
	yg_announce(api, YG_TOPIC_ALERTS, a.org, a.system, a.merged_into, "updated");
	return YG_OK;
}

yg_status yg_r_alert_split(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"events", YG_F_TEXTS, YG_F_NEEDED, 1, 200, NULL},
		{"reason", YG_F_TEXT, 0, 0, YG_REASON_MAX, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_alert a;
	struct yg_id id;
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_alert_seen(q, l.db, yg_param(q, "id"), &a, err);
	if (st == YG_OK)
		st = yg_check_match(q, r, a.version, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_alert_split(&act, a.id, a.version, v[0].texts, v[0].text_count,
			    v[1].given ? v[1].text : YG_SV(""), &id, err);
	if (st != YG_OK)
		return st;
	yg_answer_location(q, r, "/api/v1/alerts", yg_id_sv(&id));
	st = yg_answer_alert(q, r, l.db, 201, yg_id_sv(&id), err);
	st = yg_lease_commit(&l, q, r, st, err);
	if (st != YG_OK || q->dry_run)
		return st;
	yg_announce(api, YG_TOPIC_ALERTS, a.org, a.system, a.id, "updated");
	yg_announce(api, YG_TOPIC_ALERTS, a.org, a.system, yg_id_sv(&id), "created");
	return YG_OK;
}

static yg_status close_allowed(struct yg_act *act, const struct yg_alert *a, struct yg_sv reason,
			       struct yg_err *err)
{
	struct yg_alert_set set = {
		.state = YG_ALERT_CLOSED, .verdict = YG_VERDICT_FALSE, .reason = &reason};
	return a->state == YG_ALERT_CLOSED
		       ? YG_OK
		       : yg_alert_change(act, a->id, YG_ANY_VERSION, &set, NULL, err);
}

/* The entry holds for more than the alert: for the whole organisation, or for all.  Who
 * makes one there has both rights over all of it, not over one system. */
static yg_status may_allow(struct yg_request *q, struct yg_state *db, bool all, struct yg_sv org,
			   struct yg_err *err)
{
	struct yg_reach lists;
	if (all && !q->who.reach.all)
		return YG_FAIL(err, YG_DENIED,
			       "only the centre can allow something for all organisations");
	struct yg_sv where = all ? YG_SV("") : org;
	yg_status st = yg_who_reach(&q->who, db, "indicators:write", q->arena, &lists, err);
	if (st != YG_OK)
		return st;
	return yg_reach_has(&q->who.reach, where, YG_SV("")) &&
			       yg_reach_has(&lists, where, YG_SV(""))
		       ? YG_OK
		       : YG_FAIL(err, YG_DENIED,
				 "an entry holds for the whole organisation: it needs indicators:write on it");
}

yg_status yg_r_alert_allow(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"reason", YG_F_TEXT, YG_F_NEEDED, 1, YG_REASON_MAX, NULL},
		{"expires_at", YG_F_TIME, YG_F_NULL, 0, 0, NULL},
		{"scope", YG_F_TEXT, 0, 0, 0, "organisation all"},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_alert a;
	struct yg_allow w;
	struct yg_id id;
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_alert_seen(q, l.db, yg_param(q, "id"), &a, err);
	bool all = v[2].given && YG_SV_IS(v[2].text, "all");
	if (st == YG_OK)
		st = may_allow(q, l.db, all, a.org, err);
	struct yg_allow_new n = {.value = a.indicator,
				 .reason = v[0].text,
				 .alert = a.id,
				 .org = all ? YG_SV("") : a.org};
	if (st == YG_OK)
		st = yg_indicator_type_parse(a.indicator_type, &n.type);
	if (st != YG_OK)
		return st;
	n.expires.us = v[1].given ? v[1].number : q->now.us + 30 * YG_US_PER_DAY;
	st = yg_allow_needed(q, r, l.db, n.org, err);
	if (st == YG_DENIED)
		return yg_approval_ask_allow(api, q, r, &l, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_allow_add(&act, &n, &id, err);
	if (st == YG_OK)
		st = close_allowed(&act, &a, v[0].text, err);
	if (st == YG_OK)
		st = yg_allow_get(l.db, yg_id_sv(&id), q->arena, &w, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 201);
	yg_put_allow(&j, &w);
	yg_answer_location(q, r, "/api/v1/allow-entries", w.id);
	st = yg_lease_commit(&l, q, r, YG_OK, err);
	if (st != YG_OK || q->dry_run)
		return st;
	yg_announce(api, YG_TOPIC_ALERTS, a.org, a.system, a.id, "updated");
	if (api->hooks.indicators_changed != NULL)
		api->hooks.indicators_changed(api->hooks.ctx);
	return YG_OK;
}
