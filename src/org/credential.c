#include "org/credential.h"

#include <sodium.h>

#include "org/audit_log.h"

#define COLUMNS "id, person, kind, name, data, label, counter, created, last_used"

static yg_status take(struct yg_stmt *s, struct yg_arena *arena, struct yg_credential *c,
		      struct yg_err *err)
{
	struct yg_sv *text[] = {&c->id, &c->person, &c->kind, &c->name, &c->data, &c->label};
	for (size_t i = 0; i < YG_LEN(text); i++) {
		*text[i] = yg_arena_dup(arena, yg_col_text(s, (int)i));
		if (text[i]->p == NULL)
			return YG_FAIL(err, YG_NOMEM, "credential");
	}
	c->counter = yg_col_i64(s, 6);
	c->created.us = yg_col_i64(s, 7);
	c->last_used.us = yg_col_i64(s, 8);
	return YG_OK;
}

yg_status yg_credential_find(struct yg_state *db, const char *kind, struct yg_sv name,
			     struct yg_arena *arena, struct yg_credential *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(db,
					YG_SQL("SELECT " COLUMNS " FROM credential"
					       " WHERE kind = $1 AND name = $2 AND pending = 0"),
					&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, yg_sv_of(kind));
	yg_stmt_text(s, 2, name);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such credential");
	*out = (struct yg_credential){0};
	return st == YG_OK ? take(s, arena, out, err) : st;
}

yg_status yg_credential_list(struct yg_state *db, struct yg_sv person, const char *kind,
			     struct yg_arena *arena, struct yg_credential **out, size_t *out_n,
			     struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_credential *list = YG_NEW_N(arena, struct yg_credential, YG_CREDENTIALS_MAX);
	if (list == NULL)
		return YG_FAIL(err, YG_NOMEM, "credentials");
	yg_status st = yg_state_prepare(db,
					YG_SQL("SELECT " COLUMNS
					       " FROM credential WHERE person = $1 AND kind = $2"
					       " AND pending = 0 ORDER BY id LIMIT $3"),
					&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, person);
	yg_stmt_text(s, 2, yg_sv_of(kind));
	yg_stmt_i64(s, 3, YG_CREDENTIALS_MAX);
	size_t n = 0;
	bool row = true;
	while (n < YG_CREDENTIALS_MAX && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		st = take(s, arena, &list[n++], err);
		if (st != YG_OK)
			return st;
	}
	*out = list;
	*out_n = n;
	return st;
}

yg_status yg_credential_count(struct yg_state *db, struct yg_sv person,
			      struct yg_credential_counts *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	*out = (struct yg_credential_counts){0};
	yg_status st = yg_state_prepare(db,
					YG_SQL("SELECT kind, count(*) FROM credential"
					       " WHERE person = $1 AND pending = 0 GROUP BY kind"),
					&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, person);
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		const struct {
			const char *kind;
			int64_t *to;
		} kinds[] = {{"password", &out->passwords},
			     {"totp", &out->totps},
			     {"passkey", &out->passkeys},
			     {"recovery", &out->recovery_codes},
			     {"oidc", &out->identities}};
		for (size_t i = 0; i < YG_LEN(kinds); i++)
			if (yg_sv_eq(yg_col_text(s, 0), yg_sv_of(kinds[i].kind)))
				*kinds[i].to = yg_col_i64(s, 1);
	}
	return st;
}

/* --- changes, each inside a transaction of the caller --- */

static yg_status insert(struct yg_act *act, const struct yg_credential *c, bool pending,
			struct yg_id *out_id, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	*out_id = yg_id_new(&act->ids, act->env, "k");
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO credential (id, person, kind, name, data, label, pending, counter, created)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, yg_id_sv(out_id));
	yg_stmt_text(s, 2, c->person);
	yg_stmt_text(s, 3, c->kind);
	yg_stmt_text(s, 4, c->name);
	yg_stmt_blob(s, 5, c->data);
	yg_stmt_text(s, 6, c->label);
	yg_stmt_i64(s, 7, pending);
	yg_stmt_i64(s, 8, c->counter);
	yg_stmt_i64(s, 9, yg_env_wall(act->env).us);
	return yg_stmt_run(s, err);
}

