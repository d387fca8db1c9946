/* Files that outlive segments: the key and ring of batch ids ("seen"), the
 * marks ("marks", two slots written in turn).  Both are written in place into
 * reserved blocks, so that a full disk cannot keep space from being freed. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "store/spool_internal.h"

#define SEEN_MAGIC  YG_SV("YGSEEN01")
#define SEEN_HEAD   64u
#define SEEN_ENTRY  32u
#define SEEN_AHEAD  32768u
#define MARKS_MAGIC 0x314b4d59u
#define MARKS_HEAD  24u
#define MARKS_SLOT  (3u << 19) /* holds YG_SPOOL_MARKS_MAX of the largest */

static_assert(YG_SPOOL_MARKS_MAX * (16u + YG_SPOOL_MARK_KEY_MAX + YG_SPOOL_MARK_MAX) + MARKS_HEAD <=
		      MARKS_SLOT,
	      "all marks must fit a slot");

static yg_status write_at(const struct yg_spool_io *io, int fd, const void *p, size_t n,
			  uint64_t at, const char *what, struct yg_err *err)
{
	union {
		const void *c;
		void *v;
	} u = {.c = p};
	struct iovec iov = {u.v, n};
	int rc = spool_write_all(io, fd, &iov, 1, (off_t)at);
	return rc == 0 ? YG_OK : YG_FAIL_OS(err, -rc, "writing %s", what);
}

static yg_status seen_head(const struct yg_spool_conf *conf, struct spool_keep *k,
			   uint8_t key[static 32], struct yg_err *err)
{
	const struct yg_spool_io *io = spool_io(conf);
	uint8_t h[SEEN_HEAD] = {0};
	ssize_t got = spool_read_all(io, k->seen_fd, h, sizeof h, 0);
	if (got < 0)
		return YG_FAIL_OS(err, (int)-got, "the file of batch ids");
	uint32_t crc;
	memcpy(&crc, h + 48, 4);
	if (got == (ssize_t)sizeof h && memcmp(h, SEEN_MAGIC.p, SEEN_MAGIC.n) == 0 &&
	    crc == yg_crc32c(0, h, 48)) {
		memcpy(key, h + 16, 32);
		return YG_OK;
	}
	/* New, or its head is lost: ids under a lost key say nothing any more. */
	conf->env->random(conf->env->ctx, key, 32);
	memset(h, 0, sizeof h);
	memcpy(h, SEEN_MAGIC.p, SEEN_MAGIC.n);
	memcpy(h + 16, key, 32);
	crc = yg_crc32c(0, h, 48);
	memcpy(h + 48, &crc, 4);
	int rc = io->truncate(io->ctx, k->seen_fd, 0);
	if (rc != 0)
		return YG_FAIL_OS(err, -rc, "the file of batch ids");
	yg_status st = write_at(io, k->seen_fd, h, sizeof h, 0, "the file of batch ids", err);
	if (st == YG_OK && (rc = io->sync(io->ctx, k->seen_fd)) != 0)
		st = YG_FAIL_OS(err, -rc, "the file of batch ids");
	return st;
}

yg_status spool_keep_open(const struct yg_spool_conf *conf, struct spool_keep *k,
			  uint8_t key[static 32], struct yg_err *err)
{
	const struct yg_spool_io *io = spool_io(conf);
	char path[SPOOL_PATH];
	*k = (struct spool_keep){.seen_fd = -1, .marks_fd = -1};
	if (!spool_path(conf->dir, "marks", path))
		return YG_FAIL(err, YG_LIMIT, "the spool's path is too long");
	k->marks_fd = io->open(io->ctx, path, O_RDWR | O_CREAT);
	if (k->marks_fd < 0)
		return YG_FAIL_OS(err, -k->marks_fd, "'%s'", path);
	if (!spool_path(conf->dir, "seen", path))
		return YG_FAIL(err, YG_LIMIT, "the spool's path is too long");
	k->seen_fd = io->open(io->ctx, path, O_RDWR | O_CREAT);
	if (k->seen_fd < 0)
		return YG_FAIL_OS(err, -k->seen_fd, "'%s'", path);
	return seen_head(conf, k, key, err);
}

