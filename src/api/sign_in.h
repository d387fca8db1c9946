/* sign_in.h - from a proof to a session, for the JSON routes and for the plain
 * pages alike; and what a person's session or token may do. */
#pragma once
#include "api/api.h"
#include "api/body.h"
#include "org/challenge.h"
#include "org/credential.h"
#include "org/enrol.h"
#include "org/session.h"

#define YG_COOKIE "__Host-yagura"

struct yg_sign_in; /* what is counted against guessing */
struct yg_sign_in *yg_sign_in_new(const struct yg_env *env);
void yg_sign_in_free(struct yg_sign_in *s);

struct yg_password_try {
	struct yg_sv login, password;
	struct yg_sv totp, recovery_code; /* empty: not given */
};
struct yg_challenges *yg_sign_in_challenges(struct yg_api *api);

/* Whose password, with its second factor, this is; *out_method: "password" or
 * "recovery" (static).  Every way of being wrong is the same YG_UNAUTH after the
 * same work; YG_LIMIT with r->retry_after_s: too many tries. */
yg_status yg_password_proof(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_state *db, const struct yg_password_try *t,
			    struct yg_person *out, const char **out_method, struct yg_err *err);
/* Begins a session and sets its cookie. */
yg_status yg_session_begin(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_state *db, const struct yg_person *p, const char *method,
			   struct yg_session *out, struct yg_err *err);
/* Takes the cookie away. */
void yg_session_forget_cookie(struct yg_request *q, struct yg_response *r);
/* The session of `id` ended: its live streams end too. */
void yg_session_ended(struct yg_api *api, struct yg_sv id);
/* The request is one of a browser on another site (or cannot be told not to be,
 * while it carries a cookie): YG_DENIED. */
yg_status yg_same_site(const struct yg_request *q, struct yg_response *r, bool cookie,
		       struct yg_err *err);
/* The machine, or a session whose person proved themselves in the last five minutes;
 * never a token: YG_DENIED, problem "step-up-needed". */
yg_status yg_need_step_up(const struct yg_request *q, struct yg_response *r, struct yg_err *err);
/* A person with a session, not a token: YG_DENIED else. */
yg_status yg_need_session(const struct yg_request *q, struct yg_err *err);

/* passkey.c: JSON for navigator.credentials.get() and create(), as the members
 * "challenge_id" and "publicKey".  YG_CONFLICT: the site has no name, only an
 * address, and browsers have no passkeys there. */
yg_status yg_put_passkey_get(struct yg_api *api, struct yg_request *q, struct yg_jo *j,
			     struct yg_err *err);
struct yg_passkey_user {
	struct yg_sv id, login, name; /* id: empty for a new person */
	struct yg_sv bound;           /* the person's id, or the code they come with */
	const struct yg_credential *have;
	size_t have_count;
};
yg_status yg_put_passkey_create(struct yg_api *api, struct yg_request *q, struct yg_jo *j,
				const struct yg_passkey_user *u, struct yg_err *err);
/* Whose passkey signed the challenge of yg_put_passkey_get().  `credential` is the
 * node of that member in the body. */
yg_status yg_passkey_proof(struct yg_api *api, struct yg_request *q, struct yg_state *db,
			   struct yg_body *b, struct yg_sv challenge_id, uint32_t credential,
			   struct yg_person *out, struct yg_err *err);
/* A new passkey for who the challenge is bound to; kind, name, data and counter of
 * *out are filled, all in q's arena. */
yg_status yg_passkey_new(struct yg_api *api, struct yg_request *q, struct yg_body *b,
			 struct yg_sv bound, struct yg_sv challenge_id, uint32_t credential,
			 struct yg_credential *out, struct yg_err *err);

/* routes_approval.c: does this take a second person?  Then YG_DENIED, problem
 * "approval-needed".  It binds everybody but the machine, while there are two
 * administrators. */
struct yg_act yg_person_act(const struct yg_request *q, struct yg_api *api, struct yg_state *db,
			    char buf[static 48]);
