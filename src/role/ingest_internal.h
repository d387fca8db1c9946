/* ingest_internal.h - shared by the files of role ingest; nothing else includes it.
 *
 *   ingest.c          the role: start, configuration, snapshots, drain
 *   ingest_pipe.c     one spool's way to store and center, driven by the loop
 *   ingest_req.c      a batch on its way onto the disk
 *   ingest_submit.c   run/ingest-<n>.sock: SUBMIT and STATS
 *   ingest_gather.c   records of a listener on their way into batches
 *   ingest_udp.c, ingest_stream.c   listeners (syslog by UDP; TCP, TLS, Unix sockets)
 *   ingest_fstrm.c    dnstap on a stream listener
 *   ingest_follow.c   files that grow and rotate
 *   ingest_dnslog.c   the query log of role resolve
 *   ingest_stats.c    counters as JSON
 *
 * Threads: everything runs in the loop's thread but the functions named work_*,
 * which run in libuv's pool and touch only what their job owns meanwhile.
 */
#pragma once
#include "event/table.h"
#include "format/inflate.h"
#include "format/syslog_frame.h"
#include "os/channel.h"
#include "os/file.h"
#include "os/memfd.h"
#include "os/socket.h"
#include "role/ingest_process.h"
#include "role/role.h"

#define INGEST_PIPES_MAX (YG_INGEST_WORKERS + 1)
#define INGEST_WAITING_MAX                                                                         \
	(256u << 20) /* bytes taken in and not on disk yet; more: try again later */
#define INGEST_FINDINGS_MAX (64u << 20) /* findings center has not taken; then delivery waits */
#define INGEST_RUN_US       20000  /* of processing at a time: a new snapshot waits no longer */
#define INGEST_EARLY_US     200000 /* rows wait no longer when nothing else is to be done */
#define INGEST_EARLY_SHARE  4      /* ... and the store rests so many times as long as it worked */
#define INGEST_REST_MS      3000   /* without work; then memory goes back to the system */
#define INGEST_RETRY_MIN_US 100000 /* back-off of store, center, disk */
#define INGEST_RETRY_MAX_US 5000000
#define INGEST_GATHER_BYTES (1u << 20) /* a listener's batch is sent at this size or after flush */
#define INGEST_STREAMS_MAX  4096       /* syslog connections of a worker; more are closed at once */
#define INGEST_STREAMS_HELD (64u << 20) /* bytes of unfinished messages of all connections */
#define INGEST_STREAM_IDLE_US                                                                      \
	(900 * YG_US_PER_S) /* a connection that says nothing for so long is closed */
#define INGEST_TLS_HELLO_US (10 * YG_US_PER_S) /* a TLS connection shakes hands within this */
#define INGEST_TALLIES_MAX  1024
#define INGEST_DRAIN_US     (8 * YG_US_PER_S)
#define INGEST_DEATHS_CRASH 2 /* crashes on one batch until it is set aside */
#define INGEST_REFUSALS                                                                            \
	8 /* by the store, of one block for good; then what is at fault is set aside */
#define INGEST_DEATHS_OTHER 5 /* the same for ends that may have come from outside (SIGKILL) */

struct ingest;
struct pipe;

/* An opened snapshot and how many use it. */
struct snap_ref {
	struct yg_intel *intel; /* one of the two */
	struct yg_ruleset *rules;
	uint32_t refs;
};
struct snap_ref *ingest_snap_hold(struct snap_ref *r); /* NULL is fine */
void ingest_snap_drop(struct snap_ref *r);
struct snap_held { /* by a pipe: for the job, and by what works on in it */
	struct snap_ref *now, *used;
};

/* A batch on its way onto the disk. */
struct ingest_req {
	struct ingest_req *next;
	struct yg_spool_batch b;
	char *mem; /* owned: everything the views of b point into */
	size_t mem_n;
	struct yg_spool_taken taken;
	/* Called once, in the loop; then the request is freed.  YG_OK: on disk (or
	 * known: taken.duplicate). */
	void (*done)(struct ingest_req *r, yg_status st, const struct yg_err *err);
	void *ctx;
	void *ctx2;
	uint64_t tag;
};
/* A request with room for its texts and body; NULL: no memory.  b's views are
 * set into mem. */
