#include "os/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/memfd.h"
#include "tap.h"

static void test_file(void)
{
	struct yg_err err = {0};
	struct stat s;
	T_OK(yg_dir_make("d", 0700, &err) == YG_OK && yg_dir_make("d", 0750, &err) == YG_OK);
	T_OK(stat("d", &s) == 0 && (s.st_mode & 07777) == 0750);
	T_OK(yg_file_write("d/f", YG_SV("one"), 0600, &err) == YG_OK);
	T_OK(yg_file_write("d/f", YG_SV("three"), 0640, &err) == YG_OK);
	T_OK(stat("d/f", &s) == 0 && (s.st_mode & 07777) == 0640 && s.st_size == 5);
	struct yg_buf b;
	yg_buf_init(&b, 1 << 20);
	T_OK(yg_file_read("d/f", 5, &b, &err) == YG_OK && YG_SV_IS(yg_buf_sv(&b), "three"));
	b.n = 0;
	T_OK(yg_file_read("d/f", 4, &b, &err) == YG_TOOBIG);
	b.n = 0;
	T_OK(yg_file_read("d/none", 4, &b, &err) == YG_NOTFOUND && err.code == YG_NOTFOUND);
	T_OK(yg_file_write("none/f", YG_SV("x"), 0600, &err) != YG_OK);
	yg_buf_free(&b);
	yg_buf_init(&b, 5); /* just enough, whatever max allows */
	T_OK(yg_file_read("d/f", 100, &b, &err) == YG_OK && YG_SV_IS(yg_buf_sv(&b), "three"));
	yg_buf_free(&b);
	yg_buf_init(&b, 4);
	T_OK(yg_file_read("d/f", 100, &b, &err) == YG_TOOBIG);
	yg_buf_free(&b);
	struct yg_sv map;
	T_OK(yg_file_map("d/f", 100, &map, &err) == YG_OK && YG_SV_IS(map, "three"));
	yg_file_unmap(&map);
	T_OK(yg_file_map("d/f", 4, &map, &err) == YG_TOOBIG);
	T_OK(yg_file_map("d", 4, &map, &err) == YG_INVAL);
	T_OK(yg_dir_sync("none", &err) == YG_NOTFOUND);
}

static yg_status half(void *ctx, int fd, struct yg_err *err)
{
	(void)ctx;
	return yg_fd_write(fd, YG_SV("half"), err) == YG_OK ? YG_FAIL(err, YG_TOOBIG, "no more")
							    : YG_IO;
}

static void test_make(void)
{
	struct yg_err err = {0};
	char buf[4];
	size_t n = 0;
	T_OK(yg_file_make("d/f", 0600, half, NULL, &err) == YG_TOOBIG);
	YG_AUTO(yg_fd_close) int fd = open("d/f", O_RDONLY | O_CLOEXEC);
	T_OK(yg_fd_fill(fd, buf, 4, &n, &err) == YG_OK && n == 4 && memcmp(buf, "thre", 4) == 0);
	T_OK(yg_fd_fill(fd, buf, 4, &n, &err) == YG_OK && n == 1 && buf[0] == 'e');
	T_OK(yg_fd_fill(fd, buf, 4, &n, &err) == YG_OK && n == 0);
	T_OK(yg_fd_fill(-1, buf, 4, &n, &err) == YG_IO);
	/* what was half written is gone */
	T_OK(rmdir("d") != 0 && unlink("d/f") == 0 && rmdir("d") == 0);
	T_OK(yg_dir_make("d", 0750, &err) == YG_OK &&
	     yg_file_write("d/f", YG_SV("three"), 0640, &err) == YG_OK);
}

static yg_status count_pieces(void *ctx, struct yg_sv bytes, struct yg_err *err)
{
	size_t *n = ctx; /* pieces, bytes, the first one's */
	n[2] = n[0] == 0 ? bytes.n : n[2];
	n[0]++;
	n[1] += bytes.n;
	return n[1] > 1000000 ? YG_FAIL(err, YG_TOOBIG, "enough") : YG_OK;
}

