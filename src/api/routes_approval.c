/* What takes two people. */
#include "alert/alert.h"
#include "api/routes_indicator.h"
#include "api/sign_in.h"
#include "dns/allow_request.h"
#include "org/approval.h"
#include "org/grant.h"
#include "org/job.h"
#include "org/organisation.h"

/* The person behind a session or a token of theirs: asking by one and approving
 * by the other is still one person. */
struct yg_act yg_person_act(const struct yg_request *q, struct yg_api *api, struct yg_state *db,
			    char buf[static 48])
{
	struct yg_sb b = yg_sb_init(buf, 48);
	if (q->who.person.n == 0)
		return yg_request_act(q, api, db);
	yg_sb_put(&b, YG_SV("person:"));
	yg_sb_put(&b, q->who.person);
	return yg_act_make(db, api->env, yg_sb_sv(&b));
}

yg_status yg_may_ask_another(const struct yg_request *q, struct yg_err *err)
{
	/* its maker would be the second person */
	return q->who.kind == YG_WHO_LOCAL || q->who.person.n > 0
		       ? YG_OK
		       : YG_FAIL(err, YG_DENIED,
				 "this takes two people, and a token of nobody is none: sign in");
}

yg_status yg_takes_two(const struct yg_request *q, struct yg_state *db, bool *out,
		       struct yg_err *err)
{
	int64_t n = 0;
	*out = false;
	if (q->who.kind == YG_WHO_LOCAL) /* who has the machine has the database too */
		return YG_OK;
	yg_status st = yg_person_administrators(db, q->now, &n, err);
	*out = n > 1;
	return st;
}

yg_status yg_approval_needed(const struct yg_request *q, struct yg_response *r, struct yg_state *db,
			     struct yg_err *err)
{
	bool two = false;
	yg_status st = yg_takes_two(q, db, &two, err);
	if (st != YG_OK || !two)
		return st;
	r->problem = "approval-needed";
	return YG_FAIL(err, YG_DENIED,
		       "ask for it by POST /api/v1/approvals; another person decides");
}

yg_status yg_allow_needed(const struct yg_request *q, struct yg_response *r, struct yg_state *db,
			  struct yg_sv org, struct yg_err *err)
{
	struct yg_org o = {.kind = YG_ORG_CENTRE};
	yg_status st = org.n > 0 ? yg_org_get(db, org, q->arena, &o, err) : YG_OK;
	/* it holds for all that is below: else whoever may not say it for all says it there */
	return st == YG_OK && o.kind == YG_ORG_CENTRE ? yg_approval_needed(q, r, db, err) : st;
}

static yg_status somebody_left(struct yg_state *db, struct yg_sv person, struct yg_err *err)
{
	int64_t n = 0;
	yg_status st = yg_person_administrators_left(db, person, &n, err);
	return st == YG_OK && n == 0 ? YG_FAIL(err, YG_CONFLICT, "this is the last administrator")
				     : st;
}

yg_status yg_may_lose_administrator(const struct yg_request *q, struct yg_response *r,
				    struct yg_state *db, struct yg_sv person, struct yg_err *err)
{
	yg_status st = somebody_left(db, person, err);
	/* else one of two could put the other out and be alone */
	return st == YG_OK ? yg_approval_needed(q, r, db, err) : st;
}

/* What may be asked for, and with which scope. */
struct kind {
	const char *name, *scope, *member;
	yg_status (*check)(struct yg_state *db, struct yg_arena *arena, struct yg_sv value,
			   struct yg_err *err);
	yg_status (*run)(struct yg_act *act, struct yg_sv value, struct yg_err *err);
	/* in place of run: what more of it than one value says */
	yg_status (*run_all)(struct yg_act *act, const struct yg_approval *a,
			     const struct yg_json *params, struct yg_err *err);
};

static yg_status check_org(struct yg_state *db, struct yg_arena *arena, struct yg_sv value,
			   struct yg_err *err)
{
	struct yg_org o;
	return yg_org_get(db, value, arena, &o, err);
}

