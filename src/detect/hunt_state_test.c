/* Which rules hunts by themselves look for, and where; and some rules as a set of their own. */
#include "detect/hunt_state.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "detect/registry.h"
#include "org/organisation.h"
#include "store/compiled.h"
#include "tap.h"

#define RULE(image)                                                                                \
	"title: One\nid: 11111111-1111-4111-8111-111111111111\n"                                   \
	"logsource: {product: windows}\ndetection:\n  s: {Image: " image "}\n  condition: s\n"

#define CORRELATES(span)                                                                           \
	"title: Many\nid: 55555555-5555-4555-8555-555555555555\n"                                  \
	"correlation: {type: event_count, rules: [22222222-2222-4222-8222-222222222222],"          \
	" group-by: [User], timespan: " span ", condition: {gte: 3}}\n"
#define OTHER                                                                                      \
	"title: Two\nid: 22222222-2222-4222-8222-222222222222\n"                                   \
	"logsource: {product: windows}\ndetection:\n  s: {Image: z}\n  condition: s\n"

static struct yg_env_sim sim = {.wall = {1700000000000000}, .seed = 5};
static struct yg_env env;
static struct yg_arena arena;
static struct yg_state *db;
static struct yg_err err;
static struct yg_id uid;
static enum yg_hunt_what what;

/* A text of what is looked for; another number is another text. */
static const char *some(unsigned number)
{
	static const char *const texts[][3] = {
		[YG_HUNT_RULE] = {RULE("a.exe"), RULE("b.exe"), RULE("c.exe")},
		[YG_HUNT_CORRELATION] = {CORRELATES("1m"), CORRELATES("2m"), CORRELATES("3m")}};
	return texts[what][number];
}

static struct yg_act act(void)
{
	return yg_act_make(db, &env, YG_SV("local:0"));
}

/* Where the rule is looked for next, which is then marked; "-": nowhere. */
static const char *next(void)
{
	static char text[64];
	struct yg_hunt_rules_new rules;
	if (yg_hunt_new_rules(db, what, sim.wall, &arena, &rules, &err) != YG_OK) {
		(void)printf("# %s\n", err.msg);
		return "?";
	}
	if (rules.n != 1)
		return rules.n == 0 ? "-" : "several";
	if (yg_hunt_mark_rules(db, &rules, sim.wall, &err) != YG_OK)
		return "?";
	(void)snprintf(text, sizeof text, "at " YG_SV_FMT, YG_SV_ARG(rules.org));
	return text;
}

static bool is(const char *want)
{
	const char *got = next();
	if (strcmp(got, want) != 0)
		(void)printf("# '%s', not '%s'\n", got, want);
	return strcmp(got, want) == 0;
}

static void read_one(struct yg_detect_documents *d, const char *text)
{
	T_OK(yg_detect_documents_begin(d, &env, &err) == YG_OK &&
	     yg_detect_documents_add(d, YG_SV(""), yg_sv_of(text), &err) == YG_OK && d->count == 1);
}

static void stage(enum yg_detect_stage s)
{
	struct yg_act a = act();
	const struct yg_drule_set set = {.stage = &s};
	T_OK(yg_drule_change(&a, yg_id_sv(&uid), YG_ANY_VERSION, &set, &err) == YG_OK);
}

static void text(const char *yaml)
{
	YG_AUTO(yg_detect_documents_free) struct yg_detect_documents d = {.count = 0};
	struct yg_act a = act();
	read_one(&d, yaml);
	const struct yg_drule_set set = {.doc = &d.list[0]};
	T_OK(yg_drule_change(&a, yg_id_sv(&uid), YG_ANY_VERSION, &set, &err) == YG_OK);
}

static void override(const char *org, enum yg_detect_stage s, int64_t expires)
{
	struct yg_act a = act();
	const struct yg_detect_override o = {.rule = yg_id_sv(&uid),
					     .org = yg_sv_of(org),
					     .stage = s,
					     .reason = YG_SV("so"),
					     .expires = {expires}};
	T_OK(yg_detect_override_set(&a, &o, &err) == YG_OK);
}

static void no_override(const char *org)
{
	struct yg_act a = act();
	T_OK(yg_detect_override_remove(&a, yg_id_sv(&uid), yg_sv_of(org), &err) == YG_OK);
}

