/* watch_set.h - the correlations of the state database, the rules that they refer to, and what
 * organisations say of them and of the findings beside rules; role center. */
#pragma once
#include "base/limits.h"
#include "detect/ruleset.h"
#include "detect/stage.h"
#include "detect/watch.h"
#include "detect/watch_except.h"
#include "org/reach.h"
#include "store/state.h"

struct yg_watch_rule { /* arena of the set */
	struct yg_watch_doc doc;
	struct yg_sv org, collection; /* org empty: for all */
	enum yg_detect_stage stage;
};
struct yg_watch_override {
	uint32_t rule;
	struct yg_sv org;
	enum yg_detect_stage stage;
	yg_wall expires; /* us == 0: never */
};
struct yg_watch_except {
	struct yg_sv org; /* empty: everywhere */
	yg_wall expires;  /* us == 0: never */
};
struct yg_watch_notice {
	struct yg_sv org; /* empty: for all */
	enum yg_notice_kind kind;
	enum yg_detect_stage stage;
};
struct yg_watch_set {
	struct yg_arena arena;
	struct yg_watch_rule *rules;
	struct yg_watch_override *overrides;
	struct yg_watch_notice *notices;
	struct yg_watch_except *excepts;        /* of correlations, by their tag ... */
	struct yg_watch_excepts *excepts_asked; /* ... in here; owned */
	size_t rule_n, override_n, notice_n, except_n;
	size_t correlations; /* of the rules */
	int64_t changes;
};
/* A number that is another one when something of a set changed. */
yg_status yg_watch_set_changes(struct yg_state *db, int64_t *out, struct yg_err *err);
/* Correlations that are looked at for themselves: as live, whatever their stage is. */
struct yg_watch_asked {
	const struct yg_sv *uids; /* ascending; borrowed for the call */
	size_t n;
	const struct yg_ruleset_doc *tried; /* one by its text; in the place of that uid */
	/* rules that hold for nothing within it are not there; NULL: all are */
	const struct yg_reach *reach;
};
/* A document or exception that cannot be read (another version kept it) is left out.
 * asked: NULL: what is in force, no more. */
yg_status yg_watch_set_load(struct yg_state *db, const struct yg_env *env,
			    const struct yg_watch_asked *asked, struct yg_watch_set *out,
			    struct yg_err *err);
void yg_watch_set_free(struct yg_watch_set *set); /* zeroed is fine */

#define YG_WATCH_ABOVE_MAX 16
struct yg_watch_place {                                      /* an organisation in the tree */
	char above[YG_WATCH_ABOVE_MAX][YG_ORG_NAME_MAX + 1]; /* itself, then up to the root */
	size_t n;                                            /* 0: there is no such organisation */
};
yg_status yg_watch_place(struct yg_state *db, struct yg_sv org, struct yg_watch_place *out,
			 struct yg_err *err);
/* The networks of all organisations' systems, by organisation; arena. */
struct yg_watch_own {
	struct yg_sv org;
	struct yg_watch_network network;
};
yg_status yg_watch_own_networks(struct yg_state *db, struct yg_arena *arena,
				struct yg_watch_own **out, size_t *out_n, struct yg_err *err);
bool yg_watch_holds(const struct yg_watch_set *set, uint32_t rule, const struct yg_watch_place *at);
/* Of a rule that holds there; the nearest override that has not ended wins. */
enum yg_detect_stage yg_watch_stage(const struct yg_watch_set *set, uint32_t rule,
				    const struct yg_watch_place *at, yg_wall now);
/* Does an exception that holds there, now, cover what the correlation told? */
bool yg_watch_set_excepted(const struct yg_watch_set *set, uint32_t rule,
			   const struct yg_correlate_hit *hit, const struct yg_watch_place *at,
			   yg_wall now);
/* Of a finding beside rules: the nearest setting, then that for all, then the kind's own. */
enum yg_detect_stage yg_watch_notice_stage(const struct yg_watch_set *set,
					   const struct yg_notice *n,
					   const struct yg_watch_place *at);
