/* Retro-hunts: rules and indicators over the past, as jobs that go on after a crash.  A slice
 * of events is read, what it holds is told, and where the hunt is is kept with it. */
#include "role/center_hunt.h"

#include <poll.h>
#include <stdlib.h>

#include "api/hunt.h"
#include "detect/hunt_indicator.h"

/* A hunt that is over by then never rests: somebody waits for it. */
#define REST_AFTER_US (5 * YG_US_PER_S)

#define REST_MOST_MS 2000 /* after a slice as long a rest as it took, at most so long */
#define AWAY_MS      1000 /* until the store is asked again */
#define AWAY_MOST    3600 /* so many times; then the hunt has failed */
#define SLICE_BYTES  (64u << 20)
#define SLICE_ARENA  (32u << 20)

static bool draining(const struct hunt *t)
{
	return __atomic_load_n(&t->r->c->draining, __ATOMIC_ACQUIRE);
}

static void rest(const struct hunt *t, int64_t ms)
{
	for (; ms > 0 && !draining(t); ms -= 50)
		(void)poll(NULL, 0, (int)YG_MIN(ms, (int64_t)50));
}

static yg_status read_slice(struct hunt *t, struct yg_ch *ch, struct yg_err *err)
{
	static yg_hunt_row_fn *const rows[] = {[YG_HUNT_RULE] = hunt_rules_row,
					       [YG_HUNT_INDICATOR] = hunt_intel_row,
					       [YG_HUNT_CORRELATION] = hunt_correlate_row};
	struct yg_sb place = yg_sb_init(t->place, sizeof t->place);
	hunt_slice_begin(t);
	t->now = yg_env_wall(&t->r->c->ctx->env);
	t->next = t->scan;
	yg_status st =
		yg_hunt_next(ch, t->where, &t->next, &t->r->c->ctx->env, rows[t->h.what], t, err);
	if (st == YG_OK && t->past != NULL && t->next.done)
		st = hunt_correlate_last(t, err);
	yg_hunt_place_put(&t->next, &place);
	(void)yg_sb_cstr(&place);
	t->h.looked_at = (int64_t)(t->next.rows - t->again_n);
	t->h.cut += t->beyond;
	return st;
}

yg_status hunt_slice(struct hunt *t, struct yg_ch *ch, struct yg_err *err)
{
	const struct yg_hunt was = t->h;
	yg_status st = YG_OK;
	if (t->waits)
		t->h = t->read;
	else
		st = read_slice(t, ch, err);
	if (st == YG_OK && t->past != NULL) {
		t->read = t->h;
		t->waits = true;
	}
	if (st == YG_OK && !t->again) /* else it was told before */
		st = hunt_tell(t, ch, yg_sv_of(t->place), err);
	if (st != YG_OK) {
		t->h = was;
		return st;
	}
	t->scan = t->next;
	t->waits = false;
	return YG_OK;
}

static yg_status slice(struct hunt *t, struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = yg_lease_store(&t->r->c->api, &l, err);
	return st == YG_OK ? hunt_slice(t, l.ch, err) : st;
}

/* Until the end, or what stops it. */
static yg_status look(struct hunt *t, struct yg_err *err)
{
	yg_status st = YG_OK;
	const struct yg_env *env = &t->r->c->ctx->env;
	const int64_t rests = yg_env_mono(env).us + REST_AFTER_US;
	for (int away = 0; !t->scan.done && (st == YG_OK || st == YG_AGAIN) && away < AWAY_MOST;) {
		int64_t began = yg_env_mono(env).us;
		st = slice(t, err);
		int64_t ended = yg_env_mono(env).us;
		int64_t took = ended < rests ? 0 : (ended - began) / 1000;
		away = st == YG_AGAIN ? away + 1 : 0;
		t->resumed |= st != YG_OK;
		if (!center_job_progress(t->r, yg_hunt_share(&t->scan), 1000))
			return YG_FAIL(err, YG_AGAIN, "stopped");
		if (!t->scan.done)
			rest(t, st == YG_AGAIN ? AWAY_MS : YG_MIN(took, (int64_t)REST_MOST_MS));
		if (draining(t)) {
			t->r->ended = true; /* it goes on when the program is there again */
			return YG_FAIL(err, YG_AGAIN, "the program ends");
		}
	}
	return st;
}

