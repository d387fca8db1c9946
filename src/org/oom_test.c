#include "oom.h"

#include "org/audit_log.h"
#include "org/job.h"
#include "org/organisation.h"
#include "org/purge.h"
#include "org/source.h"
#include "org/system_event.h"
#include "org/token.h"

static struct yg_env_sim sim = {.wall = {1700000000000000}, .seed = 7};
static struct yg_env env;
static struct yg_err err;
static char job_queued[64], job_running[64], token_id[64], secret[YG_TOKEN_SECRET_MAX];

static struct yg_act act_of(struct yg_state *db)
{
	return yg_act_make(db, &env, YG_SV("local:0"));
}

static yg_status org_add(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	struct yg_org o = {.slug = YG_SV("new"), .title_ja = YG_SV("潮風市")};
	(void)seen;
	return yg_org_add(&act, &o, &err);
}

static yg_status org_retitle(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	struct yg_sv title = YG_SV("City of Alpha");
	(void)seen;
	struct yg_org_edit set = {.title_ja = &title, .title_en = &title, .prefecture = 3};
	return yg_org_change(&act, YG_SV("alpha"), 1, &set, &err);
}

static yg_status org_remove(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	(void)seen;
	return yg_org_remove(&act, YG_SV("beta"), &err);
}

static yg_status org_list(struct yg_state *db, struct yg_sb *seen)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_org *list = NULL;
	size_t n = 0;
	yg_arena_init(&arena, 1 << 20);
	yg_status st = yg_org_list(db, &(struct yg_reach){.all = true}, YG_SV(""), 10, &arena,
				   &list, &n, &err);
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		yg_sb_put(seen, list[i].slug);
		yg_sb_put(seen, list[i].title_en);
	}
	return st;
}

static yg_status token_add(struct yg_state *db, struct yg_sb *seen)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	YG_AUTO(yg_token_secret_wipe) struct yg_token_secret s = {0};
	struct yg_act act = act_of(db);
	struct yg_sv scopes[] = {YG_SV("alerts:read"), YG_SV("org:read")};
	struct yg_token_new n = {.name = YG_SV("fw-2"), .scopes = scopes, .scope_count = 2};
	struct yg_token token = {0};
	(void)seen;
	yg_arena_init(&arena, 1 << 20);
	return yg_token_add(&act, &n, &arena, &token, &s, &err);
}

static yg_status token_check(struct yg_state *db, struct yg_sb *seen)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_token token = {0};
	yg_arena_init(&arena, 1 << 20);
	yg_status st = yg_token_check(db, sim.wall, yg_sv_of(secret), &arena, &token, &err);
	if (st == YG_OK)
		yg_sb_put(seen, token.scopes);
	return st;
}

static yg_status token_revoke(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	(void)seen;
	return yg_token_revoke(&act, yg_sv_of(token_id), &err);
}

static yg_status job_add(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	struct yg_id id;
	(void)seen;
	return yg_job_add(&act, YG_SV("x"), YG_SV("alpha"), YG_SV("{\"a\":1}"), &id, &err);
}

static yg_status job_start(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	(void)seen;
	return yg_job_start(&act, yg_sv_of(job_queued), &err);
}

static yg_status job_progress(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	bool cancel = false;
	(void)seen;
	return yg_job_progress(&act, yg_sv_of(job_running), 3, 9, 0, YG_SV("half"), &cancel, &err);
}

static yg_status job_end(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	(void)seen;
	return yg_job_end(&act, yg_sv_of(job_running), YG_JOB_DONE, YG_SV("ok"), YG_SV("{}"), &err);
}

static yg_status job_cancel(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	(void)seen;
	return yg_job_cancel(&act, yg_sv_of(job_queued), &err);
}

static yg_status job_recover(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	uint64_t n = 0;
	(void)seen;
	return yg_job_recover(&act, &n, &err);
}

static yg_status system_event(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_system_event ev = {.time = sim.wall,
				     .level = YG_SV("warn"),
				     .name = YG_SV("role.crashed"),
				     .role = YG_SV("ingest-0")};
	int64_t id = 0;
	(void)seen;
	return yg_system_event_add(db, &ev, &id, &err);
}

