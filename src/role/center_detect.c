/* What the events of an organisation say together: correlations and findings beside rules.
 *
 * Workers send FEED; it is kept at once (center_feed).  One task of the pool takes the rows
 * in order, gives them to the state machine of their organisation and what comes out to the
 * alerts, under the number of the row: after a crash the same rows come again, and what was
 * applied is passed over.  Now and then the states are saved and the rows go.
 */
#include "role/center_detect.h"

#include <stdlib.h>

#include "alert/finding.h"
#include "detect/registry.h"
#include "detect/watch_rows.h"
#include "event/event.h"

#define CLOCK_US     (10 * YG_US_PER_S)
#define SETTLE_US    (60 * YG_US_PER_S) /* after a start what waited elsewhere comes first */
#define SAVE_ROWS    5000               /* or when so many were taken */
#define BUDGET_US    (YG_US_PER_S / 2)
#define FINDINGS_MAX 10000 /* of one row; more are counted and left out, as beyond the bytes */
#define OUT_BYTES    (16u << 20)
#define ROWS_BYTES   (48u << 20) /* one block of the event store takes them */
#define ONE_BYTES    (2u << 20)  /* no finding has more */

/* ---- what comes out ---- */

static void out_begin(struct detecting *d, int64_t seq)
{
	d->out.n = 0;
	d->out.bad = d->out.nomem = false;
	d->rows.n = 0;
	d->rows.bad = d->rows.nomem = false;
	d->count = 0;
	d->note_n = 0;
	d->found_n = 0;
	yg_arena_reset(&d->found_texts);
	d->told = (struct yg_watch_at){.seq = seq, .received = d->wall};
	yg_wr_le32(&d->out, YG_WATCH_SPOOL); /* in finding_mark */
	yg_wr_le32(&d->out, 0);
	yg_wr_le64(&d->out, (uint64_t)seq);
}

static bool out_room(struct detecting *d)
{
	if (d->note_n + d->found_n < FINDINGS_MAX && d->out.n < OUT_BYTES - ONE_BYTES &&
	    d->rows.n < ROWS_BYTES - ONE_BYTES)
		return true;
	d->c.cut++;
	return false;
}

/* The row at hand is not in the saved state of the organisation at hand. */
static void touch(struct detecting *d)
{
	if (d->now->dirty == 0)
		d->now->dirty = d->told.seq;
}

/* Where a finding of that stage goes. */
static struct yg_watch_to out_to(struct detecting *d, enum yg_detect_stage stage)
{
	d->told.org = yg_sv_of(d->now->org);
	return (struct yg_watch_to){.json = stage == YG_STAGE_LIVE ? &d->out : NULL,
				    .rows = stage >= YG_STAGE_AUDIT ? &d->rows : NULL};
}

static void out_added(struct detecting *d, const struct yg_watch_to *to)
{
	d->count += to->json != NULL;
	d->told.nth++;
	d->now->told = d->now->told || to->json != NULL;
}

static void event_text(const uint64_t *id, struct yg_sb *out)
{
	uint32_t spool, row;
	uint64_t batch;
	yg_feed_id_parts(id, &spool, &batch, &row);
	yg_event_id_format(out, spool, batch, row);
}

