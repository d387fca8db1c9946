/* chdb_json - the peer of bench/pipeline.py: chDB alone reads a Zeek NDJSON file
 * into a MergeTree table with a handful of typed columns and the whole record.
 * Prints seconds of clock and CPU.  Usage: chdb_json LIBRARY FILE FOLDER */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct chdb {
	void **(*connect)(int argc, char **argv);
	void *(*query)(void *conn, const char *sql, size_t n, const char *format, size_t fn);
	const char *(*error)(void *result);
	void (*drop)(void *result);
};

static void *symbol(void *lib, const char *name)
{
	void *p = dlsym(lib, name);
	if (p == NULL) {
		(void)fprintf(stderr, "chdb_json: no %s\n", name);
		_exit(1);
	}
	return p;
}

static void run(const struct chdb *db, void *conn, const char *sql)
{
	void *r = db->query(conn, sql, strlen(sql), "TabSeparated", strlen("TabSeparated"));
	const char *e = r != NULL ? db->error(r) : "no result";
	if (e != NULL) {
		(void)fprintf(stderr, "chdb_json: %s\n", e);
		_exit(1);
	}
	db->drop(r);
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	void *lib = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	if (lib == NULL) {
		(void)fprintf(stderr, "chdb_json: %s\n", dlerror());
		return 1;
	}
	struct chdb db;
	*(void **)&db.connect = symbol(lib, "chdb_connect");
	*(void **)&db.query = symbol(lib, "chdb_query_n");
	*(void **)&db.error = symbol(lib, "chdb_result_error");
	*(void **)&db.drop = symbol(lib, "chdb_destroy_query_result");
	char path[4096], sql[8192], program[] = "chdb_json";
	(void)snprintf(path, sizeof path, "--path=%s", argv[3]);
	char *args[] = {program, path, NULL};
	void **conn = db.connect(2, args);
	if (conn == NULL)
		return 1;
	run(&db, *conn,
	    "CREATE TABLE IF NOT EXISTS t (ts Float64, path LowCardinality(String), uid String, src String, dst String,"
	    " query String, raw String CODEC(ZSTD(1))) ENGINE = MergeTree ORDER BY ts");
	struct timespec a, b;
	struct rusage before, after;
	(void)getrusage(RUSAGE_SELF, &before);
	(void)timespec_get(&a, TIME_UTC);
	(void)snprintf(
		sql, sizeof sql,
		"INSERT INTO t SELECT JSONExtractFloat(l, 'ts'), JSONExtractString(l, '_path'),"
		" JSONExtractString(l, 'uid'), JSONExtractString(l, 'id.orig_h'),"
		" JSONExtractString(l, 'id.resp_h'), JSONExtractString(l, 'query'), l"
		" FROM file('%s', 'LineAsString', 'l String')",
		argv[2]);
	run(&db, *conn, sql);
	(void)timespec_get(&b, TIME_UTC);
	(void)getrusage(RUSAGE_SELF, &after);
	(void)printf("%.3f %.3f\n",
		     (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9,
		     seconds(after.ru_utime) + seconds(after.ru_stime) - seconds(before.ru_utime) -
			     seconds(before.ru_stime));
	(void)fflush(stdout);
	_exit(0); /* the engine does not always shut down cleanly */
}
