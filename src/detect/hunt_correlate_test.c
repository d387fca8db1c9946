/* Correlations over events of the past: what live tells of the same events, however often it is
 * broken off and goes on; and which of them are told of, for whom. */
#include "detect/hunt_correlate.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "detect/registry.h"
#include "org/organisation.h"
#include "tap.h"

#define S      INT64_C(1000000)
#define BEGIN  (1700000000 * S)
#define EVENTS 4000
#define LINES  (4u << 20)

static struct yg_env_sim sim = {.wall = {BEGIN + 10000000 * S}, .seed = 9};
static struct yg_env env;
static struct yg_state *db;
static struct yg_err err;

#define RULE(name)                                                                                 \
	"title: " name "\nname: " name "\nlogsource: {product: linux}\n"                           \
	"detection: {s: {what: " name "}, condition: s}\n"
static const char *const rule_texts[] = {RULE("fails"), RULE("works"), RULE("other"), RULE("off")};
#define CORRELATION(title, body) "title: " title "\nname: " title "\ncorrelation: {" body "}\n"
static const char *const correlation_texts[] = {
	CORRELATION("many", "type: event_count, rules: [fails], group-by: [User], timespan: 5m,"
			    " condition: {gte: 4}, generate: true"),
	CORRELATION("few", "type: event_count, rules: [other], group-by: [User], timespan: 10m,"
			   " condition: {lt: 3}"),
	CORRELATION("hosts", "type: value_count, rules: [fails, works], group-by: [User],"
			     " timespan: 3m, condition: {gte: 3, field: host}"),
	CORRELATION("then", "type: temporal_ordered, rules: [many, works], group-by: [User],"
			    " timespan: 20m, generate: true"),
	CORRELATION("silent", "type: event_count, rules: [works], group-by: [User], timespan: 4m,"
			      " condition: {gte: 3}"),
	CORRELATION("loud", "type: event_count, rules: [silent], group-by: [User], timespan: 12h,"
			    " condition: {gte: 2}"),
};
static struct yg_id rules[YG_LEN(rule_texts)], correlations[YG_LEN(correlation_texts)];
enum { MANY, FEW, HOSTS, THEN, SILENT, LOUD };

/* ---- events ---- */

static struct made {
	const char *org, *what, *user, *host;
	int64_t time;
} events[EVENTS];

static void make_events(unsigned seed)
{
	static const char *const orgs[] = {"north", "south"},
				 *const users[] = {"eve", "bob", "sue"},
				 *const hosts[] = {"a", "b", "c", "d"},
				 *const kinds[] = {"fails", "works", "fails", "other", "off"};
	int64_t time = BEGIN;
	for (size_t i = 0; i < EVENTS; i++) {
		seed = seed * 1103515245u + 12345u;
		unsigned r = seed >> 12;
		time += r % 7 == 0 ? 0 : (int64_t)(r % 40) * S; /* some at the same time */
		if (r % 97 == 0)
			time += 3600 * S;
		events[i] = (struct made){.org = orgs[r % 2],
					  .what = kinds[r / 2 % 5],
					  .user = users[r / 10 % 3],
					  .host = hosts[r / 30 % 4],
					  .time = time};
	}
}

/* ---- what is told ---- */

static struct yg_buf *lines;
static size_t told_of[YG_LEN(correlation_texts)];

static void put_line(struct yg_sv org, const struct yg_watch_doc *doc,
		     const struct yg_correlate_hit *hit)
{
	yg_buf_printf(lines, YG_SV_FMT " " YG_SV_FMT " %lld %lld %lld %.3f", YG_SV_ARG(org),
		      YG_SV_ARG(doc->rule->title), (long long)hit->time.us,
		      (long long)hit->first.us, (long long)hit->last.us, hit->value);
	for (size_t i = 0; i < hit->group_count; i++)
		yg_buf_printf(lines, " " YG_SV_FMT, YG_SV_ARG(hit->values[i]));
	for (size_t i = 0; i < hit->id_count; i++)
		yg_buf_printf(lines, " %llu", (unsigned long long)hit->ids[i][1]);
	yg_buf_putc(lines, '\n');
	for (size_t i = 0; i < YG_LEN(correlations); i++)
		told_of[i] += yg_sv_eq(doc->uid, yg_id_sv(&correlations[i]));
}

