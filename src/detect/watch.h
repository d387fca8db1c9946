/* watch.h - what one organisation's events say together: its correlations and its findings
 * beside rules, fed by the entries of feed.h; pure.
 *
 *   yg_watch_new(&opts, &env, &w, &err);
 *   yg_watch_rules(w, docs, n, report, ctx, &lost, &err);  again whenever they change
 *   yg_watch_comes(w, &head); yg_watch_entry(w, &head, &entry, &out) ...; yg_watch_came(w, &head);
 *   yg_watch_clock(w, now, &out);
 *   yg_watch_save(w, &correlate, &notice) ... yg_watch_restore(w, correlate, notice, &lost)
 *
 * Time is that of the events.  While nothing comes it goes on with the clock, from the latest
 * event and the moment it came: a source that is always late stays as late as it was.
 * The same entries and clocks in the same order tell the same.  For one thread.
 */
#pragma once
#include "detect/correlate.h"
#include "detect/feed.h"
#include "detect/notice.h"
#include "detect/place.h"

struct yg_watch_doc { /* a rule or correlation */
	struct yg_sv uid;
	const struct yg_sigma_rule *rule;
	uint32_t tag; /* the owner's own */
};
struct yg_watch_opts {
	struct yg_correlate_opts correlate;
	struct yg_notices_opts notices;
	const struct yg_places *places; /* borrowed; NULL: travel is not looked for */
};
struct yg_watch_out {
	void *ctx;
	/* A correlation held, also a silent one; as yg_correlate_hit_fn.  Borrowed for the call. */
	bool (*hit)(void *ctx, const struct yg_watch_doc *doc, const struct yg_correlate_hit *hit);
	/* event: that it was seen at; NULL: at none. */
	void (*notice)(void *ctx, const struct yg_notice *n, const uint64_t *event);
};

/* What correlations may hold of one organisation, live and over the past: 20,000 groups of one,
 * 50,000 events that wait, 64 MiB of groups. */
struct yg_correlate_opts yg_watch_bounds(void);

struct yg_watch; /* owned: yg_watch_free() */
/* YG_OK | YG_NOMEM | YG_INVAL (as yg_notices_new). */
yg_status yg_watch_new(const struct yg_watch_opts *opts, const struct yg_env *env,
		       struct yg_watch **out, struct yg_err *err);
void yg_watch_free(struct yg_watch *w); /* NULL is fine */
/* Other documents: views and rules are borrowed until the next time or the free.  State of
 * correlations that are as they were stays; *lost counts the others.  What is told is told
 * before: nothing comes out here.  YG_OK | YG_NOMEM: all is as it was. */
yg_status yg_watch_rules(struct yg_watch *w, const struct yg_watch_doc *docs, size_t n,
			 yg_correlate_report_fn *report, void *ctx, size_t *lost,
			 struct yg_err *err);
struct yg_watch_network { /* a prefix: so many bits of the 16-byte form */
	struct yg_ip ip;
	unsigned bits;
};
/* What of the organisation's own is inside, beside private addresses.  A connection that a worker
 * saw from or to one of them is from or to inside.  The same list in the same order costs nothing.
 * YG_OK | YG_NOMEM | YG_LIMIT: it is as it was. */
yg_status yg_watch_networks(struct yg_watch *w, const struct yg_watch_network *list, size_t n,
			    struct yg_err *err);
/* Before its first entry and behind its last: a message. */
void yg_watch_comes(struct yg_watch *w, const struct yg_feed_head *h);
void yg_watch_came(struct yg_watch *w, const struct yg_feed_head *h);
/* YG_OK | YG_NOMEM: something new could not be watched, all else stands. */
yg_status yg_watch_entry(struct yg_watch *w, const struct yg_feed_head *h,
			 const struct yg_feed_entry *e, const struct yg_watch_out *out);
yg_status yg_watch_clock(struct yg_watch *w, yg_wall now, const struct yg_watch_out *out);

/* YG_OK | YG_NOMEM | YG_LIMIT. */
yg_status yg_watch_save(const struct yg_watch *w, struct yg_buf *correlate, struct yg_buf *notice);
/* Into one that has taken nothing yet but rules; empty: as new.  YG_OK | YG_CORRUPT (that part
 * begins anew) | YG_NOMEM. */
yg_status yg_watch_restore(struct yg_watch *w, struct yg_sv correlate, struct yg_sv notice,
			   size_t *lost, struct yg_err *err);

size_t yg_watch_network_count(const struct yg_watch *w);
size_t yg_watch_doc_count(const struct yg_watch *w);
uint32_t yg_watch_doc_tag(const struct yg_watch *w, size_t doc);
struct yg_watch_state { /* of a correlation */
	struct yg_correlate_counts counts;
	uint64_t groups; /* held now */
};
/* Of the i-th document; false: no correlation in force. */
bool yg_watch_state(const struct yg_watch *w, size_t doc, struct yg_watch_state *out);
struct yg_correlate_usage yg_watch_usage(const struct yg_watch *w);
const struct yg_notices *yg_watch_notices(const struct yg_watch *w);
uint64_t yg_watch_unknown(const struct yg_watch *w); /* matches of rules that are not there */
