/* Lists in every order, groups, and counters that must equal what is there. */
#include "alert/query.h"

#include "alert/group.h"
#include "alert/tally.h"
#include "alert/testing.h"
#include "tap.h"

#define ALERTS 60

static int64_t ask(struct yg_state *db, const char *sql)
{
	struct yg_stmt *s = NULL;
	bool row = false;
	int64_t v = -1;
	if (yg_state_prepare(db, sql, &s, &err) == YG_OK && yg_stmt_step(s, &row, &err) == YG_OK &&
	    row)
		v = yg_col_i64(s, 0);
	yg_stmt_done(s);
	return v;
}

static void fill(struct yg_state *db)
{
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_finding_result r;
	for (int i = 0; i < ALERTS; i++) {
		struct message m;
		char indicator[40], asset[40];
		(void)snprintf(indicator, sizeof indicator, "evil%d.example", i % 7);
		(void)snprintf(asset, sizeof asset, "10.0.0.%d", i);
		message_begin(&m, 1, (uint64_t)i + 1);
		message_add(&m, i % 3 == 0 ? "beta" : "alpha", indicator, asset, 1 + i % 6,
			    1600000000000000 + (i * 37 % 60) * 1000000, "e-1-1-1");
		T_OK(yg_findings_apply(&act, yg_buf_sv(&m.body), &r, &err) == YG_OK);
		yg_buf_free(&m.body);
		sim.wall.us += YG_HOUR_US / 4;
	}
}

/* Closes, reopens and re-grades some, at other hours. */
static void change(struct yg_state *db)
{
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_sv why = YG_SV("because");
	struct yg_alert_query q = {.f.reach = {.all = true}, .limit = 100};
	struct yg_alert *list = NULL;
	size_t n = 0;
	T_OK(yg_alert_find(db, &q, &arena, &list, &n, &err) == YG_OK && n == ALERTS);
	for (size_t i = 0; i < n; i++) {
		struct yg_alert_set set = {0};
		if (i % 4 == 0)
			set = (struct yg_alert_set){.state = YG_ALERT_CLOSED,
						    .verdict = YG_VERDICT_TRUE,
						    .reason = &why};
		else if (i % 4 == 1)
			set.severity_id = 6;
		else
			set.state = YG_ALERT_ON_HOLD;
		sim.wall.us += YG_HOUR_US / 3;
		T_OK(yg_alert_change(&act, list[i].id, YG_ANY_VERSION, &set, NULL, &err) == YG_OK);
		struct yg_alert_set again = {.state = YG_ALERT_IN_PROGRESS};
		if (i % 8 == 0)
			T_OK(yg_alert_change(&act, list[i].id, YG_ANY_VERSION, &again, NULL,
					     &err) == YG_OK);
	}
}

/* The changes of the steps lead from what was open to what is. */
static bool ends_at(const struct yg_tally_step *steps, size_t n, const int64_t then[7],
		    const int64_t now[7])
{
	int moved = 0;
	for (int severity = 1; severity < 7; severity++) {
		int64_t open = then[severity];
		for (size_t i = 0; i < n; i++) {
			open += steps[i].change[severity];
			moved += steps[i].change[severity] != 0;
		}
		if (open != now[severity])
			return false;
	}
	return moved > 0;
}

