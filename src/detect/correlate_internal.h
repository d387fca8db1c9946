/* correlate_internal.h - what the files of the correlation's state machine share.
 *
 * A correlation is one of two modes.  REACHED: its condition has only gt and gte and its
 * type can only be brought nearer by more events; it is looked at whenever an event of a
 * group was counted, over the events of the last timespan, and what was told is used up.
 * SETTLED: everything else; a window opens with a group's first event and is looked at
 * when it is over.
 */
#pragma once
#include "base/codec.h"
#include "detect/correlate.h"
#include "detect/value.h"

#define YG_CORR_TIME_MAX INT64_C(253402300799999999) /* year 9999 */
#define YG_CORR_NEVER    INT64_MIN
#define YG_CORR_TIMER    UINT16_MAX
#define YG_CORR_NONE     UINT32_MAX
#define YG_CORR_KEY_MAX  ((YG_CORRELATE_VALUE_MAX + 2) * YG_SIGMA_GROUP_MAX)
#define YG_CORR_RING_MAX YG_CORRELATE_COUNT_MAX

enum yg_corr_state {
	YG_CORR_RING = 1, /* event_count, value_sum; REACHED */
	YG_CORR_SET,      /* value_count */
	YG_CORR_MARKS,    /* temporal, temporal_ordered */
	YG_CORR_TOTAL,    /* event_count, value_sum, _avg, _percentile, _median; SETTLED */
};

struct yg_corr_cell {
	int64_t time, value;
};
struct yg_corr_ring { /* in order of time */
	struct yg_corr_cell *v;
	uint32_t head, n, cap;
};
struct yg_corr_item {
	int64_t time;                   /* newest event with the value */
	uint64_t value;                 /* its hash */
	uint32_t prev, next, in_bucket; /* index + 1; 0: none */
};
struct yg_corr_set { /* different values, in order of time */
	struct yg_corr_item *items;
	uint32_t *buckets; /* cap of them: index + 1 */
	uint32_t cap, n, first, last, free;
};
struct yg_corr_seen {
	int64_t time;
	uint64_t id[2];
};
struct yg_corr_total {
	__int128 sum;                /* thousandths */
	uint64_t below[6], equal[6]; /* values, by criterion */
};
struct yg_corr_group {
	struct yg_corr_group *prev, *next; /* REACHED: by last; SETTLED: by start */
	struct yg_corr_group *in_bucket;
	uint64_t hash;
	int64_t start, last; /* first and newest event since it is there */
	uint64_t count;      /* events since then */
	__int128 sum;        /* of the ring */
	struct yg_corr_ring ring;
	struct yg_corr_set set;
	struct yg_corr_total *total;
	int64_t *marks; /* by rule: temporal its newest event; ordered: the latest beginning */
	struct yg_corr_seen seen[YG_CORRELATE_EVIDENCE];
	uint32_t seen_at, seen_n;
	char *carry; /* of the newest event; owned */
	uint32_t key_n, carry_n;
	char key[];
};
struct yg_corr_names {
	struct yg_sv *v;
	uint32_t n;
};
struct yg_corr_use { /* a correlation takes events of a rule */
	uint32_t corr;
	uint16_t pos;                              /* in its list */
	struct yg_corr_names group, fields, carry; /* names in events of that rule */
};
struct yg_corr_uses { /* of one document */
	struct yg_corr_use *v;
	uint32_t n;
	bool tells;
};
struct yg_corr {        /* one correlation; the first part is constant */
	uint32_t rule;  /* number of the document */
	uint32_t order; /* among those in force */
	uint32_t depth;
	bool settled;
	bool broken;
	enum yg_corr_state state;
	enum yg_sigma_correlation_type type;
	int64_t span;
	struct yg_sigma_criterion criteria[6];
	int64_t marks[6]; /* numbers of the criteria in thousandths */
	uint32_t criterion_count, rule_count;
	uint32_t cap;        /* counting beyond it changes nothing */
	uint32_t percentile; /* thousandths of a percent */
	uint32_t *refs;      /* documents */
	struct yg_corr_names group, carry;
	uint8_t print[16]; /* of all that is above */

