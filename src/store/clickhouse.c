#include "store/clickhouse.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define QUERY_SECONDS 30u /* a query that names no limit */
#define INSERT_SECONDS                                                                             \
	120u /* a delivery block takes well under a second; a slow disk is given time */
#define SETTLE_SECONDS  120u    /* an insert that has begun ends within its own limit */
#define STATEMENT_BYTES 200000u /* a longer one has to be allowed: servers take 256 KiB */
#define GRACE_SECONDS   5u      /* the server's own limit comes first, with a better message */
#define CONNECT_SECONDS 5L
#define URL_BYTES_MAX   (256u << 10)
#define SQL_BYTES_MAX   (8u << 20) /* 20,000 names to look for, each of 255 bytes */
#define ERROR_BYTES_MAX 4096u      /* of a server's error text: the first line says it */
#define PARAMS_FROM     1914u      /* first version with query parameters over HTTP */

struct yg_ch {
	CURL *curl;
	char *base;   /* "http://localhost/" or the configured one, ends in '/' */
	char *socket; /* path of a Unix socket, or NULL */
	char *database;
	struct curl_slist *headers; /* credentials and the like, for every request */
	uint32_t version;           /* 0: not asked yet */
	char error[CURL_ERROR_SIZE];
};

struct answer {
	struct yg_buf *out;
	struct yg_buf text; /* what an error answer says */
	CURL *curl;
	long status;
	long code; /* X-ClickHouse-Exception-Code, 0 when not sent */
};

struct request {
	struct yg_buf url;
	struct yg_sv body;
	struct answer answer;
	uint32_t seconds;
	bool get, once;
};

