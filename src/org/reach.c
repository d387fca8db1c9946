#include "org/reach.h"

#include <stdlib.h>

#define ORGS_MAX 100000 /* of one reach; more is an error, never a part of it */

static int compare(const void *a, const void *b)
{
	return yg_sv_cmp(*(const struct yg_sv *)a, *(const struct yg_sv *)b);
}

static bool contains(const struct yg_sv *list, size_t n, struct yg_sv key)
{
	return n > 0 && bsearch(&key, list, n, sizeof *list, compare) != NULL;
}

bool yg_reach_has(const struct yg_reach *r, struct yg_sv org, struct yg_sv system)
{
	return r->all || (org.n > 0 && contains(r->orgs, r->org_count, org)) ||
	       (system.n > 0 && contains(r->systems, r->system_count, system));
}

bool yg_reach_at(const struct yg_reach *r, yg_wall t)
{
	return (r->from.us == 0 || t.us >= r->from.us) && (r->to.us == 0 || t.us < r->to.us);
}

bool yg_reach_none(const struct yg_reach *r)
{
	return !r->all && r->org_count == 0 && r->system_count == 0;
}

static yg_status look_up(struct yg_state *db, struct yg_sv person, bool *out_active,
			 bool *out_administrator, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT state = 'active', administrator FROM person WHERE id = $1"), &s,
		err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, person);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && row) {
		*out_active = yg_col_i64(s, 0) != 0;
		*out_administrator = yg_col_i64(s, 1) != 0;
	}
	return st;
}

/* Who made the set-up holds the role on the whole without a grant, so that it
 * cannot be lost by removing one. */
static yg_status add_administrator(struct yg_sv person, struct yg_arena *arena,
				   struct yg_rights *out, struct yg_err *err)
{
	struct yg_grant *more = YG_NEW_N(arena, struct yg_grant, out->count + 1);
	if (more == NULL)
		return YG_FAIL(err, YG_NOMEM, "rights");
	more[0] = (struct yg_grant){.id = YG_SV_INIT(""),
				    .person = person,
				    .role = YG_ROLE_ADMINISTRATOR,
				    .node = YG_SV_INIT(""),
				    .system = YG_SV_INIT(""),
				    .created_by = YG_SV_INIT(""),
				    .reason = YG_SV_INIT("")};
	if (out->count > 0)
		memcpy(more + 1, out->grants, out->count * sizeof *more);
	out->grants = more;
	out->count++;
	return YG_OK;
}

yg_status yg_rights_of(struct yg_state *db, struct yg_sv person, yg_wall now,
		       struct yg_arena *arena, struct yg_rights *out, struct yg_err *err)
{
	struct yg_grant_filter f = {
		.reach = {.all = true}, .person = person, .at = now, .limit = YG_GRANTS_MAX};
	bool active = false, administrator = false;
	*out = (struct yg_rights){0};
	yg_status st = person.n > 0 ? look_up(db, person, &active, &administrator, err) : YG_OK;
	if (st != YG_OK || !active)
		return st;
	st = yg_grant_list(db, &f, arena, &out->grants, &out->count, err);
	if (st == YG_OK && administrator)
		st = add_administrator(person, arena, out, err);
	for (size_t i = 0; st == YG_OK && i < out->count; i++) {
		yg_wall end = out->grants[i].expires;
		if (end.us != 0 && (out->until.us == 0 || end.us < out->until.us))
			out->until = end;
	}
	return st;
}

uint64_t yg_rights_scopes(const struct yg_rights *r)
{
	uint64_t bits = 0;
	for (size_t i = 0; i < r->count; i++)
		bits |= yg_role_info(r->grants[i].role)->scopes;
	return bits;
}

