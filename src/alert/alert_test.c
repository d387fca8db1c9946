#include "alert/alert.h"

#include "alert/testing.h"
#include "intel/registry.h"
#include "org/job.h"
#include "tap.h"

#define T0 INT64_C(1700000000000000)

static uint64_t batches;

/* One finding per call; its events are e-<n>. */
static void find(struct yg_state *db, const char *org, const char *indicator, const char *asset,
		 int64_t n)
{
	struct yg_act act = yg_act_make(db, &env, YG_SV("system"));
	struct message m;
	struct yg_finding_result r;
	char event[32];
	(void)snprintf(event, sizeof event, "e-%lld", (long long)n);
	message_begin(&m, 0, ++batches);
	message_add(&m, org, indicator, asset, 3, T0 + n, event);
	if (message_send(&m, &act, &r) != YG_OK)
		(void)printf("# %s\n", err.msg);
}

static const struct yg_sv slugs[] = {YG_SV_INIT("alpha"), YG_SV_INIT("beta"), YG_SV_INIT("gamma")};
static const struct yg_reach in_alpha = {.orgs = slugs, .org_count = 1},
			     in_beta = {.orgs = slugs + 1, .org_count = 1};

static struct yg_alert newest(struct yg_state *db)
{
	struct yg_alert_filter f = {.reach = YG_REACH_ALL, .limit = 1};
	struct yg_alert *a = NULL;
	size_t n = 0;
	if (yg_alert_list(db, &f, &arena, &a, &n, &err) != YG_OK || n == 0)
		return (struct yg_alert){0};
	return a[0];
}

static void test_words(void)
{
	enum yg_alert_state s;
	enum yg_verdict v;
	T_OK(yg_alert_state_parse(YG_SV("on_hold"), &s) == YG_OK && s == YG_ALERT_ON_HOLD &&
	     yg_alert_state_parse(YG_SV("open"), &s) == YG_PARSE);
	T_OK(yg_verdict_parse(YG_SV("false_positive"), &v) == YG_OK && v == YG_VERDICT_FALSE &&
	     yg_verdict_parse(YG_SV("true"), &v) == YG_OK && v == YG_VERDICT_TRUE);
	T_OK(yg_verdict_parse(YG_SV(""), &v) == YG_PARSE &&
	     yg_verdict_parse(YG_SV("_positive"), &v) == YG_PARSE);
	T_OK(strcmp(yg_alert_state_name(YG_ALERT_CLOSED), "closed") == 0 &&
	     strcmp(yg_verdict_name(YG_VERDICT_BENIGN), "benign") == 0);
}

