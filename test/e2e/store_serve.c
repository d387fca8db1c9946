/* store_serve: role store's HTTP interface without supervisor and sandbox, for
 * tests and benchmarks:  store_serve LIBRARY FOLDER SOCKET [PORT [SECONDS]]
 * Prints one line when it serves; drains on SIGTERM. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/env.h"
#include "os/file.h"
#include "os/socket.h"
#include "role/store_http.h"

static void drained(void *ctx)
{
	(void)ctx;
	_exit(0);
}

static void on_term(uv_signal_t *signal, int number)
{
	(void)number;
	yg_store_http_drain(signal->data, drained, NULL);
}

static int fail(const struct yg_err *err)
{
	(void)fprintf(stderr, "store_serve: %s\n", err->msg);
	return 1;
}

static int listen_on(int argc, char **argv, int *sock, int *tcp, struct yg_err *err)
{
	struct yg_addr addr;
	char text[64];
	yg_status st = yg_listen_unix(argv[3], 0600, sock, err);
	*tcp = -1;
	if (st == YG_OK && argc > 4 && argv[4][0] != '\0') {
		(void)snprintf(text, sizeof text, "127.0.0.1:%s", argv[4]);
		st = yg_addr_parse(yg_sv_of(text), &addr, err);
		if (st == YG_OK)
			st = yg_listen_tcp(&addr, false, tcp, err);
	}
	return st == YG_OK;
}

int main(int argc, char **argv)
{
	struct yg_err err = {0};
	struct yg_chdb *db;
	int sock, tcp;
	uint64_t seconds = 30;
	if (argc < 4)
		return 2;
	if (argc > 5)
		(void)yg_parse_u64(yg_sv_of(argv[5]), &seconds, NULL);
	(void)setenv("UV_THREADPOOL_SIZE", YG_STR(YG_STORE_POOL), 1);
	(void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
	(void)mallopt(M_ARENA_MAX, 2);
	(void)signal(SIGPIPE, SIG_IGN);
	struct yg_env_real *real = calloc(1, sizeof *real);
	if (real == NULL)
		return 1;
	struct yg_env env = yg_env_real(real, "store", 0);
	struct yg_chdb_conf engine = {.folder = argv[2],
				      .memory_bytes = 2ull << 30,
				      .query_memory_bytes = 512u << 20,
				      .result_bytes = 64u << 20,
				      .query_seconds = (uint32_t)seconds,
				      .threads = 2};
	if (yg_dir_make(argv[2], 0700, &err) != YG_OK ||
	    yg_chdb_load(argv[1], &db, &err) != YG_OK ||
	    !listen_on(argc, argv, &sock, &tcp, &err) || yg_chdb_start(db, &engine, &err) != YG_OK)
		return fail(&err);
	struct yg_store_http *http;
	const char *password = getenv("STORE_PASSWORD");
	struct yg_store_http_conf conf = {.loop = uv_default_loop(),
					  .env = &env,
					  .db = db,
					  .unix_fd = sock,
					  .tcp_fd = tcp,
					  .password = yg_sv_of(password),
					  .query_memory_bytes = engine.query_memory_bytes,
					  .result_bytes = engine.result_bytes,
					  .query_seconds = engine.query_seconds,
					  .connections = 256,
					  .threads = 2};
	if (yg_store_http_open(&conf, &http, &err) != YG_OK)
		return fail(&err);
	uv_signal_t term;
	(void)uv_signal_init(conf.loop, &term);
	term.data = http;
	(void)uv_signal_start(&term, on_term, SIGTERM);
	(void)printf("serving, chDB %s\n", yg_chdb_version(db));
	(void)fflush(stdout);
	(void)uv_run(conf.loop, UV_RUN_DEFAULT);
	_exit(0);
}
