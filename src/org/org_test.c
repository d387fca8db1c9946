#include "base/codec.h"
#include "org/audit_log.h"
#include "org/id.h"
#include "org/job.h"
#include "org/organisation.h"
#include "org/purge.h"
#include "org/role_proof.h"
#include "org/source.h"
#include "org/system_event.h"
#include "org/token.h"
#include "org/visit.h"
#include "tap.h"

static struct yg_env_sim sim = {.wall = {1700000000000000}, .seed = 7};
static struct yg_env env;
static struct yg_arena arena;
static struct yg_err err;

static struct yg_state *fresh(void)
{
	struct yg_state *db = NULL;
	if (yg_state_open(":memory:", &db, &err) != YG_OK || yg_state_migrate(db, &err) != YG_OK)
		(void)printf("# %s\n", err.msg);
	return db;
}

static bool audited(struct yg_state *db, const char *action)
{
	struct yg_audit_entry *e;
	size_t n;
	struct yg_audit_filter f = {.reach = YG_REACH_ALL, .limit = 1};
	return yg_audit_list(db, &f, &arena, &e, &n, &err) == YG_OK && n == 1 &&
	       yg_sv_eq(e->action, yg_sv_of(action));
}

static void test_ids(void)
{
	struct yg_id_source src = {0};
	char last[YG_ID_MAX] = "";
	bool rising = true, well = true;
	for (int i = 0; i < 5000; i++) {
		if (i == 1000)
			sim.wall.us += 5000;
		if (i == 2000)
			sim.wall.us -= 3600 * YG_US_PER_S; /* the clock steps back an hour */
		struct yg_id id = yg_id_new(&src, &env, "a");
		rising &= strcmp(last, id.s) < 0;
		well &= yg_id_is(yg_id_sv(&id), YG_SV("a"));
		(void)snprintf(last, sizeof last, "%s", id.s);
	}
	sim.wall.us += 3600 * YG_US_PER_S;
	T_NAMED(rising, "ids rise, also when the clock steps back");
	T_NAMED(well, "ids have their form");
	T_OK(!yg_id_is(YG_SV("a-0123"), YG_SV("a")) &&
	     !yg_id_is(YG_SV("b-01HF00000000000000000000000"), YG_SV("a")));
	T_OK(!yg_id_is(YG_SV("a-01HF0000000000000000000U00"), YG_SV("a")));
	src = (struct yg_id_source){.ms = (uint64_t)sim.wall.us / 1000 + 5};
	memset(src.random, 0xff, sizeof src.random);
	struct yg_id a = yg_id_new(&src, &env, "a"), b = yg_id_new(&src, &env, "a");
	T_NAMED(strcmp(a.s, b.s) < 0, "the random part running over still rises");
}

static const struct yg_reach all_of = YG_REACH_ALL;

static const struct yg_sv slug_a = YG_SV_INIT("a");
static const struct yg_reach only_a = {.orgs = &slug_a, .org_count = 1};
static const struct yg_sv slug_counted = YG_SV_INIT("counted");
static const struct yg_reach counted = {.orgs = &slug_counted, .org_count = 1};

static yg_status retitle(struct yg_act *act, struct yg_sv slug, int64_t version,
			 const struct yg_sv *title_en)
{
	struct yg_org_edit set = {.title_en = title_en, .prefecture = -1};
	return yg_org_change(act, slug, version, &set, &err);
}