static void test_life(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:7"));
	struct yg_sv why = YG_SV("looked at the host"), blank = YG_SV("  "), who = YG_SV("hanako"),
		     nobody = YG_SV("");
	struct yg_alert a;
	int64_t version = 0;
	find(db, "alpha", "evil.example", "h1", 1);
	a = newest(db);
#define CHANGE(ver, ...)                                                                           \
	yg_alert_change(&act, a.id, (ver), &(struct yg_alert_set){__VA_ARGS__}, &version, &err)
	T_OK(CHANGE(1, .assignee = &who) == YG_OK && version == 2);
	T_NAMED(CHANGE(1, .state = YG_ALERT_IN_PROGRESS) == YG_CONFLICT,
		"an old version is refused");
	T_OK(CHANGE(2, .state = YG_ALERT_IN_PROGRESS) == YG_OK && version == 3);
	T_OK(CHANGE(3, .state = YG_ALERT_IN_PROGRESS) == YG_OK &&
	     version == 3); /* nothing differs */
	T_OK(CHANGE(3, .state = YG_ALERT_NEW) == YG_INVAL);
	T_OK(CHANGE(3, .state = YG_ALERT_CLOSED, .reason = &why) == YG_INVAL);
	T_OK(CHANGE(3, .state = YG_ALERT_CLOSED, .verdict = YG_VERDICT_TRUE) == YG_INVAL);
	T_OK(CHANGE(3, .state = YG_ALERT_CLOSED, .verdict = YG_VERDICT_TRUE, .reason = &blank) ==
	     YG_INVAL);
	T_OK(CHANGE(3, .verdict = YG_VERDICT_TRUE, .reason = &why) == YG_INVAL);
	T_OK(CHANGE(3, .severity_id = 7) == YG_INVAL && CHANGE(3, .severity_id = 5) == YG_OK &&
	     version == 4);
	T_OK(CHANGE(4, .state = YG_ALERT_CLOSED, .verdict = YG_VERDICT_TRUE, .reason = &why,
		    .assignee = &nobody) == YG_OK &&
	     version == 5);
	T_OK(yg_alert_get(db, a.id, &arena, &a, &err) == YG_OK && a.state == YG_ALERT_CLOSED &&
	     a.verdict == YG_VERDICT_TRUE && yg_sv_eq(a.reason, why) && a.assignee.n == 0 &&
	     a.closed.us == sim.wall.us && a.severity_id == 5);
	T_OK(CHANGE(5, .verdict = YG_VERDICT_BENIGN) == YG_INVAL &&
	     CHANGE(5, .verdict = YG_VERDICT_BENIGN, .reason = &why) == YG_OK);
	T_OK(CHANGE(6, .state = YG_ALERT_IN_PROGRESS) == YG_OK);
	T_OK(yg_alert_get(db, a.id, &arena, &a, &err) == YG_OK && a.verdict == YG_VERDICT_NONE &&
	     a.closed.us == 0);
	find(db, "alpha", "evil.example", "h1", 2);
	T_NAMED(newest(db).seq == a.seq && newest(db).count == 2,
		"a reopened alert collects again");
	/* closed, a new one opens, the old one cannot be reopened beside it */
	T_OK(CHANGE(YG_ANY_VERSION, .state = YG_ALERT_CLOSED, .verdict = YG_VERDICT_FALSE,
		    .reason = &why) == YG_OK);
	find(db, "alpha", "evil.example", "h1", 3);
	T_OK(newest(db).seq != a.seq &&
	     CHANGE(YG_ANY_VERSION, .state = YG_ALERT_ON_HOLD) == YG_CONFLICT);
	T_OK(yg_alert_change(&act, YG_SV("a-none"), 1,
			     &(struct yg_alert_set){.state = YG_ALERT_ON_HOLD}, NULL,
			     &err) == YG_NOTFOUND);
	/* all of it is in the log, with from and to */
	struct yg_audit_entry *e;
	struct yg_audit_filter f = {.reach = YG_REACH_ALL, .object = a.id, .limit = 20};
	size_t n;
	T_OK(yg_audit_list(db, &f, &arena, &e, &n, &err) == YG_OK && n == 8 &&
	     YG_SV_IS(e[7].action, "alert.open") && YG_SV_IS(e[0].actor, "local:7"));
	T_OK(yg_sv_has(e[5].detail, YG_SV("\"state\":{\"from\":\"new\",\"to\":\"in_progress\"}")) &&
	     yg_sv_has(e[3].detail, YG_SV("looked at the host")));
	int64_t counts[7];
	T_OK(yg_alert_counts(db, &in_alpha, counts, &err) == YG_OK && counts[3] == 1 &&
	     counts[5] == 0);
	T_OK(yg_alert_counts(db, &in_beta, counts, &err) == YG_OK && counts[3] == 0);
#undef CHANGE
}

static void test_comments(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:7"));
	struct yg_id id;
	struct yg_comment *c;
	size_t n;
	find(db, "alpha", "evil.example", "h1", 1);
	struct yg_alert a = newest(db);
	T_OK(yg_alert_comment(&act, a.id, YG_SV("  first "), &id, &err) == YG_OK &&
	     yg_alert_comment(&act, a.id, YG_SV("第二"), &id, &err) == YG_OK);
	T_OK(yg_alert_comment(&act, a.id, YG_SV(" "), &id, &err) == YG_INVAL &&
	     yg_alert_comment(&act, a.id, YG_SV("\xff"), &id, &err) == YG_INVAL);
	T_OK(yg_alert_comment(&act, YG_SV("a-x"), YG_SV("x"), &id, &err) == YG_NOTFOUND);
	T_OK(yg_alert_comments(db, &(struct yg_alert_of){.id = a.id}, YG_SV(""), 10, &arena, &c, &n,
			       &err) == YG_OK &&
	     n == 2 && YG_SV_IS(c[0].body, "first") && YG_SV_IS(c[1].actor, "local:7"));
	T_OK(yg_alert_comments(db, &(struct yg_alert_of){.id = a.id}, c[0].id, 10, &arena, &c, &n,
			       &err) == YG_OK &&
	     n == 1);
	T_OK(one(db, "SELECT count(*) FROM audit_log WHERE action = 'alert.comment'") == 2);
}

