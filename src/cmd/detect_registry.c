/* detect_registry.c - detection rules on the server: the rules, what organisations say of
 * them, the matrix of techniques. */
#include <stdlib.h>

#include "cmd/detect_rules.h"
#include "cmd/print.h"
#include "cmd/tables.h"
#include "detect/rule.h"
#include "os/file.h"

#define RULES      "/api/v1/detection-rules"
#define EXCEPTIONS "/api/v1/detection-exceptions"
enum { FILES_MAX = 6000, BYTES_MAX = 16 << 20, NAMES = 64 << 20, REFUSED = 3 };

static const struct yg_column rule_columns[] = {{"ID", "id", 28},
						{"ORG", "org", 14},
						{"STAGE", "stage", 10},
						{"IN FORCE", "stage_in_force", 10},
						{"LEVEL", "level", 13},
						{"HITS24H", "hits_24h", 8},
						{"ALERTS30D", "alerts_30d", 9},
						{"REFUSED", "refused", 10},
						{"TITLE", "title", 0}};
static const struct yg_column exception_columns[] = {
	{"ID", "id", 28},   {"RULE", "rule", 28},          {"TITLE", "rule_title", 24},
	{"ORG", "org", 16}, {"EXPIRES", "expires_at", 20}, {"REASON", "reason", 0}};
static const struct yg_column matrix_columns[] = {
	{"TECHNIQUE", "id", 12},    {"LIVE", "rules.live", 5},     {"AUDIT", "rules.audit_only", 6},
	{"TEST", "rules.test", 5},  {"OFF", "rules.off", 5},       {"DATA", "has_data", 6},
	{"HITS30D", "hits_30d", 9}, {"ALERTS30D", "alerts_30d", 0}};

/* --org ORG, or --all-orgs: null. */
static void set_org(const struct yg_cli *c, json_t *body)
{
	if (yg_cli_has(c, "all-orgs"))
		(void)json_object_set_new(body, "org", json_null());
	else
		yg_set_text(body, "org", yg_cli_get(c, "org"));
}

/* The text of a file as a member. */
static yg_status set_file(json_t *body, const char *member, const char *file, struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf text = {0};
	yg_buf_init(&text, YG_SIGMA_FILE_MAX + 1);
	yg_status st = yg_file_read(file, YG_SIGMA_FILE_MAX, &text, err);
	json_t *value = st == YG_OK ? json_stringn(text.p, text.n) : NULL;
	if (st == YG_OK && value == NULL)
		return YG_FAIL(err, YG_INVAL, "%s: not UTF-8", file);
	if (st == YG_OK)
		(void)json_object_set_new(body, member, value);
	return st;
}

/* Sends what was made; or says why it could not be. */
static int send_made(struct yg_cli *c, yg_status st, const struct yg_err *err, const char *method,
		     const char *path, json_t *body, const char *etag_of)
{
	if (st == YG_OK)
		return yg_send(c, method, path, body, etag_of);
	json_decref(body);
	return yg_cli_fail(err);
}

/* ---- rules ---- */

static int run_rules(struct yg_cli *c)
{
	static const char *const filters[] = {"org",       "stage",     "level",  "kind",
					      "q",         "technique", "tactic", "collection",
					      "logsource", "sort",      NULL};
	char path[80];
	(void)snprintf(path, sizeof path, RULES "?refused=%d&exact=%d", yg_cli_has(c, "refused"),
		       yg_cli_has(c, "exact"));
	return yg_list(c, path, filters, rule_columns, YG_LEN(rule_columns));
}

static int run_show(struct yg_cli *c)
{
	char path[256];
	json_t *rule = NULL;
	(void)yg_path(path, sizeof path, RULES, yg_cli_arg(c, 0), "");
	int rc = yg_fetch(c, path, &rule);
	const char *text = json_string_value(yg_member(rule, "text"));
	if (!yg_cli_has(c, "text"))
		yg_print_object(c, rule);
	else if (text != NULL)
		(void)fputs(text, stdout);
	json_decref(rule);
	return rc;
}

