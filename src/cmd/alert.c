/* alert.c - the analyst's verbs. */
#include "cmd/print.h"
#include "cmd/tables.h"

#define ALERTS "/api/v1/alerts"

static const struct yg_column columns[] = {{"ID", "id", 28},       {"ORG", "org", 16},
					   {"STATE", "state", 11}, {"SEV", "severity_id", 3},
					   {"COUNT", "count", 6},  {"LAST SEEN", "last_seen", 20},
					   {"ASSET", "asset", 24}, {"INDICATOR", "indicator", 32},
					   {"FAMILY", "family", 0}};

static int run_list(struct yg_cli *c)
{
	static const char *const filters[] = {"org",       "state", "severity", "assignee",
					      "indicator", "q",     "sort",     NULL};
	static const char *const paths[] = {ALERTS, ALERTS "?watched=true", ALERTS "?overdue=true",
					    ALERTS "?watched=true&overdue=true"};
	return yg_list(c, paths[yg_cli_has(c, "watched") + 2 * yg_cli_has(c, "overdue")], filters,
		       columns, YG_LEN(columns));
}

static int run_group(struct yg_cli *c)
{
	static const char *const filters[] = {"by",        "org",   "state", "severity", "assignee",
					      "indicator", "asset", "q",     NULL};
	static const struct yg_column cols[] = {{"COUNT", "count", 8},
						{"ORGS", "orgs", 6},
						{"SEV", "severity_id", 3},
						{"FINDINGS", "findings", 10},
						{"FIRST SEEN", "first_seen", 27},
						{"LAST SEEN", "last_seen", 27},
						{"KEY", "key", 0}};
	return yg_list(c, "/api/v1/alert-groups", filters, cols, YG_LEN(cols));
}

/* What the newest match read, beside the alert. */
static void add_matched(json_t *alert, json_t *events)
{
	json_t *newest = json_array_get(json_object_get(events, "items"), 0);
	if (newest == NULL)
		return;
	(void)json_object_set(alert, "matched", json_object_get(newest, "fields"));
	(void)json_object_set(alert, "historical", json_object_get(newest, "historical"));
}

static int run_show(struct yg_cli *c)
{
	YG_AUTO(yg_client_closep) struct yg_client *client = NULL;
	struct yg_reply alert = {0}, events = {0};
	char path[256], matches[256];
	const struct yg_call calls[] = {
		{.method = "GET", .path = yg_path(path, sizeof path, ALERTS, yg_cli_arg(c, 0), "")},
		{.method = "GET",
		 .path = yg_path(matches, sizeof matches, ALERTS, yg_cli_arg(c, 0),
				 "/events?limit=1")}};
	struct yg_err err;
	yg_status st = yg_client_open(c, &client, &err);
	if (st == YG_OK)
		st = yg_client_call(client, &calls[0], &alert, &err);
	/* who may not read its events still sees the alert */
	if (st == YG_OK && yg_client_call(client, &calls[1], &events, &(struct yg_err){0}) == YG_OK)
		add_matched(alert.json, events.json);
	if (st == YG_OK)
		yg_print_object(c, alert.json);
	yg_reply_free(&alert);
	yg_reply_free(&events);
	return st == YG_OK ? 0 : yg_cli_fail(&err);
}

static int page(struct yg_cli *c, const char *tail, const struct yg_column *cols, size_t count)
{
	char path[256];
	return yg_list(c, yg_path(path, sizeof path, ALERTS, yg_cli_arg(c, 0), tail), NULL, cols,
		       count);
}

static int run_events(struct yg_cli *c)
{
	static const struct yg_column cols[] = {{"EVENT", "event", 28},
						{"TIME", "time", 27},
						{"FIELD", "field", 12},
						{"VALUE", "value", 0}};
	return page(c, "/events", cols, YG_LEN(cols));
}

static int run_watch(struct yg_cli *c)
{
	char path[256];
	return yg_send(c, yg_cli_has(c, "end") ? "DELETE" : "PUT",
		       yg_path(path, sizeof path, ALERTS, yg_cli_arg(c, 0), "/watch"), NULL, NULL);
}

