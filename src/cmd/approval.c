/* approval.c - what takes two people. */
#include "cmd/print.h"
#include "cmd/tables.h"

#define APPROVALS "/api/v1/approvals"

static int run_list(struct yg_cli *c)
{
	static const char *const filters[] = {"state", "org", NULL};
	static const struct yg_column columns[] = {{"ID", "id", 28},
						   {"KIND", "kind", 22},
						   {"STATE", "state", 10},
						   {"ORG", "org", 20},
						   {"ASKED BY", "requested_by", 35},
						   {"MADE", "created_at", 20},
						   {"REASON", "reason", 0}};
	return yg_list(c, APPROVALS, filters, columns, YG_LEN(columns));
}

static int run_show(struct yg_cli *c)
{
	char path[256];
	return yg_call_and_print(c, &(struct yg_call){.method = "GET",
						      .path = yg_path(path, sizeof path, APPROVALS,
								      yg_cli_arg(c, 0), "")});
}

static int run_request(struct yg_cli *c)
{
	json_t *body = json_object();
	yg_set_text(body, "kind", yg_cli_arg(c, 0));
	yg_set_text(body, "org", yg_cli_get(c, "org"));
	yg_set_text(body, "person", yg_cli_get(c, "person"));
	yg_set_text(body, "reason", yg_cli_get(c, "reason"));
	return yg_send(c, "POST", APPROVALS, body, NULL);
}

static int decide(struct yg_cli *c, bool yes)
{
	char path[256];
	json_t *body = json_object();
	(void)json_object_set_new(body, "approve", json_boolean(yes));
	yg_set_text(body, "reason", yg_cli_get(c, "reason"));
	return yg_send(c, "POST",
		       yg_path(path, sizeof path, APPROVALS, yg_cli_arg(c, 0), "/decision"), body,
		       NULL);
}

static int run_approve(struct yg_cli *c)
{
	return decide(c, true);
}

static int run_refuse(struct yg_cli *c)
{
	return decide(c, false);
}

static int run_withdraw(struct yg_cli *c)
{
	char path[256];
	return yg_send(c, "DELETE", yg_path(path, sizeof path, APPROVALS, yg_cli_arg(c, 0), ""),
		       NULL, NULL);
}

static const struct yg_opt list_opts[] = {
	YG_O_VALUE("state", "STATE", "open, approved, refused, withdrawn or expired.",
		   "状態。open、approved、refused、withdrawn、expired。"),
	YG_O_VALUE("org", "ORG", "Only what concerns this organisation and below.",
		   "この組織とその下に関するものだけ。"),
	YG_O_VALUE("limit", "N", "At most N rows; 0 for all (default 50).",
		   "最大 N 行。0 は全部(既定 50)。"),
	YG_OPTS_END};
#define O_REASON(doc, ja) YG_O_VALUE("reason", "TEXT", doc, ja)
static const struct yg_opt request_opts[] = {
	YG_O_VALUE("org", "ORG", "The organisation to be removed.", "削除する組織。"),
	YG_O_VALUE("person", "ID", "Whom it makes an administrator, or no more.",
		   "管理者にする、またはやめさせる利用者。"),
	O_REASON("Why; the other person reads it.", "理由。もう一人の人が読む。"), YG_OPTS_END};
static const struct yg_opt decide_opts[] = {
	O_REASON("Why; it is kept with the decision.", "理由。決定とともに残る。"), YG_OPTS_END};

const struct yg_cmd yg_cmds_approval[] = {
	{.noun = "approval",
	 .verb = "list",
	 .opts = list_opts,
	 .doc = "List what needs a second person.",
	 .doc_ja = "もう一人の承認を要する申請の一覧。",
	 .run = run_list},
	{.noun = "approval",
	 .verb = "show",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .doc = "Show one of them.",
	 .doc_ja = "申請を一つ表示する。",
	 .run = run_show},
	{.noun = "approval",
	 .verb = "request",
	 .changes = true,
	 .args = "KIND",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = request_opts,
	 .doc = "Ask for organisation.remove, administrator.grant or administrator.revoke; another person decides within a week.",
	 .doc_ja = "organisation.remove、administrator.grant、administrator.revoke "
		   "を申請する。別の人が一週間以内に決める。",
	 .run = run_request},
	{.noun = "approval",
	 .verb = "approve",
	 .changes = true,
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = decide_opts,
	 .doc = "Approve what another person asked for; it is done at once.",
	 .doc_ja = "ほかの人の申請を承認する。直ちに実行される。",
	 .run = run_approve},
	{.noun = "approval",
	 .verb = "refuse",
	 .changes = true,
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = decide_opts,
	 .doc = "Refuse it, or take back what one asked for oneself.",
	 .doc_ja = "申請を却下する。自分の申請は取り下げる。",
	 .run = run_refuse},
	{.noun = "approval",
	 .verb = "withdraw",
	 .changes = true,
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .doc = "Take back what one asked for oneself, also without the right to decide.",
	 .doc_ja = "自分の申請を取り下げる。決める権限は要らない。",
	 .run = run_withdraw},
	{.noun = NULL},
};
