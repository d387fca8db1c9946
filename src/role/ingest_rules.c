#include "role/ingest_rules.h"

#include <stdlib.h>

#include "detect/feed_event.h"
#include "detect/view.h"
#include "event/table.h"
#include "role/ingest_finding.h"
#include "snapshot/intern.h"

#define SLOTS      (2 * YG_RULES_GROUPS) /* power of two */
#define CUT_BYTES  (8u << 20)            /* a message of the feed ends behind so many */
#define CUT_COUNT  500000u
#define KEEP_BYTES (16u << 20)
#define KNOWN_MAX  ((size_t)1 << 20) /* power of two; when it is half full it begins anew */
#define TEXTS_MAX  (64u << 20)
#define FEED_MAX   ((size_t)1 << 30)

struct text { /* in `texts` */
	uint32_t at, n;
};
struct group {              /* matches of one rule about one asset */
	struct yg_event ev; /* the first; its views are the batch's */
	uint32_t rule, count;
	bool alert;
	struct text asset, field, value, fields;
};
struct stat { /* what a rule did in this batch */
	uint32_t rule;
	uint64_t judged, us, hits, excepted; /* judged, us: as measured */
	uint64_t samples[YG_RULES_SAMPLES][2];
};
struct cut { /* a message of the feed */
	size_t at, n;
	uint32_t entries;
};
struct known {       /* organisations with a log source that were told today, by hash */
	uint64_t *p; /* owned; [cap], a power of two; 0: free */
	size_t n, cap;
	int64_t day;
};
struct yg_rules_run {
	const struct yg_env *env;
	const struct yg_ruleset *set;                  /* borrowed; what eval is of */
	struct yg_ruleset_eval *eval;                  /* owned */
	struct yg_detect_view *views[YG_SOURCE_COUNT]; /* owned; made when first needed */
	struct yg_detect_view *view;                   /* of this batch */
	uint32_t *slot;                                /* owned; by rule: its stat + 1 */
	struct yg_vec stats, cuts;
	struct group *groups;    /* owned; [YG_RULES_GROUPS] */
	uint16_t *by_key;        /* owned; [SLOTS]: group + 1 */
	uint32_t group_n, given; /* findings of this batch */
	uint8_t key[16];
	struct yg_buf texts, feed;
	size_t feed_at; /* where the message at hand begins */
	uint32_t feed_n;
	struct yg_sv org;
	uint32_t org_number;
	struct known known;
	bool open; /* a batch began, and is not done */
	uint64_t records;
	int64_t first, last;
	bool nomem;
	/* the event at hand */
	const struct yg_event *ev;
	const struct yg_detect_record *record;
	struct yg_buf *scratch, *plan;
	uint32_t *findings;
	struct yg_rules_counts c;
};

yg_status yg_rules_run_new(const struct yg_env *env, struct yg_rules_run **out, struct yg_err *err)
{
	struct yg_rules_run *r = calloc(1, sizeof *r);
	if (r == NULL)
		return YG_FAIL(err, YG_NOMEM, "detection rules");
	r->env = env;
	r->groups = malloc(YG_RULES_GROUPS * sizeof *r->groups);
	r->by_key = calloc(SLOTS, sizeof *r->by_key);
	env->random(env->ctx, r->key, sizeof r->key);
	yg_buf_init(&r->texts, TEXTS_MAX);
	yg_buf_init(&r->feed, FEED_MAX);
	if (r->groups == NULL || r->by_key == NULL) {
		yg_rules_run_free(r);
		return YG_FAIL(err, YG_NOMEM, "detection rules");
	}
	*out = r;
	return YG_OK;
}

void yg_rules_run_free(struct yg_rules_run *r)
{
	if (r == NULL)
		return;
	yg_ruleset_eval_free(r->eval);
	for (size_t i = 0; i < YG_LEN(r->views); i++)
		yg_detect_view_free(r->views[i]);
	free(r->slot);
	free(r->stats.p);
	free(r->cuts.p);
	free(r->groups);
	free(r->by_key);
	free(r->known.p);
	yg_buf_free(&r->texts);
	yg_buf_free(&r->feed);
	free(r);
}

