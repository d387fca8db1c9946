#include "detect/watch_set.h"

#include <stdlib.h>

#include "detect/notice_setting.h"
#include "detect/read.h"
#include "detect/registry.h"

#define ARENA_MAX ((size_t)256 << 20)

struct loading {
	struct yg_state *db;
	struct yg_watch_set *set;
	const struct yg_watch_asked *asked; /* NULL: none */
	struct yg_sv *refs; /* ids and names that correlations have, sorted; arena */
	size_t ref_n, ref_cap, cap;
};

static yg_status nomem(struct yg_err *err)
{
	return YG_FAIL(err, YG_NOMEM, "no memory for correlations");
}

/* An array of the arena with room for one more; NULL: there is no memory. */
static void *room(struct yg_arena *arena, void *old, size_t size, size_t n, size_t *cap)
{
	if (n < *cap)
		return old;
	size_t more = *cap == 0 ? 64 : *cap * 2;
	void *to = yg_arena_alloc(arena, more * size, 8);
	if (to == NULL)
		return NULL;
	if (n > 0)
		memcpy(to, old, n * size);
	*cap = more;
	return to;
}

yg_status yg_watch_set_changes(struct yg_state *db, int64_t *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT c.changes + f.changes FROM detect_change c, detect_feed_state f"),
		&s, err);
	if (st == YG_OK)
		st = yg_stmt_step(s, &row, err);
	if (st == YG_OK)
		*out = row ? yg_col_i64(s, 0) : 0;
	return st;
}

/* ---- rules ---- */

static yg_status add(struct loading *l, const struct yg_drule *r, const struct yg_sigma_rule *rule,
		     struct yg_err *err)
{
	struct yg_watch_set *set = l->set;
	struct yg_watch_rule *list =
		room(&set->arena, set->rules, sizeof *list, set->rule_n, &l->cap);
	if (list == NULL)
		return nomem(err);
	set->rules = list;
	struct yg_watch_rule *to = &list[set->rule_n];
	*to = (struct yg_watch_rule){
		.doc = {yg_arena_dup(&set->arena, r->uid), rule, (uint32_t)set->rule_n},
		.org = yg_arena_dup(&set->arena, r->org),
		.collection = yg_arena_dup(&set->arena, r->collection),
		.stage = r->stage};
	if (to->doc.uid.p == NULL || to->org.p == NULL || to->collection.p == NULL)
		return nomem(err);
	set->rule_n++;
	return YG_OK;
}

static yg_status correlation(struct loading *l, const struct yg_drule *r, struct yg_err *err)
{
	struct yg_sigma_file f = {0};
	struct yg_sv text = yg_arena_dup(&l->set->arena, r->text);
	if (text.p == NULL)
		return nomem(err);
	yg_status st = yg_sigma_read(text, "rule", NULL, NULL, &l->set->arena, &f, err);
	if (st == YG_NOMEM)
		return st;
	if (st != YG_OK || f.count != 1 || f.rules[0].kind != YG_SIGMA_CORRELATION)
		return YG_OK;
	const struct yg_sigma_correlation *c = &f.rules[0].correlation;
	for (size_t i = 0; i < c->rule_count; i++) {
		struct yg_sv *list =
			room(&l->set->arena, l->refs, sizeof *list, l->ref_n, &l->ref_cap);
		if (list == NULL)
			return nomem(err);
		l->refs = list;
		l->refs[l->ref_n++] = c->rules[i];
	}
	return add(l, r, &f.rules[0], err);
}

static int sv_order(const void *a, const void *b)
{
	return yg_sv_cmp(*(const struct yg_sv *)a, *(const struct yg_sv *)b);
}

static bool is_asked(const struct loading *l, struct yg_sv uid)
{
	const struct yg_watch_asked *a = l->asked;
	return a != NULL &&
	       ((a->tried != NULL && yg_sv_eq(a->tried->uid, uid)) ||
		(a->n > 0 && bsearch(&uid, a->uids, a->n, sizeof uid, sv_order) != NULL));
}