static yg_status drop(struct yg_act *act, struct yg_sv person, const char *kind, bool pending,
		      struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(act->db,
					YG_SQL("DELETE FROM credential"
					       " WHERE person = $1 AND kind = $2 AND pending = $3"),
					&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, person);
	yg_stmt_text(s, 2, yg_sv_of(kind));
	yg_stmt_i64(s, 3, pending);
	return yg_stmt_run(s, err);
}

static yg_status audit(struct yg_act *act, const char *action, struct yg_sv person,
		       struct yg_sv kind, struct yg_sv id, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	yg_detail_init(&d);
	yg_detail_note(&d, "kind", kind);
	if (id.n > 0)
		yg_detail_note(&d, "credential", id);
	return yg_audit_add(act, action, person, YG_SV(""), &d, err);
}

yg_status yg_credential_add(struct yg_act *act, const struct yg_credential *c, struct yg_id *out_id,
			    struct yg_err *err)
{
	struct yg_credential_counts n;
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_credential_count(act->db, c->person, &n, err);
	if (st == YG_OK && (n.passkeys >= YG_CREDENTIALS_MAX || n.identities >= YG_CREDENTIALS_MAX))
		st = YG_FAIL(err, YG_LIMIT, "at most %d of a kind", YG_CREDENTIALS_MAX);
	if (st == YG_OK)
		st = insert(act, c, false, out_id, err);
	if (st == YG_CONFLICT)
		st = YG_FAIL(err, YG_CONFLICT, "this credential is registered already");
	if (st == YG_OK)
		st = audit(act, "credential.add", c->person, c->kind, yg_id_sv(out_id), err);
	return yg_tx_end(&tx, st, err);
}

