#include "format/compress.h"

#include <zstd.h>

yg_status yg_zstd_compress(struct yg_sv in, int level, struct yg_buf *out, struct yg_err *err)
{
	ZSTD_CCtx *ctx = ZSTD_createCCtx();
	size_t room = ZSTD_compressBound(in.n);
	char *to = ctx != NULL ? yg_buf_room(out, room) : NULL;
	if (to == NULL) {
		(void)ZSTD_freeCCtx(ctx);
		return YG_FAIL(err, YG_NOMEM, "no memory to compress %zu bytes", in.n);
	}
	(void)ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, level);
	(void)ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1);
	size_t n = ZSTD_compress2(ctx, to, room, in.p, in.n);
	(void)ZSTD_freeCCtx(ctx);
	if (ZSTD_isError(n))
		return YG_FAIL(err, YG_NOMEM, "zstd: %s", ZSTD_getErrorName(n));
	out->n += n;
	return YG_OK;
}
