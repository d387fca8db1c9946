#include "detect/registry.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "detect/registry_internal.h"
#include "org/purge.h"
#include "os/file.h"
#include "tap.h"

static struct yg_env_sim sim = {.wall = {1700000000000000}, .seed = 5};
static struct yg_env env;
static struct yg_arena arena;
static struct yg_err err;
static const struct yg_sv alpha = YG_SV_INIT("alpha"), beta = YG_SV_INIT("beta"),
			  inner = YG_SV_INIT("inner");

static struct yg_state *fresh(void)
{
	struct yg_state *db = NULL;
	if (yg_state_open(":memory:", &db, &err) != YG_OK || yg_state_migrate(db, &err) != YG_OK)
		(void)printf("# %s\n", err.msg);
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_org a = {.slug = alpha}, b = {.slug = beta};
	if (yg_org_add(&act, &a, &err) != YG_OK || yg_org_add(&act, &b, &err) != YG_OK)
		(void)printf("# %s\n", err.msg);
	return db;
}

static yg_status listed_stages(struct yg_state *db, struct yg_sv rule, const struct yg_reach *reach,
			       struct yg_detect_override **out, size_t *out_n)
{
	const struct yg_detect_override_filter f = {
		.reach = *reach, .rule = rule, .after = YG_SV_INIT(""), .limit = 100};
	return yg_detect_override_list(db, &f, &arena, out, out_n, &err);
}

static bool audited(struct yg_state *db, const char *action)
{
	struct yg_audit_entry *e;
	size_t n;
	struct yg_audit_filter f = {.reach = YG_REACH_ALL, .limit = 1};
	return yg_audit_list(db, &f, &arena, &e, &n, &err) == YG_OK && n == 1 &&
	       yg_sv_eq(e->action, yg_sv_of(action));
}

static bool dirty(struct yg_state *db)
{
	bool is = false;
	T_OK(yg_detect_dirty(db, &is, &err) == YG_OK);
	return is;
}

static void settle(struct yg_state *db)
{
	T_OK(yg_drule_run(db, "UPDATE detect_change SET compiled = changes WHERE id = 1", NULL, 0,
			  &err) == YG_OK);
}

#define RULE(id, title, value)                                                                     \
	"title: " title "\nid: " id "\nlevel: high\nstatus: test\nauthor: Somebody\n"              \
	"tags:\n  - attack.T1059.001\n  - attack.execution\n"                                      \
	"logsource:\n  category: process_creation\n  product: windows\n"                           \
	"detection:\n  selection:\n    Image|endswith: " value "\n  condition: selection\n"
#define CORRELATION(id, name, rules)                                                               \
	"title: " name "\nid: " id "\nname: " name "\ncorrelation:\n  type: event_count\n"         \
	"  rules:\n" rules "  group-by:\n    - User\n  timespan: 5m\n  condition:\n    gte: 3\n"
#define ID1 "11111111-1111-4111-8111-111111111111"
#define ID2 "22222222-2222-4222-8222-222222222222"
#define ID3 "33333333-3333-4333-8333-333333333333"
#define ID4 "44444444-4444-4444-8444-444444444444"

static struct yg_detect_documents docs;

static void read_text(const char *file, const char *text)
{
	yg_detect_documents_free(&docs);
	T_OK(yg_detect_documents_begin(&docs, &env, &err) == YG_OK);
	T_OK(yg_detect_documents_add(&docs, yg_sv_of(file), yg_sv_of(text), &err) == YG_OK);
}

static void test_documents(void)
{
	read_text("a.yml", "# before\n---\n" RULE(ID1, "One", "a.exe") "---\n\n" RULE(
				   ID2, "Two", "b.exe") "...\n# the end\n");
	T_OK(docs.count == 2 && docs.refused == 0);
	T_OK(docs.count == 2 && yg_sv_starts(docs.list[0].text, YG_SV("title: One\n")) &&
	     yg_sv_ends(docs.list[0].text, YG_SV("condition: selection\n")) &&
	     docs.list[0].line == 3);
	T_OK(docs.count == 2 && yg_sv_starts(docs.list[1].text, YG_SV("title: Two\n")) &&
	     docs.list[1].line == 20);
	T_OK(docs.count == 2 && YG_SV_IS(docs.list[0].tags, ",attack.t1059.001,attack.execution,"));
	T_OK(docs.list[0].level == YG_SIGMA_HIGH && docs.list[0].status == YG_SIGMA_TESTED &&
	     YG_SV_IS(docs.list[0].author, "Somebody"));
	read_text("b.yml",
		  "a: [1\n---\n" RULE(ID1, "One", "a.exe") "---\ntitle: x\n\naction: global\n");
	T_OK(docs.count == 1 && docs.refused == 2 && docs.problem_count == 2);
	T_NAMED(docs.problem_count == 2 && docs.problems[0].line <= 2 &&
			docs.problems[1].line == 21 && YG_SV_IS(docs.problems[1].file, "b.yml"),
		"a fault is told with the line of the file");
	read_text("c.yml", "title: x\nlogsource: {product: windows}\ndetection:\n  s:\n"
			   "    a|re: (?=b)c\n  condition: s\n");
	T_NAMED(docs.count == 0 && docs.problem_count == 1, "an expression that cannot be bounded");
	read_text("d.yml", "title: x\nlogsource: {product: windows}\ndetection:\n  s:\n"
			   "    a|expand: '%nobody%'\n  condition: s\n");
	T_NAMED(docs.count == 0 && docs.problem_count == 1 &&
			yg_sv_has(docs.problems[0].reason, YG_SV("nobody")),
		"a placeholder without values");
	read_text("e.yml", "");
	T_OK(docs.count == 0 && docs.refused == 0);
	read_text(
		"f.yml",
		"--- {title: x, logsource: {product: windows}, detection: {s: {a: 1}, condition: s}}");
	T_OK(docs.count == 1 && docs.refused == 0);
}

static void test_exception_text(void)
{
	struct yg_sigma_rule r;
	T_OK(yg_detect_exception_read(YG_SV("selection:\n  Image: a\ncondition: selection"), &arena,
				      &r, &err) == YG_OK &&
	     r.kind == YG_SIGMA_RULE && r.detection.search_count == 1 && r.category.n == 0);
	T_OK(yg_detect_exception_read(YG_SV("{s: {Image: a}, condition: s}"), &arena, &r, &err) ==
	     YG_OK);
	T_OK(yg_detect_exception_read(YG_SV("s:\n  Image|nosuch: a\ncondition: s"), &arena, &r,
				      &err) == YG_PARSE &&
	     strncmp(err.msg, "line 2: ", 8) == 0);
	T_OK(yg_detect_exception_read(YG_SV("s: [\n"), &arena, &r, &err) == YG_PARSE &&
	     strncmp(err.msg, "line ", 5) == 0);
	T_OK(yg_detect_exception_read(YG_SV(""), &arena, &r, &err) == YG_PARSE);
	T_OK(yg_detect_exception_read(YG_SV("s: {a: 1}\n---\ncondition: s"), &arena, &r, &err) ==
	     YG_PARSE);
}

