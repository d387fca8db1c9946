#include <poll.h>

#include "role/store_internal.h"

/* The other end closed its socket: nobody waits for this any more.  What is
 * asked by a client that went away before it began is not done, so that whoever
 * settles an insert and finds it absent can rely on it (see doc/event-store.md). */
static bool client_gone(const struct job *j)
{
	struct pollfd p = {.fd = j->fd, .events = POLLRDHUP};
	return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static void fail_result(struct job *j, uint32_t code, const char *text)
{
	j->failed = code;
	j->failed_text = text;
}

static size_t limits(const struct job *j, bool insert, struct yg_chdb_arg *out, char (*text)[32])
{
	static const struct {
		struct yg_sv name;
	} names[] = {{YG_SV_INIT("max_execution_time")},
		     {YG_SV_INIT("max_rows_to_read")},
		     {YG_SV_INIT("max_memory_usage")},
		     {YG_SV_INIT("max_result_bytes")},
		     {YG_SV_INIT("max_threads")}};
	const uint64_t values[] = {insert ? 0 : j->limit_seconds_ms, insert ? 0 : j->limit_rows,
				   insert ? 0 : j->limit_memory, j->limit_result, j->limit_threads};
	for (size_t i = 0; i < YG_LEN(names); i++) {
		struct yg_sb b = yg_sb_init(text[i], sizeof text[i]);
		if (i == 0)
			yg_sb_printf(&b, "%" PRIu64 ".%03u", values[i] / 1000,
				     (unsigned)(values[i] % 1000));
		else
			yg_sb_u64(&b, values[i]);
		out[i] = (struct yg_chdb_arg){names[i].name, yg_sb_sv(&b)};
	}
	return YG_LEN(names);
}

/* One block, so one part per partition: all rows of an insert or none. */
static const struct yg_chdb_arg insert_settings[] = {
	{YG_SV_INIT("max_insert_block_size"), YG_SV_INIT("100000000")},
	{YG_SV_INIT("max_insert_block_size_bytes"), YG_SV_INIT("0")},
	{YG_SV_INIT("min_insert_block_size_rows"), YG_SV_INIT("100000000")},
	{YG_SV_INIT("min_insert_block_size_bytes"), YG_SV_INIT("4000000000")},
	{YG_SV_INIT("input_format_parallel_parsing"), YG_SV_INIT("0")},
	{YG_SV_INIT("async_insert"), YG_SV_INIT("0")},
};

static bool open_engine(struct job *j)
{
	struct yg_chdb_arg args[16];
	char text[8][32];
	bool insert = j->sql.verb == YG_STORE_INSERT;
	size_t n = limits(j, insert, args, text);
	for (size_t i = 0; insert && i < YG_LEN(insert_settings); i++)
		args[n++] = insert_settings[i];
	if (yg_chdb_open(j->http->conf.db, j->tag, args, n, &j->engine, NULL) == YG_OK)
		return true;
	fail_result(j, 241, "the engine has no memory for a connection");
	return false;
}

/* Runs a statement of our own on the job's connection; an error is its answer. */
static bool statement(struct job *j, struct yg_buf *sql)
{
	if (sql->bad) {
		fail_result(j, 36, "a name or a setting is too long");
		return false;
	}
	yg_chdb_query(j->engine, yg_buf_sv(sql), YG_SV("Null"), NULL, 0, &j->result);
	if (j->result.error.n > 0)
		return false;
	yg_chdb_result_free(&j->result);
	return true;
}

static void put_escaped(struct yg_buf *b, struct yg_sv s, char quote)
{
	yg_buf_putc(b, quote);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == quote || s.p[i] == '\\')
			yg_buf_putc(b, '\\');
		yg_buf_putc(b, s.p[i]);
	}
	yg_buf_putc(b, quote);
}

