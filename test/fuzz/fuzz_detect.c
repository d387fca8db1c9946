/* A rule file, a line "===", and events of Windows, or a log of Zeek's in TSV when it begins as
 * one: whatever the rules that were taken and
 * whatever the events, an engine and the same one written and opened again say the same. */
#include <sys/mman.h>
#include <unistd.h>

#include "detect/engine.h"
#include "detect/read.h"
#include "detect/view.h"
#include "fuzz/replay.h"

#define RULES 64
static struct yg_env_sim sim = {.seed = 4};
static unsigned hits[2][RULES];

static void on_match(void *ctx, uint32_t rule)
{
	((unsigned *)ctx)[rule]++;
}

static struct yg_detect *compile(struct yg_sv yaml)
{
	struct yg_env env = yg_env_sim(&sim);
	struct yg_arena arena;
	struct yg_sigma_file f = {NULL, 0, 0};
	struct yg_detect_builder *b = NULL;
	struct yg_detect *d = NULL;
	struct yg_err err;
	yg_arena_init(&arena, (size_t)16 << 20);
	if (yg_sigma_read(yaml, "f", NULL, NULL, &arena, &f, NULL) == YG_OK &&
	    yg_detect_builder_new(&env, (size_t)64 << 20, &b, NULL) == YG_OK) {
		for (size_t i = 0; i < f.count && i < RULES; i++) {
			err.msg[0] = '\0';
			if (yg_detect_builder_add(b, &f.rules[i], YG_SV("f"), NULL, 0, &err) !=
				    YG_OK &&
			    err.msg[0] == '\0')
				abort(); /* refused without a reason */
		}
		(void)yg_detect_builder_build(b, &d, NULL);
	}
	yg_detect_builder_free(b);
	yg_arena_free(&arena);
	return d;
}

static struct yg_detect *reopen(const struct yg_detect *d)
{
	struct yg_detect *again = NULL;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (yg_detect_write(d, fd, 1, (yg_wall){1}, NULL, NULL) != YG_OK ||
	    yg_detect_open_fd(fd, 0, &again, NULL) != YG_OK)
		abort();
	(void)close(fd);
	return again;
}

static void ask(const struct yg_detect *d, struct yg_sv events, unsigned *out)
{
	struct yg_env env = yg_env_sim(&sim);
	struct yg_norm *norm = NULL;
	struct yg_detect_view *view = NULL;
	struct yg_detect_eval *e = NULL;
	struct yg_event ev;
	struct yg_detect_record r;
	enum yg_source source =
		yg_sv_starts(events, YG_SV("#")) ? YG_SOURCE_ZEEK : YG_SOURCE_WINDOWS;
	if (yg_norm_new(source, NULL, &norm, NULL) != YG_OK ||
	    yg_detect_view_new(source, NULL, &env, &view, NULL) != YG_OK ||
	    yg_detect_eval_new(d, &e, NULL) != YG_OK)
		abort();
	yg_norm_begin(norm, events, (yg_wall){1}, false);
	while (yg_norm_next(norm, &ev))
		if (yg_detect_view_make(view, &ev, &r, NULL) == YG_OK)
			yg_detect_run(e, &r, on_match, out);
	yg_detect_eval_free(e);
	yg_detect_view_free(view);
	yg_norm_free(norm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL)
		return 0;
	struct yg_sv all = {(const char *)exact, size};
	const char *cut = size > 5 ? memmem(all.p, all.n, "\n===\n", 5) : NULL;
	size_t at = cut != NULL ? (size_t)(cut - all.p) : size;
	struct yg_detect *d = compile(yg_sv_sub(all, 0, at));
	memset(hits, 0, sizeof hits);
	if (d != NULL) {
		struct yg_detect *again = reopen(d);
		struct yg_sv events = yg_sv_sub(all, at + 5, size);
		ask(d, events, hits[0]);
		ask(again, events, hits[1]);
		if (memcmp(hits[0], hits[1], sizeof hits[0]) != 0)
			abort();
		yg_detect_free(again);
	}
	yg_detect_free(d);
	free(exact);
	return 0;
}