static void test_each(void)
{
	struct yg_err err = {0};
	size_t n[3] = {0}, none[3] = {0}, most[3] = {0};
	YG_AUTO(yg_fd_close) int fd = open("pieces", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	T_OK(ftruncate(fd, 700000) == 0 && yg_fd_each(fd, count_pieces, n, &err) == YG_OK);
	T_NAMED(n[0] > 1 && n[1] == 700000 && n[2] == 262144, "piece by piece, and all of it");
	T_OK(yg_fd_each(fd, count_pieces, none, &err) == YG_OK && none[0] == 0);
	T_OK(ftruncate(fd, 2000000) == 0 && yg_fd_each(fd, count_pieces, most, &err) == YG_TOOBIG);
	T_NAMED(most[1] < 1300000, "no more than is taken");
	T_OK(yg_fd_each(-1, count_pieces, none, &err) == YG_IO && unlink("pieces") == 0);
}

static void test_memfd(void)
{
	struct yg_err err = {0};
	int fd = -1;
	struct yg_sv map;
	T_OK(yg_memfd_from_bytes("t", YG_SV("sealed"), &fd, &err) == YG_OK);
	T_OK(ftruncate(fd, 1) != 0 && write(fd, "x", 1) < 0);
	T_OK(yg_memfd_map(fd, 5, &map, &err) == YG_TOOBIG);
	T_OK(yg_memfd_map(fd, 6, &map, &err) == YG_OK && YG_SV_IS(map, "sealed"));
	yg_memfd_unmap(&map);
	yg_fd_close(&fd);
	int src = open("d/f", O_RDONLY | O_CLOEXEC);
	T_OK(yg_memfd_map(src, 100, &map, &err) == YG_DENIED);
	T_OK(yg_memfd_from_fd("t", src, 4, &fd, &err) == YG_TOOBIG && fd == -1);
	T_OK(yg_memfd_from_fd("t", src, 5, &fd, &err) == YG_OK);
	T_OK(yg_memfd_map(fd, 5, &map, &err) == YG_OK && YG_SV_IS(map, "three"));
	yg_memfd_unmap(&map);
	yg_fd_close(&fd);
	yg_fd_close(&src);
	fd = memfd_create("open", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	T_OK(yg_memfd_map(fd, 100, &map, &err) == YG_DENIED); /* not sealed */
	yg_fd_close(&fd);
	T_OK(fd == -1);
}

/* What it lies in, as the kernel says of the mapping at p. */
static long large_kb(const void *p)
{
	char line[256];
	long kb = -1;
	bool ours = false;
	FILE *f = fopen("/proc/self/smaps", "r");
	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		char *end;
		uintptr_t at = (uintptr_t)strtoull(line, &end, 16);
		if (*end == '-')
			ours = at == (uintptr_t)p;
		else if (ours && strncmp(line, "ShmemPmdMapped:", 15) == 0)
			kb = strtol(line + 15, NULL, 10);
	}
	if (f != NULL)
		(void)fclose(f);
	return kb;
}

/* Much data lies in large pages, and its bytes are what they were. */
static void test_large(void)
{
	enum { HUGE = 2 << 20, N = 2 * HUGE + 4097 };
	struct yg_err err = {0};
	int fd = -1;
	unsigned char *bytes = malloc(N);
	if (!T_OK(bytes != NULL))
		return;
	for (size_t i = 0; i < N; i++)
		bytes[i] = (unsigned char)(i * 2654435761u >> 13);
	T_OK(yg_file_write("large", (struct yg_sv){(char *)bytes, N}, 0600, &err) == YG_OK);
	int src = open("large", O_RDONLY | O_CLOEXEC);
	T_OK(yg_memfd_from_fd("t", src, N, &fd, &err) == YG_OK);
	char *room = mmap(NULL, 4 * HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	T_OK(room != MAP_FAILED);
	char *at = room + (HUGE - (uintptr_t)room % HUGE) % HUGE;
	T_OK(mmap(at, N, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == at);
	T_OK(memcmp(at, bytes, N) == 0);
	if (madvise(at, HUGE, 25) == 0) /* MADV_COLLAPSE: this kernel can */
		T_OK(large_kb(at) == 2 * HUGE / 1024);
	(void)munmap(room, 4 * HUGE);
	yg_fd_close(&src);
	yg_fd_close(&fd);
	free(bytes);
}

int main(void)
{
	char dir[] = "/tmp/yg-file-XXXXXX";
	if (mkdtemp(dir) == NULL || chdir(dir) != 0)
		return 1;
	test_file();
	test_make();
	test_each();
	test_memfd();
	test_large();
	(void)unlink("d/f");
	(void)rmdir("d");
	(void)rmdir(dir);
	return tap_done();
}
