/* log_out.h - where the log goes: nobody waits for whoever reads it.  Lines that the descriptor
 * does not take at once wait in memory of a fixed size, each whole and in their order; what there
 * is no room for is lost, and counted.
 *
 * A pipe or terminal that others write to as well is not made non-blocking behind their back:
 * yg_log_out_own() opens it anew for this process and those it starts.  Where that is refused
 * (it is another user's) it is asked before each write whether it takes one; only when another
 * process fills it between the two may the write wait. */
#pragma once
#include <uv.h>

#include "base/sb.h"
#include "os/wake.h"

#define YG_LOG_OUT_BYTES 65536u

enum yg_log_fate { /* of a line */
		   YG_LOG_WRITTEN,
		   YG_LOG_WAITS,
		   YG_LOG_LOST,
};

struct yg_log_out { /* stays where it is; all zero before it is begun */
	int fd;     /* borrowed */
	enum { YG_LOG_FD_PLAIN, YG_LOG_FD_SOCKET, YG_LOG_FD_ASK } kind;
	uv_mutex_t lock; /* guards what follows */
	size_t at, n;    /* what waits: n bytes from there on */
	uint64_t lost;   /* lines, since somebody took the count */
	bool watched;
	char buf[YG_LOG_OUT_BYTES];
	/* the loop's */
	struct yg_wake wake;
	uv_timer_t timer;
	void (*drained)(void *ctx); /* nothing waits any more */
	void *ctx;
};

/* Standard error, if it is a pipe or terminal: opened anew, non-blocking.  Before the sandbox. */
void yg_log_out_own(void);
void yg_log_out_begin(struct yg_log_out *o, int fd);
/* From now on what waits is tried again ten times a second. */
yg_status yg_log_out_watch(struct yg_log_out *o, uv_loop_t *loop, void (*drained)(void *ctx),
			   void *ctx, struct yg_err *err);
/* line: with its newline, at most YG_LOG_OUT_BYTES.  Any thread. */
enum yg_log_fate yg_log_out_put(struct yg_log_out *o, struct yg_sv line);
/* How many were lost since the last call; `back`: so many were told of to nobody.  Any thread. */
uint64_t yg_log_out_lost(struct yg_log_out *o);
void yg_log_out_lost_back(struct yg_log_out *o, uint64_t back);
/* At the end of the process: waits a fifth of a second at most for what is left to be taken. */
void yg_log_out_end(struct yg_log_out *o);
