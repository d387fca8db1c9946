/* store_internal.h - shared by the files of role store's HTTP interface; nothing
 * else includes it.
 *
 *   store_http.c      libmicrohttpd on the loop: requests in, drain
 *   store_request.c   what a request asks: its head, its arguments, its statement
 *   store_job.c       the life of a query: queues, the pool, its end, KILL
 *   store_run.c       the engine's side of it
 *   store_answer.c    what goes back
 *   store_sql.c       as much of SQL as is needed here
 *
 * Threads: everything runs in the loop's thread but store_work(), which runs in
 * libuv's pool and has the job to itself meanwhile, `cancel` excepted.
 */
#pragma once
#include <inttypes.h>
#include <microhttpd.h>
#include <sys/queue.h>

#include "role/store_http.h"
#include "role/store_sql.h"

#define BODY_MAX     (256u << 20) /* of one request; more: 413 */
#define SETTINGS_MAX 24u          /* settings of one URL; more: 400 */
#define PARAMS_MAX   96u
#define ID_MAX       128u
#define FORMAT_MAX   63u  /* bytes of a format's name that an answer repeats */
#define QUEUE_MAX    256u /* queries waiting per class; more: ClickHouse's code 202 */

/* Queues of their own, each with a bound. */
enum work_class { WORK_READ, WORK_WRITE, WORK_CONTROL, WORK_CLASSES };

enum job_state {
	JOB_BODY,    /* the body comes in */
	JOB_WAITING, /* in its class's queue */
	JOB_RUNNING, /* in the pool */
	JOB_HELD,    /* KILL ... SYNC: until its target is gone */
	JOB_ANSWER,  /* the answer is known */
	JOB_STREAM,  /* sending; fetches run in the pool */
	JOB_OVER,
};
enum job_step { STEP_RUN, STEP_FETCH, STEP_END, STEP_KILL };

struct job {
	TAILQ_ENTRY(job) all;    /* of http->jobs */
	TAILQ_ENTRY(job) queued; /* of http->queue[class] */
	struct yg_store_http *http;
	struct MHD_Connection *conn;
	int fd;
	bool tcp, get, suspended, told, close_after;
	enum job_state state;
	enum job_step step;
	enum work_class class;
	unsigned refs; /* libmicrohttpd's request, work in the pool, the poll handle */
	uv_work_t work;
	uv_poll_t *watch; /* the client's going away, while the engine works */

	/* what was asked */
	struct yg_sv query_arg, database, format; /* libmicrohttpd's, as long as the request */
	bool wait_end;
	struct yg_chdb_arg settings[SETTINGS_MAX], params[PARAMS_MAX];
	size_t setting_count, param_count;
	uint64_t limit_seconds_ms, limit_rows, limit_memory, limit_result, limit_threads;
	char id[ID_MAX + 1];
	char tag[24]; /* the engine knows the query by it */
	struct yg_buf body;
	bool body_over;
	/* Views into `body` too: store_job_body_free() empties them.  What an answer or another
	 * job needs of the statement is copied below when it has been read. */
	struct yg_store_sql sql;
	struct yg_sv text;          /* the whole statement */
	char named[FORMAT_MAX + 1]; /* the result's format; too long a name: empty */
	char kill_id[ID_MAX + 1];   /* KILL: whose end it waits for */

	/* running; `cancel` is read in the pool */
	bool cancel;       /* relaxed atomics */
	bool begun_insert; /* cannot be cancelled any more */
	uint64_t begun_ms;
	struct yg_chdb_conn *engine;
	struct yg_chdb_stream *stream;
	struct yg_chdb_result result;
	uint32_t failed; /* an exception of ours instead of a result; 0: none */
	const char *failed_text;
	size_t sent; /* of result.body */
	uint64_t result_bytes;
	bool stream_end;

	/* the answer, when it is not result.body */
	unsigned status;
	uint32_t code;
	struct yg_buf text_out;
};
TAILQ_HEAD(job_list, job);

struct yg_store_http {
	struct yg_store_http_conf conf;
	struct MHD_Daemon *daemons[2]; /* Unix, TCP */
	uv_poll_t polls[2];
	uv_timer_t timer; /* libmicrohttpd's time-outs */
	uv_timer_t kill_timer;
	struct job_list jobs, queue[WORK_CLASSES];
	unsigned queued[WORK_CLASSES], running[WORK_CLASSES];
	uint64_t body_bytes, counter;
	bool draining;
	void (*drained)(void *ctx);
	void *drained_ctx;
};

/* --- store_http.c --- */
/* Lets libmicrohttpd do what there is to do; jobs may end in it. */
void store_http_turn(struct yg_store_http *h);

/* --- store_request.c --- */
/* Reads line, headers and arguments; what is refused is answered. */
void store_request_head(struct job *j, const char *method);
void store_request_body(struct job *j, const char *bytes, size_t n);
/* Fills sql, text, named and kill_id once the body is whole; false: answered. */
bool store_request_statement(struct job *j);

/* --- store_job.c --- */
void store_job_unref(struct job *j);
/* Nothing may point into the body behind this. */
void store_job_body_free(struct job *j);
/* `code` 0: no exception, `text` alone is the answer; it is copied. */
void store_job_answer(struct job *j, unsigned status, uint32_t code, const char *text);
void store_job_answer_code(struct job *j, uint32_t code, const char *text);
/* Takes its connection up again, when it was suspended. */
void store_job_resume(struct job *j);
/* Any thread. */
static inline bool store_job_cancelled(const struct job *j)
{
	return __atomic_load_n(&j->cancel, __ATOMIC_RELAXED);
}
/* A query that waits is answered at once; one that runs is killed in the
 * engine, again and again until it ends; an insert that has begun goes on. */
void store_job_cancel(struct job *j);
/* The statement of `k` is KILL QUERY. */
void store_job_kill(struct job *k);
void store_pool_add(struct job *j, enum work_class class, enum job_step step);
/* Cancels the job when its client closes the connection. */
void store_watch_start(struct job *j);
void store_watch_stop(struct job *j);
/* Something ended: whoever waits for it with KILL ... SYNC may go on. */
void store_held_release(struct yg_store_http *h, const char *id);
void store_drain_check(struct yg_store_http *h);
uint64_t store_now_ms(struct yg_store_http *h);

/* --- store_run.c --- */
/* In the pool: the job's next step. */
void store_work(uv_work_t *work);

/* --- store_answer.c --- */
enum MHD_Result store_answer_send(struct job *j);