static int run_history(struct yg_cli *c)
{
	static const struct yg_column cols[] = {{"SEQ", "seq", 6},
						{"TIME", "at", 27},
						{"WHO", "actor", 24},
						{"ACTION", "action", 16},
						{"DETAIL", "detail", 0}};
	return page(c, "/history", cols, YG_LEN(cols));
}

static int run_comments(struct yg_cli *c)
{
	static const struct yg_column cols[] = {
		{"TIME", "created_at", 27}, {"WHO", "author", 24}, {"TEXT", "text", 0}};
	return page(c, "/comments", cols, YG_LEN(cols));
}

/* A time with its reason; "none" takes it back. */
static yg_status later(struct yg_cli *c, json_t *set, const char *option, const char *member,
		       const char *why, struct yg_err *err)
{
	const char *at = yg_cli_get(c, option);
	if (at != NULL && yg_sv_eq(yg_sv_of(at), YG_SV("none"))) {
		(void)json_object_set_new(set, member, json_null());
		return YG_OK;
	}
	if (at != NULL && yg_cli_get(c, "reason") == NULL)
		return YG_FAIL(err, YG_INVAL, "--%s needs a --reason", option);
	if (at != NULL) {
		yg_set_text(set, why, yg_cli_get(c, "reason"));
		(void)json_object_del(set, "reason"); /* that one is of closing */
	}
	return yg_set_when(c, set, member, option, err);
}

static yg_status changes(struct yg_cli *c, json_t *set, struct yg_err *err)
{
	yg_set_text(set, "state", yg_cli_get(c, "state"));
	yg_set_text(set, "verdict", yg_cli_get(c, "verdict"));
	yg_set_text(set, "reason", yg_cli_get(c, "reason"));
	yg_status st = later(c, set, "due", "due_at", "due_reason", err);
	if (st == YG_OK)
		st = later(c, set, "snooze", "snoozed_until", "snooze_reason", err);
	if (st != YG_OK)
		return st;
	const char *who = yg_cli_get(c, "assign");
	if (who != NULL && yg_sv_eq(yg_sv_of(who), YG_SV("none")))
		(void)json_object_set_new(set, "assignee", json_null());
	else
		yg_set_text(set, "assignee", who);
	return yg_set_number(c, set, "severity_id", "set-severity", 6, err);
}

static int patch(struct yg_cli *c, json_t *body)
{
	char path[256];
	(void)yg_path(path, sizeof path, ALERTS, yg_cli_arg(c, 0), "");
	return yg_send(c, "PATCH", path, body, path);
}

static int run_set(struct yg_cli *c)
{
	json_t *body = json_object();
	struct yg_err err;
	if (changes(c, body, &err) == YG_OK && json_object_size(body) > 0)
		return patch(c, body);
	bool nothing = json_object_size(body) == 0;
	json_decref(body);
	return nothing ? yg_cli_usage(c, "say what to change") : yg_cli_fail(&err);
}

static int run_snooze(struct yg_cli *c)
{
	json_t *body = json_object();
	struct yg_err err;
	if (yg_cli_has(c, "end")) {
		(void)json_object_set_new(body, "snoozed_until", json_null());
		return patch(c, body);
	}
	yg_set_text(body, "snooze_reason", yg_cli_get(c, "reason"));
	yg_status st = yg_set_when(c, body, "snoozed_until", "until", &err);
	if (st == YG_OK && json_object_size(body) == 2)
		return patch(c, body);
	json_decref(body);
	return st == YG_OK ? yg_cli_usage(c, "--until and --reason are needed, or --end")
			   : yg_cli_fail(&err);
}

#define POLICY "/api/v1/due-policy"
static int show_policy(struct yg_cli *c)
{
	static const struct yg_column cols[] = {
		{"SEV", "severity_id", 3}, {"SPAN S", "span_s", 10}, {"OWN", "own", 0}};
	char url[256];
	json_t *policy = NULL;
	struct yg_sb b = yg_sb_init(url, sizeof url);
	yg_sb_put(&b, YG_SV(POLICY));
	yg_url_query(&b, "org", yg_cli_get(c, "org"));
	int rc = yg_fetch(c, yg_sb_cstr(&b), &policy);
	yg_print_items(c, json_object_get(policy, "items"), cols, YG_LEN(cols));
	json_decref(policy);
	return rc;
}

