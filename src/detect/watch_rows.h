/* watch_rows.h - findings of correlations and beside rules on their way into the event store:
 * kept in the transaction that tells of them, sent together, then forgotten.
 *
 * All rows of one seq go together, under it as their batch number, so that who sends again
 * after a crash can ask the store which it has.  What waits is bounded: beyond it the oldest go. */
#pragma once
#include "base/sb.h"
#include "store/state.h"

#define YG_WATCH_ROWS_MAX (64u << 20) /* bytes that wait */

/* In the caller's transaction; of one seq once.  *dropped: seqs that had to go for it. */
yg_status yg_watch_rows_keep(struct yg_state *db, int64_t seq, struct yg_sv rows, uint64_t *dropped,
			     struct yg_err *err) YG_MUST_USE;
/* The rows of the first seq behind `after`, appended.  YG_NOTFOUND: there is none. */
yg_status yg_watch_rows_next(struct yg_state *db, int64_t after, struct yg_buf *out, int64_t *seq,
			     struct yg_err *err);
/* Those up to seq are in the event store. */
yg_status yg_watch_rows_forget(struct yg_state *db, int64_t seq, struct yg_err *err) YG_MUST_USE;
