/* hunt_correlate.h - correlations over events of the past: of each organisation a state machine
 * as live has one, with the same bounds, for events that come in the order of their time.
 *
 *   yg_hunt_correlate_new(db, &asked, now, &env, &h, &err);
 *   yg_hunt_correlate_only(h, &n)                   what a set has to have: yg_detect_feed.only
 *   yg_hunt_correlate_set(h, set, &err);
 *   for each event, for each rule of the set that matched it and is not excepted:
 *       yg_hunt_correlate_match(h, rule, &match, tell, ctx, &err);
 *   yg_hunt_correlate_end(h, to, tell, ctx);        no event before `to` comes any more
 *
 * Events of one time may come in any order.  The same events give the same, whatever breaks in
 * between, when the states are saved and restored.  Windows that are open at the end are not told of.
 *
 * Blocking (the state database, when an organisation is new); one thread at a time.
 */
#pragma once
#include "detect/watch_set.h"
#include "event/event.h"

struct yg_hunt_correlate; /* owned: yg_hunt_correlate_free() */
/* db: borrowed as long as it is; now: what has ended by then does not hold.  YG_OK | YG_PARSE: none of them can be, and why the first one
 * cannot | YG_NOTFOUND: none of them is there | YG_NOMEM and what the database says. */
yg_status yg_hunt_correlate_new(struct yg_state *db, const struct yg_watch_asked *asked,
				yg_wall now, const struct yg_env *env,
				struct yg_hunt_correlate **out, struct yg_err *err);
void yg_hunt_correlate_free(struct yg_hunt_correlate *h); /* NULL is fine */
/* Uids of the rules whose matches they take, and of those of them that are kept; ascending. */
const struct yg_sv *yg_hunt_correlate_only(const struct yg_hunt_correlate *h, size_t *n);
/* `set` must outlive it.  YG_OK | YG_NOMEM. */
yg_status yg_hunt_correlate_set(struct yg_hunt_correlate *h, const struct yg_ruleset *set,
				struct yg_err *err);

struct yg_hunt_correlated { /* borrowed for the call */
	struct yg_sv org, collection;
	const struct yg_watch_doc *doc;
	enum yg_detect_stage stage; /* there, now; never OFF */
	const struct yg_correlate_hit *hit;
};
/* One that was asked for held, is not excepted, and would be told of live. */
typedef void yg_hunt_correlate_fn(void *ctx, const struct yg_hunt_correlated *c);
struct yg_hunt_correlate_match {
	uint32_t rule; /* of the set */
	const struct yg_event *event;
	const struct yg_detect_record *record;
};
/* YG_OK | YG_NOMEM: the match is counted as dropped, all else stands | what the database says. */
yg_status yg_hunt_correlate_match(struct yg_hunt_correlate *h,
				  const struct yg_hunt_correlate_match *m,
				  yg_hunt_correlate_fn *tell, void *ctx, struct yg_err *err);
/* YG_OK | YG_NOMEM. */
yg_status yg_hunt_correlate_end(struct yg_hunt_correlate *h, yg_wall to, yg_hunt_correlate_fn *tell,
				void *ctx);

/* The states that are not as they were saved or restored, one by one; `keep` says whether it
 * has one.  yg_hunt_correlate_saved() when all are kept for good. */
typedef yg_status yg_hunt_correlate_keep_fn(void *ctx, struct yg_sv org, struct yg_sv bytes,
					    struct yg_err *err);
yg_status yg_hunt_correlate_save(const struct yg_hunt_correlate *h, yg_hunt_correlate_keep_fn *keep,
				 void *ctx, struct yg_err *err);
void yg_hunt_correlate_saved(struct yg_hunt_correlate *h);
/* Before the first match.  State of correlations that are other ones now is left out.
 * YG_OK | YG_CORRUPT | YG_NOMEM and what the database says. */
yg_status yg_hunt_correlate_restore(struct yg_hunt_correlate *h, struct yg_sv org,
				    struct yg_sv bytes, struct yg_err *err);
