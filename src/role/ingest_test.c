/* From the spool to a store that fails at any step, with the worker killed at any
 * step: every event and finding arrives once, and the same ones each time. */
#include <sys/mman.h>

#include "detect/ruleset_testing.h"
#include "event/table.h"
#include "intel/compile.h"
#include "role/ingest_process.h"
#include "role/message.h"
#include "store/spool_testlib.h"

/* ---- a store in memory ---- */
#define ROWS_MAX 4096
struct fake {
	struct {
		uint64_t batch;
		uint32_t row, copies, class_uid;
		uint64_t hash;
	} rows[ROWS_MAX];
	size_t n;
	unsigned doubles, differs;
	int fail_at; /* call number that fails; -1: none */
	int calls;
	unsigned mode;   /* of a failing insert: 0 nothing in, 1 all in, 2 the first half in */
	uint64_t refuse; /* a batch whose rows are refused for good */
	unsigned refusals, aside, aside_rows;
	bool aside_fails; /* the first time */
};

static bool fails(struct fake *f)
{
	return f->calls++ == f->fail_at;
}

static void take(struct fake *f, const struct yg_event *ev, uint64_t hash)
{
	for (size_t i = 0; i < f->n; i++) {
		if (f->rows[i].batch == ev->batch && f->rows[i].row == ev->row) {
			f->doubles++;
			f->differs += f->rows[i].hash != hash;
			return;
		}
	}
	if (f->n < ROWS_MAX) {
		f->rows[f->n].batch = ev->batch;
		f->rows[f->n].row = ev->row;
		f->rows[f->n].class_uid = ev->class_uid;
		f->rows[f->n++].hash = hash;
	}
}

static unsigned rows_of(struct yg_sv rows, uint64_t batch)
{
	struct yg_rd r = yg_rd_init(rows.p, rows.n);
	struct yg_arena arena;
	struct yg_event ev;
	unsigned n = 0;
	yg_arena_init(&arena, 64u << 20);
	while (yg_rd_left(&r) > 0) {
		if (yg_event_row_read(&r, &arena, &ev, NULL) != YG_OK)
			abort();
		n += ev.batch == batch;
	}
	yg_arena_free(&arena);
	return n;
}

static yg_status fake_aside(void *ctx, const struct yg_refused *r, struct yg_err *err)
{
	struct fake *f = ctx;
	if (f->aside_fails) {
		f->aside_fails = false;
		return YG_FAIL(err, YG_IO, "no room to set it aside");
	}
	f->aside += r->batch == f->refuse && YG_SV_IS(r->reason, "not these rows");
	f->aside_rows += rows_of(r->rows, r->batch);
	return YG_OK;
}

static yg_status fake_insert(void *ctx, const char *query_id, struct yg_sv rows, struct yg_err *err)
{
	struct fake *f = ctx;
	bool bad = fails(f);
	struct yg_rd r = yg_rd_init(rows.p, rows.n);
	size_t n = 0, half = 0;
	struct yg_arena arena;
	struct yg_event ev;
	(void)query_id;
	if (f->refuse != 0 && rows_of(rows, f->refuse) > 0) {
		f->refusals++;
		return YG_FAIL(err, YG_PARSE, "not these rows");
	}
	yg_arena_init(&arena, 64u << 20);
	for (struct yg_rd c = r; yg_rd_left(&c) > 0; half++) {
		if (yg_event_row_read(&c, &arena, &ev, err) != YG_OK)
			abort();
	}
	while (yg_rd_left(&r) > 0) {
		const uint8_t *from = r.p;
		if (yg_event_row_read(&r, &arena, &ev, err) != YG_OK)
			abort();
		static const uint8_t key[16];
		if (!bad || f->mode == 1 || (f->mode == 2 && n < half / 2))
			take(f, &ev, yg_siphash(key, from, (size_t)(r.p - from)));
		n++;
	}
	yg_arena_free(&arena);
	return bad ? YG_FAIL(err, YG_AGAIN, "the store went away") : YG_OK;
}
static yg_status fake_settle(void *ctx, const char *query_id, struct yg_err *err)
{
	(void)query_id;
	return fails(ctx) ? YG_FAIL(err, YG_AGAIN, "the store is away") : YG_OK;
}
static yg_status fake_delivered(void *ctx, uint64_t first, uint64_t last, uint64_t *out,
				struct yg_err *err)
{
	struct fake *f = ctx;
	if (fails(f))
		return YG_FAIL(err, YG_AGAIN, "the store is away");
	for (size_t i = 0; i < f->n; i++) {
		if (f->rows[i].batch >= first && f->rows[i].batch <= last)
			out[f->rows[i].batch - first]++;
	}
	return YG_OK;
}
static yg_status fake_rows(void *ctx, uint64_t batch, struct yg_arena *arena, uint32_t **out,
			   size_t *out_n, struct yg_err *err)
{
	struct fake *f = ctx;
	uint32_t *list = YG_NEW_N(arena, uint32_t, f->n + 1);
	if (fails(f) || list == NULL)
		return YG_FAIL(err, YG_AGAIN, "the store is away");
	*out_n = 0;
	for (uint32_t row = 0; row < 10000 && *out_n < f->n; row++) {
		for (size_t i = 0; i < f->n; i++) {
			if (f->rows[i].batch == batch && f->rows[i].row == row)
				list[(*out_n)++] = row;
		}
	}
	*out = list;
	return YG_OK;
}

