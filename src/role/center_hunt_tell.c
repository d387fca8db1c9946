/* What a hunt found of one slice: rows into the event store, findings into alerts, and where
 * it is, once.
 *
 * The rows go under a batch number that is kept with the place.  When the program ends
 * between the two, the same slice is found again from the same place: the rows are there
 * then and are not sent again, and alerts and place are one transaction. */
#include <stdlib.h>

#include "alert/finding.h"
#include "role/center_hunt.h"

#define KNOWN_BYTES (16u << 20)
#define NEAR_US     YG_US_PER_DAY /* a finding of a batch may have the time of another event of it */

static uint32_t spool_of(const struct hunt *t)
{
	return YG_HUNT_SPOOL + (uint32_t)t->h.seq;
}

/* ---- what was told before ---- */

static int by_text(const void *a, const void *b)
{
	return yg_sv_cmp(*(const struct yg_sv *)a, *(const struct yg_sv *)b);
}

/* Findings about the same indicators around the same time, but our own. */
static void put_known(const struct hunt *t, const struct yg_sv *sorted, struct yg_buf *sql)
{
	int64_t from = INT64_MAX, to = 0;
	bool some = false;
	for (size_t i = 0; i < t->n; i++) {
		from = YG_MIN(from, t->items[i].time);
		to = YG_MAX(to, t->items[i].time);
	}
	yg_buf_put(
		sql,
		YG_SV("SELECT spool, batch, indicator, arrayElement(related, 1) FROM " YG_EVENT_TABLE
		      " PREWHERE class_uid = 2004 AND indicator IN ("));
	for (size_t i = 0; i < t->n; i++) {
		if (i > 0 && yg_sv_eq(sorted[i], sorted[i - 1]))
			continue;
		yg_buf_put(sql, some ? YG_SV(", ") : YG_SV(""));
		yg_ch_quote(sql, sorted[i]);
		some = true;
	}
	yg_buf_printf(sql, ") WHERE time >= %lld AND time <= %lld AND spool <> %u",
		      (long long)(from - NEAR_US), (long long)(to + NEAR_US), spool_of(t));
}

/* A batch in which the indicator was told has been looked at with it as a whole. */
static void note_known(struct hunt *t, uint32_t spool, uint64_t batch, struct yg_sv indicator,
		       struct yg_sv event)
{
	for (size_t i = 0; i < t->n; i++) {
		struct hunt_item *it = &t->items[i];
		it->known |=
			yg_sv_eq(it->indicator, indicator) &&
			((it->spool == spool && it->batch == batch) || yg_sv_eq(it->event, event));
	}
}

static yg_status find_known(struct hunt *t, struct yg_ch *ch, struct yg_err *err)
{
	struct yg_buf sql, answer;
	struct yg_sv *sorted = reallocarray(NULL, t->n + 1, sizeof *sorted);
	if (sorted == NULL)
		return YG_FAIL(err, YG_NOMEM, "what a hunt found");
	for (size_t i = 0; i < t->n; i++)
		sorted[i] = t->items[i].indicator;
	qsort(sorted, t->n, sizeof *sorted, by_text);
	yg_buf_init(&sql, 32u << 20);
	yg_buf_init(&answer, KNOWN_BYTES);
	put_known(t, sorted, &sql);
	struct yg_ch_query q = {.sql = yg_buf_sv(&sql), .format = "RowBinary", .max_seconds = 60};
	yg_status st = sql.bad ? YG_FAIL(err, YG_NOMEM, "what a hunt found")
			       : yg_ch_query(ch, &q, &answer, err);
	struct yg_rd rd = yg_rd_init(answer.p, st == YG_OK ? answer.n : 0);
	while (st == YG_OK && yg_rd_left(&rd) > 0) {
		struct yg_sv indicator, event;
		uint32_t spool = yg_rd_le32(&rd);
		uint64_t batch = yg_rd_le64(&rd);
		if (!yg_event_value_read(&rd, &indicator) || !yg_event_value_read(&rd, &event))
			st = YG_FAIL(err, YG_CORRUPT, "event store: the answer is cut short");
		else
			note_known(t, spool, batch, indicator, event);
	}
	free(sorted);
	yg_buf_free(&sql);
	yg_buf_free(&answer);
	return st;
}

/* ---- the store ---- */

static void put_number(char *to, uint64_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		to[i] = (char)(v >> (8 * i));
}

/* The row as one of ours: org (a length byte and its bytes), received, day, spool, batch, row. */
static yg_status own_row(const struct hunt *t, char *row, size_t n, uint32_t number)
{
	size_t at = n > 0 ? 1 + (size_t)(unsigned char)row[0] : 0;
	if (n == 0 || (unsigned char)row[0] > YG_ORG_NAME_MAX || at + 28 > n)
		return YG_INTERNAL;
	put_number(row + at, (uint64_t)t->now.us, 8);
	put_number(row + at + 8, yg_day_number(t->now), 4);
	put_number(row + at + 12, spool_of(t), 4);
	put_number(row + at + 16, (uint64_t)t->h.batch, 8);
	put_number(row + at + 24, number, 4);
	return YG_OK;
}

