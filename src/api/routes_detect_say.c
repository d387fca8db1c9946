/* What organisations say of detection rules: stages of their own, exceptions. */
#include "api/routes_detect.h"

/* ---- stages ---- */

bool yg_is_inherited(const struct yg_request *q, struct yg_sv org)
{
	return org.n > 0 && !yg_reach_has(&q->who.reach, org, YG_SV(""));
}

void yg_put_override(struct yg_jo *j, const struct yg_request *q,
		     const struct yg_detect_override *o)
{
	bool inherited = yg_is_inherited(q, o->org);
	yg_jo_begin(j, '{');
	yg_jo_str_or_null(j, "org", inherited ? YG_SV("") : o->org);
	yg_jo_bool(j, "inherited", inherited);
	yg_jo_str(j, "stage", yg_sv_of(yg_detect_stage_name(o->stage)));
	yg_jo_str(j, "reason", o->reason);
	yg_jo_time(j, "expires_at", o->expires.us);
	yg_jo_time(j, "updated_at", o->updated.us);
	yg_jo_str(j, "updated_by", inherited ? YG_SV("") : o->actor);
	yg_put_etag(
		j,
		o->updated.us); /* when it was set: one that was removed and set anew is another */
	yg_jo_end(j, '}');
}

/* The rule is there to be read, and the organisation is the caller's. */
static yg_status find_pair(struct yg_request *q, struct yg_state *db, struct yg_drule *rule,
			   struct yg_err *err)
{
	yg_status st = yg_find_rule(q, db, yg_param(q, "id"), false, rule, err);
	if (st == YG_OK && !yg_reach_has(&q->who.reach, yg_param(q, "org"), YG_SV("")))
		st = YG_FAIL(err, YG_NOTFOUND, "no such organisation");
	return st;
}

yg_status yg_r_overrides_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			      struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_drule rule;
	struct yg_detect_override *list = NULL;
	size_t n = 0;
	yg_status st = yg_page_begin(api, q, &l, &page, NULL, err);
	if (st == YG_OK)
		st = yg_find_rule(q, l.db, yg_param(q, "id"), false, &rule, err);
	if (st != YG_OK)
		return st;
	const struct yg_detect_override_filter f = {
		.reach = q->who.reach, .rule = rule.uid, .after = page.after, .limit = page.limit};
	st = yg_detect_override_list(l.db, &f, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++)
		yg_put_override(&j, q, &list[i]);
	return yg_answer_page(api, q, &j, n == page.limit ? &list[n - 1].org : NULL, err);
}

static yg_status answer_override(struct yg_request *q, struct yg_response *r, struct yg_state *db,
				 struct yg_sv rule, struct yg_err *err)
{
	struct yg_detect_override o;
	yg_status st = yg_detect_override_get(db, rule, yg_param(q, "org"), q->arena, &o, err);
	if (st == YG_OK)
		st = yg_scope_made(q, o.updated, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_put_override(&j, q, &o);
	yg_answer_etag(q, r, NULL, o.updated.us);
	return YG_OK;
}

yg_status yg_r_override_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_drule rule;
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = find_pair(q, l.db, &rule, err);
	return st == YG_OK ? answer_override(q, r, l.db, rule.uid, err) : st;
}

/* Is what the caller goes by what is there? */
static yg_status check_override(struct yg_request *q, struct yg_response *r, struct yg_state *db,
				struct yg_sv rule, struct yg_err *err)
{
	struct yg_detect_override was;
	yg_status st = yg_detect_override_get(db, rule, yg_param(q, "org"), q->arena, &was, err);
	if (st != YG_OK && st != YG_NOTFOUND)
		return st;
	return yg_check_replace(q, r, st == YG_OK ? &was.updated.us : NULL, err);
}

