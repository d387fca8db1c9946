#include "store/chdb.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "os/file.h"

#define ARGS_MAX   128u
#define APPEND_MAX (8u << 20) /* bytes given to the engine at a time */

/* The C ABI of chDB 26.7 (its package ships no header): opaque pointers, but a
 * connection is a pointer to a pointer, and classify fills a struct that says
 * its own size. */
typedef void *conn_t;
struct analysis {
	uint32_t struct_size, statement_count, flags, query_class;
};
/* clang-format off */
#define ABI(X)                                                                                     \
	X(connect, "chdb_connect", conn_t *, (int, char **))                                       \
	X(close, "chdb_close_conn", void, (conn_t *))                                              \
	X(signals, "chdb_set_signal_handlers_enabled", void, (int))                                \
	X(version, "chdb_version", const char *, (void))                                           \
	X(classify, "chdb_classify_query_n", int, (conn_t, const char *, size_t, const char *, size_t, struct analysis *)) \
	X(query, "chdb_query_with_params_n", void *, (conn_t, const char *, size_t, const char *, size_t, const char *const *, const size_t *, const char *const *, const size_t *, size_t)) \
	X(stream, "chdb_stream_query_with_params_n", void *, (conn_t, const char *, size_t, const char *, size_t, const char *const *, const size_t *, const char *const *, const size_t *, size_t)) \
	X(fetch, "chdb_stream_fetch_result", void *, (conn_t, void *))                             \
	X(cancel, "chdb_stream_cancel_query", void, (conn_t, void *))                              \
	X(insert, "chdb_stream_insert_with_params_n", void *, (conn_t, const char *, size_t, const char *, size_t, const char *const *, const size_t *, const char *const *, const size_t *, size_t)) \
	X(append, "chdb_stream_append", int, (void *, const void *, size_t))                       \
	X(done, "chdb_stream_done", void *, (void *))                                              \
	X(insert_error, "chdb_stream_insert_error", const char *, (void *))                        \
	X(insert_free, "chdb_destroy_insert_stream", void, (void *))                               \
	X(body, "chdb_result_buffer", char *, (void *))                                            \
	X(length, "chdb_result_length", size_t, (void *))                                          \
	X(error, "chdb_result_error", const char *, (void *))                                      \
	X(rows, "chdb_result_rows_read", uint64_t, (void *))                                       \
	X(rows_read, "chdb_result_storage_rows_read", uint64_t, (void *))                          \
	X(bytes_read, "chdb_result_storage_bytes_read", uint64_t, (void *))                        \
	X(rows_written, "chdb_result_rows_written", uint64_t, (void *))                            \
	X(bytes_written, "chdb_result_bytes_written", uint64_t, (void *))                          \
	X(result_free, "chdb_destroy_query_result", void, (void *))
/* clang-format on */

struct yg_chdb {
	void *library;
#define X(member, symbol, ret, args) ret(*member) args;
	ABI(X)
#undef X
	conn_t *first; /* keeps the engine up; used for nothing else */
	char path_arg[2 * PATH_MAX], config_arg[PATH_MAX + 16];
};

struct yg_chdb_conn {
	struct yg_chdb *db;
	conn_t *conn;
};
struct yg_chdb_stream {
	struct yg_chdb_conn *conn;
	void *handle;
};

