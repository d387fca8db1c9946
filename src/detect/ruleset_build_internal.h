/* ruleset_build_internal.h - the compiler of sets, between its files. */
#pragma once
#include "base/arena.h"
#include "detect/ruleset_internal.h"
#include "snapshot/intern.h"

struct yg_rs_org {
	struct yg_sv slug, parent; /* in `kept` */
};
struct yg_rs_row { /* what the tables do not have, in `kept` */
	struct yg_sv id, name, category, product, service;
};
struct yg_rs_other {           /* a rule that is not in the set */
	struct yg_sv id, name; /* in `kept` */
	uint32_t scope;
};
struct yg_rs_filter {
	const struct yg_sigma_rule *rule; /* in `kept` */
	uint32_t scope;
	uint32_t row; /* NONE: it narrows in the engine itself */
};
struct yg_rs_correlation {
	struct yg_sigma_rule *rule; /* in `kept` */
	struct yg_sv uid;           /* in `kept` */
	struct yg_ruleset_staged is;
};
/* An entry of a row's list, until the lists are put in order. */
#define YG_RS_CORRELATION 0x80000000u /* the number of a correlation, not of a row */
struct yg_rs_over {
	uint32_t row;
	struct yg_ruleset_over over;
};
struct yg_rs_except { /* row NONE: of all rules */
	uint32_t row;
	struct yg_ruleset_except except;
};
struct yg_rs_ref {
	uint32_t row, correlation;
};
struct yg_rs_field {
	uint32_t row;
	struct yg_detect_text text;
	uint32_t order; /* as it came */
};
struct yg_ruleset_builder {
	struct yg_env env;
	struct yg_hash_key key;
	struct yg_detect_builder *engine; /* owned */
	yg_ruleset_report_fn *report;
	void *ctx;
	yg_ruleset_taken_fn *taken; /* NULL: nobody asks */
	void *taken_ctx;
	struct yg_arena kept, one; /* until the end; of the document at hand */
	struct yg_vec orgs, rows, more_rows, overs, excepts, refs, fields;
	struct yg_vec filters, correlations, others;
	struct yg_vec narrowing; /* const yg_sigma_rule * */
	struct yg_index by_uid;
	struct yg_buf texts;
	bool orgs_done;
	struct yg_sv at; /* uid of the document at hand */
	struct yg_ruleset_stats stats;
};
#define YG_RS(b, table, type, i) (&((type *)(b)->table.p)[i])

struct yg_detect_text yg_rs_keep(struct yg_ruleset_builder *b, struct yg_sv s);
static inline struct yg_sv yg_rs_kept(const struct yg_ruleset_builder *b, struct yg_detect_text t)
{
	return (struct yg_sv){b->texts.p + t.at, t.n};
}
void yg_rs_refuse(struct yg_ruleset_builder *b, struct yg_sv uid, size_t line, const char *reason);
/* Is `node` (NONE: everybody) the same as `org` or above it? */
bool yg_rs_above(const struct yg_ruleset_builder *b, uint32_t node, uint32_t org);

/* ruleset_wants.c: which rows correlations take, which of their fields, and which rows do
 * not tell of their matches by themselves.  YG_OK | YG_NOMEM. */
yg_status yg_rs_wants(struct yg_ruleset_builder *b, struct yg_err *err);

/* ruleset_build.c */
yg_status yg_rs_nomem(struct yg_err *err);
