/* indicator.c - indicators on the server; what works offline is in indicator_offline.c. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/print.h"
#include "cmd/tables.h"

#define LISTS      "/api/v1/indicator-lists"
#define INDICATORS "/api/v1/indicators"
#define ALLOW      "/api/v1/allow-entries"

static const struct yg_column list_columns[] = {
	{"ID", "id", 28},         {"NAME", "name", 24},
	{"ORG", "org", 16},       {"INDICATORS", "indicators", 10},
	{"TLP", "tlp", 12},       {"CONF", "confidence", 4},
	{"ENABLED", "enabled", 0}};
static const struct yg_column columns[] = {
	{"ID", "id", 28},          {"TYPE", "type", 8},          {"VALUE", "value", 44},
	{"CONF", "confidence", 4}, {"UNTIL", "valid_until", 20}, {"FAMILY", "family", 0}};
static const struct yg_column allow_columns[] = {{"ID", "id", 28},
						 {"ORG", "org", 16},
						 {"TYPE", "type", 8},
						 {"VALUE", "value", 40},
						 {"EXPIRES", "expires_at", 20},
						 {"REASON", "reason", 0}};

/* Lists are named on the command line by name or id; the API wants the id. */
static yg_status list_id(struct yg_client *client, const char *name, char *out, size_t cap,
			 struct yg_err *err)
{
	char cursor[1024] = "", have[128];
	do {
		char url[1200];
		struct yg_sb b = yg_sb_init(url, sizeof url);
		yg_sb_put(&b, YG_SV(LISTS "?limit=200"));
		yg_url_query(&b, "cursor", cursor[0] != '\0' ? cursor : NULL);
		struct yg_reply r;
		yg_status st = yg_client_call(
			client, &(struct yg_call){.method = "GET", .path = yg_sb_cstr(&b)}, &r,
			err);
		size_t i;
		json_t *item;
		bool found = false;
		json_array_foreach(json_object_get(r.json, "items"), i, item)
		{
			found = found ||
				yg_sv_eq(yg_sv_of(yg_member_text(item, "name", have, sizeof have)),
					 yg_sv_of(name)) ||
				yg_sv_eq(yg_sv_of(yg_member_text(item, "id", have, sizeof have)),
					 yg_sv_of(name));
			if (found) {
				(void)yg_member_text(item, "id", out, cap);
				break;
			}
		}
		(void)yg_member_text(r.json, "next_cursor", cursor, sizeof cursor);
		yg_reply_free(&r);
		if (st != YG_OK || found)
			return st;
	} while (cursor[0] != '\0');
	return YG_FAIL(err, YG_NOTFOUND, "no indicator list '%s'", name);
}

static int run_lists(struct yg_cli *c)
{
	static const char *const filters[] = {"org", NULL};
	return yg_list(c, LISTS, filters, list_columns, YG_LEN(list_columns));
}

static json_t *list_body(struct yg_cli *c, const char *name, struct yg_err *err, yg_status *st)
{
	json_t *body = json_object();
	yg_set_text(body, "name", name);
	yg_set_text(body, "title", yg_cli_get(c, "title"));
	yg_set_text(body, "tlp", yg_cli_get(c, "tlp"));
	yg_set_text(body, "category", yg_cli_get(c, "category"));
	yg_set_text(body, "org", yg_cli_get(c, "org"));
	*st = yg_set_number(c, body, "confidence", "confidence", 100, err);
	return body;
}

static int run_list_add(struct yg_cli *c)
{
	struct yg_err err;
	yg_status st;
	json_t *body = list_body(c, yg_cli_arg(c, 0), &err, &st);
	if (st == YG_OK)
		return yg_send(c, "POST", LISTS, body, NULL);
	json_decref(body);
	return yg_cli_fail(&err);
}

static int run_list_remove(struct yg_cli *c)
{
	YG_AUTO(yg_client_closep) struct yg_client *client = NULL;
	struct yg_err err;
	char id[80], path[256];
	yg_status st = yg_client_open(c, &client, &err);
	if (st == YG_OK)
		st = list_id(client, yg_cli_arg(c, 0), id, sizeof id, &err);
	return st == YG_OK
		       ? yg_send(c, "DELETE", yg_path(path, sizeof path, LISTS, id, ""), NULL, NULL)
		       : yg_cli_fail(&err);
}

