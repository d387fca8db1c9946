/* org.c - organisations, their tokens, and who sends what. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/print.h"
#include "cmd/tables.h"

#define ORGS         "/api/v1/organisations"
#define TOKENS       "/api/v1/tokens"
#define EXPECTATIONS "/api/v1/source-expectations"

static const struct yg_column org_columns[] = {
	{"NAME", "name", 24}, {"KIND", "kind", 12},          {"PARENT", "parent", 20},
	{"DEMO", "demo", 4},  {"CREATED", "created_at", 20}, {"TITLE", "title", 0}};

static int run_org_list(struct yg_cli *c)
{
	return yg_list(c, ORGS, NULL, org_columns, YG_LEN(org_columns));
}

static int run_org_show(struct yg_cli *c)
{
	char path[256];
	return yg_call_and_print(c, &(struct yg_call){.method = "GET",
						      .path = yg_path(path, sizeof path, ORGS,
								      yg_cli_arg(c, 0), "")});
}

/* Titles and place in the tree, from the options that are given. */
static yg_status set_org(const struct yg_cli *c, json_t *body)
{
	struct yg_err err;
	const char *parent = yg_cli_get(c, "parent");
	yg_set_text(body, "title", yg_cli_get(c, "title"));
	yg_set_text(body, "kind", yg_cli_get(c, "kind"));
	if (parent != NULL && strcmp(parent, "none") == 0)
		(void)json_object_set_new(body, "parent", json_null());
	else
		yg_set_text(body, "parent", parent);
	yg_status st = yg_set_number(c, body, "prefecture", "prefecture", 47, &err);
	if (st != YG_OK)
		(void)yg_cli_fail(&err);
	return st;
}

static int drop(json_t *body)
{
	json_decref(body);
	return 2;
}

static int run_org_add(struct yg_cli *c)
{
	json_t *body = json_object();
	yg_set_text(body, "name", yg_cli_arg(c, 0));
	return set_org(c, body) == YG_OK ? yg_send(c, "POST", ORGS, body, NULL) : drop(body);
}

static int run_org_set(struct yg_cli *c)
{
	char path[256];
	json_t *body = json_object();
	(void)yg_path(path, sizeof path, ORGS, yg_cli_arg(c, 0), "");
	return set_org(c, body) == YG_OK ? yg_send(c, "PATCH", path, body, path) : drop(body);
}

static int run_org_remove(struct yg_cli *c)
{
	char path[256];
	return yg_send(c, "DELETE",
		       yg_path(path, sizeof path, ORGS, yg_cli_arg(c, 0),
			       yg_cli_has(c, "force") ? "?force=true" : ""),
		       NULL, NULL);
}

static const struct yg_column token_columns[] = {{"ID", "id", 28},
						 {"ORG", "org", 16},
						 {"NAME", "name", 16},
						 {"PREFIX", "prefix", 18},
						 {"EXPIRES", "expires_at", 20},
						 {"REVOKED", "revoked_at", 20},
						 {"SCOPES", "scopes", 0}};

static int run_token_list(struct yg_cli *c)
{
	static const char *const filters[] = {"org", NULL};
	return yg_list(c, TOKENS, filters, token_columns, YG_LEN(token_columns));
}

/* The secret goes to a file of the user's own, or to the screen this once. */
static yg_status keep_secret(const char *file, const char *secret, struct yg_err *err)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return YG_FAIL(err, YG_IO, "token file '%s' cannot be made (it must not exist yet)",
			       file);
	size_t n = strlen(secret);
	bool good = write(fd, secret, n) == (ssize_t)n && write(fd, "\n", 1) == 1 && fsync(fd) == 0;
	if (close(fd) != 0 || !good)
		return YG_FAIL(err, YG_IO, "token file '%s' cannot be written", file);
	return YG_OK;
}

static json_t *token_body(struct yg_cli *c, struct yg_err *err, yg_status *st)
{
	json_t *body = json_object(), *scopes = json_array();
	const char *scope;
	for (size_t i = 0; (scope = yg_cli_nth(c, "scope", i)) != NULL; i++)
		(void)json_array_append_new(scopes, json_string(scope));
	if (json_array_size(scopes) == 0)
		(void)json_array_append_new(scopes, json_string("events:write"));
	(void)json_object_set_new(body, "scopes", scopes);
	yg_set_text(body, "org", yg_cli_get(c, "org"));
	if (yg_cli_get(c, "org") == NULL)
		(void)json_object_set_new(body, "org", json_null());
	yg_set_text(body, "name", yg_cli_arg(c, 0));
	*st = yg_set_when(c, body, "expires_at", "expires", err);
	return body;
}

