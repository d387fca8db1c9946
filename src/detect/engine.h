/* engine.h - rules compiled into one structure, and events asked of it; pure.
 *
 *   b = yg_detect_builder_new(...);  yg_detect_builder_add(b, rule, ...) ...
 *   yg_detect_builder_build(b, &engine, &err);  yg_detect_builder_free(b);
 *   yg_detect_eval_new(engine, &eval, &err);
 *   yg_detect_run(eval, &record, on_match, ctx);   no allocation
 *
 * An engine is constant and may be shared by threads; an evaluator belongs to one.  An
 * engine can be written as a snapshot and opened from one (doc/snapshot.md).
 */
#pragma once
#include "base/env.h"
#include "detect/record.h"
#include "detect/rule.h"

#define YG_DETECT_RULES_MAX      1000000 /* rules of one engine */
#define YG_DETECT_BITS_MAX       8000000 /* different tests of one engine */
#define YG_DETECT_REGEX_MAX      8192    /* bytes of one expression; longer: refused */
#define YG_DETECT_AUTOMATON_MAX  1048576 /* bytes that one expression may compile into */
/* Of one rule: expressions that no rule before it has, bytes that they may compile into (at most a
 * quarter of the memory), and how long that may take: looked at between two of them. */
#define YG_DETECT_RULE_REGEXES   1000
#define YG_DETECT_RULE_AUTOMATA  ((size_t)16 << 20)
#define YG_DETECT_RULE_US        (10 * YG_US_PER_S)
/* Of the rules of one owner together (at most an eighth); those of all owners may take half of the
 * memory, and all expressions three quarters of it. */
#define YG_DETECT_OWNER_AUTOMATA ((size_t)64 << 20)
#define YG_DETECT_WILD_MAX       1024     /* bytes of a text with wildcards inside */
#define YG_DETECT_VALUE_MAX      1048576u /* bytes of a value that are looked at */
#define YG_DETECT_MEMORY         ((size_t)1 << 30)

struct yg_detect_builder;
struct yg_detect;
struct yg_detect_eval;

/* ---- compiling ---- */

/* `memory`: most bytes the tables may take; `env` gives the key of the hash tables.
 * YG_OK | YG_NOMEM. */
yg_status yg_detect_builder_new(const struct yg_env *env, size_t memory,
				struct yg_detect_builder **out, struct yg_err *err);
void yg_detect_builder_free(struct yg_detect_builder *b); /* NULL is fine */
/* Whose the rules are that are added from here on, from 0: what is too much of one owner is refused
 * and stops nobody else's.  YG_DETECT_NOBODY, as it begins: for all. */
#define YG_DETECT_NOBODY UINT32_MAX
void yg_detect_builder_owner(struct yg_detect_builder *b, uint32_t owner);
/* The rule gets the next number, from 0; it may go away afterwards.  `file` is kept for
 * messages.  Every one of `filters` whose log source is the rule's and that names it (or
 * all rules) narrows it.  Refused with the reason, and without a trace: a correlation or a
 * filter as the rule, a placeholder, a regular expression that cannot be bounded.
 * YG_OK | YG_PARSE | YG_LIMIT | YG_NOMEM (the builder is of no more use). */
yg_status yg_detect_builder_add(struct yg_detect_builder *b, const struct yg_sigma_rule *rule,
				struct yg_sv file, const struct yg_sigma_rule *const *filters,
				size_t filter_count, struct yg_err *err);
/* The engine knows what the correlation reads of matches (yg_detect_name()); it does not
 * evaluate it. */
void yg_detect_builder_reads(struct yg_detect_builder *b, const struct yg_sigma_correlation *c);
/* A file of rules goes with the engine as it is, for its correlations: yg_detect_file(). */
void yg_detect_builder_file(struct yg_detect_builder *b, struct yg_sv name, struct yg_sv text);
/* YG_OK | YG_NOMEM.  The builder is used up. */
yg_status yg_detect_builder_build(struct yg_detect_builder *b, struct yg_detect **out,
				  struct yg_err *err);

/* ---- an engine ---- */

void yg_detect_free(struct yg_detect *d); /* NULL is fine */
size_t yg_detect_rule_count(const struct yg_detect *d);
struct yg_detect_about {                    /* views into the engine */
	struct yg_sv title, id, file, tags; /* tags: with a comma between two */
	struct yg_sv name;                  /* by which correlations may call it */
	struct yg_detect_logsource logsource;
	enum yg_sigma_level level;
	size_t line;
};
struct yg_detect_about yg_detect_about(const struct yg_detect *d, uint32_t rule);
/* The files that go with it, one after the other: *at is 0 for the first.  False: no more. */
bool yg_detect_file(const struct yg_detect *d, size_t *at, struct yg_sv *name, struct yg_sv *text);
/* As a snapshot into a file or memfd (borrowed; truncated, not synced).
 * YG_OK | YG_IO | YG_LIMIT. */
yg_status yg_detect_write(const struct yg_detect *d, int fd, uint64_t generation, yg_wall created,
			  uint64_t *out_bytes, struct yg_err *err);
/* Opens and verifies a snapshot in full.  fd: borrowed.  YG_OK | YG_CORRUPT | YG_CONFLICT |
 * YG_LIMIT | YG_NOMEM | YG_IO. */
yg_status yg_detect_open_fd(int fd, uint64_t min_generation, struct yg_detect **out,
			    struct yg_err *err);
/* The same on bytes in memory, borrowed until the free; for tests. */
yg_status yg_detect_open_bytes(const void *p, size_t n, struct yg_detect **out, struct yg_err *err);

/* What of an event somebody asks for, so that nothing else of it need be made.  The number
 * of a field that some rule tests or some correlation reads, and 1; 0: nobody does. */
uint32_t yg_detect_name(const struct yg_detect *d, struct yg_sv field);
/* Do rules of an event of these log sources look for keywords, so in every value? */
bool yg_detect_keywords(const struct yg_detect *d, const struct yg_detect_logsource *sources,
			size_t n);

/* ---- asking ---- */

yg_status yg_detect_eval_new(const struct yg_detect *d, struct yg_detect_eval **out,
			     struct yg_err *err);
void yg_detect_eval_free(struct yg_detect_eval *e); /* NULL is fine */
typedef void yg_detect_match_fn(void *ctx, uint32_t rule);
/* Every rule of the record's log sources that matches, each once, in no order. */
void yg_detect_run(struct yg_detect_eval *e, const struct yg_detect_record *record,
		   yg_detect_match_fn *match, void *ctx);
/* Inside `match`: the fields that some test of the rule found as it wanted, at most
 * `most`, each once; the empty name is keywords.  How many. */
size_t yg_detect_fields(const struct yg_detect_eval *e, uint32_t rule, struct yg_sv *out,
			size_t most);
