/* What organisations say of correlations, from the state database to a hit: stages, exceptions
 * with scope and end. */
#include "detect/watch_set.h"

#include "detect/registry.h"
#include "detect/watch_rows.h"
#include "org/organisation.h"
#include "tap.h"

#define S INT64_C(1000000)

static struct yg_env_sim sim = {.wall = {1700000000 * S}, .seed = 9};
static struct yg_env env;
static struct yg_err err;

static const char rule_text[] = "title: Failed login\nname: failed\nlogsource: {product: linux}\n"
				"detection: {s: {a: b}, condition: s}\n";
static const char correlation_text[] =
	"title: Many failed logins\ncorrelation:\n  type: event_count\n  rules: [failed]\n"
	"  group-by: [host, User]\n  timespan: 5m\n  condition: {gte: 3}\n";

static struct yg_id add(struct yg_act *act, const char *text, enum yg_detect_stage stage)
{
	YG_AUTO(yg_detect_documents_free) struct yg_detect_documents d = {.count = 0};
	const struct yg_drule_place at = {
		.org = YG_SV("isp"), .collection = YG_SV("own"), .stage = stage};
	struct yg_id id = {0};
	T_OK(yg_detect_documents_begin(&d, &env, &err) == YG_OK &&
	     yg_detect_documents_add(&d, YG_SV(""), yg_sv_of(text), &err) == YG_OK &&
	     d.count == 1 && yg_drule_add(act, &at, &d.list[0], &id, &err) == YG_OK);
	return id;
}

static void except(struct yg_act *act, struct yg_sv rule, const char *org, const char *text,
		   int64_t expires)
{
	const struct yg_detect_exception x = {.rule = rule,
					      .org = yg_sv_of(org),
					      .text = yg_sv_of(text),
					      .reason = YG_SV("it is known"),
					      .expires = {expires}};
	struct yg_id id;
	if (!T_OK(yg_detect_exception_add(act, &x, &id, &err) == YG_OK))
		(void)printf("# %s\n", err.msg);
}

static uint32_t number_of(const struct yg_watch_set *set, struct yg_sv uid)
{
	for (uint32_t i = 0; i < set->correlations; i++)
		if (yg_sv_eq(set->rules[i].doc.uid, uid))
			return i;
	return UINT32_MAX;
}

static bool covered(struct yg_state *db, const struct yg_watch_set *set, uint32_t rule,
		    const char *org, const char *host, const char *user, int64_t now)
{
	static const struct yg_sv names[] = {YG_SV_INIT("host"), YG_SV_INIT("User")};
	const struct yg_sv values[] = {yg_sv_of(host), yg_sv_of(user)};
	const struct yg_correlate_hit hit = {
		.rule = rule, .names = names, .values = values, .group_count = 2};
	struct yg_watch_place at;
	T_OK(yg_watch_place(db, yg_sv_of(org), &at, &err) == YG_OK);
	return yg_watch_set_excepted(set, rule, &hit, &at, (yg_wall){now});
}

static void test_excepted(struct yg_state *db, struct yg_sv many, struct yg_sv other)
{
	struct yg_watch_set set = {.rule_n = 0};
	int64_t now = sim.wall.us;
	T_OK(yg_watch_set_load(db, &env, NULL, &set, &err) == YG_OK && set.correlations == 2 &&
	     set.rule_n == 3);
	uint32_t m = number_of(&set, many), o = number_of(&set, other);
	T_OK(covered(db, &set, m, "north", "web1", "eve", now) &&
	     covered(db, &set, m, "city", "web1", "eve", now));
	T_NAMED(!covered(db, &set, m, "south", "web1", "eve", now), "below its node alone");
	T_NAMED(!covered(db, &set, o, "north", "web1", "eve", now), "of its correlation alone");
	T_NAMED(!covered(db, &set, m, "north", "db1", "eve", now), "what it does not cover");
	T_NAMED(covered(db, &set, m, "south", "db1", "backup", now) &&
			!covered(db, &set, m, "south", "db1", "backup", now + 60 * S),
		"until its end");
	yg_watch_set_free(&set);
}

/* Of what a correlation groups by, and of that alone, an exception can speak. */
static void test_refused(struct yg_act *act, struct yg_sv many)
{
	static const struct {
		const char *text, *want;
	} bad[] = {{"s:\n  host: a\n  Image: x\ncondition: s\n",
		    "line 3: the correlation does not group by Image"},
		   {"s: {host|fieldref: Other}\ncondition: s\n",
		    "line 1: the correlation does not group by Other"},
		   {"s: [word]\ncondition: s\n", "line 1: keywords cannot"}};
	for (size_t i = 0; i < YG_LEN(bad); i++) {
		const struct yg_detect_exception x = {
			.rule = many, .text = yg_sv_of(bad[i].text), .reason = YG_SV("why")};
		struct yg_id id;
		T_OK(yg_detect_exception_add(act, &x, &id, &err) == YG_PARSE);
		if (!T_NAMED(strstr(err.msg, bad[i].want) == err.msg, bad[i].text))
			(void)printf("# %s\n", err.msg);
	}
}

