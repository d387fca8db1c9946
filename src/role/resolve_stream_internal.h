/* resolve_stream_internal.h - what resolve_stream.c (bytes in and out) and
 * resolve_accept.c (doors, taking connections, idleness) share. */
#pragma once
#include "role/resolve_stream.h"

#define STREAM_READ_BYTES 16384       /* at a time; also the largest TLS record */
#define STREAM_PER_CLIENT 65536       /* counters, by hash of the address */
#define STREAM_CORK_BYTES (64u << 10) /* answers to one read that go out together */

struct door {
	uv_poll_t poll;
	struct streams *all;
	const struct stream_kind *kind;
	struct yg_tls_context *tls; /* owned; NULL: plain */
	size_t index;
	int fd; /* the role's */
};
struct streams {
	struct resolve *r;
	struct door *doors; /* owned */
	size_t count;
	struct stream **slots; /* owned */
	uint32_t slot_count, slot_hint, serial, conns;
	struct stream *newest, *oldest;
	uint16_t *per_client; /* owned; STREAM_PER_CLIENT */
	uint64_t key;
	uv_timer_t timer;
	int64_t held;
	struct stream *corked; /* its answers are gathered in `cork` */
	size_t cork_n;
	uint8_t cork[STREAM_CORK_BYTES], raw[STREAM_READ_BYTES], plain[STREAM_READ_BYTES];
	uint8_t out[YG_DNS_MSG_MAX];
};

/* Connections of an address; addresses may share a counter. */
uint16_t *stream_client_count(struct streams *t, struct yg_ip ip);
void stream_link_newest(struct stream *s);
/* Hands are shaken: who it is.  False: it is to be closed. */
bool stream_begin(struct stream *s);
/* Reads, or does not while the client has enough to wait for. */
void stream_read_more(struct stream *s);
