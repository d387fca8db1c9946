#include "os/tls_server.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>

#define RX_MAX   ((size_t)1 << 20)
#define TX_MAX   ((size_t)256 << 10)
#define RX_KEEP  ((size_t)4 << 10) /* a buffer that is empty keeps so much */
#define ALPN_MAX 4

struct yg_tls_context {
	gnutls_certificate_credentials_t cred;
	gnutls_priority_t priority;
	gnutls_datum_t ticket_key; /* owned; .data NULL: none */
	char alpn_text[64];
	gnutls_datum_t alpn[ALPN_MAX]; /* into alpn_text */
	unsigned alpn_n;
	bool client_certs, optional;
};
struct yg_tls {
	gnutls_session_t session;
	struct yg_buf rx, tx;
	size_t rx_at;
	bool ready, optional;
	struct yg_tls_peer peer; /* of a client; .name is name */
	char name[256];
};

static gnutls_datum_t datum(struct yg_sv s)
{
	union { /* GnuTLS does not write to it */
		const char *c;
		unsigned char *u;
	} p = {.c = s.p};
	return (gnutls_datum_t){p.u, (unsigned)s.n};
}

yg_status yg_tls_context_new(struct yg_sv cert, struct yg_sv key, struct yg_sv ca,
			     struct yg_tls_context **out, struct yg_err *err)
{
	struct yg_tls_context *c = calloc(1, sizeof *c);
	if (c == NULL)
		return YG_FAIL(err, YG_NOMEM, "TLS");
	gnutls_datum_t dc = datum(cert), dk = datum(key), da = datum(ca);
	int rc = gnutls_certificate_allocate_credentials(&c->cred);
	if (rc == 0)
		rc = gnutls_priority_init(&c->priority, NULL, NULL);
	if (rc == 0)
		rc = gnutls_certificate_set_x509_key_mem(c->cred, &dc, &dk, GNUTLS_X509_FMT_PEM);
	if (rc == 0 && ca.n > 0) {
		int n = gnutls_certificate_set_x509_trust_mem(c->cred, &da, GNUTLS_X509_FMT_PEM);
		rc = n > 0 ? 0 : n < 0 ? n : GNUTLS_E_NO_CERTIFICATE_FOUND;
		c->client_certs = true;
	}
	if (rc != 0) {
		yg_tls_context_free(c);
		return YG_FAIL(err, rc == GNUTLS_E_MEMORY_ERROR ? YG_NOMEM : YG_PARSE,
			       "TLS certificate and key: %s", gnutls_strerror(rc));
	}
	*out = c;
	return YG_OK;
}

void yg_tls_context_free(struct yg_tls_context *c)
{
	if (c == NULL)
		return;
	if (c->cred != NULL)
		gnutls_certificate_free_credentials(c->cred);
	if (c->priority != NULL)
		gnutls_priority_deinit(c->priority);
	if (c->ticket_key.data != NULL) {
		gnutls_memset(c->ticket_key.data, 0, c->ticket_key.size);
		gnutls_free(c->ticket_key.data);
	}
	free(c);
}

yg_status yg_tls_context_alpn(struct yg_tls_context *c, struct yg_sv protocols)
{
	struct yg_sb b = yg_sb_init(c->alpn_text, sizeof c->alpn_text);
	struct yg_sv one;
	yg_sb_put(&b, protocols);
	struct yg_sv rest = yg_sb_sv(&b);
	if (b.cut)
		return YG_INVAL;
	c->alpn_n = 0;
	while (rest.n > 0 && yg_sv_cut(&rest, ' ', &one)) {
		if (c->alpn_n == ALPN_MAX || one.n == 0)
			return YG_INVAL;
		c->alpn[c->alpn_n++] = datum(one);
	}
	return YG_OK;
}

void yg_tls_context_optional(struct yg_tls_context *c)
{
	c->optional = true;
}

yg_status yg_tls_context_tickets(struct yg_tls_context *c)
{
	return gnutls_session_ticket_key_generate(&c->ticket_key) == 0 ? YG_OK : YG_NOMEM;
}

static ssize_t pull(gnutls_transport_ptr_t p, void *to, size_t n)
{
	struct yg_tls *t = p;
	size_t have = t->rx.n - t->rx_at;
	if (have == 0) {
		gnutls_transport_set_errno(t->session, EAGAIN);
		return -1;
	}
	n = YG_MIN(n, have);
	memcpy(to, t->rx.p + t->rx_at, n);
	t->rx_at += n;
	return (ssize_t)n;
}

