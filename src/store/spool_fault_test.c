/* The machine fails at every byte and at every call; what was acknowledged is
 * there afterwards, once and in order, and nothing that was refused is. */
#include "store/spool_testlib.h"

struct fault {
	int64_t bytes; /* that may still be written; then `what` */
	int64_t calls; /* sync and truncate calls that still succeed; then EIO once */
	int what; /* ENOSPC: refused while bytes <= 0; EIO: everything refused for ever (power cut) */
	bool dead;
	bool full;
};
static ssize_t f_pwritev(void *ctx, int fd, const struct iovec *iov, int n, off_t at)
{
	struct fault *f = ctx;
	ssize_t done = 0;
	if (f->dead)
		return -EIO;
	for (int i = 0; i < n; i++) {
		size_t part = iov[i].iov_len;
		if (f->what != 0 && (int64_t)part > f->bytes)
			part = f->bytes > 0 ? (size_t)f->bytes : 0;
		if (part > 0 && pwrite(fd, iov[i].iov_base, part, at + done) != (ssize_t)part)
			return -errno;
		done += (ssize_t)part;
		f->bytes -= (int64_t)part;
		if (part < iov[i].iov_len)
			break;
	}
	if (done > 0 || f->what == 0)
		return done;
	f->dead = f->what == EIO;
	f->full = true;
	return -f->what;
}
static int f_sync(void *ctx, int fd)
{
	struct fault *f = ctx;
	if (f->dead)
		return -EIO;
	if (f->calls-- == 0)
		return -EIO;
	(void)fd; /* the page cache outlives this test's deaths */
	return 0;
}
static int f_truncate(void *ctx, int fd, off_t size)
{
	struct fault *f = ctx;
	if (f->dead)
		return -EIO;
	return ftruncate(fd, size) == 0 ? 0 : -errno;
}
static int f_unlink(void *ctx, const char *path)
{
	struct fault *f = ctx;
	if (f->dead)
		return -EIO;
	return unlink(path) == 0 ? 0 : -errno;
}
static struct yg_spool_io faulty(struct fault *f)
{
	struct yg_spool_io io = yg_spool_io_os;
	io.ctx = f;
	io.pwritev = f_pwritev;
	io.sync = f_sync;
	io.sync_dir = f_sync;
	io.truncate = f_truncate;
	io.unlink = f_unlink;
	io.reserve = hold_nothing;
	return io;
}

struct world {
	unsigned acked[64]; /* tags answered OK, in order */
	size_t n;
	unsigned refused;
	yg_status worst;
	uint64_t top; /* highest number given */
};

/* A little life: groups of batches with ids, a release in the middle. */
static void live(const struct yg_spool_conf *conf, struct world *w)
{
	struct yg_spool *sp = NULL;
	struct yg_err err;
	yg_status st = yg_spool_open(conf, &sp, &err);
	w->worst = st;
	for (unsigned g = 0; st == YG_OK && g < 6; g++) {
		struct yg_spool_taken t;
		char ids[3][16];
		for (unsigned i = 0; i < 3; i++) {
			struct yg_spool_batch b = batch_of(g * 3 + i, 24 + i * 7);
			(void)snprintf(ids[i], sizeof ids[i], "id%u", g * 3 + i);
			b.batch_id = yg_sv_of(ids[i]);
			if (yg_spool_append(sp, &b, &t, &err) != YG_OK || t.duplicate)
				abort();
			w->top = t.seq;
		}
		st = yg_spool_commit(sp, &err);
		if (st == YG_OK) {
			for (unsigned i = 0; i < 3; i++)
				w->acked[w->n++] = g * 3 + i;
		} else {
			w->refused++;
			w->worst = st;
			st = st == YG_CORRUPT ? st : YG_OK; /* the next may succeed */
		}
		if (g == 3 && yg_spool_limit(sp).seq > 0) {
			yg_spool_release(sp, 1); /* nothing is that old: a release without effect */
			if (yg_spool_release_take(sp)) {
				yg_spool_release_run(sp);
				st = yg_spool_release_end(sp, &err);
			}
		}
	}
	yg_spool_close(sp);
}

/* Everything acknowledged is there in order; nothing of a refused group is,
 * unless the machine died (then it may be, but whole). */
static bool judge(const struct world *w, const unsigned *tags, size_t n, bool died)
{
	size_t k = 0;
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && tags[i] <= tags[i - 1])
			return false;
		if (k < w->n && tags[i] == w->acked[k])
			k++;
		else if (!died)
			return false;
	}
	return k == w->n;
}