static void test_organisations(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	static const char *const bad[] = {
		"",    "-a",
		"a-",  "A",
		"a_b", "a.b",
		"ü",   "0123456789012345678901234567890123456789012345678901234567890123"};
	for (size_t i = 0; i < YG_LEN(bad); i++)
		T_OK(!yg_org_slug_ok(yg_sv_of(bad[i])));
	struct yg_org o = {.slug = YG_SV("shiokaze"), .title_ja = YG_SV("潮風市"), .demo = true},
		      got;
	T_OK(yg_org_add(&act, &o, &err) == YG_OK && audited(db, "org.add"));
	T_OK(yg_org_add(&act, &o, &err) == YG_CONFLICT);
	T_OK(yg_org_get(db, o.slug, &arena, &got, &err) == YG_OK &&
	     yg_sv_eq(got.title_en, o.title_ja) && got.demo && got.version == 1 &&
	     got.created.us == sim.wall.us);
	struct yg_sv title = YG_SV("City of Shiokaze"), line = YG_SV("a\nb");
	T_OK(retitle(&act, o.slug, 2, &title) == YG_CONFLICT);
	T_OK(retitle(&act, o.slug, 1, &line) == YG_INVAL);
	T_OK(retitle(&act, o.slug, 1, &title) == YG_OK && audited(db, "org.update"));
	T_OK(yg_org_get(db, o.slug, &arena, &got, &err) == YG_OK && yg_sv_eq(got.title_en, title) &&
	     got.version == 2);
	T_OK(retitle(&act, YG_SV("nobody"), YG_ANY_VERSION, &title) == YG_NOTFOUND);
	o.slug = YG_SV("b");
	o.demo = false;
	o.parent = YG_SV("shiokaze");
	T_OK(yg_org_add(&act, &o, &err) == YG_OK);
	o.slug = YG_SV("c");
	o.parent = YG_SV("nobody");
	T_OK(yg_org_add(&act, &o, &err) == YG_NOTFOUND);
	struct yg_org *list;
	struct yg_sv *demo;
	size_t n;
	T_OK(yg_org_list(db, &all_of, YG_SV(""), 10, &arena, &list, &n, &err) == YG_OK && n == 2 &&
	     YG_SV_IS(list[0].slug, "b"));
	T_OK(yg_org_list(db, &all_of, YG_SV("b"), 10, &arena, &list, &n, &err) == YG_OK && n == 1);
	T_OK(yg_org_demo(db, &arena, &demo, &n, &err) == YG_OK && n == 1 &&
	     YG_SV_IS(demo[0], "shiokaze"));
	T_OK(yg_org_remove(&act, YG_SV("shiokaze"), &err) == YG_CONFLICT);
	T_OK(yg_org_remove(&act, YG_SV("b"), &err) == YG_OK && audited(db, "org.remove"));
	T_OK(yg_org_remove(&act, YG_SV("shiokaze"), &err) == YG_OK &&
	     yg_org_known(db, YG_SV("shiokaze"), NULL) == YG_NOTFOUND);
	T_OK(yg_org_remove(&act, YG_SV("shiokaze"), &err) == YG_NOTFOUND);
}

