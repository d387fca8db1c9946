#include "alert/watch.h"

#include "org/audit_log.h"

yg_status yg_watch_get(struct yg_state *db, struct yg_sv owner, int64_t alert_seq, bool *out,
		       struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	*out = false;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT 1 FROM alert_watch WHERE owner = $1 AND alert = $2"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, owner);
	yg_stmt_i64(s, 2, alert_seq);
	return yg_stmt_step(s, out, err);
}

static yg_status room_left(struct yg_state *db, struct yg_sv owner, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT count(*) FROM alert_watch WHERE owner = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, owner);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && row && yg_col_i64(s, 0) >= YG_WATCH_MAX)
		return YG_FAIL(err, YG_LIMIT, "at most %d alerts can be watched", YG_WATCH_MAX);
	return st;
}

static yg_status change(struct yg_act *act, struct yg_sv owner, const struct yg_alert *a, bool on,
			struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	bool is = false;
	yg_status st = yg_watch_get(act->db, owner, a->seq, &is, err);
	if (st != YG_OK || is == on)
		return st;
	if (on)
		st = room_left(act->db, owner, err);
	if (st == YG_OK)
		st = yg_state_prepare(
			act->db,
			on ? YG_SQL("INSERT INTO alert_watch (owner, alert, since) VALUES ($1, $2, $3)")
			   : YG_SQL("DELETE FROM alert_watch WHERE owner = $1 AND alert = $2"),
			&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, owner);
	yg_stmt_i64(s, 2, a->seq);
	if (on)
		yg_stmt_i64(s, 3, yg_env_wall(act->env).us);
	st = yg_stmt_run(s, err);
	return st == YG_OK ? yg_audit_add(act, on ? "alert.watch" : "alert.unwatch", a->id, a->org,
					  NULL, err)
			   : st;
}

yg_status yg_watch_set(struct yg_act *act, struct yg_sv owner, const struct yg_alert *a, bool on,
		       struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, change(act, owner, a, on, err), err) : st;
}