static void add(const char *yaml, enum yg_detect_stage s, struct yg_id *out)
{
	YG_AUTO(yg_detect_documents_free) struct yg_detect_documents d = {.count = 0};
	struct yg_act a = act();
	const struct yg_drule_place at = {.org = YG_SV(""), .collection = YG_SV("own"), .stage = s};
	read_one(&d, yaml);
	T_OK(yg_drule_add(&a, &at, &d.list[0], out, &err) == YG_OK);
}

/* The tree is alpha with north below it, and beta; one rule for all of them. */
static void fresh(enum yg_detect_stage s)
{
	static const char *const orgs[][2] = {{"alpha", ""}, {"north", "alpha"}, {"beta", ""}};
	YG_AUTO(yg_detect_documents_free) struct yg_detect_documents d = {.count = 0};
	yg_state_close(db);
	T_OK(yg_state_open(":memory:", &db, &err) == YG_OK && yg_state_migrate(db, &err) == YG_OK);
	struct yg_act a = act();
	for (size_t i = 0; i < YG_LEN(orgs); i++) {
		const struct yg_org o = {.slug = yg_sv_of(orgs[i][0]),
					 .parent = yg_sv_of(orgs[i][1])};
		T_OK(yg_org_add(&a, &o, &err) == YG_OK);
	}
	if (what == YG_HUNT_CORRELATION) {
		struct yg_id base;
		add(OTHER, YG_STAGE_TEST, &base);
	}
	read_one(&d, some(0));
	const struct yg_drule_place at = {.org = YG_SV(""), .collection = YG_SV("own"), .stage = s};
	T_OK(yg_drule_add(&a, &at, &d.list[0], &uid, &err) == YG_OK);
}

static void test_stages(void)
{
	fresh(YG_STAGE_TEST);
	T_OK(is("-"));
	stage(YG_STAGE_LIVE);
	T_NAMED(is("at ") && is("-"), "live for the first time, once");
	stage(YG_STAGE_OFF);
	stage(YG_STAGE_LIVE);
	T_NAMED(is("-"), "and not again");
	text(some(1));
	T_NAMED(is("at ") && is("-"), "another text is another rule");
	text(some(1));
	T_NAMED(is("-"), "the same text is not");
	override("alpha", YG_STAGE_LIVE, 0);
	T_NAMED(is("-"), "what was live there was looked for there");
}

static void test_overrides(void)
{
	fresh(YG_STAGE_TEST);
	override("alpha", YG_STAGE_LIVE, 0);
	T_NAMED(is("at alpha") && is("-"), "live for a node");
	override("north", YG_STAGE_LIVE, 0);
	T_NAMED(is("-"), "below it it was looked for with it");
	stage(YG_STAGE_LIVE);
	T_OK(is("at ") && is("-"));
	text(some(1));
	T_NAMED(is("at ") && is("-"), "another text: everywhere at once");
}

/* Where it was not live when it was looked for above, it is once it is live there. */
static void test_late(void)
{
	fresh(YG_STAGE_LIVE);
	override("alpha", YG_STAGE_OFF, 0);
	T_OK(is("at ") && is("-"));
	override("north", YG_STAGE_LIVE, 0);
	T_NAMED(is("at north") && is("-"), "live below where it is off");
	no_override("alpha");
	T_NAMED(is("at alpha") && is("-"), "no more off");
	fresh(YG_STAGE_LIVE);
	override("beta", YG_STAGE_TEST, sim.wall.us + 1000);
	T_OK(is("at ") && is("-"));
	sim.wall.us += 1000;
	T_NAMED(is("at beta") && is("-"), "until an end that has come");
	fresh(YG_STAGE_LIVE);
	override("beta", YG_STAGE_OFF, 0);
	T_OK(is("at "));
	stage(YG_STAGE_TEST);
	no_override("beta");
	T_NAMED(is("-"), "not where it is not live");
	text(some(2));
	stage(YG_STAGE_LIVE);
	T_NAMED(is("at ") && is("-"), "whatever was noted of a node");
}

/* ---- a set of some rules ---- */