static struct yg_id add(struct yg_act *act, const char *org, const char *text)
{
	const struct yg_drule_place at = {
		.org = yg_sv_of(org), .collection = YG_SV("own"), .stage = YG_STAGE_TEST};
	struct yg_id id = {{0}};
	read_text("", text);
	T_OK(docs.count == 1 && yg_drule_add(act, &at, &docs.list[0], &id, &err) == YG_OK);
	return id;
}

static size_t listed(struct yg_state *db, struct yg_drule_filter f)
{
	struct yg_drule *list = NULL;
	size_t n = 0;
	f.limit = f.limit > 0 ? f.limit : 100;
	if (!f.reach.all && f.reach.org_count == 0)
		f.reach = YG_REACH_ALL;
	return yg_drule_list(db, &f, &arena, &list, &n, &err) == YG_OK ? n : 9999;
}

static void test_rules(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	const struct yg_drule_place nowhere = {
		.org = YG_SV("nobody"), .collection = YG_SV("own"), .stage = YG_STAGE_TEST};
	struct yg_drule r;
	struct yg_id none;
	T_OK(dirty(db)); /* the tree */
	settle(db);
	struct yg_id one = add(&act, "", RULE(ID1, "One 100%", "a.exe")),
		     two = add(&act, "alpha", RULE(ID2, "Two", "b.exe"));
	T_OK(audited(db, "rule.add") && dirty(db));
	const struct yg_org under = {.slug = inner, .parent = alpha};
	T_OK(yg_drule_add(&act, &nowhere, &docs.list[0], &none, &err) == YG_NOTFOUND);
	T_OK(yg_drule_add(&act,
			  &(struct yg_drule_place){
				  .org = alpha, .collection = YG_SV("own"), .stage = YG_STAGE_LIVE},
			  &docs.list[0], &none, &err) == YG_CONFLICT);
	T_OK(yg_drule_add(&act, &(struct yg_drule_place){.collection = YG_SV("a b")}, &docs.list[0],
			  &none, &err) == YG_INVAL);
	T_OK(yg_drule_get(db, yg_id_sv(&one), &arena, &r, &err) == YG_OK && r.version == 1 &&
	     r.stage == YG_STAGE_TEST && YG_SV_IS(r.title, "One 100%") && r.org.n == 0 &&
	     r.level == YG_SIGMA_HIGH && yg_sv_has(r.text, YG_SV("a.exe")) && r.refused.n == 0);
	T_OK(listed(db, (struct yg_drule_filter){.limit = 0}) == 2);
	T_OK(listed(db, (struct yg_drule_filter){.limit = 1}) == 1);
	T_OK(listed(db, (struct yg_drule_filter){.reach = yg_reach_one(&beta)}) == 1);
	T_OK(listed(db, (struct yg_drule_filter){.reach = yg_reach_one(&alpha)}) == 2);
	T_NAMED(yg_org_add(&act, &under, &err) == YG_OK &&
			listed(db, (struct yg_drule_filter){.reach = yg_reach_one(&inner)}) == 1 &&
			listed(db, (struct yg_drule_filter){.reach = yg_reach_one(&inner),
							    .above = true}) == 2 &&
			listed(db, (struct yg_drule_filter){.reach = yg_reach_one(&beta),
							    .above = true}) == 1,
		"what stands above holds below, and nowhere else");
	T_OK(yg_org_remove(&act, inner, &err) == YG_OK);
	T_OK(listed(db, (struct yg_drule_filter){.part = YG_SV("0%")}) == 1);
	T_OK(listed(db, (struct yg_drule_filter){.part = YG_SV("one_")}) == 0);
	T_OK(listed(db, (struct yg_drule_filter){.tag = YG_SV("attack.t1059")}) == 2);
	T_OK(listed(db, (struct yg_drule_filter){.tag = YG_SV("attack.t1059.001")}) == 2);
	T_OK(listed(db, (struct yg_drule_filter){.tag = YG_SV("attack.t105")}) == 0);
	const struct yg_sv execution[] = {YG_SV("attack.execution,")}, any[] = {YG_SV("attack.t1")};
	T_NAMED(listed(db, (struct yg_drule_filter){.tag = YG_SV("attack.t1059"), .exact = true}) ==
				0 &&
			listed(db, (struct yg_drule_filter){.tag = YG_SV("attack.t1059.001"),
							    .exact = true}) == 2,
		"a technique alone");
	T_OK(listed(db, (struct yg_drule_filter){.one_of = execution, .one_of_count = 1}) == 2 &&
	     listed(db, (struct yg_drule_filter){.none_of = execution, .none_of_count = 1}) == 0 &&
	     listed(db, (struct yg_drule_filter){.none_of = any, .none_of_count = 1}) == 0);
	T_NAMED(listed(db, (struct yg_drule_filter){.part = YG_SV("B.EXE")}) == 1,
		"what stands in the text alone");
	T_OK(listed(db, (struct yg_drule_filter){.stages = 1u << YG_STAGE_LIVE}) == 0);
	T_OK(listed(db, (struct yg_drule_filter){.levels = 1u << YG_SIGMA_HIGH}) == 2);
	T_OK(listed(db, (struct yg_drule_filter){.product = YG_SV("linux")}) == 0);
	T_OK(listed(db, (struct yg_drule_filter){.kind = YG_SIGMA_FILTER}) == 0);
	T_OK(listed(db, (struct yg_drule_filter){.before = yg_id_sv(&two)}) == 1);

	enum yg_detect_stage live = YG_STAGE_LIVE;
	struct yg_drule_set set = {.stage = &live};
	settle(db);
	T_OK(yg_drule_change(&act, yg_id_sv(&one), 7, &set, &err) == YG_CONFLICT);
	T_OK(yg_drule_change(&act, yg_id_sv(&one), 1, &set, &err) == YG_OK &&
	     audited(db, "rule.update") && dirty(db));
	settle(db);
	T_OK(yg_drule_change(&act, yg_id_sv(&one), 2, &set, &err) == YG_OK && !dirty(db));
	read_text("", RULE(ID1, "One more", "c.exe"));
	set = (struct yg_drule_set){.doc = &docs.list[0]};
	T_OK(yg_drule_change(&act, yg_id_sv(&one), 2, &set, &err) == YG_OK && dirty(db));
	T_OK(yg_drule_get(db, yg_id_sv(&one), &arena, &r, &err) == YG_OK && r.version == 3 &&
	     r.text_version == 3 && r.stage == YG_STAGE_LIVE && YG_SV_IS(r.title, "One more"));
	struct yg_drule_past *past = NULL;
	size_t n = 0;
	struct yg_drule_history_of of = {
		.rule = yg_id_sv(&one), .until_us = INT64_MAX, .limit = 10};
	T_OK(yg_drule_history(db, &of, &arena, &past, &n, &err) == YG_OK && n == 3 &&
	     past[0].version == 3 && YG_SV_IS(past[1].stage, "live") &&
	     yg_sv_has(past[1].text, YG_SV("a.exe")) && yg_sv_has(past[0].text, YG_SV("c.exe")));
	of.before = 2;
	T_OK(yg_drule_history(db, &of, &arena, &past, &n, &err) == YG_OK && n == 1);
	T_OK(yg_drule_remove(&act, yg_id_sv(&one), &err) == YG_OK && audited(db, "rule.remove"));
	T_OK(yg_drule_get(db, yg_id_sv(&one), &arena, &r, &err) == YG_NOTFOUND);
	T_OK(yg_drule_remove(&act, yg_id_sv(&one), &err) == YG_NOTFOUND);
	T_NAMED(yg_org_remove(&act, alpha, &err) == YG_CONFLICT, "an organisation that has rules");
}

