/* pages.h - memory that lies in a file without a name: the kernel may take its pages away
 * and bring them back, so that what is looked at rarely need not be held.  It stays where
 * it is when it grows. */
#pragma once
#include "base/err.h"

struct yg_pages { /* p NULL: none */
	char *p;
	size_t reserved; /* addresses; no memory, no disk */
	size_t backed;   /* bytes that may be used */
	int fd;          /* owned; -1: it does not grow any more */
};
/* In a file system that `folder` is on, to which nobody else comes; it may grow to `most`.
 * YG_OK | YG_IO | YG_NOMEM. */
yg_status yg_pages_open(const char *folder, size_t most, struct yg_pages *out, struct yg_err *err);
/* From now on at least `n` bytes may be used; the new ones are zero.  False: the disk is
 * full, or n is more than was reserved. */
bool yg_pages_back(struct yg_pages *m, size_t n);
/* It will not be looked at for a while: its pages leave this process's memory; nothing is
 * lost. */
void yg_pages_rest(const struct yg_pages *m);
void yg_pages_close(struct yg_pages *m); /* none is fine */
