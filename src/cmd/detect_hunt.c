/* detect_hunt.c - rules over what the event store has. */
#include <stdlib.h>

#include "cmd/print.h"
#include "cmd/tables.h"
#include "os/file.h"

#define TRY      "/api/v1/detection-rules/try"
#define HUNTS    "/api/v1/retro-hunts"
#define TEXT_MAX (256u << 10)

static const struct yg_column asset_columns[] = {
	{"MATCHES", "matches", 8}, {"ORG", "org", 20}, {"ASSET", "asset", 0}};
static const struct yg_column sample_columns[] = {
	{"TIME", "time", 27}, {"ORG", "org", 16}, {"EVENT", "event", 0}};

static void print_try(const struct yg_cli *c, json_t *job)
{
	json_t *result = yg_member(job, "result");
	if (yg_cli_json(c)) {
		yg_print_object(c, result);
		return;
	}
	yg_note(c, "%lld matches%s", (long long)json_integer_value(yg_member(result, "matches")),
		json_is_true(yg_member(result, "cut")) ? ", and then it ended" : "");
	yg_print_items(c, yg_member(result, "assets"), asset_columns, YG_LEN(asset_columns));
	yg_print_items(c, yg_member(result, "samples"), sample_columns, YG_LEN(sample_columns));
}

/* Sends `body`, waits for the job; *out_job is the caller's. */
static yg_status ordered(struct yg_cli *c, const char *path, json_t *body, json_t **out_job,
			 struct yg_err *err)
{
	YG_AUTO(yg_client_closep) struct yg_client *client = NULL;
	char id[80];
	struct yg_reply r = {0};
	char *text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	yg_status st = yg_client_open(c, &client, err);
	if (st == YG_OK)
		st = yg_client_call(
			client,
			&(struct yg_call){.method = "POST", .path = path, .body = yg_sv_of(text)},
			&r, err);
	free(text);
	(void)yg_member_text(r.json, "id", id, sizeof id);
	yg_reply_free(&r);
	return st == YG_OK ? yg_wait_job(c, client, id, out_job, err) : st;
}

static int run_try(struct yg_cli *c)
{
	YG_AUTO(yg_buf_free) struct yg_buf text = {0};
	struct yg_err err;
	json_t *body = json_object(), *job = NULL;
	yg_status st = YG_OK;
	yg_buf_init(&text, TEXT_MAX);
	if (yg_sv_starts(yg_sv_of(yg_cli_arg(c, 0)), YG_SV("r-"))) {
		yg_set_text(body, "rule", yg_cli_arg(c, 0));
	} else {
		st = yg_file_read(yg_cli_arg(c, 0), TEXT_MAX, &text, &err);
		(void)json_object_set_new(body, "text", json_stringn(text.p, text.n));
	}
	yg_set_text(body, "org", yg_cli_get(c, "org"));
	yg_set_text(body, "day", yg_cli_get(c, "day"));
	if (st == YG_OK)
		st = ordered(c, TRY, body, &job, &err);
	else
		json_decref(body);
	if (st == YG_OK)
		print_try(c, job);
	json_decref(job);
	return st == YG_OK ? 0 : yg_cli_fail(&err);
}

static const struct yg_opt try_opts[] = {
	YG_O_VALUE("org", "ORG", "Events of this organisation and those below it.",
		   "この組織と配下の組織のイベント。"),
	YG_O_NEEDED("day", "DAY",
		    "A day in UTC such as 2026-11-20, or the time at which the 24 hours begin.",
		    "UTC の日(例 2026-11-20)、または 24 時間の始まりの時刻。"),
	YG_OPTS_END};

/* ---- hunts ---- */

static int run_start(struct yg_cli *c)
{
	struct yg_err err;
	json_t *body = json_object(), *values = NULL;
	const char *one, *org = yg_cli_get(c, "org");
	for (size_t i = 0; (one = yg_cli_nth(c, "indicator", i)) != NULL; i++) {
		if (values == NULL)
			values = json_array();
		(void)json_array_append_new(values, json_string(one));
	}
	if (values != NULL)
		(void)json_object_set_new(body, "indicators", values);
	yg_set_text(body, "rule", yg_cli_get(c, "rule"));
	yg_set_text(body, "list", yg_cli_get(c, "list"));
	yg_set_text(body, "org", org);
	if (org == NULL && yg_cli_has(c, "everywhere"))
		(void)json_object_set_new(body, "org", json_null());
	yg_status st = yg_set_past(c, body, "from", "from", &err);
	if (st == YG_OK)
		st = yg_set_past(c, body, "until", "until", &err);
	if (st != YG_OK) {
		json_decref(body);
		return yg_cli_fail(&err);
	}
	return yg_send(c, "POST", HUNTS, body, NULL);
}

