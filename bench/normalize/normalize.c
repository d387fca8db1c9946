/* normalize.c - bench_normalize SOURCE FILE [SNAPSHOT]: how long one core takes to
 * parse and normalise the records of FILE, and to match them with a snapshot.
 *
 * The file (plain, gzip, zstd) is unpacked into memory first and gone through in
 * batches of 4 MiB, as ingest does, for about two seconds; the best of five
 * rounds counts.  CPU time of this thread, not the clock. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "event/split.h"
#include "format/inflate.h"
#include "intel/match.h"

static double cpu_seconds(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool load(const char *path, struct yg_buf *out)
{
	struct yg_buf packed;
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	size_t n = f != NULL;
	yg_buf_init(&packed, (size_t)1 << 31);
	yg_buf_init(out, (size_t)1 << 32);
	while (n > 0) {
		char *to = yg_buf_room(&packed, 1 << 20);
		n = to != NULL ? fread(to, 1, 1 << 20, f) : 0;
		packed.n += n;
	}
	if (f != NULL && f != stdin)
		(void)fclose(f);
	bool ok = packed.n > 0 && yg_inflate_all(yg_encoding_sniff(yg_buf_sv(&packed)),
						 yg_buf_sv(&packed), out, NULL) == YG_OK;
	yg_buf_free(&packed);
	return ok;
}

struct bench {
	struct yg_norm *norm;
	struct yg_intel *intel;      /* NULL: no matching */
	struct yg_match_set *set[2]; /* of the event before and of this one */
	uint64_t records, unparsed, matches;
};

/* One event behind: the next one's cache lines are on their way meanwhile. */
static void run_batch(struct bench *b, struct yg_sv bytes)
{
	struct yg_event ev[2];
	yg_wall now = {1767225600000000};
	unsigned at = 0;
	bool more;
	memset(ev, 0, sizeof ev);
	yg_norm_begin(b->norm, bytes, now, false);
	bool have = yg_norm_next(b->norm, &ev[0]);
	if (have && b->intel != NULL)
		yg_intel_prepare(b->intel, &ev[0], b->set[0]);
	for (; have; have = more, at ^= 1) {
		more = yg_norm_next(b->norm, &ev[at ^ 1]);
		if (b->intel == NULL)
			continue;
		if (more)
			yg_intel_prepare(b->intel, &ev[at ^ 1], b->set[at ^ 1]);
		yg_intel_finish(b->intel, &ev[at], now, b->set[at]);
		b->matches += b->set[at]->n + b->set[at]->more;
	}
	b->records += yg_norm_records(b->norm);
	b->unparsed += yg_norm_unparsed(b->norm);
}

static void run_all(struct bench *b, enum yg_source source, struct yg_sv bytes)
{
	struct yg_split *split = NULL;
	struct yg_split_batch batch;
	if (yg_split_new(source, 0, &split, NULL) != YG_OK)
		return;
	while (yg_split_next(split, &bytes, &batch))
		run_batch(b, batch.bytes);
	while (yg_split_end(split, &batch))
		run_batch(b, batch.bytes);
	yg_split_free(split);
}

/* Seconds per round of the best round; the batches are cut beforehand. */
static double measure(struct bench *b, enum yg_source source, struct yg_sv bytes)
{
	double best = 1e9, total = 0;
	for (int i = 0; i < 5 || (total < 2 && i < 100); i++) {
		b->records = b->unparsed = b->matches = 0;
		double from = cpu_seconds();
		run_all(b, source, bytes);
		double took = cpu_seconds() - from;
		total += took;
		best = took < best ? took : best;
	}
	return best;
}

int main(int argc, char **argv)
{
	struct bench b = {0};
	struct yg_buf file;
	struct yg_err err = {0};
	enum yg_source source;
	struct yg_sv mapping;
	if (argc < 3 || yg_source_parse(yg_sv_of(argv[1]), &source, &mapping, &err) != YG_OK ||
	    yg_norm_new(source, NULL, &b.norm, &err) != YG_OK || !load(argv[2], &file)) {
		(void)fprintf(stderr, "usage: bench_normalize SOURCE FILE [SNAPSHOT]: %s\n",
			      err.msg);
		return 2;
	}
	for (int i = 0; i < 2; i++)
		b.set[i] = malloc(sizeof *b.set[i]);
	int fd = argc > 3 ? open(argv[3], O_RDONLY | O_CLOEXEC) : -1;
	if (argc > 3 && (fd < 0 || yg_intel_open_fd(fd, 0, &b.intel, &err) != YG_OK)) {
		(void)fprintf(stderr, "%s: %s\n", argv[3], err.msg);
		return 1;
	}
	double seconds = measure(&b, source, yg_buf_sv(&file));
	const char *slash = strrchr(argv[2], '/'), *name = slash != NULL ? slash + 1 : argv[2];
	double n = (double)b.records, mb = (double)file.n / 1e6;
	(void)printf(
		"%s %s: %.0f events, %.0f bytes each, %.0f not parsed%s: %.0f events/s, %.0f ns/event, %.0f MB/s, "
		"one core",
		argc > 3 ? "parse+normalise+match" : "parse+normalise", name, n, (double)file.n / n,
		(double)b.unparsed, argc > 3 ? ", matched" : "", n / seconds, seconds / n * 1e9,
		mb / seconds);
	if (argc > 3)
		(void)printf(", %.0f indicators, %.0f matches", (double)yg_intel_count(b.intel),
			     (double)b.matches);
	(void)printf("\n");
	yg_intel_close(b.intel);
	yg_norm_free(b.norm);
	yg_buf_free(&file);
	free(b.set[0]);
	free(b.set[1]);
	return 0;
}
