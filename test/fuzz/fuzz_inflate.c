#include "format/inflate.h"
#include "fuzz/replay.h"

/* In pieces or at once: the same bytes or the same refusal, never more than the
 * limit.  Byte 0: encoding and size of the pieces; the rest is the stream. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { LIMIT = 100000 };
	static char out[LIMIT + 1];
	if (size == 0)
		return 0;
	uint8_t *exact = fuzz_exact(data + 1, size - 1);
	if (exact == NULL)
		return 0;
	enum yg_encoding enc = (enum yg_encoding)(data[0] % 3);
	size_t piece = data[0] / 3 + 1u, total = 0;
	struct yg_sv whole = {(const char *)exact, size - 1};
	struct yg_buf b;
	yg_buf_init(&b, LIMIT);
	yg_status at_once = yg_inflate_all(enc, whole, &b, NULL), st;
	struct yg_inflate *z = NULL;
	(void)yg_encoding_sniff(whole);
	if (yg_inflate_new(enc, LIMIT, &z, NULL) != YG_OK)
		abort();
	st = YG_OK;
	for (size_t at = 0; st == YG_OK && at < whole.n; at += piece) {
		struct yg_sv in = yg_sv_sub(whole, at, piece);
		size_t n = 1;
		while (st == YG_OK && (in.n > 0 || n > 0)) {
			st = yg_inflate(z, &in, out + total, YG_MIN(sizeof out - total, piece * 7),
					&n, NULL);
			total += n;
			if (total > LIMIT)
				abort();
		}
	}
	if (st == YG_OK && !yg_inflate_complete(z))
		st = YG_PARSE;
	if ((st == YG_OK) != (at_once == YG_OK))
		abort();
	if (st == YG_OK && !yg_sv_eq(yg_buf_sv(&b), (struct yg_sv){out, total}))
		abort();
	if (b.n > LIMIT)
		abort();
	yg_inflate_free(z);
	yg_buf_free(&b);
	free(exact);
	return 0;
}