static void every_byte(int what, const char *name)
{
	unsigned bad = 0, rounds = 0, refused = 0, reused = 0, dup = 0;
	for (int64_t k = 0; k < 6000; k += what == ENOSPC ? 3 : 1) {
		struct fault f = {.bytes = k, .calls = INT64_MAX, .what = what};
		struct yg_spool_io io = faulty(&f);
		struct world w = {0};
		unsigned tags[64];
		fresh();
		sim.seed = 5;
		struct yg_spool_conf conf = conf_of(700, 1 << 20);
		conf.io = &io;
		live(&conf, &w);
		rounds++;
		refused += w.refused > 0;
		conf.io = &test_io;
		size_t n = read_all(&conf, 0, tags, NULL, 64, NULL);
		if (n == SIZE_MAX || !judge(&w, tags, n, what == EIO))
			bad++;
		/* A retry of what was refused is taken, of what was acknowledged is not. */
		struct yg_spool *sp = NULL;
		if (yg_spool_open(&conf, &sp, NULL) == YG_OK) {
			struct yg_spool_batch b = batch_of(0, 40);
			struct yg_spool_taken t;
			b.batch_id = YG_SV("id0");
			bool there = n > 0 && tags[0] == 0;
			dup += yg_spool_append(sp, &b, &t, NULL) != YG_OK || t.duplicate != there;
			b.batch_id = YG_SV("");
			reused += yg_spool_append(sp, &b, &t, NULL) != YG_OK ||
				  (n > 0 && t.seq <= yg_spool_limit(sp).seq);
			yg_spool_close(sp);
		}
		if (w.refused == 0 && w.worst == YG_OK)
			break; /* the whole life fits */
	}
	(void)printf("# %s: %u lives, %u with a refusal\n", name, rounds, refused);
	T_NAMED(bad == 0 && refused > 500, name);
	T_NAMED(reused == 0 && dup == 0, "retries and numbers afterwards are right");
}

static void every_sync(void)
{
	unsigned bad = 0, refused = 0;
	for (int64_t k = 0; k < 60; k++) {
		struct fault f = {.bytes = INT64_MAX, .calls = k};
		struct yg_spool_io io = faulty(&f);
		struct world w = {0};
		unsigned tags[64];
		fresh();
		struct yg_spool_conf conf = conf_of(700, 1 << 20);
		conf.io = &io;
		live(&conf, &w);
		refused += w.refused > 0;
		conf.io = &test_io;
		size_t n = read_all(&conf, 0, tags, NULL, 64, NULL);
		if (n == SIZE_MAX || !judge(&w, tags, n, false))
			bad++;
		if (w.refused > 0 && w.refused != 1)
			bad++; /* one failed sync refuses one group; the next goes well */
	}
	T_NAMED(bad == 0 && refused >= 6, "a failed sync refuses its group and nothing else");
}

/* Space comes back while the process lives. */
static void space_returns(void)
{
	struct fault f = {.bytes = 900, .calls = INT64_MAX, .what = ENOSPC};
	struct yg_spool_io io = faulty(&f);
	struct yg_spool *sp = NULL;
	struct yg_spool_taken t;
	struct yg_err err;
	fresh();
	struct yg_spool_conf conf = conf_of(700, 1 << 20);
	conf.io = &io;
	T_OK(yg_spool_open(&conf, &sp, &err) == YG_OK);
	yg_status st = YG_OK;
	unsigned i = 0;
	for (; st == YG_OK && i < 50; i++) {
		struct yg_spool_batch b = batch_of(i, 100);
		T_OK(yg_spool_append(sp, &b, &t, &err) == YG_OK);
		st = yg_spool_commit(sp, &err);
	}
	T_OK(st == YG_LIMIT && i > 2);
	struct yg_spool_batch b = batch_of(40, 100);
	T_OK(yg_spool_append(sp, &b, &t, &err) == YG_OK && yg_spool_commit(sp, &err) == YG_LIMIT);
	f.bytes = INT64_MAX;
	T_OK(yg_spool_append(sp, &b, &t, &err) == YG_OK && yg_spool_commit(sp, &err) == YG_OK);
	yg_spool_close(sp);
	unsigned tags[64];
	conf.io = &test_io;
	size_t n = read_all(&conf, 0, tags, NULL, 64, NULL);
	T_OK(n == i && tags[n - 1] == 40); /* i - 1 taken before, and the last */
}

/* The journal under the same faults: what was synced is found, nothing else. */
static void journal_every_byte(int what, const char *name)
{
	unsigned bad = 0, failed = 0;
	for (int64_t k = 0; k < 900; k += 1) {
		struct fault f = {.bytes = k, .calls = INT64_MAX, .what = what};
		struct yg_spool_io io = faulty(&f);
		struct yg_spool_journal *j = NULL;
		fresh();
		struct yg_spool_conf conf = conf_of(700, 1 << 20);
		conf.io = &io;
		uint64_t good = 0;
		if (yg_spool_journal_open(&conf, &j, NULL) != YG_OK)
			continue;
		for (uint64_t seq = 1; seq <= 8; seq++) {
			yg_spool_journal_plan(j, seq, YG_SV("a plan"));
			if (yg_spool_journal_sync(j, NULL) != YG_OK) {
				failed++;
				if (what == ENOSPC) { /* room again: the same buffer is written */
					f.bytes = INT64_MAX;
					bad += yg_spool_journal_sync(j, NULL) != YG_OK;
					good = seq;
					continue;
				}
				break;
			}
			good = seq;
		}
		yg_spool_journal_close(j);
		conf.io = &test_io;
		if (yg_spool_journal_open(&conf, &j, NULL) != YG_OK) {
			bad++;
			continue;
		}
		for (uint64_t seq = 1; seq <= good; seq++)
			bad += !yg_spool_journal_has_plan(j, seq);
		yg_spool_journal_close(j);
	}
	T_NAMED(bad == 0 && failed > 300, name);
}

int main(void)
{
	every_byte(EIO, "power cut at every byte");
	every_byte(ENOSPC, "disk full at every byte");
	every_sync();
	space_returns();
	journal_every_byte(EIO, "journal: power cut at every byte");
	journal_every_byte(ENOSPC, "journal: disk full at every byte");
	gone();
	return tap_done();
}
