/* resolve_stream_internal.h - what resolve_stream.c (bytes in and out),
 * resolve_accept.c (doors, taking connections, idleness) and resolve_turn.c (whose turn it is) share. */
#pragma once
#include "role/resolve_stream.h"

#define STREAM_READ_BYTES 16384       /* at a time; also the largest TLS record */
#define STREAM_PER_CLIENT 65536       /* counters, by hash of the address */
#define STREAM_CORK_BYTES (64u << 10) /* answers to one read that go out together */

/* Queries that are answered in one turn of the loop; then UDP, upstreams and others have
 * their say.  Of one connection, of one network (IPv4 /24, IPv6 /56), of all. */
#define STREAM_TURN         256u
#define STREAM_TURN_NETWORK 512u
#define STREAM_TURN_ALL     2048u
#define STREAM_HANDSHAKE    64u   /* costs as much as so many */
#define STREAM_NETWORKS     65536 /* counters, by hash */

struct door {
	uv_poll_t poll;
	struct streams *all;
	const struct stream_kind *kind;
	struct yg_tls_context *tls; /* owned; NULL: plain */
	size_t index;
	int fd; /* the role's */
};
/* What was answered in a turn. */
struct stream_turn {
	uint32_t turn;
	uint16_t spent, resumed;
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
	/* those that have used up their part of the turn, the one that has waited longest first */
	struct stream *later, **later_end;
	struct stream_turn all_turn, *network_turn; /* owned; STREAM_NETWORKS */
	uint32_t turn, later_count;
	uv_prepare_t turning;
	uv_idle_t busy; /* while one waits for its turn the loop does not sleep */
	int64_t held;
	struct stream *corked; /* its answers are gathered in `cork` */
	size_t cork_n;
	uint8_t cork[STREAM_CORK_BYTES], raw[STREAM_READ_BYTES], plain[STREAM_READ_BYTES];
	uint8_t out[YG_DNS_MSG_MAX];
};

/* Connections of an address; addresses may share a counter. */
uint16_t *stream_client_count(struct streams *t, struct yg_ip ip);
void stream_link_newest(struct stream *s);
/* resolve_turn.c: whose turn it is. */
yg_status stream_turns_open(struct streams *t, struct yg_err *err);
bool stream_tired(struct stream *s); /* it, its network or all have used up their part */
void stream_spend(struct stream *s, unsigned queries); /* of its part */
void stream_later(struct stream *s);                   /* it goes on when its turn comes */
void stream_not_later(struct stream *s);
/* Hands are shaken: who it is.  False: it is to be closed. */
bool stream_begin(struct stream *s);
/* Reads, or does not while the client has enough to wait for. */
void stream_read_more(struct stream *s);
