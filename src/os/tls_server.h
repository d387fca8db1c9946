/* tls_server.h - the server's side of TLS (GnuTLS), and the client's, without a socket: bytes go in
 * and come out by calls, so that the loop's own connection carries them.
 *
 * TLS 1.2 and 1.3, GnuTLS's NORMAL priorities.  One thread at a time per
 * connection; a context may serve any number of connections of one thread.
 */
#pragma once
#include "base/sb.h"

struct yg_tls_context; /* owned: yg_tls_context_free(), after its connections */
struct yg_tls;         /* owned: yg_tls_free() */

/* PEM bytes, borrowed for the call.  ca: clients must show a certificate that
 * one of these vouches for; empty: none is asked for.  YG_OK | YG_PARSE (not a
 * certificate or key, or they do not belong together) | YG_NOMEM. */
yg_status yg_tls_context_new(struct yg_sv cert, struct yg_sv key, struct yg_sv ca,
			     struct yg_tls_context **out, struct yg_err *err);
void yg_tls_context_free(struct yg_tls_context *c); /* NULL is fine */

yg_status yg_tls_new(struct yg_tls_context *context, struct yg_tls **out, struct yg_err *err);
void yg_tls_free(struct yg_tls *t); /* NULL is fine */
/* What came from the other side; copied.  YG_OK | YG_NOMEM | YG_LIMIT. */
yg_status yg_tls_feed(struct yg_tls *t, struct yg_sv bytes);
/* Shakes hands as far as it can, then plain bytes.  YG_OK (*out_n > 0) |
 * YG_AGAIN (feed more) | YG_NOTFOUND (closed in good order) | YG_DENIED (no
 * handshake, or no valid client certificate) | YG_IO (broken). */
yg_status yg_tls_read(struct yg_tls *t, char *out, size_t cap, size_t *out_n, struct yg_err *err);
bool yg_tls_ready(const struct yg_tls *t); /* hands are shaken */
/* Before the first connection.  protocols: ALPN names (RFC 7301) with blanks between,
 * our preference first; a client that offers only others is turned away, one that
 * offers none is not.  YG_OK | YG_INVAL (more than 4, or long ones). */
yg_status yg_tls_context_alpn(struct yg_tls_context *c, struct yg_sv protocols);
/* Certificates of clients become a wish: who shows one must show a valid one. */
void yg_tls_context_optional(struct yg_tls_context *c);
/* Sessions can be resumed by tickets (RFC 8446 2.2) whose keys live in memory only.
 * YG_OK | YG_NOMEM. */
yg_status yg_tls_context_tickets(struct yg_tls_context *c);
/* Encrypts; the bytes are then in the output.  Hands must be shaken.
 * YG_OK | YG_LIMIT (256 KiB not taken) | YG_IO. */
yg_status yg_tls_write(struct yg_tls *t, struct yg_sv plain);
/* The name that the client asked for (SNI, RFC 6066 3), as it came; false: none. */
bool yg_tls_server_name(const struct yg_tls *t, struct yg_sb *out);
/* SHA-256 of the certificate that the client showed; false: none. */
bool yg_tls_peer_sha256(const struct yg_tls *t, uint8_t out[static 32]);
/* What is to be sent to the other side; borrowed until the next call. */
struct yg_sv yg_tls_output(const struct yg_tls *t);
void yg_tls_output_taken(struct yg_tls *t); /* all of it was */
/* Appends a close notification to the output. */
void yg_tls_bye(struct yg_tls *t);

/* ---- the client's side: feed, read, write and output are the same ---- */

#define YG_TLS_PINS_MAX 8
/* Authorities in PEM, borrowed for the call; empty: none, for servers known by a pin alone.
 * YG_OK | YG_PARSE | YG_NOMEM. */
yg_status yg_tls_client_context_new(struct yg_sv ca, struct yg_tls_context **out,
				    struct yg_err *err);
struct yg_tls_peer {                       /* whom it must be; a name, or pins, or both */
	const char *name;                  /* "": any; of its certificate, and asked for (SNI) */
	uint8_t pins[YG_TLS_PINS_MAX][32]; /* SHA-256 of its public key (RFC 7858 4.2) */
	size_t pin_count;                  /* one of them must be its; 0: any key */
};
/* peer: copied.  Hands are shaken with nobody else.  YG_OK | YG_NOMEM | YG_INVAL (neither
 * name nor pin). */
yg_status yg_tls_client_new(struct yg_tls_context *context, const struct yg_tls_peer *peer,
			    struct yg_tls **out, struct yg_err *err);
