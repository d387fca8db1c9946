#include "dns/tsig.h"

#include <gnutls/crypto.h>

static const struct {
	const char *word, *name; /* ours; on the wire (RFC 8945 6) */
	gnutls_mac_algorithm_t mac;
} algorithms[] = {{"hmac-sha256", "hmac-sha256.", GNUTLS_MAC_SHA256},
		  {"hmac-sha384", "hmac-sha384.", GNUTLS_MAC_SHA384},
		  {"hmac-sha512", "hmac-sha512.", GNUTLS_MAC_SHA512},
		  {"hmac-sha224", "hmac-sha224.", GNUTLS_MAC_SHA224},
		  {"hmac-sha1", "hmac-sha1.", GNUTLS_MAC_SHA1}};

static yg_status secret_of(struct yg_tsig_key *k, struct yg_sv text, struct yg_err *err)
{
	struct yg_sv t = yg_sv_trim(text);
	gnutls_datum_t in = {(unsigned char *)(uintptr_t)t.p, (unsigned)t.n}, out = {NULL, 0};
	if (t.n == 0 || t.n > (size_t)YG_TSIG_SECRET_MAX * 2 ||
	    gnutls_base64_decode2(&in, &out) != 0)
		return YG_FAIL(err, YG_PARSE, "the key is not base64");
	bool fits = out.size > 0 && out.size <= sizeof k->secret;
	if (fits) {
		memcpy(k->secret, out.data, out.size);
		k->secret_n = out.size;
	}
	explicit_bzero(out.data, out.size);
	gnutls_free(out.data);
	return fits ? YG_OK : YG_FAIL(err, YG_PARSE, "the key is empty or too long");
}

yg_status yg_tsig_key_init(struct yg_tsig_key *k, struct yg_sv name, struct yg_sv algorithm,
			   struct yg_sv secret, struct yg_err *err)
{
	size_t i = 0;
	*k = (struct yg_tsig_key){.mac = 0};
	while (i < YG_LEN(algorithms) && !yg_sv_eq(algorithm, yg_sv_of(algorithms[i].word)))
		i++;
	if (i == YG_LEN(algorithms))
		return YG_FAIL(err, YG_PARSE, "the algorithm of a key is not known");
	k->mac = (int)algorithms[i].mac;
	k->mac_n = gnutls_hmac_get_len(algorithms[i].mac);
	(void)yg_dns_name_parse(yg_sv_of(algorithms[i].name), NULL, &k->algorithm, NULL);
	yg_status st = yg_dns_name_parse(name, NULL, &k->name, err);
	if (st != YG_OK || k->name.labels == 0)
		return YG_FAIL(err, YG_PARSE, "the name of a key is not a domain name");
	return secret_of(k, secret, err);
}

void yg_tsig_begin(struct yg_tsig *t, const struct yg_tsig_key *key)
{
	*t = (struct yg_tsig){.key = key};
}

static void hash_drop(struct yg_tsig *t)
{
	if (t->hash != NULL)
		gnutls_hmac_deinit(t->hash, NULL);
	t->hash = NULL;
}

void yg_tsig_end(struct yg_tsig *t)
{
	hash_drop(t);
	explicit_bzero(t->mac, sizeof t->mac);
}

/* A hash for the next message; what came before it is in it already. */
static yg_status hash_ready(struct yg_tsig *t, struct yg_err *err)
{
	gnutls_hmac_hd_t h;
	uint8_t n[2];
	if (t->hash != NULL)
		return YG_OK;
	if (gnutls_hmac_init(&h, (gnutls_mac_algorithm_t)t->key->mac, t->key->secret,
			     t->key->secret_n) != 0)
		return YG_FAIL(err, YG_NOMEM, "no memory to sign a message");
	t->hash = h;
	if (t->rounds > 0) {
		yg_dns_put16(n, (unsigned)t->mac_n);
		(void)gnutls_hmac(h, n, 2);
		(void)gnutls_hmac(h, t->mac, t->mac_n);
	}
	return YG_OK;
}

struct sig { /* what the record says */
	uint64_t time;
	uint16_t fudge, error, id;
	struct yg_sv mac, other;
};

