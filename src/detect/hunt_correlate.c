#include "detect/hunt_correlate.h"

#include <stdio.h>
#include <stdlib.h>

#define ORGS_MAX 10000

struct past {                        /* one organisation */
	struct yg_watch_place place; /* above[0]: its name */
	struct yg_sv org;
	struct yg_correlate *machine; /* owned */
	uint32_t *rules;              /* owned: of its documents: numbers in the set */
	uint32_t *docs;               /* owned: by number in the set: its document; NONE */
	bool *tells; /* owned: by document: asked for, and no other tells in its place */
	size_t n;
	bool dirty;
};
struct yg_hunt_correlate {
	struct yg_state *db; /* borrowed */
	struct yg_env env;
	struct yg_correlate_opts bounds;
	yg_wall now;
	struct yg_watch_set set;
	bool *asked, *needed; /* owned: by number in the set; needed: by what is asked for */
	bool above;           /* some correlation refers to one that is asked for */
	struct yg_sv *only;   /* owned: uids */
	size_t only_n;
	const struct yg_ruleset *rows; /* borrowed */
	uint32_t *row_rule;            /* owned: by rule of `rows`: number in the set; NONE */
	struct past **orgs;            /* owned: ascending by name */
	size_t org_n, org_cap;
	char reason[400]; /* why the first that was asked for cannot be */
};

static yg_status nomem(struct yg_err *err)
{
	return YG_FAIL(err, YG_NOMEM, "no memory for correlations");
}

static void past_free(struct past *p)
{
	if (p == NULL)
		return;
	yg_correlate_free(p->machine);
	free(p->rules);
	free(p->docs);
	free(p->tells);
	free(p);
}

void yg_hunt_correlate_free(struct yg_hunt_correlate *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < h->org_n; i++)
		past_free(h->orgs[i]);
	free(h->orgs);
	free(h->asked);
	free(h->needed);
	free(h->only);
	free(h->row_rule);
	yg_watch_set_free(&h->set);
	free(h);
}

/* ---- what is needed ---- */

static int by_text(const void *a, const void *b)
{
	return yg_sv_cmp(*(const struct yg_sv *)a, *(const struct yg_sv *)b);
}

static bool is_correlation(const struct yg_hunt_correlate *h, uint32_t rule)
{
	return h->set.rules[rule].doc.rule->kind == YG_SIGMA_CORRELATION;
}

/* Does the correlation name the rule?  Of several of that name each organisation has its own. */
static bool refers(const struct yg_sigma_correlation *c, const struct yg_sigma_rule *to)
{
	for (size_t i = 0; i < c->rule_count; i++)
		if ((to->id.n > 0 && yg_sv_eq(c->rules[i], to->id)) ||
		    (to->name.n > 0 && yg_sv_eq(c->rules[i], to->name)))
			return true;
	return false;
}

static void need(struct yg_hunt_correlate *h, uint32_t rule, unsigned depth)
{
	if (h->needed[rule])
		return;
	h->needed[rule] = true;
	if (!is_correlation(h, rule) || depth == YG_CORRELATE_DEPTH_MAX)
		return;
	for (uint32_t i = 0; i < h->set.rule_n; i++)
		if (refers(&h->set.rules[rule].doc.rule->correlation, h->set.rules[i].doc.rule))
			need(h, i, depth + 1);
}

static bool among(struct yg_sv uid, const struct yg_watch_asked *a)
{
	return (a->tried != NULL && yg_sv_eq(a->tried->uid, uid)) ||
	       (a->n > 0 && bsearch(&uid, a->uids, a->n, sizeof uid, by_text) != NULL);
}

