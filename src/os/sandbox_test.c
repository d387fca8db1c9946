#include "os/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/file.h"
#include "os/sandbox_parts.h"
#include "os/thread.h"
#include "tap.h"

#define KILLED (1000 + SIGSYS)

/* Runs `act` in a child behind the sandbox: its result, KILLED, or 2000 when the
 * sandbox could not be closed. */
static int inside(const struct yg_sandbox *box, int (*act)(void))
{
	(void)fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		struct yg_err err = {0};
		if (yg_sandbox_close(box, &err) != YG_OK) {
			(void)fprintf(stderr, "# %s (%s)\n", err.msg, err.where);
			_exit(200);
		}
		_exit(act());
	}
	int status = 0;
	(void)waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int nothing(void)
{
	return 7;
}
static int reads_inside(void)
{
	int fd = open("in/f", O_RDONLY | O_CLOEXEC);
	return fd >= 0 ? 1 : errno;
}
static int writes_read_only(void)
{
	int fd = open("in/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return fd >= 0 ? 1 : errno;
}
static int writes_outside(void)
{
	int fd = open("other", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return fd >= 0 ? 1 : errno;
}
static int writes_inside(void)
{
	struct yg_err err = {0};
	if (yg_file_write("out/f", YG_SV("x"), 0600, &err) != YG_OK)
		return errno;
	return rename("out/f", "out/g") == 0 && unlink("out/g") == 0 && mkdir("out/d", 0700) == 0 &&
			       rmdir("out/d") == 0
		       ? 1
		       : errno;
}
static int escapes(void)
{
	return rename("out/keep", "in/f") == 0 || (errno != EACCES && errno != EXDEV);
}
static int forks(void)
{
	return fork() >= 0;
}
static int gives_way(void)
{
	return yg_thread_give_way(YG_NICE_LEAST, NULL) == YG_OK;
}
static int hurries_parent(void)
{
	return setpriority(PRIO_PROCESS, (id_t)getppid(), 0);
}
static int goes_first(void)
{
	const struct sched_param first = {.sched_priority = 1};
	return sched_setscheduler(0, SCHED_FIFO, &first);
}
static int executes(void)
{
	char *argv[] = {(char *)(uintptr_t) "true", NULL};
	return execv("/bin/true", argv);
}
static int opens_inet(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 1 : errno;
}
static int opens_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ? 1 : errno;
}
static int maps_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	return p != MAP_FAILED;
}
static int makes_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0;
}
static int kills_parent(void)
{
	return kill(getppid(), 0) == 0 ? 1 : errno;
}
static int old_abi(void) /* the x32 door into the same kernel */
{
#ifdef __x86_64__
	return (int)syscall(0x40000000 + SYS_getpid);
#else
	return (int)syscall(SYS_ptrace, 0, 0, 0, 0);
#endif
}
static int aborts(void)
{
	abort();
}
static void *thread(void *arg)
{
	*(int *)arg = 5;
	return NULL;
}
static int starts_thread(void)
{
	pthread_t t;
	int got = 0;
	if (pthread_create(&t, NULL, thread, &got) == 0)
		(void)pthread_join(t, NULL);
	return got;
}
static int connects_abstract(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "\0yg-sandbox-test"};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				  sizeof "\0yg-sandbox-test" - 1);
	return connect(fd, (struct sockaddr *)&a, n) == 0 ? 99 : errno;
}

static const struct yg_sandbox_path paths[] = {
	{"in", YG_ACCESS_READ, false},
	{"out", YG_ACCESS_READ | YG_ACCESS_WRITE, false},
	{"missing", YG_ACCESS_READ, true},
};

static void test_files(void)
{
	struct yg_sandbox box = {.role = "t",
				 .paths = paths,
				 .path_count = 3,
				 .calls = YG_CALLS_FILES,
				 .files_max = 64};
	T_OK(inside(&box, nothing) == 7);
	T_OK(inside(&box, reads_inside) == 1);
	T_OK(inside(&box, writes_read_only) == EACCES);
	T_OK(inside(&box, writes_outside) == EACCES);
	T_OK(inside(&box, writes_inside) == 1);
	T_OK(inside(&box, escapes) == 0);
	struct yg_sandbox none = {.role = "t"};
	T_OK(inside(&none, nothing) == 7);
	T_OK(inside(&none, reads_inside) == KILLED);
	static const struct yg_sandbox_path gone[] = {{"missing", YG_ACCESS_READ, false}};
	struct yg_sandbox broken = {.role = "t", .paths = gone, .path_count = 1};
	T_NAMED(inside(&broken, nothing) == 200,
		"a path that must be there and is not fails closed");
}