static ssize_t push(gnutls_transport_ptr_t p, const void *from, size_t n)
{
	struct yg_tls *t = p;
	yg_buf_put(&t->tx, (struct yg_sv){from, n});
	if (t->tx.bad) {
		gnutls_transport_set_errno(t->session, ENOBUFS);
		return -1;
	}
	return (ssize_t)n;
}

yg_status yg_tls_new(struct yg_tls_context *context, struct yg_tls **out, struct yg_err *err)
{
	struct yg_tls *t = calloc(1, sizeof *t);
	if (t == NULL)
		return YG_FAIL(err, YG_NOMEM, "TLS");
	yg_buf_init(&t->rx, RX_MAX);
	yg_buf_init(&t->tx, TX_MAX);
	int rc = gnutls_init(&t->session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
	if (rc == 0)
		rc = gnutls_priority_set(t->session, context->priority);
	if (rc == 0)
		rc = gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, context->cred);
	if (rc == 0 && context->alpn_n > 0)
		rc = gnutls_alpn_set_protocols(t->session, context->alpn, context->alpn_n,
					       GNUTLS_ALPN_MANDATORY |
						       GNUTLS_ALPN_SERVER_PRECEDENCE);
	if (rc == 0 && context->ticket_key.data != NULL)
		rc = gnutls_session_ticket_enable_server(t->session, &context->ticket_key);
	if (rc != 0) {
		yg_tls_free(t);
		return YG_FAIL(err, YG_NOMEM, "TLS: %s", gnutls_strerror(rc));
	}
	t->optional = context->optional;
	if (context->client_certs && context->optional) {
		gnutls_certificate_server_set_request(t->session, GNUTLS_CERT_REQUEST);
	} else if (context->client_certs) {
		gnutls_certificate_server_set_request(t->session, GNUTLS_CERT_REQUIRE);
		gnutls_session_set_verify_cert(t->session, NULL, 0);
	} else {
		gnutls_certificate_server_set_request(t->session, GNUTLS_CERT_IGNORE);
	}
	gnutls_handshake_set_timeout(t->session, 0); /* the caller watches the clock */
	gnutls_transport_set_ptr(t->session, t);
	gnutls_transport_set_pull_function(t->session, pull);
	gnutls_transport_set_push_function(t->session, push);
	*out = t;
	return YG_OK;
}

void yg_tls_free(struct yg_tls *t)
{
	if (t == NULL)
		return;
	if (t->session != NULL)
		gnutls_deinit(t->session);
	yg_buf_free(&t->rx);
	yg_buf_free(&t->tx);
	free(t);
}

yg_status yg_tls_feed(struct yg_tls *t, struct yg_sv bytes)
{
	if (t->rx_at == t->rx.n)
		t->rx_at = t->rx.n = 0;
	if (t->rx_at > 0) { /* only what is not read yet stays */
		memmove(t->rx.p, t->rx.p + t->rx_at, t->rx.n - t->rx_at);
		t->rx.n -= t->rx_at;
		t->rx_at = 0;
	}
	if (t->rx.n + bytes.n > RX_MAX)
		return YG_LIMIT;
	yg_buf_put(&t->rx, bytes);
	return t->rx.bad ? YG_NOMEM : YG_OK;
}

static yg_status outcome(int rc, const char *what, yg_status refused, struct yg_err *err)
{
	if (rc == GNUTLS_E_AGAIN || rc == GNUTLS_E_INTERRUPTED)
		return YG_AGAIN;
	if (rc == 0 || rc == GNUTLS_E_PREMATURE_TERMINATION)
		return YG_NOTFOUND;
	return YG_FAIL(err, refused, "%s: %s", what, gnutls_strerror(rc));
}

/* Who may show a certificate but need not: one that is shown must be good. */
static yg_status check_peer(struct yg_tls *t, struct yg_err *err)
{
	unsigned n = 0, status = 0;
	if (!t->optional || gnutls_certificate_get_peers(t->session, &n) == NULL || n == 0)
		return YG_OK;
	int rc = gnutls_certificate_verify_peers2(t->session, &status);
	if (rc == 0 && status == 0)
		return YG_OK;
	(void)gnutls_alert_send(t->session, GNUTLS_AL_FATAL, GNUTLS_A_BAD_CERTIFICATE);
	return YG_FAIL(err, YG_DENIED, "TLS: the client's certificate is not valid here");
}

