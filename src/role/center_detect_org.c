/* The organisations that are watched: their state machines, their rules, and what is saved. */
#include <stdlib.h>

#include "os/file.h"
#include "role/center_detect.h"

#define SAVE_SHARE  20                 /* of the time at most one in so many goes into saving */
#define SAVE_STEP   (YG_US_PER_S / 40) /* so long, or one organisation, then others come */
#define ORGS_MAX    10000
#define NETWORKS_US (60 * YG_US_PER_S) /* how often networks are read */
#define KEYS        20000              /* watched of each kind and organisation */

static struct org_watch *find(const struct detecting *d, struct yg_sv org, size_t *out_at)
{
	size_t from = 0, to = d->n;
	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int cmp = yg_sv_cmp(yg_sv_of(d->list[mid].org), org);
		if (cmp == 0)
			return &d->list[mid];
		if (cmp < 0)
			from = mid + 1;
		else
			to = mid;
	}
	*out_at = from;
	return NULL;
}

static yg_status watch_new(struct center *c, struct yg_watch **out, struct yg_err *err)
{
	struct yg_watch_opts o = {
		.correlate = yg_watch_bounds(), .notices = {KEYS}, .places = c->places};
	o.correlate.lateness.us = yg_api_conf(&c->api)->detect_lateness_us;
	return yg_watch_new(&o, &c->ctx->env, out, err);
}

/* What holds there; place.n == 0: there is no such organisation, and nothing does. */
static yg_status org_rules(struct detecting *d, struct yg_state *db, struct org_watch *o,
			   struct yg_err *err)
{
	size_t n = 0, lost = 0;
	yg_status st = yg_watch_place(db, yg_sv_of(o->org), &o->place, err);
	if (st != YG_OK)
		return st;
	struct yg_watch_doc *docs = calloc(d->set.rule_n + 1, sizeof *docs);
	if (docs == NULL)
		return YG_FAIL(err, YG_NOMEM, "correlations");
	for (uint32_t i = 0; i < d->set.rule_n; i++)
		if (yg_watch_holds(&d->set, i, &o->place))
			docs[n++] = d->set.rules[i].doc;
	st = yg_watch_rules(o->w, docs, n, NULL, NULL, &lost, err);
	d->c.lost += lost;
	free(docs);
	return st;
}

yg_status detect_org_get(struct center *c, struct detecting *d, struct yg_state *db,
			 struct yg_sv org, struct org_watch **out, struct yg_err *err)
{
	size_t at = 0;
	struct org_watch *o = find(d, org, &at);
	if (o != NULL) {
		*out = o;
		return YG_OK;
	}
	if (d->n == ORGS_MAX || org.n > YG_ORG_NAME_MAX)
		return YG_FAIL(err, YG_LIMIT, "more organisations than can be watched");
	if (d->n == d->cap) {
		size_t cap = d->cap == 0 ? 16 : d->cap * 2;
		struct org_watch *more = reallocarray(d->list, cap, sizeof *more);
		if (more == NULL)
			return YG_FAIL(err, YG_NOMEM, "what is watched");
		d->list = more;
		d->cap = cap;
	}
	struct org_watch made = {.dirty = 0};
	struct yg_sb name = yg_sb_init(made.org, sizeof made.org);
	yg_sb_put(&name, org);
	(void)yg_sb_cstr(&name);
	yg_status st = watch_new(c, &made.w, err);
	if (st == YG_OK)
		st = org_rules(d, db, &made, err);
	if (st != YG_OK) {
		yg_watch_free(made.w);
		return st;
	}
	memmove(&d->list[at + 1], &d->list[at], (d->n - at) * sizeof *d->list);
	d->list[at] = made;
	d->n++;
	*out = &d->list[at];
	d->networks_next = (yg_mono){0}; /* it has none yet */
	return YG_OK;
}

static yg_status give_networks(struct org_watch *o, const struct yg_watch_own *own, size_t n,
			       struct yg_err *err)
{
	struct yg_watch_network *list = calloc(n + 1, sizeof *list);
	if (list == NULL)
		return YG_FAIL(err, YG_NOMEM, "what is watched");
	for (size_t i = 0; i < n; i++)
		list[i] = own[i].network;
	yg_status st = yg_watch_networks(o->w, list, n, err);
	free(list);
	return st;
}

