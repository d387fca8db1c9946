#include "intel/registry.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "intel/match.h"
#include "org/audit_log.h"
#include "org/organisation.h"
#include "os/file.h"
#include "store/compiled.h"
#include "tap.h"

static struct yg_env_sim sim = {.wall = {1700000000000000}, .seed = 3};
static struct yg_env env;
static struct yg_arena arena;
static struct yg_err err;
static char root[] = "/tmp/yg-registry-XXXXXX";

static struct yg_state *fresh(void)
{
	struct yg_state *db = NULL;
	if (yg_state_open(":memory:", &db, &err) != YG_OK || yg_state_migrate(db, &err) != YG_OK)
		(void)printf("# %s\n", err.msg);
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_org a = {.slug = YG_SV("alpha")}, b = {.slug = YG_SV("beta")};
	if (yg_org_add(&act, &a, &err) != YG_OK || yg_org_add(&act, &b, &err) != YG_OK)
		(void)printf("# %s\n", err.msg);
	return db;
}

static const struct yg_sv alpha = YG_SV_INIT("alpha"), beta = YG_SV_INIT("beta");

/* Empty: everything. */
static struct yg_reach reach_of(const struct yg_sv *org)
{
	return org->n > 0 ? yg_reach_one(org) : YG_REACH_ALL;
}

static bool audited(struct yg_state *db, const char *action)
{
	struct yg_audit_entry *e;
	size_t n;
	struct yg_audit_filter f = {.reach = YG_REACH_ALL, .limit = 1};
	return yg_audit_list(db, &f, &arena, &e, &n, &err) == YG_OK && n == 1 &&
	       yg_sv_eq(e->action, yg_sv_of(action));
}

static struct yg_id add_list(struct yg_act *act, const char *name, const char *org)
{
	struct yg_list l = {.name = yg_sv_of(name),
			    .org = yg_sv_of(org),
			    .tlp = YG_TLP_AMBER,
			    .confidence = 70,
			    .category = YG_SV("malware"),
			    .enabled = true};
	struct yg_id id = {{0}};
	T_OK(yg_list_add(act, &l, &id, &err) == YG_OK);
	return id;
}

static struct yg_indicator entry(enum yg_indicator_type type, const char *value)
{
	return (struct yg_indicator){.type = type, .value = yg_sv_of(value)};
}

static void test_lists(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_id id = add_list(&act, "maltrail", ""), own = add_list(&act, "own", "alpha"),
		     none;
	struct yg_list l, *list;
	size_t n;
	struct yg_list bad = {.name = YG_SV("maltrail"), .tlp = YG_TLP_RED, .enabled = true};
	T_OK(yg_list_add(&act, &bad, &none, &err) == YG_CONFLICT);
	bad.name = YG_SV("a b");
	T_OK(yg_list_add(&act, &bad, &none, &err) == YG_INVAL);
	bad = (struct yg_list){.name = YG_SV("x"), .tlp = YG_TLP_RED, .org = YG_SV("nobody")};
	T_OK(yg_list_add(&act, &bad, &none, &err) == YG_NOTFOUND);
	T_OK(yg_list_get(db, YG_SV("maltrail"), &arena, &l, &err) == YG_OK &&
	     yg_sv_eq(l.uid, yg_id_sv(&id)) && l.enabled && l.confidence == 70 &&
	     l.tlp == YG_TLP_AMBER);
	T_OK(yg_list_list(db, &(struct yg_reach){.orgs = &beta, .org_count = 1}, YG_SV(""), 10,
			  &arena, &list, &n, &err) == YG_OK &&
	     n == 1);
	T_OK(yg_list_list(db, &(struct yg_reach){.orgs = &alpha, .org_count = 1}, YG_SV(""), 10,
			  &arena, &list, &n, &err) == YG_OK &&
	     n == 2);
	struct yg_list_set set = {.confidence = 20, .enabled = 0};
	T_OK(yg_list_change(&act, yg_id_sv(&own), 7, &set, &err) == YG_CONFLICT);
	T_OK(yg_list_change(&act, yg_id_sv(&own), 1, &set, &err) == YG_OK &&
	     audited(db, "list.update"));
	T_OK(yg_list_get(db, YG_SV("own"), &arena, &l, &err) == YG_OK && l.confidence == 20 &&
	     !l.enabled && l.version == 2);
	set.confidence = 101;
	T_OK(yg_list_change(&act, yg_id_sv(&own), YG_ANY_VERSION, &set, &err) == YG_INVAL);
	T_OK(yg_list_remove(&act, yg_id_sv(&own), NULL, NULL, &err) == YG_OK &&
	     audited(db, "list.remove"));
	T_OK(yg_list_get(db, YG_SV("own"), &arena, &l, &err) == YG_NOTFOUND);
}