static int run_add(struct yg_cli *c)
{
	struct yg_err err = {.code = YG_OK};
	json_t *body = json_object();
	yg_set_text(body, "collection", yg_cli_get(c, "collection"));
	yg_set_text(body, "stage", yg_cli_get(c, "stage"));
	set_org(c, body);
	yg_status st = set_file(body, "text", yg_cli_arg(c, 0), &err);
	return send_made(c, st, &err, "POST", RULES, body, NULL);
}

static int run_change(struct yg_cli *c)
{
	struct yg_err err = {.code = YG_OK};
	char path[256];
	json_t *body = json_object();
	const char *file = yg_cli_get(c, "file");
	(void)yg_path(path, sizeof path, RULES, yg_cli_arg(c, 0), "");
	yg_set_text(body, "collection", yg_cli_get(c, "collection"));
	yg_set_text(body, "stage", yg_cli_get(c, "stage"));
	yg_status st = file != NULL ? set_file(body, "text", file, &err) : YG_OK;
	return send_made(c, st, &err, "PATCH", path, body, path);
}

static int run_remove(struct yg_cli *c)
{
	char path[1024];
	struct yg_sb b = yg_sb_init(path, sizeof path);
	const char *collection = yg_cli_get(c, "collection");
	if ((collection != NULL) == (yg_cli_argc(c) > 0))
		return yg_cli_usage(c, "name a rule, or a collection");
	if (collection == NULL)
		return yg_send(c, "DELETE", yg_path(path, sizeof path, RULES, yg_cli_arg(c, 0), ""),
			       NULL, NULL);
	yg_sb_put(&b, YG_SV(RULES));
	yg_url_query(&b, "collection", collection);
	yg_url_query(&b, "org", yg_cli_get(c, "org"));
	return yg_send(c, "DELETE", yg_sb_cstr(&b), NULL, NULL);
}

static int run_stage(struct yg_cli *c)
{
	const char *collection = yg_cli_get(c, "collection");
	if ((collection != NULL) == (yg_cli_argc(c) > 1))
		return yg_cli_usage(c, "name rules, or a collection");
	json_t *body = json_object(), *ids = json_array();
	yg_set_text(body, "stage", yg_cli_arg(c, 0));
	yg_set_text(body, "collection", collection);
	yg_set_text(body, "level", yg_cli_get(c, "level"));
	for (size_t i = 1; i < yg_cli_argc(c); i++)
		(void)json_array_append_new(ids, json_string(yg_cli_arg(c, i)));
	if (collection == NULL)
		(void)json_object_set(body, "ids", ids);
	json_decref(ids);
	set_org(c, body);
	return yg_send(c, "POST", RULES "/bulk", body, NULL);
}

/* ---- many files ---- */

struct importing {
	struct yg_cli *c;
	struct yg_client *client;
	json_t *files; /* owned; of the next request */
	size_t bytes;
	int64_t added, changed, unchanged, refused;
};

static yg_status send_files(struct importing *im, struct yg_err *err)
{
	struct yg_reply r = {0};
	size_t i;
	json_t *item, *body = json_object();
	char file[512], reason[512];
	yg_set_text(body, "collection", yg_cli_get(im->c, "collection"));
	yg_set_text(body, "stage", yg_cli_get(im->c, "stage"));
	set_org(im->c, body);
	(void)json_object_set_new(body, "files", im->files);
	im->files = json_array();
	im->bytes = 0;
	const char *path =
		yg_cli_has(im->c, "dry-run") ? RULES "/import?dry_run=1" : RULES "/import";
	char *text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	yg_status st = text != NULL ? yg_client_call(im->client,
						     &(struct yg_call){.method = "POST",
								       .path = path,
								       .body = yg_sv_of(text)},
						     &r, err)
				    : YG_FAIL(err, YG_NOMEM, "the rules do not fit the memory");
	free(text);
	im->added += json_integer_value(yg_member(r.json, "added"));
	im->changed += json_integer_value(yg_member(r.json, "changed"));
	im->unchanged += json_integer_value(yg_member(r.json, "unchanged"));
	im->refused += json_integer_value(yg_member(r.json, "refused_count"));
	json_array_foreach(json_object_get(r.json, "refused"), i, item)
	{
		(void)yg_member_text(item, "file", file, sizeof file);
		(void)yg_member_text(item, "reason", reason, sizeof reason);
		(void)fprintf(stderr, "%s:%lld: refused: %s\n", file,
			      (long long)json_integer_value(yg_member(item, "line")), reason);
	}
	yg_reply_free(&r);
	return st;
}

