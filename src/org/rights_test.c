#include "org/audit_log.h"
#include "org/grant.h"
#include "org/organisation.h"
#include "org/person.h"
#include "org/reach.h"
#include "org/system.h"
#include "tap.h"

#define HOUR (3600 * YG_US_PER_S)

static struct yg_env_sim sim = {.wall = {1700000000000000}, .seed = 11};
static struct yg_env env;
static struct yg_arena arena;
static struct yg_err err;
static const struct yg_reach everything = YG_REACH_ALL;

static void node(struct yg_act *act, const char *slug, const char *parent, enum yg_org_kind kind)
{
	struct yg_org o = {
		.slug = yg_sv_of(slug), .parent = yg_sv_of(parent), .kind = kind, .prefecture = 13};
	if (yg_org_add(act, &o, &err) != YG_OK)
		(void)printf("# %s: %s\n", slug, err.msg);
}

/* centre > {east > {one > desk, two}, west > three} */
static struct yg_state *fresh(void)
{
	struct yg_state *db = NULL;
	if (yg_state_open(":memory:", &db, &err) != YG_OK || yg_state_migrate(db, &err) != YG_OK)
		(void)printf("# %s\n", err.msg);
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	node(&act, "centre", "", YG_ORG_CENTRE);
	node(&act, "east", "centre", YG_ORG_SECTOR);
	node(&act, "west", "centre", YG_ORG_SECTOR);
	node(&act, "one", "east", YG_ORG_ORGANISATION);
	node(&act, "two", "east", YG_ORG_ORGANISATION);
	node(&act, "three", "west", YG_ORG_ORGANISATION);
	node(&act, "desk", "one", YG_ORG_UNIT);
	return db;
}

/* The slugs of a reach with blanks between. */
static const char *slugs(const struct yg_reach *r)
{
	static char text[256];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	for (size_t i = 0; i < r->org_count; i++) {
		yg_sb_put(&b, i > 0 ? YG_SV(" ") : YG_SV(""));
		yg_sb_put(&b, r->orgs[i]);
	}
	return yg_sb_cstr(&b);
}

static bool below(struct yg_state *db, const char *slug, const char *want)
{
	struct yg_reach r;
	yg_status st = yg_reach_node(db, yg_sv_of(slug), &arena, &r, &err);
	bool same = st == YG_OK && strcmp(slugs(&r), want) == 0;
	if (!same)
		(void)printf("# below %s: %s\n", slug, st == YG_OK ? slugs(&r) : err.msg);
	return same;
}

static yg_status move(struct yg_act *act, const char *slug, const char *parent)
{
	struct yg_sv to = yg_sv_of(parent);
	struct yg_org_edit set = {.parent = &to, .prefecture = -1};
	return yg_org_change(act, yg_sv_of(slug), YG_ANY_VERSION, &set, &err);
}

static void test_tree(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	T_OK(below(db, "centre", "centre desk east one three two west"));
	T_OK(below(db, "one", "desk one") && below(db, "desk", "desk"));
	T_NAMED(move(&act, "east", "one") == YG_CONFLICT, "no circle");
	T_NAMED(move(&act, "east", "east") == YG_CONFLICT, "nor below itself");
	T_NAMED(move(&act, "one", "nobody") == YG_NOTFOUND, "the parent is there");
	T_NAMED(move(&act, "one", "desk") != YG_OK && move(&act, "west", "two") == YG_INVAL,
		"a sector does not stand below an organisation");
	T_OK(move(&act, "one", "west") == YG_OK);
	T_OK(below(db, "east", "east two") && below(db, "west", "desk one three west"));
	T_OK(below(db, "centre", "centre desk east one three two west"));
	T_OK(move(&act, "one", "") == YG_OK && below(db, "west", "three west") &&
	     below(db, "one", "desk one") && below(db, "centre", "centre east three two west"));
	T_NAMED(yg_org_remove(&act, YG_SV("one"), &err) == YG_CONFLICT, "not with a unit below it");
	T_OK(yg_org_remove(&act, YG_SV("desk"), &err) == YG_OK && below(db, "one", "one"));
	yg_status st = YG_OK;
	char parent[8] = "two", slug[8];
	int depth = 0;
	for (; st == YG_OK && depth < 20; depth++) {
		(void)snprintf(slug, sizeof slug, "u%d", depth);
		struct yg_org o = {
			.slug = yg_sv_of(slug), .parent = yg_sv_of(parent), .kind = YG_ORG_UNIT};
		st = yg_org_add(&act, &o, &err);
		memcpy(parent, slug, sizeof parent);
	}
	T_NAMED(st == YG_LIMIT && depth == YG_ORG_DEPTH_MAX - 1,
		"at most eight levels below a root");
}

