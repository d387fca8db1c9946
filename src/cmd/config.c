/* config.c - the configuration file: checked and shown, without a server. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "cmd/tables.h"
#include "conf/conf.h"
#include "os/file.h"
#include "role/main.h"

#define CONF_MAX             1048576
#define CHECK_FOUND_PROBLEMS 3

struct shown {
	const struct yg_cli *cli;
	size_t count;
};

static void put_json_text(const char *s)
{
	char text[1200];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	const struct yg_kv kv = YG_KS("", s);
	yg_kv_format(&b, &kv); /* "":"text" */
	struct yg_sv value = yg_sv_sub(yg_sb_sv(&b), 3, b.n);
	(void)fwrite(value.p, 1, value.n, stdout);
}

static void report(void *ctx, const char *file, size_t line, const char *key, const char *text)
{
	struct shown *s = ctx;
	s->count++;
	if (!yg_cli_json(s->cli)) {
		(void)fprintf(stderr, "%s:%zu: %s%s%s\n", file, line, key,
			      key[0] != '\0' ? ": " : "", text);
		return;
	}
	(void)fputs("{\"file\":", stdout);
	put_json_text(file);
	(void)printf(",\"line\":%zu,\"key\":", line);
	put_json_text(key);
	(void)fputs(",\"problem\":", stdout);
	put_json_text(text);
	(void)fputs("}\n", stdout);
}

static yg_status load(const struct yg_cli *c, struct yg_arena *arena, struct yg_conf *out,
		      bool files, struct yg_err *err)
{
	struct shown shown = {.cli = c};
	struct yg_buf yaml;
	const char *path = yg_cli_arg(c, 0);
	yg_status st = YG_OK;
	yg_buf_init(&yaml, CONF_MAX + 1);
	if (path != NULL)
		st = yg_file_read(path, CONF_MAX, &yaml, err);
	if (st == YG_OK)
		st = yg_conf_read(yg_buf_sv(&yaml), path != NULL ? path : "(defaults)", arena, out,
				  report, &shown, err);
	if (st == YG_OK && files && path != NULL)
		st = yg_conf_check_files(out, path, report, &shown, err);
	yg_buf_free(&yaml);
	return st;
}

static int run_check(struct yg_cli *c)
{
	struct yg_arena arena;
	struct yg_conf conf;
	struct yg_err err = {0};
	yg_arena_init(&arena, (size_t)8 << 20);
	yg_status st = load(c, &arena, &conf, true, &err);
	yg_arena_free(&arena);
	if (st == YG_PARSE)
		return CHECK_FOUND_PROBLEMS;
	if (st != YG_OK)
		return yg_cli_fail(&err);
	if (!yg_cli_json(c) && !yg_cli_has(c, "quiet"))
		(void)printf("%s: no problems\n", yg_cli_arg(c, 0));
	return 0;
}

static int put_out(struct yg_buf *b)
{
	bool ok = !b->bad && fwrite(b->p, 1, b->n, stdout) == b->n && fflush(stdout) == 0;
	yg_buf_free(b);
	return ok ? 0 : 1;
}

static int run_print(struct yg_cli *c)
{
	struct yg_arena arena;
	struct yg_conf conf;
	struct yg_buf out;
	struct yg_err err = {0};
	yg_arena_init(&arena, (size_t)8 << 20);
	yg_status st = load(c, &arena, &conf, false, &err);
	if (st != YG_OK) {
		yg_arena_free(&arena);
		return st == YG_PARSE ? CHECK_FOUND_PROBLEMS : yg_cli_fail(&err);
	}
	yg_buf_init(&out, (size_t)16 << 20);
	if (yg_cli_has(c, "roles"))
		yg_roles_print(&conf, &out);
	else if (yg_cli_has(c, "origin"))
		yg_conf_print_origin(&conf, yg_cli_argc(c) > 0 ? yg_cli_arg(c, 0) : "",
				     yg_cli_has(c, "changed"), &out);
	else
		yg_conf_print(&conf, yg_cli_has(c, "changed"), &out);
	yg_arena_free(&arena);
	return put_out(&out);
}

