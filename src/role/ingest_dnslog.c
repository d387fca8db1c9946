/* The resolver's query log (resolve_log.c) into batches, exactly once.
 *
 * A worker's files are read in the order of their numbers, in chunks of whole frames.  A
 * chunk makes one batch per organisation, since a batch has one owner.  All of them carry
 * the mark "<file> <from> <to>" and an id made of it and the organisation: after a crash,
 * or when the disk refused some, the same chunk is cut the same way and sent again, and
 * the spool drops those that it has.  The next chunk begins when all are on the disk; a
 * file that was read to its end, and is not the newest, is removed then.
 *
 * One ingest worker does this for all resolvers. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/dns.h"
#include "format/fstrm.h"
#include "role/ingest_internal.h"

#define FOLDER      "dnslog"
#define CHUNK       (4u << 20)
#define LOOK_MS     200
#define WORKERS_MAX 64
#define OWNERS_MAX  1025 /* rows of resolve.clients, and none */

struct owner { /* of the chunk at hand */
	char org[YG_ORG_NAME_MAX + 1];
	struct yg_buf body;
	bool stored;
};
struct reader { /* one resolve worker's log */
	struct dnslog *log;
	uint32_t worker;
	uint64_t number, at, to; /* file; [at, to): the chunk under way */
	bool known, again;       /* again: [at, to) stands in a mark */
	uint32_t under_way, failed;
};
struct dnslog {
	struct ingest *in;
	struct reader readers[WORKERS_MAX];
	uv_timer_t look;
	char *chunk;          /* owned */
	struct owner *owners; /* owned; of the reader whose chunk is cut now */
	size_t owner_n;
	struct reader *busy; /* whose chunk is under way: one at a time */
	bool stopped;
	uint64_t frames, batches, bytes, damaged, removed, behind;
};

static struct yg_sv mark_key(const struct reader *r, char *buf, size_t cap)
{
	struct yg_sb b = yg_sb_init(buf, cap);
	yg_sb_printf(&b, "dnslog %u", r->worker);
	return yg_sb_sv(&b);
}

struct wanted {
	struct yg_sv key;
	struct reader *r;
};
static void mark_take(void *ctx, struct yg_sv key, struct yg_sv mark)
{
	struct wanted *w = ctx;
	uint64_t v[3] = {0};
	struct yg_sv part;
	if (!yg_sv_eq(key, w->key))
		return;
	for (size_t i = 0; i < YG_LEN(v); i++)
		if (!yg_sv_cut(&mark, ' ', &part) || yg_parse_u64(part, &v[i], NULL) != YG_OK)
			return;
	w->r->number = v[0];
	w->r->at = v[1];
	w->r->to = v[2];
	w->r->again = true;
}

/* ---- files ---- */

static void path_of(const struct reader *r, uint64_t number, char *out, size_t cap)
{
	(void)snprintf(out, cap, FOLDER "/%u-%016llu.tap", r->worker, (unsigned long long)number);
}

/* "3-0000001700000000000.tap" */
static bool file_name(struct yg_sv name, uint64_t *worker, uint64_t *number)
{
	size_t dash = yg_sv_find(name, '-', 0);
	return yg_sv_ends(name, YG_SV(".tap")) && dash < name.n &&
	       yg_parse_u64(yg_sv_sub(name, 0, dash), worker, NULL) == YG_OK &&
	       yg_parse_u64(yg_sv_sub(name, dash + 1, name.n - dash - 5), number, NULL) == YG_OK &&
	       *worker < WORKERS_MAX;
}

struct files {                  /* of one worker */
	uint64_t first, newest; /* first: at or behind the one at hand */
	uint64_t count;
};

static void files_look(struct dnslog *l, struct files out[WORKERS_MAX])
{
	DIR *d = opendir(FOLDER);
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < WORKERS_MAX; i++)
		out[i] = (struct files){.first = UINT64_MAX};
	for (struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d)) {
		uint64_t worker, number;
		struct stat st;
		if (!file_name(yg_sv_of(e->d_name), &worker, &number))
			continue;
		const struct reader *r = &l->readers[worker];
		if (r->known && number < r->number) { /* read to its end, and not removed yet */
			(void)unlinkat(dirfd(d), e->d_name, 0);
			continue;
		}
		out[worker].count++;
		out[worker].first = YG_MIN(out[worker].first, number);
		out[worker].newest = YG_MAX(out[worker].newest, number);
		if (fstatat(dirfd(d), e->d_name, &st, 0) == 0)
			bytes += (uint64_t)st.st_size -
				 (number == r->number ? YG_MIN(r->at, (uint64_t)st.st_size) : 0);
	}
	if (d != NULL)
		(void)closedir(d);
	l->behind = bytes;
}

/* ---- a chunk ---- */