yg_status yg_rights_words(const struct yg_rights *r, struct yg_arena *arena, struct yg_sv *out,
			  struct yg_err *err)
{
	char text[YG_SCOPE_COUNT * 24];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	uint64_t bits = yg_rights_scopes(r);
	for (unsigned i = 0; i < YG_SCOPE_COUNT; i++) {
		if ((bits >> i & 1) == 0)
			continue;
		if (b.n > 0)
			yg_sb_putc(&b, ' ');
		yg_sb_put(&b, yg_sv_of(yg_scope_name(i)));
	}
	*out = yg_arena_dup(arena, yg_sb_sv(&b));
	return out->p != NULL && !b.cut ? YG_OK : YG_FAIL(err, YG_NOMEM, "rights");
}

bool yg_rights_audits(const struct yg_rights *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->grants[i].role == YG_ROLE_AUDITOR)
			return true;
	return false;
}

struct yg_sv yg_rights_root(const struct yg_rights *r)
{
	for (size_t i = 1; i < r->count; i++)
		if (!yg_sv_eq(r->grants[i].node, r->grants[0].node))
			return YG_SV("");
	return r->count > 0 ? r->grants[0].node : YG_SV("");
}

/* A statement whose rows are one word each, ascending. */
static yg_status words(struct yg_stmt *s, struct yg_arena *arena, const struct yg_sv **out,
		       size_t *out_n, struct yg_err *err)
{
	size_t cap = 0, n = 0;
	struct yg_sv *list = NULL;
	bool row = true;
	yg_status st = YG_OK;
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		if (n == cap) {
			cap = cap == 0 ? 32 : cap * 4;
			struct yg_sv *more =
				cap <= ORGS_MAX * 4 ? YG_NEW_N(arena, struct yg_sv, cap) : NULL;
			if (more == NULL)
				return YG_FAIL(err, YG_NOMEM, "rights");
			if (n > 0)
				memcpy(more, list, n * sizeof *list);
			list = more;
		}
		list[n] = yg_arena_dup(arena, yg_col_text(s, 0));
		if (list[n++].p == NULL)
			return YG_FAIL(err, YG_NOMEM, "rights");
	}
	*out = list;
	*out_n = n;
	return st;
}