static void put48(uint8_t *p, uint64_t v)
{
	yg_dns_put16(p, (unsigned)(v >> 32 & 0xffff));
	yg_dns_put32(p + 2, (uint32_t)v);
}

/* RFC 8945 4.3.3: the variables, or of later messages the times alone. */
static void hash_variables(struct yg_tsig *t, const struct sig *s)
{
	const struct yg_tsig_key *k = t->key;
	uint8_t times[8], rest[4], cls[6] = {0, YG_DNS_CLASS_ANY, 0, 0, 0, 0};
	put48(times, s->time);
	yg_dns_put16(times + 6, s->fudge);
	if (t->rounds <= 1) {
		(void)gnutls_hmac(t->hash, k->name.b, k->name.n);
		(void)gnutls_hmac(t->hash, cls, sizeof cls);
		(void)gnutls_hmac(t->hash, k->algorithm.b, k->algorithm.n);
	}
	(void)gnutls_hmac(t->hash, times, sizeof times);
	if (t->rounds <= 1) {
		yg_dns_put16(rest, s->error);
		yg_dns_put16(rest + 2, (unsigned)s->other.n);
		(void)gnutls_hmac(t->hash, rest, sizeof rest);
		if (s->other.n > 0)
			(void)gnutls_hmac(t->hash, s->other.p, s->other.n);
	}
}

static void hash_finish(struct yg_tsig *t, uint8_t out[static YG_TSIG_MAC_MAX])
{
	gnutls_hmac_deinit(t->hash, out);
	t->hash = NULL;
	t->unsigned_count = 0;
}

yg_status yg_tsig_sign(struct yg_tsig *t, uint8_t *p, size_t *n, size_t cap, uint64_t time,
		       struct yg_err *err)
{
	const struct yg_tsig_key *k = t->key;
	const struct sig s = {.time = time, .fudge = YG_TSIG_FUDGE};
	size_t rdata = (size_t)k->algorithm.n + 10 + k->mac_n + 6, at = *n;
	if (at < YG_DNS_HEADER || cap - at < k->name.n + 10 + rdata)
		return YG_FAIL(err, YG_LIMIT, "no room for a signature");
	yg_status st = hash_ready(t, err);
	if (st != YG_OK)
		return st;
	(void)gnutls_hmac(t->hash, p, at);
	hash_variables(t, &s);
	hash_finish(t, t->mac);
	t->mac_n = k->mac_n;
	t->rounds++;
	memcpy(p + at, k->name.b, k->name.n);
	at += k->name.n;
	yg_dns_put16(p + at, YG_DNS_TSIG);
	yg_dns_put16(p + at + 2, YG_DNS_CLASS_ANY);
	yg_dns_put32(p + at + 4, 0);
	yg_dns_put16(p + at + 8, (unsigned)rdata);
	at += 10;
	memcpy(p + at, k->algorithm.b, k->algorithm.n);
	at += k->algorithm.n;
	put48(p + at, time);
	yg_dns_put16(p + at + 6, s.fudge);
	yg_dns_put16(p + at + 8, (unsigned)k->mac_n);
	memcpy(p + at + 10, t->mac, k->mac_n);
	at += 10 + k->mac_n;
	memcpy(p + at, p, 2); /* the id that was signed */
	memset(p + at + 2, 0, 4);
	*n = at + 6;
	yg_dns_put16(p + 10, yg_dns_get16(p + 10) + 1u);
	return YG_OK;
}

/* The last record of the message, when it is a TSIG; *at: where it begins. */
static bool last_is_tsig(const uint8_t *p, size_t n, struct yg_dns_msg *m, struct yg_dns_rr *out)
{
	if (yg_dns_msg_read(p, n, m) != YG_OK)
		return false;
	struct yg_dns_iter it = yg_dns_records(m);
	bool found = false;
	while (yg_dns_rr_next(&it, out))
		found = out->type == YG_DNS_TSIG && out->section == YG_DNS_ADDITIONAL &&
			out->cls == YG_DNS_CLASS_ANY && it.left == 0 &&
			out->rdata + out->rdata_n == n;
	return found && !it.bad;
}