static void on_told(void *ctx, const struct yg_hunt_correlated *c)
{
	if (ctx == NULL)
		put_line(c->org, c->doc, c->hit);
}

static int by_line(const void *a, const void *b)
{
	return yg_sv_cmp(*(const struct yg_sv *)a, *(const struct yg_sv *)b);
}

/* In order, whoever came first: organisations do not wait for each other. */
static bool same(struct yg_buf *a, struct yg_buf *b)
{
	static struct yg_sv of[2][EVENTS];
	struct yg_buf *const both[] = {a, b};
	size_t n[2] = {0, 0};
	for (size_t k = 0; k < 2; k++) {
		struct yg_sv rest = yg_buf_sv(both[k]), one;
		while (rest.n > 0 && n[k] < EVENTS && yg_sv_cut(&rest, '\n', &one))
			of[k][n[k]++] = one;
		qsort(of[k], n[k], sizeof of[k][0], by_line);
	}
	bool ok = n[0] == n[1] && !a->bad && !b->bad;
	for (size_t i = 0; ok && i < n[0]; i++) {
		ok = yg_sv_eq(of[0][i], of[1][i]);
		if (!ok)
			(void)printf("# %.*s\n# %.*s\n", (int)of[0][i].n, of[0][i].p,
				     (int)of[1][i].n, of[1][i].p);
	}
	if (n[0] != n[1])
		(void)printf("# %zu and %zu\n", n[0], n[1]);
	return ok;
}

/* ---- over the past ---- */

static struct yg_hunt_correlate *past;
static struct yg_ruleset *set;
static uint32_t row_of[YG_LEN(rule_texts)];

static void past_end(void)
{
	yg_hunt_correlate_free(past);
	yg_ruleset_free(set);
	past = NULL;
	set = NULL;
}

static yg_status open_set(const struct yg_ruleset_doc *tried)
{
	struct yg_ruleset_builder *b = NULL;
	struct yg_ruleset_stats stats;
	struct yg_detect_feed feed = {.own_stage = true, .tried = tried};
	int fd = memfd_create("rules", MFD_CLOEXEC);
	feed.only = yg_hunt_correlate_only(past, &feed.only_count);
	yg_status st = yg_ruleset_builder_new(&env, NULL, NULL, &b, &err);
	if (st == YG_OK)
		st = yg_detect_feed(db, &feed, sim.wall, b, &err);
	if (st == YG_OK)
		st = yg_ruleset_builder_write(b, fd, 1, sim.wall, &stats, &err);
	if (st == YG_OK)
		st = yg_ruleset_open_fd(fd, 0, &set, &err);
	yg_ruleset_builder_free(b);
	(void)close(fd);
	for (size_t r = 0; st == YG_OK && r < YG_LEN(rules); r++) {
		row_of[r] = YG_RULESET_NONE;
		for (uint32_t i = 0; i < yg_ruleset_rows(set); i++)
			if (yg_sv_eq(yg_ruleset_about(set, i).uid, yg_id_sv(&rules[r])))
				row_of[r] = i;
	}
	return st == YG_OK ? yg_hunt_correlate_set(past, set, &err) : st;
}

static yg_status past_begin(const struct yg_watch_asked *asked)
{
	yg_status st = yg_hunt_correlate_new(db, asked, sim.wall, &env, &past, &err);
	return st == YG_OK ? open_set(asked->tried) : st;
}

static bool match(size_t i, bool quiet)
{
	const struct made *m = &events[i];
	const struct yg_detect_pair pairs[] = {{YG_SV("User"), yg_sv_of(m->user), false, 0},
					       {YG_SV("host"), yg_sv_of(m->host), false, 0}};
	const struct yg_detect_record record = {.pairs = pairs, .count = YG_LEN(pairs)};
	const struct yg_event ev = {
		.org = yg_sv_of(m->org), .time = m->time, .received = m->time, .batch = i};
	for (size_t r = 0; r < YG_LEN(rules); r++) {
		const struct yg_hunt_correlate_match to = {row_of[r], &ev, &record};
		if (row_of[r] == YG_RULESET_NONE ||
		    !yg_sv_has(yg_sv_of(rule_texts[r]), yg_sv_of(m->what)))
			continue;
		if (yg_hunt_correlate_match(past, &to, on_told, quiet ? &past : NULL, &err) !=
		    YG_OK)
			return false;
	}
	return true;
}

