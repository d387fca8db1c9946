/* ask.c - a value asked of the tests of a field: what it is sets bits. */
#include "detect/eval_internal.h"
#include "detect/value.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* ---- lower case ---- */

static inline void fold8(char *to,
			 const char *from) /* the high bit of each byte says: 'A' to 'Z' */
{
	uint64_t x = yg_hash_load64(from), low = x & 0x7f7f7f7f7f7f7f7f;
	uint64_t above = low + 0x2525252525252525, begin = low + 0x3f3f3f3f3f3f3f3f;
	x |= ((begin ^ above) & ~x & 0x8080808080808080) >> 2;
	memcpy(to, &x, sizeof x);
}

static inline void fold16(char *to, const char *from)
{
#ifdef __SSE2__
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)from);
	/* 'A' becomes the least signed byte */
	__m128i moved = _mm_add_epi8(v, _mm_set1_epi8(0x3f));
	__m128i upper = _mm_cmplt_epi8(moved, _mm_set1_epi8(-128 + 26));
	v = _mm_or_si128(v, _mm_and_si128(upper, _mm_set1_epi8(0x20)));
	_mm_storeu_si128((__m128i *)(void *)to, v);
#else
	fold8(to, from);
	fold8(to + 8, from + 8);
#endif
}

/* What is left over at the end is done together with some that was done before. */
struct yg_sv yg_detect_fold(struct yg_detect_eval *e, struct yg_sv s)
{
	char *to = e->folded;
	e->is_folded = false;
	if (s.n >= 16) {
		for (size_t i = 0; i + 16 <= s.n; i += 16)
			fold16(to + i, s.p + i);
		fold16(to + s.n - 16, s.p + s.n - 16);
	} else if (s.n >= 8) {
		fold8(to, s.p);
		fold8(to + s.n - 8, s.p + s.n - 8);
	} else {
		for (size_t i = 0; i < s.n; i++)
			to[i] = (char)yg_detect_low((unsigned char)s.p[i]);
	}
	return (struct yg_sv){to, s.n};
}

static void set_bits(struct yg_detect_eval *e, uint32_t list)
{
	for (uint32_t i = list; i != YG_DETECT_NONE; i = e->d->links[i].next)
		yg_detect_set_bit(e, e->d->links[i].value);
}

/* ---- literals ---- */

struct value { /* that is being asked */
	struct yg_sv plain, folded;
	const struct yg_detect_field *field;
};

static void on_literal(struct yg_detect_eval *e, const struct value *v, uint32_t number)
{
	const struct yg_detect *d = e->d;
	const struct yg_detect_literal *l = &d->literals[number];
	if (l->bits != YG_DETECT_NONE && e->literal_stamps[number] != e->stamp)
		set_bits(e, l->bits);
	e->literal_stamps[number] = e->stamp;
	for (uint32_t i = l->patterns; i != YG_DETECT_NONE; i = d->links[i].next) {
		uint32_t which = d->links[i].value;
		if (which >= d->patterns_count || e->pattern_stamps[which] == e->value_stamp)
			continue;
		const struct yg_detect_pattern *p = &d->patterns[which];
		e->pattern_stamps[which] = e->value_stamp;
		if (!yg_detect_has_bit(e, p->bit) &&
		    yg_detect_fits(d, p, p->cased != 0 ? v->plain : v->folded))
			yg_detect_set_bit(e, p->bit);
	}
}

/* The gram at `at` may be a literal's. */
static void on_gram(struct yg_detect_eval *e, const struct value *v, uint32_t gram, uint32_t kind,
		    size_t at)
{
	const struct yg_detect *d = e->d;
	const struct yg_detect_anchor *anchors = yg_detect_anchors(d);
	uint64_t hash = yg_detect_gram_hash(gram, kind);
	uint32_t i = d->words[v->field->slots + (hash >> v->field->slot_shift)];
	for (; i != YG_DETECT_NONE; i = anchors[i].next) {
		const struct yg_detect_anchor *a = &anchors[i];
		const struct yg_detect_literal *l = &d->literals[a->literal];
		if (a->gram != gram || a->kind != kind || a->offset > at ||
		    l->text.n > v->plain.n - (at - a->offset))
			continue;
		if (e->literal_stamps[a->literal] == e->stamp && l->patterns == YG_DETECT_NONE)
			continue;
		size_t from = at - a->offset;
		const char *s = (l->flags & YG_LITERAL_CASED) != 0 ? v->plain.p : v->folded.p;
		if (((l->flags & YG_LITERAL_START) != 0 && from != 0) ||
		    ((l->flags & YG_LITERAL_END) != 0 && from + l->text.n != v->plain.n) ||
		    memcmp(s + from, d->pool + l->text.at, l->text.n) != 0)
			continue;
		on_literal(e, v, a->literal);
	}
}