static int run_search(struct yg_cli *c)
{
	YG_AUTO(yg_client_closep) struct yg_client *client = NULL;
	struct yg_err err;
	char id[80], url[2048];
	struct yg_sb b = yg_sb_init(url, sizeof url);
	yg_sb_put(&b, YG_SV(INDICATORS));
	yg_url_query(&b, "value", yg_cli_arg(c, 0));
	yg_status st = YG_OK;
	if (yg_cli_get(c, "list") != NULL) {
		st = yg_client_open(c, &client, &err);
		if (st == YG_OK)
			st = list_id(client, yg_cli_get(c, "list"), id, sizeof id, &err);
		if (st == YG_OK)
			yg_url_query(&b, "list", id);
	}
	static const char *const filters[] = {"org", "type", "validity", NULL};
	return st == YG_OK ? yg_list(c, yg_sb_cstr(&b), filters, columns, YG_LEN(columns))
			   : yg_cli_fail(&err);
}

static int run_check(struct yg_cli *c)
{
	char url[3072];
	struct yg_sb b = yg_sb_init(url, sizeof url);
	yg_sb_put(&b, YG_SV("/api/v1/indicator-check"));
	yg_url_query(&b, "value", yg_cli_arg(c, 0));
	yg_url_query(&b, "type", yg_cli_get(c, "type"));
	yg_url_query(&b, "org", yg_cli_get(c, "org"));
	if (yg_sb_done(&b) != YG_OK)
		return yg_cli_usage(c, "the value is too long");
	return yg_call_and_print(c, &(struct yg_call){.method = "GET", .path = url});
}

static int run_add(struct yg_cli *c)
{
	YG_AUTO(yg_client_closep) struct yg_client *client = NULL;
	struct yg_err err;
	char id[80];
	yg_status st = yg_client_open(c, &client, &err);
	if (st == YG_OK)
		st = list_id(client, yg_cli_get(c, "list"), id, sizeof id, &err);
	if (st != YG_OK)
		return yg_cli_fail(&err);
	json_t *body = json_object();
	yg_set_text(body, "list", id);
	yg_set_text(body, "type", yg_cli_arg(c, 0));
	yg_set_text(body, "value", yg_cli_arg(c, 1));
	yg_set_text(body, "tlp", yg_cli_get(c, "tlp"));
	yg_set_text(body, "category", yg_cli_get(c, "category"));
	yg_set_text(body, "family", yg_cli_get(c, "family"));
	if (yg_cli_has(c, "force-suffix"))
		(void)json_object_set_new(body, "force", json_true());
	st = yg_set_number(c, body, "confidence", "confidence", 100, &err);
	if (st == YG_OK)
		st = yg_set_when(c, body, "valid_until", "until", &err);
	if (st == YG_OK)
		return yg_send(c, "POST", INDICATORS, body, NULL);
	json_decref(body);
	return yg_cli_fail(&err);
}

static int run_expire(struct yg_cli *c)
{
	char path[256], now[32];
	struct yg_sb b = yg_sb_init(now, sizeof now);
	struct yg_err err;
	json_t *body = json_object();
	(void)yg_path(path, sizeof path, INDICATORS, yg_cli_arg(c, 0), "");
	yg_time_format(&b, yg_env_wall(yg_cli_env(c)));
	yg_set_text(body, "valid_until", yg_sb_cstr(&b));
	if (yg_set_when(c, body, "valid_until", "at", &err) == YG_OK)
		return yg_send(c, "PATCH", path, body, path);
	json_decref(body);
	return yg_cli_fail(&err);
}

static int run_remove(struct yg_cli *c)
{
	char path[256];
	return yg_send(c, "DELETE", yg_path(path, sizeof path, INDICATORS, yg_cli_arg(c, 0), ""),
		       NULL, NULL);
}

