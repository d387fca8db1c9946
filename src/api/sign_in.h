/* sign_in.h - from a proof to a session, for the JSON routes and for the plain
 * pages alike; and what a person's session or token may do. */
#pragma once
#include "api/api.h"
#include "org/credential.h"
#include "org/enrol.h"
#include "org/session.h"

#define YG_COOKIE "__Host-yagura"

struct yg_sign_in; /* what is counted against guessing */
struct yg_sign_in *yg_sign_in_new(void);
void yg_sign_in_free(struct yg_sign_in *s);

struct yg_password_try {
	struct yg_sv login, password;
	struct yg_sv totp, recovery_code; /* empty: not given */
};
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
/* A person with a session, not a token: YG_DENIED else. */
yg_status yg_need_session(const struct yg_request *q, struct yg_err *err);

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
