#include "role/role.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/check.h"
#include "os/channel.h"
#include "os/file.h"
#include "role/sup.h"

#define CONF_MAX   1048576 /* as the CONFIG message */
#define CONF_ARENA ((size_t)8 << 20)
#define PEERS_MAX  1024
#define QUEUE_MAX  ((size_t)4 << 20) /* log records that main has not taken yet */

/* Configurations are few and small, and worker threads may still read an old
 * one: all are kept until the process ends. */
struct conf_kept {
	struct conf_kept *before;
	struct yg_arena arena;
	struct yg_conf conf;
};

struct yg_role_box {
	struct yg_role_profile p;
	struct yg_sandbox_proof proof;
};

struct yg_role_control {
	struct yg_env_real real;
	struct yg_log_out log;
	struct yg_channel *channel;
	uv_loop_t loop;
	uv_async_t stop;
	uv_mutex_t lock; /* guards peers */
	int peers[PEERS_MAX];
	size_t peer_count;
	struct conf_kept *conf;
	struct yg_role_box *box; /* until it is told */
	bool draining;
	bool given;  /* the snapshots of the start are here */
	bool pinged; /* not answered yet */
};

const struct yg_role *yg_role_find(struct yg_sv name)
{
	for (size_t i = 0; yg_roles[i] != NULL; i++)
		if (yg_sv_eq(name, yg_sv_of(yg_roles[i]->name)))
			return yg_roles[i];
	return NULL;
}

void yg_role_path(struct yg_role_profile *p, const char *path, unsigned access, bool optional)
{
	YG_REQUIRE(p->box.path_count < YG_ROLE_PATHS_MAX);
	p->paths[p->box.path_count++] =
		(struct yg_sandbox_path){.path = path, .access = access, .optional = optional};
}

int yg_role_fd(const struct yg_role_ctx *ctx, const char *name)
{
	for (size_t i = 0; i < ctx->fd_count; i++)
		if (strcmp(ctx->fds[i].name, name) == 0)
			return ctx->fds[i].fd;
	return -1;
}

yg_status yg_role_send(struct yg_role_ctx *ctx, struct yg_sv frame)
{
	return ctx->control->channel != NULL ? yg_channel_send(ctx->control->channel, frame, -1)
					     : YG_NOTFOUND;
}

void yg_role_ready(struct yg_role_ctx *ctx, const char *text)
{
	struct yg_buf b;
	yg_buf_init(&b, 1024);
	size_t at = yg_ipc_begin(&b, YG_IPC_READY);
	yg_buf_put(&b, yg_sv_sub(yg_sv_of(text), 0, 256));
	yg_ipc_end(&b, at);
	if (!b.bad)
		(void)yg_role_send(ctx, yg_buf_sv(&b)); /* a dead main shows at the channel */
	yg_buf_free(&b);
}

yg_status yg_role_publish(struct yg_role_ctx *ctx, uint32_t kind, uint64_t generation,
			  struct yg_sv file_name)
{
	struct yg_buf b;
	yg_buf_init(&b, 8192);
	size_t at = yg_ipc_begin(&b, YG_IPC_PUBLISH);
	yg_wr_le32(&b, kind);
	yg_wr_le32(&b, 0);
	yg_wr_le64(&b, generation);
	yg_buf_put(&b, file_name);
	yg_ipc_end(&b, at);
	yg_status st = b.bad ? YG_NOMEM : yg_role_send(ctx, yg_buf_sv(&b));
	yg_buf_free(&b);
	return st;
}

void yg_role_alive(struct yg_role_ctx *ctx)
{
	struct yg_role_control *c = ctx->control;
	if (c->pinged && c->channel != NULL)
		(void)yg_channel_send_type(c->channel, YG_IPC_PONG);
	c->pinged = false;
}

void yg_role_stop(struct yg_role_ctx *ctx)
{
	(void)uv_async_send(&ctx->control->stop);
}

bool yg_role_wait_given(struct yg_role_ctx *ctx)
{
	struct yg_role_control *c = ctx->control;
	while (!c->given && !c->draining)
		(void)uv_run(ctx->loop, UV_RUN_ONCE);
	return !c->draining;
}

bool yg_role_draining(const struct yg_role_ctx *ctx)
{
	return ctx->control->draining;
}

bool yg_role_is_ours(struct yg_role_ctx *ctx, int pid)
{
	struct yg_role_control *c = ctx->control;
	bool found = false;
	uv_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->peer_count && !found; i++)
		found = c->peers[i] == pid;
	uv_mutex_unlock(&c->lock);
	return found;
}

void yg_role_say(struct yg_role_ctx *ctx, const char *fmt, ...)
{
	char line[1024];
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(line, sizeof line - 1, fmt, args);
	va_end(args);
	if (n < 0)
		return;
	size_t len = YG_MIN((size_t)n, sizeof line - 2);
	line[len] = '\n';
	(void)yg_log_out_put(&ctx->control->log, (struct yg_sv){line, len + 1});
}

