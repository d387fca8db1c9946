/* detect_correlate.h - correlations over the matches of `detect run`. */
#pragma once
#include "cmd/detect_ask.h"
#include "cmd/detect_rules.h"

struct yg_correlating; /* owned: yg_correlating_free() */
/* A correlation held, of that rule file. */
typedef void yg_correlating_fn(void *ctx, const char *file, const struct yg_sigma_rule *rule);
/* told: NULL, what holds is printed, and what cannot be used is told on standard error as
 * FILE:LINE: reason.  That is counted as refused and not as a correlation.  *out is NULL when
 * there is none to use.  YG_OK | YG_NOMEM. */
yg_status yg_correlating_new(const struct yg_cli *cli, const struct yg_detect *engine,
			     const struct yg_rule_correlations *rules,
			     struct yg_rule_counts *counts, yg_correlating_fn *told, void *ctx,
			     struct yg_correlating **out, struct yg_err *err);
void yg_correlating_free(struct yg_correlating *c); /* NULL is fine */
/* Takes a match; `file` is the number of its file among the arguments.  False: it is not to
 * be printed, for it is only there for correlations. */
bool yg_correlating_take(struct yg_correlating *c, const struct yg_ask_hit *hit, size_t file);
/* Tells what holds.  YG_OK | YG_NOMEM (events were left out for want of memory). */
yg_status yg_correlating_end(struct yg_correlating *c, struct yg_err *err);
