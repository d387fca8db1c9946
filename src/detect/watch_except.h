/* watch_except.h - exceptions from correlations, asked of the group that one held for; pure.
 *
 *   yg_watch_excepts_new(&env, &x, &err);
 *   yg_watch_excepts_add(x, &exception, &err) ...   then yg_watch_excepts_end(x, &err);
 *   yg_watch_excepted(x, rule, hit, match, ctx)
 *
 * What an exception of a correlation may name are the fields that it groups by; their values
 * are those of the hit, ASCII letters in lower case.  Events are kept out of a correlation by
 * exceptions from the rules that it refers to, which ingest has asked. */
#pragma once
#include "base/env.h"
#include "detect/correlate.h"

struct yg_watch_excepts; /* owned: yg_watch_excepts_free() */
struct yg_watch_exception {
	struct yg_sv text;
	uint32_t rule; /* the caller's number of the correlation */
	uint32_t tag;  /* the caller's own */
};
/* YG_OK | YG_NOMEM. */
yg_status yg_watch_excepts_new(const struct yg_env *env, struct yg_watch_excepts **out,
			       struct yg_err *err);
/* YG_OK | YG_NOMEM | YG_PARSE, YG_LIMIT (it is left out). */
yg_status yg_watch_excepts_add(struct yg_watch_excepts *x, const struct yg_watch_exception *e,
			       struct yg_err *err);
/* Behind the last; nothing is asked before.  YG_OK | YG_NOMEM. */
yg_status yg_watch_excepts_end(struct yg_watch_excepts *x, struct yg_err *err);
void yg_watch_excepts_free(struct yg_watch_excepts *x); /* NULL is fine */

/* Does one of the correlation's exceptions cover the hit?  Of those that do, `holds` says by
 * its tag whether it is for the hit's owner, now. */
typedef bool yg_watch_holds_fn(void *ctx, uint32_t tag);
bool yg_watch_excepted(struct yg_watch_excepts *x, uint32_t rule,
		       const struct yg_correlate_hit *hit, yg_watch_holds_fn *holds, void *ctx);
