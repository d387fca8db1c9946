#include "role/ingest_block.h"

#define KEEP_BYTES                                                                                 \
	(96u << 20) /* a full block; kept, for fresh pages cost more than the rows in them */

void yg_block_init(struct yg_block *b)
{
	*b = (struct yg_block){0};
	yg_buf_init(&b->rows, UINT32_MAX);
	yg_buf_init(&b->plans, SIZE_MAX / 2);
	yg_buf_init(&b->messages, SIZE_MAX / 2);
	yg_buf_init(&b->keys, 8u << 20);
}

void yg_block_free(struct yg_block *b)
{
	yg_buf_free(&b->rows);
	yg_buf_free(&b->plans);
	yg_buf_free(&b->messages);
	yg_buf_free(&b->keys);
	free(b->count);
	free(b->row_len);
	free(b->parts);
	free(b->plan);
	free(b->message);
	yg_block_init(b);
}

static void buf_reset(struct yg_buf *b)
{
	b->n = 0;
	b->bad = false;
	if (b->cap > KEEP_BYTES)
		yg_buf_free(b);
}

void yg_block_reset(struct yg_block *b)
{
	buf_reset(&b->rows);
	buf_reset(&b->plans);
	buf_reset(&b->messages);
	buf_reset(&b->keys);
	b->key_n = 0;
	b->count_n = 0;
	b->row_n = 0;
	b->part_n = 0;
	b->plan_n = 0;
	b->message_n = 0;
	b->complete = 0;
	b->bad = false;
	b->queued = false;
	b->planned = false;
	b->query_id[0] = '\0';
	b->uncertain = false;
	b->tries = 0;
	b->refusals = 0;
	b->begun = (yg_mono){0};
}

/* Room for one more element of `size` bytes; false sets bad. */
static bool room(struct yg_block *b, void **p, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return true;
	size_t more = *cap == 0 ? 64 : *cap * 2;
	void *q = realloc(*p, more * size);
	if (q == NULL) {
		b->bad = true;
		return false;
	}
	*p = q;
	*cap = more;
	return true;
}

static struct yg_block_part *part_of(struct yg_block *b, uint64_t batch, uint32_t row, size_t at)
{
	if (b->part_n > 0 && b->parts[b->part_n - 1].batch == batch)
		return &b->parts[b->part_n - 1];
	void *p = b->parts;
	if (!room(b, &p, b->part_n, &b->part_cap, sizeof *b->parts))
		return NULL;
	b->parts = p;
	b->parts[b->part_n] = (struct yg_block_part){
		.batch = batch, .first_row = row, .len_at = (uint32_t)b->row_n, .at = at};
	return &b->parts[b->part_n++];
}

void yg_block_row(struct yg_block *b, uint64_t batch, uint32_t row, size_t at)
{
	struct yg_block_part *part = part_of(b, batch, row, at);
	void *p = b->row_len;
	if (part == NULL || b->rows.bad ||
	    !room(b, &p, b->row_n, &b->row_cap, sizeof *b->row_len)) {
		b->bad = true;
		return;
	}
	b->row_len = p;
	b->row_len[b->row_n++] = (uint32_t)(b->rows.n - at);
	part->rows++;
}

void yg_block_end(struct yg_block *b, uint64_t batch, uint32_t total)
{
	struct yg_block_part *part = part_of(b, batch, total, b->rows.n);
	if (part != NULL)
		part->total = total;
	b->complete = batch;
}

void yg_block_plan(struct yg_block *b, uint64_t batch, struct yg_sv plan)
{
	void *p = b->plan;
	size_t at = b->plans.n;
	yg_buf_put(&b->plans, plan);
	if (b->plans.bad || !room(b, &p, b->plan_n, &b->plan_cap, sizeof *b->plan)) {
		b->bad = true;
		return;
	}
	b->plan = p;
	b->plan[b->plan_n++] = (struct yg_block_plan){batch, at, plan.n};
}

size_t yg_block_message_begin(struct yg_block *b)
{
	return b->messages.n;
}

