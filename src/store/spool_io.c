#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "store/spool_internal.h"

static int os_open(void *ctx, const char *path, int flags)
{
	(void)ctx;
	int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : fd;
}
static ssize_t os_pwritev(void *ctx, int fd, const struct iovec *iov, int n, off_t at)
{
	(void)ctx;
	ssize_t got = pwritev(fd, iov, n, at);
	return got < 0 ? -errno : got;
}
static ssize_t os_pread(void *ctx, int fd, void *buf, size_t n, off_t at)
{
	(void)ctx;
	ssize_t got = pread(fd, buf, n, at);
	return got < 0 ? -errno : got;
}
static int os_sync(void *ctx, int fd)
{
	(void)ctx;
	return fdatasync(fd) == 0 ? 0 : -errno;
}
static int os_sync_dir(void *ctx, int fd)
{
	(void)ctx;
	return fsync(fd) == 0 ? 0 : -errno;
}
static int os_truncate(void *ctx, int fd, off_t size)
{
	(void)ctx;
	return ftruncate(fd, size) == 0 ? 0 : -errno;
}
static int os_reserve(void *ctx, int fd, off_t size)
{
	(void)ctx;
	return fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, size) == 0 ? 0 : -errno;
}
static int os_unlink(void *ctx, const char *path)
{
	(void)ctx;
	return unlink(path) == 0 || errno == ENOENT ? 0 : -errno;
}

const struct yg_spool_io yg_spool_io_os = {
	.open = os_open,
	.pwritev = os_pwritev,
	.pread = os_pread,
	.sync = os_sync,
	.sync_dir = os_sync_dir,
	.truncate = os_truncate,
	.reserve = os_reserve,
	.unlink = os_unlink,
};

const struct yg_spool_io *spool_io(const struct yg_spool_conf *conf)
{
	return conf->io != NULL ? conf->io : &yg_spool_io_os;
}

void spool_report(const struct yg_spool_conf *conf, enum yg_spool_report what, uint64_t seq,
		  uint64_t bytes, const char *detail)
{
	if (conf->report != NULL)
		conf->report(conf->report_ctx, what, seq, bytes, detail);
}

void spool_close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

bool spool_path(const char *dir, const char *name, char out[static SPOOL_PATH])
{
	struct yg_sb b = yg_sb_init(out, SPOOL_PATH);
	yg_sb_printf(&b, "%s/%s", dir, name);
	(void)yg_sb_cstr(&b);
	return !b.cut;
}

bool spool_seg_path(const char *dir, uint64_t first, char out[static SPOOL_PATH])
{
	struct yg_sb b = yg_sb_init(out, SPOOL_PATH);
	yg_sb_printf(&b, "%s/seg-%020llu", dir, (unsigned long long)first);
	(void)yg_sb_cstr(&b);
	return !b.cut;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

yg_status spool_list(const char *dir, const char *prefix, uint64_t **out, size_t *out_n,
		     struct yg_err *err)
{
	uint64_t *list = NULL;
	size_t n = 0, cap = 0;
	yg_status st = YG_OK;
	DIR *d = opendir(dir);
	if (d == NULL)
		return YG_FAIL_OS(err, errno, "spool folder '%s'", dir);
	for (struct dirent *e = readdir(d); e != NULL && st == YG_OK; e = readdir(d)) {
		struct yg_sv name = yg_sv_of(e->d_name), pre = yg_sv_of(prefix);
		uint64_t v;
		if (!yg_sv_starts(name, pre) ||
		    yg_parse_u64(yg_sv_sub(name, pre.n, name.n), &v, NULL) != YG_OK)
			continue;
		if (n == cap) {
			cap = cap == 0 ? 64 : cap * 2;
			uint64_t *more = realloc(list, cap * sizeof *list);
			if (more == NULL) {
				st = YG_FAIL(err, YG_NOMEM, "spool folder '%s'", dir);
				break;
			}
			list = more;
		}
		list[n++] = v;
	}
	(void)closedir(d);
	if (st != YG_OK) {
		free(list);
		return st;
	}
	if (n > 1)
		qsort(list, n, sizeof *list, by_number);
	*out = list;
	*out_n = n;
	return YG_OK;
}

int spool_write_all(const struct yg_spool_io *io, int fd, struct iovec *iov, size_t n, off_t at)
{
	while (n > 0) {
		ssize_t got = io->pwritev(io->ctx, fd, iov, (int)YG_MIN(n, 512u), at);
		if (got == -EINTR)
			continue;
		if (got <= 0)
			return got == 0 ? -EIO : (int)got;
		at += got;
		for (size_t left = (size_t)got; left > 0 || (n > 0 && iov->iov_len == 0);) {
			size_t part = YG_MIN(left, iov->iov_len);
			iov->iov_base = (char *)iov->iov_base + part;
			iov->iov_len -= part;
			left -= part;
			if (iov->iov_len == 0) {
				iov++;
				n--;
			}
		}
	}
	return 0;
}

ssize_t spool_read_all(const struct yg_spool_io *io, int fd, void *buf, size_t n, uint64_t at)
{
	size_t have = 0;
	while (have < n) {
		ssize_t got =
			io->pread(io->ctx, fd, (char *)buf + have, n - have, (off_t)(at + have));
		if (got == -EINTR)
			continue;
		if (got < 0)
			return got;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

yg_status spool_sync_dir(const struct yg_spool_io *io, const char *dir, struct yg_err *err)
{
	YG_AUTO(spool_close_fd) int fd = io->open(io->ctx, dir, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return YG_FAIL_OS(err, -fd, "spool folder '%s'", dir);
	int rc = io->sync_dir(io->ctx, fd);
	return rc == 0 ? YG_OK : YG_FAIL_OS(err, -rc, "sync of spool folder '%s'", dir);
}

yg_status yg_spool_set_aside(const struct yg_spool_conf *conf, const char *name, struct yg_sv head,
			     struct yg_sv body, struct yg_err *err)
{
	const struct yg_spool_io *io = spool_io(conf);
	char path[SPOOL_PATH];
	if (conf->aside_dir == NULL)
		return YG_OK;
	if (!spool_path(conf->aside_dir, name, path))
		return YG_FAIL(err, YG_LIMIT, "the path of '%s' is too long", name);
	YG_AUTO(spool_close_fd) int fd = io->open(io->ctx, path, O_WRONLY | O_CREAT | O_TRUNC);
	if (fd < 0)
		return YG_FAIL_OS(err, -fd, "setting aside '%s'", name);
	union {
		const char *c;
		void *v;
	} h = {.c = head.p}, b = {.c = body.p};
	struct iovec iov[2] = {{h.v, head.n}, {b.v, body.n}};
	int rc = head.n + body.n > 0 ? spool_write_all(io, fd, iov, 2, 0) : 0;
	if (rc == 0)
		rc = io->sync(io->ctx, fd);
	return rc == 0 ? YG_OK : YG_FAIL_OS(err, -rc, "setting aside '%s'", name);
}