/* ---- one life of a worker ---- */
static const struct yg_ruleset *rules_in_force; /* of every worker, unless NULL */
/* Of test_kill(): those before the first death and behind it, and what each batch finds. */
static struct yg_ruleset *rules_before, *rules_after;
static unsigned findings_each = 1;
#define REFUSALS 5
struct worker {
	struct yg_spool_conf conf;
	struct yg_spool *spool;
	struct yg_spool_journal *journal;
	struct yg_process *process;
	struct yg_deliver_ops ops;
	struct yg_deliver d;
	struct yg_block block;
	struct yg_spool_busy busy;
	int busy_fd;
	uint64_t stored;
	uint64_t sent[64], sent_n; /* batches whose findings went to center */
};

static bool worker_open(struct worker *w, struct fake *f, uint64_t rows_most, uint32_t deaths)
{
	struct yg_err err = {0};
	*w = (struct worker){.conf = conf_of(4096, 4 << 20), .busy_fd = -1};
	w->conf.seen_most = 64;
	yg_status st = yg_spool_journal_open(&w->conf, &w->journal, &err);
	if (st == YG_OK) {
		w->conf.floor = YG_MAX(yg_spool_journal_released_seq(w->journal),
				       yg_spool_journal_intent_last(w->journal));
		st = yg_spool_open(&w->conf, &w->spool, &err);
	}
	if (st == YG_OK)
		st = yg_spool_busy_open(&w->conf, &w->busy, &w->busy_fd, &err);
	struct yg_process_conf pc = {.spool = &w->conf,
				     .journal = w->journal,
				     .env = &env,
				     .rows_most = rows_most,
				     .busy = w->busy,
				     .busy_fd = w->busy_fd,
				     .deaths_most = deaths};
	if (st == YG_OK) {
		pc.after = yg_spool_journal_released_seq(w->journal);
		st = yg_process_new(&pc, &w->process, &err);
	}
	if (st != YG_OK) {
		(void)printf("# %s\n", err.msg);
		return false;
	}
	w->ops = (struct yg_deliver_ops){f,         fake_insert, fake_settle, fake_delivered,
					 fake_rows, fake_aside};
	w->d = (struct yg_deliver){.ops = &w->ops,
				   .journal = w->journal,
				   .spool = 3,
				   .refusals_most = REFUSALS,
				   .uncertain_upto = yg_spool_journal_intent_last(w->journal)};
	(void)snprintf(w->d.settle_first, sizeof w->d.settle_first, "%s",
		       yg_spool_journal_intent_query(w->journal).p);
	yg_block_init(&w->block);
	return true;
}
/* Nothing is flushed or said good-bye to: as after kill -9. */
static void worker_die(struct worker *w)
{
	yg_block_free(&w->block);
	yg_process_free(w->process);
	yg_spool_journal_close(w->journal);
	yg_spool_close(w->spool);
	if (w->busy_fd >= 0)
		(void)close(w->busy_fd);
}

