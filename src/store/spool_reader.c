/* Batches in order; damage is set aside.  One thread per reader; it shares
 * nothing with the front but the files, whose length the limit bounds. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "store/spool_internal.h"

struct yg_spool_reader {
	struct yg_spool_conf conf;
	const struct yg_spool_io *io;
	uint64_t after;   /* newest batch given or passed over */
	uint64_t segment; /* open one, by its first seq */
	int fd;
	bool whole; /* the open segment is closed for writing and scan.size is all of it */
	struct yg_spool_scan scan;
	struct yg_buf body;
	uint64_t damaged, damaged_bytes;
};

static ssize_t reader_read(void *ctx, void *buf, size_t n, uint64_t at)
{
	struct yg_spool_reader *r = ctx;
	if (at >= r->scan.size)
		return 0;
	return spool_read_all(r->io, r->fd, buf, (size_t)YG_MIN((uint64_t)n, r->scan.size - at),
			      at);
}

yg_status yg_spool_reader_open(const struct yg_spool_conf *conf, uint64_t after,
			       struct yg_spool_reader **out, struct yg_err *err)
{
	struct yg_spool_reader *r = calloc(1, sizeof *r);
	if (r == NULL)
		return YG_FAIL(err, YG_NOMEM, "spool reader");
	r->conf = *conf;
	r->io = spool_io(conf);
	r->after = after;
	r->fd = -1;
	r->scan.read = reader_read;
	r->scan.ctx = r;
	yg_buf_init(&r->body, YG_BATCH_MAX);
	*out = r;
	return YG_OK;
}

void yg_spool_reader_close(struct yg_spool_reader *r)
{
	if (r == NULL)
		return;
	spool_close_fd(&r->fd);
	yg_buf_free(&r->body);
	free(r);
}

uint64_t yg_spool_reader_damaged(const struct yg_spool_reader *r)
{
	return r->damaged;
}
uint64_t yg_spool_reader_damaged_bytes(const struct yg_spool_reader *r)
{
	return r->damaged_bytes;
}

/* Copies bytes from..to of the open segment away and counts them. */
static void damage(struct yg_spool_reader *r, uint64_t from, uint64_t to, const char *why)
{
	char name[128];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	yg_sb_printf(&b, "spool-%u-%llu-at-%llu.damaged", r->conf.number,
		     (unsigned long long)r->segment, (unsigned long long)from);
	char *p = malloc((size_t)(to - from) + 1);
	ssize_t got = p != NULL ? reader_read(r, p, (size_t)(to - from), from) : -ENOMEM;
	if (got > 0 && yg_spool_set_aside(&r->conf, yg_sb_cstr(&b), (struct yg_sv){"", 0},
					  (struct yg_sv){p, (size_t)got}, NULL) != YG_OK)
		why = "damaged bytes could not even be set aside";
	free(p);
	r->damaged++;
	r->damaged_bytes += to - from;
	spool_report(&r->conf, YG_SPOOL_DAMAGED, r->after, to - from, why);
}

/* The segment to begin with, or the one behind the open one.  YG_NOTFOUND: none. */
static yg_status next_segment(struct yg_spool_reader *r, uint64_t *out, struct yg_err *err)
{
	uint64_t *firsts = NULL, pick = 0;
	size_t n = 0;
	yg_status st = spool_list(r->conf.dir, "seg-", &firsts, &n, err);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; i < n; i++) {
		/* At the start: the last one that may hold what comes next. */
		bool start = r->segment == 0 && firsts[i] <= r->after + 1;
		if (start || (firsts[i] > r->segment && pick == 0))
			pick = firsts[i];
	}
	free(firsts);
	*out = pick;
	return pick != 0 ? YG_OK : YG_NOTFOUND;
}

static yg_status open_segment(struct yg_spool_reader *r, struct yg_spool_limit limit,
			      struct yg_err *err)
{
	uint64_t first, named;
	char path[SPOOL_PATH];
	struct stat sb;
	struct yg_err why;
	yg_status st = next_segment(r, &first, err);
	if (st != YG_OK)
		return st;
	if (!spool_seg_path(r->conf.dir, first, path))
		return YG_FAIL(err, YG_LIMIT, "the spool's path is too long");
	int fd = r->io->open(r->io->ctx, path, O_RDONLY);
	if (fd < 0)
		return YG_FAIL_OS(err, -fd, "'%s'", path);
	if (fstat(fd, &sb) != 0) {
		(void)close(fd);
		return YG_FAIL_OS(err, errno, "'%s'", path);
	}
	spool_close_fd(&r->fd);
	r->fd = fd;
	uint64_t before = r->segment;
	r->segment = first;
	r->whole = first != limit.segment;
	r->scan.size = r->whole ? (uint64_t)sb.st_size : limit.at;
	st = yg_spool_scan_open(&r->scan, r->conf.number, &named, &why);
	if (st == YG_CORRUPT && r->scan.size > 0) {
		damage(r, 0, r->scan.size, "a spool segment's head is damaged");
		r->scan.at = r->scan.size;
	} else if (st != YG_OK && st != YG_CORRUPT) {
		r->segment = before; /* the same one is tried again */
		return YG_FAIL(err, st, "%s", why.msg);
	}
	return YG_OK;
}

