#include "oom.h"

#include "alert/testing.h"
#include "org/job.h"

#define T0 INT64_C(1700000000000000)

static char first[64], second[64], job[64];

static struct yg_act act_of(struct yg_state *db)
{
	return yg_act_make(db, &env, YG_SV("local:0"));
}

/* Three findings: one joins an alert, one opens another, one is of nobody. */
static yg_status findings(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	struct yg_finding_result r = {0};
	struct message m;
	long left = oom_left;
	(void)seen;
	oom_left = -1; /* the message is not what is tested */
	message_begin(&m, 0, 100);
	message_add(&m, "alpha", "evil.example", "h1", 4, T0 + 9, "e-9");
	message_add(&m, "beta", "new.example", "h2", 3, T0 + 9, "e-10");
	message_add(&m, "nobody", "new.example", "h2", 3, T0 + 9, "e-11");
	oom_left = left;
	yg_status st = yg_findings_apply(&act, yg_buf_sv(&m.body), &r, &err);
	yg_buf_free(&m.body);
	if (st == YG_OK && (r.applied != 2 || r.unknown != 1 || r.bad != 0))
		return YG_INTERNAL; /* counted as bad for want of memory: lost */
	return st;
}

static yg_status change(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	struct yg_sv why = YG_SV("looked at it"), who = YG_SV("hanako");
	struct yg_alert_set set = {.state = YG_ALERT_CLOSED,
				   .verdict = YG_VERDICT_TRUE,
				   .reason = &why,
				   .assignee = &who};
	(void)seen;
	return yg_alert_change(&act, yg_sv_of(first), 1, &set, NULL, &err);
}

static yg_status comment(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	struct yg_id id;
	(void)seen;
	return yg_alert_comment(&act, yg_sv_of(first), YG_SV("who owns h1?"), &id, &err);
}

static yg_status merge(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	struct yg_sv other = yg_sv_of(second);
	(void)seen;
	return yg_alert_merge(&act, yg_sv_of(first), 1, &other, 1, YG_SV("the same"), &err);
}

static yg_status split(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	struct yg_sv event = YG_SV("e-1");
	struct yg_id id;
	(void)seen;
	return yg_alert_split(&act, yg_sv_of(first), YG_ANY_VERSION, &event, 1, YG_SV("another"),
			      &id, &err);
}

static yg_status allow(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	struct yg_id id;
	(void)seen;
	return yg_alert_allow(&act, yg_sv_of(first), 1, YG_SV("our scanner"), (yg_wall){0}, false,
			      &id, &err);
}

/* A job that cannot go on ends as failed, if that much memory is left. */
static yg_status bulk(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	struct yg_sv ids[] = {yg_sv_of(first), yg_sv_of(second)};
	struct yg_alert_set set = {.state = YG_ALERT_IN_PROGRESS};
	(void)seen;
	return yg_alert_bulk(&act, yg_sv_of(job), ids, 2, NULL, &set, &err);
}

static yg_status read_all(struct yg_state *db, struct yg_sb *seen)
{
	YG_AUTO(yg_arena_free) struct yg_arena a = {0};
	const struct yg_sv alpha = YG_SV("alpha");
	struct yg_alert_filter f = {.reach = yg_reach_one(&alpha), .limit = 10};
	struct yg_alert *list = NULL;
	struct yg_evidence *evidence = NULL;
	struct yg_sv *reasons = NULL;
	size_t n = 0, links = 0, lines = 0;
	int64_t counts[7] = {0};
	yg_arena_init(&a, 4 << 20);
	yg_status st = yg_alert_list(db, &f, &a, &list, &n, &err);
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		yg_sb_put(seen, list[i].title);
		st = yg_alert_reasons(db, list[i].id, false, &a, &reasons, &lines, &err);
		for (size_t k = 0; st == YG_OK && k < lines; k++)
			yg_sb_put(seen, reasons[k]);
		if (st == YG_OK)
			st = yg_alert_evidence(db, &(struct yg_alert_of){.id = list[i].id}, 0, 10,
					       &a, &evidence, &links, &err);
		for (size_t k = 0; st == YG_OK && k < links; k++)
			yg_sb_put(seen, evidence[k].event_id);
	}
	if (st == YG_OK)
		st = yg_alert_counts(db, &f.reach, counts, &err);
	yg_sb_printf(seen, "%lld", (long long)counts[3]);
	return st;
}

static bool make_base(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = NULL;
	struct yg_org a = {.slug = YG_SV("alpha")}, b = {.slug = YG_SV("beta")};
	struct yg_finding_result r = {0};
	struct yg_alert_filter f = {.reach = YG_REACH_ALL, .limit = 10};
	struct yg_alert *list = NULL;
	struct message m;
	struct yg_id id = {0};
	size_t n = 0;
	if (yg_state_open(oom_base, &db, &err) != YG_OK || yg_state_migrate(db, &err) != YG_OK)
		return false;
	struct yg_act act = act_of(db);
	if (yg_org_add(&act, &a, &err) != YG_OK || yg_org_add(&act, &b, &err) != YG_OK)
		return false;
	message_begin(&m, 0, 1);
	message_add(&m, "alpha", "evil.example", "h1", 3, T0 + 1, "e-1");
	message_add(&m, "alpha", "evil.example", "h1", 3, T0 + 2, "e-2");
	message_add(&m, "alpha", "worse.example", "h1", 3, T0 + 3, "e-3");
	if (message_send(&m, &act, &r) != YG_OK || r.opened != 2 ||
	    yg_alert_list(db, &f, &arena, &list, &n, &err) != YG_OK || n != 2)
		return false;
	(void)snprintf(second, sizeof second, "%.*s", (int)list[0].id.n, list[0].id.p);
	(void)snprintf(first, sizeof first, "%.*s", (int)list[1].id.n, list[1].id.p);
	if (yg_job_add(&act, YG_SV("alert.bulk"), YG_SV(""), YG_SV(""), &id, &err) != YG_OK ||
	    yg_job_start(&act, yg_id_sv(&id), &err) != YG_OK)
		return false;
	(void)snprintf(job, sizeof job, "%s", id.s);
	return true;
}

int main(void)
{
	static const struct oom_case cases[] = {
		{"findings are applied", findings, OOM_CHANGES},
		{"alert is closed", change, OOM_CHANGES},
		{"alert is commented", comment, OOM_CHANGES},
		{"alerts are merged", merge, OOM_CHANGES},
		{"alert is split", split, OOM_CHANGES},
		{"indicator is allowed", allow, OOM_CHANGES},
		{"many alerts are changed", bulk, OOM_STEPS},
		{"alerts are read", read_all, OOM_READS},
	};
	env = yg_env_sim(&sim);
	yg_arena_init(&arena, 4 << 20);
	oom_init();
	oom_files();
	T_OK(make_base());
	for (size_t i = 0; i < YG_LEN(cases); i++)
		oom_try(&cases[i]);
	oom_files_end();
	yg_arena_free(&arena);
	return tap_done();
}
