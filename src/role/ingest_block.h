/* ingest_block.h - rows on their way from the spool to the event store, and how
 * they get there exactly once.
 *
 * A block is filled by the processing side (ingest_process.h), sealed, and then
 * delivered: plans and intent into the journal, then the rows into the store.
 * One thread at a time per block; the outside is behind struct yg_deliver_ops,
 * so that tests can fail every step.
 */
#pragma once
#include "base/arena.h"
#include "store/spool.h"

#define YG_BLOCK_BYTES                                                                             \
	(56u << 20) /* of rows; a fuller block is sent early: below YG_EVENT_BLOCK_MAX */
#define YG_BLOCK_BATCHES 32768u

struct yg_block_part { /* rows of one batch in this block, in order */
	uint64_t batch;
	uint32_t first_row, rows;
	uint32_t len_at; /* index of its first entry in row_len */
	size_t at;       /* of its bytes in rows */
	uint32_t total;  /* rows of the whole batch; 0 while it is not known (more to come) */
	bool aside;      /* the store refused these rows for good: they are in a file */
};
struct yg_block_plan {
	uint64_t batch;
	size_t at, n; /* in plans */
};
struct yg_block_message { /* a body for center */
	uint64_t batch;
	uint32_t type; /* FINDINGS, FEED */
	size_t at, n;  /* in messages */
};
struct yg_block_count { /* what a whole batch held */
	uint64_t batch;
	uint32_t key; /* owner, source and sensor: place in keys */
	yg_wall received;
	uint64_t events, bytes, unparsed;
};
struct yg_block {
	struct yg_buf rows; /* RowBinary */
	uint32_t *row_len;  /* owned; bytes of every row */
	size_t row_n, row_cap;
	struct yg_block_part *parts; /* owned */
	size_t part_n, part_cap;
	struct yg_buf plans;
	struct yg_block_plan *plan; /* owned */
	size_t plan_n, plan_cap;
	struct yg_buf messages;
	struct yg_block_message *message; /* owned */
	size_t message_n, message_cap;
	struct yg_buf keys; /* of counts: sv32 organisation, source, sensor; each once */
	uint32_t key_n;
	struct yg_block_count *count; /* owned; one per batch that ended, ascending */
	size_t count_n, count_cap;
	uint64_t complete; /* every batch up to here is whole in this block or before it; 0: none */
	yg_mono begun;     /* when its first row came */
	bool bad;          /* no memory: the process must end and recover */
	/* delivery */
	bool queued;    /* its plans are in the journal's buffer */
	bool planned;   /* ... and on disk */
	bool uncertain; /* rows of it may be in the store already */
	uint32_t tries;
	uint32_t refusals; /* how often the store refused it for what it holds */
	char query_id[96];
};
void yg_block_init(struct yg_block *b);
void yg_block_free(struct yg_block *b);
void yg_block_reset(struct yg_block *b); /* empty again; keeps moderate memory */
static inline bool yg_block_empty(const struct yg_block *b)
{
	return b->row_n == 0 && b->plan_n == 0 && b->message_n == 0 && b->count_n == 0;
}
/* The next row of `batch` was appended to b->rows from `at` on. */
void yg_block_row(struct yg_block *b, uint64_t batch, uint32_t row, size_t at);
/* The batch has `total` rows, all of them in this block or before it. */
void yg_block_end(struct yg_block *b, uint64_t batch, uint32_t total);
void yg_block_plan(struct yg_block *b, uint64_t batch, struct yg_sv plan);
/* Room for one body of `batch`: append to b->messages, then _end(). */
size_t yg_block_message_begin(struct yg_block *b);
void yg_block_message_end(struct yg_block *b, uint64_t batch, uint32_t type, size_t begun_at);

/* The batch that ended: `c` without its key, and whose it is. */
void yg_block_count(struct yg_block *b, const struct yg_block_count *c, struct yg_sv org,
		    struct yg_sv source, struct yg_sv sensor);
/* The body of a COUNTS message (role/message.h); count_n > 0. */
void yg_block_counts(const struct yg_block *b, uint32_t spool, struct yg_buf *out);

struct yg_refused { /* rows of one batch; views end with the call */
	uint64_t batch;
	uint32_t first_row;
	struct yg_sv rows; /* RowBinary: of the part's rows those that are not in the store */
	struct yg_sv reason;
};
/* The store, as delivery sees it (event/table.h and store/clickhouse.h). */
struct yg_deliver_ops {
	void *ctx;
	/* YG_PARSE: refused for what the rows are, so that another time will not help. */
	yg_status (*insert)(void *ctx, const char *query_id, struct yg_sv rows, struct yg_err *err);
	yg_status (*settle)(void *ctx, const char *query_id, struct yg_err *err);
	yg_status (*delivered)(void *ctx, uint64_t first, uint64_t last, uint64_t *out_counts,
			       struct yg_err *err);
	yg_status (*rows)(void *ctx, uint64_t batch, struct yg_arena *arena, uint32_t **out,
			  size_t *out_n, struct yg_err *err);
	/* Keeps rows that the store refused for good; the same rows may come again
	 * (a process died) and replace what was kept. */
	yg_status (*aside)(void *ctx, const struct yg_refused *r, struct yg_err *err);
};
struct yg_deliver {
	const struct yg_deliver_ops *ops; /* borrowed */
	struct yg_spool_journal *journal; /* borrowed */
	uint32_t spool;
	uint64_t
		uncertain_upto; /* batches up to here may be in the store from the process before */
	char settle_first
		[128];     /* its last insert; settled before anything is asked; "" when done */
	uint64_t released; /* to be noted in the journal with the next block */
	uint64_t noting;   /* ... what is on its way there */
	uint64_t noted;    /* ... and what was */
	uint32_t refusals_most; /* so many refusals, then what is at fault is set aside; 0: never */
	uint64_t rows, blocks, retries, found_there, refused; /* counters; refused: batches */
	uint64_t refused_batch;                               /* the last one */
	char refused_reason[256];                             /* why */
};
/* One attempt.  YG_OK: every row of the block is in the store, once, or in a
 * file because the store refuses it for good.  Anything else: try the same block
 * again later; but YG_CORRUPT: the process must end and recover.  Blocking.
 *
 * A block that is refused refusals_most times is sent in smaller and smaller
 * pieces, so that only the batches at fault are set aside. */
yg_status yg_deliver_block(struct yg_deliver *d, struct yg_block *b,
			   struct yg_err *err) YG_MUST_USE;
/* Notes d->released in the journal by itself, when nothing is on its way. */
yg_status yg_deliver_note(struct yg_deliver *d, struct yg_err *err) YG_MUST_USE;