/* Works until everything is delivered, or `steps` are done (then it dies in the
 * middle); a failed attempt is repeated, as the role does. */
static bool worker_live(struct worker *w, const struct yg_intel *intel, int steps, bool release)
{
	const struct yg_process_by by = {intel, rules_in_force};
	struct yg_err err;
	for (int i = 0; i < 400; i++) {
		bool idle = false;
		if (steps-- <= 0)
			return false;
		if (yg_process_run(w->process, yg_spool_limit(w->spool), by, &w->block, 1000000,
				   &idle, &err) != YG_OK)
			return false;
		if (yg_block_empty(&w->block) && idle)
			return true;
		if (w->block.row_n == 0 && w->block.complete == 0)
			continue;
		yg_status st = YG_AGAIN;
		while (st != YG_OK && steps-- > 0)
			st = yg_deliver_block(&w->d, &w->block, &err);
		if (st != YG_OK)
			return false;
		for (size_t k = 0; k < w->block.message_n && w->sent_n < 64; k++)
			if (w->block.message[k].type == YG_IPC_FINDINGS)
				w->sent[w->sent_n++] = w->block.message[k].batch;
		w->stored = YG_MAX(w->stored, w->block.complete);
		if (release)
			w->d.released = w->stored;
		yg_block_reset(&w->block);
	}
	return false;
}

/* ---- what goes in ---- */
static struct yg_intel *snapshot(const char *domain, uint64_t generation)
{
	struct yg_intel_build_opts opts = {.env = &env};
	struct yg_intel_builder *b = NULL;
	struct yg_intel_build_stats stats;
	struct yg_intel *in = NULL;
	struct yg_err err = {0};
	struct yg_indicator ind = {.type = YG_IND_DOMAIN,
				   .value = yg_sv_of(domain),
				   .list = YG_SV_INIT("test"),
				   .category = YG_SV_INIT("malware"),
				   .confidence = 80,
				   .severity_id = 4};
	int fd = memfd_create("snap", MFD_ALLOW_SEALING);
	if (yg_intel_builder_new(&opts, &b, &err) != YG_OK ||
	    yg_intel_builder_add(b, &ind, &err) != YG_OK ||
	    yg_intel_builder_finish(b, fd, generation, &stats, &err) != YG_OK ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0 ||
	    yg_intel_open_fd(fd, 0, &in, &err) != YG_OK)
		(void)printf("# %s\n", err.msg);
	yg_intel_builder_free(b);
	(void)close(fd);
	return in;
}

static const char *const records[] = {
	"{\"ts\":1700000000.1,\"uid\":\"C1\",\"id.orig_h\":\"10.0.0.5\",\"id.orig_p\":5353,\"id.resp_h\":\"10.0.0.1\",\"id.resp_p\":53,\"proto\":\"udp\",\"query\":\"www.bad.example\",\"qtype_name\":\"A\",\"rcode_name\":\"NOERROR\"}\n",
	"{\"ts\":1700000000.2,\"uid\":\"C2\",\"id.orig_h\":\"10.0.0.6\",\"id.orig_p\":5353,\"id.resp_h\":\"10.0.0.1\",\"id.resp_p\":53,\"proto\":\"udp\",\"query\":\"good.example\",\"qtype_name\":\"A\",\"rcode_name\":\"NOERROR\"}\n",
	"this is not json\n",
	"{\"ts\":1700000000.3,\"uid\":\"C3\",\"id.orig_h\":\"10.0.0.7\",\"id.orig_p\":5353,\"id.resp_h\":\"10.0.0.1\",\"id.resp_p\":53,\"proto\":\"udp\",\"query\":\"worse.example\",\"qtype_name\":\"A\",\"rcode_name\":\"NOERROR\"}\n",
};
#define PER_BATCH 4
#define BATCHES   6