static inline uint32_t gram_of(const char *p, uint32_t kind)
{
	uint32_t gram;
	memcpy(&gram, p, sizeof gram);
	return kind < 4 ? gram & ((1u << 8 * kind) - 1) : gram;
}

static inline uint64_t filter_bit(const uint64_t *filter, uint32_t shift, const char *p,
				  uint32_t kind)
{
	uint64_t bit = yg_detect_gram_hash(gram_of(p, kind), kind) >> shift;
	return filter[bit >> 6] >> (bit & 63) & 1;
}

/* Every gram of a kind, four at a time.  The buffer has room behind the value. */
static inline __attribute__((always_inline)) void scan_grams(struct yg_detect_eval *e,
							     const struct value *v, uint32_t kind)
{
	const uint64_t *filter = e->d->filter + v->field->filter;
	const uint32_t shift = v->field->filter_shift;
	const size_t n = yg_detect_gram_bytes(kind), step = kind == YG_ANCHOR_FAR ? 4 : 1;
	const char *p = v->folded.p;
	const size_t count = v->folded.n >= n ? v->folded.n - n + 1 : 0;
	size_t i = 0;
	for (; i + 3 * step < count; i += 4 * step) {
		uint64_t a = filter_bit(filter, shift, p + i, kind);
		uint64_t b = filter_bit(filter, shift, p + i + step, kind);
		uint64_t c = filter_bit(filter, shift, p + i + 2 * step, kind);
		uint64_t d = filter_bit(filter, shift, p + i + 3 * step, kind);
		if (YG_LIKELY((a | b | c | d) == 0))
			continue;
		for (size_t j = i; j < i + 4 * step; j += step)
			if (filter_bit(filter, shift, p + j, kind) != 0)
				on_gram(e, v, gram_of(p + j, kind), kind, j);
	}
	for (; i < count; i += step)
		if (filter_bit(filter, shift, p + i, kind) != 0)
			on_gram(e, v, gram_of(p + i, kind), kind, i);
}

static void scan(struct yg_detect_eval *e, const struct value *v)
{
	uint32_t kinds = v->field->anchors;
	if (++e->value_stamp == 0) {
		memset(e->pattern_stamps, 0, e->d->patterns_count * sizeof(uint32_t));
		e->value_stamp = 1;
	}
	if ((kinds >> YG_ANCHOR_FAR & 1) != 0)
		scan_grams(e, v, YG_ANCHOR_FAR);
	if ((kinds >> 4 & 1) != 0)
		scan_grams(e, v, 4);
	if ((kinds >> 3 & 1) != 0)
		scan_grams(e, v, 3);
	if ((kinds >> 2 & 1) != 0)
		scan_grams(e, v, 2);
	if ((kinds >> 1 & 1) != 0)
		scan_grams(e, v, 1);
}

/* ---- exact values ---- */

static void look_up(struct yg_detect_eval *e, uint32_t field, uint32_t kind, struct yg_sv value)
{
	const struct yg_detect *d = e->d;
	uint64_t hash = yg_detect_hash(&d->key, yg_detect_exact_seed(field, kind), value);
	uint32_t i = d->words[d->info.exact_slots + (hash & d->info.exact_mask)];
	for (; i != YG_DETECT_NONE; i = d->exacts[i].next) {
		const struct yg_detect_exact *x = &d->exacts[i];
		if (x->field == field && x->kind == kind &&
		    yg_sv_eq(yg_detect_sv(d, x->text), value))
			set_bits(e, x->bits);
	}
}

static void ask_nets(struct yg_detect_eval *e, uint32_t field, struct yg_sv value)
{
	struct yg_ip ip;
	char key[17];
	if (yg_ip_parse(value, &ip) != YG_OK)
		return;
	memcpy(key, ip.b, 16);
	for (unsigned bits = 128;; bits--) { /* ever fewer bits of it stay */
		if (bits < 128)
			key[bits / 8] = (char)((unsigned char)key[bits / 8] & ~(0x80u >> bits % 8));
		if ((e->d->fields[field].nets[bits / 32] >> bits % 32 & 1) != 0) {
			key[16] = (char)bits;
			look_up(e, field, YG_EXACT_NET, (struct yg_sv){key, sizeof key});
		}
		if (bits == 0)
			break;
	}
}