static void test_counters(void)
{
	struct yg_state *db = fresh();
	static const struct yg_sv beta[] = {YG_SV_INIT("beta")};
	const struct yg_org_set all = {.all = true}, one = {.slugs = beta, .n = 1}, none = {0};
	int64_t now[7], then[7], sum = 0, before = 0, fresh_n = 0, closed = 0;
	struct yg_tally_step steps[100];
	struct yg_tally_org *orgs = NULL;
	size_t n = 0;
	int64_t first = sim.wall.us / YG_HOUR_US;
	fill(db);
	int64_t middle = sim.wall.us / YG_HOUR_US + 1;
	sim.wall.us += 2 * YG_HOUR_US;
	change(db);
	T_NAMED(ask(db,
		    "SELECT count(*) FROM (SELECT org, state, severity_id, count(*) AS n FROM alert"
		    " GROUP BY 1, 2, 3 EXCEPT SELECT org, state, severity_id, n FROM alert_count)") ==
			0,
		"every counter is what is there");
	T_NAMED(ask(db, "SELECT sum(n) FROM alert_count") == ALERTS, "and no other");
	T_OK(yg_tally_open(db, &all, middle, now, then, &err) == YG_OK);
	for (int i = 0; i < 7; i++) {
		sum += now[i];
		before += then[i];
	}
	T_NAMED(sum == ask(db, "SELECT count(*) FROM alert WHERE state <> 'closed'"), "open now");
	T_NAMED(before == ALERTS && then[1] == 10 && now[6] > then[6],
		"open before the changes: all, by the severity they had");
	T_OK(yg_tally_open(db, &one, first, now, then, &err) == YG_OK);
	T_NAMED(then[1] + then[2] + then[3] + then[4] + then[5] + then[6] == 0,
		"none of one organisation before the first");
	T_OK(yg_tally_trend(db, &all, first, 1, steps, YG_LEN(steps), &err) == YG_OK);
	for (size_t i = 0; i < YG_LEN(steps); i++) {
		fresh_n += steps[i].created;
		closed += steps[i].closed;
	}
	T_NAMED(fresh_n == ALERTS && closed == 15 && steps[0].created == 4, "the trend by hour");
	T_OK(yg_tally_open(db, &all, first, now, then, &err) == YG_OK);
	T_NAMED(ends_at(steps, YG_LEN(steps), then, now),
		"what was open then, with its changes, is open now");
	T_OK(yg_tally_since(db, &all, (yg_wall){middle * YG_HOUR_US}, &fresh_n, &closed, &err) ==
	     YG_OK);
	T_NAMED(fresh_n == 0 && closed == ask(db, "SELECT count(*) FROM alert WHERE closed > 0"),
		"what happened since");
	T_OK(yg_tally_orgs(db, &all, 10, &arena, &orgs, &n, &err) == YG_OK && n == 2);
	T_NAMED(orgs[0].critical >= orgs[1].critical && orgs[0].worst.n > 0, "worst first");
	T_OK(yg_tally_orgs(db, &one, 10, &arena, &orgs, &n, &err) == YG_OK);
	T_NAMED(n == 1 && YG_SV_IS(orgs[0].org, "beta"), "one sees itself");
	T_OK(yg_tally_orgs(db, &none, 10, &arena, &orgs, &n, &err) == YG_OK && n == 0);
	T_OK(ask(db, "DELETE FROM alert_evidence") == -1 &&
	     ask(db, "DELETE FROM alert_part") == -1 && ask(db, "DELETE FROM alert") == -1);
	T_NAMED(ask(db, "SELECT sum(n) FROM alert_count") == 0, "removed alerts count no more");
	yg_state_close(db);
}

/* The rows give what the counters give, of everything and of a part. */
static void test_rows(void)
{
	struct yg_state *db = fresh();
	static const struct yg_sv beta[] = {YG_SV_INIT("beta")};
	const struct yg_org_set all = {.all = true};
	struct yg_alert_filter of = {.reach = {.all = true}};
	struct yg_tally_step steps[50], rows[50];
	struct yg_tally_org *known = NULL, found[2];
	int64_t now[7], then[7], sum = 0, before = 0, first = sim.wall.us / YG_HOUR_US - 3;
	size_t n = 0;
	fill(db);
	int64_t middle = sim.wall.us / YG_HOUR_US + 1;
	sim.wall.us += 2 * YG_HOUR_US;
	change(db);
	struct yg_tally_few t = {.of = &of,
				 .from = middle,
				 .step = 1,
				 .steps = YG_LEN(rows),
				 .trend = rows,
				 .since = {middle * YG_HOUR_US},
				 .orgs = found,
				 .orgs_max = YG_LEN(found)};
	T_OK(yg_tally_rows(db, &arena, &t, &err) == YG_OK);
	T_OK(yg_tally_open(db, &all, middle, now, then, &err) == YG_OK);
	T_OK(yg_tally_orgs(db, &all, 10, &arena, &known, &n, &err) == YG_OK && n == 2);
	T_OK(yg_tally_orgs_then(db, &all, middle, known, n, &err) == YG_OK);
	for (int i = 0; i < 7; i++) {
		sum += t.then[i];
		before += then[i];
	}
	T_NAMED(memcmp(now, t.now, sizeof now) == 0 && sum == before, "open now and then");
	T_NAMED(t.org_count == 2 && t.before.created == ALERTS && t.fresh == 0 &&
			t.closed == ask(db, "SELECT count(*) FROM alert WHERE closed > 0"),
		"before, and since");
	for (size_t i = 0; i < 2; i++)
		T_NAMED(yg_sv_eq(found[i].org, known[i].org) && found[i].open == known[i].open &&
				found[i].critical == known[i].critical &&
				found[i].high == known[i].high &&
				found[i].previous == known[i].previous &&
				yg_sv_eq(found[i].worst, known[i].worst),
			"organisations, worst first");
	t = (struct yg_tally_few){.of = &of,
				  .from = first,
				  .step = 1,
				  .steps = YG_LEN(rows),
				  .trend = rows,
				  .orgs = found,
				  .orgs_max = 1};
	T_OK(yg_tally_rows(db, &arena, &t, &err) == YG_OK && t.org_count == 1);
	T_OK(yg_tally_trend(db, &all, first, 1, steps, YG_LEN(steps), &err) == YG_OK);
	for (n = 0; n < YG_LEN(rows) && rows[n].created == steps[n].created; n++)
		;
	T_NAMED(n == YG_LEN(rows) && t.then[1] == 0, "the trend by hour");
	T_NAMED(ends_at(rows, YG_LEN(rows), t.then, t.now), "and it leads to what is open now");
	of.reach = (struct yg_reach){.orgs = beta, .org_count = 1};
	of.asset = YG_SV("no such asset");
	t.org_count = 0;
	memset(t.now, 0, sizeof t.now);
	T_OK(yg_tally_rows(db, &arena, &t, &err) == YG_OK && t.org_count == 0 && t.now[6] == 0);
	yg_state_close(db);
}