static void test_calls(void)
{
	struct yg_sandbox box = {.role = "t", .calls = YG_CALLS_FILES, .w_xor_x = true};
	T_OK(inside(&box, forks) == KILLED);
	T_OK(inside(&box, executes) == KILLED);
	T_OK(inside(&box, opens_inet) == KILLED);
	T_OK(inside(&box, opens_unix) == KILLED);
	T_OK(inside(&box, maps_code) == KILLED);
	T_OK(inside(&box, makes_code) == KILLED);
	T_OK(inside(&box, kills_parent) == KILLED);
	T_OK(inside(&box, old_abi) == KILLED);
	T_OK(inside(&box, starts_thread) == KILLED);
	T_OK(inside(&box, aborts) == 1000 + SIGABRT);
	T_OK(inside(&box, gives_way) == KILLED);
	box.calls = YG_CALLS_FILES | YG_CALLS_THREADS | YG_CALLS_UNIX;
	T_OK(inside(&box, starts_thread) == 5);
	T_OK(inside(&box, gives_way) == 1); /* itself, and never back */
	T_OK(inside(&box, hurries_parent) == KILLED);
	T_OK(inside(&box, goes_first) == KILLED);
	T_OK(inside(&box, forks) == KILLED);
	T_OK(inside(&box, opens_unix) == 1);
	T_OK(inside(&box, opens_inet) == EAFNOSUPPORT);
	int scoped = yg_landlock_abi() >= 6 ? EPERM : 99;
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "\0yg-sandbox-test"};
	socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				  sizeof "\0yg-sandbox-test" - 1);
	T_OK(bind(s, (struct sockaddr *)&a, n) == 0 && listen(s, 1) == 0);
	T_OK(inside(&box, connects_abstract) == scoped);
	yg_fd_close(&s);
	box.calls = YG_CALLS_FILES | YG_CALLS_INET_OUT;
	T_OK(inside(&box, opens_inet) == 1);
	T_OK(inside(&box, opens_unix) == EAFNOSUPPORT);
}

/* What the kernel says of a closed process, by hand. */
static const char status_text[] = "Name:\tyagura\nUid:\t7\t7\t7\t7\nGid:\t8\t8\t8\t8\n"
				  "Groups:\t4 9 \nCapInh:\t0000000000000000\n"
				  "CapPrm:\t0000000000000000\nCapEff:\t00000000000004eb\n"
				  "CapBnd:\t000001ffffffffff\nNoNewPrivs:\t1\nSeccomp:\t2\n"
				  "Seccomp_filters:\t3\n";
static void test_proof_text(void)
{
	struct yg_sandbox_proof p = {0};
	struct yg_sv all = yg_sv_of(status_text);
	T_OK(yg_proof_read(all, &p, NULL) == YG_OK && p.uid == 7 && p.gid == 8 && p.groups == 2 &&
	     p.cap_permitted == 0 && p.cap_effective == 0x4eb && p.cap_bounding == 0x1ffffffffff &&
	     p.no_new_privs && p.seccomp == 2 && p.filters == 3);
	/* a line less, and it is not believed; the last one is not in every kernel */
	T_OK(yg_proof_read(yg_sv_sub(all, 0, all.n - 19), &p, NULL) == YG_OK);
	T_OK(yg_proof_read(yg_sv_sub(all, 0, all.n - 30), &p, NULL) == YG_INTERNAL);
	T_OK(yg_proof_read(YG_SV("Uid:\t7\t7\t0\t7\n"), &p, NULL) == YG_INTERNAL);
	T_OK(yg_proof_read(YG_SV(""), &p, NULL) == YG_INTERNAL);
}

static void test_proof(void)
{
	int status = 0, abi = yg_landlock_abi();
	(void)fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		struct yg_sandbox box = {
			.role = "t", .paths = paths, .path_count = 2, .calls = YG_CALLS_FILES};
		uint32_t uid = getuid();
		struct yg_sandbox_proof p = {0};
		bool good = yg_sandbox_prove(&box, &p, NULL) == YG_OK && p.uid == uid &&
			    p.no_new_privs && p.seccomp == 2 && p.cap_effective == 0 &&
			    p.cap_permitted == 0 && p.landlock_abi == abi && p.tried_count >= 6;
		for (size_t i = 0; i < p.tried_count; i++)
			good = good && strcmp(p.tried[i].result, "refused") != 0;
		_exit(good ? 6 : 7);
	}
	(void)waitpid(pid, &status, 0);
	T_NAMED(WIFEXITED(status) && WEXITSTATUS(status) == 6,
		"a process says what it found out behind its sandbox");
}

static int closes_twice(void)
{
	struct yg_sandbox box = {.role = "t"};
	return yg_sandbox_close(&box, NULL) == YG_OK;
}