static void test_import(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_drule_place at = {
		.org = YG_SV(""), .collection = YG_SV("sigma"), .stage = YG_STAGE_TEST};
	struct yg_drule_imported n;
	uint64_t changed = 0, unchanged = 0;
	read_text("a.yml", RULE(ID1, "One", "a.exe") "---\n" RULE(ID2, "Two", "b.exe"));
	T_OK(yg_drule_import(&act, &at, &docs, &n, &err) == YG_OK && n.added == 2 &&
	     n.changed == 0 && audited(db, "rule.import"));
	T_OK(yg_drule_import(&act, &at, &docs, &n, &err) == YG_OK && n.unchanged == 2 &&
	     n.added == 0);
	read_text("z.yml", RULE(ID2, "Two", "new.exe") "---\n" RULE(ID3, "Three", "b.exe"));
	at.stage = YG_STAGE_OFF;
	T_OK(yg_drule_import(&act, &at, &docs, &n, &err) == YG_OK && n.changed == 1 &&
	     n.added == 1);
	T_NAMED(listed(db, (struct yg_drule_filter){.stages = 1u << YG_STAGE_TEST}) == 2,
		"what is there keeps its stage");
	at.org = YG_SV("nobody");
	T_OK(yg_drule_import(&act, &at, &docs, &n, &err) == YG_NOTFOUND);
	struct yg_drule_bulk b = {.org = YG_SV(""),
				  .collection = YG_SV("sigma"),
				  .levels = 1u << YG_SIGMA_HIGH,
				  .stage = YG_STAGE_LIVE};
	T_OK(yg_drule_stage_all(&act, &b, &changed, &unchanged, &err) == YG_OK && changed == 3 &&
	     unchanged == 0 && audited(db, "rule.stage"));
	struct yg_drule *list = NULL;
	size_t count = 0;
	T_OK(yg_drule_list(db, &(struct yg_drule_filter){.reach = YG_REACH_ALL, .limit = 10},
			   &arena, &list, &count, &err) == YG_OK &&
	     count == 3 && list[0].stage == YG_STAGE_LIVE);
	const struct yg_sv uids[] = {list[0].uid, YG_SV("r-none")};
	b = (struct yg_drule_bulk){.uids = uids, .uid_count = 2, .stage = YG_STAGE_OFF};
	T_NAMED(yg_drule_stage_all(&act, &b, &changed, &unchanged, &err) == YG_NOTFOUND &&
			listed(db, (struct yg_drule_filter){.stages = 1u << YG_STAGE_LIVE}) == 3,
		"all of them or none");
	b.uid_count = 1;
	T_OK(yg_drule_stage_all(&act, &b, &changed, &unchanged, &err) == YG_OK && changed == 1);
	T_OK(yg_drule_remove_all(&act, YG_SV(""), YG_SV("sigma"), &changed, &err) == YG_OK &&
	     changed == 3 && listed(db, (struct yg_drule_filter){.limit = 0}) == 0);
	read_text("noid.yml",
		  "title: A\nlogsource: {product: x}\ndetection: {s: {a: 1}, condition: s}\n");
	at.org = YG_SV("");
	T_OK(yg_drule_import(&act, &at, &docs, &n, &err) == YG_OK && n.added == 1);
	read_text("noid.yml",
		  "title: A\nlogsource: {product: x}\ndetection: {s: {a: 2}, condition: s}\n");
	T_NAMED(yg_drule_import(&act, &at, &docs, &n, &err) == YG_OK && n.changed == 1,
		"without an id, by file and title");
}

/* Rules of a file without ids stay apart, and are found by the next import. */
static void test_without_id(void)
{
#define NOID(title, value)                                                                         \
	"title: " title "\nlogsource: {product: x}\ndetection: {s: {a: " value "}, condition: s}\n"
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	const struct yg_drule_place at = {
		.org = YG_SV(""), .collection = YG_SV("sigma"), .stage = YG_STAGE_TEST};
	struct yg_drule_imported n;
	struct yg_drule *list = NULL;
	size_t count = 0;
	read_text("noid.yml", NOID("A", "1") "---\n" NOID("B", "1"));
	T_OK(yg_drule_import(&act, &at, &docs, &n, &err) == YG_OK && n.added == 2);
	T_OK(yg_drule_list(db, &(struct yg_drule_filter){.reach = YG_REACH_ALL, .limit = 10},
			   &arena, &list, &count, &err) == YG_OK &&
	     count == 2);
	read_text("", NOID("A", "2"));
	struct yg_drule_set set = {.doc = &docs.list[0]};
	const struct yg_drule *b = YG_SV_IS(list[0].title, "B") ? &list[0] : &list[1];
	const struct yg_drule *a = b == &list[0] ? &list[1] : &list[0];
	T_NAMED(yg_drule_change(&act, b->uid, YG_ANY_VERSION, &set, &err) == YG_CONFLICT,
		"one does not become the other");
	T_OK(yg_drule_change(&act, a->uid, YG_ANY_VERSION, &set, &err) == YG_OK);
	read_text("noid.yml", NOID("A", "3"));
	T_NAMED(yg_drule_import(&act, &at, &docs, &n, &err) == YG_OK && n.changed == 1,
		"what was edited by hand is still that of its file");
}

static struct yg_sv refused_of(struct yg_state *db, const struct yg_id *id)
{
	struct yg_drule r = {.version = 0};
	T_OK(yg_drule_get(db, yg_id_sv(id), &arena, &r, &err) == YG_OK);
	return r.refused;
}

