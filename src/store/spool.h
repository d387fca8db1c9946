/* spool.h - where acknowledged batches wait on disk until they are delivered.
 *
 * One folder holds one spool: append-only segments of raw batches as they were
 * received, a journal of what delivery has decided, and the client batch ids
 * already taken.  doc/delivery.md has the format and the proofs.
 *
 * Threads: a spool has three sides, and each is used by one thread at a time:
 *   front    open, append, commit_take, commit_end, release_take, release_end,
 *            counters: the loop
 *   commit   yg_spool_commit_run(): the work pool, between take and end
 *   release  yg_spool_release_run(): the work pool, between take and end
 * Readers and the journal are objects of their own with one thread each.
 * Nothing here waits but in the _run functions, the reader and the journal.
 *
 * Sequence numbers (= batch numbers) rise for ever and are never given twice in
 * a spool folder's life; a new folder begins at the wall clock in milliseconds,
 * so that even a lost folder does not bring old numbers back.
 */
#pragma once
#include <sys/types.h>
#include <sys/uio.h>

#include "base/codec.h"
#include "base/env.h"
#include "base/limits.h"

#define YG_SPOOL_SEGMENT_BYTES (64u << 20) /* a full segment; the unit in which space comes back */
#define YG_SPOOL_SENSOR_MAX    255
#define YG_SPOOL_MAPPING_MAX   63
#define YG_SPOOL_MARK_KEY_MAX  255
#define YG_SPOOL_MARK_MAX      1023
#define YG_SPOOL_MARKS_MAX     1024 /* followed files remembered; the oldest goes first */

/* The file calls, so that tests can fail any of them.  Results are as of the
 * system calls, but a failure is -errno. */
struct yg_spool_io {
	void *ctx;
	int (*open)(void *ctx, const char *path, int flags);
	ssize_t (*pwritev)(void *ctx, int fd, const struct iovec *iov, int n, off_t at);
	ssize_t (*pread)(void *ctx, int fd, void *buf, size_t n, off_t at);
	int (*sync)(void *ctx, int fd); /* fdatasync */
	int (*sync_dir)(void *ctx, int fd);
	int (*truncate)(void *ctx, int fd, off_t size);
	int (*reserve)(void *ctx, int fd, off_t size); /* fallocate, size kept; may be refused */
	int (*unlink)(void *ctx, const char *path);
};
extern const struct yg_spool_io yg_spool_io_os;

/* What recovery or reading met; `detail` is English text of our own. */
enum yg_spool_report {
	YG_SPOOL_TORN = 1,  /* a torn tail was cut: bytes never acknowledged */
	YG_SPOOL_DAMAGED,   /* bytes in the middle failed verification and were set aside */
	YG_SPOOL_MARKS_FULL /* a mark was forgotten for want of room */
};
typedef void yg_spool_report_fn(void *ctx, enum yg_spool_report what, uint64_t seq, uint64_t bytes,
				const char *detail);

struct yg_spool_conf {
	const char *dir;          /* borrowed; must exist */
	const char *aside_dir;    /* borrowed; where damaged bytes go; NULL: only counted */
	uint32_t number;          /* the spool's number in rows and ids */
	uint64_t segment_bytes;   /* 0: YG_SPOOL_SEGMENT_BYTES, less for small bounds */
	uint64_t most_bytes;      /* the bound of the folder's files */
	uint32_t seen_most;       /* 0: YG_SEEN_MAX */
	uint64_t floor;           /* no batch gets a number at or below: what the journal knows */
	const struct yg_env *env; /* borrowed */
	const struct yg_spool_io *io; /* borrowed; NULL: the system's */
	yg_spool_report_fn *report;   /* any side's thread; may be NULL */
	void *report_ctx;
};

/* One batch.  In append all views are borrowed until commit_end; out of a
 * reader they end with its next step. */
struct yg_spool_batch {
	uint64_t seq; /* set by append */
	yg_wall received;
	uint8_t source;   /* enum yg_source */
	uint8_t encoding; /* enum yg_encoding */
	bool framed;
	struct yg_sv org, sensor, mapping;
	struct yg_sv batch_id;       /* client's; empty: none */
	struct yg_sv mark_key, mark; /* position kept with the batch; empty key: none */
	struct yg_sv body;
};

struct yg_spool; /* owned: yg_spool_close() */

/* Opens and recovers.  Torn tails are cut, damage is reported.
 * YG_OK | YG_IO | YG_CORRUPT (not a spool of that number) | YG_NOMEM. */