/* The file under its name below the folder. */
static yg_status take_file(struct importing *im, const char *file, const char *name,
			   struct yg_err *err)
{
	json_t *one = json_object();
	yg_status st = set_file(one, "text", file, err);
	size_t n = json_string_length(json_object_get(one, "text"));
	if (st != YG_OK) {
		json_decref(one);
		(void)fprintf(stderr, "%s: refused: %s\n", file, err->msg);
		im->refused++;
		return YG_OK;
	}
	(void)json_object_set_new(one, "name", json_string(name));
	st = im->bytes + n > BYTES_MAX || json_array_size(im->files) == FILES_MAX
		     ? send_files(im, err)
		     : YG_OK;
	(void)json_array_append_new(im->files, one);
	im->bytes += n;
	return st;
}

static int run_import(struct yg_cli *c)
{
	YG_AUTO(yg_client_closep) struct yg_client *client = NULL;
	YG_AUTO(yg_arena_free) struct yg_arena names = {0};
	const char *dir = yg_cli_arg(c, 0), **list = NULL;
	struct yg_err err = {.code = YG_OK};
	struct importing im = {.c = c, .files = json_array()};
	size_t n = 0, skip = strlen(dir);
	yg_arena_init(&names, NAMES);
	yg_status st = yg_rule_files(dir, &names, &list, &n, &err);
	if (st == YG_OK)
		st = yg_client_open(c, &client, &err);
	im.client = client;
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		const char *name = list[i] + (strlen(list[i]) > skip ? skip : 0);
		while (*name == '/')
			name++;
		st = take_file(&im, list[i], name, &err);
	}
	if (st == YG_OK && json_array_size(im.files) > 0)
		st = send_files(&im, &err);
	json_decref(im.files);
	if (st != YG_OK)
		return yg_cli_fail(&err);
	json_t *sum = json_pack("{s:I,s:I,s:I,s:I}", "added", (json_int_t)im.added, "changed",
				(json_int_t)im.changed, "unchanged", (json_int_t)im.unchanged,
				"refused", (json_int_t)im.refused);
	yg_print_object(c, sum);
	json_decref(sum);
	return im.refused > 0 ? REFUSED : 0;
}

/* ---- what organisations say ---- */

static const char *override_path(char *buf, size_t cap, struct yg_cli *c)
{
	struct yg_sb b = yg_sb_init(buf, cap);
	yg_sb_put(&b, YG_SV(RULES "/"));
	yg_url_put(&b, yg_sv_of(yg_cli_arg(c, 0)));
	yg_sb_put(&b, YG_SV("/overrides/"));
	yg_url_put(&b, yg_sv_of(yg_cli_arg(c, 1)));
	return yg_sb_cstr(&b);
}

static int run_override(struct yg_cli *c)
{
	struct yg_err err = {.code = YG_OK};
	char path[512];
	json_t *body = json_object();
	yg_set_text(body, "stage", yg_cli_arg(c, 2));
	yg_set_text(body, "reason", yg_cli_get(c, "reason"));
	yg_status st = yg_set_when(c, body, "expires_at", "expires", &err);
	(void)override_path(path, sizeof path, c);
	return send_made(c, st, &err, "PUT", path, body, path);
}

static int run_inherit(struct yg_cli *c)
{
	char path[512];
	return yg_send(c, "DELETE", override_path(path, sizeof path, c), NULL, NULL);
}

static int run_exceptions(struct yg_cli *c)
{
	static const char *const filters[] = {"org", "rule", "sort", NULL};
	return yg_list(c, EXCEPTIONS, filters, exception_columns, YG_LEN(exception_columns));
}

