/* correlate.h - the state machine of correlation rules, in event time; pure.
 *
 *   yg_correlate_new(rules, n, &opts, &env, report, ctx, &c, &err);
 *   for each event, for each rule that matched it:
 *       yg_correlate_event(c, rule, &event, on_hit, ctx);
 *   yg_correlate_advance(c, now_minus_lateness, on_hit, ctx);   when nothing comes
 *   yg_correlate_save(c, &buf) ... yg_correlate_restore(c, bytes, &lost, &err)
 *
 * An event waits until no earlier one may come: the watermark is the latest event time
 * seen less the allowed lateness.  Then all events of one instant are taken together,
 * correlations of rules before correlations of correlations.  So what is told does not
 * depend on the order in which events came, as long as none came later than allowed;
 * those that did are counted and left out.  doc/detect.md has the meaning of each type.
 *
 * One per organisation, for one thread.  Nothing here reads a clock: time comes with the
 * events and with yg_correlate_advance().
 */
#pragma once
#include "base/env.h"
#include "detect/rule.h"

#define YG_CORRELATE_DEPTH_MAX 8       /* correlations of correlations; deeper: refused */
#define YG_CORRELATE_COUNT_MAX 1000000 /* events or values to count up to; more: refused */
#define YG_CORRELATE_VALUE_MAX 256     /* bytes of a value to group by; longer: head and hash */
#define YG_CORRELATE_CARRY_MAX 16      /* fields handed up beside the group; more: refused */
#define YG_CORRELATE_EVIDENCE  8       /* newest events of a group whose ids are kept */
#define YG_CORRELATE_STATE_MAX ((size_t)1 << 30) /* bytes of saved state that are looked at */

struct yg_correlate_opts {
	yg_span lateness; /* events may come so much later than the latest seen */
	yg_span ahead;    /* and be so much ahead of their arrival; more: a wrong clock, left out */
	size_t pending;   /* events that wait; beyond it the earliest are taken before their time */
	size_t groups;    /* of one rule; beyond it the one without events for longest goes */
	size_t memory;    /* bytes of all groups; beyond it the same */
};
/* 60 s, 300 s, 200,000, 100,000, 256 MiB */
struct yg_correlate_opts yg_correlate_defaults(void);

typedef bool yg_correlate_field_fn(void *ctx, struct yg_sv field, struct yg_sv *out);
struct yg_correlate_event {
	yg_wall time;                 /* when it happened */
	yg_wall arrived;              /* when it came; 0: not known, `ahead` is not looked at */
	uint64_t id[2];               /* whatever finds it again */
	yg_correlate_field_fn *field; /* false: it has no such field; the view is borrowed */
	void *ctx;
};

struct yg_correlate_hit {
	uint32_t rule;       /* index of the correlation in what was given to new */
	yg_wall time;        /* event time at which it held */
	yg_wall first, last; /* of the events that were counted */
	double value; /* what was compared: a count, sum, average; of a percentile: how many */
	const struct yg_sv *names, *values; /* the group, ASCII letters in lower case */
	size_t group_count;
	uint64_t (*ids)[2]; /* newest events, oldest first; at most YG_CORRELATE_EVIDENCE */
	size_t id_count;
	bool silent; /* it is there for another correlation alone */
};
/* Everything in a hit is borrowed for the call, which must not call back into `c`.  False: an
 * exception covers it; correlations that refer to it do not take it, and it is not counted. */
typedef bool yg_correlate_hit_fn(void *ctx, const struct yg_correlate_hit *hit);

/* X(name, meaning): per correlation, saved with the state. */
#define YG_CORRELATE_COUNTERS(X)                                                                   \
	X(events, "taken")                                                                         \
	X(hits, "told")                                                                            \
	X(late, "came later than allowed: left out")                                               \
	X(ahead, "ahead of their arrival, or at no possible time: left out")                       \
	X(no_group, "without a field of group-by: left out")                                       \
	X(no_value, "without the field, or no number in it: left out")                             \
	X(evicted, "groups that went for want of room")                                            \
	X(cut, "entries of a group that went for want of room")                                    \
	X(dropped, "events for which there was no memory")
struct yg_correlate_counts {
#define X(name, meaning) uint64_t name;
	YG_CORRELATE_COUNTERS(X)
#undef X
};

struct yg_correlate; /* owned; yg_correlate_free() */
typedef void yg_correlate_report_fn(void *ctx, uint32_t rule, const char *reason);

/* rules: documents of all kinds, in the order of their numbers; borrowed for the call.
 * A correlation that cannot be is reported with its number and left out: a rule that is
 * not there or not alone, a cycle, an alias without its field, more than the bounds.
 * env: the key of hashes.  YG_OK | YG_NOMEM. */
yg_status yg_correlate_new(const struct yg_sigma_rule *const *rules, size_t count,
			   const struct yg_correlate_opts *opts, const struct yg_env *env,
			   yg_correlate_report_fn *report, void *ctx, struct yg_correlate **out,
			   struct yg_err *err);
void yg_correlate_free(struct yg_correlate *c);          /* NULL is fine */
size_t yg_correlate_count(const struct yg_correlate *c); /* correlations in force */
/* May a match of this rule be told by itself?  Not when correlations refer to it and none
 * of them says `generate: true`. */
bool yg_correlate_tells(const struct yg_correlate *c, uint32_t rule);
bool yg_correlate_wants(const struct yg_correlate *c, uint32_t rule); /* some refer to it */

/* A match of a rule.  YG_OK | YG_NOMEM: the event is counted as dropped, all else stands. */
yg_status yg_correlate_event(struct yg_correlate *c, uint32_t rule,
			     const struct yg_correlate_event *ev, yg_correlate_hit_fn *hit,
			     void *ctx);
/* No event before `time` will be taken any more.  Both: YG_OK | YG_NOMEM (as above). */
yg_status yg_correlate_advance(struct yg_correlate *c, yg_wall time, yg_correlate_hit_fn *hit,
			       void *ctx);
/* The end: everything that waits, and windows that are open, are taken as they are. */
yg_status yg_correlate_flush(struct yg_correlate *c, yg_correlate_hit_fn *hit, void *ctx);

/* False: no such correlation in force. */
bool yg_correlate_counts(const struct yg_correlate *c, uint32_t rule,
			 struct yg_correlate_counts *out);
/* Groups that one holds now; 0: none, or no correlation in force. */
uint64_t yg_correlate_groups(const struct yg_correlate *c, uint32_t rule);
struct yg_correlate_usage { /* of the whole */
	yg_wall watermark;
	uint64_t pending, groups, bytes;
	uint64_t forced; /* events that had to be taken before their time */
};
struct yg_correlate_usage yg_correlate_usage(const struct yg_correlate *c);

/* The same state gives the same bytes.  YG_OK | YG_NOMEM | YG_LIMIT. */
yg_status yg_correlate_save(const struct yg_correlate *c, struct yg_buf *out);
/* Into one that has taken no event yet.  State of correlations that are as they were is
 * taken over; *lost counts those whose is not: gone, or another now.  Anything but YG_OK
 * leaves `c` as new.  YG_OK | YG_CORRUPT (torn or changed) | YG_LIMIT | YG_NOMEM. */
yg_status yg_correlate_restore(struct yg_correlate *c, struct yg_sv bytes, size_t *lost,
			       struct yg_err *err);
