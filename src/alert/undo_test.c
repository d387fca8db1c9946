/* A bulk change is put back: all that nobody changed since, and nothing else. */
#include "alert/alert.h"
#include "alert/testing.h"
#include "org/job.h"
#include "tap.h"

#define T0 INT64_C(1700000000000000)

static uint64_t batches;

static void find(struct yg_state *db, const char *org, const char *asset, int severity)
{
	struct yg_act act = yg_act_make(db, &env, YG_SV("system"));
	struct message m;
	struct yg_finding_result r;
	char event[32];
	(void)snprintf(event, sizeof event, "e-%lld", (long long)++batches);
	message_begin(&m, 0, batches);
	message_add(&m, org, "evil.example", asset, severity, T0 + (int64_t)batches, event);
	if (message_send(&m, &act, &r) != YG_OK)
		(void)printf("# %s\n", err.msg);
}

static struct yg_id begin(struct yg_act *act, const char *kind)
{
	struct yg_id job = {0};
	if (yg_job_add(act, yg_sv_of(kind), YG_SV(""), YG_SV(""), &job, &err) != YG_OK ||
	    yg_job_start(act, yg_id_sv(&job), &err) != YG_OK)
		(void)printf("# %s\n", err.msg);
	return job;
}

static struct yg_job get(struct yg_state *db, struct yg_id *id)
{
	struct yg_job j = {0};
	(void)yg_job_get(db, yg_id_sv(id), &arena, &j, &err);
	return j;
}

static struct yg_job bulk(struct yg_act *act, const struct yg_alert_set *set, struct yg_id *job)
{
	struct yg_alert_filter all = {.reach = YG_REACH_ALL};
	*job = begin(act, "alert.bulk");
	T_OK(yg_alert_bulk(act, yg_id_sv(job), NULL, 0, &all, set, &err) == YG_OK);
	return get(act->db, job);
}

static struct yg_job undo(struct yg_act *act, struct yg_id *of, const struct yg_reach *reach)
{
	struct yg_id job = begin(act, "alert.undo");
	T_OK(yg_alert_undo(act, yg_id_sv(&job), yg_id_sv(of), reach, &err) == YG_OK);
	return get(act->db, &job);
}

static struct yg_sv id_of(struct yg_state *db, const char *asset)
{
	struct yg_alert_filter f = {.reach = YG_REACH_ALL, .asset = yg_sv_of(asset), .limit = 1};
	struct yg_alert *a = NULL;
	size_t n = 0;
	return yg_alert_list(db, &f, &arena, &a, &n, &err) == YG_OK && n == 1 ? a[0].id : YG_SV("");
}

static const struct yg_reach whole = YG_REACH_ALL;
#define COUNT(where) one(db, "SELECT count(*) FROM alert WHERE " where)
#define KEPT()       one(db, "SELECT count(*) FROM alert_undo")

static struct yg_state *many(void)
{
	struct yg_state *db = fresh();
	for (int i = 0; i < 250; i++) {
		char asset[32];
		(void)snprintf(asset, sizeof asset, "h%d", i);
		find(db, i % 5 == 0 ? "beta" : "alpha", asset, 3);
	}
	return db;
}

static void test_all(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = many();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:7"));
	struct yg_sv why = YG_SV("exercise"), who = YG_SV("hanako");
	struct yg_id job;
	struct yg_alert_set close = {.state = YG_ALERT_CLOSED,
				     .verdict = YG_VERDICT_BENIGN,
				     .reason = &why,
				     .assignee = &who,
				     .severity_id = 2},
			    hold = {.state = YG_ALERT_ON_HOLD};
	/* ten were on hold already: those are on hold again, the others new */
	for (int i = 0; i < 10; i++) {
		char asset[32];
		(void)snprintf(asset, sizeof asset, "h%d", i);
		T_OK(yg_alert_change(&act, id_of(db, asset), YG_ANY_VERSION, &hold, NULL, &err) ==
		     YG_OK);
	}
	T_OK(bulk(&act, &close, &job).undo_left == 250 && KEPT() == 250);
	T_OK(COUNT("state = 'closed' AND assignee = 'hanako' AND severity_id = 2") == 250);
	struct yg_job j = undo(&act, &job, &whole);
	T_OK(j.state == YG_JOB_DONE && j.done == 250 && j.total == 250 && j.errors == 0 &&
	     yg_sv_has(j.result, YG_SV("\"restored\":250,\"changed_since\":0,\"refused\":0")));
	T_OK(COUNT("state = 'new' AND verdict = '' AND reason = '' AND assignee = ''"
		   " AND severity_id = 3 AND closed = 0") == 240 &&
	     COUNT("state = 'on_hold'") == 10);
	T_NAMED(one(db, "SELECT count(*) FROM alert_part WHERE collects = 1") == 250,
		"they collect again");
	T_OK(one(db, "SELECT count(*) FROM audit_log WHERE action = 'alert.undo'") == 250);
	T_OK(KEPT() == 0 && get(db, &job).undo_left == 0);
	j = undo(&act, &job, &whole);
	T_NAMED(j.state == YG_JOB_DONE && j.done == 0, "a second undo finds nothing");
}

