#include "org/webauthn.h"

#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>
#include <sodium.h>

#include "format/json.h"

#define FLAG_UP 0x01
#define FLAG_UV 0x04
#define RP_HASH 32

/* --- clientDataJSON --- */

static yg_status read_client(const struct yg_json *j, const char *type, struct yg_sv origin,
			     struct yg_arena *arena, struct yg_webauthn_client *out,
			     struct yg_err *err)
{
	struct yg_sv value[3];
	static const char *const names[] = {"type", "origin", "challenge"};
	if (yg_json_at(j, 0)->type != YG_JSON_OBJECT)
		return YG_FAIL(err, YG_PARSE, "clientDataJSON is no object");
	for (size_t i = 0; i < YG_LEN(names); i++) {
		uint32_t at = yg_json_get(j, 0, yg_sv_of(names[i]));
		if (at == 0 || yg_json_at(j, at)->type != YG_JSON_STRING)
			return YG_FAIL(err, YG_PARSE, "clientDataJSON has no %s", names[i]);
		value[i] = yg_json_str(j, at, arena);
		if (value[i].p == NULL)
			return YG_FAIL(err, YG_NOMEM, "clientDataJSON");
	}
	uint32_t cross = yg_json_get(j, 0, YG_SV("crossOrigin"));
	if (!yg_sv_eq(value[0], yg_sv_of(type)))
		return YG_FAIL(err, YG_UNAUTH, "clientDataJSON is of another kind");
	if (!yg_sv_eq(value[1], origin) ||
	    (cross != 0 && yg_json_at(j, cross)->type != YG_JSON_FALSE))
		return YG_FAIL(err, YG_UNAUTH, "the passkey was used on another site");
	out->challenge = yg_arena_dup(arena, value[2]);
	return out->challenge.p != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "clientDataJSON");
}

yg_status yg_webauthn_client(struct yg_sv json, const char *type, struct yg_sv origin,
			     struct yg_arena *arena, struct yg_webauthn_client *out,
			     struct yg_err *err)
{
	struct yg_json j;
	if (json.n > YG_WEBAUTHN_CLIENT_MAX)
		return YG_FAIL(err, YG_PARSE, "clientDataJSON is too long");
	yg_json_init(&j, 256);
	yg_status st = yg_json_parse(&j, json, err);
	if (st == YG_OK)
		st = read_client(&j, type, origin, arena, out, err);
	yg_json_free(&j);
	return st;
}

/* --- the attestation object: CBOR (RFC 8949), definite lengths only, as CTAP2
 * prescribes it --- */

struct cbor {
	const uint8_t *p, *end;
	bool bad;
};

static uint8_t take_byte(struct cbor *c)
{
	if (c->bad || c->p == c->end) {
		c->bad = true;
		return 0;
	}
	return *c->p++;
}

/* The head of an item: its major type, and its length or value. */
static unsigned take_head(struct cbor *c, uint64_t *out_n)
{
	uint8_t first = take_byte(c);
	unsigned low = first & 31, bytes = low < 24 ? 0 : 1u << (low - 24);
	*out_n = low;
	if (low > 27) {
		c->bad = true;
		return 0;
	}
	if (bytes > 0)
		*out_n = 0;
	for (unsigned i = 0; i < bytes; i++)
		*out_n = *out_n << 8 | take_byte(c);
	return first >> 5;
}

static struct yg_sv take_bytes(struct cbor *c, uint64_t n)
{
	if (c->bad || n > (uint64_t)(c->end - c->p)) {
		c->bad = true;
		return YG_SV("");
	}
	struct yg_sv s = {(const char *)c->p, (size_t)n};
	c->p += n;
	return s;
}

/* Steps over one item and all in it, without recursion: `left` items to go. */
static void skip_item(struct cbor *c)
{
	for (uint64_t left = 1; left > 0 && !c->bad; left--) {
		uint64_t n;
		unsigned major = take_head(c, &n);
		if (major == 2 || major == 3)
			(void)take_bytes(c, n);
		if (major != 4 && major != 5 && major != 6)
			continue;
		uint64_t more = major == 6 ? 1 : major == 5 ? n * 2 : n;
		if (n > (uint64_t)(c->end - c->p) || left + more > 1u << 20)
			c->bad = true; /* an item is a byte at least */
		else
			left += more;
	}
}

static struct yg_sv take_text(struct cbor *c, unsigned major)
{
	uint64_t n;
	if (take_head(c, &n) != major)
		c->bad = true;
	return take_bytes(c, n);
}

