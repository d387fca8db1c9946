/* file.h - files: whole or not at all.  Blocking.  Paths are NUL-terminated. */
#pragma once
#include "base/sb.h"

/* For YG_AUTO(yg_fd_close) int fd = -1; closes when >= 0 and sets -1. */
void yg_fd_close(int *fd);
/* Writes all of it, through short writes and EINTR; breathes now and then. */
yg_status yg_fd_write(int fd, struct yg_sv bytes, struct yg_err *err);

/* Reads from where it stands as much as fits, through short reads (a pipe's too) and EINTR;
 * *out_n < size: the end was reached. */
yg_status yg_fd_fill(int fd, char *buf, size_t size, size_t *out_n, struct yg_err *err);
/* Gives all that follows to `take`, piece by piece, each but the last one of the same size;
 * breathes between them.  What is not YG_OK ends it. */
typedef yg_status (*yg_piece_fn)(void *ctx, struct yg_sv bytes, struct yg_err *err);
yg_status yg_fd_each(int fd, yg_piece_fn take, void *ctx, struct yg_err *err);

/* Appends the whole file to *out; more than `max` bytes is YG_TOOBIG, missing
 * is YG_NOTFOUND, not readable is YG_DENIED. */
yg_status yg_file_read(const char *path, size_t max, struct yg_buf *out, struct yg_err *err);
/* The same from an open descriptor, from its start (regular file or memfd). */
yg_status yg_fd_read(int fd, const char *name, size_t max, struct yg_buf *out, struct yg_err *err);
/* Writes what a file is to hold into a descriptor open for reading and writing. */
typedef yg_status (*yg_file_fill_fn)(void *ctx, int fd, struct yg_err *err);
/* Lets `fill` write path.tmp-<pid>, fsyncs it, renames it over `path`, fsyncs the folder:
 * after YG_OK the new bytes survive a power cut, before it the old ones do. */
yg_status yg_file_make(const char *path, unsigned mode, yg_file_fill_fn fill, void *ctx,
		       struct yg_err *err);
/* The same with bytes that are there already. */
yg_status yg_file_write(const char *path, struct yg_sv bytes, unsigned mode, struct yg_err *err);
/* Read-only map of a regular file.  The file must not shrink while it is
 * mapped (a SIGBUS): only for files nobody else writes; else os/memfd.h.
 * An empty file gives n == 0. */
yg_status yg_file_map(const char *path, size_t max, struct yg_sv *out, struct yg_err *err);
void yg_file_unmap(struct yg_sv *map);
/* It will not be looked at for a while: its pages leave the memory until they are. */
void yg_file_rest(const struct yg_sv *map);
/* fsync of a folder: makes created, renamed and removed names durable. */
yg_status yg_dir_sync(const char *path, struct yg_err *err);
/* Makes the folder unless it is there; mode is set even when it is. */
yg_status yg_dir_make(const char *path, unsigned mode, struct yg_err *err);