/* The rule alone, as a hunt has it. */
static struct yg_ruleset *set_of_one(void)
{
	struct yg_sv only = yg_id_sv(&uid);
	const struct yg_detect_feed of = {.only = &only, .only_count = 1};
	struct yg_ruleset_builder *b = NULL;
	struct yg_ruleset_stats stats;
	struct yg_ruleset *set = NULL;
	int fd = memfd_create("rules", MFD_CLOEXEC);
	yg_status st = yg_ruleset_builder_new(&env, NULL, NULL, &b, &err);
	if (st == YG_OK)
		st = yg_detect_feed(db, &of, sim.wall, b, &err);
	if (st == YG_OK)
		st = yg_ruleset_builder_write(b, fd, 1, sim.wall, &stats, &err);
	if (st == YG_OK)
		st = yg_ruleset_open_fd(fd, 0, &set, &err);
	if (st != YG_OK)
		(void)printf("# %s\n", err.msg);
	yg_ruleset_builder_free(b);
	(void)close(fd);
	return set;
}

static void on_hit(void *ctx, const struct yg_ruleset_hit *hit)
{
	*(char *)ctx = hit->tells ? 't' : 's';
}

/* 't': a match of the event is told of there, 's': it is silent, '-': there is none. */
static char asked(const char *org)
{
	static const struct yg_detect_logsource source = {YG_SV_INIT(""), YG_SV_INIT("windows"),
							  YG_SV_INIT("")};
	const struct yg_detect_pair pair = {YG_SV("Image"), YG_SV("a.exe"), false, 0};
	const struct yg_detect_record record = {&source, 1, &pair, 1, YG_SV(""), 1, NULL};
	struct yg_ruleset_eval *e = NULL;
	struct yg_ruleset *set = set_of_one();
	char got = '-';
	T_OK(set != NULL && yg_ruleset_count(set) == 1);
	if (set != NULL && yg_ruleset_eval_new(set, NULL, &e, &err) == YG_OK)
		yg_ruleset_run(e, &record, yg_ruleset_org(set, yg_sv_of(org)), sim.wall, on_hit,
			       &got);
	yg_ruleset_eval_free(e);
	yg_ruleset_free(set);
	return got;
}

#define CORRELATION                                                                                \
	"title: Both\nid: 33333333-3333-4333-8333-333333333333\n"                                  \
	"correlation: {type: temporal, rules: [11111111-1111-4111-8111-111111111111,"              \
	" 22222222-2222-4222-8222-222222222222], group-by: [User], timespan: 1m}\n"

static void test_set(void)
{
	struct yg_id other, both;
	fresh(YG_STAGE_OFF);
	T_NAMED(asked("alpha") == 't', "whatever the rule's own stage is");
	add(OTHER, YG_STAGE_TEST, &other);
	add(CORRELATION, YG_STAGE_LIVE, &both);
	T_NAMED(asked("alpha") == 's', "a rule of a correlation is silent, as it is live");
	struct yg_act a = act();
	const struct yg_detect_override off = {.rule = yg_id_sv(&both),
					       .org = YG_SV("alpha"),
					       .stage = YG_STAGE_OFF,
					       .reason = YG_SV("so")};
	T_OK(yg_detect_override_set(&a, &off, &err) == YG_OK);
	T_NAMED(asked("north") == 't' && asked("beta") == 's', "but where the correlation is off");
	fresh(YG_STAGE_LIVE);
	a = act();
	for (unsigned i = 0; i < 230; i++) {
		char slug[16];
		(void)snprintf(slug, sizeof slug, "o%03u", i);
		const struct yg_org o = {.slug = yg_sv_of(slug)};
		if (yg_org_add(&a, &o, &err) != YG_OK)
			T_OK(false);
		override(slug, YG_STAGE_OFF, 0);
	}
	T_NAMED(asked("o229") == '-' && asked("beta") == 't', "every override holds");
}

/* ---- states of correlations ---- */

static yg_status on_state(void *ctx, struct yg_sv org, struct yg_sv bytes, struct yg_err *e)
{
	struct yg_buf *b = ctx;
	(void)e;
	yg_buf_put(b, org);
	yg_buf_putc(b, '=');
	yg_buf_put(b, bytes);
	yg_buf_putc(b, ' ');
	return YG_OK;
}

static bool states_are(int64_t seq, const char *want)
{
	YG_AUTO(yg_buf_free) struct yg_buf b = {0};
	yg_buf_init(&b, 4096);
	yg_status st = yg_hunt_states(db, seq, on_state, &b, &err);
	if (st != YG_OK || !yg_sv_eq(yg_buf_sv(&b), yg_sv_of(want)))
		(void)printf("# '" YG_SV_FMT "' %s\n", YG_SV_ARG(yg_buf_sv(&b)), err.msg);
	return st == YG_OK && yg_sv_eq(yg_buf_sv(&b), yg_sv_of(want));
}

