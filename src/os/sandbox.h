/* sandbox.h - least privilege for a role: drop privilege, then Landlock and
 * seccomp; fails closed.  After yg_sandbox_close() the process can do what its
 * profile lists and nothing else. */
#pragma once
#include "base/err.h"

enum yg_sandbox_access {
	YG_ACCESS_READ = 1,  /* read files and list folders below */
	YG_ACCESS_WRITE = 2, /* create, write, rename, remove below */
	YG_ACCESS_EXEC = 4,  /* map as code (a library) */
};
struct yg_sandbox_path {
	const char *path; /* a missing one is an error unless optional */
	unsigned access;
	bool optional;
};
/* System call groups a profile may ask for on top of the basic set (memory,
 * time, signals to itself, I/O on open descriptors, epoll, eventfd, futex). */
enum yg_sandbox_calls {
	YG_CALLS_FILES = 1, /* open, stat, rename, unlink, mkdir, fsync (paths still by Landlock) */
	YG_CALLS_THREADS = 2, /* clone of threads, sched_*; a thread may give way */
	YG_CALLS_UNIX = 4,    /* socket(AF_UNIX), connect */
	YG_CALLS_INET_OUT =
		8, /* socket(AF_INET/6), connect: only a store with a remote ClickHouse */
	YG_CALLS_ACCEPT = 16, /* accept on inherited listeners */
	YG_CALLS_ENGINE = 32, /* what chDB needs more: role store alone */
	YG_CALLS_BIND = 128,  /* bind of own sockets: UDP alone, Landlock refuses TCP */
	YG_CALLS_FORK = 64,   /* the supervisor alone: fork, exec, kill, wait */
};
struct yg_sandbox {
	const char *role;
	const struct yg_sandbox_path *paths;
	size_t path_count;
	unsigned calls;      /* enum yg_sandbox_calls */
	bool w_xor_x;        /* refuse mappings that are writable and executable */
	uint64_t memory_max; /* RLIMIT_DATA in bytes; 0: none */
	uint32_t files_max;  /* RLIMIT_NOFILE */
	uint16_t
		connect_port; /* with YG_CALLS_INET_OUT: the one TCP port (Landlock ABI 4); 0: any */
};

/* setgroups, setresgid, setresuid to `user`, then proves that there is no way
 * back.  Not root: YG_OK, nothing to drop. */
yg_status yg_privilege_drop(uint32_t uid, uint32_t gid, struct yg_err *err);
/* no_new_privs, not dumpable, core size 0, limits, Landlock, seccomp (default:
 * kill the process), then the probe: forbidden files, calls and sockets are
 * tried in this process where they fail with an error, and in a child where
 * they kill.  Anything but YG_OK: the caller must end at once. */
yg_status yg_sandbox_close(const struct yg_sandbox *box, struct yg_err *err);

/* What a process found out about itself behind its closed sandbox. */
struct yg_sandbox_tried {   /* static texts */
	const char *what;   /* "open", "create", "bind", "connect", "call" */
	const char *object; /* "/etc/passwd" */
	const char *result; /* "EACCES", or "SIGSYS": it killed the child that tried */
};
#define YG_SANDBOX_TRIED 8
struct yg_sandbox_proof {
	/* As the kernel says, of this process, behind everything. */
	uint32_t uid, gid, groups; /* groups: how many more */
	uint64_t cap_effective, cap_permitted, cap_bounding;
	bool no_new_privs;
	uint32_t seccomp, filters; /* 2: by a filter; how many (0: an old kernel) */
	int landlock_abi;
	struct yg_sandbox_tried tried[YG_SANDBOX_TRIED]; /* all refused */
	size_t tried_count;
};
/* yg_sandbox_close(), and what was found out.  YG_INTERNAL also when the kernel says
 * of the process what a closed one does not have. */
yg_status yg_sandbox_prove(const struct yg_sandbox *box, struct yg_sandbox_proof *out,
			   struct yg_err *err);

/* The supervisor's own, wider one (YG_CALLS_FORK in box->calls): what it takes
 * away is taken from every role it starts too.  Files are read everywhere and
 * written below box->paths only; capabilities but those of yg_privilege_trim()
 * are gone; calls that no process of ours needs are refused with EPERM. */
/* Keeps only what it takes to start roles as another user: CAP_SETUID, SETGID,
 * KILL, CHOWN, FOWNER, DAC_OVERRIDE, NET_BIND_SERVICE; from the bounding set too. */
yg_status yg_privilege_trim(struct yg_err *err);
/* Landlock's version in the running kernel; 0: none. */
int yg_landlock_abi(void);
