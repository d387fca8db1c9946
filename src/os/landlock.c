/* Landlock by its system calls: the C library has no wrappers, and the headers
 * of the build machine may be older than the running kernel. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/file.h"
#include "os/sandbox_parts.h"

#define SYS_CREATE   444 /* one number on every architecture */
#define SYS_ADD_RULE 445
#define SYS_RESTRICT 446

/* include/uapi/linux/landlock.h; the version of the interface that brought it */
enum {
	FS_EXECUTE = 1 << 0,
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_DIR = 1 << 4,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_CHAR = 1 << 6,
	FS_MAKE_DIR = 1 << 7,
	FS_MAKE_REG = 1 << 8,
	FS_MAKE_SOCK = 1 << 9,
	FS_MAKE_FIFO = 1 << 10,
	FS_MAKE_BLOCK = 1 << 11,
	FS_MAKE_SYM = 1 << 12,
	FS_REFER = 1 << 13,     /* 2 */
	FS_TRUNCATE = 1 << 14,  /* 3 */
	FS_IOCTL_DEV = 1 << 15, /* 5 */
};
#define FS_OF_A_FILE    (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)
#define NET_BIND_TCP    1u /* 4 */
#define NET_CONNECT_TCP 2u
#define SCOPE_ABSTRACT  1u /* 6 */
#define SCOPE_SIGNAL    2u

struct ruleset_attr {
	uint64_t fs, net, scoped;
};
struct path_attr {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));
struct port_attr {
	uint64_t access, port;
};

/* Every right the running kernel knows: one we do not name is one we do not take. */
static uint64_t fs_rights(int abi)
{
	static const uint64_t by_abi[] = {
		0, (1u << 13) - 1, (1u << 14) - 1, (1u << 15) - 1, (1u << 15) - 1, (1u << 16) - 1};
	size_t i = (size_t)abi < YG_LEN(by_abi) ? (size_t)abi : YG_LEN(by_abi) - 1;
	return by_abi[i];
}

int yg_landlock_abi(void)
{
	long abi = syscall(SYS_CREATE, NULL, 0, 1u);
	return abi > 0 ? (int)abi : 0;
}

static uint64_t path_rights(const struct yg_sandbox *box, unsigned access)
{
	uint64_t r = 0;
	if ((access & YG_ACCESS_READ) != 0)
		r |= FS_READ_FILE | FS_READ_DIR;
	if ((access & YG_ACCESS_WRITE) != 0)
		r |= FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG |
		     FS_REFER | FS_TRUNCATE;
	if ((access & YG_ACCESS_WRITE) != 0 && (box->calls & YG_CALLS_ENGINE) != 0)
		r |= FS_MAKE_SYM; /* its databases are symbolic links to their tables */
	if ((access & YG_ACCESS_WRITE) != 0 && (box->calls & YG_CALLS_FORK) != 0)
		r |= FS_MAKE_SOCK; /* the supervisor binds run/ */
	if ((access & YG_ACCESS_EXEC) != 0)
		r |= FS_EXECUTE | FS_READ_FILE;
	return r;
}

static yg_status add_path(int ruleset, const struct yg_sandbox *box,
			  const struct yg_sandbox_path *p, uint64_t known, struct yg_err *err)
{
	YG_AUTO(yg_fd_close) int fd = open(p->path, O_PATH | O_CLOEXEC);
	if (fd < 0 && p->optional && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return YG_OK;
	if (fd < 0)
		return YG_FAIL_OS(err, errno, "sandbox path %s", p->path);
	struct stat s;
	if (fstat(fd, &s) != 0)
		return YG_FAIL_OS(err, errno, "sandbox path %s", p->path);
	struct path_attr attr = {.access = path_rights(box, p->access) & known, .fd = fd};
	if (!S_ISDIR(s.st_mode))
		attr.access &= FS_OF_A_FILE;
	if (attr.access != 0 && syscall(SYS_ADD_RULE, ruleset, 1, &attr, 0u) != 0)
		return YG_FAIL_OS(err, errno, "Landlock rule for %s", p->path);
	return YG_OK;
}

static struct ruleset_attr rights_taken(const struct yg_sandbox *box, int abi)
{
	struct ruleset_attr attr = {.fs = fs_rights(abi)};
	bool supervisor = (box->calls & YG_CALLS_FORK) != 0;
	if (abi >= 4 && !supervisor) {
		attr.net = NET_BIND_TCP | NET_CONNECT_TCP;
		if ((box->calls & YG_CALLS_INET_OUT) != 0 && box->connect_port == 0)
			attr.net = NET_BIND_TCP;
	}
	if (abi >= 6 && !supervisor)
		attr.scoped = SCOPE_ABSTRACT | SCOPE_SIGNAL;
	return attr;
}

yg_status yg_landlock_close(const struct yg_sandbox *box, struct yg_err *err)
{
	return yg_landlock_close_as(box, yg_landlock_abi(), err);
}

yg_status yg_landlock_close_as(const struct yg_sandbox *box, int abi, struct yg_err *err)
{
	if (abi < 1)
		return YG_FAIL(err, YG_DENIED,
			       "the kernel has no Landlock (or it is not enabled: see lsm=)");
	struct ruleset_attr attr = rights_taken(box, abi);
	size_t size = abi < 4 ? 8 : (abi < 6 ? 16 : 24);
	YG_AUTO(yg_fd_close) int ruleset = (int)syscall(SYS_CREATE, &attr, size, 0u);
	if (ruleset < 0)
		return YG_FAIL_OS(err, errno, "Landlock ruleset");
	for (size_t i = 0; i < box->path_count; i++) {
		yg_status st = add_path(ruleset, box, &box->paths[i], attr.fs, err);
		if (st != YG_OK)
			return st;
	}
	struct port_attr port = {.access = NET_CONNECT_TCP, .port = box->connect_port};
	if ((attr.net & NET_CONNECT_TCP) != 0 && (box->calls & YG_CALLS_INET_OUT) != 0 &&
	    syscall(SYS_ADD_RULE, ruleset, 2, &port, 0u) != 0)
		return YG_FAIL_OS(err, errno, "Landlock rule for port %u", box->connect_port);
	if (syscall(SYS_RESTRICT, ruleset, 0u) != 0)
		return YG_FAIL_OS(err, errno, "Landlock restriction");
	return YG_OK;
}
