/* Tables of the spool in memory: batch ids already taken, and marks. */
#include "store/spool_internal.h"

yg_status spool_seen_init(struct spool_seen *s, uint32_t most, const uint8_t key[static 32])
{
	*s = (struct spool_seen){.most = most};
	memcpy(s->key_a, key, 16);
	memcpy(s->key_b, key + 16, 16);
	return YG_OK;
}

void spool_seen_free(struct spool_seen *s)
{
	free(s->ring);
	free(s->table);
	s->ring = NULL;
	s->table = NULL;
}

struct spool_fp spool_seen_fp(const struct spool_seen *s, struct yg_sv org, struct yg_sv id)
{
	char text[YG_ORG_NAME_MAX + 1 + YG_BATCH_ID_MAX];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_put(&b, org); /* a slug: cannot hold the separator */
	yg_sb_putc(&b, '\n');
	yg_sb_put(&b, id);
	struct spool_fp fp = {yg_siphash(s->key_a, text, b.n), yg_siphash(s->key_b, text, b.n)};
	return fp;
}

static inline bool fp_eq(struct spool_fp x, struct spool_fp y)
{
	return x.a == y.a && x.b == y.b;
}

/* Slot of fp, or the empty slot where it would go. */
static uint32_t slot_of(const struct spool_seen *s, struct spool_fp fp)
{
	uint32_t i = (uint32_t)fp.a & s->mask;
	while (s->table[i] != 0 && !fp_eq(s->ring[s->table[i] - 1].fp, fp))
		i = (i + 1) & s->mask;
	return i;
}

uint64_t spool_seen_find(const struct spool_seen *s, struct spool_fp fp)
{
	if (s->table == NULL)
		return 0;
	uint32_t at = s->table[slot_of(s, fp)];
	return at == 0 ? 0 : s->ring[at - 1].seq;
}

static void table_remove(struct spool_seen *s, uint32_t i)
{
	for (uint32_t j = (i + 1) & s->mask; s->table[j] != 0; j = (j + 1) & s->mask) {
		uint32_t home = (uint32_t)s->ring[s->table[j] - 1].fp.a & s->mask;
		if (((j - home) & s->mask) >= ((j - i) & s->mask)) {
			s->table[i] = s->table[j];
			i = j;
		}
	}
	s->table[i] = 0;
}

void spool_seen_drop(struct spool_seen *s, struct spool_fp fp)
{
	if (s->table == NULL)
		return;
	uint32_t i = slot_of(s, fp);
	if (s->table[i] == 0)
		return;
	s->ring[s->table[i] - 1].seq = 0;
	table_remove(s, i);
}

static yg_status seen_grow(struct spool_seen *s)
{
	uint32_t cap = s->cap == 0 ? YG_MIN(1024u, s->most)
				   : (uint32_t)YG_MIN((uint64_t)s->cap * 2, s->most);
	uint32_t slots = 16;
	while (slots < cap * 2)
		slots *= 2;
	struct spool_seen_entry *ring = malloc(cap * sizeof *ring);
	uint32_t *table = calloc(slots, sizeof *table);
	if (ring == NULL || table == NULL) {
		free(ring);
		free(table);
		return YG_NOMEM;
	}
	uint32_t n = 0;
	for (uint32_t i = 0; i < s->n; i++) {
		struct spool_seen_entry e = s->ring[(s->head + i) % s->cap];
		if (e.seq != 0)
			ring[n++] = e;
	}
	spool_seen_free(s);
	s->ring = ring;
	s->table = table;
	s->cap = cap;
	s->mask = slots - 1;
	s->head = 0;
	s->n = n;
	for (uint32_t i = 0; i < n; i++)
		s->table[slot_of(s, ring[i].fp)] = i + 1;
	return YG_OK;
}

yg_status spool_seen_add(struct spool_seen *s, struct spool_fp fp, uint64_t seq)
{
	if (spool_seen_find(s, fp) != 0)
		return YG_OK;
	if (s->n == s->cap && s->cap < s->most && seen_grow(s) != YG_OK)
		return YG_NOMEM;
	if (s->n == s->cap) { /* at the bound: the oldest is forgotten */
		struct spool_seen_entry *old = &s->ring[s->head];
		if (old->seq != 0)
			table_remove(s, slot_of(s, old->fp));
		s->head = (s->head + 1) % s->cap;
		s->n--;
	}
	uint32_t at = (s->head + s->n) % s->cap;
	s->ring[at] = (struct spool_seen_entry){fp, seq};
	s->table[slot_of(s, fp)] = at + 1;
	s->n++;
	return YG_OK;
}

bool spool_marks_set(struct spool_marks *t, struct yg_sv key, struct yg_sv mark, uint64_t seq,
		     yg_status *st)
{
	struct spool_mark *m = NULL, *oldest = NULL;
	bool forgot = false;
	*st = YG_OK;
	for (size_t i = 0; i < t->n && m == NULL; i++) {
		if (yg_sv_eq((struct yg_sv){t->m[i].key, t->m[i].key_n}, key))
			m = &t->m[i];
		else if (oldest == NULL || t->m[i].seq < oldest->seq)
			oldest = &t->m[i];
	}
	if (m != NULL && m->seq > seq)
		return false;
	if (m == NULL && t->n == YG_SPOOL_MARKS_MAX) {
		m = oldest;
		forgot = true;
	}
	if (m == NULL && t->n == t->cap) {
		size_t cap = t->cap == 0 ? 16 : t->cap * 2;
		struct spool_mark *more = realloc(t->m, cap * sizeof *more);
		if (more == NULL) {
			*st = YG_NOMEM;
			return false;
		}
		t->m = more;
		t->cap = cap;
	}
	if (m == NULL)
		m = &t->m[t->n++];
	m->seq = seq;
	m->key_n = (uint16_t)YG_MIN(key.n, sizeof m->key);
	m->n = (uint16_t)YG_MIN(mark.n, sizeof m->mark);
	memcpy(m->key, key.p, m->key_n);
	memcpy(m->mark, mark.p, m->n);
	return forgot;
}

void spool_marks_encode(const struct spool_marks *t, uint64_t most_seq, struct yg_buf *out)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct spool_mark *m = &t->m[i];
		if (m->seq > most_seq) /* its batch may not be on disk */
			continue;
		yg_wr_le64(out, m->seq);
		yg_wr_sv32(out, (struct yg_sv){m->key, m->key_n});
		yg_wr_sv32(out, (struct yg_sv){m->mark, m->n});
	}
}
