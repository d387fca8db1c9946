#include "conf/conf.h"
#include "fuzz/replay.h"

static void report(void *ctx, const char *file, size_t line, const char *key, const char *text)
{
	size_t *n = ctx;
	(void)file;
	if (key == NULL || text[0] == '\0' || line > (1u << 30))
		abort();
	(*n)++;
}

/* Any bytes: read or refused with a reason; what was read prints and reads back
 * to the same text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct yg_arena a, b;
	struct yg_conf conf, again;
	struct yg_buf text, text2;
	size_t problems = 0;
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL)
		return 0;
	yg_arena_init(&a, 4 << 20);
	yg_arena_init(&b, 4 << 20);
	yg_buf_init(&text, 16 << 20);
	yg_buf_init(&text2, 16 << 20);
	yg_status st = yg_conf_read((struct yg_sv){(char *)exact, size}, "f", &a, &conf, report,
				    &problems, NULL);
	if (st == YG_OK ? problems != 0 : (problems == 0 && st != YG_NOMEM))
		abort();
	if (st == YG_OK) {
		yg_conf_print(&conf, false, &text);
		if (yg_conf_read(yg_buf_sv(&text), "g", &b, &again, report, &problems, NULL) !=
		    YG_OK)
			abort();
		yg_conf_print(&again, false, &text2);
		if (!yg_sv_eq(yg_buf_sv(&text), yg_buf_sv(&text2)))
			abort();
	}
	yg_buf_free(&text);
	yg_buf_free(&text2);
	yg_arena_free(&a);
	yg_arena_free(&b);
	free(exact);
	return 0;
}
