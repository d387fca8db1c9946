#include "org/enrol.h"

#include <sodium.h>

#include "org/audit_log.h"
#include "org/person.h"

/* The first 160 bits decide; small letters are taken too. */
static bool hash_code(struct yg_sv code, uint8_t out[static crypto_generichash_BYTES])
{
	static const unsigned char key[] = "yagura enrolment code, version 1";
	char text[YG_ENROL_TEXT];
	if (code.n != sizeof text)
		return false;
	for (size_t i = 0; i < sizeof text; i++) {
		char c = code.p[i];
		text[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	}
	(void)crypto_generichash(out, crypto_generichash_BYTES, (const unsigned char *)text,
				 sizeof text, key, sizeof key - 1);
	return true;
}

static yg_status forget(struct yg_act *act, struct yg_sv person, yg_wall now, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db, YG_SQL("DELETE FROM enrol WHERE person = $1 OR expires <= $2"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, person);
	yg_stmt_i64(s, 2, now.us);
	return yg_stmt_run(s, err);
}

static yg_status insert(struct yg_act *act, struct yg_sv person, struct yg_sv code, yg_wall now,
			yg_wall expires, struct yg_err *err)
{
	uint8_t hash[crypto_generichash_BYTES], totp[YG_TOTP_SECRET];
	struct yg_stmt *s = NULL;
	(void)hash_code(code, hash);
	act->env->random(act->env->ctx, totp, sizeof totp);
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO enrol (hash, person, secret, created, created_by, expires)"
		       " VALUES ($1, $2, $3, $4, $5, $6)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_blob(s, 1, (struct yg_sv){(const char *)hash, sizeof hash});
	yg_stmt_text(s, 2, person);
	yg_stmt_blob(s, 3, (struct yg_sv){(const char *)totp, sizeof totp});
	yg_stmt_i64(s, 4, now.us);
	yg_stmt_text(s, 5, act->who);
	yg_stmt_i64(s, 6, expires.us);
	return yg_stmt_run(s, err);
}

yg_status yg_enrol_drop(struct yg_act *act, struct yg_sv person, struct yg_err *err)
{
	return forget(act, person, yg_env_wall(act->env), err);
}

static yg_status may_set_up(const struct yg_act *act, struct yg_err *err)
{
	int64_t n = 0;
	yg_status st = yg_person_administrators(act->db, yg_env_wall(act->env), &n, err);
	if (st == YG_OK && n > 0)
		return YG_FAIL(err, YG_CONFLICT, "there is an administrator already");
	return st;
}

yg_status yg_enrol_add(struct yg_act *act, struct yg_sv person, struct yg_enrol_code *out,
		       yg_wall *out_expires, struct yg_err *err)
{
	uint8_t random[20];
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_tx tx;
	yg_wall now = yg_env_wall(act->env);
	int64_t lasts = person.n > 0 ? YG_ENROL_PERSON_S : YG_ENROL_SETUP_S;
	out_expires->us = now.us + lasts * YG_US_PER_S;
	act->env->random(act->env->ctx, random, sizeof random);
	struct yg_sb b = yg_sb_init(out->s, sizeof out->s);
	yg_sb_base32(&b, random, sizeof random);
	(void)yg_sb_cstr(&b);
	yg_detail_init(&d);
	(void)yg_detail_time(&d, "expires", 0, out_expires->us);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	if (person.n == 0)
		st = may_set_up(act, err);
	if (st == YG_OK)
		st = forget(act, person, now, err);
	if (st == YG_OK)
		st = insert(act, person, yg_sb_sv(&b), now, *out_expires, err);
	if (st == YG_OK)
		st = yg_audit_add(act, "enrolment.add", person.n > 0 ? person : YG_SV("set-up"),
				  YG_SV(""), &d, err);
	return yg_tx_end(&tx, st, err);
}

yg_status yg_enrol_get(struct yg_act *act, struct yg_sv code, struct yg_arena *arena,
		       struct yg_enrol *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	uint8_t hash[crypto_generichash_BYTES];
	bool row = false;
	if (!hash_code(code, hash))
		return YG_FAIL(err, YG_NOTFOUND, "the code is not valid");
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("SELECT person, secret, expires FROM enrol WHERE hash = $1 AND expires > $2"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_blob(s, 1, (struct yg_sv){(const char *)hash, sizeof hash});
	yg_stmt_i64(s, 2, yg_env_wall(act->env).us);
	st = yg_stmt_step(s, &row, err);
	if (st != YG_OK)
		return st;
	if (!row || yg_col_text(s, 1).n != sizeof out->totp)
		return YG_FAIL(err, YG_NOTFOUND, "the code is not valid");
	out->person = yg_arena_dup(arena, yg_col_text(s, 0));
	memcpy(out->totp, yg_col_text(s, 1).p, sizeof out->totp);
	out->expires.us = yg_col_i64(s, 2);
	yg_stmt_reset(s);
	if (out->person.p == NULL)
		return YG_FAIL(err, YG_NOMEM, "enrolment");
	return out->person.n == 0 ? may_set_up(act, err) : YG_OK;
}

yg_status yg_enrol_use(struct yg_act *act, struct yg_sv code, struct yg_err *err)
{
	uint8_t hash[crypto_generichash_BYTES];
	struct yg_stmt *s = NULL;
	if (!hash_code(code, hash))
		return YG_FAIL(err, YG_NOTFOUND, "the code is not valid");
	yg_status st = yg_state_prepare(
		act->db, YG_SQL("DELETE FROM enrol WHERE hash = $1 AND expires > $2"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_blob(s, 1, (struct yg_sv){(const char *)hash, sizeof hash});
	yg_stmt_i64(s, 2, yg_env_wall(act->env).us);
	st = yg_stmt_run(s, err);
	if (st == YG_OK && yg_state_changes(act->db) != 1)
		return YG_FAIL(err, YG_NOTFOUND, "the code is not valid");
	return st;
}
