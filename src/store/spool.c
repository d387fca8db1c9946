/* The front of the spool: recovery, groups of appends, release of segments. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "store/spool_internal.h"

struct seg {
	uint64_t first, last; /* last < first: empty */
	uint64_t bytes;
};
struct rec {
	struct yg_spool_batch b;
	struct spool_fp fp;
	bool has_id;
};
struct group {
	uint64_t id;
	struct rec *recs; /* owned */
	size_t n, cap;
	uint64_t bytes;
};
/* The segment being written; between take and end it belongs to the commit side. */
struct writer {
	int fd;
	uint64_t first, at;
	uint8_t key[16];
	bool made; /* by this commit */
	yg_status st;
	struct yg_err err;
};
struct release {
	uint64_t upto;    /* asked for */
	size_t segs;      /* taken: leading segments to remove */
	uint64_t *firsts; /* owned; their names: the front may move its array meanwhile */
	struct spool_seen_entry *keep; /* owned */
	size_t keep_n;
	struct yg_buf marks;
	yg_status st;
	struct yg_err err;
	bool taken;
};
struct yg_spool {
	struct yg_spool_conf conf;
	const struct yg_spool_io *io;
	struct seg *segs; /* owned; oldest first; the last one is never removed */
	size_t seg_n, seg_cap;
	uint64_t next, durable;
	struct spool_seen seen;
	struct spool_marks marks;
	struct spool_keep keep;
	struct group open, taken;
	bool committing;
	struct writer w;
	struct release rel;
	bool torn; /* the newest segment has a tail to cut */
	struct yg_spool_counts c;
};

static yg_status seg_add(struct yg_spool *sp, struct seg s, struct yg_err *err)
{
	if (sp->seg_n == sp->seg_cap) {
		size_t cap = sp->seg_cap == 0 ? 64 : sp->seg_cap * 2;
		struct seg *more = realloc(sp->segs, cap * sizeof *more);
		if (more == NULL)
			return YG_FAIL(err, YG_NOMEM, "spool segments");
		sp->segs = more;
		sp->seg_cap = cap;
	}
	sp->segs[sp->seg_n++] = s;
	sp->c.bytes += s.bytes;
	return YG_OK;
}

/* ---- recovery ---- */
struct fd_read {
	const struct yg_spool_io *io;
	int fd;
};
static ssize_t fd_read(void *ctx, void *buf, size_t n, uint64_t at)
{
	struct fd_read *f = ctx;
	return spool_read_all(f->io, f->fd, buf, n, at);
}

static yg_status record_known(struct yg_spool *sp, const struct yg_spool_batch *b,
			      struct yg_err *err)
{
	yg_status st = YG_OK;
	if (b->batch_id.n > 0)
		st = spool_seen_add(&sp->seen, spool_seen_fp(&sp->seen, b->org, b->batch_id),
				    b->seq);
	if (st == YG_OK && b->mark_key.n > 0 &&
	    spool_marks_set(&sp->marks, b->mark_key, b->mark, b->seq, &st))
		spool_report(&sp->conf, YG_SPOOL_MARKS_FULL, b->seq, 0, "too many followed files");
	return st == YG_OK ? YG_OK : YG_FAIL(err, YG_NOMEM, "tables of the spool");
}

static yg_status body_check(struct yg_spool *sp, int fd, const struct yg_spool_place *place,
			    bool *out_good, struct yg_err *err)
{
	char buf[8192];
	uint32_t crc = 0;
	for (uint64_t at = 0; at < place->body_n;) {
		size_t want = (size_t)YG_MIN((uint64_t)sizeof buf, place->body_n - at);
		ssize_t got = spool_read_all(sp->io, fd, buf, want, place->body_at + at);
		if (got <= 0)
			return YG_FAIL_OS(err, got == 0 ? EIO : (int)-got, "spool segment");
		crc = yg_crc32c(crc, buf, (size_t)got);
		at += (size_t)got;
	}
	*out_good = crc == place->body_crc;
	return YG_OK;
}

/* What a death in the middle of a write left behind the last whole record does
 * not count; it is cut off by tail_cut(). */
