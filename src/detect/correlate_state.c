/* correlate_state.c - saved and restored.  All integers little endian; a length in front
 * of each correlation, so that one that is gone is stepped over.
 *
 *   "YGCORR\r\n"  version u32  CRC-32C u32 of what follows the header  its length u64
 *   key of hashes, times, the count of what was forced
 *   correlations: print, length, counters, groups in the order of their list
 *   waiting entries in the order of the heap
 */
#include <stdlib.h>

#include "detect/correlate_internal.h"

#define MAGIC   "YGCORR\r\n"
#define VERSION 1U
#define HEAD    24U

/* ---- out ---- */

static void wr_time(struct yg_buf *b, int64_t t)
{
	yg_wr_le64(b, (uint64_t)t);
}

static void put_state(struct yg_buf *b, const struct yg_corr *k, const struct yg_corr_group *g)
{
	switch (k->state) {
	case YG_CORR_RING:
		yg_wr_le32(b, g->ring.cap);
		yg_wr_le32(b, g->ring.n);
		for (uint32_t i = 0; i < g->ring.n; i++) {
			const struct yg_corr_cell *v = &g->ring.v[(g->ring.head + i) % g->ring.cap];
			wr_time(b, v->time);
			yg_wr_le64(b, (uint64_t)v->value);
		}
		break;
	case YG_CORR_SET:
		yg_wr_le32(b, g->set.cap);
		yg_wr_le32(b, g->set.n);
		for (uint32_t at = g->set.first; at != 0; at = g->set.items[at - 1].next) {
			wr_time(b, g->set.items[at - 1].time);
			yg_wr_le64(b, g->set.items[at - 1].value);
		}
		break;
	case YG_CORR_MARKS:
		for (uint32_t i = 0; i < k->rule_count; i++)
			wr_time(b, g->marks[i]);
		break;
	case YG_CORR_TOTAL:
		yg_wr_le64(b, (uint64_t)g->total->sum);
		yg_wr_le64(b, (uint64_t)((unsigned __int128)g->total->sum >> 64));
		for (uint32_t i = 0; i < k->criterion_count; i++) {
			yg_wr_le64(b, g->total->below[i]);
			yg_wr_le64(b, g->total->equal[i]);
		}
		break;
	}
}

static void put_group(struct yg_buf *b, const struct yg_corr *k, const struct yg_corr_group *g)
{
	yg_wr_sv32(b, (struct yg_sv){g->key, g->key_n});
	yg_wr_sv32(b, (struct yg_sv){g->carry, g->carry_n});
	wr_time(b, g->start);
	wr_time(b, g->last);
	yg_wr_le64(b, g->count);
	for (uint32_t i = 0; i < g->seen_n; i++) {
		const struct yg_corr_seen *s =
			&g->seen[(g->seen_at + YG_CORRELATE_EVIDENCE - g->seen_n + i) %
				 YG_CORRELATE_EVIDENCE];
		wr_time(b, s->time);
		yg_wr_le64(b, s->id[0]);
		yg_wr_le64(b, s->id[1]);
	}
	put_state(b, k, g);
}

static void put_at(struct yg_buf *b, size_t at, const void *bytes, size_t n)
{
	if (!b->bad)
		memcpy(b->p + at, bytes, n);
}

static void put_corr(struct yg_buf *b, const struct yg_corr *k)
{
	yg_buf_put(b, (struct yg_sv){(const char *)k->print, sizeof k->print});
	size_t at = b->n;
	yg_wr_le64(b, 0);
#define X(name, meaning) yg_wr_le64(b, k->counts.name);
	YG_CORRELATE_COUNTERS(X)
#undef X
	yg_wr_le32(b, k->group_count);
	for (const struct yg_corr_group *g = k->first; g != NULL; g = g->next)
		put_group(b, k, g);
	uint64_t length = b->n - at - sizeof length;
	put_at(b, at, &length, sizeof length);
}

