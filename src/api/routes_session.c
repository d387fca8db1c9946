/* Signing in and out, the first set-up, invitations: the JSON side. */
#include <sodium.h>

#include "api/routes.h"
#include "api/sign_in.h"
#include "org/organisation.h"

static void put_person(struct yg_jo *j, const struct yg_person *p)
{
	yg_jo_key(j, "person");
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", p->id);
	yg_jo_str(j, "login", p->login);
	yg_jo_str(j, "name", p->name);
	yg_jo_str(j, "language", p->language);
	yg_jo_str(j, "theme", p->theme);
	yg_jo_str(j, "home", p->home);
	yg_jo_end(j, '}');
}

static void put_own_session(struct yg_jo *j, const struct yg_request *q, const struct yg_session *s)
{
	yg_jo_key(j, "session");
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", s->id);
	yg_jo_time(j, "expires_at", s->expires.us);
	yg_jo_time(j, "step_up_until", s->step_up_until.us > q->now.us ? s->step_up_until.us : 0);
	yg_jo_str(j, "method", s->method);
	yg_jo_end(j, '}');
}

static yg_status has_demo(struct yg_request *q, struct yg_state *db, bool *out, struct yg_err *err)
{
	struct yg_sv *slugs;
	size_t n = 0;
	yg_status st = yg_org_demo(db, q->arena, &slugs, &n, err);
	*out = n > 0;
	return st;
}

/* Who am I and what may I; p and s NULL: no person, or no session. */
static yg_status put_who(struct yg_request *q, struct yg_state *db, struct yg_jo *j,
			 const struct yg_person *p, const struct yg_session *s, struct yg_err *err)
{
	bool demo = false;
	yg_status st = has_demo(q, db, &demo, err);
	if (p != NULL)
		put_person(j, p);
	else
		yg_jo_str_or_null(j, "person", YG_SV(""));
	if (s != NULL)
		put_own_session(j, q, s);
	else
		yg_jo_str_or_null(j, "session", YG_SV(""));
	if (st == YG_OK)
		st = yg_put_rights(j, q, db, err);
	yg_jo_str(j, "scope_tree_root", q->who.root);
	yg_jo_bool(j, "demo", demo);
	yg_jo_str(j, "version", YG_SV(YG_VERSION));
	return st;
}

static yg_status answer_who(struct yg_request *q, struct yg_response *r, struct yg_state *db,
			    int status, const struct yg_person *p, const struct yg_session *s,
			    struct yg_err *err)
{
	struct yg_jo j = yg_answer(r, status);
	yg_jo_begin(&j, '{');
	yg_status st = put_who(q, db, &j, p, s, err);
	yg_jo_end(&j, '}');
	return st;
}

yg_status yg_r_session_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_person p;
	struct yg_session s;
	bool person = q->who.person.n > 0, session = q->who.kind == YG_WHO_PERSON;
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK && person)
		st = yg_person_get(l.db, q->who.person, q->arena, &p, err);
	if (st == YG_OK && session)
		st = yg_session_get(l.db, q->who.id, q->arena, &s, err);
	if (st != YG_OK)
		return st;
	return answer_who(q, r, l.db, 200, person ? &p : NULL, session ? &s : NULL, err);
}

/* Somebody who is not signed in yet: a page of ours, and its body. */
static yg_status begin(struct yg_request *q, struct yg_response *r, struct yg_body *b,
		       const struct yg_field *fields, size_t n, struct yg_value *v,
		       struct yg_err *err)
{
	yg_status st = yg_same_site(q, r, false, err);
	return st == YG_OK ? yg_body_read(b, q, fields, n, v, err) : st;
}

static const struct yg_field proof_fields[] = {
	{"login", YG_F_TEXT, YG_F_NEEDED, 1, 64, NULL},
	{"password", YG_F_TEXT, YG_F_NEEDED, 1, 1024, NULL},
	{"totp", YG_F_TEXT, YG_F_NULL, 0, 16, NULL},
	{"recovery_code", YG_F_TEXT, YG_F_NULL, 0, 64, NULL},
};
enum { P_LOGIN, P_PASSWORD, P_TOTP, P_RECOVERY };

yg_status yg_r_session_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	struct yg_value v[YG_LEN(proof_fields)];
	struct yg_person p;
	struct yg_session s;
	const char *method;
	yg_status st = begin(q, r, &b, proof_fields, YG_LEN(proof_fields), v, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	if (st != YG_OK)
		return st;
	struct yg_password_try t = {v[P_LOGIN].text, v[P_PASSWORD].text, v[P_TOTP].text,
				    v[P_RECOVERY].text};
	st = yg_password_proof(api, q, r, l.db, &t, &p, &method, err);
	if (st == YG_OK)
		st = yg_session_begin(api, q, r, l.db, &p, method, &s, err);
	return st == YG_OK ? answer_who(q, r, l.db, 201, &p, &s, err) : st;
}

