#include "base/limits.h"
#include "intel/registry.h"
#include "intel/registry_internal.h"
#include "org/audit_log.h"
#include "org/organisation.h"
#include "store/rows.h"

#define REASON_MAX 8000
#define COLUMNS    "id, type, value, org, reason, actor, alert, created, updated, expires, version"

static yg_status check_reason(struct yg_sv reason, struct yg_err *err)
{
	if (yg_sv_trim(reason).n == 0 || reason.n > REASON_MAX || yg_utf8_valid(reason) != reason.n)
		return YG_FAIL(err, YG_INVAL,
			       "an allow entry has a reason of 1 to 2000 characters");
	return YG_OK;
}

static yg_status insert(struct yg_act *act, const struct yg_allow_new *n, struct yg_sv id,
			struct yg_sv value, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO allow_entry (id, type, value, org, reason, actor, alert, created, updated, expires)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	yg_stmt_i64(s, 2, n->type);
	yg_stmt_text(s, 3, value);
	yg_stmt_text_or_null(s, 4, n->org);
	yg_stmt_text(s, 5, n->reason);
	yg_stmt_text(s, 6, act->who);
	yg_stmt_text(s, 7, n->alert);
	yg_stmt_i64(s, 8, yg_env_wall(act->env).us);
	yg_stmt_i64(s, 9, n->expires.us);
	return yg_stmt_run(s, err);
}

static yg_status add(struct yg_act *act, const struct yg_allow_new *n, struct yg_sv id,
		     struct yg_sv value, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	yg_detail_init(&d);
	yg_status st = n->org.n > 0 ? yg_org_known(act->db, n->org, err) : YG_OK;
	if (st == YG_OK)
		st = insert(act, n, id, value, err);
	if (st == YG_OK)
		st = yg_registry_touch(act->db, err);
	yg_detail_note(&d, "type", yg_sv_of(yg_indicator_type_name(n->type)));
	yg_detail_note(&d, "value", value);
	yg_detail_note(&d, "reason", n->reason);
	(void)yg_detail_time(&d, "expires", 0, n->expires.us);
	if (n->alert.n > 0)
		yg_detail_note(&d, "alert", n->alert);
	return st == YG_OK ? yg_audit_add(act, "allow.add", id, n->org, &d, err) : st;
}

yg_status yg_allow_add(struct yg_act *act, const struct yg_allow_new *n, struct yg_id *out_id,
		       struct yg_err *err)
{
	char buf[YG_KEY_MAX];
	struct yg_sb value = yg_sb_init(buf, sizeof buf);
	struct yg_tx tx;
	struct yg_id id = yg_id_new(&act->ids, act->env, "w");
	yg_status st = check_reason(n->reason, err);
	if (st == YG_OK && n->expires.us != 0 && n->expires.us <= yg_env_wall(act->env).us)
		st = YG_FAIL(err, YG_INVAL, "the entry would have expired already");
	if (st == YG_OK)
		st = yg_indicator_normalize(n->type, n->value, &value, err);
	if (st == YG_PARSE || st == YG_LIMIT)
		st = YG_INVAL;
	if (st == YG_OK)
		st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_tx_end(&tx, add(act, n, yg_id_sv(&id), yg_sb_sv(&value), err), err);
	if (st == YG_OK)
		*out_id = id;
	return st;
}

static yg_status take(struct yg_stmt *s, struct yg_arena *arena, void *to, struct yg_err *err)
{
	struct yg_allow *a = to;
	const struct yg_row_text texts[] = {{&a->id, 0},     {&a->value, 2}, {&a->org, 3},
					    {&a->reason, 4}, {&a->actor, 5}, {&a->alert, 6}};
	a->type = (enum yg_indicator_type)yg_col_i64(s, 1);
	a->created.us = yg_col_i64(s, 7);
	a->updated.us = yg_col_i64(s, 8);
	a->expires.us = yg_col_i64(s, 9);
	a->version = yg_col_i64(s, 10);
	return yg_row_texts(s, arena, texts, YG_LEN(texts), err);
}