const struct yg_ruleset *yg_rules_run_set(const struct yg_rules_run *r)
{
	return r->set;
}

void yg_rules_run_counts(const struct yg_rules_run *r, struct yg_rules_counts *out)
{
	*out = r->c;
}

/* ---- what was told today ---- */

static void known_clear(struct known *k)
{
	if (k->n > 0)
		memset(k->p, 0, k->cap * sizeof *k->p);
	k->n = 0;
}

static void known_put(struct known *k, uint64_t h)
{
	size_t i = h & (k->cap - 1);
	while (k->p[i] != 0 && k->p[i] != h)
		i = (i + 1) & (k->cap - 1);
	k->n += k->p[i] == 0;
	k->p[i] = h;
}

/* Room for one more, at most half full. */
static bool known_room(struct known *k)
{
	if (k->n < k->cap / 2)
		return true;
	if (k->cap == KNOWN_MAX) {
		known_clear(k);
		return true;
	}
	struct known more = {.cap = k->cap > 0 ? k->cap * 2 : 1024};
	more.p = calloc(more.cap, sizeof *more.p);
	if (more.p == NULL)
		return false;
	for (size_t i = 0; i < k->cap; i++)
		if (k->p[i] != 0)
			known_put(&more, k->p[i]);
	free(k->p);
	k->p = more.p;
	k->cap = more.cap;
	return true;
}

/* Without memory it is told again: no harm. */
static bool known_new(struct known *k, uint64_t h)
{
	if (!known_room(k))
		return true;
	size_t before = k->n;
	known_put(k, h | 1);
	return k->n > before;
}

/* ---- what rules did ---- */

static struct stat *stat_of(struct yg_rules_run *r, uint32_t rule)
{
	if (r->slot[rule] > 0)
		return (struct stat *)r->stats.p + (r->slot[rule] - 1);
	struct stat *s = yg_vec_add(&r->stats, sizeof *s);
	if (s == NULL) {
		r->nomem = true;
		return NULL;
	}
	*s = (struct stat){.rule = rule};
	r->slot[rule] = (uint32_t)r->stats.n;
	return s;
}

static void on_cost(void *ctx, uint32_t rule, int64_t us)
{
	struct yg_rules_run *r = ctx;
	struct stat *s = stat_of(r, rule);
	if (s == NULL)
		return;
	s->judged++;
	s->us += (uint64_t)YG_MAX(us, 0);
}

/* ---- beginning ---- */

static yg_status take_set(struct yg_rules_run *r, const struct yg_ruleset *set, struct yg_err *err)
{
	const struct yg_ruleset_watch watch = {r->env, on_cost, r};
	struct yg_ruleset_eval *eval = NULL;
	uint32_t *slot = calloc(yg_ruleset_rows(set) + 1, sizeof *slot);
	yg_status st = slot != NULL ? yg_ruleset_eval_new(set, &watch, &eval, err)
				    : YG_FAIL(err, YG_NOMEM, "detection rules");
	if (st != YG_OK) {
		free(slot);
		return st;
	}
	yg_ruleset_eval_free(r->eval);
	free(r->slot);
	for (size_t i = 0; i < YG_LEN(r->views); i++)
		if (r->views[i] != NULL)
			yg_detect_view_only(r->views[i], yg_ruleset_engine(set));
	r->eval = eval;
	r->slot = slot;
	r->set = set;
	return YG_OK;
}

static yg_status take_view(struct yg_rules_run *r, const struct yg_rules_batch *b,
			   struct yg_err *err)
{
	enum yg_source source = b->source;
	if (source == YG_SOURCE_EVTX) /* the same events */
		source = YG_SOURCE_WINDOWS;
	if ((unsigned)source >= YG_LEN(r->views))
		source = YG_SOURCE_NONE;
	yg_status st = YG_OK;
	if (r->views[source] == NULL) {
		st = yg_detect_view_new(source, NULL, r->env, &r->views[source], err);
		if (st != YG_OK)
			return st;
		yg_detect_view_only(r->views[source], yg_ruleset_engine(r->set));
	}
	r->view = r->views[source];
	yg_detect_view_follow(r->view, b->norm);
	return YG_OK;
}

