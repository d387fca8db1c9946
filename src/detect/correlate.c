#include "detect/correlate.h"

#include <stdio.h>
#include <stdlib.h>

#include "detect/correlate_internal.h"

#define ARENA_MAX ((size_t)512 << 20) /* a million rules' names */
#define ABSENT    0xffffu
#define HEAD_MAX  (YG_CORRELATE_VALUE_MAX - 17) /* of a value that is too long; then '#', hash */

struct text { /* values, each with its length in front */
	char p[YG_CORR_KEY_MAX];
	size_t n;
};

struct yg_correlate_opts yg_correlate_defaults(void)
{
	return (struct yg_correlate_opts){.lateness = YG_SECONDS(60),
					  .ahead = YG_SECONDS(300),
					  .pending = 200000,
					  .groups = 100000,
					  .memory = (size_t)256 << 20};
}

yg_status yg_correlate_new(const struct yg_sigma_rule *const *rules, size_t count,
			   const struct yg_correlate_opts *opts, const struct yg_env *env,
			   yg_correlate_report_fn *report, void *ctx, struct yg_correlate **out,
			   struct yg_err *err)
{
	struct yg_correlate *c = calloc(1, sizeof *c);
	if (c == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for correlations");
	yg_arena_init(&c->arena, ARENA_MAX);
	c->opts = *opts;
	c->opts.lateness.us = YG_MIN(YG_MAX(opts->lateness.us, 0), 366 * YG_US_PER_DAY);
	c->opts.groups = YG_MAX(opts->groups, 1);
	c->opts.pending = YG_MAX(opts->pending, 1);
	env->random(env->ctx, c->key, sizeof c->key);
	if (yg_corr_rules(c, rules, count, report, ctx) != YG_OK) {
		yg_correlate_free(c);
		return YG_FAIL(err, YG_NOMEM, "no memory for correlations");
	}
	*out = c;
	return YG_OK;
}

void yg_correlate_free(struct yg_correlate *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->heap_n; i++)
		free(c->heap[i]);
	free(c->heap);
	for (uint32_t i = 0; i < c->corr_count && c->corrs != NULL; i++) {
		while (c->corrs[i].first != NULL)
			yg_corr_remove(c, &c->corrs[i], c->corrs[i].first);
		free(c->corrs[i].buckets);
	}
	yg_arena_free(&c->arena);
	free(c);
}

size_t yg_correlate_count(const struct yg_correlate *c)
{
	size_t n = 0;
	for (uint32_t i = 0; i < c->corr_count; i++)
		n += !c->corrs[i].broken;
	return n;
}

bool yg_correlate_tells(const struct yg_correlate *c, uint32_t rule)
{
	return rule >= c->rule_count || c->uses[rule].tells;
}

bool yg_correlate_wants(const struct yg_correlate *c, uint32_t rule)
{
	return rule < c->rule_count && c->uses[rule].n > 0;
}

bool yg_correlate_counts(const struct yg_correlate *c, uint32_t rule,
			 struct yg_correlate_counts *out)
{
	if (rule >= c->rule_count || c->by_rule[rule] == YG_CORR_NONE ||
	    c->corrs[c->by_rule[rule]].broken)
		return false;
	*out = c->corrs[c->by_rule[rule]].counts;
	return true;
}

uint64_t yg_correlate_groups(const struct yg_correlate *c, uint32_t rule)
{
	return rule < c->rule_count && c->by_rule[rule] != YG_CORR_NONE
		       ? c->corrs[c->by_rule[rule]].group_count
		       : 0;
}

struct yg_correlate_usage yg_correlate_usage(const struct yg_correlate *c)
{
	struct yg_correlate_usage u = {.watermark = {c->watermark},
				       .pending = c->pending,
				       .bytes = c->bytes + c->pending_bytes,
				       .forced = c->forced};
	for (uint32_t i = 0; i < c->corr_count; i++)
		u.groups += c->corrs[i].group_count;
	return u;
}

/* ---- events in ---- */