yg_status detect_networks(struct center *c, struct detecting *d, struct yg_state *db,
			  struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_watch_own *own = NULL;
	size_t n = 0, at = 0;
	yg_mono now = yg_env_mono(&c->ctx->env);
	if (!yg_mono_due(d->networks_next, now))
		return YG_OK;
	yg_arena_init(&arena, 64u << 20);
	yg_status st = yg_watch_own_networks(db, &arena, &own, &n, err);
	for (size_t i = 0; st == YG_OK && i < d->n; i++) { /* both are in order of name */
		struct yg_sv org = yg_sv_of(d->list[i].org);
		while (at < n && yg_sv_cmp(own[at].org, org) < 0)
			at++;
		size_t from = at;
		while (at < n && yg_sv_eq(own[at].org, org))
			at++;
		st = give_networks(&d->list[i], own + from, at - from, err);
	}
	if (st == YG_OK)
		d->networks_next = yg_mono_add(now, (yg_span){NETWORKS_US});
	return st;
}

static yg_status org_load(struct center *c, struct detecting *d, struct yg_state *db,
			  struct yg_sv org, struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf correlate = {0};
	YG_AUTO(yg_buf_free) struct yg_buf notice = {0};
	struct org_watch *o = NULL;
	struct yg_err why = {0};
	size_t lost = 0;
	int64_t seq = 0, of_notice = 0; /* both parts are saved together */
	yg_buf_init(&correlate, YG_CORRELATE_STATE_MAX);
	yg_buf_init(&notice, YG_CORRELATE_STATE_MAX);
	yg_status st = detect_org_get(c, d, db, org, &o, err);
	if (st == YG_OK)
		st = yg_feed_load(db, org, "correlate", &correlate, &seq, err);
	if (st == YG_OK)
		st = yg_feed_load(db, org, "notice", &notice, &of_notice, err);
	if (st != YG_OK)
		return st;
	o->saved = YG_MAX(seq, of_notice);
	st = yg_watch_restore(o->w, yg_buf_sv(&correlate), yg_buf_sv(&notice), &lost, &why);
	d->c.lost += lost;
	if (st == YG_CORRUPT) { /* it begins anew, and says so */
		d->c.lost++;
		yg_role_log(c->ctx, YG_EV_CENTER_DETECT_LOST, YG_KV("org", org), YG_KERR(&why));
		return YG_OK;
	}
	return st == YG_OK ? YG_OK : YG_FAIL(err, st, "%s", why.msg);
}

void detect_forget(struct detecting *d)
{
	for (size_t i = 0; i < d->n; i++)
		yg_watch_free(d->list[i].w);
	d->n = 0;
	d->loaded = d->waits = d->saving = false;
	d->now = NULL;
	yg_watch_set_free(&d->set);
}

yg_status detect_load(struct center *c, struct detecting *d, struct yg_state *db,
		      struct yg_err *err)
{
	struct yg_arena arena;
	struct yg_feed_queue q = {0};
	struct yg_sv *orgs = NULL;
	size_t n = 0;
	yg_arena_init(&arena, 16u << 20);
	yg_status st = yg_watch_set_load(db, &c->ctx->env, NULL, &d->set, err);
	if (st == YG_OK)
		st = yg_feed_queue(db, &q, err);
	if (st == YG_OK)
		st = yg_feed_orgs(db, &arena, &orgs, &n, err);
	for (size_t i = 0; st == YG_OK && i < n; i++)
		st = org_load(c, d, db, orgs[i], err);
	yg_arena_free(&arena);
	if (st != YG_OK) {
		detect_forget(d);
		return st;
	}
	d->at = d->saved = q.consumed;
	d->loaded = true;
	return YG_OK;
}

static yg_status save_org(struct yg_state *db, const struct org_watch *o, int64_t seq, yg_wall now,
			  struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf correlate = {0};
	YG_AUTO(yg_buf_free) struct yg_buf notice = {0};
	yg_buf_init(&correlate, YG_CORRELATE_STATE_MAX);
	yg_buf_init(&notice, YG_CORRELATE_STATE_MAX);
	yg_status st = yg_watch_save(o->w, &correlate, &notice);
	if (st != YG_OK)
		return YG_FAIL(err, st, "what is watched could not be saved");
	const struct yg_feed_state state = {
		.org = yg_sv_of(o->org), .correlate = &correlate, .notice = &notice};
	return yg_feed_save(db, &state, seq, now, err);
}

