/* engine.h - rules compiled into one structure, and events asked of it; pure.
 *
 *   b = yg_detect_builder_new(...);  yg_detect_builder_add(b, rule, &err) ...
 *   yg_detect_builder_build(b, &engine, &err);  yg_detect_builder_free(b);
 *   yg_detect_eval_new(engine, &eval, &err);
 *   yg_detect_run(eval, &record, on_match, ctx);   no allocation
 *
 * An engine is constant and may be shared; an evaluator belongs to one thread.
 */
#pragma once
#include "base/env.h"
#include "detect/record.h"
#include "detect/rule.h"

#define YG_DETECT_RULES_MAX  1000000 /* rules of one engine */
#define YG_DETECT_GROUPS_MAX 8000000 /* different tests of one engine */
#define YG_DETECT_REGEX_MAX  8192    /* bytes of one expression; longer: the rule is refused */

struct yg_detect_builder;
struct yg_detect;
struct yg_detect_eval;

/* `memory`: most bytes the engine may use, without the automata; `env` gives the key of
 * its hash tables.  YG_OK | YG_NOMEM. */
yg_status yg_detect_builder_new(const struct yg_env *env, size_t memory,
				struct yg_detect_builder **out, struct yg_err *err);
void yg_detect_builder_free(struct yg_detect_builder *b); /* NULL is fine */
/* The rule gets the next number, from 0; it may go away afterwards.  Refused with the
 * reason, and without a trace: a correlation or filter, a placeholder, a regular
 * expression that cannot be bounded.  YG_OK | YG_PARSE | YG_LIMIT | YG_NOMEM. */
yg_status yg_detect_builder_add(struct yg_detect_builder *b, const struct yg_sigma_rule *rule,
				struct yg_err *err);
/* YG_OK | YG_NOMEM | YG_INTERNAL (the automaton was refused).  The builder is used up. */
yg_status yg_detect_builder_build(struct yg_detect_builder *b, struct yg_detect **out,
				  struct yg_err *err);
void yg_detect_free(struct yg_detect *d); /* NULL is fine */
size_t yg_detect_rule_count(const struct yg_detect *d);

yg_status yg_detect_eval_new(const struct yg_detect *d, struct yg_detect_eval **out,
			     struct yg_err *err);
void yg_detect_eval_free(struct yg_detect_eval *e); /* NULL is fine */
typedef void yg_detect_match_fn(void *ctx, uint32_t rule);
/* Every rule of the record's log source that matches, each once, in no order. */
void yg_detect_run(struct yg_detect_eval *e, const struct yg_detect_record *record,
		   yg_detect_match_fn *match, void *ctx);
