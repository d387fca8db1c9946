/* fill.c - a state as a centre has it after a year: organisations, alerts through
 * the code that takes findings, most of them closed, sources and their hours.
 *
 * usage: bench_console_fill STATE.db ORGANISATIONS ALERTS */
#include <stdio.h>

#include "alert/alert.h"
#include "alert/finding.h"
#include "base/codec.h"
#include "org/coverage.h"
#include "org/organisation.h"
#include "os/env.h"

#define BATCH 2000u
#define HOURS 720

static struct yg_env_real real;
static struct yg_env env;
static struct yg_err err;

static int fail(const char *what)
{
	(void)fprintf(stderr, "%s: %s\n", what, err.msg);
	return 1;
}

static void finding(struct yg_buf *body, uint64_t i, uint64_t orgs, int64_t now)
{
	char json[700], time[40];
	struct yg_sb t = yg_sb_init(time, sizeof time);
	yg_time_format(&t, (yg_wall){now - (int64_t)(i % 2592000) * YG_US_PER_S});
	int n = snprintf(
		json, sizeof json,
		"{\"finding_uid\":\"f-%llu\",\"org\":\"org-%llu\",\"indicator\":\"evil%llu.example\",\"indicator_type\":\"domain\","
		"\"list\":\"feed-%llu\",\"category\":\"malware\",\"family\":\"x\",\"severity_id\":%llu,\"confidence\":80,\"tlp\":\"amber\","
		"\"asset\":\"10.%llu.%llu.%llu\",\"field\":\"query\",\"value\":\"www.evil.example\",\"event_id\":\"e-0-%llu-0\","
		"\"time\":\"%.*s\",\"title\":\"evil looked up\"}",
		(unsigned long long)i, (unsigned long long)(i % orgs),
		(unsigned long long)(i % 5003), (unsigned long long)(i % 7),
		(unsigned long long)(1 + i % 6), (unsigned long long)(i >> 16 & 255),
		(unsigned long long)(i >> 8 & 255), (unsigned long long)(i & 255),
		(unsigned long long)i, (int)t.n, time);
	yg_wr_sv32(body, (struct yg_sv){json, (size_t)n});
}

static int alerts(struct yg_act *act, uint64_t orgs, uint64_t alerts_n)
{
	struct yg_finding_result r;
	int64_t now = yg_env_wall(&env).us;
	for (uint64_t at = 0; at < alerts_n; at += BATCH) {
		struct yg_buf body;
		yg_buf_init(&body, 64 << 20);
		yg_wr_le32(&body, 1);
		yg_wr_le32(&body, BATCH);
		yg_wr_le64(&body, at + 1);
		for (uint64_t i = at; i < at + BATCH; i++)
			finding(&body, i, orgs, now);
		if (yg_findings_apply(act, yg_buf_sv(&body), &r, &err) != YG_OK)
			return fail("findings");
		yg_buf_free(&body);
	}
	return 0;
}

/* Nine of ten are closed, by what a bulk change does to each of them in the end. */
static int close_most(struct yg_act *act)
{
	struct yg_stmt *s = NULL;
	if (yg_state_prepare(
		    act->db,
		    "UPDATE alert SET state = 'closed', verdict = 'benign', reason = 'bench',"
		    " closed = updated, version = version + 1 WHERE seq % 10 <> 0",
		    &s, &err) != YG_OK ||
	    yg_stmt_run(s, &err) != YG_OK)
		return fail("close");
	return 0;
}

static int sources(struct yg_act *act, uint64_t orgs)
{
	static const char *const kinds[] = {"zeek", "suricata", "syslog", "windows"};
	int64_t now = yg_env_wall(&env).us, hour = now / 3600000000LL;
	struct yg_tx tx;
	if (yg_tx_begin(&tx, act->db, &err) != YG_OK)
		return fail("sources");
	for (uint64_t o = 0; o < orgs; o++) {
		char org[32];
		(void)snprintf(org, sizeof org, "org-%llu", (unsigned long long)o);
		for (size_t k = 0; k < YG_LEN(kinds); k++) {
			struct yg_source_row row = {
				.org = yg_sv_of(org),
				.source = yg_sv_of(kinds[k]),
				.sensor = YG_SV("sensor-1"),
				.last_received = {now - (int64_t)(o % 7) * YG_US_PER_DAY},
				.events = 250000};
			if (yg_source_add(act->db, &row, 1, &err) != YG_OK)
				return fail("source");
		}
		for (int64_t h = 0; h < HOURS; h++)
			if (yg_event_hour_add(act->db, yg_sv_of(org), hour - h, 1389, &err) !=
			    YG_OK)
				return fail("hour");
	}
	return yg_tx_end(&tx, YG_OK, &err) == YG_OK ? 0 : fail("sources");
}

int main(int argc, char **argv)
{
	struct yg_state *db = NULL;
	uint64_t orgs = 0, alerts_n = 0;
	if (argc < 4 || yg_parse_u64(yg_sv_of(argv[2]), &orgs, &err) != YG_OK ||
	    yg_parse_u64(yg_sv_of(argv[3]), &alerts_n, &err) != YG_OK || orgs == 0) {
		(void)fprintf(stderr, "usage: bench_console_fill STATE.db ORGANISATIONS ALERTS\n");
		return 2;
	}
	env = yg_env_real(&real, "bench", 0);
	if (yg_state_open(argv[1], &db, &err) != YG_OK || yg_state_migrate(db, &err) != YG_OK)
		return fail(argv[1]);
	struct yg_act act = yg_act_make(db, &env, YG_SV("system"));
	for (uint64_t i = 0; i < orgs; i++) {
		char slug[32];
		(void)snprintf(slug, sizeof slug, "org-%llu", (unsigned long long)i);
		struct yg_org o = {.slug = yg_sv_of(slug)};
		if (yg_org_add(&act, &o, &err) != YG_OK)
			return fail("organisation");
	}
	int rc = alerts(&act, orgs, alerts_n / BATCH * BATCH);
	if (rc == 0)
		rc = close_most(&act);
	if (rc == 0)
		rc = sources(&act, orgs);
	yg_state_close(db);
	return rc;
}