static void request_free(struct request *r)
{
	yg_buf_free(&r->url);
	yg_buf_free(&r->answer.text);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type */
static size_t on_body(char *bytes, size_t one, size_t n, void *ctx)
{
	struct answer *a = ctx;
	(void)one;
	if (a->status == 0)
		(void)curl_easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &a->status);
	if (a->status != 200) { /* an error's text: as much as fits */
		size_t room = a->text.n < ERROR_BYTES_MAX ? ERROR_BYTES_MAX - a->text.n : 0;
		yg_buf_put(&a->text, (struct yg_sv){bytes, YG_MIN(n, room)});
		return n;
	}
	if (a->out == NULL)
		return n;
	yg_buf_put(a->out, (struct yg_sv){bytes, n});
	return a->out->bad ? 0 : n;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type */
static size_t on_header(char *bytes, size_t one, size_t n, void *ctx)
{
	struct answer *a = ctx;
	(void)one;
	struct yg_sv line = {bytes, n}, name = YG_SV("x-clickhouse-exception-code:");
	uint64_t code;
	if (line.n > name.n && yg_sv_ieq(yg_sv_sub(line, 0, name.n), name) &&
	    yg_parse_u64(yg_sv_trim(yg_sv_sub(line, name.n, line.n)), &code, NULL) == YG_OK &&
	    code < 100000)
		a->code = (long)code;
	return n;
}

static char *copy(struct yg_sv s)
{
	char *p = malloc(s.n + 1);
	if (p != NULL) {
		memcpy(p, s.p, s.n);
		p[s.n] = '\0';
	}
	return p;
}

static bool add_header(struct yg_ch *ch, const char *name, const char *value)
{
	char line[1024];
	struct yg_sb b = yg_sb_init(line, sizeof line);
	yg_sb_put(&b, yg_sv_of(name));
	yg_sb_put(&b, yg_sv_of(value));
	struct curl_slist *next = curl_slist_append(ch->headers, yg_sb_cstr(&b));
	memset(line, 0, sizeof line);
	if (next == NULL || b.cut)
		return false;
	ch->headers = next;
	return true;
}

static bool set_up(struct yg_ch *ch, const struct yg_ch_conf *conf)
{
	struct yg_sv url = yg_sv_of(conf->url);
	if (yg_sv_starts(url, YG_SV("unix:"))) {
		ch->socket = copy(yg_sv_sub(url, 5, url.n));
		ch->base = copy(YG_SV("http://localhost/"));
		if (ch->socket == NULL)
			return false;
	} else {
		char text[1024];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		yg_sb_put(&b, url);
		if (!yg_sv_ends(url, YG_SV("/")))
			yg_sb_putc(&b, '/');
		if (b.cut)
			return false;
		ch->base = copy(yg_sb_sv(&b));
	}
	ch->database = copy(yg_sv_of(conf->database));
	ch->curl = curl_easy_init();
	return ch->base != NULL && ch->database != NULL && ch->curl != NULL &&
	       add_header(ch, "Expect:", "") && add_header(ch, "Content-Type: ", "text/plain") &&
	       (conf->user == NULL || add_header(ch, "X-ClickHouse-User: ", conf->user)) &&
	       (conf->password == NULL || add_header(ch, "X-ClickHouse-Key: ", conf->password));
}

yg_status yg_ch_open(const struct yg_ch_conf *conf, struct yg_ch **out, struct yg_err *err)
{
	if (conf->url == NULL || conf->database == NULL || strpbrk(conf->url, "\r\n") != NULL)
		return YG_FAIL(err, YG_INVAL, "a ClickHouse client needs a URL and a database");
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return YG_FAIL(err, YG_INTERNAL, "libcurl does not start");
	struct yg_ch *ch = calloc(1, sizeof *ch);
	if (ch == NULL || !set_up(ch, conf)) {
		yg_ch_close(ch);
		return YG_FAIL(err, YG_NOMEM, "ClickHouse client for '%s'", conf->url);
	}
	*out = ch;
	return YG_OK;
}

void yg_ch_close(struct yg_ch *ch)
{
	if (ch == NULL)
		return;
	curl_easy_cleanup(ch->curl);
	curl_slist_free_all(ch->headers);
	free(ch->base);
	free(ch->socket);
	free(ch->database);
	free(ch);
}

const char *yg_ch_database(const struct yg_ch *ch)
{
	return ch->database;
}

/* Appends &name=value to the URL, value percent-encoded (RFC 3986 2.3). */
static void arg(struct yg_buf *url, const char *name, struct yg_sv value)
{
	static const char hex[] = "0123456789ABCDEF";
	yg_buf_putc(url, url->p != NULL && url->n > 0 && memchr(url->p, '?', url->n) != NULL ? '&'
											     : '?');
	yg_buf_put(url, yg_sv_of(name));
	yg_buf_putc(url, '=');
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			     (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.' || c == '~';
		if (plain) {
			yg_buf_putc(url, (char)c);
			continue;
		}
		yg_buf_putc(url, '%');
		yg_buf_putc(url, hex[c >> 4]);
		yg_buf_putc(url, hex[c & 15]);
	}
}

static void arg_u64(struct yg_buf *url, const char *name, uint64_t v)
{
	char text[24];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_u64(&b, v);
	arg(url, name, yg_sb_sv(&b));
}

static void request_init(struct yg_ch *ch, struct request *r, const char *path)
{
	*r = (struct request){.seconds = QUERY_SECONDS};
	yg_buf_init(&r->url, URL_BYTES_MAX);
	yg_buf_init(&r->answer.text, ERROR_BYTES_MAX + 1);
	yg_buf_put(&r->url, yg_sv_of(ch->base));
	yg_buf_put(&r->url, yg_sv_of(path));
}

/* What an exception's number means to a caller (ClickHouse's ErrorCodes). */
static yg_status status_of(long code)
{
	switch (code) {
	case 60: /* UNKNOWN_TABLE */
	case 81: /* UNKNOWN_DATABASE */ return YG_NOTFOUND;
	case 158: /* TOO_MANY_ROWS */
	case 159: /* TIMEOUT_EXCEEDED */
	case 160: /* TOO_SLOW */
	case 241: /* MEMORY_LIMIT_EXCEEDED */
	case 307: /* TOO_MANY_BYTES */
	case 396: /* TOO_MANY_ROWS_OR_BYTES */ return YG_LIMIT;
	case 164: /* READONLY */
	case 192: /* UNKNOWN_USER */
	case 193: /* WRONG_PASSWORD */
	case 194: /* REQUIRED_PASSWORD */
	case 497: /* ACCESS_DENIED */
	case 516: /* AUTHENTICATION_FAILED */ return YG_DENIED;
	case 75:  /* CANNOT_WRITE_TO_FILE_DESCRIPTOR: mostly a full disk */
	case 202: /* TOO_MANY_SIMULTANEOUS_QUERIES */
	case 216: /* QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING */
	case 243: /* NOT_ENOUGH_SPACE */
	case 252: /* TOO_MANY_PARTS */
	case 394: /* QUERY_WAS_CANCELLED */ return YG_AGAIN;
	default: return YG_INVAL;
	}
}

/* Of an insert: refused for what the rows or the table's columns are, not for
 * the state the server is in.  What is not listed here may pass another time. */
static bool refused_for_good(const struct answer *a)
{
	static const uint16_t codes[] = {
		6 /* CANNOT_PARSE_TEXT */,
		9 /* SIZES_OF_COLUMNS_DOESNT_MATCH */,
		10 /* NOT_FOUND_COLUMN_IN_BLOCK */,
		16 /* NO_SUCH_COLUMN_IN_TABLE */,
		20 /* NUMBER_OF_COLUMNS_DOESNT_MATCH */,
		26 /* CANNOT_PARSE_QUOTED_STRING */,
		27 /* CANNOT_PARSE_INPUT_ASSERTION_FAILED */,
		38 /* CANNOT_PARSE_DATE */,
		41 /* CANNOT_PARSE_DATETIME */,
		44 /* ILLEGAL_COLUMN */,
		47 /* UNKNOWN_IDENTIFIER */,
		50 /* UNKNOWN_TYPE */,
		53 /* TYPE_MISMATCH */,
		69 /* ARGUMENT_OUT_OF_BOUND */,
		70 /* CANNOT_CONVERT_TYPE */,
		72 /* CANNOT_PARSE_NUMBER */,
		117 /* INCORRECT_DATA */,
		128 /* TOO_LARGE_ARRAY_SIZE */,
		131 /* TOO_LARGE_STRING_SIZE */,
		190 /* SIZES_OF_ARRAYS_DONT_MATCH */,
		349 /* CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN */,
		469 /* VIOLATED_CONSTRAINT */,
	};
	for (size_t i = 0; i < YG_LEN(codes); i++)
		if (a->code == codes[i])
			return true;
	return a->code == 0 && (a->status == 400 || a->status == 413 || a->status == 422);
}

static yg_status server_error(struct answer *a, struct yg_err *err)
{
	struct yg_sv text = yg_buf_sv(&a->text);
	if (a->code == 0 && yg_sv_starts(text, YG_SV("Code: "))) { /* 18.16 sends no header */
		size_t i = 6;
		while (i < text.n && text.p[i] >= '0' && text.p[i] <= '9' && a->code < 100000)
			a->code = a->code * 10 + (text.p[i++] - '0');
	}
	char safe[232];
	struct yg_sb b = yg_sb_init(safe, sizeof safe);
	yg_sb_put_untrusted(&b, yg_sv_trim(text));
	yg_status st = a->code != 0 ? status_of(a->code) : a->status >= 500 ? YG_AGAIN : YG_INVAL;
	return YG_FAIL(err, st, "event store: HTTP %ld: %s", a->status, yg_sb_cstr(&b));
}

static yg_status curl_error(struct yg_ch *ch, const struct request *r, CURLcode rc,
			    struct yg_err *err)
{
	const char *text = ch->error[0] != '\0' ? ch->error : curl_easy_strerror(rc);
	curl_off_t begun = 0; /* when the request could go; 0: nobody was reached */
	(void)curl_easy_getinfo(ch->curl, CURLINFO_PRETRANSFER_TIME_T, &begun);
	switch (rc) {
	case CURLE_OPERATION_TIMEDOUT:
		return YG_FAIL(err, begun > 0 ? YG_LIMIT : YG_AGAIN, "event store: %.180s", text);
	case CURLE_WRITE_ERROR:
		if (r->answer.out != NULL && r->answer.out->bad)
			return YG_FAIL(err, YG_LIMIT,
				       "event store: the result is larger than %zu bytes",
				       r->answer.out->limit);
		return YG_FAIL(err, YG_IO, "event store: %.180s", text);
	case CURLE_OUT_OF_MEMORY: return YG_FAIL(err, YG_NOMEM, "event store: %.180s", text);
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL: return YG_FAIL(err, YG_INVAL, "event store: %.180s", text);
	default: return YG_FAIL(err, YG_AGAIN, "event store: %.180s", text);
	}
}

static void options(struct yg_ch *ch, struct request *r)
{
	CURL *c = ch->curl;
	curl_easy_reset(c); /* keeps the open connections */
	(void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, ch->error);
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(c, CURLOPT_PROXY, ""); /* never by what the environment says */
	(void)curl_easy_setopt(c, CURLOPT_URL, r->url.p);
	if (ch->socket != NULL)
		(void)curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, ch->socket);
	(void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, ch->headers);
	(void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	(void)curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)r->seconds);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, &r->answer);
	(void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(c, CURLOPT_HEADERDATA, &r->answer);
	(void)curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, 1L << 20);
	(void)curl_easy_setopt(c, CURLOPT_BUFFERSIZE, 256L << 10);
	if (!r->get) {
		(void)curl_easy_setopt(c, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body.n > 0 ? r->body.p : "");
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
	}
	if (r->once) {
		/* curl sends a request again when a kept connection dies before the
		 * answer; the server may have done it by then.  Not for inserts. */
		(void)curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
		(void)curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
	}
}

