/* eval.c - an event asked: its pairs set bits, the bits trigger rules. */
#include <stdlib.h>

#include "detect/engine_internal.h"
#include "detect/value.h"

struct yg_detect_eval {
	const struct yg_detect *d;
	hs_scratch_t *scratch;
	uint64_t *bits;
	uint32_t *set; /* which bits, to clear them again */
	size_t set_count;
	char *folded; /* a value in lower case, as long as the longest exact one */
	bool *stack;
	bool *applies;           /* by log source, of this record */
	uint32_t *stamps, stamp; /* rules that this record has triggered */
};

static void set_bit(struct yg_detect_eval *e, uint32_t bit)
{
	uint64_t mask = UINT64_C(1) << (bit & 63);
	if ((e->bits[bit >> 6] & mask) != 0)
		return;
	e->bits[bit >> 6] |= mask;
	e->set[e->set_count++] = bit;
}

static bool has_bit(const struct yg_detect_eval *e, uint32_t bit)
{
	return (e->bits[bit >> 6] >> (bit & 63) & 1) != 0;
}

/* ---- the tests of one value ---- */

static int on_expression(unsigned id, unsigned long long from, unsigned long long to,
			 unsigned flags, void *ctx)
{
	(void)from;
	(void)to;
	(void)flags;
	set_bit(ctx, id);
	return 0;
}

static void scan(struct yg_detect_eval *e, const struct yg_detect_field *f, struct yg_sv value)
{
	if (f->automaton == NULL || value.n > UINT32_MAX)
		return;
	(void)hs_scan(f->automaton, value.n > 0 ? value.p : "", (unsigned)value.n, 0, e->scratch,
		      on_expression, e);
}

static void look_up(struct yg_detect_eval *e, uint32_t field, struct yg_sv value, bool cased)
{
	const struct yg_detect *d = e->d;
	uint64_t hash = yg_detect_hash(d, (uint64_t)field * 2 + cased + 16, value);
	for (uint32_t i = d->exact_slots[hash & d->exact_mask]; i != YG_DETECT_NONE;
	     i = d->exacts[i].next) {
		const struct yg_detect_exact *x = &d->exacts[i];
		if (x->field == field && x->cased == cased && yg_sv_eq(x->value, value))
			set_bit(e, x->bit);
	}
}

static void ask_exact(struct yg_detect_eval *e, uint32_t field, struct yg_sv value)
{
	const struct yg_detect_field *f = &e->d->fields[field];
	if (value.n > e->d->exact_longest)
		return;
	if (f->exact_cased)
		look_up(e, field, value, true);
	if (!f->exact)
		return;
	for (size_t i = 0; i < value.n; i++)
		e->folded[i] = (char)yg_detect_low((unsigned char)value.p[i]);
	look_up(e, field, (struct yg_sv){e->folded, value.n}, false);
}

static void ask_nets(struct yg_detect_eval *e, const struct yg_detect_field *f, struct yg_sv value)
{
	struct yg_ip ip;
	if (f->nets == YG_DETECT_NONE || yg_ip_parse(value, &ip) != YG_OK)
		return;
	for (uint32_t i = f->nets; i != YG_DETECT_NONE; i = e->d->nets[i].next)
		if (yg_detect_in_net(&e->d->nets[i].net, e->d->nets[i].bits, &ip))
			set_bit(e, e->d->nets[i].bit);
}

static void ask_numbers(struct yg_detect_eval *e, const struct yg_detect_field *f,
			struct yg_sv value)
{
	double plain = 0;
	bool is_number = f->numbers != YG_DETECT_NONE && yg_sigma_number(value, &plain);
	for (uint32_t i = f->numbers; i != YG_DETECT_NONE; i = e->d->numbers[i].next) {
		const struct yg_detect_number *n = &e->d->numbers[i];
		double v = plain;
		bool ok = n->time == YG_SIGMA_TIME_NONE ? is_number
							: yg_detect_time(value, n->time, &v);
		if (ok && yg_detect_compare(n->compare, v, n->number))
			set_bit(e, n->bit);
	}
}

static uint32_t find_field(const struct yg_detect *d, struct yg_sv name)
{
	uint32_t i = d->field_slots[yg_detect_hash(d, 1, name) & d->field_mask];
	while (i != YG_DETECT_NONE && !yg_sv_eq(d->fields[i].name, name))
		i = d->fields[i].next;
	return i;
}

static void ask_pair(struct yg_detect_eval *e, const struct yg_detect_pair *p)
{
	if (!p->null)
		scan(e, &e->d->fields[0], p->value);
	uint32_t field = p->field.n > 0 ? find_field(e->d, p->field) : YG_DETECT_NONE;
	if (field == YG_DETECT_NONE)
		return;
	const struct yg_detect_field *f = &e->d->fields[field];
	set_bit(e, f->present);
	if (p->null)
		return;
	set_bit(e, f->present + 1);
	ask_exact(e, field, p->value);
	scan(e, f, p->value);
	ask_nets(e, f, p->value);
	ask_numbers(e, f, p->value);
}

/* ---- one field against another ---- */

