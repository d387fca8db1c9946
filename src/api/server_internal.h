/* server_internal.h - what server.c (doors, limits) and exchange.c (one request
 * to its answer) share.  For those two only. */
#pragma once
#include <microhttpd.h>

#include "api/server.h"

#define YG_DOORS_MAX         4
#define COUNT(s, member, by) ((void)__atomic_fetch_add(&(s)->counts.member, (by), __ATOMIC_RELAXED))

/* Circular list heads and links; an entry on no list points to itself. */
struct link {
	struct link *next, *prev;
};
static inline void link_init(struct link *l)
{
	l->next = l->prev = l;
}
static inline void link_remove(struct link *l)
{
	l->next->prev = l->prev;
	l->prev->next = l->next;
	link_init(l);
}
static inline void link_append(struct link *head, struct link *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

struct door {
	struct yg_server *s;
	struct MHD_Daemon *mhd; /* NULL: never opened, or closed */
	uv_poll_t poll;
	uv_timer_t timer;
	bool local, tls;
	uint32_t open;       /* connections */
	struct link waiting; /* conn.link: without a request, the oldest first */
};
struct conn { /* one accepted connection */
	struct link link;
	struct door *door;
	int fd;
	yg_mono since; /* when it last began to wait for a request */
};

struct yg_server {
	uv_loop_t *loop;
	struct yg_server_app app;
	struct yg_server_conf conf;
	struct door doors[YG_DOORS_MAX];
	uint32_t door_count;
	uv_timer_t sweep;
	uv_async_t wake; /* the live stream has news */
	struct yg_server_counts counts;
	uv_mutex_t flight_lock; /* the two below */
	struct flight *flights;
	uint32_t slow;        /* requests of slow routes in the pool */
	struct link bodies;   /* exchange.link: bodies coming in */
	struct link readers;  /* exchange.link: live streams */
	uv_mutex_t gone_lock; /* the two below */
	struct {
		char id[YG_SERVER_ID_MAX];
		yg_mono at;
	} gone[64]; /* ring: ids of sessions, tokens and people that were ended */
	size_t gone_next;
	uint64_t progress;  /* rises with everything a client gets done */
	uint32_t exchanges; /* between head and completion */
	bool draining;
	void (*done)(void *ctx);
	void *done_ctx;
	int handles; /* to close before the memory goes */
};

enum stage {
	STAGE_NEW,
	STAGE_ASK,
	STAGE_BODY,
	STAGE_HANDLE,
	STAGE_READY,
	STAGE_ANSWER,
	STAGE_STREAM
};
struct exchange {
	struct yg_request q;
	struct yg_response r;
	struct yg_arena arena;
	struct yg_err err;
	yg_status st;
	enum stage stage;
	struct conn *conn;
	struct yg_server *s;
	struct MHD_Connection *mhd;
	struct link link;
	struct yg_buf body;
	uint64_t length;    /* of the body as promised; UINT64_MAX: chunked */
	uint64_t swallowed; /* bytes of a body nobody will read */
	uint64_t counted;   /* body bytes noted in counts.body_bytes */
	bool has_body, no_memory, slow;
	struct flight *flight;   /* others may wait for this answer */
	struct exchange *behind; /* who waits for the same */
	bool waits, landed;      /* for another's answer; which is there, or will never be */
	bool alone;              /* that was none: it asks for itself */
	bool worked;             /* the pool is done with it */
	yg_mono began;
	uv_work_t work;
	struct yg_stream_reader reader;
	uint64_t rights; /* how often they had changed before it was asked who this is */
	bool asleep;     /* a stream whose connection is suspended */
	bool gone;       /* a stream whose reader may read no more */
	yg_mono spoke;
	char uri[]; /* NUL-terminated */
};

/* exchange.c */
void *yg_exchange_begin(struct door *d, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result yg_exchange_step(struct exchange *x, const char *method, const char *upload,
				 size_t *upload_n);
void yg_exchange_end(struct exchange *x);
/* Wakes a suspended stream so that it says what it has to. */
void yg_exchange_wake(struct exchange *x);
/* Was the reader's session, token or person ended a moment ago, or is its time over? */
bool yg_server_is_gone(struct yg_server *s, const struct yg_who *who);
/* flight.c.  Pool: takes a place of the slow requests, or waits for the answer to the same
 * question; then x is not the caller's any more.  YG_LIMIT: all places are taken. */
yg_status yg_flight_begin(struct exchange *x, bool *out_waits, struct yg_err *err);
/* Loop: gives the place back, and the answer to those who waited for it, if any: true.
 * `landed` is called for those with whom the pool is done. */
bool yg_flight_end(struct exchange *x, void (*landed)(struct exchange *x));
/* server.c: lets libmicrohttpd work on what became possible. */
void yg_door_run(struct door *d);
void yg_server_check_done(struct yg_server *s);
