#include "alert/due.h"

#include "alert/query.h"
#include "alert/testing.h"
#include "org/job.h"
#include "tap.h"

#define DAY YG_US_PER_DAY

static uint64_t batches;

static struct yg_alert get(struct yg_state *db, const char *asset)
{
	struct yg_alert *a = NULL;
	if (alerts_of(db, asset, &a) < 1) {
		(void)printf("# %s\n", err.msg);
		return (struct yg_alert){0};
	}
	return a[0];
}

static void found(struct yg_state *db, const char *org, const char *asset, int severity)
{
	struct yg_act act = yg_act_make(db, &env, YG_SV("system"));
	struct yg_finding_result r;
	struct message m;
	message_begin(&m, 0, ++batches);
	message_add(&m, org, "evil.example", asset, severity, sim.wall.us, asset);
	T_OK(message_send(&m, &act, &r) == YG_OK && r.applied == 1);
}

static bool changed(struct yg_state *db, const char *asset, const struct yg_alert_set *set,
		    yg_status expected)
{
	struct yg_act act = yg_act_make(db, &env, YG_SV("person:p-1"));
	struct yg_alert a = get(db, asset);
	return yg_alert_change(&act, a.id, a.version, set, NULL, &err) == expected;
}

/* By counters as by the rows: a bound on the severity leaves nothing out. */
static bool same_order(struct yg_state *db, struct yg_alert_query q,
		       const struct yg_alert_bundles *counted)
{
	struct yg_alert_bundles rows;
	bool same;
	q.f.severity_min = 1;
	same = yg_alert_bundle(db, &q, YG_GROUP_INDICATOR, 0, &arena, &rows, &err) == YG_OK &&
	       rows.n == counted->n;
	for (size_t i = 0; same && i < rows.n; i++)
		same = yg_sv_eq(rows.list[i].key, counted->list[i].key) &&
		       rows.list[i].severity_id == counted->list[i].severity_id;
	return same;
}

/* How many the filter finds; the total says the same, and the groups add up to it. */
static int64_t listed(struct yg_state *db, unsigned states, bool overdue, enum yg_alert_sort sort)
{
	struct yg_alert_query q = {
		.f = {.reach = YG_REACH_ALL, .states = states, .overdue = overdue, .now = sim.wall},
		.sort = sort,
		.limit = 10};
	struct yg_alert_bundles g;
	struct yg_alert *a = NULL;
	int64_t total = 0, grouped = 0;
	size_t n = 0;
	bool exact = false;
	if (yg_alert_find(db, &q, &arena, &a, &n, &err) != YG_OK ||
	    yg_alert_total(db, &q, &total, &exact, &err) != YG_OK ||
	    yg_alert_bundle(db, &q, YG_GROUP_INDICATOR, 0, &arena, &g, &err) != YG_OK)
		return -1;
	for (size_t i = 0; i < g.n; i++)
		grouped += g.list[i].count;
	for (size_t i = 1; sort == YG_SORT_DUE && i < n; i++)
		if (a[i].due.us < a[i - 1].due.us)
			return -2;
	if (!same_order(db, q, &g))
		return -4;
	return total == (int64_t)n && grouped == total ? total : -3;
}

