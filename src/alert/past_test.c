/* Alerts as they were: what happened after a moment is not there, in lists, counts,
 * groups and single alerts alike. */
#include "alert/query.h"
#include "alert/tally.h"
#include "alert/testing.h"
#include "tap.h"

#define HOUR  (3600 * YG_US_PER_S)
#define BEGIN (1700002800000000 / HOUR * HOUR)

static struct yg_act act;
static uint64_t batch;

static void see(const char *indicator, int severity, int times)
{
	struct message m;
	struct yg_finding_result done;
	message_begin(&m, 1, ++batch);
	for (int i = 0; i < times; i++) {
		char event[32];
		(void)snprintf(event, sizeof event, "e-1-%d-%d", (int)batch, i);
		message_add(&m, "alpha", indicator, "host", severity, sim.wall.us, event);
	}
	T_OK(message_send(&m, &act, &done) == YG_OK);
}

static struct yg_alert newest(struct yg_state *db)
{
	struct yg_alert *list = NULL;
	return alerts_of(db, "host", &list) < 9999 ? list[0] : (struct yg_alert){0};
}

/* How the alerts of alpha stood at `to`. */
static size_t found(struct yg_state *db, int64_t to, unsigned states, struct yg_alert **out)
{
	static const struct yg_sv alpha = YG_SV_INIT("alpha");
	struct yg_alert_query q = {.f = {.reach = yg_reach_one(&alpha), .states = states},
				   .limit = 50};
	struct yg_alert_bundles g;
	struct yg_tally_org orgs[4];
	struct yg_tally_few few = {.of = &q.f, .step = 1, .orgs = orgs, .orgs_max = 4};
	int64_t total = 0, counts[7], open = 0, findings = 0, grouped = 0, sum = 0;
	size_t n = 0;
	bool exact = false;
	q.f.reach.from.us = BEGIN - HOUR;
	q.f.reach.to.us = to;
	T_OK(yg_alert_find(db, &q, &arena, out, &n, &err) == YG_OK);
	T_OK(yg_alert_total(db, &q, &total, &exact, &err) == YG_OK && exact && total == (int64_t)n);
	T_OK(yg_alert_bundle(db, &q, YG_GROUP_INDICATOR, 0, &arena, &g, &err) == YG_OK);
	for (size_t i = 0; i < g.n; i++) {
		grouped += g.list[i].count;
		findings += g.list[i].findings;
	}
	for (size_t i = 0; i < n; i++) {
		struct yg_alert a;
		T_OK(yg_alert_get_at(db, (*out)[i].id, (yg_wall){to}, &arena, &a, &err) == YG_OK &&
		     a.count == (*out)[i].count && a.state == (*out)[i].state &&
		     a.version == (*out)[i].version);
		findings -= (*out)[i].count;
		open += (*out)[i].state != YG_ALERT_CLOSED;
	}
	T_NAMED(grouped == (int64_t)n && findings == 0, "groups are of the same alerts");
	T_OK(yg_alert_counts(db, &q.f.reach, counts, &err) == YG_OK);
	for (int i = 0; i < 7; i++)
		sum += counts[i];
	T_OK(yg_tally_rows(db, &arena, &few, &err) == YG_OK);
	if (states == 0)
		T_NAMED(sum == open && (few.org_count == 0 ? open == 0 : orgs[0].open == open),
			"and so are the numbers");
	return n;
}

