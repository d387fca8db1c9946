/* Hunts by themselves: indicators that were added, and rules that are live for the first
 * time, are looked for in the past once the workers have them. */
#include "detect/hunt_state.h"
#include "event/table.h"
#include "role/center.h"

#define SETTLE_US                                                                                  \
	(10 * YG_US_PER_S) /* until workers have a snapshot, and the store what came before */

/* Is there anything to look at?  YG_AGAIN: nobody knows now. */
static yg_status any_event(struct center *c, yg_wall from, bool *out, struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_buf_free) struct yg_buf sql = {0}, answer = {0};
	yg_status st = yg_lease_store(&c->api, &l, err);
	if (st != YG_OK)
		return st;
	yg_buf_init(&sql, 4096);
	yg_buf_init(&answer, 4096);
	yg_buf_printf(&sql, "SELECT time FROM " YG_EVENT_TABLE " WHERE time >= %lld LIMIT 1",
		      (long long)from.us);
	const struct yg_ch_query q = {.sql = yg_buf_sv(&sql), .format = "RowBinary"};
	st = yg_ch_query(l.ch, &q, &answer, err);
	*out = answer.n > 0;
	return st;
}

static yg_status add_indicators(struct center *c, struct yg_act *act, struct yg_hunt *h,
				struct yg_err *err)
{
	struct yg_id job;
	int64_t first = 0, last = 0, count = 0;
	bool any = false;
	struct yg_tx tx;
	yg_status st = yg_hunt_news(act->db, h->received, &first, &last, &count, err);
	if (st != YG_OK || last == 0)
		return st;
	if (count > 0)
		st = any_event(c, h->from, &any, err);
	h->what = YG_HUNT_INDICATOR;
	h->first = first;
	h->last = last;
	h->items = count;
	if (st == YG_OK)
		st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	if (any)
		st = yg_hunt_add(act, h, NULL, 0, &job, err);
	if (st == YG_OK)
		st = yg_hunt_mark(act->db, last, err);
	st = yg_tx_end(&tx, st, err);
	c->api.hooks.job_added(c);
	return st;
}

static yg_status add_rules(struct center *c, struct yg_act *act, struct yg_hunt *h,
			   struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_id job;
	struct yg_sv *uids = NULL;
	size_t n = 0;
	bool any = false;
	struct yg_tx tx;
	yg_arena_init(&arena, 8u << 20);
	yg_status st = yg_hunt_new_rules(act->db, &arena, &uids, &n, err);
	if (st != YG_OK || n == 0)
		return st;
	st = any_event(c, h->from, &any, err);
	h->what = YG_HUNT_RULE;
	h->name = n == 1 ? uids[0] : YG_SV("");
	h->first = h->last = 0;
	if (st == YG_OK)
		st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	if (any)
		st = yg_hunt_add(act, h, uids, n, &job, err);
	if (st == YG_OK)
		st = yg_hunt_mark_rules(act->db, uids, n, h->received, err);
	st = yg_tx_end(&tx, st, err);
	c->api.hooks.job_added(c);
	return st;
}

/* One at a time: what is added meanwhile is looked for together, afterwards. */
static yg_status look(struct center *c, struct yg_act *act, enum yg_hunt_what what, yg_wall now,
		      uint64_t days, struct yg_err *err)
{
	struct yg_hunt h = {
		.automatic = true,
		.org = YG_SV_INIT(""),
		.name = YG_SV_INIT(""),
		.from = {now.us - (int64_t)days * YG_US_PER_DAY},
		.to = now,
		.received = now,
	};
	bool settled = false, going = false;
	yg_status st = yg_hunt_settled(act->db, what, (yg_wall){now.us - SETTLE_US}, &settled, err);
	if (st == YG_OK && settled)
		st = yg_hunt_going(act->db, what, &going, err);
	if (st != YG_OK || !settled || going)
		return st;
	return what == YG_HUNT_RULE ? add_rules(c, act, &h, err) : add_indicators(c, act, &h, err);
}

void center_hunt_news_run(struct center *c)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_err err = {0};
	uint64_t days = yg_api_conf(&c->api)->detect_hunt_days;
	yg_wall now = yg_env_wall(&c->ctx->env);
	yg_status st = days > 0 ? yg_lease_state(&c->api, &l, &err) : YG_OK;
	if (days == 0 || st != YG_OK)
		return;
	struct yg_act act = center_act(c, l.db);
	st = look(c, &act, YG_HUNT_INDICATOR, now, days, &err);
	if (st == YG_OK)
		st = look(c, &act, YG_HUNT_RULE, now, days, &err);
	/* without a store, or before its first event, there is nothing to look at */
	if (st != YG_OK && st != YG_AGAIN && st != YG_NOTFOUND)
		yg_role_log(c->ctx, YG_EV_API_NOTE, YG_KERR(&err));
}
