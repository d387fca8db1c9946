/* Whom a rule holds for, in which stage, and what is excepted: sets made, written, opened
 * and asked. */
#include <stdlib.h>
#include <sys/mman.h>

#include "detect/ruleset_testing.h"
#include "snapshot/snapshot.h"
#include "tap.h"

static const struct rs_org tree[] = {{"isp", ""},      {"north", "isp"}, {"city", "north"},
				     {"south", "isp"}, {"other", ""},    {NULL, NULL}};

struct seen {
	struct {
		char uid[32], exception[32];
		struct yg_ruleset_hit hit;
	} list[32];
	size_t n;
	const struct yg_ruleset *r;
};

static void on_hit(void *ctx, const struct yg_ruleset_hit *h)
{
	struct seen *s = ctx;
	struct yg_sv uid = yg_ruleset_about(s->r, h->rule).uid;
	if (s->n == YG_LEN(s->list))
		return;
	(void)snprintf(s->list[s->n].uid, sizeof s->list[0].uid, YG_SV_FMT, YG_SV_ARG(uid));
	(void)snprintf(s->list[s->n].exception, sizeof s->list[0].exception, YG_SV_FMT,
		       YG_SV_ARG(h->exception));
	s->list[s->n++].hit = *h;
}

/* What an event Image=value, User=user gives for `org` at `now`. */
static void ask(const struct yg_ruleset *r, const char *org, const char *image, const char *user,
		int64_t now, struct seen *out)
{
	static const struct yg_detect_logsource source = {YG_SV_INIT(""), YG_SV_INIT("windows"),
							  YG_SV_INIT("")};
	const struct yg_detect_pair pairs[] = {{YG_SV_INIT("Image"), yg_sv_of(image), false, 0},
					       {YG_SV_INIT("User"), yg_sv_of(user), false, 0}};
	const struct yg_detect_record record = {&source, 1, pairs, 2, YG_SV("raw text"), now, NULL};
	struct yg_ruleset_eval *e = NULL;
	*out = (struct seen){.r = r};
	if (yg_ruleset_eval_new(r, NULL, &e, NULL) != YG_OK)
		abort();
	yg_ruleset_run(e, &record, yg_ruleset_org(r, yg_sv_of(org)), (yg_wall){now}, on_hit, out);
	yg_ruleset_eval_free(e);
}

static const struct yg_ruleset_hit *hit_of(const struct seen *s, const char *uid)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->list[i].uid, uid) == 0)
			return &s->list[i].hit;
	return NULL;
}

static bool staged(const struct yg_ruleset *r, const char *org, int64_t now, const char *uid,
		   enum yg_detect_stage want)
{
	struct seen s;
	ask(r, org, "a.exe", "bob", now, &s);
	const struct yg_ruleset_hit *h = hit_of(&s, uid);
	return want == YG_STAGE_OFF ? h == NULL : h != NULL && h->stage == want;
}

struct told {
	unsigned n;
	char uid[8][32], reason[8][300];
	size_t line[8];
};
static void on_refused(void *ctx, struct yg_sv uid, size_t line, const char *reason)
{
	struct told *t = ctx;
	if (t->n < 8) {
		(void)snprintf(t->uid[t->n], 32, YG_SV_FMT, YG_SV_ARG(uid));
		(void)snprintf(t->reason[t->n], 300, "%s", reason);
		t->line[t->n] = line;
	}
	t->n++;
}

static struct yg_ruleset *make(const struct rs_set *s, struct told *told,
			       struct yg_ruleset_stats *stats)
{
	struct yg_ruleset *r = NULL;
	struct yg_err err = {0};
	*told = (struct told){.n = 0};
	yg_status st = rs_make(s, on_refused, told, stats, &r, &err);
	if (st != YG_OK)
		(void)printf("# %s\n", err.msg);
	for (unsigned i = 0; i < told->n && i < 8; i++)
		(void)printf("# refused %s:%zu: %s\n", told->uid[i], told->line[i],
			     told->reason[i]);
	return r;
}