/* ASCII letters fold; of a long value its head and a hash of all of it. */
static void put_value(const struct yg_correlate *c, struct text *t, struct yg_sv s)
{
	size_t n = s.n, at = t->n + 2;
	if (s.n > YG_CORRELATE_VALUE_MAX)
		n = yg_utf8_cut(s, HEAD_MAX).n;
	for (size_t i = 0; i < n; i++) {
		char ch = s.p[i];
		t->p[at + i] = (char)(ch >= 'A' && ch <= 'Z' ? ch + 32 : ch);
	}
	if (s.n > YG_CORRELATE_VALUE_MAX) {
		uint64_t hash = yg_siphash(c->key, s.p, s.n);
		struct yg_sb b = yg_sb_init(t->p + at + n, 17);
		yg_sb_putc(&b, '#');
		yg_sb_hex(&b, &hash, sizeof hash);
		n += b.n;
	}
	uint16_t length = (uint16_t)n;
	memcpy(t->p + t->n, &length, sizeof length);
	t->n = at + n;
}

/* False: one of the fields is not there. */
static bool put_fields(const struct yg_correlate *c, const struct yg_corr_names *names,
		       const struct yg_correlate_event *ev, struct text *t)
{
	for (uint32_t i = 0; i < names->n; i++) {
		struct yg_sv s;
		if (!ev->field(ev->ctx, names->v[i], &s))
			return false;
		put_value(c, t, s);
	}
	return true;
}

static void put_carry(const struct yg_correlate *c, const struct yg_corr_names *names,
		      const struct yg_correlate_event *ev, struct text *t)
{
	const uint16_t absent = ABSENT;
	for (uint32_t i = 0; i < names->n; i++) {
		struct yg_sv s;
		if (ev->field(ev->ctx, names->v[i], &s)) {
			put_value(c, t, s);
			continue;
		}
		memcpy(t->p + t->n, &absent, sizeof absent);
		t->n += sizeof absent;
	}
}

/* What a type compares of an event; false: it is not there or no number. */
static bool value_of(const struct yg_correlate *c, const struct yg_corr *k,
		     const struct yg_corr_use *use, const struct yg_correlate_event *ev,
		     uint64_t *out)
{
	struct yg_sv s;
	double d;
	*out = 0;
	if (k->type == YG_SIGMA_VALUE_COUNT) {
		struct text t = {.n = 0};
		if (!put_fields(c, &use->fields, ev, &t))
			return false;
		*out = yg_siphash(c->key, t.p, t.n);
		return true;
	}
	if (use->fields.n == 0)
		return true;
	if (!ev->field(ev->ctx, use->fields.v[0], &s) || !yg_sigma_number(s, &d) || d > 9.2e15 ||
	    d < -9.2e15)
		return false;
	*out = (uint64_t)yg_corr_thousandths(d);
	return true;
}

/* The entry of one use; NULL with *nomem false: the event does not count there. */
static struct yg_corr_entry *entry_of(struct yg_correlate *c, const struct yg_corr_use *use,
				      const struct yg_correlate_event *ev, bool *nomem)
{
	struct yg_corr *k = &c->corrs[use->corr];
	struct text key = {.n = 0}, carry = {.n = 0};
	uint64_t value;
	*nomem = false;
	if (!put_fields(c, &use->group, ev, &key)) {
		k->counts.no_group++;
		return NULL;
	}
	if (!value_of(c, k, use, ev, &value)) {
		k->counts.no_value++;
		return NULL;
	}
	put_carry(c, &use->carry, ev, &carry);
	struct yg_corr_entry *e = yg_corr_entry_new(ev->time.us, (struct yg_sv){key.p, key.n},
						    (struct yg_sv){carry.p, carry.n});
	if (e == NULL) {
		*nomem = true;
		return NULL;
	}
	e->corr = use->corr;
	e->depth = k->depth;
	e->pos = use->pos;
	e->value = value;
	e->id[0] = ev->id[0];
	e->id[1] = ev->id[1];
	return e;
}

static void put_event(struct yg_correlate *c, uint32_t rule, const struct yg_correlate_event *ev)
{
	const struct yg_corr_uses *u = &c->uses[rule];
	for (uint32_t i = 0; i < u->n; i++) {
		bool nomem;
		struct yg_corr_entry *e = entry_of(c, &u->v[i], ev, &nomem);
		if (nomem || (e != NULL && !yg_corr_push(c, e))) {
			c->corrs[u->v[i].corr].counts.dropped++;
			c->nomem = true;
		}
	}
}

