/* eval.h - evaluates expressions over a request and entities.
 *
 * Nothing is allocated outside of the arena given; what a value points to lives in
 * it, in the code, in the request or in the entities.  The same inputs give the same
 * answer.  Pure.
 */
#pragma once
#include "cedar/code.h"
#include "cedar/entity.h"

/* Operations, values and text (YG_CEDAR_STEP_BYTES) looked at for one request, over all its
 * policies; those that people write take under a thousand each.  Beyond it the request fails,
 * never a policy: who asks chooses what a policy has to go through, and must not choose
 * which of them count. */
#define YG_CEDAR_STEPS_MAX 10000000

struct yg_cedar_request {
	struct yg_cedar_uid principal, action, resource;
	struct yg_cedar_value context; /* a record */
};

struct yg_cedar_eval {
	const struct yg_cedar_code *code;
	const struct yg_cedar_entities *entities;
	const struct yg_cedar_request *request;
	/* of the request, looked up once; NULL: nobody has named it */
	const struct yg_cedar_entity *principal, *action, *resource;
	struct yg_arena *arena;       /* borrowed; of the request */
	struct yg_cedar_value *stack; /* room for what the expressions hold */
	struct yg_cedar_steps steps;  /* of all that it evaluates */
};

/* Room for expressions that hold `stack` values.  YG_OK | YG_NOMEM. */
yg_status yg_cedar_eval_init(struct yg_cedar_eval *e, const struct yg_cedar_code *code,
			     const struct yg_cedar_entities *entities,
			     const struct yg_cedar_request *request, uint32_t stack,
			     struct yg_arena *arena, struct yg_err *err);
/* YG_OK | YG_PARSE (what Cedar calls an error: wrong kinds, overflow, no such
 * attribute ...; also a value nested too deep) | YG_LIMIT (steps) | YG_NOMEM (the
 * arena): the last two are of the request, not of the expression. */
yg_status yg_cedar_eval(struct yg_cedar_eval *e, struct yg_cedar_range code,
			struct yg_cedar_value *out, struct yg_err *err);
/* The same for a condition: true, false, or an error when it is neither. */
yg_status yg_cedar_eval_bool(struct yg_cedar_eval *e, struct yg_cedar_range code, bool *out,
			     struct yg_err *err);

/* Does the text fit the pattern (YG_CEDAR_WILDCARD)? */
bool yg_cedar_like(struct yg_sv text, struct yg_sv pattern, struct yg_cedar_steps *steps);
