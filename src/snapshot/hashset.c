#include "snapshot/hashset.h"

#include <stdlib.h>

#include "base/breath.h"

#define SOME 64u /* keys, between two breaths */

size_t yg_name_hashes(const struct yg_hash_key *key, uint32_t domain, struct yg_sv name,
		      struct yg_name_hash *out, size_t most)
{
	uint64_t h = yg_hash_begin(key, domain);
	size_t count = 0, end = name.n;
	while (count < most) {
		const char *dot = end > 0 ? memrchr(name.p, '.', end) : NULL;
		size_t at = dot != NULL ? (size_t)(dot - name.p) + 1 : 0;
		h = yg_hash_more(key, h, name.p + at, end - at);
		out[count++] = (struct yg_name_hash){yg_hash_end(key, h), (uint32_t)at};
		if (at == 0)
			break;
		end = at - 1;
	}
	return count;
}

uint64_t yg_name_hash(const struct yg_hash_key *key, uint32_t domain, struct yg_sv name)
{
	uint64_t h = yg_hash_begin(key, domain);
	size_t end = name.n;
	for (;;) {
		const char *dot = end > 0 ? memrchr(name.p, '.', end) : NULL;
		size_t at = dot != NULL ? (size_t)(dot - name.p) + 1 : 0;
		h = yg_hash_more(key, h, name.p + at, end - at);
		if (at == 0)
			return yg_hash_end(key, h);
		end = at - 1;
	}
}

/* LEB128, at most five bytes; false when it is cut off, too long or above 32 bits. */
static bool varint(const uint8_t **p, const uint8_t *end, uint32_t *out)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 35; shift += 7) {
		if (*p == end)
			return false;
		uint8_t c = *(*p)++;
		v |= (uint64_t)(c & 0x7f) << shift;
		if ((c & 0x80) == 0) {
			*out = (uint32_t)v;
			return v <= UINT32_MAX;
		}
	}
	return false;
}

static size_t put_varint(uint8_t *to, uint32_t v)
{
	size_t n = 0;
	for (; v >= 0x80; v >>= 7)
		to[n++] = (uint8_t)(v | 0x80);
	to[n++] = (uint8_t)v;
	return n;
}

bool yg_hashset_rec(const struct yg_hashset *s, uint64_t off, struct yg_hashset_rec *out)
{
	if (off >= s->pool_bytes)
		return false;
	const uint8_t *p = s->pool + off, *end = s->pool + s->pool_bytes;
	uint32_t n;
	out->head = *p++;
	if (!varint(&p, end, &n) || n > YG_HASHSET_KEY_MAX || n > (size_t)(end - p))
		return false;
	out->key = (struct yg_sv){(const char *)p, n};
	p += n;
	if (!varint(&p, end, &out->value_count) || out->value_count > YG_HASHSET_VALUES_MAX)
		return false;
	out->values = p;
	out->values_end = end;
	return true;
}

bool yg_hashset_value(struct yg_hashset_rec *rec, uint32_t *out)
{
	if (rec->value_count == 0 || !varint(&rec->values, rec->values_end, out))
		return false;
	rec->value_count--;
	return true;
}

static unsigned off_bits_for(uint64_t pool_bytes)
{
	const uint64_t places = (pool_bytes + YG_HASHSET_UNIT - 1) / YG_HASHSET_UNIT;
	unsigned bits = 1;
	while ((places >> bits) != 0)
		bits++;
	return bits;
}

/* Where the record is that a slot means, which is not 0. */
static uint64_t off_of(uint32_t slot, uint32_t mask)
{
	return ((uint64_t)(slot & mask) - 1) * YG_HASHSET_UNIT;
}

/* Bytes of the record at `off` when it is what nearly all are, a short key with one value
 * in range; 0: it has to be looked at properly. */