static void test_closed_later(struct yg_state *db)
{
	static const struct yg_sv why = YG_SV_INIT("it was so"), who = YG_SV_INIT("person:p-1");
	struct yg_alert_set close = {.state = YG_ALERT_CLOSED,
				     .verdict = YG_VERDICT_TRUE,
				     .reason = &why,
				     .assignee = &who};
	struct yg_alert *then = NULL;
	sim.wall.us = BEGIN + 10;
	see("evil.example", 3, 2);
	struct yg_alert a = newest(db);
	T_OK(found(db, BEGIN, 0, &then) == 0);
	sim.wall.us = BEGIN + 2 * HOUR + 7;
	see("evil.example", 5, 3);
	T_OK(yg_alert_change(&act, a.id, YG_ANY_VERSION, &close, NULL, &err) == YG_OK);
	see("later.example", 6, 1);
	T_OK(found(db, BEGIN + HOUR, 0, &then) == 1);
	T_NAMED(then[0].state == YG_ALERT_NEW && then[0].verdict == YG_VERDICT_NONE &&
			then[0].closed.us == 0 && then[0].reason.n == 0 && then[0].assignee.n == 0,
		"an alert closed after the end is open");
	T_NAMED(then[0].count == 2 && then[0].severity_id == 3 &&
			then[0].last_seen.us == BEGIN + 10 && then[0].updated.us == BEGIN + 10 &&
			then[0].version == a.version,
		"with the findings of then");
	T_OK(found(db, BEGIN + HOUR, 1u << YG_ALERT_CLOSED, &then) == 0);
	T_NAMED(found(db, BEGIN + 2 * HOUR, 1u << YG_ALERT_NEW, &then) == 1,
		"asked by its state of then");
	T_OK(found(db, BEGIN + 3 * HOUR, 0, &then) == 2);
	T_NAMED(then[1].state == YG_ALERT_CLOSED && then[1].count == 5 &&
			then[1].severity_id == 5 && yg_sv_eq(then[1].assignee, who) &&
			then[0].severity_id == 6,
		"and by a later end it is closed");
	struct yg_sv line;
	T_OK(yg_alert_get_at(db, a.id, (yg_wall){BEGIN + HOUR}, &arena, &a, &err) == YG_OK &&
	     yg_alert_reason(&a, false, &arena, &line, &err) == YG_OK &&
	     yg_sv_ends(line, YG_SV(", 2 times")));
}

static void test_merged_later(struct yg_state *db)
{
	struct yg_alert *then = NULL;
	sim.wall.us = BEGIN + 4 * HOUR;
	see("one.example", 2, 4);
	struct yg_alert one = newest(db);
	see("two.example", 2, 5);
	struct yg_alert two = newest(db);
	sim.wall.us = BEGIN + 6 * HOUR;
	T_OK(yg_alert_merge(&act, one.id, YG_ANY_VERSION, &two.id, 1, YG_SV("one story"), &err) ==
	     YG_OK);
	T_OK(found(db, BEGIN + 5 * HOUR, 1u << YG_ALERT_NEW, &then) == 3);
	T_NAMED(yg_sv_eq(then[0].id, two.id) && then[0].count == 5 && then[1].count == 4 &&
			then[0].merged_into.n == 0 && YG_SV_IS(then[0].indicator, "two.example"),
		"alerts merged after the end are two");
	T_OK(found(db, BEGIN + 7 * HOUR, 0, &then) == 4);
	T_NAMED(then[0].merged_into.n > 0 && then[1].count == 9, "and one later");
}

/* The end of a period that is known before it comes is exact to the moment. */
static void test_known_end(struct yg_state *db)
{
	struct yg_alert *then = NULL;
	int64_t end = BEGIN + 8 * HOUR + 420 * YG_US_PER_S;
	char sql[256];
	(void)snprintf(
		sql, sizeof sql,
		"INSERT INTO role_grant (id, person, role, node, period_from, period_to, created,"
		" created_by) VALUES ('g-1', 'p-2', 'auditor', 'alpha', 1, %lld, 1, '')",
		(long long)end);
	T_OK(one(db, sql) == -1);
	sim.wall.us = BEGIN + 8 * HOUR;
	see("known.example", 2, 1);
	sim.wall.us = end - 1;
	see("known.example", 2, 10);
	sim.wall.us = end;
	see("known.example", 2, 100);
	sim.wall.us = BEGIN + 9 * HOUR + 1;
	see("known.example", 2, 1000);
	T_OK(found(db, end, 0, &then) == 5);
	T_NAMED(then[0].count == 11, "what was there by then, to the moment");
	T_OK(found(db, BEGIN + 9 * HOUR, 0, &then) == 5 && then[0].count == 111);
	T_OK(found(db, BEGIN + 8 * HOUR, 0, &then) == 4);
	T_OK(one(db, "DELETE FROM alert_evidence") == -1 &&
	     one(db, "DELETE FROM alert_part") == -1 && one(db, "DELETE FROM alert") == -1);
	T_NAMED(one(db, "SELECT (SELECT count(*) FROM alert_past) + (SELECT count(*) FROM"
			" alert_past_count)") == 0,
		"nothing is left of removed alerts");
}

int main(void)
{
	env = yg_env_sim(&sim);
	yg_arena_init(&arena, 256u << 20);
	struct yg_state *db = fresh();
	act = yg_act_make(db, &env, YG_SV("local:0"));
	sim.wall.us = BEGIN;
	test_closed_later(db);
	test_merged_later(db);
	test_known_end(db);
	yg_state_close(db);
	yg_arena_free(&arena);
	return tap_done();
}