static void test_tokens(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_org o = {.slug = YG_SV("a")};
	T_OK(yg_org_add(&act, &o, &err) == YG_OK);
	struct yg_sv write = YG_SV("events:write"),
		     both[] = {YG_SV("alerts:read"), YG_SV("org:read")}, none = YG_SV("all");
	struct yg_token_new want = {.name = YG_SV("fw-1"),
				    .org = YG_SV("a"),
				    .scopes = &write,
				    .scope_count = 1,
				    .expires = {sim.wall.us + YG_US_PER_DAY}};
	struct yg_token t, got;
	struct yg_token_secret secret, other;
	T_OK(yg_token_add(&act, &want, &arena, &t, &secret, &err) == YG_OK &&
	     audited(db, "token.add"));
	struct yg_sv s = yg_sv_of(secret.s);
	T_OK(yg_sv_starts(s, YG_SV("yg_collector_")) && yg_sv_starts(s, t.prefix) &&
	     s.n == 13 + 26 + 1 + 52);
	T_OK(yg_token_check(db, sim.wall, s, &arena, &got, &err) == YG_OK &&
	     YG_SV_IS(got.org, "a") && yg_sv_eq(got.id, t.id) && yg_token_may(&got, write) &&
	     !yg_token_may(&got, YG_SV("events")));
	T_OK(yg_token_get(db, t.id, &arena, &got, &err) == YG_OK &&
	     got.last_used.us == sim.wall.us);
	/* one character changed, wherever it is: refused */
	bool all = true;
	for (size_t i = 0; i < s.n; i++) {
		struct yg_token_secret forged = secret;
		forged.s[i] = forged.s[i] == 'A' ? 'B' : 'A';
		all &= yg_token_check(db, sim.wall, yg_sv_of(forged.s), &arena, &got, &err) ==
		       YG_UNAUTH;
	}
	T_NAMED(all, "a changed secret is refused");
	T_OK(yg_token_check(db, sim.wall, yg_sv_sub(s, 0, s.n - 1), &arena, &got, &err) ==
	     YG_UNAUTH);
	T_OK(yg_token_check(db, sim.wall, YG_SV(""), &arena, &got, &err) == YG_UNAUTH);
	yg_wall later = {want.expires.us};
	T_OK(yg_token_check(db, later, s, &arena, &got, &err) == YG_UNAUTH &&
	     strstr(err.msg, "expired") != NULL);
	T_OK(yg_token_revoke(&act, t.id, &err) == YG_OK && audited(db, "token.revoke"));
	T_OK(yg_token_revoke(&act, t.id, &err) == YG_OK);
	T_OK(yg_token_check(db, sim.wall, s, &arena, &got, &err) == YG_UNAUTH &&
	     strstr(err.msg, "revoked") != NULL);
	T_OK(yg_token_revoke(&act, YG_SV("t-x"), &err) == YG_NOTFOUND);
	/* what may not be made */
	want.org = YG_SV("");
	T_OK(yg_token_add(&act, &want, &arena, &t, &other, &err) == YG_INVAL);
	want.org = YG_SV("nobody");
	T_OK(yg_token_add(&act, &want, &arena, &t, &other, &err) == YG_NOTFOUND);
	want.org = YG_SV("a");
	want.scopes = &none;
	T_OK(yg_token_add(&act, &want, &arena, &t, &other, &err) == YG_INVAL);
	want.scopes = both;
	want.scope_count = 2;
	want.name = YG_SV("a b");
	T_OK(yg_token_add(&act, &want, &arena, &t, &other, &err) == YG_INVAL);
	want.name = YG_SV("reader");
	want.org = YG_SV("");
	T_OK(yg_token_add(&act, &want, &arena, &t, &other, &err) == YG_OK &&
	     YG_SV_IS(t.kind, "api") && YG_SV_IS(t.scopes, "alerts:read org:read") &&
	     strcmp(other.s, secret.s) != 0);
	struct yg_token *list;
	size_t n;
	T_OK(yg_token_list(db, &all_of, YG_SV(""), 10, &arena, &list, &n, &err) == YG_OK &&
	     n == 2 && yg_sv_eq(list[0].id, t.id));
	T_OK(yg_token_list(db, &all_of, t.id, 10, &arena, &list, &n, &err) == YG_OK && n == 1);
	T_OK(yg_token_list(db, &only_a, YG_SV(""), 10, &arena, &list, &n, &err) == YG_OK && n == 1);
	/* the secret is nowhere in the database */
	struct yg_audit_filter f = {.reach = YG_REACH_ALL, .limit = 50};
	struct yg_audit_entry *e;
	T_OK(yg_audit_list(db, &f, &arena, &e, &n, &err) == YG_OK);
	for (size_t i = 0; i < n; i++)
		T_OK(!yg_sv_has(e[i].detail, yg_sv_sub(s, s.n - 52, 52)));
	yg_token_secret_wipe(&secret);
	T_OK(secret.s[0] == '\0' && secret.s[50] == '\0');
}

