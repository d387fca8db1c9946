/* state.c - how fast indicators come into the state database and out of it, how
 * long the write lock is kept, what it costs on disk, and how many findings a
 * second become alerts.
 *
 * usage: bench_state DIR [LIST...]   without lists 1.6 million are made up */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "alert/alert.h"
#include "alert/finding.h"
#include "base/codec.h"
#include "intel/list.h"
#include "intel/registry.h"
#include "org/organisation.h"
#include "os/env.h"

#define MADE_UP  1600000
#define FINDINGS 200000

static struct yg_env_real real;
static struct yg_env env;
static struct yg_err err;

static double now(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int fail(const char *what)
{
	(void)fprintf(stderr, "%s: %s\n", what, err.msg);
	return 1;
}

struct chunks { /* time between calls is a chunk and the reading before it */
	double last, longest;
};

static bool chunk(void *ctx, uint64_t done, uint64_t total)
{
	struct chunks *c = ctx;
	double t = now();
	(void)done;
	(void)total;
	if (t - c->last > c->longest)
		c->longest = t - c->last;
	c->last = t;
	return true;
}

static yg_status take(void *ctx, const struct yg_indicator *ind, uint64_t line, struct yg_err *e)
{
	(void)line;
	return yg_import_add(ctx, ind, e);
}

static yg_status feed_file(struct yg_import *im, const char *path)
{
	static char piece[1 << 20];
	struct yg_list_opts opts = {.ctx = im, .entry = take};
	struct yg_list_reader *reader = NULL;
	FILE *f = fopen(path, "rb");
	yg_status st =
		f != NULL ? yg_list_new(&opts, &reader, &err) : YG_FAIL_OS(&err, 2, "%s", path);
	for (size_t n = 1; st == YG_OK && n > 0;) {
		n = fread(piece, 1, sizeof piece, f);
		st = yg_list_feed(reader, (struct yg_sv){piece, n}, &err);
	}
	if (st == YG_OK)
		st = yg_list_end(reader, &err);
	yg_list_free(reader);
	if (f != NULL)
		(void)fclose(f);
	return st;
}

static yg_status make_up(struct yg_import *im)
{
	yg_status st = YG_OK;
	for (uint64_t i = 0; st == YG_OK && i < MADE_UP; i++) {
		char name[64], family[16];
		uint64_t h = (i * 0x9e3779b97f4a7c15u) ^ (i << 7);
		(void)snprintf(name, sizeof name, "n%llx.d%llu.example",
			       (unsigned long long)(h >> 24), (unsigned long long)(i % 5000));
		(void)snprintf(family, sizeof family, "family%llu", (unsigned long long)(i % 900));
		struct yg_indicator ind = {.type = YG_IND_DOMAIN,
					   .value = yg_sv_of(name),
					   .category = YG_SV("malware"),
					   .family = yg_sv_of(family)};
		st = yg_import_add(im, &ind, &err);
	}
	return st;
}

static int import(struct yg_act *act, const char *list, char **files, int n)
{
	struct yg_import *im = NULL;
	struct yg_import_stats t;
	struct chunks c = {.last = now()};
	double from = now();
	yg_status st = yg_import_begin(act, yg_sv_of(list), false, &im, &err);
	if (st != YG_OK)
		return fail("import");
	yg_import_progress(im, chunk, &c);
	st = n > 0 ? YG_OK : make_up(im);
	for (int i = 0; st == YG_OK && i < n; i++)
		st = feed_file(im, files[i]);
	if (st != YG_OK)
		return fail("import");
	if (yg_import_end(im, &t, &err) != YG_OK)
		return fail("import");
	double s = now() - from;
	(void)printf(
		"import: %llu read, %llu added, %llu updated, %llu unchanged, %llu bad, %llu refused in %.2f s (%.0f/s); longest step %.3f s\n",
		(unsigned long long)t.read, (unsigned long long)t.added,
		(unsigned long long)t.updated, (unsigned long long)t.unchanged,
		(unsigned long long)t.bad, (unsigned long long)t.refused, s, (double)t.read / s,
		c.longest);
	return 0;
}

static void sizes(const char *path)
{
	static const char *const ends[] = {"", "-wal"};
	for (size_t i = 0; i < YG_LEN(ends); i++) {
		char name[600];
		struct stat sb;
		(void)snprintf(name, sizeof name, "%s%s", path, ends[i]);
		if (stat(name, &sb) == 0)
			(void)printf("disk: state%s %.1f MB\n", ends[i], (double)sb.st_size / 1e6);
	}
}

static int findings(struct yg_act *act, int assets, int per_batch, uint32_t spool)
{
	struct yg_finding_result r;
	double spent = 0, longest = 0;
	for (int at = 0; at < FINDINGS; at += per_batch) {
		struct yg_buf body;
		yg_buf_init(&body, 64 << 20);
		yg_wr_le32(&body, spool);
		yg_wr_le32(&body, (uint32_t)per_batch);
		yg_wr_le64(&body, (uint64_t)at + 1);
		for (int i = at; i < at + per_batch; i++) {
			char json[700];
			int n = snprintf(
				json, sizeof json,
				"{\"finding_uid\":\"f-%d\",\"org\":\"bench\",\"indicator\":\"evil%d.example\",\"indicator_type\":\"domain\","
				"\"list\":\"l\",\"category\":\"malware\",\"family\":\"x\",\"severity_id\":4,\"confidence\":80,\"tlp\":\"amber\","
				"\"asset\":\"10.%u.0.%d\",\"field\":\"query\",\"value\":\"www.evil%d.example\",\"event_id\":\"e-0-%d-%d\","
				"\"time\":\"2026-01-01T00:00:00Z\",\"title\":\"evil%d.example looked up\"}",
				i, i % 50, spool, i * 7919 % assets, i % 50, at, i, i % 50);
			yg_wr_sv32(&body, (struct yg_sv){json, (size_t)n});
		}
		double from = now();
		if (yg_findings_apply(act, yg_buf_sv(&body), &r, &err) != YG_OK)
			return fail("findings");
		double s = now() - from;
		spent += s;
		longest = s > longest ? s : longest;
		yg_buf_free(&body);
	}
	(void)printf(
		"findings: %d about %d assets in batches of %d: %.0f/s, longest batch %.3f s\n",
		FINDINGS, assets, per_batch, FINDINGS / spent, longest);
	return 0;
}

int main(int argc, char **argv)
{
	char path[512];
	struct yg_state *db = NULL;
	struct yg_compile_result r;
	struct yg_id id;
	struct rusage use;
	if (argc < 2) {
		(void)fprintf(stderr, "usage: bench_state DIR [LIST...]\n");
		return 2;
	}
	env = yg_env_real(&real, "bench", 0);
	(void)snprintf(path, sizeof path, "%s/yagura.db", argv[1]);
	if (yg_state_open(path, &db, &err) != YG_OK || yg_state_migrate(db, &err) != YG_OK)
		return fail(path);
	struct yg_act act = yg_act_make(db, &env, YG_SV("system"));
	struct yg_org o = {.slug = YG_SV("bench")};
	struct yg_list l = {
		.name = YG_SV("bulk"), .tlp = YG_TLP_GREEN, .confidence = 50, .enabled = true};
	if (yg_org_add(&act, &o, &err) != YG_OK || yg_list_add(&act, &l, &id, &err) != YG_OK)
		return fail("begin");
	if (import(&act, "bulk", argv + 2, argc - 2) != 0)
		return 1;
	(void)getrusage(RUSAGE_SELF, &use);
	(void)printf("memory: %.0f MB resident at most so far\n", (double)use.ru_maxrss / 1e3);
	sizes(path);
	if (import(&act, "bulk", argv + 2, argc - 2) != 0)
		return 1;
	double from = now();
	if (yg_registry_compile(&act, argv[1], NULL, NULL, &r, &err) != YG_OK)
		return fail("compile");
	(void)printf("compile from the database: %llu records in %.2f s, %.1f MB\n",
		     (unsigned long long)r.stats.indicators, now() - from,
		     (double)r.stats.bytes / 1e6);
	if (findings(&act, 1, 1000, 1) != 0 || findings(&act, 250, 1000, 2) != 0 ||
	    findings(&act, 250, 20000, 3) != 0)
		return 1;
	from = now();
	if (yg_list_remove(&act, yg_id_sv(&id), NULL, NULL, &err) != YG_OK)
		return fail("remove");
	(void)printf("remove the list: %.2f s\n", now() - from);
	yg_state_close(db);
	return 0;
}