yg_status yg_chdb_find(const char *configured, char *out, size_t out_n, struct yg_err *err)
{
#if defined(__aarch64__)
#define PACKAGE "lib-linux-arm64-gnu"
#else
#define PACKAGE "lib-linux-x64-gnu"
#endif
	static const char *const places[] = {
		/* from the program's folder: installed, then from a checkout */
		"../lib/yagura/libchdb.so",
		"../../node_modules/@chdb/" PACKAGE "/libchdb.so",
		"../node_modules/@chdb/" PACKAGE "/libchdb.so",
		"node_modules/@chdb/" PACKAGE "/libchdb.so",
	};
	if (configured != NULL && configured[0] != '\0') {
		if (access(configured, R_OK) != 0 ||
		    snprintf(out, out_n, "%s", configured) >= (int)out_n)
			return YG_FAIL(err, YG_NOTFOUND, "store.library '%s' cannot be read",
				       configured);
		return YG_OK;
	}
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	while (n > 0 && self[n - 1] != '/')
		n--;
	for (size_t i = 0; n > 0 && i < YG_LEN(places); i++)
		if (snprintf(out, out_n, "%.*s%s", (int)n, self, places[i]) < (int)out_n &&
		    access(out, R_OK) == 0)
			return YG_OK;
	return YG_FAIL(
		err, YG_NOTFOUND,
		"libchdb.so is not installed: run 'npm ci' in the source folder, or set store.library");
}

/* Finds every symbol of the library; the name of one that it lacks, or NULL. */
static const char *resolve(struct yg_chdb *db)
{
	static const struct {
		const char *name;
		size_t at; /* in struct yg_chdb */
	} symbols[] = {
#define X(member, symbol, ret, args) {symbol, offsetof(struct yg_chdb, member)},
		ABI(X)
#undef X
	};
	for (size_t i = 0; i < YG_LEN(symbols); i++) {
		void *sym = dlsym(db->library, symbols[i].name);
		if (sym == NULL)
			return symbols[i].name;
		memcpy((char *)db + symbols[i].at, &sym, sizeof sym);
	}
	return NULL;
}

yg_status yg_chdb_load(const char *library, struct yg_chdb **out, struct yg_err *err)
{
	struct yg_chdb *db = calloc(1, sizeof *db);
	if (db == NULL)
		return YG_FAIL(err, YG_NOMEM, "the event engine");
	db->library = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	if (db->library == NULL) {
		const char *why = dlerror();
		free(db);
		return YG_FAIL(err, YG_NOTFOUND, "cannot load '%s': %s", library,
			       why != NULL ? why : "?");
	}
	const char *missing = resolve(db);
	if (missing != NULL) {
		(void)dlclose(db->library);
		free(db);
		return YG_FAIL(err, YG_CORRUPT, "'%s' has no %s", library, missing);
	}
	db->signals(0); /* how this process dies is ours to say */
	*out = db;
	return YG_OK;
}

/* Bounds of the engine itself.  Caches are small: the page cache of the kernel
 * holds the same bytes, and gives them back when others need the memory. */
static void engine_xml(const struct yg_chdb_conf *c, struct yg_buf *out)
{
	yg_buf_printf(
		out,
		"<clickhouse>\n"
		"<users_config>%s/users.xml</users_config>\n"
		"<max_server_memory_usage>%llu</max_server_memory_usage>\n"
		"<mark_cache_size>33554432</mark_cache_size>\n"
		"<index_mark_cache_size>16777216</index_mark_cache_size>\n"
		"<primary_index_cache_size>67108864</primary_index_cache_size>\n"
		"<uncompressed_cache_size>0</uncompressed_cache_size>\n"
		"<index_uncompressed_cache_size>0</index_uncompressed_cache_size>\n"
		"<query_condition_cache_size>8388608</query_condition_cache_size>\n"
		"<compiled_expression_cache_size>1048576</compiled_expression_cache_size>\n"
		"<text_index_tokens_cache_size>4194304</text_index_tokens_cache_size>\n"
		"<text_index_header_cache_size>4194304</text_index_header_cache_size>\n"
		"<text_index_postings_cache_size>4194304</text_index_postings_cache_size>\n"
		"<max_thread_pool_size>256</max_thread_pool_size>\n"
		"<max_thread_pool_free_size>4</max_thread_pool_free_size>\n"
		"<max_io_thread_pool_size>16</max_io_thread_pool_size>\n"
		"<max_io_thread_pool_free_size>0</max_io_thread_pool_free_size>\n"
		"<max_active_parts_loading_thread_pool_size>4</max_active_parts_loading_thread_pool_size>\n"
		"<max_parts_cleaning_thread_pool_size>2</max_parts_cleaning_thread_pool_size>\n"
		"<memory_worker_period_ms>1000</memory_worker_period_ms>\n"
		"<merge_tree>\n"
		/* Eighty columns: a part of a file per column takes some hundred buffers of
		 * 1 to 4 MiB and as many fsyncs, six times the CPU of one file for all. */
		"<min_bytes_for_wide_part>268435456</min_bytes_for_wide_part>\n"
		"<min_columns_to_activate_adaptive_write_buffer>1</min_columns_to_activate_adaptive_write_buffer>\n"
		/* on a full disk nothing can be dropped either: inserts stop before */
		"<min_free_disk_bytes_to_perform_insert>67108864</min_free_disk_bytes_to_perform_insert>\n"
		/* two background threads: a merge of everything would hold one for hours */
		"<max_bytes_to_merge_at_max_space_in_pool>16106127360</max_bytes_to_merge_at_max_space_in_pool>\n"
		"<number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>\n"
		"<number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>\n"
		"<number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>\n"
		"</merge_tree>\n"
		"</clickhouse>\n",
		c->folder, (unsigned long long)c->memory_bytes);
}

