/* detect_notice.c - findings beside rules: those there are, how far they go; what correlations hold. */
#include "cmd/print.h"
#include "cmd/tables.h"

#define NOTICES "/api/v1/detection-notices"

static const struct yg_column found_columns[] = {
	{"LAST SEEN", "last_seen", 20}, {"ORG", "org", 14},        {"KIND", "kind", 8},
	{"SCORE", "score", 5},          {"SEV", "severity_id", 3}, {"STAGE", "stage", 10},
	{"COUNT", "count", 5},          {"REASON", "reason", 0}};
static const struct yg_column setting_columns[] = {
	{"KIND", "kind", 8}, {"STAGE", "stage", 10}, {"OWN", "own", 0}};
static const struct yg_column state_columns[] = {{"ID", "id", 28},
						 {"STAGE", "stage", 10},
						 {"GROUPS", "state.groups", 8},
						 {"EVENTS", "state.events", 9},
						 {"HITS", "state.hits", 7},
						 {"LATE", "state.late", 7},
						 {"EVICTED", "state.evicted", 7},
						 {"CUT", "state.cut", 7},
						 {"DROPPED", "state.dropped", 7},
						 {"TITLE", "title", 0}};

static int run_findings(struct yg_cli *c)
{
	static const char *const filters[] = {"org", "kind", "stage", NULL};
	return yg_list(c, "/api/v1/detection-findings", filters, found_columns,
		       YG_LEN(found_columns));
}

static int run_notices(struct yg_cli *c)
{
	char url[256];
	struct yg_sb b = yg_sb_init(url, sizeof url);
	yg_sb_put(&b, YG_SV(NOTICES));
	yg_url_query(&b, "org", yg_cli_get(c, "org"));
	json_t *settings = NULL;
	int rc = yg_fetch(c, yg_sb_cstr(&b), &settings);
	yg_print_items(c, json_object_get(settings, "items"), setting_columns,
		       YG_LEN(setting_columns));
	json_decref(settings);
	return rc;
}

static int run_notice(struct yg_cli *c)
{
	const char *stage = yg_cli_arg(c, 1);
	bool inherit = yg_sv_eq(yg_sv_of(stage), YG_SV("inherited"));
	json_t *body = json_object();
	yg_set_text(body, "kind", yg_cli_arg(c, 0));
	(void)json_object_set_new(body, "stage", inherit ? json_null() : json_string(stage));
	if (yg_cli_has(c, "all-orgs"))
		(void)json_object_set_new(body, "org", json_null());
	else
		yg_set_text(body, "org", yg_cli_get(c, "org"));
	return yg_send(c, "PUT", NOTICES, body, NULL);
}

static int run_correlations(struct yg_cli *c)
{
	static const char *const filters[] = {"org", "stage", "q", NULL};
	return yg_list(c, "/api/v1/detection-rules?kind=correlation", filters, state_columns,
		       YG_LEN(state_columns));
}

#define O_ORG YG_O_VALUE("org", "ORG", "The organisation and those below it.", "組織とその配下。")
#define O_LIMIT                                                                                    \
	YG_O_VALUE("limit", "N", "At most N rows; 0 for all (default 50).",                        \
		   "最大 N 行。0 は全部(既定 50)。")
static const struct yg_opt found_opts[] = {
	O_ORG,
	YG_O_VALUE("kind", "KIND", "beacon, spray, travel, scan, volume, silence or flood.",
		   "beacon、spray、travel、scan、volume、silence、flood。"),
	YG_O_VALUE("stage", "STAGE", "How far the newest went: test, audit-only or live.",
		   "最新のものの段階(test、audit-only、live)。"),
	O_LIMIT, YG_OPTS_END};
static const struct yg_opt show_opts[] = {
	YG_O_VALUE("org", "ORG", "The node; without it your own, or all.",
		   "対象の組織。省略時は自分の組織、または全体。"),
	YG_OPTS_END};
static const struct yg_opt set_opts[] = {
	YG_O_VALUE("org", "ORG", "The node; without it your own.",
		   "対象の組織。省略時は自分の組織。"),
	YG_O_FLAG("all-orgs", "For all organisations.", "全組織について。"), YG_OPTS_END};
static const struct yg_opt correlation_opts[] = {
	O_ORG,
	YG_O_VALUE("stage", "STAGES", "One or several stages, with commas.",
		   "段階(コンマ区切り)。"),
	YG_O_VALUE("q", "TEXT", "What title, id, name, tags or file have in them.",
		   "題名・ID・名前・タグ・ファイル名に含まれる語。"),
	O_LIMIT, YG_OPTS_END};

const struct yg_cmd yg_cmds_detect_notice[] = {
	{.noun = "detect",
	 .verb = "findings",
	 .opts = found_opts,
	 .doc = "List findings beside rules: beacons, scans, silent sources ... with score and reason.",
	 .doc_ja =
		 "ルール以外の検知(定期的な通信、スキャン、ログの途絶など)の一覧。スコアと理由つき。",
	 .more = "Of each thing that is watched the newest finding, and how many there were; also those "
		 "that are no alert.",
	 .run = run_findings},
	{.noun = "detect",
	 .verb = "notices",
	 .opts = show_opts,
	 .doc = "Show how far each kind of finding beside rules goes at a node.",
	 .doc_ja = "ルール以外の検知の段階を、種類ごとに表示する。",
	 .run = run_notices},
	{.noun = "detect",
	 .verb = "notice",
	 .changes = true,
	 .args = "KIND STAGE",
	 .args_min = 2,
	 .args_max = 2,
	 .opts = set_opts,
	 .doc = "Say how far a kind goes: off, test, audit-only, live, or inherited from above.",
	 .doc_ja = "種類の段階を定める(off、test、audit-only、live。inherited は上位に従う)。",
	 .more = "It holds for the node and all below it; the nearest node wins.  test and audit-only: a "
		 "finding; live: an alert too.",
	 .run = run_notice},
	{.noun = "detect",
	 .verb = "correlations",
	 .opts = correlation_opts,
	 .doc = "List correlations with what they hold: groups, events, late and evicted ones.",
	 .doc_ja = "相関ルールと、保持中のグループ・遅延・追い出しの数の一覧。",
	 .more = "The numbers are of all organisations together, and shown to those who see them all.",
	 .run = run_correlations},
	{.noun = NULL},
};