static void test_references(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_id c = add(&act, "", CORRELATION(ID3, "many", "    - " ID1 "\n"));
	T_NAMED(refused_of(db, &c).n > 0, "a correlation of a rule that is not there");
	struct yg_id base = add(&act, "", RULE(ID1, "One", "a.exe"));
	T_NAMED(refused_of(db, &c).n == 0, "stands as soon as it is");
	struct yg_id up = add(&act, "", CORRELATION(ID4, "more", "    - many\n"));
	T_OK(refused_of(db, &up).n == 0);
	read_text("", CORRELATION(ID3, "many", "    - more\n"));
	struct yg_drule_set set = {.doc = &docs.list[0]};
	T_OK(yg_drule_change(&act, yg_id_sv(&c), 1, &set, &err) == YG_OK);
	T_NAMED(refused_of(db, &c).n > 0 && refused_of(db, &up).n > 0 &&
			refused_of(db, &base).n == 0,
		"a cycle refuses those in it alone");
	T_OK(listed(db, (struct yg_drule_filter){.refused = true}) == 2);
	T_OK(yg_drule_remove(&act, yg_id_sv(&up), &err) == YG_OK);
	T_OK(refused_of(db, &c).n > 0);
}

/* Of one id two organisations have a rule each: neither is in the other's way, nor known to it. */
static void test_others(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	const struct yg_reach in_alpha = yg_reach_one(&alpha), all = YG_REACH_ALL;
	struct yg_sv uid = YG_SV("");
	struct yg_id theirs = add(&act, "beta", RULE(ID1, "Theirs", "b.exe"));
	struct yg_id c = add(&act, "alpha", CORRELATION(ID3, "many", "    - " ID1 "\n"));
	T_NAMED(yg_sv_has(refused_of(db, &c), YG_SV("there is no rule")),
		"what another organisation has is not there");
	T_OK(yg_drule_of_id(db, YG_SV(ID1), &in_alpha, &arena, &uid, &err) == YG_NOTFOUND &&
	     yg_drule_of_id(db, YG_SV(ID1), &all, &arena, &uid, &err) == YG_OK &&
	     yg_sv_eq(uid, yg_id_sv(&theirs)));
	struct yg_id ours = add(&act, "alpha", RULE(ID1, "Ours", "a.exe"));
	T_NAMED(refused_of(db, &c).n == 0, "one's own is, whoever has one of that id");
	T_OK(yg_drule_of_id(db, YG_SV(ID1), &in_alpha, &arena, &uid, &err) == YG_OK &&
	     yg_sv_eq(uid, yg_id_sv(&ours)) &&
	     yg_drule_of_id(db, YG_SV(ID1), &all, &arena, &uid, &err) == YG_NOTFOUND);
	struct yg_id whole = add(&act, "", CORRELATION(ID4, "whole", "    - " ID1 "\n"));
	T_NAMED(yg_sv_has(refused_of(db, &whole), YG_SV("there is no rule")),
		"of rules of organisations one for all cannot be");
	struct yg_id shared = add(&act, "", RULE(ID1, "For all", "c.exe"));
	T_NAMED(refused_of(db, &whole).n == 0, "nor are they in its way");
	T_NAMED(yg_sv_has(refused_of(db, &c), YG_SV("is the name of 2 rules")),
		"but one for all and one's own are two");
	T_OK(yg_drule_remove(&act, yg_id_sv(&shared), &err) == YG_OK && refused_of(db, &c).n == 0 &&
	     refused_of(db, &whole).n > 0);
}

static void test_say(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_id one = add(&act, "", RULE(ID1, "One", "a.exe"));
	struct yg_detect_override o = {.rule = yg_id_sv(&one),
				       .org = alpha,
				       .stage = YG_STAGE_OFF,
				       .reason = YG_SV("noise")},
				  *olist = NULL;
	size_t n = 0;
	settle(db);
	T_OK(yg_detect_override_set(&act, &o, &err) == YG_OK && audited(db, "rule.override") &&
	     dirty(db));
	o.stage = YG_STAGE_AUDIT;
	o.expires.us = sim.wall.us + 1000000;
	T_OK(yg_detect_override_set(&act, &o, &err) == YG_OK);
	struct yg_detect_override_filter of = {
		.reach = YG_REACH_ALL, .rule = yg_id_sv(&one), .after = YG_SV(""), .limit = 1};
	T_OK(yg_detect_override_list(db, &of, &arena, &olist, &n, &err) == YG_OK && n == 1 &&
	     olist[0].stage == YG_STAGE_AUDIT && olist[0].expires.us == o.expires.us);
	struct yg_detect_override other = o;
	other.org = beta;
	T_OK(yg_detect_override_set(&act, &other, &err) == YG_OK);
	of.after = olist[0].org;
	T_NAMED(yg_detect_override_list(db, &of, &arena, &olist, &n, &err) == YG_OK && n == 1 &&
			yg_sv_eq(olist[0].org, beta),
		"the page behind");
	of.after = beta;
	T_OK(yg_detect_override_list(db, &of, &arena, &olist, &n, &err) == YG_OK && n == 0);
	of = (struct yg_detect_override_filter){.reach = yg_reach_one(&beta),
						.rule = yg_id_sv(&one),
						.after = YG_SV(""),
						.limit = 9};
	T_OK(yg_detect_override_list(db, &of, &arena, &olist, &n, &err) == YG_OK && n == 1);
	o.reason = YG_SV(" ");
	T_OK(yg_detect_override_set(&act, &o, &err) == YG_INVAL);
	o.reason = YG_SV("x");
	o.expires.us = 5;
	T_OK(yg_detect_override_set(&act, &o, &err) == YG_INVAL);
	o.expires.us = 0;
	o.org = YG_SV("nobody");
	T_OK(yg_detect_override_set(&act, &o, &err) == YG_NOTFOUND);
	T_OK(yg_detect_override_remove(&act, yg_id_sv(&one), alpha, &err) == YG_OK);
	T_OK(yg_detect_override_remove(&act, yg_id_sv(&one), alpha, &err) == YG_NOTFOUND);
}

#define T_TEXT(got, want) T_NAMED(strcmp(got, want) == 0, "sorted: " want)

/* Reasons of a list, a page of one at a time: "bca". */
static const char *excepted(struct yg_state *db, struct yg_detect_exception_filter f,
			    char out[static 16])
{
	struct yg_detect_exception *list = NULL;
	size_t n = 1, at = 0;
	f.reach = YG_REACH_ALL;
	f.now = sim.wall;
	f.limit = 1;
	while (n == 1 && at < 15 &&
	       yg_detect_exception_list(db, &f, &arena, &list, &n, &err) == YG_OK)
		if (n == 1) {
			out[at++] = list[0].reason.p[0];
			f.before = list[0].id;
			f.before_end = yg_detect_exception_end(&list[0]);
		}
	out[at] = '\0';
	return out;
}

