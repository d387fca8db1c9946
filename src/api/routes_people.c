/* The people who sign in, for who may look after them. */
#include "api/routes.h"
#include "api/sign_in.h"

void yg_put_person(struct yg_jo *j, const struct yg_person *p)
{
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", p->id);
	yg_jo_str(j, "login", p->login);
	yg_jo_str(j, "name", p->name);
	yg_jo_str(j, "email", p->email);
	yg_jo_str(j, "language", p->language);
	yg_jo_str(j, "theme", p->theme);
	yg_jo_str(j, "home", p->home);
	yg_jo_str(j, "state", p->state);
	yg_jo_bool(j, "administrator", p->administrator);
	yg_jo_time(j, "created_at", p->created.us);
	yg_jo_time(j, "updated_at", p->updated.us);
	yg_put_etag(j, p->version);
	yg_jo_end(j, '}');
}

static yg_status answer_person(struct yg_request *q, struct yg_response *r, struct yg_state *db,
			       int status, struct yg_sv id, struct yg_err *err)
{
	struct yg_person p;
	yg_status st = yg_person_get(db, id, q->arena, &p, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, status);
	yg_put_person(&j, &p);
	yg_answer_etag(q, r, NULL, p.version);
	return YG_OK;
}

yg_status yg_r_people_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_person *list = NULL;
	size_t n = 0;
	yg_status st = yg_page_read(q, api->cursor_key, &page, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_person_list(l.db, page.after, page.limit, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_answer_items(&j);
	for (size_t i = 0; i < n; i++)
		yg_put_person(&j, &list[i]);
	return yg_answer_page(api, q, &j, n == page.limit ? &list[n - 1].login : NULL, err);
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
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_id id;
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	if (st != YG_OK)
		return st;
	struct yg_person p = {.login = v[0].text,
			      .name = v[1].text,
			      .email = v[2].text.p != NULL ? v[2].text : YG_SV(""),
			      .language = v[3].text,
			      .home = v[4].text.p != NULL ? v[4].text : YG_SV("")};
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_person_add(&act, &p, &id, err);
	if (st != YG_OK)
		return st;
	yg_answer_location(q, r, "/api/v1/people", yg_id_sv(&id));
	return answer_person(q, r, l.db, 201, yg_id_sv(&id), err);
}

yg_status yg_r_person_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = yg_lease_state(api, &l, err);
	return st == YG_OK ? answer_person(q, r, l.db, 200, yg_param(q, "id"), err) : st;
}

/* Somebody has to be left who can let others in; and who becomes all-powerful is
 * decided by two. */
static yg_status may_change(struct yg_request *q, struct yg_response *r, struct yg_state *db,
			    const struct yg_person *p, const struct yg_person_set *set,
			    struct yg_err *err)
{
	int64_t n = 0;
	bool active = YG_SV_IS(p->state, "active");
	bool stays = (set->administrator == NULL || *set->administrator) &&
		     (set->state == NULL || YG_SV_IS(*set->state, "active"));
	if (set->administrator != NULL && *set->administrator && !p->administrator)
		return yg_approval_needed(q, r, db, err);
	if (!p->administrator || !active || stays)
		return YG_OK;
	yg_status st = yg_person_administrators(db, &n, err);
	if (st == YG_OK && n < 2)
		return YG_FAIL(err, YG_CONFLICT, "this is the last administrator");
	/* else one of two could put the other out and be alone */
	return st == YG_OK ? yg_approval_needed(q, r, db, err) : st;
}

/* A new code for an administrator would be a way to become that person, and to
 * approve what one asked for oneself: only on the machine. */
static yg_status may_enrol(const struct yg_request *q, struct yg_state *db,
			   const struct yg_person *p, struct yg_err *err)
{
	int64_t n = 0;
	if (q->who.person.n == 0 || !p->administrator || !YG_SV_IS(p->state, "active"))
		return YG_OK;
	yg_status st = yg_person_administrators(db, &n, err);
	if (st == YG_OK && n >= 2)
		return YG_FAIL(
			err, YG_DENIED,
			"an administrator gets a new code on the machine: yagura person enrol");
	return st;
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
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_person p;
	struct yg_sv id = yg_param(q, "id");
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_person_get(l.db, id, q->arena, &p, err);
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
				    .administrator = v[5].given ? &v[5].truth : NULL};
	if (set.state != NULL && YG_SV_IS(p.state, "invited") && YG_SV_IS(*set.state, "active"))
		return YG_FAIL(err, YG_CONFLICT, "an invited person becomes active by their code");
	st = may_change(q, r, l.db, &p, &set, err);
	struct yg_act act = yg_request_act(q, api, l.db);
	if (st == YG_OK) {
		st = yg_changed(r, yg_person_change(&act, id, p.version, &set, err));
		if (st == YG_OK && set.state != NULL && YG_SV_IS(*set.state, "disabled"))
			yg_session_ended(api, id);
	}
	return st == YG_OK ? answer_person(q, r, l.db, 200, id, err) : st;
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
		st = yg_person_get(l.db, yg_param(q, "id"), q->arena, &p, err);
	if (st == YG_OK && YG_SV_IS(p.state, "disabled"))
		return YG_FAIL(err, YG_CONFLICT, "the person is disabled");
	if (st == YG_OK)
		st = may_enrol(q, l.db, &p, err);
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
		st = yg_person_get(l.db, yg_param(q, "id"), q->arena, &p, err);
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
		st = yg_person_get(l.db, yg_param(q, "id"), q->arena, &p, err);
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