static bool end_at(int64_t time)
{
	return yg_hunt_correlate_end(past, (yg_wall){time}, on_told, NULL) == YG_OK;
}

/* ---- live ---- */

static bool on_live_hit(void *ctx, const struct yg_watch_doc *doc,
			const struct yg_correlate_hit *hit)
{
	if (!hit->silent)
		put_line(yg_sv_of(ctx), doc, hit);
	return true;
}

static yg_status live_one(struct yg_watch *w, size_t i, char *org)
{
	const struct yg_watch_out out = {org, on_live_hit, NULL};
	const struct made *m = &events[i];
	const struct yg_feed_field fields[] = {{YG_SV("User"), yg_sv_of(m->user)},
					       {YG_SV("host"), yg_sv_of(m->host)}};
	const struct yg_feed_head head = {.org = yg_sv_of(org), .received = {m->time}};
	struct yg_feed_entry e = {.kind = YG_FEED_MATCH};
	for (size_t r = 0; r < YG_LEN(rules); r++)
		if (yg_sv_has(yg_sv_of(rule_texts[r]), yg_sv_of(m->what)))
			e.match.rule = yg_id_sv(&rules[r]);
	e.match.time.us = m->time;
	yg_feed_id(0, i, 0, e.match.id);
	e.match.fields = fields;
	e.match.field_count = YG_LEN(fields);
	yg_watch_comes(w, &head);
	yg_status st = yg_watch_entry(w, &head, &e, &out);
	yg_watch_came(w, &head);
	return st;
}

static void live(char *org, int64_t to)
{
	struct yg_watch_opts o = {.correlate = yg_watch_bounds(), .notices = {100}};
	const struct yg_watch_out out = {org, on_live_hit, NULL};
	struct yg_watch_set all = {.rule_n = 0};
	struct yg_watch_place place;
	struct yg_watch_doc docs[16];
	struct yg_watch *w = NULL;
	size_t n = 0, lost = 0;
	T_OK(yg_watch_set_load(db, &env, NULL, &all, &err) == YG_OK &&
	     yg_watch_place(db, yg_sv_of(org), &place, &err) == YG_OK &&
	     yg_watch_new(&o, &env, &w, &err) == YG_OK);
	for (uint32_t i = 0; i < all.rule_n; i++)
		if (yg_watch_holds(&all, i, &place))
			docs[n++] = all.rules[i].doc;
	T_OK(yg_watch_rules(w, docs, n, NULL, NULL, &lost, &err) == YG_OK);
	for (size_t i = 0; i < EVENTS; i++)
		if (strcmp(events[i].org, org) == 0 && live_one(w, i, org) != YG_OK)
			T_OK(false);
	T_OK(yg_watch_clock(w, (yg_wall){to + o.correlate.lateness.us}, &out) == YG_OK);
	yg_watch_free(w);
	yg_watch_set_free(&all);
}

/* ---- the registry ---- */

static struct yg_id add(const char *text, const char *org, enum yg_detect_stage stage)
{
	YG_AUTO(yg_detect_documents_free) struct yg_detect_documents d = {.count = 0};
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	const struct yg_drule_place at = {
		.org = yg_sv_of(org), .collection = YG_SV("own"), .stage = stage};
	struct yg_id id = {0};
	if (!T_OK(yg_detect_documents_begin(&d, &env, &err) == YG_OK &&
		  yg_detect_documents_add(&d, YG_SV(""), yg_sv_of(text), &err) == YG_OK &&
		  d.count == 1 && yg_drule_add(&act, &at, &d.list[0], &id, &err) == YG_OK))
		(void)printf("# %s: %s\n", text, err.msg);
	return id;
}