static void test_exceptions_found(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_id one = add(&act, "", RULE(ID1, "One of them", "a.exe")), id;
	struct yg_detect_exception x[] = {
		{.reason = YG_SV_INIT("a 100%")},
		{.reason = YG_SV_INIT("b"), .expires = {sim.wall.us + 4000000}},
		{.reason = YG_SV_INIT("c"),
		 .rule = yg_id_sv(&one),
		 .expires = {sim.wall.us + 5000000}},
		{.reason = YG_SV_INIT("d"), .expires = {sim.wall.us + 1000000}}};
	char got[16];
	struct yg_detect_exception_filter f = {.limit = 0};
	for (size_t i = 0; i < YG_LEN(x); i++) {
		x[i].text = i == 1 ? YG_SV("s: {User: Backup}\ncondition: s")
				   : YG_SV("s: {User: other}\ncondition: s");
		sim.wall.us += 1000;
		T_OK(yg_detect_exception_add(&act, &x[i], &id, &err) == YG_OK);
	}
	sim.wall.us += 2000000;
	T_TEXT(excepted(db, f, got), "dcba");
	f.by_end = true;
	T_TEXT(excepted(db, f, got), "dbca");
	f.validity = YG_EXCEPTION_IN_FORCE;
	T_TEXT(excepted(db, f, got), "bca");
	f.by_end = false;
	f.validity = YG_EXCEPTION_EXPIRED;
	T_TEXT(excepted(db, f, got), "d");
	f.validity = YG_EXCEPTION_ANY;
	const struct {
		const char *part, *want;
	} parts[] = {{"bACKup", "b"}, {"of THEM", "c"}, {"0%", "a"}, {"%", "a"}, {"_", ""}};
	for (size_t i = 0; i < YG_LEN(parts); i++) {
		f.part = yg_sv_of(parts[i].part);
		T_NAMED(strcmp(excepted(db, f, got), parts[i].want) == 0, parts[i].part);
	}
	sim.wall.us -= 2000000;
}

static void test_exceptions(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_id one = add(&act, "", RULE(ID1, "One", "a.exe")), id;
	const struct yg_reach all = YG_REACH_ALL, of_beta = yg_reach_one(&beta);
	size_t n = 0;
	struct yg_detect_exception x = {.rule = yg_id_sv(&one),
					.org = alpha,
					.text = YG_SV("s: {User: backup}\ncondition: s"),
					.reason = YG_SV("the backup")},
				   got, *xlist = NULL;
	T_OK(yg_detect_exception_add(&act, &x, &id, &err) == YG_OK &&
	     audited(db, "rule_exception.add"));
	x.rule = x.org = YG_SV("");
	T_OK(yg_detect_exception_add(&act, &x, &id, &err) == YG_OK);
	T_OK(yg_detect_exception_list(
		     db, &(struct yg_detect_exception_filter){.reach = of_beta, .limit = 9}, &arena,
		     &xlist, &n, &err) == YG_OK &&
	     n == 1 && xlist[0].rule.n == 0);
	T_OK(yg_detect_exception_list(db,
				      &(struct yg_detect_exception_filter){
					      .reach = all, .rule = yg_id_sv(&one), .limit = 9},
				      &arena, &xlist, &n, &err) == YG_OK &&
	     n == 1);
	x.text = YG_SV("s: {User: backup}");
	T_OK(yg_detect_exception_add(&act, &x, &id, &err) == YG_PARSE);
	struct yg_sv text = YG_SV("s: {User: other}\ncondition: s"), bad = YG_SV("- x");
	struct yg_sv xid = yg_arena_dup(&arena, yg_id_sv(&id));
	struct yg_detect_exception_set set = {.text = &bad};
	T_OK(yg_detect_exception_change(&act, xid, 1, &set, &err) == YG_PARSE);
	set.text = &text;
	T_OK(yg_detect_exception_change(&act, xid, 9, &set, &err) == YG_CONFLICT);
	T_OK(yg_detect_exception_change(&act, xid, 1, &set, &err) == YG_OK &&
	     yg_detect_exception_get(db, xid, &arena, &got, &err) == YG_OK && got.version == 2 &&
	     yg_sv_eq(got.text, text));
	T_OK(yg_detect_exception_remove(&act, xid, &err) == YG_OK);
	T_OK(yg_detect_exception_remove(&act, xid, &err) == YG_NOTFOUND);
	T_NAMED(yg_org_remove(&act, alpha, &err) == YG_CONFLICT, "one that has exceptions");
	struct yg_purge_counts counts = {0};
	T_OK(yg_org_purge(&act, alpha, &(struct yg_purge_opts){0}, &counts, &err) == YG_OK);
	T_OK(yg_detect_exception_list(
		     db, &(struct yg_detect_exception_filter){.reach = all, .limit = 9}, &arena,
		     &xlist, &n, &err) == YG_OK &&
	     n == 0);
}

static void test_numbers(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_id one = add(&act, "", RULE(ID1, "One", "a.exe"));
	const struct yg_sv events[] = {YG_SV("0-1-1"), YG_SV("0-1-2")};
	struct yg_detect_stat s = {.rule = yg_id_sv(&one),
				   .org = alpha,
				   .at = sim.wall,
				   .looked_at = 100,
				   .hits = 2,
				   .excepted = 1,
				   .cost_ns = 1000,
				   .samples = events,
				   .sample_count = 2};
	const struct yg_reach all = YG_REACH_ALL, of_beta = yg_reach_one(&beta);
	struct yg_drule_numbers n[2];
	int64_t cost = 0;
	struct yg_detect_hour *hours = NULL;
	struct yg_detect_sample *samples = NULL;
	const struct yg_drule_hours_of of = {
		.rule = s.rule, .reach = all, .to = {sim.wall.us + 1}, .now = sim.wall};
	size_t count = 0;
	settle(db);
	struct yg_detect_stat sum = {.rule = YG_SV_INIT("")};
	for (int i = 0; i < 15; i++) {
		T_OK(yg_detect_stat_add(db, &s, &err) == YG_OK);
		yg_detect_stat_sum(&sum, &s);
	}
	T_OK(yg_detect_stat_add(db, &sum, &err) == YG_OK);
	s.at.us -= 3 * INT64_C(86400) * YG_US_PER_S;
	s.sample_count = 0;
	T_OK(yg_detect_stat_add(db, &s, &err) == YG_OK && !dirty(db));
	const struct yg_sv uids[] = {YG_SV("r-none"), s.rule};
	T_OK(yg_drule_numbers(db, uids, 2, &all, sim.wall, n, &err) == YG_OK &&
	     n[0].hits_30d == 0 && n[1].hits_24h == 30 && n[1].hits_30d == 32 &&
	     n[1].excepted_30d == 16 && n[1].cost_24h_ns == 15000 && n[1].last.us == sim.wall.us);
	T_OK(yg_drule_cost(db, &all, sim.wall, &cost, &err) == YG_OK && cost == 15000);
	T_OK(yg_drule_numbers(db, uids, 2, &of_beta, sim.wall, n, &err) == YG_OK &&
	     n[1].hits_30d == 0);
	T_OK(yg_drule_hours(db, &of, &arena, &hours, &count, &err) == YG_OK && count == 2 &&
	     hours[1].hits == 30);
	T_OK(yg_drule_samples(db, s.rule, &all, &arena, &samples, &count, &err) == YG_OK &&
	     count == YG_DRULE_SAMPLES && YG_SV_IS(samples[0].event, "0-1-2"));
	T_OK(yg_drule_samples(db, s.rule, &of_beta, &arena, &samples, &count, &err) == YG_OK &&
	     count == 0);
	T_OK(yg_detect_stat_stale(db, (yg_wall){sim.wall.us + 90 * INT64_C(86400) * YG_US_PER_S},
				  &err) == YG_OK);
	T_OK(yg_drule_hours(db, &of, &arena, &hours, &count, &err) == YG_OK && count == 1);
}