static void policy(struct yg_state *db)
{
	struct yg_act act = yg_act_make(db, &env, YG_SV("person:p-1"));
	struct yg_org unit = {
		.slug = YG_SV("alpha-unit"), .parent = YG_SV("alpha"), .kind = YG_ORG_UNIT};
	struct yg_due_policy p;
	int64_t hour = 3600, none = 0, bad = YG_DUE_SPAN_MAX + 1;
	T_OK(yg_org_add(&act, &unit, &err) == YG_OK);
	T_OK(yg_due_policy_get(db, YG_SV("alpha"), &p, &err) == YG_OK && p.span_s[5] == 86400 &&
	     p.span_s[1] == 0 && !p.own[5]);
	T_OK(yg_due_policy_set(&act, YG_SV("alpha"), 5, &hour, &err) == YG_OK);
	T_OK(yg_due_policy_set(&act, YG_SV(""), 3, &none, &err) == YG_OK);
	T_OK(yg_due_policy_get(db, YG_SV("alpha-unit"), &p, &err) == YG_OK && p.span_s[5] == 3600 &&
	     !p.own[5] && p.span_s[3] == 0);
	T_OK(yg_due_policy_get(db, YG_SV("alpha"), &p, &err) == YG_OK && p.own[5]);
	T_OK(yg_due_policy_get(db, YG_SV("beta"), &p, &err) == YG_OK && p.span_s[5] == 86400 &&
	     p.span_s[3] == 0);
	T_OK(yg_due_policy_set(&act, YG_SV(""), 3, NULL, &err) == YG_OK);
	T_OK(yg_due_policy_get(db, YG_SV("beta"), &p, &err) == YG_OK && p.span_s[3] == 604800);
	T_OK(yg_due_policy_set(&act, YG_SV("nobody"), 3, &hour, &err) == YG_NOTFOUND);
	T_OK(yg_due_policy_set(&act, YG_SV("beta"), 0, &hour, &err) == YG_INVAL);
	T_OK(yg_due_policy_set(&act, YG_SV("beta"), 3, &bad, &err) == YG_INVAL);
}

static void due(struct yg_state *db)
{
	const int64_t t0 = sim.wall.us;
	struct yg_sv why = YG_SV("the ministry asked"), nothing = YG_SV(" ");
	yg_wall at = {t0 + 10 * DAY}, before = {t0 - 1}, policy_again = {0};
	found(db, "beta", "h1", 3);
	T_OK(get(db, "h1").due.us == t0 + 7 * DAY);
	found(db, "beta", "h0", 1);
	T_OK(get(db, "h0").due.us == YG_NO_DUE);
	sim.wall.us += DAY;
	found(db, "beta", "h1", 4); /* more severe: earlier */
	T_OK(get(db, "h1").due.us == t0 + 4 * DAY);
	T_OK(changed(db, "h1", &(struct yg_alert_set){.severity_id = 5}, YG_OK));
	T_OK(get(db, "h1").due.us == t0 + 2 * DAY);
	T_OK(changed(db, "h1", &(struct yg_alert_set){.severity_id = 2}, YG_OK));
	T_OK(get(db, "h1").due.us == t0 + 30 * DAY);
	T_OK(changed(db, "h1", &(struct yg_alert_set){.due = &at}, YG_INVAL));
	T_OK(changed(db, "h1", &(struct yg_alert_set){.due = &at, .due_reason = &nothing},
		     YG_INVAL));
	T_OK(changed(db, "h1", &(struct yg_alert_set){.due = &before, .due_reason = &why},
		     YG_INVAL));
	T_OK(changed(db, "h1", &(struct yg_alert_set){.due = &at, .due_reason = &why}, YG_OK));
	T_OK(changed(db, "h1", &(struct yg_alert_set){.severity_id = 5}, YG_OK));
	T_OK(get(db, "h1").due.us == at.us && yg_sv_eq(get(db, "h1").due_reason, why));
	T_OK(listed(db, 0, true, YG_SORT_DUE) == 0);
	T_OK(listed(db, 0, false, YG_SORT_DUE) == 2);
	sim.wall.us = at.us;
	T_OK(listed(db, 0, true, YG_SORT_NEWEST) == 1);
	T_OK(changed(db, "h1", &(struct yg_alert_set){.due = &policy_again}, YG_OK));
	T_OK(get(db, "h1").due.us == t0 + DAY && get(db, "h1").due_reason.n == 0);
	T_OK(changed(db, "h1",
		     &(struct yg_alert_set){
			     .state = YG_ALERT_CLOSED, .verdict = YG_VERDICT_TRUE, .reason = &why},
		     YG_OK));
	T_OK(listed(db, 0, true, YG_SORT_NEWEST) == 0);
	T_OK(changed(db, "h1", &(struct yg_alert_set){.due = &at, .due_reason = &why}, YG_INVAL));
}

