/* What a hunt found of one slice: rows into the event store, findings into alerts, and where
 * it is, once.
 *
 * Rows go first, then alerts and the place in one transaction.  When the program ends between
 * the two, the same events are found again, though perhaps in other slices: what has a row of
 * this hunt already gets its alert and no second row. */
#include <stdlib.h>

#include "alert/finding.h"
#include "event/table.h"
#include "role/center_hunt.h"

#define KNOWN_BYTES (16u << 20)
#define TOGETHER    1000u         /* findings that are asked for at once */
#define NEAR_US     YG_US_PER_DAY /* a finding of a batch may have the time of another event of it */

static uint32_t spool_of(const struct hunt *t)
{
	return YG_HUNT_SPOOL + (uint32_t)t->h.seq;
}

static yg_status no_memory(struct yg_err *err)
{
	return YG_FAIL(err, YG_NOMEM, "what a hunt found");
}

/* ---- what was told before ---- */

struct evidence { /* an event that a finding rests on */
	struct yg_sv indicator, event;
	struct hunt_item *of;
};
struct asked { /* findings [from, from + n) of a slice, in two orders */
	struct hunt *t;
	size_t from, n;
	struct hunt_item **batches; /* owned */
	struct evidence *events;    /* owned */
	size_t event_n;
};

static int by_batch(const struct hunt_item *a, const struct hunt_item *b)
{
	int c = yg_sv_cmp(a->indicator, b->indicator);
	if (c == 0)
		c = (a->spool > b->spool) - (a->spool < b->spool);
	return c != 0 ? c : (a->batch > b->batch) - (a->batch < b->batch);
}

static int sort_batch(const void *a, const void *b)
{
	return by_batch(*(struct hunt_item *const *)a, *(struct hunt_item *const *)b);
}

static int by_event(const void *a, const void *b)
{
	const struct evidence *x = a, *y = b;
	int c = yg_sv_cmp(x->event, y->event);
	return c != 0 ? c : yg_sv_cmp(x->indicator, y->indicator);
}

/* A text of each of `n` structs, those that follow each other once. */
static void put_texts(struct yg_buf *sql, const void *const *of, size_t n, size_t member)
{
	struct yg_sv last = YG_SV("");
	for (size_t i = 0; i < n; i++) {
		struct yg_sv one;
		memcpy(&one, (const char *)of[i] + member, sizeof one);
		if (i > 0 && yg_sv_eq(one, last))
			continue;
		yg_buf_put(sql, i > 0 ? YG_SV(",") : YG_SV(""));
		yg_ch_quote(sql, one);
		last = one;
	}
}

static void put_events(struct yg_buf *sql, const struct asked *a)
{
	for (size_t i = 0; i < a->event_n; i++) {
		if (i > 0 && yg_sv_eq(a->events[i].event, a->events[i - 1].event))
			continue;
		yg_buf_put(sql, i > 0 ? YG_SV(",") : YG_SV(""));
		yg_ch_quote(sql, a->events[i].event);
	}
}

/* Is it about a rule that was changed since it told of some? */
static void put_changed(const struct asked *a, struct yg_buf *sql)
{
	struct yg_sv last = YG_SV("");
	yg_buf_put(sql, YG_SV("indicator IN (''"));
	for (size_t i = 0; i < a->n; i++) {
		const struct hunt_item *it = a->batches[i];
		if (a->t->of[it->of].since == 0 || yg_sv_eq(it->indicator, last))
			continue;
		yg_buf_put(sql, YG_SV(","));
		yg_ch_quote(sql, it->indicator);
		last = it->indicator;
	}
	yg_buf_put(sql, YG_SV(")"));
}

/* Of correlations: which group it was, and from when until when.  A row has the newest events
 * alone, and other windows of the same group may have none of them. */
static void put_span(const struct asked *a, struct yg_buf *sql)
{
	yg_buf_put(sql, a->t->h.what == YG_HUNT_CORRELATION
				? YG_SV(", uid, toInt64(time - duration), toInt64(time)")
				: YG_SV(", '', toInt64(0), toInt64(0)"));
}

/* Findings about the same rule or indicator: of the batches that the events came in, which were
 * looked at as a whole, and of hunts and correlations about the same events.  Of a rule that tells
 * of everything there may be any number besides.  When a batch was taken in, and which events of
 * it were told of, is asked of a changed rule alone. */