static int run_due_policy(struct yg_cli *c)
{
	const char *span = yg_cli_get(c, "span");
	int64_t us = 0;
	struct yg_err err;
	if (span == NULL)
		return show_policy(c);
	json_t *body = json_object();
	const char *org = yg_cli_get(c, "org");
	bool inherit = yg_sv_eq(yg_sv_of(span), YG_SV("inherited"));
	bool none = yg_sv_eq(yg_sv_of(span), YG_SV("none"));
	yg_status st = inherit || none ? YG_OK : yg_parse_span(yg_sv_of(span), &us, &err);
	if (st == YG_OK)
		st = yg_set_number(c, body, "severity_id", "severity", 6, &err);
	(void)json_object_set_new(body, "org", org != NULL ? json_string(org) : json_null());
	(void)json_object_set_new(body, "span_s",
				  inherit ? json_null() : json_integer(us / YG_US_PER_S));
	if (st == YG_OK)
		return yg_send(c, "PUT", POLICY, body, NULL);
	json_decref(body);
	return yg_cli_fail(&err);
}

static int run_close(struct yg_cli *c)
{
	json_t *body = json_object();
	yg_set_text(body, "state", "closed");
	yg_set_text(body, "verdict", yg_cli_get(c, "verdict"));
	yg_set_text(body, "reason", yg_cli_get(c, "reason"));
	return patch(c, body);
}

static int post(struct yg_cli *c, const char *tail, json_t *body)
{
	char path[256];
	return yg_send(c, "POST", yg_path(path, sizeof path, ALERTS, yg_cli_arg(c, 0), tail), body,
		       NULL);
}

static int run_comment(struct yg_cli *c)
{
	json_t *body = json_object();
	yg_set_text(body, "text", yg_cli_arg(c, 1));
	return post(c, "/comments", body);
}

static json_t *args_from(struct yg_cli *c, size_t first)
{
	json_t *list = json_array();
	for (size_t i = first; i < yg_cli_argc(c); i++)
		(void)json_array_append_new(list, json_string(yg_cli_arg(c, i)));
	return list;
}

static int run_merge(struct yg_cli *c)
{
	json_t *body = json_object();
	(void)json_object_set_new(body, "others", args_from(c, 1));
	yg_set_text(body, "reason", yg_cli_get(c, "reason"));
	return post(c, "/merge", body);
}

static int run_unmerge(struct yg_cli *c)
{
	return post(c, "/unmerge", NULL);
}

static int run_split(struct yg_cli *c)
{
	json_t *body = json_object();
	(void)json_object_set_new(body, "events", args_from(c, 1));
	yg_set_text(body, "reason", yg_cli_get(c, "reason"));
	return post(c, "/split", body);
}

static int run_allow(struct yg_cli *c)
{
	json_t *body = json_object();
	struct yg_err err;
	yg_set_text(body, "reason", yg_cli_get(c, "reason"));
	yg_set_text(body, "scope", yg_cli_has(c, "all-organisations") ? "all" : "organisation");
	if (yg_set_when(c, body, "expires_at", "expires", &err) == YG_OK)
		return post(c, "/allow", body);
	json_decref(body);
	return yg_cli_fail(&err);
}

