/* Rules asked on every event of a batch: what becomes findings, what goes to center, and the
 * same matches as the engine finds by itself. */
#include "role/ingest_rules.h"

#include <sys/mman.h>

#include "detect/feed.h"
#include "detect/ruleset_testing.h"
#include "detect/view.h"
#include "format/json.h"
#include "tap.h"

#define START(name)                                                                                \
	"{\"Channel\":\"Security\",\"EventID\":4688,\"Computer\":\"" name                          \
	"\",\"TimeCreated\":\"2026-01-01T00:00:00Z\",\"SubjectUserName\":\"bob\","                 \
	"\"NewProcessName\":\"C:\\\\tools\\\\evil.exe\",\"CommandLine\":\"evil.exe -x\"}\n"
#define LOGIN(name)                                                                                \
	"{\"Channel\":\"Security\",\"EventID\":4625,\"Computer\":\"" name                          \
	"\",\"TimeCreated\":\"2026-01-01T00:00:01Z\",\"TargetUserName\":\"ann\","                  \
	"\"IpAddress\":\"192.0.2.7\"}\n"
static const char batch[] = START("pc1") START("pc2") START("pc1") LOGIN("dc") "{broken\n";

static const struct rs_org orgs[] = {{"isp", ""}, {"north", "isp"}, {"other", ""}, {NULL, NULL}};
#define WHERE(title, source, where)                                                                \
	"title: " title "\nname: " title "\nid: 11111111-0000-0000-0000-00000000000" source        \
	"\nlevel: high\ntags: [attack.t1059.001, attack.execution, cve.2026-1]\n"                  \
	"logsource: {product: windows, category: process_creation}\ndetection:\n  s: {" where      \
	"}\n  condition: s\n"
static const struct rs_doc docs[] = {
	{"c-1", "isp",
	 "title: many\ncorrelation:\n  type: event_count\n  rules: [taken]\n  group-by: [Image]\n"
	 "  timespan: 5m\n  condition: {gte: 3}\n",
	 YG_STAGE_LIVE},
	{"r-live", "isp",
	 WHERE("live", "1", "Image|endswith: \\evil.exe, CommandLine|contains: -x"), YG_STAGE_LIVE},
	{"r-audit", "", WHERE("audit", "2", "Image|endswith: \\evil.exe"), YG_STAGE_AUDIT},
	{"r-test", "", WHERE("test", "3", "Image|endswith: \\evil.exe"), YG_STAGE_TEST},
	{"r-taken", "", WHERE("taken", "4", "Image|endswith: \\evil.exe"), YG_STAGE_LIVE},
	{"r-other", "other", WHERE("other", "5", "Image|endswith: \\evil.exe"), YG_STAGE_LIVE},
	{"r-none", "", WHERE("none", "6", "Image|endswith: \\good.exe"), YG_STAGE_LIVE},
	{NULL, NULL, NULL, YG_STAGE_OFF}};
static const struct rs_except excepts[] = {
	{"x-1", "r-live", "north", "s: {Computer: pc2}\ncondition: s\n", 0},
	{NULL, NULL, NULL, NULL, 0}};

static struct yg_env_sim sim = {.seed = 3, .wall = {1767225600000000}};
static struct yg_env env;
static struct yg_ruleset *set;

struct out { /* of one batch */
	struct yg_buf plan, scratch;
	uint32_t findings;
	bool ok;
};

static struct out run(struct yg_rules_run *r, const char *org)
{
	struct out o = {.findings = 0};
	struct yg_norm *norm = NULL;
	struct yg_event ev;
	yg_buf_init(&o.plan, 1 << 24);
	yg_buf_init(&o.scratch, 1 << 20);
	if (yg_norm_new(YG_SOURCE_WINDOWS, NULL, &norm, NULL) != YG_OK ||
	    yg_rules_run_begin(
		    r, &(struct yg_rules_batch){set, YG_SOURCE_WINDOWS, norm, yg_sv_of(org)},
		    NULL) != YG_OK)
		return o;
	yg_norm_begin(norm, yg_sv_of(batch), (yg_wall){1767225600000000}, false);
	for (uint32_t row = 0; yg_norm_next(norm, &ev); row++) {
		ev.org = yg_sv_of(org);
		ev.source = YG_SV("windows");
		ev.sensor = YG_SV("");
		ev.received = ev.day = 0;
		ev.spool = 2;
		ev.batch = 9;
		ev.row = row;
		yg_rules_run_event(r, &ev, &o.scratch, &o.plan, &o.findings);
	}
	o.ok = yg_rules_run_end(r, &o.scratch, &o.plan, &o.findings);
	yg_norm_free(norm);
	return o;
}