static void test_filter(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:7"));
	struct yg_sv who = YG_SV("hanako");
	struct yg_alert *a;
	size_t n;
	find(db, "alpha", "evil.example", "h1", 1);
	find(db, "alpha", "bad_100%.example", "h2", 2);
	find(db, "beta", "evil.example", "h1", 3);
	struct yg_alert last = newest(db);
	T_OK(yg_alert_change(
		     &act, last.id, 1,
		     &(struct yg_alert_set){.state = YG_ALERT_IN_PROGRESS, .assignee = &who}, NULL,
		     &err) == YG_OK);
	const struct {
		struct yg_alert_filter f;
		size_t n;
	} asks[] = {
		{{.limit = 10}, 3},
		{{.reach = {.orgs = slugs, .org_count = 1}}, 2},
		{{.reach = {.orgs = slugs, .org_count = 2}}, 3},
		{{.reach = {.orgs = slugs + 2, .org_count = 1}}, 0},
		{{.reach = {.systems = slugs, .system_count = 1}}, 0},
		{{.reach = {.all = true, .from = {2000000000000000}}}, 0},
		{{.reach = {.all = true, .to = {2000000000000000}}}, 3},
		{{.states = 1u << YG_ALERT_NEW}, 2},
		{{.states = 1u << YG_ALERT_NEW | 1u << YG_ALERT_IN_PROGRESS}, 3},
		{{.states = 1u << YG_ALERT_CLOSED}, 0},
		{{.severity_min = 4}, 0},
		{{.assignee = YG_SV("hanako")}, 1},
		{{.assignee = YG_SV("-")}, 2},
		{{.indicator = YG_SV("evil.example")}, 2},
		{{.asset = YG_SV("h2")}, 1},
		{{.q = YG_SV("EVIL")}, 2},
		{{.q = YG_SV("0%.e")}, 1},
		{{.q = YG_SV("1_0")}, 0},
		{{.q = YG_SV("!")}, 0},
		{{.before = last.seq}, 2},
		{{.from_us = T0 + 2}, 2},
		{{.to_us = T0 + 2}, 1},
		{{.q = last.id}, 1},
	};
	for (size_t i = 0; i < YG_LEN(asks); i++) {
		struct yg_alert_filter f = asks[i].f;
		f.limit = 10;
		if (yg_reach_none(&f.reach))
			f.reach = YG_REACH_ALL;
		T_OK(yg_alert_list(db, &f, &arena, &a, &n, &err) == YG_OK && n == asks[i].n);
	}
}

/* Merged and taken back: as it was, with what was found since. */
static bool merged_of(struct yg_state *db, struct yg_sv id, const struct yg_sv ids[static 2])
{
	struct yg_audit_filter f = {
		.reach = {.all = true}, .object = id, .action = YG_SV("alert.merge"), .limit = 9};
	struct yg_audit_entry *e;
	size_t n = 0;
	char want[160];
	struct yg_sb b = yg_sb_init(want, sizeof want);
	yg_sb_put(&b, YG_SV("{\"others\":[\""));
	yg_sb_put(&b, ids[0]);
	yg_sb_put(&b, YG_SV("\",\""));
	yg_sb_put(&b, ids[1]);
	yg_sb_put(&b, YG_SV("\"],"));
	return yg_audit_list(db, &f, &arena, &e, &n, &err) == YG_OK && n == 1 &&
	       yg_sv_starts(e[0].detail, yg_sb_sv(&b));
}

