#include "cmd/context.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "cmd/print.h"
#include "cmd/raw.h"
#include "cmd/tables.h"
#include "os/file.h"

#define CONTEXTS_BYTES (1u << 20)
#define NAME_SIZE      65
#define LOCAL          "local" /* no context: the socket of the machine */

/* ---- the file ---- */

static yg_status file_path(char *out, size_t cap, bool folder, struct yg_err *err)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	struct yg_sb b = yg_sb_init(out, cap);
	if (config != NULL && config[0] == '/') {
		yg_sb_put(&b, yg_sv_of(config));
	} else {
		yg_sb_put(&b, yg_sv_of(home != NULL ? home : ""));
		yg_sb_put(&b, YG_SV("/.config"));
	}
	yg_sb_put(&b, folder ? YG_SV("/yagura") : YG_SV("/yagura/contexts.json"));
	(void)yg_sb_cstr(&b);
	return yg_sb_done(&b) == YG_OK && (home != NULL || config != NULL)
		       ? YG_OK
		       : YG_FAIL(err, YG_INVAL, "neither XDG_CONFIG_HOME nor HOME is set");
}

/* {"current": NAME or null, "contexts": {NAME: {...}}}; an empty one when there is no file. */
static yg_status load(json_t **out, struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf text = {0};
	char path[1200];
	struct stat sb;
	*out = NULL;
	yg_buf_init(&text, CONTEXTS_BYTES + 1);
	yg_status st = file_path(path, sizeof path, false, err);
	if (st != YG_OK)
		return st;
	if (stat(path, &sb) == 0 && (sb.st_mode & 077) != 0)
		return YG_FAIL(err, YG_DENIED, "%s holds tokens, and others may read it: chmod 600",
			       path);
	st = yg_file_read(path, CONTEXTS_BYTES, &text, err);
	if (st == YG_NOTFOUND) {
		*out = json_pack("{s:n,s:{}}", "current", "contexts");
		return *out != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "contexts");
	}
	if (st != YG_OK)
		return st;
	*out = json_loadb(text.p, text.n, 0, NULL);
	explicit_bzero(text.p, text.n);
	if (json_is_object(json_object_get(*out, "contexts")))
		return YG_OK;
	json_decref(*out);
	*out = NULL;
	return YG_FAIL(err, YG_PARSE, "%s is not what yagura login writes", path);
}

static yg_status save(json_t *all, struct yg_err *err)
{
	char path[1200], folder[1200];
	yg_status st = file_path(path, sizeof path, false, err);
	if (st == YG_OK)
		st = file_path(folder, sizeof folder, true, err);
	if (st != YG_OK)
		return st;
	char *slash = strrchr(folder, '/');
	*slash = '\0';
	(void)mkdir(folder, 0700); /* ~/.config, when it is not there yet */
	*slash = '/';
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return YG_FAIL_OS(err, errno, "cannot make %s", folder);
	char *text = json_dumps(all, JSON_INDENT(2));
	if (text == NULL)
		return YG_FAIL(err, YG_NOMEM, "contexts");
	st = yg_file_write(path, yg_sv_of(text), 0600, err);
	explicit_bzero(text, strlen(text));
	free(text);
	return st;
}

static json_t *find(json_t *all, const char *name)
{
	return json_object_get(json_object_get(all, "contexts"), name);
}

static void copy(char *out, size_t cap, json_t *object, const char *member)
{
	const char *s = json_string_value(json_object_get(object, member));
	(void)snprintf(out, cap, "%s", s != NULL ? s : "");
}

yg_status yg_context_get(struct yg_context *out, bool *out_found, struct yg_err *err)
{
	const char *name = getenv("YAGURA_CONTEXT");
	json_t *all = NULL;
	bool asked = name != NULL && name[0] != '\0';
	*out_found = false;
	if (asked && yg_sv_eq(yg_sv_of(name), YG_SV(LOCAL)))
		return YG_OK;
	if (!asked && getenv("HOME") == NULL && getenv("XDG_CONFIG_HOME") == NULL)
		return YG_OK; /* a service: it has no contexts */
	yg_status st = load(&all, err);
	if (st != YG_OK)
		return st;
	name = asked ? name : json_string_value(json_object_get(all, "current"));
	json_t *one = name != NULL ? find(all, name) : NULL;
	*out_found = one != NULL;
	copy(out->server, sizeof out->server, one, "server");
	copy(out->ca_file, sizeof out->ca_file, one, "ca_file");
	copy(out->token, sizeof out->token, one, "token");
	if (one == NULL && name != NULL)
		st = YG_FAIL(err, YG_NOTFOUND, "there is no context '%s': yagura login", name);
	json_decref(all);
	return st;
}

/* ---- signing in ---- */