static void ask_numbers(struct yg_detect_eval *e, uint32_t list, struct yg_sv value)
{
	double plain = 0;
	bool is_number = list != YG_DETECT_NONE && yg_sigma_number(value, &plain);
	for (uint32_t i = list; i != YG_DETECT_NONE; i = e->d->numbers[i].next) {
		const struct yg_detect_number *n = &e->d->numbers[i];
		double v = plain;
		bool ok = n->time == YG_SIGMA_TIME_NONE
				  ? is_number
				  : yg_detect_time(value, (enum yg_sigma_time)n->time, &v);
		if (ok && yg_detect_compare((enum yg_sigma_compare)n->compare, v, n->number))
			yg_detect_set_bit(e, n->bit);
	}
}

/* ---- one pair ---- */

uint32_t yg_detect_name(const struct yg_detect *d, struct yg_sv field)
{
	uint64_t hash = yg_detect_name_hash(&d->key, field);
	uint32_t i = d->words[d->info.name_slots + (hash & d->info.name_mask)];
	while (i != YG_DETECT_NONE && !yg_sv_eq(yg_detect_sv(d, d->names[i].text), field))
		i = d->names[i].next;
	return field.n > 0 ? i + 1 : 0; /* NONE and 1 is 0 */
}
static_assert(YG_DETECT_NONE + UINT32_C(1) == 0, "no name is number 0");

static void ask_value(struct yg_detect_eval *e, uint32_t field, struct yg_sv plain)
{
	const struct yg_detect_field *f = &e->d->fields[field];
	struct value v = {plain, {e->folded, plain.n}, f};
	if (!e->is_folded && (f->anchors != 0 || (f->exact >> YG_EXACT_FOLDED & 1) != 0)) {
		v.folded = yg_detect_fold(e, plain);
		e->is_folded = true; /* for the next field of this name */
	}
	set_bits(e, f->always);
	if (plain.n <= e->d->info.exact_longest) {
		if ((f->exact >> YG_EXACT_FOLDED & 1) != 0)
			look_up(e, field, YG_EXACT_FOLDED, v.folded);
		if ((f->exact >> YG_EXACT_CASED & 1) != 0)
			look_up(e, field, YG_EXACT_CASED, plain);
	}
	if ((f->exact >> YG_EXACT_NET & 1) != 0)
		ask_nets(e, field, plain);
	if (f->numbers != YG_DETECT_NONE)
		ask_numbers(e, f->numbers, plain);
	if (f->anchors != 0)
		scan(e, &v);
}

void yg_detect_ask_pair(struct yg_detect_eval *e, const struct yg_detect_pair *p)
{
	uint32_t name = e->record->names == e->d ? p->name : yg_detect_name(e->d, p->field);
	if (name == 0)
		return;
	e->is_folded = false;
	for (const uint32_t *f = e->now->fields + e->now->first[name - 1]; *f != YG_DETECT_NONE;
	     f++) {
		yg_detect_set_bit(e, e->d->fields[*f].present);
		if (p->null)
			continue;
		yg_detect_set_bit(e, e->d->fields[*f].present + 1);
		ask_value(e, *f, yg_detect_bounded(p->value));
	}
}

/* ---- keywords ---- */

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
		    void *ctx)
{
	(void)id;
	(void)from;
	(void)to;
	(void)flags;
	*(bool *)ctx = true;
	return 1; /* one is enough */
}

bool yg_detect_scan(struct yg_detect_eval *e, uint32_t regex, struct yg_sv value)
{
	bool yes = false;
	(void)hs_scan(e->d->automata[regex], value.n > 0 ? value.p : "", (unsigned)value.n, 0,
		      e->scratch, on_match, &yes);
	return yes;
}

/* A value that is a piece of the record as it stands was asked with it: keywords are looked
 * for anywhere in a text. */
static bool is_asked(const struct yg_detect_record *r, const struct yg_detect_pair *p)
{
	uintptr_t from = (uintptr_t)r->raw.p, at = (uintptr_t)p->value.p;
	size_t n = YG_MIN(r->raw.n, (size_t)YG_DETECT_VALUE_MAX);
	return p->null || (n > 0 && at >= from && at <= from + n && p->value.n <= from + n - at);
}

void yg_detect_ask_keywords(struct yg_detect_eval *e, uint32_t field)
{
	const struct yg_detect_record *r = e->record;
	const struct yg_detect_field *f = &e->d->fields[field];
	yg_detect_set_bit(e, f->present);
	yg_detect_set_bit(e, f->present + 1);
	e->is_folded = false;
	ask_value(e, field, yg_detect_bounded(r->raw));
	for (size_t i = 0; i < r->count; i++) {
		if (is_asked(r, &r->pairs[i]))
			continue;
		e->is_folded = false;
		ask_value(e, field, yg_detect_bounded(r->pairs[i].value));
	}
}
