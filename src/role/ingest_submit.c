/* run/ingest-<n>.sock: center hands batches over and asks for counters.  A batch
 * is answered when its group is on disk. */
#include <errno.h>
#include <sys/socket.h>

#include "role/ingest_internal.h"

#define CLIENTS_MAX 256

struct client {
	struct submit_door *door;
	struct yg_channel *channel;
	uint32_t open; /* batches not answered yet */
	bool gone;
};
struct submit_door {
	struct ingest *in;
	uv_poll_t poll;
	size_t clients;
};

static void client_free(struct client *c)
{
	if (c->gone && c->open == 0)
		free(c);
}

static void reply(struct client *c, yg_status st, bool duplicate, const char *text)
{
	struct yg_buf b;
	yg_buf_init(&b, 1024);
	size_t at = yg_ipc_begin(&b, YG_IPC_SUBMIT_REPLY);
	yg_wr_le32(&b, st);
	yg_wr_le32(&b, duplicate ? 1 : 0);
	yg_wr_le64(&b, st == YG_LIMIT || st == YG_AGAIN ? 2000 : 0);
	yg_wr_sv32(&b, yg_sv_sub(yg_sv_of(text), 0, 512));
	yg_ipc_end(&b, at);
	if (!c->gone && !b.bad)
		(void)yg_channel_send(c->channel, yg_buf_sv(&b),
				      -1); /* a client that left asks again */
	yg_buf_free(&b);
}

static void on_done(struct ingest_req *r, yg_status st, const struct yg_err *err)
{
	struct client *c = r->ctx;
	c->open--;
	if (st == YG_IO || st == YG_CORRUPT)
		st = YG_AGAIN; /* not taken: the same call may succeed later */
	reply(c, st, r->taken.duplicate, st == YG_OK || err == NULL ? "" : err->msg);
	client_free(c);
}

static yg_status submit_read(struct client *c, struct yg_sv body, struct yg_spool_batch *b,
			     struct yg_err *err)
{
	struct yg_rd r = yg_rd_init(body.p, body.n);
	*b = (struct yg_spool_batch){.source = yg_rd_le8(&r)};
	b->encoding = yg_rd_le8(&r);
	b->framed = yg_rd_le8(&r) != 0;
	(void)yg_rd_le8(&r);
	b->received = (yg_wall){(int64_t)yg_rd_le64(&r)};
	b->org = yg_rd_sv32(&r);
	b->sensor = yg_sv_sub(yg_rd_sv32(&r), 0, YG_SPOOL_SENSOR_MAX);
	b->mapping = yg_rd_sv32(&r);
	b->batch_id = yg_rd_sv32(&r);
	b->body = yg_rd_sv32(&r);
	if (!yg_rd_done(&r))
		return YG_FAIL(err, YG_PARSE, "a batch message is not well formed");
	if (b->source == YG_SOURCE_NONE || b->source >= YG_SOURCE_COUNT || b->encoding > YG_ZSTD)
		return YG_FAIL(err, YG_INVAL, "unknown source or encoding");
	if (b->received.us <= 0)
		b->received = yg_env_wall(&c->door->in->ctx->env);
	return YG_OK;
}

static void submit(struct client *c, struct yg_sv body)
{
	struct ingest *in = c->door->in;
	struct yg_spool_batch b;
	struct yg_err err = {0};
	yg_status st = submit_read(c, body, &b, &err);
	if (st == YG_OK && in->doors_stopped)
		st = YG_FAIL(&err, YG_AGAIN, "the server is stopping");
	if (st == YG_OK && in->pipes[0]->retry_commit.wait_us != 0)
		st = YG_FAIL(&err, YG_LIMIT, "the disk of the spool refuses to take more");
	struct ingest_req *r = st == YG_OK ? ingest_req_new(&b) : NULL;
	if (st == YG_OK && r == NULL)
		st = YG_FAIL(&err, YG_NOMEM, "a batch of %zu bytes", b.body.n);
	if (st == YG_OK && r != NULL) {
		r->done = on_done;
		r->ctx = c;
		c->open++;
		st = pipe_append(in->pipes[0], r, &err);
		if (st != YG_OK) {
			c->open--;
			ingest_req_free(r);
		}
	}
	if (st == YG_OK)
		return;
	if (st == YG_LIMIT) {
		in->spool_refused++;
		yg_role_log(in->ctx, YG_EV_INGEST_SPOOL_FULL, YG_KERR(&err));
	}
	reply(c, st == YG_IO ? YG_AGAIN : st, false, err.msg);
}

static void stats(struct client *c)
{
	struct yg_buf b;
	yg_buf_init(&b, yg_ipc_max(YG_IPC_STATS_REPLY) + YG_IPC_HEAD);
	size_t at = yg_ipc_begin(&b, YG_IPC_STATS_REPLY);
	stats_json(c->door->in, &b);
	yg_ipc_end(&b, at);
	if (!b.bad)
		(void)yg_channel_send(c->channel, yg_buf_sv(&b), -1);
	yg_buf_free(&b);
}

static bool on_allowed(void *ctx, uint32_t type, size_t n)
{
	(void)ctx;
	return yg_ipc_allowed(type, n, YG_R_CENTER, YG_R_INGEST) &&
	       (type == YG_IPC_SUBMIT || type == YG_IPC_STATS);
}
/* NOLINTNEXTLINE(readability-non-const-parameter): the channel's type */
static void on_frame(void *ctx, uint32_t type, struct yg_sv body, int *fd)
{
	struct client *c = ctx;
	(void)fd;
	if (type == YG_IPC_SUBMIT)
		submit(c, body);
	else
		stats(c);
}
static void on_ended(void *ctx, const struct yg_err *err)
{
	struct client *c = ctx;
	(void)err;
	yg_channel_close(c->channel);
	c->door->clients--;
	c->gone = true;
	client_free(c);
}
static const struct yg_channel_ops ops = {on_allowed, on_frame, on_ended};

static void on_connect(uv_poll_t *w, int status, int events)
{
	struct submit_door *d = w->data;
	int listener;
	struct yg_err err = {0};
	(void)status;
	(void)events;
	if (uv_fileno((uv_handle_t *)w, &listener) != 0)
		return;
	for (unsigned i = 0; i < 64; i++) {
		YG_AUTO(yg_fd_close)
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		struct client *c = d->clients < CLIENTS_MAX ? calloc(1, sizeof *c) : NULL;
		if (c == NULL)
			continue; /* closed; center tries again */
		c->door = d;
		/* A reply has at most 64 KiB; a client that reads none is cut off. */
		if (yg_channel_open(d->in->ctx->loop, fd, 1u << 20, &ops, c, &c->channel, &err) !=
		    YG_OK) {
			free(c);
			continue;
		}
		fd = -1;
		d->clients++;
	}
}

yg_status submit_open(struct ingest *in, int fd, struct yg_err *err)
{
	struct submit_door *d = calloc(1, sizeof *d);
	if (d == NULL)
		return YG_FAIL(err, YG_NOMEM, "submit door");
	d->in = in;
	d->poll.data = d;
	in->submit = d;
	int rc = uv_poll_init(in->ctx->loop, &d->poll, fd);
	if (rc == 0)
		rc = uv_poll_start(&d->poll, UV_READABLE, on_connect);
	return rc == 0 ? YG_OK : YG_FAIL(err, YG_INTERNAL, "submit door: %s", uv_strerror(rc));
}

void submit_stop(struct ingest *in)
{
	if (in->submit != NULL)
		(void)uv_poll_stop(&in->submit->poll);
}