static size_t plain_record(const struct yg_hashset *s, uint64_t off, uint64_t value_limit)
{
	const uint8_t *p = s->pool + off;
	size_t left = s->pool_bytes - off;
	if (left < 2 || p[1] >= 0x80 || left < 2 + (size_t)p[1] + 4)
		return 0;
	size_t at = 2 + (size_t)p[1];
	if (p[at] != 1)
		return 0;
	uint32_t value = p[at + 1] & 0x7f, n = 2;
	if (p[at + 1] >= 0x80) {
		value |= (uint32_t)(p[at + 2] & 0x7f) << 7;
		n = 3;
		if (p[at + 2] >= 0x80) {
			value |= (uint32_t)p[at + 3] << 14;
			n = 4;
			if (p[at + 3] >= 0x80)
				return 0;
		}
	}
	return value < value_limit ? at + n : 0;
}

yg_status yg_hashset_check(struct yg_hashset *s, uint64_t value_limit, uint64_t *out_count,
			   struct yg_err *err)
{
	s->off_bits = off_bits_for(s->pool_bytes);
	if (s->off_bits > 31 || s->slot_count == 0 || s->slot_count > UINT32_MAX ||
	    s->filter_count == 0)
		return YG_FAIL(err, YG_CORRUPT, "snapshot hash set has impossible sizes");
	const uint32_t mask = (1u << s->off_bits) - 1;
	uint64_t used = 0, count = 0;
	for (uint64_t i = 0; i < s->slot_count; i++) {
		uint32_t slot = s->slots[i];
		if (i % SOME == 0)
			yg_breathe(SOME / 2);
		used += slot != 0;
		if (slot != 0 && ((slot & mask) == 0 || off_of(slot, mask) >= s->pool_bytes))
			return YG_FAIL(err, YG_CORRUPT, "snapshot slot %llu is out of range",
				       (unsigned long long)i);
	}
	for (uint64_t off = 0; off < s->pool_bytes; count++) {
		struct yg_hashset_rec rec;
		uint32_t value;
		size_t plain = plain_record(s, off, value_limit);
		if (count % SOME == 0)
			yg_breathe(SOME);
		if (plain > 0) {
			rec.values = s->pool + off + plain;
			off = yg_hashset_behind(s, &rec);
			continue;
		}
		if (!yg_hashset_rec(s, off, &rec))
			return YG_FAIL(err, YG_CORRUPT, "snapshot record at %llu is damaged",
				       (unsigned long long)off);
		while (rec.value_count > 0)
			if (!yg_hashset_value(&rec, &value) || value >= value_limit)
				return YG_FAIL(err, YG_CORRUPT,
					       "snapshot record at %llu is damaged",
					       (unsigned long long)off);
		off = yg_hashset_behind(s, &rec);
	}
	if (used >= s->slot_count || used > count)
		return YG_FAIL(err, YG_CORRUPT, "snapshot hash set is overfull");
	*out_count = count;
	return YG_OK;
}

static uint64_t slot_of(uint64_t hash, uint64_t slot_count)
{
	return (hash & UINT32_MAX) * slot_count >> 32;
}

void yg_hashset_prefetch_slot(const struct yg_hashset *s, uint64_t hash)
{
	__builtin_prefetch(&s->slots[slot_of(hash, s->slot_count)], 0, 3);
}

void yg_hashset_prefetch_record(const struct yg_hashset *s, uint64_t hash)
{
	const uint32_t mask = (1u << s->off_bits) - 1;
	const uint32_t tag = (uint32_t)hash << s->off_bits;
	uint64_t at = slot_of(hash, s->slot_count);
	for (unsigned probe = 0; probe < 16; probe++) {
		uint32_t slot = s->slots[at];
		if (slot == 0)
			return;
		if ((slot & ~mask) == tag && (slot & mask) != 0) {
			/* about 30 bytes: one line or two */
			const uint8_t *rec = s->pool + off_of(slot, mask);
			__builtin_prefetch(rec, 0, 3);
			__builtin_prefetch(rec + 32, 0, 3);
		}
		if (++at == s->slot_count)
			at = 0;
	}
}

