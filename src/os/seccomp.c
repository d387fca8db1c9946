#include <asm/unistd.h>
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/sandbox_calls.h"
#include "os/sandbox_parts.h"

#define CLONE_THREAD_FLAG 0x00010000u
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

struct filter {
	scmp_filter_ctx ctx; /* owned: filter_end() */
	int rc;              /* first failure, sticky */
};

static void filter_end(struct filter *f)
{
	if (f->ctx != NULL)
		seccomp_release(f->ctx);
}

static void add(struct filter *f, uint32_t action, const char *name, unsigned n,
		const struct scmp_arg_cmp *args)
{
	int nr = seccomp_syscall_resolve_name(name);
	if (nr < 0 || f->rc != 0)
		return; /* unknown here: stays forbidden */
	f->rc = seccomp_rule_add_array(f->ctx, action, nr, n, args);
}

static void add_list(struct filter *f, uint32_t action, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add(f, action, names[i], 0, NULL);
}
#define ADD_LIST(f, action, list) add_list((f), (action), (list), YG_LEN(list))

/* One argument that must be `value` (under `mask`). */
static void add_if(struct filter *f, uint32_t action, const char *name, unsigned arg, uint64_t mask,
		   uint64_t value)
{
	struct scmp_arg_cmp c = {
		.arg = arg, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
	add(f, action, name, 1, &c);
}
#define WORD 0xffffffffu /* int arguments: the upper half is not looked at by the kernel */

/* A thread may give way to others; what it has given up it does not get back
 * (RLIMIT_NICE is 0). */
static void add_give_way(struct filter *f)
{
	struct scmp_arg_cmp me[2] = {
		{.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = WORD, .datum_b = PRIO_PROCESS},
		{.arg = 1, .op = SCMP_CMP_MASKED_EQ, .datum_a = WORD, .datum_b = 0},
	};
	struct scmp_arg_cmp batch[2] = {
		{.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = WORD, .datum_b = 0},
		{.arg = 1, .op = SCMP_CMP_MASKED_EQ, .datum_a = WORD, .datum_b = SCHED_BATCH},
	};
	add(f, SCMP_ACT_ALLOW, "setpriority", 2, me);
	add(f, SCMP_ACT_ALLOW, "sched_setscheduler", 2, batch);
}

/* Signals and limits: to and of this process alone. */
static void add_self(struct filter *f, const struct yg_sandbox *box)
{
	uint64_t me = (uint64_t)getpid();
	add_if(f, SCMP_ACT_ALLOW, "kill", 0, WORD, me);
	add_if(f, SCMP_ACT_ALLOW, "tgkill", 0, WORD, me);
	if ((box->calls & YG_CALLS_ENGINE) != 0) {
		add_if(f, SCMP_ACT_ALLOW, "rt_tgsigqueueinfo", 0, WORD, me);
		add_if(f, SCMP_ACT_ALLOW, "rt_sigqueueinfo", 0, WORD, me);
	}
	/* reading the limits; raising them is not for a role */
	struct scmp_arg_cmp get[2] = {
		{.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = WORD, .datum_b = 0},
		{.arg = 2, .op = SCMP_CMP_EQ, .datum_a = 0},
	};
	add(f, SCMP_ACT_ALLOW, "prlimit64", 2, get);
}

static void add_prctl(struct filter *f, const struct yg_sandbox *box)
{
	static const int allowed[] = {PR_SET_NAME,     PR_GET_NAME,       PR_SET_VMA,
				      PR_GET_DUMPABLE, PR_SET_TIMERSLACK, PR_CAPBSET_READ};
	for (size_t i = 0; i < YG_LEN(allowed); i++)
		add_if(f, SCMP_ACT_ALLOW, "prctl", 0, WORD, (uint32_t)allowed[i]);
	/* the canary: it would succeed without this filter */
	add_if(f, SCMP_ACT_ERRNO(EPERM), "prctl", 0, WORD, PR_SET_DUMPABLE);
	(void)box;
}

static void add_ioctl(struct filter *f)
{
	static const unsigned long allowed[] = {FIONBIO, FIONREAD, FIOCLEX, FIONCLEX};
	for (size_t i = 0; i < YG_LEN(allowed); i++)
		add_if(f, SCMP_ACT_ALLOW, "ioctl", 1, WORD, allowed[i]);
	/* stdio asks whether it writes to a terminal: it does not */
	add_if(f, SCMP_ACT_ERRNO(ENOTTY), "ioctl", 1, WORD, 0x5401 /* TCGETS */);
	add_if(f, SCMP_ACT_ERRNO(ENOTTY), "ioctl", 1, WORD, 0x5413 /* TIOCGWINSZ */);
}

static void add_memory(struct filter *f, const struct yg_sandbox *box)
{
	bool code = false; /* may it load libraries? */
	for (size_t i = 0; i < box->path_count; i++)
		code = code || (box->paths[i].access & YG_ACCESS_EXEC) != 0;
	if (!box->w_xor_x) {
		add(f, SCMP_ACT_ALLOW, "mmap", 0, NULL);
		add(f, SCMP_ACT_ALLOW, "mprotect", 0, NULL);
		add(f, SCMP_ACT_ALLOW, "pkey_mprotect", 0, NULL);
		return;
	}
	/* never code made from data: no mapping becomes executable later, and none
	 * is writable and executable at once */
	add_if(f, SCMP_ACT_ALLOW, "mmap", 2, PROT_EXEC, 0);
	if (code)
		add_if(f, SCMP_ACT_ALLOW, "mmap", 2, PROT_EXEC | PROT_WRITE, PROT_EXEC);
	add_if(f, SCMP_ACT_ALLOW, "mprotect", 2, PROT_EXEC, 0);
	add_if(f, SCMP_ACT_ALLOW, "pkey_mprotect", 2, PROT_EXEC, 0);
}

static void add_sockets(struct filter *f, const struct yg_sandbox *box)
{
	bool in_out = (box->calls & YG_CALLS_INET_OUT) != 0;
	bool local = (box->calls & YG_CALLS_UNIX) != 0;
	if (!in_out && !local) {
		/* the engine looks for the machine's addresses, and goes on without */
		if ((box->calls & YG_CALLS_ENGINE) != 0)
			add(f, SCMP_ACT_ERRNO(EACCES), "socket", 0, NULL);
		return;
	}
	uint32_t inet = in_out ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EAFNOSUPPORT);
	uint32_t un = local ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EAFNOSUPPORT);
	add_if(f, un, "socket", 0, WORD, AF_UNIX);
	add_if(f, un, "socketpair", 0, WORD, AF_UNIX);
	/* libraries ask whether there is IPv6 or a routing socket, and go on without */
	add_if(f, inet, "socket", 0, WORD, AF_INET);
	add_if(f, inet, "socket", 0, WORD, AF_INET6);
	add_if(f, SCMP_ACT_ERRNO(EAFNOSUPPORT), "socket", 0, WORD, AF_NETLINK);
	add(f, SCMP_ACT_ALLOW, "connect", 0, NULL);
	if ((box->calls & YG_CALLS_BIND) != 0)
		add(f, SCMP_ACT_ALLOW, "bind", 0, NULL);
}

