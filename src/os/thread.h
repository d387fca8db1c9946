/* thread.h - threads of this process, and how willingly they let others go first. */
#pragma once
#include "base/err.h"

/* Raises the nice value of every thread of that name (at most 15 characters, as
 * the kernel keeps it) to `nice`; *out_n: how many there were. */
yg_status yg_threads_nice(const char *name, int nice, unsigned *out_n, struct yg_err *err);
/* This thread alone gives way to every thread that answers somebody: it runs when the
 * core has nothing else to do, or when it has waited long enough.  Not to be undone. */
yg_status yg_thread_give_way(struct yg_err *err);
