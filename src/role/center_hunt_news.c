/* Hunts by themselves: indicators that were added or are in force anew, and rules that are
 * live for the first time somewhere, are looked for in the past once the workers have them and
 * the store has what came before. */
#include "event/table.h"
#include "role/center_hunt.h"

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

/* Have the workers all there is, and the store what came before? */
static yg_status settled(const struct center *c, struct yg_state *db, const struct yg_hunt *h,
			 bool *out, struct yg_err *err)
{
	/* what was taken in before may have been looked at without what is new */
	int64_t stored =
		YG_MIN(h->received.us, __atomic_load_n(&c->delivered_us, __ATOMIC_ACQUIRE));
	return yg_hunt_settled(db, h->what, (yg_wall){stored - YG_HUNT_SETTLE_US}, out, err);
}

/* The hunt, when there is something to look at; then what `done` notes, with it.  What was added
 * while that was looked up is waited for first. */
static yg_status order(struct center *c, struct yg_act *act, const struct yg_hunt *h,
		       const struct yg_sv *items, size_t n,
		       yg_status (*done)(struct yg_state *db, const void *what, struct yg_err *err),
		       const void *what, struct yg_err *err)
{
	struct yg_id job;
	bool any = false, still = false;
	struct yg_tx tx;
	yg_status st = h->items > 0 || n > 0 ? any_event(c, h->from, &any, err) : YG_OK;
	if (st == YG_OK)
		st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = settled(c, act->db, h, &still, err);
	if (st == YG_OK && still && any)
		st = yg_hunt_add(act, h, items, n, &job, err);
	if (st == YG_OK && still)
		st = done(act->db, what, err);
	st = yg_tx_end(&tx, st, err);
	c->api.hooks.job_added(c);
	return st;
}

static yg_status mark(struct yg_state *db, const void *what, struct yg_err *err)
{
	const struct yg_hunt *h = what;
	return yg_hunt_mark(db, h->last, h->received, err);
}

static yg_status list_done(struct yg_state *db, const void *what, struct yg_err *err)
{
	return yg_hunt_again_list_done(db, *(const struct yg_sv *)what, err);
}

struct ids {
	struct yg_sv *v;
	size_t n;
};

static yg_status ids_done(struct yg_state *db, const void *what, struct yg_err *err)
{
	const struct ids *ids = what;
	return yg_hunt_again_done(db, ids->v, ids->n, err);
}

/* What is new; else a list, else entries that are in force anew. */
static yg_status add_indicators(struct center *c, struct yg_act *act, struct yg_hunt *h,
				struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_sv list = YG_SV("");
	struct ids ids = {0};
	yg_status st = yg_hunt_news(act->db, h->received, &h->first, &h->last, &h->items, err);
	if (st != YG_OK || h->last > 0)
		return st == YG_OK ? order(c, act, h, NULL, 0, mark, h, err) : st;
	yg_arena_init(&arena, 8u << 20);
	st = yg_hunt_again_list(act->db, &arena, &list, &h->items, err);
	h->first = h->last = 0;
	h->name = list;
	if (st != YG_OK || list.n > 0)
		return st == YG_OK ? order(c, act, h, NULL, 0, list_done, &list, err) : st;
	st = yg_hunt_again(act->db, h->received, &arena, &ids.v, &ids.n, err);
	h->last = -1;
	return st == YG_OK && ids.n > 0 ? order(c, act, h, ids.v, ids.n, ids_done, &ids, err) : st;
}

struct rules_at {
	struct yg_hunt_rules_new rules;
	yg_wall now;
};

static yg_status rules_done(struct yg_state *db, const void *what, struct yg_err *err)
{
	const struct rules_at *r = what;
	return yg_hunt_mark_rules(db, &r->rules, r->now, err);
}

static yg_status add_rules(struct center *c, struct yg_act *act, enum yg_hunt_what what,
			   struct yg_hunt *h, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct rules_at r = {.now = h->received};
	yg_arena_init(&arena, 8u << 20);
	yg_status st = yg_hunt_new_rules(act->db, what, h->received, &arena, &r.rules, err);
	if (st != YG_OK || r.rules.n == 0)
		return st;
	h->org = r.rules.org;
	h->name = r.rules.n == 1 ? r.rules.uids[0] : YG_SV("");
	return order(c, act, h, r.rules.uids, r.rules.n, rules_done, &r, err);
}

