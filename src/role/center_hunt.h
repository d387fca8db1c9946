/* center_hunt.h - a retro-hunt that runs: what it looks for, and what it found of a slice. */
#pragma once
#include "detect/hunt.h"
#include "detect/hunt_correlate.h"
#include "detect/hunt_state.h"
#include "detect/registry.h"
#include "detect/ruleset.h"
#include "intel/match.h"
#include "role/center_job.h"
#include "snapshot/hashset.h"
#include "snapshot/intern.h"

/* What was found so far of one rule or indicator. */
struct hunt_of {
	struct yg_sv name; /* arena of the job */
	int64_t item;      /* its number among the hunt's items; -1: none */
	int64_t told, cut; /* kept */
	int64_t since;     /* yg_hunt_rule_since(); of an indicator 0 */
	uint32_t now, cut_now;
};
struct hunt_item { /* one finding, in `found` */
	size_t json, json_n, row, row_n;
	uint32_t spool; /* of its event */
	uint64_t batch;
	int64_t time;
	struct yg_sv org, indicator; /* arena of the slice */
	struct yg_sv *events;        /* that it rests on; there, too */
	struct yg_sv group;          /* of a correlation: yg_watch_group(); there, too */
	int64_t first, near;         /* of it: from when it counts; its timespan */
	size_t event_n;
	uint32_t of;
	bool known;  /* told before: neither a row nor an alert */
	bool stored; /* its row is in the store, from an attempt that was not kept */
};
struct hunt_mark { /* before an event */
	size_t n, found, cuts;
	int64_t matches, beyond;
};
struct hunt {
	struct run *r;
	struct yg_hunt h;
	struct yg_hunt_scan scan, next; /* next: behind the slice at hand */
	char place[YG_HUNT_PLACE_MAX];  /* text of `next` */
	struct yg_sv where;             /* borrowed of one of the following */
	struct yg_buf where_text;
	/* rules */
	struct yg_hunt_where *of_rules; /* the condition */
	struct yg_hunt_views views;
	struct yg_ruleset *set;
	struct yg_ruleset_eval *eval;
	const struct yg_event *event; /* at hand, while it is asked */
	const struct yg_detect_record *record;
	/* correlations */
	struct yg_hunt_correlate *past;
	struct yg_hunt read; /* as the slice at hand left it */
	bool waits;          /* that slice is read, and is to be told */
	struct yg_hunt_scan
		told; /* while `again`: up to there all was told before the program ended */
	bool again;
	uint64_t again_n; /* events that were looked at again */
	size_t slice_n;   /* events of the slice */
	yg_mono save_next;
	bool saving; /* the states are in the transaction at hand */
	char kept_place[YG_HUNT_PLACE_MAX];
	yg_status match_st;
	struct yg_err *match_err;
	/* indicators */
	struct yg_intel *intel;
	struct yg_match_set *matches;
	/* by name of rule or indicator */
	struct hunt_of *of; /* owned */
	size_t of_n, of_cap;
	struct yg_index of_names; /* owned */
	struct yg_hash_key key;
	/* what a slice found */
	struct yg_arena slice;
	struct yg_buf found, scratch, fields;
	struct hunt_item *items; /* owned */
	size_t n, cap;
	struct yg_vec cuts; /* owned; uint32_t: of which a match is not told */
	int64_t beyond;     /* matches that are not told */
	struct hunt_mark mark;
	bool full, nomem;
	bool resumed; /* rows of an attempt that was not kept may be in the store */
	yg_wall now;  /* of the slice: what has an end has ended by it */
};

/* center_hunt.c: whose events, and from which place on; then slice by slice until t->scan.done.
 * Of correlations a slice is read once: their states have taken its events. */
yg_status hunt_scope(struct hunt *t, struct yg_err *err);
yg_status hunt_slice(struct hunt *t, struct yg_ch *ch, struct yg_err *err);
void hunt_free(struct hunt *t);

/* center_hunt_rules.c, center_hunt_intel.c: made ready from the hunt's row; then every
 * event of a slice is given to them. */
yg_status hunt_rules_ready(struct hunt *t, struct yg_err *err);
yg_status hunt_rules_row(void *ctx, const struct yg_event *ev, struct yg_err *err);
/* The set of what is looked for, with the rules that `feed` says; uids: of whose refusal the first
 * is the reason when nothing is left. */
struct hunt_uids {
	struct yg_sv *v; /* ascending; arena of the job */
	size_t n;
};
yg_status hunt_rules_items(struct hunt *t, struct hunt_uids *out, struct yg_err *err);
yg_status hunt_rules_set(struct hunt *t, const struct yg_detect_feed *feed,
			 const struct hunt_uids *uids, struct yg_err *err);
yg_status hunt_intel_ready(struct hunt *t, struct yg_err *err);
yg_status hunt_intel_row(void *ctx, const struct yg_event *ev, struct yg_err *err);

/* center_hunt_correlate.c: correlations, in the order of time.  Where it goes on is before where
 * it had told all; the end of what is looked at; the states, in the transaction that keeps
 * `place`, and after it. */
yg_status hunt_correlate_ready(struct hunt *t, struct yg_err *err);
yg_status hunt_correlate_row(void *ctx, const struct yg_event *ev, struct yg_err *err);
yg_status hunt_correlate_last(struct hunt *t, struct yg_err *err);
yg_status hunt_correlate_keep(struct hunt *t, struct yg_err *err);
void hunt_correlate_kept(struct hunt *t);

/* center_hunt_found.c: what is found.  Before and behind every event; YG_LIMIT: what the event
 * gave had no room beside what the slice has, and is taken back. */
void hunt_slice_begin(struct hunt *t);
void hunt_row_begin(struct hunt *t);
yg_status hunt_row_end(struct hunt *t, struct yg_err *err);
/* Is there room for one more that is told of this rule or indicator?  Counts it either way. */
bool hunt_room(struct hunt *t, struct yg_sv name);
struct hunt_about {
	struct yg_sv org, name;
	int64_t time;
	const uint64_t (*ids)[2]; /* of the events that it rests on, as yg_feed_id() */
	size_t id_n;
	bool alone; /* of its one event, whose batch was looked at as a whole when it came */
	struct yg_sv group; /* of a correlation, as of an item */
	int64_t first, near;
};
/* A finding that was appended to t->found at `at`: sv32 json, sv32 row. */
void hunt_found(struct hunt *t, const struct hunt_about *about, size_t at);
void hunt_found_event(struct hunt *t, const struct yg_event *ev, struct yg_sv name, size_t at);
/* The number of what is named so, made when there is none; false: no memory. */
bool hunt_of(struct hunt *t, struct yg_sv name, uint32_t *out);
void hunt_found_free(struct hunt *t);

/* center_hunt_tell.c: what a slice found is in the store and in alerts, and `place` is kept,
 * once.  YG_AGAIN: the same slice again. */
yg_status hunt_tell(struct hunt *t, struct yg_ch *ch, struct yg_sv place, struct yg_err *err);

/* center_hunt_news.c: rules of which a hunt of many could not tell all, ordered again. */
yg_status hunt_order_cut(struct hunt *t, struct yg_err *err);