static void add_groups(struct filter *f, const struct yg_sandbox *box)
{
	ADD_LIST(f, SCMP_ACT_ALLOW, calls_base);
	ADD_LIST(f, SCMP_ACT_ERRNO(ENOSYS), calls_absent);
	if ((box->calls & YG_CALLS_FILES) != 0)
		ADD_LIST(f, SCMP_ACT_ALLOW, calls_files);
	else /* fstat() of the C library */
		add_if(f, SCMP_ACT_ALLOW, "newfstatat", 3, AT_EMPTY_PATH, AT_EMPTY_PATH);
	if ((box->calls & YG_CALLS_THREADS) != 0) {
		ADD_LIST(f, SCMP_ACT_ALLOW, calls_threads);
		add_if(f, SCMP_ACT_ALLOW, "clone", 0, CLONE_THREAD_FLAG, CLONE_THREAD_FLAG);
		if ((box->calls & YG_CALLS_ENGINE) == 0) /* which may all of it */
			add_give_way(f);
	}
	if ((box->calls & YG_CALLS_ACCEPT) != 0)
		ADD_LIST(f, SCMP_ACT_ALLOW, calls_accept);
	if ((box->calls & YG_CALLS_ENGINE) != 0)
		ADD_LIST(f, SCMP_ACT_ALLOW, calls_engine);
	add_self(f, box);
	add_prctl(f, box);
	add_ioctl(f);
	add_memory(f, box);
	add_sockets(f, box);
}

/* What is loaded here is inherited by every role, so it only takes away. */
static void add_supervisor(struct filter *f)
{
	static const uint64_t namespaces[] = {0x00020000, 0x02000000, 0x04000000, 0x08000000,
					      0x10000000, 0x20000000, 0x40000000};
	ADD_LIST(f, SCMP_ACT_ERRNO(EPERM), calls_never);
	for (size_t i = 0; i < YG_LEN(namespaces); i++)
		add_if(f, SCMP_ACT_ERRNO(EPERM), "clone", 0, namespaces[i], namespaces[i]);
	add(f, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL); /* its arguments cannot be looked at */
}

yg_status yg_seccomp_close(const struct yg_sandbox *box, struct yg_err *err)
{
	bool supervisor = (box->calls & YG_CALLS_FORK) != 0;
	YG_AUTO(filter_end)
	struct filter f = {
		.ctx = seccomp_init(supervisor ? SCMP_ACT_ALLOW : SCMP_ACT_KILL_PROCESS)};
	if (f.ctx == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the seccomp filter");
	f.rc = seccomp_attr_set(f.ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (f.rc == 0) /* a sorted tree: the filter has some 200 calls */
		f.rc = seccomp_attr_set(f.ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (supervisor)
		add_supervisor(&f);
	else
		add_groups(&f, box);
	if (f.rc != 0)
		return YG_FAIL_OS(err, -f.rc, "building the seccomp filter");
	int rc = seccomp_load(f.ctx);
	if (rc != 0)
		return YG_FAIL_OS(err, -rc, "loading the seccomp filter");
	return YG_OK;
}