static struct yg_sv person(struct yg_act *act, const char *login)
{
	struct yg_person p = {
		.login = yg_sv_of(login), .name = yg_sv_of(login), .state = YG_SV_INIT("active")};
	struct yg_id id = {{0}};
	if (yg_person_add(act, &p, &id, &err) != YG_OK)
		(void)printf("# %s\n", err.msg);
	return yg_arena_dup(&arena, yg_id_sv(&id));
}

static yg_status give(struct yg_act *act, struct yg_sv who, enum yg_role_kind role,
		      const char *where)
{
	struct yg_id id;
	struct yg_grant g = {.person = who, .role = role, .node = yg_sv_of(where)};
	return yg_grant_add(act, &g, &id, &err);
}

/* Where somebody may do something, as slugs; "*" everywhere. */
static const char *may(struct yg_state *db, struct yg_sv who, const char *scope)
{
	struct yg_rights rights;
	struct yg_reach r;
	if (yg_rights_of(db, who, sim.wall, &arena, &rights, &err) != YG_OK ||
	    yg_rights_reach(db, &rights, yg_scope_bit(yg_sv_of(scope)), &arena, &r, &err) != YG_OK)
		return err.msg;
	return r.all ? "*" : slugs(&r);
}

static void test_grants(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_sv a = person(&act, "a"), b = person(&act, "b");
	T_NAMED(strcmp(may(db, a, "alerts:read"), "") == 0, "without a grant nothing");
	T_OK(give(&act, a, YG_ROLE_ORGANISATION_CSIRT, "one") == YG_OK);
	T_OK(strcmp(may(db, a, "alerts:read"), "desk one") == 0);
	T_NAMED(strcmp(may(db, a, "grants:write"), "") == 0,
		"a scope that the role lacks: nowhere");
	T_OK(give(&act, a, YG_ROLE_CISO_OFFICE, "west") == YG_OK);
	T_NAMED(strcmp(may(db, a, "alerts:read"), "desk one three west") == 0 &&
			strcmp(may(db, a, "alerts:write"), "desk one") == 0 &&
			strcmp(may(db, a, "approvals:write"), "three west") == 0,
		"each scope where some grant gives it");
	T_OK(give(&act, a, YG_ROLE_CISO_OFFICE, "west") == YG_CONFLICT);
	T_OK(give(&act, a, YG_ROLE_CISO_OFFICE, "nobody") == YG_NOTFOUND);
	T_OK(give(&act, a, YG_ROLE_SYSTEM_OWNER, "one") == YG_INVAL);
	T_OK(give(&act, a, YG_ROLE_AUDITOR, "one") == YG_INVAL);
	struct yg_id id;
	struct yg_grant audit = {.person = a,
				 .role = YG_ROLE_AUDITOR,
				 .node = YG_SV_INIT("east"),
				 .from = {HOUR},
				 .to = {2 * HOUR}};
	T_NAMED(yg_grant_add(&act, &audit, &id, &err) == YG_CONFLICT,
		"who audits holds nothing else");
	audit.person = b;
	audit.to.us = 2 * HOUR + 1;
	T_NAMED(yg_grant_add(&act, &audit, &id, &err) == YG_INVAL, "the past is kept by the hour");
	audit.to.us = 2 * HOUR;
	T_OK(yg_grant_add(&act, &audit, &id, &err) == YG_OK);
	T_NAMED(give(&act, b, YG_ROLE_COLLECTOR, "one") == YG_CONFLICT, "nor afterwards");
	audit.node = YG_SV("west");
	audit.to.us = 3 * HOUR;
	T_NAMED(yg_grant_add(&act, &audit, &id, &err) == YG_CONFLICT, "one period for all");
	struct yg_rights rights;
	struct yg_reach r;
	T_OK(yg_rights_of(db, b, sim.wall, &arena, &rights, &err) == YG_OK &&
	     yg_rights_reach(db, &rights, YG_SCOPE(AUDIT_READ), &arena, &r, &err) == YG_OK);
	T_OK(r.from.us == HOUR && r.to.us == 2 * HOUR && yg_reach_at(&r, (yg_wall){2 * HOUR - 1}) &&
	     !yg_reach_at(&r, (yg_wall){2 * HOUR}) && yg_rights_audits(&rights));
	struct yg_grant short_one = {.person = a,
				     .role = YG_ROLE_ADMINISTRATOR,
				     .node = YG_SV_INIT(""),
				     .expires = {sim.wall.us + 1000}};
	T_OK(yg_grant_add(&act, &short_one, &id, &err) == YG_OK &&
	     strcmp(may(db, a, "backup:write"), "*") == 0);
	sim.wall.us += 1000;
	T_NAMED(strcmp(may(db, a, "backup:write"), "") == 0, "an ended grant gives nothing");
	T_OK(yg_rights_of(db, a, sim.wall, &arena, &rights, &err) == YG_OK && rights.count == 2);
	T_OK(yg_grant_remove(&act, rights.grants[0].id, &err) == YG_OK &&
	     yg_grant_remove(&act, rights.grants[0].id, &err) == YG_NOTFOUND);
	struct yg_sv off = YG_SV("disabled");
	struct yg_person_set set = {.state = &off};
	T_OK(yg_person_change(&act, a, YG_ANY_VERSION, &set, &err) == YG_OK &&
	     strcmp(may(db, a, "alerts:read"), "") == 0);
}

