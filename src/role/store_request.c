#include "role/store_internal.h"

#define BODY_TOTAL_MAX (512u << 20) /* of all requests together; more: 503, come back */

static bool arg_u64(struct yg_sv v, uint64_t *out)
{
	return yg_parse_u64(v, out, NULL) == YG_OK;
}

/* Limits can be lowered by the client, not raised; 0 asks for the most. */
static void lower(uint64_t *limit, uint64_t asked)
{
	if (asked > 0 && (*limit == 0 || asked < *limit))
		*limit = asked;
}

static bool plain_setting(struct yg_sv name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return name.n > 0 && name.n <= 96;
}

/* What clients send that means nothing here, or is always so. */
static bool ignored_setting(struct yg_sv name)
{
	static const struct yg_sv names[] = {
		YG_SV_INIT("user"),
		YG_SV_INIT("password"),
		YG_SV_INIT("quota_key"),
		YG_SV_INIT("role"),
		YG_SV_INIT("session_id"),
		YG_SV_INIT("session_timeout"),
		YG_SV_INIT("session_check"),
		YG_SV_INIT("session_timezone"),
		YG_SV_INIT("buffer_size"),
		YG_SV_INIT("stacktrace"),
		YG_SV_INIT("decompress"),
		YG_SV_INIT("client_protocol_version"),
		YG_SV_INIT("http_make_head_request"),
		YG_SV_INIT("enable_http_compression"),
		YG_SV_INIT("http_zlib_compression_level"),
		YG_SV_INIT("async_insert"),
		YG_SV_INIT("wait_for_async_insert"),
		YG_SV_INIT("cancel_http_readonly_queries_on_client_close"),
		YG_SV_INIT("send_progress_in_http_headers"),
		YG_SV_INIT("http_headers_progress_interval_ms"),
		YG_SV_INIT("http_write_exception_in_output_format"),
		YG_SV_INIT("log_queries"),
		YG_SV_INIT("log_comment"),
		YG_SV_INIT("readonly")};
	for (size_t i = 0; i < YG_LEN(names); i++)
		if (yg_sv_eq(name, names[i]))
			return true;
	return false;
}

static bool limit_setting(struct job *j, struct yg_sv name, struct yg_sv value)
{
	uint64_t v;
	if (YG_SV_IS(name, "max_execution_time")) {
		struct yg_sv whole = yg_sv_sub(value, 0, yg_sv_find(value, '.', 0));
		if (arg_u64(whole, &v) && v < UINT64_MAX / 1000)
			lower(&j->limit_seconds_ms, v * 1000 + (whole.n < value.n));
		return true;
	}
	static const struct {
		struct yg_sv name;
		size_t at;
	} map[] = {{YG_SV_INIT("max_rows_to_read"), offsetof(struct job, limit_rows)},
		   {YG_SV_INIT("max_memory_usage"), offsetof(struct job, limit_memory)},
		   {YG_SV_INIT("max_result_bytes"), offsetof(struct job, limit_result)},
		   {YG_SV_INIT("max_threads"), offsetof(struct job, limit_threads)}};
	for (size_t i = 0; i < YG_LEN(map); i++) {
		if (!yg_sv_eq(name, map[i].name))
			continue;
		if (arg_u64(value, &v))
			lower((uint64_t *)(void *)((char *)j + map[i].at), v);
		return true;
	}
	return false;
}

static void take_setting(struct job *j, struct yg_sv name, struct yg_sv value)
{
	if (ignored_setting(name) || limit_setting(j, name, value))
		return;
	if (!plain_setting(name)) {
		store_job_answer_code(j, 115, "Unknown setting");
		return;
	}
	if (j->setting_count == SETTINGS_MAX) {
		store_job_answer_code(j, 36, "Too many settings in the URL");
		return;
	}
	j->settings[j->setting_count++] = (struct yg_chdb_arg){name, value};
}

static void take_id(struct job *j, struct yg_sv id)
{
	if (id.n == 0)
		return;
	for (size_t i = 0; i < id.n; i++)
		if (id.n > ID_MAX || id.p[i] <= ' ' || id.p[i] >= 0x7f) {
			store_job_answer_code(j, 36,
					      "A query_id is up to 128 printable ASCII characters");
			return;
		}
	memcpy(j->id, id.p, id.n);
	j->id[id.n] = '\0';
}

