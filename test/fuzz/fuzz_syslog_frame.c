#include "base/codec.h"
#include "format/syslog_frame.h"
#include "fuzz/replay.h"

/* The messages of a stream as one checksum; `piece` bytes at a time. */
static uint32_t drain(struct yg_sv in, size_t piece, uint64_t *out_frames)
{
	struct yg_syslog_frames f;
	uint32_t crc = 0;
	struct yg_sv msg;
	bool cut;
	yg_syslog_frames_init(&f, 100);
	for (size_t at = 0; at < in.n; at += piece) {
		struct yg_sv part = yg_sv_sub(in, at, piece);
		while (yg_syslog_frames_next(&f, &part, &msg, &cut, NULL) == YG_OK && msg.n > 0) {
			crc = yg_crc32c(crc, msg.p, msg.n);
			crc = yg_crc32c(crc, &cut, 1);
			if (msg.n > 100)
				abort();
		}
	}
	yg_syslog_frames_end(&f, &msg, &cut);
	crc = yg_crc32c(crc, msg.p, msg.n);
	*out_frames = f.frames;
	yg_syslog_frames_free(&f);
	return crc;
}

/* However the bytes arrive, the same messages come out. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL)
		return 0;
	struct yg_sv in = {(const char *)exact, size};
	uint64_t a, b, c;
	uint32_t whole = drain(in, YG_MAX(size, (size_t)1), &a);
	if (drain(in, 1, &b) != whole || drain(in, 7, &c) != whole || a != b || a != c)
		abort();
	free(exact);
	return 0;
}