static void override(const struct yg_id *rule, const char *org, enum yg_detect_stage stage)
{
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	const struct yg_detect_override o = {.rule = yg_id_sv(rule),
					     .org = yg_sv_of(org),
					     .stage = stage,
					     .reason = YG_SV("so")};
	T_OK(yg_detect_override_set(&act, &o, &err) == YG_OK);
}

static void fresh(enum yg_detect_stage stage)
{
	static const char *const orgs[][2] = {{"isp", ""}, {"north", "isp"}, {"south", "isp"}};
	yg_state_close(db);
	T_OK(yg_state_open(":memory:", &db, &err) == YG_OK && yg_state_migrate(db, &err) == YG_OK);
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	for (size_t i = 0; i < YG_LEN(orgs); i++) {
		const struct yg_org o = {.slug = yg_sv_of(orgs[i][0]),
					 .parent = yg_sv_of(orgs[i][1])};
		T_OK(yg_org_add(&act, &o, &err) == YG_OK);
	}
	for (size_t i = 0; i < YG_LEN(rules); i++)
		rules[i] = add(rule_texts[i], "isp", i == 3 ? YG_STAGE_OFF : YG_STAGE_TEST);
	for (size_t i = 0; i < YG_LEN(correlations); i++)
		correlations[i] =
			add(correlation_texts[i], "isp", i == MANY ? YG_STAGE_TEST : stage);
}

static struct yg_watch_asked all_of_them(void)
{
	static struct yg_sv uids[YG_LEN(correlation_texts)];
	for (size_t i = 0; i < YG_LEN(correlations); i++)
		uids[i] = yg_id_sv(&correlations[i]);
	qsort(uids, YG_LEN(uids), sizeof *uids, by_line);
	return (struct yg_watch_asked){.uids = uids, .n = YG_LEN(uids)};
}

/* ---- broken off and continued ---- */

static struct kept {
	char org[8];
	struct yg_buf bytes;
} kept[4];
static size_t kept_n;

static yg_status keep(void *ctx, struct yg_sv org, struct yg_sv bytes, struct yg_err *e)
{
	size_t i = 0;
	(void)ctx;
	(void)e;
	while (i < kept_n && !yg_sv_eq(yg_sv_of(kept[i].org), org))
		i++;
	if (i == kept_n) {
		(void)snprintf(kept[i].org, sizeof kept[i].org, YG_SV_FMT, YG_SV_ARG(org));
		yg_buf_init(&kept[kept_n++].bytes, 1 << 20);
	}
	kept[i].bytes.n = 0;
	yg_buf_put(&kept[i].bytes, bytes);
	return YG_OK;
}

/* As a hunt does it: the state of an event of before; from there to `told` again, in silence. */
static bool break_off(const struct yg_watch_asked *asked, size_t saved, size_t told)
{
	past_end();
	if (past_begin(asked) != YG_OK)
		return false;
	for (size_t i = 0; i < kept_n; i++)
		if (yg_hunt_correlate_restore(past, yg_sv_of(kept[i].org),
					      yg_buf_sv(&kept[i].bytes), &err) != YG_OK)
			return false;
	for (size_t i = saved; i < told; i++)
		if (!match(i, true))
			return false;
	return true;
}

static void test_same(unsigned seed)
{
	YG_AUTO(yg_buf_free) struct yg_buf a = {0}, b = {0}, c = {0};
	const struct yg_watch_asked asked = all_of_them();
	char north[] = "north", south[] = "south";
	yg_buf_init(&a, LINES);
	yg_buf_init(&b, LINES);
	yg_buf_init(&c, LINES);
	make_events(seed);
	int64_t to = events[EVENTS - 1].time + 120 * S;
	lines = &a;
	live(north, to);
	live(south, to);
	lines = &b;
	memset(told_of, 0, sizeof told_of);
	bool ok = past_begin(&asked) == YG_OK;
	for (size_t i = 0; ok && i < EVENTS; i++)
		ok = match(i, false);
	T_OK(ok && end_at(to));
	for (size_t i = 0; i < YG_LEN(told_of); i++)
		if (i != SILENT && !T_OK(told_of[i] > 1))
			(void)printf("# %s: %zu\n", correlation_texts[i], told_of[i]);
	T_NAMED(told_of[SILENT] == 0, "what another tells of is silent");
	T_NAMED(same(&a, &b), "it is what live tells");
	past_end();
	lines = &c;
	ok = past_begin(&asked) == YG_OK;
	size_t saved = 0, breaks = 0;
	for (size_t i = 0; ok && i < EVENTS; i++) {
		seed = seed * 1103515245u + 12345u;
		ok = match(i, false);
		if (ok && seed >> 16 & 1 && i - saved > 100) {
			ok = yg_hunt_correlate_save(past, keep, NULL, &err) == YG_OK;
			yg_hunt_correlate_saved(past);
			saved = i + 1;
		}
		if (ok && (seed >> 18) % 150 == 0 && breaks++ < 1000)
			ok = break_off(&asked, saved, i + 1);
	}
	T_OK(ok && end_at(to) && breaks > 10);
	T_NAMED(same(&b, &c), "however often it is broken off");
	past_end();
	for (size_t i = 0; i < kept_n; i++)
		yg_buf_free(&kept[i].bytes);
	kept_n = 0;
}

