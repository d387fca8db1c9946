/* Each allocation of the builder, the list reader and the opening fails once:
 * the status says so, nothing leaks (ASan), the builder stays usable.  Then
 * damaged snapshots.  Linked with -Wl,--wrap of the four allocation functions. */
#include "intel/compile.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "intel/list.h"
#include "intel/match.h"
#include "snapshot/snapshot.h"
#include "tap.h"

static long fail_at = -1;
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

static bool fails(void)
{
	if (fail_at == 0)
		return true;
	if (fail_at > 0)
		fail_at--;
	return false;
}
void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}
void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}
void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(p, n, size);
}

static struct yg_env_sim sim = {.wall = {1}, .seed = 11};
static int fd;

static yg_status add(void *ctx, const struct yg_indicator *ind, uint64_t line, struct yg_err *err)
{
	(void)line;
	return yg_intel_builder_add(ctx, ind, err);
}

static void put_list(struct yg_sb *b)
{
	yg_sb_put(b, YG_SV("indicator,type,category,family\n"));
	for (unsigned i = 0; i < 400; i++) {
		yg_sb_printf(b, "n%u.example,domain,malware,family%u\n", i, i);
		yg_sb_printf(b, "10.%u.0.0/16,ip,malware,family%u\n", i % 256, i % 5);
		yg_sb_printf(b, "n%u.example,domain,phishing,family%u\n", i / 2, i % 7);
	}
}

static yg_status read_into(struct yg_intel_builder *b, struct yg_sv text, struct yg_err *err)
{
	struct yg_list_opts opts = {.ctx = b, .entry = add};
	struct yg_list_reader *l = NULL;
	opts.defaults.list = YG_SV("list");
	yg_status st = yg_list_new(&opts, &l, err);
	if (st == YG_OK)
		st = yg_list_feed(l, text, err);
	if (st == YG_OK)
		st = yg_list_end(l, err);
	yg_list_free(l);
	return st;
}

/* List, builder, snapshot, reader: *still is told whether the builder goes on. */
static yg_status whole(struct yg_sv text, bool *still, uint64_t *count)
{
	struct yg_env env = yg_env_sim(&sim);
	struct yg_intel_build_opts opts = {.env = &env};
	struct yg_intel_builder *b = NULL;
	struct yg_intel *in = NULL;
	struct yg_err err;
	yg_status st = yg_intel_builder_new(&opts, &b, &err);
	if (st == YG_OK)
		st = read_into(b, text, &err);
	if (st == YG_OK)
		st = yg_intel_builder_finish(b, fd, 1, NULL, &err);
	if (st == YG_OK)
		st = yg_intel_open_fd(fd, 0, &in, &err);
	if (st != YG_OK && b != NULL) { /* the same builder, now that memory is back */
		fail_at = -1;
		*still = read_into(b, text, &err) == YG_OK &&
			 yg_intel_builder_finish(b, fd, 1, NULL, &err) == YG_OK &&
			 yg_intel_open_fd(fd, 0, &in, &err) == YG_OK;
	}
	*count = in != NULL ? yg_intel_count(in) : 0;
	yg_intel_close(in);
	yg_intel_builder_free(b);
	return st;
}

static void test_memory(void)
{
	static char text[65536];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	uint64_t count = 0;
	yg_status st = YG_NOMEM;
	long n = 0;
	put_list(&b);
	for (; st != YG_OK && n < 2000; n++) {
		bool still = true;
		fail_at = n;
		st = whole(yg_sb_sv(&b), &still, &count);
		fail_at = -1;
		if (st != YG_OK && st != YG_NOMEM && st != YG_LIMIT)
			T_NAMED(false, "a failed allocation is reported as such");
		if (!still || (count != 656 && n > 3))
			T_NAMED(false, "the builder goes on after a failed allocation");
	}
	(void)printf("# %ld allocations\n", n);
	T_NAMED(st == YG_OK && count == 656, "succeeds once no allocation fails");
	T_OK(n > 20);
}

