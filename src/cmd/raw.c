/* raw.c - any call of the API: for what no other command has, and for scripts. */
#include "cmd/raw.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/print.h"
#include "os/file.h"

#define API      "/api/v1"
#define BODY_MAX (64u << 20) /* no route takes a larger one */

/* "/alerts" stands for "/api/v1/alerts"; what is in --query behind it. */
static yg_status put_target(const struct yg_cli *c, const char *path, struct yg_sb *b,
			    struct yg_err *err)
{
	char name[64];
	const char *one, *value = NULL;
	if (path[0] != '/')
		return YG_FAIL(err, YG_INVAL, "a path such as /alerts is needed, found '%s'", path);
	if (!yg_sv_starts(yg_sv_of(path), YG_SV("/api/")))
		yg_sb_put(b, YG_SV(API));
	yg_sb_put(b, yg_sv_of(path));
	for (size_t i = 0; (one = yg_cli_nth(c, "query", i)) != NULL; i++) {
		if (!yg_name_value(one, name, sizeof name, &value))
			return YG_FAIL(err, YG_INVAL, "--query: expected NAME=VALUE, found '%s'",
				       one);
		yg_url_query(b, name, value);
	}
	return yg_sb_done(b) == YG_OK ? YG_OK : YG_FAIL(err, YG_INVAL, "the path is too long");
}

/* NAME=TEXT, or NAME:=JSON for numbers, lists, true, false and null. */
static yg_status set_field(json_t *body, const char *text, struct yg_err *err)
{
	char name[64];
	const char *value = NULL;
	json_t *v = NULL;
	bool pair = yg_name_value(text, name, sizeof name, &value);
	size_t n = pair ? strlen(name) : 0;
	if (n > 1 && name[n - 1] == ':') {
		name[n - 1] = '\0';
		v = json_loads(value, JSON_DECODE_ANY, NULL);
	} else if (pair) {
		v = json_string(value);
	}
	if (v == NULL || json_object_set_new(body, name, v) != 0)
		return YG_FAIL(err, YG_INVAL,
			       "--field: expected NAME=TEXT or NAME:=JSON, found '%s'", text);
	return YG_OK;
}

static yg_status from_fields(const struct yg_cli *c, struct yg_buf *out, struct yg_err *err)
{
	const char *one;
	json_t *body = json_object();
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && (one = yg_cli_nth(c, "field", i)) != NULL; i++)
		st = set_field(body, one, err);
	char *text = st == YG_OK ? json_dumps(body, JSON_COMPACT) : NULL;
	yg_buf_put(out, yg_sv_of(text != NULL ? text : ""));
	free(text);
	json_decref(body);
	return st;
}

static yg_status read_stdin(struct yg_buf *out, struct yg_err *err)
{
	char part[8192];
	size_t n = sizeof part;
	yg_status st = YG_OK;
	while (st == YG_OK && n == sizeof part && !out->bad) {
		st = yg_fd_fill(STDIN_FILENO, part, sizeof part, &n, err);
		yg_buf_put(out, (struct yg_sv){part, st == YG_OK ? n : 0});
	}
	return st == YG_OK && out->bad ? YG_FAIL(err, YG_TOOBIG, "the body is too large") : st;
}

static yg_status read_body(const struct yg_cli *c, struct yg_buf *out, struct yg_err *err)
{
	const char *file = yg_cli_get(c, "data");
	if (file == NULL)
		return yg_cli_has(c, "field") ? from_fields(c, out, err) : YG_OK;
	if (yg_cli_has(c, "field"))
		return YG_FAIL(err, YG_INVAL, "--data and --field are not for the same body");
	return yg_sv_eq(yg_sv_of(file), YG_SV("-")) ? read_stdin(out, err)
						    : yg_file_read(file, BODY_MAX, out, err);
}

/* The ETag that the object has now, for a change that names none; what a PUT is to replace
 * may not be there, or may not be readable at its path. */
static yg_status fetch_etag(struct yg_client *client, const char *target, char out[static 80],
			    struct yg_err *err)
{
	char path[2048];
	struct yg_reply r = {0};
	struct yg_sv whole = yg_sv_of(target);
	struct yg_sb b = yg_sb_init(path, sizeof path);
	yg_sb_put(&b, yg_sv_sub(whole, 0, yg_sv_find(whole, '?', 0)));
	yg_status st = yg_client_call(
		client, &(struct yg_call){.method = "GET", .path = yg_sb_cstr(&b)}, &r, err);
	(void)snprintf(out, 80, "%s", r.etag);
	yg_reply_free(&r);
	return st;
}

