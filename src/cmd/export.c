/* export.c - lists as files, and searches that are kept. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/print.h"
#include "cmd/tables.h"

#define EXPORTS  "/api/v1/exports"
#define SEARCHES "/api/v1/saved-searches"

/* To a new file, or to standard output; a file that did not come whole is removed. */
static yg_status fetch(struct yg_cli *c, struct yg_client *client, const char *id,
		       struct yg_err *err)
{
	char path[256];
	const char *file = yg_cli_get(c, "out");
	FILE *to = file != NULL ? fopen(file, "wxe") : stdout;
	if (to == NULL)
		return YG_FAIL(err, YG_IO, "'%s' cannot be made: %s", file, strerror(errno));
	struct yg_reply r = {0};
	yg_status st = yg_client_call(
		client,
		&(struct yg_call){.method = "GET",
				  .path = yg_path(path, sizeof path, EXPORTS, id, ""),
				  .to = to},
		&r, err);
	yg_reply_free(&r);
	bool whole = (file != NULL ? fclose(to) : fflush(to)) == 0;
	if (st == YG_OK && !whole)
		st = YG_FAIL(err, YG_IO, "'%s' cannot be written", file != NULL ? file : "-");
	if (st != YG_OK && file != NULL)
		(void)unlink(file);
	return st;
}

static json_t *order(struct yg_cli *c, struct yg_err *err, yg_status *st)
{
	json_t *body = json_object(), *query = json_object();
	const char *one, *format = yg_cli_get(c, "format");
	*st = YG_OK;
	yg_set_text(body, "kind", yg_cli_arg(c, 0));
	yg_set_text(body, "format", format != NULL ? format : "csv");
	(void)json_object_set_new(body, "query", query);
	for (size_t i = 0; (one = yg_cli_nth(c, "filter", i)) != NULL; i++) {
		char name[64];
		const char *value = NULL;
		if (!yg_name_value(one, name, sizeof name, &value)) {
			*st = YG_FAIL(err, YG_INVAL, "--filter: expected NAME=VALUE, found '%s'",
				      one);
			break;
		}
		yg_set_text(query, name, value);
	}
	return body;
}

static int run_create(struct yg_cli *c)
{
	YG_AUTO(yg_client_closep) struct yg_client *client = NULL;
	struct yg_err err;
	yg_status st;
	char id[80];
	struct yg_reply r = {0};
	json_t *body = order(c, &err, &st);
	char *text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	if (st == YG_OK)
		st = yg_client_open(c, &client, &err);
	if (st == YG_OK)
		st = yg_client_call(client,
				    &(struct yg_call){.method = "POST",
						      .path = EXPORTS,
						      .body = yg_sv_of(text)},
				    &r, &err);
	free(text);
	(void)yg_member_text(r.json, "id", id, sizeof id);
	if (st == YG_OK && yg_cli_has(c, "no-wait"))
		yg_print_object(c, r.json);
	yg_reply_free(&r);
	if (st == YG_OK && !yg_cli_has(c, "no-wait"))
		st = yg_wait_job(c, client, id, NULL, &err);
	if (st == YG_OK && !yg_cli_has(c, "no-wait"))
		st = fetch(c, client, id, &err);
	return st == YG_OK ? 0 : yg_cli_fail(&err);
}

static int run_fetch(struct yg_cli *c)
{
	YG_AUTO(yg_client_closep) struct yg_client *client = NULL;
	struct yg_err err;
	yg_status st = yg_client_open(c, &client, &err);
	if (st == YG_OK)
		st = fetch(c, client, yg_cli_arg(c, 0), &err);
	return st == YG_OK ? 0 : yg_cli_fail(&err);
}

static int run_save(struct yg_cli *c)
{
	json_t *body = json_object();
	const char *page = yg_cli_get(c, "page"), *query = yg_cli_get(c, "query");
	yg_set_text(body, "name", yg_cli_arg(c, 0));
	yg_set_text(body, "page", page != NULL ? page : "search");
	yg_set_text(body, "query", query != NULL ? query : "");
	yg_set_text(body, "org", yg_cli_get(c, "org"));
	if (yg_cli_has(c, "shared"))
		(void)json_object_set_new(body, "shared", json_true());
	return yg_send(c, "POST", SEARCHES, body, NULL);
}

static int run_list(struct yg_cli *c)
{
	static const char *const filters[] = {"page", NULL};
	static const struct yg_column columns[] = {{"ID", "id", 28},        {"OWNER", "owner", 28},
						   {"SHARED", "shared", 6}, {"PAGE", "page", 12},
						   {"NAME", "name", 24},    {"QUERY", "query", 0}};
	return yg_list(c, SEARCHES, filters, columns, YG_LEN(columns));
}

