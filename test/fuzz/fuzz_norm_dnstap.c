/* dnstap frames, and our own `extra` in them, to events. */
#include "fuzz/normalize.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_normalize(YG_SOURCE_DNSTAP, data, size);
}
