/* What a person may do about themselves; each needs a session, not a token. */
#include <sodium.h>

#include "api/routes.h"
#include "api/sign_in.h"
#include "org/token.h"

/* A session, and a handle to the state. */
static yg_status begin(struct yg_api *api, const struct yg_request *q, struct yg_lease *l,
		       struct yg_err *err)
{
	yg_status st = yg_need_session(q, err);
	return st == YG_OK ? yg_lease_state(api, l, err) : st;
}

/* The same for what a dry run takes back. */
static yg_status begin_change(struct yg_api *api, const struct yg_request *q, struct yg_lease *l,
			      struct yg_err *err)
{
	yg_status st = yg_need_session(q, err);
	return st == YG_OK ? yg_lease_change(api, l, err) : st;
}

static yg_status answer_me(struct yg_request *q, struct yg_response *r, struct yg_state *db,
			   struct yg_err *err)
{
	struct yg_person p;
	struct yg_credential_counts n;
	yg_status st = yg_person_get(db, q->who.person, q->arena, &p, err);
	if (st == YG_OK)
		st = yg_credential_count(db, p.id, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	yg_jo_key(&j, "person");
	yg_put_person(&j, q, &p, false);
	yg_jo_key(&j, "credentials");
	yg_jo_begin(&j, '{');
	yg_jo_bool(&j, "password", n.passwords > 0);
	yg_jo_bool(&j, "totp", n.totps > 0);
	yg_jo_int(&j, "passkeys", n.passkeys);
	yg_jo_int(&j, "recovery_codes", n.recovery_codes);
	yg_jo_int(&j, "identities", n.identities);
	yg_jo_end(&j, '}');
	yg_jo_end(&j, '}');
	return YG_OK;
}

yg_status yg_r_me_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
		      struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = begin(api, q, &l, err);
	return st == YG_OK ? answer_me(q, r, l.db, err) : st;
}

yg_status yg_r_me_change(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"name", YG_F_TEXT, 0, 1, YG_PERSON_NAME_MAX * 4, NULL},
		{"language", YG_F_TEXT, 0, 2, 2, "ja en"},
		{"theme", YG_F_TEXT, 0, 1, 16, "system light dark"},
		{"home", YG_F_TEXT, 0, 0, 63, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	yg_status st = begin_change(api, q, &l, err);
	if (st == YG_OK)
		st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st != YG_OK)
		return st;
	struct yg_person_set set = {.name = v[0].given ? &v[0].text : NULL,
				    .language = v[1].given ? &v[1].text : NULL,
				    .theme = v[2].given ? &v[2].text : NULL,
				    .home = v[3].given ? &v[3].text : NULL};
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_person_change(&act, q->who.person, YG_ANY_VERSION, &set, err);
	if (st == YG_OK)
		st = answer_me(q, r, l.db, err);
	return yg_lease_commit(&l, q, r, st, err);
}

/* --- sessions --- */

yg_status yg_r_me_sessions(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = begin(api, q, &l, err);
	return st == YG_OK ? yg_answer_sessions(api, q, r, l.db, q->who.person, err) : st;
}

