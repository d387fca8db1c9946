/* status.h - the dozen outcomes a caller can branch on. */
#pragma once
#include "base/base.h"

/* One list; the enum, the stable names, the texts, the HTTP codes and the exit
 * codes of the command line all come from it.  Numbers are part of the API:
 * append only, never renumber. */
/* clang-format off */
#define YG_STATUS_MAP(X)                                                       \
	/* name      num http exit text */                                     \
	X(OK,         0, 200, 0, "success")                                    \
	X(NOMEM,      1, 503, 8, "out of memory or over a memory limit")       \
	X(INVAL,      2, 400, 2, "the caller broke the contract")              \
	X(PARSE,      3, 400, 1, "input is not in the expected form")          \
	X(LIMIT,      4, 429, 8, "a configured limit was reached")             \
	X(DENIED,     5, 403, 5, "refused by policy")                          \
	X(NOTFOUND,   6, 404, 6, "no such object")                             \
	X(CONFLICT,   7, 409, 7, "the object changed meanwhile")               \
	X(IO,         8, 500, 1, "the operating system refused")               \
	X(CORRUPT,    9, 500, 1, "stored data failed verification")            \
	X(AGAIN,     10, 503, 8, "not now; the same call may succeed later")   \
	X(INTERNAL,  11, 500, 1, "a bug: an invariant did not hold")           \
	X(UNAUTH,    12, 401, 4, "not signed in")                              \
	X(TOOBIG,    13, 413, 1, "larger than the limit for one object")
/* clang-format on */

typedef enum yg_status {
#define X(name, num, http, code, text) YG_##name = num,
	YG_STATUS_MAP(X)
#undef X
		YG_STATUS_COUNT
} yg_status;

const char *yg_status_name(yg_status s); /* "NOTFOUND"; static; never NULL */
const char *yg_status_text(yg_status s); /* static; never NULL */
int yg_status_http(yg_status s);         /* HTTP status code */
int yg_status_exit(yg_status s);         /* exit status of the command line */