static int run_list(struct yg_cli *c)
{
	static const char *const filters[] = {"org", "state", "sort", NULL};
	static const struct yg_column columns[] = {{"ID", "id", 28},
						   {"STATE", "state", 10},
						   {"KIND", "kind", 10},
						   {"MATCHES", "matches", 8},
						   {"FINDINGS", "findings", 8},
						   {"ORG", "org", 16},
						   {"CREATED", "created_at", 27},
						   {"TITLE", "title", 0}};
	return yg_list(c, HUNTS, filters, columns, YG_LEN(columns));
}

static int run_show(struct yg_cli *c)
{
	char path[256];
	return yg_call_and_print(c, &(struct yg_call){.method = "GET",
						      .path = yg_path(path, sizeof path, HUNTS,
								      yg_cli_arg(c, 0), "")});
}

static const struct yg_opt start_opts[] = {
	YG_O_VALUE("rule", "RULE", "Id of a rule or correlation.", "ルールまたは相関ルールの ID。"),
	YG_O_LIST("indicator", "VALUE",
		  "An address, prefix, name, URL, hash or mail address; may be repeated.",
		  "アドレス、プレフィックス、名前、URL、ハッシュ、メールアドレス。複数可。"),
	YG_O_VALUE("list", "LIST", "An indicator list.", "指標リスト。"),
	YG_O_VALUE("org", "ORG", "Events of this organisation and those below it.",
		   "この組織と配下の組織のイベント。"),
	YG_O_FLAG("everywhere", "Events of all organisations.", "全組織のイベント。"),
	YG_O_VALUE("from", "WHEN", "RFC 3339 or now-30d; default 90 days before --until.",
		   "開始(RFC 3339 または now-30d)。既定は --until の 90 日前。"),
	YG_O_VALUE("until", "WHEN", "RFC 3339 or now-1d; default now.",
		   "終了(RFC 3339 または now-1d)。既定は現在。"),
	YG_O_FLAG("no-wait", "Print the job and do not wait for its end.",
		  "ジョブを表示し、終了を待たない。"),
	YG_OPTS_END};
static const struct yg_opt list_opts[] = {
	YG_O_VALUE("org", "ORG", "Only of this organisation and those below it.",
		   "この組織と配下の組織だけ。"),
	YG_O_VALUE("state", "STATE", "queued, running, done, failed, cancelled or interrupted.",
		   "queued、running、done、failed、cancelled、interrupted。"),
	YG_O_VALUE("sort", "ORDER", "newest (default), or matches: the most first.",
		   "並び順。newest(既定)、matches(一致の多い順)。"),
	YG_O_VALUE("limit", "N", "At most N rows; 0 for all (default 50).",
		   "最大 N 行。0 は全部(既定 50)。"),
	YG_OPTS_END};

const struct yg_cmd yg_cmds_detect_hunt[] = {
	{.noun = "detect",
	 .verb = "try",
	 .args = "RULE",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = try_opts,
	 .doc = "Try a Sigma rule against the events of one day.",
	 .doc_ja = "Sigma ルールを一日分のイベントに試す。",
	 .more = "RULE is a file with one rule, or the id of one (r-...).  Prints how many events it matches, of which assets, and "
		 "20 of them; makes no alert.  Of a correlation, each time that it held.",
	 .run = run_try},
	{.noun = "retro-hunt",
	 .verb = "start",
	 .changes = true,
	 .opts = start_opts,
	 .doc = "Look for a rule or indicators in the past.",
	 .doc_ja = "ルールまたは指標を過去のイベントに対して調べる。",
	 .more = "One of --rule, --indicator and --list.  What is found joins alerts, marked as historical; "
		 "what was told before is not told again.  Matches beyond the bound are counted (cut): the same hunt "
		 "again tells of the next ones.",
	 .run = run_start},
	{.noun = "retro-hunt",
	 .verb = "list",
	 .opts = list_opts,
	 .doc = "List hunts over the past, newest first.",
	 .doc_ja = "遡及調査の一覧(新しい順)。",
	 .run = run_list},
	{.noun = "retro-hunt",
	 .verb = "show",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .doc = "Show one hunt.",
	 .doc_ja = "遡及調査を一つ表示する。",
	 .run = run_show},
	{.noun = NULL},
};