static void test_unmerge(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:7"));
	struct yg_alert a, b, c;
	find(db, "alpha", "evil.example", "h1", 1);
	a = newest(db);
	find(db, "alpha", "worse.example", "h1", 2);
	b = newest(db);
	find(db, "alpha", "third.example", "h1", 3);
	c = newest(db);
	struct yg_sv both[] = {b.id, c.id}, why = YG_SV("one infection");
	T_OK(yg_alert_unmerge(&act, b.id, YG_ANY_VERSION, &err) == YG_CONFLICT);
	T_OK(yg_alert_merge(&act, a.id, YG_ANY_VERSION, both, 2, why, &err) == YG_OK);
	T_NAMED(merged_of(db, a.id, both), "the audit log names every alert that was merged");
	find(db, "alpha", "worse.example", "h1", 12);
	T_OK(yg_alert_unmerge(&act, b.id, 1, &err) == YG_CONFLICT &&
	     yg_alert_unmerge(&act, YG_SV("a-none"), YG_ANY_VERSION, &err) == YG_NOTFOUND);
	T_OK(yg_alert_unmerge(&act, b.id, 2, &err) == YG_OK);
	T_OK(yg_alert_get(db, a.id, &arena, &a, &err) == YG_OK && a.count == 2);
	T_NAMED(yg_alert_get(db, b.id, &arena, &b, &err) == YG_OK && b.count == 2 &&
			b.state == YG_ALERT_IN_PROGRESS && b.merged_into.n == 0 &&
			b.reason.n == 0 && b.closed.us == 0 &&
			YG_SV_IS(b.indicator, "worse.example") && b.last_seen.us == T0 + 12,
		"its own again, with what came since");
	find(db, "alpha", "worse.example", "h1", 13);
	T_OK(yg_alert_get(db, b.id, &arena, &b, &err) == YG_OK && b.count == 3);
	T_OK(yg_alert_unmerge(&act, b.id, YG_ANY_VERSION, &err) == YG_CONFLICT);
	/* c's part went on to b: there is nothing to take back */
	T_OK(yg_alert_merge(&act, b.id, YG_ANY_VERSION, &a.id, 1, why, &err) == YG_OK);
	T_OK(yg_alert_unmerge(&act, c.id, YG_ANY_VERSION, &err) == YG_CONFLICT);
	T_OK(yg_alert_unmerge(&act, a.id, YG_ANY_VERSION, &err) == YG_OK);
	T_NAMED(yg_alert_unmerge(&act, c.id, YG_ANY_VERSION, &err) == YG_CONFLICT &&
			strstr(err.msg, "merged again") != NULL,
		"what was merged twice is known as of the second");
}