static int run_bulk(struct yg_cli *c)
{
	json_t *body = json_object(), *set = json_object();
	struct yg_err err;
	(void)json_object_set_new(body, "set", set);
	yg_status st = changes(c, set, &err);
	if (yg_cli_argc(c) > 0) {
		(void)json_object_set_new(body, "ids", args_from(c, 0));
	} else {
		json_t *filter = json_object();
		(void)json_object_set_new(body, "filter", filter);
		yg_set_text(filter, "org", yg_cli_get(c, "org"));
		yg_set_text(filter, "state", yg_cli_get(c, "from-state"));
		yg_set_text(filter, "indicator", yg_cli_get(c, "indicator"));
		yg_set_text(filter, "assignee", yg_cli_get(c, "assignee"));
		yg_set_text(filter, "q", yg_cli_get(c, "q"));
		if (yg_cli_has(c, "watched"))
			(void)json_object_set_new(filter, "watched", json_true());
		if (yg_cli_has(c, "overdue"))
			(void)json_object_set_new(filter, "overdue", json_true());
		if (st == YG_OK)
			st = yg_set_number(c, filter, "severity", "severity", 6, &err);
		if (st == YG_OK && json_object_size(filter) == 0)
			st = YG_FAIL(
				&err, YG_INVAL,
				"name alerts or a filter; a change of all alerts is not taken");
	}
	if (st == YG_OK)
		return yg_send(c, "POST", ALERTS "/bulk", body, NULL);
	json_decref(body);
	return yg_cli_fail(&err);
}

#define F_ORG YG_O_VALUE("org", "ORG", "Only this organisation.", "この組織だけ。")
#define F_SEVERITY                                                                                 \
	YG_O_VALUE("severity", "N", "At least this OCSF severity, 1 to 6.",                        \
		   "この重大度以上(OCSF、1~6)。")
#define F_ASSIGNEE                                                                                 \
	YG_O_VALUE("assignee", "WHO", "Only of this person; none for the unassigned.",             \
		   "担当者。none は未割り当て。")
#define F_INDICATOR YG_O_VALUE("indicator", "VALUE", "Only about this indicator.", "この指標だけ。")
#define F_WORDS                                                                                    \
	YG_O_VALUE("q", "WORDS", "Words in title, indicator and asset.",                           \
		   "表題・指標・資産に含まれる語。")
#define F_LIMIT                                                                                    \
	YG_O_VALUE("limit", "N", "At most N rows; 0 for all (default 50).",                        \
		   "最大 N 行。0 は全部(既定 50)。")
#define S_STATE                                                                                    \
	YG_O_VALUE("state", "STATE", "New state: new, in_progress, on_hold, closed.",              \
		   "新しい状態: new、in_progress、on_hold、closed。")
#define S_VERDICT                                                                                  \
	YG_O_VALUE("verdict", "VERDICT", "true, false, benign or duplicate.",                      \
		   "判定: true、false、benign、duplicate。")
#define S_REASON YG_O_VALUE("reason", "TEXT", "Why.", "理由。")
#define S_ASSIGN                                                                                   \
	YG_O_VALUE("assign", "WHO", "Who works on it; none for nobody.", "担当者。none で外す。")
#define S_SEVERITY                                                                                 \
	YG_O_VALUE("set-severity", "N", "New OCSF severity, 1 to 6.", "新しい重大度(1~6)。")

#define F_STATE                                                                                    \
	YG_O_VALUE(                                                                                \
		"state", "STATE",                                                                  \
		"new, in_progress, on_hold, closed, open, several with commas; or active, "        \
		"open and not put off, or snoozed.",                                               \
		"状態(カンマ区切りで複数)。open は closed 以外。active は後回しを除く未完了、snoozed は後回し。")
#define F_WATCHED YG_O_FLAG("watched", "Only those that you watch.", "自分が注視しているものだけ。")
#define F_OVERDUE                                                                                  \
	YG_O_FLAG("overdue", "Only open ones whose due time has come.",                            \
		  "期限を過ぎた未完了のものだけ。")
#define S_DUE                                                                                      \
	YG_O_VALUE(                                                                                \
		"due", "WHEN",                                                                     \
		"Due time of its own, with --reason: a time or a span such as 3d; none: by "       \
		"the policy.",                                                                     \
		"個別の対応期限(--reason 必須)。時刻か 3d のような期間。none で方針どおりに戻す。")
#define S_SNOOZE                                                                                   \
	YG_O_VALUE("snooze", "WHEN", "Put off until then, with --reason; none: no longer.",        \
		   "この時まで後回しにする(--reason 必須)。none で解除。")
static const struct yg_opt list_opts[] = {
	F_ORG,
	F_STATE,
	F_SEVERITY,
	F_ASSIGNEE,
	F_WATCHED,
	F_OVERDUE,
	YG_O_VALUE("sort", "ORDER",
		   "newest (default), severity, last_seen, or due, the soonest first.",
		   "並び順。newest(既定)、severity、last_seen、due(期限の近い順)。"),
	F_INDICATOR,
	F_WORDS,
	F_LIMIT,
	YG_OPTS_END};
