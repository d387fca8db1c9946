/* dnstap out: queues, and files. */
#include "role/resolve_tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/file.h"
#include "role/resolve_tap_internal.h"

#define FLUSH_MS    100
#define WAIT_MIN_MS 250
#define WAIT_MAX_MS 30000
#define END_MS      1000

/* ---- the queue ---- */

static void unuse(struct tap *t, struct tap_chunk *c)
{
	c->next = t->unused;
	t->unused = c;
}

static struct tap_chunk *room(struct tap *t, size_t n)
{
	struct tap_chunk *c = t->fill;
	if (c != NULL && c->n + n <= TAP_CHUNK)
		return c;
	if (c != NULL) {
		c->next = NULL;
		*(t->first != NULL ? &t->last->next : &t->first) = c;
		t->last = c;
		t->fill = NULL;
	}
	c = t->unused;
	if (c == NULL)
		return NULL;
	t->unused = c->next;
	c->n = c->frames = 0;
	t->fill = c;
	return c;
}

static void on_flush(uv_timer_t *timer);

static void put(struct tap *t, const struct yg_dnstap *all)
{
	struct yg_dnstap d = *all;
	if (t->conf->policy == 0)
		d.policy.is_there = false;
	if (t->conf->extra == 0)
		d.extra = (struct yg_sv){"", 0};
	size_t n = yg_dnstap_size(&d);
	struct tap_chunk *c = n + 4 <= TAP_CHUNK ? room(t, n + 4) : NULL;
	if (c == NULL || yg_dnstap_encode(&d, c->p + c->n + 4, n) != n) {
		if (!t->told_full)
			yg_role_log(t->ctx, YG_EV_RESOLVE_TAP_DOWN, YG_KS("to", t->to),
				    YG_KS("error", "the queue is full: new frames are dropped"));
		t->told_full = true;
		t->counts.dropped++;
		return;
	}
	yg_fstrm_data(c->p + c->n, (uint32_t)n);
	bool was_full = c->n >= TAP_FULL, first = c->frames == 0;
	c->n += (uint32_t)n + 4;
	c->frames++;
	t->counts.waiting++;
	if (c->n >= TAP_FULL && !was_full)
		(void)uv_timer_start(&t->flush, on_flush, 0, 0);
	else if (first && !uv_is_active((uv_handle_t *)&t->flush))
		(void)uv_timer_start(&t->flush, on_flush, FLUSH_MS, 0);
}

void resolve_taps_put(struct yg_taps *t, const struct yg_dnstap *d)
{
	for (size_t i = 0; i < t->n; i++)
		if (!t->taps[i].is_ended)
			put(&t->taps[i], d);
}

static struct tap_chunk *next_chunk(struct tap *t)
{
	struct tap_chunk *c = t->first;
	if (c != NULL) {
		t->first = c->next;
	} else {
		c = t->fill != NULL && t->fill->n > 0 ? t->fill : NULL;
		if (c != NULL)
			t->fill = NULL;
	}
	return c;
}

static void file_send(struct tap *t);

static void kick(struct tap *t)
{
	if (!t->is_up || t->sending != NULL)
		return;
	t->sending = next_chunk(t);
	if (t->sending != NULL && t->is_file)
		file_send(t);
	else if (t->sending != NULL)
		tap_conn_send(t);
	else if (t->all->done != NULL && t->is_file)
		tap_ended(t);
	else if (t->all->done != NULL)
		tap_conn_stop(t);
}

static void on_flush(uv_timer_t *timer)
{
	kick(timer->data);
}

void tap_sent(struct tap *t, bool ok)
{
	struct tap_chunk *c = t->sending;
	if (c == NULL)
		return;
	t->sending = NULL;
	t->counts.waiting -= c->frames;
	*(ok ? &t->counts.sent : &t->counts.lost) += c->frames;
	unuse(t, c);
	if (ok && t->told_full && t->counts.waiting == 0) {
		t->told_full = false;
		yg_role_log(t->ctx, YG_EV_RESOLVE_TAP_UP, YG_KS("to", t->to),
			    YG_KN("dropped", t->counts.dropped));
	}
	if (ok)
		(void)uv_timer_start(&t->flush, on_flush, 0,
				     0); /* not within: files would recurse */
}