static yg_status perform(struct yg_ch *ch, struct request *r, struct yg_err *err)
{
	yg_buf_putc(&r->url, '\0');
	if (r->url.bad)
		return YG_FAIL(err, YG_TOOBIG, "the query's parameters are too long");
	r->answer.curl = ch->curl;
	ch->error[0] = '\0';
	options(ch, r);
	CURLcode rc = curl_easy_perform(ch->curl);
	(void)curl_easy_getinfo(ch->curl, CURLINFO_RESPONSE_CODE, &r->answer.status);
	if (rc != CURLE_OK)
		return curl_error(ch, r, rc, err);
	if (r->answer.status != 200)
		return server_error(&r->answer, err);
	return r->answer.out != NULL && r->answer.out->bad
		       ? YG_FAIL(err, YG_LIMIT, "the result is too large")
		       : YG_OK;
}

/* A String's parameter goes as TSV text; an array's value is in its own syntax. */
static void arg_param(struct yg_buf *url, const struct yg_ch_param *p)
{
	char name[72];
	struct yg_sb nb = yg_sb_init(name, sizeof name);
	yg_sb_put(&nb, YG_SV("param_"));
	yg_sb_put(&nb, yg_sv_of(p->name));
	if (nb.cut)
		url->bad = true;
	struct yg_buf tsv;
	yg_buf_init(&tsv, URL_BYTES_MAX);
	for (size_t i = 0; i < p->value.n; i++) {
		char c = p->value.p[i];
		const char *esc = p->array    ? NULL
				  : c == '\\' ? "\\\\"
				  : c == '\t' ? "\\t"
				  : c == '\n' ? "\\n"
				  : c == '\r' ? "\\r"
				  : c == '\0' ? "\\0"
					      : NULL;
		if (esc != NULL)
			yg_buf_put(&tsv, yg_sv_of(esc));
		else
			yg_buf_putc(&tsv, c);
	}
	if (tsv.bad)
		url->bad = true;
	else
		arg(url, yg_sb_cstr(&nb), yg_buf_sv(&tsv));
	yg_buf_free(&tsv);
}

