/* lines.h - records that end in a newline (LF or CRLF).
 *
 * yg_line_next() walks memory; struct yg_gather makes batches of whole lines
 * out of a stream in bounded memory, however long a line is.  Pure but for the
 * gatherer's own buffer; one thread at a time.
 */
#pragma once
#include "base/sv.h"

/* Takes the next line off *rest, without its LF or CRLF; false when *rest is
 * empty.  A line longer than `most` bytes is given as its first `most` bytes
 * with *out_cut set; the rest of it is passed over.  A last line without a
 * newline counts. */
bool yg_line_next(struct yg_sv *rest, size_t most, struct yg_sv *out_line, bool *out_cut);

/* Fill yg_gather_room(), tell yg_gather_add() how much, take yg_gather_take(). */
struct yg_gather {
	char *p; /* owned; yg_gather_free() */
	size_t n, cap, most, taken;
	bool skipping;    /* inside a line whose head was kept already */
	uint64_t dropped; /* bytes of over-long lines passed over so far */
};
/* Batches of up to `cap` bytes; a line longer than `most` is kept as its first
 * most + 1 bytes (so that yg_line_next() with `most` says it was cut) and a
 * newline.  most + 2 <= cap.  YG_OK | YG_NOMEM. */
yg_status yg_gather_init(struct yg_gather *g, size_t cap, size_t most, struct yg_err *err);
void yg_gather_free(struct yg_gather *g);
/* Where to write the next bytes and how many fit; *out_n is never 0 after take. */
char *yg_gather_room(struct yg_gather *g, size_t *out_n);
void yg_gather_add(struct yg_gather *g, size_t n);
/* The whole lines gathered so far (perhaps none); at the `end` of the stream
 * everything.  Borrowed until the next call. */
struct yg_sv yg_gather_take(struct yg_gather *g, bool end);
