#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/breath.h"

#define PIECE ((size_t)256 << 10) /* read or written at once: about a breath */

void yg_fd_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

yg_status yg_fd_write(int fd, struct yg_sv bytes, struct yg_err *err)
{
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, YG_MIN(bytes.n, PIECE));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return YG_FAIL_OS(err, errno, "write");
		bytes.p += n;
		bytes.n -= (size_t)n;
		if (bytes.n > 0)
			yg_breathe(YG_BREATH);
	}
	return YG_OK;
}

yg_status yg_fd_fill(int fd, char *buf, size_t size, size_t *out_n, struct yg_err *err)
{
	*out_n = 0;
	while (*out_n < size) {
		ssize_t n = read(fd, buf + *out_n, size - *out_n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return YG_FAIL_OS(err, errno, "read");
		if (n == 0)
			break;
		*out_n += (size_t)n;
	}
	return YG_OK;
}

yg_status yg_fd_each(int fd, yg_piece_fn take, void *ctx, struct yg_err *err)
{
	char *buf = malloc(PIECE);
	if (buf == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory to read it");
	yg_status st = YG_OK;
	for (size_t n = PIECE; st == YG_OK && n == PIECE;) {
		st = yg_fd_fill(fd, buf, PIECE, &n, err);
		if (st == YG_OK && n > 0)
			st = take(ctx, (struct yg_sv){buf, n}, err);
		yg_breathe(YG_BREATH);
	}
	free(buf);
	return st;
}

static yg_status open_failed(struct yg_err *err, int eno, const char *path)
{
	yg_status st = YG_FAIL_OS(err, eno, "cannot open %s", path);
	if (eno == ENOENT || eno == ENOTDIR)
		st = YG_NOTFOUND;
	else if (eno == EACCES || eno == EPERM)
		st = YG_DENIED;
	if (err != NULL)
		err->code = st;
	return st;
}

yg_status yg_fd_read(int fd, const char *name, size_t max, struct yg_buf *out, struct yg_err *err)
{
	off_t at = 0;
	char last; /* where the end is looked for when the buffer is just full */
	for (;;) {
		size_t want = YG_MIN(max - (size_t)at + 1, 65536); /* one more than allowed tells */
		size_t left = out->bad ? 0 : out->limit - out->n;
		char *p = left > 0 ? yg_buf_room(out, YG_MIN(want, left)) : &last;
		want = left > 0 ? YG_MIN(want, left) : 1;
		if (p == NULL)
			return YG_FAIL(err, YG_NOMEM, "%s: no memory to read it", name);
		ssize_t n = pread(fd, p, want, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return YG_FAIL_OS(err, errno, "cannot read %s", name);
		if (n == 0)
			return YG_OK;
		if ((size_t)n > max - (size_t)at || p == &last)
			return YG_FAIL(err, YG_TOOBIG, "%s is larger than %zu bytes", name, max);
		out->n += (size_t)n;
		at += n;
	}
}

yg_status yg_file_read(const char *path, size_t max, struct yg_buf *out, struct yg_err *err)
{
	YG_AUTO(yg_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return open_failed(err, errno, path);
	return yg_fd_read(fd, path, max, out, err);
}

static yg_status dir_of_sync(const char *path, struct yg_err *err)
{
	const char *slash = strrchr(path, '/');
	if (slash == NULL)
		return yg_dir_sync(".", err);
	if (slash == path)
		return yg_dir_sync("/", err);
	char dir[4096];
	struct yg_sb b = yg_sb_init(dir, sizeof dir);
	yg_sb_put(&b, (struct yg_sv){path, (size_t)(slash - path)});
	yg_sb_putc(&b, '\0');
	if (b.cut)
		return YG_FAIL(err, YG_INVAL, "path too long");
	return yg_dir_sync(dir, err);
}

yg_status yg_file_make(const char *path, unsigned mode, yg_file_fill_fn fill, void *ctx,
		       struct yg_err *err)
{
	char tmp[4096];
	struct yg_sb b = yg_sb_init(tmp, sizeof tmp);
	yg_sb_printf(&b, "%s.tmp-%d", path, (int)getpid());
	if (b.cut)
		return YG_FAIL(err, YG_INVAL, "path too long");
	(void)unlink(yg_sb_cstr(&b));
	YG_AUTO(yg_fd_close)
	int fd = open(tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
	if (fd < 0)
		return YG_FAIL_OS(err, errno, "cannot open %s", tmp);
	yg_status st = fill(ctx, fd, err);
	if (st == YG_OK && fchmod(fd, (mode_t)mode) != 0) /* whatever the umask says */
		st = YG_FAIL_OS(err, errno, "cannot set the mode of %s", tmp);
	if (st == YG_OK && fsync(fd) != 0)
		st = YG_FAIL_OS(err, errno, "cannot fsync %s", tmp);
	if (st == YG_OK && rename(tmp, path) != 0)
		st = YG_FAIL_OS(err, errno, "cannot rename %s to %s", tmp, path);
	if (st != YG_OK) {
		(void)unlink(tmp);
		return st;
	}
	return dir_of_sync(path, err);
}

static yg_status fill_with(void *ctx, int fd, struct yg_err *err)
{
	return yg_fd_write(fd, *(const struct yg_sv *)ctx, err);
}

yg_status yg_file_write(const char *path, struct yg_sv bytes, unsigned mode, struct yg_err *err)
{
	return yg_file_make(path, mode, fill_with, &bytes, err);
}

yg_status yg_file_map(const char *path, size_t max, struct yg_sv *out, struct yg_err *err)
{
	YG_AUTO(yg_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return open_failed(err, errno, path);
	struct stat st;
	if (fstat(fd, &st) != 0)
		return YG_FAIL_OS(err, errno, "cannot stat %s", path);
	if (!S_ISREG(st.st_mode))
		return YG_FAIL(err, YG_INVAL, "%s is not a regular file", path);
	if ((uint64_t)st.st_size > max)
		return YG_FAIL(err, YG_TOOBIG, "%s is larger than %zu bytes", path, max);
	if (st.st_size == 0) {
		*out = (struct yg_sv){"", 0};
		return YG_OK;
	}
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return YG_FAIL_OS(err, errno, "cannot map %s", path);
	*out = (struct yg_sv){p, (size_t)st.st_size};
	return YG_OK;
}

void yg_file_rest(const struct yg_sv *map)
{
	if (map->n > 0)
		(void)madvise((void *)(uintptr_t)map->p, map->n, MADV_DONTNEED); /* only a hint */
}

void yg_file_unmap(struct yg_sv *map)
{
	if (map->n > 0)
		(void)munmap((void *)(uintptr_t)map->p, map->n);
	*map = (struct yg_sv){"", 0};
}

yg_status yg_dir_sync(const char *path, struct yg_err *err)
{
	YG_AUTO(yg_fd_close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return open_failed(err, errno, path);
	if (fsync(fd) != 0)
		return YG_FAIL_OS(err, errno, "cannot fsync folder %s", path);
	return YG_OK;
}

yg_status yg_dir_make(const char *path, unsigned mode, struct yg_err *err)
{
	if (mkdir(path, (mode_t)mode) != 0 && errno != EEXIST)
		return YG_FAIL_OS(err, errno, "cannot make folder %s", path);
	YG_AUTO(yg_fd_close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return open_failed(err, errno, path);
	if (fchmod(fd, (mode_t)mode) != 0)
		return YG_FAIL_OS(err, errno, "cannot set the mode of folder %s", path);
	return YG_OK;
}