static yg_status body_read(struct yg_spool_reader *r, const struct yg_spool_place *place,
			   bool *good, struct yg_err *err)
{
	*good = place->body_n <= YG_BATCH_MAX;
	if (!*good)
		return YG_OK;
	r->body.n = 0;
	r->body.bad = false;
	char *p = yg_buf_room(&r->body, place->body_n);
	if (p == NULL && place->body_n > 0)
		return YG_FAIL(err, YG_NOMEM, "a batch of %u bytes", place->body_n);
	ssize_t got = reader_read(r, p, place->body_n, place->body_at);
	if (got < 0)
		return YG_FAIL_OS(err, (int)-got, "reading the spool");
	r->body.n = (size_t)got;
	*good = r->body.n == place->body_n && yg_crc32c(0, r->body.p, r->body.n) == place->body_crc;
	return YG_OK;
}

/* One step in the open segment.  YG_AGAIN: look further. */
static yg_status step(struct yg_spool_reader *r, struct yg_spool_batch *out, struct yg_err *err)
{
	struct yg_spool_place place;
	uint64_t at = r->scan.at, last = r->scan.last;
	switch (yg_spool_scan_next(&r->scan, out, &place, err)) {
	case YG_SPOOL_FOUND_ERROR: r->scan.at = at; return YG_IO;
	case YG_SPOOL_FOUND_END: return YG_NOTFOUND;
	case YG_SPOOL_FOUND_DAMAGE:
		damage(r, place.from, place.to, "bytes between batches are damaged");
		return YG_AGAIN;
	case YG_SPOOL_FOUND_RECORD: break;
	}
	if (out->seq <= r->after)
		return YG_AGAIN;
	bool good;
	yg_status st = body_read(r, &place, &good, err);
	if (st != YG_OK) {
		r->scan.at = at;
		r->scan.last = last;
		return st;
	}
	r->after = out->seq;
	if (!good) {
		damage(r, place.from, place.to, "a batch is damaged");
		return YG_AGAIN;
	}
	out->body = yg_buf_sv(&r->body);
	return YG_OK;
}

/* How far the open segment may be read.  The writer may have gone on to a new
 * segment since the last call: then the rest of this one is still to be read. */
static yg_status reach(struct yg_spool_reader *r, struct yg_spool_limit limit, struct yg_err *err)
{
	struct stat sb;
	if (r->fd < 0 || r->whole)
		return YG_OK;
	if (r->segment == limit.segment) {
		r->scan.size = limit.at;
		return YG_OK;
	}
	if (fstat(r->fd, &sb) != 0)
		return YG_FAIL_OS(err, errno, "a spool segment");
	r->scan.size = (uint64_t)sb.st_size;
	r->whole = true;
	return YG_OK;
}

static yg_status find_next(struct yg_spool_reader *r, struct yg_spool_limit limit,
			   struct yg_spool_batch *out, struct yg_err *err)
{
	while (r->after < limit.seq) {
		yg_status st = reach(r, limit, err);
		if (st == YG_OK)
			st = r->fd >= 0 ? step(r, out, err) : YG_NOTFOUND;
		if (st == YG_AGAIN)
			continue;
		if (st != YG_NOTFOUND)
			return st;
		if (r->fd >= 0 && r->segment == limit.segment) {
			r->after = limit.seq; /* what was missing is damaged and counted */
			break;
		}
		st = open_segment(r, limit, err);
		if (st == YG_NOTFOUND)
			r->after = limit.seq;
		else if (st != YG_OK)
			return st;
	}
	return YG_NOTFOUND;
}

yg_status yg_spool_reader_next(struct yg_spool_reader *r, struct yg_spool_limit limit,
			       struct yg_spool_batch *out, struct yg_err *err)
{
	yg_status st = find_next(r, limit, out, err);
	if (st != YG_OK) /* what was looked at on the way is not a batch */
		*out = (struct yg_spool_batch){.body = {"", 0}};
	return st;
}

/* ---- the marker of the batch being processed ---- */
yg_status yg_spool_busy_open(const struct yg_spool_conf *conf, struct yg_spool_busy *out,
			     int *out_fd, struct yg_err *err)
{
	const struct yg_spool_io *io = spool_io(conf);
	char path[SPOOL_PATH];
	uint8_t raw[16];
	if (!spool_path(conf->dir, "busy", path))
		return YG_FAIL(err, YG_LIMIT, "the spool's path is too long");
	int fd = io->open(io->ctx, path, O_RDWR | O_CREAT);
	if (fd < 0)
		return YG_FAIL_OS(err, -fd, "'%s'", path);
	*out = (struct yg_spool_busy){0};
	if (spool_read_all(io, fd, raw, sizeof raw, 0) == (ssize_t)sizeof raw) {
		struct yg_rd r = yg_rd_init(raw, sizeof raw);
		out->seq = yg_rd_le64(&r);
		out->deaths = yg_rd_le32(&r);
		if (yg_rd_le32(&r) != yg_crc32c(0, raw, 12))
			*out = (struct yg_spool_busy){0};
	}
	if (out->seq != 0)
		out->deaths++;
	*out_fd = fd;
	return YG_OK;
}

void yg_spool_busy_set(const struct yg_spool_conf *conf, int fd, uint64_t seq, uint32_t deaths)
{
	const struct yg_spool_io *io = spool_io(conf);
	uint8_t raw[16];
	memcpy(raw, &seq, 8);
	memcpy(raw + 8, &deaths, 4);
	uint32_t crc = yg_crc32c(0, raw, 12);
	memcpy(raw + 12, &crc, 4);
	struct iovec iov = {raw, sizeof raw};
	/* No sync: it has to outlive the process, not the machine.  A refused write
	 * only makes a poison batch be found later. */
	(void)io->pwritev(io->ctx, fd, &iov, 1, 0);
}
