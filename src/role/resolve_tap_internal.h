/* resolve_tap_internal.h - resolve_tap.c (the queue, files) and resolve_tap_conn.c
 * (connections); nothing else includes it. */
#pragma once
#include "format/fstrm.h"
#include "os/tls_server.h"
#include "role/resolve_tap.h"

#define TAP_CHUNK (160u << 10) /* one frame of the largest fits */
#define TAP_FULL  (48u << 10)  /* a chunk of so much goes without waiting */

struct tap_chunk {
	struct tap_chunk *next;
	uint32_t n, frames;
	uint8_t p[TAP_CHUNK];
};
struct tap;
struct tap_conn {        /* frees itself when its handle is closed */
	struct tap *tap; /* NULL: given up */
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t local;
	} uv;
	uv_connect_t connect;
	struct yg_tls *tls; /* owned; NULL: plain */
	struct yg_fstrm fstrm;
	bool greeted; /* READY was sent */
	char in[4096];
};
struct tap {
	struct yg_taps *all;
	const struct yg_conf_dns_tap *conf; /* borrowed */
	struct yg_role_ctx *ctx;
	char to[YG_CONF_TAP_MAX + 16];
	bool is_file, is_up, is_ended; /* up: frames may go */
	bool told_down, told_full;
	/* the queue */
	void *memory;                    /* owned: all chunks */
	struct tap_chunk *unused, *fill; /* fill: being filled; NULL: none */
	struct tap_chunk *first, *last;  /* waiting to go */
	struct tap_chunk *sending;       /* with the kernel */
	uv_timer_t flush, retry;
	int64_t wait_ms; /* until the next attempt */
	struct yg_tap_counts counts;
	uint64_t fill_frames; /* waiting frames, all chunks */
	/* one of the two */
	struct tap_conn *conn;
	struct yg_tls_context *tls; /* owned */
	int fd;
	uint64_t file_n;
};
struct yg_taps {
	struct yg_role_ctx *ctx;
	uv_timer_t end;
	void (*done)(struct yg_role_ctx *ctx); /* set: ending */
	size_t n;
	struct tap taps[];
};

/* resolve_tap.c */
void tap_up(struct tap *t);
void tap_down(struct tap *t, const struct yg_err *err);
/* The chunk at `sending` is over: its frames were taken, or are lost. */
void tap_sent(struct tap *t, bool ok);
void tap_ended(struct tap *t); /* STOP was answered, or nothing can be sent any more */
/* resolve_tap_conn.c */
void tap_connect(struct tap *t);
/* Gives t->sending to the kernel. */
void tap_conn_send(struct tap *t);
void tap_conn_stop(struct tap *t); /* sends STOP; FINISH ends it */
void tap_conn_close(struct tap *t);
yg_status tap_tls_open(struct tap *t, size_t i, struct yg_err *err);
