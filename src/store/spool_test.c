#include "store/spool_testlib.h"

static void test_round_trip(void)
{
	struct yg_spool *sp = NULL;
	struct yg_spool_taken t;
	struct yg_err err;
	uint64_t seqs[8];
	unsigned tags[8];
	fresh();
	struct yg_spool_conf conf = conf_of(0, 1 << 20);
	T_OK(yg_spool_open(&conf, &sp, &err) == YG_OK);
	struct yg_spool_batch b = batch_of(1, 100);
	b.mapping = YG_SV("fw");
	b.framed = true;
	b.encoding = 1;
	b.batch_id = YG_SV("one");
	T_OK(yg_spool_append(sp, &b, &t, &err) == YG_OK && !t.duplicate && t.group != 0);
	T_NAMED(t.seq == 1700000000000, "a new folder begins at the wall clock in milliseconds");
	struct yg_spool_batch b2 = batch_of(2, 301);
	T_OK(yg_spool_append(sp, &b2, &t, &err) == YG_OK);
	T_NAMED(yg_spool_limit(sp).seq == 0, "not durable before the commit");
	struct yg_spool_taken again;
	T_OK(yg_spool_append(sp, &b, &again, &err) == YG_OK && again.duplicate &&
	     again.group == t.group);
	T_OK(yg_spool_commit(sp, &err) == YG_OK && yg_spool_limit(sp).seq == t.seq);
	T_OK(yg_spool_append(sp, &b, &again, &err) == YG_OK && again.duplicate && again.group == 0);

	struct yg_spool_reader *r = NULL;
	struct yg_spool_batch got;
	T_OK(yg_spool_reader_open(&conf, 0, &r, &err) == YG_OK);
	T_OK(yg_spool_reader_next(r, yg_spool_limit(sp), &got, &err) == YG_OK);
	T_OK(tag_of(&got) == 1 && got.body.n == 100 && YG_SV_IS(got.org, "acme") &&
	     YG_SV_IS(got.sensor, "fw"));
	T_OK(YG_SV_IS(got.mapping, "fw") && YG_SV_IS(got.batch_id, "one") && got.framed &&
	     got.encoding == 1 && got.source == 2 && got.received.us == 1001);
	T_OK(yg_spool_reader_next(r, yg_spool_limit(sp), &got, &err) == YG_OK &&
	     tag_of(&got) == 2 && got.body.n == 301);
	T_OK(yg_spool_reader_next(r, yg_spool_limit(sp), &got, &err) == YG_NOTFOUND);
	struct yg_spool_batch b3 = batch_of(3, 8);
	T_OK(yg_spool_append(sp, &b3, &t, &err) == YG_OK && yg_spool_commit(sp, &err) == YG_OK);
	T_OK(yg_spool_reader_next(r, yg_spool_limit(sp), &got, &err) == YG_OK && tag_of(&got) == 3);
	yg_spool_reader_close(r);
	yg_spool_close(sp);

	T_OK(read_all(&conf, 0, tags, seqs, 8, NULL) == 3 && tags[0] == 1 && tags[1] == 2 &&
	     tags[2] == 3);
	T_NAMED(read_all(&conf, seqs[0], tags, NULL, 8, NULL) == 2 && tags[0] == 2,
		"a reader begins behind a batch");
	T_OK(yg_spool_open(&conf, &sp, &err) == YG_OK);
	T_OK(yg_spool_append(sp, &b, &again, &err) == YG_OK && again.duplicate &&
	     again.group == 0 && again.seq == seqs[0]);
	b.org = YG_SV("other");
	T_NAMED(yg_spool_append(sp, &b, &again, &err) == YG_OK && !again.duplicate,
		"a batch id belongs to one organisation");
	T_OK(again.seq > seqs[2]);
	yg_spool_close(sp);
}