/* ---- files ---- */

static void file_close(struct tap *t)
{
	uint8_t stop[YG_FSTRM_CONTROL_ROOM];
	if (t->fd < 0)
		return;
	size_t n = yg_fstrm_control(stop, sizeof stop, YG_FSTRM_STOP, YG_SV(""));
	if (write(t->fd, stop, n) != (ssize_t)n)
		t->counts.failures++;
	yg_fd_close(&t->fd);
}

/* The file of before is kept as PATH.1. */
static void file_open(struct tap *t)
{
	char old[sizeof t->to + 2];
	uint8_t start[YG_FSTRM_CONTROL_ROOM];
	struct yg_err err = {0};
	(void)snprintf(old, sizeof old, "%s.1", t->to);
	if (rename(t->to, old) != 0 && errno != ENOENT)
		(void)YG_FAIL_OS(&err, errno, "%s", t->to);
	else
		t->fd = open(t->to, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
			     0640);
	if (t->fd < 0 && err.msg[0] == '\0')
		(void)YG_FAIL_OS(&err, errno, "%s", t->to);
	size_t n = yg_fstrm_control(start, sizeof start, YG_FSTRM_START, YG_SV(YG_FSTRM_DNSTAP));
	if (t->fd >= 0 && write(t->fd, start, n) != (ssize_t)n) {
		(void)YG_FAIL_OS(&err, errno, "%s", t->to);
		yg_fd_close(&t->fd);
	}
	if (t->fd < 0) {
		tap_down(t, &err);
		return;
	}
	t->file_n = n;
	tap_up(t);
}

static void file_send(struct tap *t)
{
	struct yg_err err = {0};
	size_t done = 0;
	if (t->file_n + t->sending->n > t->conf->size) {
		file_close(t);
		t->is_up = false;
		struct tap_chunk *keep = t->sending; /* opening kicks: it goes first then */
		t->sending = NULL;
		keep->next = t->first;
		t->first = keep;
		if (t->last == NULL || keep->next == NULL)
			t->last = keep;
		file_open(t);
		return;
	}
	while (done < t->sending->n) {
		ssize_t n = write(t->fd, t->sending->p + done, t->sending->n - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			(void)YG_FAIL_OS(&err, errno, "%s", t->to);
			/* no half frame before a STOP */
			if (ftruncate(t->fd, (off_t)t->file_n) != 0)
				yg_fd_close(&t->fd);
			file_close(t);
			tap_down(t, &err);
			return;
		}
		done += (size_t)n;
	}
	t->file_n += done;
	tap_sent(t, true);
}

/* ---- up and down ---- */

static void on_retry(uv_timer_t *timer)
{
	struct tap *t = timer->data;
	if (t->is_file)
		file_open(t);
	else
		tap_connect(t);
}

void tap_up(struct tap *t)
{
	t->is_up = t->counts.up = true;
	t->wait_ms = WAIT_MIN_MS;
	t->counts.connects++;
	if (t->told_down)
		yg_role_log(t->ctx, YG_EV_RESOLVE_TAP_UP, YG_KS("to", t->to),
			    YG_KN("dropped", t->counts.dropped));
	t->told_down = t->told_full = false;
	(void)uv_timer_stop(&t->retry);
	(void)uv_timer_start(&t->flush, on_flush, 0, 0);
}

void tap_down(struct tap *t, const struct yg_err *err)
{
	t->is_up = t->counts.up = false;
	t->counts.failures++;
	tap_sent(t, false);
	if (!t->is_file)
		tap_conn_close(t);
	if (!t->told_down)
		yg_role_log(t->ctx, YG_EV_RESOLVE_TAP_DOWN, YG_KS("to", t->to), YG_KERR(err));
	t->told_down = true;
	if (t->all->done != NULL) {
		tap_ended(t);
		return;
	}
	(void)uv_timer_start(&t->retry, on_retry, (uint64_t)t->wait_ms, 0);
	t->wait_ms = YG_MIN(t->wait_ms * 2, (int64_t)WAIT_MAX_MS);
}

