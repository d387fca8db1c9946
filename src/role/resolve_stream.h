/* resolve_stream.h - connections of clients, with TLS or without: taking them,
 * limits, idleness, bytes in and out.  What the bytes mean is a stream_kind's:
 * messages behind their length (resolve_tcp.c) or HTTP/2 (resolve_doh.c).
 *
 * Runs in role resolve, on the loop's thread.  A stream that was closed stays valid
 * until the loop turns; its kind's calls are not made any more, but `gone` last.
 */
#pragma once
#include "os/tls_server.h"
#include "role/resolve_internal.h"

#define STREAM_WAITING_MAX 128 /* queries of one connection that wait; then it is not read */

struct stream;
struct streams;
struct stream_kind {
	uint8_t transport; /* enum yg_dns_transport */
	const char *name;  /* of its sockets: "dns", "dot", "doh" */
	const char *alpn;  /* NULL: no TLS */
	/* The first bytes may come; false: no memory.  May be NULL. */
	bool (*begin)(struct stream *s);
	/* Plain bytes, n > 0, borrowed for the call; all of them are taken. */
	void (*bytes)(struct stream *s, const uint8_t *p, size_t n);
	/* It takes more, or fewer queries wait. */
	void (*room)(struct stream *s);
	/* The answer of a query that waited; n = 0: it gets none. */
	void (*reply)(struct stream *s, uint32_t id, const uint8_t *msg, size_t n);
	/* Frees what is its own.  May be NULL. */
	void (*gone)(struct stream *s);
};
struct stream {
	uv_tcp_t tcp;
	struct streams *all;
	const struct stream_kind *kind;
	struct stream *newer, *older;     /* by last use */
	struct yg_tls *tls;               /* owned; NULL: none */
	size_t door;                      /* its place in resolve.listen, dot or doh */
	struct stream *later, **later_at; /* of those whose turn is to come; NULL: it is not */
	uint32_t turn;                    /* in this one it has asked: */
	uint16_t spent;
	struct yg_ip ip;
	uint16_t port;
	uint32_t row; /* of the clients */
	uint32_t slot, serial;
	uint16_t waiting; /* queries */
	bool begun, closing, reading, ended;
	bool stranger; /* it was told that it may not ask: it is to be closed */
	int64_t used;  /* us of the monotonic clock: its last whole query */
	uint8_t *in;   /* owned; the kind's: what came and is not whole yet */
	uint32_t in_n, in_cap;
	void *own; /* the kind's */
};

struct resolve *resolve_of(const struct stream *s);
void stream_close(struct stream *s);
/* A whole query came or was answered: it is not idle. */
void stream_used(struct stream *s);
/* Plain bytes to the client; copied. */
void stream_send(struct stream *s, struct yg_sv a, struct yg_sv b);
/* It does not take what was sent. */
bool stream_choked(const struct stream *s);
/* Not to be asked more of now: choked, too many queries wait, or it is others' turn. */
bool stream_full(struct stream *s);
/* Accounts for memory that is kept for clients (negative: is not any more).  Beyond
 * the limit the connections that were idle longest are closed: false when `s` was. */
bool stream_hold(struct stream *s, int64_t bytes);
/* Asks the core for the client of `row`.  ANSWERED: *out is borrowed until the next call. */
enum yg_dns_result stream_ask(struct stream *s, uint32_t row, uint32_t id, struct yg_sv msg,
			      struct yg_sv *out);

extern const struct stream_kind resolve_kind_tcp, resolve_kind_dot, resolve_kind_doh;
