#include "org/grant.h"

#include "org/audit_log.h"
#include "org/organisation.h"

#define COLUMNS                                                                                    \
	"id, person, role, node, system, period_from, period_to, expires, created, created_by, reason"
#define REASON_MAX 8000 /* bytes */
#define PERSON_MAX 64

static yg_status take(struct yg_stmt *s, struct yg_arena *arena, struct yg_grant *g,
		      struct yg_err *err)
{
	const struct {
		struct yg_sv *to;
		int column;
	} texts[] = {{&g->id, 0},     {&g->person, 1},     {&g->node, 3},
		     {&g->system, 4}, {&g->created_by, 9}, {&g->reason, 10}};
	for (size_t i = 0; i < YG_LEN(texts); i++) {
		*texts[i].to = yg_arena_dup(arena, yg_col_text(s, texts[i].column));
		if (texts[i].to->p == NULL)
			return YG_FAIL(err, YG_NOMEM, "grants");
	}
	g->role = YG_ROLE_NONE; /* one that this program does not know gives nothing */
	(void)yg_role_parse(yg_col_text(s, 2), &g->role);
	g->from.us = yg_col_i64(s, 5);
	g->to.us = yg_col_i64(s, 6);
	g->expires.us = yg_col_i64(s, 7);
	g->created.us = yg_col_i64(s, 8);
	return YG_OK;
}

static yg_status take_all(struct yg_stmt *s, uint32_t limit, struct yg_arena *arena,
			  struct yg_grant **out, size_t *out_n, struct yg_err *err)
{
	struct yg_grant *list = NULL;
	size_t n = 0, cap = 0;
	bool row = true;
	yg_status st = YG_OK;
	while (n < limit && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		if (n == cap) {
			cap = cap == 0 ? 8 : cap * 4;
			struct yg_grant *more = YG_NEW_N(arena, struct yg_grant, cap);
			if (more == NULL)
				return YG_FAIL(err, YG_NOMEM, "grants");
			if (n > 0)
				memcpy(more, list, n * sizeof *list);
			list = more;
		}
		st = take(s, arena, &list[n++], err);
		if (st != YG_OK)
			return st;
	}
	*out = list;
	*out_n = n;
	return st;
}

yg_status yg_grant_list(struct yg_state *db, const struct yg_grant_filter *f,
			struct yg_arena *arena, struct yg_grant **out, size_t *out_n,
			struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	uint32_t limit = YG_MIN(f->limit, (uint32_t)YG_GRANTS_MAX);
	yg_status st =
		f->person.n > 0
			? yg_state_prepare(
				  db,
				  YG_SQL("SELECT " COLUMNS " FROM role_grant WHERE person = $1"
					 " AND ($2 = 1 OR node IN yg_set($3)) AND ($4 = 0 OR expires = 0 OR expires > $4)"
					 " AND ($5 = '' OR id < $5) AND ($7 = 0 OR created < $7)"
					 " ORDER BY id DESC LIMIT $6"),
				  &s, err)
			: yg_state_prepare(
				  db,
				  YG_SQL("SELECT " COLUMNS
					 " FROM role_grant WHERE ($1 = '' OR person = $1)"
					 " AND ($2 = 1 OR node IN yg_set($3)) AND ($4 = 0 OR expires = 0 OR expires > $4)"
					 " AND ($5 = '' OR id < $5) AND ($7 = 0 OR created < $7)"
					 " ORDER BY id DESC LIMIT $6"),
				  &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, f->person);
	yg_stmt_i64(s, 2, f->reach.all ? 1 : 0);
	yg_stmt_set(s, 3, f->reach.orgs, f->reach.org_count);
	yg_stmt_i64(s, 4, f->at.us);
	yg_stmt_text(s, 5, f->before);
	yg_stmt_i64(s, 6, limit);
	yg_stmt_i64(s, 7, f->reach.to.us);
	return take_all(s, limit, arena, out, out_n, err);
}

