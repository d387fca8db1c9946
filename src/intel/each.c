#include "intel/each.h"

#include "base/breath.h"
#include "intel/layout.h"
#include "intel/probe.h"

static struct yg_sv string_at(const struct yg_intel *in, uint32_t at)
{
	uint16_t n;
	memcpy(&n, in->strings + at, sizeof n); /* checked at the opening */
	return (struct yg_sv){in->strings + at + 2, n};
}

uint64_t yg_intel_source_count(const struct yg_intel *in)
{
	return in->meta_count;
}

struct yg_intel_source yg_intel_source(const struct yg_intel *in, uint64_t i)
{
	if (i >= in->meta_count)
		return (struct yg_intel_source){.allow = false};
	const struct yg_intel_meta *m = &in->metas[i];
	return (struct yg_intel_source){.list = string_at(in, m->list),
					.category = string_at(in, m->category),
					.org = string_at(in, m->org),
					.from = {m->from_us},
					.until = {m->until_us},
					.confidence = m->confidence,
					.allow = (m->flags & YG_META_ALLOW) != 0};
}

yg_status yg_intel_each(const struct yg_intel *in, yg_intel_each_fn *fn, void *ctx,
			struct yg_err *err)
{
	struct yg_intel_item item;
	for (uint64_t off = 0; off < in->set.pool_bytes;) {
		struct yg_hashset_rec rec;
		uint32_t value;
		if (!yg_hashset_rec(&in->set, off, &rec))
			return YG_FAIL(err, YG_CORRUPT, "an indicator is damaged");
		item.type = (enum yg_indicator_type)(rec.head & 0xf);
		item.key = rec.key;
		item.source_count = 0;
		while (yg_hashset_value(&rec, &value))
			if (item.source_count < YG_INTEL_SOURCES_MAX)
				item.sources[item.source_count++] = value;
		off = yg_hashset_behind(&in->set, &rec);
		yg_breathe(YG_BREATH_STEP);
		yg_status st = fn(ctx, &item, err);
		if (st != YG_OK)
			return st;
	}
	return YG_OK;
}