void yg_block_message_end(struct yg_block *b, uint64_t batch, uint32_t type, size_t begun_at)
{
	void *p = b->message;
	if (b->messages.bad || !room(b, &p, b->message_n, &b->message_cap, sizeof *b->message)) {
		b->bad = true;
		return;
	}
	b->message = p;
	b->message[b->message_n++] =
		(struct yg_block_message){batch, type, begun_at, b->messages.n - begun_at};
}

/* Senders send one batch after the other: what was counted last is asked first. */
static uint32_t key_of(struct yg_block *b, struct yg_sv org, struct yg_sv source,
		       struct yg_sv sensor)
{
	size_t n = b->keys.n, own = 12 + org.n + source.n + sensor.n;
	yg_wr_sv32(&b->keys, org);
	yg_wr_sv32(&b->keys, source);
	yg_wr_sv32(&b->keys, sensor);
	if (b->keys.bad)
		return 0;
	struct yg_sv mine = {b->keys.p + n, own};
	uint32_t last = b->count_n > 0 ? b->count[b->count_n - 1].key : 0;
	if (b->count_n > 0 && n >= own && last + 1 == b->key_n &&
	    memcmp(b->keys.p + n - own, mine.p, own) == 0) {
		b->keys.n = n;
		return last;
	}
	struct yg_rd r = yg_rd_init(b->keys.p, n);
	for (uint32_t k = 0; k < b->key_n; k++) {
		const uint8_t *at = r.p;
		for (unsigned i = 0; i < 3; i++)
			(void)yg_rd_sv32(&r);
		if ((size_t)(r.p - at) == own && memcmp(at, mine.p, own) == 0) {
			b->keys.n = n;
			return k;
		}
	}
	return b->key_n++;
}

void yg_block_count(struct yg_block *b, const struct yg_block_count *c, struct yg_sv org,
		    struct yg_sv source, struct yg_sv sensor)
{
	void *p = b->count;
	uint32_t key = key_of(b, org, source, sensor);
	if (b->keys.bad || !room(b, &p, b->count_n, &b->count_cap, sizeof *b->count)) {
		b->bad = true;
		return;
	}
	b->count = p;
	b->count[b->count_n] = *c;
	b->count[b->count_n++].key = key;
}

void yg_block_counts(const struct yg_block *b, uint32_t spool, struct yg_buf *out)
{
	yg_wr_le32(out, spool);
	yg_wr_le32(out, b->key_n);
	yg_wr_le32(out, (uint32_t)b->count_n);
	yg_wr_le32(out, 0);
	yg_buf_put(out, yg_buf_sv(&b->keys));
	for (size_t i = 0; i < b->count_n; i++) {
		const struct yg_block_count *c = &b->count[i];
		yg_wr_le64(out, c->batch);
		yg_wr_le32(out, c->key);
		yg_wr_le32(out, 0);
		yg_wr_le64(out, (uint64_t)c->received.us);
		yg_wr_le64(out, c->events);
		yg_wr_le64(out, c->bytes);
		yg_wr_le64(out, c->unparsed);
	}
}

/* ---- delivery ---- */

/* What is decided goes to disk before anything of it can be seen outside, so
 * that another attempt, also by another process, sends the same. */
static yg_status plan_block(struct yg_deliver *d, struct yg_block *b, struct yg_err *err)
{
	if (!b->queued) {
		b->queued = true;
		for (size_t i = 0; i < b->plan_n; i++)
			yg_spool_journal_plan(
				d->journal, b->plan[i].batch,
				(struct yg_sv){b->plans.p + b->plan[i].at, b->plan[i].n});
		if (b->part_n > 0) {
			const struct yg_block_part *last = &b->parts[b->part_n - 1];
			struct yg_sb q = yg_sb_init(b->query_id, sizeof b->query_id);
			yg_sb_printf(&q, "yg-%u-%llu-%llu-%u", d->spool,
				     (unsigned long long)b->parts[0].batch,
				     (unsigned long long)last->batch, b->parts[0].first_row);
			(void)yg_sb_cstr(&q);
			yg_spool_journal_intent(d->journal, b->parts[0].batch, last->batch,
						yg_sb_sv(&q));
			b->uncertain = b->parts[0].batch <= d->uncertain_upto;
		}
		d->noting = d->released;
		if (d->noting > d->noted)
			yg_spool_journal_released(d->journal, d->noting);
	}
	yg_status st = yg_spool_journal_sync(d->journal, err);
	if (st == YG_OK) {
		b->planned = true;
		d->noted = YG_MAX(d->noted, d->noting);
	}
	return st;
}

