/* Somebody who has nothing to sign in with yet comes with a one-time code. */
#include <sodium.h>

#include "api/sign_in.h"
#include "org/audit_log.h"

static void check_ask(struct yg_request *q, const struct yg_enrol_try *t, const struct yg_enrol *e,
		      struct yg_sv login)
{
	int64_t step;
	if (!yg_login_ok(login))
		yg_request_error(q, "bad_name", YG_SV("/login"),
				 "expected a-z, 0-9 and . _ @ - inside, at most %d", YG_LOGIN_MAX);
	if (!yg_person_name_ok(t->name) && (e->person.n == 0 || t->name.n > 0))
		yg_request_error(q, "bad_name", YG_SV("/name"), "expected 1 to %d characters",
				 YG_PERSON_NAME_MAX);
	if (t->passkey != NULL && t->password.n == 0)
		return;
	const char *fault = yg_password_fault(t->password, login);
	if (fault != NULL)
		yg_request_error(q, "weak_password", YG_SV("/password"), "%s", fault);
	if (!yg_totp_check(e->totp, q->now, t->totp, 0, &step))
		yg_request_error(q, "wrong_code", YG_SV("/totp"),
				 "this is not the code the app shows now");
}

static yg_status drop_old(struct yg_act *act, struct yg_sv person, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(act->db, YG_SQL("DELETE FROM credential WHERE person = $1"),
					&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, person);
	st = yg_stmt_run(s, err);
	return st == YG_OK ? yg_session_revoke_all(act, person, YG_SV(""), err) : st;
}

static yg_status let_in(struct yg_act *act, const struct yg_enrol_try *t, const struct yg_enrol *e,
			const struct yg_person *invited, struct yg_id *out_id, struct yg_err *err)
{
	if (e->person.n == 0) {
		struct yg_person p = {.login = t->login,
				      .name = t->name,
				      .email = YG_SV_INIT(""),
				      .home = YG_SV_INIT(""),
				      .language = t->language,
				      .state = YG_SV_INIT("active")};
		yg_first_rights(&p);
		return yg_person_add(act, &p, out_id, err);
	}
	static const struct yg_sv active = YG_SV_INIT("active");
	struct yg_person_set set = {.state = &active};
	struct yg_sb b = yg_sb_init(out_id->s, sizeof out_id->s);
	yg_sb_put(&b, invited->id);
	(void)yg_sb_cstr(&b);
	if (t->name.n > 0)
		set.name = &t->name;
	if (t->language.n > 0)
		set.language = &t->language;
	yg_status st = drop_old(act, invited->id, err);
	return st == YG_OK ? yg_person_change(act, invited->id, YG_ANY_VERSION, &set, err) : st;
}

static yg_status write_all(struct yg_act *act, const struct yg_enrol_try *t,
			   const struct yg_enrol *e, const struct yg_person *invited,
			   const struct yg_password_hash *hash, struct yg_id *out_id,
			   struct yg_recovery_codes *codes, struct yg_err *err)
{
	struct yg_id key;
	yg_status st = yg_enrol_use(act, t->code, err);
	if (st == YG_OK)
		st = let_in(act, t, e, invited, out_id, err);
	struct yg_sv id = yg_id_sv(out_id);
	if (st == YG_OK && hash != NULL)
		st = yg_password_set(act, id, hash, err);
	if (st == YG_OK && hash != NULL)
		st = yg_totp_offer(act, id, e->totp, err);
	if (st == YG_OK && hash != NULL)
		st = yg_totp_confirm(act, id, t->totp, err);
	if (st == YG_OK && t->passkey != NULL) {
		struct yg_credential c = *t->passkey;
		c.person = id;
		st = yg_credential_add(act, &c, &key, err);
	}
	if (st == YG_OK)
		st = yg_recovery_make(act, id, codes, err);
	return st;
}

yg_status yg_enrol_finish(struct yg_api *api, struct yg_request *q, struct yg_state *db,
			  const struct yg_enrol_try *t, struct yg_enrolled *out, struct yg_err *err)
{
	struct yg_enrol e = {0};
	struct yg_person invited = {0};
	struct yg_password_hash hash = {{0}};
	struct yg_id id = {{0}};
	struct yg_tx tx;
	struct yg_act act = yg_act_make(db, api->env, YG_SV("enrolment"));
	bool password = t->passkey == NULL || t->password.n > 0;
	yg_status st = yg_enrol_get(&act, t->code, q->arena, &e, err);
	if (st == YG_OK && e.person.n > 0)
		st = yg_person_get(db, e.person, q->arena, &invited, err);
	if (st == YG_OK && YG_SV_IS(invited.state, "disabled"))
		st = YG_FAIL(err, YG_NOTFOUND, "the code is not valid");
	if (st != YG_OK)
		return st;
	check_ask(q, t, &e, e.person.n > 0 ? invited.login : t->login);
	if (q->error_count > 0)
		return YG_FAIL(err, YG_PARSE, "something is missing or wrong");
	if (password)
		st = yg_password_make(t->password, q->address_key, &hash, err);
	if (st == YG_OK)
		st = yg_tx_begin(&tx, db, err);
	if (st != YG_OK)
		return st;
	st = write_all(&act, t, &e, &invited, password ? &hash : NULL, &id, &out->codes, err);
	st = yg_tx_end(&tx, st, err);
	sodium_memzero(&hash, sizeof hash);
	if (st == YG_OK)
		yg_rights_changed(api); /* the streams of sessions that ended with it */
	return st == YG_OK ? yg_person_get(db, yg_id_sv(&id), q->arena, &out->person, err) : st;
}

void yg_put_recovery_codes(struct yg_jo *j, const struct yg_recovery_codes *codes)
{
	yg_jo_key(j, "recovery_codes");
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < YG_RECOVERY_N; i++)
		yg_jo_text(j, yg_sv_of(codes->s[i]));
	yg_jo_end(j, ']');
}