static void test_entries(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_sv list = YG_SV("l1");
	struct yg_indicator_row r, *rows;
	size_t n;
	int64_t id = 0, id2 = 0;
	bool dirty = true;
	(void)add_list(&act, "l1", "");
	(void)add_list(&act, "l2", "alpha");
	T_OK(yg_registry_dirty(db, &dirty, &err) == YG_OK && !dirty);
	struct yg_indicator i = entry(YG_IND_DOMAIN, "EVIL[.]Example.");
	T_OK(yg_indicator_add(&act, list, &i, false, &id, &err) == YG_OK &&
	     audited(db, "indicator.add"));
	T_OK(yg_indicator_add(&act, list, &i, false, &id2, &err) == YG_CONFLICT);
	T_OK(yg_registry_dirty(db, &dirty, &err) == YG_OK && dirty);
	T_OK(yg_indicator_get(db, id, &arena, &r, &err) == YG_OK &&
	     YG_SV_IS(r.ind.value, "evil.example") && r.ind.confidence == 70 &&
	     r.ind.tlp == YG_TLP_AMBER && YG_SV_IS(r.ind.category, "malware") &&
	     r.ind.severity_id == yg_category_severity(YG_SV("malware")));
	/* what covers too much */
	struct yg_indicator wide = entry(YG_IND_DOMAIN, "co.jp"),
			    huge = entry(YG_IND_IP, "10.0.0.0/7"),
			    bad = entry(YG_IND_IP, "10.0.0.1/8");
	T_OK(yg_indicator_add(&act, list, &wide, false, &id2, &err) == YG_DENIED &&
	     yg_indicator_add(&act, list, &huge, false, &id2, &err) == YG_DENIED);
	T_OK(yg_indicator_add(&act, list, &wide, true, &id2, &err) == YG_OK);
	T_OK(yg_indicator_add(&act, list, &bad, true, &id2, &err) == YG_PARSE);
	i = entry(YG_IND_IP, "192.0.2.1");
	i.confidence = 10;
	i.tlp = YG_TLP_RED;
	i.severity_id = 2;
	i.category = YG_SV("scanner");
	T_OK(yg_indicator_add(&act, YG_SV("l2"), &i, false, &id2, &err) == YG_OK &&
	     yg_indicator_get(db, id2, &arena, &r, &err) == YG_OK && r.ind.confidence == 10 &&
	     r.ind.tlp == YG_TLP_RED && r.ind.severity_id == 2 && YG_SV_IS(r.ind.org, "alpha"));
	/* search: any spelling, prefix, list, type, organisation */
	static const struct {
		const char *value, *list, *org;
		enum yg_indicator_type type;
		size_t n;
	} asks[] = {{"", "", "", YG_IND_NONE, 3},
		    {"EVIL.example", "", "", YG_IND_NONE, 1},
		    {"evil*", "", "", YG_IND_NONE, 1},
		    {"e*", "l2", "", YG_IND_NONE, 0},
		    {"", "l2", "", YG_IND_NONE, 1},
		    {"", "", "beta", YG_IND_NONE, 2},
		    {"", "", "", YG_IND_IP, 1},
		    {"192.0.2.1", "", "alpha", YG_IND_NONE, 1},
		    {"nothing.example", "", "", YG_IND_NONE, 0}};
	for (size_t k = 0; k < YG_LEN(asks); k++) {
		struct yg_sv org = yg_sv_of(asks[k].org);
		struct yg_indicator_filter f = {.value = yg_sv_of(asks[k].value),
						.list = yg_sv_of(asks[k].list),
						.reach = reach_of(&org),
						.type = asks[k].type,
						.limit = 10};
		T_OK(yg_indicator_list(db, &f, &arena, &rows, &n, &err) == YG_OK && n == asks[k].n);
	}
	/* a part of the value; % and _ are themselves */
	static const struct {
		const char *part;
		size_t n;
	} parts[] = {{"vil.exam", 1}, {"VIL.EXAM", 1}, {".2.", 1}, {"%", 0}, {"e_il", 0},
		     {"evil*", 1},    {"vil*", 0},     {"!", 0},   {" ", 3}};
	for (size_t k = 0; k < YG_LEN(parts); k++) {
		struct yg_indicator_filter f = {
			.part = yg_sv_of(parts[k].part), .reach = YG_REACH_ALL, .limit = 10};
		T_NAMED(yg_indicator_list(db, &f, &arena, &rows, &n, &err) == YG_OK &&
				n == parts[k].n,
			parts[k].part);
	}
	struct yg_indicator_filter page = {.reach = YG_REACH_ALL, .limit = 1};
	T_OK(yg_indicator_list(db, &page, &arena, &rows, &n, &err) == YG_OK && n == 1 &&
	     rows[0].id == id2);
	page.before = rows[0].id;
	T_OK(yg_indicator_list(db, &page, &arena, &rows, &n, &err) == YG_OK && n == 1 &&
	     rows[0].id < id2);
	/* expire, change, remove */
	yg_wall until = {sim.wall.us + 1000};
	struct yg_sv family = YG_SV("emotet");
	struct yg_indicator_set set = {.confidence = -1, .family = &family, .valid_until = &until};
	T_OK(yg_indicator_change(&act, id, 1, &set, &err) == YG_CONFLICT);
	T_OK(yg_indicator_change(&act, id, YG_ANY_VERSION, &set, &err) == YG_OK &&
	     audited(db, "indicator.update"));
	T_OK(yg_indicator_get(db, id, &arena, &r, &err) == YG_OK &&
	     r.ind.valid_until.us == until.us && YG_SV_IS(r.ind.family, "emotet") &&
	     r.ind.confidence == 70);
	T_OK(yg_indicator_remove(&act, id, &err) == YG_OK && audited(db, "indicator.remove") &&
	     yg_indicator_get(db, id, &arena, &r, &err) == YG_NOTFOUND);
	struct yg_list l;
	T_OK(yg_list_get(db, list, &arena, &l, &err) == YG_OK && l.entries == 1);
}