/* Appends to `out` the rows of one part that are not in `have` (ascending). */
static void part_missing(const struct yg_block *b, const struct yg_block_part *p,
			 const uint32_t *have, size_t have_n, struct yg_buf *out)
{
	size_t at = p->at, h = 0;
	for (uint32_t i = 0; i < p->rows; i++) {
		uint32_t row = p->first_row + i, n = b->row_len[p->len_at + i];
		while (h < have_n && have[h] < row)
			h++;
		if (h == have_n || have[h] != row)
			yg_buf_put(out, (struct yg_sv){b->rows.p + at, n});
		at += n;
	}
}

static yg_status part_ask(struct yg_deliver *d, const struct yg_block *b,
			  const struct yg_block_part *p, uint64_t there, struct yg_buf *out,
			  struct yg_err *err)
{
	if (there == 0 || p->rows == 0) {
		part_missing(b, p, NULL, 0, out);
		return YG_OK;
	}
	if (p->total != 0 && there == p->total)
		return YG_OK;
	struct yg_arena arena;
	uint32_t *have = NULL;
	size_t n = 0;
	yg_arena_init(&arena, 512u << 20);
	yg_status st = d->ops->rows(d->ops->ctx, p->batch, &arena, &have, &n, err);
	if (st == YG_OK)
		part_missing(b, p, have, n, out);
	yg_arena_free(&arena);
	return st;
}

/* Numbers of batches may have gaps; a run without one is asked for at once. */
static size_t run_of(const struct yg_block *b, size_t from)
{
	size_t to = from + 1;
	while (to < b->part_n && to - from < 4096 &&
	       b->parts[to].batch - b->parts[from].batch < 16384)
		to++;
	return to;
}

/* Every doubt about an earlier insert is settled before anything is asked. */
static yg_status settle(struct yg_deliver *d, const struct yg_block *b, struct yg_err *err)
{
	yg_status st = YG_OK;
	if (d->settle_first[0] != '\0') {
		st = d->ops->settle(d->ops->ctx, d->settle_first, err);
		if (st != YG_OK)
			return st;
		d->settle_first[0] = '\0';
	}
	if (b->tries > 0)
		st = d->ops->settle(d->ops->ctx, b->query_id, err);
	return st;
}

/* The rows of parts [from, to) that are not in the store. */
static yg_status ask_missing(struct yg_deliver *d, struct yg_block *b, size_t from, size_t end,
			     struct yg_buf *out, struct yg_err *err)
{
	yg_status st = settle(d, b, err);
	for (size_t i = from; i < end && st == YG_OK;) {
		size_t to = YG_MIN(run_of(b, i), end);
		uint64_t first = b->parts[i].batch, last = b->parts[to - 1].batch;
		uint64_t *counts = calloc((size_t)(last - first + 1), sizeof *counts);
		if (counts == NULL)
			return YG_FAIL(err, YG_NOMEM, "asking for rows");
		st = d->ops->delivered(d->ops->ctx, first, last, counts, err);
		for (; i < to && st == YG_OK; i++)
			st = part_ask(d, b, &b->parts[i], counts[b->parts[i].batch - first], out,
				      err);
		free(counts);
	}
	if (st == YG_OK && out->bad)
		st = YG_FAIL(err, YG_NOMEM, "rows to send again");
	return st;
}

static yg_status insert(struct yg_deliver *d, struct yg_block *b, struct yg_sv rows,
			struct yg_err *err)
{
	bool again = b->tries > 0;
	b->tries++; /* from here on it is open whether rows are in */
	d->retries += again;
	return d->ops->insert(d->ops->ctx, b->query_id, rows, err);
}

