/* The saved state of findings beside rules: what is taken goes on, and is saved again to
 * bytes that stay the same.  The first byte says whether the rest is a file, or what is
 * behind the header of one, which is then made to fit. */
#include "base/codec.h"
#include "detect/notice.h"
#include "fuzz/replay.h"

#define S INT64_C(1000000)

static struct yg_notices *make(void)
{
	static struct yg_env_sim sim = {.seed = 3};
	struct yg_env env = yg_env_sim(&sim);
	struct yg_notices *n = NULL;
	if (yg_notices_new(&(struct yg_notices_opts){50}, &env, &n, NULL) != YG_OK)
		abort();
	return n;
}

static void on_notice(void *ctx, const struct yg_notice *x)
{
	char text[1024];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	(void)ctx;
	yg_notice_words(x, x->score % 2 == 0, &b);
	if (x->score < 1 || x->score > 100 || b.cut)
		abort();
}

static void save(const struct yg_notices *n, struct yg_buf *to)
{
	yg_buf_init(to, (size_t)16 << 20);
	if (yg_notices_save(n, to) != YG_OK)
		abort();
}

static struct yg_ip address(unsigned i)
{
	struct yg_ip a = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, (uint8_t)i}};
	return a;
}

/* The keys are those of the corpus. */
static void go_on(struct yg_notices *n)
{
	static const char *const users[] = {"a", "b", "user1"};
	for (unsigned i = 0; i < 120; i++) {
		int64_t t = (1700000000 + (int64_t)i * 7) * S;
		struct yg_notice_connection c = {.time = {t},
						 .src = address(i % 3),
						 .dst = address(i % 5 + 1),
						 .port = (uint16_t)(i % 7),
						 .ok = i % 2 == 0,
						 .src_inside = true,
						 .dst_inside = i % 3 == 0,
						 .bytes_out = i * 1000000};
		struct yg_notice_login l = {.time = {t},
					    .user = yg_sv_of(users[i % 3]),
					    .src = address(i % 2),
					    .ok = i % 4 == 0,
					    .placed = true,
					    .latitude = (double)(i % 90),
					    .longitude = 5};
		(void)yg_notices_connection(n, &c, on_notice, NULL);
		(void)yg_notices_login(n, &l, on_notice, NULL);
		(void)yg_notices_record(n, l.user, (yg_wall){t});
		yg_notices_tick(n, (yg_wall){t}, on_notice, NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct yg_buf file, one, two;
	struct yg_sv rest = {(const char *)data + 1, size - 1};
	struct yg_err err = {.code = YG_OK};
	yg_buf_init(&file, (size_t)16 << 20);
	if (data[0] % 2 == 1) {
		yg_buf_put(&file, YG_SV("YGNOTE\r\n"));
		yg_wr_le32(&file, 1);
		yg_wr_le32(&file, yg_crc32c(0, rest.p, rest.n));
		yg_wr_le64(&file, rest.n);
	}
	yg_buf_put(&file, rest);
	uint8_t *exact = fuzz_exact((const uint8_t *)file.p, file.n);
	struct yg_notices *n = make(), *again = make();
	yg_status st = yg_notices_restore(n, (struct yg_sv){(const char *)exact, file.n}, &err);
	if (st == YG_OK) {
		save(n, &one);
		if (yg_notices_restore(again, yg_buf_sv(&one), NULL) != YG_OK)
			abort();
		save(again, &two);
		if (!yg_sv_eq(yg_buf_sv(&one), yg_buf_sv(&two)))
			abort();
		go_on(again);
		/* what it goes on to is taken as well */
		yg_buf_free(&two);
		save(again, &two);
		if (yg_notices_restore(n, yg_buf_sv(&two), NULL) != YG_OK)
			abort();
		yg_buf_free(&one);
		yg_buf_free(&two);
	} else if (err.code != st || (st != YG_CORRUPT && st != YG_NOMEM)) {
		abort();
	}
	yg_notices_free(n);
	yg_notices_free(again);
	free(exact);
	yg_buf_free(&file);
	return 0;
}
