/* No memory at any point: said so, counted, and the rest stands. Rules that change between
 * saving and restoring; files that are torn or changed at any place. */
#include "detect/correlate_testing.h"
#include "oom.h"

#define RULES (TESTING_BASES + TESTING_CORRS)

static struct yg_env_sim sim = {.seed = 5};

static yg_status make_of(size_t rules, struct yg_correlate **out)
{
	struct yg_env env = yg_env_sim(&sim);
	struct yg_correlate_opts opts = yg_correlate_defaults();
	opts.lateness = YG_SECONDS(3);
	return yg_correlate_new(testing_rules(), rules, &opts, &env, NULL, NULL, out, NULL);
}

static bool count_hit(void *ctx, const struct yg_correlate_hit *h)
{
	(*(size_t *)ctx)++;
	(void)h;
	return true;
}

static uint64_t dropped(const struct yg_correlate *c)
{
	uint64_t sum = 0;
	struct yg_correlate_counts n;
	for (uint32_t i = TESTING_BASES; i < RULES; i++)
		if (yg_correlate_counts(c, i, &n))
			sum += n.dropped;
	return sum;
}

static struct yg_buf saved;

/* Made, fed, saved and restored; *hits only when nothing was refused. */
static yg_status whole_way(size_t *hits)
{
	struct yg_correlate *c = NULL, *next = NULL;
	struct yg_buf out;
	size_t lost = 0;
	bool told = false;
	yg_status st = make_of(RULES, &c);
	yg_buf_init(&out, (size_t)1 << 20);
	*hits = 0;
	for (unsigned i = 0; st == YG_OK && i < 40; i++) {
		yg_status one = testing_event(c, i, count_hit, hits);
		told = told || one == YG_NOMEM;
		if (one != YG_OK && one != YG_NOMEM)
			st = YG_INTERNAL;
	}
	if (st == YG_OK && !told && dropped(c) > 0)
		st = YG_INTERNAL; /* dropped, and nobody was told */
	if (st == YG_OK)
		st = yg_correlate_save(c, &out);
	if (st == YG_OK)
		st = make_of(RULES, &next);
	if (st == YG_OK)
		st = yg_correlate_restore(next, yg_buf_sv(&out), &lost, NULL);
	if (st == YG_OK && lost != 0)
		st = YG_INTERNAL;
	if (st == YG_OK)
		st = yg_correlate_flush(next, count_hit, hits);
	yg_buf_free(&out);
	yg_correlate_free(c);
	yg_correlate_free(next);
	return st == YG_OK && told ? YG_NOMEM : st;
}

static void test_memory(void)
{
	size_t want = 0, hits;
	T_OK(whole_way(&want) == YG_OK && want > 20);
	for (int once = 0; once < 2; once++) {
		long i = 0;
		unsigned odd = 0, silent = 0;
		oom_once = once == 1;
		for (;; i++) {
			oom_hits = 0;
			oom_left = i;
			yg_status st = whole_way(&hits);
			oom_left = -1;
			if (st != YG_OK && st != YG_NOMEM && odd++ == 0)
				(void)printf("# allocation %ld: %s\n", i, yg_status_name(st));
			/* an allocation may be in vain; then all is told as ever */
			if (st == YG_OK && hits != want && silent++ == 0)
				(void)printf("# allocation %ld: %zu hits, not %zu\n", i, hits,
					     want);
			if (oom_hits == 0)
				break;
		}
		(void)printf("# %ld allocations\n", i);
		T_NAMED(odd == 0 && i > 100, once ? "one allocation fails" : "none from there on");
		T_NAMED(silent == 0, "what is not told of changes nothing");
	}
}

static struct yg_correlate *fed(size_t rules)
{
	struct yg_correlate *c = NULL;
	size_t hits = 0;
	if (make_of(rules, &c) != YG_OK)
		abort();
	for (unsigned i = 0; i < 40; i++)
		(void)testing_event(c, i, count_hit, &hits);
	return c;
}

/* Every byte changed, every length: refused, and what refused it is as new. */
static void test_torn(void)
{
	struct yg_correlate *c = NULL;
	struct yg_buf fresh, after;
	size_t lost, accepted = 0;
	if (make_of(RULES, &c) != YG_OK)
		abort();
	yg_buf_init(&fresh, (size_t)1 << 20);
	yg_buf_init(&after, (size_t)1 << 20);
	T_OK(yg_correlate_save(c, &fresh) == YG_OK);
	for (size_t i = 0; i < saved.n; i++) {
		accepted +=
			yg_correlate_restore(c, (struct yg_sv){saved.p, i}, &lost, NULL) == YG_OK;
		saved.p[i] = (char)(saved.p[i] ^ 0x10);
		accepted += yg_correlate_restore(c, yg_buf_sv(&saved), &lost, NULL) == YG_OK;
		saved.p[i] = (char)(saved.p[i] ^ 0x10);
	}
	T_NAMED(accepted == 0, "a torn or changed file is refused, wherever it is");
	T_OK(yg_correlate_save(c, &after) == YG_OK &&
	     yg_sv_eq(yg_buf_sv(&fresh), yg_buf_sv(&after)));
	T_OK(yg_correlate_restore(c, yg_buf_sv(&saved), &lost, NULL) == YG_OK && lost == 0);
	T_OK(yg_correlate_restore(c, yg_buf_sv(&saved), &lost, NULL) == YG_INVAL);
	yg_correlate_free(c);
	yg_buf_free(&fresh);
	yg_buf_free(&after);
}

/* Fewer rules: the state of the others is taken over. */
static void test_changed_rules(void)
{
	struct yg_correlate *c = NULL;
	struct yg_correlate_counts before, after;
	size_t lost, hits = 0;
	struct yg_correlate *whole = fed(RULES);
	if (make_of(RULES - 3, &c) != YG_OK)
		abort();
	T_OK(yg_correlate_restore(c, yg_buf_sv(&saved), &lost, NULL) == YG_OK && lost == 3);
	T_OK(yg_correlate_counts(c, TESTING_BASES, &after) &&
	     yg_correlate_counts(whole, TESTING_BASES, &before) && before.events == after.events &&
	     after.events > 0);
	T_OK(yg_correlate_flush(c, count_hit, &hits) == YG_OK);
	T_OK(hits > 0);
	yg_correlate_free(c);
	yg_correlate_free(whole);
}

int main(void)
{
	yg_buf_init(&saved, (size_t)1 << 20);
	struct yg_correlate *c = fed(RULES);
	T_OK(yg_correlate_save(c, &saved) == YG_OK);
	yg_correlate_free(c);
	test_memory();
	test_torn();
	test_changed_rules();
	yg_buf_free(&saved);
	return tap_done();
}
