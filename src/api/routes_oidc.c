/* Signing in by an OpenID Connect provider: authorisation code with PKCE.
 *
 * What has to be remembered between the two halves is in a cookie of the browser
 * (random, provider, where to go): nonce and PKCE verifier are derived from it, and
 * `state` is a challenge that is bound to it.  So a callback works in the browser
 * that began, once, within five minutes, and nothing is kept here. */
#include <curl/curl.h>
#include <sodium.h>

#include "api/html.h"
#include "api/page.h"
#include "api/routes.h"
#include "api/sign_in.h"
#include "base/check.h"
#include "base/codec.h"
#include "org/oidc.h"

#define COOKIE     "__Host-yagura-oidc"
#define ANSWER_MAX 262144
#define SECONDS    10L
#define ASKING_MAX 3
#define ASKING_OWN 2 /* of one address */

struct flow {                /* of one browser */
	struct yg_sv cookie; /* whole */
	struct yg_sv next;
	const struct yg_conf_provider *provider;
};

/* --- HTTP to the provider --- */

struct answer {
	struct yg_buf body;
};

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type */
static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct answer *a = ctx;
	yg_buf_put(&a->body, (struct yg_sv){p, size * n});
	return a->body.bad ? 0 : size * n;
}

/* "host:port" of an address. */
static struct yg_sv host_of(struct yg_sv url)
{
	size_t from = yg_sv_starts(url, YG_SV("https://"))  ? 8
		      : yg_sv_starts(url, YG_SV("http://")) ? 7
							    : url.n;
	struct yg_sv rest = yg_sv_sub(url, from, url.n);
	return yg_sv_sub(rest, 0, yg_sv_find(rest, '/', 0));
}

static bool is_here(struct yg_sv host)
{
	struct yg_sv name = yg_sv_sub(host, 0, yg_sv_find(host, ':', 0));
	return YG_SV_IS(name, "localhost") || YG_SV_IS(name, "127.0.0.1");
}

/* An address that may be gone to: https, but for a provider on this machine; visible
 * ASCII alone, so that it is one header and one address. */
static bool is_address(struct yg_sv url)
{
	struct yg_sv host = host_of(url);
	for (size_t i = 0; i < url.n; i++)
		if (url.p[i] <= 0x20 || url.p[i] >= 0x7f || url.p[i] == '\\')
			return false;
	return host.n > 0 && !yg_sv_has(host, YG_SV("@")) &&
	       (yg_sv_starts(url, YG_SV("https://")) || is_here(host));
}

/* Only the provider's own host and those it is configured with. */
static bool may_ask(const struct yg_conf_provider *p, struct yg_sv url)
{
	struct yg_sv host = host_of(url), rest = p->hosts, one;
	bool own = yg_sv_eq(host, host_of(p->issuer));
	while (!own && rest.n > 0 && yg_sv_cut(&rest, ' ', &one))
		own = one.n > 0 && yg_sv_eq(one, host);
	return own && is_address(url);
}

/* Whoever reaches the port can make us ask: only so many at a time, and not all of
 * them from one address, so that a provider that hangs holds up nothing else. */
static struct {
	uv_once_t once;
	uv_mutex_t lock;
	uint64_t keys[ASKING_MAX];
	bool busy[ASKING_MAX];
} asking = {.once = UV_ONCE_INIT};

static void asking_init(void)
{
	YG_REQUIRE(uv_mutex_init(&asking.lock) == 0);
}

/* A place; ASKING_MAX: there is none. */
static size_t enter(uint64_t key)
{
	size_t at = ASKING_MAX;
	size_t mine = 0;
	uv_once(&asking.once, asking_init);
	uv_mutex_lock(&asking.lock);
	for (size_t i = 0; i < ASKING_MAX; i++) {
		mine += asking.busy[i] && asking.keys[i] == key;
		at = asking.busy[i] ? at : i;
	}
	at = mine >= ASKING_OWN ? ASKING_MAX : at;
	if (at < ASKING_MAX) {
		asking.busy[at] = true;
		asking.keys[at] = key;
	}
	uv_mutex_unlock(&asking.lock);
	return at;
}

static void leave(size_t at)
{
	uv_mutex_lock(&asking.lock);
	asking.busy[at] = false;
	uv_mutex_unlock(&asking.lock);
}

static yg_status too_many(struct yg_response *r, struct yg_err *err)
{
	r->retry_after_s = 2;
	return YG_FAIL(err, YG_LIMIT, "too many people sign in at the moment");
}

