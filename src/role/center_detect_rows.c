/* Findings of correlations and beside rules into the event store: what waits in the state
 * database goes in blocks, a row of the feed never in two of them.
 *
 * What was sent and not forgotten, because the program ended or the answer was lost, is asked
 * for before it is sent again. */
#include <stdlib.h>

#include "detect/watch_finding.h"
#include "detect/watch_rows.h"
#include "event/table.h"
#include "role/center.h"

#define BLOCK_BYTES (4u << 20) /* of one block; a row of the feed may have more */
#define BLOCK_SEQS  4096u
#define BLOCK_SPAN  65536 /* numbers that the store can be asked for at once */

struct block {
	struct yg_buf rows; /* owned */
	struct {
		int64_t seq;
		size_t at, n; /* in `rows` */
	} pieces[BLOCK_SEQS];
	size_t n;
};

static yg_status gather(struct center *c, struct block *b, struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = yg_lease_state(&c->api, &l, err);
	int64_t after = INT64_MIN;
	while (st == YG_OK && b->n < BLOCK_SEQS && b->rows.n < BLOCK_BYTES) {
		size_t at = b->rows.n;
		st = yg_watch_rows_next(l.db, after, &b->rows, &after, err);
		if (st != YG_OK)
			break;
		if (b->n > 0 && after - b->pieces[0].seq >= BLOCK_SPAN) {
			b->rows.n = at; /* of the next block */
			break;
		}
		b->pieces[b->n].seq = after;
		b->pieces[b->n].at = at;
		b->pieces[b->n++].n = b->rows.n - at;
	}
	return st == YG_NOTFOUND ? YG_OK : st;
}

/* Those that the store has already go out of the block. */
static yg_status leave_out(struct block *b, struct yg_ch *ch, struct yg_err *err)
{
	uint64_t first = (uint64_t)b->pieces[0].seq, last = (uint64_t)b->pieces[b->n - 1].seq;
	uint64_t *counts = calloc(last - first + 1, sizeof *counts);
	if (counts == NULL)
		return YG_FAIL(err, YG_NOMEM, "findings for the event store");
	yg_status st = yg_event_table_delivered(ch, YG_WATCH_SPOOL, first, last, counts, err);
	size_t to = 0;
	for (size_t i = 0; st == YG_OK && i < b->n; i++) {
		if (counts[(uint64_t)b->pieces[i].seq - first] > 0)
			continue;
		memmove(b->rows.p + to, b->rows.p + b->pieces[i].at, b->pieces[i].n);
		to += b->pieces[i].n;
	}
	if (st == YG_OK)
		b->rows.n = to;
	free(counts);
	return st;
}

static yg_status send_block(struct center *c, struct block *b, struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	char id[48];
	struct yg_sb name = yg_sb_init(id, sizeof id);
	yg_sb_printf(&name, "detect-%lld", (long long)b->pieces[0].seq);
	yg_status st = yg_lease_store(&c->api, &l, err);
	if (st == YG_OK && !c->detect_rows_sure) {
		st = yg_ch_settle(l.ch, yg_sb_cstr(&name), err);
		if (st == YG_OK)
			st = leave_out(b, l.ch, err);
	}
	c->detect_rows_sure = false;
	if (st == YG_OK && b->rows.n > 0)
		st = yg_event_table_insert(l.ch, yg_sb_cstr(&name), yg_buf_sv(&b->rows), err);
	return st;
}

static yg_status forget_block(struct center *c, const struct block *b, struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = yg_lease_state(&c->api, &l, err);
	if (st == YG_OK)
		st = yg_watch_rows_forget(l.db, b->pieces[b->n - 1].seq, err);
	c->detect_rows_sure = st == YG_OK;
	return st;
}

void center_detect_rows_run(struct center *c)
{
	struct block *b = calloc(1, sizeof *b);
	struct yg_err err = {0};
	yg_status st = b != NULL ? YG_OK : YG_NOMEM;
	if (b != NULL)
		yg_buf_init(&b->rows, YG_EVENT_BLOCK_MAX + BLOCK_BYTES);
	do {
		if (st == YG_OK) {
			b->n = b->rows.n = 0;
			st = gather(c, b, &err);
		}
		if (st == YG_OK && b->n > 0)
			st = send_block(c, b, &err);
		if (st == YG_OK && b->n > 0)
			st = forget_block(c, b, &err);
	} while (st == YG_OK && b->n > 0 && !__atomic_load_n(&c->draining, __ATOMIC_ACQUIRE));
	if (b != NULL)
		yg_buf_free(&b->rows);
	free(b);
	if (st == YG_OK)
		return;
	__atomic_store_n(&c->detect_rows_wait, true, __ATOMIC_RELEASE);
	if (st != YG_AGAIN && st != YG_LIMIT) /* busy or away: health says so already */
		yg_role_log(c->ctx, YG_EV_CENTER_DETECT_FAILED, YG_KERR(&err));
}