static yg_status find_needed(struct yg_hunt_correlate *h, const struct yg_watch_asked *asked,
			     struct yg_err *err)
{
	size_t n = h->set.rule_n;
	h->asked = calloc(n + 1, sizeof *h->asked);
	h->needed = calloc(n + 1, sizeof *h->needed);
	h->only = calloc(n + 1, sizeof *h->only);
	if (h->asked == NULL || h->needed == NULL || h->only == NULL)
		return nomem(err);
	for (uint32_t i = 0; i < n; i++) {
		h->asked[i] = is_correlation(h, i) && among(h->set.rules[i].doc.uid, asked);
		if (h->asked[i])
			need(h, i, 0);
	}
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < n && is_correlation(h, i); k++)
			h->above |= h->asked[k] && refers(&h->set.rules[i].doc.rule->correlation,
							  h->set.rules[k].doc.rule);
	for (uint32_t i = 0; i < n; i++) {
		const struct yg_sv uid = h->set.rules[i].doc.uid;
		bool tried = asked->tried != NULL && yg_sv_eq(asked->tried->uid, uid);
		if (h->needed[i] && !tried && (h->asked[i] || !is_correlation(h, i)))
			h->only[h->only_n++] = uid;
	}
	if (h->only_n > 1)
		qsort(h->only, h->only_n, sizeof *h->only, by_text);
	return YG_OK;
}

/* ---- what can be ---- */

struct docs {                              /* what holds somewhere */
	const struct yg_sigma_rule **list; /* owned */
	uint32_t *rules;                   /* owned */
	size_t n;
};

static void docs_free(struct docs *d)
{
	free(d->list);
	free(d->rules);
}

/* place NULL: what holds for all. */
static bool holds(const struct yg_hunt_correlate *h, uint32_t rule,
		  const struct yg_watch_place *place)
{
	return place != NULL ? yg_watch_holds(&h->set, rule, place) : h->set.rules[rule].org.n == 0;
}

static yg_status docs_of(const struct yg_hunt_correlate *h, const struct yg_watch_place *place,
			 bool all, struct docs *out, struct yg_err *err)
{
	*out = (struct docs){.list = calloc(h->set.rule_n + 1, sizeof(void *)),
			     .rules = calloc(h->set.rule_n + 1, sizeof *out->rules)};
	if (out->list == NULL || out->rules == NULL)
		return nomem(err);
	for (uint32_t i = 0; i < h->set.rule_n; i++) {
		if ((!all && !h->needed[i]) || !holds(h, i, place))
			continue;
		out->list[out->n] = h->set.rules[i].doc.rule;
		out->rules[out->n++] = i;
	}
	return YG_OK;
}

struct judging { /* one that was asked for, at one node */
	struct yg_hunt_correlate *h;
	const uint32_t *rules;
	uint32_t asked;
	bool refused;
};

static void on_refused(void *ctx, uint32_t doc, const char *reason)
{
	struct judging *j = ctx;
	struct yg_hunt_correlate *h = j->h;
	if (j->rules[doc] != j->asked)
		return;
	j->refused = true;
	if (h->reason[0] == '\0')
		(void)snprintf(h->reason, sizeof h->reason, "%s", reason);
}

static yg_status judge_at(struct yg_hunt_correlate *h, uint32_t asked, struct yg_sv node, bool *out,
			  struct yg_err *err)
{
	YG_AUTO(docs_free) struct docs d = {0};
	struct yg_correlate *machine = NULL;
	struct yg_watch_place place;
	yg_status st = node.n > 0 ? yg_watch_place(h->db, node, &place, err) : YG_OK;
	if (st == YG_OK)
		st = docs_of(h, node.n > 0 ? &place : NULL, false, &d, err);
	if (st != YG_OK)
		return st;
	struct judging j = {h, d.rules, asked, false};
	st = yg_correlate_new(d.list, d.n, &h->bounds, &h->env, on_refused, &j, &machine, err);
	yg_correlate_free(machine);
	*out = st == YG_OK && !j.refused;
	return st;
}

/* As the registry judges it: at its own node.  One that has none yet can be when it can be for
 * all, or where some organisation has what it refers to. */
