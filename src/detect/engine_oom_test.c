/* Every allocation of compiling, opening and asking fails once: an error, nothing leaked. */
#include <sys/mman.h>
#include <unistd.h>

#include "detect/engine.h"
#include "detect/read.h"
#include "detect/view.h"
#include "oom.h"

static const char rules_text[] =
	"title: a\nlogsource: {product: windows, service: sysmon}\ndetection:\n"
	"  a: {Image|endswith: '\\x.exe', CommandLine|contains|windash: ' -enc'}\n"
	"  b: {CommandLine|re: 'abc.*d', User|cased: Q}\n"
	"  c: {Ip|cidr: 10.0.0.0/8, N|gte: 3, A|fieldref: B, '|all': [x, y]}\n"
	"  d: {P: '*', Q: 'a?b*c', R: '?"
	"?'}\n"
	"  condition: (a or b) and not c or d\n"
	"---\ntitle: b\nlogsource: {product: windows}\ndetection:\n  k: [abc, def]\n  condition: k\n"
	"---\ntitle: f\nlogsource: {product: windows}\nfilter:\n  rules: any\n  s: {X: 1}\n  condition: not s\n";
static const char record[] =
	"{\"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"EventID\":1,\"Image\":\"c:\\\\x.exe\","
	"\"CommandLine\":\"q -ENC abc\",\"Nested\":{\"X\":[1,null,2]}}\n";
static struct yg_env_sim sim = {.seed = 3};
static struct yg_sigma_file file;
static unsigned hits;

static void on_match(void *ctx, uint32_t rule)
{
	(void)ctx;
	(void)rule;
	hits++;
}

static yg_status compile(struct yg_detect **out)
{
	struct yg_env env = yg_env_sim(&sim);
	struct yg_detect_builder *b = NULL;
	const struct yg_sigma_rule *filters[1] = {&file.rules[2]};
	yg_status st = yg_detect_builder_new(&env, YG_DETECT_MEMORY, &b, NULL);
	for (size_t i = 0; st == YG_OK && i < 2; i++)
		st = yg_detect_builder_add(b, &file.rules[i], YG_SV("f"), filters, 1, NULL);
	if (st == YG_OK)
		st = yg_detect_builder_build(b, out, NULL);
	yg_detect_builder_free(b);
	return st;
}

static yg_status ask(const struct yg_detect *d)
{
	struct yg_env env = yg_env_sim(&sim);
	struct yg_norm *norm = NULL;
	struct yg_detect_view *view = NULL;
	struct yg_detect_eval *e = NULL;
	struct yg_event ev;
	struct yg_detect_record r;
	yg_status st = yg_norm_new(YG_SOURCE_WINDOWS, NULL, &norm, NULL);
	if (st == YG_OK)
		st = yg_detect_view_new(YG_SOURCE_WINDOWS, NULL, &env, &view, NULL);
	if (st == YG_OK)
		st = yg_detect_eval_new(d, &e, NULL);
	if (st == YG_OK) {
		yg_norm_begin(norm, yg_sv_of(record), (yg_wall){1}, false);
		if (yg_norm_next(norm, &ev)) /* out of memory it is an event of less */
			st = yg_detect_view_make(view, &ev, &r, NULL);
		if (st == YG_OK)
			yg_detect_run(e, &r, on_match, NULL);
	}
	yg_detect_eval_free(e);
	yg_detect_view_free(view);
	yg_norm_free(norm);
	return st;
}

static yg_status whole(int fd)
{
	struct yg_detect *d = NULL, *again = NULL;
	yg_status st = compile(&d);
	if (st == YG_OK)
		st = yg_detect_write(d, fd, 1, (yg_wall){1}, NULL, NULL);
	if (st == YG_OK)
		st = yg_detect_open_fd(fd, 0, &again, NULL);
	if (st == YG_OK)
		st = ask(again);
	yg_detect_free(again);
	yg_detect_free(d);
	return st;
}

int main(void)
{
	struct yg_arena arena;
	int fd = memfd_create("oom", MFD_CLOEXEC);
	yg_arena_init(&arena, (size_t)64 << 20);
	T_OK(yg_sigma_read(yg_sv_of(rules_text), "f", NULL, NULL, &arena, &file, NULL) == YG_OK &&
	     file.count == 3);
	T_OK(whole(fd) == YG_OK && hits == 1);
	oom_rounds(whole, fd);
	hits = 0;
	T_OK(whole(fd) == YG_OK && hits == 1);
	(void)close(fd);
	yg_arena_free(&arena);
	return tap_done();
}