static size_t count_valid(struct yg_state *db, const char *part, enum yg_validity v, int64_t now)
{
	struct yg_indicator_row *rows;
	size_t n = 0;
	struct yg_indicator_filter f = {.part = yg_sv_of(part),
					.reach = YG_REACH_ALL,
					.validity = v,
					.now = {now},
					.limit = 10};
	T_OK(yg_indicator_list(db, &f, &arena, &rows, &n, &err) == YG_OK);
	return n;
}
/* In force from its beginning and before its end, in a list in use; expired at its end. */
static void test_validity(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_id l1 = add_list(&act, "l1", "");
	struct yg_indicator a = entry(YG_IND_DOMAIN, "a.example"),
			    b = entry(YG_IND_DOMAIN, "b.example"),
			    c = entry(YG_IND_DOMAIN, "c.example");
	int64_t id = 0;
	b.valid_until.us = 2000;
	c.valid_from.us = 2000;
	c.valid_until.us = 3000;
	T_OK(yg_indicator_add(&act, YG_SV("l1"), &a, false, &id, &err) == YG_OK &&
	     yg_indicator_add(&act, YG_SV("l1"), &b, false, &id, &err) == YG_OK &&
	     yg_indicator_add(&act, YG_SV("l1"), &c, false, &id, &err) == YG_OK);
	static const struct {
		const char *part;
		int64_t now;
		size_t live, over;
	} asks[] = {{"", 1999, 2, 0},   {"", 2000, 2, 1},           {"", 3000, 1, 2},
		    {"b.", 1999, 1, 0}, {"b.example*", 2000, 0, 1}, {"c.", 1999, 0, 0}};
	for (size_t k = 0; k < YG_LEN(asks); k++) {
		T_OK(count_valid(db, asks[k].part, YG_VALID_NOW, asks[k].now) == asks[k].live);
		T_OK(count_valid(db, asks[k].part, YG_VALID_EXPIRED, asks[k].now) == asks[k].over);
	}
	struct yg_list_set off = {.confidence = -1, .enabled = 0};
	T_OK(yg_list_change(&act, yg_id_sv(&l1), YG_ANY_VERSION, &off, &err) == YG_OK);
	T_OK(count_valid(db, "", YG_VALID_NOW, 2000) == 0 &&
	     count_valid(db, "", YG_VALID_EXPIRED, 2000) == 1 &&
	     count_valid(db, "", YG_VALID_ANY, 2000) == 3);
}