static int run_token_add(struct yg_cli *c)
{
	YG_AUTO(yg_client_closep) struct yg_client *client = NULL;
	struct yg_err err;
	yg_status st;
	bool dry = yg_cli_has(c, "dry-run");
	json_t *body = token_body(c, &err, &st);
	char *text = st == YG_OK ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	struct yg_reply r = {0};
	if (st == YG_OK)
		st = yg_client_open(c, &client, &err);
	if (st == YG_OK)
		st = yg_client_call(client,
				    &(struct yg_call){.method = "POST",
						      .path = dry ? TOKENS "?dry_run=1" : TOKENS,
						      .body = yg_sv_of(text)},
				    &r, &err);
	const char *secret = json_string_value(json_object_get(r.json, "secret"));
	const char *file = yg_cli_get(c, "out");
	if (st == YG_OK && file != NULL && secret != NULL) {
		st = keep_secret(file, secret, &err);
		(void)json_object_del(r.json, "secret");
	}
	if (st == YG_OK) {
		yg_print_object(c, r.json);
		yg_note(c, "%s",
			dry            ? "nothing was changed (--dry-run)\n"
			: file != NULL ? "the secret is in the file; it cannot be shown again\n"
				       : "keep the secret now; it cannot be shown again\n");
	}
	yg_reply_free(&r);
	free(text);
	return st == YG_OK ? 0 : yg_cli_fail(&err);
}

static int run_token_revoke(struct yg_cli *c)
{
	char path[256];
	return yg_send(c, "DELETE", yg_path(path, sizeof path, TOKENS, yg_cli_arg(c, 0), ""), NULL,
		       NULL);
}

static const struct yg_column source_columns[] = {{"ORG", "org", 20},
						  {"SOURCE", "source", 12},
						  {"SENSOR", "sensor", 20},
						  {"STATE", "state", 6},
						  {"RECORDS", "records", 10},
						  {"UNPARSED", "unparsed", 8},
						  {"DROPPED", "dropped", 8},
						  {"LAST EVENT", "last_event_at", 27},
						  {"LAST RECEIVED", "last_received_at", 0}};

static int run_source_list(struct yg_cli *c)
{
	static const char *const filters[] = {"org", NULL};
	return yg_list(c, "/api/v1/sources", filters, source_columns, YG_LEN(source_columns));
}

static int run_source_expect(struct yg_cli *c)
{
	const char *every = yg_cli_get(c, "every");
	bool remove = yg_cli_has(c, "remove");
	int64_t span = 0;
	struct yg_err err;
	if ((every != NULL) == remove)
		return yg_cli_usage(c, "say --every SPAN or --remove");
	if (remove) {
		char url[2048];
		struct yg_sb b = yg_sb_init(url, sizeof url);
		yg_sb_put(&b, YG_SV(EXPECTATIONS));
		yg_url_query(&b, "org", yg_cli_arg(c, 0));
		yg_url_query(&b, "source", yg_cli_arg(c, 1));
		yg_url_query(&b, "sensor", yg_cli_arg(c, 2));
		return yg_sb_done(&b) == YG_OK ? yg_send(c, "DELETE", url, NULL, NULL)
					       : yg_cli_usage(c, "the names are too long");
	}
	if (yg_parse_span(yg_sv_of(every), &span, &err) != YG_OK)
		return yg_cli_usage(c, "--every: %s", err.msg);
	json_t *body = json_object();
	yg_set_text(body, "org", yg_cli_arg(c, 0));
	yg_set_text(body, "source", yg_cli_arg(c, 1));
	yg_set_text(body, "sensor", yg_cli_arg(c, 2));
	(void)json_object_set_new(body, "every_s", json_integer(span / YG_US_PER_S));
	return yg_send(c, "PUT", EXPECTATIONS, body, NULL);
}

#define ORG_FILTER YG_O_VALUE("org", "ORG", "Only this organisation.", "この組織だけ。")
#define LIMIT_OPTION                                                                               \
	YG_O_VALUE("limit", "N", "At most N rows; 0 for all (default 50).",                        \
		   "最大 N 行。0 は全部(既定 50)。")
static const struct yg_opt limit_opts[] = {LIMIT_OPTION, YG_OPTS_END};
static const struct yg_opt list_opts[] = {ORG_FILTER, LIMIT_OPTION, YG_OPTS_END};
static const struct yg_opt title_opts[] = {
	YG_O_VALUE("title", "TEXT", "Name for people, in any script.", "表示名(日本語可)。"),
	YG_O_VALUE("kind", "KIND", "centre, sector, organisation (default) or unit.",
		   "種別。centre、sector、organisation(既定)、unit。"),
	YG_O_VALUE("parent", "ORG", "The organisation above it; none: a root.",
		   "上位の組織。none は最上位。"),
	YG_O_VALUE("prefecture", "N", "Number of its prefecture, 1 to 47; 0 for none.",
		   "都道府県番号 1〜47。0 はなし。"),
	YG_OPTS_END};
