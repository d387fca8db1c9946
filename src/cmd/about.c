/* about.c - commands about the program itself. */
#include <jansson.h>

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

/* "NAME VERSION (LICENCE)", an empty line, the text. */
static json_t *part_json(struct yg_sv part)
{
	struct yg_sv head, name, version;
	json_t *o = json_object();
	(void)yg_sv_cut(&part, '\n', &head);
	(void)yg_sv_cut(&head, ' ', &name);
	(void)yg_sv_cut(&head, ' ', &version);
	if (head.n > 1 && head.p[0] == '(')
		head = yg_sv_sub(head, 1, head.n - 2);
	part = yg_sv_trim(part);
	(void)json_object_set_new(o, "name", json_stringn(name.p, name.n));
	(void)json_object_set_new(o, "version", json_stringn(version.p, version.n));
	(void)json_object_set_new(o, "licence", json_stringn(head.p, head.n));
	(void)json_object_set_new(o, "text", json_stringn(part.p, part.n));
	return o;
}

/* As console/build.mjs writes it: the parts stand between lines of 72 hyphens. */
static int print_licences_json(struct yg_sv text)
{
	json_t *o = json_object(), *parts = json_array();
	struct yg_sv line;
	size_t begin = 0;
	struct yg_sv rest = text;
	while (rest.n > 0) {
		size_t at = text.n - rest.n;
		(void)yg_sv_cut(&rest, '\n', &line);
		if (line.n < 72 || !yg_sv_starts(line, YG_SV("------------------------")))
			continue;
		(void)json_array_append_new(
			parts, part_json(yg_sv_trim(yg_sv_sub(text, begin, at - begin))));
		begin = text.n - rest.n;
	}
	struct yg_sv last = yg_sv_trim(yg_sv_sub(text, begin, text.n));
	if (last.n > 0)
		(void)json_array_append_new(parts, part_json(last));
	(void)json_object_set_new(o, "version", json_string(YG_VERSION));
	(void)json_object_set_new(o, "licence", json_string("Apache-2.0"));
	(void)json_object_set_new(o, "contains", parts);
	int rc = json_dumpf(o, stdout, JSON_COMPACT);
	(void)putchar('\n');
	json_decref(o);
	return rc == 0 ? 0 : 1;
}

/* What is in the program and not ours: the console's parts.  Libraries are the system's. */
static int run_licences(struct yg_cli *c)
{
	const struct yg_asset *notices = yg_asset_named("notices.txt");
	if (yg_cli_json(c))
		return print_licences_json(
			notices == NULL
				? YG_SV("")
				: (struct yg_sv){(const char *)notices->bytes[YG_CODING_NONE].p,
						 notices->bytes[YG_CODING_NONE].n});
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
	 .doc = "Print the manual page of all commands, of one noun or of exit-codes as mdoc.",
	 .doc_ja = "マニュアルページを mdoc 形式で出力する。",
	 .run = run_manual},
	{.noun = NULL},
};