/* Pages of three until the end, in `sort`: everything once, in order. */
static bool paged(struct yg_state *db, enum yg_alert_sort sort, size_t want)
{
	static const struct yg_sv both[] = {YG_SV_INIT("alpha"), YG_SV_INIT("beta")};
	struct yg_alert_query q = {
		.f.reach = {.orgs = both, .org_count = 2}, .sort = sort, .limit = 7};
	struct yg_alert *list = NULL;
	int64_t last = INT64_MAX;
	size_t n = 7, seen = 0;
	while (n == 7) {
		if (yg_alert_find(db, &q, &arena, &list, &n, &err) != YG_OK)
			return false;
		for (size_t i = 0; i < n; i++) {
			int64_t key = yg_alert_sort_key(sort, &list[i]);
			if (key > last)
				return false;
			last = key;
		}
		seen += n;
		if (n > 0) {
			q.has_after = true;
			q.after = yg_alert_sort_key(sort, &list[n - 1]);
			q.after_seq = list[n - 1].seq;
		}
	}
	return seen == want;
}

static void test_lists(void)
{
	struct yg_state *db = fresh();
	struct yg_alert_query q = {.f.reach = {.all = true}, .limit = 5};
	struct yg_alert_bundles g;
	int64_t total = 0, count = 0;
	bool exact = false;
	fill(db);
	change(db);
	T_NAMED(paged(db, YG_SORT_NEWEST, ALERTS), "newest first");
	T_NAMED(paged(db, YG_SORT_SEVERITY, ALERTS), "by severity");
	T_NAMED(paged(db, YG_SORT_LAST_SEEN, ALERTS), "by last seen");
	T_OK(yg_alert_total(db, &q, &total, &exact, &err) == YG_OK);
	T_NAMED(total == ALERTS && exact, "the total from the counters");
	q.f.indicator = YG_SV("evil1.example");
	T_OK(yg_alert_total(db, &q, &total, &exact, &err) == YG_OK);
	T_NAMED(total == 9 && exact, "the total of an indicator is counted");
	q.f = (struct yg_alert_filter){.reach = {.all = true}, .states = 1u << YG_ALERT_CLOSED};
	T_OK(yg_alert_total(db, &q, &total, &exact, &err) == YG_OK);
	T_NAMED(total == ask(db, "SELECT count(*) FROM alert WHERE state = 'closed'"),
		"of a state");
	int64_t all_of_it = 0;
	for (int i = 1; i <= 6; i++) {
		q.f = (struct yg_alert_filter){
			.reach = {.all = true}, .severity_min = i, .severity_max = i};
		T_OK(yg_alert_total(db, &q, &total, &exact, &err) == YG_OK);
		all_of_it += total;
	}
	T_NAMED(all_of_it == ALERTS, "each severity alone, together all");
	q.f = (struct yg_alert_filter){.reach = {.all = true}};
	T_OK(yg_alert_bundle(db, &q, YG_GROUP_INDICATOR, 0, &arena, &g, &err) == YG_OK);
	T_NAMED(g.n == 5 && g.groups == 7 && g.list[0].count == 9 && g.list[0].orgs == 2 &&
			YG_SV_IS(g.list[0].type, "domain"),
		"groups by indicator");
	for (size_t i = 0; i < g.n; i++)
		count += g.list[i].count;
	T_OK(yg_alert_bundle(db, &q, YG_GROUP_INDICATOR, 5, &arena, &g, &err) == YG_OK);
	for (size_t i = 0; i < g.n; i++)
		count += g.list[i].count;
	T_NAMED(g.n == 2 && count == ALERTS, "their pages are all of them");
	T_OK(yg_alert_bundle(db, &q, YG_GROUP_ORG, 0, &arena, &g, &err) == YG_OK);
	T_NAMED(g.n == 2 && YG_SV_IS(g.list[0].key, "alpha") && g.list[0].count == 40,
		"groups by organisation");
	static const struct yg_sv beta[] = {YG_SV_INIT("beta")};
	q.f.reach = (struct yg_reach){.orgs = beta, .org_count = 1};
	T_OK(yg_alert_bundle(db, &q, YG_GROUP_LIST, 0, &arena, &g, &err) == YG_OK);
	T_NAMED(g.n == 1 && g.list[0].count == 20 && g.list[0].orgs == 1,
		"within one organisation");
	yg_state_close(db);
}

