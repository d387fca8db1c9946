#include "os/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sv.h"
#include "os/file.h"
#include "os/sandbox_parts.h"

static bool is_supervisor(const struct yg_sandbox *box)
{
	return (box->calls & YG_CALLS_FORK) != 0;
}

/* Landlock and seccomp reach the calling thread alone. */
static yg_status one_thread(struct yg_err *err)
{
	DIR *d = opendir("/proc/self/task");
	if (d == NULL)
		return YG_FAIL_OS(err, errno, "counting threads");
	unsigned n = 0;
	for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
		n += e->d_name[0] != '.';
	(void)closedir(d);
	if (n != 1)
		return YG_FAIL(err, YG_INTERNAL, "%u threads run before the sandbox is closed", n);
	return YG_OK;
}

static yg_status limit(int what, rlim_t to, const char *name, struct yg_err *err)
{
	struct rlimit r;
	if (getrlimit((__rlimit_resource_t)what, &r) != 0)
		return YG_FAIL_OS(err, errno, "reading the limit of %s", name);
	if (r.rlim_max != RLIM_INFINITY && to > r.rlim_max)
		to = r.rlim_max; /* what the administrator set is not to be raised */
	r = (struct rlimit){.rlim_cur = to, .rlim_max = to};
	if (setrlimit((__rlimit_resource_t)what, &r) != 0)
		return YG_FAIL_OS(err, errno, "limiting %s", name);
	return YG_OK;
}

static yg_status limits(const struct yg_sandbox *box, struct yg_err *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return YG_FAIL_OS(err, errno, "no_new_privs");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return YG_FAIL_OS(err, errno, "not dumpable");
	yg_status st = limit(RLIMIT_CORE, 0, "core files", err);
	if (st == YG_OK && box->files_max > 0)
		st = limit(RLIMIT_NOFILE, box->files_max, "open files", err);
	/* AddressSanitizer's shadow counts as data */
	if (st == YG_OK && box->memory_max > 0 && !YG_SANITIZED)
		st = limit(RLIMIT_DATA, box->memory_max, "memory", err);
	if (st == YG_OK && !is_supervisor(box))
		st = yg_caps_clear(err);
	return st;
}

static bool covered(const struct yg_sandbox *box, const char *path, unsigned access)
{
	for (size_t i = 0; i < box->path_count; i++) {
		const char *p = box->paths[i].path;
		size_t n = strlen(p);
		if ((box->paths[i].access & access) == 0 || strncmp(path, p, n) != 0)
			continue;
		if (path[n] == '\0' || path[n] == '/' || (n > 0 && p[n - 1] == '/'))
			return true;
	}
	return false;
}

/* Things Landlock must refuse with EACCES, whoever we are. */
static yg_status probe_files(const struct yg_sandbox *box, struct yg_sandbox_proof *proof,
			     struct yg_err *err)
{
	static const char *const never_read[] = {"/etc/passwd", "/proc/1/stat", "/usr/bin/env"};
	for (size_t i = 0; i < YG_LEN(never_read); i++) {
		if (covered(box, never_read[i], YG_ACCESS_READ | YG_ACCESS_EXEC))
			continue;
		YG_AUTO(yg_fd_close) int fd = open(never_read[i], O_RDONLY | O_CLOEXEC);
		if (fd >= 0 || (errno != EACCES && errno != ENOENT))
			return YG_FAIL(err, YG_INTERNAL, "Landlock is on but %s opens",
				       never_read[i]);
		yg_proof_tried(proof, "open", never_read[i], errno);
	}
	static const char made[] = "/tmp/.yagura-probe";
	if (covered(box, made, YG_ACCESS_WRITE))
		return YG_OK;
	YG_AUTO(yg_fd_close) int fd = open(made, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 && (errno == EACCES || errno == ENOENT || errno == EROFS)) {
		yg_proof_tried(proof, "create", made, errno);
		return YG_OK;
	}
	(void)unlink(made);
	return YG_FAIL(err, YG_INTERNAL, "Landlock is on but a file can be made in /tmp");
}