static yg_status set_aside(struct yg_deliver *d, struct yg_block_part *p, struct yg_sv rows,
			   const struct yg_err *why, struct yg_err *err)
{
	struct yg_sb reason = yg_sb_init(d->refused_reason, sizeof d->refused_reason);
	yg_sb_put(&reason, yg_sv_of(why->msg));
	const struct yg_refused r = {.batch = p->batch,
				     .first_row = p->first_row,
				     .rows = rows,
				     .reason = yg_sv_of(yg_sb_cstr(&reason))};
	yg_status st = d->ops->aside(d->ops->ctx, &r, err);
	if (st != YG_OK)
		return st;
	p->aside = true;
	d->refused++;
	d->refused_batch = p->batch;
	return YG_OK;
}

/* Parts [from, to): YG_PARSE when there are several and one of them is refused. */
static yg_status send_piece(struct yg_deliver *d, struct yg_block *b, size_t from, size_t to,
			    struct yg_err *err)
{
	struct yg_err why = {0};
	struct yg_buf missing;
	if (to - from == 1 && b->parts[from].aside)
		return YG_OK;
	yg_buf_init(&missing, UINT32_MAX);
	yg_status st = ask_missing(d, b, from, to, &missing, err);
	if (st == YG_OK && missing.n > 0) {
		st = insert(d, b, yg_buf_sv(&missing), &why);
		if (st == YG_PARSE && to - from == 1)
			st = set_aside(d, &b->parts[from], yg_buf_sv(&missing), &why, err);
		else if (st != YG_OK && err != NULL)
			*err = why;
	}
	yg_buf_free(&missing);
	return st;
}

/* Halves what is refused and doubles what is taken, until each part was one or
 * the other.  What is in the store already is not sent again, so an attempt that
 * ends early loses nothing. */
static yg_status send_pieces(struct yg_deliver *d, struct yg_block *b, struct yg_err *err)
{
	size_t size = YG_MAX(b->part_n / 2, (size_t)1);
	for (size_t i = 0; i < b->part_n;) {
		size_t to = b->parts[i].aside ? i + 1 : i + YG_MIN(size, b->part_n - i);
		yg_status st = send_piece(d, b, i, to, err);
		if (st == YG_PARSE && to - i > 1) {
			size = (to - i) / 2;
			continue;
		}
		if (st != YG_OK)
			return st;
		i = to;
		size *= 2;
	}
	return YG_OK;
}

static yg_status send_whole(struct yg_deliver *d, struct yg_block *b, struct yg_err *err)
{
	struct yg_sv rows = yg_buf_sv(&b->rows);
	struct yg_buf missing;
	yg_status st = YG_OK;
	yg_buf_init(&missing, UINT32_MAX);
	if (b->part_n > 0 && (b->uncertain || b->tries > 0)) {
		st = ask_missing(d, b, 0, b->part_n, &missing, err);
		d->found_there += st == YG_OK && missing.n < b->rows.n;
		rows = yg_buf_sv(&missing);
	}
	if (st == YG_OK && rows.n > 0) {
		st = insert(d, b, rows, err);
		b->refusals += st == YG_PARSE;
	}
	yg_buf_free(&missing);
	return st;
}

yg_status yg_deliver_block(struct yg_deliver *d, struct yg_block *b, struct yg_err *err)
{
	yg_status st = b->planned ? YG_OK : plan_block(d, b, err);
	if (st != YG_OK)
		return st;
	bool give_up = d->refusals_most > 0 && b->refusals >= d->refusals_most;
	st = give_up ? send_pieces(d, b, err) : send_whole(d, b, err);
	if (st == YG_OK) {
		d->rows += b->row_n;
		for (size_t i = 0; i < b->part_n; i++)
			d->rows -= b->parts[i].aside ? b->parts[i].rows : 0;
		d->blocks++;
	}
	return st;
}

yg_status yg_deliver_note(struct yg_deliver *d, struct yg_err *err)
{
	uint64_t released = d->released;
	if (released <= d->noted)
		return YG_OK;
	yg_spool_journal_released(d->journal, released);
	yg_status st = yg_spool_journal_sync(d->journal, err);
	if (st == YG_OK)
		d->noted = released;
	return st;
}
