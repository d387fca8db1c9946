#include "format/compress.h"

#include <zlib.h>
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

#define GZIP_WINDOW 31 /* zlib: 15 bits and a gzip head */

yg_status yg_gzip_compress(struct yg_sv in, int level, struct yg_buf *out, struct yg_err *err)
{
	z_stream z = {0};
	if (deflateInit2(&z, level, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return YG_FAIL(err, YG_NOMEM, "compressing");
	uLong most = deflateBound(&z, (uLong)in.n);
	char *room = in.n <= UINT32_MAX && most <= UINT32_MAX ? yg_buf_room(out, most) : NULL;
	int rc = Z_MEM_ERROR;
	if (room != NULL) {
		z.next_in = (Bytef *)(uintptr_t)in.p;
		z.avail_in = (uInt)in.n;
		z.next_out = (Bytef *)room;
		z.avail_out = (uInt)most;
		rc = deflate(&z, Z_FINISH);
		out->n += z.total_out;
	}
	(void)deflateEnd(&z);
	return rc == Z_STREAM_END ? YG_OK : YG_FAIL(err, YG_NOMEM, "compressing");
}