static void done(struct out *o)
{
	yg_buf_free(&o->plan);
	yg_buf_free(&o->scratch);
}

/* How often the JSON of a finding has both texts; rows: findings without JSON. */
static unsigned with(const struct out *o, const char *a, const char *b, unsigned *rows)
{
	struct yg_rd rd = yg_rd_init(o->plan.p, o->plan.n);
	unsigned n = 0;
	*rows = 0;
	for (uint32_t i = 0; i < o->findings; i++) {
		struct yg_sv json = yg_rd_sv32(&rd), row = yg_rd_sv32(&rd);
		n += yg_sv_has(json, yg_sv_of(a)) && yg_sv_has(json, yg_sv_of(b));
		*rows += json.n == 0 && row.n > 0;
	}
	return rd.bad ? 999 : n;
}

struct fed {
	unsigned matches, logins, stats, records, connections, sources, starts;
	uint64_t hits, excepted, samples, count;
	char rule[64], field[256];
};

/* The entries of all messages behind the findings. */
static struct fed fed_of(const struct out *o)
{
	static struct yg_feed_reader reader;
	struct yg_rd rd = yg_rd_init(o->plan.p, o->plan.n);
	struct yg_feed_entry e;
	struct fed f = {0};
	for (uint32_t i = 0; i < o->findings * 2; i++)
		(void)yg_rd_sv32(&rd);
	uint32_t messages = yg_rd_le32(&rd);
	for (uint32_t m = 0; m < messages && !rd.bad; m++) {
		const struct yg_feed_head head = {.entries = yg_rd_le32(&rd),
						  .org = YG_SV_INIT("isp")};
		struct yg_buf b;
		yg_buf_init(&b, 1 << 24);
		yg_feed_put_head(&b, &head);
		yg_buf_put(&b, yg_rd_sv32(&rd));
		if (yg_feed_open(&reader, yg_buf_sv(&b), NULL) == YG_OK)
			while (yg_feed_next(&reader, &e)) {
				f.matches += e.kind == YG_FEED_MATCH;
				f.logins += e.kind == YG_FEED_LOGIN;
				f.connections += e.kind == YG_FEED_CONNECTION;
				f.stats += e.kind == YG_FEED_STAT;
				f.records += e.kind == YG_FEED_RECORDS;
				f.sources += e.kind == YG_FEED_SOURCE;
				f.starts += e.kind == YG_FEED_SOURCE &&
					    YG_SV_IS(e.source.category, "process_creation") &&
					    YG_SV_IS(e.source.product, "windows");
				if (e.kind == YG_FEED_RECORDS)
					f.count = e.records.count;
				if (e.kind == YG_FEED_STAT) {
					f.hits += e.stat.hits;
					f.excepted += e.stat.excepted;
					f.samples += e.stat.sample_count;
				}
				if (e.kind == YG_FEED_MATCH && e.match.field_count == 1) {
					(void)snprintf(f.rule, sizeof f.rule, YG_SV_FMT,
						       YG_SV_ARG(e.match.rule));
					(void)snprintf(f.field, sizeof f.field, YG_SV_FMT,
						       YG_SV_ARG(e.match.fields[0].value));
				}
			}
		if (reader.rd.bad)
			f.matches = 999;
		yg_buf_free(&b);
	}
	return f;
}

