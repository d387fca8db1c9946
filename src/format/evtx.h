/* evtx.h - Windows' event log files: file header, chunks, records.
 *
 * After J. Metz, "Windows XML Event Log (EVTX) format" (libevtx): a header of 4,096 bytes,
 * then chunks of 64 KiB, each whole in itself: header, names, templates, records.
 *
 * Nothing that stands in the file is believed: what is damaged is said once, with place and
 * reason, and what can be read behind it is read.  A record that the chunk does not list (in
 * its unused end, behind damage, in a chunk that the file does not count) is given too, and
 * marked.  Pure: no allocation, no I/O; one pass over the bytes. */
#pragma once
#include "base/sv.h"

#define YG_EVTX_MAGIC        "ElfFile" /* and a zero, which the literal has at its end */
#define YG_EVTX_CHUNK_MAGIC  "ElfChnk" /* likewise */
#define YG_EVTX_HEADER_BYTES 4096
#define YG_EVTX_CHUNK_BYTES  65536
#define YG_EVTX_RECORD_HEAD  24 /* bytes of a record before its binary XML; the size again behind */

struct yg_evtx_file {
	uint16_t major, minor, chunks;
	bool is_dirty, is_full;
	bool is_sound;        /* the checksum fits */
	bool is_lost;         /* it is none: yg_evtx_header_lost() */
	uint64_t first_chunk; /* number of the first chunk in these bytes: yg_evtx_header_at() */
};
static inline bool yg_evtx_is_file(struct yg_sv bytes)
{
	return bytes.n >= sizeof YG_EVTX_MAGIC &&
	       memcmp(bytes.p, YG_EVTX_MAGIC, sizeof YG_EVTX_MAGIC) == 0;
}
/* The header at the front of `bytes`.  YG_OK | YG_PARSE (too short, no event log file). */
yg_status yg_evtx_file_read(struct yg_sv bytes, struct yg_evtx_file *out, struct yg_err *err);
/* What is doubtful about a header that could be read: YG_OK | YG_PARSE. */
yg_status yg_evtx_file_check(const struct yg_evtx_file *file, struct yg_err *err);
/* Notes in a header which chunk of the file the one behind it is, for parts of a file: in
 * the part of it that the format leaves empty and no checksum covers. */
void yg_evtx_header_at(uint8_t header[static YG_EVTX_HEADER_BYTES], uint64_t chunk);

/* Makes a header of what stands where one should be: chunks are behind it. */
void yg_evtx_header_lost(uint8_t header[static YG_EVTX_HEADER_BYTES]);
static inline bool yg_evtx_is_chunk(struct yg_sv bytes)
{
	return bytes.n >= sizeof YG_EVTX_CHUNK_MAGIC &&
	       memcmp(bytes.p, YG_EVTX_CHUNK_MAGIC, sizeof YG_EVTX_CHUNK_MAGIC) == 0;
}

enum yg_evtx_how { /* how a record was found */
		   YG_EVTX_LISTED,
		   YG_EVTX_SLACK,    /* in the unused end of its chunk */
		   YG_EVTX_DAMAGE,   /* behind damage */
		   YG_EVTX_UNLINKED, /* in a chunk that the file does not count */
		   YG_EVTX_HEADLESS, /* in a chunk without a header */
		   YG_EVTX_LOST,     /* in a file without one */
};
const char *yg_evtx_how_text(enum yg_evtx_how how); /* static */

enum yg_evtx_what {
	YG_EVTX_END,
	YG_EVTX_RECORD,
	YG_EVTX_BROKEN, /* something is damaged: the error says what */
};
struct yg_evtx_record {
	uint64_t id;
	uint64_t written; /* 100 ns since 1601 */
	struct yg_sv
		bytes; /* the whole of it, borrowed from the chunk; YG_EVTX_BROKEN: what is damaged */
	uint32_t at;   /* offset in the chunk */
	enum yg_evtx_how how;
};
struct yg_evtx_chunk {
	struct yg_sv bytes; /* borrowed */
	uint64_t number;    /* in the file, from 0 */
	uint32_t at, end;   /* where to look next; where the listed records end */
	uint64_t last;      /* id of the last listed record */
	enum yg_evtx_how how;
	bool has_header, is_sound, seen_last, begun, scanning;
	bool is_dirty; /* the file was not closed: its last chunk's header may be old */
};
/* A chunk at the front of `bytes`, which may be cut short.  False: nothing is there but
 * zeroes, as where the file was made larger beforehand. */
bool yg_evtx_chunk_open(struct yg_evtx_chunk *c, struct yg_sv bytes, uint64_t number,
			const struct yg_evtx_file *file);
/* What comes next in it. */
enum yg_evtx_what yg_evtx_next(struct yg_evtx_chunk *c, struct yg_evtx_record *out,
			       struct yg_err *err);
/* How often yg_evtx_next() gives something: records, and damage. */
uint64_t yg_evtx_count(struct yg_sv chunk, uint64_t number, const struct yg_evtx_file *file);