static const struct yg_opt remove_opts[] = {
	YG_O_FLAG("force", "Remove it with all its data.", "データごと削除する。"),
	YG_O_FLAG("no-wait", "Do not wait for the job.", "ジョブの終了を待たない。"), YG_OPTS_END};
static const struct yg_opt token_opts[] = {
	YG_O_VALUE("org", "ORG",
		   "Organisation it is bound to; without it the token is the centre's.",
		   "トークンが属する組織。省略するとセンターのトークン。"),
	YG_O_LIST("scope", "SCOPE",
		  "What it may do, such as events:write (default) or alerts:read; may be repeated.",
		  "権限。例 events:write(既定)、alerts:read。複数可。"),
	YG_O_VALUE("expires", "WHEN", "Time, span such as 90d, or never (default one year).",
		   "期限。時刻、90d のような期間、never(既定 1 年)。"),
	YG_O_FILE("out", "FILE", "Write the secret to this new file instead of the screen.",
		  "秘密の値を画面でなく新しいファイルに書く。"),
	YG_OPTS_END};

static const struct yg_opt expect_opts[] = {
	YG_O_VALUE("every", "SPAN", "It must be heard at least this often, such as 10m or 1d.",
		   "少なくともこの間隔で届くはず。例 10m、1d。"),
	YG_O_FLAG("remove", "Nothing is expected of it any more.", "期待の設定をやめる。"),
	YG_OPTS_END};

const struct yg_cmd yg_cmds_org[] = {
	{.noun = "org",
	 .verb = "list",
	 .opts = limit_opts,
	 .doc = "List organisations.",
	 .doc_ja = "組織の一覧。",
	 .run = run_org_list},
	{.noun = "org",
	 .verb = "add",
	 .args = "NAME",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = title_opts,
	 .changes = true,
	 .doc = "Add an organisation; NAME is a slug (a-z, 0-9, -) that never changes.",
	 .doc_ja = "組織を追加する。NAME は変わらない短い名前(a-z、0-9、-)。",
	 .run = run_org_add},
	{.noun = "org",
	 .verb = "show",
	 .args = "NAME",
	 .args_min = 1,
	 .args_max = 1,
	 .doc = "Show an organisation.",
	 .doc_ja = "組織を表示する。",
	 .run = run_org_show},
	{.noun = "org",
	 .verb = "set",
	 .args = "NAME",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = title_opts,
	 .changes = true,
	 .doc = "Change an organisation's title or its place in the tree.",
	 .doc_ja = "組織の表示名や階層上の位置を変える。",
	 .run = run_org_set},
	{.noun = "org",
	 .verb = "remove",
	 .changes = true,
	 .away = true,
	 .args = "NAME",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = remove_opts,
	 .doc = "Remove an organisation.",
	 .doc_ja = "組織を削除する。",
	 .run = run_org_remove},
	{.noun = NULL},
};

const struct yg_cmd yg_cmds_token[] = {
	{.noun = "token",
	 .verb = "list",
	 .opts = list_opts,
	 .doc = "List tokens, without their secrets.",
	 .doc_ja = "トークンの一覧(秘密の値は出ない)。",
	 .run = run_token_list},
	{.noun = "token",
	 .verb = "add",
	 .changes = true,
	 .args = "NAME",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = token_opts,
	 .doc = "Make a token; its secret is shown once.",
	 .doc_ja = "トークンを作る。秘密の値は一度だけ表示される。",
	 .run = run_token_add},
	{.noun = "token",
	 .verb = "revoke",
	 .changes = true,
	 .away = true,
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .doc = "Revoke a token at once.",
	 .doc_ja = "トークンを直ちに無効にする。",
	 .run = run_token_revoke},
	{.noun = NULL},
};

const struct yg_cmd yg_cmds_source[] = {
	{.noun = "source",
	 .verb = "list",
	 .opts = list_opts,
	 .doc = "List who sends what, and when last.",
	 .doc_ja = "ログの送り元と最終受信時刻の一覧。",
	 .run = run_source_list},
	{.noun = "source",
	 .verb = "expect",
	 .args = "ORG SOURCE SENSOR",
	 .args_min = 3,
	 .args_max = 3,
	 .opts = expect_opts,
	 .changes = true,
	 .doc = "Say how often a source must be heard; it need not have been heard yet.",
	 .doc_ja = "送り元がどの間隔で届くはずかを決める(未受信でもよい)。",
	 .run = run_source_expect},
	{.noun = NULL},
};