yg_status yg_spool_open(const struct yg_spool_conf *conf, struct yg_spool **out,
			struct yg_err *err) YG_MUST_USE;
void yg_spool_close(struct yg_spool *sp); /* NULL is fine; nothing is flushed */

struct yg_spool_taken {
	uint64_t seq;   /* of the batch, or of the first one with that batch id */
	uint64_t group; /* answer when this group has ended; 0: at once */
	bool duplicate; /* the batch id was taken before: nothing was added */
};
/* Puts a batch into the open group.  It is on disk when the group has ended
 * well.  YG_OK | YG_LIMIT (the spool is at its bound) | YG_INVAL (a field is
 * too long) | YG_TOOBIG | YG_NOMEM. */
yg_status yg_spool_append(struct yg_spool *sp, struct yg_spool_batch *b, struct yg_spool_taken *out,
			  struct yg_err *err) YG_MUST_USE;
/* Closes the open group for writing; false when it is empty or one is being written. */
bool yg_spool_commit_take(struct yg_spool *sp);
/* Writes the taken group and syncs it; all of it or nothing. */
void yg_spool_commit_run(struct yg_spool *sp);
/* Ends the group.  YG_OK: durable.  YG_LIMIT: no space on the disk; YG_IO: the
 * disk refused; in both nothing of the group is kept and the next may succeed.
 * YG_CORRUPT: what is on disk is not known any more; the process must end and
 * recover. */
yg_status yg_spool_commit_end(struct yg_spool *sp, uint64_t *out_group,
			      struct yg_err *err) YG_MUST_USE;
/* take, run and end at once. */
yg_status yg_spool_commit(struct yg_spool *sp, struct yg_err *err) YG_MUST_USE;

/* Everything up to `seq` is delivered and may go.  take: true when files can be
 * removed now; run: keeps their batch ids and marks, then removes them. */
void yg_spool_release(struct yg_spool *sp, uint64_t seq);
bool yg_spool_release_take(struct yg_spool *sp);
void yg_spool_release_run(struct yg_spool *sp);
/* YG_IO: nothing was removed; it is tried again by the next take. */
yg_status yg_spool_release_end(struct yg_spool *sp, struct yg_err *err) YG_MUST_USE;

struct yg_spool_counts {
	uint64_t bytes, most_bytes; /* files now; the bound */
	uint64_t segments;
	uint64_t first, durable; /* oldest batch still there (0: none), newest durable */
	uint64_t released;
	uint64_t appended, duplicates, refused_full, failed_groups, groups;
	uint64_t torn_bytes; /* cut at recovery */
	uint64_t seen;       /* batch ids remembered */
};
void yg_spool_counts(const struct yg_spool *sp, struct yg_spool_counts *out);
/* How far readers may read: what lies behind may be half written. */
struct yg_spool_limit {
	uint64_t seq;     /* newest durable batch, 0: none */
	uint64_t segment; /* the newest segment, by its first seq */
	uint64_t at;      /* durable bytes of it */
};
struct yg_spool_limit yg_spool_limit(const struct yg_spool *sp);
bool yg_spool_has_room(const struct yg_spool *sp, uint64_t bytes);

/* Marks as recovered and since: the newest value per key.  Front side. */
typedef void yg_spool_mark_fn(void *ctx, struct yg_sv key, struct yg_sv mark);
void yg_spool_marks(const struct yg_spool *sp, yg_spool_mark_fn *fn, void *ctx);

/* ---- reader: batches in order, each once ---- */
struct yg_spool_reader; /* owned: yg_spool_reader_close() */

/* Begins behind `after` (0: at the first there is). */
yg_status yg_spool_reader_open(const struct yg_spool_conf *conf, uint64_t after,
			       struct yg_spool_reader **out, struct yg_err *err) YG_MUST_USE;
void yg_spool_reader_close(struct yg_spool_reader *r);
/* The next batch within `limit`.  Damaged ones are set aside, counted and
 * passed over.  YG_OK | YG_NOTFOUND (none yet) | YG_IO | YG_NOMEM.  After an
 * error the same batch is tried again; *out is empty unless it is YG_OK. */
yg_status yg_spool_reader_next(struct yg_spool_reader *r, struct yg_spool_limit limit,
			       struct yg_spool_batch *out, struct yg_err *err) YG_MUST_USE;
uint64_t yg_spool_reader_damaged(const struct yg_spool_reader *r); /* records and gaps set aside */
uint64_t yg_spool_reader_damaged_bytes(const struct yg_spool_reader *r);

