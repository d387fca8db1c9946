/* The bytes of a segment: heads written and read.  Pure but for the caller's
 * read function. */
#include "store/spool_internal.h"

void spool_seg_head(uint8_t out[static SEG_HEAD], uint32_t number, uint64_t first, yg_wall created,
		    const uint8_t key[static 16])
{
	uint32_t version = SEG_VERSION;
	memset(out, 0, SEG_HEAD);
	memcpy(out, SEG_MAGIC.p, SEG_MAGIC.n);
	memcpy(out + 8, &version, 4);
	memcpy(out + 12, &number, 4);
	memcpy(out + 16, &first, 8);
	memcpy(out + 24, &created.us, 8);
	memcpy(out + 32, key, 16);
	uint32_t crc = yg_crc32c(0, out, 48);
	memcpy(out + 48, &crc, 4);
}

yg_status yg_spool_scan_open(struct yg_spool_scan *s, uint32_t number, uint64_t *out_first,
			     struct yg_err *err)
{
	uint8_t h[SEG_HEAD];
	ssize_t got = s->read(s->ctx, h, sizeof h, 0);
	if (got < 0)
		return YG_FAIL_OS(err, (int)-got, "spool segment");
	struct yg_rd r = yg_rd_init(h, (size_t)got);
	const uint8_t *magic = yg_rd_take(&r, 8);
	uint32_t version = yg_rd_le32(&r), num = yg_rd_le32(&r);
	uint64_t first = yg_rd_le64(&r);
	(void)yg_rd_le64(&r);
	const uint8_t *key = yg_rd_take(&r, 16);
	uint32_t crc = yg_rd_le32(&r);
	if (r.bad || magic == NULL || key == NULL || memcmp(magic, SEG_MAGIC.p, SEG_MAGIC.n) != 0 ||
	    crc != yg_crc32c(0, h, 48))
		return YG_FAIL(err, YG_CORRUPT, "the head of a spool segment is damaged");
	if (version != SEG_VERSION || num != number)
		return YG_FAIL(err, YG_CORRUPT, "spool segment of version %u, spool %u", version,
			       num);
	memcpy(s->key, key, 16);
	s->at = SEG_HEAD;
	s->last = first > 0 ? first - 1 : 0;
	*out_first = first;
	return YG_OK;
}

/* What the first 16 bytes vouch for is what lies behind them. */
static uint64_t head_mac(const uint8_t key[static 16], const uint8_t *head, size_t n)
{
	return yg_siphash(key, head + 16, n - 16);
}

void spool_rec_head(struct yg_buf *out, const struct yg_spool_batch *b,
		    const uint8_t key[static 16])
{
	size_t at = out->n;
	yg_wr_le32(out, REC_MAGIC);
	yg_wr_le32(out, 0);
	yg_wr_le64(out, 0);
	yg_wr_le32(out, 0);
	yg_wr_le32(out, (uint32_t)b->body.n);
	yg_wr_le32(out, yg_crc32c(0, b->body.p, b->body.n));
	yg_wr_le8(out, b->source);
	yg_wr_le8(out, b->encoding);
	yg_wr_le8(out, b->framed);
	yg_wr_le8(out, 0);
	yg_wr_le64(out, b->seq);
	yg_wr_le64(out, (uint64_t)b->received.us);
	yg_wr_sv32(out, b->org);
	yg_wr_sv32(out, b->sensor);
	yg_wr_sv32(out, b->mapping);
	yg_wr_sv32(out, b->batch_id);
	yg_wr_sv32(out, b->mark_key);
	yg_wr_sv32(out, b->mark);
	for (size_t pad = spool_pad(out->n - at); pad > 0; pad--)
		yg_wr_le8(out, 0);
	if (out->bad)
		return;
	uint8_t *h = (uint8_t *)out->p + at;
	uint32_t n = (uint32_t)(out->n - at);
	memcpy(h + 16, &n, 4);
	uint64_t mac = head_mac(key, h, n);
	memcpy(h + 8, &mac, 8);
	uint32_t crc = yg_crc32c(0, h + 8, n - 8);
	memcpy(h + 4, &crc, 4);
}