static void test_jobs(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_id id, id2;
	struct yg_job j, *list;
	bool cancel = true;
	size_t n;
	uint64_t recovered = 0;
	T_OK(yg_job_add(&act, YG_SV("x"), YG_SV(""), YG_SV("{\"a\":1}"), &id, &err) == YG_OK &&
	     audited(db, "job.add"));
	T_OK(yg_job_progress(&act, yg_id_sv(&id), 1, 2, 0, YG_SV(""), &cancel, &err) ==
	     YG_CONFLICT);
	T_OK(yg_job_start(&act, yg_id_sv(&id), &err) == YG_OK &&
	     yg_job_start(&act, yg_id_sv(&id), &err) == YG_CONFLICT);
	T_OK(yg_job_progress(&act, yg_id_sv(&id), 1, 2, 3, YG_SV("half"), &cancel, &err) == YG_OK &&
	     !cancel);
	T_OK(yg_job_get(db, yg_id_sv(&id), &arena, &j, &err) == YG_OK &&
	     j.state == YG_JOB_RUNNING && j.done == 1 && j.total == 2 && j.errors == 3 &&
	     YG_SV_IS(j.message, "half") && YG_SV_IS(j.params, "{\"a\":1}"));
	T_OK(yg_job_cancel(&act, yg_id_sv(&id), &err) == YG_OK && audited(db, "job.cancel"));
	T_OK(yg_job_progress(&act, yg_id_sv(&id), 2, 2, 3, YG_SV(""), &cancel, &err) == YG_OK &&
	     cancel);
	T_OK(yg_job_end(&act, yg_id_sv(&id), YG_JOB_RUNNING, YG_SV(""), YG_SV(""), &err) ==
	     YG_INVAL);
	T_OK(yg_job_end(&act, yg_id_sv(&id), YG_JOB_CANCELLED, YG_SV("stopped"), YG_SV(""), &err) ==
	     YG_OK);
	T_OK(yg_job_end(&act, yg_id_sv(&id), YG_JOB_DONE, YG_SV(""), YG_SV(""), &err) ==
	     YG_CONFLICT);
	T_OK(yg_job_cancel(&act, yg_id_sv(&id), &err) == YG_CONFLICT);
	T_OK(yg_job_add(&act, YG_SV("y"), YG_SV(""), YG_SV(""), &id, &err) == YG_OK &&
	     yg_job_cancel(&act, yg_id_sv(&id), &err) == YG_OK &&
	     yg_job_start(&act, yg_id_sv(&id), &err) == YG_CONFLICT);
	T_OK(yg_job_add(&act, YG_SV("y"), YG_SV(""), YG_SV(""), &id, &err) == YG_OK &&
	     yg_job_add(&act, YG_SV("y"), YG_SV(""), YG_SV(""), &id2, &err) == YG_OK &&
	     yg_job_start(&act, yg_id_sv(&id), &err) == YG_OK);
	T_OK(yg_job_recover(&act, &recovered, &err) == YG_OK && recovered == 2);
	T_OK(yg_job_get(db, yg_id_sv(&id), &arena, &j, &err) == YG_OK &&
	     j.state == YG_JOB_INTERRUPTED);
	T_OK(yg_job_list(db,
			 &(struct yg_job_filter){
				 .reach = YG_REACH_ALL, .kind = YG_SV("y"), .limit = 10},
			 &arena, &list, &n, &err) == YG_OK &&
	     n == 3 && yg_sv_eq(list[0].id, yg_id_sv(&id2)));
	T_OK(yg_job_list(db,
			 &(struct yg_job_filter){.reach = YG_REACH_ALL,
						 .kind = YG_SV("y"),
						 .state = YG_SV("interrupted"),
						 .limit = 10},
			 &arena, &list, &n, &err) == YG_OK &&
	     n == 2 && list[1].state == YG_JOB_INTERRUPTED);
	T_OK(yg_job_get(db, YG_SV("j-x"), &arena, &j, &err) == YG_NOTFOUND);
}