static void test_scope(void)
{
	static const struct rs_doc docs[] = {
		{"r-all", "", RS_RULE("a", "Image: a.exe"), YG_STAGE_LIVE},
		{"r-isp", "isp", RS_RULE("b", "Image: a.exe"), YG_STAGE_LIVE},
		{"r-city", "city", RS_RULE("c", "Image: a.exe"), YG_STAGE_TEST},
		{"r-gone", "nowhere", RS_RULE("d", "Image: a.exe"), YG_STAGE_LIVE},
		{"r-bad", "", "title: x\n", YG_STAGE_LIVE},
		{"r-two", "", RS_RULE("e", "Image: b.exe") "---\n" RS_RULE("f", "Image: b.exe"),
		 YG_STAGE_LIVE},
		{NULL, NULL, NULL, YG_STAGE_OFF}};
	static const struct rs_over overs[] = {
		{"r-all", "isp", YG_STAGE_AUDIT, 0}, {"r-all", "north", YG_STAGE_OFF, 1000},
		{"r-isp", "south", YG_STAGE_OFF, 0}, {"r-isp", "nowhere", YG_STAGE_OFF, 0},
		{"r-none", "isp", YG_STAGE_OFF, 0},  {NULL, NULL, YG_STAGE_OFF, 0}};
	const struct rs_set set = {.orgs = tree, .docs = docs, .overs = overs, .generation = 7};
	struct told told;
	struct yg_ruleset_stats stats;
	struct yg_ruleset *r = make(&set, &told, &stats);
	T_OK(r != NULL && yg_ruleset_generation(r) == 7 && yg_ruleset_count(r) == 3);
	T_OK(stats.rules == 3 && stats.overrides == 3 && stats.refused == 3 && told.n == 3);
	T_NAMED(strcmp(told.uid[0], "r-gone") == 0 && strcmp(told.uid[1], "r-bad") == 0 &&
			strcmp(told.uid[2], "r-two") == 0,
		"what cannot be is named");
	T_OK(staged(r, "other", 5, "r-all", YG_STAGE_LIVE));
	T_OK(staged(r, "nowhere", 5, "r-all", YG_STAGE_LIVE));
	T_OK(staged(r, "isp", 5, "r-all", YG_STAGE_AUDIT));
	T_OK(staged(r, "south", 5, "r-all", YG_STAGE_AUDIT));
	T_OK(staged(r, "city", 5, "r-all", YG_STAGE_OFF));
	T_NAMED(staged(r, "city", 1000, "r-all", YG_STAGE_AUDIT),
		"an override that ended: that of the node above holds");
	T_OK(staged(r, "north", 5, "r-isp", YG_STAGE_LIVE));
	T_OK(staged(r, "south", 5, "r-isp", YG_STAGE_OFF));
	T_NAMED(staged(r, "other", 5, "r-isp", YG_STAGE_OFF) &&
			staged(r, "nowhere", 5, "r-isp", YG_STAGE_OFF),
		"a rule of one tree is none of another's");
	T_OK(staged(r, "city", 5, "r-city", YG_STAGE_TEST) &&
	     staged(r, "north", 5, "r-city", YG_STAGE_OFF));
	T_OK(yg_ruleset_org(r, YG_SV("")) == YG_RULESET_NONE);
	yg_ruleset_free(r);
}

static bool excepted(const struct yg_ruleset *r, const char *org, const char *user, int64_t now,
		     const char *uid, const char *by)
{
	struct seen s;
	ask(r, org, "a.exe", user, now, &s);
	for (size_t i = 0; i < s.n; i++)
		if (strcmp(s.list[i].uid, uid) == 0)
			return s.list[i].hit.excepted == (by[0] != '\0') &&
			       strcmp(s.list[i].exception, by) == 0;
	return false;
}

