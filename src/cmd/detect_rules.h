/* detect_rules.h - a folder of Sigma rules into an engine; what is refused is told. */
#pragma once
#include "cmd/option.h"
#include "detect/engine.h"

#define YG_RULE_FILES_MAX 200000

/* The .yml and .yaml files under `path`, by name, in the arena.  YG_OK | YG_IO | YG_LIMIT |
 * YG_NOMEM. */
yg_status yg_rule_files(const char *path, struct yg_arena *names, const char ***out, size_t *count,
			struct yg_err *err);

struct yg_rule_counts {
	uint64_t files, rules, correlations, filters, refused;
};
struct yg_rule_correlations { /* owned: yg_rule_correlations_free() */
	struct yg_arena kept;
	const struct yg_sigma_rule **rules; /* in `kept` */
	const char **files;                 /* of each, in `kept` */
	size_t count, cap;
};
void yg_rule_correlations_free(struct yg_rule_correlations *c);
/* Every .yml and .yaml file under `path` (a folder, or one file), in the order of their
 * names, with the values of the file that --values names.  A document that cannot be had is
 * told on standard error as FILE:LINE: reason (not when `quiet`) and stops no other.  *out is owned:
 * yg_detect_free().  *correlations is what is left over for yg_correlating_new(); freed by the
 * caller, also on failure.  YG_OK | YG_IO | YG_LIMIT | YG_NOMEM. */
yg_status yg_rules_load(const struct yg_cli *cli, const char *path, bool quiet,
			struct yg_detect **out, struct yg_rule_correlations *correlations,
			struct yg_rule_counts *counts, struct yg_err *err);
/* The correlations that go with a snapshot: of its files, which it was compiled from.
 * YG_OK | YG_NOMEM | YG_CORRUPT. */
yg_status yg_rules_correlations(const struct yg_detect *engine,
				struct yg_rule_correlations *correlations,
				struct yg_rule_counts *counts, struct yg_err *err);
const char *yg_rule_level_name(enum yg_sigma_level level); /* static; "" for none */