/* What a batch left that came to nothing: it is done again, and its events are gone. */
static void drop(struct yg_rules_run *r)
{
	known_clear(&r->known);
	for (size_t i = 0; i < r->stats.n; i++)
		r->slot[((const struct stat *)r->stats.p + i)->rule] = 0;
	r->stats.n = 0;
	memset(r->by_key, 0, SLOTS * sizeof *r->by_key);
	r->group_n = 0;
	r->texts.n = 0;
	r->texts.bad = false;
	r->open = false;
}

yg_status yg_rules_run_begin(struct yg_rules_run *r, const struct yg_rules_batch *b,
			     struct yg_err *err)
{
	if (r->open)
		drop(r);
	yg_status st = b->set != NULL && b->set != r->set ? take_set(r, b->set, err) : YG_OK;
	if (st == YG_OK && r->set != NULL)
		st = take_view(r, b, err);
	if (st != YG_OK)
		return st;
	r->open = true;
	r->org = b->org;
	r->org_number = r->set != NULL ? yg_ruleset_org(r->set, b->org) : YG_RULESET_NONE;
	r->records = 0;
	r->given = 0;
	r->nomem = false;
	r->feed.n = r->feed_at = 0;
	r->feed.bad = false;
	r->feed_n = 0;
	r->cuts.n = 0;
	return YG_OK;
}

/* ---- the feed ---- */

static void feed_cut(struct yg_rules_run *r)
{
	if (r->feed_n == 0)
		return;
	struct cut *c = yg_vec_add(&r->cuts, sizeof *c);
	if (c == NULL) {
		r->nomem = true;
		return;
	}
	*c = (struct cut){r->feed_at, r->feed.n - r->feed_at, r->feed_n};
	r->feed_at = r->feed.n;
	r->feed_n = 0;
}

static void feed_put(struct yg_rules_run *r, const struct yg_feed_entry *e)
{
	yg_feed_put(&r->feed, e);
	r->feed_n++;
	if (r->feed.n - r->feed_at >= CUT_BYTES || r->feed_n >= CUT_COUNT)
		feed_cut(r);
}

static void feed_match(struct yg_rules_run *r, uint32_t rule)
{
	struct yg_feed_field fields[YG_FEED_FIELDS_MAX];
	struct yg_feed_entry e = {.kind = YG_FEED_MATCH};
	struct yg_sv name;
	uint32_t n = 0;
	for (uint32_t i = 0; n < YG_LEN(fields) && yg_ruleset_wanted(r->set, rule, i, &name); i++) {
		fields[n].name = name;
		if (yg_detect_value(r->record, name, &fields[n].value))
			n++;
	}
	e.match.rule = yg_ruleset_about(r->set, rule).uid;
	e.match.time.us = r->ev->time;
	yg_feed_id(r->ev->spool, r->ev->batch, r->ev->row, e.match.id);
	e.match.fields = fields;
	e.match.field_count = n;
	feed_put(r, &e);
	r->c.matches++;
}

/* What the event is, whatever the rules say of it. */
static void feed_event(struct yg_rules_run *r, const struct yg_event *ev)
{
	struct yg_feed_entry e;
	r->first = r->records == 0 ? ev->time : YG_MIN(r->first, ev->time);
	r->last = r->records == 0 ? ev->time : YG_MAX(r->last, ev->time);
	r->records++;
	if (!yg_feed_of_event(ev, &e))
		return;
	r->c.connections += e.kind == YG_FEED_CONNECTION;
	r->c.logins += e.kind == YG_FEED_LOGIN;
	feed_put(r, &e);
}

static void feed_stat(struct yg_rules_run *r, const struct stat *s)
{
	uint64_t samples[YG_RULES_SAMPLES][2];
	struct yg_feed_entry e = {.kind = YG_FEED_STAT};
	uint64_t n = YG_MIN(s->hits, (uint64_t)YG_RULES_SAMPLES);
	for (uint64_t i = 0; i < n; i++) /* oldest first */
		memcpy(samples[i], s->samples[(s->hits - n + i) % YG_RULES_SAMPLES],
		       sizeof samples[i]);
	e.stat.rule = yg_ruleset_about(r->set, s->rule).uid;
	e.stat.looked_at = s->judged * YG_RULESET_SAMPLE;
	e.stat.hits = s->hits;
	e.stat.excepted = s->excepted;
	e.stat.cost_ns = s->us * 1000 * YG_RULESET_SAMPLE;
	e.stat.samples = (const uint64_t(*)[2])samples;
	e.stat.sample_count = (uint32_t)n;
	feed_put(r, &e);
	r->c.judged += s->judged * YG_RULESET_SAMPLE;
	r->c.us += s->us * YG_RULESET_SAMPLE;
}

