#include "os/thread.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool has_name(const char *id, const char *name)
{
	char path[64], comm[32] = "";
	(void)snprintf(path, sizeof path, "/proc/self/task/%.16s/comm", id);
	FILE *f = fopen(path, "re");
	if (f == NULL) /* it ended meanwhile */
		return false;
	bool same = fgets(comm, sizeof comm, f) != NULL;
	(void)fclose(f);
	comm[strcspn(comm, "\n")] = '\0';
	return same && strcmp(comm, name) == 0;
}

yg_status yg_threads_nice(const char *name, int nice, unsigned *out_n, struct yg_err *err)
{
	*out_n = 0;
	DIR *d = opendir("/proc/self/task");
	if (d == NULL)
		return YG_FAIL_OS(err, errno, "the threads of this process");
	yg_status st = YG_OK;
	for (struct dirent *e = readdir(d); e != NULL && st == YG_OK; e = readdir(d)) {
		if (e->d_name[0] == '.' || !has_name(e->d_name, name))
			continue;
		id_t id = (id_t)strtoul(e->d_name, NULL, 10);
		if (getpriority(PRIO_PROCESS, id) < nice &&
		    setpriority(PRIO_PROCESS, id, nice) != 0 && errno != ESRCH)
			st = YG_FAIL_OS(err, errno, "the priority of thread %s", name);
		*out_n += 1;
	}
	(void)closedir(d);
	return st;
}

#define LEAST 19 /* nice value: 15/1024 of who has none */

yg_status yg_thread_give_way(struct yg_err *err)
{
	const struct sched_param none = {.sched_priority = 0};
	/* of Linux: both are the calling thread's */
	if (setpriority(PRIO_PROCESS, 0, LEAST) != 0)
		return YG_FAIL_OS(err, errno, "the priority of a thread");
	if (sched_setscheduler(0, SCHED_BATCH, &none) != 0)
		return YG_FAIL_OS(err, errno, "the scheduling of a thread");
	return YG_OK;
}

#define PIECE_NS 100000u /* the least that Linux takes */

void yg_thread_prompt(void)
{
	struct { /* struct sched_attr, which the C library does not have yet */
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} a = {.size = sizeof a,
	       .policy = SCHED_OTHER,
	       .nice = getpriority(PRIO_PROCESS, 0),
	       .runtime = PIECE_NS};
	static_assert(sizeof a == 48, "as the kernel has it");
	(void)syscall(SYS_sched_setattr, 0, &a, 0u); /* only a wish */
}