static void test_narrow(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_system y = {.org = YG_SV_INIT("one"), .name = YG_SV_INIT("mail")};
	struct yg_reach r, out;
	struct yg_id id;
	T_OK(yg_system_add(&act, &y, &id, &err) == YG_OK &&
	     yg_system_add(&act, &y, &id, &err) == YG_CONFLICT);
	struct yg_system *list = NULL;
	size_t n = 0;
	T_OK(yg_system_list(db, &everything, YG_SV(""), 10, &arena, &list, &n, &err) == YG_OK &&
	     n == 1);
	struct yg_sv mine = list[0].id;
	T_OK(yg_reach_node(db, YG_SV("one"), &arena, &r, &err) == YG_OK);
	T_OK(yg_reach_narrow(db, &r, YG_SV("desk"), &arena, &out, &err) == YG_OK &&
	     strcmp(slugs(&out), "desk") == 0);
	T_NAMED(yg_reach_narrow(db, &r, YG_SV("east"), &arena, &out, &err) == YG_NOTFOUND,
		"what is above is not there");
	bool below[4] = {false};
	T_OK(yg_reach_below(db, &r, YG_SV("east"), &below[0], &err) == YG_OK &&
	     yg_reach_below(db, &r, YG_SV("desk"), &below[1], &err) == YG_OK &&
	     yg_reach_below(db, &r, YG_SV("two"), &below[2], &err) == YG_OK &&
	     yg_reach_below(db, &r, YG_SV(""), &below[3], &err) == YG_OK);
	T_NAMED(below[0] && below[1] && !below[2] && !below[3],
		"what holds for a node holds for all below it, and for no other");
	T_OK(yg_reach_narrow(db, &r, YG_SV("two"), &arena, &out, &err) == YG_NOTFOUND &&
	     yg_reach_narrow(db, &everything, YG_SV("nobody"), &arena, &out, &err) == YG_NOTFOUND);
	r = (struct yg_reach){.systems = &mine, .system_count = 1};
	T_OK(yg_reach_narrow(db, &r, YG_SV("one"), &arena, &out, &err) == YG_OK &&
	     out.org_count == 0 && out.system_count == 1);
	out = r;
	T_NAMED(yg_reach_narrow(db, &out, YG_SV("one"), &arena, &out, &err) == YG_OK &&
			out.system_count == 1,
		"a reach is narrowed in its place, too");
	T_OK(yg_reach_narrow(db, &r, YG_SV("east"), &arena, &out, &err) == YG_NOTFOUND);
	T_OK(yg_reach_has(&r, YG_SV("one"), mine) && !yg_reach_has(&r, YG_SV("one"), YG_SV("")) &&
	     !yg_reach_has(&(struct yg_reach){0}, YG_SV(""), YG_SV("")));
}

