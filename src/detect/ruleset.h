/* ruleset.h - the rules of all organisations as one engine: who each rule is for, in which
 * stage, and what is excepted from it; pure.
 *
 *   yg_ruleset_builder_new(&env, report, ctx, &b, &err);
 *   yg_ruleset_builder_org(b, slug, parent) ...          every organisation, in any order
 *   yg_ruleset_builder_rule(b, &doc) ...                 filters and correlations first
 *   yg_ruleset_builder_override(b, ...), yg_ruleset_builder_exception(b, ...)
 *   yg_ruleset_builder_write(b, fd, generation, created, &stats, &err);
 *
 *   yg_ruleset_open_fd(fd, have, &set, &err);            verified in full
 *   yg_ruleset_eval_new(set, &watch, &eval, &err);       one per thread
 *   yg_ruleset_run(eval, &record, org, now, on_hit, ctx);   no allocation
 *
 * A rule of a node holds for all below it; the override of the nearest node up the tree
 * wins; an exception or a narrowing filter holds below its node.  What has an end ends by
 * the time that the caller gives.
 */
#pragma once
#include "detect/engine.h"
#include "detect/stage.h"

#define YG_RULESET_NONE   UINT32_MAX /* no organisation of the set */
#define YG_RULESET_SAMPLE 64         /* of so many events one is measured */

/* ---- compiling ---- */

struct yg_ruleset_builder;
/* A document or exception that was left out; line 0: the whole. */
typedef void yg_ruleset_report_fn(void *ctx, struct yg_sv uid, size_t line, const char *reason);
struct yg_ruleset_doc { /* borrowed for the call */
	struct yg_sv uid;
	struct yg_sv org;        /* whose it is; empty: for all */
	struct yg_sv collection; /* where it came from */
	struct yg_sv text;       /* YAML, one document */
	enum yg_detect_stage stage;
};
struct yg_ruleset_exception {
	struct yg_sv uid;
	struct yg_sv rule; /* uid; empty: of all rules */
	struct yg_sv org;  /* empty: of all organisations */
	struct yg_sv text; /* searches and a condition */
	yg_wall expires;   /* us == 0: never */
};
struct yg_ruleset_stats {
	uint64_t rules, filters, correlations, exceptions, overrides, refused, bytes;
};

/* YG_OK | YG_NOMEM. */
yg_status yg_ruleset_builder_new(const struct yg_env *env, yg_ruleset_report_fn *report, void *ctx,
				 struct yg_ruleset_builder **out, struct yg_err *err);
void yg_ruleset_builder_free(struct yg_ruleset_builder *b); /* NULL is fine */
/* Every rule that is taken, as it was read; views end with the call. */
typedef void yg_ruleset_taken_fn(void *ctx, const struct yg_sigma_rule *rule);
void yg_ruleset_builder_watch(struct yg_ruleset_builder *b, yg_ruleset_taken_fn *taken, void *ctx);
/* parent empty: a root.  YG_OK | YG_NOMEM | YG_INVAL (behind the first document). */
yg_status yg_ruleset_builder_org(struct yg_ruleset_builder *b, struct yg_sv slug,
				 struct yg_sv parent, struct yg_err *err);
/* A rule, a filter or a correlation.  Filters come before the rules that they narrow: one of
 * an organisation in its stages live and audit-only, and there alone.  Rules that an override
 * turns on come too when they are off themselves.  What cannot be is reported, counted and
 * left out.  YG_OK | YG_NOMEM. */
yg_status yg_ruleset_builder_rule(struct yg_ruleset_builder *b, const struct yg_ruleset_doc *doc,
				  struct yg_err *err);
/* A rule that is not in the set, but there: correlations may refer to it.  id, name: of its
 * document.  One of a node that is not there is left out.  YG_OK | YG_NOMEM. */
yg_status yg_ruleset_builder_other(struct yg_ruleset_builder *b, struct yg_sv org, struct yg_sv id,
				   struct yg_sv name, struct yg_err *err);
/* Behind the rules.  One of a rule or node that is not there is left out. */
yg_status yg_ruleset_builder_override(struct yg_ruleset_builder *b, struct yg_sv rule,
				      struct yg_sv org, enum yg_detect_stage stage, yg_wall expires,
				      struct yg_err *err);