static void put_result(const struct hunt *t)
{
	struct yg_jo j = yg_jo_init(&t->r->result);
	yg_jo_begin(&j, '{');
	yg_jo_int(&j, "matches", t->h.matches);
	yg_jo_int(&j, "findings", t->h.told);
	yg_jo_int(&j, "alerts", t->h.alerts);
	yg_jo_int(&j, "known", t->h.known);
	yg_jo_int(&j, "cut", t->h.cut);
	yg_jo_int(&j, "events", t->h.looked_at);
	yg_jo_end(&j, '}');
}

/* Whose events: the organisations it is for, which may be others than when it was ordered. */
yg_status hunt_scope(struct hunt *t, struct yg_err *err)
{
	struct yg_reach reach;
	t->scan = (struct yg_hunt_scan){.from = t->h.from.us,
					.to = t->h.to.us,
					.received_before = t->h.received.us,
					.oldest_first = t->h.what == YG_HUNT_CORRELATION,
					.rows = (uint64_t)t->h.looked_at};
	if (t->h.org.n > 0) {
		yg_status st = yg_reach_node(t->r->act.db, t->h.org, t->r->arena, &reach, err);
		if (st != YG_OK)
			return st;
		t->scan.orgs = reach.orgs;
		t->scan.org_count = reach.org_count;
	}
	return yg_hunt_place_get(t->h.place, &t->scan, err);
}

void hunt_free(struct hunt *t)
{
	yg_ruleset_eval_free(t->eval);
	yg_ruleset_free(t->set);
	yg_hunt_views_free(&t->views);
	yg_hunt_correlate_free(t->past);
	yg_hunt_where_free(t->of_rules);
	yg_intel_close(t->intel);
	free(t->matches);
	yg_buf_free(&t->where_text);
	hunt_found_free(t);
}

yg_status center_job_hunt(struct run *r, struct yg_err *err)
{
	static yg_status (*const ready[])(struct hunt *, struct yg_err *) = {
		[YG_HUNT_RULE] = hunt_rules_ready,
		[YG_HUNT_INDICATOR] = hunt_intel_ready,
		[YG_HUNT_CORRELATION] = hunt_correlate_ready};
	struct hunt *t = YG_NEW(r->arena, struct hunt);
	if (t == NULL)
		return YG_FAIL(err, YG_NOMEM, "a hunt");
	t->r = r;
	t->resumed = true;
	yg_buf_init(&t->where_text, YG_HUNT_NEAR_MAX);
	yg_buf_init(&t->found, SLICE_BYTES);
	yg_buf_init(&t->scratch, 1u << 20);
	yg_buf_init(&t->fields, 1u << 20);
	yg_arena_init(&t->slice, SLICE_ARENA);
	const struct yg_env *env = &r->c->ctx->env;
	env->random(env->ctx, &t->key, sizeof t->key);
	t->now = yg_env_wall(env);
	yg_status st = yg_hunt_get(r->act.db, r->job.id, r->arena, &t->h, err);
	if (st == YG_OK)
		st = hunt_scope(t, err);
	if (st == YG_OK)
		st = ready[t->h.what](t, err);
	if (st == YG_OK)
		st = look(t, err);
	if (st == YG_OK)
		st = hunt_order_cut(t, err);
	/* one that was stopped does not go on */
	if (t->h.what == YG_HUNT_CORRELATION && !r->ended &&
	    yg_hunt_state_drop(r->act.db, t->h.seq, NULL) != YG_OK)
		yg_role_log(r->c->ctx, YG_EV_API_NOTE, YG_KV("hunt", r->job.id));
	put_result(t);
	hunt_free(t);
	return st;
}