static void put_known(const struct asked *a, struct yg_buf *sql)
{
	const struct hunt_item *items = a->t->items + a->from;
	int64_t from = INT64_MAX, to = 0;
	yg_buf_put(sql, YG_SV("SELECT DISTINCT spool, batch, status_id, toInt64(if("));
	put_changed(a, sql);
	yg_buf_printf(sql, ", received, 0)), indicator, arrayJoin(if(spool >= %u OR ",
		      YG_HUNT_SPOOL);
	put_changed(a, sql);
	yg_buf_put(sql, YG_SV(", related, ['']))"));
	put_span(a, sql);
	yg_buf_put(sql,
		   YG_SV(" FROM " YG_EVENT_TABLE " PREWHERE class_uid = 2004 AND indicator IN ("));
	put_texts(sql, (const void *const *)a->batches, a->n,
		  offsetof(struct hunt_item, indicator));
	yg_buf_put(sql, YG_SV(") WHERE org IN ("));
	put_texts(sql, (const void *const *)a->batches, a->n, offsetof(struct hunt_item, org));
	for (size_t i = 0; i < a->n; i++) {
		from = YG_MIN(from, items[i].near > 0 ? items[i].first : items[i].time);
		to = YG_MAX(to, items[i].time + items[i].near);
	}
	yg_buf_printf(sql, ") AND time >= %lld AND time <= %lld AND ((spool, batch) IN (",
		      (long long)(from - NEAR_US), (long long)(to + NEAR_US));
	for (size_t i = 0; i < a->n; i++)
		yg_buf_printf(sql, "%s(%u,%llu)", i > 0 ? "," : "", items[i].spool,
			      (unsigned long long)items[i].batch);
	yg_buf_printf(sql, ") OR (spool >= %u AND arrayExists(x -> x IN (", YG_HUNT_SPOOL);
	put_events(sql, a);
	yg_buf_put(sql, YG_SV("), related)"));
	if (a->t->h.what == YG_HUNT_CORRELATION) {
		yg_buf_put(sql, YG_SV(" OR uid IN ("));
		put_texts(sql, (const void *const *)a->batches, a->n,
			  offsetof(struct hunt_item, group));
		yg_buf_put(sql, YG_SV(")"));
	}
	yg_buf_put(sql, YG_SV("))"));
}

struct told { /* a finding that is there */
	struct hunt_item is;
	struct yg_sv event; /* one that it rests on; empty: not asked for */
	int64_t received;
	struct yg_sv group; /* of a correlation; from when until when */
	int64_t first, last;
	bool own;    /* a row of this hunt, not kept */
	bool silent; /* no alert came of it: the rule was not live */
};

/* Of what is there is it known, when it is about the same?  Not what was silent, of what is live. */
static bool knows(const struct told *k, const struct hunt_item *of)
{
	return !k->own && (!k->silent || of->json_n == 0);
}