static void tail_torn(struct yg_spool *sp, int fd, struct seg *seg, uint64_t end)
{
	uint64_t torn = seg->bytes - end;
	char name[128];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	yg_sb_printf(&b, "spool-%u-%llu.torn", sp->conf.number, (unsigned long long)seg->last);
	struct yg_buf bytes;
	yg_status kept = YG_OK;
	yg_buf_init(&bytes, YG_BATCH_MAX + (1u << 20));
	char *p = yg_buf_room(&bytes, (size_t)YG_MIN(torn, bytes.limit));
	if (p != NULL) { /* a help for people; the bytes were never acknowledged */
		ssize_t got = spool_read_all(sp->io, fd, p, (size_t)YG_MIN(torn, bytes.limit), end);
		if (got > 0)
			kept = yg_spool_set_aside(&sp->conf, yg_sb_cstr(&b), (struct yg_sv){"", 0},
						  (struct yg_sv){p, (size_t)got}, NULL);
	}
	yg_buf_free(&bytes);
	sp->c.torn_bytes += torn;
	seg->bytes = end;
	sp->torn = true;
	/* Numbers of records that were cut are not given again. */
	sp->next = YG_MAX(sp->next, seg->last + torn / REC_FIXED + 2);
	spool_report(&sp->conf, YG_SPOOL_TORN, seg->last, torn,
		     kept == YG_OK ? "a torn tail was cut"
				   : "a torn tail was cut and could not be set aside");
}

static yg_status seg_scan(struct yg_spool *sp, int fd, struct yg_spool_scan *s, struct seg *seg,
			  bool newest, struct yg_err *err)
{
	struct yg_spool_batch b;
	struct yg_spool_place place;
	uint64_t end = s->at;
	for (;;) {
		enum yg_spool_found found = yg_spool_scan_next(s, &b, &place, err);
		if (found == YG_SPOOL_FOUND_ERROR)
			return YG_IO;
		if (found == YG_SPOOL_FOUND_END)
			break;
		if (found == YG_SPOOL_FOUND_DAMAGE)
			continue; /* the reader sets it aside when it comes to it */
		sp->next = YG_MAX(sp->next, b.seq + 1);
		bool good = true;
		yg_status st = newest ? body_check(sp, fd, &place, &good, err) : YG_OK;
		if (st == YG_OK && good)
			st = record_known(sp, &b, err);
		if (st != YG_OK)
			return st;
		if (good) {
			end = place.to;
			seg->last = b.seq;
		}
	}
	if (newest && end < seg->bytes)
		tail_torn(sp, fd, seg, end);
	return YG_OK;
}

static yg_status seg_recover(struct yg_spool *sp, uint64_t first, bool newest, struct yg_err *err)
{
	char path[SPOOL_PATH];
	struct stat sb;
	if (!spool_seg_path(sp->conf.dir, first, path))
		return YG_FAIL(err, YG_LIMIT, "the spool's path is too long");
	YG_AUTO(spool_close_fd)
	int fd = sp->io->open(sp->io->ctx, path, newest ? O_RDWR : O_RDONLY);
	if (fd < 0)
		return YG_FAIL_OS(err, -fd, "'%s'", path);
	if (fstat(fd, &sb) != 0)
		return YG_FAIL_OS(err, errno, "'%s'", path);
	struct fd_read f = {sp->io, fd};
	struct yg_spool_scan s = {.read = fd_read, .ctx = &f, .size = (uint64_t)sb.st_size};
	struct seg seg = {.first = first, .last = first - 1, .bytes = (uint64_t)sb.st_size};
	uint64_t named;
	struct yg_err why;
	sp->next = YG_MAX(sp->next, first);
	yg_status st = yg_spool_scan_open(&s, sp->conf.number, &named, &why);
	if (st == YG_CORRUPT && newest && seg.bytes <= SEG_HEAD) {
		/* It died while it was made: nothing was ever written to it. */
		int rc = sp->io->unlink(sp->io->ctx, path);
		sp->c.torn_bytes += seg.bytes;
		sp->next = YG_MAX(sp->next, first + 1);
		return rc == 0 ? YG_OK : YG_FAIL_OS(err, -rc, "'%s'", path);
	}
	if (st == YG_CORRUPT) { /* the reader sets it aside whole */
		sp->next = YG_MAX(sp->next, first + seg.bytes / REC_FIXED + 1);
		seg.last = sp->next - 1;
		return seg_add(sp, seg, err);
	}
	if (st != YG_OK || named != first) {
		return YG_FAIL(err, st != YG_OK ? st : YG_CORRUPT, "'%s': %s", path,
			       st != YG_OK ? why.msg : "name and head differ");
	}
	st = seg_scan(sp, fd, &s, &seg, newest, err);
	if (st == YG_OK && newest && seg.bytes == SEG_HEAD && sp->next == first) {
		sp->w.fd = fd; /* empty: written on */
		sp->w.first = first;
		sp->w.at = SEG_HEAD;
		memcpy(sp->w.key, s.key, sizeof s.key);
		fd = -1;
	}
	return st == YG_OK ? seg_add(sp, seg, err) : st;
}

