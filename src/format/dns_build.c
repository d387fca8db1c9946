/* Messages built into a buffer of the caller's, names compressed. */
#include "format/dns.h"

#define SLOTS    (YG_DNS_WR_NAMES * 2)
#define GONE     0xffffu /* a slot whose name was taken back */
#define POINTERS 0x4000u /* offsets a pointer can hold */

static_assert((SLOTS & (SLOTS - 1)) == 0, "slots are taken by a mask");

void yg_dns_wr_begin(struct yg_dns_wr *w, uint8_t *p, size_t cap, uint16_t id, uint16_t flags)
{
	w->p = p;
	w->cap = YG_MIN(cap, YG_DNS_MSG_MAX);
	w->n = 0;
	w->full = cap < YG_DNS_HEADER;
	w->section = YG_DNS_ANSWER;
	w->opt_at = 0;
	w->seen_count = 0;
	memset(w->seen, 0, sizeof w->seen);
	if (w->full)
		return;
	memset(p, 0, YG_DNS_HEADER);
	yg_dns_put16(p, id);
	yg_dns_put16(p + 2, flags);
	w->n = YG_DNS_HEADER;
}

static bool room(struct yg_dns_wr *w, size_t n)
{
	if (w->full || w->cap - w->n < n)
		w->full = true;
	return !w->full;
}

static void put(struct yg_dns_wr *w, const void *p, size_t n)
{
	if (n > 0 && room(w, n)) {
		memcpy(w->p + w->n, p, n);
		w->n += n;
	}
}

static void put16(struct yg_dns_wr *w, unsigned v)
{
	uint8_t b[2];
	yg_dns_put16(b, v);
	put(w, b, 2);
}

/* Is the name at `at` of what is written these wire bytes?  What is written has
 * only pointers backwards. */
static bool same_at(const struct yg_dns_wr *w, size_t at, struct yg_sv wire)
{
	const uint8_t *want = (const uint8_t *)wire.p;
	for (size_t i = 0;;) {
		while (w->p[at] >= 0xc0)
			at = (size_t)(w->p[at] & 0x3fu) << 8 | w->p[at + 1];
		size_t n = (size_t)w->p[at] + 1;
		if (wire.n - i < n || memcmp(w->p + at, want + i, n) != 0)
			return false;
		if (n == 1)
			return true;
		i += n;
		at += n;
	}
}

static uint32_t label_hash(uint32_t h, struct yg_sv label)
{
	h = (h ^ (uint32_t)label.n) * 0x01000193u;
	for (size_t i = 0; i < label.n; i++)
		h = (h ^ (uint8_t)label.p[i]) * 0x01000193u;
	return h ^ h >> 15;
}

static size_t find(const struct yg_dns_wr *w, uint32_t hash, struct yg_sv wire)
{
	for (size_t i = hash & (SLOTS - 1); w->seen[i] != 0; i = (i + 1) & (SLOTS - 1))
		if (w->seen[i] != GONE && same_at(w, w->seen[i], wire))
			return w->seen[i];
	return 0;
}

static void remember(struct yg_dns_wr *w, uint32_t hash, size_t at)
{
	if (at >= POINTERS || w->seen_count >= YG_DNS_WR_NAMES)
		return;
	size_t i = hash & (SLOTS - 1);
	while (w->seen[i] != 0)
		i = (i + 1) & (SLOTS - 1);
	w->seen[i] = (uint16_t)at;
	w->seen_count++;
}

/* What was written from `from` on is taken back, with the names remembered there. */
static void take_back(struct yg_dns_wr *w, size_t from)
{
	w->n = from;
	for (size_t i = 0; i < SLOTS; i++)
		if (w->seen[i] >= from && w->seen[i] != GONE)
			w->seen[i] = GONE; /* stays counted: a free slot must remain */
}

static void put_name(struct yg_dns_wr *w, const struct yg_dns_name *name, bool may_point)
{
	uint32_t hash[128];
	unsigned known = name->labels;
	size_t at = 0;
	hash[name->labels] = 0x811c9dc5u;
	for (unsigned i = name->labels; i-- > 0;)
		hash[i] = label_hash(hash[i + 1], yg_dns_name_label(name, i));
	for (unsigned i = 0; i < name->labels; i++) {
		at = find(w, hash[i], yg_dns_name_from(name, i));
		if (at != 0) {
			known = i;
			break;
		}
	}
	size_t start = w->n, n = known < name->labels && may_point ? name->at[known] : name->n;
	put(w, name->b, n);
	if (n != name->n)
		put16(w, 0xc000u | (unsigned)at);
	for (unsigned i = 0; i < known && !w->full; i++)
		remember(w, hash[i], start + name->at[i]);
}

void yg_dns_wr_question(struct yg_dns_wr *w, const struct yg_dns_name *name, uint16_t type,
			uint16_t cls)
{
	put_name(w, name, true);
	put16(w, type);
	put16(w, cls);
	if (!w->full)
		w->p[5] = 1;
}

/* ---- rdata ---- */

struct source { /* of rdata */
	const uint8_t *p;
	size_t n; /* of the message, which bounds the names */
	size_t at, end;
	bool plain; /* pointers are not allowed */
};

static bool take(struct yg_dns_wr *w, struct source *s, size_t n)
{
	if (s->end - s->at < n)
		return false;
	put(w, s->p + s->at, n);
	s->at += n;
	return true;
}

