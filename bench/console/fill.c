/* fill.c - a state as a centre has it after a year: organisations, alerts of the whole
 * year through the code that takes findings, most of them closed within two days,
 * sources and their hours, as many detection rules as are published, and what they did.
 * With events.c, an alert rests on the event of its organisation that it names.
 *
 * usage: bench_console_fill STATE.db ORGANISATIONS ALERTS [EVENTS] */
#include <stdio.h>

#include "alert/alert.h"
#include "alert/finding.h"
#include "base/codec.h"
#include "bench.h"
#include "detect/registry.h"
#include "org/coverage.h"
#include "org/organisation.h"
#include "os/env.h"

#define BATCH 2000u
#define HOURS 720
#define RULES 3800u
#define YEAR  (365 * YG_US_PER_DAY)

static struct yg_env_real real;
static struct yg_env env;
static struct yg_err err;
static yg_wall at_work; /* what the time is to the code that takes findings */

static yg_wall year_clock(void *ctx)
{
	(void)ctx;
	return at_work;
}

static int fail(const char *what)
{
	(void)fprintf(stderr, "%s: %s\n", what, err.msg);
	return 1;
}

static uint64_t mixed(uint64_t n)
{
	n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9u;
	return n ^ (n >> 27);
}

static uint64_t events = 100000000;

static void finding(struct yg_buf *body, uint64_t i, uint64_t orgs, int64_t now)
{
	char json[700], time[40];
	uint64_t event = mixed(i) % YG_MAX(events / orgs, (uint64_t)1) * orgs + i % orgs;
	struct yg_sb t = yg_sb_init(time, sizeof time);
	yg_time_format(&t, (yg_wall){now - (int64_t)(mixed(i) % 600) * YG_US_PER_S});
	int n = snprintf(
		json, sizeof json,
		"{\"finding_uid\":\"f-%llu\",\"org\":\"org-%llu\",\"indicator\":\"evil%llu.example\",\"indicator_type\":\"domain\","
		"\"list\":\"feed-%llu\",\"category\":\"malware\",\"family\":\"x\",\"severity_id\":%llu,\"confidence\":80,\"tlp\":\"amber\","
		"\"asset\":\"10.%llu.%llu.%llu\",\"field\":\"query\",\"value\":\"www.evil.example\",\"event_id\":\"e-1-%llu-%llu\","
		"\"time\":\"%.*s\",\"title\":\"evil looked up\"}",
		(unsigned long long)i, (unsigned long long)(i % orgs),
		(unsigned long long)(i % 5003), (unsigned long long)(i % 7),
		(unsigned long long)(1 + i % 6), (unsigned long long)(i >> 16 & 255),
		(unsigned long long)(i >> 8 & 255), (unsigned long long)(i & 255),
		(unsigned long long)(1 + event / YG_BENCH_BLOCK),
		(unsigned long long)(event % YG_BENCH_BLOCK), (int)t.n, time);
	yg_wr_sv32(body, (struct yg_sv){json, (size_t)n});
}

static int alerts(struct yg_act *act, uint64_t orgs, uint64_t alerts_n)
{
	struct yg_finding_result r;
	int64_t now = at_work.us;
	for (uint64_t at = 0; at < alerts_n; at += BATCH) {
		struct yg_buf body;
		at_work.us = now - (int64_t)((double)YEAR * (double)(alerts_n - BATCH - at) /
					     (double)alerts_n);
		yg_buf_init(&body, 64 << 20);
		yg_wr_le32(&body, 1);
		yg_wr_le32(&body, BATCH);
		yg_wr_le64(&body, at + 1);
		for (uint64_t i = at; i < at + BATCH; i++)
			finding(&body, i, orgs, at_work.us);
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
		    " closed = min($1, created + seq % 48 * 3600000000 + 1), updated ="
		    " min($1, created + seq % 48 * 3600000000 + 1), version = version + 1"
		    " WHERE seq % 10 <> 0",
		    &s, &err) != YG_OK)
		return fail("close");
	yg_stmt_i64(s, 1, at_work.us + 1);
	return yg_stmt_run(s, &err) == YG_OK ? 0 : fail("close");
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
				.events = (int64_t)(events / orgs / YG_LEN(kinds))};
			if (yg_source_add(act->db, &row, 1, &err) != YG_OK)
				return fail("source");
		}
		for (int64_t h = 0; h < HOURS; h++)
			if (yg_event_hour_add(act->db, yg_sv_of(org), hour - h,
					      (int64_t)(events / orgs / HOURS), &err) != YG_OK)
				return fail("hour");
	}
	return yg_tx_end(&tx, YG_OK, &err) == YG_OK ? 0 : fail("sources");
}

static void rule(struct yg_buf *text, unsigned i)
{
	static const char *const levels[] = {"informational", "low", "medium", "high", "critical"};
	static const char *const tactics[] = {"execution", "discovery", "persistence", "impact"};
	yg_buf_printf(
		text,
		"title: Rule %u of the bench\nid: 00000000-0000-4000-8000-%012u\nlevel: %s\n"
		"status: test\ndescription: >\n%s"
		"tags: [attack.%s, attack.t%u]\n"
		"logsource: {product: windows, category: c%u}\n"
		"detection:\n  s:\n    Image|endswith: '\\tool%u.exe'\n  condition: s\n---\n",
		i, i, levels[i % YG_LEN(levels)],
		/* rules are some 1.5 kB long, most of it words */
		"  What it looks for, why that is told, what else does the same, and what to look at next; words as long as those\n"
		"  of the published rules are, so that reading through them costs what it costs there. What it looks for, why that\n"
		"  is told, what else does the same, and what to look at next; words as long as those of the published rules are.\n"
		"  What it looks for, why that is told, what else does the same, and what to look at next; words as long as those\n"
		"  of the published rules are, so that reading through them costs what it costs there. What it looks for, why that\n"
		"  is told, what else does the same, and what to look at next; words as long as those of the published rules are.\n",
		tactics[i % YG_LEN(tactics)], 1001 + i % 200, i % 60, i);
}

