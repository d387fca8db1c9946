/* org_set.h - whose rows a question is about: all organisations, or some.  Every
 * list, count and sum takes one and restricts inside the query.
 *
 * A statement that takes a set comes in two texts: one for all, and one with
 * "org IN yg_set($n)", $n being its last parameter (yg_org_set_bind()).
 */
#pragma once
#include "store/state.h"

struct yg_org_set {
	bool all;                  /* no restriction */
	const struct yg_sv *slugs; /* borrowed; none of them: nothing is found */
	size_t n;
};
static inline void yg_org_set_bind(struct yg_stmt *s, int at, const struct yg_org_set *set)
{
	if (!set->all)
		yg_stmt_set(s, at, set->slugs, set->n);
}