static yg_status probe_net(const struct yg_sandbox *box, struct yg_sandbox_proof *proof,
			   struct yg_err *err)
{
	if (yg_landlock_abi() < 4) /* no TCP rights there: seccomp has no socket() and no bind() */
		return YG_OK;
	YG_AUTO(yg_fd_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return YG_OK;
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (bind(fd, (struct sockaddr *)&a, sizeof a) == 0 || errno != EACCES)
		return YG_FAIL(err, YG_INTERNAL, "Landlock is on but a port can be bound");
	yg_proof_tried(proof, "bind", "tcp 127.0.0.1", errno);
	a.sin_port = htons(9);
	if ((box->calls & YG_CALLS_INET_OUT) != 0)
		return YG_OK;
	if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0 || errno != EACCES)
		return YG_FAIL(err, YG_INTERNAL, "Landlock is on but a port can be connected to");
	yg_proof_tried(proof, "connect", "tcp 127.0.0.1:9", errno);
	return YG_OK;
}

/* In a child: close it in the same way, then do what is forbidden.  It must die
 * of SIGSYS; exit status 1 means it lived. */
static yg_status probe_kill(const struct yg_sandbox *box, struct yg_sandbox_proof *proof,
			    struct yg_err *err)
{
	pid_t pid = fork();
	if (pid < 0)
		return YG_FAIL_OS(err, errno, "starting the sandbox probe");
	if (pid == 0) {
		if (yg_seccomp_close(box, NULL) != YG_OK)
			_exit(2);
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		_exit(1);
	}
	int status = 0;
	pid_t got;
	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	if (got == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) {
		yg_proof_tried(proof, "call", "ptrace", 0);
		return YG_OK;
	}
	return YG_FAIL(err, YG_INTERNAL, "a forbidden system call does not kill (status %d)",
		       status);
}

/* After the filter is loaded: the canary must be refused in this very process. */
static yg_status probe_filter(const struct yg_sandbox *box, struct yg_sandbox_proof *proof,
			      struct yg_err *err)
{
	if (!is_supervisor(box)) {
		if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 || errno != EPERM)
			return YG_FAIL(err, YG_INTERNAL, "seccomp is on but its canary lives");
		yg_proof_tried(proof, "call", "prctl", errno);
		return YG_OK;
	}
	if (ptrace(PTRACE_ATTACH, 1, NULL, NULL) == 0 || errno != EPERM)
		return YG_FAIL(err, YG_INTERNAL, "seccomp is on but ptrace works");
	yg_proof_tried(proof, "call", "ptrace", errno);
	return YG_OK;
}

/* From Landlock on; `status` is read behind everything. */
static yg_status close_and_try(const struct yg_sandbox *box, int status,
			       struct yg_sandbox_proof *proof, struct yg_err *err)
{
	yg_status st = yg_landlock_close(box, err);
	if (st == YG_OK && !is_supervisor(box))
		st = probe_files(box, proof, err);
	if (st == YG_OK && !is_supervisor(box))
		st = probe_net(box, proof, err);
	if (st == YG_OK)
		st = yg_seccomp_close(box, err);
	if (st == YG_OK)
		st = probe_filter(box, proof, err);
	return st == YG_OK ? yg_proof_end(status, is_supervisor(box), proof, err) : st;
}

yg_status yg_sandbox_prove(const struct yg_sandbox *box, struct yg_sandbox_proof *out,
			   struct yg_err *err)
{
	YG_AUTO(yg_fd_close) int status = -1;
	*out = (struct yg_sandbox_proof){0};
	yg_status st = one_thread(err);
	if (st == YG_OK)
		st = yg_proof_open(&status, err);
	if (st == YG_OK)
		st = limits(box, err);
	if (st == YG_OK) /* behind the filter one may not even ask */
		out->landlock_abi = yg_landlock_abi();
	if (st == YG_OK && !is_supervisor(box))
		st = probe_kill(box, out, err);
	return st == YG_OK ? close_and_try(box, status, out, err) : st;
}

yg_status yg_sandbox_close(const struct yg_sandbox *box, struct yg_err *err)
{
	struct yg_sandbox_proof proof;
	return yg_sandbox_prove(box, &proof, err);
}
