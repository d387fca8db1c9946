#include "event/mapping.h"
#include "fuzz/replay.h"

/* A mapping, then NUL, then records: what compiles maps without a fault. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	struct yg_mapping *m = NULL;
	struct yg_norm *n = NULL;
	struct yg_event ev = {0};
	struct yg_err err = {0};
	if (exact == NULL)
		return 0;
	struct yg_sv all = {(const char *)exact, size};
	size_t cut = yg_sv_find(all, '\0', 0);
	if (yg_mapping_read(yg_sv_sub(all, 0, cut), "fuzz", &m, &err) == YG_OK &&
	    yg_norm_new(YG_SOURCE_NDJSON, m, &n, NULL) == YG_OK) {
		yg_norm_begin(n, yg_sv_sub(all, cut + 1, size), (yg_wall){1}, false);
		while (yg_norm_next(n, &ev))
			if (ev.raw.n > size)
				abort();
	} else if (m == NULL && err.msg[0] == '\0') {
		abort();
	}
	yg_norm_free(n);
	yg_mapping_free(m);
	yg_wall t;
	(void)yg_time_by_pattern(yg_sv_sub(all, 0, cut), yg_sv_sub(all, cut + 1, size),
				 YG_SECONDS(0), &t);
	free(exact);
	return 0;
}