yg_status yg_correlate_save(const struct yg_correlate *c, struct yg_buf *out)
{
	size_t begin = out->n;
	uint32_t whole = 0;
	yg_buf_put(out, YG_SV(MAGIC));
	yg_wr_le32(out, VERSION);
	yg_wr_le32(out, 0);
	yg_wr_le64(out, 0);
	yg_buf_put(out, (struct yg_sv){(const char *)c->key, sizeof c->key});
	wr_time(out, c->latest);
	wr_time(out, c->watermark);
	yg_wr_le64(out, c->forced);
	for (uint32_t i = 0; i < c->corr_count; i++)
		whole += !c->corrs[i].broken;
	yg_wr_le32(out, whole);
	for (uint32_t i = 0; i < c->corr_count; i++)
		if (!c->corrs[i].broken)
			put_corr(out, &c->corrs[i]);
	yg_wr_le64(out, c->heap_n);
	for (size_t i = 0; i < c->heap_n; i++) {
		const struct yg_corr_entry *e = c->heap[i];
		yg_wr_le32(out, c->corrs[e->corr].order);
		yg_wr_le16(out, e->pos);
		wr_time(out, e->time);
		yg_wr_le64(out, e->value);
		yg_wr_le64(out, e->id[0]);
		yg_wr_le64(out, e->id[1]);
		yg_wr_sv32(out, (struct yg_sv){e->text, e->key_n});
		yg_wr_sv32(out, (struct yg_sv){e->text + e->key_n, e->carry_n});
	}
	if (out->bad)
		return yg_buf_done(out);
	uint64_t length = out->n - begin - HEAD;
	uint32_t crc = yg_crc32c(0, out->p + begin + HEAD, length);
	put_at(out, begin + 12, &crc, sizeof crc);
	put_at(out, begin + 16, &length, sizeof length);
	return YG_OK;
}

/* ---- in ---- */

static int64_t rd_time(struct yg_rd *r)
{
	return (int64_t)yg_rd_le64(r);
}

/* Is it values with their lengths, as many as there are fields? */
static bool is_text(struct yg_sv s, uint32_t fields, bool may_lack)
{
	size_t at = 0;
	for (uint32_t i = 0; i < fields; i++) {
		uint16_t n;
		if (s.n - at < sizeof n)
			return false;
		memcpy(&n, s.p + at, sizeof n);
		at += sizeof n;
		if (n == UINT16_MAX && may_lack)
			continue;
		if (n > YG_CORRELATE_VALUE_MAX || s.n - at < n)
			return false;
		at += n;
	}
	return at == s.n;
}

static bool get_ring(struct yg_rd *r, struct yg_corr_group *g, bool *nomem)
{
	uint32_t cap = yg_rd_le32(r), n = yg_rd_le32(r);
	int64_t before = 0;
	if (n > YG_CORR_RING_MAX || cap < n || cap > 2 * YG_CORR_RING_MAX || yg_rd_left(r) / 16 < n)
		return false;
	if (cap == 0)
		return true;
	g->ring.v = malloc(cap * sizeof *g->ring.v);
	if (g->ring.v == NULL) {
		*nomem = true;
		return false;
	}
	g->ring.cap = cap;
	for (; g->ring.n < n; g->ring.n++) {
		struct yg_corr_cell *v = &g->ring.v[g->ring.n];
		v->time = rd_time(r);
		v->value = (int64_t)yg_rd_le64(r);
		g->sum += v->value;
		if (v->time < before || v->time > g->last)
			return false;
		before = v->time;
	}
	return true;
}

static bool get_set(struct yg_rd *r, const struct yg_corr *k, struct yg_corr_group *g, bool *nomem)
{
	uint32_t cap = yg_rd_le32(r), n = yg_rd_le32(r);
	int64_t before = 0;
	if (n > k->cap || cap < n || cap > 4U * YG_CORRELATE_COUNT_MAX || (cap & (cap - 1)) != 0 ||
	    (cap > 0 && cap < 4) || yg_rd_left(r) / 16 < n)
		return false;
	if (cap == 0)
		return true;
	g->set.items = calloc(cap, sizeof *g->set.items);
	g->set.buckets = calloc(cap, sizeof *g->set.buckets);
	if (g->set.items == NULL || g->set.buckets == NULL) {
		*nomem = true;
		return false;
	}
	g->set.cap = cap;
	for (uint32_t i = 0; i < cap; i++)
		g->set.items[i].next = i + 1 < cap ? i + 2 : 0;
	g->set.free = 1;
	for (uint32_t i = 0; i < n; i++) {
		int64_t time = rd_time(r);
		if (time < before || time > g->last ||
		    !yg_corr_set_put(&g->set, yg_rd_le64(r), time, n))
			return false;
		before = time;
	}
	return g->set.n == n; /* no value twice */
}

static bool get_state(struct yg_rd *r, const struct yg_corr *k, struct yg_corr_group *g,
		      bool *nomem)
{
	switch (k->state) {
	case YG_CORR_RING: return get_ring(r, g, nomem);
	case YG_CORR_SET: return get_set(r, k, g, nomem);
	case YG_CORR_MARKS:
		for (uint32_t i = 0; i < k->rule_count; i++) {
			g->marks[i] = rd_time(r);
			if (g->marks[i] != YG_CORR_NEVER &&
			    (g->marks[i] < 0 || g->marks[i] > g->last))
				return false;
		}
		return true;
	case YG_CORR_TOTAL: break;
	}
	unsigned __int128 low = yg_rd_le64(r), high = yg_rd_le64(r);
	g->total->sum = (__int128)(high << 64 | low);
	for (uint32_t i = 0; i < k->criterion_count; i++) {
		g->total->below[i] = yg_rd_le64(r);
		g->total->equal[i] = yg_rd_le64(r);
		if (g->total->below[i] > g->count ||
		    g->total->equal[i] > g->count - g->total->below[i])
			return false;
	}
	return true;
}

