#include "cmd/client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define REPLY_MAX (256u << 20) /* an answer larger than this is not for a terminal */

struct yg_client {
	CURL *curl;
	char base[512];   /* "http://local" or "https://host:port" */
	char socket[108]; /* sun_path; empty for a remote server */
	char bearer[256]; /* "Authorization: Bearer ..."; wiped on close */
	char curl_error[CURL_ERROR_SIZE];
};

static void find_socket(const struct yg_cli *c, char *out, size_t cap)
{
	const char *given = yg_cli_get(c, "socket"), *data = getenv("YAGURA_DATA");
	if (given != NULL) {
		(void)snprintf(out, cap, "%s", given);
		return;
	}
	static const char *const places[] = {"data", "/var/lib/yagura"};
	(void)snprintf(out, cap, "%s/run/api.sock", data != NULL ? data : places[0]);
	if (data == NULL && access(out, F_OK) != 0)
		(void)snprintf(out, cap, "%s/run/api.sock", places[1]);
	if (data == NULL && access(out, F_OK) != 0)
		(void)snprintf(out, cap, "%s/run/api.sock", places[0]);
}

yg_status yg_token_read(const char *path, char *out, size_t cap, struct yg_err *err)
{
	char text[200];
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return YG_FAIL(err, YG_IO, "token file '%s' cannot be read", path);
	size_t n = fread(text, 1, sizeof text, f);
	(void)fclose(f);
	struct yg_sv token = yg_sv_trim((struct yg_sv){text, n});
	if (token.n == 0 || n == sizeof text || token.n >= cap)
		return YG_FAIL(err, YG_PARSE, "token file '%s' does not hold one token", path);
	(void)snprintf(out, cap, "%.*s", YG_SV_ARG(token));
	explicit_bzero(text, sizeof text);
	return YG_OK;
}

const char *yg_client_said(const struct yg_cli *c, const char *option, const char *variable)
{
	const char *v = yg_cli_get(c, option);
	v = v != NULL ? v : getenv(variable);
	return v != NULL && v[0] != '\0' ? v : NULL;
}

/* The server to speak to; *x is empty for the socket of this machine. */
static yg_status choose(const struct yg_cli *c, struct yg_context *x, struct yg_err *err)
{
	bool local = yg_cli_has(c, "socket"), found = false;
	const char *server = local ? NULL : yg_client_said(c, "server", "YAGURA_SERVER");
	const char *token = yg_client_said(c, "token-file", "YAGURA_TOKEN_FILE"),
		   *ca = yg_client_said(c, "ca-file", "YAGURA_CA_FILE");
	yg_status st = YG_OK;
	if (!local && server == NULL && getenv("YAGURA_DATA") == NULL)
		st = yg_context_get(x, &found, err);
	if (server != NULL && (!yg_sv_starts(yg_sv_of(server), YG_SV("https://")) ||
			       strlen(server) >= sizeof x->server))
		return YG_FAIL(err, YG_INVAL, "--server takes an https:// address, found '%s'",
			       server);
	if (server != NULL)
		(void)snprintf(x->server, sizeof x->server, "%s", server);
	if (ca != NULL)
		(void)snprintf(x->ca_file, sizeof x->ca_file, "%s", ca);
	/* what the environment names is for the server that it names */
	if (st == YG_OK && token != NULL && (server != NULL || yg_cli_has(c, "token-file")))
		st = yg_token_read(token, x->token, sizeof x->token, err);
	return st;
}

static yg_status connect_to(const struct yg_context *x, struct yg_client **out, struct yg_err *err)
{
	struct yg_client *client = calloc(1, sizeof *client);
	CURL *curl = curl_easy_init();
	if (client == NULL || curl == NULL) {
		curl_easy_cleanup(curl);
		free(client);
		return YG_FAIL(err, YG_NOMEM, "client");
	}
	client->curl = curl;
	(void)snprintf(client->base, sizeof client->base, "%s",
		       x->server[0] != '\0' ? x->server : "http://local");
	size_t n = strlen(client->base);
	if (client->base[n - 1] == '/')
		client->base[n - 1] = '\0';
	if (x->token[0] != '\0')
		(void)snprintf(client->bearer, sizeof client->bearer, "Authorization: Bearer %s",
			       x->token);
	if (x->ca_file[0] != '\0')
		(void)curl_easy_setopt(client->curl, CURLOPT_CAINFO, x->ca_file);
	*out = client;
	return YG_OK;
}

