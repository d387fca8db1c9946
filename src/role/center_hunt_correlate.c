/* Correlations over the past: events in the order of their time, given to state machines of the
 * hunt's own.
 *
 * The states are saved now and then, with the place where they were (kept_place), while the place
 * up to which all is told is kept with every slice.  When the program ends between the two, what
 * lies between is looked at again from the saved states, which then are what they were, and
 * nothing of it is told a second time. */
#include <stdio.h>

#include "detect/watch_finding.h"
#include "role/center_hunt.h"

#define SAVE_US    (30 * YG_US_PER_S)
#define SAVE_SHARE 20          /* of the time at most one in so many goes into saving */
#define FULL_BYTES (32u << 20) /* of findings: the slice ends before the next event */

/* ---- where it goes on ---- */

static yg_status on_state(void *ctx, struct yg_sv org, struct yg_sv bytes, struct yg_err *err)
{
	struct hunt *t = ctx;
	return yg_hunt_correlate_restore(t->past, org, bytes, err);
}

/* t->scan is where all was told; the states are of before. */
static yg_status go_back(struct hunt *t, struct yg_err *err)
{
	if (!t->scan.begun || t->scan.done)
		return YG_OK;
	t->told = t->scan;
	t->again = true;
	t->scan.begun = t->scan.within = false;
	yg_status st = yg_hunt_place_get(t->h.kept_place, &t->scan, err);
	return st == YG_OK ? yg_hunt_states(t->r->act.db, t->h.seq, on_state, t, err) : st;
}

/* States that cannot be read are nothing to go on from: all is looked at again. */
static yg_status begin_anew(struct hunt *t, const struct yg_watch_asked *asked, struct yg_err *err)
{
	const struct yg_env *env = &t->r->c->ctx->env;
	struct yg_state *db = t->r->act.db;
	struct yg_tx tx;
	yg_hunt_correlate_free(t->past);
	t->past = NULL;
	t->scan = t->told;
	t->h.kept_place = YG_SV("");
	yg_status st = yg_tx_begin(&tx, db, err);
	if (st == YG_OK) {
		st = yg_hunt_state_drop(db, t->h.seq, err);
		if (st == YG_OK)
			st = yg_hunt_save(db, &t->h, err);
		st = yg_tx_end(&tx, st, err);
	}
	if (st == YG_OK)
		st = yg_hunt_correlate_new(db, asked, t->h.received, env, &t->past, err);
	if (st == YG_OK)
		st = yg_hunt_correlate_set(t->past, t->set, err);
	return st == YG_OK ? go_back(t, err) : st;
}

yg_status hunt_correlate_ready(struct hunt *t, struct yg_err *err)
{
	const struct yg_env *env = &t->r->c->ctx->env;
	struct hunt_uids uids = {.n = 0};
	struct yg_detect_feed feed = {.own_stage = true};
	yg_status st = hunt_rules_items(t, &uids, err);
	/* what holds for nothing that is looked at is not asked, and its events not counted */
	const struct yg_reach reach = {
		.all = t->h.org.n == 0, .orgs = t->scan.orgs, .org_count = t->scan.org_count};
	const struct yg_watch_asked asked = {.uids = uids.v, .n = uids.n, .reach = &reach};
	/* not now: looked at again, it must be the same */
	if (st == YG_OK)
		st = yg_hunt_correlate_new(t->r->act.db, &asked, t->h.received, env, &t->past, err);
	if (st != YG_OK)
		return st;
	feed.only = yg_hunt_correlate_only(t->past, &feed.only_count);
	st = hunt_rules_set(t, &feed, &uids, err);
	if (st == YG_OK)
		st = yg_hunt_correlate_set(t->past, t->set, err);
	if (st == YG_OK)
		st = go_back(t, err);
	if (st == YG_CORRUPT)
		st = begin_anew(t, &asked, err);
	t->save_next = yg_mono_add(yg_env_mono(env), (yg_span){SAVE_US});
	return st;
}

/* Was all told that this event and those before it gave? */
static bool was_told(const struct yg_hunt_scan *told, const struct yg_event *ev)
{
	const struct yg_search_key *last = &told->last;
	if (!told->within)
		return ev->time < told->edge;
	if (ev->time != last->time)
		return ev->time < last->time;
	if (ev->spool != last->spool)
		return ev->spool < last->spool;
	return ev->batch != last->batch ? ev->batch < last->batch : ev->row <= last->row;
}

/* ---- what holds ---- */

