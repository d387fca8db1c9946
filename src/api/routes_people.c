/* The people who sign in, for who may look after them. */
#include "api/routes.h"
#include "api/sign_in.h"
#include "org/organisation.h"

#define NAMED_MAX 100 /* people asked for by their ids at once */

static struct yg_sv known_org(const struct yg_request *q, const struct yg_person *p,
			      struct yg_sv org)
{
	bool own = yg_sv_eq(p->id, q->who.person);
	return own || yg_reach_has(&q->who.reach, org, YG_SV("")) ? org : YG_SV("");
}

void yg_put_person(struct yg_jo *j, const struct yg_request *q, const struct yg_person *p,
		   bool may_change)
{
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", p->id);
	yg_jo_str(j, "login", p->login);
	yg_jo_str(j, "name", p->name);
	yg_jo_str(j, "email", p->email);
	yg_jo_str(j, "language", p->language);
	yg_jo_str(j, "theme", p->theme);
	yg_jo_str_or_null(j, "org", known_org(q, p, p->org));
	yg_jo_str(j, "home", known_org(q, p, p->home));
	yg_jo_str(j, "state", p->state);
	yg_jo_bool(j, "administrator", p->administrator);
	yg_jo_bool(j, "may_change", may_change);
	yg_jo_time(j, "created_at", p->created.us);
	yg_jo_time(j, "updated_at", p->updated.us);
	yg_put_etag(j, p->version);
	yg_jo_end(j, '}');
}

/* For the buttons: whether the caller could change the person. */
static yg_status could_change(struct yg_request *q, struct yg_state *db, const struct yg_person *p,
			      bool *out, struct yg_err *err)
{
	struct yg_reach reach;
	yg_status st = yg_who_reach(&q->who, db, "people:write", q->arena, &reach, err);
	if (st == YG_OK)
		st = yg_person_managed(db, p, &reach, q->now, err);
	*out = st == YG_OK;
	return st == YG_DENIED ? YG_OK : st;
}

static yg_status answer_person(struct yg_request *q, struct yg_response *r, struct yg_state *db,
			       int status, struct yg_sv id, struct yg_err *err)
{
	struct yg_person p;
	yg_status st = yg_person_within(db, id, &q->who.reach, q->now, q->arena, &p, err);
	if (st != YG_OK)
		return st;
	bool may = false;
	st = could_change(q, db, &p, &may, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, status);
	yg_put_person(&j, q, &p, may);
	yg_answer_etag(q, r, NULL, p.version);
	return YG_OK;
}

/* Those of the ids, with commas, that are within reach: others are left out, so that who
 * shows names need not know which of them one may know. */
static yg_status named_people(struct yg_request *q, struct yg_state *db, struct yg_sv ids,
			      const struct yg_reach *reach, struct yg_person **out, size_t *out_n,
			      struct yg_err *err)
{
	struct yg_sv id;
	struct yg_person *list = YG_NEW_N(q->arena, struct yg_person, NAMED_MAX);
	if (list == NULL)
		return YG_FAIL(err, YG_NOMEM, "people");
	*out = list;
	*out_n = 0;
	while (yg_sv_cut(&ids, ',', &id)) {
		if (*out_n == NAMED_MAX) {
			yg_request_error(q, "out_of_range", YG_SV("id"), "at most %d ids",
					 NAMED_MAX);
			return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
		}
		yg_status st =
			yg_person_within(db, id, reach, q->now, q->arena, &list[*out_n], err);
		if (st == YG_OK)
			++*out_n;
		else if (st != YG_NOTFOUND)
			return st;
	}
	return YG_OK;
}

yg_status yg_r_people_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_person *list = NULL;
	struct yg_person_filter f = {.now = q->now};
	size_t n = 0;
	yg_status st = yg_page_begin(api, q, &l, &page, &f.reach, err);
	f.after = page.after;
	f.limit = page.limit;
	struct yg_sv ids = yg_query(q, "id");
	if (st == YG_OK && ids.p != NULL)
		st = named_people(q, l.db, ids, &f.reach, &list, &n, err);
	else if (st == YG_OK)
		st = yg_person_list(l.db, &f, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		bool may = false;
		st = could_change(q, l.db, &list[i], &may, err);
		yg_put_person(&j, q, &list[i], may);
	}
	bool more = ids.p == NULL && n == page.limit;
	return st != YG_OK ? st : yg_answer_page(api, q, &j, more ? &list[n - 1].login : NULL, err);
}