yg_status yg_client_open_context(const struct yg_context *x, struct yg_client **out,
				 struct yg_err *err)
{
	if (!yg_sv_starts(yg_sv_of(x->server), YG_SV("https://")))
		return YG_FAIL(err, YG_INVAL, "--server takes an https:// address, found '%s'",
			       x->server);
	return connect_to(x, out, err);
}

yg_status yg_client_open(const struct yg_cli *c, struct yg_client **out, struct yg_err *err)
{
	struct yg_context x = {.server = ""};
	yg_status st = choose(c, &x, err);
	if (st == YG_OK)
		st = connect_to(&x, out, err);
	explicit_bzero(x.token, sizeof x.token);
	if (st == YG_OK && x.server[0] == '\0')
		find_socket(c, (*out)->socket, sizeof(*out)->socket);
	return st;
}

void yg_client_close(struct yg_client *client)
{
	if (client == NULL)
		return;
	if (client->curl != NULL)
		curl_easy_cleanup(client->curl);
	explicit_bzero(client, sizeof *client);
	free(client);
}

void yg_reply_free(struct yg_reply *r)
{
	if (r->json != NULL)
		json_decref(r->json);
	yg_buf_free(&r->text);
	r->json = NULL;
}

struct sink {
	CURL *curl;
	FILE *to;
	struct yg_buf *text;
};

/* A refusal is never taken for the file that was asked for. */
static size_t on_body(const char *p, size_t size, size_t n, void *ctx)
{
	struct sink *sink = ctx;
	long status = 0;
	if (sink->to != NULL)
		(void)curl_easy_getinfo(sink->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && status < 300)
		return fwrite(p, 1, size * n, sink->to);
	yg_buf_put(sink->text, (struct yg_sv){p, size * n});
	return sink->text->bad ? 0 : size * n;
}

static size_t on_header(const char *p, size_t size, size_t n, void *ctx)
{
	struct yg_reply *r = ctx;
	struct yg_sv rest = {p, size * n}, name;
	if (!yg_sv_cut(&rest, ':', &name) || rest.p == NULL)
		return size * n;
	struct yg_sv value = yg_sv_trim(rest);
	uint64_t seconds;
	if (yg_sv_ieq(name, YG_SV("etag")))
		(void)snprintf(r->etag, sizeof r->etag, "%.*s", YG_SV_ARG(value));
	else if (yg_sv_ieq(name, YG_SV("retry-after")) &&
		 yg_parse_u64(value, &seconds, NULL) == YG_OK)
		r->retry_after_s = (int64_t)YG_MIN(seconds, (uint64_t)3600);
	return size * n;
}

static struct curl_slist *header(struct curl_slist *list, const char *name, const char *value)
{
	char line[512];
	if (value == NULL)
		return list;
	(void)snprintf(line, sizeof line, "%s: %s", name, value);
	struct curl_slist *more = curl_slist_append(list, line);
	return more != NULL ? more : list;
}

static yg_status status_of_http(long http)
{
	static const yg_status order[] = {YG_LIMIT,    YG_UNAUTH, YG_DENIED, YG_NOTFOUND,
					  YG_CONFLICT, YG_TOOBIG, YG_AGAIN,  YG_PARSE};
	for (size_t i = 0; i < YG_LEN(order); i++)
		if (yg_status_http(order[i]) == (int)http)
			return order[i];
	return http == 412 || http == 428 ? YG_CONFLICT : http < 500 ? YG_PARSE : YG_INTERNAL;
}

/* RFC 9457: title, detail and the pointers of errors[] in one line. */
static yg_status problem(const struct yg_reply *r, struct yg_err *err)
{
	yg_status st = status_of_http(r->status);
	const char *title = json_string_value(json_object_get(r->json, "title"));
	const char *detail = json_string_value(json_object_get(r->json, "detail"));
	json_t *first = json_array_get(json_object_get(r->json, "errors"), 0);
	const char *pointer = json_string_value(json_object_get(first, "pointer"));
	const char *text = json_string_value(json_object_get(first, "message"));
	if (title == NULL)
		return YG_FAIL(err, st, "the server answered %ld", r->status);
	return YG_FAIL(err, st, "%s%s%s%s%s%s%s", title, detail != NULL ? ": " : "",
		       detail != NULL ? detail : "", pointer != NULL ? " (" : "",
		       pointer != NULL ? pointer : "", text != NULL ? " " : "",
		       text != NULL ? text : "");
}

