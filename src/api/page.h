/* page.h - pages of lists: `limit`, and cursors that a client can neither read
 * meaning into nor change.
 *
 * A cursor is base64url of an 8-byte tag and the position (one text, as the
 * query below wants it) under a key stream that the tag begins.  The tag is SipHash-2-4 under a key of this
 * installation over the route, the organisation the query is restricted to,
 * the filter and the position: a cursor of another list, another filter or
 * another organisation is refused, and so is one that was changed.
 */
#pragma once
#include "api/http.h"

#define YG_PAGE_LIMIT_DEFAULT 50
#define YG_CURSOR_MAX         1024

struct yg_page {
	uint32_t limit;     /* 1 .. YG_PAGE_MAX */
	struct yg_sv after; /* position to go on behind; empty: from the start */
	int64_t number;     /* the same where positions are numbers; 0: from the start */
};

/* Reads `limit` and `cursor`.  What is wrong is noted with yg_request_error() and YG_PARSE. */
yg_status yg_page_read(struct yg_request *q, const uint8_t key[static 16], struct yg_page *out,
		       struct yg_err *err);
/* The cursor for what follows `position`, in the request's arena; {NULL,0}: out of memory. */
struct yg_sv yg_page_cursor(struct yg_request *q, const uint8_t key[static 16],
			    struct yg_sv position);
/* Where a list is sorted by a number, a position is "number.text", the text of the one row.
 * False: from the start. */
bool yg_page_keyed(const struct yg_page *page, int64_t *out_key, struct yg_sv *out_text);
/* RFC 4648 base64url without padding, into the arena.  YG_PARSE on anything else. */
yg_status yg_base64url_decode(struct yg_arena *a, struct yg_sv s, struct yg_sv *out,
			      struct yg_err *err);