struct ingest_req *ingest_req_new(const struct yg_spool_batch *b);
void ingest_req_free(struct ingest_req *r);

struct job {
	uv_work_t work;
	struct pipe *pipe;
	bool running;
};
struct message { /* findings or counts for center */
	struct message *next;
	uint64_t batch;
	size_t n;
	char bytes[]; /* a whole frame */
};

struct pipe {
	struct ingest *in;
	uint32_t number;
	char dir[64];
	struct yg_spool_conf conf;
	struct yg_spool *spool;
	struct yg_spool_journal *journal;
	struct yg_process *process;
	int busy_fd;
	uv_timer_t wake;
	bool ready; /* opened whole */

	struct ingest_req *wait_first, *wait_last; /* appended, not on disk */
	struct job commit;
	struct job release;

	struct job run; /* processing */
	bool run_asked; /* main wants to know that this run ends */
	struct yg_block blocks[3];
	struct yg_block *fill;     /* NULL: all blocks are under way */
	struct yg_block *queue[2]; /* sealed; [0] is being delivered */
	size_t queue_n;
	struct yg_spool_limit run_limit;
	uint64_t idle_at; /* nothing was left within a limit of that seq */
	bool run_idle;
	yg_status run_st;
	struct yg_err run_err;
	struct snap_held intel, rules;

	struct job deliver;
	struct yg_ch *ch;
	struct yg_deliver_ops ops;
	struct yg_deliver d;
	bool note_only, table_there;
	yg_mono deliver_begun;
	int64_t deliver_took_us; /* the last insert */
	struct yg_buf native;    /* the block as it is sent; its memory serves the next one */
	bool worked;             /* since memory was given back */
	yg_status deliver_st;
	struct yg_err deliver_err;
	uint64_t stored; /* batches up to here are in the store */
	uint64_t released;
	uint64_t refused_told;

	struct job send;
	struct message *msg_first, *msg_last;
	size_t msg_bytes;
	int center_fd;
	yg_status send_st;
	struct yg_err send_err;
	uint64_t send_refused;

	struct retry {
		yg_mono at;
		int64_t wait_us; /* 0: all is well */
		uint64_t failures;
		bool told;
	} retry_run, retry_deliver, retry_send, retry_commit;
	uint64_t findings_sent, commit_failures;
	struct { /* of what the pool counts, as of the end of its last job */
		struct yg_process_counts process;
		uint64_t rows, blocks, again, journal_bytes, findings_refused, refused;
	} shown;
};
yg_status pipe_open(struct pipe *p, struct ingest *in, uint32_t number, struct yg_err *err);
void pipe_close(struct pipe *p);
/* Does whatever can be done now; arms the timer for what can be done later. */
void pipe_kick(struct pipe *p);
/* YG_OK: r->done will be called (perhaps at once).  Else r is untouched. */
yg_status pipe_append(struct pipe *p, struct ingest_req *r, struct yg_err *err);
bool pipe_has_room(const struct pipe *p, size_t bytes);
bool pipe_idle(const struct pipe *p); /* nothing taken in is undelivered */
void pipe_shrink(struct pipe *p);     /* memory of blocks goes back */
bool pipe_jobs(const struct pipe *p); /* something runs in the pool */
void work_store(struct pipe *p);      /* ingest_deliver.c: one attempt for queue[0] */
void work_center(struct pipe *p);
/* What center is told when b is in the store; in the loop. */
void pipe_messages(struct pipe *p, const struct yg_block *b);
yg_status pipe_store_open(struct pipe *p, struct yg_err *err);

/* ---- doors ---- */
struct gather { /* records of one listener, framed, until they make a batch */
	struct ingest *in;
	struct yg_sv name, org, mapping; /* of the configuration: valid for ever */
	uint8_t source;
	struct yg_buf buf;
	uint64_t records; /* in buf */
	bool lossy;       /* UDP: what the spool refuses is dropped and counted */
	bool stuck;       /* refused; kept and tried again */
	uv_timer_t flush;
	uint64_t sent, settled, failed;       /* batches: given to the spool, on disk or not, not */
	void (*on_settled)(struct gather *g); /* NULL: nobody waits */
	uint64_t in_records, in_bytes, dropped, batches;
};
yg_status gather_open(struct gather *g, struct ingest *in, const struct yg_conf_listener *l,
		      struct yg_err *err);