/* The oldest that waits, however many were made behind it. */
static void test_next_job(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	const struct yg_sv long_ones[] = {YG_SV("hunt"), YG_SV("export")};
	struct yg_id first, second, other;
	struct yg_job j;
	struct yg_tx tx;
	T_OK(yg_job_next(db, long_ones, 2, true, &arena, &j, &err) == YG_OK && j.id.n == 0);
	T_OK(yg_tx_begin(&tx, db, &err) == YG_OK);
	yg_status st = yg_job_add(&act, YG_SV("hunt"), YG_SV(""), YG_SV(""), &first, &err);
	for (int i = 0; st == YG_OK && i < 2100; i++)
		st = yg_job_add(&act, YG_SV("import"), YG_SV(""), YG_SV(""), &other, &err);
	if (st == YG_OK)
		st = yg_job_add(&act, YG_SV("hunt"), YG_SV(""), YG_SV(""), &second, &err);
	T_OK(yg_tx_end(&tx, st, &err) == YG_OK);
	T_OK(yg_job_next(db, long_ones, 1, false, &arena, &j, &err) == YG_OK &&
	     yg_sv_eq(j.id, yg_id_sv(&first)));
	T_OK(yg_job_start(&act, yg_id_sv(&first), &err) == YG_OK &&
	     yg_job_next(db, long_ones, 1, false, &arena, &j, &err) == YG_OK &&
	     yg_sv_eq(j.id, yg_id_sv(&second)));
	T_OK(yg_job_next(db, long_ones + 1, 1, false, &arena, &j, &err) == YG_OK && j.id.n == 0);
	T_OK(yg_job_next(db, long_ones, 2, true, &arena, &j, &err) == YG_OK &&
	     YG_SV_IS(j.kind, "import"));
}

static void test_role_proof(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	size_t n;
	struct yg_role_proof proof = {YG_SV("ingest-0"), {7}, YG_SV("{\"uid\":1}")}, *proofs;
	T_OK(yg_role_proof_keep(db, &proof, &err) == YG_OK);
	proof.fields = YG_SV("{\"uid\":2}");
	T_OK(yg_role_proof_keep(db, &proof, &err) == YG_OK &&
	     yg_role_proof_list(db, &arena, &proofs, &n, &err) == YG_OK && n == 1 &&
	     YG_SV_IS(proofs[0].fields, "{\"uid\":2}") && proofs[0].at.us == 7);
	proof.process = YG_SV("main"); /* another run: what was before is gone */
	T_OK(yg_role_proof_keep(db, &proof, &err) == YG_OK &&
	     yg_role_proof_list(db, &arena, &proofs, &n, &err) == YG_OK && n == 1 &&
	     YG_SV_IS(proofs[0].process, "main"));
}

static void test_rows(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_system_event ev = {.time = sim.wall,
				     .level = YG_SV("warn"),
				     .name = YG_SV("role.crashed"),
				     .role = YG_SV("ingest-0")};
	struct yg_system_event *list;
	int64_t id = 0;
	size_t n;
	T_OK(yg_system_event_add(db, &ev, &id, &err) == YG_OK &&
	     yg_system_event_add(db, &ev, &id, &err) == YG_OK && id == 2);
	T_OK(yg_system_event_list(
		     db, &(struct yg_system_event_filter){.role = YG_SV("ingest-0"), .limit = 10},
		     &arena, &list, &n, &err) == YG_OK &&
	     n == 2 && list[0].id == 2 && YG_SV_IS(list[0].fields, "{}"));
	T_OK(yg_system_event_list(
		     db, &(struct yg_system_event_filter){.level = YG_SV("error"), .limit = 10},
		     &arena, &list, &n, &err) == YG_OK &&
	     n == 0);
	T_OK(yg_system_event_list(
		     db, &(struct yg_system_event_filter){.name = YG_SV("role.hung"), .limit = 10},
		     &arena, &list, &n, &err) == YG_OK &&
	     n == 0);
	T_OK(yg_system_event_list(db, &(struct yg_system_event_filter){.before = 2, .limit = 10},
				  &arena, &list, &n, &err) == YG_OK &&
	     n == 1);

	struct yg_org o = {.slug = YG_SV("a")};
	struct yg_source_row rows[] = {
		{.org = YG_SV("a"),
		 .source = YG_SV("zeek"),
		 .sensor = YG_SV("s1"),
		 .last_received = {50},
		 .last_event = {40},
		 .events = 10,
		 .unparsed = 1},
		{.org = YG_SV("nobody"),
		 .source = YG_SV("zeek"),
		 .sensor = YG_SV("s1"),
		 .last_received = {50},
		 .events = 10},
		{.org = YG_SV("a"),
		 .source = YG_SV("zeek"),
		 .sensor = YG_SV("s1"),
		 .last_received = {40},
		 .last_event = {45},
		 .events = 5,
		 .dropped = 2},
		{.org = YG_SV("a"),
		 .source = YG_SV("zeek"),
		 .sensor = YG_SV("s2"),
		 .last_received = {60},
		 .events = 1},
	};
	struct yg_source_row *got;
	T_OK(yg_org_add(&act, &o, &err) == YG_OK &&
	     yg_source_add(db, rows, YG_LEN(rows), &err) == YG_OK);
	T_OK(yg_source_list(db, &all_of, NULL, 10, &arena, &got, &n, &err) == YG_OK && n == 2 &&
	     got[0].events == 15 && got[0].unparsed == 1 && got[0].dropped == 2 &&
	     got[0].first_received.us == 50 && got[0].last_received.us == 50 &&
	     got[0].last_event.us == 45);
	T_OK(yg_source_list(db, &only_a, &got[0], 10, &arena, &got, &n, &err) == YG_OK && n == 1 &&
	     YG_SV_IS(got[0].sensor, "s2"));
}

