#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t failures; /* the one counter; merged into /metrics by its role */

YG_NORETURN void yg_require_failed(const char *expr, const char *file, int line)
{
	(void)fprintf(
		stderr,
		"{\"level\":\"error\",\"name\":\"bug.require\",\"where\":\"%s:%d\",\"expr\":\"%s\"}\n",
		file, line, expr);
	abort();
}

void yg_check_failed(const char *expr, const char *file, int line)
{
	/* The first few are worth a line each; the counter tells the rest. */
	if (__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED) < 32)
		(void)fprintf(
			stderr,
			"{\"level\":\"error\",\"name\":\"bug.check\",\"where\":\"%s:%d\",\"expr\":\"%s\"}\n",
			file, line, expr);
}

uint64_t yg_check_count(void)
{
	return __atomic_load_n(&failures, __ATOMIC_RELAXED);
}