yg_status yg_r_passkey_options(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			       struct yg_err *err)
{
	yg_status st = yg_same_site(q, r, false, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	st = yg_put_passkey_get(api, q, &j, err);
	yg_jo_end(&j, '}');
	return st;
}

static const struct yg_field passkey_fields[] = {
	{"challenge_id", YG_F_TEXT, YG_F_NEEDED, 1, 128, NULL},
	{"credential", YG_F_OBJECT, YG_F_NEEDED, 0, 0, NULL},
};

yg_status yg_r_session_passkey(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			       struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	struct yg_value v[YG_LEN(passkey_fields)];
	struct yg_person p;
	struct yg_session s;
	yg_status st = begin(q, r, &b, passkey_fields, YG_LEN(passkey_fields), v, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	if (st != YG_OK)
		return st;
	st = yg_passkey_proof(api, q, l.db, &b, v[0].text, v[1].node, &p, err);
	if (st == YG_UNAUTH)
		yg_sign_in_refused(api, q, l.db, YG_SV(""), "passkey");
	if (st == YG_OK)
		st = yg_session_begin(api, q, r, l.db, &p, "passkey", &s, err);
	return st == YG_OK ? answer_who(q, r, l.db, 201, &p, &s, err) : st;
}

yg_status yg_r_session_remove(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			      struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = yg_need_session(q, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_session_revoke(&act, q->who.person, q->who.id, err);
	if (st != YG_OK)
		return st;
	yg_session_ended(api, q->who.id);
	yg_session_forget_cookie(q, r);
	r->status = 204;
	return YG_OK;
}

yg_status yg_r_session_step_up(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			       struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"password", YG_F_TEXT, YG_F_NULL, 1, 1024, NULL},
		{"totp", YG_F_TEXT, YG_F_NULL, 0, 16, NULL},
		{"recovery_code", YG_F_TEXT, YG_F_NULL, 0, 64, NULL},
		{"challenge_id", YG_F_TEXT, 0, 1, 128, NULL},
		{"credential", YG_F_OBJECT, 0, 0, 0, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_person p;
	struct yg_session s;
	const char *method;
	yg_status st = yg_need_session(q, err);
	if (st == YG_OK)
		st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	if (st != YG_OK)
		return st;
	struct yg_password_try t = {q->who.name, v[0].text, v[1].text, v[2].text};
	if (v[4].given) {
		method = "passkey";
		st = yg_passkey_proof(api, q, l.db, &b, v[3].text, v[4].node, &p, err);
		if (st == YG_OK && !yg_sv_eq(p.id, q->who.person))
			st = YG_FAIL(err, YG_UNAUTH, "this is another person's passkey");
	} else {
		st = yg_password_proof(api, q, r, l.db, &t, &p, &method, err);
	}
	if (st == YG_UNAUTH) { /* signed in all the same: 401 would say otherwise */
		r->problem = "step-up-needed";
		return st;
	}
	struct yg_act act = yg_request_act(q, api, l.db);
	if (st == YG_OK)
		st = yg_session_step_up(&act, q->who.id, yg_sv_of(method), err);
	if (st == YG_OK)
		st = yg_session_get(l.db, q->who.id, q->arena, &s, err);
	return st == YG_OK ? answer_who(q, r, l.db, 200, &p, &s, err) : st;
}

/* A new one-time code for the first set-up: for who has the machine. */
yg_status yg_r_setup_code(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_enrol_code code;
	yg_wall expires;
	char url[512], base[256];
	struct yg_sb b = yg_sb_init(url, sizeof url);
	if (q->who.kind != YG_WHO_LOCAL)
		return YG_FAIL(err, YG_DENIED, "this is for the local administrator");
	yg_status st = yg_lease_state(api, &l, err);
	struct yg_act act = yg_request_act(q, api, l.db);
	if (st == YG_OK)
		st = yg_enrol_add(&act, YG_SV(""), &code, &expires, err);
	if (st != YG_OK)
		return st;
	yg_sb_put(&b, yg_public_url(yg_api_conf(api), YG_SV(""), base, sizeof base));
	yg_sb_put(&b, YG_SV("/setup?code="));
	yg_sb_put(&b, yg_sv_of(code.s));
	struct yg_jo j = yg_answer(r, 201);
	yg_jo_begin(&j, '{');
	yg_jo_str(&j, "url", yg_sb_sv(&b));
	yg_jo_time(&j, "expires_at", expires.us);
	yg_jo_end(&j, '}');
	return YG_OK;
}

/* --- coming with a code --- */

/* Where the site has no name there are no passkeys: null. */
static void put_passkey_or_null(struct yg_api *api, struct yg_request *q, struct yg_jo *j,
				const struct yg_passkey_user *u)
{
	YG_AUTO(yg_buf_free) struct yg_buf buf = {0};
	struct yg_err ignored;
	yg_buf_init(&buf, 16384);
	struct yg_jo own = yg_jo_init(&buf);
	yg_jo_begin(&own, '{');
	yg_status st = yg_put_passkey_create(api, q, &own, u, &ignored);
	yg_jo_end(&own, '}');
	yg_jo_key(j, "passkey");
	yg_jo_raw(j, st == YG_OK && !buf.bad ? yg_buf_sv(&buf) : YG_SV(""));
}

yg_status yg_r_enrolment_options(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {{"code", YG_F_TEXT, YG_F_NEEDED, 1, 64, NULL}};
	struct yg_value v[YG_LEN(fields)];
	struct yg_enrol e = {0};
	struct yg_person p;
	char secret[YG_TOTP_TEXT], uri[256];
	struct yg_sb text = yg_sb_init(secret, sizeof secret);
	struct yg_sb totp_uri = yg_sb_init(uri, sizeof uri);
	yg_status st = begin(q, r, &b, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	struct yg_act act = yg_request_act(q, api, l.db);
	if (st == YG_OK)
		st = yg_enrol_get(&act, v[0].text, q->arena, &e, err);
	if (st == YG_OK && e.person.n > 0)
		st = yg_person_get(l.db, e.person, q->arena, &p, err);
	if (st != YG_OK)
		return st;
	struct yg_passkey_user u = {.id = e.person,
				    .bound = v[0].text,
				    .login = e.person.n > 0 ? p.login : YG_SV("administrator"),
				    .name = e.person.n > 0 ? p.name : YG_SV("administrator")};
	yg_totp_text(e.totp, &text);
	yg_totp_uri(e.totp, e.person.n > 0 ? p.login : YG_SV("administrator"), &totp_uri);
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	yg_jo_str(&j, "kind", e.person.n > 0 ? YG_SV("person") : YG_SV("setup"));
	if (e.person.n > 0)
		put_person(&j, &p);
	else
		yg_jo_str_or_null(&j, "person", YG_SV(""));
	yg_jo_time(&j, "expires_at", e.expires.us);
	yg_jo_key(&j, "totp");
	yg_jo_begin(&j, '{');
	yg_jo_str(&j, "secret", yg_sb_sv(&text));
	yg_jo_str(&j, "uri", yg_sb_sv(&totp_uri));
	yg_jo_end(&j, '}');
	put_passkey_or_null(api, q, &j, &u);
	yg_jo_end(&j, '}');
	sodium_memzero(secret, sizeof secret);
	return YG_OK;
}

yg_status yg_r_enrolment(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"code", YG_F_TEXT, YG_F_NEEDED, 1, 64, NULL},
		{"login", YG_F_TEXT, YG_F_NULL, 0, 64, NULL},
		{"name", YG_F_TEXT, YG_F_NULL, 0, 400, NULL},
		{"language", YG_F_TEXT, 0, 0, 2, "ja en"},
		{"password", YG_F_TEXT, YG_F_NULL, 0, 1024, NULL},
		{"totp", YG_F_TEXT, YG_F_NULL, 0, 16, NULL},
		{"challenge_id", YG_F_TEXT, 0, 1, 128, NULL},
		{"credential", YG_F_OBJECT, 0, 0, 0, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_credential key;
	struct yg_enrolled done;
	struct yg_session s;
	yg_status st = begin(q, r, &b, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	if (st != YG_OK)
		return st;
	struct yg_enrol_try t = {.code = v[0].text,
				 .login = v[1].text,
				 .name = v[2].text,
				 .language = v[3].text,
				 .password = v[4].text,
				 .totp = v[5].text};
	if (v[7].given) {
		st = yg_passkey_new(api, q, &b, t.code, v[6].text, v[7].node, &key, err);
		t.passkey = &key;
	}
	if (st == YG_OK)
		st = yg_enrol_finish(api, q, l.db, &t, &done, err);
	if (st == YG_OK)
		st = yg_session_begin(api, q, r, l.db, &done.person, "enrolment", &s, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 201);
	yg_jo_begin(&j, '{');
	yg_put_recovery_codes(&j, &done.codes);
	st = put_who(q, l.db, &j, &done.person, &s, err);
	yg_jo_end(&j, '}');
	sodium_memzero(&done.codes, sizeof done.codes);
	return st;
}
