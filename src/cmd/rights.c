/* rights.c - roles, who holds them where, and information systems. */
#include <string.h>

#include "cmd/print.h"
#include "cmd/tables.h"

#define GRANTS  "/api/v1/grants"
#define SYSTEMS "/api/v1/systems"

static int run_role_list(struct yg_cli *c)
{
	static const struct yg_column columns[] = {
		{"ROLE", "role", 20}, {"TITLE", "title", 32}, {"SCOPES", "scopes", 0}};
	return yg_list(c, "/api/v1/roles", NULL, columns, YG_LEN(columns));
}

static int run_grant_list(struct yg_cli *c)
{
	static const char *const filters[] = {"person", "org", NULL};
	static const struct yg_column columns[] = {
		{"ID", "id", 28},        {"PERSON", "person", 28},      {"ROLE", "role", 20},
		{"NODE", "node", 20},    {"SYSTEM", "system", 28},      {"FROM", "period_from", 20},
		{"TO", "period_to", 20}, {"EXPIRES", "expires_at", 20}, {"REASON", "reason", 0}};
	return yg_list(c, GRANTS, filters, columns, YG_LEN(columns));
}

static int run_grant_add(struct yg_cli *c)
{
	struct yg_err err;
	json_t *body = json_object();
	yg_set_text(body, "person", yg_cli_arg(c, 0));
	yg_set_text(body, "role", yg_cli_arg(c, 1));
	yg_set_text(body, "node", yg_cli_get(c, "node"));
	yg_set_text(body, "system", yg_cli_get(c, "system"));
	yg_set_text(body, "reason", yg_cli_get(c, "reason"));
	yg_set_text(body, "period_from", yg_cli_get(c, "period-from"));
	yg_set_text(body, "period_to", yg_cli_get(c, "period-to"));
	if (yg_set_when(c, body, "expires_at", "expires", &err) != YG_OK) {
		json_decref(body);
		return yg_cli_fail(&err);
	}
	return yg_send(c, "POST", GRANTS, body, NULL);
}

static int run_grant_remove(struct yg_cli *c)
{
	char path[256];
	return yg_send(c, "DELETE", yg_path(path, sizeof path, GRANTS, yg_cli_arg(c, 0), ""), NULL,
		       NULL);
}

static int run_system_list(struct yg_cli *c)
{
	static const char *const filters[] = {"org", NULL};
	static const struct yg_column columns[] = {
		{"ID", "id", 28},         {"ORG", "org", 20},          {"NAME", "name", 20},
		{"IMP", "importance", 3}, {"C", "confidentiality", 3}, {"I", "integrity", 2},
		{"A", "availability", 2}, {"TITLE", "title", 0}};
	return yg_list(c, SYSTEMS, filters, columns, YG_LEN(columns));
}

static int run_system_show(struct yg_cli *c)
{
	char path[256];
	return yg_call_and_print(c, &(struct yg_call){.method = "GET",
						      .path = yg_path(path, sizeof path, SYSTEMS,
								      yg_cli_arg(c, 0), "")});
}

static void set_list(const struct yg_cli *c, json_t *body, const char *member, const char *option)
{
	const char *one;
	json_t *list = json_array();
	for (size_t i = 0; (one = yg_cli_nth(c, option, i)) != NULL; i++)
		if (strcmp(one, "none") != 0)
			(void)json_array_append_new(list, json_string(one));
	if (yg_cli_nth(c, option, 0) != NULL)
		(void)json_object_set_new(body, member, list);
	else
		json_decref(list);
}

static yg_status set_system(const struct yg_cli *c, json_t *body, struct yg_err *err)
{
	yg_set_text(body, "title_ja", yg_cli_get(c, "title"));
	yg_set_text(body, "title_en", yg_cli_get(c, "title"));
	yg_set_text(body, "owner", yg_cli_get(c, "owner"));
	yg_set_text(body, "scheme", yg_cli_get(c, "scheme"));
	yg_set_text(body, "confidentiality", yg_cli_get(c, "confidentiality"));
	yg_status st = yg_set_number(c, body, "importance", "importance", 3, err);
	if (st == YG_OK)
		st = yg_set_number(c, body, "integrity", "integrity", 2, err);
	if (st == YG_OK)
		st = yg_set_number(c, body, "availability", "availability", 2, err);
	return st;
}