/* ---- findings ---- */

static struct text keep(struct yg_rules_run *r, struct yg_sv s)
{
	struct text t = {(uint32_t)r->texts.n, (uint32_t)s.n};
	yg_buf_put(&r->texts, s);
	return t;
}

static struct yg_sv kept(const struct yg_rules_run *r, struct text t)
{
	return (struct yg_sv){t.n > 0 ? r->texts.p + t.at : "", t.n};
}

static void groups_out(struct yg_rules_run *r)
{
	for (uint32_t i = 0; i < r->group_n; i++) {
		const struct group *g = &r->groups[i];
		const struct yg_ruleset_about about = yg_ruleset_about(r->set, g->rule);
		const struct yg_rule_finding f = {.uid = about.uid,
						  .collection = about.collection,
						  .rule = &about.rule,
						  .asset = kept(r, g->asset),
						  .field = kept(r, g->field),
						  .value = kept(r, g->value),
						  .fields = kept(r, g->fields),
						  .count = g->count,
						  .alert = g->alert};
		yg_finding_put_rule(&g->ev, &f, r->scratch, r->plan);
	}
	*r->findings += r->group_n;
	r->c.findings += r->group_n;
	if (r->group_n > 0)
		memset(r->by_key, 0, SLOTS * sizeof *r->by_key);
	r->group_n = 0;
	r->nomem = r->nomem || r->texts.bad;
	r->texts.n = 0;
	r->texts.bad = false;
}

/* The group of a rule and asset; NULL: there is none, and *at is where it goes. */
static struct group *group_find(struct yg_rules_run *r, uint32_t rule, struct yg_sv asset,
				size_t *at)
{
	uint64_t h = yg_siphash(r->key, asset.p, asset.n) ^ rule * UINT64_C(0x9e3779b97f4a7c15);
	for (size_t i = h % SLOTS;; i = (i + 1) % SLOTS) {
		*at = i;
		if (r->by_key[i] == 0)
			return NULL;
		struct group *g = &r->groups[r->by_key[i] - 1];
		if (g->rule == rule && yg_sv_eq(kept(r, g->asset), asset))
			return g;
	}
}

static void group_add(struct yg_rules_run *r, const struct yg_ruleset_hit *h, struct yg_sv asset,
		      size_t at)
{
	struct yg_sv names[YG_RULE_FIELDS_MAX], field, value;
	size_t n = yg_ruleset_fields(r->eval, h->rule, names, YG_LEN(names));
	struct group *g = &r->groups[r->group_n];
	*g = (struct group){.ev = *r->ev,
			    .rule = h->rule,
			    .count = 1,
			    .alert = h->stage == YG_STAGE_LIVE,
			    .asset = keep(r, asset)};
	g->fields.at = (uint32_t)r->texts.n;
	yg_rule_fields(r->record, names, n, &r->texts, &field, &value);
	g->fields.n = (uint32_t)(r->texts.n - g->fields.at);
	g->field = keep(r, field);
	g->value = keep(r, value);
	r->by_key[at] = (uint16_t)++r->group_n;
	r->given++;
}

static void find(struct yg_rules_run *r, const struct yg_ruleset_hit *h)
{
	char text[YG_IP_TEXT_MAX];
	struct yg_sv asset = yg_finding_asset(r->ev, YG_EF_message, text);
	size_t at;
	struct group *g = group_find(r, h->rule, asset, &at);
	if (g != NULL) {
		g->count++;
		return;
	}
	if (r->given >= YG_RULES_FINDINGS) {
		r->c.cut++;
		return;
	}
	if (r->group_n == YG_RULES_GROUPS || r->texts.n > TEXTS_MAX / 2) {
		groups_out(r);
		(void)group_find(r, h->rule, asset, &at);
	}
	group_add(r, h, asset, at);
}

