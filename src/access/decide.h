/* decide.h - may who do what to which?  Cedar's answer over a set of policies: denied
 * unless a policy permits it and none forbids it; a policy in error counts as absent.
 *
 * Pure, and nothing is allocated outside of the request's arena.
 */
#pragma once
#include "cedar/eval.h"
#include "cedar/policy.h"

struct yg_access_options {
	/* A forbid in error denies: what would have forbidden cannot be known.  Cedar itself
	 * passes it over, which is the default here, too. */
	bool fail_closed;
};
struct yg_access_answer {
	bool allow;
	/* Numbers of policies of the set, in its order. */
	const uint32_t *reasons, *errors;
	uint32_t reason_n, error_n;
	struct yg_sv *why; /* per erring policy: what went wrong */
};

/* The answer lives in the arena.  YG_OK | YG_NOMEM (the arena) | YG_LIMIT (steps): the
 * request fails, whatever the policies' effects are, and whoever asks must take it as
 * denied. */
yg_status yg_access_decide(const struct yg_cedar_policies *policies,
			   const struct yg_cedar_entities *entities,
			   const struct yg_cedar_request *request,
			   const struct yg_access_options *options, struct yg_arena *arena,
			   struct yg_access_answer *out, struct yg_err *err);