static yg_status ask(struct yg_request *q, const struct yg_conf_provider *p, struct yg_sv url,
		     const struct yg_sv *form, struct yg_sv *out, struct yg_err *err)
{
	struct answer a;
	long status = 0;
	struct yg_sv copy = yg_arena_dup(q->arena, url);
	*out = YG_SV("");
	CURL *c = may_ask(p, url) && copy.p != NULL ? curl_easy_init() : NULL;
	if (c == NULL)
		return YG_FAIL(err, YG_DENIED, "the provider names a host that is not configured");
	yg_buf_init(&a.body, ANSWER_MAX);
	(void)curl_easy_setopt(c, CURLOPT_URL, copy.p);
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(c, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(c, CURLOPT_TIMEOUT, SECONDS);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, &a);
	if (form != NULL) {
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)form->n);
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, form->p);
	}
	CURLcode rc = curl_easy_perform(c);
	if (rc == CURLE_OK)
		(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(c);
	*out = yg_arena_dup(q->arena, yg_buf_sv(&a.body));
	yg_buf_free(&a.body);
	if (rc != CURLE_OK)
		return YG_FAIL(err, YG_AGAIN, "the provider does not answer: %s",
			       curl_easy_strerror(rc));
	if (status != 200)
		return YG_FAIL(err, YG_UNAUTH, "the provider answered with status %ld", status);
	return out->p != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "the provider's answer");
}

static yg_status discover(struct yg_request *q, const struct yg_conf_provider *p, struct yg_sv *out,
			  struct yg_err *err)
{
	char url[600];
	struct yg_sv issuer = p->issuer, said = YG_SV("");
	struct yg_sb b = yg_sb_init(url, sizeof url);
	while (issuer.n > 0 && issuer.p[issuer.n - 1] == '/')
		issuer.n--;
	yg_sb_put(&b, issuer);
	yg_sb_put(&b, YG_SV("/.well-known/openid-configuration"));
	yg_status st = ask(q, p, yg_sb_sv(&b), NULL, out, err);
	if (st == YG_OK)
		st = yg_oidc_member(*out, "issuer", q->arena, &said, err);
	if (st == YG_OK && !yg_sv_eq(said, p->issuer))
		return YG_FAIL(err, YG_UNAUTH, "the provider says that it is another issuer");
	return st;
}

/* --- what is derived from the cookie --- */

static void derive(struct yg_sv cookie, const char *what, char out[static 44])
{
	uint8_t hash[32];
	struct yg_sb b = yg_sb_init(out, 44);
	(void)crypto_generichash(hash, sizeof hash, (const uint8_t *)cookie.p, cookie.n,
				 (const uint8_t *)what, strlen(what));
	yg_sb_base64url(&b, hash, sizeof hash);
	(void)yg_sb_cstr(&b);
}
#define NONCE    "yagura oidc nonce"
#define VERIFIER "yagura oidc verifier"

static void put_pair(struct yg_buf *b, const char *name, struct yg_sv value)
{
	yg_buf_printf(b, "%s=", name);
	yg_percent_put(b, value);
	yg_buf_putc(b, '&');
}

static struct yg_sv callback_url(struct yg_api *api, const struct yg_request *q,
				 char buf[static 400])
{
	struct yg_sv host = q->header[YG_HH_HOST];
	struct yg_sv base =
		yg_public_url(yg_api_conf(api), host.p != NULL ? host : YG_SV(""), buf, 380);
	struct yg_sb b = {.p = buf, .n = base.n, .cap = 400};
	yg_sb_put(&b, YG_SV("/oidc/callback"));
	return yg_sb_sv(&b);
}

static const struct yg_conf_provider *provider_named(const struct yg_conf *conf, struct yg_sv name)
{
	for (size_t i = 0; i < conf->provider_count; i++)
		if (yg_sv_eq(conf->providers[i].name, name))
			return &conf->providers[i];
	return NULL;
}

static void set_cookie(struct yg_request *q, struct yg_response *r, struct yg_sv value,
		       const char *more)
{
	struct yg_buf b;
	yg_buf_init(&b, 4096);
	yg_buf_put(&b, YG_SV(COOKIE "="));
	yg_buf_put(&b, value);
	/* Lax: the provider sends the browser back from another site */
	yg_buf_printf(&b, "; Path=/; Secure; HttpOnly; SameSite=Lax%s", more);
	struct yg_sv copy = yg_arena_dup(q->arena, yg_buf_sv(&b));
	if (copy.p != NULL && !b.bad)
		yg_response_header(r, "Set-Cookie", copy);
	yg_buf_free(&b);
}