/* What the one user may do.  Table functions and engines that reach files,
 * sockets or programs need a grant of their own and get none.  The just-in-time
 * compiler is off: no memory is writable and executable. */
static void users_xml(const struct yg_chdb_conf *c, struct yg_buf *out)
{
	yg_buf_printf(out,
		      "<clickhouse>\n<profiles><default>\n"
		      "<max_memory_usage>%llu</max_memory_usage>\n"
		      "<max_execution_time>%u</max_execution_time>\n"
		      "<max_rows_to_read>%llu</max_rows_to_read>\n"
		      "<max_result_bytes>%llu</max_result_bytes>\n"
		      "<max_threads>%u</max_threads>\n"
		      "<compile_expressions>0</compile_expressions>\n"
		      "<compile_aggregate_expressions>0</compile_aggregate_expressions>\n"
		      "<compile_sort_description>0</compile_sort_description>\n"
		      "<storage_file_read_method>pread</storage_file_read_method>\n"
		      "<constraints>\n"
		      "<max_memory_usage><min>1</min><max>%llu</max></max_memory_usage>\n"
		      "<max_execution_time><min>0.001</min><max>%u</max></max_execution_time>\n"
		      "<max_rows_to_read><min>%u</min><max>%llu</max></max_rows_to_read>\n"
		      "<max_result_bytes><min>1</min><max>%llu</max></max_result_bytes>\n"
		      "<max_threads><min>1</min><max>%u</max></max_threads>\n",
		      (unsigned long long)c->query_memory_bytes, c->query_seconds,
		      (unsigned long long)c->query_rows, (unsigned long long)c->result_bytes,
		      c->threads, (unsigned long long)c->query_memory_bytes, c->query_seconds,
		      c->query_rows > 0,
		      (unsigned long long)(c->query_rows > 0 ? c->query_rows : UINT64_MAX),
		      (unsigned long long)c->result_bytes, c->threads);
	static const char *const fixed[] = {"log_comment",
					    "compile_expressions",
					    "compile_aggregate_expressions",
					    "compile_sort_description",
					    "result_overflow_mode",
					    "read_overflow_mode",
					    "timeout_overflow_mode",
					    "allow_introspection_functions",
					    "max_untracked_memory",
					    "allow_unrestricted_reads_from_keeper",
					    "storage_file_read_method",
					    "dialect"};
	for (size_t i = 0; i < YG_LEN(fixed); i++)
		yg_buf_printf(out, "<%s><const/></%s>\n", fixed[i], fixed[i]);
	yg_buf_put(
		out,
		YG_SV("</constraints>\n</default></profiles>\n"
		      "<users><default><password></password><networks><ip>::/0</ip></networks>"
		      "<profile>default</profile><quota>default</quota>\n"
		      "<grants><query>GRANT SHOW, SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW,"
		      " CREATE TEMPORARY TABLE, DROP, TRUNCATE, OPTIMIZE, KILL QUERY ON *.*</query></grants>\n"
		      "</default></users>\n<quotas><default></default></quotas>\n</clickhouse>\n"));
}