static void test_states(void)
{
	struct yg_act a = act();
	struct yg_id jobs[2];
	struct yg_hunt h[2];
	const struct yg_hunt order = {.what = YG_HUNT_CORRELATION,
				      .org = YG_SV_INIT("alpha"),
				      .name = YG_SV_INIT("r-1"),
				      .items = 1};
	for (size_t i = 0; i < 2; i++)
		T_OK(yg_hunt_add(&a, &order, NULL, 0, &jobs[i], &err) == YG_OK &&
		     yg_hunt_get(db, yg_id_sv(&jobs[i]), &arena, &h[i], &err) == YG_OK);
	T_OK(h[0].what == YG_HUNT_CORRELATION && h[0].kept_place.n == 0);
	h[0].kept_place = YG_SV("here");
	T_OK(yg_hunt_save(db, &h[0], &err) == YG_OK &&
	     yg_hunt_get(db, yg_id_sv(&jobs[0]), &arena, &h[0], &err) == YG_OK &&
	     YG_SV_IS(h[0].kept_place, "here"));
	T_OK(yg_hunt_state_save(db, h[0].seq, YG_SV("alpha"), YG_SV("1"), &err) == YG_OK &&
	     yg_hunt_state_save(db, h[0].seq, YG_SV("north"), YG_SV("2"), &err) == YG_OK &&
	     yg_hunt_state_save(db, h[0].seq, YG_SV("alpha"), YG_SV("3"), &err) == YG_OK &&
	     yg_hunt_state_save(db, h[1].seq, YG_SV("alpha"), YG_SV("4"), &err) == YG_OK);
	T_NAMED(states_are(h[0].seq, "alpha=3 north=2 "), "the newest of each organisation");
	T_OK(yg_hunt_state_drop(db, h[0].seq, &err) == YG_OK && states_are(h[0].seq, "") &&
	     states_are(h[1].seq, "alpha=4 "));
	uint64_t waits = 0;
	T_OK(yg_hunt_requeue(&a, &waits, &err) == YG_OK && waits == 2 &&
	     states_are(h[1].seq, "alpha=4 "));
	T_OK(yg_job_cancel(&a, yg_id_sv(&jobs[1]), &err) == YG_OK &&
	     yg_hunt_requeue(&a, &waits, &err) == YG_OK && waits == 1);
	T_NAMED(states_are(h[1].seq, ""), "one that was cancelled leaves no states");
	bool going[2];
	T_OK(yg_hunt_going(db, YG_HUNT_CORRELATION, &going[0], &err) == YG_OK &&
	     yg_hunt_going(db, YG_HUNT_RULE, &going[1], &err) == YG_OK && !going[0] && !going[1]);
	const struct yg_hunt own = {.what = YG_HUNT_CORRELATION,
				    .automatic = true,
				    .org = YG_SV_INIT(""),
				    .name = YG_SV_INIT(""),
				    .items = 1};
	T_OK(yg_hunt_add(&a, &own, NULL, 0, &jobs[0], &err) == YG_OK &&
	     yg_hunt_going(db, YG_HUNT_CORRELATION, &going[0], &err) == YG_OK &&
	     yg_hunt_going(db, YG_HUNT_RULE, &going[1], &err) == YG_OK);
	T_NAMED(going[0] && !going[1], "one of correlations is none of rules");
}

/* Does all that there is count as what workers have?  Of indicators and of rules. */
static bool settled(enum yg_compiled of, yg_wall before)
{
	bool out = false;
	T_OK(yg_hunt_settled(db, of == YG_COMPILED_INDICATORS ? YG_HUNT_INDICATOR : YG_HUNT_RULE,
			     before, &out, &err) == YG_OK);
	return out;
}

static void ended(enum yg_compiled of, uint64_t generation, const char *state, int64_t finished)
{
	struct yg_stmt *s = NULL;
	T_OK(yg_state_prepare(db,
			      of == YG_COMPILED_INDICATORS
				      ? YG_SQL("UPDATE snapshot SET state = $1, finished = $2"
					       " WHERE generation = $3")
				      : YG_SQL("UPDATE detect_snapshot SET state = $1,"
					       " finished = $2 WHERE generation = $3"),
			      &s, &err) == YG_OK);
	yg_stmt_text(s, 1, yg_sv_of(state));
	yg_stmt_i64(s, 2, finished);
	yg_stmt_i64(s, 3, (int64_t)generation);
	T_OK(yg_stmt_run(s, &err) == YG_OK);
}

