/* testing.h - what the tests of this room share: a database with two
 * organisations, and messages of findings. */
#pragma once
#include <stdio.h>

#include "alert/alert.h"
#include "alert/finding.h"
#include "base/codec.h"
#include "org/audit_log.h"
#include "org/organisation.h"

static struct yg_env_sim sim = {.wall = {1700000000000000}, .seed = 11};
static struct yg_env env;
static struct yg_arena arena;
static struct yg_err err;

static inline struct yg_state *fresh(void)
{
	struct yg_state *db = NULL;
	if (yg_state_open(":memory:", &db, &err) != YG_OK || yg_state_migrate(db, &err) != YG_OK)
		(void)printf("# %s\n", err.msg);
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_org a = {.slug = YG_SV("alpha")}, b = {.slug = YG_SV("beta")};
	if (yg_org_add(&act, &a, &err) != YG_OK || yg_org_add(&act, &b, &err) != YG_OK)
		(void)printf("# %s\n", err.msg);
	return db;
}

struct message {
	struct yg_buf body;
	uint32_t count;
};

static inline void message_begin(struct message *m, uint32_t spool, uint64_t batch)
{
	yg_buf_init(&m->body, 64 << 20);
	m->count = 0;
	yg_wr_le32(&m->body, spool);
	yg_wr_le32(&m->body, 0);
	yg_wr_le64(&m->body, batch);
}

static inline void message_raw(struct message *m, struct yg_sv json)
{
	yg_wr_sv32(&m->body, json);
	m->count++;
	memcpy(m->body.p + 4, &m->count, sizeof m->count);
}

static inline void message_add(struct message *m, const char *org, const char *indicator,
			       const char *asset, int severity, int64_t us, const char *event)
{
	char json[1024], time[32];
	struct yg_sb t = yg_sb_init(time, sizeof time), b = yg_sb_init(json, sizeof json);
	yg_time_format(&t, (yg_wall){us});
	yg_sb_printf(
		&b,
		"{\"finding_uid\":\"f-%s\",\"org\":\"%s\",\"indicator\":\"%s\",\"indicator_type\":\"domain\","
		"\"list\":\"test\",\"category\":\"malware\",\"family\":\"x\",\"severity_id\":%d,\"confidence\":80,"
		"\"tlp\":\"amber\",\"asset\":\"%s\",\"field\":\"query\",\"value\":\"www.%s\",\"event_id\":\"%s\","
		"\"time\":\"%.*s\",\"title\":\"%s at %s\"}",
		event, org, indicator, severity, asset, indicator, event, (int)t.n, t.p, indicator,
		asset);
	message_raw(m, yg_sb_sv(&b));
}

static inline yg_status message_send(struct message *m, struct yg_act *act,
				     struct yg_finding_result *out)
{
	yg_status st = yg_findings_apply(act, yg_buf_sv(&m->body), out, &err);
	yg_buf_free(&m->body);
	return st;
}

/* The alerts of one asset, newest first. */
static inline size_t alerts_of(struct yg_state *db, const char *asset, struct yg_alert **out)
{
	struct yg_alert_filter f = {.reach = YG_REACH_ALL, .asset = yg_sv_of(asset), .limit = 100};
	size_t n = 0;
	return yg_alert_list(db, &f, &arena, out, &n, &err) == YG_OK ? n : 9999;
}

static inline int64_t one(struct yg_state *db, const char *sql)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	if (yg_state_prepare(db, sql, &s, NULL) != YG_OK || yg_stmt_step(s, &row, NULL) != YG_OK ||
	    !row)
		return -1;
	return yg_col_i64(s, 0);
}
