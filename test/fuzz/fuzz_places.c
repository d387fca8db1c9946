#include "detect/place.h"
#include "fuzz/replay.h"

/* A file of places: refused, or every look-up answers within the bounds of the globe. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	struct yg_places *p = NULL;
	struct yg_place at;
	if (exact == NULL)
		return 0;
	if (yg_places_read((struct yg_sv){(const char *)exact, size}, &p, NULL) == YG_OK) {
		for (size_t i = 0; i + 16 <= size && i < 256; i++) {
			struct yg_ip ip;
			memcpy(ip.b, exact + i, sizeof ip.b);
			if (yg_places_find(p, ip, &at) &&
			    !(at.latitude >= -90 && at.latitude <= 90 && at.longitude >= -180 &&
			      at.longitude <= 180 && at.radius >= 0 &&
			      at.radius <= YG_PLACES_RADIUS))
				abort();
		}
		yg_places_free(p);
	}
	free(exact);
	return 0;
}