static void snooze(struct yg_state *db)
{
	struct yg_sv why = YG_SV("the vendor answers on Friday");
	yg_wall until = {sim.wall.us + 3 * DAY}, past = {sim.wall.us},
		far = {sim.wall.us + YG_SNOOZE_MAX + 1}, off = {0};
	struct yg_alert_set put_off = {.snooze = &until, .snooze_reason = &why};
	found(db, "beta", "s1", 3);
	found(db, "beta", "s2", 3);
	int64_t open = listed(db, YG_ALERT_ACTIVE, false, YG_SORT_NEWEST);
	T_OK(open >= 2);
	T_OK(changed(db, "s1", &(struct yg_alert_set){.snooze = &until}, YG_INVAL));
	T_OK(changed(db, "s1", &(struct yg_alert_set){.snooze = &past, .snooze_reason = &why},
		     YG_INVAL));
	T_OK(changed(db, "s1", &(struct yg_alert_set){.snooze = &far, .snooze_reason = &why},
		     YG_INVAL));
	T_OK(changed(db, "s1", &put_off, YG_OK));
	T_OK(yg_sv_eq(get(db, "s1").snoozed_by, YG_SV("person:p-1")));
	T_OK(listed(db, YG_ALERT_ACTIVE, false, YG_SORT_NEWEST) == open - 1);
	T_OK(listed(db, YG_ALERT_SNOOZED, false, YG_SORT_DUE) == 1);
	int64_t keep = sim.wall.us;
	sim.wall.us = until.us; /* nothing but the time */
	T_OK(listed(db, YG_ALERT_ACTIVE, false, YG_SORT_NEWEST) == open);
	T_OK(listed(db, YG_ALERT_SNOOZED, false, YG_SORT_NEWEST) == 0);
	sim.wall.us = keep;
	found(db, "beta", "s1", 3);
	T_OK(listed(db, YG_ALERT_SNOOZED, false, YG_SORT_NEWEST) == 1);
	found(db, "beta", "s1", 5); /* more severe wakes it */
	T_OK(listed(db, YG_ALERT_SNOOZED, false, YG_SORT_NEWEST) == 0);
	T_OK(changed(db, "s1", &put_off, YG_OK));
	T_OK(changed(db, "s1", &(struct yg_alert_set){.snooze = &off}, YG_OK));
	T_OK(get(db, "s1").snoozed_until.us == 0 && get(db, "s1").snooze_reason.n == 0);
	T_OK(changed(db, "s1", &put_off, YG_OK));
	T_OK(changed(db, "s1",
		     &(struct yg_alert_set){
			     .state = YG_ALERT_CLOSED, .verdict = YG_VERDICT_TRUE, .reason = &why},
		     YG_OK));
	T_OK(get(db, "s1").snoozed_until.us == 0);
	T_OK(changed(db, "s1", &put_off, YG_INVAL));
	/* as it stood, for who sees a period that has ended */
	yg_wall before = {sim.wall.us + 1};
	struct yg_alert then;
	sim.wall.us += DAY;
	T_OK(changed(db, "s2", &put_off, YG_OK));
	T_OK(yg_alert_get_at(db, get(db, "s2").id, before, &arena, &then, &err) == YG_OK &&
	     then.snoozed_until.us == 0 && get(db, "s2").snoozed_until.us == until.us);
}

static void many(struct yg_state *db)
{
	struct yg_act act = yg_act_make(db, &env, YG_SV("person:p-1"));
	struct yg_alert_filter beta = {
		.reach = YG_REACH_ALL, .states = YG_ALERT_ACTIVE, .now = sim.wall};
	struct yg_reach all = YG_REACH_ALL;
	struct yg_sv why = YG_SV("exercise");
	yg_wall at = {sim.wall.us + DAY};
	struct yg_alert_set set = {
		.snooze = &at, .snooze_reason = &why, .due = &at, .due_reason = &why};
	struct yg_id job, undo;
	int64_t n = listed(db, YG_ALERT_ACTIVE, false, YG_SORT_NEWEST), was = get(db, "h0").due.us;
	T_OK(yg_job_add(&act, YG_SV("alert.bulk"), YG_SV(""), YG_SV(""), &job, &err) == YG_OK &&
	     yg_job_start(&act, yg_id_sv(&job), &err) == YG_OK);
	T_OK(yg_alert_bulk(&act, yg_id_sv(&job), NULL, 0, &beta, &set, &err) == YG_OK);
	T_OK(listed(db, YG_ALERT_ACTIVE, false, YG_SORT_NEWEST) == 0);
	T_OK(get(db, "h0").due.us == at.us);
	T_OK(yg_job_add(&act, YG_SV("alert.undo"), YG_SV(""), YG_SV(""), &undo, &err) == YG_OK &&
	     yg_job_start(&act, yg_id_sv(&undo), &err) == YG_OK);
	T_OK(yg_alert_undo(&act, yg_id_sv(&undo), yg_id_sv(&job), &all, &err) == YG_OK);
	T_OK(listed(db, YG_ALERT_ACTIVE, false, YG_SORT_NEWEST) == n);
	T_OK(get(db, "h0").due.us == was && get(db, "h0").due_reason.n == 0);
}