static int seg_make(struct yg_spool *sp, uint64_t first, struct yg_err *err);

/* First a new segment, whose name keeps the numbers of the records that are cut
 * from being given again; then the cut.  Without space for that the tail stays:
 * it is behind what readers may see, and the next start finds it again. */
static yg_status tail_cut(struct yg_spool *sp, struct yg_err *err)
{
	char path[SPOOL_PATH];
	struct seg torn = sp->segs[sp->seg_n - 1];
	if (seg_make(sp, sp->next, NULL) != 0) {
		if (sp->w.made && spool_seg_path(sp->conf.dir, sp->next, path))
			(void)sp->io->unlink(sp->io->ctx, path);
		spool_close_fd(&sp->w.fd);
		return YG_OK;
	}
	yg_status st = seg_add(sp, (struct seg){sp->next, sp->next - 1, SEG_HEAD}, err);
	if (st != YG_OK || !spool_seg_path(sp->conf.dir, torn.first, path))
		return st;
	YG_AUTO(spool_close_fd) int fd = sp->io->open(sp->io->ctx, path, O_RDWR);
	if (fd < 0)
		return YG_FAIL_OS(err, -fd, "'%s'", path);
	int rc = sp->io->truncate(sp->io->ctx, fd, (off_t)torn.bytes);
	if (rc == 0)
		rc = sp->io->sync(sp->io->ctx, fd);
	return rc == 0 ? YG_OK : YG_FAIL_OS(err, -rc, "cutting the torn tail of '%s'", path);
}

static yg_status recover(struct yg_spool *sp, struct yg_err *err)
{
	uint64_t *firsts = NULL;
	size_t n = 0;
	yg_status st = spool_list(sp->conf.dir, "seg-", &firsts, &n, err);
	for (size_t i = 0; i < n && st == YG_OK; i++)
		st = seg_recover(sp, firsts[i], i + 1 == n, err);
	free(firsts);
	if (st != YG_OK)
		return st;
	if (n == 0) { /* a new folder: see the head of spool.h */
		int64_t ms = yg_env_wall(sp->conf.env).us / 1000;
		sp->next = ms > 0 ? (uint64_t)ms : 1;
	}
	sp->next = YG_MAX(sp->next, sp->conf.floor + 1);
	for (size_t i = 0; i < sp->seg_n; i++) {
		if (sp->segs[i].last >= sp->segs[i].first)
			sp->durable = sp->segs[i].last;
	}
	return sp->torn && sp->seg_n > 0 ? tail_cut(sp, err) : YG_OK;
}

yg_status yg_spool_open(const struct yg_spool_conf *conf, struct yg_spool **out, struct yg_err *err)
{
	uint8_t key[32];
	struct yg_spool *sp = calloc(1, sizeof *sp);
	if (sp == NULL)
		return YG_FAIL(err, YG_NOMEM, "spool");
	sp->conf = *conf;
	sp->io = spool_io(conf);
	sp->w.fd = -1;
	sp->next = 1;
	sp->open.id = 1;
	if (sp->conf.segment_bytes ==
	    0) /* several segments fit the bound, so that space comes back */
		sp->conf.segment_bytes =
			YG_MIN(YG_SPOOL_SEGMENT_BYTES, conf->most_bytes / 8 + SEG_HEAD);
	sp->c.most_bytes = conf->most_bytes;
	yg_buf_init(&sp->rel.marks, SIZE_MAX / 2);
	yg_status st = spool_keep_open(conf, &sp->keep, key, err);
	if (st == YG_OK)
		st = spool_seen_init(&sp->seen,
				     conf->seen_most != 0 ? conf->seen_most : YG_SEEN_MAX, key);
	if (st == YG_OK)
		st = spool_keep_load(conf, &sp->keep, &sp->seen, &sp->marks, err);
	if (st == YG_OK)
		st = recover(sp, err);
	if (st != YG_OK) {
		yg_spool_close(sp);
		return st;
	}
	*out = sp;
	return YG_OK;
}