/* --- /oidc/start --- */

static struct yg_sv make_cookie(struct yg_api *api, struct yg_request *q, struct yg_sv name,
				struct yg_sv next)
{
	uint8_t random[32];
	char *text = yg_arena_alloc(q->arena, 512 + name.n, 1);
	if (text == NULL)
		return (struct yg_sv){NULL, 0};
	struct yg_sb b = yg_sb_init(text, 512 + name.n);
	api->env->random(api->env->ctx, random, sizeof random);
	yg_sb_base64url(&b, random, sizeof random);
	yg_sb_putc(&b, '.');
	yg_sb_put(&b, name);
	yg_sb_putc(&b, '.');
	yg_sb_base64url(&b, next.p, next.n);
	return yg_sb_sv(&b);
}

/* Where the browser goes: the provider's address with what is asked of it. */
static yg_status put_request(struct yg_api *api, struct yg_request *q,
			     const struct yg_conf_provider *p, struct yg_sv cookie, struct yg_sv to,
			     struct yg_sv *out, struct yg_err *err)
{
	char state[YG_CHALLENGE_TEXT + 1], nonce[44], verifier[44], challenge[44], url[400];
	uint8_t hash[crypto_hash_sha256_BYTES];
	yg_challenge_make(yg_sign_in_challenges(api), "oidc", cookie, state);
	derive(cookie, NONCE, nonce);
	derive(cookie, VERIFIER, verifier);
	(void)crypto_hash_sha256(hash, (const uint8_t *)verifier, strlen(verifier));
	struct yg_sb c = yg_sb_init(challenge, sizeof challenge);
	yg_sb_base64url(&c, hash, sizeof hash);
	struct yg_buf b;
	yg_buf_init(&b, 8192);
	yg_buf_put(&b, to);
	yg_buf_putc(&b, yg_sv_has(to, YG_SV("?")) ? '&' : '?');
	put_pair(&b, "response_type", YG_SV("code"));
	put_pair(&b, "client_id", p->client_id);
	put_pair(&b, "redirect_uri", callback_url(api, q, url));
	put_pair(&b, "scope", p->scopes);
	put_pair(&b, "state", yg_sv_of(state));
	put_pair(&b, "nonce", yg_sv_of(nonce));
	put_pair(&b, "code_challenge", yg_sb_sv(&c));
	put_pair(&b, "code_challenge_method", YG_SV("S256"));
	b.n -= b.n > 0; /* the last '&' */
	*out = yg_arena_dup(q->arena, yg_buf_sv(&b));
	yg_status st = b.bad || out->p == NULL || b.n > 1000
			       ? YG_FAIL(err, YG_NOMEM, "the provider's address is too long")
			       : YG_OK;
	yg_buf_free(&b);
	return st;
}

yg_status yg_r_oidc_start(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	const struct yg_conf *conf = yg_api_conf(api);
	struct yg_sv name = yg_query(q, "provider"), next = yg_query(q, "next");
	struct yg_sv discovery = YG_SV(""), to = YG_SV("");
	const struct yg_conf_provider *p = name.p != NULL             ? provider_named(conf, name)
					   : conf->provider_count > 0 ? conf->providers
								      : NULL;
	struct yg_sv at = YG_SV("");
	if (p == NULL)
		return YG_FAIL(err, YG_NOTFOUND, "no such provider");
	if (!q->tls)
		return YG_FAIL(err, YG_DENIED, "signing in is for HTTPS");
	bool local = next.p != NULL && next.n < 300 && next.p[0] == '/' && yg_html_local_path(next);
	struct yg_sv cookie = make_cookie(api, q, p->name, local ? next : YG_SV("/"));
	if (cookie.p == NULL)
		return YG_FAIL(err, YG_NOMEM, "signing in");
	size_t place = enter(q->address_key);
	if (place == ASKING_MAX)
		return too_many(r, err);
	yg_status st = discover(q, p, &discovery, err);
	leave(place);
	if (st == YG_OK)
		st = yg_oidc_member(discovery, "authorization_endpoint", q->arena, &to, err);
	if (st == YG_OK && !is_address(to))
		st = YG_FAIL(err, YG_UNAUTH, "the provider names an address that is none");
	if (st != YG_OK)
		return st;
	st = put_request(api, q, p, cookie, to, &at, err);
	if (st != YG_OK)
		return st;
	set_cookie(q, r, cookie, "; Max-Age=300");
	yg_response_header(r, "Location", at);
	r->status = 303;
	return YG_OK;
}