/* ---- hits out, and up ---- */

struct hit_fields { /* a hit as an event */
	const struct yg_corr *k;
	const struct yg_sv *group, *carry; /* p NULL: absent */
};
static bool hit_field(void *ctx, struct yg_sv field, struct yg_sv *out)
{
	const struct hit_fields *h = ctx;
	for (uint32_t i = 0; i < h->k->group.n; i++)
		if (yg_sv_eq(h->k->group.v[i], field)) {
			*out = h->group[i];
			return true;
		}
	for (uint32_t i = 0; i < h->k->carry.n; i++)
		if (yg_sv_eq(h->k->carry.v[i], field)) {
			*out = h->carry[i];
			return h->carry[i].p != NULL;
		}
	return false;
}

/* Values of a text; what is not there has no p. */
static void split(const char *p, size_t n, uint32_t count, struct yg_sv *out)
{
	size_t at = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint16_t length = ABSENT;
		if (at + 2 <= n)
			memcpy(&length, p + at, sizeof length);
		at += 2;
		out[i] = (struct yg_sv){NULL, 0};
		if (length == ABSENT || at + length > n)
			continue;
		out[i] = (struct yg_sv){p + at, length};
		at += length;
	}
}

static void tell(struct yg_correlate *c, struct yg_corr *k, struct yg_corr_group *g,
		 const struct yg_correlate_hit *found, int64_t from, const struct yg_corr_out *out)
{
	struct yg_correlate_hit hit = *found;
	struct yg_sv group[YG_SIGMA_GROUP_MAX], carry[YG_CORRELATE_CARRY_MAX];
	uint64_t ids[YG_CORRELATE_EVIDENCE][2];
	split(g->key, g->key_n, k->group.n, group);
	split(g->carry, g->carry_n, k->carry.n, carry);
	for (uint32_t i = 0; i < g->seen_n; i++) {
		const struct yg_corr_seen *s =
			&g->seen[(g->seen_at + YG_CORRELATE_EVIDENCE - g->seen_n + i) %
				 YG_CORRELATE_EVIDENCE];
		if (s->time < from)
			continue;
		ids[hit.id_count][0] = s->id[0];
		ids[hit.id_count++][1] = s->id[1];
	}
	hit.rule = k->rule;
	hit.last = (yg_wall){g->last};
	hit.names = k->group.v;
	hit.values = group;
	hit.group_count = k->group.n;
	hit.ids = ids;
	hit.silent = !yg_correlate_tells(c, k->rule);
	if (out->hit != NULL && !out->hit(out->ctx, &hit))
		return;
	k->counts.hits++;
	if (!yg_correlate_wants(c, k->rule))
		return;
	struct hit_fields fields = {k, group, carry};
	struct yg_correlate_event ev = {.time = hit.time, .field = hit_field, .ctx = &fields};
	if (hit.id_count > 0)
		memcpy(ev.id, ids[hit.id_count - 1], sizeof ev.id);
	put_event(c, k->rule, &ev);
}

/* Looks at a group; true: it was told of. */
static bool judge(struct yg_correlate *c, struct yg_corr *k, struct yg_corr_group *g, int64_t time,
		  int64_t from, const struct yg_corr_out *out)
{
	struct yg_correlate_hit hit = {.time = {time}};
	if (!yg_corr_holds(k, g, from, &hit.value, &hit.first.us))
		return false;
	tell(c, k, g, &hit, from, out);
	return true;
}

/* ---- one instant after the other ---- */

/* The group of an entry, ready to count events of its time. */
static struct yg_corr_group *group_for(struct yg_correlate *c, struct yg_corr *k,
				       const struct yg_corr_entry *e)
{
	struct yg_sv key = {e->text, e->key_n};
	struct yg_corr_group *g = yg_corr_find(c, k, key);
	if (g == NULL)
		return yg_corr_add(c, k, key, e->time);
	if (!k->settled) {
		yg_corr_expire(k, g, e->time - k->span);
		yg_corr_to_end(k, g);
	}
	return g;
}

