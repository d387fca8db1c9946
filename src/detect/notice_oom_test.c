/* Findings beside rules without memory at any point: said so, and the rest stands. */
#include "detect/notice.h"
#include "oom.h"

#define S INT64_C(1000000)

static struct yg_env_sim sim = {.seed = 5};

static struct yg_ip address(unsigned i)
{
	struct yg_ip a = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, (uint8_t)i}};
	return a;
}

static void count(void *ctx, const struct yg_notice *x)
{
	(*(size_t *)ctx)++;
	(void)x;
}

/* Made, fed until there are more buckets, saved, restored, fed on. */
static yg_status whole_way(size_t *told)
{
	struct yg_env env = yg_env_sim(&sim);
	struct yg_notices_opts opts = {1000};
	struct yg_notices *n = NULL, *next = NULL;
	struct yg_buf out;
	bool refused = false;
	yg_status st = yg_notices_new(&opts, &env, &n, NULL);
	yg_buf_init(&out, (size_t)1 << 20);
	*told = 0;
	for (unsigned i = 0; st == YG_OK && i < 70; i++) {
		struct yg_notice_connection c = {.time = {(1700000000 + (int64_t)i) * S},
						 .src = address(1),
						 .dst = address(i),
						 .port = (uint16_t)(1 + i),
						 .dst_inside = true};
		yg_status one = yg_notices_connection(n, &c, count, told);
		refused = refused || one == YG_NOMEM;
		if (one != YG_OK && one != YG_NOMEM)
			st = YG_INTERNAL;
	}
	if (st == YG_OK)
		st = yg_notices_save(n, &out);
	if (st == YG_OK)
		st = yg_notices_new(&opts, &env, &next, NULL);
	if (st == YG_OK)
		st = yg_notices_restore(next, yg_buf_sv(&out), NULL);
	if (st == YG_OK && yg_notices_counts(next, YG_NOTICE_FLOOD).keys !=
				   yg_notices_counts(n, YG_NOTICE_FLOOD).keys)
		st = YG_INTERNAL;
	yg_buf_free(&out);
	yg_notices_free(n);
	yg_notices_free(next);
	return st == YG_OK && refused ? YG_NOMEM : st;
}

int main(void)
{
	size_t want = 0, told;
	T_OK(whole_way(&want) == YG_OK && want >= 6);
	for (int once = 0; once < 2; once++) {
		long i = 0;
		unsigned odd = 0;
		oom_once = once == 1;
		for (;; i++) {
			oom_hits = 0;
			oom_left = i;
			yg_status st = whole_way(&told);
			oom_left = -1;
			if (((st != YG_OK && st != YG_NOMEM) || (st == YG_OK && told != want)) &&
			    odd++ == 0)
				(void)printf("# allocation %ld: %s, %zu told\n", i,
					     yg_status_name(st), told);
			if (oom_hits == 0)
				break;
		}
		(void)printf("# %ld allocations\n", i);
		T_NAMED(odd == 0 && i > 100, once ? "one allocation fails" : "none from there on");
	}
	return tap_done();
}