static yg_status source_add(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_source_row rows[] = {{.org = YG_SV("alpha"),
					.source = YG_SV("zeek"),
					.sensor = YG_SV("s1"),
					.events = 10},
				       {.org = YG_SV("beta"),
					.source = YG_SV("zeek"),
					.sensor = YG_SV("s2"),
					.events = 1}};
	(void)seen;
	return yg_source_add(db, rows, YG_LEN(rows), &err);
}

static yg_status audit_list(struct yg_state *db, struct yg_sb *seen)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_audit_filter f = {.reach = YG_REACH_ALL, .limit = 10};
	struct yg_audit_entry *list = NULL;
	size_t n = 0;
	yg_arena_init(&arena, 1 << 20);
	yg_status st = yg_audit_list(db, &f, &arena, &list, &n, &err);
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		yg_sb_put(seen, list[i].action);
		yg_sb_put(seen, list[i].detail);
	}
	return st;
}

static yg_status audit_verify(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_audit_report r = {0};
	yg_status st = yg_audit_verify(db, NULL, &r, &err);
	if (st == YG_OK)
		yg_sb_printf(seen, "%d %llu", r.ok, (unsigned long long)r.entries);
	return st;
}

static bool make_base(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = NULL;
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_org a = {.slug = YG_SV("alpha")}, b = {.slug = YG_SV("beta")};
	struct yg_sv scopes[] = {YG_SV("alerts:read")};
	struct yg_token_new n = {.name = YG_SV("fw-1"), .scopes = scopes, .scope_count = 1};
	struct yg_token token = {0};
	struct yg_token_secret s = {0};
	struct yg_id id = {0};
	yg_arena_init(&arena, 1 << 20);
	if (yg_state_open(oom_base, &db, &err) != YG_OK || yg_state_migrate(db, &err) != YG_OK)
		return false;
	struct yg_act act = act_of(db);
	if (yg_org_add(&act, &a, &err) != YG_OK || yg_org_add(&act, &b, &err) != YG_OK ||
	    yg_token_add(&act, &n, &arena, &token, &s, &err) != YG_OK)
		return false;
	(void)snprintf(token_id, sizeof token_id, "%.*s", (int)token.id.n, token.id.p);
	(void)snprintf(secret, sizeof secret, "%s", s.s);
	if (yg_job_add(&act, YG_SV("x"), YG_SV(""), YG_SV(""), &id, &err) != YG_OK)
		return false;
	(void)snprintf(job_queued, sizeof job_queued, "%s", id.s);
	if (yg_job_add(&act, YG_SV("x"), YG_SV(""), YG_SV(""), &id, &err) != YG_OK ||
	    yg_job_start(&act, yg_id_sv(&id), &err) != YG_OK)
		return false;
	(void)snprintf(job_running, sizeof job_running, "%s", id.s);
	return true;
}

int main(void)
{
	static const struct oom_case cases[] = {
		{"organisation is added", org_add, OOM_CHANGES},
		{"organisation gets titles", org_retitle, OOM_CHANGES},
		{"organisation is removed", org_remove, OOM_CHANGES},
		{"organisations are listed", org_list, OOM_READS},
		{"token is added", token_add, OOM_CHANGES},
		{"token is checked", token_check,
		 OOM_MAY}, /* its use is noted, if that can be done */
		{"token is revoked", token_revoke, OOM_CHANGES},
		{"job is added", job_add, OOM_CHANGES},
		{"job starts", job_start, OOM_CHANGES},
		{"job goes on", job_progress, OOM_CHANGES},
		{"job ends", job_end, OOM_CHANGES},
		{"job is cancelled", job_cancel, OOM_CHANGES},
		{"jobs are interrupted", job_recover, OOM_CHANGES},
		{"system event", system_event, OOM_CHANGES},
		{"sources", source_add, OOM_CHANGES},
		{"audit log is listed", audit_list, OOM_READS},
		{"audit log is verified", audit_verify, OOM_READS},
	};
	env = yg_env_sim(&sim);
	oom_init();
	oom_files();
	T_OK(make_base());
	for (size_t i = 0; i < YG_LEN(cases); i++)
		oom_try(&cases[i]);
	oom_files_end();
	return tap_done();
}
