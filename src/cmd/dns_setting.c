/* dns_setting.c - what protective DNS goes by, on the server. */
#include "cmd/print.h"
#include "cmd/tables.h"

#define BLOCKS   "/api/v1/block-entries"
#define SETTINGS "/api/v1/dns-settings"

static const struct yg_column block_columns[] = {
	{"ID", "id", 28},       {"ORG", "org", 16},           {"TYPE", "type", 8},
	{"VALUE", "value", 40}, {"CATEGORY", "category", 16}, {"EXPIRES", "expires_at", 20},
	{"REASON", "reason", 0}};

/* --org ORG, or --all: null. */
static void set_org(const struct yg_cli *c, json_t *body)
{
	if (yg_cli_has(c, "all"))
		(void)json_object_set_new(body, "org", json_null());
	else
		yg_set_text(body, "org", yg_cli_get(c, "org"));
}

static int run_block(struct yg_cli *c)
{
	struct yg_err err;
	json_t *body = json_object();
	yg_set_text(body, "type", yg_cli_arg(c, 0));
	yg_set_text(body, "value", yg_cli_arg(c, 1));
	yg_set_text(body, "reason", yg_cli_get(c, "reason"));
	yg_set_text(body, "category", yg_cli_get(c, "category"));
	yg_set_text(body, "ede", yg_cli_get(c, "ede"));
	set_org(c, body);
	if (yg_cli_has(c, "force-suffix"))
		(void)json_object_set_new(body, "force", json_true());
	if (yg_set_when(c, body, "expires_at", "expires", &err) == YG_OK)
		return yg_send(c, "POST", BLOCKS, body, NULL);
	json_decref(body);
	return yg_cli_fail(&err);
}

static int run_blocked(struct yg_cli *c)
{
	static const char *const filters[] = {"org", NULL};
	return yg_list(c, BLOCKS, filters, block_columns, YG_LEN(block_columns));
}

static int run_unblock(struct yg_cli *c)
{
	char path[256];
	return yg_send(c, "DELETE", yg_path(path, sizeof path, BLOCKS, yg_cli_arg(c, 0), ""), NULL,
		       NULL);
}

static int run_settings(struct yg_cli *c)
{
	char url[256];
	struct yg_sb b = yg_sb_init(url, sizeof url);
	yg_sb_put(&b, YG_SV(SETTINGS));
	yg_url_query(&b, "org", yg_cli_get(c, "org"));
	if (yg_sb_done(&b) != YG_OK)
		return yg_cli_usage(c, "the name is too long");
	return yg_call_and_print(c, &(struct yg_call){.method = "GET", .path = url});
}

/* "inherit": null. */
static void set_word(json_t *body, const char *member, const char *word)
{
	if (yg_sv_eq(yg_sv_of(word), YG_SV("inherit")))
		(void)json_object_set_new(body, member, json_null());
	else
		yg_set_text(body, member, word);
}

static int run_mode(struct yg_cli *c)
{
	json_t *body = json_object();
	yg_set_text(body, "layer", yg_cli_arg(c, 0));
	set_word(body, "mode", yg_cli_arg(c, 1));
	set_org(c, body);
	return yg_send(c, "PUT", "/api/v1/dns-modes", body, NULL);
}

/* "nxdomain", "nodata", "sinkhole ADDRESS...", "cname NAME", "inherit". */
static int run_answer(struct yg_cli *c)
{
	struct yg_err err;
	const char *word = yg_cli_arg(c, 0);
	struct yg_sv kind = yg_sv_of(word);
	size_t n = yg_cli_argc(c);
	bool cname = yg_sv_eq(kind, YG_SV("cname")), sinkhole = yg_sv_eq(kind, YG_SV("sinkhole"));
	if (cname ? n != 2 : sinkhole ? n < 2 : n != 1)
		return yg_cli_usage(c, cname ? "cname NAME" : "sinkhole ADDRESS...");
	json_t *body = json_object(), *addresses = json_array();
	set_word(body, "answer", word);
	set_org(c, body);
	yg_set_text(body, "category", yg_cli_get(c, "category"));
	if (cname)
		yg_set_text(body, "target", yg_cli_arg(c, 1));
	for (size_t i = 1; sinkhole && i < n; i++)
		(void)json_array_append_new(addresses, json_string(yg_cli_arg(c, i)));
	if (sinkhole)
		(void)json_object_set(body, "addresses", addresses);
	json_decref(addresses);
	if (yg_set_number(c, body, "ttl", "ttl", 86400, &err) == YG_OK)
		return yg_send(c, "PUT", "/api/v1/dns-answers", body, NULL);
	json_decref(body);
	return yg_cli_fail(&err);
}

