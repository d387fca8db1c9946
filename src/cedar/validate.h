/* validate.h - what is wrong with policies, by a schema: names that nothing declares,
 * and conditions that could fail on a request that the schema allows.  As Cedar's strict
 * validation.  Pure. */
#pragma once
#include "cedar/policy.h"
#include "cedar/schema.h"

#define YG_CEDAR_FAULTS_MAX     100       /* of one policy; further ones are not told */
#define YG_CEDAR_VALIDATE_STEPS 100000000 /* of one policy, over all kinds of requests; a second */
#define YG_CEDAR_VALIDATE_BYTES                                                                    \
	((size_t)256 << 20) /* of types and tests, for one kind of request */

struct yg_cedar_fault {
	uint32_t policy; /* number */
	uint32_t at;     /* offset in the text that it was read from */
	bool warning;    /* nothing is wrong, but it can never apply */
	struct yg_sv text;
};
struct yg_cedar_faults {
	struct yg_arena arena; /* owned */
	struct yg_vec list;    /* struct yg_cedar_fault, by policy */
	uint32_t errors;       /* of them no warnings */
};
void yg_cedar_faults_init(struct yg_cedar_faults *f, size_t limit);
void yg_cedar_faults_free(struct yg_cedar_faults *f);
/* YG_OK, also when there are faults | YG_NOMEM.  A policy that takes more steps or memory than
 * it may, or types nested too deep, is at fault, and the others are looked at. */
yg_status yg_cedar_validate(const struct yg_cedar_policies *p, const struct yg_cedar_schema *s,
			    struct yg_cedar_faults *out, struct yg_err *err);