static void add_rule_alert(struct yg_state *db, const char *org, const char *asset,
			   const char *title)
{
	static uint64_t batch;
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_finding_result r;
	struct message m;
	char json[512];
	(void)snprintf(
		json, sizeof json,
		"{\"finding_uid\":\"f-%s\",\"org\":\"%s\",\"indicator\":\"r-1\","
		"\"indicator_type\":\"rule\",\"list\":\"\",\"category\":\"\",\"family\":\"\","
		"\"severity_id\":3,\"confidence\":80,\"tlp\":\"amber\",\"asset\":\"%s\","
		"\"field\":\"x\",\"value\":\"x\",\"event_id\":\"e-1-1-1\","
		"\"time\":\"2023-11-14T22:13:20Z\",\"title\":\"%s\"}",
		asset, org, asset, title);
	message_begin(&m, 2, ++batch);
	message_raw(&m, yg_sv_of(json));
	T_OK(message_send(&m, &act, &r) == YG_OK);
	sim.wall.us += YG_HOUR_US;
}

/* What the group of the rule is called, from the counters and past them. */
static bool called(struct yg_state *db, const struct yg_reach *reach, const char *title)
{
	struct yg_alert_query q = {.f.reach = *reach, .limit = 5};
	for (int severity = 0; severity <= 1; severity++) {
		struct yg_alert_bundles g;
		q.f.severity_min = severity;
		if (yg_alert_bundle(db, &q, YG_GROUP_INDICATOR, 0, &arena, &g, &err) != YG_OK ||
		    g.n != 1 || !yg_sv_eq(g.list[0].title, yg_sv_of(title)))
			return false;
	}
	return true;
}

/* A rule is called as the newest of its alerts is that the reader may see. */
static void test_rule_titles(void)
{
	struct yg_state *db = fresh();
	static const struct yg_sv alpha[] = {YG_SV_INIT("alpha")}, beta[] = {YG_SV_INIT("beta")};
	struct yg_reach one = {.orgs = alpha, .org_count = 1}, all = {.all = true},
			other = {.orgs = beta, .org_count = 1};
	int64_t begun = sim.wall.us;
	add_rule_alert(db, "alpha", "10.0.0.1", "Old name");
	struct yg_reach then = {
		.all = true, .from = {begun - 1}, .to = {sim.wall.us - YG_HOUR_US / 2}};
	add_rule_alert(db, "alpha", "10.0.0.2", "New name");
	add_rule_alert(db, "beta", "10.0.0.3", "Name of theirs");
	T_NAMED(called(db, &all, "Name of theirs"), "the newest of all");
	T_NAMED(called(db, &one, "New name") && called(db, &other, "Name of theirs"),
		"of one organisation its own");
	T_NAMED(called(db, &then, "Old name"), "of a period as it was then");
	yg_state_close(db);
}