yg_status yg_r_override_set(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"stage", YG_F_TEXT, YG_F_NEEDED, 0, 0, YG_STAGE_WORDS},
		{"reason", YG_F_TEXT, YG_F_NEEDED, 1, YG_DRULE_REASON_MAX, NULL},
		{"expires_at", YG_F_TIME, YG_F_NULL, 0, 0, NULL}};
	struct yg_value v[YG_LEN(fields)];
	struct yg_drule rule;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find_pair(q, l.db, &rule, err);
	if (st == YG_OK)
		st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = check_override(q, r, l.db, rule.uid, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	struct yg_detect_override o = {.rule = rule.uid,
				       .org = yg_param(q, "org"),
				       .reason = v[1].text,
				       .expires = {v[2].number}};
	(void)yg_detect_stage_parse(v[0].text, &o.stage);
	st = yg_detect_override_set(&act, &o, err);
	if (st == YG_OK)
		st = answer_override(q, r, l.db, rule.uid, err);
	return yg_lease_commit_then(&l, q, r, st, yg_rules_changed, err);
}

yg_status yg_r_override_remove(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			       struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_drule rule;
	struct yg_detect_override was;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find_pair(q, l.db, &rule, err);
	if (st == YG_OK)
		st = yg_detect_override_get(l.db, rule.uid, yg_param(q, "org"), q->arena, &was,
					    err);
	if (st == YG_OK)
		st = yg_check_match(q, r, was.updated.us, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_detect_override_remove(&act, rule.uid, yg_param(q, "org"), err);
	r->status = 204;
	return yg_lease_commit_then(&l, q, r, st, yg_rules_changed, err);
}

/* ---- exceptions ---- */

void yg_put_exception(struct yg_jo *j, const struct yg_request *q,
		      const struct yg_detect_exception *x)
{
	bool inherited = yg_is_inherited(q, x->org);
	bool now = yg_reach_at(&q->who.reach, q->now); /* else the title may be a later one */
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", x->id);
	yg_jo_str_or_null(j, "rule", x->rule);
	yg_jo_str_or_null(j, "rule_title", now ? x->rule_title : YG_SV(""));
	yg_jo_str_or_null(j, "org", inherited ? YG_SV("") : x->org);
	yg_jo_bool(j, "inherited", inherited);
	yg_jo_str(j, "text", x->text);
	yg_jo_str(j, "reason", x->reason);
	yg_jo_str_or_null(j, "alert", inherited ? YG_SV("") : x->alert);
	yg_jo_time(j, "expires_at", x->expires.us);
	yg_jo_str(j, "created_by", inherited ? YG_SV("") : x->actor);
	yg_jo_time(j, "created_at", x->created.us);
	yg_jo_time(j, "updated_at", x->updated.us);
	yg_jo_int(j, "version", x->version);
	yg_put_etag(j, x->version);
	yg_jo_end(j, '}');
}

/* One of a node above is there to be read by all below it. */
static yg_status find_exception(struct yg_request *q, struct yg_state *db, struct yg_sv id,
				bool change, struct yg_detect_exception *out, struct yg_err *err)
{
	yg_status st = yg_detect_exception_get(db, id, q->arena, out, err);
	if (st == YG_OK)
		st = yg_scope_holds(q, db, out->org, err);
	if (st == YG_OK)
		st = yg_scope_made(q, out->created, err);
	if (st == YG_OK && change)
		st = yg_scope_shared(q, out->org, err);
	return st;
}

static yg_status answer_exception(struct yg_request *q, struct yg_response *r, struct yg_state *db,
				  int status, struct yg_sv id, struct yg_err *err)
{
	struct yg_detect_exception x;
	yg_status st = find_exception(q, db, id, false, &x, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, status);
	yg_put_exception(&j, q, &x);
	yg_answer_etag(q, r, NULL, x.version);
	return YG_OK;
}

yg_status yg_r_exceptions_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			       struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_detect_exception_filter f = {.limit = 0};
	struct yg_detect_exception *list = NULL;
	size_t n = 0;
	yg_status st = yg_page_begin(api, q, &l, &page, &f.reach, err);
	f.rule = yg_query_text(q, "rule");
	f.part = yg_query_text(q, "q");
	f.validity = (enum yg_detect_validity)yg_query_word(q, "validity", "in_force expired");
	f.by_end = yg_query_word(q, "sort", "newest expires") == 2;
	f.now = q->now;
	(void)yg_page_keyed(&page, &f.before_end, &f.before);
	f.limit = page.limit;
	if (st == YG_OK && q->error_count > 0)
		st = YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	if (st == YG_OK)
		st = yg_detect_exception_list(l.db, &f, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++)
		yg_put_exception(&j, q, &list[i]);
	const struct yg_detect_exception *last = n > 0 ? &list[n - 1] : NULL;
	return yg_answer_page_keyed(api, q, &j, n == page.limit,
				    last != NULL ? yg_detect_exception_end(last) : 0,
				    last != NULL ? last->id : YG_SV(""), err);
}

