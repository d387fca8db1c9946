/* memfd.h - bytes handed to another process so that they can no longer change:
 * sealed memory, not a path.  Seals remove two classes of faults: SIGBUS when a
 * mapped file shrinks, and a change after the check. */
#pragma once
#include "base/sb.h"

/* *out_fd is owned, close-on-exec, sealed against every change. */
yg_status yg_memfd_from_bytes(const char *name, struct yg_sv bytes, int *out_fd,
			      struct yg_err *err);
/* A copy of the file behind src_fd from its start; larger than max: YG_TOOBIG.
 * Parses nothing.  In pages of 2 MiB where the kernel can (6.1 and later). */
yg_status yg_memfd_from_fd(const char *name, int src_fd, uint64_t max, int *out_fd,
			   struct yg_err *err);
/* Maps it read-only after checking that it is a memfd with every seal (else
 * YG_DENIED) and at most max bytes (else YG_TOOBIG).  fd stays the caller's and
 * may be closed.  *out is owned: yg_memfd_unmap(). */
yg_status yg_memfd_map(int fd, uint64_t max, struct yg_sv *out, struct yg_err *err);
void yg_memfd_unmap(struct yg_sv *map);
