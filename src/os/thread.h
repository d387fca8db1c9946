/* thread.h - threads of this process, and how willingly they let others go first. */
#pragma once
#include "base/err.h"

/* Raises the nice value of every thread of that name (at most 15 characters, as
 * the kernel keeps it) to `nice`; *out_n: how many there were. */
yg_status yg_threads_nice(const char *name, int nice, unsigned *out_n, struct yg_err *err);
/* How much of a core this thread has used so far. */
int64_t yg_thread_used_us(void);
#define YG_NICE_LEAST 19 /* 15/1024 of who has none */
/* This thread alone, with that nice value, gives way to every thread that answers somebody: it
 * runs when the core has nothing else to do, or when it has waited long enough.  Linux takes a core away from
 * who has had its share at the next tick, up to 4 ms later, however small that share is; so
 * with each breath (base/breath.h) it offers the core itself.  Not to be undone. */
yg_status yg_thread_give_way(int nice, struct yg_err *err);

/* This thread, and those it makes from now on, works in so many tenths of a millisecond between
 * waits: when there is something for it to do it is to come before those that work in long
 * pieces, at no greater share of the core.  Linux 6.12; before that, or when it may not, nothing
 * changes. */
void yg_thread_prompt(unsigned tenths);
