/* ruleset_ask.c - an event asked, and what its matches mean for its organisation. */
#include <stdlib.h>

#include "detect/ruleset_internal.h"

struct yg_ruleset_eval {
	const struct yg_ruleset *r;
	struct yg_detect_eval *engine; /* owned */
	struct yg_ruleset_watch watch;
	uint32_t *matched; /* owned: rules of this event */
	size_t matched_n;
	uint32_t *stamps, stamp; /* owned, by row: of exceptions and filters that hold */
	uint32_t chain[YG_RULESET_DEPTH_MAX];
	uint32_t chain_n; /* the organisation and those above it */
	uint32_t org;     /* of the chain */
	bool chained;
	uint32_t until_sample;
};

/* ---- what holds for whom ---- */

static void find_chain(struct yg_ruleset_eval *e, uint32_t org)
{
	e->chain_n = 0;
	while (org < e->r->orgs_count && e->chain_n < YG_RULESET_DEPTH_MAX) {
		e->chain[e->chain_n++] = org;
		org = e->r->orgs[org].parent;
	}
}

static bool above(const struct yg_ruleset_eval *e, uint32_t node)
{
	if (node == YG_RULESET_NONE)
		return true;
	for (uint32_t i = 0; i < e->chain_n; i++)
		if (e->chain[i] == node)
			return true;
	return false;
}

static bool ended(int64_t expires, yg_wall now)
{
	return expires != 0 && expires <= now.us;
}

/* The first override that is of this node; count: none. */
static uint32_t first_over(const struct yg_ruleset *r, const struct yg_ruleset_staged *w,
			   uint32_t node)
{
	uint32_t low = 0, high = w->override_count;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (r->overs[w->overrides + mid].org < node)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool over_of(const struct yg_ruleset *r, const struct yg_ruleset_staged *w, uint32_t node,
		    yg_wall now, uint32_t *out)
{
	for (uint32_t i = first_over(r, w, node); i < w->override_count; i++) {
		const struct yg_ruleset_over *o = &r->overs[w->overrides + i];
		if (o->org != node)
			return false;
		if (!ended(o->expires, now)) {
			*out = o->stage;
			return true;
		}
	}
	return false;
}

static enum yg_detect_stage stage_of(const struct yg_ruleset_eval *e,
				     const struct yg_ruleset_staged *w, yg_wall now)
{
	uint32_t stage = w->stage;
	if (!above(e, w->scope))
		return YG_STAGE_OFF;
	if (w->override_count == 0)
		return (enum yg_detect_stage)stage;
	for (uint32_t i = 0; i < e->chain_n; i++)
		if (over_of(e->r, w, e->chain[i], now, &stage))
			return (enum yg_detect_stage)stage;
	(void)over_of(e->r, w, YG_RULESET_NONE, now, &stage);
	return (enum yg_detect_stage)stage;
}

/* Exceptions [at, at + n) are in order of their nodes. */
static const struct yg_ruleset_except *except_of(const struct yg_ruleset_eval *e, uint32_t at,
						 uint32_t n, uint32_t node, yg_wall now)
{
	const struct yg_ruleset *r = e->r;
	uint32_t low = 0, high = n;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (r->excepts[at + mid].org < node)
			low = mid + 1;
		else
			high = mid;
	}
	for (uint32_t i = low; i < n && r->excepts[at + i].org == node; i++) {
		const struct yg_ruleset_except *x = &r->excepts[at + i];
		bool held = e->stamps[x->row] == e->stamp;
		bool filter = r->rows[x->row].kind == YG_ROW_FILTER;
		if (held != filter && !ended(x->expires, now))
			return x;
	}
	return NULL;
}

static const struct yg_ruleset_except *except_in(const struct yg_ruleset_eval *e, uint32_t at,
						 uint32_t n, yg_wall now)
{
	const struct yg_ruleset_except *x = NULL;
	for (uint32_t i = 0; n > 0 && x == NULL && i < e->chain_n; i++)
		x = except_of(e, at, n, e->chain[i], now);
	return x == NULL && n > 0 ? except_of(e, at, n, YG_RULESET_NONE, now) : x;
}

/* Which correlations of this organisation take the row's matches, and whether one of them
 * tells of them in the match's place. */
