#include "os/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/file.h"

#define STEP ((size_t)1 << 20)

/* A name for the moment between its making and its end: not every file system can do
 * without. */
static yg_status open_nameless(const char *folder, int *out, struct yg_err *err)
{
	char path[4200];
	if (snprintf(path, sizeof path, "%s/.pages-%ld", folder, (long)getpid()) >=
	    (int)sizeof path)
		return YG_FAIL(err, YG_INVAL, "the name of a folder is too long");
	(void)unlink(path); /* of one that died in between */
	*out = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*out < 0)
		return YG_FAIL_OS(err, errno, "memory in %s", folder);
	(void)unlink(path);
	return YG_OK;
}

yg_status yg_pages_open(const char *folder, size_t most, struct yg_pages *out, struct yg_err *err)
{
	YG_AUTO(yg_fd_close) int fd = -1;
	yg_status st = open_nameless(folder, &fd, err);
	if (st != YG_OK)
		return st;
	void *p = mmap(NULL, most, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return YG_FAIL(err, YG_NOMEM, "no room for %zu bytes", most);
	*out = (struct yg_pages){.p = p, .reserved = most, .fd = fd};
	fd = -1;
	return YG_OK;
}

bool yg_pages_back(struct yg_pages *m, size_t n)
{
	if (n <= m->backed)
		return true;
	if (n > m->reserved || m->fd < 0)
		return false;
	size_t to = (n + m->backed / 4) / STEP * STEP + STEP;
	to = YG_MIN(to, m->reserved);
	/* blocks of the disk, now: a page that cannot be written back later kills */
	if (fallocate(m->fd, 0, (off_t)m->backed, (off_t)(to - m->backed)) != 0)
		return false;
	m->backed = to;
	return true;
}

void yg_pages_rest(const struct yg_pages *m)
{
	if (m->p != NULL && m->backed > 0)
		(void)madvise(m->p, m->backed, MADV_DONTNEED); /* shared: they stay in the file */
}

void yg_pages_close(struct yg_pages *m)
{
	if (m->p == NULL)
		return;
	(void)munmap(m->p, m->reserved);
	yg_fd_close(&m->fd);
	*m = (struct yg_pages){.fd = -1};
}