static bool tells(const struct yg_watch_asked *asked)
{
	YG_AUTO(yg_buf_free) struct yg_buf b = {0};
	yg_buf_init(&b, LINES);
	lines = &b;
	memset(told_of, 0, sizeof told_of);
	yg_status st = past_begin(asked);
	bool ok = st == YG_OK;
	for (size_t i = 0; ok && i < EVENTS; i++)
		ok = match(i, false);
	ok = ok && end_at(events[EVENTS - 1].time);
	if (st != YG_OK)
		(void)printf("# %s\n", err.msg);
	past_end();
	return ok && b.n > 0;
}

/* One alone, whatever its own stage is, with what it needs and no more; that is not off. */
static void test_one(void)
{
	fresh(YG_STAGE_OFF);
	struct yg_sv uid = yg_id_sv(&correlations[THEN]);
	const struct yg_watch_asked then = {.uids = &uid, .n = 1};
	size_t n;
	T_NAMED(tells(&then) && told_of[THEN] > 0 && told_of[MANY] == 0 && told_of[HOSTS] == 0,
		"one that is off, over others that are not told of");
	T_OK(past_begin(&then) == YG_OK);
	const struct yg_sv *only = yg_hunt_correlate_only(past, &n);
	bool has_other = false;
	for (size_t i = 0; i < n; i++)
		has_other |= yg_sv_eq(only[i], yg_id_sv(&rules[2]));
	T_NAMED(n == 3 && !has_other, "itself and the rules that it comes down to");
	past_end();
	override(&correlations[THEN], "north", YG_STAGE_OFF);
	override(&correlations[THEN], "south", YG_STAGE_OFF);
	T_NAMED(!tells(&then), "not where an override says that it is off");
}

static void test_except(void)
{
	fresh(YG_STAGE_LIVE);
	struct yg_sv uid = yg_id_sv(&correlations[MANY]);
	const struct yg_watch_asked many = {.uids = &uid, .n = 1};
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	static const char *const names[] = {"eve", "bob", "sue"};
	T_OK(tells(&many));
	size_t all = told_of[MANY];
	for (size_t i = 0; i < YG_LEN(names); i++) {
		char text[64];
		struct yg_id id;
		(void)snprintf(text, sizeof text, "s: {User: %s}\ncondition: s\n", names[i]);
		const struct yg_detect_exception x = {
			.rule = uid, .text = yg_sv_of(text), .reason = YG_SV("known")};
		T_OK(yg_detect_exception_add(&act, &x, &id, &err) == YG_OK);
		bool some = tells(&many);
		T_OK(some == (i < 2) && told_of[MANY] < all);
		all = told_of[MANY];
	}
}

static bool refused(const struct yg_watch_asked *asked, yg_status want, const char *reason)
{
	yg_status st = past_begin(asked);
	if (st != want || strstr(err.msg, reason) == NULL)
		(void)printf("# %d: %s\n", (int)st, err.msg);
	past_end();
	return st == want && strstr(err.msg, reason) != NULL;
}

