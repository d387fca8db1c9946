/* run/center.sock: a worker sends FINDINGS, COUNTS and FEED, center applies them once and
 * says so.  One message of a connection is worked on at a time; the worker waits
 * for its answer, and sends again what was not answered. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alert/finding.h"
#include "org/source.h"
#include "os/channel.h"
#include "os/file.h"
#include "os/socket.h"
#include "role/center.h"

#define QUEUE_MAX 65536

struct findings_conn {
	struct findings_conn *next;
	struct center *c;
	struct yg_channel *channel; /* NULL: ended */
	uv_work_t work;
	bool busy;
	uint32_t type;      /* FINDINGS, COUNTS or FEED */
	struct yg_buf body; /* of the message that is worked on */
	yg_status st;
	struct yg_err err;
};

static void conn_remove(struct findings_conn *conn)
{
	struct center *c = conn->c;
	for (struct findings_conn **at = &c->findings; *at != NULL; at = &(*at)->next) {
		if (*at == conn) {
			*at = conn->next;
			c->findings_open--;
			break;
		}
	}
	yg_buf_free(&conn->body);
	free(conn);
}

static bool on_allowed(void *ctx, uint32_t type, size_t n)
{
	(void)ctx;
	return (type == YG_IPC_FINDINGS || type == YG_IPC_COUNTS || type == YG_IPC_FEED) &&
	       yg_ipc_allowed(type, n, YG_R_INGEST, YG_R_CENTER);
}

static void on_ended(void *ctx, const struct yg_err *err)
{
	struct findings_conn *conn = ctx;
	if (err->code != YG_NOTFOUND)
		yg_role_log(conn->c->ctx, YG_EV_CENTER_FINDINGS_REFUSED, YG_KERR(err));
	yg_channel_close(conn->channel);
	conn->channel = NULL;
	if (!conn->busy)
		conn_remove(conn);
}

#define ORGS_MAX 64
struct org_set {
	struct yg_sv names[ORGS_MAX];
	size_t n;
};

static void note_org(struct org_set *set, struct yg_sv org)
{
	for (size_t i = 0; i < set->n; i++) {
		if (yg_sv_eq(set->names[i], org))
			return;
	}
	if (set->n < ORGS_MAX)
		set->names[set->n++] = org;
}

/* Tells live readers whose alerts changed. */
static void announce(struct center *c, struct yg_sv body, struct yg_arena *arena)
{
	struct org_set set = {.n = 0};
	struct yg_rd rd = yg_rd_init(body.p, body.n);
	struct yg_finding f;
	(void)yg_rd_le32(&rd);
	uint32_t count = yg_rd_le32(&rd);
	(void)yg_rd_le64(&rd);
	for (uint32_t i = 0; i < count && !rd.bad; i++) {
		struct yg_sv json = yg_rd_sv32(&rd);
		if (!rd.bad && yg_finding_parse(json, arena, &f, NULL) == YG_OK)
			note_org(&set, f.org);
	}
	for (size_t i = 0; i < set.n; i++)
		yg_announce(&c->api, YG_TOPIC_ALERTS, set.names[i], YG_SV(""), YG_SV(""),
			    "findings");
}

/* Work pool. */
static void on_work(uv_work_t *w)
{
	struct findings_conn *conn = w->data;
	struct center *c = conn->c;
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_finding_result result = {0};
	struct yg_arena arena;
	conn->st = yg_lease_state(&c->api, &l, &conn->err);
	if (conn->st != YG_OK)
		return;
	if (conn->type == YG_IPC_COUNTS) {
		conn->st = yg_source_counts_apply(l.db, yg_env_wall(&c->ctx->env),
						  yg_buf_sv(&conn->body), &conn->err);
		return;
	}
	if (conn->type == YG_IPC_FEED) {
		conn->st = center_feed(c, l.db, yg_buf_sv(&conn->body), &conn->err);
		return;
	}
	struct yg_act act = center_act(c, l.db);
	conn->st = yg_findings_apply(&act, yg_buf_sv(&conn->body), &result, &conn->err);
	if (conn->st != YG_OK || result.duplicate || result.applied == 0)
		return;
	yg_arena_init(&arena, 64u << 20);
	announce(c, yg_buf_sv(&conn->body), &arena);
	yg_arena_free(&arena);
}