static int run_system_add(struct yg_cli *c)
{
	struct yg_err err;
	json_t *body = json_object();
	yg_set_text(body, "org", yg_cli_arg(c, 0));
	yg_set_text(body, "name", yg_cli_arg(c, 1));
	set_list(c, body, "networks", "network");
	set_list(c, body, "hosts", "host");
	if (set_system(c, body, &err) != YG_OK) {
		json_decref(body);
		return yg_cli_fail(&err);
	}
	return yg_send(c, "POST", SYSTEMS, body, NULL);
}

static int run_system_change(struct yg_cli *c)
{
	struct yg_err err;
	char path[256];
	json_t *body = json_object();
	if (set_system(c, body, &err) != YG_OK) {
		json_decref(body);
		return yg_cli_fail(&err);
	}
	(void)yg_path(path, sizeof path, SYSTEMS, yg_cli_arg(c, 0), "");
	return yg_send(c, "PATCH", path, body, path);
}

static int run_system_member(struct yg_cli *c)
{
	char path[256];
	json_t *body = json_object();
	set_list(c, body, "networks", "network");
	set_list(c, body, "hosts", "host");
	(void)yg_path(path, sizeof path, SYSTEMS, yg_cli_arg(c, 0), "");
	return yg_send(c, "PATCH", path, body, path);
}

static int run_system_remove(struct yg_cli *c)
{
	char path[256];
	return yg_send(c, "DELETE", yg_path(path, sizeof path, SYSTEMS, yg_cli_arg(c, 0), ""), NULL,
		       NULL);
}

#define LIMIT_OPTION                                                                               \
	YG_O_VALUE("limit", "N", "At most N rows; 0 for all (default 50).",                        \
		   "最大 N 行。0 は全部(既定 50)。")
#define ORG_OPTION                                                                                 \
	YG_O_VALUE("org", "ORG", "Only this organisation and what is below it.",                   \
		   "この組織とその下位だけ。")
#define SYSTEM_OPTIONS                                                                             \
	YG_O_VALUE("title", "TEXT", "Name for people, in any script.", "表示名(日本語可)。"),      \
		YG_O_VALUE("owner", "PERSON", "Who answers for it.", "責任者。"),                  \
		YG_O_VALUE("importance", "N", "1 to 3, 3 the highest.",                            \
			   "重要度 1〜3。3 が最も高い。"),                                         \
		YG_O_VALUE("scheme", "SCHEME",                                                     \
			   "Grades: cia3 (unified standards) or local5 (local governments).",      \
			   "格付けの方式。cia3(統一基準)、local5(自治体)。"),                      \
		YG_O_VALUE("confidentiality", "GRADE", "1 2 3, or 1 2 3C 3B 3A with local5.",      \
			   "機密性。1 2 3、local5 では 1 2 3C 3B 3A。"),                           \
		YG_O_VALUE("integrity", "N", "1 or 2.", "完全性 1〜2。"),                          \
		YG_O_VALUE("availability", "N", "1 or 2.", "可用性 1〜2。")
#define MEMBER_OPTIONS                                                                             \
	YG_O_LIST("network", "NETWORK",                                                            \
		  "Network of the system (192.0.2.0/24); may be repeated; none: no network.",      \
		  "システムのネットワーク(192.0.2.0/24)。複数可。none は空にする。"),              \
		YG_O_LIST("host", "HOST", "Host of the system; may be repeated; none: no host.",   \
			  "システムのホスト。複数可。none は空にする。")