yg_status yg_grant_reaching(struct yg_state *db, struct yg_sv org, yg_wall at,
			    struct yg_arena *arena, struct yg_grant **out, size_t *out_n,
			    struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT " COLUMNS " FROM role_grant WHERE (expires = 0 OR expires > $2)"
		       " AND (node = '' OR (system = '' AND node IN (SELECT ancestor FROM organisation_path WHERE slug = $1))"
		       " OR (system <> '' AND node = $1))"
		       /* who set the installation up holds no grant, but everything */
		       " UNION ALL SELECT '', id, 'administrator', '', '', 0, 0, 0, created, '', ''"
		       " FROM person WHERE administrator = 1 AND state = 'active'"
		       " ORDER BY person, id LIMIT $3"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, org);
	yg_stmt_i64(s, 2, at.us);
	yg_stmt_i64(s, 3, YG_GRANTS_MAX);
	return take_all(s, YG_GRANTS_MAX, arena, out, out_n, err);
}

yg_status yg_grant_get(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
		       struct yg_grant *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT " COLUMNS " FROM role_grant WHERE id = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such grant");
	return st == YG_OK ? take(s, arena, out, err) : st;
}

/* The organisation of g->system becomes g->node; a node must be there. */
static yg_status place(struct yg_state *db, struct yg_arena *arena, struct yg_grant *g,
		       struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	if (g->system.n == 0)
		return g->node.n > 0 ? yg_org_known(db, g->node, err) : YG_OK;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT org FROM information_system WHERE id = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, g->system);
	st = yg_stmt_step(s, &row, err);
	if (st != YG_OK)
		return st;
	if (!row || (g->node.n > 0 && !yg_sv_eq(g->node, yg_col_text(s, 0))))
		return YG_FAIL(err, YG_NOTFOUND, "no such system");
	g->node = yg_arena_dup(arena, yg_col_text(s, 0));
	return g->node.p != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "grant");
}

static yg_status check(const struct yg_grant *g, yg_wall now, struct yg_err *err)
{
	bool audits = g->role == YG_ROLE_AUDITOR;
	if (g->role == YG_ROLE_NONE)
		return YG_FAIL(err, YG_INVAL, "no such role");
	if (g->person.n == 0 || g->person.n > PERSON_MAX)
		return YG_FAIL(err, YG_INVAL, "a grant is somebody's");
	if (g->reason.n > REASON_MAX || yg_utf8_valid(g->reason) != g->reason.n)
		return YG_FAIL(err, YG_INVAL, "a reason has at most 2000 characters");
	if (g->expires.us != 0 && g->expires.us <= now.us)
		return YG_FAIL(err, YG_INVAL, "the grant would have ended already");
	if (!audits && (g->from.us != 0 || g->to.us != 0))
		return YG_FAIL(err, YG_INVAL, "only an auditor's grant has a period");
	if (audits && (g->from.us <= 0 || g->to.us <= g->from.us))
		return YG_FAIL(err, YG_INVAL, "an auditor's grant needs a period: from before to");
	/* what alerts were is kept by the hour, and at ends that are known before */
	if (audits && g->to.us <= now.us && g->to.us % (3600 * YG_US_PER_S) != 0)
		return YG_FAIL(err, YG_INVAL, "a period that has ended ends on a whole hour");
	if ((g->role == YG_ROLE_SYSTEM_OWNER) != (g->system.n > 0))
		return YG_FAIL(err, YG_INVAL,
			       "a system owner is one of a system, other roles are of a node");
	return YG_OK;
}

