#include "base/codec.h"
#include "event/split.h"
#include "fuzz/replay.h"

static uint32_t drain(enum yg_source source, struct yg_sv in, size_t piece, uint64_t *out_records)
{
	struct yg_split *s = NULL;
	struct yg_split_batch b;
	uint32_t crc = 0;
	*out_records = 0;
	if (yg_split_new(source, YG_RECORD_MAX + YG_SPLIT_HEADER_MAX + 2, &s, NULL) != YG_OK)
		return 0;
	for (size_t at = 0; at < in.n; at += piece) {
		struct yg_sv part = yg_sv_sub(in, at, piece);
		while (yg_split_next(s, &part, &b)) {
			crc = yg_crc32c(crc, b.bytes.p, b.bytes.n);
			*out_records += b.records;
		}
	}
	while (yg_split_end(s, &b)) {
		crc = yg_crc32c(crc, b.bytes.p, b.bytes.n);
		*out_records += b.records;
		bool lines = source != YG_SOURCE_DNSTAP && source != YG_SOURCE_EVTX;
		if (b.bytes.n == 0 || b.offset > in.n ||
		    (lines && b.bytes.p[b.bytes.n - 1] != '\n'))
			abort();
	}
	yg_split_free(s);
	return crc;
}

/* However the bytes arrive, the same batches come out. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum yg_source sources[] = {YG_SOURCE_NDJSON, YG_SOURCE_ZEEK,
						 YG_SOURCE_CLOUDTRAIL, YG_SOURCE_DNSTAP,
						 YG_SOURCE_EVTX};
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL)
		return 0;
	struct yg_sv in = {(const char *)exact, size};
	for (size_t i = 0; i < YG_LEN(sources); i++) {
		uint64_t a, b;
		uint32_t whole = drain(sources[i], in, YG_MAX(size, (size_t)1), &a);
		if (drain(sources[i], in, 3, &b) != whole || a != b)
			abort();
	}
	free(exact);
	return 0;
}
