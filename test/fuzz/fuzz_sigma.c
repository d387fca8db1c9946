/* A rule file: read; what was taken must be whole. */
#include "detect/read.h"
#include "fuzz/replay.h"

/* The postfix never pops more than there is and leaves one value. */
static void walk(const struct yg_sigma_detection *d)
{
	size_t depth = 0;
	for (size_t i = 0; i < d->step_count; i++) {
		const struct yg_sigma_step *s = &d->steps[i];
		if (s->kind == YG_SIGMA_SEARCH) {
			if (s->search >= d->search_count)
				abort();
			depth++;
		} else if (depth < (s->kind == YG_SIGMA_NOT ? 1U : 2U)) {
			abort();
		} else if (s->kind != YG_SIGMA_NOT) {
			depth--;
		}
		if (depth > d->stack_max)
			abort();
	}
	if (depth != 1)
		abort();
}

/* Every byte of every part is there. */
static size_t touch(const struct yg_sigma_item *item)
{
	size_t sum = 0;
	for (size_t v = 0; v < item->value_count; v++) {
		const struct yg_sigma_value *value = &item->values[v];
		if (value->test == 0)
			abort();
		for (size_t p = 0; p < value->pattern_count; p++)
			for (size_t i = 0; i < value->patterns[p].count; i++) {
				struct yg_sv t = value->patterns[p].parts[i].text;
				for (size_t j = 0; j < t.n; j++)
					sum += (unsigned char)t.p[j];
			}
	}
	return sum;
}

static void on_refused(void *ctx, const char *file, size_t line, const char *reason)
{
	(void)ctx;
	(void)file;
	if (line == 0 || reason[0] == '\0')
		abort(); /* refused without a reason */
}

static volatile size_t sum; /* every value is read */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct yg_sigma_file f;
	struct yg_arena arena;
	struct yg_err err = {.code = YG_OK};
	uint8_t *exact = fuzz_exact(data, size);
	yg_arena_init(&arena, (size_t)16 << 20);
	yg_status st = yg_sigma_read((struct yg_sv){(const char *)exact, size}, "f", on_refused,
				     NULL, &arena, &f, &err);
	if (st != YG_OK && err.code != st)
		abort();
	for (size_t r = 0; st == YG_OK && r < f.count; r++) {
		const struct yg_sigma_detection *d = &f.rules[r].detection;
		if (f.rules[r].kind == YG_SIGMA_CORRELATION)
			continue;
		walk(d);
		for (size_t s = 0; s < d->search_count; s++)
			for (size_t m = 0; m < d->searches[s].count; m++)
				for (size_t i = 0; i < d->searches[s].maps[m].count; i++)
					sum = sum + touch(&d->searches[s].maps[m].items[i]);
	}
	yg_arena_free(&arena);
	free(exact);
	return 0;
}
