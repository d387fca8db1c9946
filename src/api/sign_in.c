#include "api/sign_in.h"

#include <sodium.h>
#include <stdlib.h>

#include "base/codec.h"
#include "org/audit_log.h"
#include "org/throttle.h"

#define REFUSALS_PER_MIN 60 /* entries of the audit log; what is over is counted and told later */

struct yg_sign_in {
	uv_mutex_t lock;
	struct yg_throttle throttle;
	struct yg_challenges *challenges;
	yg_mono minute;
	uint32_t noted, unnoted;
};

struct yg_sign_in *yg_sign_in_new(const struct yg_env *env)
{
	struct yg_sign_in *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->challenges = yg_challenges_new(env);
	if (s->challenges == NULL || uv_mutex_init(&s->lock) != 0) {
		yg_challenges_free(s->challenges);
		free(s);
		return NULL;
	}
	return s;
}

struct yg_challenges *yg_sign_in_challenges(struct yg_api *api)
{
	return api->sign_in->challenges;
}

void yg_sign_in_free(struct yg_sign_in *s)
{
	if (s == NULL)
		return;
	yg_challenges_free(s->challenges);
	uv_mutex_destroy(&s->lock);
	free(s);
}

/* --- against guessing --- */

static uint64_t key_of(const struct yg_api *api, const char *what, struct yg_sv login,
		       uint64_t address)
{
	uint64_t parts[3] = {yg_siphash(api->cursor_key, what, strlen(what)),
			     yg_siphash(api->cursor_key, login.p, login.n), address};
	return yg_siphash(api->cursor_key, parts, sizeof parts);
}

static uint32_t must_wait(struct yg_api *api, uint64_t key)
{
	uv_mutex_lock(&api->sign_in->lock);
	uint32_t s = yg_throttle_wait(&api->sign_in->throttle, key, yg_env_mono(api->env));
	uv_mutex_unlock(&api->sign_in->lock);
	return s;
}

/* Tries from here that cost nothing, before this one or after it. */
static void tell_rate(struct yg_api *api, struct yg_response *r, uint64_t key)
{
	r->rate.limit = YG_THROTTLE_FREE;
	uv_mutex_lock(&api->sign_in->lock);
	r->rate.left = yg_throttle_left(&api->sign_in->throttle, key, yg_env_mono(api->env),
					&r->rate.reset_s);
	uv_mutex_unlock(&api->sign_in->lock);
}

static void count(struct yg_api *api, uint64_t key, bool passed)
{
	uv_mutex_lock(&api->sign_in->lock);
	if (passed)
		yg_throttle_passed(&api->sign_in->throttle, key);
	else
		yg_throttle_failed(&api->sign_in->throttle, key, yg_env_mono(api->env));
	uv_mutex_unlock(&api->sign_in->lock);
}

/* May this refusal have its own entry?  A flood must not fill the audit log. */
static bool note_refusal(struct yg_api *api, uint32_t *out_before)
{
	struct yg_sign_in *s = api->sign_in;
	yg_mono now = yg_env_mono(api->env);
	uv_mutex_lock(&s->lock);
	if (yg_mono_due(yg_mono_add(s->minute, YG_SECONDS(60)), now)) {
		s->minute = now;
		s->noted = 0;
	}
	bool may = s->noted < REFUSALS_PER_MIN;
	*out_before = s->unnoted;
	if (may) {
		s->noted++;
		s->unnoted = 0;
	} else {
		s->unnoted++;
	}
	uv_mutex_unlock(&s->lock);
	return may;
}

void yg_sign_in_refused(struct yg_api *api, const struct yg_request *q, struct yg_state *db,
			struct yg_sv login, const char *method)
{
	uint32_t before = 0;
	struct yg_err err;
	struct yg_tx tx;
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	if (!note_refusal(api, &before))
		return;
	yg_detail_init(&d);
	yg_detail_note(&d, "login", yg_login_ok(login) ? login : YG_SV("?"));
	yg_detail_note(&d, "method", yg_sv_of(method));
	yg_detail_note(&d, "address", yg_sv_of(q->address));
	if (before > 0)
		yg_detail_count(&d, "not_noted_before", before);
	struct yg_act act = yg_act_make(db, api->env, YG_SV("nobody"));
	yg_status st = yg_tx_begin(&tx, db, &err);
	if (st == YG_OK) {
		st = yg_audit_add(&act, "session.refuse", YG_SV("sign-in"), YG_SV(""), &d, &err);
		(void)yg_tx_end(&tx, st, &err);
	}
}

/* --- password --- */

/* One or the other second factor.  Guesses at it are counted by login alone:
 * only who has the password comes this far. */
static bool second_factor(struct yg_api *api, struct yg_request *q, struct yg_state *db,
			  const struct yg_password_try *t, const struct yg_person *p,
			  const char **out_method)
{
	uint64_t key = key_of(api, "code", p->login, 0);
	struct yg_act act = yg_act_make(db, api->env, yg_sv_of(q->who.actor));
	struct yg_err err;
	yg_status st = YG_UNAUTH;
	if (must_wait(api, key) > 0)
		return false;
	if (t->recovery_code.n > 0) {
		*out_method = "recovery";
		st = yg_recovery_use(&act, p->id, t->recovery_code, &err);
	} else if (t->totp.n > 0) {
		st = yg_totp_use(&act, p->id, t->totp, &err);
	}
	count(api, key, st == YG_OK);
	return st == YG_OK;
}