/* To be kept with the row's findings: people look it up, also when it is no alert. */
static void found(struct detecting *d, const struct yg_notice *n, enum yg_detect_stage stage,
		  const uint64_t *event)
{
	YG_AUTO(yg_buf_free) struct yg_buf fields = {0};
	char text[YG_EVENT_ID_MAX];
	struct yg_sb e = yg_sb_init(text, sizeof text);
	struct yg_arena *a = &d->found_texts;
	if (d->found_n == d->found_cap) {
		size_t cap = d->found_cap == 0 ? 64 : d->found_cap * 2;
		struct yg_notice_found *more = reallocarray(d->found, cap, sizeof *more);
		if (more == NULL) {
			d->c.nomem++;
			return;
		}
		d->found = more;
		d->found_cap = cap;
	}
	if (event != NULL)
		event_text(event, &e);
	yg_buf_init(&fields, 1u << 20);
	yg_watch_put_fields(&fields, n);
	const struct yg_notice_found f = {
		.org = yg_arena_dup(a, yg_sv_of(d->now->org)),
		.who = yg_arena_dup(a, n->who),
		.asset = yg_arena_dup(a, yg_watch_asset(n)),
		.event = yg_arena_dup(a, yg_sb_sv(&e)),
		.fields = yg_arena_dup(a, yg_buf_sv(&fields)),
		.kind = n->kind,
		.stage = stage,
		.score = n->score,
		.severity_id = yg_watch_severity(n),
		.last = n->time,
	};
	if (fields.bad || f.org.p == NULL || f.who.p == NULL || f.asset.p == NULL ||
	    f.event.p == NULL || f.fields.p == NULL)
		d->c.nomem++;
	else
		d->found[d->found_n++] = f;
}

static void on_notice(void *ctx, const struct yg_notice *n, const uint64_t *event)
{
	struct detecting *d = ctx;
	enum yg_detect_stage stage = yg_watch_notice_stage(&d->set, n, &d->now->place);
	touch(d);
	if (stage == YG_STAGE_OFF)
		return;
	d->c.notices++;
	if (!out_room(d))
		return;
	found(d, n, stage, event);
	if (stage < YG_STAGE_AUDIT)
		return;
	const struct yg_watch_to to = out_to(d, stage);
	yg_watch_put_notice(&to, &d->told, n, event);
	out_added(d, &to);
}

/* To be counted with the row's findings. */
static void note(struct detecting *d, uint32_t rule, bool excepted,
		 const struct yg_correlate_hit *hit)
{
	if (d->note_n == d->note_cap) {
		size_t cap = d->note_cap == 0 ? 64 : d->note_cap * 2;
		struct hit_note *more = reallocarray(d->notes, cap, sizeof *more);
		if (more == NULL) {
			d->c.nomem++;
			return;
		}
		d->notes = more;
		d->note_cap = cap;
	}
	struct hit_note *h = &d->notes[d->note_n++];
	struct yg_sb e = yg_sb_init(h->event, sizeof h->event);
	h->rule = rule;
	h->excepted = excepted;
	memcpy(h->org, d->now->org, sizeof h->org);
	if (hit->id_count > 0)
		event_text(hit->ids[hit->id_count - 1], &e);
	(void)yg_sb_cstr(&e);
}

static bool on_hit(void *ctx, const struct yg_watch_doc *doc, const struct yg_correlate_hit *hit)
{
	struct detecting *d = ctx;
	touch(d);
	enum yg_detect_stage stage = yg_watch_stage(&d->set, doc->tag, &d->now->place, d->wall);
	bool excepted = yg_watch_set_excepted(&d->set, doc->tag, hit, &d->now->place, d->wall);
	if (stage == YG_STAGE_OFF || (hit->silent && !excepted))
		return !excepted;
	d->c.hits += !excepted;
	d->c.excepted += excepted;
	if (!out_room(d))
		return !excepted;
	note(d, doc->tag, excepted, hit);
	if (excepted || stage < YG_STAGE_AUDIT)
		return !excepted;
	const struct yg_watch_to to = out_to(d, stage);
	yg_watch_put_hit(&to, &d->told, doc, d->set.rules[doc->tag].collection, hit);
	out_added(d, &to);
	return true;
}

