/* engine_internal.h - what the compiler leaves and the evaluator reads.
 *
 * A group is what one bit stands for: an item's values (one value under `all`), or that
 * a field is there (first bit of the field) and filled (second).
 */
#pragma once
#include <hs/hs.h>

#include "detect/engine.h"
#include "snapshot/hashset.h"

#define YG_DETECT_NONE UINT32_MAX

struct yg_detect_exact {    /* a value of a field; others of the same hash behind it */
	struct yg_sv value; /* in lower case unless cased */
	uint32_t field, bit;
	bool cased;
	uint32_t next;
};
struct yg_detect_net {
	struct yg_ip net;
	unsigned bits;
	uint32_t bit, next;
};
struct yg_detect_number {
	double number;
	enum yg_sigma_compare compare;
	enum yg_sigma_time time;
	uint32_t bit, next;
};
struct yg_detect_ref { /* a field compared with another one */
	uint32_t field, other, bit;
	enum yg_sigma_affix affix;
	bool cased;
};
struct yg_detect_expression {
	char *text;
	unsigned flags;
	uint32_t field, bit;
};
struct yg_detect_field {
	struct yg_sv name; /* of the first one: none, keywords */
	uint32_t next;     /* of the same hash */
	uint32_t present;  /* bit; the next one: filled */
	uint32_t nets, numbers;
	bool exact, exact_cased;
	hs_database_t *automaton; /* NULL: no expression */
};
struct yg_detect_source {
	struct yg_sv category, product, service;
};
enum yg_detect_op { YG_OP_BIT = 1, YG_OP_AND, YG_OP_OR, YG_OP_NOT };
struct yg_detect_step {
	uint32_t op : 3, bit : 29;
};
struct yg_detect_program {
	uint32_t first, count, source;
};
struct yg_detect_posting {
	uint32_t rule, next;
};
struct yg_detect {
	struct yg_arena arena; /* of everything below */
	struct yg_hash_key key;
	struct yg_detect_field *fields;
	size_t field_count;
	uint32_t *field_slots;
	struct yg_detect_exact *exacts;
	uint32_t *exact_slots;
	struct yg_detect_net *nets;
	struct yg_detect_number *numbers;
	struct yg_detect_ref *refs;
	size_t ref_count;
	struct yg_detect_source *sources;
	size_t source_count;
	struct yg_detect_step *steps;
	struct yg_detect_program *programs;
	size_t rule_count;
	uint32_t *posting_of; /* by bit; the last one: rules that no bit triggers */
	struct yg_detect_posting *postings;
	size_t bit_count, stack_max, exact_longest;
	uint32_t field_mask, exact_mask; /* slots - 1 */
};

static inline unsigned char yg_detect_low(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}
static inline uint64_t yg_detect_hash(const struct yg_detect *d, uint64_t seed, struct yg_sv s)
{
	return yg_hash_more(&d->key, seed ^ d->key.k[0], s.p, s.n);
}
