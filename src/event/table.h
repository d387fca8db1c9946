/* table.h - the event table: its DDL, its rows, its retention.  ClickHouse
 * 18.16 and later; newer servers get LowCardinality, codecs and skip indexes. */
#pragma once
#include "event/event.h"
#include "store/clickhouse.h"

#define YG_EVENT_TABLE "event"

/* Creates the database and table when absent; adds columns that are new. */
yg_status yg_event_table_ensure(struct yg_ch *ch, struct yg_err *err);
/* Appends ev as one RowBinary row in the order of YG_EVENT_FIELDS.  The sticky
 * out->bad is the error. */
void yg_event_row(const struct yg_event *ev, struct yg_buf *out);
/* Rows present per batch of `spool`, from `first` to `last`: written to
 * out_counts[batch - first].  What the spool asks before it sends again. */
yg_status yg_event_table_delivered(struct yg_ch *ch, uint32_t spool, uint64_t first, uint64_t last, uint64_t *out_counts, struct yg_err *err);
/* The row numbers present of one batch, ascending (arena); for a batch that is there in part. */
yg_status yg_event_table_rows(struct yg_ch *ch, uint32_t spool, uint64_t batch, struct yg_arena *arena, uint32_t **out_rows, size_t *out_n, struct yg_err *err);
/* Drops the partitions whose day is before `day` (YYYYMMDD). */
yg_status yg_event_table_retain(struct yg_ch *ch, uint32_t day, uint32_t *out_dropped, struct yg_err *err);