static int run_except(struct yg_cli *c)
{
	struct yg_err err = {.code = YG_OK};
	json_t *body = json_object();
	yg_set_text(body, "rule", yg_cli_get(c, "rule"));
	yg_set_text(body, "alert", yg_cli_get(c, "alert"));
	yg_set_text(body, "reason", yg_cli_get(c, "reason"));
	set_org(c, body);
	yg_status st = set_file(body, "text", yg_cli_arg(c, 0), &err);
	if (st == YG_OK)
		st = yg_set_when(c, body, "expires_at", "expires", &err);
	return send_made(c, st, &err, "POST", EXCEPTIONS, body, NULL);
}

static int run_except_change(struct yg_cli *c)
{
	struct yg_err err = {.code = YG_OK};
	char path[256];
	json_t *body = json_object();
	const char *file = yg_cli_get(c, "file");
	(void)yg_path(path, sizeof path, EXCEPTIONS, yg_cli_arg(c, 0), "");
	yg_set_text(body, "reason", yg_cli_get(c, "reason"));
	yg_status st = file != NULL ? set_file(body, "text", file, &err) : YG_OK;
	if (st == YG_OK)
		st = yg_set_when(c, body, "expires_at", "expires", &err);
	if (st == YG_OK && json_object_size(body) == 0)
		st = YG_FAIL(&err, YG_INVAL, "say what to change: --file, --reason or --expires");
	return send_made(c, st, &err, "PATCH", path, body, path);
}

static int run_unexcept(struct yg_cli *c)
{
	char path[256];
	return yg_send(c, "DELETE", yg_path(path, sizeof path, EXCEPTIONS, yg_cli_arg(c, 0), ""),
		       NULL, NULL);
}

/* ---- the matrix ---- */

static int run_matrix(struct yg_cli *c)
{
	char url[256], id[16], name[64];
	size_t i;
	json_t *matrix = NULL, *tactic;
	struct yg_sb b = yg_sb_init(url, sizeof url);
	yg_sb_put(&b, YG_SV("/api/v1/attack-matrix"));
	yg_url_query(&b, "org", yg_cli_get(c, "org"));
	int rc = yg_fetch(c, yg_sb_cstr(&b), &matrix);
	if (yg_cli_json(c))
		yg_print_object(c, matrix);
	json_array_foreach(json_object_get(yg_cli_json(c) ? NULL : matrix, "tactics"), i, tactic)
	{
		(void)printf("%s%s %s\n", i > 0 ? "\n" : "",
			     yg_member_text(tactic, "id", id, sizeof id),
			     yg_member_text(tactic, "name", name, sizeof name));
		yg_print_items(c, json_object_get(tactic, "techniques"), matrix_columns,
			       YG_LEN(matrix_columns));
	}
	json_decref(matrix);
	return rc;
}

#define O_ORG     YG_O_VALUE("org", "ORG", "The organisation.", "組織。")
#define O_FOR_ALL YG_O_FLAG("all-orgs", "For all organisations.", "全組織について。")
#define O_COLL                                                                                     \
	YG_O_VALUE("collection", "NAME", "The collection (default own).",                          \
		   "コレクション(既定 own)。")
#define O_STAGE                                                                                    \
	YG_O_VALUE("stage", "STAGE", "off, test, audit-only or live (default test).",              \
		   "off、test、audit-only、live(既定 test)。")
#define O_LIMIT                                                                                    \
	YG_O_VALUE("limit", "N", "At most N rows; 0 for all (default 50).",                        \
		   "最大 N 行。0 は全部(既定 50)。")
#define O_REASON YG_O_NEEDED("reason", "TEXT", "Why.", "理由。")
#define O_EXPIRES                                                                                  \
	YG_O_VALUE("expires", "WHEN", "Time, span such as 30d, or never.",                         \
		   "期限。時刻、30d のような期間、never。")
