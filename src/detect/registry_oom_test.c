#include <dirent.h>

#include "detect/hunt_state.h"
#include "detect/registry.h"
#include "oom.h"
#include "org/organisation.h"

#define TEXT                                                                                       \
	"title: One\nid: 11111111-1111-4111-8111-111111111111\ntags: [attack.t1059]\n"             \
	"logsource: {product: windows}\ndetection:\n  s: {Image: a}\n  condition: s\n"
#define LIVE(id)                                                                                   \
	"title: L\nid: " id "\nlogsource: {product: windows}\n"                                    \
	"detection:\n  s: {Image|contains: b}\n  condition: s\n"
#define OTHER                                                                                      \
	"title: Two\nid: 22222222-2222-4222-8222-222222222222\n"                                   \
	"correlation: {type: event_count, rules: [11111111-1111-4111-8111-111111111111],"          \
	" group-by: [User], timespan: 1m, condition: {gte: 3}}\n"

static struct yg_env_sim sim = {.wall = {1700000000000000}, .seed = 5};
static struct yg_env env;
static struct yg_err err;
static char one[64], but[64];

static struct yg_act act_of(struct yg_state *db)
{
	return yg_act_make(db, &env, YG_SV("local:0"));
}

static yg_status import(struct yg_state *db, struct yg_sb *seen)
{
	YG_AUTO(yg_detect_documents_free) struct yg_detect_documents d = {.count = 0};
	struct yg_act act = act_of(db);
	struct yg_drule_imported n;
	const struct yg_drule_place at = {.collection = YG_SV("x"), .stage = YG_STAGE_LIVE};
	(void)seen;
	yg_status st = yg_detect_documents_begin(&d, &env, &err);
	if (st == YG_OK)
		st = yg_detect_documents_add(&d, YG_SV("a"), YG_SV(TEXT "---\n" OTHER), &err);
	if (st == YG_OK && d.count != 2)
		return YG_INTERNAL;
	return st == YG_OK ? yg_drule_import(&act, &at, &d, &n, &err) : st;
}

static yg_status change(struct yg_state *db, struct yg_sb *seen)
{
	YG_AUTO(yg_detect_documents_free) struct yg_detect_documents d = {.count = 0};
	struct yg_act act = act_of(db);
	enum yg_detect_stage stage = YG_STAGE_AUDIT;
	(void)seen;
	yg_status st = yg_detect_documents_begin(&d, &env, &err);
	if (st == YG_OK)
		st = yg_detect_documents_add(&d, YG_SV("a"), YG_SV(TEXT "# more\nlevel: low\n"),
					     &err);
	if (st != YG_OK || d.count != 1)
		return st == YG_OK ? YG_INTERNAL : st;
	struct yg_drule_set set = {.doc = &d.list[0], .stage = &stage};
	return yg_drule_change(&act, yg_sv_of(one), 1, &set, &err);
}

static yg_status remove_one(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	(void)seen;
	return yg_drule_remove(&act, yg_sv_of(one), &err);
}

static yg_status override(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	const struct yg_detect_override o = {.rule = yg_sv_of(one),
					     .org = YG_SV("alpha"),
					     .stage = YG_STAGE_OFF,
					     .reason = YG_SV("noise")};
	(void)seen;
	return yg_detect_override_set(&act, &o, &err);
}

static yg_status except(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	struct yg_id id;
	const struct yg_detect_exception x = {.rule = yg_sv_of(one),
					      .org = YG_SV("alpha"),
					      .text = YG_SV("s: {a: 1}\ncondition: s"),
					      .reason = YG_SV("known")};
	(void)seen;
	return yg_detect_exception_add(&act, &x, &id, &err);
}

static yg_status unexcept(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	(void)seen;
	return yg_detect_exception_remove(&act, yg_sv_of(but), &err);
}