/* ---- the end ---- */

static void look_done(struct yg_taps *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (!all->taps[i].is_ended)
			return;
	(void)uv_timer_stop(&all->end);
	all->done(all->ctx);
}

void tap_ended(struct tap *t)
{
	if (t->is_ended)
		return;
	t->is_ended = true;
	t->is_up = t->counts.up = false;
	(void)uv_timer_stop(&t->flush);
	(void)uv_timer_stop(&t->retry);
	if (t->is_file)
		file_close(t);
	else
		tap_conn_close(t);
	look_done(t->all);
}

static void on_end(uv_timer_t *timer)
{
	struct yg_taps *all = timer->data;
	for (size_t i = 0; i < all->n; i++)
		tap_ended(&all->taps[i]);
}

void resolve_taps_end(struct yg_taps *t, void (*done)(struct yg_role_ctx *ctx))
{
	t->done = done;
	(void)uv_timer_start(&t->end, on_end, END_MS, 0);
	for (size_t i = 0; i < t->n; i++) {
		if (t->taps[i].is_up)
			kick(&t->taps[i]);
		else
			tap_ended(&t->taps[i]);
	}
}

/* ---- the beginning ---- */

static yg_status queue_open(struct tap *t, struct yg_err *err)
{
	size_t n = YG_MAX(t->conf->queue / sizeof(struct tap_chunk), (uint64_t)2);
	struct tap_chunk *c = malloc(n * sizeof *c); /* pages come as they are used */
	if (c == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the queue of resolve.dnstap");
	t->memory = c;
	for (size_t i = n; i > 0; i--)
		unuse(t, &c[i - 1]);
	return YG_OK;
}

static yg_status tap_open(struct yg_taps *all, size_t i, struct yg_err *err)
{
	struct tap *t = &all->taps[i];
	*t = (struct tap){.all = all,
			  .ctx = all->ctx,
			  .conf = &all->ctx->conf->dns_taps[i],
			  .fd = -1,
			  .wait_ms = WAIT_MIN_MS};
	struct yg_sb b = yg_sb_init(t->to, sizeof t->to);
	yg_sb_put(&b, t->conf->to);
	t->is_file = YG_SV_IS(t->conf->protocol, "file");
	if (t->is_file && all->ctx->index > 0) /* one file per worker */
		yg_sb_printf(&b, "-%u", all->ctx->index);
	(void)yg_sb_cstr(&b);
	t->flush.data = t->retry.data = t;
	if (uv_timer_init(all->ctx->loop, &t->flush) != 0 ||
	    uv_timer_init(all->ctx->loop, &t->retry) != 0)
		return YG_FAIL(err, YG_INTERNAL, "a timer of the loop");
	yg_status st = queue_open(t, err);
	if (st == YG_OK && YG_SV_IS(t->conf->protocol, "tls"))
		st = tap_tls_open(t, i, err);
	if (st == YG_OK)
		(void)uv_timer_start(&t->retry, on_retry, 0, 0);
	return st;
}

yg_status resolve_taps_open(struct yg_role_ctx *ctx, struct yg_taps **out, struct yg_err *err)
{
	size_t n = ctx->conf->dns_tap_count;
	*out = NULL;
	if (n == 0)
		return YG_OK;
	struct yg_taps *all = calloc(1, sizeof *all + n * sizeof all->taps[0]);
	if (all == NULL || uv_timer_init(ctx->loop, &all->end) != 0) {
		free(all);
		return YG_FAIL(err, YG_NOMEM, "no memory for resolve.dnstap");
	}
	all->ctx = ctx;
	all->end.data = all;
	*out = all; /* the loop knows its timers: it stays until the process ends */
	yg_status st = YG_OK;
	for (size_t i = 0; i < n && st == YG_OK; i++) {
		all->n = i + 1;
		st = tap_open(all, i, err);
	}
	return st;
}

size_t resolve_taps_count(const struct yg_taps *t)
{
	return t != NULL ? t->n : 0;
}

struct yg_tap_counts resolve_taps_counts(const struct yg_taps *t, size_t i)
{
	return t->taps[i].counts;
}