/* Titles of a list, a page of one at a time: "BAC". */
static const char *sorted(struct yg_state *db, struct yg_drule_filter f, char out[static 16])
{
	struct yg_drule *list = NULL;
	size_t n = 1, at = 0;
	f.now = sim.wall;
	f.limit = 1;
	while (n == 1 && at < 15 && yg_drule_list(db, &f, &arena, &list, &n, &err) == YG_OK)
		if (n == 1) {
			out[at++] = list[0].title.p[0];
			f.before = list[0].uid;
			f.before_key = list[0].sort_key;
		}
	out[at] = '\0';
	return out;
}

/* By what yg_drule_numbers() counts; of as many the newest first; within reach and its period. */
static void test_sorted(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_id a = add(&act, "", RULE(ID1, "A", "a.exe"));
	sim.wall.us += 1000;
	struct yg_id b = add(&act, "", RULE(ID2, "B", "b.exe"));
	sim.wall.us += 1000;
	(void)add(&act, "", RULE("9a4f0c0e-1111-4222-8333-444455556666", "C", "c.exe"));
	const struct {
		const struct yg_id *rule;
		struct yg_sv org;
		int64_t days;
		uint64_t hits, cost;
	} did[] = {{&a, alpha, 2, 5, 900}, {&a, beta, 0, 1, 10}, {&b, alpha, 0, 3, 70}};
	char got[16];
	struct yg_drule_filter f = {.reach = YG_REACH_ALL};
	for (size_t i = 0; i < YG_LEN(did); i++)
		T_OK(yg_detect_stat_add(db,
					&(struct yg_detect_stat){
						.rule = yg_id_sv(did[i].rule),
						.org = did[i].org,
						.at = {sim.wall.us - did[i].days * YG_US_PER_DAY},
						.hits = did[i].hits,
						.cost_ns = did[i].cost},
					&err) == YG_OK);
	T_TEXT(sorted(db, f, got), "CBA");
	f.sort = YG_DRULE_HITS;
	T_TEXT(sorted(db, f, got), "ABC");
	f.sort = YG_DRULE_COST; /* of a day: not the 900 of before */
	T_TEXT(sorted(db, f, got), "BAC");
	f.sort = YG_DRULE_LAST;
	T_TEXT(sorted(db, f, got), "BAC");
	f.reach = yg_reach_one(&beta);
	T_TEXT(sorted(db, f, got), "ACB");
	f.reach = (struct yg_reach){.all = true, .to = {sim.wall.us - YG_US_PER_DAY}};
	f.sort = YG_DRULE_HITS;
	T_TEXT(sorted(db, f, got), "");
	f.reach = YG_REACH_ALL;
	f.sort = YG_DRULE_FALSE;
	T_TEXT(sorted(db, f, got), "CBA");
	const struct yg_sv uids[] = {yg_id_sv(&a)};
	T_OK(yg_drule_run(
		     db,
		     "INSERT INTO alert (id, org, title, state, verdict, severity_id, confidence, indicator,"
		     " indicator_type, list, category, family, tlp, asset, count, created, updated, closed,"
		     " first_seen, last_seen) SELECT 'a-1', 'alpha', '', 'closed', 'false', 4, 100, $1, 'rule',"
		     " '', '', '', 'clear', '', 1, created, created, created, created, created"
		     " FROM detect_rule WHERE uid = $1",
		     uids, 1, &err) == YG_OK);
	T_TEXT(sorted(db, f, got), "ACB");
}

static bool covered(struct yg_state *db, const struct yg_reach *reach, yg_wall now, bool *data)
{
	struct yg_detect_cover *list = NULL;
	size_t n = 0;
	T_OK(yg_detect_covers(db, reach, YG_SV(""), now, &arena, &list, &n, &err) == YG_OK);
	*data = n == 1 && list[0].data;
	return n == 1;
}

/* A rule has data when its organisations have events of its log source, however new it is. */
static void test_data(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	const struct yg_reach all = YG_REACH_ALL, of_beta = yg_reach_one(&beta);
	const struct yg_detect_logsource dns = {YG_SV_INIT("dns"), YG_SV_INIT(""), YG_SV_INIT("")},
					 own = {YG_SV_INIT("process_creation"),
						YG_SV_INIT("windows"), YG_SV_INIT("sysmon")};
	bool data;
	T_OK(yg_detect_source_add(db, alpha, &dns, sim.wall, &err) == YG_OK);
	(void)add(&act, "", RULE(ID1, "One", "a.exe"));
	T_NAMED(covered(db, &all, sim.wall, &data) && !data, "not of another log source");
	T_OK(yg_detect_source_add(db, alpha, &own, sim.wall, &err) == YG_OK &&
	     yg_detect_source_add(db, alpha, &own, sim.wall, &err) == YG_OK);
	T_NAMED(covered(db, &all, sim.wall, &data) && data, "of its log source");
	T_NAMED(covered(db, &of_beta, sim.wall, &data) && !data, "not those of others");
	const yg_wall later = {sim.wall.us + 31 * INT64_C(86400) * YG_US_PER_S};
	T_NAMED(covered(db, &all, later, &data) && !data, "within thirty days");
	T_OK(yg_detect_stat_stale(db, (yg_wall){later.us + 62 * INT64_C(86400) * YG_US_PER_S},
				  &err) == YG_OK);
	T_OK(covered(db, &all, sim.wall, &data) && !data);
}

static yg_status count_one(void *ctx, const struct yg_drule *r, struct yg_err *e)
{
	size_t *n = ctx;
	(void)e;
	*n += r->text.n > 0;
	return YG_OK;
}

