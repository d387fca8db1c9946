#include "org/oidc.h"

#include <cjose/cjose.h>
#include <sodium.h>
#include <stdlib.h>

#include "format/json.h"

static void free_jws(cjose_jws_t **j)
{
	if (*j != NULL)
		cjose_jws_release(*j);
}

static void free_jwk(cjose_jwk_t **k)
{
	if (*k != NULL)
		(void)cjose_jwk_release(*k);
}

static struct yg_sv member(const struct yg_json *j, uint32_t object, const char *name,
			   struct yg_arena *arena)
{
	uint32_t at = yg_json_get(j, object, yg_sv_of(name));
	if (at == 0 || yg_json_at(j, at)->type != YG_JSON_STRING)
		return YG_SV("");
	struct yg_sv s = yg_json_str(j, at, arena);
	return s.p != NULL ? s : YG_SV("");
}

/* May a key of this type sign by this algorithm? */
static bool fits(struct yg_sv alg, struct yg_sv kty)
{
	if (YG_SV_IS(kty, "RSA"))
		return YG_SV_IS(alg, "RS256") || YG_SV_IS(alg, "PS256");
	return YG_SV_IS(kty, "EC") && YG_SV_IS(alg, "ES256");
}

/* The next key of the set that may have signed; 0: no further one. */
static bool usable(const struct yg_json *set, uint32_t key, struct yg_sv alg, struct yg_sv kid,
		   struct yg_arena *arena)
{
	struct yg_sv use = member(set, key, "use", arena), own = member(set, key, "alg", arena);
	struct yg_sv id = member(set, key, "kid", arena);
	return fits(alg, member(set, key, "kty", arena)) && (use.n == 0 || YG_SV_IS(use, "sig")) &&
	       (own.n == 0 || yg_sv_eq(own, alg)) && (kid.n == 0 || id.n == 0 || yg_sv_eq(kid, id));
}

/* Strict RFC 4648 base64url: libcjose asserts where others refuse. */
static bool is_base64url(struct yg_sv s)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const char *last = NULL;
	for (size_t i = 0; i < s.n; i++) {
		last = s.p[i] != '\0' ? strchr(alphabet, s.p[i]) : NULL;
		if (last == NULL)
			return false;
	}
	unsigned spare = s.n % 4 == 2 ? 15 : s.n % 4 == 3 ? 3 : 0;
	return last != NULL && s.n % 4 != 1 && ((unsigned)(last - alphabet) & spare) == 0;
}

/* Three parts of a compact JWS, each base64url. */
static bool is_compact(struct yg_sv token)
{
	struct yg_sv part;
	size_t parts = 0;
	while (yg_sv_cut(&token, '.', &part)) {
		if (!is_base64url(part))
			return false;
		parts++;
	}
	return parts == 3;
}

/* The key by itself, of nothing but what a public key needs, each of it looked at. */
static struct yg_sv plain_key(const struct yg_json *set, uint32_t key, struct yg_arena *arena)
{
	bool rsa = YG_SV_IS(member(set, key, "kty", arena), "RSA");
	struct yg_sv one = member(set, key, rsa ? "n" : "x", arena);
	struct yg_sv two = member(set, key, rsa ? "e" : "y", arena);
	size_t cap = one.n + two.n + 80;
	char *text = yg_arena_alloc(arena, cap, 1);
	if (text == NULL || !is_base64url(one) || !is_base64url(two) ||
	    (!rsa && !YG_SV_IS(member(set, key, "crv", arena), "P-256")))
		return YG_SV("");
	struct yg_sb b = yg_sb_init(text, cap);
	yg_sb_put(&b, rsa ? YG_SV("{\"kty\":\"RSA\",\"n\":\"")
			  : YG_SV("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\""));
	yg_sb_put(&b, one);
	yg_sb_put(&b, rsa ? YG_SV("\",\"e\":\"") : YG_SV("\",\"y\":\""));
	yg_sb_put(&b, two);
	yg_sb_put(&b, YG_SV("\"}"));
	return b.cut ? YG_SV("") : yg_sb_sv(&b);
}