YG_NORETURN void yg_role_exit(struct yg_role_ctx *ctx, int status)
{
	yg_log_out_end(&ctx->control->log);
	_exit(status);
}

static void on_stop(uv_async_t *a)
{
	uv_stop(a->loop);
}

/* NOTICE and above go to main, which keeps them until center takes them. */
static void log_to_main(void *arg, uint32_t event_id, yg_level level, struct yg_sv json)
{
	struct yg_role_ctx *ctx = arg;
	struct yg_buf b;
	yg_buf_init(&b, YG_LOG_RECORD_MAX + 1024);
	size_t at = yg_ipc_begin(&b, YG_IPC_LOG);
	yg_wr_le32(&b, event_id);
	yg_wr_le32(&b, (uint32_t)level);
	yg_buf_put(&b, json);
	yg_ipc_end(&b, at);
	if (!b.bad)
		(void)yg_role_send(ctx, yg_buf_sv(&b)); /* it stands on stderr in any case */
	yg_buf_free(&b);
}

struct reported {
	const struct yg_env *env;
	size_t count;
};
static void report(void *arg, const char *file, size_t line, const char *key, const char *text)
{
	struct reported *r = arg;
	r->count++;
	yg_log(r->env, YG_EV_CONF_PROBLEM, YG_KS("file", file), YG_KN("line", line),
	       YG_KU("key", yg_sv_of(key)), YG_KU("problem", yg_sv_of(text)));
}