static void test_each(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_id one = add(&act, "", RULE(ID1, "One", "a.exe"));
	enum yg_detect_stage off = YG_STAGE_OFF;
	struct yg_drule_set set = {.stage = &off};
	struct yg_org below = {.slug = YG_SV("below"), .parent = alpha};
	size_t n = 0;
	T_OK(yg_detect_rules_each(db, count_one, &n, &err) == YG_OK && n == 1);
	T_OK(yg_drule_change(&act, yg_id_sv(&one), YG_ANY_VERSION, &set, &err) == YG_OK);
	n = 0;
	T_OK(yg_detect_rules_each(db, count_one, &n, &err) == YG_OK && n == 0);
	struct yg_detect_override o = {.rule = yg_id_sv(&one),
				       .org = alpha,
				       .stage = YG_STAGE_LIVE,
				       .reason = YG_SV("we want it")};
	T_OK(yg_detect_override_set(&act, &o, &err) == YG_OK);
	T_OK(yg_detect_rules_each(db, count_one, &n, &err) == YG_OK && n == 1);
	settle(db);
	T_OK(yg_org_add(&act, &below, &err) == YG_OK && dirty(db));
	settle(db);
	T_NAMED(yg_org_change(&act, YG_SV("below"), YG_ANY_VERSION,
			      &(struct yg_org_edit){.parent = &beta, .prefecture = -1},
			      &err) == YG_OK &&
			dirty(db),
		"a changed tree is a change");
}