static int run_schema(struct yg_cli *c)
{
	struct yg_buf out;
	(void)c;
	yg_buf_init(&out, (size_t)1 << 20);
	yg_conf_print_schema(&out);
	return put_out(&out);
}

static int run_manual(struct yg_cli *c)
{
	struct yg_buf out;
	(void)c;
	yg_buf_init(&out, (size_t)1 << 20);
	yg_conf_print_manual(&out);
	return put_out(&out);
}

/* doc/events.md: the catalogue of base/log.h. */
static int run_events(struct yg_cli *c)
{
	(void)c;
	(void)fputs(
		"# Log events\n\nOne JSON object per line on standard error: `time`, `level`, `event`, "
		"`id`, `role`, `index`, `pid`,\nthen the event's own fields. From level `notice` on a "
		"record is also a system event. A record over its\nrate is held back and counted: "
		"`suppressed` in the next one says how many. This page is printed by\n"
		"`yagura config events`.\n\n| id | event | level | per minute | meaning |\n"
		"|---|---|---|---|---|\n",
		stdout);
	for (size_t i = 0; i < YG_EVENT_ROWS; i++) {
		const struct yg_event_row *r = &yg_event_rows[i];
		(void)printf("| %u | `%s` | %s | %u | %s |\n", r->id, r->name,
			     yg_level_name(r->level), r->per_min, r->doc);
	}
	return 0;
}

static const struct yg_opt print_opts[] = {
	{"changed", 0, YG_OPT_FLAG, NULL, false, "Print only keys that differ from their default.",
	 "既定値と異なる設定だけを出力する。"},
	{"origin", 0, YG_OPT_FLAG, NULL, false,
	 "Print each key on a line with where its value is from: file and line, or the default.",
	 "各項目を1行ずつ、値の出どころ(ファイルと行、または既定値)とともに出力する。"},
	{"roles", 0, YG_OPT_FLAG, NULL, false,
	 "Print what each process may do: system calls, files, peers, limits.",
	 "各プロセスに許すこと(システムコール、ファイル、通信相手、上限)を出力する。"},
	{NULL, 0, YG_OPT_FLAG, NULL, false, NULL, NULL},
};

const struct yg_cmd yg_cmds_config[] = {
	{.noun = "config",
	 .verb = "check",
	 .args = "FILE",
	 .args_min = 1,
	 .args_max = 1,
	 .doc = "Check a configuration file and the files it names; report every problem.",
	 .doc_ja = "設定ファイルと、そこに書かれたファイルを調べ、問題をすべて報告する。",
	 .more = "Each problem names file, line, key, what was expected and what was found. "
		 "Exit status 3 when there is one.",
	 .run = run_check},
	{.noun = "config",
	 .verb = "print",
	 .args = "[FILE]",
	 .args_max = 1,
	 .opts = print_opts,
	 .doc = "Print the configuration in force, every key with its explanation.",
	 .doc_ja = "有効な設定を、各項目の説明とともに出力する。",
	 .run = run_print},
	{.noun = "config",
	 .verb = "schema",
	 .doc = "Print the JSON Schema of the configuration file.",
	 .doc_ja = "設定ファイルの JSON Schema を出力する。",
	 .run = run_schema},
	{.noun = "config",
	 .verb = "manual",
	 .doc = "Print the manual page yagura.yaml(5) as mdoc.",
	 .doc_ja = "マニュアルページ yagura.yaml(5) を mdoc 形式で出力する。",
	 .run = run_manual},
	{.noun = "config",
	 .verb = "events",
	 .doc = "Print the catalogue of log events as Markdown.",
	 .doc_ja = "ログイベントの一覧を Markdown で出力する。",
	 .run = run_events},
	{.noun = NULL},
};