/* ---- one segment's bytes, for the reader, recovery and the fuzz target ---- */
#define YG_SPOOL_HEAD_MAX 4096u
struct yg_spool_scan {
	ssize_t (*read)(void *ctx, void *buf, size_t n,
			uint64_t at); /* short only at the end; -errno */
	void *ctx;
	uint64_t size;   /* bytes of the segment */
	uint64_t at;     /* of the next record */
	uint64_t last;   /* seq of the last record found */
	uint8_t key[16]; /* of the segment */
	uint8_t head[YG_SPOOL_HEAD_MAX];
};
enum yg_spool_found {
	YG_SPOOL_FOUND_RECORD,
	YG_SPOOL_FOUND_END,
	YG_SPOOL_FOUND_DAMAGE, /* bytes from..to hold no record; to == size: nothing whole follows */
	YG_SPOOL_FOUND_ERROR,  /* the read was refused; see err */
};
struct yg_spool_place {
	uint64_t from, to; /* the record or the damage, in the segment */
	uint64_t body_at;
	uint32_t body_n, body_crc;
};
/* Reads and checks a segment's head.  YG_OK | YG_CORRUPT | YG_IO. */
yg_status yg_spool_scan_open(struct yg_spool_scan *s, uint32_t number, uint64_t *out_first,
			     struct yg_err *err) YG_MUST_USE;
/* The next record's head (checked) and where its body lies (not checked); the
 * body member of *out is left empty.  Views are in s->head. */
enum yg_spool_found yg_spool_scan_next(struct yg_spool_scan *s, struct yg_spool_batch *out,
				       struct yg_spool_place *place, struct yg_err *err);

/* ---- journal: what delivery has decided ---- */
struct yg_spool_journal; /* owned: yg_spool_journal_close() */

yg_status yg_spool_journal_open(const struct yg_spool_conf *conf, struct yg_spool_journal **out,
				struct yg_err *err) YG_MUST_USE;
void yg_spool_journal_close(struct yg_spool_journal *j);
/* Each adds to a buffer; nothing counts before yg_spool_journal_sync() is OK.
 * plan: opaque bytes that belong to batch `seq`.  intent: an insert of the
 * batches first..last under query_id may begin.  released: everything up to
 * seq is delivered. */
void yg_spool_journal_plan(struct yg_spool_journal *j, uint64_t seq, struct yg_sv plan);
void yg_spool_journal_intent(struct yg_spool_journal *j, uint64_t first, uint64_t last,
			     struct yg_sv query_id);
void yg_spool_journal_released(struct yg_spool_journal *j, uint64_t seq);
/* YG_OK | YG_LIMIT (disk full) | YG_IO | YG_NOMEM: the buffer is kept, try again.
 * YG_CORRUPT: the process must end and recover. */
yg_status yg_spool_journal_sync(struct yg_spool_journal *j, struct yg_err *err) YG_MUST_USE;

/* As recovered at open; constant afterwards. */
uint64_t yg_spool_journal_released_seq(const struct yg_spool_journal *j);
uint64_t yg_spool_journal_intent_last(
	const struct yg_spool_journal *j); /* newest batch ever begun */
struct yg_sv yg_spool_journal_intent_query(const struct yg_spool_journal *j);
bool yg_spool_journal_has_plan(const struct yg_spool_journal *j, uint64_t seq);
/* May run beside the writing calls.  YG_OK | YG_NOTFOUND | YG_CORRUPT | YG_IO. */
yg_status yg_spool_journal_read_plan(struct yg_spool_journal *j, uint64_t seq, struct yg_buf *out,
				     struct yg_err *err) YG_MUST_USE;
uint64_t yg_spool_journal_bytes(const struct yg_spool_journal *j);

/* ---- which batch is being worked on: tells a poison batch after a crash ---- */
struct yg_spool_busy {
	uint64_t seq;    /* batch that was being processed when the last process ended; 0: none */
	uint32_t deaths; /* processes that ended on it, one after the other */
};
/* Reads the marker of the process before and counts its death; *out_fd is owned. */
yg_status yg_spool_busy_open(const struct yg_spool_conf *conf, struct yg_spool_busy *out,
			     int *out_fd, struct yg_err *err) YG_MUST_USE;
/* Marks seq (0: none) as being processed, `deaths` as so far. */
void yg_spool_busy_set(const struct yg_spool_conf *conf, int fd, uint64_t seq, uint32_t deaths);

/* Writes bytes to aside_dir/<name>; used for poison and damage. */
yg_status yg_spool_set_aside(const struct yg_spool_conf *conf, const char *name, struct yg_sv head,
			     struct yg_sv body, struct yg_err *err) YG_MUST_USE;