static void test_findings(struct yg_rules_run *r)
{
	struct out o = run(r, "isp");
	unsigned rows;
	T_OK(o.ok);
	T_NAMED(with(&o, "\"indicator\":\"r-live\"", "\"asset\":\"pc1\"", &rows) == 1 &&
			with(&o, "\"count\":2", "\"asset\":\"pc1\"", &rows) == 1,
		"two matches of one rule and asset are one finding of two");
	T_OK(with(&o, "\"indicator\":\"r-live\"", "\"count\":1,\"asset\":\"pc2\"", &rows) == 1);
	T_NAMED(rows == 2 && o.findings == 4, "audit-only is among the events alone");
	T_OK(with(&o, "[\"Image\",\"C:\\\\tools\\\\evil.exe\"]",
		  "[\"CommandLine\",\"evil.exe -x\"]", &rows) == 2);
	T_OK(with(&o, "\"category\":\"windows/process_creation\"", "\"family\":\"T1059.001\"",
		  &rows) == 2);
	T_OK(with(&o, "\"list\":\"test\"", "\"title\":\"live\"", &rows) == 2);
	T_OK(with(&o, "\"severity_id\":4,\"confidence\":100", "\"event_id\":\"", &rows) == 2);
	T_OK(with(&o, "r-test", "", &rows) + with(&o, "r-taken", "", &rows) +
		     with(&o, "r-other", "", &rows) ==
	     0);
	done(&o);
	o = run(r, "north");
	T_NAMED(with(&o, "r-live", "pc1", &rows) == 1 && with(&o, "r-live", "pc2", &rows) == 0,
		"an exception");
	done(&o);
	o = run(r, "other");
	T_NAMED(with(&o, "r-live", "", &rows) == 0 && with(&o, "r-other", "", &rows) == 2,
		"rules of one tree are not of another");
	T_NAMED(with(&o, "r-taken", "", &rows) == 2, "nor are its correlations");
	done(&o);
	o = run(r, "");
	T_NAMED(o.ok && o.findings == 0 && fed_of(&o).records == 0,
		"what is nobody's is no finding");
	done(&o);
}

static void test_feed(struct yg_rules_run *r)
{
	struct out o = run(r, "north");
	struct fed f = fed_of(&o);
	T_OK(f.matches == 3 && strcmp(f.rule, "r-taken") == 0 &&
	     strcmp(f.field, "C:\\tools\\evil.exe") == 0);
	T_OK(f.logins == 1 && f.connections == 0 && f.records == 1 && f.count == 5);
	T_NAMED(f.hits == 3 * 3 + 2 && f.excepted == 1 && f.samples == f.hits,
		"hits are exact: a test, an audit, one that correlations take, and a live one");
	T_OK(f.stats >= 4);
	done(&o);
	o = run(r, "other");
	f = fed_of(&o);
	T_OK(f.matches == 0 && f.hits == 4 * 3);
	done(&o);
	struct yg_rules_counts c;
	yg_rules_run_counts(r, &c);
	T_OK(c.hits > 0 && c.excepted > 0 && c.findings > 0 && c.cut == 0 && c.matches == 3 * 3);
}

static struct fed told_of(struct yg_rules_run *r, const char *org)
{
	struct out o = run(r, org);
	struct fed f = fed_of(&o);
	done(&o);
	return f;
}