static void test_exceptions(void)
{
	static const struct rs_doc docs[] = {
		{"r-1", "", RS_RULE("a", "Image: a.exe"), YG_STAGE_LIVE},
		{"r-2", "", RS_RULE("b", "Image|endswith: .exe"), YG_STAGE_LIVE},
		{NULL, NULL, NULL, YG_STAGE_OFF}};
	static const struct rs_except excepts[] = {
		{"x-bob", "r-1", "north", "s: {User: bob}\ncondition: s\n", 0},
		{"x-ann", "", "", "s: {User: ann}\ncondition: s\n", 100},
		{"x-word", "r-1", "other", "s: [raw]\ncondition: s\n", 0},
		{"x-words", "", "other", "s: [raw]\ncondition: s\n", 0},
		{"x-bad", "r-1", "", "s: {User: ann}\n", 0},
		{"x-gone", "r-none", "", "s: {User: ann}\ncondition: s\n", 0},
		{NULL, NULL, NULL, NULL, 0}};
	const struct rs_set set = {.orgs = tree, .docs = docs, .excepts = excepts};
	struct told told;
	struct yg_ruleset_stats stats;
	struct yg_ruleset *r = make(&set, &told, &stats);
	T_OK(r != NULL && yg_ruleset_count(r) == 2 && stats.exceptions == 3);
	T_OK(told.n == 2 && strcmp(told.uid[0], "x-words") == 0 &&
	     strcmp(told.uid[1], "x-bad") == 0);
	T_OK(excepted(r, "north", "bob", 5, "r-1", "x-bob"));
	T_OK(excepted(r, "city", "bob", 5, "r-1", "x-bob"));
	T_OK(excepted(r, "south", "bob", 5, "r-1", ""));
	T_OK(excepted(r, "north", "bob", 5, "r-2", ""));
	T_OK(excepted(r, "south", "ann", 5, "r-2", "x-ann"));
	T_NAMED(excepted(r, "south", "ann", 100, "r-2", ""), "an exception ends");
	T_OK(excepted(r, "other", "kim", 5, "r-1", "x-word"));
	T_OK(excepted(r, "other", "kim", 5, "r-2", ""));
	yg_ruleset_free(r);
}

#define FILTER(rules)                                                                              \
	"title: f\nlogsource: {product: windows}\nfilter:\n  rules: " rules                        \
	"\n  s: {User: bob}\n  condition: not s\n"

static void test_filters(void)
{
	static const struct rs_doc docs[] = {
		{"f-north", "north", FILTER("[a]"), YG_STAGE_LIVE},
		{"f-test", "south", FILTER("any"), YG_STAGE_TEST},
		{"f-all", "", FILTER("[b]"), YG_STAGE_AUDIT},
		{"r-1", "", RS_RULE("a", "Image: a.exe"), YG_STAGE_LIVE},
		{"r-2", "", RS_RULE("b", "Image: a.exe"), YG_STAGE_LIVE},
		{NULL, NULL, NULL, YG_STAGE_OFF}};
	const struct rs_set set = {.orgs = tree, .docs = docs};
	struct told told;
	struct yg_ruleset_stats stats;
	struct yg_ruleset *r = make(&set, &told, &stats);
	T_OK(r != NULL && yg_ruleset_count(r) == 2 && stats.filters == 2 && told.n == 0);
	T_NAMED(staged(r, "city", 5, "r-1", YG_STAGE_OFF), "a filter narrows below its node");
	T_OK(staged(r, "south", 5, "r-1", YG_STAGE_LIVE));
	T_OK(staged(r, "south", 5, "r-2", YG_STAGE_OFF));
	struct seen s;
	ask(r, "city", "a.exe", "ann", 5, &s);
	T_OK(s.n == 2 && hit_of(&s, "r-1") != NULL && !hit_of(&s, "r-1")->excepted);
	yg_ruleset_free(r);
}

#define COUNTING(name, rules, more)                                                                \
	"title: " name "\nname: " name "\ncorrelation:\n  type: event_count\n  rules: " rules      \
	"\n  group-by: [User]\n  timespan: 5m\n  condition: {gte: 3}\n" more

