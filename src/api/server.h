/* server.h - HTTP by libmicrohttpd on a libuv loop: doors in, exchanges
 * through the work pool, answers and live streams out.
 *
 * The loop's thread accepts, reads, writes and keeps all counts; handlers (and
 * the look at a token) run in libuv's work pool while their connection is
 * suspended.  Nothing here knows a route: it gets a table and functions.
 *
 * Limits: connections per door (the oldest one that has no request is closed
 * when three quarters are in use, so slow clients cannot lock out others), from
 * one address five sixths of them; YG_SERVER_HEADER_S for a request's head;
 * bodies by route, all together by body_total; a slow body by its pace.
 */
#pragma once
#include <uv.h>

#include "api/router.h"
#include "api/stream.h"

#define YG_SERVER_HEADER_S      15    /* from accept, or the last answer, to a whole request head */
#define YG_SERVER_HEAD_BYTES    24576 /* head of a request; more: 431 */
#define YG_SERVER_ARENA_BYTES   33554432 /* what one request may use while it is handled */
#define YG_SERVER_ANSWER_BYTES  67108864 /* one answer; more: 500 */
#define YG_SERVER_PACE_S        30       /* a body may take this long, */
#define YG_SERVER_PACE_BYTES    16384    /* plus a second per this many bytes */
#define YG_SERVER_SWALLOW_BYTES 1048576  /* of a refused body, read so that the client sees why */
#define YG_SERVER_SLOW_MAX      6 /* requests that wait for the event store at a time; more: 429 */

struct yg_server_app {
	struct yg_api *api; /* handed to handlers */
	const struct yg_route *routes;
	/* Work pool: finds out who asks from the Authorization header; q->who is preset
	 * to the local administrator on the local door.  YG_UNAUTH when a token is
	 * there and not good, or none is and `needed`. */
	yg_status (*authenticate)(struct yg_api *api, struct yg_request *q, bool needed,
				  struct yg_err *err);
	/* Work pool, once it is known who asks and that the scope allows it: is it a
	 * browser that means it, proved anew where the route needs that?  NULL: yes. */
	yg_status (*proved)(const struct yg_request *q, struct yg_response *r, struct yg_err *err);
	/* Work pool: serves q by its route; NULL: calls the route's handler. */
	yg_status (*handle)(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err);
	/* Loop thread: true when a peer of the local door is one of our own other
	 * processes, which are not the administrator. */
	bool (*is_ours)(void *ctx, int pid);
	void *is_ours_ctx;
};
struct yg_server_conf {
	const struct yg_env *env; /* borrowed */
	struct yg_stream *stream; /* borrowed */
	uint32_t connections;     /* per door */
	uint64_t body_total;      /* bytes */
	int64_t timeout_us;       /* a connection on which nothing moves */
	uint8_t key[16];          /* of the hashes of addresses */
};
struct yg_server_counts {                           /* a copy */
	uint64_t connections, requests, answers[6]; /* answers[4]: 4xx */
	uint64_t evicted, slow_closed, bodies_refused, readers_dropped, request_us;
	uint64_t shared; /* answered with what was made for another */
	uint32_t open, open_bodies, readers, in_work;
	uint64_t body_bytes; /* in flight */
};

struct yg_server; /* owned: yg_server_free() */
yg_status yg_server_new(uv_loop_t *loop, const struct yg_server_app *app,
			const struct yg_server_conf *conf, struct yg_server **out,
			struct yg_err *err);
/* Serves an inherited, listening, non-blocking socket (borrowed: it stays open
 * when the server ends).  cert, key: PEM, NUL behind each; empty: no TLS.
 * local: a Unix socket whose peers of our own uid, or root, are the local
 * administrator and all others are refused. */
yg_status yg_server_door(struct yg_server *s, int listen_fd, bool local, struct yg_sv cert,
			 struct yg_sv key, struct yg_err *err);
#define YG_SERVER_ID_MAX 40
/* Any thread: the session, token or person with this id may do nothing any more:
 * their live streams end. */
void yg_server_forget(struct yg_server *s, struct yg_sv id);
/* Any thread. */
void yg_server_counts(const struct yg_server *s, struct yg_server_counts *out);
/* Stops accepting, ends streams; `done` is called when the last exchange is over. */
void yg_server_drain(struct yg_server *s, void (*done)(void *ctx), void *ctx);
/* After the drain, or when nothing is in the work pool.  Closes its handles;
 * the memory goes when the loop has run once more. */
void yg_server_free(struct yg_server *s);
