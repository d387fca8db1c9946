/* The saved state of correlations: what is taken is whole, goes on, and is saved again to
 * bytes that stay the same.  The first byte says whether the rest is a file, or what is
 * behind the header of one, which is then made to fit. */
#include "base/codec.h"
#include "detect/correlate_testing.h"
#include "fuzz/replay.h"

static struct yg_correlate *make(void)
{
	static struct yg_env_sim sim = {.seed = 3};
	struct yg_env env = yg_env_sim(&sim);
	struct yg_correlate_opts opts = yg_correlate_defaults();
	struct yg_correlate *c = NULL;
	opts.groups = 50;
	opts.memory = (size_t)8 << 20;
	opts.lateness = YG_SECONDS(3);
	if (yg_correlate_new(testing_rules(), TESTING_BASES + TESTING_CORRS, &opts, &env, NULL,
			     NULL, &c, NULL) != YG_OK)
		abort();
	return c;
}

static bool on_hit(void *ctx, const struct yg_correlate_hit *h)
{
	volatile size_t *sum = ctx;
	for (size_t i = 0; i < h->group_count; i++)
		for (size_t n = 0; n < h->values[i].n; n++)
			*sum += (unsigned char)h->values[i].p[n];
	for (size_t i = 0; i < h->id_count; i++)
		*sum += h->ids[i][1];
	return true;
}

static void save(struct yg_correlate *c, struct yg_buf *to)
{
	yg_buf_init(to, (size_t)64 << 20);
	if (yg_correlate_save(c, to) != YG_OK)
		abort();
}

static void taken(struct yg_correlate *c)
{
	struct yg_buf one, two;
	size_t lost;
	volatile size_t sum = 0;
	struct yg_correlate *again = make();
	save(c, &one);
	if (yg_correlate_restore(again, yg_buf_sv(&one), &lost, NULL) != YG_OK || lost != 0)
		abort();
	save(again, &two);
	if (!yg_sv_eq(yg_buf_sv(&one), yg_buf_sv(&two)))
		abort();
	for (unsigned i = 0; i < 30; i++)
		(void)testing_event(again, i, on_hit, (void *)(uintptr_t)&sum);
	(void)yg_correlate_flush(again, on_hit, (void *)(uintptr_t)&sum);
	yg_correlate_free(again);
	yg_buf_free(&one);
	yg_buf_free(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct yg_buf file;
	struct yg_sv rest = {(const char *)data + 1, size - 1};
	struct yg_err err = {.code = YG_OK};
	size_t lost;
	yg_buf_init(&file, (size_t)16 << 20);
	if (data[0] % 2 == 1) {
		yg_buf_put(&file, YG_SV("YGCORR\r\n"));
		yg_wr_le32(&file, 1);
		yg_wr_le32(&file, yg_crc32c(0, rest.p, rest.n));
		yg_wr_le64(&file, rest.n);
	}
	yg_buf_put(&file, rest);
	uint8_t *exact = fuzz_exact((const uint8_t *)file.p, file.n);
	struct yg_correlate *c = make();
	yg_status st =
		yg_correlate_restore(c, (struct yg_sv){(const char *)exact, file.n}, &lost, &err);
	if (st == YG_OK)
		taken(c);
	else if (err.code != st || (st != YG_CORRUPT && st != YG_LIMIT && st != YG_NOMEM))
		abort();
	yg_correlate_free(c);
	free(exact);
	yg_buf_free(&file);
	return 0;
}