/* A COUNTS message of spool 1: one batch per entry of `events`, from `first` on. */
static struct yg_sv counts_message(struct yg_buf *b, uint64_t first, const uint64_t *events,
				   uint32_t n)
{
	b->n = 0;
	const uint32_t head[4] = {1, 1, n, 0};
	for (unsigned i = 0; i < 4; i++)
		yg_wr_le32(b, head[i]);
	yg_wr_sv32(b, YG_SV("counted"));
	yg_wr_sv32(b, YG_SV("zeek"));
	yg_wr_sv32(b, YG_SV("s"));
	for (uint32_t i = 0; i < n; i++) {
		yg_wr_le64(b, first + i);
		yg_wr_le64(b, 0);
		yg_wr_le64(b, 1000 + first + i);
		yg_wr_le64(b, events[i]);
		yg_wr_le64(b, 10 * events[i]);
		yg_wr_le64(b, 1);
	}
	return yg_buf_sv(b);
}

/* Batches are told of again in other groups after a crash of either side. */
static void test_counts(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	static const uint64_t events[] = {1, 20, 300, 4000, 50000};
	struct yg_act act = yg_act_make(db, &env, YG_SV("system"));
	struct yg_org o = {.slug = YG_SV("counted")};
	struct yg_source_row *got;
	struct yg_buf b;
	size_t n = 0;
	const yg_wall now = {5};
	yg_buf_init(&b, 4096);
	T_OK(yg_org_add(&act, &o, &err) == YG_OK);
	T_OK(yg_source_counts_apply(db, now, counts_message(&b, 7, events, 3), &err) == YG_OK);
	T_OK(yg_source_counts_apply(db, now, counts_message(&b, 7, events, 3), &err) == YG_OK);
	T_OK(yg_source_counts_apply(db, now, counts_message(&b, 8, events + 1, 4), &err) == YG_OK);
	T_OK(yg_source_counts_apply(db, now, counts_message(&b, 9, events + 2, 1), &err) == YG_OK);
	T_OK(yg_source_list(db, &counted, NULL, 10, &arena, &got, &n, &err) == YG_OK && n == 1 &&
	     got[0].events == 54321 && got[0].bytes == 543210 && got[0].unparsed == 5 &&
	     got[0].first_received.us == 1007 && got[0].last_received.us == 1011);
	struct yg_sv whole = counts_message(&b, 20, events, 2);
	for (size_t cut = 0; cut < whole.n; cut++)
		if (yg_source_counts_apply(db, now, yg_sv_sub(whole, 0, cut), &err) != YG_PARSE)
			T_NAMED(false, "a cut message is refused");
	T_OK(yg_source_list(db, &counted, NULL, 10, &arena, &got, &n, &err) == YG_OK &&
	     got[0].events == 54321);
	yg_buf_free(&b);
}

