/* An event log file to events: the input is a file, or, for the fuzzer to get further than
 * to checksums and 64 KiB borders, what follows a chunk's header. */
#include "format/evtx.h"
#include "fuzz/normalize.h"

static uint8_t file[YG_EVTX_HEADER_BYTES + YG_EVTX_CHUNK_BYTES];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || yg_evtx_is_file((struct yg_sv){(const char *)data, size}))
		return fuzz_normalize(YG_SOURCE_EVTX, data, size);
	uint32_t end = (uint32_t)YG_MIN(size + 512, (size_t)YG_EVTX_CHUNK_BYTES);
	memset(file, 0, sizeof file);
	memcpy(file, YG_EVTX_MAGIC, sizeof YG_EVTX_MAGIC);
	memcpy(file + YG_EVTX_HEADER_BYTES, "ElfChnk", 8);
	memcpy(file + YG_EVTX_HEADER_BYTES + 48, &end, 4);
	memcpy(file + YG_EVTX_HEADER_BYTES + 512, data, end - 512);
	return fuzz_normalize(YG_SOURCE_EVTX, file, sizeof file);
}