static yg_status judge_one(struct yg_hunt_correlate *h, uint32_t asked, bool tried, bool *out,
			   struct yg_err *err)
{
	const struct yg_sv own = h->set.rules[asked].org;
	yg_status st = judge_at(h, asked, own, out, err);
	for (uint32_t i = 0; st == YG_OK && !*out && tried && own.n == 0 && i < h->set.rule_n; i++)
		if (h->needed[i] && h->set.rules[i].org.n > 0)
			st = judge_at(h, asked, h->set.rules[i].org, out, err);
	return st;
}

static yg_status judge(struct yg_hunt_correlate *h, const struct yg_watch_asked *asked,
		       struct yg_err *err)
{
	bool some = false, can = false;
	yg_status st = YG_OK;
	for (uint32_t i = 0; st == YG_OK && !can && i < h->set.rule_n; i++) {
		const struct yg_sv uid = h->set.rules[i].doc.uid;
		bool tried = asked->tried != NULL && yg_sv_eq(asked->tried->uid, uid);
		some |= h->asked[i];
		if (h->asked[i])
			st = judge_one(h, i, tried, &can, err);
	}
	if (st != YG_OK || can)
		return st;
	return some ? YG_FAIL(err, YG_PARSE, "%s", h->reason)
		    : YG_FAIL(err, YG_NOTFOUND, "none of the rules is there any more");
}

yg_status yg_hunt_correlate_new(struct yg_state *db, const struct yg_watch_asked *asked,
				yg_wall now, const struct yg_env *env,
				struct yg_hunt_correlate **out, struct yg_err *err)
{
	struct yg_hunt_correlate *h = calloc(1, sizeof *h);
	if (h == NULL)
		return nomem(err);
	h->db = db;
	h->env = *env;
	h->bounds = yg_watch_bounds();
	h->bounds.lateness.us = 0; /* they come in order */
	h->now = now;
	yg_status st = yg_watch_set_load(db, env, asked, &h->set, err);
	if (st == YG_OK)
		st = find_needed(h, asked, err);
	if (st == YG_OK)
		st = judge(h, asked, err);
	if (st != YG_OK) {
		yg_hunt_correlate_free(h);
		return st;
	}
	*out = h;
	return YG_OK;
}

const struct yg_sv *yg_hunt_correlate_only(const struct yg_hunt_correlate *h, size_t *n)
{
	*n = h->only_n;
	return h->only;
}

yg_status yg_hunt_correlate_set(struct yg_hunt_correlate *h, const struct yg_ruleset *set,
				struct yg_err *err)
{
	size_t rows = yg_ruleset_rows(set);
	uint32_t *row_rule = calloc(rows + 1, sizeof *row_rule);
	if (row_rule == NULL)
		return nomem(err);
	for (uint32_t r = 0; r < rows; r++) {
		struct yg_sv uid = yg_ruleset_about(set, r).uid;
		row_rule[r] = YG_RULESET_NONE;
		for (uint32_t i = 0; i < h->set.rule_n; i++)
			if (h->needed[i] && yg_sv_eq(h->set.rules[i].doc.uid, uid))
				row_rule[r] = i;
	}
	free(h->row_rule);
	h->row_rule = row_rule;
	h->rows = set;
	return YG_OK;
}

/* ---- organisations ---- */

static struct past *find(const struct yg_hunt_correlate *h, struct yg_sv org, size_t *out_at)
{
	size_t from = 0, to = h->org_n;
	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int c = yg_sv_cmp(h->orgs[mid]->org, org);
		if (c == 0)
			return h->orgs[mid];
		from = c < 0 ? mid + 1 : from;
		to = c < 0 ? to : mid;
	}
	*out_at = from;
	return NULL;
}

