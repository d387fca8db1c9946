#include "os/wake.h"

#include <pthread.h>
#include <time.h>

#include "os/thread.h"
#include "tap.h"

#define SENDS 1000

static struct {
	struct yg_wake wake;
	uv_loop_t loop;
	int written; /* by the thread before it sends */
	unsigned calls;
	int seen;
} t;

static void on_wake(void *ctx)
{
	t.calls += ctx == &t;
	t.seen = __atomic_load_n(&t.written, __ATOMIC_RELAXED);
	if (t.seen == SENDS)
		uv_stop(&t.loop);
}

static void *sender(void *arg)
{
	(void)arg;
	(void)yg_thread_give_way(YG_NICE_LEAST, NULL);
	for (int i = 1; i <= SENDS; i++) {
		__atomic_store_n(&t.written, i, __ATOMIC_RELAXED);
		yg_wake_send(&t.wake);
		if (i % 100 == 0)
			(void)nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
	}
	return NULL;
}

int main(void)
{
	pthread_t thread;
	struct yg_err err = {0};
	T_OK(uv_loop_init(&t.loop) == 0);
	T_OK(yg_wake_open(&t.wake, &t.loop, on_wake, &t, &err) == YG_OK);
	T_OK(uv_run(&t.loop, UV_RUN_NOWAIT) != 0 && t.calls == 0);
	T_OK(pthread_create(&thread, NULL, sender, NULL) == 0);
	(void)uv_run(&t.loop, UV_RUN_DEFAULT);
	T_OK(pthread_join(thread, NULL) == 0);
	T_NAMED(t.seen == SENDS && t.calls >= 1 && t.calls <= SENDS,
		"the last send is seen, several may be one");
	yg_wake_close(&t.wake);
	(void)uv_run(&t.loop, UV_RUN_DEFAULT);
	T_OK(t.wake.fd == -1 && uv_loop_close(&t.loop) == 0);
	return tap_done();
}