static enum MHD_Result on_arg(void *ctx, enum MHD_ValueKind kind, const char *key, size_t key_n,
			      const char *value, size_t value_n)
{
	struct job *j = ctx;
	(void)kind;
	struct yg_sv name = {key, key_n},
		     v = {value != NULL ? value : "", value != NULL ? value_n : 0};
	if (YG_SV_IS(name, "query")) {
		j->query_arg = v;
	} else if (YG_SV_IS(name, "database")) {
		j->database = v;
	} else if (YG_SV_IS(name, "default_format")) {
		j->format = v;
	} else if (YG_SV_IS(name, "query_id")) {
		take_id(j, v);
	} else if (YG_SV_IS(name, "wait_end_of_query")) {
		j->wait_end = YG_SV_IS(v, "1");
	} else if (YG_SV_IS(name, "compress")) {
		if (!YG_SV_IS(v, "0"))
			store_job_answer_code(j, 48, "compress=1 is not available here");
	} else if (yg_sv_starts(name, YG_SV("param_"))) {
		if (j->param_count == PARAMS_MAX)
			store_job_answer_code(j, 36, "Too many parameters in the URL");
		else
			j->params[j->param_count++] =
				(struct yg_chdb_arg){yg_sv_sub(name, 6, name.n), v};
	} else {
		take_setting(j, name, v);
	}
	return MHD_YES;
}

static struct yg_sv request_header(struct job *j, const char *name)
{
	return yg_sv_of(MHD_lookup_connection_value(j->conn, MHD_HEADER_KIND, name));
}

static bool same_secret(struct yg_sv a, struct yg_sv b)
{
	unsigned char diff = (unsigned char)(a.n != b.n);
	for (size_t i = 0; i < a.n && b.n > 0; i++)
		diff |= (unsigned char)(a.p[i] ^ b.p[i % b.n]);
	return diff == 0;
}

/* TCP only.  A page in a browser on this machine could send here too: it says
 * so by Origin, and a name that was bound to 127.0.0.1 by Host. */
static bool door(struct job *j)
{
	struct yg_sv host = request_header(j, "Host"), want = j->http->conf.password;
	static const struct yg_sv loopback[] = {YG_SV_INIT("127.0.0.1"), YG_SV_INIT("localhost"),
						YG_SV_INIT("[::1]")};
	bool local = host.n == 0;
	for (size_t i = 0; i < YG_LEN(loopback); i++) {
		struct yg_sv rest = yg_sv_sub(host, loopback[i].n, host.n);
		local |= yg_sv_starts(host, loopback[i]) && (rest.n == 0 || rest.p[0] == ':');
	}
	if (!local || request_header(j, "Origin").n > 0) {
		store_job_answer(j, 403, 497, "Not enough privileges: not for browsers");
		return false;
	}
	if (want.n == 0)
		return true;
	struct yg_sv key = request_header(j, "X-ClickHouse-Key");
	char *basic = NULL, *user = NULL;
	if (key.n == 0) {
		user = MHD_basic_auth_get_username_password(j->conn, &basic);
		key = yg_sv_of(basic);
	}
	if (key.n == 0)
		key = yg_sv_of(
			MHD_lookup_connection_value(j->conn, MHD_GET_ARGUMENT_KIND, "password"));
	bool ok = same_secret(key, want);
	MHD_free(user);
	MHD_free(basic);
	if (!ok)
		store_job_answer_code(j, 516, "Authentication failed: password is incorrect");
	return ok;
}

static void make_id(struct job *j)
{
	uint8_t r[16];
	j->http->conf.env->random(j->http->conf.env->ctx, r, sizeof r);
	struct yg_sb b = yg_sb_init(j->id, sizeof j->id);
	for (size_t i = 0; i < sizeof r; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			yg_sb_putc(&b, '-');
		yg_sb_hex(&b, &r[i], 1);
	}
	(void)yg_sb_cstr(&b);
}