void spool_keep_close(struct spool_keep *k)
{
	spool_close_fd(&k->seen_fd);
	spool_close_fd(&k->marks_fd);
}

struct numbered {
	struct spool_seen_entry e;
	uint32_t slot;
};
static int by_seq(const void *a, const void *b)
{
	uint64_t x = ((const struct numbered *)a)->e.seq, y = ((const struct numbered *)b)->e.seq;
	return (x > y) - (x < y);
}

static yg_status seen_load(const struct yg_spool_conf *conf, struct spool_keep *k,
			   struct spool_seen *seen, struct yg_err *err)
{
	const struct yg_spool_io *io = spool_io(conf);
	struct stat sb;
	if (fstat(k->seen_fd, &sb) != 0)
		return YG_FAIL_OS(err, errno, "the file of batch ids");
	size_t most =
		sb.st_size > (off_t)SEEN_HEAD ? ((size_t)sb.st_size - SEEN_HEAD) / SEEN_ENTRY : 0;
	struct numbered *list = malloc((most + 1) * sizeof *list);
	uint8_t *raw = malloc(most * SEEN_ENTRY + 1);
	ssize_t got = list == NULL || raw == NULL
			      ? -ENOMEM
			      : spool_read_all(io, k->seen_fd, raw, most * SEEN_ENTRY, SEEN_HEAD);
	size_t n = 0;
	for (size_t i = 0; got > 0 && (i + 1) * SEEN_ENTRY <= (size_t)got; i++) {
		struct yg_rd r = yg_rd_init(raw + i * SEEN_ENTRY, SEEN_ENTRY);
		struct spool_seen_entry e = {.fp.a = yg_rd_le64(&r)};
		e.fp.b = yg_rd_le64(&r);
		e.seq = yg_rd_le64(&r);
		if (e.seq != 0 && yg_rd_le32(&r) == yg_crc32c(0, raw + i * SEEN_ENTRY, 24))
			list[n++] = (struct numbered){e, (uint32_t)i};
	}
	yg_status st = got < 0 ? YG_FAIL_OS(err, (int)-got, "the file of batch ids") : YG_OK;
	if (st == YG_OK && n > 1)
		qsort(list, n, sizeof *list, by_seq);
	for (size_t i = 0; i < n && st == YG_OK; i++)
		st = spool_seen_add(seen, list[i].e.fp, list[i].e.seq);
	if (st == YG_OK && n > 0) {
		k->kept_seq = list[n - 1].e.seq;
		k->seen_written = list[n - 1].slot + 1u;
	}
	free(list);
	free(raw);
	return st;
}

/* The slot with the higher counter whose bytes are whole. */
static yg_status marks_load(const struct yg_spool_conf *conf, struct spool_keep *k,
			    struct spool_marks *marks, struct yg_err *err)
{
	const struct yg_spool_io *io = spool_io(conf);
	uint8_t *raw = malloc(MARKS_SLOT);
	if (raw == NULL)
		return YG_FAIL(err, YG_NOMEM, "marks");
	yg_status st = YG_OK;
	for (unsigned slot = 0; slot < 2 && st == YG_OK; slot++) {
		ssize_t got = spool_read_all(io, k->marks_fd, raw, MARKS_SLOT, slot * MARKS_SLOT);
		if (got < 0) {
			st = YG_FAIL_OS(err, (int)-got, "marks");
			break;
		}
		struct yg_rd r = yg_rd_init(raw, (size_t)got);
		uint32_t magic = yg_rd_le32(&r), crc = yg_rd_le32(&r);
		uint64_t counter = yg_rd_le64(&r);
		uint32_t n = yg_rd_le32(&r);
		(void)yg_rd_le32(&r);
		const uint8_t *body = yg_rd_take(&r, n);
		if (body == NULL || magic != MARKS_MAGIC ||
		    crc != yg_crc32c(0, raw + 8, 16 + (size_t)n))
			continue;
		k->marks_counter = YG_MAX(k->marks_counter, counter);
		/* Both slots are taken: per key the higher seq wins. */
		struct yg_rd b = yg_rd_init(body, n);
		while (yg_rd_left(&b) > 0 && st == YG_OK) {
			uint64_t seq = yg_rd_le64(&b);
			struct yg_sv key = yg_rd_sv32(&b), mark = yg_rd_sv32(&b);
			if (b.bad)
				break;
			(void)spool_marks_set(marks, key, mark, seq, &st);
		}
	}
	free(raw);
	return st;
}