static void on_told(void *ctx, const struct yg_hunt_correlated *c)
{
	struct hunt *t = ctx;
	char uid[200], event[YG_EVENT_ID_MAX], group[YG_WATCH_GROUP_MAX];
	struct yg_sb u = yg_sb_init(uid, sizeof uid), e = yg_sb_init(event, sizeof event);
	const struct yg_correlate_hit *hit = c->hit;
	if (t->again || c->stage < YG_STAGE_AUDIT || !hunt_room(t, c->doc->uid))
		return;
	if (hit->id_count > 0) {
		uint32_t spool, row;
		uint64_t batch;
		yg_feed_id_parts(hit->ids[hit->id_count - 1], &spool, &batch, &row);
		yg_event_id_format(&e, spool, batch, row);
	}
	yg_sb_printf(&u, "f-h-%lld-" YG_SV_FMT "-" YG_SV_FMT, (long long)t->h.seq,
		     YG_SV_ARG(yg_sb_sv(&e)), YG_SV_ARG(c->doc->uid));
	const struct yg_watch_at at = {.org = c->org, .received = t->now, .uid = yg_sb_sv(&u)};
	const struct yg_watch_to to = {.json = c->stage == YG_STAGE_LIVE ? &t->found : NULL,
				       .rows = &t->scratch};
	size_t from = t->found.n;
	t->scratch.n = 0;
	yg_watch_put_hit(&to, &at, c->doc, c->collection, hit);
	if (to.json == NULL)
		yg_wr_sv32(&t->found, YG_SV(""));
	yg_wr_sv32(&t->found, yg_buf_sv(&t->scratch));
	t->found.bad |= t->scratch.bad;
	yg_watch_group(c->org, hit, group);
	const struct hunt_about about = {.org = c->org,
					 .group = yg_sv_of(group),
					 .first = yg_watch_first(hit),
					 .near = c->doc->rule->correlation.span_us,
					 .name = c->doc->uid,
					 .time = hit->time.us,
					 .ids = (const uint64_t(*)[2])hit->ids,
					 .id_n = hit->id_count};
	hunt_found(t, &about, from);
}

static void on_match(void *ctx, const struct yg_ruleset_hit *hit)
{
	struct hunt *t = ctx;
	const struct yg_hunt_correlate_match m = {hit->rule, t->event, t->record};
	if (!hit->excepted && t->match_st == YG_OK)
		t->match_st = yg_hunt_correlate_match(t->past, &m, on_told, t, t->match_err);
}

/* An event that was taken cannot be taken back: what fails behind it ends the hunt. */
static yg_status ended(yg_status st, struct yg_err *err)
{
	if (st == YG_NOMEM)
		return YG_FAIL(err, YG_NOMEM, "no memory for correlations");
	if (st == YG_AGAIN || st == YG_LIMIT)
		return YG_FAIL(err, YG_INTERNAL, "correlations over the past: %s", err->msg);
	return st;
}

yg_status hunt_correlate_row(void *ctx, const struct yg_event *ev, struct yg_err *err)
{
	struct hunt *t = ctx;
	struct yg_detect_record record;
	bool told = t->again && was_told(&t->told, ev);
	if (t->slice_n > 0 && (t->again != told || t->found.n > FULL_BYTES))
		return YG_FAIL(err, YG_LIMIT, "what a hunt found");
	t->again = told;
	t->again_n += told;
	t->slice_n++;
	yg_status st = yg_hunt_record(&t->views, ev, &record, err);
	if (st != YG_OK)
		return ended(st, err);
	t->event = ev;
	t->record = &record;
	t->match_st = YG_OK;
	t->match_err = err;
	yg_ruleset_run(t->eval, &record, yg_ruleset_org(t->set, ev->org), t->h.received, on_match,
		       t);
	t->event = NULL;
	t->record = NULL;
	return t->nomem ? ended(YG_NOMEM, err) : ended(t->match_st, err);
}

yg_status hunt_correlate_last(struct hunt *t, struct yg_err *err)
{
	t->again = false;
	return ended(yg_hunt_correlate_end(t->past, (yg_wall){t->scan.to}, on_told, t), err);
}

/* ---- states ---- */

static yg_status keep_state(void *ctx, struct yg_sv org, struct yg_sv bytes, struct yg_err *err)
{
	const struct hunt *t = ctx;
	return yg_hunt_state_save(t->r->act.db, t->h.seq, org, bytes, err);
}

yg_status hunt_correlate_keep(struct hunt *t, struct yg_err *err)
{
	const struct yg_env *env = &t->r->c->ctx->env;
	yg_mono begun = yg_env_mono(env);
	t->saving = false;
	if (t->next.done) {
		t->h.kept_place = YG_SV("");
		return yg_hunt_state_drop(t->r->act.db, t->h.seq, err);
	}
	if (!yg_mono_due(t->save_next, begun))
		return YG_OK;
	yg_status st = yg_hunt_correlate_save(t->past, keep_state, t, err);
	int64_t took = yg_env_mono(env).us - begun.us;
	t->h.kept_place = t->h.place;
	t->saving = st == YG_OK;
	t->save_next = yg_mono_add(yg_env_mono(env),
				   (yg_span){YG_MAX(took * SAVE_SHARE, (int64_t)SAVE_US)});
	return st;
}

void hunt_correlate_kept(struct hunt *t)
{
	if (!t->saving)
		return;
	(void)snprintf(t->kept_place, sizeof t->kept_place, YG_SV_FMT, YG_SV_ARG(t->h.kept_place));
	t->h.kept_place = yg_sv_of(t->kept_place);
	t->saving = false;
	yg_hunt_correlate_saved(t->past);
}
