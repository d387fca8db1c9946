/* hunt_state.h - hunts as the state database has them: each is a job with a row of its own,
 * which says what is looked for, where it is and what was found.
 *
 * Runs in: role center.  A hunt goes on after a crash: what it found and where it is are
 * saved in one transaction.
 */
#pragma once
#include "base/arena.h"
#include "org/job.h"
#include "org/reach.h"

#define YG_HUNT_KIND        "retro-hunt"       /* of its job */
#define YG_HUNT_MATCHES_MAX 10000              /* told of one hunt; more are counted */
#define YG_HUNT_EACH_MAX    1000               /* of them of one rule or indicator among several */
#define YG_HUNT_SETTLE_US   (10 * YG_US_PER_S) /* until workers have a snapshot that is ready */
#define YG_HUNT_ITEMS_MAX   20000              /* rules, or indicators given one by one */
/* Findings of hunt n come from spool YG_HUNT_SPOOL + n, which no worker has. */
#define YG_HUNT_SPOOL       0x80000000u

enum yg_hunt_what { YG_HUNT_RULE, YG_HUNT_INDICATOR, YG_HUNT_CORRELATION };
struct yg_hunt {
	int64_t seq;
	enum yg_hunt_what what;
	bool automatic;
	struct yg_sv org;    /* and those below; empty: all */
	struct yg_sv name;   /* of the one rule (uid), list (uid) or value; empty: several */
	int64_t items;       /* how many rules or indicators */
	int64_t first, last; /* ids of indicators from..last; last 0: by item, -1: items are ids */
	yg_wall from, to, received; /* events of that time, received before */
	struct yg_sv place;         /* hunt.h */
	struct yg_sv kept_place;    /* of a correlation: where its states were saved */
	int64_t batch, looked_at, matches, told, known, cut;
	int64_t alerts;     /* opened */
	struct yg_sv title; /* of the one rule or list; not when adding */
	struct yg_job job;  /* id, state, actor, times */
};
/* A queued job and its row; seq, progress and job of *h are not looked at.
 * YG_LIMIT: too many items. */
yg_status yg_hunt_add(struct yg_act *act, const struct yg_hunt *h, const struct yg_sv *items,
		      size_t n, struct yg_id *out_job, struct yg_err *err) YG_MUST_USE;
yg_status yg_hunt_get(struct yg_state *db, struct yg_sv job, struct yg_arena *arena,
		      struct yg_hunt *out, struct yg_err *err);
struct yg_hunt_filter {
	struct yg_reach reach; /* those of organisations within it; begun and ended in its period */
	struct yg_sv state;    /* of its job; empty: any */
	struct yg_sv kind;     /* "rule", "correlation", "list" or "indicators"; empty: any */
	struct yg_sv part;     /* in the title, or in a value that it looks for; empty: any */
	bool hits;             /* those alone that found something */
	int64_t from_us, to_us; /* made then; to 0: until now */
	bool by_matches;        /* the most first; of as many, and else, the newest */
	struct yg_sv before;    /* keyset: jobs below, of as many; empty: from the first */
	int64_t before_matches;
	uint32_t limit; /* 1..YG_PAGE_MAX */
};
yg_status yg_hunt_list(struct yg_state *db, const struct yg_hunt_filter *f, struct yg_arena *arena,
		       struct yg_hunt **out, size_t *out_n, struct yg_err *err);
struct yg_hunt_item {
	struct yg_sv text;
	int64_t told, cut; /* of a rule among several: findings, and matches beyond the bound */
};
/* Its items in order, at most `limit`. */
yg_status yg_hunt_items(struct yg_state *db, int64_t seq, uint32_t limit, struct yg_arena *arena,
			struct yg_hunt_item **out, size_t *out_n, struct yg_err *err);
/* What was found of the n-th item; in the caller's transaction. */
yg_status yg_hunt_item_save(struct yg_state *db, int64_t seq, int64_t n, int64_t told, int64_t cut,
			    struct yg_err *err) YG_MUST_USE;
