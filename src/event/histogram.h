/* histogram.h - how many events match a search, over time; and the live tail:
 * what came in since one looked last. */
#pragma once
#include "event/search.h"

#define YG_HISTOGRAM_MAX 400 /* buckets */
struct yg_histogram {
	int64_t from_us, width_us;
	size_t n;
	uint64_t count[YG_HISTOGRAM_MAX];
	uint64_t total;
	int64_t counted_from; /* us: what is older was not counted yet; scope->from when all was */
};
/* About `buckets` of a round width over scope->from .. scope->to, which must have
 * both ends.  YG_LIMIT when the time is over. */
yg_status yg_histogram_run(struct yg_ch *ch, const struct yg_search *s,
			   const struct yg_search_scope *scope, uint32_t buckets,
			   struct yg_histogram *out, struct yg_err *err);
/* The same, newest first and for about so long: out->counted_from, asked for as `before`
 * with the same scope and buckets, goes on there, and the counts of both are to be added. */
struct yg_histogram_ask {
	uint32_t buckets;
	int64_t before_us; /* 0: from the newest on */
	int64_t most_us;   /* time to spend; 0: until all is counted */
};
yg_status yg_histogram_newest(struct yg_ch *ch, const struct yg_search *s,
			      const struct yg_search_scope *scope,
			      const struct yg_histogram_ask *ask, const struct yg_env *env,
			      struct yg_histogram *out, struct yg_err *err);

/* How far one has looked: per spool the last row seen.  Spools number their
 * batches upwards, so nothing is shown twice, and what is delivered late is
 * shown when it comes.  What was received before the tail began is not. */
#define YG_TAIL_SPOOLS 64
struct yg_tail {
	int64_t since; /* us, when the tail began */
	size_t n;
	struct yg_tail_mark {
		uint32_t spool, row;
		uint64_t batch;
	} mark[YG_TAIL_SPOOLS];
};
#define YG_TAIL_TEXT_MAX 4096
/* "1767225600000000.0-17-3.1-9-0" */
void yg_tail_format(struct yg_sb *b, const struct yg_tail *t);
yg_status yg_tail_parse(struct yg_sv s, struct yg_tail *out, struct yg_err *err);
/* Up to scope->limit events behind `t`, oldest first, and moves t behind them;
 * out->more: there are more at once.  scope->from and ->to do not count. */
yg_status yg_tail_run(struct yg_ch *ch, const struct yg_search *s,
		      const struct yg_search_scope *scope, struct yg_tail *t,
		      struct yg_arena *arena, struct yg_search_page *out, struct yg_err *err);
