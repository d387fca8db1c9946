/* table.h - the event table: its DDL, its rows, its retention.  ClickHouse
 * 18.16 and later; newer servers get LowCardinality, codecs and skip indexes.
 *
 * Rows travel as RowBinary with the columns named in the INSERT and SELECT, in
 * the order of YG_EVENT_FIELDS, so that a table made by an older program (with
 * columns added at its end) reads and writes alike.
 */
#pragma once
#include "base/codec.h"
#include "event/event.h"
#include "store/clickhouse.h"

#define YG_EVENT_TABLE "event"

/* "org,received,..." in the order of YG_EVENT_FIELDS; static. */
struct yg_sv yg_event_table_columns(void);

/* The statements that make the table in `database` on a server of that version
 * (yg_ch_version), appended to out. */
void yg_event_table_ddl(const char *database, uint32_t version, struct yg_buf *out);
/* Creates the database and table when absent; adds columns that are new. */
yg_status yg_event_table_ensure(struct yg_ch *ch, struct yg_err *err);
/* Appends ev as one RowBinary row in the order of YG_EVENT_FIELDS.  The sticky
 * out->bad is the error. */
void yg_event_row(const struct yg_event *ev, struct yg_buf *out);
/* Reads one such row; views point into what rd reads, lists are in `arena`.
 * YG_PARSE: cut short, or the arena is out. */
yg_status yg_event_row_read(struct yg_rd *rd, struct yg_arena *arena, struct yg_event *out,
			    struct yg_err *err);
/* One text of a row ("org", as SELECT gives it); false: cut short. */
bool yg_event_value_read(struct yg_rd *rd, struct yg_sv *out);
/* The same rows as one block of the Native format, without the columns that are
 * empty in all of them; *names gets "(org,received,...)", the columns in it.
 * Pure.  YG_INVAL: not whole rows, or none. */
yg_status yg_event_rows_native(struct yg_sv rows, struct yg_buf *out, struct yg_buf *names,
			       uint64_t *out_rows, struct yg_err *err);
/* Bytes of as many whole rows from the front as fit in `max`; one at least. */
size_t yg_event_rows_cut(struct yg_sv rows, size_t max);
#define YG_EVENT_BLOCK_MAX                                                                         \
	(64u << 20) /* bytes of rows in one block; more go as several, one after the other */
/* Inserts rows made by yg_event_row() as one block under that query id (as
 * several of YG_EVENT_BLOCK_MAX when they are more; then some can be in and
 * others not).  What the statuses mean for the rows: see yg_ch_insert(). */
yg_status yg_event_table_insert(struct yg_ch *ch, const char *query_id, struct yg_sv rows,
				struct yg_err *err);
/* The same; what is sent is made in `block`, a buffer of the caller's whose memory
 * serves one insert after the other. */
yg_status yg_event_table_insert_with(struct yg_ch *ch, const char *query_id, struct yg_sv rows,
				     struct yg_buf *block, struct yg_err *err);

/* Events per organisation, class and hour of their time, and per verdict too, are counted
 * where they are written: projections that each part of the table carries, so that
 * whatever adds, merges, deletes or drops events does it to their counts in the same
 * step.  A SELECT that groups and filters by org, class_uid, verdict and YG_EVENT_HOUR
 * alone is answered by them; one that asks `time` reads the events. */
#define YG_EVENT_HOUR_US (3600 * YG_US_PER_S)
#define YG_EVENT_HOUR    "intDiv(time, 3600000000)"
bool yg_event_table_counted(struct yg_ch *ch); /* false: the server is too old for it */

/* Names by their last labels: "evil.example" of "www.evil.example" and of itself.  Appends
 * the SQL of it for one name, x, or for all of an event as they are in the index that newer
 * servers have of 2 up to YG_EVENT_LAST_MAX labels.  version: yg_ch_version(); of 0 every
 * server understands it.  `labels` is 1 at least. */
#define YG_EVENT_LAST_MAX 3u
void yg_event_table_last(uint32_t version, unsigned labels, bool of_all, struct yg_buf *sql);

/* Rows present per batch of `spool`, from `first` to `last` (at most 65536
 * batches): written to out_counts[batch - first].  What the spool asks before
 * it sends again. */
yg_status yg_event_table_delivered(struct yg_ch *ch, uint32_t spool, uint64_t first, uint64_t last,
				   uint64_t *out_counts, struct yg_err *err);
/* The row numbers present of one batch, ascending (arena); for a batch that is there in part. */
yg_status yg_event_table_rows(struct yg_ch *ch, uint32_t spool, uint64_t batch,
			      struct yg_arena *arena, uint32_t **out_rows, size_t *out_n,
			      struct yg_err *err);
/* Drops the partitions whose day is before `day` (YYYYMMDD). */
yg_status yg_event_table_retain(struct yg_ch *ch, uint32_t day, uint32_t *out_dropped,
				struct yg_err *err);
