/* A file of local zones, with its checksum put right so that the parts behind it are
 * reached; and a record as the configuration has it.  Any bytes: no harm. */
#include "base/codec.h"
#include "dns/local.h"
#include "fuzz/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct yg_dns_local_file f;
	struct yg_dns_local_zone z;
	struct yg_dns_zones *zones = yg_dns_zones_new();
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL || zones == NULL)
		abort();
	if (size >= 28) {
		uint32_t crc = yg_crc32c(0, exact + 12, size - 12);
		for (unsigned i = 0; i < 4; i++)
			exact[8 + i] = (uint8_t)(crc >> 8 * i);
	}
	struct yg_sv bytes = {(const char *)exact, size};
	if (yg_dns_local_open(bytes, &f, NULL) == YG_OK)
		for (uint32_t i = 0; i < 64 && yg_dns_local_next(&f, &z, NULL) == YG_OK; i++)
			(void)yg_dns_local_put(zones, (uint32_t)z.org.n, &z, NULL);
	else
		(void)yg_dns_local_text(zones, 1, bytes, NULL);
	yg_dns_zones_free(zones);
	free(exact);
	return 0;
}