static bool same_bundle(const struct yg_alert_bundle *a, const struct yg_alert_bundle *b)
{
	return yg_sv_eq(a->key, b->key) && yg_sv_eq(a->title, b->title) &&
	       yg_sv_eq(a->type, b->type) && a->count == b->count && a->orgs == b->orgs &&
	       a->findings == b->findings && a->severity_id == b->severity_id &&
	       a->first_seen.us == b->first_seen.us && a->last_seen.us == b->last_seen.us;
}

/* A bound on the severity that leaves nothing out sends the question past the counters. */
static bool same_groups(struct yg_state *db, const struct yg_reach *reach, unsigned states)
{
	struct yg_alert_query q = {.f = {.reach = *reach, .states = states}, .limit = 3};
	struct yg_alert_bundles quick, slow;
	uint32_t from = 0;
	do {
		q.f.severity_min = 0;
		if (yg_alert_bundle(db, &q, YG_GROUP_INDICATOR, from, &arena, &quick, &err) !=
		    YG_OK)
			return false;
		q.f.severity_min = 1;
		if (yg_alert_bundle(db, &q, YG_GROUP_INDICATOR, from, &arena, &slow, &err) != YG_OK)
			return false;
		if (quick.n != slow.n || quick.groups != slow.groups)
			return false;
		for (size_t i = 0; i < quick.n; i++)
			if (!same_bundle(&quick.list[i], &slow.list[i]))
				return false;
		from += (uint32_t)quick.n;
	} while (quick.n == q.limit);
	return true;
}

/* In memory or read in their order: the same, by whatever key, page and period. */
static bool same_ways(struct yg_state *db, const struct yg_alert_query *q, enum yg_alert_group by)
{
	struct yg_alert_bundles memory, sorted;
	uint32_t from = 0;
	do {
		if (yg_alert_bundle_within(db, q, by, from, 1000, &arena, &memory, &err) != YG_OK ||
		    yg_alert_bundle_within(db, q, by, from, 0, &arena, &sorted, &err) != YG_OK)
			return false;
		if (memory.n != sorted.n || memory.groups != sorted.groups)
			return false;
		for (size_t i = 0; i < memory.n; i++)
			if (!same_bundle(&memory.list[i], &sorted.list[i]))
				return false;
		from += (uint32_t)memory.n;
	} while (memory.n == q->limit);
	return from > 0;
}

static void test_ways(void)
{
	struct yg_state *db = fresh();
	struct yg_alert_query q = {.f = {.reach = {.all = true}}, .limit = 3};
	struct yg_alert_bundles few;
	int64_t began = sim.wall.us;
	fill(db);
	int64_t middle = sim.wall.us;
	change(db);
	const struct yg_reach periods[] = {
		{.all = true},
		{.all = true, .from = {began}, .to = {middle}},
		{.all = true, .from = {began + 3 * YG_HOUR_US}, .to = {sim.wall.us + 1}}};
	for (int by = YG_GROUP_INDICATOR; by <= YG_GROUP_LIST; by++)
		for (size_t i = 0; i < YG_LEN(periods); i++) {
			q.f.reach = periods[i];
			q.f.severity_min = 1;
			T_NAMED(same_ways(db, &q, (enum yg_alert_group)by),
				"groups in memory are those that come in order");
		}
	T_OK(yg_alert_bundle_within(db, &q, YG_GROUP_ASSET, 0, 4, &arena, &few, &err) == YG_OK);
	T_NAMED(few.n == 3 && few.groups > 4, "more than fit in memory are all there");
	yg_state_close(db);
}

