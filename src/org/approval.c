#include "org/approval.h"

#include "org/audit_log.h"
#include "org/person.h"

#define COLUMNS                                                                                    \
	"id, kind, params, org, requested_by, reason, state, decided_by, decision_reason,"         \
	" created, decided, expires"

static yg_status insert(struct yg_act *act, const struct yg_approval *a, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	int64_t now = yg_env_wall(act->env).us;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO approval (id, kind, params, org, requested_by, reason, created, expires)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, a->id);
	yg_stmt_text(s, 2, a->kind);
	yg_stmt_text(s, 3, a->params);
	yg_stmt_text(s, 4, a->org);
	yg_stmt_text(s, 5, act->who);
	yg_stmt_text(s, 6, a->reason);
	yg_stmt_i64(s, 7, now);
	yg_stmt_i64(s, 8, now + YG_APPROVAL_S * YG_US_PER_S);
	return yg_stmt_run(s, err);
}

/* Approving one would leave the other open, to be done again. */
static yg_status not_asked_yet(struct yg_act *act, const struct yg_approval *a, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st =
		yg_state_prepare(act->db,
				 YG_SQL("SELECT id FROM approval WHERE state = 'open' AND kind = $1"
					" AND params = $2 AND expires > $3 LIMIT 1"),
				 &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, a->kind);
	yg_stmt_text(s, 2, a->params);
	yg_stmt_i64(s, 3, yg_env_wall(act->env).us);
	st = yg_stmt_step(s, &row, err);
	if (st != YG_OK || !row)
		return st;
	return YG_FAIL(err, YG_CONFLICT, "this is asked for already: %.*s",
		       (int)yg_col_text(s, 0).n, yg_col_text(s, 0).p);
}

yg_status yg_approval_add(struct yg_act *act, const struct yg_approval *a, struct yg_id *out_id,
			  struct yg_err *err)
{
	struct yg_approval full = *a;
	struct yg_tx tx;
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	if (a->reason.n > YG_APPROVAL_REASON)
		return YG_FAIL(err, YG_INVAL, "a reason has at most %d bytes", YG_APPROVAL_REASON);
	*out_id = yg_id_new(&act->ids, act->env, "v");
	full.id = yg_id_sv(out_id);
	yg_detail_init(&d);
	yg_detail_note(&d, "kind", a->kind);
	yg_detail_note(&d, "params", a->params);
	yg_detail_note(&d, "reason", a->reason);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = not_asked_yet(act, a, err);
	if (st == YG_OK)
		st = insert(act, &full, err);
	if (st == YG_OK)
		st = yg_audit_add(act, "approval.add", full.id, a->org, &d, err);
	return yg_tx_end(&tx, st, err);
}

static yg_status take(struct yg_stmt *s, yg_wall now, struct yg_arena *arena, struct yg_approval *a,
		      struct yg_err *err)
{
	struct yg_sv *text[] = {&a->id,    &a->kind,         &a->params,
				&a->org,   &a->requested_by, &a->reason,
				&a->state, &a->decided_by,   &a->decision_reason};
	for (size_t i = 0; i < YG_LEN(text); i++) {
		*text[i] = yg_arena_dup(arena, yg_col_text(s, (int)i));
		if (text[i]->p == NULL)
			return YG_FAIL(err, YG_NOMEM, "approval");
	}
	a->created.us = yg_col_i64(s, 9);
	a->decided.us = yg_col_i64(s, 10);
	a->expires.us = yg_col_i64(s, 11);
	if (YG_SV_IS(a->state, "open") && a->expires.us <= now.us)
		a->state = YG_SV("expired");
	if (YG_SV_IS(a->state, "refused") && yg_sv_eq(a->decided_by, a->requested_by))
		a->state = YG_SV("withdrawn");
	return YG_OK;
}

yg_status yg_approval_get(struct yg_state *db, struct yg_sv id, yg_wall now, struct yg_arena *arena,
			  struct yg_approval *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT " COLUMNS " FROM approval WHERE id = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such request");
	return st == YG_OK ? take(s, now, arena, out, err) : st;
}

yg_status yg_approval_list(struct yg_state *db, const struct yg_approval_filter *f,
			   struct yg_arena *arena, struct yg_approval **out, size_t *out_n,
			   struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	uint32_t limit = YG_MIN(f->limit, (uint32_t)YG_PAGE_MAX + 1);
	struct yg_approval *list = YG_NEW_N(arena, struct yg_approval, limit);
	if (list == NULL && limit > 0)
		return YG_FAIL(err, YG_NOMEM, "approvals");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT " COLUMNS " FROM approval WHERE ($2 = '' OR id < $2) AND ($1 = ''"
		       " OR ($1 = 'expired' AND state = 'open' AND expires <= $3)"
		       " OR ($1 = 'open' AND state = 'open' AND expires > $3)"
		       " OR ($1 = 'withdrawn' AND state = 'refused' AND decided_by = requested_by)"
		       " OR ($1 = 'refused' AND state = 'refused' AND decided_by <> requested_by)"
		       " OR ($1 NOT IN ('open', 'refused') AND state = $1)) AND ($5 = 1 OR org IN yg_set($6))"
		       " ORDER BY id DESC LIMIT $4"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, f->state);
	yg_stmt_text(s, 2, f->before);
	yg_stmt_i64(s, 3, f->now.us);
	yg_stmt_i64(s, 4, limit);
	yg_stmt_i64(s, 5, f->orgs.all ? 1 : 0);
	yg_stmt_set(s, 6, f->orgs.slugs, f->orgs.all ? 0 : f->orgs.n);
	size_t n = 0;
	bool row = true;
	while (n < limit && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		st = take(s, f->now, arena, &list[n++], err);
		if (st != YG_OK)
			return st;
	}
	*out = list;
	*out_n = n;
	return st;
}

