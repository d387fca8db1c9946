/* tls_cert.h - the self-signed certificate of the first start. */
#pragma once
#include "base/env.h"

/* Makes an ECDSA P-256 key and a certificate for localhost, 127.0.0.1, ::1 and
 * this machine's name, valid for 10 years from a day ago, and writes both in
 * PEM (key 0600, certificate 0644), each whole and durable. */
yg_status yg_tls_self_signed(const char *cert_path, const char *key_path, const struct yg_env *env,
			     struct yg_err *err);
/* Both are PEM and belong together. */
yg_status yg_tls_pair_check(struct yg_sv cert_pem, struct yg_sv key_pem, struct yg_err *err);
/* The first host that a certificate (PEM, the first of a chain) is for: a DNS name
 * with a dot in it and no wildcard.  YG_OK | YG_NOTFOUND | YG_PARSE | YG_NOMEM. */
yg_status yg_tls_cert_host(struct yg_sv cert_pem, struct yg_sb *out);