yg_status yg_webauthn_split(struct yg_sv object, struct yg_webauthn_attestation *out,
			    struct yg_err *err)
{
	struct cbor c = {(const uint8_t *)object.p, (const uint8_t *)object.p + object.n, false};
	uint64_t members = 0;
	*out = (struct yg_webauthn_attestation){0};
	if (object.n == 0 || object.n > YG_WEBAUTHN_DATA_MAX)
		return YG_FAIL(err, YG_PARSE, "the attestation is empty or too long");
	if (take_head(&c, &members) != 5 || members > 8)
		c.bad = true;
	for (uint64_t i = 0; i < members && !c.bad; i++) {
		struct yg_sv name = take_text(&c, 3);
		const char *from = (const char *)c.p;
		if (YG_SV_IS(name, "fmt")) {
			out->format = take_text(&c, 3);
		} else if (YG_SV_IS(name, "authData")) {
			out->auth_data = take_text(&c, 2);
		} else {
			skip_item(&c);
			if (YG_SV_IS(name, "attStmt") && !c.bad)
				out->statement =
					(struct yg_sv){from, (size_t)((const char *)c.p - from)};
		}
	}
	if (c.bad || c.p != c.end || out->format.n == 0 || out->auth_data.n == 0 ||
	    out->statement.n == 0)
		return YG_FAIL(err, YG_PARSE, "the attestation cannot be read");
	return YG_OK;
}

/* --- registration --- */

static void hash_of(struct yg_sv s, uint8_t out[static crypto_hash_sha256_BYTES])
{
	(void)crypto_hash_sha256(out, (const uint8_t *)s.p, s.n);
}

static const uint8_t *bytes_of(struct yg_sv s)
{
	return (const uint8_t *)s.p;
}

static void free_cred(fido_cred_t **c)
{
	fido_cred_free(c);
}

static void free_assert(fido_assert_t **a)
{
	fido_assert_free(a);
}

static bool is_for(struct yg_sv auth_data, const char *rp_id)
{
	uint8_t want[crypto_hash_sha256_BYTES];
	hash_of(yg_sv_of(rp_id), want);
	return auth_data.n > RP_HASH && sodium_memcmp(auth_data.p, want, RP_HASH) == 0;
}

static const int algorithms[] = {COSE_ES256, COSE_EDDSA, COSE_RS256};

/* The library wants to be told the algorithm before it reads the key: a fresh
 * object per try.  NULL: the data is not of this algorithm. */
static fido_cred_t *load(const struct yg_webauthn_site *site, struct yg_sv client_json,
			 const struct yg_webauthn_attestation *a, int algorithm)
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	fido_cred_t *c = fido_cred_new();
	hash_of(client_json, hash);
	if (c != NULL && fido_cred_set_type(c, algorithm) == FIDO_OK &&
	    fido_cred_set_clientdata_hash(c, hash, sizeof hash) == FIDO_OK &&
	    fido_cred_set_rp(c, site->rp_id, NULL) == FIDO_OK &&
	    fido_cred_set_uv(c, FIDO_OPT_TRUE) == FIDO_OK &&
	    fido_cred_set_authdata_raw(c, bytes_of(a->auth_data), a->auth_data.n) == FIDO_OK)
		return c;
	free_cred(&c);
	return NULL;
}

static yg_status check_attestation(fido_cred_t *c, const struct yg_webauthn_attestation *a,
				   struct yg_err *err)
{
	if (YG_SV_IS(a->format, "none"))
		return YG_OK;
	if (!YG_SV_IS(a->format, "packed") || fido_cred_set_fmt(c, "packed") != FIDO_OK ||
	    fido_cred_set_attstmt(c, bytes_of(a->statement), a->statement.n) != FIDO_OK ||
	    fido_cred_x5c_len(c) > 0)
		return YG_FAIL(err, YG_UNAUTH, "this kind of attestation is not taken");
	return fido_cred_verify_self(c) == FIDO_OK
		       ? YG_OK
		       : YG_FAIL(err, YG_UNAUTH, "the attestation's signature is wrong");
}

/* algorithm's place in the table, length of the site's name, name, public key */
static yg_status keep(const struct yg_webauthn_site *site, const fido_cred_t *c, size_t algorithm,
		      struct yg_arena *arena, struct yg_webauthn_key *out, struct yg_err *err)
{
	struct yg_sv id = {(const char *)fido_cred_id_ptr(c), fido_cred_id_len(c)};
	struct yg_sv key = {(const char *)fido_cred_pubkey_ptr(c), fido_cred_pubkey_len(c)};
	size_t rp_n = strlen(site->rp_id);
	if (id.p == NULL || key.p == NULL || id.n == 0 || id.n > YG_WEBAUTHN_ID_MAX || rp_n > 255)
		return YG_FAIL(err, YG_UNAUTH, "the passkey has no key");
	char *data = yg_arena_alloc(arena, 2 + rp_n + key.n, 1);
	out->id = yg_arena_dup(arena, id);
	if (data == NULL || out->id.p == NULL)
		return YG_FAIL(err, YG_NOMEM, "passkey");
	data[0] = (char)algorithm;
	data[1] = (char)(unsigned char)rp_n;
	memcpy(data + 2, site->rp_id, rp_n);
	memcpy(data + 2 + rp_n, key.p, key.n);
	out->data = (struct yg_sv){data, 2 + rp_n + key.n};
	out->counter = fido_cred_sigcount(c);
	return YG_OK;
}

