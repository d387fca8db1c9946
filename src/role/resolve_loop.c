/* Events of libunbound on libuv.  An event of theirs is a socket or a timer or both;
 * it can be added, deleted and freed from inside its own call.  A handle of libuv
 * outlives the event by a turn of the loop, so it is an object of its own. */
#include "role/resolve_loop.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/units.h"

#define SOCKET_BITS (UB_EV_READ | UB_EV_WRITE)

struct poll { /* freed when the loop has closed it */
	uv_poll_t h;
	struct event *of; /* NULL: nobody waits for it any more */
};
struct timer {
	uv_timer_t h;
	struct event *of;
};
struct event {
	struct ub_event super; /* first */
	uv_loop_t *loop;
	int fd;
	short bits;
	void (*cb)(int, short, void *);
	void *arg;
	struct poll *poll;   /* NULL: its socket is not watched */
	struct timer *timer; /* NULL: it never had a time */
	uint64_t ms;         /* of the time it was added with; 0: none */
};

static struct event *event_of(struct ub_event *e)
{
	return (struct event *)(void *)e;
}

static void on_closed(uv_handle_t *h)
{
	free(h); /* first in its object */
}

static void poll_end(struct event *e)
{
	if (e->poll == NULL)
		return;
	e->poll->of = NULL;
	(void)uv_poll_stop(&e->poll->h);
	uv_close((uv_handle_t *)&e->poll->h, on_closed);
	e->poll = NULL;
}

static int event_del(struct ub_event *ev)
{
	struct event *e = event_of(ev);
	poll_end(e);
	if (e->timer != NULL)
		(void)uv_timer_stop(&e->timer->h);
	return 0;
}

static void fire(struct event *e, short bits)
{
	if ((e->bits & UB_EV_PERSIST) == 0)
		(void)event_del(&e->super);
	e->cb(e->fd, bits, e->arg); /* may free it */
}

static void on_timer(uv_timer_t *t)
{
	struct event *e = ((struct timer *)(void *)t)->of;
	if (e != NULL)
		fire(e, UB_EV_TIMEOUT);
}

static int interest(const struct event *e)
{
	return ((e->bits & UB_EV_READ) != 0 ? UV_READABLE : 0) |
	       ((e->bits & UB_EV_WRITE) != 0 ? UV_WRITABLE : 0);
}

static void on_poll(uv_poll_t *p, int status, int events)
{
	struct event *e = ((struct poll *)(void *)p)->of;
	short bits = 0;
	if (e == NULL)
		return;
	if (status != 0) /* reading or writing it says what is wrong */
		bits = (short)(e->bits & SOCKET_BITS);
	if ((events & UV_READABLE) != 0)
		bits |= UB_EV_READ;
	if ((events & UV_WRITABLE) != 0)
		bits |= UB_EV_WRITE;
	bits &= e->bits;
	if (bits == 0)
		return;
	if (e->ms > 0 && (e->bits & UB_EV_PERSIST) != 0) /* its time begins anew */
		(void)uv_timer_start(&e->timer->h, on_timer, e->ms, e->ms);
	fire(e, bits);
	e = ((struct poll *)(void *)p)->of; /* none: it was deleted, freed or added anew */
	if (e != NULL && status != 0)       /* the loop has stopped it at the error */
		(void)uv_poll_start(p, interest(e), on_poll);
}

static bool timer_begin(struct event *e, const struct timeval *tv)
{
	e->ms = 0;
	if (tv == NULL)
		return true;
	if (e->timer == NULL) {
		e->timer = calloc(1, sizeof *e->timer);
		if (e->timer == NULL)
			return false;
		(void)uv_timer_init(e->loop, &e->timer->h);
		e->timer->of = e;
	}
	e->ms = (uint64_t)tv->tv_sec * 1000 + (uint64_t)(tv->tv_usec + 999) / 1000;
	bool again = (e->bits & UB_EV_PERSIST) != 0 && e->fd >= 0;
	(void)uv_timer_start(&e->timer->h, on_timer, e->ms, again ? e->ms : 0);
	return true;
}

static bool poll_begin(struct event *e)
{
	poll_end(e);
	if (e->fd < 0 || interest(e) == 0)
		return true;
	struct poll *p = calloc(1, sizeof *p);
	if (p == NULL || uv_poll_init(e->loop, &p->h, e->fd) != 0) {
		free(p);
		return false;
	}
	p->of = e;
	e->poll = p;
	return uv_poll_start(&p->h, interest(e), on_poll) == 0;
}

