#include "org/visit.h"

/* Who looks again within it has not been away. */
#define PAUSE_US (30 * 60 * YG_US_PER_S)

yg_status yg_visit_before(struct yg_state *db, struct yg_sv owner, yg_wall now, yg_wall *out,
			  struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	*out = (yg_wall){0};
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT time, ended FROM visit WHERE owner = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, owner);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && row) {
		int64_t time = yg_col_i64(s, 0);
		out->us = now.us - time > PAUSE_US ? time : yg_col_i64(s, 1);
	}
	return st;
}

yg_status yg_visit_set(struct yg_state *db, struct yg_sv owner, yg_wall at, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("INSERT INTO visit (owner, time) VALUES ($1, $2)"
		       " ON CONFLICT (owner) DO UPDATE SET time = excluded.time, ended ="
		       " CASE WHEN excluded.time - visit.time > $3 THEN visit.time ELSE visit.ended END"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, owner);
	yg_stmt_i64(s, 2, at.us);
	yg_stmt_i64(s, 3, PAUSE_US);
	return yg_stmt_run(s, err);
}

yg_status yg_visit_new_orgs(struct yg_state *db, const struct yg_org_set *set, yg_wall since,
			    int64_t *out, struct yg_err *err)
{
#define ADDED(where) "SELECT count(*) FROM organisation WHERE created > $1" where
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db, set->all ? YG_SQL(ADDED("")) : YG_SQL(ADDED(" AND slug IN yg_set($2)")), &s,
		err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, since.us);
	yg_org_set_bind(s, 2, set);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && row)
		*out = yg_col_i64(s, 0);
	return st;
}