uint32_t yg_ch_version(struct yg_ch *ch)
{
	if (ch->version != 0)
		return ch->version;
	struct yg_buf out;
	yg_buf_init(&out, 256);
	struct yg_ch_query q = {
		.sql = YG_SV("SELECT version()"), .format = "TabSeparated", .no_database = true};
	uint64_t year, month;
	struct yg_sv rest, part;
	if (yg_ch_query(ch, &q, &out, NULL) == YG_OK) {
		rest = yg_sv_trim(yg_buf_sv(&out));
		bool ok = yg_sv_cut(&rest, '.', &part) &&
			  yg_parse_u64(part, &year, NULL) == YG_OK &&
			  yg_sv_cut(&rest, '.', &part) && yg_parse_u64(part, &month, NULL) == YG_OK;
		if (ok && year < 10000 && month < 100)
			ch->version = (uint32_t)(year * 100 + month);
	}
	yg_buf_free(&out);
	return ch->version;
}

/* Parameters into the URL, or for a server that knows none into the text. */
static yg_status put_params(struct yg_ch *ch, const struct yg_ch_query *q, struct request *r,
			    struct yg_buf *sql, struct yg_err *err)
{
	uint32_t version = q->param_count > 0 ? yg_ch_version(ch) : PARAMS_FROM;
	if (version == 0)
		return YG_FAIL(err, YG_AGAIN, "event store: no answer");
	if (version < PARAMS_FROM)
		return yg_ch_substitute(q->sql, q->params, q->param_count, sql, err);
	for (size_t i = 0; i < q->param_count; i++)
		arg_param(&r->url, &q->params[i]);
	yg_buf_put(sql, q->sql);
	return YG_OK;
}