static size_t compiled(struct yg_state *db, const char *dir, uint64_t *generation)
{
	struct yg_act act = yg_act_make(db, &env, YG_SV("system"));
	struct yg_detect_compiled out = {.generation = 0};
	struct yg_ruleset *set = NULL;
	char path[128];
	size_t n = 9999;
	T_OK(yg_detect_compile(&act, dir, &out, &err) == YG_OK && audited(db, "rule.compile"));
	(void)snprintf(path, sizeof path, "%s/%s", dir, out.file);
	YG_AUTO(yg_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	T_OK(out.generation > *generation);
	*generation = out.generation;
	if (fd >= 0 && yg_ruleset_open_fd(fd, 0, &set, &err) == YG_OK)
		n = yg_ruleset_count(set);
	yg_ruleset_free(set);
	return n;
}

static void test_compile(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	char dir[] = "/tmp/yg-detect-XXXXXX", path[128];
	uint64_t generation = 0;
	struct yg_id one = add(&act, "", RULE(ID1, "One", "a.exe"));
	T_OK(mkdtemp(dir) != NULL);
	T_OK(compiled(db, dir, &generation) == 1 && !dirty(db));
	(void)add(&act, "alpha", RULE(ID2, "Two", "b.exe"));
	struct yg_id many = add(&act, "", CORRELATION(ID3, "many", "    - " ID1 "\n"));
	T_OK(dirty(db) && compiled(db, dir, &generation) == 2 && generation == 2);
	enum yg_detect_stage off = YG_STAGE_OFF;
	struct yg_drule_set set = {.stage = &off};
	T_OK(yg_drule_change(&act, yg_id_sv(&one), YG_ANY_VERSION, &set, &err) == YG_OK);
	T_OK(yg_drule_refuse(db, yg_id_sv(&one), YG_SV("of before"), &err) == YG_OK);
	T_OK(compiled(db, dir, &generation) == 1);
	struct yg_detect_override o = {.rule = yg_id_sv(&one),
				       .org = alpha,
				       .stage = YG_STAGE_LIVE,
				       .reason = YG_SV("we want it")};
	T_OK(yg_detect_override_set(&act, &o, &err) == YG_OK);
	T_OK(compiled(db, dir, &generation) == 2 && refused_of(db, &one).n == 0);
	T_OK(yg_drule_refuse(db, yg_id_sv(&many), YG_SV("of before"), &err) == YG_OK);
	(void)compiled(db, dir, &generation);
	T_NAMED(refused_of(db, &many).n == 0, "of a correlation, too, that can be compiled now");
	for (uint64_t g = 1; g <= generation; g++) {
		(void)snprintf(path, sizeof path, "%s/detect-%llu.ygs", dir, (unsigned long long)g);
		T_OK((access(path, F_OK) == 0) == (g + 2 >= generation));
		(void)unlink(path);
	}
	T_NAMED(yg_detect_compile(&act, "/nowhere", &(struct yg_detect_compiled){0}, &err) ==
				YG_IO &&
			dirty(db),
		"a failed one is tried again");
	(void)snprintf(path, sizeof path, "%s/detect-current", dir);
	(void)unlink(path);
	(void)rmdir(dir);
}

/* The one rule in the list, as `f` shows it. */
static struct yg_drule shown(struct yg_state *db, struct yg_drule_filter f)
{
	struct yg_drule *list = NULL;
	size_t n = 0;
	f.limit = 10;
	T_OK(yg_drule_list(db, &f, &arena, &list, &n, &err) == YG_OK && n == 1);
	return n == 1 ? list[0] : (struct yg_drule){.version = 0};
}

static void test_in_force(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	const struct yg_org under = {.slug = inner, .parent = alpha};
	T_OK(yg_org_add(&act, &under, &err) == YG_OK);
	struct yg_id one = add(&act, "", RULE(ID1, "One", "a.exe"));
	const struct yg_detect_override o = {.rule = yg_id_sv(&one),
					     .org = alpha,
					     .stage = YG_STAGE_OFF,
					     .reason = YG_SV("noise"),
					     .expires = {sim.wall.us + YG_US_PER_DAY}};
	T_OK(yg_detect_override_set(&act, &o, &err) == YG_OK);
	const struct yg_reach of_inner = yg_reach_one(&inner), of_beta = yg_reach_one(&beta);
	struct yg_drule_filter f = {
		.reach = of_inner, .above = true, .org = inner, .now = sim.wall};
	T_NAMED(shown(db, f).in_force == YG_STAGE_OFF && shown(db, f).stage == YG_STAGE_TEST,
		"the nearest node says which stage is in force");
	f.stages = 1u << YG_STAGE_TEST;
	T_NAMED(listed(db, f) == 0, "and is found by that");
	f.now.us += 2 * YG_US_PER_DAY;
	T_NAMED(listed(db, f) == 1, "while it has not expired");
	f = (struct yg_drule_filter){.reach = of_beta, .above = true, .org = beta, .now = sim.wall};
	T_OK(shown(db, f).in_force == YG_STAGE_TEST);
	f = (struct yg_drule_filter){.reach = YG_REACH_ALL, .now = sim.wall};
	T_OK(shown(db, f).in_force == YG_STAGE_TEST);
	struct yg_drule r = {.uid = yg_id_sv(&one)};
	T_OK(yg_drule_in_force(db, &of_inner, inner, sim.wall, &r, &err) == YG_OK &&
	     r.in_force == YG_STAGE_OFF);
	struct yg_detect_override *said = NULL;
	size_t n = 0;
	T_NAMED(listed_stages(db, r.uid, &of_inner, &said, &n) == YG_OK && n == 1 &&
			yg_sv_eq(said[0].org, alpha),
		"what a node above says is listed below it");
	T_OK(listed_stages(db, r.uid, &of_beta, &said, &n) == YG_OK && n == 0);
}

static void test_exceptions_above(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	const struct yg_org under = {.slug = inner, .parent = alpha};
	T_OK(yg_org_add(&act, &under, &err) == YG_OK);
	struct yg_id one = add(&act, "", RULE(ID1, "One", "a.exe")),
		     own = add(&act, "alpha", RULE(ID2, "Two", "b.exe")), id;
	struct yg_detect_exception x = {.rule = yg_id_sv(&one),
					.org = alpha,
					.text = YG_SV("s: {User: backup}\ncondition: s"),
					.reason = YG_SV("the backup")},
				   *list = NULL;
	size_t n = 0;
	T_OK(yg_detect_exception_add(&act, &x, &id, &err) == YG_OK);
	struct yg_detect_exception_filter f = {.reach = yg_reach_one(&inner), .limit = 9};
	T_NAMED(yg_detect_exception_list(db, &f, &arena, &list, &n, &err) == YG_OK && n == 1 &&
			YG_SV_IS(list[0].rule_title, "One"),
		"an exception of a node above is listed, with the rule's title");
	x.rule = yg_id_sv(&own);
	x.org = YG_SV("");
	T_OK(yg_detect_exception_add(&act, &x, &id, &err) == YG_OK);
	T_OK(yg_detect_exception_list(db, &f, &arena, &list, &n, &err) == YG_OK && n == 2);
	f.reach = yg_reach_one(&beta);
	T_NAMED(yg_detect_exception_list(db, &f, &arena, &list, &n, &err) == YG_OK && n == 0,
		"one that is for all, from a rule that is not, is not for others");
}

/* Of a period that has ended everything is as it stood then. */
static void test_period(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	const yg_wall before = sim.wall;
	sim.wall.us -= sim.wall.us % (3600 * YG_US_PER_S) + 7200 * YG_US_PER_S;
	struct yg_id one = add(&act, "", RULE(ID1, "One", "a.exe"));
	const struct yg_sv uid = yg_id_sv(&one), events[] = {YG_SV("0-1-1")};
	struct yg_detect_stat s = {.rule = uid,
				   .org = alpha,
				   .at = sim.wall,
				   .hits = 2,
				   .cost_ns = 10,
				   .samples = events,
				   .sample_count = 1};
	struct yg_detect_stat all = {.rule = YG_SV("")};
	yg_detect_stat_sum(&all, &s);
	T_OK(yg_detect_stat_add(db, &s, &err) == YG_OK &&
	     yg_detect_stat_add(db, &all, &err) == YG_OK);
	const yg_wall end = {sim.wall.us + 3600 * YG_US_PER_S};
	sim.wall = s.at = end;
	all.at = end;
	T_OK(yg_detect_stat_add(db, &s, &err) == YG_OK &&
	     yg_detect_stat_add(db, &all, &err) == YG_OK);
	const struct yg_detect_override o = {
		.rule = uid, .org = alpha, .stage = YG_STAGE_OFF, .reason = YG_SV("later")};
	T_OK(yg_detect_override_set(&act, &o, &err) == YG_OK);
	enum yg_detect_stage live = YG_STAGE_LIVE;
	read_text("", "title: Later\nid: " ID1 "\nlevel: low\nlogsource: {product: linux}\n"
		      "detection: {s: {a: 1}, condition: s}\n");
	struct yg_drule_set set = {.doc = &docs.list[0], .stage = &live};
	T_OK(yg_drule_change(&act, uid, 1, &set, &err) == YG_OK);
	struct yg_id two = add(&act, "", RULE(ID2, "Two", "b.exe"));
	const struct yg_reach then = {.all = true, .from = {1}, .to = end};
	struct yg_drule_filter f = {.reach = then, .org = alpha, .now = before};
	struct yg_drule r = shown(db, f);
	T_NAMED(yg_sv_eq(r.uid, uid) && !yg_sv_eq(r.uid, yg_id_sv(&two)) && r.version == 1 &&
			YG_SV_IS(r.title, "One") && r.stage == YG_STAGE_TEST &&
			r.in_force == YG_STAGE_TEST,
		"a rule as it stood; one made later is not there");
	T_NAMED(r.level == YG_SIGMA_HIGH && YG_SV_IS(r.product, "windows") &&
			yg_sv_has(r.tags, YG_SV("t1059.001")) && r.updated.us < end.us,
		"with what its text said then");
	f.stages = 1u << YG_STAGE_LIVE;
	T_OK(listed(db, f) == 0);
	T_OK(yg_drule_get(db, uid, &arena, &r, &err) == YG_OK &&
	     yg_drule_as_of(db, end.us, &arena, &r, &err) == YG_OK &&
	     yg_sv_has(r.text, YG_SV("a.exe")));
	struct yg_drule_numbers n = {.hits_30d = 0};
	struct yg_detect_hour *hours = NULL;
	struct yg_detect_sample *samples = NULL;
	struct yg_detect_override *said = NULL;
	struct yg_detect_cover *covers = NULL;
	size_t count = 0;
	int64_t cost = 0;
	T_NAMED(yg_drule_numbers(db, &uid, 1, &then, before, &n, &err) == YG_OK &&
			n.hits_30d == 2 && n.hits_24h == 2 && n.cost_24h_ns == 10 &&
			n.last.us < end.us &&
			yg_drule_cost(db, &then, before, &cost, &err) == YG_OK && cost == 10,
		"numbers are of the period, up to its end");
	const struct yg_drule_hours_of of = {
		.rule = uid, .reach = then, .to = before, .now = before};
	T_OK(yg_drule_hours(db, &of, &arena, &hours, &count, &err) == YG_OK && count == 1);
	T_OK(yg_drule_samples(db, uid, &then, &arena, &samples, &count, &err) == YG_OK &&
	     count == 1 && samples[0].at.us < end.us);
	T_OK(listed_stages(db, uid, &then, &said, &count) == YG_OK && count == 0);
	T_OK(yg_detect_covers(db, &then, alpha, before, &arena, &covers, &count, &err) == YG_OK &&
	     count == 1 && covers[0].stage == YG_STAGE_TEST && covers[0].hits_30d == 2);
	sim.wall = before;
}

int main(void)
{
	env = yg_env_sim(&sim);
	yg_arena_init(&arena, 64 << 20);
	test_documents();
	test_exception_text();
	test_rules();
	test_import();
	test_without_id();
	test_references();
	test_others();
	test_say();
	test_exceptions();
	test_exceptions_found();
	test_numbers();
	test_sorted();
	test_data();
	test_in_force();
	test_exceptions_above();
	test_period();
	test_each();
	test_compile();
	yg_detect_documents_free(&docs);
	yg_arena_free(&arena);
	return tap_done();
}
