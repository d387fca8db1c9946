/* Every allocation of compiling, opening and asking a set fails once: an error, nothing
 * leaked. */
#include <sys/mman.h>

#include "detect/ruleset_testing.h"
#include "oom.h"

static const struct rs_org orgs[] = {{"isp", ""}, {"north", "isp"}, {NULL, NULL}};
static const struct rs_doc docs[] = {
	{"f-1", "north",
	 "title: f\nlogsource: {product: windows}\nfilter:\n  rules: any\n  s: {User: eve}\n"
	 "  condition: not s\n",
	 YG_STAGE_LIVE},
	{"f-2", "",
	 "title: g\nlogsource: {product: windows}\nfilter:\n  rules: any\n  s: {User: adam}\n"
	 "  condition: not s\n",
	 YG_STAGE_LIVE},
	{"c-1", "isp",
	 "title: c\ncorrelation:\n  type: event_count\n  rules: [a]\n  group-by: [User]\n"
	 "  timespan: 5m\n  condition: {gte: 3}\n",
	 YG_STAGE_LIVE},
	{"r-1", "isp", RS_RULE("a", "Image: a.exe, User|re: 'b.b'"), YG_STAGE_LIVE},
	{"r-2", "", RS_RULE("b", "Image|contains: a"), YG_STAGE_TEST},
	{NULL, NULL, NULL, YG_STAGE_OFF}};
static const struct rs_over overs[] = {{"r-1", "north", YG_STAGE_AUDIT, 0},
				       {NULL, NULL, YG_STAGE_OFF, 0}};
static const struct rs_except excepts[] = {
	{"x-1", "r-2", "north", "s: {User: bob}\ncondition: s\n", 0}, {NULL, NULL, NULL, NULL, 0}};
static unsigned hits, excepted;

static void on_hit(void *ctx, const struct yg_ruleset_hit *h)
{
	(void)ctx;
	hits++;
	excepted += h->excepted;
}

static yg_status whole(int fd)
{
	static const struct yg_detect_logsource source = {YG_SV_INIT(""), YG_SV_INIT("windows"),
							  YG_SV_INIT("")};
	static const struct yg_detect_pair pairs[] = {
		{YG_SV_INIT("Image"), YG_SV_INIT("a.exe"), false, 0},
		{YG_SV_INIT("User"), YG_SV_INIT("bob"), false, 0}};
	const struct yg_detect_record record = {&source, 1, pairs, 2, YG_SV_INIT(""), 1, NULL};
	const struct rs_set set = {orgs, docs, overs, excepts, 1};
	struct yg_ruleset *r = NULL;
	struct yg_ruleset_eval *e = NULL;
	yg_status st = rs_write(&set, fd, NULL, NULL, NULL, NULL);
	if (st == YG_OK)
		st = yg_ruleset_open_fd(fd, 0, &r, NULL);
	if (st == YG_OK)
		st = yg_ruleset_eval_new(r, NULL, &e, NULL);
	if (st == YG_OK)
		yg_ruleset_run(e, &record, yg_ruleset_org(r, YG_SV("north")), (yg_wall){1}, on_hit,
			       NULL);
	yg_ruleset_eval_free(e);
	yg_ruleset_free(r);
	return st;
}

int main(void)
{
	int fd = memfd_create("oom", MFD_CLOEXEC);
	T_OK(whole(fd) == YG_OK && hits == 2 && excepted == 1);
	oom_rounds(whole, fd);
	hits = excepted = 0;
	T_OK(whole(fd) == YG_OK && hits == 2 && excepted == 1);
	(void)close(fd);
	return tap_done();
}
