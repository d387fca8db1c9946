/* oidc.h - ID tokens of OpenID Connect providers: signature and claims.
 *
 * The algorithm is the key's business, never the token's: RS256, PS256 and ES256
 * are taken, each only with a key of its kind.  Pure but for libcjose.
 */
#pragma once
#include "base/arena.h"
#include "base/units.h"

#define YG_OIDC_TOKEN_MAX 16384
#define YG_OIDC_KEYS_MAX  65536
#define YG_OIDC_SKEW_S    60  /* clocks may differ by this much */
#define YG_OIDC_AGE_S     600 /* a token was made at most this long ago */

struct yg_oidc_want {
	struct yg_sv issuer, client_id, nonce;
	yg_wall now;
};
struct yg_oidc_claims { /* arena */
	struct yg_sv subject, email;
	bool email_verified;
};
/* token: a compact JWS; keys: a JWK set as the provider serves it.  YG_UNAUTH with
 * the reason, YG_NOTFOUND: no key of the set fits (it may have been changed). */
yg_status yg_oidc_check(struct yg_sv token, struct yg_sv keys, const struct yg_oidc_want *want,
			struct yg_arena *arena, struct yg_oidc_claims *out,
			struct yg_err *err) YG_MUST_USE;
/* The same once the signature has been checked: what the token says, as JSON. */
yg_status yg_oidc_claims_read(struct yg_sv json, const struct yg_oidc_want *want,
			      struct yg_arena *arena, struct yg_oidc_claims *out,
			      struct yg_err *err);
/* A text of a document of the provider ("issuer"), in the arena.  YG_UNAUTH: it is not
 * there, or no text; YG_PARSE, YG_LIMIT: the document cannot be read. */
yg_status yg_oidc_member(struct yg_sv json, const char *name, struct yg_arena *arena,
			 struct yg_sv *out, struct yg_err *err);