/* False: no room, nothing was taken. */
bool gather_add(struct gather *g, struct yg_sv record);
bool gather_has_room(const struct gather *g);
void gather_flush(struct gather *g);
/* '{"name":...' without the closing brace. */
void gather_stats(const struct gather *g, const char *protocol, struct yg_buf *out);

struct udp_door;
struct stream_door;
yg_status udp_open(struct ingest *in, const struct yg_conf_listener *l, int fd, struct yg_err *err);
yg_status stream_open(struct ingest *in, const struct yg_conf_listener *l, int fd,
		      struct yg_err *err);
void doors_resume(struct ingest *in); /* there may be room again */
void udp_stop(struct ingest *in);
bool udp_idle(const struct ingest *in);
void udp_stats(struct ingest *in, struct yg_buf *out);
void stream_resume(struct ingest *in);
void stream_stop(struct ingest *in);
bool stream_idle(const struct ingest *in);
void stream_tick(struct ingest *in); /* once a second: idle connections; is there room again? */
void stream_stats(struct ingest *in, struct yg_buf *out);

yg_status submit_open(struct ingest *in, int fd, struct yg_err *err);
void submit_stop(struct ingest *in);

struct follow; /* ingest_follow.c */
yg_status follow_open(struct ingest *in, struct yg_err *err);
void follow_resume(struct ingest *in);
void follow_stop(struct ingest *in);
bool follow_idle(const struct ingest *in);
void follow_stats(struct ingest *in, struct yg_buf *out);

struct dnslog; /* ingest_dnslog.c: what the resolver's workers log */
yg_status dnslog_open(struct ingest *in, struct yg_err *err);
void dnslog_stop(struct ingest *in);
bool dnslog_idle(const struct ingest *in);
void dnslog_stats(struct ingest *in, struct yg_buf *out); /* an object, or nothing */

/* Adds up what processing did. */
void stats_merge(struct ingest *in, const struct yg_tally *t, size_t n);
void stats_json(struct ingest *in, struct yg_buf *b);
/* Takes over what a listener dropped; `more`: what the kernel did. */
void stats_dropped(struct ingest *in, const struct gather *g, uint64_t more);
void udp_drops(struct ingest *in);
void stream_drops(struct ingest *in);

struct ingest {
	struct yg_role_ctx *ctx;
	const struct yg_conf *conf;
	struct pipe *pipes[INGEST_PIPES_MAX]; /* owned; [0] is the one doors write to */
	size_t pipe_n;
	struct snap_ref *intel, *rules; /* the newest snapshots; NULL: none yet */
	struct yg_sv store_password;    /* mapped for the life of the process */
	char store_url[512], store_user[128], store_database[128], store_pass[512];
	struct {
		struct yg_sv name;
		struct yg_mapping *mapping; /* owned */
	} * mappings;                       /* owned */
	size_t mapping_n;
	size_t waiting_bytes;
	uint64_t spool_refused; /* submits told to come back */
	uint64_t snapshots_refused, rules_refused;
	struct udp_door *udp; /* lists */
	struct stream_door *stream;
	size_t stream_n, stream_held;
	struct submit_door *submit;
	struct follow *follow;
	struct dnslog *dnslog;
	bool doors_stopped, draining, stopping;
	yg_mono drain_until;
	uv_timer_t rest;          /* nothing has been to do for a while */
	uv_timer_t tick;          /* once a second while something is to be watched */
	struct yg_tally *tallies; /* owned */
	size_t tally_n, tally_cap;
	struct yg_tally tally_rest; /* sources beyond INGEST_TALLIES_MAX */
	yg_wall started;
	bool drops_told;
};
static inline yg_mono ingest_now(const struct ingest *in)
{
	return yg_env_mono(&in->ctx->env);
}
void ingest_rest(uv_timer_t *t); /* gives memory back when no spool has work */
void ingest_run_ended(struct ingest *in, struct pipe *p); /* main may be waiting for it */
/* A fault after which only a restart helps: logs and ends the role. */
void ingest_fatal(struct ingest *in, const char *what, const struct yg_err *err);
