/* password.h - passwords: what is accepted, and Argon2id.
 *
 * Hashing takes YG_PASSWORD_MEMORY bytes for about a tenth of a second.  So
 * that many sign-ins at once cannot take all memory or all threads, at most
 * YG_PASSWORD_SLOTS hashes are made at a time, a few more callers wait, and
 * nobody has more than YG_PASSWORD_PER_KEY of these places at once: one address
 * cannot keep the others out.  Any thread.
 */
#pragma once
#include "base/sb.h"

#define YG_PASSWORD_MIN     12  /* characters */
#define YG_PASSWORD_MAX     256 /* bytes */
#define YG_PASSWORD_MEMORY  (48u << 20)
#define YG_PASSWORD_PASSES  3
#define YG_PASSWORD_SLOTS   2
#define YG_PASSWORD_WAITING 4 /* callers that wait for a slot; more: YG_LIMIT */
#define YG_PASSWORD_WAIT_MS 3000
#define YG_PASSWORD_PER_KEY 2

/* Why a password is not taken: a sentence for people in static storage; NULL: it
 * is fine.  Length counts, not composition; the commonest ones are refused:
 * repetition, runs on the keyboard or in the alphabet, common words with
 * decoration, and the login itself. */
const char *yg_password_fault(struct yg_sv password, struct yg_sv login);

struct yg_password_hash { /* "$argon2id$..." */
	char s[128];
};
/* YG_LIMIT: too many at once (key: who, see above); YG_NOMEM. */
yg_status yg_password_make(struct yg_sv password, uint64_t key, struct yg_password_hash *out,
			   struct yg_err *err) YG_MUST_USE;
/* *out_same: the password is the one behind `hash`.  An empty hash takes the
 * same time and is never the same. */
yg_status yg_password_check(struct yg_sv hash, struct yg_sv password, uint64_t key, bool *out_same,
			    struct yg_err *err) YG_MUST_USE;