/* Notes of one organisation follow each other. */
static yg_status count_hits(struct detecting *d, struct yg_state *db, yg_wall now,
			    struct yg_err *err)
{
	yg_status st = YG_OK;
	struct yg_detect_stat sum = {.rule = YG_SV_INIT("")};
	for (size_t i = 0; st == YG_OK && i < d->note_n; i++) {
		struct yg_sv event = yg_sv_of(d->notes[i].event);
		const struct yg_detect_stat s = {.rule = d->set.rules[d->notes[i].rule].doc.uid,
						 .org = yg_sv_of(d->notes[i].org),
						 .at = now,
						 .hits = !d->notes[i].excepted,
						 .excepted = d->notes[i].excepted,
						 .samples = &event,
						 .sample_count =
							 event.n > 0 && !d->notes[i].excepted};
		st = yg_detect_stat_add(db, &s, err);
		yg_detect_stat_sum(&sum, &s);
		if (st == YG_OK &&
		    (i + 1 == d->note_n || strcmp(d->notes[i].org, d->notes[i + 1].org) != 0)) {
			st = yg_detect_stat_add(db, &sum, err);
			sum = (struct yg_detect_stat){.rule = YG_SV_INIT("")};
		}
	}
	return st;
}

static yg_status keep_rows(struct detecting *d, struct yg_state *db, struct yg_err *err)
{
	uint64_t dropped = 0;
	if (d->rows.n == 0)
		return YG_OK;
	yg_status st = yg_watch_rows_keep(db, d->told.seq, yg_buf_sv(&d->rows), &dropped, err);
	d->c.findings_dropped += st == YG_OK ? dropped : 0;
	return st;
}

/* The row's findings into alerts and among the events, its hits into the numbers of rules, once. */
static yg_status out_apply(struct center *c, struct detecting *d, struct yg_state *db,
			   struct yg_err *err)
{
	struct yg_finding_result result = {0};
	struct yg_act act = center_act(c, db);
	struct yg_tx tx;
	if (d->out.bad || d->rows.bad) { /* what the row gave is gone: it must come again */
		detect_forget(d);
		return YG_FAIL(err, YG_NOMEM, "findings of correlations");
	}
	memcpy(d->out.p + 4, &d->count, sizeof d->count);
	yg_status st = yg_tx_begin(&tx, db, err);
	if (st != YG_OK)
		return st;
	st = yg_findings_apply(&act, yg_buf_sv(&d->out), &result, err);
	for (size_t i = 0; st == YG_OK && !result.duplicate && i < d->found_n; i++)
		st = yg_notice_found_add(db, &d->found[i], err);
	if (st == YG_OK && !result.duplicate)
		st = count_hits(d, db, yg_env_wall(&c->ctx->env), err);
	if (st == YG_OK && !result.duplicate)
		st = keep_rows(d, db, err);
	st = yg_tx_end(&tx, st, err);
	if (st == YG_OK && d->rows.n > 0)
		__atomic_store_n(&c->detect_rows_wait, true, __ATOMIC_RELEASE);
	for (size_t i = 0; st == YG_OK && i < d->n; i++) { /* of the clock: of several */
		if (d->list[i].told && !result.duplicate)
			yg_announce(&c->api, YG_TOPIC_ALERTS, yg_sv_of(d->list[i].org), YG_SV(""),
				    YG_SV(""), "findings");
		d->list[i].told = false;
	}
	return st;
}

/* ---- rows ---- */

static void count_entry(struct detecting *d, yg_status st)
{
	d->c.entries++;
	d->c.nomem += st != YG_OK;
}

static yg_status row_message(struct center *c, struct detecting *d, struct yg_state *db,
			     struct yg_sv body, struct yg_err *err)
{
	const struct yg_watch_out out = {d, on_hit, on_notice};
	struct yg_feed_reader r;
	struct yg_feed_entry e;
	yg_status st = yg_feed_open(&r, body, err);
	if (st == YG_OK)
		st = detect_org_get(c, d, db, r.head.org, &d->now, err);
	if (st != YG_OK || d->told.seq <= d->now->saved)
		return st;
	touch(d);
	yg_watch_comes(d->now->w, &r.head);
	while (yg_feed_next(&r, &e))
		count_entry(d, yg_watch_entry(d->now->w, &r.head, &e, &out));
	yg_watch_came(d->now->w, &r.head);
	return YG_OK;
}