static void test_merge(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:7"));
	struct yg_alert a, b, c, other;
	struct yg_evidence *e;
	size_t n;
	find(db, "alpha", "evil.example", "h1", 1);
	a = newest(db);
	find(db, "alpha", "worse.example", "h1", 2);
	find(db, "alpha", "worse.example", "h1", 9);
	b = newest(db);
	find(db, "beta", "evil.example", "h1", 3);
	other = newest(db);
	struct yg_sv why = YG_SV("one infection");
	T_OK(yg_alert_merge(&act, a.id, 1, &a.id, 1, why, &err) == YG_INVAL &&
	     yg_alert_merge(&act, a.id, 1, &other.id, 1, why, &err) == YG_INVAL);
	T_OK(yg_alert_merge(&act, a.id, 2, &b.id, 1, why, &err) == YG_CONFLICT &&
	     yg_alert_merge(&act, a.id, 1, NULL, 0, why, &err) == YG_INVAL);
	T_OK(yg_alert_merge(&act, a.id, 1, &b.id, 1, why, &err) == YG_OK);
	T_OK(yg_alert_get(db, a.id, &arena, &a, &err) == YG_OK && a.count == 3 &&
	     a.last_seen.us == T0 + 9 && a.version == 2 && YG_SV_IS(a.indicator, "evil.example"));
	T_OK(yg_alert_get(db, b.id, &arena, &b, &err) == YG_OK && b.state == YG_ALERT_CLOSED &&
	     b.verdict == YG_VERDICT_DUPLICATE && yg_sv_eq(b.merged_into, a.id));
	T_OK(yg_alert_change(&act, b.id, YG_ANY_VERSION,
			     &(struct yg_alert_set){.state = YG_ALERT_IN_PROGRESS}, NULL,
			     &err) == YG_CONFLICT);
	find(db, "alpha", "worse.example", "h1", 12);
	T_NAMED(yg_alert_get(db, a.id, &arena, &c, &err) == YG_OK && c.count == 4,
		"later findings go to the merged alert");
	T_OK(yg_alert_evidence(db, &(struct yg_alert_of){.id = a.id}, 0, 10, &arena, &e, &n,
			       &err) == YG_OK &&
	     n == 4 && YG_SV_IS(e[0].event_id, "e-12"));
	/* and apart again: the whole part, by all of its events */
	struct yg_sv events[] = {YG_SV("e-2"), YG_SV("e-9"), YG_SV("e-12")},
		     all[] = {YG_SV("e-1"), YG_SV("e-2"), YG_SV("e-9"), YG_SV("e-12")},
		     none = YG_SV("e-77");
	struct yg_id id;
	T_OK(yg_alert_split(&act, a.id, YG_ANY_VERSION, all, 4, why, &id, &err) == YG_INVAL &&
	     yg_alert_split(&act, a.id, YG_ANY_VERSION, &none, 1, why, &id, &err) == YG_NOTFOUND);
	T_OK(yg_alert_split(&act, a.id, YG_ANY_VERSION, events, 3, why, &id, &err) == YG_OK);
	T_OK(yg_alert_get(db, yg_id_sv(&id), &arena, &b, &err) == YG_OK && b.count == 3 &&
	     YG_SV_IS(b.indicator, "worse.example") && b.state == YG_ALERT_NEW &&
	     b.first_seen.us == T0 + 2 && b.version == 1);
	T_OK(yg_alert_get(db, a.id, &arena, &a, &err) == YG_OK && a.count == 1 &&
	     a.last_seen.us == T0 + 1);
	find(db, "alpha", "worse.example", "h1", 13);
	T_NAMED(yg_alert_get(db, yg_id_sv(&id), &arena, &b, &err) == YG_OK && b.count == 4,
		"a part that moved whole collects where it is");
	/* some links of one part: the new alert does not collect, the old one does */
	struct yg_sv two[] = {YG_SV("e-9"), YG_SV("e-2")};
	struct yg_id id2;
	T_OK(yg_alert_split(&act, b.id, YG_ANY_VERSION, two, 2, why, &id2, &err) == YG_OK);
	find(db, "alpha", "worse.example", "h1", 14);
	T_OK(yg_alert_get(db, yg_id_sv(&id2), &arena, &c, &err) == YG_OK && c.count == 2 &&
	     c.first_seen.us == T0 + 2 && c.last_seen.us == T0 + 9);
	T_OK(yg_alert_get(db, b.id, &arena, &b, &err) == YG_OK && b.count == 3);
	/* closing and reopening the split one does not take the subject away */
	T_OK(yg_alert_change(&act, c.id, YG_ANY_VERSION,
			     &(struct yg_alert_set){.state = YG_ALERT_CLOSED,
						    .verdict = YG_VERDICT_TRUE,
						    .reason = &why},
			     NULL, &err) == YG_OK);
	T_OK(yg_alert_change(&act, c.id, YG_ANY_VERSION,
			     &(struct yg_alert_set){.state = YG_ALERT_ON_HOLD}, NULL,
			     &err) == YG_OK);
	T_OK(one(db, "SELECT sum(count) FROM alert_part") == 7);
}

