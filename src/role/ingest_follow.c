/* Files that grow and rotate, read into batches exactly once.
 *
 * The position behind a batch travels in the batch's own spool record (its
 * mark), so that it is on disk exactly when the batch is.  A file is known by
 * device, inode and a checksum of its head, not by its name: renaming it away
 * loses nothing, a reused inode is seen to be another file, and a file cut to
 * nothing and written again (copytruncate) begins anew.
 *
 * Folders are watched (inotify) and looked at once a second, for file systems
 * that tell nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "format/json.h"
#include "role/ingest_internal.h"

#define CHUNK       (4u << 20)
#define HEAD_BYTES  1024u /* of a file's head that tell it from others */
#define ZEEK_HEADER 65536u
#define GRACE_US    (5 * YG_US_PER_S) /* a file renamed away may still be written to for so long */
#define LOOK_MS     1000
#define TAILS_MAX   1024

struct tail {
	struct tail *next;
	struct entry *entry;
	uint64_t dev, ino, at; /* at: behind what is on disk in the spool */
	uint64_t next_at;      /* behind what is under way */
	uint32_t head_n, head_crc;
	bool waiting;      /* a batch is under way */
	bool skipping;     /* inside a line whose head was kept */
	bool was_skipping; /* before what is under way */
	size_t way_n;      /* bytes under way */
	bool seen;         /* by the last look at the folder */
	bool failed;       /* could not be opened or read; told once */
	yg_mono gone_at;   /* when its name was last seen to match; 0 while it does */
	int fd;
	char *header; /* owned; of a Zeek log in TSV */
	size_t header_n;
	char name[256];
};
struct entry {
	const struct yg_conf_follow *conf;
	struct yg_sv mapping;
	uint8_t source;
	char dir[1024], before[256], after[256]; /* folder; name around the '*' */
	bool glob;
	struct tail *tails;
	size_t tail_n;
	uint64_t records, bytes, batches, rotated, cut_files, too_long, too_many;
};
struct follow {
	struct ingest *in;
	struct entry *entries; /* owned */
	size_t entry_n;
	int inotify;
	uv_poll_t poll;
	uv_timer_t look;
	char *chunk; /* owned */
	bool stopped, soon;
};

/* ---- names and positions ---- */
static bool name_matches(const struct entry *e, const char *name)
{
	struct yg_sv n = yg_sv_of(name), b = yg_sv_of(e->before), a = yg_sv_of(e->after);
	if (!e->glob)
		return yg_sv_eq(n, b);
	return n.n >= b.n + a.n && yg_sv_starts(n, b) && yg_sv_ends(n, a) && name[0] != '.';
}

static struct yg_sv mark_key(const struct tail *t, char buf[static YG_SPOOL_MARK_KEY_MAX])
{
	struct yg_sb b = yg_sb_init(buf, YG_SPOOL_MARK_KEY_MAX);
	yg_sb_printf(&b, "follow " YG_SV_FMT " %llx:%llx", YG_SV_ARG(t->entry->conf->name),
		     (unsigned long long)t->dev, (unsigned long long)t->ino);
	return yg_sb_sv(&b);
}
static struct yg_sv mark_text(const struct tail *t, uint64_t at, bool skipping, char *buf,
			      size_t cap)
{
	struct yg_sb b = yg_sb_init(buf, cap);
	yg_sb_printf(&b, "%llu %u %u %u", (unsigned long long)at, t->head_n, t->head_crc, skipping);
	return yg_sb_sv(&b);
}

static bool head_crc(int fd, uint32_t n, uint32_t *out)
{
	char buf[HEAD_BYTES];
	ssize_t got = n <= sizeof buf ? pread(fd, buf, n, 0) : -1;
	*out = got == (ssize_t)n ? yg_crc32c(0, buf, n) : 0;
	return got == (ssize_t)n;
}

/* Notes as much of the head as there is now. */
static void head_note(struct tail *t, uint64_t size)
{
	uint32_t n = (uint32_t)YG_MIN(size, HEAD_BYTES);
	if (n > t->head_n && head_crc(t->fd, n, &t->head_crc))
		t->head_n = n;
}