static int64_t one(struct yg_state *db, const char *sql)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	if (yg_state_prepare(db, sql, &s, NULL) != YG_OK || yg_stmt_step(s, &row, NULL) != YG_OK ||
	    !row)
		return -1;
	return yg_col_i64(s, 0);
}

static bool stop(void *ctx, uint64_t done, const char *what)
{
	(void)done;
	(void)what;
	return ++*(int *)ctx < 3;
}

/* Everything of the demonstration goes, nothing of the others; stopped half way
 * and called again it ends where it would have. */
static void test_purge(void)
{
	static const char *const rows[] = {
		"INSERT INTO alert (seq, id, org, title, state, severity_id, confidence, tlp, indicator, indicator_type, asset, list, category, family,"
		" count, first_seen, last_seen, created, updated) SELECT %d, 'a-' || slug, slug, '', 'new', 1, 1, '', 'i', 'ip', 'h', '', '', '', 1, 1, 1, 1, 1 FROM organisation WHERE slug = '%s'",
		"INSERT INTO alert_part (id, alert, org, indicator, indicator_type, asset, list, category, family, severity_id, confidence, tlp, title, fields,"
		" count, seen, first_seen, last_seen, collects) SELECT %d, seq, org, 'i', 'ip', 'h', '', '', '', 1, 1, '', '', '', 1, 1, 1, 1, 1 FROM alert WHERE org = '%s'",
		"INSERT INTO alert_evidence (part, n, event_id, finding_uid, time, field, value) SELECT id, %d, 'e', 'f', 1, '', '' FROM alert_part WHERE org = '%s'",
		"INSERT INTO alert_comment (id, alert, time, actor, body) SELECT 'c-%d', seq, 1, '', 'x' FROM alert WHERE org = '%s'",
		"INSERT INTO indicator_list (id, uid, name, title, source, format, tlp, confidence, category, org, created, updated)"
		" SELECT %d, 'l-' || slug, 'l-' || slug, '', '', '', 'red', 1, '', slug, 1, 1 FROM organisation WHERE slug = '%s'",
		"INSERT INTO indicator (list, type, value, category, family, confidence, severity_id, tlp, valid_from, valid_until, created, updated)"
		" WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
		" SELECT l.id, 1, 'v' || n.i, '', '', -1, -1, -1, 0, 0, %d, 1 FROM n JOIN indicator_list l ON l.org = '%s'",
		"INSERT INTO allow_entry (id, type, value, org, reason, actor, created, updated, expires) VALUES ('w-%d', 1, 'x', '%s', 'r', '', 1, 1, 0)",
		"INSERT INTO token (id, kind, name, org, scopes, hash, created, created_by) VALUES ('t-%d', 'api', 'n', '%s', '', '', 1, '')",
		"INSERT INTO retro_hunt (seq, job, kind, automatic, org, name, items, first, last, time_from, time_to, received)"
		" SELECT %d, 'j-' || slug, 'indicator', 0, slug, '', 1, 0, 0, 1, 2, 2 FROM organisation WHERE slug = '%s'",
		"INSERT INTO retro_hunt_item (hunt, n, item) SELECT seq, %d, 'ip x' FROM retro_hunt WHERE org = '%s'",
		"INSERT INTO source (bytes, org, source, sensor, first_received, last_received, last_event) VALUES (%d, '%s', 's', 's', 1, 1, 1)",
	};
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_org orgs[] = {{.slug = YG_SV("demo-1"), .demo = true},
				{.slug = YG_SV("real")},
				{.slug = YG_SV("demo-2"), .demo = true}};
	for (size_t i = 0; i < YG_LEN(orgs); i++) {
		T_OK(yg_org_add(&act, &orgs[i], &err) == YG_OK);
		for (size_t k = 0; k < YG_LEN(rows); k++) {
			char sql[1024];
			struct yg_stmt *s = NULL;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			(void)snprintf(sql, sizeof sql, rows[k], (int)i + 1, orgs[i].slug.p);
#pragma GCC diagnostic pop
			if (yg_state_prepare(db, sql, &s, &err) != YG_OK ||
			    yg_stmt_run(s, &err) != YG_OK)
				(void)printf("# %s: %s\n", err.msg, sql);
		}
	}
	int64_t audit = one(db, "SELECT count(*) FROM audit_log");
	int calls = 0;
	struct yg_purge_opts o = {.progress = stop, .progress_ctx = &calls};
	struct yg_purge_counts c = {0};
	T_NAMED(yg_demo_purge(&act, &o, &c, &err) == YG_AGAIN, "stopped half way");
	o.progress = NULL;
	T_NAMED(yg_demo_purge(&act, &o, &c, &err) == YG_OK, "called again it ends");
	T_OK(c.organisations == 2 && c.indicators == 6000 && c.lists == 2 && c.allow_entries == 2);
	static const char *const tables[] = {"alert", "alert_part", "indicator_list", "allow_entry",
					     "token", "source",     "retro_hunt"};
	for (size_t i = 0; i < YG_LEN(tables); i++) {
		char sql[128];
		(void)snprintf(sql, sizeof sql, "SELECT count(*) * 10 + sum(org = 'real') FROM %s",
			       tables[i]);
		T_NAMED(one(db, sql) == 11, tables[i]);
	}
	T_OK(one(db, "SELECT count(*) FROM indicator") == 3000 &&
	     one(db, "SELECT count(*) FROM alert_evidence") == 1 &&
	     one(db, "SELECT count(*) FROM alert_comment") == 1 &&
	     one(db, "SELECT count(*) FROM retro_hunt_item") == 1);
	T_OK(one(db, "SELECT count(*) FROM organisation") == 1 &&
	     one(db, "SELECT count(*) FROM audit_log") > audit);
	struct yg_audit_report r;
	T_OK(yg_audit_verify(db, NULL, &r, &err) == YG_OK && r.ok &&
	     yg_state_check(db, &err) == YG_OK);
	T_OK(yg_org_purge(&act, YG_SV("demo-1"), &o, &c, &err) == YG_NOTFOUND);
}

