/* system.c - the state of the installation: doctor, status, jobs, the audit
 * log, backups of a running server. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/print.h"
#include "cmd/tables.h"

#define AUDIT "/api/v1/audit-log"
#define JOBS  "/api/v1/jobs"

static yg_status get(const struct yg_cli *c, const char *path, struct yg_reply *r,
		     struct yg_err *err)
{
	YG_AUTO(yg_client_closep) struct yg_client *client = NULL;
	yg_status st = yg_client_open(c, &client, err);
	return st == YG_OK
		       ? yg_client_call(client, &(struct yg_call){.method = "GET", .path = path}, r,
					err)
		       : st;
}

static void print_check(const struct yg_cli *c, json_t *check)
{
	char state[16], name[64], text[1024], hint[1024];
	(void)yg_member_text(check, "state", state, sizeof state);
	(void)yg_member_text(check, "hint", hint, sizeof hint);
	bool color = yg_cli_color(c);
	struct yg_sv s = yg_sv_of(state);
	const char *on = YG_SV_IS(s, "ok")     ? "\033[32m"
			 : YG_SV_IS(s, "warn") ? "\033[33m"
					       : "\033[31m";
	(void)printf("%s%-5s%s %-24s %s\n", color ? on : "", state, color ? "\033[0m" : "",
		     yg_member_text(check, "name", name, sizeof name),
		     yg_member_text(check, "text", text, sizeof text));
	if (hint[0] != '\0')
		(void)printf("      %s %s\n", yg_cli_japanese(c) ? "対処:" : "do:", hint);
}

static int run_doctor(struct yg_cli *c)
{
	struct yg_reply r = {0};
	struct yg_err err;
	yg_status st = get(c, "/api/v1/doctor", &r, &err);
	char state[16] = "fail";
	if (st == YG_OK) {
		size_t i;
		json_t *check;
		(void)yg_member_text(r.json, "state", state, sizeof state);
		if (yg_cli_json(c))
			yg_print_object(c, r.json);
		else
			json_array_foreach(json_object_get(r.json, "checks"), i, check)
				print_check(c, check);
	}
	yg_reply_free(&r);
	if (st != YG_OK)
		return yg_cli_fail(&err);
	return yg_sv_eq(yg_sv_of(state), YG_SV("fail")) ? 3 : 0; /* 3: the check found problems */
}

static int run_status(struct yg_cli *c)
{
	return yg_call_and_print(c, &(struct yg_call){.method = "GET", .path = "/api/v1/status"});
}

static const struct yg_column job_columns[] = {{"ID", "id", 28},         {"KIND", "kind", 20},
					       {"STATE", "state", 10},   {"DONE", "done", 9},
					       {"TOTAL", "total", 9},    {"ERRORS", "errors", 6},
					       {"MESSAGE", "message", 0}};

static int run_job_list(struct yg_cli *c)
{
	return yg_list(c, JOBS, NULL, job_columns, YG_LEN(job_columns));
}

static int run_job_show(struct yg_cli *c)
{
	char path[256];
	return yg_call_and_print(c, &(struct yg_call){.method = "GET",
						      .path = yg_path(path, sizeof path, JOBS,
								      yg_cli_arg(c, 0), "")});
}

static int run_job_cancel(struct yg_cli *c)
{
	char path[256];
	return yg_call_and_print(
		c,
		&(struct yg_call){.method = "DELETE",
				  .path = yg_path(path, sizeof path, JOBS, yg_cli_arg(c, 0),
						  yg_cli_has(c, "dry-run") ? "?dry_run=1" : "")});
}

static int run_job_undo(struct yg_cli *c)
{
	char path[256];
	return yg_send(c, "POST", yg_path(path, sizeof path, JOBS, yg_cli_arg(c, 0), "/undo"), NULL,
		       NULL);
}

static const struct yg_column audit_columns[] = {{"SEQ", "seq", 7},        {"TIME", "at", 27},
						 {"WHO", "actor", 24},     {"ORG", "org", 16},
						 {"ACTION", "action", 20}, {"OBJECT", "object", 28},
						 {"DETAIL", "detail", 0}};