static void row_clock(struct detecting *d, yg_wall now)
{
	const struct yg_watch_out out = {d, on_hit, on_notice};
	for (size_t i = 0; i < d->n; i++) {
		d->now = &d->list[i];
		if (d->told.seq > d->now->saved)
			d->c.nomem += yg_watch_clock(d->now->w, now, &out) != YG_OK;
	}
}

/* It will be the same however often it is read; all else passes. */
static bool is_refused(yg_status st)
{
	return st == YG_PARSE || st == YG_CORRUPT || st == YG_LIMIT;
}

/* The next row to what is watched.  *out_any false: there is none. */
static yg_status row_read(struct center *c, struct detecting *d, struct yg_state *db,
			  struct yg_buf *buf, bool *out_any, struct yg_err *err)
{
	struct yg_feed_row row;
	yg_status st = yg_feed_row(db, d->at, buf, &row, err);
	*out_any = st == YG_OK;
	if (st != YG_OK)
		return st == YG_NOTFOUND ? YG_OK : st;
	d->wall = row.taken;
	out_begin(d, row.seq);
	if (row.body.n == 0)
		row_clock(d, row.taken);
	else
		st = row_message(c, d, db, row.body, err);
	if (st != YG_OK && !is_refused(st))
		return st; /* nothing of it was taken */
	d->c.refused += st != YG_OK;
	d->at = row.seq;
	d->c.rows++;
	d->waits = d->note_n > 0 || d->found_n > 0 || d->rows.n > 0 || d->out.bad || d->rows.bad;
	return YG_OK;
}

static yg_status row_take(struct center *c, struct detecting *d, struct yg_state *db,
			  struct yg_buf *buf, bool *out_any, struct yg_err *err)
{
	yg_status st = d->waits ? YG_OK : row_read(c, d, db, buf, out_any, err);
	if (st == YG_OK && d->waits)
		st = out_apply(c, d, db, err);
	if (st == YG_OK)
		d->waits = false;
	return st;
}

static yg_status clock_row(struct center *c, struct detecting *d, struct yg_state *db,
			   struct yg_err *err)
{
	yg_wall now = yg_env_wall(&c->ctx->env);
	if (d->n == 0 || (now.us - d->clock.us < CLOCK_US && now.us >= d->clock.us) ||
	    !yg_mono_due(yg_mono_add(d->opened, (yg_span){SETTLE_US}), yg_env_mono(&c->ctx->env)))
		return YG_OK;
	d->clock = now;
	return yg_feed_tick(db, now, err);
}

/* ---- the task ---- */

static bool save_due(struct center *c, const struct detecting *d)
{
	yg_mono now = yg_env_mono(&c->ctx->env);
	return !d->waits && d->at > d->saved && yg_mono_due(d->save_rest, now) &&
	       (d->saving || d->at - d->saved >= SAVE_ROWS || yg_mono_due(d->save_next, now));
}

/* Of each correlation what all organisations counted together. */
static void sum_correlations(struct detecting *d, struct center_correlation *of, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct yg_sb b = yg_sb_init(of[i].uid, sizeof of[i].uid);
		yg_sb_put(&b, d->set.rules[i].doc.uid);
		(void)yg_sb_cstr(&b);
	}
	for (size_t o = 0; o < d->n; o++) {
		struct yg_watch_state k;
		size_t docs = yg_watch_doc_count(d->list[o].w);
		for (size_t i = 0; i < docs; i++) {
			uint32_t rule = yg_watch_doc_tag(d->list[o].w, i);
			if (rule >= n || !yg_watch_state(d->list[o].w, i, &k))
				continue;
			of[rule].state.groups += k.groups;
#define X(name, meaning) of[rule].state.counts.name += k.counts.name;
			YG_CORRELATE_COUNTERS(X)
#undef X
		}
	}
}