static int run_remove(struct yg_cli *c)
{
	char path[256];
	return yg_send(c, "DELETE", yg_path(path, sizeof path, SEARCHES, yg_cli_arg(c, 0), ""),
		       NULL, NULL);
}

#define O_OUT                                                                                      \
	YG_O_FILE("out", "FILE", "Write to this new file instead of standard output.",             \
		  "標準出力でなく新しいファイルに書く。")
#define O_PAGE(doc, ja) YG_O_VALUE("page", "PAGE", doc, ja)
static const struct yg_opt create_opts[] = {
	YG_O_VALUE("format", "FORMAT", "csv (default), xlsx or jsonl.",
		   "形式。csv(既定)、xlsx、jsonl。"),
	YG_O_LIST("filter", "NAME=VALUE",
		  "Parameter of the list, such as state=open; may be repeated.",
		  "一覧の条件。例 state=open。複数可。"),
	O_OUT,
	YG_O_FLAG("no-wait", "Print the job and do not wait for the file.",
		  "ジョブを表示し、終了を待たない。"),
	YG_OPTS_END};
static const struct yg_opt fetch_opts[] = {O_OUT, YG_OPTS_END};
static const struct yg_opt save_opts[] = {
	O_PAGE("Page of the console: search (default), alerts ...",
	       "コンソールのページ。search(既定)、alerts など。"),
	YG_O_VALUE("query", "QUERY", "Query part of the page's address, such as state=open.",
		   "ページのアドレスのクエリ。例 state=open。"),
	YG_O_FLAG("shared", "Share it with the readers of --org, or with all.",
		  "--org の閲覧者、省略時は全員と共有する。"),
	YG_O_VALUE("org", "ORG", "Whose readers see it when it is shared.", "共有先の組織。"),
	YG_OPTS_END};
static const struct yg_opt list_opts[] = {O_PAGE("Only of this page.", "このページだけ。"),
					  YG_O_VALUE("limit", "N",
						     "At most N rows; 0 for all (default 50).",
						     "最大 N 行。0 は全部(既定 50)。"),
					  YG_OPTS_END};

const struct yg_cmd yg_cmds_export[] = {
	{.noun = "export",
	 .verb = "create",
	 .args = "KIND",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = create_opts,
	 .doc = "Write every row of a list as a file: alerts, alert-groups, compare, events, indicators,"
		" indicator-lists, allow-entries, audit-log, sources, organisations, systems,"
		" people, grants, tokens, approvals, saved-searches, jobs, system-events,"
		" block-entries, dns-requests, dns-zones, detection-rules, detection-exceptions,"
		" attack-matrix, detection-findings, retro-hunts, my-sessions, my-tokens or my-passkeys; with"
		" --filter id=ALERT: alert-evidence, alert-history or alert-comments.",
	 .doc_ja =
		 "一覧の全行をファイルにする。KIND は alerts、alert-groups、compare、events、indicators、"
		 "indicator-lists、allow-entries、audit-log、sources、organisations、systems、"
		 "people、grants、tokens、approvals、saved-searches、jobs、system-events、"
		 "block-entries、dns-requests、dns-zones、detection-rules、detection-exceptions、"
		 "attack-matrix、detection-findings、retro-hunts、my-sessions、my-tokens、my-passkeys、"
		 "--filter id=ALERT を付けて alert-evidence、alert-history、alert-comments。",
	 .run = run_create},
	{.noun = "export",
	 .verb = "fetch",
	 .args = "JOB",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = fetch_opts,
	 .doc = "Fetch the file of an export ordered before; it is kept for a day.",
	 .doc_ja = "先に作ったファイルを取り出す(一日保存)。",
	 .run = run_fetch},
	{.noun = NULL},
};

const struct yg_cmd yg_cmds_search[] = {
	{.noun = "search",
	 .verb = "save",
	 .changes = true,
	 .args = "NAME",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = save_opts,
	 .doc = "Keep a search of the console under a name.",
	 .doc_ja = "コンソールの検索に名前を付けて保存する。",
	 .run = run_save},
	{.noun = "search",
	 .verb = "list",
	 .opts = list_opts,
	 .doc = "List one's own searches and those shared.",
	 .doc_ja = "自分の検索と共有された検索の一覧。",
	 .run = run_list},
	{.noun = "search",
	 .verb = "remove",
	 .changes = true,
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .doc = "Forget a search of one's own.",
	 .doc_ja = "自分の検索を削除する。",
	 .run = run_remove},
	{.noun = NULL},
};