/* One at a time: what is added meanwhile is looked for together, afterwards. */
static yg_status look(struct center *c, struct yg_act *act, enum yg_hunt_what what, yg_wall now,
		      uint64_t days, struct yg_err *err)
{
	struct yg_hunt h = {
		.what = what,
		.automatic = true,
		.org = YG_SV_INIT(""),
		.name = YG_SV_INIT(""),
		.from = {now.us - (int64_t)days * YG_US_PER_DAY},
		.to = now,
		.received = now,
	};
	bool ready = false, going = false;
	yg_status st = settled(c, act->db, &h, &ready, err);
	if (st == YG_OK && ready)
		st = yg_hunt_going(act->db, what, &going, err);
	if (st != YG_OK || !ready || going)
		return st;
	return what == YG_HUNT_INDICATOR ? add_indicators(c, act, &h, err)
					 : add_rules(c, act, what, &h, err);
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
	if (st == YG_OK)
		st = look(c, &act, YG_HUNT_CORRELATION, now, days, &err);
	/* without a store, or before its first event, there is nothing to look at */
	if (st != YG_OK && st != YG_AGAIN && st != YG_NOTFOUND)
		yg_role_log(c->ctx, YG_EV_API_NOTE, YG_KERR(&err));
}

/* ---- what was cut ---- */

struct cut {
	struct yg_sv *uids; /* arena */
	size_t n;
};

/* One hunt for each of them, or one for all together. */
static yg_status order_again(struct hunt *t, const struct cut *c, bool alone, struct yg_err *err)
{
	struct yg_hunt h = {.what = t->h.what,
			    .automatic = t->h.automatic,
			    .org = t->h.org,
			    .from = t->h.from,
			    .to = t->h.to,
			    .received = t->h.received};
	size_t each = alone ? 1 : c->n;
	struct yg_id job;
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < c->n; i += each) {
		h.name = each == 1 ? c->uids[i] : YG_SV("");
		st = yg_hunt_add(&t->r->act, &h, c->uids + i, each, &job, err);
	}
	return st;
}

/* Noisy rules each for itself, with all the room that a hunt has; those that found none left
 * together.  When no rule had room, in halves, so that it ends. */
static yg_status order_parts(struct hunt *t, const struct cut *noisy, const struct cut *rest,
			     struct yg_err *err)
{
	yg_status st = YG_OK;
	size_t half = rest->n == t->of_n ? rest->n - rest->n / 2 : rest->n;
	const struct cut parts[] = {{rest->uids, half}, {rest->uids + half, rest->n - half}};
	st = order_again(t, noisy, true, err);
	for (size_t i = 0; st == YG_OK && i < YG_LEN(parts); i++)
		if (parts[i].n > 0)
			st = order_again(t, &parts[i], false, err);
	/* once: it may end a second time after the program did */
	for (size_t i = 0; st == YG_OK && i < t->of_n; i++)
		if (t->of[i].cut > 0)
			st = yg_hunt_item_save(t->r->act.db, t->h.seq, t->of[i].item, t->of[i].told,
					       0, err);
	return st;
}

yg_status hunt_order_cut(struct hunt *t, struct yg_err *err)
{
	struct cut noisy = {.n = 0}, rest = {.n = 0};
	struct yg_tx tx;
	if (t->h.what == YG_HUNT_INDICATOR || t->h.items <= 1)
		return YG_OK;
	noisy.uids = YG_NEW_N(t->r->arena, struct yg_sv, t->of_n + 1);
	rest.uids = YG_NEW_N(t->r->arena, struct yg_sv, t->of_n + 1);
	if (noisy.uids == NULL || rest.uids == NULL)
		return YG_FAIL(err, YG_NOMEM, "rules that are looked for again");
	for (size_t i = 0; i < t->of_n; i++) {
		struct cut *to = t->of[i].told >= YG_HUNT_EACH_MAX ? &noisy : &rest;
		if (t->of[i].cut > 0)
			to->uids[to->n++] = t->of[i].name;
	}
	if (noisy.n + rest.n == 0)
		return YG_OK;
	yg_status st = yg_tx_begin(&tx, t->r->act.db, err);
	return st == YG_OK ? yg_tx_end(&tx, order_parts(t, &noisy, &rest, err), err) : st;
}