static yg_status within(const struct loading *l, struct yg_sv org, bool *out, struct yg_err *err)
{
	*out = true;
	return org.n == 0 || l->asked == NULL || l->asked->reach == NULL
		       ? YG_OK
		       : yg_reach_below(l->db, l->asked->reach, org, out, err);
}

static yg_status on_correlation(void *ctx, const struct yg_drule *r, struct yg_err *err)
{
	struct loading *l = ctx;
	bool there = false;
	if (r->kind != YG_SIGMA_CORRELATION || is_asked(l, r->uid))
		return YG_OK;
	yg_status st = within(l, r->org, &there, err);
	return st == YG_OK && there ? correlation(l, r, err) : st;
}

/* What is asked for may be off, or not be kept at all. */
static yg_status add_asked(struct yg_state *db, struct loading *l, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	const struct yg_watch_asked *a = l->asked;
	yg_status st = YG_OK;
	yg_arena_init(&arena, ARENA_MAX);
	for (size_t i = 0; st == YG_OK && i < a->n; i++) {
		struct yg_drule r = {.version = 0};
		yg_arena_reset(&arena);
		st = yg_drule_get(db, a->uids[i], &arena, &r, err);
		r.stage = YG_STAGE_LIVE;
		if (st == YG_NOTFOUND) /* gone meanwhile */
			st = YG_OK;
		else if (st == YG_OK && r.kind == YG_SIGMA_CORRELATION)
			st = correlation(l, &r, err);
	}
	const struct yg_ruleset_doc *t = a->tried;
	if (st != YG_OK || t == NULL)
		return st;
	const struct yg_drule r = {.uid = t->uid,
				   .org = t->org,
				   .collection = t->collection,
				   .text = t->text,
				   .stage = YG_STAGE_LIVE};
	return correlation(l, &r, err);
}

static bool referred(const struct loading *l, struct yg_sv name)
{
	return name.n > 0 && l->ref_n > 0 &&
	       bsearch(&name, l->refs, l->ref_n, sizeof name, sv_order) != NULL;
}

/* Of a rule its names are enough: ingest has asked it. */
static yg_status on_rule(void *ctx, const struct yg_drule *r, struct yg_err *err)
{
	struct loading *l = ctx;
	bool there = false;
	if (r->kind != YG_SIGMA_RULE || (!referred(l, r->sigma_id) && !referred(l, r->name)))
		return YG_OK;
	yg_status st = within(l, r->org, &there, err);
	if (st != YG_OK || !there)
		return st;
	struct yg_sigma_rule *rule = YG_NEW(&l->set->arena, struct yg_sigma_rule);
	if (rule == NULL)
		return nomem(err);
	*rule = (struct yg_sigma_rule){.kind = YG_SIGMA_RULE,
				       .id = yg_arena_dup(&l->set->arena, r->sigma_id),
				       .name = yg_arena_dup(&l->set->arena, r->name)};
	if (rule->id.p == NULL || rule->name.p == NULL)
		return nomem(err);
	return add(l, r, rule, err);
}

/* ---- what organisations say ---- */

static yg_status overrides(struct yg_state *db, struct yg_watch_set *set, uint32_t rule,
			   size_t *cap, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT org, stage, expires FROM detect_override WHERE rule = $1"), &s,
		err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, set->rules[rule].doc.uid);
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		struct yg_watch_override *list =
			room(&set->arena, set->overrides, sizeof *list, set->override_n, cap);
		if (list == NULL)
			return nomem(err);
		set->overrides = list;
		struct yg_watch_override *o = &list[set->override_n];
		*o = (struct yg_watch_override){.rule = rule,
						.org = yg_arena_dup(&set->arena, yg_col_text(s, 0)),
						.expires = {yg_col_i64(s, 2)}};
		if (o->org.p == NULL)
			return nomem(err);
		if (yg_detect_stage_parse(yg_col_text(s, 1), &o->stage) == YG_OK)
			set->override_n++;
	}
	return st;
}

