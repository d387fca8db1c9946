/* The journal: small checked records, written by the delivering side only.
 * A new file per process; older ones go when all they speak of is delivered. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "store/spool_internal.h"

#define JR_MAGIC   0x314a4759u /* "YGJ1" */
#define JR_HEAD    32u
#define JR_ROTATE  (8u << 20)  /* then a new file is begun */
#define JR_RESERVE (16u << 20) /* blocks held ready: a full disk must not stop deliveries */
enum { KIND_PLAN = 1, KIND_INTENT, KIND_RELEASED };

struct plan_at {
	uint64_t seq, file, at;
	uint32_t n;
};
struct jfile {
	uint64_t number, max_seq, bytes;
};
struct yg_spool_journal {
	struct yg_spool_conf conf;
	const struct yg_spool_io *io;
	/* recovered; constant */
	struct plan_at *plans; /* owned; by seq */
	size_t plan_n, plan_cap;
	uint64_t rec_released, rec_intent;
	char rec_query[128];
	/* written */
	struct jfile *files; /* owned; the last one is the open one */
	size_t file_n, file_cap;
	int fd;
	uint64_t at;
	uint64_t released, max_seq; /* released: as asked */
	struct yg_buf out;
	uint64_t out_max; /* highest seq in `out` */
	uint64_t out_released;
};

static bool file_path(const struct yg_spool_journal *j, uint64_t number,
		      char out[static SPOOL_PATH])
{
	struct yg_sb b = yg_sb_init(out, SPOOL_PATH);
	yg_sb_printf(&b, "%s/journal-%020llu", j->conf.dir, (unsigned long long)number);
	(void)yg_sb_cstr(&b);
	return !b.cut;
}

static void put(struct yg_spool_journal *j, uint32_t kind, uint64_t a, uint64_t b,
		struct yg_sv body)
{
	struct yg_buf *o = &j->out;
	size_t at = o->n;
	yg_wr_le32(o, JR_MAGIC);
	yg_wr_le32(o, 0);
	yg_wr_le32(o, kind);
	yg_wr_le32(o, (uint32_t)body.n);
	yg_wr_le64(o, a);
	yg_wr_le64(o, b);
	yg_buf_put(o, body);
	if (o->bad || body.n > UINT32_MAX - JR_HEAD) {
		o->bad = true;
		return;
	}
	uint32_t crc = yg_crc32c(0, o->p + at + 8, o->n - at - 8);
	memcpy(o->p + at + 4, &crc, 4);
	for (size_t pad = spool_pad(o->n - at); pad > 0; pad--)
		yg_wr_le8(o, 0);
}

void yg_spool_journal_plan(struct yg_spool_journal *j, uint64_t seq, struct yg_sv plan)
{
	put(j, KIND_PLAN, seq, 0, plan);
	j->out_max = YG_MAX(j->out_max, seq);
}
void yg_spool_journal_intent(struct yg_spool_journal *j, uint64_t first, uint64_t last,
			     struct yg_sv query_id)
{
	put(j, KIND_INTENT, first, last, query_id);
	j->out_max = YG_MAX(j->out_max, last);
}
void yg_spool_journal_released(struct yg_spool_journal *j, uint64_t seq)
{
	put(j, KIND_RELEASED, seq, 0, (struct yg_sv){"", 0});
	j->out_released = YG_MAX(j->out_released, seq);
}

static yg_status file_add(struct yg_spool_journal *j, struct jfile f, struct yg_err *err)
{
	if (j->file_n == j->file_cap) {
		size_t cap = j->file_cap == 0 ? 16 : j->file_cap * 2;
		struct jfile *more = realloc(j->files, cap * sizeof *more);
		if (more == NULL)
			return YG_FAIL(err, YG_NOMEM, "journal");
		j->files = more;
		j->file_cap = cap;
	}
	j->files[j->file_n++] = f;
	return YG_OK;
}

