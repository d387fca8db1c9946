/* The container: what is written opens; anything else is refused with a reason. */
#include "snapshot/snapshot.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"

static const struct yg_sv schema = YG_SV_INIT("test layout 1");
static const uint32_t numbers[] = {1, 2, 3, 4, 5};
static const char words[] = "some text that is longer than the numbers are";

static int written(uint64_t generation)
{
	const struct yg_snap_part parts[] = {
		{7, 4, YG_LEN(numbers), numbers}, {8, 1, sizeof words, words}, {9, 8, 0, NULL}};
	const struct yg_snap_spec spec = {.kind = YG_SNAP_INDICATORS,
					  .schema = schema,
					  .generation = generation,
					  .created = {42},
					  .count = 5,
					  .key = {1, 2}};
	uint64_t bytes = 0;
	struct yg_err err;
	int fd = memfd_create("snap", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	T_OK(yg_snap_write(fd, &spec, parts, YG_LEN(parts), &bytes, &err) == YG_OK);
	T_OK(bytes == (uint64_t)lseek(fd, 0, SEEK_END));
	return fd;
}

static void check_contents(struct yg_snap *s)
{
	const void *p;
	uint64_t n;
	struct yg_err err;
	T_OK(s->head.generation == 9 && s->head.created == 42 && s->head.count == 5 &&
	     s->head.key[1] == 2);
	T_OK(yg_snap_find(s, 7, 4, &p, &n, &err) == YG_OK && n == 5 &&
	     memcmp(p, numbers, sizeof numbers) == 0);
	T_OK((uintptr_t)p % 64 == 0);
	T_OK(yg_snap_find(s, 8, 1, &p, &n, &err) == YG_OK && n == sizeof words &&
	     memcmp(p, words, n) == 0);
	T_OK(yg_snap_find(s, 9, 8, &p, &n, &err) == YG_OK && n == 0);
	T_OK(yg_snap_find(s, 7, 8, &p, &n, &err) == YG_CORRUPT);
	T_OK(yg_snap_find(s, 6, 4, &p, &n, &err) == YG_CORRUPT);
}

static void test_open(void)
{
	struct yg_snap s;
	struct yg_err err;
	int fd = written(9);
	T_OK(yg_snap_open_fd(fd, YG_SNAP_INDICATORS, schema, 9, &s, &err) == YG_OK);
	check_contents(&s);
	yg_snap_close(&s);
	yg_snap_close(&s); /* twice is fine */
	/* sealed: mapped in place */
	T_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0);
	T_OK(yg_snap_open_fd(fd, YG_SNAP_INDICATORS, schema, 0, &s, &err) == YG_OK);
	check_contents(&s);
	(void)close(fd); /* the mapping stays */
	check_contents(&s);
	yg_snap_close(&s);
}

static void test_refused(void)
{
	struct yg_snap s;
	struct yg_err err;
	int fd = written(9);
	T_OK(yg_snap_open_fd(fd, YG_SNAP_INDICATORS, schema, 10, &s, &err) == YG_CONFLICT);
	(void)printf("# %s\n", err.msg);
	T_OK(yg_snap_open_fd(fd, (enum yg_snap_kind)2, schema, 0, &s, &err) == YG_CORRUPT);
	T_OK(yg_snap_open_fd(fd, YG_SNAP_INDICATORS, YG_SV("test layout 2"), 0, &s, &err) ==
	     YG_CORRUPT);
	off_t n = lseek(fd, 0, SEEK_END);
	for (off_t cut = 0; cut < n; cut += cut < 200 ? 1 : 37) {
		T_OK(ftruncate(fd, n - 1 - cut) == 0);
		bool refused =
			yg_snap_open_fd(fd, YG_SNAP_INDICATORS, schema, 0, &s, &err) == YG_CORRUPT;
		if (!refused || cut % 50 == 0)
			T_NAMED(refused, "cut short");
	}
	(void)close(fd);
	fd = written(9);
	T_OK(pwrite(fd, "x", 1, n) == 1);
	T_OK(yg_snap_open_fd(fd, YG_SNAP_INDICATORS, schema, 0, &s, &err) == YG_CORRUPT);
	(void)printf("# %s\n", err.msg);
	(void)close(fd);
	T_OK(yg_snap_open_fd(-1, YG_SNAP_INDICATORS, schema, 0, &s, &err) == YG_IO);
	int pipes[2];
	T_OK(pipe(pipes) == 0 &&
	     yg_snap_open_fd(pipes[0], YG_SNAP_INDICATORS, schema, 0, &s, &err) == YG_CORRUPT);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
}

/* Every single flipped bit is noticed. */
static void test_flips(void)
{
	struct yg_snap s;
	struct yg_err err;
	int fd = written(9);
	size_t n = (size_t)lseek(fd, 0, SEEK_END), missed = 0;
	uint8_t *p = aligned_alloc(64, (n + 63) / 64 * 64);
	if (!T_OK(p != NULL && pread(fd, p, n, 0) == (ssize_t)n))
		return;
	T_OK(yg_snap_open_bytes(p, n, YG_SNAP_INDICATORS, schema, 0, &s, &err) == YG_OK);
	yg_snap_close(&s); /* borrowed: not unmapped */
	for (size_t bit = 0; bit < 8 * n; bit++) {
		p[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		missed += yg_snap_open_bytes(p, n, YG_SNAP_INDICATORS, schema, 0, &s, &err) !=
			  YG_CORRUPT;
		p[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	T_NAMED(missed == 0, "every flipped bit is noticed");
	/* with the digest put right again the bounds are what holds */
	missed = 0;
	for (size_t bit = 0; bit < 8 * n; bit++) {
		const void *at;
		uint64_t count;
		p[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		(void)yg_snap_fix_digest(p, n);
		if (yg_snap_open_bytes(p, n, YG_SNAP_INDICATORS, schema, 0, &s, &err) == YG_OK)
			for (uint32_t id = 7; id <= 9; id++)
				if (yg_snap_find(&s, id,
						 id == 7   ? 4
						 : id == 8 ? 1
							   : 8,
						 &at, &count, &err) == YG_OK)
					missed += (const uint8_t *)at + count > p + n;
		p[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	T_NAMED(missed == 0, "no section leads out of the file");
	free(p);
	(void)close(fd);
}

static void test_limits(void)
{
	struct yg_err err;
	const struct yg_snap_part big = {1, 8, UINT64_MAX / 4, NULL};
	const struct yg_snap_spec spec = {.kind = YG_SNAP_INDICATORS, .schema = schema};
	T_OK(yg_snap_write(-1, &spec, &big, 1, NULL, &err) == YG_LIMIT);
	T_OK(yg_snap_write(-1, &spec, &big, YG_SNAP_SECTIONS_MAX + 1, NULL, &err) == YG_INVAL);
	T_OK(yg_snap_write(-1, &spec, NULL, 0, NULL, &err) == YG_IO);
	int full = open("/dev/full", O_RDWR | O_CLOEXEC);
	T_OK(full < 0 || yg_snap_write(full, &spec, NULL, 0, NULL, &err) == YG_IO);
	if (full >= 0)
		(void)close(full);
}

int main(void)
{
	test_open();
	test_refused();
	test_flips();
	test_limits();
	return tap_done();
}
