/* eval_internal.h - an evaluator, between its files. */
#pragma once
#include "detect/engine_internal.h"

struct yg_detect_applies { /* which log sources of rules hold for an event */
	uint64_t hash;
	bool used;
	uint8_t *source;                   /* by source */
	uint32_t *sources, source_count;   /* those that hold */
	uint32_t *keywords, keyword_count; /* fields */
	uint32_t *first, *fields; /* by name: where its fields begin; lists that end with none */
};
struct yg_detect_eval {
	const struct yg_detect *d;
	const struct yg_detect_record *record;
	hs_scratch_t *scratch;
	uint64_t *bits;
	uint32_t *set; /* which bits, to clear them again */
	size_t set_count;
	char *folded; /* the value at hand in lower case */
	bool is_folded;
	uint8_t *stack;
	struct yg_detect_applies *applies; /* those seen last */
	size_t applies_mask, applies_turn;
	uint8_t *flags;            /* the memory of all of them */
	uint32_t *words, *cursors; /* likewise; by name */
	const struct yg_detect_applies *now;
	uint32_t *rule_stamps, *literal_stamps, *lazy_stamps, stamp; /* of this record */
	uint32_t *pattern_stamps, value_stamp;                       /* of this value */
	const struct yg_detect_watch *watch;                         /* NULL: nobody measures */
};

static inline void yg_detect_set_bit(struct yg_detect_eval *e, uint32_t bit)
{
	uint64_t mask = UINT64_C(1) << (bit & 63);
	if (bit >= e->d->info.bits || (e->bits[bit >> 6] & mask) != 0)
		return;
	e->bits[bit >> 6] |= mask;
	e->set[e->set_count++] = bit;
}
static inline bool yg_detect_has_bit(const struct yg_detect_eval *e, uint32_t bit)
{
	return (e->bits[bit >> 6] >> (bit & 63) & 1) != 0;
}
static inline struct yg_sv yg_detect_bounded(struct yg_sv s)
{
	return yg_sv_sub(s, 0, YG_DETECT_VALUE_MAX);
}

/* ---- applies.c ---- */
/* Memory for as many combinations of log sources as are remembered. */
bool yg_detect_applies_make(struct yg_detect_eval *e);
void yg_detect_applies_drop(struct yg_detect_eval *e);
const struct yg_detect_applies *yg_detect_applies_to(struct yg_detect_eval *e,
						     const struct yg_detect_record *r);

/* ---- ask.c ---- */
/* The text in lower case, until the next call. */
struct yg_sv yg_detect_fold(struct yg_detect_eval *e, struct yg_sv s);
/* Sets the bits of every field of the pair's name. */
void yg_detect_ask_pair(struct yg_detect_eval *e, const struct yg_detect_pair *p);
/* The record, and what is not a piece of it. */
void yg_detect_ask_keywords(struct yg_detect_eval *e, uint32_t field);
/* Does the expression match? */
bool yg_detect_scan(struct yg_detect_eval *e, uint32_t regex, struct yg_sv value);