static yg_status run_org_remove(struct yg_act *act, struct yg_sv value, struct yg_err *err)
{
	char params[128];
	struct yg_id id;
	struct yg_sb b = yg_sb_init(params, sizeof params);
	yg_sb_put(&b, YG_SV("{\"org\":\""));
	yg_sb_put(&b, value); /* a slug */
	yg_sb_put(&b, YG_SV("\"}"));
	return yg_job_add(act, YG_SV("org.purge"), YG_SV(""), yg_sb_sv(&b), &id, err);
}

static yg_status check_person(struct yg_state *db, struct yg_arena *arena, struct yg_sv value,
			      struct yg_err *err)
{
	struct yg_person p;
	return yg_person_get(db, value, arena, &p, err);
}

/* Who is not in yet would be let in by who invited them, as an administrator. */
static yg_status check_active(struct yg_state *db, struct yg_arena *arena, struct yg_sv value,
			      struct yg_err *err)
{
	struct yg_person p;
	yg_status st = yg_person_get(db, value, arena, &p, err);
	return st == YG_OK && !YG_SV_IS(p.state, "active")
		       ? YG_FAIL(err, YG_CONFLICT, "only who is active becomes administrator")
		       : st;
}

static yg_status run_administrator(struct yg_act *act, struct yg_sv value, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	const bool yes = true;
	struct yg_person_set set = {.administrator = &yes};
	yg_arena_init(&arena, 65536);
	yg_status st = check_active(act->db, &arena, value, err);
	if (st == YG_OK)
		st = yg_person_change(act, value, YG_ANY_VERSION, &set, err);
	/* one that was made before, for whoever has it */
	return st == YG_OK ? yg_enrol_drop(act, value, err) : st;
}

/* Nothing that makes a person all-powerful stays: neither what they are nor a grant. */
static yg_status run_no_administrator(struct yg_act *act, struct yg_sv value, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	const bool no = false;
	size_t count = 0;
	struct yg_grant *list = NULL;
	struct yg_person_set set = {.administrator = &no};
	struct yg_grant_filter f = {
		.reach = {.all = true}, .person = value, .limit = YG_GRANTS_MAX};
	yg_arena_init(&arena, 4u << 20);
	yg_status st = somebody_left(act->db, value, err);
	if (st == YG_OK)
		st = yg_person_change(act, value, YG_ANY_VERSION, &set, err);
	if (st == YG_OK)
		st = yg_grant_list(act->db, &f, &arena, &list, &count, err);
	for (size_t i = 0; st == YG_OK && i < count; i++)
		if (list[i].role == YG_ROLE_ADMINISTRATOR && list[i].node.n == 0)
			st = yg_grant_remove(act, list[i].id, err);
	return st;
}

/* Asked for by the decision on an allow request alone: it needs no check. */
static yg_status run_allow_request(struct yg_act *act, const struct yg_approval *a,
				   const struct yg_json *params, struct yg_err *err)
{
	struct yg_sv request = yg_json_raw(params, yg_json_get(params, 0, YG_SV("request")));
	return yg_allow_request_decide(act, request, true, a->org.n == 0, YG_SV("approved"), err);
}

/* Asked for by adding the entry: it was looked at then, and is again. */
static yg_status run_allow_entry(struct yg_act *act, const struct yg_approval *a,
				 const struct yg_json *params, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_allow_new n = {.org = a->org, .reason = a->reason};
	struct yg_id id;
	yg_arena_init(&arena, 64u << 10);
	struct yg_sv type = yg_json_str(params, yg_json_get(params, 0, YG_SV("type")), &arena);
	n.value = yg_json_str(params, yg_json_get(params, 0, YG_SV("value")), &arena);
	struct yg_sv alert = yg_json_str(params, yg_json_get(params, 0, YG_SV("alert")), &arena);
	n.expires.us = yg_json_i64(params, yg_json_get(params, 0, YG_SV("expires_us")), 0);
	if (n.value.p == NULL || type.p == NULL || alert.p == NULL)
		return YG_FAIL(err, YG_NOMEM, "the entry of a request");
	if (alert.n > 0) /* the entry, and the alert is closed with it */
		return yg_alert_allow(act, alert, YG_ANY_VERSION, a->reason, n.expires,
				      n.org.n == 0, &id, err);
	yg_status st = yg_indicator_type_parse(type, &n.type);
	return st == YG_OK ? yg_allow_add(act, &n, &id, err)
			   : YG_FAIL(err, YG_CORRUPT, "the request has no entry");
}