/* The whole file mapped read-only, so that a large list costs no copy. */
static yg_status map_file(const char *file, struct yg_sv *out, struct yg_err *err)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd < 0)
		return YG_FAIL(err, YG_IO, "'%s' cannot be opened", file);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0) {
		(void)close(fd);
		return YG_FAIL(err, YG_INVAL, "'%s' is empty or no file", file);
	}
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	(void)close(fd);
	if (p == MAP_FAILED)
		return YG_FAIL(err, YG_IO, "'%s' cannot be read", file);
	*out = (struct yg_sv){p, (size_t)st.st_size};
	return YG_OK;
}

static const char *encoding_of(struct yg_sv s)
{
	if (s.n > 2 && memcmp(s.p, "\x1f\x8b", 2) == 0)
		return "gzip";
	return s.n > 4 && memcmp(s.p, "\x28\xb5\x2f\xfd", 4) == 0 ? "zstd" : NULL;
}

static int import_one(struct yg_cli *c, struct yg_client *client, const char *id, const char *file)
{
	struct yg_err err;
	struct yg_sv bytes = {NULL, 0};
	yg_status st = map_file(file, &bytes, &err);
	if (st != YG_OK)
		return yg_cli_fail(&err);
	char path[512], job[80];
	struct yg_sb b = yg_sb_init(path, sizeof path);
	yg_sb_printf(&b, "%s/%s/indicators", LISTS, id);
	yg_url_query(&b, "format", yg_cli_get(c, "format"));
	yg_url_query(&b, "replace", yg_cli_has(c, "replace") ? "true" : NULL);
	yg_url_query(&b, "force", yg_cli_has(c, "force-suffix") ? "true" : NULL);
	struct yg_reply r;
	st = yg_client_call(client,
			    &(struct yg_call){.method = "POST",
					      .path = yg_sb_cstr(&b),
					      .body = bytes,
					      .type = "application/octet-stream",
					      .encoding = encoding_of(bytes)},
			    &r, &err);
	(void)munmap((void *)(uintptr_t)bytes.p, bytes.n);
	(void)yg_member_text(r.json, "id", job, sizeof job);
	yg_reply_free(&r);
	if (st != YG_OK)
		return yg_cli_fail(&err);
	yg_note(c, "%s: ", file);
	return yg_follow_job(c, client, job);
}

static int run_import(struct yg_cli *c)
{
	YG_AUTO(yg_client_closep) struct yg_client *client = NULL;
	struct yg_err err;
	char id[80];
	const char *list = yg_cli_get(c, "list");
	yg_status st = yg_client_open(c, &client, &err);
	if (st == YG_OK)
		st = list_id(client, list, id, sizeof id, &err);
	if (st == YG_NOTFOUND) { /* the first import of a list makes it */
		json_t *body = list_body(c, list, &err, &st);
		char *text = json_dumps(body, JSON_COMPACT);
		json_decref(body);
		struct yg_reply r = {0};
		if (st == YG_OK)
			st = yg_client_call(client,
					    &(struct yg_call){.method = "POST",
							      .path = LISTS,
							      .body = yg_sv_of(text)},
					    &r, &err);
		(void)yg_member_text(r.json, "id", id, sizeof id);
		yg_reply_free(&r);
		free(text);
	}
	if (st != YG_OK)
		return yg_cli_fail(&err);
	int rc = 0;
	for (size_t i = 0; i < yg_cli_argc(c); i++) {
		int one = import_one(c, client, id, yg_cli_arg(c, i));
		rc = rc != 0 ? rc : one;
	}
	return rc;
}

static int run_publish(struct yg_cli *c)
{
	return yg_send(c, "POST", INDICATORS "/compile", NULL, NULL);
}

static int run_allow(struct yg_cli *c)
{
	struct yg_err err;
	json_t *body = json_object();
	yg_set_text(body, "type", yg_cli_arg(c, 0));
	yg_set_text(body, "value", yg_cli_arg(c, 1));
	yg_set_text(body, "org", yg_cli_get(c, "org"));
	yg_set_text(body, "reason", yg_cli_get(c, "reason"));
	if (yg_set_when(c, body, "expires_at", "expires", &err) == YG_OK)
		return yg_send(c, "POST", ALLOW, body, NULL);
	json_decref(body);
	return yg_cli_fail(&err);
}