static bool get_group(struct yg_correlate *c, struct yg_corr *k, struct yg_rd *r, bool *nomem)
{
	struct yg_sv key = yg_rd_sv32(r), carry = yg_rd_sv32(r);
	int64_t start = rd_time(r), last = rd_time(r), before = 0;
	uint64_t count = yg_rd_le64(r);
	const struct yg_corr_group *in_front = k->last;
	if (r->bad || start < 0 || last < start || last > 2 * YG_CORR_TIME_MAX ||
	    last >= c->watermark || count == 0 || (k->settled && last > start + k->span) ||
	    !is_text(key, k->group.n, false) || !is_text(carry, k->carry.n, true) ||
	    yg_corr_find(c, k, key) != NULL ||
	    (in_front != NULL && (k->settled ? in_front->start > start : in_front->last > last)))
		return false;
	char *copy = carry.n > 0 ? malloc(carry.n) : NULL;
	struct yg_corr_group *g =
		carry.n == 0 || copy != NULL ? yg_corr_add(c, k, key, start) : NULL;
	if (g == NULL) {
		free(copy);
		*nomem = true;
		return false;
	}
	size_t bytes = yg_corr_group_bytes(k, g);
	if (carry.n > 0)
		memcpy(copy, carry.p, carry.n);
	g->carry = copy;
	g->carry_n = (uint32_t)carry.n;
	g->last = last;
	g->count = count;
	bool ok = true;
	for (g->seen_n = 0; ok && g->seen_n < YG_MIN(count, YG_CORRELATE_EVIDENCE); g->seen_n++) {
		struct yg_corr_seen *s = &g->seen[g->seen_n];
		s->time = rd_time(r);
		s->id[0] = yg_rd_le64(r);
		s->id[1] = yg_rd_le64(r);
		ok = s->time >= before && s->time <= last;
		before = s->time;
	}
	g->seen_at = g->seen_n % YG_CORRELATE_EVIDENCE;
	ok = ok && get_state(r, k, g, nomem) && !r->bad;
	yg_corr_grown(c, k, g, bytes);
	if (ok)
		yg_corr_fit(c, 0, last);
	return ok;
}

static bool get_corr(struct yg_correlate *c, struct yg_corr *k, struct yg_rd *r, bool *nomem)
{
#define X(name, meaning) k->counts.name = yg_rd_le64(r);
	YG_CORRELATE_COUNTERS(X)
#undef X
	uint32_t groups = yg_rd_le32(r);
	bool ok = true;
	for (uint32_t i = 0; ok && i < groups; i++)
		ok = get_group(c, k, r, nomem);
	return ok && yg_rd_done(r);
}

static void free_map(uint32_t **map)
{
	free(*map);
}

/* `map`: the correlation of the file's order; NONE: it is gone. */
static bool get_entry(struct yg_correlate *c, const uint32_t *map, uint32_t map_n, struct yg_rd *r,
		      bool *nomem)
{
	uint32_t order = yg_rd_le32(r);
	uint16_t pos = yg_rd_le16(r);
	int64_t time = rd_time(r);
	uint64_t value = yg_rd_le64(r), id[2] = {yg_rd_le64(r), yg_rd_le64(r)};
	struct yg_sv key = yg_rd_sv32(r), carry = yg_rd_sv32(r);
	if (r->bad || order >= map_n || time < c->watermark || time > 2 * YG_CORR_TIME_MAX)
		return false;
	if (map[order] == YG_CORR_NONE)
		return true;
	struct yg_corr *k = &c->corrs[map[order]];
	bool timer = pos == YG_CORR_TIMER;
	if (timer ? !k->settled || k->armed != YG_CORR_NEVER || key.n + carry.n > 0
		  : pos >= k->rule_count || !is_text(key, k->group.n, false) ||
			    !is_text(carry, k->carry.n, true))
		return false;
	struct yg_corr_entry *e = yg_corr_entry_new(time, key, carry);
	if (e == NULL) {
		*nomem = true;
		return false;
	}
	e->corr = map[order];
	e->depth = k->depth;
	e->pos = pos;
	e->value = value;
	e->id[0] = id[0];
	e->id[1] = id[1];
	if (!yg_corr_push(c, e)) {
		*nomem = true;
		return false;
	}
	if (timer)
		k->armed = time;
	return true;
}

