/* credential.h - what a person signs in with: one password, one TOTP secret,
 * passkeys, recovery codes, identities at OpenID Connect providers.
 *
 * A password alone is enough only until a second factor is set: from then on a
 * one-time code or a recovery code is needed with it (yg_credential_counts).
 */
#pragma once
#include "base/arena.h"
#include "base/limits.h"
#include "org/act.h"
#include "org/password.h"
#include "org/totp.h"

#define YG_CREDENTIALS_MAX 64 /* of one person and kind; more: YG_LIMIT */
#define YG_LABEL_MAX       64 /* bytes of a passkey's label */

struct yg_credential {
	struct yg_sv id; /* "k-..." */
	struct yg_sv person, kind, name, data, label;
	int64_t counter;
	yg_wall created, last_used; /* us == 0: never */
};
/* The one of this kind and name; YG_NOTFOUND. */
yg_status yg_credential_find(struct yg_state *db, const char *kind, struct yg_sv name,
			     struct yg_arena *arena, struct yg_credential *out, struct yg_err *err);
/* A person's own of one kind, oldest first. */
yg_status yg_credential_list(struct yg_state *db, struct yg_sv person, const char *kind,
			     struct yg_arena *arena, struct yg_credential **out, size_t *out_n,
			     struct yg_err *err);
struct yg_credential_counts {
	int64_t passwords, totps, passkeys, recovery_codes, identities;
};
yg_status yg_credential_count(struct yg_state *db, struct yg_sv person,
			      struct yg_credential_counts *out, struct yg_err *err);
/* Can somebody with these sign in in a way that takes more than a password? */
static inline bool yg_credential_enough(const struct yg_credential_counts *c)
{
	return c->passkeys > 0 || c->identities > 0 || (c->passwords > 0 && c->totps > 0);
}

/* Adds a passkey or an identity (kind, name, data, label, counter of `c`).
 * YG_CONFLICT: the name is taken; YG_LIMIT. */
yg_status yg_credential_add(struct yg_act *act, const struct yg_credential *c, struct yg_id *out_id,
			    struct yg_err *err) YG_MUST_USE;
yg_status yg_credential_relabel(struct yg_act *act, struct yg_sv person, struct yg_sv id,
				struct yg_sv label, struct yg_err *err) YG_MUST_USE;
/* YG_NOTFOUND not theirs; YG_CONFLICT it is the last one that is enough. */
yg_status yg_credential_remove(struct yg_act *act, struct yg_sv person, struct yg_sv id,
			       struct yg_err *err) YG_MUST_USE;
/* Notes the use of a passkey and its counter; one that did not rise when it
 * should have is noted in the audit log ("credential.counter"). */
yg_status yg_credential_used(struct yg_act *act, const struct yg_credential *c, int64_t counter,
			     struct yg_err *err) YG_MUST_USE;

yg_status yg_password_set(struct yg_act *act, struct yg_sv person,
			  const struct yg_password_hash *hash, struct yg_err *err) YG_MUST_USE;

/* A new secret that waits for its first code. */
yg_status yg_totp_offer(struct yg_act *act, struct yg_sv person,
			const uint8_t secret[static YG_TOTP_SECRET],
			struct yg_err *err) YG_MUST_USE;
/* The first code makes the waiting secret the one that counts.  YG_NOTFOUND
 * nothing waits; YG_UNAUTH the code is wrong. */
yg_status yg_totp_confirm(struct yg_act *act, struct yg_sv person, struct yg_sv code,
			  struct yg_err *err) YG_MUST_USE;
/* Uses a code up: it is never right again.  YG_UNAUTH: wrong or used. */
yg_status yg_totp_use(struct yg_act *act, struct yg_sv person, struct yg_sv code,
		      struct yg_err *err) YG_MUST_USE;

struct yg_recovery_codes {
	char s[YG_RECOVERY_N][YG_RECOVERY_TEXT + 1];
};
/* Ten new ones; those before end.  Shown once. */
yg_status yg_recovery_make(struct yg_act *act, struct yg_sv person, struct yg_recovery_codes *out,
			   struct yg_err *err) YG_MUST_USE;
/* Uses one up.  YG_UNAUTH: none of theirs. */
yg_status yg_recovery_use(struct yg_act *act, struct yg_sv person, struct yg_sv typed,
			  struct yg_err *err) YG_MUST_USE;