static void test_correlations(void)
{
	static const struct rs_doc docs[] = {
		{"c-all", "", COUNTING("many", "[a]", ""), YG_STAGE_LIVE},
		{"c-north", "north", COUNTING("north", "[b]", "  generate: true\n"), YG_STAGE_LIVE},
		{"c-south", "south", COUNTING("south", "[b]", ""), YG_STAGE_LIVE},
		{"c-test", "", COUNTING("quiet", "[c]", ""), YG_STAGE_TEST},
		{"c-bad", "", COUNTING("lost", "[nothing]", ""), YG_STAGE_LIVE},
		{"r-a", "", RS_RULE("a", "Image: a.exe"), YG_STAGE_LIVE},
		{"r-b", "", RS_RULE("b", "Image: a.exe"), YG_STAGE_LIVE},
		{"r-c", "", RS_RULE("c", "Image: a.exe"), YG_STAGE_LIVE},
		{"r-d", "", RS_RULE("d", "Image: a.exe"), YG_STAGE_LIVE},
		{NULL, NULL, NULL, YG_STAGE_OFF}};
	static const struct {
		const char *org, *uid;
		bool tells, wanted;
	} want[] = {{"city", "r-a", false, true},  {"other", "r-a", false, true},
		    {"city", "r-b", true, true},   {"south", "r-b", false, true},
		    {"other", "r-b", true, false}, {"city", "r-c", true, true},
		    {"city", "r-d", true, false}};
	const struct rs_set set = {.orgs = tree, .docs = docs};
	struct told told;
	struct yg_ruleset_stats stats;
	struct yg_ruleset *r = make(&set, &told, &stats);
	T_OK(r != NULL && stats.correlations == 4 && told.n == 1 &&
	     strcmp(told.uid[0], "c-bad") == 0);
	for (size_t i = 0; i < YG_LEN(want); i++) {
		struct seen s;
		ask(r, want[i].org, "a.exe", "bob", 5, &s);
		const struct yg_ruleset_hit *h = hit_of(&s, want[i].uid);
		T_NAMED(h != NULL && h->tells == want[i].tells && h->wanted == want[i].wanted,
			want[i].uid);
		struct yg_sv field;
		T_OK(h == NULL ||
		     yg_ruleset_wanted(r, h->rule, 0, &field) == (strcmp(want[i].uid, "r-d") != 0));
		T_OK(h == NULL || !yg_ruleset_wanted(r, h->rule, 1, &field));
	}
	yg_ruleset_free(r);
}

/* A correlation takes matches, and keeps them silent, in the stage that holds for whose they are. */
static void test_correlation_stages(void)
{
	static const struct rs_doc docs[] = {
		{"c-off", "", COUNTING("off", "[a]", ""), YG_STAGE_OFF},
		{"c-live", "", COUNTING("live", "[b]", ""), YG_STAGE_LIVE},
		{"r-a", "", RS_RULE("a", "Image: a.exe"), YG_STAGE_LIVE},
		{"r-b", "", RS_RULE("b", "Image: a.exe"), YG_STAGE_LIVE},
		{NULL, NULL, NULL, YG_STAGE_OFF}};
	static const struct rs_over overs[] = {{"c-off", "north", YG_STAGE_LIVE, 0},
					       {"c-live", "south", YG_STAGE_OFF, 0},
					       {"c-live", "city", YG_STAGE_TEST, 1000},
					       {NULL, NULL, YG_STAGE_OFF, 0}};
	static const struct {
		const char *org, *uid;
		int64_t now;
		bool tells, wanted;
	} want[] = {{"north", "r-a", 5, false, true},  {"city", "r-a", 5, false, true},
		    {"other", "r-a", 5, true, false},  {"other", "r-b", 5, false, true},
		    {"south", "r-b", 5, true, false},  {"city", "r-b", 5, true, true},
		    {"city", "r-b", 2000, false, true}};
	const struct rs_set set = {.orgs = tree, .docs = docs, .overs = overs};
	struct told told;
	struct yg_ruleset *r = make(&set, &told, NULL);
	T_OK(r != NULL && told.n == 0);
	for (size_t i = 0; i < YG_LEN(want); i++) {
		struct seen s;
		ask(r, want[i].org, "a.exe", "bob", want[i].now, &s);
		const struct yg_ruleset_hit *h = hit_of(&s, want[i].uid);
		T_NAMED(h != NULL && h->tells == want[i].tells && h->wanted == want[i].wanted,
			want[i].org);
	}
	yg_ruleset_free(r);
}

static struct {
	unsigned calls;
	int64_t us;
} cost;
static void on_cost(void *ctx, uint32_t rule, int64_t us)
{
	(void)ctx;
	(void)rule;
	cost.calls++;
	cost.us += us;
}