static void test_refused(void)
{
	static const char text[] = CORRELATION("tried", "type: event_count, rules: [fails],"
							" group-by: [User], timespan: 5m,"
							" condition: {gte: 4}");
	static const char bad[] = CORRELATION("tried", "type: event_count, rules: [nowhere],"
						       " group-by: [User], timespan: 5m,"
						       " condition: {gte: 4}");
	struct yg_ruleset_doc doc = {
		.uid = YG_SV("rule"), .org = YG_SV("isp"), .text = yg_sv_of(text)};
	struct yg_watch_asked tried = {.tried = &doc};
	fresh(YG_STAGE_LIVE);
	T_NAMED(tells(&tried), "one that is not kept");
	doc.text = yg_sv_of(bad);
	T_NAMED(refused(&tried, YG_PARSE, "there is no rule 'nowhere'"), "why it cannot be");
	struct yg_id off = add(CORRELATION("of-off", "type: event_count, rules: [off],"
						     " group-by: [User], timespan: 5m,"
						     " condition: {gte: 4}"),
			       "", YG_STAGE_LIVE);
	struct yg_sv uid = yg_id_sv(&off);
	const struct yg_watch_asked asked = {.uids = &uid, .n = 1};
	T_NAMED(refused(&asked, YG_PARSE, "there is no rule 'off'"),
		"of a rule that is off there is nothing to take");
	struct yg_sv none = YG_SV("r-none");
	const struct yg_watch_asked gone = {.uids = &none, .n = 1};
	T_OK(refused(&gone, YG_NOTFOUND, "none of the rules"));
	T_OK(past_begin(&tried) == YG_PARSE);
	past_end();
	doc.text = yg_sv_of(text);
	T_OK(past_begin(&tried) == YG_OK);
	T_NAMED(yg_hunt_correlate_restore(past, YG_SV("north"), YG_SV("no state"), &err) ==
			YG_CORRUPT,
		"what is no state is refused");
	past_end();
}

/* What holds for nothing that is looked at is as if it were not there. */
static void test_reach(void)
{
	static const char text[] = CORRELATION("tried", "type: event_count, rules: [theirs],"
							" group-by: [User], timespan: 5m,"
							" condition: {gte: 4}");
	static const struct yg_sv orgs[] = {YG_SV_INIT("north"), YG_SV_INIT("south")};
	const struct yg_reach north = yg_reach_one(&orgs[0]), south = yg_reach_one(&orgs[1]);
	const struct yg_ruleset_doc doc = {.uid = YG_SV("rule"), .text = yg_sv_of(text)};
	struct yg_watch_asked tried = {.tried = &doc, .reach = &north};
	size_t n = 9;
	fresh(YG_STAGE_LIVE);
	(void)add(RULE("theirs"), "south", YG_STAGE_LIVE);
	T_NAMED(refused(&tried, YG_PARSE, "there is no rule 'theirs'"),
		"another organisation's rule is not there");
	tried.reach = &south;
	T_OK(past_begin(&tried) == YG_OK);
	(void)yg_hunt_correlate_only(past, &n);
	T_NAMED(n == 1, "one's own is");
	past_end();
	(void)add(RULE("theirs"), "north", YG_STAGE_LIVE);
	T_OK(past_begin(&tried) == YG_OK);
	(void)yg_hunt_correlate_only(past, &n);
	T_NAMED(n == 1, "and alone, whoever has one of that name");
	past_end();
	tried.reach = NULL;
	T_NAMED(past_begin(&tried) == YG_OK, "who sees both tries it in each");
	past_end();
	struct yg_id own = add(CORRELATION("own", "type: event_count, rules: [theirs],"
						  " group-by: [User], timespan: 5m,"
						  " condition: {gte: 4}"),
			       "south", YG_STAGE_LIVE);
	struct yg_sv uid = yg_id_sv(&own);
	const struct yg_watch_asked asked = {.uids = &uid, .n = 1};
	T_NAMED(past_begin(&asked) == YG_OK, "one that is kept is judged at its own node");
	past_end();
}

int main(void)
{
	env = yg_env_sim(&sim);
	fresh(YG_STAGE_LIVE);
	for (unsigned seed = 1; seed <= 3; seed++)
		test_same(seed);
	test_one();
	test_except();
	test_refused();
	test_reach();
	yg_state_close(db);
	return tap_done();
}