static void set_request(struct yg_client *client, const struct yg_call *call, struct yg_reply *out,
			struct sink *sink)
{
	CURL *h = client->curl;
	(void)curl_easy_setopt(h, CURLOPT_ERRORBUFFER, client->curl_error);
	(void)curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(h, CURLOPT_USERAGENT, "yagura/" YG_VERSION);
	(void)curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, call->method);
	(void)curl_easy_setopt(h, CURLOPT_NOBODY, 0L);
	(void)curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(h, CURLOPT_WRITEDATA, sink);
	(void)curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(h, CURLOPT_HEADERDATA, out);
	(void)curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, 10L);
	(void)curl_easy_setopt(h, CURLOPT_TIMEOUT, call->seconds > 0 ? call->seconds : 600L);
	(void)curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(h, CURLOPT_PROXY, "");
	if (client->socket[0] != '\0')
		(void)curl_easy_setopt(h, CURLOPT_UNIX_SOCKET_PATH, client->socket);
	if (call->body.p != NULL) {
		(void)curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.n);
		(void)curl_easy_setopt(h, CURLOPT_POSTFIELDS, call->body.p);
	} else if (!yg_sv_eq(yg_sv_of(call->method), YG_SV("GET"))) {
		(void)curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0);
		(void)curl_easy_setopt(h, CURLOPT_POSTFIELDS, "");
	} else {
		(void)curl_easy_setopt(h, CURLOPT_HTTPGET, 1L);
	}
}

yg_status yg_client_call(struct yg_client *client, const struct yg_call *call, struct yg_reply *out,
			 struct yg_err *err)
{
	*out = (struct yg_reply){0};
	yg_buf_init(&out->text, REPLY_MAX);
	char url[4096];
	if ((size_t)snprintf(url, sizeof url, "%s%s", client->base, call->path) >= sizeof url)
		return YG_FAIL(err, YG_INVAL, "the request is longer than %zu bytes", sizeof url);
	struct sink sink = {client->curl, call->to, &out->text};
	set_request(client, call, out, &sink);
	struct curl_slist *headers = NULL;
	if (call->body.p != NULL)
		headers = header(headers, "Content-Type",
				 call->type != NULL ? call->type : "application/json");
	headers = header(headers, "Accept", call->accept);
	headers = header(headers, "Content-Encoding", call->encoding);
	headers = header(headers, "Yagura-Batch-Id", call->batch_id);
	headers = header(headers, "If-Match", call->if_match);
	headers = header(headers, "Idempotency-Key", call->key);
	headers = header(headers, "Expect", "");
	if (client->bearer[0] != '\0') {
		struct curl_slist *more = curl_slist_append(headers, client->bearer);
		headers = more != NULL ? more : headers;
	}
	(void)curl_easy_setopt(client->curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
	CURLcode rc = curl_easy_perform(client->curl);
	curl_slist_free_all(headers);
	(void)curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL);
	if (rc != CURLE_OK) {
		const char *why =
			client->curl_error[0] != '\0' ? client->curl_error : curl_easy_strerror(rc);
		if (client->socket[0] != '\0')
			return YG_FAIL(err, YG_AGAIN,
				       "no server answers at '%s' (%s); is `yagura serve` running?",
				       client->socket, why);
		return YG_FAIL(err, YG_AGAIN, "%s: %s", client->base, why);
	}
	(void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &out->status);
	if (out->text.n > 0 && (out->text.p[0] == '{' || out->text.p[0] == '['))
		out->json = json_loadb(out->text.p, out->text.n, JSON_ALLOW_NUL, NULL);
	return out->status >= 400 ? problem(out, err) : YG_OK;
}

void yg_url_put(struct yg_sb *b, struct yg_sv s)
{
	static const char digit[] = "0123456789ABCDEF";
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
		if (plain) {
			yg_sb_putc(b, (char)c);
		} else {
			char e[3] = {'%', digit[c >> 4], digit[c & 15]};
			yg_sb_put(b, (struct yg_sv){e, sizeof e});
		}
	}
}

void yg_url_query(struct yg_sb *b, const char *name, const char *value)
{
	if (value == NULL)
		return;
	yg_sb_putc(b, yg_sv_find(yg_sb_sv(b), '?', 0) < b->n ? '&' : '?');
	yg_sb_put(b, yg_sv_of(name));
	yg_sb_putc(b, '=');
	yg_url_put(b, yg_sv_of(value));
}
