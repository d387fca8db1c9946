/* webauthn.h - passkeys: what a browser sends is checked here, the signatures and
 * keys by libfido2 (no device is touched).
 *
 * Attestation: "none", and "packed" signed by the new key itself; we ask for none.
 * User verification (PIN, fingerprint) is always needed.  Pure but for the
 * library; bytes are as the browser sent them, taken out of base64url.
 */
#pragma once
#include "base/arena.h"

#define YG_WEBAUTHN_ID_MAX     1023  /* bytes of a credential's id (WebAuthn 4) */
#define YG_WEBAUTHN_CLIENT_MAX 8192  /* bytes of clientDataJSON */
#define YG_WEBAUTHN_DATA_MAX   16384 /* bytes of an attestation or authenticator data */

struct yg_webauthn_site {
	const char *rp_id;   /* "yagura.example" */
	struct yg_sv origin; /* "https://yagura.example:8443" */
};
struct yg_webauthn_client {     /* what clientDataJSON says */
	struct yg_sv challenge; /* base64url, arena */
};
/* type: "webauthn.get" or "webauthn.create".  Type, origin and that it is no frame
 * of another site are checked; the challenge is the caller's. */
yg_status yg_webauthn_client(struct yg_sv json, const char *type, struct yg_sv origin,
			     struct yg_arena *arena, struct yg_webauthn_client *out,
			     struct yg_err *err) YG_MUST_USE;

/* An attestation object (CBOR map) taken apart; views into it. */
struct yg_webauthn_attestation {
	struct yg_sv format;    /* "none", "packed" */
	struct yg_sv statement; /* the CBOR of attStmt */
	struct yg_sv auth_data;
};
yg_status yg_webauthn_split(struct yg_sv object, struct yg_webauthn_attestation *out,
			    struct yg_err *err) YG_MUST_USE;

struct yg_webauthn_key { /* of a new credential; arena */
	struct yg_sv id;
	struct yg_sv data; /* what yg_webauthn_assert() wants: algorithm, site, public key */
	int64_t counter;
};
yg_status yg_webauthn_register(const struct yg_webauthn_site *site, struct yg_sv client_json,
			       struct yg_sv object, struct yg_arena *arena,
			       struct yg_webauthn_key *out, struct yg_err *err) YG_MUST_USE;

struct yg_webauthn_proof {
	struct yg_sv client_json, auth_data, signature;
};
/* YG_UNAUTH: not signed by the key `data`, for another site, or nobody was verified. */
yg_status yg_webauthn_assert(const struct yg_webauthn_site *site, struct yg_sv data,
			     const struct yg_webauthn_proof *p, int64_t *out_counter,
			     struct yg_err *err) YG_MUST_USE;