/* Somebody asks, or the machine: YG_DENIED for a token that is nobody's own. */
yg_status yg_may_ask_another(const struct yg_request *q, struct yg_err *err);
struct yg_allow_new;
/* An allow entry that holds for all is to be decided on by another person: asked for,
 * committed, told of, and answered with 202 and the request.  YG_PARSE: the value, or a too long reason;
 * YG_DENIED: as above. */
yg_status yg_approval_ask_allow(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				struct yg_lease *l, const struct yg_allow_new *n,
				struct yg_err *err);
/* Are there two to decide? */
yg_status yg_takes_two(const struct yg_request *q, struct yg_state *db, bool *out,
		       struct yg_err *err);
yg_status yg_approval_needed(const struct yg_request *q, struct yg_response *r, struct yg_state *db,
			     struct yg_err *err);
/* An allow entry of that organisation, or of none: for all, and on a centre's node for all that
 * is below it.  As above. */
yg_status yg_allow_needed(const struct yg_request *q, struct yg_response *r, struct yg_state *db,
			  struct yg_sv org, struct yg_err *err);
/* An administrator is to be one no more: YG_CONFLICT when nobody would be left to let
 * others in, else as above. */
yg_status yg_may_lose_administrator(const struct yg_request *q, struct yg_response *r,
				    struct yg_state *db, struct yg_sv person, struct yg_err *err);
/* routes_people.c */
struct yg_grant;
/* Does the caller hold every scope of the role on that node, or system?  YG_DENIED. */
yg_status yg_may_give(struct yg_request *q, struct yg_state *db, const struct yg_grant *g,
		      struct yg_err *err);
/* Organisations that the caller may not see are not named. */
void yg_put_person(struct yg_jo *j, const struct yg_request *q, const struct yg_person *p,
		   bool may_change);
yg_status yg_answer_sessions(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_state *db, struct yg_sv person, struct yg_err *err);
/* A sign-in that failed, for the audit log. */
void yg_sign_in_refused(struct yg_api *api, const struct yg_request *q, struct yg_state *db,
			struct yg_sv login, const char *method);

/* What a new or invited person chooses; empty: not given. */
struct yg_enrol_try {
	struct yg_sv code, login, name, language, password, totp;
	const struct yg_credential *passkey; /* verified; its person is set here; NULL: none */
};
struct yg_enrolled {
	struct yg_person person;
	struct yg_recovery_codes codes;
};
/* Uses the code up, makes the person or lets them in, with a passkey or a
 * password and TOTP, and ten recovery codes.  Faults are noted in q by their
 * pointers (YG_PARSE); YG_NOTFOUND: the code is not valid. */
yg_status yg_enrol_finish(struct yg_api *api, struct yg_request *q, struct yg_state *db,
			  const struct yg_enrol_try *t, struct yg_enrolled *out,
			  struct yg_err *err);

/* The member "recovery_codes", shown once. */
void yg_put_recovery_codes(struct yg_jo *j, const struct yg_recovery_codes *codes);

/* rights.c: fills w->rights and w->scopes with what w->person may do. */
yg_status yg_who_rights(struct yg_request *q, struct yg_state *db, struct yg_err *err);
/* rights.c: the members "permissions" and "roles" of the session document. */
yg_status yg_put_rights(struct yg_jo *j, const struct yg_request *q, struct yg_state *db,
			struct yg_err *err);
/* {"all":true} or {"orgs":[..],"systems":[..]}, with its period. */
void yg_put_reach(struct yg_jo *j, const struct yg_reach *r);
/* rights.c: at set-up, the first person may do everything. */
void yg_first_rights(struct yg_person *p);

/* "https://yagura.example" without a slash behind: as configured, else by `host`
 * (the request's; empty: localhost and the configured port).  In `buf`. */
struct yg_sv yg_public_url(const struct yg_conf *conf, struct yg_sv host, char *buf, size_t cap);