/* Which log sources have events is told once a day, of any number of organisations. */
static void test_sources(void)
{
	enum { ORGS = 1000 };
	struct yg_rules_run *r = NULL;
	unsigned again = 0;
	T_OK(yg_rules_run_new(&env, &r, NULL) == YG_OK);
	struct fed first = told_of(r, "isp");
	T_NAMED(first.sources > 1 && first.starts == 1, "the log sources of its events are told");
	T_NAMED(told_of(r, "isp").sources == 0, "once");
	T_NAMED(told_of(r, "north").sources == first.sources, "of each organisation");
	sim.wall.us += YG_US_PER_DAY;
	T_NAMED(told_of(r, "isp").sources == first.sources, "and on the next day again");
	sim.wall.us += YG_US_PER_DAY;
	struct yg_norm *norm = NULL;
	struct yg_event ev;
	struct out o = {.findings = 0};
	yg_buf_init(&o.plan, 1 << 20);
	yg_buf_init(&o.scratch, 1 << 20);
	T_OK(yg_norm_new(YG_SOURCE_WINDOWS, NULL, &norm, NULL) == YG_OK &&
	     yg_rules_run_begin(
		     r, &(struct yg_rules_batch){set, YG_SOURCE_WINDOWS, norm, YG_SV("isp")},
		     NULL) == YG_OK);
	yg_norm_begin(norm, yg_sv_of(batch), (yg_wall){1767225600000000}, false);
	T_OK(yg_norm_next(norm, &ev));
	ev.org = YG_SV("isp");
	yg_rules_run_event(r, &ev, &o.scratch, &o.plan, &o.findings);
	yg_norm_free(norm);
	done(&o);
	struct fed again_told = told_of(r, "isp");
	T_NAMED(again_told.sources == first.sources && again_told.hits == first.hits,
		"and again when the batch that told it came to nothing, of which nothing stays");
	for (unsigned round = 0; round < 2; round++) {
		again = 0;
		for (unsigned i = 0; i < ORGS; i++) {
			char org[16];
			(void)snprintf(org, sizeof org, "org-%u", i);
			again += told_of(r, org).sources;
		}
		T_OK(round == 1 || again == ORGS * first.sources);
	}
	T_NAMED(again == 0, "a thousand of them are remembered");
	yg_rules_run_free(r);
}

/* Of very many assets: every finding once, up to the bound. */
static void test_many(struct yg_rules_run *r)
{
	struct yg_event ev;
	struct yg_norm *norm = NULL;
	struct out o = {.findings = 0};
	char host[16];
	struct yg_rules_counts before, after;
	unsigned rows;
	yg_buf_init(&o.plan, 1 << 28);
	yg_buf_init(&o.scratch, 1 << 20);
	yg_rules_run_counts(r, &before);
	T_OK(yg_norm_new(YG_SOURCE_WINDOWS, NULL, &norm, NULL) == YG_OK &&
	     yg_rules_run_begin(
		     r, &(struct yg_rules_batch){set, YG_SOURCE_WINDOWS, NULL, YG_SV("isp")},
		     NULL) == YG_OK);
	yg_norm_begin(norm, YG_SV(START("x")), (yg_wall){1}, false);
	T_OK(yg_norm_next(norm, &ev));
	ev.source = YG_SV("windows");
	ev.sensor = YG_SV("");
	ev.received = ev.day = ev.spool = 0;
	ev.batch = ev.row = 0;
	static char names[12000][8];
	for (unsigned i = 0; i < 12000; i++) {
		(void)snprintf(host, sizeof host, "h%u", i);
		memcpy(names[i], host, sizeof names[i]);
		ev.host = yg_sv_of(names[i]);
		ev.org = YG_SV("isp");
		yg_rules_run_event(r, &ev, &o.scratch, &o.plan, &o.findings);
	}
	T_OK(yg_rules_run_end(r, &o.scratch, &o.plan, &o.findings));
	yg_rules_run_counts(r, &after);
	(void)printf("# %u findings, %llu cut, %u of h77\n", o.findings,
		     (unsigned long long)(after.cut - before.cut),
		     with(&o, "\"h77\"", "r-live", &rows));
	T_OK(o.findings == YG_RULES_FINDINGS &&
	     after.cut - before.cut == 2 * 12000 - YG_RULES_FINDINGS &&
	     with(&o, "\"h77\"", "r-live", &rows) == 1);
	yg_norm_free(norm);
	done(&o);
}

int main(void)
{
	const struct rs_set rules = {orgs, docs, NULL, excepts, 1};
	struct yg_rules_run *r = NULL;
	struct yg_err err = {0};
	env = yg_env_sim(&sim);
	T_OK(rs_make(&rules, NULL, NULL, NULL, &set, &err) == YG_OK &&
	     yg_rules_run_new(&env, &r, &err) == YG_OK);
	test_findings(r);
	test_feed(r);
	test_many(r);
	test_sources();
	T_OK(yg_rules_run_set(r) == set);
	yg_rules_run_free(r);
	yg_ruleset_free(set);
	return tap_done();
}