static void fill(struct worker *w)
{
	static char text[4096];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	for (size_t i = 0; i < PER_BATCH; i++)
		yg_sb_put(&b, yg_sv_of(records[i]));
	for (unsigned i = 0; i < BATCHES; i++) {
		struct yg_spool_batch batch = {.received = {1700000000000000 + i},
					       .source = YG_SOURCE_ZEEK,
					       .org = YG_SV_INIT("acme"),
					       .sensor = YG_SV_INIT("zeek1"),
					       .body = yg_sb_sv(&b)};
		append(w->spool, &batch);
		commit(w->spool);
	}
}

static unsigned count_class(const struct fake *f, uint32_t class_uid)
{
	unsigned n = 0;
	for (size_t i = 0; i < f->n; i++)
		n += f->rows[i].class_uid == class_uid;
	return n;
}

static void test_plain(struct yg_intel *intel)
{
	static struct fake f;
	f = (struct fake){.fail_at = -1};
	struct worker w;
	const struct yg_tally *t;
	fresh();
	T_OK(worker_open(&w, &f, 100, 2));
	fill(&w);
	T_OK(worker_live(&w, intel, 100, true));
	T_OK(f.n == BATCHES * (PER_BATCH + 1) && f.doubles == 0);
	T_OK(count_class(&f, YG_OCSF_DETECTION_FINDING) == BATCHES &&
	     count_class(&f, YG_OCSF_DNS_ACTIVITY) == BATCHES * 3);
	T_NAMED(w.sent_n == BATCHES, "one message to center per batch with findings");
	T_OK(yg_process_tallies(w.process, &t) <= 1);
	struct yg_process_counts c;
	yg_process_counts(w.process, &c);
	T_OK(c.events == BATCHES * PER_BATCH && c.unparsed == BATCHES && c.findings == BATCHES);
	T_OK(w.stored == yg_spool_limit(w.spool).seq);
	worker_die(&w);
	T_OK(worker_open(&w, &f, 100, 2));
	T_NAMED(worker_live(&w, intel, 100, true) && f.doubles == 0 &&
			f.n == BATCHES * (PER_BATCH + 1),
		"another life adds nothing");
	worker_die(&w);
}

/* Killed after every number of steps, with another snapshot after the restart. */
static void test_kill(struct yg_intel *before, struct yg_intel *after, uint64_t rows_most,
		      const char *name)
{
	unsigned bad = 0, lives = 0, mixed = 0;
	for (int steps = 1; steps < 40; steps++) {
		for (unsigned mode = 0; mode < 3; mode++) {
			static struct fake f;
			f = (struct fake){.fail_at = steps % 7, .mode = mode};
			struct worker w;
			bool done = false;
			fresh();
			if (!worker_open(&w, &f, rows_most, 99))
				abort();
			fill(&w);
			rules_in_force = rules_before;
			(void)worker_live(&w, before, steps, (steps & 1) != 0);
			worker_die(&w);
			rules_in_force = rules_after;
			for (int life = 0; life < 5 && !done; life++) {
				lives++;
				f.fail_at = life < 2 ? f.calls + 1 + life : -1;
				if (!worker_open(&w, &f, rows_most, 99))
					abort();
				done = worker_live(&w, after, life < 2 ? steps : 400, false);
				worker_die(&w);
			}
			unsigned events =
				(unsigned)f.n - count_class(&f, YG_OCSF_DETECTION_FINDING);
			unsigned findings = count_class(&f, YG_OCSF_DETECTION_FINDING);
			mixed += findings > 0;
			if (!done || f.doubles != 0 || events != BATCHES * PER_BATCH ||
			    findings != BATCHES * findings_each) {
				bad++;
				(void)printf(
					"# steps %d mode %u: done %d doubles %u differs %u events %u findings %u\n",
					steps, mode, done, f.doubles, f.differs, events, findings);
			}
		}
	}
	(void)printf("# %s: %u lives\n", name, lives);
	T_NAMED(bad == 0 && mixed > 50, name);
}