static int64_t since(void)
{
	int64_t out = -1;
	T_OK(yg_hunt_rule_since(db, yg_id_sv(&uid), sim.wall, &out, &err) == YG_OK);
	return out;
}

static void begun(enum yg_compiled of, uint64_t *out)
{
	T_OK(yg_compiled_touch(of, db, &err) == YG_OK &&
	     yg_compiled_begin(of, db, ".", sim.wall, YG_SV("local:0"), out, &err) == YG_OK);
}

/* While the new is compiled, which begins with counting as compiled, nothing is settled: what is
 * taken in then is asked with the old alone. */
static void test_settled(enum yg_compiled of)
{
	const yg_wall later = {sim.wall.us + 100};
	uint64_t g = 0;
	fresh(YG_STAGE_TEST);
	T_NAMED(!settled(of, later), "nothing was ever compiled");
	begun(of, &g);
	T_NAMED(!settled(of, later), "the first is being compiled");
	ended(of, g, "ready", sim.wall.us);
	T_NAMED(settled(of, later), "it is there");
	T_NAMED(!settled(of, (yg_wall){sim.wall.us - 1}), "and was not before");
	T_OK(yg_compiled_touch(of, db, &err) == YG_OK);
	T_NAMED(!settled(of, later), "something was changed");
	begun(of, &g);
	T_NAMED(!settled(of, later), "which is being compiled, beside one that is ready");
	ended(of, g, "failed", sim.wall.us);
	T_NAMED(!settled(of, later), "which could not be compiled");
	begun(of, &g);
	ended(of, g, "ready", sim.wall.us + 50);
	T_NAMED(settled(of, later), "which is there");
}

static void compiled(void)
{
	uint64_t g = 0;
	begun(YG_COMPILED_RULES, &g);
	ended(YG_COMPILED_RULES, g, "ready", sim.wall.us + 50);
}

static struct yg_id except(const char *org, int64_t expires)
{
	struct yg_act a = act();
	struct yg_id id = {0};
	const struct yg_detect_exception x = {.rule = yg_id_sv(&uid),
					      .org = yg_sv_of(org),
					      .text = YG_SV("s: {User: x}\ncondition: s\n"),
					      .reason = YG_SV("so"),
					      .expires = {expires}};
	T_OK(yg_detect_exception_add(&a, &x, &id, &err) == YG_OK);
	return id;
}

/* From when on what workers told of was told by the rule as it is. */
static void test_since(void)
{
	const int64_t was = sim.wall.us;
	fresh(YG_STAGE_LIVE);
	struct yg_act a = act();
	compiled();
	T_NAMED(since() == 0, "a rule that is as it was");
	stage(YG_STAGE_AUDIT);
	T_NAMED(since() == 0, "a stage changes nothing of what it means");
	sim.wall.us += 1000;
	text(some(1));
	T_NAMED(since() == INT64_MAX, "a new text that no worker has");
	compiled();
	T_NAMED(since() == sim.wall.us + 50 + YG_HUNT_SETTLE_US, "and that they have");
	int64_t before = since();
	struct yg_id gone = except("alpha", 0);
	T_NAMED(since() == before, "an exception takes away alone");
	sim.wall.us += 1000;
	T_OK(yg_detect_exception_remove(&a, yg_id_sv(&gone), &err) == YG_OK);
	T_NAMED(since() == INT64_MAX, "one that is removed gives back");
	compiled();
	before = since();
	T_OK(before == sim.wall.us + 50 + YG_HUNT_SETTLE_US);
	int64_t ends = before + 5000;
	(void)except("beta", ends);
	T_OK(since() == before);
	sim.wall.us = ends;
	T_NAMED(since() == ends, "and one that ends by itself");
	sim.wall.us = was;
}

int main(void)
{
	env = yg_env_sim(&sim);
	yg_arena_init(&arena, 256u << 20);
	for (what = YG_HUNT_RULE; what <= YG_HUNT_CORRELATION; what += YG_HUNT_CORRELATION) {
		test_stages();
		test_overrides();
		test_late();
	}
	what = YG_HUNT_RULE;
	test_set();
	test_states();
	test_settled(YG_COMPILED_INDICATORS);
	test_settled(YG_COMPILED_RULES);
	test_since();
	yg_state_close(db);
	yg_arena_free(&arena);
	return tap_done();
}
