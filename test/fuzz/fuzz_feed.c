#include "detect/feed.h"
#include "fuzz/replay.h"

/* The body of a FEED message from a process that may have been taken over: it is refused, or
 * written again it is the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	struct yg_sv body = {(const char *)exact, size};
	struct yg_feed_reader r;
	struct yg_feed_entry e;
	struct yg_feed_head h;
	struct yg_buf again;
	if (exact == NULL)
		return 0;
	yg_buf_init(&again, size + 64);
	bool whole = yg_feed_check(body, &h, NULL) == YG_OK;
	if (yg_feed_open(&r, body, NULL) == YG_OK) {
		yg_feed_put_head(&again, &r.head);
		while (yg_feed_next(&r, &e))
			yg_feed_put(&again, &e);
		if (whole == r.rd.bad)
			abort();
	} else if (whole) {
		abort();
	}
	if (whole && (again.bad || !yg_sv_eq(yg_buf_sv(&again), body)))
		abort();
	yg_buf_free(&again);
	free(exact);
	return 0;
}