bool yg_tsig_is_signed(const uint8_t *p, size_t n)
{
	struct yg_dns_msg m;
	struct yg_dns_rr rr;
	return last_is_tsig(p, n, &m, &rr);
}

static yg_status read_sig(const struct yg_dns_msg *m, const struct yg_dns_rr *rr,
			  const struct yg_tsig_key *k, struct sig *s, struct yg_err *err)
{
	struct yg_dns_name name;
	size_t at = rr->rdata, end = rr->rdata + rr->rdata_n;
	if (yg_dns_rr_owner(m, rr, &name) != YG_OK || !yg_dns_name_eq(&name, &k->name))
		return YG_FAIL(err, YG_DENIED, "signed with another key");
	if (yg_dns_name_read_plain(m->p, end, &at, &name) != YG_OK || end - at < 16)
		return YG_FAIL(err, YG_PARSE, "the signature is cut short");
	if (!yg_dns_name_eq(&name, &k->algorithm))
		return YG_FAIL(err, YG_DENIED, "signed by another algorithm");
	const uint8_t *p = m->p + at;
	s->time = (uint64_t)yg_dns_get16(p) << 32 | yg_dns_get32(p + 2);
	s->fudge = yg_dns_get16(p + 6);
	s->mac = (struct yg_sv){(const char *)p + 10, yg_dns_get16(p + 8)};
	if (end - at - 16 < s->mac.n)
		return YG_FAIL(err, YG_PARSE, "the signature is cut short");
	p += 10 + s->mac.n;
	s->id = yg_dns_get16(p);
	s->error = yg_dns_get16(p + 2);
	s->other = (struct yg_sv){(const char *)p + 6, yg_dns_get16(p + 4)};
	if (end - at - 16 - s->mac.n != s->other.n)
		return YG_FAIL(err, YG_PARSE, "the signature lies about its length");
	return YG_OK;
}

static yg_status take_unsigned(struct yg_tsig *t, const uint8_t *p, size_t n, struct yg_err *err)
{
	if (t->rounds <= 1)
		return YG_FAIL(err, YG_DENIED, "the message is not signed");
	if (++t->unsigned_count > YG_TSIG_UNSIGNED)
		return YG_FAIL(err, YG_DENIED, "too many messages without signature");
	yg_status st = hash_ready(t, err);
	if (st == YG_OK)
		(void)gnutls_hmac(t->hash, p, n);
	return st;
}

yg_status yg_tsig_verify(struct yg_tsig *t, uint8_t *p, size_t *n, uint64_t time, bool *out_signed,
			 struct yg_err *err)
{
	struct yg_dns_msg m;
	struct yg_dns_rr rr;
	struct sig s = {.time = 0};
	uint8_t mac[YG_TSIG_MAC_MAX];
	*out_signed = last_is_tsig(p, *n, &m, &rr);
	if (!*out_signed)
		return take_unsigned(t, p, *n, err);
	yg_status st = read_sig(&m, &rr, t->key, &s, err);
	if (st == YG_OK && s.error != 0)
		st = YG_FAIL(err, YG_DENIED, "the other side refuses our signature: error %u%s",
			     s.error,
			     s.error == 16   ? ", bad signature"
			     : s.error == 17 ? ", unknown key"
			     : s.error == 18 ? ", clocks differ"
					     : "");
	if (st == YG_OK)
		st = hash_ready(t, err);
	if (st != YG_OK)
		return st;
	yg_dns_put16(p, s.id);
	yg_dns_put16(p + 10, yg_dns_get16(p + 10) - 1u);
	*n = rr.owner;
	(void)gnutls_hmac(t->hash, p, *n);
	hash_variables(t, &s);
	hash_finish(t, mac);
	if (s.mac.n != t->key->mac_n || gnutls_memcmp(mac, s.mac.p, s.mac.n) != 0)
		return YG_FAIL(err, YG_DENIED, "the signature is wrong");
	if (time + s.fudge < s.time || s.time + s.fudge < time)
		return YG_FAIL(err, YG_DENIED, "the signature is of another time: clocks differ");
	memcpy(t->mac, mac, s.mac.n);
	t->mac_n = s.mac.n;
	t->rounds++;
	return YG_OK;
}
