#include "os/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1; not in the C library yet */
#endif
#define PIECE ((size_t)1 << 17)
#define HUGE  ((size_t)2 << 20)
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static yg_status seal(int fd, const char *name, struct yg_err *err)
{
	if (fcntl(fd, F_ADD_SEALS, SEALS) != 0)
		return YG_FAIL_OS(err, errno, "cannot seal memory of %s", name);
	return YG_OK;
}

static yg_status make(const char *name, int *out_fd, struct yg_err *err)
{
	*out_fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*out_fd < 0)
		return YG_FAIL_OS(err, errno, "cannot make memory for %s", name);
	return YG_OK;
}

yg_status yg_memfd_from_bytes(const char *name, struct yg_sv bytes, int *out_fd, struct yg_err *err)
{
	YG_AUTO(yg_fd_close) int fd = -1;
	yg_status st = make(name, &fd, err);
	if (st == YG_OK)
		st = yg_fd_write(fd, bytes, err);
	if (st == YG_OK)
		st = seal(fd, name, err);
	if (st == YG_OK) {
		*out_fd = fd;
		fd = -1;
	}
	return st;
}

/* In pieces, and after each whoever waits for this core goes first: a policy of 50 MB is
 * copied where somebody may be answering by the one before. */
static yg_status copy(int fd, int src_fd, uint64_t size, const char *name, struct yg_err *err)
{
	off_t at = 0;
	while ((uint64_t)at < size) {
		ssize_t n = sendfile(fd, src_fd, &at, YG_MIN(size - (uint64_t)at, PIECE));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return YG_FAIL_OS(err, errno, "cannot copy %s", name);
		if (n == 0)
			return YG_FAIL(err, YG_CORRUPT, "%s became shorter while it was copied",
				       name);
		(void)sched_yield();
	}
	return YG_OK;
}

/* Large pages, where the kernel can: who looks into tens of megabytes at random waits for
 * the tables of the pages more than for the bytes.  Done here, once for everyone who maps
 * it; a hint, so what fails is left as it is. */
static void enlarge(int fd, uint64_t size)
{
	if (size < HUGE)
		return;
	char *room =
		mmap(NULL, 2 * HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (room == MAP_FAILED)
		return;
	char *at = room + (HUGE - (uintptr_t)room % HUGE) % HUGE;
	for (uint64_t done = 0; size - done >= HUGE; done += HUGE) {
		if (mmap(at, HUGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, (off_t)done) ==
		    MAP_FAILED)
			break;
		if (madvise(at, HUGE, MADV_COLLAPSE) != 0 && errno != EAGAIN && errno != EBUSY)
			break; /* an older kernel, or no memory in one piece */
		(void)sched_yield();
	}
	(void)munmap(room, 2 * HUGE);
}

yg_status yg_memfd_from_fd(const char *name, int src_fd, uint64_t max, int *out_fd,
			   struct yg_err *err)
{
	struct stat s;
	if (fstat(src_fd, &s) != 0)
		return YG_FAIL_OS(err, errno, "cannot stat %s", name);
	if (!S_ISREG(s.st_mode))
		return YG_FAIL(err, YG_INVAL, "%s is not a regular file", name);
	if ((uint64_t)s.st_size > max)
		return YG_FAIL(err, YG_TOOBIG, "%s is larger than %llu bytes", name,
			       (unsigned long long)max);
	YG_AUTO(yg_fd_close) int fd = -1;
	yg_status st = make(name, &fd, err);
	if (st == YG_OK)
		st = copy(fd, src_fd, (uint64_t)s.st_size, name, err);
	if (st == YG_OK)
		st = seal(fd, name, err);
	if (st == YG_OK) {
		enlarge(fd, (uint64_t)s.st_size);
		*out_fd = fd;
		fd = -1;
	}
	return st;
}

yg_status yg_memfd_map(int fd, uint64_t max, struct yg_sv *out, struct yg_err *err)
{
	int seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0)
		return YG_FAIL(err, YG_DENIED, "descriptor is not sealable memory");
	if ((seals & SEALS) != SEALS)
		return YG_FAIL(err, YG_DENIED, "memory is not sealed");
	struct stat s;
	if (fstat(fd, &s) != 0)
		return YG_FAIL_OS(err, errno, "cannot stat sealed memory");
	if (s.st_size < 0 || (uint64_t)s.st_size > max)
		return YG_FAIL(err, YG_TOOBIG, "sealed memory is larger than %llu bytes",
			       (unsigned long long)max);
	if (s.st_size == 0) {
		*out = (struct yg_sv){"", 0};
		return YG_OK;
	}
	void *p = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return YG_FAIL_OS(err, errno, "cannot map sealed memory");
	*out = (struct yg_sv){p, (size_t)s.st_size};
	return YG_OK;
}

void yg_memfd_unmap(struct yg_sv *map)
{
	if (map->n > 0)
		(void)munmap((void *)(uintptr_t)map->p, map->n);
	*map = (struct yg_sv){"", 0};
}