static void test_allow(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:7"));
	struct yg_id id;
	struct yg_allow w;
	yg_wall expires = {sim.wall.us + YG_US_PER_DAY}, past = {sim.wall.us - 1};
	find(db, "alpha", "good.example", "h1", 1);
	struct yg_alert a = newest(db);
	T_OK(yg_alert_allow(&act, a.id, 9, YG_SV("our own"), expires, false, &id, &err) ==
	     YG_CONFLICT);
	T_OK(yg_alert_allow(&act, a.id, 1, YG_SV("our own"), past, false, &id, &err) == YG_INVAL);
	T_NAMED(yg_alert_get(db, a.id, &arena, &a, &err) == YG_OK && a.state == YG_ALERT_NEW,
		"refused whole");
	T_OK(yg_alert_allow(&act, a.id, 1, YG_SV("our own"), expires, false, &id, &err) == YG_OK);
	T_OK(yg_allow_get(db, yg_id_sv(&id), &arena, &w, &err) == YG_OK &&
	     YG_SV_IS(w.value, "good.example") && YG_SV_IS(w.org, "alpha") &&
	     yg_sv_eq(w.alert, a.id) && w.expires.us == expires.us && w.type == YG_IND_DOMAIN);
	T_OK(yg_alert_get(db, a.id, &arena, &a, &err) == YG_OK && a.state == YG_ALERT_CLOSED &&
	     a.verdict == YG_VERDICT_FALSE && YG_SV_IS(a.reason, "our own"));
	T_OK(yg_alert_allow(&act, a.id, YG_ANY_VERSION, YG_SV("everywhere"), (yg_wall){0}, true,
			    &id, &err) == YG_OK &&
	     yg_allow_get(db, yg_id_sv(&id), &arena, &w, &err) == YG_OK && w.org.n == 0 &&
	     w.expires.us == 0);
	bool dirty = false;
	T_OK(yg_registry_dirty(db, &dirty, &err) == YG_OK && dirty);
}

