/* store_http.h - the ClickHouse HTTP interface over the embedded engine.
 *
 * libmicrohttpd runs on the caller's libuv loop (external epoll): all state
 * here belongs to that loop's thread.  The engine's calls block, so they run in
 * libuv's work pool, each on an engine connection of its own, in three classes
 * with bounds of their own: reads cannot keep inserts waiting, nor the killing
 * of either.  A connection is suspended while its query runs.
 *
 * An insert is taken whole before it begins, and once begun is never cancelled:
 * KILL QUERY ... SYNC waits for it, and so does a drain.
 */
#pragma once
#include <uv.h>

#include "base/env.h"
#include "store/chdb.h"

struct yg_store_http; /* lives until the process ends */

struct yg_store_http_conf {
	uv_loop_t *loop;
	const struct yg_env *env; /* borrowed */
	struct yg_chdb *db;
	int unix_fd, tcp_fd;   /* listeners, borrowed; -1: none */
	struct yg_sv password; /* asked for on TCP; empty: none; borrowed */
	uint64_t query_memory_bytes, query_rows, result_bytes;
	uint32_t query_seconds, connections; /* of HTTP, open at a time */
	uint32_t threads;                    /* most an engine query may use */
};
#define YG_STORE_POOL 10 /* threads of libuv's pool that this is made for (UV_THREADPOOL_SIZE) */

yg_status yg_store_http_open(const struct yg_store_http_conf *conf, struct yg_store_http **out,
			     struct yg_err *err);
/* Takes no new connection and no new query, ends reads, finishes inserts; then
 * calls done(ctx) once, on the loop. */
void yg_store_http_drain(struct yg_store_http *h, void (*done)(void *ctx), void *ctx);