static yg_status get_own(struct yg_act *act, struct yg_sv person, struct yg_sv id,
			 struct yg_arena *arena, struct yg_credential *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		act->db, YG_SQL("SELECT " COLUMNS " FROM credential WHERE id = $1 AND person = $2"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	yg_stmt_text(s, 2, person);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such credential");
	return st == YG_OK ? take(s, arena, out, err) : st;
}

static yg_status relabel(struct yg_act *act, struct yg_sv person, struct yg_sv id,
			 struct yg_sv label, struct yg_arena *arena, struct yg_err *err)
{
	struct yg_credential c = {0};
	struct yg_stmt *s = NULL;
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	yg_detail_init(&d);
	yg_status st = get_own(act, person, id, arena, &c, err);
	if (st != YG_OK)
		return st;
	yg_detail_note(&d, "credential", id);
	(void)yg_detail_text(&d, "label", c.label, label);
	st = yg_state_prepare(act->db, YG_SQL("UPDATE credential SET label = $2 WHERE id = $1"), &s,
			      err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	yg_stmt_text(s, 2, label);
	st = yg_stmt_run(s, err);
	return st == YG_OK ? yg_audit_add(act, "credential.update", person, YG_SV(""), &d, err)
			   : st;
}

yg_status yg_credential_relabel(struct yg_act *act, struct yg_sv person, struct yg_sv id,
				struct yg_sv label, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_tx tx;
	yg_arena_init(&arena, 65536);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, relabel(act, person, id, label, &arena, err), err) : st;
}

static yg_status remove_one(struct yg_act *act, struct yg_sv person, struct yg_sv id,
			    struct yg_arena *arena, struct yg_err *err)
{
	struct yg_credential c = {0};
	struct yg_credential_counts n;
	struct yg_stmt *s = NULL;
	yg_status st = get_own(act, person, id, arena, &c, err);
	if (st == YG_OK)
		st = yg_state_prepare(act->db, YG_SQL("DELETE FROM credential WHERE id = $1"), &s,
				      err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	st = yg_stmt_run(s, err);
	if (st == YG_OK)
		st = yg_credential_count(act->db, person, &n, err);
	if (st == YG_OK && !yg_credential_enough(&n))
		return YG_FAIL(err, YG_CONFLICT,
			       "this is the last way to sign in: add another passkey, or a password"
			       " with one-time codes, before");
	return st == YG_OK ? audit(act, "credential.remove", person, c.kind, id, err) : st;
}

yg_status yg_credential_remove(struct yg_act *act, struct yg_sv person, struct yg_sv id,
			       struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_tx tx;
	yg_arena_init(&arena, 65536);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, remove_one(act, person, id, &arena, err), err) : st;
}

static yg_status touch(struct yg_act *act, struct yg_sv id, int64_t counter, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db, YG_SQL("UPDATE credential SET counter = $2, last_used = $3 WHERE id = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	yg_stmt_i64(s, 2, counter);
	yg_stmt_i64(s, 3, yg_env_wall(act->env).us);
	return yg_stmt_run(s, err);
}

yg_status yg_credential_used(struct yg_act *act, const struct yg_credential *c, int64_t counter,
			     struct yg_err *err)
{
	struct yg_tx tx;
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	/* authenticators without a counter send zero for ever (WebAuthn 6.1.1) */
	bool back = (counter != 0 || c->counter != 0) && counter <= c->counter;
	yg_detail_init(&d);
	yg_detail_note(&d, "credential", c->id);
	(void)yg_detail_i64(&d, "counter", c->counter, counter);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = touch(act, c->id, YG_MAX(counter, c->counter), err);
	if (st == YG_OK && back)
		st = yg_audit_add(act, "credential.counter", c->person, YG_SV(""), &d, err);
	return yg_tx_end(&tx, st, err);
}

/* --- password --- */

yg_status yg_password_set(struct yg_act *act, struct yg_sv person,
			  const struct yg_password_hash *hash, struct yg_err *err)
{
	struct yg_tx tx;
	struct yg_id id;
	struct yg_credential c = {.person = person,
				  .kind = YG_SV_INIT("password"),
				  .name = person,
				  .data = yg_sv_of(hash->s),
				  .label = YG_SV_INIT("")};
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = drop(act, person, "password", false, err);
	if (st == YG_OK)
		st = insert(act, &c, false, &id, err);
	if (st == YG_OK)
		st = audit(act, "credential.set", person, c.kind, YG_SV(""), err);
	return yg_tx_end(&tx, st, err);
}

/* --- one-time codes --- */

yg_status yg_totp_offer(struct yg_act *act, struct yg_sv person,
			const uint8_t secret[static YG_TOTP_SECRET], struct yg_err *err)
{
	struct yg_tx tx;
	struct yg_id id;
	struct yg_credential c = {.person = person,
				  .kind = YG_SV_INIT("totp"),
				  .name = person,
				  .data = {(const char *)secret, YG_TOTP_SECRET},
				  .label = YG_SV_INIT("")};
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = drop(act, person, "totp", true, err);
	if (st == YG_OK)
		st = insert(act, &c, true, &id, err);
	return yg_tx_end(&tx, st, err);
}

/* Checks a code and moves the counter past its step, in one statement that only
 * one of two at the same moment can win. */
static yg_status use_code(struct yg_act *act, struct yg_sv person, bool pending, struct yg_sv code,
			  struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_stmt *up = NULL;
	uint8_t secret[YG_TOTP_SECRET];
	bool row = false;
	int64_t step = 0;
	yg_wall now = yg_env_wall(act->env);
	yg_status st =
		yg_state_prepare(act->db,
				 YG_SQL("SELECT data, counter FROM credential"
					" WHERE kind = 'totp' AND name = $1 AND pending = $2"),
				 &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, person);
	yg_stmt_i64(s, 2, pending);
	st = yg_stmt_step(s, &row, err);
	if (st != YG_OK)
		return st;
	struct yg_sv data = row ? yg_col_text(s, 0) : YG_SV("");
	if (data.n != sizeof secret)
		return YG_FAIL(err, YG_NOTFOUND, "no one-time codes are set up");
	memcpy(secret, data.p, sizeof secret);
	bool good = yg_totp_check(secret, now, code, yg_col_i64(s, 1), &step);
	sodium_memzero(secret, sizeof secret);
	yg_stmt_reset(s);
	if (!good)
		return YG_FAIL(err, YG_UNAUTH, "the code is wrong or was used");
	st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE credential SET counter = $3, last_used = $4, pending = 0"
		       " WHERE kind = 'totp' AND name = $1 AND pending = $2 AND counter < $3"),
		&up, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(up, 1, person);
	yg_stmt_i64(up, 2, pending);
	yg_stmt_i64(up, 3, step);
	yg_stmt_i64(up, 4, now.us);
	st = yg_stmt_run(up, err);
	if (st == YG_OK && yg_state_changes(act->db) != 1)
		return YG_FAIL(err, YG_UNAUTH, "the code was used");
	return st;
}

static yg_status confirm(struct yg_act *act, struct yg_sv person, struct yg_sv code,
			 struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(act->db,
					YG_SQL("SELECT 1 FROM credential WHERE kind = 'totp'"
					       " AND name = $1 AND pending = 1"),
					&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, person);
	st = yg_stmt_step(s, &row, err);
	yg_stmt_reset(s);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no secret waits for its first code");
	if (st == YG_OK) /* the one before makes way; a wrong code rolls that back */
		st = drop(act, person, "totp", false, err);
	if (st == YG_OK)
		st = use_code(act, person, true, code, err);
	return st == YG_OK ? audit(act, "credential.set", person, YG_SV("totp"), YG_SV(""), err)
			   : st;
}

yg_status yg_totp_confirm(struct yg_act *act, struct yg_sv person, struct yg_sv code,
			  struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, confirm(act, person, code, err), err) : st;
}