/* Place and numbers; in the caller's transaction. */
yg_status yg_hunt_save(struct yg_state *db, const struct yg_hunt *h,
		       struct yg_err *err) YG_MUST_USE;
/* The state of an organisation's correlations at `kept_place`; all three in the caller's
 * transaction.  None is left when the hunt has ended. */
yg_status yg_hunt_state_save(struct yg_state *db, int64_t seq, struct yg_sv org, struct yg_sv bytes,
			     struct yg_err *err) YG_MUST_USE;
yg_status yg_hunt_state_drop(struct yg_state *db, int64_t seq, struct yg_err *err) YG_MUST_USE;
typedef yg_status yg_hunt_state_fn(void *ctx, struct yg_sv org, struct yg_sv bytes,
				   struct yg_err *err);
yg_status yg_hunt_states(struct yg_state *db, int64_t seq, yg_hunt_state_fn *fn, void *ctx,
			 struct yg_err *err);
/* Hunts that ran when the program ended wait again; how many wait.  States that are of none of
 * them go. */
yg_status yg_hunt_requeue(struct yg_act *act, uint64_t *out_n, struct yg_err *err) YG_MUST_USE;

/* Is a hunt that was made by itself waiting or running? */
yg_status yg_hunt_going(struct yg_state *db, enum yg_hunt_what what, bool *out, struct yg_err *err);
/* Workers have had every indicator (rule) that there is since `before`: the newest snapshot
 * was finished by then, and nothing changed after it was begun. */
yg_status yg_hunt_settled(struct yg_state *db, enum yg_hunt_what what, yg_wall before, bool *out,
			  struct yg_err *err);
/* A rule's findings that workers told of from *out_us on, by when the event was taken in, were
 * made with its text of now and without an exception that has ended since; INT64_MAX: none yet. */
yg_status yg_hunt_rule_since(struct yg_state *db, struct yg_sv uid, yg_wall now, int64_t *out_us,
			     struct yg_err *err);
/* Indicators beyond the mark, of lists in use and valid at `now`: how many, and up to which
 * id the mark may go.  yg_hunt_mark() moves it; what begins after `now` is asked for again. */
yg_status yg_hunt_news(struct yg_state *db, yg_wall now, int64_t *out_first, int64_t *out_last,
		       int64_t *out_count, struct yg_err *err);
yg_status yg_hunt_mark(struct yg_state *db, int64_t last, yg_wall now,
		       struct yg_err *err) YG_MUST_USE;
/* Below the mark, and in force anew: ids as text, at most YG_HUNT_ITEMS_MAX; a list in use
 * anew (uid empty: none).  Each is asked for until it is done. */
yg_status yg_hunt_again(struct yg_state *db, yg_wall now, struct yg_arena *arena,
			struct yg_sv **out, size_t *out_n, struct yg_err *err);
yg_status yg_hunt_again_done(struct yg_state *db, const struct yg_sv *ids, size_t n,
			     struct yg_err *err) YG_MUST_USE;
yg_status yg_hunt_again_list(struct yg_state *db, struct yg_arena *arena, struct yg_sv *out_uid,
			     int64_t *out_entries, struct yg_err *err);
yg_status yg_hunt_again_list_done(struct yg_state *db, struct yg_sv uid,
				  struct yg_err *err) YG_MUST_USE;
/* Rules (what: or correlations) that are compiled, live for a node and all below it, and were not
 * looked for there with the text that they have: by their own stage (org empty) first, then where
 * an override says so or says no more that they are not; of one node. */
struct yg_hunt_rules_new {
	struct yg_sv org;
	struct yg_sv *uids;
	size_t n; /* at most YG_HUNT_ITEMS_MAX */
};
yg_status yg_hunt_new_rules(struct yg_state *db, enum yg_hunt_what what, yg_wall now,
			    struct yg_arena *arena, struct yg_hunt_rules_new *out,
			    struct yg_err *err);
yg_status yg_hunt_mark_rules(struct yg_state *db, const struct yg_hunt_rules_new *rules,
			     yg_wall now, struct yg_err *err) YG_MUST_USE;