static const struct kind kinds[] = {
	{"organisation.remove", "org:write", "org", check_org, run_org_remove, NULL},
	{"administrator.grant", "people:write", "person", check_active, run_administrator, NULL},
	{"administrator.revoke", "people:write", "person", check_person, run_no_administrator,
	 NULL},
	{"dns.allow-all", "indicators:write", "request", NULL, NULL, run_allow_request},
	{"allow-entry.add", "indicators:write", "value", NULL, NULL, run_allow_entry},
	{"alert.allow-all", "alerts:write", "value", NULL, NULL, run_allow_entry},
};

static const struct kind *kind_of(struct yg_sv name)
{
	for (size_t i = 0; i < YG_LEN(kinds); i++)
		if (yg_sv_eq(name, yg_sv_of(kinds[i].name)))
			return &kinds[i];
	return NULL;
}

/* How far the rights of who asked go now; nothing once they are lost. */
static yg_status asker_reach(const struct yg_request *q, struct yg_state *db,
			     const struct yg_approval *a, const char *scope, struct yg_reach *out,
			     struct yg_err *err)
{
	yg_status st = yg_actor_reach(db, a->requested_by, scope, q->now, q->arena, out, err);
	*out = st == YG_OK ? *out : (struct yg_reach){0};
	return st == YG_NOTFOUND ? YG_OK : st; /* a token that was removed */
}

/* Who approves stands higher than who asked; on the whole, where there is nothing
 * higher, it takes the same reach. */
static bool stands_higher(const struct yg_reach *own, const struct yg_reach *asker)
{
	if (asker->all)
		return own->all;
	for (size_t i = 0; i < asker->org_count; i++)
		if (!yg_reach_has(own, asker->orgs[i], YG_SV("")))
			return false;
	return asker->org_count > 0 && (own->all || own->org_count > asker->org_count);
}

static bool is_own(const struct yg_request *q, const struct yg_approval *a)
{
	return yg_sv_eq(a->requested_by, yg_sv_of(q->who.actor)) ||
	       (q->who.person.n > 0 && yg_sv_ends(a->requested_by, q->who.person));
}

/* Both have the right to the thing itself where it is done, who approves further up;
 * and they are two: else one person would let in the other, with rights from their own,
 * above or below. */
static yg_status may_approve(struct yg_request *q, struct yg_state *db, const struct yg_approval *a,
			     bool *out, struct yg_err *err)
{
	const struct kind *k = kind_of(a->kind);
	const char *scopes[] = {"approvals:write", k != NULL ? k->scope : ""};
	struct yg_reach asker = {0}, own;
	bool may = k != NULL && !is_own(q, a) && q->who.kind != YG_WHO_TOKEN, apart = false;
	*out = false;
	yg_status st = may ? asker_reach(q, db, a, scopes[1], &asker, err) : YG_OK;
	may = may && yg_reach_has(&asker, a->org, YG_SV(""));
	for (size_t i = 0; st == YG_OK && may && i < YG_LEN(scopes); i++) {
		st = yg_who_reach(&q->who, db, scopes[i], q->arena, &own, err);
		may = yg_reach_has(&own, a->org, YG_SV("")) && stands_higher(&own, &asker);
	}
	if (st == YG_OK && may)
		st = yg_actors_apart(db, yg_sv_of(q->who.actor), a->requested_by, q->now, q->arena,
				     &apart, err);
	*out = may && apart;
	return st;
}

static yg_status put_approval(struct yg_jo *j, struct yg_request *q, struct yg_state *db,
			      const struct yg_approval *a, struct yg_err *err)
{
	bool approves = false;
	yg_status st = YG_SV_IS(a->state, "open") ? may_approve(q, db, a, &approves, err) : YG_OK;
	if (st != YG_OK)
		return st;
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", a->id);
	yg_jo_str(j, "kind", a->kind);
	yg_jo_key(j, "params");
	yg_jo_raw(j, a->params);
	yg_jo_str_or_null(j, "org", a->org);
	yg_jo_str(j, "requested_by", a->requested_by);
	yg_jo_str(j, "reason", a->reason);
	yg_jo_str(j, "state", a->state);
	yg_jo_str_or_null(j, "decided_by", a->decided_by);
	yg_jo_str(j, "decision_reason", a->decision_reason);
	yg_jo_bool(j, "may_approve", approves);
	yg_jo_time(j, "created_at", a->created.us);
	yg_jo_time(j, "decided_at", a->decided.us);
	yg_jo_time(j, "expires_at", a->expires.us);
	yg_jo_end(j, '}');
	return YG_OK;
}