static void test_allow(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_allow_new a = {.type = YG_IND_DOMAIN,
				 .value = YG_SV("Good.Example"),
				 .org = YG_SV("alpha"),
				 .reason = YG_SV("ours"),
				 .expires = {sim.wall.us + 5}};
	struct yg_id id;
	struct yg_allow got, *list;
	size_t n;
	T_OK(yg_allow_add(&act, &a, &id, &err) == YG_OK && audited(db, "allow.add"));
	T_OK(yg_allow_get(db, yg_id_sv(&id), &arena, &got, &err) == YG_OK &&
	     YG_SV_IS(got.value, "good.example") && YG_SV_IS(got.actor, "local:0"));
	a.reason = YG_SV(" ");
	T_OK(yg_allow_add(&act, &a, &id, &err) == YG_INVAL);
	a.reason = YG_SV("x");
	a.expires.us = sim.wall.us;
	T_OK(yg_allow_add(&act, &a, &id, &err) == YG_INVAL);
	a.expires.us = 0;
	a.value = YG_SV("not a domain");
	T_OK(yg_allow_add(&act, &a, &id, &err) == YG_INVAL);
	a.value = YG_SV("b.example");
	a.org = YG_SV("nobody");
	T_OK(yg_allow_add(&act, &a, &id, &err) == YG_NOTFOUND);
	a.org = YG_SV("");
	T_OK(yg_allow_add(&act, &a, &id, &err) == YG_OK);
	T_OK(yg_allow_list(db, &(struct yg_allow_filter){.reach = reach_of(&beta), .limit = 10},
			   &arena, &list, &n, &err) == YG_OK &&
	     n == 1);
	T_OK(yg_allow_list(db,
			   &(struct yg_allow_filter){.reach = YG_REACH_ALL,
						     .value = YG_SV("good.example"),
						     .limit = 10},
			   &arena, &list, &n, &err) == YG_OK &&
	     n == 1);
	struct yg_sv why = YG_SV("checked again");
	yg_wall never = {0};
	T_OK(yg_allow_change(&act, got.id, 9, &why, &never, &err) == YG_CONFLICT);
	T_OK(yg_allow_change(&act, got.id, got.version, &why, &never, &err) == YG_OK &&
	     audited(db, "allow.update"));
	T_OK(yg_allow_get(db, got.id, &arena, &got, &err) == YG_OK && got.expires.us == 0 &&
	     yg_sv_eq(got.reason, why) && got.version == 2);
	T_OK(yg_allow_remove(&act, got.id, &err) == YG_OK && audited(db, "allow.remove") &&
	     yg_allow_remove(&act, got.id, &err) == YG_NOTFOUND);
}

static yg_status import_domains(struct yg_act *act, const char *list, int from, int n,
				const char *family, struct yg_import_stats *out)
{
	struct yg_import *im = NULL;
	yg_status st = yg_import_begin(act, yg_sv_of(list), false, &im, &err);
	for (int i = 0; st == YG_OK && i < n; i++) {
		char name[64];
		/* a walk through all residues, so that values do not come sorted */
		(void)snprintf(name, sizeof name, "host-%d.example",
			       (int)((int64_t)(from + i) * 7919 % 1000003));
		struct yg_indicator ind = entry(YG_IND_DOMAIN, name);
		ind.family = yg_sv_of(family);
		st = yg_import_add(im, &ind, &err);
	}
	if (st != YG_OK) {
		yg_import_abort(im);
		return st;
	}
	return yg_import_end(im, out, &err);
}

static bool stop_after_one(void *ctx, uint64_t done, uint64_t total)
{
	(void)total;
	*(uint64_t *)ctx = done;
	return false;
}

