/* thread.h - threads that a library has made in this process. */
#pragma once
#include "base/err.h"

/* Raises the nice value of every thread of that name (at most 15 characters, as
 * the kernel keeps it) to `nice`; *out_n: how many there were. */
yg_status yg_threads_nice(const char *name, int nice, unsigned *out_n, struct yg_err *err);