/* ---- recovery ---- */
static yg_status plan_add(struct yg_spool_journal *j, struct plan_at p)
{
	if (j->plan_n == j->plan_cap) {
		size_t cap = j->plan_cap == 0 ? 64 : j->plan_cap * 2;
		struct plan_at *more = realloc(j->plans, cap * sizeof *more);
		if (more == NULL)
			return YG_NOMEM;
		j->plans = more;
		j->plan_cap = cap;
	}
	j->plans[j->plan_n++] = p;
	return YG_OK;
}

static yg_status recover_record(struct yg_spool_journal *j, struct jfile *f, uint64_t at,
				const uint8_t *rec, uint32_t n)
{
	struct yg_rd r = yg_rd_init(rec + 8, JR_HEAD - 8);
	uint32_t kind = yg_rd_le32(&r);
	(void)yg_rd_le32(&r);
	uint64_t a = yg_rd_le64(&r), b = yg_rd_le64(&r);
	struct yg_sb q = yg_sb_init(j->rec_query, sizeof j->rec_query);
	switch (kind) {
	case KIND_PLAN:
		f->max_seq = YG_MAX(f->max_seq, a);
		return plan_add(j, (struct plan_at){a, f->number, at, n});
	case KIND_INTENT:
		f->max_seq = YG_MAX(f->max_seq, b);
		j->rec_intent = YG_MAX(j->rec_intent, b);
		yg_sb_put(&q, (struct yg_sv){(const char *)rec + JR_HEAD, n});
		(void)yg_sb_cstr(&q);
		return YG_OK;
	case KIND_RELEASED: j->rec_released = YG_MAX(j->rec_released, a); return YG_OK;
	default: return YG_OK; /* of a newer program: not ours to judge */
	}
}

/* Every record that verifies; what lies between is passed over.  A torn tail was
 * never relied upon; a lost plan only means that matching is done again. */
static yg_status recover_bytes(struct yg_spool_journal *j, struct jfile *f, const uint8_t *p,
			       size_t size)
{
	yg_status st = YG_OK;
	for (size_t at = 0; at + JR_HEAD <= size && st == YG_OK;) {
		struct yg_rd r = yg_rd_init(p + at, size - at);
		uint32_t magic = yg_rd_le32(&r), crc = yg_rd_le32(&r);
		(void)yg_rd_le32(&r);
		uint32_t n = yg_rd_le32(&r);
		if (magic != JR_MAGIC || n > size - at - JR_HEAD ||
		    crc != yg_crc32c(0, p + at + 8, JR_HEAD - 8 + (size_t)n)) {
			at += REC_ALIGN;
			continue;
		}
		st = recover_record(j, f, at + JR_HEAD, p + at, n);
		at += JR_HEAD + n + spool_pad(n);
	}
	return st;
}

static yg_status recover_file(struct yg_spool_journal *j, uint64_t number, struct yg_err *err)
{
	char path[SPOOL_PATH];
	struct stat sb;
	struct jfile f = {.number = number};
	if (!file_path(j, number, path))
		return YG_FAIL(err, YG_LIMIT, "the spool's path is too long");
	YG_AUTO(spool_close_fd) int fd = j->io->open(j->io->ctx, path, O_RDONLY);
	if (fd < 0)
		return YG_FAIL_OS(err, -fd, "'%s'", path);
	if (fstat(fd, &sb) != 0)
		return YG_FAIL_OS(err, errno, "'%s'", path);
	f.bytes = (uint64_t)sb.st_size;
	uint8_t *p = malloc(f.bytes + 1);
	if (p == NULL)
		return YG_FAIL(err, YG_NOMEM, "journal of %llu bytes", (unsigned long long)f.bytes);
	ssize_t got = spool_read_all(j->io, fd, p, f.bytes, 0);
	yg_status st = got < 0 ? YG_FAIL_OS(err, (int)-got, "'%s'", path)
			       : recover_bytes(j, &f, p, (size_t)got);
	free(p);
	return st == YG_OK ? file_add(j, f, err) : st;
}