static const struct yg_opt watch_opts[] = {
	YG_O_FLAG("end", "No longer watch it.", "注視をやめる。"), YG_OPTS_END};
static const struct yg_opt group_opts[] = {
	YG_O_VALUE("by", "KEY", "indicator (default), org, asset, category or list.",
		   "まとめ方。indicator(既定)、org、asset、category、list。"),
	F_ORG,
	F_STATE,
	F_SEVERITY,
	F_ASSIGNEE,
	F_INDICATOR,
	YG_O_VALUE("asset", "ASSET", "Only of this asset.", "この資産だけ。"),
	F_WORDS,
	F_LIMIT,
	YG_OPTS_END};
static const struct yg_opt limit_opts[] = {F_LIMIT, YG_OPTS_END};
static const struct yg_opt set_opts[] = {S_STATE,    S_VERDICT, S_REASON, S_ASSIGN,
					 S_SEVERITY, S_DUE,     S_SNOOZE, YG_OPTS_END};
static const struct yg_opt snooze_opts[] = {
	YG_O_VALUE("until", "WHEN", "A time to come, or a span such as 3d.",
		   "いつまで。時刻か 3d のような期間。"),
	S_REASON, YG_O_FLAG("end", "Put it off no longer.", "後回しをやめる。"), YG_OPTS_END};
static const struct yg_opt due_policy_opts[] = {
	YG_O_VALUE("org", "ORG", "The node; without it your own, or all.",
		   "対象の組織。省略時は自分の組織、または全体。"),
	YG_O_VALUE("severity", "N", "The OCSF severity to set, 1 to 6.", "設定する重大度(1~6)。"),
	YG_O_VALUE("span", "SPAN", "Such as 8h or 3d; none: no due time; inherited: as above it.",
		   "8h や 3d。none は期限なし、inherited は上位に従う。"),
	YG_OPTS_END};
static const struct yg_opt close_opts[] = {
	YG_O_NEEDED("verdict", "VERDICT", "true, false, benign or duplicate.",
		    "判定: true、false、benign、duplicate。"),
	YG_O_NEEDED("reason", "TEXT", "Why.", "理由。"), YG_OPTS_END};
static const struct yg_opt reason_opts[] = {S_REASON, YG_OPTS_END};
static const struct yg_opt allow_opts[] = {
	YG_O_NEEDED("reason", "TEXT", "Why it is no danger.", "危険でない理由。"),
	YG_O_VALUE("expires", "WHEN", "Time, span such as 30d (default), or never.",
		   "期限。時刻、30d(既定)、never。"),
	YG_O_FLAG("all-organisations", "Allow it for all organisations, not only the alert's.",
		  "この組織だけでなく全組織で許可する。"),
	YG_OPTS_END};
static const struct yg_opt bulk_opts[] = {
	F_ORG,
	YG_O_VALUE("from-state", "STATE", "Only alerts in this state.", "この状態の警報だけ。"),
	F_SEVERITY,
	F_ASSIGNEE,
	F_INDICATOR,
	F_WORDS,
	F_WATCHED,
	F_OVERDUE,
	S_STATE,
	S_VERDICT,
	S_REASON,
	S_ASSIGN,
	S_SEVERITY,
	S_DUE,
	S_SNOOZE,
	YG_O_FLAG("no-wait", "Do not wait for the job.", "ジョブの終了を待たない。"),
	YG_OPTS_END};