static const struct yg_opt list_opts[] = {
	O_ORG,
	YG_O_VALUE("stage", "STAGES", "One or several stages in force, with commas.",
		   "適用中の段階(コンマ区切り)。"),
	YG_O_VALUE("level", "LEVELS", "One or several levels, with commas.",
		   "重大度(コンマ区切り)。"),
	YG_O_VALUE("kind", "KIND", "rule, correlation or filter.", "rule、correlation、filter。"),
	YG_O_VALUE("q", "TEXT", "What title, id, name, tags, file or text have in them.",
		   "題名・ID・名前・タグ・ファイル名・本文に含まれる語。"),
	YG_O_VALUE("technique", "T", "Technique (T1059) or tactic (execution) of ATT&CK.",
		   "ATT&CK の技術(T1059)または戦術(execution)。"),
	YG_O_VALUE("tactic", "WORD", "A tactic of the matrix (execution, none).",
		   "マトリクスの戦術(execution、none)。"),
	YG_O_FLAG("exact", "The technique alone, as the matrix counts.",
		  "その技術だけ(マトリクスの数え方)。"),
	YG_O_VALUE("collection", "NAME", "Of this collection.", "このコレクションだけ。"),
	YG_O_VALUE("logsource", "C/P/S", "Category, product and service of the log source.",
		   "ログソースの category/product/service。"),
	YG_O_FLAG("refused", "Those alone that cannot be compiled.", "使えないものだけ。"),
	YG_O_VALUE("sort", "ORDER",
		   "newest (default), hits or false (of 30 days), cost (of a day), or last_hit.",
		   "並び順。newest(既定)、hits・false(30日間)、cost(1日)、last_hit。"),
	O_LIMIT,
	YG_OPTS_END};
static const struct yg_opt show_opts[] = {YG_O_FLAG("text", "The rule's text alone.", "本文だけ。"),
					  YG_OPTS_END};
static const struct yg_opt add_opts[] = {O_ORG, O_FOR_ALL, O_COLL, O_STAGE, YG_OPTS_END};
static const struct yg_opt change_opts[] = {
	YG_O_FILE("file", "FILE", "New text of the rule.", "ルールの新しい本文。"),
	YG_O_VALUE("stage", "STAGE", "off, test, audit-only or live.",
		   "off、test、audit-only、live。"),
	YG_O_VALUE("collection", "NAME", "Another collection.", "別のコレクション。"), YG_OPTS_END};
static const struct yg_opt remove_opts[] = {O_ORG,
					    YG_O_VALUE("collection", "NAME",
						       "All rules of this collection.",
						       "このコレクションのルール全部。"),
					    YG_OPTS_END};
static const struct yg_opt stage_opts[] = {
	O_ORG, O_FOR_ALL,
	YG_O_VALUE("collection", "NAME", "All rules of this collection.",
		   "このコレクションのルール全部。"),
	YG_O_VALUE("level", "LEVEL", "Of those, the ones of this level.",
		   "そのうちこの重大度だけ。"),
	YG_OPTS_END};
static const struct yg_opt override_opts[] = {O_REASON, O_EXPIRES, YG_OPTS_END};
static const struct yg_opt exceptions_opts[] = {
	O_ORG, YG_O_VALUE("rule", "ID", "Of this rule.", "このルールの例外だけ。"),
	YG_O_VALUE("sort", "ORDER", "newest (default), or expires: what ends first.",
		   "並び順。newest(既定)、expires(先に終わる順)。"),
	O_LIMIT, YG_OPTS_END};
static const struct yg_opt except_opts[] = {
	O_ORG,
	O_FOR_ALL,
	YG_O_VALUE("rule", "ID", "Of this rule (default: of any).", "このルールだけ(既定: 全て)。"),
	YG_O_VALUE("alert", "ID", "The alert it is made from.", "元になったアラート。"),
	O_REASON,
	O_EXPIRES,
	YG_OPTS_END};
static const struct yg_opt except_change_opts[] = {
	YG_O_FILE("file", "FILE", "New text of the exception.", "例外の新しい本文。"),
	YG_O_VALUE("reason", "TEXT", "Why, from now on.", "新しい理由。"), O_EXPIRES, YG_OPTS_END};
static const struct yg_opt matrix_opts[] = {O_ORG, YG_OPTS_END};

