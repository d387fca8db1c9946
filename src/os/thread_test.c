#include "os/thread.h"

#include <pthread.h>
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
	return tap_done();
}