static yg_status list(struct yg_state *db, struct yg_sb *seen)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_drule *rules = NULL;
	struct yg_detect_cover *covers = NULL;
	size_t n = 0, cn = 0;
	const struct yg_reach all = YG_REACH_ALL;
	yg_arena_init(&arena, 1 << 20);
	const struct yg_drule_filter f = {.reach = all, .part = YG_SV("one"), .limit = 10};
	yg_status st = yg_drule_list(db, &f, &arena, &rules, &n, &err);
	for (size_t i = 0; st == YG_OK && i < n; i++)
		yg_sb_put(seen, rules[i].title);
	if (st == YG_OK)
		st = yg_detect_covers(db, &all, YG_SV("alpha"), sim.wall, &arena, &covers, &cn,
				      &err);
	for (size_t i = 0; st == YG_OK && i < cn; i++)
		yg_sb_put(seen, covers[i].tags);
	return st;
}

static yg_status hunt(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	struct yg_id job;
	const struct yg_sv items[] = {YG_SV("fqdn a.example"), YG_SV("fqdn b.example")};
	const struct yg_hunt h = {
		.what = YG_HUNT_INDICATOR, .org = YG_SV("alpha"), .name = YG_SV(""), .to = {5}};
	(void)seen;
	return yg_hunt_add(&act, &h, items, 2, &job, &err);
}

static yg_status mark(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_sv uid = yg_sv_of(one);
	const struct yg_hunt_rules_new rules = {.org = YG_SV(""), .uids = &uid, .n = 1};
	struct yg_tx tx;
	(void)seen;
	yg_status st = yg_tx_begin(&tx, db, &err);
	if (st != YG_OK)
		return st;
	st = yg_hunt_mark(db, 7, sim.wall, &err);
	if (st == YG_OK)
		st = yg_hunt_mark_rules(db, &rules, sim.wall, &err);
	return yg_tx_end(&tx, st, &err);
}

static yg_status again(struct yg_state *db, struct yg_sb *seen)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_hunt_rules_new rules;
	struct yg_sv *ids = NULL, list = YG_SV("");
	int64_t entries = 0;
	size_t n = 0;
	yg_arena_init(&arena, 8u << 20);
	yg_status st = yg_hunt_again(db, sim.wall, &arena, &ids, &n, &err);
	if (st == YG_OK)
		st = yg_hunt_again_list(db, &arena, &list, &entries, &err);
	if (st == YG_OK)
		st = yg_hunt_new_rules(db, YG_HUNT_RULE, sim.wall, &arena, &rules, &err);
	yg_sb_printf(seen, "%zu %zu ", n, st == YG_OK ? rules.n : 0);
	yg_sb_put(seen, list);
	return st;
}

/* ---- compiled ---- */

static char folder[96];

/* Files of the folder; those with that end. */
static unsigned files_of(const char *end)
{
	DIR *d = opendir(folder);
	unsigned n = 0;
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.' && yg_sv_ends(yg_sv_of(e->d_name), yg_sv_of(end));
	if (d != NULL)
		(void)closedir(d);
	return n;
}

static void empty_folder(void)
{
	DIR *d = opendir(folder);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		char path[400];
		(void)snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		if (e->d_name[0] != '.')
			(void)unlink(path);
	}
	if (d != NULL)
		(void)closedir(d);
}

/* Whole or not at all: no part of a file, one that is pointed at can be opened, and what did not
 * come to an end is asked for again. */
static yg_status compile(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = act_of(db);
	struct yg_detect_compiled out = {.generation = 0};
	(void)seen;
	empty_folder();
	err = (struct yg_err){0};
	yg_status st = yg_detect_compile(&act, folder, &out, &err);
	long left = oom_left;
	bool dirty = false, pointed = files_of("detect-current") > 0;
	oom_left = -1;
	bool good = files_of(".tmp") == 0 && files_of(".ygs") == pointed &&
		    (!pointed || yg_detect_usable(folder)) &&
		    yg_detect_dirty(db, &dirty, NULL) == YG_OK && dirty == (st != YG_OK) &&
		    (st == YG_OK || err.msg[0] != '\0');
	if (st == YG_OK) /* the one that cannot be has its reason */
		good = good && pointed && out.stats.rules == 1 && out.stats.refused == 1 &&
		       oom_one(db, "SELECT count(*) FROM detect_rule WHERE refused <> ''") == 1;
	oom_left = left;
	if (!good)
		(void)printf("# %s '%s': %u %u %u dirty %d\n", yg_status_name(st), err.msg,
			     files_of(".tmp"), files_of(".ygs"), pointed, dirty);
	return good ? st : YG_INTERNAL;
}