yg_status yg_r_approvals_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			      struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_reach reach = {0};
	struct yg_approval *list = NULL;
	size_t n = 0;
	struct yg_sv state = yg_query(q, "state");
	if (state.p != NULL && !yg_words_have("open approved refused withdrawn expired", state)) {
		yg_request_error(q, "unknown_value", YG_SV("state"),
				 "expected open, approved, refused, withdrawn or expired");
		return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	}
	yg_status st = yg_page_begin(api, q, &l, &page, &reach, err);
	struct yg_approval_filter f = {yg_reach_set(&reach), state.p != NULL ? state : YG_SV(""),
				       page.after, page.limit, q->now};
	if (st == YG_OK)
		st = yg_approval_list(l.db, &f, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; st == YG_OK && i < n; i++)
		st = put_approval(&j, q, l.db, &list[i], err);
	return st != YG_OK
		       ? st
		       : yg_answer_page(api, q, &j, n == page.limit ? &list[n - 1].id : NULL, err);
}

static yg_status answer_approval(struct yg_request *q, struct yg_response *r, struct yg_state *db,
				 int status, struct yg_sv id, struct yg_err *err)
{
	struct yg_approval a;
	yg_status st = yg_approval_get(db, id, q->now, q->arena, &a, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, status);
	return put_approval(&j, q, db, &a, err);
}

static yg_status ask_allow(struct yg_request *q, struct yg_act *act, const struct yg_allow_new *n,
			   struct yg_id *out_id, struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf params = {0};
	char buf[YG_KEY_MAX];
	struct yg_sb value = yg_sb_init(buf, sizeof buf);
	yg_status st = yg_may_ask_another(q, err);
	if (st != YG_OK)
		return st;
	st = yg_indicator_normalize(n->type, n->value, &value, err);
	if (st != YG_OK)
		return st == YG_LIMIT ? YG_PARSE : st;
	if (n->reason.n > YG_APPROVAL_REASON) {
		yg_request_error(q, "too_long", YG_SV("/reason"),
				 "at most %d bytes where another person is to decide",
				 YG_APPROVAL_REASON);
		return YG_FAIL(err, YG_PARSE, "the body has errors");
	}
	if (n->expires.us != 0 && n->expires.us <= q->now.us)
		return YG_FAIL(err, YG_INVAL, "the entry would have expired already");
	yg_buf_init(&params, 64u << 10);
	struct yg_jo j = yg_jo_init(&params);
	yg_jo_begin(&j, '{');
	yg_jo_str(&j, "type", yg_sv_of(yg_indicator_type_name(n->type)));
	yg_jo_str(&j, "value", yg_sb_sv(&value));
	yg_jo_time(&j, "expires_at", n->expires.us);
	yg_jo_int(&j, "expires_us", n->expires.us);
	yg_jo_str_or_null(&j, "alert", n->alert);
	yg_jo_end(&j, '}');
	const struct yg_approval a = {.kind = n->alert.n > 0 ? YG_SV("alert.allow-all")
							     : YG_SV("allow-entry.add"),
				      .params = yg_buf_sv(&params),
				      .org = n->org,
				      .reason = n->reason};
	return yg_approval_add(act, &a, out_id, err);
}

