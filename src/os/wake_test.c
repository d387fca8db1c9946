#include "os/wake.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "os/thread.h"
#include "tap.h"

#define SENDS 1000

static struct {
	struct yg_wake wake;
	uv_loop_t loop;
	int written; /* by the thread before it sends */
	unsigned calls;
	int seen;
	bool slow;         /* the thread loses its core as soon as it has written */
	bool stopped;      /* it has, and does not have it back */
	bool seen_stopped; /* the loop came to the call meanwhile */
} t;

static _Thread_local bool is_sender;

/* The C library's; and the system may give the core to another right behind it. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): those are reserved */
__attribute__((visibility("default"))) ssize_t write(int fd, const void *p, size_t n)
{
	bool slow = is_sender && t.slow;
	__atomic_store_n(&t.stopped, slow, __ATOMIC_SEQ_CST);
	ssize_t done = syscall(SYS_write, fd, p, n);
	if (slow)
		(void)nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
	__atomic_store_n(&t.stopped, false, __ATOMIC_SEQ_CST);
	return done;
}

static void on_wake(void *ctx)
{
	t.calls += ctx == &t;
	t.seen = __atomic_load_n(&t.written, __ATOMIC_RELAXED);
	t.seen_stopped = __atomic_load_n(&t.stopped, __ATOMIC_SEQ_CST);
	if (t.seen == SENDS)
		uv_stop(&t.loop);
}

static void *sender(void *arg)
{
	(void)arg;
	is_sender = true;
	(void)yg_thread_give_way(YG_NICE_LEAST, NULL);
	for (int i = t.slow ? SENDS : 1; i <= SENDS; i++) {
		__atomic_store_n(&t.written, i, __ATOMIC_RELAXED);
		yg_wake_send(&t.wake);
		if (i % 100 == 0 && !t.slow)
			(void)nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
	}
	return NULL;
}

static void run(bool slow)
{
	pthread_t thread;
	t.slow = slow;
	t.seen = 0;
	T_OK(pthread_create(&thread, NULL, sender, NULL) == 0);
	(void)uv_run(&t.loop, UV_RUN_DEFAULT);
	T_OK(pthread_join(thread, NULL) == 0);
}

int main(void)
{
	struct yg_err err = {0};
	T_OK(uv_loop_init(&t.loop) == 0);
	T_OK(yg_wake_open(&t.wake, &t.loop, on_wake, &t, &err) == YG_OK);
	T_OK(uv_run(&t.loop, UV_RUN_NOWAIT) != 0 && t.calls == 0);
	run(false);
	T_NAMED(t.seen == SENDS && t.calls >= 1 && t.calls <= SENDS,
		"the last send is seen, several may be one");
	run(true);
	T_NAMED(t.seen == SENDS && t.seen_stopped,
		"the loop does not wait for a sender that has lost its core");
	yg_wake_close(&t.wake);
	(void)uv_run(&t.loop, UV_RUN_DEFAULT);
	T_OK(t.wake.fd == -1 && uv_loop_close(&t.loop) == 0);
	return tap_done();
}