static yg_status insert(struct hunt *t, struct yg_ch *ch, struct yg_err *err)
{
	char id[64];
	struct yg_sb b = yg_sb_init(id, sizeof id);
	struct yg_buf rows;
	uint32_t number = 0;
	uint64_t there = 0;
	yg_status st = YG_OK;
	yg_sb_printf(&b, "hunt-%lld-%lld", (long long)t->h.seq, (long long)t->h.batch);
	if (t->resumed) { /* it may have been sent, and nobody knows how that ended */
		st = yg_ch_settle(ch, yg_sb_cstr(&b), err);
		if (st == YG_OK)
			st = yg_event_table_delivered(ch, spool_of(t), (uint64_t)t->h.batch,
						      (uint64_t)t->h.batch, &there, err);
		if (st != YG_OK || there > 0)
			return st;
	}
	yg_buf_init(&rows, 128u << 20);
	for (size_t i = 0; st == YG_OK && i < t->n; i++) {
		struct hunt_item *it = &t->items[i];
		if (it->known)
			continue;
		st = own_row(t, t->found.p + it->row, it->row_n, number++);
		yg_buf_put(&rows, (struct yg_sv){t->found.p + it->row, it->row_n});
	}
	if (st == YG_OK)
		st = rows.bad ? YG_FAIL(err, YG_NOMEM, "what a hunt found")
			      : yg_event_table_insert(ch, yg_sb_cstr(&b), yg_buf_sv(&rows), err);
	yg_buf_free(&rows);
	return st;
}

/* ---- alerts and the place ---- */

static void put_body(const struct hunt *t, uint32_t count, struct yg_buf *body)
{
	yg_wr_le32(body, spool_of(t));
	yg_wr_le32(body, count);
	yg_wr_le64(body, (uint64_t)t->h.batch);
	for (size_t i = 0; i < t->n; i++)
		if (!t->items[i].known && t->items[i].json_n > 0)
			yg_wr_sv32(body, (struct yg_sv){t->found.p + t->items[i].json,
							t->items[i].json_n});
}

/* Where it is says already what was told: no mark has to stay. */
static yg_status forget_mark(struct hunt *t, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		t->r->act.db, YG_SQL("DELETE FROM finding_mark WHERE spool = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, spool_of(t));
	return yg_stmt_run(s, err);
}

static yg_status keep(struct hunt *t, uint32_t count, struct yg_sv place, struct yg_err *err)
{
	struct yg_finding_result result = {0};
	struct yg_buf body;
	struct yg_tx tx;
	yg_buf_init(&body, 128u << 20);
	put_body(t, count, &body);
	if (body.bad) {
		yg_buf_free(&body);
		return YG_FAIL(err, YG_NOMEM, "what a hunt found");
	}
	yg_status st = yg_tx_begin(&tx, t->r->act.db, err);
	if (st == YG_OK) {
		if (count > 0)
			st = yg_findings_apply(&t->r->act, yg_buf_sv(&body), &result, err);
		if (st == YG_OK && count > 0)
			st = forget_mark(t, err);
		if (st == YG_OK && count > 0)
			t->h.alerts += result.opened;
		t->h.place = place;
		if (st == YG_OK)
			st = yg_hunt_save(t->r->act.db, &t->h, err);
		st = yg_tx_end(&tx, st, err);
	}
	yg_buf_free(&body);
	return st;
}

static void announce(const struct hunt *t)
{
	struct yg_sv last = YG_SV("");
	for (size_t i = 0; i < t->n; i++) {
		if (t->items[i].known || yg_sv_eq(t->items[i].org, last))
			continue;
		last = t->items[i].org;
		yg_announce(&t->r->c->api, YG_TOPIC_ALERTS, last, YG_SV(""), YG_SV(""), "findings");
	}
}

yg_status hunt_tell(struct hunt *t, struct yg_ch *ch, struct yg_sv place, struct yg_err *err)
{
	uint32_t count = 0, rows = 0;
	yg_status st = t->n > 0 ? find_known(t, ch, err) : YG_OK;
	for (size_t i = 0; i < t->n; i++) {
		rows += !t->items[i].known;
		count += !t->items[i].known && t->items[i].json_n > 0;
		t->h.known += t->items[i].known;
	}
	if (rows > 0)
		t->h.batch++;
	t->h.told += count;
	if (st == YG_OK && rows > 0)
		st = insert(t, ch, err);
	if (st != YG_OK)
		return st == YG_LIMIT ? YG_FAIL(err, YG_AGAIN, "the event store is busy") : st;
	/* a busy state database: the rows are there, which the next attempt sees */
	st = keep(t, count, place, err);
	t->resumed = st != YG_OK;
	if (st == YG_OK)
		announce(t);
	return st;
}