void yg_spool_close(struct yg_spool *sp)
{
	if (sp == NULL)
		return;
	spool_close_fd(&sp->w.fd);
	spool_keep_close(&sp->keep);
	spool_seen_free(&sp->seen);
	yg_buf_free(&sp->rel.marks);
	free(sp->marks.m);
	free(sp->rel.keep);
	free(sp->rel.firsts);
	free(sp->open.recs);
	free(sp->taken.recs);
	free(sp->segs);
	free(sp);
}

/* ---- appending ---- */
static uint64_t rec_bytes(const struct yg_spool_batch *b)
{
	size_t meta = REC_FIXED + 6 * 4 + b->org.n + b->sensor.n + b->mapping.n + b->batch_id.n +
		      b->mark_key.n + b->mark.n;
	return meta + spool_pad(meta) + b->body.n + spool_pad(b->body.n);
}

bool yg_spool_has_room(const struct yg_spool *sp, uint64_t bytes)
{
	uint64_t used = sp->c.bytes + sp->open.bytes + sp->taken.bytes + SEG_HEAD;
	return used <= sp->conf.most_bytes && bytes <= sp->conf.most_bytes - used;
}

static yg_status batch_check(const struct yg_spool_batch *b, struct yg_err *err)
{
	if (b->org.n == 0 || b->org.n > YG_ORG_NAME_MAX || b->sensor.n > YG_SPOOL_SENSOR_MAX ||
	    b->mapping.n > YG_SPOOL_MAPPING_MAX || b->batch_id.n > YG_BATCH_ID_MAX ||
	    b->mark_key.n > YG_SPOOL_MARK_KEY_MAX || b->mark.n > YG_SPOOL_MARK_MAX)
		return YG_FAIL(err, YG_INVAL, "a field of the batch is missing or too long");
	if (b->body.n > YG_BATCH_MAX)
		return YG_FAIL(err, YG_TOOBIG, "a batch of %zu bytes; the most is %u", b->body.n,
			       (unsigned)YG_BATCH_MAX);
	return YG_OK;
}

static yg_status group_room(struct group *g)
{
	if (g->n < g->cap)
		return YG_OK;
	size_t cap = g->cap == 0 ? 64 : g->cap * 2;
	struct rec *more = realloc(g->recs, cap * sizeof *more);
	if (more == NULL)
		return YG_NOMEM;
	g->recs = more;
	g->cap = cap;
	return YG_OK;
}

/* Which group has to end before a duplicate of `seq` may be answered. */
static uint64_t group_of(const struct yg_spool *sp, uint64_t seq)
{
	if (sp->open.n > 0 && seq >= sp->open.recs[0].b.seq)
		return sp->open.id;
	return sp->committing && seq >= sp->taken.recs[0].b.seq ? sp->taken.id : 0;
}

yg_status yg_spool_append(struct yg_spool *sp, struct yg_spool_batch *b, struct yg_spool_taken *out,
			  struct yg_err *err)
{
	struct rec r = {.has_id = b->batch_id.n > 0};
	yg_status st = batch_check(b, err);
	if (st != YG_OK)
		return st;
	if (r.has_id) {
		r.fp = spool_seen_fp(&sp->seen, b->org, b->batch_id);
		uint64_t seq = spool_seen_find(&sp->seen, r.fp);
		if (seq != 0) {
			sp->c.duplicates++;
			*out = (struct yg_spool_taken){seq, group_of(sp, seq), true};
			return YG_OK;
		}
	}
	uint64_t bytes = rec_bytes(b);
	if (!yg_spool_has_room(sp, bytes)) {
		sp->c.refused_full++;
		return YG_FAIL(err, YG_LIMIT, "the spool is at its bound of %llu bytes",
			       (unsigned long long)sp->conf.most_bytes);
	}
	if (group_room(&sp->open) != YG_OK ||
	    (r.has_id && spool_seen_add(&sp->seen, r.fp, sp->next) != YG_OK))
		return YG_FAIL(err, YG_NOMEM, "spool group");
	b->seq = sp->next++;
	r.b = *b;
	sp->open.recs[sp->open.n++] = r;
	sp->open.bytes += bytes;
	*out = (struct yg_spool_taken){b->seq, sp->open.id, false};
	return YG_OK;
}