static void test_bulk(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:7"));
	struct yg_sv why = YG_SV("test traffic"), ids[3];
	struct yg_id job;
	struct yg_job j;
	for (int i = 0; i < 250; i++) {
		char asset[32];
		(void)snprintf(asset, sizeof asset, "h%d", i);
		find(db, i % 5 == 0 ? "beta" : "alpha", "evil.example", asset, i);
	}
	struct yg_alert_set close = {.state = YG_ALERT_CLOSED,
				     .verdict = YG_VERDICT_BENIGN,
				     .reason = &why},
			    bad = {.state = YG_ALERT_CLOSED};
	struct yg_alert_filter alpha = {.reach = in_alpha, .states = 1u << YG_ALERT_NEW};
	T_OK(yg_job_add(&act, YG_SV("alerts.bulk"), YG_SV(""), YG_SV(""), &job, &err) == YG_OK &&
	     yg_job_start(&act, yg_id_sv(&job), &err) == YG_OK);
	T_OK(yg_alert_bulk(&act, yg_id_sv(&job), NULL, 0, &alpha, &close, &err) == YG_OK);
	T_OK(yg_job_get(db, yg_id_sv(&job), &arena, &j, &err) == YG_OK && j.state == YG_JOB_DONE &&
	     j.total == 200 && j.done == 200 && j.errors == 0 &&
	     YG_SV_IS(j.result, "{\"changed\":200,\"refused\":0,\"faults\":[]}"));
	T_OK(one(db, "SELECT count(*) FROM alert WHERE state = 'closed' AND org = 'alpha'") ==
		     200 &&
	     one(db, "SELECT count(*) FROM alert WHERE state = 'new'") == 50);
	/* by ids, one of them unknown: counted, the rest goes on */
	ids[0] = newest(db).id;
	ids[1] = YG_SV("a-none");
	ids[2] = ids[0];
	struct yg_alert_set hold = {.state = YG_ALERT_ON_HOLD};
	T_OK(yg_job_add(&act, YG_SV("alerts.bulk"), YG_SV(""), YG_SV(""), &job, &err) == YG_OK &&
	     yg_job_start(&act, yg_id_sv(&job), &err) == YG_OK);
	struct yg_alert_filter beta = {.reach = in_beta, .limit = 1};
	struct yg_alert *page;
	size_t n;
	T_OK(yg_alert_list(db, &beta, &arena, &page, &n, &err) == YG_OK && n == 1);
	ids[0] = ids[2] = page[0].id;
	T_OK(yg_alert_bulk(&act, yg_id_sv(&job), ids, 3, NULL, &hold, &err) == YG_OK &&
	     yg_job_get(db, yg_id_sv(&job), &arena, &j, &err) == YG_OK && j.errors == 1 &&
	     j.done == 3 && yg_sv_has(j.message, YG_SV("no such alert")));
	/* a change that no alert can take */
	T_OK(yg_job_add(&act, YG_SV("alerts.bulk"), YG_SV(""), YG_SV(""), &job, &err) == YG_OK &&
	     yg_job_start(&act, yg_id_sv(&job), &err) == YG_OK);
	T_OK(yg_alert_bulk(&act, yg_id_sv(&job), NULL, 0, &beta, &bad, &err) == YG_OK &&
	     yg_job_get(db, yg_id_sv(&job), &arena, &j, &err) == YG_OK && j.errors == 50);
	/* what the list shows by severity, asset and category is what is changed */
	struct yg_alert_filter other[] = {
		{.reach = in_beta, .asset = YG_SV("h5")},
		{.reach = in_beta, .asset = YG_SV("h10"), .category = YG_SV("none such")},
		{.reach = in_beta, .severity_min = 1, .severity_max = 1},
	};
	const int64_t want[] = {
		1, 0, one(db, "SELECT count(*) FROM alert WHERE org = 'beta' AND severity_id = 1")};
	for (size_t i = 0; i < YG_LEN(other); i++) {
		T_OK(yg_job_add(&act, YG_SV("alerts.bulk"), YG_SV(""), YG_SV(""), &job, &err) ==
			     YG_OK &&
		     yg_job_start(&act, yg_id_sv(&job), &err) == YG_OK);
		T_OK(yg_alert_bulk(&act, yg_id_sv(&job), NULL, 0, &other[i], &hold, &err) ==
			     YG_OK &&
		     yg_job_get(db, yg_id_sv(&job), &arena, &j, &err) == YG_OK &&
		     j.done == want[i]);
	}
	/* cancelled after the first chunk */
	T_OK(yg_job_add(&act, YG_SV("alerts.bulk"), YG_SV(""), YG_SV(""), &job, &err) == YG_OK &&
	     yg_job_start(&act, yg_id_sv(&job), &err) == YG_OK &&
	     yg_job_cancel(&act, yg_id_sv(&job), &err) == YG_OK);
	struct yg_alert_filter any = {.reach = in_alpha};
	T_OK(yg_alert_bulk(&act, yg_id_sv(&job), NULL, 0, &any, &hold, &err) == YG_OK &&
	     yg_job_get(db, yg_id_sv(&job), &arena, &j, &err) == YG_OK &&
	     j.state == YG_JOB_CANCELLED && j.done == 100);
}

static bool invariants(struct yg_state *db, int64_t findings)
{
	static const char *const none[] = {
		"SELECT count(*) FROM (SELECT 1 FROM alert_part WHERE collects = 1 GROUP BY org, indicator_type, indicator, asset HAVING count(*) > 1)",
		"SELECT count(*) FROM alert WHERE merged_into = '' AND count <> (SELECT sum(count) FROM alert_part WHERE alert = seq)",
		"SELECT count(*) FROM alert WHERE (merged_into <> '') = EXISTS (SELECT 1 FROM alert_part WHERE alert = seq)",
		"SELECT count(*) FROM alert a JOIN alert_part p ON p.alert = a.seq WHERE a.state = 'closed' AND p.collects = 1",
		"SELECT count(*) FROM alert a JOIN alert_part p ON p.alert = a.seq WHERE a.state <> 'closed' AND p.collects = 0",
		"SELECT count(*) FROM alert_part p WHERE seen < count OR count < 1",
		"SELECT count(*) FROM alert a WHERE first_seen > last_seen",
	};
	struct yg_audit_report r;
	bool ok = one(db, "SELECT coalesce(sum(count), 0) FROM alert_part") == findings;
	if (!ok)
		(void)printf("# findings: %lld, not %lld\n",
			     (long long)one(db, "SELECT sum(count) FROM alert_part"),
			     (long long)findings);
	for (size_t i = 0; i < YG_LEN(none); i++) {
		if (one(db, none[i]) != 0) {
			(void)printf("# invariant %zu\n", i);
			ok = false;
		}
	}
	return ok && yg_audit_verify(db, NULL, &r, &err) == YG_OK && r.ok;
}

