/* audit_verify.c - is the audit log whole?  Of a running server, or of a
 * database file by itself. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/print.h"
#include "cmd/tables.h"
#include "org/audit_log.h"

#define CHECK_FOUND_PROBLEMS 3
#define VERIFY               "/api/v1/audit-log/verify"

static int tell(const struct yg_cli *c, const struct yg_audit_report *r)
{
	char head[96];
	struct yg_sb b = yg_sb_init(head, sizeof head);
	yg_audit_anchor_format(&b, &r->head);
	if (yg_cli_json(c)) {
		json_t *o =
			json_pack("{s:b, s:I, s:s, s:s}", "ok", r->ok, "entries",
				  (json_int_t)r->entries, "text", r->text, "head", yg_sb_cstr(&b));
		(void)json_object_set_new(o, "first_bad",
					  r->first_bad > 0 ? json_integer(r->first_bad)
							   : json_null());
		yg_print_object(c, o);
		json_decref(o);
	} else {
		(void)printf("%s\nhead %s\n", r->text, yg_sb_cstr(&b));
	}
	return r->ok ? 0 : CHECK_FOUND_PROBLEMS;
}

static int verify_file(struct yg_cli *c, const char *file, const struct yg_audit_anchor *anchor)
{
	struct yg_state *db = NULL;
	struct yg_err err;
	struct yg_audit_report report;
	yg_status st = access(file, R_OK) == 0
			       ? yg_state_open_read(file, &db, &err)
			       : YG_FAIL(&err, YG_NOTFOUND, "'%s' cannot be read", file);
	if (st == YG_OK)
		st = yg_audit_verify(db, anchor, &report, &err);
	yg_state_close(db);
	return st == YG_OK ? tell(c, &report) : yg_cli_fail(&err);
}

static int verify_server(struct yg_cli *c, const struct yg_audit_anchor *anchor)
{
	YG_AUTO(yg_client_closep) struct yg_client *client = NULL;
	struct yg_err err;
	struct yg_reply r = {0};
	char body[160], hex[2 * YG_AUDIT_HASH + 1] = "", text[512], head[80];
	struct yg_call call = {.method = "GET", .path = VERIFY};
	if (anchor != NULL) {
		struct yg_sb b = yg_sb_init(hex, sizeof hex);
		yg_sb_hex(&b, anchor->hash, sizeof anchor->hash);
		(void)snprintf(body, sizeof body, "{\"seq\":%lld,\"hash\":\"%s\"}",
			       (long long)anchor->seq, yg_sb_cstr(&b));
		call = (struct yg_call){.method = "POST", .path = VERIFY, .body = yg_sv_of(body)};
	}
	yg_status st = yg_client_open(c, &client, &err);
	if (st == YG_OK)
		st = yg_client_call(client, &call, &r, &err);
	bool ok = json_is_true(json_object_get(r.json, "ok"));
	if (st == YG_OK && yg_cli_json(c))
		yg_print_object(c, r.json);
	else if (st == YG_OK)
		(void)printf("%s\nhead %lld:%s\n",
			     yg_member_text(r.json, "text", text, sizeof text),
			     (long long)json_integer_value(json_object_get(r.json, "entries")),
			     yg_member_text(r.json, "head", head, sizeof head));
	yg_reply_free(&r);
	return st != YG_OK ? yg_cli_fail(&err) : ok ? 0 : CHECK_FOUND_PROBLEMS;
}

static int run_verify(struct yg_cli *c)
{
	const char *noted = yg_cli_get(c, "head"), *file = yg_cli_get(c, "state");
	struct yg_audit_anchor anchor;
	struct yg_err err;
	if (noted != NULL && yg_audit_anchor_parse(yg_sv_of(noted), &anchor, &err) != YG_OK)
		return yg_cli_usage(c, "--head: %s", err.msg);
	const struct yg_audit_anchor *use = noted != NULL ? &anchor : NULL;
	return file != NULL ? verify_file(c, file, use) : verify_server(c, use);
}

static const struct yg_opt opts[] = {
	YG_O_FILE("state", "FILE", "Verify this database file, without a server.",
		  "サーバーなしでこのデータベースを検証する。"),
	YG_O_VALUE("head", "SEQ:HASH", "Also compare with a head noted before.",
		   "以前控えた末尾の値とも照合する。"),
	YG_OPTS_END};

const struct yg_cmd yg_cmds_audit_verify[] = {
	{.noun = "audit-log",
	 .verb = "verify",
	 .opts = opts,
	 .doc = "Check the hash chain of the audit log; exit status 3 when it does not hold.",
	 .doc_ja = "監査記録のハッシュ連鎖を検証する。合わなければ終了状態 3。",
	 .more = "The chain shows changed, removed, inserted and reordered entries. Note its head elsewhere and\n"
		 "give it with --head to find a log whose end was cut off or that was written anew as a whole.",
	 .run = run_verify},
	{.noun = NULL},
};
