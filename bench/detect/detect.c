/* detect.c - bench_detect SOURCE RULES INDICATORS FILE...: what one core takes for every step
 * from a record to the rules and indicators it matches.
 *
 * RULES and INDICATORS are snapshots, "-" for none.  The files are read into memory and gone
 * through in batches of 4 MiB, as ingest does, with one step more each time; the best of
 * ROUNDS (default 5) counts.  CPU time of this thread, not the clock. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "detect/engine.h"
#include "detect/view.h"
#include "event/split.h"
#include "intel/match.h"

enum step { NORMALISE, FIELDS, RULES, INDICATORS, STEPS };
static const char *const names[STEPS] = {"parsed and normalised", "and fields for rules",
					 "and rules", "and indicators"};

struct bench {
	enum step step;
	struct yg_norm *norm;
	struct yg_detect_view *view;
	struct yg_detect *engine;
	struct yg_detect_eval *eval;
	struct yg_intel *intel;
	struct yg_match_set *set;
	uint64_t records, hits, matches;
};

static double cpu_seconds(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void on_match(void *ctx, uint32_t rule)
{
	(void)rule;
	((struct bench *)ctx)->hits++;
}

/* The indicators' memory is on its way while the rules are asked. */
static void one(struct bench *b, const struct yg_event *ev)
{
	struct yg_detect_record r;
	bool match = b->step == INDICATORS;
	if (match)
		yg_intel_prepare(b->intel, ev, b->set);
	if (b->step >= FIELDS && yg_detect_view_make(b->view, ev, &r, NULL) == YG_OK &&
	    b->step >= RULES)
		yg_detect_run(b->eval, &r, on_match, b);
	if (match) {
		yg_intel_finish(b->intel, ev, (yg_wall){1767225600000000}, b->set);
		b->matches += b->set->n + b->set->more;
	}
}

static void run_file(struct bench *b, enum yg_source source, struct yg_sv bytes)
{
	struct yg_split *split = NULL;
	struct yg_split_batch batch;
	if (yg_split_new(source, 0, &split, NULL) != YG_OK)
		abort();
	for (bool more = true; more;) {
		struct yg_event ev;
		more = yg_split_next(split, &bytes, &batch) || yg_split_end(split, &batch);
		if (!more)
			break;
		memset(&ev, 0, sizeof ev);
		yg_norm_begin(b->norm, batch.bytes, (yg_wall){1767225600000000}, false);
		while (yg_norm_next(b->norm, &ev))
			one(b, &ev);
		b->records += yg_norm_records(b->norm);
	}
	yg_split_free(split);
}

static bool load(const char *path, struct yg_buf *out)
{
	FILE *f = fopen(path, "rb");
	size_t n = f != NULL;
	yg_buf_init(out, (size_t)1 << 31);
	while (n > 0) {
		char *to = yg_buf_room(out, 1 << 20);
		n = to != NULL ? fread(to, 1, 1 << 20, f) : 0;
		out->n += n;
	}
	if (f != NULL)
		(void)fclose(f);
	return f != NULL;
}

static void fill(void *ctx, void *buf, size_t n)
{
	(void)ctx;
	if (getrandom(buf, n, 0) != (ssize_t)n)
		abort();
}

static bool open_all(struct bench *b, enum yg_source source, const char *rules,
		     const char *indicators, struct yg_err *err)
{
	static const struct yg_env env = {.random = fill};
	yg_status st = yg_norm_new(source, NULL, &b->norm, err);
	if (st == YG_OK)
		st = yg_detect_view_new(source, NULL, &env, &b->view, err);
	if (st == YG_OK)
		yg_detect_view_follow(b->view, b->norm);
	if (st == YG_OK && strcmp(rules, "-") != 0) {
		int fd = open(rules, O_RDONLY | O_CLOEXEC);
		st = yg_detect_open_fd(fd, 0, &b->engine, err);
		if (st == YG_OK)
			st = yg_detect_eval_new(b->engine, &b->eval, err);
		if (st == YG_OK)
			yg_detect_view_only(b->view, b->engine);
		(void)close(fd);
	}
	if (st == YG_OK && strcmp(indicators, "-") != 0) {
		int fd = open(indicators, O_RDONLY | O_CLOEXEC);
		st = yg_intel_open_fd(fd, 0, &b->intel, err);
		(void)close(fd);
	}
	b->set = malloc(sizeof *b->set);
	return st == YG_OK && b->set != NULL;
}

/* The steps in turns, so that what else the machine does is the same for all of them. */
static void measure(struct bench *b, enum yg_source source, const struct yg_buf *files,
		    size_t count, double *best)
{
	for (b->step = NORMALISE; b->step < STEPS; b->step++) {
		if ((b->step >= RULES && b->engine == NULL) ||
		    (b->step == INDICATORS && b->intel == NULL))
			continue;
		b->records = b->hits = b->matches = 0;
		double from = cpu_seconds();
		for (size_t f = 0; f < count; f++)
			run_file(b, source, yg_buf_sv(&files[f]));
		best[b->step] = YG_MIN(best[b->step], cpu_seconds() - from);
	}
}

static void print(const struct bench *b, const double *best)
{
	double before = 0, n = (double)b->records;
	for (int i = 0; i < STEPS; i++) {
		if (best[i] > 1e8)
			continue;
		(void)printf("%-22s %8.0f events/s  %6.2f us each (+%.2f)\n", names[i], n / best[i],
			     best[i] / n * 1e6, (best[i] - before) / n * 1e6);
		before = best[i];
	}
	if (b->engine != NULL)
		(void)printf("%zu rules, %.0f events, %.0f matches\n",
			     yg_detect_rule_count(b->engine), n, (double)b->hits);
	if (b->intel != NULL)
		(void)printf("%.0f indicators, %.0f matches: %.1f %% more than rules alone\n",
			     (double)yg_intel_count(b->intel), (double)b->matches,
			     100 * (best[INDICATORS] / best[RULES] - 1));
}

int main(int argc, char **argv)
{
	struct bench b = {.step = NORMALISE};
	struct yg_err err = {.msg = ""};
	enum yg_source source;
	struct yg_sv mapping;
	const char *given = getenv("ROUNDS");
	int rounds = given != NULL ? (int)strtol(given, NULL, 10) : 5;
	if (argc < 5 || yg_source_parse(yg_sv_of(argv[1]), &source, &mapping, &err) != YG_OK ||
	    !open_all(&b, source, argv[2], argv[3], &err)) {
		(void)fprintf(stderr, "usage: bench_detect SOURCE RULES INDICATORS FILE...: %s\n",
			      err.msg);
		return 2;
	}
	size_t count = (size_t)argc - 4;
	struct yg_buf *files = calloc(count, sizeof *files);
	for (size_t i = 0; files != NULL && i < count; i++)
		if (!load(argv[4 + i], &files[i]))
			return 2;
	double best[STEPS] = {1e9, 1e9, 1e9, 1e9};
	for (int i = 0; files != NULL && i < rounds; i++)
		measure(&b, source, files, count, best);
	print(&b, best);
	for (size_t i = 0; files != NULL && i < count; i++)
		yg_buf_free(&files[i]);
	free(files);
	free(b.set);
	yg_intel_close(b.intel);
	yg_detect_eval_free(b.eval);
	yg_detect_free(b.engine);
	yg_detect_view_free(b.view);
	yg_norm_free(b.norm);
	return 0;
}