static int plan_order(const void *a, const void *b)
{
	const struct plan_at *x = a, *y = b;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

/* Several plans of one batch: the first one was the one acted upon. */
static void plans_sort(struct yg_spool_journal *j)
{
	size_t n = 0;
	if (j->plan_n > 1)
		qsort(j->plans, j->plan_n, sizeof *j->plans, plan_order);
	for (size_t i = 0; i < j->plan_n; i++) {
		if (n == 0 || j->plans[n - 1].seq != j->plans[i].seq)
			j->plans[n++] = j->plans[i];
	}
	j->plan_n = n;
}

/* ---- writing ---- */
/* must_hold: only with blocks held ready; otherwise without them on a full disk. */
static yg_status file_begin(struct yg_spool_journal *j, uint64_t number, bool must_hold,
			    struct yg_err *err)
{
	char path[SPOOL_PATH];
	if (!file_path(j, number, path))
		return YG_FAIL(err, YG_LIMIT, "the spool's path is too long");
	int fd = j->io->open(j->io->ctx, path, O_RDWR | O_CREAT | O_TRUNC);
	if (fd < 0)
		return YG_FAIL_OS(err, -fd, "making '%s'", path);
	int rc = j->io->reserve(j->io->ctx, fd, JR_RESERVE);
	yg_status st = YG_OK;
	if (rc == -ENOSPC && must_hold)
		st = YG_FAIL(err, YG_LIMIT, "no space for a journal");
	if (st == YG_OK)
		st = spool_sync_dir(j->io, j->conf.dir, err);
	if (st == YG_OK)
		st = file_add(j, (struct jfile){.number = number}, err);
	if (st != YG_OK) {
		(void)close(fd);
		(void)j->io->unlink(j->io->ctx, path);
		return st;
	}
	spool_close_fd(&j->fd);
	j->fd = fd;
	j->at = 0;
	return YG_OK;
}

/* Files that speak of nothing undelivered. */
static void files_remove(struct yg_spool_journal *j)
{
	char path[SPOOL_PATH];
	size_t n = 0;
	for (size_t i = 0; i < j->file_n; i++) {
		bool last = i + 1 == j->file_n;
		if (!last && j->files[i].max_seq <= j->released &&
		    file_path(j, j->files[i].number, path) && j->io->unlink(j->io->ctx, path) == 0)
			continue;
		j->files[n++] = j->files[i];
	}
	j->file_n = n;
}

static yg_status put_back(struct yg_spool_journal *j, int rc, struct yg_err *err)
{
	int undo = j->io->truncate(j->io->ctx, j->fd, (off_t)j->at);
	if (undo == 0)
		undo = j->io->sync(j->io->ctx, j->fd);
	if (undo == 0) /* cutting gave the held blocks back */
		(void)j->io->reserve(j->io->ctx, j->fd, JR_RESERVE);
	if (undo != 0)
		return YG_FAIL(err, YG_CORRUPT,
			       "the journal could not be put back after a failed write");
	if (rc == -ENOSPC || rc == -EDQUOT)
		return YG_FAIL(err, YG_LIMIT, "no space is left for the journal");
	return YG_FAIL_OS(err, -rc, "writing the journal");
}

yg_status yg_spool_journal_sync(struct yg_spool_journal *j, struct yg_err *err)
{
	if (j->out.bad)
		return YG_FAIL(err, YG_CORRUPT, "no memory for the journal");
	if (j->out.n == 0)
		return YG_OK;
	struct iovec iov = {j->out.p, j->out.n};
	int rc = spool_write_all(j->io, j->fd, &iov, 1, (off_t)j->at);
	if (rc == 0)
		rc = j->io->sync(j->io->ctx, j->fd);
	if (rc != 0)
		return put_back(j, rc, err);
	struct jfile *f = &j->files[j->file_n - 1];
	j->at += j->out.n;
	f->bytes = j->at;
	f->max_seq = YG_MAX(f->max_seq, j->out_max);
	j->released = YG_MAX(j->released, j->out_released);
	j->out.n = 0;
	if (j->out.cap > JR_ROTATE)
		yg_buf_free(&j->out);
	if (j->at > JR_ROTATE && file_begin(j, f->number + 1, true, NULL) == YG_OK) {
		put(j, KIND_RELEASED, j->released, 0, (struct yg_sv){"", 0});
		return yg_spool_journal_sync(j, err); /* once: the new file is short */
	}
	files_remove(j);
	return YG_OK;
}

yg_status yg_spool_journal_open(const struct yg_spool_conf *conf, struct yg_spool_journal **out,
				struct yg_err *err)
{
	uint64_t *numbers = NULL;
	size_t n = 0;
	struct yg_spool_journal *j = calloc(1, sizeof *j);
	if (j == NULL)
		return YG_FAIL(err, YG_NOMEM, "journal");
	j->conf = *conf;
	j->io = spool_io(conf);
	j->fd = -1;
	yg_buf_init(&j->out, SIZE_MAX / 2);
	yg_status st = spool_list(conf->dir, "journal-", &numbers, &n, err);
	for (size_t i = 0; i < n && st == YG_OK; i++)
		st = recover_file(j, numbers[i], err);
	if (st == YG_OK) {
		plans_sort(j);
		st = file_begin(j, n > 0 ? numbers[n - 1] + 1 : 1, false, err);
	}
	free(numbers);
	j->released = j->rec_released;
	if (st == YG_OK) { /* written with the first plan */
		put(j, KIND_RELEASED, j->released, 0, (struct yg_sv){"", 0});
	} else {
		yg_spool_journal_close(j);
		return st;
	}
	*out = j;
	return YG_OK;
}

void yg_spool_journal_close(struct yg_spool_journal *j)
{
	if (j == NULL)
		return;
	spool_close_fd(&j->fd);
	yg_buf_free(&j->out);
	free(j->plans);
	free(j->files);
	free(j);
}

/* ---- looking ---- */
uint64_t yg_spool_journal_released_seq(const struct yg_spool_journal *j)
{
	return j->rec_released;
}
uint64_t yg_spool_journal_intent_last(const struct yg_spool_journal *j)
{
	return j->rec_intent;
}
struct yg_sv yg_spool_journal_intent_query(const struct yg_spool_journal *j)
{
	return yg_sv_of(j->rec_query);
}
uint64_t yg_spool_journal_bytes(const struct yg_spool_journal *j)
{
	uint64_t n = 0;
	for (size_t i = 0; i < j->file_n; i++)
		n += j->files[i].bytes;
	return n;
}

static const struct plan_at *plan_find(const struct yg_spool_journal *j, uint64_t seq)
{
	size_t lo = 0, hi = j->plan_n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (j->plans[mid].seq < seq)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < j->plan_n && j->plans[lo].seq == seq ? &j->plans[lo] : NULL;
}

bool yg_spool_journal_has_plan(const struct yg_spool_journal *j, uint64_t seq)
{
	return plan_find(j, seq) != NULL;
}

yg_status yg_spool_journal_read_plan(struct yg_spool_journal *j, uint64_t seq, struct yg_buf *out,
				     struct yg_err *err)
{
	const struct plan_at *p = plan_find(j, seq);
	char path[SPOOL_PATH];
	if (p == NULL)
		return YG_NOTFOUND;
	if (!file_path(j, p->file, path))
		return YG_FAIL(err, YG_LIMIT, "the spool's path is too long");
	YG_AUTO(spool_close_fd) int fd = j->io->open(j->io->ctx, path, O_RDONLY);
	if (fd < 0)
		return YG_FAIL_OS(err, -fd, "'%s'", path);
	char *to = yg_buf_room(out, p->n);
	if (to == NULL && p->n > 0)
		return YG_FAIL(err, YG_NOMEM, "a plan of %u bytes", p->n);
	ssize_t got = spool_read_all(j->io, fd, to, p->n, p->at);
	if (got != (ssize_t)p->n)
		return YG_FAIL_OS(err, got < 0 ? (int)-got : EIO, "'%s'", path);
	out->n += p->n;
	return YG_OK;
}
