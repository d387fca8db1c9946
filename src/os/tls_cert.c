#include "os/tls_cert.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <unistd.h>

#include "os/file.h"

#define YEARS 10

static void key_end(gnutls_x509_privkey_t *k)
{
	if (*k != NULL)
		gnutls_x509_privkey_deinit(*k);
}
static void crt_end(gnutls_x509_crt_t *c)
{
	if (*c != NULL)
		gnutls_x509_crt_deinit(*c);
}
static void datum_end(gnutls_datum_t *d)
{
	if (d->data != NULL)
		gnutls_free(d->data);
}

static yg_status tls_failed(struct yg_err *err, int rc, const char *what)
{
	return YG_FAIL(err, YG_INTERNAL, "%s: %s", what, gnutls_strerror(rc));
}

/* Names first to last: a failure stays. */
static int names(gnutls_x509_crt_t crt)
{
	static const uint8_t v4[4] = {127, 0, 0, 1};
	static const uint8_t v6[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
	char host[256] = "";
	int rc = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, "localhost", 9,
						      GNUTLS_FSAN_SET);
	if (rc == 0)
		rc = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, v4, sizeof v4,
							  GNUTLS_FSAN_APPEND);
	if (rc == 0)
		rc = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, v6, sizeof v6,
							  GNUTLS_FSAN_APPEND);
	if (rc == 0 && gethostname(host, sizeof host - 1) == 0 && host[0] != '\0' &&
	    strcmp(host, "localhost") != 0)
		rc = gnutls_x509_crt_set_subject_alt_name(
			crt, GNUTLS_SAN_DNSNAME, host, (unsigned)strlen(host), GNUTLS_FSAN_APPEND);
	return rc;
}

static int fill(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const struct yg_env *env)
{
	static const char cn[] = "Yagura (self-signed)";
	uint8_t serial[16];
	uint8_t id[64];
	size_t id_n = sizeof id;
	time_t now = (time_t)(yg_env_wall(env).us / YG_US_PER_S);
	env->random(env->ctx, serial, sizeof serial);
	serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40); /* positive, and no leading zero */
	int rc = gnutls_x509_crt_set_version(crt, 3);
	if (rc == 0)
		rc = gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
	if (rc == 0) /* a clock that is a little behind must not make it "not yet valid" */
		rc = gnutls_x509_crt_set_activation_time(crt, now - 86400);
	if (rc == 0)
		rc = gnutls_x509_crt_set_expiration_time(crt, now + (time_t)YEARS * 365 * 86400);
	if (rc == 0)
		rc = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, cn,
						   sizeof cn - 1);
	if (rc == 0)
		rc = gnutls_x509_crt_set_key(crt, key);
	if (rc == 0)
		rc = names(crt);
	if (rc == 0)
		rc = gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
	if (rc == 0)
		rc = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (rc == 0)
		rc = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
	if (rc == 0)
		rc = gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, id, &id_n);
	if (rc == 0)
		rc = gnutls_x509_crt_set_subject_key_id(crt, id, id_n);
	if (rc == 0)
		rc = gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
	return rc;
}

yg_status yg_tls_self_signed(const char *cert_path, const char *key_path, const struct yg_env *env,
			     struct yg_err *err)
{
	YG_AUTO(key_end) gnutls_x509_privkey_t key = NULL;
	YG_AUTO(crt_end) gnutls_x509_crt_t crt = NULL;
	YG_AUTO(datum_end) gnutls_datum_t key_pem = {NULL, 0};
	YG_AUTO(datum_end) gnutls_datum_t crt_pem = {NULL, 0};
	int rc = gnutls_x509_privkey_init(&key);
	if (rc == 0)
		rc = gnutls_x509_crt_init(&crt);
	if (rc == 0)
		rc = gnutls_x509_privkey_generate(
			key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	if (rc == 0)
		rc = fill(crt, key, env);
	if (rc == 0)
		rc = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL,
						       GNUTLS_PKCS_PLAIN, &key_pem);
	if (rc == 0)
		rc = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &crt_pem);
	if (rc != 0)
		return tls_failed(err, rc, "making the self-signed certificate");
	/* the key first: a certificate without its key would look complete */
	yg_status st = yg_file_write(key_path, (struct yg_sv){(char *)key_pem.data, key_pem.size},
				     0600, err);
	gnutls_memset(key_pem.data, 0, key_pem.size);
	if (st == YG_OK)
		st = yg_file_write(cert_path, (struct yg_sv){(char *)crt_pem.data, crt_pem.size},
				   0644, err);
	return st;
}

yg_status yg_tls_pair_check(struct yg_sv cert_pem, struct yg_sv key_pem, struct yg_err *err)
{
	gnutls_certificate_credentials_t cred;
	gnutls_datum_t c = {(unsigned char *)(uintptr_t)cert_pem.p, (unsigned)cert_pem.n};
	gnutls_datum_t k = {(unsigned char *)(uintptr_t)key_pem.p, (unsigned)key_pem.n};
	int rc = gnutls_certificate_allocate_credentials(&cred);
	if (rc != 0)
		return tls_failed(err, rc, "checking certificate and key");
	rc = gnutls_certificate_set_x509_key_mem(cred, &c, &k, GNUTLS_X509_FMT_PEM);
	gnutls_certificate_free_credentials(cred);
	if (rc < 0)
		return YG_FAIL(err, YG_PARSE, "certificate and key cannot be used: %s",
			       gnutls_strerror(rc));
	return YG_OK;
}

static bool is_host(struct yg_sv name)
{
	return yg_sv_find(name, '.', 0) < name.n && yg_sv_find(name, '*', 0) == name.n;
}

yg_status yg_tls_cert_host(struct yg_sv cert_pem, struct yg_sb *out)
{
	__attribute__((cleanup(crt_end))) gnutls_x509_crt_t crt = NULL;
	gnutls_datum_t d = {(unsigned char *)(uintptr_t)cert_pem.p, (unsigned)cert_pem.n};
	char name[256];
	if (gnutls_x509_crt_init(&crt) != 0)
		return YG_NOMEM;
	if (gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_PEM) != 0)
		return YG_PARSE;
	for (unsigned i = 0;; i++) {
		size_t n = sizeof name;
		int type = gnutls_x509_crt_get_subject_alt_name(crt, i, name, &n, NULL);
		if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return YG_NOTFOUND;
		struct yg_sv host = {name, n};
		if (type != GNUTLS_SAN_DNSNAME || !is_host(host))
			continue;
		yg_sb_put(out, host);
		return out->cut ? YG_LIMIT : YG_OK;
	}
}