/* USE, then SET: what the client asked for, within what the users file allows. */
static bool prepare(struct job *j)
{
	struct yg_buf sql;
	yg_buf_init(&sql, 32768);
	bool ok = true;
	if (j->database.n > 0 && !YG_SV_IS(j->database, "default")) {
		yg_buf_put(&sql, YG_SV("USE "));
		put_escaped(&sql, j->database, '`');
		ok = statement(j, &sql);
	}
	if (ok && j->setting_count > 0) {
		sql.n = 0;
		yg_buf_put(&sql, YG_SV("SET "));
		for (size_t i = 0; i < j->setting_count; i++) {
			if (i > 0)
				yg_buf_putc(&sql, ',');
			yg_buf_put(&sql, j->settings[i].name);
			yg_buf_putc(&sql, '=');
			put_escaped(&sql, j->settings[i].value, '\'');
		}
		ok = statement(j, &sql);
	}
	yg_buf_free(&sql);
	return ok;
}

/* What may run, by the engine's own reading of it. */
static bool allowed(struct job *j)
{
	struct yg_chdb_kind k =
		yg_chdb_classify(j->engine, j->sql.verb == YG_STORE_INSERT ? j->sql.head : j->text);
	if (j->sql.reads_file) {
		fail_result(j, 497, "INFILE and OUTFILE are not available here");
		return false;
	}
	if (k.statements == 0 || (k.statements == 1 && k.class == YG_CHDB_READ))
		return true; /* what does not parse gets the engine's own message */
	if (k.statements > 1) {
		fail_result(j, 62, "Syntax error: one statement per request");
		return false;
	}
	if (k.class != YG_CHDB_WRITE) {
		fail_result(j, 497, "Not enough privileges: this statement is not available here");
		return false;
	}
	if (j->get) {
		fail_result(j, 164,
			    "Cannot execute query in readonly mode: GET changes nothing, use POST");
		return false;
	}
	return true;
}

static void run_insert(struct job *j)
{
	if (client_gone(j) || store_job_cancelled(j)) {
		fail_result(j, 394, "Query was cancelled before it began");
		return;
	}
	struct yg_sv format = j->sql.format.n > 0 ? j->sql.format : j->format;
	yg_chdb_insert(j->engine, j->sql.head, format, j->sql.data, j->params, j->param_count,
		       &j->result);
}

/* max_result_bytes counts columns in memory; what they are as text counts here. */
static void bound_result(struct job *j)
{
	j->result_bytes += j->result.body.n;
	if (j->limit_result == 0 || j->result_bytes <= j->limit_result)
		return;
	yg_chdb_result_free(&j->result);
	j->result.error = YG_SV(
		"Code: 396. DB::Exception: Limit for result exceeded. (TOO_MANY_ROWS_OR_BYTES)");
	j->result.code = 396;
}

static void fetch(struct job *j)
{
	yg_chdb_stream_fetch(j->stream, &j->result);
	bound_result(j);
	j->stream_end = j->result.error.n > 0 || j->result.body.n == 0;
}

static void run_query(struct job *j)
{
	struct yg_sv named = j->sql.format.n > 0 ? j->sql.format : j->format;
	if (j->wait_end || !j->sql.select || !yg_store_format_streams(named)) {
		yg_chdb_query(j->engine, j->text, j->format, j->params, j->param_count, &j->result);
		bound_result(j);
		return;
	}
	yg_chdb_stream_begin(j->engine, j->text, j->format, j->params, j->param_count, &j->stream,
			     &j->result);
	if (j->stream == NULL)
		return;
	fetch(j);
}

static void step_run(struct job *j)
{
	if (store_job_cancelled(j) || client_gone(j)) {
		fail_result(j, 394, "Query was cancelled before it began");
		return;
	}
	if (!open_engine(j) || !prepare(j) || !allowed(j))
		return;
	if (j->sql.verb == YG_STORE_INSERT)
		run_insert(j);
	else
		run_query(j);
}

static void step_end(struct job *j)
{
	yg_chdb_stream_end(j->stream);
	j->stream = NULL;
	yg_chdb_result_free(&j->result);
	yg_chdb_close(j->engine);
	j->engine = NULL;
}

void store_work(uv_work_t *work)
{
	struct job *j = work->data;
	switch (j->step) {
	case STEP_RUN: step_run(j); break;
	case STEP_FETCH:
		yg_chdb_result_free(&j->result);
		if (!store_job_cancelled(j))
			fetch(j);
		break;
	case STEP_END: step_end(j); break;
	case STEP_KILL: yg_chdb_kill(j->http->conf.db, j->tag); break;
	}
}
