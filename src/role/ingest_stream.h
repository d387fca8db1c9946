/* ingest_stream.h - connections of stream listeners: ingest_stream.c (TCP, TLS and Unix
 * sockets, syslog on them) and ingest_fstrm.c (dnstap).  One thread: the loop's. */
#pragma once
#include "format/fstrm.h"
#include "os/tls_server.h"
#include "role/ingest_internal.h"

struct stream {
	struct stream *next, *prev;
	struct stream_door *door;
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t local;
	} uv;
	struct yg_tls *tls; /* owned; NULL: plain */
	struct yg_syslog_frames frames;
	struct yg_fstrm fstrm; /* dnstap */
	size_t held;           /* of frames, as counted in stream_held */
	yg_mono heard, opened;
	yg_mono whole;           /* dnstap: when the stream last stood between two frames */
	uint64_t finish, failed; /* dnstap: of the gather, what FINISH waits for; what had failed */
	uint64_t skipped;        /* dnstap: of the frames too long, those counted */
	bool stopped, finished;  /* dnstap: STOP was read; FINISH was sent */
	bool reading, closing;
};
struct stream_door {
	struct stream_door *next;
	struct ingest *in;
	struct gather gather;
	struct yg_tls_context *tls; /* owned; NULL: plain */
	bool local;                 /* a Unix socket */
	bool dnstap;
	uv_poll_t poll;
	struct stream *streams;
	char *raw, *plain; /* owned; READ_BYTES each */
	uint64_t accepted, refused, idle_closed, broken, tls_failed, cut, open;
};

/* ingest_stream.c */
void door_close(struct stream *s);
/* Closes for what the other side did: counted and logged. */
void door_broken(struct stream *s, const struct yg_err *err);
void door_say(struct stream *s, struct yg_sv bytes); /* copied; short */

/* ingest_fstrm.c */
void fstrm_open(struct stream *s);
void fstrm_bytes(struct stream *s, struct yg_sv bytes);
void fstrm_close(struct stream *s);
/* Has not shaken hands, finished a frame or gone after FINISH in time. */
bool fstrm_is_late(const struct stream *s, yg_mono now);
void fstrm_settled(struct gather *g);