static bool verified_by(cjose_jws_t *jws, struct yg_sv key)
{
	cjose_err e;
	YG_AUTO(free_jwk) cjose_jwk_t *k = key.n > 0 ? cjose_jwk_import(key.p, key.n, &e) : NULL;
	return k != NULL && cjose_jws_verify(jws, k, &e);
}

static yg_status verify(cjose_jws_t *jws, struct yg_sv keys, struct yg_arena *arena,
			struct yg_err *err)
{
	cjose_err e;
	struct yg_json set;
	cjose_header_t *head = cjose_jws_get_protected(jws);
	struct yg_sv alg = yg_sv_of(cjose_header_get(head, CJOSE_HDR_ALG, &e));
	struct yg_sv kid = yg_sv_of(cjose_header_get(head, CJOSE_HDR_KID, &e));
	bool known = false, good = false;
	char *critical = cjose_header_get_raw(head, "crit", &e); /* RFC 7515 4.1.11 */
	if (critical != NULL) {
		cjose_get_dealloc()(critical);
		return YG_FAIL(err, YG_UNAUTH, "the ID token asks for what is not known here");
	}
	if (!fits(alg, YG_SV("RSA")) && !fits(alg, YG_SV("EC")))
		return YG_FAIL(err, YG_UNAUTH,
			       "the ID token is not signed by RS256, PS256 or ES256");
	yg_json_init(&set, 8192);
	yg_status st = yg_json_parse(&set, keys, err);
	bool object = st == YG_OK && yg_json_at(&set, 0)->type == YG_JSON_OBJECT;
	uint32_t list = object ? yg_json_get(&set, 0, YG_SV("keys")) : 0;
	if (list != 0 && yg_json_at(&set, list)->type == YG_JSON_ARRAY) {
		uint32_t at = list + 1;
		for (uint32_t i = 0; i < yg_json_at(&set, list)->n && !good; i++) {
			if (yg_json_at(&set, at)->type == YG_JSON_OBJECT &&
			    usable(&set, at, alg, kid, arena)) {
				known = true;
				good = verified_by(jws, plain_key(&set, at, arena));
			}
			at = yg_json_at(&set, at)->next;
		}
	}
	yg_json_free(&set);
	if (st != YG_OK)
		return st;
	if (!known)
		return YG_FAIL(err, YG_NOTFOUND, "the provider has no key that fits the ID token");
	return good ? YG_OK : YG_FAIL(err, YG_UNAUTH, "the ID token's signature is wrong");
}

static bool is_audience(const struct yg_json *j, struct yg_sv client, struct yg_arena *arena)
{
	uint32_t at = yg_json_get(j, 0, YG_SV("aud"));
	struct yg_sv azp = member(j, 0, "azp", arena);
	bool named = false;
	if (at == 0 || (azp.n > 0 && !yg_sv_eq(azp, client)))
		return false;
	if (yg_json_at(j, at)->type == YG_JSON_STRING)
		return yg_sv_eq(member(j, 0, "aud", arena), client);
	if (yg_json_at(j, at)->type != YG_JSON_ARRAY)
		return false;
	uint32_t n = yg_json_at(j, at)->n, one = at + 1;
	for (uint32_t i = 0; i < n; i++, one = yg_json_at(j, one)->next)
		named = named || (yg_json_at(j, one)->type == YG_JSON_STRING &&
				  yg_sv_eq(yg_json_str(j, one, arena), client));
	return named && (n == 1 || azp.n > 0); /* OpenID Connect Core 3.1.3.7 */
}

