/* sup.h - the supervisor's parts; role/main.c, data.c, listen.c, spawn.c,
 * child.c, reload.c and relay.c alone. */
#pragma once
#include <uv.h>

#include "base/log.h"
#include "conf/conf.h"
#include "os/channel.h"
#include "os/env.h"
#include "os/notify.h"
#include "os/socket.h"
#include "role/main.h"
#include "role/role.h"

#define YG_SUP_CHILDREN    (3 + YG_INGEST_WORKERS + YG_RESOLVE_WORKERS)
#define YG_SUP_EVENTS      1024 /* system events kept for center */
#define YG_SUP_EVENT_BYTES ((size_t)4 << 20)
#define YG_SUP_KINDS       7  /* kinds of snapshots */
#define YG_EXIT_UNSAFE     70 /* a role could not be locked in */

enum yg_child_state {
	YG_CHILD_DOWN,     /* not running; restart_at says whether and when it will be */
	YG_CHILD_STARTING, /* running, not READY yet */
	YG_CHILD_READY,
	YG_CHILD_DRAINING, /* told to finish */
};

struct sup;
struct yg_child {
	struct sup *sup;
	const struct yg_role *role;
	uint32_t index;
	enum yg_child_state state;
	int pid;                               /* 0: none */
	struct yg_channel *channel;            /* NULL: none */
	uint32_t attempt;                      /* deaths in a row */
	yg_mono started, restart_at, deadline; /* .us 0: none; deadline: of draining or starting */
	yg_mono ping_at, answer_by;            /* answer_by .us 0: not asked */
	bool doubted;                          /* it had not answered when we looked first */
	bool wanted;                           /* start it again when it is gone */
	bool hung;                             /* the watchdog killed it */
	int last_signal;                       /* that ended the one before; 0: none */
};

struct yg_sock { /* a listening socket, kept open while the service runs */
	struct yg_sock *next;
	char name[96];     /* as yg_role_fd() */
	uint32_t worker;   /* ingest, resolve: whose */
	char address[128]; /* as configured, or the path */
	char protocol[8];  /* "tcp", "udp", "unix" */
	unsigned roles;    /* enum yg_role_bit */
	int fd;            /* owned */
	bool fresh, keep;  /* reload */
};

struct yg_secret { /* file handed over as sealed memory */
	struct yg_secret *next;
	char name[96];
	unsigned roles;
	uint32_t crc; /* of the content: a renewed certificate shows at a reload */
	int fd;
};

struct yg_kept_event {
	int64_t time;
	struct yg_buf json; /* owned */
};

struct sup {
	struct yg_env_real real;
	struct yg_log_out log;
	struct yg_env env;
	uv_loop_t loop;
	uv_timer_t timer, dog;
	uv_signal_t signals[4];
	struct yg_notify notify;
	const struct yg_serve *what;
	char config[4096]; /* absolute; "": none */
	char data[4096];   /* absolute */
	int lock_fd, exe_fd;
	uint32_t uid, gid; /* roles run as */
	struct yg_arena arena;
	struct yg_conf conf;
	struct yg_buf yaml;
	struct yg_child children[YG_SUP_CHILDREN];
	size_t child_count;
	struct yg_sock *socks;
	struct yg_secret *secrets;
	struct {
		int fd; /* -1: none */
		uint64_t generation;
		char name[132]; /* of its file */
	} snapshots[YG_SUP_KINDS];
	struct yg_kept_event events[YG_SUP_EVENTS];
	size_t event_first, event_count, event_bytes;
	uint64_t events_dropped;
	bool ready_told, stopping, failed;
	unsigned phase; /* of stopping */
	yg_mono stop_deadline;
	int stop_signals;
};

/* data.c */
yg_status sup_data_open(struct sup *s, struct yg_err *err);
yg_status sup_user_find(struct sup *s, struct yg_err *err);
/* listen.c: brings s->socks in line with `conf`; new ones are bound, kept ones
 * stay.  On failure nothing has changed. */
yg_status sup_listen(struct sup *s, const struct yg_conf *conf, struct yg_err *err);
void sup_listen_commit(struct sup *s); /* closes what is no longer configured */
void sup_listen_revert(struct sup *s); /* closes what sup_listen() bound */
/* secret.c: certificates, keys, password, mappings as sealed memory. */
yg_status sup_secrets_load(struct sup *s, const struct yg_conf *conf, struct yg_secret **out,
			   struct yg_err *err);
void sup_secrets_free(struct yg_secret *list);
/* check_dns.c: the resolver's part, with its files.  YG_OK | YG_PARSE | YG_NOTFOUND ... */
yg_status sup_dns_check(const struct yg_conf *c, const struct yg_secret *secrets,
			struct yg_err *err);
/* Roles for which the two differ. */
unsigned sup_secrets_differ(const struct yg_secret *a, const struct yg_secret *b);
/* spawn.c */
yg_status sup_spawn(struct sup *s, struct yg_child *c, struct yg_err *err);
/* child.c */
/* Roles that may run: all, or those of `serve --only`. */
unsigned sup_allowed(const struct sup *s, const struct yg_conf *conf);
void sup_children_set(struct sup *s, const struct yg_conf *conf); /* which ones there are */
void sup_child_start(struct yg_child *c);
void sup_child_drain(struct yg_child *c, yg_span within);
void sup_reap(struct sup *s);
void sup_tick(struct sup *s);
/* relay.c */
void sup_event_keep(struct sup *s, int64_t time, struct yg_sv json);
void sup_events_flush(struct sup *s);
void sup_snapshots_load(struct sup *s);
void sup_snapshot_give(struct sup *s, struct yg_child *c);
void sup_publish(struct sup *s, unsigned maker, struct yg_sv body); /* maker: enum yg_role_bit */
void sup_roles_tell(struct sup *s);                 /* center: whose pids are ours */
extern const struct yg_channel_ops sup_channel_ops; /* ctx: struct yg_child */
/* reload.c */
void sup_reload(struct sup *s);
yg_status sup_conf_load(struct sup *s, struct yg_buf *yaml, struct yg_arena *arena,
			struct yg_conf *out, struct yg_err *err);
/* main.c */
void sup_stop(struct sup *s);
void sup_advance(struct sup *s); /* after any change: ready? stopped? when to wake? */
struct yg_child *sup_child_of(struct sup *s, unsigned role_bit, uint32_t index);