static int run_audit_list(struct yg_cli *c)
{
	static const char *const filters[] = {"org", "object", NULL};
	return yg_list(c, AUDIT, filters, audit_columns, YG_LEN(audit_columns));
}

static const struct yg_column system_columns[] = {{"TIME", "time", 27},
						  {"LEVEL", "level", 6},
						  {"ROLE", "role", 10},
						  {"NAME", "name", 24},
						  {"FIELDS", "fields", 0}};

static int run_system_events(struct yg_cli *c)
{
	return yg_list(c, "/api/v1/system-events", NULL, system_columns, YG_LEN(system_columns));
}

static int run_backup_create(struct yg_cli *c)
{
	return yg_send(c, "POST", "/api/v1/backups", NULL, NULL);
}

static const struct yg_column backup_columns[] = {
	{"NAME", "name", 40}, {"BYTES", "bytes", 14}, {"CREATED", "created_at", 0}};

static int run_backup_list(struct yg_cli *c)
{
	return yg_list(c, "/api/v1/backups", NULL, backup_columns, YG_LEN(backup_columns));
}

#define O_LIMIT                                                                                    \
	YG_O_VALUE("limit", "N", "At most N rows; 0 for all (default 50).",                        \
		   "最大 N 行。0 は全部(既定 50)。")
static const struct yg_opt limit_opts[] = {O_LIMIT, YG_OPTS_END};
static const struct yg_opt nowait_opts[] = {
	YG_O_FLAG("no-wait", "Do not wait for the job.", "ジョブの終了を待たない。"), YG_OPTS_END};
static const struct yg_opt audit_opts[] = {
	YG_O_VALUE("org", "ORG", "Only this organisation.", "この組織だけ。"),
	YG_O_VALUE("object", "ID", "Only about this object.", "この対象だけ。"), O_LIMIT,
	YG_OPTS_END};

const struct yg_cmd yg_cmds_system[] = {
	{.noun = "doctor",
	 .doc = "Check the whole installation and say what to do.",
	 .doc_ja = "全体を点検し、対処を示す。",
	 .run = run_doctor},
	{.noun = "status",
	 .doc = "Show versions, roles, counters and coverage.",
	 .doc_ja = "版・役割・計数・網羅状況を表示する。",
	 .run = run_status},
	{.noun = "audit-log",
	 .verb = "list",
	 .opts = audit_opts,
	 .doc = "List who changed what, newest first.",
	 .doc_ja = "変更の記録の一覧(新しい順)。",
	 .run = run_audit_list},
	{.noun = "job",
	 .verb = "list",
	 .opts = limit_opts,
	 .doc = "List jobs.",
	 .doc_ja = "ジョブの一覧。",
	 .run = run_job_list},
	{.noun = "job",
	 .verb = "show",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .doc = "Show a job.",
	 .doc_ja = "ジョブを表示する。",
	 .run = run_job_show},
	{.noun = "job",
	 .verb = "cancel",
	 .changes = true,
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .doc = "Cancel a job.",
	 .doc_ja = "ジョブを取り消す。",
	 .run = run_job_cancel},
	{.noun = "job",
	 .verb = "undo",
	 .changes = true,
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = nowait_opts,
	 .doc = "Put back what a bulk change of alerts changed; for seven days.",
	 .doc_ja = "警報の一括変更を元に戻す(終了から7日間)。",
	 .run = run_job_undo},
	{.noun = "system-event",
	 .verb = "list",
	 .opts = limit_opts,
	 .doc = "List crashes, restarts, reloads and other news of the system.",
	 .doc_ja = "異常終了・再起動・再読込などの記録の一覧。",
	 .run = run_system_events},
	{.noun = "backup",
	 .verb = "create",
	 .changes = true,
	 .opts = nowait_opts,
	 .doc = "Back up the running server.",
	 .doc_ja = "稼働中のサーバーをバックアップする。",
	 .run = run_backup_create},
	{.noun = "backup",
	 .verb = "list",
	 .opts = limit_opts,
	 .doc = "List backups.",
	 .doc_ja = "バックアップの一覧。",
	 .run = run_backup_list},
	{.noun = NULL},
};
