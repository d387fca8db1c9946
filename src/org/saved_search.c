#include "org/saved_search.h"

#include "org/audit_log.h"

#define COLUMNS "id, owner, org, name, page, query, shared, created, updated, version"
#define MINE    "(owner = $1 OR shared = 1)"
#define SEEN    "(owner = $1 OR (shared = 1 AND (org = '' OR org IN yg_set($2))))"

static yg_status take(struct yg_stmt *s, struct yg_arena *arena, struct yg_saved_search *out,
		      struct yg_err *err)
{
	struct yg_sv *text[] = {&out->id,   &out->owner, &out->org,
				&out->name, &out->page,  &out->query};
	for (size_t i = 0; i < YG_LEN(text); i++) {
		*text[i] = yg_arena_dup(arena, yg_col_text(s, (int)i));
		if (text[i]->p == NULL)
			return YG_FAIL(err, YG_NOMEM, "saved searches");
	}
	out->shared = yg_col_i64(s, 6) != 0;
	out->created.us = yg_col_i64(s, 7);
	out->updated.us = yg_col_i64(s, 8);
	out->version = yg_col_i64(s, 9);
	return YG_OK;
}

static yg_status room(struct yg_act *act, struct yg_sv owner, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		act->db, YG_SQL("SELECT count(*) FROM saved_search WHERE owner = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, owner);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && yg_col_i64(s, 0) >= YG_SAVED_MAX)
		return YG_FAIL(err, YG_LIMIT, "at most %d searches are kept", YG_SAVED_MAX);
	return st;
}

static yg_status note(struct yg_act *act, const char *action, struct yg_sv id,
		      const struct yg_saved_search *n, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	yg_detail_init(&d);
	yg_detail_note(&d, "name", n->name);
	yg_detail_note(&d, "query", n->query);
	yg_detail_note(&d, "shared", n->shared ? YG_SV("yes") : YG_SV("no"));
	return yg_audit_add(act, action, id, n->org, &d, err);
}

static yg_status add(struct yg_act *act, struct yg_sv owner, const struct yg_saved_search *n,
		     struct yg_sv id, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = room(act, owner, err);
	if (st == YG_OK)
		st = yg_state_prepare(
			act->db,
			YG_SQL("INSERT INTO saved_search (id, owner, org, name, page, query, shared, created, updated)"
			       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)"),
			&s, err);
	if (st != YG_OK)
		return st;
	const struct yg_sv text[] = {id, owner, n->org, n->name, n->page, n->query};
	for (size_t i = 0; i < YG_LEN(text); i++)
		yg_stmt_text(s, (int)i + 1, text[i]);
	yg_stmt_i64(s, 7, n->shared);
	yg_stmt_i64(s, 8, yg_env_wall(act->env).us);
	st = yg_stmt_run(s, err);
	return st == YG_OK ? note(act, "search.save", id, n, err) : st;
}

yg_status yg_saved_add(struct yg_act *act, struct yg_sv owner, const struct yg_saved_search *s,
		       struct yg_id *out_id, struct yg_err *err)
{
	struct yg_tx tx;
	struct yg_id id = yg_id_new(&act->ids, act->env, "q");
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_tx_end(&tx, add(act, owner, s, yg_id_sv(&id), err), err);
	if (st == YG_OK)
		*out_id = id;
	return st;
}

yg_status yg_saved_get(struct yg_state *db, struct yg_sv id, struct yg_sv owner,
		       const struct yg_org_set *set, struct yg_arena *arena,
		       struct yg_saved_search *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_saved_search found = {0};
	bool row = false;
	yg_status st = yg_state_prepare(
		db,
		set->all
			? YG_SQL("SELECT " COLUMNS " FROM saved_search WHERE " MINE " AND id = $2")
			: YG_SQL("SELECT " COLUMNS " FROM saved_search WHERE " SEEN " AND id = $3"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, owner);
	yg_org_set_bind(s, 2, set);
	yg_stmt_text(s, set->all ? 2 : 3, id);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such object");
	if (st == YG_OK)
		st = take(s, arena, &found, err);
	if (st == YG_OK)
		*out = found;
	return st;
}

yg_status yg_saved_list(struct yg_state *db, const struct yg_saved_filter *f,
			struct yg_arena *arena, struct yg_saved_search **out, size_t *out_n,
			struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	uint32_t limit = YG_MIN(f->limit, (uint32_t)YG_PAGE_MAX);
	struct yg_saved_search *list = YG_NEW_N(arena, struct yg_saved_search, limit + 1);
	size_t n = 0;
	bool row = true;
	if (list == NULL)
		return YG_FAIL(err, YG_NOMEM, "saved searches");
	yg_status st = yg_state_prepare(
		db,
		f->set->all
			? YG_SQL("SELECT " COLUMNS " FROM saved_search WHERE " MINE
				 " AND ($2 = '' OR page = $2) AND ($3 = '' OR id < $3) ORDER BY id DESC LIMIT $4")
			: YG_SQL("SELECT " COLUMNS " FROM saved_search WHERE " SEEN
				 " AND ($3 = '' OR page = $3) AND ($4 = '' OR id < $4) ORDER BY id DESC LIMIT $5"),
		&s, err);
	if (st != YG_OK)
		return st;
	int at = f->set->all ? 2 : 3;
	yg_stmt_text(s, 1, f->owner);
	yg_org_set_bind(s, 2, f->set);
	yg_stmt_text(s, at, f->page);
	yg_stmt_text(s, at + 1, f->before);
	yg_stmt_i64(s, at + 2, limit);
	while (st == YG_OK && n < limit && (st = yg_stmt_step(s, &row, err)) == YG_OK && row)
		st = take(s, arena, &list[n++], err);
	*out = list;
	*out_n = n;
	return st;
}

static yg_status change(struct yg_act *act, const struct yg_saved_search *n, int64_t version,
			struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE saved_search SET org = $2, name = $3, page = $4, query = $5, shared = $6,"
		       " updated = $7, version = version + 1 WHERE id = $1 AND version = $8"),
		&s, err);
	if (st != YG_OK)
		return st;
	const struct yg_sv text[] = {n->id, n->org, n->name, n->page, n->query};
	for (size_t i = 0; i < YG_LEN(text); i++)
		yg_stmt_text(s, (int)i + 1, text[i]);
	yg_stmt_i64(s, 6, n->shared);
	yg_stmt_i64(s, 7, yg_env_wall(act->env).us);
	yg_stmt_i64(s, 8, version);
	st = yg_stmt_run(s, err);
	if (st == YG_OK && yg_state_changes(act->db) == 0)
		return YG_FAIL(err, YG_CONFLICT, "the search was changed meanwhile");
	return st == YG_OK ? note(act, "search.update", n->id, n, err) : st;
}

yg_status yg_saved_change(struct yg_act *act, const struct yg_saved_search *s, int64_t version,
			  struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, change(act, s, version, err), err) : st;
}

static yg_status drop(struct yg_act *act, const struct yg_saved_search *n, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(act->db, YG_SQL("DELETE FROM saved_search WHERE id = $1"),
					&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, n->id);
	st = yg_stmt_run(s, err);
	return st == YG_OK ? note(act, "search.remove", n->id, n, err) : st;
}

yg_status yg_saved_remove(struct yg_act *act, const struct yg_saved_search *s, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, drop(act, s, err), err) : st;
}
