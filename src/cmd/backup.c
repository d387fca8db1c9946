/* backup.c - backups as files: check one, put one back.  A running server makes
 * them (cmd/system.c). */
#include "store/backup.h"

#include <stdio.h>

#include "cmd/print.h"
#include "cmd/tables.h"

static void tell(const struct yg_cli *c, const struct yg_backup *b)
{
	char time[32];
	struct yg_sb t = yg_sb_init(time, sizeof time);
	yg_time_format(&t, b->created);
	json_t *o =
		json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:b, s:s}", "name", b->name, "created_at",
			  yg_sb_cstr(&t), "version", b->version, "files", (json_int_t)b->files,
			  "bytes", (json_int_t)b->bytes, "event_rows", (json_int_t)b->event_rows,
			  "keys", b->with_keys, "audit_head", b->audit_head);
	yg_print_object(c, o);
	json_decref(o);
}

static int run_restore(struct yg_cli *c)
{
	struct yg_backup b;
	struct yg_err err;
	if (yg_backup_restore(yg_cli_arg(c, 0), yg_cli_get(c, "data"), &b, &err) != YG_OK)
		return yg_cli_fail(&err);
	tell(c, &b);
	yg_note(c, "restored into %s; start it with: yagura serve --data %s\n",
		yg_cli_get(c, "data"), yg_cli_get(c, "data"));
	return 0;
}

static int run_verify(struct yg_cli *c)
{
	struct yg_backup b;
	struct yg_err err;
	yg_status st = yg_backup_verify(yg_cli_arg(c, 0), &b, &err);
	if (st == YG_OK)
		tell(c, &b);
	return st == YG_OK ? 0 : st == YG_CORRUPT ? (yg_cli_fail(&err), 3) : yg_cli_fail(&err);
}

static const struct yg_opt restore_opts[] = {
	YG_O_NEEDED("data", "DIR", "Data folder to make; it must not exist or be empty.",
		    "作るデータフォルダー。無いか空であること。"),
	YG_OPTS_END};

const struct yg_cmd yg_cmds_backup[] = {
	{.noun = "backup",
	 .verb = "verify",
	 .args = "FOLDER",
	 .args_min = 1,
	 .args_max = 1,
	 .doc = "Check every file of a backup against its manifest; exit status 3 when one does not fit.",
	 .doc_ja = "バックアップの全ファイルを目録と照合する。合わなければ終了状態 3。",
	 .run = run_verify},
	{.noun = "backup",
	 .verb = "restore",
	 .args = "FOLDER",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = restore_opts,
	 .doc = "Put a backup back into a new data folder.",
	 .doc_ja = "バックアップを新しいデータフォルダーに戻す。",
	 .more = "The manifest is checked first. Events are loaded at the first start of the server on that folder.",
	 .run = run_restore},
	{.noun = NULL},
};