bool yg_spool_commit_take(struct yg_spool *sp)
{
	if (sp->committing || sp->open.n == 0)
		return false;
	struct group spare = sp->taken;
	sp->taken = sp->open;
	sp->open = (struct group){.id = sp->taken.id + 1, .recs = spare.recs, .cap = spare.cap};
	sp->committing = true;
	return true;
}

static int seg_make(struct yg_spool *sp, uint64_t first, struct yg_err *err)
{
	struct writer *w = &sp->w;
	uint8_t head[SEG_HEAD];
	char path[SPOOL_PATH];
	spool_close_fd(&w->fd);
	sp->conf.env->random(sp->conf.env->ctx, w->key, sizeof w->key);
	spool_seg_head(head, sp->conf.number, first, yg_env_wall(sp->conf.env), w->key);
	if (!spool_seg_path(sp->conf.dir, first, path))
		return -ENAMETOOLONG;
	int fd = sp->io->open(sp->io->ctx, path, O_RDWR | O_CREAT | O_EXCL);
	if (fd < 0) {
		(void)YG_FAIL_OS(err, -fd, "making '%s'", path);
		return fd;
	}
	w->fd = fd;
	w->first = first;
	w->at = SEG_HEAD;
	w->made = true;
	struct iovec iov = {head, sizeof head};
	int rc = spool_write_all(sp->io, fd, &iov, 1, 0);
	if (rc == 0)
		rc = sp->io->sync(sp->io->ctx, fd);
	if (rc != 0)
		(void)YG_FAIL_OS(err, -rc, "writing '%s'", path);
	else if (spool_sync_dir(sp->io, sp->conf.dir, err) != YG_OK)
		rc = -EIO;
	return rc;
}

static yg_status group_iov(const struct group *g, const uint8_t key[static 16],
			   struct yg_buf *heads, struct iovec **out, size_t *out_n)
{
	static const char zero[REC_ALIGN];
	struct iovec *iov = malloc((2 * g->n + 1) * sizeof *iov);
	if (iov == NULL)
		return YG_NOMEM;
	for (size_t i = 0; i < g->n; i++) {
		size_t at = heads->n;
		if (i > 0) /* the padding of the one before goes with this head */
			yg_buf_put(heads, (struct yg_sv){zero, spool_pad(g->recs[i - 1].b.body.n)});
		spool_rec_head(heads, &g->recs[i].b, key);
		union {
			const char *c;
			void *v;
		} body = {.c = g->recs[i].b.body.p};
		iov[2 * i].iov_len = heads->n - at;
		iov[2 * i + 1] = (struct iovec){body.v, g->recs[i].b.body.n};
	}
	iov[2 * g->n].iov_len = spool_pad(g->recs[g->n - 1].b.body.n);
	yg_buf_put(heads, (struct yg_sv){zero, iov[2 * g->n].iov_len});
	if (heads->bad) {
		free(iov);
		return YG_NOMEM;
	}
	size_t at = 0;
	for (size_t i = 0; i <= g->n; i++) { /* only now the buffer stays where it is */
		iov[2 * i].iov_base = heads->p + at;
		at += iov[2 * i].iov_len;
	}
	*out = iov;
	*out_n = 2 * g->n + 1;
	return YG_OK;
}

