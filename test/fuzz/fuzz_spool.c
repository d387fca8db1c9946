/* A segment's bytes, whatever they are: heads stay within bounds, places rise,
 * records and damage together cover the segment, and numbers ascend. */
#include "base/limits.h"
#include "fuzz/replay.h"
#include "store/spool.h"

struct bytes {
	const uint8_t *p;
	size_t n;
};
static ssize_t from_memory(void *ctx, void *buf, size_t n, uint64_t at)
{
	const struct bytes *b = ctx;
	if (at >= b->n)
		return 0;
	size_t part = n < b->n - at ? n : b->n - (size_t)at;
	memcpy(buf, b->p + at, part);
	return (ssize_t)part;
}

/* Damaged checksums hide everything behind them; with repaired ones the fuzzer
 * gets further.  The last byte chooses. */
static void repair(uint8_t *p, size_t n)
{
	uint32_t crc = n >= 52 ? yg_crc32c(0, p, 48) : 0;
	if (n >= 52)
		memcpy(p + 48, &crc, 4);
	for (size_t at = 64; at + 48 <= n; at += 8) {
		uint32_t head_n;
		if (memcmp(p + at, "YGR1", 4) != 0)
			continue;
		memcpy(&head_n, p + at + 16, 4);
		if (head_n < 48 || head_n > n - at || head_n > YG_SPOOL_HEAD_MAX)
			continue;
		uint64_t mac = yg_siphash(p + 32, p + at + 16, head_n - 16);
		memcpy(p + at + 8, &mac, 8);
		crc = yg_crc32c(0, p + at + 8, head_n - 8);
		memcpy(p + at + 4, &crc, 4);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL)
		return 0;
	if (size > 0 && (exact[size - 1] & 1) != 0)
		repair(exact, size);
	struct bytes b = {exact, size};
	struct yg_spool_scan *s = calloc(1, sizeof *s); /* so that a step over its head is seen */
	uint64_t first, covered = 64, last;
	if (s != NULL) {
		*s = (struct yg_spool_scan){.read = from_memory, .ctx = &b, .size = size};
		bool open = yg_spool_scan_open(s, 3, &first, NULL) == YG_OK;
		last = s->last;
		for (bool more = open; more;) {
			struct yg_spool_batch batch;
			struct yg_spool_place place;
			enum yg_spool_found found = yg_spool_scan_next(s, &batch, &place, NULL);
			more = found == YG_SPOOL_FOUND_RECORD || found == YG_SPOOL_FOUND_DAMAGE;
			if (!more)
				break;
			if (place.from != covered || place.to <= place.from || place.to > size)
				abort();
			covered = place.to;
			if (found != YG_SPOOL_FOUND_RECORD)
				continue;
			if (batch.seq <= last || place.body_at + place.body_n > size ||
			    batch.org.n > YG_ORG_NAME_MAX || batch.batch_id.n > YG_BATCH_ID_MAX)
				abort();
			last = batch.seq;
			uint8_t sum = 0; /* every view is readable */
			for (size_t i = 0; i < batch.sensor.n; i++)
				sum ^= (uint8_t)batch.sensor.p[i];
			for (size_t i = 0; i < batch.mark.n; i++)
				sum ^= (uint8_t)batch.mark.p[i];
			if (sum == 1 && batch.org.n == SIZE_MAX)
				abort();
		}
		if (open && size > 64 && covered != size)
			abort();
	}
	free(s);
	free(exact);
	return 0;
}