yg_status yg_allow_get(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
		       struct yg_allow *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	struct yg_allow a = {0};
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT " COLUMNS " FROM allow_entry WHERE id = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such allow entry");
	if (st == YG_OK)
		st = take(s, arena, &a, err);
	if (st == YG_OK)
		*out = a;
	return st;
}

yg_status yg_allow_list(struct yg_state *db, const struct yg_allow_filter *f,
			struct yg_arena *arena, struct yg_allow **out, size_t *out_n,
			struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT " COLUMNS
		       " FROM allow_entry WHERE ($1 = 1 OR org IS NULL OR org IN yg_set($5))"
		       " AND ($2 = '' OR value = $2) AND ($3 = '' OR id < $3) AND created < $6"
		       " ORDER BY id DESC LIMIT $4"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, yg_reach_all_flag(&f->reach));
	yg_stmt_set(s, 5, f->reach.orgs, f->reach.org_count);
	yg_stmt_i64(s, 6, yg_reach_until(&f->reach));
	yg_stmt_text(s, 2, f->value);
	yg_stmt_text(s, 3, f->before);
	yg_stmt_i64(s, 4, f->limit);
	const struct yg_row_list how = {
		.each = sizeof(struct yg_allow), .limit = f->limit, .take = take};
	return yg_row_list(s, &how, arena, out, out_n, err);
}

static yg_status change(struct yg_act *act, struct yg_sv id, int64_t version,
			const struct yg_sv *reason, const yg_wall *expires, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_stmt *s = NULL;
	struct yg_allow a = {0};
	yg_arena_init(&arena, 1 << 20);
	yg_detail_init(&d);
	yg_status st = yg_allow_get(act->db, id, &arena, &a, err);
	if (st != YG_OK)
		return st;
	if (version != YG_ANY_VERSION && version != a.version)
		return YG_FAIL(err, YG_CONFLICT, "the allow entry was changed meanwhile");
	bool differs = reason != NULL && yg_detail_text(&d, "reason", a.reason, *reason);
	differs |= expires != NULL && yg_detail_time(&d, "expires", a.expires.us, expires->us);
	if (!differs)
		return YG_OK;
	st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE allow_entry SET reason = $2, expires = $3, updated = $4, version = version + 1 WHERE id = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	yg_stmt_text(s, 2, reason != NULL ? *reason : a.reason);
	yg_stmt_i64(s, 3, expires != NULL ? expires->us : a.expires.us);
	yg_stmt_i64(s, 4, yg_env_wall(act->env).us);
	st = yg_stmt_run(s, err);
	if (st == YG_OK)
		st = yg_registry_touch(act->db, err);
	return st == YG_OK ? yg_audit_add(act, "allow.update", id, a.org, &d, err) : st;
}

yg_status yg_allow_change(struct yg_act *act, struct yg_sv id, int64_t version,
			  const struct yg_sv *reason, const yg_wall *expires, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = reason != NULL ? check_reason(*reason, err) : YG_OK;
	if (st == YG_OK)
		st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, change(act, id, version, reason, expires, err), err)
			   : st;
}

static yg_status remove_entry(struct yg_act *act, struct yg_sv id, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_stmt *s = NULL;
	struct yg_allow a = {0};
	yg_arena_init(&arena, 1 << 20);
	yg_detail_init(&d);
	yg_status st = yg_allow_get(act->db, id, &arena, &a, err);
	if (st == YG_OK)
		st = yg_state_prepare(act->db, YG_SQL("DELETE FROM allow_entry WHERE id = $1"), &s,
				      err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	st = yg_stmt_run(s, err);
	if (st == YG_OK)
		st = yg_registry_touch(act->db, err);
	yg_detail_note(&d, "value", a.value);
	return st == YG_OK ? yg_audit_add(act, "allow.remove", id, a.org, &d, err) : st;
}

yg_status yg_allow_remove(struct yg_act *act, struct yg_sv id, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, remove_entry(act, id, err), err) : st;
}
