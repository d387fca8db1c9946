#include "api/setting.h"

yg_status yg_setting_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 yg_setting_fn *answer, struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_sv org;
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_scope_owner(q, l.db, &org, err);
	if (st == YG_OK)
		st = yg_scope_now(q, err);
	return st == YG_OK ? answer(q, r, l.db, org, err) : st;
}

yg_status yg_setting_begin(struct yg_api *api, struct yg_request *q, const struct yg_field *fields,
			   size_t n, struct yg_value *values, struct yg_setting *out,
			   struct yg_err *err)
{
	yg_status st = yg_body_read(&out->b, q, fields, n, values, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &out->l, err);
	return st == YG_OK ? yg_scope_body_org(q, out->l.db, values[0].given, values[0].text,
					       &out->org, err)
			   : st;
}

void yg_setting_done(struct yg_setting *s)
{
	yg_body_free(&s->b);
	yg_lease_end(&s->l);
}
