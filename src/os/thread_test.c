#include "os/thread.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/breath.h"
#include "tap.h"

static pthread_barrier_t gate;

static void *wait_twice(void *arg)
{
	int *nice_of = arg;
	(void)pthread_setname_np(pthread_self(), "merging");
	(void)pthread_barrier_wait(&gate);
	(void)pthread_barrier_wait(&gate);
	*nice_of = getpriority(PRIO_PROCESS, (id_t)gettid());
	return NULL;
}

static unsigned yields;
/* The C library's, counted. */
int sched_yield(void)
{
	yields++;
	return (int)syscall(SYS_sched_yield);
}

static unsigned breaths;
static void count_breath(void)
{
	breaths++;
}

/* How many pages from there on are in memory. */
static size_t resident(char *p, size_t n)
{
	unsigned char in[2048];
	size_t pages = 0;
	if (n / 4096 > sizeof in || mincore(p, n, in) != 0)
		return SIZE_MAX;
	for (size_t i = 0; i < n / 4096; i++)
		pages += in[i] & 1;
	return pages;
}

/* Of memory that is to be freed, every whole huge page, a breath after each. */
static void give_back(bool *good)
{
	const size_t huge = (size_t)2 << 20, n = 5 * huge;
	char *p = mmap(NULL, n + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return;
	(void)madvise(p, n + huge, MADV_NOHUGEPAGE);
	memset(p, 1, n + huge);
	char *at = p + (huge - (uintptr_t)p % huge) % huge; /* a whole one begins there */
	void (*take)(void) = yg_breath_of_thread.take;
	yg_breath_of_thread.take = count_breath;
	yg_breath_of_thread.give_back(at + 4096, n - 4096); /* four whole ones */
	yg_breath_of_thread.take = take;
	good[1] = breaths == 4 && resident(at, huge) == huge / 4096 &&
		  resident(at + huge, 4 * huge) == 0 && at[huge - 1] == 1 && at[huge] == 0;
	(void)munmap(p, n + huge);
}

/* Not at every breath: after each millisecond of a core. */
static void offer(bool *good)
{
	const int64_t begin = yg_thread_used_us(), some = 60000;
	unsigned n = 0;
	yields = 0;
	while (yg_thread_used_us() < begin + some) {
		yg_breathe(YG_BREATH);
		n++;
	}
	(void)printf("# %u breaths, %u offers\n", n, yields);
	good[2] = yields >= 40 && yields <= some / 1000 + 1 && n > yields;
}

static void *give_way(void *arg)
{
	bool *good = arg;
	good[0] = yg_thread_give_way(YG_NICE_LEAST, NULL) == YG_OK &&
		  getpriority(PRIO_PROCESS, 0) == YG_NICE_LEAST &&
		  sched_getscheduler(0) == SCHED_BATCH && yg_breath_of_thread.take != NULL;
	give_back(good);
	offer(good);
	yg_breathe_free(malloc((size_t)9 << 20), (size_t)9 << 20);
	yg_breathe_free(NULL, 0);
	return NULL;
}

/* One thread gives way, and no other. */
static void test_give_way(void)
{
	pthread_t t;
	bool good[3] = {false};
	int before = getpriority(PRIO_PROCESS, 0), policy = sched_getscheduler(0);
	T_OK(pthread_create(&t, NULL, give_way, good) == 0 && pthread_join(t, NULL) == 0);
	T_NAMED(good[0], "the least priority");
	T_NAMED(good[1], "what is to be freed goes by huge pages, with a breath after each");
	T_NAMED(good[2], "the core is offered every millisecond");
	T_OK(getpriority(PRIO_PROCESS, 0) == before && sched_getscheduler(0) == policy &&
	     yg_breath_of_thread.take == NULL);
}

/* Short pieces are a wish that leaves everything else as it is. */
static void test_prompt(void)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} a = {.size = sizeof a};
	int before = getpriority(PRIO_PROCESS, 0);
	yg_thread_prompt(1);
	yg_thread_prompt(2);
	T_OK(getpriority(PRIO_PROCESS, 0) == before && sched_getscheduler(0) == SCHED_OTHER);
	T_OK(syscall(SYS_sched_getattr, 0, &a, sizeof a, 0u) == 0 &&
	     (a.runtime == 0 || a.runtime == 200000)); /* 0: a kernel that has no such wish */
}

int main(void)
{
	pthread_t thread[2];
	int seen[2] = {-1, -1}, before = getpriority(PRIO_PROCESS, 0);
	int wanted = before < 15 ? before + 4 : before;
	unsigned n = 9;
	T_OK(pthread_barrier_init(&gate, NULL, 3) == 0);
	for (int i = 0; i < 2; i++)
		T_OK(pthread_create(&thread[i], NULL, wait_twice, &seen[i]) == 0);
	(void)pthread_barrier_wait(&gate);
	T_OK(yg_threads_nice("merging", wanted, &n, NULL) == YG_OK && n == 2);
	T_OK(yg_threads_nice("nobody", wanted, &n, NULL) == YG_OK && n == 0);
	(void)pthread_barrier_wait(&gate);
	for (int i = 0; i < 2; i++)
		(void)pthread_join(thread[i], NULL);
	T_OK(seen[0] == wanted && seen[1] == wanted);
	T_OK(getpriority(PRIO_PROCESS, 0) == before);
	test_give_way();
	test_prompt();
	return tap_done();
}