/* All entries of one group and instant, then a look at the group. */
static void take_batch(struct yg_correlate *c, const struct yg_corr_out *out)
{
	struct yg_corr_entry *e = yg_corr_pop(c), *next;
	struct yg_corr *k = &c->corrs[e->corr];
	struct yg_corr_group *g = group_for(c, k, e);
	for (;; e = next) {
		if (g != NULL && yg_corr_take(c, k, g, e)) {
			k->counts.events++;
		} else {
			k->counts.dropped++;
			c->nomem = true;
		}
		next = c->heap_n > 0 ? c->heap[0] : NULL;
		if (next == NULL || next->pos == YG_CORR_TIMER || next->corr != e->corr ||
		    next->time != e->time ||
		    !yg_sv_eq((struct yg_sv){next->text, next->key_n},
			      (struct yg_sv){e->text, e->key_n}))
			break;
		(void)yg_corr_pop(c);
		free(e);
	}
	/* without a count there was no memory for its first event */
	if (g != NULL &&
	    (g->count == 0 || (!k->settled && judge(c, k, g, e->time, e->time - k->span, out))))
		yg_corr_remove(c, k, g);
	yg_corr_fit(c, 0, e->time);
	yg_corr_arm(c, k);
	free(e);
}

static void take_timer(struct yg_correlate *c, const struct yg_corr_out *out)
{
	struct yg_corr_entry *e = yg_corr_pop(c);
	struct yg_corr *k = &c->corrs[e->corr];
	k->armed = YG_CORR_NEVER;
	while (k->first != NULL && k->first->start + k->span <= e->time) {
		(void)judge(c, k, k->first, e->time, YG_CORR_NEVER + 1, out);
		yg_corr_remove(c, k, k->first);
	}
	yg_corr_arm(c, k);
	free(e);
}

static void run(struct yg_correlate *c, int64_t watermark, const struct yg_corr_out *out)
{
	c->watermark = YG_MAX(c->watermark, watermark);
	for (;;) {
		bool full = c->pending > c->opts.pending || c->pending_bytes > c->opts.memory;
		if (c->heap_n == 0 || (c->heap[0]->time >= c->watermark && !full))
			return;
		if (c->heap[0]->time >= c->watermark) {
			c->watermark = c->heap[0]->time + 1;
			c->forced++;
		}
		c->now = c->heap[0]->time;
		if (c->heap[0]->pos == YG_CORR_TIMER)
			take_timer(c, out);
		else
			take_batch(c, out);
	}
}

yg_status yg_correlate_event(struct yg_correlate *c, uint32_t rule,
			     const struct yg_correlate_event *ev, yg_correlate_hit_fn *hit,
			     void *ctx)
{
	struct yg_corr_out out = {hit, ctx};
	int64_t t = ev->time.us;
	if (!yg_correlate_wants(c, rule))
		return YG_OK;
	bool ahead = t > YG_CORR_TIME_MAX ||
		     (t > 0 && ev->arrived.us > 0 && t - ev->arrived.us > c->opts.ahead.us);
	if (ahead || t < c->watermark) {
		for (uint32_t i = 0; i < c->uses[rule].n; i++) {
			struct yg_correlate_counts *n = &c->corrs[c->uses[rule].v[i].corr].counts;
			n->ahead += ahead;
			n->late += !ahead;
		}
		return YG_OK;
	}
	c->nomem = false;
	put_event(c, rule, ev);
	c->latest = YG_MAX(c->latest, t);
	run(c, c->latest - c->opts.lateness.us, &out);
	return c->nomem ? YG_NOMEM : YG_OK;
}

yg_status yg_correlate_advance(struct yg_correlate *c, yg_wall time, yg_correlate_hit_fn *hit,
			       void *ctx)
{
	struct yg_corr_out out = {hit, ctx};
	c->nomem = false;
	run(c, YG_MIN(time.us, YG_CORR_TIME_MAX + 1), &out);
	return c->nomem ? YG_NOMEM : YG_OK;
}

yg_status yg_correlate_flush(struct yg_correlate *c, yg_correlate_hit_fn *hit, void *ctx)
{
	struct yg_corr_out out = {hit, ctx};
	c->nomem = false;
	run(c, INT64_MAX, &out);
	return c->nomem ? YG_NOMEM : YG_OK;
}