static bool take_field(struct yg_dns_wr *w, struct source *s, char c)
{
	struct yg_dns_name name;
	switch (c) {
	case '1': return take(w, s, 1);
	case '2':
	case 'y': return take(w, s, 2);
	case '4':
	case 't':
	case 'a': return take(w, s, 4);
	case 'A': return take(w, s, 16);
	case 's': return s->at < s->end && take(w, s, (size_t)s->p[s->at] + 1);
	case 'S':
		do {
			if (s->at >= s->end || !take(w, s, (size_t)s->p[s->at] + 1))
				return false;
		} while (s->at < s->end);
		return true;
	case 'c':
	case 'n':
		if ((s->plain ? yg_dns_name_read_plain(s->p, s->end, &s->at, &name)
			      : yg_dns_name_read(s->p, s->n, &s->at, &name)) != YG_OK ||
		    s->at > s->end)
			return false;
		put_name(w, &name, c == 'c');
		return true;
	default: return take(w, s, s->end - s->at);
	}
}

static bool add(struct yg_dns_wr *w, unsigned section, const struct yg_dns_name *owner,
		uint16_t type, uint16_t cls, uint32_t ttl, struct source *s)
{
	size_t start = w->n;
	if (w->full || w->opt_at != 0 || section < w->section || section > YG_DNS_ADDITIONAL)
		return false;
	put_name(w, owner, true);
	put16(w, type);
	put16(w, cls);
	put16(w, ttl >> 16);
	put16(w, ttl & 0xffff);
	size_t length_at = w->n;
	put16(w, 0);
	const char *l = yg_dns_type_layout(type);
	bool good = *l != 0;
	for (; good && *l != 0; l++)
		good = take_field(w, s, *l);
	good = good && s->at == s->end && w->n - length_at - 2 <= UINT16_MAX;
	if (w->full || !good) {
		take_back(w, start);
		return false;
	}
	yg_dns_put16(w->p + length_at, (unsigned)(w->n - length_at - 2));
	uint8_t *count = w->p + 6 + 2 * (size_t)section;
	yg_dns_put16(count, yg_dns_get16(count) + 1u);
	w->section = (uint8_t)section;
	return true;
}

bool yg_dns_wr_rr(struct yg_dns_wr *w, unsigned section, const struct yg_dns_name *owner,
		  uint16_t type, uint16_t cls, uint32_t ttl, struct yg_sv rdata)
{
	struct source s = {(const uint8_t *)rdata.p, rdata.n, 0, rdata.n, true};
	return add(w, section, owner, type, cls, ttl, &s);
}

bool yg_dns_wr_copy(struct yg_dns_wr *w, unsigned section, const struct yg_dns_name *owner,
		    const struct yg_dns_msg *from, const struct yg_dns_rr *rr, uint32_t ttl)
{
	struct source s = {from->p, from->n, rr->rdata, rr->rdata + rr->rdata_n, false};
	return add(w, section, owner, rr->type, rr->cls, ttl, &s);
}

/* ---- OPT ---- */

bool yg_dns_wr_opt_begin(struct yg_dns_wr *w, uint16_t udp, unsigned rcode, bool dnssec_ok)
{
	if (w->opt_at != 0 || w->n < YG_DNS_HEADER || w->cap - w->n < 11) {
		w->full = true;
		return false;
	}
	uint8_t *p = w->p + w->n;
	memset(p, 0, 11);
	yg_dns_put16(p + 1, YG_DNS_OPT);
	yg_dns_put16(p + 3, udp);
	p[5] = (uint8_t)(rcode >> 4);
	p[7] = dnssec_ok ? 0x80 : 0;
	w->p[3] = (uint8_t)((w->p[3] & 0xf0u) | (rcode & 0xfu));
	w->opt_at = w->n + 9;
	w->n += 11;
	yg_dns_put16(w->p + 10, yg_dns_get16(w->p + 10) + 1u);
	return true;
}

bool yg_dns_wr_option(struct yg_dns_wr *w, uint16_t code, struct yg_sv value)
{
	if (w->opt_at == 0 || value.n > UINT16_MAX || w->cap - w->n < 4 + value.n)
		return false;
	yg_dns_put16(w->p + w->n, code);
	yg_dns_put16(w->p + w->n + 2, (unsigned)value.n);
	if (value.n > 0)
		memcpy(w->p + w->n + 4, value.p, value.n);
	w->n += 4 + value.n;
	return true;
}

bool yg_dns_wr_ede(struct yg_dns_wr *w, uint16_t code, struct yg_sv text)
{
	if (w->opt_at == 0 || w->cap - w->n < 6)
		return false;
	size_t n = YG_MIN(text.n, w->cap - w->n - 6);
	while (n < text.n && n > 0 && ((uint8_t)text.p[n] & 0xc0u) == 0x80)
		n--;
	uint8_t *p = w->p + w->n;
	yg_dns_put16(p, YG_DNS_OPT_EDE);
	yg_dns_put16(p + 2, (unsigned)n + 2);
	yg_dns_put16(p + 4, code);
	if (n > 0)
		memcpy(p + 6, text.p, n);
	w->n += 6 + n;
	return true;
}

void yg_dns_wr_padding(struct yg_dns_wr *w, size_t block)
{
	if (w->opt_at == 0 || block == 0 || w->cap - w->n < 4)
		return;
	size_t n = (block - (w->n + 4) % block) % block;
	n = YG_MIN(n, w->cap - w->n - 4);
	uint8_t *p = w->p + w->n;
	memset(p, 0, n + 4);
	yg_dns_put16(p, YG_DNS_OPT_PADDING);
	yg_dns_put16(p + 2, (unsigned)n);
	w->n += n + 4;
}

void yg_dns_wr_opt_end(struct yg_dns_wr *w)
{
	if (w->opt_at != 0)
		yg_dns_put16(w->p + w->opt_at, (unsigned)(w->n - w->opt_at - 2));
}