/* The part of field `identity`, which comes first, before the slash. */
static struct yg_sv org_of(struct yg_sv frame)
{
	if (frame.n < 2 || frame.p[0] != 0x0a)
		return YG_SV("");
	/* of a name and a network at most 320 octets long: one or two octets of length */
	size_t n = (uint8_t)frame.p[1], at = 2;
	if (n >= 0x80 && frame.n > 2) {
		n = (n & 0x7f) | (size_t)(uint8_t)frame.p[2] << 7;
		at = 3;
	}
	struct yg_sv id = yg_sv_sub(frame, at, n);
	return yg_sv_sub(id, 0, YG_MIN(yg_sv_find(id, '/', 0), (size_t)YG_ORG_NAME_MAX));
}

static struct owner *owner_of(struct dnslog *l, struct yg_sv org)
{
	for (size_t i = 0; i < l->owner_n; i++)
		if (yg_sv_eq(yg_sv_of(l->owners[i].org), org))
			return &l->owners[i];
	if (l->owner_n == OWNERS_MAX)
		return NULL;
	struct owner *o = &l->owners[l->owner_n++];
	struct yg_sb b = yg_sb_init(o->org, sizeof o->org);
	yg_sb_put(&b, org);
	(void)yg_sb_cstr(&b);
	yg_buf_init(&o->body, 2 * CHUNK);
	o->stored = false;
	return o;
}

static void owners_free(struct dnslog *l)
{
	for (size_t i = 0; i < l->owner_n; i++)
		yg_buf_free(&l->owners[i].body);
	l->owner_n = 0;
}

/* Whole frames at the front of `in` to their owners: the bytes they take.  *out_bad: what
 * follows is no frame. */
static size_t cut(struct dnslog *l, struct yg_sv in, bool *out_bad)
{
	size_t at = 0;
	*out_bad = false;
	while (in.n - at >= 8) { /* a frame has four octets at least, a control frame eight */
		const uint8_t *p = (const uint8_t *)in.p + at;
		size_t n = yg_dns_get32(p), head = n == 0 ? 8 : 4;
		bool control = n == 0;
		if (control)
			n = yg_dns_get32(p + 4);
		if (n == 0 || n > YG_FSTRM_FRAME_MAX) {
			*out_bad = true;
			break;
		}
		if (n > in.n - at - head)
			break;
		if (!control) {
			struct yg_sv frame = yg_sv_sub(in, at + head, n);
			struct owner *o = owner_of(l, org_of(frame));
			if (o == NULL)
				break; /* the rest is a chunk of its own */
			yg_wr_sv32(&o->body, frame);
			l->frames++;
		}
		at += head + n;
	}
	return at;
}

static void next_chunk(struct dnslog *l);

static void chunk_done(struct reader *r)
{
	struct dnslog *l = r->log;
	l->busy = NULL;
	if (r->failed == 0) {
		l->bytes += r->to - r->at;
		r->at = r->to;
		r->again = false;
	} else {
		r->again = true; /* the same bytes once more; what is stored is known */
	}
	bool well = r->failed == 0;
	owners_free(l);
	if (well)
		next_chunk(l);
}

static void on_done(struct ingest_req *req, yg_status st, const struct yg_err *err)
{
	struct reader *r = req->ctx;
	(void)err;
	r->failed += st != YG_OK;
	r->log->batches += st == YG_OK && !req->taken.duplicate;
	if (--r->under_way == 0)
		chunk_done(r);
}

static void send_one(struct reader *r, const struct owner *o)
{
	struct ingest *in = r->log->in;
	char key[32], mark[96], id[160];
	struct yg_err err;
	struct yg_sb m = yg_sb_init(mark, sizeof mark), i = yg_sb_init(id, sizeof id);
	yg_sb_printf(&m, "%llu %llu %llu", (unsigned long long)r->number, (unsigned long long)r->at,
		     (unsigned long long)r->to);
	yg_sb_printf(&i, "!dnslog %u %llu %llu %s", r->worker, (unsigned long long)r->number,
		     (unsigned long long)r->at, o->org);
	struct yg_spool_batch b = {.received = yg_env_wall(&in->ctx->env),
				   .source = YG_SOURCE_DNSTAP,
				   .framed = true,
				   .org = yg_sv_of(o->org),
				   .sensor = YG_SV("resolve"),
				   .batch_id = yg_sb_sv(&i),
				   .mark_key = mark_key(r, key, sizeof key),
				   .mark = yg_sb_sv(&m),
				   .body = yg_buf_sv(&o->body)};
	struct ingest_req *req = !o->body.bad ? ingest_req_new(&b) : NULL;
	if (req != NULL) {
		req->done = on_done;
		req->ctx = r;
		r->under_way++;
		if (pipe_append(in->pipes[0], req, &err) == YG_OK)
			return;
		r->under_way--;
		ingest_req_free(req);
	}
	r->failed++;
}

static void send_all(struct reader *r)
{
	struct dnslog *l = r->log;
	l->busy = r;
	r->failed = 0;
	r->under_way = 1; /* this one: nothing ends before all are sent */
	for (size_t i = 0; i < l->owner_n; i++)
		send_one(r, &l->owners[i]);
	if (--r->under_way == 0)
		chunk_done(r);
}