static void note_event(const struct asked *a, const struct told *k)
{
	const struct evidence key = {k->is.indicator, k->event, NULL};
	size_t low = 0, high = a->event_n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (by_event(&a->events[mid], &key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < a->event_n && by_event(&a->events[low], &key) == 0; low++) {
		a->events[low].of->known |= knows(k, a->events[low].of);
		a->events[low].of->stored |= k->own;
	}
}

/* The batch was looked at as a whole, if with what the rule is now. */
static void note_batch(const struct asked *a, const struct told *k)
{
	const struct hunt_item *key = &k->is;
	size_t low = 0, high = a->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (by_batch(a->batches[mid], key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < a->n && by_batch(a->batches[low], key) == 0; low++)
		a->batches[low]->known |= knows(k, a->batches[low]) &&
					  k->received >= a->t->of[a->batches[low]->of].since;
}

/* The same group in a window that has a part of this one: what it counted was told. */
static void note_group(const struct asked *a, const struct told *k)
{
	for (size_t i = 0; i < a->n; i++) {
		struct hunt_item *of = a->batches[i];
		bool same = of->first == k->first && of->time == k->last;
		if ((same || (of->first < k->last && k->first < of->time)) &&
		    yg_sv_eq(of->group, k->group) && yg_sv_eq(of->indicator, k->is.indicator))
			of->known |= knows(k, of);
	}
}

static bool read_told(struct yg_rd *rd, struct told *k)
{
	*k = (struct told){.is = {.spool = yg_rd_le32(rd)}};
	k->is.batch = yg_rd_le64(rd);
	k->silent = yg_rd_le8(rd) == YG_OCSF_SUPPRESSED;
	k->received = (int64_t)yg_rd_le64(rd);
	bool ok = yg_event_value_read(rd, &k->is.indicator) && yg_event_value_read(rd, &k->event) &&
		  yg_event_value_read(rd, &k->group);
	k->first = (int64_t)yg_rd_le64(rd);
	k->last = (int64_t)yg_rd_le64(rd);
	return ok && !rd->bad;
}

static yg_status read_known(const struct asked *a, struct yg_sv rows, struct yg_err *err)
{
	struct yg_rd rd = yg_rd_init(rows.p, rows.n);
	while (yg_rd_left(&rd) > 0) {
		struct told k;
		if (!read_told(&rd, &k))
			return YG_FAIL(err, YG_CORRUPT, "event store: the answer is cut short");
		k.own = k.is.spool == spool_of(a->t);
		note_batch(a, &k);
		if (k.event.n > 0)
			note_event(a, &k);
		if (k.group.n > 0)
			note_group(a, &k);
	}
	return YG_OK;
}

static void take_evidence(struct asked *a)
{
	a->event_n = 0;
	for (size_t i = 0; i < a->n; i++) {
		struct hunt_item *of = a->batches[i] = &a->t->items[a->from + i];
		for (size_t k = 0; k < of->event_n; k++)
			a->events[a->event_n++] =
				(struct evidence){of->indicator, of->events[k], of};
	}
	qsort(a->batches, a->n, sizeof(void *), sort_batch);
	if (a->event_n > 1)
		qsort(a->events, a->event_n, sizeof *a->events, by_event);
}

static yg_status ask(struct asked *a, struct yg_ch *ch, struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf sql = {0}, answer = {0};
	take_evidence(a);
	yg_buf_init(&sql, 32u << 20);
	yg_buf_init(&answer, KNOWN_BYTES);
	put_known(a, &sql);
	if (sql.bad)
		return no_memory(err);
	const struct yg_ch_query q = {
		.sql = yg_buf_sv(&sql), .format = "RowBinary", .max_seconds = 60};
	yg_status st = yg_ch_query(ch, &q, &answer, err);
	return st == YG_OK ? read_known(a, yg_buf_sv(&answer), err) : st;
}

/* What is too much for one question is asked for in two. */
static yg_status find_known(struct hunt *t, struct yg_ch *ch, struct yg_err *err)
{
	struct asked a = {.t = t, .n = YG_MIN(t->n, (size_t)TOGETHER)};
	size_t events = 1;
	yg_status st = YG_OK;
	for (size_t i = 0; i < t->n; i++)
		events += t->items[i].event_n;
	a.batches = reallocarray(NULL, a.n + 1, sizeof(void *));
	a.events = reallocarray(NULL, events, sizeof *a.events);
	if (a.batches == NULL || a.events == NULL)
		st = no_memory(err);
	while (st == YG_OK && a.from < t->n) {
		a.n = YG_MIN(a.n, t->n - a.from);
		st = ask(&a, ch, err);
		if (st == YG_OK) {
			a.from += a.n;
		} else if ((st == YG_LIMIT || st == YG_TOOBIG) && a.n > 1) {
			a.n /= 2;
			st = YG_OK;
		}
	}
	free(a.batches);
	free(a.events);
	return st;
}

/* ---- an attempt that was not kept ---- */

static yg_status last_batch(const struct hunt *t, struct yg_ch *ch, uint64_t *out,
			    struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf sql = {0}, answer = {0};
	yg_buf_init(&sql, 4096);
	yg_buf_init(&answer, 4096);
	yg_buf_printf(&sql,
		      "SELECT max(batch) FROM " YG_EVENT_TABLE " WHERE spool = %u AND batch > %lld",
		      spool_of(t), (long long)t->h.batch);
	const struct yg_ch_query q = {
		.sql = yg_buf_sv(&sql), .format = "RowBinary", .max_seconds = 60};
	yg_status st = yg_ch_query(ch, &q, &answer, err);
	struct yg_rd rd = yg_rd_init(answer.p, st == YG_OK ? answer.n : 0);
	uint64_t last = yg_rd_le64(&rd);
	if (st == YG_OK && rd.bad)
		st = YG_FAIL(err, YG_CORRUPT, "event store: the answer is cut short");
	*out = YG_MAX(last, (uint64_t)t->h.batch);
	return st;
}

static void batch_name(const struct hunt *t, uint64_t batch, char out[static 64])
{
	struct yg_sb b = yg_sb_init(out, 64);
	yg_sb_printf(&b, "hunt-%lld-%llu", (long long)t->h.seq, (unsigned long long)batch);
	(void)yg_sb_cstr(&b);
}

/* No insert of ours runs any more, and no batch number is used twice. */
static yg_status catch_up(struct hunt *t, struct yg_ch *ch, struct yg_err *err)
{
	char id[64];
	uint64_t last = 0;
	yg_status st = last_batch(t, ch, &last, err);
	/* one that is being written may show in part, or not yet */
	for (uint64_t i = last; st == YG_OK && i <= last + 1; i++) {
		batch_name(t, i, id);
		st = yg_ch_settle(ch, id, err);
	}
	if (st == YG_OK)
		st = last_batch(t, ch, &last, err);
	if (st == YG_OK)
		t->h.batch = (int64_t)last;
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
	struct yg_buf rows;
	uint32_t number = 0;
	yg_status st = YG_OK;
	batch_name(t, (uint64_t)t->h.batch, id);
	yg_buf_init(&rows, 128u << 20);
	for (size_t i = 0; st == YG_OK && i < t->n; i++) {
		struct hunt_item *it = &t->items[i];
		if (it->known || it->stored)
			continue;
		st = own_row(t, t->found.p + it->row, it->row_n, number++);
		yg_buf_put(&rows, (struct yg_sv){t->found.p + it->row, it->row_n});
	}
	if (st == YG_OK)
		st = rows.bad ? no_memory(err)
			      : yg_event_table_insert(ch, id, yg_buf_sv(&rows), err);
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

/* What is told of each rule of several, beside the whole; then `now` counts that alone. */
static yg_status save_items(struct hunt *t, struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; i < t->of_n; i++)
		t->of[i].now = 0;
	for (size_t i = 0; i < t->n; i++)
		t->of[t->items[i].of].now += !t->items[i].known;
	for (size_t i = 0; st == YG_OK && i < t->of_n; i++) {
		const struct hunt_of *o = &t->of[i];
		if (o->item >= 0 && o->now + o->cut_now > 0)
			st = yg_hunt_item_save(t->r->act.db, t->h.seq, o->item, o->told + o->now,
					       o->cut + o->cut_now, err);
	}
	return st;
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
		return no_memory(err);
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
			st = save_items(t, err);
		if (st == YG_OK && t->past != NULL)
			st = hunt_correlate_keep(t, err);
		if (st == YG_OK)
			st = yg_hunt_save(t->r->act.db, &t->h, err);
		st = yg_tx_end(&tx, st, err);
	}
	yg_buf_free(&body);
	if (st == YG_OK && t->past != NULL)
		hunt_correlate_kept(t);
	for (size_t i = 0; st == YG_OK && i < t->of_n; i++) {
		t->of[i].told += t->of[i].now;
		t->of[i].cut += t->of[i].cut_now;
	}
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

static yg_status send_rows(struct hunt *t, struct yg_ch *ch, struct yg_err *err)
{
	uint32_t rows = 0;
	yg_status st = t->resumed ? catch_up(t, ch, err) : YG_OK;
	if (st == YG_OK)
		st = find_known(t, ch, err);
	for (size_t i = 0; i < t->n; i++)
		rows += !t->items[i].known && !t->items[i].stored;
	if (st == YG_OK && rows > 0) {
		t->h.batch++;
		st = insert(t, ch, err);
	}
	return st == YG_LIMIT ? YG_FAIL(err, YG_AGAIN, "the event store is busy") : st;
}

yg_status hunt_tell(struct hunt *t, struct yg_ch *ch, struct yg_sv place, struct yg_err *err)
{
	uint32_t count = 0;
	bool some = t->n > 0;
	yg_status st = some ? send_rows(t, ch, err) : YG_OK;
	for (size_t i = 0; i < t->n; i++) {
		count += !t->items[i].known && t->items[i].json_n > 0;
		t->h.known += t->items[i].known;
	}
	t->h.told += count;
	/* a busy state database: the rows are there, which the next attempt sees */
	if (st == YG_OK)
		st = keep(t, count, place, err);
	t->resumed = st != YG_OK || (t->resumed && !some);
	if (st == YG_OK)
		announce(t);
	return st;
}