/* --- /oidc/callback --- */

static yg_status read_flow(struct yg_api *api, struct yg_request *q, struct flow *f,
			   struct yg_err *err)
{
	struct yg_sv state = yg_query(q, "state"), rest, part, name, next;
	f->cookie = rest = yg_http_cookie(q->header[YG_HH_COOKIE], YG_SV(COOKIE));
	yg_status st = yg_challenge_use(yg_sign_in_challenges(api), "oidc", f->cookie,
					state.p != NULL ? state : YG_SV(""), err);
	if (st != YG_OK)
		return st;
	if (!yg_sv_cut(&rest, '.', &part) || !yg_sv_cut(&rest, '.', &name) ||
	    !yg_sv_cut(&rest, '.', &next))
		return YG_FAIL(err, YG_UNAUTH, "the cookie of this sign-in is not there");
	f->provider = provider_named(yg_api_conf(api), name);
	if (f->provider == NULL)
		return YG_FAIL(err, YG_UNAUTH, "no such provider");
	/* RFC 9207: one provider must not get another's code out of us */
	struct yg_sv iss = yg_query(q, "iss");
	if (iss.p != NULL && !yg_sv_eq(iss, f->provider->issuer))
		return YG_FAIL(err, YG_UNAUTH, "the answer is of another provider");
	return yg_base64url_decode(q->arena, next, &f->next, err);
}

/* The code for an ID token. */
static yg_status redeem(struct yg_api *api, struct yg_request *q, const struct flow *f,
			struct yg_sv discovery, struct yg_sv *out_token, struct yg_err *err)
{
	struct yg_sv endpoint = YG_SV(""), answer = YG_SV(""), code = yg_query(q, "code");
	const struct yg_conf_provider *p = f->provider;
	size_t at = (size_t)(p - yg_api_conf(api)->providers);
	char url[400], verifier[44];
	struct yg_buf b;
	if (code.p == NULL)
		return YG_FAIL(err, YG_UNAUTH, "the provider did not let you in");
	yg_status st = yg_oidc_member(discovery, "token_endpoint", q->arena, &endpoint, err);
	if (st != YG_OK)
		return st;
	derive(f->cookie, VERIFIER, verifier);
	yg_buf_init(&b, 16384);
	put_pair(&b, "grant_type", YG_SV("authorization_code"));
	put_pair(&b, "code", code);
	put_pair(&b, "redirect_uri", callback_url(api, q, url));
	put_pair(&b, "client_id", p->client_id);
	if (api->oidc_secrets != NULL && api->oidc_secrets[at].n > 0)
		put_pair(&b, "client_secret", api->oidc_secrets[at]);
	put_pair(&b, "code_verifier", yg_sv_of(verifier));
	struct yg_sv form = yg_buf_sv(&b);
	form.n -= form.n > 0;
	st = b.bad ? YG_FAIL(err, YG_NOMEM, "the code is too long")
		   : ask(q, p, endpoint, &form, &answer, err);
	if (b.p != NULL)
		sodium_memzero(b.p, b.n);
	yg_buf_free(&b);
	return st == YG_OK ? yg_oidc_member(answer, "id_token", q->arena, out_token, err) : st;
}

static yg_status prove_now(struct yg_api *api, struct yg_request *q, const struct flow *f,
			   struct yg_oidc_claims *out, struct yg_err *err)
{
	struct yg_sv discovery = YG_SV(""), token = YG_SV(""), keys_at = YG_SV(""),
		     keys = YG_SV("");
	char nonce[44];
	if (f->provider == NULL)
		return YG_FAIL(err, YG_UNAUTH, "no such provider");
	yg_status st = discover(q, f->provider, &discovery, err);
	if (st == YG_OK)
		st = redeem(api, q, f, discovery, &token, err);
	if (st == YG_OK)
		st = yg_oidc_member(discovery, "jwks_uri", q->arena, &keys_at, err);
	if (st == YG_OK)
		st = ask(q, f->provider, keys_at, NULL, &keys, err);
	if (st != YG_OK)
		return st;
	derive(f->cookie, NONCE, nonce);
	struct yg_oidc_want want = {f->provider->issuer, f->provider->client_id, yg_sv_of(nonce),
				    q->now};
	st = yg_oidc_check(token, keys, &want, q->arena, out, err);
	return st == YG_NOTFOUND ? YG_UNAUTH : st;
}

