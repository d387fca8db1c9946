/* Allow entries: what is not to be matched. */
#include "api/routes_indicator.h"
#include "api/sign_in.h"

void yg_put_allow(struct yg_jo *j, const struct yg_allow *w)
{
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", w->id);
	yg_jo_str_or_null(j, "org", w->org);
	yg_jo_str(j, "type", yg_sv_of(yg_indicator_type_name(w->type)));
	yg_jo_str(j, "value", w->value);
	yg_jo_str(j, "reason", w->reason);
	yg_jo_str_or_null(j, "alert", w->alert);
	yg_jo_time(j, "expires_at", w->expires.us);
	yg_jo_time(j, "created_at", w->created.us);
	yg_jo_time(j, "updated_at", w->updated.us);
	yg_jo_str(j, "created_by", w->actor);
	yg_put_etag(j, w->version);
	yg_jo_end(j, '}');
}

static yg_status find_allow(struct yg_request *q, struct yg_state *db, struct yg_sv id, bool change,
			    struct yg_allow *out, struct yg_err *err)
{
	yg_status st = yg_allow_get(db, id, q->arena, out, err);
	if (st == YG_OK)
		st = yg_scope_object(q, out->org, true, err);
	if (st == YG_OK)
		st = yg_scope_made(q, out->created, err);
	if (st == YG_OK && change)
		st = yg_scope_shared(q, out->org, err);
	return st;
}

static yg_status answer_allow(struct yg_request *q, struct yg_response *r, struct yg_state *db,
			      int status, struct yg_sv id, struct yg_err *err)
{
	struct yg_allow w;
	yg_status st = find_allow(q, db, id, false, &w, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, status);
	yg_put_allow(&j, &w);
	yg_answer_etag(q, r, NULL, w.version);
	return YG_OK;
}

yg_status yg_r_allows_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_allow *list = NULL;
	size_t n = 0;
	struct yg_reach reach;
	yg_status st = yg_page_begin(api, q, &l, &page, &reach, err);
	if (st == YG_OK)
		st = yg_allow_list(l.db,
				   &(struct yg_allow_filter){.reach = reach,
							     .before = page.after,
							     .limit = page.limit},
				   q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++)
		yg_put_allow(&j, &list[i]);
	return yg_answer_page(api, q, &j, n == page.limit ? &list[n - 1].id : NULL, err);
}

static yg_status wrong_value(struct yg_request *q, yg_status st, const struct yg_err *err)
{
	if (st == YG_PARSE)
		yg_request_error(q, "bad_value", YG_SV("/value"), "%s", err->msg);
	return st;
}

yg_status yg_r_allows_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"org", YG_F_TEXT, YG_F_NULL, 1, 63, NULL},
		{"type", YG_F_TEXT, YG_F_NEEDED, 0, 0, TYPE_WORDS},
		{"value", YG_F_TEXT, YG_F_NEEDED, 1, 8192, NULL},
		{"reason", YG_F_TEXT, YG_F_NEEDED, 1, 8000, NULL},
		{"expires_at", YG_F_TIME, YG_F_NULL, 0, 0, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_allow_new n = {0};
	struct yg_id id;
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_scope_body_org(q, l.db, v[0].given, v[0].text, &n.org, err);
	if (st == YG_OK)
		st = yg_indicator_type_parse(v[1].text, &n.type);
	if (st != YG_OK)
		return st;
	n.value = v[2].text;
	n.reason = v[3].text;
	n.expires.us = v[4].number;
	st = yg_allow_needed(q, r, l.db, n.org, err);
	if (st == YG_DENIED)
		return wrong_value(q, yg_approval_ask_allow(api, q, r, &l, &n, err), err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = wrong_value(q, yg_allow_add(&act, &n, &id, err), err);
	if (st != YG_OK)
		return st;
	yg_answer_location(q, r, "/api/v1/allow-entries", yg_id_sv(&id));
	st = answer_allow(q, r, l.db, 201, yg_id_sv(&id), err);
	return yg_lease_commit_then(&l, q, r, st, yg_indicators_changed, err);
}

yg_status yg_r_allow_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = yg_lease_state(api, &l, err);
	return st == YG_OK ? answer_allow(q, r, l.db, 200, yg_param(q, "id"), err) : st;
}

yg_status yg_r_allow_change(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"reason", YG_F_TEXT, 0, 1, 8000, NULL},
		{"expires_at", YG_F_TIME, YG_F_NULL, 0, 0, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_allow w;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find_allow(q, l.db, yg_param(q, "id"), true, &w, err);
	if (st == YG_OK)
		st = yg_check_match(q, r, w.version, err);
	if (st == YG_OK)
		st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st != YG_OK)
		return st;
	yg_wall expires = {v[1].number};
	bool longer =
		v[1].given && w.expires.us != 0 && (expires.us == 0 || expires.us > w.expires.us);
	if (longer && yg_allow_needed(q, r, l.db, w.org, err) != YG_OK)
		return YG_FAIL(
			err, YG_DENIED,
			"what holds for all is not made to last longer by one: add it again, "
			"and another person decides");
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_allow_change(&act, w.id, w.version, v[0].given ? &v[0].text : NULL,
			     v[1].given ? &expires : NULL, err);
	if (st != YG_OK)
		return yg_changed(r, st);
	st = answer_allow(q, r, l.db, 200, w.id, err);
	return yg_lease_commit_then(&l, q, r, st, yg_indicators_changed, err);
}

yg_status yg_r_allow_remove(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_allow w;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find_allow(q, l.db, yg_param(q, "id"), true, &w, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_allow_remove(&act, w.id, err);
	r->status = 204;
	return yg_lease_commit_then(&l, q, r, st, yg_indicators_changed, err);
}
