/* access_format.c - `access format`: policies laid out, or in their other form. */
#include <stdio.h>

#include "cedar/print.h"
#include "cmd/access_file.h"
#include "cmd/print.h"
#include "cmd/tables.h"

struct formatting {
	const struct yg_cli *cli;
	struct yg_hash_key key;
	struct yg_cedar_policies policies; /* owned */
	struct yg_buf file, text, out;     /* owned; text: of policies that were JSON */
	bool from_json, to_json;
};

static void formatting_free(struct formatting *f)
{
	yg_cedar_policies_free(&f->policies);
	yg_buf_free(&f->file);
	yg_buf_free(&f->text);
	yg_buf_free(&f->out);
}

/* JSON can be nested by what text has bounds for: what could not be read back is no text. */
static yg_status readable(const struct formatting *f, struct yg_sv text, struct yg_err *err)
{
	struct yg_cedar_policies again;
	yg_cedar_policies_init(&again, &f->key, YG_ACCESS_ARENA_BYTES);
	yg_status st = yg_cedar_policies_text(&again, text, err);
	yg_cedar_policies_free(&again);
	if (st == YG_OK)
		return YG_OK;
	yg_err_wrap(err, "cannot be said as text: ");
	return st;
}

/* Text stays what it is but for white space; so comments stay, too. */
static yg_status convert(struct formatting *f, struct yg_err *err)
{
	if (f->to_json)
		return yg_cedar_put_json(&f->out, &f->policies, err);
	if (!f->from_json)
		return yg_cedar_lay_out(&f->out, yg_buf_sv(&f->file), err);
	yg_status st = yg_cedar_put_text(&f->text, &f->policies, err);
	if (st == YG_OK)
		st = readable(f, yg_buf_sv(&f->text), err);
	return st == YG_OK ? yg_cedar_lay_out(&f->out, yg_buf_sv(&f->text), err) : st;
}

static int run_format(struct yg_cli *cli)
{
	YG_AUTO(formatting_free) struct formatting f = {.cli = cli};
	struct yg_err err;
	const struct yg_env *env = yg_cli_env(cli);
	env->random(env->ctx, &f.key, sizeof f.key);
	yg_cedar_policies_init(&f.policies, &f.key, YG_ACCESS_ARENA_BYTES);
	yg_buf_init(&f.file, YG_ACCESS_FILE_BYTES + 1);
	yg_buf_init(&f.text, SIZE_MAX);
	yg_buf_init(&f.out, SIZE_MAX);
	yg_status st = yg_access_form(cli, "policy-format", &f.from_json, &err);
	if (st == YG_OK)
		st = yg_access_form(cli, "to", &f.to_json, &err);
	if (st == YG_OK)
		st = yg_access_policies(yg_cli_arg(cli, 0), f.from_json, &f.file, &f.policies,
					&err);
	if (st == YG_OK)
		st = convert(&f, &err);
	if (st == YG_OK && yg_cli_has(cli, "check"))
		return yg_sv_eq(yg_buf_sv(&f.out), yg_buf_sv(&f.file)) ? 0 : YG_ACCESS_FOUND_FAULTS;
	if (st == YG_OK && fwrite(f.out.p, 1, f.out.n, stdout) != f.out.n)
		st = YG_FAIL(&err, YG_IO, "the policies cannot be written");
	return st == YG_OK ? 0 : yg_cli_fail(&err);
}

static const struct yg_opt format_opts[] = {
	YG_O_VALUE("policy-format", "FORMAT", "Form of the file: text (the default) or json.",
		   "ファイルの形式: text(既定)または json。"),
	YG_O_VALUE("to", "FORMAT", "Form to write: text (the default) or json.",
		   "出力の形式: text(既定)または json。"),
	YG_O_FLAG("check",
		  "Write nothing; exit status 3 when the file is not as it would be written.",
		  "何も出力せず、ファイルが整形後と異なれば終了コード 3 とする。"),
	YG_OPTS_END};

const struct yg_cmd yg_cmds_access_format[] = {
	{.noun = "access",
	 .verb = "format",
	 .args = "FILE",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = format_opts,
	 .doc = "Lay Cedar policies out, or turn them into Cedar's JSON or back.",
	 .doc_ja = "Cedar のポリシーを整形する。JSON との相互変換もできる(サーバー不要)。",
	 .more = "Text stays as it is but for white space and line breaks; comments stay.  As JSON, policies "
		 "are a set with staticPolicies, templates and templateLinks, by their ids.  Text has no "
		 "links: a linked policy becomes what it says, and @id keeps every id.",
	 .run = run_format},
	{.noun = NULL},
};