/* The same with rules, others behind the death: what was found before it stays as it was. */
static void test_kill_rules(struct yg_intel *before, struct yg_intel *after)
{
	static const char dns[] = "title: one\nlogsource: {category: dns}\ndetection:\n"
				  "  s: {query|endswith: .example}\n  condition: s\n";
	static const char zeek[] = "title: two\nlogsource: {product: zeek}\ndetection:\n"
				   "  s: {query|contains: example}\n  condition: s\n";
	const struct rs_org orgs[] = {{"acme", ""}, {NULL, NULL}};
	const struct rs_doc docs[2][2] = {
		{{"r-1", "acme", dns, YG_STAGE_LIVE}, {NULL, NULL, NULL, YG_STAGE_OFF}},
		{{"r-2", "", zeek, YG_STAGE_AUDIT}, {NULL, NULL, NULL, YG_STAGE_OFF}}};
	const struct rs_set sets[2] = {{.orgs = orgs, .docs = docs[0], .generation = 1},
				       {.orgs = orgs, .docs = docs[1], .generation = 2}};
	struct yg_err err;
	T_OK(rs_make(&sets[0], NULL, NULL, NULL, &rules_before, &err) == YG_OK &&
	     rs_make(&sets[1], NULL, NULL, NULL, &rules_after, &err) == YG_OK);
	findings_each = 4; /* an indicator, and three clients that asked */
	test_kill(before, after, 100, "rules, killed at every step");
	test_kill(before, after, 3, "rules, killed at every step, small blocks");
	findings_each = 1;
	rules_in_force = NULL;
	yg_ruleset_free(rules_before);
	yg_ruleset_free(rules_after);
	rules_before = rules_after = NULL;
}

/* A batch that ends the worker each time is set aside; the rest goes on. */
static void test_poison(struct yg_intel *intel)
{
	static struct fake f;
	f = (struct fake){.fail_at = -1};
	struct worker w;
	fresh();
	T_OK(worker_open(&w, &f, 100, 2));
	fill(&w);
	uint64_t poison = yg_spool_limit(w.spool).seq - 2;
	yg_spool_busy_set(&w.conf, w.busy_fd, poison, 0); /* died while it worked on it */
	worker_die(&w);
	T_OK(worker_open(&w, &f, 100, 2) && w.busy.seq == poison && w.busy.deaths == 1);
	yg_spool_busy_set(&w.conf, w.busy_fd, poison, w.busy.deaths);
	worker_die(&w);
	T_OK(worker_open(&w, &f, 100, 2) && w.busy.deaths == 2);
	T_OK(worker_live(&w, intel, 100, false) && yg_process_aside(w.process) == poison);
	T_OK(files_in(aside, "spool-3-") == 1);
	T_NAMED(f.n == (BATCHES - 1) * (PER_BATCH + 1) + 1,
		"the others arrive, and a row tells of it");
	worker_die(&w);
	T_OK(worker_open(&w, &f, 100, 2) && worker_live(&w, intel, 100, false));
	T_NAMED(f.n == (BATCHES - 1) * (PER_BATCH + 1) + 1 && f.doubles == 0,
		"it stays aside after a restart");
	worker_die(&w);
}

/* Rows that the store refuses for good are set aside after some attempts; the
 * other batches of their block arrive, once. */
static void test_refused(struct yg_intel *intel)
{
	static struct fake f;
	struct worker w;
	for (uint64_t rows_most = 3; rows_most <= 100; rows_most += 97) {
		for (uint64_t back = 0; back < BATCHES; back++) {
			f = (struct fake){.fail_at = 9, .aside_fails = back == 2};
			fresh();
			T_OK(worker_open(&w, &f, rows_most, 99));
			fill(&w);
			f.refuse = yg_spool_limit(w.spool).seq - back;
			bool done = worker_live(&w, intel, 400, false);
			/* A block of 100 holds all batches, of 3 a part of one. */
			unsigned pieces = rows_most == 100 ? 1 : 2;
			T_OK(done && f.doubles == 0);
			T_NAMED(f.n == (BATCHES - 1) * (PER_BATCH + 1) &&
					f.aside_rows == PER_BATCH + 1 && f.aside == pieces &&
					w.d.refused == pieces && w.d.refused_batch == f.refuse &&
					w.d.rows == f.n,
				"what the store refuses for good is set aside, the rest arrives");
			T_OK(f.refusals >= REFUSALS && f.refusals < pieces * (REFUSALS + 10));
			worker_die(&w);
		}
	}
	f = (struct fake){.fail_at = -1};
	fresh();
	T_OK(worker_open(&w, &f, 100, 99));
	w.d.refusals_most = 0;
	fill(&w);
	f.refuse = yg_spool_limit(w.spool).seq;
	T_NAMED(!worker_live(&w, intel, 100, false) && f.aside == 0 && f.refusals > 50,
		"without a bound it is tried for ever");
	worker_die(&w);
}