/* Is another correlation there that tells of it in its place?  As live, whatever its stage. */
static yg_status find_tells(const struct yg_hunt_correlate *h, struct past *p, struct yg_err *err)
{
	YG_AUTO(docs_free) struct docs all = {0};
	struct yg_correlate *machine = NULL;
	for (size_t i = 0; i < p->n; i++)
		p->tells[i] = h->asked[p->rules[i]];
	if (!h->above)
		return YG_OK;
	yg_status st = docs_of(h, &p->place, true, &all, err);
	if (st == YG_OK)
		st = yg_correlate_new(all.list, all.n, &h->bounds, &h->env, NULL, NULL, &machine,
				      err);
	for (uint32_t i = 0; st == YG_OK && i < all.n; i++) {
		uint32_t doc = p->docs[all.rules[i]];
		if (doc != YG_RULESET_NONE && !yg_correlate_tells(machine, i))
			p->tells[doc] = false;
	}
	yg_correlate_free(machine);
	return st;
}

static yg_status fill(const struct yg_hunt_correlate *h, struct past *p, struct yg_err *err)
{
	struct docs d = {0};
	yg_status st = docs_of(h, &p->place, false, &d, err);
	p->rules = d.rules;
	p->n = d.n;
	p->docs = calloc(h->set.rule_n + 1, sizeof *p->docs);
	p->tells = calloc(d.n + 1, sizeof *p->tells);
	if (st == YG_OK && (p->docs == NULL || p->tells == NULL))
		st = nomem(err);
	for (size_t i = 0; st == YG_OK && i < h->set.rule_n; i++)
		p->docs[i] = YG_RULESET_NONE;
	for (uint32_t i = 0; st == YG_OK && i < d.n; i++)
		p->docs[d.rules[i]] = i;
	if (st == YG_OK)
		st = yg_correlate_new(d.list, d.n, &h->bounds, &h->env, NULL, NULL, &p->machine,
				      err);
	free(d.list);
	return st == YG_OK ? find_tells(h, p, err) : st;
}

static yg_status past_new(const struct yg_hunt_correlate *h, struct yg_sv org, struct past **out,
			  struct yg_err *err)
{
	struct past *p = calloc(1, sizeof *p);
	if (p == NULL)
		return nomem(err);
	yg_status st = yg_watch_place(h->db, org, &p->place, err);
	if (st == YG_OK && p->place.n == 0) { /* gone: nothing holds there */
		struct yg_sb b = yg_sb_init(p->place.above[0], sizeof p->place.above[0]);
		yg_sb_put(&b, org);
		(void)yg_sb_cstr(&b);
	}
	p->org = yg_sv_of(p->place.above[0]);
	if (st == YG_OK)
		st = fill(h, p, err);
	if (st != YG_OK) {
		past_free(p);
		return st;
	}
	*out = p;
	return YG_OK;
}

static yg_status past_of(struct yg_hunt_correlate *h, struct yg_sv org, struct past **out,
			 struct yg_err *err)
{
	size_t at = 0;
	*out = find(h, org, &at);
	if (*out != NULL)
		return YG_OK;
	if (h->org_n == ORGS_MAX || org.n > YG_ORG_NAME_MAX)
		return YG_FAIL(err, YG_TOOBIG, "more organisations than correlations are kept for");
	if (h->org_n == h->org_cap) {
		size_t cap = h->org_cap == 0 ? 16 : h->org_cap * 2;
		struct past **more = reallocarray(h->orgs, cap, sizeof(void *));
		if (more == NULL)
			return nomem(err);
		h->orgs = more;
		h->org_cap = cap;
	}
	yg_status st = past_new(h, org, out, err);
	if (st != YG_OK)
		return st;
	memmove(&h->orgs[at + 1], &h->orgs[at], (h->org_n - at) * sizeof(void *));
	h->orgs[at] = *out;
	h->org_n++;
	return YG_OK;
}

/* ---- matches ---- */

struct telling {
	const struct yg_hunt_correlate *h;
	const struct past *p;
	yg_hunt_correlate_fn *tell;
	void *ctx;
};