static yg_status prove(struct yg_api *api, struct yg_request *q, struct yg_response *r,
		       const struct flow *f, struct yg_oidc_claims *out, struct yg_err *err)
{
	size_t place = enter(q->address_key);
	if (place == ASKING_MAX)
		return too_many(r, err);
	yg_status st = prove_now(api, q, f, out, err);
	leave(place);
	return st;
}

static struct yg_sv identity(struct yg_request *q, const struct flow *f,
			     const struct yg_oidc_claims *c)
{
	size_t n = f->provider != NULL ? f->provider->issuer.n + 1 + c->subject.n : 0;
	char *text = n > 0 ? yg_arena_alloc(q->arena, n, 1) : NULL;
	if (text == NULL)
		return YG_SV("");
	struct yg_sb b = yg_sb_init(text, n);
	yg_sb_put(&b, f->provider->issuer);
	yg_sb_putc(&b, ' ');
	yg_sb_put(&b, c->subject);
	return yg_sb_sv(&b);
}

/* The first time: an existing person by a mail address that the provider has verified. */
static yg_status link_person(struct yg_request *q, struct yg_act *act, const struct flow *f,
			     const struct yg_oidc_claims *c, struct yg_person *p,
			     struct yg_err *err)
{
	static const struct yg_sv active = YG_SV_INIT("active");
	struct yg_id id;
	struct yg_tx tx;
	struct yg_person_set set = {.state = &active};
	if (!c->email_verified || yg_person_by_email(act->db, c->email, q->arena, p, err) != YG_OK)
		return YG_FAIL(err, YG_UNAUTH, "nobody here has this verified mail address");
	if (YG_SV_IS(p->state, "disabled"))
		return YG_FAIL(err, YG_UNAUTH, "this person is not active");
	struct yg_credential k = {.person = p->id,
				  .kind = YG_SV_INIT("oidc"),
				  .name = identity(q, f, c),
				  .data = YG_SV_INIT(""),
				  .label = f->provider->name};
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_credential_add(act, &k, &id, err);
	if (st == YG_OK && YG_SV_IS(p->state, "invited"))
		st = yg_person_change(act, p->id, YG_ANY_VERSION, &set, err);
	return yg_tx_end(&tx, st, err);
}

static yg_status find_person(struct yg_api *api, struct yg_request *q, struct yg_state *db,
			     const struct flow *f, const struct yg_oidc_claims *c,
			     struct yg_person *p, struct yg_err *err)
{
	struct yg_credential k;
	struct yg_act act = yg_act_make(db, api->env, YG_SV("oidc"));
	yg_status st = yg_credential_find(db, "oidc", identity(q, f, c), q->arena, &k, err);
	if (st == YG_NOTFOUND)
		return link_person(q, &act, f, c, p, err);
	if (st == YG_OK)
		st = yg_person_get(db, k.person, q->arena, p, err);
	if (st == YG_OK && !YG_SV_IS(p->state, "active"))
		return YG_FAIL(err, YG_UNAUTH, "this person is not active");
	return st;
}

yg_status yg_r_oidc_callback(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct flow f = {0};
	struct yg_oidc_claims claims = {0};
	struct yg_person p = {0};
	struct yg_session s;
	yg_status st = read_flow(api, q, &f, err);
	if (st == YG_OK)
		st = prove(api, q, r, &f, &claims, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = find_person(api, q, l.db, &f, &claims, &p, err);
	if (st == YG_UNAUTH && yg_lease_state(api, &l, &(struct yg_err){0}) == YG_OK)
		yg_sign_in_refused(api, q, l.db, YG_SV(""), "oidc");
	set_cookie(q, r, YG_SV(""), "; Max-Age=0");
	if (st == YG_OK)
		st = yg_session_begin(api, q, r, l.db, &p, "oidc", &s, err);
	if (st != YG_OK)
		return st == YG_PARSE ? YG_UNAUTH : st;
	/* not a redirect: that would still belong to the navigation that another site
	 * began, and the strict cookie would not be sent */
	static const struct yg_html_page page = {"Signed in", "サインインしました", "narrow", true};
	yg_html_begin(q, r, 200, &page);
	yg_buf_put(&r->body, YG_SV("<meta http-equiv=\"refresh\" content=\"0;url="));
	yg_html_text(&r->body, f.next);
	yg_buf_put(&r->body, YG_SV("\"><p><a href=\""));
	yg_html_text(&r->body, f.next);
	yg_buf_printf(&r->body, "\">%s</a></p>", q->japanese ? "Yagura に進む" : "Go on to Yagura");
	yg_html_end(&r->body);
	return YG_OK;
}