static yg_status query(struct yg_ch *ch, const struct yg_ch_query *q, struct yg_buf *out,
		       struct yg_buf *sql, struct request *r, struct yg_err *err)
{
	uint32_t seconds = q->max_seconds > 0 ? q->max_seconds : QUERY_SECONDS;
	if (!q->no_database)
		arg(&r->url, "database", yg_sv_of(ch->database));
	if (q->query_id != NULL)
		arg(&r->url, "query_id", yg_sv_of(q->query_id));
	arg_u64(&r->url, "max_execution_time", seconds);
	if (q->no_wait)
		arg_u64(&r->url, "mutations_sync", 0);
	if (q->max_rows_read > 0)
		arg_u64(&r->url, "max_rows_to_read", q->max_rows_read);
	/* The status line waits for the result, so that an error is never half a page. */
	arg(&r->url, "wait_end_of_query", YG_SV("1"));
	yg_status st = put_params(ch, q, r, sql, err);
	if (st != YG_OK)
		return st;
	if (q->format != NULL) {
		yg_buf_put(sql, YG_SV("\nFORMAT "));
		yg_buf_put(sql, yg_sv_of(q->format));
	}
	if (sql->bad)
		return YG_FAIL(err, YG_TOOBIG, "the query is too long");
	if (sql->n > STATEMENT_BYTES)
		arg_u64(&r->url, "max_query_size", 2 * sql->n);
	r->seconds = seconds + GRACE_SECONDS;
	r->body = yg_buf_sv(sql);
	r->answer.out = out;
	return perform(ch, r, err);
}

yg_status yg_ch_query(struct yg_ch *ch, const struct yg_ch_query *q, struct yg_buf *out,
		      struct yg_err *err)
{
	struct request r;
	struct yg_buf sql;
	yg_buf_init(&sql, SQL_BYTES_MAX);
	request_init(ch, &r, "");
	yg_status st = query(ch, q, out, &sql, &r, err);
	request_free(&r);
	yg_buf_free(&sql);
	return st;
}

yg_status yg_ch_insert(struct yg_ch *ch, const char *into, const char *query_id, struct yg_sv rows,
		       struct yg_err *err)
{
	return yg_ch_insert_as(ch, into, "RowBinary", query_id, rows, err);
}

