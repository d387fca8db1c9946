/* err.h - what went wrong, for people.
 *
 * Callers branch on yg_status; people read the detail.  The detail lives on
 * the caller's stack and never allocates, so it works when memory is what ran
 * out.  It is untouched on success.  Every function here takes err == NULL.
 */
#pragma once
#include "base/status.h"

struct yg_err {
	yg_status code;
	int os_errno;      /* 0 when no system call was involved */
	const char *where; /* "file.c:123", static storage */
	char msg[256];     /* English, lower case, no full stop, no newline */
};

/* return YG_FAIL(err, YG_PARSE, "rule %u: unknown field '%s'", id, name);
 * The value is the code itself (evaluated twice), so that compilers and analyzers see
 * that a failure is no success. */
#define YG_FAIL(err, code, ...)                                                                    \
	((void)yg_err_set((err), (code), 0, __FILE__ ":" YG_STR(__LINE__), __VA_ARGS__),           \
	 (yg_status)(code))
/* The same for a refused system call; the text of eno is appended. */
#define YG_FAIL_OS(err, eno, ...)                                                                  \
	((void)yg_err_set((err), YG_IO, (eno), __FILE__ ":" YG_STR(__LINE__), __VA_ARGS__),        \
	 (yg_status)YG_IO)

yg_status yg_err_set(struct yg_err *err, yg_status code, int os_errno, const char *where,
		     const char *fmt, ...) YG_PRINTF(5, 6) YG_COLD;
/* Puts "loading policy 'x': " in front of what is already there; returns err->code
 * (YG_INTERNAL when err is NULL). */
yg_status yg_err_wrap(struct yg_err *err, const char *fmt, ...) YG_PRINTF(2, 3) YG_COLD;