/* Undoes what a refused write or sync may have left. */
static yg_status group_undo(struct yg_spool *sp, int rc)
{
	struct writer *w = &sp->w;
	int undo = 0;
	if (w->made) {
		char path[SPOOL_PATH];
		undo = spool_seg_path(sp->conf.dir, w->first, path)
			       ? sp->io->unlink(sp->io->ctx, path)
			       : -ENAMETOOLONG;
		if (undo == 0 && spool_sync_dir(sp->io, sp->conf.dir, NULL) != YG_OK)
			undo = -EIO;
		spool_close_fd(&w->fd);
	} else if (w->fd >= 0) {
		undo = sp->io->truncate(sp->io->ctx, w->fd, (off_t)w->at);
		if (undo == 0)
			undo = sp->io->sync(sp->io->ctx, w->fd);
		if (rc != -ENOSPC &&
		    rc != -EDQUOT) /* pages of a failed sync are not trusted again */
			spool_close_fd(&w->fd);
	}
	if (undo != 0)
		return YG_FAIL(&w->err, YG_CORRUPT,
			       "the spool could not be put back after a failed write");
	if (rc == -ENOSPC || rc == -EDQUOT)
		return YG_FAIL(&w->err, YG_LIMIT, "no space is left for the spool");
	return YG_FAIL_OS(&w->err, -rc, "writing to the spool");
}

void yg_spool_commit_run(struct yg_spool *sp)
{
	struct writer *w = &sp->w;
	struct group *g = &sp->taken;
	struct iovec *iov = NULL;
	size_t n = 0;
	int rc = 0;
	w->made = false;
	if (w->fd < 0 || (w->at > SEG_HEAD && w->at + g->bytes > sp->conf.segment_bytes))
		rc = seg_make(sp, g->recs[0].b.seq, &w->err);
	struct yg_buf heads;
	yg_buf_init(&heads, SIZE_MAX / 2);
	if (rc == 0)
		rc = group_iov(g, w->key, &heads, &iov, &n) == YG_OK ? 0 : -ENOMEM;
	if (rc == 0)
		rc = spool_write_all(sp->io, w->fd, iov, n, (off_t)w->at);
	if (rc == 0)
		rc = sp->io->sync(sp->io->ctx, w->fd);
	free(iov);
	yg_buf_free(&heads);
	w->st = rc == 0 ? YG_OK : group_undo(sp, rc);
	if (rc == 0)
		w->at += g->bytes;
}

static yg_status group_keep(struct yg_spool *sp, struct yg_err *err)
{
	struct group *g = &sp->taken;
	struct writer *w = &sp->w;
	yg_status st = YG_OK;
	if (sp->seg_n == 0 || sp->segs[sp->seg_n - 1].first != w->first)
		st = seg_add(sp, (struct seg){w->first, w->first - 1, SEG_HEAD}, err);
	if (st != YG_OK)
		return YG_CORRUPT; /* on disk but not in our tables: recover */
	struct seg *s = &sp->segs[sp->seg_n - 1];
	s->last = g->recs[g->n - 1].b.seq;
	s->bytes += g->bytes;
	sp->c.bytes += g->bytes;
	sp->durable = s->last;
	sp->c.appended += g->n;
	for (size_t i = 0; i < g->n; i++) {
		const struct yg_spool_batch *b = &g->recs[i].b;
		if (b->mark_key.n == 0)
			continue;
		if (spool_marks_set(&sp->marks, b->mark_key, b->mark, b->seq, &st))
			spool_report(&sp->conf, YG_SPOOL_MARKS_FULL, b->seq, 0,
				     "too many followed files");
		if (st != YG_OK)
			return YG_FAIL(err, YG_CORRUPT, "no memory for a mark that is on disk");
	}
	return YG_OK;
}

yg_status yg_spool_commit_end(struct yg_spool *sp, uint64_t *out_group, struct yg_err *err)
{
	struct group *g = &sp->taken;
	yg_status st = sp->w.st;
	*out_group = g->id;
	sp->c.groups++;
	if (st == YG_OK) {
		st = group_keep(sp, err);
	} else {
		sp->c.failed_groups++;
		if (err != NULL)
			*err = sp->w.err;
		for (size_t i = 0; i < g->n; i++) {
			if (g->recs[i].has_id)
				spool_seen_drop(&sp->seen, g->recs[i].fp);
		}
	}
	g->n = 0;
	g->bytes = 0;
	sp->committing = false;
	return st;
}

yg_status yg_spool_commit(struct yg_spool *sp, struct yg_err *err)
{
	uint64_t group;
	if (!yg_spool_commit_take(sp))
		return YG_OK;
	yg_spool_commit_run(sp);
	return yg_spool_commit_end(sp, &group, err);
}

/* ---- release ---- */
void yg_spool_release(struct yg_spool *sp, uint64_t seq)
{
	sp->rel.upto = YG_MAX(sp->rel.upto, seq);
}