static void read_refs(const struct yg_ruleset_eval *e, const struct yg_ruleset_row *w, yg_wall now,
		      struct yg_ruleset_hit *h)
{
	bool silenced = false, generates = false;
	for (uint32_t i = 0; i < w->ref_count; i++) {
		const struct yg_ruleset_ref *ref = &e->r->refs[w->refs + i];
		enum yg_detect_stage stage = stage_of(e, &ref->is, now);
		h->wanted = h->wanted || stage != YG_STAGE_OFF;
		silenced = silenced || (stage == YG_STAGE_LIVE && ref->generates == 0);
		generates = generates || (stage == YG_STAGE_LIVE && ref->generates != 0);
	}
	h->tells = !silenced || generates;
}

static void judge(struct yg_ruleset_eval *e, uint32_t rule, yg_wall now, yg_ruleset_hit_fn *hit,
		  void *ctx)
{
	const struct yg_ruleset *r = e->r;
	const struct yg_ruleset_row *w = &r->rows[rule];
	struct yg_ruleset_hit h = {.rule = rule, .stage = stage_of(e, &w->is, now)};
	if (h.stage == YG_STAGE_OFF)
		return;
	const struct yg_ruleset_except *x = except_in(e, w->exceptions, w->exception_count, now);
	if (x == NULL)
		x = except_in(e, 0, r->infos[0].common, now);
	if (x != NULL && r->rows[x->row].kind == YG_ROW_FILTER)
		return; /* narrowed: it does not match here at all */
	h.excepted = x != NULL;
	if (x != NULL)
		h.exception = yg_ruleset_sv(r, r->rows[x->row].uid);
	read_refs(e, w, now, &h);
	hit(ctx, &h);
}

/* ---- an event ---- */

static void on_match(void *ctx, uint32_t rule)
{
	struct yg_ruleset_eval *e = ctx;
	if (e->r->rows[rule].kind == YG_ROW_RULE)
		e->matched[e->matched_n++] = rule;
	else
		e->stamps[rule] = e->stamp;
}

static void on_judged(void *ctx, uint32_t rule, int64_t us)
{
	const struct yg_ruleset_eval *e = ctx;
	if (e->r->rows[rule].kind == YG_ROW_RULE)
		e->watch.cost(e->watch.ctx, rule, us);
}

void yg_ruleset_run(struct yg_ruleset_eval *e, const struct yg_detect_record *record, uint32_t org,
		    yg_wall now, yg_ruleset_hit_fn *hit, void *ctx)
{
	const struct yg_detect_watch watch = {e->watch.env, on_judged, e};
	bool sample = e->watch.cost != NULL && --e->until_sample == 0;
	e->matched_n = 0;
	if (++e->stamp == 0) {
		memset(e->stamps, 0, e->r->rows_count * sizeof *e->stamps);
		e->stamp = 1;
	}
	if (sample)
		e->until_sample = YG_RULESET_SAMPLE;
	yg_detect_watch(e->engine, sample ? &watch : NULL);
	yg_detect_run(e->engine, record, on_match, e);
	if (e->matched_n == 0)
		return;
	if (!e->chained || e->org != org)
		find_chain(e, org);
	e->chained = true;
	e->org = org;
	for (size_t i = 0; i < e->matched_n; i++)
		judge(e, e->matched[i], now, hit, ctx);
}

size_t yg_ruleset_fields(const struct yg_ruleset_eval *e, uint32_t rule, struct yg_sv *out,
			 size_t most)
{
	return yg_detect_fields(e->engine, rule, out, most);
}

yg_status yg_ruleset_eval_new(const struct yg_ruleset *r, const struct yg_ruleset_watch *watch,
			      struct yg_ruleset_eval **out, struct yg_err *err)
{
	struct yg_ruleset_eval *e = calloc(1, sizeof *e);
	if (e == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory to evaluate rules");
	e->r = r;
	e->until_sample = YG_RULESET_SAMPLE;
	if (watch != NULL)
		e->watch = *watch;
	e->matched = calloc(r->rows_count + 1, sizeof *e->matched);
	e->stamps = calloc(r->rows_count + 1, sizeof *e->stamps);
	yg_status st = e->matched != NULL && e->stamps != NULL
			       ? yg_detect_eval_new(r->engine, &e->engine, err)
			       : YG_FAIL(err, YG_NOMEM, "no memory to evaluate rules");
	if (st != YG_OK) {
		yg_ruleset_eval_free(e);
		return st;
	}
	*out = e;
	return YG_OK;
}

void yg_ruleset_eval_free(struct yg_ruleset_eval *e)
{
	if (e == NULL)
		return;
	yg_detect_eval_free(e->engine);
	free(e->matched);
	free(e->stamps);
	free(e);
}
