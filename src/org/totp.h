/* totp.h - one-time codes by time (RFC 6238: HMAC-SHA-1, 6 digits, 30 s) and
 * recovery codes.  Pure but for the hash libraries. */
#pragma once
#include "base/units.h"

#define YG_TOTP_SECRET   20
#define YG_TOTP_STEP_S   30
#define YG_TOTP_TEXT     32 /* the secret in base32 (RFC 4648) */
#define YG_RECOVERY_TEXT 19 /* "xxxx-xxxx-xxxx-xxxx": 80 bits */
#define YG_RECOVERY_N    10

/* The code of one step, as a number of `digits` digits (6 to 8). */
uint32_t yg_totp_code(const uint8_t secret[static YG_TOTP_SECRET], uint64_t step, unsigned digits);
/* Is `code` (six digits, blanks allowed) right at `now`, one step early or late
 * allowed, and later than step `last` (what was used before)?  *out_step: the
 * step it belongs to.  Every step is compared, in constant time. */
bool yg_totp_check(const uint8_t secret[static YG_TOTP_SECRET], yg_wall now, struct yg_sv code,
		   int64_t last, int64_t *out_step);
/* RFC 4648 base32 of the secret, for typing in. */
void yg_totp_text(const uint8_t secret[static YG_TOTP_SECRET], struct yg_sb *out);
/* otpauth://totp/Yagura:login?secret=...&issuer=Yagura */
void yg_totp_uri(const uint8_t secret[static YG_TOTP_SECRET], struct yg_sv login,
		 struct yg_sb *out);

/* 80 random bits as four groups of four characters without the confusable ones. */
void yg_recovery_text(const uint8_t random[static 10], struct yg_sb *out);
/* Capitals, blanks and hyphens are not counted; false: it cannot be one. */
bool yg_recovery_read(struct yg_sv typed, char out[static 17]);