static yg_status shake_hands(struct yg_tls *t, struct yg_err *err)
{
	while (!t->ready) {
		int rc = gnutls_handshake(t->session);
		if (rc == 0) {
			yg_status st = check_peer(t, err);
			if (st != YG_OK)
				return st;
			t->ready = true;
		} else if (rc == GNUTLS_E_AGAIN || rc == GNUTLS_E_INTERRUPTED) {
			return YG_AGAIN;
		} else if (gnutls_error_is_fatal(rc) != 0) {
			(void)gnutls_alert_send_appropriate(t->session, rc);
			return outcome(rc, "TLS handshake", YG_DENIED, err);
		}
	}
	return YG_OK;
}

yg_status yg_tls_read(struct yg_tls *t, char *out, size_t cap, size_t *out_n, struct yg_err *err)
{
	*out_n = 0;
	yg_status st = shake_hands(t, err);
	if (st != YG_OK)
		return st;
	for (;;) {
		size_t before = t->rx_at;
		ssize_t n = gnutls_record_recv(t->session, out, cap);
		/* a ticket was read, and there is more behind it */
		if (n == GNUTLS_E_AGAIN && t->rx_at > before && t->rx_at < t->rx.n)
			continue;
		if (n > 0) {
			*out_n = (size_t)n;
			return YG_OK;
		}
		/* A warning alert or a renegotiation that is not granted: go on. */
		if (n == 0 || gnutls_error_is_fatal((int)n) != 0 || n == GNUTLS_E_AGAIN ||
		    n == GNUTLS_E_INTERRUPTED)
			return outcome((int)n, "TLS", YG_IO, err);
	}
}

bool yg_tls_ready(const struct yg_tls *t)
{
	return t->ready;
}

struct yg_sv yg_tls_output(const struct yg_tls *t)
{
	return yg_buf_sv(&t->tx);
}

void yg_tls_output_taken(struct yg_tls *t)
{
	t->tx.n = 0;
	if (t->tx.cap > RX_KEEP)
		yg_buf_free(&t->tx);
	if (t->rx_at == t->rx.n && t->rx.cap > RX_KEEP) {
		yg_buf_free(&t->rx);
		t->rx_at = 0;
	}
}

yg_status yg_tls_write(struct yg_tls *t, struct yg_sv plain)
{
	if (!t->ready)
		return YG_IO;
	while (plain.n > 0) {
		ssize_t n = gnutls_record_send(t->session, plain.p, plain.n);
		if (n <= 0)
			return t->tx.bad ? YG_LIMIT : YG_IO;
		plain = yg_sv_sub(plain, (size_t)n, plain.n);
	}
	return YG_OK;
}

bool yg_tls_server_name(const struct yg_tls *t, struct yg_sb *out)
{
	char name[256];
	size_t n = sizeof name;
	unsigned type;
	if (gnutls_server_name_get(t->session, name, &n, &type, 0) != 0 || type != GNUTLS_NAME_DNS)
		return false;
	yg_sb_put(out, (struct yg_sv){name, n});
	return !out->cut;
}

bool yg_tls_peer_sha256(const struct yg_tls *t, uint8_t out[static 32])
{
	unsigned n = 0;
	size_t size = 32;
	const gnutls_datum_t *list = gnutls_certificate_get_peers(t->session, &n);
	return list != NULL && n > 0 &&
	       gnutls_fingerprint(GNUTLS_DIG_SHA256, &list[0], out, &size) == 0 && size == 32;
}

void yg_tls_bye(struct yg_tls *t)
{
	if (t->ready)
		(void)gnutls_bye(t->session, GNUTLS_SHUT_WR);
}

/* ---- the client's side ---- */

yg_status yg_tls_client_context_new(struct yg_sv ca, struct yg_tls_context **out,
				    struct yg_err *err)
{
	struct yg_tls_context *c = calloc(1, sizeof *c);
	if (c == NULL)
		return YG_FAIL(err, YG_NOMEM, "TLS");
	gnutls_datum_t da = datum(ca);
	int rc = gnutls_certificate_allocate_credentials(&c->cred);
	if (rc == 0)
		rc = gnutls_priority_init(&c->priority, NULL, NULL);
	if (rc == 0 && ca.n > 0) {
		int n = gnutls_certificate_set_x509_trust_mem(c->cred, &da, GNUTLS_X509_FMT_PEM);
		rc = n > 0 ? 0 : n < 0 ? n : GNUTLS_E_NO_CERTIFICATE_FOUND;
	}
	if (rc != 0) {
		yg_tls_context_free(c);
		return YG_FAIL(err, rc == GNUTLS_E_MEMORY_ERROR ? YG_NOMEM : YG_PARSE,
			       "TLS authorities: %s", gnutls_strerror(rc));
	}
	*out = c;
	return YG_OK;
}