const struct yg_cmd yg_cmds_alert[] = {
	{.noun = "alert",
	 .verb = "list",
	 .opts = list_opts,
	 .doc = "List alerts, the last seen first.",
	 .doc_ja = "警報の一覧(最近のものから)。",
	 .run = run_list},
	{.noun = "alert",
	 .verb = "group",
	 .opts = group_opts,
	 .doc = "List alerts in groups, the worst first, then the largest.",
	 .doc_ja = "警報をまとめ、重大度の高い順、件数の多い順に一覧する。",
	 .run = run_group},
	{.noun = "alert",
	 .verb = "show",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .doc = "Show an alert.",
	 .doc_ja = "警報を表示する。",
	 .run = run_show},
	{.noun = "alert",
	 .verb = "events",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = limit_opts,
	 .doc = "List the evidence of an alert; yagura event show prints one.",
	 .doc_ja = "警報の根拠となるイベントの一覧。",
	 .run = run_events},
	{.noun = "alert",
	 .verb = "watch",
	 .changes = true,
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = watch_opts,
	 .doc = "Keep an eye on an alert; alert list --watched lists them.",
	 .doc_ja = "警報を注視する。一覧は alert list --watched。",
	 .run = run_watch},
	{.noun = "alert",
	 .verb = "history",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = limit_opts,
	 .doc = "List every change of an alert.",
	 .doc_ja = "警報の変更履歴。",
	 .run = run_history},
	{.noun = "alert",
	 .verb = "set",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = set_opts,
	 .changes = true,
	 .doc = "Change state, assignee, severity or due time.",
	 .doc_ja = "状態・担当者・重大度・対応期限を変える。",
	 .run = run_set},
	{.noun = "alert",
	 .verb = "snooze",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = snooze_opts,
	 .changes = true,
	 .doc = "Put an alert off until a time; it comes back by itself.",
	 .doc_ja = "警報を後回しにする。時刻になると自動で戻る。",
	 .run = run_snooze},
	{.noun = "alert",
	 .verb = "due-policy",
	 .opts = due_policy_opts,
	 .changes = true,
	 .doc = "Show by when alerts are to be done with, by severity; with --severity and --span set it.",
	 .doc_ja = "重大度ごとの対応期限を表示する。--severity と --span で設定する。",
	 .run = run_due_policy},
	{.noun = "alert",
	 .verb = "close",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = close_opts,
	 .changes = true,
	 .doc = "Close an alert with a verdict and a reason.",
	 .doc_ja = "判定と理由を付けて警報を閉じる。",
	 .run = run_close},
	{.noun = "alert",
	 .verb = "comment",
	 .args = "ID TEXT",
	 .args_min = 2,
	 .args_max = 2,
	 .changes = true,
	 .doc = "Add a comment.",
	 .doc_ja = "コメントを付ける。",
	 .run = run_comment},
	{.noun = "alert",
	 .verb = "comments",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = limit_opts,
	 .doc = "List comments.",
	 .doc_ja = "コメントの一覧。",
	 .run = run_comments},
	{.noun = "alert",
	 .verb = "merge",
	 .args = "ID OTHER...",
	 .args_min = 2,
	 .args_max = 201,
	 .opts = reason_opts,
	 .changes = true,
	 .doc = "Join the other alerts into the first.",
	 .doc_ja = "ほかの警報を最初の警報に統合する。",
	 .run = run_merge},
	{.noun = "alert",
	 .verb = "unmerge",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .changes = true,
	 .doc = "Take back that the alert was merged into another.",
	 .doc_ja = "統合を取り消し、元の警報に戻す。",
	 .run = run_unmerge},
	{.noun = "alert",
	 .verb = "split",
	 .args = "ID EVENT...",
	 .args_min = 2,
	 .args_max = 201,
	 .opts = reason_opts,
	 .changes = true,
	 .doc = "Move some of the evidence into an alert of its own.",
	 .doc_ja = "一部の根拠を別の警報に分ける。",
	 .run = run_split},
	{.noun = "alert",
	 .verb = "allow",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = allow_opts,
	 .changes = true,
	 .doc = "Allow the alert's indicator from now on and close it as false.",
	 .doc_ja = "警報の指標を許可し、誤検知として閉じる。",
	 .run = run_allow},
	{.noun = "alert",
	 .verb = "bulk",
	 .changes = true,
	 .args = "[ID...]",
	 .args_max = 10000,
	 .opts = bulk_opts,
	 .doc = "Change many alerts, by id or by filter.",
	 .doc_ja = "多くの警報をまとめて変える(ID または条件)。",
	 .run = run_bulk},
	{.noun = NULL},
};