static yg_status write_file(const char *folder, const char *name, struct yg_buf *text,
			    struct yg_err *err)
{
	char path[PATH_MAX];
	if (text->bad || snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
		return YG_FAIL(err, YG_NOMEM, "the engine's %s", name);
	return yg_file_write(path, yg_buf_sv(text), 0600, err);
}

static yg_status write_config(const struct yg_chdb_conf *conf, struct yg_err *err)
{
	struct yg_buf text;
	yg_buf_init(&text, 65536);
	engine_xml(conf, &text);
	yg_status st = write_file(conf->folder, "engine.xml", &text, err);
	if (st == YG_OK) {
		text.n = 0;
		users_xml(conf, &text);
		st = write_file(conf->folder, "users.xml", &text, err);
	}
	yg_buf_free(&text);
	return st;
}

yg_status yg_chdb_start(struct yg_chdb *db, const struct yg_chdb_conf *conf, struct yg_err *err)
{
	if (strpbrk(conf->folder, "<>&") != NULL || strlen(conf->folder) > PATH_MAX - 64)
		return YG_FAIL(err, YG_INVAL, "the event store's folder '%s' cannot stand in XML",
			       conf->folder);
	yg_status st = write_config(conf, err);
	if (st != YG_OK)
		return st;
	(void)snprintf(db->config_arg, sizeof db->config_arg, "--config-file=%s/engine.xml",
		       conf->folder);
	/* Absolute: of a relative path the engine makes "events/db/events/db" when it
	 * syncs folders. */
	char cwd[PATH_MAX - 64] = "";
	if (conf->folder[0] != '/' && getcwd(cwd, sizeof cwd) == NULL)
		return YG_FAIL_OS(err, errno, "the event store's folder");
	(void)snprintf(db->path_arg, sizeof db->path_arg, "--path=%s%s%s/db", cwd,
		       cwd[0] != '\0' ? "/" : "", conf->folder);
	char name[] = "yagura";
	char *args[] = {name, db->config_arg, db->path_arg, NULL};
	db->first = db->connect(3, args);
	if (db->first == NULL || *db->first == NULL)
		return YG_FAIL(err, YG_CORRUPT, "the event engine does not open '%s/db'",
			       conf->folder);
	return YG_OK;
}

const char *yg_chdb_version(struct yg_chdb *db)
{
	return db->version();
}

struct args {
	char *v[ARGS_MAX + 4];
	int n;
	struct yg_buf text;
};

static void arg_add(struct args *a, size_t *offsets, const char *name, size_t name_n,
		    struct yg_sv value)
{
	offsets[a->n++] = a->text.n;
	yg_buf_put(&a->text, YG_SV("--"));
	yg_buf_put(&a->text, (struct yg_sv){name, name_n});
	yg_buf_putc(&a->text, '=');
	yg_buf_put(&a->text, value);
	yg_buf_putc(&a->text, '\0');
}

yg_status yg_chdb_open(struct yg_chdb *db, const char *tag, const struct yg_chdb_arg *settings,
		       size_t n, struct yg_chdb_conn **out, struct yg_err *err)
{
	struct args a = {.n = 0};
	size_t offsets[ARGS_MAX + 1];
	char name[] = "yagura";
	if (n >= ARGS_MAX)
		return YG_FAIL(err, YG_INTERNAL, "too many settings");
	yg_buf_init(&a.text, 1u << 20);
	arg_add(&a, offsets, "log_comment", 11, yg_sv_of(tag));
	for (size_t i = 0; i < n; i++)
		arg_add(&a, offsets, settings[i].name.p, settings[i].name.n, settings[i].value);
	struct yg_chdb_conn *c = calloc(1, sizeof *c);
	if (a.text.bad || c == NULL) {
		free(c);
		yg_buf_free(&a.text);
		return YG_FAIL(err, YG_NOMEM, "a connection to the event engine");
	}
	char *v[ARGS_MAX + 4] = {name, db->config_arg, db->path_arg};
	for (int i = 0; i < a.n; i++)
		v[3 + i] = a.text.p + offsets[i];
	c->db = db;
	c->conn = db->connect(3 + a.n, v);
	yg_buf_free(&a.text);
	if (c->conn == NULL || *c->conn == NULL) {
		free(c);
		return YG_FAIL(err, YG_INTERNAL, "the event engine gives no connection");
	}
	*out = c;
	return YG_OK;
}

void yg_chdb_close(struct yg_chdb_conn *c)
{
	if (c == NULL)
		return;
	c->db->close(c->conn);
	free(c);
}

struct yg_chdb_kind yg_chdb_classify(struct yg_chdb_conn *c, struct yg_sv sql)
{
	struct analysis a = {.struct_size = sizeof a, .query_class = YG_CHDB_UNKNOWN};
	if (c->db->classify(*c->conn, sql.p, sql.n, NULL, 0, &a) != 0 ||
	    a.query_class > YG_CHDB_UNKNOWN)
		return (struct yg_chdb_kind){YG_CHDB_UNKNOWN, 1};
	return (struct yg_chdb_kind){(enum yg_chdb_class)a.query_class, a.statement_count};
}

static uint32_t error_code(struct yg_sv text)
{
	uint32_t code = 0;
	size_t i = sizeof "Code: " - 1;
	if (yg_sv_starts(text, YG_SV("Code: ")))
		while (i < text.n && text.p[i] >= '0' && text.p[i] <= '9' && code < 100000)
			code = code * 10 + (uint32_t)(text.p[i++] - '0');
	return code > 0 ? code : 1001; /* STD_EXCEPTION: an error without a number */
}

static void take(struct yg_chdb *db, void *handle, struct yg_chdb_result *r)
{
	*r = (struct yg_chdb_result){.db = db, .handle = handle, .body = YG_SV("")};
	if (handle == NULL) {
		r->error = YG_SV("Code: 1001. DB::Exception: the engine gave no result");
		r->code = 1001;
		return;
	}
	const char *error = db->error(handle);
	if (error != NULL) {
		r->error = yg_sv_of(error);
		r->code = error_code(r->error);
		return;
	}
	const char *body = db->body(handle);
	if (body != NULL)
		r->body = (struct yg_sv){body, db->length(handle)};
	r->rows = db->rows(handle);
	r->rows_read = db->rows_read(handle);
	r->bytes_read = db->bytes_read(handle);
	r->rows_written = db->rows_written(handle);
	r->bytes_written = db->bytes_written(handle);
}

void yg_chdb_result_free(struct yg_chdb_result *r)
{
	if (r->handle != NULL)
		r->db->result_free(r->handle);
	if (r->stream != NULL)
		r->db->insert_free(r->stream);
	*r = (struct yg_chdb_result){.db = r->db, .body = YG_SV(""), .error = YG_SV("")};
}

/* Parameters as the ABI wants them: four arrays side by side. */
struct params {
	const char *names[ARGS_MAX], *values[ARGS_MAX];
	size_t name_n[ARGS_MAX], value_n[ARGS_MAX];
	size_t n;
};

static void spread(const struct yg_chdb_arg *params, size_t n, struct params *out)
{
	out->n = YG_MIN(n, ARGS_MAX);
	for (size_t i = 0; i < out->n; i++) {
		out->names[i] = params[i].name.p;
		out->name_n[i] = params[i].name.n;
		out->values[i] = params[i].value.p;
		out->value_n[i] = params[i].value.n;
	}
}

void yg_chdb_query(struct yg_chdb_conn *c, struct yg_sv sql, struct yg_sv format,
		   const struct yg_chdb_arg *params, size_t n, struct yg_chdb_result *r)
{
	struct params p;
	YG_REQUIRE(c != NULL);
	spread(params, n, &p);
	take(c->db,
	     c->db->query(*c->conn, sql.p, sql.n, format.p, format.n, p.names, p.name_n, p.values,
			  p.value_n, p.n),
	     r);
}

void yg_chdb_insert(struct yg_chdb_conn *c, struct yg_sv sql, struct yg_sv format,
		    struct yg_sv data, const struct yg_chdb_arg *params, size_t n,
		    struct yg_chdb_result *r)
{
	struct params p;
	spread(params, n, &p);
	struct yg_chdb *db = c->db;
	void *s = db->insert(*c->conn, sql.p, sql.n, format.p, format.n, p.names, p.name_n,
			     p.values, p.value_n, p.n);
	const char *refused = s != NULL ? db->insert_error(s) : NULL;
	for (size_t at = 0; s != NULL && refused == NULL && at < data.n;) {
		size_t piece = YG_MIN(data.n - at, (size_t)APPEND_MAX);
		if (db->append(s, data.p + at, piece) != 0)
			break; /* done() says why */
		at += piece;
	}
	take(db, s != NULL && refused == NULL ? db->done(s) : NULL, r);
	r->stream = s; /* an error's text may be the stream's */
	if (refused != NULL) {
		r->error = yg_sv_of(refused);
		r->code = error_code(r->error);
	}
}

void yg_chdb_stream_begin(struct yg_chdb_conn *c, struct yg_sv sql, struct yg_sv format,
			  const struct yg_chdb_arg *params, size_t n, struct yg_chdb_stream **out,
			  struct yg_chdb_result *r)
{
	struct params p;
	spread(params, n, &p);
	*r = (struct yg_chdb_result){.db = c->db, .body = YG_SV(""), .error = YG_SV("")};
	*out = calloc(1, sizeof **out);
	void *h = *out == NULL ? NULL
			       : c->db->stream(*c->conn, sql.p, sql.n, format.p, format.n, p.names,
					       p.name_n, p.values, p.value_n, p.n);
	if (h == NULL || c->db->error(h) != NULL) {
		take(c->db, h, r);
		free(*out);
		*out = NULL;
		return;
	}
	(*out)->conn = c;
	(*out)->handle = h;
}

void yg_chdb_stream_fetch(struct yg_chdb_stream *s, struct yg_chdb_result *r)
{
	take(s->conn->db, s->conn->db->fetch(*s->conn->conn, s->handle), r);
}

void yg_chdb_stream_end(struct yg_chdb_stream *s)
{
	if (s == NULL)
		return;
	s->conn->db->cancel(*s->conn->conn, s->handle);
	s->conn->db->result_free(s->handle);
	free(s);
}

void yg_chdb_kill(struct yg_chdb *db, const char *tag)
{
	static const struct yg_sv sql =
		YG_SV_INIT("KILL QUERY WHERE Settings['log_comment'] = {tag:String} ASYNC");
	struct yg_chdb_conn *c = NULL;
	struct yg_chdb_arg p = {YG_SV("tag"), yg_sv_of(tag)};
	struct yg_chdb_result r;
	if (yg_chdb_open(db, "kill", NULL, 0, &c, NULL) != YG_OK)
		return;
	yg_chdb_query(c, sql, YG_SV("Null"), &p, 1, &r);
	yg_chdb_result_free(&r);
	yg_chdb_close(c);
}
