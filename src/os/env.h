/* env.h - the real environment: the machine's clocks, getrandom(2), and log
 * records as one JSON object per line on stderr.
 *
 * Line: {"time","level","event","id","role","index","pid", fields...}.  One
 * write(2) per record, so lines of several processes do not mix.  A process that serves has
 * them go through os/log_out.h, so that it never waits for who reads them.
 */
#pragma once
#include "base/log.h"
#include "os/log_out.h"

struct yg_env_real {
	char role[16]; /* "main", "ingest", "cli" */
	uint32_t index;
	int fd;                 /* where records go: 2 */
	struct yg_log_out *out; /* borrowed; NULL: written to fd, however long that takes */
	yg_level level;         /* below it nothing is written */
	/* Gets every record at NOTICE and above, after rate limiting, whole (the
	 * object that was written, without newline); NULL: nobody. Any thread. */
	void (*tee)(void *ctx, uint32_t event_id, yg_level level, struct yg_sv json);
	void *tee_ctx;
	struct {
		uint64_t minute;
		uint32_t count, suppressed;
	} rate[YG_EVENT_ROWS]; /* relaxed atomics: a limit may be passed by a few */
};
/* Fills *real (borrowed by the result for as long as that is used).  Every
 * function of the environment may be called from any thread. */
struct yg_env yg_env_real(struct yg_env_real *real, const char *role, uint32_t index);
/* From now on nobody waits for whoever reads the records, and those that are lost are counted and
 * told (log.lost); `out`, all zero, is borrowed for as long.  With a loop, what waits goes out by
 * itself; before that with the next record. */
void yg_env_real_out(struct yg_env_real *real, struct yg_log_out *out);
yg_status yg_env_real_watch(struct yg_env_real *real, uv_loop_t *loop, struct yg_err *err);
/* As YG_LOG_LEVEL or log.level says; an unknown name changes nothing. */
void yg_env_real_level(struct yg_env_real *real, struct yg_sv name);
