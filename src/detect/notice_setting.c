#include "detect/notice_setting.h"

#include "org/audit_log.h"
#include "org/organisation.h"

enum yg_detect_stage yg_notice_default(enum yg_notice_kind k)
{
	return k == YG_NOTICE_BEACON || k == YG_NOTICE_VOLUME ? YG_STAGE_AUDIT : YG_STAGE_LIVE;
}

yg_status yg_notice_settings(struct yg_state *db, struct yg_sv org,
			     struct yg_notice_setting out[static YG_NOTICE_KIND_COUNT],
			     struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	for (int k = 0; k < YG_NOTICE_KIND_COUNT; k++)
		out[k] = (struct yg_notice_setting){yg_notice_default((enum yg_notice_kind)k),
						    false};
	/* the furthest first, so that the nearest stays */
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT n.kind, n.stage, n.org = $1 FROM detect_notice n LEFT JOIN organisation_path p"
		       " ON p.ancestor = n.org AND p.slug = $1 WHERE n.org = '' OR p.slug IS NOT NULL"
		       " ORDER BY CASE WHEN n.org = '' THEN 1000 ELSE p.depth END DESC"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, org);
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		enum yg_notice_kind kind;
		enum yg_detect_stage stage;
		if (yg_notice_parse(yg_col_text(s, 0), &kind) == YG_OK &&
		    yg_detect_stage_parse(yg_col_text(s, 1), &stage) == YG_OK)
			out[kind] = (struct yg_notice_setting){stage, yg_col_i64(s, 2) != 0};
	}
	return st;
}

static yg_status forget(struct yg_act *act, struct yg_sv org, enum yg_notice_kind kind,
			struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db, YG_SQL("DELETE FROM detect_notice WHERE org = $1 AND kind = $2"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, org);
	yg_stmt_text(s, 2, yg_sv_of(yg_notice_name(kind)));
	return yg_stmt_run(s, err);
}

static yg_status say(struct yg_act *act, struct yg_sv org, enum yg_notice_kind kind,
		     enum yg_detect_stage stage, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO detect_notice (org, kind, stage, actor, updated)"
		       " VALUES ($1, $2, $3, $4, $5)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, org);
	yg_stmt_text(s, 2, yg_sv_of(yg_notice_name(kind)));
	yg_stmt_text(s, 3, yg_sv_of(yg_detect_stage_name(stage)));
	yg_stmt_text(s, 4, act->who);
	yg_stmt_i64(s, 5, yg_env_wall(act->env).us);
	return yg_stmt_run(s, err);
}

/* Whoever watches sees that something is another. */
static yg_status changed(struct yg_act *act, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db, YG_SQL("UPDATE detect_feed_state SET changes = changes + 1"), &s, err);
	return st == YG_OK ? yg_stmt_run(s, err) : st;
}

static yg_status set(struct yg_act *act, struct yg_sv org, enum yg_notice_kind kind,
		     const enum yg_detect_stage *stage, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	yg_detail_init(&d);
	yg_status st = org.n > 0 ? yg_org_known(act->db, org, err) : YG_OK;
	if (st == YG_OK)
		st = forget(act, org, kind, err);
	if (st == YG_OK && stage != NULL)
		st = say(act, org, kind, *stage, err);
	if (st == YG_OK)
		st = changed(act, err);
	if (st != YG_OK)
		return st;
	yg_detail_note(&d, "kind", yg_sv_of(yg_notice_name(kind)));
	yg_detail_note(&d, "stage",
		       stage != NULL ? yg_sv_of(yg_detect_stage_name(*stage)) : YG_SV("inherited"));
	return yg_audit_add(act, "detection_notice.set", org, org, &d, err);
}

yg_status yg_notice_setting_set(struct yg_act *act, struct yg_sv org, enum yg_notice_kind kind,
				const enum yg_detect_stage *stage, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, set(act, org, kind, stage, err), err) : st;
}