yg_status yg_approval_ask_allow(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				struct yg_lease *l, const struct yg_allow_new *n,
				struct yg_err *err)
{
	char who[48];
	struct yg_id id;
	struct yg_act act = yg_person_act(q, api, l->db, who);
	r->problem = NULL; /* that it takes two is no fault here */
	yg_status st = ask_allow(q, &act, n, &id, err);
	if (st != YG_OK)
		return st;
	yg_answer_location(q, r, "/api/v1/approvals", yg_id_sv(&id));
	st = answer_approval(q, r, l->db, 202, yg_id_sv(&id), err);
	st = yg_lease_commit(l, q, r, st, err);
	if (st == YG_OK && !q->dry_run)
		yg_announce(api, YG_TOPIC_APPROVALS, n->org, YG_SV(""), yg_id_sv(&id), "created");
	return st;
}

/* What concerns one organisation is asked for by who has the scope there, and sees
 * it; the rest by who has it for the whole. */
static yg_status may_ask(struct yg_request *q, struct yg_state *db, const struct kind *k,
			 struct yg_sv value, struct yg_err *err)
{
	struct yg_reach reach;
	bool of_org = strcmp(k->member, "org") == 0;
	if (!yg_who_may(&q->who, k->scope))
		return YG_FAIL(err, YG_DENIED, "asking for this needs the scope %s", k->scope);
	yg_status st = yg_who_reach(&q->who, db, k->scope, q->arena, &reach, err);
	if (st != YG_OK || reach.all)
		return st;
	if (!of_org)
		return YG_FAIL(err, YG_DENIED, "this is for who answers for the whole to ask");
	return yg_reach_has(&reach, value, YG_SV("")) &&
			       yg_reach_has(&q->who.reach, value, YG_SV(""))
		       ? YG_OK
		       : YG_FAIL(err, YG_NOTFOUND, "no such organisation");
}

yg_status yg_r_approvals_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"kind", YG_F_TEXT, YG_F_NEEDED, 1, 64,
		 "organisation.remove administrator.grant administrator.revoke"},
		{"org", YG_F_TEXT, YG_F_NULL, 0, 63, NULL},
		{"person", YG_F_TEXT, YG_F_NULL, 0, 40, NULL},
		{"reason", YG_F_TEXT, YG_F_NEEDED, 1, YG_APPROVAL_REASON, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	char who[48];
	struct yg_id id;
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st != YG_OK)
		return st;
	const struct kind *k = kind_of(v[0].text);
	struct yg_sv value = v[strcmp(k->member, "org") == 0 ? 1 : 2].text;
	st = may_ask(q, l.db, k, value.p != NULL ? value : YG_SV(""), err);
	if (st == YG_OK)
		st = k->check(l.db, q->arena, value.p != NULL ? value : YG_SV(""), err);
	if (st != YG_OK)
		return st;
	YG_AUTO(yg_buf_free) struct yg_buf params = {0};
	yg_buf_init(&params, 1024);
	struct yg_jo j = yg_jo_init(&params);
	yg_jo_begin(&j, '{');
	yg_jo_str(&j, k->member, value);
	yg_jo_end(&j, '}');
	struct yg_approval a = {.kind = v[0].text,
				.params = yg_buf_sv(&params),
				.org = strcmp(k->member, "org") == 0 ? value : YG_SV(""),
				.reason = v[3].text};
	struct yg_act act = yg_person_act(q, api, l.db, who);
	st = yg_approval_add(&act, &a, &id, err);
	if (st != YG_OK)
		return st;
	yg_answer_location(q, r, "/api/v1/approvals", yg_id_sv(&id));
	st = answer_approval(q, r, l.db, 201, yg_id_sv(&id), err);
	st = yg_lease_commit(&l, q, r, st, err);
	if (st == YG_OK && !q->dry_run)
		yg_announce(api, YG_TOPIC_APPROVALS, a.org, YG_SV(""), yg_id_sv(&id), "created");
	return st;
}

static yg_status decide(struct yg_act *act, struct yg_request *q, const struct yg_approval *a,
			bool approve, struct yg_sv reason, struct yg_err *err)
{
	const struct kind *k = kind_of(a->kind);
	struct yg_json params;
	bool approves = false;
	yg_status st = may_approve(q, act->db, a, &approves, err);
	if (st == YG_OK && approve && (k == NULL || (!approves && !is_own(q, a))))
		return YG_FAIL(
			err, YG_DENIED,
			"who approves has the right to it, stands higher than who asked or as high "
			"on the whole, and neither let the other in");
	if (st == YG_OK)
		st = yg_approval_decide(act, a, approve, reason, err);
	if (st != YG_OK || !approve)
		return st;
	yg_json_init(&params, 64);
	st = yg_json_parse(&params, a->params, err);
	if (st == YG_OK) {
		uint32_t at = yg_json_get(&params, 0, yg_sv_of(k->member));
		st = at == 0 ? YG_FAIL(err, YG_CORRUPT, "the request has no %s", k->member)
		     : k->run_all != NULL ? k->run_all(act, a, &params, err)
					  : k->run(act, yg_json_raw(&params, at), err);
	}
	yg_json_free(&params);
	return st;
}