static uint32_t draw(uint32_t n)
{
	uint32_t v;
	env.random(env.ctx, &v, sizeof v);
	return v % n;
}

static struct yg_sv any_alert(struct yg_state *db)
{
	struct yg_alert_filter f = {.reach = YG_REACH_ALL, .limit = 60};
	struct yg_alert *a;
	size_t n = 0;
	return yg_alert_list(db, &f, &arena, &a, &n, &err) == YG_OK && n > 0
		       ? a[draw((uint32_t)n)].id
		       : YG_SV("a-none");
}

static void random_split(struct yg_act *act)
{
	struct yg_sv id = any_alert(act->db), events[8];
	struct yg_evidence *e;
	struct yg_id out;
	size_t n = 0, k = 0;
	if (yg_alert_evidence(act->db, &(struct yg_alert_of){.id = id}, 0, 100, &arena, &e, &n,
			      &err) != YG_OK ||
	    n == 0)
		return;
	for (size_t i = draw(4) + 1; i > 0; i--)
		events[k++] = e[draw((uint32_t)n)].event_id;
	if (yg_alert_split(act, id, YG_ANY_VERSION, events, k, YG_SV("random"), &out, &err) !=
	    YG_OK)
		return; /* refused: fine, as long as nothing changed */
}

/* Any sequence of what people and ingest do keeps the invariants; errors are
 * refusals, never half changes. */
static void test_random(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:7"));
	struct yg_sv why = YG_SV("random");
	int64_t findings = 0;
	int refused = 0, apart = 0;
	bool ok = true;
	for (int step = 0; ok && step < 1500; step++) {
		char indicator[32], asset[32];
		struct yg_sv a = any_alert(db), b = any_alert(db);
		struct yg_alert_set set = {.state = (enum yg_alert_state)draw(5),
					   .verdict = (enum yg_verdict)draw(5),
					   .reason = draw(2) ? &why : NULL,
					   .severity_id = (int)draw(7)};
		switch (draw(7)) {
		case 0:
		case 1:
			(void)snprintf(indicator, sizeof indicator, "i%u.example", draw(4));
			(void)snprintf(asset, sizeof asset, "h%u", draw(4));
			find(db, draw(2) ? "alpha" : "beta", indicator, asset, ++findings);
			break;
		case 2:
		case 3:
			refused +=
				YG_OK != yg_alert_change(&act, a, YG_ANY_VERSION, &set, NULL, &err);
			break;
		case 4:
			refused +=
				YG_OK != yg_alert_merge(&act, a, YG_ANY_VERSION, &b, 1, why, &err);
			break;
		case 5: random_split(&act); break;
		default: apart += YG_OK == yg_alert_unmerge(&act, a, YG_ANY_VERSION, &err); break;
		}
		sim.wall.us += 1000;
		ok = !yg_state_in_transaction(db) && (step % 10 != 0 || invariants(db, findings));
		if (step % 10 == 0)
			yg_arena_reset(&arena);
	}
	T_NAMED(ok && invariants(db, findings), "random changes keep the invariants");
	T_OK(refused > 50 && refused < 1000 && apart > 5);
	T_OK(one(db, "SELECT count(*) FROM alert WHERE merged_into <> ''") > 5 &&
	     one(db, "SELECT count(*) FROM alert_part WHERE collects = -1") > 5);
}

int main(void)
{
	env = yg_env_sim(&sim);
	yg_arena_init(&arena, 64 << 20);
	test_words();
	test_life();
	test_comments();
	test_filter();
	test_merge();
	test_unmerge();
	test_allow();
	test_bulk();
	test_random();
	yg_arena_free(&arena);
	return tap_done();
}
