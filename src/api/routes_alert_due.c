/* By when alerts are to be done with: the policy of a node. */
#include "alert/due.h"
#include "api/routes.h"
#include "api/setting.h"

static void put_policy(struct yg_jo *j, struct yg_sv org, const struct yg_due_policy *p)
{
	yg_jo_begin(j, '{');
	yg_jo_str_or_null(j, "org", org);
	yg_jo_key(j, "items");
	yg_jo_begin(j, '[');
	for (int i = 6; i >= 1; i--) {
		yg_jo_begin(j, '{');
		yg_jo_int(j, "severity_id", i);
		yg_jo_int(j, "span_s", p->span_s[i]);
		yg_jo_bool(j, "own", p->own[i]);
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
	yg_jo_end(j, '}');
}

static yg_status answer_policy(struct yg_request *q, struct yg_response *r, struct yg_state *db,
			       struct yg_sv org, struct yg_err *err)
{
	struct yg_due_policy p;
	(void)q;
	yg_status st = yg_due_policy_get(db, org, &p, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	put_policy(&j, org, &p);
	return YG_OK;
}

yg_status yg_r_due_policy_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			      struct yg_err *err)
{
	return yg_setting_get(api, q, r, answer_policy, err);
}

yg_status yg_r_due_policy_set(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			      struct yg_err *err)
{
	YG_AUTO(yg_setting_done) struct yg_setting s = {.answer = answer_policy};
	static const struct yg_field fields[] = {
		{"org", YG_F_TEXT, YG_F_NULL, 1, 63, NULL},
		{"severity_id", YG_F_INT, YG_F_NEEDED, 1, 6, NULL},
		{"span_s", YG_F_INT, YG_F_NEEDED | YG_F_NULL, 0, YG_DUE_SPAN_MAX, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	yg_status st = yg_setting_begin(api, q, r, fields, YG_LEN(fields), v, &s, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, s.l.db);
	st = yg_due_policy_set(&act, s.org, (int)v[1].number, v[2].null ? NULL : &v[2].number, err);
	return yg_setting_answer(q, r, &s, st, err);
}