/* Minutes at which somebody looked, and when the visit before had ended, as of then (-1: never). */
static void test_visits(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	static const struct {
		int looked, ended;
	} steps[] = {{1, -1}, {5, -1}, {34, -1}, {65, 34}, {70, 34}, {99, 34}, {200, 99}};
	yg_wall at;
	for (size_t i = 0; i < YG_LEN(steps); i++) {
		yg_wall now = {steps[i].looked * 60 * YG_US_PER_S};
		int64_t want = steps[i].ended < 0 ? 0 : steps[i].ended * 60 * YG_US_PER_S;
		bool begins =
			yg_visit_before(db, YG_SV("p"), now, &at, &err) == YG_OK && at.us == want;
		T_OK(yg_visit_set(db, YG_SV("p"), now, &err) == YG_OK);
		T_OK(begins && yg_visit_before(db, YG_SV("p"), now, &at, &err) == YG_OK &&
		     at.us == want);
	}
	T_OK(yg_visit_before(db, YG_SV("q"), (yg_wall){1}, &at, &err) == YG_OK && at.us == 0);
}

int main(void)
{
	env = yg_env_sim(&sim);
	yg_arena_init(&arena, 64 << 20);
	test_ids();
	test_organisations();
	test_tokens();
	test_jobs();
	test_next_job();
	test_role_proof();
	test_rows();
	test_counts();
	test_purge();
	test_visits();
	yg_arena_free(&arena);
	return tap_done();
}