/* Nor can a correlation become one that its exceptions do not fit. */
static void test_kept(struct yg_act *act, struct yg_sv many)
{
	static const char other[] = "title: Many failed logins\ncorrelation:\n  type: event_count\n"
				    "  rules: [failed]\n  group-by: [User]\n  timespan: 5m\n"
				    "  condition: {gte: 3}\n";
	static const char wider[] = "title: Many failed logins\ncorrelation:\n  type: event_count\n"
				    "  rules: [failed]\n  group-by: [User, host, Image]\n"
				    "  timespan: 5m\n  condition: {gte: 3}\n";
	YG_AUTO(yg_detect_documents_free) struct yg_detect_documents d = {.count = 0};
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	const struct yg_drule_place at = {
		.org = YG_SV("isp"), .collection = YG_SV("own"), .stage = YG_STAGE_LIVE};
	struct yg_drule_imported n;
	struct yg_drule r;
	yg_arena_init(&arena, 1 << 20);
	T_OK(yg_detect_documents_begin(&d, &env, &err) == YG_OK &&
	     yg_detect_documents_add(&d, YG_SV(""), yg_sv_of(other), &err) == YG_OK &&
	     yg_detect_documents_add(&d, YG_SV(""), yg_sv_of(wider), &err) == YG_OK &&
	     d.count == 2);
	struct yg_drule_set set = {.doc = &d.list[0]};
	T_OK(yg_drule_change(act, many, YG_ANY_VERSION, &set, &err) == YG_CONFLICT);
	if (!T_NAMED(strstr(err.msg, "the exception x-") == err.msg &&
			     strstr(err.msg, "does not group by host") != NULL,
		     "an exception would speak of what the correlation has no more"))
		(void)printf("# %s\n", err.msg);
	set.doc = &d.list[1];
	T_NAMED(yg_drule_change(act, many, YG_ANY_VERSION, &set, &err) == YG_OK,
		"one that has it still may change");
	d.count = 1;
	T_NAMED(yg_drule_import(act, &at, &d, &n, &err) == YG_OK && n.changed == 0 &&
			d.refused == 1 && d.problem_count == 1 && d.problems[0].line == 1,
		"an import leaves it as it is, and says so");
	T_OK(yg_drule_get(act->db, many, &arena, &r, &err) == YG_OK &&
	     yg_sv_has(r.text, YG_SV("Image")));
}

/* What waits for the event store: in order, forgotten when it is there, the oldest go for want
 * of room. */
static void test_rows(struct yg_state *db)
{
	static char big[YG_WATCH_ROWS_MAX / 2];
	YG_AUTO(yg_buf_free) struct yg_buf b = {0};
	uint64_t dropped = 9;
	int64_t seq = 0;
	yg_buf_init(&b, sizeof big);
	T_OK(yg_watch_rows_next(db, INT64_MIN, &b, &seq, &err) == YG_NOTFOUND);
	T_OK(yg_watch_rows_keep(db, 7, YG_SV("seven"), &dropped, &err) == YG_OK && dropped == 0 &&
	     yg_watch_rows_keep(db, 9, YG_SV("nine"), &dropped, &err) == YG_OK && dropped == 0);
	T_OK(yg_watch_rows_next(db, INT64_MIN, &b, &seq, &err) == YG_OK && seq == 7 &&
	     yg_watch_rows_next(db, seq, &b, &seq, &err) == YG_OK && seq == 9 &&
	     YG_SV_IS(yg_buf_sv(&b), "sevennine"));
	T_OK(yg_watch_rows_forget(db, 7, &err) == YG_OK);
	const struct yg_sv half = {big, sizeof big};
	T_OK(yg_watch_rows_keep(db, 10, half, &dropped, &err) == YG_OK && dropped == 0);
	T_NAMED(yg_watch_rows_keep(db, 11, half, &dropped, &err) == YG_OK && dropped == 1 &&
			yg_watch_rows_next(db, INT64_MIN, &b, &seq, &err) == YG_NOMEM && seq == 10,
		"the oldest went");
	T_OK(yg_watch_rows_forget(db, 11, &err) == YG_OK &&
	     yg_watch_rows_next(db, INT64_MIN, &b, &seq, &err) == YG_NOTFOUND);
}

int main(void)
{
	static const struct yg_org orgs[] = {
		{.slug = YG_SV_INIT("isp")},
		{.slug = YG_SV_INIT("north"), .parent = YG_SV_INIT("isp")},
		{.slug = YG_SV_INIT("city"), .parent = YG_SV_INIT("north")},
		{.slug = YG_SV_INIT("south"), .parent = YG_SV_INIT("isp")}};
	YG_AUTO(yg_state_closep) struct yg_state *db = NULL;
	env = yg_env_sim(&sim);
	T_OK(yg_state_open(":memory:", &db, &err) == YG_OK && yg_state_migrate(db, &err) == YG_OK);
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	for (size_t i = 0; i < YG_LEN(orgs); i++)
		T_OK(yg_org_add(&act, &orgs[i], &err) == YG_OK);
	(void)add(&act, rule_text, YG_STAGE_LIVE);
	struct yg_id many = add(&act, correlation_text, YG_STAGE_LIVE);
	struct yg_id other = add(&act, correlation_text, YG_STAGE_AUDIT);
	except(&act, yg_id_sv(&many), "north", "s: {host: web*}\ncondition: s\n", 0);
	except(&act, yg_id_sv(&many), "isp", "s: {User: Backup}\ncondition: s\n",
	       sim.wall.us + 60 * S);
	test_excepted(db, yg_id_sv(&many), yg_id_sv(&other));
	test_refused(&act, yg_id_sv(&many));
	test_kept(&act, yg_id_sv(&many));
	test_rows(db);
	return tap_done();
}