static int run_allowed(struct yg_cli *c)
{
	static const char *const filters[] = {"org", NULL};
	return yg_list(c, ALLOW, filters, allow_columns, YG_LEN(allow_columns));
}

static int run_disallow(struct yg_cli *c)
{
	char path[256];
	return yg_send(c, "DELETE", yg_path(path, sizeof path, ALLOW, yg_cli_arg(c, 0), ""), NULL,
		       NULL);
}

#define O_ORG YG_O_VALUE("org", "ORG", "Only for this organisation.", "この組織だけ。")
#define O_LIMIT                                                                                    \
	YG_O_VALUE("limit", "N", "At most N rows; 0 for all (default 50).",                        \
		   "最大 N 行。0 は全部(既定 50)。")
#define O_TLP                                                                                      \
	YG_O_VALUE("tlp", "TLP", "clear, green, amber, amber+strict or red.", "TLP 2.0 の区分。")
#define O_CONF  YG_O_VALUE("confidence", "N", "0 to 100.", "確度(0~100)。")
#define O_CAT   YG_O_VALUE("category", "TEXT", "Category, such as malware.", "分類。例 malware。")
#define O_TITLE YG_O_VALUE("title", "TEXT", "Name for people.", "表示名。")
#define O_FORCE                                                                                    \
	YG_O_FLAG("force-suffix", "Take entries that cover a whole public suffix.",                \
		  "公開サフィックス全体を覆う項目も受け入れる。")
#define O_NOWAIT YG_O_FLAG("no-wait", "Do not wait for the job.", "ジョブの終了を待たない。")
static const struct yg_opt org_limit_opts[] = {O_ORG, O_LIMIT, YG_OPTS_END};
static const struct yg_opt list_add_opts[] = {O_ORG, O_TITLE, O_TLP, O_CONF, O_CAT, YG_OPTS_END};
#define O_TYPE                                                                                     \
	YG_O_VALUE("type", "TYPE", "ip, ip-port, domain, fqdn, url, hash or email.", "種類。")
static const struct yg_opt check_opts[] = {O_ORG, O_TYPE, YG_OPTS_END};
static const struct yg_opt search_opts[] = {
	O_ORG,
	O_TYPE,
	YG_O_VALUE("list", "LIST", "Only in this list.", "このリストだけ。"),
	YG_O_VALUE("validity", "WHICH", "in_force or expired.",
		   "in_force(有効なもの)または expired(期限切れ)。"),
	O_LIMIT,
	YG_OPTS_END};
static const struct yg_opt add_opts[] = {
	YG_O_NEEDED("list", "LIST", "List to add it to, by name or id.",
		    "追加先のリスト(名前か ID)。"),
	O_CONF,
	O_TLP,
	O_CAT,
	YG_O_VALUE("family", "TEXT", "Malware family or actor.", "マルウェアのファミリー等。"),
	YG_O_VALUE("until", "WHEN", "Valid until this time, span or never.", "有効期限。"),
	O_FORCE,
	YG_OPTS_END};
static const struct yg_opt expire_opts[] = {
	YG_O_VALUE("at", "WHEN", "When (default now).", "いつ(既定 今)。"), YG_OPTS_END};
static const struct yg_opt import_opts[] = {
	YG_O_NEEDED("list", "LIST", "List to load into; made when it does not exist.",
		    "読み込み先のリスト。無ければ作る。"),
	O_ORG,
	O_TITLE,
	O_TLP,
	O_CONF,
	O_CAT,
	YG_O_VALUE("format", "FORMAT", "csv, plain or hosts (default: by looking).",
		   "csv、plain、hosts(既定: 自動)。"),
	YG_O_FLAG("replace", "What is not in the file expires.",
		  "ファイルに無いものは失効させる。"),
	O_FORCE,
	O_NOWAIT,
	YG_OPTS_END};
