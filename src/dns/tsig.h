/* tsig.h - messages signed with a shared key (RFC 8945).  The clock is the caller's.
 * One struct yg_tsig is one exchange: a request, then one answer or many. */
#pragma once
#include "format/dns.h"

#define YG_TSIG_MAC_MAX    64
#define YG_TSIG_FUDGE      300 /* s: RFC 8945 10 */
#define YG_TSIG_UNSIGNED   99  /* RFC 8945 5.3.1: at most so many between signed ones */
#define YG_TSIG_SECRET_MAX 512

struct yg_tsig_key {
	struct yg_dns_name name, algorithm;
	int mac; /* GnuTLS's number */
	size_t mac_n, secret_n;
	uint8_t secret[YG_TSIG_SECRET_MAX];
};
/* name: of the key; algorithm: "hmac-sha256"; secret: base64, blanks around it.
 * YG_OK | YG_PARSE (says which).  Wipe the key with explicit_bzero() in the end. */
yg_status yg_tsig_key_init(struct yg_tsig_key *k, struct yg_sv name, struct yg_sv algorithm,
			   struct yg_sv secret, struct yg_err *err);

struct yg_tsig {
	const struct yg_tsig_key *key; /* borrowed */
	void *hash;                    /* owned: of the message to come; NULL: none begun */
	unsigned rounds;               /* signed messages so far */
	unsigned unsigned_count;       /* since the last signed one */
	size_t mac_n;
	uint8_t mac[YG_TSIG_MAC_MAX]; /* of the last signed message */
};
void yg_tsig_begin(struct yg_tsig *t, const struct yg_tsig_key *key);
void yg_tsig_end(struct yg_tsig *t);
/* Signs the message of *n octets at p, which has room for cap: the record goes behind
 * everything.  time: seconds of the wall clock.  YG_OK | YG_LIMIT (no room) | YG_NOMEM. */
yg_status yg_tsig_sign(struct yg_tsig *t, uint8_t *p, size_t *n, size_t cap, uint64_t time,
		       struct yg_err *err);
/* Verifies it and takes the record off (*n, count).  *out_signed: false where a message
 * between signed ones has none; it holds once a later one verifies.
 * YG_OK | YG_DENIED (says why) | YG_PARSE | YG_NOMEM. */
yg_status yg_tsig_verify(struct yg_tsig *t, uint8_t *p, size_t *n, uint64_t time, bool *out_signed,
			 struct yg_err *err);
/* Is the last record of the message a TSIG? */
bool yg_tsig_is_signed(const uint8_t *p, size_t n);