static int call(struct yg_cli *c, struct yg_call *k)
{
	YG_AUTO(yg_client_closep) struct yg_client *client = NULL;
	struct yg_reply r = {0};
	struct yg_err err;
	char etag[80] = "";
	yg_status st = yg_client_open(c, &client, &err);
	bool put = yg_sv_eq(yg_sv_of(k->method), YG_SV("PUT"));
	if (st == YG_OK && k->if_match == NULL &&
	    (put || yg_sv_eq(yg_sv_of(k->method), YG_SV("PATCH")))) {
		st = fetch_etag(client, k->path, etag, &err);
		st = put ? YG_OK : st;
		k->if_match = etag[0] != '\0' ? etag : NULL;
	}
	if (st == YG_OK)
		st = yg_client_call(client, k, &r, &err);
	/* what is wrong is said in full, too: a program reads it */
	if (r.text.n > 0) {
		(void)fwrite(r.text.p, 1, r.text.n, stdout);
		(void)fputs(r.text.p[r.text.n - 1] != '\n' ? "\n" : "", stdout);
	}
	yg_reply_free(&r);
	return st == YG_OK ? 0 : yg_cli_fail(&err);
}

static bool is_method(const char *word)
{
	static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
	for (size_t i = 0; i < YG_LEN(methods); i++)
		if (yg_sv_eq(yg_sv_of(word), yg_sv_of(methods[i])))
			return true;
	return false;
}

/* An option of lists asks for all the rows, page after page. */
static bool as_list(const struct yg_cli *c)
{
	static const char *const names[] = {"limit", "all", "output", "fields", "sort", "watch"};
	for (size_t i = 0; i < YG_LEN(names); i++)
		if (yg_cli_has(c, names[i]))
			return true;
	return false;
}

int yg_raw_run(struct yg_cli *c)
{
	YG_AUTO(yg_buf_free) struct yg_buf body = {0};
	struct yg_err err = {.code = YG_OK};
	char target[2048];
	struct yg_sb b = yg_sb_init(target, sizeof target);
	bool named = yg_cli_argc(c) > 1;
	bool sends = yg_cli_has(c, "data") || yg_cli_has(c, "field");
	const char *method = named ? yg_cli_arg(c, 0) : sends ? "POST" : "GET";
	yg_buf_init(&body, BODY_MAX + 1);
	if (!is_method(method))
		return yg_cli_usage(c, "expected GET, POST, PUT, PATCH or DELETE, found '%s'",
				    method);
	yg_status st = put_target(c, yg_cli_arg(c, named ? 1 : 0), &b, &err);
	if (st == YG_OK)
		st = read_body(c, &body, &err);
	if (st == YG_INVAL)
		return yg_cli_usage(c, "%s", err.msg);
	if (st != YG_OK)
		return yg_cli_fail(&err);
	if (as_list(c))
		return sends || !yg_sv_eq(yg_sv_of(method), YG_SV("GET"))
			       ? yg_cli_usage(c, "the options of lists are for GET")
			       : yg_list(c, yg_sb_cstr(&b), NULL, NULL, 0);
	struct yg_call k = {.method = method,
			    .path = yg_sb_cstr(&b),
			    .body = sends ? yg_buf_sv(&body) : (struct yg_sv){NULL, 0},
			    .type = yg_cli_get(c, "type"),
			    .accept = yg_cli_get(c, "accept"),
			    .if_match = yg_cli_get(c, "if-match")};
	return call(c, &k);
}

const struct yg_opt yg_raw_opts[] = {
	YG_O_LIST("query", "NAME=VALUE", "A query parameter; may be repeated.",
		  "クエリーのパラメーター。繰り返せる。"),
	YG_O_LIST("field", "NAME=TEXT", "A member of the body; NAME:=JSON for what is no text.",
		  "本文の項目。文字列以外は NAME:=JSON。"),
	YG_O_FILE("data", "FILE", "The body; - is standard input.",
		  "本文のファイル。- は標準入力。"),
	YG_O_VALUE("type", "TYPE", "Content-Type of the body (default application/json).",
		   "本文の Content-Type(既定 application/json)。"),
	YG_O_VALUE("accept", "TYPE", "What the answer is to be, such as text/csv.",
		   "回答の形式(text/csv など)。"),
	YG_O_VALUE("if-match", "ETAG", "Change that version alone; * is any.",
		   "この版だけを変更する。* はどの版でも。"),
	YG_O_VALUE("limit", "N", "At most N rows; 0 for all (default 50).",
		   "最大 N 行。0 は全部(既定 50)。"),
	YG_OPTS_END};