static yg_status find_hash(struct yg_request *q, struct yg_state *db,
			   const struct yg_password_try *t, struct yg_person *p,
			   struct yg_sv *out_hash, struct yg_err *err)
{
	struct yg_credential c = {0};
	*out_hash = YG_SV("");
	*p = (struct yg_person){0};
	yg_status st = yg_person_by_login(db, t->login, q->arena, p, err);
	if (st == YG_OK)
		st = yg_credential_find(db, "password", p->id, q->arena, &c, err);
	if (st == YG_OK && YG_SV_IS(p->state, "active"))
		*out_hash = c.data;
	return st == YG_NOTFOUND ? YG_OK : st;
}

yg_status yg_password_proof(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_state *db, const struct yg_password_try *t,
			    struct yg_person *out, const char **out_method, struct yg_err *err)
{
	uint64_t key = key_of(api, "password", t->login, q->address_key);
	struct yg_sv hash;
	bool same = false;
	*out_method = "password";
	r->retry_after_s = must_wait(api, key);
	tell_rate(api, r, key);
	if (r->retry_after_s > 0)
		return YG_FAIL(err, YG_LIMIT,
			       "too many wrong tries from here: wait, or use a passkey");
	yg_status st = find_hash(q, db, t, out, &hash, err);
	if (st == YG_OK)
		st = yg_password_check(hash, t->password, q->address_key, &same, err);
	if (st == YG_LIMIT)
		r->retry_after_s = 2;
	if (st != YG_OK)
		return st;
	if (same && second_factor(api, q, db, t, out, out_method)) {
		count(api, key, true);
		return YG_OK;
	}
	count(api, key, false);
	tell_rate(api, r, key);
	yg_sign_in_refused(api, q, db, t->login, *out_method);
	return YG_FAIL(err, YG_UNAUTH, "the login, the password or the code is wrong");
}

/* --- session --- */

static void set_cookie(struct yg_request *q, struct yg_response *r, struct yg_sv value,
		       const char *more)
{
	char text[160];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_put(&b, YG_SV(YG_COOKIE "="));
	yg_sb_put(&b, value);
	yg_sb_put(&b, YG_SV("; Path=/; Secure; HttpOnly; SameSite=Strict"));
	yg_sb_put(&b, yg_sv_of(more));
	struct yg_sv copy = yg_arena_dup(q->arena, yg_sb_sv(&b));
	if (copy.p != NULL)
		yg_response_header(r, "Set-Cookie", copy);
	sodium_memzero(text, sizeof text);
}

yg_status yg_session_begin(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_state *db, const struct yg_person *p, const char *method,
			   struct yg_session *out, struct yg_err *err)
{
	YG_AUTO(yg_session_secret_wipe) struct yg_session_secret secret = {{0}};
	struct yg_sb b = yg_sb_init(q->who.actor, sizeof q->who.actor);
	yg_sb_put(&b, YG_SV("person:"));
	yg_sb_put(&b, p->id);
	(void)yg_sb_cstr(&b);
	struct yg_sv agent = q->header[YG_HH_USER_AGENT];
	struct yg_session_new n = {
		.person = p->id,
		.method = yg_sv_of(method),
		.address = yg_sv_of(q->address),
		.agent = agent.p != NULL ? agent : YG_SV(""),
		.absolute = {yg_api_conf(api)->session_absolute_us},
	};
	if (!q->tls)
		return YG_FAIL(err, YG_DENIED,
			       "sessions are for HTTPS: the local socket needs none");
	struct yg_act act = yg_request_act(q, api, db);
	yg_status st = yg_session_add(&act, &n, q->arena, out, &secret, err);
	if (st != YG_OK)
		return st;
	set_cookie(q, r, yg_sv_of(secret.s), "");
	q->who = (struct yg_who){.kind = YG_WHO_PERSON,
				 .id = out->id,
				 .person = p->id,
				 .name = p->login,
				 .step_up_until = out->step_up_until,
				 .expires = out->expires};
	b = yg_sb_init(q->who.actor, sizeof q->who.actor);
	yg_sb_put(&b, YG_SV("person:"));
	yg_sb_put(&b, p->id);
	(void)yg_sb_cstr(&b);
	st = yg_who_rights(q, db, err);
	return st == YG_OK ? yg_who_settle(q, db, err) : st;
}

void yg_session_forget_cookie(struct yg_request *q, struct yg_response *r)
{
	set_cookie(q, r, YG_SV(""), "; Max-Age=0");
}

void yg_session_ended(struct yg_api *api, struct yg_sv id)
{
	if (api->server != NULL)
		yg_server_forget(api->server, id);
}

struct yg_sv yg_public_url(const struct yg_conf *conf, struct yg_sv host, char *buf, size_t cap)
{
	struct yg_sb b = yg_sb_init(buf, cap);
	struct yg_sv url = conf->public_url, address = conf->api_address;
	while (url.n > 0 && url.p[url.n - 1] == '/')
		url.n--;
	if (url.n > 0) {
		yg_sb_put(&b, url);
		return yg_sb_sv(&b);
	}
	yg_sb_put(&b, YG_SV("https://"));
	if (host.n > 0) {
		yg_sb_put(&b, host);
		return yg_sb_sv(&b);
	}
	size_t colon = address.n;
	while (colon > 0 && address.p[colon - 1] != ':')
		colon--;
	struct yg_sv name = yg_sv_sub(address, 0, colon > 0 ? colon - 1 : address.n);
	/* passkeys need a name: a browser takes none that is an address */
	bool here = yg_sv_starts(name, YG_SV("127.")) || YG_SV_IS(name, "[::1]") ||
		    YG_SV_IS(name, "*") || YG_SV_IS(name, "0.0.0.0") || YG_SV_IS(name, "[::]");
	yg_sb_put(&b, here ? YG_SV("localhost") : name);
	yg_sb_putc(&b, ':');
	yg_sb_put(&b, yg_sv_sub(address, colon, address.n));
	return yg_sb_sv(&b);
}