static void test_since(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = many();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:7"));
	struct yg_sv why = YG_SV("exercise"), who = YG_SV("jiro");
	struct yg_id job;
	struct yg_alert_set close = {.state = YG_ALERT_CLOSED,
				     .verdict = YG_VERDICT_BENIGN,
				     .reason = &why},
			    assign = {.assignee = &who};
	T_OK(bulk(&act, &close, &job).undo_left == 250);
	/* another touched h1, even if it is as it was again; h2 was seen again since */
	T_OK(yg_alert_change(&act, id_of(db, "h1"), YG_ANY_VERSION, &assign, NULL, &err) == YG_OK);
	assign.assignee = &(struct yg_sv){"", 0};
	T_OK(yg_alert_change(&act, id_of(db, "h1"), YG_ANY_VERSION, &assign, NULL, &err) == YG_OK);
	find(db, "alpha", "h2", 3);
	struct yg_reach in_alpha = {.orgs = &(struct yg_sv){"alpha", 5}, .org_count = 1};
	struct yg_job j = undo(&act, &job, &in_alpha);
	T_OK(yg_sv_has(j.result, YG_SV("\"restored\":198,\"changed_since\":1,\"refused\":51")));
	T_OK(j.state == YG_JOB_DONE && j.errors == 52 && j.done == 250);
	T_NAMED(COUNT("org = 'beta' AND state = 'closed'") == 50,
		"what the rights do not reach stays as it is");
	T_NAMED(COUNT("asset = 'h2' AND state = 'new'") == 1 &&
			COUNT("asset = 'h2' AND state = 'closed'") == 1,
		"one that a newer alert follows stays closed");
	T_NAMED(get(db, &job).undo_left == 50, "and can be undone by who may");
	j = undo(&act, &job, &whole);
	T_OK(yg_sv_has(j.result, YG_SV("\"restored\":50,\"changed_since\":0,\"refused\":0")));
	T_OK(COUNT("org = 'beta' AND state = 'new'") == 50 && KEPT() == 0);
}

/* One bulk change after another: undone in the reverse order, both are undone. */
static void test_two(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = many();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:7"));
	struct yg_id first, second;
	struct yg_alert_set low = {.severity_id = 2}, hold = {.state = YG_ALERT_ON_HOLD};
	T_OK(bulk(&act, &low, &first).undo_left == 250 &&
	     bulk(&act, &hold, &second).undo_left == 250);
	/* raised by a finding since: that is not taken back */
	find(db, "alpha", "h1", 5);
	T_OK(yg_sv_has(undo(&act, &second, &whole).result, YG_SV("\"restored\":250")));
	T_OK(COUNT("state = 'new' AND severity_id = 2") == 249);
	T_OK(yg_sv_has(undo(&act, &first, &whole).result,
		       YG_SV("\"restored\":250,\"changed_since\":0")));
	T_OK(COUNT("severity_id = 3") == 249 && COUNT("severity_id = 5") == 1);
	/* the other order: what was changed again stays */
	T_OK(bulk(&act, &low, &first).undo_left == 250 &&
	     bulk(&act, &hold, &second).undo_left == 250);
	T_OK(yg_sv_has(undo(&act, &first, &whole).result, YG_SV("\"changed_since\":250")));
}

static void test_cancelled_and_stale(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = many();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:7"));
	struct yg_alert_filter all = {.reach = YG_REACH_ALL};
	struct yg_alert_set hold = {.state = YG_ALERT_ON_HOLD};
	/* cancelled after its first chunk: what it did can be undone */
	struct yg_id job = begin(&act, "alert.bulk");
	T_OK(yg_job_cancel(&act, yg_id_sv(&job), &err) == YG_OK);
	T_OK(yg_alert_bulk(&act, yg_id_sv(&job), NULL, 0, &all, &hold, &err) == YG_OK);
	T_OK(get(db, &job).undo_left == 100 && COUNT("state = 'on_hold'") == 100);
	/* an undo that is cancelled after its first chunk can be ordered again */
	struct yg_id back = begin(&act, "alert.undo");
	T_OK(yg_sv_has(undo(&act, &job, &whole).result, YG_SV("\"restored\":100")));
	T_OK(bulk(&act, &hold, &job).undo_left == 250 &&
	     yg_job_cancel(&act, yg_id_sv(&back), &err) == YG_OK);
	T_OK(yg_alert_undo(&act, yg_id_sv(&back), yg_id_sv(&job), &whole, &err) == YG_OK);
	T_OK(get(db, &back).state == YG_JOB_CANCELLED && get(db, &job).undo_left == 150 &&
	     COUNT("state = 'on_hold'") == 150);
	/* kept for seven days */
	yg_wall day6 = {sim.wall.us + (YG_ALERT_UNDO_S - 86400) * YG_US_PER_S},
		day8 = {sim.wall.us + (YG_ALERT_UNDO_S + 86400) * YG_US_PER_S};
	T_OK(yg_alert_undo_stale(db, day6, &err) == YG_OK && KEPT() == 150);
	T_OK(yg_alert_undo_stale(db, day8, &err) == YG_OK && KEPT() == 0 &&
	     get(db, &job).undo_left == 0);
}

int main(void)
{
	env = yg_env_sim(&sim);
	yg_arena_init(&arena, 64 << 20);
	test_all();
	test_since();
	test_two();
	test_cancelled_and_stale();
	yg_arena_free(&arena);
	return tap_done();
}
