/* eval.c - an event asked: its pairs set bits, the bits trigger rules.
 *
 * A rule's steps are gone through with three values: no, yes, not known yet (a lazy test
 * not asked).  Only when the answer hangs on them are the lazy tests asked. */
#include <stdlib.h>

#include "detect/engine_internal.h"
#include "detect/value.h"

#define SOURCES_KEPT 64 /* combinations of log sources whose rules are remembered */

struct applies { /* which log sources of rules hold for an event */
	uint64_t hash;
	bool used;
	uint8_t *source;                   /* by source */
	uint32_t *keywords, keyword_count; /* fields */
};
struct yg_detect_eval {
	const struct yg_detect *d;
	const struct yg_detect_record *record;
	hs_scratch_t *scratch;
	uint64_t *bits;
	uint32_t *set; /* which bits, to clear them again */
	size_t set_count;
	char *folded; /* the value at hand in lower case */
	uint8_t *stack;
	struct applies sources[SOURCES_KEPT];
	const struct applies *now;
	uint32_t *rule_stamps, *literal_stamps, *lazy_stamps, stamp; /* of this record */
	uint32_t *pattern_stamps, value_stamp;                       /* of this value */
};

static void set_bit(struct yg_detect_eval *e, uint32_t bit)
{
	uint64_t mask = UINT64_C(1) << (bit & 63);
	if (bit >= e->d->info.bits || (e->bits[bit >> 6] & mask) != 0)
		return;
	e->bits[bit >> 6] |= mask;
	e->set[e->set_count++] = bit;
}

static bool has_bit(const struct yg_detect_eval *e, uint32_t bit)
{
	return (e->bits[bit >> 6] >> (bit & 63) & 1) != 0;
}

static void set_bits(struct yg_detect_eval *e, uint32_t list)
{
	for (uint32_t i = list; i != YG_DETECT_NONE; i = e->d->links[i].next)
		set_bit(e, e->d->links[i].value);
}

static struct yg_sv fold(struct yg_detect_eval *e, struct yg_sv s)
{
	size_t i = 0;
	for (; i + 8 <= s.n; i += 8) { /* the high bit of each byte says: 'A' to 'Z' */
		uint64_t x = yg_hash_load64(s.p + i), low = x & 0x7f7f7f7f7f7f7f7f;
		uint64_t above = low + 0x2525252525252525, from = low + 0x3f3f3f3f3f3f3f3f;
		x |= ((from ^ above) & ~x & 0x8080808080808080) >> 2;
		memcpy(e->folded + i, &x, sizeof x);
	}
	for (; i < s.n; i++)
		e->folded[i] = (char)yg_detect_low((unsigned char)s.p[i]);
	return (struct yg_sv){e->folded, s.n};
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
		if (!has_bit(e, p->bit) &&
		    yg_detect_fits(d, p, p->cased != 0 ? v->plain : v->folded))
			set_bit(e, p->bit);
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
			set_bit(e, n->bit);
	}
}

/* ---- one pair ---- */

static uint32_t find_field(const struct yg_detect *d, struct yg_sv name)
{
	uint64_t hash = yg_detect_hash(&d->key, 1, name);
	uint32_t i = d->words[d->info.field_slots + (hash & d->info.field_mask)];
	while (i != YG_DETECT_NONE && !yg_sv_eq(yg_detect_sv(d, d->fields[i].name), name))
		i = d->fields[i].next;
	return i;
}

