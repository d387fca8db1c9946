/* role.h - what every process of Yagura is made from.
 *
 * The supervisor (role/main.c) starts `yagura --role NAME --index N` with the
 * control channel on fd 3, the data folder as working directory, a small clean
 * environment and inherited descriptors by name.  yg_role_main() then
 *
 *   1. reads the configuration handed over (descriptor "conf"),
 *   2. calls role->prepare (still with every right: read files outside the data
 *      folder, resolve names; may start NO thread),
 *   3. drops privilege and closes the sandbox that role->profile describes,
 *   4. opens the control channel on ctx->loop and calls role->run.
 *
 * run() opens what it needs, sets ctx->hooks, calls yg_role_ready() and ends
 * with uv_run(ctx->loop, UV_RUN_DEFAULT); when it returns, the process ends
 * (YG_OK: exit status 0).  To end after a drain: yg_role_stop(), which stops
 * the loop.  A role whose control channel closes (main died) ends at once.
 *
 * A new role: one file role/<name>.c that defines `const struct yg_role
 * yg_role_<name>`, listed in role/table.c.  Do not create threads before run();
 * sandboxes cover threads made later (libuv's pool: YG_CALLS_THREADS).
 *
 * Threads: everything here is for the loop's thread, except yg_log() through
 * ctx->env, yg_role_send() and yg_role_publish(), which any thread may call.
 */
#pragma once
#include <uv.h>

#include "base/log.h"
#include "conf/conf.h"
#include "os/env.h"
#include "os/sandbox.h"
#include "role/message.h"

/* ingest: 64 listeners with certificate, key and CA each, 64 mappings; resolve: 160
 * sockets, 96 files for TLS, 1024 tokens */
#define YG_ROLE_FDS_MAX   1536
#define YG_ROLE_PATHS_MAX 96
#define YG_ROLE_CONTROL   3 /* the control channel's descriptor */

struct yg_role_ctx;

/* Set in run() before yg_role_ready(); NULL ones have the stated default. */
struct yg_role_hooks {
	/* Finish what is begun, take nothing new, then yg_role_stop().  Default: stop. */
	void (*drain)(struct yg_role_ctx *ctx);
	/* ctx->conf is the new configuration; `old` (and every one before) stays
	 * valid until the process ends.  Only keys whose reload class is "live" can
	 * differ: for the others main starts the role again. */
	void (*reload)(struct yg_role_ctx *ctx, const struct yg_conf *old);
	/* A compiled snapshot: kind (1: indicators, 6: rules), generation, sealed memfd.  Take
	 * the descriptor by setting *fd to -1, else it is closed. */
	void (*snapshot)(struct yg_role_ctx *ctx, uint32_t kind, uint64_t generation, int *fd);
	/* False: what this role works on does not move; then PING is not answered until
	 * yg_role_alive(), and main kills a role that stays silent for
	 * process.watchdog.  Default: a loop that turns is alive. */
	bool (*alive)(struct yg_role_ctx *ctx);
	/* center: a system event of main or of a role, at `time` (us UTC): a JSON
	 * object {"time","level","event","id","role","index","pid",...}. */
	void (*system_event)(struct yg_role_ctx *ctx, int64_t time, struct yg_sv json);
};

/* A profile being filled in by role->profile(). */
struct yg_role_profile {
	bool any_port; /* its ways out have more ports than the event store's */
	struct yg_sandbox box;
	struct yg_sandbox_path paths[YG_ROLE_PATHS_MAX];
};
/* Adds a path (borrowed; relative to the data folder, or absolute). */
void yg_role_path(struct yg_role_profile *p, const char *path, unsigned access, bool optional);

struct yg_role {
	const char *name; /* "ingest" */
	unsigned bit;     /* YG_R_INGEST */
	const char *doc;  /* one sentence: what it does, what of the outside it sees */
	unsigned peers;   /* whom it talks to over Unix sockets, besides main */
	unsigned calls;   /* enum yg_sandbox_calls */
	bool w_xor_x;
	uint64_t memory_max; /* RLIMIT_DATA; 0: profile() or none */
	uint32_t files_max;  /* RLIMIT_NOFILE */
	/* May be NULL.  Before the sandbox, after the configuration. */
	yg_status (*prepare)(struct yg_role_ctx *ctx, struct yg_err *err);
	/* Adds paths; box is preset from this row and may be changed.  Also called by
	 * `config print --roles` with nothing but role and conf set (user is NULL). */
	void (*profile)(struct yg_role_ctx *ctx, struct yg_role_profile *p);
	yg_status (*run)(struct yg_role_ctx *ctx, struct yg_err *err);
};