static void *waits(void *arg)
{
	(void)arg;
	(void)pause();
	return NULL;
}
static void test_thread_before(void)
{
	(void)fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		pthread_t t;
		struct yg_sandbox box = {.role = "t", .calls = YG_CALLS_FILES};
		(void)pthread_create(&t, NULL, waits, NULL);
		_exit(yg_sandbox_close(&box, NULL) == YG_OK ? 0 : 9);
	}
	int status = 0;
	(void)waitpid(pid, &status, 0);
	T_NAMED(WIFEXITED(status) && WEXITSTATUS(status) == 9,
		"a thread that would stay outside fails closed");
}

static int inside_supervisor(void)
{
	struct yg_sandbox box = {
		.role = "t", .paths = paths, .path_count = 2, .calls = YG_CALLS_FILES};
	if (syscall(SYS_unshare, 0x10000000) == 0)
		return 1;
	pid_t pid = fork(); /* starts roles, and they lock themselves in */
	if (pid == 0)
		_exit(yg_sandbox_close(&box, NULL) == YG_OK && writes_read_only() == EACCES ? 11
											    : 12);
	int status = 0;
	(void)waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}
static void test_supervisor(void)
{
	static const struct yg_sandbox_path main_paths[] = {
		{"/", YG_ACCESS_READ | YG_ACCESS_EXEC, false},
		{"in", YG_ACCESS_WRITE, false},
		{"out", YG_ACCESS_WRITE, false},
	};
	struct yg_sandbox box = {
		.role = "main", .paths = main_paths, .path_count = 3, .calls = YG_CALLS_FORK};
	T_OK(inside(&box, inside_supervisor) == 11);
	T_OK(inside(&box, writes_outside) == EACCES);
}

/* Older kernels know fewer rights: what they know must work all the same. */
static void test_versions(void)
{
	struct yg_sandbox box = {
		.role = "t", .paths = paths, .path_count = 3, .calls = YG_CALLS_FILES};
	for (int abi = 1; abi <= yg_landlock_abi(); abi++) {
		char name[64];
		int status = 0;
		(void)snprintf(name, sizeof name, "files are closed with Landlock %d", abi);
		(void)fflush(stdout);
		pid_t pid = fork();
		if (pid == 0) {
			if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
			    yg_landlock_close_as(&box, abi, NULL) != YG_OK)
				_exit(1);
			_exit(reads_inside() == 1 && writes_inside() == 1 &&
					      writes_outside() == EACCES &&
					      writes_read_only() == EACCES
				      ? 5
				      : 2);
		}
		(void)waitpid(pid, &status, 0);
		T_NAMED(WIFEXITED(status) && WEXITSTATUS(status) == 5, name);
	}
	T_OK(yg_landlock_close_as(&box, 0, NULL) == YG_DENIED);
}

static void test_privilege(void)
{
	if (getuid() != 0) {
		T_NAMED(yg_privilege_drop(65534, 65534, NULL) == YG_OK,
			"nothing to drop when not root");
		return;
	}
	(void)fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		bool ok = yg_privilege_trim(NULL) == YG_OK &&
			  yg_privilege_drop(0, 0, NULL) == YG_INVAL &&
			  yg_privilege_drop(65534, 65534, NULL) == YG_OK && getuid() == 65534 &&
			  setresuid(0, 0, 0) != 0;
		_exit(ok ? 3 : 4);
	}
	int status = 0;
	(void)waitpid(pid, &status, 0);
	T_NAMED(WEXITSTATUS(status) == 3, "root drops to a user and cannot come back");
}

int main(void)
{
	char dir[] = "/tmp/yg-box-XXXXXX";
	if (mkdtemp(dir) == NULL || chdir(dir) != 0)
		return 1;
	(void)yg_dir_make("in", 0700, NULL);
	(void)yg_dir_make("out", 0700, NULL);
	(void)yg_file_write("in/f", YG_SV("x"), 0600, NULL);
	(void)yg_file_write("out/keep", YG_SV("x"), 0600, NULL);
	if (yg_landlock_abi() < 1) {
		(void)printf("1..0 # SKIP this kernel has no Landlock\n");
		return 0;
	}
	test_files();
	test_calls();
	struct yg_sandbox box = {.role = "t", .calls = YG_CALLS_FILES};
	T_OK(inside(&box, closes_twice) == 0); /* what is closed is not laid anew */
	test_proof_text();
	test_proof();
	test_thread_before();
	test_supervisor();
	test_versions();
	test_privilege();
	(void)unlink("in/f");
	(void)unlink("out/keep");
	(void)rmdir("in");
	(void)rmdir("out");
	(void)rmdir(dir);
	return tap_done();
}
