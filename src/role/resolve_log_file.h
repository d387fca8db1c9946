/* resolve_log_file.h - one worker's files of the query log: written by resolve_log.c, bounded
 * here, read by ingest_dnslog.c.  Nothing else includes it.
 *
 * A file is Frame Streams: START, frames, STOP.  Its name is "<worker>-<number>.tap";
 * numbers of a worker rise, so a file is ended for certain once a later one is there. */
#pragma once
#include "role/resolve_internal.h"

#define LOG_OWN 256u /* files of this process of which it knows how many frames they have */

struct log_files {
	struct yg_role_ctx *ctx;                    /* borrowed */
	int fd;                                     /* -1: none */
	uint64_t number;                            /* of the file at hand */
	uint64_t first;                             /* number of the first one of this process */
	uint64_t file_n, file_most, others_n, most; /* bytes: this file, the worker's others */
	int64_t begun_us, look_us;                  /* monotonic */
	bool drop_old, full, told_old;
	uint32_t own[LOG_OWN]; /* frames, by number */
	struct resolve_log_counts counts;
};

/* Looks at what is there; the first file is made when there is something to write. */
void log_files_open(struct log_files *f, struct yg_role_ctx *ctx);
/* So many whole frames, all of them or none; counts both.  Where the bound is reached,
 * `drop-old` removes the oldest files, and counts their frames too. */
void log_files_write(struct log_files *f, const uint8_t *p, size_t n, uint32_t frames);
/* There was no room, and it is too soon to look again: whatever comes is dropped. */
bool log_files_full(const struct log_files *f);
void log_files_end(struct log_files *f);
