/* stream.h - the live stream: a bounded ring of messages and its readers.
 *
 * Message ids are "<start of this process>-<number>", so a reader that comes
 * back after a restart, or after the ring has moved on, is told so by one
 * "gap" message and reads its lists anew.  A reader that the ring overtakes is
 * dropped and counted: nobody waits for a slow one.
 *
 * Threads: yg_stream_publish() from any; a reader belongs to one thread.
 */
#pragma once
#include "base/env.h"
#include "org/reach.h"

/* clang-format off */
#define YG_STREAM_TOPICS(X) X(ALERTS, 1, "alerts") X(JOBS, 2, "jobs") X(SYSTEM, 4, "system") X(APPROVALS, 8, "approvals")
/* clang-format on */
enum yg_stream_topic {
#define X(id, bit, name) YG_TOPIC_##id = bit,
	YG_STREAM_TOPICS(X)
#undef X
};
#define YG_STREAM_RING_MAX    4096    /* messages kept for those who come back */
#define YG_STREAM_BYTES_MAX   8388608 /* and their bytes: the oldest goes first */
#define YG_STREAM_MESSAGE_MAX 16384   /* one message; larger: not sent, counted */
#define YG_STREAM_READERS_MAX 1024    /* more: 429 */
#define YG_STREAM_BEAT_S      15      /* a comment at least this often */

struct yg_stream; /* owned: yg_stream_free() */
/* `start` goes into the ids. */
yg_status yg_stream_new(yg_wall start, struct yg_stream **out, struct yg_err *err);
void yg_stream_free(struct yg_stream *s);
/* Called after a publish, in the publisher's thread; wakes the loop. */
void yg_stream_on_publish(struct yg_stream *s, void (*wake)(void *ctx), void *ctx);

/* json: one JSON object without newline.  org, system: whose news it is (system
 * may be empty); org empty: only readers whose reach is all get it. */
void yg_stream_publish(struct yg_stream *s, enum yg_stream_topic topic, struct yg_sv org,
		       struct yg_sv system, struct yg_sv json);
/* Rights changed: every reader must begin anew, and prove who it is. */
void yg_stream_rights_changed(struct yg_stream *s);
uint64_t yg_stream_rights(struct yg_stream *s); /* how often they did */

struct yg_stream_reader {
	uint64_t next; /* number of the message it gets next */
	unsigned topics;
	struct yg_reach reach; /* its own copy, in `words` */
	struct yg_sv *words;   /* owned: yg_stream_reader_end() */
	uint64_t rights;       /* how often rights had changed when it began; a caller that
				  looked at them before sets what it was then */
	bool gap;              /* tell it that something is missing */
	bool greeted;
	bool beat; /* a comment is due */
};
/* "alerts,jobs"; absent: every topic.  YG_PARSE on an unknown one. */
yg_status yg_stream_topics(struct yg_sv text, unsigned *out, struct yg_err *err);
/* Begins behind `last_id` ("": at the end).  The reach is copied; without memory
 * for that the reader gets nothing. */
void yg_stream_reader_init(struct yg_stream *s, struct yg_stream_reader *r, unsigned topics,
			   const struct yg_reach *reach, struct yg_sv last_id);
void yg_stream_reader_end(struct yg_stream_reader *r); /* all zero is fine */
/* Writes as many whole messages as fit.  *out_n == 0: nothing to say now.
 * YG_LIMIT: the ring has overtaken it; YG_DENIED: rights changed; drop it. */
yg_status yg_stream_read(struct yg_stream *s, struct yg_stream_reader *r, char *buf, size_t cap,
			 size_t *out_n);
/* Is there anything for it? */
bool yg_stream_pending(struct yg_stream *s, const struct yg_stream_reader *r);
uint64_t yg_stream_count(struct yg_stream *s); /* messages so far */