static bool add_live(struct yg_act *act, const char *text, struct yg_id *id)
{
	YG_AUTO(yg_detect_documents_free) struct yg_detect_documents d = {.count = 0};
	const struct yg_drule_place at = {.collection = YG_SV("live"), .stage = YG_STAGE_LIVE};
	return yg_detect_documents_begin(&d, &env, &err) == YG_OK &&
	       yg_detect_documents_add(&d, YG_SV(""), yg_sv_of(text), &err) == YG_OK &&
	       d.count == 1 && yg_drule_add(act, &at, &d.list[0], id, &err) == YG_OK;
}

/* A rule that is live, and one that is refused when it is compiled: another version kept it. */
static bool make_live(struct yg_act *act)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_id good, bad;
	bool row = false;
	if (!add_live(act, LIVE("44444444-4444-4444-8444-444444444444"), &good) ||
	    !add_live(act, LIVE("55555555-5555-4555-8555-555555555555"), &bad) ||
	    yg_state_prepare(
		    act->db,
		    YG_SQL("UPDATE detect_rule_text SET text = 'title: x' WHERE rule = $1"), &s,
		    &err) != YG_OK)
		return false;
	yg_stmt_text(s, 1, yg_id_sv(&bad));
	return yg_stmt_step(s, &row, &err) == YG_OK;
}

static bool make_base(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = NULL;
	YG_AUTO(yg_detect_documents_free) struct yg_detect_documents d = {.count = 0};
	struct yg_org a = {.slug = YG_SV("alpha")};
	struct yg_id id = {{0}};
	if (yg_state_open(oom_base, &db, &err) != YG_OK || yg_state_migrate(db, &err) != YG_OK)
		return false;
	struct yg_act act = act_of(db);
	if (yg_org_add(&act, &a, &err) != YG_OK ||
	    yg_detect_documents_begin(&d, &env, &err) != YG_OK ||
	    yg_detect_documents_add(&d, YG_SV(""), YG_SV(TEXT), &err) != YG_OK || d.count != 1 ||
	    yg_drule_add(&act, &(struct yg_drule_place){.collection = YG_SV("own")}, &d.list[0],
			 &id, &err) != YG_OK)
		return false;
	(void)snprintf(one, sizeof one, "%s", id.s);
	const struct yg_detect_exception x = {.rule = yg_sv_of(one),
					      .text = YG_SV("s: {a: 2}\ncondition: s"),
					      .reason = YG_SV("known")};
	if (yg_detect_exception_add(&act, &x, &id, &err) != YG_OK)
		return false;
	(void)snprintf(but, sizeof but, "%s", id.s);
	return make_live(&act);
}

int main(void)
{
	static const struct oom_case cases[] = {
		{"rules are imported", import, OOM_CHANGES},
		{"a rule is changed", change, OOM_CHANGES},
		{"a rule is removed", remove_one, OOM_CHANGES},
		{"a stage of an organisation", override, OOM_CHANGES},
		{"an exception is added", except, OOM_CHANGES},
		{"an exception is removed", unexcept, OOM_CHANGES},
		{"rules are listed", list, OOM_READS},
		{"a hunt is ordered", hunt, OOM_CHANGES},
		{"what was looked for is marked", mark, OOM_CHANGES},
		{"what hunts by themselves are for", again, OOM_READS},
		{"rules are compiled", compile, OOM_STEPS},
	};
	env = yg_env_sim(&sim);
	oom_init();
	oom_files();
	(void)snprintf(folder, sizeof folder, "%s/compiled", oom_dir);
	T_OK(mkdir(folder, 0700) == 0 && make_base());
	for (size_t i = 0; i < YG_LEN(cases); i++)
		oom_try(&cases[i]);
	empty_folder();
	T_OK(rmdir(folder) == 0);
	oom_files_end();
	return tap_done();
}
