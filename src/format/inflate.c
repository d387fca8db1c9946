#include "format/inflate.h"

#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

enum yg_encoding yg_encoding_sniff(struct yg_sv head)
{
	if (yg_sv_starts(head, YG_SV("\x1f\x8b")))
		return YG_GZIP;
	if (yg_sv_starts(head, YG_SV("\x28\xb5\x2f\xfd")))
		return YG_ZSTD;
	/* a skippable frame (RFC 8878 section 3.1.2) may come first */
	if (head.n >= 4 && (head.p[0] & 0xf0) == 0x50 && memcmp(head.p + 1, "\x2a\x4d\x18", 3) == 0)
		return YG_ZSTD;
	return YG_PLAIN;
}

struct yg_inflate {
	enum yg_encoding enc;
	uint64_t out_left;
	bool started, ended; /* of the current member or frame */
	bool failed;
	z_stream gz;
	ZSTD_DStream *zs;
	char head[4]; /* first bytes of the frame at hand */
	size_t head_n;
};

/* The window of a zstd frame is memory that the sender chooses: 8 MiB is what
 * RFC 8878 section 3.1.1.1.2 asks every decoder to support. */
enum { WINDOW_LOG_MAX = 23 };

yg_status yg_inflate_new(enum yg_encoding enc, uint64_t most_out, struct yg_inflate **out,
			 struct yg_err *err)
{
	struct yg_inflate *z = calloc(1, sizeof *z);
	if (z == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory to unpack");
	z->enc = enc;
	z->out_left = most_out;
	bool ok = true;
	if (enc == YG_GZIP) {
		ok = inflateInit2(&z->gz, 15 + 16) == Z_OK; /* 16: gzip alone */
	} else if (enc == YG_ZSTD) {
		z->zs = ZSTD_createDStream();
		ok = z->zs != NULL && !ZSTD_isError(ZSTD_DCtx_setParameter(
					      z->zs, ZSTD_d_windowLogMax, WINDOW_LOG_MAX));
	}
	if (!ok) {
		yg_inflate_free(z);
		return YG_FAIL(err, YG_NOMEM, "no memory to unpack");
	}
	*out = z;
	return YG_OK;
}

void yg_inflate_free(struct yg_inflate *z)
{
	if (z == NULL)
		return;
	if (z->enc == YG_GZIP)
		(void)inflateEnd(&z->gz);
	if (z->zs != NULL)
		(void)ZSTD_freeDStream(z->zs);
	free(z);
}

bool yg_inflate_complete(const struct yg_inflate *z)
{
	return !z->failed && (z->enc == YG_PLAIN || !z->started || z->ended);
}

static yg_status gzip_step(struct yg_inflate *z, struct yg_sv *in, char *out, size_t cap,
			   size_t *out_n, struct yg_err *err)
{
	if (z->ended) { /* another member, or padding of zeroes as tape and dd leave it */
		while (in->n > 0 && in->p[0] == '\0') {
			in->p++;
			in->n--;
		}
		if (in->n == 0)
			return YG_OK;
		if (inflateReset(&z->gz) != Z_OK)
			return YG_FAIL(err, YG_INTERNAL, "gzip: cannot begin another member");
		z->ended = false;
	}
	size_t give = YG_MIN(in->n, (size_t)UINT32_MAX), room = YG_MIN(cap, (size_t)UINT32_MAX);
	z->gz.next_in = (const Bytef *)in->p;
	z->gz.avail_in = (uInt)give;
	z->gz.next_out = (Bytef *)out;
	z->gz.avail_out = (uInt)room;
	int r = inflate(&z->gz, Z_NO_FLUSH);
	size_t used = give - z->gz.avail_in;
	in->p += used;
	in->n -= used;
	*out_n = room - z->gz.avail_out;
	z->started = z->started || used > 0;
	z->ended = r == Z_STREAM_END;
	if (r == Z_MEM_ERROR)
		return YG_FAIL(err, YG_NOMEM, "gzip: no memory");
	if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
		return YG_FAIL(err, YG_PARSE, "gzip: %s",
			       z->gz.msg != NULL ? z->gz.msg : "damaged");
	return YG_OK;
}

/* A frame begins with a magic number of RFC 8878; libzstd would also read what its
 * versions before 0.8 wrote, by decoders that nobody looks after any more. */
static yg_status zstd_head(struct yg_inflate *z, struct yg_sv *in, struct yg_err *err)
{
	size_t n = YG_MIN(sizeof z->head - z->head_n, in->n);
	memcpy(z->head + z->head_n, in->p, n);
	z->head_n += n;
	in->p += n;
	in->n -= n;
	z->started = true;
	z->ended = false;
	if (z->head_n < sizeof z->head)
		return YG_OK;
	if (yg_encoding_sniff((struct yg_sv){z->head, z->head_n}) != YG_ZSTD)
		return YG_FAIL(err, YG_PARSE, "zstd: not a frame");
	ZSTD_inBuffer from = {z->head, z->head_n, 0};
	ZSTD_outBuffer to = {NULL, 0, 0};
	size_t r = ZSTD_decompressStream(z->zs, &to, &from);
	if (ZSTD_isError(r) || from.pos < z->head_n)
		return YG_FAIL(err, YG_PARSE, "zstd: a damaged frame");
	return YG_OK;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): written through the library's struct */
static yg_status zstd_step(struct yg_inflate *z, struct yg_sv *in, char *out, size_t cap,
			   size_t *out_n, struct yg_err *err)
{
	if (in->n == 0 && (!z->started || z->ended))
		return YG_OK;
	if (z->head_n < sizeof z->head) {
		yg_status st = zstd_head(z, in, err);
		if (st != YG_OK || z->head_n < sizeof z->head)
			return st;
	}
	ZSTD_inBuffer from = {in->p, in->n, 0};
	ZSTD_outBuffer to = {out, cap, 0};
	size_t r = ZSTD_decompressStream(z->zs, &to, &from);
	in->p += from.pos;
	in->n -= from.pos;
	*out_n = to.pos;
	z->ended = r == 0;
	if (r == 0)
		z->head_n = 0;
	if (ZSTD_isError(r))
		return YG_FAIL(err, YG_PARSE, "zstd: %s", ZSTD_getErrorName(r));
	return YG_OK;
}

static yg_status plain_step(struct yg_sv *in, char *out, size_t cap, size_t *out_n)
{
	size_t n = YG_MIN(in->n, cap);
	if (n > 0)
		memcpy(out, in->p, n);
	in->p += n;
	in->n -= n;
	*out_n = n;
	return YG_OK;
}

yg_status yg_inflate(struct yg_inflate *z, struct yg_sv *in, char *out, size_t cap, size_t *out_n,
		     struct yg_err *err)
{
	char probe;
	yg_status st;
	*out_n = 0;
	if (z->failed)
		return YG_FAIL(err, YG_PARSE, "unpacking failed before");
	/* at the limit one byte more tells the end of the stream from a bomb */
	bool full = z->out_left == 0;
	if (full) {
		out = &probe;
		cap = 1;
	} else if (cap > z->out_left) {
		cap = (size_t)z->out_left;
	}
	if (z->enc == YG_GZIP)
		st = gzip_step(z, in, out, cap, out_n, err);
	else if (z->enc == YG_ZSTD)
		st = zstd_step(z, in, out, cap, out_n, err);
	else
		st = plain_step(in, out, cap, out_n);
	if (st == YG_OK && full && *out_n > 0)
		st = YG_FAIL(err, YG_TOOBIG, "unpacks to more than its limit");
	if (st != YG_OK) {
		z->failed = true;
		*out_n = full ? 0 : *out_n;
		return st;
	}
	z->out_left -= full ? 0 : *out_n;
	return YG_OK;
}

static void inflate_drop(struct yg_inflate **z)
{
	yg_inflate_free(*z);
}

yg_status yg_inflate_all(enum yg_encoding enc, struct yg_sv in, struct yg_buf *out,
			 struct yg_err *err)
{
	enum { PIECE = 65536 };
	YG_AUTO(inflate_drop) struct yg_inflate *z = NULL;
	if (enc == YG_PLAIN) {
		yg_buf_put(out, in);
		if (out->nomem)
			return YG_FAIL(err, YG_NOMEM, "no memory to unpack");
		return out->bad ? YG_FAIL(err, YG_TOOBIG, "larger than its limit") : YG_OK;
	}
	size_t limit = out->limit > out->n ? out->limit - out->n : 0, n;
	yg_status st = yg_inflate_new(enc, limit, &z, err);
	while (st == YG_OK && z != NULL) {
		size_t want = YG_MIN((size_t)PIECE, out->limit - out->n);
		char none;
		char *to = want > 0 ? yg_buf_room(out, want) : &none;
		if (to == NULL)
			return YG_FAIL(err, YG_NOMEM, "no memory to unpack");
		st = yg_inflate(z, &in, to, want > 0 ? want : 1, &n, err);
		out->n += n;
		if (in.n == 0 && n == 0)
			break;
	}
	if (st == YG_OK && z != NULL && !yg_inflate_complete(z))
		return YG_FAIL(err, YG_PARSE, "ends in the middle of a compressed stream");
	return st;
}