size_t yg_hashset_find(const struct yg_hashset *s, uint64_t hash, struct yg_sv key,
		       struct yg_hashset_rec *out, size_t most)
{
	const uint32_t mask = (1u << s->off_bits) - 1;
	const uint32_t tag = (uint32_t)hash << s->off_bits;
	size_t found = 0;
	uint64_t at = slot_of(hash, s->slot_count);
	for (unsigned probe = 0; probe < YG_HASHSET_PROBES_MAX && found < most; probe++) {
		uint32_t slot = s->slots[at];
		if (slot == 0)
			break;
		if ((slot & ~mask) == tag && (slot & mask) != 0 &&
		    yg_hashset_rec(s, off_of(slot, mask), &out[found]) &&
		    out[found].key.n == key.n && memcmp(out[found].key.p, key.p, key.n) == 0)
			found++;
		if (++at == s->slot_count)
			at = 0;
	}
	return found;
}

yg_status yg_hashset_put(struct yg_buf *pool, uint8_t head, struct yg_sv key,
			 const uint32_t *values, size_t value_count, uint64_t *out_off)
{
	if (key.n > YG_HASHSET_KEY_MAX || value_count > YG_HASHSET_VALUES_MAX)
		return YG_INVAL;
	const size_t gap = (YG_HASHSET_UNIT - pool->n % YG_HASHSET_UNIT) % YG_HASHSET_UNIT;
	uint8_t *to = (uint8_t *)yg_buf_room(pool, gap + 1 + 5 + key.n + 5 + value_count * 5);
	if (to == NULL)
		return YG_LIMIT;
	uint8_t *p = to;
	for (size_t i = 0; i < gap; i++)
		*p++ = 0;
	*out_off = pool->n + gap;
	*p++ = head;
	p += put_varint(p, (uint32_t)key.n);
	if (key.n > 0)
		memcpy(p, key.p, key.n);
	p += key.n;
	p += put_varint(p, (uint32_t)value_count);
	for (size_t i = 0; i < value_count; i++)
		p += put_varint(p, values[i]);
	pool->n += (size_t)(p - to);
	return YG_OK;
}

yg_status yg_hashset_build(const struct yg_hash_key *key, const struct yg_hashset_item *items,
			   uint64_t count, uint64_t pool_bytes, struct yg_hashset *out,
			   struct yg_err *err)
{
	struct yg_hashset s = {.pool_bytes = pool_bytes, .off_bits = off_bits_for(pool_bytes)};
	s.slot_count = count + count / 3 + 8;
	s.filter_count = count / 4 + 8; /* 16 bits a key */
	if (s.off_bits > 31 || s.slot_count > UINT32_MAX)
		return YG_FAIL(err, YG_LIMIT, "too many keys for one snapshot");
	uint32_t *slots = calloc(s.slot_count, sizeof *slots);
	uint64_t *filter = calloc(s.filter_count, sizeof *filter);
	if (slots == NULL || filter == NULL) {
		free(slots);
		free(filter);
		return YG_FAIL(err, YG_NOMEM, "hash set of %llu keys", (unsigned long long)count);
	}
	const uint64_t ahead = 16; /* prefetch distance: both tables are larger than the caches */
	for (uint64_t i = 0; i < count; i++) {
		if (i % SOME == 0)
			yg_breathe(SOME);
		if (i + ahead < count) {
			const struct yg_hashset_item *next = &items[i + ahead];
			uint64_t far = yg_hash_scoped(key, next->hash, next->scope);
			__builtin_prefetch(&slots[slot_of(far, s.slot_count)], 1);
			__builtin_prefetch(&filter[yg_hashset_word(&s, next->hash)], 1);
		}
		uint64_t hash = yg_hash_scoped(key, items[i].hash, items[i].scope);
		uint64_t at = slot_of(hash, s.slot_count);
		filter[yg_hashset_word(&s, items[i].hash)] |= yg_hashset_mask(items[i].hash);
		while (slots[at] != 0)
			at = at + 1 < s.slot_count ? at + 1 : 0;
		slots[at] = (uint32_t)hash << s.off_bits | (items[i].off / YG_HASHSET_UNIT + 1);
	}
	s.slots = slots;
	s.filter = filter;
	*out = s;
	return YG_OK;
}