static void test_limit(void)
{
	struct yg_env env = yg_env_sim(&sim);
	struct yg_intel_build_opts opts = {.env = &env, .bytes_max = 1000};
	struct yg_intel_builder *b = NULL;
	struct yg_err err;
	if (!T_OK(yg_intel_builder_new(&opts, &b, &err) == YG_OK))
		return;
	yg_status st = YG_OK;
	unsigned added = 0;
	for (; st == YG_OK && added < 1000; added++) {
		char name[32];
		(void)snprintf(name, sizeof name, "n%u.example", added);
		struct yg_indicator ind = {.type = YG_IND_DOMAIN, .value = yg_sv_of(name)};
		st = yg_intel_builder_add(b, &ind, &err);
	}
	T_OK(st == YG_LIMIT && added > 50 && added < 200);
	struct yg_intel_build_stats stats;
	T_OK(yg_intel_builder_finish(b, fd, 1, &stats, &err) == YG_OK &&
	     stats.indicators == added - 1);
	T_OK(yg_intel_builder_finish(b, -1, 1, &stats, &err) == YG_IO);
	yg_intel_builder_free(b);
}

/* More sources of one value than are kept. */
static void test_sources(void)
{
	struct yg_env env = yg_env_sim(&sim);
	struct yg_intel_build_opts opts = {.env = &env};
	struct yg_intel_builder *b = NULL;
	struct yg_intel_build_stats stats;
	bool ok = yg_intel_builder_new(&opts, &b, NULL) == YG_OK;
	for (unsigned i = 0; ok && i < 140; i++) { /* each of 70 twice */
		char list[16];
		(void)snprintf(list, sizeof list, "list-%u", i % 70);
		struct yg_indicator ind = {.type = YG_IND_DOMAIN,
					   .value = YG_SV("evil.example"),
					   .list = yg_sv_of(list)};
		ok = yg_intel_builder_add(b, &ind, NULL) == YG_OK;
	}
	T_OK(ok && yg_intel_builder_finish(b, fd, 1, &stats, NULL) == YG_OK);
	T_OK(stats.indicators == 1 && stats.added == 140 && stats.sources == 70);
	T_OK(stats.merged == 64 && stats.sources_dropped == 12);
	yg_intel_builder_free(b);
}

/* A flipped byte, with the checksum put right: opened or refused, and what
 * opens can be asked anything. */
static void test_damage(void)
{
	static struct yg_match_set set;
	struct yg_sv names[] = {YG_SV_INIT("n7.example"), YG_SV_INIT("10.7.0.1")};
	struct yg_event ev = {.query = YG_SV("a.n3.example"),
			      .answers = {names, 2},
			      .url = YG_SV("http://n5.example/x")};
	static char text[65536];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	bool still;
	uint64_t count, opened = 0, refused = 0;
	put_list(&b);
	T_OK(whole(yg_sb_sv(&b), &still, &count) == YG_OK);
	size_t n = (size_t)lseek(fd, 0, SEEK_END);
	uint8_t *p = aligned_alloc(64, (n + 63) / 64 * 64);
	if (!T_OK(p != NULL && pread(fd, p, n, 0) == (ssize_t)n))
		return;
	for (size_t i = 0; i < n; i += 1 + i / 512) {
		struct yg_intel *in = NULL;
		uint8_t keep = p[i];
		p[i] ^= (uint8_t)(0x81 + i);
		if (yg_intel_open_bytes(p, n, 0, &in, NULL) == YG_OK)
			T_NAMED(false, "a wrong checksum is noticed");
		yg_intel_close(in);
		in = NULL;
		(void)yg_snap_fix_digest(p, n);
		if (yg_intel_open_bytes(p, n, 0, &in, NULL) == YG_OK) {
			opened++;
			yg_intel_match(in, &ev, sim.wall, &set);
		} else {
			refused++;
		}
		yg_intel_close(in);
		p[i] = keep;
	}
	free(p);
	(void)printf("# %llu opened, %llu refused\n", (unsigned long long)opened,
		     (unsigned long long)refused);
	T_OK(opened > 100 && refused > 100);
}

int main(void)
{
	fd = memfd_create("compile", MFD_CLOEXEC);
	test_memory();
	test_limit();
	test_sources();
	test_damage();
	(void)close(fd);
	return tap_done();
}