/* One read of the spool fails: the batch is processed when it can be read, not
 * as one without a body. */
static int read_fails_in; /* calls; < 0: not any more */
static ssize_t read_once_failing(void *ctx, int fd, void *buf, size_t n, off_t at)
{
	(void)ctx;
	if (read_fails_in-- == 0)
		return -EIO;
	ssize_t got = pread(fd, buf, n, at);
	return got < 0 ? -errno : got;
}

static void test_read_fails(const struct yg_intel *intel)
{
	static struct fake f;
	struct worker w;
	struct yg_err err;
	bool good = true;
	int k = 0;
	for (read_fails_in = -1; good && read_fails_in < 0; k++) {
		uint64_t counted = 0, batches = 0;
		bool idle = false;
		f = (struct fake){.fail_at = -1};
		fresh();
		if (!worker_open(&w, &f, 100, 2))
			abort();
		fill(&w);
		test_io.pread = read_once_failing;
		read_fails_in = k;
		for (int i = 0; i < 100 && !idle; i++) {
			if (yg_process_run(w.process, yg_spool_limit(w.spool),
					   (struct yg_process_by){.intel = intel}, &w.block,
					   1000000, &idle, &err) != YG_OK)
				continue; /* the role tries again later */
			for (size_t c = 0; c < w.block.count_n; c++)
				counted += w.block.count[c].events;
			batches += w.block.count_n;
			good &= yg_deliver_block(&w.d, &w.block, &err) == YG_OK;
			yg_block_reset(&w.block);
		}
		good &= f.n == BATCHES * (PER_BATCH + 1) && f.doubles == 0 && batches == BATCHES &&
			counted == BATCHES * PER_BATCH;
		worker_die(&w);
		if (read_fails_in >= 0)
			break; /* further reads than there are */
	}
	T_NAMED(good && k > BATCHES, "a read that fails loses nothing, whichever it is");
}

static void test_odd_batches(void)
{
	static struct fake f;
	f = (struct fake){.fail_at = -1};
	struct worker w;
	static const uint8_t frame[] = {3, 0, 0, 0, 'a', 'b', 'c', 9, 0, 0, 0, 'c', 'u', 't'};
	fresh();
	T_OK(worker_open(&w, &f, 100, 2));
	struct yg_spool_batch b = {.received = {1700000000000000},
				   .source = YG_SOURCE_NDJSON,
				   .org = YG_SV_INIT("acme"),
				   .mapping = YG_SV_INIT("none"),
				   .body = YG_SV_INIT("one\ntwo\n\nthree")};
	append(w.spool, &b);
	b.framed = true;
	b.body = (struct yg_sv){(const char *)frame, sizeof frame};
	append(w.spool, &b);
	b = (struct yg_spool_batch){.received = {1700000000000000},
				    .source = YG_SOURCE_ZEEK,
				    .encoding = 1,
				    .org = YG_SV_INIT("acme"),
				    .body = YG_SV_INIT("not gzip")};
	append(w.spool, &b);
	b.body = YG_SV("");
	b.encoding = 0;
	append(w.spool, &b);
	commit(w.spool);
	T_OK(worker_live(&w, NULL, 100, false));
	struct yg_process_counts c;
	yg_process_counts(w.process, &c);
	T_NAMED(c.events == 6 && c.unparsed == 6 && c.batches == 4 && c.inflate_failed == 1,
		"records without a reader are kept raw and counted");
	T_OK(f.n == 6);
	worker_die(&w);
}

