#include "base/codec.h"
#include "format/dnstap.h"
#include "format/fstrm.h"
#include "fuzz/replay.h"

#define FRAME_MAX 4096

/* A frame that is read is written again as one that reads the same. */
static void again(struct yg_sv frame)
{
	static uint8_t out[2 * FRAME_MAX], back[2 * FRAME_MAX];
	struct yg_dnstap a, b;
	if (yg_dnstap_decode(frame, &a, NULL) != YG_OK)
		return;
	size_t n = yg_dnstap_encode(&a, out, sizeof out);
	if (n == 0 || n != yg_dnstap_size(&a) ||
	    yg_dnstap_decode((struct yg_sv){(char *)out, n}, &b, NULL) != YG_OK)
		abort();
	if (yg_dnstap_encode(&b, back, sizeof back) != n || memcmp(out, back, n) != 0)
		abort();
	if (yg_dnstap_time_us(a.query_sec, a.query_nsec) < 0)
		abort();
	(void)yg_dnstap_ip(a.query_address);
}

/* The stream as one checksum; `piece` bytes at a time. */
static uint32_t drain(struct yg_sv in, enum yg_fstrm_mode mode, size_t piece)
{
	struct yg_fstrm f;
	struct yg_sv frame;
	enum yg_fstrm_event what;
	yg_status st = YG_OK;
	uint32_t crc = 0;
	yg_fstrm_init(&f, mode, YG_SV(YG_FSTRM_DNSTAP), FRAME_MAX);
	for (size_t at = 0; at < in.n && st == YG_OK; at += piece) {
		struct yg_sv part = yg_sv_sub(in, at, piece);
		while ((st = yg_fstrm_next(&f, &part, &what, &frame, NULL)) == YG_OK &&
		       what != YG_FSTRM_MORE) {
			crc = yg_crc32c(crc, &what, sizeof what);
			crc = yg_crc32c(crc, frame.p, frame.n);
			if (frame.n > FRAME_MAX)
				abort();
			if (what == YG_FSTRM_DATA)
				again(frame);
		}
	}
	if (yg_fstrm_held(&f) > FRAME_MAX || f.offset > in.n)
		abort();
	crc = yg_crc32c(crc, &f.offset, sizeof f.offset);
	crc = yg_crc32c(crc, &st, sizeof st);
	yg_fstrm_free(&f);
	return crc;
}

/* However the bytes arrive, the same frames come out. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL)
		return 0;
	struct yg_sv in = {(const char *)exact, size};
	for (int mode = YG_FSTRM_FILE; mode <= YG_FSTRM_SENDER; mode++) {
		uint32_t whole = drain(in, (enum yg_fstrm_mode)mode, YG_MAX(size, (size_t)1));
		if (drain(in, (enum yg_fstrm_mode)mode, 1) != whole ||
		    drain(in, (enum yg_fstrm_mode)mode, 7) != whole)
			abort();
	}
	again(in);
	free(exact);
	return 0;
}