static bool belongs(struct yg_state *db, const char *asset, struct yg_sv want)
{
	struct yg_sv got;
	return yg_system_of(db, YG_SV("one"), yg_sv_of(asset), &arena, &got, &err) == YG_OK &&
	       yg_sv_eq(got, want);
}

static void test_members(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_system y = {.org = YG_SV_INIT("one"), .name = YG_SV_INIT("wide")};
	struct yg_id wide, narrow;
	T_OK(yg_system_add(&act, &y, &wide, &err) == YG_OK);
	y.name = YG_SV("narrow");
	T_OK(yg_system_add(&act, &y, &narrow, &err) == YG_OK);
	const struct yg_member all[] = {{true, YG_SV_INIT("192.0.2.9/16")},
					{true, YG_SV_INIT("2001:db8::/32")},
					{false, YG_SV_INIT("DB.example.")}},
			       some[] = {{true, YG_SV_INIT("192.0.2.0/24")}},
			       bad[] = {{true, YG_SV_INIT("192.0.2.0/33")},
					{true, YG_SV_INIT("host")},
					{false, YG_SV_INIT("a b")},
					{false, YG_SV_INIT("")}};
	T_OK(yg_system_set_members(&act, yg_id_sv(&wide), YG_ANY_VERSION, all, 3, &err) == YG_OK);
	T_OK(yg_system_set_members(&act, yg_id_sv(&narrow), YG_ANY_VERSION, some, 1, &err) ==
	     YG_OK);
	T_NAMED(yg_system_set_members(&act, yg_id_sv(&narrow), YG_ANY_VERSION, all, 1, &err) ==
			YG_INVAL,
		"a network is of one system");
	for (size_t i = 0; i < YG_LEN(bad); i++)
		T_OK(yg_system_set_members(&act, yg_id_sv(&wide), YG_ANY_VERSION, &bad[i], 1,
					   &err) == YG_INVAL);
	T_OK(belongs(db, "192.0.2.7", yg_id_sv(&narrow)) &&
	     belongs(db, "192.0.3.7", yg_id_sv(&wide)));
	T_OK(belongs(db, "2001:DB8::1", yg_id_sv(&wide)) &&
	     belongs(db, "db.EXAMPLE", yg_id_sv(&wide)));
	T_OK(belongs(db, "198.51.100.1", YG_SV("")) && belongs(db, "", YG_SV("")));
	T_OK(yg_system_remove(&act, yg_id_sv(&narrow), &err) == YG_OK &&
	     belongs(db, "192.0.2.7", yg_id_sv(&wide)));
}

/* Topics of the live stream go by scopes, its reach by stream:read: who hears of a node
 * may read there all that it tells of.  News of jobs and requests has no system, so the
 * owner of one hears of none. */
static void test_stream_roles(void)
{
	const uint64_t told =
		YG_SCOPE(ALERTS_READ) | YG_SCOPE(JOBS_READ) | YG_SCOPE(APPROVALS_READ);
	for (int i = YG_ROLE_NONE + 1; i < YG_ROLE_COUNT; i++) {
		const struct yg_role_info *role = yg_role_info((enum yg_role_kind)i);
		if ((role->scopes & YG_SCOPE(STREAM_READ)) != 0 && i != YG_ROLE_SYSTEM_OWNER)
			T_NAMED((role->scopes & told) == told, role->name);
	}
}

int main(void)
{
	env = yg_env_sim(&sim);
	yg_arena_init(&arena, 16 << 20);
	test_tree();
	test_grants();
	test_narrow();
	test_members();
	test_stream_roles();
	yg_arena_free(&arena);
	return tap_done();
}