yg_status yg_ch_insert_as(struct yg_ch *ch, const char *into, const char *format,
			  const char *query_id, struct yg_sv rows, struct yg_err *err)
{
	struct request r;
	char sql[4096];
	struct yg_sb b = yg_sb_init(sql, sizeof sql);
	yg_sb_put(&b, YG_SV("INSERT INTO "));
	yg_sb_put(&b, yg_sv_of(into));
	yg_sb_put(&b, YG_SV(" FORMAT "));
	yg_sb_put(&b, yg_sv_of(format));
	if (b.cut)
		return YG_FAIL(err, YG_INVAL, "the name of the table is too long");
	request_init(ch, &r, "");
	arg(&r.url, "database", yg_sv_of(ch->database));
	if (query_id != NULL)
		arg(&r.url, "query_id", yg_sv_of(query_id));
	arg(&r.url, "query", yg_sb_sv(&b));
	r.body = rows;
	r.once = true;
	r.seconds = INSERT_SECONDS;
	yg_status st = perform(ch, &r, err);
	if (st == YG_INVAL && refused_for_good(&r.answer))
		st = YG_PARSE;
	request_free(&r);
	return st;
}

/* Query ids are ours; what is not plain is refused, so it can stand in SQL. */
static bool plain_id(const char *id)
{
	size_t n = strlen(id);
	return n > 0 && n <= 128 &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:") ==
		       n;
}

static yg_status settle_ask(struct yg_ch *ch, const char *sql, const char *query_id,
			    const char *tail, uint64_t *out_left, struct yg_err *err)
{
	char text[320];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_put(&b, yg_sv_of(sql));
	yg_sb_put(&b, yg_sv_of(query_id));
	yg_sb_put(&b, yg_sv_of(tail));
	struct yg_buf out;
	yg_buf_init(&out, 64u << 10);
	struct yg_ch_query q = {.sql = yg_sb_sv(&b),
				.format = "TabSeparated",
				.max_seconds = SETTLE_SECONDS,
				.no_database = true};
	yg_status st = yg_ch_query(ch, &q, &out, err);
	if (st == YG_OK && out_left != NULL)
		st = yg_parse_u64(yg_sv_trim(yg_buf_sv(&out)), out_left, err);
	yg_buf_free(&out);
	return st;
}

yg_status yg_ch_settle(struct yg_ch *ch, const char *query_id, struct yg_err *err)
{
	if (!plain_id(query_id))
		return YG_FAIL(err, YG_INVAL,
			       "a query id of ours holds letters, digits and -_.: only");
	for (unsigned tries = 0; tries < SETTLE_SECONDS * 10; tries++) {
		uint64_t left = 0;
		yg_status st = settle_ask(ch, "KILL QUERY WHERE query_id = '", query_id, "' SYNC",
					  NULL, err);
		if (st ==
		    YG_OK) /* an insert may be past the point of being killed: it ends by itself */
			st = settle_ask(ch,
					"SELECT count() FROM system.processes WHERE query_id = '",
					query_id, "'", &left, err);
		if (st != YG_OK || left == 0)
			return st;
		struct timespec nap = {.tv_nsec = 100000000};
		(void)nanosleep(&nap, NULL);
	}
	return YG_FAIL(err, YG_AGAIN, "query '%s' is still running", query_id);
}

bool yg_ch_ping(struct yg_ch *ch)
{
	struct request r;
	struct yg_buf out;
	yg_buf_init(&out, 256);
	request_init(ch, &r, "ping");
	r.get = true;
	r.seconds = CONNECT_SECONDS;
	r.answer.out = &out;
	bool ok = perform(ch, &r, NULL) == YG_OK &&
		  yg_sv_eq(yg_sv_trim(yg_buf_sv(&out)), YG_SV("Ok."));
	request_free(&r);
	yg_buf_free(&out);
	return ok;
}