static void test_import(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_import_stats t = {0};
	struct yg_list l;
	(void)add_list(&act, "bulk", "");
	T_OK(import_domains(&act, "bulk", 0, 40000, "a", &t) == YG_OK && t.read == 40000 &&
	     t.added == 40000 && t.updated == 0 && t.unchanged == 0);
	T_OK(audited(db, "list.import") &&
	     yg_list_get(db, YG_SV("bulk"), &arena, &l, &err) == YG_OK && l.entries == 40000);
	sim.wall.us += 1000;
	T_OK(import_domains(&act, "bulk", 0, 40000, "a", &t) == YG_OK && t.added == 0 &&
	     t.updated == 0 && t.unchanged == 40000);
	T_OK(import_domains(&act, "bulk", 30000, 20000, "b", &t) == YG_OK && t.added == 10000 &&
	     t.updated == 10000 && t.unchanged == 0);
	/* bad and refused ones are counted and named, the rest comes in */
	struct yg_import *im = NULL;
	T_OK(yg_import_begin(&act, YG_SV("bulk"), false, &im, &err) == YG_OK);
	struct yg_indicator mix[] = {entry(YG_IND_DOMAIN, "co.jp"), entry(YG_IND_IP, "not.an.ip"),
				     entry(YG_IND_IP, "192.0.2.7"), entry(YG_IND_NONE, "x"),
				     entry(YG_IND_IP, "0.0.0.0/0")};
	for (size_t i = 0; i < YG_LEN(mix); i++)
		T_OK(yg_import_add(im, &mix[i], &err) == YG_OK);
	T_OK(yg_import_end(im, &t, &err) == YG_OK && t.read == 5 && t.bad == 2 && t.refused == 2 &&
	     t.added == 1 && strstr(t.first_bad, "not.an.ip") != NULL &&
	     strstr(t.first_refused, "co.jp") != NULL);
	T_OK(yg_import_begin(&act, YG_SV("nothing"), false, &im, &err) == YG_NOTFOUND);
	/* stopped: what was written stays and is counted */
	uint64_t seen = 0;
	T_OK(yg_import_begin(&act, YG_SV("bulk"), false, &im, &err) == YG_OK);
	yg_import_progress(im, stop_after_one, &seen);
	struct yg_indicator one_more = entry(YG_IND_DOMAIN, "one-more.example");
	T_OK(yg_import_add(im, &one_more, &err) == YG_OK);
	T_OK(yg_import_end(im, &t, &err) == YG_AGAIN && seen == 1);
	T_OK(yg_list_get(db, YG_SV("bulk"), &arena, &l, &err) == YG_OK && l.entries == 50002);
	T_OK(yg_list_remove(&act, YG_SV("bulk"), NULL, NULL, &err) == YG_OK);
	struct yg_indicator_filter f = {.reach = YG_REACH_ALL, .limit = 1};
	struct yg_indicator_row *rows;
	size_t n;
	T_OK(yg_indicator_list(db, &f, &arena, &rows, &n, &err) == YG_OK && n == 0);
}

static yg_status count_each(void *ctx, const struct yg_indicator *ind, struct yg_err *e)
{
	(void)e;
	int *count = ctx;
	count[ind->allow]++;
	return YG_OK;
}

static bool found(const char *file, struct yg_sv org, const char *query, yg_wall now)
{
	char path[300];
	struct yg_intel *in = NULL;
	struct yg_match_set *set = YG_NEW(&arena, struct yg_match_set);
	struct yg_event ev = {0};
	(void)snprintf(path, sizeof path, "%s/%s", root, file);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	yg_status st = yg_intel_open_fd(fd, 0, &in, &err);
	(void)close(fd);
	if (st != YG_OK || set == NULL) {
		(void)printf("# %s\n", err.msg);
		return false;
	}
	ev.org = org;
	ev.query = yg_sv_of(query);
	yg_intel_match(in, &ev, now, set);
	yg_intel_close(in);
	return set->n > 0;
}