static void test_counted_groups(void)
{
	struct yg_state *db = fresh();
	static const struct yg_sv orgs[] = {YG_SV_INIT("alpha"), YG_SV_INIT("beta")};
	const struct yg_reach reach[] = {
		{.all = true}, {.orgs = orgs, .org_count = 1}, {.orgs = orgs, .org_count = 2}, {0}};
	const unsigned open =
		1u << YG_ALERT_NEW | 1u << YG_ALERT_IN_PROGRESS | 1u << YG_ALERT_ON_HOLD;
	const unsigned states[] = {0, open, open | 1u << YG_ALERT_CLOSED, 1u << YG_ALERT_CLOSED};
	fill(db);
	change(db);
	T_OK(ask(db, "UPDATE alert SET indicator = 'another.example' WHERE seq % 9 = 1") == -1);
	T_OK(ask(db, "UPDATE alert SET state = 'closed', verdict = 'true', closed = 1"
		     " WHERE indicator = 'evil2.example' AND state <> 'closed'") == -1);
	T_OK(ask(db, "UPDATE alert SET severity_id = 1 + seq % 3 WHERE seq % 5 < 3") == -1);
	for (size_t i = 0; i < YG_LEN(reach); i++)
		for (size_t k = 0; k < YG_LEN(states); k++)
			T_NAMED(same_groups(db, &reach[i], states[k]),
				"counted groups are those that are there");
	T_NAMED(ask(db,
		    "SELECT count(*) FROM (SELECT indicator, org, count(*) AS total,"
		    " sum(state <> 'closed') AS open FROM alert GROUP BY 1, 2 UNION ALL"
		    " SELECT indicator, '', count(*), sum(state <> 'closed') FROM alert GROUP BY 1"
		    " EXCEPT SELECT indicator, org, total, open FROM alert_indicator_count)") == 0,
		"every counter of an indicator is what is there");
	T_NAMED(ask(db,
		    "SELECT count(*) FROM (SELECT indicator, org, severity_id, count(*) AS n,"
		    " sum(state <> 'closed') AS open FROM alert GROUP BY 1, 2, 3 UNION ALL"
		    " SELECT indicator, '', severity_id, count(*), sum(state <> 'closed') FROM"
		    " alert GROUP BY 1, 3 EXCEPT SELECT indicator, org, severity_id, total, open"
		    " FROM alert_indicator_severity)") == 0 &&
			ask(db,
			    "SELECT count(*) FROM (SELECT indicator, org, max(severity_id) AS w,"
			    " max((state <> 'closed') * severity_id) AS o FROM alert GROUP BY 1, 2"
			    " UNION ALL SELECT indicator, '', max(severity_id),"
			    " max((state <> 'closed') * severity_id) FROM alert GROUP BY 1 EXCEPT"
			    " SELECT indicator, org, worst_total, worst_open"
			    " FROM alert_indicator_count)") == 0,
		"so are their severities");
	T_OK(ask(db, "DELETE FROM alert_evidence") == -1 &&
	     ask(db, "DELETE FROM alert_part") == -1 && ask(db, "DELETE FROM alert") == -1);
	T_NAMED(ask(db, "SELECT (SELECT count(*) FROM alert_indicator_count) +"
			" (SELECT count(*) FROM alert_indicator_severity)") == 0,
		"nothing is left of removed alerts");
	yg_state_close(db);
}

/* Whose they are, open and in all, of one organisation and of both. */
static void test_assigned(void)
{
	struct yg_state *db = fresh();
	static const struct yg_sv beta[] = {YG_SV_INIT("beta")};
	static const char *const who[] = {"-", "taro"};
	fill(db);
	change(db);
	T_OK(ask(db, "UPDATE alert SET assignee = 'taro' WHERE seq < 30") == -1);
	for (size_t i = 0; i < 8; i++) {
		struct yg_alert_query q = {.f.reach = {.all = (i & 1) == 0}, .limit = 100};
		struct yg_alert *list = NULL;
		size_t n = 0;
		int64_t total = 0, want = 0;
		bool exact = false;
		char sql[160];
		(void)snprintf(
			sql, sizeof sql, "SELECT count(*) FROM alert WHERE assignee = '%s'%s%s",
			(i & 2) != 0 ? "taro" : "", (i & 4) != 0 ? " AND state = 'closed'" : "",
			(i & 1) != 0 ? " AND org = 'beta'" : "");
		want = ask(db, sql);
		q.f.assignee = yg_sv_of(who[(i & 2) != 0]);
		q.f.states = (i & 4) != 0 ? 1u << YG_ALERT_CLOSED : 0;
		q.sort = (i & 1) != 0 ? YG_SORT_SEVERITY : YG_SORT_NEWEST;
		if (!q.f.reach.all)
			q.f.reach = (struct yg_reach){.orgs = beta, .org_count = 1};
		T_OK(yg_alert_find(db, &q, &arena, &list, &n, &err) == YG_OK);
		T_OK(yg_alert_total(db, &q, &total, &exact, &err) == YG_OK && exact);
		T_NAMED(want > 0 && total == want && n == (size_t)want, "by whose they are");
	}
	yg_state_close(db);
}

int main(void)
{
	env = yg_env_sim(&sim);
	yg_arena_init(&arena, 256u << 20);
	test_counters();
	test_rows();
	test_lists();
	test_rule_titles();
	test_counted_groups();
	test_ways();
	test_assigned();
	yg_arena_free(&arena);
	return tap_done();
}
