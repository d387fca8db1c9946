/* spool_internal.h - shared by the files of the spool; nothing else includes it. */
#pragma once
#include "store/spool.h"

#define SEG_MAGIC   YG_SV("YGSPOOL1")
#define SEG_VERSION 1u
#define SEG_HEAD    64u
#define REC_MAGIC   0x31524759u /* "YGR1" */
#define REC_FIXED   48u
#define REC_ALIGN   8u
#define SPOOL_PATH  512u

static inline size_t spool_pad(size_t n)
{
	return (REC_ALIGN - n % REC_ALIGN) % REC_ALIGN;
}
/* "<dir>/seg-<20 digits>"; false when it does not fit. */
bool spool_seg_path(const char *dir, uint64_t first, char out[static SPOOL_PATH]);
bool spool_path(const char *dir, const char *name, char out[static SPOOL_PATH]);
/* First seqs of the segments in the folder, ascending; *out is owned (free). */
yg_status spool_list(const char *dir, const char *prefix, uint64_t **out, size_t *out_n,
		     struct yg_err *err);
/* All of iov at `at`; 0 or -errno.  iov is used up. */
int spool_write_all(const struct yg_spool_io *io, int fd, struct iovec *iov, size_t n, off_t at);
/* pread() until n bytes or the end; -errno. */
ssize_t spool_read_all(const struct yg_spool_io *io, int fd, void *buf, size_t n, uint64_t at);
yg_status spool_sync_dir(const struct yg_spool_io *io, const char *dir, struct yg_err *err);
const struct yg_spool_io *spool_io(const struct yg_spool_conf *conf);
void spool_report(const struct yg_spool_conf *conf, enum yg_spool_report what, uint64_t seq,
		  uint64_t bytes, const char *detail);
void spool_close_fd(int *fd);

void spool_seg_head(uint8_t out[static SEG_HEAD], uint32_t number, uint64_t first, yg_wall created,
		    const uint8_t key[static 16]);
/* Appends b's head (body length and CRC included) to `out`. */
void spool_rec_head(struct yg_buf *out, const struct yg_spool_batch *b,
		    const uint8_t key[static 16]);

/* Batch ids already taken: fingerprints, oldest first, in a ring. */
struct spool_fp {
	uint64_t a, b;
};
struct spool_seen_entry {
	struct spool_fp fp;
	uint64_t seq; /* 0: taken back */
};
struct spool_seen {
	struct spool_seen_entry *ring; /* owned */
	uint32_t *table;               /* owned; ring index + 1, 0: empty; power of two */
	uint32_t cap, most;            /* entries allocated; bound */
	uint32_t head, n;              /* oldest; number */
	uint32_t mask;
	uint8_t key_a[16], key_b[16];
};
yg_status spool_seen_init(struct spool_seen *s, uint32_t most, const uint8_t key[static 32]);
void spool_seen_free(struct spool_seen *s);
struct spool_fp spool_seen_fp(const struct spool_seen *s, struct yg_sv org, struct yg_sv id);
uint64_t spool_seen_find(const struct spool_seen *s, struct spool_fp fp); /* its seq, 0: unknown */
yg_status spool_seen_add(struct spool_seen *s, struct spool_fp fp, uint64_t seq);
void spool_seen_drop(struct spool_seen *s, struct spool_fp fp);

/* Positions kept with batches. */
struct spool_mark {
	uint64_t seq;
	uint16_t key_n, n;
	char key[YG_SPOOL_MARK_KEY_MAX];
	char mark[YG_SPOOL_MARK_MAX];
};
struct spool_marks {
	struct spool_mark *m; /* owned */
	size_t n, cap;
};
/* True when a mark had to be forgotten to make room. */
bool spool_marks_set(struct spool_marks *t, struct yg_sv key, struct yg_sv mark, uint64_t seq,
		     yg_status *st);

/* Files that keep ids and marks of removed segments; see spool_keep.c. */
struct spool_keep {
	int seen_fd, marks_fd;
	uint64_t seen_written; /* entries ever written to the ring file */
	uint64_t marks_counter;
	uint64_t kept_seq; /* ids of batches up to here are in the ring file */
};
yg_status spool_keep_open(const struct yg_spool_conf *conf, struct spool_keep *k,
			  uint8_t key[static 32], struct yg_err *err);
void spool_keep_close(struct spool_keep *k);
yg_status spool_keep_load(const struct yg_spool_conf *conf, struct spool_keep *k,
			  struct spool_seen *seen, struct spool_marks *marks, struct yg_err *err);
/* Durable when YG_OK. */
yg_status spool_keep_seen(const struct yg_spool_conf *conf, struct spool_keep *k,
			  const struct spool_seen_entry *e, size_t n, struct yg_err *err);
yg_status spool_keep_marks(const struct yg_spool_conf *conf, struct spool_keep *k,
			   struct yg_sv encoded, struct yg_err *err);
void spool_marks_encode(const struct spool_marks *t, uint64_t most_seq, struct yg_buf *out);