yg_status yg_webauthn_register(const struct yg_webauthn_site *site, struct yg_sv client_json,
			       struct yg_sv object, struct yg_arena *arena,
			       struct yg_webauthn_key *out, struct yg_err *err)
{
	YG_AUTO(free_cred) fido_cred_t *c = NULL;
	struct yg_webauthn_attestation a;
	size_t algorithm = 0;
	yg_status st = yg_webauthn_split(object, &a, err);
	if (st != YG_OK)
		return st;
	for (; algorithm < YG_LEN(algorithms) && c == NULL; algorithm++)
		c = load(site, client_json, &a, algorithms[algorithm]);
	if (c == NULL)
		return YG_FAIL(err, YG_UNAUTH, "the passkey's key cannot be read");
	algorithm--;
	if (!is_for(a.auth_data, site->rp_id))
		return YG_FAIL(err, YG_UNAUTH, "the passkey is for another site");
	if ((fido_cred_flags(c) & (FLAG_UP | FLAG_UV)) != (FLAG_UP | FLAG_UV))
		return YG_FAIL(err, YG_UNAUTH, "the device did not check who uses it");
	st = check_attestation(c, &a, err);
	return st == YG_OK ? keep(site, c, algorithm, arena, out, err) : st;
}

/* --- signing in --- */

static int verify(const fido_assert_t *a, size_t algorithm, struct yg_sv key)
{
	union {
		es256_pk_t *es256;
		eddsa_pk_t *eddsa;
		rs256_pk_t *rs256;
	} k;
	int rc = FIDO_ERR_INTERNAL;
	switch (algorithms[algorithm]) {
	case COSE_ES256:
		k.es256 = es256_pk_new();
		if (k.es256 != NULL && es256_pk_from_ptr(k.es256, key.p, key.n) == FIDO_OK)
			rc = fido_assert_verify(a, 0, COSE_ES256, k.es256);
		es256_pk_free(&k.es256);
		break;
	case COSE_EDDSA:
		k.eddsa = eddsa_pk_new();
		if (k.eddsa != NULL && eddsa_pk_from_ptr(k.eddsa, key.p, key.n) == FIDO_OK)
			rc = fido_assert_verify(a, 0, COSE_EDDSA, k.eddsa);
		eddsa_pk_free(&k.eddsa);
		break;
	default:
		k.rs256 = rs256_pk_new();
		if (k.rs256 != NULL && rs256_pk_from_ptr(k.rs256, key.p, key.n) == FIDO_OK)
			rc = fido_assert_verify(a, 0, COSE_RS256, k.rs256);
		rs256_pk_free(&k.rs256);
		break;
	}
	return rc;
}

yg_status yg_webauthn_assert(const struct yg_webauthn_site *site, struct yg_sv data,
			     const struct yg_webauthn_proof *p, int64_t *out_counter,
			     struct yg_err *err)
{
	YG_AUTO(free_assert) fido_assert_t *a = fido_assert_new();
	uint8_t hash[crypto_hash_sha256_BYTES];
	size_t algorithm = data.n > 2 ? (unsigned char)data.p[0] : YG_LEN(algorithms);
	size_t rp_n = data.n > 2 ? (unsigned char)data.p[1] : 0;
	if (algorithm >= YG_LEN(algorithms) || data.n <= 2 + rp_n)
		return YG_FAIL(err, YG_UNAUTH, "the stored passkey cannot be read");
	if (!yg_sv_eq(yg_sv_sub(data, 2, rp_n), yg_sv_of(site->rp_id)) ||
	    !is_for(p->auth_data, site->rp_id))
		return YG_FAIL(err, YG_UNAUTH, "the passkey is for another site");
	hash_of(p->client_json, hash);
	if (a == NULL || fido_assert_set_count(a, 1) != FIDO_OK ||
	    fido_assert_set_clientdata_hash(a, hash, sizeof hash) != FIDO_OK ||
	    fido_assert_set_rp(a, site->rp_id) != FIDO_OK ||
	    fido_assert_set_up(a, FIDO_OPT_TRUE) != FIDO_OK ||
	    fido_assert_set_uv(a, FIDO_OPT_TRUE) != FIDO_OK)
		return YG_FAIL(err, YG_NOMEM, "passkey");
	if (p->auth_data.n > YG_WEBAUTHN_DATA_MAX ||
	    fido_assert_set_authdata_raw(a, 0, bytes_of(p->auth_data), p->auth_data.n) != FIDO_OK ||
	    fido_assert_set_sig(a, 0, bytes_of(p->signature), p->signature.n) != FIDO_OK)
		return YG_FAIL(err, YG_UNAUTH, "the passkey's answer cannot be read");
	if ((fido_assert_flags(a, 0) & (FLAG_UP | FLAG_UV)) != (FLAG_UP | FLAG_UV))
		return YG_FAIL(err, YG_UNAUTH, "the device did not check who uses it");
	if (verify(a, algorithm, yg_sv_sub(data, 2 + rp_n, data.n)) != FIDO_OK)
		return YG_FAIL(err, YG_UNAUTH, "the passkey's signature is wrong");
	*out_counter = fido_assert_sigcount(a, 0);
	return YG_OK;
}
