/* fstrm.h - Frame Streams: how dnstap travels in files and on sockets.
 *
 * A frame is a 32-bit big endian length and that many bytes.  Length 0 says that a
 * control frame follows: its own length, its type, fields.  A file is START, data
 * frames, STOP.  On a socket that goes both ways the sender first says READY, the
 * receiver ACCEPT, and the receiver answers STOP with FINISH: all before it was read.
 *
 * Pure and incremental: bytes go in as they arrive, frames come out; how the bytes were
 * cut into reads makes no difference.  One yg_fstrm per stream; one thread at a time. */
#pragma once
#include "base/limits.h"
#include "base/sv.h"

#define YG_FSTRM_DNSTAP "protobuf:dnstap.Dnstap" /* the content type of dnstap */

#define YG_FSTRM_CONTROL_MAX 512 /* bytes of a control frame, by the specification */
#define YG_FSTRM_CONTENT_MAX 256 /* bytes of a content type, likewise */
#define YG_FSTRM_CONTROL_ROOM                                                                      \
	(8 + 4 + 8 + YG_FSTRM_CONTENT_MAX) /* largest that yg_fstrm_control() writes */
#define YG_FSTRM_FRAME_MAX                                                                         \
	262144 /* a data frame: query and answer of 65,535 octets each, and room */
#define YG_FSTRM_SKIP_MAX                                                                          \
	YG_BATCH_MAX /* longest data frame that is skipped to find the next; more is a lie */

enum yg_fstrm_control { /* numbers of the specification */
			YG_FSTRM_ACCEPT = 1,
			YG_FSTRM_START = 2,
			YG_FSTRM_STOP = 3,
			YG_FSTRM_READY = 4,
			YG_FSTRM_FINISH = 5,
};
enum yg_fstrm_mode {
	YG_FSTRM_FILE = 1, /* START, data, STOP */
	YG_FSTRM_RECEIVER, /* a socket: READY first, or START as in a file */
	YG_FSTRM_SENDER,   /* what a sender hears: ACCEPT, FINISH */
};
enum yg_fstrm_event {
	YG_FSTRM_MORE = 0, /* the input is used up */
	YG_FSTRM_DATA,     /* a data frame */
	YG_FSTRM_IS_READY, /* receiver: write ACCEPT */
	YG_FSTRM_IS_START, /* data may follow */
	YG_FSTRM_IS_STOP,  /* the stream ended; write FINISH when both_ways */
	YG_FSTRM_IS_ACCEPT,
	YG_FSTRM_IS_FINISH,
};

struct yg_fstrm {
	struct yg_sv content; /* borrowed, static: the content type that is asked for */
	char *buf;            /* owned: the part of a frame that came so far */
	size_t n, cap;        /* bytes in buf, room in buf */
	size_t max;           /* most bytes of a data frame */
	size_t need;          /* bytes of what is being read */
	uint64_t begun;       /* bytes of the frame at hand */
	uint8_t mode, phase, item;
	bool both_ways;   /* READY was seen */
	uint64_t offset;  /* bytes of the stream up to the end of the last whole frame */
	uint64_t frames;  /* data frames given */
	uint64_t skipped; /* data frames longer than max, passed over */
};

/* content: static storage; a stream that names other content types only is refused, one
 * that names none is taken.  max: YG_FSTRM_FRAME_MAX is usual.  Takes no memory before a
 * frame is spread over two reads, and then as much as has come. */
void yg_fstrm_init(struct yg_fstrm *f, enum yg_fstrm_mode mode, struct yg_sv content, size_t max);
/* A stream that is read on from `offset`, the end of a whole frame behind START. */
void yg_fstrm_resume(struct yg_fstrm *f, uint64_t offset);
void yg_fstrm_free(struct yg_fstrm *f);

/* The next frame of *in, which is advanced over what was used.
 *
 * out_frame  YG_FSTRM_DATA: the bytes, borrowed from *in or from f until the next call
 *
 * YG_OK | YG_PARSE (not Frame Streams, out of order, a length that lies, bytes behind the
 * end) | YG_DENIED (content type) | YG_NOMEM.  All but YG_OK end the stream. */
yg_status yg_fstrm_next(struct yg_fstrm *f, struct yg_sv *in, enum yg_fstrm_event *out_event,
			struct yg_sv *out_frame, struct yg_err *err);
/* STOP (sender: FINISH) was read. */
bool yg_fstrm_is_ended(const struct yg_fstrm *f);
/* START (sender: ACCEPT) was read, and not the end. */
bool yg_fstrm_is_running(const struct yg_fstrm *f);
/* The last byte that came is the last of a frame. */
static inline bool yg_fstrm_is_between(const struct yg_fstrm *f)
{
	return f->begun == 0;
}
/* Bytes held for an unfinished frame: what a listener counts per connection. */
static inline size_t yg_fstrm_held(const struct yg_fstrm *f)
{
	return f->cap;
}

/* Writes a control frame with its escape; `content` empty: no such field.  Bytes
 * written, at most YG_FSTRM_CONTROL_ROOM; 0: no room, or a content type too long. */
size_t yg_fstrm_control(uint8_t *out, size_t cap, enum yg_fstrm_control type, struct yg_sv content);
/* The four bytes in front of a data frame of n bytes; n is not 0. */
static inline void yg_fstrm_data(uint8_t out[static 4], uint32_t n)
{
	out[0] = (uint8_t)(n >> 24);
	out[1] = (uint8_t)(n >> 16);
	out[2] = (uint8_t)(n >> 8);
	out[3] = (uint8_t)n;
}