/* Alerts of the demonstration are as old as what was found. */
static void demonstration(struct yg_state *db)
{
	struct yg_act act = yg_act_make(db, &env, YG_SV("system"));
	struct yg_org made_up = {.slug = YG_SV("demo-x"), .demo = true};
	struct yg_finding_result r;
	struct message m;
	const int64_t then = sim.wall.us - 40 * DAY;
	T_OK(yg_org_add(&act, &made_up, &err) == YG_OK);
	message_begin(&m, 0, ++batches);
	message_add(&m, "demo-x", "evil.example", "d1", 4, then, "d1");
	message_add(&m, "beta", "evil.example", "d2", 4, then, "d2");
	T_OK(message_send(&m, &act, &r) == YG_OK && r.opened == 2);
	T_OK(get(db, "d1").created.us == then && get(db, "d1").due.us == then + 3 * DAY);
	T_OK(get(db, "d2").created.us == sim.wall.us && get(db, "d2").first_seen.us == then);
	T_OK(one(db, "SELECT sum(created) FROM alert_hour WHERE org = 'demo-x'") == 1);
	T_OK(one(db, "SELECT max(hour) FROM alert_hour WHERE org = 'demo-x'") ==
	     then / (3600 * YG_US_PER_S));
	/* and what people did with them is as old */
	struct yg_sv why = YG_SV("link of an exercise mail"), id = get(db, "d1").id;
	struct yg_alert_set end = {
		.state = YG_ALERT_CLOSED, .verdict = YG_VERDICT_BENIGN, .reason = &why};
	yg_wall at = {then + DAY}, before = {then + DAY / 2}, after = {then + 2 * DAY};
	struct yg_alert a;
	T_OK(yg_alert_change_past(&act, id, at, &(struct yg_alert_set){.state = YG_ALERT_CLOSED},
				  &err) == YG_INVAL);
	T_OK(yg_alert_change_past(&act, id, at, &end, &err) == YG_OK);
	T_OK(get(db, "d1").closed.us == at.us && get(db, "d1").updated.us == at.us);
	T_OK(yg_alert_get_at(db, id, before, &arena, &a, &err) == YG_OK && a.state == YG_ALERT_NEW);
	T_OK(yg_alert_get_at(db, id, after, &arena, &a, &err) == YG_OK &&
	     a.state == YG_ALERT_CLOSED && yg_sv_eq(a.reason, why));
	T_OK(one(db, "SELECT time FROM audit_log ORDER BY seq DESC LIMIT 1") == sim.wall.us);
	T_OK(yg_alert_change_past(&act, id, at, &end, &err) == YG_CONFLICT);
	message_begin(&m, 0, ++batches);
	message_add(&m, "demo-x", "evil.example", "d1", 4, then + 3 * DAY, "d3");
	T_OK(message_send(&m, &act, &r) == YG_OK && r.opened == 1);
}

int main(void)
{
	env = yg_env_sim(&sim);
	yg_arena_init(&arena, 64u << 20);
	struct yg_state *db = fresh();
	policy(db);
	due(db);
	snooze(db);
	many(db);
	demonstration(db);
	yg_state_close(db);
	yg_arena_free(&arena);
	return tap_done();
}
