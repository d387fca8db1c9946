/* session.h - a person's signed-in browsers.  The cookie holds 256 random bits;
 * only their hash is kept.  A session ends when it was not used for a while, at
 * its latest time, or when it is revoked; what ended stays listed for a month.
 */
#pragma once
#include "base/arena.h"
#include "base/limits.h"
#include "org/act.h"
#include "org/person.h"

#define YG_SESSION_SECRET_TEXT 43 /* 32 bytes in base64url */
#define YG_STEP_UP_S           300
#define YG_SESSIONS_MAX        50 /* valid ones of one person; a further one ends the oldest */
#define YG_AGENT_MAX           200

struct yg_session_secret { /* wiped by yg_session_secret_wipe() */
	char s[YG_SESSION_SECRET_TEXT + 1];
};
void yg_session_secret_wipe(struct yg_session_secret *s); /* for YG_AUTO */

struct yg_session {
	struct yg_sv id; /* "s-..." */
	struct yg_sv person;
	struct yg_sv method; /* "password", "passkey", "recovery", "oidc", "enrolment" */
	struct yg_sv address, agent;
	yg_wall created, last_used, expires, step_up_until, revoked; /* us == 0: not */
};
struct yg_session_new {
	struct yg_sv person, method, address;
	struct yg_sv agent; /* what the browser calls itself; cut and cleaned here */
	yg_span absolute;   /* it lives at most this long */
};
/* Makes one, stepped up as it is fresh. */
yg_status yg_session_add(struct yg_act *act, const struct yg_session_new *n, struct yg_arena *arena,
			 struct yg_session *out, struct yg_session_secret *out_secret,
			 struct yg_err *err) YG_MUST_USE;
struct yg_session_use {
	yg_wall now;
	yg_span idle; /* without use it lives this long */
	bool touch;   /* counts as use (written at most once a minute) */
};
/* The valid session behind a presented secret, and its active person; else YG_UNAUTH. */
yg_status yg_session_check(struct yg_state *db, const struct yg_session_use *use,
			   struct yg_sv presented, struct yg_arena *arena, struct yg_session *out,
			   struct yg_person *out_person, struct yg_err *err) YG_MUST_USE;
yg_status yg_session_get(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
			 struct yg_session *out, struct yg_err *err);
yg_status yg_session_step_up(struct yg_act *act, struct yg_sv id, struct yg_sv method,
			     struct yg_err *err) YG_MUST_USE;
/* One of `person`; YG_NOTFOUND when it is not theirs.  Again is fine. */
yg_status yg_session_revoke(struct yg_act *act, struct yg_sv person, struct yg_sv id,
			    struct yg_err *err) YG_MUST_USE;
/* Every one but `except` (empty: none excepted). */
yg_status yg_session_revoke_all(struct yg_act *act, struct yg_sv person, struct yg_sv except,
				struct yg_err *err) YG_MUST_USE;
/* Those that are valid at `now`, newest first. */
yg_status yg_session_list(struct yg_state *db, struct yg_sv person, yg_wall now, yg_span idle,
			  struct yg_arena *arena, struct yg_session **out, size_t *out_n,
			  struct yg_err *err);