/* Reads and sends a chunk of file r->number; false: nothing more is in it now. */
static bool chunk(struct reader *r, int fd)
{
	struct dnslog *l = r->log;
	size_t most = r->again ? (size_t)YG_MIN(r->to - r->at, (uint64_t)CHUNK) : CHUNK;
	ssize_t got = pread(fd, l->chunk, most, (off_t)r->at);
	bool bad;
	if (got <= 0 || (r->again && (uint64_t)got < r->to - r->at))
		return false;
	size_t used = cut(l, (struct yg_sv){l->chunk, (size_t)got}, &bad);
	if (bad) { /* nothing behind it can be told apart: the rest of the file is passed over */
		struct stat st;
		l->damaged++;
		yg_role_log(l->in->ctx, YG_EV_INGEST_DNSLOG_DAMAGED, YG_KN("worker", r->worker),
			    YG_KN("file", r->number), YG_KN("at", r->at + used));
		if (used == 0 && fstat(fd, &st) == 0)
			used = (size_t)((uint64_t)st.st_size - r->at);
	}
	if (used == 0)
		return false;
	r->to = r->at + used;
	send_all(r);
	return true;
}

static bool reader_step(struct reader *r, const struct files *f)
{
	char path[64];
	if (f->count == 0)
		return false;
	if (!r->known || f->first > r->number) { /* the first one, or the one at hand is gone */
		if (r->number != f->first) {
			r->at = 0;
			r->again = false;
		}
		r->number = f->first;
		r->known = true;
	}
	path_of(r, r->number, path, sizeof path);
	YG_AUTO(yg_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	if (chunk(r, fd))
		return true;
	if (f->newest > r->number) { /* its worker has gone on to another */
		r->log->removed += unlink(path) == 0;
		r->number++;
		r->at = 0;
		r->again = false;
	}
	return false;
}

static void next_chunk(struct dnslog *l)
{
	struct files f[WORKERS_MAX];
	if (l->busy != NULL || l->stopped || l->in->doors_stopped ||
	    !pipe_has_room(l->in->pipes[0], 2 * CHUNK))
		return;
	files_look(l, f);
	for (uint32_t i = 0; i < WORKERS_MAX; i++)
		if (reader_step(&l->readers[i], &f[i]))
			return;
}

static void on_look(uv_timer_t *t)
{
	next_chunk(t->data);
}

/* ---- opening ---- */

yg_status dnslog_open(struct ingest *in, struct yg_err *err)
{
	const struct yg_conf *c = in->conf;
	if (c->dns_listen_count + c->dns_dot_count + c->dns_doh_count == 0 || in->ctx->index != 0 ||
	    YG_SV_IS(c->resolve_log_full, "drop-old"))
		return YG_OK;
	struct dnslog *l = calloc(1, sizeof *l);
	if (l == NULL)
		return YG_FAIL(err, YG_NOMEM, "the resolver's log");
	in->dnslog = l;
	l->in = in;
	l->chunk = malloc(CHUNK);
	l->owners = calloc(OWNERS_MAX, sizeof *l->owners);
	if (l->chunk == NULL || l->owners == NULL)
		return YG_FAIL(err, YG_NOMEM, "the resolver's log");
	for (uint32_t i = 0; i < WORKERS_MAX; i++) {
		struct reader *r = &l->readers[i];
		char key[32];
		*r = (struct reader){.log = l, .worker = i};
		struct wanted w = {mark_key(r, key, sizeof key), r};
		yg_spool_marks(in->pipes[0]->spool, mark_take, &w);
		r->known = r->again;
	}
	if (uv_timer_init(in->ctx->loop, &l->look) != 0)
		return YG_FAIL(err, YG_INTERNAL, "a timer of the loop");
	l->look.data = l;
	(void)uv_timer_start(&l->look, on_look, LOOK_MS, LOOK_MS);
	return YG_OK;
}

void dnslog_stop(struct ingest *in)
{
	if (in->dnslog == NULL)
		return;
	in->dnslog->stopped = true;
	(void)uv_timer_stop(&in->dnslog->look);
}

bool dnslog_idle(const struct ingest *in)
{
	return in->dnslog == NULL || in->dnslog->busy == NULL;
}

void dnslog_stats(struct ingest *in, struct yg_buf *out)
{
	const struct dnslog *l = in->dnslog;
	if (l == NULL)
		return;
	yg_buf_printf(out,
		      "{\"frames\":%llu,\"batches\":%llu,\"bytes\":%llu,\"behind_bytes\":%llu"
		      ",\"files_removed\":%llu,\"damaged\":%llu}",
		      (unsigned long long)l->frames, (unsigned long long)l->batches,
		      (unsigned long long)l->bytes, (unsigned long long)l->behind,
		      (unsigned long long)l->removed, (unsigned long long)l->damaged);
}
