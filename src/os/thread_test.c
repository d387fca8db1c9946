#include "os/thread.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
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

static void *give_way(void *arg)
{
	bool *good = arg;
	size_t n = (size_t)9 << 20;
	char *p = malloc(n);
	*good = yg_thread_give_way(YG_NICE_LEAST, NULL) == YG_OK &&
		getpriority(PRIO_PROCESS, 0) == YG_NICE_LEAST &&
		sched_getscheduler(0) == SCHED_BATCH && p != NULL &&
		yg_breath_of_thread.take != NULL;
	if (p != NULL)
		memset(p, 1, n);
	for (unsigned i = 0; i < 1000; i++)
		yg_breathe(YG_BREATH); /* offers the core */
	yg_breathe_free(p, n);
	yg_breathe_free(NULL, 0);
	return NULL;
}

/* One thread gives way, and no other. */
static void test_give_way(void)
{
	pthread_t t;
	bool good = false;
	int before = getpriority(PRIO_PROCESS, 0), policy = sched_getscheduler(0);
	T_OK(pthread_create(&t, NULL, give_way, &good) == 0 && pthread_join(t, NULL) == 0 && good);
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