static void test_compile(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	YG_AUTO(yg_buf_free) struct yg_buf text = {0};
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_compile_result r;
	struct yg_id id;
	int64_t n64;
	bool dirty = true;
	int count[2] = {0, 0};
	char path[300];
	uint64_t generation;
	yg_buf_init(&text, 1 << 20);
	(void)add_list(&act, "all", "");
	(void)add_list(&act, "own", "alpha");
	(void)add_list(&act, "off", "");
	struct yg_indicator e1 = entry(YG_IND_DOMAIN, "evil.example"),
			    e2 = entry(YG_IND_DOMAIN, "alpha-only.example"),
			    e3 = entry(YG_IND_DOMAIN, "short.example"),
			    e4 = entry(YG_IND_DOMAIN, "off.example"),
			    e5 = entry(YG_IND_DOMAIN, "ended.example");
	e3.valid_until.us = sim.wall.us + 1000000;
	e5.valid_until.us = sim.wall.us - 1;
	T_OK(yg_indicator_add(&act, YG_SV("all"), &e1, false, &n64, &err) == YG_OK &&
	     yg_indicator_add(&act, YG_SV("own"), &e2, false, &n64, &err) == YG_OK &&
	     yg_indicator_add(&act, YG_SV("all"), &e3, false, &n64, &err) == YG_OK &&
	     yg_indicator_add(&act, YG_SV("off"), &e4, false, &n64, &err) == YG_OK &&
	     yg_indicator_add(&act, YG_SV("all"), &e5, false, &n64, &err) == YG_OK);
	struct yg_list_set off = {.confidence = -1, .enabled = 0};
	T_OK(yg_list_change(&act, YG_SV("off"), YG_ANY_VERSION, &off, &err) == YG_OK);
	struct yg_allow_new allow = {.type = YG_IND_DOMAIN,
				     .value = YG_SV("www.evil.example"),
				     .org = YG_SV("beta"),
				     .reason = YG_SV("test")};
	T_OK(yg_allow_add(&act, &allow, &id, &err) == YG_OK);
	T_OK(yg_registry_each(db, sim.wall, count_each, count, &err) == YG_OK && count[0] == 3 &&
	     count[1] == 1);
	(void)snprintf(path, sizeof path, "%s/current", root);
	T_OK(yg_file_write(path, YG_SV("indicators-41.ygs\n"), 0600, &err) == YG_OK);
	if (!T_OK(yg_registry_compile(&act, root, NULL, NULL, &r, &err) == YG_OK))
		(void)printf("# %s\n", err.msg);
	T_NAMED(r.generation == 42 && strcmp(r.file, "indicators-42.ygs") == 0,
		"above what the folder had");
	T_OK(audited(db, "snapshot.compile") && yg_registry_dirty(db, &dirty, &err) == YG_OK &&
	     !dirty);
	T_OK(yg_file_read(path, 4096, &text, &err) == YG_OK &&
	     yg_sv_eq(yg_buf_sv(&text), YG_SV("indicators-42.ygs\n")));
	yg_wall later = {sim.wall.us + 2000000};
	T_OK(found(r.file, YG_SV("alpha"), "www.evil.example", sim.wall) &&
	     !found(r.file, YG_SV("beta"), "www.evil.example", sim.wall));
	T_OK(found(r.file, YG_SV("alpha"), "alpha-only.example", sim.wall) &&
	     !found(r.file, YG_SV("beta"), "alpha-only.example", sim.wall));
	T_NAMED(found(r.file, YG_SV("beta"), "short.example", sim.wall) &&
			!found(r.file, YG_SV("beta"), "short.example", later),
		"falls out by its validity without another compile");
	T_OK(!found(r.file, YG_SV("alpha"), "off.example", sim.wall) &&
	     !found(r.file, YG_SV("alpha"), "ended.example", sim.wall));
	/* more generations: the last two older files stay */
	for (int i = 0; i < 4; i++)
		T_OK(yg_registry_compile(&act, root, NULL, NULL, &r, &err) == YG_OK);
	T_OK(r.generation == 46);
	for (uint64_t g = 42; g <= 46; g++) {
		(void)snprintf(path, sizeof path, "%s/indicators-%llu.ygs", root,
			       (unsigned long long)g);
		T_OK((access(path, F_OK) == 0) == (g >= 44));
	}
	struct yg_snapshot_row *rows;
	size_t n;
	T_OK(yg_snapshot_list(db, 0, 10, &arena, &rows, &n, &err) == YG_OK && n == 5 &&
	     rows[0].generation == 46 && YG_SV_IS(rows[0].state, "ready") && rows[0].entries == 3);
	/* a folder that is not there: the generation is marked as failed, to be tried again */
	T_OK(yg_registry_compile(&act, "/nonexistent/dir", NULL, NULL, &r, &err) != YG_OK);
	T_OK(yg_snapshot_list(db, 0, 1, &arena, &rows, &n, &err) == YG_OK && n == 1 &&
	     YG_SV_IS(rows[0].state, "failed"));
	T_OK(yg_registry_dirty(db, &dirty, &err) == YG_OK && dirty);
	T_OK(yg_registry_compile(&act, root, NULL, NULL, &r, &err) == YG_OK &&
	     yg_registry_dirty(db, &dirty, &err) == YG_OK && !dirty);
	/* one that died, or could not even note that it failed */
	T_OK(yg_compiled_begin(YG_COMPILED_INDICATORS, db, root, sim.wall, YG_SV("x"), &generation,
			       &err) == YG_OK);
	T_NAMED(yg_registry_dirty(db, &dirty, &err) == YG_OK && dirty, "and is tried again");
}

static int remove_one(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
	(void)sb;
	(void)type;
	(void)ftw;
	return remove(path);
}

int main(void)
{
	env = yg_env_sim(&sim);
	yg_arena_init(&arena, 64 << 20);
	if (mkdtemp(root) == NULL)
		return 1;
	test_lists();
	test_entries();
	test_validity();
	test_allow();
	test_import();
	test_compile();
	yg_arena_free(&arena);
	(void)nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return tap_done();
}
