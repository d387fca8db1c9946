#include "os/thread.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/breath.h"

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

#define SHORT_NS  UINT64_C(100000) /* of a core, the least that Linux takes */
#define BREATH_US 1000             /* an offer costs: who comes next brings its own to the caches */
#define HUGE      (2u << 20)

/* By this clock and not by getrusage(), which counts a running thread's time at the ticks only. */
int64_t yg_thread_used_us(void)
{
	struct timespec t = {.tv_sec = 0};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* it is no time of day */
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
#pragma GCC diagnostic pop
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Not more often: an offer gives the rest of a slice away. */
static void offer_core(void)
{
	static _Thread_local int64_t last;
	int64_t now = yg_thread_used_us();
	if (now - last < BREATH_US)
		return;
	last = now;
	(void)sched_yield();
}

static void give_back(void *p, size_t n)
{
	uintptr_t at = ((uintptr_t)p + HUGE - 1) / HUGE * HUGE, end = (uintptr_t)p + n;
	for (; end > HUGE && at <= end - HUGE; at += HUGE) {
		(void)madvise((void *)at, HUGE, MADV_DONTNEED);
		yg_breathe(YG_BREATH);
	}
}

/* How long a piece of the core it wishes; the rest of how it is scheduled stays. */
static void set_slice(uint64_t ns)
{
	struct { /* struct sched_attr, which the C library does not have yet */
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} a = {.size = sizeof a,
	       .policy = (uint32_t)sched_getscheduler(0),
	       .nice = getpriority(PRIO_PROCESS, 0),
	       .runtime = ns};
	static_assert(sizeof a == 48, "as the kernel has it");
	(void)syscall(SYS_sched_setattr, 0, &a, 0u); /* only a wish */
}

yg_status yg_thread_give_way(int nice, struct yg_err *err)
{
	const struct sched_param none = {.sched_priority = 0};
	/* of Linux: both are the calling thread's; its slice stays its maker's */
	if (setpriority(PRIO_PROCESS, 0, nice) != 0)
		return YG_FAIL_OS(err, errno, "the priority of a thread");
	if (sched_setscheduler(0, SCHED_BATCH, &none) != 0)
		return YG_FAIL_OS(err, errno, "the scheduling of a thread");
	yg_breath_of_thread.take = offer_core;
	yg_breath_of_thread.give_back = give_back;
	return YG_OK;
}

void yg_thread_prompt(unsigned tenths)
{
	set_slice(tenths * SHORT_NS);
}
