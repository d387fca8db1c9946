#include "api/setting.h"

#include "base/codec.h"

/* The tag of what holds at a node is one of the text that says it: no version of its own has
 * to be kept, and what a node above changes is a change here, too. */
static int64_t version_of(const struct yg_api *api, const struct yg_response *r)
{
	return (int64_t)(yg_siphash(api->cursor_key, r->body.p, r->body.n) >> 1);
}

static yg_status answer_tagged(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			       struct yg_state *db, struct yg_sv org, yg_setting_fn *answer,
			       struct yg_err *err)
{
	yg_status st = answer(q, r, db, org, err);
	if (st == YG_OK)
		st = yg_check_answer(q, r, err);
	if (st == YG_OK)
		yg_answer_etag(q, r, NULL, version_of(api, r));
	return st;
}

static yg_status check_match(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     const struct yg_setting *s, struct yg_err *err)
{
	struct yg_response is = {0};
	if (q->header[YG_HH_IF_MATCH].p == NULL)
		return YG_OK;
	yg_buf_init(&is.body, YG_SERVER_ANSWER_BYTES);
	yg_status st = s->answer(q, &is, s->l.db, s->org, err);
	if (st == YG_OK)
		st = yg_check_answer(q, &is, err);
	if (st == YG_OK)
		st = yg_check_match(q, r, version_of(api, &is), err);
	yg_buf_free(&is.body);
	return st;
}

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
	return st == YG_OK ? answer_tagged(api, q, r, l.db, org, answer, err) : st;
}

yg_status yg_setting_begin(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   const struct yg_field *fields, size_t n, struct yg_value *values,
			   struct yg_setting *s, struct yg_err *err)
{
	yg_status st = yg_body_read(&s->b, q, fields, n, values, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &s->l, err);
	if (st == YG_OK)
		st = yg_scope_body_org(q, s->l.db, values[0].given, values[0].text, &s->org, err);
	return st == YG_OK ? check_match(api, q, r, s, err) : st;
}

yg_status yg_setting_answer(struct yg_request *q, struct yg_response *r, struct yg_setting *s,
			    yg_status st, struct yg_err *err)
{
	if (st == YG_OK)
		st = answer_tagged(s->l.api, q, r, s->l.db, s->org, s->answer, err);
	return yg_lease_commit(&s->l, q, r, st, err);
}

void yg_setting_done(struct yg_setting *s)
{
	yg_body_free(&s->b);
	yg_lease_end(&s->l);
}