static void on_worked(uv_work_t *w, int status)
{
	struct findings_conn *conn = w->data;
	char text[32];
	struct yg_buf reply;
	conn->busy = false;
	if (status != 0)
		conn->st = YG_AGAIN;
	if (conn->st != YG_OK && status == 0)
		yg_role_log(conn->c->ctx, YG_EV_CENTER_FINDINGS_REFUSED, YG_KERR(&conn->err));
	if (conn->channel == NULL) {
		conn_remove(conn);
		return;
	}
	(void)text;
	yg_buf_init(&reply, 64);
	size_t at = yg_ipc_begin(&reply, YG_IPC_FINDINGS_REPLY);
	yg_wr_le32(&reply, (uint32_t)conn->st);
	yg_wr_le32(&reply, 0);
	yg_ipc_end(&reply, at);
	/* no answer: the worker sends the batch again, and it is applied once */
	(void)yg_channel_send(conn->channel, yg_buf_sv(&reply), -1);
	yg_buf_free(&reply);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the channel's type */
static void on_frame(void *ctx, uint32_t type, struct yg_sv body, int *fd)
{
	struct findings_conn *conn = ctx;
	(void)fd;
	if (conn->busy) { /* a worker waits for its answer; one that does not is broken */
		yg_channel_close(conn->channel);
		conn->channel = NULL;
		return;
	}
	conn->type = type;
	yg_buf_free(&conn->body);
	yg_buf_init(&conn->body, yg_ipc_max(type));
	yg_buf_put(&conn->body, body);
	conn->work.data = conn;
	conn->busy = !conn->body.bad &&
		     uv_queue_work(conn->c->ctx->loop, &conn->work, on_work, on_worked) == 0;
	if (!conn->busy) {
		yg_channel_close(conn->channel);
		conn->channel = NULL;
		conn_remove(conn);
	}
}

static const struct yg_channel_ops channel_ops = {
	.allowed = on_allowed,
	.frame = on_frame,
	.ended = on_ended,
};

static void take(struct center *c, int fd)
{
	struct yg_err err = {0};
	struct yg_peer peer;
	if (yg_peer_cred(fd, &peer, &err) != YG_OK || (peer.uid != geteuid() && peer.uid != 0) ||
	    c->findings_open >= YG_INGEST_WORKERS * 4) {
		(void)close(fd);
		return;
	}
	struct findings_conn *conn = calloc(1, sizeof *conn);
	if (conn == NULL) {
		(void)close(fd);
		return;
	}
	conn->c = c;
	if (yg_channel_open(c->ctx->loop, fd, QUEUE_MAX, &channel_ops, conn, &conn->channel,
			    &err) != YG_OK) {
		(void)close(fd);
		free(conn);
		return;
	}
	conn->next = c->findings;
	c->findings = conn;
	c->findings_open++;
}

static void on_door(uv_poll_t *h, int status, int events)
{
	struct center *c = h->data;
	(void)status;
	(void)events;
	for (int i = 0; i < 16; i++) {
		int fd = accept4(c->findings_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		take(c, fd);
	}
}

yg_status center_findings_open(struct center *c, int listen_fd, struct yg_err *err)
{
	c->findings_fd = listen_fd;
	if (listen_fd < 0)
		return YG_FAIL(err, YG_INTERNAL, "there is no listener center.sock");
	if (uv_poll_init(c->ctx->loop, &c->findings_door, listen_fd) != 0)
		return YG_FAIL(err, YG_IO, "center.sock cannot be watched");
	c->findings_door.data = c;
	(void)uv_poll_start(&c->findings_door, UV_READABLE, on_door);
	return YG_OK;
}

void center_findings_close(struct center *c)
{
	(void)uv_poll_stop(&c->findings_door);
}