/* One line, which a terminal does not show. */
static yg_status ask_token(char *out, size_t cap, struct yg_err *err)
{
	struct termios was, quiet;
	bool terminal = tcgetattr(STDIN_FILENO, &was) == 0;
	if (terminal) {
		quiet = was;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		(void)fputs("Token: ", stderr);
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	bool got = fgets(out, (int)cap, stdin) != NULL;
	if (terminal) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
		(void)fputs("\n", stderr);
	}
	size_t n = got ? strcspn(out, "\r\n") : 0;
	out[n] = '\0';
	return n > 0 ? YG_OK : YG_FAIL(err, YG_INVAL, "no token was given");
}

static yg_status given(const struct yg_cli *c, struct yg_context *x, struct yg_err *err)
{
	const char *server = yg_client_said(c, "server", "YAGURA_SERVER"),
		   *ca = yg_client_said(c, "ca-file", "YAGURA_CA_FILE"),
		   *token = yg_client_said(c, "token-file", "YAGURA_TOKEN_FILE");
	if (server == NULL || strlen(server) >= sizeof x->server)
		return YG_FAIL(err, YG_INVAL, "--server URL or $YAGURA_SERVER is needed");
	(void)snprintf(x->server, sizeof x->server, "%s", server);
	if (ca != NULL) {
		char *whole = realpath(ca, NULL);
		if (whole == NULL || strlen(whole) >= sizeof x->ca_file) {
			free(whole);
			return YG_FAIL(err, YG_IO, "'%s' cannot be read", ca);
		}
		(void)snprintf(x->ca_file, sizeof x->ca_file, "%s", whole);
		free(whole);
	}
	if (token != NULL)
		return yg_token_read(token, x->token, sizeof x->token, err);
	return yg_cli_has(c, "no-input") ? YG_FAIL(err, YG_INVAL, "--token-file FILE is needed")
					 : ask_token(x->token, sizeof x->token, err);
}

/* "host" of "https://host:8443/": what a context is called unless a name is given. */
static void host_of(const char *server, char *out, size_t cap)
{
	struct yg_sv rest = yg_sv_of(server);
	size_t scheme = yg_sv_find(rest, '/', 0);
	if (scheme < rest.n)
		rest = yg_sv_sub(rest, scheme + 2, rest.n);
	rest = yg_sv_sub(rest, 0, yg_sv_find(rest, '/', 0));
	rest = yg_sv_sub(rest, 0, yg_sv_find(rest, ':', 0));
	(void)snprintf(out, cap, "%.*s", YG_SV_ARG(rest));
}

/* A server that does not take the token is not kept. */
static yg_status try_out(const struct yg_context *x, struct yg_err *err)
{
	YG_AUTO(yg_client_closep) struct yg_client *client = NULL;
	struct yg_reply r = {0};
	yg_status st = yg_client_open_context(x, &client, err);
	if (st == YG_OK)
		st = yg_client_call(client,
				    &(struct yg_call){.method = "GET", .path = "/api/v1/session"},
				    &r, err);
	yg_reply_free(&r);
	return st;
}

static yg_status keep(const char *name, const struct yg_context *x, struct yg_err *err)
{
	json_t *all = NULL;
	yg_status st = load(&all, err);
	if (st != YG_OK)
		return st;
	json_t *one = json_pack("{s:s,s:s,s:s}", "server", x->server, "ca_file", x->ca_file,
				"token", x->token);
	if (json_object_set_new(json_object_get(all, "contexts"), name, one) != 0 ||
	    json_object_set_new(all, "current", json_string(name)) != 0)
		st = YG_FAIL(err, YG_NOMEM, "contexts");
	if (st == YG_OK)
		st = save(all, err);
	json_decref(all);
	return st;
}

static int run_login(struct yg_cli *c)
{
	struct yg_context x = {.server = ""};
	struct yg_err err = {.code = YG_OK};
	char name[NAME_SIZE];
	yg_status st = given(c, &x, &err);
	host_of(x.server, name, sizeof name);
	if (yg_cli_argc(c) > 0)
		(void)snprintf(name, sizeof name, "%s", yg_cli_arg(c, 0));
	if (st == YG_OK && (name[0] == '\0' || yg_sv_eq(yg_sv_of(name), YG_SV(LOCAL))))
		st = YG_FAIL(&err, YG_INVAL, "give it a name other than '" LOCAL "'");
	if (st == YG_OK)
		st = try_out(&x, &err);
	if (st == YG_OK)
		st = keep(name, &x, &err);
	explicit_bzero(x.token, sizeof x.token);
	if (st == YG_INVAL)
		return yg_cli_usage(c, "%s", err.msg);
	if (st != YG_OK)
		return yg_cli_fail(&err);
	yg_note(c, "signed in at %s; commands go there now (context %s)\n", x.server, name);
	return 0;
}

/* ---- contexts ---- */