bool yg_spool_release_take(struct yg_spool *sp)
{
	struct release *r = &sp->rel;
	size_t k = 0;
	if (r->taken)
		return false;
	while (k + 1 < sp->seg_n && sp->segs[k].last <= r->upto)
		k++;
	if (k == 0)
		return false;
	uint64_t last = sp->segs[k - 1].last;
	struct spool_seen_entry *keep = malloc((sp->seen.n + 1) * sizeof *keep);
	uint64_t *firsts = malloc(k * sizeof *firsts);
	if (keep == NULL || firsts == NULL) {
		free(keep);
		free(firsts);
		return false; /* tried again with the next release */
	}
	for (size_t i = 0; i < k; i++)
		firsts[i] = sp->segs[i].first;
	size_t n = 0;
	for (uint32_t i = 0; i < sp->seen.n; i++) {
		struct spool_seen_entry e = sp->seen.ring[(sp->seen.head + i) % sp->seen.cap];
		if (e.seq > sp->keep.kept_seq && e.seq <= last)
			keep[n++] = e;
	}
	r->keep = keep;
	r->firsts = firsts;
	r->keep_n = n;
	r->marks.n = 0;
	r->marks.bad = false;
	spool_marks_encode(&sp->marks, sp->durable, &r->marks);
	r->segs = k;
	r->taken = true;
	return true;
}

void yg_spool_release_run(struct yg_spool *sp)
{
	struct release *r = &sp->rel;
	r->st = r->marks.bad ? YG_FAIL(&r->err, YG_NOMEM, "marks") : YG_OK;
	if (r->st == YG_OK)
		r->st = spool_keep_seen(&sp->conf, &sp->keep, r->keep, r->keep_n, &r->err);
	if (r->st == YG_OK)
		r->st = spool_keep_marks(&sp->conf, &sp->keep, yg_buf_sv(&r->marks), &r->err);
	size_t gone = 0;
	for (; gone < r->segs && r->st == YG_OK; gone++) {
		char path[SPOOL_PATH];
		if (!spool_seg_path(sp->conf.dir, r->firsts[gone], path)) {
			r->st = YG_FAIL(&r->err, YG_LIMIT, "the spool's path is too long");
			break;
		}
		int rc = sp->io->unlink(sp->io->ctx, path);
		if (rc != 0) {
			r->st = YG_FAIL_OS(&r->err, -rc, "removing '%s'", path);
			break;
		}
	}
	r->segs = gone;
}

yg_status yg_spool_release_end(struct yg_spool *sp, struct yg_err *err)
{
	struct release *r = &sp->rel;
	for (size_t i = 0; i < r->segs; i++)
		sp->c.bytes -= sp->segs[i].bytes;
	memmove(sp->segs, sp->segs + r->segs, (sp->seg_n - r->segs) * sizeof *sp->segs);
	sp->seg_n -= r->segs;
	r->segs = 0;
	r->taken = false;
	free(r->keep);
	free(r->firsts);
	r->keep = NULL;
	r->firsts = NULL;
	if (r->st != YG_OK && err != NULL)
		*err = r->err;
	return r->st;
}

/* ---- looking ---- */
void yg_spool_counts(const struct yg_spool *sp, struct yg_spool_counts *out)
{
	*out = sp->c;
	out->segments = sp->seg_n;
	out->first = sp->seg_n > 0 ? sp->segs[0].first : 0;
	out->durable = sp->durable;
	out->released = sp->rel.upto;
	out->seen = sp->seen.n;
}

struct yg_spool_limit yg_spool_limit(const struct yg_spool *sp)
{
	struct yg_spool_limit lim = {.seq = sp->durable};
	if (sp->seg_n > 0) {
		lim.segment = sp->segs[sp->seg_n - 1].first;
		lim.at = sp->segs[sp->seg_n - 1].bytes;
	}
	return lim;
}

void yg_spool_marks(const struct yg_spool *sp, yg_spool_mark_fn *fn, void *ctx)
{
	for (size_t i = 0; i < sp->marks.n; i++) {
		const struct spool_mark *m = &sp->marks.m[i];
		fn(ctx, (struct yg_sv){m->key, m->key_n}, (struct yg_sv){m->mark, m->n});
	}
}