yg_status yg_r_me_session_end(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			      struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_sv id = yg_param(q, "id");
	yg_status st = begin(api, q, &l, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_session_revoke(&act, q->who.person, id, err);
	if (st != YG_OK)
		return st;
	yg_session_ended(api, id);
	if (yg_sv_eq(id, q->who.id))
		yg_session_forget_cookie(q, r);
	r->status = 204;
	return YG_OK;
}

/* --- passkeys --- */

static void put_passkey(struct yg_jo *j, const struct yg_credential *c)
{
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", c->id);
	yg_jo_str(j, "label", c->label);
	yg_jo_time(j, "created_at", c->created.us);
	yg_jo_time(j, "last_used_at", c->last_used.us);
	yg_jo_end(j, '}');
}

yg_status yg_r_me_passkeys(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_credential *list = NULL;
	size_t n = 0;
	yg_status st = begin(api, q, &l, err);
	if (st == YG_OK)
		st = yg_credential_list(l.db, q->who.person, "passkey", q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_answer_items(&j);
	for (size_t i = 0; i < n; i++)
		put_passkey(&j, &list[i]);
	return yg_answer_page(api, q, &j, NULL, err);
}

yg_status yg_r_me_passkey_options(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_person p;
	struct yg_passkey_user u = {0};
	struct yg_credential *list = NULL;
	yg_status st = begin(api, q, &l, err);
	if (st == YG_OK)
		st = yg_person_get(l.db, q->who.person, q->arena, &p, err);
	if (st == YG_OK)
		st = yg_credential_list(l.db, p.id, "passkey", q->arena, &list, &u.have_count, err);
	if (st != YG_OK)
		return st;
	u.id = u.bound = p.id;
	u.login = p.login;
	u.name = p.name;
	u.have = list;
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	st = yg_put_passkey_create(api, q, &j, &u, err);
	yg_jo_end(&j, '}');
	return st;
}

yg_status yg_r_me_passkey_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			      struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"challenge_id", YG_F_TEXT, YG_F_NEEDED, 1, 128, NULL},
		{"credential", YG_F_OBJECT, YG_F_NEEDED, 0, 0, NULL},
		{"label", YG_F_TEXT, 0, 0, YG_LABEL_MAX, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_credential c;
	struct yg_id id;
	yg_status st = begin(api, q, &l, err);
	if (st == YG_OK)
		st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_passkey_new(api, q, &b, q->who.person, v[0].text, v[1].node, &c, err);
	if (st == YG_UNAUTH) /* signed in all the same */
		st = YG_INVAL;
	if (st != YG_OK)
		return st;
	c.person = q->who.person;
	c.label = v[2].given ? v[2].text : YG_SV("");
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_credential_add(&act, &c, &id, err);
	if (st == YG_OK)
		st = yg_credential_find(l.db, "passkey", c.name, q->arena, &c, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 201);
	put_passkey(&j, &c);
	return YG_OK;
}

yg_status yg_r_me_passkey_change(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"label", YG_F_TEXT, YG_F_NEEDED, 0, YG_LABEL_MAX, NULL}};
	struct yg_value v[YG_LEN(fields)];
	yg_status st = begin_change(api, q, &l, err);
	if (st == YG_OK)
		st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	r->status = 204;
	st = yg_credential_relabel(&act, q->who.person, yg_param(q, "id"), v[0].text, err);
	return yg_lease_commit(&l, q, r, st, err);
}

yg_status yg_r_me_passkey_remove(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = begin_change(api, q, &l, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	r->status = 204;
	st = yg_credential_remove(&act, q->who.person, yg_param(q, "id"), err);
	return yg_lease_commit(&l, q, r, st, err);
}

/* --- password and one-time codes --- */

yg_status yg_r_me_password(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"password", YG_F_TEXT, YG_F_NEEDED, 1, 1024, NULL}};
	struct yg_value v[YG_LEN(fields)];
	struct yg_password_hash hash;
	yg_status st = begin(api, q, &l, err);
	if (st == YG_OK)
		st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st != YG_OK)
		return st;
	const char *fault = yg_password_fault(v[0].text, q->who.name);
	if (fault != NULL) {
		yg_request_error(q, "weak_password", YG_SV("/password"), "%s", fault);
		return YG_FAIL(err, YG_PARSE, "the body has errors");
	}
	st = yg_password_make(v[0].text, q->address_key, &hash, err);
	if (st != YG_OK)
		return st;
	struct yg_tx tx;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_tx_begin(&tx, l.db, err);
	if (st != YG_OK)
		return st;
	st = yg_password_set(&act, q->who.person, &hash, err);
	if (st == YG_OK) /* whoever knew the old one is out */
		st = yg_session_revoke_all(&act, q->who.person, q->who.id, err);
	st = yg_tx_end(&tx, st, err);
	sodium_memzero(&hash, sizeof hash);
	if (st == YG_OK)
		yg_rights_changed(api); /* the streams of those sessions */
	r->status = 204;
	return st;
}

yg_status yg_r_me_totp_offer(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	uint8_t secret[YG_TOTP_SECRET];
	char text[YG_TOTP_TEXT], uri[256];
	struct yg_sb t = yg_sb_init(text, sizeof text), u = yg_sb_init(uri, sizeof uri);
	yg_status st = begin(api, q, &l, err);
	if (st != YG_OK)
		return st;
	api->env->random(api->env->ctx, secret, sizeof secret);
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_totp_offer(&act, q->who.person, secret, err);
	if (st != YG_OK)
		return st;
	yg_totp_text(secret, &t);
	yg_totp_uri(secret, q->who.name, &u);
	struct yg_jo j = yg_answer(r, 201);
	yg_jo_begin(&j, '{');
	yg_jo_str(&j, "secret", yg_sb_sv(&t));
	yg_jo_str(&j, "uri", yg_sb_sv(&u));
	yg_jo_end(&j, '}');
	sodium_memzero(secret, sizeof secret);
	sodium_memzero(text, sizeof text);
	sodium_memzero(uri, sizeof uri);
	return YG_OK;
}

