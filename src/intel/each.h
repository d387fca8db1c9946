/* each.h - a compiled indicator snapshot, record by record: for what is compiled of it. */
#pragma once
#include "intel/match.h"

struct yg_intel_source { /* one combination of all that is not the value; borrowed */
	struct yg_sv list, category, org; /* org empty: for all */
	yg_wall from, until;              /* us 0: unbounded */
	uint8_t confidence;
	bool allow;
};
uint64_t yg_intel_source_count(const struct yg_intel *in);
/* All empty when there is no source `i`. */
struct yg_intel_source yg_intel_source(const struct yg_intel *in, uint64_t i);

#define YG_INTEL_SOURCES_MAX 64
struct yg_intel_item {
	enum yg_indicator_type type;
	struct yg_sv key; /* yg_indicator_key() */
	uint32_t sources[YG_INTEL_SOURCES_MAX];
	size_t source_count;
};
typedef yg_status yg_intel_each_fn(void *ctx, const struct yg_intel_item *item, struct yg_err *err);
/* In the order of the file; the first status that is not YG_OK ends it. */
yg_status yg_intel_each(const struct yg_intel *in, yg_intel_each_fn *fn, void *ctx,
			struct yg_err *err);