/* An organisation that is named has to be one that the caller sees. */
static yg_status may_name(struct yg_request *q, struct yg_state *db, struct yg_sv org,
			  const char *at, struct yg_err *err)
{
	if (!yg_org_slug_ok(org)) {
		yg_request_error(q, "bad_name", yg_sv_of(at), "not the name of an organisation");
		return YG_FAIL(err, YG_PARSE, "the body has errors");
	}
	yg_status st = yg_scope_object(q, org, false, err);
	return st == YG_OK ? yg_org_known(db, org, err) : st;
}

/* Somebody within reach whom the caller answers for, all of them. */
static yg_status find_managed(struct yg_request *q, struct yg_state *db, struct yg_person *out,
			      struct yg_err *err)
{
	yg_status st =
		yg_person_within(db, yg_param(q, "id"), &q->who.reach, q->now, q->arena, out, err);
	return st == YG_OK ? yg_person_managed(db, out, &q->who.reach, q->now, err) : st;
}

yg_status yg_r_people_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"login", YG_F_TEXT, YG_F_NEEDED, 1, YG_LOGIN_MAX, NULL},
		{"name", YG_F_TEXT, YG_F_NEEDED, 1, YG_PERSON_NAME_MAX * 4, NULL},
		{"email", YG_F_TEXT, YG_F_NULL, 0, YG_EMAIL_MAX, NULL},
		{"language", YG_F_TEXT, 0, 2, 2, "ja en"},
		{"home", YG_F_TEXT, YG_F_NULL, 0, 63, NULL},
		{"org", YG_F_TEXT, YG_F_NULL, 0, 63, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_sv org = YG_SV("");
	struct yg_id id;
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	/* without the member: the caller's own node, of the whole when there is none */
	if (st == YG_OK)
		st = yg_scope_body_org(q, l.db, v[5].given, v[5].text, &org, err);
	if (st == YG_OK && v[4].text.n > 0)
		st = may_name(q, l.db, v[4].text, "/home", err);
	if (st != YG_OK)
		return st;
	struct yg_person p = {.login = v[0].text,
			      .name = v[1].text,
			      .email = v[2].text.p != NULL ? v[2].text : YG_SV(""),
			      .language = v[3].text,
			      .home = v[4].text.p != NULL ? v[4].text : YG_SV(""),
			      .org = org};
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_person_add(&act, &p, &id, err);
	if (st != YG_OK)
		return st;
	yg_answer_location(q, r, "/api/v1/people", yg_id_sv(&id));
	st = answer_person(q, r, l.db, 201, yg_id_sv(&id), err);
	return yg_lease_commit(&l, q, r, st, err);
}

yg_status yg_r_person_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = yg_lease_state(api, &l, err);
	return st == YG_OK ? answer_person(q, r, l.db, 200, yg_param(q, "id"), err) : st;
}

/* A disabled administrator let in again would be one by one person's word. */
static yg_status may_come_back(struct yg_request *q, struct yg_state *db, const struct yg_person *p,
			       struct yg_err *err)
{
	bool would = false, two = false;
	yg_status st = yg_person_would_administer(db, p->id, q->now, &would, err);
	if (st == YG_OK && would)
		st = yg_takes_two(q, db, &two, err);
	return st == YG_OK && two
		       ? YG_FAIL(err, YG_DENIED,
				 "who was disabled does not come back as an administrator: take "
				 "that away first, and ask for it anew")
		       : st;
}

/* Who becomes all-powerful, and who is so no more, is decided by two. */
static yg_status may_change(struct yg_request *q, struct yg_response *r, struct yg_state *db,
			    const struct yg_person *p, const struct yg_person_set *set,
			    struct yg_err *err)
{
	bool before = false, active = set->state != NULL && YG_SV_IS(*set->state, "active");
	if (set->administrator != NULL && !q->who.reach.all)
		return YG_FAIL(err, YG_DENIED, "who may do everything is for the whole to say");
	bool stays = (set->administrator == NULL || *set->administrator || !p->administrator) &&
		     (set->state == NULL || active);
	if (set->administrator != NULL && *set->administrator && !p->administrator)
		return yg_approval_needed(q, r, db, err);
	if (active && !YG_SV_IS(p->state, "active"))
		return may_come_back(q, db, p, err);
	yg_status st = yg_person_is_administrator(db, p->id, q->now, YG_SV(""), &before, err);
	return st == YG_OK && before && !stays ? yg_may_lose_administrator(q, r, db, p->id, err)
					       : st;
}

