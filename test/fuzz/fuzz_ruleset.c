/* A set of rules with bytes changed and its digest put right: refused, or asked for several
 * organisations without harm.  The input is 32-bit offsets, each with the byte that goes
 * there. */
#include <sys/mman.h>
#include <unistd.h>

#include "detect/ruleset_testing.h"
#include "fuzz/replay.h"
#include "snapshot/snapshot.h"

static const struct rs_org orgs[] = {
	{"isp", ""}, {"north", "isp"}, {"city", "north"}, {"other", ""}, {NULL, NULL}};
static const struct rs_doc docs[] = {
	{"f-1", "north",
	 "title: f\nlogsource: {product: windows}\nfilter:\n  rules: any\n  s: {User: eve}\n"
	 "  condition: not s\n",
	 YG_STAGE_LIVE},
	{"c-1", "isp",
	 "title: c\ncorrelation:\n  type: event_count\n  rules: [a]\n  group-by: [User]\n"
	 "  timespan: 5m\n  condition: {gte: 3}\n",
	 YG_STAGE_LIVE},
	{"r-1", "isp", RS_RULE("a", "Image: a.exe"), YG_STAGE_LIVE},
	{"r-2", "", RS_RULE("b", "Image|contains: a"), YG_STAGE_TEST},
	{NULL, NULL, NULL, YG_STAGE_OFF}};
static const struct rs_over overs[] = {{"r-1", "north", YG_STAGE_AUDIT, 0},
				       {"r-2", "", YG_STAGE_LIVE, 90},
				       {NULL, NULL, YG_STAGE_OFF, 0}};
static const struct rs_except excepts[] = {
	{"x-1", "r-2", "north", "s: {User: bob}\ncondition: s\n", 0},
	{"x-2", "", "", "s: {User: ann}\ncondition: s\n", 70},
	{NULL, NULL, NULL, NULL, 0}};
static uint8_t *image;
static size_t image_n;

static void make_image(void)
{
	const struct rs_set set = {orgs, docs, overs, excepts, 1};
	struct yg_ruleset_stats stats;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (rs_write(&set, fd, NULL, NULL, &stats, NULL) != YG_OK)
		abort();
	image = malloc(stats.bytes);
	image_n = stats.bytes;
	if (image == NULL || pread(fd, image, image_n, 0) != (ssize_t)image_n)
		abort();
	(void)close(fd);
}

static volatile size_t sum;
static const struct yg_ruleset *asked;

static void on_hit(void *ctx, const struct yg_ruleset_hit *h)
{
	const struct yg_ruleset_about about = yg_ruleset_about(asked, h->rule);
	struct yg_sv name;
	(void)ctx;
	for (size_t i = 0; i < about.uid.n; i++)
		sum += (unsigned char)about.uid.p[i];
	for (size_t i = 0; i < h->exception.n; i++)
		sum += (unsigned char)h->exception.p[i];
	for (uint32_t i = 0; yg_ruleset_wanted(asked, h->rule, i, &name); i++)
		sum += name.n > 0 ? (unsigned char)name.p[0] : 0;
}

static void ask(const struct yg_ruleset *r)
{
	static const struct yg_detect_logsource source = {YG_SV_INIT(""), YG_SV_INIT("windows"),
							  YG_SV_INIT("")};
	static const char *const users[] = {"bob", "ann", "eve"};
	struct yg_ruleset_eval *e = NULL;
	asked = r;
	if (yg_ruleset_eval_new(r, NULL, &e, NULL) != YG_OK)
		return;
	for (size_t u = 0; u < YG_LEN(users); u++)
		for (const struct rs_org *o = orgs; o->slug != NULL; o++) {
			const struct yg_detect_pair pairs[] = {
				{YG_SV_INIT("Image"), YG_SV_INIT("a.exe"), false, 0},
				{YG_SV_INIT("User"), yg_sv_of(users[u]), false, 0}};
			const struct yg_detect_record record = {&source,           1, pairs, 2,
								YG_SV_INIT("raw"), 1, NULL};
			yg_ruleset_run(e, &record, yg_ruleset_org(r, yg_sv_of(o->slug)),
				       (yg_wall){(int64_t)u * 80}, on_hit, NULL);
		}
	yg_ruleset_eval_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct yg_ruleset *r = NULL;
	if (image == NULL)
		make_image();
	uint8_t *copy = fuzz_exact(image, image_n);
	for (size_t i = 0; i + 5 <= size && i < 500; i += 5) {
		uint32_t at;
		memcpy(&at, data + i, sizeof at);
		copy[at % image_n] = data[i + 4];
	}
	(void)yg_snap_fix_digest(copy, image_n);
	if (yg_ruleset_open_bytes(copy, image_n, &r, NULL) == YG_OK)
		ask(r);
	yg_ruleset_free(r);
	free(copy);
	return 0;
}
