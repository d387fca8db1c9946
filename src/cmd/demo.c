/* demo.c - the demonstration: center makes it as a job (role/center_demo.c). */
#include "cmd/print.h"
#include "cmd/tables.h"

#define DEMO "/api/v1/demo"

static int run_load(struct yg_cli *c)
{
	struct yg_err err;
	json_t *body = json_object();
	if (yg_set_number(c, body, "records", "records", 1000000, &err) == YG_OK)
		return yg_send(c, "POST", DEMO, body, NULL);
	json_decref(body);
	return yg_cli_fail(&err);
}

static int run_status(struct yg_cli *c)
{
	return yg_call_and_print(c, &(struct yg_call){.method = "GET", .path = DEMO});
}

static int run_remove(struct yg_cli *c)
{
	return yg_send(c, "DELETE", DEMO, NULL, NULL);
}

static const struct yg_opt load_opts[] = {
	YG_O_VALUE("records", "N", "About how many records (default 200,000).",
		   "おおよその記録数(既定 200,000)。"),
	YG_O_FLAG("no-wait", "Do not wait for the job.", "ジョブの終了を待たない。"), YG_OPTS_END};
static const struct yg_opt remove_opts[] = {
	YG_O_FLAG("no-wait", "Do not wait for the job.", "ジョブの終了を待たない。"), YG_OPTS_END};

const struct yg_cmd yg_cmds_demo[] = {
	{.noun = "demo",
	 .verb = "load",
	 .changes = true,
	 .opts = load_opts,
	 .doc = "Load twelve made-up organisations with sixty systems, 90 days of logs and the indicators that match some of them.",
	 .doc_ja = "架空の 12 組織と 60 システム、90 日分のログ、それに合う指標を読み込む。",
	 .run = run_load},
	{.noun = "demo",
	 .verb = "status",
	 .doc = "Is there a demonstration?",
	 .doc_ja = "デモの有無を表示する。",
	 .run = run_status},
	{.noun = "demo",
	 .verb = "remove",
	 .changes = true,
	 .away = true,
	 .opts = remove_opts,
	 .doc = "Remove the demonstration with all its data.",
	 .doc_ja = "デモをデータごと削除する。",
	 .run = run_remove},
	{.noun = NULL},
};