/* A code is a way to become that person: nobody makes one for who may more than
 * they do themselves. */
static yg_status may_become(struct yg_request *q, struct yg_state *db, const struct yg_person *p,
			    struct yg_err *err)
{
	struct yg_rights all = {0};
	struct yg_grant_filter f = {
		.reach = {.all = true}, .person = p->id, .at = q->now, .limit = YG_GRANTS_MAX};
	yg_status st = yg_grant_list(db, &f, q->arena, &all.grants, &all.count, err);
	for (size_t i = 0; st == YG_OK && i < all.count; i++)
		st = yg_may_give(q, db, &all.grants[i], err);
	return st;
}

/* A new code, or a mail address that a provider of identities has verified, would be a
 * way to become an administrator, and to approve what one asked for oneself: only on
 * the machine. */
static yg_status may_take_over(struct yg_request *q, struct yg_state *db, const struct yg_person *p,
			       bool by_code, struct yg_err *err)
{
	bool would = false, two = false;
	yg_status st = q->who.kind != YG_WHO_LOCAL ? may_become(q, db, p, err) : YG_OK;
	if (st == YG_OK)
		st = yg_person_would_administer(db, p->id, q->now, &would, err);
	if (st == YG_OK && would)
		st = yg_takes_two(q, db, &two, err);
	if (st != YG_OK || !two)
		return st;
	return by_code ? YG_FAIL(err, YG_DENIED,
				 "an administrator gets a new code on the machine: yagura person enrol")
		       : YG_FAIL(err, YG_DENIED,
				 "the mail address of an administrator is theirs to change");
}

static yg_status may_readdress(struct yg_request *q, struct yg_state *db, const struct yg_person *p,
			       struct yg_sv email, struct yg_err *err)
{
	if (yg_sv_ieq(p->email, email) || yg_sv_eq(p->id, q->who.person))
		return YG_OK;
	return may_take_over(q, db, p, false, err);
}

yg_status yg_r_person_change(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"name", YG_F_TEXT, 0, 1, YG_PERSON_NAME_MAX * 4, NULL},
		{"email", YG_F_TEXT, 0, 0, YG_EMAIL_MAX, NULL},
		{"language", YG_F_TEXT, 0, 2, 2, "ja en"},
		{"home", YG_F_TEXT, 0, 0, 63, NULL},
		{"state", YG_F_TEXT, 0, 1, 16, "active disabled"},
		{"administrator", YG_F_BOOL, 0, 0, 0, NULL},
		{"org", YG_F_TEXT, YG_F_NULL, 0, 63, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_person p;
	struct yg_sv id = yg_param(q, "id");
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find_managed(q, l.db, &p, err);
	if (st == YG_OK)
		st = yg_check_match(q, r, p.version, err);
	if (st == YG_OK)
		st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st != YG_OK)
		return st;
	struct yg_person_set set = {.name = v[0].given ? &v[0].text : NULL,
				    .email = v[1].given ? &v[1].text : NULL,
				    .language = v[2].given ? &v[2].text : NULL,
				    .home = v[3].given ? &v[3].text : NULL,
				    .state = v[4].given ? &v[4].text : NULL,
				    .administrator = v[5].given ? &v[5].truth : NULL,
				    .org = v[6].given ? &v[6].text : NULL};
	if (set.state != NULL && YG_SV_IS(p.state, "invited") && YG_SV_IS(*set.state, "active"))
		return YG_FAIL(err, YG_CONFLICT, "an invited person becomes active by their code");
	st = may_change(q, r, l.db, &p, &set, err);
	if (st == YG_OK && set.email != NULL)
		st = may_readdress(q, l.db, &p, *set.email, err);
	if (st == YG_OK && set.home != NULL && set.home->n > 0)
		st = may_name(q, l.db, *set.home, "/home", err);
	if (st == YG_OK && set.org != NULL)
		st = yg_scope_body_org(q, l.db, true, *set.org, &v[6].text, err);
	struct yg_act act = yg_request_act(q, api, l.db);
	if (st == YG_OK)
		st = yg_changed(r, yg_person_change(&act, id, p.version, &set, err));
	if (st == YG_OK)
		st = answer_person(q, r, l.db, 200, id, err);
	st = yg_lease_commit(&l, q, r, st, err);
	if (st != YG_OK || q->dry_run)
		return st;
	if (set.state != NULL && YG_SV_IS(*set.state, "disabled"))
		yg_session_ended(api, id);
	if (set.state != NULL || set.administrator != NULL)
		yg_rights_changed(api);
	return YG_OK;
}