yg_status yg_approval_decide(struct yg_act *act, const struct yg_approval *a, bool approve,
			     struct yg_sv reason, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	int64_t now = yg_env_wall(act->env).us;
	struct yg_sv state = approve ? YG_SV("approved") : YG_SV("refused");
	bool own = yg_sv_eq(a->requested_by, act->who);
	if (approve && own)
		return YG_FAIL(err, YG_DENIED, "who asks cannot approve: it takes a second person");
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE approval SET state = $2, decided_by = $3, decision_reason = $4, decided = $5"
		       " WHERE id = $1 AND state = 'open' AND expires > $5"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, a->id);
	yg_stmt_text(s, 2, state);
	yg_stmt_text(s, 3, act->who);
	yg_stmt_text(s, 4, reason);
	yg_stmt_i64(s, 5, now);
	st = yg_stmt_run(s, err);
	if (st == YG_OK && yg_state_changes(act->db) != 1)
		return YG_FAIL(err, YG_CONFLICT, "this was decided already, or has expired");
	yg_detail_init(&d);
	(void)yg_detail_text(&d, "state", YG_SV("open"),
			     !approve && own ? YG_SV("withdrawn") : state);
	if (reason.n > 0)
		yg_detail_note(&d, "reason", reason);
	return st == YG_OK ? yg_audit_add(act, "approval.decide", a->id, a->org, &d, err) : st;
}

#define MAKERS_MAX 256 /* who let somebody in, and who let those in; more is not apart */

struct line {
	struct yg_sv who[MAKERS_MAX]; /* arena */
	size_t n;
	bool full;
};

static yg_status line_add(struct line *l, struct yg_sv who, struct yg_arena *arena,
			  struct yg_err *err)
{
	/* the machine lets in whom it likes: who has it is asked for no second person */
	if (!yg_sv_starts(who, YG_SV("person:")) && !yg_sv_starts(who, YG_SV("token:")))
		return YG_OK;
	for (size_t i = 0; i < l->n; i++)
		if (yg_sv_eq(l->who[i], who))
			return YG_OK;
	l->full = l->full || l->n == MAKERS_MAX;
	if (l->full)
		return YG_OK;
	l->who[l->n] = yg_arena_dup(arena, who);
	return l->who[l->n++].p != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "who let whom in");
}

/* Who could be this person or who made this token. */
static yg_status add_makers(struct yg_state *db, struct yg_sv who, yg_wall now, struct line *l,
			    struct yg_arena *arena, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool person = yg_sv_starts(who, YG_SV("person:")), whole = false, row = true;
	struct yg_sv id = yg_sv_sub(who, yg_sv_find(who, ':', 0) + 1, who.n);
	yg_status st = YG_OK;
	if (person)
		st = yg_person_is_administrator(db, id, now, YG_SV(""), &whole, err);
	if (st != YG_OK || whole)
		return st;
	st = person ? yg_state_prepare(
			      db,
			      YG_SQL("SELECT DISTINCT actor FROM audit_log WHERE object = $1"
				     " AND (action IN ('person.add', 'enrolment.add')"
				     " OR (action = 'person.update' AND detail LIKE '%\"email\":{%'))"),
			      &s, err)
		    : yg_state_prepare(
			      db,
			      YG_SQL("SELECT CASE WHEN person IS NULL THEN created_by"
				     " ELSE 'person:' || person END FROM token WHERE id = $1"),
			      &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row && !l->full)
		if ((st = line_add(l, yg_col_text(s, 0), arena, err)) != YG_OK)
			return st;
	return st;
}

static yg_status line_of(struct yg_state *db, struct yg_sv who, yg_wall now, struct line *l,
			 struct yg_arena *arena, struct yg_err *err)
{
	yg_status st = line_add(l, who, arena, err);
	for (size_t i = 0; st == YG_OK && i < l->n; i++)
		st = add_makers(db, l->who[i], now, l, arena, err);
	return st;
}

yg_status yg_actors_apart(struct yg_state *db, struct yg_sv one, struct yg_sv other, yg_wall now,
			  struct yg_arena *arena, bool *out, struct yg_err *err)
{
	struct line a = {.n = 0}, b = {.n = 0};
	*out = false;
	yg_status st = line_of(db, one, now, &a, arena, err);
	if (st == YG_OK)
		st = line_of(db, other, now, &b, arena, err);
	if (st != YG_OK || a.full || b.full)
		return st;
	for (size_t i = 0; i < a.n; i++)
		for (size_t k = 0; k < b.n; k++)
			if (yg_sv_eq(a.who[i], b.who[k]))
				return YG_OK;
	*out = true;
	return YG_OK;
}
