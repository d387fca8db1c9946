#include "base/codec.h"

void yg_wr_le8(struct yg_buf *b, uint8_t v)
{
	yg_buf_put(b, (struct yg_sv){(const char *)&v, sizeof v});
}
void yg_wr_le16(struct yg_buf *b, uint16_t v)
{
	yg_buf_put(b, (struct yg_sv){(const char *)&v, sizeof v});
}
void yg_wr_le32(struct yg_buf *b, uint32_t v)
{
	yg_buf_put(b, (struct yg_sv){(const char *)&v, sizeof v});
}
void yg_wr_le64(struct yg_buf *b, uint64_t v)
{
	yg_buf_put(b, (struct yg_sv){(const char *)&v, sizeof v});
}
void yg_wr_sv32(struct yg_buf *b, struct yg_sv s)
{
	if (s.n > UINT32_MAX) {
		b->bad = true;
		return;
	}
	yg_wr_le32(b, (uint32_t)s.n);
	yg_buf_put(b, s);
}

#define CRC32C_POLY 0x82f63b78u /* 0x1edc6f41 bit-reversed */

static uint32_t crc_soft(uint32_t crc, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int k = 0; k < 8; k++)
			crc = (crc >> 1) ^ (CRC32C_POLY & (0u - (crc & 1u)));
	}
	return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_hard(uint32_t crc, const uint8_t *p, size_t n)
{
	uint64_t c = crc;
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t v;
		memcpy(&v, p, sizeof v);
		c = __builtin_ia32_crc32di(c, v);
	}
	for (; n > 0; n--, p++)
		c = __builtin_ia32_crc32qi((uint32_t)c, *p);
	return (uint32_t)c;
}
#endif

uint32_t yg_crc32c(uint32_t crc, const void *bytes, size_t n)
{
	crc = ~crc;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return ~crc_hard(crc, bytes, n);
#endif
	return ~crc_soft(crc, bytes, n);
}

static inline uint64_t rotl(uint64_t x, int b)
{
	return x << b | x >> (64 - b);
}

static inline void sip_round(uint64_t v[static 4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

uint64_t yg_siphash(const uint8_t key[static 16], const void *bytes, size_t n)
{
	uint64_t k0, k1, m;
	memcpy(&k0, key, 8);
	memcpy(&k1, key + 8, 8);
	uint64_t v[4] = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du,
			 k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u};
	const uint8_t *p = bytes;
	size_t left = n;
	for (; left >= 8; left -= 8, p += 8) {
		memcpy(&m, p, 8);
		v[3] ^= m;
		sip_round(v);
		sip_round(v);
		v[0] ^= m;
	}
	m = (uint64_t)n << 56;
	for (size_t i = 0; i < left; i++)
		m |= (uint64_t)p[i] << (8 * i);
	v[3] ^= m;
	sip_round(v);
	sip_round(v);
	v[0] ^= m;
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void yg_sb_base64url(struct yg_sb *b, const void *bytes, size_t n)
{
	static const char abc[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const uint8_t *p = bytes;
	for (; n >= 3; n -= 3, p += 3) {
		yg_sb_putc(b, abc[p[0] >> 2]);
		yg_sb_putc(b, abc[(p[0] & 3) << 4 | p[1] >> 4]);
		yg_sb_putc(b, abc[(p[1] & 15) << 2 | p[2] >> 6]);
		yg_sb_putc(b, abc[p[2] & 63]);
	}
	if (n > 0) {
		uint8_t second = n == 2 ? p[1] : 0;
		yg_sb_putc(b, abc[p[0] >> 2]);
		yg_sb_putc(b, abc[(p[0] & 3) << 4 | second >> 4]);
		if (n == 2)
			yg_sb_putc(b, abc[(second & 15) << 2]);
	}
}