/* Behind the rules.  One that cannot be is reported, counted and left out. */
yg_status yg_ruleset_builder_exception(struct yg_ruleset_builder *b,
				       const struct yg_ruleset_exception *x, struct yg_err *err);
/* As a snapshot into a file or memfd (borrowed; truncated, not synced).  The builder is used
 * up.  YG_OK | YG_NOMEM | YG_IO | YG_LIMIT. */
yg_status yg_ruleset_builder_write(struct yg_ruleset_builder *b, int fd, uint64_t generation,
				   yg_wall created, struct yg_ruleset_stats *out,
				   struct yg_err *err);

/* ---- a set ---- */

struct yg_ruleset;
/* Opens and verifies in full.  fd: borrowed.  YG_OK | YG_CORRUPT | YG_CONFLICT (older than
 * min_generation) | YG_LIMIT | YG_NOMEM | YG_IO. */
yg_status yg_ruleset_open_fd(int fd, uint64_t min_generation, struct yg_ruleset **out,
			     struct yg_err *err);
/* The same on bytes in memory, borrowed until the free; for tests. */
yg_status yg_ruleset_open_bytes(const void *p, size_t n, struct yg_ruleset **out,
				struct yg_err *err);
void yg_ruleset_free(struct yg_ruleset *r); /* NULL is fine */
uint64_t yg_ruleset_generation(const struct yg_ruleset *r);
size_t yg_ruleset_count(const struct yg_ruleset *r); /* rules, without exceptions */
size_t yg_ruleset_rows(const struct yg_ruleset *r);  /* numbers of rules are below it */
/* The number of an organisation, for yg_ruleset_run(); NONE: it is not known. */
uint32_t yg_ruleset_org(const struct yg_ruleset *r, struct yg_sv slug);
/* For yg_detect_view_only(): it knows what rules and correlations ask for. */
const struct yg_detect *yg_ruleset_engine(const struct yg_ruleset *r);
struct yg_ruleset_about { /* views into the set */
	struct yg_sv uid, collection;
	struct yg_detect_about rule;
};
struct yg_ruleset_about yg_ruleset_about(const struct yg_ruleset *r, uint32_t rule);
/* Fields that correlations of this rule's matches read; false: no i-th. */
bool yg_ruleset_wanted(const struct yg_ruleset *r, uint32_t rule, uint32_t i, struct yg_sv *out);

/* ---- asking ---- */

struct yg_ruleset_hit {
	uint32_t rule;              /* number in the set */
	enum yg_detect_stage stage; /* for this organisation, now; never OFF */
	bool excepted;              /* by `exception` (its uid) */
	bool tells;                 /* false: correlations tell of it, not the match itself */
	bool wanted;                /* a correlation takes it */
	struct yg_sv exception;
};
typedef void yg_ruleset_hit_fn(void *ctx, const struct yg_ruleset_hit *hit);
/* A rule whose condition was judged on an event that was measured: in its own condition and
 * expressions, not in the common pass, went so many microseconds.  Of a clock of whole
 * microseconds the sum is right, one of them is not. */
typedef void yg_ruleset_cost_fn(void *ctx, uint32_t rule, int64_t us);
struct yg_ruleset_watch {
	const struct yg_env *env;
	yg_ruleset_cost_fn *cost;
	void *ctx;
};
struct yg_ruleset_eval;
/* `r` must outlive it.  watch: NULL, nothing is measured.  YG_OK | YG_NOMEM. */
yg_status yg_ruleset_eval_new(const struct yg_ruleset *r, const struct yg_ruleset_watch *watch,
			      struct yg_ruleset_eval **out, struct yg_err *err);
void yg_ruleset_eval_free(struct yg_ruleset_eval *e); /* NULL is fine */
/* Every rule that matches and is not off for `org`; every YG_RULESET_SAMPLE-th event is
 * measured. */
void yg_ruleset_run(struct yg_ruleset_eval *e, const struct yg_detect_record *record, uint32_t org,
		    yg_wall now, yg_ruleset_hit_fn *hit, void *ctx);
/* Inside `hit`: as yg_detect_fields(). */
size_t yg_ruleset_fields(const struct yg_ruleset_eval *e, uint32_t rule, struct yg_sv *out,
			 size_t most);