	struct yg_corr_group **buckets;
	uint32_t bucket_count, group_count;
	struct yg_corr_group *first, *last;
	uint64_t bytes;
	int64_t armed; /* time of the timer in the heap; NEVER: none */
	struct yg_correlate_counts counts;
};
struct yg_corr_entry { /* waits for its time; or a timer */
	int64_t time;
	uint32_t corr, depth;
	uint16_t pos;
	uint64_t value; /* hash, or thousandths */
	uint64_t id[2];
	uint32_t key_n, carry_n;
	char text[]; /* key, carry */
};
struct yg_correlate {
	struct yg_arena arena;
	struct yg_correlate_opts opts;
	uint8_t key[16];
	struct yg_corr *corrs;
	uint32_t corr_count;
	struct yg_corr_uses *uses; /* by document */
	uint32_t *by_rule;         /* by document: its correlation; NONE */
	size_t rule_count;
	struct yg_corr_entry **heap;
	size_t heap_n, heap_cap;
	size_t pending, pending_bytes; /* without timers */
	size_t bytes;                  /* of groups */
	int64_t latest, watermark;
	int64_t now; /* time of what is being taken */
	uint64_t forced;
	bool nomem; /* since the call began */
};
struct yg_corr_out {
	yg_correlate_hit_fn *hit;
	void *ctx;
};

/* correlate_rules.c: what the documents say, checked; no state yet. */
yg_status yg_corr_rules(struct yg_correlate *c, const struct yg_sigma_rule *const *rules,
			size_t count, yg_correlate_report_fn *report, void *ctx);

/* correlate_heap.c: entries by (time, depth, correlation, timer, group, rule, id). */
int yg_corr_entry_cmp(const struct yg_corr_entry *a, const struct yg_corr_entry *b);
bool yg_corr_push(struct yg_correlate *c, struct yg_corr_entry *e); /* takes it; false: freed */
struct yg_corr_entry *yg_corr_pop(struct yg_correlate *c);          /* the caller frees it */
struct yg_corr_entry *yg_corr_entry_new(int64_t time, struct yg_sv key, struct yg_sv carry);
void yg_corr_arm(struct yg_correlate *c, struct yg_corr *k);

/* correlate_set.c.  Cost is what they occupy; false: no memory. */
bool yg_corr_ring_put(struct yg_corr_ring *r, int64_t time, int64_t value);
struct yg_corr_cell yg_corr_ring_first(const struct yg_corr_ring *r);
void yg_corr_ring_drop(struct yg_corr_ring *r);
/* Is it there, it is the newest now; false: no memory, or `most` others are. */
bool yg_corr_set_put(struct yg_corr_set *s, uint64_t value, int64_t time, uint32_t most);
void yg_corr_set_expire(struct yg_corr_set *s, int64_t before);
size_t yg_corr_ring_bytes(const struct yg_corr_ring *r);
size_t yg_corr_set_bytes(const struct yg_corr_set *s);

/* correlate_group.c */
struct yg_corr_group *yg_corr_find(struct yg_correlate *c, struct yg_corr *k, struct yg_sv key);
/* At the end of the list; room is made first.  NULL: no memory, or no room. */
struct yg_corr_group *yg_corr_add(struct yg_correlate *c, struct yg_corr *k, struct yg_sv key,
				  int64_t start);
void yg_corr_remove(struct yg_correlate *c, struct yg_corr *k, struct yg_corr_group *g);
void yg_corr_to_end(struct yg_corr *k, struct yg_corr_group *g);
/* Counts an event; false: no memory for it. */
bool yg_corr_take(struct yg_correlate *c, struct yg_corr *k, struct yg_corr_group *g,
		  const struct yg_corr_entry *e);
/* Groups go until so many more bytes have room. */
void yg_corr_fit(struct yg_correlate *c, size_t bytes, int64_t now);
void yg_corr_grown(struct yg_correlate *c, struct yg_corr *k, struct yg_corr_group *g,
		   size_t before);
size_t yg_corr_group_bytes(const struct yg_corr *k, const struct yg_corr_group *g);

/* correlate_judge.c: what is before `from` counts no longer. */
void yg_corr_expire(const struct yg_corr *k, struct yg_corr_group *g, int64_t from);
/* Does it hold?  *first: the oldest that was counted. */
bool yg_corr_holds(const struct yg_corr *k, const struct yg_corr_group *g, int64_t from,
		   double *value, int64_t *first);
int64_t yg_corr_thousandths(double d);
