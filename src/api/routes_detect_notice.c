/* How far findings beside rules go: the settings of a node. */
#include "api/body.h"
#include "api/routes.h"
#include "detect/notice_setting.h"

static yg_status answer(struct yg_response *r, struct yg_state *db, struct yg_sv org,
			struct yg_err *err)
{
	struct yg_notice_setting s[YG_NOTICE_KIND_COUNT];
	yg_status st = yg_notice_settings(db, org, s, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	yg_jo_str_or_null(&j, "org", org);
	yg_jo_key(&j, "items");
	yg_jo_begin(&j, '[');
	for (int k = 0; k < YG_NOTICE_KIND_COUNT; k++) {
		yg_jo_begin(&j, '{');
		yg_jo_str(&j, "kind", yg_sv_of(yg_notice_name((enum yg_notice_kind)k)));
		yg_jo_str(&j, "stage", yg_sv_of(yg_detect_stage_name(s[k].stage)));
		yg_jo_bool(&j, "own", s[k].own);
		yg_jo_end(&j, '}');
	}
	yg_jo_end(&j, ']');
	yg_jo_end(&j, '}');
	return YG_OK;
}

yg_status yg_r_notices_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_sv org;
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_scope_owner(q, l.db, &org, err);
	return st == YG_OK ? answer(r, l.db, org, err) : st;
}

yg_status yg_r_notices_set(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"org", YG_F_TEXT, YG_F_NULL, 1, 63, NULL},
		{"kind", YG_F_TEXT, YG_F_NEEDED, 1, 16,
		 "beacon spray travel scan volume silence flood"},
		{"stage", YG_F_TEXT, YG_F_NEEDED | YG_F_NULL, 1, 16, YG_STAGE_WORDS},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_sv org = YG_SV("");
	enum yg_notice_kind kind = YG_NOTICE_BEACON;
	enum yg_detect_stage stage = YG_STAGE_OFF;
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_scope_body_org(q, l.db, v[0].given, v[0].text, &org, err);
	if (st != YG_OK)
		return st;
	(void)yg_notice_parse(v[1].text, &kind); /* the body's words are these */
	if (!v[2].null)
		(void)yg_detect_stage_parse(v[2].text, &stage);
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_notice_setting_set(&act, org, kind, v[2].null ? NULL : &stage, err);
	if (st == YG_OK)
		st = answer(r, l.db, org, err);
	return yg_lease_commit(&l, q, r, st, err);
}
