#include "alert/watch.h"

#include "alert/query.h"
#include "alert/testing.h"
#include "tap.h"

static struct yg_alert made(struct yg_state *db, const char *asset, uint64_t batch)
{
	struct yg_act act = yg_act_make(db, &env, YG_SV("system"));
	struct yg_finding_result r;
	struct message m;
	struct yg_alert *a = NULL;
	message_begin(&m, 0, batch);
	message_add(&m, "alpha", "evil.example", asset, 4, sim.wall.us, asset);
	if (message_send(&m, &act, &r) != YG_OK || alerts_of(db, asset, &a) != 1) {
		(void)printf("# %s\n", err.msg);
		return (struct yg_alert){0};
	}
	return a[0];
}

static size_t watched_by(struct yg_state *db, const char *who)
{
	struct yg_alert_query q = {.f = {.reach = YG_REACH_ALL, .watcher = yg_sv_of(who)},
				   .limit = 10};
	struct yg_alert *a = NULL;
	size_t n = 0;
	int64_t total = 0;
	bool exact = false;
	if (yg_alert_find(db, &q, &arena, &a, &n, &err) != YG_OK ||
	    yg_alert_total(db, &q, &total, &exact, &err) != YG_OK || total != (int64_t)n)
		return 99;
	return n;
}

int main(void)
{
	env = yg_env_sim(&sim);
	yg_arena_init(&arena, 64u << 20);
	struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("person:p-1"));
	struct yg_alert a = made(db, "one", 1), b = made(db, "two", 2);
	bool on = true;
	T_OK(yg_watch_get(db, YG_SV("p-1"), a.seq, &on, &err) == YG_OK && !on);
	T_OK(yg_watch_set(&act, YG_SV("p-1"), &a, true, &err) == YG_OK);
	T_OK(yg_watch_get(db, YG_SV("p-1"), a.seq, &on, &err) == YG_OK && on);
	T_OK(watched_by(db, "p-1") == 1 && watched_by(db, "p-2") == 0);
	T_OK(yg_watch_set(&act, YG_SV("p-1"), &a, true, &err) == YG_OK &&
	     one(db, "SELECT count(*) FROM audit_log WHERE action = 'alert.watch'") == 1);
	T_OK(yg_watch_set(&act, YG_SV("p-1"), &b, true, &err) == YG_OK &&
	     yg_watch_set(&act, YG_SV("p-2"), &b, true, &err) == YG_OK &&
	     watched_by(db, "p-1") == 2 && watched_by(db, "p-2") == 1);
	T_OK(yg_watch_set(&act, YG_SV("p-1"), &a, false, &err) == YG_OK &&
	     yg_watch_set(&act, YG_SV("p-1"), &a, false, &err) == YG_OK &&
	     watched_by(db, "p-1") == 1 &&
	     one(db, "SELECT count(*) FROM audit_log WHERE action = 'alert.unwatch'") == 1);
	for (int i = 0; i < YG_WATCH_MAX - 1; i++) {
		char sql[128];
		(void)snprintf(
			sql, sizeof sql,
			"INSERT INTO alert_watch (owner, alert, since) VALUES ('p-1', %d, 0)",
			100000 + i);
		(void)one(db, sql);
	}
	T_OK(yg_watch_set(&act, YG_SV("p-1"), &a, true, &err) == YG_LIMIT);
	(void)one(db, "DELETE FROM alert_evidence");
	(void)one(db, "DELETE FROM alert_part");
	(void)one(db, "DELETE FROM alert");
	T_NAMED(one(db, "SELECT count(*) FROM alert_watch WHERE alert < 100000") == 0,
		"with the alert goes what was watched");
	yg_state_close(db);
	yg_arena_free(&arena);
	return tap_done();
}