yg_status yg_r_me_totp_confirm(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			       struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {{"code", YG_F_TEXT, YG_F_NEEDED, 1, 16, NULL}};
	struct yg_value v[YG_LEN(fields)];
	yg_status st = begin(api, q, &l, err);
	if (st == YG_OK)
		st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_totp_confirm(&act, q->who.person, v[0].text, err);
	if (st == YG_UNAUTH) {
		yg_request_error(q, "wrong_code", YG_SV("/code"), "%s", err->msg);
		return YG_PARSE;
	}
	r->status = 204;
	return st;
}

yg_status yg_r_me_totp_remove(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			      struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_credential *list = NULL;
	size_t n = 0;
	yg_status st = begin_change(api, q, &l, err);
	if (st == YG_OK)
		st = yg_credential_list(l.db, q->who.person, "totp", q->arena, &list, &n, err);
	if (st == YG_OK && n == 0)
		return YG_FAIL(err, YG_NOTFOUND, "no one-time codes are set up");
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	r->status = 204;
	st = yg_credential_remove(&act, q->who.person, list[0].id, err);
	return yg_lease_commit(&l, q, r, st, err);
}

yg_status yg_r_me_recovery(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_recovery_codes codes;
	yg_status st = begin(api, q, &l, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_recovery_make(&act, q->who.person, &codes, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 201);
	yg_jo_begin(&j, '{');
	yg_put_recovery_codes(&j, &codes);
	yg_jo_end(&j, '}');
	sodium_memzero(&codes, sizeof codes);
	return YG_OK;
}

/* --- tokens of one's own --- */

yg_status yg_r_me_tokens(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_token *list = NULL;
	size_t n = 0;
	yg_status st = begin(api, q, &l, err);
	if (st == YG_OK)
		st = yg_token_list_person(l.db, q->who.person, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_answer_items(&j);
	for (size_t i = 0; i < n; i++)
		yg_put_token(&j, &list[i], NULL);
	return yg_answer_page(api, q, &j, NULL, err);
}

yg_status yg_r_me_token_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	YG_AUTO(yg_token_secret_wipe) struct yg_token_secret secret = {0};
	static const struct yg_field fields[] = {
		{"name", YG_F_TEXT, YG_F_NEEDED, 1, 64, NULL},
		{"scopes", YG_F_TEXTS, YG_F_NEEDED, 1, 32, NULL},
		{"expires_at", YG_F_TIME, YG_F_NEEDED, 0, 0, NULL},
		{"org", YG_F_TEXT, YG_F_NULL, 1, 63, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_token token;
	yg_status st = begin_change(api, q, &l, err);
	if (st == YG_OK)
		st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st != YG_OK)
		return st;
	if (v[2].number <= q->now.us || v[2].number > q->now.us + 366 * YG_US_PER_DAY)
		yg_request_error(q, "out_of_range", YG_SV("/expires_at"),
				 "expected a time within a year");
	for (size_t i = 0; i < v[1].text_count; i++) {
		char scope[40];
		struct yg_sb s = yg_sb_init(scope, sizeof scope);
		yg_sb_put(&s, v[1].texts[i]);
		if (!yg_who_may(&q->who, yg_sb_cstr(&s)))
			yg_request_error(q, "unknown_value", YG_SV("/scopes"),
					 "%s is not among what you may do", scope);
	}
	if (q->error_count > 0)
		return YG_FAIL(err, YG_PARSE, "the body has errors");
	if (v[3].given && !v[3].null)
		st = yg_scope_binds(q, l.db, v[1].texts, v[1].text_count, v[3].text, err);
	if (st != YG_OK)
		return st;
	struct yg_token_new n = {v[0].text,     v[3].text.p != NULL ? v[3].text : YG_SV(""),
				 v[1].texts,    v[1].text_count,
				 {v[2].number}, q->who.person};
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_token_add(&act, &n, q->arena, &token, &secret, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 201);
	yg_put_token(&j, &token, q->dry_run ? "" : secret.s); /* there is none to keep */
	return yg_lease_commit(&l, q, r, YG_OK, err);
}

yg_status yg_r_me_token_revoke(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			       struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_token token;
	yg_status st = begin_change(api, q, &l, err);
	if (st == YG_OK)
		st = yg_token_get(l.db, yg_param(q, "id"), q->arena, &token, err);
	if (st == YG_OK && !yg_sv_eq(token.person, q->who.person))
		return YG_FAIL(err, YG_NOTFOUND, "no such token");
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_token_revoke(&act, token.id, err);
	r->status = 204;
	st = yg_lease_commit(&l, q, r, st, err);
	if (st == YG_OK && !q->dry_run)
		yg_session_ended(api, token.id);
	return st;
}