#define O_ORG YG_O_VALUE("org", "ORG", "The organisation.", "組織。")
#define O_ALL YG_O_FLAG("all", "For all organisations.", "全組織について。")
#define O_CAT                                                                                      \
	YG_O_VALUE("category", "WORD", "Category, such as malware (a-z 0-9 . _ -).",               \
		   "分類。例 malware(a-z 0-9 . _ -)。")
static const struct yg_opt block_opts[] = {
	O_ORG,
	O_ALL,
	O_CAT,
	YG_O_NEEDED("reason", "TEXT", "Why it is blocked.", "遮断する理由。"),
	YG_O_VALUE("ede", "WORD", "Extended DNS Error: blocked, censored or filtered.",
		   "拡張 DNS エラー。blocked、censored、filtered。"),
	YG_O_VALUE("expires", "WHEN", "Time, span such as 30d, or never.",
		   "期限。時刻、30d のような期間、never。"),
	YG_O_FLAG("force-suffix", "Take it although it covers a whole public suffix.",
		  "公開サフィックス全体を覆っても受け入れる。"),
	YG_OPTS_END};
static const struct yg_opt blocked_opts[] = {O_ORG,
					     YG_O_VALUE("limit", "N",
							"At most N rows; 0 for all (default 50).",
							"最大 N 行。0 は全部(既定 50)。"),
					     YG_OPTS_END};
static const struct yg_opt settings_opts[] = {O_ORG, YG_OPTS_END};
static const struct yg_opt mode_opts[] = {O_ORG, O_ALL, YG_OPTS_END};
static const struct yg_opt answer_opts[] = {
	O_ORG, O_ALL, O_CAT,
	YG_O_VALUE("ttl", "SECONDS", "TTL of the answer (default 60).", "応答の TTL(既定 60)。"),
	YG_OPTS_END};

const struct yg_cmd yg_cmds_dns_setting[] = {
	{.noun = "dns",
	 .verb = "block",
	 .args = "domain|fqdn|ip VALUE",
	 .args_min = 2,
	 .args_max = 2,
	 .opts = block_opts,
	 .changes = true,
	 .doc = "Have protective DNS refuse a name, or answers with an address, for an "
		"organisation and all below it.",
	 .doc_ja = "組織とその配下について、名前またはその住所を持つ応答を保護 DNS で遮断する。",
	 .run = run_block},
	{.noun = "dns",
	 .verb = "blocked",
	 .opts = blocked_opts,
	 .doc = "List block entries.",
	 .doc_ja = "遮断項目の一覧。",
	 .run = run_blocked},
	{.noun = "dns",
	 .verb = "unblock",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .changes = true,
	 .doc = "Remove a block entry.",
	 .doc_ja = "遮断項目を削除する。",
	 .run = run_unblock},
	{.noun = "dns",
	 .verb = "settings",
	 .opts = settings_opts,
	 .doc = "Show how protective DNS treats an organisation: modes of the layers, answers.",
	 .doc_ja = "組織に対する保護 DNS の扱い(層のモードと応答)を表示する。",
	 .run = run_settings},
	{.noun = "dns",
	 .verb = "mode",
	 .args = "LAYER enforce|audit-only|off|inherit",
	 .args_min = 2,
	 .args_max = 2,
	 .opts = mode_opts,
	 .changes = true,
	 .doc = "Set the mode of a layer (org-allow, centre-allow, org-block, centre-zone, "
		"indicators).",
	 .doc_ja =
		 "層(org-allow、centre-allow、org-block、centre-zone、indicators)のモードを定める。",
	 .run = run_mode},
	{.noun = "dns",
	 .verb = "answer",
	 .args = "nxdomain|nodata|sinkhole ADDRESS...|cname NAME|inherit",
	 .args_min = 1,
	 .args_max = 17,
	 .opts = answer_opts,
	 .changes = true,
	 .doc = "Set what a refusal becomes, for a category or for all.",
	 .doc_ja = "遮断時の応答を、分類ごとまたは全体について定める。",
	 .run = run_answer},
	{.noun = NULL},
};