/* Against what the person holds already. */
static yg_status compatible(struct yg_act *act, const struct yg_grant *g, struct yg_arena *arena,
			    struct yg_err *err)
{
	struct yg_grant *held = NULL;
	size_t n = 0;
	struct yg_grant_filter f = {.reach = {.all = true},
				    .person = g->person,
				    .at = yg_env_wall(act->env),
				    .limit = YG_GRANTS_MAX};
	yg_status st = yg_grant_list(act->db, &f, arena, &held, &n, err);
	if (st == YG_OK && n >= YG_GRANTS_MAX)
		return YG_FAIL(err, YG_LIMIT, "a person has at most %d grants", YG_GRANTS_MAX);
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		const struct yg_grant *h = &held[i];
		bool audits = g->role == YG_ROLE_AUDITOR, audited = h->role == YG_ROLE_AUDITOR;
		if (h->role == g->role && yg_sv_eq(h->node, g->node) &&
		    yg_sv_eq(h->system, g->system))
			return YG_FAIL(err, YG_CONFLICT,
				       "the person holds this role there already");
		if (audits != audited)
			return YG_FAIL(
				err, YG_CONFLICT,
				"an auditor holds no other role: remove the other grants first");
		if (audits && (h->from.us != g->from.us || h->to.us != g->to.us))
			return YG_FAIL(err, YG_CONFLICT,
				       "all grants of an auditor have the same period");
	}
	return st;
}

static yg_status insert(struct yg_act *act, const struct yg_grant *g, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st =
		yg_state_prepare(act->db,
				 YG_SQL("INSERT INTO role_grant (" COLUMNS
					") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"),
				 &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, g->id);
	yg_stmt_text(s, 2, g->person);
	yg_stmt_text(s, 3, yg_sv_of(yg_role_info(g->role)->name));
	yg_stmt_text(s, 4, g->node);
	yg_stmt_text(s, 5, g->system);
	yg_stmt_i64(s, 6, g->from.us);
	yg_stmt_i64(s, 7, g->to.us);
	yg_stmt_i64(s, 8, g->expires.us);
	yg_stmt_i64(s, 9, yg_env_wall(act->env).us);
	yg_stmt_text(s, 10, act->who);
	yg_stmt_text(s, 11, g->reason);
	return yg_stmt_run(s, err);
}

static yg_status note(struct yg_act *act, const char *action, const struct yg_grant *g,
		      struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	yg_detail_init(&d);
	yg_detail_note(&d, "person", g->person);
	yg_detail_note(&d, "role", yg_sv_of(yg_role_info(g->role)->name));
	yg_detail_note(&d, "node", g->node);
	if (g->system.n > 0)
		yg_detail_note(&d, "system", g->system);
	(void)yg_detail_time(&d, "period_from", 0, g->from.us);
	(void)yg_detail_time(&d, "period_to", 0, g->to.us);
	(void)yg_detail_time(&d, "expires", 0, g->expires.us);
	if (g->reason.n > 0)
		yg_detail_note(&d, "reason", g->reason);
	return yg_audit_add(act, action, g->id, g->node, &d, err);
}

static yg_status add(struct yg_act *act, struct yg_grant *g, struct yg_arena *arena,
		     struct yg_err *err)
{
	yg_status st = place(act->db, arena, g, err);
	if (st == YG_OK)
		st = compatible(act, g, arena, err);
	if (st == YG_OK)
		st = insert(act, g, err);
	return st == YG_OK ? note(act, "grant.add", g, err) : st;
}

yg_status yg_grant_add(struct yg_act *act, const struct yg_grant *g, struct yg_id *out_id,
		       struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_grant own = *g;
	struct yg_id id = yg_id_new(&act->ids, act->env, "g");
	struct yg_tx tx;
	yg_arena_init(&arena, 4 << 20);
	own.id = yg_id_sv(&id);
	yg_status st = check(&own, yg_env_wall(act->env), err);
	if (st == YG_OK)
		st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_tx_end(&tx, add(act, &own, &arena, err), err);
	if (st == YG_OK)
		*out_id = id;
	return st;
}

static yg_status remove_one(struct yg_act *act, struct yg_sv id, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_grant g = {0};
	struct yg_stmt *s = NULL;
	yg_arena_init(&arena, 65536);
	yg_status st = yg_grant_get(act->db, id, &arena, &g, err);
	if (st == YG_OK)
		st = yg_state_prepare(act->db, YG_SQL("DELETE FROM role_grant WHERE id = $1"), &s,
				      err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	st = yg_stmt_run(s, err);
	return st == YG_OK ? note(act, "grant.remove", &g, err) : st;
}

yg_status yg_grant_remove(struct yg_act *act, struct yg_sv id, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, remove_one(act, id, err), err) : st;
}