/* For those who ask: once a second at most, for it looks at everything that is watched. */
static void publish(struct center *c, struct detecting *d, struct yg_state *db)
{
	struct yg_feed_queue q = {0};
	yg_mono now = yg_env_mono(&c->ctx->env);
	if (!yg_mono_due(d->publish_next, now))
		return;
	d->publish_next = yg_mono_add(now, (yg_span){YG_US_PER_S});
	d->c.waiting_rows = d->c.waiting_bytes = 0;
	if (yg_feed_queue(db, &q, NULL) == YG_OK) {
		d->c.waiting_rows = (uint64_t)YG_MAX(q.last - d->at, 0);
		d->c.waiting_bytes = q.bytes;
		d->c.dropped = q.dropped;
	}
	d->c.organisations = d->n;
	d->c.correlations = d->set.correlations;
	d->c.places = c->places != NULL ? yg_places_count(c->places) : 0;
	d->c.unknown = d->c.late = d->c.evicted = d->c.pending = d->c.state_bytes = 0;
	for (size_t i = 0; i < d->n; i++) {
		struct yg_correlate_usage u = yg_watch_usage(d->list[i].w);
		const struct yg_notices *n = yg_watch_notices(d->list[i].w);
		d->c.unknown += yg_watch_unknown(d->list[i].w);
		d->c.pending += u.pending;
		d->c.state_bytes += u.bytes;
		for (int k = 0; k < YG_NOTICE_KIND_COUNT; k++) {
			struct yg_notice_counts seen = yg_notices_counts(n, (enum yg_notice_kind)k);
			d->c.late += seen.late;
			d->c.evicted += seen.evicted;
		}
	}
	struct center_correlation *of = NULL, *was;
	size_t of_n = d->set.correlations;
	if (of_n > 0 && (of = calloc(of_n, sizeof *of)) == NULL)
		of_n = 0;
	sum_correlations(d, of, of_n);
	uv_mutex_lock(&d->lock);
	d->seen = d->c;
	was = d->correlations;
	d->correlations = of;
	d->correlation_n = of_n;
	uv_mutex_unlock(&d->lock);
	free(was);
}

static yg_status work(struct center *c, struct detecting *d, struct yg_state *db, bool *out_more,
		      struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf buf = {0};
	yg_mono until = yg_mono_add(yg_env_mono(&c->ctx->env), (yg_span){BUDGET_US});
	bool any = true;
	yg_status st = d->loaded ? detect_rules(c, d, db, err) : detect_load(c, d, db, err);
	yg_buf_init(&buf, YG_FEED_BYTES_MAX);
	if (st == YG_OK)
		st = detect_networks(c, d, db, err);
	if (st == YG_OK)
		st = clock_row(c, d, db, err);
	while (st == YG_OK && any && !__atomic_load_n(&c->draining, __ATOMIC_ACQUIRE)) {
		st = row_take(c, d, db, &buf, &any, err);
		if (st == YG_OK && save_due(c, d))
			st = detect_save(c, d, db, false, err);
		if (st == YG_OK && any && yg_mono_due(until, yg_env_mono(&c->ctx->env))) {
			*out_more = true;
			return YG_OK;
		}
	}
	return st;
}

void center_detect_run(struct center *c)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_err err = {0};
	struct detecting *d = c->detecting;
	bool more = false;
	yg_status st = yg_lease_state(&c->api, &l, &err);
	if (st == YG_OK)
		st = work(c, d, l.db, &more, &err);
	if (st == YG_OK)
		publish(c, d, l.db);
	else if (st != YG_AGAIN)
		yg_role_log(c->ctx, YG_EV_CENTER_DETECT_FAILED, YG_KERR(&err));
	if (more) { /* others want the thread too */
		__atomic_store_n(&c->detect_asked, true, __ATOMIC_RELEASE);
		(void)uv_async_send(&c->wake);
	}
}