/* Of a period that ends, what was there by its end. */
static yg_status expand(struct yg_state *db, const struct yg_sv *nodes, size_t n,
			struct yg_arena *arena, struct yg_reach *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	int64_t until_us = yg_reach_until(out);
	if (n == 0)
		return YG_OK;
	yg_status st = yg_state_prepare(
		db,
		until_us == INT64_MAX
			? YG_SQL("SELECT DISTINCT slug FROM organisation_path WHERE ancestor IN yg_set($1)"
				 " AND $2 = $2 ORDER BY slug")
			: YG_SQL("SELECT DISTINCT p.slug FROM organisation_path p JOIN organisation o"
				 " ON o.slug = p.slug WHERE p.ancestor IN yg_set($1) AND o.created < $2"
				 " ORDER BY p.slug"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_set(s, 1, nodes, n);
	yg_stmt_i64(s, 2, until_us);
	return words(s, arena, &out->orgs, &out->org_count, err);
}

/* Of the systems in `ids` those of organisations in `keep` (all: any) and not in out->orgs. */
static yg_status add_systems(struct yg_state *db, const struct yg_sv *ids, size_t n,
			     const struct yg_reach *keep, struct yg_arena *arena,
			     struct yg_reach *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	if (n == 0)
		return YG_OK;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT id FROM information_system WHERE id IN yg_set($1)"
		       " AND org NOT IN yg_set($2) AND ($3 = 1 OR org IN yg_set($4)) ORDER BY id"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_set(s, 1, ids, n);
	yg_stmt_set(s, 2, out->orgs, out->org_count);
	yg_stmt_i64(s, 3, yg_reach_all_flag(keep));
	yg_stmt_set(s, 4, keep->orgs, keep->org_count);
	return words(s, arena, &out->systems, &out->system_count, err);
}

/* An auditor holds no other role and one period (org/grant.h); should both be
 * there all the same, the narrower holds for everything. */
static void narrow_period(struct yg_reach *r, const struct yg_grant *g)
{
	if (g->from.us != 0 && g->from.us > r->from.us)
		r->from = g->from;
	if (g->to.us != 0 && (r->to.us == 0 || g->to.us < r->to.us))
		r->to = g->to;
}

yg_status yg_rights_reach(struct yg_state *db, const struct yg_rights *r, uint64_t bits,
			  struct yg_arena *arena, struct yg_reach *out, struct yg_err *err)
{
	struct yg_reach any = YG_REACH_ALL;
	struct yg_sv *nodes = YG_NEW_N(arena, struct yg_sv, r->count + 1);
	struct yg_sv *systems = YG_NEW_N(arena, struct yg_sv, r->count + 1);
	size_t node_count = 0, system_count = 0;
	*out = (struct yg_reach){0};
	if (nodes == NULL || systems == NULL)
		return YG_FAIL(err, YG_NOMEM, "rights");
	for (size_t i = 0; i < r->count; i++) {
		const struct yg_grant *g = &r->grants[i];
		if (bits == 0 || (yg_role_info(g->role)->scopes & bits) != bits)
			continue;
		narrow_period(out, g);
		if (g->system.n > 0)
			systems[system_count++] = g->system;
		else if (g->node.n > 0)
			nodes[node_count++] = g->node;
		else
			out->all = true;
	}
	if (out->all)
		return YG_OK;
	yg_status st = expand(db, nodes, node_count, arena, out, err);
	return st == YG_OK ? add_systems(db, systems, system_count, &any, arena, out, err) : st;
}

yg_status yg_reach_below(struct yg_state *db, const struct yg_reach *r, struct yg_sv node,
			 bool *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	*out = r->all;
	if (r->all || node.n == 0)
		return YG_OK;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT 1 FROM organisation_path WHERE ancestor = $1 AND slug IN yg_set($2) LIMIT 1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, node);
	yg_stmt_set(s, 2, r->orgs, r->org_count);
	return yg_stmt_step(s, out, err);
}

yg_status yg_reach_node(struct yg_state *db, struct yg_sv node, struct yg_arena *arena,
			struct yg_reach *out, struct yg_err *err)
{
	*out = (struct yg_reach){0};
	yg_status st = expand(db, &node, 1, arena, out, err);
	if (st == YG_OK && out->org_count == 0)
		return YG_FAIL(err, YG_NOTFOUND, "no such organisation");
	return st;
}

yg_status yg_reach_narrow(struct yg_state *db, const struct yg_reach *r, struct yg_sv node,
			  struct yg_arena *arena, struct yg_reach *out, struct yg_err *err)
{
	struct yg_reach below;
	const struct yg_reach from = *r; /* `out` may be the same */
	yg_status st = yg_reach_node(db, node, arena, &below, err);
	if (st != YG_OK)
		return st;
	/* a node that is not within reach itself is not there, even when something
	 * below it is; but the organisation of a system that is */
	if (!from.all && !contains(from.orgs, from.org_count, node))
		below = yg_reach_one(&node);
	struct yg_sv *orgs = YG_NEW_N(arena, struct yg_sv, below.org_count);
	size_t n = 0;
	if (orgs == NULL)
		return YG_FAIL(err, YG_NOMEM, "rights");
	for (size_t i = 0; i < below.org_count; i++)
		if (from.all || contains(from.orgs, from.org_count, below.orgs[i]))
			orgs[n++] = below.orgs[i];
	*out = (struct yg_reach){.orgs = orgs, .org_count = n, .from = from.from, .to = from.to};
	if (!from.all)
		st = add_systems(db, from.systems, from.system_count, &below, arena, out, err);
	if (st == YG_OK && yg_reach_none(out))
		return YG_FAIL(err, YG_NOTFOUND, "no such organisation");
	return st;
}