static const struct yg_opt nowait_opts[] = {O_NOWAIT, YG_OPTS_END};
static const struct yg_opt allow_opts[] = {
	O_ORG, YG_O_NEEDED("reason", "TEXT", "Why it is no danger.", "危険でない理由。"),
	YG_O_VALUE("expires", "WHEN", "Time, span such as 30d, or never.",
		   "期限。時刻、30d のような期間、never。"),
	YG_OPTS_END};

const struct yg_cmd yg_cmds_indicator[] = {
	{.noun = "indicator",
	 .verb = "lists",
	 .opts = org_limit_opts,
	 .doc = "List indicator lists.",
	 .doc_ja = "指標リストの一覧。",
	 .run = run_lists},
	{.noun = "indicator",
	 .verb = "list-add",
	 .args = "NAME",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = list_add_opts,
	 .changes = true,
	 .doc = "Add an indicator list, for all organisations or for one.",
	 .doc_ja = "指標リストを追加する(全組織または一組織)。",
	 .run = run_list_add},
	{.noun = "indicator",
	 .verb = "list-remove",
	 .changes = true,
	 .away = true,
	 .args = "LIST",
	 .args_min = 1,
	 .args_max = 1,
	 .doc = "Remove a list with its indicators.",
	 .doc_ja = "リストを指標ごと削除する。",
	 .run = run_list_remove},
	{.noun = "indicator",
	 .verb = "import",
	 .args = "FILE...",
	 .args_min = 1,
	 .args_max = 1000,
	 .opts = import_opts,
	 .doc = "Load indicators from CSV, plain or hosts files into a list.",
	 .doc_ja = "CSV・一行一件・hosts 形式の指標をリストに読み込む。",
	 .run = run_import},
	{.noun = "indicator",
	 .verb = "search",
	 .args = "[VALUE]",
	 .args_max = 1,
	 .opts = search_opts,
	 .doc = "Find indicators.",
	 .doc_ja = "指標を探す。",
	 .run = run_search},
	{.noun = "indicator",
	 .verb = "check",
	 .args = "VALUE",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = check_opts,
	 .doc = "Tell whether a value would be recognised, by which entries, and what allows it.",
	 .doc_ja = "値が検知されるか、どの項目によるか、許可があるかを調べる。",
	 .run = run_check},
	{.noun = "indicator",
	 .verb = "add",
	 .args = "TYPE VALUE",
	 .args_min = 2,
	 .args_max = 2,
	 .opts = add_opts,
	 .changes = true,
	 .doc = "Add one indicator to a list.",
	 .doc_ja = "指標を一件追加する。",
	 .run = run_add},
	{.noun = "indicator",
	 .verb = "expire",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = expire_opts,
	 .changes = true,
	 .doc = "End an indicator's validity.",
	 .doc_ja = "指標を失効させる。",
	 .run = run_expire},
	{.noun = "indicator",
	 .verb = "remove",
	 .away = true,
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .changes = true,
	 .doc = "Remove an indicator.",
	 .doc_ja = "指標を削除する。",
	 .run = run_remove},
	{.noun = "indicator",
	 .verb = "allow",
	 .args = "TYPE VALUE",
	 .args_min = 2,
	 .args_max = 2,
	 .opts = allow_opts,
	 .changes = true,
	 .doc = "Allow something although it is listed; allow wins.",
	 .doc_ja = "リストにあっても許可する(許可が優先)。",
	 .run = run_allow},
	{.noun = "indicator",
	 .verb = "allowed",
	 .opts = org_limit_opts,
	 .doc = "List allow entries.",
	 .doc_ja = "許可項目の一覧。",
	 .run = run_allowed},
	{.noun = "indicator",
	 .verb = "disallow",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .changes = true,
	 .doc = "Remove an allow entry.",
	 .doc_ja = "許可項目を削除する。",
	 .run = run_disallow},
	{.noun = "indicator",
	 .verb = "publish",
	 .changes = true,
	 .opts = nowait_opts,
	 .doc = "Compile the server's indicators and put them in force now.",
	 .doc_ja = "サーバーの指標を今コンパイルして有効にする。",
	 .run = run_publish},
	{.noun = NULL},
};
