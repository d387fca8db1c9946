/* Requests that a name be allowed: asked for with one click, decided by who keeps the
 * allow list of the organisation; for all, where that weakens everyone, by two. */
#include "api/routes_indicator.h"
#include "api/sign_in.h"
#include "dns/allow_request.h"
#include "org/approval.h"

static void put_request(struct yg_jo *j, struct yg_request *q, const struct yg_allow_request *r)
{
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", r->id);
	yg_jo_str(j, "org", r->org);
	yg_jo_str(j, "name", r->name);
	yg_jo_str(j, "reason", r->reason);
	yg_jo_str(j, "requested_by", r->requested_by);
	yg_jo_str(j, "state", r->state);
	yg_jo_bool(j, "for_all", r->for_all);
	yg_jo_bool(j, "mine", yg_sv_eq(r->requested_by, yg_sv_of(q->who.actor)));
	yg_jo_str_or_null(j, "approval", r->approval);
	yg_jo_str_or_null(j, "allow_entry", r->entry);
	yg_jo_str_or_null(j, "decided_by", r->decided_by);
	yg_jo_str(j, "decision_reason", r->decision_reason);
	yg_jo_time(j, "created_at", r->created.us);
	yg_jo_time(j, "decided_at", r->decided.us);
	yg_jo_end(j, '}');
}

static yg_status answer_request(struct yg_request *q, struct yg_response *r, struct yg_state *db,
				int status, struct yg_sv id, struct yg_err *err)
{
	struct yg_allow_request one;
	yg_status st = yg_allow_request_get(db, id, q->arena, &one, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, status);
	put_request(&j, q, &one);
	return YG_OK;
}

yg_status yg_r_dns_requests_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_reach reach;
	struct yg_allow_request *list = NULL;
	size_t n = 0;
	struct yg_sv state = yg_query(q, "state");
	if (state.p != NULL && !yg_words_have("open granted refused", state)) {
		yg_request_error(q, "unknown_value", YG_SV("state"),
				 "expected open, granted or refused");
		return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	}
	yg_status st = yg_page_begin(api, q, &l, &page, &reach, err);
	struct yg_allow_request_filter f = {.reach = reach,
					    .state = state.p != NULL ? state : YG_SV(""),
					    .before = page.after,
					    .limit = page.limit};
	if (st == YG_OK)
		st = yg_allow_request_list(l.db, &f, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++)
		put_request(&j, q, &list[i]);
	return yg_answer_page(api, q, &j, n == page.limit ? &list[n - 1].id : NULL, err);
}

yg_status yg_r_dns_request_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			       struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"org", YG_F_TEXT, 0, 1, 63, NULL},
		{"name", YG_F_TEXT, YG_F_NEEDED, 1, 1024, NULL},
		{"reason", YG_F_TEXT, YG_F_NEEDED, 1, YG_ALLOW_REASON_MAX, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_sv org, id;
	bool is_new = false;
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_scope_body_org(q, l.db, v[0].given, v[0].text, &org, err);
	if (st == YG_OK && org.n == 0) {
		yg_request_error(q, "missing", YG_SV("/org"), "say for which organisation");
		return YG_FAIL(err, YG_PARSE, "the body has errors");
	}
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_allow_request_add(&act, org, v[1].text, v[2].text, q->arena, &id, &is_new, err);
	if (st == YG_PARSE)
		yg_request_error(q, "bad_value", YG_SV("/name"), "%s", err->msg);
	if (st != YG_OK)
		return st;
	st = answer_request(q, r, l.db, is_new ? 201 : 200, id, err);
	return yg_lease_commit(&l, q, r, st, err);
}

/* Two people, when there are two: then the request waits for the second. */
static yg_status hand_on(struct yg_act *act, const struct yg_allow_request *one, struct yg_sv org,
			 struct yg_sv reason, struct yg_id *out_id, struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf params = {0};
	yg_buf_init(&params, 4096);
	struct yg_jo j = yg_jo_init(&params);
	yg_jo_begin(&j, '{');
	yg_jo_str(&j, "request", one->id);
	yg_jo_str(&j, "name", one->name);
	yg_jo_end(&j, '}');
	const struct yg_approval a = {.kind = YG_SV_INIT("dns.allow-all"),
				      .params = yg_buf_sv(&params),
				      .org = org,
				      .reason = reason};
	yg_status st = yg_approval_add(act, &a, out_id, err);
	return st == YG_OK ? yg_allow_request_hand_on(act, one->id, yg_id_sv(out_id), err) : st;
}

/* An open approval decides, not its asker; one that was refused, withdrawn or has ended does not. */
static yg_status waits(struct yg_request *q, struct yg_state *db,
		       const struct yg_allow_request *one, struct yg_err *err)
{
	struct yg_approval a;
	if (one->approval.n == 0 || !YG_SV_IS(one->state, "open"))
		return YG_OK;
	yg_status st = yg_approval_get(db, one->approval, q->now, q->arena, &a, err);
	if (st == YG_OK && YG_SV_IS(a.state, "open"))
		return YG_FAIL(err, YG_CONFLICT, "another person is to decide on this");
	return st == YG_NOTFOUND ? YG_OK : st;
}

/* *out_asked: the request to a second person; empty: it is decided. */
static yg_status decide(struct yg_request *q, struct yg_act *act,
			const struct yg_allow_request *one, const struct yg_value *v,
			struct yg_id *out_asked, struct yg_err *err)
{
	bool grant = v[0].truth, for_all = v[1].truth;
	struct yg_response scratch = {.status = 0};
	if (grant && for_all && !q->who.reach.all)
		return YG_FAIL(err, YG_DENIED,
			       "only the centre can make this for all organisations");
	struct yg_sv org = for_all ? YG_SV("") : one->org;
	yg_status st = for_all ? waits(q, act->db, one, err) : YG_OK;
	if (st != YG_OK)
		return st;
	st = grant ? yg_allow_needed(q, &scratch, act->db, org, err) : YG_OK;
	if (st == YG_DENIED) {
		st = yg_may_ask_another(q, err);
		return st == YG_OK ? hand_on(act, one, org, v[2].text, out_asked, err) : st;
	}
	if (st != YG_OK)
		return st;
	return yg_allow_request_decide(act, one->id, grant, for_all, v[2].text, err);
}

yg_status yg_r_dns_request_decide(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"grant", YG_F_BOOL, YG_F_NEEDED, 0, 0, NULL},
		{"for_all", YG_F_BOOL, 0, 0, 0, NULL},
		{"reason", YG_F_TEXT, 0, 0, YG_ALLOW_REASON_MAX, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_allow_request one;
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_allow_request_get(l.db, yg_param(q, "id"), q->arena, &one, err);
	if (st == YG_OK)
		st = yg_scope_object(q, one.org, false, err);
	if (st != YG_OK)
		return st;
	char who[48];
	struct yg_id asked = {{0}};
	struct yg_act act = yg_person_act(q, api, l.db, who);
	st = decide(q, &act, &one, v, &asked, err);
	if (st == YG_OK)
		st = answer_request(q, r, l.db, 200, one.id, err);
	st = yg_lease_commit(&l, q, r, st, err);
	if (st != YG_OK || q->dry_run)
		return st;
	if (asked.s[0] != '\0')
		yg_announce(api, YG_TOPIC_APPROVALS, v[1].truth ? YG_SV("") : one.org, YG_SV(""),
			    yg_id_sv(&asked), "created");
	else
		yg_indicators_changed(api);
	return YG_OK;
}