yg_status center_detect_open(struct center *c, struct yg_err *err)
{
	struct detecting *d = calloc(1, sizeof *d);
	if (d == NULL || uv_mutex_init(&d->lock) != 0) {
		free(d);
		return YG_FAIL(err, YG_NOMEM, "role center's correlations");
	}
	yg_buf_init(&d->out, OUT_BYTES);
	yg_buf_init(&d->rows, ROWS_BYTES);
	yg_arena_init(&d->found_texts, 64u << 20);
	d->opened = yg_env_mono(&c->ctx->env);
	d->save_next = yg_mono_add(d->opened, (yg_span){DETECT_SAVE_US});
	c->detecting = d;
	if (c->places_err.code != YG_OK)
		yg_role_log(c->ctx, YG_EV_CENTER_PLACES, YG_KV("file", c->ctx->conf->detect_places),
			    YG_KERR(&c->places_err));
	return YG_OK;
}

struct counting { /* of one message */
	struct center *c;
	struct yg_detect_stat sum;
};

/* What ingest counted of a rule, or that a log source has events. */
static yg_status on_count(void *ctx, struct yg_state *db, const struct yg_feed_head *h,
			  const struct yg_feed_entry *e, struct yg_err *err)
{
	struct counting *k = ctx;
	struct yg_sv samples[YG_FEED_SAMPLES_MAX];
	char text[YG_FEED_SAMPLES_MAX][YG_EVENT_ID_MAX];
	yg_wall now = yg_env_wall(&k->c->ctx->env);
	if (e == NULL)
		return k->sum.org.n > 0 ? yg_detect_stat_add(db, &k->sum, err) : YG_OK;
	if (e->kind == YG_FEED_SOURCE) {
		const struct yg_detect_logsource is = {e->source.category, e->source.product,
						       e->source.service};
		return yg_detect_source_add(db, h->org, &is, now, err);
	}
	for (uint32_t i = 0; i < e->stat.sample_count; i++) {
		struct yg_sb b = yg_sb_init(text[i], sizeof text[i]);
		event_text(e->stat.samples[i], &b);
		samples[i] = yg_sb_sv(&b);
	}
	const struct yg_detect_stat s = {.rule = e->stat.rule,
					 .org = h->org,
					 .at = now,
					 .looked_at = e->stat.looked_at,
					 .hits = e->stat.hits,
					 .excepted = e->stat.excepted,
					 .cost_ns = e->stat.cost_ns,
					 .samples = samples,
					 .sample_count = e->stat.sample_count};
	yg_detect_stat_sum(&k->sum, &s);
	return yg_detect_stat_add(db, &s, err);
}

yg_status center_feed(struct center *c, struct yg_state *db, struct yg_sv body, struct yg_err *err)
{
	struct yg_feed_taken taken = {0};
	struct counting k = {.c = c, .sum = {.rule = YG_SV_INIT("")}};
	yg_status st = yg_feed_take(db, body, yg_env_wall(&c->ctx->env), on_count, &k, &taken, err);
	if (st != YG_OK)
		return st;
	if (taken.dropped > 0)
		yg_role_log(c->ctx, YG_EV_CENTER_DETECT_DROPPED, YG_KN("messages", taken.dropped));
	__atomic_store_n(&c->detect_asked, true, __ATOMIC_RELEASE);
	(void)uv_async_send(&c->wake);
	return YG_OK;
}

void center_detect_counts(struct center *c, struct center_detect_counts *out)
{
	uv_mutex_lock(&c->detecting->lock);
	*out = c->detecting->seen;
	uv_mutex_unlock(&c->detecting->lock);
}

bool center_detect_correlation(void *ctx, struct yg_sv uid, struct yg_watch_state *out)
{
	struct center *c = ctx;
	struct detecting *d = c->detecting;
	bool found = false;
	uv_mutex_lock(&d->lock);
	for (size_t i = 0; !found && i < d->correlation_n; i++) {
		found = yg_sv_eq(yg_sv_of(d->correlations[i].uid), uid);
		if (found)
			*out = d->correlations[i].state;
	}
	uv_mutex_unlock(&d->lock);
	return found;
}
