/* compress.h - the other direction of inflate.h, for files and answers of our
 * own making. */
#pragma once
#include "base/sb.h"

/* Appends `in` as one zstd frame with a checksum.  YG_OK | YG_NOMEM (out's
 * limit, or memory). */
yg_status yg_zstd_compress(struct yg_sv in, int level, struct yg_buf *out, struct yg_err *err);
/* Appends `in` as one gzip member (RFC 1952).  As above. */
yg_status yg_gzip_compress(struct yg_sv in, int level, struct yg_buf *out, struct yg_err *err);