static bool refs_match(const struct yg_detect_eval *e, const struct yg_detect_record *r,
		       const struct yg_detect_ref *ref)
{
	struct yg_sv a = e->d->fields[ref->field].name, b = e->d->fields[ref->other].name;
	for (size_t i = 0; i < r->count; i++) {
		if (r->pairs[i].null || !yg_sv_eq(r->pairs[i].field, a))
			continue;
		for (size_t j = 0; j < r->count; j++)
			if (!r->pairs[j].null && yg_sv_eq(r->pairs[j].field, b) &&
			    yg_detect_affix(ref->affix, ref->cased, r->pairs[i].value,
					    r->pairs[j].value))
				return true;
	}
	return false;
}

static void ask_refs(struct yg_detect_eval *e, const struct yg_detect_record *r)
{
	for (size_t i = 0; i < e->d->ref_count; i++) {
		const struct yg_detect_ref *ref = &e->d->refs[i];
		if (has_bit(e, e->d->fields[ref->field].present + 1) &&
		    has_bit(e, e->d->fields[ref->other].present + 1) && refs_match(e, r, ref))
			set_bit(e, ref->bit);
	}
}

/* ---- rules ---- */

static bool run_program(const struct yg_detect_eval *e, const struct yg_detect_program *p)
{
	bool *top = e->stack; /* one behind the last */
	for (size_t i = 0; i < p->count; i++) {
		const struct yg_detect_step *s = &e->d->steps[p->first + i];
		switch ((enum yg_detect_op)s->op) {
		case YG_OP_BIT: *top++ = has_bit(e, s->bit); break;
		case YG_OP_AND:
			top--;
			top[-1] = top[-1] && top[0];
			break;
		case YG_OP_OR:
			top--;
			top[-1] = top[-1] || top[0];
			break;
		case YG_OP_NOT: top[-1] = !top[-1]; break;
		}
	}
	return e->stack[0];
}

static void run_triggered(struct yg_detect_eval *e, uint32_t bit, yg_detect_match_fn *match,
			  void *ctx)
{
	const struct yg_detect *d = e->d;
	for (uint32_t i = d->posting_of[bit]; i != YG_DETECT_NONE; i = d->postings[i].next) {
		uint32_t rule = d->postings[i].rule;
		if (e->stamps[rule] == e->stamp || !e->applies[d->programs[rule].source])
			continue;
		e->stamps[rule] = e->stamp;
		if (run_program(e, &d->programs[rule]))
			match(ctx, rule);
	}
}

static bool fits(struct yg_sv want, struct yg_sv have)
{
	return want.n == 0 || yg_sv_eq(want, have);
}

static void begin(struct yg_detect_eval *e, const struct yg_detect_record *r)
{
	for (size_t i = 0; i < e->d->source_count; i++) {
		const struct yg_detect_source *s = &e->d->sources[i];
		e->applies[i] = fits(s->category, r->category) && fits(s->product, r->product) &&
				fits(s->service, r->service);
	}
	for (size_t i = 0; i < e->set_count; i++)
		e->bits[e->set[i] >> 6] = 0;
	e->set_count = 0;
	if (++e->stamp == 0) {
		memset(e->stamps, 0, e->d->rule_count * sizeof *e->stamps);
		e->stamp = 1;
	}
}

void yg_detect_run(struct yg_detect_eval *e, const struct yg_detect_record *record,
		   yg_detect_match_fn *match, void *ctx)
{
	begin(e, record);
	for (size_t i = 0; i < record->count; i++)
		ask_pair(e, &record->pairs[i]);
	scan(e, &e->d->fields[0], record->raw);
	ask_refs(e, record);
	for (size_t i = 0; i < e->set_count; i++)
		run_triggered(e, e->set[i], match, ctx);
	run_triggered(e, (uint32_t)e->d->bit_count, match, ctx);
}

yg_status yg_detect_eval_new(const struct yg_detect *d, struct yg_detect_eval **out,
			     struct yg_err *err)
{
	struct yg_detect_eval *e = calloc(1, sizeof *e);
	bool ok = e != NULL;
	if (ok) {
		e->d = d;
		e->bits = calloc(d->bit_count / 64 + 1, sizeof *e->bits);
		e->set = calloc(d->bit_count + 1, sizeof *e->set);
		e->folded = calloc(d->exact_longest + 1, 1);
		e->stack = calloc(d->stack_max + 1, sizeof *e->stack);
		e->applies = calloc(d->source_count + 1, sizeof *e->applies);
		e->stamps = calloc(d->rule_count + 1, sizeof *e->stamps);
		ok = e->bits != NULL && e->set != NULL && e->folded != NULL && e->stack != NULL &&
		     e->applies != NULL && e->stamps != NULL;
	}
	for (size_t i = 0; ok && i < d->field_count; i++)
		ok = d->fields[i].automaton == NULL ||
		     hs_alloc_scratch(d->fields[i].automaton, &e->scratch) == HS_SUCCESS;
	if (!ok) {
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
	free(e->bits);
	free(e->set);
	free(e->folded);
	free(e->stack);
	free(e->applies);
	free(e->stamps);
	free(e);
}