static yg_status conf_take(struct yg_role_ctx *ctx, struct yg_sv yaml, struct yg_err *err)
{
	struct yg_role_control *c = ctx->control;
	struct conf_kept *kept = calloc(1, sizeof *kept);
	if (kept == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the configuration");
	yg_arena_init(&kept->arena, CONF_ARENA);
	struct reported r = {&ctx->env, 0};
	yg_status st =
		yg_conf_read(yaml, "configuration", &kept->arena, &kept->conf, report, &r, err);
	if (st != YG_OK) {
		yg_arena_free(&kept->arena);
		free(kept);
		return st;
	}
	kept->before = c->conf;
	c->conf = kept;
	ctx->conf = &kept->conf;
	yg_env_real_level(&c->real, kept->conf.log_level);
	return YG_OK;
}

static bool allowed(void *arg, uint32_t type, size_t n)
{
	struct yg_role_ctx *ctx = arg;
	return yg_ipc_allowed(type, n, YG_R_MAIN, ctx->role->bit);
}

static void take_roles(struct yg_role_control *c, struct yg_sv body)
{
	struct yg_rd r = yg_rd_init(body.p, body.n);
	uv_mutex_lock(&c->lock);
	c->peer_count = 0;
	while (c->peer_count < PEERS_MAX && yg_rd_left(&r) >= 4)
		c->peers[c->peer_count++] = (int)yg_rd_le32(&r);
	uv_mutex_unlock(&c->lock);
}

static void take_conf(struct yg_role_ctx *ctx, struct yg_sv body)
{
	const struct yg_conf *old = ctx->conf;
	struct yg_err err = {0};
	if (conf_take(ctx, body, &err) != YG_OK) /* main has checked it: a bug of ours */
		yg_log(&ctx->env, YG_EV_CONF_REFUSED, YG_KERR(&err));
	else if (ctx->hooks.reload != NULL)
		ctx->hooks.reload(ctx, old);
}

static void on_frame(void *arg, uint32_t type, struct yg_sv body, int *fd)
{
	struct yg_role_ctx *ctx = arg;
	struct yg_role_control *c = ctx->control;
	struct yg_rd r = yg_rd_init(body.p, body.n);
	switch (type) {
	case YG_IPC_PING:
		c->pinged = true;
		if (ctx->hooks.alive == NULL || ctx->hooks.alive(ctx))
			yg_role_alive(ctx);
		return;
	case YG_IPC_DRAIN:
		if (c->draining)
			return;
		c->draining = true;
		if (ctx->hooks.drain != NULL)
			ctx->hooks.drain(ctx);
		else
			yg_role_stop(ctx);
		return;
	case YG_IPC_CONFIG: take_conf(ctx, body); return;
	case YG_IPC_ROLES: take_roles(c, body); return;
	case YG_IPC_GIVEN: c->given = true; return;
	case YG_IPC_SNAPSHOT: {
		uint32_t kind = yg_rd_le32(&r);
		(void)yg_rd_le32(&r);
		uint64_t generation = yg_rd_le64(&r);
		if (*fd >= 0 && ctx->hooks.snapshot != NULL)
			ctx->hooks.snapshot(ctx, kind, generation, fd);
		return;
	}
	case YG_IPC_SYSTEM_EVENT: {
		int64_t at = (int64_t)yg_rd_le64(&r);
		if (ctx->hooks.system_event != NULL)
			ctx->hooks.system_event(ctx, at, yg_sv_sub(body, 8, body.n));
		return;
	}
	default: return;
	}
}

static void on_ended(void *arg, const struct yg_err *err)
{
	struct yg_role_ctx *ctx = arg;
	/* Without main nobody restarts, reloads or drains us, and a new supervisor
	 * must find the field empty. */
	ctx->control->real.tee = NULL;
	yg_log(&ctx->env, YG_EV_ROLE_FAILED, YG_KS("error", "the supervisor is gone"),
	       YG_KU("detail", yg_sv_of(err->msg)));
	yg_role_exit(ctx, 1);
}

static const struct yg_channel_ops control_ops = {allowed, on_frame, on_ended};

/* "name=fd,name=fd" as main wrote it. */
static yg_status fds_take(struct yg_role_ctx *ctx, struct yg_err *err)
{
	struct yg_sv rest = yg_sv_of(getenv("YG_ROLE_FDS")), part, name;
	while (rest.n > 0 && yg_sv_cut(&rest, ',', &part)) {
		struct yg_sv number = part;
		uint64_t fd = 0;
		if (ctx->fd_count == YG_ROLE_FDS_MAX || !yg_sv_cut(&number, '=', &name) ||
		    yg_parse_u64(number, &fd, NULL) != YG_OK || fd > 65535 ||
		    name.n >= sizeof ctx->fds[0].name)
			return YG_FAIL(err, YG_INVAL,
				       "descriptors are not announced as main does it");
		struct yg_role_fd *f = &ctx->fds[ctx->fd_count++];
		memcpy(f->name, name.p, name.n);
		f->fd = (int)fd;
		if (fcntl(f->fd, F_SETFD, FD_CLOEXEC) != 0)
			return YG_FAIL_OS(err, errno, "descriptor %s", f->name);
	}
	return YG_OK;
}

static yg_status env_u32(const char *name, uint32_t *out, struct yg_err *err)
{
	uint64_t v = 0;
	if (yg_parse_u64(yg_sv_of(getenv(name)), &v, NULL) != YG_OK || v > UINT32_MAX)
		return YG_FAIL(err, YG_INVAL,
			       "started without %s: roles are started by 'yagura serve'", name);
	*out = (uint32_t)v;
	return YG_OK;
}

/* Signals of the terminal and of the service manager are main's to act on: it
 * drains the roles in their order. */
static void signals(void)
{
	static const int ignored[] = {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
	for (size_t i = 0; i < YG_LEN(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
}

static yg_status tie_to_parent(struct yg_err *err)
{
	uint32_t parent = 0;
	yg_status st = env_u32("YG_ROLE_PARENT", &parent, err);
	if (st != YG_OK)
		return st;
	/* again after every change of user: the kernel forgets it there */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return YG_FAIL_OS(err, errno, "tying the process to its parent");
	if ((uint32_t)getppid() != parent)
		return YG_FAIL(err, YG_NOTFOUND, "the supervisor is gone");
	return YG_OK;
}

/* A ClickHouse server elsewhere: its port alone (where Landlock knows ports),
 * what the resolver reads and the authorities of the system. */
static void allow_remote_store(struct yg_role_ctx *ctx, struct yg_role_profile *p)
{
	static const char *const read[] = {"/etc/resolv.conf",   "/etc/hosts",
					   "/etc/nsswitch.conf", "/etc/host.conf",
					   "/etc/gai.conf",      "/run/systemd/resolve",
					   "/etc/ssl/certs",     "/usr/share/ca-certificates"};
	struct yg_sv url = ctx->conf->store_url;
	uint64_t port = 0;
	size_t colon = url.n;
	if ((p->box.calls & YG_CALLS_INET_OUT) == 0)
		return;
	if (url.n > 0 && url.p[url.n - 1] == '/')
		url.n--;
	while (colon > 0 && (colon == url.n || url.p[colon] != ':'))
		colon--;
	if (!p->any_port && yg_parse_u64(yg_sv_sub(url, colon + 1, url.n), &port, NULL) == YG_OK &&
	    port <= 65535)
		p->box.connect_port = (uint16_t)port;
	for (size_t i = 0; i < YG_LEN(read); i++)
		yg_role_path(p, read[i], YG_ACCESS_READ, true);
}

static yg_status lock_in(struct yg_role_ctx *ctx, struct yg_err *err)
{
	uint32_t uid = 0, gid = 0;
	yg_status st = env_u32("YG_ROLE_UID", &uid, err);
	if (st == YG_OK)
		st = env_u32("YG_ROLE_GID", &gid, err);
	if (st == YG_OK)
		st = yg_privilege_drop(uid, gid, err);
	if (st == YG_OK)
		st = tie_to_parent(err);
	if (st != YG_OK)
		return st;
	const struct yg_role *role = ctx->role;
	struct yg_role_box *box = calloc(1, sizeof *box);
	if (box == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the sandbox");
	ctx->control->box = box;
	struct yg_role_profile *p = &box->p;
	p->box = (struct yg_sandbox){.role = role->name,
				     .paths = p->paths,
				     .calls = role->calls,
				     .w_xor_x = role->w_xor_x,
				     .memory_max = role->memory_max,
				     .files_max = role->files_max};
	if (role->profile != NULL)
		role->profile(ctx, p);
	allow_remote_store(ctx, p);
	st = yg_sandbox_prove(&p->box, &box->proof, err);
	if (st != YG_OK) {
		yg_log(&ctx->env, YG_EV_SANDBOX_FAILED, YG_KERR(err));
		/* main does not try again: nothing runs without its sandbox */
		yg_role_exit(ctx, YG_EXIT_UNSAFE);
	}
	return YG_OK;
}

static yg_status prepare(struct yg_role_ctx *ctx, struct yg_err *err)
{
	yg_status st = tie_to_parent(err);
	if (st == YG_OK)
		st = fds_take(ctx, err);
	if (st != YG_OK)
		return st;
	struct yg_buf yaml;
	yg_buf_init(&yaml, CONF_MAX + 1);
	st = yg_fd_read(yg_role_fd(ctx, "conf"), "configuration", CONF_MAX, &yaml, err);
	if (st == YG_OK)
		st = conf_take(ctx, yg_buf_sv(&yaml), err);
	yg_buf_free(&yaml);
	if (st == YG_OK && ctx->role->prepare != NULL)
		st = ctx->role->prepare(ctx, err);
	return st;
}

static yg_status run(struct yg_role_ctx *ctx, struct yg_err *err)
{
	struct yg_role_control *c = ctx->control;
	yg_status st = prepare(ctx, err);
	if (st == YG_OK)
		st = lock_in(ctx, err);
	if (st != YG_OK)
		return st;
	if (uv_loop_init(&c->loop) != 0 || uv_mutex_init(&c->lock) != 0 ||
	    uv_async_init(&c->loop, &c->stop, on_stop) != 0)
		return YG_FAIL(err, YG_NOMEM, "the event loop cannot start");
	ctx->loop = &c->loop;
	st = yg_env_real_watch(&c->real, ctx->loop, err);
	if (st != YG_OK)
		return st;
	st = yg_channel_open(&c->loop, YG_ROLE_CONTROL, QUEUE_MAX, &control_ops, ctx, &c->channel,
			     err);
	if (st != YG_OK)
		return st;
	c->real.tee = log_to_main;
	c->real.tee_ctx = ctx;
	yg_role_tell_proof(&ctx->env, &c->box->p.box, &c->box->proof);
	free(c->box);
	c->box = NULL;
	return ctx->role->run(ctx, err);
}

int yg_role_main(int argc, char **argv)
{
	struct yg_sv name = yg_sv_of(argc > 2 ? argv[2] : NULL);
	uint64_t index = 0;
	const struct yg_role *role = yg_role_find(name);
	if (role == NULL || argc != 5 || strcmp(argv[3], "--index") != 0 ||
	    yg_parse_u64(yg_sv_of(argv[4]), &index, NULL) != YG_OK || index >= YG_INGEST_WORKERS) {
		(void)fputs("yagura: --role is for the supervisor; see yagura serve --help\n",
			    stderr);
		return 2;
	}
	struct yg_role_ctx *ctx = calloc(1, sizeof *ctx);
	struct yg_role_control *c = calloc(1, sizeof *c);
	if (ctx == NULL || c == NULL) {
		free(ctx);
		free(c);
		return 1;
	}
	ctx->role = role;
	ctx->index = (uint32_t)index;
	ctx->control = c;
	ctx->env = yg_env_real(&c->real, role->name, ctx->index);
	yg_env_real_out(&c->real, &c->log);
	signals();
	struct yg_err err = {0};
	yg_status st = run(ctx, &err);
	if (st != YG_OK)
		yg_log(&ctx->env, YG_EV_ROLE_FAILED, YG_KS("status", yg_status_name(st)),
		       YG_KERR(&err));
	/* what still waits for main (the record above) goes out now */
	for (int i = 0; i < 50 && c->channel != NULL && !yg_channel_idle(c->channel); i++)
		(void)uv_run(&c->loop, UV_RUN_NOWAIT);
	/* Not exit(): it takes libraries down, waiting for threads of the pool, while others
	 * may still be at work.  What must last is on disk. */
	yg_role_exit(ctx, st == YG_OK ? 0 : 1);
}
