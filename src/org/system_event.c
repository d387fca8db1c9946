#include "org/system_event.h"

static yg_status insert(struct yg_state *db, const struct yg_system_event *e, int64_t *out_id,
			struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st =
		yg_state_prepare(db,
				 YG_SQL("INSERT INTO system_event (time, level, name, role, fields)"
					" VALUES ($1, $2, $3, $4, $5) RETURNING id"),
				 &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, e->time.us);
	yg_stmt_text(s, 2, e->level);
	yg_stmt_text(s, 3, e->name);
	yg_stmt_text(s, 4, e->role);
	yg_stmt_text(s, 5, e->fields.n > 0 ? e->fields : YG_SV("{}"));
	st = yg_stmt_step(s, &row, err);
	if (st != YG_OK)
		return st;
	*out_id = yg_col_i64(s, 0);
	return yg_stmt_step(s, &row, err);
}

yg_status yg_system_event_add(struct yg_state *db, const struct yg_system_event *e, int64_t *out_id,
			      struct yg_err *err)
{
	struct yg_tx tx;
	struct yg_stmt *s = NULL;
	int64_t id = 0;
	yg_status st = yg_tx_begin(&tx, db, err);
	if (st != YG_OK)
		return st;
	st = insert(db, e, &id, err);
	if (st == YG_OK)
		st = yg_state_prepare(db, YG_SQL("DELETE FROM system_event WHERE id <= $1"), &s,
				      err);
	if (st == YG_OK) {
		yg_stmt_i64(s, 1, id - YG_SYSTEM_EVENTS_MAX);
		st = yg_stmt_run(s, err);
	}
	st = yg_tx_end(&tx, st, err);
	if (st == YG_OK && out_id != NULL)
		*out_id = id;
	return st;
}

yg_status yg_system_event_list(struct yg_state *db, const struct yg_system_event_filter *f,
			       struct yg_arena *arena, struct yg_system_event **out, size_t *out_n,
			       struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	uint32_t limit = YG_MIN(f->limit, (uint32_t)YG_PAGE_MAX + 1);
	struct yg_system_event *list = YG_NEW_N(arena, struct yg_system_event, limit);
	if (list == NULL && limit > 0)
		return YG_FAIL(err, YG_NOMEM, "system events");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT id, time, level, name, role, fields FROM system_event"
		       " WHERE ($1 = '' OR level = $1) AND ($2 = '' OR role = $2) AND id < $3"
		       " AND ($5 = '' OR name = $5) ORDER BY id DESC LIMIT $4"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, f->level);
	yg_stmt_text(s, 2, f->role);
	yg_stmt_i64(s, 3, f->before > 0 ? f->before : INT64_MAX);
	yg_stmt_i64(s, 4, limit);
	yg_stmt_text(s, 5, f->name);
	size_t n = 0;
	bool row = true;
	while (n < limit && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		struct yg_system_event *e = &list[n++];
		e->id = yg_col_i64(s, 0);
		e->time.us = yg_col_i64(s, 1);
		struct yg_sv *text[] = {&e->level, &e->name, &e->role, &e->fields};
		for (size_t i = 0; i < YG_LEN(text); i++) {
			*text[i] = yg_arena_dup(arena, yg_col_text(s, (int)i + 2));
			if (text[i]->p == NULL)
				return YG_FAIL(err, YG_NOMEM, "system events");
		}
	}
	*out = list;
	*out_n = n;
	return st;
}
