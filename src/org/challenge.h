/* challenge.h - random challenges that need no memory until they are used.
 *
 * A challenge is 16 random bytes, the time it ends, and a tag under a key of
 * this process over both, its purpose and whom it is bound to.  So asking for
 * challenges, however often, costs nothing and pushes nobody else's out; only
 * one that was used with success is remembered, until it ends.  Any thread.
 */
#pragma once
#include "base/env.h"

#define YG_CHALLENGE_TEXT 54   /* 40 bytes in base64url */
#define YG_CHALLENGE_S    300  /* it works for this long */
#define YG_CHALLENGE_USED 4096 /* remembered at most; then YG_LIMIT until some end */

struct yg_challenges;
struct yg_challenges *yg_challenges_new(const struct yg_env *env); /* NULL: no memory */
void yg_challenges_free(struct yg_challenges *c);

/* purpose: "signin"; bound: whom it is for, or empty. */
void yg_challenge_make(struct yg_challenges *c, const char *purpose, struct yg_sv bound,
		       char out[static YG_CHALLENGE_TEXT + 1]);
/* Ours, for this, not over.  YG_UNAUTH else. */
yg_status yg_challenge_check(struct yg_challenges *c, const char *purpose, struct yg_sv bound,
			     struct yg_sv text, struct yg_err *err) YG_MUST_USE;
/* The same, and from now on it is used.  YG_UNAUTH: it was before. */
yg_status yg_challenge_use(struct yg_challenges *c, const char *purpose, struct yg_sv bound,
			   struct yg_sv text, struct yg_err *err) YG_MUST_USE;
