/* token.h - secrets that collectors and programs sign in with.
 *
 * Form: yg_<kind>_<26 characters of its id>_<52 characters of 256 random bits>,
 * so that scanners for leaked secrets can know it.  Shown once; kept as a hash.
 * A token is bound to one organisation or to none (all), has scopes, may expire
 * and can be revoked.
 */
#pragma once
#include "base/arena.h"
#include "base/limits.h"
#include "org/act.h"
#include "org/reach.h"

#define YG_TOKEN_SECRET_MAX 112 /* with the NUL */
struct yg_token_secret {        /* wiped by yg_token_secret_wipe() */
	char s[YG_TOKEN_SECRET_MAX];
};
void yg_token_secret_wipe(struct yg_token_secret *s); /* for YG_AUTO */

struct yg_token {
	struct yg_sv id;   /* "t-..." */
	struct yg_sv kind; /* "collector" (delivers events) or "api" */
	struct yg_sv name; /* also the sensor name of what it delivers */
	struct yg_sv org;  /* empty: bound to none */
	struct yg_sv
		person; /* whose it is; empty: nobody's own.  It can do what they can, at most */
	struct yg_sv scopes; /* words with one blank between them */
	struct yg_sv prefix; /* "yg_collector_01ABC": what may be shown to recognise it by */
	struct yg_sv created_by;
	yg_wall created, expires, revoked, last_used; /* us == 0: never */
};
/* True when the token has the scope (revocation and expiry are yg_token_check's). */
bool yg_token_may(const struct yg_token *t, struct yg_sv scope);

struct yg_token_new {
	struct yg_sv name; /* 1..64 of A-Z a-z 0-9 . _ - */
	struct yg_sv org;  /* empty: none; must be given with events:write */
	const struct yg_sv *scopes;
	size_t scope_count;
	yg_wall expires;     /* us == 0: never */
	struct yg_sv person; /* whose own it is; empty: nobody's */
};
/* Makes one; *out_secret is the only place the secret will ever be. */
yg_status yg_token_add(struct yg_act *act, const struct yg_token_new *n, struct yg_arena *arena,
		       struct yg_token *out, struct yg_token_secret *out_secret,
		       struct yg_err *err) YG_MUST_USE;
/* The token behind a presented secret, when it is valid at `now`; else YG_UNAUTH.
 * Notes the use, at most once a minute.  Comparison takes constant time. */
yg_status yg_token_check(struct yg_state *db, yg_wall now, struct yg_sv presented,
			 struct yg_arena *arena, struct yg_token *out,
			 struct yg_err *err) YG_MUST_USE;
yg_status yg_token_get(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
		       struct yg_token *out, struct yg_err *err);
/* A person's own that were not revoked, newest first, at most YG_PAGE_MAX. */
yg_status yg_token_list_person(struct yg_state *db, struct yg_sv person, struct yg_arena *arena,
			       struct yg_token **out, size_t *out_n, struct yg_err *err);
/* Within reach, newest first, below id `before` (empty: from the newest). */
yg_status yg_token_list(struct yg_state *db, const struct yg_reach *reach, struct yg_sv before,
			uint32_t limit, struct yg_arena *arena, struct yg_token **out,
			size_t *out_n, struct yg_err *err);
/* From now on refused; again is fine. */
yg_status yg_token_revoke(struct yg_act *act, struct yg_sv id, struct yg_err *err) YG_MUST_USE;
/* All of a person's own. */
yg_status yg_token_revoke_person(struct yg_act *act, struct yg_sv person,
				 struct yg_err *err) YG_MUST_USE;