static uint32_t find_print(const struct yg_correlate *c, const uint8_t *print, const uint32_t *map,
			   uint32_t n)
{
	for (uint32_t i = 0; i < c->corr_count; i++) {
		bool taken = false;
		if (c->corrs[i].broken || memcmp(c->corrs[i].print, print, 16) != 0)
			continue;
		for (uint32_t m = 0; m < n; m++)
			taken = taken || map[m] == i;
		if (!taken)
			return i;
	}
	return YG_CORR_NONE;
}

static bool get_all(struct yg_correlate *c, struct yg_rd *r, size_t *lost, bool *nomem)
{
	const uint8_t *key = yg_rd_take(r, sizeof c->key);
	if (key != NULL)
		memcpy(c->key, key, sizeof c->key);
	c->latest = rd_time(r);
	c->watermark = rd_time(r);
	c->now = c->watermark;
	c->forced = yg_rd_le64(r);
	uint32_t n = yg_rd_le32(r);
	if (r->bad || c->watermark < 0 || c->latest < 0 || c->latest > YG_CORR_TIME_MAX ||
	    yg_rd_left(r) / 24 < n)
		return false;
	YG_AUTO(free_map) uint32_t *map = malloc((n + 1U) * sizeof *map);
	*nomem = map == NULL;
	bool ok = map != NULL;
	for (uint32_t i = 0; ok && i < n; i++) {
		const uint8_t *print = yg_rd_take(r, 16);
		uint64_t length = yg_rd_le64(r);
		const uint8_t *bytes = yg_rd_take(r, length);
		if (r->bad)
			return false;
		struct yg_rd part = yg_rd_init(bytes, length);
		map[i] = find_print(c, print, map, i);
		if (map[i] == YG_CORR_NONE)
			(*lost)++;
		else
			ok = get_corr(c, &c->corrs[map[i]], &part, nomem);
	}
	uint64_t entries = yg_rd_le64(r);
	for (uint64_t i = 0; ok && i < entries; i++)
		ok = get_entry(c, map, n, r, nomem);
	return ok && yg_rd_done(r);
}

/* As it was made. */
static void clear(struct yg_correlate *c)
{
	while (c->heap_n > 0)
		free(c->heap[--c->heap_n]);
	c->pending = 0;
	c->pending_bytes = 0;
	c->forced = 0;
	c->latest = 0;
	c->watermark = 0;
	c->now = 0;
	for (uint32_t i = 0; i < c->corr_count; i++) {
		while (c->corrs[i].first != NULL)
			yg_corr_remove(c, &c->corrs[i], c->corrs[i].first);
		c->corrs[i].counts = (struct yg_correlate_counts){0};
		c->corrs[i].armed = YG_CORR_NEVER;
	}
}

yg_status yg_correlate_restore(struct yg_correlate *c, struct yg_sv bytes, size_t *lost,
			       struct yg_err *err)
{
	struct yg_rd r = yg_rd_init(bytes.p, bytes.n);
	const uint8_t *magic = yg_rd_take(&r, 8);
	uint32_t version = yg_rd_le32(&r), crc = yg_rd_le32(&r);
	uint64_t length = yg_rd_le64(&r);
	uint8_t key[16];
	bool nomem = false;
	*lost = 0;
	if (c->heap_n > 0 || c->latest > 0)
		return YG_FAIL(err, YG_INVAL, "it has taken events already");
	if (bytes.n > YG_CORRELATE_STATE_MAX)
		return YG_FAIL(err, YG_LIMIT, "the saved state is too large");
	if (r.bad || memcmp(magic, MAGIC, 8) != 0)
		return YG_FAIL(err, YG_CORRUPT, "this is no saved state of correlations");
	if (version != VERSION)
		return YG_FAIL(err, YG_CORRUPT, "saved state of version %u, expected %u", version,
			       VERSION);
	if (length != yg_rd_left(&r) || yg_crc32c(0, r.p, length) != crc)
		return YG_FAIL(err, YG_CORRUPT, "the saved state is torn or changed");
	memcpy(key, c->key, sizeof key);
	if (!get_all(c, &r, lost, &nomem)) {
		clear(c);
		memcpy(c->key, key, sizeof key);
		*lost = 0;
		return nomem ? YG_FAIL(err, YG_NOMEM, "no memory for the saved state")
			     : YG_FAIL(err, YG_CORRUPT, "the saved state contradicts itself");
	}
	for (uint32_t i = 0; i < c->corr_count; i++)
		yg_corr_arm(c, &c->corrs[i]);
	return YG_OK;
}
