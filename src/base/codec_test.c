#include "base/codec.h"

#include "tap.h"

int main(void)
{
	T_NAMED(yg_crc32c(0, "123456789", 9) == 0xe3069283u, "RFC 3720 check value");
	uint8_t key[16], in[15];
	for (uint8_t i = 0; i < 16; i++)
		key[i] = i;
	for (uint8_t i = 0; i < 15; i++)
		in[i] = i;
	T_NAMED(yg_siphash(key, in, 15) == 0xa129ca6149be45e5u, "SipHash paper, appendix A");
	struct yg_buf b;
	yg_buf_init(&b, 64);
	yg_wr_le16(&b, 0x0102);
	yg_wr_sv32(&b, YG_SV("hey"));
	struct yg_rd r = yg_rd_init(b.p, b.n);
	T_OK(yg_rd_le16(&r) == 0x0102 && yg_sv_eq(yg_rd_sv32(&r), YG_SV("hey")) && yg_rd_done(&r));
	T_OK(yg_rd_le64(&r) == 0 && r.bad);
	yg_buf_free(&b);
	char text[16];
	struct yg_sb s = yg_sb_init(text, sizeof text);
	yg_sb_base64url(&s, "\xfb\xff\xfe\x01", 4);
	T_OK(yg_sv_eq(yg_sb_sv(&s), YG_SV("-__-AQ")));
	return tap_done();
}
