#include "role/store.h"

#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "os/memfd.h"
#include "os/thread.h"
#include "role/store_http.h"

/* Role store: the engine (store/chdb.h) behind its HTTP interface
 * (role/store_http.h).  It sees nothing of the outside: its clients are our own
 * roles on run/store.sock and, when configured, programs of this machine on a
 * loopback port. */

#define MERGE_NICE 19
#define FOLDER     "events"

struct store {
	struct yg_chdb *db;
	struct yg_store_http *http;
	struct yg_sv password; /* mapped for the life of the process */
	uv_timer_t calm;
};

static void copy_text(char *to, size_t n, struct yg_sv from)
{
	struct yg_sb b = yg_sb_init(to, n);
	yg_sb_put(&b, from);
	(void)yg_sb_cstr(&b);
}

/* Before the sandbox: the library is mapped while it may still be read. */
static yg_status prepare(struct yg_role_ctx *ctx, struct yg_err *err)
{
	char configured[PATH_MAX], library[PATH_MAX];
	struct store *s = calloc(1, sizeof *s);
	if (s == NULL)
		return YG_FAIL(err, YG_NOMEM, "role store");
	ctx->user = s;
	/* Threads of libuv's pool, made at first use; a block of an insert goes back
	 * to the system when it is freed. */
	(void)setenv("UV_THREADPOOL_SIZE", YG_STR(YG_STORE_POOL), 1);
	(void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
	(void)mallopt(M_ARENA_MAX, 2);
	copy_text(configured, sizeof configured, ctx->conf->store_library);
	yg_status st = yg_chdb_find(configured, library, sizeof library, err);
	if (st == YG_OK)
		st = yg_chdb_load(library, &s->db, err);
	if (st == YG_OK)
		st = yg_dir_make(FOLDER, 0700, err);
	return st;
}

static void profile(struct yg_role_ctx *ctx, struct yg_role_profile *p)
{
	(void)ctx;
	yg_role_path(p, FOLDER, YG_ACCESS_READ | YG_ACCESS_WRITE, false);
	/* What the engine reads of the machine: processors, memory, its own size. */
	yg_role_path(p, "/proc/self", YG_ACCESS_READ, true);
	yg_role_path(p, "/proc/meminfo", YG_ACCESS_READ, true);
	yg_role_path(p, "/proc/cpuinfo", YG_ACCESS_READ, true);
	yg_role_path(p, "/proc/stat", YG_ACCESS_READ, true);
	yg_role_path(p, "/proc/mounts", YG_ACCESS_READ, true);
	yg_role_path(p, "/sys/devices/system/cpu", YG_ACCESS_READ, true);
	yg_role_path(p, "/sys/devices/system/node", YG_ACCESS_READ, true);
	yg_role_path(p, "/sys/fs/cgroup", YG_ACCESS_READ, true);
	yg_role_path(p, "/usr/share/zoneinfo", YG_ACCESS_READ, true);
	yg_role_path(p, "/dev/urandom", YG_ACCESS_READ, true);
}

static uint32_t engine_threads(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > 32 ? 32 : (uint32_t)n;
}

static yg_status start_engine(struct yg_role_ctx *ctx, struct yg_err *err)
{
	const struct yg_conf *c = ctx->conf;
	struct store *s = ctx->user;
	struct yg_chdb_conf conf = {
		.folder = FOLDER,
		.memory_bytes = c->store_memory_bytes,
		.query_memory_bytes = c->store_query_memory_bytes,
		.query_rows = c->store_query_rows,
		.result_bytes = c->store_result_bytes,
		.query_seconds = (uint32_t)YG_MAX(c->store_query_timeout_us / YG_US_PER_S, 1),
		.threads = engine_threads(),
	};
	return yg_chdb_start(s->db, &conf, err);
}

/* Merging parts gives way to what somebody waits for.  It cannot starve: an
 * engine with too many parts holds inserts back, and those wait in the spool. */
static void calm_merges(uv_timer_t *timer)
{
	struct yg_role_ctx *ctx = timer->data;
	struct yg_err err;
	unsigned n = 0;
	yg_status st = yg_threads_nice("MergeMutate", MERGE_NICE, &n, &err);
	if (st != YG_OK)
		yg_log(&ctx->env, YG_EV_STORE_NOTE, YG_KS("merge_priority", err.msg));
	if (st != YG_OK || n > 0) /* the engine makes them with the first table it opens */
		uv_timer_stop(timer);
}

static yg_status start_http(struct yg_role_ctx *ctx, struct yg_err *err)
{
	const struct yg_conf *c = ctx->conf;
	struct store *s = ctx->user;
	int secret = yg_role_fd(ctx, "store.password");
	if (secret >= 0) {
		yg_status st = yg_memfd_map(secret, 4096, &s->password, err);
		if (st != YG_OK)
			return st;
		s->password = yg_sv_trim(s->password);
	}
	struct yg_store_http_conf conf = {
		.loop = ctx->loop,
		.env = &ctx->env,
		.db = s->db,
		.unix_fd = yg_role_fd(ctx, "store.sock"),
		.tcp_fd = yg_role_fd(ctx, "store.tcp"),
		.password = s->password,
		.query_memory_bytes = c->store_query_memory_bytes,
		.query_rows = c->store_query_rows,
		.result_bytes = c->store_result_bytes,
		.query_seconds = (uint32_t)YG_MAX(c->store_query_timeout_us / YG_US_PER_S, 1),
		/* Most connections of our own clients are kept and idle. */
		.connections = (uint32_t)YG_MIN(c->store_connections, 4096) * 8,
		.threads = engine_threads(),
	};
	return yg_store_http_open(&conf, &s->http, err);
}

static void on_drained(void *ctx)
{
	yg_role_stop(ctx);
}

static void drain(struct yg_role_ctx *ctx)
{
	struct store *s = ctx->user;
	yg_store_http_drain(s->http, on_drained, ctx);
}

static yg_status run(struct yg_role_ctx *ctx, struct yg_err *err)
{
	struct store *s = ctx->user;
	yg_status st = start_engine(ctx, err);
	if (st == YG_OK)
		st = start_http(ctx, err);
	if (st != YG_OK)
		return st;
	ctx->hooks.drain = drain;
	s->calm.data = ctx;
	if (uv_timer_init(ctx->loop, &s->calm) == 0)
		(void)uv_timer_start(&s->calm, calm_merges, 1000, 1000);
	char text[64];
	(void)snprintf(text, sizeof text, "chDB %s", yg_chdb_version(s->db));
	yg_role_ready(ctx, text);
	(void)uv_run(ctx->loop, UV_RUN_DEFAULT);
	return YG_OK; /* every acknowledged insert is on disk: the engine is not taken down */
}

const struct yg_role yg_role_store = {
	.name = "store",
	.bit = YG_R_STORE,
	.doc = "The embedded event store; its clients are the other roles.",
	.peers = 0,
	.calls = YG_CALLS_FILES | YG_CALLS_THREADS | YG_CALLS_ACCEPT | YG_CALLS_ENGINE,
	.w_xor_x = true,
	.files_max = 65536,
	.prepare = prepare,
	.profile = profile,
	.run = run,
};