static int event_add(struct ub_event *ev, struct timeval *tv)
{
	struct event *e = event_of(ev);
	if (poll_begin(e) && timer_begin(e, tv))
		return 0;
	(void)event_del(ev);
	return -1;
}

static void event_add_bits(struct ub_event *ev, short bits)
{
	event_of(ev)->bits |= bits;
}

static void event_del_bits(struct ub_event *ev, short bits)
{
	event_of(ev)->bits &= (short)~bits;
}

static void event_set_fd(struct ub_event *ev, int fd)
{
	event_of(ev)->fd = fd;
}

static void event_free(struct ub_event *ev)
{
	struct event *e = event_of(ev);
	poll_end(e);
	if (e->timer != NULL) {
		e->timer->of = NULL;
		uv_close((uv_handle_t *)&e->timer->h, on_closed);
	}
	free(e);
}

static int event_add_timer(struct ub_event *ev, struct ub_event_base *base,
			   void (*cb)(int, short, void *), void *arg, struct timeval *tv)
{
	struct event *e = event_of(ev);
	(void)base; /* there is one */
	e->cb = cb;
	e->arg = arg;
	return timer_begin(e, tv) ? 0 : -1;
}

/* Signals and Windows are not for us. */
static int event_add_none(struct ub_event *ev, struct timeval *tv)
{
	(void)ev;
	(void)tv;
	return -1;
}

static int event_del_none(struct ub_event *ev)
{
	(void)ev;
	return -1;
}

static void unregister_none(struct ub_event *ev)
{
	(void)ev;
}

static void wouldblock_none(struct ub_event *ev, int bits)
{
	(void)ev;
	(void)bits;
}

static struct ub_event_vmt event_calls = {
	.add_bits = event_add_bits,
	.del_bits = event_del_bits,
	.set_fd = event_set_fd,
	.free = event_free,
	.add = event_add,
	.del = event_del,
	.add_timer = event_add_timer,
	.del_timer = event_del,
	.add_signal = event_add_none,
	.del_signal = event_del_none,
	.winsock_unregister_wsaevent = unregister_none,
	.winsock_tcp_wouldblock = wouldblock_none,
};

static struct ub_event *base_new_event(struct ub_event_base *base, int fd, short bits,
				       void (*cb)(int, short, void *), void *arg)
{
	struct event *e = calloc(1, sizeof *e);
	if (e == NULL)
		return NULL;
	e->super.magic = UB_EVENT_MAGIC;
	e->super.vmt = &event_calls;
	e->loop = ((struct resolve_loop *)(void *)base)->loop;
	e->fd = fd;
	e->bits = bits;
	e->cb = cb;
	e->arg = arg;
	return &e->super;
}

static struct ub_event *base_new_signal(struct ub_event_base *base, int fd,
					void (*cb)(int, short, void *), void *arg)
{
	return base_new_event(base, fd, UB_EV_SIGNAL | UB_EV_PERSIST, cb, arg);
}

static struct ub_event *base_wsaevent(struct ub_event_base *base, void *wsaevent,
				      void (*cb)(int, short, void *), void *arg)
{
	(void)wsaevent;
	(void)base;
	(void)cb;
	(void)arg;
	return NULL;
}

static void base_free(struct ub_event_base *base)
{
	(void)base; /* its owner's */
}

/* The loop is run by the role, never by libunbound. */
static int base_dispatch(struct ub_event_base *base)
{
	(void)base;
	return -1;
}

static int base_loopexit(struct ub_event_base *base, struct timeval *tv)
{
	(void)base;
	(void)tv;
	return 0;
}

static struct ub_event_base_vmt base_calls = {
	.free = base_free,
	.dispatch = base_dispatch,
	.loopexit = base_loopexit,
	.new_event = base_new_event,
	.new_signal = base_new_signal,
	.winsock_register_wsaevent = base_wsaevent,
};

void resolve_loop_init(struct resolve_loop *l, uv_loop_t *loop)
{
	l->base.magic = UB_EVENT_MAGIC;
	l->base.vmt = &base_calls;
	l->loop = loop;
}
