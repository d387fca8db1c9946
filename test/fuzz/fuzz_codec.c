#include "base/codec.h"
#include "base/ip.h"
#include "base/units.h"
#include "fuzz/replay.h"

/* Readers never pass the end; what we print reads back to the same value. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL)
		return 0;
	struct yg_rd r = yg_rd_init(exact, size);
	while (!r.bad && yg_rd_left(&r) > 0)
		(void)yg_rd_sv32(&r);
	if (r.p > r.end || (yg_rd_done(&r) && yg_rd_left(&r) != 0))
		abort();
	struct yg_sv text = {(const char *)exact, size};
	char buf[64];
	struct yg_sb b = yg_sb_init(buf, sizeof buf);
	struct yg_ip ip, again;
	if (yg_ip_parse(text, &ip) == YG_OK) {
		yg_ip_format(&b, ip);
		if (yg_ip_parse(yg_sb_sv(&b), &again) != YG_OK || !yg_ip_eq(ip, again))
			abort();
	}
	yg_wall t, t2;
	b = yg_sb_init(buf, sizeof buf);
	if (yg_time_parse(text, &t, NULL) == YG_OK && t.us >= 0) {
		yg_time_format(&b, t);
		if (yg_time_parse(yg_sb_sv(&b), &t2, NULL) != YG_OK || t.us != t2.us)
			abort();
	}
	if (yg_utf8_valid(text) > size || yg_crc32c(yg_crc32c(0, exact, size / 2), exact + size / 2,
						    size - size / 2) != yg_crc32c(0, exact, size))
		abort();
	free(exact);
	return 0;
}
