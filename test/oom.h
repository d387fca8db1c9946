/* oom.h - the 1st, 2nd, 3rd ... allocation fails until the code under test gets
 * through: our own (linked with --wrap for malloc, calloc, realloc and
 * reallocarray) and those of SQLite.  Every round begins with the same database;
 * after it nothing may have changed unless it was YG_OK.  Leaks are ASan's. */
#pragma once
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/state.h"
#include "tap.h"

#define OOM_ROUNDS_MAX 20000
/* Sanitizers are there for leaks and bad accesses, and slow: every eleventh allocation. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OOM_STRIDE 11
#endif
#endif
/* Without them every third; the two meet each allocation of a neighbourhood sooner or
 * later.  -DOOM_STRIDE=1 tries every one and takes minutes. */
#ifndef OOM_STRIDE
#define OOM_STRIDE 3
#endif

static long oom_left = -1; /* allocations that still succeed; -1: all */
static bool oom_once;      /* only one fails, those behind it succeed again */
static unsigned oom_hits;  /* failed */

static inline bool oom_fails(void)
{
	if (oom_left < 0)
		return false;
	if (oom_left > 0) {
		oom_left--;
		return false;
	}
	if (oom_once && oom_hits > 0)
		return false;
	oom_hits++;
	return true;
}

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
void *__wrap_malloc(size_t n)
{
	return oom_fails() ? NULL : __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t size)
{
	return oom_fails() ? NULL : __real_calloc(n, size);
}
void *__wrap_realloc(void *p, size_t n)
{
	return oom_fails() ? NULL : __real_realloc(p, n);
}
void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return oom_fails() ? NULL : __real_reallocarray(p, n, size);
}

static sqlite3_mem_methods oom_sqlite;
static inline void *oom_sqlite_malloc(int n)
{
	return oom_fails() ? NULL : oom_sqlite.xMalloc(n);
}
static inline void *oom_sqlite_realloc(void *p, int n)
{
	return oom_fails() ? NULL : oom_sqlite.xRealloc(p, n);
}

/* Before anything else of SQLite. */
static inline void oom_init(void)
{
	sqlite3_mem_methods ours;
	T_OK(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &oom_sqlite) == SQLITE_OK);
	ours = oom_sqlite;
	ours.xMalloc = oom_sqlite_malloc;
	ours.xRealloc = oom_sqlite_realloc;
	T_OK(sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) == SQLITE_OK &&
	     sqlite3_initialize() == SQLITE_OK);
}

/* Without a database: it says that there was no memory, or gets through. */
static inline void oom_rounds(yg_status (*run)(int arg), int arg)
{
	for (int once = 0; once < 2; once++) {
		unsigned odd = 0;
		long i = 0;
		bool through = false;
		oom_once = once == 1;
		for (; !through && i < OOM_ROUNDS_MAX; i += OOM_STRIDE) {
			oom_hits = 0;
			oom_left = i;
			yg_status st = run(arg);
			oom_left = -1;
			odd += st != YG_OK && st != YG_NOMEM;
			through = oom_hits == 0;
		}
		(void)printf("# %ld allocations\n", i);
		T_OK(through && odd == 0);
	}
}

/* Databases: `oom_base` is made once, `oom_path` is its copy for one round. */
static char oom_dir[64], oom_base[96], oom_path[96];
static struct yg_state *oom_watch; /* another connection to the copy; NULL: a new copy is wanted */

static inline void oom_files(void)
{
	(void)snprintf(oom_dir, sizeof oom_dir, "%s/yagura-oom-XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	T_OK(mkdtemp(oom_dir) != NULL);
	(void)snprintf(oom_base, sizeof oom_base, "%s/base.db", oom_dir);
	(void)snprintf(oom_path, sizeof oom_path, "%s/round.db", oom_dir);
}

static inline void oom_unlink(const char *path)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
	char name[128];
	for (size_t i = 0; i < YG_LEN(ends); i++) {
		(void)snprintf(name, sizeof name, "%s%s", path, ends[i]);
		(void)unlink(name);
	}
}

static inline void oom_files_end(void)
{
	yg_state_close(oom_watch);
	oom_watch = NULL;
	oom_unlink(oom_base);
	oom_unlink(oom_path);
	T_OK(rmdir(oom_dir) == 0);
}

static inline bool oom_restore(void)
{
	static char bytes[8 << 20];
	oom_unlink(oom_path);
	FILE *from = fopen(oom_base, "rb"), *to = fopen(oom_path, "wb");
	bool whole = from != NULL && to != NULL;
	if (whole) {
		size_t n = fread(bytes, 1, sizeof bytes, from);
		whole = n > 0 && n < sizeof bytes && fwrite(bytes, 1, n, to) == n;
	}
	if (from != NULL)
		(void)fclose(from);
	if (to != NULL)
		(void)fclose(to);
	return whole;
}