static void test_cost(void)
{
	static const struct rs_doc docs[] = {
		{"r-1", "", RS_RULE("a", "Image: a.exe"), YG_STAGE_LIVE},
		{"r-2", "", RS_RULE("b", "Image: b.exe"), YG_STAGE_LIVE},
		{NULL, NULL, NULL, YG_STAGE_OFF}};
	static const struct rs_except excepts[] = {
		{"x-1", "r-1", "", "s: {Image: a.exe}\ncondition: s\n", 0},
		{NULL, NULL, NULL, NULL, 0}};
	static const struct yg_detect_logsource source = {YG_SV_INIT(""), YG_SV_INIT("windows"),
							  YG_SV_INIT("")};
	static const struct yg_detect_pair pair = {YG_SV_INIT("Image"), YG_SV_INIT("a.exe"), false,
						   0};
	const struct yg_detect_record record = {&source, 1, &pair, 1, YG_SV_INIT(""), 1, NULL};
	const struct rs_set set = {.orgs = tree, .docs = docs, .excepts = excepts};
	struct yg_env_sim sim = {.seed = 1};
	struct yg_env env = yg_env_sim(&sim);
	const struct yg_ruleset_watch watch = {&env, on_cost, NULL};
	struct yg_ruleset_eval *e = NULL;
	struct told told;
	struct seen s;
	struct yg_ruleset *r = make(&set, &told, NULL);
	T_OK(r != NULL && yg_ruleset_eval_new(r, &watch, &e, NULL) == YG_OK);
	s = (struct seen){.r = r};
	for (unsigned i = 0; i < 10 * YG_RULESET_SAMPLE; i++)
		yg_ruleset_run(e, &record, YG_RULESET_NONE, (yg_wall){5}, on_hit, &s);
	T_NAMED(cost.calls == 10, "one of so many events is measured, and rules alone are told");
	yg_ruleset_eval_free(e);
	yg_ruleset_free(r);
}

/* Bytes changed behind the digest: refused, or opened and asked without harm. */
static void test_damage(void)
{
	static const struct rs_doc docs[] = {
		{"c-all", "", COUNTING("many", "[a]", ""), YG_STAGE_LIVE},
		{"r-a", "isp", RS_RULE("a", "Image: a.exe"), YG_STAGE_LIVE},
		{NULL, NULL, NULL, YG_STAGE_OFF}};
	static const struct rs_over overs[] = {{"r-a", "north", YG_STAGE_TEST, 0},
					       {NULL, NULL, YG_STAGE_OFF, 0}};
	static const struct rs_except excepts[] = {
		{"x-1", "r-a", "city", "s: {User: bob}\ncondition: s\n", 0},
		{NULL, NULL, NULL, NULL, 0}};
	const struct rs_set set = {tree, docs, overs, excepts, 3};
	struct yg_ruleset *r = NULL;
	struct yg_ruleset_stats stats;
	struct yg_err err = {0};
	struct seen s;
	unsigned refused = 0, opened = 0, wrong = 0;
	int fd = memfd_create("rules", MFD_CLOEXEC);
	T_OK(rs_write(&set, fd, NULL, NULL, &stats, &err) == YG_OK);
	unsigned char *image = malloc(stats.bytes), *copy = malloc(stats.bytes);
	T_OK(image != NULL && copy != NULL &&
	     pread(fd, image, stats.bytes, 0) == (ssize_t)stats.bytes);
	for (size_t at = 0; image != NULL && copy != NULL && at < stats.bytes; at += 3) {
		memcpy(copy, image, stats.bytes);
		copy[at] ^= (unsigned char)(1u << at % 8);
		wrong += yg_ruleset_open_bytes(copy, stats.bytes, &r, NULL) == YG_OK;
		(void)yg_snap_fix_digest(copy, stats.bytes);
		if (yg_ruleset_open_bytes(copy, stats.bytes, &r, NULL) != YG_OK) {
			refused++;
			continue;
		}
		opened++;
		ask(r, "city", "a.exe", "bob", 5, &s);
		yg_ruleset_free(r);
	}
	(void)printf("# %u refused, %u opened\n", refused, opened);
	T_OK(wrong == 0 && refused > 100 && opened > 100);
	T_OK(yg_ruleset_open_fd(fd, 4, &r, &err) == YG_CONFLICT);
	struct yg_detect *plain = NULL;
	T_NAMED(yg_detect_open_fd(fd, 0, &plain, &err) == YG_CORRUPT, "a set is no mere engine");
	free(image);
	free(copy);
	(void)close(fd);
}

int main(void)
{
	test_scope();
	test_exceptions();
	test_filters();
	test_correlations();
	test_correlation_stages();
	test_cost();
	test_damage();
	return tap_done();
}