/* SHA-256 of the public key of the certificate that was shown. */
static bool key_sha256(gnutls_session_t session, uint8_t out[static 32])
{
	unsigned n = 0;
	gnutls_x509_crt_t crt = NULL;
	gnutls_pubkey_t key = NULL;
	gnutls_datum_t der = {NULL, 0};
	const gnutls_datum_t *list = gnutls_certificate_get_peers(session, &n);
	bool ok = list != NULL && n > 0 && gnutls_x509_crt_init(&crt) == 0 &&
		  gnutls_x509_crt_import(crt, &list[0], GNUTLS_X509_FMT_DER) == 0 &&
		  gnutls_pubkey_init(&key) == 0 && gnutls_pubkey_import_x509(key, crt, 0) == 0 &&
		  gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &der) == 0 &&
		  gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size, out) == 0;
	gnutls_free(der.data);
	if (key != NULL)
		gnutls_pubkey_deinit(key);
	if (crt != NULL)
		gnutls_x509_crt_deinit(crt);
	return ok;
}

/* Called by GnuTLS while hands are shaken; anything but 0 ends it. */
static int verify_server(gnutls_session_t session)
{
	const struct yg_tls *t = gnutls_session_get_ptr(session);
	uint8_t mine[32];
	unsigned status = 0;
	bool pinned = t->peer.pin_count == 0;
	if (!pinned && !key_sha256(session, mine))
		return GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
	for (size_t i = 0; i < t->peer.pin_count && !pinned; i++)
		pinned = memcmp(mine, t->peer.pins[i], sizeof mine) == 0;
	if (!pinned)
		return GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
	if (t->name[0] != '\0' &&
	    (gnutls_certificate_verify_peers3(session, t->name, &status) != 0 || status != 0))
		return GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
	return 0;
}

static int client_init(struct yg_tls *t, struct yg_tls_context *c)
{
	static unsigned char dot[] = "dot";
	const gnutls_datum_t alpn = {dot, sizeof dot - 1};
	int rc = gnutls_init(&t->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
	if (rc == 0)
		rc = gnutls_priority_set(t->session, c->priority);
	if (rc == 0)
		rc = gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, c->cred);
	if (rc == 0)
		rc = gnutls_alpn_set_protocols(t->session, &alpn, 1, 0);
	if (rc == 0 && t->name[0] != '\0')
		rc = gnutls_server_name_set(t->session, GNUTLS_NAME_DNS, t->name, strlen(t->name));
	return rc;
}

yg_status yg_tls_client_new(struct yg_tls_context *context, const struct yg_tls_peer *peer,
			    struct yg_tls **out, struct yg_err *err)
{
	struct yg_tls *t = calloc(1, sizeof *t);
	if (t == NULL)
		return YG_FAIL(err, YG_NOMEM, "TLS");
	struct yg_sb b = yg_sb_init(t->name, sizeof t->name);
	t->peer = *peer;
	yg_sb_put(&b, yg_sv_of(peer->name));
	t->peer.name = yg_sb_cstr(&b);
	if (b.cut || (b.n == 0 && peer->pin_count == 0) || peer->pin_count > YG_TLS_PINS_MAX) {
		free(t);
		return YG_FAIL(err, YG_INVAL,
			       "TLS: neither a name nor a pin to know the server by");
	}
	yg_buf_init(&t->rx, RX_MAX);
	yg_buf_init(&t->tx, TX_MAX);
	int rc = client_init(t, context);
	if (rc != 0) {
		yg_tls_free(t);
		return YG_FAIL(err, YG_NOMEM, "TLS: %s", gnutls_strerror(rc));
	}
	gnutls_session_set_ptr(t->session, t);
	gnutls_session_set_verify_function(t->session, verify_server);
	gnutls_handshake_set_timeout(t->session, 0); /* the caller watches the clock */
	gnutls_transport_set_ptr(t->session, t);
	gnutls_transport_set_pull_function(t->session, pull);
	gnutls_transport_set_push_function(t->session, push);
	*out = t;
	return YG_OK;
}
