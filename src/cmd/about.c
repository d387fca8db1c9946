/* about.c - commands about the program itself. */
#include "api/console.h"
#include "cmd/command.h"
#include "cmd/tables.h"

static int run_version(struct yg_cli *c)
{
	if (yg_cli_json(c))
		(void)printf("{\"version\":\"%s\"}\n", YG_VERSION);
	else
		(void)printf("yagura %s\n", YG_VERSION);
	return 0;
}

/* What is in the program and not ours: the console's parts.  Libraries are the system's. */
static int run_licences(struct yg_cli *c)
{
	const struct yg_asset *notices = yg_asset_named("notices.txt");
	(void)c;
	(void)printf("yagura %s (Apache-2.0)\n\n"
		     "Libraries of the system are linked, not contained; their terms are in\n"
		     "/usr/share/doc/PACKAGE/copyright.  The console contains:\n\n",
		     YG_VERSION);
	if (notices != NULL)
		(void)fwrite(notices->bytes[YG_CODING_NONE].p, 1, notices->bytes[YG_CODING_NONE].n,
			     stdout);
	return 0;
}

static int run_completion(struct yg_cli *c)
{
	if (!yg_completion(yg_cli_arg(c, 0), stdout))
		return yg_cli_usage(c, "expected bash, zsh or fish, found '%s'", yg_cli_arg(c, 0));
	return 0;
}

static int run_manual(struct yg_cli *c)
{
	if (!yg_manual(yg_cli_arg(c, 0), yg_cli_has(c, "ja"), stdout))
		return yg_cli_usage(c, "no such noun: '%s'", yg_cli_arg(c, 0));
	return 0;
}

static const struct yg_opt manual_opts[] = {
	{"ja", 0, YG_OPT_FLAG, NULL, false, "Print the Japanese page.",
	 "日本語のページを出力する。"},
	{NULL, 0, YG_OPT_FLAG, NULL, false, NULL, NULL},
};

const struct yg_cmd yg_cmds_about[] = {
	{.noun = "version",
	 .doc = "Print the version.",
	 .doc_ja = "版を表示する。",
	 .run = run_version},
	{.noun = "licences",
	 .doc = "Print the licences of what is in the program.",
	 .doc_ja = "プログラムに含まれるソフトウェアのライセンスを表示する。",
	 .run = run_licences},
	{.noun = "completion",
	 .args = "SHELL",
	 .args_min = 1,
	 .args_max = 1,
	 .doc = "Print the completion script for bash, zsh or fish.",
	 .doc_ja = "bash、zsh、fish の補完スクリプトを出力する。",
	 .run = run_completion},
	{.noun = "manual",
	 .args = "[NOUN]",
	 .args_max = 1,
	 .opts = manual_opts,
	 .doc = "Print the manual page of all commands or of one noun as mdoc.",
	 .doc_ja = "マニュアルページを mdoc 形式で出力する。",
	 .run = run_manual},
	{.noun = NULL},
};
