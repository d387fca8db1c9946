/* enrol.h - one-time codes that let somebody in who has nothing to sign in with
 * yet: the first administrator at set-up, later everybody who is invited.
 *
 * A code is 160 random bits; its hash is kept, with the TOTP secret that is
 * offered to whoever comes with it.  It ends when it is used, when it expires,
 * and when a newer one for the same person is made.
 */
#pragma once
#include "base/arena.h"
#include "org/act.h"
#include "org/totp.h"

#define YG_ENROL_TEXT     32     /* 20 bytes in base32 */
#define YG_ENROL_SETUP_S  1800   /* the first set-up: 30 minutes */
#define YG_ENROL_PERSON_S 259200 /* an invitation: 72 hours */

struct yg_enrol_code {
	char s[YG_ENROL_TEXT + 1];
};
struct yg_enrol {
	struct yg_sv person; /* empty: the first set-up */
	uint8_t totp[YG_TOTP_SECRET];
	yg_wall expires;
};
/* person empty: a set-up code (YG_CONFLICT when there is an administrator). */
yg_status yg_enrol_add(struct yg_act *act, struct yg_sv person, struct yg_enrol_code *out,
		       yg_wall *out_expires, struct yg_err *err) YG_MUST_USE;
/* Codes of this person work no more. */
yg_status yg_enrol_drop(struct yg_act *act, struct yg_sv person, struct yg_err *err) YG_MUST_USE;
/* What a code is for.  YG_NOTFOUND: wrong, used or expired. */
yg_status yg_enrol_get(struct yg_act *act, struct yg_sv code, struct yg_arena *arena,
		       struct yg_enrol *out, struct yg_err *err);
/* Uses it up; in the caller's transaction.  YG_NOTFOUND as above. */
yg_status yg_enrol_use(struct yg_act *act, struct yg_sv code, struct yg_err *err) YG_MUST_USE;