static inline int64_t oom_one(struct yg_state *db, const char *sql)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	if (yg_state_prepare(db, sql, &s, NULL) != YG_OK || yg_stmt_step(s, &row, NULL) != YG_OK ||
	    !row)
		return -1;
	return yg_col_i64(s, 0);
}

enum oom_kind {
	OOM_READS, /* what it reads goes to `seen`: read in spite of a failure, it must be the same */
	OOM_CHANGES, /* YG_OK means that the database is another one */
	OOM_MAY,     /* YG_OK may mean that */
	OOM_STEPS,   /* in several transactions: so may a failure, with whole steps done */
};
struct oom_case {
	const char *name;
	yg_status (*run)(struct yg_state *db, struct yg_sb *seen);
	enum oom_kind kind;
};

struct oom_sum {
	long rounds;
	unsigned told, odd, half, silent, stuck;
};

/* May the database be another one, or the same? */
static inline bool oom_fits(enum oom_kind kind, yg_status st, bool changed)
{
	switch (kind) {
	case OOM_STEPS: return true;
	case OOM_MAY: return st == YG_OK || !changed;
	case OOM_CHANGES: return changed == (st == YG_OK);
	case OOM_READS: return !changed;
	}
	return false;
}

static inline void oom_round(const struct oom_case *c, struct yg_sv want, struct oom_sum *sum)
{
	static char seen_bytes[65536];
	struct yg_sb seen = yg_sb_init(seen_bytes, sizeof seen_bytes);
	struct yg_state *db = NULL;
	if ((oom_watch == NULL &&
	     (!oom_restore() || yg_state_open(oom_path, &oom_watch, NULL) != YG_OK)) ||
	    yg_state_open(oom_path, &db, NULL) != YG_OK) {
		sum->odd++;
		return;
	}
	int64_t before = oom_one(oom_watch, "PRAGMA data_version");
	/* SQLite reads the schema at the first statement: the same thousand allocations each time */
	(void)oom_one(db, "SELECT count(*) FROM sqlite_schema");
	oom_hits = 0;
	oom_left = sum->rounds;
	yg_status st = c->run(db, &seen);
	oom_left = -1;
	bool changed = oom_one(oom_watch, "PRAGMA data_version") != before;
	sum->told += st == YG_NOMEM;
	if (st != YG_OK && st != YG_NOMEM && sum->odd++ == 0)
		(void)printf("# %s: allocation %ld: %s\n", c->name, sum->rounds,
			     yg_status_name(st));
	if (!oom_fits(c->kind, st, changed) && sum->half++ == 0)
		(void)printf("# %s: allocation %ld: %s, yet the database is %s\n", c->name,
			     sum->rounds, yg_status_name(st),
			     changed ? "another one" : "as it was");
	if (st == YG_OK && want.p != NULL && !yg_sv_eq(yg_sb_sv(&seen), want) && sum->silent++ == 0)
		(void)printf("# %s: allocation %ld: read " YG_SV_FMT "\n", c->name, sum->rounds,
			     YG_SV_ARG(yg_sb_sv(&seen)));
	/* the handle must be of use for whoever comes next */
	if (yg_state_in_transaction(db) && sum->stuck++ == 0)
		(void)printf("# %s: allocation %ld: a transaction is left open\n", c->name,
			     sum->rounds);
	yg_state_close(db);
	if (!changed)
		return;
	yg_state_close(oom_watch);
	oom_watch = NULL;
}

/* Reads: `want` is what an undisturbed run sees. */
static inline void oom_try(const struct oom_case *c)
{
	static char want_bytes[65536];
	struct yg_sb want = yg_sb_init(want_bytes, sizeof want_bytes);
	struct yg_state *db = NULL;
	yg_state_close(oom_watch);
	oom_watch = NULL;
	bool ready = oom_restore() && yg_state_open(oom_path, &db, NULL) == YG_OK &&
		     c->run(db, &want) == YG_OK;
	yg_state_close(db);
	for (int once = 0; ready && once < 2; once++) {
		struct oom_sum sum = {0};
		char name[96];
		oom_once = once == 1;
		do {
			oom_round(c,
				  c->kind != OOM_READS ? (struct yg_sv){NULL, 0} : yg_sb_sv(&want),
				  &sum);
		} while (oom_hits > 0 && (sum.rounds += OOM_STRIDE) < OOM_ROUNDS_MAX);
		(void)printf("# %s: %ld allocations\n", c->name, sum.rounds);
		(void)snprintf(name, sizeof name, "%s, %s", c->name,
			       once ? "one allocation fails" : "no allocation from there on");
		T_NAMED(sum.odd + sum.half + sum.silent + sum.stuck == 0 && sum.told > 0 &&
				sum.rounds < OOM_ROUNDS_MAX,
			name);
	}
	T_NAMED(ready, c->name);
}