/* What the text's reader says is the body's fault. */
static yg_status text_fault(struct yg_request *q, yg_status st, const struct yg_err *err)
{
	if (st == YG_PARSE)
		yg_request_error(q, "bad_rule", YG_SV("/text"), "%s", err->msg);
	return st;
}

yg_status yg_r_exceptions_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			      struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"rule", YG_F_TEXT, YG_F_NULL, 1, 64, NULL},
		{"org", YG_F_TEXT, YG_F_NULL, 1, 63, NULL},
		{"text", YG_F_TEXT, YG_F_NEEDED, 1, YG_DETECT_EXCEPTION_MAX, NULL},
		{"reason", YG_F_TEXT, YG_F_NEEDED, 1, YG_DRULE_REASON_MAX, NULL},
		{"alert", YG_F_TEXT, YG_F_NULL, 1, 64, NULL},
		{"expires_at", YG_F_TIME, YG_F_NULL, 0, 0, NULL}};
	struct yg_value v[YG_LEN(fields)];
	struct yg_detect_exception x = {.version = 0};
	struct yg_drule rule;
	struct yg_id id;
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_scope_body_org(q, l.db, v[1].given, v[1].text, &x.org, err);
	if (st == YG_OK && v[0].text.n > 0)
		st = yg_find_rule(q, l.db, v[0].text, false, &rule, err);
	if (st != YG_OK)
		return st;
	x.rule = v[0].text;
	x.text = v[2].text;
	x.reason = v[3].text;
	x.alert = v[4].text;
	x.expires.us = v[5].number;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = text_fault(q, yg_detect_exception_add(&act, &x, &id, err), err);
	if (st != YG_OK)
		return st;
	yg_answer_location(q, r, "/api/v1/detection-exceptions", yg_id_sv(&id));
	st = answer_exception(q, r, l.db, 201, yg_id_sv(&id), err);
	return yg_lease_commit_then(&l, q, r, st, yg_rules_changed, err);
}

yg_status yg_r_exception_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = yg_lease_state(api, &l, err);
	return st == YG_OK ? answer_exception(q, r, l.db, 200, yg_param(q, "id"), err) : st;
}

yg_status yg_r_exception_change(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"text", YG_F_TEXT, 0, 1, YG_DETECT_EXCEPTION_MAX, NULL},
		{"reason", YG_F_TEXT, 0, 1, YG_DRULE_REASON_MAX, NULL},
		{"expires_at", YG_F_TIME, YG_F_NULL, 0, 0, NULL}};
	struct yg_value v[YG_LEN(fields)];
	struct yg_detect_exception x;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find_exception(q, l.db, yg_param(q, "id"), true, &x, err);
	if (st == YG_OK)
		st = yg_check_match(q, r, x.version, err);
	if (st == YG_OK)
		st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st != YG_OK)
		return st;
	yg_wall expires = {v[2].number};
	const struct yg_detect_exception_set set = {.text = v[0].given ? &v[0].text : NULL,
						    .reason = v[1].given ? &v[1].text : NULL,
						    .expires = v[2].given ? &expires : NULL};
	struct yg_act act = yg_request_act(q, api, l.db);
	st = text_fault(q, yg_detect_exception_change(&act, x.id, x.version, &set, err), err);
	if (st != YG_OK)
		return yg_changed(r, st);
	st = answer_exception(q, r, l.db, 200, x.id, err);
	return yg_lease_commit_then(&l, q, r, st, yg_rules_changed, err);
}

yg_status yg_r_exception_remove(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_detect_exception x;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find_exception(q, l.db, yg_param(q, "id"), true, &x, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_detect_exception_remove(&act, x.id, err);
	r->status = 204;
	return yg_lease_commit_then(&l, q, r, st, yg_rules_changed, err);
}
