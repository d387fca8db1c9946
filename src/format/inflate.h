/* inflate.h - gzip (RFC 1952, concatenated members too) and zstd (RFC 8878) to
 * plain bytes, by zlib and libzstd, with hard limits against bombs.
 * One handle per stream; one thread at a time. */
#pragma once
#include "base/sb.h"

enum yg_encoding { YG_PLAIN, YG_GZIP, YG_ZSTD };
enum yg_encoding yg_encoding_sniff(struct yg_sv head); /* by magic bytes; YG_PLAIN otherwise */

struct yg_inflate; /* owned: yg_inflate_free() */
/* most_out: bytes the whole stream may give; beyond it yg_inflate() is YG_TOOBIG. */
yg_status yg_inflate_new(enum yg_encoding enc, uint64_t most_out, struct yg_inflate **out,
			 struct yg_err *err);
void yg_inflate_free(struct yg_inflate *z);
/* Takes from *in (advancing it) and writes up to cap bytes; *out_n tells how
 * many.  Call until *in is empty and *out_n is 0.  YG_OK | YG_PARSE (damaged) |
 * YG_TOOBIG | YG_NOMEM. */
yg_status yg_inflate(struct yg_inflate *z, struct yg_sv *in, char *out, size_t cap, size_t *out_n,
		     struct yg_err *err);
/* True when the stream ended where it should; false after a cut-off file. */
bool yg_inflate_complete(const struct yg_inflate *z);
/* A whole batch at once into `out` (its limit is the bomb limit). */
yg_status yg_inflate_all(enum yg_encoding enc, struct yg_sv in, struct yg_buf *out,
			 struct yg_err *err);