void store_request_head(struct job *j, const char *method)
{
	const struct yg_store_http_conf *c = &j->http->conf;
	j->limit_seconds_ms = (uint64_t)c->query_seconds * 1000;
	j->limit_rows = c->query_rows;
	j->limit_memory = c->query_memory_bytes;
	j->limit_result = c->result_bytes;
	j->limit_threads = c->threads;
	j->database = request_header(j, "X-ClickHouse-Database");
	j->format = request_header(j, "X-ClickHouse-Format");
	if (!j->get && strcmp(method, "POST") != 0)
		store_job_answer(j, 405, 0, "GET and POST only");
	else if (!j->tcp || door(j))
		(void)MHD_get_connection_values_n(j->conn, MHD_GET_ARGUMENT_KIND, on_arg, j);
	if (j->format.n == 0)
		j->format = YG_SV("TabSeparated");
	if (j->id[0] == '\0')
		make_id(j);
	uint64_t length;
	if (arg_u64(request_header(j, "Content-Length"), &length) && length > BODY_MAX)
		store_job_answer(j, 413, 223, "Request is too large: more than 256 MiB");
	if (j->state != JOB_ANSWER && request_header(j, "Content-Encoding").n > 0 &&
	    !YG_SV_IS(request_header(j, "Content-Encoding"), "identity"))
		store_job_answer_code(j, 48, "Compressed requests are not available here");
}

void store_request_body(struct job *j, const char *bytes, size_t n)
{
	struct yg_store_http *h = j->http;
	size_t cap = j->body.cap;
	if (j->state != JOB_BODY || j->body_over)
		return; /* the answer is known: what still comes is dropped */
	if (h->body_bytes + n > BODY_TOTAL_MAX || j->body.n + n > BODY_MAX) {
		j->body_over = true;
		bool mine = j->body.n + n > BODY_MAX;
		store_job_body_free(j);
		store_job_answer(j, mine ? 413 : 503, mine ? 223 : 202,
				 mine ? "Request is too large: more than 256 MiB"
				      : "Too many requests at a time; come back later");
		return;
	}
	yg_buf_put(&j->body, (struct yg_sv){bytes, n});
	h->body_bytes += j->body.cap - cap;
	if (j->body.bad) {
		store_job_body_free(j);
		store_job_answer_code(j, 241, "Memory limit exceeded");
	}
}

/* The statement is the URL's and the body's, one behind the other; an INSERT's
 * data is what follows its FORMAT in either. */
static void join(struct job *j)
{
	struct yg_sv body = yg_buf_sv(&j->body);
	if (j->query_arg.n == 0) {
		j->text = body;
		yg_store_sql_read(j->text, &j->sql);
		return;
	}
	yg_store_sql_read(j->query_arg, &j->sql);
	j->text = j->query_arg;
	if (j->sql.verb == YG_STORE_INSERT && yg_sv_trim(j->sql.data).n == 0) {
		j->sql.data = body;
		return;
	}
	if (body.n == 0)
		return;
	struct yg_buf both;
	yg_buf_init(&both, BODY_MAX);
	yg_buf_put(&both, j->query_arg);
	yg_buf_putc(&both, '\n');
	yg_buf_put(&both, body);
	if (both.bad) {
		yg_buf_free(&both);
		store_job_answer_code(j, 223, "Query is too large");
		return;
	}
	store_job_body_free(j);
	j->body = both;
	j->http->body_bytes += both.cap;
	j->text = yg_buf_sv(&j->body);
	yg_store_sql_read(j->text, &j->sql);
}

/* What is longer than its place can be neither a format nor a query_id. */
static void keep(char *to, size_t max, struct yg_sv from)
{
	size_t n = from.n <= max && yg_sv_find(from, '\0', 0) == from.n ? from.n : 0;
	if (n > 0)
		memcpy(to, from.p, n);
	to[n] = '\0';
}

bool store_request_statement(struct job *j)
{
	join(j);
	if (j->state == JOB_ANSWER)
		return false;
	keep(j->named, FORMAT_MAX, j->sql.format.n > 0 ? j->sql.format : j->format);
	keep(j->kill_id, ID_MAX, j->sql.kill_id);
	return true;
}