static yg_status except(struct yg_watch_set *set, uint32_t rule, struct yg_stmt *s, size_t *cap,
			struct yg_err *err)
{
	const struct yg_watch_exception x = {yg_col_text(s, 1), rule, (uint32_t)set->except_n};
	struct yg_watch_except *list =
		room(&set->arena, set->excepts, sizeof *list, set->except_n, cap);
	if (list == NULL)
		return nomem(err);
	set->excepts = list;
	list[set->except_n] = (struct yg_watch_except){
		.org = yg_arena_dup(&set->arena, yg_col_text(s, 0)), .expires = {yg_col_i64(s, 2)}};
	if (list[set->except_n].org.p == NULL)
		return nomem(err);
	yg_status st = yg_watch_excepts_add(set->excepts_asked, &x, err);
	if (st == YG_NOMEM)
		return st;
	set->except_n += st == YG_OK;
	return YG_OK;
}

static yg_status excepts(struct yg_state *db, struct yg_watch_set *set, uint32_t rule, size_t *cap,
			 struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT org, text, expires FROM detect_exception WHERE rule = $1 ORDER BY id"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, set->rules[rule].doc.uid);
	while (st == YG_OK && (st = yg_stmt_step(s, &row, err)) == YG_OK && row)
		st = except(set, rule, s, cap, err);
	return st;
}

static yg_status notices(struct yg_state *db, struct yg_watch_set *set, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	size_t cap = 0;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT org, kind, stage FROM detect_notice ORDER BY org, kind"), &s,
		err);
	while (st == YG_OK && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		struct yg_watch_notice *list =
			room(&set->arena, set->notices, sizeof *list, set->notice_n, &cap);
		if (list == NULL)
			return nomem(err);
		set->notices = list;
		struct yg_watch_notice *n = &list[set->notice_n];
		n->org = yg_arena_dup(&set->arena, yg_col_text(s, 0));
		if (n->org.p == NULL)
			return nomem(err);
		if (yg_notice_parse(yg_col_text(s, 1), &n->kind) == YG_OK &&
		    yg_detect_stage_parse(yg_col_text(s, 2), &n->stage) == YG_OK)
			set->notice_n++;
	}
	return st;
}

static yg_status load(struct yg_state *db, const struct yg_env *env, struct loading *l,
		      struct yg_err *err)
{
	struct yg_watch_set *set = l->set;
	size_t cap = 0, except_cap = 0;
	yg_status st = yg_watch_excepts_new(env, &set->excepts_asked, err);
	if (st == YG_OK)
		st = yg_watch_set_changes(db, &set->changes, err);
	if (st == YG_OK)
		st = yg_detect_rules_each(db, on_correlation, l, err);
	if (st == YG_OK && l->asked != NULL)
		st = add_asked(db, l, err);
	set->correlations = set->rule_n;
	if (l->ref_n > 1)
		qsort(l->refs, l->ref_n, sizeof *l->refs, sv_order);
	if (st == YG_OK && l->ref_n > 0)
		st = yg_detect_rules_each(db, on_rule, l, err);
	for (uint32_t i = 0; st == YG_OK && i < set->correlations; i++)
		st = overrides(db, set, i, &cap, err);
	for (uint32_t i = 0; st == YG_OK && i < set->correlations; i++)
		st = excepts(db, set, i, &except_cap, err);
	if (st == YG_OK)
		st = yg_watch_excepts_end(set->excepts_asked, err);
	return st == YG_OK ? notices(db, set, err) : st;
}

yg_status yg_watch_set_load(struct yg_state *db, const struct yg_env *env,
			    const struct yg_watch_asked *asked, struct yg_watch_set *out,
			    struct yg_err *err)
{
	struct yg_watch_set set = {.rule_n = 0};
	struct loading l = {.db = db, .set = &set, .asked = asked};
	yg_arena_init(&set.arena, ARENA_MAX);
	yg_status st = load(db, env, &l, err);
	if (st == YG_OK)
		*out = set;
	else
		yg_watch_set_free(&set);
	return st;
}