/* Rows up to there are in every saved state. */
static int64_t in_all(const struct detecting *d)
{
	int64_t seq = d->at;
	for (size_t i = 0; i < d->n; i++)
		if (d->list[i].dirty > 0)
			seq = YG_MIN(seq, d->list[i].dirty - 1);
	return seq;
}

static yg_status save_some(struct center *c, struct detecting *d, struct yg_state *db, bool whole,
			   bool *out_all, struct yg_err *err)
{
	yg_wall now = yg_env_wall(&c->ctx->env);
	yg_mono until = yg_mono_add(yg_env_mono(&c->ctx->env), (yg_span){SAVE_STEP});
	for (size_t i = 0; i < d->n; i++) {
		struct org_watch *o = &d->list[i];
		if (!o->to_save)
			continue;
		if (!whole && yg_mono_due(until, yg_env_mono(&c->ctx->env)))
			return YG_OK;
		yg_status st = save_org(db, o, d->at, now, err);
		if (st != YG_OK)
			return st;
		o->saved = d->at;
		o->dirty = 0;
		o->to_save = false;
	}
	*out_all = true;
	return YG_OK;
}

yg_status detect_save(struct center *c, struct detecting *d, struct yg_state *db, bool whole,
		      struct yg_err *err)
{
	yg_mono begun = yg_env_mono(&c->ctx->env);
	bool all = false;
	for (size_t i = 0; (whole || !d->saving) && i < d->n; i++)
		d->list[i].to_save = d->list[i].dirty > 0;
	d->saving = true;
	yg_status st = save_some(c, d, db, whole, &all, err);
	if (st == YG_OK && all)
		st = yg_feed_consumed(db, in_all(d), err);
	yg_mono end = yg_env_mono(&c->ctx->env);
	d->save_rest = yg_mono_add(end, (yg_span){(end.us - begun.us) * SAVE_SHARE});
	if (st != YG_OK || !all)
		return st;
	d->saved = in_all(d);
	d->saving = false;
	d->save_next = yg_mono_add(end, (yg_span){DETECT_SAVE_US});
	d->c.saves++;
	return YG_OK;
}

void center_detect_places(struct center *c)
{
	YG_AUTO(yg_buf_free) struct yg_buf b = {0};
	struct yg_sv file = c->ctx->conf->detect_places;
	struct yg_err err = {0};
	char path[4096];
	struct yg_sb name = yg_sb_init(path, sizeof path);
	if (file.n == 0)
		return;
	yg_sb_put(&name, file);
	yg_buf_init(&b, YG_PLACES_FILE);
	yg_status st = yg_file_read(yg_sb_cstr(&name), YG_PLACES_FILE, &b, &err);
	if (st == YG_OK)
		st = yg_places_read(yg_buf_sv(&b), &c->places, &err);
	if (st != YG_OK)
		c->places_err = err; /* told when there is somebody to tell it to */
}

/* Those that are no more go; the others get their rules. */
static yg_status rules_over(struct detecting *d, struct yg_state *db, struct yg_err *err)
{
	yg_status st = YG_OK;
	size_t n = 0;
	for (size_t i = 0; i < d->n; i++) {
		if (st == YG_OK)
			st = org_rules(d, db, &d->list[i], err);
		if (st == YG_OK && d->list[i].place.n == 0) {
			yg_watch_free(d->list[i].w);
			continue;
		}
		d->list[n++] = d->list[i];
	}
	d->n = n;
	return st;
}

yg_status detect_rules(struct center *c, struct detecting *d, struct yg_state *db,
		       struct yg_err *err)
{
	struct yg_watch_set next, old = d->set;
	int64_t changes = 0;
	yg_status st = yg_watch_set_changes(db, &changes, err);
	if (st != YG_OK || changes == d->set.changes || d->waits)
		return st;
	/* what was told by the rules of before is behind the state that others go on from */
	st = d->at > d->saved ? detect_save(c, d, db, true, err) : YG_OK;
	if (st == YG_OK)
		st = yg_watch_set_load(db, &c->ctx->env, NULL, &next, err);
	if (st != YG_OK)
		return st;
	d->set = next;
	st = rules_over(d, db, err);
	if (st != YG_OK)
		detect_forget(d);
	yg_watch_set_free(&old);
	return st;
}
