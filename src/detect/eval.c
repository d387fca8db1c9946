/* eval.c - an event asked: its pairs set bits, the bits trigger rules.
 *
 * A rule's steps are gone through with three values: no, yes, not known yet (a lazy test
 * not asked).  Only when the answer hangs on them are the lazy tests asked. */
#include <stdlib.h>

#include "detect/eval_internal.h"
#include "detect/value.h"

/* ---- lazy tests ---- */

static bool other_fits(const struct yg_detect_eval *e, const struct yg_detect_test *t,
		       struct yg_sv value)
{
	const struct yg_detect_record *r = e->record;
	struct yg_sv other = yg_detect_sv(e->d, e->d->fields[t->which].name);
	for (size_t i = 0; i < r->count; i++)
		if (!r->pairs[i].null && yg_sv_eq(r->pairs[i].field, other) &&
		    yg_detect_affix((enum yg_sigma_affix)t->affix, t->cased != 0, value,
				    yg_detect_bounded(r->pairs[i].value)))
			return true;
	return false;
}

static bool test_value(struct yg_detect_eval *e, const struct yg_detect_test *t, struct yg_sv value)
{
	const struct yg_detect_pattern *p;
	switch ((enum yg_detect_test_kind)t->kind) {
	case YG_TEST_REGEX: return yg_detect_scan(e, t->which, value);
	case YG_TEST_PATTERN:
		p = &e->d->patterns[t->which];
		return yg_detect_fits(e->d, p, p->cased != 0 ? value : yg_detect_fold(e, value));
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
	if (yg_detect_has_bit(e, l->bit) || e->lazy_stamps[number] == e->stamp ||
	    !yg_detect_has_bit(e, l->guard))
		return yg_detect_has_bit(e, l->bit);
	e->lazy_stamps[number] = e->stamp;
	bool yes = name.n == 0 && test_all(e, l, yg_detect_bounded(r->raw));
	for (size_t i = 0; !yes && i < r->count; i++)
		yes = !r->pairs[i].null && (name.n == 0 || yg_sv_eq(r->pairs[i].field, name)) &&
		      test_all(e, l, yg_detect_bounded(r->pairs[i].value));
	if (yes)
		yg_detect_set_bit(e, l->bit);
	return yes;
}

/* ---- rules ---- */

enum { NO, YES, UNKNOWN }; /* of two that are neither no (yes), the greater one */

static uint8_t lazy_known(const struct yg_detect_eval *e, uint32_t number)
{
	const struct yg_detect_lazy *l = &e->d->lazies[number];
	if (yg_detect_has_bit(e, l->bit))
		return YES;
	return e->lazy_stamps[number] == e->stamp || !yg_detect_has_bit(e, l->guard) ? NO : UNKNOWN;
}

static uint8_t run_steps(struct yg_detect_eval *e, const struct yg_detect_rule *r, bool ask)
{
	uint8_t *top = e->stack; /* one behind the last */
	const uint32_t *steps = e->d->words + r->first;
	for (uint32_t i = 0; i < r->count; i++) {
		uint32_t n = YG_STEP_N(steps[i]);
		switch (YG_STEP_OP(steps[i])) {
		case YG_OP_BIT: *top++ = yg_detect_has_bit(e, n) ? YES : NO; break;
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

static bool judge(struct yg_detect_eval *e, uint32_t rule)
{
	const struct yg_detect_rule *r = &e->d->rules[rule];
	uint8_t yes = run_steps(e, r, false);
	return (yes == UNKNOWN ? run_steps(e, r, true) : yes) == YES;
}

static bool judge_measured(struct yg_detect_eval *e, uint32_t rule)
{
	const struct yg_detect_watch *w = e->watch;
	int64_t from = yg_env_mono(w->env).us;
	bool yes = judge(e, rule);
	w->judged(w->ctx, rule, yg_env_mono(w->env).us - from);
	return yes;
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
		if (YG_LIKELY(e->watch == NULL) ? judge(e, rule) : judge_measured(e, rule))
			match(ctx, rule);
	}
}

/* ---- a record ---- */

static void begin(struct yg_detect_eval *e, const struct yg_detect_record *r)
{
	const struct yg_detect *d = e->d;
	e->record = r;
	e->now = yg_detect_applies_to(e, r);
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
		yg_detect_ask_pair(e, &record->pairs[i]);
	for (uint32_t i = 0; i < e->now->keyword_count; i++)
		yg_detect_ask_keywords(e, e->now->keywords[i]);
	/* asking may set bits: their rules come too */
	for (size_t i = 0; i < e->set_count; i++)
		run_triggered(e, e->set[i], match, ctx);
	for (uint32_t i = 0; i < e->now->source_count; i++)
		run_triggered(e, e->d->info.bits + e->now->sources[i], match, ctx);
}

void yg_detect_watch(struct yg_detect_eval *e, const struct yg_detect_watch *watch)
{
	e->watch = watch;
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
		bool again = !yg_detect_has_bit(e, bit);
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
	ok = ok && yg_detect_applies_make(e);
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
	yg_detect_applies_drop(e);
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