/* The writer goes on to a new segment while the reader stands in the old one. */
static void test_reader_behind_a_roll(void)
{
	struct yg_spool *sp = NULL;
	struct yg_spool_reader *r = NULL;
	struct yg_spool_taken t;
	struct yg_spool_batch got;
	struct yg_err err;
	fresh();
	struct yg_spool_conf conf = conf_of(1024, 1 << 20);
	T_OK(yg_spool_open(&conf, &sp, &err) == YG_OK);
	T_OK(yg_spool_reader_open(&conf, 0, &r, &err) == YG_OK);
	unsigned next = 0;
	bool in_order = true;
	for (unsigned tag = 0; tag < 60; tag++) {
		struct yg_spool_batch b = batch_of(tag, 100);
		in_order = in_order && yg_spool_append(sp, &b, &t, &err) == YG_OK &&
			   yg_spool_commit(sp, &err) == YG_OK;
		if (tag % 7 != 0) /* reads one of several, so that it falls behind */
			continue;
		in_order = in_order &&
			   yg_spool_reader_next(r, yg_spool_limit(sp), &got, &err) == YG_OK &&
			   tag_of(&got) == next++;
	}
	while (yg_spool_reader_next(r, yg_spool_limit(sp), &got, &err) == YG_OK)
		in_order = in_order && tag_of(&got) == next++;
	T_NAMED(in_order && next == 60, "no batch is passed over when a segment ends");
	yg_spool_reader_close(r);
	yg_spool_close(sp);
}

static void test_limits(void)
{
	struct yg_spool *sp = NULL;
	struct yg_spool_taken t;
	struct yg_err err;
	fresh();
	struct yg_spool_conf conf = conf_of(1024, 8192);
	T_OK(yg_spool_open(&conf, &sp, &err) == YG_OK);
	struct yg_spool_batch b = batch_of(1, 8);
	b.org = YG_SV("");
	T_OK(yg_spool_append(sp, &b, &t, &err) == YG_INVAL);
	unsigned taken = 0;
	yg_status st = YG_OK;
	while (st == YG_OK && taken < 1000) {
		b = batch_of(taken, 400);
		st = yg_spool_append(sp, &b, &t, &err);
		if (st == YG_OK && yg_spool_commit(sp, &err) != YG_OK)
			break;
		taken += st == YG_OK;
	}
	T_NAMED(st == YG_LIMIT && taken > 8 && taken < 20, "full at its bound");
	struct yg_spool_counts c;
	yg_spool_counts(sp, &c);
	T_OK(c.refused_full == 1 && c.bytes <= 8192 && c.segments > 4 && c.appended == taken);
	unsigned tags[64];
	uint64_t seqs[64];
	yg_spool_close(sp);
	T_OK(read_all(&conf, 0, tags, seqs, 64, NULL) == taken);
	T_OK(yg_spool_open(&conf, &sp, &err) == YG_OK);
	T_OK(yg_spool_append(sp, &b, &t, &err) == YG_LIMIT);
	yg_spool_release(sp, seqs[taken - 1]);
	T_OK(yg_spool_release_take(sp));
	yg_spool_release_run(sp);
	T_OK(yg_spool_release_end(sp, &err) == YG_OK);
	T_NAMED(yg_spool_append(sp, &b, &t, &err) == YG_OK && t.seq > seqs[taken - 1],
		"released space is used again, numbers are not");
	T_OK(yg_spool_commit(sp, &err) == YG_OK);
	yg_spool_counts(sp, &c);
	T_OK(c.segments <= 2);
	yg_spool_close(sp);
	wipe(aside);
	/* With every segment but the newest gone, numbers still go on. */
	uint64_t before = t.seq;
	T_OK(yg_spool_open(&conf, &sp, &err) == YG_OK &&
	     yg_spool_append(sp, &b, &t, &err) == YG_OK && t.seq > before);
	yg_spool_close(sp);
}

static struct yg_sv id_of(unsigned i, char buf[static 16])
{
	struct yg_sb s = yg_sb_init(buf, 16);
	yg_sb_u64(&s, i);
	return yg_sb_sv(&s);
}