static void on_hit(void *ctx, const struct yg_ruleset_hit *h)
{
	struct yg_rules_run *r = ctx;
	struct stat *s = stat_of(r, h->rule);
	if (s == NULL)
		return;
	if (h->excepted) {
		s->excepted++;
		r->c.excepted++;
		return;
	}
	yg_feed_id(r->ev->spool, r->ev->batch, r->ev->row, s->samples[s->hits % YG_RULES_SAMPLES]);
	s->hits++;
	r->c.hits++;
	if (h->wanted)
		feed_match(r, h->rule);
	if (h->tells && h->stage >= YG_STAGE_AUDIT)
		find(r, h);
}

/* ---- events ---- */

/* The event's log sources of which nothing was told today. */
static void note_sources(struct yg_rules_run *r)
{
	int64_t day = yg_env_wall(r->env).us / YG_US_PER_DAY;
	if (r->known.day != day)
		known_clear(&r->known);
	r->known.day = day;
	for (size_t i = 0; i < r->record->source_count; i++) {
		const struct yg_detect_logsource *is = &r->record->sources[i];
		const uint64_t key[] = {yg_siphash(r->key, r->org.p, r->org.n),
					yg_siphash(r->key, is->category.p, is->category.n),
					yg_siphash(r->key, is->product.p, is->product.n),
					yg_siphash(r->key, is->service.p, is->service.n)};
		struct yg_feed_entry e = {.kind = YG_FEED_SOURCE};
		if (!known_new(&r->known, yg_siphash(r->key, key, sizeof key)))
			continue;
		e.source.category = is->category;
		e.source.product = is->product;
		e.source.service = is->service;
		feed_put(r, &e);
	}
}

void yg_rules_run_event(struct yg_rules_run *r, const struct yg_event *ev, struct yg_buf *scratch,
			struct yg_buf *plan, uint32_t *findings)
{
	struct yg_detect_record record;
	if (r->org.n == 0) /* nobody's: whose rules, whose alerts? */
		return;
	feed_event(r, ev);
	if (r->set == NULL)
		return;
	if (yg_detect_view_make(r->view, ev, &record, NULL) != YG_OK)
		r->nomem = true;
	r->ev = ev;
	r->record = &record;
	r->scratch = scratch;
	r->plan = plan;
	r->findings = findings;
	yg_ruleset_run(r->eval, &record, r->org_number, yg_env_wall(r->env), on_hit, r);
	if (r->records % YG_RULESET_SAMPLE == 1)
		note_sources(r);
}

static void feed_end(struct yg_rules_run *r)
{
	const struct yg_feed_entry records = {.kind = YG_FEED_RECORDS,
					      .records = {r->records, {r->first}, {r->last}}};
	for (size_t i = 0; i < r->stats.n; i++) {
		const struct stat *s = (const struct stat *)r->stats.p + i;
		feed_stat(r, s);
		r->slot[s->rule] = 0;
	}
	r->stats.n = 0;
	if (r->records > 0)
		feed_put(r, &records);
	feed_cut(r);
}

bool yg_rules_run_end(struct yg_rules_run *r, struct yg_buf *scratch, struct yg_buf *plan,
		      uint32_t *findings)
{
	r->scratch = scratch;
	r->plan = plan;
	r->findings = findings;
	groups_out(r);
	feed_end(r);
	bool ok = !r->nomem && !r->feed.bad;
	r->open = !ok;
	yg_wr_le32(plan, ok ? (uint32_t)r->cuts.n : 0);
	for (size_t i = 0; ok && i < r->cuts.n; i++) {
		const struct cut *c = (const struct cut *)r->cuts.p + i;
		yg_wr_le32(plan, c->entries);
		yg_wr_sv32(plan, (struct yg_sv){r->feed.p + c->at, c->n});
	}
	if (r->feed.cap > KEEP_BYTES)
		yg_buf_free(&r->feed);
	if (r->texts.cap > KEEP_BYTES)
		yg_buf_free(&r->texts);
	return ok;
}
