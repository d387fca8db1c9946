/* A snapshot of rules with bytes changed and its digest put right: refused, or asked
 * without harm.  The input is 32-bit offsets, each with the byte that goes there. */
#include <sys/mman.h>
#include <unistd.h>

#include "detect/engine.h"
#include "detect/read.h"
#include "fuzz/replay.h"
#include "snapshot/snapshot.h"

static const char rules_text[] =
	"title: a\nlogsource: {product: windows}\ndetection:\n"
	"  a: {Image|endswith: '\\x.exe', CommandLine|contains|windash: ' -enc'}\n"
	"  b: {CommandLine|contains: [ab, b, '12*34'], User|cased: Q}\n"
	"  c: {Ip|cidr: 10.0.0.0/8, N|gte: 3, A|fieldref: B, '|all': [x, y]}\n"
	"  d: {P: '*', Q: 'a?b*c', R: '?"
	"?', S: null}\n"
	"  condition: (a or b) and not c or d\n";
static uint8_t *image;
static size_t image_n;

static void on_match(void *ctx, uint32_t rule)
{
	(void)ctx;
	(void)rule;
}

static void make_image(void)
{
	static struct yg_env_sim sim = {.seed = 4};
	struct yg_env env = yg_env_sim(&sim);
	struct yg_arena arena;
	struct yg_sigma_file f = {NULL, 0, 0};
	struct yg_detect_builder *b = NULL;
	struct yg_detect *d = NULL;
	uint64_t bytes = 0;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	yg_arena_init(&arena, (size_t)16 << 20);
	if (yg_sigma_read(yg_sv_of(rules_text), "f", NULL, NULL, &arena, &f, NULL) != YG_OK ||
	    yg_detect_builder_new(&env, (size_t)64 << 20, &b, NULL) != YG_OK ||
	    yg_detect_builder_add(b, &f.rules[0], YG_SV("f"), NULL, 0, NULL) != YG_OK ||
	    yg_detect_builder_build(b, &d, NULL) != YG_OK ||
	    yg_detect_write(d, fd, 1, (yg_wall){1}, &bytes, NULL) != YG_OK)
		abort();
	image = malloc(bytes);
	image_n = bytes;
	if (image == NULL || pread(fd, image, image_n, 0) != (ssize_t)image_n)
		abort();
	(void)close(fd);
	yg_detect_free(d);
	yg_detect_builder_free(b);
	yg_arena_free(&arena);
}

static void ask(const struct yg_detect *d)
{
	static const struct yg_detect_logsource source = {YG_SV_INIT(""), YG_SV_INIT("windows"),
							  YG_SV_INIT("")};
	static const struct yg_detect_pair pairs[] = {
		{YG_SV_INIT("Image"), YG_SV_INIT("c:\\X.EXE"), false, 0},
		{YG_SV_INIT("CommandLine"), YG_SV_INIT("a -enc ab12xx34"), false, 0},
		{YG_SV_INIT("User"), YG_SV_INIT("Q"), false, 0},
		{YG_SV_INIT("Ip"), YG_SV_INIT("10.1.2.3"), false, 0},
		{YG_SV_INIT("N"), YG_SV_INIT("5"), false, 0},
		{YG_SV_INIT("A"), YG_SV_INIT("b"), false, 0},
		{YG_SV_INIT("B"), YG_SV_INIT("B"), false, 0},
		{YG_SV_INIT("P"), YG_SV_INIT("p"), false, 0},
		{YG_SV_INIT("Q"), YG_SV_INIT("axbzzc"), false, 0},
		{YG_SV_INIT("R"), YG_SV_INIT("rr"), false, 0},
		{YG_SV_INIT("S"), YG_SV_INIT(""), true, 0}};
	static const struct yg_detect_record r = {
		&source, 1, pairs, YG_LEN(pairs), YG_SV_INIT("x and y, raw"), 1, NULL};
	struct yg_detect_eval *e = NULL;
	struct yg_sv fields[8];
	volatile size_t sum = 0;
	if (yg_detect_eval_new(d, &e, NULL) != YG_OK)
		return;
	for (int i = 0; i < 3; i++)
		yg_detect_run(e, &r, on_match, NULL);
	for (uint32_t i = 0; i < yg_detect_rule_count(d) && i < 100; i++) {
		const struct yg_detect_about about = yg_detect_about(d, i);
		for (size_t k = 0; k < about.title.n; k++)
			sum += (unsigned char)about.title.p[k];
		sum += yg_detect_fields(e, i, fields, YG_LEN(fields));
	}
	(void)sum;
	yg_detect_eval_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct yg_detect *d = NULL;
	if (image == NULL)
		make_image();
	uint8_t *copy = fuzz_exact(image, image_n);
	for (size_t i = 0; i + 5 <= size && i < 500; i += 5) {
		uint32_t at;
		memcpy(&at, data + i, sizeof at);
		copy[at % image_n] = data[i + 4];
	}
	(void)yg_snap_fix_digest(copy, image_n);
	if (yg_detect_open_bytes(copy, image_n, &d, NULL) == YG_OK)
		ask(d);
	yg_detect_free(d);
	free(copy);
	return 0;
}