static bool on_hit(void *ctx, const struct yg_correlate_hit *hit)
{
	const struct telling *t = ctx;
	const struct yg_watch_set *set = &t->h->set;
	uint32_t rule = t->p->rules[hit->rule];
	enum yg_detect_stage stage = yg_watch_stage(set, rule, &t->p->place, t->h->now);
	bool excepted = yg_watch_set_excepted(set, rule, hit, &t->p->place, t->h->now);
	if (excepted || stage == YG_STAGE_OFF || !t->p->tells[hit->rule])
		return !excepted;
	t->tell(t->ctx, &(struct yg_hunt_correlated){.org = t->p->org,
						     .collection = set->rules[rule].collection,
						     .doc = &set->rules[rule].doc,
						     .stage = stage,
						     .hit = hit});
	return true;
}

static bool field_of(void *ctx, struct yg_sv field, struct yg_sv *out)
{
	return yg_detect_value(ctx, field, out);
}

yg_status yg_hunt_correlate_match(struct yg_hunt_correlate *h,
				  const struct yg_hunt_correlate_match *m,
				  yg_hunt_correlate_fn *tell, void *ctx, struct yg_err *err)
{
	struct past *p = NULL;
	uint32_t rule = h->row_rule[m->rule];
	if (rule == YG_RULESET_NONE)
		return YG_OK;
	yg_status st = past_of(h, m->event->org, &p, err);
	if (st != YG_OK || p->docs[rule] == YG_RULESET_NONE)
		return st;
	struct yg_detect_record record = *m->record; /* the context of field_of is not const */
	struct yg_correlate_event ev = {.time = {m->event->time},
					.arrived = {m->event->received},
					.field = field_of,
					.ctx = &record};
	struct telling t = {h, p, tell, ctx};
	yg_feed_id(m->event->spool, m->event->batch, m->event->row, ev.id);
	p->dirty = true;
	return yg_correlate_event(p->machine, p->docs[rule], &ev, on_hit, &t);
}

yg_status yg_hunt_correlate_end(struct yg_hunt_correlate *h, yg_wall to, yg_hunt_correlate_fn *tell,
				void *ctx)
{
	yg_status st = YG_OK;
	for (size_t i = 0; i < h->org_n; i++) {
		struct telling t = {h, h->orgs[i], tell, ctx};
		h->orgs[i]->dirty = true;
		if (yg_correlate_advance(h->orgs[i]->machine, to, on_hit, &t) != YG_OK)
			st = YG_NOMEM;
	}
	return st;
}

/* ---- states ---- */

yg_status yg_hunt_correlate_save(const struct yg_hunt_correlate *h, yg_hunt_correlate_keep_fn *keep,
				 void *ctx, struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf b = {0};
	yg_status st = YG_OK;
	yg_buf_init(&b, YG_CORRELATE_STATE_MAX);
	for (size_t i = 0; st == YG_OK && i < h->org_n; i++) {
		const struct past *p = h->orgs[i];
		if (!p->dirty)
			continue;
		b.n = 0;
		st = yg_correlate_save(p->machine, &b);
		if (st != YG_OK)
			return YG_FAIL(err, st, "the state of correlations cannot be saved");
		st = keep(ctx, p->org, yg_buf_sv(&b), err);
	}
	return st;
}

void yg_hunt_correlate_saved(struct yg_hunt_correlate *h)
{
	for (size_t i = 0; i < h->org_n; i++)
		h->orgs[i]->dirty = false;
}

yg_status yg_hunt_correlate_restore(struct yg_hunt_correlate *h, struct yg_sv org,
				    struct yg_sv bytes, struct yg_err *err)
{
	struct past *p = NULL;
	size_t lost = 0;
	yg_status st = past_of(h, org, &p, err);
	return st == YG_OK ? yg_correlate_restore(p->machine, bytes, &lost, err) : st;
}