static void mark_last(void *ctx, struct yg_sv key, struct yg_sv mark)
{
	struct yg_sb *b = ctx;
	yg_sb_put(b, key);
	yg_sb_putc(b, '=');
	yg_sb_put(b, mark);
	yg_sb_putc(b, ';');
}

/* Ids and marks outlive the segments that brought them; the oldest ids go first. */
static void test_memory(void)
{
	struct yg_spool *sp = NULL;
	struct yg_spool_taken t;
	struct yg_err err;
	char id[16], text[256];
	fresh();
	struct yg_spool_conf conf = conf_of(2048, 1 << 20);
	conf.seen_most = 100;
	T_OK(yg_spool_open(&conf, &sp, &err) == YG_OK);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 50; i++) {
			struct yg_spool_batch b = batch_of(i, 64);
			b.batch_id = id_of(round * 50 + i, id);
			b.mark_key = (i & 1) != 0 ? YG_SV("odd") : YG_SV("even");
			b.mark = b.batch_id;
			if (yg_spool_append(sp, &b, &t, &err) != YG_OK || t.duplicate ||
			    yg_spool_commit(sp, &err) != YG_OK)
				T_NAMED(false, "append");
		}
		yg_spool_release(sp, t.seq);
		T_OK(yg_spool_release_take(sp));
		yg_spool_release_run(sp);
		T_OK(yg_spool_release_end(sp, &err) == YG_OK);
		if (round == 1) { /* a restart in between */
			yg_spool_close(sp);
			T_OK(yg_spool_open(&conf, &sp, &err) == YG_OK);
		}
	}
	struct yg_spool_counts c;
	yg_spool_counts(sp, &c);
	T_OK(c.seen == 100);
	yg_spool_close(sp);
	T_OK(yg_spool_open(&conf, &sp, &err) == YG_OK);
	unsigned dup = 0, old = 0;
	for (unsigned i = 60; i < 150; i++) {
		struct yg_spool_batch b = batch_of(i, 64);
		b.batch_id = id_of(i, id);
		dup += yg_spool_append(sp, &b, &t, &err) == YG_OK && t.duplicate;
	}
	T_NAMED(dup == 90, "ids of removed segments are still known after a restart");
	for (unsigned i = 0; i < 20; i++) {
		struct yg_spool_batch b = batch_of(i, 64);
		b.batch_id = id_of(i, id);
		old += yg_spool_append(sp, &b, &t, &err) == YG_OK && !t.duplicate;
		commit(sp);
	}
	T_NAMED(old == 20, "the oldest were forgotten at the bound");
	struct yg_sb s = yg_sb_init(text, sizeof text);
	yg_spool_marks(sp, mark_last, &s);
	T_OK(strstr(yg_sb_cstr(&s), "even=148;") != NULL && strstr(text, "odd=149;") != NULL);
	yg_spool_close(sp);
}

static void flip(const char *path, long at)
{
	FILE *f = fopen(path, "r+b");
	if (f == NULL)
		return;
	(void)fseek(f, at, at < 0 ? SEEK_END : SEEK_SET);
	int c = fgetc(f);
	(void)fseek(f, -1, SEEK_CUR);
	(void)fputc(c ^ 0x40, f);
	(void)fclose(f);
}
static void only_segment(char *out, size_t n)
{
	DIR *d = opendir(dir);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		if (strncmp(e->d_name, "seg-", 4) == 0)
			(void)snprintf(out, n, "%s/%s", dir, e->d_name);
	}
	if (d != NULL)
		(void)closedir(d);
}

/* A bit flipped at every byte of the file: never a wrong batch, never a crash;
 * what is missing is counted. */