struct wanted {
	struct yg_sv key;
	struct tail *t;
};
static void mark_take(void *ctx, struct yg_sv key, struct yg_sv mark)
{
	struct wanted *w = ctx;
	uint64_t v[4] = {0};
	struct yg_sv part;
	if (!yg_sv_eq(key, w->key))
		return;
	for (size_t i = 0; i < YG_LEN(v); i++) {
		if (!yg_sv_cut(&mark, ' ', &part) || yg_parse_u64(part, &v[i], NULL) != YG_OK)
			return;
	}
	w->t->at = v[0];
	w->t->head_n = (uint32_t)YG_MIN(v[1], HEAD_BYTES);
	w->t->head_crc = (uint32_t)v[2];
	w->t->skipping = v[3] != 0;
}

static void begin_anew(struct tail *t)
{
	t->at = t->next_at = 0;
	t->head_n = t->head_crc = 0;
	t->skipping = false;
	free(t->header);
	t->header = NULL;
	t->header_n = 0;
}

/* ---- tails ---- */
static void tail_free(struct tail *t)
{
	yg_fd_close(&t->fd);
	free(t->header);
	free(t);
}

/* Still the file whose position we know? */
static bool tail_same(const struct tail *t, uint64_t size)
{
	uint32_t crc;
	return size >= t->at &&
	       (t->head_n == 0 || (head_crc(t->fd, t->head_n, &crc) && crc == t->head_crc));
}

/* Else it was cut or replaced. */
static void tail_check(struct follow *f, struct tail *t, uint64_t size)
{
	if (tail_same(t, size))
		return;
	t->entry->cut_files++;
	yg_role_log(f->in->ctx, YG_EV_INGEST_FOLLOW, YG_KV("follow", t->entry->conf->name),
		    YG_KU("file", yg_sv_of(t->name)),
		    YG_KS("what", "cut or replaced: read from its beginning"),
		    YG_KN("was_at", t->at), YG_KN("size", size));
	begin_anew(t);
}

/* match: the name is one that is followed.  Another one is taken for the rest of
 * a file that was renamed; numbers of inodes are given again, and a stranger that
 * has one of ours is not read. */
