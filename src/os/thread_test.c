#include "os/thread.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

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
	*good = yg_thread_give_way(NULL) == YG_OK && getpriority(PRIO_PROCESS, 0) == 19 &&
		sched_getscheduler(0) == SCHED_BATCH;
	return NULL;
}

/* One thread gives way, and no other. */
static void test_give_way(void)
{
	pthread_t t;
	bool good = false;
	int before = getpriority(PRIO_PROCESS, 0), policy = sched_getscheduler(0);
	T_OK(pthread_create(&t, NULL, give_way, &good) == 0 && pthread_join(t, NULL) == 0 && good);
	T_OK(getpriority(PRIO_PROCESS, 0) == before && sched_getscheduler(0) == policy);
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
	yg_thread_prompt(); /* and is what it was otherwise */
	T_OK(getpriority(PRIO_PROCESS, 0) == before && sched_getscheduler(0) == SCHED_OTHER);
	return tap_done();
}