/* A fourth of them has events everywhere: a row for every hour of the last day, and of the month
 * before that for every hour in which it hit. */
static const char *const rule_rows[] = {
	"UPDATE detect_rule SET created = created - 31536000000000, updated = updated - 31536000000000",
	"UPDATE detect_rule_past SET created = created - 31536000000000",
	"WITH RECURSIVE h (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM h WHERE n < 719)"
	" INSERT INTO detect_stat (rule, hour, org, looked_at, hits, excepted, cost_ns, last)"
	" SELECT r.uid, $1 - h.n * 3600000000, o.slug, 1000, (r.rowid * 7 + h.n) % 97 = 0, 0, 5000 + r.rowid,"
	" CASE WHEN (r.rowid * 7 + h.n) % 97 = 0 THEN $1 - h.n * 3600000000 ELSE 0 END"
	" FROM detect_rule r, h, organisation o WHERE r.rowid % 4 = 0 AND (h.n < 24 OR (r.rowid * 7 + h.n) % 97 = 0)",
	"INSERT INTO detect_stat (rule, hour, org, looked_at, hits, excepted, cost_ns, last)"
	" SELECT '', hour, org, sum(looked_at), sum(hits), 0, sum(cost_ns), max(last) FROM detect_stat GROUP BY hour, org",
	"INSERT INTO detect_source (org, category, product, service, last)"
	" SELECT o.slug, r.category, 'windows', '', $1 FROM organisation o, (SELECT DISTINCT category FROM detect_rule) r",
};

static int rules(struct yg_act *act)
{
	const struct yg_drule_place at = {
		.org = YG_SV(""), .collection = YG_SV("bench"), .stage = YG_STAGE_LIVE};
	struct yg_drule_imported n;
	struct yg_detect_documents docs;
	struct yg_buf text;
	struct yg_tx tx;
	int64_t hour = yg_env_wall(&env).us / 3600000000 * 3600000000;
	yg_buf_init(&text, 64 << 20);
	for (unsigned i = 0; i < RULES; i++)
		rule(&text, i);
	if (yg_detect_documents_begin(&docs, &env, &err) != YG_OK ||
	    yg_detect_documents_add(&docs, YG_SV("bench.yml"), yg_buf_sv(&text), &err) != YG_OK ||
	    yg_drule_import(act, &at, &docs, &n, &err) != YG_OK || n.added != RULES ||
	    yg_tx_begin(&tx, act->db, &err) != YG_OK)
		return fail("rules");
	yg_detect_documents_free(&docs);
	yg_buf_free(&text);
	for (size_t i = 0; i < YG_LEN(rule_rows); i++) {
		struct yg_stmt *s = NULL;
		if (yg_state_prepare(act->db, rule_rows[i], &s, &err) != YG_OK)
			return fail(rule_rows[i]);
		if (i >= 2 && i != 3)
			yg_stmt_i64(s, 1, hour);
		if (yg_stmt_run(s, &err) != YG_OK)
			return fail(rule_rows[i]);
	}
	return yg_tx_end(&tx, YG_OK, &err) == YG_OK ? 0 : fail("rules");
}

/* Written once and thrown away when the machine fails: a large cache, no waiting. */
static int hurry(struct yg_state *db)
{
	static const char *const settings[] = {"PRAGMA synchronous = OFF",
					       "PRAGMA cache_size = -1500000",
					       "PRAGMA wal_autocheckpoint = 100000"};
	for (size_t i = 0; i < YG_LEN(settings); i++) {
		struct yg_stmt *s = NULL;
		bool row = false;
		if (yg_state_prepare(db, settings[i], &s, &err) != YG_OK ||
		    yg_stmt_step(s, &row, &err) != YG_OK)
			return fail(settings[i]);
		yg_stmt_done(s);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct yg_state *db = NULL;
	uint64_t orgs = 0, alerts_n = 0;
	if (argc < 4 || yg_parse_u64(yg_sv_of(argv[2]), &orgs, &err) != YG_OK ||
	    yg_parse_u64(yg_sv_of(argv[3]), &alerts_n, &err) != YG_OK || orgs == 0 ||
	    (argc > 4 && yg_parse_u64(yg_sv_of(argv[4]), &events, &err) != YG_OK)) {
		(void)fprintf(stderr,
			      "usage: bench_console_fill STATE.db ORGANISATIONS ALERTS [EVENTS]\n");
		return 2;
	}
	env = yg_env_real(&real, "bench", 0);
	at_work = yg_env_wall(&env);
	env.wall = year_clock;
	if (yg_state_open(argv[1], &db, &err) != YG_OK || yg_state_migrate(db, &err) != YG_OK)
		return fail(argv[1]);
	if (hurry(db) != 0)
		return 1;
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
	if (rc == 0)
		rc = rules(&act);
	yg_state_close(db);
	return rc;
}