static int change(struct yg_cli *c, const char *name, bool remove)
{
	json_t *all = NULL;
	struct yg_err err = {.code = YG_OK};
	yg_status st = load(&all, &err);
	if (st == YG_OK && name == NULL)
		name = json_string_value(json_object_get(all, "current"));
	bool local = name != NULL && yg_sv_eq(yg_sv_of(name), YG_SV(LOCAL));
	if (st == YG_OK && (name == NULL || (find(all, name) == NULL && (remove || !local))))
		st = YG_FAIL(&err, YG_NOTFOUND, "there is no context%s%s", name != NULL ? " " : "",
			     name != NULL ? name : " in use");
	if (st != YG_OK) {
		json_decref(all);
		return yg_cli_fail(&err);
	}
	const char *used = json_string_value(json_object_get(all, "current"));
	bool current = used != NULL && yg_sv_eq(yg_sv_of(used), yg_sv_of(name));
	if (remove)
		yg_note(c, "%s is forgotten; its token works until it is revoked\n", name);
	if (!remove)
		(void)json_object_set_new(all, "current", local ? json_null() : json_string(name));
	else if (json_object_del(json_object_get(all, "contexts"), name) == 0 && current)
		(void)json_object_set_new(all, "current", json_null());
	st = save(all, &err);
	json_decref(all);
	return st == YG_OK ? 0 : yg_cli_fail(&err);
}

static int run_logout(struct yg_cli *c)
{
	return change(c, yg_cli_arg(c, 0), true);
}

static int run_use(struct yg_cli *c)
{
	return change(c, yg_cli_arg(c, 0), false);
}

static int run_list(struct yg_cli *c)
{
	static const struct yg_column columns[] = {
		{"USED", "used", 5}, {"NAME", "name", 24}, {"SERVER", "server", 0}};
	json_t *all = NULL, *one, *items = json_array();
	struct yg_err err = {.code = YG_OK};
	const char *name;
	yg_status st = load(&all, &err);
	const char *used = json_string_value(json_object_get(all, "current"));
	json_object_foreach(json_object_get(all, "contexts"), name, one)
	{
		bool now = used != NULL && yg_sv_eq(yg_sv_of(used), yg_sv_of(name));
		(void)json_array_append_new(
			items, json_pack("{s:b,s:s,s:O,s:O?}", "used", now, "name", name, "server",
					 json_object_get(one, "server"), "ca_file",
					 json_object_get(one, "ca_file")));
	}
	if (st == YG_OK)
		yg_print_items(c, items, columns, YG_LEN(columns));
	json_decref(items);
	json_decref(all);
	return st == YG_OK ? 0 : yg_cli_fail(&err);
}

const struct yg_cmd yg_cmds_client[] = {
	{.noun = "api",
	 .args = "[METHOD] PATH",
	 .args_min = 1,
	 .args_max = 2,
	 .opts = yg_raw_opts,
	 .doc = "Make any call of the API; /alerts stands for /api/v1/alerts.",
	 .doc_ja = "API を直接呼び出す。/alerts は /api/v1/alerts のこと。",
	 .more = "METHOD is GET, or POST with --data or --field, unless it is said.  The answer's body is printed "
		 "as it came; that of a refusal, too, and then the exit status is that of its kind.  With an "
		 "option of lists all pages are read, and the items are printed as JSON lines unless --output says "
		 "otherwise.  PATCH without --if-match changes the version that is there now.  "
		 "What there is to call is in /api/openapi.yaml.",
	 .run = yg_raw_run},
	{.noun = "login",
	 .args = "[NAME]",
	 .args_max = 1,
	 .doc = "Keep a server and a token for it (asked for, or from --token-file); commands go there from now on.",
	 .doc_ja =
		 "--server のサーバーとトークンを記憶する。以後のコマンドの接続先になる(トークンは尋ねられるか、--token-file から)。",
	 .more = "A token is made on the account page of the console, or by `yagura token add`.  It is kept "
		 "in $XDG_CONFIG_HOME/yagura/contexts.json, which only its owner may read, once the server has taken "
		 "it.  What --socket, --server, $YAGURA_SERVER (with $YAGURA_TOKEN_FILE and $YAGURA_CA_FILE) or "
		 "$YAGURA_DATA say comes first; $YAGURA_CONTEXT names another one for one command.",
	 .run = run_login},
	{.noun = "logout",
	 .args = "[NAME]",
	 .args_max = 1,
	 .doc = "Forget a server and its token: the one in use, or that of a name.",
	 .doc_ja = "記憶したサーバーとトークンを消す(使用中のもの、または NAME)。",
	 .run = run_logout},
	{.noun = "context",
	 .verb = "list",
	 .doc = "List the servers that login has kept.",
	 .doc_ja = "記憶したサーバーの一覧。",
	 .run = run_list},
	{.noun = "context",
	 .verb = "use",
	 .args = "NAME",
	 .args_min = 1,
	 .args_max = 1,
	 .doc = "Go to that server from now on; local: to the socket of this machine.",
	 .doc_ja = "以後の接続先を変える。local はこのマシンのソケット。",
	 .run = run_use},
	{.noun = NULL},
};