static void test_damage(void)
{
	struct yg_err err;
	struct yg_spool_taken t;
	char path[512] = "";
	unsigned bad = 0, uncounted = 0;
	long size = 1;
	struct yg_spool_conf conf = conf_of(0, 1 << 20);
	for (long at = 0; at < size; at++) {
		struct yg_spool *sp = NULL;
		fresh();
		sim.seed = 99;
		if (yg_spool_open(&conf, &sp, &err) != YG_OK)
			break;
		for (unsigned i = 0; i < 4; i++) {
			struct yg_spool_batch b = batch_of(i, 20 + i);
			append(sp, &b);
		}
		commit(sp);
		yg_spool_close(sp);
		only_segment(path, sizeof path);
		struct stat sb;
		size = stat(path, &sb) == 0 ? (long)sb.st_size : 0;
		flip(path, at);
		unsigned tags[8];
		uint64_t damaged = 0, seqs[8];
		size_t n = read_all(&conf, 0, tags, seqs, 8, &damaged);
		if (n > 4) { /* more than there were, or not opened at all */
			bad++;
			(void)printf("# byte %ld: %zd batches\n", at, (ssize_t)n);
		}
		for (size_t i = 0; n != SIZE_MAX && i + 1 < n; i++)
			bad += tags[i] >= tags[i + 1] || tags[i + 1] > 3;
		/* Padding and reserved bytes do not matter; everything else is seen. */
		if (n != SIZE_MAX && n < 4 && damaged == 0 && files_in(aside, "spool-3-") == 0)
			uncounted++;
		/* Numbers go on behind what was lost. */
		if (n != SIZE_MAX && yg_spool_open(&conf, &sp, &err) == YG_OK) {
			struct yg_spool_batch b = batch_of(9, 20);
			bool low = yg_spool_append(sp, &b, &t, &err) != YG_OK ||
				   t.seq <= 1700000000003;
			bad += low;
			if (low)
				(void)printf("# byte %ld: number %llu\n", at,
					     (unsigned long long)t.seq);
			yg_spool_close(sp);
		}
	}
	T_NAMED(size > 400 && bad == 0, "no flipped bit gives a wrong batch");
	T_NAMED(uncounted == 0, "no batch goes missing without being set aside");
}

static void test_middle(void)
{
	struct yg_spool *sp = NULL;
	struct yg_err err;
	char path[512] = "";
	unsigned tags[16];
	uint64_t damaged = 0;
	struct yg_spool_conf conf = conf_of(0, 1 << 20);
	fresh();
	T_OK(yg_spool_open(&conf, &sp, &err) == YG_OK);
	for (unsigned i = 0; i < 10; i++) {
		struct yg_spool_batch b = batch_of(i, 400);
		append(sp, &b);
	}
	T_OK(yg_spool_commit(sp, &err) == YG_OK);
	yg_spool_close(sp);
	only_segment(path, sizeof path);
	flip(path, 64 + 96 + 200);            /* body of the first */
	flip(path, 64 + 3 * (400 + 88) + 20); /* about the head of the fourth */
	size_t n = read_all(&conf, 0, tags, NULL, 16, &damaged);
	T_OK(n == 8 && tags[0] == 1 && tags[1] == 2 && tags[2] == 4 && tags[7] == 9);
	T_OK(damaged == 2 && files_in(aside, "spool-3-") == 2);
}