/* ndjson:@NAME: a batch that begins with its mapping. */
static void test_own_mapping(void)
{
	static struct fake f;
	f = (struct fake){.fail_at = -1};
	struct worker w;
	fresh();
	T_OK(worker_open(&w, &f, 100, 2));
	struct yg_spool_batch b = {.received = {1700000000000000},
				   .source = YG_SOURCE_NDJSON,
				   .org = YG_SV_INIT("acme"),
				   .mapping = YG_SV_INIT("@fw"),
				   .body = YG_SV_INIT("{\"set\":{\"class_uid\":\"dns_activity\"},"
						      "\"fields\":{\"query\":\"q\"}}\n"
						      "{\"q\":\"a.example\"}\n{\"q\":\"b\"}\n")};
	append(w.spool, &b);
	b.body = YG_SV("{\"fields\":3}\n{\"q\":\"a.example\"}\n");
	append(w.spool, &b);
	b.body = YG_SV("");
	append(w.spool, &b);
	commit(w.spool);
	T_OK(worker_live(&w, NULL, 100, false));
	struct yg_process_counts c;
	const struct yg_tally *tallies;
	yg_process_counts(w.process, &c);
	T_NAMED(c.events == 3 && c.unparsed == 1 && c.batches == 3 && f.n == 3 &&
			f.rows[0].class_uid == 4003 && f.rows[2].class_uid == 0,
		"a batch brings its mapping; a wrong one leaves the records raw");
	size_t n = yg_process_tallies(w.process, &tallies);
	T_NAMED(n == 1 && YG_SV_IS(yg_sv_of(tallies[0].source), "ndjson:fw"),
		"and its source has the name alone");
	worker_die(&w);
}

static struct yg_event event_at(const char *src, const char *dst)
{
	struct yg_event ev = {.org = YG_SV_INIT("acme"), .sensor = YG_SV_INIT("s")};
	(void)yg_ip_parse(yg_sv_of(src), &ev.src_ip);
	(void)yg_ip_parse(yg_sv_of(dst), &ev.dst_ip);
	return ev;
}

static void test_asset(void)
{
	char buf[YG_IP_TEXT_MAX];
	struct yg_event ev = event_at("10.0.0.5", "203.0.113.9");
	T_OK(YG_SV_IS(yg_finding_asset(&ev, YG_EF_dst_ip, buf), "10.0.0.5"));
	ev = event_at("203.0.113.9", "10.0.0.5");
	T_OK(YG_SV_IS(yg_finding_asset(&ev, YG_EF_src_ip, buf), "10.0.0.5"));
	ev = event_at("203.0.113.9", "198.51.100.7");
	T_OK(YG_SV_IS(yg_finding_asset(&ev, YG_EF_src_ip, buf), "198.51.100.7"));
	ev = (struct yg_event){.host = YG_SV_INIT("pc1"), .user = YG_SV_INIT("bob")};
	T_OK(YG_SV_IS(yg_finding_asset(&ev, YG_EF_hashes, buf), "pc1"));
	ev = (struct yg_event){.sensor = YG_SV_INIT("s")};
	T_OK(YG_SV_IS(yg_finding_asset(&ev, YG_EF_url, buf), "s"));
}

int main(void)
{
	fresh();
	struct yg_intel *one = snapshot("bad.example", 1), *two = snapshot("worse.example", 2);
	T_OK(one != NULL && two != NULL);
	test_plain(one);
	test_kill(one, two, 100, "killed at every step, blocks of many batches");
	test_kill(one, two, 3, "killed at every step, blocks smaller than a batch");
	test_kill_rules(one, two);
	test_poison(one);
	test_refused(one);
	test_read_fails(one);
	test_odd_batches();
	test_own_mapping();
	test_asset();
	yg_intel_close(one);
	yg_intel_close(two);
	gone();
	return tap_done();
}