static void ask_value(struct yg_detect_eval *e, uint32_t field, struct yg_sv plain)
{
	const struct yg_detect_field *f = &e->d->fields[field];
	const struct value v = {plain, fold(e, plain), f};
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

static struct yg_sv bounded(struct yg_sv s)
{
	return yg_sv_sub(s, 0, YG_DETECT_VALUE_MAX);
}

static void ask_pair(struct yg_detect_eval *e, const struct yg_detect_pair *p)
{
	uint32_t field = p->field.n > 0 ? find_field(e->d, p->field) : YG_DETECT_NONE;
	if (field == YG_DETECT_NONE)
		return;
	set_bit(e, e->d->fields[field].present);
	if (p->null)
		return;
	set_bit(e, e->d->fields[field].present + 1);
	ask_value(e, field, bounded(p->value));
}

/* Keywords: the record, and what is not a piece of it as it stands.  They are looked for
 * anywhere in a text, so what is a piece of the record was asked with it. */
static void ask_keywords(struct yg_detect_eval *e, uint32_t field)
{
	const struct yg_detect_record *r = e->record;
	struct yg_sv raw = bounded(r->raw);
	uintptr_t from = (uintptr_t)raw.p, to = from + raw.n;
	set_bit(e, e->d->fields[field].present);
	set_bit(e, e->d->fields[field].present + 1);
	ask_value(e, field, raw);
	for (size_t i = 0; i < r->count; i++) {
		uintptr_t p = (uintptr_t)r->pairs[i].value.p;
		struct yg_sv v = bounded(r->pairs[i].value);
		if (!r->pairs[i].null && (raw.n == 0 || p < from || p > to || v.n > to - p))
			ask_value(e, field, v);
	}
}

/* ---- lazy tests ---- */

static int on_match_of_regex(unsigned id, unsigned long long from, unsigned long long to,
			     unsigned flags, void *ctx)
{
	(void)id;
	(void)from;
	(void)to;
	(void)flags;
	*(bool *)ctx = true;
	return 1; /* one is enough */
}

static bool other_fits(const struct yg_detect_eval *e, const struct yg_detect_test *t,
		       struct yg_sv value)
{
	const struct yg_detect_record *r = e->record;
	struct yg_sv other = yg_detect_sv(e->d, e->d->fields[t->which].name);
	for (size_t i = 0; i < r->count; i++)
		if (!r->pairs[i].null && yg_sv_eq(r->pairs[i].field, other) &&
		    yg_detect_affix((enum yg_sigma_affix)t->affix, t->cased != 0, value,
				    bounded(r->pairs[i].value)))
			return true;
	return false;
}

static bool test_value(struct yg_detect_eval *e, const struct yg_detect_test *t, struct yg_sv value)
{
	bool yes = false;
	const struct yg_detect_pattern *p;
	switch ((enum yg_detect_test_kind)t->kind) {
	case YG_TEST_REGEX:
		(void)hs_scan(e->d->automata[t->which], value.n > 0 ? value.p : "",
			      (unsigned)value.n, 0, e->scratch, on_match_of_regex, &yes);
		return yes;
	case YG_TEST_PATTERN:
		p = &e->d->patterns[t->which];
		return yg_detect_fits(e->d, p, p->cased != 0 ? value : fold(e, value));
	case YG_TEST_FIELD: return other_fits(e, t, value);
	}
	return false;
}

static bool test_all(struct yg_detect_eval *e, const struct yg_detect_lazy *l, struct yg_sv value)
{
	for (uint32_t i = l->tests; i != YG_DETECT_NONE; i = e->d->tests[i].next)
		if (test_value(e, &e->d->tests[i], value))
			return true;
	return false;
}

static bool ask_lazy(struct yg_detect_eval *e, uint32_t number)
{
	const struct yg_detect_lazy *l = &e->d->lazies[number];
	const struct yg_detect_record *r = e->record;
	struct yg_sv name = yg_detect_sv(e->d, e->d->fields[l->field].name);
	if (has_bit(e, l->bit) || e->lazy_stamps[number] == e->stamp || !has_bit(e, l->guard))
		return has_bit(e, l->bit);
	e->lazy_stamps[number] = e->stamp;
	bool yes = name.n == 0 && test_all(e, l, bounded(r->raw));
	for (size_t i = 0; !yes && i < r->count; i++)
		yes = !r->pairs[i].null && (name.n == 0 || yg_sv_eq(r->pairs[i].field, name)) &&
		      test_all(e, l, bounded(r->pairs[i].value));
	if (yes)
		set_bit(e, l->bit);
	return yes;
}

/* ---- rules ---- */

enum { NO, YES, UNKNOWN }; /* of two that are neither no (yes), the greater one */

static uint8_t lazy_known(const struct yg_detect_eval *e, uint32_t number)
{
	const struct yg_detect_lazy *l = &e->d->lazies[number];
	if (has_bit(e, l->bit))
		return YES;
	return e->lazy_stamps[number] == e->stamp || !has_bit(e, l->guard) ? NO : UNKNOWN;
}

static uint8_t run_steps(struct yg_detect_eval *e, const struct yg_detect_rule *r, bool ask)
{
	uint8_t *top = e->stack; /* one behind the last */
	const uint32_t *steps = e->d->words + r->first;
	for (uint32_t i = 0; i < r->count; i++) {
		uint32_t n = YG_STEP_N(steps[i]);
		switch (YG_STEP_OP(steps[i])) {
		case YG_OP_BIT: *top++ = has_bit(e, n) ? YES : NO; break;
		case YG_OP_LAZY:
			*top++ = !ask ? lazy_known(e, n) : ask_lazy(e, n) ? YES : NO;
			break;
		case YG_OP_AND:
			top--;
			top[-1] = top[-1] == NO || top[0] == NO ? NO : YG_MAX(top[-1], top[0]);
			break;
		case YG_OP_OR:
			top--;
			top[-1] = top[-1] == YES || top[0] == YES ? YES : YG_MAX(top[-1], top[0]);
			break;
		case YG_OP_NOT: top[-1] = top[-1] == UNKNOWN ? UNKNOWN : !top[-1]; break;
		}
	}
	return e->stack[0];
}

static void run_triggered(struct yg_detect_eval *e, uint32_t bit, yg_detect_match_fn *match,
			  void *ctx)
{
	const struct yg_detect *d = e->d;
	uint32_t i = d->words[d->info.triggers + bit];
	for (; i != YG_DETECT_NONE; i = d->links[i].next) {
		uint32_t rule = d->links[i].value;
		if (rule >= d->rules_count || e->rule_stamps[rule] == e->stamp ||
		    e->now->source[d->rules[rule].source] == 0)
			continue;
		e->rule_stamps[rule] = e->stamp;
		uint8_t yes = run_steps(e, &d->rules[rule], false);
		if (yes == UNKNOWN)
			yes = run_steps(e, &d->rules[rule], true);
		if (yes == YES)
			match(ctx, rule);
	}
}

/* ---- log sources ---- */

static bool source_fits(struct yg_sv want, struct yg_sv have)
{
	return want.n == 0 || yg_sv_eq(want, have);
}

static void add_keywords(struct applies *a, uint32_t field)
{
	bool again = field == YG_DETECT_NONE;
	for (uint32_t i = 0; !again && i < a->keyword_count; i++)
		again = a->keywords[i] == field;
	if (!again)
		a->keywords[a->keyword_count++] = field;
}

static void find_applies(const struct yg_detect *d, const struct yg_detect_record *r,
			 struct applies *a)
{
	a->keyword_count = 0;
	for (uint64_t i = 0; i < d->sources_count; i++) {
		const struct yg_detect_source *s = &d->sources[i];
		bool yes = false;
		for (size_t j = 0; !yes && j < r->source_count; j++)
			yes = source_fits(yg_detect_sv(d, s->category), r->sources[j].category) &&
			      source_fits(yg_detect_sv(d, s->product), r->sources[j].product) &&
			      source_fits(yg_detect_sv(d, s->service), r->sources[j].service);
		a->source[i] = yes;
		if (yes)
			add_keywords(a, d->words[d->info.keywords + i]);
	}
}

/* Two combinations of one hash are taken for one: it is keyed, and 64 bits long. */
static const struct applies *applies_to(struct yg_detect_eval *e, const struct yg_detect_record *r)
{
	const struct yg_hash_key *key = &e->d->key;
	uint64_t h = yg_hash_begin(key, 5);
	for (size_t i = 0; i < r->source_count; i++) {
		const struct yg_detect_logsource *s = &r->sources[i];
		h = yg_hash_more(key, h, s->category.p, s->category.n);
		h = yg_hash_more(key, h, s->product.p, s->product.n);
		h = yg_hash_more(key, h, s->service.p, s->service.n);
	}
	h = yg_hash_end(key, h);
	struct applies *a = &e->sources[h % SOURCES_KEPT];
	if (!a->used || a->hash != h) {
		find_applies(e->d, r, a);
		a->used = true;
		a->hash = h;
	}
	return a;
}

/* ---- a record ---- */

static void begin(struct yg_detect_eval *e, const struct yg_detect_record *r)
{
	const struct yg_detect *d = e->d;
	e->record = r;
	e->now = applies_to(e, r);
	for (size_t i = 0; i < e->set_count; i++)
		e->bits[e->set[i] >> 6] = 0;
	e->set_count = 0;
	if (++e->stamp == 0) {
		memset(e->rule_stamps, 0, d->rules_count * sizeof(uint32_t));
		memset(e->literal_stamps, 0, d->literals_count * sizeof(uint32_t));
		memset(e->lazy_stamps, 0, d->lazies_count * sizeof(uint32_t));
		e->stamp = 1;
	}
}

void yg_detect_run(struct yg_detect_eval *e, const struct yg_detect_record *record,
		   yg_detect_match_fn *match, void *ctx)
{
	begin(e, record);
	for (size_t i = 0; i < record->count; i++)
		ask_pair(e, &record->pairs[i]);
	for (uint32_t i = 0; i < e->now->keyword_count; i++)
		ask_keywords(e, e->now->keywords[i]);
	/* asking may set bits: their rules come too */
	for (size_t i = 0; i < e->set_count; i++)
		run_triggered(e, e->set[i], match, ctx);
	run_triggered(e, e->d->info.bits, match, ctx);
}

size_t yg_detect_fields(const struct yg_detect_eval *e, uint32_t rule, struct yg_sv *out,
			size_t most)
{
	const struct yg_detect *d = e->d;
	size_t n = 0;
	if (rule >= d->rules_count)
		return 0;
	const struct yg_detect_rule *r = &d->rules[rule];
	for (uint32_t i = 0; i < r->count; i++) {
		uint32_t s = d->words[r->first + i], bit = YG_STEP_N(s);
		if (YG_STEP_OP(s) == YG_OP_LAZY)
			bit = d->lazies[bit].bit;
		else if (YG_STEP_OP(s) != YG_OP_BIT)
			continue;
		struct yg_sv name = yg_detect_sv(d, d->fields[d->words[d->info.owners + bit]].name);
		bool again = !has_bit(e, bit);
		for (size_t j = 0; !again && j < n; j++)
			again = yg_sv_eq(out[j], name);
		if (!again && n < most)
			out[n++] = name;
	}
	return n;
}

/* ---- evaluators ---- */

static bool make(struct yg_detect_eval *e, const struct yg_detect *d)
{
	e->d = d;
	e->bits = calloc(d->info.bits / 64 + 1, sizeof *e->bits);
	e->set = calloc((size_t)d->info.bits + 1, sizeof *e->set);
	e->folded = calloc(YG_DETECT_VALUE_MAX + 16, 1);
	e->stack = calloc((size_t)d->info.stack + 1, sizeof *e->stack);
	e->rule_stamps = calloc(d->rules_count + 1, sizeof(uint32_t));
	e->literal_stamps = calloc(d->literals_count + 1, sizeof(uint32_t));
	e->lazy_stamps = calloc(d->lazies_count + 1, sizeof(uint32_t));
	e->pattern_stamps = calloc(d->patterns_count + 1, sizeof(uint32_t));
	bool ok = e->bits != NULL && e->set != NULL && e->folded != NULL && e->stack != NULL &&
		  e->rule_stamps != NULL && e->literal_stamps != NULL && e->lazy_stamps != NULL &&
		  e->pattern_stamps != NULL;
	for (size_t i = 0; ok && i < SOURCES_KEPT; i++) {
		e->sources[i].source = calloc(d->sources_count + 1, 1);
		e->sources[i].keywords = calloc(d->sources_count + 1, sizeof(uint32_t));
		ok = e->sources[i].source != NULL && e->sources[i].keywords != NULL;
	}
	for (uint64_t i = 0; ok && i < d->regexes_count; i++)
		ok = hs_alloc_scratch(d->automata[i], &e->scratch) == HS_SUCCESS;
	return ok;
}

yg_status yg_detect_eval_new(const struct yg_detect *d, struct yg_detect_eval **out,
			     struct yg_err *err)
{
	struct yg_detect_eval *e = calloc(1, sizeof *e);
	if (e == NULL || !make(e, d)) {
		yg_detect_eval_free(e);
		return YG_FAIL(err, YG_NOMEM, "no memory to evaluate rules");
	}
	*out = e;
	return YG_OK;
}

void yg_detect_eval_free(struct yg_detect_eval *e)
{
	if (e == NULL)
		return;
	(void)hs_free_scratch(e->scratch);
	for (size_t i = 0; i < SOURCES_KEPT; i++) {
		free(e->sources[i].source);
		free(e->sources[i].keywords);
	}
	free(e->bits);
	free(e->set);
	free(e->folded);
	free(e->stack);
	free(e->rule_stamps);
	free(e->literal_stamps);
	free(e->lazy_stamps);
	free(e->pattern_stamps);
	free(e);
}