static void test_journal(void)
{
	struct yg_spool_journal *j = NULL;
	struct yg_err err;
	struct yg_buf b;
	fresh();
	struct yg_spool_conf conf = conf_of(0, 1 << 20);
	yg_buf_init(&b, 1 << 20);
	T_OK(yg_spool_journal_open(&conf, &j, &err) == YG_OK &&
	     yg_spool_journal_released_seq(j) == 0);
	yg_spool_journal_plan(j, 10, YG_SV("ten"));
	yg_spool_journal_plan(j, 11, YG_SV("eleven"));
	yg_spool_journal_intent(j, 10, 11, YG_SV("yg-3-10-11"));
	T_OK(yg_spool_journal_sync(j, &err) == YG_OK);
	yg_spool_journal_plan(j, 12, YG_SV("never synced"));
	yg_spool_journal_close(j);
	T_OK(yg_spool_journal_open(&conf, &j, &err) == YG_OK);
	T_OK(yg_spool_journal_has_plan(j, 10) && !yg_spool_journal_has_plan(j, 12));
	T_OK(yg_spool_journal_intent_last(j) == 11 &&
	     YG_SV_IS(yg_spool_journal_intent_query(j), "yg-3-10-11"));
	T_OK(yg_spool_journal_read_plan(j, 11, &b, &err) == YG_OK &&
	     YG_SV_IS(yg_buf_sv(&b), "eleven"));
	T_OK(yg_spool_journal_read_plan(j, 12, &b, &err) == YG_NOTFOUND);
	yg_spool_journal_plan(j, 11, YG_SV("a later opinion"));
	yg_spool_journal_released(j, 10);
	T_OK(yg_spool_journal_sync(j, &err) == YG_OK);
	T_OK(files_in(dir, "journal-") == 2);
	yg_spool_journal_close(j);
	T_OK(yg_spool_journal_open(&conf, &j, &err) == YG_OK &&
	     yg_spool_journal_released_seq(j) == 10);
	b.n = 0;
	T_NAMED(yg_spool_journal_read_plan(j, 11, &b, &err) == YG_OK &&
			YG_SV_IS(yg_buf_sv(&b), "eleven"),
		"the first plan of a batch stands");
	yg_spool_journal_released(j, 11);
	T_OK(yg_spool_journal_sync(j, &err) == YG_OK && files_in(dir, "journal-") == 1);
	yg_spool_journal_close(j);
	yg_buf_free(&b);
}

static void test_busy(void)
{
	struct yg_spool_busy busy;
	struct yg_err err;
	int fd = -1;
	fresh();
	struct yg_spool_conf conf = conf_of(0, 1 << 20);
	T_OK(yg_spool_busy_open(&conf, &busy, &fd, &err) == YG_OK && busy.seq == 0 &&
	     busy.deaths == 0);
	yg_spool_busy_set(&conf, fd, 7, 0);
	(void)close(fd);
	T_OK(yg_spool_busy_open(&conf, &busy, &fd, &err) == YG_OK && busy.seq == 7 &&
	     busy.deaths == 1);
	yg_spool_busy_set(&conf, fd, 7, busy.deaths);
	(void)close(fd);
	T_OK(yg_spool_busy_open(&conf, &busy, &fd, &err) == YG_OK && busy.seq == 7 &&
	     busy.deaths == 2);
	yg_spool_busy_set(&conf, fd, 0, 0);
	(void)close(fd);
	T_OK(yg_spool_busy_open(&conf, &busy, &fd, &err) == YG_OK && busy.seq == 0 &&
	     busy.deaths == 0);
	(void)close(fd);
}

static void test_clock_back(void)
{
	struct yg_spool *sp = NULL;
	struct yg_err err;
	struct yg_spool_taken t, u;
	fresh();
	struct yg_spool_conf conf = conf_of(0, 1 << 20);
	struct yg_spool_batch b = batch_of(1, 8);
	T_OK(yg_spool_open(&conf, &sp, &err) == YG_OK &&
	     yg_spool_append(sp, &b, &t, &err) == YG_OK && yg_spool_commit(sp, &err) == YG_OK);
	yg_spool_close(sp);
	sim.wall.us -= 3600 * YG_US_PER_S;
	T_OK(yg_spool_open(&conf, &sp, &err) == YG_OK &&
	     yg_spool_append(sp, &b, &u, &err) == YG_OK && u.seq == t.seq + 1);
	yg_spool_close(sp);
	fresh();
	conf.floor = t.seq + 5;
	T_NAMED(yg_spool_open(&conf, &sp, &err) == YG_OK &&
			yg_spool_append(sp, &b, &u, &err) == YG_OK && u.seq == t.seq + 6,
		"a lost folder does not go below what the journal knows");
	yg_spool_close(sp);
	sim.wall.us += 3600 * YG_US_PER_S;
}

int main(void)
{
	test_round_trip();
	test_reader_behind_a_roll();
	test_limits();
	test_memory();
	test_damage();
	test_middle();
	test_journal();
	test_busy();
	test_clock_back();
	gone();
	return tap_done();
}
