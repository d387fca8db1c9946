/* codec.h - little-endian readers and writers with a sticky error, CRC-32C,
 * hex and base64, keyed SipHash.  Pure. */
#pragma once
#include "base/sb.h"

/* Reader: after the first short read everything returns zeroes and nothing moves. */
struct yg_rd {
	const uint8_t *p, *end;
	bool bad;
};
static inline struct yg_rd yg_rd_init(const void *buf, size_t n)
{
	return (struct yg_rd){buf, (const uint8_t *)buf + n, false};
}
static inline size_t yg_rd_left(const struct yg_rd *r)
{
	return (size_t)(r->end - r->p);
}
static inline const uint8_t *yg_rd_take(struct yg_rd *r, size_t n)
{
	if (r->bad || yg_rd_left(r) < n) {
		r->bad = true;
		return NULL;
	}
	const uint8_t *at = r->p;
	r->p += n;
	return at;
}
#define YG_RD_LE(bits)                                                                             \
	static inline uint##bits##_t yg_rd_le##bits(struct yg_rd *r)                               \
	{                                                                                          \
		uint##bits##_t v = 0;                                                              \
		const uint8_t *b = yg_rd_take(r, sizeof v);                                        \
		if (b != NULL)                                                                     \
			memcpy(&v, b, sizeof v);                                                   \
		return v;                                                                          \
	}
YG_RD_LE(8)
YG_RD_LE(16)
YG_RD_LE(32)
YG_RD_LE(64)
static inline struct yg_sv yg_rd_sv32(struct yg_rd *r) /* u32 length, then bytes */
{
	size_t n = yg_rd_le32(r);
	const uint8_t *b = yg_rd_take(r, n);
	return b != NULL ? (struct yg_sv){(const char *)b, n} : (struct yg_sv){"", 0};
}
static inline bool yg_rd_done(const struct yg_rd *r) /* every byte used and none missing */
{
	return !r->bad && r->p == r->end;
}

/* Writers append to a yg_buf; its sticky `bad` is the error. */
void yg_wr_le8(struct yg_buf *b, uint8_t v);
void yg_wr_le16(struct yg_buf *b, uint16_t v);
void yg_wr_le32(struct yg_buf *b, uint32_t v);
void yg_wr_le64(struct yg_buf *b, uint64_t v);
void yg_wr_sv32(struct yg_buf *b, struct yg_sv s);

/* CRC-32C (Castagnoli; RFC 3720 B.4).  Start with crc = 0; can be continued. */
uint32_t yg_crc32c(uint32_t crc, const void *bytes, size_t n);
/* SipHash-2-4 (Aumasson and Bernstein 2012): for tables whose keys come from outside. */
uint64_t yg_siphash(const uint8_t key[static 16], const void *bytes, size_t n);
/* RFC 4648 base64url without padding. */
void yg_sb_base64url(struct yg_sb *b, const void *bytes, size_t n);