struct yg_role_fd {
	char name[96];
	int fd; /* close-on-exec */
};

struct yg_role_ctx {
	const struct yg_role *role;
	uint32_t index;
	const struct yg_conf *conf;
	struct yg_env env;
	uv_loop_t *loop;
	struct yg_role_hooks hooks;
	void *user; /* the role's own */
	struct yg_role_fd fds[YG_ROLE_FDS_MAX];
	size_t fd_count;
	struct yg_role_control *control; /* role.c's own */
};

/* An inherited descriptor; -1 when there is none of that name.  It stays open
 * and owned by the context.  Names:
 *   center   center.sock api.sock listeners of those Unix sockets
 *            api.tcp metrics.tcp  TCP listeners, when configured
 *            tls.crt tls.key      sealed memory, PEM: the server's own
 *            store.password       sealed memory, when configured
 *   store    store.sock; store.tcp when configured
 *   ingest   ingest.sock; listener.<name> per ingest.listeners entry (each worker
 *            its own socket, SO_REUSEPORT), listener.<name>.crt, .key, .ca
 *            (sealed memory; the server's own when none is configured);
 *            mapping.<name> per ingest.mappings entry (sealed memory: the file);
 *            tls.crt tls.key store.password
 *   resolve  dns.<i>.udp, dns.<i>.tcp, dot.<i>.tcp, doh.<i>.tcp by place in the
 *            configuration; dot.<i>.crt, .key, .ca and doh likewise, client.<i> (its
 *            DoH token), dns.cookie, dns.log (sealed memory); resolve.sock
 *   zones    zones.sock
 * Listeners are non-blocking.  Sealed memory: yg_memfd_map(). */
int yg_role_fd(const struct yg_role_ctx *ctx, const char *name);

/* For ingest, resolve and zones, with hooks.snapshot set and before they begin: turns the loop
 * until main has handed over every snapshot it had when the role started.  False: told to
 * drain meanwhile; run() returns. */
bool yg_role_wait_given(struct yg_role_ctx *ctx);

/* Tells main that this role works now; `text` is shown in the log (what it
 * listens on, its engine's version); may be "". */
void yg_role_ready(struct yg_role_ctx *ctx, const char *text);
/* Answers a PING that hooks.alive had left open; nothing when there is none. */
void yg_role_alive(struct yg_role_ctx *ctx);
/* Stops the loop so that run() can return; any thread may call it. */
void yg_role_stop(struct yg_role_ctx *ctx);
bool yg_role_draining(const struct yg_role_ctx *ctx);
/* A frame to main; any thread. */
yg_status yg_role_send(struct yg_role_ctx *ctx, struct yg_sv frame);
#define YG_ROLE_KIND_DETECT 6u /* the snapshot of detection rules, among the others of relay.c */
/* center: a new snapshot lies complete in snapshot/<file_name>; main gives it to
 * every worker.  Any thread. */
yg_status yg_role_publish(struct yg_role_ctx *ctx, uint32_t kind, uint64_t generation,
			  struct yg_sv file_name);
/* center: true when `pid` is one of our other role processes.  They run with the
 * same uid as the local administrator, so run/api.sock must refuse a peer
 * (yg_peer_cred) for which this is true.  Any thread. */
bool yg_role_is_ours(struct yg_role_ctx *ctx, int pid);

/* yg_role_log(ctx, YG_EV_INGEST_NOTE, YG_KN("n", 1)): to stderr and, from NOTICE
 * up, over main to center's system events. */
#define yg_role_log(ctx, event, ...) yg_log(&(ctx)->env, (event), ##__VA_ARGS__)

/* A line for people, as it is, where the log goes.  Any thread. */
void yg_role_say(struct yg_role_ctx *ctx, const char *fmt, ...) YG_PRINTF(2, 3);
/* Ends the process, threads and all; the log goes out first, as far as somebody reads it. */
YG_NORETURN void yg_role_exit(struct yg_role_ctx *ctx, int status);

/* The event sandbox.closed: what the process found out behind its sandbox. */
void yg_role_tell_proof(const struct yg_env *env, const struct yg_sandbox *box,
			const struct yg_sandbox_proof *proof);

/* role/table.c: the one list, ended by NULL, in the order they are started. */
extern const struct yg_role *const yg_roles[];
const struct yg_role *yg_role_find(struct yg_sv name); /* NULL: none */

/* The process of a role: argv is {program, "--role", NAME, "--index", N}.
 * Returns the exit status.  cmd/main.c calls it when argv[1] is "--role". */
int yg_role_main(int argc, char **argv);
