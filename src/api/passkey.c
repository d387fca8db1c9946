/* Passkeys between the browser's JSON and org/webauthn.h. */
#include "api/page.h"
#include "api/sign_in.h"
#include "base/codec.h"
#include "org/webauthn.h"

struct site {
	char rp_id[256], origin[300];
	struct yg_webauthn_site s;
};

/* The name of the site is the one it is configured to have, else the one that was
 * asked for.  Browsers refuse addresses. */
static yg_status this_site(struct yg_api *api, const struct yg_request *q, struct site *out,
			   struct yg_err *err)
{
	char url[300];
	struct yg_sv host = q->header[YG_HH_HOST];
	struct yg_ip ip;
	struct yg_sv whole =
		yg_public_url(yg_api_conf(api), host.p != NULL ? host : YG_SV(""), url, sizeof url);
	struct yg_sb o = yg_sb_init(out->origin, sizeof out->origin);
	struct yg_sb n = yg_sb_init(out->rp_id, sizeof out->rp_id);
	struct yg_sv name = yg_sv_sub(whole, 8, whole.n); /* behind "https://" */
	name = yg_sv_sub(name, 0, yg_sv_find(name, ':', 0));
	for (size_t i = 0; i < whole.n; i++) {
		char c = whole.p[i];
		yg_sb_putc(&o, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
	}
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		yg_sb_putc(&n, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
	}
	out->s.rp_id = yg_sb_cstr(&n);
	out->s.origin = yg_sb_sv(&o);
	if (name.n == 0 || name.p[0] == '[' || yg_ip_parse(name, &ip) == YG_OK || o.cut || n.cut)
		return YG_FAIL(err, YG_CONFLICT,
			       "passkeys need a host name in the address, such as localhost");
	return YG_OK;
}

static void put_challenge(struct yg_api *api, struct yg_jo *j, const char *purpose,
			  struct yg_sv bound)
{
	char text[YG_CHALLENGE_TEXT + 1];
	yg_challenge_make(yg_sign_in_challenges(api), purpose, bound, text);
	yg_jo_str(j, "challenge_id", yg_sv_of(text));
	yg_jo_key(j, "publicKey");
	yg_jo_begin(j, '{');
	yg_jo_str(j, "challenge", yg_sv_of(text));
	yg_jo_int(j, "timeout", YG_CHALLENGE_S * 1000);
}

yg_status yg_put_passkey_get(struct yg_api *api, struct yg_request *q, struct yg_jo *j,
			     struct yg_err *err)
{
	struct site site;
	yg_status st = this_site(api, q, &site, err);
	if (st != YG_OK)
		return st;
	put_challenge(api, j, "get", YG_SV(""));
	yg_jo_str(j, "rpId", yg_sv_of(site.rp_id));
	yg_jo_str(j, "userVerification", YG_SV("required"));
	yg_jo_key(j, "allowCredentials"); /* none named: that would tell who has some */
	yg_jo_begin(j, '[');
	yg_jo_end(j, ']');
	yg_jo_end(j, '}');
	return YG_OK;
}

static void put_user(struct yg_api *api, struct yg_jo *j, const struct yg_passkey_user *u)
{
	char text[64];
	uint8_t random[16];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	api->env->random(api->env->ctx, random, sizeof random);
	if (u->id.n > 0)
		yg_sb_base64url(&b, u->id.p, u->id.n);
	else
		yg_sb_base64url(&b, random, sizeof random);
	yg_jo_key(j, "user");
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", yg_sb_sv(&b));
	yg_jo_str(j, "name", u->login);
	yg_jo_str(j, "displayName", u->name);
	yg_jo_end(j, '}');
}

static void put_ids(struct yg_jo *j, const struct yg_passkey_user *u)
{
	yg_jo_key(j, "excludeCredentials");
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < u->have_count; i++) {
		yg_jo_begin(j, '{');
		yg_jo_str(j, "type", YG_SV("public-key"));
		yg_jo_str(j, "id", u->have[i].name);
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
}

yg_status yg_put_passkey_create(struct yg_api *api, struct yg_request *q, struct yg_jo *j,
				const struct yg_passkey_user *u, struct yg_err *err)
{
	static const int algorithms[] = {-7, -8, -257}; /* ES256, EdDSA, RS256 */
	struct site site;
	yg_status st = this_site(api, q, &site, err);
	if (st != YG_OK)
		return st;
	put_challenge(api, j, "create", u->bound);
	yg_jo_key(j, "rp");
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", yg_sv_of(site.rp_id));
	yg_jo_str(j, "name", YG_SV("Yagura"));
	yg_jo_end(j, '}');
	put_user(api, j, u);
	yg_jo_key(j, "pubKeyCredParams");
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < YG_LEN(algorithms); i++) {
		yg_jo_begin(j, '{');
		yg_jo_str(j, "type", YG_SV("public-key"));
		yg_jo_int(j, "alg", algorithms[i]);
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
	put_ids(j, u);
	yg_jo_key(j, "authenticatorSelection");
	yg_jo_begin(j, '{');
	yg_jo_str(j, "residentKey", YG_SV("required"));
	yg_jo_bool(j, "requireResidentKey", true);
	yg_jo_str(j, "userVerification", YG_SV("required"));
	yg_jo_end(j, '}');
	yg_jo_str(j, "attestation", YG_SV("none"));
	yg_jo_end(j, '}');
	return YG_OK;
}

/* --- what the browser sends back --- */

#define BIG 32768
enum { R_CLIENT, R_AUTH, R_SIGNATURE, R_HANDLE, R_OBJECT, R_COUNT };
struct answer {
	struct yg_sv id; /* base64url as sent */
	struct yg_sv bytes[R_COUNT];
};

static yg_status read_answer(struct yg_request *q, struct yg_body *b, uint32_t node,
			     struct answer *out, struct yg_err *err)
{
	static const struct yg_field outer[] = {
		{"id", YG_F_TEXT, YG_F_NEEDED, 1, 1400, NULL},
		{"rawId", YG_F_TEXT, 0, 1, 1400, NULL},
		{"type", YG_F_TEXT, 0, 1, 32, "public-key"},
		{"response", YG_F_OBJECT, YG_F_NEEDED, 0, 0, NULL},
		{"authenticatorAttachment", YG_F_TEXT, YG_F_NULL, 0, 32, NULL},
		{"clientExtensionResults", YG_F_OBJECT, 0, 0, 0, NULL},
	};
	static const struct yg_field inner[] = {
		[R_CLIENT] = {"clientDataJSON", YG_F_TEXT, YG_F_NEEDED, 1, BIG, NULL},
		[R_AUTH] = {"authenticatorData", YG_F_TEXT, 0, 1, BIG, NULL},
		[R_SIGNATURE] = {"signature", YG_F_TEXT, 0, 1, BIG, NULL},
		[R_HANDLE] = {"userHandle", YG_F_TEXT, YG_F_NULL, 0, 128, NULL},
		[R_OBJECT] = {"attestationObject", YG_F_TEXT, 0, 1, BIG, NULL},
		{"transports", YG_F_TEXTS, 0, 0, 16, NULL},
		{"publicKey", YG_F_TEXT, YG_F_NULL, 0, BIG, NULL},
		{"publicKeyAlgorithm", YG_F_INT, 0, -65536, 65536, NULL},
	};
	struct yg_value o[YG_LEN(outer)], v[YG_LEN(inner)];
	yg_status st = yg_body_read_at(b, q, node, "/credential", outer, YG_LEN(outer), o, err);
	if (st == YG_OK)
		st = yg_body_read_at(b, q, o[3].node, "/credential/response", inner, YG_LEN(inner),
				     v, err);
	for (size_t i = 0; st == YG_OK && i < R_COUNT; i++) {
		if (!v[i].given || v[i].null)
			continue;
		st = yg_base64url_decode(q->arena, v[i].text, &out->bytes[i], err);
	}
	out->id = st == YG_OK ? o[0].text : YG_SV("");
	return st;
}

/* The challenge that was signed must be the one that is presented as ours. */
static yg_status same_challenge(struct yg_request *q, const struct answer *a, const char *type,
				const struct site *site, struct yg_sv challenge_id,
				struct yg_err *err)
{
	struct yg_webauthn_client client;
	yg_status st = yg_webauthn_client(a->bytes[R_CLIENT], type, site->s.origin, q->arena,
					  &client, err);
	if (st == YG_OK && !yg_sv_eq(client.challenge, challenge_id))
		return YG_FAIL(err, YG_UNAUTH, "another challenge was signed");
	return st;
}

static yg_status find_passkey(struct yg_request *q, struct yg_state *db, struct yg_sv id,
			      struct yg_credential *c, struct yg_person *p, struct yg_err *err)
{
	yg_status st = yg_credential_find(db, "passkey", id, q->arena, c, err);
	if (st == YG_OK)
		st = yg_person_get(db, c->person, q->arena, p, err);
	if (st == YG_NOTFOUND || (st == YG_OK && !YG_SV_IS(p->state, "active")))
		return YG_FAIL(err, YG_UNAUTH, "this passkey is not known here");
	return st;
}

yg_status yg_passkey_proof(struct yg_api *api, struct yg_request *q, struct yg_state *db,
			   struct yg_body *b, struct yg_sv challenge_id, uint32_t credential,
			   struct yg_person *out, struct yg_err *err)
{
	struct site site;
	struct answer a = {0};
	struct yg_credential c;
	int64_t counter = 0;
	yg_status st = this_site(api, q, &site, err);
	if (st == YG_OK)
		st = read_answer(q, b, credential, &a, err);
	if (st == YG_OK)
		st = same_challenge(q, &a, "webauthn.get", &site, challenge_id, err);
	if (st == YG_OK)
		st = find_passkey(q, db, a.id, &c, out, err);
	if (st != YG_OK)
		return st;
	struct yg_webauthn_proof proof = {a.bytes[R_CLIENT], a.bytes[R_AUTH], a.bytes[R_SIGNATURE]};
	st = yg_webauthn_assert(&site.s, c.data, &proof, &counter, err);
	if (st == YG_OK)
		st = yg_challenge_use(yg_sign_in_challenges(api), "get", YG_SV(""), challenge_id,
				      err);
	struct yg_sb who = yg_sb_init(q->who.actor, sizeof q->who.actor);
	yg_sb_put(&who, YG_SV("person:"));
	yg_sb_put(&who, out->id);
	(void)yg_sb_cstr(&who);
	struct yg_act act = yg_request_act(q, api, db);
	return st == YG_OK ? yg_credential_used(&act, &c, counter, err) : st;
}

yg_status yg_passkey_new(struct yg_api *api, struct yg_request *q, struct yg_body *b,
			 struct yg_sv bound, struct yg_sv challenge_id, uint32_t credential,
			 struct yg_credential *out, struct yg_err *err)
{
	struct site site;
	struct answer a = {0};
	struct yg_webauthn_key key;
	yg_status st = this_site(api, q, &site, err);
	if (st == YG_OK)
		st = read_answer(q, b, credential, &a, err);
	if (st == YG_OK)
		st = same_challenge(q, &a, "webauthn.create", &site, challenge_id, err);
	if (st == YG_OK)
		st = yg_webauthn_register(&site.s, a.bytes[R_CLIENT], a.bytes[R_OBJECT], q->arena,
					  &key, err);
	if (st == YG_OK)
		st = yg_challenge_use(yg_sign_in_challenges(api), "create", bound, challenge_id,
				      err);
	char *text = st == YG_OK ? yg_arena_alloc(q->arena, key.id.n * 2 + 4, 1) : NULL;
	if (text == NULL)
		return st != YG_OK ? st : YG_FAIL(err, YG_NOMEM, "passkey");
	struct yg_sb id = yg_sb_init(text, key.id.n * 2 + 4);
	yg_sb_base64url(&id, key.id.p, key.id.n);
	*out = (struct yg_credential){.kind = YG_SV_INIT("passkey"),
				      .name = yg_sb_sv(&id),
				      .data = key.data,
				      .label = YG_SV_INIT(""),
				      .counter = key.counter};
	return YG_OK;
}