yg_status spool_keep_load(const struct yg_spool_conf *conf, struct spool_keep *k,
			  struct spool_seen *seen, struct spool_marks *marks, struct yg_err *err)
{
	yg_status st = seen_load(conf, k, seen, err);
	return st == YG_OK ? marks_load(conf, k, marks, err) : st;
}

yg_status spool_keep_seen(const struct yg_spool_conf *conf, struct spool_keep *k,
			  const struct spool_seen_entry *e, size_t n, struct yg_err *err)
{
	const struct yg_spool_io *io = spool_io(conf);
	uint32_t most = conf->seen_most != 0 ? conf->seen_most : YG_SEEN_MAX;
	uint64_t written = k->seen_written;
	yg_status st = YG_OK;
	if (n == 0)
		return YG_OK;
	uint64_t ahead = YG_MIN(written + n + SEEN_AHEAD, most);
	(void)io->reserve(io->ctx, k->seen_fd, (off_t)(SEEN_HEAD + ahead * SEEN_ENTRY));
	for (size_t i = 0; i < n && st == YG_OK; i++) {
		uint8_t raw[SEEN_ENTRY] = {0};
		memcpy(raw, &e[i].fp.a, 8);
		memcpy(raw + 8, &e[i].fp.b, 8);
		memcpy(raw + 16, &e[i].seq, 8);
		uint32_t crc = yg_crc32c(0, raw, 24);
		memcpy(raw + 24, &crc, 4);
		st = write_at(io, k->seen_fd, raw, sizeof raw,
			      SEEN_HEAD + (written + i) % most * SEEN_ENTRY,
			      "the file of batch ids", err);
	}
	if (st != YG_OK)
		return st;
	int rc = io->sync(io->ctx, k->seen_fd);
	if (rc != 0)
		return YG_FAIL_OS(err, -rc, "the file of batch ids");
	k->seen_written = written + n;
	k->kept_seq = YG_MAX(k->kept_seq, e[n - 1].seq);
	return YG_OK;
}

yg_status spool_keep_marks(const struct yg_spool_conf *conf, struct spool_keep *k,
			   struct yg_sv encoded, struct yg_err *err)
{
	const struct yg_spool_io *io = spool_io(conf);
	if (encoded.n == 0)
		return YG_OK;
	if (encoded.n > MARKS_SLOT - MARKS_HEAD)
		return YG_FAIL(err, YG_LIMIT, "marks do not fit their file");
	struct yg_buf b;
	yg_buf_init(&b, MARKS_SLOT);
	uint64_t counter = k->marks_counter + 1;
	yg_wr_le32(&b, MARKS_MAGIC);
	yg_wr_le32(&b, 0);
	yg_wr_le64(&b, counter);
	yg_wr_le32(&b, (uint32_t)encoded.n);
	yg_wr_le32(&b, 0);
	yg_buf_put(&b, encoded);
	yg_status st = b.bad ? YG_FAIL(err, YG_NOMEM, "marks") : YG_OK;
	if (st == YG_OK) {
		uint32_t crc = yg_crc32c(0, b.p + 8, b.n - 8);
		memcpy(b.p + 4, &crc, 4);
		(void)io->reserve(io->ctx, k->marks_fd, 2 * MARKS_SLOT);
		st = write_at(io, k->marks_fd, b.p, b.n, counter % 2 * MARKS_SLOT, "marks", err);
	}
	int rc = st == YG_OK ? io->sync(io->ctx, k->marks_fd) : 0;
	if (rc != 0)
		st = YG_FAIL_OS(err, -rc, "marks");
	if (st == YG_OK)
		k->marks_counter = counter;
	yg_buf_free(&b);
	return st;
}