static const struct yg_opt limit_opts[] = {LIMIT_OPTION, YG_OPTS_END};
static const struct yg_opt list_opts[] = {ORG_OPTION, LIMIT_OPTION, YG_OPTS_END};
static const struct yg_opt grant_list_opts[] = {
	YG_O_VALUE("person", "PERSON", "Only what this person holds.", "この人が持つものだけ。"),
	ORG_OPTION, LIMIT_OPTION, YG_OPTS_END};
static const struct yg_opt grant_opts[] = {
	YG_O_VALUE("node", "ORG", "Where it holds, with everything below; without it: the whole.",
		   "有効な組織(下位を含む)。省略すると全体。"),
	YG_O_VALUE("system", "SYSTEM", "The information system, for a system_owner.",
		   "情報システム(system_owner の場合)。"),
	YG_O_VALUE("period-from", "TIME", "Begin of what an auditor sees.",
		   "監査の対象期間の始め。"),
	YG_O_VALUE("period-to", "TIME", "End of what an auditor sees.", "監査の対象期間の終わり。"),
	YG_O_VALUE("expires", "WHEN", "Time, span such as 90d, or never (default).",
		   "期限。時刻、90d のような期間、never(既定)。"),
	YG_O_VALUE("reason", "TEXT", "Why, for the audit log.", "理由(監査ログに残る)。"),
	YG_OPTS_END};
static const struct yg_opt system_opts[] = {SYSTEM_OPTIONS, YG_OPTS_END};
static const struct yg_opt system_add_opts[] = {SYSTEM_OPTIONS, MEMBER_OPTIONS, YG_OPTS_END};
static const struct yg_opt member_opts[] = {MEMBER_OPTIONS, YG_OPTS_END};

const struct yg_cmd yg_cmds_rights[] = {
	{.noun = "role",
	 .verb = "list",
	 .opts = limit_opts,
	 .doc = "List the roles and what they may.",
	 .doc_ja = "役割とその権限の一覧。",
	 .run = run_role_list},
	{.noun = "grant",
	 .verb = "list",
	 .opts = grant_list_opts,
	 .doc = "List who holds which role where.",
	 .doc_ja = "誰がどこでどの役割を持つかの一覧。",
	 .run = run_grant_list},
	{.noun = "grant",
	 .verb = "add",
	 .args = "PERSON ROLE",
	 .args_min = 2,
	 .args_max = 2,
	 .opts = grant_opts,
	 .changes = true,
	 .doc = "Give a person a role.",
	 .doc_ja = "人に役割を与える。",
	 .run = run_grant_add},
	{.noun = "grant",
	 .verb = "remove",
	 .away = true,
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .changes = true,
	 .doc = "Take a role away at once.",
	 .doc_ja = "役割を直ちに取り消す。",
	 .run = run_grant_remove},
	{.noun = "system",
	 .verb = "list",
	 .opts = list_opts,
	 .doc = "List information systems.",
	 .doc_ja = "情報システムの一覧。",
	 .run = run_system_list},
	{.noun = "system",
	 .verb = "add",
	 .args = "ORG NAME",
	 .args_min = 2,
	 .args_max = 2,
	 .opts = system_add_opts,
	 .changes = true,
	 .doc = "Add an information system of an organisation.",
	 .doc_ja = "組織の情報システムを追加する。",
	 .run = run_system_add},
	{.noun = "system",
	 .verb = "show",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .doc = "Show an information system.",
	 .doc_ja = "情報システムを表示する。",
	 .run = run_system_show},
	{.noun = "system",
	 .verb = "change",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = system_opts,
	 .changes = true,
	 .doc = "Change an information system.",
	 .doc_ja = "情報システムを変える。",
	 .run = run_system_change},
	{.noun = "system",
	 .verb = "member",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = member_opts,
	 .changes = true,
	 .doc = "Set the networks or hosts that belong to an information system.",
	 .doc_ja = "情報システムに属するネットワークやホストを設定する。",
	 .run = run_system_member},
	{.noun = "system",
	 .verb = "remove",
	 .away = true,
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .changes = true,
	 .doc = "Remove an information system.",
	 .doc_ja = "情報システムを削除する。",
	 .run = run_system_remove},
	{.noun = NULL},
};
