#include "alert/due.h"

#include "org/audit_log.h"
#include "org/organisation.h"

#define HOURS(n) ((n)*INT64_C(3600))

/* Where nothing is said: critical (and fatal) a day, high three, medium seven, low
 * thirty, information never.  Migration 0020 has the same. */
static const int64_t spans[7] = {0, 0, HOURS(720), HOURS(168), HOURS(72), HOURS(24), HOURS(24)};

/* From the farthest that says something to the node itself. */
yg_status yg_due_policy_get(struct yg_state *db, struct yg_sv org, struct yg_due_policy *out,
			    struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	*out = (struct yg_due_policy){.own = {false}};
	memcpy(out->span_s, spans, sizeof spans);
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT d.severity_id, d.span_s, d.org FROM due_policy d"
		       " LEFT JOIN organisation_path p ON p.ancestor = d.org AND p.slug = $1"
		       " WHERE d.org = '' OR p.slug IS NOT NULL"
		       " ORDER BY CASE WHEN d.org = '' THEN 1000 ELSE p.depth END DESC"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, org);
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		int64_t severity = yg_col_i64(s, 0);
		if (severity < 1 || severity > 6)
			continue;
		out->span_s[severity] = yg_col_i64(s, 1);
		out->own[severity] = yg_sv_eq(yg_col_text(s, 2), org);
	}
	return st;
}

yg_status yg_due_at(struct yg_state *db, struct yg_sv org, int severity, int64_t from_us,
		    int64_t *out_us, struct yg_err *err)
{
	struct yg_due_policy p;
	yg_status st = yg_due_policy_get(db, org, &p, err);
	int64_t span = st == YG_OK && severity > 0 && severity < 7 ? p.span_s[severity] : 0;
	*out_us = span > 0 ? from_us + span * YG_US_PER_S : YG_NO_DUE;
	return st;
}

static yg_status forget(struct yg_act *act, struct yg_sv org, int severity, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db, YG_SQL("DELETE FROM due_policy WHERE org = $1 AND severity_id = $2"), &s,
		err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, org);
	yg_stmt_i64(s, 2, severity);
	return yg_stmt_run(s, err);
}

static yg_status say(struct yg_act *act, struct yg_sv org, int severity, int64_t span_s,
		     struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO due_policy (org, severity_id, span_s, actor, updated)"
		       " VALUES ($1, $2, $3, $4, $5)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, org);
	yg_stmt_i64(s, 2, severity);
	yg_stmt_i64(s, 3, span_s);
	yg_stmt_text(s, 4, act->who);
	yg_stmt_i64(s, 5, yg_env_wall(act->env).us);
	return yg_stmt_run(s, err);
}

static yg_status set(struct yg_act *act, struct yg_sv org, int severity, const int64_t *span_s,
		     struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_due_policy was = {0};
	yg_detail_init(&d);
	yg_status st = org.n > 0 ? yg_org_known(act->db, org, err) : YG_OK;
	if (st == YG_OK)
		st = yg_due_policy_get(act->db, org, &was, err);
	if (st == YG_OK)
		st = forget(act, org, severity, err);
	if (st == YG_OK && span_s != NULL)
		st = say(act, org, severity, *span_s, err);
	if (st != YG_OK)
		return st;
	yg_detail_count(&d, "severity_id", severity);
	yg_detail_count(&d, "span_s_before", was.span_s[severity]);
	if (span_s != NULL)
		yg_detail_count(&d, "span_s", *span_s);
	else
		yg_detail_note(&d, "span_s", YG_SV("inherited"));
	return yg_audit_add(act, "due_policy.set", org, org, &d, err);
}

yg_status yg_due_policy_set(struct yg_act *act, struct yg_sv org, int severity,
			    const int64_t *span_s, struct yg_err *err)
{
	struct yg_tx tx;
	if (severity < 1 || severity > 6)
		return YG_FAIL(err, YG_INVAL, "a severity is 1 to 6");
	if (span_s != NULL && (*span_s < 0 || *span_s > YG_DUE_SPAN_MAX))
		return YG_FAIL(err, YG_INVAL, "a span is at most 366 days");
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, set(act, org, severity, span_s, err), err) : st;
}
