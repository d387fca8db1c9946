#include "base/codec.h"
#include "event/normalize.h"
#include "fuzz/replay.h"

static uint32_t field_sum(const struct yg_event *ev, uint32_t crc)
{
	for (unsigned i = YG_EF_time; i < YG_EVENT_FIELD_COUNT; i++) {
		const char *at = (const char *)ev + yg_event_fields[i].offset;
		struct yg_sv s;
		struct yg_strs l;
		if (yg_event_fields[i].type == YG_ET_STR || yg_event_fields[i].type == YG_ET_LSTR) {
			memcpy(&s, at, sizeof s);
			crc = yg_crc32c(crc, s.n > 0 ? s.p : "", s.n);
		} else if (yg_event_fields[i].type == YG_ET_STRS) {
			memcpy(&l, at, sizeof l);
			for (uint32_t k = 0; k < l.n; k++)
				crc = yg_crc32c(crc, l.v[k].p, l.v[k].n);
		}
	}
	return crc;
}

/* All text of all events; reading it twice shows views that end too early. */
static uint32_t run(struct yg_norm *n, struct yg_sv in, bool framed)
{
	struct yg_event ev = {0};
	uint32_t crc = 0;
	uint64_t events = 0;
	yg_norm_begin(n, in, (yg_wall){1767225600LL * YG_US_PER_S}, framed);
	while (yg_norm_next(n, &ev)) {
		crc = field_sum(&ev, crc);
		if (++events > in.n + 1)
			abort();
	}
	if (yg_norm_records(n) != events || yg_norm_unparsed(n) > events)
		abort();
	return crc;
}

/* CloudTrail, Windows, syslog and dnstap take any bytes, and the same bytes give the same events. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum yg_source sources[] = {YG_SOURCE_CLOUDTRAIL, YG_SOURCE_WINDOWS,
						 YG_SOURCE_SYSLOG, YG_SOURCE_DNSTAP};
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL)
		return 0;
	struct yg_sv in = {(const char *)exact, size};
	static struct yg_norm *norms[YG_LEN(sources)]; /* made once: they cost more than a record */
	for (size_t i = 0; i < YG_LEN(sources); i++) {
		if (norms[i] == NULL && yg_norm_new(sources[i], NULL, &norms[i], NULL) != YG_OK)
			continue;
		if (run(norms[i], in, false) != run(norms[i], in, false))
			abort();
		(void)run(norms[i], in, true);
	}
	free(exact);
	return 0;
}
