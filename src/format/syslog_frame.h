/* syslog_frame.h - messages out of a syslog byte stream (RFC 6587; TCP and TLS,
 * RFC 5425).
 *
 * Pure and incremental: bytes go in as they arrive, whole messages come out;
 * how the bytes were cut into reads makes no difference.  Each frame says by
 * its first bytes how it is framed, so both ways may be mixed on one
 * connection:
 *   octet counting    "LEN SP <PRI>...": LEN has no leading zero.  The message
 *                     may hold LF.  A '<' must follow, or else a line that
 *                     begins with a number would swallow what comes after it.
 *   non-transparent   ends with LF (CR before it is taken off) or NUL.
 * One yg_syslog_frames per connection; one thread at a time.
 */
#pragma once
#include "base/limits.h"
#include "base/sv.h"

/* Longest counted frame that is skipped to find the next one; a larger count is
 * a broken or hostile sender: YG_PARSE, and the connection should be closed. */
#define YG_SYSLOG_FRAME_SKIP_MAX YG_BATCH_MAX

struct yg_syslog_frames {
	char *buf;     /* owned: the part of a message that came so far */
	size_t n, cap; /* bytes in buf, room in buf */
	size_t max;    /* most bytes of one message that are kept */
	uint64_t left; /* counted frame: bytes still to come */
	uint8_t state;
	bool cut;        /* the message at hand lost bytes */
	uint64_t frames; /* messages given */
	uint64_t cuts;   /* of these, cut to max or ended by the connection's end */
};

/* max: most bytes of one message (YG_RECORD_MAX is usual); at least 64.  Takes
 * no memory before a message is spread over two reads. */
void yg_syslog_frames_init(struct yg_syslog_frames *f, size_t max);
void yg_syslog_frames_free(struct yg_syslog_frames *f);

/* The next message of *in, which is advanced over what was used.
 *
 * out_msg  borrowed from *in or from f until the next call; n == 0 means that
 *          *in is used up and no message is complete
 * out_cut  the message was longer than max: its head is given, the rest dropped
 *
 * Empty messages are skipped.  YG_OK | YG_PARSE (a count above
 * YG_SYSLOG_FRAME_SKIP_MAX; sticky) | YG_NOMEM (the message at hand is given up,
 * the stream may go on). */
yg_status yg_syslog_frames_next(struct yg_syslog_frames *f, struct yg_sv *in, struct yg_sv *out_msg,
				bool *out_cut, struct yg_err *err);
/* The connection has ended: gives what is left of an unfinished message
 * (n == 0: nothing).  *out_cut when it was a counted frame that is not whole. */
void yg_syslog_frames_end(struct yg_syslog_frames *f, struct yg_sv *out_msg, bool *out_cut);
/* Bytes held for an unfinished message: what a listener counts per connection. */
static inline size_t yg_syslog_frames_held(const struct yg_syslog_frames *f)
{
	return f->cap;
}