const struct yg_cmd yg_cmds_detect_registry[] = {
	{.noun = "detect",
	 .verb = "rules",
	 .opts = list_opts,
	 .doc = "List the detection rules of the server.",
	 .doc_ja = "サーバーの検知ルールの一覧。",
	 .run = run_rules},
	{.noun = "detect",
	 .verb = "rule-show",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = show_opts,
	 .doc = "Show a detection rule.",
	 .doc_ja = "検知ルールを表示する。",
	 .run = run_show},
	{.noun = "detect",
	 .verb = "rule-add",
	 .args = "FILE",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = add_opts,
	 .changes = true,
	 .doc = "Add a Sigma rule from a file, for all organisations or for one and all below it.",
	 .doc_ja = "Sigma ルールをファイルから追加する(全組織、または一組織とその配下)。",
	 .run = run_add},
	{.noun = "detect",
	 .verb = "rule-change",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = change_opts,
	 .changes = true,
	 .doc = "Change a rule's text, stage or collection.",
	 .doc_ja = "ルールの本文・段階・コレクションを変更する。",
	 .run = run_change},
	{.noun = "detect",
	 .verb = "rule-remove",
	 .away = true,
	 .args = "[ID]",
	 .args_max = 1,
	 .opts = remove_opts,
	 .changes = true,
	 .doc = "Remove a rule, or all of a collection, with history, stages and exceptions.",
	 .doc_ja = "ルール(またはコレクション全部)を履歴・段階・例外ごと削除する。",
	 .run = run_remove},
	{.noun = "detect",
	 .verb = "import",
	 .args = "DIR",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = add_opts,
	 .changes = true,
	 .doc = "Add and update all rules of a folder on the server.",
	 .doc_ja = "フォルダー内のルールをサーバーに追加・更新する。",
	 .more = "Every document of every .yml and .yaml file becomes a rule.  One that is there already "
		 "(the same collection and id) gets the new text and keeps its stage.  A document that is "
		 "refused is named on standard error with its file, line and reason, and stops no other; "
		 "then the exit status is 3.  Up to 6,000 files or 16 MiB at a time are taken as a whole or "
		 "not at all.",
	 .run = run_import},
	{.noun = "detect",
	 .verb = "stage",
	 .args = "STAGE [ID...]",
	 .args_min = 1,
	 .args_max = 1000,
	 .opts = stage_opts,
	 .changes = true,
	 .doc = "Set the stage of rules, or of a whole collection: off, test, audit-only or live.",
	 .doc_ja = "ルール(またはコレクション全部)の段階を定める(off、test、audit-only、live)。",
	 .run = run_stage},
	{.noun = "detect",
	 .verb = "override",
	 .args = "ID ORG STAGE",
	 .args_min = 3,
	 .args_max = 3,
	 .opts = override_opts,
	 .changes = true,
	 .doc = "Set the stage of a rule for an organisation and all below it.",
	 .doc_ja = "組織とその配下について、ルールの段階を定める。",
	 .run = run_override},
	{.noun = "detect",
	 .verb = "inherit",
	 .args = "ID ORG",
	 .args_min = 2,
	 .args_max = 2,
	 .changes = true,
	 .doc = "Have an organisation go by the stage from above again.",
	 .doc_ja = "組織の独自の段階を取り消し、上位の段階に戻す。",
	 .run = run_inherit},
	{.noun = "detect",
	 .verb = "exceptions",
	 .opts = exceptions_opts,
	 .doc = "List exceptions from detection rules.",
	 .doc_ja = "検知ルールの例外の一覧。",
	 .run = run_exceptions},
	{.noun = "detect",
	 .verb = "except",
	 .args = "FILE",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = except_opts,
	 .changes = true,
	 .doc = "Add an exception: searches and a condition, as below detection of a rule.",
	 .doc_ja = "例外を追加する(ルールの detection と同じ検索条件と condition)。",
	 .run = run_except},
	{.noun = "detect",
	 .verb = "except-change",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = except_change_opts,
	 .changes = true,
	 .doc = "Change an exception's text, reason or end.",
	 .doc_ja = "例外の本文・理由・期限を変更する。",
	 .run = run_except_change},
	{.noun = "detect",
	 .verb = "unexcept",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .changes = true,
	 .doc = "Remove an exception.",
	 .doc_ja = "例外を削除する。",
	 .run = run_unexcept},
	{.noun = "detect",
	 .verb = "matrix",
	 .opts = matrix_opts,
	 .doc = "Show which techniques of ATT&CK have rules, data and hits.",
	 .doc_ja = "ATT&CK の技術ごとに、ルール・データ・検知の有無を表示する。",
	 .run = run_matrix},
	{.noun = NULL},
};