/* One that concerns what is within reach; else as if there were none. */
static yg_status find(const struct yg_request *q, struct yg_state *db, struct yg_approval *out,
		      struct yg_err *err)
{
	yg_status st = yg_approval_get(db, yg_param(q, "id"), q->now, q->arena, out, err);
	if (st == YG_NOTFOUND || (st == YG_OK && !yg_reach_has(&q->who.reach, out->org, YG_SV(""))))
		st = YG_FAIL(err, YG_NOTFOUND, "no such request");
	return st;
}

yg_status yg_r_approval_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_approval a;
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = find(q, l.db, &a, err);
	return st == YG_OK ? answer_approval(q, r, l.db, 200, a.id, err) : st;
}

/* Whoever asked takes it back, also who decides on nothing. */
yg_status yg_r_approval_withdraw(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_approval a;
	char who[48];
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find(q, l.db, &a, err);
	if (st == YG_OK && !is_own(q, &a))
		st = YG_FAIL(err, YG_DENIED, "only who asked takes it back");
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_person_act(q, api, l.db, who);
	st = yg_approval_decide(&act, &a, false, YG_SV(""), err);
	r->status = 204;
	st = yg_lease_commit(&l, q, r, st, err);
	if (st == YG_OK && !q->dry_run)
		yg_announce(api, YG_TOPIC_APPROVALS, a.org, YG_SV(""), a.id, "decided");
	return st;
}

/* The alert that an approved request has closed. */
static yg_status closed_alert(struct yg_request *q, struct yg_state *db,
			      const struct yg_approval *a, struct yg_alert *out, struct yg_err *err)
{
	struct yg_json params;
	yg_json_init(&params, 64);
	yg_status st = yg_json_parse(&params, a->params, err);
	if (st == YG_OK) {
		uint32_t at = yg_json_get(&params, 0, YG_SV("alert"));
		st = yg_alert_get(db, yg_json_str(&params, at, q->arena), q->arena, out, err);
	}
	yg_json_free(&params);
	return st;
}

yg_status yg_r_approval_decide(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			       struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"approve", YG_F_BOOL, YG_F_NEEDED, 0, 0, NULL},
		{"reason", YG_F_TEXT, YG_F_NEEDED, 1, YG_APPROVAL_REASON, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_approval a;
	char who[48];
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find(q, l.db, &a, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_person_act(q, api, l.db, who);
	struct yg_alert closed = {0};
	bool of_alert = v[0].truth && YG_SV_IS(a.kind, "alert.allow-all");
	st = decide(&act, q, &a, v[0].truth, v[1].text, err);
	if (st == YG_OK && of_alert)
		st = closed_alert(q, l.db, &a, &closed, err);
	if (st == YG_OK)
		st = answer_approval(q, r, l.db, 200, a.id, err);
	st = yg_lease_commit(&l, q, r, st, err);
	if (st != YG_OK || q->dry_run)
		return st;
	yg_announce(api, YG_TOPIC_APPROVALS, a.org, YG_SV(""), a.id, "decided");
	if (of_alert)
		yg_announce(api, YG_TOPIC_ALERTS, closed.org, closed.system, closed.id, "updated");
	if (api->hooks.job_added != NULL)
		api->hooks.job_added(api->hooks.ctx);
	if (v[0].truth && yg_sv_starts(a.kind, YG_SV("administrator.")))
		yg_rights_changed(api);
	if (v[0].truth && (kind_of(a.kind)->run_all != NULL || YG_SV_IS(a.kind, "dns.allow-all")))
		yg_indicators_changed(api);
	return YG_OK;
}