/* A checked head in s->head[0..got).  False: no record begins here. */
static bool head_read(struct yg_spool_scan *s, uint64_t at, size_t got, struct yg_spool_batch *out,
		      struct yg_spool_place *place)
{
	struct yg_rd r = yg_rd_init(s->head, got);
	uint32_t magic = yg_rd_le32(&r), crc = yg_rd_le32(&r);
	uint64_t mac = yg_rd_le64(&r);
	uint32_t n = yg_rd_le32(&r);
	if (r.bad || magic != REC_MAGIC || n < REC_FIXED || n > got || n % REC_ALIGN != 0 ||
	    crc != yg_crc32c(0, s->head + 8, n - 8) || mac != head_mac(s->key, s->head, n))
		return false;
	r.end = s->head + n;
	*out = (struct yg_spool_batch){.body = {"", 0}};
	*place = (struct yg_spool_place){.from = at, .body_at = at + n};
	place->body_n = yg_rd_le32(&r);
	place->body_crc = yg_rd_le32(&r);
	out->source = yg_rd_le8(&r);
	out->encoding = yg_rd_le8(&r);
	out->framed = yg_rd_le8(&r) != 0;
	(void)yg_rd_le8(&r);
	out->seq = yg_rd_le64(&r);
	out->received = (yg_wall){(int64_t)yg_rd_le64(&r)};
	out->org = yg_rd_sv32(&r);
	out->sensor = yg_rd_sv32(&r);
	out->mapping = yg_rd_sv32(&r);
	out->batch_id = yg_rd_sv32(&r);
	out->mark_key = yg_rd_sv32(&r);
	out->mark = yg_rd_sv32(&r);
	place->to = place->body_at + place->body_n + spool_pad(place->body_n);
	return !r.bad && out->seq > s->last && place->to <= s->size && place->to > at &&
	       out->org.n <= YG_ORG_NAME_MAX && out->batch_id.n <= YG_BATCH_ID_MAX &&
	       out->mark_key.n <= YG_SPOOL_MARK_KEY_MAX && out->mark.n <= YG_SPOOL_MARK_MAX;
}

/* Where the next record's magic may be at or behind `from`; s->size: nowhere. */
static yg_status magic_find(struct yg_spool_scan *s, uint64_t from, uint64_t *out_at,
			    struct yg_err *err)
{
	static const uint8_t want[4] = {'Y', 'G', 'R', '1'};
	while (from + REC_FIXED <= s->size) {
		ssize_t got = s->read(s->ctx, s->head, sizeof s->head, from);
		if (got < 0)
			return YG_FAIL_OS(err, (int)-got, "spool segment");
		size_t i = 0;
		for (; i + 4 <= (size_t)got; i += REC_ALIGN) {
			if (memcmp(s->head + i, want, 4) == 0) {
				*out_at = from + i;
				return YG_OK;
			}
		}
		if (i == 0)
			break;
		from += i;
	}
	*out_at = s->size;
	return YG_OK;
}

enum yg_spool_found yg_spool_scan_next(struct yg_spool_scan *s, struct yg_spool_batch *out,
				       struct yg_spool_place *place, struct yg_err *err)
{
	uint64_t from = s->at;
	if (from >= s->size)
		return YG_SPOOL_FOUND_END;
	for (uint64_t at = from; at < s->size;) {
		ssize_t got = s->read(s->ctx, s->head, sizeof s->head, at);
		if (got < 0) {
			(void)YG_FAIL_OS(err, (int)-got, "spool segment");
			return YG_SPOOL_FOUND_ERROR;
		}
		if (head_read(s, at, (size_t)got, out, place)) {
			if (at == from) {
				s->at = place->to;
				s->last = out->seq;
				return YG_SPOOL_FOUND_RECORD;
			}
			*place = (struct yg_spool_place){.from = from, .to = at};
			s->at = at; /* the record itself is found by the next call */
			return YG_SPOOL_FOUND_DAMAGE;
		}
		if (magic_find(s, at + REC_ALIGN, &at, err) != YG_OK)
			return YG_SPOOL_FOUND_ERROR;
	}
	*place = (struct yg_spool_place){.from = from, .to = s->size};
	s->at = s->size;
	return YG_SPOOL_FOUND_DAMAGE;
}
