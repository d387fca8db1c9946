/* correlate_testing.h - one correlation of each kind, for tests and the fuzz target. */
#pragma once
#include "detect/correlate.h"

#define TESTING_BASES 3
#define TESTING_CORRS 8

static inline const struct yg_sigma_rule *const *testing_rules(void)
{
	static const char names[] = "abcKLMNOPQR";
	static struct yg_sv name[TESTING_BASES + TESTING_CORRS];
	static struct yg_sv user[] = {YG_SV_INIT("user")}, number[] = {YG_SV_INIT("n")};
	static struct yg_sigma_rule rules[TESTING_BASES + TESTING_CORRS];
	static const struct yg_sigma_rule *list[TESTING_BASES + TESTING_CORRS];
	static const struct {
		enum yg_sigma_correlation_type type;
		size_t from, count;
		enum yg_sigma_compare compare;
		double than;
	} made[TESTING_CORRS] = {
		{YG_SIGMA_EVENT_COUNT, 0, 1, YG_SIGMA_GTE, 3},
		{YG_SIGMA_VALUE_COUNT, 0, 2, YG_SIGMA_GTE, 3},
		{YG_SIGMA_VALUE_SUM, 0, 1, YG_SIGMA_GT, 10},
		{YG_SIGMA_VALUE_COUNT, 1, 1, YG_SIGMA_LT, 3},
		{YG_SIGMA_VALUE_PERCENTILE, 0, 2, YG_SIGMA_LTE, 3},
		{YG_SIGMA_TEMPORAL, 0, 3, 0, 0},
		{YG_SIGMA_TEMPORAL_ORDERED, 2, 3, YG_SIGMA_GTE, 2},
		{YG_SIGMA_EVENT_COUNT, 3, 2, YG_SIGMA_EQ, 1},
	};
	for (size_t i = 0; i < YG_LEN(rules); i++) {
		struct yg_sigma_correlation *c = &rules[i].correlation;
		name[i] = (struct yg_sv){names + i, 1};
		list[i] = &rules[i];
		rules[i] = (struct yg_sigma_rule){.kind = YG_SIGMA_RULE, .name = name[i]};
		if (i < TESTING_BASES)
			continue;
		size_t m = i - TESTING_BASES;
		bool values = made[m].type >= YG_SIGMA_VALUE_COUNT &&
			      made[m].type <= YG_SIGMA_VALUE_MEDIAN;
		rules[i].kind = YG_SIGMA_CORRELATION;
		*c = (struct yg_sigma_correlation){.type = made[m].type,
						   .rules = &name[made[m].from],
						   .rule_count = made[m].count,
						   .group_by = user,
						   .group_count = m % 4 == 3 ? 0 : 1,
						   .span_us = 10000000,
						   .fields = number,
						   .field_count = values ? 1 : 0,
						   .percentile = 50,
						   .criterion_count = made[m].compare != 0};
		c->criteria[0].compare = made[m].compare;
		c->criteria[0].number = made[m].than;
	}
	return list;
}

static inline bool testing_field(void *ctx, struct yg_sv field, struct yg_sv *out)
{
	static const char *const users[] = {"x", "y", "z"}, *const numbers[] = {"1", "2.5", "7"};
	unsigned which = *(const unsigned *)ctx;
	if (YG_SV_IS(field, "user"))
		*out = yg_sv_of(users[which % 3]);
	else if (YG_SV_IS(field, "n"))
		*out = yg_sv_of(numbers[which / 3 % 3]);
	else
		return false;
	return true;
}

/* The n-th of a fixed row of events. */
static inline yg_status testing_event(struct yg_correlate *c, unsigned n, yg_correlate_hit_fn *hit,
				      void *ctx)
{
	unsigned which = n * 7 % 11;
	struct yg_correlate_event ev = {.time = {1000000 * (int64_t)(100 + n - n % 3)},
					.id = {n, n},
					.field = testing_field,
					.ctx = &which};
	return yg_correlate_event(c, which % TESTING_BASES, &ev, hit, ctx);
}