yg_status yg_totp_use(struct yg_act *act, struct yg_sv person, struct yg_sv code,
		      struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, use_code(act, person, false, code, err), err) : st;
}

/* --- recovery codes --- */

static void hash_code(struct yg_sv person, struct yg_sv code, struct yg_sb *out)
{
	static const unsigned char key[] = "yagura recovery code, version 1";
	crypto_generichash_state h;
	uint8_t hash[crypto_generichash_BYTES];
	(void)crypto_generichash_init(&h, key, sizeof key - 1, sizeof hash);
	(void)crypto_generichash_update(&h, (const unsigned char *)person.p, person.n);
	(void)crypto_generichash_update(&h, (const unsigned char *)" ", 1);
	(void)crypto_generichash_update(&h, (const unsigned char *)code.p, code.n);
	(void)crypto_generichash_final(&h, hash, sizeof hash);
	yg_sb_hex(out, hash, sizeof hash);
}

static yg_status add_codes(struct yg_act *act, struct yg_sv person, struct yg_recovery_codes *out,
			   struct yg_err *err)
{
	yg_status st = drop(act, person, "recovery", false, err);
	for (size_t i = 0; st == YG_OK && i < YG_RECOVERY_N; i++) {
		uint8_t random[10];
		char hash[2 * crypto_generichash_BYTES], plain[17];
		struct yg_id id;
		struct yg_sb text = yg_sb_init(out->s[i], sizeof out->s[i]);
		struct yg_sb b = yg_sb_init(hash, sizeof hash);
		act->env->random(act->env->ctx, random, sizeof random);
		yg_recovery_text(random, &text);
		(void)yg_sb_cstr(&text);
		(void)yg_recovery_read(yg_sv_of(out->s[i]), plain);
		hash_code(person, yg_sv_of(plain), &b);
		struct yg_credential c = {.person = person,
					  .kind = YG_SV_INIT("recovery"),
					  .name = yg_sb_sv(&b),
					  .data = YG_SV_INIT(""),
					  .label = YG_SV_INIT("")};
		st = insert(act, &c, false, &id, err);
	}
	return st == YG_OK ? audit(act, "credential.set", person, YG_SV("recovery"), YG_SV(""), err)
			   : st;
}

yg_status yg_recovery_make(struct yg_act *act, struct yg_sv person, struct yg_recovery_codes *out,
			   struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, add_codes(act, person, out, err), err) : st;
}

yg_status yg_recovery_use(struct yg_act *act, struct yg_sv person, struct yg_sv typed,
			  struct yg_err *err)
{
	char plain[17], hash[2 * crypto_generichash_BYTES];
	struct yg_sb b = yg_sb_init(hash, sizeof hash);
	struct yg_stmt *s = NULL;
	struct yg_tx tx;
	if (!yg_recovery_read(typed, plain))
		return YG_FAIL(err, YG_UNAUTH, "the code is wrong or was used");
	hash_code(person, yg_sv_of(plain), &b);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_state_prepare(act->db,
			      YG_SQL("DELETE FROM credential WHERE kind = 'recovery' AND name = $2"
				     " AND person = $1"),
			      &s, err);
	if (st == YG_OK) {
		yg_stmt_text(s, 1, person);
		yg_stmt_text(s, 2, yg_sb_sv(&b));
		st = yg_stmt_run(s, err);
	}
	if (st == YG_OK && yg_state_changes(act->db) != 1)
		st = YG_FAIL(err, YG_UNAUTH, "the code is wrong or was used");
	if (st == YG_OK)
		st = audit(act, "credential.used", person, YG_SV("recovery"), YG_SV(""), err);
	return yg_tx_end(&tx, st, err);
}
