#include "role/explain_call.h"

#include <stdio.h>

#include "os/file.h"

#define ANSWER_MS  2000
#define ANSWER_MAX (4u << 20)

struct said {
	yg_status st; /* of the worker */
	struct yg_sv message, members, cache;
};

static yg_status ask(const char *path, struct yg_sv frame, struct yg_buf *reply, struct said *out,
		     struct yg_err *err)
{
	YG_AUTO(yg_fd_close) int sock = -1;
	int fd = -1;
	struct yg_ipc_head head = {0};
	yg_status st = yg_ipc_connect(path, &sock, err);
	if (st == YG_OK)
		st = yg_ipc_send(sock, frame, -1, ANSWER_MS, err);
	if (st == YG_OK)
		st = yg_ipc_recv(sock, reply, &head, yg_ipc_max(YG_IPC_EXPLAIN_REPLY), &fd,
				 ANSWER_MS, err);
	yg_fd_close(&fd);
	if (st != YG_OK)
		return st;
	struct yg_rd rd = yg_rd_init(reply->p, reply->n);
	out->st = (yg_status)yg_rd_le32(&rd);
	(void)yg_rd_le32(&rd);
	out->message = yg_rd_sv32(&rd);
	out->members = yg_rd_sv32(&rd);
	out->cache = yg_rd_sv32(&rd);
	if (head.type != YG_IPC_EXPLAIN_REPLY || !yg_rd_done(&rd))
		return YG_FAIL(err, YG_INTERNAL, "the resolver answered with something else");
	return YG_OK;
}

static void put_frame(struct yg_buf *b, const struct yg_explain_question *q)
{
	size_t at = yg_ipc_begin(b, YG_IPC_EXPLAIN);
	yg_wr_le32(b, q->type);
	yg_wr_le32(b, (q->dnssec_ok ? 1u : 0u) | (q->checking_disabled ? 2u : 0u));
	yg_wr_sv32(b, q->org);
	yg_wr_sv32(b, q->client);
	yg_wr_sv32(b, q->name);
	yg_ipc_end(b, at);
}

/* One more worker; the first that answers says everything. */
static void put_said(struct yg_buf *out, struct yg_buf *caches, uint32_t worker,
		     const struct said *s)
{
	if (out->n == 0) {
		yg_buf_putc(out, '{');
		yg_buf_put(out, s->members);
		yg_buf_printf(out, ",\"worker\":%u", worker);
	} else {
		yg_buf_putc(caches, ',');
	}
	yg_buf_printf(caches, "{\"worker\":%u,\"cache\":", worker);
	yg_buf_put(caches, s->cache);
	yg_buf_putc(caches, '}');
}

yg_status yg_explain_call(const char *folder, uint32_t workers, const struct yg_explain_question *q,
			  struct yg_arena *arena, struct yg_sv *out, struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf frame = {0};
	YG_AUTO(yg_buf_free) struct yg_buf whole = {0};
	YG_AUTO(yg_buf_free) struct yg_buf caches = {0};
	struct yg_err why = {0};
	yg_buf_init(&frame, 8192);
	yg_buf_init(&whole, ANSWER_MAX);
	yg_buf_init(&caches, ANSWER_MAX);
	put_frame(&frame, q);
	if (frame.bad || frame.n > yg_ipc_max(YG_IPC_EXPLAIN))
		return YG_FAIL(err, YG_PARSE, "the name is too long");
	for (uint32_t i = 0; i < workers; i++) {
		char path[256];
		YG_AUTO(yg_buf_free) struct yg_buf reply = {0};
		struct said s = {.st = YG_OK};
		(void)snprintf(path, sizeof path, "%s/resolve-%u.sock", folder, i);
		yg_buf_init(&reply, yg_ipc_max(YG_IPC_EXPLAIN_REPLY));
		if (ask(path, yg_buf_sv(&frame), &reply, &s, &why) != YG_OK)
			continue; /* the others know as well */
		if (s.st != YG_OK)
			return YG_FAIL(err, s.st, YG_SV_FMT, YG_SV_ARG(s.message));
		put_said(&whole, &caches, i, &s);
	}
	if (whole.n == 0 && !whole.bad)
		return YG_FAIL(err, YG_AGAIN, "no resolver answers; is resolve.listen set?");
	yg_buf_put(&whole, YG_SV(",\"workers\":["));
	yg_buf_put(&whole, yg_buf_sv(&caches));
	yg_buf_put(&whole, YG_SV("]}"));
	*out = yg_arena_dup(arena, yg_buf_sv(&whole));
	return whole.bad || caches.bad || out->p == NULL
		       ? YG_FAIL(err, YG_NOMEM, "no memory for the explanation")
		       : YG_OK;
}