static struct tail *tail_new(struct follow *f, struct entry *e, const char *name, int dir_fd,
			     bool match)
{
	struct stat st;
	char key[YG_SPOOL_MARK_KEY_MAX];
	struct tail *t = e->tail_n < TAILS_MAX ? calloc(1, sizeof *t) : NULL;
	if (t == NULL) {
		e->too_many++;
		return NULL;
	}
	t->entry = e;
	t->fd = openat(dir_fd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (t->fd < 0 || fstat(t->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		tail_free(t);
		return NULL;
	}
	t->dev = (uint64_t)st.st_dev;
	t->ino = (uint64_t)st.st_ino;
	struct yg_sb n = yg_sb_init(t->name, sizeof t->name);
	yg_sb_put(&n, yg_sv_of(name));
	(void)yg_sb_cstr(&n);
	struct wanted w = {mark_key(t, key), t};
	yg_spool_marks(f->in->pipes[0]->spool, mark_take, &w);
	if (!match && !tail_same(t, (uint64_t)st.st_size)) {
		tail_free(t);
		return NULL;
	}
	tail_check(f, t, (uint64_t)st.st_size);
	t->next_at = t->at;
	t->next = e->tails;
	e->tails = t;
	e->tail_n++;
	return t;
}

static struct tail *tail_find(const struct entry *e, const struct stat *st)
{
	struct tail *t = e->tails;
	while (t != NULL && (t->dev != (uint64_t)st->st_dev || t->ino != (uint64_t)st->st_ino))
		t = t->next;
	return t;
}

/* Files of a mark that no longer match the pattern but lie in the folder:
 * rotated while we were away. */
static bool has_mark(struct follow *f, struct entry *e, const struct stat *st)
{
	char key[YG_SPOOL_MARK_KEY_MAX];
	struct tail probe = {.entry = e,
			     .dev = (uint64_t)st->st_dev,
			     .ino = (uint64_t)st->st_ino,
			     .at = UINT64_MAX,
			     .fd = -1};
	struct wanted w = {mark_key(&probe, key), &probe};
	yg_spool_marks(f->in->pipes[0]->spool, mark_take, &w);
	return probe.at != UINT64_MAX && probe.at < (uint64_t)st->st_size;
}

static void look(struct follow *f, struct entry *e, bool first)
{
	DIR *d = opendir(e->dir);
	for (struct tail *t = e->tails; t != NULL; t = t->next)
		t->seen = false;
	if (d == NULL)
		return;
	for (struct dirent *de = readdir(d); de != NULL; de = readdir(d)) {
		struct stat st;
		bool match = name_matches(e, de->d_name);
		if (!match && !first)
			continue;
		if (fstatat(dirfd(d), de->d_name, &st, 0) != 0 || !S_ISREG(st.st_mode))
			continue;
		struct tail *t = tail_find(e, &st);
		if (t == NULL && (match || has_mark(f, e, &st)))
			t = tail_new(f, e, de->d_name, dirfd(d), match);
		if (t != NULL && match) {
			t->seen = true;
			struct yg_sb n = yg_sb_init(t->name, sizeof t->name);
			yg_sb_put(&n, yg_sv_of(de->d_name));
			(void)yg_sb_cstr(&n);
		}
	}
	(void)closedir(d);
	yg_mono now = ingest_now(f->in);
	for (struct tail *t = e->tails; t != NULL; t = t->next) {
		if (t->seen)
			t->gone_at = (yg_mono){0};
		else if (t->gone_at.us == 0)
			t->gone_at = now;
	}
}

/* ---- reading ---- */
static void header_read(struct tail *t)
{
	size_t n = 0;
	char *p = malloc(ZEEK_HEADER);
	ssize_t got = p != NULL ? pread(t->fd, p, ZEEK_HEADER, 0) : -1;
	struct yg_sv rest = {p, got > 0 ? (size_t)got : 0};
	while (n < rest.n && p[n] == '#') {
		size_t end = yg_sv_find(rest, '\n', n);
		if (end == rest.n)
			break;
		n = end + 1;
	}
	free(t->header);
	t->header = p;
	t->header_n = n;
}

static void on_done(struct ingest_req *r, yg_status st, const struct yg_err *err);
static void tail_read(struct follow *f, struct tail *t);

/* Bytes p[0..n) at t->at make a batch; behind them the position is t->at + used. */
static void batch_out(struct follow *f, struct tail *t, struct yg_sv bytes, uint64_t used,
		      bool skipping)
{
	struct entry *e = t->entry;
	char key[YG_SPOOL_MARK_KEY_MAX], mark[128];
	struct yg_err err;
	bool header = t->header_n > 0 && t->at >= t->header_n;
	struct yg_spool_batch b = {.received = yg_env_wall(&f->in->ctx->env),
				   .source = e->source,
				   .org = e->conf->org,
				   .sensor = e->conf->name,
				   .mapping = e->mapping,
				   .mark_key = mark_key(t, key),
				   .mark = mark_text(t, t->at + used, skipping, mark, sizeof mark),
				   .body = bytes};
	struct yg_buf with;
	yg_buf_init(&with, CHUNK + ZEEK_HEADER + YG_RECORD_MAX);
	if (header) {
		yg_buf_put(&with, (struct yg_sv){t->header, t->header_n});
		yg_buf_put(&with, bytes);
		b.body = yg_buf_sv(&with);
	}
	struct ingest_req *r =
		!with.bad && pipe_has_room(f->in->pipes[0], b.body.n) ? ingest_req_new(&b) : NULL;
	yg_buf_free(&with);
	if (r == NULL)
		return; /* tried again when there is room */
	r->done = on_done;
	r->ctx = t;
	r->ctx2 = f;
	r->tag = t->at + used;
	t->waiting = true;
	t->next_at = t->at + used;
	t->way_n = bytes.n;
	t->was_skipping = t->skipping;
	if (pipe_append(f->in->pipes[0], r, &err) != YG_OK) {
		ingest_req_free(r);
		t->waiting = false;
		return;
	}
	t->skipping = skipping;
}

static void on_done(struct ingest_req *r, yg_status st, const struct yg_err *err)
{
	struct tail *t = r->ctx;
	struct follow *f = r->ctx2;
	(void)err;
	t->waiting = false;
	if (st != YG_OK) {
		t->next_at = t->at; /* read again, as it was read */
		t->skipping = t->was_skipping;
		return;
	}
	t->at = r->tag;
	t->entry->bytes += t->way_n;
	t->entry->batches++;
	tail_read(f, t);
}

/* Whole lines of what was read.  A line longer than a record may be keeps its
 * head; the rest of it is passed over up to its end.  finished: no more will
 * come, a last line without a newline counts. */
static void cut(struct follow *f, struct tail *t, size_t n, bool finished)
{
	struct yg_sv got = {f->chunk, n};
	size_t from = 0;
	if (t->skipping) {
		from = yg_sv_find(got, '\n', 0);
		if (from == n) { /* still inside: note the position with an empty batch */
			batch_out(f, t, (struct yg_sv){f->chunk, 0}, n, !finished);
			return;
		}
		from++;
	}
	size_t to = n;
	while (to > from && f->chunk[to - 1] != '\n')
		to--;
	if (to > from) {
		batch_out(f, t, (struct yg_sv){f->chunk + from, to - from}, to, false);
	} else if (n - from > YG_RECORD_MAX) {
		t->entry->too_long++;
		batch_out(f, t, (struct yg_sv){f->chunk + from, YG_RECORD_MAX + 1}, n, true);
	} else if (finished && n > from) {
		batch_out(f, t, (struct yg_sv){f->chunk + from, n - from}, n, false);
	} else if (from > 0) {
		batch_out(f, t, (struct yg_sv){f->chunk, 0}, from, false);
	}
}

static bool tail_over(const struct follow *f, const struct tail *t)
{
	return t->gone_at.us != 0 && ingest_now(f->in).us - t->gone_at.us > GRACE_US;
}

static void tail_read(struct follow *f, struct tail *t)
{
	struct stat st;
	if (t->waiting || f->stopped || f->in->doors_stopped)
		return;
	if (fstat(t->fd, &st) != 0)
		return;
	if ((uint64_t)st.st_size == t->at)
		return;
	tail_check(f, t, (uint64_t)st.st_size);
	head_note(t, (uint64_t)st.st_size);
	if (t->entry->source == YG_SOURCE_ZEEK && t->header == NULL && st.st_size > 0)
		header_read(t);
	ssize_t n = pread(t->fd, f->chunk, CHUNK, (off_t)t->at);
	if (n > 0)
		cut(f, t, (size_t)n, (uint64_t)n < CHUNK && tail_over(f, t));
}

static void tails_close(struct follow *f, struct entry *e)
{
	for (struct tail **at = &e->tails, *t = e->tails; t != NULL; t = *at) {
		struct stat st;
		bool done = !t->waiting && tail_over(f, t) && fstat(t->fd, &st) == 0 &&
			    (uint64_t)st.st_size <= t->at;
		if (!done) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		e->tail_n--;
		e->rotated++;
		tail_free(t);
	}
}

static void look_all(struct follow *f, bool first)
{
	if (f->stopped)
		return;
	for (size_t i = 0; i < f->entry_n; i++) {
		struct entry *e = &f->entries[i];
		look(f, e, first);
		for (struct tail *t = e->tails; t != NULL; t = t->next)
			tail_read(f, t);
		tails_close(f, e);
	}
}

static void on_look(uv_timer_t *t)
{
	struct follow *f = t->data;
	f->soon = false;
	look_all(f, false);
	(void)uv_timer_start(&f->look, on_look, LOOK_MS, 0);
}

static void on_notify(uv_poll_t *w, int status, int events)
{
	struct follow *f = w->data;
	char buf[8192] __attribute__((aligned(8)));
	(void)status;
	(void)events;
	while (read(f->inotify, buf, sizeof buf) > 0)
		; /* which file it was is found by looking: events may be lost, files are not */
	if (f->soon || f->stopped)
		return;
	f->soon = true;
	(void)uv_timer_start(&f->look, on_look, 20, 0);
}

/* ---- opening ---- */
static yg_status entry_open(struct follow *f, struct entry *e, const struct yg_conf_follow *c,
			    struct yg_err *err)
{
	enum yg_source source;
	*e = (struct entry){.conf = c};
	yg_status st = yg_source_parse(c->source, &source, &e->mapping, err);
	if (st != YG_OK)
		return st;
	e->source = (uint8_t)source;
	size_t slash = c->path.n;
	while (slash > 0 && c->path.p[slash - 1] != '/')
		slash--;
	struct yg_sv name = yg_sv_sub(c->path, slash, c->path.n);
	size_t star = yg_sv_find(name, '*', 0);
	struct yg_sb d = yg_sb_init(e->dir, sizeof e->dir);
	yg_sb_put(&d, slash > 1    ? yg_sv_sub(c->path, 0, slash - 1)
		      : slash == 1 ? YG_SV("/")
				   : YG_SV("."));
	struct yg_sb b = yg_sb_init(e->before, sizeof e->before),
		     a = yg_sb_init(e->after, sizeof e->after);
	yg_sb_put(&b, yg_sv_sub(name, 0, star));
	e->glob = star < name.n;
	if (e->glob)
		yg_sb_put(&a, yg_sv_sub(name, star + 1, name.n));
	(void)yg_sb_cstr(&d);
	(void)yg_sb_cstr(&b);
	(void)yg_sb_cstr(&a);
	if (d.cut || b.cut || a.cut)
		return YG_FAIL(err, YG_INVAL, "ingest.follow: the path is too long");
	if (f->inotify >= 0) /* a folder that is not there yet is found by looking */
		(void)inotify_add_watch(f->inotify, e->dir,
					IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM |
						IN_CLOSE_WRITE);
	return YG_OK;
}

yg_status follow_open(struct ingest *in, struct yg_err *err)
{
	const struct yg_conf *c = in->conf;
	if (c->follow_count == 0 || in->ctx->index != 0) /* one worker follows all files */
		return YG_OK;
	struct follow *f = calloc(1, sizeof *f);
	if (f == NULL)
		return YG_FAIL(err, YG_NOMEM, "following files");
	in->follow = f;
	f->in = in;
	f->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	f->chunk = malloc(CHUNK);
	f->entries = calloc(c->follow_count, sizeof *f->entries);
	if (f->chunk == NULL || f->entries == NULL)
		return YG_FAIL(err, YG_NOMEM, "following files");
	yg_status st = YG_OK;
	for (size_t i = 0; i < c->follow_count && st == YG_OK; i++) {
		st = entry_open(f, &f->entries[f->entry_n], &c->follows[i], err);
		f->entry_n += st == YG_OK;
	}
	if (st != YG_OK)
		return st;
	if (f->inotify >= 0 && uv_poll_init(in->ctx->loop, &f->poll, f->inotify) == 0) {
		f->poll.data = f;
		(void)uv_poll_start(&f->poll, UV_READABLE, on_notify);
	}
	if (uv_timer_init(in->ctx->loop, &f->look) != 0)
		return YG_FAIL(err, YG_INTERNAL, "a timer of the loop");
	f->look.data = f;
	look_all(f, true);
	(void)uv_timer_start(&f->look, on_look, LOOK_MS, 0);
	return YG_OK;
}

void follow_resume(struct ingest *in)
{
	struct follow *f = in->follow;
	if (f == NULL || f->stopped || f->soon)
		return;
	f->soon = true;
	(void)uv_timer_start(&f->look, on_look, 20, 0);
}

void follow_stop(struct ingest *in)
{
	struct follow *f = in->follow;
	if (f == NULL || f->stopped)
		return;
	f->stopped = true;
	(void)uv_timer_stop(&f->look);
	if (f->inotify >= 0)
		(void)uv_poll_stop(&f->poll);
}

bool follow_idle(const struct ingest *in)
{
	const struct follow *f = in->follow;
	for (size_t i = 0; f != NULL && i < f->entry_n; i++) {
		for (const struct tail *t = f->entries[i].tails; t != NULL; t = t->next) {
			if (t->waiting)
				return false;
		}
	}
	return true;
}

void follow_stats(struct ingest *in, struct yg_buf *out)
{
	const struct follow *f = in->follow;
	for (size_t i = 0; f != NULL && i < f->entry_n; i++) {
		const struct entry *e = &f->entries[i];
		uint64_t behind = 0;
		for (const struct tail *t = e->tails; t != NULL; t = t->next) {
			struct stat st;
			if (fstat(t->fd, &st) == 0 && (uint64_t)st.st_size > t->at)
				behind += (uint64_t)st.st_size - t->at;
		}
		yg_buf_printf(out, "%s{\"name\":", i > 0 ? "," : "");
		yg_json_put_str(out, e->conf->name);
		yg_buf_printf(out, ",\"org\":");
		yg_json_put_str(out, e->conf->org);
		yg_buf_printf(
			out,
			",\"files\":%zu,\"batches\":%llu,\"bytes\":%llu,\"behind_bytes\":%llu"
			",\"rotated\":%llu,\"cut_files\":%llu,\"too_long\":%llu,\"too_many\":%llu}",
			e->tail_n, (unsigned long long)e->batches, (unsigned long long)e->bytes,
			(unsigned long long)behind, (unsigned long long)e->rotated,
			(unsigned long long)e->cut_files, (unsigned long long)e->too_long,
			(unsigned long long)e->too_many);
	}
}