static yg_status read_claims(const struct yg_json *j, const struct yg_oidc_want *want,
			     struct yg_arena *arena, struct yg_oidc_claims *out, struct yg_err *err)
{
	int64_t now = want->now.us / YG_US_PER_S;
	uint32_t exp = yg_json_get(j, 0, YG_SV("exp")), iat = yg_json_get(j, 0, YG_SV("iat"));
	uint32_t verified = yg_json_get(j, 0, YG_SV("email_verified"));
	struct yg_sv nonce = member(j, 0, "nonce", arena);
	if (!yg_sv_eq(member(j, 0, "iss", arena), want->issuer))
		return YG_FAIL(err, YG_UNAUTH, "the ID token is of another issuer");
	if (!is_audience(j, want->client_id, arena))
		return YG_FAIL(err, YG_UNAUTH, "the ID token is for another client");
	if (exp == 0 || yg_json_i64(j, exp, 0) <= now - YG_OIDC_SKEW_S)
		return YG_FAIL(err, YG_UNAUTH, "the ID token has expired");
	if (iat == 0 || yg_json_i64(j, iat, INT64_MAX) > now + YG_OIDC_SKEW_S ||
	    yg_json_i64(j, iat, 0) < now - YG_OIDC_AGE_S)
		return YG_FAIL(err, YG_UNAUTH, "the ID token was not made just now");
	if (nonce.n != want->nonce.n || sodium_memcmp(nonce.p, want->nonce.p, nonce.n) != 0)
		return YG_FAIL(err, YG_UNAUTH, "the ID token answers another request");
	out->subject = yg_arena_dup(arena, member(j, 0, "sub", arena));
	out->email = yg_arena_dup(arena, member(j, 0, "email", arena));
	out->email_verified = verified != 0 && yg_json_at(j, verified)->type == YG_JSON_TRUE;
	if (out->subject.p == NULL || out->email.p == NULL)
		return YG_FAIL(err, YG_NOMEM, "ID token");
	if (out->subject.n == 0 || out->subject.n > 255)
		return YG_FAIL(err, YG_UNAUTH, "the ID token names nobody");
	return YG_OK;
}

yg_status yg_oidc_claims_read(struct yg_sv json, const struct yg_oidc_want *want,
			      struct yg_arena *arena, struct yg_oidc_claims *out,
			      struct yg_err *err)
{
	struct yg_json j;
	yg_json_init(&j, 4096);
	yg_status st = yg_json_parse(&j, json, err);
	if (st == YG_OK && yg_json_at(&j, 0)->type != YG_JSON_OBJECT)
		st = YG_FAIL(err, YG_UNAUTH, "the ID token cannot be read");
	if (st == YG_OK)
		st = read_claims(&j, want, arena, out, err);
	yg_json_free(&j);
	return st;
}

yg_status yg_oidc_member(struct yg_sv json, const char *name, struct yg_arena *arena,
			 struct yg_sv *out, struct yg_err *err)
{
	struct yg_json j;
	*out = YG_SV("");
	yg_json_init(&j, 8192);
	yg_status st = yg_json_parse(&j, json, err);
	bool object = st == YG_OK && yg_json_at(&j, 0)->type == YG_JSON_OBJECT;
	uint32_t at = object ? yg_json_get(&j, 0, yg_sv_of(name)) : 0;
	if (st == YG_OK && (at == 0 || yg_json_at(&j, at)->type != YG_JSON_STRING))
		st = YG_FAIL(err, YG_UNAUTH, "the provider does not say its %s", name);
	if (st == YG_OK) {
		*out = yg_arena_dup(arena, yg_json_str(&j, at, arena));
		st = out->p != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "the provider's %s", name);
	}
	yg_json_free(&j);
	return st;
}

yg_status yg_oidc_check(struct yg_sv token, struct yg_sv keys, const struct yg_oidc_want *want,
			struct yg_arena *arena, struct yg_oidc_claims *out, struct yg_err *err)
{
	cjose_err e;
	uint8_t *text = NULL;
	size_t n = 0;
	if (token.n > YG_OIDC_TOKEN_MAX || keys.n > YG_OIDC_KEYS_MAX)
		return YG_FAIL(err, YG_UNAUTH, "the ID token or the keys are too long");
	YG_AUTO(free_jws)
	cjose_jws_t *jws = is_compact(token) ? cjose_jws_import(token.p, token.n, &e) : NULL;
	if (jws == NULL)
		return YG_FAIL(err, YG_UNAUTH, "the ID token cannot be read");
	yg_status st = verify(jws, keys, arena, err);
	if (st != YG_OK)
		return st;
	if (!cjose_jws_get_plaintext(jws, &text, &n, &e))
		return YG_FAIL(err, YG_UNAUTH, "the ID token cannot be read");
	return yg_oidc_claims_read((struct yg_sv){(const char *)text, n}, want, arena, out, err);
}