/* A one-time address to choose how to sign in; for who is invited and for who
 * lost everything. */
yg_status yg_r_person_enrol(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_enrol_code code;
	struct yg_person p;
	yg_wall expires;
	char url[512], base[300];
	struct yg_sb b = yg_sb_init(url, sizeof url);
	struct yg_sv host = q->tls ? q->header[YG_HH_HOST] : YG_SV("");
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = find_managed(q, l.db, &p, err);
	if (st == YG_OK && YG_SV_IS(p.state, "disabled"))
		return YG_FAIL(err, YG_CONFLICT, "the person is disabled");
	if (st == YG_OK)
		st = may_take_over(q, l.db, &p, true, err);
	struct yg_act act = yg_request_act(q, api, l.db);
	if (st == YG_OK)
		st = yg_enrol_add(&act, p.id, &code, &expires, err);
	if (st != YG_OK)
		return st;
	yg_sb_put(&b, yg_public_url(yg_api_conf(api), host.p != NULL ? host : YG_SV(""), base,
				    sizeof base));
	yg_sb_put(&b, YG_SV("/enrol?code="));
	yg_sb_put(&b, yg_sv_of(code.s));
	struct yg_jo j = yg_answer(r, 201);
	yg_jo_begin(&j, '{');
	yg_jo_str(&j, "url", yg_sb_sv(&b));
	yg_jo_time(&j, "expires_at", expires.us);
	yg_jo_end(&j, '}');
	return YG_OK;
}

yg_status yg_answer_sessions(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_state *db, struct yg_sv person, struct yg_err *err)
{
	struct yg_session *list = NULL;
	size_t n = 0;
	yg_span idle = {yg_api_conf(api)->session_idle_us};
	yg_status st = yg_session_list(db, person, q->now, idle, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_answer_items(&j);
	for (size_t i = 0; i < n; i++) {
		const struct yg_session *s = &list[i];
		yg_jo_begin(&j, '{');
		yg_jo_str(&j, "id", s->id);
		yg_jo_str(&j, "method", s->method);
		yg_jo_str(&j, "address", s->address);
		yg_jo_str(&j, "agent", s->agent);
		yg_jo_bool(&j, "current", yg_sv_eq(s->id, q->who.id));
		yg_jo_time(&j, "created_at", s->created.us);
		yg_jo_time(&j, "last_used_at", s->last_used.us);
		yg_jo_time(&j, "expires_at", s->expires.us);
		yg_jo_end(&j, '}');
	}
	return yg_answer_page(api, q, &j, NULL, err);
}

yg_status yg_r_person_sessions(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			       struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_person p;
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = find_managed(q, l.db, &p, err);
	if (st == YG_OK && q->who.audits)
		st = YG_FAIL(err, YG_DENIED, "sessions are of now, not of a period");
	return st == YG_OK ? yg_answer_sessions(api, q, r, l.db, p.id, err) : st;
}

yg_status yg_r_person_sessions_end(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_person p;
	struct yg_sv one = yg_param(q, "session");
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = find_managed(q, l.db, &p, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = one.n > 0 ? yg_session_revoke(&act, p.id, one, err)
		       : yg_session_revoke_all(&act, p.id, YG_SV(""), err);
	if (st != YG_OK)
		return st;
	yg_session_ended(api, one.n > 0 ? one : p.id);
	r->status = 204;
	return YG_OK;
}