void yg_watch_set_free(struct yg_watch_set *set)
{
	yg_watch_excepts_free(set->excepts_asked);
	yg_arena_free(&set->arena);
	*set = (struct yg_watch_set){.rule_n = 0};
}

/* ---- places ---- */

yg_status yg_watch_own_networks(struct yg_state *db, struct yg_arena *arena,
				struct yg_watch_own **out, size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_watch_own *list = NULL;
	size_t n = 0, cap = 0;
	bool row = true;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT y.org, m.value FROM system_member m JOIN information_system y ON y.id = m.system"
		       " WHERE m.type = 'network' ORDER BY y.org, m.value"),
		&s, err);
	while (st == YG_OK && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		list = room(arena, list, sizeof *list, n, &cap);
		if (list == NULL)
			return nomem(err);
		struct yg_watch_own *to = &list[n];
		if (yg_ip_prefix_parse(yg_col_text(s, 1), &to->network.ip, &to->network.bits,
				       NULL) != YG_OK)
			continue;
		to->org = yg_arena_dup(arena, yg_col_text(s, 0));
		if (to->org.p == NULL)
			return nomem(err);
		n++;
	}
	*out = list;
	*out_n = n;
	return st;
}

bool yg_watch_holds(const struct yg_watch_set *set, uint32_t rule, const struct yg_watch_place *at)
{
	struct yg_sv org = set->rules[rule].org;
	for (size_t i = 0; i < at->n; i++)
		if (org.n == 0 || yg_sv_eq(yg_sv_of(at->above[i]), org))
			return true;
	return false;
}

enum yg_detect_stage yg_watch_stage(const struct yg_watch_set *set, uint32_t rule,
				    const struct yg_watch_place *at, yg_wall now)
{
	for (size_t i = 0; i < at->n; i++) {
		for (size_t k = 0; k < set->override_n; k++) {
			const struct yg_watch_override *o = &set->overrides[k];
			if (o->rule == rule && yg_sv_eq(o->org, yg_sv_of(at->above[i])) &&
			    (o->expires.us == 0 || o->expires.us > now.us))
				return o->stage;
		}
	}
	return set->rules[rule].stage;
}

struct excepting {
	const struct yg_watch_set *set;
	const struct yg_watch_place *at;
	yg_wall now;
};

static bool except_holds(void *ctx, uint32_t tag)
{
	const struct excepting *e = ctx;
	const struct yg_watch_except *x = &e->set->excepts[tag];
	bool here = x->org.n == 0;
	for (size_t i = 0; !here && i < e->at->n; i++)
		here = yg_sv_eq(yg_sv_of(e->at->above[i]), x->org);
	return here && (x->expires.us == 0 || x->expires.us > e->now.us);
}

bool yg_watch_set_excepted(const struct yg_watch_set *set, uint32_t rule,
			   const struct yg_correlate_hit *hit, const struct yg_watch_place *at,
			   yg_wall now)
{
	struct excepting e = {set, at, now};
	return set->excepts_asked != NULL &&
	       yg_watch_excepted(set->excepts_asked, rule, hit, except_holds, &e);
}

enum yg_detect_stage yg_watch_notice_stage(const struct yg_watch_set *set,
					   const struct yg_notice *n,
					   const struct yg_watch_place *at)
{
	for (size_t i = 0; i <= at->n; i++) {
		struct yg_sv org = i < at->n ? yg_sv_of(at->above[i]) : YG_SV("");
		for (size_t k = 0; k < set->notice_n; k++)
			if (set->notices[k].kind == n->kind && yg_sv_eq(set->notices[k].org, org))
				return set->notices[k].stage;
	}
	/* who scans from outside is seen every day */
	bool outside = n->kind == YG_NOTICE_SCAN && n->flag;
	return outside ? YG_STAGE_AUDIT : yg_notice_default(n->kind);
}
