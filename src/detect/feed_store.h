/* feed_store.h - FEED messages in the state database, exactly once in and exactly once out.
 *
 * In (threads of the connections):   yg_feed_take(), yg_feed_tick()
 * Out (one thread):                  yg_feed_row() in order, from behind `consumed`;
 *                                    now and then yg_feed_save(): an organisation's state,
 *                                    which knows the rows up to its own seq; then
 *                                    yg_feed_consumed(): what every state has may go
 *
 * After a crash the states are those of the last save and the rows since then come again, in
 * the same order, and each state takes those behind its own seq: the same findings come out,
 * under the same seq, and who keeps those asks for the mark (alert/finding.h).  What waits is bounded: beyond it the oldest goes and is
 * counted, for a batch must not wait for whoever looks at what it means.
 */
#pragma once
#include "base/arena.h"
#include "detect/feed.h"
#include "store/state.h"

#define YG_FEED_WAITING_MAX (256u << 20) /* bytes of rows */

/* A count: what a rule did (STAT), or that there are events of a log source (SOURCE); in the
 * transaction of its message.  e NULL: that was the last of the message. */
typedef yg_status yg_feed_count_fn(void *ctx, struct yg_state *db, const struct yg_feed_head *h,
				   const struct yg_feed_entry *e, struct yg_err *err);
struct yg_feed_taken {
	bool duplicate;   /* it was there: nothing changed */
	uint64_t dropped; /* older ones that had to go for it */
};
/* Of a message of counts alone no row stays.  YG_OK | YG_PARSE (it is none) | those of the
 * database and of `count`: nothing changed. */
yg_status yg_feed_take(struct yg_state *db, struct yg_sv body, yg_wall now, yg_feed_count_fn *count,
		       void *ctx, struct yg_feed_taken *out, struct yg_err *err) YG_MUST_USE;
/* A row of the clock. */
yg_status yg_feed_tick(struct yg_state *db, yg_wall now, struct yg_err *err) YG_MUST_USE;

struct yg_feed_row {
	int64_t seq;
	yg_wall taken;
	struct yg_sv body; /* in `buf`; empty: the clock */
};
/* The first behind `after`.  YG_NOTFOUND: there is none. */
yg_status yg_feed_row(struct yg_state *db, int64_t after, struct yg_buf *buf,
		      struct yg_feed_row *out, struct yg_err *err);
struct yg_feed_queue {
	int64_t last, consumed;
	uint64_t bytes, dropped; /* dropped: rows, since the database was made */
};
yg_status yg_feed_queue(struct yg_state *db, struct yg_feed_queue *out, struct yg_err *err);

struct yg_feed_state { /* of one organisation; NULL parts are left as they are */
	struct yg_sv org;
	const struct yg_buf *correlate, *notice;
};
/* One transaction: rows up to seq are in the state. */
yg_status yg_feed_save(struct yg_state *db, const struct yg_feed_state *state, int64_t seq,
		       yg_wall now, struct yg_err *err) YG_MUST_USE;
/* Rows up to seq are in every saved state that they are for: they go. */
yg_status yg_feed_consumed(struct yg_state *db, int64_t seq, struct yg_err *err) YG_MUST_USE;
/* One saved state and its seq; empty and 0 when there is none. */
yg_status yg_feed_load(struct yg_state *db, struct yg_sv org, const char *part, struct yg_buf *out,
		       int64_t *out_seq, struct yg_err *err);
/* Organisations that have one, in order of name. */
yg_status yg_feed_orgs(struct yg_state *db, struct yg_arena *arena, struct yg_sv **out,
		       size_t *out_n, struct yg_err *err);
